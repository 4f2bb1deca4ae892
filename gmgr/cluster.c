// SPDX-License-Identifier: GPL-2.0
/*
 * The global manager as an object: made, named, ended.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

/**
 * gmgr_check_name() - may a component or vNode be called so?
 * @name: the name, perhaps from the wire
 * @size: bytes there, its NUL included
 *
 * Names become directory names in sysfs and configfs.
 * Return: 0, -ENAMETOOLONG (no NUL), -EINVAL.
 */
int gmgr_check_name(const char *name, size_t size)
{
	size_t len = strnlen(name, size), i;

	if (len == size)
		return -ENAMETOOLONG;
	if (!len || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) ||
		    (!isalnum(name[i]) && !strchr("_.-", name[i])))
			return -EINVAL;
	return 0;
}

/**
 * gmgr_role_name() - a role for people
 * @role: enum lite_role
 *
 * Return: a constant string.
 */
const char *gmgr_role_name(u32 role)
{
	static const char *const names[LITE_ROLE_NR] = {
		[LITE_ROLE_NONE] = "none",
		[LITE_ROLE_GMGR] = "gmgr",
		[LITE_ROLE_PCOMP] = "pcomp",
		[LITE_ROLE_MCOMP] = "mcomp",
		[LITE_ROLE_SCOMP] = "scomp",
	};

	return role < LITE_ROLE_NR ? names[role] : "unknown";
}

/**
 * gmgr_news() - log what happened in the rack
 * @g: manager
 * @fmt: as printk()'s
 *
 * Peers make the news, so that there is a limit to it.
 * Context: any.
 */
void gmgr_news(struct gmgr *g, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	if (!__ratelimit(&g->news))
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_info("%s: %pV", g->name, &vaf);
	va_end(args);
}

static int gmgr_check_cfg(const struct gmgr_cfg *cfg)
{
	if (gmgr_check_name(cfg->name, LITE_NAME_LEN)) {
		pr_err("name=\"%s\": use 1 to %d of A-Z a-z 0-9 _ . -\n",
		       cfg->name, LITE_NAME_LEN - 1);
		return -EINVAL;
	}
	if (!gmgr_policy_find(cfg->placement)) {
		pr_err("placement=\"%s\": use free or rr\n", cfg->placement);
		return -EINVAL;
	}
	if (cfg->heartbeat_ms < 50 || cfg->heartbeat_ms > 10000) {
		pr_err("heartbeat_ms=%u: use 50 to 10000\n", cfg->heartbeat_ms);
		return -EINVAL;
	}
	if (cfg->dead_ms < 2 * cfg->heartbeat_ms || cfg->dead_ms > 100000) {
		pr_err("dead_ms=%u: use 2 * heartbeat_ms to 100000\n",
		       cfg->dead_ms);
		return -EINVAL;
	}
	return 0;
}

/**
 * gmgr_create() - a global manager that serves
 * @cfg: copied
 *
 * Context: process, may sleep.
 * Return: it, or ERR_PTR; the reason is logged.
 */
struct gmgr *gmgr_create(const struct gmgr_cfg *cfg)
{
	struct lite_node_cfg ncfg = {
		.name = cfg->name,
		.addr = cfg->addr,
		.port = LITE_PORT_GMGR,
		.role = LITE_ROLE_GMGR,
		.service = LITE_SVC_GMGR,
		.handlers = gmgr_handlers,
		.nr_handlers = gmgr_nr_handlers,
	};
	struct gmgr *g;
	int err;

	err = gmgr_check_cfg(cfg);
	if (err)
		return ERR_PTR(err);

	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return ERR_PTR(-ENOMEM);
	strscpy(g->name, cfg->name, sizeof(g->name));
	g->heartbeat_ms = cfg->heartbeat_ms;
	g->dead_ms = cfg->dead_ms;
	g->place = gmgr_policy_find(cfg->placement);
	ratelimit_state_init(&g->news, 5 * HZ, 100);
	mutex_init(&g->join_lock);
	mutex_init(&g->lock);
	INIT_LIST_HEAD(&g->vnodes);
	gmgr_vids_init(g);
	gmgr_learn_init(g);
	/* A restarted gmgr must not come to an epoch that members have seen. */
	g->epoch = ktime_get_real_ns() / NSEC_PER_MSEC;
	init_completion(&g->kobj_gone);

	g->vnode_wq = alloc_ordered_workqueue("gmgr_vnode_%s", 0, g->name);
	if (!g->vnode_wq) {
		err = -ENOMEM;
		goto err_free;
	}
	err = gmgr_sysfs_init(g, gmgr_kobj());
	if (err)
		goto err_wq;
	err = gmgr_members_init(g);
	if (err)
		goto err_sysfs;

	ncfg.priv = g;
	g->node = lite_node_create(&ncfg);
	if (IS_ERR(g->node)) {
		err = PTR_ERR(g->node);
		pr_err("%s: cannot listen on addr=\"%s\": error %d\n", g->name,
		       cfg->addr, err);
		goto err_members;
	}

	err = gmgr_configfs_init(g);
	if (err) {
		pr_err("%s: configfs: error %d\n", g->name, err);
		goto err_node;
	}

	/* Pairs with serve.c's acquire: all of the above is there. */
	smp_store_release(&g->ready, true);
	pr_info("%s: serving at %s\n", g->name, lite_node_addr(g->node));
	return g;

err_node:
	lite_node_destroy(g->node);
err_members:
	gmgr_members_exit(g);
err_sysfs:
	gmgr_sysfs_exit(g);
err_wq:
	destroy_workqueue(g->vnode_wq);
err_free:
	kfree(g);
	return ERR_PTR(err);
}

/**
 * gmgr_destroy() - end a global manager
 * @g: it; has no vNodes (they hold the module)
 *
 * Context: process, may sleep.
 */
void gmgr_destroy(struct gmgr *g)
{
	gmgr_settle(g); /* none waits any more */
	gmgr_learn_end(g);
	/* No handler, hence no new member, after this. */
	lite_node_stop(g->node);
	destroy_workqueue(g->vnode_wq);
	gmgr_configfs_exit(g);
	gmgr_members_exit(g);
	gmgr_sysfs_exit(g);
	lite_node_destroy(g->node);
	xa_destroy(&g->vids);
	pr_info("%s: ended\n", g->name);
	kfree(g);
}
