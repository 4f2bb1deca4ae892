// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/config/lego/mcomp/NAME/: more instances, with the names and the
 * meanings of the module's parameters. Written first, then "enable".
 */
#include <linux/configfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mcomp.h"

#define NAME_ATTR_LEN 16

/* A directory, which owns this. The last six are as in struct mcomp_cfg. */
struct mcomp_item {
	struct config_group group;
	struct mutex lock; /* protects the following */
	struct mcomp *m; /* the instance; NULL: not enabled */
	long mem_mb;
	long vregion_mb;
	char addr[LITE_ADDR_LEN];
	char gmgr[LITE_ADDR_LEN];
	char pagemap[NAME_ATTR_LEN];
	char policy[NAME_ATTR_LEN];
};

static struct mcomp_item *to_mcomp_item(struct config_item *item)
{
	return container_of(to_config_group(item), struct mcomp_item, group);
}

/* Attributes change only before the instance is made. */

static ssize_t item_store_str(struct mcomp_item *it, char *to, size_t size,
			      const char *page, size_t count)
{
	size_t len = count && page[count - 1] == '\n' ? count - 1 : count;
	ssize_t ret = count;

	if (len >= size)
		return -ENAMETOOLONG;
	mutex_lock(&it->lock);
	if (it->m) {
		ret = -EBUSY;
	} else {
		memcpy(to, page, len);
		to[len] = '\0';
	}
	mutex_unlock(&it->lock);
	return ret;
}

static ssize_t item_store_long(struct mcomp_item *it, long *to,
			       const char *page, size_t count)
{
	ssize_t ret = count;
	long val;
	int err;

	err = kstrtol(page, 0, &val);
	if (err)
		return err;
	mutex_lock(&it->lock);
	if (it->m)
		ret = -EBUSY;
	else
		*to = val;
	mutex_unlock(&it->lock);
	return ret;
}

static ssize_t item_show_str(struct mcomp_item *it, const char *from,
			     char *page)
{
	ssize_t n;

	mutex_lock(&it->lock);
	n = sysfs_emit(page, "%s\n", from);
	mutex_unlock(&it->lock);
	return n;
}

static ssize_t mcomp_item_addr_show(struct config_item *item, char *page)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_show_str(it, it->addr, page);
}

static ssize_t mcomp_item_addr_store(struct config_item *item,
				     const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_store_str(it, it->addr, sizeof(it->addr), page, count);
}

static ssize_t mcomp_item_gmgr_show(struct config_item *item, char *page)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_show_str(it, it->gmgr, page);
}

static ssize_t mcomp_item_gmgr_store(struct config_item *item,
				     const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_store_str(it, it->gmgr, sizeof(it->gmgr), page, count);
}

static ssize_t mcomp_item_pagemap_show(struct config_item *item, char *page)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_show_str(it, it->pagemap, page);
}

static ssize_t mcomp_item_pagemap_store(struct config_item *item,
					const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_store_str(it, it->pagemap, sizeof(it->pagemap), page,
			      count);
}

static ssize_t mcomp_item_policy_show(struct config_item *item, char *page)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_show_str(it, it->policy, page);
}

static ssize_t mcomp_item_policy_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_store_str(it, it->policy, sizeof(it->policy), page, count);
}

static ssize_t mcomp_item_mem_mb_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%ld\n", to_mcomp_item(item)->mem_mb);
}

static ssize_t mcomp_item_mem_mb_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_store_long(it, &it->mem_mb, page, count);
}

static ssize_t mcomp_item_vregion_mb_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%ld\n", to_mcomp_item(item)->vregion_mb);
}

static ssize_t mcomp_item_vregion_mb_store(struct config_item *item,
					   const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);

	return item_store_long(it, &it->vregion_mb, page, count);
}

static int item_enable(struct mcomp_item *it)
{
	struct mcomp_cfg cfg = {
		.name = config_item_name(&it->group.cg_item),
		.addr = it->addr,
		.gmgr = it->gmgr,
		.pagemap = it->pagemap,
		.policy = it->policy,
		.mem_mb = it->mem_mb,
		.vregion_mb = it->vregion_mb,
	};
	struct mcomp *m;

	lockdep_assert_held(&it->lock);
	if (it->m)
		return 0;
	m = mcomp_create(&cfg);
	if (IS_ERR(m))
		return PTR_ERR(m);
	it->m = m;
	return 0;
}

static int item_disable(struct mcomp_item *it)
{
	int err;

	lockdep_assert_held(&it->lock);
	if (!it->m)
		return 0;
	err = mcomp_try_close(it->m);
	if (err)
		return err;
	mcomp_destroy(it->m);
	it->m = NULL;
	return 0;
}

static ssize_t mcomp_item_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", !!READ_ONCE(to_mcomp_item(item)->m));
}

static ssize_t mcomp_item_enable_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct mcomp_item *it = to_mcomp_item(item);
	bool on;
	int err;

	err = kstrtobool(page, &on);
	if (err)
		return err;
	mutex_lock(&it->lock);
	err = on ? item_enable(it) : item_disable(it);
	mutex_unlock(&it->lock);
	return err ?: count;
}

CONFIGFS_ATTR(mcomp_item_, addr);
CONFIGFS_ATTR(mcomp_item_, gmgr);
CONFIGFS_ATTR(mcomp_item_, pagemap);
CONFIGFS_ATTR(mcomp_item_, policy);
CONFIGFS_ATTR(mcomp_item_, mem_mb);
CONFIGFS_ATTR(mcomp_item_, vregion_mb);
CONFIGFS_ATTR(mcomp_item_, enable);

static struct configfs_attribute *mcomp_item_attrs[] = {
	&mcomp_item_attr_addr,
	&mcomp_item_attr_gmgr,
	&mcomp_item_attr_pagemap,
	&mcomp_item_attr_policy,
	&mcomp_item_attr_mem_mb,
	&mcomp_item_attr_vregion_mb,
	&mcomp_item_attr_enable,
	NULL
};

/* Not in drop_item(), which has the subsystem's lock. */
static void mcomp_item_release(struct config_item *item)
{
	struct mcomp_item *it = to_mcomp_item(item);

	if (it->m)
		mcomp_destroy(it->m);
	kfree(it);
}

static struct configfs_item_operations mcomp_item_ops = {
	.release = mcomp_item_release,
};

static const struct config_item_type mcomp_item_type = {
	.ct_item_ops = &mcomp_item_ops,
	.ct_attrs = mcomp_item_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_group *mcomp_make_group(struct config_group *group,
					     const char *name)
{
	struct mcomp_item *it;

	if (mcomp_check_name(name))
		return ERR_PTR(-EINVAL);
	it = kzalloc(sizeof(*it), GFP_KERNEL);
	if (!it)
		return ERR_PTR(-ENOMEM);
	mutex_init(&it->lock);
	it->vregion_mb = 1024;
	strscpy(it->pagemap, "radix", sizeof(it->pagemap));
	strscpy(it->policy, "spread", sizeof(it->policy));
	config_group_init_type_name(&it->group, name, &mcomp_item_type);
	return &it->group;
}

static struct configfs_group_operations mcomp_group_ops = {
	.make_group = mcomp_make_group,
};

static const struct config_item_type mcomp_group_type = {
	.ct_group_ops = &mcomp_group_ops,
	.ct_owner = THIS_MODULE,
};

/* Instances hang off it; it has no state of its own. */
static struct config_group mcomp_group;

/**
 * mcomp_configfs_init() - make /sys/kernel/config/lego/mcomp
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int mcomp_configfs_init(void)
{
	config_group_init_type_name(&mcomp_group, "mcomp", &mcomp_group_type);
	return configfs_register_group(lite_configfs(), &mcomp_group);
}

/**
 * mcomp_configfs_exit() - remove it; directories in it keep the module
 *
 * Context: process, may sleep.
 */
void mcomp_configfs_exit(void)
{
	configfs_unregister_group(&mcomp_group);
}
