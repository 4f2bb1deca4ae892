// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of files: attributes are news from the sComponent, believed for
 * a while, and dropped when something was done here since they were asked for
 * (nfs's attr_gencount). The page cache is dropped when they say that others
 * have changed the file.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/stat.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include "fs_priv.h"

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

/**
 * pcomp_fs_set_attr() - make a file what its attributes say, but for its size
 * @inode: the file; its pcomp_fs_inode.lock is held, or it is new
 * @attr: its attributes
 */
void pcomp_fs_set_attr(struct inode *inode, const struct scomp_attr *attr)
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

/**
 * pcomp_fs_differs() - has somebody changed a file since we last heard of it?
 * @fi: what is remembered of it
 * @attr: its attributes now
 */
bool pcomp_fs_differs(const struct pcomp_fs_inode *fi,
		      const struct scomp_attr *attr)
{
	struct scomp_before now = pcomp_fs_as_before(attr);

	return !pcomp_fs_was(fi, &now);
}

/**
 * pcomp_fs_remember() - for pcomp_fs_differs()
 * @fi: the file; its lock is held, or it is new
 * @attr: its attributes
 */
void pcomp_fs_remember(struct pcomp_fs_inode *fi, const struct scomp_attr *attr)
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
 *
 * If pcomp_fs_inode.change is held then no change of ours is out that may have
 * given the file another number: what seems to be another file is one.
 *
 * Context: process, sleeps.
 * Return: 0, -ESTALE (it has not got its name any more), or an error.
 */
int pcomp_fs_look(struct inode *inode, struct pcomp_fs_name name)
{
	struct scomp_attr attr;
	u64 gen = pcomp_fs_gen(inode->i_sb);
	int err;

	err = pcomp_fs_rpc_getattr(PCOMP_FS(inode->i_sb), NULL, name, false,
				   &attr);
	if (err)
		return pcomp_fs_stale(err);
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

	err = pcomp_fs_look(inode, name);
	if (err != -ESTALE)
		return err;
	err = mutex_lock_killable(&fi->change);
	if (err)
		return err;
	err = pcomp_fs_look(inode, name);
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
		err = pcomp_fs_write_back(inode);
		if (err != -EINTR)
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
