// SPDX-License-Identifier: GPL-2.0
/*
 * Links: the connection to a peer for one class, and the slots calls wait in.
 *
 * Its states are in state.c. Who breaks a link (an error completion, the peer's
 * disconnect, the timer) is in a context that must not sleep, so it only
 * changes the state and queues reset_work. The reset ends the connection first
 * and the calls then: when a call is over nothing the peer sends can touch its
 * memory any more. Nobody sends on a link that is not up; senders look at the
 * state inside an RCU read-side section and the reset waits for them with
 * synchronize_rcu(). link->tp says whether there is a connection to be ended.
 *
 * Locks: link->mutex > link->lock (a leaf, but for what qos.c tries; also taken
 * in softirq).
 */
#include <linux/jiffies.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <uapi/lego/lite.h>

#include "lite_rpc.h"
#include "trace.h"

/*
 * What frees an orphan that is older will hardly come: the call was over, or
 * one-way, even before.
 */
#define LOST_MS 5000

/**
 * lite_link_start_timer() - have the link looked at in LITE_TICK
 * @link: link
 *
 * Context: any.
 */
void lite_link_start_timer(struct lite_link *link)
{
	queue_delayed_work(link->peer->node->q->timer, &link->timer,
			   LITE_TICK);
}

/**
 * lite_link_queue_reset() - have its connection ended, it is up no more
 * @link: link
 *
 * Context: any.
 */
void lite_link_queue_reset(struct lite_link *link)
{
	queue_work(link->peer->node->q->conn, &link->reset_work);
}

static void free_slot(struct lite_link *link, unsigned int slot)
{
	struct lite_slot *s = &link->slot[slot];

	lockdep_assert_held(&link->lock);
	if (s->state == LITE_SLOT_ORPHAN)
		link->orphans--;
	s->state = LITE_SLOT_FREE;
	s->call = NULL;
	s->waiter = NULL;
	__set_bit(slot, link->free);
}

/*
 * How long a peer may keep a slot whose call is over. Programs take their time
 * with requests, and have it, as long as their kernel answers heartbeats.
 */
static bool is_program(const struct lite_slot *s)
{
	return LITE_OP_SVC(s->op) == LITE_SVC_USER;
}

/* of a cancelled one it has said that it still has it */
static unsigned int lost_ms(const struct lite_slot *s)
{
	return is_program(s) || s->cancel ? LITE_U_HOLD_MS + LOST_MS : LOST_MS;
}

static void orphan_slot(struct lite_link *link, unsigned int slot)
{
	struct lite_slot *s = &link->slot[slot];

	lockdep_assert_held(&link->lock);
	s->state = LITE_SLOT_ORPHAN;
	s->call = NULL;
	s->waiter = NULL;
	s->deadline = jiffies + msecs_to_jiffies(lost_ms(s));
	link->orphans++;
}

/* no slot is free: has the peer forgotten to give one back? */
static bool has_lost_slot(const struct lite_link *link)
{
	unsigned int i;

	lockdep_assert_held(&link->lock);
	for (i = 0; link->orphans && i < LITE_SLOTS; i++)
		if (link->slot[i].state == LITE_SLOT_ORPHAN &&
		    time_after(jiffies, link->slot[i].deadline))
			return true;
	return false;
}

/*
 * Has a peer that answers heartbeats forgotten what it was asked? Of requests
 * that were cancelled it has said that it has them: their handlers take long.
 */
static bool answers_nothing(const struct lite_link *link)
{
	unsigned int i, nr = 0;

	lockdep_assert_held(&link->lock);
	for (i = 0; i < LITE_SLOTS; i++)
		nr += link->slot[i].state == LITE_SLOT_ORPHAN &&
		      !link->slot[i].cancel;
	return nr > LITE_SLOTS / 2;
}

static void wake_slot(struct lite_link *link)
{
	if (wq_has_sleeper(&link->slot_wait))
		wake_up(&link->slot_wait);
	lite_queue_flush(link);
}

/* the call may be freed in here */
static void call_over(struct lite_call *call, struct completion *waiter,
		      int status)
{
	call->status = status;
	if (waiter)
		complete(waiter);
	else
		call->done(call);
}

/**
 * lite_link_has_slot() - may one be taken
 * @link: link
 *
 * Context: any; without link->lock it may have changed at once.
 * Return: true if so: one is free, and the class may use so many.
 */
bool lite_link_has_slot(struct lite_link *link)
{
	return LITE_SLOTS - bitmap_weight(link->free, LITE_SLOTS) <
	       lite_qos_limit(link->class);
}

/**
 * lite_link_get_slot() - take a credit
 * @link: link
 *
 * Where there is none, and one was lost, the link is reset to have all again.
 * Context: any but hard interrupt; in the RCU section in which the caller
 *	will send.
 * Return: the slot, for lite_link_arm() or lite_link_put_slot(); -ENOTCONN
 *	when the link is not up; -EAGAIN when all slots are out that the class
 *	may use.
 */
int lite_link_get_slot(struct lite_link *link)
{
	unsigned long flags;
	bool lost = false;
	int slot;

	spin_lock_irqsave(&link->lock, flags);
	if (!lite_link_is_up(link)) {
		slot = -ENOTCONN;
		goto out_unlock;
	}
	slot = find_first_bit(link->free, LITE_SLOTS);
	if (!lite_link_has_slot(link)) {
		if (slot < LITE_SLOTS)
			lite_qos_held(link->class);
		slot = -EAGAIN;
		lost = has_lost_slot(link);
		goto out_unlock;
	}
	__clear_bit(slot, link->free);
	link->slot[slot].state = LITE_SLOT_BUILD;
	if (!++link->next_xid)
		link->next_xid++; /* 0 is what a slot had that was never used */
	link->slot[slot].xid = link->next_xid;
	link->slot[slot].expired = false;
	link->slot[slot].cancel = false;
	link->slot[slot].credit = false;
	link->slot[slot].move = false;
	link->calls++;
	lite_qos_begin(link->class);
out_unlock:
	spin_unlock_irqrestore(&link->lock, flags);
	if (lost)
		lite_link_break(link, -ECONNRESET);
	return slot;
}

/**
 * lite_link_put_slot() - give a slot back that was not sent
 * @link: link
 * @slot: from lite_link_get_slot()
 *
 * Context: any but hard interrupt.
 */
void lite_link_put_slot(struct lite_link *link, unsigned int slot)
{
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	free_slot(link, slot);
	spin_unlock_irqrestore(&link->lock, flags);
	wake_slot(link);
}

/**
 * lite_link_arm() - from now on a reply, a time-out or a reset ends the call
 * @link: link
 * @slot: slot; call, waiter and deadline are filled in. Without a call it is
 *	an orphan from the beginning
 *
 * Context: any but hard interrupt.
 */
void lite_link_arm(struct lite_link *link, unsigned int slot)
{
	struct lite_slot *s = &link->slot[slot];
	unsigned long flags;
	bool timer;

	s->start = local_clock();
	spin_lock_irqsave(&link->lock, flags);
	if (s->call)
		s->state = LITE_SLOT_BUSY;
	else
		orphan_slot(link, slot);
	timer = !link->timer_on;
	if (timer) {
		link->timer_on = true;
		link->heard = jiffies; /* before it owed us nothing */
		link->missed = 0;
	}
	link->tx_bytes += s->tx;
	link->moves += s->move;
	trace_lite_call(s, 0);
	spin_unlock_irqrestore(&link->lock, flags);
	if (timer)
		lite_link_start_timer(link);
}

/**
 * lite_link_unarm() - the send failed: take the call back
 * @link: link
 * @slot: slot
 * @xid: its xid when it was armed
 *
 * Context: any but hard interrupt.
 * Return: false if somebody has ended the call in between.
 */
bool lite_link_unarm(struct lite_link *link, unsigned int slot, u32 xid)
{
	struct lite_slot *s = &link->slot[slot];
	unsigned long flags;
	bool mine;

	spin_lock_irqsave(&link->lock, flags);
	mine = s->xid == xid && s->state == LITE_SLOT_BUSY;
	if (mine || (s->xid == xid && s->state == LITE_SLOT_ORPHAN))
		free_slot(link, slot);
	spin_unlock_irqrestore(&link->lock, flags);
	wake_slot(link);
	return mine;
}

/**
 * lite_link_abandon() - the caller waits no longer; the reply still may come
 * @link: link
 * @call: a call without segments
 *
 * Context: any but hard interrupt.
 * Return: false if the call is just being ended by somebody else.
 */
bool lite_link_abandon(struct lite_link *link, struct lite_call *call)
{
	unsigned long flags;
	unsigned int i;
	bool found = false;

	spin_lock_irqsave(&link->lock, flags);
	for (i = 0; i < LITE_SLOTS && !found; i++) {
		if (link->slot[i].state != LITE_SLOT_BUSY ||
		    link->slot[i].call != call)
			continue;
		trace_lite_call_end(&link->slot[i], -EINTR);
		orphan_slot(link, i);
		link->errors++;
		link->killed++;
		found = true;
	}
	spin_unlock_irqrestore(&link->lock, flags);
	return found;
}

/*
 * 0 or what the link must be broken with. @hdr is a copy, of @len bytes that
 * came; the peer can write to the reply itself.
 */
static int check_reply(const struct lite_slot *s,
		       const struct lite_rsp_hdr *hdr, u32 len)
{
	if (le16_to_cpu(hdr->version) != LITE_VERSION)
		return -EPROTONOSUPPORT;
	if (le32_to_cpu(hdr->len) != len - sizeof(*hdr))
		return -EPROTO;
	if (s->state != LITE_SLOT_BUSY && s->state != LITE_SLOT_ORPHAN)
		return -EPROTO;
	if (s->move) /* its memory is in use, whatever the peer says */
		return -EPROTO;
	return le32_to_cpu(hdr->xid) == s->xid ? 0 : -EPROTO;
}

static int take_reply(struct lite_call *call, const struct lite_rsp_hdr *hdr,
		      const void *payload)
{
	u32 room = call->rsp ? call->rsp_size : 0;
	u32 len = le32_to_cpu(hdr->len);

	call->rsp_len = len;
	if (room)
		memcpy(call->rsp, payload, min(len, room));
	if (len > room && !hdr->status)
		return -EMSGSIZE;
	return lite_status_to_errno(le32_to_cpu(hdr->status));
}

/* a call is answered: how long did it take? */
static void count_latency(struct lite_link *link, const struct lite_slot *s)
{
	u64 ns = local_clock() - s->start;

	lockdep_assert_held(&link->lock);
	lite_hist_add(&link->hist, ns);
	lite_qos_end(link->class, ns);
	link->ewma_ns = link->ewma_ns ?
		link->ewma_ns - link->ewma_ns / 8 + ns / 8 : ns;
}

/**
 * lite_link_rx() - a reply has come
 * @link: link, connected
 * @slot: which, as the peer says
 * @buf: header and payload
 * @len: bytes of it
 *
 * A reply that nobody waits for any more only frees its slot.
 * Context: any but hard interrupt; ends the call.
 */
void lite_link_rx(struct lite_link *link, unsigned int slot, const void *buf,
		  u32 len)
{
	struct completion *waiter = NULL;
	struct lite_call *call = NULL;
	struct lite_rsp_hdr hdr;
	unsigned long flags;
	int err, status = 0;

	if (slot >= LITE_SLOTS) {
		lite_link_break(link, -ECONNRESET);
		return;
	}
	spin_lock_irqsave(&link->lock, flags);
	err = -EPROTO;
	if (len < sizeof(hdr) || len > LITE_SLOT_SIZE)
		goto out_unlock;
	memcpy(&hdr, buf, sizeof(hdr));
	barrier(); /* what is checked is what is used */
	err = check_reply(&link->slot[slot], &hdr, len);
	if (err)
		goto out_unlock;
	if (link->slot[slot].state == LITE_SLOT_BUSY) {
		call = link->slot[slot].call;
		waiter = link->slot[slot].waiter;
		status = take_reply(call, &hdr, buf + sizeof(hdr));
		count_latency(link, &link->slot[slot]);
		link->rx_bytes += len + (status ? 0 : link->slot[slot].rx);
		if (status) {
			link->errors++;
			link->refused++;
		}
		trace_lite_call_end(&link->slot[slot], status);
	}
	free_slot(link, slot);
	lite_link_heard(link);
out_unlock:
	spin_unlock_irqrestore(&link->lock, flags);
	if (err) {
		pr_warn_ratelimited("%s: bad reply from %s (%d), link reset\n",
				    link->peer->node->name,
				    link->peer->addr.text, err);
		atomic64_inc(&link->peer->node->violations);
		lite_link_break(link, -ECONNRESET); /* the others' */
		return;
	}
	wake_slot(link);
	if (call)
		call_over(call, waiter, status);
}

/**
 * lite_link_rx_done() - a reply without error and payload has come
 * @link: link, connected
 * @slot: which, as the peer says
 * @xid: low half of the request's xid
 *
 * Context: any but hard interrupt; ends the call.
 */
void lite_link_rx_done(struct lite_link *link, unsigned int slot, u16 xid)
{
	struct lite_rsp_hdr hdr = { .version = cpu_to_le16(LITE_VERSION) };

	/* all slots' xids are ours to read: who wrote them has sent since */
	if (slot < LITE_SLOTS) {
		hdr.xid = cpu_to_le32(READ_ONCE(link->slot[slot].xid));
		if ((u16)le32_to_cpu(hdr.xid) != xid)
			hdr.version = 0;
	}
	lite_link_rx(link, slot, &hdr, sizeof(hdr));
}

/**
 * lite_link_move_done() - what a one-sided access moves has arrived
 * @link: link, connected
 * @slot: the access's; the connection has held since it was posted
 *
 * Context: any but hard interrupt; ends the call.
 */
void lite_link_move_done(struct lite_link *link, unsigned int slot)
{
	struct lite_call *call;
	unsigned long flags;

	/* nothing else ends one but a reset, which ends the connection first */
	spin_lock_irqsave(&link->lock, flags);
	call = link->slot[slot].call;
	count_latency(link, &link->slot[slot]);
	link->rx_bytes += link->slot[slot].rx;
	trace_lite_call_end(&link->slot[slot], 0);
	free_slot(link, slot);
	lite_link_moved(link);
	spin_unlock_irqrestore(&link->lock, flags);
	wake_slot(link);
	call_over(call, NULL, 0);
}

static void bad_message(struct lite_link *link, const char *what)
{
	pr_warn_ratelimited("%s: bad %s from %s, link reset\n",
			    link->peer->node->name, what,
			    link->peer->addr.text);
	atomic64_inc(&link->peer->node->violations);
	lite_link_break(link, -ECONNRESET);
}

/**
 * lite_link_credit() - the peer is done with a request that has no reply: it is
 *	one-way, or cancelled
 * @link: link, connected
 * @slot: which, as the peer says
 * @xid: low half of the request's xid
 *
 * Context: any but hard interrupt.
 */
void lite_link_credit(struct lite_link *link, unsigned int slot, u16 xid)
{
	bool early = false, good = false;
	struct lite_slot *s;
	unsigned long flags;

	if (slot >= LITE_SLOTS)
		goto out_bad;
	s = &link->slot[slot];
	spin_lock_irqsave(&link->lock, flags);
	/* the answer to a cancel, sent before, is being taken by another CPU */
	early = s->state == LITE_SLOT_BUSY && s->cancel && !s->credit;
	good = (u16)s->xid == xid && (early || s->state == LITE_SLOT_ORPHAN);
	if (good && early)
		s->credit = true;
	else if (good)
		free_slot(link, slot);
	if (good)
		lite_link_heard(link);
	spin_unlock_irqrestore(&link->lock, flags);
out_bad:
	if (!good)
		bad_message(link, "credit");
	else if (!early)
		wake_slot(link);
}

/**
 * lite_link_cancelled() - the peer writes nothing more for a call
 * @link: link, connected
 * @slot: which, as the peer says
 * @xid: low half of its xid
 *
 * Context: any but hard interrupt; ends the call.
 */
void lite_link_cancelled(struct lite_link *link, unsigned int slot, u16 xid)
{
	struct completion *waiter = NULL;
	struct lite_call *call = NULL;
	bool free = false;
	struct lite_slot *s;
	unsigned long flags;

	if (slot >= LITE_SLOTS)
		goto out_bad;
	s = &link->slot[slot];
	spin_lock_irqsave(&link->lock, flags);
	if (s->state == LITE_SLOT_BUSY && s->cancel && (u16)s->xid == xid) {
		call = s->call;
		waiter = s->waiter;
		free = s->credit;
		link->timeouts++;
		link->errors++;
		trace_lite_call_end(s, -ETIMEDOUT);
		if (free)
			free_slot(link, slot);
		else
			orphan_slot(link, slot);
		lite_link_heard(link);
	}
	spin_unlock_irqrestore(&link->lock, flags);
out_bad:
	if (!call) {
		bad_message(link, "cancel");
		return;
	}
	if (free)
		wake_slot(link);
	call_over(call, waiter, -ETIMEDOUT);
}

/**
 * lite_link_break() - the link is no good any more
 * @link: link
 * @err: what its calls shall end with, if it is not their time-out
 *
 * Context: any but hard interrupt; the rest is done by reset_work.
 */
void lite_link_break(struct lite_link *link, int err)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&link->lock, flags);
	first = lite_link_is_up(link);
	if (first) {
		link->broken_err = err;
		lite_link_set_state(link, LITE_LINK_RECONNECTING);
	} else {
		link->doomed = true; /* if it connects: connect_locked() */
	}
	spin_unlock_irqrestore(&link->lock, flags);
	if (first)
		lite_link_queue_reset(link);
}

/* with the connection gone: end every call of it */
static void end_calls(struct lite_link *link, int err)
{
	struct completion *waiter;
	struct lite_call *call;
	unsigned long flags;
	unsigned int i;
	int status;

	for (i = 0; i < LITE_SLOTS; i++) {
		struct lite_slot *s = &link->slot[i];

		spin_lock_irqsave(&link->lock, flags);
		call = s->call;
		waiter = s->waiter;
		status = s->expired ? -ETIMEDOUT : err;
		if (call) {
			trace_lite_call_end(s, status);
			link->errors++;
			link->timeouts += s->expired;
			link->lost += !s->expired;
		}
		if (s->state != LITE_SLOT_FREE)
			free_slot(link, i);
		spin_unlock_irqrestore(&link->lock, flags);
		if (call)
			call_over(call, waiter, status);
	}
}

/*
 * Done with the connection. If it broke meanwhile, reset_work may have found
 * the mutex taken: it does not wait for who connects, as it could be in the way
 * of what that waits for.
 */
static void link_unlock(struct lite_link *link)
{
	lockdep_assert_held(&link->mutex);
	mutex_unlock(&link->mutex);
	/* it sees the mutex free, or we what it was queued for */
	smp_mb();
	if (READ_ONCE(link->tp) && !lite_link_is_up(link))
		lite_link_queue_reset(link);
}

/* end the connection of a link that is up no more, and its calls */
static void reset_locked(struct lite_link *link)
{
	unsigned long flags;

	lockdep_assert_held(&link->mutex);
	if (!link->tp || lite_link_is_up(link))
		return;
	synchronize_rcu(); /* senders that saw it up; see the head of the file */
	link->ops->disconnect(link);
	end_calls(link, link->broken_err);
	spin_lock_irqsave(&link->lock, flags);
	link->resets++;
	spin_unlock_irqrestore(&link->lock, flags);
	wake_up_all(&link->slot_wait);
	lite_queue_reconnect(link);
}

static void reset_work(struct work_struct *work)
{
	struct lite_link *link =
		container_of(work, struct lite_link, reset_work);
	/* as connect_work() */
	unsigned int noio = memalloc_noio_save();

	/* else who has it looks at the link in link_unlock() */
	if (mutex_trylock(&link->mutex)) {
		reset_locked(link);
		link_unlock(link);
	}
	memalloc_noio_restore(noio);
}

/**
 * lite_link_reset() - break the link and wait till it is down
 * @link: link
 * @err: what its calls end with
 *
 * Context: process, may sleep.
 */
void lite_link_reset(struct lite_link *link, int err)
{
	lite_link_break(link, err);
	mutex_lock(&link->mutex);
	reset_locked(link);
	link_unlock(link);
}

/**
 * enum expiry - what is to be done about a slot now
 * @EXPIRY_NONE: nothing
 * @EXPIRY_OVER: its call is over
 * @EXPIRY_CANCEL: its call has lent memory, which the peer has to give up
 * @EXPIRY_RESET: the same, by a reset
 */
enum expiry {
	EXPIRY_NONE,
	EXPIRY_OVER,
	EXPIRY_CANCEL,
	EXPIRY_RESET,
};

static enum expiry expire_slot(struct lite_link *link, unsigned int slot)
{
	struct lite_slot *s = &link->slot[slot];

	lockdep_assert_held(&link->lock);
	if (s->state != LITE_SLOT_BUSY || time_before(jiffies, s->deadline))
		return EXPIRY_NONE;
	if (s->expired) /* a cancel's, or is being reset */
		return lite_link_is_up(link) ? EXPIRY_RESET : EXPIRY_NONE;
	s->expired = true;
	if (s->call->nr_in || s->call->nr_out)
		return lite_link_cancel_begin(link, slot) ? EXPIRY_CANCEL :
							    EXPIRY_RESET;
	link->timeouts++;
	link->errors++;
	trace_lite_call_end(s, -ETIMEDOUT);
	return EXPIRY_OVER;
}

/* Return: the link is to be reset */
static bool look_at_slot(struct lite_link *link, unsigned int slot)
{
	struct lite_slot *s = &link->slot[slot];
	struct completion *waiter;
	struct lite_call *call;
	unsigned long flags;
	enum expiry what;
	bool reset;
	u32 xid;

	spin_lock_irqsave(&link->lock, flags);
	what = expire_slot(link, slot);
	reset = what == EXPIRY_RESET;
	xid = s->xid;
	call = s->call;
	waiter = s->waiter;
	if (what == EXPIRY_OVER) {
		orphan_slot(link, slot);
		reset = !is_program(s) && answers_nothing(link);
	}
	spin_unlock_irqrestore(&link->lock, flags);
	if (what == EXPIRY_OVER)
		call_over(call, waiter, -ETIMEDOUT);
	else if (what == EXPIRY_CANCEL)
		lite_link_cancel(link, slot, xid);
	return reset;
}

/* look for calls past their deadline, and whether the peer lives */
static void timer_work(struct work_struct *work)
{
	struct lite_link *link =
		container_of(work, struct lite_link, timer.work);
	bool busy, reset = false;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < LITE_SLOTS; i++)
		reset |= look_at_slot(link, i);
	if (reset)
		lite_link_break(link, -ECONNRESET);
	if (lite_queue_expire(link))
		lite_queue_flush(link);
	lite_link_beat(link);

	spin_lock_irqsave(&link->lock, flags);
	/* a call that came after we looked for it found timer_on */
	busy = !list_empty(&link->queue) || lite_link_waits(link);
	link->timer_on = busy;
	spin_unlock_irqrestore(&link->lock, flags);
	if (busy)
		lite_link_start_timer(link);
}

static void begin_connect(struct lite_link *link)
{
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	if (link->state == LITE_LINK_DOWN)
		lite_link_set_state(link, LITE_LINK_CONNECTING);
	link->doomed = false;
	spin_unlock_irqrestore(&link->lock, flags);
}

/* Return: @err, or why there shall be no connection */
static int end_connect(struct lite_link *link, int err, bool *doomed)
{
	unsigned long flags;
	int gone;

	/* it asked for one life of the peer, and found another */
	if (err == -ESTALE && link->peer->incarnation)
		lite_link_gone(link, err);
	spin_lock_irqsave(&link->lock, flags);
	gone = lite_link_gone_err(link);
	if (!err && !gone) {
		lite_link_set_state(link, LITE_LINK_UP);
		link->connects++;
		link->ewma_ns = 0;
		link->missed = 0;
		link->beat_answered = link->beat_sent;
		link->heard = jiffies;
	} else if (link->state == LITE_LINK_CONNECTING) {
		lite_link_set_state(link, LITE_LINK_DOWN);
	}
	*doomed = link->doomed;
	spin_unlock_irqrestore(&link->lock, flags);
	return gone ?: err;
}

static int connect_locked(struct lite_link *link)
{
	struct lite_node *node = link->peer->node;
	bool doomed;
	int err;

	reset_locked(link);
	if (lite_link_is_up(link))
		return 0;
	err = lite_link_gone_err(link);
	if (err)
		return err;
	begin_connect(link);
	err = lite_peer_transport(link);
	if (!err)
		err = link->ops->connect(link);
	err = end_connect(link, err, &doomed);
	if (err) {
		reset_locked(link); /* if it was gone before it was up */
		return err;
	}
	wake_up_all(&link->slot_wait);
	lite_queue_flush(link);
	if (doomed) {
		lite_link_break(link, -ECONNRESET);
		reset_locked(link);
		return -EHOSTUNREACH;
	}
	/* set before they look for links to reset: we see it, or they us */
	smp_mb();
	if (READ_ONCE(node->stopping)) {
		lite_link_break(link, -ESHUTDOWN);
		reset_locked(link);
		return -ESHUTDOWN;
	}
	if (READ_ONCE(node->no_rdma) && link->ops == &lite_rdma) {
		lite_link_break(link, -ECONNRESET);
		reset_locked(link);
		return -EHOSTUNREACH;
	}
	return 0;
}

/* in a work: who waits for it may have less time, or be killed */
static void connect_work(struct work_struct *work)
{
	struct lite_link *link =
		container_of(work, struct lite_link, connect_work);
	/* those who reclaim memory may be waiting */
	unsigned int noio = memalloc_noio_save();
	int err;

	mutex_lock(&link->mutex);
	if (READ_ONCE(link->peer->node->stopping))
		err = -ESHUTDOWN;
	else
		err = connect_locked(link);
	link->last_err = err;
	WRITE_ONCE(link->connect_queued, false);
	/* pairs with lite_link_connect() */
	smp_store_release(&link->tries, link->tries + 1);
	link_unlock(link);
	wake_up_all(&link->slot_wait);
	lite_queue_tried(link, err);
	memalloc_noio_restore(noio);
}

/**
 * lite_link_want() - have the link connected, and wait for nothing
 * @link: link
 *
 * Context: any.
 */
void lite_link_want(struct lite_link *link)
{
	if (!xchg(&link->connect_queued, true))
		queue_work(link->peer->node->q->connect, &link->connect_work);
}

static bool has_tried(struct lite_link *link, unsigned int tries)
{
	return lite_link_is_up(link) || lite_link_gone_err(link) ||
	       /* pairs with connect_work() */
	       smp_load_acquire(&link->tries) != tries;
}

/**
 * lite_link_connect() - bring a link up
 * @link: link
 * @deadline: jiffies
 *
 * Those who wait for one connect share its outcome, so that many callers of a
 * peer that is gone do not each wait a time-out in turn. It goes on when they
 * have lost patience.
 *
 * Context: process, may sleep; bounded by @deadline; killable.
 * Return: 0 or a negative errno, see lite_peer_connect().
 */
int lite_link_connect(struct lite_link *link, unsigned long deadline)
{
	/* pairs with connect_work() */
	unsigned int tries = smp_load_acquire(&link->tries);
	unsigned long now = jiffies;
	long left;
	int err;

	if (lite_link_is_up(link))
		return 0;
	if (READ_ONCE(link->peer->node->stopping))
		return -ESHUTDOWN;
	err = lite_link_gone_err(link);
	if (err)
		return err;
	/* after reading @tries: who finds it set is told by the next one */
	lite_link_want(link);
	left = time_before(now, deadline) ? deadline - now : 1;
	left = wait_event_killable_timeout(link->slot_wait,
					   has_tried(link, tries), left);
	if (left < 0)
		return -EINTR;
	if (lite_link_is_up(link))
		return 0;
	err = lite_link_gone_err(link);
	if (err)
		return err;
	return left ? READ_ONCE(link->last_err) : -ETIMEDOUT;
}

/**
 * lite_link_forge() - connect wrongly
 * @link: link; it is reset first
 * @how: what to do wrong
 *
 * Context: process, as lite_link_connect(). Return: what comes of it.
 */
int lite_link_forge(struct lite_link *link, enum lite_forge how)
{
	int err;

	lite_link_reset(link, -ECONNRESET);
	mutex_lock(&link->mutex);
	link->forge = how;
	err = connect_locked(link);
	link->forge = LITE_FORGE_NONE;
	link_unlock(link);
	return err;
}

/**
 * lite_link_init() - a link that is down
 * @link: part of @peer
 * @peer: peer
 * @class: enum lite_class
 *
 * Context: process, may sleep. Return: 0 or -ENOMEM.
 */
int lite_link_init(struct lite_link *link, struct lite_peer *peer, u8 class)
{
	unsigned int i;

	link->peer = peer;
	link->class = class;
	mutex_init(&link->mutex);
	spin_lock_init(&link->lock);
	init_waitqueue_head(&link->slot_wait);
	INIT_DELAYED_WORK(&link->timer, timer_work);
	INIT_WORK(&link->reset_work, reset_work);
	INIT_WORK(&link->connect_work, connect_work);
	lite_queue_init(link);
	bitmap_fill(link->free, LITE_SLOTS);
	for (i = 0; i < LITE_SLOTS; i++)
		link->slot[i].link = link;
	return 0;
}

/**
 * lite_link_exit() - the link goes with its peer
 * @link: link; nobody calls any more
 *
 * Context: process, may sleep.
 */
void lite_link_exit(struct lite_link *link)
{
	unsigned int i;

	lite_queue_exit(link);
	lite_link_gone(link, -ESHUTDOWN);
	cancel_work_sync(&link->connect_work);
	lite_link_reset(link, -ESHUTDOWN);
	cancel_work_sync(&link->reset_work);
	cancel_delayed_work_sync(&link->timer);
	for (i = 0; i < LITE_SLOTS; i++)
		free_page((unsigned long)link->slot[i].buf);
	mutex_destroy(&link->mutex);
}
