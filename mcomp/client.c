// SPDX-License-Identifier: GPL-2.0
/*
 * Clients: pComponents as an mComponent knows them, and what of its memory they
 * may read by themselves.
 *
 * A page's frame is its own until its pComponent gives it up, so that one may
 * be read without asking. But a pComponent that is declared dead may live on,
 * cut off, and must not then read what its frames hold for others. Therefore
 * each client has keys of its own, and before frames are freed on anybody
 * else's word these keys are destroyed (mcomp_client_revoke()): its next read
 * fails, it asks, and hears that its space is no more.
 *
 * One key opens a piece of the pool, MCOMP_PIECE_FRAMES, whosever pages are in
 * it: pComponents' kernels are trusted with each other's memory.
 */
#include <linux/random.h>
#include <linux/slab.h>

#include "mcomp.h"

static struct mcomp_client *client_find(struct mcomp *m, u32 pcomp_id,
					u64 incarnation)
{
	struct mcomp_client *c;

	lockdep_assert_held(&m->lock);
	list_for_each_entry(c, &m->clients, list)
		if (c->pcomp_id == pcomp_id && c->incarnation == incarnation &&
		    !READ_ONCE(c->revoked))
			return c;
	return NULL;
}

static struct mcomp_client *client_make(struct mcomp *m, u32 pcomp_id,
					u64 incarnation)
{
	struct mcomp_client *c;

	lockdep_assert_held(&m->lock);
	/* Any mComponent can name one when it has a shard made. */
	if (m->nr_clients >= MCOMP_CLIENTS_MAX) {
		pr_warn_ratelimited("%s: refused pComponent %u: %u are known already\n",
				    m->name, pcomp_id, m->nr_clients);
		return NULL;
	}
	/* with a lock that is needed to make a shard: serve.c */
	c = kzalloc(sizeof(*c), GFP_NOIO);
	if (!c)
		return NULL;
	m->nr_clients++;
	c->m = m;
	c->pcomp_id = pcomp_id;
	c->incarnation = incarnation;
	c->export = get_random_u64() | 1;
	mutex_init(&c->lock);
	xa_init(&c->pieces);
	refcount_set(&c->ref, 1);
	list_add_tail(&c->list, &m->clients);
	if (mcomp_client_fate(c) == MCOMP_FATE_UNKNOWN)
		queue_delayed_work(m->wq, &m->gc_work, HZ);
	return c;
}

/**
 * mcomp_client_get() - the client that a new space belongs to
 * @m: where
 * @pcomp_id: node id of the pComponent
 * @incarnation: its incarnation
 *
 * Context: process, may sleep.
 * Return: it, for mcomp_client_put(); NULL: no memory, or too many.
 */
struct mcomp_client *mcomp_client_get(struct mcomp *m, u32 pcomp_id,
				      u64 incarnation)
{
	struct mcomp_client *c;

	mutex_lock(&m->lock);
	c = client_find(m, pcomp_id, incarnation);
	if (!c)
		c = client_make(m, pcomp_id, incarnation);
	if (c)
		refcount_inc(&c->ref);
	mutex_unlock(&m->lock);
	return c;
}

/**
 * mcomp_client_put() - drop a reference
 * @c: client
 *
 * Context: process, may sleep.
 */
void mcomp_client_put(struct mcomp_client *c)
{
	if (!refcount_dec_and_test(&c->ref))
		return;
	mcomp_client_revoke(c);
	mutex_destroy(&c->lock);
	kfree(c);
}

/**
 * mcomp_client_revoke() - it may read nothing here any more
 * @c: client
 *
 * On return its keys are worthless. It gets no new ones, but another client of
 * the same pComponent may, for spaces made after this.
 * Context: process, may sleep.
 */
void mcomp_client_revoke(struct mcomp_client *c)
{
	unsigned long i;
	void *mr;

	mutex_lock(&c->lock);
	WRITE_ONCE(c->revoked, true);
	if (!xa_empty(&c->pieces)) {
		xa_for_each(&c->pieces, i, mr)
			lite_mr_revoke(mr);
		synchronize_rcu(); /* as lite_mr_revoke() demands */
		xa_for_each(&c->pieces, i, mr)
			lite_mr_free(mr);
		xa_destroy(&c->pieces);
	}
	mutex_unlock(&c->lock);
}

static struct lite_mr *client_register(struct mcomp_client *c, u32 piece)
{
	struct mcomp *m = c->m;
	struct lite_mr *mr;
	int err;

	lockdep_assert_held(&c->lock);
	mr = lite_mr_create(m->node,
			    &m->pool->pages[piece * MCOMP_PIECE_FRAMES],
			    MCOMP_PIECE_FRAMES, LITE_MR_READ);
	if (IS_ERR(mr))
		return mr;
	err = xa_err(xa_store(&c->pieces, piece, mr, GFP_KERNEL));
	if (err) {
		lite_mr_destroy(mr);
		return ERR_PTR(err);
	}
	return mr;
}

/**
 * mcomp_client_export() - let a client read a piece of the pool
 * @c: client
 * @req: its request, for the reply to which
 * @piece: MCOMP_PIECE_FRAMES frames from MCOMP_PIECE_FRAMES * @piece on
 * @seg: is filled in
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL (no such piece); -ESTALE (it may read nothing any more);
 *	-ENOMEM and others of lite_mr_create(): it will have to ask for pages.
 */
int mcomp_client_export(struct mcomp_client *c, struct lite_req *req,
			u32 piece, struct lite_wire_seg *seg)
{
	struct lite_sge sge = { .len = MCOMP_PIECE_FRAMES << PAGE_SHIFT };
	int err;

	if (piece >= c->m->pool->nr / MCOMP_PIECE_FRAMES)
		return -EINVAL;
	mutex_lock(&c->lock);
	if (c->revoked) {
		err = -ESTALE;
		goto out_unlock;
	}
	sge.mr = xa_load(&c->pieces, piece);
	if (!sge.mr)
		sge.mr = client_register(c, piece);
	err = PTR_ERR_OR_ZERO(sge.mr);
	if (!err)
		err = lite_req_export(req, &sge, seg);
out_unlock:
	mutex_unlock(&c->lock);
	return err;
}

/**
 * mcomp_client_fate() - does a client live, as far as the table says?
 * @c: client
 *
 * Context: any.
 * Return: its fate.
 */
enum mcomp_fate mcomp_client_fate(const struct mcomp_client *c)
{
	struct lite_member member;

	if (lite_member_by_id(c->m->node, c->pcomp_id, &member) ||
	    member.role != LITE_ROLE_PCOMP)
		return MCOMP_FATE_UNKNOWN;
	/* The one before, or the one after that we have not heard of yet. */
	if (member.incarnation != c->incarnation)
		return MCOMP_FATE_DOUBT;
	switch (member.state) {
	case GMGR_MEMBER_LEFT:
		return MCOMP_FATE_LEFT;
	case GMGR_MEMBER_DEAD:
		return MCOMP_FATE_DEAD;
	}
	return MCOMP_FATE_LIVES;
}
