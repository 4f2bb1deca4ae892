/* SPDX-License-Identifier: GPL-2.0 */
/* Latency histograms. No kernel types: selftests/unit compiles it, too. */
#ifndef _LITE_RPC_HIST_H
#define _LITE_RPC_HIST_H

#include <linux/types.h>

#define LITE_HIST_BUCKETS 144 /* up to 64 s */

/**
 * struct lite_hist - how long calls took
 * @total: calls
 * @count: of them, by bucket
 */
struct lite_hist {
	__u64 total;
	__u64 count[LITE_HIST_BUCKETS];
};

void lite_hist_add(struct lite_hist *h, __u64 ns);
__u64 lite_hist_quantile(const struct lite_hist *h, unsigned int permille);

#endif /* _LITE_RPC_HIST_H */
