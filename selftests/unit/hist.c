// SPDX-License-Identifier: GPL-2.0
/*
 * lite_rpc's latency histograms, compiled from the module's source. Prints TAP.
 */
#include <stdio.h>

#include "../../lite_rpc/hist.h"
#include "tap.h"

/* A single value's quantile is the end of its bucket. */
static int right(__u64 ns)
{
	struct lite_hist h = { 0 };
	__u64 q;

	lite_hist_add(&h, ns);
	q = lite_hist_quantile(&h, 500);
	if (q > ns && q - ns <= ns / 4 + 1)
		return 1;
	printf("# %llu is said to be %llu\n", (unsigned long long)ns,
	       (unsigned long long)q);
	return 0;
}

int main(void)
{
	struct lite_hist h = { 0 };
	__u64 ns;
	int good = 1;

	ok(!lite_hist_quantile(&h, 500), "nothing has no quantile");
	for (ns = 0; ns < 5000 && good; ns++)
		good = right(ns);
	for (; ns < 60000000000ULL && good; ns += ns / 7)
		good = right(ns) && right(ns - 1);
	ok(good, "each value is right to a quarter");
	lite_hist_add(&h, ~0ULL);
	ok(lite_hist_quantile(&h, 1000) > 60000000000ULL,
	   "what is too long is in the last bucket");

	h = (struct lite_hist){ 0 };
	for (ns = 1; ns <= 1000; ns++)
		lite_hist_add(&h, ns * 1000);
	ns = lite_hist_quantile(&h, 500);
	ok(ns >= 500000 && ns <= 650000, "half of 1 to 1000 us");
	ns = lite_hist_quantile(&h, 990);
	ok(ns >= 990000 && ns <= 1250000, "99 in a hundred of them");
	ok(lite_hist_quantile(&h, 1) <= 1250, "the first of a thousand");
	return tap_end();
}
