// SPDX-License-Identifier: GPL-2.0
/*
 * The syscall shim, mremap(). The kernel's own does all that concerns VMAs:
 * what is checked, counted, split, and which flags go along. Lines follow to
 * their new addresses while faults there wait (change.c).
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include "pcomp.h"

/* Arguments of mremap(), lengths in whole pages. */
struct remap {
	unsigned long addr;
	unsigned long old_len;
	unsigned long new_len;
	unsigned long flags;
	unsigned long new_addr;
};

/* What mprotect() last said of an address. */
static unsigned long prot_at(unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned long prot = 0;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	if (vma && vma->vm_start <= addr)
		prot = (vma->vm_flags & VM_READ ? PROT_READ : 0) |
		       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
		       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
	mmap_read_unlock(current->mm);
	return prot;
}

static bool is_free(unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, start);
	mmap_read_unlock(current->mm);
	return !vma || vma->vm_start >= end;
}

/*
 * The kernel may make the mapping longer where it is, without asking us. Then
 * nothing may be left over there, the owners have heard of it, and it shows
 * more of its file. Return: 1 if that can happen, 0 or -errno.
 */
static int growth_prepare(struct pcomp_space *s, unsigned long start,
			  unsigned long end)
{
	pgoff_t first = start >> PAGE_SHIFT, last = (end >> PAGE_SHIFT) - 1;
	int err;

	if (end <= start || end > TASK_SIZE || !is_free(start, end))
		return 0;
	err = pcomp_lines_discard(s, first, last);
	if (err)
		return err;
	pcomp_backing_del(s, first, last);
	err = pcomp_log(s, MCOMP_VMA_MAP, start, end - start,
			prot_at(start - 1));
	if (!err)
		err = pcomp_backing_grow(s, first - 1, first, last);
	return err ? err : 1;
}

static long remap_ours(struct pcomp_space *s, const struct pt_regs *regs,
		       const struct remap *m)
{
	unsigned long old_end = m->addr + m->old_len;
	unsigned long new_end = m->addr + m->new_len;
	struct pcomp_change change = {
		.from = m->addr >> PAGE_SHIFT,
		.nr = min(m->old_len, m->new_len) >> PAGE_SHIFT,
		.prot = prot_at(m->addr),
		.stay = m->flags & MREMAP_DONTUNMAP,
	};
	int grows = 0;
	bool begun;
	long r;

	/* for shared memory this makes an alias, which private has none of */
	if (!m->old_len)
		return -EINVAL;
	if (m->new_len > m->old_len &&
	    !(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		grows = growth_prepare(s, old_end, new_end);
	if (grows < 0)
		return grows;
	pcomp_change_start(s, &change);
	r = pcomp_orig(PCOMP_HOOK_MREMAP, regs);
	begun = s->change.on;
	if (IS_ERR_VALUE(r) || r == m->addr)
		pcomp_change_abort(s);
	else if (pcomp_change_finish(s))
		return r; /* killed: what is left over does no harm */
	if (grows && r != m->addr)
		pcomp_forget_unmapped(s, old_end, m->new_len - m->old_len);
	if (IS_ERR_VALUE(r) && begun)
		pcomp_forget_unmapped(s, s->change.first << PAGE_SHIFT,
				      m->new_len);
	else if (IS_ERR_VALUE(r) && (m->flags & MREMAP_FIXED))
		pcomp_forget_unmapped(s, m->new_addr, m->new_len);
	if (m->new_len < m->old_len)
		pcomp_forget_unmapped(s, new_end, m->old_len - m->new_len);
	return r;
}

static long remap(struct pcomp_space *s, const struct pt_regs *regs)
{
	struct remap m = {
		.addr = regs->di,
		.old_len = PAGE_ALIGN(regs->si),
		.new_len = PAGE_ALIGN(regs->dx),
		.flags = regs->r10,
		.new_addr = regs->r8,
	};
	long r;

	if (!offset_in_page(m.addr) && m.new_len &&
	    m.old_len <= TASK_SIZE && m.new_len <= TASK_SIZE &&
	    pcomp_is_ours(current->mm, m.addr))
		return remap_ours(s, regs, &m);
	r = pcomp_orig(PCOMP_HOOK_MREMAP, regs);
	if (m.flags & MREMAP_FIXED)
		pcomp_forget_unmapped(s, m.new_addr, m.new_len);
	return r;
}

/**
 * pcomp_sys_mremap() - mremap(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as mremap(2).
 */
long pcomp_sys_mremap(const struct pt_regs *regs)
{
	struct pcomp_space *s = pcomp_map_enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = remap(s, regs);
	pcomp_map_leave(s);
	return r;
}
