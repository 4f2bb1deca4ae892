// SPDX-License-Identifier: GPL-2.0
/*
 * Write-back: batches of dirty lines go to their owners, up to
 * MCOMP_WRITEBACK_MAX pages a message, all messages of a batch at once.
 *
 * A line being written is unlocked, on no queue, and has LINE_WB. A fault may
 * map it again (a rescue): then what arrives may be old, new or torn, and the
 * line is dirty again and written again later. LINE_WB allows one write-back of
 * a page at a time, so none overtakes another. The line is given up only after
 * the owner's acknowledgment.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "pcomp.h"

struct wb_group {
	struct lite_call call;
	struct completion *done;
	atomic_t *left;
	struct pcomp_owner *owner;
	struct lite_sge sge[MCOMP_WRITEBACK_MAX];
	/* struct mcomp_writeback_req, with room for its indices */
	__le64 req[sizeof(struct mcomp_writeback_req) / 8 +
		   MCOMP_WRITEBACK_MAX];
	/* struct mcomp_writeback_rsp, with room for its frames */
	__le64 rsp[sizeof(struct mcomp_writeback_rsp) / 8 +
		   DIV_ROUND_UP(MCOMP_WRITEBACK_MAX, 2)];
	struct pcomp_line *line[MCOMP_WRITEBACK_MAX];
	unsigned int nr;
};

/**
 * struct pcomp_wb - room for a batch in flight, allocated beforehand
 * @done: all groups have been answered
 * @left: groups that have not, and one for the poster
 * @group: messages
 */
struct pcomp_wb {
	struct completion done;
	atomic_t left;
	struct wb_group group[PCOMP_BATCH];
};

/**
 * pcomp_wb_alloc() - room for pcomp_wb_run()
 *
 * Return: for pcomp_wb_free(), or NULL.
 */
struct pcomp_wb *pcomp_wb_alloc(void)
{
	return kvzalloc(sizeof(struct pcomp_wb), GFP_KERNEL);
}

/**
 * pcomp_wb_free() - the opposite
 * @wb: not in use, or NULL
 */
void pcomp_wb_free(struct pcomp_wb *wb)
{
	kvfree(wb);
}

static struct mcomp_writeback_req *req_of(struct wb_group *g)
{
	return (struct mcomp_writeback_req *)g->req;
}

static void group_done(struct lite_call *call)
{
	struct wb_group *g = call->priv;

	if (atomic_dec_and_test(g->left))
		complete(g->done);
}

/* Cut the batch, sorted by space and index, into messages. */
static unsigned int cut(struct pcomp_wb *wb, struct pcomp_line **line,
			unsigned int nr)
{
	unsigned int i, n = 0;
	struct wb_group *g = NULL;

	for (i = 0; i < nr; i++) {
		struct pcomp_space *s = line[i]->space;
		struct pcomp_owner *o;

		o = pcomp_owner_of(s, line[i]->index, true);
		if (IS_ERR(o))
			o = NULL;
		if (!g || !o || g->owner != o ||
		    g->nr == MCOMP_WRITEBACK_MAX) {
			g = &wb->group[n++];
			g->owner = o;
			g->nr = 0;
			g->call.status = -EHOSTUNREACH;
		}
		g->line[g->nr] = line[i];
		g->sge[g->nr] = (struct lite_sge){
			.mr = line[i]->pc->cache.mr,
			.off = (u64)line[i]->frame << PAGE_SHIFT,
			.len = PAGE_SIZE,
		};
		req_of(g)->index[g->nr] = cpu_to_le64(line[i]->index);
		g->nr++;
	}
	return n;
}

/* Post a group. Return: 0: its completion will come. */
static int post(struct wb_group *g)
{
	struct mcomp_writeback_req *req = req_of(g);
	struct pcomp_owner *o = g->owner;
	int err, tries;

	if (!o)
		return -EHOSTUNREACH;
	/* the owner refuses pages of VMAs that it has not heard of */
	err = pcomp_owner_flush(o);
	if (err)
		return err;
	req->space = cpu_to_le64(o->space->id);
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
	for (tries = 0; tries < 50; tries++) {
		err = lite_call_start(o->peer, &g->call);
		if (err == -ENOTCONN)
			err = lite_peer_connect(o->peer, LITE_CLASS_WRITEBACK);
		else if (err == -EAGAIN)
			lite_peer_wait_slot(o->peer, LITE_CLASS_WRITEBACK);
		else
			return err;
		if (err && err != -EAGAIN)
			return err;
	}
	return err;
}

/* A write-back failed: it is repeated, or the process has lost its memory. */
static void failed(struct pcomp_owner *o, int err)
{
	struct lite_member m;

	if (!o)
		return;
	pcomp_stat_inc(o->space->pc, PCOMP_STAT_ERROR);
	if (!pcomp_transient(err)) {
		pcomp_space_lost(o->space, o->id, err);
		return;
	}
	if (pcomp_verdict(err) == PCOMP_BUSY)
		return; /* an evictor takes them again, soon */
	if (lite_member_by_id(o->space->pc->node, o->id, &m))
		snprintf(m.name, sizeof(m.name), "of node %u", o->id);
	pr_warn_ratelimited("%s: no answer to a write-back from mComponent %s: error %d, trying again\n",
			    o->space->pc->name, m.name, err);
}

/* A line's write-back is over. */
static void finish(struct pcomp *pc, struct pcomp_line *line, int err,
		   bool keep)
{
	struct page *page = line->page;
	struct folio *folio = page_folio(page);

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
	if (!err && !keep && !page_mapped(page) && !folio_test_dirty(folio) &&
	    page_count(page) == 2) {
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

/**
 * pcomp_wb_run() - write lines to their owners and wait for the answers
 * @pc: component
 * @wb: room, not used by another at the same time
 * @line: lines that the caller has marked LINE_WB, on no queue, unlocked;
 *	sorted by space and index
 * @nr: how many, at most PCOMP_BATCH
 * @keep: true: the lines stay in the cache; false: the unused ones are freed
 *
 * Lines that could not be written stay dirty in the cache.
 * Context: process, may sleep; bounded by the calls' time-outs; no page lock.
 *	Allocates nothing that may reclaim.
 * Return: 0 if all were written, else an error of one of them.
 */
int pcomp_wb_run(struct pcomp *pc, struct pcomp_wb *wb,
		 struct pcomp_line **line, unsigned int nr, bool keep)
{
	unsigned int noio = memalloc_noio_save(), i, j, n;
	int err = 0;

	init_completion(&wb->done);
	n = cut(wb, line, nr);
	/* one more than the groups, so that it can't end while we post */
	atomic_set(&wb->left, n + 1);
	for (i = 0; i < n; i++) {
		struct wb_group *g = &wb->group[i];

		g->done = &wb->done;
		g->left = &wb->left;
		err = post(g);
		if (err) {
			g->call.status = err;
			atomic_dec(&wb->left);
		}
	}
	if (!atomic_dec_and_test(&wb->left))
		wait_for_completion(&wb->done);
	err = 0;
	for (i = 0; i < n; i++) {
		struct wb_group *g = &wb->group[i];

		if (g->call.status) {
			err = g->call.status;
			failed(g->owner, err);
		} else {
			pcomp_places_learn(g->owner, (void *)g->rsp,
					   g->call.rsp_len, g->line, g->nr);
		}
		for (j = 0; j < g->nr; j++)
			finish(pc, g->line[j], g->call.status, keep);
	}
	memalloc_noio_restore(noio);
	return err;
}
