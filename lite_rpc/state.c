// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a link; after rtrs-clt.c's.
 *
 *	DOWN --> CONNECTING --ok--> UP <--> STALLED
 *	 ^ ^-----fails--'           | ^      |
 *	 |                          v '-ok-. v
 *	 |                        RECONNECTING
 *	 '----back---- GONE <---- from any of them
 *
 * DOWN has never been up. CONNECTING makes the first connection. UP sends.
 * STALLED does, too: calls are under way, and the peer does not even answer
 * heartbeats (beat.c). RECONNECTING was up and is not: what was sent is over
 * (-ECONNRESET), what waits in the queue goes on waiting, and whoever wants to
 * send connects anew. GONE connects no more: gmgr says that this life of the
 * peer is over, or another one is at its address, or our own node ends; all
 * calls end at once. gmgr can be wrong about a peer that it did not hear, and
 * say so: then it is as if it had never been up.
 */
#include "lite_rpc.h"
#include "trace.h"

static const char *const state_names[] = {
	[LITE_LINK_DOWN] = "down",
	[LITE_LINK_CONNECTING] = "connecting",
	[LITE_LINK_UP] = "up",
	[LITE_LINK_STALLED] = "stalled",
	[LITE_LINK_RECONNECTING] = "reconnecting",
	[LITE_LINK_GONE] = "gone",
};

/**
 * lite_link_state_name() - a state for people
 * @state: state
 *
 * Context: any. Return: its name.
 */
const char *lite_link_state_name(enum lite_link_state state)
{
	return state_names[state];
}

/**
 * lite_link_set_state() - the only way to another state
 * @link: link
 * @new: one that can follow
 *
 * Context: link->lock held.
 */
void lite_link_set_state(struct lite_link *link, enum lite_link_state new)
{
	static const u8 from[] = {
		[LITE_LINK_DOWN] = BIT(LITE_LINK_CONNECTING) |
				   BIT(LITE_LINK_GONE),
		[LITE_LINK_CONNECTING] = BIT(LITE_LINK_DOWN),
		[LITE_LINK_UP] = BIT(LITE_LINK_CONNECTING) |
				 BIT(LITE_LINK_RECONNECTING) |
				 BIT(LITE_LINK_STALLED),
		[LITE_LINK_STALLED] = BIT(LITE_LINK_UP),
		[LITE_LINK_RECONNECTING] = BIT(LITE_LINK_UP) |
					   BIT(LITE_LINK_STALLED),
		[LITE_LINK_GONE] = BIT(LITE_LINK_DOWN) |
				   BIT(LITE_LINK_CONNECTING) |
				   BIT(LITE_LINK_UP) |
				   BIT(LITE_LINK_STALLED) |
				   BIT(LITE_LINK_RECONNECTING),
	};

	lockdep_assert_held(&link->lock);
	if (WARN_ON_ONCE(!(from[new] & BIT(link->state))))
		return;
	trace_lite_link_state(link, link->state, new);
	/* the connection is there before: pairs with lite_link_is_up() */
	smp_store_release(&link->state, new);
}

/**
 * lite_link_gone() - this life of the peer is over, or of our node
 * @link: link
 * @err: what calls that were not sent end with: -EHOSTUNREACH (gmgr says that
 *	it is dead), -ESTALE (another one is at its address), -ESHUTDOWN (ours)
 *
 * What was sent is ended by reset_work; lite_link_reset() waits for that.
 * Context: any but hard interrupt.
 */
void lite_link_gone(struct lite_link *link, int err)
{
	unsigned long flags;
	bool up;

	spin_lock_irqsave(&link->lock, flags);
	up = lite_link_is_up(link);
	if (up)
		link->broken_err = err == -ESHUTDOWN ? err : -ECONNRESET;
	/* a peer that is dead may be back, the others can not */
	if (link->state != LITE_LINK_GONE || err != -EHOSTUNREACH)
		WRITE_ONCE(link->gone_err, err);
	if (link->state != LITE_LINK_GONE)
		lite_link_set_state(link, LITE_LINK_GONE);
	spin_unlock_irqrestore(&link->lock, flags);
	lite_queue_end(link, err);
	if (up)
		lite_link_queue_reset(link);
	wake_up_all(&link->slot_wait);
}

/**
 * lite_link_gone_err() - can it be connected ever again
 * @link: link
 *
 * Context: any. Return: 0, or why not; see lite_link_gone().
 */
int lite_link_gone_err(const struct lite_link *link)
{
	/* pairs with lite_link_set_state() */
	if (smp_load_acquire(&link->state) != LITE_LINK_GONE)
		return 0;
	return READ_ONCE(link->gone_err);
}

/**
 * lite_link_back() - gmgr was wrong: this life of the peer is not over
 * @link: link
 *
 * Context: any but hard interrupt.
 */
void lite_link_back(struct lite_link *link)
{
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	if (lite_link_gone_err(link) == -EHOSTUNREACH)
		lite_link_set_state(link, LITE_LINK_DOWN);
	spin_unlock_irqrestore(&link->lock, flags);
}
