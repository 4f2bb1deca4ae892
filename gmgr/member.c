// SPDX-License-Identifier: GPL-2.0
/*
 * Who is in the rack: joins, leaves, heartbeats, deaths. Membership by lease
 * and incarnation; LegoOS had an opcode for heartbeats and never sent one.
 *
 *	           join
 *	  (none) --------> UP <-------------------+
 *	                   |  \                   | join
 *	             leave |   \ lease is over    |
 *	                   v    v                 |
 *	                 LEFT  DEAD --------------+ (LEFT too)
 */
#include <linux/ctype.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

#define CHECK_MS 250
#define ID_SPACE 0xffff

static void member_set_state(struct gmgr_component *c, u32 state)
{
	struct gmgr *g = c->gmgr;

	lockdep_assert_held(&g->lock);
	if (c->state == GMGR_MEMBER_UP)
		g->nr_up--;
	if (state == GMGR_MEMBER_UP)
		g->nr_up++;
	c->state = state;
	g->epoch++;
}

/**
 * gmgr_member_find() - a member by name
 * @g: manager, @lock held
 * @name: name
 *
 * Return: it, living or dead, or NULL.
 */
struct gmgr_component *gmgr_member_find(struct gmgr *g, const char *name)
{
	struct gmgr_component *c;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(c, &g->members, list)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static struct gmgr_component *member_by_id(struct gmgr *g, u32 id)
{
	struct gmgr_component *c;

	lockdep_assert_held(&g->lock);
	list_for_each_entry(c, &g->members, list)
		if (c->id == id)
			return c;
	return NULL;
}

/*
 * Ids come from names, not from a counter: after gmgr restarted, members join
 * again in any order, and none may be given an id that another has in use.
 */
static u32 member_new_id(struct gmgr *g, const char *name, u32 want)
{
	u32 id;

	lockdep_assert_held(&g->lock);
	if (want && !member_by_id(g, want))
		return want;
	id = jhash(name, strlen(name), 0) % ID_SPACE;
	while (member_by_id(g, id + 1))
		id = (id + 1) % ID_SPACE;
	return id + 1;
}

static bool member_addr_is_good(const char *addr, size_t size)
{
	size_t len = strnlen(addr, size), i;

	if (!len || len == size)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(addr[i]) || !isgraph(addr[i]))
			return false;
	return true;
}

static bool member_role_is_good(u32 role)
{
	return role == LITE_ROLE_PCOMP || role == LITE_ROLE_MCOMP ||
	       role == LITE_ROLE_SCOMP;
}

static int member_check_join(const struct gmgr_join_req *req)
{
	int err;

	err = gmgr_check_name(req->name, sizeof(req->name));
	if (err)
		return err;
	if (!member_addr_is_good(req->addr, sizeof(req->addr)) ||
	    !member_role_is_good(le32_to_cpu(req->role)) || !req->incarnation)
		return -EINVAL;
	return 0;
}

/* The table is full: forget the one that is gone for the longest time. */
static int member_make_room(struct gmgr *g)
{
	struct gmgr_component *c, *old = NULL;

	lockdep_assert_held(&g->join_lock);
	mutex_lock(&g->lock);
	if (g->nr_members < GMGR_MEMBERS_LIMIT) {
		mutex_unlock(&g->lock);
		return 0;
	}
	list_for_each_entry(c, &g->members, list)
		if (c->state != GMGR_MEMBER_UP &&
		    (!old || c->lease.heard < old->lease.heard))
			old = c;
	if (old) {
		list_del(&old->list);
		g->nr_members--;
		g->epoch++;
	}
	mutex_unlock(&g->lock);
	if (!old) {
		pr_warn_ratelimited("%s: %d members are up, no room for more\n",
				    g->name, GMGR_MEMBERS_LIMIT);
		return -ENOSPC;
	}
	gmgr_sysfs_del_member(old);
	return 0;
}

static struct gmgr_component *member_add(struct gmgr *g, const char *name,
					 u32 want_id)
{
	struct gmgr_component *c;
	int err;

	lockdep_assert_held(&g->join_lock);
	err = member_make_room(g);
	if (err)
		return ERR_PTR(err);
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->gmgr = g;
	gmgr_lease_heard(&c->lease, gmgr_now());
	c->state = GMGR_MEMBER_LEFT;
	strscpy(c->name, name, sizeof(c->name));
	err = gmgr_sysfs_add_member(c);
	if (err)
		return ERR_PTR(err); /* that has freed it */

	mutex_lock(&g->lock);
	c->id = member_new_id(g, name, want_id);
	list_add_tail(&c->list, &g->members);
	g->nr_members++;
	mutex_unlock(&g->lock);
	return c;
}

static void member_set_addr(struct gmgr_component *c, const char *addr)
{
	strscpy(c->addr, addr, sizeof(c->addr));
	c->lease.remote = strncmp(c->addr, "loop:", 5);
}

static void member_fill(struct gmgr_component *c,
			const struct gmgr_join_req *req)
{
	c->incarnation = le64_to_cpu(req->incarnation);
	c->role = le32_to_cpu(req->role);
	c->total = le64_to_cpu(req->total);
	c->kept = 0;
	c->told = 0;
	member_set_addr(c, req->addr);
	gmgr_lease_heard(&c->lease, gmgr_now());
}

/*
 * A component keeps its id for life, as spaces are named by it. Since gmgr was
 * started another one may have been given it, if their names have one hash:
 * then the one with the id cannot join before the other has ended.
 */
static bool join_id_is_taken(struct gmgr *g, u32 want_id)
{
	bool taken;

	mutex_lock(&g->lock);
	taken = want_id && member_by_id(g, want_id);
	mutex_unlock(&g->lock);
	return taken;
}

/**
 * gmgr_member_join() - a component comes, or comes again
 * @g: manager
 * @req: from the wire, of the right length
 * @rsp: filled in
 *
 * The same name with another incarnation takes a dead one's place and id.
 * Context: process, may sleep.
 * Return: 0, -EEXIST (a living one has the name), -EINVAL, -ENAMETOOLONG,
 *	-ENOSPC, -ENOMEM.
 */
int gmgr_member_join(struct gmgr *g, const struct gmgr_join_req *req,
		     struct gmgr_join_rsp *rsp)
{
	struct gmgr_component *c;
	const char *how;
	int err;

	err = member_check_join(req);
	if (err)
		return err;

	mutex_lock(&g->join_lock);
	mutex_lock(&g->lock);
	c = gmgr_member_find(g, req->name);
	mutex_unlock(&g->lock);
	/* Only joins, and so nobody now, remove members: @c stays. */
	how = c ? "joined again" : "joined";
	if (!c && join_id_is_taken(g, le32_to_cpu(req->want_id))) {
		err = -EEXIST;
		goto out_unlock;
	}
	if (!c) {
		c = member_add(g, req->name, le32_to_cpu(req->want_id));
		if (IS_ERR(c)) {
			err = PTR_ERR(c);
			goto out_unlock;
		}
	}

	mutex_lock(&g->lock);
	if (c->state == GMGR_MEMBER_UP) {
		if (c->incarnation != le64_to_cpu(req->incarnation)) {
			/* Two that have one name by mistake have two addresses. */
			if (!strcmp(c->addr, req->addr))
				gmgr_lease_replaced(&c->lease);
			err = -EEXIST;
			goto out_unlock_both;
		}
		/* Its first join's answer was lost, most likely. */
		if (strcmp(c->addr, req->addr))
			g->epoch++;
		if (!c->told)
			how = NULL;
		member_fill(c, req);
	} else {
		if (c->incarnation != le64_to_cpu(req->incarnation)) {
			c->used = 0;
			c->shown = 0;
			c->nr_spaces = 0;
			c->placed = 0;
		}
		member_fill(c, req);
		member_set_state(c, GMGR_MEMBER_UP);
	}
	gmgr_learn_join(g, req, rsp);
	rsp->node_id = cpu_to_le32(c->id);
	rsp->heartbeat_ms = cpu_to_le32(g->heartbeat_ms);
	rsp->dead_ms = cpu_to_le32(g->dead_ms);
	rsp->epoch = cpu_to_le64(g->epoch);
	if (how)
		gmgr_news(g, "%s %s %s, id %u, at %s, %llu MiB\n",
			  gmgr_role_name(c->role), c->name, how, c->id,
			  c->addr, c->total >> 20);

out_unlock_both:
	mutex_unlock(&g->lock);
out_unlock:
	mutex_unlock(&g->join_lock);
	if (err == -EEXIST)
		pr_warn_ratelimited("%s: %s refused: a living %s has the name, or another its id\n",
				    g->name, req->addr, req->name);
	return err;
}

static bool member_told_is_good(const struct gmgr_member *m)
{
	u32 id = le32_to_cpu(m->node_id), state = le32_to_cpu(m->state);

	return id && id <= ID_SPACE && m->incarnation &&
	       !gmgr_check_name(m->name, sizeof(m->name)) &&
	       member_addr_is_good(m->addr, sizeof(m->addr)) &&
	       member_role_is_good(le32_to_cpu(m->role)) &&
	       (state == GMGR_MEMBER_UP || state == GMGR_MEMBER_DEAD ||
		state == GMGR_MEMBER_LEFT);
}

/**
 * gmgr_member_told() - a member tells of another
 * @g: manager
 * @m: that one, from the wire
 * @epoch: of the table in which it stood so
 *
 * What gmgr has seen itself since it was started is known better.
 * Context: process, may sleep.
 */
void gmgr_member_told(struct gmgr *g, const struct gmgr_member *m, u64 epoch)
{
	u32 id = le32_to_cpu(m->node_id);
	struct gmgr_component *c;
	bool fresh;

	if (!member_told_is_good(m))
		return;
	mutex_lock(&g->join_lock);
	mutex_lock(&g->lock);
	c = gmgr_member_find(g, m->name);
	fresh = !c && !member_by_id(g, id);
	mutex_unlock(&g->lock);
	/* Only joins, and so nobody now, remove members: @c stays. */
	if (fresh)
		c = member_add(g, m->name, id);
	if (IS_ERR_OR_NULL(c))
		goto out_unlock;
	mutex_lock(&g->lock);
	if (fresh || (c->told && c->told < epoch)) {
		member_set_addr(c, m->addr);
		if (fresh)
			gmgr_lease_told(&c->lease, g->dead_ms, gmgr_now());
		c->told = epoch ?: 1;
		c->incarnation = le64_to_cpu(m->incarnation);
		c->role = le32_to_cpu(m->role);
		c->total = le64_to_cpu(m->total);
		c->used = le64_to_cpu(m->used);
		c->nr_spaces = le32_to_cpu(m->nr_spaces);
		member_set_state(c, le32_to_cpu(m->state));
	}
	mutex_unlock(&g->lock);
out_unlock:
	mutex_unlock(&g->join_lock);
}

/**
 * gmgr_member_is_in() - has this life of a component joined?
 * @g: manager
 * @incarnation: its
 *
 * Return: whether; not if others only told of it.
 */
bool gmgr_member_is_in(struct gmgr *g, u64 incarnation)
{
	struct gmgr_component *c;
	bool in = false;

	mutex_lock(&g->lock);
	list_for_each_entry(c, &g->members, list)
		in |= c->incarnation == incarnation && !c->told &&
		      c->state == GMGR_MEMBER_UP;
	mutex_unlock(&g->lock);
	return in;
}

/**
 * gmgr_members_have() - do all members keep the vNodes as they are now?
 * @g: manager
 *
 * Return: whether all that are up do.
 */
bool gmgr_members_have(struct gmgr *g)
{
	struct gmgr_component *c;
	bool have = true;

	mutex_lock(&g->lock);
	list_for_each_entry(c, &g->members, list)
		have &= c->state != GMGR_MEMBER_UP || c->told ||
			c->kept == g->vnode_epoch;
	mutex_unlock(&g->lock);
	return have;
}

/**
 * gmgr_member_leave() - a component goes in order
 * @g: manager
 * @req: from the wire
 *
 * Return: 0, -ESTALE (not in, or another incarnation).
 */
int gmgr_member_leave(struct gmgr *g, const struct gmgr_leave_req *req)
{
	struct gmgr_component *c;
	int err = -ESTALE;

	mutex_lock(&g->lock);
	c = member_by_id(g, le32_to_cpu(req->node_id));
	if (c && c->state == GMGR_MEMBER_UP &&
	    c->incarnation == le64_to_cpu(req->incarnation)) {
		member_set_state(c, GMGR_MEMBER_LEFT);
		c->used = 0;
		c->nr_spaces = 0;
		gmgr_news(g, "%s %s left\n", gmgr_role_name(c->role),
			  c->name);
		err = 0;
	}
	mutex_unlock(&g->lock);
	return err;
}

/*
 * Members have a copy of the table and fetch it when the epoch changes. The
 * figures in it serve to choose owners of memory: they need not be exact, but
 * neither may they be old.
 */
static void member_show_usage(struct gmgr_component *c)
{
	u64 diff = c->used > c->shown ? c->used - c->shown :
					c->shown - c->used;

	if (diff <= c->total / 32)
		return;
	c->shown = c->used;
	c->gmgr->epoch++;
}

/**
 * gmgr_member_heartbeat() - a member lives
 * @g: manager
 * @req: from the wire
 * @rsp: filled in
 *
 * Return: 0, -ESTALE: join again.
 */
int gmgr_member_heartbeat(struct gmgr *g, const struct gmgr_heartbeat_req *req,
			  struct gmgr_heartbeat_rsp *rsp)
{
	struct gmgr_component *c;
	int err = -ESTALE;

	mutex_lock(&g->lock);
	c = member_by_id(g, le32_to_cpu(req->node_id));
	/* One that others told of has not told yet what it knows itself. */
	if (c && c->state == GMGR_MEMBER_UP && !c->told &&
	    c->incarnation == le64_to_cpu(req->incarnation)) {
		gmgr_lease_heard(&c->lease, gmgr_now());
		c->total = le64_to_cpu(req->total);
		c->used = le64_to_cpu(req->used);
		c->nr_spaces = le32_to_cpu(req->nr_spaces);
		c->kept = le64_to_cpu(req->vnode_epoch);
		gmgr_place_heard(c);
		member_show_usage(c);
		rsp->epoch = cpu_to_le64(g->epoch);
		rsp->vnode_epoch = cpu_to_le64(g->vnode_epoch);
		err = 0;
	}
	mutex_unlock(&g->lock);
	return err;
}

/**
 * gmgr_member_list() - a page of the table for the wire
 * @g: manager
 * @start: index of the first wanted
 * @rsp: room for GMGR_MEMBERS_MAX of them
 *
 * Return: bytes used of @rsp.
 */
u32 gmgr_member_list(struct gmgr *g, u32 start, struct gmgr_members_rsp *rsp)
{
	struct gmgr_component *c;
	u32 i = 0, nr = 0;

	mutex_lock(&g->lock);
	rsp->epoch = cpu_to_le64(g->epoch);
	list_for_each_entry(c, &g->members, list) {
		struct gmgr_member *m = &rsp->member[nr];

		if (i++ < start)
			continue;
		if (nr == GMGR_MEMBERS_MAX)
			break;
		memset(m, 0, sizeof(*m));
		m->node_id = cpu_to_le32(c->id);
		m->role = cpu_to_le32(c->role);
		m->state = cpu_to_le32(c->state);
		m->nr_spaces = cpu_to_le32(c->nr_spaces);
		m->incarnation = cpu_to_le64(c->incarnation);
		m->total = cpu_to_le64(c->total);
		m->used = cpu_to_le64(c->used);
		strscpy(m->name, c->name, sizeof(m->name));
		strscpy(m->addr, c->addr, sizeof(m->addr));
		nr++;
	}
	mutex_unlock(&g->lock);
	rsp->nr = cpu_to_le32(nr);
	rsp->reserved = 0;
	return struct_size(rsp, member, nr);
}

/* gmgr suspects itself, or no longer. */
static void member_set_isolated(struct gmgr *g, bool isolated)
{
	lockdep_assert_held(&g->lock);
	if (g->isolated == isolated)
		return;
	g->isolated = isolated;
	if (isolated)
		pr_warn("%s: most members fell silent together: that is taken for a fault of this server or its network, none is declared dead till one is heard again\n",
			g->name);
	else
		pr_info("%s: members are heard again\n", g->name);
}

static void member_declare_dead(struct gmgr_component *c)
{
	member_set_state(c, GMGR_MEMBER_DEAD);
	gmgr_news(c->gmgr, "%s %s is dead: %s %llu ms\n",
		  gmgr_role_name(c->role), c->name,
		  c->told ? "gmgr was restarted and has not heard it for" :
			    "silent for", gmgr_now() - c->lease.heard);
	c->told = 0;
}

/*
 * Where this kernel itself stood still (a stopped VM), heartbeats wait unread,
 * too, and connections have to be made again: that is nobody's death.
 */
static bool member_check_is_late(struct gmgr *g)
{
	bool late = time_after(jiffies, g->check_due + HZ);

	g->check_due = jiffies + msecs_to_jiffies(CHECK_MS);
	return late;
}

static void member_check(struct work_struct *work)
{
	struct gmgr *g = container_of(work, struct gmgr, check.work);
	bool late = member_check_is_late(g), settle;
	struct gmgr_component *c;
	unsigned int nr = 0;
	u64 now;

	mutex_lock(&g->lock);
	now = gmgr_now();
	list_for_each_entry(c, &g->members, list) {
		if (c->state != GMGR_MEMBER_UP)
			continue;
		if (late)
			c->lease.until = now + 2 * g->dead_ms;
		if (!WARN_ON_ONCE(nr == GMGR_MEMBERS_LIMIT))
			g->leases[nr++] = &c->lease;
	}
	member_set_isolated(g, gmgr_leases_check(g->leases, nr, g->dead_ms,
						 now));
	list_for_each_entry(c, &g->members, list)
		if (c->state == GMGR_MEMBER_UP && c->lease.expired)
			member_declare_dead(c);
	settle = gmgr_settle_is_due(g, now);
	mutex_unlock(&g->lock);
	if (settle)
		gmgr_settle(g);
	queue_delayed_work(system_unbound_wq, &g->check,
			   msecs_to_jiffies(CHECK_MS));
}

/**
 * gmgr_members_init() - an empty table, watched
 * @g: manager
 *
 * Return: 0 or -ENOMEM.
 */
int gmgr_members_init(struct gmgr *g)
{
	INIT_LIST_HEAD(&g->members);
	g->leases = kcalloc(GMGR_MEMBERS_LIMIT, sizeof(*g->leases),
			    GFP_KERNEL);
	if (!g->leases)
		return -ENOMEM;
	INIT_DELAYED_WORK(&g->check, member_check);
	g->check_due = jiffies + msecs_to_jiffies(CHECK_MS);
	queue_delayed_work(system_unbound_wq, &g->check,
			   msecs_to_jiffies(CHECK_MS));
	return 0;
}

/**
 * gmgr_members_exit() - forget all
 * @g: manager; no handler runs any more
 *
 * Context: process, may sleep.
 */
void gmgr_members_exit(struct gmgr *g)
{
	struct gmgr_component *c, *next;

	cancel_delayed_work_sync(&g->check);
	kfree(g->leases);
	list_for_each_entry_safe(c, next, &g->members, list) {
		mutex_lock(&g->lock);
		list_del(&c->list);
		mutex_unlock(&g->lock);
		gmgr_sysfs_del_member(c);
	}
}
