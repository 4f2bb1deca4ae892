// SPDX-License-Identifier: GPL-2.0
/*
 * The placement policies of gmgr and mcomp, compiled from the very sources of
 * the modules. Prints TAP.
 */
#include <string.h>

#include "../../gmgr/policy.h"
#include "../../mcomp/policy.h"
#include "tap.h"

#define MIB 1048576ULL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct gmgr_place_ops *place(const char *name)
{
	unsigned int i;

	for (i = 0; i < GMGR_NR_POLICIES; i++)
		if (!strcmp(gmgr_policies[i]->name, name))
			return gmgr_policies[i];
	return NULL;
}

static const struct mcomp_region_ops *region(const char *name)
{
	unsigned int i;

	for (i = 0; i < MCOMP_NR_POLICIES; i++)
		if (!strcmp(mcomp_policies[i]->name, name))
			return mcomp_policies[i];
	return NULL;
}

static void test_place_free(void)
{
	struct gmgr_place_cand cand[] = {
		{ .id = 1, .total = 64 * MIB, .used = 32 * MIB },
		{ .id = 2, .total = 1024 * MIB, .used = 256 * MIB },
		{ .id = 3, .total = 64 * MIB, .used = 16 * MIB },
	};
	struct gmgr_place_view view = { .cand = cand, .nr = 3 };
	const struct gmgr_place_ops *ops = place("free");

	is(ops->pick(&view), 1, "free: of equally used ones the larger");
	cand[1].used = 512 * MIB;
	is(ops->pick(&view), 2, "free: the least used fraction");
	cand[2].total = 0;
	cand[2].used = 0;
	is(ops->pick(&view), 1, "free: one that offers nothing is full");
	cand[1].used = 2048 * MIB;
	is(ops->pick(&view), 0, "free: more used than there is");
	view.nr = 1;
	is(ops->pick(&view), 0, "free: the only one");
}

static void test_place_rr(void)
{
	struct gmgr_place_cand cand[] = {
		{ .id = 1, .total = 64 * MIB },
		{ .id = 2, .total = 64 * MIB, .used = 64 * MIB },
		{ .id = 3, .total = 64 * MIB },
	};
	struct gmgr_place_view view = { .cand = cand, .nr = 3 };
	const struct gmgr_place_ops *ops = place("rr");
	static const long want[] = { 0, 2, 2, 0, 2, 2 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		view.turn = i;
		is(ops->pick(&view), want[i], "rr: next that is not full");
	}
	cand[0].used = 64 * MIB;
	cand[2].used = 64 * MIB;
	view.turn = 4;
	is(ops->pick(&view), 1, "rr: all full");
}

static void test_region(void)
{
	struct mcomp_region_cand cand[] = {
		{ .id = 1, .total = 64 * MIB, .used = 8 * MIB, .home = 1 },
		{ .id = 2, .total = 64 * MIB },
		{ .id = 3, .total = 64 * MIB, .used = 63 * MIB },
	};
	const struct mcomp_region_ops *spread = region("spread");
	const struct mcomp_region_ops *home = region("home");

	is(spread->pick(cand, 3), 1, "spread: at first the one most free");
	is(home->pick(cand, 3), 0, "home: the home");
	cand[1].nr_vregions = 1;
	is(spread->pick(cand, 3), 1, "spread: a vRegion may be of little use");
	cand[1].nr_vregions = 3;
	is(spread->pick(cand, 3), 0, "spread: then one with fewer");
	cand[0].used = 64 * MIB;
	is(spread->pick(cand, 3), 1, "spread: a full one is passed by");
	is(home->pick(cand, 3), 1, "home: a full home is passed by");
	cand[1].tried = 1;
	is(spread->pick(cand, 3), 2, "spread: all but full: most free");
	cand[0].tried = 1;
	cand[2].tried = 1;
	is(spread->pick(cand, 3), -1, "spread: nobody left");
	is(home->pick(cand, 3), -1, "home: nobody left");
}

/* Programs that have a small vRegion first and a large one then. */
static void test_alike(void)
{
	struct gmgr_place_cand homes[2] = {
		{ .id = 1, .total = 256 * MIB },
		{ .id = 2, .total = 256 * MIB },
	};
	struct gmgr_place_view view = { .cand = homes, .nr = 2 };
	unsigned int i, k, large, least;

	for (i = 0; i < 8; i++) {
		struct mcomp_region_cand cand[2] = {};
		unsigned int home = place("free")->pick(&view);

		for (k = 0; k < 2; k++) {
			cand[k].total = homes[k].total;
			cand[k].used = homes[k].used;
			cand[k].home = k == home;
		}
		cand[home].nr_vregions = 1;
		large = region("spread")->pick(cand, 2);
		homes[home].used += MIB / 4;
		homes[large].used += 14 * MIB;
	}
	least = homes[0].used < homes[1].used ? 0 : 1;
	is(homes[least].used > homes[!least].used / 2, 1,
	   "spread: programs that are alike use all mComponents");
}

int main(void)
{
	test_place_free();
	test_place_rr();
	test_region();
	test_alike();
	return tap_end();
}
