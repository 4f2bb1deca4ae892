// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lite: lite_rpc for programs. An open file is a node; what it has ends
 * with the file, however its program ends. LITE (SOSP'17) had system calls of
 * its own numbers; a device can be given to a group, and needs no kernel of its
 * own.
 */
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

/* How long giving back waits for the calls that use it. */
#define RETIRE_MS 10000

/**
 * user_handle_add() - give something a number
 * @u: file
 * @table: one of its tables
 * @h: what
 * @id: the number
 *
 * Context: process, may sleep. Return: 0, -ENOSPC (LITE_U_HANDLES_MAX), -ENOMEM.
 */
int user_handle_add(struct lite_user *u, struct xarray *table,
		    struct user_handle *h, u32 *id)
{
	int err;

	h->u = u;
	atomic_set(&h->users, 0);
	err = xa_alloc(table, id, h, XA_LIMIT(1, LITE_U_HANDLES_MAX),
		       GFP_KERNEL_ACCOUNT);
	return err == -EBUSY ? -ENOSPC : err;
}

/**
 * user_handle_get() - use something by its number
 * @u: file
 * @table: one of its tables
 * @id: what the program says
 *
 * Context: process, may sleep. Return: it, for user_handle_put(), or NULL.
 */
struct user_handle *user_handle_get(struct lite_user *u, struct xarray *table,
				    u32 id)
{
	struct user_handle *h;

	mutex_lock(&u->lock);
	h = xa_load(table, id);
	if (h && h->dying)
		h = NULL;
	if (h)
		atomic_inc(&h->users);
	mutex_unlock(&u->lock);
	return h;
}

/**
 * user_handle_put() - use it no more
 * @h: from user_handle_get()
 *
 * Context: any.
 */
void user_handle_put(struct user_handle *h)
{
	struct lite_user *u = h->u; /* lives longer than @h */

	if (atomic_dec_and_test(&h->users))
		wake_up_all(&u->wait);
}

/**
 * user_handle_take() - take something out of its table, to free it
 * @u: file
 * @table: one of its tables
 * @id: what the program says
 *
 * Waits for those that use it.
 * Context: process, may sleep, bounded and killable.
 * Return: it, or ERR_PTR: -EBADF (no such), -EBUSY (used for too long), -EINTR.
 */
struct user_handle *user_handle_take(struct lite_user *u, struct xarray *table,
				     u32 id)
{
	struct user_handle *h;
	long left;

	mutex_lock(&u->lock);
	h = xa_load(table, id);
	if (h && h->dying)
		h = NULL;
	if (h)
		h->dying = true;
	mutex_unlock(&u->lock);
	if (!h)
		return ERR_PTR(-EBADF);
	left = wait_event_killable_timeout(u->wait, !atomic_read(&h->users),
					   msecs_to_jiffies(RETIRE_MS));
	mutex_lock(&u->lock);
	if (left > 0)
		xa_erase(table, id);
	else
		h->dying = false;
	mutex_unlock(&u->lock);
	if (left > 0)
		return h;
	return ERR_PTR(left ? -EINTR : -EBUSY);
}

/**
 * user_wait() - wait for something of a file
 * @u: file
 * @ready: is it there; called without locks
 * @ms: how long, LITE_U_FOREVER, or 0 not to
 *
 * Context: process; a signal ends it.
 * Return: 0, -EAGAIN (0 ms), -ETIMEDOUT, -ERESTARTSYS, or -EINTR where a
 *	part of the time is gone.
 */
int user_wait(struct lite_user *u, bool (*ready)(struct lite_user *u), u32 ms)
{
	long left;

	if (ready(u))
		return 0;
	if (!ms)
		return -EAGAIN;
	if (ms == LITE_U_FOREVER)
		return wait_event_interruptible(u->wait, ready(u));
	left = wait_event_interruptible_timeout(u->wait, ready(u),
						msecs_to_jiffies(ms));
	if (left > 0)
		return 0;
	return left ? -EINTR : -ETIMEDOUT;
}

static bool terminated(const char *s, size_t size)
{
	return strnlen(s, size) < size;
}

/* Peers know components by these, and would find a program there. */
static bool is_component_port(const struct lite_u_node *a)
{
	struct lite_addr addr;
	u16 port;

	/* a bad address is the node's to complain about */
	if (lite_addr_parse(&addr, a->addr, LITE_PORT_USER) || addr.loop)
		return false;
	/* where the port is, is the same for IPv6 */
	port = ntohs(((struct sockaddr_in *)&addr.ss)->sin_port);
	return port >= LITE_PORT_GMGR && port <= LITE_PORT_PCOMP;
}

static long make_node(struct lite_user *u, void __user *arg)
{
	struct lite_node_cfg cfg = {
		.role = LITE_ROLE_NONE,
		.service = LITE_SVC_USER,
		.handlers = user_handlers,
		.nr_handlers = user_nr_handlers,
		.port = LITE_PORT_USER,
		.priv = u,
	};
	struct lite_node *node;
	struct lite_u_node a;
	long r = 0;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (!terminated(a.name, sizeof(a.name)) ||
	    !terminated(a.addr, sizeof(a.addr)))
		return -ENAMETOOLONG;
	if (is_component_port(&a))
		return -EACCES;
	cfg.name = a.name;
	cfg.addr = a.addr;
	mutex_lock(&u->node_lock);
	if (u->node) {
		r = -EBUSY;
		goto out_unlock;
	}
	node = lite_node_create(&cfg);
	if (IS_ERR(node)) {
		r = PTR_ERR(node);
		goto out_unlock;
	}
	a.incarnation = lite_node_incarnation(node);
	strscpy_pad(a.addr, lite_node_addr(node), sizeof(a.addr));
	/* pairs with lite_ioctl() */
	smp_store_release(&u->node, node);
out_unlock:
	mutex_unlock(&u->node_lock);
	if (!r && copy_to_user(arg, &a, sizeof(a)))
		r = -EFAULT;
	return r;
}

static const struct {
	unsigned int cmd;
	long (*fn)(struct lite_user *u, void __user *arg);
} ioctls[] = {
	{ LITE_IOC_CALL, user_call },
	{ LITE_IOC_DONE, user_done },
	{ LITE_IOC_RECV, user_recv },
	{ LITE_IOC_PULL, user_pull },
	{ LITE_IOC_REPLY, user_reply },
	{ LITE_IOC_MEM_ALLOC, user_mem_alloc },
	{ LITE_IOC_MEM_FREE, user_mem_free },
	{ LITE_IOC_PEER_GET, user_peer_get },
	{ LITE_IOC_PEER_PUT, user_peer_put },
	{ LITE_IOC_LMR_ALLOC, user_lmr_alloc },
	{ LITE_IOC_LMR_MAP, user_lmr_map },
	{ LITE_IOC_LMR_UNMAP, user_lmr_unmap },
	{ LITE_IOC_LMR_FREE, user_lmr_free },
	{ LITE_IOC_LMR_GRANT, user_lmr_grant },
	{ LITE_IOC_LMR_READ, user_lmr_read },
	{ LITE_IOC_LMR_WRITE, user_lmr_write },
	{ LITE_IOC_LMR_SET, user_lmr_set },
	{ LITE_IOC_LMR_COPY, user_lmr_copy },
	{ LITE_IOC_LMR_ADD, user_lmr_add },
	{ LITE_IOC_LMR_CAS, user_lmr_cas },
	{ LITE_IOC_LOCK, user_lock },
	{ LITE_IOC_UNLOCK, user_unlock },
	{ LITE_IOC_LOCK_CHECK, user_lock_check },
	{ LITE_IOC_BARRIER, user_barrier },
};

static long lite_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lite_user *u = file->private_data;
	unsigned int i;

	if (cmd == LITE_IOC_NODE)
		return make_node(u, (void __user *)arg);
	for (i = 0; i < ARRAY_SIZE(ioctls); i++) {
		if (ioctls[i].cmd != cmd)
			continue;
		/* pairs with make_node() */
		if (!smp_load_acquire(&u->node))
			return -ENOTCONN;
		return ioctls[i].fn(u, (void __user *)arg);
	}
	return -ENOTTY;
}

static __poll_t lite_poll(struct file *file, poll_table *pt)
{
	struct lite_user *u = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &u->wait, pt);
	if (user_recv_ready(u))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (user_done_ready(u))
		mask |= EPOLLPRI;
	return mask;
}

static int lite_mmap(struct file *file, struct vm_area_struct *vma)
{
	return user_mem_map(file->private_data, vma);
}

static int lite_open(struct inode *inode, struct file *file)
{
	struct lite_user *u = kzalloc(sizeof(*u), GFP_KERNEL_ACCOUNT);

	if (!u)
		return -ENOMEM;
	mutex_init(&u->node_lock);
	mutex_init(&u->lock);
	xa_init_flags(&u->mems, XA_FLAGS_ALLOC1);
	xa_init_flags(&u->peers, XA_FLAGS_ALLOC1);
	xa_init_flags(&u->lmrs, XA_FLAGS_ALLOC1);
	xa_init_flags(&u->locks, XA_FLAGS_ALLOC1);
	spin_lock_init(&u->q_lock);
	INIT_LIST_HEAD(&u->waiting);
	INIT_LIST_HEAD(&u->held);
	INIT_LIST_HEAD(&u->done);
	init_waitqueue_head(&u->wait);
	user_serve_init(u);
	file->private_data = u;
	return nonseekable_open(inode, file);
}

/*
 * The node's end ends all that others have of it: calls, keys of its memory,
 * and, as they notice, its LMRs there.
 */
static int lite_release(struct inode *inode, struct file *file)
{
	struct lite_user *u = file->private_data;

	if (u->node) {
		user_serve_exit(u);
		user_locks_exit(u, true);
		lite_node_stop(u->node);
		user_locks_exit(u, false);
		user_calls_exit(u);
		user_lmrs_exit(u);
		user_mem_exit(u);
		lite_node_destroy(u->node);
	}
	xa_destroy(&u->mems);
	xa_destroy(&u->peers);
	xa_destroy(&u->lmrs);
	xa_destroy(&u->locks);
	mutex_destroy(&u->lock);
	mutex_destroy(&u->node_lock);
	kfree(u);
	return 0;
}

static const struct file_operations lite_fops = {
	.owner = THIS_MODULE,
	.open = lite_open,
	.release = lite_release,
	.unlocked_ioctl = lite_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = lite_poll,
	.mmap = lite_mmap,
};

static struct miscdevice lite_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lite",
	.fops = &lite_fops,
	.mode = 0600,
};

/**
 * lite_user_init() - make /dev/lite
 *
 * Context: process. Return: 0 or a negative errno.
 */
int lite_user_init(void)
{
	return misc_register(&lite_dev);
}

/**
 * lite_user_exit() - remove /dev/lite
 *
 * Context: process.
 */
void lite_user_exit(void)
{
	misc_deregister(&lite_dev);
}
