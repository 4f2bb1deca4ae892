// SPDX-License-Identifier: GPL-2.0
/*
 * Again: a component that can not be reached now may be reached soon: its
 * network is down, it restarts, keys are being changed. Who needs it waits, for
 * no longer than PCOMP_AGAIN_SECONDS, or till it is declared dead.
 */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include "pcomp.h"

#define AGAIN_MS 50

/**
 * pcomp_verdict() - what the error of a call to an mComponent means
 * @err: of lite_call() or of a completion, not 0
 *
 * The one place where an errno becomes a decision.
 * Context: any. Return: the verdict.
 */
enum pcomp_verdict pcomp_verdict(int err)
{
	if (lite_no_answer(err))
		return PCOMP_AWAY;
	switch (err) {
	case -EIO: /* its own connection or device failed it meanwhile */
	case -EINTR: /* who asked was killed before there was an answer */
		return PCOMP_AWAY;
	case -EAGAIN: /* all slots are in use */
	case -EBUSY:
	case -ENOMEM: /* of a kernel, this one's or the peer's */
		return PCOMP_BUSY;
	case -ENOSPC:
		return PCOMP_FULL;
	case -ESTALE:
		return PCOMP_GONE;
	case -EHWPOISON:
		return PCOMP_LOST;
	}
	return PCOMP_BAD;
}

/**
 * pcomp_transient() - may the same call succeed later?
 * @err: its error
 *
 * Context: any. Return: true if so.
 */
bool pcomp_transient(int err)
{
	enum pcomp_verdict v = pcomp_verdict(err);

	return v == PCOMP_AWAY || v == PCOMP_BUSY;
}

/**
 * pcomp_again() - wait a little if a call should be repeated
 * @s: whose
 * @err: its error
 * @deadline: jiffies, see pcomp_again_deadline()
 * @killable: whether a fatal signal ends the wait
 *
 * Context: process, may sleep for AGAIN_MS. Return: true: repeat it.
 */
bool pcomp_again(struct pcomp_space *s, int err, unsigned long deadline,
		 bool killable)
{
	if (!pcomp_transient(err) || READ_ONCE(s->broken) ||
	    time_after(jiffies, deadline))
		return false;
	if (!killable) {
		msleep(AGAIN_MS);
		return true;
	}
	return !fatal_signal_pending(current) &&
	       !schedule_timeout_killable(msecs_to_jiffies(AGAIN_MS));
}
