// SPDX-License-Identifier: GPL-2.0
/* /dev/lite: LMRs. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

static struct lite_lmr *to_lmr(struct user_handle *h)
{
	return container_of(h, struct user_lmr, h)->lmr;
}

static int get_args(struct lite_u_lmr *a, void __user *arg)
{
	if (copy_from_user(a, arg, sizeof(*a)))
		return -EFAULT;
	if (a->reserved || a->access & ~(LITE_U_READ | LITE_U_WRITE))
		return -EINVAL;
	return strnlen(a->name, sizeof(a->name)) < sizeof(a->name) ?
		       0 :
		       -ENAMETOOLONG;
}

/**
 * user_lmr_alloc() - LITE_IOC_LMR_ALLOC
 * @u: file
 * @arg: struct lite_u_lmr
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_alloc(), -EBADF.
 */
long user_lmr_alloc(struct lite_user *u, void __user *arg)
{
	struct user_handle *peer;
	struct lite_u_lmr a;
	long r;

	BUILD_BUG_ON(LITE_U_READ != LITE_LMR_READ);
	BUILD_BUG_ON(LITE_U_WRITE != LITE_LMR_WRITE);
	r = get_args(&a, arg);
	if (r)
		return r;
	peer = user_handle_get(u, &u->peers, a.peer);
	if (!peer)
		return -EBADF;
	r = lite_lmr_alloc(container_of(peer, struct user_peer, h)->peer,
			   a.name, a.size, a.access);
	user_handle_put(peer);
	return r;
}

/**
 * user_lmr_map() - LITE_IOC_LMR_MAP
 * @u: file
 * @arg: struct lite_u_lmr
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_map(), -EBADF.
 */
long user_lmr_map(struct lite_user *u, void __user *arg)
{
	struct user_handle *peer;
	struct lite_u_lmr a;
	struct user_lmr *l;
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
	l->lmr = lite_lmr_map(container_of(peer, struct user_peer, h)->peer,
			      a.name, a.access);
	user_handle_put(peer);
	r = PTR_ERR_OR_ZERO(l->lmr);
	if (r)
		goto err_free;
	a.size = lite_lmr_size(l->lmr);
	r = user_handle_add(u, &u->lmrs, &l->h, &a.id);
	if (r)
		goto err_unmap;
	/* from here on another thread may unmap it */
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;

err_unmap:
	lite_lmr_unmap(l->lmr);
err_free:
	kfree(l);
	return r;
}

static void free_lmr(struct user_handle *h)
{
	lite_lmr_unmap(to_lmr(h));
	kfree(container_of(h, struct user_lmr, h));
}

/**
 * user_lmr_unmap() - LITE_IOC_LMR_UNMAP
 * @u: file
 * @arg: id
 *
 * Context: process, may sleep, bounded. Return: 0, -EBADF, -EBUSY, -EINTR.
 */
long user_lmr_unmap(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	u32 id;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	h = user_handle_take(u, &u->lmrs, id);
	if (IS_ERR(h))
		return PTR_ERR(h);
	free_lmr(h);
	return 0;
}

/**
 * user_lmr_free() - LITE_IOC_LMR_FREE
 * @u: file
 * @arg: id
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_free(), -EBADF.
 */
long user_lmr_free(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	long r;
	u32 id;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	h = user_handle_get(u, &u->lmrs, id);
	if (!h)
		return -EBADF;
	r = lite_lmr_free(to_lmr(h));
	user_handle_put(h);
	return r;
}

/**
 * user_lmr_grant() - LITE_IOC_LMR_GRANT
 * @u: file
 * @arg: struct lite_u_grant
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_grant(), -EBADF.
 */
long user_lmr_grant(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	struct lite_u_grant a;
	long r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	h = user_handle_get(u, &u->lmrs, a.id);
	if (!h)
		return -EBADF;
	r = lite_lmr_grant(to_lmr(h), a.incarnation, a.access);
	user_handle_put(h);
	return r;
}

static long move(struct lite_user *u, void __user *arg, bool write)
{
	struct user_handle *h;
	struct lite_u_move a;
	struct user_sges s;
	long r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	h = user_handle_get(u, &u->lmrs, a.id);
	if (!h)
		return -EBADF;
	r = user_sges_get(u, &s, a.sge, a.nr);
	if (r)
		goto out_put;
	if (write)
		r = lite_lmr_write(to_lmr(h), a.off, s.sge, s.nr);
	else
		r = lite_lmr_read(to_lmr(h), a.off, s.sge, s.nr);
	user_sges_put(&s);
out_put:
	user_handle_put(h);
	return r;
}

/**
 * user_lmr_read() - LITE_IOC_LMR_READ
 * @u: file
 * @arg: struct lite_u_move
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_read(), -EBADF.
 */
long user_lmr_read(struct lite_user *u, void __user *arg)
{
	return move(u, arg, false);
}

/**
 * user_lmr_write() - LITE_IOC_LMR_WRITE
 * @u: file
 * @arg: struct lite_u_move
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_write(), -EBADF.
 */
long user_lmr_write(struct lite_user *u, void __user *arg)
{
	return move(u, arg, true);
}

/**
 * user_lmr_set() - LITE_IOC_LMR_SET
 * @u: file
 * @arg: struct lite_u_set
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_set(), -EBADF.
 */
long user_lmr_set(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	struct lite_u_set a;
	long r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.byte > U8_MAX)
		return -EINVAL;
	h = user_handle_get(u, &u->lmrs, a.id);
	if (!h)
		return -EBADF;
	r = lite_lmr_set(to_lmr(h), a.off, a.byte, a.len);
	user_handle_put(h);
	return r;
}

/**
 * user_lmr_copy() - LITE_IOC_LMR_COPY
 * @u: file
 * @arg: struct lite_u_copy
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_copy(), -EBADF.
 */
long user_lmr_copy(struct lite_user *u, void __user *arg)
{
	struct user_handle *to, *from;
	struct lite_u_copy a;
	long r = -EBADF;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	to = user_handle_get(u, &u->lmrs, a.to);
	from = user_handle_get(u, &u->lmrs, a.from);
	if (to && from)
		r = lite_lmr_copy(to_lmr(to), a.to_off, to_lmr(from),
				  a.from_off, a.len);
	if (from)
		user_handle_put(from);
	if (to)
		user_handle_put(to);
	return r;
}

static long atomic(struct lite_user *u, void __user *arg, bool add)
{
	struct lite_u_atomic a;
	struct user_handle *h;
	long r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.reserved)
		return -EINVAL;
	h = user_handle_get(u, &u->lmrs, a.id);
	if (!h)
		return -EBADF;
	if (add)
		r = lite_lmr_fetch_add(to_lmr(h), a.off, a.value, &a.old);
	else
		r = lite_lmr_cmp_swap(to_lmr(h), a.off, a.expect, a.value,
				      &a.old);
	user_handle_put(h);
	if (!r && copy_to_user(arg, &a, sizeof(a)))
		r = -EFAULT;
	return r;
}

/**
 * user_lmr_add() - LITE_IOC_LMR_ADD
 * @u: file
 * @arg: struct lite_u_atomic
 *
 * Context: process, may sleep, bounded.
 * Return: as lite_lmr_fetch_add(), -EBADF.
 */
long user_lmr_add(struct lite_user *u, void __user *arg)
{
	return atomic(u, arg, true);
}

/**
 * user_lmr_cas() - LITE_IOC_LMR_CAS
 * @u: file
 * @arg: struct lite_u_atomic
 *
 * Context: process, may sleep, bounded.
 * Return: as lite_lmr_cmp_swap(), -EBADF.
 */
long user_lmr_cas(struct lite_user *u, void __user *arg)
{
	return atomic(u, arg, false);
}

/**
 * user_lmrs_exit() - give all LMRs back
 * @u: file, whose node is stopped: nobody is asked
 *
 * Context: process, may sleep.
 */
void user_lmrs_exit(struct lite_user *u)
{
	struct user_handle *h;
	unsigned long id;

	xa_for_each(&u->lmrs, id, h) {
		xa_erase(&u->lmrs, id);
		free_lmr(h);
	}
}
