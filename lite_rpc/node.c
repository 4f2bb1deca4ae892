// SPDX-License-Identifier: GPL-2.0
/* Nodes: what a component makes of itself; and the registry of this kernel's. */
#include <linux/delay.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "lite_rpc.h"

/*
 * Nodes of this kernel. nodes_lock > node->mr_lock, node->lock.
 * A node is in the list from when it listens till it is destroyed.
 */
static LIST_HEAD(nodes);

static bool components_keep;
module_param(components_keep, bool, 0644);
MODULE_PARM_DESC(components_keep,
		 "components of this kernel keep LMRs, locks and barriers for other nodes (default N: programs' nodes only)");
static DEFINE_MUTEX(nodes_lock);

static void node_release(struct kref *ref)
{
	struct lite_node *node = container_of(ref, struct lite_node, ref);

	complete(&node->released);
}

/**
 * lite_node_get() - one more user
 * @node: node
 *
 * Context: any.
 */
void lite_node_get(struct lite_node *node)
{
	kref_get(&node->ref);
}

/**
 * lite_node_put() - one less
 * @node: node; lite_node_destroy() waits for the last
 *
 * Context: any.
 */
void lite_node_put(struct lite_node *node)
{
	kref_put(&node->ref, node_release);
}

static struct lite_node *find_kind(const char *addr, bool program)
{
	struct lite_node *node;

	lockdep_assert_held(&nodes_lock);
	list_for_each_entry(node, &nodes, list) {
		if (node->program != program || READ_ONCE(node->stopping) ||
		    strcmp(node->addr.text, addr))
			continue;
		/* it may be stopped, and be at its end, since that was looked at */
		if (kref_get_unless_zero(&node->ref))
			return node;
	}
	return NULL;
}

/**
 * lite_node_find() - the node of this kernel that listens on an address
 * @addr: normal form
 * @caller: who wants to call it. A component calls no program, whatever address
 *	that has; a program calls the component if both have that address
 *
 * Context: process. Return: a reference, or NULL.
 */
struct lite_node *lite_node_find(const char *addr,
				 const struct lite_node *caller)
{
	struct lite_node *found;

	mutex_lock(&nodes_lock);
	found = find_kind(addr, false);
	if (!found && caller->program)
		found = find_kind(addr, true);
	mutex_unlock(&nodes_lock);
	return found;
}

/**
 * lite_node_find_on() - a node of this kernel that uses a device
 * @dev: struct ib_device
 *
 * Context: process; waits for nodes that are just being destroyed.
 * Return: a reference, or NULL: no node uses the device any more.
 */
struct lite_node *lite_node_find_on(const void *dev)
{
	struct lite_node *node, *found;
	bool ending;

	do {
		found = NULL;
		ending = false;
		mutex_lock(&nodes_lock);
		list_for_each_entry(node, &nodes, list) {
			if (!lite_cm_uses(node, dev))
				continue;
			ending = !kref_get_unless_zero(&node->ref);
			if (ending)
				continue;
			found = node;
			break;
		}
		mutex_unlock(&nodes_lock);
		if (!found && ending)
			msleep(20);
	} while (!found && ending);
	return found;
}

/**
 * lite_nodes_each() - do something with each node of this kernel
 * @fn: what; no node is destroyed meanwhile
 *
 * Context: process.
 */
void lite_nodes_each(void (*fn)(struct lite_node *node))
{
	struct lite_node *node;

	mutex_lock(&nodes_lock);
	list_for_each_entry(node, &nodes, list)
		fn(node);
	mutex_unlock(&nodes_lock);
}

/**
 * lite_node_keeps() - may others have LMRs, locks and barriers made here
 * @node: node
 *
 * Programs' nodes are there for that. Components do it where the admin wants.
 * Context: any. Return: true if so.
 */
bool lite_node_keeps(const struct lite_node *node)
{
	switch (node->service) {
	case LITE_SVC_GMGR:
	case LITE_SVC_MCOMP:
	case LITE_SVC_SCOMP:
	case LITE_SVC_PCOMP:
		return READ_ONCE(components_keep);
	}
	return true;
}

static int node_register(struct lite_node *node)
{
	struct lite_node *other;
	int err = 0;

	mutex_lock(&nodes_lock);
	list_for_each_entry(other, &nodes, list) {
		/* or a program could keep a component from being made */
		if (other->program != node->program)
			continue;
		if (!strcmp(other->name, node->name))
			err = -EEXIST;
		else if (!strcmp(other->addr.text, node->addr.text))
			err = -EADDRINUSE;
		if (err)
			break;
	}
	if (!err)
		list_add_tail(&node->list, &nodes);
	mutex_unlock(&nodes_lock);
	return err;
}

static void node_unregister(struct lite_node *node)
{
	mutex_lock(&nodes_lock);
	list_del(&node->list);
	mutex_unlock(&nodes_lock);
}

static int node_configure(struct lite_node *node, const struct lite_node_cfg *cfg)
{
	char dflt[LITE_ADDR_LEN];
	const char *addr = cfg->addr;

	if (!cfg->name || !*cfg->name || strchr(cfg->name, '/') ||
	    strscpy(node->name, cfg->name, sizeof(node->name)) < 0) {
		pr_err("a component needs a name of 1 to %d characters\n",
		       LITE_NAME_LEN - 1);
		return -EINVAL;
	}
	if (!addr || !*addr) {
		snprintf(dflt, sizeof(dflt), "loop:%s", node->name);
		addr = dflt;
	}
	if (lite_addr_parse(&node->addr, addr, cfg->port)) {
		pr_err("%s: bad address '%s', use IP[:port] or loop:NAME\n",
		       node->name, addr);
		return -EINVAL;
	}
	node->role = cfg->role;
	node->program = cfg->service == LITE_SVC_USER;
	node->q = node->program ? &lite_program_q : &lite_component_q;
	node->service = cfg->service;
	node->handlers = cfg->handlers;
	node->nr_handlers = cfg->nr_handlers;
	node->max_running = cfg->max_running;
	node->priv = cfg->priv;
	do {
		node->incarnation = get_random_u64();
	} while (!node->incarnation);
	return 0;
}

/* one line a minute, without another one about those that were left out */
static void log_rarely(struct ratelimit_state *rs)
{
	ratelimit_state_init(rs, 60 * HZ, 1);
	ratelimit_set_flags(rs, RATELIMIT_MSG_ON_RELEASE);
}

static struct lite_node *node_alloc(const struct lite_node_cfg *cfg)
{
	struct lite_node *node;
	int err;

	node = kzalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return ERR_PTR(-ENOMEM);
	err = node_configure(node, cfg);
	if (err)
		goto err_free;
	kref_init(&node->ref);
	init_completion(&node->released);
	node->stopping = true; /* nobody finds it till it is complete */
	spin_lock_init(&node->lock);
	INIT_LIST_HEAD(&node->peers);
	INIT_LIST_HEAD(&node->conns);
	INIT_LIST_HEAD(&node->held);
	init_waitqueue_head(&node->conn_wait);
	mutex_init(&node->mr_lock);
	INIT_LIST_HEAD(&node->mrs);
	INIT_DELAYED_WORK(&node->reopen, lite_cm_reopen);
	lmr_init(node);
	if (node->program)
		node->memcg = get_mem_cgroup_from_mm(current->mm);
	log_rarely(&node->refusals);
	log_rarely(&node->rejections);
	err = lite_locks_init(node);
	if (err)
		goto err_memcg;
	return node;

err_memcg:
	mem_cgroup_put(node->memcg);
err_free:
	kfree(node);
	return ERR_PTR(err);
}

/* see include/lego/lite.h */
struct lite_node *lite_node_create(const struct lite_node_cfg *cfg)
{
	struct lite_node *node;
	int err;

	node = node_alloc(cfg);
	if (IS_ERR(node))
		return node;
	err = node_register(node);
	if (err) {
		pr_err("%s: %s is taken in this kernel\n", node->name,
		       err == -EEXIST ? "the name" : node->addr.text);
		goto err_free;
	}
	err = lite_members_init(node);
	if (err)
		goto err_unregister;
	err = lite_node_show_add(node);
	if (err)
		goto err_exit_members;
	if (!node->addr.loop) {
		err = lite_cm_listen(node);
		if (err)
			goto err_show_del;
	}
	__module_get(THIS_MODULE);
	WRITE_ONCE(node->stopping, false);
	lite_cm_look(node); /* if the device has gone since */
	err = lite_ping_init(node);
	if (err) {
		lite_node_destroy(node);
		return ERR_PTR(err);
	}
	return node;

err_show_del:
	lite_node_show_del(node);
err_exit_members:
	lite_members_exit(node);
err_unregister:
	node_unregister(node);
	/* but remove_device() may have found it */
	lite_node_put(node);
	wait_for_completion(&node->released);
err_free:
	lite_locks_exit(node);
	mem_cgroup_put(node->memcg);
	kfree(node);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_NS_GPL(lite_node_create, LITE_RPC);

/* see include/lego/lite.h */
void lite_node_stop(struct lite_node *node)
{
	unsigned long flags;
	bool again;

	lite_leave(node);
	spin_lock_irqsave(&node->lock, flags);
	again = node->stopping;
	node->stopping = true;
	spin_unlock_irqrestore(&node->lock, flags);
	if (again)
		return;
	smp_mb(); /* pairs with connect_locked(): it sees this, or we its UP */
	cancel_delayed_work_sync(&node->reopen); /* no more are queued */
	lite_cm_unlisten(node);
	/* handlers that wait for calls of ours must end, so calls go first */
	lite_peers_reset(node, NULL, -ESHUTDOWN);
	lite_locks_stop(node); /* it answers who waits */
	lite_conns_close(node, NULL);
	/* they have replied, but may not have returned */
	lite_workers_flush(node);
	lmr_exit(node);
}
EXPORT_SYMBOL_NS_GPL(lite_node_stop, LITE_RPC);

/* see include/lego/lite.h */
void lite_node_destroy(struct lite_node *node)
{
	if (IS_ERR_OR_NULL(node))
		return;
	lite_node_stop(node);
	lite_ping_exit(node);
	lite_node_show_del(node);
	lite_node_put(node);
	while (!wait_for_completion_timeout(&node->released, 10 * HZ))
		pr_warn("%s: waiting for its peers and regions to be given back\n",
			node->name);
	lite_members_exit(node);
	WARN_ON(!list_empty(&node->mrs) || !list_empty(&node->peers));
	/* while remove_device() can still find it */
	lite_cm_exit(node);
	node_unregister(node);
	lite_locks_exit(node);
	mutex_destroy(&node->mr_lock);
	mutex_destroy(&node->lmr_lock);
	mem_cgroup_put(node->memcg);
	kfree(node);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_NS_GPL(lite_node_destroy, LITE_RPC);

/**
 * lite_node_name() - name from the configuration
 * @node: node
 *
 * Context: any. Return: its name, valid as long as the node.
 */
const char *lite_node_name(const struct lite_node *node)
{
	return node->name;
}
EXPORT_SYMBOL_NS_GPL(lite_node_name, LITE_RPC);

/**
 * lite_node_addr() - where it listens
 * @node: node
 *
 * Context: any. Return: its address in normal form, valid as long as the node.
 */
const char *lite_node_addr(const struct lite_node *node)
{
	return node->addr.text;
}
EXPORT_SYMBOL_NS_GPL(lite_node_addr, LITE_RPC);

/**
 * lite_node_id() - what gmgr calls it
 * @node: node
 *
 * Context: any. Return: id; 0 before it joined.
 */
u32 lite_node_id(const struct lite_node *node)
{
	return READ_ONCE(node->id);
}
EXPORT_SYMBOL_NS_GPL(lite_node_id, LITE_RPC);

/**
 * lite_node_incarnation() - which life of this name it is
 * @node: node
 *
 * Context: any. Return: random, never 0.
 */
u64 lite_node_incarnation(const struct lite_node *node)
{
	return node->incarnation;
}
EXPORT_SYMBOL_NS_GPL(lite_node_incarnation, LITE_RPC);
