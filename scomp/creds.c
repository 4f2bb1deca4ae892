// SPDX-License-Identifier: GPL-2.0
/*
 * Whose rights a request has. As nfsd's: the caller's fsuid and fsgid, and
 * root's capabilities for root alone.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/uidgid.h>
#include "compat.h"
#include "scomp.h"

/**
 * scomp_cred_make() - credentials of a caller
 * @uid: its fsuid
 * @gid: its fsgid
 *
 * Return: for override_creds() and put_cred(), or NULL: no memory.
 */
const struct cred *scomp_cred_make(kuid_t uid, kgid_t gid)
{
	struct cred *cred = prepare_kernel_cred(&init_task);

	if (!cred)
		return NULL;
	cred->fsuid = uid;
	cred->fsgid = gid;
	if (!uid_eq(uid, GLOBAL_ROOT_UID))
		cap_clear(cred->cap_effective);
	return cred;
}

/**
 * scomp_may() - may the caller read or write what it has open?
 * @op: the request, its credentials in force
 * @path: the file
 * @mask: MAY_READ or MAY_WRITE
 *
 * A file's owner always may: the mode counted when it was opened, and may have
 * changed since (open(O_CREAT, 0444) for writing is legal). Who may execute a
 * file must be able to fetch it. Both as in nfsd_permission().
 * Return: 0, -EACCES, -EROFS...
 */
int scomp_may(struct scomp_op *op, const struct path *path, int mask)
{
	struct mnt_idmap *idmap = scomp_idmap(path->mnt);
	struct inode *inode = d_inode(path->dentry);
	int err;

	err = inode_permission(idmap, inode, mask);
	if (err == -EACCES && uid_eq(inode->i_uid, op->uid))
		err = 0;
	if (err == -EACCES && mask == MAY_READ)
		err = inode_permission(idmap, inode, MAY_EXEC);
	return err;
}
