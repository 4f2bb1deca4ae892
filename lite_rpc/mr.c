// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: pages that are mapped and registered once and then named by calls.
 *
 * Each region has a key of the loop transport, whatever its node's device, so
 * that one region serves calls over both transports at the same time.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "lite_rpc.h"

/* key -> region; read under RCU */
static DEFINE_XARRAY_ALLOC1(mr_keys);
static u32 mr_next_key;

/* see include/lego/lite.h */
struct lite_mr *lite_mr_create(struct lite_node *node, struct page **pages,
			       unsigned int nr, unsigned int access)
{
	struct lite_mr *mr;
	unsigned int noio;
	int err;

	if (!nr || access & ~(LITE_MR_READ | LITE_MR_WRITE))
		return ERR_PTR(-EINVAL);
	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->pages = lite_page_array(nr, sizeof(*pages));
	if (!mr->pages) {
		err = -ENOMEM;
		goto err_free;
	}
	memcpy(mr->pages, pages, array_size(nr, sizeof(*pages)));
	mr->node = node;
	mr->nr = nr;
	mr->access = access;
	/* cyclic: a stale key finds nothing rather than another region */
	err = xa_alloc_cyclic(&mr_keys, &mr->loop_key, mr, xa_limit_31b,
			      &mr_next_key, GFP_KERNEL);
	if (err < 0)
		goto err_free_pages;
	mutex_lock(&node->mr_lock);
	/* connections are made under it, which may be what reclaim waits for */
	noio = memalloc_noio_save();
	err = node->rdma ? lite_rdma_mr_add(mr) : 0;
	if (!err)
		list_add_tail(&mr->list, &node->mrs);
	if (mr->tp)
		lite_rdma_mr_register(mr);
	memalloc_noio_restore(noio);
	mutex_unlock(&node->mr_lock);
	if (err)
		goto err_erase;
	lite_node_get(node);
	return mr;

err_erase:
	xa_erase(&mr_keys, mr->loop_key);
	synchronize_rcu(); /* whoever guessed the key, over loop */
err_free_pages:
	kvfree(mr->pages);
err_free:
	kfree(mr);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_NS_GPL(lite_mr_create, LITE_RPC);

/* see include/lego/lite.h */
void lite_mr_revoke(struct lite_mr *mr)
{
	struct lite_node *node = mr->node;

	mutex_lock(&node->mr_lock);
	lite_rdma_mr_wait(mr);
	list_del(&mr->list);
	if (mr->tp)
		lite_rdma_mr_del(mr);
	mutex_unlock(&node->mr_lock);
	xa_erase(&mr_keys, mr->loop_key);
}
EXPORT_SYMBOL_NS_GPL(lite_mr_revoke, LITE_RPC);

/* see include/lego/lite.h */
void lite_mr_free(struct lite_mr *mr)
{
	struct lite_node *node = mr->node;

	kvfree(mr->pages);
	kfree(mr);
	lite_node_put(node);
}
EXPORT_SYMBOL_NS_GPL(lite_mr_free, LITE_RPC);

/* see include/lego/lite.h */
void lite_mr_destroy(struct lite_mr *mr)
{
	if (IS_ERR_OR_NULL(mr))
		return;
	lite_mr_revoke(mr);
	synchronize_rcu(); /* loop copies in read-side sections */
	lite_mr_free(mr);
}
EXPORT_SYMBOL_NS_GPL(lite_mr_destroy, LITE_RPC);

/**
 * lite_mr_by_key() - the region that a segment of the loop transport names
 * @key: loop key
 *
 * Context: RCU read-side section, in which the result is valid.
 * Return: the region or NULL.
 */
struct lite_mr *lite_mr_by_key(u32 key)
{
	return xa_load(&mr_keys, key);
}

/**
 * lite_sge_check() - do pieces of local memory make sense
 * @node: whose regions they must be
 * @sge: pieces
 * @nr: how many
 * @access: LITE_MR_* that each region must have
 * @len: set to the sum of their lengths
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int lite_sge_check(const struct lite_node *node, const struct lite_sge *sge,
		   unsigned int nr, unsigned int access, u64 *len)
{
	unsigned int i;
	u64 size;

	*len = 0;
	if (nr > LITE_MAX_SEGS)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		if (!sge[i].mr || sge[i].mr->node != node ||
		    (sge[i].mr->access & access) != access || !sge[i].len)
			return -EINVAL;
		size = (u64)sge[i].mr->nr << PAGE_SHIFT;
		if (sge[i].off > size || sge[i].len > size - sge[i].off)
			return -EINVAL;
		*len += sge[i].len;
	}
	return *len > U32_MAX ? -EINVAL : 0;
}

/**
 * lite_mr_exit() - at unload
 *
 * Context: process.
 */
void lite_mr_exit(void)
{
	WARN_ON(!xa_empty(&mr_keys));
	xa_destroy(&mr_keys);
}
