// SPDX-License-Identifier: GPL-2.0
/*
 * Suspects: members that gmgr calls dead, while this node has not seen it yet.
 *
 * gmgr judges by heartbeats that it does not hear. Its own network, the one
 * link between it and a member, or a busy server may be the reason, and what
 * follows a death can not be undone: programs are killed, memory is freed. So
 * each member asks the suspect itself, over its own links. As long as that
 * answers, it is UP here, whatever gmgr says. It is dead for this node when it
 * was silent for SUSPECT_MS since gmgr called it dead, or at once when another
 * incarnation answers at its address or stands in gmgr's table.
 *
 * An answer is one to LITE_PING, or to a heartbeat of a link whose slots are
 * all in use, or a request that comes from the suspect.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "member.h"

/*
 * gmgr's dead_ms (3 s), twice that if it suspected itself, and this are less
 * than the 20 s in which the memory of the dead has to be free.
 */
#define SUSPECT_MS 10000
#define ASK_MS 2000
#define ASK_EVERY_MS 500

/**
 * lite_suspect_begin() - does a death that gmgr tells of need to be confirmed?
 * @ms: membership, ms->lock held
 * @entry: what is known of the member, NULL: nothing
 * @new: what gmgr says; if so, it becomes UP and suspected
 *
 * lite_membership.suspect is to be queued when @new is in the table.
 * Context: any.
 */
void lite_suspect_begin(struct lite_membership *ms, struct lite_entry *entry,
			struct lite_member *new)
{
	lockdep_assert_held(&ms->lock);
	if (new->state != GMGR_MEMBER_DEAD ||
	    new->incarnation == ms->node->incarnation)
		return;
	/*
	 * A member that is new to us may have had memory here, and have been
	 * called dead between two looks at the table; but not before our first.
	 */
	if (!entry && !ms->listed)
		return;
	if (entry && (entry->m.incarnation != new->incarnation ||
		      entry->m.state != GMGR_MEMBER_UP))
		return;
	new->state = GMGR_MEMBER_UP;
	new->suspected = true;
}

static unsigned int suspects_count(struct lite_membership *ms)
{
	struct lite_entry *entry;
	unsigned long id;
	unsigned int nr = 0;

	lockdep_assert_held(&ms->lock);
	xa_for_each(&ms->table, id, entry)
		nr += entry->m.suspected;
	return nr;
}

/* Those that are suspected now. The array is for kfree(). */
static int suspects_find(struct lite_membership *ms, struct lite_member **out)
{
	struct lite_entry *entry;
	unsigned int nr, max;
	struct lite_member *m;
	unsigned long id;

	*out = NULL;
	spin_lock_irq(&ms->lock);
	max = suspects_count(ms);
	spin_unlock_irq(&ms->lock);
	if (!max)
		return 0;
	m = kcalloc(max, sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	nr = 0;
	spin_lock_irq(&ms->lock);
	xa_for_each(&ms->table, id, entry)
		if (entry->m.suspected && nr < max)
			m[nr++] = entry->m;
	spin_unlock_irq(&ms->lock);
	*out = m;
	return nr;
}

static void ask_init(struct lite_call *call)
{
	*call = (struct lite_call){
		.op = LITE_PING,
		.class = LITE_CLASS_CONTROL,
		.timeout_ms = ASK_MS,
	};
}

/* Was anything heard of this life since @since? */
static bool is_heard(struct lite_peer *peer, unsigned long since)
{
	return lite_peer_heard(peer, since) ||
	       lite_conn_heard(peer->node, peer->incarnation, since);
}

/* see include/lego/lite.h. All at once: each that is silent costs a time-out. */
int lite_members_ask(struct lite_node *node, const struct lite_member *m,
		     int *answer, unsigned int nr)
{
	unsigned long since = jiffies;
	struct lite_peer **peer;
	struct lite_call *call;
	unsigned int i, n = 0;
	int err = -ENOMEM;

	peer = kcalloc(nr, sizeof(*peer), GFP_KERNEL);
	call = kcalloc(nr, sizeof(*call), GFP_KERNEL);
	if (!peer || !call)
		goto out_free;
	for (; n < nr; n++) {
		peer[n] = lite_peer_get(node, m[n].addr, m[n].incarnation);
		err = PTR_ERR_OR_ZERO(peer[n]);
		if (err)
			goto out_put;
		ask_init(&call[n]);
	}
	lite_call_many(peer, call, nr);
	for (i = 0; i < nr; i++) {
		answer[i] = call[i].status;
		if (answer[i] != -ESTALE && is_heard(peer[i], since))
			answer[i] = 0;
	}
out_put:
	for (i = 0; i < n; i++)
		lite_peer_put(peer[i]);
out_free:
	kfree(call);
	kfree(peer);
	return err;
}
EXPORT_SYMBOL_NS_GPL(lite_members_ask, LITE_RPC);

/* Take down what it answered. Return: true: it is dead, @m is what it was. */
static bool suspect_judge(struct lite_membership *ms, struct lite_member *m,
			  int answer)
{
	struct lite_entry *entry;
	bool dead = false, say = false;

	lockdep_assert_held(&ms->news_mutex);
	spin_lock_irq(&ms->lock);
	entry = xa_load(&ms->table, m->id);
	if (!entry || !entry->m.suspected ||
	    entry->m.incarnation != m->incarnation)
		goto out_unlock; /* there is other news of it */
	if (!answer) {
		say = !entry->told;
		entry->told = true;
		entry->silent = jiffies | 1;
	}
	dead = answer == -ESTALE ||
	       time_after(jiffies,
			  entry->silent + msecs_to_jiffies(SUSPECT_MS));
	if (dead) {
		*m = entry->m;
		entry->m.state = GMGR_MEMBER_DEAD;
		entry->m.suspected = false;
	}
out_unlock:
	spin_unlock_irq(&ms->lock);
	if (say)
		pr_info("%s: gmgr calls %s dead, but it answers: going on with it\n",
			ms->node->name, m->name);
	return dead;
}

static void suspect_bury(struct lite_membership *ms,
			 const struct lite_member *m)
{
	struct lite_member now = *m;

	now.state = GMGR_MEMBER_DEAD;
	now.suspected = false;
	pr_info("%s: %s is dead: gmgr says so, and it does not answer\n",
		ms->node->name, m->name);
	lite_member_changed(ms, m, &now);
}

/**
 * lite_suspect_work() - ask those that gmgr calls dead, and bury the dead
 * @work: lite_membership.suspect; runs again while there is anybody to ask
 */
void lite_suspect_work(struct work_struct *work)
{
	struct lite_membership *ms = container_of(to_delayed_work(work),
						  struct lite_membership,
						  suspect);
	struct lite_member *m;
	int i, nr, *answer;

	nr = suspects_find(ms, &m);
	if (!nr)
		return;
	answer = nr > 0 ? kcalloc(nr, sizeof(*answer), GFP_KERNEL) : NULL;
	if (answer && !lite_members_ask(ms->node, m, answer, nr)) {
		mutex_lock(&ms->news_mutex);
		for (i = 0; i < nr && READ_ONCE(ms->gmgr); i++)
			if (suspect_judge(ms, &m[i], answer[i]))
				suspect_bury(ms, &m[i]);
		mutex_unlock(&ms->news_mutex);
	}
	kfree(answer);
	kfree(m);
	queue_delayed_work(ms->news_wq, &ms->suspect,
			   msecs_to_jiffies(ASK_EVERY_MS));
}
