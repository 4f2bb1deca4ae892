// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lite: serving. A request stays in lite_rpc's buffer from its arrival to
 * its answer; a program that takes its time, or ends, holds up nobody for long.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

#define TICK HZ

/**
 * struct ureq - a request to a program
 * @list: in u->waiting or u->held
 * @u: file
 * @req: lite_rpc's
 * @id: what the program calls it, once it has received it
 * @deadline: when it is answered by us
 * @busy: being pulled
 * @push: what is sent with the reply
 * @sent: it is, or never will be
 * @waited: somebody waits for that; under u->q_lock
 */
struct ureq {
	struct list_head list;
	struct lite_user *u;
	struct lite_req *req;
	u64 id;
	unsigned long deadline;
	bool busy;
	struct user_sges push;
	struct completion sent;
	bool waited;
};

/* A request comes. Softirq. */
static void serve(struct lite_req *req)
{
	const struct lite_user_req *msg = lite_req_msg(req);
	struct lite_user *u = lite_req_priv(req);
	unsigned long flags;
	struct ureq *r;
	bool closing;

	if (msg->reserved) {
		lite_req_reply(req, -EINVAL, 0);
		return;
	}
	r = kzalloc(sizeof(*r), GFP_ATOMIC);
	if (!r) {
		lite_req_reply(req, -ENOMEM, 0);
		return;
	}
	r->u = u;
	r->req = req;
	r->deadline = jiffies + msecs_to_jiffies(LITE_U_HOLD_MS);
	spin_lock_irqsave(&u->q_lock, flags);
	closing = u->closing;
	if (!closing) {
		list_add_tail(&r->list, &u->waiting);
		queue_delayed_work(lite_program_q.timer, &u->tick, TICK);
		wake_up_all(&u->wait);
	}
	spin_unlock_irqrestore(&u->q_lock, flags);
	if (!closing)
		return;
	kfree(r);
	lite_req_reply(req, -EHOSTUNREACH, 0);
}

const struct lite_handler user_handlers[] = {
	[LITE_OP_NR(LITE_USER_CALL)] = { .fn = serve },
	[LITE_OP_NR(LITE_USER_SEND)] = { .fn = serve },
};

const unsigned int user_nr_handlers = ARRAY_SIZE(user_handlers);

static void refuse_all(struct list_head *list, int err)
{
	struct ureq *r, *next;

	list_for_each_entry_safe(r, next, list, list) {
		lite_req_reply(r->req, err, 0);
		kfree(r);
	}
}

/* Nobody waits for an answer any more, or nobody should have to. */
static bool is_overdue(const struct ureq *r)
{
	return !r->busy && (time_after_eq(jiffies, r->deadline) ||
			    READ_ONCE(r->req->cancelled) ||
			    READ_ONCE(r->req->conn->dead));
}

static void take_overdue(struct list_head *from, struct list_head *to)
{
	struct ureq *r, *next;

	list_for_each_entry_safe(r, next, from, list)
		if (is_overdue(r))
			list_move_tail(&r->list, to);
}

static void tick(struct work_struct *work)
{
	struct lite_user *u =
		container_of(to_delayed_work(work), struct lite_user, tick);
	unsigned long flags;
	LIST_HEAD(late);

	spin_lock_irqsave(&u->q_lock, flags);
	take_overdue(&u->waiting, &late);
	take_overdue(&u->held, &late);
	if (!u->closing && (!list_empty(&u->waiting) || !list_empty(&u->held)))
		queue_delayed_work(lite_program_q.timer, &u->tick, TICK);
	spin_unlock_irqrestore(&u->q_lock, flags);
	refuse_all(&late, -EBUSY);
}

/**
 * user_serve_init() - no requests yet
 * @u: file
 */
void user_serve_init(struct lite_user *u)
{
	INIT_DELAYED_WORK(&u->tick, tick);
}

/**
 * user_serve_exit() - answer all requests: the program is gone
 * @u: file; nobody is in its ioctls
 *
 * Context: process, may sleep.
 */
void user_serve_exit(struct lite_user *u)
{
	unsigned long flags;
	LIST_HEAD(all);

	spin_lock_irqsave(&u->q_lock, flags);
	u->closing = true;
	list_splice_init(&u->waiting, &all);
	list_splice_init(&u->held, &all);
	spin_unlock_irqrestore(&u->q_lock, flags);
	cancel_delayed_work_sync(&u->tick);
	refuse_all(&all, -EHOSTUNREACH);
}

/**
 * user_recv_ready() - does a request wait
 * @u: file
 *
 * Context: any. Return: whether.
 */
bool user_recv_ready(struct lite_user *u)
{
	return !list_empty_careful(&u->waiting);
}

/* To where the program can name it. */
static struct ureq *take_waiting(struct lite_user *u)
{
	unsigned long flags;
	struct ureq *r;

	spin_lock_irqsave(&u->q_lock, flags);
	r = list_first_entry_or_null(&u->waiting, struct ureq, list);
	if (r) {
		r->id = ++u->next_req;
		r->busy = true; /* not to be named before it was told */
		list_move_tail(&r->list, &u->held);
	}
	spin_unlock_irqrestore(&u->q_lock, flags);
	return r;
}

static void recv_failed(struct lite_user *u, struct ureq *r)
{
	unsigned long flags;

	spin_lock_irqsave(&u->q_lock, flags);
	r->busy = false;
	list_move(&r->list, &u->waiting);
	wake_up_all(&u->wait); /* who has found none meanwhile */
	spin_unlock_irqrestore(&u->q_lock, flags);
}

static void set_idle(struct lite_user *u, struct ureq *r)
{
	unsigned long flags;

	spin_lock_irqsave(&u->q_lock, flags);
	r->busy = false;
	spin_unlock_irqrestore(&u->q_lock, flags);
}

static void forget(struct lite_user *u, struct ureq *r)
{
	unsigned long flags;

	spin_lock_irqsave(&u->q_lock, flags);
	list_del(&r->list);
	spin_unlock_irqrestore(&u->q_lock, flags);
}

static long recv_one(struct lite_user *u, struct ureq *r, struct lite_u_recv *a,
		     void __user *arg)
{
	const struct lite_user_req *msg = lite_req_msg(r->req);
	bool oneway = lite_req_op(r->req) == LITE_USER_SEND;

	a->id = oneway ? 0 : r->id;
	a->peer = lite_req_peer_incarnation(r->req);
	a->op = le32_to_cpu(msg->op);
	a->len = lite_req_len(r->req) - sizeof(*msg);
	a->in_len = lite_req_in_len(r->req);
	a->out_len = lite_req_out_len(r->req);
	if (copy_to_user(u64_to_user_ptr(a->buf), msg + 1, a->len) ||
	    copy_to_user(arg, a, sizeof(*a))) {
		recv_failed(u, r);
		return -EFAULT;
	}
	if (!oneway) {
		set_idle(u, r);
		return 0;
	}
	forget(u, r);
	lite_req_reply(r->req, 0, 0);
	kfree(r);
	return 0;
}

/**
 * user_recv() - LITE_IOC_RECV
 * @u: file
 * @arg: struct lite_u_recv
 *
 * Context: process, may sleep; a signal ends it.
 * Return: 0, -EAGAIN, -ETIMEDOUT, -EINVAL (too little room), ...
 */
long user_recv(struct lite_user *u, void __user *arg)
{
	struct lite_u_recv a;
	struct ureq *r;
	long err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.size < LITE_U_MSG_MAX)
		return -EINVAL;
	do {
		err = user_wait(u, user_recv_ready, a.timeout_ms);
		if (err)
			return err;
		r = take_waiting(u);
	} while (!r);
	return recv_one(u, r, &a, arg);
}

/* Have it to oneself: -EBADF (no such, or answered), -EBUSY (another has). */
static struct ureq *claim(struct lite_user *u, u64 id)
{
	struct ureq *r, *found = ERR_PTR(-EBADF);
	unsigned long flags;

	spin_lock_irqsave(&u->q_lock, flags);
	list_for_each_entry(r, &u->held, list) {
		if (r->id != id)
			continue;
		found = r->busy ? ERR_PTR(-EBUSY) : r;
		r->busy = true;
		break;
	}
	spin_unlock_irqrestore(&u->q_lock, flags);
	return found;
}

/**
 * user_pull() - LITE_IOC_PULL
 * @u: file
 * @arg: struct lite_u_pull
 *
 * Context: process, may sleep, bounded. Return: 0 or a negative errno.
 */
long user_pull(struct lite_user *u, void __user *arg)
{
	struct lite_u_pull a;
	struct user_sges s;
	struct ureq *r;
	long err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.reserved)
		return -EINVAL;
	err = user_sges_get(u, &s, a.sge, a.nr);
	if (err)
		return err;
	r = claim(u, a.id);
	if (IS_ERR(r)) {
		err = PTR_ERR(r);
	} else {
		err = lite_req_pull(r->req, a.off, s.sge, s.nr);
		set_idle(u, r);
	}
	user_sges_put(&s);
	return err;
}

/* What was pushed is sent, or will not be. Any context. */
static void replied(void *arg)
{
	struct ureq *r = arg;
	struct lite_user *u = r->u;
	unsigned long flags;
	bool waited;

	user_sges_put(&r->push);
	spin_lock_irqsave(&u->q_lock, flags);
	waited = r->waited;
	if (waited)
		complete(&r->sent);
	spin_unlock_irqrestore(&u->q_lock, flags);
	if (!waited)
		kfree(r);
}

/*
 * What is pushed is not copied, and the program will want to write there
 * again. Bounded by the transport's own time-outs, which end the connection.
 */
static int wait_sent(struct lite_user *u, struct ureq *r)
{
	unsigned long flags;
	bool mine = true;
	int err;

	err = wait_for_completion_killable(&r->sent);
	spin_lock_irqsave(&u->q_lock, flags);
	if (err && !completion_done(&r->sent)) {
		r->waited = false; /* replied() frees it */
		mine = false;
	}
	spin_unlock_irqrestore(&u->q_lock, flags);
	if (mine)
		kfree(r);
	return mine ? 0 : -EINTR;
}

/**
 * user_reply() - LITE_IOC_REPLY
 * @u: file
 * @arg: struct lite_u_reply
 *
 * What it pushes may be written to again on return.
 * Context: process, may sleep, bounded and killable.
 * Return: 0, -EINTR (killed), or a negative errno: it is not answered yet.
 */
long user_reply(struct lite_user *u, void __user *arg)
{
	struct lite_u_reply a;
	struct ureq *r;
	bool wait;
	long err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.reserved || a.error > MAX_ERRNO || (a.error && a.rsp_len))
		return -EINVAL;
	if (a.rsp_len > LITE_U_MSG_MAX)
		return -EMSGSIZE;
	r = claim(u, a.id);
	if (IS_ERR(r))
		return PTR_ERR(r);
	err = user_sges_get(u, &r->push, a.sge, a.nr);
	if (err)
		goto err_idle;
	err = -EFAULT;
	if (copy_from_user(lite_req_rsp(r->req), u64_to_user_ptr(a.rsp),
			   a.rsp_len))
		goto err_put;
	err = lite_req_push(r->req, a.off, r->push.sge, r->push.nr);
	if (err == -ECONNRESET)
		err = 0; /* the reply has nowhere to go either */
	if (err)
		goto err_put;
	forget(u, r);
	wait = r->push.nr;
	init_completion(&r->sent);
	r->waited = wait;
	lite_req_reply_release(r->req, -(int)a.error, a.rsp_len, replied, r);
	return wait ? wait_sent(u, r) : 0;

err_put:
	user_sges_put(&r->push);
err_idle:
	set_idle(u, r);
	return err;
}
