// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lite: calling. Each call is an object that holds what it uses till it is
 * over, so that a killed program need not wait for it.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

/**
 * struct call - a program's call
 * @call: lite_rpc's
 * @list: in u->done, when it is over
 * @u: file
 * @peer: whom
 * @in: what the peer may read
 * @out: what it may write
 * @cookie: what the program calls it
 * @over: the end of one that is waited for
 * @waited: somebody waits; under u->q_lock
 * @async: u->done is where it goes
 * @req: the message
 * @rsp: the reply's
 */
struct call {
	struct lite_call call;
	struct list_head list;
	struct lite_user *u;
	struct user_handle *peer;
	struct user_sges in;
	struct user_sges out;
	u64 cookie;
	struct completion over;
	bool waited;
	bool async;
	void *rsp;
	struct lite_user_req req;
};

static struct lite_peer *peer_of(struct call *c)
{
	return container_of(c->peer, struct user_peer, h)->peer;
}

/**
 * user_peer_get() - LITE_IOC_PEER_GET
 * @u: file
 * @arg: struct lite_u_peer
 *
 * Context: process, may sleep. Return: 0 or a negative errno.
 */
long user_peer_get(struct lite_user *u, void __user *arg)
{
	struct lite_u_peer a;
	struct user_peer *p;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.reserved || strnlen(a.addr, sizeof(a.addr)) == sizeof(a.addr))
		return -EINVAL;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->peer = lite_peer_get(u->node, a.addr, a.incarnation);
	err = PTR_ERR_OR_ZERO(p->peer);
	if (err)
		goto err_free;
	err = user_handle_add(u, &u->peers, &p->h, &a.id);
	if (err)
		goto err_put;
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;

err_put:
	lite_peer_put(p->peer);
err_free:
	kfree(p);
	return err;
}

static void free_peer(struct user_handle *h)
{
	struct user_peer *p = container_of(h, struct user_peer, h);

	lite_peer_put(p->peer);
	kfree(p);
}

/**
 * user_peer_put() - LITE_IOC_PEER_PUT
 * @u: file
 * @arg: id
 *
 * Context: process, may sleep, bounded. Return: 0, -EBADF, -EBUSY, -EINTR.
 */
long user_peer_put(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	u32 id;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	h = user_handle_take(u, &u->peers, id);
	if (IS_ERR(h))
		return PTR_ERR(h);
	free_peer(h);
	return 0;
}

static void call_free(struct call *c)
{
	user_sges_put(&c->in);
	user_sges_put(&c->out);
	if (c->peer)
		user_handle_put(c->peer);
	kfree(c->rsp);
	kfree(c);
}

/* the end, in any context */
static void call_over(struct lite_call *call)
{
	struct call *c = call->priv;
	struct lite_user *u = c->u;
	unsigned long flags;
	bool left = false;

	spin_lock_irqsave(&u->q_lock, flags);
	if (c->waited)
		complete(&c->over);
	else if (c->async)
		list_add_tail(&c->list, &u->done);
	else
		left = true; /* who waited was killed; others may have the file */
	spin_unlock_irqrestore(&u->q_lock, flags);
	if (left)
		call_free(c);
	/* what user_calls_exit() waits for, to free @u: all under the lock */
	spin_lock_irqsave(&u->q_lock, flags);
	u->nr_calls--;
	wake_up_all(&u->wait);
	spin_unlock_irqrestore(&u->q_lock, flags);
}

static int check_args(const struct lite_u_call *a)
{
	if (a->reserved || a->flags & ~(LITE_U_ASYNC | LITE_U_ONEWAY) ||
	    a->class > LITE_U_CLASS_BULK || a->timeout_ms > USER_TIMEOUT_MAX_MS)
		return -EINVAL;
	if (a->flags & LITE_U_ONEWAY &&
	    (a->flags & LITE_U_ASYNC || a->nr_in || a->nr_out))
		return -EINVAL;
	if (a->req_len > LITE_U_MSG_MAX)
		return -EMSGSIZE;
	return 0;
}

static u8 class_of(const struct lite_u_call *a)
{
	switch (a->class) {
	case LITE_U_CLASS_URGENT:
		return LITE_CLASS_DEMAND;
	case LITE_U_CLASS_BULK:
		return LITE_CLASS_WRITEBACK;
	}
	return LITE_CLASS_CONTROL;
}

static int call_fill(struct call *c, struct lite_user *u,
		     const struct lite_u_call *a)
{
	void *msg = c + 1; /* behind c->req */
	int err;

	c->u = u;
	c->cookie = a->cookie;
	init_completion(&c->over);
	c->async = a->flags & LITE_U_ASYNC;
	c->waited = !c->async;
	c->req.op = cpu_to_le32(a->op);
	c->call = (struct lite_call){
		.op = a->flags & LITE_U_ONEWAY ? LITE_USER_SEND :
						 LITE_USER_CALL,
		.class = class_of(a),
		.req = &c->req,
		.req_len = sizeof(c->req) + a->req_len,
		.rsp_size = min_t(u32, a->rsp_size, LITE_USER_MSG_MAX),
		.in = c->in.sge,
		.out = c->out.sge,
		.timeout_ms = a->timeout_ms,
		.done = call_over,
		.priv = c,
	};
	if (copy_from_user(msg, u64_to_user_ptr(a->req), a->req_len))
		return -EFAULT;
	if (c->async && !(a->flags & LITE_U_ONEWAY))
		c->call.rsp_size = LITE_USER_MSG_MAX;
	if (c->call.rsp_size) {
		c->rsp = kmalloc(c->call.rsp_size, GFP_KERNEL_ACCOUNT);
		if (!c->rsp)
			return -ENOMEM;
		c->call.rsp = c->rsp;
	}
	c->peer = user_handle_get(u, &u->peers, a->peer);
	if (!c->peer)
		return -EBADF;
	err = user_sges_get(u, &c->in, a->in, a->nr_in);
	if (!err)
		err = user_sges_get(u, &c->out, a->out, a->nr_out);
	c->call.nr_in = c->in.nr;
	c->call.nr_out = c->out.nr;
	return err;
}

static struct call *call_make(struct lite_user *u, const struct lite_u_call *a)
{
	struct call *c;
	int err;

	/* offsetof() of the message: what follows the header */
	BUILD_BUG_ON(offsetof(struct call, req) + sizeof(c->req) !=
		     sizeof(struct call));
	BUILD_BUG_ON(LITE_U_MSG_MAX != LITE_USER_MSG_MAX);
	c = kzalloc(sizeof(*c) + a->req_len, GFP_KERNEL_ACCOUNT);
	if (!c)
		return ERR_PTR(-ENOMEM);
	err = call_fill(c, u, a);
	if (!err)
		return c;
	call_free(c);
	return ERR_PTR(err);
}

static unsigned long time_of(const struct lite_call *call)
{
	return msecs_to_jiffies(call->timeout_ms ?: LITE_TIMEOUT_MS);
}

static int send_oneway(struct call *c)
{
	unsigned long end = jiffies + time_of(&c->call);
	struct lite_peer *peer = peer_of(c);
	int err;

	for (;;) {
		err = lite_notify(peer, c->call.class, c->call.op, c->call.req,
				  c->call.req_len);
		if (err != -ENOTCONN && err != -EAGAIN)
			return err;
		if (time_after_eq(jiffies, end))
			return -ETIMEDOUT;
		if (err == -ENOTCONN)
			err = lite_link_connect(&peer->link[c->call.class],
						end);
		else
			err = lite_peer_wait_slot(peer, c->call.class);
		if (err && err != -ETIMEDOUT)
			return err;
	}
}

static void call_start(struct call *c)
{
	struct lite_user *u = c->u;
	unsigned long flags;

	spin_lock_irqsave(&u->q_lock, flags);
	u->nr_calls++;
	spin_unlock_irqrestore(&u->q_lock, flags);
	lite_call_queue(peer_of(c), &c->call);
}

static bool is_over(void *over)
{
	return completion_done(over);
}

/* Wait for the end; -EINTR: it is no longer the caller's. */
static int call_wait(struct call *c)
{
	struct lite_user *u = c->u;
	unsigned long flags;
	int err;

	lite_call_spin(peer_of(c), c->call.class, is_over, &c->over);
	err = wait_for_completion_killable(&c->over);
	/* also: call_over() has let go of it */
	spin_lock_irqsave(&u->q_lock, flags);
	if (err && completion_done(&c->over))
		err = 0;
	if (err)
		c->waited = false;
	spin_unlock_irqrestore(&u->q_lock, flags);
	return err ? -EINTR : 0;
}

static long call_sync(struct call *c, struct lite_u_call *a,
		      struct lite_u_call __user *arg)
{
	unsigned long end = jiffies + time_of(&c->call);
	long r, left;

	/* a queued call would only say that its time is over */
	r = lite_link_connect(&peer_of(c)->link[c->call.class],
			      end - time_of(&c->call) / 4);
	if (r)
		goto out_free;
	/* what is left of it, and never 0, which is the default */
	left = end - jiffies;
	c->call.timeout_ms = left > 0 ? jiffies_to_msecs(left) : 1;
	call_start(c);
	if (call_wait(c))
		return -EINTR;
	r = c->call.status;
	if (!r &&
	    (copy_to_user(u64_to_user_ptr(a->rsp), c->rsp, c->call.rsp_len) ||
	     put_user(c->call.rsp_len, &arg->rsp_len)))
		r = -EFAULT;
out_free:
	call_free(c);
	return r;
}

static long call_async(struct call *c)
{
	struct lite_user *u = c->u;
	unsigned long flags;
	bool full;

	spin_lock_irqsave(&u->q_lock, flags);
	full = u->nr_async == LITE_U_ASYNC_MAX;
	if (!full)
		u->nr_async++;
	spin_unlock_irqrestore(&u->q_lock, flags);
	if (full) {
		call_free(c);
		return -EAGAIN;
	}
	call_start(c);
	return 0;
}

/**
 * user_call() - LITE_IOC_CALL
 * @u: file
 * @arg: struct lite_u_call
 *
 * Context: process, may sleep, bounded by the call's time-out, killable.
 * Return: 0 or a negative errno, the call's own included.
 */
long user_call(struct lite_user *u, void __user *arg)
{
	struct lite_u_call a;
	struct call *c;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = check_args(&a);
	if (err)
		return err;
	c = call_make(u, &a);
	if (IS_ERR(c))
		return PTR_ERR(c);
	if (a.flags & LITE_U_ONEWAY) {
		err = send_oneway(c);
		call_free(c);
		return err;
	}
	return c->async ? call_async(c) : call_sync(c, &a, arg);
}

/**
 * user_done_ready() - has an asynchronous call ended that was not told of
 * @u: file
 *
 * Context: any. Return: whether.
 */
bool user_done_ready(struct lite_user *u)
{
	return !list_empty_careful(&u->done);
}

static bool done_ready_or_none(struct lite_user *u)
{
	return user_done_ready(u) || !READ_ONCE(u->nr_async);
}

/* -ENODATA: there is none to wait for; NULL: another was faster. */
static struct call *take_done(struct lite_user *u)
{
	struct call *c;
	unsigned long flags;

	spin_lock_irqsave(&u->q_lock, flags);
	c = list_first_entry_or_null(&u->done, struct call, list);
	if (c) {
		list_del(&c->list);
		u->nr_async--;
		if (!u->nr_async)
			wake_up_all(&u->wait);
	} else if (!u->nr_async) {
		c = ERR_PTR(-ENODATA);
	}
	spin_unlock_irqrestore(&u->q_lock, flags);
	return c;
}

/**
 * user_done() - LITE_IOC_DONE
 * @u: file
 * @arg: struct lite_u_done
 *
 * Context: process, may sleep; a signal ends it.
 * Return: 0; -ENODATA (no call is under way), -EAGAIN, -ETIMEDOUT, ...
 */
long user_done(struct lite_user *u, void __user *arg)
{
	struct lite_u_done a;
	struct call *c;
	long r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	do {
		r = user_wait(u, done_ready_or_none, a.timeout_ms);
		if (r)
			return r;
		c = take_done(u);
	} while (!c);
	if (IS_ERR(c))
		return PTR_ERR(c);
	a.cookie = c->cookie;
	a.status = c->call.status;
	a.rsp_len = a.status ? 0 : c->call.rsp_len;
	if (copy_to_user(u64_to_user_ptr(a.rsp), c->rsp,
			 min(a.rsp_len, a.rsp_size)) ||
	    copy_to_user(arg, &a, sizeof(a)))
		r = -EFAULT;
	call_free(c);
	return r;
}

static bool none_under_way(struct lite_user *u)
{
	unsigned long flags;
	bool none;

	spin_lock_irqsave(&u->q_lock, flags);
	none = !u->nr_calls;
	spin_unlock_irqrestore(&u->q_lock, flags);
	return none;
}

/**
 * user_calls_exit() - free all calls and peers
 * @u: file, whose node is stopped: calls end at once
 *
 * Context: process, may sleep.
 */
void user_calls_exit(struct lite_user *u)
{
	struct call *c, *next;
	struct user_handle *h;
	unsigned long id;

	wait_event(u->wait, none_under_way(u));
	list_for_each_entry_safe(c, next, &u->done, list)
		call_free(c);
	INIT_LIST_HEAD(&u->done);
	xa_for_each(&u->peers, id, h) {
		WARN_ON_ONCE(atomic_read(&h->users));
		xa_erase(&u->peers, id);
		free_peer(h);
	}
}
