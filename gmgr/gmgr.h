/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gmgr: membership, vNodes and coarse placement (LegoOS's GPM, GMM and GSM in
 * one). It sits on no data path: with gmgr dead, running programs run on.
 */
#ifndef _GMGR_H
#define _GMGR_H

#include <linux/completion.h>
#include <linux/configfs.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <lego/lite.h>

#include "lease.h"
#include "policy.h"

/**
 * struct gmgr_cfg - what an instance is made from
 * @name: component name
 * @addr: where it listens, as in struct lite_node_cfg
 * @placement: name of the placement policy
 * @heartbeat_ms: how often members shall report
 * @dead_ms: silence after which one is declared dead
 */
struct gmgr_cfg {
	const char *name;
	const char *addr;
	const char *placement;
	unsigned int heartbeat_ms;
	unsigned int dead_ms;
};

/**
 * struct gmgr_teller - the member that is telling its copy of the vNodes
 * @incarnation: its
 * @epoch: version of its copy
 * @next: index that its next page has to begin with
 */
struct gmgr_teller {
	u64 incarnation;
	u64 epoch;
	u32 next;
};

/**
 * struct gmgr - one global manager
 *
 * Notes on locking: @join_lock, then @lock. Nothing else is taken, and no RPC
 * made, under @lock; configfs and sysfs objects come and go with at most
 * @join_lock held, because their callbacks take @lock. RPCs that go through
 * configfs take its and VFS's locks before @lock, and run on @vnode_wq: in a
 * handler of lite_rpc's they would tie those locks to all of its nodes, some
 * of which are ended by rmdir with the very same locks held. What gmgr itself
 * asks with them held (how many processes there are, vid.c) is over in 2 s.
 */
struct gmgr {
	char name[LITE_NAME_LEN];
	struct lite_node *node;
	struct ratelimit_state news;
	bool ready; /* set last, before it handlers answer -EAGAIN */
	unsigned int heartbeat_ms;
	unsigned int dead_ms;

	struct mutex join_lock; /* one join or eviction at a time */
	struct workqueue_struct *vnode_wq; /* one vNode RPC at a time */
	const struct gmgr_vnode *vnode_init; /* of @vnode_task alone */
	u64 vnode_told; /* the same: gmgr_vn.told of what is made */
	struct task_struct *vnode_task; /* worker that is making a vNode */

	struct mutex lock; /* protects the following, up to @check */
	u64 epoch;
	struct list_head members;
	unsigned int nr_members;
	unsigned int nr_up;
	struct list_head vnodes;
	unsigned int nr_vnodes;
	struct xarray vids; /* gmgr_vn, or a value: see vid.c */
	u32 next_vid;
	bool vids_again; /* they have begun at 1 again */
	u64 vnode_epoch; /* version of @vnodes, 0: nothing is known of them */
	u64 learned; /* the one that was learned from members, 0: none */
	bool joined; /* a member has */
	bool settled; /* members have had the time to tell what they know */
	u64 settle_at; /* when they will have had it, ms */
	u64 settle_max; /* at the latest */
	struct list_head waiting; /* vNode RPCs, till @settled */
	struct gmgr_teller teller; /* of @vnode_wq alone */
	const struct gmgr_place_ops *place;
	u32 place_turn;

	struct delayed_work check;
	unsigned long check_due; /* of @check alone */
	struct gmgr_lease **leases; /* of @check alone */
	bool isolated; /* most fell silent together. @lock */

	struct kobject kobj;
	struct completion kobj_gone;
	struct kobject *members_kobj;

	struct config_group group;
	struct config_group vnodes_group;
};

/**
 * struct gmgr_component - a member, living or dead
 * @kobj: its directory in sysfs; owns the structure
 * @gmgr: whose
 * @list: in gmgr.members, in the order of joining
 * @lease: when it was last heard, and how long it may be silent
 * @shown: @used when the epoch was last bumped for its sake
 * @told: epoch of the table by which another member told of it; 0: it has
 *	joined since gmgr was started, or was declared dead
 * @kept: version of the vNodes that it keeps
 * @placed: bytes guessed for what was placed there and is not in @used yet
 *
 * The rest is as in struct gmgr_member. Protected by gmgr.lock, but for @name,
 * which never changes.
 */
struct gmgr_component {
	struct kobject kobj;
	struct gmgr *gmgr;
	struct list_head list;
	struct gmgr_lease lease;
	u64 told;
	u64 kept;
	u64 placed;
	u64 incarnation;
	u64 total;
	u64 used;
	u64 shown;
	u32 id;
	u32 role;
	u32 state;
	u32 nr_spaces;
	char name[LITE_NAME_LEN];
	char addr[LITE_ADDR_LEN];
};

/**
 * struct gmgr_vn - a vNode
 * @group: its directory in configfs; owns the structure
 * @gmgr: whose
 * @list: in gmgr.vnodes
 * @told: version of the table by which members told of it, 0: made since gmgr
 *	was started
 * @vid: 0 till gmgr is settled, then it never changes
 *
 * The rest is as in struct gmgr_vnode. Protected by gmgr.lock, but for @name,
 * which never changes.
 */
struct gmgr_vn {
	struct config_group group;
	struct gmgr *gmgr;
	struct list_head list;
	u64 quota;
	u64 told;
	u32 vid;
	__be32 vip;
	char name[LITE_NAME_LEN];
	char storage[LITE_NAME_LEN];
	char root[GMGR_ROOT_LEN];
};

/* cluster.c */
struct gmgr *gmgr_create(const struct gmgr_cfg *cfg);
void gmgr_destroy(struct gmgr *g);
int gmgr_check_name(const char *name, size_t size);
const char *gmgr_role_name(u32 role);
__printf(2, 3) void gmgr_news(struct gmgr *g, const char *fmt, ...);

/* member.c */
int gmgr_members_init(struct gmgr *g);
void gmgr_members_exit(struct gmgr *g);
int gmgr_member_join(struct gmgr *g, const struct gmgr_join_req *req,
		     struct gmgr_join_rsp *rsp);
int gmgr_member_leave(struct gmgr *g, const struct gmgr_leave_req *req);
int gmgr_member_heartbeat(struct gmgr *g, const struct gmgr_heartbeat_req *req,
			  struct gmgr_heartbeat_rsp *rsp);
u32 gmgr_member_list(struct gmgr *g, u32 start, struct gmgr_members_rsp *rsp);
struct gmgr_component *gmgr_member_find(struct gmgr *g, const char *name);
void gmgr_member_told(struct gmgr *g, const struct gmgr_member *m, u64 epoch);
bool gmgr_member_is_in(struct gmgr *g, u64 incarnation);
bool gmgr_members_have(struct gmgr *g);

/* The time that leases count. */
static inline u64 gmgr_now(void)
{
	return ktime_to_ms(ktime_get());
}

/**
 * struct gmgr_vnode_job - a request that runs on gmgr.vnode_wq
 * @work: in the queue
 * @list: or in gmgr.waiting
 * @req: request, answered there
 */
struct gmgr_vnode_job {
	struct work_struct work;
	struct list_head list;
	struct lite_req *req;
};

/* serve.c */
extern const struct lite_handler gmgr_handlers[];
extern const unsigned int gmgr_nr_handlers;

/* vnode.c */
struct gmgr_vn *gmgr_vnode_alloc(struct gmgr *g, const char *name);
void gmgr_vnode_del(struct gmgr_vn *vn);
int gmgr_vnode_set_root(struct gmgr_vn *vn, const char *root, size_t len);
int gmgr_vnode_set_storage(struct gmgr_vn *vn, const char *storage,
			   size_t len);
int gmgr_vnode_create(struct gmgr *g, const struct gmgr_vnode *want,
		      struct gmgr_vnode *out);
int gmgr_vnode_remove(struct gmgr *g, const char *name);
int gmgr_vnode_get(struct gmgr *g, const char *name, struct gmgr_vnode *out);
u32 gmgr_vnode_list(struct gmgr *g, u32 start, struct gmgr_vnodes_rsp *rsp);
void gmgr_vnodes_settle(struct gmgr *g);
void gmgr_vnodes_changed(struct gmgr *g);
int gmgr_vnode_restore(struct gmgr *g, const struct gmgr_vnode *v, u64 told);
int gmgr_vnode_rmdir(struct gmgr *g, const char *name);
u32 gmgr_vnode_table(struct gmgr *g, u32 start, struct gmgr_vnode_table *rsp);

/* vid.c */
void gmgr_vids_init(struct gmgr *g);
void gmgr_vid_seen(struct gmgr *g, u32 vid);
int gmgr_vid_get(struct gmgr *g, u32 *vid);
void gmgr_vid_set(struct gmgr *g, u32 vid, struct gmgr_vn *vn);
void gmgr_vid_put(struct gmgr *g, u32 vid);
int gmgr_vid_restore(struct gmgr *g, u32 vid, struct gmgr_vn *vn);
void gmgr_vid_remove(struct gmgr *g, u32 vid);
bool gmgr_vid_is_removed(struct gmgr *g, u32 vid);
struct gmgr_vn *gmgr_vnode_by_vid(struct gmgr *g, u32 vid);

/* learn.c */
void gmgr_learn_init(struct gmgr *g);
void gmgr_learn_end(struct gmgr *g);
void gmgr_learn_join(struct gmgr *g, const struct gmgr_join_req *req,
		     struct gmgr_join_rsp *rsp);
void gmgr_settle(struct gmgr *g);
bool gmgr_settle_is_due(struct gmgr *g, u64 now);
void gmgr_learn_members(struct gmgr *g, const struct gmgr_tell_members *msg);
int gmgr_learn_vnodes(struct gmgr *g, u64 teller,
		      const struct gmgr_vnode_table *msg);

/* procs.c */
int gmgr_procs(struct gmgr *g, const u32 *vid, u32 *nr, unsigned int count);

/* configfs.c */
int gmgr_configfs_init(struct gmgr *g);
void gmgr_configfs_exit(struct gmgr *g);
void gmgr_configfs_vnode_init(struct gmgr_vn *vn);

/* placement.c */
const struct gmgr_place_ops *gmgr_policy_find(const char *name);
int gmgr_place(struct gmgr *g, u32 vid, u32 *home_id);
void gmgr_place_heard(struct gmgr_component *c);

/* sysfs.c */
int gmgr_sysfs_init(struct gmgr *g, struct kobject *parent);
void gmgr_sysfs_exit(struct gmgr *g);
int gmgr_sysfs_add_member(struct gmgr_component *c);
void gmgr_sysfs_del_member(struct gmgr_component *c);
struct kobject *gmgr_kobj(void);

#endif /* _GMGR_H */
