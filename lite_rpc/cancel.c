// SPDX-License-Identifier: GPL-2.0
/*
 * Cancels: a call whose time is over takes back the memory that it lent.
 *
 * Till a request is replied to, its server may write to the call's out segments.
 * So a call that waits no longer says that it does not (LITE_IMM_CANCEL). The
 * server answers from where it takes messages, whatever the handler does: what
 * that pushes goes nowhere from then on. With the answer the call is over and
 * its memory is its own. The slot is free when the handler has replied, of which
 * only the credit is sent (LITE_IMM_CREDIT); at once, if none has begun. Where
 * the server has replied before the cancel came there is nothing to answer: the
 * reply is on its way.
 *
 * Without an answer in CANCEL_MS the connection is reset, which takes memory
 * back, too, and ends the calls of all others. So it is at once
 *   - with a peer that is silent already,
 *   - for one-sided accesses: the peer knows nothing of them,
 *   - for calls with in segments. What their handler has pulled it may go on
 *     to store; a reset has the effect that it is over before the next request
 *     is served (conn.c), which might be the same call, tried again. Those with
 *     out segments alone read, and may be overtaken, as those without any may.
 */
#include <linux/jiffies.h>

#include "lite_rpc.h"

#define CANCEL_MS 1000

/**
 * lite_link_cancel_begin() - a call's time is over: may it be cancelled
 * @link: link
 * @slot: the call's
 *
 * Context: link->lock held.
 * Return: true: lite_link_cancel() is due; it has time till the slot's deadline.
 */
bool lite_link_cancel_begin(struct lite_link *link, unsigned int slot)
{
	struct lite_slot *s = &link->slot[slot];

	lockdep_assert_held(&link->lock);
	if (link->state != LITE_LINK_UP || s->move || s->call->nr_in)
		return false;
	s->cancel = true;
	s->deadline = jiffies + msecs_to_jiffies(CANCEL_MS);
	return true;
}

/**
 * lite_link_cancel() - ask the peer to write nothing more for a call
 * @link: link
 * @slot: after lite_link_cancel_begin()
 * @xid: the call's
 *
 * Context: process.
 */
void lite_link_cancel(struct lite_link *link, unsigned int slot, u32 xid)
{
	rcu_read_lock(); /* the connection stays: see link.c */
	if (lite_link_is_up(link) &&
	    !lite_fault(link->peer->node, LITE_FAULT_DROP))
		link->ops->cancel(link, slot, xid);
	rcu_read_unlock();
}

/**
 * lite_link_cancels() - is a call still to be cancelled
 * @link: link
 * @slot: the call's, or by now another's
 * @xid: the call's
 *
 * Context: any; inside a lock of the transport's that keeps the slot's next
 *	request behind the cancel.
 * Return: false: it has ended meanwhile.
 */
bool lite_link_cancels(struct lite_link *link, unsigned int slot, u32 xid)
{
	const struct lite_slot *s = &link->slot[slot];
	unsigned long flags;
	bool still;

	spin_lock_irqsave(&link->lock, flags);
	still = s->state == LITE_SLOT_BUSY && s->cancel && s->xid == xid;
	spin_unlock_irqrestore(&link->lock, flags);
	return still;
}

/**
 * lite_conn_cancel() - the caller of a request waits no longer
 * @conn: conn
 * @slot: the request's, as the peer says
 * @xid: low half of the request's xid, the same
 *
 * Context: any; inside a lock of the transport's, in which a reply clears the
 *	slot's bit in conn->busy, too, and looks at lite_req.cancelled.
 * Return: 1: set lite_req.cancelled and answer; 0: do nothing; -EPROTO: break
 *	the connection.
 */
int lite_conn_cancel(struct lite_conn *conn, unsigned int slot, u16 xid)
{
	const struct lite_req *req;

	WRITE_ONCE(conn->heard, jiffies);
	if (slot >= LITE_SLOTS)
		return -EPROTO;
	if (!test_bit(slot, conn->busy))
		return 0; /* its reply is on its way */
	req = &conn->req[slot];
	/* pairs with lite_conn_rx() */
	if ((u16)smp_load_acquire(&req->xid) != xid || req->cancelled ||
	    req->nr_in || req->flags & LITE_REQ_ONEWAY)
		return -EPROTO;
	return !lite_fault(conn->node, LITE_FAULT_DROP);
}

/**
 * lite_req_withdraw() - what was cancelled before a handler has begun needs none
 * @req: cancelled, and the peer was told; no other request comes to its slot
 *	before this returns
 *
 * Else those who try again would have a busy server do all for nothing that it
 * did not come to in time, and no slots left.
 * Context: any but hard interrupt, none of the transport's locks held.
 */
void lite_req_withdraw(struct lite_req *req)
{
	if (lite_worker_withdraw(req))
		lite_req_reply(req, -ETIMEDOUT, 0);
}
