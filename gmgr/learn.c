// SPDX-License-Identifier: GPL-2.0
/*
 * What a gmgr that was restarted learns from the members: who was in the rack,
 * and the vNodes. Each member keeps a copy of both tables, so gmgr needs no
 * disk, and may be started on another server.
 *
 * Members join again as soon as they notice. Those whose copy was made by an
 * earlier life of gmgr are asked to tell it. Of several copies the newest is
 * right, also in what it lacks: a vNode that an older copy has was removed.
 * Until members have had the time to tell, gmgr is not settled: vNode calls
 * wait, and no vid is given. A member that comes later still tells.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

/*
 * A member notices within one heartbeat and the time-out of another, which is
 * less than SETTLE_MS; after the first one has joined, gmgr's network is known
 * to be there. Nothing waits longer than SETTLE_MAX_MS.
 */
#define SETTLE_MS 3000
#define SETTLE_JOINED_MS 1000
#define SETTLE_MAX_MS 10000
#define END_MS 2000

/*
 * Versions are milliseconds since 1970, by the clock of the gmgr that made them.
 * That clock may have been wrong, or ours is, but not by so much; and what a
 * member says beyond that would outdo all that is right.
 */
#define EPOCH_AHEAD_MS (100ULL * 365 * 24 * 3600 * MSEC_PER_SEC)

/**
 * gmgr_learn_init() - nothing is known yet
 * @g: manager
 */
void gmgr_learn_init(struct gmgr *g)
{
	INIT_LIST_HEAD(&g->waiting);
	g->settle_max = gmgr_now() + SETTLE_MAX_MS;
	g->settle_at = g->settle_max;
}

/**
 * gmgr_learn_end() - gmgr ends: wait till members keep the last change
 * @g: manager that still answers
 *
 * Or a vNode that was removed last would be there again with the next gmgr. It
 * takes two heartbeats after a change; a silent member is not waited for longer.
 * Context: process, may sleep, bounded.
 */
void gmgr_learn_end(struct gmgr *g)
{
	unsigned long end = jiffies + msecs_to_jiffies(END_MS);

	while (!gmgr_members_have(g) && time_before(jiffies, end))
		msleep(20);
}

static void learn_settle_later(struct gmgr *g, u64 at)
{
	lockdep_assert_held(&g->lock);
	g->settle_at = min(max(g->settle_at, at), g->settle_max);
}

/**
 * gmgr_learn_join() - what a join says of what the member knows
 * @g: manager, @lock held
 * @req: the join
 * @rsp: flags are set
 */
void gmgr_learn_join(struct gmgr *g, const struct gmgr_join_req *req,
		     struct gmgr_join_rsp *rsp)
{
	bool tell;

	lockdep_assert_held(&g->lock);
	tell = req->want_id &&
	       le64_to_cpu(req->vnode_life) != lite_node_incarnation(g->node);
	rsp->flags = cpu_to_le32(tell ? GMGR_JOIN_TELL : 0);
	rsp->life = cpu_to_le64(lite_node_incarnation(g->node));
	gmgr_vid_seen(g, le32_to_cpu(req->max_vid));
	if (g->settled)
		return;
	if (!g->joined) {
		g->joined = true;
		g->settle_at = g->settle_max - SETTLE_MAX_MS + SETTLE_MS;
		learn_settle_later(g, gmgr_now() + SETTLE_JOINED_MS);
	}
	if (tell)
		learn_settle_later(g, gmgr_now() + SETTLE_MS);
}

/**
 * gmgr_settle_is_due() - have members had the time to tell?
 * @g: manager, @lock held
 * @now: ms
 *
 * Return: true: gmgr_settle() shall be called.
 */
bool gmgr_settle_is_due(struct gmgr *g, u64 now)
{
	lockdep_assert_held(&g->lock);
	return !g->settled && now >= g->settle_at;
}

/**
 * gmgr_settle() - members have had the time to tell: vNode calls are answered
 * @g: manager
 *
 * Context: process, may sleep.
 */
void gmgr_settle(struct gmgr *g)
{
	struct gmgr_vnode_job *job, *next;

	mutex_lock(&g->lock);
	gmgr_vnodes_settle(g);
	WRITE_ONCE(g->settled, true);
	list_for_each_entry_safe(job, next, &g->waiting, list) {
		list_del(&job->list);
		queue_work(g->vnode_wq, &job->work);
	}
	mutex_unlock(&g->lock);
}

static bool learn_epoch_is_good(struct gmgr *g, u64 epoch)
{
	u64 now = ktime_get_real_ns() / NSEC_PER_MSEC;

	if (epoch <= now + EPOCH_AHEAD_MS)
		return true;
	pr_warn_ratelimited("%s: what a member tells is not believed: its version %llu is of a time that has not come (now %llu)\n",
			    g->name, epoch, now);
	return false;
}

/**
 * gmgr_learn_members() - a member tells which members it knows
 * @g: manager
 * @msg: from the wire, of the right length
 *
 * One that does not join within its lease is declared dead as any other.
 * Context: process, may sleep.
 */
void gmgr_learn_members(struct gmgr *g, const struct gmgr_tell_members *msg)
{
	u64 epoch = le64_to_cpu(msg->epoch);
	u32 i;

	if (!learn_epoch_is_good(g, epoch))
		return;
	for (i = 0; i < le32_to_cpu(msg->nr); i++)
		gmgr_member_told(g, &msg->member[i], epoch);
}

/* The name of a vNode that a table of version @epoch should have and lacks. */
static bool learn_find_removed(struct gmgr *g, u64 epoch, char *name)
{
	struct gmgr_vn *vn;
	bool found = false;

	mutex_lock(&g->lock);
	list_for_each_entry(vn, &g->vnodes, list)
		if (vn->told && vn->told < epoch) {
			strscpy(name, vn->name, LITE_NAME_LEN);
			found = true;
			break;
		}
	mutex_unlock(&g->lock);
	return found;
}

/* The whole table has come. */
static void learn_vnodes_end(struct gmgr *g, u64 epoch)
{
	char name[LITE_NAME_LEN];

	while (learn_find_removed(g, epoch, name))
		if (gmgr_vnode_rmdir(g, name))
			break;
	mutex_lock(&g->lock);
	g->learned = epoch;
	/* members that keep @epoch fetch what has become of it */
	g->vnode_epoch = max(g->vnode_epoch, epoch);
	gmgr_vnodes_changed(g);
	mutex_unlock(&g->lock);
	gmgr_news(g, "learned the vNodes from a member\n");
}

/* Does @msg go on where @teller's last page ended? */
static bool learn_is_next(struct gmgr *g, u64 teller,
			  const struct gmgr_vnode_table *msg)
{
	struct gmgr_teller *t = &g->teller;

	if (!msg->start)
		*t = (struct gmgr_teller){
			.incarnation = teller,
			.epoch = le64_to_cpu(msg->epoch),
		};
	return t->incarnation == teller &&
	       t->epoch == le64_to_cpu(msg->epoch) &&
	       t->next == le32_to_cpu(msg->start);
}

/**
 * gmgr_learn_vnodes() - a member tells a page of the vNodes it knows
 * @g: manager
 * @teller: its incarnation
 * @msg: from the wire, of the right length
 *
 * Context: gmgr.vnode_wq.
 * Return: 0, also if a newer version is known, or this one is not believed; or a
 *	negative errno: to be told again from the beginning.
 */
int gmgr_learn_vnodes(struct gmgr *g, u64 teller,
		      const struct gmgr_vnode_table *msg)
{
	u64 epoch = le64_to_cpu(msg->epoch);
	u32 i, next = le32_to_cpu(msg->next_vid);
	bool old;
	int err;

	if (!epoch)
		return -EINVAL;
	/* It will fetch what is right: told of an error it would try for ever. */
	if (!learn_epoch_is_good(g, epoch))
		return 0;
	mutex_lock(&g->lock);
	old = epoch <= g->learned ||
	      le64_to_cpu(msg->life) == lite_node_incarnation(g->node);
	if (next)
		gmgr_vid_seen(g, next - 1);
	mutex_unlock(&g->lock);
	if (old)
		return 0;
	if (!learn_is_next(g, teller, msg))
		return -EAGAIN;
	for (i = 0; i < le32_to_cpu(msg->nr); i++) {
		err = gmgr_vnode_restore(g, &msg->vnode[i], epoch);
		if (err)
			return err;
	}
	g->teller.next += i;
	if (!msg->left)
		learn_vnodes_end(g, epoch);
	return 0;
}
