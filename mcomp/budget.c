// SPDX-License-Identifier: GPL-2.0
/*
 * A write-back fills fresh frames and gives the old ones back afterwards. So in
 * a full pool a program that fits, and only writes again what it has, still
 * needs some frames for a moment: the reserve. What gives no frame back must not
 * touch it: a page that had none, and a page that shares its frame with a forked
 * relative. When as much as the reserve is under way, others wait their turn.
 */
#include <linux/compiler.h>
#include <linux/errno.h>

#include "budget.h"

/* Would @nr frames that do not come back leave the reserve whole? */
static int budget_has_room(const struct mcomp_budget *b, __u32 nr)
{
	return (__u64)b->nr_free + b->lent >= (__u64)b->reserve + nr;
}

/**
 * mcomp_budget_take() - take frames, all or none
 * @b: budget
 * @nr: how many, at most the reserve
 * @nr_new: how many of these will not give another one back
 *
 * Return: 0, for mcomp_budget_settle() of the others; -ENOSPC: full; -EBUSY:
 *	too many are under way.
 */
int mcomp_budget_take(struct mcomp_budget *b, __u32 nr, __u32 nr_new)
{
	if (nr_new && !budget_has_room(b, nr_new))
		return -ENOSPC;
	if (b->nr_free < nr)
		return -EBUSY;
	b->nr_free -= nr;
	b->lent += nr - nr_new;
	return 0;
}

/**
 * mcomp_budget_charge() - frames that were lent will not give any back
 * @b: budget
 * @nr: how many: their pages lost theirs, or share it by now
 *
 * Return: 0; -EBUSY: that would cost the reserve, they are still lent.
 */
int mcomp_budget_charge(struct mcomp_budget *b, __u32 nr)
{
	if (!budget_has_room(b, nr))
		return -EBUSY;
	b->lent -= nr;
	return 0;
}

/**
 * mcomp_budget_settle() - it is over for frames that were lent
 * @b: budget
 * @nr: how many; they, or those that they replace, are counted free only after
 *	this, for nobody may count on one frame twice
 */
void mcomp_budget_settle(struct mcomp_budget *b, __u32 nr)
{
	b->lent -= nr;
}
