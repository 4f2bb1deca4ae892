// SPDX-License-Identifier: GPL-2.0
/*
 * A memory component as an object: made, joined, ended.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mcomp.h"

/* All instances of this kernel, for the uniqueness of names. */
static LIST_HEAD(instances);
static DEFINE_MUTEX(instances_lock);

static void instance_usage(void *priv, struct lite_usage *usage)
{
	struct mcomp *m = priv;

	usage->total = mcomp_pool_total(m->pool);
	usage->used = mcomp_pool_used(m->pool);
	usage->nr_spaces = READ_ONCE(m->nr_spaces);
	usage->max_vid = READ_ONCE(m->max_vid);
}

/* A pComponent's end, in whatever way, is the end of its spaces. */
static void instance_member_changed(void *priv, const struct lite_member *old,
				    const struct lite_member *new)
{
	struct mcomp *m = priv;

	if (new->role != LITE_ROLE_PCOMP)
		return;
	mod_delayed_work(m->wq, &m->gc_work, 0);
	/* Or it, or we, are back: what ended meanwhile? */
	if (new->state == GMGR_MEMBER_UP)
		mod_delayed_work(m->wq, &m->living_work, HZ);
}

static const struct lite_member_ops member_ops = {
	.usage = instance_usage,
	.changed = instance_member_changed,
};

/**
 * mcomp_check_name() - may a component be called so?
 * @name: the name; becomes a directory's
 *
 * Return: 0, -EINVAL.
 */
int mcomp_check_name(const char *name)
{
	size_t len = strlen(name), i;

	if (!len || len >= LITE_NAME_LEN || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) ||
		    (!isalnum(name[i]) && !strchr("_.-", name[i])))
			return -EINVAL;
	return 0;
}

static int instance_check_cfg(const struct mcomp_cfg *cfg)
{
	if (mcomp_check_name(cfg->name)) {
		pr_err("name=\"%s\": use 1 to %d of A-Z a-z 0-9 _ . -\n",
		       cfg->name, LITE_NAME_LEN - 1);
		return -EINVAL;
	}
	if (!*cfg->gmgr) {
		pr_err("%s: gmgr= is missing: say where gmgr is, as in gmgr=10.0.0.1:%d or gmgr=loop:g0\n",
		       cfg->name, LITE_PORT_GMGR);
		return -EINVAL;
	}
	if (!mcomp_pagemap_find(cfg->pagemap)) {
		pr_err("%s: pagemap=\"%s\": use radix or hash\n", cfg->name,
		       cfg->pagemap);
		return -EINVAL;
	}
	if (!mcomp_policy_find(cfg->policy)) {
		pr_err("%s: policy=\"%s\": use spread or home\n", cfg->name,
		       cfg->policy);
		return -EINVAL;
	}
	if (cfg->vregion_mb < 1 || cfg->vregion_mb > 1 << 20 ||
	    !is_power_of_2(cfg->vregion_mb)) {
		pr_err("%s: vregion_mb=%ld: use a power of two, 1 to %d\n",
		       cfg->name, cfg->vregion_mb, 1 << 20);
		return -EINVAL;
	}
	return 0;
}

static int instance_register(struct mcomp *m)
{
	struct mcomp *other;
	int err = 0;

	mutex_lock(&instances_lock);
	list_for_each_entry(other, &instances, list)
		if (!strcmp(other->name, m->name))
			err = -EEXIST;
	if (!err)
		list_add_tail(&m->list, &instances);
	mutex_unlock(&instances_lock);
	if (err)
		pr_err("%s: there is one of this name in this kernel\n",
		       m->name);
	return err;
}

static void instance_unregister(struct mcomp *m)
{
	mutex_lock(&instances_lock);
	list_del(&m->list);
	mutex_unlock(&instances_lock);
}

static struct mcomp *instance_alloc(const struct mcomp_cfg *cfg)
{
	struct mcomp *m;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return NULL;
	strscpy(m->name, cfg->name, sizeof(m->name));
	m->pagemap = mcomp_pagemap_find(cfg->pagemap);
	m->policy = mcomp_policy_find(cfg->policy);
	m->vregion_shift = 20 + ilog2(cfg->vregion_mb);
	xa_init(&m->spaces);
	INIT_LIST_HEAD(&m->clients);
	mutex_init(&m->lock);
	INIT_DELAYED_WORK(&m->gc_work, mcomp_gc_work);
	INIT_DELAYED_WORK(&m->living_work, mcomp_living_work);
	init_waitqueue_head(&m->stop_wait);
	init_completion(&m->kobj_gone);
	return m;
}

static int instance_start_node(struct mcomp *m, const struct mcomp_cfg *cfg)
{
	struct lite_node_cfg ncfg = {
		.name = m->name,
		.addr = cfg->addr,
		.port = LITE_PORT_MCOMP,
		.role = LITE_ROLE_MCOMP,
		.service = LITE_SVC_MCOMP,
		.handlers = mcomp_handlers,
		.nr_handlers = mcomp_nr_handlers,
		.priv = m,
	};
	int err;

	m->node = lite_node_create(&ncfg);
	if (IS_ERR(m->node)) {
		err = PTR_ERR(m->node);
		pr_err("%s: cannot listen on addr=\"%s\": error %d\n", m->name,
		       cfg->addr, err);
		return err;
	}
	err = mcomp_pool_register(m->pool, m->node);
	if (err) {
		pr_err("%s: cannot register its memory: error %d\n", m->name,
		       err);
		goto err_node;
	}
	return 0;

err_node:
	lite_node_stop(m->node);
	lite_node_destroy(m->node);
	return err;
}

static void instance_stop_node(struct mcomp *m)
{
	lite_leave(m->node);
	lite_node_stop(m->node);
	/* No handler and no callback runs any more; release what is left. */
	cancel_delayed_work_sync(&m->living_work);
	mcomp_gc_all(m);
	wait_event(m->stop_wait, !atomic_read(&m->nr_orphans));
	rcu_barrier(); /* queue_rcu_work() of ended spaces */
	drain_workqueue(m->wq);
	mcomp_pool_unregister(m->pool);
	lite_node_destroy(m->node);
}

/**
 * mcomp_create() - a memory component that serves and has joined
 * @cfg: copied
 *
 * Context: process, may sleep; bounded by lite_join().
 * Return: it, or ERR_PTR; the reason is logged.
 */
struct mcomp *mcomp_create(const struct mcomp_cfg *cfg)
{
	struct mcomp *m;
	int err;

	err = instance_check_cfg(cfg);
	if (err)
		return ERR_PTR(err);
	m = instance_alloc(cfg);
	if (!m)
		return ERR_PTR(-ENOMEM);
	err = instance_register(m);
	if (err)
		goto err_free;
	m->wq = alloc_workqueue("mcomp_%s", WQ_UNBOUND, 0, m->name);
	if (!m->wq) {
		err = -ENOMEM;
		goto err_unregister;
	}
	m->pool = mcomp_pool_create(m->name, cfg->mem_mb);
	if (IS_ERR(m->pool)) {
		err = PTR_ERR(m->pool);
		goto err_wq;
	}
	err = instance_start_node(m, cfg);
	if (err)
		goto err_pool;
	err = mcomp_sysfs_init(m);
	if (err)
		goto err_node;
	mcomp_debugfs_init(m);

	/* Pairs with serve_begin()'s acquire: all of the above is there. */
	smp_store_release(&m->ready, true);
	err = lite_join(m->node, cfg->gmgr, &member_ops);
	if (err) {
		pr_err("%s: cannot join gmgr=\"%s\" (error %d): is it up, and is this its address?\n",
		       m->name, cfg->gmgr, err);
		goto err_sysfs;
	}
	mod_delayed_work(m->wq, &m->living_work, HZ);
	pr_info("%s: serving %ld MiB at %s\n", m->name, cfg->mem_mb,
		lite_node_addr(m->node));
	return m;

err_sysfs:
	mcomp_debugfs_exit(m);
	mcomp_sysfs_exit(m);
err_node:
	WRITE_ONCE(m->stopping, true);
	instance_stop_node(m);
err_pool:
	mcomp_pool_destroy(m->pool);
err_wq:
	destroy_workqueue(m->wq);
err_unregister:
	instance_unregister(m);
err_free:
	kfree(m);
	return ERR_PTR(err);
}

/**
 * mcomp_try_close() - take no new space, if there is none
 * @m: memory component
 *
 * Context: process.
 * Return: 0: mcomp_destroy() will harm nobody; -EBUSY.
 */
int mcomp_try_close(struct mcomp *m)
{
	int err = 0;

	mutex_lock(&m->lock);
	if (m->nr_spaces)
		err = -EBUSY;
	else
		m->closing = true;
	mutex_unlock(&m->lock);
	return err;
}

/**
 * mcomp_destroy() - end a memory component
 * @m: it; spaces that it still has are lost, and that is logged
 *
 * Context: process, may sleep.
 */
void mcomp_destroy(struct mcomp *m)
{
	mutex_lock(&m->lock);
	m->closing = true;
	if (m->nr_spaces)
		pr_warn("%s: removed with %u spaces in use: their programs will end\n",
			m->name, m->nr_spaces);
	mutex_unlock(&m->lock);

	WRITE_ONCE(m->stopping, true);
	wake_up_all(&m->stop_wait);
	mcomp_debugfs_exit(m);
	mcomp_sysfs_exit(m);
	instance_stop_node(m);
	mcomp_pool_destroy(m->pool);
	destroy_workqueue(m->wq);
	instance_unregister(m);
	pr_info("%s: ended\n", m->name);
	kfree(m);
}
