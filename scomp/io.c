// SPDX-License-Identifier: GPL-2.0
/*
 * File contents: between the local file system's page cache and the caller's
 * registered memory, by way of one buffer.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include "compat.h"
#include "scomp.h"

/**
 * scomp_fput() - close, at once
 * @file: the file
 *
 * fput() of a kernel thread is delayed; a reply that overtook it would show:
 * a file just written cannot be executed, a directory cannot be unmounted.
 */
void scomp_fput(struct file *file)
{
	if (current->flags & PF_KTHREAD)
		__fput_sync(file);
	else
		fput(file);
}

/* Opens what a request reads or writes; *@path is for path_put() then. */
static struct file *scomp_open_io(struct scomp_op *op, struct path *path,
				  int flags)
{
	const struct scomp_io_req *req = op->msg;
	struct file *file;
	int err;

	err = scomp_lookup_trusted(op->sc, op->path, path);
	if (err)
		return ERR_PTR(err);
	if (!d_is_reg(path->dentry)) {
		err = d_is_dir(path->dentry) ? -EISDIR : -EINVAL;
		goto err_put;
	}
	/* Before it is opened: that may give it another number (overlayfs). */
	err = scomp_check_file(op->sc, path, &req->file);
	if (err)
		goto err_put;
	err = scomp_may(op, path, flags & O_WRONLY ? MAY_WRITE : MAY_READ);
	if (err)
		goto err_put;
	/*
	 * Write-back begins where a page does, not where the file ends: what
	 * it adds cannot be told from what it overwrites. As nfsd.
	 */
	err = -EPERM;
	if ((flags & (O_WRONLY | O_APPEND)) == O_WRONLY &&
	    IS_APPEND(d_inode(path->dentry)))
		goto err_put;
	file = dentry_open(path, flags | O_LARGEFILE, op->sc->cred);
	if (!IS_ERR(file))
		return file;
	err = PTR_ERR(file);
err_put:
	path_put(path);
	return ERR_PTR(err);
}

static int scomp_check_io(const struct scomp_io_req *req, u32 room)
{
	u64 offset = le64_to_cpu(req->offset);
	u32 count = le32_to_cpu(req->count);

	if (count > SCOMP_IO_MAX || count > room ||
	    offset > MAX_LFS_FILESIZE - count)
		return -EINVAL;
	return 0;
}

static ssize_t scomp_read_all(struct file *file, void *va, u32 count, u64 off)
{
	loff_t pos = off;
	ssize_t done = 0;
	ssize_t n;

	while (done < count) {
		n = kernel_read(file, va + done, count - done, &pos);
		if (n < 0)
			return done ? done : n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static ssize_t scomp_write_all(struct file *file, const void *va, u32 count,
			       u64 off)
{
	loff_t pos = off;
	ssize_t done = 0;
	ssize_t n;

	while (done < count) {
		n = kernel_write(file, va + done, count - done, &pos);
		if (n < 0)
			return done ? done : n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

/**
 * scomp_op_read() - SCOMP_READ
 * @op: the request
 *
 * Return: the reply's length or an error.
 */
int scomp_op_read(struct scomp_op *op)
{
	const struct scomp_io_req *req = op->msg;
	struct scomp_io_rsp *rsp = lite_req_rsp(op->req);
	u32 count = le32_to_cpu(req->count);
	struct lite_sge sge;
	struct path path;
	struct file *file;
	ssize_t n;
	int err;

	err = scomp_check_io(req, lite_req_out_len(op->req));
	if (!err && req->flags)
		err = -EINVAL;
	if (err)
		return err;
	file = scomp_open_io(op, &path, O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = -EAGAIN;
	op->buf = scomp_buf_get(op->sc->pool);
	if (!op->buf)
		goto out_close;
	n = scomp_read_all(file, op->buf->va, count, le64_to_cpu(req->offset));
	if (n < 0) {
		err = n;
		goto out_close;
	}
	err = 0;
	if (n) {
		sge.mr = op->sc->pool->mr;
		sge.off = op->buf->off;
		sge.len = n;
		err = lite_req_push(op->req, 0, &sge, 1);
	}
	if (err)
		goto out_close;
	atomic64_add(n, &op->sc->read_bytes);
	rsp->count = cpu_to_le32(n);
	rsp->verifier = 0;
	rsp->before = (struct scomp_before) {};
	err = scomp_fill_attr(op->sc, &path, &rsp->attr);
out_close:
	scomp_fput(file);
	path_put(&path);
	return err ? err : sizeof(*rsp);
}

/**
 * scomp_op_write() - SCOMP_WRITE
 * @op: the request
 *
 * Return: the reply's length or an error.
 */
int scomp_op_write(struct scomp_op *op)
{
	const struct scomp_io_req *req = op->msg;
	struct scomp_io_rsp *rsp = lite_req_rsp(op->req);
	u32 count = le32_to_cpu(req->count);
	u32 flags = le32_to_cpu(req->flags);
	struct lite_sge sge;
	struct mutex *lock;
	struct path path;
	struct file *file;
	ssize_t n = 0;
	int err;

	err = scomp_check_io(req, lite_req_in_len(op->req) - op->pulled);
	if (!err && (flags & ~SCOMP_IO_APPEND || (flags && req->offset)))
		err = -EINVAL;
	if (err)
		return err;
	file = scomp_open_io(op, &path,
			     O_WRONLY | (flags ? O_APPEND : 0));
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (count) {
		err = -EAGAIN;
		op->buf = scomp_buf_get(op->sc->pool);
		if (!op->buf)
			goto out_close;
		sge.mr = op->sc->pool->mr;
		sge.off = op->buf->off;
		sge.len = count;
		err = lite_req_pull(op->req, op->pulled, &sge, 1);
		if (err)
			goto out_close;
	}
	lock = scomp_change_begin(op->sc, &path, &rsp->before);
	err = PTR_ERR_OR_ZERO(lock);
	if (err)
		goto out_close;
	if (count)
		n = scomp_write_all(file, op->buf->va, count,
				    le64_to_cpu(req->offset));
	if (n < 0) {
		err = n;
		goto out_unlock;
	}
	atomic64_add(n, &op->sc->write_bytes);
	rsp->count = cpu_to_le32(n);
	rsp->verifier = cpu_to_le32(op->sc->verifier);
	err = scomp_fill_attr(op->sc, &path, &rsp->attr);
out_unlock:
	mutex_unlock(lock);
out_close:
	scomp_fput(file);
	path_put(&path);
	return err ? err : sizeof(*rsp);
}

/**
 * scomp_op_fsync() - SCOMP_FSYNC: the file's or directory's changes are stable
 * @op: the request
 *
 * Return: the reply's length or an error.
 */
int scomp_op_fsync(struct scomp_op *op)
{
	struct scomp_fsync_rsp *rsp = lite_req_rsp(op->req);
	struct path path;
	struct file *file;
	int err;

	err = scomp_lookup_trusted(op->sc, op->path, &path);
	if (err)
		return err;
	if (!d_is_reg(path.dentry) && !d_is_dir(path.dentry)) {
		err = -EINVAL;
		goto out_put;
	}
	/* Makes no datum known: nobody's rights are needed. */
	file = dentry_open(&path, O_RDONLY | O_LARGEFILE, op->sc->cred);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_put;
	}
	err = vfs_fsync(file, 0);
	/* A file system without fsync has nothing to make stable. */
	if (err == -EINVAL)
		err = 0;
	scomp_fput(file);
	*rsp = (struct scomp_fsync_rsp) {
		.verifier = cpu_to_le32(op->sc->verifier),
	};
out_put:
	path_put(&path);
	return err ? err : sizeof(*rsp);
}
