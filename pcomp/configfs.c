// SPDX-License-Identifier: GPL-2.0
/*
 * More instances: mkdir /sys/kernel/config/lego/pcomp/NAME, write gmgr, addr
 * and excache_mb, then 1 to enable. 0 ends it, unless it has processes (-EBUSY);
 * rmdir ends them, too.
 */
#include <linux/configfs.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "pcomp.h"

/**
 * struct pcomp_item - a directory in configfs
 * @item: configfs's
 * @lock: protects what follows; may be held while the instance is made
 * @pc: the instance while enabled
 * @addr: as for the module's parameter
 * @gmgr: so
 * @excache_mb: so
 */
struct pcomp_item {
	struct config_item item;
	struct mutex lock; /* see above */
	struct pcomp *pc;
	char addr[LITE_ADDR_LEN];
	char gmgr[LITE_ADDR_LEN];
	char excache_mb[24];
};

static struct pcomp_item *to_pcomp_item(struct config_item *item)
{
	return container_of(item, struct pcomp_item, item);
}

static ssize_t pcomp_item_show(struct config_item *item, const char *value,
			       char *page)
{
	struct pcomp_item *pi = to_pcomp_item(item);
	ssize_t ret;

	mutex_lock(&pi->lock);
	ret = scnprintf(page, PAGE_SIZE, "%s\n", value);
	mutex_unlock(&pi->lock);
	return ret;
}

static ssize_t pcomp_item_store(struct config_item *item, char *value,
				size_t size, const char *page, size_t count)
{
	struct pcomp_item *pi = to_pcomp_item(item);
	size_t len = count;
	int err = 0;

	while (len && page[len - 1] == '\n')
		len--;
	if (len >= size || memchr(page, '\0', len))
		return -EINVAL;
	mutex_lock(&pi->lock);
	if (pi->pc) {
		err = -EBUSY;
	} else {
		memcpy(value, page, len);
		value[len] = '\0';
	}
	mutex_unlock(&pi->lock);
	return err ? err : count;
}

#define PCOMP_STRING(what)                                               \
	static ssize_t pcomp_##what##_show(struct config_item *item,     \
					   char *page)                   \
	{                                                                \
		return pcomp_item_show(item, to_pcomp_item(item)->what,  \
				       page);                            \
	}                                                                \
	static ssize_t pcomp_##what##_store(struct config_item *item,    \
					    const char *page,            \
					    size_t count)                \
	{                                                                \
		struct pcomp_item *pi = to_pcomp_item(item);             \
									 \
		return pcomp_item_store(item, pi->what, sizeof(pi->what), \
					page, count);                    \
	}                                                                \
	CONFIGFS_ATTR(pcomp_, what)

PCOMP_STRING(addr);
PCOMP_STRING(gmgr);
PCOMP_STRING(excache_mb);

static ssize_t pcomp_enable_show(struct config_item *item, char *page)
{
	struct pcomp_item *pi = to_pcomp_item(item);

	return sysfs_emit(page, "%d\n", !!READ_ONCE(pi->pc));
}

static int pcomp_item_enable(struct pcomp_item *pi)
{
	struct pcomp_cfg cfg = {
		.name = config_item_name(&pi->item),
		.addr = pi->addr,
		.gmgr = pi->gmgr,
	};
	struct pcomp *pc;
	int err;

	err = kstrtol(pi->excache_mb, 0, &cfg.excache_mb);
	if (err)
		return err;
	pc = pcomp_create(&cfg);

	if (IS_ERR(pc))
		return PTR_ERR(pc);
	WRITE_ONCE(pi->pc, pc);
	return 0;
}

static int pcomp_item_disable(struct pcomp_item *pi, bool force)
{
	int err = pi->pc ? pcomp_destroy(pi->pc, force) : 0;

	if (!err)
		WRITE_ONCE(pi->pc, NULL);
	return err;
}

static ssize_t pcomp_enable_store(struct config_item *item, const char *page,
				  size_t count)
{
	struct pcomp_item *pi = to_pcomp_item(item);
	bool on;
	int err;

	err = kstrtobool(page, &on);
	if (err)
		return err;
	if (mutex_lock_killable(&pi->lock))
		return -EINTR;
	if (!on)
		err = pcomp_item_disable(pi, false);
	else if (!pi->pc)
		err = pcomp_item_enable(pi);
	mutex_unlock(&pi->lock);
	return err ? err : count;
}

CONFIGFS_ATTR(pcomp_, enable);

static struct configfs_attribute *pcomp_item_attrs[] = {
	&pcomp_attr_addr,
	&pcomp_attr_gmgr,
	&pcomp_attr_excache_mb,
	&pcomp_attr_enable,
	NULL,
};

static void pcomp_item_release(struct config_item *item)
{
	kvfree(to_pcomp_item(item));
}

static struct configfs_item_operations pcomp_item_ops = {
	.release = pcomp_item_release,
};

static const struct config_item_type pcomp_item_type = {
	.ct_item_ops = &pcomp_item_ops,
	.ct_attrs = pcomp_item_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *pcomp_group_make(struct config_group *group,
					    const char *name)
{
	struct pcomp_item *pi;

	if (strlen(name) >= LITE_NAME_LEN)
		return ERR_PTR(-ENAMETOOLONG);
	pi = kvzalloc(sizeof(*pi), GFP_KERNEL);
	if (!pi)
		return ERR_PTR(-ENOMEM);
	mutex_init(&pi->lock);
	config_item_init_type_name(&pi->item, name, &pcomp_item_type);
	return &pi->item;
}

static void pcomp_group_drop(struct config_group *group,
			     struct config_item *item)
{
	struct pcomp_item *pi = to_pcomp_item(item);

	mutex_lock(&pi->lock);
	pcomp_item_disable(pi, true);
	mutex_unlock(&pi->lock);
	config_item_put(item);
}

static struct configfs_group_operations pcomp_group_ops = {
	.make_item = pcomp_group_make,
	.drop_item = pcomp_group_drop,
};

static const struct config_item_type pcomp_group_type = {
	.ct_group_ops = &pcomp_group_ops,
	.ct_owner = THIS_MODULE,
};

static struct config_group pcomp_group;

/**
 * pcomp_configfs_init() - make the directory where instances are made
 *
 * Return: 0 or an error.
 */
int pcomp_configfs_init(void)
{
	config_group_init_type_name(&pcomp_group, "pcomp", &pcomp_group_type);
	return configfs_register_group(lite_configfs(), &pcomp_group);
}

/**
 * pcomp_configfs_exit() - remove it; a directory in it holds the module
 */
void pcomp_configfs_exit(void)
{
	configfs_unregister_group(&pcomp_group);
}
