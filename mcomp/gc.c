// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces whose pComponent is no more: dead, left, or come again with another
 * incarnation, which knows nothing of them. And clients without a space that
 * nobody knows: they may never have been.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mcomp.h"

#define GC_TOGETHER 32 /* who are silent cost one time-out together */

/* The next client whose end is not certain, with a reference. */
static struct mcomp_client *gc_next_doubtful(struct mcomp *m)
{
	struct mcomp_client *c;
	enum mcomp_fate fate;

	mutex_lock(&m->lock);
	list_for_each_entry(c, &m->clients, list) {
		fate = mcomp_client_fate(c);
		if (c->gc_round == m->gc_round ||
		    (fate != MCOMP_FATE_DOUBT && fate != MCOMP_FATE_DEAD))
			continue;
		c->gc_round = m->gc_round;
		refcount_inc(&c->ref);
		mutex_unlock(&m->lock);
		return c;
	}
	mutex_unlock(&m->lock);
	return NULL;
}

/* Draw a conclusion from what a client answered: lite_members_ask()'s @err. */
static void gc_judge(struct mcomp_client *c, int err)
{
	unsigned long grace = msecs_to_jiffies(MCOMP_GRACE_MS);

	lockdep_assert_held(&c->m->lock);
	if (!err) {
		c->doubt = 0;
		c->over = false;
		return;
	}
	if (!c->doubt)
		c->doubt = jiffies | 1;
	/* One that the table calls dead, lite_rpc has asked for long enough. */
	c->over = err == -ESTALE ||
		  mcomp_client_fate(c) == MCOMP_FATE_DEAD ||
		  time_after(jiffies, c->doubt + grace);
}

/**
 * struct gc_ask - clients that are asked at once
 * @client: clients
 * @m: where they are, and which life is asked for
 * @answer: what came of it
 * @nr: how many
 */
struct gc_ask {
	struct mcomp_client *client[GC_TOGETHER];
	struct lite_member m[GC_TOGETHER];
	int answer[GC_TOGETHER];
	unsigned int nr;
};

/* Whoever the table does not have any more is not asked. */
static void gc_collect(struct mcomp *m, struct gc_ask *a)
{
	struct mcomp_client *c;

	a->nr = 0;
	while (a->nr < GC_TOGETHER && (c = gc_next_doubtful(m))) {
		if (lite_member_by_id(m->node, c->pcomp_id, &a->m[a->nr])) {
			mcomp_client_put(c);
			continue;
		}
		a->m[a->nr].incarnation = c->incarnation;
		a->client[a->nr++] = c;
	}
}

static void gc_ask_some(struct mcomp *m, struct gc_ask *a)
{
	bool asked = !lite_members_ask(m->node, a->m, a->answer, a->nr);
	unsigned int i;

	for (i = 0; i < a->nr; i++) {
		mutex_lock(&m->lock);
		if (asked)
			gc_judge(a->client[i], a->answer[i]);
		mutex_unlock(&m->lock);
		mcomp_client_put(a->client[i]);
	}
}

/*
 * Ask those of whom it is not certain whether they have ended: it is not known
 * of which incarnation the table's news is, or gmgr may be wrong.
 */
static void gc_ask(struct mcomp *m)
{
	struct gc_ask *a = kvmalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return; /* it comes again as long as there is doubt */
	m->gc_round++;
	do {
		gc_collect(m, a);
		if (a->nr)
			gc_ask_some(m, a);
	} while (a->nr == GC_TOGETHER && !READ_ONCE(m->stopping));
	kvfree(a);
}

/* Has nobody known @c for a while, and has it no space either? */
static bool gc_is_stranger(struct mcomp_client *c)
{
	unsigned long grace = msecs_to_jiffies(MCOMP_STRANGER_MS);

	lockdep_assert_held(&c->m->lock);
	/* It has a space, or somebody is just making one for it. */
	if (refcount_read(&c->ref) > 1) {
		c->stranger = 0;
		return false;
	}
	if (!c->stranger)
		c->stranger = jiffies | 1;
	return time_after(jiffies, c->stranger + grace);
}

/* Has the time come for @c? If there is only doubt, *@again is set. */
static bool gc_wants(struct mcomp_client *c, bool *again)
{
	lockdep_assert_held(&c->m->lock);
	switch (mcomp_client_fate(c)) {
	case MCOMP_FATE_LEFT:
		return true;
	case MCOMP_FATE_DOUBT:
	case MCOMP_FATE_DEAD:
		*again |= !c->over;
		return c->over;
	case MCOMP_FATE_UNKNOWN:
		c->doubt = 0;
		c->over = false;
		*again = true;
		return gc_is_stranger(c);
	default:
		c->doubt = 0;
		c->over = false;
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
		m->nr_clients--;
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
	while ((s = mcomp_space_next(m, &index))) {
		if (s->client == c) {
			mcomp_space_kill(s, false);
			nr++;
		}
		mcomp_space_put(s);
		index++;
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

	gc_ask(m);
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
