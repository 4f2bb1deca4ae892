// SPDX-License-Identifier: GPL-2.0
/*
 * Fork: the child's maps are copies of the parent's that name the same frames.
 * Copy-on-write needs nothing more, because frames are never written to, only
 * replaced (pool.c).
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
	refcount_inc(&child->ref);
	err = mcomp_space_insert(child);
	if (err) {
		mcomp_space_put(child);
		return ERR_PTR(err);
	}
	return child;
}

/* A child is in the table later than its parent: so the order is one. */
static int fork_copy(struct mcomp_space *child, struct mcomp_space *parent)
{
	struct mcomp_cursor at;
	int err = -ESTALE;

	mcomp_cursor_init(&at, 0);
	down_write(&child->sem);
	down_write_nested(&parent->sem, SINGLE_DEPTH_NESTING);
	if (!parent->dead && !child->dead)
		err = mcomp_vma_copy(child, parent);
	if (!err) {
		do {
			err = parent->map.ops->walk(&parent->map, &at,
						    fork_map_one, child);
		} while (err > 0);
		mcomp_cursor_leave(&parent->map, &at);
	}
	if (!err)
		err = fork_copy_owners(child, parent);
	up_write(&parent->sem);
	up_write(&child->sem);
	return err;
}

/**
 * mcomp_fork_shard() - make a child's shard where the parent has one
 * @parent: parent
 * @child_id: child
 *
 * Context: process, may sleep.
 * Return: 0, -EEXIST, -ESTALE, -ESHUTDOWN, -ENOMEM.
 */
int mcomp_fork_shard(struct mcomp_space *parent, u64 child_id)
{
	struct mcomp_space *child = fork_begin(parent, child_id);
	int err;

	if (IS_ERR(child))
		return PTR_ERR(child);
	err = fork_copy(child, parent);
	if (err)
		mcomp_space_kill(child, true);
	mcomp_space_put(child);
	return err;
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

/* Another list of the child's owners: its own goes when it ends. */
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

/* Ask all of them at once: the parent's program waits for the slowest only. */
static int fork_call_owners(struct mcomp *m, const struct mcomp_fork_req *req,
			    const struct fork_owners *owners)
{
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
	err = lite_call_many(peer, call, n);
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
	err = fork_call_owners(child->m, &req, owners);
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
 * All or nothing. Write-backs of the parent are held back by its pComponent.
 * Context: process, may sleep; makes calls, bounded by MCOMP_CALL_MS.
 * Return: 0, -EEXIST, -ESTALE, -ESHUTDOWN, -ENOMEM, or why an owner could not
 *	do it.
 */
int mcomp_fork_home(struct mcomp_space *parent, u64 child_id)
{
	struct fork_owners *owners = NULL;
	struct mcomp_space *child;
	int err;

	child = fork_begin(parent, child_id);
	if (IS_ERR(child))
		return PTR_ERR(child);
	/* The parent gets no new owner meanwhile. */
	mutex_lock(&parent->vregion_lock);
	err = fork_copy(child, parent);
	if (!err) {
		owners = fork_list_owners(child);
		err = owners ? fork_at_owners(child, parent->id, owners) :
			       -ENOMEM;
	}
	mutex_unlock(&parent->vregion_lock);
	if (err)
		mcomp_space_kill(child, true);
	if (owners)
		fork_put_owners(owners);
	mcomp_space_put(child);
	return err;
}
