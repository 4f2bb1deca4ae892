// SPDX-License-Identifier: GPL-2.0
/*
 * Whose rights a request has: the caller's fsuid, fsgid, supplementary groups
 * and capabilities.
 */
#include <linux/bits.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/kernel.h>
#include <linux/uidgid.h>
#include "compat.h"
#include "scomp.h"

/* What file systems look at, of those that fit into scomp_hdr.caps. */
static const u8 scomp_caps[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
	CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE,
	CAP_MKNOD,
};

static int scomp_cred_groups(struct cred *cred, const __le32 *groups,
			     unsigned int nr)
{
	struct group_info *info;
	unsigned int i;
	int err = 0;

	info = groups_alloc(nr);
	if (!info)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		info->gid[i] = make_kgid(&init_user_ns,
					 le32_to_cpu(groups[i]));
		if (!gid_valid(info->gid[i]))
			err = -EINVAL;
	}
	if (!err) {
		groups_sort(info);
		set_groups(cred, info);
	}
	put_group_info(info);
	return err;
}

/**
 * scomp_cred_make() - credentials of a caller
 * @hdr: says who that is
 * @groups: its supplementary groups
 *
 * Return: for override_creds() and put_cred(), or ERR_PTR.
 */
const struct cred *scomp_cred_make(const struct scomp_hdr *hdr,
				   const __le32 *groups)
{
	struct cred *cred = prepare_kernel_cred(&init_task);
	unsigned int nr = le16_to_cpu(hdr->nr_groups);
	unsigned int i;
	int err = -EINVAL;

	if (!cred)
		return ERR_PTR(-ENOMEM);
	cred->fsuid = make_kuid(&init_user_ns, le32_to_cpu(hdr->uid));
	cred->fsgid = make_kgid(&init_user_ns, le32_to_cpu(hdr->gid));
	if (!uid_valid(cred->fsuid) || !gid_valid(cred->fsgid))
		goto err_put;
	cap_clear(cred->cap_effective);
	for (i = 0; i < ARRAY_SIZE(scomp_caps); i++)
		if (le32_to_cpu(hdr->caps) & BIT(scomp_caps[i]))
			cap_raise(cred->cap_effective, scomp_caps[i]);
	err = nr ? scomp_cred_groups(cred, groups, nr) : 0;
	if (!err)
		return cred;
err_put:
	put_cred(cred);
	return ERR_PTR(err);
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
