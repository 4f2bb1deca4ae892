// SPDX-License-Identifier: GPL-2.0
/*
 * Vids: which are taken. They go up from where members say that they were, and
 * a member may say too much: behind GMGR_TOLD_VID_MAX they begin at 1 again.
 * From then on the pComponents are asked for each, as programs of a vNode that
 * was removed may still have it.
 */
#include "gmgr.h"

#define VID_TRIES 64 /* a pComponent could say of all that they are in use */

/**
 * gmgr_vids_init() - none is taken
 * @g: manager
 */
void gmgr_vids_init(struct gmgr *g)
{
	xa_init_flags(&g->vids, XA_FLAGS_ALLOC1);
	g->next_vid = 1;
}

/**
 * gmgr_vid_seen() - this vid belongs to a vNode, or did
 * @g: manager, @lock held
 * @vid: as a member says
 */
void gmgr_vid_seen(struct gmgr *g, u32 vid)
{
	lockdep_assert_held(&g->lock);
	if (!g->vids_again && vid <= GMGR_TOLD_VID_MAX && vid >= g->next_vid)
		g->next_vid = vid + 1;
}

/**
 * gmgr_vid_get() - take a vid that nobody has
 * @g: manager, @lock not held
 * @vid: set to it; for gmgr_vid_set() or gmgr_vid_put()
 *
 * Context: process, may sleep, bounded.
 * Return: 0, -ENOSPC, -ENOMEM; -EHOSTUNREACH: whether programs have it could
 *	not be learnt.
 */
int gmgr_vid_get(struct gmgr *g, u32 *vid)
{
	unsigned int tries;
	bool again;
	u32 nr;
	int err;

	for (tries = 0; tries < VID_TRIES; tries++) {
		mutex_lock(&g->lock);
		err = xa_alloc_cyclic(&g->vids, vid, NULL,
				      XA_LIMIT(1, GMGR_TOLD_VID_MAX),
				      &g->next_vid, GFP_KERNEL);
		if (err > 0)
			g->vids_again = true;
		again = g->vids_again;
		mutex_unlock(&g->lock);
		if (err < 0)
			return err == -EBUSY ? -ENOSPC : err;
		if (!again)
			return 0;
		err = gmgr_procs(g, vid, &nr, 1);
		if (!err && !nr)
			return 0;
		gmgr_vid_put(g, *vid);
		if (err && !nr) {
			pr_warn_ratelimited("%s: no vid for a vNode: they are used again, and a pComponent does not say whether programs have vid %u: try again when lego status shows all members up\n",
					    g->name, *vid);
			return err;
		}
		/* programs have it: the next one */
	}
	return -ENOSPC;
}

/**
 * gmgr_vid_set() - a vid that was taken is a vNode's
 * @g: manager, @lock held
 * @vid: from gmgr_vid_get()
 * @vn: vNode
 */
void gmgr_vid_set(struct gmgr *g, u32 vid, struct gmgr_vn *vn)
{
	lockdep_assert_held(&g->lock);
	vn->vid = vid;
	/* the place is reserved: it takes no memory */
	xa_store(&g->vids, vid, vn, GFP_KERNEL);
}

/**
 * gmgr_vid_put() - nobody has this vid any more
 * @g: manager
 * @vid: vid
 */
void gmgr_vid_put(struct gmgr *g, u32 vid)
{
	xa_erase(&g->vids, vid);
}

/**
 * gmgr_vid_restore() - a member says that a vNode has this vid
 * @g: manager, @lock held
 * @vid: 1 to GMGR_TOLD_VID_MAX
 * @vn: vNode; has it, if 0 is returned
 *
 * Context: process, may sleep. Return: 0, -EBUSY: it is taken; -ENOMEM.
 */
int gmgr_vid_restore(struct gmgr *g, u32 vid, struct gmgr_vn *vn)
{
	int err;

	lockdep_assert_held(&g->lock);
	err = xa_insert(&g->vids, vid, vn, GFP_KERNEL);
	if (!err)
		vn->vid = vid;
	return err;
}

/**
 * gmgr_vid_remove() - a vNode that was restored is removed
 * @g: manager
 * @vid: its
 *
 * A member that was away all the time may tell of it again.
 */
void gmgr_vid_remove(struct gmgr *g, u32 vid)
{
	xa_store(&g->vids, vid, xa_mk_value(0), GFP_KERNEL);
}

/**
 * gmgr_vid_is_removed() - did a vNode with this vid have to go?
 * @g: manager
 * @vid: as a member says
 *
 * Return: true if so.
 */
bool gmgr_vid_is_removed(struct gmgr *g, u32 vid)
{
	return xa_is_value(xa_load(&g->vids, vid));
}

/**
 * gmgr_vnode_by_vid() - a vNode by its id
 * @g: manager, @lock held
 * @vid: id
 *
 * Return: it or NULL.
 */
struct gmgr_vn *gmgr_vnode_by_vid(struct gmgr *g, u32 vid)
{
	void *entry;

	lockdep_assert_held(&g->lock);
	entry = xa_load(&g->vids, vid);
	return xa_is_value(entry) ? NULL : entry;
}
