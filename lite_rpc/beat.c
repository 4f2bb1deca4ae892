// SPDX-License-Identifier: GPL-2.0
/*
 * Heartbeats: does the peer of a link still live?
 *
 * Only while somebody waits for it: a link whose calls are all over costs
 * nothing, and neither does one whose replies come. When the peer was silent
 * for heartbeat_ms it is asked (LITE_IMM_BEAT) and answers from where it takes
 * messages, in softirq: so an answer says that its kernel runs, which a device
 * that acknowledges packets does not, and one whose handlers take their time
 * answers at once. It needs no slot, there may be none. After half a
 * heartbeat_ms without the answer the link is STALLED, and it is lost, as one
 * whose device does not answer, with heartbeat_misses of them.
 */
#include <linux/jiffies.h>
#include <linux/module.h>

#include "lite_rpc.h"

static unsigned int heartbeat_ms = 1000;
module_param(heartbeat_ms, uint, 0644);
MODULE_PARM_DESC(heartbeat_ms,
		 "ask a peer that calls wait for whether it lives when it was silent so long, milliseconds (default 1000; 0: never)");

static unsigned int heartbeat_misses = 5;
module_param(heartbeat_misses, uint, 0644);
MODULE_PARM_DESC(heartbeat_misses,
		 "connect anew after so many without an answer (default 5)");

/**
 * lite_link_moved() - the peer's device has done all that it was asked for
 * @link: link
 *
 * Its next silence begins now; but whether its kernel runs is not known.
 * Context: link->lock held.
 */
void lite_link_moved(struct lite_link *link)
{
	lockdep_assert_held(&link->lock);
	link->heard = jiffies;
	link->missed = 0;
	if (link->state == LITE_LINK_STALLED)
		lite_link_set_state(link, LITE_LINK_UP);
}

/**
 * lite_link_heard() - something has come from the peer
 * @link: link
 *
 * Context: link->lock held.
 */
void lite_link_heard(struct lite_link *link)
{
	lockdep_assert_held(&link->lock);
	link->answered = jiffies;
	lite_link_moved(link);
}

/**
 * lite_link_waits() - does anything wait for the peer
 * @link: link
 *
 * A slot that is lost does not: the peer has forgotten to give it back.
 * Context: link->lock held. Return: true if so.
 */
bool lite_link_waits(const struct lite_link *link)
{
	const struct lite_slot *s;
	unsigned int i;

	lockdep_assert_held(&link->lock);
	if (link->state == LITE_LINK_STALLED)
		return true; /* till it is known what becomes of it */
	for (i = 0; i < LITE_SLOTS; i++) {
		s = &link->slot[i];
		if (s->state == LITE_SLOT_BUSY ||
		    (s->state == LITE_SLOT_ORPHAN &&
		     time_before(jiffies, s->deadline)))
			return true;
	}
	return false;
}

/**
 * enum beat - what is to be done now
 * @BEAT_NONE: nothing
 * @BEAT_ASK: ask
 * @BEAT_LOST: it was asked often enough
 */
enum beat {
	BEAT_NONE,
	BEAT_ASK,
	BEAT_LOST,
};

static enum beat next_beat(struct lite_link *link, unsigned long every)
{
	lockdep_assert_held(&link->lock);
	if (!every || !lite_link_waits(link)) {
		lite_link_moved(link); /* it owes us nothing */
		return BEAT_NONE;
	}
	if (link->missed && link->state == LITE_LINK_UP &&
	    time_after_eq(jiffies, link->asked + every / 2)) {
		link->stalls++;
		lite_link_set_state(link, LITE_LINK_STALLED);
	}
	if (time_before(jiffies,
			(link->missed ? link->asked : link->heard) + every))
		return BEAT_NONE;
	if (link->missed >= max(READ_ONCE(heartbeat_misses), 1U))
		return BEAT_LOST;
	link->missed++;
	link->asked = jiffies;
	link->beat_sent++;
	link->beats++;
	return BEAT_ASK;
}

/**
 * lite_link_beat() - ask the peer whether it lives, if it is time to
 * @link: link; at each tick of its timer
 *
 * Context: process.
 */
void lite_link_beat(struct lite_link *link)
{
	unsigned long every = msecs_to_jiffies(READ_ONCE(heartbeat_ms));
	enum beat what = BEAT_NONE;
	unsigned long flags;
	u16 nr;

	rcu_read_lock(); /* the connection stays: see link.c */
	spin_lock_irqsave(&link->lock, flags);
	if (lite_link_is_up(link))
		what = next_beat(link, every);
	nr = link->beat_sent;
	spin_unlock_irqrestore(&link->lock, flags);
	if (what == BEAT_ASK && !lite_fault(link->peer->node, LITE_FAULT_DROP))
		link->ops->beat(link, nr);
	rcu_read_unlock();
	if (what != BEAT_LOST)
		return;
	pr_warn_ratelimited("%s: %s does not answer heartbeats, link reset\n",
			    link->peer->node->name, link->peer->addr.text);
	lite_link_break(link, -ECONNRESET);
}

/**
 * lite_link_beat_rx() - the peer lives
 * @link: link, connected
 * @nr: which heartbeat it answers
 *
 * Context: any but hard interrupt.
 */
void lite_link_beat_rx(struct lite_link *link, u16 nr)
{
	unsigned long flags;
	bool good;

	spin_lock_irqsave(&link->lock, flags);
	/* one that was sent and not answered; those before are lost */
	good = (u16)(nr - link->beat_answered - 1) <
	       (u16)(link->beat_sent - link->beat_answered);
	if (good) {
		link->beat_answered = nr;
		lite_link_heard(link);
	}
	spin_unlock_irqrestore(&link->lock, flags);
	if (good)
		return;
	pr_warn_ratelimited("%s: bad heartbeat from %s, link reset\n",
			    link->peer->node->name, link->peer->addr.text);
	atomic64_inc(&link->peer->node->violations);
	lite_link_break(link, -ECONNRESET);
}

/**
 * lite_peer_heard() - has a peer answered anything lately
 * @peer: peer
 * @since: jiffies
 *
 * Calls that wait for its handlers, and take all slots, do not make it silent:
 * it answers heartbeats.
 * Context: any. Return: true if so, over any link.
 */
bool lite_peer_heard(struct lite_peer *peer, unsigned long since)
{
	unsigned long answered;
	unsigned int i;

	for (i = 0; i < LITE_CLASS_NR; i++) {
		answered = READ_ONCE(peer->link[i].answered);
		if (answered && time_after_eq(answered, since))
			return true;
	}
	return false;
}

/**
 * lite_conn_beat() - the caller asks whether we live
 * @conn: conn
 *
 * Context: any but hard interrupt. Return: true: answer it.
 */
bool lite_conn_beat(struct lite_conn *conn)
{
	WRITE_ONCE(conn->heard, jiffies);
	return !READ_ONCE(conn->dead) &&
	       !lite_fault(conn->node, LITE_FAULT_DROP);
}
