/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the load generator's files. */
#ifndef _LEGO_LOAD_H
#define _LEGO_LOAD_H

#include <linux/types.h>
#include <lego/lite.h>

#define LOAD_ERRNO_MAX 140 /* those that are told apart */

/**
 * enum load_mode - how a caller calls
 * @LOAD_SYNC: lite_call()
 * @LOAD_ASYNC: lite_call_start(), and waits for done
 * @LOAD_ONEWAY: lite_notify()
 * @LOAD_QUEUE: lite_call_queue(), and waits for done
 */
enum load_mode {
	LOAD_SYNC,
	LOAD_ASYNC,
	LOAD_ONEWAY,
	LOAD_QUEUE,
};

/**
 * struct load_opts - what a run is asked for
 * @addr: the peer's address
 * @callers: threads, each with one call under way
 * @ms: how long
 * @calls: or how many calls in all, if not 0
 * @size: bytes of payload, there and back
 * @out: bytes that the peer writes by RDMA
 * @class: enum lite_class
 * @mode: enum load_mode
 * @timeout_ms: of each call
 * @slack_ms: a call that ends later than its time-out by this is late
 * @hold: 1: the peer and its links stay till a run with 0, or the module's end
 */
struct load_opts {
	char addr[LITE_ADDR_LEN];
	u32 callers;
	u32 ms;
	u32 calls;
	u32 size;
	u32 out;
	u32 class;
	u32 mode;
	u32 timeout_ms;
	u32 slack_ms;
	u32 hold;
};

/**
 * struct load_stats - what came of it
 * @calls: calls that have ended
 * @ok: of them, without an error
 * @errors: of them, by errno
 * @twice: ended not once
 * @late: ended too late
 * @lost: did not end before the link was reset for it
 * @bad_bytes: bytes of good replies that are not what was sent
 * @stray_bytes: bytes that came to memory which was given back
 * @over_ms: how long after its time-out the latest call ended
 * @elapsed_ns: of the run
 * @samples: successful calls whose time is known
 * @p50: half of them took at most this, ns
 * @p99: the same for 99 in a hundred
 * @p999: the same for 999 in a thousand
 * @max: the longest
 */
struct load_stats {
	u64 calls;
	u64 ok;
	u64 errors[LOAD_ERRNO_MAX];
	u64 twice;
	u64 late;
	u64 lost;
	u64 bad_bytes;
	u64 stray_bytes;
	u64 over_ms;
	u64 elapsed_ns;
	u64 samples;
	u64 p50;
	u64 p99;
	u64 p999;
	u64 max;
};

int load_run(struct lite_node *node, const struct load_opts *opts,
	     struct load_stats *stats);

#endif /* _LEGO_LOAD_H */
