// SPDX-License-Identifier: GPL-2.0
/*
 * Making and unmaking mappings of ExCache. The page offset of a mapping is its
 * address, so that a line's index is its virtual page number; VMAs next to each
 * other then merge as anonymous ones do.
 *
 * All under map_lock: nobody can get an address range between its unmapping and
 * the moment its old lines are gone. What happens when one mapping takes the
 * place of another is in change.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include "compat.h"
#include "pcomp.h"

/* MAP_POPULATE would fault before the old lines are gone: sysmem.c */
#define KEEP_FLAGS (MAP_LOCKED | MAP_NORESERVE)
#define RACES 8

/* Map at an address. @fixed: MAP_FIXED or MAP_FIXED_NOREPLACE */
static long map_at(struct pcomp_space *s, unsigned long a, unsigned long len,
		   unsigned long prot, unsigned long flags, struct file *file,
		   pgoff_t pgoff, unsigned long fixed)
{
	struct pcomp_change change = {
		.first = a >> PAGE_SHIFT,
		.last = ((a + len) >> PAGE_SHIFT) - 1,
	};
	unsigned long r;
	int err;

	if (file) {
		change.backing = pcomp_backing_alloc(file, change.first,
						     change.last, pgoff);
		if (!change.backing)
			return -ENOMEM;
	}
	err = pcomp_log(s, MCOMP_VMA_MAP, a, len, prot);
	if (err) {
		pcomp_backing_free(change.backing);
		return err;
	}
	pcomp_change_start(s, &change);
	r = vm_mmap(s->file, a, len, prot,
		    MAP_SHARED | fixed | (flags & KEEP_FLAGS), a);
	if (IS_ERR_VALUE(r)) {
		pcomp_change_abort(s);
		pcomp_forget_unmapped(s, a, len);
		return r;
	}
	pcomp_change_finish(s);
	return r;
}

/**
 * pcomp_map() - map private memory
 * @s: the current process's space; map_lock held
 * @addr: where, or a hint
 * @len: bytes, not 0
 * @prot: PROT_*
 * @flags: of mmap()
 * @file: what untouched pages contain, or NULL
 * @pgoff: page of @file at the start
 *
 * Return: the address or a negative errno, as mmap(); then nothing has changed,
 * as far as the kernel can undo it.
 */
long pcomp_map(struct pcomp_space *s, unsigned long addr, unsigned long len,
	       unsigned long prot, unsigned long flags, struct file *file,
	       pgoff_t pgoff)
{
	unsigned long a, fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	int tries;
	long r;

	lockdep_assert_held(&s->map_lock);
	len = PAGE_ALIGN(len);
	if (!len || len > TASK_SIZE)
		return -ENOMEM;
	if (fixed) {
		if (offset_in_page(addr))
			return -EINVAL;
		if (addr > TASK_SIZE - len)
			return -ENOMEM;
		return map_at(s, addr, len, prot, flags, file, pgoff, fixed);
	}
	for (tries = 0; tries < RACES; tries++) {
		mmap_read_lock(current->mm);
		a = pcomp_unmapped_area(addr & PAGE_MASK, len,
					(flags & MAP_32BIT) | MAP_PRIVATE |
						MAP_ANONYMOUS);
		mmap_read_unlock(current->mm);
		if (IS_ERR_VALUE(a))
			return a;
		r = map_at(s, a, len, prot, flags, file, pgoff,
			   MAP_FIXED_NOREPLACE);
		/* shmat() and the like do not take map_lock */
		if (r != -EEXIST)
			return r;
	}
	return -ENOMEM;
}

/**
 * pcomp_forget() - drop what lines and owners have of a range without mappings
 * @s: the space; map_lock held, or a change is being finished
 * @first: first index
 * @last: last index
 *
 * Context: process, may sleep; killable.
 * Return: 0; -EINTR: lines are left over, which does no harm (change.c).
 */
int pcomp_forget(struct pcomp_space *s, pgoff_t first, pgoff_t last)
{
	int err = pcomp_lines_discard(s, first, last);

	/* owners refuse pages of what they know to be unmapped */
	if (err)
		return err;
	pcomp_backing_del(s, first, last);
	/* one that can't be told keeps its pages till they are mapped again */
	pcomp_log(s, MCOMP_VMA_UNMAP, first << PAGE_SHIFT,
		  (last - first + 1) << PAGE_SHIFT, 0);
	return 0;
}

/* The first part of [*start, end) that has no mapping of ours. */
static bool next_gap(unsigned long *start, unsigned long *gap_end,
		     unsigned long end)
{
	struct mm_struct *mm = current->mm;
	unsigned long at = *start;
	struct vm_area_struct *vma;

	*gap_end = end;
	mmap_read_lock(mm);
	VMA_ITERATOR(vmi, mm, at);
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_ops != &pcomp_vm_ops)
			continue;
		if (vma->vm_start > at) {
			*gap_end = vma->vm_start;
			break;
		}
		at = vma->vm_end;
	}
	mmap_read_unlock(mm);
	*start = at;
	return at < end;
}

/**
 * pcomp_forget_unmapped() - a system call has failed and perhaps unmapped some
 * @s: the current process's space; map_lock held
 * @addr: start of the range
 * @len: bytes
 *
 * Context: process, may sleep.
 */
void pcomp_forget_unmapped(struct pcomp_space *s, unsigned long addr,
			   unsigned long len)
{
	unsigned long end = addr + PAGE_ALIGN(len), gap_end;

	lockdep_assert_held(&s->map_lock);
	if (offset_in_page(addr) || end <= addr || end > TASK_SIZE)
		return;
	while (next_gap(&addr, &gap_end, end)) {
		if (pcomp_forget(s, addr >> PAGE_SHIFT,
				 (gap_end >> PAGE_SHIFT) - 1))
			return;
		addr = gap_end;
	}
}

/**
 * pcomp_unmap() - munmap(), and forget what was there
 * @s: the current process's space; map_lock held
 * @addr: start
 * @len: bytes
 *
 * Return: 0 or a negative errno, as munmap().
 */
int pcomp_unmap(struct pcomp_space *s, unsigned long addr, unsigned long len)
{
	int err;

	lockdep_assert_held(&s->map_lock);
	err = vm_munmap(addr, len);
	if (err) {
		pcomp_forget_unmapped(s, addr, len);
		return err;
	}
	len = PAGE_ALIGN(len);
	pcomp_forget(s, addr >> PAGE_SHIFT, ((addr + len) >> PAGE_SHIFT) - 1);
	return 0;
}

/**
 * pcomp_is_ours() - is there a mapping of ExCache at an address?
 * @mm: the current mm
 * @addr: the address
 */
bool pcomp_is_ours(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	bool ours;

	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	ours = vma && vma->vm_start <= addr && vma->vm_ops == &pcomp_vm_ops;
	mmap_read_unlock(mm);
	return ours;
}

/* What is at an address: its file with a reference, its place in that, flags */
static int vma_at(unsigned long start, unsigned long end, struct file **file,
		  pgoff_t *pgoff)
{
	struct vm_area_struct *vma;
	int err = -EAGAIN;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, start);
	if (vma && vma->vm_start <= start && vma->vm_end >= end) {
		*file = vma->vm_file ? get_file(vma->vm_file) : NULL;
		*pgoff = vma->vm_pgoff +
			 ((start - vma->vm_start) >> PAGE_SHIFT);
		err = 0;
	}
	mmap_read_unlock(current->mm);
	return err;
}

static int capture(struct pcomp_space *s, unsigned long low, unsigned long end,
		   unsigned long prot, const struct pcomp_change *change)
{
	unsigned long r;
	int err;

	/* nothing of ours is mapped here, so nobody can get in the way */
	err = pcomp_lines_discard(s, change->first, change->last);
	if (err)
		return err;
	pcomp_backing_del(s, low >> PAGE_SHIFT, change->last);
	/* copies may be written back at once */
	err = pcomp_log(s, MCOMP_VMA_MAP, low, end - low, prot);
	if (err)
		return err;
	pcomp_change_start(s, change);
	r = vm_mmap(s->file, low, end - low, prot, MAP_SHARED | MAP_FIXED, low);
	if (IS_ERR_VALUE(r)) {
		pcomp_change_abort(s);
		pcomp_forget_unmapped(s, low, end - low);
		return r;
	}
	return pcomp_change_finish(s);
}

/**
 * pcomp_capture() - put a mapping of ExCache in the place of a private one
 * @s: the current process's space; map_lock held
 * @start: start of what is there, within one VMA
 * @end: its end
 * @low: where the new mapping shall start, at most @start; nothing may be
 *	between
 * @prot: protection of the new mapping
 *
 * Pages that the process has of its own are copied, others come from the file
 * as before. Other threads see the one mapping or the other, never none.
 *
 * Context: process, may sleep; killable.
 * Return: 0 or -errno, then the old mapping stays, as far as the kernel can
 *	undo it.
 */
int pcomp_capture(struct pcomp_space *s, unsigned long start,
		  unsigned long end, unsigned long low, unsigned long prot)
{
	struct pcomp_change change = {
		.first = low >> PAGE_SHIFT,
		.last = (end >> PAGE_SHIFT) - 1,
		.copy = start,
		.copy_end = end,
	};
	struct file *file;
	pgoff_t pgoff;
	int err;

	lockdep_assert_held(&s->map_lock);
	err = vma_at(start, end, &file, &pgoff);
	if (err)
		return err;
	if (file) {
		change.first = start >> PAGE_SHIFT;
		change.backing = pcomp_backing_alloc(file, change.first,
						     change.last, pgoff);
		fput(file);
		if (!change.backing)
			return -ENOMEM;
	}
	return capture(s, low, end, prot, &change);
}
