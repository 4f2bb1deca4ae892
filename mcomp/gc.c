// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces whose pComponent is no more: dead, left, or come again with another
 * incarnation, which knows nothing of them.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "mcomp.h"

/* The next space from @index on, with a reference. */
static struct mcomp_space *gc_next(struct mcomp *m, unsigned long *index)
{
	struct mcomp_space *s;

	rcu_read_lock();
	do {
		s = xa_find(&m->spaces, index, ULONG_MAX, XA_PRESENT);
		if (!s || refcount_inc_not_zero(&s->ref))
			break;
	} while ((*index)++ < ULONG_MAX);
	rcu_read_unlock();
	return s;
}

/**
 * mcomp_space_fate() - does the pComponent of a space live?
 * @s: space
 *
 * One that is in no table does: gmgr may just have been restarted.
 * Context: any.
 * Return: its fate.
 */
enum mcomp_fate mcomp_space_fate(const struct mcomp_space *s)
{
	struct lite_member member;

	if (lite_member_by_id(s->m->node, s->pcomp_id, &member) ||
	    member.role != LITE_ROLE_PCOMP)
		return MCOMP_FATE_LIVES;
	/* The one before, or the one after that we have not heard of yet. */
	if (member.incarnation != s->incarnation)
		return MCOMP_FATE_DOUBT;
	if (member.state == GMGR_MEMBER_UP)
		return MCOMP_FATE_LIVES;
	return member.state == GMGR_MEMBER_LEFT ? MCOMP_FATE_LEFT :
						  MCOMP_FATE_DOUBT;
}

/* Has the time come for @s? If there is only doubt, *@again is set. */
static bool gc_wants(struct mcomp_space *s, bool *again)
{
	unsigned long grace = msecs_to_jiffies(MCOMP_GRACE_MS);

	switch (mcomp_space_fate(s)) {
	case MCOMP_FATE_LEFT:
		return true;
	case MCOMP_FATE_DOUBT:
		if (!s->doubt)
			s->doubt = jiffies | 1;
		if (time_after(jiffies, s->doubt + grace))
			return true;
		*again = true;
		return false;
	default:
		s->doubt = 0;
		return false;
	}
}

static bool gc_run(struct mcomp *m, bool all)
{
	unsigned long index = 0;
	struct mcomp_space *s;
	unsigned int nr = 0;
	bool again = false;

	while ((s = gc_next(m, &index))) {
		if (all || gc_wants(s, &again)) {
			mcomp_space_kill(s);
			nr++;
		}
		mcomp_space_put(s);
		if (index++ == ULONG_MAX)
			break;
		cond_resched();
	}
	if (nr)
		pr_info("%s: freed %u spaces of pComponents that ended\n",
			m->name, nr);
	return again;
}

/**
 * mcomp_gc_work() - end the spaces of pComponents that ended
 * @work: mcomp.gc_work
 */
void mcomp_gc_work(struct work_struct *work)
{
	struct mcomp *m = container_of(work, struct mcomp, gc_work.work);

	if (gc_run(m, false))
		queue_delayed_work(m->wq, &m->gc_work,
				   msecs_to_jiffies(MCOMP_GRACE_MS / 4));
}

/**
 * mcomp_gc_all() - end all spaces
 * @m: memory component that takes no new ones
 *
 * Context: process, may sleep.
 */
void mcomp_gc_all(struct mcomp *m)
{
	cancel_delayed_work_sync(&m->gc_work);
	gc_run(m, true);
}
