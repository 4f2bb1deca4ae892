// SPDX-License-Identifier: GPL-2.0
/*
 * Write-back: dirty lines go to their owners, up to MCOMP_WRITEBACK_MAX pages a
 * message. Each message ends by itself: an evictor goes on with what is done,
 * and one mComponent that does not answer keeps no line of another's waiting
 * (wb_peer.c).
 *
 * A line being written is unlocked, on no queue, and has LINE_WB. A fault may
 * map it again (a rescue): then what arrives may be old, new or torn, and the
 * line is dirty again and written again later. LINE_WB allows one write-back of
 * a page at a time, so none overtakes another. The line is given up only after
 * the owner's acknowledgment.
 *
 * LINE_WB is never there for long: asking for the owner, telling it of VMAs and
 * the call all have time-outs, whoever waits for their turn behind one that had
 * no answer waits no longer, and the evictor that takes the result waits for no
 * mComponent. So who waits for it needs no signal to end that.
 */
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "pcomp.h"

/**
 * struct wb_group - lines in a message
 * @free: in pcomp_wb.free, or with those that lines are still added to; empty:
 *	on its way
 * @done: in pcomp_wb.done
 * @work: asks for the owner, or tells it of VMAs
 * @wb: whose
 * @owner: its owner, NULL: the home is to be asked for it
 * @peer: the mComponent that is waited for; NULL: no memory for its record
 * @call: the message
 * @sge: its pages
 * @req: struct mcomp_writeback_req, with room for its indices
 * @rsp: struct mcomp_writeback_rsp, with room for its frames
 * @line: its lines
 * @nr: how many
 */
struct wb_group {
	struct list_head free;
	struct llist_node done;
	struct pcomp_wb_work work;
	struct pcomp_wb *wb;
	struct pcomp_owner *owner;
	struct pcomp_wb_peer *peer;
	struct lite_call call;
	struct lite_sge sge[MCOMP_WRITEBACK_MAX];
	__le64 req[sizeof(struct mcomp_writeback_req) / 8 +
		   MCOMP_WRITEBACK_MAX];
	__le64 rsp[sizeof(struct mcomp_writeback_rsp) / 8 +
		   DIV_ROUND_UP(MCOMP_WRITEBACK_MAX, 2)];
	struct pcomp_line *line[MCOMP_WRITEBACK_MAX];
	unsigned int nr;
};

/**
 * struct pcomp_wb - room for messages in flight, allocated beforehand
 * @pc: component
 * @wait: woken when one is over; outlives this
 * @keep: the lines stay in the cache
 * @free: messages not in use; the thread it belongs to uses it alone
 * @nr_free: how many
 * @done: messages that are over, and whose lines are still LINE_WB
 * @nr: how many there are
 * @group: messages
 */
struct pcomp_wb {
	struct pcomp *pc;
	wait_queue_head_t *wait;
	bool keep;
	struct list_head free;
	unsigned int nr_free;
	struct llist_head done;
	unsigned int nr;
	struct wb_group group[];
};

static void group_send_work(struct work_struct *work);

/**
 * pcomp_wb_alloc() - room for write-backs
 * @pc: component
 * @nr: how many messages
 * @wait: is woken when one is over; lives as long as @pc
 * @keep: true: the lines stay in the cache; false: the unused ones are freed
 *
 * Return: for pcomp_wb_free(), or NULL.
 */
struct pcomp_wb *pcomp_wb_alloc(struct pcomp *pc, unsigned int nr,
				wait_queue_head_t *wait, bool keep)
{
	struct pcomp_wb *wb = kvzalloc(struct_size(wb, group, nr), GFP_KERNEL);
	unsigned int i;

	if (!wb)
		return NULL;
	wb->pc = pc;
	wb->wait = wait;
	wb->keep = keep;
	INIT_LIST_HEAD(&wb->free);
	init_llist_head(&wb->done);
	wb->nr = nr;
	wb->nr_free = nr;
	for (i = 0; i < nr; i++) {
		INIT_WORK(&wb->group[i].work.work, group_send_work);
		wb->group[i].wb = wb;
		list_add_tail(&wb->group[i].free, &wb->free);
	}
	return wb;
}

/**
 * pcomp_wb_free() - the opposite
 * @wb: all of it free, or NULL
 */
void pcomp_wb_free(struct pcomp_wb *wb)
{
	WARN_ON_ONCE(wb && wb->nr_free != wb->nr);
	kvfree(wb);
}

/**
 * pcomp_wb_room() - how many lines can certainly be written now
 * @wb: room
 */
unsigned int pcomp_wb_room(const struct pcomp_wb *wb)
{
	return wb->nr_free;
}

static struct mcomp_writeback_req *req_of(struct wb_group *g)
{
	return (struct mcomp_writeback_req *)g->req;
}

/* After this the group, and the room that it is part of, may be gone. */
static void group_done(struct lite_call *call)
{
	struct wb_group *g = call->priv;
	wait_queue_head_t *wait = g->wb->wait;

	llist_add(&g->done, &g->wb->done);
	/* a full barrier is in llist_add() */
	if (wq_has_sleeper(wait))
		wake_up_all(wait);
}

static void group_fail(struct wb_group *g, int err)
{
	g->call.priv = g;
	g->call.status = err;
	group_done(&g->call);
}

/* After this it may be over, as after group_done(). */
static void group_post(struct wb_group *g)
{
	struct mcomp_writeback_req *req = req_of(g);

	req->space = cpu_to_le64(g->owner->space->id);
	req->nr = cpu_to_le32(g->nr);
	req->reserved = 0;
	g->call = (struct lite_call){
		.op = MCOMP_WRITEBACK,
		.class = LITE_CLASS_WRITEBACK,
		.req = req,
		.req_len = struct_size(req, index, g->nr),
		.in = g->sge,
		.nr_in = g->nr,
		.rsp = g->rsp,
		.rsp_size = sizeof(g->rsp),
		.done = group_done,
		.priv = g,
	};
	lite_call_queue(g->owner->peer, &g->call);
}

static void group_count_in(struct wb_group *g)
{
	g->peer = pcomp_wb_peer_of(g->line[0]->space, g->line[0]->index);
	if (g->peer)
		pcomp_wb_peer_add(g->peer, g->nr);
}

static void group_count_out(struct wb_group *g, int err)
{
	if (!g->peer)
		return;
	pcomp_wb_peer_sub(g->peer, g->nr);
	pcomp_wb_peer_learn(g->peer, err);
}

/*
 * Send it, or what has to be done first: one work after the other, as each waits
 * for another mComponent. After this it may be over.
 */
static void group_send(struct wb_group *g)
{
	if (g->owner && !READ_ONCE(g->owner->nr_ops))
		group_post(g);
	else
		pcomp_wb_peer_queue(g->wb->pc, g->peer, &g->work);
}

/* Ask the home who the owner is. */
static int group_find_owner(struct wb_group *g)
{
	struct pcomp_owner *o;

	o = pcomp_owner_of(g->line[0]->space, g->line[0]->index, true);
	if (IS_ERR(o))
		return PTR_ERR(o);
	g->owner = o;
	/* from here on it is the owner that is waited for */
	group_count_out(g, 0);
	group_count_in(g);
	return 0;
}

static void group_send_work(struct work_struct *work)
{
	struct wb_group *g = container_of(work, struct wb_group, work.work);
	struct pcomp_wb_peer *waited = g->peer;
	unsigned int noio = memalloc_noio_save();
	bool told = g->owner;
	int err;

	/* the owner refuses pages of VMAs that it has not heard of */
	if (pcomp_wb_peer_is_lost(waited, &g->work))
		err = -ETIMEDOUT;
	else
		err = told ? pcomp_owner_flush(g->owner) : group_find_owner(g);
	/* before the next one begins to wait */
	if (err && waited)
		pcomp_wb_peer_learn(waited, err);
	pcomp_wb_peer_next(waited);
	if (err)
		group_fail(g, err);
	else if (told)
		group_post(g);
	else
		group_send(g);
	memalloc_noio_restore(noio);
}

static void group_start(struct wb_group *g)
{
	list_del_init(&g->free);
	group_count_in(g);
	group_send(g);
}

static void groups_start(struct list_head *open)
{
	struct wb_group *g, *next;

	list_for_each_entry_safe(g, next, open, free)
		group_start(g);
}

/* The one for @o, or, as long as @line's owner is not known, its vRegion. */
static struct wb_group *group_find(struct list_head *open,
				   const struct pcomp_line *line,
				   const struct pcomp_owner *o)
{
	unsigned int shift = line->space->vregion_shift;
	struct wb_group *g;

	list_for_each_entry(g, open, free)
		if (g->owner == o &&
		    (o || g->line[0]->index >> shift == line->index >> shift))
			return g;
	return NULL;
}

static struct wb_group *group_open(struct list_head *open, struct pcomp_wb *wb,
				   struct pcomp_owner *o)
{
	struct wb_group *g = list_first_entry(&wb->free, struct wb_group, free);

	list_move_tail(&g->free, open);
	wb->nr_free--;
	g->owner = o;
	g->nr = 0;
	return g;
}

static void group_add(struct wb_group *g, struct pcomp_line *line)
{
	g->line[g->nr] = line;
	g->sge[g->nr] = (struct lite_sge){
		.mr = line->pc->cache.mr,
		.off = (u64)line->frame << PAGE_SHIFT,
		.len = PAGE_SIZE,
	};
	req_of(g)->index[g->nr] = cpu_to_le64(line->index);
	g->nr++;
}

/**
 * pcomp_wb_start() - write lines to their owners
 * @wb: room
 * @line: lines with LINE_WB, on no queue, unlocked; sorted by space and index
 * @nr: how many, at most pcomp_wb_room()
 *
 * Context: process; does not wait. pcomp_wb_reap() ends it.
 */
void pcomp_wb_start(struct pcomp_wb *wb, struct pcomp_line **line,
		    unsigned int nr)
{
	struct wb_group *g;
	LIST_HEAD(open); /* of one space: one for each of its owners */
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct pcomp_owner *o;

		if (i && line[i]->space != line[i - 1]->space)
			groups_start(&open);
		o = pcomp_owner_of(line[i]->space, line[i]->index, false);
		g = group_find(&open, line[i], o) ?: group_open(&open, wb, o);
		group_add(g, line[i]);
		if (g->nr == MCOMP_WRITEBACK_MAX)
			group_start(g);
	}
	groups_start(&open);
}

/* A line's write-back is over. */
static void line_finish(struct pcomp *pc, struct pcomp_line *line, int err,
			bool keep)
{
	struct page *page = line->page;
	struct folio *folio = page_folio(page);
	bool unused;

	folio_get(folio);
	folio_lock(folio);
	if (err) {
		folio_set_dirty(folio);
		/* its owner may have done it, and freed that frame */
		line->place = 0;
	} else {
		set_bit(LINE_REMOTE, &line->flags);
		pcomp_stat_inc(pc, PCOMP_STAT_WRITEBACK);
	}
	clear_bit(LINE_WB, &line->flags);
	/* pairs with the wait in pcomp_line_lock() */
	if (wq_has_sleeper(&pc->cache.wb_wait))
		wake_up_all(&pc->cache.wb_wait);
	unused = !page_mapped(page) && page_count(page) == 2;
	/* who used it made it dirty before letting it go */
	smp_rmb();
	if (!err && !keep && unused && !folio_test_dirty(folio)) {
		pcomp_line_evict(line);
		pcomp_stat_inc(pc, PCOMP_STAT_EVICT);
		return;
	}
	if (!err && !keep)
		pcomp_stat_inc(pc, PCOMP_STAT_RESCUE);
	pcomp_queue_add(pc, line);
	folio_unlock(folio);
	folio_put(folio);
}

/* A message is over. After its last line its space may be gone. */
static int group_finish(struct wb_group *g)
{
	struct pcomp_space *s = g->line[0]->space;
	u32 id = g->owner ? g->owner->id : s->home_id;
	struct pcomp *pc = g->wb->pc;
	int err = g->call.status;
	unsigned int i;

	group_count_out(g, err);
	if (!err)
		pcomp_places_learn(g->owner, (void *)g->rsp, g->call.rsp_len,
				   g->line, g->nr);
	else
		pcomp_stat_inc(pc, PCOMP_STAT_ERROR);
	if (err && !pcomp_transient(err))
		pcomp_space_lost(s, id, err);
	for (i = 0; i < g->nr; i++)
		line_finish(pc, g->line[i], err, g->wb->keep);
	return err;
}

/**
 * pcomp_wb_is_done() - is there something for pcomp_wb_reap()?
 * @wb: room
 */
bool pcomp_wb_is_done(const struct pcomp_wb *wb)
{
	return !llist_empty(&wb->done);
}

/**
 * pcomp_wb_is_awaited() - is something in flight that will soon be over?
 * @wb: room
 *
 * That is, not all to mComponents that do not answer.
 */
bool pcomp_wb_is_awaited(const struct pcomp_wb *wb)
{
	const struct wb_group *g;

	if (wb->nr_free == wb->nr)
		return false;
	for (g = wb->group; g < wb->group + wb->nr; g++)
		if (list_empty(&g->free) &&
		    (!g->peer || !pcomp_wb_peer_waits(g->peer)))
			return true;
	return false;
}

/**
 * pcomp_wb_reap() - end the write-backs that were answered, or failed
 * @wb: room
 *
 * Lines that could not be written stay dirty in the cache.
 * Context: process, may sleep; waits for no mComponent.
 * Return: 0, or an error of one of them.
 */
int pcomp_wb_reap(struct pcomp_wb *wb)
{
	struct llist_node *list = llist_del_all(&wb->done);
	struct wb_group *g, *next;
	int err, ret = 0;

	llist_for_each_entry_safe(g, next, list, done) {
		err = group_finish(g);
		if (err)
			ret = err;
		list_add(&g->free, &wb->free);
		wb->nr_free++;
	}
	return ret;
}

/**
 * pcomp_wb_run() - write lines to their owners and wait for the answers
 * @wb: room, all of it free
 * @line: as for pcomp_wb_start()
 * @nr: how many, at most pcomp_wb_room()
 *
 * Context: process, may sleep; bounded by time-outs; no page lock.
 * Return: 0 if all were written, else an error of one of them.
 */
int pcomp_wb_run(struct pcomp_wb *wb, struct pcomp_line **line,
		 unsigned int nr)
{
	int err, ret = 0;

	pcomp_wb_start(wb, line, nr);
	while (wb->nr_free < wb->nr) {
		wait_event(*wb->wait, pcomp_wb_is_done(wb));
		err = pcomp_wb_reap(wb);
		if (err)
			ret = err;
	}
	return ret;
}
