// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that come again as their answer was lost, and are not to be executed
 * again: nfsd's duplicate request cache. A request is known by who asks and the
 * id he gave it, not by its contents: at the second try a directory on the way
 * may have got another name.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "scomp.h"

#define SCOMP_DUP_BITS 8

/**
 * struct scomp_dup - a request and what was answered
 * @node: in scomp_dups.hash; unhashed if it is free
 * @list: in scomp_dups.old, unless it is @busy
 * @peer: incarnation of who asked
 * @id: his
 * @op: operation
 * @busy: being executed
 * @ret: what the operation returned
 * @attr: the reply, as much as @ret says
 */
struct scomp_dup {
	struct hlist_node node;
	struct list_head list;
	u64 peer;
	u32 id;
	u16 op;
	bool busy;
	int ret;
	struct scomp_attr attr;
};

/**
 * struct scomp_dups - the last ones of a sComponent
 * @lock: protects what follows; a leaf
 * @hash: by peer and id
 * @old: those that can be used again, the oldest first
 * @dup: all there are
 */
struct scomp_dups {
	spinlock_t lock; /* see above */
	struct hlist_head hash[1 << SCOMP_DUP_BITS];
	struct list_head old;
	struct scomp_dup dup[SCOMP_DUPS];
};

/**
 * scomp_dups_create() - room for SCOMP_DUPS answers
 *
 * Context: process, sleeps.
 * Return: that, for scomp_dups_destroy(), or NULL: no memory.
 */
struct scomp_dups *scomp_dups_create(void)
{
	struct scomp_dups *d = kvzalloc(sizeof(*d), GFP_KERNEL);
	unsigned int i;

	if (!d)
		return NULL;
	spin_lock_init(&d->lock);
	INIT_LIST_HEAD(&d->old);
	for (i = 0; i < SCOMP_DUPS; i++)
		list_add_tail(&d->dup[i].list, &d->old);
	return d;
}

/**
 * scomp_dups_destroy() - give it back
 * @d: no request is executed any more
 */
void scomp_dups_destroy(struct scomp_dups *d)
{
	kvfree(d);
}

/* Finds the request or a place for it, which is busy then; else NULL. */
static struct scomp_dup *scomp_dup_get(struct scomp_dups *d, u64 peer, u32 id,
				       u16 op, bool *known)
{
	struct hlist_head *head = &d->hash[hash_64(peer ^ id, SCOMP_DUP_BITS)];
	struct scomp_dup *dup;

	lockdep_assert_held(&d->lock);
	*known = true;
	hlist_for_each_entry(dup, head, node)
		if (dup->peer == peer && dup->id == id && dup->op == op)
			return dup;
	*known = false;
	dup = list_first_entry_or_null(&d->old, struct scomp_dup, list);
	if (!dup)
		return NULL;
	list_del(&dup->list);
	hlist_del_init(&dup->node);
	dup->peer = peer;
	dup->id = id;
	dup->op = op;
	dup->busy = true;
	hlist_add_head(&dup->node, head);
	return dup;
}

/**
 * scomp_once() - execute a request that is not to be executed again
 * @op: the request
 * @id: from it, not 0
 * @fn: executes it
 *
 * Return: as @fn does, or did; -EAGAIN: it is being executed.
 */
int scomp_once(struct scomp_op *op, u32 id, int (*fn)(struct scomp_op *op))
{
	struct scomp_dups *d = op->sc->dups;
	u64 peer = lite_req_peer_incarnation(op->req);
	void *rsp = lite_req_rsp(op->req);
	struct scomp_dup *dup;
	bool known;
	int ret = -EAGAIN;

	spin_lock(&d->lock);
	dup = scomp_dup_get(d, peer, id, lite_req_op(op->req), &known);
	if (known && !dup->busy) {
		ret = dup->ret;
		if (ret > 0)
			memcpy(rsp, &dup->attr, ret);
	}
	spin_unlock(&d->lock);
	/* Also if as many are being executed as there is room for. */
	if (known || !dup)
		return ret;

	ret = fn(op);
	spin_lock(&d->lock);
	dup->busy = false;
	dup->ret = ret;
	if (ret > 0)
		memcpy(&dup->attr, rsp, ret);
	if (ret == -EAGAIN) {
		/* Nothing was done, he will ask again. */
		hlist_del_init(&dup->node);
		list_add(&dup->list, &d->old);
	} else {
		list_add_tail(&dup->list, &d->old);
	}
	spin_unlock(&d->lock);
	return ret;
}
