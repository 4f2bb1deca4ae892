/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this builds for: written to the newest API,
 * mapped to the older names here, and nowhere else. Sorted by header.
 */
#ifndef _PCOMP_COMPAT_H
#define _PCOMP_COMPAT_H

#include <linux/version.h>

/*
 * kernel/fork.c: before, dup_mmap() linked the copy of a VMA to its file first
 * and opened it then; fault.c's line_open() would come too late.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 106) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0))
#error "pcomp needs Linux 6.1.106 or newer of 6.1, or 6.9 or newer"
#endif

/* linux/mm.h: 6.5 took the VMAs away from get_user_pages(). */
#include <linux/mm.h>
static inline long pcomp_get_user_page(unsigned long addr,
				       unsigned int gup_flags,
				       struct page **page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages(addr, 1, gup_flags, page);
#else
	return get_user_pages(addr, 1, gup_flags, page, NULL);
#endif
}

/* linux/sched/mm.h: 6.10 split mm_get_unmapped_area() off, and unexported
 * the other.
 */
#include <linux/sched/mm.h>
static inline unsigned long pcomp_unmapped_area(unsigned long addr,
						unsigned long len,
						unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return mm_get_unmapped_area(current->mm, NULL, addr, len, 0, flags);
#else
	return get_unmapped_area(NULL, addr, len, 0, flags);
#endif
}

/* mm/memory.c: ptrace() calls the inner one before 6.11, as the outer one does */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define PCOMP_ACCESS_VM "access_remote_vm"
#else
#define PCOMP_ACCESS_VM "__access_remote_vm"
#endif

#endif /* _PCOMP_COMPAT_H */
