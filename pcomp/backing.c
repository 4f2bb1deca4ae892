// SPDX-License-Identifier: GPL-2.0
/*
 * Private file mappings: a page of one that was never written comes from its
 * file, at first touch. Which file is behind which page is kept in a maple tree
 * of the space, because mremap, munmap and fork cut it as they like.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include "pcomp.h"

/**
 * struct pcomp_backing - a mapped file
 * @file: the file
 * @shift: page of the file minus index, modulo 2^64
 * @pages: how many indices still point here. map_lock
 * @refs: one for all of @pages, one for each user of next()
 * @rcu: readers look it up without a lock
 */
struct pcomp_backing {
	struct file *file;
	pgoff_t shift;
	unsigned long pages;
	refcount_t refs;
	struct rcu_head rcu;
};

static struct pcomp_backing *backing_alloc(struct file *file, pgoff_t shift,
					   unsigned long pages, gfp_t gfp)
{
	struct pcomp_backing *b = kmalloc(sizeof(*b), gfp);

	if (!b)
		return NULL;
	b->file = get_file(file);
	b->shift = shift;
	b->pages = pages;
	refcount_set(&b->refs, 1);
	return b;
}

static void backing_put(struct pcomp_backing *b)
{
	if (refcount_dec_and_test(&b->refs)) {
		fput(b->file);
		kfree_rcu(b, rcu);
	}
}

static void backing_sub(struct pcomp_backing *b, unsigned long pages)
{
	b->pages -= pages;
	if (!b->pages)
		backing_put(b);
}

/**
 * pcomp_backing_alloc() - a file for pages that are to be mapped
 * @file: the file
 * @first: first index
 * @last: last index
 * @pgoff: page of the file at @first
 *
 * Return: for pcomp_backing_set() with the same indices, or for
 *	pcomp_backing_free(); NULL: no memory.
 */
struct pcomp_backing *pcomp_backing_alloc(struct file *file, pgoff_t first,
					  pgoff_t last, pgoff_t pgoff)
{
	return backing_alloc(file, pgoff - first, last - first + 1, GFP_KERNEL);
}

/**
 * pcomp_backing_free() - one that was not set
 * @b: from pcomp_backing_alloc(), or NULL
 */
void pcomp_backing_free(struct pcomp_backing *b)
{
	if (b)
		backing_put(b);
}

static int backing_add(struct pcomp_space *s, pgoff_t first, pgoff_t last,
		       struct file *file, pgoff_t pgoff, gfp_t gfp)
{
	struct pcomp_backing *b;
	int err;

	b = backing_alloc(file, pgoff - first, last - first + 1, gfp);
	if (!b)
		return -ENOMEM;
	err = mtree_store_range(&s->files, first, last, b, gfp);
	if (err)
		backing_put(b);
	return err;
}

/* The first backing in [*at, last], clipped to it, with a reference. */
static struct pcomp_backing *next(struct pcomp_space *s, pgoff_t *at,
				  pgoff_t last, pgoff_t *end)
{
	MA_STATE(mas, &s->files, *at, *at);
	struct pcomp_backing *b;

	rcu_read_lock();
	do {
		/* one that is just going away is taken for gone */
		b = mas_find(&mas, last);
	} while (b && !refcount_inc_not_zero(&b->refs));
	if (b) {
		*at = max_t(pgoff_t, *at, mas.index);
		*end = min_t(pgoff_t, last, mas.last);
	}
	rcu_read_unlock();
	return b;
}

/**
 * pcomp_backing_del() - pages come from no file any more
 * @s: the space; map_lock held, or nobody else left
 * @first: first index
 * @last: last index
 */
void pcomp_backing_del(struct pcomp_space *s, pgoff_t first, pgoff_t last)
{
	struct pcomp_backing *b;
	pgoff_t end;

	while ((b = next(s, &first, last, &end))) {
		/* needs memory only where it splits an entry */
		mtree_store_range(&s->files, first, end, NULL,
				  GFP_KERNEL | __GFP_NOFAIL);
		backing_sub(b, end - first + 1);
		backing_put(b);
		if (end == last)
			break;
		first = end + 1;
	}
}

/**
 * pcomp_backing_set() - pages come from another file, or from none
 * @s: the space; map_lock held, or the change is being finished
 * @first: first index
 * @last: last index
 * @b: from pcomp_backing_alloc(), or NULL. Is given up
 *
 * Can not fail: what was there before is no more.
 */
void pcomp_backing_set(struct pcomp_space *s, pgoff_t first, pgoff_t last,
		       struct pcomp_backing *b)
{
	pcomp_backing_del(s, first, last);
	if (b)
		mtree_store_range(&s->files, first, last, b,
				  GFP_KERNEL | __GFP_NOFAIL);
}

/**
 * pcomp_backing_any() - does any page come from a file?
 * @s: the space
 * @first: first index
 * @last: last index
 */
bool pcomp_backing_any(struct pcomp_space *s, pgoff_t first, pgoff_t last)
{
	return mt_find(&s->files, &first, last);
}

static int grow(struct pcomp_space *s, pgoff_t old, pgoff_t first,
		pgoff_t last, gfp_t gfp)
{
	pgoff_t at = old, end;
	struct pcomp_backing *b = next(s, &at, old, &end);
	int err;

	if (!b)
		return 0;
	err = backing_add(s, first, last, b->file, old + 1 + b->shift, gfp);
	backing_put(b);
	return err;
}

/**
 * pcomp_backing_grow() - a mapping gets longer, and shows more of its file
 * @s: the space; map_lock held
 * @old: its last index till now
 * @first: first new index, not always the next, and no backing there yet
 * @last: last new index
 *
 * Return: 0, also if there is no file, or -ENOMEM.
 */
int pcomp_backing_grow(struct pcomp_space *s, pgoff_t old, pgoff_t first,
		       pgoff_t last)
{
	return grow(s, old, first, last, GFP_KERNEL);
}

/**
 * pcomp_backing_move() - untouched pages keep their file at a new address
 * @s: the space; its change is being finished
 * @from: first index they have
 * @to: first index they get, where no backing stays
 * @nr: how many
 * @to_nr: how many there are then: more show more of the file
 *
 * Can not fail, as the mapping has moved. May be done again. The old ones stay
 * until pcomp_backing_del().
 */
void pcomp_backing_move(struct pcomp_space *s, pgoff_t from, pgoff_t to,
			pgoff_t nr, pgoff_t to_nr)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOFAIL;
	pgoff_t at = from, last = from + nr - 1, end;
	struct pcomp_backing *b;

	pcomp_backing_del(s, to, to + to_nr - 1);
	while ((b = next(s, &at, last, &end))) {
		backing_add(s, at - from + to, end - from + to, b->file,
			    at + b->shift, gfp);
		backing_put(b);
		if (end == last)
			break;
		at = end + 1;
	}
	if (to_nr > nr)
		grow(s, last, to + nr, to + to_nr - 1, gfp);
}

/**
 * pcomp_backing_fork() - a child has its parent's private file mappings
 * @parent: mmap_lock held for writing
 * @child: nobody else knows it yet
 *
 * Return: 0 or -ENOMEM.
 */
int pcomp_backing_fork(struct pcomp_space *parent, struct pcomp_space *child)
{
	pgoff_t at = 0, end;
	struct pcomp_backing *b;
	int err;

	while ((b = next(parent, &at, ULONG_MAX, &end))) {
		err = backing_add(child, at, end, b->file, at + b->shift,
				  GFP_KERNEL);
		backing_put(b);
		if (err)
			return err;
		if (end == ULONG_MAX)
			break;
		at = end + 1;
	}
	return 0;
}

/**
 * pcomp_backing_read() - fill a page from its file
 * @s: the space
 * @index: the page
 * @page: where to, locked
 *
 * Context: process, may sleep (reads the file).
 * Return: 0; -ENOENT: no file here; -EFAULT: past the file's end; -EIO, ...
 */
int pcomp_backing_read(struct pcomp_space *s, pgoff_t index, struct page *page)
{
	struct pcomp_backing *b;
	loff_t pos;
	ssize_t n;
	void *p;

	rcu_read_lock();
	b = mtree_load(&s->files, index);
	if (b && !refcount_inc_not_zero(&b->refs))
		b = NULL;
	rcu_read_unlock();
	if (!b)
		return -ENOENT;
	pos = (loff_t)(index + b->shift) << PAGE_SHIFT;
	p = kmap_local_page(page);
	n = kernel_read(b->file, p, PAGE_SIZE, &pos);
	if (n > 0)
		memset(p + n, 0, PAGE_SIZE - n);
	kunmap_local(p);
	backing_put(b);
	if (n > 0)
		return 0;
	return n ? n : -EFAULT;
}

/**
 * pcomp_backing_in() - is there a privately mapped file in a range?
 * @s: the space
 * @first: first page
 * @last: last page
 */
bool pcomp_backing_in(struct pcomp_space *s, pgoff_t first, pgoff_t last)
{
	unsigned long index = first;

	return mt_find(&s->files, &index, last);
}
