/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code is written to the 6.12 interfaces; this maps them to 6.1.
 */
#ifndef _SCOMP_COMPAT_H
#define _SCOMP_COMPAT_H

#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* linux/fs.h: user_namespace became mnt_idmap in 6.3 */
#define mnt_idmap user_namespace
#define old_mnt_idmap old_mnt_userns
#define new_mnt_idmap new_mnt_userns

static inline struct user_namespace *scomp_idmap(const struct vfsmount *mnt)
{
	return mnt_user_ns(mnt);
}
#else
static inline struct mnt_idmap *scomp_idmap(const struct vfsmount *mnt)
{
	return mnt_idmap(mnt);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
/* linux/namei.h: exported for long, declared for modules since 6.5 */
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt,
		    const char *name, unsigned int flags, struct path *path);
#endif

#endif /* _SCOMP_COMPAT_H */
