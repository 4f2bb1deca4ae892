// SPDX-License-Identifier: GPL-2.0
/*
 * A node's part in its RDMA device: from the listener to the day the device is
 * taken away, which may come at any time ("rdma link del", hot unplug).
 *
 * When it comes, everything of the device is given back, and the node lives
 * on: it can be reached by, and reach, nodes of this kernel only.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "rdma.h"

#define BACKLOG 64

/* the device that our address is on, and what it can do */
static int init_device(struct lite_node *node, struct lite_rdma_node *rn)
{
	struct ib_device *dev = rn->listen->device;
	const struct ib_device_attr *attr = &dev->attrs;
	unsigned int pages;

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

/**
 * lite_cm_listen() - a node with an IP address becomes reachable
 * @node: node
 *
 * Context: process, may sleep.
 * Return: 0; -ENODEV, -EADDRINUSE, -EADDRNOTAVAIL, ...; logged.
 */
int lite_cm_listen(struct lite_node *node)
{
	struct lite_rdma_node *rn;
	int err;

	rn = kzalloc(sizeof(*rn), GFP_KERNEL);
	if (!rn)
		return -ENOMEM;
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
	if (err)
		goto err_destroy_id;
	err = init_device(node, rn);
	if (err)
		goto err_destroy_id;
	node->rdma = rn;
	lite_auth_notice();
	err = rdma_listen(rn->listen, BACKLOG);
	if (err) {
		log_listen_error(node, err);
		lite_cm_exit(node); /* once, whether the device goes or not */
	}
	return err;

err_destroy_id:
	log_listen_error(node, err);
	rdma_destroy_id(rn->listen);
err_free:
	kfree(rn);
	return err;
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

static void remove_device(struct ib_device *dev, void *client_data)
{
	struct lite_node *node;

	while ((node = lite_node_find_on(dev))) {
		pr_warn("%s: its RDMA device %s is being removed, other machines cannot be reached any more\n",
			node->name, dev_name(&dev->dev));
		/* who connects now sees this, or we see the connection */
		WRITE_ONCE(node->no_rdma, true);
		smp_mb(); /* pairs with connect_locked() */
		lite_cm_unlisten(node);
		lite_peers_reset(node, &lite_rdma, -ECONNRESET);
		lite_conns_close(node, &lite_rdma);
		lite_cm_exit(node);
		lite_node_put(node);
	}
}

static struct ib_client client = {
	.name = "lite_rpc",
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
