// SPDX-License-Identifier: GPL-2.0
/*
 * Evictors: threads that keep ExCache's free list filled, so that faulting
 * threads never evict (MAGE, Hermit). In batches: unmap with few TLB flushes,
 * drop what is clean, begin to write what is dirty (writeback.c). They wait for
 * no single mComponent: dirty lines of one that does not answer stay.
 *
 * For each line: clear its PTEs and wait for the flush, then look at the dirty
 * bit, then write, then reuse. Any other order loses a store.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sort.h>
#include "pcomp.h"

/*
 * Messages in flight, of a line each at worst: a batch more than what one
 * mComponent has before it is known not to answer (wb_peer.c).
 */
#define MESSAGES (3 * PCOMP_BATCH)

/**
 * struct pcomp_evictor - an evictor thread and what it works with
 * @pc: component
 * @task: the thread
 * @wb: room for what is in flight
 * @batch: lines being evicted
 */
struct pcomp_evictor {
	struct pcomp *pc;
	struct task_struct *task;
	struct pcomp_wb *wb;
	struct pcomp_line *batch[PCOMP_BATCH];
};

/* Take up to @max lines off the queue, each with its page lock. */
static unsigned int pick(struct pcomp *pc, struct pcomp_line **batch,
			 unsigned int max)
{
	struct pcomp_cache *c = &pc->cache;
	struct pcomp_line *line, *dead = NULL, *busy[PCOMP_BATCH];
	unsigned int n = 0, nbusy = 0, look = 2 * PCOMP_BATCH;

	spin_lock(&c->lock);
	while (n < max && look-- && nbusy < PCOMP_BATCH) {
		line = c->policy->pick(&c->queue);
		if (!line)
			break;
		if (!trylock_page(line->page)) {
			busy[nbusy++] = line;
			continue;
		}
		if (line->space) {
			batch[n++] = line;
			continue;
		}
		unlock_page(line->page);
		if (page_count(line->page) == 1) {
			dead = line;
			break;
		}
		busy[nbusy++] = line;
	}
	while (nbusy)
		c->policy->add(&c->queue, busy[--nbusy]);
	spin_unlock(&c->lock);
	if (dead)
		pcomp_frame_free(pc, dead);
	return n;
}

static int by_place(const void *a, const void *b)
{
	const struct pcomp_line *x = *(const struct pcomp_line **)a;
	const struct pcomp_line *y = *(const struct pcomp_line **)b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return 0;
}

/* Unmap the batch, a run of neighbours with one flush. */
static void unmap(struct pcomp_line **batch, unsigned int n)
{
	unsigned int i, j;

	for (i = 0; i < n; i = j) {
		struct pcomp_line *first = batch[i];

		for (j = i + 1; j < n; j++)
			if (batch[j]->space != first->space ||
			    batch[j]->index != first->index + (j - i))
				break;
		unmap_mapping_pages(first->space->file->f_mapping,
				    first->index, j - i, false);
	}
}

/*
 * A dirty line of the unmapped batch: mark it, to be written, or leave it in the
 * cache. Return: whether it is to be written.
 */
static bool take_dirty(struct pcomp *pc, struct pcomp_line *line)
{
	enum pcomp_wb_when when = pcomp_wb_when(line);

	if (when == PCOMP_WB_NOW) {
		folio_clear_dirty(page_folio(line->page));
		set_bit(LINE_WB, &line->flags);
	} else if (when == PCOMP_WB_PARK) {
		pcomp_wb_park(line);
	} else {
		pcomp_queue_add(pc, line);
	}
	unlock_page(line->page);
	return when == PCOMP_WB_NOW;
}

/*
 * Sort the unmapped batch out: lines in use stay, clean ones are dropped, dirty
 * ones are being written on return. Return: how many were dropped, or are.
 */
static unsigned int sift(struct pcomp_evictor *e, unsigned int n)
{
	unsigned int i, dirty = 0, clean = 0;
	struct pcomp *pc = e->pc;

	for (i = 0; i < n; i++) {
		struct pcomp_line *line = e->batch[i];
		struct page *page = line->page;
		struct folio *folio = page_folio(page);
		bool broken = READ_ONCE(line->space->broken);

		/*
		 * Referenced: used since it was last here (the accessed bits
		 * arrived with the unmapping), give it a second chance. More
		 * than the cache's reference: pinned, or a fault waits for it.
		 * Poisoned: what was written is lost; whoever comes is told.
		 */
		if (folio_test_clear_referenced(folio) ||
		    page_count(page) > 1 ||
		    unlikely(PageHWPoison(page) && PageDirty(page))) {
			/* first: once unlocked it may be another's */
			pcomp_queue_add(pc, line);
			unlock_page(page);
			continue;
		}
		if (folio_test_uptodate(folio) && folio_test_dirty(folio) &&
		    !broken) {
			if (take_dirty(pc, line))
				e->batch[dirty++] = line;
			continue;
		}
		/* the line's users each have a reference; this one is ours */
		get_page(page);
		/* pcomp_line_get() hands no page of a broken space out */
		if (broken)
			pcomp_line_drop(line, NULL);
		else
			pcomp_line_evict(line);
		pcomp_stat_inc(pc, PCOMP_STAT_EVICT);
		clean++;
	}
	pcomp_wb_start(e->wb, e->batch, dirty);
	return dirty + clean;
}

static bool want(struct pcomp_cache *c, unsigned int level)
{
	return READ_ONCE(c->nr_free) < level && !list_empty(&c->queue);
}

/*
 * Wait for what is in flight, but only for who may be expected to answer, and
 * not for long: others' lines can be evicted meanwhile.
 */
static void await(struct pcomp_evictor *e, unsigned long timeout)
{
	struct pcomp_cache *c = &e->pc->cache;
	unsigned long end = jiffies + timeout;

	do {
		wait_event_idle_timeout(c->evict_wait,
					kthread_should_stop() ||
						pcomp_wb_is_done(e->wb) ||
						!pcomp_wb_is_awaited(e->wb),
					timeout);
		pcomp_wb_reap(e->wb);
	} while (pcomp_wb_is_awaited(e->wb) && time_before(jiffies, end));
}

static void evict_some(struct pcomp_evictor *e)
{
	/* each line may need a message of its own */
	unsigned int room = min(pcomp_wb_room(e->wb), PCOMP_BATCH), n;

	n = pick(e->pc, e->batch, room);
	sort(e->batch, n, sizeof(*e->batch), by_place, NULL);
	unmap(e->batch, n);
	if (sift(e, n)) {
		await(e, HZ / 50);
		return;
	}
	/* all locked, pinned or to be written later; give it time */
	if (!pcomp_wb_is_awaited(e->wb))
		schedule_timeout_idle(1);
	await(e, HZ / 4);
}

static int evictor_fn(void *arg)
{
	struct pcomp_evictor *e = arg;
	struct pcomp_cache *c = &e->pc->cache;
	/* reclaim may end up waiting for a page that waits for us */
	unsigned int noio = memalloc_noio_save();

	while (!kthread_should_stop()) {
		wait_event_idle(c->evict_wait,
				kthread_should_stop() ||
					pcomp_wb_is_done(e->wb) ||
					want(c, c->low));
		pcomp_wb_reap(e->wb);
		if (!want(c, c->low))
			continue;
		while (!kthread_should_stop() && want(c, c->high)) {
			evict_some(e);
			cond_resched();
		}
	}
	memalloc_noio_restore(noio);
	return 0;
}

static void evictor_free(struct pcomp_evictor *e)
{
	if (!IS_ERR_OR_NULL(e->task))
		kthread_stop(e->task);
	pcomp_wb_free(e->wb);
	kfree(e);
}

static struct pcomp_evictor *evictor_create(struct pcomp *pc, unsigned int i)
{
	struct pcomp_evictor *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int err;

	if (!e)
		return ERR_PTR(-ENOMEM);
	e->pc = pc;
	e->wb = pcomp_wb_alloc(pc, MESSAGES, &pc->cache.evict_wait, false);
	if (!e->wb) {
		err = -ENOMEM;
		goto err_free;
	}
	e->task = kthread_run(evictor_fn, e, "lego-evict/%u", i);
	if (IS_ERR(e->task)) {
		err = PTR_ERR(e->task);
		goto err_free;
	}
	return e;

err_free:
	evictor_free(e);
	return ERR_PTR(err);
}

/**
 * pcomp_evictors_start() - start a component's evictor threads
 * @pc: component with its cache
 *
 * Return: 0 or -errno, none is left running then.
 */
int pcomp_evictors_start(struct pcomp *pc)
{
	unsigned int i;

	for (i = 0; i < PCOMP_EVICTORS; i++) {
		struct pcomp_evictor *e = evictor_create(pc, i);

		if (IS_ERR(e)) {
			pcomp_evictors_stop(pc);
			return PTR_ERR(e);
		}
		pc->evictor[i] = e;
	}
	return 0;
}

/**
 * pcomp_evictors_stop() - stop them
 * @pc: component; no space is left
 */
void pcomp_evictors_stop(struct pcomp *pc)
{
	unsigned int i;

	for (i = 0; i < PCOMP_EVICTORS; i++) {
		if (pc->evictor[i])
			evictor_free(pc->evictor[i]);
		pc->evictor[i] = NULL;
	}
}
