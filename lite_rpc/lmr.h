/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the files of LMRs' own side. */
#ifndef _LITE_RPC_LMR_H
#define _LITE_RPC_LMR_H

#include "lite_rpc.h"

#define LMR_MAPS_MAX 1024

/**
 * struct lmr_map - what a node may do with an LMR, and does
 * @list: in lmr.maps
 * @incarnation: of the node
 * @granted: @grant counts, not lmr.others
 * @grant: LITE_LMR_*
 * @access: LITE_LMR_*, what it mapped it for; 0: not mapped
 * @users: how often it did
 * @mr: its keys, made when it first asks for them
 * @heard: the node was seen to live
 * @missed: jiffies | 1 since when the node is not heard of, 0: it is
 */
struct lmr_map {
	struct list_head list;
	u64 incarnation;
	bool granted;
	u32 grant;
	u32 access;
	u32 users;
	struct lite_mr *mr;
	bool heard;
	unsigned long missed;
};

/**
 * struct lmr - named memory at this node
 * @list: in node->lmrs, till it is @dead
 * @ref: one of the list, users
 * @name: unique at the node
 * @id: never used again
 * @owner_id: node id of who had it made, 0 if that had not joined
 * @owner: its incarnation
 * @missed: as in struct lmr_map, of @owner; under node->lmr_lock
 * @others: LITE_LMR_* that anybody may
 * @pages: the memory
 * @nr: of @pages
 * @lock: protects @dead, @maps; see lmr.c
 * @maps: who may do what
 * @nr_maps: how many
 */
struct lmr {
	struct list_head list;
	struct kref ref;
	char name[LITE_NAME_LEN];
	u64 id;
	u32 owner_id;
	u64 owner;
	unsigned long missed;
	u32 others;
	struct page **pages;
	unsigned int nr;
	struct mutex lock; /* see lmr.c */
	bool dead;
	struct list_head maps;
	unsigned int nr_maps;
};

/* lmr.c */
bool lmr_in_vain(const struct lite_req *req);
int lmr_create(struct lite_node *node, const struct lite_req *req,
	       const char *name, u64 size, u32 others,
	       struct lite_lmr_rsp *rsp);
struct lmr *lmr_get(struct lite_node *node, u64 id);
struct lmr *lmr_get_name(struct lite_node *node, const char *name);
void lmr_put(struct lmr *lmr);
int lmr_map(struct lmr *lmr, u64 incarnation, u32 access);
void lmr_unmap(struct lmr *lmr, u64 incarnation);
void lmr_wait_parts(struct lite_node *node);
int lmr_grant(struct lmr *lmr, u64 incarnation, u32 access);
int lmr_may(struct lmr *lmr, u64 incarnation, u32 access);
int lmr_keys(struct lmr *lmr, struct lite_req *req, u32 first, u32 nr,
	     struct lite_wire_seg *seg);
void lmr_kill(struct lite_node *node, struct lmr *lmr);

#endif /* _LITE_RPC_LMR_H */
