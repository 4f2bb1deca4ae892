// SPDX-License-Identifier: GPL-2.0
/*
 * Page map, radix: an xarray of frame numbers. Dense ranges cost 8 bytes a
 * page; ranges are removed without looking at what is not there.
 */
#include <linux/gfp.h>
#include <linux/sched.h>

#include "pagemap.h"

static int radix_init(struct mcomp_pagemap *map)
{
	xa_init(&map->xa);
	return 0;
}

static void radix_exit(struct mcomp_pagemap *map)
{
	xa_destroy(&map->xa);
}

static s64 radix_lookup(struct mcomp_pagemap *map, u64 index)
{
	void *entry = xa_load(&map->xa, index);

	return entry ? (s64)xa_to_value(entry) : -1;
}

static int radix_store(struct mcomp_pagemap *map, u64 index, u32 frame,
		       s64 *old)
{
	void *entry;

	entry = xa_store(&map->xa, index, xa_mk_value(frame), GFP_KERNEL);
	if (xa_is_err(entry))
		return xa_err(entry);
	*old = entry ? (s64)xa_to_value(entry) : -1;
	if (!entry)
		atomic64_inc(&map->nr);
	return 0;
}

static int radix_erase(struct mcomp_pagemap *map, struct mcomp_cursor *at,
		       u64 last, mcomp_erase_fn fn, void *arg)
{
	unsigned int n = MCOMP_GO_PAGES;
	unsigned long index = at->next;
	void *entry;

	xa_for_each_range(&map->xa, index, entry, at->next, last) {
		if (!n--)
			break;
		xa_erase(&map->xa, index);
		atomic64_dec(&map->nr);
		fn(arg, xa_to_value(entry));
		cond_resched();
	}
	at->next = index;
	return !!entry;
}

static int radix_walk(struct mcomp_pagemap *map, struct mcomp_cursor *at,
		      mcomp_walk_fn fn, void *arg)
{
	unsigned int n = MCOMP_GO_PAGES;
	unsigned long index;
	void *entry;
	int err;

	xa_for_each_start(&map->xa, index, entry, at->next) {
		if (!n--)
			break;
		err = fn(arg, index, xa_to_value(entry));
		if (err) {
			at->next = index;
			return err;
		}
		cond_resched();
	}
	at->next = index;
	return !!entry;
}

const struct mcomp_pagemap_ops mcomp_pagemap_radix = {
	.name = "radix",
	.init = radix_init,
	.exit = radix_exit,
	.lookup = radix_lookup,
	.store = radix_store,
	.erase = radix_erase,
	.walk = radix_walk,
};
