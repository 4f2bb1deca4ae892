// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers for file contents: allocated, mapped and registered once, so that
 * the data path does none of it (rule 3 of the architecture).
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "scomp.h"

#define SCOMP_BUF_PAGES (SCOMP_IO_MAX / PAGE_SIZE)
#define SCOMP_BUF_WAIT (5 * HZ)

/**
 * scomp_pool_create() - allocate and register buffers
 * @node: the node that uses them
 * @nr: how many, SCOMP_IO_MAX bytes each
 *
 * Context: process, sleeps.
 * Return: the pool or ERR_PTR.
 */
struct scomp_pool *scomp_pool_create(struct lite_node *node, unsigned int nr)
{
	unsigned int nr_pages = nr * SCOMP_BUF_PAGES;
	struct scomp_pool *pool;
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
	pool->mr = lite_mr_create(node, pool->page, nr_pages, LITE_MR_LOCAL);
	if (IS_ERR(pool->mr)) {
		err = PTR_ERR(pool->mr);
		goto err_vunmap;
	}
	for (i = 0; i < nr; i++) {
		pool->buf[i].pool = pool;
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
 * scomp_pool_destroy() - give all of it back
 * @pool: all its buffers are free
 */
void scomp_pool_destroy(struct scomp_pool *pool)
{
	unsigned int i;

	lite_mr_destroy(pool->mr);
	vunmap(pool->va);
	for (i = 0; i < pool->nr * SCOMP_BUF_PAGES; i++)
		__free_page(pool->page[i]);
	kvfree(pool->page);
	kfree(pool->buf);
	kfree(pool);
}

static struct scomp_buf *scomp_buf_take(struct scomp_pool *pool)
{
	struct scomp_buf *buf;
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	buf = list_first_entry_or_null(&pool->free, struct scomp_buf, list);
	if (buf)
		list_del(&buf->list);
	spin_unlock_irqrestore(&pool->lock, flags);
	return buf;
}

/**
 * scomp_buf_get() - a buffer of one's own, for a while
 * @pool: from where
 *
 * Context: process, waits some seconds at most: buffers come back when the
 *	network is done with them.
 * Return: the buffer or NULL.
 */
struct scomp_buf *scomp_buf_get(struct scomp_pool *pool)
{
	struct scomp_buf *buf = NULL;

	wait_event_timeout(pool->wait, (buf = scomp_buf_take(pool)) != NULL,
			   SCOMP_BUF_WAIT);
	return buf;
}

/**
 * scomp_buf_put() - give a buffer back; a lite_req_reply_release() function
 * @arg: the buffer
 *
 * Context: any.
 */
void scomp_buf_put(void *arg)
{
	struct scomp_buf *buf = arg;
	struct scomp_pool *pool = buf->pool;
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	list_add(&buf->list, &pool->free);
	/* Under the lock: once it is free the pool may be destroyed. */
	wake_up(&pool->wait);
	spin_unlock_irqrestore(&pool->lock, flags);
}
