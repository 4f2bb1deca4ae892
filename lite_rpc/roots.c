// SPDX-License-Identifier: GPL-2.0
/*
 * Where all of lego shows itself: /sys/kernel/lego, /sys/kernel/debug/lego and
 * /sys/kernel/config/lego. The other modules put their own parts below them.
 */
#include <linux/configfs.h>
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/module.h>

#include "lite_rpc.h"

static struct kobject *root_kobj;
static struct dentry *root_dentry;

static const struct config_item_type root_type = {
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem root_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "lego",
			.ci_type = &root_type,
		},
	},
};

/**
 * lite_kobj() - /sys/kernel/lego
 *
 * Context: any. Return: the kobject, valid while lite_rpc is loaded.
 */
struct kobject *lite_kobj(void)
{
	return root_kobj;
}
EXPORT_SYMBOL_NS_GPL(lite_kobj, LITE_RPC);

/**
 * lite_debugfs() - /sys/kernel/debug/lego
 *
 * Context: any. Return: the directory; an ERR_PTR where there is no debugfs,
 *	which debugfs functions take as a parent.
 */
struct dentry *lite_debugfs(void)
{
	return root_dentry;
}
EXPORT_SYMBOL_NS_GPL(lite_debugfs, LITE_RPC);

/**
 * lite_configfs() - /sys/kernel/config/lego
 *
 * Context: any. Return: the group, for configfs_register_group().
 */
struct config_group *lite_configfs(void)
{
	return &root_subsys.su_group;
}
EXPORT_SYMBOL_NS_GPL(lite_configfs, LITE_RPC);

/**
 * lite_roots_init() - make the three roots
 *
 * Context: process. Return: 0 or a negative errno.
 */
int lite_roots_init(void)
{
	int err;

	root_kobj = kobject_create_and_add("lego", kernel_kobj);
	if (!root_kobj)
		return -ENOMEM;
	config_group_init(&root_subsys.su_group);
	mutex_init(&root_subsys.su_mutex);
	err = configfs_register_subsystem(&root_subsys);
	if (err)
		goto err_put_kobj;
	root_dentry = debugfs_create_dir("lego", NULL);
	return 0;

err_put_kobj:
	kobject_put(root_kobj);
	return err;
}

/**
 * lite_roots_exit() - the reverse of lite_roots_init()
 *
 * Context: process.
 */
void lite_roots_exit(void)
{
	debugfs_remove(root_dentry);
	configfs_unregister_subsystem(&root_subsys);
	mutex_destroy(&root_subsys.su_mutex);
	kobject_put(root_kobj);
}
