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

/*
 * Used part of @c in 1/65536, believing that each vRegion this space has there
 * will take 1/16 more. The number of vRegions alone must not decide: programs
 * are alike, so the second vRegion of each of them, the large one, would find
 * its way to the same mComponent while homes go to the other, which has more
 * free.
 */
static __u64 cand_load(const struct mcomp_region_cand *c)
{
	__u64 total = c->total >> 16;
	__u64 used = total ? c->used / total : 1 << 16;

	return used + c->nr_vregions * ((1 << 16) / 16);
}

/* Least load, now and to come; of equals the one with most memory free. */
static int spread_better(const struct mcomp_region_cand *a,
			 const struct mcomp_region_cand *b)
{
	if (cand_has_room(a) != cand_has_room(b))
		return cand_has_room(a);
	if (cand_has_room(a) && cand_load(a) != cand_load(b))
		return cand_load(a) < cand_load(b);
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
