// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/lego/scomp/NAME: one value a file.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "scomp.h"

static struct kobject *scomp_dir_kobj;

static struct scomp *scomp_of(struct kobject *kobj)
{
	return container_of(kobj, struct scomp, kobj);
}

static ssize_t dir_show(struct kobject *kobj, struct kobj_attribute *attr,
			char *buf)
{
	return sysfs_emit(buf, "%s\n", scomp_of(kobj)->dir_name);
}

static ssize_t requests_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&scomp_of(kobj)->requests));
}

static ssize_t read_bytes_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&scomp_of(kobj)->read_bytes));
}

static ssize_t write_bytes_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&scomp_of(kobj)->write_bytes));
}

static struct kobj_attribute dir_attr = __ATTR_RO(dir);
static struct kobj_attribute requests_attr = __ATTR_RO(requests);
static struct kobj_attribute read_bytes_attr = __ATTR_RO(read_bytes);
static struct kobj_attribute write_bytes_attr = __ATTR_RO(write_bytes);

static struct attribute *scomp_attrs[] = {
	&dir_attr.attr,
	&requests_attr.attr,
	&read_bytes_attr.attr,
	&write_bytes_attr.attr,
	NULL,
};
ATTRIBUTE_GROUPS(scomp);

static void scomp_kobj_release(struct kobject *kobj)
{
	complete(&scomp_of(kobj)->kobj_gone);
}

static const struct kobj_type scomp_ktype = {
	.release = scomp_kobj_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = scomp_groups,
};

/**
 * scomp_sysfs_add() - show an instance
 * @sc: the instance
 *
 * Return: 0, -EEXIST (its name is taken in this kernel), -ENOMEM.
 */
int scomp_sysfs_add(struct scomp *sc)
{
	int err;

	init_completion(&sc->kobj_gone);
	err = kobject_init_and_add(&sc->kobj, &scomp_ktype, scomp_dir_kobj,
				   "%s", sc->name);
	if (err) {
		kobject_put(&sc->kobj);
		wait_for_completion(&sc->kobj_gone);
	}
	return err;
}

/**
 * scomp_sysfs_del() - show it no more; no reader is left on return
 * @sc: the instance
 */
void scomp_sysfs_del(struct scomp *sc)
{
	kobject_del(&sc->kobj);
	kobject_put(&sc->kobj);
	wait_for_completion(&sc->kobj_gone);
}

/**
 * scomp_sysfs_init() - make the directory of all instances
 *
 * Return: 0 or -ENOMEM.
 */
int scomp_sysfs_init(void)
{
	scomp_dir_kobj = kobject_create_and_add("scomp", lite_kobj());
	return scomp_dir_kobj ? 0 : -ENOMEM;
}

/**
 * scomp_sysfs_exit() - remove it
 */
void scomp_sysfs_exit(void)
{
	kobject_put(scomp_dir_kobj);
}
