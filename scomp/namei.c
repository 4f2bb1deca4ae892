// SPDX-License-Identifier: GPL-2.0
/*
 * Names: making, removing, renaming, linking. Locking as the system calls of
 * fs/namei.c: write access to the mount, then the parent's inode lock (both
 * parents' by lock_rename()), then the last component is looked up.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/uidgid.h>
#include "compat.h"
#include "scomp.h"

/* Begins a change of one directory: *@path->dentry is the last component. */
static int scomp_start(struct scomp_op *op, const char *name,
		       struct path *parent, struct dentry **dentry)
{
	const char *last;
	int err;

	err = scomp_lookup_parent(op->sc, name, parent, &last);
	if (err)
		return err;
	err = mnt_want_write(parent->mnt);
	if (err)
		goto err_put;
	inode_lock_nested(d_inode(parent->dentry), I_MUTEX_PARENT);
	*dentry = lookup_one(scomp_idmap(parent->mnt), last, parent->dentry,
			     strlen(last));
	if (!IS_ERR(*dentry))
		return 0;
	err = PTR_ERR(*dentry);
	inode_unlock(d_inode(parent->dentry));
	mnt_drop_write(parent->mnt);
err_put:
	path_put(parent);
	return err;
}

static void scomp_end(struct path *parent, struct dentry *dentry)
{
	inode_unlock(d_inode(parent->dentry));
	dput(dentry);
	mnt_drop_write(parent->mnt);
	path_put(parent);
}

/*
 * The caller's umask was applied where it belongs, at the pComponent; workers
 * have none. So modes are what was asked for, but for what a default ACL takes.
 */
static int scomp_make(struct path *parent, struct dentry *dentry, umode_t mode,
		      dev_t dev)
{
	struct mnt_idmap *idmap = scomp_idmap(parent->mnt);
	struct inode *dir = d_inode(parent->dentry);

	switch (mode & S_IFMT) {
	case S_IFREG:
		return vfs_create(idmap, dir, dentry, mode, true);
	case S_IFDIR:
		return vfs_mkdir(idmap, dir, dentry, mode & ~S_IFMT);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return vfs_mknod(idmap, dir, dentry, mode, dev);
	default:
		return -EINVAL;
	}
}

/*
 * Marks what was made with a number of the request: in its access time, of which
 * nobody misses the nanoseconds. It does no harm if that fails.
 */
static void scomp_mark(struct path *parent, struct dentry *dentry, u32 mark)
{
	struct inode *inode = d_inode(dentry);
	struct iattr ia = {
		.ia_valid = ATTR_ATIME | ATTR_ATIME_SET | ATTR_FORCE,
	};

	if (!mark)
		return;
	ia.ia_atime = current_time(inode);
	ia.ia_atime.tv_nsec = mark;
	inode_lock(inode);
	notify_change(scomp_idmap(parent->mnt), dentry, &ia, NULL);
	inode_unlock(inode);
}

/* Return: 0 if an earlier try has made @dentry, or -EEXIST. */
static int scomp_check_mark(struct scomp_op *op, struct path *parent,
			    struct dentry *dentry, umode_t mode, u32 mark)
{
	struct path path = { .mnt = parent->mnt, .dentry = dentry };
	struct scomp_attr attr;
	int err;

	err = scomp_fill_attr(op->sc, &path, &attr);
	if (err)
		return err;
	return mark && le32_to_cpu(attr.atime_nsec) == mark &&
	       !((le32_to_cpu(attr.mode) ^ mode) & S_IFMT) &&
	       uid_eq(d_inode(dentry)->i_uid, op->uid) ? 0 : -EEXIST;
}

/* Some file systems leave a new directory's dentry without its inode. */
static int scomp_look_again(struct path *parent, struct dentry **dentry)
{
	struct dentry *d;

	if (!d_unhashed(*dentry) && d_is_positive(*dentry))
		return 0;
	d = lookup_one(scomp_idmap(parent->mnt), (*dentry)->d_name.name,
		       parent->dentry, (*dentry)->d_name.len);
	if (IS_ERR(d))
		return PTR_ERR(d);
	dput(*dentry);
	*dentry = d;
	return d_is_positive(d) ? 0 : -ENOENT;
}

/**
 * scomp_op_create() - SCOMP_CREATE
 * @op: the request
 *
 * Return: the reply's length (attributes after) or an error.
 */
int scomp_op_create(struct scomp_op *op)
{
	const struct scomp_create_req *req = op->msg;
	struct scomp_attr *rsp = lite_req_rsp(op->req);
	umode_t mode = le32_to_cpu(req->mode);
	u32 excl = le32_to_cpu(req->excl);
	u32 mark = le32_to_cpu(req->mark);
	struct path parent, path;
	struct dentry *dentry;
	int err;

	if (excl > SCOMP_EXCL_AGAIN || le32_to_cpu(req->mode) > U16_MAX ||
	    mark >= NSEC_PER_SEC)
		return -EINVAL;
	err = scomp_start(op, op->path, &parent, &dentry);
	if (err)
		return err;
	if (d_is_positive(dentry)) {
		if (excl == SCOMP_EXCL_AGAIN)
			err = scomp_check_mark(op, &parent, dentry, mode, mark);
		else if (excl)
			err = -EEXIST;
		else if (S_ISREG(mode) && d_is_dir(dentry))
			err = -EISDIR;
	} else {
		err = scomp_make(&parent, dentry, mode,
				 new_decode_dev(le32_to_cpu(req->rdev)));
		if (!err)
			err = scomp_look_again(&parent, &dentry);
		if (!err)
			scomp_mark(&parent, dentry, mark);
	}
	if (err) {
		scomp_end(&parent, dentry);
		return err;
	}
	path.mnt = parent.mnt;
	path.dentry = dentry;
	path_get(&path);
	scomp_end(&parent, dentry);
	err = scomp_fill_attr(op->sc, &path, rsp);
	path_put(&path);
	return err ? err : sizeof(*rsp);
}

/**
 * scomp_op_remove() - SCOMP_REMOVE: unlink or rmdir
 * @op: the request
 *
 * Return: 0 or an error.
 */
int scomp_op_remove(struct scomp_op *op)
{
	const struct scomp_remove_req *req = op->msg;
	struct inode *inode = NULL;
	struct mnt_idmap *idmap;
	struct dentry *dentry;
	struct path parent;
	struct inode *dir;
	int err;

	if (le32_to_cpu(req->dir) > 1 || req->reserved)
		return -EINVAL;
	err = scomp_start(op, op->path, &parent, &dentry);
	if (err)
		return err;
	idmap = scomp_idmap(parent.mnt);
	dir = d_inode(parent.dentry);
	if (d_is_negative(dentry)) {
		err = -ENOENT;
	} else if (req->dir) {
		err = vfs_rmdir(idmap, dir, dentry);
	} else {
		/* Its blocks are freed by iput(), without the parent's lock. */
		inode = d_inode(dentry);
		ihold(inode);
		err = vfs_unlink(idmap, dir, dentry, NULL);
	}
	scomp_end(&parent, dentry);
	if (inode)
		iput(inode);
	return err;
}

/* May @who remove @dentry? What vfs_rename() looks at, whose rights are full. */
static int scomp_may_remove(const struct cred *who, struct path *parent,
			    struct dentry *dentry)
{
	struct mnt_idmap *idmap = scomp_idmap(parent->mnt);
	struct inode *dir = d_inode(parent->dentry);
	const struct cred *old = override_creds(who);
	int err;

	err = inode_permission(idmap, dir, MAY_WRITE | MAY_EXEC);
	if (!err && check_sticky(idmap, dir, d_inode(dentry)))
		err = -EPERM;
	revert_creds(old);
	return err;
}

/* @who: SCOMP_RENAME_AWAY's caller, while full rights are in force; or NULL */
static int scomp_rename_locked(struct path *from, const char *last,
			       struct path *to, const char *last2,
			       struct dentry *trap, unsigned int flags,
			       const struct cred *who)
{
	struct mnt_idmap *idmap = scomp_idmap(from->mnt);
	struct renamedata rd = {
		.old_mnt_idmap = idmap,
		.old_dir = d_inode(from->dentry),
		.new_mnt_idmap = idmap,
		.new_dir = d_inode(to->dentry),
		.flags = flags,
	};
	int err;

	rd.old_dentry = lookup_one(idmap, last, from->dentry, strlen(last));
	if (IS_ERR(rd.old_dentry))
		return PTR_ERR(rd.old_dentry);
	rd.new_dentry = lookup_one(idmap, last2, to->dentry, strlen(last2));
	if (IS_ERR(rd.new_dentry)) {
		err = PTR_ERR(rd.new_dentry);
		goto out_put_old;
	}
	err = -ENOENT;
	if (d_is_negative(rd.old_dentry))
		goto out_put_new;
	if ((flags & RENAME_EXCHANGE) && d_is_negative(rd.new_dentry))
		goto out_put_new;
	err = -EEXIST;
	if ((flags & RENAME_NOREPLACE) && d_is_positive(rd.new_dentry))
		goto out_put_new;
	err = -EINVAL; /* into itself */
	if (rd.old_dentry == trap)
		goto out_put_new;
	err = flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (rd.new_dentry == trap)
		goto out_put_new;
	err = who ? scomp_may_remove(who, from, rd.old_dentry) : 0;
	if (!err)
		err = vfs_rename(&rd);
out_put_new:
	dput(rd.new_dentry);
out_put_old:
	dput(rd.old_dentry);
	return err;
}

static int scomp_rename(struct scomp_op *op, struct path *from,
			const char *last, unsigned int flags,
			const struct cred *who)
{
	const char *last2;
	struct dentry *trap;
	struct path to;
	int err;

	err = scomp_lookup_parent(op->sc, op->path2, &to, &last2);
	if (err)
		return err;
	err = mnt_want_write(from->mnt);
	if (err)
		goto out_put;
	trap = lock_rename(from->dentry, to.dentry);
	if (IS_ERR(trap)) {
		err = PTR_ERR(trap);
		goto out_drop;
	}
	err = scomp_rename_locked(from, last, &to, last2, trap, flags, who);
	unlock_rename(from->dentry, to.dentry);
out_drop:
	mnt_drop_write(from->mnt);
out_put:
	path_put(&to);
	return err;
}

/**
 * scomp_op_rename() - SCOMP_RENAME, atomic as rename(2)
 * @op: the request
 *
 * Return: 0 or an error.
 */
int scomp_op_rename(struct scomp_op *op)
{
	const struct scomp_rename_req *req = op->msg;
	u32 flags = le32_to_cpu(req->flags);
	const struct cred *who;
	struct path from;
	const char *last;
	int err;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) &&
	     flags != SCOMP_RENAME_AWAY) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE) || req->reserved)
		return -EINVAL;
	err = scomp_lookup_parent(op->sc, op->path, &from, &last);
	if (err)
		return err;
	if (flags == SCOMP_RENAME_AWAY) {
		who = override_creds(op->sc->cred);
		err = scomp_rename(op, &from, last, 0, who);
		revert_creds(who);
	} else {
		err = scomp_rename(op, &from, last, flags, NULL);
	}
	path_put(&from);
	return err;
}

/* Makes @old's, or a symbolic link for a request @sym that says @target. */
static int scomp_new_link(struct scomp_op *op, const char *name,
			  const struct path *old,
			  const struct scomp_symlink_req *sym,
			  const char *target)
{
	u32 mark = sym ? le32_to_cpu(sym->mark) : 0;
	struct scomp_attr *rsp = lite_req_rsp(op->req);
	struct path parent, path;
	struct mnt_idmap *idmap;
	struct dentry *dentry;
	struct inode *dir;
	int err;

	err = scomp_start(op, name, &parent, &dentry);
	if (err)
		return err;
	idmap = scomp_idmap(parent.mnt);
	dir = d_inode(parent.dentry);
	if (d_is_positive(dentry)) {
		err = -EEXIST;
		if (sym && le32_to_cpu(sym->excl) == SCOMP_EXCL_AGAIN)
			err = scomp_check_mark(op, &parent, dentry, S_IFLNK,
					       mark);
	} else {
		err = old ? vfs_link(old->dentry, idmap, dir, dentry, NULL) :
			    vfs_symlink(idmap, dir, dentry, target);
		if (!err)
			err = scomp_look_again(&parent, &dentry);
		if (!err)
			scomp_mark(&parent, dentry, mark);
	}
	if (!err) {
		path.mnt = parent.mnt;
		path.dentry = dentry;
		err = scomp_fill_attr(op->sc, &path, rsp);
	}
	scomp_end(&parent, dentry);
	return err ? err : sizeof(*rsp);
}

/**
 * scomp_op_symlink() - SCOMP_SYMLINK
 * @op: the request
 *
 * Return: the reply's length (attributes of the link) or an error.
 */
int scomp_op_symlink(struct scomp_op *op)
{
	const struct scomp_symlink_req *req = op->msg;
	u32 excl = le32_to_cpu(req->excl);

	if (!excl || excl > SCOMP_EXCL_AGAIN ||
	    le32_to_cpu(req->mark) >= NSEC_PER_SEC)
		return -EINVAL;
	return scomp_new_link(op, op->path, NULL, req, op->path2);
}

/**
 * scomp_op_link() - SCOMP_LINK
 * @op: the request
 *
 * Return: the reply's length (attributes after) or an error.
 */
int scomp_op_link(struct scomp_op *op)
{
	struct path old;
	int ret;

	ret = scomp_lookup(op->sc, op->path, 0, &old);
	if (ret)
		return ret;
	ret = scomp_new_link(op, op->path2, &old, NULL, NULL);
	path_put(&old);
	return ret;
}
