// SPDX-License-Identifier: GPL-2.0
/*
 * Instances: a pComponent from its parameters to its end. A module's parameters
 * make the first, configfs makes more.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "pcomp.h"

/* Registry. pcomp_instances_lock is outermost of all but configfs's locks. */
static LIST_HEAD(instances);
static DEFINE_MUTEX(instances_lock);

/**
 * pcomp_node() - a component's node
 * @pc: referenced
 */
struct lite_node *pcomp_node(struct pcomp *pc)
{
	return pc->node;
}

/**
 * pcomp_get() - one more reference
 * @pc: referenced
 *
 * Context: any.
 */
void pcomp_get(struct pcomp *pc)
{
	refcount_inc(&pc->refs);
}

/**
 * pcomp_put() - drop a reference that is not the last one
 * @pc: referenced; the instance itself has one till pcomp_destroy()
 *
 * Context: any.
 */
void pcomp_put(struct pcomp *pc)
{
	/*
	 * The waiter may free @pc as soon as it sees 1, so wake it under RCU:
	 * it waits for a grace period after that.
	 */
	rcu_read_lock();
	refcount_dec(&pc->refs);
	if (refcount_read(&pc->refs) == 1)
		wake_up_all(&pc->idle);
	rcu_read_unlock();
}

/**
 * pcomp_get_by_name() - find a component
 * @name: "" for the only one there is
 *
 * Context: process.
 * Return: a reference for pcomp_put(), or ERR_PTR(-ENODEV): no such one, or
 *	several and no name.
 */
struct pcomp *pcomp_get_by_name(const char *name)
{
	struct pcomp *pc, *found = NULL;
	unsigned int n = 0;

	mutex_lock(&instances_lock);
	list_for_each_entry(pc, &instances, node_list)
		if (!*name || !strcmp(name, pc->name)) {
			found = pc;
			n++;
		}
	if (n == 1)
		pcomp_get(found);
	mutex_unlock(&instances_lock);
	return n == 1 ? found : ERR_PTR(-ENODEV);
}

static void usage(void *priv, struct lite_usage *u)
{
	struct pcomp *pc = priv;

	u->total = (u64)pc->cache.nr << PAGE_SHIFT;
	u->used = (u64)(pc->cache.nr - READ_ONCE(pc->cache.nr_free))
		  << PAGE_SHIFT;
	u->nr_spaces = atomic_read(&pc->nr_spaces);
	u->max_vid = READ_ONCE(pc->max_vid);
}

static void changed(void *priv, const struct lite_member *old,
		    const struct lite_member *new)
{
	struct pcomp *pc = priv;

	if (!old || old->role != LITE_ROLE_MCOMP ||
	    old->state != GMGR_MEMBER_UP)
		return;
	/* dead, gone, or here again with nothing in its memory */
	if (new->state != GMGR_MEMBER_UP ||
	    new->incarnation != old->incarnation)
		pcomp_member_gone(pc, old);
}

static const struct lite_member_ops member_ops = {
	.usage = usage,
	.changed = changed,
};

static int check(const struct pcomp_cfg *cfg)
{
	long have = si_mem_available() >> (20 - PAGE_SHIFT);

	if (!cfg->name || !*cfg->name || strlen(cfg->name) >= LITE_NAME_LEN ||
	    strchr(cfg->name, '/')) {
		pr_err("name= must be 1 to %d characters without '/'\n",
		       LITE_NAME_LEN - 1);
		return -EINVAL;
	}
	if (!cfg->gmgr || !*cfg->gmgr) {
		pr_err("%s: gmgr= is missing: give the address of the node where gmgr runs, as IP or IP:port\n",
		       cfg->name);
		return -EINVAL;
	}
	if (cfg->excache_mb <= 0) {
		pr_err("%s: excache_mb=%ld is no size: give the MiB of memory to reserve for ExCache, 1 or more\n",
		       cfg->name, cfg->excache_mb);
		return -EINVAL;
	}
	if (cfg->excache_mb > have - have / 8) {
		pr_err("%s: excache_mb=%ld is more than this machine can spare: at most %ld\n",
		       cfg->name, cfg->excache_mb, have - have / 8);
		return -ENOMEM;
	}
	return 0;
}

static int node_create(struct pcomp *pc, const struct pcomp_cfg *cfg)
{
	struct lite_node_cfg ncfg = {
		.name = pc->name,
		.addr = cfg->addr,
		.port = LITE_PORT_PCOMP,
		.role = LITE_ROLE_PCOMP,
		.service = LITE_SVC_PCOMP,
		.handlers = pcomp_handlers,
		.nr_handlers = pcomp_nr_handlers,
		.priv = pc,
	};

	pc->node = lite_node_create(&ncfg);
	return PTR_ERR_OR_ZERO(pc->node);
}

static struct pcomp *alloc(const char *name)
{
	struct pcomp *pc = kzalloc(sizeof(*pc), GFP_KERNEL);

	if (!pc)
		return NULL;
	kobject_init(&pc->kobj, &pcomp_ktype);
	strscpy(pc->name, name, sizeof(pc->name));
	refcount_set(&pc->refs, 1);
	init_waitqueue_head(&pc->idle);
	xa_init_flags(&pc->spaces, XA_FLAGS_ALLOC1);
	xa_init(&pc->wb_peers);
	spin_lock_init(&pc->exports_lock);
	INIT_LIST_HEAD(&pc->exports);
	return pc;
}

static bool name_taken(const char *name)
{
	struct pcomp *pc;

	list_for_each_entry(pc, &instances, node_list)
		if (!strcmp(pc->name, name))
			return true;
	return false;
}

static void end_queues(struct pcomp *pc)
{
	if (pc->wq)
		destroy_workqueue(pc->wq);
	if (pc->flush_wq)
		destroy_workqueue(pc->flush_wq);
	if (pc->io_wq)
		destroy_workqueue(pc->io_wq);
}

static int make_queues(struct pcomp *pc)
{
	pc->wq = alloc_workqueue("pcomp-%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
				 pc->name);
	pc->flush_wq = alloc_workqueue("pcomp-flush-%s", WQ_UNBOUND, 0,
				       pc->name);
	pc->io_wq = alloc_workqueue("pcomp-io-%s",
				    WQ_UNBOUND | WQ_MEM_RECLAIM, 0, pc->name);
	if (pc->wq && pc->flush_wq && pc->io_wq)
		return 0;
	end_queues(pc);
	return -ENOMEM;
}

/**
 * pcomp_create() - bring a pComponent up
 * @cfg: name, addresses, size
 *
 * Context: process, may sleep, bounded.
 * Return: the instance for pcomp_destroy(), or ERR_PTR; the reason is logged.
 */
struct pcomp *pcomp_create(const struct pcomp_cfg *cfg)
{
	struct pcomp *pc;
	int err;

	err = check(cfg);
	if (err)
		return ERR_PTR(err);
	pc = alloc(cfg->name);
	if (!pc)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&instances_lock);
	if (name_taken(cfg->name)) {
		pr_err("%s: there is a pComponent of this name here\n",
		       cfg->name);
		err = -EEXIST;
		goto err_free;
	}
	err = make_queues(pc);
	if (err)
		goto err_free;
	err = node_create(pc, cfg);
	if (err)
		goto err_queues;
	err = pcomp_cache_init(pc, cfg->excache_mb);
	if (err) {
		pr_err("%s: ExCache of %ld MiB could not be made: error %d\n",
		       pc->name, cfg->excache_mb, err);
		goto err_node;
	}
	err = pcomp_evictors_start(pc);
	if (err)
		goto err_cache;
	err = lite_join(pc->node, cfg->gmgr, &member_ops);
	if (err)
		goto err_evictors;
	err = kobject_add(&pc->kobj, pcomp_kobj, "%s", pc->name);
	if (err)
		goto err_leave;
	pcomp_debugfs_create(pc);
	list_add_tail(&pc->node_list, &instances);
	mutex_unlock(&instances_lock);
	pr_info("%s: ExCache of %ld MiB\n", pc->name, cfg->excache_mb);
	return pc;

err_leave:
	lite_leave(pc->node);
err_evictors:
	pcomp_evictors_stop(pc);
err_cache:
	lite_node_stop(pc->node);
	pcomp_cache_exit(pc);
	lite_node_destroy(pc->node);
	goto err_queues;
err_node:
	lite_node_stop(pc->node);
	lite_node_destroy(pc->node);
err_queues:
	end_queues(pc);
err_free:
	mutex_unlock(&instances_lock);
	kobject_put(&pc->kobj);
	return ERR_PTR(err);
}

static void kill_all(struct pcomp *pc)
{
	struct pcomp_space *s;
	unsigned long i;

	rcu_read_lock();
	xa_for_each(&pc->spaces, i, s) {
		if (!refcount_inc_not_zero(&s->refs))
			continue;
		rcu_read_unlock();
		pcomp_space_kill(s, "its pComponent was taken down");
		pcomp_space_put(s);
		rcu_read_lock();
	}
	rcu_read_unlock();
}

/**
 * pcomp_destroy() - take a pComponent down
 * @pc: from pcomp_create()
 * @force: end its processes; else -EBUSY if it has any
 *
 * Context: process, may sleep until they have ended.
 */
int pcomp_destroy(struct pcomp *pc, bool force)
{
	mutex_lock(&instances_lock);
	if (!force && refcount_read(&pc->refs) > 1) {
		mutex_unlock(&instances_lock);
		pr_err("%s: is in use: end its processes and unmount its vNodes' files first\n",
		       pc->name);
		return -EBUSY;
	}
	list_del(&pc->node_list);
	mutex_unlock(&instances_lock);
	kill_all(pc);
	while (!wait_event_timeout(pc->idle, refcount_read(&pc->refs) == 1,
				   10 * HZ))
		pr_warn("%s: still in use: waiting for %u users\n", pc->name,
			refcount_read(&pc->refs) - 1);
	synchronize_rcu();
	pcomp_debugfs_remove(pc);
	kobject_del(&pc->kobj);
	lite_leave(pc->node);
	pcomp_evictors_stop(pc);
	lite_node_stop(pc->node);
	pcomp_wb_peers_exit(pc);
	end_queues(pc);
	pcomp_cache_exit(pc);
	lite_node_destroy(pc->node);
	pr_info("%s: gone\n", pc->name);
	kobject_put(&pc->kobj);
	return 0;
}
