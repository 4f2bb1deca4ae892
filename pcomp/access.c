// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a vNode's process that the kernel reads or writes for somebody else:
 * debuggers and /proc.
 */
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

	/* as a fault: it may be on its way here from another address */
	if (pcomp_change_fault(s, addr >> PAGE_SHIFT))
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
