// SPDX-License-Identifier: GPL-2.0
/*
 * Page map, hash: one entry a page in a table that grows. One memory access
 * finds a page however sparse the space is.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "pagemap.h"

/**
 * struct hash_entry - one page
 * @node: in mcomp_pagemap.ht
 * @in: in mcomp_pagemap.all, with the key
 * @rcu: frees it behind readers
 * @frame: value; changes while readers look
 */
struct hash_entry {
	struct rhash_head node;
	struct mcomp_mapped in;
	struct rcu_head rcu;
	u32 frame;
};

static const struct rhashtable_params hash_params = {
	.head_offset = offsetof(struct hash_entry, node),
	.key_offset = offsetof(struct hash_entry, in.index),
	.key_len = sizeof(u64),
	.automatic_shrinking = true,
};

static int hash_init(struct mcomp_pagemap *map)
{
	spin_lock_init(&map->lock);
	INIT_LIST_HEAD(&map->all);
	return rhashtable_init(&map->ht, &hash_params);
}

static void hash_exit(struct mcomp_pagemap *map)
{
	struct hash_entry *e, *next;

	rhashtable_destroy(&map->ht);
	list_for_each_entry_safe(e, next, &map->all, in.list) {
		kfree(e);
		cond_resched();
	}
}

static s64 hash_lookup(struct mcomp_pagemap *map, u64 index)
{
	struct hash_entry *e;
	s64 frame = -1;

	rcu_read_lock();
	e = rhashtable_lookup(&map->ht, &index, hash_params);
	if (e)
		frame = READ_ONCE(e->frame);
	rcu_read_unlock();
	return frame;
}

static int hash_insert(struct mcomp_pagemap *map, u64 index, u32 frame)
{
	struct hash_entry *e;
	int err;

	e = kmalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	e->in.index = index;
	e->frame = frame;
	spin_lock(&map->lock);
	list_add(&e->in.list, &map->all);
	spin_unlock(&map->lock);
	err = rhashtable_lookup_insert_fast(&map->ht, &e->node, hash_params);
	if (err) {
		spin_lock(&map->lock);
		list_del(&e->in.list);
		spin_unlock(&map->lock);
		kfree(e);
		return err;
	}
	atomic64_inc(&map->nr);
	return 0;
}

static int hash_store(struct mcomp_pagemap *map, u64 index, u32 frame,
		      s64 *old)
{
	struct hash_entry *e;
	int err;

	/*
	 * Entries go only in erase(), which is alone: they stay while we work.
	 * -EEXIST is a peer that writes one page twice at a time.
	 */
	do {
		rcu_read_lock();
		e = rhashtable_lookup(&map->ht, &index, hash_params);
		rcu_read_unlock();
		if (e) {
			*old = xchg(&e->frame, frame);
			return 0;
		}
		*old = -1;
		err = hash_insert(map, index, frame);
	} while (err == -EEXIST);
	/* The table is being resized, or shall be: not for long. */
	return err == -E2BIG ? -EBUSY : err;
}

static void hash_del(struct mcomp_pagemap *map, struct hash_entry *e,
		     mcomp_erase_fn fn, void *arg)
{
	rhashtable_remove_fast(&map->ht, &e->node, hash_params);
	list_del(&e->in.list);
	atomic64_dec(&map->nr);
	fn(arg, e->frame);
	kfree_rcu(e, rcu);
}

/* Look each index up. */
static int erase_by_index(struct mcomp_pagemap *map, struct mcomp_cursor *at,
			  u64 last, mcomp_erase_fn fn, void *arg)
{
	unsigned int n = MCOMP_GO_PAGES;
	struct hash_entry *e;

	for (; at->next <= last && n; at->next++, n--) {
		rcu_read_lock();
		e = rhashtable_lookup(&map->ht, &at->next, hash_params);
		rcu_read_unlock();
		if (e)
			hash_del(map, e, fn, arg);
		cond_resched();
	}
	return at->next <= last;
}

/* The next entry to look at, or NULL; the mark is put behind it. */
static struct hash_entry *cursor_next(struct mcomp_pagemap *map,
				      struct mcomp_cursor *at)
{
	struct mcomp_mapped *in = &at->mark;

	if (list_empty(&at->mark.list))
		list_add(&at->mark.list, &map->all);
	list_for_each_entry_continue(in, &map->all, list) {
		if (in->index == MCOMP_MARK)
			continue;
		list_move(&at->mark.list, &in->list);
		return container_of(in, struct hash_entry, in);
	}
	list_del_init(&at->mark.list);
	return NULL;
}

static int hash_erase(struct mcomp_pagemap *map, struct mcomp_cursor *at,
		      u64 last, mcomp_erase_fn fn, void *arg)
{
	unsigned int n = MCOMP_GO_PAGES;
	struct hash_entry *e;

	/* Look each index up, or look each page through: what is less. */
	if (list_empty(&at->mark.list) &&
	    last - at->next < atomic64_read(&map->nr))
		return erase_by_index(map, at, last, fn, arg);
	while (n--) {
		e = cursor_next(map, at);
		if (!e)
			return 0;
		if (e->in.index >= at->next && e->in.index <= last)
			hash_del(map, e, fn, arg);
		cond_resched();
	}
	return 1;
}

static int hash_walk(struct mcomp_pagemap *map, struct mcomp_cursor *at,
		     mcomp_walk_fn fn, void *arg)
{
	unsigned int n = MCOMP_GO_PAGES;
	struct hash_entry *e;
	int err;

	while (n--) {
		e = cursor_next(map, at);
		if (!e)
			return 0;
		err = fn(arg, e->in.index, e->frame);
		if (err) {
			list_move_tail(&at->mark.list, &e->in.list);
			return err;
		}
		cond_resched();
	}
	return 1;
}

static void hash_leave(struct mcomp_cursor *at)
{
	list_del_init(&at->mark.list);
}

const struct mcomp_pagemap_ops mcomp_pagemap_hash = {
	.name = "hash",
	.init = hash_init,
	.exit = hash_exit,
	.lookup = hash_lookup,
	.store = hash_store,
	.erase = hash_erase,
	.walk = hash_walk,
	.leave = hash_leave,
};
