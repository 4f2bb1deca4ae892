/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources are written to Linux 6.12; what 6.1 calls otherwise is mapped
 * here. No other file of lite_rpc looks at the kernel's version.
 */
#ifndef _LITE_RPC_COMPAT_H
#define _LITE_RPC_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "lego needs Linux 6.1 or later"
#endif

/* 6.10: __assign_str() knows the source */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define lite_assign_str(dst, src) __assign_str(dst, src)
#else
#define lite_assign_str(dst, src) __assign_str(dst)
#endif

/* 6.3: vm_flags is const */
#include <linux/mm.h>
static inline void lite_vm_flags_set(struct vm_area_struct *vma,
				     vm_flags_t flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

#endif /* _LITE_RPC_COMPAT_H */
