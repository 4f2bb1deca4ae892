/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the load generator's files. */
#ifndef _LEGO_LOAD_H
#define _LEGO_LOAD_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <lego/lite.h>

#define LOAD_ERRNO_MAX 140 /* those that are told apart */

/**
 * enum load_mode - how a caller calls
 * @LOAD_SYNC: lite_call()
 * @LOAD_ASYNC: lite_call_start(), and waits for done
 * @LOAD_ONEWAY: lite_notify()
 * @LOAD_QUEUE: lite_call_queue(), and waits for done
 * @LOAD_MANY: lite_call_many(), of one
 */
enum load_mode {
	LOAD_SYNC,
	LOAD_ASYNC,
	LOAD_ONEWAY,
	LOAD_QUEUE,
	LOAD_MANY,
};

/**
 * enum load_op - what is called
 * @LOAD_PING: LITE_PING
 * @LOAD_WORK: PCOMP_PROCS, which our own nodes serve by sleeping (serve.c)
 */
enum load_op {
	LOAD_PING,
	LOAD_WORK,
};

/**
 * enum load_nest - what else LOAD_WORK does
 * @LOAD_NEST_NONE: nothing
 * @LOAD_NEST_CALL: it calls the node "load", which does the same
 * @LOAD_NEST_LOCKED: it does so with a mutex that all want
 */
enum load_nest {
	LOAD_NEST_NONE,
	LOAD_NEST_CALL,
	LOAD_NEST_LOCKED,
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
 * @op: enum load_op
 * @work_us: how long LOAD_WORK takes
 * @nest: enum load_nest
 * @nokill: 1: LOAD_SYNC waits even if it is killed
 * @slow_us: how long LOAD_WORK takes for the first caller, if not 0
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
	u32 op;
	u32 work_us;
	u32 nest;
	u32 nokill;
	u32 slow_us;
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
 * @ahead: LOAD_WORK, in this kernel: most requests that began to be served
 *	between a call and its own beginning
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
	u32 ahead;
};

/* serve.c */
#define LOAD_CPUS 64

/**
 * struct load_served - what LOAD_WORK has seen
 * @begun: how many
 * @now: of them, not ended
 * @at_once: most of them at once
 * @cpu: how many began on each, the last stands for more
 */
struct load_served {
	atomic_t begun;
	atomic_t now;
	atomic_t at_once;
	atomic_t cpu[LOAD_CPUS];
};

extern struct load_served load_served;
extern const struct lite_handler load_handlers[];
extern const unsigned int load_nr_handlers;
int load_serve_init(struct lite_node *caller, struct lite_node *callee);
void load_serve_exit(void);
void load_serve_forget(void);
u32 load_work(const struct load_opts *opts, unsigned int caller);

int load_run(struct lite_node *node, const struct load_opts *opts,
	     struct load_stats *stats);

#endif /* _LEGO_LOAD_H */
