// SPDX-License-Identifier: GPL-2.0
/*
 * Fork: the child's maps are copies of the parent's that name the same frames.
 * Copy-on-write needs nothing more, because frames are never written to, only
 * replaced (pool.c).
 *
 * The map is copied in pieces, between which nobody is kept waiting, and for
 * MCOMP_WORK_MS a request: if there is more to do it is answered -EBUSY, and the
 * same one goes on. Meanwhile the parent's pComponent keeps it from changing
 * what the child may ask for: it has told of all, and discards nothing (its
 * discard_lock). A page that is written back meanwhile the child gets as it was
 * before that, or after: its pComponent has copied it for the child, or it was
 * pinned. Only new owners would be unknown to the child, so there are none till
 * it is complete.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "mcomp.h"

static int fork_map_one(void *arg, u64 index, u32 frame)
{
	struct mcomp_space *child = arg;
	s64 old;
	int err;

	mcomp_frame_get(child->m->pool, frame);
	err = child->map.ops->store(&child->map, index, frame, &old);
	if (err)
		mcomp_frame_put(child->m->pool, frame);
	else if (old >= 0) /* it was copied before the last error */
		mcomp_frame_put(child->m->pool, old);
	return err;
}

static int fork_copy_owners(struct mcomp_space *child,
			    struct mcomp_space *parent)
{
	struct mcomp_owner *o, *copy;
	unsigned long index;
	void *entry;
	int err = 0;

	mutex_lock(&child->owners_lock);
	mutex_lock_nested(&parent->owners_lock, SINGLE_DEPTH_NESTING);
	list_for_each_entry(o, &parent->owners, list) {
		/* Nothing there: no vRegion, or made but no answer. */
		if (!o->nr_vregions)
			continue;
		copy = mcomp_owner_alloc(child, o->id, o->incarnation);
		if (!copy) {
			err = -ENOMEM;
			goto out_unlock;
		}
		copy->nr_vregions = o->nr_vregions;
		list_add_tail(&copy->list, &child->owners);
	}
	xa_for_each(&parent->vregions, index, entry) {
		err = xa_err(xa_store(&child->vregions, index, entry,
				      GFP_KERNEL));
		if (err)
			break;
	}
out_unlock:
	mutex_unlock(&parent->owners_lock);
	mutex_unlock(&child->owners_lock);
	return err;
}

/*
 * An empty child, in the table: who ends it while it is being made finds it.
 * With a reference, or ERR_PTR.
 */
static struct mcomp_space *fork_begin(struct mcomp_space *parent, u64 child_id)
{
	struct mcomp_client *client = parent->client;
	struct mcomp_space *child;
	int err;

	mcomp_space_evict(parent->m, child_id, client->incarnation);
	child = mcomp_space_alloc(parent->m, child_id, client->pcomp_id,
				  client->incarnation, parent->vid,
				  parent->home);
	if (!child)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&parent->ref);
	atomic_inc(&parent->nr_forks);
	child->fork_parent = parent;
	mcomp_cursor_init(&child->fork_at, 0);
	refcount_inc(&child->ref);
	err = mcomp_space_insert(child);
	if (err) {
		mcomp_space_put(child);
		return ERR_PTR(err);
	}
	return child;
}

/* The child that an earlier request began, or a new one. */
static struct mcomp_space *fork_resume(struct mcomp_space *parent, u64 child_id)
{
	struct mcomp_space *child = mcomp_space_get(parent->m, child_id);

	if (child && READ_ONCE(child->fork_parent) == parent)
		return child;
	if (child)
		mcomp_space_put(child);
	return fork_begin(parent, child_id);
}

/**
 * mcomp_fork_end() - a child is complete, or ends
 * @child: child, or a space that is none; @sem held for writing
 */
void mcomp_fork_end(struct mcomp_space *child)
{
	struct mcomp_space *parent = child->fork_parent;

	lockdep_assert_held_write(&child->sem);
	if (!parent)
		return;
	down_write_nested(&parent->sem, SINGLE_DEPTH_NESTING);
	mcomp_cursor_leave(&parent->map, &child->fork_at);
	up_write(&parent->sem);
	WRITE_ONCE(child->fork_parent, NULL);
	atomic_dec(&parent->nr_forks);
	mcomp_space_put(parent);
}

/* Both @sem are held. Return: 1: there is more to copy, 0, or an error. */
static int fork_copy_some(struct mcomp_space *child, struct mcomp_space *parent)
{
	int err;

	if (parent->dead || child->dead)
		return -ESTALE;
	if (child->fork_parent != parent)
		return -EEXIST; /* another request has completed it */
	if (child->fork_state == MCOMP_FORK_NEW) {
		err = mcomp_vma_copy(child, parent);
		if (!err)
			err = fork_copy_owners(child, parent);
		if (err)
			return err;
		child->fork_state = MCOMP_FORK_PAGES;
	}
	if (child->fork_state == MCOMP_FORK_OWNERS)
		return 0;
	err = parent->map.ops->walk(&parent->map, &child->fork_at,
				    fork_map_one, child);
	if (!err)
		child->fork_state = MCOMP_FORK_OWNERS;
	/* it stopped in front of the page that it had no memory for */
	return err == -ENOMEM ? -EBUSY : err;
}

/*
 * A child is in the table later than its parent: so the order is one. Return: 0;
 * -EBUSY: to be called again; or an error: the child is to be ended.
 */
static int fork_copy(struct mcomp_space *child, struct mcomp_space *parent)
{
	unsigned long end = jiffies + msecs_to_jiffies(MCOMP_WORK_MS);
	int err;

	do {
		cond_resched();
		down_write(&child->sem);
		down_write_nested(&parent->sem, SINGLE_DEPTH_NESTING);
		err = fork_copy_some(child, parent);
		up_write(&parent->sem);
		up_write(&child->sem);
	} while (err > 0 && time_before(jiffies, end));
	return err > 0 ? -EBUSY : err;
}

/* What a request has come to. A child that is not complete waits for the next. */
static int fork_answer(struct mcomp_space *child, int err)
{
	if (!err) {
		down_write(&child->sem);
		mcomp_fork_end(child);
		up_write(&child->sem);
	} else if (err != -EBUSY && err != -EEXIST) {
		mcomp_space_kill(child, true);
	}
	mcomp_space_put(child);
	return err;
}

/**
 * mcomp_fork_shard() - make a child's shard where the parent has one
 * @parent: parent
 * @child_id: child
 *
 * Context: process, may sleep; about MCOMP_WORK_MS at most.
 * Return: 0, -EBUSY (to be called again), -EEXIST, -ESTALE, -ESHUTDOWN,
 *	-ENOMEM.
 */
int mcomp_fork_shard(struct mcomp_space *parent, u64 child_id)
{
	struct mcomp_space *child = fork_resume(parent, child_id);

	if (IS_ERR(child))
		return PTR_ERR(child);
	return fork_answer(child, fork_copy(child, parent));
}

struct fork_owners {
	unsigned int nr;
	struct mcomp_owner *owner[];
};

static void fork_put_owners(struct fork_owners *owners)
{
	unsigned int i;

	for (i = 0; i < owners->nr; i++)
		kfree(owners->owner[i]);
	kfree(owners);
}

/*
 * Another list of the child's owners, of those that have not made their part of
 * it: its own goes when it ends.
 */
static struct fork_owners *fork_list_owners(struct mcomp_space *child)
{
	struct fork_owners *owners;
	struct mcomp_owner *o;
	size_t n = 0;

	mutex_lock(&child->owners_lock);
	list_for_each_entry(o, &child->owners, list)
		n++;
	owners = kzalloc(struct_size(owners, owner, n), GFP_KERNEL);
	if (!owners)
		goto out_unlock;
	list_for_each_entry(o, &child->owners, list) {
		struct mcomp_owner *copy;

		if (o->forked)
			continue;
		copy = mcomp_owner_alloc(child, o->id, o->incarnation);
		if (!copy) {
			fork_put_owners(owners);
			owners = NULL;
			goto out_unlock;
		}
		owners->owner[owners->nr++] = copy;
	}
out_unlock:
	mutex_unlock(&child->owners_lock);
	return owners;
}

/* That owner has done its part. */
static void fork_note_done(struct mcomp_space *child,
			   const struct mcomp_owner *done)
{
	struct mcomp_owner *o;

	mutex_lock(&child->owners_lock);
	list_for_each_entry(o, &child->owners, list)
		if (o->id == done->id && o->incarnation == done->incarnation)
			o->forked = true;
	mutex_unlock(&child->owners_lock);
}

/* What all of them say: an error counts more than -EBUSY. */
static int fork_note_all(struct mcomp_space *child,
			 const struct fork_owners *owners,
			 const struct lite_call *call)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < owners->nr; i++) {
		if (!call[i].status)
			fork_note_done(child, owners->owner[i]);
		else if (!err || err == -EBUSY)
			err = call[i].status;
	}
	return err;
}

/* Ask all of them at once: the parent's program waits for the slowest only. */
static int fork_call_owners(struct mcomp_space *child,
			    const struct mcomp_fork_req *req,
			    const struct fork_owners *owners)
{
	struct mcomp *m = child->m;
	struct lite_peer **peer;
	struct lite_call *call;
	unsigned int i, n;
	int err = -ENOMEM;

	peer = kcalloc(owners->nr, sizeof(*peer), GFP_KERNEL);
	call = kcalloc(owners->nr, sizeof(*call), GFP_KERNEL);
	if (!peer || !call)
		goto out_free;
	for (n = 0; n < owners->nr; n++) {
		peer[n] = lite_member_peer(m->node, owners->owner[n]->id);
		err = PTR_ERR_OR_ZERO(peer[n]);
		if (err)
			goto out_put;
		call[n].op = MCOMP_SHARD_FORK;
		call[n].class = LITE_CLASS_CONTROL;
		call[n].req = req;
		call[n].req_len = sizeof(*req);
		call[n].timeout_ms = MCOMP_CALL_MS;
	}
	lite_call_many(peer, call, n);
	err = fork_note_all(child, owners, call);
out_put:
	for (i = 0; i < n; i++)
		lite_peer_put(peer[i]);
out_free:
	kfree(call);
	kfree(peer);
	return err;
}

/* Have each owner fork its shard. @child is in the table. */
static int fork_at_owners(struct mcomp_space *child, u64 parent_id,
			  struct fork_owners *owners)
{
	struct mcomp_fork_req req = {
		.parent = cpu_to_le64(parent_id),
		.child = cpu_to_le64(child->id),
	};
	unsigned int i;
	bool dead;
	int err;

	if (!owners->nr)
		return 0;
	err = fork_call_owners(child, &req, owners);
	if (err)
		return err;
	mutex_lock(&child->owners_lock);
	dead = child->dead;
	mutex_unlock(&child->owners_lock);
	if (!dead)
		return 0;
	/* It ended meanwhile, and that may have overtaken its beginning. */
	for (i = 0; i < owners->nr; i++)
		mcomp_owner_orphan(owners->owner[i], child->unused);
	owners->nr = 0;
	return -ESTALE;
}

/**
 * mcomp_fork_home() - make a child of a space, here and at all owners
 * @parent: parent, of which this is the home
 * @child_id: child
 *
 * All or nothing.
 * Context: process, may sleep; makes calls, bounded by MCOMP_CALL_MS, and works
 *	for about MCOMP_WORK_MS at most.
 * Return: 0, -EBUSY (to be called again), -EEXIST, -ESTALE, -ESHUTDOWN, -ENOMEM,
 *	or why an owner could not do it.
 */
int mcomp_fork_home(struct mcomp_space *parent, u64 child_id)
{
	struct fork_owners *owners = NULL;
	struct mcomp_space *child;
	int err;

	child = fork_resume(parent, child_id);
	if (IS_ERR(child))
		return PTR_ERR(child);
	/* The parent gets no new owner from here on: mcomp_vregion_get(). */
	mutex_lock(&parent->vregion_lock);
	err = fork_copy(child, parent);
	if (!err) {
		owners = fork_list_owners(child);
		err = owners ? fork_at_owners(child, parent->id, owners) :
			       -ENOMEM;
	}
	mutex_unlock(&parent->vregion_lock);
	if (owners)
		fork_put_owners(owners);
	return fork_answer(child, err);
}
