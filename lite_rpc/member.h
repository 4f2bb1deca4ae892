/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Membership, what its files share: member.c joins and reads gmgr's table,
 * suspect.c confirms the deaths that stand in it, keep.c keeps what a gmgr that
 * is restarted has forgotten.
 */
#ifndef _LITE_RPC_MEMBER_H
#define _LITE_RPC_MEMBER_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "lite_rpc.h"

/**
 * struct lite_entry - what we know of a member
 * @m: from gmgr, but that @m.state stays UP while @m.suspected
 * @round: the last time that gmgr had it in its table
 * @silent: @m.suspected: jiffies, not 0, since when it has not answered us
 * @told: @m.suspected: that it answers all the same was logged
 */
struct lite_entry {
	struct lite_member m;
	u64 round;
	unsigned long silent;
	bool told;
};

/**
 * struct lite_vnodes - the copy of gmgr's vNodes that each member keeps
 * @life: incarnation of the gmgr that made this version, 0: there is none
 * @epoch: the version
 * @next_vid: where gmgr would have gone on then
 * @nr: how many
 * @vnode: as on the wire
 */
struct lite_vnodes {
	u64 life;
	u64 epoch;
	u32 next_vid;
	u32 nr;
	struct gmgr_vnode *vnode;
};

/**
 * struct lite_membership - a node's
 * @node: whose
 * @mutex: serialises join, leave and beats; calls gmgr and @ops->usage inside
 * @news_mutex: serialises reading gmgr's table and acting upon it; calls gmgr
 *	and @ops->changed inside
 * @ops: callbacks, NULL while not joined
 * @gmgr: NULL while not joined; changes under @mutex
 * @lost: gmgr does not answer, and that was logged
 * @want: counts what makes gmgr's table worth reading, but for its epoch
 * @have: @want before @table was read
 * @epoch: gmgr's, of @table
 * @round: counts how often gmgr's table was asked for
 * @listed: the last that was read to its end; who is of an earlier one is not
 *	in gmgr's table
 * @heartbeat_ms: as gmgr wishes
 * @wq: for @beat alone: nothing may delay it
 * @beat: the next heartbeat, on @wq
 * @news_wq: for @news and @suspect, which may take long
 * @news: reads gmgr's table
 * @suspect: asks those that gmgr calls dead
 * @vnode_epoch: of gmgr's vNode table, as it says
 * @vnodes: our copy of that; under @news_mutex, but for its life, epoch and
 *	next_vid, which may be read with @lock
 * @gmgr_life: incarnation of the gmgr that we have joined
 * @tell: it was restarted, and wants to know what we keep
 * @lock: protects @table, what its entries hold, @listed, @gmgr_life and @tell;
 *	only @table's xa_lock is taken below it
 * @table: id -> struct lite_entry
 */
struct lite_membership {
	struct lite_node *node;
	struct mutex mutex;
	struct mutex news_mutex;
	const struct lite_member_ops *ops;
	struct lite_peer *gmgr;
	bool lost;
	u32 want;
	u32 have;
	u64 epoch;
	u64 round;
	u64 listed;
	u32 heartbeat_ms;
	struct workqueue_struct *wq;
	struct delayed_work beat;
	struct workqueue_struct *news_wq;
	struct work_struct news;
	struct delayed_work suspect;
	u64 vnode_epoch;
	struct lite_vnodes vnodes;
	u64 gmgr_life;
	bool tell;
	spinlock_t lock;
	struct xarray table;
};

/* member.c */
void lite_member_changed(struct lite_membership *ms,
			 const struct lite_member *old,
			 const struct lite_member *new);

int lite_gmgr_call(struct lite_membership *ms, u16 op, const void *req,
		   u32 req_len, void *rsp, u32 rsp_size, u32 *rsp_len);

/* keep.c */
void lite_keep_join(struct lite_membership *ms, struct gmgr_join_req *req);
void lite_keep_joined(struct lite_membership *ms,
		      const struct gmgr_join_rsp *rsp);
bool lite_keep_wants(struct lite_membership *ms);
int lite_keep_sync(struct lite_membership *ms);

/* suspect.c */
void lite_suspect_begin(struct lite_membership *ms, struct lite_entry *entry,
			struct lite_member *new);
void lite_suspect_work(struct work_struct *work);

#endif /* _LITE_RPC_MEMBER_H */
