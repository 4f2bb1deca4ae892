// SPDX-License-Identifier: GPL-2.0
/*
 * When is a silent member dead? When its lease, dead_ms, is over; but where most
 * members fall silent together it is far likelier that gmgr's own network or
 * server is at fault than that all of them died at once. SWIM's Lifeguard
 * (2017) calls that local health.
 *
 * Those are excused: they get a new lease of twice dead_ms, which begins to run
 * when any member on the network is heard. Before that nobody could hear of a
 * death, either. If they stay silent while another is heard, they are dead:
 * a majority that lost its power is found, only later.
 *
 * Members in gmgr's own kernel say nothing of the network, so they are reckoned by
 * themselves: where most of them fall silent together, that kernel did not get
 * to what they say.
 *
 * Where all of them did die, as a whole rack that lost its power, none would be
 * heard again: who comes again may not join while its former life is not dead. So
 * one whose next life knocks at gmgr's door is not excused.
 *
 * A gmgr that was restarted has heard none of the members that others tell of.
 * They are excused from the start; not for ever those of its own kernel, which may
 * have been started again, too, without them.
 */
#include "lease.h"

/* A member is about to fall silent. Heartbeats come much more often. */
static bool lease_is_silent(const struct gmgr_lease *l, unsigned int dead_ms,
			    unsigned long long now)
{
	return l->told || now - l->heard > dead_ms / 2;
}

static bool lease_is_over(const struct gmgr_lease *l, unsigned int dead_ms,
			  unsigned long long now)
{
	return now - l->heard > dead_ms && now >= l->until;
}

/**
 * gmgr_lease_heard() - a member was heard
 * @l: its lease
 * @now: ms
 */
void gmgr_lease_heard(struct gmgr_lease *l, unsigned long long now)
{
	l->heard = now;
	l->excused = false;
	l->told = false;
	l->replaced = false;
	l->expired = false;
}

/**
 * gmgr_lease_told() - another member tells of one that was not heard yet
 * @l: its lease, of which gmgr_lease.remote is set
 * @dead_ms: how long one may be silent
 * @now: ms
 */
void gmgr_lease_told(struct gmgr_lease *l, unsigned int dead_ms,
		     unsigned long long now)
{
	l->heard = now;
	l->until = now + 2 * dead_ms;
	l->excused = l->remote;
	l->told = true;
	l->replaced = false;
	l->expired = false;
}

/**
 * gmgr_lease_replaced() - another life of a member is where that one was
 * @l: the lease; if that one is heard all the same, this is forgotten
 */
void gmgr_lease_replaced(struct gmgr_lease *l)
{
	l->until = 0;
	l->excused = false;
	l->replaced = true;
}

/* Those that are heard in one way. */
static bool leases_check(struct gmgr_lease *const *lease, unsigned int nr,
			 unsigned int dead_ms, unsigned long long now,
			 bool remote)
{
	unsigned int i, votes = 0, silent = 0;
	bool heard = false, over = false, excused = false;
	struct gmgr_lease *l;

	for (i = 0; i < nr; i++) {
		l = lease[i];
		if (l->remote != remote)
			continue;
		if (!lease_is_silent(l, dead_ms, now))
			heard = true;
		if (l->excused || l->replaced)
			continue;
		votes++;
		silent += lease_is_silent(l, dead_ms, now);
		over |= lease_is_over(l, dead_ms, now);
	}
	/* A single one's silence says nothing about gmgr. */
	if (over && silent > 1 && 2 * silent > votes)
		for (i = 0; i < nr; i++)
			if (lease[i]->remote == remote &&
			    lease_is_silent(lease[i], dead_ms, now) &&
			    !lease[i]->excused && !lease[i]->replaced) {
				lease[i]->excused = true;
				lease[i]->until = now + 2 * dead_ms;
			}
	for (i = 0; i < nr; i++) {
		l = lease[i];
		if (l->remote != remote)
			continue;
		if (l->excused && !heard && (remote || !l->told))
			l->until = now + 2 * dead_ms;
		l->expired = lease_is_over(l, dead_ms, now);
		/* Those that are told of are to be expected, if any is heard. */
		excused |= l->excused && !l->expired && !(l->told && heard);
	}
	return excused;
}

/**
 * gmgr_leases_check() - find those that are dead
 * @lease: of all members that are up
 * @nr: how many
 * @dead_ms: how long one may be silent
 * @now: ms, not less than any gmgr_lease.heard
 *
 * Return: whether gmgr suspects itself: there are members whose silence it
 *	takes for its own fault. gmgr_lease.expired of each is set.
 */
bool gmgr_leases_check(struct gmgr_lease *const *lease, unsigned int nr,
		       unsigned int dead_ms, unsigned long long now)
{
	bool network = leases_check(lease, nr, dead_ms, now, true);

	return leases_check(lease, nr, dead_ms, now, false) || network;
}
