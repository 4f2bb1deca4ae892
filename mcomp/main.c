// SPDX-License-Identifier: GPL-2.0
/*
 * mcomp.ko: init, exit and parameters. The instance itself is instance.c's.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kobject.h>
#include <linux/module.h>

#include "mcomp.h"

static char *name = "";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the memory component; none: make none");

static char *addr = "";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "where it listens: IP[:port] or loop:NAME");

static char *gmgr = "";
module_param(gmgr, charp, 0444);
MODULE_PARM_DESC(gmgr, "where gmgr is: IP[:port] or loop:NAME");

static long mem_mb;
module_param(mem_mb, long, 0444);
MODULE_PARM_DESC(mem_mb, "memory to reserve and serve, MiB");

static long vregion_mb = 1024;
module_param(vregion_mb, long, 0444);
MODULE_PARM_DESC(vregion_mb, "MiB of addresses in a vRegion, a power of two");

static char *pagemap = "radix";
module_param(pagemap, charp, 0444);
MODULE_PARM_DESC(pagemap, "how pages are found: radix or hash");

static char *policy = "spread";
module_param(policy, charp, 0444);
MODULE_PARM_DESC(policy, "who owns a new vRegion: spread or home");

static struct kobject *module_kobj;
static struct dentry *module_debugfs;
static struct mcomp *first; /* the one the parameters made */

/**
 * mcomp_module_kobj() - /sys/kernel/lego/mcomp
 *
 * Return: not counted.
 */
struct kobject *mcomp_module_kobj(void)
{
	return module_kobj;
}

/**
 * mcomp_module_debugfs() - /sys/kernel/debug/lego/mcomp
 *
 * Return: not counted; may be an ERR_PTR, as usual there.
 */
struct dentry *mcomp_module_debugfs(void)
{
	return module_debugfs;
}

static int __init mcomp_init(void)
{
	struct mcomp_cfg cfg = {
		.name = name,
		.addr = addr,
		.gmgr = gmgr,
		.pagemap = pagemap,
		.policy = policy,
		.mem_mb = mem_mb,
		.vregion_mb = vregion_mb,
	};
	int err;

	module_kobj = kobject_create_and_add("mcomp", lite_kobj());
	if (!module_kobj)
		return -ENOMEM;
	module_debugfs = debugfs_create_dir("mcomp", lite_debugfs());
	if (*name) {
		first = mcomp_create(&cfg);
		if (IS_ERR(first)) {
			err = PTR_ERR(first);
			goto err_debugfs;
		}
	}
	err = mcomp_configfs_init();
	if (err)
		goto err_instance;
	return 0;

err_instance:
	if (first)
		mcomp_destroy(first);
err_debugfs:
	debugfs_remove(module_debugfs);
	kobject_put(module_kobj);
	return lite_init_error(err);
}

static void __exit mcomp_exit(void)
{
	mcomp_configfs_exit();
	if (first)
		mcomp_destroy(first);
	debugfs_remove(module_debugfs);
	kobject_put(module_kobj);
}

module_init(mcomp_init);
module_exit(mcomp_exit);

MODULE_DESCRIPTION("Lego memory component");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
