// SPDX-License-Identifier: GPL-2.0
/*
 * Lines: a space's pages in frames of ExCache. What the page cache is to files
 * (mm/filemap.c), with the page lock in the same role: it is held while a page
 * is being filled, and whoever takes it must look again whether the frame still
 * holds what he came for.
 *
 * A frame has one reference of the cache's, always. A PTE has one, each user of
 * pcomp_line_get() has one, get_user_pages() has its own. A frame is given to
 * another page only when the cache's is the only one left: pinned pages stay.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/wait_bit.h>
#include "pcomp.h"

#define DISCARD_CHUNK 512 /* pages that faults may have to wait for at once */

static bool holds(const struct pcomp_line *line, const struct pcomp_space *s,
		  pgoff_t index)
{
	return line->space == s && line->index == index;
}

/*
 * Take the page lock of what was found under an index. False: it went away.
 * Frames are not given back while the space lives, so a reference may be taken
 * before looking.
 */
static int lock_found(struct pcomp_space *s, pgoff_t index,
		      struct pcomp_line *line)
{
	struct folio *folio = page_folio(line->page);

	folio_get(folio);
	if (folio_lock_killable(folio)) {
		folio_put(folio);
		return -EINTR;
	}
	if (holds(line, s, index))
		return 0;
	folio_unlock(folio);
	folio_put(folio);
	return -EAGAIN;
}

/**
 * pcomp_line_lock() - lock a line that was found in the space
 * @s: the space
 * @index: under this index
 * @line: found
 *
 * Waits for a fetch in flight, and for a write-back, so that nothing of the
 * page is on the wire.
 *
 * Context: process, may sleep; killable, which kernel threads are not.
 * Return: 0: locked and referenced (pcomp_line_put() undoes both); -EAGAIN: it
 *	went away; -EINTR.
 */
int pcomp_line_lock(struct pcomp_space *s, pgoff_t index,
		    struct pcomp_line *line)
{
	int err;

	for (;;) {
		err = lock_found(s, index, line);
		if (err || !test_bit(LINE_WB, &line->flags))
			return err;
		pcomp_line_put(line);
		if (wait_event_killable(s->pc->cache.wb_wait,
					!test_bit(LINE_WB, &line->flags)))
			return -EINTR;
	}
}

/**
 * pcomp_line_put() - unlock a line and drop its user's reference
 * @line: from pcomp_line_get() or pcomp_line_lock()
 */
void pcomp_line_put(struct pcomp_line *line)
{
	unlock_page(line->page);
	put_page(line->page);
}

/* Bind a fresh frame to (s, index). Page locked. */
static void bind(struct pcomp_line *line, struct pcomp_space *s, pgoff_t index,
		 void *entry)
{
	struct page *page = line->page;
	struct folio *folio = page_folio(page);

	folio_clear_uptodate(folio);
	folio_clear_dirty(folio);
	folio_clear_referenced(folio);
	line->flags = entry ? BIT(LINE_REMOTE) : 0;
	line->place = entry ? pcomp_entry_place(entry) : 0;
	line->index = index;
	line->space = s;
	page->index = index;
	WRITE_ONCE(page->mapping, s->file->f_mapping);
}

/* The frame holds nothing any more. Page locked, no PTE left. */
static void unbind(struct pcomp_line *line)
{
	struct folio *folio = page_folio(line->page);

	line->space = NULL;
	WRITE_ONCE(line->page->mapping, NULL);
	folio_clear_dirty(folio);
	folio_clear_uptodate(folio);
	folio_clear_referenced(folio);
}

/* Give a frame without a space back, page lock and one reference with it. */
static void release(struct pcomp *pc, struct pcomp_line *line)
{
	struct page *page = line->page;

	unlock_page(page);
	put_page(page);
	/* memory_failure() keeps its reference of a poisoned one */
	if (page_count(page) == 1 || unlikely(PageHWPoison(page))) {
		pcomp_frame_free(pc, line);
		return;
	}
	/* pinned, or a fault is just finding out: an evictor frees it later */
	set_bit(LINE_DEAD, &line->flags);
	pcomp_queue_add(pc, line);
}

/**
 * pcomp_line_drop() - a line leaves the cache
 * @line: locked and referenced, no write-back in flight; both are given up
 * @entry: what shall stand for the page: NULL or a value
 *
 * Whatever PTEs it has are removed.
 */
void pcomp_line_drop(struct pcomp_line *line, void *entry)
{
	struct pcomp_space *s = line->space;
	struct pcomp *pc = line->pc;

	if (page_mapped(line->page))
		unmap_mapping_pages(s->file->f_mapping, line->index, 1, false);
	pcomp_queue_del(pc, line);
	/*
	 * Replaces an entry: needs no memory. From here on the space may end;
	 * it is freed by RCU, which the lock inside waits for.
	 */
	xa_store(&s->pages, line->index, entry, GFP_NOWAIT);
	unbind(line);
	release(pc, line);
}

/**
 * pcomp_line_evict() - a clean line leaves the cache; its page is elsewhere
 * @line: as for pcomp_line_drop()
 */
void pcomp_line_evict(struct pcomp_line *line)
{
	pcomp_line_drop(line, test_bit(LINE_REMOTE, &line->flags) ?
				      pcomp_place_entry(line->place) : NULL);
}

/* Fill a page that no mComponent has. */
static int fill_fresh(struct pcomp_space *s, struct pcomp_line *line)
{
	int err = pcomp_backing_read(s, line->index, line->page);

	if (err != -ENOENT) {
		if (!err)
			pcomp_stat_inc(s->pc, PCOMP_STAT_FILE);
		return err;
	}
	clear_highpage(line->page);
	pcomp_stat_inc(s->pc, PCOMP_STAT_FIRST);
	return 0;
}

/* Is the page being discarded just now? xa_lock of the pages for certainty. */
static bool is_closed(const struct pcomp_space *s, pgoff_t index)
{
	return index - READ_ONCE(s->closed_first) < READ_ONCE(s->closed_nr);
}

static int wait_open(struct pcomp_space *s, pgoff_t index)
{
	return wait_var_event_killable(&s->closed_nr, !is_closed(s, index)) ?
		       -EINTR : -EAGAIN;
}

/*
 * A frame takes the place of @entry (NULL or a value). Return: 0; -EAGAIN: the
 * index holds something else by now; -EBUSY: it is closed; -ENOMEM.
 */
static int line_publish(struct pcomp_space *s, pgoff_t index, void *entry,
			struct pcomp_line *line)
{
	XA_STATE(xas, &s->pages, index);
	int err;

	do {
		err = 0;
		xas_lock(&xas);
		if (is_closed(s, index))
			err = -EBUSY;
		else if (xas_load(&xas) != entry)
			err = -EAGAIN;
		else
			xas_store(&xas, line);
		if (!err)
			err = xas_error(&xas);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_NOFS));
	return err;
}

/*
 * Put a new line under an index where @entry (NULL or a value) was found, and
 * fill it. Return: 0, locked and referenced; -EAGAIN: somebody was faster;
 * -EBUSY: the page is being discarded.
 */
static int make(struct pcomp_space *s, pgoff_t index, void *entry,
		struct pcomp_line **out)
{
	struct pcomp_line *line = pcomp_frame_alloc(s, index);
	struct page *page;
	int err;

	if (!line)
		return -EINTR;
	page = line->page;
	get_page(page);
	/* at most a fault that just found out has it for a moment */
	lock_page(page);
	bind(line, s, index, entry);
	err = line_publish(s, index, entry, line);
	if (err) {
		unbind(line);
		release(s->pc, line);
		return err;
	}
	*out = line;
	if (entry) {
		/* the completion unlocks the page */
		pcomp_fetch_start(line);
		pcomp_stat_inc(s->pc, PCOMP_STAT_MISS);
		pcomp_queue_add(s->pc, line);
		pcomp_fetch_spin(s, index, page);
		err = lock_found(s, index, line);
		put_page(page);
		return err;
	}
	err = fill_fresh(s, line);
	if (err) {
		pcomp_line_drop(line, NULL);
		return err;
	}
	SetPageUptodate(page);
	pcomp_queue_add(s->pc, line);
	return 0;
}

/*
 * A line's frame is poisoned. Return: -EAGAIN: it is had again in another one;
 * -EHWPOISON: it was written to, or somebody has it pinned; -EINTR. The lock and
 * the reference are given up.
 */
static int line_poisoned(struct pcomp_line *line)
{
	struct pcomp *pc = line->pc;
	struct page *page = line->page;

	/* dirty bits arrive with the unmapping */
	unmap_mapping_pages(line->space->file->f_mapping, line->index, 1,
			    false);
	if (test_bit(LINE_WB, &line->flags)) {
		pcomp_line_put(line);
		return wait_event_killable(pc->cache.wb_wait,
					   !test_bit(LINE_WB, &line->flags)) ?
			       -EINTR : -EAGAIN;
	}
	/* others wait for the lock; the frame is not used again */
	if (!PageDirty(page) && !folio_maybe_dma_pinned(page_folio(page))) {
		pcomp_line_evict(line);
		return -EAGAIN;
	}
	pr_err_ratelimited("%s: the memory of frame %lx has failed: what %s[%d] has written to page %lx is lost\n",
			   pc->name, page_to_pfn(page), current->comm,
			   current->tgid, line->index << PAGE_SHIFT);
	pcomp_line_put(line);
	return -EHWPOISON;
}

/**
 * pcomp_line_get() - a page of a space, in the cache
 * @s: the space
 * @index: virtual address >> PAGE_SHIFT
 *
 * Finds it, fetches it from its owner, reads it from the file that is mapped
 * there, or clears it: first touch sends no message.
 *
 * Context: process, may sleep, no page lock held; killable.
 * Return: the line, locked and referenced, for pcomp_line_put(); or ERR_PTR:
 *	-EINTR, -ENOMEM, -EFAULT (past the end of the file), -EIO (lost: the
 *	space is broken; or the file could not be read), -EHWPOISON (lost by
 *	this machine's memory).
 */
struct pcomp_line *pcomp_line_get(struct pcomp_space *s, pgoff_t index)
{
	struct pcomp_line *line;
	void *entry;
	int err;

	do {
		entry = xa_load(&s->pages, index);
		/*
		 * Evictors drop lines of a space that was broken before. Pairs
		 * with the release in pcomp_space_kill(), and in xa_store().
		 */
		smp_rmb();
		if (unlikely(READ_ONCE(s->broken)))
			return ERR_PTR(-EIO);
		if (entry && !xa_is_value(entry)) {
			line = entry;
			err = lock_found(s, index, line);
			if (!err)
				pcomp_stat_inc(s->pc, PCOMP_STAT_SOFT);
		} else {
			err = make(s, index, entry, &line);
			if (err == -EBUSY)
				err = wait_open(s, index);
		}
		if (!err && unlikely(PageHWPoison(line->page)))
			err = line_poisoned(line);
	} while (err == -EAGAIN);
	if (err)
		return ERR_PTR(err);
	if (unlikely(!PageUptodate(line->page))) {
		/* the fetch failed for good: whoever comes next tries again */
		pcomp_line_evict(line);
		return ERR_PTR(-EIO);
	}
	return line;
}

/* Drop what stands for one page. Return: 1 if its owner has it, else 0; -EINTR. */
static int page_forget(struct pcomp_space *s, pgoff_t index)
{
	struct pcomp_line *line;
	void *entry;
	int err, remote;

	for (;;) {
		entry = xa_load(&s->pages, index);
		if (!entry)
			return 0;
		if (xa_is_value(entry)) {
			/* a fault may be turning it into a line just now */
			if (xa_cmpxchg(&s->pages, index, entry, NULL,
				       GFP_NOWAIT) == entry)
				return 1;
			continue;
		}
		line = entry;
		err = pcomp_line_lock(s, index, line);
		if (err == -EAGAIN)
			continue; /* it was evicted meanwhile */
		if (err)
			return err;
		remote = test_bit(LINE_REMOTE, &line->flags);
		pcomp_line_drop(line, NULL);
		return remote;
	}
}

/*
 * The same for [first, *end), which ends earlier if a signal does. Return:
 * whether owners have any of it.
 */
static bool pages_forget(struct pcomp_space *s, pgoff_t first, pgoff_t *end)
{
	unsigned long index;
	bool remote = false;
	void *entry;
	int r;

	xa_for_each_range(&s->pages, index, entry, first, *end - 1) {
		r = page_forget(s, index);
		if (r < 0) {
			*end = index;
			break;
		}
		remote |= r;
		cond_resched();
	}
	return remote;
}

/*
 * The order that keeps one page's contents from becoming another's:
 *
 *  1. The range is closed: line_publish() makes no line in it.
 *  2. Each page is dropped once its fetch and its write-back are over. Now
 *     nobody here reads a frame of the owner's for it, or knows of one, and
 *     nothing of it is on its way there.
 *  3. The owners' logs get the discard.
 *  4. The range is open. A page that is made now is empty, and is written back
 *     only after pcomp_owner_flush() has heard from the owner that it has done
 *     what the log says: the discard can neither hit that write-back, nor
 *     another page's, which may get the frame after the owner has freed it.
 *
 * Without 1, a page that is made again, evicted and written back between 2 and
 * 3 is discarded at the owner while it is taken to be there: a fetch finds
 * nothing, or reads by its place what the frame holds for somebody else.
 *
 * A fork copies the places that are known here and then the owners' maps;
 * discard_lock keeps the steps above from coming between these.
 */
static int chunk_discard(struct pcomp_space *s, pgoff_t first, pgoff_t end)
{
	pgoff_t done = end;

	if (mutex_lock_killable(&s->discard_lock))
		return -EINTR;
	xa_lock(&s->pages);
	WRITE_ONCE(s->closed_first, first);
	WRITE_ONCE(s->closed_nr, end - first);
	xa_unlock(&s->pages);
	/*
	 * No memory for the log: the owners keep the pages till they are
	 * unmapped or written again. Nobody asks for them till then.
	 */
	if (pages_forget(s, first, &done))
		pcomp_log(s, MCOMP_VMA_DISCARD, first << PAGE_SHIFT,
			  (done - first) << PAGE_SHIFT, 0);
	xa_lock(&s->pages);
	WRITE_ONCE(s->closed_nr, 0);
	xa_unlock(&s->pages);
	smp_mb(); /* as wake_up_var() demands */
	wake_up_var(&s->closed_nr);
	mutex_unlock(&s->discard_lock);
	return done == end ? 0 : -EINTR;
}

/**
 * pcomp_lines_discard() - forget what a range holds, here and at the owners
 * @s: the space
 * @first: first index
 * @last: last index
 *
 * Waits for fetches and write-backs of these pages. Faults in the range wait
 * for it, in pieces, and then find pages that were never written.
 *
 * Context: process, may sleep; no page lock held; killable, which kernel
 *	threads are not.
 * Return: 0; -EINTR: part of it was done.
 */
int pcomp_lines_discard(struct pcomp_space *s, pgoff_t first, pgoff_t last)
{
	pgoff_t end;
	int err;

	while (xa_find(&s->pages, &first, last, XA_PRESENT)) {
		end = min(last, first | (DISCARD_CHUNK - 1)) + 1;
		err = chunk_discard(s, first, end);
		if (err || end > last)
			return err;
		first = end;
	}
	return 0;
}

/**
 * pcomp_lines_exit() - a space has ended: forget all its lines
 * @s: the space; nobody can make lines any more. Its owners are not told of
 *	pages, they will be told of the end
 *
 * Context: kernel thread, may sleep.
 */
void pcomp_lines_exit(struct pcomp_space *s)
{
	pgoff_t end = ULONG_MAX;

	pages_forget(s, 0, &end);
}

/**
 * pcomp_line_settled() - where the owner has what a line holds, for certain
 * @line: locked and referenced, no write-back in flight, no PTE left
 *
 * A clean line that nobody else refers to is as good as evicted: it stays as it
 * is, and its page at that place, till a fault finds it. So whoever keeps faults
 * out (mmap_lock held for writing) may rely on it.
 *
 * Context: process. Return: the place; 0: it is not so, or the place not known.
 */
u64 pcomp_line_settled(const struct pcomp_line *line)
{
	struct page *page = line->page;

	if (!test_bit(LINE_REMOTE, &line->flags) || page_count(page) != 2)
		return 0;
	/* who used it made it dirty before letting it go */
	smp_rmb();
	if (PageDirty(page) || !PageUptodate(page) ||
	    unlikely(PageHWPoison(page)))
		return 0;
	return line->place;
}

/**
 * pcomp_line_install() - a page that only we have enters the cache
 * @s: the space, whose processes cannot run yet; its owners are known
 * @index: the page
 * @line: from pcomp_frame_spare(), filled; is given up
 *
 * It is dirty, whatever its owner has for it, and may be written back at once.
 * Context: process, may sleep, no page lock held. Return: 0 or -ENOMEM.
 */
int pcomp_line_install(struct pcomp_space *s, pgoff_t index,
		       struct pcomp_line *line)
{
	struct page *page = line->page;
	int err;

	get_page(page);
	lock_page(page);
	bind(line, s, index, pcomp_place_entry(0));
	SetPageUptodate(page);
	folio_set_dirty(page_folio(page));
	err = line_publish(s, index, xa_load(&s->pages, index), line);
	if (err) {
		unbind(line);
		release(s->pc, line);
		return err;
	}
	pcomp_queue_add(s->pc, line);
	pcomp_line_put(line);
	return 0;
}

/**
 * pcomp_line_move() - a page gets another address (mremap)
 * @s: the space; map_lock held
 * @from: index it has
 * @to: index it gets, where nothing is; faults there wait (change.c)
 *
 * Context: process, may sleep; killable, which kernel threads are not.
 * Return: 0; -ENOENT: nothing was there; or pcomp_line_get()'s error.
 */
int pcomp_line_move(struct pcomp_space *s, pgoff_t from, pgoff_t to)
{
	struct pcomp_line *line;
	int err;

	if (!xa_load(&s->pages, from))
		return -ENOENT;
	do {
		line = pcomp_line_get(s, from);
		/* it was evicted, and its file cannot be read any more */
		if (IS_ERR(line) && !xa_load(&s->pages, from))
			return -ENOENT;
		if (IS_ERR(line))
			return PTR_ERR(line);
		if (!test_bit(LINE_WB, &line->flags))
			break;
		pcomp_line_put(line);
		if (wait_event_killable(s->pc->cache.wb_wait,
					!test_bit(LINE_WB, &line->flags)))
			return -EINTR;
	} while (1);
	if (page_mapped(line->page))
		unmap_mapping_pages(s->file->f_mapping, from, 1, false);
	err = xa_insert(&s->pages, to, line, GFP_NOFS);
	if (err) {
		WARN_ON_ONCE(err == -EBUSY);
		pcomp_line_put(line);
		return err;
	}
	xa_erase(&s->pages, from);
	line->index = to;
	line->page->index = to;
	/* its owner knows nothing of the new address */
	clear_bit(LINE_REMOTE, &line->flags);
	line->place = 0;
	folio_set_dirty(page_folio(line->page));
	pcomp_line_put(line);
	return 0;
}
