// SPDX-License-Identifier: GPL-2.0
/*
 * Who is it? The handshake of a new connection where there are keys (auth.c).
 *
 *	caller				server
 *	connect_req: I have a key ---->	rejects it if it knows of none
 *			<----		connect_rsp with a nonce
 *	AUTH: nonce, which key, MAC -->	verified: it is admitted
 *	verified	<----		AUTH: status, MAC
 *			<----		HELLO, as ever
 *
 * Both MACs are over all that was said, so what was recorded proves nothing to
 * another nonce, and nobody can put in other ring keys or incarnations. The
 * caller proves first: whoever may connect gets nothing to guess keys with.
 * Until then each side's queue pair takes no more than that (rdma_state.c), and
 * the conn is no successor of an older one of the same name (conn.c).
 */
#include <linux/delay.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sunrpc/addr.h>

#include "rdma.h"

/* conns that have still to prove a key: of one address, of all */
#define MAX_CLOSED_ADDR 16
#define MAX_CLOSED 64

/* what a test makes of them, and how long they stay at most: as AUTH_MS */
#define CROWD (MAX_CLOSED_ADDR + 4)
#define CROWD_MS 3000

#define AUTH_IMM LITE_IMM(LITE_IMM_AUTH, 0, 0)

/* ---- the caller's side ---- */

#define qp_warn(qp, fmt, ...)                                             \
	do {                                                              \
		if (__ratelimit(&(qp)->node->rejections))                 \
			pr_warn("%s: " fmt "\n", (qp)->node->name,        \
				##__VA_ARGS__);                           \
	} while (0)

/**
 * lite_auth_begin() - shall this connection prove a key
 * @qp: the caller's, fresh; qp->auth is set if so
 *
 * Context: process. Return: 0, -ENOMEM, -ENOKEY: key= names one that is not
 *	there, logged.
 */
int lite_auth_begin(struct lite_qp *qp)
{
	bool forged = qp->link->forge > LITE_FORGE_VERSION;
	struct lite_auth *auth;
	char key[LITE_KEY_LEN];
	int err;

	if (!lite_auth_key(key) && !forged)
		return 0;
	auth = kzalloc(sizeof(*auth), GFP_KERNEL);
	if (!auth)
		return -ENOMEM;
	memcpy(auth->proof.key, key, sizeof(key));
	qp->auth = auth;
	qp->open = false;
	if (forged)
		return 0;
	/* better told now than by the server */
	err = lite_auth_mac(key, &auth->text, LITE_AUTH_CALLER,
			    auth->proof.mac);
	if (err == -ENOKEY)
		qp_warn(qp, "key=%s: keyring .lego has no 'lego:%s' of 16 bytes or more, nobody can be called",
			key, key);
	return err;
}

/**
 * lite_auth_connect() - what the connect request has to do with it
 * @qp: the caller's
 * @req: complete but for that; it is sent as it is then
 *
 * Context: process.
 */
void lite_auth_connect(struct lite_qp *qp, struct lite_connect_req *req)
{
	if (qp->link->forge == LITE_FORGE_VERSION)
		req->version = cpu_to_le16(LITE_VERSION + 7);
	if (!qp->auth)
		return;
	req->flags |= LITE_CONNECT_AUTH;
	if (qp->link->forge == LITE_FORGE_REPLAY) {
		spin_lock_irq(&qp->node->lock);
		*req = qp->node->said.req;
		spin_unlock_irq(&qp->node->lock);
	}
	qp->auth->text.req = *req;
}

/**
 * lite_auth_rejected() - the connect request was rejected for want of a key
 * @qp: the caller's
 *
 * Context: process.
 */
void lite_auth_rejected(struct lite_qp *qp)
{
	const char *peer = qp->link->peer->addr.text;

	if (qp->auth)
		qp_warn(qp, "%s has no keys: add 'lego:%s' to its keyring .lego",
			peer, qp->auth->proof.key);
	else
		qp_warn(qp, "%s demands a key: add it to keyring .lego, and name it with key= of lite_rpc",
			peer);
}

static int make_proof(struct lite_qp *qp)
{
	struct lite_auth *auth = qp->auth;
	struct lite_node *node = qp->node;
	int err;

	get_random_bytes(auth->proof.nonce, sizeof(auth->proof.nonce));
	switch (qp->link->forge) {
	case LITE_FORGE_NONE:
	case LITE_FORGE_RECORD:
	case LITE_FORGE_WRITE: /* all right but for that */
		break;
	case LITE_FORGE_REPLAY:
		spin_lock_irq(&node->lock);
		auth->proof = node->said.proof;
		spin_unlock_irq(&node->lock);
		return 0;
	default:
		get_random_bytes(auth->proof.mac, sizeof(auth->proof.mac));
		return 0;
	}
	memcpy(auth->text.nonce, auth->proof.nonce, sizeof(auth->text.nonce));
	err = lite_auth_mac(auth->proof.key, &auth->text, LITE_AUTH_CALLER,
			    auth->proof.mac);
	if (qp->link->forge != LITE_FORGE_RECORD)
		return err;
	spin_lock_irq(&node->lock);
	node->said.req = auth->text.req;
	node->said.proof = auth->proof;
	spin_unlock_irq(&node->lock);
	return err;
}

static int send_proof(struct lite_qp *qp)
{
	struct ib_rdma_wr wr = { .wr.opcode = IB_WR_RDMA_WRITE };
	u32 len = sizeof(qp->auth->proof);
	u32 imm = AUTH_IMM;

	memcpy(qp->tx[0], &qp->auth->proof, len);
	switch (qp->link->forge) {
	case LITE_FORGE_SILENT:
		return 0;
	case LITE_FORGE_SHORT:
		len /= 2;
		break;
	case LITE_FORGE_EARLY:
		imm = LITE_IMM(LITE_IMM_REQUEST, 0, 0);
		break;
	case LITE_FORGE_WRITE:
		lite_qp_post(qp, &wr.wr, &wr.wr, 1, false, NULL, NULL);
		break;
	default:
		break;
	}
	return lite_qp_send_closed(qp, imm, len, false);
}

static int take_result(struct lite_qp *qp)
{
	const struct lite_auth *auth = qp->auth;
	const char *peer = qp->link->peer->addr.text;
	const char *key = auth->proof.key;
	int err;

	err = lite_status_to_errno(le32_to_cpu(auth->result.status));
	if (err == -ENOKEY) {
		qp_warn(qp, "%s has no key 'lego:%s' in its keyring .lego",
			peer, key);
		return err;
	}
	if (err == -EKEYREJECTED) {
		qp_warn(qp, "%s refuses us: its key 'lego:%s' is another one",
			peer, key);
		return err;
	}
	if (err)
		return -ECONNREFUSED;
	err = lite_auth_verify(key, &auth->text, LITE_AUTH_SERVER,
			       auth->result.mac);
	if (err)
		qp_warn(qp, "%s has not proved key 'lego:%s' (%d), not used",
			peer, key, err);
	return err;
}

/**
 * lite_auth_prove() - prove to the server, and it to us
 * @qp: the caller's, connected; its ring is registered
 * @deadline: jiffies
 *
 * Context: process, bounded by @deadline, killable.
 * Return: 0: nothing is to be proved, or all was; as lite_peer_connect().
 */
int lite_auth_prove(struct lite_qp *qp, unsigned long deadline)
{
	struct lite_auth *auth = qp->auth;
	int err;

	if (!auth)
		return 0;
	if (qp->link->forge == LITE_FORGE_CROWD)
		return -EINPROGRESS;
	err = make_proof(qp);
	if (!err)
		err = send_proof(qp);
	if (!err)
		err = lite_cm_wait(qp, &auth->here, deadline);
	/* one that refuses says so and hangs up: both may have come */
	if (smp_load_acquire(&auth->here)) /* pairs with lite_auth_rx() */
		err = take_result(qp);
	return err ?: lite_qp_open(qp);
}

/**
 * lite_auth_crowd() - try to have more half-open connections than one may
 * @link: link that forges
 * @deadline: jiffies; to make them
 *
 * They stay for a while, so that one can look. How many there were is logged.
 * Context: process, bounded, killable.
 * Return: why there are no more; -EINPROGRESS: there could be.
 */
int lite_auth_crowd(struct lite_link *link, unsigned long deadline)
{
	struct lite_qp *qp[CROWD];
	unsigned int nr;
	int err = -ENOMEM;

	for (nr = 0; nr < CROWD; nr++) {
		qp[nr] = lite_qp_alloc(link->peer->node);
		if (!qp[nr])
			break;
		qp[nr]->link = link;
		err = lite_cm_connect(qp[nr], deadline);
		if (err == -EINPROGRESS)
			continue;
		lite_qp_destroy(qp[nr]);
		lite_qp_free(qp[nr]);
		break;
	}
	pr_info("%s: %u connections with %s that prove nothing, then error %d\n",
		link->peer->node->name, nr, link->peer->addr.text, err);
	msleep_interruptible(CROWD_MS);
	while (nr--) {
		lite_qp_destroy(qp[nr]);
		lite_qp_free(qp[nr]);
	}
	return err;
}

/* ---- the server's side ---- */

/**
 * lite_auth_refused() - somebody does not get in: count it, log it now and then
 * @node: where
 * @id: the connection
 * @name: who it says it is
 * @why: why
 *
 * Context: any but hard interrupt.
 */
void lite_auth_refused(struct lite_node *node, struct rdma_cm_id *id,
		       const char *name, const char *why)
{
	u64 nr = atomic64_inc_return(&node->auth_failures);

	if (__ratelimit(&node->refusals))
		pr_warn("%s: refused %s (%pISc), it %s; %llu refused so far\n",
			node->name, name, &id->route.addr.dst_addr, why, nr);
}

/* connect requests come one after the other, so none is overlooked */
static bool too_many_closed(struct lite_node *node, struct rdma_cm_id *id)
{
	const struct lite_conn *conn;
	const struct lite_qp *qp;
	unsigned int nr = 0, of_addr = 0;
	unsigned long flags;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(conn, &node->conns, list) {
		if (conn->admitted)
			continue;
		qp = conn->tp;
		nr++;
		of_addr += rpc_cmp_addr((void *)&qp->cm->route.addr.dst_addr,
					(void *)&id->route.addr.dst_addr);
	}
	spin_unlock_irqrestore(&node->lock, flags);
	return nr >= MAX_CLOSED || of_addr >= MAX_CLOSED_ADDR;
}

/**
 * lite_auth_admission() - may this caller try
 * @node: the server
 * @id: the connection
 * @req: the caller's
 * @name: its name
 *
 * Context: process, in the event. Return: enum lite_status.
 */
u32 lite_auth_admission(struct lite_node *node, struct rdma_cm_id *id,
			const struct lite_connect_req *req, const char *name)
{
	bool named = req->flags & LITE_CONNECT_AUTH;

	if (named != lite_auth_demanded()) {
		lite_auth_refused(node, id, name, named ?
				  "demands a key, and here is none" :
				  "names no key");
		return LITE_ST_NOKEY;
	}
	if (named && too_many_closed(node, id)) {
		lite_auth_refused(node, id, name,
				  "comes while too many have still to prove a key");
		return LITE_ST_AGAIN;
	}
	return LITE_ST_OK;
}

static int check_proof(struct lite_qp *qp)
{
	struct lite_auth *auth = qp->auth;
	const char *key = auth->proof.key;
	int err;

	if (!*key || key[LITE_KEY_LEN - 1])
		return -EKEYREJECTED;
	memcpy(auth->text.nonce, auth->proof.nonce, sizeof(auth->text.nonce));
	err = lite_auth_verify(key, &auth->text, LITE_AUTH_CALLER,
			       auth->proof.mac);
	if (err)
		return err;
	return lite_auth_mac(key, &auth->text, LITE_AUTH_SERVER,
			     auth->result.mac);
}

/**
 * lite_auth_serve() - the caller's proof has come, or its time is over
 * @qp: the server's, not open
 *
 * Context: process, may sleep, bounded.
 * Return: 0: admitted; else @qp is to be broken.
 */
int lite_auth_serve(struct lite_qp *qp)
{
	struct lite_auth *auth = qp->auth;
	int err;

	if (!smp_load_acquire(&auth->here)) { /* pairs with lite_auth_rx() */
		lite_auth_refused(qp->node, qp->cm, qp->conn->peer_name,
				  "has not proved its key in time");
		return -ETIMEDOUT;
	}
	err = check_proof(qp);
	if (err) {
		lite_auth_refused(qp->node, qp->cm, qp->conn->peer_name,
				  err == -ENOKEY ? "names a key that is not here" :
				  "has another key than ours of that name, or repeats what it overheard");
		memset(auth->result.mac, 0, sizeof(auth->result.mac));
	} else {
		lite_conn_admit(qp->conn);
		err = lite_qp_open(qp);
	}
	if (lite_fault(qp->node, LITE_FAULT_CORRUPT))
		auth->result.mac[0] ^= 1;
	auth->result.status = cpu_to_le32(lite_errno_to_status(err));
	memcpy(qp->tx[0], &auth->result, sizeof(auth->result));
	/* one that is refused shall know why before we hang up */
	return lite_qp_send_closed(qp, AUTH_IMM, sizeof(auth->result), err) ?:
	       err;
}

/* ---- both ---- */

/**
 * lite_auth_rx() - a message has come to a queue pair that is not open
 * @qp: queue pair
 * @imm: immediate data
 * @len: bytes in slot 0
 *
 * Context: softirq. Return: 0; -EPROTO: it should not have come.
 */
int lite_auth_rx(struct lite_qp *qp, u32 imm, u32 len)
{
	struct lite_auth *auth = qp->auth;
	u32 want = qp->link ? sizeof(auth->result) : sizeof(auth->proof);

	if (imm != AUTH_IMM || len != want || auth->here)
		return -EPROTO;
	ib_dma_sync_single_for_cpu(qp->node->rdma->dev, qp->ring_dma[0], len,
				   DMA_FROM_DEVICE);
	memcpy(qp->link ? (void *)&auth->result : (void *)&auth->proof,
	       qp->ring[0], len);
	smp_store_release(&auth->here, true); /* pairs with who waits for it */
	if (qp->link)
		wake_up_all(&qp->event);
	else
		mod_delayed_work(qp->node->q->conn, &qp->hello_work, 0);
	return 0;
}
