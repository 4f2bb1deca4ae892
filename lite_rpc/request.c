// SPDX-License-Identifier: GPL-2.0
/* Requests: what handlers may do with one. */
#include <linux/bottom_half.h>
#include <linux/export.h>

#include "lite_rpc.h"
#include "trace.h"

/**
 * lite_req_msg() - the request's payload
 * @req: request
 *
 * Context: any. Return: a private copy, lite_req_len() bytes.
 */
const void *lite_req_msg(const struct lite_req *req)
{
	return req->payload;
}
EXPORT_SYMBOL_NS_GPL(lite_req_msg, LITE_RPC);

/**
 * lite_req_len() - bytes of payload, within the table's limits
 * @req: request
 *
 * Context: any. Return: bytes.
 */
u32 lite_req_len(const struct lite_req *req)
{
	return req->len;
}
EXPORT_SYMBOL_NS_GPL(lite_req_len, LITE_RPC);

/**
 * lite_req_op() - what is asked for
 * @req: request
 *
 * Context: any. Return: operation.
 */
u16 lite_req_op(const struct lite_req *req)
{
	return req->op;
}
EXPORT_SYMBOL_NS_GPL(lite_req_op, LITE_RPC);

/**
 * lite_req_in_len() - bytes the caller offers for lite_req_pull()
 * @req: request
 *
 * Context: any. Return: bytes.
 */
u32 lite_req_in_len(const struct lite_req *req)
{
	return req->in_len;
}
EXPORT_SYMBOL_NS_GPL(lite_req_in_len, LITE_RPC);

/**
 * lite_req_out_len() - bytes of room for lite_req_push()
 * @req: request
 *
 * Context: any. Return: bytes.
 */
u32 lite_req_out_len(const struct lite_req *req)
{
	return req->out_len;
}
EXPORT_SYMBOL_NS_GPL(lite_req_out_len, LITE_RPC);

/**
 * lite_req_priv() - the server's
 * @req: request
 *
 * Context: any. Return: lite_node_cfg.priv.
 */
void *lite_req_priv(const struct lite_req *req)
{
	return req->conn->node->priv;
}
EXPORT_SYMBOL_NS_GPL(lite_req_priv, LITE_RPC);

/**
 * lite_req_node() - who was asked
 * @req: request
 *
 * Context: any. Return: the node.
 */
struct lite_node *lite_req_node(const struct lite_req *req)
{
	return req->conn->node;
}
EXPORT_SYMBOL_NS_GPL(lite_req_node, LITE_RPC);

/**
 * lite_req_peer_id() - who asks
 * @req: request
 *
 * Context: any.
 * Return: its node id; 0 if it had none when it connected and we have not
 *	heard of it since.
 */
u32 lite_req_peer_id(const struct lite_req *req)
{
	struct lite_conn *conn = req->conn;

	if (!conn->peer_id)
		conn->peer_id = lite_member_id_of(conn->node,
						  conn->peer_incarnation);
	return conn->peer_id;
}
EXPORT_SYMBOL_NS_GPL(lite_req_peer_id, LITE_RPC);

/**
 * lite_req_peer_incarnation() - which life of who asks
 * @req: request
 *
 * Context: any. Return: incarnation.
 */
u64 lite_req_peer_incarnation(const struct lite_req *req)
{
	return req->conn->peer_incarnation;
}
EXPORT_SYMBOL_NS_GPL(lite_req_peer_incarnation, LITE_RPC);

/**
 * lite_req_rsp() - where the reply's payload goes
 * @req: request
 *
 * Context: any. Return: LITE_RSP_MAX bytes, not zeroed.
 */
void *lite_req_rsp(struct lite_req *req)
{
	return req->rsp + sizeof(struct lite_rsp_hdr);
}
EXPORT_SYMBOL_NS_GPL(lite_req_rsp, LITE_RPC);

/* see include/lego/lite.h */
int lite_req_pull(struct lite_req *req, u64 off, const struct lite_sge *sge,
		  unsigned int nr)
{
	u64 len;
	int err;

	might_sleep();
	err = lite_sge_check(req->conn->node, sge, nr, 0, &len);
	if (err)
		return err;
	if (off > req->in_len || len > req->in_len - off)
		return -EINVAL;
	return len ? req->conn->ops->pull(req, off, sge, nr, len) : 0;
}
EXPORT_SYMBOL_NS_GPL(lite_req_pull, LITE_RPC);

/* see include/lego/lite.h */
int lite_req_export(struct lite_req *req, const struct lite_sge *sge,
		    struct lite_wire_seg *seg)
{
	u64 len;
	int err;

	err = lite_sge_check(req->conn->node, sge, 1, 0, &len);
	if (err || !sge->mr->access)
		return -EINVAL;
	err = req->conn->ops->encode(sge, 1, sge->mr->access, seg, 1);
	return err < 0 ? err : 0;
}
EXPORT_SYMBOL_NS_GPL(lite_req_export, LITE_RPC);

/* see include/lego/lite.h */
int lite_req_push(struct lite_req *req, u64 off, const struct lite_sge *sge,
		  unsigned int nr)
{
	u64 len;
	int err;

	err = lite_sge_check(req->conn->node, sge, nr, 0, &len);
	if (err)
		return err;
	if (off > req->out_len || len > req->out_len - off)
		return -EINVAL;
	return len ? req->conn->ops->push(req, off, sge, nr, len) : 0;
}
EXPORT_SYMBOL_NS_GPL(lite_req_push, LITE_RPC);

/* see include/lego/lite.h */
void lite_req_reply(struct lite_req *req, int err, u32 len)
{
	lite_req_reply_release(req, err, len, NULL, NULL);
}
EXPORT_SYMBOL_NS_GPL(lite_req_reply, LITE_RPC);

/* see include/lego/lite.h */
void lite_req_reply_release(struct lite_req *req, int err, u32 len,
			    void (*release)(void *arg), void *arg)
{
	struct lite_rsp_hdr *hdr = req->rsp;

	/* a refused request may have no desc; it has no payload either */
	if (WARN_ON_ONCE(len && (!req->desc || len > req->desc->rsp_max ||
				 len > LITE_RSP_MAX))) {
		err = -EIO;
		len = 0;
	}
	hdr->version = cpu_to_le16(LITE_VERSION);
	hdr->op = cpu_to_le16(req->op);
	hdr->xid = cpu_to_le32(req->xid);
	hdr->len = cpu_to_le32(len);
	hdr->status = cpu_to_le32(lite_errno_to_status(err));
	req->release = release;
	req->release_arg = arg;
	trace_lite_reply(req, len, err);
	if (!lite_fault_delay(req))
		lite_req_send(req);
}
EXPORT_SYMBOL_NS_GPL(lite_req_reply_release, LITE_RPC);

/**
 * lite_req_send() - send the reply that is in req->rsp
 * @req: the request; gone
 *
 * Context: any but hard interrupt.
 */
void lite_req_send(struct lite_req *req)
{
	struct lite_conn *conn = req->conn;
	struct lite_rsp_hdr *hdr = req->rsp;
	u32 len = sizeof(*hdr) + le32_to_cpu(hdr->len);

	if (req->flags & LITE_REQ_ONEWAY)
		len = 0;
	if (lite_fault(conn->node, LITE_FAULT_CORRUPT)) {
		if (len)
			lite_fault_corrupt(hdr, sizeof(*hdr));
		else
			req->xid ^= 1; /* all that a credit says */
	}
	if (lite_fault(conn->node, LITE_FAULT_DROP))
		conn->ops->drop(req);
	else
		conn->ops->reply(req, len);
	lite_conn_replied(conn);
}

/**
 * lite_req_run() - run a handler in a worker
 * @req: request; gone when it is answered
 *
 * Atomic ones come here too, when a transport cannot call them at once; they
 * find bottom halves off, as they were promised.
 * Context: process.
 */
void lite_req_run(struct lite_req *req)
{
	if (!(req->desc->flags & LITE_OPF_ATOMIC)) {
		req->fn(req);
		return;
	}
	local_bh_disable();
	req->fn(req);
	local_bh_enable();
}
