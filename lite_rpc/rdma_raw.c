// SPDX-License-Identifier: GPL-2.0
/* Messages over RDMA that need not be right, for tests: see raw.c. */
#include <lego/raw.h>

#include "rdma.h"

/* @len bytes of the slot's send buffer, with @imm, but as @raw has it */
static void wrong_wr(struct lite_qp *qp, struct ib_rdma_wr *wr,
		     struct ib_sge *sge, u32 imm, const struct lite_raw *raw)
{
	lite_qp_msg_wr(qp, wr, sge, imm, raw->len);
	wr->wr.ex.imm_data = cpu_to_be32(imm ^ raw->imm);
	wr->remote_addr += raw->off;
}

/**
 * lite_rdma_raw() - lite_transport.raw
 * @link: link
 * @slot: the message is in its buffer
 * @raw: how it is sent
 *
 * Context: as lite_transport.send. Return: the same.
 */
int lite_rdma_raw(struct lite_link *link, unsigned int slot,
		  const struct lite_raw *raw)
{
	u32 imm = LITE_IMM(LITE_IMM_REQUEST, slot, link->slot[slot].xid);
	struct ib_rdma_wr wr;
	struct ib_sge sge;

	wrong_wr(link->tp, &wr, &sge, imm, raw);
	return lite_qp_post(link->tp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
}

/**
 * lite_rdma_raw_reply() - lite_transport.raw_reply
 * @req: the reply is in its buffer
 * @raw: how it is sent
 *
 * Where there is no room now, it is not sent at all.
 * Context: as lite_transport.reply.
 */
void lite_rdma_raw_reply(struct lite_req *req, const struct lite_raw *raw)
{
	struct lite_qp *qp = req->conn->tp;
	struct ib_rdma_wr wr;
	unsigned long flags;
	struct ib_sge sge;

	wrong_wr(qp, &wr, &sge, LITE_IMM(LITE_IMM_REPLY, req->slot, req->xid),
		 raw);
	spin_lock_irqsave(&qp->lock, flags);
	lite_qp_post_locked(qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
	clear_bit(req->slot, req->conn->busy);
	spin_unlock_irqrestore(&qp->lock, flags);
}
