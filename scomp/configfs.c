// SPDX-License-Identifier: GPL-2.0
/*
 * More instances: mkdir /sys/kernel/config/lego/scomp/NAME, write dir, gmgr
 * and addr, then 1 to enable; 0 or rmdir ends it.
 */
#include <linux/configfs.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "scomp.h"

/**
 * struct scomp_item - a directory in configfs
 * @item: configfs's
 * @lock: protects what follows; may be held while the instance is made
 * @sc: the instance while enabled
 * @addr: as for the module's parameter
 * @gmgr: so
 * @dir: so
 */
struct scomp_item {
	struct config_item item;
	struct mutex lock; /* see above */
	struct scomp *sc;
	char addr[LITE_ADDR_LEN];
	char gmgr[LITE_ADDR_LEN];
	char dir[PATH_MAX];
};

static struct scomp_item *to_scomp_item(struct config_item *item)
{
	return container_of(item, struct scomp_item, item);
}

static ssize_t scomp_item_show(struct config_item *item, const char *value,
			       char *page)
{
	struct scomp_item *si = to_scomp_item(item);
	ssize_t ret;

	mutex_lock(&si->lock);
	ret = scnprintf(page, PAGE_SIZE, "%s\n", value);
	mutex_unlock(&si->lock);
	return ret;
}

static ssize_t scomp_item_store(struct config_item *item, char *value,
				size_t size, const char *page, size_t count)
{
	struct scomp_item *si = to_scomp_item(item);
	size_t len = count;
	int err = 0;

	while (len && page[len - 1] == '\n')
		len--;
	if (len >= size || memchr(page, '\0', len))
		return -EINVAL;
	mutex_lock(&si->lock);
	if (si->sc) {
		err = -EBUSY;
	} else {
		memcpy(value, page, len);
		value[len] = '\0';
	}
	mutex_unlock(&si->lock);
	return err ? err : count;
}

static ssize_t scomp_addr_show(struct config_item *item, char *page)
{
	return scomp_item_show(item, to_scomp_item(item)->addr, page);
}

static ssize_t scomp_addr_store(struct config_item *item, const char *page,
				size_t count)
{
	struct scomp_item *si = to_scomp_item(item);

	return scomp_item_store(item, si->addr, sizeof(si->addr), page, count);
}

CONFIGFS_ATTR(scomp_, addr);

static ssize_t scomp_gmgr_show(struct config_item *item, char *page)
{
	return scomp_item_show(item, to_scomp_item(item)->gmgr, page);
}

static ssize_t scomp_gmgr_store(struct config_item *item, const char *page,
				size_t count)
{
	struct scomp_item *si = to_scomp_item(item);

	return scomp_item_store(item, si->gmgr, sizeof(si->gmgr), page, count);
}

CONFIGFS_ATTR(scomp_, gmgr);

static ssize_t scomp_dir_show(struct config_item *item, char *page)
{
	return scomp_item_show(item, to_scomp_item(item)->dir, page);
}

static ssize_t scomp_dir_store(struct config_item *item, const char *page,
			       size_t count)
{
	struct scomp_item *si = to_scomp_item(item);

	return scomp_item_store(item, si->dir, sizeof(si->dir), page, count);
}

CONFIGFS_ATTR(scomp_, dir);

static ssize_t scomp_enable_show(struct config_item *item, char *page)
{
	struct scomp_item *si = to_scomp_item(item);

	return sysfs_emit(page, "%d\n", !!READ_ONCE(si->sc));
}

static int scomp_item_enable(struct scomp_item *si)
{
	struct scomp_cfg cfg = {
		.name = config_item_name(&si->item),
		.addr = si->addr,
		.gmgr = si->gmgr,
		.dir = si->dir,
	};
	struct scomp *sc = scomp_create(&cfg);

	if (IS_ERR(sc))
		return PTR_ERR(sc);
	WRITE_ONCE(si->sc, sc);
	return 0;
}

static void scomp_item_disable(struct scomp_item *si)
{
	struct scomp *sc = si->sc;

	WRITE_ONCE(si->sc, NULL);
	if (sc)
		scomp_destroy(sc);
}

static ssize_t scomp_enable_store(struct config_item *item, const char *page,
				  size_t count)
{
	struct scomp_item *si = to_scomp_item(item);
	bool on;
	int err;

	err = kstrtobool(page, &on);
	if (err)
		return err;
	if (mutex_lock_killable(&si->lock))
		return -EINTR;
	if (!on)
		scomp_item_disable(si);
	else if (!si->sc)
		err = scomp_item_enable(si);
	mutex_unlock(&si->lock);
	return err ? err : count;
}

CONFIGFS_ATTR(scomp_, enable);

static struct configfs_attribute *scomp_item_attrs[] = {
	&scomp_attr_addr,
	&scomp_attr_gmgr,
	&scomp_attr_dir,
	&scomp_attr_enable,
	NULL,
};

static void scomp_item_release(struct config_item *item)
{
	kvfree(to_scomp_item(item));
}

static struct configfs_item_operations scomp_item_ops = {
	.release = scomp_item_release,
};

static const struct config_item_type scomp_item_type = {
	.ct_item_ops = &scomp_item_ops,
	.ct_attrs = scomp_item_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *scomp_group_make(struct config_group *group,
					    const char *name)
{
	struct scomp_item *si;

	if (strlen(name) >= LITE_NAME_LEN)
		return ERR_PTR(-ENAMETOOLONG);
	si = kvzalloc(sizeof(*si), GFP_KERNEL);
	if (!si)
		return ERR_PTR(-ENOMEM);
	mutex_init(&si->lock);
	config_item_init_type_name(&si->item, name, &scomp_item_type);
	return &si->item;
}

static void scomp_group_drop(struct config_group *group,
			     struct config_item *item)
{
	struct scomp_item *si = to_scomp_item(item);

	mutex_lock(&si->lock);
	scomp_item_disable(si);
	mutex_unlock(&si->lock);
	config_item_put(item);
}

static struct configfs_group_operations scomp_group_ops = {
	.make_item = scomp_group_make,
	.drop_item = scomp_group_drop,
};

static const struct config_item_type scomp_group_type = {
	.ct_group_ops = &scomp_group_ops,
	.ct_owner = THIS_MODULE,
};

static struct config_group scomp_group;

/**
 * scomp_configfs_init() - make the directory where instances are made
 *
 * Return: 0 or an error.
 */
int scomp_configfs_init(void)
{
	config_group_init_type_name(&scomp_group, "scomp", &scomp_group_type);
	return configfs_register_group(lite_configfs(), &scomp_group);
}

/**
 * scomp_configfs_exit() - remove it; a directory in it holds the module
 */
void scomp_configfs_exit(void)
{
	configfs_unregister_group(&scomp_group);
}
