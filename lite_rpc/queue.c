// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that wait for a slot or a connection, instead of their callers: so
 * thousands may be under way to a peer whose ring has LITE_SLOTS, and a call
 * outlives the connection it was queued for.
 *
 * First come, first served; a slot that gets free goes to whoever has waited
 * longest, and while anybody waits nobody overtakes by lite_call_queue().
 */
#include <linux/export.h>
#include <linux/jiffies.h>

#include "lite_rpc.h"

#define RECONNECT_MS 200

/* As for who waits himself: a quarter of its time is the call's own (call.c). */
static bool is_late(const struct lite_call *call)
{
	u32 ms = call->timeout_ms ?: LITE_TIMEOUT_MS;

	return time_after_eq(jiffies,
			     call->deadline - msecs_to_jiffies(ms / 4));
}

static void call_over(struct lite_call *call, int status)
{
	call->status = status;
	call->done(call);
}

/* No use to try again: the call would end so every time. */
static bool is_final(int err)
{
	switch (err) {
	case 0:
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
		return false;
	/*
	 * These may last till somebody has done something about them, and a
	 * call that waited for that would end with -ETIMEDOUT, which says
	 * nothing. Who wants to wait calls again.
	 */
	case -ENOKEY:
	case -EKEYREJECTED:
	case -EPROTONOSUPPORT:
		return true;
	}
	return !lite_no_answer(err);
}

/* As is_final(), of sending: -ENODEV is of the call's own memory then. */
static bool is_final_of_send(int err)
{
	return err == -ENODEV || is_final(err);
}

/* 0, or why nothing may wait any more. */
static int why_closed(struct lite_link *link)
{
	lockdep_assert_held(&link->lock);
	return link->queue_closed ? -ESHUTDOWN : lite_link_gone_err(link);
}

/* Take the first that waits, if it could be sent now. */
static struct lite_call *next_call(struct lite_link *link)
{
	struct lite_call *call = NULL;
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	if (lite_link_is_up(link) && lite_link_has_slot(link))
		call = list_first_entry_or_null(&link->queue, struct lite_call,
						list);
	if (call)
		list_del(&call->list);
	else
		link->flushing = false;
	spin_unlock_irqrestore(&link->lock, flags);
	return call;
}

/* under the lock, as lite_queue_exit() is: after that there is no link */
static void connect_soon(struct lite_link *link, unsigned int ms)
{
	lockdep_assert_held(&link->lock);
	queue_delayed_work(link->peer->node->q->connect, &link->queue_work,
			   msecs_to_jiffies(ms));
}

/*
 * 0, or why it may not wait; @again: it was the first, and nobody flushes now.
 * The works are queued under the lock: once it is released the call may end,
 * and with it the link; lite_queue_exit() is behind the lock, too.
 */
static int add(struct lite_link *link, struct lite_call *call, bool again)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&link->lock, flags);
	if (again)
		link->flushing = false;
	err = why_closed(link);
	if (err)
		goto out_unlock;
	if (again)
		list_add(&call->list, &link->queue);
	else
		list_add_tail(&call->list, &link->queue);
	if (!link->timer_on) {
		link->timer_on = true;
		lite_link_start_timer(link);
	}
	if (!lite_link_is_up(link))
		connect_soon(link, 0);
out_unlock:
	spin_unlock_irqrestore(&link->lock, flags);
	return err;
}

static bool may_flush(struct lite_link *link)
{
	unsigned long flags;
	bool may;

	/* whoever made the queue not empty, or a slot free, looks after that */
	if (list_empty_careful(&link->queue))
		return false;
	spin_lock_irqsave(&link->lock, flags);
	may = !link->flushing;
	link->flushing = true;
	spin_unlock_irqrestore(&link->lock, flags);
	return may;
}

/**
 * lite_queue_flush() - send what waits, as far as there are slots
 * @link: link
 *
 * To be called when a slot got free or the link came up. One at a time does it,
 * the others leave it to him, who looks once more under the lock.
 * Context: any but hard interrupt.
 */
void lite_queue_flush(struct lite_link *link)
{
	struct lite_call *call;
	int err;

	if (!may_flush(link))
		return;
	while ((call = next_call(link))) {
		err = lite_call_send(link->peer, call, call->deadline);
		if (!err)
			continue;
		if (is_final_of_send(err)) {
			call_over(call, err);
			continue;
		}
		/* it was nowhere: who looked meanwhile has found none */
		err = add(link, call, true);
		if (err)
			call_over(call, err);
		return;
	}
}

/**
 * lite_queue_expire() - end the calls that have waited too long
 * @link: link
 *
 * Context: process.
 * Return: whether others wait still.
 */
bool lite_queue_expire(struct lite_link *link)
{
	struct lite_call *call, *next;
	unsigned long flags;
	LIST_HEAD(late);
	bool left;

	spin_lock_irqsave(&link->lock, flags);
	list_for_each_entry_safe(call, next, &link->queue, list)
		if (is_late(call)) {
			list_move_tail(&call->list, &late);
			link->calls++; /* as it would if it had a slot */
			link->timeouts++;
			link->errors++;
		}
	left = !list_empty(&link->queue);
	spin_unlock_irqrestore(&link->lock, flags);
	list_for_each_entry_safe(call, next, &late, list)
		call_over(call, -ETIMEDOUT);
	return left;
}

/**
 * lite_queue_end() - end all calls that wait
 * @link: link
 * @err: what with; -ESHUTDOWN: and none shall wait any more, not even one that
 *	somebody is just trying to send
 *
 * Context: any but hard interrupt.
 */
void lite_queue_end(struct lite_link *link, int err)
{
	struct lite_call *call, *next;
	unsigned long flags;
	LIST_HEAD(calls);

	spin_lock_irqsave(&link->lock, flags);
	list_splice_init(&link->queue, &calls);
	list_for_each_entry(call, &calls, list) {
		link->calls++;
		link->lost++;
		link->errors++;
	}
	if (err == -ESHUTDOWN)
		link->queue_closed = true;
	spin_unlock_irqrestore(&link->lock, flags);
	list_for_each_entry_safe(call, next, &calls, list)
		call_over(call, err);
}

/*
 * Calls wait and there is no connection. It does not wait for one: it is on the
 * queue of the works that connect, lite_queue_tried() goes on.
 */
static void queue_work_fn(struct work_struct *work)
{
	struct lite_link *link = container_of(to_delayed_work(work),
					      struct lite_link, queue_work);

	if (list_empty_careful(&link->queue))
		return;
	if (lite_link_is_up(link))
		lite_queue_flush(link);
	else
		lite_link_want(link);
}

/**
 * lite_queue_tried() - the link has been connected, or could not be
 * @link: link
 * @err: 0: what waits has been sent as far as there are slots
 *
 * Context: process.
 */
void lite_queue_tried(struct lite_link *link, int err)
{
	unsigned long flags;

	if (!err)
		return;
	if (is_final(err) || lite_link_gone_err(link)) {
		lite_queue_end(link, err);
		return;
	}
	spin_lock_irqsave(&link->lock, flags);
	if (!list_empty(&link->queue))
		connect_soon(link, RECONNECT_MS);
	spin_unlock_irqrestore(&link->lock, flags);
}

/**
 * lite_queue_reconnect() - the link is down: if calls wait, connect again
 * @link: link
 *
 * Context: any but hard interrupt.
 */
void lite_queue_reconnect(struct lite_link *link)
{
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	if (!list_empty(&link->queue))
		connect_soon(link, 0);
	spin_unlock_irqrestore(&link->lock, flags);
}

/**
 * lite_queue_init() - nobody waits yet
 * @link: link
 */
void lite_queue_init(struct lite_link *link)
{
	INIT_LIST_HEAD(&link->queue);
	INIT_DELAYED_WORK(&link->queue_work, queue_work_fn);
}

/**
 * lite_queue_exit() - nobody shall wait any more
 * @link: link, of a peer that nobody calls
 *
 * Context: process, may sleep.
 */
void lite_queue_exit(struct lite_link *link)
{
	lite_queue_end(link, -ESHUTDOWN);
	cancel_delayed_work_sync(&link->queue_work);
}

/* see include/lego/lite.h */
void lite_call_queue(struct lite_peer *peer, struct lite_call *call)
{
	u32 ms = call->timeout_ms ?: LITE_TIMEOUT_MS;
	struct lite_link *link;
	int err = -EAGAIN;

	if (call->class >= LITE_CLASS_NR) {
		call_over(call, -EINVAL);
		return;
	}
	link = &peer->link[call->class];
	call->deadline = jiffies + msecs_to_jiffies(ms);
	if (list_empty_careful(&link->queue))
		err = lite_call_send(peer, call, call->deadline);
	if (!err)
		return;
	if (is_final_of_send(err)) {
		call_over(call, err);
		return;
	}
	/* once it is there it may end, and who asked may give up the peer */
	kref_get(&peer->ref);
	err = add(link, call, false);
	if (err) {
		call_over(call, err);
		goto out_put;
	}
	/* whatever it waits for may have happened before it was there */
	lite_queue_flush(link);
out_put:
	lite_peer_put(peer);
}
EXPORT_SYMBOL_NS_GPL(lite_call_queue, LITE_RPC);

struct many {
	atomic_t left;
	struct completion done;
};

static void many_done(struct lite_call *call)
{
	struct many *many = call->priv;

	if (atomic_dec_and_test(&many->left))
		complete(&many->done);
}

/* see include/lego/lite.h */
int lite_call_many(struct lite_peer *const *peer, struct lite_call *call,
		   unsigned int nr)
{
	struct many many = { .left = ATOMIC_INIT(nr + 1) };
	struct lite_worker *worker;
	unsigned int i;
	int err = 0;

	might_sleep();
	init_completion(&many.done);
	worker = lite_worker_aside();
	for (i = 0; i < nr; i++) {
		call[i].done = many_done;
		call[i].priv = &many;
		lite_call_queue(peer[i], &call[i]);
	}
	/* each ends within its time-out */
	if (!atomic_dec_and_test(&many.left))
		lite_calls_wait(peer, call, nr, &many.done);
	lite_worker_back(worker);
	for (i = 0; i < nr && !err; i++)
		err = call[i].status;
	return err;
}
EXPORT_SYMBOL_NS_GPL(lite_call_many, LITE_RPC);
