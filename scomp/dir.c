// SPDX-License-Identifier: GPL-2.0
/*
 * Directory contents. A cookie is the local file system's own position, as
 * nfsd's: the server keeps nothing between two pages of a listing.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "compat.h"
#include "scomp.h"

static_assert(offsetof(struct scomp_dirent, name) == SCOMP_DIRENT_HDR);

/**
 * struct scomp_fill - state of filling a page of entries
 * @ctx: iterate_dir()'s
 * @va: the page
 * @size: its room
 * @used: of it
 * @last: the entry before, whose cookie is known when the next one comes
 * @full: an entry did not fit
 */
struct scomp_fill {
	struct dir_context ctx;
	void *va;
	u32 size;
	u32 used;
	struct scomp_dirent *last;
	bool full;
};

static bool scomp_filldir(struct dir_context *ctx, const char *name, int len,
			  loff_t pos, u64 ino, unsigned int type)
{
	struct scomp_fill *fill = container_of(ctx, struct scomp_fill, ctx);
	u32 need = ALIGN(SCOMP_DIRENT_HDR + len, 8);
	struct scomp_dirent *de = fill->va + fill->used;

	/* Where this one is, there the one before ends. */
	if (fill->last)
		fill->last->cookie = cpu_to_le64(pos);
	if ((len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return true;
	if (need > fill->size - fill->used) {
		fill->full = true;
		return false;
	}
	memset(de, 0, need);
	de->ino = cpu_to_le64(ino);
	de->name_len = cpu_to_le16(len);
	de->type = type;
	memcpy(de->name, name, len);
	fill->last = de;
	fill->used += need;
	return true;
}

static int scomp_read_entries(struct file *file, u64 cookie,
			      struct scomp_fill *fill)
{
	loff_t pos;
	int err;

	pos = vfs_llseek(file, cookie, SEEK_SET);
	if (pos < 0)
		return pos;
	/* A file system may give less than all that it has in one go. */
	do {
		pos = file->f_pos;
		err = iterate_dir(file, &fill->ctx);
		if (err)
			return err;
		if (fill->last && !fill->full)
			fill->last->cookie = cpu_to_le64(file->f_pos);
	} while (!fill->full && file->f_pos != pos);
	return 0;
}

/**
 * scomp_op_readdir() - SCOMP_READDIR
 * @op: the request
 *
 * "." and ".." are left out, the caller knows them.
 * Return: the reply's length or an error.
 */
int scomp_op_readdir(struct scomp_op *op)
{
	const struct scomp_readdir_req *req = op->msg;
	struct scomp_readdir_rsp *rsp = lite_req_rsp(op->req);
	struct scomp_fill fill = {
		.ctx.actor = scomp_filldir,
		.size = le32_to_cpu(req->count),
	};
	struct lite_sge sge;
	struct path path;
	struct file *file;
	int err;

	if (req->reserved || fill.size > SCOMP_IO_MAX ||
	    fill.size > lite_req_out_len(op->req) ||
	    fill.size < ALIGN(SCOMP_DIRENT_HDR + NAME_MAX, 8))
		return -EINVAL;
	err = scomp_lookup_trusted(op->sc, op->path, &path);
	if (err)
		return err;
	err = -ENOTDIR;
	if (!d_is_dir(path.dentry))
		goto out_put;
	err = scomp_may(op, &path, MAY_READ);
	if (err)
		goto out_put;
	file = dentry_open(&path, O_RDONLY | O_DIRECTORY | O_LARGEFILE,
			   op->sc->cred);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_put;
	}
	err = -EAGAIN;
	op->buf = scomp_buf_get(op->sc->pool);
	if (!op->buf)
		goto out_close;
	fill.va = op->buf->va;
	err = scomp_read_entries(file, le64_to_cpu(req->cookie), &fill);
	if (err)
		goto out_close;
	if (fill.used) {
		sge.mr = op->sc->pool->mr;
		sge.off = op->buf->off;
		sge.len = fill.used;
		err = lite_req_push(op->req, 0, &sge, 1);
		if (err)
			goto out_close;
	}
	rsp->cookie = fill.last ? fill.last->cookie : req->cookie;
	rsp->count = cpu_to_le32(fill.used);
	rsp->eof = cpu_to_le32(!fill.full);
out_close:
	scomp_fput(file);
out_put:
	path_put(&path);
	return err ? err : sizeof(*rsp);
}
