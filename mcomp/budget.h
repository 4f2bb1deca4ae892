/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may have how many frames of a pool: numbers only, so that budget.c also
 * builds in user space.
 */
#ifndef _MCOMP_BUDGET_H
#define _MCOMP_BUDGET_H

#include <linux/types.h>

/**
 * struct mcomp_budget - the frames of a pool
 * @nr_free: frames that nobody has
 * @lent: frames taken for pages that have one already, which is free again when
 *	the new one is in its place
 * @reserve: @nr_free and @lent are together never less, but for frames that
 *	somebody still reads: what a page that has a frame may count on
 */
struct mcomp_budget {
	__u32 nr_free;
	__u32 lent;
	__u32 reserve;
};

int mcomp_budget_take(struct mcomp_budget *b, __u32 nr, __u32 nr_new);
int mcomp_budget_charge(struct mcomp_budget *b, __u32 nr);
void mcomp_budget_settle(struct mcomp_budget *b, __u32 nr);

#endif /* _MCOMP_BUDGET_H */
