// SPDX-License-Identifier: GPL-2.0
/*
 * Write-back that programs wait for: a worker does it, whoever wants it. So a
 * program that is killed need not wait for a sComponent that is away, and what it
 * and others have written to the file is not lost by that: the worker goes on
 * until the sComponent has it.
 */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/path.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "fs_priv.h"

#define PCOMP_FS_LATE_MAX (30 * HZ)

/**
 * struct pcomp_fs_late - write-back that a program waits for, till it is killed
 * @work: does it
 * @done: it is over
 * @ref: of the worker and the program
 * @inode: the file; it, its mount and its name are kept by
 * @file: an open file, or
 * @path: a path, and
 * @ff: what is left of an open file, unless NULL
 * @start: first byte
 * @end: last byte
 * @err: the result
 */
struct pcomp_fs_late {
	struct work_struct work;
	struct completion done;
	refcount_t ref;
	struct inode *inode;
	struct file *file;
	struct path path;
	struct pcomp_fs_file *ff;
	loff_t start;
	loff_t end;
	int err;
};

static void pcomp_fs_late_put(struct pcomp_fs_late *late)
{
	if (refcount_dec_and_test(&late->ref))
		kfree(late);
}

static void pcomp_fs_late_work(struct work_struct *work)
{
	struct pcomp_fs_late *late =
		container_of(work, struct pcomp_fs_late, work);
	struct address_space *mapping = late->inode->i_mapping;
	const struct cred *cred;

	late->err = filemap_fdatawrite_range(mapping, late->start, late->end);
	filemap_fdatawait_range_keep_errors(mapping, late->start, late->end);
	/*
	 * The last reference to the mount is not dropped here, where the end of
	 * the superblock would wait for this work, but later: a kernel thread's
	 * fput() and mntput() are delayed.
	 */
	if (late->ff) {
		cred = late->ff->cred;
		pcomp_fs_drop_file(late->inode, late->ff);
		put_cred(cred);
	}
	if (late->file)
		fput(late->file);
	else
		path_put(&late->path);
	complete(&late->done);
	pcomp_fs_late_put(late);
}

static struct pcomp_fs_late *pcomp_fs_late_start(struct inode *inode,
						 struct file *file,
						 const struct path *path,
						 struct pcomp_fs_file *ff,
						 loff_t start, loff_t end)
{
	struct pcomp_fs_late *late;

	/* Few bytes; without them what is dirty might not be written at all. */
	late = kzalloc(sizeof(*late), GFP_NOFS | __GFP_NOFAIL);
	late->inode = inode;
	if (file)
		late->file = get_file(file);
	else
		late->path = *path;
	late->ff = ff;
	late->start = start;
	late->end = end;
	INIT_WORK(&late->work, pcomp_fs_late_work);
	init_completion(&late->done);
	refcount_set(&late->ref, 2);
	queue_work(PCOMP_FS(inode->i_sb)->wq, &late->work);
	return late;
}

/*
 * A program that has ended, or was killed, waits for its last writes for a while,
 * as others may wait for it; but not for each of its files, if the sComponent is
 * known to be away. Nor does the kernel's own thread that closes files, for all
 * file systems, one after the other.
 */
static int pcomp_fs_late_wait_last(struct pcomp_fs *fs,
				   struct pcomp_fs_late *late)
{
	unsigned long timeout = min_t(unsigned long, fs->retry_s * HZ,
				      PCOMP_FS_LATE_MAX);
	int err = -EINTR;

	if (!(current->flags & (PF_EXITING | PF_KTHREAD)) &&
	    !wait_for_completion_killable(&late->done)) {
		err = late->err;
	} else if (current->flags & PF_KTHREAD || READ_ONCE(fs->gone)) {
		/* It goes on alone. */
	} else if (wait_for_completion_timeout(&late->done, timeout)) {
		err = late->err;
	} else if (!fs->soft) {
		WRITE_ONCE(fs->gone, true);
	}
	pcomp_fs_late_put(late);
	return err;
}

/**
 * pcomp_fs_close_write_back() - write-back before a file is closed
 * @file: the file
 *
 * Context: process, sleeps; bounded for programs that have ended.
 * Return: 0, an error, or -EINTR: a worker goes on with it.
 */
int pcomp_fs_close_write_back(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!pcomp_fs_has_dirty(inode))
		return 0;
	return pcomp_fs_late_wait_last(PCOMP_FS(inode->i_sb),
				       pcomp_fs_late_start(inode, file, NULL,
							   NULL, 0, LLONG_MAX));
}

/**
 * pcomp_fs_last_write_back() - write-back of a file that is closed
 * @file: the file
 *
 * What pcomp_fs_open() made is freed after it, since the write-back needs the
 * file's name.
 * Context: as pcomp_fs_close_write_back().
 */
void pcomp_fs_last_write_back(struct file *file)
{
	struct pcomp_fs_file *ff = file->private_data;
	struct inode *inode = file_inode(file);

	path_get(&file->f_path);
	get_cred(ff->cred);
	pcomp_fs_late_wait_last(PCOMP_FS(inode->i_sb),
				pcomp_fs_late_start(inode, NULL, &file->f_path,
						    ff, 0, LLONG_MAX));
}

/* A path by which somebody has the file open. */
static bool pcomp_fs_open_path(struct inode *inode, struct path *path)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct pcomp_fs_file *ff;

	spin_lock(&fi->lock);
	ff = list_first_entry_or_null(&fi->files, struct pcomp_fs_file, list);
	if (ff) {
		path->mnt = ff->mnt;
		path->dentry = ff->dentry;
		path_get(path);
	}
	spin_unlock(&fi->lock);
	return ff;
}

/**
 * pcomp_fs_write_back_range() - get what is dirty to the sComponent
 * @inode: the file
 * @start: first byte
 * @end: last byte
 * @wait: until it is there; else it is begun
 *
 * An error stays the mapping's, for those who have written: close(), fsync().
 * Context: process, sleeps, killable; no folio lock held.
 * Return: 0 or an error; -EINTR: a worker goes on with it.
 */
int pcomp_fs_write_back_range(struct inode *inode, loff_t start, loff_t end,
			      bool wait)
{
	struct pcomp_fs_late *late;
	struct path path;
	int err = 0;

	/* What is dirty is of somebody who has it open: see the last of them. */
	if (!pcomp_fs_has_dirty(inode) || !pcomp_fs_open_path(inode, &path))
		return 0;
	late = pcomp_fs_late_start(inode, NULL, &path, NULL, start, end);
	if (wait)
		err = wait_for_completion_killable(&late->done) ? -EINTR :
								  late->err;
	pcomp_fs_late_put(late);
	return err;
}

/**
 * pcomp_fs_write_back() - get all that is dirty to the sComponent
 * @inode: the file
 *
 * Context, return: as pcomp_fs_write_back_range().
 */
int pcomp_fs_write_back(struct inode *inode)
{
	return pcomp_fs_write_back_range(inode, 0, LLONG_MAX, true);
}
