// SPDX-License-Identifier: GPL-2.0
/*
 * Owners of vRegions (OSDI'18, 4.4.1: the home assigns them by load).
 */
#include "policy.h"

static __u64 cand_free(const struct mcomp_region_cand *c)
{
	return c->used < c->total ? c->total - c->used : 0;
}

/* A full node is not an error while another has room. */
static int cand_has_room(const struct mcomp_region_cand *c)
{
	return cand_free(c) > c->total / 32;
}

/* Fewest vRegions of this space; of equals the one with most memory free. */
static int spread_better(const struct mcomp_region_cand *a,
			 const struct mcomp_region_cand *b)
{
	if (cand_has_room(a) != cand_has_room(b))
		return cand_has_room(a);
	if (cand_has_room(a) && a->nr_vregions != b->nr_vregions)
		return a->nr_vregions < b->nr_vregions;
	return cand_free(a) > cand_free(b);
}

/* The home, so that a small program has one mComponent only; then most free. */
static int home_better(const struct mcomp_region_cand *a,
		       const struct mcomp_region_cand *b)
{
	if (cand_has_room(a) != cand_has_room(b))
		return cand_has_room(a);
	if (cand_has_room(a) && a->home != b->home)
		return a->home;
	return cand_free(a) > cand_free(b);
}

static int pick_best(const struct mcomp_region_cand *cand, unsigned int nr,
		     int (*better)(const struct mcomp_region_cand *a,
				   const struct mcomp_region_cand *b))
{
	unsigned int i;
	int best = -1;

	for (i = 0; i < nr; i++)
		if (!cand[i].tried &&
		    (best < 0 || better(&cand[i], &cand[best])))
			best = i;
	return best;
}

static int pick_spread(const struct mcomp_region_cand *cand, unsigned int nr)
{
	return pick_best(cand, nr, spread_better);
}

static int pick_home(const struct mcomp_region_cand *cand, unsigned int nr)
{
	return pick_best(cand, nr, home_better);
}

static const struct mcomp_region_ops policy_spread = {
	.name = "spread",
	.pick = pick_spread,
};

static const struct mcomp_region_ops policy_home = {
	.name = "home",
	.pick = pick_home,
};

const struct mcomp_region_ops *const mcomp_policies[MCOMP_NR_POLICIES] = {
	&policy_spread,
	&policy_home,
};
