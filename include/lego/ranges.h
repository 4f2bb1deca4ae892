/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges of pages in maple trees, as pComponents and mComponents both keep them
 * of address spaces.
 */
#ifndef _LEGO_RANGES_H
#define _LEGO_RANGES_H

#include <linux/maple_tree.h>
#include <linux/rcupdate.h>

/*
 * MT_FLAGS_ALLOC_RANGE, though nothing here looks for gaps: nodes without it
 * keep their metadata in the last slot, where 6.1's mt_free_walk() (RCU) takes
 * it for a child of an inner node with 15 children.
 */
#define LEGO_RANGES_FLAGS MT_FLAGS_ALLOC_RANGE
#define LEGO_RANGES_FLAGS_RCU (MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU)

/**
 * lego_ranges_store() - store a value, as one entry with equal neighbours
 * @mt: tree of values
 * @first: first index
 * @last: last index
 * @value: not NULL
 * @gfp: for nodes
 *
 * A maple tree does not merge entries; a heap that grows page by page would have
 * one for each.
 *
 * Context: the caller lets nobody else change the tree meanwhile.
 * Return: 0, or mtree_store_range()'s error.
 */
static inline int lego_ranges_store(struct maple_tree *mt, unsigned long first,
				    unsigned long last, void *value, gfp_t gfp)
{
	MA_STATE(left, mt, first - 1, first - 1);
	MA_STATE(right, mt, last + 1, last + 1);

	rcu_read_lock();
	if (first && mas_walk(&left) == value)
		first = left.index;
	if (last != ULONG_MAX && mas_walk(&right) == value)
		last = right.last;
	rcu_read_unlock();
	return mtree_store_range(mt, first, last, value, gfp);
}

#endif /* _LEGO_RANGES_H */
