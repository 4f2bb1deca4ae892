// SPDX-License-Identifier: GPL-2.0
/*
 * vNodes: what a user is given, like a virtual machine. Each is a directory in
 * configfs, whoever made it: an RPC makes and removes the directory as mkdir
 * and rmdir would, so that there is one kind of vNode only.
 */
#include <linux/dcache.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "gmgr.h"

/**
 * gmgr_vnodes_changed() - members shall fetch the table again
 * @g: manager, @lock held
 *
 * Versions go up over the lives of gmgr, too: they follow the clock, and what
 * members told.
 */
void gmgr_vnodes_changed(struct gmgr *g)
{
	lockdep_assert_held(&g->lock);
	g->vnode_epoch = max_t(u64, g->vnode_epoch + 1,
			       ktime_get_real_ns() / NSEC_PER_MSEC);
}

/**
 * gmgr_vnode_set_root() - say where a vNode's files are
 * @vn: vNode, gmgr.lock held
 * @root: path, absolute as seen from the sComponent's directory
 * @len: bytes
 *
 * Stored in normal form: no empty or "." components, no '/' at the end.
 * Return: 0, -EINVAL (relative, "..", control characters), -ENAMETOOLONG.
 */
int gmgr_vnode_set_root(struct gmgr_vn *vn, const char *root, size_t len)
{
	char out[GMGR_ROOT_LEN];
	size_t i, n, used = 0;

	if (!len || root[0] != '/')
		return -EINVAL;
	for (i = 0; i < len; i++)
		if ((unsigned char)root[i] < ' ' || root[i] == 0x7f)
			return -EINVAL;
	for (i = 0; i < len; i += n) {
		if (root[i] == '/') {
			n = 1;
			continue;
		}
		for (n = 1; i + n < len && root[i + n] != '/'; n++)
			;
		if (n == 1 && root[i] == '.')
			continue;
		if (n == 2 && root[i] == '.' && root[i + 1] == '.')
			return -EINVAL;
		if (used + 1 + n >= sizeof(out))
			return -ENAMETOOLONG;
		out[used++] = '/';
		memcpy(out + used, root + i, n);
		used += n;
	}
	if (!used)
		out[used++] = '/';
	out[used] = '\0';
	strscpy(vn->root, out, sizeof(vn->root));
	gmgr_vnodes_changed(vn->gmgr);
	return 0;
}

/**
 * gmgr_vnode_set_storage() - say which sComponent has a vNode's files
 * @vn: vNode, gmgr.lock held
 * @storage: name of a sComponent, which need not have joined; empty: gmgr picks
 *	one when it is first needed
 * @len: bytes
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int gmgr_vnode_set_storage(struct gmgr_vn *vn, const char *storage, size_t len)
{
	char name[LITE_NAME_LEN] = "";
	int err;

	if (len >= sizeof(name))
		return -ENAMETOOLONG;
	if (len) {
		memcpy(name, storage, len);
		err = gmgr_check_name(name, sizeof(name));
		if (err)
			return err;
	}
	strscpy(vn->storage, name, sizeof(vn->storage));
	gmgr_vnodes_changed(vn->gmgr);
	return 0;
}

/* Where files go when the admin did not say: the one with fewest vNodes. */
static void vnode_pick_storage(struct gmgr_vn *vn)
{
	struct gmgr *g = vn->gmgr;
	struct gmgr_component *c, *best = NULL;
	unsigned int n, least = UINT_MAX;
	struct gmgr_vn *other;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(c, &g->members, list) {
		if (c->role != LITE_ROLE_SCOMP ||
		    c->state != GMGR_MEMBER_UP || c->told)
			continue;
		n = 0;
		list_for_each_entry(other, &g->vnodes, list)
			n += !strcmp(other->storage, c->name);
		if (n < least) {
			least = n;
			best = c;
		}
	}
	if (!best)
		return;
	strscpy(vn->storage, best->name, sizeof(vn->storage));
	gmgr_vnodes_changed(g);
}

static void vnode_fill(struct gmgr_vn *vn, struct gmgr_vnode *out)
{
	struct gmgr *g = vn->gmgr;
	struct gmgr_component *c = NULL;

	lockdep_assert_held(&g->lock);
	if (!vn->storage[0])
		vnode_pick_storage(vn);
	if (vn->storage[0])
		c = gmgr_member_find(g, vn->storage);
	memset(out, 0, sizeof(*out));
	out->vid = cpu_to_le32(vn->vid);
	if (c && c->role == LITE_ROLE_SCOMP && c->state == GMGR_MEMBER_UP)
		out->storage_id = cpu_to_le32(c->id);
	out->vip = vn->vip;
	out->quota = cpu_to_le64(vn->quota);
	strscpy(out->name, vn->name, sizeof(out->name));
	strscpy(out->storage, vn->storage, sizeof(out->storage));
	strscpy(out->root, vn->root, sizeof(out->root));
}

static struct gmgr_vn *vnode_find(struct gmgr *g, const char *name)
{
	struct gmgr_vn *vn;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(vn, &g->vnodes, list)
		if (!strcmp(vn->name, name))
			return vn;
	return NULL;
}

static int vnode_apply(struct gmgr_vn *vn, const struct gmgr_vnode *want)
{
	int err;

	vn->vip = want->vip;
	vn->quota = le64_to_cpu(want->quota);
	err = gmgr_vnode_set_storage(vn, want->storage,
				     strnlen(want->storage,
					     sizeof(want->storage)));
	if (err)
		return err;
	if (!want->root[0])
		return 0;
	return gmgr_vnode_set_root(vn, want->root,
				   strnlen(want->root, sizeof(want->root)));
}

static struct gmgr_vn *vnode_without_vid(struct gmgr *g)
{
	struct gmgr_vn *vn;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(vn, &g->vnodes, list)
		if (!vn->vid)
			return vn;
	return NULL;
}

/**
 * gmgr_vnodes_settle() - vNodes that were made by hand meanwhile get their vids
 * @g: manager, @lock held; it is dropped in between
 *
 * Context: process, may sleep, bounded.
 */
void gmgr_vnodes_settle(struct gmgr *g)
{
	struct gmgr_vn *vn;
	u32 vid;
	int err;

	while (vnode_without_vid(g)) {
		mutex_unlock(&g->lock);
		err = gmgr_vid_get(g, &vid);
		mutex_lock(&g->lock);
		if (err) {
			pr_warn("%s: no vid for a vNode (error %d): remove it and make it again\n",
				g->name, err);
			return;
		}
		vn = vnode_without_vid(g); /* or it is gone */
		if (vn)
			gmgr_vid_set(g, vid, vn);
		else
			gmgr_vid_put(g, vid);
		gmgr_vnodes_changed(g);
	}
}

/* What a vNode that is made for a peer is like: as that says. */
static int vnode_init(struct gmgr_vn *vn)
{
	const struct gmgr_vnode *init = vn->gmgr->vnode_init;
	int err;

	lockdep_assert_held(&vn->gmgr->lock);
	vn->told = vn->gmgr->vnode_told;
	err = vnode_apply(vn, init);
	if (err || !init->vid)
		return err;
	return gmgr_vid_restore(vn->gmgr, le32_to_cpu(init->vid), vn);
}

static int vnode_add(struct gmgr_vn *vn)
{
	struct gmgr *g = vn->gmgr;
	u32 vid = 0;
	int err = 0;

	mutex_lock(&g->lock);
	if (g->nr_vnodes >= GMGR_VNODES_LIMIT)
		err = -ENOSPC;
	/* Only @current itself can have written @current there. */
	else if (READ_ONCE(g->vnode_task) == current)
		err = vnode_init(vn);
	while (!err && !vn->vid && !vid && g->settled) {
		mutex_unlock(&g->lock);
		err = gmgr_vid_get(g, &vid);
		mutex_lock(&g->lock);
	}
	if (err)
		goto out_unlock;
	if (vid)
		gmgr_vid_set(g, vid, vn);
	gmgr_vnodes_changed(g);
	list_add_tail(&vn->list, &g->vnodes);
	g->nr_vnodes++;
	if (!vn->storage[0])
		vnode_pick_storage(vn);
out_unlock:
	mutex_unlock(&g->lock);
	return err;
}

/**
 * gmgr_vnode_alloc() - a vNode for a directory that is being made
 * @g: manager
 * @name: directory's name
 *
 * Context: process; configfs's mkdir, by a user or by gmgr_vnode_create(),
 *	whose wishes it then follows: nobody shall see it half made.
 * Return: the vNode, in the table, or ERR_PTR: -EINVAL, -ENAMETOOLONG, -ENOSPC,
 *	-ENOMEM.
 */
struct gmgr_vn *gmgr_vnode_alloc(struct gmgr *g, const char *name)
{
	struct gmgr_vn *vn;
	int err;

	if (strlen(name) >= LITE_NAME_LEN)
		return ERR_PTR(-ENAMETOOLONG);
	err = gmgr_check_name(name, LITE_NAME_LEN);
	if (err)
		return ERR_PTR(err);
	vn = kzalloc(sizeof(*vn), GFP_KERNEL);
	if (!vn)
		return ERR_PTR(-ENOMEM);
	vn->gmgr = g;
	strscpy(vn->name, name, sizeof(vn->name));
	strscpy(vn->root, "/", sizeof(vn->root));
	gmgr_configfs_vnode_init(vn);

	err = vnode_add(vn);
	if (err) {
		/* a long name is memory of its own */
		config_item_put(&vn->group.cg_item);
		return ERR_PTR(err);
	}
	gmgr_news(g, "vNode %s %s, vid %u\n", vn->name,
		  vn->told ? "restored" : "made", vn->vid);
	return vn;
}

/**
 * gmgr_vnode_del() - take a vNode out of the table
 * @vn: vNode; its memory stays
 *
 * Context: process; configfs's rmdir.
 */
void gmgr_vnode_del(struct gmgr_vn *vn)
{
	struct gmgr *g = vn->gmgr;

	mutex_lock(&g->lock);
	list_del(&vn->list);
	g->nr_vnodes--;
	gmgr_vnodes_changed(g);
	if (vn->told)
		gmgr_vid_remove(g, vn->vid);
	else if (vn->vid)
		gmgr_vid_put(g, vn->vid);
	mutex_unlock(&g->lock);
	gmgr_news(g, "vNode %s removed\n", vn->name);
}

/* A vNode's directory, be it there or not, with that of all of them locked. */
static struct dentry *vnode_lock(struct gmgr *g, const char *name)
{
	struct dentry *parent = g->vnodes_group.cg_item.ci_dentry, *d;

	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	d = lookup_one_len(name, parent, strlen(name));
	if (IS_ERR(d))
		inode_unlock(d_inode(parent));
	return d;
}

static void vnode_unlock(struct dentry *d)
{
	inode_unlock(d_inode(d->d_parent));
	dput(d);
}

static int vnode_mkdir(struct gmgr *g, const char *name)
{
	struct dentry *d = vnode_lock(g, name);
	int err = -EEXIST;

	if (IS_ERR(d))
		return PTR_ERR(d);
	if (d_really_is_negative(d))
		err = vfs_mkdir(&nop_mnt_idmap, d_inode(d->d_parent), d, 0755);
	vnode_unlock(d);
	return err;
}

/**
 * gmgr_vnode_rmdir() - remove a vNode's directory
 * @g: manager
 * @name: name
 *
 * Context: gmgr.vnode_wq. Return: 0, -ENOENT, or vfs_rmdir()'s.
 */
int gmgr_vnode_rmdir(struct gmgr *g, const char *name)
{
	struct dentry *d = vnode_lock(g, name);
	int err = -ENOENT;

	if (IS_ERR(d))
		return PTR_ERR(d);
	if (d_really_is_positive(d))
		err = vfs_rmdir(&nop_mnt_idmap, d_inode(d->d_parent), d);
	vnode_unlock(d);
	return err;
}

/* Make a vNode's directory, as @init says. On vnode_wq alone. */
static int vnode_make(struct gmgr *g, const struct gmgr_vnode *init, u64 told)
{
	int err;

	g->vnode_init = init;
	g->vnode_told = told;
	WRITE_ONCE(g->vnode_task, current);
	err = vnode_mkdir(g, init->name);
	WRITE_ONCE(g->vnode_task, NULL);
	g->vnode_init = NULL;
	return err;
}

/**
 * gmgr_vnode_restore() - there was a vNode, a member says
 * @g: manager
 * @v: from the wire
 * @told: version of the table in which it stood so
 *
 * One that was made by hand since gmgr was started, and has no vid yet, gets
 * that of its name; the rest is as whoever made it says.
 * Context: gmgr.vnode_wq.
 * Return: 0, also for one that cannot be restored, which is logged; -ENOMEM or
 *	-EAGAIN: to be told again.
 */
int gmgr_vnode_restore(struct gmgr *g, const struct gmgr_vnode *v, u64 told)
{
	u32 vid = le32_to_cpu(v->vid);
	struct gmgr_vnode init = *v;
	struct gmgr_vn *vn, *named;
	bool removed;
	int err = 0;

	if (gmgr_check_name(init.name, sizeof(init.name)) || !vid ||
	    vid > GMGR_TOLD_VID_MAX ||
	    strnlen(init.root, sizeof(init.root)) == sizeof(init.root) ||
	    strnlen(init.storage, sizeof(init.storage)) == sizeof(init.storage))
		return 0;
	mutex_lock(&g->lock);
	removed = gmgr_vid_is_removed(g, vid);
	gmgr_vid_seen(g, vid);
	vn = gmgr_vnode_by_vid(g, vid);
	named = vnode_find(g, init.name);
	if (!removed && !vn && named && !named->vid) {
		err = gmgr_vid_restore(g, vid, named);
		if (!err)
			vn = named;
		gmgr_vnodes_changed(g);
	} else if (vn && vn == named && vn->told && vn->told < told) {
		vn->told = told;
		err = vnode_apply(vn, &init);
	}
	mutex_unlock(&g->lock);
	if (removed)
		return 0;
	if (!vn && !named)
		err = vnode_make(g, &init, told);
	else if (vn != named)
		err = err ?: -EBUSY;
	/* Made by hand at this moment: told again it is found. */
	if (err == -EEXIST)
		return -EAGAIN;
	if (err && err != -ENOMEM)
		pr_warn_ratelimited("%s: vNode %s, vid %u, of which a member tells, cannot be restored%s (error %d)\n",
				    g->name, init.name, vid, err == -EBUSY ?
				    ": the name or the vid was given again" : "",
				    err);
	return err == -ENOMEM ? err : 0;
}

static int vnode_check_want(struct gmgr *g, const struct gmgr_vnode *want)
{
	struct gmgr_component *c;
	int err;

	err = gmgr_check_name(want->name, sizeof(want->name));
	if (err)
		return err;
	if (strnlen(want->root, sizeof(want->root)) == sizeof(want->root))
		return -ENAMETOOLONG;
	if (want->vid || want->storage_id || want->nr_procs)
		return -EINVAL;
	if (!want->storage[0])
		return 0;
	err = gmgr_check_name(want->storage, sizeof(want->storage));
	if (err)
		return err;
	mutex_lock(&g->lock);
	c = gmgr_member_find(g, want->storage);
	if (!c || c->role != LITE_ROLE_SCOMP)
		err = -EHOSTUNREACH;
	mutex_unlock(&g->lock);
	return err;
}

/**
 * gmgr_vnode_create() - make a vNode for a peer
 * @g: manager
 * @want: from the wire, of the right length
 * @out: what was made
 *
 * Context: gmgr.vnode_wq.
 * Return: 0, -EEXIST, -EINVAL, -ENAMETOOLONG, -EHOSTUNREACH (no sComponent of
 *	that name has ever joined), -ENOSPC, -ENOMEM.
 */
int gmgr_vnode_create(struct gmgr *g, const struct gmgr_vnode *want,
		      struct gmgr_vnode *out)
{
	struct gmgr_vnode init = *want;
	int err;

	err = vnode_check_want(g, &init);
	if (err)
		return err;

	err = vnode_make(g, &init, 0);
	if (err)
		return err;
	return gmgr_vnode_get(g, init.name, out);
}

/**
 * gmgr_vnode_remove() - remove a vNode for a peer
 * @g: manager
 * @name: name
 *
 * A process that comes in between runs on, as after an rmdir by hand.
 * Context: gmgr.vnode_wq.
 * Return: 0, -ENOENT, -EBUSY: processes run in it; -EHOSTUNREACH: whether they
 *	do could not be learnt.
 */
int gmgr_vnode_remove(struct gmgr *g, const char *name)
{
	struct gmgr_vn *vn;
	u32 vid = 0, nr;
	int err;

	mutex_lock(&g->lock);
	vn = vnode_find(g, name);
	if (vn)
		vid = vn->vid;
	mutex_unlock(&g->lock);
	if (!vid)
		return -ENOENT;
	err = gmgr_procs(g, &vid, &nr, 1);
	if (nr)
		return -EBUSY;
	if (err)
		return err;
	return gmgr_vnode_rmdir(g, name);
}

/**
 * gmgr_vnode_get() - a vNode by name, for the wire
 * @g: manager
 * @name: name
 * @out: filled in
 *
 * Return: 0, -ENOENT.
 */
int gmgr_vnode_get(struct gmgr *g, const char *name, struct gmgr_vnode *out)
{
	struct gmgr_vn *vn;

	mutex_lock(&g->lock);
	vn = vnode_find(g, name);
	if (vn)
		vnode_fill(vn, out);
	mutex_unlock(&g->lock);
	return vn ? 0 : -ENOENT;
}

/* At most @max from the index @start on in @page, how many come after in @left. */
static u32 vnode_fill_page(struct gmgr *g, u32 start, struct gmgr_vnode *page,
			   u32 max, u32 *left)
{
	struct gmgr_vn *vn;
	u32 i = 0, nr = 0;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(vn, &g->vnodes, list)
		if (i++ >= start && nr < max)
			vnode_fill(vn, &page[nr++]);
	*left = nr ? i - start - nr : 0;
	return nr;
}

/**
 * gmgr_vnode_list() - a page of the table for the wire
 * @g: manager
 * @start: index of the first wanted
 * @rsp: room for GMGR_VNODES_MAX of them
 *
 * Return: bytes used of @rsp.
 */
u32 gmgr_vnode_list(struct gmgr *g, u32 start, struct gmgr_vnodes_rsp *rsp)
{
	u32 nr, left;

	mutex_lock(&g->lock);
	nr = vnode_fill_page(g, start, rsp->vnode, GMGR_VNODES_MAX, &left);
	mutex_unlock(&g->lock);
	rsp->nr = cpu_to_le32(nr);
	rsp->reserved = 0;
	return struct_size(rsp, vnode, nr);
}

/**
 * gmgr_vnode_table() - a page of what members keep, for the wire
 * @g: manager
 * @start: index of the first wanted
 * @rsp: room for GMGR_VNODE_TABLE_MAX of them
 *
 * Return: bytes used of @rsp; 0: not settled, there is nothing to keep yet.
 */
u32 gmgr_vnode_table(struct gmgr *g, u32 start, struct gmgr_vnode_table *rsp)
{
	u32 nr, left;

	mutex_lock(&g->lock);
	if (!g->settled) {
		mutex_unlock(&g->lock);
		return 0;
	}
	nr = vnode_fill_page(g, start, rsp->vnode, GMGR_VNODE_TABLE_MAX, &left);
	rsp->life = cpu_to_le64(lite_node_incarnation(g->node));
	rsp->epoch = cpu_to_le64(g->vnode_epoch);
	rsp->next_vid = cpu_to_le32(g->next_vid);
	rsp->nr = cpu_to_le32(nr);
	rsp->start = cpu_to_le32(start);
	rsp->left = cpu_to_le32(left);
	mutex_unlock(&g->lock);
	return struct_size(rsp, vnode, nr);
}
