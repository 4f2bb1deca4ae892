// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: what the VFS asks of them, their making and their end.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/uidgid.h>
#include "fs_priv.h"

static struct kmem_cache *pcomp_fs_inode_cache;

/*
 * inode_operations
 */

static loff_t pcomp_fs_server_size(struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	loff_t size;

	spin_lock(&fi->lock);
	size = fi->size;
	if (pcomp_fs_has_dirty(inode))
		size = max(size, i_size_read(inode));
	spin_unlock(&fi->lock);
	return size;
}

int pcomp_fs_getattr(struct mnt_idmap *idmap, const struct path *path,
		     struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	int err;

	/* The times of what was written are the sComponent's. */
	if (S_ISREG(inode->i_mode) &&
	    (mask & (STATX_MTIME | STATX_CTIME | STATX_BLOCKS)) &&
	    !(flags & AT_STATX_DONT_SYNC) &&
	    pcomp_fs_write_back(inode) == -EINTR)
		return -EINTR;
	if (flags & AT_STATX_FORCE_SYNC)
		WRITE_ONCE(PCOMP_FS_I(inode)->checked, 0);
	if (!(flags & AT_STATX_DONT_SYNC)) {
		err = pcomp_fs_refresh(path->dentry);
		if (err)
			return err;
	}
	generic_fillattr(idmap, mask, inode, stat);
	/* i_size waits till the page cache is dropped */
	if (test_bit(PCOMP_FS_STALE_DATA, &PCOMP_FS_I(inode)->flags))
		stat->size = pcomp_fs_server_size(inode);
	return 0;
}

static void pcomp_fs_fill_setattr(struct scomp_setattr_req *req,
				  const struct iattr *ia)
{
	u32 valid = 0;

	if (ia->ia_valid & ATTR_KILL_SUID)
		valid |= SCOMP_KILL_SUID;
	if (ia->ia_valid & ATTR_KILL_SGID)
		valid |= SCOMP_KILL_SGID;
	/* With those it is only what the VFS has made of them. */
	if (!(valid & (SCOMP_KILL_SUID | SCOMP_KILL_SGID)) &&
	    (ia->ia_valid & ATTR_MODE)) {
		valid |= SCOMP_SET_MODE;
		req->mode = cpu_to_le32(ia->ia_mode);
	}
	if (ia->ia_valid & ATTR_UID) {
		valid |= SCOMP_SET_UID;
		req->uid = cpu_to_le32(from_kuid(&init_user_ns, ia->ia_uid));
	}
	if (ia->ia_valid & ATTR_GID) {
		valid |= SCOMP_SET_GID;
		req->gid = cpu_to_le32(from_kgid(&init_user_ns, ia->ia_gid));
	}
	if (ia->ia_valid & ATTR_SIZE) {
		valid |= SCOMP_SET_SIZE;
		req->size = cpu_to_le64(ia->ia_size);
	}
	if (ia->ia_valid & ATTR_ATIME_SET) {
		valid |= SCOMP_SET_ATIME;
		req->atime_sec = cpu_to_le64(ia->ia_atime.tv_sec);
		req->atime_nsec = cpu_to_le32(ia->ia_atime.tv_nsec);
	} else if (ia->ia_valid & ATTR_ATIME) {
		valid |= SCOMP_SET_ATIME_NOW;
	}
	if (ia->ia_valid & ATTR_MTIME_SET) {
		valid |= SCOMP_SET_MTIME;
		req->mtime_sec = cpu_to_le64(ia->ia_mtime.tv_sec);
		req->mtime_nsec = cpu_to_le32(ia->ia_mtime.tv_nsec);
	} else if (ia->ia_valid & ATTR_MTIME) {
		valid |= SCOMP_SET_MTIME_NOW;
	}
	req->valid = cpu_to_le32(valid);
}

int pcomp_fs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		     struct iattr *ia)
{
	struct inode *inode = d_inode(dentry);
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct scomp_setattr_req req = {};
	struct scomp_setattr_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_SETATTR,
		.name.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
	};
	int err;

	err = setattr_prepare(&nop_mnt_idmap, dentry, ia);
	if (err)
		return err;
	if (ia->ia_valid & ATTR_FORCE) {
		/*
		 * A write takes set-id bits away, whoever writes; at the
		 * sComponent it may come with the rights of another who has
		 * the file open, and who would not.
		 */
		ia->ia_valid &= ~(ATTR_FORCE | ATTR_CTIME);
	}
	pcomp_fs_fill_setattr(&req, ia);
	if (!req.valid)
		return 0;
	/* A write that came later would undo the time, or the size. */
	if (S_ISREG(inode->i_mode) &&
	    (ia->ia_valid & (ATTR_MTIME | ATTR_SIZE)) &&
	    pcomp_fs_write_back(inode) == -EINTR)
		return -EINTR;
	call.cred = ia->ia_valid & ATTR_FILE ? ia->ia_file->f_cred :
					       current_cred();
	err = mutex_lock_killable(&fi->change);
	if (err)
		return err;
	req.file = pcomp_fs_which(inode);
	err = pcomp_fs_rpc(PCOMP_FS(inode->i_sb), &call);
	if (err == -EEXIST) {
		/* Another file, or only another number? */
		err = pcomp_fs_look(inode, call.name);
		req.file = pcomp_fs_which(inode);
		if (!err)
			err = pcomp_fs_rpc(PCOMP_FS(inode->i_sb), &call);
		if (err == -EEXIST)
			err = -ESTALE;
	}
	if (!err && call.rsp_len != sizeof(rsp))
		err = -EIO;
	if (!err && !pcomp_fs_same(inode, &rsp.attr, true))
		err = -ESTALE;
	if (!err)
		pcomp_fs_apply_own(inode, &rsp.attr, &rsp.before);
	/* For write-back that waits, see pcomp_fs_write(). */
	if (!err && (ia->ia_valid & ATTR_SIZE)) {
		spin_lock(&fi->lock);
		if (ia->ia_size < i_size_read(inode))
			i_size_write(inode, ia->ia_size);
		spin_unlock(&fi->lock);
	}
	mutex_unlock(&fi->change);
	if (err || !(ia->ia_valid & ATTR_SIZE))
		return pcomp_fs_stale(err);
	/* Where the old end was there may be more than zeros now. */
	err = pcomp_fs_revalidate_data(inode);
	truncate_setsize(inode, ia->ia_size);
	return err;
}

/* SCOMP_READLINK, into @out, unless it is NULL, if it is too long for @rsp. */
static int pcomp_fs_readlink(struct dentry *dentry,
			     struct scomp_readlink_rsp *rsp,
			     const struct lite_sge *out)
{
	struct scomp_path_req req = {};
	struct pcomp_fs_call call = {
		.op = SCOMP_READLINK,
		.name.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = rsp,
		.rsp_size = LITE_RSP_MAX,
		.out = out,
	};
	int err = pcomp_fs_rpc(PCOMP_FS(dentry->d_sb), &call);
	u32 len;

	if (err)
		return err;
	if (call.rsp_len < sizeof(*rsp))
		return -EIO;
	len = le32_to_cpu(rsp->len);
	if (!len || len >= SCOMP_TARGET_MAX)
		return -EIO;
	if (call.rsp_len == sizeof(*rsp))
		return out ? 0 : -EIO;
	return call.rsp_len == sizeof(*rsp) + len ? len : -EIO;
}

/* @target: room for SCOMP_TARGET_MAX bytes; filled in, with a NUL. */
static int pcomp_fs_rpc_readlink(struct dentry *dentry, char *target)
{
	struct pcomp_fs_pool *pool = PCOMP_FS(dentry->d_sb)->read_pool;
	struct pcomp_fs_buf *buf = NULL;
	struct scomp_readlink_rsp *rsp;
	struct lite_sge sge;
	const void *said;
	int ret;

	rsp = kmalloc(LITE_RSP_MAX, GFP_KERNEL);
	if (!rsp)
		return -ENOMEM;
	said = rsp + 1;
	ret = pcomp_fs_readlink(dentry, rsp, NULL);
	if (ret == -EMSGSIZE) {
		/* longer than a message */
		ret = -EINTR;
		buf = pcomp_fs_buf_get(pool);
		if (!buf)
			goto out_free;
		sge = (struct lite_sge){ pool->mr, buf->off, SCOMP_IO_MAX };
		ret = pcomp_fs_readlink(dentry, rsp, &sge);
		if (!ret) {
			said = buf->va;
			ret = le32_to_cpu(rsp->len);
		}
	}
	if (ret > 0) {
		memcpy(target, said, ret);
		target[ret] = '\0';
		ret = 0;
	}
	if (buf)
		pcomp_fs_buf_put(pool, buf);
out_free:
	kfree(rsp);
	return ret;
}

static const char *pcomp_fs_get_link(struct dentry *dentry,
				     struct inode *inode,
				     struct delayed_call *done)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	char *target, *link;
	int err;

	link = smp_load_acquire(&fi->link); /* pairs with the cmpxchg below */
	if (link)
		return link;
	if (!dentry)
		return ERR_PTR(-ECHILD);
	target = kmalloc(SCOMP_TARGET_MAX, GFP_KERNEL);
	if (!target)
		return ERR_PTR(-ENOMEM);
	err = pcomp_fs_rpc_readlink(dentry, target);
	link = err ? NULL : kstrdup(target, GFP_KERNEL);
	kfree(target);
	if (!link)
		return ERR_PTR(err ? err : -ENOMEM);
	/* What a link says never changes; another one is another inode. */
	if (cmpxchg(&fi->link, NULL, link))
		kfree(link);
	return fi->link;
}

static const struct inode_operations pcomp_fs_symlink_inode_ops = {
	.get_link = pcomp_fs_get_link,
	.getattr = pcomp_fs_getattr,
	.setattr = pcomp_fs_setattr,
};

static const struct inode_operations pcomp_fs_special_inode_ops = {
	.getattr = pcomp_fs_getattr,
	.setattr = pcomp_fs_setattr,
};

/*
 * Finding and making
 */

static int pcomp_fs_iget_test(struct inode *inode, void *data)
{
	const struct scomp_attr *attr = data;

	if (inode->i_ino != le64_to_cpu(attr->ino) ||
	    inode->i_generation != le32_to_cpu(attr->generation) ||
	    (inode->i_mode ^ le32_to_cpu(attr->mode)) & S_IFMT)
		return 0;
	/* A number used again, where generations are not known. */
	if (S_ISLNK(inode->i_mode))
		return !pcomp_fs_differs(PCOMP_FS_I(inode), attr);
	return 1;
}

static int pcomp_fs_iget_set(struct inode *inode, void *data)
{
	const struct scomp_attr *attr = data;

	inode->i_ino = le64_to_cpu(attr->ino);
	inode->i_generation = le32_to_cpu(attr->generation);
	/* what the test above compares, before the inode can be found */
	inode->i_mode = le32_to_cpu(attr->mode);
	pcomp_fs_remember(PCOMP_FS_I(inode), attr);
	return 0;
}

/**
 * pcomp_fs_iget() - the inode of a file
 * @sb: the mount
 * @attr: what the sComponent says of it
 * @gen: pcomp_fs_gen() before it was asked
 *
 * Context: process, sleeps.
 * Return: the inode, for iput(), or ERR_PTR.
 */
struct inode *pcomp_fs_iget(struct super_block *sb,
			    const struct scomp_attr *attr, u64 gen)
{
	umode_t mode = le32_to_cpu(attr->mode);
	struct inode *inode;

	inode = iget5_locked(sb, hash_64(le64_to_cpu(attr->ino), 32),
			     pcomp_fs_iget_test, pcomp_fs_iget_set,
			     (void *)attr);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode->i_state & I_NEW)) {
		pcomp_fs_apply(inode, attr, gen);
		return inode;
	}
	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &pcomp_fs_file_inode_ops;
		inode->i_fop = &pcomp_fs_file_ops;
		inode->i_mapping->a_ops = &pcomp_fs_aops;
		break;
	case S_IFDIR:
		inode->i_op = &pcomp_fs_dir_inode_ops;
		inode->i_fop = &pcomp_fs_dir_ops;
		break;
	case S_IFLNK:
		inode->i_op = &pcomp_fs_symlink_inode_ops;
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		inode->i_op = &pcomp_fs_special_inode_ops;
		init_special_inode(inode, mode,
				   new_decode_dev(le32_to_cpu(attr->rdev)));
		break;
	default:
		iget_failed(inode);
		return ERR_PTR(-EIO);
	}
	/* The times are the sComponent's to keep. */
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	i_size_write(inode, le64_to_cpu(attr->size));
	pcomp_fs_set_attr(inode, attr);
	unlock_new_inode(inode);
	return inode;
}

/*
 * super_operations
 */

static struct inode *pcomp_fs_alloc_inode(struct super_block *sb)
{
	struct pcomp_fs_inode *fi;

	fi = alloc_inode_sb(sb, pcomp_fs_inode_cache, GFP_KERNEL);
	if (!fi)
		return NULL;
	fi->gen = 0;
	fi->checked = 0;
	fi->timeo = 0;
	fi->mtime = 0;
	fi->ctime = 0;
	fi->mtime_nsec = 0;
	fi->ctime_nsec = 0;
	fi->size = 0;
	fi->silly = 0;
	fi->verifier = 0;
	fi->writes = 0;
	fi->flags = 0;
	fi->opens = NULL;
	fi->link = NULL;
	return &fi->vfs;
}

static void pcomp_fs_free_inode(struct inode *inode)
{
	kfree(PCOMP_FS_I(inode)->link);
	kmem_cache_free(pcomp_fs_inode_cache, PCOMP_FS_I(inode));
}

static void pcomp_fs_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(inode->i_mapping);
	clear_inode(inode);
}

#define PCOMP_FS_FULL_BYTES (64 << 20)

/**
 * pcomp_fs_is_full() - may the next write not find room?
 * @fs: the mount
 *
 * A write into the page cache succeeds, and that it found no room is told at
 * close(), which few programs look at; so where there is little, it is made at
 * once.
 * Context: process, sleeps. Asks at most once a second.
 * Return: whether there is little.
 */
bool pcomp_fs_is_full(struct pcomp_fs *fs)
{
	struct scomp_path_req req = {};
	struct scomp_statfs_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_STATFS,
		.name.str = "",
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.once = true,
	};

	if (time_before(jiffies, READ_ONCE(fs->space_next)))
		return READ_ONCE(fs->full);
	WRITE_ONCE(fs->space_next, jiffies + HZ);
	if (!pcomp_fs_rpc(fs, &call) && call.rsp_len == sizeof(rsp))
		WRITE_ONCE(fs->full, le64_to_cpu(rsp.bavail) <
			   PCOMP_FS_FULL_BYTES / max(1U, le32_to_cpu(rsp.bsize)));
	return READ_ONCE(fs->full);
}

static int pcomp_fs_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct scomp_path_req req = {};
	struct scomp_statfs_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_STATFS,
		.name.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
	};
	int err;

	err = pcomp_fs_rpc(PCOMP_FS(dentry->d_sb), &call);
	if (err)
		return err;
	if (call.rsp_len != sizeof(rsp))
		return -EIO;
	st->f_type = PCOMP_FS_MAGIC;
	st->f_bsize = le32_to_cpu(rsp.bsize);
	st->f_blocks = le64_to_cpu(rsp.blocks);
	st->f_bfree = le64_to_cpu(rsp.bfree);
	st->f_bavail = le64_to_cpu(rsp.bavail);
	st->f_files = le64_to_cpu(rsp.files);
	st->f_ffree = le64_to_cpu(rsp.ffree);
	st->f_namelen = min_t(u32, le32_to_cpu(rsp.namelen), NAME_MAX);
	st->f_fsid = u64_to_fsid(PCOMP_FS(dentry->d_sb)->vid);
	return 0;
}

static int pcomp_fs_show_options(struct seq_file *m, struct dentry *root)
{
	struct pcomp_fs *fs = PCOMP_FS(root->d_sb);

	if (*fs->pcomp)
		seq_show_option(m, "pcomp", fs->pcomp);
	seq_printf(m, ",attr_ms=%u,retry_s=%u", fs->attr_ms, fs->retry_s);
	if (fs->soft)
		seq_puts(m, ",soft");
	return 0;
}

/* umount -f: what waits for the sComponent fails, till that answers. */
static void pcomp_fs_umount_begin(struct super_block *sb)
{
	WRITE_ONCE(PCOMP_FS(sb)->gone, true);
	WRITE_ONCE(PCOMP_FS(sb)->forced, true);
}

const struct super_operations pcomp_fs_super_ops = {
	.alloc_inode = pcomp_fs_alloc_inode,
	.free_inode = pcomp_fs_free_inode,
	.evict_inode = pcomp_fs_evict_inode,
	.statfs = pcomp_fs_statfs,
	.show_options = pcomp_fs_show_options,
	.umount_begin = pcomp_fs_umount_begin,
};

static void pcomp_fs_inode_once(void *obj)
{
	struct pcomp_fs_inode *fi = obj;

	inode_init_once(&fi->vfs);
	mutex_init(&fi->change);
	spin_lock_init(&fi->lock);
	INIT_LIST_HEAD(&fi->files);
}

/**
 * pcomp_fs_inode_init() - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int pcomp_fs_inode_init(void)
{
	pcomp_fs_inode_cache =
		kmem_cache_create("pcomp_fs_inode",
				  sizeof(struct pcomp_fs_inode), 0,
				  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
				  pcomp_fs_inode_once);
	return pcomp_fs_inode_cache ? 0 : -ENOMEM;
}

/**
 * pcomp_fs_inode_exit() - at module unload; no mount is left
 */
void pcomp_fs_inode_exit(void)
{
	/* pcomp_fs_free_inode() runs after a grace period */
	rcu_barrier();
	kmem_cache_destroy(pcomp_fs_inode_cache);
}
