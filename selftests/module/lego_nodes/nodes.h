/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the files of the test of many nodes. */
#ifndef _LEGO_NODES_H
#define _LEGO_NODES_H

#include <linux/types.h>
#include <lego/lite.h>

#define NODES_MAX 64
#define NODES_PORT 7700 /* the first one's */

/**
 * struct nodes_opts - what a run is asked for
 * @seed: of who comes and goes when
 * @nodes: how many there may be
 * @stay: the first of them, which never go
 * @ms: how long
 * @gap_ms: one comes or goes that often, on average
 * @timeout_ms: of each call
 */
struct nodes_opts {
	u32 seed;
	u32 nodes;
	u32 stay;
	u32 ms;
	u32 gap_ms;
	u32 timeout_ms;
};

/**
 * struct nodes_stats - what came of it
 * @calls: calls
 * @ok: of them, without an error
 * @excused: errors of calls whose other end, or whose own, went meanwhile
 * @errors: all other errors
 * @last_err: one of them
 * @bad_bytes: bytes of replies that are wrong
 * @pairs: pairs of nodes of which one has called the other
 * @came: how often a node was made
 * @went: how often one was destroyed
 * @elapsed_ms: of the run
 */
struct nodes_stats {
	u64 calls;
	u64 ok;
	u64 excused;
	u64 errors;
	int last_err;
	u64 bad_bytes;
	u64 pairs;
	u64 came;
	u64 went;
	u64 elapsed_ms;
};

int nodes_run(const struct nodes_opts *opts, const char *ip,
	      struct nodes_stats *stats);

#endif /* _LEGO_NODES_H */
