// SPDX-License-Identifier: GPL-2.0
/*
 * Directory listings: fetched whole when reading starts, so that positions
 * stay what they are while the reader removes what it has read.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "fs_priv.h"

/* A position: 2, then the piece in the high bits, and where in it, by 8. */
#define PCOMP_FS_PIECE_SHIFT ilog2(SCOMP_IO_MAX / 8)
#define PCOMP_FS_PIECES_MAX 1024

/**
 * struct pcomp_fs_piece - as much of a listing as comes with one call
 * @data: struct scomp_dirent, one after the other
 * @len: bytes
 */
struct pcomp_fs_piece {
	void *data;
	u32 len;
};

/**
 * struct pcomp_fs_dirfile - an open directory
 * @lock: protects what follows
 * @piece: the listing
 * @nr: pieces
 * @loaded: it is there
 */
struct pcomp_fs_dirfile {
	struct mutex lock; /* see above */
	struct pcomp_fs_piece *piece;
	unsigned int nr;
	bool loaded;
};

static int pcomp_fs_dir_open(struct inode *inode, struct file *file)
{
	struct pcomp_fs_dirfile *df = kzalloc(sizeof(*df), GFP_KERNEL);

	if (!df)
		return -ENOMEM;
	mutex_init(&df->lock);
	file->private_data = df;
	return 0;
}

static void pcomp_fs_dir_forget(struct pcomp_fs_dirfile *df)
{
	while (df->nr)
		kvfree(df->piece[--df->nr].data);
	kvfree(df->piece);
	df->piece = NULL;
	df->loaded = false;
}

static int pcomp_fs_dir_release(struct inode *inode, struct file *file)
{
	struct pcomp_fs_dirfile *df = file->private_data;

	pcomp_fs_dir_forget(df);
	kfree(df);
	return 0;
}

/* Return: bytes of entries in @buf; moves *@cookie on, sets *@eof. */
static int pcomp_fs_dir_fetch(struct file *file, struct pcomp_fs_buf *buf,
			      __le64 *cookie, bool *eof)
{
	struct inode *inode = file_inode(file);
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct scomp_readdir_req req = {
		.cookie = *cookie,
		.count = cpu_to_le32(SCOMP_IO_MAX),
	};
	struct lite_sge sge = {
		.mr = fs->read_pool->mr,
		.off = buf->off,
		.len = SCOMP_IO_MAX,
	};
	struct scomp_readdir_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_READDIR,
		.cred = current_cred(),
		.name.dentry = file->f_path.dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.out = &sge,
	};
	int err;

	err = pcomp_fs_rpc(fs, &call);
	if (err)
		return err;
	if (call.rsp_len != sizeof(rsp) ||
	    le32_to_cpu(rsp.count) > SCOMP_IO_MAX)
		return -EIO;
	*cookie = rsp.cookie;
	*eof = rsp.eof || !rsp.count;
	return le32_to_cpu(rsp.count);
}

static int pcomp_fs_dir_load(struct file *file, struct pcomp_fs_dirfile *df)
{
	struct pcomp_fs *fs = PCOMP_FS(file_inode(file)->i_sb);
	struct pcomp_fs_buf *buf;
	__le64 cookie = 0;
	bool eof = false;
	void *data;
	int n = 0;

	pcomp_fs_dir_forget(df);
	df->piece = kvcalloc(PCOMP_FS_PIECES_MAX, sizeof(*df->piece),
			     GFP_KERNEL_ACCOUNT);
	if (!df->piece)
		return -ENOMEM;
	buf = pcomp_fs_buf_get(fs->read_pool);
	if (!buf) {
		pcomp_fs_dir_forget(df);
		return -EINTR;
	}
	while (!eof) {
		n = pcomp_fs_dir_fetch(file, buf, &cookie, &eof);
		if (n <= 0)
			break;
		if (df->nr == PCOMP_FS_PIECES_MAX) {
			n = -EOVERFLOW;
			break;
		}
		data = kvmalloc(n, GFP_KERNEL_ACCOUNT);
		if (!data) {
			n = -ENOMEM;
			break;
		}
		memcpy(data, buf->va, n);
		df->piece[df->nr].data = data;
		df->piece[df->nr++].len = n;
	}
	pcomp_fs_buf_put(fs->read_pool, buf);
	df->loaded = n >= 0;
	return min(n, 0);
}

static bool pcomp_fs_dir_skip(struct file *file, const struct scomp_dirent *de)
{
	size_t len = le16_to_cpu(de->name_len);

	return IS_ROOT(file->f_path.dentry) &&
	       len == strlen(PCOMP_FS_SILLY_DIR) &&
	       !memcmp(de->name, PCOMP_FS_SILLY_DIR, len);
}

/* Return: true: go on with the next piece. */
static bool pcomp_fs_dir_emit(struct file *file, struct dir_context *ctx,
			      unsigned int nr,
			      const struct pcomp_fs_piece *piece)
{
	loff_t base = 2 + ((loff_t)nr << PCOMP_FS_PIECE_SHIFT);
	const struct scomp_dirent *de;
	u32 off = 0, len;

	while (off + SCOMP_DIRENT_HDR <= piece->len) {
		de = piece->data + off;
		len = le16_to_cpu(de->name_len);
		if (!len || len > NAME_MAX ||
		    off + SCOMP_DIRENT_HDR + len > piece->len ||
		    memchr(de->name, '/', len))
			break; /* of no sense: an end is all it gets */
		if (base + off / 8 >= ctx->pos) {
			ctx->pos = base + off / 8;
			if (!pcomp_fs_dir_skip(file, de) &&
			    !dir_emit(ctx, de->name, len, le64_to_cpu(de->ino),
				      de->type))
				return false;
			ctx->pos++;
		}
		off += ALIGN(SCOMP_DIRENT_HDR + len, 8);
	}
	return true;
}

static int pcomp_fs_iterate(struct file *file, struct dir_context *ctx)
{
	struct pcomp_fs_dirfile *df = file->private_data;
	int err = 0;
	u64 nr;

	if (mutex_lock_killable(&df->lock))
		return -EINTR;
	if (!df->loaded || !ctx->pos)
		err = pcomp_fs_dir_load(file, df);
	mutex_unlock(&df->lock);
	if (err)
		return err;
	if (!dir_emit_dots(file, ctx))
		return 0;
	if (mutex_lock_killable(&df->lock))
		return -EINTR;
	nr = (u64)(ctx->pos - 2) >> PCOMP_FS_PIECE_SHIFT;
	for (; nr < df->nr; nr++) {
		if (!pcomp_fs_dir_emit(file, ctx, nr, &df->piece[nr]))
			break;
		ctx->pos = 2 + ((loff_t)(nr + 1) << PCOMP_FS_PIECE_SHIFT);
	}
	mutex_unlock(&df->lock);
	return 0;
}

/*
 * A position is a cookie, so none is counted from the end: a directory's size
 * says nothing about it. tmpfs and NFS refuse the same.
 */
static loff_t pcomp_fs_dir_llseek(struct file *file, loff_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	return vfs_setpos(file, off, file_inode(file)->i_sb->s_maxbytes);
}

const struct file_operations pcomp_fs_dir_ops = {
	.open = pcomp_fs_dir_open,
	.release = pcomp_fs_dir_release,
	.llseek = pcomp_fs_dir_llseek,
	.read = generic_read_dir,
	.iterate_shared = pcomp_fs_iterate,
	.fsync = pcomp_fs_fsync,
	.lock = pcomp_fs_lock,
	.flock = pcomp_fs_flock,
	.setlease = pcomp_fs_setlease,
};
