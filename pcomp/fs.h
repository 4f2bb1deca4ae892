/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file system "lego": a vNode's files, mounted at a pComponent.
 */
#ifndef _PCOMP_FS_H
#define _PCOMP_FS_H

int pcomp_fs_init(void);
void pcomp_fs_exit(void);

#endif /* _PCOMP_FS_H */
