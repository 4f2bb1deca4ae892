// SPDX-License-Identifier: GPL-2.0
/*
 * The pool: reserved at load in large pieces, handed out in frames. Frames are
 * never changed while anybody can see them: a write-back fills fresh ones and
 * then swaps them in. So a fetch needs no lock but a reference, and
 * copy-on-write after a fork costs nothing more.
 *
 * memory_failure() does not know these pages: it marks a frame whose memory has
 * failed (PageHWPoison), and does no more. Such a frame leaves the pool when it
 * gets free; who asks for what is in it hears that it is lost.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pool.h"

#define POOL_ORDER 9

/* What is kept of each frame, here and by lite_rpc: its page and bus address. */
#define FRAME_COST (sizeof(struct page *) + sizeof(refcount_t) + \
		    sizeof(u32) + sizeof(struct page *) + sizeof(u64))

/* What the kernel keeps for itself, in pages, beyond what it says it needs. */
static unsigned long pool_margin(void)
{
	return min(totalram_pages() / 16, 128UL << (20 - PAGE_SHIFT));
}

static int pool_check_size(const char *name, long mem_mb)
{
	long avail = si_mem_available() - pool_margin();

	if (avail < 0)
		avail = 0;
	avail = avail * PAGE_SIZE / (PAGE_SIZE + FRAME_COST);
	if (mem_mb <= 0) {
		pr_err("%s: mem_mb=%ld: give the MiB of memory to serve, at least 1\n",
		       name, mem_mb);
		return -EINVAL;
	}
	if (mem_mb > avail >> (20 - PAGE_SHIFT) ||
	    mem_mb > U32_MAX >> (20 - PAGE_SHIFT)) {
		pr_err("%s: mem_mb=%ld is too much: this machine can spare %ld MiB\n",
		       name, mem_mb, avail >> (20 - PAGE_SHIFT));
		return -ENOMEM;
	}
	return 0;
}

static void pool_free_pages(struct mcomp_pool *pool, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		struct page *page = pool->pages[i];

		set_page_private(page, 0);
		page->index = 0;
		__free_page(page);
		if (!(i % 1024))
			cond_resched();
	}
}

static int pool_alloc_pages(struct mcomp_pool *pool)
{
	unsigned int order = POOL_ORDER, i;
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	struct page *page;
	u32 n = 0;

	while (n < pool->nr) {
		while (order && pool->nr - n < 1U << order)
			order--;
		/* Large pieces if there are any, but do not compact for them */
		page = alloc_pages(order ? gfp | __GFP_NORETRY :
					   gfp | __GFP_RETRY_MAYFAIL, order);
		if (!page) {
			if (!order--)
				goto err_free;
			continue;
		}
		split_page(page, order);
		for (i = 0; i < 1U << order; i++, n++) {
			set_page_private(page + i, (unsigned long)pool);
			page[i].index = n;
			pool->pages[n] = page + i;
		}
		cond_resched();
	}
	return 0;

err_free:
	pool_free_pages(pool, n);
	return -ENOMEM;
}

/**
 * mcomp_pool_create() - reserve memory
 * @name: for messages
 * @mem_mb: MiB
 *
 * Context: process, may sleep.
 * Return: the pool, or ERR_PTR: -EINVAL (not positive), -ENOMEM (more than the
 *	machine can spare); the reason is logged.
 */
struct mcomp_pool *mcomp_pool_create(const char *name, long mem_mb)
{
	struct mcomp_pool *pool;
	int err;
	u32 i;

	err = pool_check_size(name, mem_mb);
	if (err)
		return ERR_PTR(err);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&pool->lock);
	pool->nr = mem_mb << (20 - PAGE_SHIFT);
	/* At least what one request may want. */
	pool->budget.reserve = clamp(pool->nr / 64, 16U, 256U);

	/* Of a terabyte they are more than kvmalloc() gives (2 GiB). */
	err = -ENOMEM;
	pool->pages = vcalloc(pool->nr, sizeof(*pool->pages));
	pool->refs = vcalloc(pool->nr, sizeof(*pool->refs));
	pool->stack = vcalloc(pool->nr, sizeof(*pool->stack));
	if (!pool->pages || !pool->refs || !pool->stack)
		goto err_free;
	err = pool_alloc_pages(pool);
	if (err)
		goto err_free;

	for (i = 0; i < pool->nr; i++) {
		pool->stack[i] = pool->nr - 1 - i;
		if (!(i % (1U << 20)))
			cond_resched();
	}
	pool->budget.nr_free = pool->nr;
	return pool;

err_free:
	pr_err("%s: mem_mb=%ld: out of memory\n", name, mem_mb);
	vfree(pool->stack);
	vfree(pool->refs);
	vfree(pool->pages);
	kfree(pool);
	return ERR_PTR(err);
}

/**
 * mcomp_pool_destroy() - give the memory back
 * @pool: not registered any more, all frames free
 *
 * Context: process, may sleep.
 */
void mcomp_pool_destroy(struct mcomp_pool *pool)
{
	WARN_ON_ONCE(pool->budget.nr_free + pool->nr_failed != pool->nr ||
		     pool->budget.lent);
	pool_free_pages(pool, pool->nr);
	vfree(pool->stack);
	vfree(pool->refs);
	vfree(pool->pages);
	kfree(pool);
}

/**
 * mcomp_pool_total() - bytes that can be used
 * @pool: pool
 *
 * Context: any.
 */
u64 mcomp_pool_total(struct mcomp_pool *pool)
{
	return (u64)(pool->nr - READ_ONCE(pool->nr_failed)) << PAGE_SHIFT;
}

/**
 * mcomp_pool_used() - bytes of the frames in use; one that is shared counts once
 * @pool: pool
 *
 * Context: any.
 */
u64 mcomp_pool_used(struct mcomp_pool *pool)
{
	unsigned long flags;
	u32 nr;

	spin_lock_irqsave(&pool->lock, flags);
	nr = pool->nr - pool->nr_failed - pool->budget.nr_free;
	spin_unlock_irqrestore(&pool->lock, flags);
	return (u64)nr << PAGE_SHIFT;
}

/**
 * mcomp_pool_register() - make the frames known to a node's transport
 * @pool: pool
 * @node: whose pulls and pushes shall use them
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int mcomp_pool_register(struct mcomp_pool *pool, struct lite_node *node)
{
	struct lite_mr *mr;

	mr = lite_mr_create(node, pool->pages, pool->nr, LITE_MR_LOCAL);
	if (IS_ERR(mr))
		return PTR_ERR(mr);
	pool->mr = mr;
	return 0;
}

/**
 * mcomp_pool_unregister() - the contrary
 * @pool: pool; nothing is moving any more
 */
void mcomp_pool_unregister(struct mcomp_pool *pool)
{
	lite_mr_destroy(pool->mr);
	pool->mr = NULL;
}

static void frame_fail(struct mcomp_pool *pool, u32 frame)
{
	lockdep_assert_held(&pool->lock);
	WRITE_ONCE(pool->nr_failed, pool->nr_failed + 1);
	pr_err_ratelimited("the memory of frame %lx has failed, it is not used any more\n",
			   page_to_pfn(pool->pages[frame]));
}

/* The next @nr free frames shall be good ones. */
static void pool_sort_out(struct mcomp_pool *pool, unsigned int nr)
{
	struct mcomp_budget *b = &pool->budget;
	unsigned int good = 0;
	u32 at;

	while (good < nr && good < b->nr_free) {
		at = b->nr_free - 1 - good;
		if (likely(!mcomp_frame_has_failed(pool, pool->stack[at]))) {
			good++;
			continue;
		}
		frame_fail(pool, pool->stack[at]);
		b->nr_free--;
		pool->stack[at] = pool->stack[b->nr_free];
	}
}

/**
 * mcomp_frames_alloc() - take frames, all or none
 * @pool: pool
 * @frames: filled with their numbers; contents are undefined
 * @nr: how many
 * @nr_new: how many of these will not free another one: their pages have none,
 *	or share it
 *
 * Context: any.
 * Return: 0, each has one reference, mcomp_frames_settle() the others in the
 *	end; -ENOSPC (full), -EBUSY (others are about to free some).
 */
int mcomp_frames_alloc(struct mcomp_pool *pool, u32 *frames, unsigned int nr,
		       unsigned int nr_new)
{
	unsigned long flags;
	unsigned int i;
	int err;

	spin_lock_irqsave(&pool->lock, flags);
	pool_sort_out(pool, nr);
	err = mcomp_budget_take(&pool->budget, nr, nr_new);
	for (i = 0; i < nr && !err; i++)
		frames[i] = pool->stack[pool->budget.nr_free + i];
	spin_unlock_irqrestore(&pool->lock, flags);
	if (err)
		return err;
	for (i = 0; i < nr; i++)
		refcount_set(&pool->refs[frames[i]], 1);
	return 0;
}

/**
 * mcomp_frames_charge() - frames that were taken will free no other ones
 * @pool: pool
 * @nr: how many that were not among @nr_new of mcomp_frames_alloc()
 *
 * Context: any.
 * Return: 0; -EBUSY: not now.
 */
int mcomp_frames_charge(struct mcomp_pool *pool, unsigned int nr)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&pool->lock, flags);
	err = mcomp_budget_charge(&pool->budget, nr);
	spin_unlock_irqrestore(&pool->lock, flags);
	return err;
}

/**
 * mcomp_frames_settle() - frames are about to free others, or to be put
 * @pool: pool
 * @nr: how many of those that were to free another one
 *
 * Context: any.
 */
void mcomp_frames_settle(struct mcomp_pool *pool, unsigned int nr)
{
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	mcomp_budget_settle(&pool->budget, nr);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * mcomp_frame_is_shared() - would a frame stay in use without its map?
 * @pool: pool
 * @frame: its number; in a map that does not change meanwhile
 *
 * Context: any.
 * Return: true if a relative's map has it, too, or somebody is reading it.
 */
bool mcomp_frame_is_shared(struct mcomp_pool *pool, u32 frame)
{
	return refcount_read(&pool->refs[frame]) > 1;
}

/**
 * mcomp_frame_tryget() - refer to a frame found in a map without a lock
 * @pool: pool
 * @frame: its number; may have been freed, or be somebody else's by now: look
 *	into the map again afterwards
 *
 * Context: any.
 * Return: false if it is free.
 */
bool mcomp_frame_tryget(struct mcomp_pool *pool, u32 frame)
{
	if (!refcount_inc_not_zero(&pool->refs[frame]))
		return false;
	/* The caller's second look must not come first. */
	smp_mb__after_atomic();
	return true;
}

/**
 * mcomp_frame_get() - refer to a frame that is known to be in use
 * @pool: pool
 * @frame: its number
 *
 * Context: any.
 */
void mcomp_frame_get(struct mcomp_pool *pool, u32 frame)
{
	refcount_inc(&pool->refs[frame]);
}

/**
 * mcomp_frame_put() - drop a reference; the last frees the frame
 * @pool: pool
 * @frame: its number
 *
 * Context: any.
 */
void mcomp_frame_put(struct mcomp_pool *pool, u32 frame)
{
	unsigned long flags;

	if (!refcount_dec_and_test(&pool->refs[frame]))
		return;
	spin_lock_irqsave(&pool->lock, flags);
	if (mcomp_frame_has_failed(pool, frame))
		frame_fail(pool, frame);
	else
		pool->stack[pool->budget.nr_free++] = frame;
	spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * mcomp_frame_release() - mcomp_frame_put() for lite_req_reply_release()
 * @page: the frame's page
 *
 * Context: any.
 */
void mcomp_frame_release(void *page)
{
	struct page *p = page;

	mcomp_frame_put((struct mcomp_pool *)page_private(p), p->index);
}
