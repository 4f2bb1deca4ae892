// SPDX-License-Identifier: GPL-2.0
/*
 * The syscall shim, memory: what a vNode's process asks of its address space.
 * Each function stands in for a syscall (hook.c) and is only called for such a
 * process; what does not concern private memory goes to the original.
 *
 * What is captured: private mappings that are anonymous, whatever their
 * protection, or writable. A private mapping of a file that can't be written
 * has no private pages; it is captured when mprotect() makes it writable.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include "pcomp.h"

/**
 * pcomp_map_enter() - the current process wants to change its address space
 *
 * Context: process, may sleep; killable.
 * Return: its space for pcomp_map_leave(), map_lock held, or ERR_PTR.
 */
struct pcomp_space *pcomp_map_enter(void)
{
	struct pcomp_space *s = pcomp_space_get(current->mm);

	if (!s)
		return ERR_PTR(-EFAULT);
	for (;;) {
		if (pcomp_log_wait(s) || mutex_lock_killable(&s->map_lock))
			break;
		/* a change that a killed task left to a worker */
		if (likely(!READ_ONCE(s->change.on)))
			return s;
		mutex_unlock(&s->map_lock);
		if (pcomp_change_wait(s))
			break;
	}
	pcomp_space_put(s);
	return ERR_PTR(-EINTR);
}

/**
 * pcomp_map_leave() - the change is made
 * @s: from pcomp_map_enter()
 */
void pcomp_map_leave(struct pcomp_space *s)
{
	mutex_unlock(&s->map_lock);
	pcomp_space_put(s);
}

static bool is_dev_zero(struct file *file)
{
	return S_ISCHR(file_inode(file)->i_mode) &&
	       file_inode(file)->i_rdev == MKDEV(MEM_MAJOR, 5);
}

static bool is_noexec(struct file *file)
{
	return (file->f_path.mnt->mnt_flags & MNT_NOEXEC) ||
	       (file->f_path.mnt->mnt_sb->s_iflags & SB_I_NOEXEC);
}

/* What the kernel checks of a file that is mapped privately. */
static int file_check(struct file *file, unsigned long len, unsigned long prot,
		      pgoff_t pgoff)
{
	u64 max = file_inode(file)->i_sb->s_maxbytes;

	if (max && (len > max || pgoff > (max - len) >> PAGE_SHIFT))
		return -EOVERFLOW;
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if ((prot & PROT_EXEC) && is_noexec(file))
		return -EPERM;
	if (!file->f_op->mmap || !(file->f_mode & FMODE_CAN_READ))
		return -ENODEV;
	return 0;
}

/* The file of a private writable mapping; NULL: treat it as anonymous. */
static struct file *private_file(int fd, unsigned long len, unsigned long prot,
				 pgoff_t pgoff, bool *ours)
{
	struct file *file = fget(fd);
	int err = 0;

	*ours = true;
	if (!file)
		return ERR_PTR(-EBADF);
	if (S_ISREG(file_inode(file)->i_mode)) {
		err = file_check(file, len, prot, pgoff);
		if (!err)
			return file;
	} else if (!is_dev_zero(file)) {
		/* a device's idea of a private mapping is its own */
		*ours = false;
	}
	fput(file);
	return ERR_PTR(err);
}

static long do_map(struct pcomp_space *s, const struct pt_regs *regs)
{
	unsigned long addr = regs->di, len = regs->si, prot = regs->dx;
	unsigned long flags = regs->r10, off = regs->r9;
	bool ours = (flags & MAP_TYPE) == MAP_PRIVATE &&
		    ((flags & MAP_ANONYMOUS) || (prot & PROT_WRITE));
	struct file *file = NULL;
	long r;

	if (!len || offset_in_page(off) || len > TASK_SIZE)
		return pcomp_orig(PCOMP_HOOK_MMAP, regs);
	if (ours && (flags & MAP_HUGETLB))
		return -ENOMEM;
	if (ours && !(flags & MAP_ANONYMOUS)) {
		file = private_file(regs->r8, PAGE_ALIGN(len), prot,
				    off >> PAGE_SHIFT, &ours);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	if (ours) {
		r = pcomp_map(s, addr, len, prot, flags, file,
			      off >> PAGE_SHIFT);
	} else {
		r = pcomp_orig(PCOMP_HOOK_MMAP, regs);
		if ((flags & MAP_FIXED) && (flags & MAP_TYPE))
			pcomp_forget_unmapped(s, addr, len);
	}
	if (file)
		fput(file);
	return r;
}

/* What the kernel could not prefault while old lines were in the way. */
static void populate(unsigned long addr, unsigned long len,
		     unsigned long flags)
{
	struct pt_regs regs = {
		.di = addr,
		.si = len,
		.dx = MADV_POPULATE_READ,
	};

	if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) != MAP_POPULATE &&
	    !(flags & MAP_LOCKED) &&
	    (READ_ONCE(current->mm->def_flags) & (VM_LOCKED | VM_LOCKONFAULT)) !=
		    VM_LOCKED)
		return;
	if (pcomp_is_ours(current->mm, addr))
		pcomp_orig(PCOMP_HOOK_MADVISE, &regs);
}

/**
 * pcomp_sys_mmap() - mmap(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as mmap(2). Differences: MAP_HUGETLB is -ENOMEM, MAP_GROWSDOWN is
 * ignored for private memory.
 */
long pcomp_sys_mmap(const struct pt_regs *regs)
{
	struct pcomp_space *s = pcomp_map_enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = do_map(s, regs);
	pcomp_map_leave(s);
	if (!IS_ERR_VALUE(r))
		populate(r, regs->si, regs->r10);
	return r;
}

/**
 * pcomp_sys_munmap() - munmap(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as munmap(2).
 */
long pcomp_sys_munmap(const struct pt_regs *regs)
{
	struct pcomp_space *s = pcomp_map_enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = pcomp_unmap(s, regs->di, regs->si);
	pcomp_map_leave(s);
	return r;
}

static unsigned long set_brk(struct mm_struct *mm, unsigned long brk)
{
	mmap_write_lock(mm);
	mm->brk = brk;
	mmap_write_unlock(mm);
	return brk;
}

static bool is_free(unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	bool is;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, start);
	is = !vma || vma->vm_start >= end;
	mmap_read_unlock(current->mm);
	return is;
}

static unsigned long do_brk_call(struct pcomp_space *s, unsigned long brk)
{
	struct mm_struct *mm = current->mm;
	unsigned long old = PAGE_ALIGN(mm->brk), new = PAGE_ALIGN(brk);

	if (brk < mm->start_brk || new < brk ||
	    check_data_rlimit(rlimit(RLIMIT_DATA), brk, mm->start_brk,
			      mm->end_data, mm->start_data))
		return mm->brk;
	/* as the kernel, which keeps a page away from what comes next */
	if (new > old && !is_free(old, new + PAGE_SIZE))
		return mm->brk;
	if (new > old &&
	    IS_ERR_VALUE(pcomp_map(s, old, new - old, PROT_READ | PROT_WRITE,
				   MAP_FIXED_NOREPLACE, NULL, 0)))
		return mm->brk;
	if (new < old && pcomp_unmap(s, new, old - new))
		return mm->brk;
	return set_brk(mm, brk);
}

/**
 * pcomp_sys_brk() - brk(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as the syscall: the new break, or the old one.
 */
long pcomp_sys_brk(const struct pt_regs *regs)
{
	struct pcomp_space *s = pcomp_map_enter();
	long r;

	if (IS_ERR(s))
		return current->mm->brk;
	r = do_brk_call(s, regs->di);
	pcomp_map_leave(s);
	return r;
}

/* Contents of a range are given up, the mappings stay. */
static long discard(const struct pt_regs *regs)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);
	struct pcomp_space *s = pcomp_map_enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = pcomp_orig(PCOMP_HOOK_MADVISE, regs);
	/* -ENOMEM: there were holes, the rest was done */
	if ((!r || r == -ENOMEM) && len && !offset_in_page(start) &&
	    start + len > start) {
		pgoff_t first = start >> PAGE_SHIFT;

		pcomp_lines_discard(s, first,
				    first + (len >> PAGE_SHIFT) - 1);
	}
	pcomp_map_leave(s);
	return r;
}

/* MADV_FREE may free at once, and is refused as MADV_DONTNEED, but for files. */
static long free_lazily(const struct pt_regs *regs)
{
	unsigned long start = regs->di, end = start + PAGE_ALIGN(regs->si);
	struct pt_regs at_once = *regs;
	struct pcomp_space *s;
	bool of_file = false;

	s = pcomp_space_get(current->mm);
	if (s && end > start)
		of_file = pcomp_backing_any(s, start >> PAGE_SHIFT,
					    (end >> PAGE_SHIFT) - 1);
	if (s)
		pcomp_space_put(s);
	if (of_file)
		return -EINVAL;
	at_once.dx = MADV_DONTNEED;
	return discard(&at_once);
}

/**
 * pcomp_sys_madvise() - madvise(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as madvise(2). Differences: MADV_FREE frees at once; MADV_WIPEONFORK
 * is -EINVAL.
 */
long pcomp_sys_madvise(const struct pt_regs *regs)
{
	switch (regs->dx) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return discard(regs);
	case MADV_FREE:
		if (pcomp_is_ours(current->mm, PAGE_ALIGN(regs->di)))
			return free_lazily(regs);
		break;
	case MADV_REMOVE:
		if (pcomp_is_ours(current->mm, regs->di))
			return -EINVAL;
		break;
	}
	return pcomp_orig(PCOMP_HOOK_MADVISE, regs);
}
