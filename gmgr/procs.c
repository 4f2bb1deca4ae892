// SPDX-License-Identifier: GPL-2.0
/*
 * Who runs in a vNode? gmgr keeps no count, which could be wrong after one of
 * its restarts or a pComponent's death: it asks the pComponents.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

#define PROCS_MS 2000

struct procs_peer {
	u64 incarnation;
	char addr[LITE_ADDR_LEN];
};

/* The pComponents that are up; how many. The array is for kfree(). */
static int procs_peers(struct gmgr *g, struct procs_peer **out)
{
	struct gmgr_component *c;
	struct procs_peer *peer;
	int nr = 0;

	peer = kcalloc(GMGR_MEMBERS_LIMIT, sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -ENOMEM;
	mutex_lock(&g->lock);
	list_for_each_entry(c, &g->members, list) {
		if (c->role != LITE_ROLE_PCOMP || c->state != GMGR_MEMBER_UP)
			continue;
		peer[nr].incarnation = c->incarnation;
		strscpy(peer[nr++].addr, c->addr, sizeof(peer->addr));
	}
	mutex_unlock(&g->lock);
	*out = peer;
	return nr;
}

static int procs_ask(struct gmgr *g, const struct procs_peer *peer, u32 vid,
		     u32 *nr)
{
	struct pcomp_procs_req req = { .vid = cpu_to_le32(vid) };
	struct pcomp_procs_rsp rsp;
	struct lite_call call = {
		.op = PCOMP_PROCS,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.timeout_ms = PROCS_MS,
	};
	struct lite_peer *p = lite_peer_get(g->node, peer->addr,
					    peer->incarnation);
	int err;

	if (IS_ERR(p))
		return PTR_ERR(p);
	err = lite_call(p, &call);
	lite_peer_put(p);
	if (!err && call.rsp_len != sizeof(rsp))
		err = -EPROTO;
	if (!err)
		*nr += le32_to_cpu(rsp.nr);
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
	struct procs_peer *peer;
	int i, count, err = 0;

	*nr = 0;
	count = procs_peers(g, &peer);
	if (count < 0)
		return count;
	for (i = 0; i < count; i++)
		/* of another incarnation: its processes are gone */
		switch (procs_ask(g, &peer[i], vid, nr)) {
		case 0:
		case -ESTALE:
			break;
		default:
			err = -EHOSTUNREACH;
		}
	kfree(peer);
	return err;
}
