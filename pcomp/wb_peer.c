// SPDX-License-Identifier: GPL-2.0
/*
 * How write-backs to each mComponent go, whichever space's they are, so that
 * one that is away holds up nobody but those that have memory there:
 *
 *  - Evictors wait for nobody who has been silent for LATE (evict.c).
 *  - Dirty lines of one that is silent leave the policy's queue. They are
 *    parked here, or evictors would go through all of them again and again in
 *    search of others. Some of them are tried now and then; when these arrive
 *    all are queued again.
 *  - Faults that would make more such lines do not get the last frames
 *    (pcomp_frame_alloc()), for these could not be had back.
 *  - Few works at a time wait for one, or some that are away would soon have
 *    all that the queue may run.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "pcomp.h"

#define LATE HZ
#define SILENT_MS 250 /* between tries */
#define BUSY_MS 20
#define LINES_MAX PCOMP_BATCH /* in flight to one mComponent */
#define UNPARK_CHUNK 256 /* with the cache's lock held */
#define WORKS_MAX 8 /* at a time that wait for one; a queue runs 256 */

/**
 * struct pcomp_wb_peer - an mComponent, as write-backs find it
 * @pc: component
 * @id: its node id
 * @lines: in flight to it
 * @since: jiffies of its last answer, or when @lines was 0 last
 * @silent: it did not answer the last time: one batch at a time is tried
 * @again: jiffies till when nothing is written; 0: write
 * @parked: dirty lines that wait for it. pcomp_cache.lock
 * @work: queues these again
 * @lock: protects the following; a leaf
 * @nr_works: works that wait for it, at most WORKS_MAX
 * @works: struct pcomp_wb_work, those whose turn it is not
 */
struct pcomp_wb_peer {
	struct pcomp *pc;
	u32 id;
	atomic_t lines;
	unsigned long since;
	bool silent;
	unsigned long again;
	struct list_head parked;
	struct delayed_work work;
	spinlock_t lock; /* see above */
	unsigned int nr_works;
	struct list_head works;
};

/* Queue up to @max parked lines. Return: whether some are left. */
static bool unpark(struct pcomp_wb_peer *p, unsigned int max)
{
	struct pcomp_cache *c = &p->pc->cache;
	struct pcomp_line *line;
	bool left;

	spin_lock(&c->lock);
	while (max-- && !list_empty(&p->parked)) {
		line = list_first_entry(&p->parked, struct pcomp_line, queue);
		list_del_init(&line->queue);
		c->policy->add(&c->queue, line);
	}
	left = !list_empty(&p->parked);
	spin_unlock(&c->lock);
	wake_up(&c->evict_wait);
	return left;
}

static unsigned long pause_left(const struct pcomp_wb_peer *p)
{
	unsigned long again = READ_ONCE(p->again), now = jiffies;

	return again && time_before(now, again) ? again - now : 0;
}

static void wb_peer_work(struct work_struct *work)
{
	struct pcomp_wb_peer *p = container_of(to_delayed_work(work),
					       struct pcomp_wb_peer, work);
	bool left;

	do {
		left = unpark(p, UNPARK_CHUNK);
		cond_resched();
	} while (left && !pcomp_wb_peer_waits(p));
	/* of one that is silent some are enough, to be tried */
	if (left)
		queue_delayed_work(p->pc->io_wq, &p->work,
				   msecs_to_jiffies(SILENT_MS));
}

static struct pcomp_wb_peer *wb_peer_make(struct pcomp *pc, u32 id)
{
	struct pcomp_wb_peer *p = kzalloc(sizeof(*p), GFP_NOIO), *old;

	if (!p)
		return NULL;
	p->pc = pc;
	p->id = id;
	INIT_LIST_HEAD(&p->parked);
	INIT_DELAYED_WORK(&p->work, wb_peer_work);
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->works);
	old = xa_cmpxchg(&pc->wb_peers, id, NULL, p, GFP_NOIO);
	if (!old)
		return p;
	kfree(p);
	return xa_is_err(old) ? NULL : old;
}

static u32 wb_peer_id(struct pcomp_space *s, pgoff_t index)
{
	struct pcomp_owner *o = pcomp_owner_of(s, index, false);

	return o ? o->id : s->home_id;
}

/**
 * pcomp_wb_peer_of() - the mComponent that a page's write-back waits for first
 * @s: the space
 * @index: the page
 *
 * Its owner; while that is not known, the home, who is asked for it.
 * Context: process, may sleep. Return: it, as long as the component lives; NULL:
 *	no memory.
 */
struct pcomp_wb_peer *pcomp_wb_peer_of(struct pcomp_space *s, pgoff_t index)
{
	u32 id = wb_peer_id(s, index);

	return xa_load(&s->pc->wb_peers, id) ?: wb_peer_make(s->pc, id);
}

/**
 * pcomp_wb_peer_waits() - is it silent, or was it asked to wait?
 * @p: mComponent
 *
 * Context: any.
 */
bool pcomp_wb_peer_waits(const struct pcomp_wb_peer *p)
{
	return READ_ONCE(p->silent) || pause_left(p) ||
	       (atomic_read(&p->lines) &&
		time_after(jiffies, READ_ONCE(p->since) + LATE));
}

/**
 * pcomp_wb_when() - shall a dirty line be written now?
 * @line: locked
 *
 * Context: process, may sleep. Return: when.
 */
enum pcomp_wb_when pcomp_wb_when(const struct pcomp_line *line)
{
	struct pcomp_wb_peer *p = pcomp_wb_peer_of(line->space, line->index);
	int lines;

	if (!p)
		return PCOMP_WB_SOON;
	lines = atomic_read(&p->lines);
	if (READ_ONCE(p->silent))
		return lines || pause_left(p) ? PCOMP_WB_PARK : PCOMP_WB_NOW;
	if (pcomp_wb_peer_waits(p))
		return PCOMP_WB_PARK;
	return lines < LINES_MAX ? PCOMP_WB_NOW : PCOMP_WB_SOON;
}

/**
 * pcomp_wb_park() - a dirty line waits till its mComponent answers
 * @line: locked, on no queue; pcomp_wb_when() said so
 */
void pcomp_wb_park(struct pcomp_line *line)
{
	struct pcomp_wb_peer *p = pcomp_wb_peer_of(line->space, line->index);
	struct pcomp_cache *c = &line->pc->cache;

	if (!p) {
		pcomp_queue_add(line->pc, line);
		return;
	}
	spin_lock(&c->lock);
	list_add_tail(&line->queue, &p->parked);
	spin_unlock(&c->lock);
	queue_delayed_work(p->pc->io_wq, &p->work,
			   pause_left(p) ?: msecs_to_jiffies(SILENT_MS));
}

/**
 * pcomp_wb_is_slow() - may it take long to write a page back?
 * @s: the space
 * @index: the page
 *
 * Context: any: it is a condition that is waited for.
 */
bool pcomp_wb_is_slow(struct pcomp_space *s, pgoff_t index)
{
	struct pcomp_wb_peer *p = xa_load(&s->pc->wb_peers,
					  wb_peer_id(s, index));

	return p && (pcomp_wb_peer_waits(p) ||
		     atomic_read(&p->lines) >= LINES_MAX);
}

/**
 * pcomp_wb_peer_add() - lines are going to be written
 * @p: where to
 * @nr: how many
 */
void pcomp_wb_peer_add(struct pcomp_wb_peer *p, unsigned int nr)
{
	if ((unsigned int)atomic_add_return(nr, &p->lines) == nr)
		WRITE_ONCE(p->since, jiffies);
}

/**
 * pcomp_wb_peer_sub() - they are not on their way there any more
 * @p: where to
 * @nr: how many
 */
void pcomp_wb_peer_sub(struct pcomp_wb_peer *p, unsigned int nr)
{
	atomic_sub(nr, &p->lines);
}

/**
 * pcomp_wb_peer_learn() - a write-back is over
 * @p: who was asked
 * @err: what came of it
 *
 * Context: process.
 */
void pcomp_wb_peer_learn(struct pcomp_wb_peer *p, int err)
{
	enum pcomp_verdict v = err ? pcomp_verdict(err) : PCOMP_GONE;
	struct lite_member m;

	if (lite_member_by_id(p->pc->node, p->id, &m))
		snprintf(m.name, sizeof(m.name), "of node %u", p->id);
	if (v == PCOMP_AWAY) {
		WRITE_ONCE(p->again,
			   (jiffies + msecs_to_jiffies(SILENT_MS)) | 1);
		if (!xchg(&p->silent, true))
			pr_warn("%s: no answer to a write-back from mComponent %s: error %d, trying again\n",
				p->pc->name, m.name, err);
		return;
	}
	/* whatever it says, it is there */
	WRITE_ONCE(p->since, jiffies);
	WRITE_ONCE(p->again, v == PCOMP_BUSY ?
			   (jiffies + msecs_to_jiffies(BUSY_MS)) | 1 : 0);
	if (READ_ONCE(p->silent) && xchg(&p->silent, false)) {
		pr_info("%s: mComponent %s takes write-backs again\n",
			p->pc->name, m.name);
		mod_delayed_work(p->pc->io_wq, &p->work, 0);
	}
}

/**
 * pcomp_wb_peer_queue() - run a work that is going to wait for an mComponent
 * @pc: component
 * @p: for whom; NULL: there was no memory for it
 * @w: the work, which calls pcomp_wb_peer_next() when it has waited
 *
 * Context: process.
 */
void pcomp_wb_peer_queue(struct pcomp *pc, struct pcomp_wb_peer *p,
			 struct pcomp_wb_work *w)
{
	bool now = true;

	w->late = false;
	if (p) {
		spin_lock(&p->lock);
		now = p->nr_works < WORKS_MAX;
		w->late = !now;
		if (now)
			p->nr_works++;
		else
			list_add_tail(&w->list, &p->works);
		spin_unlock(&p->lock);
	}
	if (now)
		queue_work(pc->io_wq, &w->work);
}

/**
 * pcomp_wb_peer_is_lost() - did its mComponent turn out to be silent while a work
 *	waited for its turn?
 * @p: which pcomp_wb_peer_queue() was called with
 * @w: the work, whose turn it is
 *
 * Then it would wait in vain, and all that are behind it, one after the other.
 * Context: any.
 */
bool pcomp_wb_peer_is_lost(const struct pcomp_wb_peer *p,
			   const struct pcomp_wb_work *w)
{
	return p && w->late && READ_ONCE(p->silent);
}

/**
 * pcomp_wb_peer_next() - a work does not wait for an mComponent any more
 * @p: which pcomp_wb_peer_queue() was called with
 *
 * Before what the work is about may be over, and with it the component.
 * Context: process.
 */
void pcomp_wb_peer_next(struct pcomp_wb_peer *p)
{
	struct pcomp_wb_work *w;

	if (!p)
		return;
	spin_lock(&p->lock);
	w = list_first_entry_or_null(&p->works, struct pcomp_wb_work, list);
	if (w)
		list_del(&w->list);
	else
		p->nr_works--;
	spin_unlock(&p->lock);
	if (w)
		queue_work(p->pc->io_wq, &w->work);
}

/**
 * pcomp_wb_peers_exit() - forget them
 * @pc: component, nothing is written any more
 *
 * Context: process, may sleep.
 */
void pcomp_wb_peers_exit(struct pcomp *pc)
{
	struct pcomp_wb_peer *p;
	unsigned long i;

	xa_for_each(&pc->wb_peers, i, p) {
		cancel_delayed_work_sync(&p->work);
		kfree(p);
	}
	xa_destroy(&pc->wb_peers);
}
