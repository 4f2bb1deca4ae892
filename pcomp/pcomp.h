/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pcomp: the processor component. Private to the module.
 *
 * How a page travels, and which file has that idea:
 *
 *	sysmem.c mremap.c protect.c exec.c fork.c
 *				(what a process asks of its address space)
 *	   -> map.c change.c	(mappings made, replaced and unmade)
 *	fault.c			(what the MMU asks)
 *	   -> line.c		(a space's page, cached in a frame)
 *	      -> fetch.c	(from its owner)	backing.c (from a file)
 *	         -> place.c	(without asking)
 *	evict.c -> writeback.c wb_peer.c	(to its owner)
 *	   -> owner.c		(which mComponent, and what it knows of VMAs)
 *	   -> lite_rpc
 *
 * Lock order, outermost first:
 *
 *	pcomp_space.map_lock		one change of an address space at a time
 *	  mm->mmap_lock
 *	    pcomp_space.discard_lock	RPC of a fork inside
 *	      page lock of a line
 *	        i_mmap_rwsem, page-table locks (the kernel's)
 *	        pcomp_cache.lock	queues and the free list
 *	        xa_lock of pcomp_space.pages
 *	        pcomp.exports_lock	any context
 *	        kill_lock of space.c	one space is declared lost at a time
 *	      pcomp_owner.flush_lock	VMA updates go out in order; RPC inside
 *	        pcomp_space.log_lock
 *
 * Fork runs under mmap_lock (dup_mmap() is hooked): it never takes map_lock.
 * log_lock is a leaf under mmap_lock, too. Faults and forks wait at the gate of
 * a change (change.c) with mmap_lock held; who has closed it does not take it.
 * A thread holds one page lock at a time, and waits for a frame holding none;
 * only evictors hold many, and those they only ever try-lock.
 */
#ifndef _PCOMP_H
#define _PCOMP_H

#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <lego/lite.h>

struct coredump_params;
struct pcomp;
struct pcomp_evictor;
struct pcomp_export;
struct pcomp_space;

/* Counters, one sysfs file each; see instance.c */
enum pcomp_stat {
	PCOMP_STAT_MISS, /* faults that fetched from an mComponent */
	PCOMP_STAT_READ, /* fetches that read the page without asking */
	PCOMP_STAT_FIRST, /* first touches: no message */
	PCOMP_STAT_SOFT, /* faults on a line that was cached */
	PCOMP_STAT_FILE, /* pages read from a privately mapped file */
	PCOMP_STAT_EVICT, /* lines freed by evictors */
	PCOMP_STAT_WRITEBACK, /* dirty lines written to their owner */
	PCOMP_STAT_RESCUE, /* lines touched again while being evicted */
	PCOMP_STAT_STALL, /* faults that had to wait for a free frame */
	PCOMP_STAT_FORK,
	PCOMP_STAT_EXEC,
	PCOMP_STAT_ERROR, /* calls to mComponents that failed, retries too */
	PCOMP_STAT_NR
};

/* bits of pcomp_line.flags */
#define LINE_REMOTE 0 /* the owner has a version of this page */
#define LINE_WB 1 /* a write-back is in flight; one at a time */
#define LINE_DEAD 2 /* has no page any more, waits for the last reference */

/**
 * struct pcomp_line - a frame of ExCache and what it holds
 * @page: the frame; has one reference of the cache's as long as that lives
 * @pc: the cache's component
 * @space: whose page it holds, NULL if none. Changes under the page lock
 * @index: which page: virtual address >> PAGE_SHIFT. Page lock
 * @place: where its owner has it, 0: not known. Page lock, or LINE_WB
 * @queue: on the free list, the policy's queue, parked (wb_peer.c) or none of
 *	these. pcomp_cache.lock
 * @flags: LINE_*, atomic bit operations
 * @frame: number of the frame in the cache
 * @tries: of the fetch in flight
 * @read: it reads, it does not ask
 * @deadline: jiffies when the fetch in flight gives up
 * @call: the fetch in flight
 * @sge: where it lands
 * @req: what it asks
 * @work: retries it
 *
 * The fetch is inside so that a miss allocates nothing.
 */
struct pcomp_line {
	struct page *page;
	struct pcomp *pc;
	struct pcomp_space *space;
	pgoff_t index;
	u64 place;
	struct list_head queue;
	unsigned long flags;
	unsigned int frame;
	unsigned int tries;
	bool read;
	unsigned long deadline;
	struct lite_call call;
	struct lite_sge sge;
	struct mcomp_fetch_req req;
	struct work_struct work;
};

/**
 * struct pcomp_policy - which lines go first
 * @name: for sysfs
 * @add: a line has come, or was spared: queue it
 * @pick: take a line off the queue, or NULL
 *
 * Called with pcomp_cache.lock held; touch nothing but the queue.
 */
struct pcomp_policy {
	const char *name;
	void (*add)(struct list_head *queue, struct pcomp_line *line);
	struct pcomp_line *(*pick)(struct list_head *queue);
};

extern const struct pcomp_policy pcomp_policy_fifo;

/**
 * struct pcomp_cache - ExCache
 * @line: a line for each frame
 * @nr: how many
 * @low: evictors wake below this many free frames
 * @high: and rest above this many
 * @mr: all frames, registered once
 * @lock: protects @free, @nr_free, @queue and pcomp_line.queue
 * @free: frames that hold nothing
 * @nr_free: how many
 * @queue: frames that hold a line, in the policy's order
 * @policy: the policy
 * @free_wait: faults that wait for a frame
 * @evict_wait: evictors at rest, or with write-backs in flight
 * @wb_wait: those that wait for LINE_WB to end, or a fork for its write-backs
 */
struct pcomp_cache {
	struct pcomp_line *line;
	unsigned int nr;
	unsigned int low;
	unsigned int high;
	struct lite_mr *mr;
	spinlock_t lock; /* queues and counts, see above */
	struct list_head free;
	unsigned int nr_free;
	struct list_head queue;
	const struct pcomp_policy *policy;
	wait_queue_head_t free_wait;
	wait_queue_head_t evict_wait;
	wait_queue_head_t wb_wait;
};

#define PCOMP_EVICTORS 2

/**
 * struct pcomp - a processor component
 */
struct pcomp {
	struct kobject kobj; /* /sys/kernel/lego/pcomp/NAME */
	char name[LITE_NAME_LEN];
	struct list_head node_list; /* pcomp_instances_lock */
	refcount_t refs; /* spaces, mounts, users of /dev/lego, the instance */
	wait_queue_head_t idle; /* refs fell to 1 */
	bool dying; /* pcomp_instances_lock */
	struct lite_node *node;
	bool joined;
	struct pcomp_cache cache;
	struct pcomp_evictor *evictor[PCOMP_EVICTORS];
	struct workqueue_struct *wq; /* space ends, changes */
	struct workqueue_struct *flush_wq; /* VMA flushes, which wait */
	struct workqueue_struct *io_wq; /* fetches, write-backs: ends wait */
	struct xarray wb_peers; /* node id -> struct pcomp_wb_peer */
	struct xarray spaces; /* id -> space, for debugfs and member deaths */
	atomic_t nr_spaces;
	u32 next_space; /* xa_lock of @spaces */
	u32 max_vid; /* of all vNodes that were ever used here */
	unsigned long gmgr_silent; /* jiffies till when not to ask it, 0: ask */
	spinlock_t exports_lock; /* protects @exports, any context */
	struct list_head exports; /* of mComponents' memory */
	struct dentry *debugfs;
	atomic64_t stat[PCOMP_STAT_NR];
};

static inline void pcomp_stat_inc(struct pcomp *pc, enum pcomp_stat i)
{
	atomic64_inc(&pc->stat[i]);
}

/**
 * struct pcomp_owner - an mComponent that has part of a space
 * @list: in pcomp_space.owners, only added to; log_lock for adding
 * @space: the space
 * @peer: the mComponent
 * @id: its node id
 * @flush_lock: one flush of @ops at a time
 * @flush_err: what came of the last one. flush_lock
 * @flush_end: jiffies when it was over. flush_lock
 * @seq: of the last update that was answered. flush_lock
 * @ops: VMA updates it has not heard of. pcomp_space.log_lock
 * @nr_ops: how many
 * @nr_sent: how many of them have been sent as number @seq + 1, and are sent
 *	again till that is answered; 0: none. flush_lock
 * @max_ops: room
 * @export: what it lets us read; NULL as long as that is not known
 */
struct pcomp_owner {
	struct list_head list;
	struct pcomp_space *space;
	struct lite_peer *peer;
	u32 id;
	struct mutex flush_lock; /* see above */
	int flush_err;
	unsigned long flush_end;
	u64 seq;
	struct mcomp_vma_op *ops;
	unsigned int nr_ops;
	unsigned int nr_sent;
	unsigned int max_ops;
	struct pcomp_export *export;
};

/**
 * struct pcomp_bye - the owners hear that a space has ended, one by one
 * @to: which of them, NULL: the home, which is the first
 * @tries: how often that one was told
 * @end: jiffies till when one that is away is told again
 * @req: what they are told
 * @call: the last try
 * @work: what comes after it
 */
struct pcomp_bye {
	struct pcomp_owner *to;
	unsigned int tries;
	unsigned long end;
	struct mcomp_space_req req;
	struct lite_call call;
	struct delayed_work work;
};

struct pcomp_backing;

#define PCOMP_WHY_LEN 128

/**
 * struct pcomp_change - mappings that are being replaced; see change.c
 * @task: whose system call does it, NULL: none, or a worker
 * @on: faults in the ranges wait. Set under mmap_lock for writing
 * @wait: for @on to end
 * @first: first index of the new mapping
 * @last: last index
 * @from: first index of lines that move there
 * @nr: how many; 0: none, what is there goes
 * @prot: PROT_* of moved memory
 * @stay: the mapping they leave remains, empty (MREMAP_DONTUNMAP)
 * @copy: start of a mapping whose pages are copied first
 * @copy_end: its end; 0: none
 * @backing: of the new mapping, or NULL
 * @emptied: the new range holds no old line any more
 * @work: finishes what a killed task began
 *
 * All but @on belongs to the holder of map_lock, or while @on to the worker.
 */
struct pcomp_change {
	struct task_struct *task;
	bool on;
	wait_queue_head_t wait;
	pgoff_t first;
	pgoff_t last;
	pgoff_t from;
	pgoff_t nr;
	unsigned long prot;
	bool stay;
	unsigned long copy;
	unsigned long copy_end;
	struct pcomp_backing *backing;
	bool emptied;
	struct work_struct work;
};

/**
 * struct pcomp_space - a process's address space: an mm that lives in ExCache
 * @refs: the mm (till it ends), users
 * @mm_node: in the table of all, by mm
 * @mm: the mm, grabbed: its address stays ours till the space is gone
 * @pc: component
 * @id: on the wire
 * @vid: vNode
 * @vnode: its name
 * @leader: the process that entered the vNode; referenced
 * @home_id: node id of the home
 * @home: the home
 * @vregion_shift: log2 of a vRegion in pages
 * @file: the file its VMAs map, and no other space's: its i_mmap finds the PTEs
 *	of a line. Its inode is the identity of its pages (page->mapping):
 *	shared futexes are told apart by it
 * @pages: index -> line (cached), value (only at the owner: its place, see
 *	pcomp_place_entry()), nothing (never written back: zero, or the file's)
 * @map_lock: one change of the address space at a time
 * @change: mappings that are being replaced
 * @discard_lock: one discard, or fork, at a time
 * @closed_first: first page that is being discarded: no line is made of it.
 *	xa_lock of @pages
 * @closed_nr: how many are; 0: none. xa_lock of @pages
 * @log_lock: protects @ranges, @owners (adding), pcomp_owner.ops
 * @ranges: what we have mapped, index -> PROT_* + 1 as value
 * @owners: mComponents that have part of it
 * @vregions: vRegion -> owner
 * @flush_work: tells owners of unmapped memory when nothing else does
 * @files: privately mapped files, index -> struct pcomp_backing
 * @broken: has lost memory: no page of it may be used any more. Set once, with
 *	release, when @why is there
 * @why: a sentence for its user
 * @ended: its mm has
 * @end_work: gives all back that is here
 * @bye: and has owners do so
 */
struct pcomp_space {
	refcount_t refs;
	struct hlist_node mm_node;
	struct mm_struct *mm;
	struct pcomp *pc;
	u64 id;
	u32 vid;
	char vnode[LITE_NAME_LEN];
	struct pid *leader;
	u32 home_id;
	struct lite_peer *home;
	unsigned int vregion_shift;
	struct file *file;
	struct xarray pages;
	struct mutex map_lock; /* see above */
	struct pcomp_change change;
	struct mutex discard_lock; /* see above */
	pgoff_t closed_first;
	unsigned long closed_nr;
	struct mutex log_lock; /* see above */
	struct maple_tree ranges;
	struct list_head owners;
	struct xarray vregions;
	struct delayed_work flush_work;
	struct maple_tree files;
	bool broken;
	char why[PCOMP_WHY_LEN];
	bool ended;
	struct work_struct end_work;
	struct pcomp_bye bye;
	struct rcu_head rcu;
};

/* gmgr hears of it when it was restarted, and gives it to no other vNode. */
static inline void pcomp_vid_used(struct pcomp *pc, u32 vid)
{
	u32 max = READ_ONCE(pc->max_vid);

	while (vid > max && !try_cmpxchg(&pc->max_vid, &max, vid))
		;
}

/* main.c */
extern struct vfsmount *pcomp_mnt;
extern struct kobject *pcomp_kobj;
extern struct dentry *pcomp_debugfs;

/* instance.c */

/**
 * struct pcomp_cfg - what a component is made from
 */
struct pcomp_cfg {
	const char *name;
	const char *addr;
	const char *gmgr;
	long excache_mb;
};

struct pcomp *pcomp_create(const struct pcomp_cfg *cfg);
int pcomp_destroy(struct pcomp *pc, bool force);
struct pcomp *pcomp_get_by_name(const char *name);
void pcomp_get(struct pcomp *pc);
void pcomp_put(struct pcomp *pc);
struct lite_node *pcomp_node(struct pcomp *pc);

/* sysfs.c */
extern const struct kobj_type pcomp_ktype;
void pcomp_debugfs_create(struct pcomp *pc);
void pcomp_debugfs_remove(struct pcomp *pc);

/* configfs.c */
int pcomp_configfs_init(void);
void pcomp_configfs_exit(void);

/* cache.c */
int pcomp_cache_init(struct pcomp *pc, unsigned long mb);
void pcomp_cache_exit(struct pcomp *pc);
struct pcomp_line *pcomp_frame_alloc(struct pcomp_space *s, pgoff_t index);
struct pcomp_line *pcomp_frame_spare(struct pcomp *pc);
void pcomp_frame_free(struct pcomp *pc, struct pcomp_line *line);
void pcomp_queue_add(struct pcomp *pc, struct pcomp_line *line);
void pcomp_queue_del(struct pcomp *pc, struct pcomp_line *line);

/* line.c */
struct pcomp_line *pcomp_line_get(struct pcomp_space *s, pgoff_t index);
void pcomp_line_put(struct pcomp_line *line);
int pcomp_line_lock(struct pcomp_space *s, pgoff_t index,
		    struct pcomp_line *line);
void pcomp_line_drop(struct pcomp_line *line, void *entry);
void pcomp_line_evict(struct pcomp_line *line);
int pcomp_lines_discard(struct pcomp_space *s, pgoff_t first, pgoff_t last);
void pcomp_lines_exit(struct pcomp_space *s);
u64 pcomp_line_settled(const struct pcomp_line *line);
int pcomp_line_install(struct pcomp_space *s, pgoff_t index,
		       struct pcomp_line *line);
int pcomp_line_move(struct pcomp_space *s, pgoff_t from, pgoff_t to);

/* fetch.c */
void pcomp_fetch_start(struct pcomp_line *line);
void pcomp_fetch_spin(struct pcomp_space *s, pgoff_t index, struct page *page);
void pcomp_fetch_work(struct work_struct *work);

/* place.c */
void pcomp_places_learn(struct pcomp_owner *o,
			const struct mcomp_writeback_rsp *rsp, u32 len,
			struct pcomp_line **line, unsigned int nr);
void pcomp_places_fork(struct pcomp_owner *child, struct pcomp_owner *parent);
void pcomp_places_exit(struct pcomp_owner *o);
int pcomp_place_read(struct pcomp_owner *o, u64 place, struct lite_call *call);
void pcomp_place_failed(struct pcomp_owner *o, u64 place);

/* What stands in pcomp_space.pages for a page that only its owner has. */
static inline void *pcomp_place_entry(u64 place)
{
	return xa_mk_value(place + 1);
}

static inline u64 pcomp_entry_place(const void *entry)
{
	return xa_to_value(entry) - 1;
}

/* evict.c */
int pcomp_evictors_start(struct pcomp *pc);
void pcomp_evictors_stop(struct pcomp *pc);

/* writeback.c */
#define PCOMP_BATCH 64

struct pcomp_wb;
struct pcomp_wb *pcomp_wb_alloc(struct pcomp *pc, unsigned int nr,
				wait_queue_head_t *wait, bool keep);
void pcomp_wb_free(struct pcomp_wb *wb);
unsigned int pcomp_wb_room(const struct pcomp_wb *wb);
void pcomp_wb_start(struct pcomp_wb *wb, struct pcomp_line **line,
		    unsigned int nr);
bool pcomp_wb_is_done(const struct pcomp_wb *wb);
bool pcomp_wb_is_awaited(const struct pcomp_wb *wb);
int pcomp_wb_reap(struct pcomp_wb *wb);
int pcomp_wb_run(struct pcomp_wb *wb, struct pcomp_line **line,
		 unsigned int nr);

/* wb_peer.c */

/**
 * enum pcomp_wb_when - when a dirty line is to be written
 * @PCOMP_WB_NOW: now
 * @PCOMP_WB_SOON: enough are in flight to its mComponent
 * @PCOMP_WB_PARK: pcomp_wb_park() it, its mComponent does not answer
 */
enum pcomp_wb_when {
	PCOMP_WB_NOW,
	PCOMP_WB_SOON,
	PCOMP_WB_PARK,
};

/**
 * struct pcomp_wb_work - a work that waits for an mComponent
 * @work: on pcomp.io_wq
 * @list: while it waits for its turn
 * @late: it had to wait for that
 */
struct pcomp_wb_work {
	struct work_struct work;
	struct list_head list;
	bool late;
};

struct pcomp_wb_peer;
struct pcomp_wb_peer *pcomp_wb_peer_of(struct pcomp_space *s, pgoff_t index);
bool pcomp_wb_peer_waits(const struct pcomp_wb_peer *p);
enum pcomp_wb_when pcomp_wb_when(const struct pcomp_line *line);
void pcomp_wb_park(struct pcomp_line *line);
bool pcomp_wb_is_slow(struct pcomp_space *s, pgoff_t index);
void pcomp_wb_peer_add(struct pcomp_wb_peer *p, unsigned int nr);
void pcomp_wb_peer_sub(struct pcomp_wb_peer *p, unsigned int nr);
void pcomp_wb_peer_learn(struct pcomp_wb_peer *p, int err);
void pcomp_wb_peer_queue(struct pcomp *pc, struct pcomp_wb_peer *p,
			 struct pcomp_wb_work *w);
bool pcomp_wb_peer_is_lost(const struct pcomp_wb_peer *p,
			   const struct pcomp_wb_work *w);
void pcomp_wb_peer_next(struct pcomp_wb_peer *p);
void pcomp_wb_peers_exit(struct pcomp *pc);

/* owner.c */
struct pcomp_owner *pcomp_owner_of(struct pcomp_space *s, pgoff_t index,
				   bool make);
int pcomp_owner_flush(struct pcomp_owner *o);
int pcomp_log(struct pcomp_space *s, u32 kind, unsigned long start,
	      unsigned long len, unsigned long prot);
int pcomp_owners_fork(struct pcomp_space *parent, struct pcomp_space *child);
int pcomp_owners_abandon(struct pcomp_space *s, unsigned long end);
int pcomp_log_wait(struct pcomp_space *s);
void pcomp_flush_cancel(struct pcomp_space *s);
void pcomp_owners_leave(struct pcomp_space *s);
void pcomp_owners_exit(struct pcomp_space *s);
void pcomp_owners_flush_work(struct work_struct *work);
struct lite_peer *pcomp_mcomp_peer(struct pcomp *pc, u32 id);
int pcomp_ctl_call(struct lite_peer *peer, u16 op, const void *req, u32 len,
		   void *rsp, u32 rsp_size);

/* again.c */
#define PCOMP_AGAIN_SECONDS 30

/**
 * enum pcomp_verdict - what to do about an error
 * @PCOMP_AWAY: the peer was not reached; it may have done what was asked, or
 *	may still do it. Connect, repeat what may be repeated
 * @PCOMP_BUSY: it did nothing, for the moment: repeat it a little later
 * @PCOMP_FULL: the mComponent has no room for more pages
 * @PCOMP_GONE: it does not have what was asked for any more: look again where
 *	that is, and if there is no other place it is lost
 * @PCOMP_LOST: the memory that had it has failed
 * @PCOMP_BAD: anything else: the same call will get the same answer
 */
enum pcomp_verdict {
	PCOMP_AWAY,
	PCOMP_BUSY,
	PCOMP_FULL,
	PCOMP_GONE,
	PCOMP_LOST,
	PCOMP_BAD,
};

enum pcomp_verdict pcomp_verdict(int err);
bool pcomp_transient(int err);
bool pcomp_again(struct pcomp_space *s, int err, unsigned long deadline,
		 bool killable);

static inline unsigned long pcomp_again_deadline(void)
{
	return jiffies + PCOMP_AGAIN_SECONDS * HZ;
}

/* space.c */

/**
 * struct pcomp_place - where a new process shall live
 * @pc: component, referenced
 * @vid: vNode
 * @vnode: its name
 * @leader: the process that entered the vNode; referenced
 */
struct pcomp_place {
	struct pcomp *pc;
	u32 vid;
	char vnode[LITE_NAME_LEN];
	struct pid *leader;
};

void pcomp_spaces_exit(void);
struct pcomp_space *pcomp_space_create(struct mm_struct *mm,
				       const struct pcomp_place *place);
struct pcomp_space *pcomp_space_alloc(struct mm_struct *mm, struct pcomp *pc);
int pcomp_space_renumber(struct pcomp_space *s);
void pcomp_space_publish(struct pcomp_space *s);
bool pcomp_mm_known(struct mm_struct *mm);
struct pcomp_space *pcomp_space_get(struct mm_struct *mm);
void pcomp_space_put(struct pcomp_space *s);
void pcomp_space_forget(struct pcomp_space *s);
void pcomp_space_end(struct mm_struct *mm);
void pcomp_space_kill(struct pcomp_space *s, const char *fmt, ...)
	__printf(2, 3);
void pcomp_space_lost(struct pcomp_space *s, u32 id, int err);
void pcomp_space_kill_current(struct pcomp_space *s);
void pcomp_kill_current(struct pid *leader, const char *why, int err);
bool pcomp_reason(struct pid *pid, char *buf, size_t len);
void pcomp_member_gone(struct pcomp *pc, const struct lite_member *m);

/* fault.c */
extern const struct vm_operations_struct pcomp_vm_ops;
struct file *pcomp_file_create(void);

/* change.c */
int pcomp_change_fault(struct pcomp_space *s, pgoff_t index);
int pcomp_change_wait(struct pcomp_space *s);
void pcomp_change_start(struct pcomp_space *s, const struct pcomp_change *as);
void pcomp_change_abort(struct pcomp_space *s);
unsigned long pcomp_change_area(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags);
void pcomp_change_moved(struct pcomp_space *s, struct vm_area_struct *vma);
void pcomp_change_work(struct work_struct *work);
int pcomp_change_finish(struct pcomp_space *s);

/* backing.c */
struct pcomp_backing *pcomp_backing_alloc(struct file *file, pgoff_t first,
					  pgoff_t last, pgoff_t pgoff);
void pcomp_backing_free(struct pcomp_backing *b);
void pcomp_backing_set(struct pcomp_space *s, pgoff_t first, pgoff_t last,
		       struct pcomp_backing *b);
void pcomp_backing_del(struct pcomp_space *s, pgoff_t first, pgoff_t last);
int pcomp_backing_grow(struct pcomp_space *s, pgoff_t old, pgoff_t first,
		       pgoff_t last);
void pcomp_backing_move(struct pcomp_space *s, pgoff_t from, pgoff_t to,
			pgoff_t nr, pgoff_t to_nr);
bool pcomp_backing_any(struct pcomp_space *s, pgoff_t first, pgoff_t last);
int pcomp_backing_fork(struct pcomp_space *parent, struct pcomp_space *child);
bool pcomp_backing_in(struct pcomp_space *s, pgoff_t first, pgoff_t last);
int pcomp_backing_read(struct pcomp_space *s, pgoff_t index, struct page *page);

/* fork.c */
int pcomp_fork(struct mm_struct *oldmm, struct mm_struct *mm);

/* exec.c */
struct pcomp_entry;
struct pcomp_entry *pcomp_enter(struct pcomp *pc, const char *vnode);
void pcomp_entry_close(struct pcomp_entry *e);
bool pcomp_entering(void);
long pcomp_sys_execve(const struct pt_regs *regs);
long pcomp_sys_execveat(const struct pt_regs *regs);

/* sysmem.c */
struct pcomp_space *pcomp_map_enter(void);
void pcomp_map_leave(struct pcomp_space *s);
long pcomp_sys_mmap(const struct pt_regs *regs);
long pcomp_sys_munmap(const struct pt_regs *regs);
long pcomp_sys_brk(const struct pt_regs *regs);
long pcomp_sys_madvise(const struct pt_regs *regs);

/* mremap.c */
long pcomp_sys_mremap(const struct pt_regs *regs);

/* protect.c */
long pcomp_sys_mprotect(const struct pt_regs *regs);
long pcomp_sys_pkey_mprotect(const struct pt_regs *regs);

/* entry.c */
long pcomp_sys_refused(const struct pt_regs *regs);
long pcomp_sys_remap_file_pages(const struct pt_regs *regs);
int pcomp_do_madvise(struct mm_struct *mm, unsigned long start, size_t len,
		     int behavior);
long pcomp_do_shmat(int shmid, char __user *addr, int flags,
		    unsigned long *result, unsigned long align);

/* access.c */
int pcomp_access_vm(struct mm_struct *mm, unsigned long addr, void *buf,
		    int len, unsigned int gup_flags);
int pcomp_dump_range(struct coredump_params *cprm, unsigned long start,
		     unsigned long len);

/* map.c */
long pcomp_map(struct pcomp_space *s, unsigned long addr, unsigned long len,
	       unsigned long prot, unsigned long flags, struct file *file,
	       pgoff_t pgoff);
int pcomp_unmap(struct pcomp_space *s, unsigned long addr, unsigned long len);
int pcomp_forget(struct pcomp_space *s, pgoff_t first, pgoff_t last);
void pcomp_forget_unmapped(struct pcomp_space *s, unsigned long addr,
			   unsigned long len);
int pcomp_capture(struct pcomp_space *s, unsigned long start,
		  unsigned long end, unsigned long low, unsigned long prot);
bool pcomp_is_ours(struct mm_struct *mm, unsigned long addr);

/* hook.c */
enum pcomp_hook_id {
	PCOMP_HOOK_MMAP,
	PCOMP_HOOK_MREMAP,
	PCOMP_HOOK_MPROTECT,
	PCOMP_HOOK_PKEY_MPROTECT,
	PCOMP_HOOK_MADVISE,
	PCOMP_HOOK_REMAP_FILE_PAGES,
	PCOMP_HOOK_EXECVE,
	PCOMP_HOOK_EXECVEAT,
};

int pcomp_hooks_init(void);
void pcomp_hooks_exit(void);
long pcomp_orig(enum pcomp_hook_id id, const struct pt_regs *regs);
int pcomp_orig_madvise(struct mm_struct *mm, unsigned long start, size_t len,
		       int behavior);
long pcomp_orig_shmat(int shmid, char __user *addr, int flags,
		      unsigned long *result, unsigned long align);
int pcomp_orig_access_vm(struct mm_struct *mm, unsigned long addr, void *buf,
			 int len, unsigned int gup_flags);
int pcomp_orig_dump_range(struct coredump_params *cprm, unsigned long start,
			  unsigned long len);

/* serve.c */
extern const struct lite_handler pcomp_handlers[];
extern const unsigned int pcomp_nr_handlers;

/* ctl.c */
int pcomp_ctl_init(void);
void pcomp_ctl_exit(void);

#endif /* _PCOMP_H */
