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
		if (c->role != LITE_ROLE_SCOMP || c->state != GMGR_MEMBER_UP)
			continue;
		n = 0;
		list_for_each_entry(other, &g->vnodes, list)
			n += !strcmp(other->storage, c->name);
		if (n < least) {
			least = n;
			best = c;
		}
	}
	if (best)
		strscpy(vn->storage, best->name, sizeof(vn->storage));
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

	mutex_lock(&g->lock);
	/* Only @current itself can have written @current there. */
	if (READ_ONCE(g->vnode_task) == current) {
		err = vnode_apply(vn, g->vnode_init);
		if (err)
			goto err_free;
	}
	if (g->nr_vnodes >= GMGR_VNODES_LIMIT) {
		err = -ENOSPC;
		goto err_free;
	}
	vn->vid = g->next_vid++;
	list_add_tail(&vn->list, &g->vnodes);
	g->nr_vnodes++;
	if (!vn->storage[0])
		vnode_pick_storage(vn);
	mutex_unlock(&g->lock);
	gmgr_news(g, "vNode %s made, vid %u\n", vn->name, vn->vid);
	return vn;

err_free:
	mutex_unlock(&g->lock);
	kfree(vn);
	return ERR_PTR(err);
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
	mutex_unlock(&g->lock);
	gmgr_news(g, "vNode %s removed\n", vn->name);
}

/* Called with the directory's inode locked; the dentry is for dput(). */
static struct dentry *vnode_lookup(struct gmgr *g, const char *name)
{
	return lookup_one_len(name, g->vnodes_group.cg_item.ci_dentry,
			      strlen(name));
}

static int vnode_mkdir(struct gmgr *g, const char *name)
{
	struct dentry *parent = g->vnodes_group.cg_item.ci_dentry, *d;
	int err;

	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	d = vnode_lookup(g, name);
	if (IS_ERR(d)) {
		err = PTR_ERR(d);
	} else {
		err = d_really_is_positive(d) ? -EEXIST :
			vfs_mkdir(&nop_mnt_idmap, d_inode(parent), d, 0755);
		dput(d);
	}
	inode_unlock(d_inode(parent));
	return err;
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

	g->vnode_init = &init;
	WRITE_ONCE(g->vnode_task, current);
	err = vnode_mkdir(g, init.name);
	WRITE_ONCE(g->vnode_task, NULL);
	g->vnode_init = NULL;
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
	struct dentry *parent = g->vnodes_group.cg_item.ci_dentry, *d;
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
	err = gmgr_procs(g, vid, &nr);
	if (nr)
		return -EBUSY;
	if (err)
		return err;
	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	d = vnode_lookup(g, name);
	if (IS_ERR(d)) {
		err = PTR_ERR(d);
	} else {
		err = d_really_is_negative(d) ? -ENOENT :
			vfs_rmdir(&nop_mnt_idmap, d_inode(parent), d);
		dput(d);
	}
	inode_unlock(d_inode(parent));
	return err;
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
	struct gmgr_vn *vn;
	u32 i = 0, nr = 0;

	mutex_lock(&g->lock);
	list_for_each_entry(vn, &g->vnodes, list) {
		if (i++ < start)
			continue;
		if (nr == GMGR_VNODES_MAX)
			break;
		vnode_fill(vn, &rsp->vnode[nr++]);
	}
	mutex_unlock(&g->lock);
	rsp->nr = cpu_to_le32(nr);
	rsp->reserved = 0;
	return struct_size(rsp, vnode, nr);
}

/**
 * gmgr_vnode_exists() - is there a vNode of this id?
 * @g: manager, @lock held
 * @vid: id
 *
 * Return: whether.
 */
bool gmgr_vnode_exists(struct gmgr *g, u32 vid)
{
	struct gmgr_vn *vn;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(vn, &g->vnodes, list)
		if (vn->vid == vid)
			return true;
	return false;
}
