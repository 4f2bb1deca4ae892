// SPDX-License-Identifier: GPL-2.0
/*
 * The syscall shim, side doors: what changes a process's address space, or may,
 * and is none of the system calls of sysmem.c and exec.c.
 *
 * Of all system calls of Linux 6.1 and 6.12 that change mappings the others
 * need no hook: shmdt(), io_setup(), map_shadow_stack() and userfaultfd only
 * touch mappings of their own, mlock(), mbind(), mseal(), msync() and
 * prctl(PR_SET_VMA) only say something of mappings, process_madvise() ends in
 * do_madvise(), as io_uring does.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <uapi/linux/shm.h>
#include "pcomp.h"

/**
 * pcomp_sys_refused() - what no process of a vNode may do
 * @regs: arguments
 *
 * Stands in for uselib(2) and for what 32-bit and x32 system calls have of
 * their own. A 64-bit program can make those, too (int $0x80), but does not.
 *
 * Return: -ENOSYS.
 */
long pcomp_sys_refused(const struct pt_regs *regs)
{
	return -ENOSYS;
}

/**
 * pcomp_sys_remap_file_pages() - remap_file_pages(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as remap_file_pages(2), which has nothing to do with private memory.
 */
long pcomp_sys_remap_file_pages(const struct pt_regs *regs)
{
	struct pcomp_space *s = pcomp_map_enter();
	long r = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!pcomp_is_ours(current->mm, regs->di & PAGE_MASK))
		r = pcomp_orig(PCOMP_HOOK_REMAP_FILE_PAGES, regs);
	pcomp_map_leave(s);
	return r;
}

/**
 * pcomp_do_madvise() - madvise(2), process_madvise(2), io_uring's madvise
 * @mm: whose memory, a vNode's process's
 * @start: where
 * @len: bytes
 * @behavior: MADV_*
 *
 * Return: as madvise(2).
 */
int pcomp_do_madvise(struct mm_struct *mm, unsigned long start, size_t len,
		     int behavior)
{
	struct pt_regs regs = {
		.di = start,
		.si = len,
		.dx = behavior,
	};

	/* another process's: nothing that gives contents up is allowed there */
	if (mm != current->mm)
		return pcomp_orig_madvise(mm, start, len, behavior);
	return pcomp_sys_madvise(&regs);
}

/**
 * pcomp_do_shmat() - shmat(2), by whichever system call
 * @shmid: segment
 * @addr: where, or 0
 * @flags: SHM_*
 * @result: gets where it is
 * @align: of a rounded @addr
 *
 * Return: as shmat(2), but SHM_REMAP, which takes the place of what is there
 *	without saying how much, is -EINVAL.
 */
long pcomp_do_shmat(int shmid, char __user *addr, int flags,
		    unsigned long *result, unsigned long align)
{
	if (flags & SHM_REMAP)
		return -EINVAL;
	return pcomp_orig_shmat(shmid, addr, flags, result, align);
}
