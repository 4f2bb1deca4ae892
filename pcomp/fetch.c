// SPDX-License-Identifier: GPL-2.0
/*
 * Fetches: a line's contents come from its owner, by RDMA into the frame: read
 * by us, where we know its place and this is the first try (place.c), else
 * written by the owner, whom we ask.
 *
 * The faulting thread posts that and waits for the page lock; the completion, in
 * softirq, marks the page up to date and unlocks it. Whoever waits can be
 * killed, the fetch goes on: the frame is the call's till its end. A failed call
 * is repeated by a worker until the owner is declared dead or PCOMP_AGAIN_SECONDS
 * have passed; then the process is ended, and the page unlocked without being up
 * to date, which pcomp_line_get() turns into an error. Errors are never data.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include "pcomp.h"

#define FETCH_RETRY_MS 50

static void fetch_done(struct lite_call *call)
{
	struct pcomp_line *line = call->priv;

	if (likely(!call->status)) {
		if (line->read)
			pcomp_stat_inc(line->pc, PCOMP_STAT_READ);
		SetPageUptodate(line->page);
		unlock_page(line->page);
		return;
	}
	queue_work(line->pc->io_wq, &line->work);
}

/* What reading and asking have in common. */
static void fetch_prepare(struct pcomp_line *line)
{
	line->sge = (struct lite_sge){
		.mr = line->pc->cache.mr,
		.off = (u64)line->frame << PAGE_SHIFT,
		.len = PAGE_SIZE,
	};
	line->req = (struct mcomp_fetch_req){
		.space = cpu_to_le64(line->space->id),
		.index = cpu_to_le64(line->index),
	};
	line->call = (struct lite_call){
		.op = MCOMP_FETCH,
		.class = LITE_CLASS_DEMAND,
		.req = &line->req,
		.req_len = sizeof(line->req),
		.out = &line->sge,
		.nr_out = 1,
		.done = fetch_done,
		.priv = line,
	};
}

/*
 * Where there is no slot or no connection the call waits for it, and no thread
 * does: any number of them may wait for an owner that is away, beside those of
 * others. After this it may be over.
 */
static void fetch_ask(struct pcomp_line *line, struct pcomp_owner *o)
{
	fetch_prepare(line);
	line->read = false;
	lite_call_queue(o->peer, &line->call);
}

/**
 * pcomp_fetch_start() - fetch a line's contents
 * @line: bound, locked; is unlocked when the fetch is over
 *
 * Context: process. Does not wait.
 */
void pcomp_fetch_start(struct pcomp_line *line)
{
	struct pcomp_owner *o = pcomp_owner_of(line->space, line->index, false);

	line->tries = 0;
	line->deadline = pcomp_again_deadline();
	if (!o) {
		line->read = false;
		line->call.status = -ENODATA;
		queue_work(line->pc->io_wq, &line->work);
		return;
	}
	fetch_prepare(line);
	line->read = true;
	if (pcomp_place_read(o, line->place, &line->call))
		fetch_ask(line, o);
}

static bool fetch_over(void *page)
{
	return !PageLocked(page);
}

/**
 * pcomp_fetch_spin() - wait actively for a fetch where that pays
 * @s: the space
 * @index: the page, whose fetch was started
 * @page: its frame, referenced
 *
 * Context: process. The page lock is still to be waited for.
 */
void pcomp_fetch_spin(struct pcomp_space *s, pgoff_t index, struct page *page)
{
	struct pcomp_owner *o = pcomp_owner_of(s, index, false);

	if (o)
		lite_call_spin(o->peer, LITE_CLASS_DEMAND, fetch_over, page);
}

static void give_up(struct pcomp_line *line, int err)
{
	struct pcomp_space *s = line->space;
	struct pcomp_owner *o = pcomp_owner_of(s, line->index, false);

	/* first: who waits for the page shall find it broken */
	pcomp_space_lost(s, o ? o->id : s->home_id, err);
	/* not up to date: an error for whoever waits */
	unlock_page(line->page);
}

/**
 * pcomp_fetch_work() - a fetch failed: ask again, or give up
 * @work: in the line
 */
void pcomp_fetch_work(struct work_struct *work)
{
	struct pcomp_line *line = container_of(work, struct pcomp_line, work);
	struct pcomp_space *s = line->space;
	struct pcomp_owner *o = pcomp_owner_of(s, line->index, false);
	int err = line->call.status;

	pcomp_stat_inc(line->pc, PCOMP_STAT_ERROR);
	if (line->read)
		pcomp_place_failed(o, line->place);
	if (!o || !pcomp_transient(err) || READ_ONCE(s->broken) ||
	    time_after(jiffies, line->deadline)) {
		give_up(line, err);
		return;
	}
	if (line->tries++)
		msleep(FETCH_RETRY_MS);
	fetch_ask(line, o);
}
