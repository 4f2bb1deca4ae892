/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file system is written to the 6.12 interfaces; this maps them to 6.1.
 */
#ifndef _PCOMP_FS_COMPAT_H
#define _PCOMP_FS_COMPAT_H

#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/version.h>
#include <linux/writeback.h>

/* linux/fs.h: user_namespace became mnt_idmap in 6.3 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define mnt_idmap user_namespace
#define nop_mnt_idmap init_user_ns
#endif

/* linux/fs.h: generic_file_splice_read() became filemap_splice_read() in 6.5 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define filemap_splice_read generic_file_splice_read
#endif

/* linux/fs.h: i_atime and i_mtime got accessors in 6.7 (i_ctime before) */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline void pcomp_set_atime(struct inode *inode, time64_t sec, long nsec)
{
	inode->i_atime = (struct timespec64){ .tv_sec = sec, .tv_nsec = nsec };
}

static inline void pcomp_set_mtime(struct inode *inode, time64_t sec, long nsec)
{
	inode->i_mtime = (struct timespec64){ .tv_sec = sec, .tv_nsec = nsec };
}
#else
#define pcomp_set_atime inode_set_atime
#define pcomp_set_mtime inode_set_mtime
#endif

/* linux/fs.h: generic_fillattr() got a mask in 6.6 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define generic_fillattr(idmap, mask, inode, stat) \
	generic_fillattr(idmap, inode, stat)
#endif

/* linux/fs.h: write_begin and write_end went from pages to folios in 6.12 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define PCOMP_WRITE_PAGE struct page
#define pcomp_write_folio(p) page_folio(p)
#define pcomp_folio_write(f) (&(f)->page)
#else
#define PCOMP_WRITE_PAGE struct folio
#define pcomp_write_folio(p) (p)
#define pcomp_folio_write(f) (f)
#endif

/* linux/pagemap.h: named in 6.4 */
#ifndef FGP_WRITEBEGIN
#define FGP_WRITEBEGIN (FGP_LOCK | FGP_WRITE | FGP_CREAT | FGP_STABLE)
#endif

/* linux/writeback.h: write_cache_pages() calls back with a folio since 6.3 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define PCOMP_WB_PAGE struct page
#define pcomp_wb_folio(p) page_folio(p)
#else
#define PCOMP_WB_PAGE struct folio
#define pcomp_wb_folio(p) (p)
#endif

/* linux/filelock.h: its own since 6.3; lock_is_unlock() and leases since 6.9 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define PCOMP_LEASE struct file_lock
#define pcomp_lock_is_unlock(fl) ((fl)->fl_type == F_UNLCK)
#else
#define PCOMP_LEASE struct file_lease
#define pcomp_lock_is_unlock lock_is_unlock
#endif
/* linux/fs.h: a long before 6.6 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define PCOMP_LEASE_ARG long
#else
#define PCOMP_LEASE_ARG int
#endif

#endif /* _PCOMP_FS_COMPAT_H */
