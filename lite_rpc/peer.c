// SPDX-License-Identifier: GPL-2.0
/* Peers: other nodes as one of ours sees them, found by address. */
#include <linux/gfp.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "lite_rpc.h"

static const char *const class_names[LITE_CLASS_NR] = {
	[LITE_CLASS_CONTROL] = "control",
	[LITE_CLASS_DEMAND] = "demand",
	[LITE_CLASS_PREFETCH] = "prefetch",
	[LITE_CLASS_WRITEBACK] = "writeback",
};

/**
 * lite_class_name() - a class for people
 * @class: enum lite_class
 *
 * Context: any. Return: its name.
 */
const char *lite_class_name(unsigned int class)
{
	return class < LITE_CLASS_NR ? class_names[class] : "?";
}

/* the links' resets sleep, and the last put may be in any context */
static void peer_free_work(struct work_struct *work)
{
	struct lite_peer *peer =
		container_of(work, struct lite_peer, free_work);
	struct lite_node *node = peer->node;
	unsigned int i;

	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_exit(&peer->link[i]);
	kvfree(peer);
	lite_node_put(node);
}

static void peer_release(struct kref *ref)
{
	struct lite_peer *peer = container_of(ref, struct lite_peer, ref);

	lockdep_assert_held(&peer->node->lock);
	list_del(&peer->list);
	queue_work(peer->node->q->connect, &peer->free_work);
}

/* see include/lego/lite.h */
void lite_peer_put(struct lite_peer *peer)
{
	struct lite_node *node;
	unsigned long flags;

	if (IS_ERR_OR_NULL(peer))
		return;
	node = peer->node;
	/* free_work may have put the peer's before we are out of here */
	lite_node_get(node);
	spin_lock_irqsave(&node->lock, flags);
	kref_put(&peer->ref, peer_release);
	spin_unlock_irqrestore(&node->lock, flags);
	lite_node_put(node);
}
EXPORT_SYMBOL_NS_GPL(lite_peer_put, LITE_RPC);

static struct lite_peer *peer_find(struct lite_node *node, const char *addr,
				   u64 incarnation)
{
	struct lite_peer *peer;

	lockdep_assert_held(&node->lock);
	list_for_each_entry(peer, &node->peers, list) {
		if (peer->incarnation != incarnation ||
		    strcmp(peer->addr.text, addr))
			continue;
		kref_get(&peer->ref);
		return peer;
	}
	return NULL;
}

static struct lite_peer *peer_alloc(struct lite_node *node,
				    const struct lite_addr *addr,
				    u64 incarnation)
{
	struct lite_peer *peer;
	unsigned int i;

	peer = kvzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return NULL;
	kref_init(&peer->ref);
	peer->node = node;
	peer->addr = *addr;
	peer->incarnation = incarnation;
	INIT_WORK(&peer->free_work, peer_free_work);
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_init(&peer->link[i], peer, i);
	return peer;
}

/* see include/lego/lite.h */
struct lite_peer *lite_peer_get(struct lite_node *node, const char *text,
				u64 incarnation)
{
	struct lite_peer *peer, *new;
	struct lite_addr addr;
	unsigned long flags;
	int err;

	err = lite_addr_parse(&addr, text, 0);
	if (err)
		return ERR_PTR(err);
	spin_lock_irqsave(&node->lock, flags);
	peer = peer_find(node, addr.text, incarnation);
	spin_unlock_irqrestore(&node->lock, flags);
	if (peer)
		return peer;

	new = peer_alloc(node, &addr, incarnation);
	if (!new)
		return ERR_PTR(-ENOMEM);
	spin_lock_irqsave(&node->lock, flags);
	peer = peer_find(node, addr.text, incarnation);
	if (!peer && !node->stopping) {
		peer = new;
		new = NULL;
		list_add_tail(&peer->list, &node->peers);
		lite_node_get(node);
	}
	spin_unlock_irqrestore(&node->lock, flags);
	kvfree(new);
	return peer ?: ERR_PTR(-ESHUTDOWN);
}
EXPORT_SYMBOL_NS_GPL(lite_peer_get, LITE_RPC);

/**
 * lite_peer_transport() - choose how to reach a peer, and have slots to do it
 * @link: link that is about to connect
 *
 * Chosen at each connect: a component can move between kernels.
 * Context: process, link->mutex held. Return: 0, -ENOMEM, -EHOSTUNREACH.
 */
int lite_peer_transport(struct lite_link *link)
{
	const struct lite_addr *addr = &link->peer->addr;
	struct lite_node *node = link->peer->node;
	struct lite_node *local;
	unsigned int i;

	lockdep_assert_held(&link->mutex);
	/* once, not for each slot: one in so many connects shall succeed */
	if (lite_fault(node, LITE_FAULT_ALLOC))
		return -ENOMEM;
	for (i = 0; i < LITE_SLOTS; i++) {
		if (link->slot[i].buf)
			continue;
		link->slot[i].buf = (void *)__get_free_page(GFP_KERNEL);
		if (!link->slot[i].buf)
			return -ENOMEM;
	}
	link->ops = &lite_loop;
	if (addr->loop)
		return 0;
	if (lite_loop_local) {
		local = lite_node_find(addr->text, node);
		if (local) {
			lite_node_put(local);
			return 0;
		}
	}
	if (node->addr.loop || READ_ONCE(node->no_rdma)) {
		pr_warn_ratelimited("%s: has no RDMA device (addr=%s) to reach %s\n",
				    node->name, node->addr.text, addr->text);
		return -EHOSTUNREACH;
	}
	link->ops = &lite_rdma;
	return 0;
}

/* see include/lego/lite.h */
int lite_peer_connect(struct lite_peer *peer, u8 class)
{
	if (class >= LITE_CLASS_NR)
		return -EINVAL;
	return lite_link_connect(&peer->link[class],
				 jiffies + msecs_to_jiffies(LITE_CONNECT_MS));
}
EXPORT_SYMBOL_NS_GPL(lite_peer_connect, LITE_RPC);

static bool may_start(struct lite_link *link)
{
	return !lite_link_is_up(link) || lite_link_has_slot(link);
}

/* see include/lego/lite.h */
int lite_peer_wait_slot(struct lite_peer *peer, u8 class)
{
	struct lite_link *link;
	long left;

	if (class >= LITE_CLASS_NR)
		return -EINVAL;
	link = &peer->link[class];
	left = wait_event_killable_timeout(link->slot_wait, may_start(link),
					   HZ / 10);
	return left < 0 ? -EINTR : left ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_NS_GPL(lite_peer_wait_slot, LITE_RPC);

/* see include/lego/lite.h */
void lite_peer_reset(struct lite_peer *peer)
{
	unsigned int i;

	if (IS_ERR_OR_NULL(peer))
		return;
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_queue_end(&peer->link[i], -ECONNRESET);
	/* all first, so that none waits for another */
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_break(&peer->link[i], -ECONNRESET);
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_reset(&peer->link[i], -ECONNRESET);
}
EXPORT_SYMBOL_NS_GPL(lite_peer_reset, LITE_RPC);

/* as lite_peer_get(), but NULL if nobody has it */
static struct lite_peer *peer_known(struct lite_node *node, const char *text,
				    u64 incarnation)
{
	struct lite_peer *peer;
	struct lite_addr addr;
	unsigned long flags;

	if (lite_addr_parse(&addr, text, 0))
		return NULL;
	spin_lock_irqsave(&node->lock, flags);
	peer = peer_find(node, addr.text, incarnation);
	spin_unlock_irqrestore(&node->lock, flags);
	return peer;
}

/**
 * lite_peer_gone() - a life of a peer is over: so are all calls to it
 * @node: node
 * @addr: the peer's
 * @incarnation: that life
 * @err: what calls end with that were not sent, see lite_link_gone()
 *
 * On return no call to it is outstanding. Context: process, may sleep.
 */
void lite_peer_gone(struct lite_node *node, const char *addr, u64 incarnation,
		    int err)
{
	struct lite_peer *peer = peer_known(node, addr, incarnation);
	unsigned int i;

	if (!peer)
		return;
	/* all first, so that none waits for another */
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_gone(&peer->link[i], err);
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_reset(&peer->link[i], -ECONNRESET);
	lite_peer_put(peer);
}

/**
 * lite_peer_back() - a life of a peer is not over, though gmgr said so
 * @node: node
 * @addr: the peer's
 * @incarnation: that life
 *
 * Context: any but hard interrupt.
 */
void lite_peer_back(struct lite_node *node, const char *addr, u64 incarnation)
{
	struct lite_peer *peer = peer_known(node, addr, incarnation);
	unsigned int i;

	if (!peer)
		return;
	for (i = 0; i < LITE_CLASS_NR; i++)
		lite_link_back(&peer->link[i]);
	lite_peer_put(peer);
}

/* the mutex: a connect that is under way has chosen, and has ended */
static bool link_uses(struct lite_link *link, const struct lite_transport *ops)
{
	bool uses;

	mutex_lock(&link->mutex);
	uses = link->ops == ops;
	mutex_unlock(&link->mutex);
	return uses;
}

/**
 * lite_peers_reset() - end all links of a node
 * @node: node
 * @ops: only those of this transport, NULL for all
 * @err: what calls end with; -ESHUTDOWN: for good
 *
 * Context: process, may sleep.
 */
void lite_peers_reset(struct lite_node *node,
		      const struct lite_transport *ops, int err)
{
	struct lite_peer *peer, *prev = NULL;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&node->lock, flags);
	list_for_each_entry(peer, &node->peers, list) {
		kref_get(&peer->ref); /* holds our place in the list */
		spin_unlock_irqrestore(&node->lock, flags);
		lite_peer_put(prev);
		for (i = 0; i < LITE_CLASS_NR && err == -ESHUTDOWN; i++)
			lite_link_gone(&peer->link[i], err);
		for (i = 0; i < LITE_CLASS_NR; i++)
			if (!ops || link_uses(&peer->link[i], ops))
				lite_link_reset(&peer->link[i], err);
		prev = peer;
		spin_lock_irqsave(&node->lock, flags);
	}
	spin_unlock_irqrestore(&node->lock, flags);
	lite_peer_put(prev);
}
