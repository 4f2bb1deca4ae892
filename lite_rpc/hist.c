// SPDX-License-Identifier: GPL-2.0
/*
 * Latency histograms: a quarter of a power of two a bucket, so a quantile is
 * right to a quarter. After HdrHistogram; block/blk-stat.c and bcc's tools do
 * with whole powers.
 */
#include <linux/bits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "hist.h"

#define SUB_SHIFT 2
#define SUB BIT(SUB_SHIFT)

/* 0 to SUB - 1 have a bucket each, then SUB for each power of two */
static unsigned int bucket_of(__u64 ns)
{
	unsigned int power;

	if (ns < SUB)
		return ns;
	power = ilog2(ns);
	return min_t(unsigned int, LITE_HIST_BUCKETS - 1,
		     ((power - SUB_SHIFT + 1) << SUB_SHIFT) +
			     ((ns >> (power - SUB_SHIFT)) & (SUB - 1)));
}

/* the first value of the bucket after */
static __u64 bucket_end(unsigned int bucket)
{
	unsigned int next = bucket + 1;

	if (next <= SUB)
		return next;
	return (__u64)(SUB + (next & (SUB - 1))) << ((next >> SUB_SHIFT) - 1);
}

/**
 * lite_hist_add() - one more
 * @h: histogram; the caller serialises
 * @ns: nanoseconds
 *
 * Context: any.
 */
void lite_hist_add(struct lite_hist *h, __u64 ns)
{
	h->count[bucket_of(ns)]++;
	h->total++;
}

/**
 * lite_hist_quantile() - how long the quickest took at most
 * @h: histogram; if it changes meanwhile the result is about right
 * @permille: of all, 1 to 1000
 *
 * Context: any.
 * Return: nanoseconds, at most a quarter too many; 0 if there is none.
 */
__u64 lite_hist_quantile(const struct lite_hist *h, unsigned int permille)
{
	__u64 want = div_u64(h->total * permille + 999, 1000), seen = 0;
	unsigned int i;

	if (!want)
		return 0;
	for (i = 0; i < LITE_HIST_BUCKETS - 1; i++) {
		seen += h->count[i];
		if (seen >= want)
			break;
	}
	return bucket_end(i);
}
