// SPDX-License-Identifier: GPL-2.0
/*
 * Regions on an RDMA device, and work requests that move their data.
 *
 * A region is cut into pieces of as many pages as one key may open; each has
 * its ib_mr, registered by a work request (IB_WR_REG_MR), which needs a
 * connected queue pair, any of the node's. A region that is made before there
 * is one is registered by the first that connects, before its link is used.
 * The pieces' keys stay valid when that queue pair is gone.
 *
 * All of it is under node->mr_lock, but for reading @dma and the keys, which
 * do not change while a link is up, and for the registering itself: its work
 * request is behind all others of its queue pair, so a peer that is silent can
 * keep it waiting for seconds. Whoever registers a region has set @busy, under
 * the lock, and is alone with its pieces till it clears that. The creator of a
 * region tries one queue pair after the other; a queue pair that is new leaves
 * regions alone that are busy, and is in node->rdma->qps when their creators
 * look for the next.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "rdma.h"

#define REG_BATCH 8

/**
 * struct lite_piece - what one key opens
 * @mr: memory region
 * @valid: registered
 * @stale: the registering failed, nobody knows how far it went: make it anew
 */
struct lite_piece {
	struct ib_mr *mr;
	bool valid;
	bool stale;
};

/**
 * struct lite_rdma_mr - a region's part in the device
 * @dma: bus address of each page
 * @nr: pieces; 0 for a region that is used locally only
 * @pending: some are not valid
 * @busy: it is being registered
 * @piece: pieces
 */
struct lite_rdma_mr {
	u64 *dma;
	unsigned int nr;
	bool pending;
	bool busy;
	struct lite_piece piece[];
};

static int ib_access(unsigned int access)
{
	/* remote writing demands local writing of the verbs */
	return IB_ACCESS_LOCAL_WRITE |
	       (access & LITE_MR_READ ? IB_ACCESS_REMOTE_READ : 0) |
	       (access & LITE_MR_WRITE ? IB_ACCESS_REMOTE_WRITE : 0);
}

static int map_piece(struct lite_mr *mr, unsigned int i)
{
	struct lite_rdma_node *rn = mr->node->rdma;
	struct lite_rdma_mr *rm = mr->tp;
	unsigned int first = i * rn->piece_pages, j;
	unsigned int nr = min(rn->piece_pages, mr->nr - first);
	struct scatterlist *sg;
	struct ib_mr *ibmr;
	int mapped;

	/* one to spare: 6.1's rxe reads beyond a page list that is full */
	ibmr = ib_alloc_mr(rn->pd, IB_MR_TYPE_MEM_REG, rn->piece_pages + 1);
	if (IS_ERR(ibmr))
		return PTR_ERR(ibmr);
	sg = kvmalloc_array(nr, sizeof(*sg), GFP_KERNEL);
	if (!sg) {
		ib_dereg_mr(ibmr);
		return -ENOMEM;
	}
	sg_init_table(sg, nr);
	for (j = 0; j < nr; j++) {
		sg_set_page(&sg[j], mr->pages[first + j], PAGE_SIZE, 0);
		sg_dma_address(&sg[j]) = rm->dma[first + j];
		sg_dma_len(&sg[j]) = PAGE_SIZE;
	}
	mapped = ib_map_mr_sg(ibmr, sg, nr, NULL, PAGE_SIZE);
	kvfree(sg);
	if (mapped != nr) {
		ib_dereg_mr(ibmr);
		return mapped < 0 ? mapped : -EINVAL;
	}
	rm->piece[i] = (struct lite_piece){ .mr = ibmr };
	return 0;
}

/* register what is not valid yet, one batch; how many are left, or an error */
static int reg_batch(struct lite_qp *qp, struct lite_mr *mr)
{
	struct lite_rdma_mr *rm = mr->tp;
	struct ib_reg_wr wr[REG_BATCH];
	unsigned int at[REG_BATCH];
	unsigned int i, n = 0;
	int err;

	for (i = 0; i < rm->nr && n < REG_BATCH; i++) {
		if (rm->piece[i].valid)
			continue;
		if (rm->piece[i].stale) {
			ib_dereg_mr(rm->piece[i].mr);
			rm->piece[i].mr = NULL;
			rm->piece[i].stale = false;
		}
		if (!rm->piece[i].mr) {
			err = map_piece(mr, i);
			if (err)
				return err;
		}
		lite_qp_reg_wr(&wr[n], rm->piece[i].mr, ib_access(mr->access));
		if (n)
			wr[n - 1].wr.next = &wr[n].wr;
		at[n++] = i;
	}
	if (!n)
		return 0;
	err = lite_qp_post_wait(qp, &wr[0].wr, &wr[n - 1].wr, n);
	for (i = 0; i < n; i++) {
		rm->piece[at[i]].valid = !err;
		rm->piece[at[i]].stale = err;
	}
	return err ?: n;
}

/* @mr is busy, by the caller */
static int reg_mr(struct lite_qp *qp, struct lite_mr *mr)
{
	struct lite_rdma_mr *rm = mr->tp;
	int left;

	do {
		left = reg_batch(qp, mr);
		cond_resched();
	} while (left > 0);
	if (!left)
		WRITE_ONCE(rm->pending, false);
	return left;
}

static void set_idle(struct lite_mr *mr)
{
	struct lite_rdma_mr *rm = mr->tp;

	lockdep_assert_held(&mr->node->mr_lock);
	rm->busy = false;
}

static struct lite_mr *next_pending(struct lite_node *node)
{
	const struct lite_rdma_mr *rm;
	struct lite_mr *mr;

	lockdep_assert_held(&node->mr_lock);
	list_for_each_entry(mr, &node->mrs, list) {
		rm = mr->tp;
		if (rm && rm->pending && !rm->busy)
			return mr;
	}
	return NULL;
}

/**
 * lite_mr_reg_pending() - register by a new queue pair what waits for one
 * @qp: connected; from now on regions may be registered by it
 *
 * Context: process, may sleep. Return: 0 or a negative errno.
 */
int lite_mr_reg_pending(struct lite_qp *qp)
{
	struct lite_node *node = qp->node;
	struct lite_mr *mr;
	int err = 0;

	mutex_lock(&node->mr_lock);
	while (!err && (mr = next_pending(node))) {
		((struct lite_rdma_mr *)mr->tp)->busy = true;
		mutex_unlock(&node->mr_lock);
		err = reg_mr(qp, mr);
		mutex_lock(&node->mr_lock);
		set_idle(mr);
	}
	if (!err)
		list_add(&qp->reg, &node->rdma->qps);
	mutex_unlock(&node->mr_lock);
	return err;
}

/**
 * lite_mr_unreg_qp() - nothing is registered by this one any more
 * @qp: drained
 *
 * Context: process, may sleep.
 */
void lite_mr_unreg_qp(struct lite_qp *qp)
{
	struct mutex *lock = &qp->node->mr_lock;

	mutex_lock(lock);
	list_del_init(&qp->reg);
	while (qp->reg_users) {
		mutex_unlock(lock);
		wait_event(qp->event, !READ_ONCE(qp->reg_users));
		mutex_lock(lock); /* who made it 0 has let go of it */
	}
	mutex_unlock(lock);
}

/* one that works, if there is one rather one whose peer is not silent */
static struct lite_qp *next_qp(struct lite_rdma_node *rn)
{
	struct lite_qp *qp, *found = NULL;

	list_for_each_entry(qp, &rn->qps, reg) {
		if (READ_ONCE(qp->broken))
			continue;
		if (!qp->link ||
		    READ_ONCE(qp->link->state) != LITE_LINK_STALLED)
			return qp;
		found = qp;
	}
	return found;
}

/**
 * lite_rdma_mr_register() - make the keys of a new region valid, if possible
 * @mr: region, in node->mrs since the lock was taken
 *
 * That it cannot be registered now is no error: it will be by the next
 * connection.
 * Context: process, node->mr_lock held, which is dropped meanwhile.
 */
void lite_rdma_mr_register(struct lite_mr *mr)
{
	struct lite_node *node = mr->node;
	struct lite_rdma_mr *rm = mr->tp;
	struct lite_qp *qp;
	int err = 0;

	lockdep_assert_held(&node->mr_lock);
	rm->busy = true;
	while (!err && rm->pending && (qp = next_qp(node->rdma))) {
		qp->reg_users++;
		mutex_unlock(&node->mr_lock);
		err = reg_mr(qp, mr);
		mutex_lock(&node->mr_lock);
		if (!--qp->reg_users)
			wake_up_all(&qp->event);
		if (err == -ECONNRESET)
			err = 0; /* it is broken: the next, if there is one */
		rm = mr->tp;
		if (!rm) /* the device has gone meanwhile */
			return;
	}
	set_idle(mr);
}

static void unmap_pages(struct ib_device *dev, u64 *dma, unsigned int nr)
{
	while (nr--) {
		ib_dma_unmap_page(dev, dma[nr], PAGE_SIZE, DMA_BIDIRECTIONAL);
		if (!(nr % 1024))
			cond_resched();
	}
}

static int map_pages(struct ib_device *dev, struct lite_mr *mr, u64 *dma)
{
	unsigned int i;

	for (i = 0; i < mr->nr; i++) {
		dma[i] = ib_dma_map_page(dev, mr->pages[i], 0, PAGE_SIZE,
					 DMA_BIDIRECTIONAL);
		if (ib_dma_mapping_error(dev, dma[i])) {
			unmap_pages(dev, dma, i);
			return -ENOMEM;
		}
		/* what one-sided access moves nobody could synchronise */
		if (!ib_uses_virt_dma(dev) &&
		    dma_need_sync(dev->dma_device, dma[i])) {
			unmap_pages(dev, dma, i + 1);
			pr_err("%s: device %s does not reach all memory directly, its data would be bounced (swiotlb): switch the IOMMU on, or the bouncing (swiotlb=force, encrypted memory) off\n",
			       mr->node->name, dev_name(&dev->dev));
			return -EOPNOTSUPP;
		}
		if (!(i % 1024))
			cond_resched();
	}
	return 0;
}

static void free_pieces(struct lite_rdma_mr *rm)
{
	unsigned int i;

	for (i = 0; i < rm->nr; i++)
		if (rm->piece[i].mr)
			ib_dereg_mr(rm->piece[i].mr);
}

/**
 * lite_rdma_mr_add() - map a region for the node's device
 * @mr: region
 *
 * Context: process, node->mr_lock held. Return: 0 or a negative errno.
 */
int lite_rdma_mr_add(struct lite_mr *mr)
{
	struct lite_rdma_node *rn = mr->node->rdma;
	unsigned int nr = DIV_ROUND_UP(mr->nr, rn->piece_pages), i;
	struct lite_rdma_mr *rm;
	int err;

	lockdep_assert_held(&mr->node->mr_lock);
	if (mr->access == LITE_MR_LOCAL)
		nr = 0;
	rm = kvzalloc(struct_size(rm, piece, nr), GFP_KERNEL);
	if (!rm)
		return -ENOMEM;
	rm->dma = lite_page_array(mr->nr, sizeof(*rm->dma));
	if (!rm->dma) {
		err = -ENOMEM;
		goto err_free;
	}
	err = map_pages(rn->dev, mr, rm->dma);
	if (err)
		goto err_free_dma;
	rm->nr = nr;
	rm->pending = nr;
	mr->tp = rm;
	for (i = 0; i < nr; i++) {
		err = map_piece(mr, i);
		if (err)
			goto err_free_pieces;
	}
	return 0;

err_free_pieces:
	free_pieces(rm);
	unmap_pages(rn->dev, rm->dma, mr->nr);
	mr->tp = NULL;
err_free_dma:
	kvfree(rm->dma);
err_free:
	kvfree(rm);
	return err;
}

/**
 * lite_rdma_mr_wait() - wait till nobody registers a region
 * @mr: region, whose creator has it
 *
 * Context: process, node->mr_lock held, which is dropped meanwhile. Bounded: a
 *	peer that does not answer breaks its queue pair.
 */
void lite_rdma_mr_wait(struct lite_mr *mr)
{
	struct lite_node *node = mr->node;
	struct lite_rdma_mr *rm;

	lockdep_assert_held(&node->mr_lock);
	while ((rm = mr->tp) && rm->busy) {
		mutex_unlock(&node->mr_lock);
		msleep(20); /* it may go with the device: only under the lock */
		mutex_lock(&node->mr_lock);
	}
}

/**
 * lite_rdma_mr_del() - the reverse of lite_rdma_mr_add(): the keys are dead
 * @mr: region that nobody registers
 *
 * Context: process, may sleep, node->mr_lock held.
 */
void lite_rdma_mr_del(struct lite_mr *mr)
{
	struct lite_rdma_mr *rm = mr->tp;

	free_pieces(rm);
	unmap_pages(mr->node->rdma->dev, rm->dma, mr->nr);
	kvfree(rm->dma);
	kvfree(rm);
	mr->tp = NULL;
}

/**
 * lite_mr_encode() - keys for a call
 * @sge: pieces of regions, checked
 * @nr: how many
 * @seg: filled in; one more for each place where @sge crosses a piece's end
 * @room: how many fit into @seg
 *
 * Context: any, link up. Return: how many; -EINVAL if they do not fit; -ENODEV: a
 *	region is not yet registered at the node's new device.
 */
int lite_mr_encode(const struct lite_sge *sge, unsigned int nr,
		   struct lite_wire_seg *seg, unsigned int room)
{
	struct lite_rdma_node *rn;
	const struct lite_rdma_mr *rm;
	const struct lite_piece *p;
	u64 off, left, in, n, size;
	unsigned int out = 0;

	for (; nr; nr--, sge++) {
		rn = sge->mr->node->rdma;
		rm = sge->mr->tp;
		size = (u64)rn->piece_pages << PAGE_SHIFT;
		if (!rm || !rm->nr || READ_ONCE(rm->pending))
			return -ENODEV;
		off = sge->off;
		for (left = sge->len; left; left -= n, off += n) {
			p = &rm->piece[div64_u64_rem(off, size, &in)];
			n = min(left, size - in);
			if (out == room)
				return -EINVAL;
			seg[out].addr = cpu_to_le64(p->mr->iova + in);
			seg[out].key = cpu_to_le32(p->mr->rkey);
			seg[out].len = cpu_to_le32(n);
			out++;
		}
	}
	return out;
}

/* @len local bytes at @addr join the last work request; false: no room */
static bool add_local(struct lite_wrs *w, u64 addr, u32 len, u32 lkey)
{
	struct ib_send_wr *wr = &w->wr[w->nr_wr - 1].wr;
	struct ib_sge *last = w->nr_sge ? &w->sge[w->nr_sge - 1] : NULL;

	if (wr->num_sge && last->addr + last->length == addr) {
		last->length += len;
		return true;
	}
	if (w->nr_sge == w->max_sge)
		return false;
	w->sge[w->nr_sge++] = (struct ib_sge){
		.addr = addr,
		.length = len,
		.lkey = lkey,
	};
	wr->num_sge++;
	return true;
}

/**
 * lite_wrs_add() - work requests that move data between segments and memory
 * @w: where they are built; on an error it is left as it was
 * @op: IB_WR_RDMA_READ or IB_WR_RDMA_WRITE
 * @seg: the peer's segments
 * @off: where in them to begin; they have @len bytes from there
 * @sge: local memory, @len bytes
 * @len: bytes
 *
 * Their next and sg_list are not set: see lite_wrs_chain().
 * Context: any. Return: 0 or -ENOSPC.
 */
int lite_wrs_add(struct lite_wrs *w, enum ib_wr_opcode op,
		 const struct lite_wire_seg *seg, u64 off,
		 const struct lite_sge *sge, u64 len)
{
	struct lite_wrs old = *w;
	struct ib_rdma_wr *wr;
	const struct lite_rdma_mr *rm;
	u64 done = 0, at, n;
	bool fresh = true;

	while (off >= le32_to_cpu(seg->len))
		off -= le32_to_cpu(seg++->len);
	while (len) {
		rm = sge->mr->tp;
		at = sge->off + done;
		n = min3(len, le32_to_cpu(seg->len) - off, sge->len - done);
		n = min_t(u64, n, PAGE_SIZE - offset_in_page(at));
		if (fresh || w->wr[w->nr_wr - 1].wr.num_sge == w->max_wr_sge) {
			if (w->nr_wr == w->max_wr)
				goto err_restore;
			wr = &w->wr[w->nr_wr++];
			*wr = (struct ib_rdma_wr){
				.wr.opcode = op,
				.remote_addr = le64_to_cpu(seg->addr) + off,
				.rkey = le32_to_cpu(seg->key),
			};
			fresh = false;
		}
		if (!rm || !add_local(w, rm->dma[at >> PAGE_SHIFT] +
						 offset_in_page(at), n,
				      sge->mr->node->rdma->pd->local_dma_lkey))
			goto err_restore;
		len -= n;
		off += n;
		done += n;
		if (off == le32_to_cpu(seg->len)) {
			seg++;
			off = 0;
			fresh = true;
		}
		if (done == sge->len) {
			sge++;
			done = 0;
		}
	}
	return 0;

err_restore:
	*w = old;
	return -ENOSPC;
}

/**
 * lite_wrs_chain() - make one chain of what was built
 * @w: at least one
 *
 * Context: any. Return: the last; the first is w->wr[0].
 */
struct ib_send_wr *lite_wrs_chain(struct lite_wrs *w)
{
	struct ib_sge *sge = w->sge;
	unsigned int i;

	for (i = 0; i < w->nr_wr; i++) {
		w->wr[i].wr.sg_list = sge;
		sge += w->wr[i].wr.num_sge;
		w->wr[i].wr.next = i + 1 < w->nr_wr ? &w->wr[i + 1].wr : NULL;
	}
	return &w->wr[w->nr_wr - 1].wr;
}
