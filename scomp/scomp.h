/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storage monitor: a directory tree of a local file system, offered to
 * the rack. LegoOS's storage/ (one request at a time, all as root, rename by
 * copy) done anew: stateless, concurrent, with the caller's credentials.
 */
#ifndef _SCOMP_H
#define _SCOMP_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <lego/lite.h>

struct cred;
struct dentry;
struct file;
struct scomp;
struct scomp_slots;

#define SCOMP_CHANGE_BITS 6

/**
 * struct scomp_cfg - what an instance is made from
 * @name: component name
 * @addr: where it listens, "" for the default
 * @gmgr: gmgr's address
 * @dir: absolute path of the directory to serve
 */
struct scomp_cfg {
	const char *name;
	const char *addr;
	const char *gmgr;
	const char *dir;
};

/**
 * struct scomp_buf - SCOMP_IO_MAX bytes of registered memory
 * @list: in scomp_pool.free
 * @pool: where it belongs
 * @va: its kernel address
 * @off: its byte offset in the pool's region
 */
struct scomp_buf {
	struct list_head list;
	struct scomp_pool *pool;
	void *va;
	u64 off;
};

/**
 * struct scomp_pool - buffers for file contents, registered once
 * @mr: the region
 * @lock: protects @free; irq-safe, a leaf
 * @free: buffers nobody has
 * @wait: for a buffer
 * @buf: all of them
 * @nr: how many
 * @page: the pages
 * @va: their kernel address
 */
struct scomp_pool {
	struct lite_mr *mr;
	spinlock_t lock; /* see above */
	struct list_head free;
	wait_queue_head_t wait;
	struct scomp_buf *buf;
	unsigned int nr;
	struct page **page;
	void *va;
};

/**
 * struct scomp - one sComponent
 * @list: in the registry, protected by its mutex
 * @kobj: /sys/kernel/lego/scomp/NAME
 * @kobj_gone: the last reader of sysfs is out
 * @node: its endpoint
 * @pool: buffers
 * @slots: of requests that change files
 * @change: by inode: held from the look at a file before a change of it to
 *	that after; outside of the inode's own lock
 * @cred: full rights, for what the pComponent has checked at open
 * @dir: the directory as found; pins the mount against umount
 * @root: the same in a private clone of the mount: no mount below it shows
 * @verifier: of this boot, for WRITE and FSYNC
 * @ready: all of the above is there; set with release, read with acquire
 * @debugfs: its directory there
 * @requests: served
 * @op_count: of them, by operation
 * @op_errors: answered with an error
 * @read_bytes: sent
 * @write_bytes: written
 * @name: component name
 * @dir_name: as given
 */
struct scomp {
	struct list_head list;
	struct kobject kobj;
	struct completion kobj_gone;
	struct lite_node *node;
	struct scomp_pool *pool;
	struct scomp_slots *slots;
	struct mutex change[1 << SCOMP_CHANGE_BITS]; /* see above */
	const struct cred *cred;
	struct path dir;
	struct path root;
	u32 verifier;
	bool ready;
	struct dentry *debugfs;
	atomic64_t requests;
	atomic64_t op_count[LITE_SVC_OPS_MAX];
	atomic64_t op_errors[LITE_SVC_OPS_MAX];
	atomic64_t read_bytes;
	atomic64_t write_bytes;
	char name[LITE_NAME_LEN];
	char *dir_name;
};

/**
 * struct scomp_op - a request while it is served
 * @sc: by whom
 * @req: the request
 * @msg: its fixed part, length checked
 * @path: first path, checked, NUL-terminated
 * @path2: second one
 * @groups: the caller's, as many as the header says
 * @uid: the caller's, also the credentials in force
 * @pulled: bytes at the beginning of the in segments that belong to the request
 * @buf: given back when the reply is out; NULL for none
 */
struct scomp_op {
	struct scomp *sc;
	struct lite_req *req;
	const void *msg;
	const char *path;
	const char *path2;
	const __le32 *groups;
	kuid_t uid;
	u32 pulled;
	struct scomp_buf *buf;
};

/* instance.c */
struct scomp *scomp_create(const struct scomp_cfg *cfg);
void scomp_destroy(struct scomp *sc);

/* boot.c */
u32 scomp_boot_verifier(void);

/* configfs.c */
int scomp_configfs_init(void);
void scomp_configfs_exit(void);

/* sysfs.c */
int scomp_sysfs_init(void);
void scomp_sysfs_exit(void);
int scomp_sysfs_add(struct scomp *sc);
void scomp_sysfs_del(struct scomp *sc);

/* debugfs.c */
void scomp_debugfs_init(void);
void scomp_debugfs_exit(void);
void scomp_debugfs_add(struct scomp *sc);
void scomp_debugfs_del(struct scomp *sc);

/* slot.c */
struct scomp_slots *scomp_slots_create(void);
void scomp_slots_destroy(struct scomp_slots *t);
int scomp_once(struct scomp_op *op, int (*fn)(struct scomp_op *op));
int scomp_op_cancel(struct scomp_op *op);

/* serve.c */
extern const struct lite_handler scomp_handlers[];
extern const unsigned int scomp_nr_handlers;

/* path.c */
int scomp_path_check(const char *path, size_t len);
int scomp_lookup(struct scomp *sc, const char *name, unsigned int flags,
		 struct path *path);
int scomp_lookup_trusted(struct scomp *sc, const char *name,
			 struct path *path);
int scomp_lookup_parent(struct scomp *sc, const char *name,
			struct path *parent, const char **last);

/* creds.c */
const struct cred *scomp_cred_make(const struct scomp_hdr *hdr,
				   const __le32 *groups);
int scomp_may(struct scomp_op *op, const struct path *path, int mask);

/* pool.c */
struct scomp_pool *scomp_pool_create(struct lite_node *node, unsigned int nr);
void scomp_pool_destroy(struct scomp_pool *pool);
struct scomp_buf *scomp_buf_get(struct scomp_pool *pool);
void scomp_buf_put(void *arg);

/* attr.c */
int scomp_fill_attr(struct scomp *sc, const struct path *path,
		    struct scomp_attr *attr);
int scomp_check_file(struct scomp *sc, const struct path *path,
		     const struct scomp_file *file);
struct mutex *scomp_change_begin(struct scomp *sc, const struct path *path,
				 struct scomp_before *before);
int scomp_op_getattr(struct scomp_op *op);
int scomp_op_setattr(struct scomp_op *op);
int scomp_op_readlink(struct scomp_op *op);
int scomp_op_statfs(struct scomp_op *op);

/* io.c */
int scomp_op_read(struct scomp_op *op);
int scomp_op_write(struct scomp_op *op);
int scomp_op_fsync(struct scomp_op *op);
void scomp_fput(struct file *file);

/* dir.c */
int scomp_op_readdir(struct scomp_op *op);

/* namei.c */
int scomp_op_create(struct scomp_op *op);
int scomp_op_remove(struct scomp_op *op);
int scomp_op_rename(struct scomp_op *op);
int scomp_op_symlink(struct scomp_op *op);
int scomp_op_link(struct scomp_op *op);

#endif /* _SCOMP_H */
