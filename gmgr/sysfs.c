// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/lego/gmgr/<name>/ and members/<member>/ in it: one value a file.
 * Members that are dead or left stay, to be looked at.
 */
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "gmgr.h"

struct gmgr_attr {
	struct attribute attr;
	ssize_t (*show)(struct gmgr *g, char *buf);
	ssize_t (*store)(struct gmgr *g, const char *buf, size_t count);
};

struct member_attr {
	struct attribute attr;
	ssize_t (*show)(struct gmgr_component *c, char *buf);
};

static struct gmgr *to_gmgr(struct kobject *kobj)
{
	return container_of(kobj, struct gmgr, kobj);
}

static struct gmgr_component *to_component(struct kobject *kobj)
{
	return container_of(kobj, struct gmgr_component, kobj);
}

/* The manager's own. Each is called with gmgr.lock held. */

static ssize_t epoch_show(struct gmgr *g, char *buf)
{
	return sysfs_emit(buf, "%llu\n", g->epoch);
}

static ssize_t nr_members_show(struct gmgr *g, char *buf)
{
	return sysfs_emit(buf, "%u\n", g->nr_up);
}

static ssize_t nr_vnodes_show(struct gmgr *g, char *buf)
{
	return sysfs_emit(buf, "%u\n", g->nr_vnodes);
}

static ssize_t isolated_show(struct gmgr *g, char *buf)
{
	return sysfs_emit(buf, "%d\n", g->isolated);
}

static ssize_t placement_show(struct gmgr *g, char *buf)
{
	ssize_t n = 0;
	unsigned int i;

	for (i = 0; i < GMGR_NR_POLICIES; i++)
		n += sysfs_emit_at(buf, n,
				   gmgr_policies[i] == g->place ? "%s[%s]" :
								  "%s%s",
				   i ? " " : "", gmgr_policies[i]->name);
	n += sysfs_emit_at(buf, n, "\n");
	return n;
}

static ssize_t placement_store(struct gmgr *g, const char *buf, size_t count)
{
	const struct gmgr_place_ops *place = gmgr_policy_find(buf);

	if (!place)
		return -EINVAL;
	g->place = place;
	return count;
}

static struct gmgr_attr gmgr_attr_epoch = __ATTR_RO(epoch);
static struct gmgr_attr gmgr_attr_nr_members = __ATTR_RO(nr_members);
static struct gmgr_attr gmgr_attr_nr_vnodes = __ATTR_RO(nr_vnodes);
static struct gmgr_attr gmgr_attr_isolated = __ATTR_RO(isolated);
static struct gmgr_attr gmgr_attr_placement = __ATTR_RW(placement);

static struct attribute *gmgr_attrs[] = {
	&gmgr_attr_epoch.attr,
	&gmgr_attr_nr_members.attr,
	&gmgr_attr_nr_vnodes.attr,
	&gmgr_attr_isolated.attr,
	&gmgr_attr_placement.attr,
	NULL
};
ATTRIBUTE_GROUPS(gmgr);

static ssize_t gmgr_attr_show(struct kobject *kobj, struct attribute *attr,
			      char *buf)
{
	struct gmgr_attr *a = container_of(attr, struct gmgr_attr, attr);
	struct gmgr *g = to_gmgr(kobj);
	ssize_t n;

	mutex_lock(&g->lock);
	n = a->show(g, buf);
	mutex_unlock(&g->lock);
	return n;
}

static ssize_t gmgr_attr_store(struct kobject *kobj, struct attribute *attr,
			       const char *buf, size_t count)
{
	struct gmgr_attr *a = container_of(attr, struct gmgr_attr, attr);
	struct gmgr *g = to_gmgr(kobj);
	ssize_t n;

	if (!a->store)
		return -EACCES;
	mutex_lock(&g->lock);
	n = a->store(g, buf, count);
	mutex_unlock(&g->lock);
	return n;
}

static const struct sysfs_ops gmgr_sysfs_ops = {
	.show = gmgr_attr_show,
	.store = gmgr_attr_store,
};

static void gmgr_kobj_release(struct kobject *kobj)
{
	complete(&to_gmgr(kobj)->kobj_gone);
}

static const struct kobj_type gmgr_ktype = {
	.release = gmgr_kobj_release,
	.sysfs_ops = &gmgr_sysfs_ops,
	.default_groups = gmgr_groups,
};

/* A member's. Each is called with gmgr.lock held. */

static ssize_t role_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%s\n", gmgr_role_name(c->role));
}

static ssize_t state_show(struct gmgr_component *c, char *buf)
{
	static const char *const names[] = {
		[GMGR_MEMBER_UP] = "up",
		[GMGR_MEMBER_DEAD] = "dead",
		[GMGR_MEMBER_LEFT] = "left",
	};

	return sysfs_emit(buf, "%s\n", names[c->state]);
}

static ssize_t addr_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%s\n", c->addr);
}

static ssize_t id_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%u\n", c->id);
}

static ssize_t incarnation_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%016llx\n", c->incarnation);
}

static ssize_t total_bytes_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%llu\n", c->total);
}

static ssize_t used_bytes_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%llu\n", c->used);
}

static ssize_t nr_spaces_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%u\n", c->nr_spaces);
}

static ssize_t age_ms_show(struct gmgr_component *c, char *buf)
{
	return sysfs_emit(buf, "%llu\n", gmgr_now() - c->lease.heard);
}

static struct member_attr member_attr_role = __ATTR_RO(role);
static struct member_attr member_attr_state = __ATTR_RO(state);
static struct member_attr member_attr_addr = __ATTR_RO(addr);
static struct member_attr member_attr_id = __ATTR_RO(id);
static struct member_attr member_attr_incarnation = __ATTR_RO(incarnation);
static struct member_attr member_attr_total_bytes = __ATTR_RO(total_bytes);
static struct member_attr member_attr_used_bytes = __ATTR_RO(used_bytes);
static struct member_attr member_attr_nr_spaces = __ATTR_RO(nr_spaces);
static struct member_attr member_attr_age_ms = __ATTR_RO(age_ms);

static struct attribute *member_attrs[] = {
	&member_attr_role.attr,
	&member_attr_state.attr,
	&member_attr_addr.attr,
	&member_attr_id.attr,
	&member_attr_incarnation.attr,
	&member_attr_total_bytes.attr,
	&member_attr_used_bytes.attr,
	&member_attr_nr_spaces.attr,
	&member_attr_age_ms.attr,
	NULL
};
ATTRIBUTE_GROUPS(member);

static ssize_t member_attr_show(struct kobject *kobj, struct attribute *attr,
				char *buf)
{
	struct member_attr *a = container_of(attr, struct member_attr, attr);
	struct gmgr_component *c = to_component(kobj);
	ssize_t n;

	mutex_lock(&c->gmgr->lock);
	n = a->show(c, buf);
	mutex_unlock(&c->gmgr->lock);
	return n;
}

static const struct sysfs_ops member_sysfs_ops = {
	.show = member_attr_show,
};

static void member_release(struct kobject *kobj)
{
	kfree(to_component(kobj));
}

static const struct kobj_type member_ktype = {
	.release = member_release,
	.sysfs_ops = &member_sysfs_ops,
	.default_groups = member_groups,
};

/**
 * gmgr_sysfs_add_member() - give a member its directory
 * @c: member with a name nobody else has; from here its kobject frees it, also
 *	on an error
 *
 * Context: process, gmgr.lock not held.
 * Return: 0 or a negative errno.
 */
int gmgr_sysfs_add_member(struct gmgr_component *c)
{
	int err;

	err = kobject_init_and_add(&c->kobj, &member_ktype,
				   c->gmgr->members_kobj, "%s", c->name);
	if (err)
		kobject_put(&c->kobj);
	return err;
}

/**
 * gmgr_sysfs_del_member() - remove a member's directory, and free it
 * @c: member, in no list any more
 *
 * Context: process, gmgr.lock not held.
 */
void gmgr_sysfs_del_member(struct gmgr_component *c)
{
	kobject_del(&c->kobj);
	kobject_put(&c->kobj);
}

/**
 * gmgr_sysfs_init() - make /sys/kernel/lego/gmgr/<name>
 * @g: manager
 * @parent: where
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int gmgr_sysfs_init(struct gmgr *g, struct kobject *parent)
{
	int err;

	err = kobject_init_and_add(&g->kobj, &gmgr_ktype, parent, "%s",
				   g->name);
	if (err)
		goto err_put;
	g->members_kobj = kobject_create_and_add("members", &g->kobj);
	if (!g->members_kobj) {
		err = -ENOMEM;
		goto err_put;
	}
	return 0;

err_put:
	kobject_put(&g->kobj);
	wait_for_completion(&g->kobj_gone);
	return err;
}

/**
 * gmgr_sysfs_exit() - remove it
 * @g: manager without members
 *
 * Context: process, may sleep.
 */
void gmgr_sysfs_exit(struct gmgr *g)
{
	kobject_put(g->members_kobj);
	kobject_del(&g->kobj);
	kobject_put(&g->kobj);
	wait_for_completion(&g->kobj_gone);
}
