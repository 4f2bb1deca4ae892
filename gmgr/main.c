// SPDX-License-Identifier: GPL-2.0
/*
 * gmgr.ko: init, exit and parameters. The instance itself is cluster.c's.
 */
#include <linux/err.h>
#include <linux/kobject.h>
#include <linux/module.h>

#include "gmgr.h"

static char *name = "";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the global manager; none: make none");

static char *addr = "";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "where it listens: IP[:port] or loop:NAME");

static char *placement = "free";
module_param(placement, charp, 0444);
MODULE_PARM_DESC(placement, "how home mComponents are chosen: free or rr");

static unsigned int heartbeat_ms = 500;
module_param(heartbeat_ms, uint, 0444);
MODULE_PARM_DESC(heartbeat_ms, "how often members report, milliseconds");

static unsigned int dead_ms = 3000;
module_param(dead_ms, uint, 0444);
MODULE_PARM_DESC(dead_ms, "silence after which one is dead, milliseconds");

static struct kobject *module_kobj;
static struct gmgr *first; /* the one the parameters made */

/**
 * gmgr_kobj() - /sys/kernel/lego/gmgr, where instances have their directories
 *
 * Return: not counted.
 */
struct kobject *gmgr_kobj(void)
{
	return module_kobj;
}

static int __init gmgr_init(void)
{
	struct gmgr_cfg cfg = {
		.name = name,
		.addr = addr,
		.placement = placement,
		.heartbeat_ms = heartbeat_ms,
		.dead_ms = dead_ms,
	};
	int err;

	module_kobj = kobject_create_and_add("gmgr", lite_kobj());
	if (!module_kobj)
		return -ENOMEM;
	if (!*name)
		return 0;
	first = gmgr_create(&cfg);
	if (IS_ERR(first)) {
		err = PTR_ERR(first);
		goto err_kobj;
	}
	return 0;

err_kobj:
	kobject_put(module_kobj);
	return lite_init_error(err);
}

static void __exit gmgr_exit(void)
{
	if (first)
		gmgr_destroy(first);
	kobject_put(module_kobj);
}

module_init(gmgr_init);
module_exit(gmgr_exit);

MODULE_DESCRIPTION("Lego global manager: membership, vNodes, placement");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
