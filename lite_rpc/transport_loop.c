// SPDX-License-Identifier: GPL-2.0
/*
 * The loop transport: both ends are in this kernel. After nvmet's loop.c.
 *
 * Messages are built and checked as on a wire; only the copy is a memcpy, and
 * an atomic handler runs in the caller's context. What the server does to the
 * caller (copy its memory, reply) it does in an RCU read-side section in which
 * it has seen conn->tp, the caller's link; disconnect clears that and waits.
 */
#include <linux/highmem.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include <lego/raw.h>

#include "lite_rpc.h"

/* handlers may call, whose done may call...: the second one gets a worker */
static DEFINE_PER_CPU(unsigned int, loop_depth);

static int loop_connect(struct lite_link *link)
{
	struct lite_peer *peer = link->peer;
	struct lite_node *self = peer->node;
	struct lite_node *server = lite_node_find(peer->addr.text, self);
	struct lite_conn *conn;
	long left;
	int err;

	if (!server)
		return -ECONNREFUSED;
	err = -ESTALE;
	if (peer->incarnation && peer->incarnation != server->incarnation)
		goto err_put_node;
	conn = lite_conn_create(server, &lite_loop, link->class,
				lite_node_id(self), self->incarnation,
				peer->incarnation, self->addr.text);
	if (IS_ERR(conn)) {
		err = PTR_ERR(conn);
		goto err_put_node;
	}
	err = lite_conn_publish(conn, true);
	if (err)
		goto err_put_conn;
	left = wait_event_killable_timeout(server->conn_wait,
					   !lite_conn_has_elder(conn),
					   msecs_to_jiffies(LITE_CONNECT_MS));
	if (left <= 0) {
		err = left ? -EINTR : -ETIMEDOUT;
		lite_conn_close(conn);
		goto err_put_conn;
	}
	WRITE_ONCE(conn->tp, link);
	link->tp = conn;
	lite_node_put(server);
	return 0;

err_put_conn:
	lite_conn_put(conn);
err_put_node:
	lite_node_put(server);
	return err;
}

static void loop_disconnect(struct lite_link *link)
{
	struct lite_conn *conn = link->tp;

	WRITE_ONCE(conn->tp, NULL);
	synchronize_rcu(); /* copies and replies that saw the link */
	link->tp = NULL;
	lite_conn_close(conn);
	lite_conn_put(conn);
}

/* the server's side broke it, or lite_conn_close() after a disconnect */
static void loop_close(struct lite_conn *conn)
{
	struct lite_link *link;

	rcu_read_lock();
	link = READ_ONCE(conn->tp);
	if (link)
		lite_link_break(link, -ECONNRESET);
	rcu_read_unlock();
}

static void loop_free(struct lite_conn *conn)
{
}

static int deliver(struct lite_link *link, unsigned int slot, const void *buf,
		   u32 len)
{
	bool defer;
	int err;

	local_bh_disable(); /* and with it preemption, for loop_depth */
	defer = __this_cpu_inc_return(loop_depth) > 1;
	err = lite_conn_rx(link->tp, slot, buf, len, defer);
	__this_cpu_dec(loop_depth);
	local_bh_enable();
	return err;
}

static int loop_send(struct lite_link *link, unsigned int slot, u32 len)
{
	void *copy = NULL; /* to send it twice: after the first it may change */
	int err;

	if (lite_fault(link->peer->node, LITE_FAULT_DUPLICATE))
		copy = kmemdup(link->slot[slot].buf, len, GFP_ATOMIC);

	err = deliver(link, slot, link->slot[slot].buf, len);
	if (!err && copy)
		err = deliver(link, slot, copy, len);
	kfree(copy);
	/* as on a wire: it was sent, and then the connection is gone */
	if (err)
		lite_link_break(link, -ECONNRESET);
	return 0;
}

/*
 * The lock is that of pushes and the reply: after it nothing is copied. @check:
 * the call may have ended meanwhile; while it has not, no other request comes to
 * the slot, and one that the server does not know has yet to arrive.
 */
static int cancel(struct lite_link *link, unsigned int slot, u32 xid, bool check)
{
	struct lite_conn *conn = link->tp;
	unsigned long flags;
	struct lite_req *req;
	int what;

	if (slot >= LITE_SLOTS)
		return -EPROTO;
	req = &conn->req[slot];
	spin_lock_irqsave(&req->lock, flags);
	what = lite_conn_cancel(conn, slot, xid);
	/* after that look, or the slot could have got another one meanwhile */
	if (check && (smp_load_acquire(&req->xid) != xid ||
		      !lite_link_cancels(link, slot, xid)))
		what = 0;
	if (what > 0)
		WRITE_ONCE(req->cancelled, true);
	spin_unlock_irqrestore(&req->lock, flags);
	if (what > 0) {
		lite_req_withdraw(req); /* first: then the slot may be another's */
		lite_link_cancelled(link, slot, xid);
	}
	return what;
}

static void loop_cancel(struct lite_link *link, unsigned int slot, u32 xid)
{
	cancel(link, slot, xid, true);
}

static int loop_raw(struct lite_link *link, unsigned int slot,
		    const struct lite_raw *raw)
{
	u32 imm = LITE_IMM(LITE_IMM_REQUEST, slot, link->slot[slot].xid) ^
		  raw->imm;
	int err;

	if (LITE_IMM_TYPE(imm) == LITE_IMM_CANCEL)
		err = min(cancel(link, LITE_IMM_SLOT(imm), LITE_IMM_XID(imm),
				 false), 0);
	else
		err = deliver(link, LITE_IMM_SLOT(imm), link->slot[slot].buf,
			      raw->len);
	if (err)
		lite_link_break(link, -ECONNRESET);
	return 0;
}

static int loop_encode(const struct lite_sge *sge, unsigned int nr,
		       unsigned int access, struct lite_wire_seg *seg,
		       unsigned int room)
{
	unsigned int i;

	if (nr > room)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		seg[i].addr = cpu_to_le64(sge[i].off);
		seg[i].key = cpu_to_le32(sge[i].mr->loop_key);
		seg[i].len = cpu_to_le32(sge[i].len);
	}
	return nr;
}

static void loop_beat(struct lite_link *link, u16 nr)
{
	if (lite_conn_beat(link->tp))
		lite_link_beat_rx(link, nr);
}

/* @len bytes, all of them inside both regions */
static void copy_mr(struct lite_mr *to, u64 to_off, struct lite_mr *from,
		    u64 from_off, u64 len)
{
	while (len) {
		size_t t = offset_in_page(to_off), f = offset_in_page(from_off);
		size_t n = min_t(u64, len, PAGE_SIZE - max(t, f));

		memcpy_page(to->pages[to_off >> PAGE_SHIFT], t,
			    from->pages[from_off >> PAGE_SHIFT], f, n);
		to_off += n;
		from_off += n;
		len -= n;
	}
}

/*
 * Copy @len bytes between segments of @owner's, from @off in what they make
 * together, and local memory, from @done in what that makes. Both have that
 * many. Keys are of the whole kernel, but open no other node's memory: as on a
 * wire.
 */
static int copy_segs(const struct lite_node *owner,
		     const struct lite_wire_seg *seg, u64 off,
		     const struct lite_sge *sge, u64 done, u64 len, bool push)
{
	unsigned int access = push ? LITE_MR_WRITE : LITE_MR_READ;
	u64 seg_len, at, n;
	struct lite_mr *mr;

	while (done >= sge->len)
		done -= (sge++)->len;
	while (off >= le32_to_cpu(seg->len))
		off -= le32_to_cpu(seg++->len);
	while (len) {
		seg_len = le32_to_cpu(seg->len);
		n = min3(len, seg_len - off, sge->len - done);
		at = le64_to_cpu(seg->addr) + off;
		mr = lite_mr_by_key(le32_to_cpu(seg->key));
		if (!mr || mr->node != owner || !(mr->access & access) ||
		    at + n > (u64)mr->nr << PAGE_SHIFT || at + n < at)
			return -EINVAL;
		if (push)
			copy_mr(mr, at, sge->mr, sge->off + done, n);
		else
			copy_mr(sge->mr, sge->off + done, mr, at, n);
		len -= n;
		off += n;
		done += n;
		if (off == seg_len) {
			seg++;
			off = 0;
		}
		if (done == sge->len) {
			sge++;
			done = 0;
		}
	}
	return 0;
}

static int loop_move(struct lite_link *link, unsigned int slot,
		     const struct lite_wire_seg *seg,
		     const struct lite_sge *sge, bool write)
{
	const struct lite_conn *conn = link->tp;

	if (copy_segs(conn->node, seg, 0, sge, 0, sge->len, write))
		lite_link_break(link, -ECONNRESET); /* as on a wire */
	else
		lite_link_move_done(link, slot);
	return 0;
}

static int loop_pull(struct lite_req *req, u64 off, const struct lite_sge *sge,
		     unsigned int nr, u64 len)
{
	const struct lite_link *link;
	int err = -ECONNRESET;

	rcu_read_lock();
	link = READ_ONCE(req->conn->tp);
	if (link)
		err = copy_segs(link->peer->node, req->seg, off, sge, 0, len,
				false);
	rcu_read_unlock();
	return err;
}

static int push_piece(struct lite_req *req, u64 off, const struct lite_sge *sge,
		      u64 done, u64 len)
{
	const struct lite_link *link;
	int err = -ECONNRESET;

	rcu_read_lock();
	link = READ_ONCE(req->conn->tp);
	spin_lock_bh(&req->lock);
	if (link && req->cancelled)
		err = 0; /* as over a wire, it is not known here */
	else if (link)
		err = copy_segs(link->peer->node, req->seg + req->nr_in,
				off + done, sge, done, len, true);
	spin_unlock_bh(&req->lock);
	rcu_read_unlock();
	return err;
}

/* In pieces, as no bottom half runs meanwhile: programs may push much at once. */
static int loop_push(struct lite_req *req, u64 off, const struct lite_sge *sge,
		     unsigned int nr, u64 len)
{
	u64 done = 0, n;
	int err = 0;

	for (; done < len && !err; done += n) {
		n = min_t(u64, len - done, LITE_MOVE_MAX);
		err = push_piece(req, off, sge, done, n);
	}
	return err;
}

static void loop_reply(struct lite_req *req, u32 len)
{
	struct lite_conn *conn = req->conn;
	unsigned int slot = req->slot;
	u16 xid = req->xid;
	struct lite_rsp_hdr again = *(struct lite_rsp_hdr *)req->rsp;
	struct lite_link *link;
	unsigned long flags;

	/* pushes were copied when they were made */
	if (req->release)
		req->release(req->release_arg);
	if (lite_fault(conn->node, LITE_FAULT_QP))
		lite_conn_close(conn);
	rcu_read_lock();
	link = READ_ONCE(conn->tp);
	spin_lock_irqsave(&req->lock, flags);
	if (req->cancelled)
		len = 0;
	clear_bit_unlock(slot, conn->busy); /* req is the next one's from here */
	spin_unlock_irqrestore(&req->lock, flags);
	if (link && len)
		lite_link_rx(link, slot, conn->req[slot].rsp, len);
	else if (link)
		lite_link_credit(link, slot, xid);
	if (link && len && lite_fault(conn->node, LITE_FAULT_DUPLICATE))
		lite_link_rx(link, slot, &again, sizeof(again));
	rcu_read_unlock();
}

static void loop_raw_reply(struct lite_req *req, const struct lite_raw *raw)
{
	u32 imm = LITE_IMM(LITE_IMM_REPLY, req->slot, req->xid) ^ raw->imm;
	unsigned int slot = LITE_IMM_SLOT(imm);
	struct lite_conn *conn = req->conn;
	const void *msg = req->rsp;
	struct lite_link *link;

	rcu_read_lock();
	link = READ_ONCE(conn->tp);
	clear_bit_unlock(req->slot, conn->busy);
	if (link && LITE_IMM_TYPE(imm) == LITE_IMM_REPLY)
		lite_link_rx(link, slot, msg, raw->len);
	else if (link && LITE_IMM_TYPE(imm) == LITE_IMM_DONE)
		lite_link_rx_done(link, slot, LITE_IMM_XID(imm));
	else if (link && LITE_IMM_TYPE(imm) == LITE_IMM_CREDIT)
		lite_link_credit(link, slot, LITE_IMM_XID(imm));
	else if (link && LITE_IMM_TYPE(imm) == LITE_IMM_BEAT)
		lite_link_beat_rx(link, LITE_IMM_XID(imm));
	else if (link && LITE_IMM_TYPE(imm) == LITE_IMM_CANCEL)
		lite_link_cancelled(link, slot, LITE_IMM_XID(imm));
	else if (link)
		lite_link_break(link, -ECONNRESET);
	rcu_read_unlock();
}

static void loop_drop(struct lite_req *req)
{
	if (req->release)
		req->release(req->release_arg);
	clear_bit_unlock(req->slot, req->conn->busy);
}

/*
 * struct lite_transport within one kernel
 */
const struct lite_transport lite_loop = {
	.name = "loop",
	.connect = loop_connect,
	.disconnect = loop_disconnect,
	.send = loop_send,
	.raw = loop_raw,
	.move = loop_move,
	.encode = loop_encode,
	.beat = loop_beat,
	.cancel = loop_cancel,
	.pull = loop_pull,
	.push = loop_push,
	.reply = loop_reply,
	.raw_reply = loop_raw_reply,
	.drop = loop_drop,
	.close = loop_close,
	.free = loop_free,
};
