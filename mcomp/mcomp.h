/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mcomp: memory of programs that run elsewhere. It runs no user code and knows
 * nothing of a pComponent but what its messages say.
 */
#ifndef _MCOMP_H
#define _MCOMP_H

#include <linux/configfs.h>
#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <lego/lite.h>

#include "pagemap.h"
#include "policy.h"
#include "pool.h"

#define MCOMP_ADDR_MAX BIT_ULL(57) /* end of any user address range */
#define MCOMP_INDEX_MAX (MCOMP_ADDR_MAX >> PAGE_SHIFT)

/*
 * Our copy of gmgr's table may be behind, and name the life of a pComponent
 * before the one that has spaces here: that one is asked, and must be silent
 * for so long before it is thought to have ended.
 */
#define MCOMP_GRACE_MS 3000

/* A request works so long at most; what is left then is for the next one. */
#define MCOMP_WORK_MS 1000

/* Calls to other mComponents: shorter than what their caller waits. */
#define MCOMP_CALL_MS 3000

/**
 * struct mcomp_cfg - what an instance is made from
 * @name: component name
 * @addr: where it listens, as in struct lite_node_cfg
 * @gmgr: where gmgr is
 * @pagemap: name of the mapping scheme
 * @policy: name of the policy for vRegions
 * @mem_mb: MiB to serve
 * @vregion_mb: MiB of address range in a vRegion, a power of two
 */
struct mcomp_cfg {
	const char *name;
	const char *addr;
	const char *gmgr;
	const char *pagemap;
	const char *policy;
	long mem_mb;
	long vregion_mb;
};

struct mcomp_stats {
	atomic64_t fetches; /* pages sent */
	atomic64_t fetch_misses; /* asked for, but never written */
	atomic64_t writebacks; /* pages taken */
	atomic64_t nomem; /* write-backs refused for want of memory */
};

/**
 * struct mcomp - one memory component
 *
 * Notes on locking, from the outside in:
 *	mcomp_space.vregion_lock	fork holds it over calls to mComponents
 *	mcomp_space.update_lock
 *	mcomp_space.sem			a child's, then its parent's
 *	mcomp_space.owners_lock		the same
 *	mcomp_client.lock		lite_rpc's locks for regions inside
 *	mcomp.lock
 *	mcomp_pool.lock			any context
 * Fetches take none of them but the last.
 */
struct mcomp {
	char name[LITE_NAME_LEN];
	struct list_head list; /* of instances */
	struct lite_node *node;
	struct mcomp_pool *pool;
	const struct mcomp_pagemap_ops *pagemap;
	const struct mcomp_region_ops *policy;
	unsigned int vregion_shift;
	bool ready; /* set last, before it handlers answer -EBUSY */
	bool joined;

	struct xarray spaces; /* by id; readers under RCU */
	/* protects the members from @clients on, and changes of @spaces */
	struct mutex lock;
	struct list_head clients;
	unsigned int nr_clients;
	unsigned int nr_spaces;
	u32 max_vid; /* of all spaces that ever were; @lock */
	bool closing; /* no new space */

	/* Frees spaces, tells other mComponents to */
	struct workqueue_struct *wq;
	struct delayed_work gc_work;
	u32 gc_round; /* of gc_work alone */
	struct delayed_work living_work;
	u32 living_round; /* of living_work alone */
	atomic_t nr_orphans; /* shards elsewhere that are to be destroyed */
	wait_queue_head_t stop_wait; /* @stopping, or no orphan is left */
	bool stopping;

	struct mcomp_stats stats;
	struct kobject kobj;
	struct completion kobj_gone;
	struct dentry *debugfs;
};

/*
 * Incarnations of pComponents: four for each component that gmgr takes. What
 * nobody knows, and has no space, is forgotten after a while.
 */
#define MCOMP_CLIENTS_MAX 1024
#define MCOMP_STRANGER_MS 60000

#define MCOMP_NEVER_MAX 64

/**
 * struct mcomp_client - an incarnation of a pComponent that has spaces here
 * @list: in mcomp.clients, till @gone
 * @ref: one of the list, one of each space
 * @m: where
 * @pcomp_id: its node id
 * @incarnation: its incarnation
 * @export: what the wire calls @pieces
 * @doubt: jiffies, not 0, since when it does not answer, though the table says
 *	that it has died. mcomp.lock
 * @stranger: jiffies, not 0, since when the table does not have it, nor any
 *	space. mcomp.lock
 * @over: it has died, as far as can be known. mcomp.lock
 * @gc_round: mcomp.gc_round when it was asked last. mcomp.lock
 * @away_round: mcomp.living_round when it did not answer. living_work's alone
 * @gone: gets no space any more. mcomp.lock
 * @lock: protects @pieces
 * @revoked: may not read by itself any more; set with @lock held
 * @pieces: regions that it may read, by number of the piece of the pool
 * @never: ids that were ended before they came to be, the last of them.
 *	mcomp.lock
 * @nr_never: how many there were
 */
struct mcomp_client {
	struct list_head list;
	refcount_t ref;
	struct mcomp *m;
	u32 pcomp_id;
	u64 incarnation;
	u64 export;
	unsigned long doubt;
	unsigned long stranger;
	u32 gc_round;
	u32 away_round;
	bool over;
	bool gone;
	struct mutex lock; /* see above */
	bool revoked;
	struct xarray pieces;
	u64 never[MCOMP_NEVER_MAX];
	unsigned int nr_never;
};

/**
 * struct mcomp_owner - another mComponent that has a shard of a space
 * @list: in mcomp_space.owners, or none
 * @id: its node id
 * @incarnation: which had the shard made; another has not got it
 * @nr_vregions: of this space it has; 0 if nobody knows whether it made a shard
 * @forked: it has made its part of this child
 * @work: tells it to destroy the shard, when the space has ended
 * @tries: how often it was told
 * @peer: held for the last try
 * @call: the last try
 * @m: for @work
 * @req: for @work
 */
struct mcomp_owner {
	struct list_head list;
	u32 id;
	u32 nr_vregions;
	bool forked;
	u64 incarnation;
	struct delayed_work work;
	unsigned int tries;
	struct lite_peer *peer;
	struct lite_call call;
	struct mcomp *m;
	struct mcomp_space_req req;
};

/**
 * enum mcomp_fork_state - how far a child has come
 * @MCOMP_FORK_NEW: it has nothing
 * @MCOMP_FORK_PAGES: it has its VMAs and knows its owners
 * @MCOMP_FORK_OWNERS: it has its pages here
 */
enum mcomp_fork_state {
	MCOMP_FORK_NEW,
	MCOMP_FORK_PAGES,
	MCOMP_FORK_OWNERS,
};

/**
 * struct mcomp_space - this mComponent's shard of a space
 * @m: whose
 * @id: pComponent's node id and a number of its choice
 * @client: whose it is: its end is the space's end
 * @vid: vNode
 * @home: this mComponent has the coarse map
 * @ref: one of mcomp.spaces, one of each handler at work
 * @free_work: frees it behind fetches, which have no reference
 * @update_lock: one VMA update at a time; only ever try-locked
 * @sem: protects @vmas, @seq, @nr_applied, @erasing, @erase_at, and removal from
 *	@map: VMA updates, fork and the end take it for writing, write-backs,
 *	which add to @map, for reading
 * @dead: ended; changed with @sem and @owners_lock held
 * @unused: ended by its pComponent, which reads nothing of it any more; as @dead
 * @told_nomem: the log has said that it wanted more than there is
 * @short_since: jiffies, not 0, since when it has found no room, or 0
 * @short_last: when it was last told so
 * @seq: last VMA update done
 * @nr_applied: changes of the next one that are done
 * @erasing: the one after these frees pages, and has come to @erase_at
 * @erase_at: where it goes on
 * @fork_parent: whose child this is, referenced, till it is complete; else NULL
 * @fork_state: how far that is
 * @fork_at: up to where the pages of the parent's map have been copied; linked
 *	there, so its @sem, too
 * @nr_forks: children that are not complete: it gets no new owner
 * @vmas: page indices to xa_mk_value(PROT_*)
 * @map: page indices to frames
 * @owners_lock: protects @owners and @vregions
 * @owners: home: struct mcomp_owner, but for this mComponent itself
 * @vregions: home: vRegions to xa_mk_value(node id)
 * @vregion_lock: home: one vRegion is given away at a time
 */
struct mcomp_space {
	struct mcomp *m;
	struct mcomp_client *client;
	u64 id;
	u32 vid;
	bool home;
	bool dead;
	bool unused;
	bool told_nomem;
	unsigned long short_since;
	unsigned long short_last;
	refcount_t ref;
	struct rcu_work free_work;

	struct mutex update_lock; /* see above */
	struct rw_semaphore sem;
	u64 seq;
	u32 nr_applied;
	bool erasing;
	struct mcomp_cursor erase_at;
	struct mcomp_space *fork_parent;
	enum mcomp_fork_state fork_state;
	struct mcomp_cursor fork_at;
	atomic_t nr_forks;
	struct maple_tree vmas;
	struct mcomp_pagemap map;

	struct mutex owners_lock; /* see above */
	struct list_head owners;
	struct xarray vregions;
	struct mutex vregion_lock; /* see above */
};

/* main.c */
struct kobject *mcomp_module_kobj(void);
struct dentry *mcomp_module_debugfs(void);

/* instance.c */
struct mcomp *mcomp_create(const struct mcomp_cfg *cfg);
int mcomp_try_close(struct mcomp *m);
void mcomp_destroy(struct mcomp *m);
int mcomp_check_name(const char *name);

/* configfs.c */
int mcomp_configfs_init(void);
void mcomp_configfs_exit(void);

/* sysfs.c */
int mcomp_sysfs_init(struct mcomp *m);
void mcomp_sysfs_exit(struct mcomp *m);

/* debugfs.c */
void mcomp_debugfs_init(struct mcomp *m);
void mcomp_debugfs_exit(struct mcomp *m);

/* space.c */
struct mcomp_space *mcomp_space_alloc(struct mcomp *m, u64 id, u32 pcomp_id,
				      u64 incarnation, u32 vid, bool home);
int mcomp_space_insert(struct mcomp_space *s);
int mcomp_space_create(struct mcomp *m, const struct mcomp_space_req *req,
		       bool home);
struct mcomp_space *mcomp_space_get(struct mcomp *m, u64 id);
struct mcomp_space *mcomp_space_next(struct mcomp *m, unsigned long *index);
struct mcomp_space *mcomp_space_get_last(struct mcomp *m,
					 const struct mcomp_space_req *req);
void mcomp_space_put(struct mcomp_space *s);
void mcomp_space_kill(struct mcomp_space *s, bool unused);
void mcomp_space_evict(struct mcomp *m, u64 id, u64 incarnation);

/* vma.c */
void mcomp_vma_init(struct mcomp_space *s);
void mcomp_vma_exit(struct mcomp_space *s);
int mcomp_vma_update(struct mcomp_space *s, const struct mcomp_vma_req *req);
bool mcomp_vma_covers(struct mcomp_space *s, u64 index);
int mcomp_vma_copy(struct mcomp_space *to, struct mcomp_space *from);
unsigned int mcomp_vma_count(struct mcomp_space *s);
void mcomp_frame_drop(void *space, u32 frame);

/* serve.c */
extern const struct lite_handler mcomp_handlers[];
extern const unsigned int mcomp_nr_handlers;
bool mcomp_serve_is_owner(struct lite_req *req, const struct mcomp_space *s);

/* data.c */
void mcomp_serve_fetch(struct lite_req *req);
void mcomp_serve_writeback(struct lite_req *req);

/* region.c */
const struct mcomp_region_ops *mcomp_policy_find(const char *name);
int mcomp_vregion_get(struct mcomp_space *s, u64 vregion, u32 *owner_id);
struct mcomp_owner *mcomp_owner_alloc(struct mcomp_space *s, u32 id,
				      u64 incarnation);
void mcomp_owner_orphan(struct mcomp_owner *o, bool unused);

/* fork.c */
int mcomp_fork_home(struct mcomp_space *parent, u64 child_id);
int mcomp_fork_shard(struct mcomp_space *parent, u64 child_id);
void mcomp_fork_end(struct mcomp_space *child);

/* client.c */
enum mcomp_fate {
	MCOMP_FATE_LIVES, /* as far as is known */
	MCOMP_FATE_UNKNOWN, /* perhaps: gmgr may just have been restarted */
	MCOMP_FATE_DOUBT, /* the table has another incarnation */
	MCOMP_FATE_DEAD, /* it did not answer lite_rpc */
	MCOMP_FATE_LEFT,
};

struct mcomp_client *mcomp_client_get(struct mcomp *m, u32 pcomp_id,
				      u64 incarnation);
void mcomp_client_put(struct mcomp_client *c);
void mcomp_client_revoke(struct mcomp_client *c);
int mcomp_client_export(struct mcomp_client *c, struct lite_req *req,
			u32 piece, struct lite_wire_seg *seg);
enum mcomp_fate mcomp_client_fate(const struct mcomp_client *c);

/* gc.c */
void mcomp_gc_work(struct work_struct *work);
void mcomp_gc_all(struct mcomp *m);

/* living.c */
void mcomp_living_work(struct work_struct *work);

#endif /* _MCOMP_H */
