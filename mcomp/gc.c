// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces whose pComponent is no more: dead, left, or come again with another
 * incarnation, which knows nothing of them.
 */
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

static void gc_run(struct mcomp *m, bool all)
{
	unsigned long index = 0;
	struct mcomp_space *s;
	unsigned int nr = 0;

	while ((s = gc_next(m, &index))) {
		if (all || mcomp_pcomp_gone(m, s->pcomp_id, s->incarnation)) {
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
}

/**
 * mcomp_gc_work() - end the spaces of pComponents that ended
 * @work: mcomp.gc_work
 */
void mcomp_gc_work(struct work_struct *work)
{
	gc_run(container_of(work, struct mcomp, gc_work), false);
}

/**
 * mcomp_gc_all() - end all spaces
 * @m: memory component that takes no new ones
 *
 * Context: process, may sleep.
 */
void mcomp_gc_all(struct mcomp *m)
{
	cancel_work_sync(&m->gc_work);
	gc_run(m, true);
}
