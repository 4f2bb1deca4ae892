/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page maps: page index of a space -> frame. Two schemes, chosen at load
 * (OSDI'18, 4.4.2: the memory component is free to choose its own).
 */
#ifndef _MCOMP_PAGEMAP_H
#define _MCOMP_PAGEMAP_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rhashtable.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct mcomp_pagemap;

typedef void (*mcomp_erase_fn)(void *arg, u32 frame);
typedef int (*mcomp_walk_fn)(void *arg, u64 index, u32 frame);

/**
 * struct mcomp_pagemap_ops - a mapping scheme
 * @name: for the parameter and sysfs
 * @init: make an empty map; process context
 * @exit: free what is left; an RCU grace period after the last reader
 * @lookup: the frame of an index, or -1; under RCU, any context
 * @store: set the frame of an index, *@old is the one before or -1; process
 *	context; several at a time, but of different indices. 0, or for the
 *	moment -EBUSY, -ENOMEM
 * @erase: remove all of [first, last], telling @fn of each; process context,
 *	the only writer
 * @walk: tell @fn of each, in any order, until it returns not 0, which is then
 *	returned; process context, no writer meanwhile; @fn may sleep
 */
struct mcomp_pagemap_ops {
	const char *name;
	int (*init)(struct mcomp_pagemap *map);
	void (*exit)(struct mcomp_pagemap *map);
	s64 (*lookup)(struct mcomp_pagemap *map, u64 index);
	int (*store)(struct mcomp_pagemap *map, u64 index, u32 frame,
		     s64 *old);
	void (*erase)(struct mcomp_pagemap *map, u64 first, u64 last,
		      mcomp_erase_fn fn, void *arg);
	int (*walk)(struct mcomp_pagemap *map, mcomp_walk_fn fn, void *arg);
};

/**
 * struct mcomp_pagemap - one shard's map
 * @ops: scheme
 * @nr: pages in it
 * @xa: radix: indices to xa_mk_value(frame)
 * @ht: hash: struct hash_entry by index
 * @lock: hash: protects @all
 * @all: hash: all entries
 */
struct mcomp_pagemap {
	const struct mcomp_pagemap_ops *ops;
	atomic64_t nr;
	union {
		struct xarray xa;
		struct {
			struct rhashtable ht;
			spinlock_t lock; /* see above */
			struct list_head all;
		};
	};
};

extern const struct mcomp_pagemap_ops mcomp_pagemap_radix;
extern const struct mcomp_pagemap_ops mcomp_pagemap_hash;

const struct mcomp_pagemap_ops *mcomp_pagemap_find(const char *name);
int mcomp_pagemap_init(struct mcomp_pagemap *map,
		       const struct mcomp_pagemap_ops *ops);

#endif /* _MCOMP_PAGEMAP_H */
