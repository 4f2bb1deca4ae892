// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces, or this mComponent's shards of them: found, made, ended. The idea of
 * a home that knows the owners is OSDI'18, 4.4.1; LegoOS never freed one.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mcomp.h"

static void space_free(struct work_struct *work)
{
	struct mcomp_space *s = container_of(to_rcu_work(work),
					     struct mcomp_space, free_work);

	s->map.ops->exit(&s->map);
	mcomp_client_put(s->client);
	kfree(s);
}

/**
 * mcomp_space_alloc() - a space that nobody can find yet
 * @m: where
 * @id: id
 * @pcomp_id: whose
 * @incarnation: of the pComponent
 * @vid: vNode
 * @home: whether this is the home
 *
 * Context: process, may sleep.
 * Return: it, with a reference, for mcomp_space_insert() or
 *	mcomp_space_put(); NULL: no memory.
 */
struct mcomp_space *mcomp_space_alloc(struct mcomp *m, u64 id, u32 pcomp_id,
				      u64 incarnation, u32 vid, bool home)
{
	struct mcomp_space *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	s->m = m;
	s->id = id;
	s->vid = vid;
	s->home = home;
	refcount_set(&s->ref, 1);
	INIT_RCU_WORK(&s->free_work, space_free);
	init_rwsem(&s->sem);
	mutex_init(&s->update_lock);
	mutex_init(&s->owners_lock);
	INIT_LIST_HEAD(&s->owners);
	xa_init(&s->vregions);
	mutex_init(&s->vregion_lock);
	mcomp_vma_init(s);
	s->client = mcomp_client_get(m, pcomp_id, incarnation);
	if (!s->client)
		goto err_free;
	if (mcomp_pagemap_init(&s->map, m->pagemap))
		goto err_put_client;
	return s;

err_put_client:
	mcomp_client_put(s->client);
err_free:
	kfree(s);
	return NULL;
}

/**
 * mcomp_space_get() - find a space
 * @m: where
 * @id: id
 *
 * Context: any.
 * Return: it, for mcomp_space_put(), or NULL.
 */
struct mcomp_space *mcomp_space_get(struct mcomp *m, u64 id)
{
	struct mcomp_space *s;

	rcu_read_lock();
	s = xa_load(&m->spaces, id);
	if (s && !refcount_inc_not_zero(&s->ref))
		s = NULL;
	rcu_read_unlock();
	return s;
}

/**
 * mcomp_space_next() - look all spaces through
 * @m: where
 * @index: in: where to begin; out: the id of what was found, less than
 *	ULONG_MAX, which serve.c refuses
 *
 * Context: any.
 * Return: the next one, for mcomp_space_put(), or NULL.
 */
struct mcomp_space *mcomp_space_next(struct mcomp *m, unsigned long *index)
{
	struct mcomp_space *s;

	rcu_read_lock();
	do {
		s = xa_find(&m->spaces, index, ULONG_MAX, XA_PRESENT);
		if (!s || refcount_inc_not_zero(&s->ref))
			break;
		++*index;
	} while (s);
	rcu_read_unlock();
	return s;
}

/**
 * mcomp_space_get_last() - find a space that is to end
 * @m: where
 * @req: the request that ends it, checked
 *
 * If it is not there it shall not come to be: what is to make it may still be
 * at work, or not even have begun, when who asked for it gives up.
 * Context: process, may sleep.
 * Return: it, for mcomp_space_put(), or NULL.
 */
struct mcomp_space *mcomp_space_get_last(struct mcomp *m,
					 const struct mcomp_space_req *req)
{
	u64 id = le64_to_cpu(req->space);
	struct mcomp_client *c;
	struct mcomp_space *s;

	c = mcomp_client_get(m, le32_to_cpu(req->pcomp_id),
			     le64_to_cpu(req->pcomp_incarnation));
	mutex_lock(&m->lock);
	s = mcomp_space_get(m, id);
	if (!s && c)
		c->never[c->nr_never++ % MCOMP_NEVER_MAX] = id;
	mutex_unlock(&m->lock);
	if (c)
		mcomp_client_put(c);
	return s;
}

static bool space_is_barred(const struct mcomp_space *s)
{
	const struct mcomp_client *c = s->client;
	unsigned int i;

	lockdep_assert_held(&s->m->lock);
	for (i = 0; i < min_t(unsigned int, c->nr_never, MCOMP_NEVER_MAX); i++)
		if (c->never[i] == s->id)
			return true;
	return false;
}

/**
 * mcomp_space_put() - drop a reference
 * @s: space
 *
 * Context: any.
 */
void mcomp_space_put(struct mcomp_space *s)
{
	if (refcount_dec_and_test(&s->ref))
		queue_rcu_work(s->m->wq, &s->free_work);
}

/* Empty it, and see to it that the other owners do, too. */
static void space_empty(struct mcomp_space *s, bool unused)
{
	struct mcomp_owner *o, *next;
	struct mcomp_cursor at;
	LIST_HEAD(owners);

	mcomp_cursor_init(&at, 0);
	down_write(&s->sem);
	mutex_lock(&s->owners_lock);
	s->dead = true;
	s->unused = unused;
	list_splice_init(&s->owners, &owners);
	xa_destroy(&s->vregions);
	mutex_unlock(&s->owners_lock);

	/* First, so that they work while we do. */
	list_for_each_entry_safe(o, next, &owners, list)
		mcomp_owner_orphan(o, unused);
	mcomp_vma_exit(s);
	mcomp_fork_end(s);
	/* Nothing comes in any more. Who looks in need not wait for the end. */
	while (s->map.ops->erase(&s->map, &at, MCOMP_INDEX_MAX,
				 mcomp_frame_drop, s)) {
		up_write(&s->sem);
		cond_resched();
		down_write(&s->sem);
	}
	up_write(&s->sem);
}

/*
 * Free a space that never came to be, not inserted. Shards elsewhere are not
 * its own.
 */
static void space_discard(struct mcomp_space *s)
{
	struct mcomp_owner *o, *next;

	list_for_each_entry_safe(o, next, &s->owners, list) {
		list_del(&o->list);
		kfree(o);
	}
	space_empty(s, true);
	mcomp_space_put(s);
}

/**
 * mcomp_space_insert() - make a space findable
 * @s: from mcomp_space_alloc(); its reference is the table's from here on, or
 *	is dropped on an error
 *
 * Context: process, may sleep.
 * Return: 0, -EEXIST, -ESHUTDOWN (going away), -ESTALE (its pComponent has
 *	ended, or has ended it already), -ENOMEM.
 */
int mcomp_space_insert(struct mcomp_space *s)
{
	struct mcomp *m = s->m;
	enum mcomp_fate fate;
	int err = -ESHUTDOWN;

	/* A space in use keeps the module. */
	if (!try_module_get(THIS_MODULE))
		goto err_discard;
	refcount_inc(&s->ref); /* ours: once in the table it may be ended */
	mutex_lock(&m->lock);
	if (s->client->gone || space_is_barred(s))
		err = -ESTALE;
	else if (!m->closing)
		err = xa_insert(&m->spaces, s->id, s, GFP_KERNEL);
	if (!err) {
		WRITE_ONCE(m->nr_spaces, m->nr_spaces + 1);
		WRITE_ONCE(m->max_vid, max(m->max_vid, s->vid));
	}
	mutex_unlock(&m->lock);
	if (err)
		goto err_module;
	/*
	 * gc_work looks at the table after the members changed, we at the
	 * members after the table changed: one of us sees a late creation.
	 */
	fate = mcomp_client_fate(s->client);
	if (fate == MCOMP_FATE_DOUBT || fate == MCOMP_FATE_DEAD)
		mod_delayed_work(m->wq, &m->gc_work, 0);
	if (fate == MCOMP_FATE_LEFT) {
		mcomp_space_kill(s, false);
		err = -ESTALE;
	}
	mcomp_space_put(s);
	return err;

err_module:
	mcomp_space_put(s);
	module_put(THIS_MODULE);
err_discard:
	space_discard(s);
	return err == -EBUSY ? -EEXIST : err;
}

/**
 * mcomp_space_kill() - end a space: all its frames are free on return
 * @s: space, of which the caller has a reference; no harm if it has ended
 * @unused: its pComponent has ended it. Otherwise it may live and not know, and
 *	loses its keys before the frames are another's
 *
 * Frames that are just being sent follow when they are sent. Shards elsewhere
 * are destroyed in the background.
 * Context: process, may sleep.
 */
void mcomp_space_kill(struct mcomp_space *s, bool unused)
{
	struct mcomp *m = s->m;
	bool mine;

	mutex_lock(&m->lock);
	mine = xa_load(&m->spaces, s->id) == s;
	if (mine)
		xa_erase(&m->spaces, s->id);
	mutex_unlock(&m->lock);
	if (!mine)
		return;

	if (!unused)
		mcomp_client_revoke(s->client);
	space_empty(s, unused);
	mutex_lock(&m->lock);
	WRITE_ONCE(m->nr_spaces, m->nr_spaces - 1);
	mutex_unlock(&m->lock);
	mcomp_space_put(s);
	module_put(THIS_MODULE);
}

/**
 * mcomp_space_evict() - end a space that a former life of a pComponent left
 * @m: where
 * @id: id, which the pComponent gives again
 * @incarnation: of the pComponent that asks; gmgr lets it have its id only
 *	after the former one's end
 *
 * Context: process, may sleep.
 */
void mcomp_space_evict(struct mcomp *m, u64 id, u64 incarnation)
{
	struct mcomp_space *s = mcomp_space_get(m, id);

	if (!s)
		return;
	if (s->client->incarnation != incarnation)
		mcomp_space_kill(s, false);
	mcomp_space_put(s);
}

/* Is @s what @req asks for, and has nobody used it yet? */
static bool space_is_fresh(struct mcomp_space *s,
			   const struct mcomp_space_req *req, bool home)
{
	bool fresh;

	down_read(&s->sem);
	mutex_lock(&s->owners_lock);
	fresh = !s->dead && s->home == home && !s->seq &&
		s->client->incarnation ==
			le64_to_cpu(req->pcomp_incarnation) &&
		xa_empty(&s->vregions) && mtree_empty(&s->vmas) &&
		!atomic64_read(&s->map.nr);
	mutex_unlock(&s->owners_lock);
	up_read(&s->sem);
	return fresh;
}

/**
 * mcomp_space_create() - make a space, or a shard of one
 * @m: where
 * @req: from the wire, checked
 * @home: whether this is to be the home
 *
 * A repeated request finds the space it made, and succeeds.
 * Context: process, may sleep.
 * Return: 0, or as mcomp_space_insert().
 */
int mcomp_space_create(struct mcomp *m, const struct mcomp_space_req *req,
		       bool home)
{
	u64 id = le64_to_cpu(req->space);
	struct mcomp_space *s;
	int err;

	mcomp_space_evict(m, id, le64_to_cpu(req->pcomp_incarnation));
	s = mcomp_space_alloc(m, id, le32_to_cpu(req->pcomp_id),
			      le64_to_cpu(req->pcomp_incarnation),
			      le32_to_cpu(req->vid), home);
	if (!s)
		return -ENOMEM;
	err = mcomp_space_insert(s);
	if (err != -EEXIST)
		return err;

	s = mcomp_space_get(m, id);
	if (s) {
		if (space_is_fresh(s, req, home))
			err = 0;
		mcomp_space_put(s);
	}
	return err;
}
