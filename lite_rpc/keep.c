// SPDX-License-Identifier: GPL-2.0
/*
 * What members keep for gmgr: each has a copy of the vNodes, besides that of the
 * members. gmgr has no disk; when it is restarted, here or on another server, it
 * asks those that join it again for their copies (GMGR_JOIN_TELL), and takes
 * the newest.
 *
 * A copy is told before a newer one is fetched: it may be the only one.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "member.h"

/**
 * lite_keep_join() - say in a join what we could tell
 * @ms: membership
 * @req: the join
 *
 * Context: process.
 */
void lite_keep_join(struct lite_membership *ms, struct gmgr_join_req *req)
{
	u32 vid;

	spin_lock_irq(&ms->lock);
	req->vnode_life = cpu_to_le64(ms->vnodes.life);
	vid = ms->vnodes.next_vid;
	spin_unlock_irq(&ms->lock);
	if (vid && vid - 1 > le32_to_cpu(req->max_vid))
		req->max_vid = cpu_to_le32(vid - 1);
}

/**
 * lite_keep_joined() - does gmgr want to know what we keep?
 * @ms: membership
 * @rsp: answer to the join
 *
 * Context: process.
 */
void lite_keep_joined(struct lite_membership *ms,
		      const struct gmgr_join_rsp *rsp)
{
	spin_lock_irq(&ms->lock);
	ms->gmgr_life = le64_to_cpu(rsp->life);
	if (le32_to_cpu(rsp->flags) & GMGR_JOIN_TELL)
		ms->tell = true;
	spin_unlock_irq(&ms->lock);
}

/**
 * lite_keep_wants() - is there anything to tell or to fetch?
 * @ms: membership
 *
 * Context: any. Return: true if so.
 */
bool lite_keep_wants(struct lite_membership *ms)
{
	return READ_ONCE(ms->tell) ||
	       READ_ONCE(ms->vnode_epoch) != READ_ONCE(ms->vnodes.epoch);
}

/* Members from the first whose id is at least *@id. Return: how many. */
static u32 tell_fill(struct lite_membership *ms, unsigned long *id,
		     struct gmgr_member *w)
{
	struct lite_entry *entry;
	const struct lite_member *m;
	u32 nr = 0;

	spin_lock_irq(&ms->lock);
	xa_for_each_start(&ms->table, *id, entry, *id) {
		if (nr == GMGR_TELL_MEMBERS_MAX)
			break;
		m = &entry->m;
		w[nr] = (struct gmgr_member){
			.node_id = cpu_to_le32(m->id),
			.role = cpu_to_le32(m->role),
			.state = cpu_to_le32(m->state),
			.nr_spaces = cpu_to_le32(m->nr_spaces),
			.incarnation = cpu_to_le64(m->incarnation),
			.total = cpu_to_le64(m->total),
			.used = cpu_to_le64(m->used),
		};
		memcpy(w[nr].name, m->name, sizeof(w[nr].name));
		memcpy(w[nr].addr, m->addr, sizeof(w[nr].addr));
		nr++;
	}
	spin_unlock_irq(&ms->lock);
	return nr;
}

static int tell_members(struct lite_membership *ms)
{
	struct gmgr_tell_members *req;
	unsigned long id = 0;
	u32 nr, len;
	int err;

	req = kmalloc(struct_size(req, member, GMGR_TELL_MEMBERS_MAX),
		      GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	do {
		nr = tell_fill(ms, &id, req->member);
		req->epoch = cpu_to_le64(READ_ONCE(ms->epoch));
		req->nr = cpu_to_le32(nr);
		req->reserved = 0;
		err = nr ? lite_gmgr_call(ms, GMGR_TELL_MEMBERS, req,
					  struct_size(req, member, nr), NULL,
					  0, &len) : 0;
	} while (!err && nr == GMGR_TELL_MEMBERS_MAX);
	kfree(req);
	return err;
}

static int tell_vnodes(struct lite_membership *ms)
{
	const struct lite_vnodes *v = &ms->vnodes;
	struct gmgr_vnode_table *req;
	u32 start = 0, nr, len;
	int err;

	if (!v->life)
		return 0;
	req = kmalloc(struct_size(req, vnode, GMGR_VNODE_TABLE_MAX),
		      GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	do {
		nr = min_t(u32, v->nr - start, GMGR_VNODE_TABLE_MAX);
		*req = (struct gmgr_vnode_table){
			.life = cpu_to_le64(v->life),
			.epoch = cpu_to_le64(v->epoch),
			.next_vid = cpu_to_le32(v->next_vid),
			.nr = cpu_to_le32(nr),
			.start = cpu_to_le32(start),
			.left = cpu_to_le32(v->nr - start - nr),
		};
		if (nr)
			memcpy(req->vnode, &v->vnode[start],
			       nr * sizeof(*v->vnode));
		err = lite_gmgr_call(ms, GMGR_TELL_VNODES, req,
				     struct_size(req, vnode, nr), NULL, 0,
				     &len);
		start += nr;
	} while (!err && start < v->nr);
	kfree(req);
	return err;
}

/* One page of gmgr's table behind the @to->nr that are there. */
static int fetch_page(struct lite_membership *ms, struct lite_vnodes *to,
		      struct gmgr_vnode_table *rsp, u32 *left)
{
	struct gmgr_list_req req = { .start = cpu_to_le32(to->nr) };
	u32 expect = *left, len, nr;
	int err;

	err = lite_gmgr_call(ms, GMGR_VNODE_TABLE, &req, sizeof(req), rsp,
			     LITE_RSP_MAX, &len);
	if (err)
		return err;
	nr = le32_to_cpu(rsp->nr);
	*left = le32_to_cpu(rsp->left);
	if (len < sizeof(*rsp) || nr > GMGR_VNODE_TABLE_MAX ||
	    len != struct_size(rsp, vnode, nr) || *left > GMGR_VNODES_LIMIT ||
	    (*left && !nr) || le32_to_cpu(rsp->start) != to->nr)
		return -EPROTO;
	if (!to->nr) {
		to->life = le64_to_cpu(rsp->life);
		to->epoch = le64_to_cpu(rsp->epoch);
		to->next_vid = le32_to_cpu(rsp->next_vid);
		to->vnode = kvmalloc_array(nr + *left + 1, sizeof(*to->vnode),
					   GFP_KERNEL);
		if (!to->vnode)
			return -ENOMEM;
	} else if (to->epoch != le64_to_cpu(rsp->epoch) ||
		   to->life != le64_to_cpu(rsp->life) ||
		   nr + *left != expect) {
		return -EAGAIN; /* it changed meanwhile: the next beat asks */
	}
	memcpy(&to->vnode[to->nr], rsp->vnode, nr * sizeof(*to->vnode));
	to->nr += nr;
	return 0;
}

static int fetch_vnodes(struct lite_membership *ms)
{
	struct gmgr_vnode_table *rsp;
	struct lite_vnodes new = {};
	u32 left = 0;
	int err;

	rsp = kmalloc(LITE_RSP_MAX, GFP_KERNEL);
	if (!rsp)
		return -ENOMEM;
	do {
		err = fetch_page(ms, &new, rsp, &left);
	} while (!err && left);
	kfree(rsp);
	if (err) {
		kvfree(new.vnode);
		return err;
	}
	spin_lock_irq(&ms->lock);
	/* Of a gmgr that was restarted, which has not been told ours: not yet. */
	if (ms->tell || new.life != ms->gmgr_life)
		err = -EAGAIN;
	else
		swap(ms->vnodes, new);
	spin_unlock_irq(&ms->lock);
	kvfree(new.vnode);
	return err;
}

/**
 * lite_keep_sync() - tell gmgr what it forgot, fetch what is new
 * @ms: membership
 *
 * Context: process, may sleep, bounded; ms->news_mutex held.
 * Return: 0 or a negative errno: the next heartbeat tries again.
 */
int lite_keep_sync(struct lite_membership *ms)
{
	u64 life = 0;
	int err = 0;

	lockdep_assert_held(&ms->news_mutex);
	spin_lock_irq(&ms->lock);
	if (ms->tell)
		life = ms->gmgr_life;
	spin_unlock_irq(&ms->lock);
	if (life) {
		err = tell_members(ms);
		if (!err)
			err = tell_vnodes(ms);
		if (err)
			return err;
		/* One that was restarted again meanwhile has not heard it all. */
		spin_lock_irq(&ms->lock);
		if (ms->gmgr_life == life)
			ms->tell = false;
		spin_unlock_irq(&ms->lock);
	}
	if (READ_ONCE(ms->vnode_epoch) != ms->vnodes.epoch)
		err = fetch_vnodes(ms);
	return err;
}

/* see include/lego/lite.h */
void lite_keep_vnodes(struct lite_node *node)
{
	struct lite_membership *ms = node->members;

	if (mutex_lock_killable(&ms->news_mutex))
		return;
	if (READ_ONCE(ms->gmgr) && !READ_ONCE(ms->tell))
		fetch_vnodes(ms);
	mutex_unlock(&ms->news_mutex);
}
EXPORT_SYMBOL_NS_GPL(lite_keep_vnodes, LITE_RPC);
