// SPDX-License-Identifier: GPL-2.0
/*
 * Conns: the served end of a link, and how requests get from it to handlers.
 *
 * A conn that dies (the link broke, the node stops, the peer sent nonsense)
 * takes no new request, and stays in node->conns until the last handler of its
 * requests has replied. A peer that connects again is served only after that:
 * so a request that is sent again on the new link can never be overtaken by
 * its first copy. A conn whose peer has still to prove a key is in the list,
 * too, but is nobody's successor and nobody waits for it.
 *
 * @active counts requests that have no answer yet, and one more till the conn is
 * dead. Who brings it to nothing queues close_work: so no work waits for
 * handlers that perhaps need another work of the same queue to end.
 */
#include <linux/gfp.h>
#include <linux/slab.h>

#include "lite_rpc.h"
#include "trace.h"

static void free_requests(struct lite_conn *conn)
{
	unsigned int i;

	for (i = 0; i < LITE_SLOTS; i++) {
		free_page((unsigned long)conn->req[i].msg);
		free_page((unsigned long)conn->req[i].rsp);
	}
	kvfree(conn->req);
}

static void conn_free_work(struct work_struct *work)
{
	struct lite_conn *conn =
		container_of(work, struct lite_conn, free_work);
	struct lite_node *node = conn->node;

	conn->ops->free(conn);
	free_requests(conn);
	kfree(conn);
	lite_node_put(node);
}

static void conn_release(struct kref *ref)
{
	struct lite_conn *conn = container_of(ref, struct lite_conn, ref);

	queue_work(conn->node->q->conn, &conn->free_work);
}

/**
 * lite_conn_get() - one more user
 * @conn: conn
 *
 * Context: any.
 */
void lite_conn_get(struct lite_conn *conn)
{
	kref_get(&conn->ref);
}

/**
 * lite_conn_put() - one less
 * @conn: conn; freed by a work after the last
 *
 * Context: any.
 */
void lite_conn_put(struct lite_conn *conn)
{
	kref_put(&conn->ref, conn_release);
}

/*
 * Is @other a link that the peer of @conn has had before? One that it asked for
 * by our address alone is another than one to this life of ours.
 */
static bool is_former(const struct lite_conn *other,
		      const struct lite_conn *conn)
{
	return other != conn && other->admitted &&
	       other->class == conn->class && other->want == conn->want &&
	       other->peer_incarnation == conn->peer_incarnation;
}

/* @conn is no more: those that waited for it look whether there are others */
static void resume_younger(struct lite_conn *conn)
{
	struct lite_conn *other;

	lockdep_assert_held(&conn->node->lock);
	list_for_each_entry(other, &conn->node->conns, list)
		if (other->held_back && is_former(conn, other) &&
		    other->ops->resume)
			other->ops->resume(other);
}

static void conn_close_work(struct work_struct *work)
{
	struct lite_conn *conn =
		container_of(work, struct lite_conn, close_work);
	struct lite_node *node = conn->node;
	unsigned long flags;

	conn->ops->close(conn);
	spin_lock_irqsave(&node->lock, flags);
	list_del_init(&conn->list);
	resume_younger(conn);
	spin_unlock_irqrestore(&node->lock, flags);
	wake_up_all(&node->conn_wait);
	lite_conn_put(conn);
}

/**
 * lite_conn_close() - no new requests; when the running ones are answered, gone
 * @conn: conn, published; closing it again is no harm
 *
 * Context: any.
 */
void lite_conn_close(struct lite_conn *conn)
{
	if (xchg(&conn->dead, true))
		return;
	wake_up_all(&conn->node->conn_wait);
	lite_conn_replied(conn);
}

/**
 * lite_conn_replied() - a request of a conn has been answered, or was none
 * @conn: conn; may be gone on return
 *
 * Context: any.
 */
void lite_conn_replied(struct lite_conn *conn)
{
	/* node->conns has a reference till close_work drops it */
	if (atomic_dec_and_test(&conn->active))
		queue_work(conn->node->q->conn, &conn->close_work);
}

/**
 * lite_conn_create() - the served end of a new connection
 * @node: the server
 * @ops: transport
 * @class: enum lite_class
 * @peer_id: the caller's node id, 0 if it has none yet
 * @peer_incarnation: the caller's
 * @want: which incarnation of ours it asked for, 0 for any
 * @peer_name: for logs
 *
 * Context: process, may sleep.
 * Return: a conn with one reference, not published yet; ERR_PTR.
 */
struct lite_conn *lite_conn_create(struct lite_node *node,
				   const struct lite_transport *ops, u8 class,
				   u32 peer_id, u64 peer_incarnation, u64 want,
				   const char *peer_name)
{
	struct lite_conn *conn;
	unsigned int i;

	if (lite_fault(node, LITE_FAULT_ALLOC))
		return ERR_PTR(-ENOMEM);
	conn = kzalloc(sizeof(*conn), GFP_KERNEL);
	if (!conn)
		return ERR_PTR(-ENOMEM);
	conn->req = kvcalloc(LITE_SLOTS, sizeof(*conn->req), GFP_KERNEL);
	if (!conn->req)
		goto err_free;
	for (i = 0; i < LITE_SLOTS; i++) {
		struct lite_req *req = &conn->req[i];

		req->conn = conn;
		req->slot = i;
		INIT_LIST_HEAD(&req->list);
		spin_lock_init(&req->lock);
		req->msg = (void *)__get_free_page(GFP_KERNEL);
		/* not zeroed by handlers, and goes over the wire */
		req->rsp = (void *)get_zeroed_page(GFP_KERNEL);
		if (!req->msg || !req->rsp)
			goto err_free_requests;
	}
	kref_init(&conn->ref);
	INIT_LIST_HEAD(&conn->list);
	INIT_LIST_HEAD(&conn->pending);
	INIT_LIST_HEAD(&conn->ready);
	conn->ops = ops;
	conn->class = class;
	conn->peer_id = peer_id;
	conn->peer_incarnation = peer_incarnation;
	conn->want = want;
	strscpy(conn->peer_name, peer_name, sizeof(conn->peer_name));
	atomic_set(&conn->active, 1);
	INIT_WORK(&conn->close_work, conn_close_work);
	INIT_WORK(&conn->free_work, conn_free_work);
	lite_node_get(node);
	conn->node = node;
	return conn;

err_free_requests:
	free_requests(conn);
err_free:
	kfree(conn);
	return ERR_PTR(-ENOMEM);
}

/* in node->conns: now the youngest of its peer's */
static void admit(struct lite_conn *conn)
{
	struct lite_node *node = conn->node;
	struct lite_conn *other;

	lockdep_assert_held(&node->lock);
	list_for_each_entry(other, &node->conns, list) {
		if (!is_former(other, conn))
			continue;
		WRITE_ONCE(other->abandoned, true);
		lite_conn_close(other);
	}
	conn->admitted = true;
	list_move_tail(&conn->list, &node->conns);
}

/**
 * lite_conn_publish() - let the node know of it
 * @conn: conn
 * @admit_it: nothing has to be proved; else lite_conn_admit() comes later
 *
 * Takes a reference for node->conns.
 * Context: process.
 * Return: 0, or -ECONNREFUSED when the node stops.
 */
int lite_conn_publish(struct lite_conn *conn, bool admit_it)
{
	struct lite_node *node = conn->node;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&node->lock, flags);
	if (node->stopping) {
		err = -ECONNREFUSED;
	} else {
		lite_conn_get(conn);
		list_add_tail(&conn->list, &node->conns);
		if (admit_it)
			admit(conn);
	}
	spin_unlock_irqrestore(&node->lock, flags);
	return err;
}

/**
 * lite_conn_admit() - its peer is who it says
 * @conn: published conn
 *
 * Older ones of the same peer and class are closed: their link is dead, or the
 * peer would not have come again.
 * Context: any.
 */
void lite_conn_admit(struct lite_conn *conn)
{
	struct lite_node *node = conn->node;
	unsigned long flags;

	spin_lock_irqsave(&node->lock, flags);
	if (!list_empty(&conn->list)) /* else it has died meanwhile */
		admit(conn);
	spin_unlock_irqrestore(&node->lock, flags);
}

/**
 * lite_conn_has_elder() - are handlers of the peer's former link still running
 * @conn: admitted conn
 *
 * The first request is not served before there is none: conn->ops->resume(), or
 * node->conn_wait, tells when to look again.
 * Context: any.
 * Return: true if so.
 */
bool lite_conn_has_elder(struct lite_conn *conn)
{
	struct lite_node *node = conn->node;
	struct lite_conn *other;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(other, &node->conns, list) {
		if (other == conn)
			break;
		found |= is_former(other, conn);
	}
	conn->held_back = found;
	spin_unlock_irqrestore(&node->lock, flags);
	return found;
}

/**
 * lite_conn_from() - is a node connected to us
 * @node: we
 * @incarnation: who
 *
 * Context: any. Return: true if so, over any class.
 */
bool lite_conn_from(struct lite_node *node, u64 incarnation)
{
	struct lite_conn *conn;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(conn, &node->conns, list)
		found |= conn->peer_incarnation == incarnation &&
			 conn->admitted && !READ_ONCE(conn->dead);
	spin_unlock_irqrestore(&node->lock, flags);
	return found;
}

/**
 * lite_conn_heard() - has a node asked us anything lately
 * @node: we
 * @incarnation: who
 * @since: jiffies
 *
 * Context: any. Return: true if so, over any class.
 */
bool lite_conn_heard(struct lite_node *node, u64 incarnation,
		     unsigned long since)
{
	struct lite_conn *conn;
	unsigned long flags, heard;
	bool found = false;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(conn, &node->conns, list) {
		heard = READ_ONCE(conn->heard);
		found |= conn->peer_incarnation == incarnation &&
			 conn->admitted && heard && time_after_eq(heard, since);
	}
	spin_unlock_irqrestore(&node->lock, flags);
	return found;
}

static bool has_conns(struct lite_node *node, const struct lite_transport *ops)
{
	struct lite_conn *conn;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(conn, &node->conns, list)
		found |= !ops || conn->ops == ops;
	spin_unlock_irqrestore(&node->lock, flags);
	return found;
}

/**
 * lite_conns_close() - serve nobody any more
 * @node: node; no new conns are published
 * @ops: only those of this transport, NULL for all
 *
 * Context: process; waits for running handlers.
 */
void lite_conns_close(struct lite_node *node,
		      const struct lite_transport *ops)
{
	struct lite_conn *conn;
	unsigned long flags;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(conn, &node->conns, list)
		if (!ops || conn->ops == ops)
			lite_conn_close(conn);
	spin_unlock_irqrestore(&node->lock, flags);
	while (!wait_event_timeout(node->conn_wait, !has_conns(node, ops),
				   10 * HZ))
		pr_warn("%s: still waiting for handlers\n", node->name);
}

static const struct lite_handler *find_handler(struct lite_node *node, u16 op)
{
	const struct lite_handler *h = lite_own_handler(op);

	if (!h && LITE_OP_SVC(op) == node->service &&
	    LITE_OP_NR(op) < node->nr_handlers)
		h = &node->handlers[LITE_OP_NR(op)];
	return h && h->fn ? h : NULL;
}

static bool sum_segs(const struct lite_wire_seg *seg, unsigned int nr,
		     u32 *sum)
{
	u64 len = 0;

	for (; nr; nr--, seg++) {
		if (!seg->len)
			return false;
		len += le32_to_cpu(seg->len);
	}
	*sum = len;
	return len <= U32_MAX;
}

/*
 * Check a message that is now our own copy, and fill in the request.
 * Return: enum lite_status.
 */
static u32 parse(struct lite_req *req, u32 len)
{
	const struct lite_req_hdr *hdr = req->msg;
	const struct lite_handler *h;
	u32 segs;

	if (le16_to_cpu(hdr->version) != LITE_VERSION)
		return LITE_ST_BADVERSION;
	req->desc = lite_op_desc(req->op);
	h = find_handler(req->conn->node, req->op);
	if (!req->desc || !h)
		return LITE_ST_BADOP;
	req->fn = h->fn;
	if (req->flags & ~LITE_REQ_ONEWAY)
		return LITE_ST_INVAL;
	if (req->flags & LITE_REQ_ONEWAY && !(req->desc->flags & LITE_OPF_ONEWAY))
		return LITE_ST_BADOP;
	if (hdr->nr_in > LITE_MAX_SEGS || hdr->nr_out > LITE_MAX_SEGS)
		return LITE_ST_BADLEN;
	segs = (hdr->nr_in + hdr->nr_out) * sizeof(*req->seg);
	if (len - sizeof(*hdr) < segs ||
	    le32_to_cpu(hdr->len) != len - sizeof(*hdr) - segs)
		return LITE_ST_BADLEN;
	req->len = le32_to_cpu(hdr->len);
	if (req->len < req->desc->req_min || req->len > req->desc->req_max)
		return LITE_ST_BADLEN;
	req->nr_in = hdr->nr_in;
	req->nr_out = hdr->nr_out;
	req->seg = (const void *)(hdr + 1);
	req->payload = req->seg + req->nr_in + req->nr_out;
	if (!sum_segs(req->seg, req->nr_in, &req->in_len) ||
	    !sum_segs(req->seg + req->nr_in, req->nr_out, &req->out_len))
		return LITE_ST_BADLEN;
	return LITE_ST_OK;
}

static void refuse(struct lite_req *req, u32 status)
{
	struct lite_conn *conn = req->conn;

	conn->refused++;
	atomic64_inc(&conn->node->refused);
	pr_warn_ratelimited("%s: refused request 0x%04x from %s: error %d\n",
			    conn->node->name, req->op, conn->peer_name,
			    lite_status_to_errno(status));
	lite_req_reply(req, lite_status_to_errno(status), 0);
}

static int bad_request(struct lite_conn *conn, unsigned int slot, u32 len)
{
	pr_warn_ratelimited("%s: malformed request from %s (slot %u, %u bytes), link reset\n",
			    conn->node->name, conn->peer_name, slot, len);
	atomic64_inc(&conn->node->violations);
	return -EPROTO;
}

/**
 * lite_conn_rx() - a request has come
 * @conn: conn, with a reference of the caller's
 * @slot: its slot, as the peer says
 * @buf: the message, maybe in memory the peer can write to
 * @len: its bytes
 * @defer: run even atomic handlers in a worker
 *
 * Context: any but hard interrupt.
 * Return: 0: it will be answered. -ESHUTDOWN: the conn is closed, dropped.
 *	-EPROTO: it cannot even be answered; the transport breaks the
 *	connection.
 */
int lite_conn_rx(struct lite_conn *conn, unsigned int slot, const void *buf,
		 u32 len, bool defer)
{
	const struct lite_req_hdr *hdr;
	struct lite_req *req;
	u32 status;

	if (slot >= LITE_SLOTS || len < sizeof(*hdr) || len > LITE_SLOT_SIZE ||
	    test_and_set_bit(slot, conn->busy))
		return bad_request(conn, slot, len);
	if (!atomic_inc_not_zero(&conn->active)) {
		clear_bit(slot, conn->busy);
		return -ESHUTDOWN;
	}
	if (READ_ONCE(conn->dead)) {
		clear_bit(slot, conn->busy);
		lite_conn_replied(conn);
		return -ESHUTDOWN;
	}
	req = &conn->req[slot];
	memcpy(req->msg, buf, len);
	hdr = req->msg;
	/* once more? Its segments are perhaps no longer the call's */
	if (le32_to_cpu(hdr->xid) == req->xid) {
		bad_request(conn, slot, len);
		clear_bit(slot, conn->busy);
		lite_conn_replied(conn);
		return -EPROTO;
	}
	req->op = le16_to_cpu(hdr->op);
	req->flags = le16_to_cpu(hdr->flags);
	req->desc = NULL;
	req->release = NULL;
	req->nr_in = 0;
	req->nr_out = 0;
	req->in_len = 0;
	req->out_len = 0;
	req->cancelled = false;
	/* from here it may be cancelled: pairs with lite_conn_cancel() */
	smp_store_release(&req->xid, le32_to_cpu(hdr->xid));
	WRITE_ONCE(conn->heard, jiffies);
	conn->requests++;
	atomic64_inc(&conn->node->served);
	status = parse(req, len);
	trace_lite_request(req, len, lite_status_to_errno(status));
	if (status) {
		refuse(req, status);
	} else if (req->desc->flags & LITE_OPF_ATOMIC && !defer) {
		local_bh_disable();
		req->fn(req);
		local_bh_enable();
	} else {
		lite_worker_add(req);
	}
	return 0;
}
