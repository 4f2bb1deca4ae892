// SPDX-License-Identifier: GPL-2.0
/*
 * Making and unmaking mappings of ExCache. The page offset of a mapping is its
 * address, so that a line's index is its virtual page number; VMAs next to each
 * other then merge as anonymous ones do.
 *
 * All under map_lock: nobody can get an address range between its unmapping and
 * the moment its old lines are gone.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "pcomp.h"

#define KEEP_FLAGS (MAP_POPULATE | MAP_NONBLOCK | MAP_LOCKED | MAP_NORESERVE)
#define RACES 8

/* Map at an address that is free, and known not to be taken by another. */
static long map_at(struct pcomp_space *s, unsigned long a, unsigned long len,
		   unsigned long prot, unsigned long flags, struct file *file,
		   pgoff_t pgoff)
{
	pgoff_t first = a >> PAGE_SHIFT, last = first + (len >> PAGE_SHIFT) - 1;
	unsigned long r;
	int err;

	/* leftovers of VMAs that fork did not copy (MADV_DONTFORK) */
	err = pcomp_lines_discard(s, first, last);
	if (err < 0)
		return err;
	pcomp_backing_del(s, first, last);
	err = pcomp_log(s, MCOMP_VMA_MAP, a, len, prot);
	if (err)
		return err;
	if (file) {
		err = pcomp_backing_add(s, first, last, file, pgoff);
		if (err)
			goto err_log;
	}
	r = vm_mmap(s->file, a, len, prot,
		    MAP_SHARED | MAP_FIXED_NOREPLACE | (flags & KEEP_FLAGS), a);
	if (IS_ERR_VALUE(r)) {
		err = r;
		goto err_backing;
	}
	return r;

err_backing:
	pcomp_backing_del(s, first, last);
err_log:
	pcomp_log(s, MCOMP_VMA_UNMAP, a, len, 0);
	return err;
}

/**
 * pcomp_map() - map private memory
 * @s: the current process's space; map_lock held
 * @addr: where, or a hint
 * @len: bytes, not 0
 * @prot: PROT_*
 * @flags: of mmap(); with MAP_FIXED nothing may be there (pcomp_unmap())
 * @file: what untouched pages contain, or NULL
 * @pgoff: page of @file at the start
 *
 * Return: the address or a negative errno, as mmap().
 */
long pcomp_map(struct pcomp_space *s, unsigned long addr, unsigned long len,
	       unsigned long prot, unsigned long flags, struct file *file,
	       pgoff_t pgoff)
{
	unsigned long a;
	int tries;
	long r;

	lockdep_assert_held(&s->map_lock);
	len = PAGE_ALIGN(len);
	if (!len || len > TASK_SIZE)
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (offset_in_page(addr))
			return -EINVAL;
		if (addr > TASK_SIZE - len)
			return -ENOMEM;
		return map_at(s, addr, len, prot, flags, file, pgoff);
	}
	for (tries = 0; tries < RACES; tries++) {
		mmap_read_lock(current->mm);
		a = pcomp_unmapped_area(addr & PAGE_MASK, len,
					(flags & MAP_32BIT) | MAP_PRIVATE |
						MAP_ANONYMOUS);
		mmap_read_unlock(current->mm);
		if (IS_ERR_VALUE(a))
			return a;
		r = map_at(s, a, len, prot, flags, file, pgoff);
		/* shmat() and the like do not take map_lock */
		if (r != -EEXIST)
			return r;
	}
	return -ENOMEM;
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
	pgoff_t first = addr >> PAGE_SHIFT, last;
	int err;

	lockdep_assert_held(&s->map_lock);
	err = vm_munmap(addr, len);
	if (err)
		return err;
	len = PAGE_ALIGN(len);
	last = first + (len >> PAGE_SHIFT) - 1;
	/* who maps here again drops what is left over */
	if (pcomp_lines_discard(s, first, last) < 0)
		return 0;
	pcomp_backing_del(s, first, last);
	/* the pages are gone whether or not owners can be told */
	return pcomp_log(s, MCOMP_VMA_UNMAP, addr, len, 0) ? -ENOMEM : 0;
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

/* Copy a page into a line. Pages of zeroes need none. */
static int copy_in(struct pcomp_space *s, unsigned long addr, void *buf)
{
	struct pcomp_line *line;
	void *p;

	if (copy_from_user(buf, (void __user *)addr, PAGE_SIZE))
		return -EFAULT;
	if (!memchr_inv(buf, 0, PAGE_SIZE))
		return 0;
	line = pcomp_line_get(s, addr >> PAGE_SHIFT);
	if (IS_ERR(line))
		return PTR_ERR(line);
	p = kmap_local_page(line->page);
	memcpy(p, buf, PAGE_SIZE);
	kunmap_local(p);
	folio_set_dirty(page_folio(line->page));
	pcomp_line_put(line);
	return 0;
}

/**
 * pcomp_capture() - put a mapping of ExCache in the place of another
 * @s: the current process's space; map_lock held
 * @start: start of what is there
 * @end: its end
 * @low: where the new mapping shall start, at most @start
 * @prot: protection of the new mapping
 *
 * Readable contents are copied. Nobody else may use the range meanwhile.
 * Return: 0 or -errno; then part of the range may be unmapped.
 */
int pcomp_capture(struct pcomp_space *s, unsigned long start,
		  unsigned long end, unsigned long low, unsigned long prot)
{
	void *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	unsigned long a;
	long r = 0;

	if (!buf)
		return -ENOMEM;
	for (a = start; a < end && !r; a += PAGE_SIZE)
		r = copy_in(s, a, buf);
	kfree(buf);
	if (r)
		return r;
	r = vm_munmap(low, end - low);
	if (!r)
		r = pcomp_log(s, MCOMP_VMA_MAP, low, end - low, prot);
	if (r)
		return r;
	r = vm_mmap(s->file, low, end - low, prot,
		    MAP_SHARED | MAP_FIXED_NOREPLACE, low);
	return IS_ERR_VALUE(r) ? r : 0;
}
