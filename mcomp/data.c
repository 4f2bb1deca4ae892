// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: pages go out, dirty pages come home. LegoOS served both from
 * one thread a core that copied; here frames are registered memory and move by
 * RDMA, the fetch straight from the softirq that heard of it.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>

#include "mcomp.h"

/* For so long there must have been no room before that is said. */
#define FULL_TIME HZ

/*
 * The frame of a page, with a reference, or -1. Caller is under RCU.
 *
 * Between the look into the map and the reference the frame may have been
 * freed, and even be another's by now; if the map still names it once we have
 * the reference, it was not, for the map has one itself.
 */
static s64 fetch_frame(struct mcomp_space *s, u64 index)
{
	s64 frame;

	while ((frame = s->map.ops->lookup(&s->map, index)) >= 0) {
		if (!mcomp_frame_tryget(s->m->pool, frame))
			continue; /* replaced just now */
		if (s->map.ops->lookup(&s->map, index) == frame)
			break;
		mcomp_frame_put(s->m->pool, frame);
	}
	return frame;
}

/**
 * mcomp_serve_fetch() - MCOMP_FETCH
 * @req: request; answered on return
 *
 * -ENOENT: the page was never written. -ESTALE: there is no such space here.
 * -EHWPOISON: it is lost.
 * Context: softirq.
 */
void mcomp_serve_fetch(struct lite_req *req)
{
	const struct mcomp_fetch_req *msg = lite_req_msg(req);
	struct mcomp *m = lite_req_priv(req);
	struct mcomp_space *s;
	struct lite_sge sge;
	s64 frame = -1;
	int err = 0;

	/* Pairs with the release in mcomp_create(). */
	if (!smp_load_acquire(&m->ready))
		return lite_req_reply(req, -EBUSY, 0);
	if (lite_req_len(req) != sizeof(*msg) ||
	    lite_req_out_len(req) < PAGE_SIZE)
		return lite_req_reply(req, -EMSGSIZE, 0);

	rcu_read_lock();
	s = xa_load(&m->spaces, le64_to_cpu(msg->space));
	if (!s)
		err = -ESTALE;
	else if (!mcomp_serve_is_owner(req, s))
		err = -EACCES;
	else
		frame = fetch_frame(s, le64_to_cpu(msg->index));
	rcu_read_unlock();
	if (!err && frame < 0) {
		atomic64_inc(&m->stats.fetch_misses);
		err = -ENOENT;
	}
	if (!err && mcomp_frame_has_failed(m->pool, frame)) {
		/* not sent: devices end a connection for it, and the CPU worse */
		mcomp_frame_put(m->pool, frame);
		err = -EHWPOISON;
	}
	if (err)
		return lite_req_reply(req, err, 0);

	atomic64_inc(&m->stats.fetches);
	sge = mcomp_frame_sge(m->pool, frame);
	err = lite_req_push(req, 0, &sge, 1);
	lite_req_reply_release(req, err, 0, mcomp_frame_release,
			       m->pool->pages[frame]);
}

static const char *pcomp_name(struct mcomp *m, u32 id, struct lite_member *buf)
{
	return lite_member_by_id(m->node, id, buf) ? "?" : buf->name;
}

/*
 * There is no room. That ends a program, so it must be true for a while: one
 * that has just ended, or a forked child that is about to exec, is giving its
 * frames back, and who reads a frame sets it free in the end.
 */
static int writeback_full(struct mcomp_space *s, u32 nr)
{
	unsigned long now = jiffies, since = READ_ONCE(s->short_since);
	struct mcomp *m = s->m;
	struct lite_member member;

	if (!since || time_after(now, READ_ONCE(s->short_last) + FULL_TIME)) {
		since = now | 1;
		WRITE_ONCE(s->short_since, since);
	}
	WRITE_ONCE(s->short_last, now);
	if (time_before(now, since + FULL_TIME))
		return -EBUSY;
	atomic64_inc(&m->stats.nomem);
	if (xchg(&s->told_nomem, true))
		return -ENOSPC;
	pr_warn_ratelimited("mcomp %s: out of memory: space %llx of pcomp %s wants %u pages, %llu MiB all used; load with a larger mem_mb= or add an mComponent\n",
			    m->name, s->id,
			    pcomp_name(m, s->client->pcomp_id, &member), nr,
			    mcomp_pool_total(m->pool) >> 20);
	return -ENOSPC;
}

/*
 * Are all pages in VMAs? @nr_new: how many have no frame that a new version
 * would set free. @sem is held, so no fork can make more of them.
 */
static int writeback_check(struct mcomp_space *s,
			   const struct mcomp_writeback_req *msg, u32 nr,
			   unsigned int *nr_new)
{
	s64 frame;
	u32 i;

	*nr_new = 0;
	if (s->dead)
		return -ESTALE;
	for (i = 0; i < nr; i++) {
		u64 index = le64_to_cpu(msg->index[i]);

		if (!mcomp_vma_covers(s, index))
			return -EINVAL;
		frame = s->map.ops->lookup(&s->map, index);
		if (frame < 0 || mcomp_frame_is_shared(s->m->pool, frame))
			(*nr_new)++;
	}
	return 0;
}

/*
 * Map the filled frames; theirs is the map's reference now, up to *@done. Those
 * that were lent, all but @charged, are settled first.
 */
static int writeback_install(struct mcomp_space *s,
			     const struct mcomp_writeback_req *msg, u32 nr,
			     const u32 *frames, u32 *done,
			     unsigned int charged)
{
	unsigned int nr_new;
	int err;
	s64 old;

	down_read(&s->sem);
	/* An unmap, or a fork, may have come while the pages did. */
	err = writeback_check(s, msg, nr, &nr_new);
	if (!err && nr_new > charged) {
		err = mcomp_frames_charge(s->m->pool, nr_new - charged);
		if (!err)
			charged = nr_new;
	}
	mcomp_frames_settle(s->m->pool, nr - charged);
	while (!err && *done < nr) {
		err = s->map.ops->store(&s->map,
					le64_to_cpu(msg->index[*done]),
					frames[*done], &old);
		if (err)
			break;
		(*done)++;
		if (old >= 0)
			mcomp_frame_put(s->m->pool, old);
	}
	up_read(&s->sem);
	return err;
}

/* Where the pages are now, for whoever wants to read them there. */
static void writeback_tell(struct mcomp_space *s,
			   struct mcomp_writeback_rsp *rsp, const u32 *frames,
			   u32 nr)
{
	u32 i;

	rsp->export = cpu_to_le64(s->client->export);
	for (i = 0; i < nr; i++)
		rsp->frame[i] = cpu_to_le32(frames[i]);
}

/* -EBUSY: what has just come is lost, but its sender still has it. */
static int writeback_look(struct mcomp_pool *pool, const u32 *frames, u32 nr)
{
	while (nr--)
		if (mcomp_frame_has_failed(pool, frames[nr]))
			return -EBUSY;
	return 0;
}

static int writeback(struct mcomp_space *s, struct lite_req *req,
		     const struct mcomp_writeback_req *msg, u32 nr)
{
	struct mcomp_pool *pool = s->m->pool;
	struct lite_sge sge[MCOMP_WRITEBACK_MAX];
	u32 frames[MCOMP_WRITEBACK_MAX], i, done = 0;
	unsigned int nr_new;
	int err;

	down_read(&s->sem);
	err = writeback_check(s, msg, nr, &nr_new);
	up_read(&s->sem);
	if (err)
		return err;
	err = mcomp_frames_alloc(pool, frames, nr, nr_new);
	if (err == -ENOSPC)
		return writeback_full(s, nr);
	if (err)
		return err;
	if (nr_new)
		WRITE_ONCE(s->short_since, 0);
	for (i = 0; i < nr; i++)
		sge[i] = mcomp_frame_sge(pool, frames[i]);
	err = lite_req_pull(req, 0, sge, nr) ?:
	      writeback_look(pool, frames, nr);
	if (err)
		mcomp_frames_settle(pool, nr - nr_new);
	else
		err = writeback_install(s, msg, nr, frames, &done, nr_new);
	if (!err)
		writeback_tell(s, lite_req_rsp(req), frames, nr);
	for (i = done; i < nr; i++)
		mcomp_frame_put(pool, frames[i]);
	atomic64_add(done, &s->m->stats.writebacks);
	return err;
}

/**
 * mcomp_serve_writeback() - MCOMP_WRITEBACK
 * @req: request; answered on return
 *
 * -EINVAL: a page is in no VMA. -ENOSPC: no frames, and none was changed.
 * -EBUSY: no frames for the moment, or no memory for the map.
 * -ESTALE: there is no such space here.
 * Context: process, may sleep.
 */
void mcomp_serve_writeback(struct lite_req *req)
{
	const struct mcomp_writeback_req *msg = lite_req_msg(req);
	struct mcomp_writeback_rsp *rsp = lite_req_rsp(req);
	struct mcomp *m = lite_req_priv(req);
	struct mcomp_space *s;
	unsigned int noio;
	int err;
	u32 nr;

	/* Pairs with the release in mcomp_create(). */
	if (!smp_load_acquire(&m->ready))
		return lite_req_reply(req, -EBUSY, 0);
	if (lite_req_len(req) < sizeof(*msg))
		return lite_req_reply(req, -EMSGSIZE, 0);
	nr = le32_to_cpu(msg->nr);
	if (!nr || nr > MCOMP_WRITEBACK_MAX || msg->reserved)
		return lite_req_reply(req, -EINVAL, 0);
	if (lite_req_len(req) != struct_size(msg, index, nr) ||
	    lite_req_in_len(req) < nr * PAGE_SIZE)
		return lite_req_reply(req, -EMSGSIZE, 0);

	s = mcomp_space_get(m, le64_to_cpu(msg->space));
	if (!s)
		return lite_req_reply(req, -ESTALE, 0);
	/* The evictors of a pComponent on this very kernel wait for us. */
	noio = memalloc_noio_save();
	err = mcomp_serve_is_owner(req, s) ? writeback(s, req, msg, nr) :
					     -EACCES;
	memalloc_noio_restore(noio);
	mcomp_space_put(s);
	lite_req_reply(req, err, err ? 0 : struct_size(rsp, frame, nr));
}
