// SPDX-License-Identifier: GPL-2.0
/*
 * Membership, the member's side: join gmgr's rack, say regularly that we live,
 * and keep a copy of the table.
 *
 * gmgr is never needed for anything but news. While it is away the copy stays
 * as it is; when it comes back without its table (restarted) it learns of us
 * by our joining again with the id we had. That a member is missing from its
 * list then says nothing about the member: only the states DEAD and LEFT do,
 * and DEAD not before the member itself was asked (suspect.c).
 *
 * That we live is said by one work, and what changed is fetched and acted upon
 * by another: to end what a dead member had here may take longer than gmgr
 * waits for a heartbeat.
 *
 * Locks: mutex > news_mutex > what the callbacks take.
 */
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "lite_rpc.h"
#include "member.h"

#define JOIN_WAIT_MS 10000
#define JOIN_RETRY_MS 300
#define GMGR_CALL_MS 2000
#define DEFAULT_HEARTBEAT_MS 1000

#define TABLE_MAX (2 * GMGR_MEMBERS_LIMIT)

/**
 * lite_gmgr_call() - call gmgr, once
 * @ms: membership
 * @op: operation
 * @req: payload
 * @req_len: its bytes
 * @rsp: room for the reply
 * @rsp_size: its bytes
 * @rsp_len: set to the reply's length; NULL: it must be @rsp_size
 *
 * Context: process, may sleep, bounded. Return: as lite_call(), or -EPROTO.
 */
int lite_gmgr_call(struct lite_membership *ms, u16 op, const void *req,
		   u32 req_len, void *rsp, u32 rsp_size, u32 *rsp_len)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = req_len,
		.rsp = rsp,
		.rsp_size = rsp_size,
		.timeout_ms = GMGR_CALL_MS,
	};
	/* lite_leave() puts it after the works have ended, but clears it before */
	struct lite_peer *gmgr = READ_ONCE(ms->gmgr);
	int err = gmgr ? lite_call(gmgr, &call) : -ENOTCONN;

	if (err)
		return err;
	if (rsp_len)
		*rsp_len = call.rsp_len;
	else if (call.rsp_len != rsp_size)
		return -EPROTO;
	return 0;
}

/* what gmgr sent, made safe to use: strings end */
static void member_from_wire(struct lite_member *m, const struct gmgr_member *w)
{
	memset(m, 0, sizeof(*m));
	m->id = le32_to_cpu(w->node_id);
	m->role = le32_to_cpu(w->role);
	m->state = le32_to_cpu(w->state);
	m->nr_spaces = le32_to_cpu(w->nr_spaces);
	m->incarnation = le64_to_cpu(w->incarnation);
	m->total = le64_to_cpu(w->total);
	m->used = le64_to_cpu(w->used);
	strscpy(m->name, w->name, sizeof(m->name));
	strscpy(m->addr, w->addr, sizeof(m->addr));
}

static void entry_set(struct lite_entry *entry, const struct lite_member *new,
		      u64 round)
{
	if (!new->suspected) {
		entry->silent = 0;
		entry->told = false;
	} else if (!entry->silent) {
		entry->silent = jiffies | 1;
	}
	entry->m = *new;
	entry->round = round;
}

/*
 * Put @new into the table; the old entry in @old. A death that has to be
 * confirmed becomes a suspicion in @new. Return: 0, 1: had one
 */
static int table_set(struct lite_membership *ms, struct lite_member *new,
		     struct lite_member *old)
{
	struct lite_entry *entry, *fresh;
	unsigned long flags;
	void *prev;

	spin_lock_irqsave(&ms->lock, flags);
	entry = xa_load(&ms->table, new->id);
	lite_suspect_begin(ms, entry, new);
	if (entry) {
		*old = entry->m;
		entry_set(entry, new, ms->round);
	}
	spin_unlock_irqrestore(&ms->lock, flags);
	if (entry)
		return 1;
	/* one at a time reads gmgr's table: nobody else adds it */
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	entry_set(fresh, new, ms->round);
	prev = xa_store_irq(&ms->table, new->id, fresh, GFP_KERNEL);
	if (xa_is_err(prev)) {
		kfree(fresh);
		return xa_err(prev);
	}
	return 0;
}

/* a member is not what it was: nobody waits for one that is no more */
static void tell_links(struct lite_node *node, const struct lite_member *old,
		       const struct lite_member *new)
{
	bool same = old->incarnation == new->incarnation;

	if (old->incarnation == node->incarnation)
		return;
	if (same && new->state == GMGR_MEMBER_UP)
		lite_peer_back(node, new->addr, new->incarnation);
	else if (old->state == GMGR_MEMBER_UP || !same)
		lite_peer_gone(node, old->addr, old->incarnation,
			       same ? -EHOSTUNREACH : -ESTALE);
}

/* what it had here is no longer */
static void node_gone(struct lite_node *node, u64 incarnation)
{
	lmr_owner_gone(node, incarnation);
	lite_locks_gone(node, incarnation);
}

/**
 * lite_member_changed() - act upon what a member has become
 * @ms: membership
 * @old: what it was, NULL: not known
 * @new: what it is
 *
 * Context: process, may sleep; ms->news_mutex held.
 */
void lite_member_changed(struct lite_membership *ms,
			 const struct lite_member *old,
			 const struct lite_member *new)
{
	struct lite_node *node = ms->node;

	lockdep_assert_held(&ms->news_mutex);
	if (old)
		tell_links(node, old, new);
	/* it may have come and gone between two looks at the table */
	if (new->state != GMGR_MEMBER_UP)
		node_gone(node, new->incarnation);
	if (old && old->incarnation != new->incarnation)
		node_gone(node, old->incarnation);
	if (ms->ops->changed)
		ms->ops->changed(node->priv, old, new);
}

static int update_member(struct lite_membership *ms, struct lite_member *new)
{
	struct lite_member old;
	int had;

	if (!new->id || !new->incarnation)
		return -EPROTO;
	had = table_set(ms, new, &old);
	if (had < 0)
		return had;
	if (new->suspected) /* it finds it in the table */
		mod_delayed_work(ms->news_wq, &ms->suspect, 0);
	if (had && old.incarnation == new->incarnation &&
	    old.state == new->state)
		return 0;
	lite_member_changed(ms, had ? &old : NULL, new);
	return 0;
}

/* One page of gmgr's table, from the index @start on. */
static int fetch_page(struct lite_membership *ms, u32 start,
		      struct gmgr_members_rsp *rsp, u32 *nr)
{
	struct gmgr_list_req req = { .start = cpu_to_le32(start) };
	u32 len;
	int err;

	err = lite_gmgr_call(ms, GMGR_MEMBERS, &req, sizeof(req), rsp,
			     LITE_RSP_MAX, &len);
	if (err)
		return err;
	*nr = le32_to_cpu(rsp->nr);
	if (len < sizeof(*rsp) || *nr > GMGR_MEMBERS_MAX ||
	    len != struct_size(rsp, member, *nr))
		return -EPROTO;
	if (start + *nr > GMGR_MEMBERS_LIMIT) {
		pr_warn_ratelimited("%s: gmgr's list of members does not end at %d, as it should\n",
				    ms->node->name, GMGR_MEMBERS_LIMIT);
		return -EPROTO;
	}
	return 0;
}

/*
 * Of many that have come and gone, gmgr forgets those that went first. So do we,
 * later. Not one that is up here and that gmgr does not list: it was restarted, or
 * we ask that one ourselves whether it lives (suspect.c).
 */
static void forget_gone(struct lite_membership *ms)
{
	struct lite_entry *entry;
	unsigned int nr = 0;
	unsigned long id;

	lockdep_assert_held(&ms->news_mutex);
	spin_lock_irq(&ms->lock);
	xa_for_each(&ms->table, id, entry)
		nr++;
	if (nr <= TABLE_MAX)
		goto out_unlock;
	xa_for_each(&ms->table, id, entry) {
		if (entry->round == ms->listed ||
		    entry->m.state == GMGR_MEMBER_UP)
			continue;
		xa_erase(&ms->table, id);
		kfree(entry);
	}
out_unlock:
	spin_unlock_irq(&ms->lock);
}

static int fetch_members(struct lite_membership *ms)
{
	u32 want = READ_ONCE(ms->want);
	struct gmgr_members_rsp *rsp;
	struct lite_member m;
	u32 start = 0, nr, i;
	u64 epoch = 0;
	int err;

	lockdep_assert_held(&ms->news_mutex);
	rsp = kmalloc(LITE_RSP_MAX, GFP_KERNEL);
	if (!rsp)
		return -ENOMEM;
	ms->round++;
	do {
		err = fetch_page(ms, start, rsp, &nr);
		if (err)
			break;
		/* a change while we read has another epoch: we come again */
		if (!start)
			epoch = le64_to_cpu(rsp->epoch);
		for (i = 0; i < nr && !err; i++) {
			member_from_wire(&m, &rsp->member[i]);
			err = update_member(ms, &m);
		}
		start += nr;
	} while (!err && nr);
	kfree(rsp);
	if (err)
		return err;
	spin_lock_irq(&ms->lock);
	ms->listed = ms->round;
	spin_unlock_irq(&ms->lock);
	forget_gone(ms);
	WRITE_ONCE(ms->epoch, epoch);
	WRITE_ONCE(ms->have, want);
	return 0;
}

static void news_work(struct work_struct *work)
{
	struct lite_membership *ms =
		container_of(work, struct lite_membership, news);

	mutex_lock(&ms->news_mutex);
	if (READ_ONCE(ms->gmgr)) { /* a failure: the next beat asks again */
		lite_keep_sync(ms);
		fetch_members(ms);
	}
	mutex_unlock(&ms->news_mutex);
}

static void get_usage(struct lite_membership *ms, struct lite_usage *usage)
{
	memset(usage, 0, sizeof(*usage));
	if (ms->ops->usage)
		ms->ops->usage(ms->node->priv, usage);
}

/* one try; ms->mutex held */
static int join_once(struct lite_membership *ms)
{
	struct lite_node *node = ms->node;
	struct gmgr_join_req req = {};
	struct gmgr_join_rsp rsp;
	struct lite_usage usage;
	u32 id;
	int err;

	get_usage(ms, &usage);
	strscpy(req.name, node->name, sizeof(req.name));
	strscpy(req.addr, node->addr.text, sizeof(req.addr));
	req.incarnation = cpu_to_le64(node->incarnation);
	req.total = cpu_to_le64(usage.total);
	req.role = cpu_to_le32(node->role);
	req.want_id = cpu_to_le32(node->id);
	req.max_vid = cpu_to_le32(usage.max_vid);
	lite_keep_join(ms, &req);
	err = lite_gmgr_call(ms, GMGR_JOIN, &req, sizeof(req), &rsp,
			     sizeof(rsp), NULL);
	if (err)
		return err;
	id = le32_to_cpu(rsp.node_id);
	if (!id)
		return -EPROTO;
	lite_keep_joined(ms, &rsp);
	if (node->id && node->id != id)
		pr_warn("%s: gmgr gave it id %u, it had %u\n", node->name, id,
			node->id);
	WRITE_ONCE(node->id, id);
	ms->heartbeat_ms = clamp_t(u32, le32_to_cpu(rsp.heartbeat_ms), 100,
				   10000);
	WRITE_ONCE(ms->want, ms->want + 1);
	return 0;
}

/* ms->mutex held */
static int heartbeat(struct lite_membership *ms)
{
	struct gmgr_heartbeat_req req = {};
	struct gmgr_heartbeat_rsp rsp;
	struct lite_usage usage;
	int err;

	get_usage(ms, &usage);
	req.node_id = cpu_to_le32(ms->node->id);
	req.nr_spaces = cpu_to_le32(usage.nr_spaces);
	req.incarnation = cpu_to_le64(ms->node->incarnation);
	req.total = cpu_to_le64(usage.total);
	req.used = cpu_to_le64(usage.used);
	req.vnode_epoch = cpu_to_le64(READ_ONCE(ms->vnodes.epoch));
	err = lite_gmgr_call(ms, GMGR_HEARTBEAT, &req, sizeof(req), &rsp,
			     sizeof(rsp), NULL);
	if (err == -ESTALE) {
		/* gmgr was restarted, or has taken us for dead */
		err = join_once(ms);
		if (!err)
			pr_info("%s: joined gmgr again\n", ms->node->name);
		rsp.epoch = 0; /* never gmgr's */
	} else if (!err) {
		WRITE_ONCE(ms->vnode_epoch, le64_to_cpu(rsp.vnode_epoch));
	}
	if (!err && (le64_to_cpu(rsp.epoch) != READ_ONCE(ms->epoch) ||
		     READ_ONCE(ms->have) != ms->want || lite_keep_wants(ms)))
		queue_work(ms->news_wq, &ms->news);
	return err;
}

static void beat_work(struct work_struct *work)
{
	struct lite_membership *ms =
		container_of(work, struct lite_membership, beat.work);
	int err;

	mutex_lock(&ms->mutex);
	if (!ms->gmgr)
		goto out_unlock;
	err = heartbeat(ms);
	if (err && !ms->lost)
		pr_warn("%s: gmgr %s does not answer (%d), going on without it\n",
			ms->node->name, ms->gmgr->addr.text, err);
	else if (!err && ms->lost)
		pr_info("%s: gmgr %s is back\n", ms->node->name,
			ms->gmgr->addr.text);
	ms->lost = err;
	queue_delayed_work(ms->wq, &ms->beat,
			   msecs_to_jiffies(ms->heartbeat_ms));
out_unlock:
	mutex_unlock(&ms->mutex);
}

/* worth trying again: gmgr may be booting, or not have noticed our death */
static bool join_again(int err)
{
	switch (err) {
	case -EEXIST:
	case -EAGAIN: /* it is there, but not ready */
		return true;
	/* Whoever loads us has to do something about these: told at once. */
	case -ENOKEY:
	case -EKEYREJECTED:
	case -EPROTONOSUPPORT:
		return false;
	}
	return lite_no_answer(err);
}

static int join_bounded(struct lite_membership *ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(JOIN_WAIT_MS);
	int err;

	for (;;) {
		err = join_once(ms);
		/* room for one more try, which may take both its time-outs */
		if (!join_again(err) ||
		    time_after(jiffies + msecs_to_jiffies(JOIN_RETRY_MS),
			       deadline))
			return err;
		if (schedule_timeout_killable(msecs_to_jiffies(JOIN_RETRY_MS)) &&
		    fatal_signal_pending(current))
			return -EINTR;
	}
}

static void log_join_error(struct lite_membership *ms, int err)
{
	const char *name = ms->node->name;
	const char *gmgr = ms->gmgr->addr.text;

	if (err == -EEXIST)
		pr_err("%s: gmgr %s has a live member of this name, use another name=\n",
		       name, gmgr);
	else if (err == -ENOSYS)
		pr_err("%s: %s is not a gmgr, check gmgr=\n", name, gmgr);
	else if (err == -EAFNOSUPPORT)
		pr_err("%s: gmgr %s cannot be reached from %s: one is IPv4, the other IPv6; all members of a rack need addresses of one kind\n",
		       name, gmgr, ms->node->addr.text);
	else if (err == -ENOKEY)
		pr_err("%s: gmgr %s and this kernel have no key in common: add one to keyring .lego of both, and name it with key= of lite_rpc\n",
		       name, gmgr);
	else if (err == -EKEYREJECTED)
		pr_err("%s: gmgr %s and this kernel have different keys of that name, check keyring .lego of both and key= of lite_rpc\n",
		       name, gmgr);
	else
		pr_err("%s: no gmgr at %s (error %d), check gmgr= and that it runs\n",
		       name, gmgr, err);
}

/* under both locks, so that either will do to read it */
static void set_gmgr(struct lite_membership *ms, struct lite_peer *gmgr)
{
	lockdep_assert_held(&ms->mutex);
	spin_lock_irq(&ms->lock);
	WRITE_ONCE(ms->gmgr, gmgr);
	spin_unlock_irq(&ms->lock);
}

/* see include/lego/lite.h */
int lite_join(struct lite_node *node, const char *gmgr,
	      const struct lite_member_ops *ops)
{
	struct lite_membership *ms = node->members;
	struct lite_addr addr;
	struct lite_peer *peer;
	int err;

	if (lite_addr_parse(&addr, gmgr, LITE_PORT_GMGR)) {
		pr_err("%s: bad gmgr address '%s', use IP[:port] or loop:NAME\n",
		       node->name, gmgr ?: "");
		return -EINVAL;
	}
	peer = lite_peer_get(node, addr.text, 0);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	mutex_lock(&ms->mutex);
	if (ms->gmgr) {
		err = -EBUSY;
		goto err_unlock;
	}
	set_gmgr(ms, peer);
	ms->ops = ops;
	ms->lost = false;
	err = join_bounded(ms);
	if (!err) {
		mutex_lock(&ms->news_mutex);
		err = fetch_members(ms);
		mutex_unlock(&ms->news_mutex);
	}
	if (err) {
		log_join_error(ms, err);
		set_gmgr(ms, NULL);
		goto err_unlock;
	}
	queue_delayed_work(ms->wq, &ms->beat,
			   msecs_to_jiffies(ms->heartbeat_ms));
	mutex_unlock(&ms->mutex);
	return 0;

err_unlock:
	mutex_unlock(&ms->mutex);
	lite_peer_put(peer);
	return err;
}
EXPORT_SYMBOL_NS_GPL(lite_join, LITE_RPC);

/* see include/lego/lite.h */
void lite_leave(struct lite_node *node)
{
	struct lite_membership *ms = node->members;
	struct gmgr_leave_req req = {
		.node_id = cpu_to_le32(node->id),
		.incarnation = cpu_to_le64(node->incarnation),
	};
	struct lite_peer *gmgr;

	mutex_lock(&ms->mutex);
	gmgr = ms->gmgr;
	/* one try only: gmgr hears of it from our silence otherwise */
	if (gmgr && !ms->lost)
		lite_gmgr_call(ms, GMGR_LEAVE, &req, sizeof(req), NULL, 0,
			       NULL);
	set_gmgr(ms, NULL);
	mutex_unlock(&ms->mutex);
	cancel_delayed_work_sync(&ms->beat);
	cancel_work_sync(&ms->news);
	cancel_delayed_work_sync(&ms->suspect);
	lite_peer_put(gmgr);
}
EXPORT_SYMBOL_NS_GPL(lite_leave, LITE_RPC);

/* see include/lego/lite.h */
struct lite_peer *lite_gmgr(struct lite_node *node)
{
	return READ_ONCE(node->members->gmgr);
}
EXPORT_SYMBOL_NS_GPL(lite_gmgr, LITE_RPC);

/* see include/lego/lite.h */
int lite_member_by_id(struct lite_node *node, u32 id, struct lite_member *m)
{
	struct lite_membership *ms = node->members;
	struct lite_entry *entry;
	unsigned long flags;

	spin_lock_irqsave(&ms->lock, flags);
	entry = xa_load(&ms->table, id);
	if (entry)
		*m = entry->m;
	spin_unlock_irqrestore(&ms->lock, flags);
	return entry ? 0 : -ENOENT;
}
EXPORT_SYMBOL_NS_GPL(lite_member_by_id, LITE_RPC);

/* Those that are up, or those that are not. Return: how many. */
static unsigned int copy_members(struct lite_membership *ms,
				 struct lite_member *m, unsigned int max,
				 bool up)
{
	struct lite_entry *entry;
	unsigned int nr = 0;
	unsigned long id;

	lockdep_assert_held(&ms->lock);
	xa_for_each(&ms->table, id, entry) {
		bool is_up = entry->m.state == GMGR_MEMBER_UP;

		if (nr == max)
			break;
		if (is_up == up)
			m[nr++] = entry->m;
	}
	return nr;
}

/* see include/lego/lite.h */
unsigned int lite_members(struct lite_node *node, struct lite_member *m,
			  unsigned int max)
{
	struct lite_membership *ms = node->members;
	unsigned long flags;
	unsigned int nr;

	spin_lock_irqsave(&ms->lock, flags);
	nr = copy_members(ms, m, max, true);
	nr += copy_members(ms, m + nr, max - nr, false);
	spin_unlock_irqrestore(&ms->lock, flags);
	return nr;
}
EXPORT_SYMBOL_NS_GPL(lite_members, LITE_RPC);

/* see include/lego/lite.h */
struct lite_peer *lite_member_peer(struct lite_node *node, u32 id)
{
	struct lite_member m;
	int err = lite_member_by_id(node, id, &m);

	if (err)
		return ERR_PTR(err);
	if (m.state != GMGR_MEMBER_UP)
		return ERR_PTR(-EHOSTDOWN);
	return lite_peer_get(node, m.addr, m.incarnation);
}
EXPORT_SYMBOL_NS_GPL(lite_member_peer, LITE_RPC);

/**
 * lite_member_id_of() - who has this incarnation
 * @node: node
 * @incarnation: of a member
 *
 * Context: any. Return: its id, 0 if it is not in the table.
 */
u32 lite_member_id_of(struct lite_node *node, u64 incarnation)
{
	struct lite_membership *ms = node->members;
	struct lite_entry *entry;
	unsigned long flags, id;
	u32 found = 0;

	spin_lock_irqsave(&ms->lock, flags);
	xa_for_each(&ms->table, id, entry)
		if (entry->m.incarnation == incarnation)
			found = id;
	spin_unlock_irqrestore(&ms->lock, flags);
	return found;
}

/**
 * lite_member_lives() - does it, as far as is known
 * @node: node
 * @incarnation: of a member
 *
 * Context: any.
 * Return: false if it is dead or has left, or gmgr does not know it, which a
 *	gmgr that was restarted may do for a while.
 */
bool lite_member_lives(struct lite_node *node, u64 incarnation)
{
	struct lite_membership *ms = node->members;
	struct lite_entry *entry;
	unsigned long flags, id;
	bool lives = false;

	spin_lock_irqsave(&ms->lock, flags);
	xa_for_each(&ms->table, id, entry)
		lives |= entry->m.incarnation == incarnation &&
			 entry->m.state == GMGR_MEMBER_UP &&
			 entry->round >= ms->listed;
	spin_unlock_irqrestore(&ms->lock, flags);
	return lives;
}

/**
 * lite_member_gmgr_text() - gmgr's address for people
 * @node: node
 * @buf: where to
 * @size: its bytes
 *
 * Context: process. Return: @buf; "none" if the node has not joined.
 */
const char *lite_member_gmgr_text(struct lite_node *node, char *buf,
				  size_t size)
{
	struct lite_membership *ms = node->members;

	/* not the mutex: it is held while gmgr is waited for */
	spin_lock_irq(&ms->lock);
	strscpy(buf, ms->gmgr ? ms->gmgr->addr.text : "none", size);
	spin_unlock_irq(&ms->lock);
	return buf;
}

static void free_wqs(struct lite_membership *ms)
{
	if (ms->wq)
		destroy_workqueue(ms->wq);
	if (ms->news_wq)
		destroy_workqueue(ms->news_wq);
}

/**
 * lite_members_init() - a node's membership: of nothing yet
 * @node: node
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int lite_members_init(struct lite_node *node)
{
	struct lite_membership *ms;

	ms = kzalloc(sizeof(*ms), GFP_KERNEL);
	if (!ms)
		return -ENOMEM;
	ms->wq = alloc_ordered_workqueue("lite_%s_beat", WQ_MEM_RECLAIM,
					 node->name);
	ms->news_wq = alloc_workqueue("lite_%s_news",
				      WQ_UNBOUND | WQ_MEM_RECLAIM, 2,
				      node->name);
	if (!ms->wq || !ms->news_wq) {
		free_wqs(ms);
		kfree(ms);
		return -ENOMEM;
	}
	ms->node = node;
	ms->heartbeat_ms = DEFAULT_HEARTBEAT_MS;
	mutex_init(&ms->mutex);
	mutex_init(&ms->news_mutex);
	INIT_DELAYED_WORK(&ms->beat, beat_work);
	INIT_WORK(&ms->news, news_work);
	INIT_DELAYED_WORK(&ms->suspect, lite_suspect_work);
	spin_lock_init(&ms->lock);
	xa_init_flags(&ms->table, XA_FLAGS_LOCK_IRQ);
	node->members = ms;
	return 0;
}

/**
 * lite_members_exit() - after lite_leave()
 * @node: node
 *
 * Context: process.
 */
void lite_members_exit(struct lite_node *node)
{
	struct lite_membership *ms = node->members;
	struct lite_entry *entry;
	unsigned long id;

	free_wqs(ms);
	xa_for_each(&ms->table, id, entry)
		kfree(entry);
	xa_destroy(&ms->table);
	kvfree(ms->vnodes.vnode);
	mutex_destroy(&ms->news_mutex);
	mutex_destroy(&ms->mutex);
	kfree(ms);
}
