// SPDX-License-Identifier: GPL-2.0
/*
 * Between the page cache and the sComponent.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/writeback.h>
#include "fs_priv.h"

/* The rights to read with: the file's, where there is one. */
static void pcomp_fs_by_file(struct pcomp_fs_call *call, struct inode *inode,
			     struct file *file)
{
	struct pcomp_fs_file *ff;

	if (!file) {
		call->cred = NULL;
		call->name.inode = inode;
		return;
	}
	ff = file->private_data;
	call->cred = ff->cred;
	call->name.dentry = ff->dentry;
}

/* One call; sets *@end if what came ends where the file does. */
static ssize_t pcomp_fs_read_some(struct inode *inode, struct file *file,
				  loff_t pos, size_t len, u64 off, bool once,
				  bool *end)
{
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct scomp_io_req req = {
		.offset = cpu_to_le64(pos),
		.count = cpu_to_le32(len),
	};
	struct lite_sge sge = {
		.mr = fs->read_pool->mr,
		.off = off,
		.len = len,
	};
	struct scomp_io_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_READ,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.out = &sge,
		.once = once,
	};
	u64 gen = pcomp_fs_gen(inode->i_sb);
	int err;

	pcomp_fs_by_file(&call, inode, file);
	err = pcomp_fs_rpc(fs, &call);
	if (err)
		return pcomp_fs_stale(err);
	if (call.rsp_len != sizeof(rsp) || le32_to_cpu(rsp.count) > len)
		return -EIO;
	if (!pcomp_fs_same(inode, &rsp.attr, false))
		return -ESTALE;
	pcomp_fs_apply(inode, &rsp.attr, gen);
	*end = pos + le32_to_cpu(rsp.count) >= le64_to_cpu(rsp.attr.size);
	return le32_to_cpu(rsp.count);
}

/*
 * Reads into @buf. What is short before the file's end is no end: it may be an
 * error in the middle, of which the sComponent tells who asks for the rest. Nor
 * is it one where the file has grown meanwhile. Return: bytes, less than @len at
 * the file's end only.
 */
static ssize_t pcomp_fs_read(struct inode *inode, struct file *file, loff_t pos,
			     size_t len, struct pcomp_fs_buf *buf, bool once)
{
	unsigned int empty = 0;
	size_t done = 0;
	bool end = false;
	ssize_t n;

	while (done < len && !end) {
		n = pcomp_fs_read_some(inode, file, pos + done, len - done,
				       buf->off + done, once, &end);
		if (n < 0)
			return n;
		if (!n && !end && ++empty > 3)
			return -EIO;
		done += n;
	}
	return done;
}

/* Fills a folio from @va, where @have bytes are; the rest is a hole. */
static void pcomp_fs_fill(struct folio *folio, const void *va, size_t have)
{
	size_t n = min(have, folio_size(folio));
	void *to = kmap_local_folio(folio, 0);

	memcpy(to, va, n);
	memset(to + n, 0, folio_size(folio) - n);
	kunmap_local(to);
	flush_dcache_folio(folio);
	folio_mark_uptodate(folio);
}

static int pcomp_fs_fetch(struct inode *inode, struct file *file,
			  struct folio *folio)
{
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct pcomp_fs_buf *buf = pcomp_fs_buf_get(fs->read_pool);
	struct pcomp_fs_call by = {};
	ssize_t n;

	if (!buf)
		return -EINTR;
	n = pcomp_fs_read(inode, file, folio_pos(folio), folio_size(folio),
			  buf, false);
	if (n == -ESTALE) {
		/* Another file, or a number that we changed by a write? */
		pcomp_fs_by_file(&by, inode, file);
		n = mutex_lock_killable(&PCOMP_FS_I(inode)->change);
		if (n)
			goto out_put;
		n = pcomp_fs_look(inode, by.name);
		if (!n)
			n = pcomp_fs_read(inode, file, folio_pos(folio),
					  folio_size(folio), buf, false);
		mutex_unlock(&PCOMP_FS_I(inode)->change);
	}
	if (n >= 0)
		pcomp_fs_fill(folio, buf->va, n);
out_put:
	pcomp_fs_buf_put(fs->read_pool, buf);
	return n < 0 ? n : 0;
}

static int pcomp_fs_read_folio(struct file *file, struct folio *folio)
{
	struct inode *inode = folio->mapping->host;
	int err = pcomp_fs_fetch(inode, file, folio);

	/* read() has looked before and says so; a mapping's page is SIGBUS. */
	if (err == -ESTALE && file)
		pr_warn_ratelimited("%s: file %pD4 of %s (%d) was replaced or removed by another mount or at storage %s while it was in use: what is not cached of it can not be read (SIGBUS)\n",
				    PCOMP_FS(inode->i_sb)->vnode, file,
				    current->comm, task_tgid_nr(current),
				    PCOMP_FS(inode->i_sb)->storage);
	folio_unlock(folio);
	return err;
}

static void pcomp_fs_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct pcomp_fs_buf *buf = pcomp_fs_buf_get(fs->read_pool);
	loff_t pos = readahead_pos(rac);
	size_t left = readahead_length(rac);
	struct folio *folio;
	size_t len, off, size;
	ssize_t n;

	if (!buf)
		return;
	/* What is left on an error is read again, one by one, and fails. */
	for (; left; left -= len, pos += len) {
		len = min_t(size_t, left, SCOMP_IO_MAX);
		n = pcomp_fs_read(inode, rac->file, pos, len, buf,
				  true);
		if (n < 0)
			break;
		for (off = 0; off < len; off += size) {
			folio = readahead_folio(rac);
			if (!folio)
				break;
			size = folio_size(folio);
			pcomp_fs_fill(folio, buf->va + off,
				      n > off ? n - off : 0);
			folio_unlock(folio);
		}
	}
	pcomp_fs_buf_put(fs->read_pool, buf);
}

static int pcomp_fs_write_begin(struct file *file,
				struct address_space *mapping, loff_t pos,
				unsigned int len, PCOMP_WRITE_PAGE **pagep,
				void **fsdata)
{
	struct inode *inode = mapping->host;
	struct folio *folio;
	loff_t size;
	int err;

	folio = __filemap_get_folio(mapping, pos >> PAGE_SHIFT,
				    FGP_WRITEBEGIN, mapping_gfp_mask(mapping));
	if (IS_ERR_OR_NULL(folio))
		return folio ? PTR_ERR(folio) : -ENOMEM;
	/* Either the folio keeps it from growing, or that is seen here. */
	spin_lock(&PCOMP_FS_I(inode)->lock);
	size = i_size_read(inode);
	spin_unlock(&PCOMP_FS_I(inode)->lock);
	if (!folio_test_uptodate(folio) && len != folio_size(folio)) {
		if (folio_pos(folio) >= size ||
		    (pos == folio_pos(folio) && pos + len >= size)) {
			/* nothing there but what is written now */
			folio_zero_range(folio, 0, folio_size(folio));
		} else {
			err = pcomp_fs_fetch(inode, file, folio);
			if (err) {
				folio_unlock(folio);
				folio_put(folio);
				return err;
			}
		}
	}
	*pagep = pcomp_folio_write(folio);
	return 0;
}

static int pcomp_fs_write_end(struct file *file, struct address_space *mapping,
			      loff_t pos, unsigned int len, unsigned int copied,
			      PCOMP_WRITE_PAGE *page, void *fsdata)
{
	struct folio *folio = pcomp_write_folio(page);
	struct inode *inode = mapping->host;
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	if (!folio_test_uptodate(folio)) {
		if (copied < len) {
			/*
			 * The rest was to be written over, so it was not
			 * read: once more, with what there is to write.
			 */
			copied = 0;
			goto out;
		}
		folio_mark_uptodate(folio);
	}
	folio_mark_dirty(folio);
	/* Dirty first, then the size: see pcomp_fs_apply(). */
	if (pos + copied > i_size_read(inode)) {
		spin_lock(&fi->lock);
		fi->gen = atomic64_inc_return(&PCOMP_FS(inode->i_sb)->gen);
		i_size_write(inode, pos + copied);
		spin_unlock(&fi->lock);
	}
out:
	folio_unlock(folio);
	folio_put(folio);
	return copied;
}

/**
 * struct pcomp_fs_wb - a run of folios on its way
 * @inode: the file
 * @cred: of somebody who has it open for writing, referenced, or NULL
 * @buf: where they are copied to
 * @len: bytes in @buf
 * @nr: folios
 * @folio: under writeback, referenced
 * @err: the first error
 */
struct pcomp_fs_wb {
	struct inode *inode;
	const struct cred *cred;
	struct pcomp_fs_buf *buf;
	size_t len;
	unsigned int nr;
	struct folio *folio[PCOMP_FS_PAGES];
	int err;
};

static ssize_t pcomp_fs_write(struct pcomp_fs_wb *wb, loff_t pos, size_t off,
			      size_t len)
{
	struct inode *inode = wb->inode;
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct scomp_io_req req = {
		.offset = cpu_to_le64(pos),
	};
	struct lite_sge sge = {
		.mr = fs->write_pool->mr,
		.off = wb->buf->off + off,
	};
	struct scomp_io_rsp rsp;
	loff_t size;
	struct pcomp_fs_call call = {
		.op = SCOMP_WRITE,
		.cred = wb->cred,
		.name.inode = inode,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.in = &sge,
	};
	int err;

	/* A kernel thread's, see pcomp_fs_writepages(): it gets no signal. */
	err = mutex_lock_killable(&PCOMP_FS_I(inode)->change);
	if (err)
		return err;
	/* It was copied, and then the file was cut: not to be so long again. */
	size = i_size_read(inode);
	if (pos >= size) {
		mutex_unlock(&PCOMP_FS_I(inode)->change);
		return len;
	}
	len = min_t(loff_t, len, size - pos);
	sge.len = len;
	req.count = cpu_to_le32(len);
	req.file = pcomp_fs_which(inode);
	err = pcomp_fs_rpc(fs, &call);
	if (err == -EEXIST) {
		/* Another file, or only another number? */
		err = pcomp_fs_look(inode, call.name);
		req.file = pcomp_fs_which(inode);
		if (!err)
			err = pcomp_fs_rpc(fs, &call);
		if (err == -EEXIST)
			err = -ESTALE;
	}
	if (!err && (call.rsp_len != sizeof(rsp) || !rsp.count ||
		     le32_to_cpu(rsp.count) > len))
		err = -EIO;
	if (!err && !pcomp_fs_same(inode, &rsp.attr, true))
		err = -ESTALE;
	if (!err)
		pcomp_fs_apply_own(inode, &rsp.attr, &rsp.before);
	mutex_unlock(&PCOMP_FS_I(inode)->change);
	if (err)
		return pcomp_fs_stale(err);
	pcomp_fs_written(inode, le32_to_cpu(rsp.verifier));
	return le32_to_cpu(rsp.count);
}

/* Who has written may have ended, or not ask. */
static void pcomp_fs_tell_lost(struct inode *inode, int err)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	struct pcomp_fs_file *ff;

	/* No reference to a dentry: see struct pcomp_fs_name. */
	spin_lock(&fi->lock);
	ff = list_first_entry_or_null(&fi->files, struct pcomp_fs_file, list);
	if (ff)
		pr_warn_ratelimited("%s: what was written to file %pd4 is lost: storage %s did not take it (error %d)\n",
				    fs->vnode, ff->dentry, fs->storage, err);
	spin_unlock(&fi->lock);
}

static void pcomp_fs_wb_flush(struct pcomp_fs_wb *wb)
{
	loff_t pos;
	size_t done = 0;
	unsigned int i;
	ssize_t n = 0;

	if (!wb->nr)
		return;
	pos = folio_pos(wb->folio[0]);
	while (done < wb->len) {
		n = pcomp_fs_write(wb, pos + done, done, wb->len - done);
		if (n < 0)
			break;
		done += n;
	}
	if (n < 0) {
		pcomp_fs_tell_lost(wb->inode, n);
		mapping_set_error(wb->inode->i_mapping, n);
		pcomp_fs_write_failed(wb->inode);
		if (!wb->err)
			wb->err = n;
	}
	for (i = 0; i < wb->nr; i++) {
		folio_end_writeback(wb->folio[i]);
		folio_put(wb->folio[i]);
	}
	wb->nr = 0;
	wb->len = 0;
}

/*
 * write_cache_pages() has locked it and taken its dirt: copy and let go. Not with
 * the lock while others are on their way: a program that wants to write to it
 * would wait for the sComponent, and could not be killed. What somebody writes
 * after that makes it dirty again.
 */
static int pcomp_fs_wb_add(PCOMP_WB_PAGE *page, struct writeback_control *wbc,
			   void *data)
{
	struct folio *folio = pcomp_wb_folio(page);
	struct pcomp_fs_wb *wb = data;
	loff_t size = i_size_read(wb->inode);
	size_t len = folio_size(folio);
	void *from;

	if (folio_pos(folio) >= size) {
		folio_unlock(folio); /* truncated meanwhile */
		return 0;
	}
	if (size - folio_pos(folio) < len) {
		len = size - folio_pos(folio);
		/* mmap may have written there; nobody shall ever see it */
		folio_zero_segment(folio, len, folio_size(folio));
	}
	folio_get(folio);
	folio_start_writeback(folio);
	folio_unlock(folio);
	if (wb->nr &&
	    (wb->nr == PCOMP_FS_PAGES || wb->len % PAGE_SIZE ||
	     folio_pos(folio) != folio_pos(wb->folio[0]) + wb->len))
		pcomp_fs_wb_flush(wb);
	from = kmap_local_folio(folio, 0);
	memcpy(wb->buf->va + wb->len, from, len);
	kunmap_local(from);
	wb->folio[wb->nr++] = folio;
	wb->len += len;
	return 0;
}

static const struct cred *pcomp_fs_writer(struct inode *inode)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	const struct cred *cred = NULL;
	struct pcomp_fs_file *ff;

	spin_lock(&fi->lock);
	list_for_each_entry(ff, &fi->files, list) {
		if (!ff->write)
			continue;
		cred = get_cred(ff->cred);
		break;
	}
	spin_unlock(&fi->lock);
	return cred;
}

static int pcomp_fs_writepages(struct address_space *mapping,
			       struct writeback_control *wbc)
{
	struct inode *inode = mapping->host;
	struct pcomp_fs *fs = PCOMP_FS(inode->i_sb);
	bool wait = wbc->sync_mode == WB_SYNC_ALL;
	struct pcomp_fs_wb *wb;
	int err;

	/* fadvise(), sync_file_range(): a program may be killed, data may not */
	if (!(current->flags & PF_KTHREAD))
		return pcomp_fs_write_back_range(inode, wbc->range_start,
						 wbc->range_end, wait);
	wb = kzalloc(sizeof(*wb), GFP_NOFS);
	if (!wb)
		return -ENOMEM;
	wb->inode = inode;
	wb->cred = pcomp_fs_writer(inode);
	/*
	 * Before any folio lock: whoever has a buffer and waits for a lock
	 * must not wait for somebody who wants a buffer.
	 */
	err = -EINTR;
	wb->buf = pcomp_fs_buf_get(fs->write_pool);
	if (!wb->buf)
		goto out_put;
	err = write_cache_pages(mapping, wbc, pcomp_fs_wb_add, wb);
	pcomp_fs_wb_flush(wb);
	pcomp_fs_buf_put(fs->write_pool, wb->buf);
	if (wb->err)
		err = wb->err;
out_put:
	if (wb->cred)
		put_cred(wb->cred);
	kfree(wb);
	return err;
}

const struct address_space_operations pcomp_fs_aops = {
	.read_folio = pcomp_fs_read_folio,
	.readahead = pcomp_fs_readahead,
	.write_begin = pcomp_fs_write_begin,
	.write_end = pcomp_fs_write_end,
	.writepages = pcomp_fs_writepages,
	.dirty_folio = filemap_dirty_folio,
	.migrate_folio = filemap_migrate_folio,
};
