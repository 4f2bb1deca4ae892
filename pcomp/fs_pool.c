// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers between the page cache and the network: registered once a mount.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "fs_priv.h"

/**
 * pcomp_fs_pool_create() - allocate and register buffers
 * @node: the node that uses them
 * @nr: how many, SCOMP_IO_MAX bytes each
 * @access: LITE_MR_*
 *
 * Context: process, sleeps.
 * Return: the pool or ERR_PTR.
 */
struct pcomp_fs_pool *pcomp_fs_pool_create(struct lite_node *node,
					   unsigned int nr,
					   unsigned int access)
{
	unsigned int nr_pages = nr * PCOMP_FS_PAGES;
	struct pcomp_fs_pool *pool;
	unsigned int i;
	int err = -ENOMEM;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->free);
	init_waitqueue_head(&pool->wait);
	pool->nr = nr;
	pool->buf = kcalloc(nr, sizeof(*pool->buf), GFP_KERNEL);
	if (!pool->buf)
		goto err_free;
	pool->page = kvcalloc(nr_pages, sizeof(*pool->page), GFP_KERNEL);
	if (!pool->page)
		goto err_free_buf;
	for (i = 0; i < nr_pages; i++) {
		pool->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pool->page[i])
			goto err_free_pages;
	}
	pool->va = vmap(pool->page, nr_pages, VM_MAP, PAGE_KERNEL);
	if (!pool->va)
		goto err_free_pages;
	pool->mr = lite_mr_create(node, pool->page, nr_pages, access);
	if (IS_ERR(pool->mr)) {
		err = PTR_ERR(pool->mr);
		goto err_vunmap;
	}
	for (i = 0; i < nr; i++) {
		pool->buf[i].off = (u64)i * SCOMP_IO_MAX;
		pool->buf[i].va = pool->va + pool->buf[i].off;
		list_add_tail(&pool->buf[i].list, &pool->free);
	}
	return pool;

err_vunmap:
	vunmap(pool->va);
err_free_pages:
	for (i = 0; i < nr_pages && pool->page[i]; i++)
		__free_page(pool->page[i]);
	kvfree(pool->page);
err_free_buf:
	kfree(pool->buf);
err_free:
	kfree(pool);
	return ERR_PTR(err);
}

/**
 * pcomp_fs_pool_destroy() - give all of it back
 * @pool: all its buffers are free; NULL and ERR_PTR are ignored
 */
void pcomp_fs_pool_destroy(struct pcomp_fs_pool *pool)
{
	unsigned int i;

	if (IS_ERR_OR_NULL(pool))
		return;
	lite_mr_destroy(pool->mr);
	vunmap(pool->va);
	for (i = 0; i < pool->nr * PCOMP_FS_PAGES; i++)
		__free_page(pool->page[i]);
	kvfree(pool->page);
	kfree(pool->buf);
	kfree(pool);
}

static struct pcomp_fs_buf *pcomp_fs_buf_take(struct pcomp_fs_pool *pool)
{
	struct pcomp_fs_buf *buf;

	spin_lock(&pool->lock);
	buf = list_first_entry_or_null(&pool->free, struct pcomp_fs_buf, list);
	if (buf)
		list_del(&buf->list);
	spin_unlock(&pool->lock);
	return buf;
}

/**
 * pcomp_fs_buf_get() - a buffer of one's own, for one call or one write-back
 * @pool: from where
 *
 * Context: process. Waits for those that have one, which wait for the sComponent.
 * Return: the buffer, or NULL: a fatal signal, which a kernel thread never gets.
 */
struct pcomp_fs_buf *pcomp_fs_buf_get(struct pcomp_fs_pool *pool)
{
	struct pcomp_fs_buf *buf;
	int err;

	err = wait_event_killable(pool->wait,
				  (buf = pcomp_fs_buf_take(pool)) != NULL);
	return err ? NULL : buf;
}

/**
 * pcomp_fs_buf_put() - give a buffer back
 * @pool: where it belongs
 * @buf: the buffer
 */
void pcomp_fs_buf_put(struct pcomp_fs_pool *pool, struct pcomp_fs_buf *buf)
{
	spin_lock(&pool->lock);
	list_add(&buf->list, &pool->free);
	spin_unlock(&pool->lock);
	wake_up(&pool->wait);
}
