// SPDX-License-Identifier: GPL-2.0
/* Calls: from struct lite_call to a message in a slot, and the wait for it. */
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "lite_rpc.h"

#define KILLED_MS 2000 /* what a peer has left to answer a killed caller */
#define RETRY_MS 20 /* how often one looks whom a signal does not end */

/* the segments of one direction; how many, or a negative errno */
static int build_segs(struct lite_link *link, const struct lite_sge *sge,
		      unsigned int nr, unsigned int access,
		      struct lite_wire_seg *seg, u32 *bytes)
{
	u64 len;
	int err;

	*bytes = 0;
	if (!nr)
		return 0;
	err = lite_sge_check(link->peer->node, sge, nr, access, &len);
	if (err)
		return err;
	*bytes = len;
	return link->ops->encode(sge, nr, access, seg, LITE_MAX_SEGS);
}

/* the message of a slot; its length, or a negative errno */
static int build(struct lite_link *link, const struct lite_call *call,
		 struct lite_slot *slot, u16 flags)
{
	struct lite_req_hdr *hdr = slot->buf;
	struct lite_wire_seg *seg = slot->buf + sizeof(*hdr);
	int nr_in, nr_out, len;

	if (call->req_len > LITE_REQ_MAX)
		return -EINVAL;
	nr_in = build_segs(link, call->in, call->nr_in, LITE_MR_READ, seg,
			   &slot->tx);
	if (nr_in < 0)
		return nr_in;
	nr_out = build_segs(link, call->out, call->nr_out, LITE_MR_WRITE,
			    seg + nr_in, &slot->rx);
	if (nr_out < 0)
		return nr_out;
	hdr->version = cpu_to_le16(LITE_VERSION);
	hdr->op = cpu_to_le16(call->op);
	hdr->xid = cpu_to_le32(slot->xid);
	hdr->len = cpu_to_le32(call->req_len);
	hdr->nr_in = nr_in;
	hdr->nr_out = nr_out;
	hdr->flags = cpu_to_le16(flags);
	memcpy(seg + nr_in + nr_out, call->req, call->req_len);
	len = sizeof(*hdr) + (nr_in + nr_out) * sizeof(*seg) + call->req_len;
	slot->op = call->op;
	slot->tx += len;
	return len;
}

static unsigned long time_of(const struct lite_call *call)
{
	return msecs_to_jiffies(call->timeout_ms ?: LITE_TIMEOUT_MS);
}

static unsigned long deadline_of(const struct lite_call *call)
{
	return jiffies + time_of(call);
}

/* from now on the slot can end @call; NULL: one-way */
static void arm(struct lite_link *link, unsigned int slot,
		struct lite_call *call, struct completion *waiter,
		unsigned long deadline)
{
	struct lite_slot *s = &link->slot[slot];

	s->call = call;
	s->waiter = waiter;
	s->deadline = deadline;
	lite_link_arm(link, slot);
}

/* the armed slot was sent, unless @err: then the call never was, or is over */
static int sent(struct lite_link *link, unsigned int slot, u32 xid,
		struct lite_call *call, int err)
{
	if (!err)
		return 0;
	if (err != -EAGAIN) {
		lite_link_break(link, -ECONNRESET);
		err = -ENOTCONN;
	}
	/* else it was ended meanwhile, and done was called */
	if (!lite_link_unarm(link, slot, xid) && call)
		return 0;
	return err;
}

/* lite_transport.send, with what may go wrong on the way */
static int send(struct lite_link *link, unsigned int slot, u32 len)
{
	struct lite_node *node = link->peer->node;
	int err;

	if (lite_fault(node, LITE_FAULT_DROP))
		return 0;
	if (lite_fault(node, LITE_FAULT_CORRUPT))
		lite_fault_corrupt(link->slot[slot].buf,
				   sizeof(struct lite_req_hdr));
	err = link->ops->send(link, slot, len);
	if (lite_fault(node, LITE_FAULT_QP))
		lite_link_break(link, -ECONNRESET);
	return err;
}

/* @len bytes are built in @slot: send them for @call, or one-way for NULL */
static int arm_and_send(struct lite_link *link, unsigned int slot, u32 len,
			struct lite_call *call, struct completion *waiter,
			unsigned long deadline)
{
	u32 xid = link->slot[slot].xid;

	arm(link, slot, call, waiter, deadline);
	return sent(link, slot, xid, call, send(link, slot, len));
}

static int arm_and_move(struct lite_link *link, unsigned int slot,
			struct lite_call *call,
			const struct lite_wire_seg *seg,
			const struct lite_sge *sge, bool write)
{
	struct lite_slot *s = &link->slot[slot];
	u32 xid = s->xid;

	s->move = true;
	s->op = 0;
	s->tx = write ? sge->len : 0;
	s->rx = write ? 0 : sge->len;
	arm(link, slot, call, NULL, deadline_of(call));
	return sent(link, slot, xid, call,
		    link->ops->move(link, slot, seg, sge, write));
}

static int call_start(struct lite_peer *peer, struct lite_call *call,
		      struct completion *waiter, unsigned long deadline)
{
	struct lite_link *link;
	int slot, len, err;

	if (call->class >= LITE_CLASS_NR)
		return -EINVAL;
	link = &peer->link[call->class];
	call->rsp_len = 0;
	rcu_read_lock(); /* the connection stays: see link.c */
	slot = lite_link_get_slot(link);
	if (slot < 0) {
		err = slot;
		goto out_unlock;
	}
	len = build(link, call, &link->slot[slot], 0);
	if (len < 0) {
		lite_link_put_slot(link, slot);
		err = len;
		goto out_unlock;
	}
	err = arm_and_send(link, slot, len, call, waiter, deadline);
out_unlock:
	rcu_read_unlock();
	return err;
}

/**
 * lite_call_send() - lite_call_start() with a deadline that is set already
 * @peer: whom
 * @call: what
 * @deadline: jiffies
 *
 * Context: any but hard interrupt. Return: as lite_call_start().
 */
int lite_call_send(struct lite_peer *peer, struct lite_call *call,
		   unsigned long deadline)
{
	return call_start(peer, call, NULL, deadline);
}

/* see include/lego/lite.h */
int lite_call_start(struct lite_peer *peer, struct lite_call *call)
{
	return call_start(peer, call, NULL, deadline_of(call));
}
EXPORT_SYMBOL_NS_GPL(lite_call_start, LITE_RPC);

static int move_start(struct lite_peer *peer, const struct lite_wire_seg *seg,
		      struct lite_call *call, const struct lite_sge *sge,
		      bool write)
{
	struct lite_link *link;
	u64 len;
	int slot, err;

	if (call->class >= LITE_CLASS_NR || call->nr_in + call->nr_out != 1)
		return -EINVAL;
	err = lite_sge_check(peer->node, sge, 1, 0, &len);
	if (err || len > LITE_MOVE_MAX || len != le32_to_cpu(seg->len))
		return -EINVAL;
	link = &peer->link[call->class];
	rcu_read_lock();
	slot = lite_link_get_slot(link);
	err = slot < 0 ? slot : 0;
	if (!err)
		err = arm_and_move(link, slot, call, seg, sge, write);
	rcu_read_unlock();
	return err;
}

/* see include/lego/lite.h */
int lite_read_start(struct lite_peer *peer, const struct lite_wire_seg *seg,
		    struct lite_call *call)
{
	return move_start(peer, seg, call, call->out, false);
}
EXPORT_SYMBOL_NS_GPL(lite_read_start, LITE_RPC);

/* see include/lego/lite.h */
int lite_write_start(struct lite_peer *peer, const struct lite_wire_seg *seg,
		     struct lite_call *call)
{
	return move_start(peer, seg, call, call->in, true);
}
EXPORT_SYMBOL_NS_GPL(lite_write_start, LITE_RPC);

/* see include/lego/lite.h */
int lite_notify(struct lite_peer *peer, u8 class, u16 op, const void *req,
		u32 len)
{
	struct lite_call call = { .op = op, .req = req, .req_len = len };
	struct lite_link *link;
	int slot, err;

	if (class >= LITE_CLASS_NR)
		return -EINVAL;
	link = &peer->link[class];
	rcu_read_lock();
	slot = lite_link_get_slot(link);
	if (slot < 0) {
		err = slot;
		goto out_unlock;
	}
	err = build(link, &call, &link->slot[slot], LITE_REQ_ONEWAY);
	if (err < 0) {
		lite_link_put_slot(link, slot);
		goto out_unlock;
	}
	err = arm_and_send(link, slot, err, NULL, NULL, 0);
out_unlock:
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_NS_GPL(lite_notify, LITE_RPC);

static void poll_once(struct lite_link *link)
{
	rcu_read_lock(); /* as for sending */
	if (lite_link_is_up(link) && link->ops->poll)
		link->ops->poll(link);
	rcu_read_unlock();
}

/* see include/lego/lite.h */
void lite_call_spin(struct lite_peer *peer, u8 class, bool (*over)(void *arg),
		    void *arg)
{
	struct lite_link *link = &peer->link[class];
	u64 ewma = READ_ONCE(link->ewma_ns);
	u64 limit, end;

	limit = class == LITE_CLASS_DEMAND ? READ_ONCE(lite_spin_demand_us) :
					     READ_ONCE(lite_spin_us);
	if (!ewma || ewma >= limit * NSEC_PER_USEC)
		return;
	end = local_clock() + 2 * ewma;
	while (!over(arg) && single_task_running() && !need_resched() &&
	       local_clock() < end) {
		poll_once(link);
		cpu_relax();
	}
}
EXPORT_SYMBOL_NS_GPL(lite_call_spin, LITE_RPC);

static bool is_complete(void *done)
{
	return completion_done(done);
}

/* its time is over at @end, if it is not over before */
static void hurry(struct lite_peer *peer, struct lite_call *call,
		  unsigned long end)
{
	struct lite_link *link;
	unsigned long flags;
	unsigned int i;

	if (call->class >= LITE_CLASS_NR)
		return; /* it never began */
	link = &peer->link[call->class];
	spin_lock_irqsave(&link->lock, flags);
	if (time_after(call->deadline, end))
		call->deadline = end; /* it may be in the queue */
	for (i = 0; i < LITE_SLOTS; i++) {
		struct lite_slot *s = &link->slot[i];

		/* one that is expired is being cancelled: the peer's time */
		if (s->state == LITE_SLOT_BUSY && s->call == call &&
		    !s->expired && time_after(s->deadline, end))
			s->deadline = end;
	}
	spin_unlock_irqrestore(&link->lock, flags);
}

/**
 * lite_calls_wait() - wait for calls that cannot be taken back
 * @peer: whose, each; held
 * @call: started or queued, each
 * @nr: how many
 * @done: completed when all are over
 *
 * The peers may write to their memory till they have answered: the calls, or
 * their cancels. Who is killed has their time be over in KILLED_MS.
 * Context: process, bounded by the calls' time-outs.
 */
void lite_calls_wait(struct lite_peer *const *peer, struct lite_call *call,
		     unsigned int nr, struct completion *done)
{
	unsigned long end;
	unsigned int i;

	if (!wait_for_completion_killable(done))
		return;
	end = jiffies + msecs_to_jiffies(KILLED_MS);
	/* one on its way from the queue to a slot is found the next time */
	do {
		for (i = 0; i < nr; i++)
			hurry(peer[i], &call[i], end);
	} while (!wait_for_completion_timeout(done, LITE_TICK));
	for (i = 0; i < nr; i++)
		if (call[i].status == -ETIMEDOUT)
			call[i].status = -EINTR;
}

/* @call is started: wait till it is over */
static void wait_over(struct lite_peer *peer, struct lite_call *call,
		      struct completion *done)
{
	struct lite_link *link = &peer->link[call->class];

	lite_call_spin(peer, call->class, is_complete, done);
	if (call->nokill) {
		wait_for_completion(done); /* bounded by the time-out */
		return;
	}
	if (call->nr_in || call->nr_out) {
		lite_calls_wait(&peer, call, 1, done);
		return;
	}
	if (!wait_for_completion_killable(done))
		return;
	if (lite_link_abandon(link, call))
		call->status = -EINTR;
	else
		wait_for_completion(done);
}

/*
 * Start it, connecting and waiting for a slot. A quarter of its time at least
 * is the call's own: one that times out just after it was sent would, if the
 * peer may read its memory, reset the link of all others, too.
 */
static int start_bounded(struct lite_peer *peer, struct lite_call *call,
			 struct completion *done)
{
	unsigned long deadline = jiffies + time_of(call) * 3 / 4;
	unsigned long end = jiffies + time_of(call);
	int err;

	for (;;) {
		err = call_start(peer, call, done, end);
		if (err != -ENOTCONN && err != -EAGAIN)
			return err;
		if (time_after_eq(jiffies, deadline))
			return err == -EAGAIN ? -ETIMEDOUT : err;
		if (err == -ENOTCONN)
			err = lite_link_connect(&peer->link[call->class],
						deadline);
		else if (lite_peer_wait_slot(peer, call->class) == -EINTR)
			err = -EINTR;
		else
			err = 0;
		if (err == -EINTR && call->nokill)
			msleep(RETRY_MS);
		else if (err)
			return err;
	}
}

/* see include/lego/lite.h */
int lite_call(struct lite_peer *peer, struct lite_call *call)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct lite_worker *worker;
	int err;

	might_sleep();
	if (call->class >= LITE_CLASS_NR)
		return -EINVAL;
	worker = lite_worker_aside();
	err = start_bounded(peer, call, &done);
	if (err)
		call->status = err;
	else
		wait_over(peer, call, &done);
	lite_worker_back(worker);
	cond_resched(); /* over loop one may never have slept */
	return call->status;
}
EXPORT_SYMBOL_NS_GPL(lite_call, LITE_RPC);
