// SPDX-License-Identifier: GPL-2.0
/*
 * Replacing mappings so that other threads see the old ones or the new ones and
 * nothing in between, as on Linux.
 *
 * A line is found by its address, so lines of the old mapping stand in the way
 * of the new one. The kernel replaces the VMAs in one go under mmap_lock, and
 * the lines have to follow:
 *
 *  1. pcomp_change_start(): which system call is at work (map_lock). Until here
 *     the owners have heard of the new mapping, as they refuse to store pages
 *     that they do not know to be mapped.
 *  2. The kernel asks our file for an address, with mmap_lock held for writing,
 *     so that no fault is under way: pcomp_change_area() closes the gate. If
 *     the kernel refuses now, the gate is opened and nothing has changed.
 *  3. The kernel replaces the VMAs and lets mmap_lock go. A fault in the old
 *     mapping was served from old lines before 2; one in the new mapping waits
 *     at the gate.
 *  4. Old lines are dropped and their owners told, or lines are moved (mremap).
 *     Nobody can have made a new one, so no new page is lost.
 *  5. The gate is opened. A fault finds no old line, so no old page is seen.
 *
 * Whoever waits at the gate may hold mmap_lock, so nothing in 4 takes it; it
 * waits for page locks and write-backs, whose holders do not wait at the gate.
 * A system call that is killed in 4 leaves the rest to a worker.
 *
 * Where no VMA of ours is, lines of a mapping that has gone may be left over,
 * after a fatal signal, or in a child that did not get the VMA (MADV_DONTFORK).
 * Who maps there drops them in step 4.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include "compat.h"
#include "pcomp.h"

static bool is_on(struct pcomp_change *c)
{
	/* pairs with the release in gate_open() */
	return smp_load_acquire(&c->on);
}

static bool covers(const struct pcomp_change *c, pgoff_t index)
{
	return (index >= c->first && index <= c->last) ||
	       index - c->from < c->nr;
}

/**
 * pcomp_change_fault() - a fault may have to wait for a change
 * @s: the space
 * @index: the page
 *
 * Context: process, mmap_lock held, no page lock; killable.
 * Return: 0; -EINTR; -EFAULT: the fault is one of the change's own system call,
 *	which prefaults too early.
 */
int pcomp_change_fault(struct pcomp_space *s, pgoff_t index)
{
	struct pcomp_change *c = &s->change;

	if (likely(!is_on(c)) || !covers(c, index))
		return 0;
	if (READ_ONCE(c->task) == current)
		return -EFAULT;
	return pcomp_change_wait(s);
}

/**
 * pcomp_change_wait() - wait till no change is between its VMAs and its lines
 * @s: the space; with its mmap_lock held there is no other one afterwards
 *
 * Context: process, no page lock; killable. Return: 0 or -EINTR.
 */
int pcomp_change_wait(struct pcomp_space *s)
{
	struct pcomp_change *c = &s->change;

	return wait_event_killable(c->wait, !is_on(c)) ? -EINTR : 0;
}

static void gate_open(struct pcomp_change *c)
{
	WRITE_ONCE(c->task, NULL);
	/* pairs with the acquire in is_on() */
	smp_store_release(&c->on, false);
	wake_up_all(&c->wait);
}

/**
 * pcomp_change_start() - the current task is going to replace mappings
 * @s: its space; map_lock held, no other change is under way
 * @as: what shall happen to lines
 */
void pcomp_change_start(struct pcomp_space *s, const struct pcomp_change *as)
{
	struct pcomp_change *c = &s->change;

	lockdep_assert_held(&s->map_lock);
	WARN_ON_ONCE(is_on(c));
	c->first = as->first;
	c->last = as->last;
	c->from = as->from;
	c->nr = as->nr;
	c->prot = as->prot;
	c->stay = as->stay;
	c->copy = as->copy;
	c->copy_end = as->copy_end;
	c->backing = as->backing;
	c->emptied = false;
	WRITE_ONCE(c->task, current);
}

/**
 * pcomp_change_abort() - the kernel refused
 * @s: the space; map_lock held
 *
 * The backing is given up.
 */
void pcomp_change_abort(struct pcomp_space *s)
{
	struct pcomp_change *c = &s->change;

	lockdep_assert_held(&s->map_lock);
	pcomp_backing_free(c->backing);
	gate_open(c);
}

/* Copy a private page of the mapping that goes into a line of the new one. */
static int copy_page_in(struct pcomp_space *s, unsigned long addr, bool file)
{
	struct pcomp_line *line;
	struct page *page;
	void *from, *to;
	long n;
	int err;

	n = pcomp_get_user_page(addr, FOLL_FORCE, &page);
	/* nothing is behind the end of a file */
	if (n == -EFAULT && file)
		return 0;
	if (n != 1)
		return n ? n : -EFAULT;
	err = 0;
	if (file && !PageAnon(page))
		goto out_put;
	from = kmap_local_page(page);
	if (!file && !memchr_inv(from, 0, PAGE_SIZE))
		goto out_unmap;
	line = pcomp_line_get(s, addr >> PAGE_SHIFT);
	if (IS_ERR(line)) {
		err = PTR_ERR(line);
		goto out_unmap;
	}
	to = kmap_local_page(line->page);
	memcpy(to, from, PAGE_SIZE);
	kunmap_local(to);
	folio_set_dirty(page_folio(line->page));
	pcomp_line_put(line);
out_unmap:
	kunmap_local(from);
out_put:
	put_page(page);
	return err;
}

/*
 * Nobody can store into the old mapping from here on: mmap_lock is held, and
 * only a debugger (FOLL_FORCE) could, as it is not writable, or, in exec, not
 * yet used.
 */
static int copy_in(struct pcomp_space *s, unsigned long start,
		   unsigned long end)
{
	struct vm_area_struct *vma = find_vma(current->mm, start);
	unsigned long a;
	int err = 0;

	/* without an anon_vma it never had a page of its own */
	if (!vma || vma->vm_start > start || vma->vm_end < end)
		return -EFAULT;
	if (!vma->anon_vma)
		return 0;
	for (a = start; a < end && !err; a += PAGE_SIZE) {
		err = copy_page_in(s, a, vma->vm_file);
		cond_resched();
	}
	return err;
}

/**
 * pcomp_change_area() - ->get_unmapped_area() of the file that is ExCache
 * @file: the file
 * @addr: wanted address
 * @len: bytes
 * @pgoff: page offset
 * @flags: MAP_*
 *
 * Context: process, mmap_lock held for writing. The kernel is about to make a
 * mapping for mmap() or mremap(): the last moment to refuse.
 * Return: the address or a negative errno.
 */
unsigned long pcomp_change_area(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags)
{
	struct pcomp_space *s = pcomp_space_get(current->mm);
	struct pcomp_change *c;
	int err = 0;

	if (!(flags & MAP_FIXED)) {
		/* mremap() moves: as if this were anonymous memory */
		addr = pcomp_unmapped_area(addr, len,
					   MAP_PRIVATE | MAP_ANONYMOUS);
		if (IS_ERR_VALUE(addr))
			goto out_put;
	}
	if (!s)
		return addr;
	c = &s->change;
	if (c->task != current || s->file != file)
		goto out_put;
	if (c->nr) {
		c->first = addr >> PAGE_SHIFT;
		c->last = c->first + (len >> PAGE_SHIFT) - 1;
		err = pcomp_log(s, MCOMP_VMA_MAP, addr, len, c->prot);
		/* the kernel moves PTEs, but a line's PTE is at its address */
		if (!err)
			unmap_mapping_pages(s->file->f_mapping, c->from, c->nr,
					    false);
	} else if (c->copy_end) {
		err = copy_in(s, c->copy, c->copy_end);
	}
	if (err)
		addr = err;
	else
		WRITE_ONCE(c->on, true);
out_put:
	if (s)
		pcomp_space_put(s);
	return addr;
}

/**
 * pcomp_change_moved() - mremap() has copied a VMA
 * @s: the space
 * @vma: the copy, not linked yet, with the page offset of the original
 *
 * Context: process, mmap_lock held for writing; ->open().
 */
void pcomp_change_moved(struct pcomp_space *s, struct vm_area_struct *vma)
{
	struct pcomp_change *c = &s->change;

	if (c->task == current && c->on && c->nr)
		vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
}

/*
 * The mapping has moved, and its lines have to: where this kernel has no memory
 * for it now, they wait. Return: as pcomp_line_move(), but never -ENOMEM, unless
 * the space is lost.
 */
static int line_move_surely(struct pcomp_space *s, pgoff_t from, pgoff_t to)
{
	int err;

	do {
		err = pcomp_line_move(s, from, to);
	} while (err == -ENOMEM &&
		 pcomp_again(s, err, pcomp_again_deadline(), true));
	return err == -ENOMEM && fatal_signal_pending(current) ? -EINTR : err;
}

/* Bring lines to their new addresses. Return: 0 or -EINTR, to be repeated. */
static int lines_move(struct pcomp_space *s, const struct pcomp_change *c)
{
	unsigned long i;
	void *entry;
	int err;

	xa_for_each_range(&s->pages, i, entry, c->from, c->from + c->nr - 1) {
		err = line_move_surely(s, i, i - c->from + c->first);
		if (err == -EINTR)
			return err;
		if (err && err != -ENOENT) {
			pcomp_space_kill(s, "mremap() could not move its memory (error %d)",
					 err);
			return 0;
		}
		cond_resched();
	}
	return 0;
}

/* Step 4. Return: 0 or -EINTR: killed, to be called again. */
static int apply(struct pcomp_space *s)
{
	struct pcomp_change *c = &s->change;
	int err;

	if (!c->copy_end && !c->emptied) {
		err = pcomp_lines_discard(s, c->first, c->last);
		if (err)
			return err;
		c->emptied = true;
	}
	if (c->nr) {
		err = lines_move(s, c);
		if (err)
			return err;
		pcomp_backing_move(s, c->from, c->first, c->nr,
				   c->last - c->first + 1);
		if (!c->stay)
			return pcomp_forget(s, c->from, c->from + c->nr - 1);
		pcomp_log(s, MCOMP_VMA_DISCARD, c->from << PAGE_SHIFT,
			  c->nr << PAGE_SHIFT, 0);
		return 0;
	}
	pcomp_backing_set(s, c->first, c->last, c->backing);
	c->backing = NULL;
	return 0;
}

/**
 * pcomp_change_work() - finish what a killed task began
 * @work: in the space's change
 */
void pcomp_change_work(struct work_struct *work)
{
	struct pcomp_space *s = container_of(work, struct pcomp_space,
					     change.work);

	/* kernel threads are not killed */
	apply(s);
	gate_open(&s->change);
	pcomp_space_put(s);
}

/**
 * pcomp_change_finish() - the kernel has replaced the VMAs
 * @s: the space; map_lock held
 *
 * Context: process, mmap_lock not held; killable.
 * Return: 0; -EINTR: a worker goes on, to which alone the change and s->files
 *	belong now, though the caller has map_lock.
 */
int pcomp_change_finish(struct pcomp_space *s)
{
	struct pcomp_change *c = &s->change;

	lockdep_assert_held(&s->map_lock);
	if (!apply(s)) {
		gate_open(c);
		return 0;
	}
	WRITE_ONCE(c->task, NULL);
	refcount_inc(&s->refs);
	queue_work(s->pc->wq, &c->work);
	return -EINTR;
}
