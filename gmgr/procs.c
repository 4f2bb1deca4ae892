// SPDX-License-Identifier: GPL-2.0
/*
 * Who runs in a vNode? gmgr keeps no count, which could be wrong after one of
 * its restarts or a pComponent's death: it asks the pComponents.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

#define PROCS_MS 2000

/**
 * struct procs_at - a pComponent
 * @incarnation: its
 * @addr: where it is
 */
struct procs_at {
	u64 incarnation;
	char addr[LITE_ADDR_LEN];
};

/**
 * struct procs - questions: each of the pComponents is asked for each vNode
 * @at: pComponents
 * @count: how many
 * @req: what is asked, one for each vNode
 * @nr: how many
 * @peer: whom
 * @call: the calls; those to the first pComponent, then to the next
 * @rsp: the answers
 */
struct procs {
	struct procs_at *at;
	unsigned int count;
	struct pcomp_procs_req *req;
	unsigned int nr;
	struct lite_peer **peer;
	struct lite_call *call;
	struct pcomp_procs_rsp *rsp;
};

/* The pComponents that are up. */
static int procs_find(struct gmgr *g, struct procs *p)
{
	struct gmgr_component *c;

	p->at = kcalloc(GMGR_MEMBERS_LIMIT, sizeof(*p->at), GFP_KERNEL);
	if (!p->at)
		return -ENOMEM;
	mutex_lock(&g->lock);
	list_for_each_entry(c, &g->members, list) {
		struct procs_at *at = &p->at[p->count];

		if (c->role != LITE_ROLE_PCOMP || c->state != GMGR_MEMBER_UP)
			continue;
		at->incarnation = c->incarnation;
		strscpy(at->addr, c->addr, sizeof(at->addr));
		p->count++;
	}
	mutex_unlock(&g->lock);
	return 0;
}

static int procs_alloc(struct procs *p, const u32 *vid)
{
	size_t calls = (size_t)p->count * p->nr;
	unsigned int i;

	p->req = kcalloc(p->nr, sizeof(*p->req), GFP_KERNEL);
	p->peer = kvcalloc(calls, sizeof(*p->peer), GFP_KERNEL);
	p->call = kvcalloc(calls, sizeof(*p->call), GFP_KERNEL);
	p->rsp = kvcalloc(calls, sizeof(*p->rsp), GFP_KERNEL);
	if (!p->req || !p->peer || !p->call || !p->rsp)
		return -ENOMEM;
	for (i = 0; i < p->nr; i++)
		p->req[i].vid = cpu_to_le32(vid[i]);
	return 0;
}

static void procs_free(struct procs *p)
{
	kvfree(p->rsp);
	kvfree(p->call);
	kvfree(p->peer);
	kfree(p->req);
	kfree(p->at);
}

static void procs_prepare(struct procs *p, unsigned int at,
			  struct lite_peer *peer)
{
	unsigned int i, n = at * p->nr;

	for (i = 0; i < p->nr; i++, n++) {
		p->peer[n] = peer;
		p->call[n] = (struct lite_call){
			.op = PCOMP_PROCS,
			.class = LITE_CLASS_CONTROL,
			.req = &p->req[i],
			.req_len = sizeof(p->req[i]),
			.rsp = &p->rsp[n],
			.rsp_size = sizeof(p->rsp[n]),
			.timeout_ms = PROCS_MS,
		};
	}
}

/* All at once, so that those that are silent cost one time-out. */
static int procs_ask(struct gmgr *g, struct procs *p)
{
	struct lite_peer *peer;
	unsigned int at;
	int err = 0;

	for (at = 0; at < p->count; at++) {
		peer = lite_peer_get(g->node, p->at[at].addr,
				     p->at[at].incarnation);
		err = PTR_ERR_OR_ZERO(peer);
		if (err)
			break;
		procs_prepare(p, at, peer);
	}
	if (!err)
		lite_call_many(p->peer, p->call, p->count * p->nr);
	while (at--)
		lite_peer_put(p->peer[at * p->nr]);
	return err;
}

/* What they say. */
static int procs_sum(const struct procs *p, u32 *nr)
{
	unsigned int n;
	int err = 0;

	for (n = 0; n < p->count * p->nr; n++) {
		const struct lite_call *call = &p->call[n];

		if (!call->status && call->rsp_len == sizeof(p->rsp[n]))
			nr[n % p->nr] += le32_to_cpu(p->rsp[n].nr);
		else if (call->status != -ESTALE)
			err = -EHOSTUNREACH;
		/* else of another incarnation: its processes are gone */
	}
	return err;
}

/**
 * gmgr_procs() - how many processes run in each of some vNodes
 * @g: manager
 * @vid: the vNodes' ids
 * @nr: of each, set to how many there are at the pComponents that answer
 * @count: how many vNodes
 *
 * Context: process, may sleep, bounded by one time-out; gmgr.lock not held.
 * Return: 0; -EHOSTUNREACH: a pComponent that is thought to be up does not
 *	answer, so there may be more; -ENOMEM.
 */
int gmgr_procs(struct gmgr *g, const u32 *vid, u32 *nr, unsigned int count)
{
	struct procs p = { .nr = count };
	int err;

	memset(nr, 0, count * sizeof(*nr));
	err = procs_find(g, &p);
	if (err || !p.count || !count)
		goto out_free;
	err = procs_alloc(&p, vid);
	if (!err)
		err = procs_ask(g, &p);
	if (!err)
		err = procs_sum(&p, nr);
out_free:
	procs_free(&p);
	return err;
}
