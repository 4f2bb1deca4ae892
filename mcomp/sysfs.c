// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/lego/mcomp/<name>/: one value a file.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "mcomp.h"

struct mcomp_attr {
	struct attribute attr;
	ssize_t (*show)(struct mcomp *m, char *buf);
	ssize_t (*store)(struct mcomp *m, const char *buf, size_t count);
};

static struct mcomp *to_mcomp(struct kobject *kobj)
{
	return container_of(kobj, struct mcomp, kobj);
}

static ssize_t addr_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%s\n", lite_node_addr(m->node));
}

static ssize_t id_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%u\n", lite_node_id(m->node));
}

static ssize_t total_bytes_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%llu\n", mcomp_pool_total(m->pool));
}

static ssize_t used_bytes_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%llu\n", mcomp_pool_used(m->pool));
}

static ssize_t spaces_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(m->nr_spaces));
}

static ssize_t fetches_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&m->stats.fetches));
}

static ssize_t fetch_misses_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&m->stats.fetch_misses));
}

static ssize_t writebacks_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&m->stats.writebacks));
}

static ssize_t nomem_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&m->stats.nomem));
}

static ssize_t pagemap_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%s\n", m->pagemap->name);
}

static ssize_t vregion_mb_show(struct mcomp *m, char *buf)
{
	return sysfs_emit(buf, "%lu\n", 1UL << (m->vregion_shift - 20));
}

static ssize_t policy_show(struct mcomp *m, char *buf)
{
	const struct mcomp_region_ops *policy = READ_ONCE(m->policy);
	ssize_t n = 0;
	unsigned int i;

	for (i = 0; i < MCOMP_NR_POLICIES; i++)
		n += sysfs_emit_at(buf, n,
				   mcomp_policies[i] == policy ? "%s[%s]" :
								 "%s%s",
				   i ? " " : "", mcomp_policies[i]->name);
	n += sysfs_emit_at(buf, n, "\n");
	return n;
}

static ssize_t policy_store(struct mcomp *m, const char *buf, size_t count)
{
	const struct mcomp_region_ops *policy = mcomp_policy_find(buf);

	if (!policy)
		return -EINVAL;
	WRITE_ONCE(m->policy, policy);
	return count;
}

static struct mcomp_attr mcomp_attr_addr = __ATTR_RO(addr);
static struct mcomp_attr mcomp_attr_id = __ATTR_RO(id);
static struct mcomp_attr mcomp_attr_total_bytes = __ATTR_RO(total_bytes);
static struct mcomp_attr mcomp_attr_used_bytes = __ATTR_RO(used_bytes);
static struct mcomp_attr mcomp_attr_spaces = __ATTR_RO(spaces);
static struct mcomp_attr mcomp_attr_fetches = __ATTR_RO(fetches);
static struct mcomp_attr mcomp_attr_fetch_misses = __ATTR_RO(fetch_misses);
static struct mcomp_attr mcomp_attr_writebacks = __ATTR_RO(writebacks);
static struct mcomp_attr mcomp_attr_nomem = __ATTR_RO(nomem);
static struct mcomp_attr mcomp_attr_pagemap = __ATTR_RO(pagemap);
static struct mcomp_attr mcomp_attr_vregion_mb = __ATTR_RO(vregion_mb);
static struct mcomp_attr mcomp_attr_policy = __ATTR_RW(policy);

static struct attribute *mcomp_attrs[] = {
	&mcomp_attr_addr.attr,
	&mcomp_attr_id.attr,
	&mcomp_attr_total_bytes.attr,
	&mcomp_attr_used_bytes.attr,
	&mcomp_attr_spaces.attr,
	&mcomp_attr_fetches.attr,
	&mcomp_attr_fetch_misses.attr,
	&mcomp_attr_writebacks.attr,
	&mcomp_attr_nomem.attr,
	&mcomp_attr_pagemap.attr,
	&mcomp_attr_vregion_mb.attr,
	&mcomp_attr_policy.attr,
	NULL
};
ATTRIBUTE_GROUPS(mcomp);

static ssize_t mcomp_attr_show(struct kobject *kobj, struct attribute *attr,
			       char *buf)
{
	struct mcomp_attr *a = container_of(attr, struct mcomp_attr, attr);

	return a->show(to_mcomp(kobj), buf);
}

static ssize_t mcomp_attr_store(struct kobject *kobj, struct attribute *attr,
				const char *buf, size_t count)
{
	struct mcomp_attr *a = container_of(attr, struct mcomp_attr, attr);

	return a->store ? a->store(to_mcomp(kobj), buf, count) : -EACCES;
}

static const struct sysfs_ops mcomp_sysfs_ops = {
	.show = mcomp_attr_show,
	.store = mcomp_attr_store,
};

static void mcomp_kobj_release(struct kobject *kobj)
{
	complete(&to_mcomp(kobj)->kobj_gone);
}

static const struct kobj_type mcomp_ktype = {
	.release = mcomp_kobj_release,
	.sysfs_ops = &mcomp_sysfs_ops,
	.default_groups = mcomp_groups,
};

/**
 * mcomp_sysfs_init() - make /sys/kernel/lego/mcomp/<name>
 * @m: memory component with a node and a pool
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int mcomp_sysfs_init(struct mcomp *m)
{
	int err;

	err = kobject_init_and_add(&m->kobj, &mcomp_ktype, mcomp_module_kobj(),
				   "%s", m->name);
	if (err) {
		kobject_put(&m->kobj);
		wait_for_completion(&m->kobj_gone);
	}
	return err;
}

/**
 * mcomp_sysfs_exit() - remove it; nobody looks any more on return
 * @m: memory component
 *
 * Context: process, may sleep.
 */
void mcomp_sysfs_exit(struct mcomp *m)
{
	kobject_del(&m->kobj);
	kobject_put(&m->kobj);
	wait_for_completion(&m->kobj_gone);
}
