// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes and what is known of them: attributes are news from the sComponent,
 * believed for a while, and dropped when something was done here since they
 * were asked for (nfs's attr_gencount).
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
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include "fs_priv.h"

static struct kmem_cache *pcomp_fs_inode_cache;

/**
 * pcomp_fs_has_dirty() - does the page cache have what the sComponent has not?
 * @inode: the file
 */
bool pcomp_fs_has_dirty(struct inode *inode)
{
	return mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY) ||
	       mapping_tagged(inode->i_mapping, PAGECACHE_TAG_WRITEBACK);
}

/*
 * How long to believe: what did not change for long is not likely to do so
 * now, and is believed up to five times longer: a hundredth of its age.
 */
static unsigned long pcomp_fs_timeo(struct super_block *sb,
				    const struct scomp_attr *attr)
{
	unsigned long least = msecs_to_jiffies(PCOMP_FS(sb)->attr_ms);
	s64 age = ktime_get_real_seconds() - le64_to_cpu(attr->ctime_sec);

	age = clamp_t(s64, age, 0, 7 * 24 * 3600);
	return clamp_t(unsigned long, age * HZ / 100, least, 5 * least);
}

static void pcomp_fs_set_attr(struct inode *inode,
			      const struct scomp_attr *attr)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	u32 nlink = le32_to_cpu(attr->nlink);

	inode->i_mode = le32_to_cpu(attr->mode);
	inode->i_uid = make_kuid(&init_user_ns, le32_to_cpu(attr->uid));
	inode->i_gid = make_kgid(&init_user_ns, le32_to_cpu(attr->gid));
	inode->i_blocks = le64_to_cpu(attr->blocks);
	pcomp_set_atime(inode, le64_to_cpu(attr->atime_sec),
			le32_to_cpu(attr->atime_nsec));
	pcomp_set_mtime(inode, le64_to_cpu(attr->mtime_sec),
			le32_to_cpu(attr->mtime_nsec));
	inode_set_ctime(inode, le64_to_cpu(attr->ctime_sec),
			le32_to_cpu(attr->ctime_nsec));
	/* Names in the directory of unlinked files do not count. */
	nlink -= min(nlink, fi->silly);
	if (nlink != inode->i_nlink)
		set_nlink(inode, nlink);
	fi->timeo = pcomp_fs_timeo(inode->i_sb, attr);
	fi->checked = jiffies ?: 1;
}

/* The mtime may be set to what it was, the ctime may not. */
static bool pcomp_fs_was(const struct pcomp_fs_inode *fi,
			 const struct scomp_before *before)
{
	return fi->mtime == le64_to_cpu(before->mtime_sec) &&
	       fi->mtime_nsec == le32_to_cpu(before->mtime_nsec) &&
	       fi->size == le64_to_cpu(before->size) &&
	       (test_bit(PCOMP_FS_OWN_CTIME, &fi->flags) ||
		(fi->ctime == le64_to_cpu(before->ctime_sec) &&
		 fi->ctime_nsec == le32_to_cpu(before->ctime_nsec)));
}

static struct scomp_before pcomp_fs_as_before(const struct scomp_attr *attr)
{
	return (struct scomp_before) {
		.size = attr->size,
		.mtime_sec = attr->mtime_sec,
		.ctime_sec = attr->ctime_sec,
		.mtime_nsec = attr->mtime_nsec,
		.ctime_nsec = attr->ctime_nsec,
	};
}

static bool pcomp_fs_differs(const struct pcomp_fs_inode *fi,
			     const struct scomp_attr *attr)
{
	struct scomp_before now = pcomp_fs_as_before(attr);

	return !pcomp_fs_was(fi, &now);
}

static void pcomp_fs_remember(struct pcomp_fs_inode *fi,
			      const struct scomp_attr *attr)
{
	fi->mtime = le64_to_cpu(attr->mtime_sec);
	fi->mtime_nsec = le32_to_cpu(attr->mtime_nsec);
	fi->ctime = le64_to_cpu(attr->ctime_sec);
	fi->ctime_nsec = le32_to_cpu(attr->ctime_nsec);
	fi->size = le64_to_cpu(attr->size);
	clear_bit(PCOMP_FS_OWN_CTIME, &fi->flags);
}

/**
 * pcomp_fs_own_ctime() - a name of a file was made, changed or removed by us
 * @inode: the file
 *
 * The next news of it are of another ctime, which is then no sign that others
 * have changed it.
 */
void pcomp_fs_own_ctime(struct inode *inode)
{
	set_bit(PCOMP_FS_OWN_CTIME, &PCOMP_FS_I(inode)->flags);
}

/**
 * pcomp_fs_apply() - news of a file
 * @inode: the file
 * @attr: its attributes
 * @gen: pcomp_fs_gen() before they were asked for
 *
 * Context: process. Takes pcomp_fs_inode.lock.
 */
void pcomp_fs_apply(struct inode *inode, const struct scomp_attr *attr, u64 gen)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	loff_t size = le64_to_cpu(attr->size);
	bool differs;

	spin_lock(&fi->lock);
	if (gen < fi->gen)
		goto out; /* older than what was done here */
	differs = pcomp_fs_differs(fi, attr);
	pcomp_fs_set_attr(inode, attr);
	if (S_ISREG(inode->i_mode)) {
		if (differs && inode->i_mapping->nrpages)
			set_bit(PCOMP_FS_STALE_DATA, &fi->flags);
		/*
		 * What is dirty here will make the file longer again. And a
		 * page with the old end in it has zeros behind that, which
		 * must not become the file's data.
		 */
		if (size > i_size_read(inode) ?
		    !test_bit(PCOMP_FS_STALE_DATA, &fi->flags) :
		    !pcomp_fs_has_dirty(inode))
			i_size_write(inode, size);
	} else {
		i_size_write(inode, size);
	}
	pcomp_fs_remember(fi, attr);
out:
	spin_unlock(&fi->lock);
}

/**
 * pcomp_fs_apply_own() - attributes after a change of our own
 * @inode: the file
 * @attr: as the reply to the change says
 * @before: and what the file was before; pcomp_fs_inode.change was held since
 *
 * Not a reason to drop the page cache, unless others changed the file since
 * we last heard of it: after this nothing else would tell (nfs's weak cache
 * consistency). And the size is what we know.
 */
void pcomp_fs_apply_own(struct inode *inode, const struct scomp_attr *attr,
			const struct scomp_before *before)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	spin_lock(&fi->lock);
	fi->gen = atomic64_inc_return(&PCOMP_FS(inode->i_sb)->gen);
	if (S_ISREG(inode->i_mode) && !pcomp_fs_was(fi, before))
		set_bit(PCOMP_FS_STALE_DATA, &fi->flags);
	pcomp_fs_set_attr(inode, attr);
	pcomp_fs_remember(fi, attr);
	spin_unlock(&fi->lock);
}

/**
 * pcomp_fs_changed() - what is known of a file is no longer so
 * @inode: the file
 */
void pcomp_fs_changed(struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	spin_lock(&fi->lock);
	fi->gen = atomic64_inc_return(&PCOMP_FS(inode->i_sb)->gen);
	fi->checked = 0;
	spin_unlock(&fi->lock);
}

/**
 * pcomp_fs_write_failed() - the page cache has what the sComponent did not take
 * @inode: the file
 *
 * Who wrote it is told by the mapping's error. Nobody shall read it: it is
 * dropped, and the file has what and as much as it has there.
 */
void pcomp_fs_write_failed(struct inode *inode)
{
	set_bit(PCOMP_FS_STALE_DATA, &PCOMP_FS_I(inode)->flags);
	pcomp_fs_changed(inode);
}

/**
 * pcomp_fs_write_back() - get what is dirty to the sComponent
 * @inode: the file
 *
 * An error stays the mapping's, for those who have written: close(), fsync().
 * Context: process, sleeps; no folio lock held.
 * Return: 0 or an error.
 */
int pcomp_fs_write_back(struct inode *inode)
{
	int err = filemap_fdatawrite(inode->i_mapping);

	filemap_fdatawait_keep_errors(inode->i_mapping);
	return err;
}

/**
 * pcomp_fs_fresh() - are the attributes young enough to be believed?
 * @inode: the file
 */
bool pcomp_fs_fresh(const struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	unsigned long checked = READ_ONCE(fi->checked);

	return checked &&
	       time_before(jiffies, checked + READ_ONCE(fi->timeo));
}

static void pcomp_fs_rekey(struct inode *inode, const struct scomp_attr *attr)
{
	u64 ino = le64_to_cpu(attr->ino);

	/* One at a time: to be inserted twice would break the hash. */
	spin_lock(&PCOMP_FS_I(inode)->lock);
	remove_inode_hash(inode);
	inode->i_ino = ino;
	inode->i_generation = le32_to_cpu(attr->generation);
	__insert_inode_hash(inode, hash_64(ino, 32));
	spin_unlock(&PCOMP_FS_I(inode)->lock);
}

/**
 * pcomp_fs_same() - is that still the same file?
 * @inode: what we have
 * @attr: what the sComponent has under its name
 * @trust: it was that file before we changed it: the sComponent looked
 *
 * A file's number may change under it: overlayfs gives it another when it
 * copies it up, at the first change; and a directory whenever its inode was
 * not in memory. So a directory is what its name leads to; and a file is the
 * same if we changed it ourselves, or if nobody did. That our own change is out
 * is no reason to trust: others may have renamed their file to its name.
 * Return: true: it is (and has the new number, if that changed).
 */
bool pcomp_fs_same(struct inode *inode, const struct scomp_attr *attr,
		   bool trust)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	if ((inode->i_mode ^ le32_to_cpu(attr->mode)) & S_IFMT)
		return false;
	if (inode->i_ino == le64_to_cpu(attr->ino) &&
	    inode->i_generation == le32_to_cpu(attr->generation))
		return true;
	if (!S_ISDIR(inode->i_mode) && pcomp_fs_differs(fi, attr) && !trust)
		return false;
	pcomp_fs_rekey(inode, attr);
	return true;
}

/**
 * pcomp_fs_which() - which file a change is for
 * @inode: the file
 *
 * Return: for a request. A directory's number may change any time, see above.
 */
struct scomp_file pcomp_fs_which(struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct scomp_file file = {};

	if (S_ISDIR(inode->i_mode))
		return file;
	spin_lock(&fi->lock);
	file.ino = cpu_to_le64(inode->i_ino);
	file.generation = cpu_to_le32(inode->i_generation);
	spin_unlock(&fi->lock);
	return file;
}

/**
 * pcomp_fs_look() - ask for a file's attributes
 * @inode: the file
 * @name: by which name
 * @nokill: signals do not end the wait
 *
 * If pcomp_fs_inode.change is held then no change of ours is out that may have
 * given the file another number: what seems to be another file is one.
 *
 * Context: process, sleeps.
 * Return: 0, -ESTALE (another file has its name), or an error.
 */
int pcomp_fs_look(struct inode *inode, struct pcomp_fs_name name, bool nokill)
{
	struct scomp_attr attr;
	u64 gen = pcomp_fs_gen(inode->i_sb);
	int err;

	err = pcomp_fs_rpc_getattr(PCOMP_FS(inode->i_sb), PCOMP_FS_SELF, name,
				   nokill ? PCOMP_FS_NOKILL : 0, &attr);
	if (err)
		return err;
	if (!pcomp_fs_same(inode, &attr, false))
		return -ESTALE;
	pcomp_fs_apply(inode, &attr, gen);
	return 0;
}

/**
 * pcomp_fs_refresh() - have attributes that can be believed
 * @dentry: the file
 *
 * Context: process, sleeps.
 * Return: 0, -ESTALE (another file has its name), or an error.
 */
int pcomp_fs_refresh(struct dentry *dentry)
{
	if (pcomp_fs_fresh(d_inode(dentry)))
		return 0;
	return pcomp_fs_refresh_now(dentry);
}

/**
 * pcomp_fs_refresh_now() - have attributes as the sComponent has them now
 * @dentry: the file
 *
 * Context: process, sleeps.
 * Return: 0, -ESTALE (another file has its name), or an error.
 */
int pcomp_fs_refresh_now(struct dentry *dentry)
{
	struct pcomp_fs_name name = { .dentry = dentry };
	struct inode *inode = d_inode(dentry);
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	int err;

	err = pcomp_fs_look(inode, name, false);
	if (err != -ESTALE)
		return err;
	err = mutex_lock_killable(&fi->change);
	if (err)
		return err;
	err = pcomp_fs_look(inode, name, false);
	mutex_unlock(&fi->change);
	return err;
}

/* The page cache was dropped: the file is as long as the sComponent says. */
static void pcomp_fs_revalidate_size(struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	spin_lock(&fi->lock);
	if (inode->i_mapping->nrpages) /* written to or read meanwhile */
		set_bit(PCOMP_FS_STALE_DATA, &fi->flags);
	else if (!test_bit(PCOMP_FS_STALE_DATA, &fi->flags))
		i_size_write(inode, fi->size);
	spin_unlock(&fi->lock);
}

/**
 * pcomp_fs_revalidate_data() - drop the page cache if others changed the file
 * @inode: the file
 *
 * Context: process, sleeps; no folio lock held.
 * Return: 0 or an error.
 */
int pcomp_fs_revalidate_data(struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	unsigned int tries = 3;
	int err;

	while (tries-- &&
	       test_and_clear_bit(PCOMP_FS_STALE_DATA, &fi->flags)) {
		pcomp_fs_write_back(inode);
		err = invalidate_inode_pages2(inode->i_mapping);
		if (err) {
			set_bit(PCOMP_FS_STALE_DATA, &fi->flags);
			/* Written to by others here at this moment: later. */
			return err == -EBUSY ? 0 : err;
		}
		pcomp_fs_revalidate_size(inode);
	}
	return 0;
}

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
	    !(flags & AT_STATX_DONT_SYNC) && pcomp_fs_has_dirty(inode))
		pcomp_fs_write_back(inode);
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

	if (ia->ia_valid & ATTR_MODE) {
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

static struct pcomp_fs_who pcomp_fs_setattr_who(struct inode *inode,
						const struct iattr *ia)
{
	struct pcomp_fs_who who = pcomp_fs_who_for(inode);

	/* chgrp to a group of one's own needs that one */
	if ((ia->ia_valid & ATTR_GID) && in_group_p(ia->ia_gid))
		who.gid = from_kgid(&init_user_ns, ia->ia_gid);
	if (ia->ia_valid & ATTR_FILE) {
		struct pcomp_fs_file *ff = ia->ia_file->private_data;

		who = ff->who;
	}
	return who;
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
		 * A write takes set-id bits away, whoever writes. The
		 * sComponent does that itself when the write gets there.
		 */
		ia->ia_valid &= ~(ATTR_FORCE | ATTR_CTIME);
		if (!(ia->ia_valid & ~ATTR_MODE)) {
			inode->i_mode = ia->ia_mode;
			return 0;
		}
	}
	pcomp_fs_fill_setattr(&req, ia);
	if (!req.valid)
		return 0;
	/* A write that came later would undo the time, or the size. */
	if (S_ISREG(inode->i_mode) &&
	    (ia->ia_valid & (ATTR_MTIME | ATTR_SIZE)))
		pcomp_fs_write_back(inode);
	call.who = pcomp_fs_setattr_who(inode, ia);
	err = mutex_lock_killable(&fi->change);
	if (err)
		return err;
	req.file = pcomp_fs_which(inode);
	err = pcomp_fs_rpc(PCOMP_FS(inode->i_sb), &call);
	if (err == -EEXIST) {
		/* Another file, or only another number? */
		err = pcomp_fs_look(inode, call.name, false);
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
	mutex_unlock(&fi->change);
	if (err || !(ia->ia_valid & ATTR_SIZE))
		return err;
	/* Where the old end was there may be more than zeros now. */
	err = pcomp_fs_revalidate_data(inode);
	truncate_setsize(inode, ia->ia_size);
	return err;
}

static const char *pcomp_fs_get_link(struct dentry *dentry,
				     struct inode *inode,
				     struct delayed_call *done)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct scomp_path_req req = {};
	struct pcomp_fs_call call = {
		.op = SCOMP_READLINK,
		.name.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp_size = LITE_PATH_LEN,
	};
	char *link;
	int err;

	link = smp_load_acquire(&fi->link); /* pairs with the cmpxchg below */
	if (link)
		return link;
	if (!dentry)
		return ERR_PTR(-ECHILD);
	link = kmalloc(LITE_PATH_LEN + 1, GFP_KERNEL);
	if (!link)
		return ERR_PTR(-ENOMEM);
	call.rsp = link;
	err = pcomp_fs_rpc(PCOMP_FS(inode->i_sb), &call);
	if (!err && (!call.rsp_len || call.rsp_len > LITE_PATH_LEN))
		err = -EIO;
	if (err) {
		kfree(link);
		return ERR_PTR(err);
	}
	link[call.rsp_len] = '\0';
	call.rsp = krealloc(link, call.rsp_len + 1, GFP_KERNEL);
	if (call.rsp)
		link = call.rsp;
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
		.who = PCOMP_FS_SELF,
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
		.who = PCOMP_FS_SELF,
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
