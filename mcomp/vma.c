// SPDX-License-Identifier: GPL-2.0
/*
 * The fine-grained map of a shard: which pages exist, and how they may be used.
 * A maple tree of ranges of page indices; each owner gets all changes of the
 * space, and has frames only of its own vRegions.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <lego/ranges.h>

#include "mcomp.h"

/**
 * mcomp_vma_init() - no VMA
 * @s: new space
 */
void mcomp_vma_init(struct mcomp_space *s)
{
	mt_init_flags(&s->vmas, LEGO_RANGES_FLAGS);
}

/**
 * mcomp_vma_exit() - forget all VMAs
 * @s: space, @sem held for writing
 */
void mcomp_vma_exit(struct mcomp_space *s)
{
	lockdep_assert_held_write(&s->sem);
	if (s->erasing)
		mcomp_cursor_leave(&s->map, &s->erase_at);
	s->erasing = false;
	mtree_destroy(&s->vmas);
}

/**
 * mcomp_frame_drop() - the mcomp_erase_fn that puts frames
 * @space: the space
 * @frame: frame that has left its map
 */
void mcomp_frame_drop(void *space, u32 frame)
{
	struct mcomp_space *s = space;

	mcomp_frame_put(s->m->pool, frame);
}

/*
 * The first range in [*first, last], clipped to it; false if there is none.
 * The caller has @sem, in either way.
 */
static bool range_next(struct mcomp_space *s, u64 *first, u64 last, u64 *end,
		       void **prot)
{
	MA_STATE(mas, &s->vmas, *first, *first);

	rcu_read_lock();
	*prot = mas_find(&mas, last);
	rcu_read_unlock();
	if (!*prot)
		return false;
	*first = max_t(u64, *first, mas.index);
	*end = min_t(u64, last, mas.last);
	return true;
}

static int range_store(struct mcomp_space *s, u64 first, u64 last, void *prot)
{
	lockdep_assert_held_write(&s->sem);
	if (prot)
		return lego_ranges_store(&s->vmas, first, last, prot,
					 GFP_KERNEL);
	return mtree_store_range(&s->vmas, first, last, NULL, GFP_KERNEL);
}

/* Give what exists in [first, last] another value, NULL for none. */
static int range_change(struct mcomp_space *s, u64 first, u64 last, void *prot)
{
	void *old;
	u64 end;
	int err;

	lockdep_assert_held_write(&s->sem);
	for (; first <= last && range_next(s, &first, last, &end, &old);
	     first = end + 1) {
		if (old == prot)
			continue;
		err = range_store(s, first, end, prot);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/*
 * Free what is in a range, in pieces: @sem is let go between them. Return: 0;
 * -EBUSY: the time is over, the next one goes on where this stopped.
 */
static int vma_discard(struct mcomp_space *s, u64 first, u64 last,
		       unsigned long end)
{
	lockdep_assert_held_write(&s->sem);
	if (!s->erasing)
		mcomp_cursor_init(&s->erase_at, first);
	s->erasing = true;
	while (s->map.ops->erase(&s->map, &s->erase_at, last, mcomp_frame_drop,
				 s)) {
		if (time_after(jiffies, end))
			return -EBUSY;
		up_write(&s->sem);
		cond_resched();
		down_write(&s->sem);
		if (s->dead) /* mcomp_vma_exit() has ended it */
			return -ESTALE;
	}
	s->erasing = false;
	return 0;
}

static int vma_check(const struct mcomp_vma_op *op)
{
	u64 start = le64_to_cpu(op->start), len = le64_to_cpu(op->len);

	if (!len || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(len))
		return -EINVAL;
	if (start >= MCOMP_ADDR_MAX || len > MCOMP_ADDR_MAX - start)
		return -EINVAL;
	return 0;
}

static int vma_apply(struct mcomp_space *s, const struct mcomp_vma_op *op,
		     unsigned long end)
{
	u64 first = le64_to_cpu(op->start) >> PAGE_SHIFT;
	u64 last = first + (le64_to_cpu(op->len) >> PAGE_SHIFT) - 1;
	void *prot = xa_mk_value(le32_to_cpu(op->prot));
	int err;

	switch (le32_to_cpu(op->kind)) {
	case MCOMP_VMA_MAP:
		/* A VMA that grows is mapped again: its frames stay. */
		return range_store(s, first, last, prot);
	case MCOMP_VMA_UNMAP:
		err = range_change(s, first, last, NULL);
		if (err)
			return err;
		return vma_discard(s, first, last, end);
	case MCOMP_VMA_PROTECT:
		return range_change(s, first, last, prot);
	case MCOMP_VMA_DISCARD:
		return vma_discard(s, first, last, end);
	default:
		return -EINVAL;
	}
}

/**
 * mcomp_vma_update() - do a list of changes, once
 * @s: space
 * @req: from the wire, of the right length
 *
 * After an error the list may be done in part, and may be sent again: then it
 * goes on where it stopped.
 * Context: process, may sleep; about MCOMP_WORK_MS at most.
 * Return: 0, also for what was done before; -EBUSY (one before it has not come
 *	yet, or it is still at work, or there is more to do), -EINVAL, -ESTALE
 *	(space has ended), -ENOMEM.
 */
int mcomp_vma_update(struct mcomp_space *s, const struct mcomp_vma_req *req)
{
	unsigned long end = jiffies + msecs_to_jiffies(MCOMP_WORK_MS);
	u64 seq = le64_to_cpu(req->seq);
	u32 i, nr = le32_to_cpu(req->nr);
	int err;

	for (i = 0; i < nr; i++) {
		err = vma_check(&req->op[i]);
		if (err)
			return err;
	}
	/* The one before was not answered in time, and is still at work. */
	if (!mutex_trylock(&s->update_lock))
		return -EBUSY;
	down_write(&s->sem);
	err = -ESTALE;
	if (s->dead)
		goto out_unlock;
	err = 0;
	if (seq <= s->seq)
		goto out_unlock;
	err = -EBUSY;
	if (seq != s->seq + 1)
		goto out_unlock;
	for (; s->nr_applied < nr; s->nr_applied++) {
		err = vma_apply(s, &req->op[s->nr_applied], end);
		if (err)
			goto out_unlock;
	}
	err = 0;
	s->nr_applied = 0;
	s->seq = seq;
out_unlock:
	up_write(&s->sem);
	mutex_unlock(&s->update_lock);
	return err;
}

/**
 * mcomp_vma_covers() - is a page inside a VMA?
 * @s: space, @sem held
 * @index: page
 *
 * Return: whether.
 */
bool mcomp_vma_covers(struct mcomp_space *s, u64 index)
{
	return index < MCOMP_INDEX_MAX && mtree_load(&s->vmas, index);
}

/**
 * mcomp_vma_copy() - give a child its parent's VMAs
 * @to: child, not findable yet
 * @from: parent, @sem held
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM.
 */
int mcomp_vma_copy(struct mcomp_space *to, struct mcomp_space *from)
{
	u64 first = 0, end;
	void *prot;
	int err;

	for (; range_next(from, &first, MCOMP_INDEX_MAX - 1, &end, &prot);
	     first = end + 1) {
		err = mtree_store_range(&to->vmas, first, end, prot,
					GFP_KERNEL);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * mcomp_vma_count() - how many ranges there are
 * @s: space
 *
 * Context: process, may sleep.
 * Return: how many.
 */
unsigned int mcomp_vma_count(struct mcomp_space *s)
{
	u64 first = 0, end;
	unsigned int n = 0;
	void *prot;

	down_read(&s->sem);
	for (; range_next(s, &first, MCOMP_INDEX_MAX - 1, &end, &prot);
	     first = end + 1) {
		n++;
		cond_resched();
	}
	up_read(&s->sem);
	return n;
}
