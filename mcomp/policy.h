/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which mComponent shall own a vRegion: a snapshot goes in, a decision comes
 * out. No locks, no memory, no kernel API but types, so that policy.c also
 * builds in user space.
 */
#ifndef _MCOMP_POLICY_H
#define _MCOMP_POLICY_H

#include <linux/types.h>

/**
 * struct mcomp_region_cand - a mComponent that could be the owner
 * @id: its node id
 * @nr_vregions: of this space it has already
 * @total: bytes of memory it offers
 * @used: bytes in use
 * @home: it is the space's home
 * @tried: it was picked and did not answer: not to be picked
 */
struct mcomp_region_cand {
	__u32 id;
	__u32 nr_vregions;
	__u64 total;
	__u64 used;
	__u8 home;
	__u8 tried;
};

/**
 * struct mcomp_region_ops - a policy
 * @name: for sysfs
 * @pick: index of the one that shall own the vRegion, -1 if none is left; must
 *	not sleep
 */
struct mcomp_region_ops {
	const char *name;
	int (*pick)(const struct mcomp_region_cand *cand, unsigned int nr);
};

#define MCOMP_NR_POLICIES 2

extern const struct mcomp_region_ops *const mcomp_policies[MCOMP_NR_POLICIES];

#endif /* _MCOMP_POLICY_H */
