/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the file system share.
 *
 * Lock order, outermost first:
 *
 *	i_rwsem of directories and files, mmap_lock (the VFS's)
 *	  pcomp_fs_dirfile.lock
 *	  folio lock
 *	    pcomp_fs_inode.change
 *	      pcomp_fs.path_sem	no name changes while a call that has it is out
 *	        pcomp_fs.settle_mutex
 *	          pcomp_fs.slot_lock	a spinlock
 *	        pcomp_fs.peer_lock
 *	  pcomp_fs_inode.lock	a spinlock
 *	  pcomp_fs.claim_mutex	held across calls to other pComponents
 *	    fs_lock.c's claims_mutex	a leaf
 *
 * path_sem is held for writing across RPCs and d_move() by rename and unlink of
 * open files only; nothing done below it may need a folio lock.
 */
#ifndef _PCOMP_FS_PRIV_H
#define _PCOMP_FS_PRIV_H

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <lego/lite.h>
#include "fs_compat.h"

#define PCOMP_FS_MAGIC LITE_MAGIC
#define PCOMP_FS_PAGES (SCOMP_IO_MAX / PAGE_SIZE)

/*
 * Open files that lose their name get one in this directory of the vNode's
 * root till they are closed; it is not shown. NFS's silly rename, but out of
 * the way: an emptied directory can be removed.
 */
#define PCOMP_FS_SILLY_DIR ".lego-unlinked"

struct dentry;
struct pcomp;

/**
 * enum pcomp_fs_claim - may programs lock files here? See fs_lock.c.
 * @PCOMP_FS_CLAIM_NONE: another mount has the vNode's locks, or may have
 * @PCOMP_FS_CLAIM_ASKED: the other pComponents are being asked
 * @PCOMP_FS_CLAIM_HELD: this mount has them till its end
 */
enum pcomp_fs_claim {
	PCOMP_FS_CLAIM_NONE,
	PCOMP_FS_CLAIM_ASKED,
	PCOMP_FS_CLAIM_HELD,
};

/**
 * struct pcomp_fs_buf - SCOMP_IO_MAX bytes of registered memory
 * @list: in pcomp_fs_pool.free
 * @va: its kernel address
 * @off: its byte offset in the pool's region
 */
struct pcomp_fs_buf {
	struct list_head list;
	void *va;
	u64 off;
};

/**
 * struct pcomp_fs_pool - buffers, registered once a mount
 * @mr: the region
 * @lock: protects @free
 * @free: buffers nobody has
 * @wait: for a buffer
 * @buf: all of them
 * @page: the pages
 * @va: their kernel address
 * @nr: how many buffers
 */
struct pcomp_fs_pool {
	struct lite_mr *mr;
	spinlock_t lock; /* see above */
	struct list_head free;
	wait_queue_head_t wait;
	struct pcomp_fs_buf *buf;
	struct page **page;
	void *va;
	unsigned int nr;
};

#define PCOMP_FS_SLOTS 64

/**
 * struct pcomp_fs_slot - of requests that change files
 * @seq: number of the last one
 * @open: incarnation of the sComponent that may still execute it, though nobody
 *	waits for that any more; 0: none
 * @ordered: if so, no other request is sent before that is known
 * @busy: a call has it, or it is @open
 */
struct pcomp_fs_slot {
	u64 seq;
	u64 open;
	bool ordered;
	bool busy;
};

/**
 * struct pcomp_fs - a superblock: all mounts of a vNode at a component
 * @pc: its component, pinned
 * @node: that one's node
 * @pcomp: the component's name, as given
 * @vnode: the vNode's name
 * @storage: name of the sComponent
 * @root: the vNode's root below the sComponent's, without '/' at the ends
 * @vid: vNode id
 * @attr_ms: how long attributes and names are believed, at least
 * @retry_s: how long a sComponent that is away is waited for
 * @storage_id: node id of the sComponent
 * @peer_lock: protects @peer and @storage_id
 * @peer: the sComponent; keeps the link up between calls
 * @path_sem: see above
 * @gen: grows with each local change of any file
 * @read_pool: for what comes in
 * @write_pool: for what goes out; held while folio locks are waited for
 * @name_pool: for groups and paths that are longer than a message, during one
 *	try of a call
 * @wq: removes files that were closed after their unlink, and writes back
 * @sweep: removes what an earlier incarnation left behind
 * @silly_nr: numbers their names
 * @silly_tag: tells them from another mount's
 * @gone: the sComponent has not answered for @retry_s: those who may give up, or
 *	leave it to a worker, are less patient till it answers
 * @forced: what waits for it is to fail
 * @soft: it may be, after @retry_s
 * @space_next: jiffies, till then @full is believed
 * @full: there is so little room that write() waits for the sComponent
 * @slot: of requests that change files
 * @slot_lock: protects them
 * @slot_wait: for one that is not busy
 * @slot_base: their numbers at the sComponent begin here; -1: none yet
 * @open_slots: how many are pcomp_fs_slot.open
 * @unsettled: of them, those whose order matters
 * @settle_mutex: one asks what became of them
 * @claim_mutex: one claim at a time
 * @claims: in fs_lock.c's list, protected by its mutex as is @claim
 * @claim: may programs lock files?
 * @claim_next: jiffies, till then a claim that failed is not made again
 * @claim_told: why it failed, as the log has it
 */
struct pcomp_fs {
	struct pcomp *pc;
	struct lite_node *node;
	char pcomp[LITE_NAME_LEN];
	char vnode[LITE_NAME_LEN];
	char storage[LITE_NAME_LEN];
	char root[GMGR_ROOT_LEN];
	u32 vid;
	u32 attr_ms;
	u32 retry_s;
	u32 storage_id;
	struct mutex peer_lock; /* see above */
	struct lite_peer *peer;
	struct rw_semaphore path_sem;
	atomic64_t gen;
	struct pcomp_fs_pool *read_pool;
	struct pcomp_fs_pool *write_pool;
	struct pcomp_fs_pool *name_pool;
	struct workqueue_struct *wq;
	struct work_struct sweep;
	atomic_t silly_nr;
	u32 silly_tag;
	bool gone;
	bool forced;
	bool soft;
	unsigned long space_next;
	bool full;
	struct pcomp_fs_slot slot[PCOMP_FS_SLOTS];
	spinlock_t slot_lock; /* see above */
	wait_queue_head_t slot_wait;
	int slot_base;
	atomic_t open_slots;
	atomic_t unsettled;
	struct mutex settle_mutex; /* see above */
	struct mutex claim_mutex; /* see above */
	struct list_head claims;
	enum pcomp_fs_claim claim;
	unsigned long claim_next;
	int claim_told;
};

/* bits of pcomp_fs_inode.flags */
#define PCOMP_FS_STALE_DATA 0 /* the page cache is to be dropped */
#define PCOMP_FS_OWN_CTIME 1 /* we changed a name of it, so its ctime */

/**
 * struct pcomp_fs_inode - a file
 * @vfs: the VFS's; i_ino and i_generation are the sComponent's
 * @change: held while a change of our own is out, so that what the reply says
 *	was before it is what we knew, unless others changed the file
 * @lock: protects what follows, and i_size against stale news
 * @gen: pcomp_fs.gen at the last local change: older news are no news
 * @checked: jiffies when the attributes were last known to be right; 0: not
 * @timeo: jiffies they are believed
 * @mtime: the sComponent's last one, which tells of changes by others
 * @ctime: so; the one that programs cannot set
 * @mtime_nsec: of it
 * @ctime_nsec: of it
 * @size: the sComponent's last one; i_size is not raised to it before the page
 *	cache, which ends at the old one, was dropped
 * @files: open files (struct pcomp_fs_file)
 * @silly: names it has in the directory of unlinked files
 * @verifier: of writes that no fsync has followed, 0 if there are none
 * @writes: counts those the sComponent has answered
 * @flags: PCOMP_FS_*; atomic bit operations
 * @opens: the task whose open() has just had the attributes asked for; only
 *	compared, never followed
 * @link: what a symbolic link says, once read
 */
struct pcomp_fs_inode {
	struct inode vfs;
	struct mutex change; /* see above */
	spinlock_t lock; /* see above */
	u64 gen;
	unsigned long checked;
	unsigned long timeo;
	u64 mtime;
	u64 ctime;
	u32 mtime_nsec;
	u32 ctime_nsec;
	u64 size;
	struct list_head files;
	unsigned int silly;
	u32 verifier;
	u32 writes;
	unsigned long flags;
	struct task_struct *opens;
	char *link;
};

static inline struct pcomp_fs_inode *PCOMP_FS_I(const struct inode *inode)
{
	return container_of(inode, struct pcomp_fs_inode, vfs);
}

static inline struct pcomp_fs *PCOMP_FS(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/**
 * struct pcomp_fs_file - an open file
 * @list: in pcomp_fs_inode.files
 * @mnt: where it is mounted, and
 * @dentry: its name; the file has references, or who writes back last
 * @cred: of who opened it; the file has a reference
 * @write: for writing
 */
struct pcomp_fs_file {
	struct list_head list;
	struct vfsmount *mnt;
	struct dentry *dentry;
	const struct cred *cred;
	bool write;
};

/**
 * struct pcomp_fs_silly - an open file's name after it lost its own; in
 *	d_fsdata
 * @work: removes it
 * @fs: the mount
 * @name: path from the vNode's root
 */
struct pcomp_fs_silly {
	struct work_struct work;
	struct pcomp_fs *fs;
	char name[112];
};

/**
 * struct pcomp_fs_name - names a file in a call
 * @dentry: by its name, or
 * @inode: by that of whoever has it open; write-back must not hold a dentry,
 *	whose last reference would wait for the write-back, or
 * @str: a path from the vNode's root; or, if @raw, any string
 * @raw: send @str as it is
 */
struct pcomp_fs_name {
	struct dentry *dentry;
	struct inode *inode;
	const char *str;
	bool raw;
};

/**
 * struct pcomp_fs_call - a call to the sComponent
 * @op: operation
 * @cred: with whose rights; NULL: with all, for what the VFS checks itself
 * @name: first path
 * @name2: second one
 * @req: the fixed part, its header is filled in
 * @req_len: its bytes
 * @rsp: where the reply goes
 * @rsp_size: room there
 * @rsp_len: set
 * @in: what the sComponent may read
 * @out: where it may write
 * @locked: path_sem is held for writing
 * @once: do not wait for a sComponent that is away
 * @soft: do not wait longer than pcomp_fs.retry_s for it
 * @unsure: it is an error if @maybe
 * @maybe: set if an earlier try may have been executed, which the sComponent
 *	that answered does not know
 * @slot: pcomp_fs_rpc()'s: what a sComponent knows the request by
 * @tried: pcomp_fs_rpc()'s: incarnation of the sComponent that may have executed
 *	it
 * @open: pcomp_fs_rpc()'s: the same, until that one answers
 */
struct pcomp_fs_call {
	u16 op;
	const struct cred *cred;
	struct pcomp_fs_name name;
	struct pcomp_fs_name name2;
	void *req;
	u32 req_len;
	void *rsp;
	u32 rsp_size;
	u32 rsp_len;
	const struct lite_sge *in;
	const struct lite_sge *out;
	bool locked;
	bool once;
	bool soft;
	bool unsure;
	bool maybe;
	struct pcomp_fs_slot *slot;
	u64 tried;
	u64 open;
};

/* fs_rpc.c */
int pcomp_fs_rpc(struct pcomp_fs *fs, struct pcomp_fs_call *call);
bool pcomp_fs_is_away(int err);
struct lite_peer *pcomp_fs_peer(struct pcomp_fs *fs, u64 *incarnation);
int pcomp_fs_connect(struct pcomp_fs *fs);
void pcomp_fs_disconnect(struct pcomp_fs *fs);

int pcomp_fs_rpc_getattr(struct pcomp_fs *fs, const struct cred *cred,
			 struct pcomp_fs_name name, bool locked,
			 struct scomp_attr *attr);

/* fs_append.c */
ssize_t pcomp_fs_append(struct kiocb *iocb, struct iov_iter *from);

/* fs_slot.c */
int pcomp_fs_slots_init(struct pcomp_fs *fs);
void pcomp_fs_slots_exit(struct pcomp_fs *fs);
int pcomp_fs_settle(struct pcomp_fs *fs, struct lite_peer *peer,
		    u64 incarnation, bool all);
int pcomp_fs_slot_get(struct pcomp_fs *fs, struct pcomp_fs_call *call,
		      struct lite_peer *peer, u64 incarnation);
int pcomp_fs_slot_put(struct pcomp_fs *fs, struct pcomp_fs_call *call, int err);

/* fs_pool.c */
struct pcomp_fs_pool *pcomp_fs_pool_create(struct lite_node *node,
					   unsigned int nr,
					   unsigned int access);
void pcomp_fs_pool_destroy(struct pcomp_fs_pool *pool);
struct pcomp_fs_buf *pcomp_fs_buf_get(struct pcomp_fs_pool *pool);
void pcomp_fs_buf_put(struct pcomp_fs_pool *pool, struct pcomp_fs_buf *buf);

/* fs_attr.c */
void pcomp_fs_set_attr(struct inode *inode, const struct scomp_attr *attr);
bool pcomp_fs_differs(const struct pcomp_fs_inode *fi,
		      const struct scomp_attr *attr);
void pcomp_fs_remember(struct pcomp_fs_inode *fi,
		       const struct scomp_attr *attr);
bool pcomp_fs_same(struct inode *inode, const struct scomp_attr *attr,
		   bool trust);
struct scomp_file pcomp_fs_which(struct inode *inode);
int pcomp_fs_look(struct inode *inode, struct pcomp_fs_name name);
void pcomp_fs_apply(struct inode *inode, const struct scomp_attr *attr,
		    u64 gen);
void pcomp_fs_apply_own(struct inode *inode, const struct scomp_attr *attr,
			const struct scomp_before *before);
void pcomp_fs_changed(struct inode *inode);
void pcomp_fs_write_failed(struct inode *inode);
bool pcomp_fs_has_dirty(struct inode *inode);
bool pcomp_fs_fresh(const struct inode *inode);
int pcomp_fs_refresh(struct dentry *dentry);
int pcomp_fs_refresh_now(struct dentry *dentry);
void pcomp_fs_own_ctime(struct inode *inode);
int pcomp_fs_revalidate_data(struct inode *inode);

/* fs_inode.c */
extern const struct super_operations pcomp_fs_super_ops;
int pcomp_fs_inode_init(void);
void pcomp_fs_inode_exit(void);
struct inode *pcomp_fs_iget(struct super_block *sb,
			    const struct scomp_attr *attr, u64 gen);
bool pcomp_fs_is_full(struct pcomp_fs *fs);
int pcomp_fs_getattr(struct mnt_idmap *idmap, const struct path *path,
		     struct kstat *stat, u32 mask, unsigned int flags);
int pcomp_fs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		     struct iattr *attr);

/* Of a file that one has: others have removed its name, as NFS calls that. */
static inline int pcomp_fs_stale(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP ? -ESTALE :
								    err;
}

static inline u64 pcomp_fs_gen(struct super_block *sb)
{
	return atomic64_read(&PCOMP_FS(sb)->gen);
}

/* fs_dir.c */
extern const struct dentry_operations pcomp_fs_dentry_ops;
extern const struct inode_operations pcomp_fs_dir_inode_ops;

/* fs_readdir.c */
extern const struct file_operations pcomp_fs_dir_ops;

/* fs_lock.c */
int pcomp_fs_locks_claim(struct pcomp_fs *fs);
void pcomp_fs_locks_release(struct pcomp_fs *fs);
int pcomp_fs_lock(struct file *file, int cmd, struct file_lock *fl);
int pcomp_fs_flock(struct file *file, int cmd, struct file_lock *fl);
int pcomp_fs_setlease(struct file *file, PCOMP_LEASE_ARG arg,
		      PCOMP_LEASE **lease, void **priv);

/* fs_silly.c */
int pcomp_fs_silly_move(struct dentry *dentry);
struct pcomp_fs_silly *pcomp_fs_silly_link(struct dentry *dentry, bool *moved);
void pcomp_fs_silly_undo(struct pcomp_fs_silly *silly, struct dentry *dentry,
			 bool moved);
void pcomp_fs_silly_attach(struct pcomp_fs_silly *silly,
			   struct dentry *dentry);
void pcomp_fs_silly_remove(struct pcomp_fs_silly *silly);
void pcomp_fs_silly_sweep(struct work_struct *work);

/* fs_file.c */
extern const struct file_operations pcomp_fs_file_ops;
void pcomp_fs_drop_file(struct inode *inode, struct pcomp_fs_file *ff);
int pcomp_fs_fsync(struct file *file, loff_t start, loff_t end, int datasync);
int pcomp_fs_write_lock(struct inode *inode);
void pcomp_fs_written(struct inode *inode, u32 verifier);
extern const struct inode_operations pcomp_fs_file_inode_ops;

/* fs_writeback.c */
int pcomp_fs_close_write_back(struct file *file);
void pcomp_fs_last_write_back(struct file *file);
int pcomp_fs_write_back_range(struct inode *inode, loff_t start, loff_t end,
			      bool wait);
int pcomp_fs_write_back(struct inode *inode);

/* fs_io.c */
extern const struct address_space_operations pcomp_fs_aops;

#endif /* _PCOMP_FS_PRIV_H */
