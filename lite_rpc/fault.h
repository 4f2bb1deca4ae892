/* SPDX-License-Identifier: GPL-2.0 */
/* Faults on purpose, for tests: see fault.c. */
#ifndef _LITE_RPC_FAULT_H
#define _LITE_RPC_FAULT_H

#include <linux/jump_label.h>
#include <linux/types.h>

struct dentry;
struct lite_conn;
struct lite_node;
struct lite_req;

/**
 * enum lite_fault - what can go wrong, once in node->fault.every[] times
 * @LITE_FAULT_DROP: a request or reply is not sent
 * @LITE_FAULT_DUPLICATE: it is sent twice
 * @LITE_FAULT_CORRUPT: a byte of its header is not what it was
 * @LITE_FAULT_QP: the connection it was to go over breaks
 * @LITE_FAULT_ALLOC: there is no memory
 * @LITE_FAULT_POST: the RDMA device refuses work
 * @LITE_FAULT_DELAY: not one in so many: milliseconds a reply waits at most
 */
enum lite_fault {
	LITE_FAULT_DROP,
	LITE_FAULT_DUPLICATE,
	LITE_FAULT_CORRUPT,
	LITE_FAULT_QP,
	LITE_FAULT_ALLOC,
	LITE_FAULT_POST,
	LITE_FAULT_DELAY,
	LITE_FAULT_NR
};

/**
 * struct lite_faults - a node's switches
 * @every: one in how many, 0 for none
 * @count: how often it could have been
 */
struct lite_faults {
	u32 every[LITE_FAULT_NR];
	atomic_t count[LITE_FAULT_NR];
};

DECLARE_STATIC_KEY_FALSE(lite_faults_on);

bool lite_fault_hit(struct lite_node *node, enum lite_fault what);
bool lite_fault_delay_reply(struct lite_req *req);
void lite_fault_corrupt(void *hdr, u32 len);
void lite_fault_show_add(struct lite_node *node);
void lite_fault_show_del(struct lite_node *node);

/**
 * lite_fault() - shall it go wrong this time
 * @node: whose switches
 * @what: what
 *
 * Costs a nop while no switch of any node is on.
 * Context: any.
 */
static inline bool lite_fault(struct lite_node *node, enum lite_fault what)
{
	return static_branch_unlikely(&lite_faults_on) &&
	       lite_fault_hit(node, what);
}

/**
 * lite_fault_delay() - shall a reply wait
 * @req: answered; if so lite_req_send() comes later
 *
 * Context: any but hard interrupt.
 */
static inline bool lite_fault_delay(struct lite_req *req)
{
	return static_branch_unlikely(&lite_faults_on) &&
	       lite_fault_delay_reply(req);
}

#endif /* _LITE_RPC_FAULT_H */
