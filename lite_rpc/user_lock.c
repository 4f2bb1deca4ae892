// SPDX-License-Identifier: GPL-2.0
/* /dev/lite: locks with leases, and barriers. */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

/* How long a file's end asks for its locks to be released; then leases end. */
#define RELEASE_MS 3000

static struct lite_lock *to_lock(struct user_handle *h)
{
	return container_of(h, struct user_lock, h)->lock;
}

static int get_args(struct lite_u_lock *a, void __user *arg)
{
	if (copy_from_user(a, arg, sizeof(*a)))
		return -EFAULT;
	if (a->reserved || a->wait_ms > USER_TIMEOUT_MAX_MS)
		return -EINVAL;
	return strnlen(a->name, sizeof(a->name)) < sizeof(a->name) ?
		       0 : -ENAMETOOLONG;
}

/**
 * user_lock() - LITE_IOC_LOCK
 * @u: file
 * @arg: struct lite_u_lock
 *
 * Context: process, may sleep, bounded and killable.
 * Return: as lite_lock(), -EBADF.
 */
long user_lock(struct lite_user *u, void __user *arg)
{
	struct user_handle *peer;
	struct lite_u_lock a;
	struct user_lock *l;
	long r;

	r = get_args(&a, arg);
	if (r)
		return r;
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return -ENOMEM;
	r = -EBADF;
	peer = user_handle_get(u, &u->peers, a.peer);
	if (!peer)
		goto err_free;
	l->lock = lite_lock(container_of(peer, struct user_peer, h)->peer,
			    a.name, a.lease_ms, a.wait_ms);
	user_handle_put(peer);
	r = PTR_ERR_OR_ZERO(l->lock);
	if (r)
		goto err_free;
	a.token = lite_lock_token(l->lock);
	r = user_handle_add(u, &u->locks, &l->h, &a.id);
	if (r)
		goto err_unlock;
	/*
	 * From here on another thread may unlock it. On an error it is the
	 * file's end that does.
	 */
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;

err_unlock:
	lite_unlock(l->lock);
err_free:
	kfree(l);
	return r;
}

static int free_lock(struct user_handle *h)
{
	int err = lite_unlock(to_lock(h));

	kfree(container_of(h, struct user_lock, h));
	return err;
}

/**
 * user_unlock() - LITE_IOC_UNLOCK
 * @u: file
 * @arg: id
 *
 * Context: process, may sleep, bounded.
 * Return: as lite_unlock(), -EBADF, -EBUSY, -EINTR.
 */
long user_unlock(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	u32 id;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	h = user_handle_take(u, &u->locks, id);
	return IS_ERR(h) ? PTR_ERR(h) : free_lock(h);
}

/**
 * user_lock_check() - LITE_IOC_LOCK_CHECK: is it held for certain
 * @u: file
 * @arg: id
 *
 * Context: process. Return: 0, -ESTALE, -EBADF.
 */
long user_lock_check(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	bool valid;
	u32 id;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	h = user_handle_get(u, &u->locks, id);
	if (!h)
		return -EBADF;
	valid = lite_lock_valid(to_lock(h));
	user_handle_put(h);
	return valid ? 0 : -ESTALE;
}

/**
 * user_barrier() - LITE_IOC_BARRIER
 * @u: file
 * @arg: struct lite_u_lock
 *
 * Context: process, may sleep, bounded and killable.
 * Return: as lite_barrier(), -EBADF.
 */
long user_barrier(struct lite_user *u, void __user *arg)
{
	struct user_handle *peer;
	struct lite_u_lock a;
	long r;

	r = get_args(&a, arg);
	if (r)
		return r;
	peer = user_handle_get(u, &u->peers, a.peer);
	if (!peer)
		return -EBADF;
	r = lite_barrier(container_of(peer, struct user_peer, h)->peer, a.name,
			 a.nr, a.wait_ms);
	user_handle_put(peer);
	return r;
}

/**
 * user_locks_exit() - give locks back
 * @u: file; nobody is in its ioctls
 * @ask: the node lives still: those that keep them are told, for a while
 *
 * Context: process, may sleep, bounded.
 */
void user_locks_exit(struct lite_user *u, bool ask)
{
	unsigned long end = jiffies + msecs_to_jiffies(RELEASE_MS);
	struct user_handle *h;
	unsigned long id;

	xa_for_each(&u->locks, id, h) {
		if (ask && time_after(jiffies, end))
			break;
		xa_erase(&u->locks, id);
		free_lock(h);
	}
}
