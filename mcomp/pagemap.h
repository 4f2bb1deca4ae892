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

/*
 * Pages looked at in one go, with the space's lock held: about 0.1 ms, so that
 * who waits for it does not notice how large the space is.
 */
#define MCOMP_GO_PAGES 1024

/**
 * struct mcomp_mapped - what is in the list of a hash map
 * @list: in mcomp_pagemap.all
 * @index: the page, or MCOMP_MARK
 */
struct mcomp_mapped {
	struct list_head list;
	u64 index;
};

#define MCOMP_MARK U64_MAX

/**
 * struct mcomp_cursor - how far somebody has come in a map
 * @next: the next index to look at
 * @mark: hash: behind what was looked at, or on no list
 *
 * It stays right while the map changes. What is put in behind it may be missed.
 */
struct mcomp_cursor {
	u64 next;
	struct mcomp_mapped mark;
};

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
 * @erase: remove what is between the cursor and @last, telling @fn of each;
 *	process context, the only writer. Looks at MCOMP_GO_PAGES: 1: to be
 *	called again, 0: done
 * @walk: tell @fn of each, in any order, until it returns not 0, which is then
 *	returned, and to be told of that one again; process context, no writer
 *	meanwhile; @fn may sleep. Else as @erase
 * @leave: end with a cursor before 0 is returned; as @erase. NULL: nothing to do
 */
struct mcomp_pagemap_ops {
	const char *name;
	int (*init)(struct mcomp_pagemap *map);
	void (*exit)(struct mcomp_pagemap *map);
	s64 (*lookup)(struct mcomp_pagemap *map, u64 index);
	int (*store)(struct mcomp_pagemap *map, u64 index, u32 frame,
		     s64 *old);
	int (*erase)(struct mcomp_pagemap *map, struct mcomp_cursor *at,
		     u64 last, mcomp_erase_fn fn, void *arg);
	int (*walk)(struct mcomp_pagemap *map, struct mcomp_cursor *at,
		    mcomp_walk_fn fn, void *arg);
	void (*leave)(struct mcomp_cursor *at);
};

/**
 * struct mcomp_pagemap - one shard's map
 * @ops: scheme
 * @nr: pages in it
 * @xa: radix: indices to xa_mk_value(frame)
 * @ht: hash: struct hash_entry by index
 * @lock: hash: protects @all
 * @all: hash: struct mcomp_mapped, all entries, and marks
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

static inline void mcomp_cursor_init(struct mcomp_cursor *at, u64 first)
{
	at->next = first;
	at->mark.index = MCOMP_MARK;
	INIT_LIST_HEAD(&at->mark.list);
}

static inline void mcomp_cursor_leave(struct mcomp_pagemap *map,
				      struct mcomp_cursor *at)
{
	if (map->ops->leave)
		map->ops->leave(at);
}

const struct mcomp_pagemap_ops *mcomp_pagemap_find(const char *name);
int mcomp_pagemap_init(struct mcomp_pagemap *map,
		       const struct mcomp_pagemap_ops *ops);

#endif /* _MCOMP_PAGEMAP_H */
