// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a vNode's process that the kernel reads or writes for somebody else:
 * debuggers, /proc, core dumps.
 */
#include <linux/coredump.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include "pcomp.h"

/* Write into a page that its process may not write; mmap_lock is held. */
static int poke_line(struct pcomp_space *s, unsigned long addr, const void *buf,
		     unsigned int len)
{
	struct pcomp_line *line;
	void *p;

	if (READ_ONCE(s->broken))
		return 0;
	line = pcomp_line_get(s, addr >> PAGE_SHIFT);
	if (IS_ERR(line))
		return 0;
	p = kmap_local_page(line->page);
	memcpy(p + offset_in_page(addr), buf, len);
	kunmap_local(p);
	folio_set_dirty(page_folio(line->page));
	pcomp_line_put(line);
	return len;
}

/*
 * A debugger's breakpoint: the kernel copies a read-only private page for it,
 * but ours is in a shared mapping to the kernel, where it refuses. What is in
 * a line is the process's alone, so it is written where it is.
 */
static int poke(struct mm_struct *mm, unsigned long addr, void *buf,
		unsigned int len, unsigned int gup_flags)
{
	struct vm_area_struct *vma;
	int n;

	if (mmap_read_lock_killable(mm))
		return 0;
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr && vma->vm_ops == &pcomp_vm_ops &&
	    !(vma->vm_flags & VM_WRITE)) {
		n = poke_line(vma->vm_private_data, addr, buf, len);
		mmap_read_unlock(mm);
		return n;
	}
	mmap_read_unlock(mm);
	return pcomp_orig_access_vm(mm, addr, buf, len, gup_flags);
}

/**
 * pcomp_access_vm() - ptrace() and /proc read or write a process's memory
 * @mm: a vNode's process's
 * @addr: where
 * @buf: the bytes
 * @len: how many
 * @gup_flags: FOLL_*
 *
 * /proc/PID/cmdline and environ read only anonymous memory (FOLL_ANON), so that
 * nobody can make them wait for a device. A process's stack in ExCache is its
 * private memory as well, and the wait for it is bounded.
 *
 * Context: any task, which holds the mm, which keeps the space and so this
 *	module.
 * Return: bytes that were read or written.
 */
int pcomp_access_vm(struct mm_struct *mm, unsigned long addr, void *buf,
		    int len, unsigned int gup_flags)
{
	const unsigned int force = FOLL_WRITE | FOLL_FORCE;
	int done = 0;

	gup_flags &= ~FOLL_ANON;
	if ((gup_flags & force) != force)
		return pcomp_orig_access_vm(mm, addr, buf, len, gup_flags);
	while (done < len) {
		int part = min_t(int, len - done,
				 PAGE_SIZE - offset_in_page(addr + done));
		int n = poke(mm, addr + done, buf + done, part, gup_flags);

		if (n > 0)
			done += n;
		if (n != part)
			break;
	}
	return done;
}

/* Pages from @index on, before @end, with or without contents. */
static pgoff_t run_end(struct pcomp_space *s, pgoff_t index, pgoff_t end,
		       bool contents)
{
	unsigned long at = index;

	if (!contents)
		return xa_find(&s->pages, &at, end - 1, XA_PRESENT) ? at : end;
	while (at < end && xa_load(&s->pages, at))
		at++;
	return at;
}

/**
 * pcomp_dump_range() - part of a mapping goes into a core dump
 * @cprm: the dump
 * @start: where
 * @len: bytes
 *
 * The kernel leaves out pages of anonymous memory that were never touched; in
 * a mapping of a file it would fault each of them in. What a privately mapped
 * file has is left to it.
 *
 * Return: 1, or 0 if the dump cannot go on.
 */
int pcomp_dump_range(struct coredump_params *cprm, unsigned long start,
		     unsigned long len)
{
	pgoff_t at = start >> PAGE_SHIFT, end = at + (len >> PAGE_SHIFT), next;
	struct pcomp_space *s = pcomp_space_get(current->mm);
	bool contents;
	int good = 1;

	if (!s)
		return 0;
	if (!pcomp_is_ours(current->mm, start) ||
	    pcomp_backing_in(s, at, end - 1)) {
		pcomp_space_put(s);
		return pcomp_orig_dump_range(cprm, start, len);
	}
	for (; at < end && good; at = next) {
		contents = xa_load(&s->pages, at);
		next = run_end(s, at, end, contents);
		if (contents)
			good = pcomp_orig_dump_range(cprm, at << PAGE_SHIFT,
						     (next - at) << PAGE_SHIFT);
		else
			dump_skip(cprm, (next - at) << PAGE_SHIFT);
		cond_resched();
	}
	pcomp_space_put(s);
	return good;
}
