// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/config/lego/gmgr/vnodes/NAME/{root,storage,quota,vip,vid,processes}
 */
#include <linux/configfs.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

static struct gmgr_vn *to_vn(struct config_item *item)
{
	return container_of(to_config_group(item), struct gmgr_vn, group);
}

/* Bytes of @page without the newline that echo adds. */
static size_t line_len(const char *page, size_t count)
{
	return count && page[count - 1] == '\n' ? count - 1 : count;
}

static ssize_t gmgr_vnode_root_show(struct config_item *item, char *page)
{
	struct gmgr_vn *vn = to_vn(item);
	ssize_t n;

	mutex_lock(&vn->gmgr->lock);
	n = sysfs_emit(page, "%s\n", vn->root);
	mutex_unlock(&vn->gmgr->lock);
	return n;
}

static ssize_t gmgr_vnode_root_store(struct config_item *item,
				     const char *page, size_t count)
{
	struct gmgr_vn *vn = to_vn(item);
	int err;

	mutex_lock(&vn->gmgr->lock);
	err = gmgr_vnode_set_root(vn, page, line_len(page, count));
	mutex_unlock(&vn->gmgr->lock);
	return err ?: count;
}

static ssize_t gmgr_vnode_storage_show(struct config_item *item, char *page)
{
	struct gmgr_vn *vn = to_vn(item);
	ssize_t n;

	mutex_lock(&vn->gmgr->lock);
	n = sysfs_emit(page, "%s\n", vn->storage);
	mutex_unlock(&vn->gmgr->lock);
	return n;
}

static ssize_t gmgr_vnode_storage_store(struct config_item *item,
					const char *page, size_t count)
{
	struct gmgr_vn *vn = to_vn(item);
	int err;

	mutex_lock(&vn->gmgr->lock);
	err = gmgr_vnode_set_storage(vn, page, line_len(page, count));
	mutex_unlock(&vn->gmgr->lock);
	return err ?: count;
}

static ssize_t gmgr_vnode_quota_show(struct config_item *item, char *page)
{
	struct gmgr_vn *vn = to_vn(item);
	ssize_t n;

	mutex_lock(&vn->gmgr->lock);
	n = sysfs_emit(page, "%llu\n", vn->quota);
	mutex_unlock(&vn->gmgr->lock);
	return n;
}

static ssize_t gmgr_vnode_quota_store(struct config_item *item,
				      const char *page, size_t count)
{
	struct gmgr_vn *vn = to_vn(item);
	u64 quota;
	char *end;

	/* memparse() takes "-1" for a very large number. */
	if (page[0] < '0' || page[0] > '9')
		return -EINVAL;
	quota = memparse(page, &end);
	if (*skip_spaces(end))
		return -EINVAL;
	mutex_lock(&vn->gmgr->lock);
	vn->quota = quota;
	gmgr_vnodes_changed(vn->gmgr);
	mutex_unlock(&vn->gmgr->lock);
	return count;
}

static ssize_t gmgr_vnode_vip_show(struct config_item *item, char *page)
{
	struct gmgr_vn *vn = to_vn(item);
	__be32 vip;

	mutex_lock(&vn->gmgr->lock);
	vip = vn->vip;
	mutex_unlock(&vn->gmgr->lock);
	return sysfs_emit(page, "%pI4\n", &vip);
}

static ssize_t gmgr_vnode_vip_store(struct config_item *item, const char *page,
				    size_t count)
{
	struct gmgr_vn *vn = to_vn(item);
	size_t len = line_len(page, count);
	const char *end;
	__be32 vip = 0;

	if (len && (!in4_pton(page, len, (u8 *)&vip, -1, &end) ||
		    end != page + len))
		return -EINVAL;
	mutex_lock(&vn->gmgr->lock);
	vn->vip = vip;
	gmgr_vnodes_changed(vn->gmgr);
	mutex_unlock(&vn->gmgr->lock);
	return count;
}

static ssize_t gmgr_vnode_vid_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", to_vn(item)->vid);
}

static ssize_t gmgr_vnode_processes_show(struct config_item *item, char *page)
{
	struct gmgr_vn *vn = to_vn(item);
	u32 nr = 0;
	int err = vn->vid ? gmgr_procs(vn->gmgr, &vn->vid, &nr, 1) : 0;

	return err ?: sysfs_emit(page, "%u\n", nr);
}

CONFIGFS_ATTR(gmgr_vnode_, root);
CONFIGFS_ATTR(gmgr_vnode_, storage);
CONFIGFS_ATTR(gmgr_vnode_, quota);
CONFIGFS_ATTR(gmgr_vnode_, vip);
CONFIGFS_ATTR_RO(gmgr_vnode_, vid);
CONFIGFS_ATTR_RO(gmgr_vnode_, processes);

static struct configfs_attribute *vnode_attrs[] = {
	&gmgr_vnode_attr_root,
	&gmgr_vnode_attr_storage,
	&gmgr_vnode_attr_quota,
	&gmgr_vnode_attr_vip,
	&gmgr_vnode_attr_vid,
	&gmgr_vnode_attr_processes,
	NULL
};

static void vnode_release(struct config_item *item)
{
	kfree(to_vn(item));
}

static struct configfs_item_operations vnode_item_ops = {
	.release = vnode_release,
};

static const struct config_item_type vnode_type = {
	.ct_item_ops = &vnode_item_ops,
	.ct_attrs = vnode_attrs,
	.ct_owner = THIS_MODULE,
};

/**
 * gmgr_configfs_vnode_init() - give a new vNode its directory's kind
 * @vn: vNode with a name; from here config_item_put() frees it
 */
void gmgr_configfs_vnode_init(struct gmgr_vn *vn)
{
	config_group_init_type_name(&vn->group, vn->name, &vnode_type);
}

static struct config_group *vnodes_make_group(struct config_group *group,
					      const char *name)
{
	struct gmgr *g = container_of(group, struct gmgr, vnodes_group);
	struct gmgr_vn *vn = gmgr_vnode_alloc(g, name);

	return IS_ERR(vn) ? ERR_CAST(vn) : &vn->group;
}

static void vnodes_drop_item(struct config_group *group,
			     struct config_item *item)
{
	gmgr_vnode_del(to_vn(item));
	config_item_put(item);
}

static struct configfs_group_operations vnodes_group_ops = {
	.make_group = vnodes_make_group,
	.drop_item = vnodes_drop_item,
};

static const struct config_item_type vnodes_type = {
	.ct_group_ops = &vnodes_group_ops,
	.ct_owner = THIS_MODULE,
};

static const struct config_item_type gmgr_type = {
	.ct_owner = THIS_MODULE,
};

/**
 * gmgr_configfs_init() - make /sys/kernel/config/lego/gmgr
 * @g: manager
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int gmgr_configfs_init(struct gmgr *g)
{
	config_group_init_type_name(&g->group, "gmgr", &gmgr_type);
	config_group_init_type_name(&g->vnodes_group, "vnodes", &vnodes_type);
	configfs_add_default_group(&g->vnodes_group, &g->group);
	return configfs_register_group(lite_configfs(), &g->group);
}

/**
 * gmgr_configfs_exit() - remove it
 * @g: manager without vNodes
 *
 * Context: process, may sleep.
 */
void gmgr_configfs_exit(struct gmgr *g)
{
	configfs_unregister_group(&g->group);
}
