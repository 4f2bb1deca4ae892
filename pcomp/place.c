// SPDX-License-Identifier: GPL-2.0
/*
 * Places: where at its owner a page is, so that a miss reads it there by one
 * RDMA read, and no processor of the mComponent has to do with it (OSDI'18's
 * LegoOS asked; Fastswap, EuroSys'20, reads).
 *
 * A write-back's answer tells the page's frame, and the line and later the
 * space's index keep it. The frame is that page's until this pComponent itself
 * has the owner free it, or the owner has taken the keys away; so what is read
 * is never another page. It has the owner free it
 *
 *  - by another write-back, which never runs beside a fetch of the page (page
 *    lock, LINE_WB). Its answer brings the new place; when it fails the owner
 *    may have done it, so the line is dirty and its place is not known;
 *  - by a discard or an unmapping, which goes into the owners' logs only when
 *    the place is forgotten and no fetch is under way (chunk_discard(); nothing
 *    can be fetched where nothing is mapped);
 *  - by the end of the space, after its last line (pcomp_lines_exit()).
 *
 * A forked child's map at the owner holds the frames, too, before anybody can
 * make the parent's let go of them (discard_lock, pcomp_line_settled()). Keys
 * come with a call each, one for MCOMP_PIECE_FRAMES frames, made when a place in
 * that piece is first read; the page is asked for then, as one that has no place
 * is.
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "pcomp.h"

#define ASK_AGAIN (10 * HZ) /* after a no */

/**
 * struct pcomp_export - what an mComponent lets us read, one for all spaces
 * @list: in pcomp.exports
 * @refs: owners, calls under way
 * @pc: component
 * @owner_id: the mComponent
 * @id: its name for it
 * @pieces: struct piece by number; a leaf lock, also taken in softirq
 */
struct pcomp_export {
	struct list_head list;
	refcount_t refs;
	struct pcomp *pc;
	u32 owner_id;
	u64 id;
	struct xarray pieces;
};

/**
 * struct piece - a part of an export
 * @export: whose
 * @number: in it
 * @ready: @rsp has come: the key is there
 * @again: the owner said no: jiffies when to ask again
 * @call: MCOMP_EXPORT
 * @req: what it asks
 * @rsp: what came
 * @rcu: readers of @rsp hold no reference
 */
struct piece {
	struct pcomp_export *export;
	u32 number;
	bool ready;
	unsigned long again;
	struct lite_call call;
	struct mcomp_export_req req;
	struct mcomp_export_rsp rsp;
	struct rcu_head rcu;
};

static void export_put(struct pcomp_export *x)
{
	struct pcomp *pc = x->pc;
	unsigned long i, flags;
	struct piece *p;

	spin_lock_irqsave(&pc->exports_lock, flags);
	if (!refcount_dec_and_test(&x->refs)) {
		spin_unlock_irqrestore(&pc->exports_lock, flags);
		return;
	}
	list_del(&x->list);
	spin_unlock_irqrestore(&pc->exports_lock, flags);
	xa_for_each(&x->pieces, i, p)
		kfree(p);
	xa_destroy(&x->pieces);
	kfree(x);
}

static struct pcomp_export *export_find(struct pcomp *pc, u32 owner_id, u64 id)
{
	struct pcomp_export *x;

	lockdep_assert_held(&pc->exports_lock);
	list_for_each_entry(x, &pc->exports, list) {
		if (x->owner_id == owner_id && x->id == id) {
			refcount_inc(&x->refs);
			return x;
		}
	}
	return NULL;
}

static struct pcomp_export *export_get(struct pcomp *pc, u32 owner_id, u64 id)
{
	struct pcomp_export *x, *new;

	spin_lock_irq(&pc->exports_lock);
	x = export_find(pc, owner_id, id);
	spin_unlock_irq(&pc->exports_lock);
	if (x)
		return x;
	new = kzalloc(sizeof(*new), GFP_NOIO);
	if (!new)
		return NULL;
	refcount_set(&new->refs, 1);
	new->pc = pc;
	new->owner_id = owner_id;
	new->id = id;
	xa_init_flags(&new->pieces, XA_FLAGS_LOCK_IRQ);
	spin_lock_irq(&pc->exports_lock);
	x = export_find(pc, owner_id, id);
	if (!x)
		list_add_tail(&new->list, &pc->exports);
	spin_unlock_irq(&pc->exports_lock);
	if (x)
		kfree(new);
	return x ?: new;
}

/**
 * pcomp_places_learn() - pages were written back: where are they?
 * @o: their owner
 * @rsp: its answer
 * @len: bytes of it
 * @line: the lines, still LINE_WB, so that nobody else has to do with @place
 * @nr: how many
 *
 * Context: process, may sleep.
 */
void pcomp_places_learn(struct pcomp_owner *o,
			const struct mcomp_writeback_rsp *rsp, u32 len,
			struct pcomp_line **line, unsigned int nr)
{
	bool good = len == struct_size(rsp, frame, nr);
	struct pcomp_export *x;
	unsigned int i;

	if (good && !READ_ONCE(o->export)) {
		x = export_get(o->space->pc, o->id, le64_to_cpu(rsp->export));
		/* two write-backs of a space may be here at once */
		if (x && cmpxchg(&o->export, NULL, x))
			export_put(x);
	}
	/* that of a space never changes; be sure */
	x = READ_ONCE(o->export);
	good = good && x && x->id == le64_to_cpu(rsp->export);
	for (i = 0; i < nr; i++)
		line[i]->place = good ? le32_to_cpu(rsp->frame[i]) + 1ULL : 0;
}

/**
 * pcomp_places_fork() - a child's places are its parent's
 * @child: owner of the child's, nobody else knows it yet
 * @parent: the same mComponent as owner of the parent's
 */
void pcomp_places_fork(struct pcomp_owner *child, struct pcomp_owner *parent)
{
	struct pcomp_export *x = READ_ONCE(parent->export);

	if (x)
		refcount_inc(&x->refs);
	child->export = x;
}

/**
 * pcomp_places_exit() - the space has ended
 * @o: its owner
 */
void pcomp_places_exit(struct pcomp_owner *o)
{
	if (o->export)
		export_put(o->export);
	o->export = NULL;
}

static void piece_drop(struct pcomp_export *x, struct piece *p)
{
	unsigned long flags;

	xa_lock_irqsave(&x->pieces, flags);
	if (xa_load(&x->pieces, p->number) == p) {
		__xa_erase(&x->pieces, p->number);
		kfree_rcu(p, rcu);
	}
	xa_unlock_irqrestore(&x->pieces, flags);
}

static void ask_done(struct lite_call *call)
{
	struct piece *p = call->priv;
	struct pcomp_export *x = p->export;

	switch (call->status) {
	case 0:
		if (call->rsp_len == sizeof(p->rsp) &&
		    le32_to_cpu(p->rsp.seg.len) ==
			    MCOMP_PIECE_FRAMES << PAGE_SHIFT) {
			/* pairs with the acquire in pcomp_place_read() */
			smp_store_release(&p->ready, true);
			break;
		}
		fallthrough;
	default:
		WRITE_ONCE(p->again, jiffies + ASK_AGAIN);
		break;
	case -ETIMEDOUT:
	case -ECONNRESET:
	case -ESHUTDOWN:
		/* it was not the owner who said no */
		piece_drop(x, p);
	}
	export_put(x);
}

/*
 * Ask for a key, if nobody has. All is optional here: who fails will be asked
 * for the page, and so asks for the key again at the next.
 */
static void ask(struct pcomp_owner *o, struct pcomp_export *x, u32 number)
{
	struct piece *p = kzalloc(sizeof(*p), GFP_NOWAIT | __GFP_NOWARN);
	unsigned long flags;
	int err;

	if (!p)
		return;
	p->export = x;
	p->number = number;
	p->req.space = cpu_to_le64(o->space->id);
	p->req.piece = cpu_to_le32(number);
	p->call = (struct lite_call){
		.op = MCOMP_EXPORT,
		/* the class it is used in: the same transport */
		.class = LITE_CLASS_DEMAND,
		.req = &p->req,
		.req_len = sizeof(p->req),
		.rsp = &p->rsp,
		.rsp_size = sizeof(p->rsp),
		.done = ask_done,
		.priv = p,
	};
	xa_lock_irqsave(&x->pieces, flags);
	err = __xa_insert(&x->pieces, number, p, GFP_NOWAIT | __GFP_NOWARN);
	xa_unlock_irqrestore(&x->pieces, flags);
	if (err) {
		kfree(p);
		return;
	}
	refcount_inc(&x->refs);
	if (lite_call_start(o->peer, &p->call)) {
		piece_drop(x, p);
		export_put(x);
	}
}

/**
 * pcomp_place_read() - begin to read a page at its place
 * @o: its owner
 * @place: its place
 * @call: as for lite_read_start()
 *
 * Context: process, under the page's lock.
 * Return: as lite_read_start(); -ENODATA: it has to be asked for.
 */
int pcomp_place_read(struct pcomp_owner *o, u64 place, struct lite_call *call)
{
	struct pcomp_export *x = READ_ONCE(o->export);
	struct lite_wire_seg seg;
	u32 frame = place - 1;
	struct piece *p;
	int err = -ENODATA;

	if (!place || !x)
		return -ENODATA;
	rcu_read_lock();
	p = xa_load(&x->pieces, frame / MCOMP_PIECE_FRAMES);
	/* pairs with the release in ask_done() */
	if (p && smp_load_acquire(&p->ready)) {
		seg = p->rsp.seg;
		le64_add_cpu(&seg.addr, (u64)(frame % MCOMP_PIECE_FRAMES)
						<< PAGE_SHIFT);
		seg.len = cpu_to_le32(PAGE_SIZE);
		err = lite_read_start(o->peer, &seg, call);
	} else if (p && READ_ONCE(p->again) &&
		   time_after(jiffies, READ_ONCE(p->again))) {
		piece_drop(x, p);
	} else if (!p) {
		ask(o, x, frame / MCOMP_PIECE_FRAMES);
	}
	rcu_read_unlock();
	return err;
}

/**
 * pcomp_place_failed() - a read failed: the key may be dead
 * @o: the owner
 * @place: what was read
 *
 * Context: process.
 */
void pcomp_place_failed(struct pcomp_owner *o, u64 place)
{
	struct pcomp_export *x = READ_ONCE(o->export);
	struct piece *p;

	rcu_read_lock();
	p = x ? xa_load(&x->pieces, (u32)(place - 1) / MCOMP_PIECE_FRAMES) :
		NULL;
	/* one that was asked for since then is not to blame, but no matter */
	if (p && READ_ONCE(p->ready))
		piece_drop(x, p);
	rcu_read_unlock();
}
