/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this builds for: written to the newest API,
 * mapped to the older names here, and nowhere else. Sorted by header.
 */
#ifndef _PCOMP_COMPAT_H
#define _PCOMP_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "pcomp needs Linux 6.1 or newer"
#endif

/* linux/sched/mm.h: 6.10 split mm_get_unmapped_area() off, and unexported
 * the other.
 */
#include <linux/mm.h>
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

#endif /* _PCOMP_COMPAT_H */
