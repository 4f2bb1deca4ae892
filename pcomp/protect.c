// SPDX-License-Identifier: GPL-2.0
/*
 * The syscall shim, mprotect(). A private mapping that can't be written is the
 * kernel's, as it has no private pages but a debugger's; made writable it
 * becomes one of ExCache.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pkeys.h>
#include <linux/ptrace.h>
#include "pcomp.h"

/* A private mapping that is not ours, in a range. */
struct foreign {
	unsigned long start;
	unsigned long end;
	unsigned long prot;
	unsigned long flags;
	int pkey;
};

static bool find_foreign(unsigned long at, unsigned long end,
			 struct foreign *f)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	VMA_ITERATOR(vmi, mm, at);
	for_each_vma_range(vmi, vma, end) {
		/* VM_IO and its like: vdso, devices */
		if (vma->vm_flags & (VM_MAYSHARE | VM_WRITE | VM_IO |
				     VM_PFNMAP | VM_MIXEDMAP | VM_DONTEXPAND))
			continue;
		if (vma->vm_file &&
		    !S_ISREG(file_inode(vma->vm_file)->i_mode))
			continue;
		f->start = max(at, vma->vm_start);
		f->end = min(end, vma->vm_end);
		f->prot = (vma->vm_flags & VM_READ ? PROT_READ : 0) |
			  (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
		f->flags = vma->vm_flags;
		f->pkey = vma_pkey(vma);
		found = true;
		break;
	}
	mmap_read_unlock(mm);
	return found;
}

/* What was said of the mapping before goes along. */
static long flags_restore(const struct foreign *f)
{
	struct pt_regs regs = { .di = f->start, .si = f->end - f->start };
	long r = 0;

	if (f->flags & VM_DONTCOPY) {
		regs.dx = MADV_DONTFORK;
		r = pcomp_orig(PCOMP_HOOK_MADVISE, &regs);
	}
	if (!r && (f->flags & VM_DONTDUMP)) {
		regs.dx = MADV_DONTDUMP;
		r = pcomp_orig(PCOMP_HOOK_MADVISE, &regs);
	}
	if (!r && f->pkey > 0) {
		regs.dx = f->prot;
		regs.r10 = f->pkey;
		r = pcomp_orig(PCOMP_HOOK_PKEY_MPROTECT, &regs);
	}
	return r;
}

/* Capture what is about to become private and writable. */
static long capture_range(struct pcomp_space *s, unsigned long at,
			  unsigned long end)
{
	struct foreign f;
	long r;

	while (at < end && find_foreign(at, end, &f)) {
		r = pcomp_capture(s, f.start, f.end, f.start, f.prot);
		if (!r)
			r = flags_restore(&f);
		if (r)
			return r;
		at = f.end;
	}
	return 0;
}

/* What mprotect() refuses before it looks at the memory. */
static bool is_refused(unsigned long prot, int pkey)
{
	return (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)) ||
	       (pkey != -1 && !mm_pkey_is_allocated(current->mm, pkey));
}

static long protect(const struct pt_regs *regs, enum pcomp_hook_id hook,
		    int pkey)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);
	unsigned long prot = regs->dx;
	struct pcomp_space *s;
	long r = 0;

	if (offset_in_page(start) || !len || start + len <= start)
		return pcomp_orig(hook, regs);
	s = pcomp_map_enter();
	if (IS_ERR(s))
		return PTR_ERR(s);
	if ((prot & PROT_WRITE) && !is_refused(prot, pkey))
		r = capture_range(s, start, start + len);
	if (!r)
		r = pcomp_orig(hook, regs);
	/* one that does not hear of it keeps the old ones, which nobody asks */
	if (!r)
		pcomp_log(s, MCOMP_VMA_PROTECT, start, len,
			  prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
	pcomp_map_leave(s);
	return r;
}

/**
 * pcomp_sys_mprotect() - mprotect(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as mprotect(2).
 */
long pcomp_sys_mprotect(const struct pt_regs *regs)
{
	return protect(regs, PCOMP_HOOK_MPROTECT, -1);
}

/**
 * pcomp_sys_pkey_mprotect() - pkey_mprotect(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as pkey_mprotect(2).
 */
long pcomp_sys_pkey_mprotect(const struct pt_regs *regs)
{
	return protect(regs, PCOMP_HOOK_PKEY_MPROTECT, regs->r10);
}
