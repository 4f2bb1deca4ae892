/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file system "lego": a vNode's files, mounted at a pComponent.
 */
#ifndef _PCOMP_FS_H
#define _PCOMP_FS_H

#include <linux/types.h>

struct pcomp;

int pcomp_fs_init(void);
void pcomp_fs_exit(void);
bool pcomp_fs_locks_held(struct pcomp *pc, u32 vid, u64 incarnation);

#endif /* _PCOMP_FS_H */
