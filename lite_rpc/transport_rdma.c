// SPDX-License-Identifier: GPL-2.0
/*
 * The rdma transport: one reliable queue pair per link, whatever the device.
 *
 * A request is one RDMA write with immediate data into its slot of the
 * server's ring. Its reply is a chain of work requests posted at once: the
 * writes of what the handler pushed, straight into the caller's registered
 * memory, then the write with immediate data of the reply proper. Reliable
 * queue pairs keep the order, so who sees the reply has the data. If it says no
 * more than "done", that is the immediate data of the last push: a page is
 * fetched by one packet each way, acknowledgements apart.
 *
 * When may a send buffer be used again? A reply in slot N says that request N
 * was received, and request N says that the reply before it was: so the
 * slot's owner may write to its buffer whenever it owns the slot. A packet
 * that is sent again carries what nobody looks at any more.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "rdma.h"

#define SMALL_WRS 2
#define SMALL_SGES 4
#define ALIVE_MS 5000
#define LAST_MS 3000

/**
 * struct lite_rreq - a request's part in the transport
 * @qp: whose
 * @req: request
 * @pushes: queued writes
 * @wr: where they are
 * @sge: where their local pieces are
 * @big: both, when they are many; kept for the next request of the slot
 * @list: in qp->pending
 * @len: of the reply
 * @rsp_wr: the reply
 * @rsp_sge: the reply
 */
struct lite_rreq {
	struct lite_qp *qp;
	struct lite_req *req;
	struct lite_wrs pushes;
	struct ib_rdma_wr wr[SMALL_WRS];
	struct ib_sge sge[SMALL_SGES];
	void *big;
	struct list_head list;
	u32 len;
	struct ib_rdma_wr rsp_wr;
	struct ib_sge rsp_sge;
};

/* ---- the caller's side ---- */

static int try_connect(struct lite_link *link, unsigned long deadline)
{
	struct lite_qp *qp;
	int err;

	qp = lite_qp_alloc(link->peer->node);
	if (!qp)
		return -ENOMEM;
	qp->link = link;
	err = lite_cm_connect(qp, deadline);
	if (err) {
		lite_qp_destroy(qp);
		lite_qp_free(qp);
		/* its end is not that of the next try */
		spin_lock_irq(&link->lock);
		link->doomed = false;
		spin_unlock_irq(&link->lock);
		return err;
	}
	link->tp = qp;
	return 0;
}

/*
 * As lite_peer_connect(): what else rdma_cm and devices say, as when one is taken
 * away meanwhile, is that the peer was not reached. Nor is it -ECONNRESET, which
 * for a call would mean that it was sent.
 */
static int connect_errno(int err)
{
	switch (err) {
	case 0:
	case -ESTALE:
	case -EINTR:
	case -ESHUTDOWN:
	case -EAFNOSUPPORT:
	case -ENOMEM:
		return err;
	}
	return lite_no_answer(err) && err != -ECONNRESET ? err : -EHOSTUNREACH;
}

/* rdma_cm repeats a message that was lost after 4 s: rather begin anew */
static int rdma_link_connect(struct lite_link *link)
{
	unsigned long half = msecs_to_jiffies(LITE_CONNECT_MS) / 2;
	unsigned long start = jiffies;
	int err;

	if (link->forge == LITE_FORGE_CROWD)
		return lite_auth_crowd(link, start + 2 * half);
	err = try_connect(link, start + half);
	if (err == -ETIMEDOUT || err == -ECONNRESET)
		err = try_connect(link, start + 2 * half);
	return connect_errno(err);
}

static void rdma_link_disconnect(struct lite_link *link)
{
	lite_qp_destroy(link->tp);
	lite_qp_free(link->tp);
	link->tp = NULL;
}

static int send_twice(struct lite_qp *qp, u32 imm, u32 len)
{
	struct ib_rdma_wr wr[2];
	struct ib_sge sge[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wr); i++)
		lite_qp_msg_wr(qp, &wr[i], &sge[i], imm, len);
	wr[0].wr.next = &wr[1].wr;
	return lite_qp_post(qp, &wr[0].wr, &wr[1].wr, 2, false, NULL, NULL);
}

/*
 * rxe sends from a tasklet. Raised with bottom halves off it runs when they
 * are on again, here; else it would wait for ksoftirqd to be scheduled.
 */
static int rdma_link_send(struct lite_link *link, unsigned int slot, u32 len)
{
	u32 imm = LITE_IMM(LITE_IMM_REQUEST, slot, link->slot[slot].xid);
	bool bh = !irqs_disabled();
	int err;

	if (bh)
		local_bh_disable();
	if (lite_fault(link->peer->node, LITE_FAULT_DUPLICATE))
		err = send_twice(link->tp, imm, len);
	else
		err = lite_qp_send(link->tp, imm, len);
	if (bh)
		local_bh_enable();
	return err;
}

/*
 * Both ways a send, for the same reason as in chain_reply(): no write is empty.
 * There are receives for it, more than for all slots: see recv_done().
 */
static void send_beat(struct lite_qp *qp, u16 nr)
{
	bool bh = !irqs_disabled();

	if (bh)
		local_bh_disable(); /* as in rdma_link_send() */
	lite_qp_send_closed(qp, LITE_IMM(LITE_IMM_BEAT, 0, nr), 0, false);
	if (bh)
		local_bh_enable();
}

static void rdma_link_beat(struct lite_link *link, u16 nr)
{
	send_beat(link->tp, nr);
}

/* Who ends the call meanwhile can post the slot's next request only behind it. */
static void rdma_link_cancel(struct lite_link *link, unsigned int slot, u32 xid)
{
	struct lite_qp *qp = link->tp;
	bool bh = !irqs_disabled();
	unsigned long flags;

	if (bh)
		local_bh_disable(); /* as in rdma_link_send() */
	spin_lock_irqsave(&qp->lock, flags);
	if (lite_link_cancels(link, slot, xid))
		lite_qp_send_imm_locked(qp, LITE_IMM(LITE_IMM_CANCEL, slot, xid));
	spin_unlock_irqrestore(&qp->lock, flags);
	if (bh)
		local_bh_enable();
}

static void rdma_link_poll(struct lite_link *link)
{
	lite_qp_poll(link->tp);
}

/* the access, and so all before it, is complete, or never will be */
static void move_done(void *arg)
{
	struct lite_slot *s = arg;
	struct lite_link *link = s->link;
	struct lite_qp *qp = s->tp;

	/* else nobody knows what has arrived: the link's reset ends the call */
	if (!READ_ONCE(qp->broken))
		lite_link_move_done(link, s - link->slot);
}

static int post_move(struct lite_link *link, unsigned int slot,
		     struct lite_wrs *w, const struct lite_wire_seg *seg,
		     const struct lite_sge *sge, bool write)
{
	const struct lite_rdma_node *rn = link->peer->node->rdma;
	bool bh = !irqs_disabled();
	struct ib_send_wr *last;
	int err;

	w->max_wr_sge = write ? rn->max_sges : rn->max_read_sges;
	err = lite_wrs_add(w, write ? IB_WR_RDMA_WRITE : IB_WR_RDMA_READ, seg,
			   0, sge, sge->len);
	if (err)
		return err;
	last = lite_wrs_chain(w);
	link->slot[slot].tp = link->tp;
	if (bh)
		local_bh_disable(); /* as in rdma_link_send() */
	err = lite_qp_post(link->tp, &w->wr[0].wr, last, w->nr_wr, true,
			   move_done, &link->slot[slot]);
	if (bh)
		local_bh_enable();
	return err;
}

/* more than a page: work requests for the device that takes one page in each */
static int rdma_link_move_big(struct lite_link *link, unsigned int slot,
			      const struct lite_wire_seg *seg,
			      const struct lite_sge *sge, bool write)
{
	struct {
		struct ib_sge local[LITE_MOVE_MAX / PAGE_SIZE + 1];
		struct ib_rdma_wr wr[LITE_MOVE_MAX / PAGE_SIZE + 1];
	} *room = kmalloc(sizeof(*room), GFP_ATOMIC | __GFP_NOWARN);
	struct lite_wrs w = {};
	int err;

	if (!room)
		return -EAGAIN;
	w.wr = room->wr;
	w.sge = room->local;
	w.max_wr = ARRAY_SIZE(room->wr);
	w.max_sge = ARRAY_SIZE(room->local);
	err = post_move(link, slot, &w, seg, sge, write);
	kfree(room); /* the device has its own copy */
	return err;
}

static int rdma_link_move(struct lite_link *link, unsigned int slot,
			  const struct lite_wire_seg *seg,
			  const struct lite_sge *sge, bool write)
{
	struct ib_sge local[2]; /* a page can lie across two */
	struct ib_rdma_wr wr[ARRAY_SIZE(local)];
	struct lite_wrs w = {
		.wr = wr,
		.sge = local,
		.max_wr = ARRAY_SIZE(wr),
		.max_sge = ARRAY_SIZE(local),
	};

	if (sge->len > PAGE_SIZE)
		return rdma_link_move_big(link, slot, seg, sge, write);
	return post_move(link, slot, &w, seg, sge, write);
}

static int rdma_link_encode(const struct lite_sge *sge, unsigned int nr,
			    unsigned int access, struct lite_wire_seg *seg,
			    unsigned int room)
{
	return lite_mr_encode(sge, nr, seg, room);
}

static void link_rx(struct lite_qp *qp, u32 imm, u32 len)
{
	unsigned int slot = LITE_IMM_SLOT(imm);

	if (!READ_ONCE(qp->open) && LITE_IMM_TYPE(imm) != LITE_IMM_HELLO) {
		if (!lite_auth_rx(qp, imm, len))
			return;
		goto violation;
	}
	switch (LITE_IMM_TYPE(imm)) {
	case LITE_IMM_HELLO:
		/* pairs with is_done() */
		smp_store_release(&qp->hello, true);
		wake_up_all(&qp->event);
		return;
	case LITE_IMM_REPLY:
		if (slot >= LITE_SLOTS || len > LITE_SLOT_SIZE)
			break;
		ib_dma_sync_single_for_cpu(qp->node->rdma->dev,
					   qp->ring_dma[slot], len,
					   DMA_FROM_DEVICE);
		lite_link_rx(qp->link, slot, qp->ring[slot], len);
		return;
	case LITE_IMM_DONE:
		lite_link_rx_done(qp->link, slot, LITE_IMM_XID(imm));
		return;
	case LITE_IMM_CREDIT:
		lite_link_credit(qp->link, slot, LITE_IMM_XID(imm));
		return;
	case LITE_IMM_BEAT:
		if (slot)
			break;
		lite_link_beat_rx(qp->link, LITE_IMM_XID(imm));
		return;
	case LITE_IMM_CANCEL:
		lite_link_cancelled(qp->link, slot, LITE_IMM_XID(imm));
		return;
	}
violation:
	atomic64_inc(&qp->node->violations);
	lite_qp_break(qp);
}

/* ---- the server's side ---- */

/*
 * What is not replied to under the lock will be without its pushes. Where there
 * is no room for the answer, there is no cancel.
 */
static int conn_cancel(struct lite_qp *qp, u32 imm)
{
	unsigned int slot = LITE_IMM_SLOT(imm);
	struct lite_req *req;
	unsigned long flags;
	bool told = false;
	int what;

	spin_lock_irqsave(&qp->lock, flags);
	what = lite_conn_cancel(qp->conn, slot, LITE_IMM_XID(imm));
	if (what > 0) {
		req = &qp->conn->req[slot];
		told = !lite_qp_send_imm_locked(qp, imm);
		if (told)
			WRITE_ONCE(req->cancelled, true);
	}
	spin_unlock_irqrestore(&qp->lock, flags);
	/* the slot's next request is a later completion than this one */
	if (told)
		lite_req_withdraw(req);
	return min(what, 0);
}

static void conn_rx(struct lite_qp *qp, u32 imm, u32 len)
{
	unsigned int slot = LITE_IMM_SLOT(imm);
	unsigned long flags;

	if (!READ_ONCE(qp->open)) {
		if (lite_auth_rx(qp, imm, len)) {
			lite_auth_refused(qp->node, qp->cm,
					  qp->conn->peer_name,
					  "sends what is no proof of a key");
			lite_qp_break(qp);
		}
		return;
	}
	if (LITE_IMM_TYPE(imm) == LITE_IMM_BEAT && !slot) {
		if (lite_conn_beat(qp->conn))
			send_beat(qp, LITE_IMM_XID(imm));
		return;
	}
	if (LITE_IMM_TYPE(imm) == LITE_IMM_CANCEL) {
		if (!conn_cancel(qp, imm))
			return;
		goto violation;
	}
	if (LITE_IMM_TYPE(imm) != LITE_IMM_REQUEST || slot >= LITE_SLOTS)
		goto violation;
	len = min_t(u32, len, LITE_SLOT_SIZE + 1);
	/*
	 * The last reply of this slot may be so fresh that who posted it has
	 * not cleared the bit yet: see rdma_conn_reply().
	 */
	if (test_bit(slot, qp->conn->busy)) {
		spin_lock_irqsave(&qp->lock, flags);
		spin_unlock_irqrestore(&qp->lock, flags);
	}
	ib_dma_sync_single_for_cpu(qp->node->rdma->dev, qp->ring_dma[slot],
				   min_t(u32, len, LITE_SLOT_SIZE),
				   DMA_FROM_DEVICE);
	if (lite_conn_rx(qp->conn, slot, qp->ring[slot], len, false) == -EPROTO)
		lite_qp_break(qp);
	return;

violation:
	pr_warn_ratelimited("%s: bad message from %s, link reset\n",
			    qp->node->name, qp->conn->peer_name);
	atomic64_inc(&qp->node->violations);
	lite_qp_break(qp);
}

/**
 * lite_rdma_rx() - a write with immediate data has come
 * @qp: queue pair
 * @imm: immediate data
 * @len: bytes written
 *
 * Context: softirq.
 */
void lite_rdma_rx(struct lite_qp *qp, u32 imm, u32 len)
{
	if (qp->link)
		link_rx(qp, imm, len);
	else
		conn_rx(qp, imm, len);
}

static void reset_pushes(struct lite_rreq *rr)
{
	rr->pushes = (struct lite_wrs){
		.wr = rr->wr,
		.sge = rr->sge,
		.max_wr = SMALL_WRS,
		.max_sge = SMALL_SGES,
		.max_wr_sge = rr->qp->node->rdma->max_sges,
	};
}

/* more pushes than most requests make */
static int grow_pushes(struct lite_rreq *rr)
{
	struct lite_wrs *w = &rr->pushes;
	struct ib_rdma_wr *wr;
	struct ib_sge *sge;

	if (w->max_wr == LITE_MAX_WRS)
		return -ENOSPC;
	if (lite_fault(rr->qp->node, LITE_FAULT_ALLOC))
		return -ENOMEM;
	if (!rr->big)
		rr->big = kmalloc(LITE_MAX_WRS * sizeof(*wr) +
				  LITE_MAX_SGES * sizeof(*sge),
				  GFP_ATOMIC | __GFP_NOWARN);
	if (!rr->big)
		return -ENOMEM;
	wr = rr->big;
	sge = rr->big + LITE_MAX_WRS * sizeof(*wr);
	memcpy(wr, w->wr, w->nr_wr * sizeof(*wr));
	memcpy(sge, w->sge, w->nr_sge * sizeof(*sge));
	w->wr = wr;
	w->sge = sge;
	w->max_wr = LITE_MAX_WRS;
	w->max_sge = LITE_MAX_SGES;
	return 0;
}

static int rdma_conn_push(struct lite_req *req, u64 off,
			  const struct lite_sge *sge, unsigned int nr, u64 len)
{
	const struct lite_wire_seg *seg = req->seg + req->nr_in;
	struct lite_rreq *rr = req->tp;
	int err;

	if (READ_ONCE(rr->qp->broken))
		return -ECONNRESET;
	err = lite_wrs_add(&rr->pushes, IB_WR_RDMA_WRITE, seg, off, sge, len);
	if (err != -ENOSPC)
		return err;
	err = grow_pushes(rr);
	return err ?: lite_wrs_add(&rr->pushes, IB_WR_RDMA_WRITE, seg, off,
				   sge, len);
}

/* as much of @len as there are work requests for; how much, or an error */
static s64 pull_part(struct lite_req *req, struct lite_wrs *w, u64 off,
		     const struct lite_sge *sge, u64 len)
{
	struct lite_rreq *rr = req->tp;
	struct ib_send_wr *last;
	int err;

	w->nr_wr = 0;
	w->nr_sge = 0;
	while ((err = lite_wrs_add(w, IB_WR_RDMA_READ, req->seg, off, sge,
				   len)) == -ENOSPC && len > PAGE_SIZE)
		len = round_up(len / 2, PAGE_SIZE);
	if (err)
		return err;
	last = lite_wrs_chain(w);
	err = lite_qp_post_wait(rr->qp, &w->wr[0].wr, last, w->nr_wr);
	return err ?: len;
}

static int rdma_conn_pull(struct lite_req *req, u64 off,
			  const struct lite_sge *sge, unsigned int nr, u64 len)
{
	struct lite_sge left[LITE_MAX_SEGS], *next = left;
	struct lite_rreq *rr = req->tp;
	struct lite_wrs w = {
		.max_wr = LITE_MAX_WRS,
		.max_sge = LITE_MAX_SGES,
		.max_wr_sge = rr->qp->node->rdma->max_read_sges,
	};
	int err = -ENOMEM;
	s64 n;

	if (lite_fault(rr->qp->node, LITE_FAULT_ALLOC))
		return err;
	memcpy(left, sge, nr * sizeof(*sge));
	w.wr = kmalloc_array(w.max_wr, sizeof(*w.wr), GFP_NOIO);
	w.sge = kmalloc_array(w.max_sge, sizeof(*w.sge), GFP_NOIO);
	if (!w.wr || !w.sge)
		goto out_free;
	err = 0;
	while (len) {
		n = pull_part(req, &w, off, next, len);
		if (n < 0) {
			err = n;
			break;
		}
		off += n;
		len -= n;
		for (; len && n >= next->len; next++)
			n -= next->len;
		next->off += n;
		next->len -= n;
	}
out_free:
	kfree(w.sge);
	kfree(w.wr);
	return err;
}

/*
 * The chain of a reply in @first and @last; how many there are. No write is
 * empty, though a credit and an end without data could be: 6.12's rxe, asked
 * again for an RDMA read after an empty write, has forgotten the region.
 */
static unsigned int chain_reply(struct lite_rreq *rr, struct ib_send_wr **first,
				struct ib_send_wr **last)
{
	const struct lite_req *req = rr->req;
	const struct lite_rsp_hdr *hdr = req->rsp;
	unsigned int nr = rr->pushes.nr_wr;
	u32 len = rr->len;
	u32 imm;

	if (req->cancelled) {
		nr = 0;
		len = 0;
	}
	if (nr) {
		*last = lite_wrs_chain(&rr->pushes);
		*first = &rr->pushes.wr[0].wr;
	}
	if (nr && len == sizeof(*hdr) && !hdr->status) {
		imm = LITE_IMM(LITE_IMM_DONE, req->slot, req->xid);
		(*last)->opcode = IB_WR_RDMA_WRITE_WITH_IMM;
		(*last)->ex.imm_data = cpu_to_be32(imm);
		return nr;
	}
	imm = LITE_IMM(len ? LITE_IMM_REPLY : LITE_IMM_CREDIT, req->slot,
		       req->xid);
	lite_qp_msg_wr(rr->qp, &rr->rsp_wr, &rr->rsp_sge, imm,
		       len ?: sizeof(*hdr));
	if (nr)
		(*last)->next = &rr->rsp_wr.wr;
	else
		*first = &rr->rsp_wr.wr;
	*last = &rr->rsp_wr.wr;
	return nr + 1;
}

/* the message once more, but only its header: the rest may change now */
static void post_again(struct lite_rreq *rr, __be32 imm)
{
	struct ib_rdma_wr wr;
	struct ib_sge sge;

	lite_qp_msg_wr(rr->qp, &wr, &sge, be32_to_cpu(imm),
		       sizeof(struct lite_rsp_hdr));
	lite_qp_post_locked(rr->qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
}

/*
 * Post a reply. The slot's bit is cleared under the lock, after the posting:
 * not before, or an impatient peer could change what is being posted; and a
 * peer that has the reply already is made to wait for the lock by conn_rx().
 */
static int post_reply(struct lite_rreq *rr)
{
	struct lite_qp *qp = rr->qp;
	struct lite_req *req = rr->req;
	struct ib_send_wr *first, *last;
	unsigned int nr;
	int err;

	lockdep_assert_held(&qp->lock);
	nr = chain_reply(rr, &first, &last);
	err = lite_qp_post_locked(qp, first, last, nr, req->release,
				  req->release, req->release_arg);
	if (err == -EAGAIN)
		return err;
	if (!err && lite_fault(qp->node, LITE_FAULT_DUPLICATE))
		post_again(rr, last->ex.imm_data);
	reset_pushes(rr);
	clear_bit_unlock(req->slot, qp->conn->busy);
	return err;
}

static void rdma_conn_reply(struct lite_req *req, u32 len)
{
	struct lite_rreq *rr = req->tp;
	struct lite_qp *qp = rr->qp;
	void (*release)(void *arg) = req->release;
	void *arg = req->release_arg;
	bool bh = !irqs_disabled();
	unsigned long flags;
	int err;

	if (bh)
		local_bh_disable(); /* as in rdma_link_send() */
	rr->len = len;
	spin_lock_irqsave(&qp->lock, flags);
	if (list_empty(&qp->pending))
		err = post_reply(rr);
	else
		err = -EAGAIN;
	if (err == -EAGAIN)
		list_add_tail(&rr->list, &qp->pending);
	spin_unlock_irqrestore(&qp->lock, flags);
	if (bh)
		local_bh_enable();
	if (err && err != -EAGAIN && release)
		release(arg);
	if (lite_fault(qp->node, LITE_FAULT_QP))
		lite_qp_break(qp);
}

static void rdma_conn_drop(struct lite_req *req)
{
	struct lite_rreq *rr = req->tp;

	if (req->release)
		req->release(req->release_arg);
	reset_pushes(rr);
	clear_bit_unlock(req->slot, req->conn->busy);
}

/**
 * lite_rdma_flush_pending() - there may be room for replies that wait for it
 * @qp: queue pair; when it is broken they are dropped
 *
 * Context: any but hard interrupt.
 */
void lite_rdma_flush_pending(struct lite_qp *qp)
{
	void (*release)(void *arg);
	struct lite_rreq *rr;
	unsigned long flags;
	void *arg;
	int err;

	do {
		err = -EAGAIN;
		spin_lock_irqsave(&qp->lock, flags);
		rr = list_first_entry_or_null(&qp->pending, struct lite_rreq,
					      list);
		if (rr) {
			release = rr->req->release;
			arg = rr->req->release_arg;
			list_del(&rr->list);
			err = post_reply(rr);
			if (err == -EAGAIN)
				list_add(&rr->list, &qp->pending);
		}
		spin_unlock_irqrestore(&qp->lock, flags);
		if (err && err != -EAGAIN && release)
			release(arg);
	} while (err != -EAGAIN);
}

/*
 * A caller that lost its power says nothing, and we may have nothing to say to
 * it: so a write of nothing now and then, which a dead one does not answer. Not
 * while requests are served, whose reads it could disturb: see chain_reply().
 */
static void alive_work(struct work_struct *work)
{
	struct lite_qp *qp = container_of(work, struct lite_qp, alive.work);
	struct ib_rdma_wr wr = { .wr.opcode = IB_WR_RDMA_WRITE };
	u64 seen = READ_ONCE(qp->conn->requests);

	if (READ_ONCE(qp->broken))
		return;
	if (seen == qp->alive_seen && atomic_read(&qp->conn->active) <= 1)
		lite_qp_post(qp, &wr.wr, &wr.wr, 1, true, NULL, NULL);
	qp->alive_seen = seen;
	queue_delayed_work(qp->node->q->timer, &qp->alive, msecs_to_jiffies(ALIVE_MS));
}

/**
 * lite_rdma_conn_init() - the requests of a new conn
 * @qp: has its conn
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int lite_rdma_conn_init(struct lite_qp *qp)
{
	struct lite_rreq *rr;
	unsigned int i;

	INIT_DELAYED_WORK(&qp->alive, alive_work);
	qp->rreq = kvcalloc(LITE_SLOTS, sizeof(*rr), GFP_KERNEL);
	if (!qp->rreq)
		return -ENOMEM;
	for (i = 0; i < LITE_SLOTS; i++) {
		rr = &qp->rreq[i];
		rr->qp = qp;
		rr->req = &qp->conn->req[i];
		rr->req->tp = rr;
		reset_pushes(rr);
	}
	return 0;
}

/**
 * lite_rdma_conn_start() - the conn is in use
 * @qp: connected
 *
 * Context: any.
 */
void lite_rdma_conn_start(struct lite_qp *qp)
{
	queue_delayed_work(qp->node->q->timer, &qp->alive, msecs_to_jiffies(ALIVE_MS));
}

static void rdma_conn_close(struct lite_conn *conn)
{
	struct lite_qp *qp = conn->tp;

	struct ib_rdma_wr wr = { .wr.opcode = IB_WR_RDMA_WRITE };

	cancel_delayed_work_sync(&qp->hello_work);
	/* the last replies shall arrive: when this write of nothing has */
	if (!READ_ONCE(conn->abandoned) &&
	    !lite_qp_post(qp, &wr.wr, &wr.wr, 1, true, NULL, NULL))
		wait_event_timeout(qp->room, !READ_ONCE(qp->used) ||
				   READ_ONCE(qp->broken),
				   msecs_to_jiffies(LAST_MS));
	lite_qp_break(qp);
	cancel_delayed_work_sync(&qp->alive);
	lite_qp_destroy(qp);
}

static void rdma_conn_free(struct lite_conn *conn)
{
	struct lite_qp *qp = conn->tp;
	unsigned int i;

	if (qp->rreq)
		for (i = 0; i < LITE_SLOTS; i++)
			kfree(qp->rreq[i].big);
	kvfree(qp->rreq);
	lite_qp_free(qp);
}

/*
 * struct lite_transport over InfiniBand verbs
 */
const struct lite_transport lite_rdma = {
	.name = "rdma",
	.connect = rdma_link_connect,
	.disconnect = rdma_link_disconnect,
	.send = rdma_link_send,
	.raw = lite_rdma_raw,
	.move = rdma_link_move,
	.encode = rdma_link_encode,
	.beat = rdma_link_beat,
	.cancel = rdma_link_cancel,
	.pull = rdma_conn_pull,
	.push = rdma_conn_push,
	.poll = rdma_link_poll,
	.reply = rdma_conn_reply,
	.raw_reply = lite_rdma_raw_reply,
	.drop = rdma_conn_drop,
	.resume = lite_cm_resume,
	.close = rdma_conn_close,
	.free = rdma_conn_free,
};
