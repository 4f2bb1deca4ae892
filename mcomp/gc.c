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

/* Has the time come for @c? If there is only doubt, *@again is set. */
static bool gc_wants(struct mcomp_client *c, bool *again)
{
	unsigned long grace = msecs_to_jiffies(MCOMP_GRACE_MS);

	lockdep_assert_held(&c->m->lock);
	switch (mcomp_client_fate(c)) {
	case MCOMP_FATE_LEFT:
		return true;
	case MCOMP_FATE_DOUBT:
		if (!c->doubt)
			c->doubt = jiffies | 1;
		if (time_after(jiffies, c->doubt + grace))
			return true;
		*again = true;
		return false;
	default:
		c->doubt = 0;
		return false;
	}
}

/* Take a client whose time has come off the list; its reference is ours. */
static struct mcomp_client *gc_take(struct mcomp *m, bool all, bool *again)
{
	struct mcomp_client *c;

	mutex_lock(&m->lock);
	list_for_each_entry(c, &m->clients, list) {
		if (!all && !gc_wants(c, again))
			continue;
		/* From here on it gets no space: mcomp_space_insert(). */
		c->gone = true;
		list_del(&c->list);
		mutex_unlock(&m->lock);
		return c;
	}
	mutex_unlock(&m->lock);
	return NULL;
}

static unsigned int gc_client(struct mcomp *m, struct mcomp_client *c)
{
	unsigned long index = 0;
	struct mcomp_space *s;
	unsigned int nr = 0;

	mcomp_client_revoke(c);
	while ((s = gc_next(m, &index))) {
		if (s->client == c) {
			mcomp_space_kill(s, false);
			nr++;
		}
		mcomp_space_put(s);
		if (index++ == ULONG_MAX)
			break;
		cond_resched();
	}
	return nr;
}

static bool gc_run(struct mcomp *m, bool all)
{
	struct mcomp_client *c;
	unsigned int nr = 0;
	bool again = false;

	while ((c = gc_take(m, all, &again))) {
		nr += gc_client(m, c);
		mcomp_client_put(c);
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
