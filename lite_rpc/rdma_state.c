// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a queue pair, from made to ready. rdma_cm would do that for us,
 * but not let us say what the peer may do by it meanwhile: of one that has
 * still to prove a key, nothing is taken but sends. No key of our memory, be it
 * guessed or overheard, opens anything by it. The first receive has a buffer
 * then, for what it has to say.
 */
#include "rdma.h"

/* what a peer may do with the memory it has keys for */
#define ACCESS (IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_READ)

/**
 * lite_qp_post_recvs() - be ready for messages without data, or in a ring
 * @qp: queue pair; nobody else posts receives now
 * @nr: how many, at most LITE_RECV_BATCH
 *
 * Context: any. Return: 0 or a negative errno.
 */
int lite_qp_post_recvs(struct lite_qp *qp, unsigned int nr)
{
	struct ib_recv_wr wr[LITE_RECV_BATCH];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		wr[i] = (struct ib_recv_wr){
			.next = i + 1 < nr ? &wr[i + 1] : NULL,
			.wr_cqe = &qp->recv_cqe,
		};
	}
	return ib_post_recv(qp->qp, wr, NULL);
}

/* slot 0 of the ring takes the LITE_IMM_AUTH */
static int post_first(struct lite_qp *qp)
{
	struct ib_sge sge = {
		.addr = qp->ring_dma[0],
		.length = LITE_SLOT_SIZE,
		.lkey = qp->node->rdma->pd->local_dma_lkey,
	};
	struct ib_recv_wr wr = {
		.wr_cqe = &qp->recv_cqe,
		.sg_list = &sge,
		.num_sge = 1,
	};

	return ib_post_recv(qp->qp, &wr, NULL);
}

/*
 * The next state, with what rdma_cm knows of the peer. @param: what was agreed
 * on, where rdma_cm does not know it yet; else NULL.
 */
static int next_state(struct lite_qp *qp, enum ib_qp_state state,
		      const struct rdma_conn_param *param)
{
	struct ib_qp_attr attr = { .qp_state = state };
	int mask, err;

	lockdep_assert_held(&qp->qp_mutex);
	err = rdma_init_qp_attr(qp->cm, &attr, &mask);
	if (err)
		return err;
	attr.qp_access_flags = qp->open ? ACCESS : 0;
	if (param) {
		attr.max_dest_rd_atomic = param->responder_resources;
		attr.max_rd_atomic = param->initiator_depth;
	}
	return ib_modify_qp(qp->qp, &attr, mask);
}

/**
 * lite_qp_make() - make the real one; receives are posted
 * @qp: has a completion queue and a ring
 *
 * Context: process. Return: 0, or a negative errno: lite_qp_unmake() is due.
 */
int lite_qp_make(struct lite_qp *qp)
{
	struct lite_rdma_node *rn = qp->node->rdma;
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = qp->cq,
		.recv_cq = qp->cq,
		.port_num = qp->cm->port_num,
		.cap = {
			.max_send_wr = LITE_QP_SENDS,
			.max_recv_wr = LITE_QP_RECVS,
			.max_send_sge = max(rn->max_sges, rn->max_read_sges),
			.max_recv_sge = 1,
		},
	};
	unsigned int left = LITE_QP_RECVS, nr;
	struct ib_qp *ibqp;
	int err;

	ibqp = ib_create_qp(rn->pd, &attr);
	if (IS_ERR(ibqp))
		return PTR_ERR(ibqp);
	mutex_lock(&qp->qp_mutex);
	qp->qp = ibqp;
	qp->num = ibqp->qp_num;
	err = next_state(qp, IB_QPS_INIT, NULL);
	mutex_unlock(&qp->qp_mutex);
	if (!err && !qp->open) {
		err = post_first(qp);
		left--;
	}
	while (!err && left) {
		nr = min(left, LITE_RECV_BATCH);
		err = lite_qp_post_recvs(qp, nr);
		left -= nr;
	}
	return err;
}

/**
 * lite_qp_unmake() - the real one goes; neither side moves data by it any more
 * @qp: queue pair; nobody posts any more
 *
 * Context: process, may sleep.
 */
void lite_qp_unmake(struct lite_qp *qp)
{
	mutex_lock(&qp->qp_mutex);
	if (qp->qp) {
		lite_quiesce_qp(qp->qp);
		ib_destroy_qp(qp->qp);
	}
	qp->qp = NULL;
	mutex_unlock(&qp->qp_mutex);
}

/**
 * lite_qp_ready() - to send and receive, to whom rdma_cm has found
 * @qp: queue pair
 * @param: the server's, that it is about to accept with; the caller's: NULL
 *
 * Context: process, in an event of qp->cm.
 * Return: 0; -ECONNRESET: it is gone; another negative errno.
 */
int lite_qp_ready(struct lite_qp *qp, const struct rdma_conn_param *param)
{
	int err = -ECONNRESET;

	mutex_lock(&qp->qp_mutex);
	if (!qp->qp)
		goto out_unlock;
	err = next_state(qp, IB_QPS_INIT, param);
	if (!err)
		err = next_state(qp, IB_QPS_RTR, param);
	if (!err)
		err = next_state(qp, IB_QPS_RTS, param);
out_unlock:
	mutex_unlock(&qp->qp_mutex);
	return err;
}

/**
 * lite_qp_open() - the peer is who it says: it may use the keys it has
 * @qp: ready, not open yet
 *
 * Context: process. Return: 0; -ECONNRESET: it is gone; another negative errno.
 */
int lite_qp_open(struct lite_qp *qp)
{
	struct ib_qp_attr attr = { .qp_access_flags = ACCESS };
	int err = -ECONNRESET;

	mutex_lock(&qp->qp_mutex);
	if (qp->qp)
		err = ib_modify_qp(qp->qp, &attr, IB_QP_ACCESS_FLAGS);
	mutex_unlock(&qp->qp_mutex);
	if (!err)
		WRITE_ONCE(qp->open, true);
	return err;
}
