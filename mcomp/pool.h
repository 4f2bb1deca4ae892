/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DRAM that a mComponent offers: reserved and registered once.
 */
#ifndef _MCOMP_POOL_H
#define _MCOMP_POOL_H

#include <linux/page-flags.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <lego/lite.h>

#include "budget.h"

/**
 * struct mcomp_pool - frames of PAGE_SIZE
 * @pages: each frame's page, with the pool in page_private and the frame's
 *	number in index
 * @refs: each frame's references; 0: free
 * @nr: frames
 * @mr: all of them, registered in order
 * @lock: protects @stack and @budget; any context
 * @stack: the free frames
 * @budget: how many, and who may have them
 * @nr_failed: frames whose memory has failed, on no list any more. @lock
 */
struct mcomp_pool {
	struct page **pages;
	refcount_t *refs;
	u32 nr;
	struct lite_mr *mr;
	spinlock_t lock; /* see above */
	u32 *stack;
	struct mcomp_budget budget;
	u32 nr_failed;
};

struct mcomp_pool *mcomp_pool_create(const char *name, long mem_mb);
void mcomp_pool_destroy(struct mcomp_pool *pool);
u64 mcomp_pool_total(struct mcomp_pool *pool);
u64 mcomp_pool_used(struct mcomp_pool *pool);
int mcomp_pool_register(struct mcomp_pool *pool, struct lite_node *node);
void mcomp_pool_unregister(struct mcomp_pool *pool);

int mcomp_frames_alloc(struct mcomp_pool *pool, u32 *frames, unsigned int nr,
		       unsigned int nr_new);
int mcomp_frames_charge(struct mcomp_pool *pool, unsigned int nr);
void mcomp_frames_settle(struct mcomp_pool *pool, unsigned int nr);
bool mcomp_frame_is_shared(struct mcomp_pool *pool, u32 frame);
bool mcomp_frame_tryget(struct mcomp_pool *pool, u32 frame);
void mcomp_frame_get(struct mcomp_pool *pool, u32 frame);
void mcomp_frame_put(struct mcomp_pool *pool, u32 frame);
void mcomp_frame_release(void *page);

/* Has its memory failed? What was in it is lost. */
static inline bool mcomp_frame_has_failed(const struct mcomp_pool *pool,
					  u32 frame)
{
	return unlikely(PageHWPoison(pool->pages[frame]));
}

static inline struct lite_sge mcomp_frame_sge(const struct mcomp_pool *pool,
					      u32 frame)
{
	return (struct lite_sge){
		.mr = pool->mr,
		.off = (u64)frame << PAGE_SHIFT,
		.len = PAGE_SIZE,
	};
}

#endif /* _MCOMP_POOL_H */
