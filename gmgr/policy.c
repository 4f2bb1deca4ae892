// SPDX-License-Identifier: GPL-2.0
/*
 * Which mComponent is a new process's home (LegoOS's GMM; its default there
 * ignored free memory, so one node ran out while another was idle).
 */
#include "policy.h"

static __u64 cand_free(const struct gmgr_place_cand *c)
{
	return c->used < c->total ? c->total - c->used : 0;
}

/* Used part of @c in 1/65536; what offers nothing is full. */
static __u64 cand_load(const struct gmgr_place_cand *c)
{
	__u64 total = c->total >> 16;

	if (!total)
		return 1 << 16;
	return c->used / total;
}

/* Least used fraction; of equals the one with more bytes free. */
static unsigned int pick_free(const struct gmgr_place_view *view)
{
	unsigned int i, best = 0;

	for (i = 1; i < view->nr; i++) {
		const struct gmgr_place_cand *c = &view->cand[i];
		const struct gmgr_place_cand *b = &view->cand[best];

		if (cand_load(c) < cand_load(b) ||
		    (cand_load(c) == cand_load(b) &&
		     cand_free(c) > cand_free(b)))
			best = i;
	}
	return best;
}

/* One after the other, passing by those that are full. */
static unsigned int pick_rr(const struct gmgr_place_view *view)
{
	unsigned int i, k;

	for (i = 0; i < view->nr; i++) {
		k = (view->turn + i) % view->nr;
		if (cand_free(&view->cand[k]))
			return k;
	}
	return view->turn % view->nr;
}

static const struct gmgr_place_ops policy_free = {
	.name = "free",
	.pick = pick_free,
};

static const struct gmgr_place_ops policy_rr = {
	.name = "rr",
	.pick = pick_rr,
};

const struct gmgr_place_ops *const gmgr_policies[GMGR_NR_POLICIES] = {
	&policy_free,
	&policy_rr,
};
