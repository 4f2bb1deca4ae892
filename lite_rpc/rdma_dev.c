// SPDX-License-Identifier: GPL-2.0
/*
 * A node's part in its RDMA device: from the listener to the day the device is
 * taken away, which may come at any time ("rdma link del", hot unplug).
 *
 * When it comes, everything of the device is given back, and the node lives
 * on: it can be reached by, and reach, nodes of this kernel only. When a device
 * with its address comes, be it the same one, it listens there again, and its
 * regions get new keys; what others have of the old ones ends a connection, and
 * then they ask.
 */
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "rdma.h"

#define BACKLOG 64
/* an address may be given to a device long after it has come */
#define REOPEN_TICK HZ
#define REOPEN_TRIES 300

/*
 * Held while a node begins to use a device: the device has not been taken away
 * then, and remove_device() finds the node. Taken before node->mr_lock.
 */
static DEFINE_MUTEX(devices_lock);
static struct ib_client client;

/* the device that our address is on, and what it can do */
static int init_device(struct lite_node *node, struct lite_rdma_node *rn)
{
	struct ib_device *dev = rn->listen->device;
	const struct ib_device_attr *attr = &dev->attrs;
	unsigned int pages;

	lockdep_assert_held(&devices_lock);
	if (!ib_get_client_data(dev, &client))
		return -ENODEV; /* it is being removed */
	if (!(attr->device_cap_flags & IB_DEVICE_MEM_MGT_EXTENSIONS) ||
	    !rdma_cap_ib_cm(dev, rn->listen->port_num) ||
	    attr->max_qp_wr < LITE_QP_SENDS ||
	    attr->max_fast_reg_page_list_len <= LITE_SLOTS) {
		pr_err("%s: device %s cannot do what lite_rpc needs: InfiniBand or RoCE with memory management extensions\n",
		       node->name, dev_name(&dev->dev));
		return -EOPNOTSUPP;
	}
	rn->dev = dev;
	/* see map_piece() for the one to spare */
	pages = min(attr->max_fast_reg_page_list_len, 1024U);
	rn->piece_pages = rounddown_pow_of_two(pages - 1);
	rn->max_sges = min(attr->max_send_sge, LITE_QP_SGES);
	rn->max_read_sges = clamp(attr->max_sge_rd, 1, (int)rn->max_sges);
	rn->pd = ib_alloc_pd(dev, 0);
	return PTR_ERR_OR_ZERO(rn->pd);
}

static void log_listen_error(struct lite_node *node, int err)
{
	pr_err("%s: cannot listen on %s (%d): is there an RDMA device with this address? ('rdma link' shows them)\n",
	       node->name, node->addr.text, err);
}

static struct lite_rdma_node *rdma_node_alloc(struct lite_node *node)
{
	struct lite_rdma_node *rn;
	int err;

	rn = kzalloc(sizeof(*rn), GFP_KERNEL);
	if (!rn)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&rn->qps);
	rn->listen = rdma_create_id(&init_net, lite_cm_listener_event, node,
				    RDMA_PS_TCP, IB_QPT_RC);
	if (IS_ERR(rn->listen)) {
		err = PTR_ERR(rn->listen);
		goto err_free;
	}
	err = rdma_bind_addr(rn->listen, (struct sockaddr *)&node->addr.ss);
	if (!err && !rn->listen->device)
		err = -EADDRNOTAVAIL; /* 0.0.0.0: peers must know us by one */
	if (!err)
		err = init_device(node, rn);
	if (err)
		goto err_destroy_id;
	return rn;

err_destroy_id:
	rdma_destroy_id(rn->listen);
err_free:
	kfree(rn);
	return ERR_PTR(err);
}

/* the regions that there are already, by the node's new device */
static int map_regions(struct lite_node *node)
{
	struct lite_mr *mr;
	int err = 0;

	lockdep_assert_held(&node->mr_lock);
	list_for_each_entry(mr, &node->mrs, list) {
		err = lite_rdma_mr_add(mr);
		if (err)
			break;
	}
	return err;
}

static int begin_to_listen(struct lite_node *node)
{
	struct lite_rdma_node *rn;
	int err;

	mutex_lock(&devices_lock);
	rn = rdma_node_alloc(node);
	err = PTR_ERR_OR_ZERO(rn);
	if (err)
		goto out_unlock;
	mutex_lock(&node->mr_lock);
	node->rdma = rn;
	err = map_regions(node);
	mutex_unlock(&node->mr_lock);
	if (!err) {
		lite_auth_notice();
		err = rdma_listen(rn->listen, BACKLOG);
	}
	if (err)
		lite_cm_exit(node);
	else /* here, as remove_device() may follow at once */
		smp_store_release(&node->no_rdma, false);
out_unlock:
	mutex_unlock(&devices_lock);
	return err;
}

/**
 * lite_cm_listen() - a node with an IP address becomes reachable
 * @node: node
 *
 * Context: process, may sleep.
 * Return: 0; -ENODEV, -EADDRINUSE, -EADDRNOTAVAIL, ...; logged.
 */
int lite_cm_listen(struct lite_node *node)
{
	int err = begin_to_listen(node);

	if (err)
		log_listen_error(node, err);
	return err;
}

/**
 * lite_cm_reopen() - a node whose device has gone looks for one with its address
 * @work: node->reopen
 *
 * Context: process, may sleep.
 */
void lite_cm_reopen(struct work_struct *work)
{
	struct lite_node *node = container_of(to_delayed_work(work),
					      struct lite_node, reopen);
	unsigned int noio;
	int err;

	if (!READ_ONCE(node->no_rdma))
		return;
	noio = memalloc_noio_save(); /* as connect_work() */
	/* not yet if remove_device() is still at work */
	err = READ_ONCE(node->rdma) ? -EBUSY : begin_to_listen(node);
	memalloc_noio_restore(noio);
	if (!err) {
		pr_info("%s: has an RDMA device with its address again, other machines can be reached\n",
			node->name);
	} else if (--node->reopen_tries) {
		queue_delayed_work(node->q->connect, &node->reopen,
				   REOPEN_TICK);
	} else {
		pr_err("%s: still no RDMA device with its address %s (%d): give it to one with 'ip addr add', then remove and add that with 'rdma link', or load this component again\n",
		       node->name, node->addr.text, err);
	}
}

/**
 * lite_cm_look() - look for a device soon, if the node has lost its own
 * @node: node
 *
 * Context: process.
 */
void lite_cm_look(struct lite_node *node)
{
	spin_lock_irq(&node->lock);
	if (!node->stopping && READ_ONCE(node->no_rdma)) {
		node->reopen_tries = REOPEN_TRIES;
		mod_delayed_work(node->q->connect, &node->reopen, 0);
	}
	spin_unlock_irq(&node->lock);
}

/**
 * lite_cm_unlisten() - no more connect requests
 * @node: node
 *
 * Context: process, may sleep.
 */
void lite_cm_unlisten(struct lite_node *node)
{
	struct rdma_cm_id *listen;

	mutex_lock(&node->mr_lock);
	listen = node->rdma ? node->rdma->listen : NULL;
	if (listen)
		node->rdma->listen = NULL;
	mutex_unlock(&node->mr_lock);
	if (listen)
		rdma_destroy_id(listen);
}

/**
 * lite_cm_exit() - the node's part in the device goes
 * @node: node without queue pairs; its regions are unmapped
 *
 * Context: process, may sleep.
 */
void lite_cm_exit(struct lite_node *node)
{
	struct lite_mr *mr;

	lite_cm_unlisten(node);
	mutex_lock(&node->mr_lock);
	if (node->rdma) {
		list_for_each_entry(mr, &node->mrs, list)
			if (mr->tp)
				lite_rdma_mr_del(mr);
		ib_dealloc_pd(node->rdma->pd);
		kfree(node->rdma);
		node->rdma = NULL;
	}
	mutex_unlock(&node->mr_lock);
}

/**
 * lite_cm_uses() - is a node on this device
 * @node: node
 * @dev: device
 *
 * Context: process. Return: true if so.
 */
bool lite_cm_uses(struct lite_node *node, const void *dev)
{
	bool uses;

	mutex_lock(&node->mr_lock);
	uses = node->rdma && node->rdma->dev == dev;
	mutex_unlock(&node->mr_lock);
	return uses;
}

static int add_device(struct ib_device *dev)
{
	ib_set_client_data(dev, &client, dev);
	lite_nodes_each(lite_cm_look);
	return 0;
}

static void remove_device(struct ib_device *dev, void *client_data)
{
	struct lite_node *node;

	/* from now on no node begins to use it */
	mutex_lock(&devices_lock);
	ib_set_client_data(dev, &client, NULL);
	mutex_unlock(&devices_lock);
	while ((node = lite_node_find_on(dev))) {
		pr_warn("%s: its RDMA device %s is being removed, other machines cannot be reached till one with its address comes\n",
			node->name, dev_name(&dev->dev));
		/* who connects now sees this, or we see the connection */
		WRITE_ONCE(node->no_rdma, true);
		smp_mb(); /* pairs with connect_locked() */
		lite_cm_unlisten(node);
		lite_peers_reset(node, &lite_rdma, -ECONNRESET);
		lite_conns_close(node, &lite_rdma);
		lite_cm_exit(node);
		lite_cm_look(node); /* another device may have its address */
		lite_node_put(node);
	}
}

static struct ib_client client = {
	.name = "lite_rpc",
	.add = add_device,
	.remove = remove_device,
};

/**
 * lite_rdma_init() - hear of devices that go
 *
 * Context: process. Return: 0 or a negative errno.
 */
int lite_rdma_init(void)
{
	return ib_register_client(&client);
}

/**
 * lite_rdma_exit() - at unload
 *
 * Context: process.
 */
void lite_rdma_exit(void)
{
	ib_unregister_client(&client);
}
