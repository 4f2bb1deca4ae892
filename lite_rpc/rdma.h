/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the files of the rdma transport. */
#ifndef _LITE_RPC_RDMA_H
#define _LITE_RPC_RDMA_H

#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

#include "lite_rpc.h"

#define LITE_QP_SENDS 512 /* work requests under way, at most */
#define LITE_RECV_BATCH 16 /* receives posted at once; a power of two */
#define LITE_QP_RECVS (2 * LITE_SLOTS + 2 * LITE_RECV_BATCH)
#define LITE_QP_SGES 16 /* local pieces of one work request */
#define LITE_MAX_WRS 48 /* work requests of one pull, or one reply's pushes */
#define LITE_MAX_SGES 160

struct lite_rreq;

/**
 * struct lite_auth - a handshake under way
 * @text: of what the MACs are made
 * @proof: the caller's
 * @result: the server's
 * @here: the other side's of the two has come
 */
struct lite_auth {
	struct lite_auth_text text;
	struct lite_auth_proof proof;
	struct lite_auth_result result;
	bool here;
};

/**
 * struct lite_rdma_node - the RDMA side of a node
 * @dev: the device its address is on
 * @pd: the node's alone: keys of one node do not open another's memory
 * @listen: listener
 * @piece_pages: pages behind one key
 * @max_sges: local pieces of a write
 * @max_read_sges: of a read
 * @qps: queue pairs that can register memory; under node->mr_lock
 */
struct lite_rdma_node {
	struct ib_device *dev;
	struct ib_pd *pd;
	struct rdma_cm_id *listen;
	unsigned int piece_pages;
	unsigned int max_sges;
	unsigned int max_read_sges;
	struct list_head qps;
};

/**
 * struct lite_sent - what to do when a signalled work request is complete
 * @nr: work requests that are complete with it
 * @release: called, if not NULL
 * @arg: its argument
 */
struct lite_sent {
	unsigned int nr;
	void (*release)(void *arg);
	void *arg;
};

/**
 * struct lite_qp - one end of a connection
 * @link: the caller's end, or NULL
 * @conn: the server's end, or NULL
 * @cm: rdma_cm's id
 * @qp_mutex: protects @qp and its state
 * @qp: NULL before it is made, and when it is gone
 * @num: its number
 * @ring: what the peer writes into: LITE_SLOTS of LITE_SLOT_SIZE
 * @ring_dma: bus addresses of the slots
 * @ring_mr: registers @ring for remote writing
 * @tx_dma: bus addresses of the slots' send buffers
 * @peer_addr: of the peer's ring
 * @peer_key: of the peer's ring
 * @peer_incarnation: who it is
 * @reg: in lite_rdma_node.qps, under node->mr_lock
 * @reg_users: those that register a region by it; under node->mr_lock
 * @event: waited for by lite_cm_connect(), and for @reg_users
 * @err: why connecting fails
 * @resolved: rdma_cm has done what it was asked for
 * @established: the peer has accepted
 * @hello: LITE_IMM_HELLO has come, or was sent
 * @hello_by: jiffies | 1, when it is given up that elders hold back; 0: none do
 * @auth: NULL where nobody has to prove anything
 * @open: who it is was proved, or need not be: it may write and read
 * @lock: protects what follows, and the order of posting; above link->lock
 * @broken: nothing is posted any more
 * @kills: when it breaks it is killed at once: a server's, whose handlers may
 *	take their time; a caller's only while its connector waits for the
 *	device, as who calls later polls it till the link is reset
 * @used: work requests posted and not known to be complete
 * @unsignalled: of them, since the last signalled one
 * @sent: of each signalled one, oldest at @sent_tail
 * @room: waits for @used to fall
 * @pending: replies that wait for @used to fall
 * @recv_taken: receives used, ever; each RECV_BATCH of them are posted again
 */
struct lite_qp {
	struct lite_node *node;
	struct lite_link *link;
	struct lite_conn *conn;
	struct rdma_cm_id *cm;
	struct mutex qp_mutex;
	struct ib_qp *qp;
	u32 num;
	struct ib_cq *cq;

	void *ring[LITE_SLOTS];
	u64 ring_dma[LITE_SLOTS];
	struct ib_mr *ring_mr;
	void *tx[LITE_SLOTS];
	u64 tx_dma[LITE_SLOTS];

	u64 peer_addr;
	u32 peer_key;
	u64 peer_incarnation;

	struct list_head reg;
	unsigned int reg_users;

	wait_queue_head_t event;
	int err;
	bool resolved;
	bool established;
	bool hello;
	struct lite_auth *auth;
	bool open;

	struct ib_cqe recv_cqe;
	struct ib_cqe sent_cqe;
	struct ib_cqe unsignalled_cqe;

	spinlock_t lock;
	bool broken;
	bool kills;
	unsigned int used;
	unsigned int unsignalled;
	unsigned int sent_head;
	unsigned int sent_tail;
	struct lite_sent *sent;
	wait_queue_head_t room;
	struct list_head pending;

	atomic_t recv_taken;

	struct delayed_work hello_work;
	unsigned long hello_by;
	struct work_struct kill_work;
	struct delayed_work alive;
	u64 alive_seen;
	struct lite_rreq *rreq;
};

/**
 * struct lite_wrs - work requests being built
 */
struct lite_wrs {
	struct ib_rdma_wr *wr;
	struct ib_sge *sge;
	unsigned int nr_wr;
	unsigned int nr_sge;
	unsigned int max_wr;
	unsigned int max_sge;
	unsigned int max_wr_sge;
};

/* rdma_qp.c */
struct lite_qp *lite_qp_alloc(struct lite_node *node);
int lite_qp_create(struct lite_qp *qp, void *const tx[]);
void lite_qp_destroy(struct lite_qp *qp);
void lite_qp_free(struct lite_qp *qp);
void lite_qp_break(struct lite_qp *qp);
void lite_qp_set_kills(struct lite_qp *qp, bool kills);
void lite_qp_poll(struct lite_qp *qp);
int lite_qp_post(struct lite_qp *qp, struct ib_send_wr *first,
		 struct ib_send_wr *last, unsigned int nr, bool signal,
		 void (*release)(void *arg), void *arg);
int lite_qp_post_wait(struct lite_qp *qp, struct ib_send_wr *first,
		      struct ib_send_wr *last, unsigned int nr);
int lite_qp_post_locked(struct lite_qp *qp, struct ib_send_wr *first,
			struct ib_send_wr *last, unsigned int nr, bool signal,
			void (*release)(void *arg), void *arg);
void lite_qp_msg_wr(struct lite_qp *qp, struct ib_rdma_wr *wr,
		    struct ib_sge *sge, u32 imm, u32 len);
int lite_qp_send(struct lite_qp *qp, u32 imm, u32 len);
int lite_qp_send_imm_locked(struct lite_qp *qp, u32 imm);
int lite_qp_send_closed(struct lite_qp *qp, u32 imm, u32 len, bool wait);
void lite_qp_reg_wr(struct ib_reg_wr *wr, struct ib_mr *mr, int access);

/* rdma_state.c */
int lite_qp_make(struct lite_qp *qp);
void lite_qp_unmake(struct lite_qp *qp);
int lite_qp_ready(struct lite_qp *qp, const struct rdma_conn_param *param);
int lite_qp_open(struct lite_qp *qp);
int lite_qp_post_recvs(struct lite_qp *qp, unsigned int nr);

/* rdma_cm.c */
int lite_cm_listener_event(struct rdma_cm_id *id, struct rdma_cm_event *ev);
void lite_cm_resume(struct lite_conn *conn);
int lite_cm_connect(struct lite_qp *qp, unsigned long deadline);
int lite_cm_wait(struct lite_qp *qp, bool *done, unsigned long deadline);

/* rdma_auth.c */
int lite_auth_begin(struct lite_qp *qp);
void lite_auth_connect(struct lite_qp *qp, struct lite_connect_req *req);
void lite_auth_rejected(struct lite_qp *qp);
int lite_auth_prove(struct lite_qp *qp, unsigned long deadline);
void lite_auth_refused(struct lite_node *node, struct rdma_cm_id *id,
		       const char *name, const char *why);
u32 lite_auth_admission(struct lite_node *node, struct rdma_cm_id *id,
			const struct lite_connect_req *req, const char *name);
int lite_auth_serve(struct lite_qp *qp);
int lite_auth_crowd(struct lite_link *link, unsigned long deadline);
int lite_auth_rx(struct lite_qp *qp, u32 imm, u32 len);

/* rdma_mr.c */
int lite_mr_reg_pending(struct lite_qp *qp);
void lite_mr_unreg_qp(struct lite_qp *qp);
int lite_wrs_add(struct lite_wrs *w, enum ib_wr_opcode op,
		 const struct lite_wire_seg *seg, u64 off,
		 const struct lite_sge *sge, u64 len);
struct ib_send_wr *lite_wrs_chain(struct lite_wrs *w);
int lite_mr_encode(const struct lite_sge *sge, unsigned int nr,
		   struct lite_wire_seg *seg, unsigned int room);

/* transport_rdma.c */
void lite_rdma_rx(struct lite_qp *qp, u32 imm, u32 len);
void lite_rdma_flush_pending(struct lite_qp *qp);
int lite_rdma_conn_init(struct lite_qp *qp);
void lite_rdma_conn_start(struct lite_qp *qp);

/* rdma_raw.c */
int lite_rdma_raw(struct lite_link *link, unsigned int slot,
		  const struct lite_raw *raw);
void lite_rdma_raw_reply(struct lite_req *req, const struct lite_raw *raw);

#endif /* _LITE_RPC_RDMA_H */
