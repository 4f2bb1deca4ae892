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
 * pcomp_away() - is an error one of a component that was not reached
 * @err: of a call; what it asked for may have been done
 *
 * Context: any. Return: true if so.
 */
bool pcomp_away(int err)
{
	switch (err) {
	case -ETIMEDOUT:
	case -ECONNRESET:
	case -ENOTCONN:
	case -EAGAIN:
	case -ECONNREFUSED:
	case -EHOSTUNREACH:
	case -ENOKEY: /* keys are being changed */
	case -EKEYREJECTED:
		return true;
	}
	return false;
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
	if (!pcomp_away(err) || READ_ONCE(s->broken) ||
	    time_after(jiffies, deadline))
		return false;
	if (!killable) {
		msleep(AGAIN_MS);
		return true;
	}
	return !fatal_signal_pending(current) &&
	       !schedule_timeout_killable(msecs_to_jiffies(AGAIN_MS));
}
