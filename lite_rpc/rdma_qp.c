// SPDX-License-Identifier: GPL-2.0
/*
 * Queue pairs: one end of a connection, its ring, and the send queue's space.
 *
 * Most sends are not signalled, as each completion costs. What is known: work
 * requests of a queue pair complete in order, so when a signalled one is
 * complete, so are those before it. @used counts what is not known to be
 * complete; every SIGNAL_EVERY-th is signalled so that it falls again.
 *
 * End of a queue pair: @broken is set under @lock, and after that nobody posts.
 * Then it is destroyed, and neither we nor the peer move data by it any more;
 * then the completion queue is, and nothing calls back any more; then what was
 * lent to work requests is given back, complete or not. ib_drain_qp() is not
 * used: it takes the queue pair to the error state while the peer is sending
 * perhaps, which makes 6.12's rxe execute a message again and again.
 */
#include <linux/gfp.h>
#include <linux/slab.h>

#include "rdma.h"

#define SIGNAL_EVERY 32
#define POLL_BATCH 4
#define WAIT_MS 10000 /* the device's own time-outs are shorter */

/* nothing posts or completes any more: give back what was lent */
static void release_all(struct lite_qp *qp)
{
	struct lite_sent *sent;

	while (qp->sent_tail != qp->sent_head) {
		sent = &qp->sent[qp->sent_tail++ % LITE_QP_SENDS];
		if (sent->release)
			sent->release(sent->arg);
	}
	lite_rdma_flush_pending(qp);
}

/* @broken is set; once, by kill_work or after that is cancelled */
static void kill(struct lite_qp *qp)
{
	if (!qp->cq)
		return;
	lite_qp_unmake(qp);
	rdma_disconnect(qp->cm); /* only tells the peer */
	ib_free_cq(qp->cq);
	qp->cq = NULL;
	release_all(qp);
}

static void kill_work(struct work_struct *work)
{
	kill(container_of(work, struct lite_qp, kill_work));
}

/*
 * All of it under the lock: who finds it broken and cancels the work must find
 * that queued.
 */
static void break_locked(struct lite_qp *qp)
{
	lockdep_assert_held(&qp->lock);
	if (qp->broken)
		return;
	qp->broken = true;
	if (qp->kills)
		queue_work(lite_kill_wq, &qp->kill_work);
	wake_up_all(&qp->room);
	wake_up_all(&qp->event);
	if (qp->link)
		lite_link_break(qp->link, -ECONNRESET);
	if (qp->conn)
		lite_conn_close(qp->conn);
}

/**
 * lite_qp_break() - post nothing any more, tell the owner
 * @qp: queue pair
 *
 * Context: any but hard interrupt.
 */
void lite_qp_break(struct lite_qp *qp)
{
	unsigned long flags;

	spin_lock_irqsave(&qp->lock, flags);
	break_locked(qp);
	spin_unlock_irqrestore(&qp->lock, flags);
}

/**
 * lite_qp_set_kills() - shall a break take it from the device at once
 * @qp: made
 * @kills: not if others may poll it
 *
 * Context: any but hard interrupt.
 */
void lite_qp_set_kills(struct lite_qp *qp, bool kills)
{
	unsigned long flags;

	spin_lock_irqsave(&qp->lock, flags);
	qp->kills = kills;
	spin_unlock_irqrestore(&qp->lock, flags);
}

static void log_wc(struct lite_qp *qp, const struct ib_wc *wc)
{
	if (wc->status == IB_WC_WR_FLUSH_ERR)
		return;
	if (!qp->open && qp->conn) /* whoever that is, it gets no line each */
		return;
	pr_warn_ratelimited("%s: connection with %s: %s\n", qp->node->name,
			    qp->link ? qp->link->peer->addr.text :
				       qp->conn->peer_name,
			    ib_wc_status_msg(wc->status));
}

/* a signalled work request, and so all before it */
static void sent_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct lite_qp *qp = container_of(wc->wr_cqe, struct lite_qp,
					  sent_cqe);
	struct lite_sent sent;
	unsigned long flags;

	if (wc->status) {
		log_wc(qp, wc);
		lite_qp_break(qp);
	}
	spin_lock_irqsave(&qp->lock, flags);
	sent = qp->sent[qp->sent_tail++ % LITE_QP_SENDS];
	qp->used -= sent.nr;
	spin_unlock_irqrestore(&qp->lock, flags);
	if (sent.release)
		sent.release(sent.arg);
	if (wq_has_sleeper(&qp->room))
		wake_up(&qp->room);
	if (!list_empty_careful(&qp->pending))
		lite_rdma_flush_pending(qp);
}

/* one that is not signalled completes only with an error */
static void unsignalled_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct lite_qp *qp = container_of(wc->wr_cqe, struct lite_qp,
					  unsignalled_cqe);

	if (!wc->status)
		return;
	log_wc(qp, wc);
	lite_qp_break(qp);
}

static void repost_recvs(struct lite_qp *qp)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&qp->lock, flags);
	if (!qp->broken)
		err = lite_qp_post_recvs(qp, LITE_RECV_BATCH);
	spin_unlock_irqrestore(&qp->lock, flags);
	if (err)
		lite_qp_break(qp);
}

/* a message has come: the write is done, what is consumed here has no data */
static void recv_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct lite_qp *qp = container_of(wc->wr_cqe, struct lite_qp,
					  recv_cqe);

	if (wc->status || !(wc->wc_flags & IB_WC_WITH_IMM)) {
		log_wc(qp, wc);
		lite_qp_break(qp);
		return;
	}
	/*
	 * Of each slot two messages may be on their way, one of them a cancel's
	 * or the answer to it; and a heartbeat. A batch may be missing.
	 */
	if (!((unsigned int)atomic_inc_return(&qp->recv_taken) % LITE_RECV_BATCH))
		repost_recvs(qp);
	lite_rdma_rx(qp, be32_to_cpu(wc->ex.imm_data), wc->byte_len);
}

/**
 * lite_qp_poll() - complete what has come, before the softirq does
 * @qp: a link's queue pair, which stays meanwhile
 *
 * The two may run at once: each completion is one's alone, and what they do
 * with it is locked. Not for a conn's: there a cancel must not be taken before
 * its request, nor after the slot's next one. The softirq takes one completion
 * after the other, on whatever CPU (irq_poll).
 * Context: process.
 */
void lite_qp_poll(struct lite_qp *qp)
{
	struct ib_wc wc[POLL_BATCH];
	int i, nr;

	local_bh_disable(); /* callbacks are promised no less */
	nr = ib_poll_cq(qp->cq, POLL_BATCH, wc);
	for (i = 0; i < nr; i++)
		wc[i].wr_cqe->done(qp->cq, &wc[i]);
	local_bh_enable();
}

/**
 * lite_qp_post_locked() - post work requests; qp->lock held
 * @qp: queue pair
 * @first: first
 * @last: last; may be signalled though @signal is not set
 * @nr: how many
 * @signal: to be signalled
 * @release: called when all are complete, or never will be, if @signal and 0
 *	was returned; any context; NULL for none
 * @arg: its argument
 *
 * Context: qp->lock held.
 * Return: 0; -EAGAIN: no room now, wait for a completion; -ECONNRESET.
 */
int lite_qp_post_locked(struct lite_qp *qp, struct ib_send_wr *first,
			struct ib_send_wr *last, unsigned int nr, bool signal,
			void (*release)(void *arg), void *arg)
{
	const struct ib_send_wr *bad = NULL;
	struct ib_send_wr *wr;

	lockdep_assert_held(&qp->lock);
	if (qp->broken)
		return -ECONNRESET;
	if (qp->used + nr > LITE_QP_SENDS)
		return -EAGAIN;
	for (wr = first; wr != last; wr = wr->next)
		wr->wr_cqe = &qp->unsignalled_cqe;
	last->next = NULL;
	if (signal || qp->unsignalled + nr >= SIGNAL_EVERY) {
		last->send_flags |= IB_SEND_SIGNALED;
		last->wr_cqe = &qp->sent_cqe;
		qp->sent[qp->sent_head++ % LITE_QP_SENDS] = (struct lite_sent){
			.nr = qp->unsignalled + nr,
			.release = release,
			.arg = arg,
		};
		qp->unsignalled = 0;
	} else {
		last->send_flags &= ~IB_SEND_SIGNALED;
		last->wr_cqe = &qp->unsignalled_cqe;
		qp->unsignalled += nr;
	}
	qp->used += nr;
	if (!lite_fault(qp->node, LITE_FAULT_POST) &&
	    !ib_post_send(qp->qp, first, &bad))
		return 0;
	/*
	 * Our count of room is right, so this is a dying device. Some may have
	 * been posted: kill() stops them, and releases.
	 */
	break_locked(qp);
	return 0;
}

/**
 * lite_qp_post() - post work requests
 * @qp: queue pair
 * @first: first
 * @last: last
 * @nr: how many
 * @signal: as in lite_qp_post_locked()
 * @release: the same
 * @arg: the same
 *
 * Context: any but hard interrupt. Return: as lite_qp_post_locked().
 */
int lite_qp_post(struct lite_qp *qp, struct ib_send_wr *first,
		 struct ib_send_wr *last, unsigned int nr, bool signal,
		 void (*release)(void *arg), void *arg)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&qp->lock, flags);
	err = lite_qp_post_locked(qp, first, last, nr, signal, release, arg);
	spin_unlock_irqrestore(&qp->lock, flags);
	return err;
}

static void wake_waiter(void *arg)
{
	complete(arg);
}

static bool has_room(struct lite_qp *qp, unsigned int nr)
{
	return READ_ONCE(qp->broken) ||
	       READ_ONCE(qp->used) + nr <= LITE_QP_SENDS;
}

/**
 * lite_qp_post_wait() - post work requests and wait till they are complete
 * @qp: queue pair
 * @first: first
 * @last: last
 * @nr: how many
 *
 * Context: process. Bounded: a peer that does not answer breaks the queue pair,
 *	and then it is killed: by another than us, or see lite_qp_set_kills().
 * Return: 0 or -ECONNRESET; either way they are over.
 */
int lite_qp_post_wait(struct lite_qp *qp, struct ib_send_wr *first,
		      struct ib_send_wr *last, unsigned int nr)
{
	DECLARE_COMPLETION_ONSTACK(done);
	int err;

	while ((err = lite_qp_post(qp, first, last, nr, true, wake_waiter,
				   &done)) == -EAGAIN) {
		/* a peer that takes nothing has filled it */
		if (wait_event_timeout(qp->room, has_room(qp, nr),
				       msecs_to_jiffies(WAIT_MS)))
			continue;
		lite_qp_break(qp);
		return -ECONNRESET;
	}
	if (err)
		return err;
	if (!wait_for_completion_timeout(&done, msecs_to_jiffies(WAIT_MS))) {
		lite_qp_break(qp); /* whoever then kills it releases us */
		wait_for_completion(&done);
	}
	return READ_ONCE(qp->broken) ? -ECONNRESET : 0;
}

/**
 * lite_qp_send() - a message into the peer's ring
 * @qp: queue pair
 * @imm: LITE_IMM()
 * @len: bytes of the slot's send buffer, 0 for only the immediate data
 *
 * Context: any but hard interrupt. Return: as lite_qp_post_locked().
 */
int lite_qp_send(struct lite_qp *qp, u32 imm, u32 len)
{
	struct ib_sge sge;
	struct ib_rdma_wr wr;

	lite_qp_msg_wr(qp, &wr, &sge, imm, len);
	return lite_qp_post(qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
}

/**
 * lite_qp_send_imm_locked() - a message that is only its immediate data
 * @qp: queue pair
 * @imm: LITE_IMM()
 *
 * Context: qp->lock held. Return: as lite_qp_post_locked().
 */
int lite_qp_send_imm_locked(struct lite_qp *qp, u32 imm)
{
	struct ib_sge sge;
	struct ib_rdma_wr wr;

	lite_qp_msg_wr(qp, &wr, &sge, imm, 0);
	wr.wr.opcode = IB_WR_SEND_WITH_IMM; /* no write is empty: chain_reply() */
	return lite_qp_post_locked(qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
}

/**
 * lite_qp_send_closed() - a message that writes nothing: the peer's queue pair
 *	may not be open, or there is nothing to write
 * @qp: queue pair
 * @imm: LITE_IMM()
 * @len: bytes of the slot's send buffer, or 0
 * @wait: until it has arrived
 *
 * Context: any but hard interrupt; with @wait, as lite_qp_post_wait().
 * Return: as lite_qp_post_locked().
 */
int lite_qp_send_closed(struct lite_qp *qp, u32 imm, u32 len, bool wait)
{
	struct ib_sge sge;
	struct ib_rdma_wr wr;

	lite_qp_msg_wr(qp, &wr, &sge, imm, len);
	wr.wr.opcode = IB_WR_SEND_WITH_IMM;
	if (wait)
		return lite_qp_post_wait(qp, &wr.wr, &wr.wr, 1);
	return lite_qp_post(qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
}

/**
 * lite_qp_msg_wr() - the work request of a message
 * @qp: queue pair
 * @wr: filled in
 * @sge: filled in
 * @imm: LITE_IMM()
 * @len: bytes of the slot's send buffer
 *
 * Context: any.
 */
void lite_qp_msg_wr(struct lite_qp *qp, struct ib_rdma_wr *wr,
		    struct ib_sge *sge, u32 imm, u32 len)
{
	unsigned int slot = LITE_IMM_SLOT(imm);

	*wr = (struct ib_rdma_wr){
		.wr.opcode = IB_WR_RDMA_WRITE_WITH_IMM,
		.wr.ex.imm_data = cpu_to_be32(imm),
	};
	if (!len)
		return;
	*sge = (struct ib_sge){
		.addr = qp->tx_dma[slot],
		.length = len,
		.lkey = qp->node->rdma->pd->local_dma_lkey,
	};
	wr->wr.sg_list = sge;
	wr->wr.num_sge = 1;
	wr->remote_addr = qp->peer_addr + slot * LITE_SLOT_SIZE;
	wr->rkey = qp->peer_key;
	ib_dma_sync_single_for_device(qp->node->rdma->dev, sge->addr, len,
				      DMA_TO_DEVICE);
}

/**
 * lite_qp_reg_wr() - the work request that makes a key valid
 * @wr: filled in
 * @mr: mapped
 * @access: IB_ACCESS_*
 *
 * Context: any.
 */
void lite_qp_reg_wr(struct ib_reg_wr *wr, struct ib_mr *mr, int access)
{
	*wr = (struct ib_reg_wr){
		.wr.opcode = IB_WR_REG_MR,
		.mr = mr,
		.key = mr->rkey,
		.access = access,
	};
}

static void unmap_slots(struct ib_device *dev, u64 *dma, unsigned int nr,
			enum dma_data_direction dir)
{
	while (nr--)
		ib_dma_unmap_single(dev, dma[nr], LITE_SLOT_SIZE, dir);
}

static int map_slots(struct ib_device *dev, void *const buf[], u64 *dma,
		     enum dma_data_direction dir)
{
	unsigned int i;

	for (i = 0; i < LITE_SLOTS; i++) {
		dma[i] = ib_dma_map_single(dev, buf[i], LITE_SLOT_SIZE, dir);
		if (ib_dma_mapping_error(dev, dma[i])) {
			unmap_slots(dev, dma, i, dir);
			return -ENOMEM;
		}
	}
	return 0;
}

static int create_ring_mr(struct lite_qp *qp)
{
	struct scatterlist *sg;
	struct ib_mr *mr;
	unsigned int i;
	int nr;

	sg = kmalloc_array(LITE_SLOTS, sizeof(*sg), GFP_KERNEL);
	if (!sg)
		return -ENOMEM;
	sg_init_table(sg, LITE_SLOTS);
	for (i = 0; i < LITE_SLOTS; i++) {
		sg_set_page(&sg[i], virt_to_page(qp->ring[i]), LITE_SLOT_SIZE,
			    0);
		sg_dma_address(&sg[i]) = qp->ring_dma[i];
		sg_dma_len(&sg[i]) = LITE_SLOT_SIZE;
	}
	mr = ib_alloc_mr(qp->node->rdma->pd, IB_MR_TYPE_MEM_REG, LITE_SLOTS);
	if (IS_ERR(mr)) {
		kfree(sg);
		return PTR_ERR(mr);
	}
	nr = ib_map_mr_sg(mr, sg, LITE_SLOTS, NULL, LITE_SLOT_SIZE);
	kfree(sg);
	if (nr != LITE_SLOTS) {
		ib_dereg_mr(mr);
		return nr < 0 ? nr : -EINVAL;
	}
	qp->ring_mr = mr;
	return 0;
}

static void free_ring_pages(struct lite_qp *qp)
{
	unsigned int i;

	for (i = 0; i < LITE_SLOTS; i++)
		free_page((unsigned long)qp->ring[i]);
}

static void free_ring(struct lite_qp *qp)
{
	ib_dereg_mr(qp->ring_mr);
	qp->ring_mr = NULL;
	unmap_slots(qp->node->rdma->dev, qp->ring_dma, LITE_SLOTS,
		    DMA_FROM_DEVICE);
	free_ring_pages(qp);
}

static int alloc_ring(struct lite_qp *qp)
{
	struct ib_device *dev = qp->node->rdma->dev;
	unsigned int i;
	int err;

	BUILD_BUG_ON(LITE_SLOT_SIZE != PAGE_SIZE);
	for (i = 0; i < LITE_SLOTS; i++) {
		qp->ring[i] = (void *)get_zeroed_page(GFP_KERNEL);
		if (!qp->ring[i]) {
			err = -ENOMEM;
			goto err_free_pages;
		}
	}
	err = map_slots(dev, qp->ring, qp->ring_dma, DMA_FROM_DEVICE);
	if (err)
		goto err_free_pages;
	err = create_ring_mr(qp);
	if (err)
		goto err_unmap;
	return 0;

err_unmap:
	unmap_slots(dev, qp->ring_dma, LITE_SLOTS, DMA_FROM_DEVICE);
err_free_pages:
	free_ring_pages(qp);
	return err;
}

/**
 * lite_qp_alloc() - a queue pair that has no device yet
 * @node: whose
 *
 * Context: process. Return: it, or NULL.
 */
struct lite_qp *lite_qp_alloc(struct lite_node *node)
{
	struct lite_qp *qp = kvzalloc(sizeof(*qp), GFP_KERNEL);

	if (!qp)
		return NULL;
	qp->sent = kvmalloc_array(LITE_QP_SENDS, sizeof(*qp->sent),
				  GFP_KERNEL);
	if (!qp->sent) {
		kvfree(qp);
		return NULL;
	}
	qp->node = node;
	qp->open = true;
	INIT_LIST_HEAD(&qp->reg);
	INIT_LIST_HEAD(&qp->pending);
	init_waitqueue_head(&qp->event);
	init_waitqueue_head(&qp->room);
	spin_lock_init(&qp->lock);
	mutex_init(&qp->qp_mutex);
	INIT_WORK(&qp->kill_work, kill_work);
	qp->recv_cqe.done = recv_done;
	qp->sent_cqe.done = sent_done;
	qp->unsignalled_cqe.done = unsignalled_done;
	return qp;
}

/**
 * lite_qp_create() - make the real one; receives are posted
 * @qp: qp->cm is bound to the node's device
 * @tx: LITE_SLOTS send buffers
 *
 * Context: process. Return: 0 or a negative errno.
 */
int lite_qp_create(struct lite_qp *qp, void *const tx[])
{
	struct ib_device *dev = qp->node->rdma->dev;
	int err;

	err = map_slots(dev, tx, qp->tx_dma, DMA_TO_DEVICE);
	if (err)
		return err;
	err = alloc_ring(qp);
	if (err)
		goto err_unmap;
	qp->cq = ib_alloc_cq_any(dev, qp, LITE_QP_SENDS + LITE_QP_RECVS,
				 IB_POLL_SOFTIRQ);
	if (IS_ERR(qp->cq)) {
		err = PTR_ERR(qp->cq);
		goto err_free_ring;
	}
	err = lite_qp_make(qp);
	if (err)
		goto err_free_cq;
	return 0;

err_free_cq:
	qp->broken = true; /* there is nobody to be told yet */
	lite_qp_unmake(qp);
	ib_free_cq(qp->cq);
err_free_ring:
	qp->cq = NULL;
	free_ring(qp);
err_unmap:
	unmap_slots(dev, qp->tx_dma, LITE_SLOTS, DMA_TO_DEVICE);
	return err;
}

/**
 * lite_qp_destroy() - the connection is over
 * @qp: queue pair; on return nothing of it moves data or calls back, but
 *	qp->cm is still there
 *
 * Context: process, may sleep.
 */
void lite_qp_destroy(struct lite_qp *qp)
{
	lite_qp_break(qp);
	cancel_work_sync(&qp->kill_work);
	kill(qp);
	if (!qp->ring_mr)
		return;
	/* those who register by it hold that lock, and have ended by now */
	lite_mr_unreg_qp(qp);
	free_ring(qp);
	unmap_slots(qp->node->rdma->dev, qp->tx_dma, LITE_SLOTS,
		    DMA_TO_DEVICE);
}

/**
 * lite_qp_free() - after lite_qp_destroy()
 * @qp: queue pair; waits for its rdma_cm events and destroys qp->cm, unless
 *	that was set to NULL
 *
 * Context: process, may sleep; not in an event of qp->cm.
 */
void lite_qp_free(struct lite_qp *qp)
{
	if (qp->cm)
		rdma_destroy_id(qp->cm);
	if (qp->conn) /* an event or a message may just have queued it */
		cancel_delayed_work_sync(&qp->hello_work);
	kfree(qp->auth);
	mutex_destroy(&qp->qp_mutex);
	kvfree(qp->sent);
	kvfree(qp);
}
