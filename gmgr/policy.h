/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Placement policies: a snapshot goes in, a decision comes out. No locks, no
 * memory, no kernel API but types, so that policy.c also builds in user space.
 */
#ifndef _GMGR_POLICY_H
#define _GMGR_POLICY_H

#include <linux/types.h>

/**
 * struct gmgr_place_cand - a mComponent that could be a home
 * @id: its node id
 * @total: bytes of memory it offers
 * @used: bytes in use, what was placed there of late and has not been heard of
 *	included
 */
struct gmgr_place_cand {
	__u32 id;
	__u64 total;
	__u64 used;
};

/**
 * struct gmgr_place_view - what a policy sees
 * @cand: those that are up, in the order of their joining
 * @nr: how many, at least 1
 * @turn: counts the decisions of this gmgr
 */
struct gmgr_place_view {
	const struct gmgr_place_cand *cand;
	unsigned int nr;
	__u32 turn;
};

/**
 * struct gmgr_place_ops - a placement policy
 * @name: for sysfs
 * @pick: index of the one that shall be the home; under a lock: must not sleep
 */
struct gmgr_place_ops {
	const char *name;
	unsigned int (*pick)(const struct gmgr_place_view *view);
};

#define GMGR_NR_POLICIES 2

extern const struct gmgr_place_ops *const gmgr_policies[GMGR_NR_POLICIES];

#endif /* _GMGR_POLICY_H */
