// SPDX-License-Identifier: GPL-2.0
/*
 * Who runs in a vNode? gmgr keeps no count, which could be wrong after one of
 * its restarts or a pComponent's death: it asks the pComponents.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

#define PROCS_MS 2000

/**
 * struct procs_ask - a question and its answer
 * @incarnation: of the pComponent
 * @addr: where it is
 * @rsp: what it says
 */
struct procs_ask {
	u64 incarnation;
	char addr[LITE_ADDR_LEN];
	struct pcomp_procs_rsp rsp;
};

/* The pComponents that are up; how many. The array is for kfree(). */
static int procs_find(struct gmgr *g, struct procs_ask **out)
{
	struct gmgr_component *c;
	struct procs_ask *ask;
	int nr = 0;

	ask = kcalloc(GMGR_MEMBERS_LIMIT, sizeof(*ask), GFP_KERNEL);
	if (!ask)
		return -ENOMEM;
	mutex_lock(&g->lock);
	list_for_each_entry(c, &g->members, list) {
		if (c->role != LITE_ROLE_PCOMP || c->state != GMGR_MEMBER_UP)
			continue;
		ask[nr].incarnation = c->incarnation;
		strscpy(ask[nr++].addr, c->addr, sizeof(ask->addr));
	}
	mutex_unlock(&g->lock);
	*out = ask;
	return nr;
}

/* Ask them all at once, so that one that is silent costs its time-out once. */
static int procs_ask(struct gmgr *g, const struct pcomp_procs_req *req,
		     struct procs_ask *ask, int count, struct lite_call *call)
{
	struct lite_peer **peer;
	int i, err = 0;

	peer = kcalloc(count, sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		peer[i] = lite_peer_get(g->node, ask[i].addr,
					ask[i].incarnation);
		err = PTR_ERR_OR_ZERO(peer[i]);
		call[i] = (struct lite_call){
			.op = PCOMP_PROCS,
			.class = LITE_CLASS_CONTROL,
			.req = req,
			.req_len = sizeof(*req),
			.rsp = &ask[i].rsp,
			.rsp_size = sizeof(ask[i].rsp),
			.timeout_ms = PROCS_MS,
		};
	}
	if (!err)
		lite_call_many(peer, call, count);
	while (i--)
		lite_peer_put(peer[i]);
	kfree(peer);
	return err;
}

/**
 * gmgr_procs() - how many processes run in a vNode
 * @g: manager
 * @vid: vNode's id
 * @nr: set to how many there are at the pComponents that answer
 *
 * Context: process, may sleep, bounded; gmgr.lock not held.
 * Return: 0; -EHOSTUNREACH: a pComponent that is thought to be up does not
 *	answer, so there may be more; -ENOMEM.
 */
int gmgr_procs(struct gmgr *g, u32 vid, u32 *nr)
{
	struct pcomp_procs_req req = { .vid = cpu_to_le32(vid) };
	struct lite_call *call = NULL;
	struct procs_ask *ask;
	int i, count, err;

	*nr = 0;
	count = procs_find(g, &ask);
	if (count < 0)
		return count;
	err = 0;
	if (!count)
		goto out_free;
	err = -ENOMEM;
	call = kcalloc(count, sizeof(*call), GFP_KERNEL);
	if (!call)
		goto out_free;
	err = procs_ask(g, &req, ask, count, call);
	if (err)
		goto out_free;
	for (i = 0; i < count; i++) {
		if (!call[i].status && call[i].rsp_len == sizeof(ask[i].rsp))
			*nr += le32_to_cpu(ask[i].rsp.nr);
		else if (call[i].status != -ESTALE)
			err = -EHOSTUNREACH;
		/* else of another incarnation: its processes are gone */
	}
out_free:
	kfree(call);
	kfree(ask);
	return err;
}
