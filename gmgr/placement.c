// SPDX-License-Identifier: GPL-2.0
/*
 * Placement: mechanism. The policies are policy.c's.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "gmgr.h"

/**
 * gmgr_policy_find() - a placement policy by name
 * @name: as in sysfs; a newline at its end does no harm
 *
 * Return: the policy or NULL.
 */
const struct gmgr_place_ops *gmgr_policy_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < GMGR_NR_POLICIES; i++)
		if (sysfs_streq(name, gmgr_policies[i]->name))
			return gmgr_policies[i];
	return NULL;
}

/*
 * A process placed now uses memory only later. Until heartbeats tell what it
 * really took, believe that it is 1/32 of the mComponent.
 */
static void place_guess(struct gmgr_component *c)
{
	c->placed += c->total / 32;
}

/**
 * gmgr_place_heard() - a heartbeat brought real figures: trust guesses less
 * @c: mComponent, gmgr.lock held
 *
 * A guess is down to a tenth after 8 heartbeats.
 */
void gmgr_place_heard(struct gmgr_component *c)
{
	c->placed -= c->placed / 4;
}

/**
 * gmgr_place() - choose the home of a new process
 * @g: manager
 * @vid: its vNode
 * @home_id: set to the mComponent's node id
 *
 * Context: process, may sleep.
 * Return: 0, -EAGAIN (gmgr was just started), -ENOENT (no such vNode),
 *	-EHOSTUNREACH (no mComponent is up), -ENOMEM.
 */
int gmgr_place(struct gmgr *g, u32 vid, u32 *home_id)
{
	struct gmgr_place_view view = {};
	struct gmgr_place_cand *cand;
	struct gmgr_component *c, **comp;
	unsigned int pick;
	int err = 0;

	cand = kcalloc(GMGR_MEMBERS_LIMIT, sizeof(*cand), GFP_KERNEL);
	comp = kcalloc(GMGR_MEMBERS_LIMIT, sizeof(*comp), GFP_KERNEL);
	if (!cand || !comp) {
		err = -ENOMEM;
		goto out_free;
	}

	mutex_lock(&g->lock);
	if (!g->settled) {
		err = -EAGAIN; /* it would be there soon */
		goto out_unlock;
	}
	if (!vid || !gmgr_vnode_by_vid(g, vid)) {
		err = -ENOENT;
		goto out_unlock;
	}
	list_for_each_entry(c, &g->members, list) {
		if (c->role != LITE_ROLE_MCOMP ||
		    c->state != GMGR_MEMBER_UP || c->told)
			continue;
		cand[view.nr].id = c->id;
		cand[view.nr].total = c->total;
		cand[view.nr].used = c->used + c->placed;
		comp[view.nr++] = c;
	}
	if (!view.nr) {
		err = -EHOSTUNREACH;
		goto out_unlock;
	}
	view.cand = cand;
	view.turn = g->place_turn++;
	pick = g->place->pick(&view);
	if (WARN_ON_ONCE(pick >= view.nr))
		pick = 0;
	place_guess(comp[pick]);
	*home_id = comp[pick]->id;

out_unlock:
	mutex_unlock(&g->lock);
out_free:
	kfree(comp);
	kfree(cand);
	return err;
}
