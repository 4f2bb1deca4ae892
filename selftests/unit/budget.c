// SPDX-License-Identifier: GPL-2.0
/*
 * The accounting of an mComponent's frames, compiled from its very source: many
 * write-backs at once, in a random order, in a pool that is full. Prints TAP.
 */
#include <errno.h>
#include <stdlib.h>

#include "../../mcomp/budget.h"
#include "tap.h"

#define FRAMES 1024
#define RESERVE 16
#define BATCH 16
#define WRITERS 48

/* Each takes, later gives the old ones back, at its own pace. */
static void test_rewrites(void)
{
	struct mcomp_budget b = { .nr_free = RESERVE, .reserve = RESERVE };
	unsigned int lent[WRITERS] = {}, done[WRITERS] = {};
	unsigned int i, turn, full = 0, less = 0, starved = 0;

	srandom(1);
	for (turn = 0; turn < 200000; turn++) {
		unsigned int n = 1 + random() % BATCH;

		i = random() % WRITERS;
		if (lent[i]) {
			mcomp_budget_settle(&b, lent[i]);
			if (mcomp_budget_take(&b, 1, 1) != -ENOSPC)
				less++;
			b.nr_free += lent[i];
			lent[i] = 0;
			done[i]++;
			continue;
		}
		switch (mcomp_budget_take(&b, n, 0)) {
		case 0:
			lent[i] = n;
			break;
		case -ENOSPC:
			full++;
		}
		/* one that asks for more is refused, and takes nothing */
		if (mcomp_budget_take(&b, 1, 1) != -ENOSPC)
			less++;
	}
	for (i = 0; i < WRITERS; i++)
		starved += !done[i];
	is(full, 0, "a full pool is never full for pages that have a frame");
	is(less, 0, "and gives nothing to others meanwhile");
	is(starved, 0, "all writers get their turn");
	for (i = 0; i < WRITERS; i++) {
		b.nr_free += lent[i];
		mcomp_budget_settle(&b, lent[i]);
	}
	is(b.nr_free, RESERVE, "the reserve is whole in the end");
	is(b.lent, 0, "and nothing is lent");
}

static void test_growth(void)
{
	struct mcomp_budget b = { .nr_free = FRAMES, .reserve = RESERVE };
	unsigned int got = 0;

	while (!mcomp_budget_take(&b, 1, 1))
		got++;
	is(got, FRAMES - RESERVE, "new pages get all but the reserve");
	is(mcomp_budget_take(&b, BATCH, 0), 0, "a whole batch is rewritten");
	is(mcomp_budget_take(&b, 1, 0), -EBUSY, "the next one waits");
	is(mcomp_budget_take(&b, 1, 1), -ENOSPC, "a new page does not");
	/* a relative was forked meanwhile: no frame comes back for one of them */
	is(mcomp_budget_charge(&b, 1), -EBUSY,
	   "what turns out to be shared does not cost the reserve");
	b.nr_free++; /* an unrelated page is freed */
	is(mcomp_budget_charge(&b, 1), 0, "it gets a frame when there is one");
	b.nr_free += BATCH - 1;
	mcomp_budget_settle(&b, BATCH - 1);
	is(b.nr_free + b.lent, RESERVE, "the sum is right");
}

int main(void)
{
	test_rewrites();
	test_growth();
	return tap_end();
}
