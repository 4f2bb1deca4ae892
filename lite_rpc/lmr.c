// SPDX-License-Identifier: GPL-2.0
/*
 * LMRs as the node has them that they lie at: named memory that others have
 * made, map and use. LITE (SOSP'17) kept names and permissions in user space
 * and at a manager; here the node that has the memory decides.
 *
 * Each mapper has keys of its own, so that what it may do ends without the
 * others'. What is done by request (lmr_serve.c) holds a reference, one-sided
 * access does not: an LMR's pages are given back after all its keys are dead
 * and the last reference is gone.
 *
 * Locks: lmr_lock of the node (the list, names) > lmr->lock (who may do what);
 * lmr_use of the node (for reading: something is being done by request) >
 * lmr->lock.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "lmr.h"

static unsigned int lmr_mb;
module_param(lmr_mb, uint, 0644);
MODULE_PARM_DESC(lmr_mb,
		 "MiB that LMRs may take at all nodes of this kernel, a node's own half of that (default 0: a quarter of its memory)");

/*
 * Pages of LMRs in this kernel, and of each owner, by its incarnation: programs
 * can have any number of nodes. The mutex is a leaf.
 */
static DEFINE_MUTEX(charge_lock);
static DEFINE_XARRAY(owned);
static unsigned long charged;

/* How long a node that is no member of the rack may be without a connection. */
#define REAP_AFTER (15 * HZ)
#define REAP_TICK (5 * HZ)

static unsigned long limit_pages(void)
{
	unsigned int mb = READ_ONCE(lmr_mb);

	return mb ? (unsigned long)mb << (20 - PAGE_SHIFT) :
		    totalram_pages() / 4;
}

static void free_pages_of(struct lmr *lmr)
{
	unsigned long i;

	/* as many as there are, if not even the array */
	for (i = 0; lmr->pages && i < lmr->nr && lmr->pages[i]; i++) {
		__free_page(lmr->pages[i]);
		if (!(i % 1024))
			cond_resched();
	}
	kvfree(lmr->pages);
}

static void lmr_release(struct kref *ref)
{
	struct lmr *lmr = container_of(ref, struct lmr, ref);

	free_pages_of(lmr);
	mutex_destroy(&lmr->lock);
	kfree(lmr);
}

/**
 * lmr_put() - drop a reference
 * @lmr: LMR
 *
 * Context: process, may sleep.
 */
void lmr_put(struct lmr *lmr)
{
	kref_put(&lmr->ref, lmr_release);
}

/**
 * lmr_get() - an LMR by id
 * @node: where
 * @id: id
 *
 * Context: process. Return: it, for lmr_put(), or NULL.
 */
struct lmr *lmr_get(struct lite_node *node, u64 id)
{
	struct lmr *lmr;

	mutex_lock(&node->lmr_lock);
	list_for_each_entry(lmr, &node->lmrs, list)
		if (lmr->id == id) {
			kref_get(&lmr->ref);
			mutex_unlock(&node->lmr_lock);
			return lmr;
		}
	mutex_unlock(&node->lmr_lock);
	return NULL;
}

static struct lmr *find_name(struct lite_node *node, const char *name)
{
	struct lmr *lmr;

	lockdep_assert_held(&node->lmr_lock);
	list_for_each_entry(lmr, &node->lmrs, list)
		if (!strcmp(lmr->name, name))
			return lmr;
	return NULL;
}

/**
 * lmr_get_name() - an LMR by name
 * @node: where
 * @name: name
 *
 * Context: process. Return: it, for lmr_put(), or NULL.
 */
struct lmr *lmr_get_name(struct lite_node *node, const char *name)
{
	struct lmr *lmr;

	mutex_lock(&node->lmr_lock);
	lmr = find_name(node, name);
	if (lmr)
		kref_get(&lmr->ref);
	mutex_unlock(&node->lmr_lock);
	return lmr;
}

/**
 * lmr_in_vain() - nobody hears the answer, but others may wait till there is one
 * @req: request that takes long
 *
 * Context: any. Return: true if it is better ended, with -ECONNRESET.
 */
bool lmr_in_vain(const struct lite_req *req)
{
	return READ_ONCE(req->conn->dead) ||
	       READ_ONCE(lite_req_node(req)->stopping);
}

static int alloc_pages_of(struct lmr *lmr, const struct lite_req *req)
{
	unsigned long i;

	lmr->pages = kvcalloc(lmr->nr, sizeof(*lmr->pages),
			      GFP_KERNEL_ACCOUNT);
	if (!lmr->pages)
		return -ENOMEM;
	for (i = 0; i < lmr->nr; i++) {
		lmr->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					   __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
		if (!lmr->pages[i])
			return -ENOMEM;
		if (i % 1024)
			continue;
		if (lmr_in_vain(req))
			return -ECONNRESET;
		cond_resched();
	}
	return 0;
}

/* Would @nr more be too much where there are @had? */
static bool is_over(unsigned long had, unsigned long nr, unsigned long limit)
{
	return nr > limit || had > limit - nr;
}

/* Count @nr pages against what nodes, and this owner, may have here. */
static int charge(u64 owner, unsigned long nr)
{
	unsigned long limit = limit_pages(), mine;
	int err = -ENOMEM;

	mutex_lock(&charge_lock);
	mine = xa_to_value(xa_load(&owned, owner));
	if (!is_over(charged, nr, limit) && !is_over(mine, nr, limit / 2))
		err = xa_err(xa_store(&owned, owner, xa_mk_value(mine + nr),
				      GFP_KERNEL));
	if (!err)
		charged += nr;
	mutex_unlock(&charge_lock);
	return err;
}

static void uncharge(u64 owner, unsigned long nr)
{
	unsigned long mine;

	mutex_lock(&charge_lock);
	charged -= nr;
	mine = xa_to_value(xa_load(&owned, owner)) - nr;
	if (mine) /* no memory is needed where something is stored */
		xa_store(&owned, owner, xa_mk_value(mine), GFP_KERNEL);
	else
		xa_erase(&owned, owner);
	mutex_unlock(&charge_lock);
}

/**
 * lmr_create() - make one
 * @node: where
 * @req: the request: whose; checked
 * @name: its name
 * @size: bytes, not 0
 * @others: LITE_LMR_*, what others may do
 * @rsp: the reply, filled in
 *
 * The memory is charged to the cgroup of the program whose node this is.
 * Context: process, may sleep.
 * Return: 0, -EEXIST, -ENOMEM; -ECONNRESET: whose it would be has gone, or the
 *	node stops.
 */
int lmr_create(struct lite_node *node, const struct lite_req *req,
	       const char *name, u64 size, u32 others, struct lite_lmr_rsp *rsp)
{
	struct mem_cgroup *old;
	struct lmr *lmr;
	int err;

	if (size > (u64)limit_pages() << PAGE_SHIFT)
		return -ENOMEM;
	lmr = kzalloc(sizeof(*lmr), GFP_KERNEL);
	if (!lmr)
		return -ENOMEM;
	kref_init(&lmr->ref);
	mutex_init(&lmr->lock);
	INIT_LIST_HEAD(&lmr->maps);
	strscpy(lmr->name, name, sizeof(lmr->name));
	lmr->nr = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	lmr->owner_id = lite_req_peer_id(req);
	lmr->owner = lite_req_peer_incarnation(req);
	lmr->others = others;
	err = charge(lmr->owner, lmr->nr);
	if (err) {
		kfree(lmr);
		return err;
	}
	old = set_active_memcg(node->memcg);
	err = alloc_pages_of(lmr, req);
	set_active_memcg(old);
	if (err)
		goto err_put;
	mutex_lock(&node->lmr_lock);
	if (lmr_in_vain(req))
		err = -ECONNRESET;
	else if (find_name(node, name))
		err = -EEXIST;
	if (!err) {
		lmr->id = ++node->lmr_next_id;
		list_add_tail(&lmr->list, &node->lmrs);
		queue_delayed_work(node->q->conn, &node->lmr_reap, REAP_TICK);
		rsp->id = cpu_to_le64(lmr->id);
		rsp->size = cpu_to_le64((u64)lmr->nr << PAGE_SHIFT);
	}
	mutex_unlock(&node->lmr_lock);
	if (!err)
		return 0;
err_put:
	uncharge(lmr->owner, lmr->nr);
	lmr_put(lmr);
	return err;
}

static struct lmr_map *find_map(struct lmr *lmr, u64 incarnation)
{
	struct lmr_map *map;

	lockdep_assert_held(&lmr->lock);
	list_for_each_entry(map, &lmr->maps, list)
		if (map->incarnation == incarnation)
			return map;
	return NULL;
}

/* What it may do: as owner, by a grant, or as anybody. */
static u32 allowed(struct lmr *lmr, u64 incarnation)
{
	struct lmr_map *map = find_map(lmr, incarnation);

	if (incarnation == lmr->owner)
		return LITE_LMR_RW;
	return map && map->granted ? map->grant : lmr->others;
}

static struct lmr_map *have_map(struct lmr *lmr, u64 incarnation)
{
	struct lmr_map *map = find_map(lmr, incarnation);

	if (map)
		return map;
	if (lmr->nr_maps == LMR_MAPS_MAX)
		return NULL;
	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return NULL;
	lmr->nr_maps++;
	map->incarnation = incarnation;
	list_add_tail(&map->list, &lmr->maps);
	return map;
}

/* Its keys, and all others in @dead, are dead after free_keys(). */
static void drop_keys(struct lmr_map *map, struct list_head *dead)
{
	if (map->mr) {
		lite_mr_revoke(map->mr);
		list_add(&map->mr->list, dead);
	}
	map->mr = NULL;
	map->access = 0;
}

/* One wait for all of them; without locks, as it takes its time. */
static void free_keys(struct list_head *dead)
{
	struct lite_mr *mr, *next;

	if (list_empty(dead))
		return;
	synchronize_rcu(); /* as lite_mr_revoke() demands */
	list_for_each_entry_safe(mr, next, dead, list)
		lite_mr_free(mr);
}

/* Not used any more; what is left is the owner's word, if he gave one. */
static void end_map(struct lmr *lmr, struct lmr_map *map,
		    struct list_head *dead)
{
	map->users = 0;
	drop_keys(map, dead);
	if (map->granted)
		return;
	list_del(&map->list);
	lmr->nr_maps--;
	kfree(map);
}

/**
 * lmr_map() - let a node use one
 * @lmr: LMR
 * @incarnation: whose
 * @access: LITE_LMR_*, not 0
 *
 * Context: process, may sleep.
 * Return: 0, -EACCES, -ESTALE, -ENOMEM (or LMR_MAPS_MAX others have it).
 */
int lmr_map(struct lmr *lmr, u64 incarnation, u32 access)
{
	struct lmr_map *map;
	LIST_HEAD(dead);
	int err = 0;

	mutex_lock(&lmr->lock);
	if (lmr->dead) {
		err = -ESTALE;
	} else if (access & ~allowed(lmr, incarnation)) {
		err = -EACCES;
	} else {
		map = have_map(lmr, incarnation);
		if (!map) {
			err = -ENOMEM;
		} else if (access & ~map->access) {
			access |= map->access;
			drop_keys(map, &dead); /* they open too little */
			map->access = access;
		}
		/* so often that nobody could undo it: for good */
		if (map && map->users != U32_MAX)
			map->users++;
		if (map)
			map->heard = true;
	}
	mutex_unlock(&lmr->lock);
	free_keys(&dead);
	return err;
}

/**
 * lmr_unmap() - the reverse
 * @lmr: LMR
 * @incarnation: whose
 *
 * Context: process, may sleep. If it was its last, its keys are dead on return.
 */
void lmr_unmap(struct lmr *lmr, u64 incarnation)
{
	struct lmr_map *map;
	LIST_HEAD(dead);

	mutex_lock(&lmr->lock);
	map = find_map(lmr, incarnation);
	if (map && map->users && map->users != U32_MAX && !--map->users)
		end_map(lmr, map, &dead);
	mutex_unlock(&lmr->lock);
	free_keys(&dead);
}

/**
 * lmr_wait_parts() - what begins from now on sees what was changed before
 * @node: where
 *
 * Context: process, may sleep, as long as lmr_serve.c works on a part.
 */
void lmr_wait_parts(struct lite_node *node)
{
	down_write(&node->lmr_use);
	up_write(&node->lmr_use);
}

/* One that has ended uses it no more, however often it mapped it. */
static void lmr_forget(struct lmr *lmr, u64 incarnation, struct list_head *dead)
{
	struct lmr_map *map;

	mutex_lock(&lmr->lock);
	map = find_map(lmr, incarnation);
	if (map) {
		map->granted = false; /* it does not come back */
		end_map(lmr, map, dead);
	}
	mutex_unlock(&lmr->lock);
}

/**
 * lmr_grant() - what a node may do with it from now on
 * @lmr: LMR
 * @incarnation: whose
 * @access: LITE_LMR_*, or 0
 *
 * Context: process, may sleep. Keys that open more are dead on return.
 * Return: 0, -ESTALE, -ENOMEM.
 */
int lmr_grant(struct lmr *lmr, u64 incarnation, u32 access)
{
	struct lmr_map *map;
	LIST_HEAD(dead);
	int err = 0;

	mutex_lock(&lmr->lock);
	map = lmr->dead ? NULL : have_map(lmr, incarnation);
	if (!map) {
		err = lmr->dead ? -ESTALE : -ENOMEM;
	} else {
		map->granted = true;
		map->grant = access;
		if (map->access & ~access && incarnation != lmr->owner)
			drop_keys(map, &dead);
	}
	mutex_unlock(&lmr->lock);
	free_keys(&dead);
	return err;
}

/**
 * lmr_may() - may a node that mapped it do this?
 * @lmr: LMR
 * @incarnation: whose
 * @access: LITE_LMR_*
 *
 * Context: process. Return: 0, -EACCES, -ESTALE.
 */
int lmr_may(struct lmr *lmr, u64 incarnation, u32 access)
{
	struct lmr_map *map;
	int err = 0;

	mutex_lock(&lmr->lock);
	map = find_map(lmr, incarnation);
	if (lmr->dead)
		err = -ESTALE;
	else if (!map || access & ~map->access)
		err = -EACCES;
	mutex_unlock(&lmr->lock);
	return err;
}

static int export(struct lmr *lmr, struct lmr_map *map, struct lite_req *req,
		  u32 first, u32 nr, struct lite_wire_seg *seg)
{
	u64 size = (u64)lmr->nr << PAGE_SHIFT;
	struct lite_sge sge = { .mr = map->mr };
	int err = 0;
	u32 i;

	for (i = 0; i < nr && !err; i++) {
		sge.off = (u64)(first + i) * LITE_LMR_PIECE;
		sge.len = min_t(u64, LITE_LMR_PIECE, size - sge.off);
		err = lite_req_export(req, &sge, &seg[i]);
	}
	return err;
}

/**
 * lmr_keys() - keys for one-sided access
 * @lmr: LMR, mapped by who asks
 * @req: its request, for the reply to which
 * @first: piece
 * @nr: how many
 * @seg: filled in
 *
 * Context: process, may sleep.
 * Return: 0, -EACCES, -ESTALE, -EINVAL (no such piece), -ENOMEM or another of
 *	lite_mr_create().
 */
int lmr_keys(struct lmr *lmr, struct lite_req *req, u32 first, u32 nr,
	     struct lite_wire_seg *seg)
{
	u32 pieces = DIV_ROUND_UP_ULL((u64)lmr->nr << PAGE_SHIFT,
				      LITE_LMR_PIECE);
	struct lmr_map *map;
	int err = 0;

	if (!nr || nr > LITE_LMR_KEYS_MAX || first >= pieces ||
	    nr > pieces - first)
		return -EINVAL;
	mutex_lock(&lmr->lock);
	map = find_map(lmr, lite_req_peer_incarnation(req));
	if (lmr->dead) {
		err = -ESTALE;
	} else if (!map || !map->access) {
		err = -EACCES;
	} else if (!map->mr) {
		map->mr = lite_mr_create(lite_req_node(req), lmr->pages,
					 lmr->nr,
					 (map->access & LITE_LMR_READ ?
						  LITE_MR_READ : 0) |
					 (map->access & LITE_LMR_WRITE ?
						  LITE_MR_WRITE : 0));
		err = PTR_ERR_OR_ZERO(map->mr);
		if (err)
			map->mr = NULL;
	}
	if (!err)
		err = export(lmr, map, req, first, nr, seg);
	mutex_unlock(&lmr->lock);
	return err;
}

/**
 * lmr_kill() - free one
 * @node: where
 * @lmr: LMR, with a reference of the caller's
 *
 * All its keys are dead on return; no harm if it was freed already.
 * Context: process, may sleep.
 */
void lmr_kill(struct lite_node *node, struct lmr *lmr)
{
	struct lmr_map *map, *next;
	LIST_HEAD(dead);
	bool mine;

	mutex_lock(&node->lmr_lock);
	mutex_lock(&lmr->lock);
	mine = !lmr->dead;
	lmr->dead = true;
	mutex_unlock(&lmr->lock);
	if (mine)
		list_del(&lmr->list);
	mutex_unlock(&node->lmr_lock);
	if (!mine)
		return;
	mutex_lock(&lmr->lock);
	list_for_each_entry_safe(map, next, &lmr->maps, list) {
		drop_keys(map, &dead);
		list_del(&map->list);
		kfree(map);
	}
	mutex_unlock(&lmr->lock);
	free_keys(&dead);
	lmr_wait_parts(node); /* or its memory would not be given back yet */
	uncharge(lmr->owner, lmr->nr);
	lmr_put(lmr);
}

/* One that belongs to @incarnation, or any for 0; with a reference. */
static struct lmr *next_of(struct lite_node *node, u64 incarnation)
{
	struct lmr *lmr;

	mutex_lock(&node->lmr_lock);
	list_for_each_entry(lmr, &node->lmrs, list)
		if (!incarnation || lmr->owner == incarnation) {
			kref_get(&lmr->ref);
			mutex_unlock(&node->lmr_lock);
			return lmr;
		}
	mutex_unlock(&node->lmr_lock);
	return NULL;
}

/**
 * lmr_owner_gone() - a node has ended: so has what it owned and mapped
 * @node: where
 * @incarnation: whose; 0 for all, when @node itself ends
 *
 * Context: process, may sleep.
 */
void lmr_owner_gone(struct lite_node *node, u64 incarnation)
{
	struct lmr *lmr;
	LIST_HEAD(dead);

	while ((lmr = next_of(node, incarnation))) {
		lmr_kill(node, lmr);
		lmr_put(lmr);
	}
	if (!incarnation)
		return;
	mutex_lock(&node->lmr_lock);
	list_for_each_entry(lmr, &node->lmrs, list)
		lmr_forget(lmr, incarnation, &dead);
	mutex_unlock(&node->lmr_lock);
	free_keys(&dead);
}

/*
 * Does it live, as far as we know? gmgr tells of its members' end. Of others,
 * as programs are (user.c), the connections tell; so they do of one whose end
 * gmgr cannot tell, as it was restarted meanwhile.
 */
static bool is_heard(struct lite_node *node, u64 incarnation)
{
	return incarnation == node->incarnation ||
	       lite_member_lives(node, incarnation) ||
	       lite_conn_from(node, incarnation);
}

static bool is_missed(struct lite_node *node, u64 incarnation,
		      unsigned long *since)
{
	if (is_heard(node, incarnation))
		*since = 0;
	else if (!*since)
		*since = jiffies | 1;
	else
		return time_after(jiffies, *since + REAP_AFTER);
	return false;
}

static void reap_maps(struct lite_node *node, struct lmr *lmr,
		      struct list_head *dead)
{
	struct lmr_map *map, *next;

	mutex_lock(&lmr->lock);
	list_for_each_entry_safe(map, next, &lmr->maps, list) {
		/* one that was granted something may come for it much later */
		if (!map->heard)
			map->heard = is_heard(node, map->incarnation);
		if (!map->heard ||
		    !is_missed(node, map->incarnation, &map->missed))
			continue;
		/* to forget it must not allow more: it may only be away */
		if (!(lmr->others & ~map->grant))
			map->granted = false;
		end_map(lmr, map, dead);
	}
	mutex_unlock(&lmr->lock);
}

/* One whose owner is gone; with a reference. */
static struct lmr *next_missed(struct lite_node *node)
{
	struct lmr *lmr, *found = NULL;
	LIST_HEAD(dead);

	mutex_lock(&node->lmr_lock);
	list_for_each_entry(lmr, &node->lmrs, list)
		if (is_missed(node, lmr->owner, &lmr->missed)) {
			kref_get(&lmr->ref);
			found = lmr;
			break;
		}
	if (!found)
		list_for_each_entry(lmr, &node->lmrs, list)
			reap_maps(node, lmr, &dead);
	mutex_unlock(&node->lmr_lock);
	free_keys(&dead);
	return found;
}

static void reap_work(struct work_struct *work)
{
	struct lite_node *node = container_of(to_delayed_work(work),
					      struct lite_node, lmr_reap);
	struct lmr *lmr;
	bool left;

	while ((lmr = next_missed(node))) {
		lmr_kill(node, lmr);
		lmr_put(lmr);
	}
	mutex_lock(&node->lmr_lock);
	left = !list_empty(&node->lmrs);
	mutex_unlock(&node->lmr_lock);
	if (left)
		queue_delayed_work(node->q->conn, &node->lmr_reap, REAP_TICK);
}

/**
 * lmr_init() - no LMRs yet
 * @node: node
 */
void lmr_init(struct lite_node *node)
{
	mutex_init(&node->lmr_lock);
	init_rwsem(&node->lmr_use);
	INIT_LIST_HEAD(&node->lmrs);
	node->lmr_next_id = get_random_u32(); /* not a former life's */
	INIT_DELAYED_WORK(&node->lmr_reap, reap_work);
}

/**
 * lmr_exit() - the node ends: so do its LMRs
 * @node: node that serves nobody any more
 *
 * Context: process, may sleep.
 */
void lmr_exit(struct lite_node *node)
{
	cancel_delayed_work_sync(&node->lmr_reap);
	lmr_owner_gone(node, 0);
}
