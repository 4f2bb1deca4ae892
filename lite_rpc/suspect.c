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

/**
 * struct suspect - a member that is being asked
 * @m: it
 * @peer: over this
 * @end: certain: another incarnation has its address
 * @heard: it answered
 */
struct suspect {
	struct lite_member m;
	struct lite_peer *peer;
	bool end;
	bool heard;
};

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

/* Those that are suspected now. The array is for suspects_free(). */
static int suspects_find(struct lite_membership *ms, struct suspect **out)
{
	struct lite_entry *entry;
	unsigned int nr, max;
	struct suspect *s;
	unsigned long id;

	*out = NULL;
	spin_lock_irq(&ms->lock);
	max = suspects_count(ms);
	spin_unlock_irq(&ms->lock);
	if (!max)
		return 0;
	s = kcalloc(max, sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	nr = 0;
	spin_lock_irq(&ms->lock);
	xa_for_each(&ms->table, id, entry)
		if (entry->m.suspected && nr < max)
			s[nr++].m = entry->m;
	spin_unlock_irq(&ms->lock);
	*out = s;
	return nr;
}

static void suspects_free(struct suspect *s, int nr)
{
	while (nr--)
		lite_peer_put(s[nr].peer);
	kfree(s);
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

/* see include/lego/lite.h */
int lite_member_ask(struct lite_node *node, const char *addr, u64 incarnation)
{
	unsigned long since = jiffies;
	struct lite_peer *peer;
	struct lite_call call;
	int err;

	peer = lite_peer_get(node, addr, incarnation);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	ask_init(&call);
	err = lite_call(peer, &call);
	if (err && err != -ESTALE && is_heard(peer, since))
		err = 0;
	lite_peer_put(peer);
	return err;
}
EXPORT_SYMBOL_NS_GPL(lite_member_ask, LITE_RPC);

/* Ask all at once: each that is silent costs its time-out. */
static int suspects_ask(struct lite_membership *ms, struct suspect *s, int nr)
{
	unsigned long since = jiffies;
	struct lite_peer **peer;
	struct lite_call *call;
	int i, err = -ENOMEM;

	peer = kcalloc(nr, sizeof(*peer), GFP_KERNEL);
	call = kcalloc(nr, sizeof(*call), GFP_KERNEL);
	if (!peer || !call)
		goto out_free;
	for (i = 0; i < nr; i++) {
		peer[i] = lite_peer_get(ms->node, s[i].m.addr,
					s[i].m.incarnation);
		err = PTR_ERR_OR_ZERO(peer[i]);
		if (err)
			goto out_free;
		s[i].peer = peer[i];
		ask_init(&call[i]);
	}
	lite_call_many(peer, call, nr);
	err = 0;
	for (i = 0; i < nr; i++) {
		s[i].end = call[i].status == -ESTALE;
		s[i].heard = !s[i].end &&
			     (!call[i].status || is_heard(peer[i], since));
	}
out_free:
	kfree(call);
	kfree(peer);
	return err;
}

/* Take down what it answered. Return: true: it is dead, @s->m is what it was. */
static bool suspect_judge(struct lite_membership *ms, struct suspect *s)
{
	struct lite_entry *entry;
	bool dead = false, say = false;

	lockdep_assert_held(&ms->news_mutex);
	spin_lock_irq(&ms->lock);
	entry = xa_load(&ms->table, s->m.id);
	if (!entry || !entry->m.suspected ||
	    entry->m.incarnation != s->m.incarnation)
		goto out_unlock; /* there is other news of it */
	if (s->heard) {
		say = !entry->told;
		entry->told = true;
		entry->silent = jiffies | 1;
	}
	dead = s->end ||
	       time_after(jiffies,
			  entry->silent + msecs_to_jiffies(SUSPECT_MS));
	if (dead) {
		s->m = entry->m;
		entry->m.state = GMGR_MEMBER_DEAD;
		entry->m.suspected = false;
	}
out_unlock:
	spin_unlock_irq(&ms->lock);
	if (say)
		pr_info("%s: gmgr calls %s dead, but it answers: going on with it\n",
			ms->node->name, s->m.name);
	return dead;
}

static void suspect_bury(struct lite_membership *ms, struct suspect *s)
{
	struct lite_member now = s->m;

	now.state = GMGR_MEMBER_DEAD;
	now.suspected = false;
	pr_info("%s: %s is dead: gmgr says so, and it does not answer\n",
		ms->node->name, s->m.name);
	lite_member_changed(ms, &s->m, &now);
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
	struct suspect *s;
	int i, nr;

	nr = suspects_find(ms, &s);
	if (!nr)
		return;
	if (nr > 0 && !suspects_ask(ms, s, nr)) {
		mutex_lock(&ms->news_mutex);
		for (i = 0; i < nr && READ_ONCE(ms->gmgr); i++)
			if (suspect_judge(ms, &s[i]))
				suspect_bury(ms, &s[i]);
		mutex_unlock(&ms->news_mutex);
	}
	if (nr > 0)
		suspects_free(s, nr);
	queue_delayed_work(ms->news_wq, &ms->suspect,
			   msecs_to_jiffies(ASK_EVERY_MS));
}
