/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place of gmgr that knows of kernel versions: 6.12's API on 6.1.
 */
#ifndef _GMGR_COMPAT_H
#define _GMGR_COMPAT_H

#include <linux/fs.h>
#include <linux/overflow.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "Linux 6.1 or later is needed"
#endif

/* linux/fs.h: mounts got an idmap of their own in 6.3 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define nop_mnt_idmap init_user_ns
#endif

/* linux/overflow.h: 6.5, and only the later releases of 6.1 */
#ifndef struct_size_t
#define struct_size_t(type, member, count) \
	struct_size((type *)NULL, member, count)
#endif

#endif /* _GMGR_COMPAT_H */
