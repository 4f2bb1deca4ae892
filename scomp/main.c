// SPDX-License-Identifier: GPL-2.0
/*
 * scomp: the storage component of lego.
 */
#include <linux/err.h>
#include <linux/module.h>
#include "scomp.h"

static char *name = "";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the first instance; none is made without it");

static char *addr = "";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "where it listens, IP[:port] or loop:NAME");

static char *gmgr = "";
module_param(gmgr, charp, 0444);
MODULE_PARM_DESC(gmgr, "address of the rack's gmgr, IP[:port] or loop:NAME");

static char *dir = "";
module_param(dir, charp, 0444);
MODULE_PARM_DESC(dir, "absolute path of the directory to serve");

static struct scomp *first;

static int __init scomp_init(void)
{
	struct scomp_cfg cfg = {
		.name = name,
		.addr = addr,
		.gmgr = gmgr,
		.dir = dir,
	};
	int err;

	err = scomp_sysfs_init();
	if (err)
		return err;
	scomp_debugfs_init();
	if (*name) {
		first = scomp_create(&cfg);
		if (IS_ERR(first)) {
			err = PTR_ERR(first);
			goto err_sysfs_exit;
		}
	}
	err = scomp_configfs_init();
	if (err)
		goto err_destroy;
	return 0;

err_destroy:
	if (first)
		scomp_destroy(first);
err_sysfs_exit:
	scomp_debugfs_exit();
	scomp_sysfs_exit();
	return lite_init_error(err);
}

static void __exit scomp_exit(void)
{
	scomp_configfs_exit();
	if (first)
		scomp_destroy(first);
	scomp_debugfs_exit();
	scomp_sysfs_exit();
}

module_init(scomp_init);
module_exit(scomp_exit);

MODULE_DESCRIPTION("lego storage component");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
