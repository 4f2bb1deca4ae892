// SPDX-License-Identifier: GPL-2.0
/* Messages that need not be right, for tests. */
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/jiffies.h>

#include <lego/raw.h>

#include "lite_rpc.h"

#define INJECT_MS 3000

/* @slot is ours: put the message there and send it */
static int send(struct lite_link *link, unsigned int slot,
		struct lite_call *call, const struct lite_raw *raw)
{
	struct lite_slot *s = &link->slot[slot];
	struct lite_req_hdr *hdr = s->buf;
	u32 xid = s->xid;
	int err;

	memcpy(s->buf, raw->msg, raw->len);
	if (raw->len < sizeof(*hdr))
		memset(s->buf + raw->len, 0, sizeof(*hdr) - raw->len);
	else if (!raw->keep_xid)
		hdr->xid = cpu_to_le32(xid);
	s->op = le16_to_cpu(hdr->op);
	s->tx = raw->len;
	s->rx = 0;
	s->call = call;
	s->waiter = NULL;
	if (call)
		s->deadline =
			jiffies +
			msecs_to_jiffies(call->timeout_ms ?: LITE_TIMEOUT_MS);
	lite_link_arm(link, slot);
	err = link->ops->raw(link, slot, raw);
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

/* see include/lego/raw.h */
int lite_raw_start(struct lite_peer *peer, struct lite_call *call,
		   const struct lite_raw *raw)
{
	u8 class = call ? call->class : LITE_CLASS_CONTROL;
	struct lite_link *link;
	int slot, err;

	if (raw->len > LITE_SLOT_SIZE || class >= LITE_CLASS_NR)
		return -EINVAL;
	link = &peer->link[class];
	rcu_read_lock(); /* the connection stays: see link.c */
	slot = lite_link_get_slot(link);
	err = slot < 0 ? slot : send(link, slot, call, raw);
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_NS_GPL(lite_raw_start, LITE_RPC_TEST);

/* see include/lego/raw.h */
void lite_raw_reply(struct lite_req *req, const struct lite_raw *raw)
{
	struct lite_conn *conn = req->conn;
	struct lite_rsp_hdr *hdr = req->rsp;

	req->release = NULL;
	if (raw->len > LITE_SLOT_SIZE) {
		conn->ops->drop(req);
	} else {
		memcpy(req->rsp, raw->msg, raw->len);
		if (raw->len >= sizeof(*hdr) && !raw->keep_xid)
			hdr->xid = cpu_to_le32(req->xid);
		conn->ops->raw_reply(req, raw);
	}
	lite_conn_replied(conn);
}
EXPORT_SYMBOL_NS_GPL(lite_raw_reply, LITE_RPC_TEST);

/* see include/lego/raw.h */
int lite_raw_segment(struct lite_peer *peer, u8 class,
		     const struct lite_sge *sge, struct lite_wire_seg *seg)
{
	struct lite_link *link = &peer->link[class];
	int err = -ENOTCONN;

	rcu_read_lock();
	if (lite_link_is_up(link))
		err = link->ops->encode(sge, 1, sge->mr->access, seg, 1);
	rcu_read_unlock();
	return min(err, 0);
}
EXPORT_SYMBOL_NS_GPL(lite_raw_segment, LITE_RPC_TEST);

/**
 * struct raw_call - a call that is waited for
 * @call: the call
 * @over: it has ended
 */
struct raw_call {
	struct lite_call call;
	struct completion over;
};

static void raw_done(struct lite_call *call)
{
	complete(&container_of(call, struct raw_call, call)->over);
}

/**
 * lite_raw_call() - lite_raw_start(), and wait for what comes of it
 * @peer: whom, in class control
 * @raw: the request
 *
 * Context: process, may sleep, bounded and killable.
 * Return: as from lite_call().
 */
int lite_raw_call(struct lite_peer *peer, const struct lite_raw *raw)
{
	struct raw_call rc = {
		.call.timeout_ms = INJECT_MS,
		.call.done = raw_done,
	};
	int err;

	init_completion(&rc.over);
	err = lite_peer_connect(peer, LITE_CLASS_CONTROL);
	if (!err)
		err = lite_raw_start(peer, &rc.call, raw);
	if (err)
		return err;
	if (!wait_for_completion_killable(&rc.over))
		return rc.call.status;
	if (lite_link_abandon(&peer->link[LITE_CLASS_CONTROL], &rc.call))
		return -EINTR;
	wait_for_completion(&rc.over); /* somebody is just ending it */
	return rc.call.status;
}
