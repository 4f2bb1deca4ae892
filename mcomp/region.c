// SPDX-License-Identifier: GPL-2.0
/*
 * The coarse map of a home: vRegion -> the mComponent that owns it, chosen when
 * first asked for (OSDI'18, 4.4.1). The choice is policy.c's.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mcomp.h"

#define REGION_CANDS 257 /* all that gmgr has, and ourselves */

/* A shard that cannot be destroyed for so long is its pComponent's end's. */
#define ORPHAN_TRIES 40

/**
 * mcomp_policy_find() - a policy by name
 * @name: as in sysfs; a newline at its end does no harm
 *
 * Return: the policy or NULL.
 */
const struct mcomp_region_ops *mcomp_policy_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < MCOMP_NR_POLICIES; i++)
		if (sysfs_streq(name, mcomp_policies[i]->name))
			return mcomp_policies[i];
	return NULL;
}

static int owner_call(struct mcomp *m, u32 id, u16 op,
		      const struct mcomp_space_req *req)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = sizeof(*req),
		.timeout_ms = MCOMP_CALL_MS,
	};
	struct lite_peer *peer;
	int err;

	peer = lite_member_peer(m->node, id);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	err = lite_call(peer, &call);
	lite_peer_put(peer);
	return err;
}

/* May the shard be there still, and can it be reached some time? */
static bool owner_is_there(const struct mcomp_owner *o)
{
	struct lite_member member;

	if (lite_member_by_id(o->m->node, o->id, &member))
		return false;
	return member.state == GMGR_MEMBER_UP &&
	       member.incarnation == o->incarnation;
}

static void orphan_free(struct mcomp_owner *o, int err)
{
	struct mcomp *m = o->m;

	if (err)
		pr_warn_ratelimited("%s: shard of space %llx at mComponent %u not destroyed: error %d\n",
				    m->name, le64_to_cpu(o->req.space), o->id,
				    err);
	kfree(o);
	/* The queue that this runs on is drained before @m goes. */
	if (atomic_dec_and_test(&m->nr_orphans))
		wake_up_all(&m->stop_wait);
}

/* Was it not reached? Anything that it says itself will be said again. */
static bool orphan_is_away(int err)
{
	return lite_no_answer(err) || err == -EAGAIN || err == -ENOMEM;
}

static void orphan_done(struct lite_call *call)
{
	struct mcomp_owner *o = call->priv;

	queue_delayed_work(o->m->wq, &o->work,
			   orphan_is_away(call->status) ? HZ / 2 : 0);
}

/*
 * One more try, or the end. No thread waits for the answer: there may be as many
 * orphans at an mComponent that is away as the queue has threads, and it is the
 * one that frees spaces, too.
 */
static void orphan_work(struct work_struct *work)
{
	struct mcomp_owner *o = container_of(to_delayed_work(work),
					     struct mcomp_owner, work);
	int err = o->tries ? o->call.status : 0;

	lite_peer_put(o->peer);
	o->peer = NULL;
	if ((o->tries && !orphan_is_away(err)) || o->tries == ORPHAN_TRIES ||
	    READ_ONCE(o->m->stopping) || !owner_is_there(o)) {
		orphan_free(o, err);
		return;
	}
	o->tries++;
	o->call = (struct lite_call){
		.op = MCOMP_SHARD_DESTROY,
		.class = LITE_CLASS_CONTROL,
		.req = &o->req,
		.req_len = sizeof(o->req),
		.timeout_ms = MCOMP_CALL_MS,
		.done = orphan_done,
		.priv = o,
	};
	o->peer = lite_member_peer(o->m->node, o->id);
	if (IS_ERR(o->peer)) {
		o->call.status = PTR_ERR(o->peer);
		orphan_done(&o->call);
	} else {
		lite_call_queue(o->peer, &o->call);
	}
}

/**
 * mcomp_owner_alloc() - note that another mComponent has a shard
 * @s: space
 * @id: its node id
 * @incarnation: its incarnation
 *
 * Return: the note, in no list, or NULL.
 */
struct mcomp_owner *mcomp_owner_alloc(struct mcomp_space *s, u32 id,
				      u64 incarnation)
{
	struct mcomp_owner *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return NULL;
	INIT_LIST_HEAD(&o->list);
	INIT_DELAYED_WORK(&o->work, orphan_work);
	o->id = id;
	o->incarnation = incarnation;
	o->m = s->m;
	o->req.space = cpu_to_le64(s->id);
	o->req.pcomp_incarnation = cpu_to_le64(s->client->incarnation);
	o->req.vid = cpu_to_le32(s->vid);
	o->req.pcomp_id = cpu_to_le32(s->client->pcomp_id);
	return o;
}

/**
 * mcomp_owner_orphan() - destroy a shard in the background
 * @o: note of it; freed in the end
 * @unused: as in mcomp_space_kill()
 *
 * Context: process.
 */
void mcomp_owner_orphan(struct mcomp_owner *o, bool unused)
{
	if (unused)
		o->req.flags = cpu_to_le32(MCOMP_SPACE_UNUSED);
	list_del_init(&o->list);
	atomic_inc(&o->m->nr_orphans);
	queue_delayed_work(o->m->wq, &o->work, 0);
}

static struct mcomp_owner *owner_find(struct mcomp_space *s, u32 id,
				      u64 incarnation)
{
	struct mcomp_owner *o;

	lockdep_assert_held(&s->owners_lock);
	list_for_each_entry(o, &s->owners, list)
		if (o->id == id && o->incarnation == incarnation)
			return o;
	return NULL;
}

struct region_choice {
	struct mcomp_region_cand cand[REGION_CANDS];
	u64 incarnation[REGION_CANDS];
	struct lite_member members[REGION_CANDS];
	unsigned int nr;
};

static u32 region_count_own(struct mcomp_space *s)
{
	u32 self = lite_node_id(s->m->node), n = 0;
	unsigned long index;
	void *entry;

	lockdep_assert_held(&s->owners_lock);
	xa_for_each(&s->vregions, index, entry)
		n += xa_to_value(entry) == self;
	return n;
}

static void region_snapshot(struct mcomp_space *s, struct region_choice *c)
{
	struct mcomp *m = s->m;
	u32 self = lite_node_id(m->node);
	struct mcomp_owner *o;
	unsigned int i, nr;

	nr = lite_members(m->node, c->members, REGION_CANDS - 1);
	mutex_lock(&s->owners_lock);
	c->cand[0].id = self;
	c->cand[0].home = 1;
	c->cand[0].total = mcomp_pool_total(m->pool);
	c->cand[0].used = mcomp_pool_used(m->pool);
	c->cand[0].nr_vregions = region_count_own(s);
	c->nr = 1;
	for (i = 0; i < nr; i++) {
		const struct lite_member *member = &c->members[i];
		struct mcomp_region_cand *cand = &c->cand[c->nr];

		if (member->role != LITE_ROLE_MCOMP || member->id == self ||
		    member->state != GMGR_MEMBER_UP || member->suspected)
			continue;
		o = owner_find(s, member->id, member->incarnation);
		cand->id = member->id;
		cand->total = member->total;
		cand->used = member->used;
		cand->nr_vregions = o ? o->nr_vregions : 0;
		c->incarnation[c->nr++] = member->incarnation;
	}
	mutex_unlock(&s->owners_lock);
}

/*
 * Note that another mComponent will have a shard, before it is asked to: its
 * answer may be lost, the shard not. Return: 0, 1: it has one; -ESTALE: the space
 * has ended; -ENOMEM.
 */
static int region_note_owner(struct mcomp_space *s, u32 id, u64 incarnation)
{
	struct mcomp_owner *o, *fresh = mcomp_owner_alloc(s, id, incarnation);
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	mutex_lock(&s->owners_lock);
	o = owner_find(s, id, incarnation);
	if (s->dead) {
		err = -ESTALE;
	} else if (o) {
		err = !!o->nr_vregions;
	} else {
		list_add_tail(&fresh->list, &s->owners);
		fresh = NULL;
	}
	mutex_unlock(&s->owners_lock);
	kfree(fresh);
	return err;
}

/*
 * Make sure that another mComponent has a shard, and that we know it. Several may
 * do so at a time, for vRegions of their own or the same one.
 */
static int region_make_shard(struct mcomp_space *s, u32 id, u64 incarnation)
{
	struct mcomp_owner *o;
	bool dead;
	int err;

	err = region_note_owner(s, id, incarnation);
	if (err)
		return min(err, 0);
	/* What was noted may be gone: the space may end at any time. */
	o = mcomp_owner_alloc(s, id, incarnation);
	if (!o)
		return -ENOMEM;
	err = owner_call(s->m, id, MCOMP_SHARD_CREATE, &o->req);

	mutex_lock(&s->owners_lock);
	dead = s->dead;
	mutex_unlock(&s->owners_lock);
	if (dead) {
		/* Its end may have overtaken the shard's beginning. */
		mcomp_owner_orphan(o, s->unused);
		return -ESTALE;
	}
	kfree(o);
	/* Somebody else's question was answered, and the shard is in use. */
	if (err && region_note_owner(s, id, incarnation) == 1)
		return 0;
	/* That one does not want it: here -ESTALE is the end of the space. */
	return err == -ESTALE ? -EHOSTUNREACH : err;
}

static int region_lookup(struct mcomp_space *s, u64 vregion, u32 *owner_id)
{
	int err = -ENOENT;
	void *entry;

	mutex_lock(&s->owners_lock);
	entry = xa_load(&s->vregions, vregion);
	if (s->dead) {
		err = -ESTALE;
	} else if (entry) {
		*owner_id = xa_to_value(entry);
		err = 0;
	}
	mutex_unlock(&s->owners_lock);
	return err;
}

/* Give a vRegion to the mComponent, unless somebody else has given it away. */
static int region_assign(struct mcomp_space *s, u64 vregion, u32 id,
			 u64 incarnation, u32 *owner_id)
{
	struct mcomp_owner *o;
	int err;

	mutex_lock(&s->vregion_lock);
	err = region_lookup(s, vregion, owner_id);
	/* A child that is being made would not know of it. */
	if (err == -ENOENT && atomic_read(&s->nr_forks))
		err = -EBUSY;
	if (err != -ENOENT)
		goto out_unlock;
	err = -ESTALE;
	mutex_lock(&s->owners_lock);
	if (!s->dead) {
		err = xa_err(xa_store(&s->vregions, vregion, xa_mk_value(id),
				      GFP_KERNEL));
		o = owner_find(s, id, incarnation);
		if (!err && o)
			o->nr_vregions++;
	}
	mutex_unlock(&s->owners_lock);
	if (!err)
		*owner_id = id;
out_unlock:
	mutex_unlock(&s->vregion_lock);
	return err;
}

/*
 * An mComponent that is silent costs a time-out. No lock is held then, so other
 * vRegions and forks wait for it no longer than they have to do with it.
 */
static int region_choose(struct mcomp_space *s, u64 vregion, u32 *owner_id)
{
	const struct mcomp_region_ops *policy = READ_ONCE(s->m->policy);
	struct region_choice *c;
	int err, i;

	c = kvzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	region_snapshot(s, c);
	err = -EHOSTUNREACH;
	while ((i = policy->pick(c->cand, c->nr)) >= 0) {
		err = 0;
		if (!c->cand[i].home)
			err = region_make_shard(s, c->cand[i].id,
						c->incarnation[i]);
		if (!err) {
			err = region_assign(s, vregion, c->cand[i].id,
					    c->incarnation[i], owner_id);
			break;
		}
		if (err == -ESTALE)
			break;
		c->cand[i].tried = 1;
	}
	kvfree(c);
	return err;
}

/**
 * mcomp_vregion_get() - who owns a vRegion?
 * @s: space
 * @vregion: address >> vregion_shift
 * @owner_id: set to the owner's node id, which now has a shard
 *
 * The first answer decides.
 * Context: process, may sleep; makes calls, bounded by MCOMP_CALL_MS each.
 * Return: 0, -EINVAL (not the home, or beyond all addresses), -ESTALE (space
 *	has ended), -EBUSY (a child is being made), -ENOMEM, -EHOSTUNREACH.
 */
int mcomp_vregion_get(struct mcomp_space *s, u64 vregion, u32 *owner_id)
{
	int err;

	if (!s->home || vregion >= MCOMP_ADDR_MAX >> s->m->vregion_shift)
		return -EINVAL;
	err = region_lookup(s, vregion, owner_id);
	if (err != -ENOENT)
		return err;
	if (atomic_read(&s->nr_forks)) /* as region_assign() would say */
		return -EBUSY;
	return region_choose(s, vregion, owner_id);
}
