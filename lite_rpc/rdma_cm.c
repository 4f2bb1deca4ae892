// SPDX-License-Identifier: GPL-2.0
/*
 * Connecting with rdma_cm.
 *
 *	caller				server
 *	rdma_connect(connect_req) ---->	conn and queue pair made, accepted
 *	established	<----		rdma_accept(connect_rsp)
 *	where there are keys: both prove one (rdma_auth.c)
 *					waits for handlers of the caller's
 *					former connection, registers its ring
 *	link is up	<----		LITE_IMM_HELLO
 *
 * Before HELLO the caller sends nothing: the server's ring is not writable
 * yet. The caller's ring is registered by the first work request it posts, so
 * before any request, which comes after it on the same send queue.
 */
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <rdma/ib_cm.h>

#include "rdma.h"

#define RESOLVE_MS 2000
#define GONE_TICK (HZ / 10) /* how soon a link that is gone is noticed */
#define READ_DEPTH 16
/*
 * 4.096 us << 16 is 268 ms; with 6 retries a silent peer is lost after 2 s.
 * rdma_cm's own choice, 17, doubles both, and the first is what a lost last
 * packet costs. 7 retries are for ever with rxe.
 */
#define ACK_TIMEOUT 16
#define RETRIES 6
/* without the caller's last message of three we go on after this */
#define HELLO_MS 700
/* without its proof we go on to hang up after this */
#define AUTH_MS 3000

static void set_err(struct lite_qp *qp, int err)
{
	if (!qp->err)
		WRITE_ONCE(qp->err, err);
	wake_up_all(&qp->event);
}

static void set_done(struct lite_qp *qp, bool *done)
{
	/* what came with it is there: pairs with is_done() */
	smp_store_release(done, true);
	wake_up_all(&qp->event);
}

static bool is_done(struct lite_qp *qp, const bool *done)
{
	/* pairs with set_done() and link_rx() */
	return smp_load_acquire(done) || READ_ONCE(qp->err) ||
	       READ_ONCE(qp->broken);
}

/* why a server, or its kernel, did not want us */
static int reject_errno(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	const struct lite_connect_rej *rej;
	int err;
	u8 len;

	rej = rdma_consumer_reject_data(id, ev, &len);
	if (!rej || len < sizeof(*rej) ||
	    le32_to_cpu(rej->magic) != LITE_MAGIC)
		return -ECONNREFUSED;
	if (le16_to_cpu(rej->version) != LITE_VERSION)
		return -EPROTONOSUPPORT;
	err = lite_status_to_errno(le16_to_cpu(rej->status));
	return err == -ESTALE || err == -EPROTONOSUPPORT || err == -ENOKEY ?
		       err : -ECONNREFUSED;
}

static int take_rsp(struct lite_qp *qp, const struct rdma_conn_param *param)
{
	const struct lite_connect_rsp *rsp = param->private_data;

	if (param->private_data_len < sizeof(*rsp) ||
	    le32_to_cpu(rsp->magic) != LITE_MAGIC ||
	    le16_to_cpu(rsp->version) != LITE_VERSION ||
	    rsp->nr_slots != LITE_SLOTS)
		return -EPROTONOSUPPORT;
	qp->peer_key = le32_to_cpu(rsp->ring_key);
	qp->peer_addr = le64_to_cpu(rsp->ring_addr);
	qp->peer_incarnation = le64_to_cpu(rsp->incarnation);
	if (qp->auth)
		qp->auth->text.rsp = *rsp;
	return 0;
}

static int caller_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct lite_qp *qp = id->context;
	int err;

	switch (ev->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		set_done(qp, &qp->resolved);
		break;
	case RDMA_CM_EVENT_CONNECT_RESPONSE:
		err = take_rsp(qp, &ev->param.conn);
		if (!err)
			err = lite_qp_ready(qp, NULL);
		if (!err)
			err = rdma_accept(id, NULL); /* the last of three */
		else
			rdma_reject(id, NULL, 0, IB_CM_REJ_CONSUMER_DEFINED);
		if (err)
			set_err(qp, err);
		set_done(qp, &qp->established);
		break;
	case RDMA_CM_EVENT_REJECTED:
		set_err(qp, reject_errno(id, ev));
		break;
	case RDMA_CM_EVENT_ADDR_ERROR:
	case RDMA_CM_EVENT_ROUTE_ERROR:
	case RDMA_CM_EVENT_CONNECT_ERROR:
	case RDMA_CM_EVENT_UNREACHABLE:
		set_err(qp, -EHOSTUNREACH);
		break;
	case RDMA_CM_EVENT_DISCONNECTED:
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		set_err(qp, -ECONNRESET);
		lite_qp_break(qp);
		break;
	default:
		break;
	}
	return 0;
}

/**
 * lite_cm_wait() - wait for something that was begun
 * @qp: queue pair
 * @done: set by who ends it; and qp->event is woken
 * @deadline: jiffies; bounds all of the connecting
 *
 * It ends soon after the link is gone, too: who ends it waits for link->mutex.
 * Context: process, killable.
 * Return: 0, qp->err, -ECONNRESET, -ETIMEDOUT, -EINTR, lite_link_gone_err().
 */
int lite_cm_wait(struct lite_qp *qp, bool *done, unsigned long deadline)
{
	long left, gone;

	do {
		left = clamp_t(long, deadline - jiffies, 1, GONE_TICK);
		left = wait_event_killable_timeout(qp->event, is_done(qp, done),
						   left);
		gone = qp->link ? lite_link_gone_err(qp->link) : 0;
	} while (!left && !gone && time_before(jiffies, deadline));
	if (left < 0)
		return -EINTR;
	if (!left && gone)
		return gone;
	if (READ_ONCE(qp->err))
		return qp->err;
	if (READ_ONCE(qp->broken))
		return -ECONNRESET;
	return left ? 0 : -ETIMEDOUT;
}

static int resolve(struct lite_qp *qp, unsigned long deadline)
{
	struct lite_node *node = qp->node;
	struct sockaddr_storage src = node->addr.ss;
	struct sockaddr_storage dst = qp->link->peer->addr.ss;
	int err;

	if (src.ss_family != dst.ss_family)
		return -EAFNOSUPPORT;
	if (src.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&src)->sin6_port = 0;
	else
		((struct sockaddr_in *)&src)->sin_port = 0;
	err = rdma_resolve_addr(qp->cm, (struct sockaddr *)&src,
				(struct sockaddr *)&dst, RESOLVE_MS);
	if (!err)
		err = lite_cm_wait(qp, &qp->resolved, deadline);
	if (err)
		return err;
	if (qp->cm->device != node->rdma->dev) {
		pr_warn_ratelimited("%s: %s is not reached by the device of %s\n",
				    node->name, qp->link->peer->addr.text,
				    node->addr.text);
		return -EHOSTUNREACH;
	}
	qp->resolved = false;
	err = rdma_resolve_route(qp->cm, RESOLVE_MS);
	return err ?: lite_cm_wait(qp, &qp->resolved, deadline);
}

static void set_param(struct lite_qp *qp, struct rdma_conn_param *param)
{
	const struct ib_device_attr *attr = &qp->node->rdma->dev->attrs;

	param->responder_resources = min(attr->max_qp_rd_atom, READ_DEPTH);
	param->initiator_depth = min(attr->max_qp_init_rd_atom, READ_DEPTH);
	param->retry_count = RETRIES;
	param->rnr_retry_count = 7; /* for ever: receives are always posted */
}

static int connect_to(struct lite_qp *qp, unsigned long deadline)
{
	struct lite_node *node = qp->node;
	struct lite_connect_req req = {
		.magic = cpu_to_le32(LITE_MAGIC),
		.version = cpu_to_le16(LITE_VERSION),
		.class = qp->link->class,
		.nr_slots = LITE_SLOTS,
		.node_id = cpu_to_le32(lite_node_id(node)),
		.ring_key = cpu_to_le32(qp->ring_mr->rkey),
		.incarnation = cpu_to_le64(node->incarnation),
		.want = cpu_to_le64(qp->link->peer->incarnation),
		.ring_addr = cpu_to_le64(qp->ring_mr->iova),
	};
	struct rdma_conn_param param = {
		.private_data = &req,
		.private_data_len = sizeof(req),
		.qp_num = qp->num,
	};
	int err;

	memcpy(req.name, node->name, sizeof(req.name));
	lite_auth_connect(qp, &req);
	set_param(qp, &param);
	err = rdma_connect(qp->cm, &param);
	if (!err)
		err = lite_cm_wait(qp, &qp->established, deadline);
	if (err == -ENOKEY)
		lite_auth_rejected(qp);
	return err;
}

static int reg_ring(struct lite_qp *qp)
{
	struct ib_reg_wr wr;

	lite_qp_reg_wr(&wr, qp->ring_mr,
		       IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE);
	return lite_qp_post(qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
}

/**
 * lite_cm_connect() - the caller's side of a connection, one try
 * @qp: fresh, with a link; the caller destroys and frees it on an error
 * @deadline: jiffies
 *
 * Context: process, bounded by @deadline, killable.
 * Return: 0, or as lite_peer_connect().
 */
int lite_cm_connect(struct lite_qp *qp, unsigned long deadline)
{
	struct rdma_cm_id *cm;
	unsigned int i;
	int err, tos;

	err = lite_auth_begin(qp);
	if (err)
		return err;
	cm = rdma_create_id(&init_net, caller_event, qp, RDMA_PS_TCP,
			    IB_QPT_RC);
	if (IS_ERR(cm))
		return PTR_ERR(cm);
	qp->cm = cm;
	rdma_set_ack_timeout(cm, ACK_TIMEOUT);
	tos = lite_qos_tos(qp->link->class);
	if (tos >= 0)
		rdma_set_service_type(cm, tos);
	err = resolve(qp, deadline);
	if (err)
		return err;
	for (i = 0; i < LITE_SLOTS; i++)
		qp->tx[i] = qp->link->slot[i].buf;
	err = lite_qp_create(qp, qp->tx);
	if (err)
		return err;
	err = connect_to(qp, deadline);
	if (err)
		return err;
	err = reg_ring(qp);
	if (err)
		return err;
	err = lite_auth_prove(qp, deadline);
	if (err)
		return err;
	err = lite_cm_wait(qp, &qp->hello, deadline);
	if (err)
		return err;
	lite_qp_set_kills(qp, true);
	err = lite_mr_reg_pending(qp);
	lite_qp_set_kills(qp, false);
	return READ_ONCE(qp->broken) ? -ECONNRESET : err;
}

static int server_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct lite_qp *qp = id->context;

	switch (ev->event) {
	case RDMA_CM_EVENT_ESTABLISHED:
		if (!qp->auth) /* else it goes on with the proof */
			mod_delayed_work(qp->node->q->conn, &qp->hello_work, 0);
		break;
	case RDMA_CM_EVENT_CONNECT_ERROR:
	case RDMA_CM_EVENT_UNREACHABLE:
	case RDMA_CM_EVENT_REJECTED:
	case RDMA_CM_EVENT_DISCONNECTED:
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		lite_qp_break(qp);
		break;
	default:
		break;
	}
	return 0;
}

/**
 * lite_cm_resume() - lite_transport.resume
 * @conn: held back by elders, one of which has gone
 *
 * Context: any.
 */
void lite_cm_resume(struct lite_conn *conn)
{
	struct lite_qp *qp = conn->tp;

	mod_delayed_work(conn->node->q->conn, &qp->hello_work, 0);
}

/*
 * Has it waited for its elders as long as its caller does, which then comes
 * again? If not, look once more at that time. No work waits for that: works
 * that end elders may have yet to begin on this very queue.
 */
static bool hello_is_late(struct lite_qp *qp)
{
	if (!qp->hello_by)
		qp->hello_by = (jiffies + msecs_to_jiffies(LITE_CONNECT_MS)) | 1;
	if (time_after_eq(jiffies, qp->hello_by))
		return true;
	/* no harm to lite_cm_resume(): what is queued already stays so */
	queue_delayed_work(qp->node->q->conn, &qp->hello_work,
			   qp->hello_by - jiffies);
	return false;
}

static void hello_work(struct work_struct *work)
{
	struct lite_qp *qp = container_of(work, struct lite_qp,
					  hello_work.work);
	struct lite_conn *conn = qp->conn;

	if (READ_ONCE(conn->dead) || qp->hello)
		return;
	if (!qp->open && lite_auth_serve(qp)) {
		lite_qp_break(qp);
		return;
	}
	if (lite_conn_has_elder(conn)) {
		/* lite_cm_resume() has it back */
		if (!hello_is_late(qp))
			return;
		lite_qp_break(qp);
		return;
	}
	qp->hello = true;
	/* the regions first: after the hello it may ask for their keys */
	if (reg_ring(qp) ||
	    lite_mr_reg_pending(qp) ||
	    lite_qp_send_closed(qp, LITE_IMM(LITE_IMM_HELLO, 0, 0), 0, false))
		lite_qp_break(qp);
	else
		lite_rdma_conn_start(qp);
}

static u32 check_req(struct lite_node *node, const struct rdma_conn_param *p)
{
	const struct lite_connect_req *req = p->private_data;
	u64 want;

	if (p->private_data_len < sizeof(*req) ||
	    le32_to_cpu(req->magic) != LITE_MAGIC ||
	    le16_to_cpu(req->version) != LITE_VERSION ||
	    req->nr_slots != LITE_SLOTS)
		return LITE_ST_BADVERSION;
	if (req->class >= LITE_CLASS_NR || !req->incarnation ||
	    req->flags & ~LITE_CONNECT_AUTH)
		return LITE_ST_INVAL;
	want = le64_to_cpu(req->want);
	return want && want != node->incarnation ? LITE_ST_STALE : LITE_ST_OK;
}

/* for logs, whoever it comes from */
static void take_name(char *name, const struct lite_connect_req *req)
{
	unsigned int i;

	for (i = 0; i < sizeof(req->name) && req->name[i]; i++)
		name[i] = isascii(req->name[i]) && isgraph(req->name[i]) ?
				  req->name[i] : '?';
	name[i] = '\0';
}

static struct lite_qp *make_server(struct lite_node *node,
				   struct rdma_cm_id *id,
				   const struct lite_connect_req *req,
				   const char *name)
{
	struct lite_conn *conn;
	struct lite_qp *qp;
	unsigned int i;
	int err = -ENOMEM;

	qp = lite_qp_alloc(node);
	if (!qp)
		return ERR_PTR(-ENOMEM);
	if (req->flags & LITE_CONNECT_AUTH) {
		qp->open = false;
		qp->auth = kzalloc(sizeof(*qp->auth), GFP_KERNEL);
		if (!qp->auth)
			goto err_free_qp;
		qp->auth->text.req = *req;
	}
	conn = lite_conn_create(node, &lite_rdma, req->class,
				le32_to_cpu(req->node_id),
				le64_to_cpu(req->incarnation),
				le64_to_cpu(req->want), name);
	if (IS_ERR(conn)) {
		err = PTR_ERR(conn);
		goto err_free_qp;
	}
	qp->conn = conn;
	qp->kills = true;
	qp->cm = id;
	qp->peer_key = le32_to_cpu(req->ring_key);
	qp->peer_addr = le64_to_cpu(req->ring_addr);
	qp->peer_incarnation = conn->peer_incarnation;
	INIT_DELAYED_WORK(&qp->hello_work, hello_work);
	conn->tp = qp;
	err = lite_rdma_conn_init(qp);
	if (err)
		goto err_put_conn;
	for (i = 0; i < LITE_SLOTS; i++)
		qp->tx[i] = conn->req[i].rsp;
	err = lite_qp_create(qp, qp->tx);
	if (err)
		goto err_put_conn;
	return qp;

err_put_conn:
	/* not published: the free of the conn frees the queue pair */
	qp->cm = NULL;
	lite_conn_put(conn);
	return ERR_PTR(err);
err_free_qp:
	lite_qp_free(qp);
	return ERR_PTR(err);
}

/* before others know of the conn, who may close it and take all this away */
static void make_rsp(struct lite_qp *qp, struct lite_connect_rsp *rsp)
{
	*rsp = (struct lite_connect_rsp){
		.magic = cpu_to_le32(LITE_MAGIC),
		.version = cpu_to_le16(LITE_VERSION),
		.nr_slots = LITE_SLOTS,
		.ring_key = cpu_to_le32(qp->ring_mr->rkey),
		.incarnation = cpu_to_le64(qp->node->incarnation),
		.ring_addr = cpu_to_le64(qp->ring_mr->iova),
	};
	if (qp->auth) {
		get_random_bytes(rsp->nonce, sizeof(rsp->nonce));
		qp->auth->text.rsp = *rsp;
	}
}

static int accept(struct lite_qp *qp, const struct lite_connect_rsp *rsp,
		  const struct rdma_conn_param *theirs)
{
	struct rdma_conn_param param = {
		.private_data = rsp,
		.private_data_len = sizeof(*rsp),
		.qp_num = qp->num,
	};
	int err;

	set_param(qp, &param);
	/* ib_cm has exchanged theirs: they are what they want of us */
	param.responder_resources = min(param.responder_resources,
					theirs->responder_resources);
	param.initiator_depth = min(param.initiator_depth,
				    theirs->initiator_depth);
	rdma_set_ack_timeout(qp->cm, ACK_TIMEOUT);
	err = lite_qp_ready(qp, &param);
	if (err)
		rdma_reject(qp->cm, NULL, 0, IB_CM_REJ_CONSUMER_DEFINED);
	return err ?: rdma_accept(qp->cm, &param);
}

static int reject(struct rdma_cm_id *id, u32 status)
{
	struct lite_connect_rej rej = {
		.magic = cpu_to_le32(LITE_MAGIC),
		.version = cpu_to_le16(LITE_VERSION),
		.status = cpu_to_le16(status),
	};

	rdma_reject(id, &rej, sizeof(rej), IB_CM_REJ_CONSUMER_DEFINED);
	return -ECONNREFUSED; /* rdma_cm destroys the id */
}

/*
 * Somebody connects. rdma_accept() is called here, inside the event, as
 * rdma_cm demands. After an error it destroys the id.
 */
static int connect_request(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct lite_node *node = id->context;
	const struct rdma_conn_param *param = &ev->param.conn;
	const struct lite_connect_req *req = param->private_data;
	char name[sizeof(req->name) + 1];
	struct lite_connect_rsp rsp;
	struct lite_qp *qp;
	u32 status;
	int err;

	status = check_req(node, param);
	if (status == LITE_ST_BADVERSION)
		lite_auth_refused(node, id, "?", "speaks another version");
	if (status)
		return reject(id, status);
	take_name(name, req);
	status = lite_auth_admission(node, id, req, name);
	if (status)
		return reject(id, status);
	qp = make_server(node, id, req, name);
	if (IS_ERR(qp))
		return reject(id, lite_errno_to_status(PTR_ERR(qp)));
	make_rsp(qp, &rsp);
	err = lite_conn_publish(qp->conn, qp->open);
	if (err)
		goto err_destroy;
	id->context = qp;
	id->event_handler = server_event;
	err = accept(qp, &rsp, param);
	if (err) /* rdma_cm has rejected it; the conn takes all with it */
		lite_qp_break(qp);
	else
		queue_delayed_work(node->q->conn, &qp->hello_work,
				   msecs_to_jiffies(qp->auth ? AUTH_MS :
							       HELLO_MS));
	lite_conn_put(qp->conn);
	return 0;

err_destroy:
	qp->broken = true; /* nobody else knows of it */
	lite_qp_destroy(qp);
	qp->cm = NULL;
	lite_conn_put(qp->conn);
	return reject(id, LITE_ST_NOTREADY);
}

/**
 * lite_cm_listener_event() - rdma_cm's handler of a node's listener
 * @id: of a connection that is asked for; its context is the node
 * @ev: event
 *
 * Context: process. Return: not 0: rdma_cm destroys @id.
 */
int lite_cm_listener_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	if (ev->event == RDMA_CM_EVENT_CONNECT_REQUEST)
		return connect_request(id, ev);
	return 0;
}
