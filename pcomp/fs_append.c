// SPDX-License-Identifier: GPL-2.0
/*
 * O_APPEND: other mounts may append to the same file, and only the sComponent
 * knows where it ends, so each write() is one request there, as on a local file
 * system, and does not wait in the page cache. To find out whether other mounts
 * are there would not do: one that cannot ask us now is there all the same.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include "fs_priv.h"

/*
 * The sComponent was started again while it had the request. If the file is not
 * longer than it was known to be, then nothing was appended, or not for long.
 */
static bool pcomp_fs_not_appended(struct inode *inode,
				  struct pcomp_fs_name name, u64 size)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	bool not = !pcomp_fs_look(inode, name);

	spin_lock(&fi->lock);
	not = not && fi->size <= size;
	spin_unlock(&fi->lock);
	return not;
}

/* Return: 0 or an error; pcomp_fs_inode.change is held. */
static int pcomp_fs_append_once(struct inode *inode, struct pcomp_fs_call *call,
				struct scomp_io_req *req)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	u64 size = READ_ONCE(fi->size);
	bool looked = false;
	int err;

	lockdep_assert_held(&fi->change);
	for (;;) {
		req->file = pcomp_fs_which(inode);
		err = pcomp_fs_rpc(fs, call);
		if (err == -EIO && call->maybe &&
		    pcomp_fs_not_appended(inode, call->name, size))
			continue;
		if (err != -EEXIST)
			return err;
		/* Another file, or only another number? */
		if (looked)
			return -ESTALE;
		looked = true;
		err = pcomp_fs_look(inode, call->name);
		if (err)
			return err;
	}
}

/* Return: bytes of @buf that were appended; *@end is where the file ends then. */
static ssize_t pcomp_fs_rpc_append(struct file *file, struct pcomp_fs_buf *buf,
				   size_t len, loff_t *end)
{
	struct inode *inode = file_inode(file);
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct scomp_io_req req = {
		.count = cpu_to_le32(len),
		.flags = cpu_to_le32(SCOMP_IO_APPEND),
	};
	struct lite_sge sge = { fs->write_pool->mr, buf->off, len };
	struct scomp_io_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_WRITE,
		.cred = file->f_cred,
		.name.dentry = file->f_path.dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.in = &sge,
		.unsure = true,
	};
	u32 n;
	int err;

	err = mutex_lock_killable(&fi->change);
	if (err)
		return err;
	err = pcomp_fs_append_once(inode, &call, &req);
	n = le32_to_cpu(rsp.count);
	if (!err && (call.rsp_len != sizeof(rsp) || !n || n > len))
		err = -EIO;
	if (!err && !pcomp_fs_same(inode, &rsp.attr, true))
		err = -ESTALE;
	/*
	 * As if others had changed it: the page where it ended has zeros after
	 * that, and is dropped before the file is longer.
	 */
	if (!err)
		pcomp_fs_apply_own(inode, &rsp.attr,
				   &(struct scomp_before){});
	mutex_unlock(&fi->change);
	if (err)
		return pcomp_fs_stale(err);
	/* Not with the lock, which write-back takes. */
	pcomp_fs_revalidate_data(inode);
	*end = le64_to_cpu(rsp.attr.size);
	pcomp_fs_written(inode, le32_to_cpu(rsp.verifier));
	return n;
}

static ssize_t pcomp_fs_append_data(struct file *file, const void *data,
				    size_t len, loff_t *end)
{
	struct pcomp_fs_pool *pool = PCOMP_FS(file_inode(file)->i_sb)->write_pool;
	struct pcomp_fs_buf *buf = pcomp_fs_buf_get(pool);
	ssize_t n;

	if (!buf)
		return -EINTR;
	memcpy(buf->va, data, len);
	n = pcomp_fs_rpc_append(file, buf, len, end);
	pcomp_fs_buf_put(pool, buf);
	return n;
}

/*
 * By way of memory of its own: no program has one of the few buffers while it
 * waits for its own memory, which may be at an mComponent, or a user's to bring
 * (userfaultfd, FUSE). And a piece is whole, as one request.
 */
static ssize_t pcomp_fs_append_all(struct kiocb *iocb, struct iov_iter *from)
{
	size_t room = min_t(size_t, SCOMP_IO_MAX, iov_iter_count(from));
	size_t len, done = 0;
	ssize_t n = 0;
	void *data;

	data = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	while (iov_iter_count(from)) {
		len = copy_from_iter(data, min(room, iov_iter_count(from)),
				     from);
		n = len ? pcomp_fs_append_data(iocb->ki_filp, data, len,
					       &iocb->ki_pos) : -EFAULT;
		if (n < 0)
			break;
		done += n;
		if (n < len) /* the next write() is told why */
			break;
	}
	kvfree(data);
	return done ? done : n;
}

/**
 * pcomp_fs_append() - write() with O_APPEND that other mounts see at once
 * @iocb: of the write
 * @from: what
 *
 * Context: process, sleeps; takes the inode's lock.
 * Return: bytes or an error; -EIO also if the sComponent was started again
 *	meanwhile, and the file is longer now: by these bytes, or by others'?
 */
ssize_t pcomp_fs_append(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t n;

	n = pcomp_fs_write_lock(inode);
	if (n)
		return n;
	n = generic_write_checks(iocb, from);
	if (n <= 0)
		goto out_unlock;
	n = file_remove_privs(iocb->ki_filp);
	if (n)
		goto out_unlock;
	/* What was written here before comes before it. */
	n = pcomp_fs_write_back(inode);
	if (!n)
		n = pcomp_fs_append_all(iocb, from);
out_unlock:
	inode_unlock(inode);
	return n > 0 ? generic_write_sync(iocb, n) : n;
}
