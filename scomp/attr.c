// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of files, and of the file system they are in.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/uidgid.h>
#include "compat.h"
#include "scomp.h"

/*
 * A tree may show several st_dev (overlayfs does, one a layer), the wire has
 * but one number for a file: fold the device in, where it is not the root's.
 */
static u64 scomp_ino(struct scomp *sc, const struct kstat *st)
{
	if (st->dev == sc->root.dentry->d_sb->s_dev)
		return st->ino;
	return st->ino ^ ((u64)hash_32(st->dev, 31) << 32);
}

/*
 * Directories may have numbers that are made up anew when the file system is
 * mounted again (overlayfs): two incarnations of a sComponent must not seem to
 * mean the same by one number.
 */
static u32 scomp_generation(struct scomp *sc, const struct inode *inode)
{
	if (S_ISDIR(inode->i_mode))
		return inode->i_generation ^
		       (u32)lite_node_incarnation(sc->node);
	return inode->i_generation;
}

/**
 * scomp_fill_attr() - a file's attributes, as the wire has them
 * @sc: whose directory
 * @path: the file
 * @attr: filled in
 *
 * Return: 0 or an error.
 */
int scomp_fill_attr(struct scomp *sc, const struct path *path,
		    struct scomp_attr *attr)
{
	u32 gen = scomp_generation(sc, d_inode(path->dentry));
	struct kstat st;
	int err;

	err = vfs_getattr(path, &st, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	*attr = (struct scomp_attr) {
		.ino = cpu_to_le64(scomp_ino(sc, &st)),
		.size = cpu_to_le64(st.size),
		.blocks = cpu_to_le64(st.blocks),
		.atime_sec = cpu_to_le64(st.atime.tv_sec),
		.mtime_sec = cpu_to_le64(st.mtime.tv_sec),
		.ctime_sec = cpu_to_le64(st.ctime.tv_sec),
		.atime_nsec = cpu_to_le32(st.atime.tv_nsec),
		.mtime_nsec = cpu_to_le32(st.mtime.tv_nsec),
		.ctime_nsec = cpu_to_le32(st.ctime.tv_nsec),
		.mode = cpu_to_le32(st.mode),
		.nlink = cpu_to_le32(st.nlink),
		.uid = cpu_to_le32(from_kuid_munged(&init_user_ns, st.uid)),
		.gid = cpu_to_le32(from_kgid_munged(&init_user_ns, st.gid)),
		.rdev = cpu_to_le32(new_encode_dev(st.rdev)),
		.blksize = cpu_to_le32(st.blksize),
		.generation = cpu_to_le32(gen),
	};
	return 0;
}

/**
 * scomp_op_getattr() - SCOMP_GETATTR
 * @op: the request
 *
 * Return: the reply's length or an error.
 */
int scomp_op_getattr(struct scomp_op *op)
{
	struct scomp_attr *rsp = lite_req_rsp(op->req);
	struct path path;
	int err;

	err = scomp_lookup(op->sc, op->path, 0, &path);
	if (err)
		return err;
	err = scomp_fill_attr(op->sc, &path, rsp);
	path_put(&path);
	return err ? err : sizeof(*rsp);
}

/* What is set by one whose rights to a file are those to write to it. */
#define SCOMP_MAY_KILL                                            \
	(SCOMP_KILL_SUID | SCOMP_KILL_SGID | SCOMP_SET_SIZE |     \
	 SCOMP_SET_ATIME_NOW | SCOMP_SET_MTIME_NOW)

static int scomp_get_iattr(const struct scomp_setattr_req *req,
			   struct iattr *ia)
{
	u32 valid = le32_to_cpu(req->valid);

	memset(ia, 0, sizeof(*ia));
	ia->ia_valid = ATTR_CTIME;
	if (valid & (SCOMP_KILL_SUID | SCOMP_KILL_SGID)) {
		/* notify_change() has no answer to both */
		if (valid & SCOMP_SET_MODE)
			return -EINVAL;
		ia->ia_valid |= ATTR_KILL_PRIV;
		if (valid & SCOMP_KILL_SUID)
			ia->ia_valid |= ATTR_KILL_SUID;
		if (valid & SCOMP_KILL_SGID)
			ia->ia_valid |= ATTR_KILL_SGID;
		/* as do_truncate() and file_remove_privs() */
		if (!(valid & ~SCOMP_MAY_KILL))
			ia->ia_valid |= ATTR_FORCE;
	}
	if (valid & SCOMP_SET_MODE) {
		ia->ia_valid |= ATTR_MODE;
		ia->ia_mode = le32_to_cpu(req->mode) & S_IALLUGO;
	}
	if (valid & SCOMP_SET_UID) {
		ia->ia_valid |= ATTR_UID;
		ia->ia_uid = make_kuid(&init_user_ns, le32_to_cpu(req->uid));
		if (!uid_valid(ia->ia_uid))
			return -EINVAL;
	}
	if (valid & SCOMP_SET_GID) {
		ia->ia_valid |= ATTR_GID;
		ia->ia_gid = make_kgid(&init_user_ns, le32_to_cpu(req->gid));
		if (!gid_valid(ia->ia_gid))
			return -EINVAL;
	}
	if (valid & SCOMP_SET_SIZE) {
		ia->ia_valid |= ATTR_SIZE;
		ia->ia_size = le64_to_cpu(req->size);
		if (ia->ia_size < 0)
			return -EINVAL;
	}
	if (valid & (SCOMP_SET_ATIME | SCOMP_SET_ATIME_NOW))
		ia->ia_valid |= ATTR_ATIME;
	if (valid & SCOMP_SET_ATIME) {
		ia->ia_valid |= ATTR_ATIME_SET;
		ia->ia_atime.tv_sec = le64_to_cpu(req->atime_sec);
		ia->ia_atime.tv_nsec = le32_to_cpu(req->atime_nsec);
	}
	if (valid & (SCOMP_SET_MTIME | SCOMP_SET_MTIME_NOW))
		ia->ia_valid |= ATTR_MTIME;
	if (valid & SCOMP_SET_MTIME) {
		ia->ia_valid |= ATTR_MTIME_SET;
		ia->ia_mtime.tv_sec = le64_to_cpu(req->mtime_sec);
		ia->ia_mtime.tv_nsec = le32_to_cpu(req->mtime_nsec);
	}
	if (ia->ia_atime.tv_nsec >= NSEC_PER_SEC ||
	    ia->ia_mtime.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	return 0;
}

/**
 * scomp_check_file() - is that the file that a request is for?
 * @sc: whose directory
 * @path: what its path leads to; stays that, whatever becomes of the name
 * @file: which one is meant
 *
 * Return: 0, -EEXIST (another one has its name now), or another error.
 */
int scomp_check_file(struct scomp *sc, const struct path *path,
		     const struct scomp_file *file)
{
	struct scomp_attr attr;
	int err;

	if (file->reserved)
		return -EINVAL;
	if (!file->ino)
		return 0;
	err = scomp_fill_attr(sc, path, &attr);
	if (err)
		return err;
	return attr.ino == file->ino && attr.generation == file->generation ?
	       0 : -EEXIST;
}

/**
 * scomp_change_begin() - before a file's contents or attributes are changed
 * @sc: whose directory
 * @path: the file
 * @before: filled in
 *
 * Context: process; no inode's lock is held.
 * Return: a lock, to be dropped when the attributes after it were taken, or
 *	ERR_PTR.
 */
struct mutex *scomp_change_begin(struct scomp *sc, const struct path *path,
				 struct scomp_before *before)
{
	struct mutex *lock = &sc->change[hash_ptr(d_inode(path->dentry),
						  SCOMP_CHANGE_BITS)];
	struct scomp_attr attr;
	int err;

	mutex_lock(lock);
	err = scomp_fill_attr(sc, path, &attr);
	if (err) {
		mutex_unlock(lock);
		return ERR_PTR(err);
	}
	*before = (struct scomp_before) {
		.size = attr.size,
		.mtime_sec = attr.mtime_sec,
		.ctime_sec = attr.ctime_sec,
		.mtime_nsec = attr.mtime_nsec,
		.ctime_nsec = attr.ctime_nsec,
	};
	return lock;
}

/* notify_change() with what belongs round it; takes the inode's lock. */
static int scomp_change(const struct path *path, struct iattr *ia)
{
	struct inode *inode = d_inode(path->dentry);
	int err;

	err = mnt_want_write(path->mnt);
	if (err)
		return err;
	if (ia->ia_valid & ATTR_SIZE) {
		err = get_write_access(inode);
		if (err)
			goto out_drop;
	}
	inode_lock(inode);
	if (ia->ia_valid & ATTR_MODE)
		ia->ia_mode = (ia->ia_mode & S_IALLUGO) |
			      (inode->i_mode & S_IFMT);
	err = notify_change(scomp_idmap(path->mnt), path->dentry, ia, NULL);
	inode_unlock(inode);
	if (ia->ia_valid & ATTR_SIZE)
		put_write_access(inode);
out_drop:
	mnt_drop_write(path->mnt);
	return err;
}

/**
 * scomp_op_setattr() - SCOMP_SETATTR
 * @op: the request
 *
 * Return: the reply's length (attributes after) or an error.
 */
int scomp_op_setattr(struct scomp_op *op)
{
	const struct scomp_setattr_req *req = op->msg;
	struct scomp_setattr_rsp *rsp = lite_req_rsp(op->req);
	struct mutex *lock;
	struct iattr ia;
	struct path path;
	int err;

	if (le32_to_cpu(req->valid) & ~SCOMP_SET_ALL)
		return -EINVAL;
	err = scomp_get_iattr(req, &ia);
	if (err)
		return err;
	/* May come from a file that is open: see scomp_lookup_trusted(). */
	err = scomp_lookup_trusted(op->sc, op->path, &path);
	if (err)
		return err;
	err = scomp_check_file(op->sc, &path, &req->file);
	if (err)
		goto out_put;
	if (ia.ia_valid & ATTR_SIZE) {
		err = -EISDIR;
		if (d_is_dir(path.dentry))
			goto out_put;
		err = -EINVAL;
		if (!d_is_reg(path.dentry))
			goto out_put;
		err = scomp_may(op, &path, MAY_WRITE);
		/* as truncate(2), which notify_change() leaves it to */
		if (!err && IS_APPEND(d_inode(path.dentry)))
			err = -EPERM;
		if (err)
			goto out_put;
	}
	lock = scomp_change_begin(op->sc, &path, &rsp->before);
	err = PTR_ERR_OR_ZERO(lock);
	if (err)
		goto out_put;
	err = scomp_change(&path, &ia);
	if (!err)
		err = scomp_fill_attr(op->sc, &path, &rsp->attr);
	mutex_unlock(lock);
out_put:
	path_put(&path);
	return err ? err : sizeof(*rsp);
}

static int scomp_reply_link(struct scomp_op *op, const char *link, size_t len)
{
	struct scomp_readlink_rsp *rsp = lite_req_rsp(op->req);
	struct lite_sge sge = {
		.mr = op->sc->pool->mr,
		.len = len,
	};
	int err;

	if (len >= SCOMP_TARGET_MAX)
		return -ENAMETOOLONG;
	rsp->len = cpu_to_le32(len);
	rsp->reserved = 0;
	if (len <= LITE_RSP_MAX - sizeof(*rsp)) {
		memcpy(rsp + 1, link, len);
		return sizeof(*rsp) + len;
	}
	if (len > lite_req_out_len(op->req))
		return -EMSGSIZE;
	op->buf = scomp_buf_get(op->sc->pool);
	if (!op->buf)
		return -EAGAIN;
	memcpy(op->buf->va, link, len);
	sge.off = op->buf->off;
	err = lite_req_push(op->req, 0, &sge, 1);
	return err ? err : sizeof(*rsp);
}

/**
 * scomp_op_readlink() - SCOMP_READLINK
 * @op: the request
 *
 * Return: the reply's length or an error.
 */
int scomp_op_readlink(struct scomp_op *op)
{
	DEFINE_DELAYED_CALL(done);
	const char *link;
	struct path path;
	int ret;

	ret = scomp_lookup(op->sc, op->path, 0, &path);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (!d_is_symlink(path.dentry))
		goto out_put;
	link = vfs_get_link(path.dentry, &done);
	if (IS_ERR(link)) {
		ret = PTR_ERR(link);
		goto out_put;
	}
	ret = scomp_reply_link(op, link, strlen(link));
	do_delayed_call(&done);
out_put:
	path_put(&path);
	return ret;
}

/**
 * scomp_op_statfs() - SCOMP_STATFS
 * @op: the request
 *
 * Return: the reply's length or an error.
 */
int scomp_op_statfs(struct scomp_op *op)
{
	struct scomp_statfs_rsp *rsp = lite_req_rsp(op->req);
	struct kstatfs st;
	struct path path;
	int err;

	err = scomp_lookup_trusted(op->sc, op->path, &path);
	if (err)
		return err;
	err = vfs_statfs(&path, &st);
	path_put(&path);
	if (err)
		return err;
	*rsp = (struct scomp_statfs_rsp) {
		.blocks = cpu_to_le64(st.f_blocks),
		.bfree = cpu_to_le64(st.f_bfree),
		.bavail = cpu_to_le64(st.f_bavail),
		.files = cpu_to_le64(st.f_files),
		.ffree = cpu_to_le64(st.f_ffree),
		.bsize = cpu_to_le32(st.f_bsize),
		.namelen = cpu_to_le32(st.f_namelen),
	};
	return sizeof(*rsp);
}
