// SPDX-License-Identifier: GPL-2.0
/*
 * pcomp.ko: init, exit and parameters. pcomp.h tells how the parts belong
 * together.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs_context.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include "fs.h"
#include "pcomp.h"

static char *name = "";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the pComponent; none: make none");

static char *addr = "";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "where it listens: IP[:port] or loop:NAME");

static char *gmgr = "";
module_param(gmgr, charp, 0444);
MODULE_PARM_DESC(gmgr, "address of gmgr: IP[:port] or loop:NAME");

static long excache_mb;
module_param(excache_mb, long, 0444);
MODULE_PARM_DESC(excache_mb, "MiB of memory to reserve for ExCache");

#define PCOMP_MAGIC 0x4c45474f /* "LEGO" */

struct vfsmount *pcomp_mnt; /* of the files that VMAs map */
struct kobject *pcomp_kobj; /* /sys/kernel/lego/pcomp */
struct dentry *pcomp_debugfs;
static struct pcomp *first; /* the one the parameters made */

static int init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, PCOMP_MAGIC) ? 0 : -ENOMEM;
}

/*
 * No owner: the mount of our own would hold the module for ever. Files hold it
 * by their file_operations.
 */
static struct file_system_type pcomp_mem_fs = {
	.name = "legomem",
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

static int make_first(void)
{
	struct pcomp_cfg cfg = {
		.name = name,
		.addr = addr,
		.gmgr = gmgr,
		.excache_mb = excache_mb,
	};

	if (!*name)
		return 0;
	first = pcomp_create(&cfg);
	return PTR_ERR_OR_ZERO(first);
}

static int __init pcomp_init(void)
{
	int err;

	pcomp_mnt = kern_mount(&pcomp_mem_fs);
	if (IS_ERR(pcomp_mnt))
		return PTR_ERR(pcomp_mnt);
	err = -ENOMEM;
	pcomp_kobj = kobject_create_and_add("pcomp", lite_kobj());
	if (!pcomp_kobj)
		goto err_mnt;
	pcomp_debugfs = debugfs_create_dir("pcomp", lite_debugfs());
	err = pcomp_fs_init();
	if (err)
		goto err_kobj;
	err = pcomp_hooks_init();
	if (err)
		goto err_fs;
	err = pcomp_ctl_init();
	if (err)
		goto err_hooks;
	err = make_first();
	if (err)
		goto err_ctl;
	err = pcomp_configfs_init();
	if (err)
		goto err_first;
	return 0;

err_first:
	if (first)
		pcomp_destroy(first, true);
err_ctl:
	pcomp_ctl_exit();
err_hooks:
	pcomp_hooks_exit();
err_fs:
	pcomp_fs_exit();
err_kobj:
	debugfs_remove(pcomp_debugfs);
	kobject_put(pcomp_kobj);
err_mnt:
	kern_unmount(pcomp_mnt);
	return lite_init_error(err);
}

static void __exit pcomp_exit(void)
{
	pcomp_configfs_exit();
	if (first)
		pcomp_destroy(first, true);
	pcomp_ctl_exit();
	pcomp_hooks_exit();
	pcomp_fs_exit();
	pcomp_spaces_exit();
	/* spaces and their backings are freed by RCU callbacks of the kernel's */
	debugfs_remove(pcomp_debugfs);
	kobject_put(pcomp_kobj);
	kern_unmount(pcomp_mnt);
}

module_init(pcomp_init);
module_exit(pcomp_exit);

MODULE_DESCRIPTION("Lego processor component: ExCache, syscall shim, processes");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
MODULE_ALIAS_FS("lego");
