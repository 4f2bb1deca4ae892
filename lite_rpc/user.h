/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the files of /dev/lite. */
#ifndef _LITE_RPC_USER_H
#define _LITE_RPC_USER_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/lego/lite.h>

#include "lite_rpc.h"

/* A program's longest wait for a call. */
#define USER_TIMEOUT_MAX_MS (60 * 60 * 1000)

/**
 * struct user_handle - what a program has a number for
 * @u: whose
 * @users: calls and requests that use it; taken under u->lock
 * @dying: it is being given back, no new user; under u->lock
 */
struct user_handle {
	struct lite_user *u;
	atomic_t users;
	bool dying;
};

/**
 * struct user_pages - memory of a program's, as long as anything has it
 * @ref: its number, and each mapping
 * @user: whose locked memory it is; NULL: of one with CAP_IPC_LOCK
 * @nr: of @pages
 * @pages: the memory
 */
struct user_pages {
	struct kref ref;
	struct user_struct *user;
	unsigned long nr;
	struct page **pages;
};

/**
 * struct user_mem - memory that is registered and can be mapped
 * @h: its number
 * @mr: the region
 * @p: the memory
 */
struct user_mem {
	struct user_handle h;
	struct lite_mr *mr;
	struct user_pages *p;
};

/**
 * struct user_peer - another node
 * @h: its number
 * @peer: a reference
 */
struct user_peer {
	struct user_handle h;
	struct lite_peer *peer;
};

/**
 * struct user_lmr - an LMR that was mapped
 * @h: its number
 * @lmr: the LMR
 */
struct user_lmr {
	struct user_handle h;
	struct lite_lmr *lmr;
};

/**
 * struct user_lock - a lock that is held
 * @h: its number
 * @lock: the lock
 */
struct user_lock {
	struct user_handle h;
	struct lite_lock *lock;
};

/**
 * struct lite_user - an open /dev/lite
 * @node_lock: protects @node while it is made
 * @node: NULL, or the node, to the end
 * @lock: protects the tables; inside of mmap_lock
 * @mems: id -> struct user_mem
 * @peers: id -> struct user_peer
 * @lmrs: id -> struct user_lmr
 * @locks: id -> struct user_lock
 * @q_lock: protects all that follows; softirq; a leaf but for @wait's
 * @closing: no request is taken any more
 * @waiting: requests that nobody has received
 * @held: those that were received and not answered
 * @next_req: id of the next one
 * @done: asynchronous calls that are over
 * @nr_calls: under way
 * @nr_async: asynchronous ones that LITE_IOC_DONE has not told of
 * @wait: @waiting, @done, a handle's users or @nr_calls have changed
 * @tick: looks for requests that take too long
 */
struct lite_user {
	struct mutex node_lock; /* see above */
	struct lite_node *node;
	struct mutex lock; /* see above */
	struct xarray mems;
	struct xarray peers;
	struct xarray lmrs;
	struct xarray locks;

	spinlock_t q_lock; /* see above */
	bool closing;
	struct list_head waiting;
	struct list_head held;
	u64 next_req;
	struct list_head done;
	unsigned int nr_calls;
	unsigned int nr_async;
	wait_queue_head_t wait;
	struct delayed_work tick;
};

/* user.c */
int user_handle_add(struct lite_user *u, struct xarray *table,
		    struct user_handle *h, u32 *id);
struct user_handle *user_handle_get(struct lite_user *u, struct xarray *table,
				    u32 id);
void user_handle_put(struct user_handle *h);
struct user_handle *user_handle_take(struct lite_user *u, struct xarray *table,
				     u32 id);
int user_wait(struct lite_user *u, bool (*ready)(struct lite_user *u), u32 ms);

/* user_mem.c */

/**
 * struct user_sges - pieces of registered memory, and the hold on it
 * @nr: how many
 * @sge: for lite_rpc
 * @mem: the handles
 */
struct user_sges {
	unsigned int nr;
	struct lite_sge sge[LITE_U_SGES_MAX];
	struct user_handle *mem[LITE_U_SGES_MAX];
};

long user_mem_alloc(struct lite_user *u, void __user *arg);
long user_mem_free(struct lite_user *u, void __user *arg);
int user_mem_map(struct lite_user *u, struct vm_area_struct *vma);
void user_mem_exit(struct lite_user *u);
int user_sges_get(struct lite_user *u, struct user_sges *s, u64 from, u32 nr);
void user_sges_put(struct user_sges *s);

/* user_call.c */
long user_peer_get(struct lite_user *u, void __user *arg);
long user_peer_put(struct lite_user *u, void __user *arg);
long user_call(struct lite_user *u, void __user *arg);
long user_done(struct lite_user *u, void __user *arg);
bool user_done_ready(struct lite_user *u);
void user_calls_exit(struct lite_user *u);

/* user_serve.c */
extern const struct lite_handler user_handlers[];
extern const unsigned int user_nr_handlers;
long user_recv(struct lite_user *u, void __user *arg);
long user_pull(struct lite_user *u, void __user *arg);
long user_reply(struct lite_user *u, void __user *arg);
bool user_recv_ready(struct lite_user *u);
void user_serve_init(struct lite_user *u);
void user_serve_exit(struct lite_user *u);

/* user_lmr.c */
long user_lmr_alloc(struct lite_user *u, void __user *arg);
long user_lmr_map(struct lite_user *u, void __user *arg);
long user_lmr_unmap(struct lite_user *u, void __user *arg);
long user_lmr_free(struct lite_user *u, void __user *arg);
long user_lmr_grant(struct lite_user *u, void __user *arg);
long user_lmr_read(struct lite_user *u, void __user *arg);
long user_lmr_write(struct lite_user *u, void __user *arg);
long user_lmr_set(struct lite_user *u, void __user *arg);
long user_lmr_copy(struct lite_user *u, void __user *arg);
long user_lmr_add(struct lite_user *u, void __user *arg);
long user_lmr_cas(struct lite_user *u, void __user *arg);
void user_lmrs_exit(struct lite_user *u);

/* user_lock.c */
long user_lock(struct lite_user *u, void __user *arg);
long user_unlock(struct lite_user *u, void __user *arg);
long user_lock_check(struct lite_user *u, void __user *arg);
long user_barrier(struct lite_user *u, void __user *arg);
void user_locks_exit(struct lite_user *u, bool ask);

#endif /* _LITE_RPC_USER_H */
