// SPDX-License-Identifier: GPL-2.0
/*
 * ExCache's frames: reserved at load, registered once, handed out from a free
 * list that evictors keep filled. After LegoOS's pcache, but fully associative:
 * the MMU is the lookup on a hit, so sets would only add conflicts.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "pcomp.h"

#define CHUNK_ORDER 9 /* 2 MiB: few keys, few TLB entries for the kernel */

static void free_frames(struct pcomp_cache *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		struct page *page = c->line[i].page;

		if (!page)
			continue;
		if (!(i % (1U << CHUNK_ORDER)))
			cond_resched();
		/* flags that the page allocator would complain of */
		folio_clear_dirty(page_folio(page));
		folio_clear_referenced(page_folio(page));
		folio_clear_active(page_folio(page));
		__free_page(page);
	}
}

/* Fill in frames [from, from + n) from one chunk; how many it gave. */
static unsigned int alloc_chunk(struct pcomp_cache *c, unsigned int from)
{
	unsigned int left = c->nr - from, order, i;
	struct page *page = NULL;

	for (order = CHUNK_ORDER;; order--) {
		if ((1U << order) <= left)
			page = alloc_pages(GFP_KERNEL | __GFP_NOWARN |
					   __GFP_NORETRY, order);
		if (page || !order)
			break;
	}
	if (!page)
		return 0;
	if (order)
		split_page(page, order);
	for (i = 0; i < 1U << order; i++)
		c->line[from + i].page = page + i;
	return 1U << order;
}

static int register_frames(struct pcomp *pc)
{
	struct pcomp_cache *c = &pc->cache;
	struct page **pages;
	unsigned int i;

	pages = vmalloc_array(c->nr, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < c->nr; i++)
		pages[i] = c->line[i].page;
	c->mr = lite_mr_create(pc->node, pages, c->nr,
			       LITE_MR_READ | LITE_MR_WRITE);
	vfree(pages);
	return PTR_ERR_OR_ZERO(c->mr);
}

/**
 * pcomp_cache_init() - reserve and register ExCache
 * @pc: component, its node exists
 * @mb: size in MiB, checked to be sensible
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or why the memory could not be registered.
 */
int pcomp_cache_init(struct pcomp *pc, unsigned long mb)
{
	struct pcomp_cache *c = &pc->cache;
	unsigned int i, n;
	int err;

	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->free);
	INIT_LIST_HEAD(&c->queue);
	init_waitqueue_head(&c->free_wait);
	init_waitqueue_head(&c->evict_wait);
	init_waitqueue_head(&c->wb_wait);
	c->policy = &pcomp_policy_fifo;
	c->nr = mb << (20 - PAGE_SHIFT);
	/* room for a few batches, but never most of a small cache */
	c->low = clamp_t(unsigned int, c->nr / 16, 8, 4 * PCOMP_BATCH);
	c->high = 2 * c->low;
	/* of 32 GiB they are more than kvmalloc() gives (2 GiB) */
	c->line = vcalloc(c->nr, sizeof(*c->line));
	if (!c->line)
		return -ENOMEM;
	for (i = 0; i < c->nr; i += n) {
		n = alloc_chunk(c, i);
		if (!n) {
			err = -ENOMEM;
			goto err_frames;
		}
	}
	for (i = 0; i < c->nr; i++) {
		struct pcomp_line *line = &c->line[i];

		line->pc = pc;
		line->frame = i;
		INIT_WORK(&line->work, pcomp_fetch_work);
		list_add_tail(&line->queue, &c->free);
		if (!(i % (1U << CHUNK_ORDER)))
			cond_resched();
	}
	c->nr_free = c->nr;
	err = register_frames(pc);
	if (err)
		goto err_frames;
	return 0;

err_frames:
	free_frames(c);
	vfree(c->line);
	c->line = NULL;
	return err;
}

/**
 * pcomp_cache_exit() - give ExCache back
 * @pc: component; no space of it is left, and its node is stopped
 */
void pcomp_cache_exit(struct pcomp *pc)
{
	struct pcomp_cache *c = &pc->cache;

	lite_mr_destroy(c->mr);
	free_frames(c);
	vfree(c->line);
	c->line = NULL;
}

/* Take a frame if there are more than @reserve. */
static struct pcomp_line *frame_take(struct pcomp_cache *c,
				     unsigned int reserve)
{
	struct pcomp_line *line;
	bool low;

	spin_lock(&c->lock);
	do {
		line = NULL;
		if (c->nr_free <= reserve)
			break;
		line = list_first_entry(&c->free, struct pcomp_line, queue);
		list_del_init(&line->queue);
		c->nr_free--;
	} while (unlikely(PageHWPoison(line->page)));
	low = c->nr_free < c->low;
	spin_unlock(&c->lock);
	if (low)
		wake_up(&c->evict_wait);
	return line;
}

static bool take_into(struct pcomp_space *s, pgoff_t index,
		      struct pcomp_line **line)
{
	struct pcomp_cache *c = &s->pc->cache;

	*line = frame_take(c, pcomp_wb_is_slow(s, index) ? c->low / 2 : 0);
	return *line;
}

/**
 * pcomp_frame_alloc() - a frame that holds nothing
 * @s: for a page of this space
 * @index: the page
 *
 * Waits for the evictors where there is none; killable. The last ones are not
 * for pages of an mComponent that does not take write-backs just now: others
 * live on these.
 * Context: process, may sleep, no page lock held.
 * Return: the line, or NULL when the task is being killed.
 */
struct pcomp_line *pcomp_frame_alloc(struct pcomp_space *s, pgoff_t index)
{
	struct pcomp_cache *c = &s->pc->cache;
	struct pcomp_line *line;

	line = frame_take(c, c->low / 2);
	if (likely(line))
		return line;
	if (take_into(s, index, &line))
		return line;
	pcomp_stat_inc(s->pc, PCOMP_STAT_STALL);
	/* a worker that moves lines can not be killed and simply waits */
	while (wait_event_killable_timeout(c->free_wait,
					   take_into(s, index, &line),
					   HZ / 10) == 0)
		;
	return line;
}

/**
 * pcomp_frame_spare() - a frame that nobody will miss
 * @pc: component
 *
 * Context: process. Return: its line, or NULL: evictors would have to work for it.
 */
struct pcomp_line *pcomp_frame_spare(struct pcomp *pc)
{
	return frame_take(&pc->cache, pc->cache.high);
}

/**
 * pcomp_frame_free() - a frame holds nothing any more
 * @pc: component
 * @line: its line, on no queue, without a space, with only the cache's reference
 *
 * A poisoned one is never used again (fault.c): it stays with the cache, on no
 * list, and the page allocator does not take it when the cache ends.
 */
void pcomp_frame_free(struct pcomp *pc, struct pcomp_line *line)
{
	struct pcomp_cache *c = &pc->cache;

	line->flags = 0;
	if (unlikely(PageHWPoison(line->page)))
		return;
	spin_lock(&c->lock);
	list_add(&line->queue, &c->free);
	c->nr_free++;
	spin_unlock(&c->lock);
	/* pairs with the barrier in wait_event()'s prepare_to_wait */
	if (wq_has_sleeper(&c->free_wait))
		wake_up(&c->free_wait);
}

/**
 * pcomp_queue_add() - hand a line to the replacement policy
 * @pc: component
 * @line: on no queue
 */
void pcomp_queue_add(struct pcomp *pc, struct pcomp_line *line)
{
	struct pcomp_cache *c = &pc->cache;
	bool low;

	spin_lock(&c->lock);
	if (list_empty(&line->queue))
		c->policy->add(&c->queue, line);
	low = c->nr_free < c->low;
	spin_unlock(&c->lock);
	/* evictors rest while the queue is empty, however few frames are free */
	if (low && wq_has_sleeper(&c->evict_wait))
		wake_up(&c->evict_wait);
}

/**
 * pcomp_queue_del() - take a line from the replacement policy
 * @pc: component
 * @line: on its queue, or on none; page lock held
 */
void pcomp_queue_del(struct pcomp *pc, struct pcomp_line *line)
{
	struct pcomp_cache *c = &pc->cache;

	spin_lock(&c->lock);
	list_del_init(&line->queue);
	spin_unlock(&c->lock);
}
