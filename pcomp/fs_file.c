// SPDX-License-Identifier: GPL-2.0
/*
 * Open files: close-to-open consistency, as NFS has it. What one component
 * wrote before close() is what another reads after open().
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "fs_priv.h"

/*
 * What others have closed before this open() is what it shows, so it asks, as
 * young as the attributes may be; but once, where looking up the name has asked
 * in the same open().
 */
static int pcomp_fs_open_data(struct inode *inode, struct file *file)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	int err;

	if ((file->f_mode & FMODE_CREATED) ||
	    (cmpxchg(&fi->opens, current, NULL) == current &&
	     pcomp_fs_fresh(inode)))
		return pcomp_fs_revalidate_data(inode);
	err = pcomp_fs_refresh_now(file->f_path.dentry);
	return err ? err : pcomp_fs_revalidate_data(inode);
}

static int pcomp_fs_open(struct inode *inode, struct file *file)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct dentry *dentry = file->f_path.dentry;
	struct pcomp_fs_file *ff;
	int err;

	err = generic_file_open(inode, file);
	if (err)
		return err;
	err = pcomp_fs_open_data(inode, file);
	if (err)
		return err;
	ff = kzalloc(sizeof(*ff), GFP_KERNEL);
	if (!ff)
		return -ENOMEM;
	ff->mnt = file->f_path.mnt;
	ff->dentry = dentry;
	ff->cred = file->f_cred;
	ff->write = file->f_mode & FMODE_WRITE;
	spin_lock(&fi->lock);
	list_add(&ff->list, &fi->files);
	spin_unlock(&fi->lock);
	file->private_data = ff;
	return 0;
}

/**
 * pcomp_fs_drop_file() - a file is not open any more
 * @inode: its inode
 * @ff: from pcomp_fs_open(); freed
 */
void pcomp_fs_drop_file(struct inode *inode, struct pcomp_fs_file *ff)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	spin_lock(&fi->lock);
	list_del(&ff->list);
	spin_unlock(&fi->lock);
	kfree(ff);
}

static int pcomp_fs_flush(struct file *file, fl_owner_t id)
{
	int err, since;

	/* An unlinked one's, too: it may have another name. */
	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	err = pcomp_fs_close_write_back(file);
	/* Also of a write-back before; fsync() of a copy of it is told, too. */
	since = filemap_check_wb_err(file->f_mapping,
				     READ_ONCE(file->f_wb_err));
	return since ? since : err;
}

static int pcomp_fs_release(struct inode *inode, struct file *file)
{
	struct pcomp_fs_file *ff = file->private_data;

	/*
	 * What a mapping of it wrote since; while it still has a name for
	 * the write-back. An error is the mapping's to remember.
	 */
	if (ff->write && pcomp_fs_has_dirty(inode))
		pcomp_fs_last_write_back(file);
	else
		pcomp_fs_drop_file(inode, ff);
	return 0;
}

/* As file_write_and_wait_range(), which a signal cannot end. */
static int pcomp_fs_write_and_wait(struct file *file, loff_t start, loff_t end)
{
	int err = pcomp_fs_write_back_range(file_inode(file), start, end, true);
	int since;

	if (err == -EINTR)
		return err;
	since = file_check_and_advance_wb_err(file);
	return err ? err : since;
}

static int pcomp_fs_current_data(struct file *file)
{
	int err = pcomp_fs_refresh(file->f_path.dentry);

	return err ? err : pcomp_fs_revalidate_data(file_inode(file));
}

static ssize_t pcomp_fs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	int err = pcomp_fs_current_data(iocb->ki_filp);

	return err ? err : generic_file_read_iter(iocb, to);
}

/**
 * pcomp_fs_write_lock() - inode_lock() for write()
 * @inode: the file
 *
 * Who has it waits for the sComponent, maybe for long: others can be killed
 * meanwhile.
 * Return: 0, for inode_unlock(), or -EINTR.
 */
int pcomp_fs_write_lock(struct inode *inode)
{
	return down_write_killable(&inode->i_rwsem);
}

/* generic_file_write_iter(), but killable. */
static ssize_t pcomp_fs_write_cached(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t n = pcomp_fs_write_lock(inode);

	if (n)
		return n;
	n = generic_write_checks(iocb, from);
	if (n > 0)
		n = __generic_file_write_iter(iocb, from);
	inode_unlock(inode);
	return n > 0 ? generic_write_sync(iocb, n) : n;
}

static ssize_t pcomp_fs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	bool full;
	ssize_t n;
	int err;

	if (iocb->ki_flags & IOCB_APPEND)
		return pcomp_fs_append(iocb, from);
	/* Never into pages that are known to be old. */
	err = pcomp_fs_revalidate_data(file_inode(file));
	if (err)
		return err;
	full = pcomp_fs_is_full(PCOMP_FS(file_inode(file)->i_sb));
	n = pcomp_fs_write_cached(iocb, from);
	if (n <= 0 || !full)
		return n;
	err = pcomp_fs_write_and_wait(file, iocb->ki_pos - n, iocb->ki_pos - 1);
	if (!err)
		return n;
	iocb->ki_pos -= n;
	pcomp_fs_revalidate_data(file_inode(file));
	return err;
}

static ssize_t pcomp_fs_splice_read(struct file *in, loff_t *ppos,
				    struct pipe_inode_info *pipe, size_t len,
				    unsigned int flags)
{
	int err = pcomp_fs_current_data(in);

	return err ? err : filemap_splice_read(in, ppos, pipe, len, flags);
}

static int pcomp_fs_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* mmap_lock is held: no call; open() has seen to the attributes. */
	int err = pcomp_fs_revalidate_data(file_inode(file));

	return err ? err : generic_file_mmap(file, vma);
}

static loff_t pcomp_fs_llseek(struct file *file, loff_t off, int whence)
{
	int err;

	if (whence != SEEK_SET && whence != SEEK_CUR) {
		err = pcomp_fs_current_data(file);
		if (err)
			return err;
	}
	return generic_file_llseek(file, off, whence);
}

/* The sComponent's server was started again, and there was no fsync before. */
static void pcomp_fs_lost(struct inode *inode)
{
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);

	pr_warn_ratelimited("%s: the server of storage %s was started again: what was written to file %lu and not synced may be lost\n",
			    fs->vnode, fs->storage, inode->i_ino);
	mapping_set_error(inode->i_mapping, -EIO);
	/* Nor may the page cache have what the file has. */
	pcomp_fs_changed(inode);
}

/**
 * pcomp_fs_written() - the sComponent has what was written, in its memory
 * @inode: the file
 * @verifier: as SCOMP_WRITE replied
 *
 * Context: process. Takes pcomp_fs_inode.lock.
 */
void pcomp_fs_written(struct inode *inode, u32 verifier)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	bool lost;

	spin_lock(&fi->lock);
	lost = fi->verifier && fi->verifier != verifier;
	fi->verifier = verifier;
	fi->writes++;
	spin_unlock(&fi->lock);
	if (lost)
		pcomp_fs_lost(inode);
}

/* What was written before is stable, if it is in no other boot's memory. */
static int pcomp_fs_commit(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct scomp_path_req req = {};
	struct scomp_fsync_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_FSYNC,
		.name.dentry = file->f_path.dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
	};
	u32 verifier, writes;
	bool lost;
	int err;

	spin_lock(&fi->lock);
	verifier = fi->verifier;
	writes = fi->writes;
	spin_unlock(&fi->lock);
	err = pcomp_fs_stale(pcomp_fs_rpc(PCOMP_FS(inode->i_sb), &call));
	if (!err && call.rsp_len != sizeof(rsp))
		err = -EIO;
	if (err == -EIO || err == -ENOSPC || err == -EDQUOT) {
		/* It is told to one there, and all who wrote shall know. */
		mapping_set_error(inode->i_mapping, err);
		return file_check_and_advance_wb_err(file);
	}
	if (err)
		return err;
	spin_lock(&fi->lock);
	/* A write that was answered meanwhile may have told of it. */
	lost = verifier && verifier == fi->verifier &&
	       verifier != le32_to_cpu(rsp.verifier);
	/* Such a write may also be later than what is stable now. */
	if (lost || fi->writes == writes)
		fi->verifier = 0;
	spin_unlock(&fi->lock);
	if (lost)
		pcomp_fs_lost(inode);
	return file_check_and_advance_wb_err(file);
}

/**
 * pcomp_fs_fsync() - a file's or directory's changes are stable
 * @file: the file
 * @start: of the range to be written
 * @end: of it
 * @datasync: no difference here
 *
 * Return: 0 or an error, also of a write-back before; -EIO, once, if what was
 *	written was lost with its server's memory.
 */
int pcomp_fs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	int err;

	/* removed: there is nothing left that could be lost */
	if (IS_DEADDIR(file_inode(file)))
		return 0;
	err = pcomp_fs_write_and_wait(file, start, end);
	return err ? err : pcomp_fs_commit(file);
}

const struct file_operations pcomp_fs_file_ops = {
	.open = pcomp_fs_open,
	.flush = pcomp_fs_flush,
	.release = pcomp_fs_release,
	.llseek = pcomp_fs_llseek,
	.read_iter = pcomp_fs_read_iter,
	.write_iter = pcomp_fs_write_iter,
	.mmap = pcomp_fs_mmap,
	.fsync = pcomp_fs_fsync,
	.lock = pcomp_fs_lock,
	.flock = pcomp_fs_flock,
	.setlease = pcomp_fs_setlease,
	.splice_read = pcomp_fs_splice_read,
	.splice_write = iter_file_splice_write,
};

const struct inode_operations pcomp_fs_file_inode_ops = {
	.getattr = pcomp_fs_getattr,
	.setattr = pcomp_fs_setattr,
};
