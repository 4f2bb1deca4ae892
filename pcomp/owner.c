// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: the mComponents that have part of a space, and what they know of its
 * address range.
 *
 * The home cuts the range into vRegions and says who owns each; that is asked
 * at the first write-back to a vRegion and never changes while nobody dies.
 * Owners keep the VMA tree; changes are logged here and sent in batches, always
 * before a write-back that may depend on them, otherwise lazily: mmap() and
 * munmap() wait for no message.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <lego/ranges.h>
#include "pcomp.h"

#define CTL_TRIES 3
#define FLUSH_DELAY (HZ / 5)
#define BYE_DELAY (HZ / 2) /* there may be many of them */

/*
 * Updates that an owner has not heard of: 96 KiB. From half of that on it is told
 * soon, and who changes more waits for it: it may be away.
 */
#define LOG_MAX 4096

/**
 * pcomp_ctl_call() - a control call, repeated where that may help
 * @peer: whom
 * @op: an idempotent operation
 * @req: payload
 * @len: its bytes
 * @rsp: room for the reply
 * @rsp_size: its bytes; a reply of another length is -EPROTO
 *
 * Context: process, may sleep, bounded.
 * Return: as lite_call().
 */
int pcomp_ctl_call(struct lite_peer *peer, u16 op, const void *req, u32 len,
		   void *rsp, u32 rsp_size)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = len,
		.rsp = rsp,
		.rsp_size = rsp_size,
	};
	int i, err = 0;

	for (i = 0; i < CTL_TRIES; i++) {
		err = lite_call(peer, &call);
		if (err != -ECONNRESET && err != -ENOTCONN)
			break;
	}
	if (!err && call.rsp_len != rsp_size)
		return -EPROTO;
	return err;
}

/**
 * pcomp_mcomp_peer() - an mComponent that gmgr, or a home, has chosen
 * @pc: component
 * @id: its node id
 *
 * One that has just joined, or joined again, they know before this node has read
 * gmgr's table.
 * Context: process. Return: a reference for lite_peer_put(), or ERR_PTR:
 *	-EHOSTUNREACH if it is not there, or not up, as far as is known here.
 */
struct lite_peer *pcomp_mcomp_peer(struct pcomp *pc, u32 id)
{
	struct lite_peer *peer = lite_member_peer(pc->node, id);

	if (peer == ERR_PTR(-ENOENT) || peer == ERR_PTR(-EHOSTDOWN))
		return ERR_PTR(-EHOSTUNREACH);
	return peer;
}

/* Append an update to what an owner has not heard of. log_lock held. */
static int append(struct pcomp_owner *o, const struct mcomp_vma_op *op)
{
	if (o->nr_ops == o->max_ops) {
		unsigned int max = o->max_ops ? 2 * o->max_ops : 64;
		struct mcomp_vma_op *ops;

		ops = kvmalloc_array(max, sizeof(*ops), GFP_NOIO);
		if (!ops)
			return -ENOMEM;
		if (o->nr_ops)
			memcpy(ops, o->ops, o->nr_ops * sizeof(*ops));
		kvfree(o->ops);
		o->ops = ops;
		o->max_ops = max;
	}
	o->ops[o->nr_ops++] = *op;
	return 0;
}

static void vma_op(struct mcomp_vma_op *op, u32 kind, unsigned long start,
		   unsigned long len, unsigned long prot)
{
	*op = (struct mcomp_vma_op){
		.start = cpu_to_le64(start),
		.len = cpu_to_le64(len),
		.kind = cpu_to_le32(kind),
		.prot = cpu_to_le32(prot),
	};
}

/* Bring the own record of what is mapped up to date. log_lock held. */
static int record(struct pcomp_space *s, u32 kind, unsigned long start,
		  unsigned long len, unsigned long prot)
{
	pgoff_t first = start >> PAGE_SHIFT;
	pgoff_t last = (start + len - 1) >> PAGE_SHIFT;

	switch (kind) {
	case MCOMP_VMA_MAP:
		return lego_ranges_store(&s->ranges, first, last,
					 xa_mk_value(prot + 1), GFP_NOIO);
	case MCOMP_VMA_UNMAP:
		return mtree_store_range(&s->ranges, first, last, NULL,
					 GFP_NOIO);
	}
	/* protections of parts are not worth splitting the record */
	return 0;
}

/* The work has a reference of the space. @delay is 0: it is late already. */
static void flush_later(struct pcomp_space *s, unsigned long delay)
{
	struct workqueue_struct *wq = s->pc->flush_wq;

	refcount_inc(&s->refs);
	if (delay ? !queue_delayed_work(wq, &s->flush_work, delay) :
		    mod_delayed_work(wq, &s->flush_work, 0))
		pcomp_space_put(s); /* it was queued, and has one */
}

/**
 * pcomp_flush_cancel() - an mm has ended: owners need not hear of its VMAs
 * @s: the space, of which the caller has a reference
 *
 * Context: any but hard interrupt.
 */
void pcomp_flush_cancel(struct pcomp_space *s)
{
	WRITE_ONCE(s->ended, true);
	if (cancel_delayed_work(&s->flush_work))
		pcomp_space_put(s);
}

/**
 * pcomp_log() - an address range changes
 * @s: the space
 * @kind: enum mcomp_vma_kind
 * @start: address
 * @len: bytes, whole pages, not 0
 * @prot: PROT_*
 *
 * A mapping is logged before it is made, an unmapping after it was done, so
 * that what owners know always covers what can be written.
 * Return: 0 or -ENOMEM.
 */
int pcomp_log(struct pcomp_space *s, u32 kind, unsigned long start,
	      unsigned long len, unsigned long prot)
{
	struct mcomp_vma_op op;
	struct pcomp_owner *o;
	bool late = false, much = false;
	int err;

	vma_op(&op, kind, start, len, prot);
	mutex_lock(&s->log_lock);
	if (kind != MCOMP_VMA_MAP) {
		unsigned long i = start >> PAGE_SHIFT;

		if (!mt_find(&s->ranges, &i, (start + len - 1) >> PAGE_SHIFT)) {
			mutex_unlock(&s->log_lock);
			return 0;
		}
	}
	err = record(s, kind, start, len, prot);
	if (!err)
		list_for_each_entry(o, &s->owners, list) {
			err = append(o, &op);
			if (err)
				break;
			late = true;
			much |= o->nr_ops >= LOG_MAX / 2;
		}
	mutex_unlock(&s->log_lock);
	if (much)
		flush_later(s, 0);
	else if (late && (kind == MCOMP_VMA_UNMAP || kind == MCOMP_VMA_DISCARD))
		flush_later(s, FLUSH_DELAY);
	return err;
}

/*
 * The updates of the next message, which stay in the log till it is answered. A
 * message that was not is sent again as it was, whatever has been appended
 * since: its owner may have done it, and does nothing more under its number.
 */
static unsigned int log_copy_out(struct pcomp_owner *o,
				 struct mcomp_vma_op *op)
{
	lockdep_assert_held(&o->flush_lock);
	mutex_lock(&o->space->log_lock);
	if (!o->nr_sent)
		o->nr_sent = min_t(unsigned int, o->nr_ops, MCOMP_VMA_OPS_MAX);
	if (o->nr_sent)
		memcpy(op, o->ops, o->nr_sent * sizeof(*op));
	mutex_unlock(&o->space->log_lock);
	return o->nr_sent;
}

/* The message was answered. */
static void log_advance(struct pcomp_owner *o)
{
	lockdep_assert_held(&o->flush_lock);
	o->seq++;
	mutex_lock(&o->space->log_lock);
	o->nr_ops -= o->nr_sent;
	memmove(o->ops, o->ops + o->nr_sent, o->nr_ops * sizeof(*o->ops));
	mutex_unlock(&o->space->log_lock);
	o->nr_sent = 0;
}

/**
 * pcomp_owner_flush() - tell an owner all that it has not heard of
 * @o: the owner
 *
 * What is logged meanwhile is for the next one, or there might be no end.
 * Context: process, may sleep, bounded; killable, which kernel threads are not.
 * Return: 0 or why the owner did not answer; -EINTR.
 */
int pcomp_owner_flush(struct pcomp_owner *o)
{
	struct {
		struct mcomp_vma_req h;
		struct mcomp_vma_op op[MCOMP_VMA_OPS_MAX];
	} *req;
	unsigned long start = jiffies;
	unsigned int n, left;
	int err = 0;

	if (!READ_ONCE(o->nr_ops))
		return 0;
	req = kmalloc(sizeof(*req), GFP_NOIO);
	if (!req)
		return -ENOMEM;
	if (mutex_lock_killable(&o->flush_lock)) {
		kfree(req);
		return -EINTR;
	}
	/* or each that waits here would wait for a time-out of its own */
	if (o->flush_err && time_after(o->flush_end, start)) {
		err = o->flush_err;
		goto out_unlock;
	}
	for (left = READ_ONCE(o->nr_ops); left; left -= min(n, left)) {
		n = log_copy_out(o, req->op);
		req->h = (struct mcomp_vma_req){
			.space = cpu_to_le64(o->space->id),
			.seq = cpu_to_le64(o->seq + 1),
			.nr = cpu_to_le32(n),
		};
		err = pcomp_ctl_call(o->peer, MCOMP_VMA_UPDATE, req,
				     struct_size(&req->h, op, n), NULL, 0);
		if (err)
			break;
		log_advance(o);
	}
	o->flush_err = err == -EINTR ? 0 : err; /* that is one's own */
	o->flush_end = jiffies;
out_unlock:
	mutex_unlock(&o->flush_lock);
	kfree(req);
	return err;
}

/**
 * pcomp_log_wait() - wait till no owner's log is too long
 * @s: the current process's space
 *
 * An owner that is away is waited for as long as by a fetch; then the space is
 * lost.
 * Context: process, may sleep; killable.
 * Return: 0; -EINTR: killed, or going to be.
 */
int pcomp_log_wait(struct pcomp_space *s)
{
	unsigned long end = pcomp_again_deadline();
	struct pcomp_owner *o;
	int err;

	/* owners are only ever added, at the end */
	list_for_each_entry(o, &s->owners, list) {
		if (likely(READ_ONCE(o->nr_ops) < LOG_MAX))
			continue;
		do {
			err = pcomp_owner_flush(o);
		} while (pcomp_again(s, err, end, true));
		if (!err)
			continue;
		if (!fatal_signal_pending(current))
			pcomp_space_lost(s, o->id, err);
		if (READ_ONCE(s->broken))
			pcomp_space_kill_current(s);
		return -EINTR;
	}
	return 0;
}

/**
 * pcomp_owners_flush_work() - tell owners of unmapped memory
 * @work: flush_work of a space
 */
void pcomp_owners_flush_work(struct work_struct *work)
{
	struct pcomp_space *s = container_of(to_delayed_work(work),
					     struct pcomp_space, flush_work);
	struct pcomp_owner *o;
	bool again = false;
	int err;

	/* owners are only ever added, at the end */
	list_for_each_entry(o, &s->owners, list) {
		if (READ_ONCE(s->ended))
			break;
		err = pcomp_owner_flush(o);
		if (err && !pcomp_transient(err))
			pcomp_space_lost(s, o->id, err);
		else if (err && !READ_ONCE(s->broken))
			again = true;
	}
	if (again && !READ_ONCE(s->ended))
		flush_later(s, HZ);
	pcomp_space_put(s);
}

static struct pcomp_owner *owner_alloc(struct pcomp_space *s, u32 id,
				       struct lite_peer *peer)
{
	struct pcomp_owner *o = kzalloc(sizeof(*o), GFP_NOIO);

	if (!o)
		return NULL;
	o->space = s;
	o->id = id;
	o->peer = peer;
	mutex_init(&o->flush_lock);
	return o;
}

static void owner_free(struct pcomp_owner *o)
{
	pcomp_places_exit(o);
	lite_peer_put(o->peer);
	kvfree(o->ops);
	kfree(o);
}

/* A new owner first hears of all that is mapped. log_lock held. */
static int seed(struct pcomp_owner *o)
{
	MA_STATE(mas, &o->space->ranges, 0, 0);
	struct mcomp_vma_op op;
	void *entry;
	int err = 0;

	/* log_lock keeps the tree still; RCU is only for the tree's own sake */
	rcu_read_lock();
	mas_for_each(&mas, entry, ULONG_MAX) {
		vma_op(&op, MCOMP_VMA_MAP, mas.index << PAGE_SHIFT,
		       (mas.last - mas.index + 1) << PAGE_SHIFT,
		       xa_to_value(entry) - 1);
		mas_pause(&mas);
		rcu_read_unlock();
		err = append(o, &op);
		rcu_read_lock();
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

static struct pcomp_owner *find(struct pcomp_space *s, u32 id)
{
	struct pcomp_owner *o;

	list_for_each_entry(o, &s->owners, list)
		if (o->id == id)
			return o;
	return NULL;
}

/* The owner with this id, made if the space has it not yet. */
static struct pcomp_owner *find_or_add(struct pcomp_space *s, u32 id)
{
	struct pcomp_owner *o;
	struct lite_peer *peer;
	int err;

	mutex_lock(&s->log_lock);
	o = find(s, id);
	mutex_unlock(&s->log_lock);
	if (o)
		return o;
	peer = pcomp_mcomp_peer(s->pc, id);
	if (IS_ERR(peer))
		return ERR_CAST(peer);
	mutex_lock(&s->log_lock);
	o = find(s, id);
	if (o) {
		lite_peer_put(peer);
		goto out_unlock;
	}
	o = owner_alloc(s, id, peer);
	if (!o) {
		lite_peer_put(peer);
		o = ERR_PTR(-ENOMEM);
		goto out_unlock;
	}
	err = seed(o);
	if (err) {
		owner_free(o);
		o = ERR_PTR(err);
		goto out_unlock;
	}
	list_add_tail_rcu(&o->list, &s->owners);
out_unlock:
	mutex_unlock(&s->log_lock);
	return o;
}

static struct pcomp_owner *ask(struct pcomp_space *s, unsigned long vregion)
{
	struct mcomp_vregion_req req = {
		.space = cpu_to_le64(s->id),
		.vregion = cpu_to_le64(vregion),
	};
	struct mcomp_vregion_rsp rsp;
	struct pcomp_owner *o;
	void *old;
	int err;

	err = pcomp_ctl_call(s->home, MCOMP_VREGION_GET, &req, sizeof(req),
			     &rsp, sizeof(rsp));
	if (err)
		return ERR_PTR(err);
	o = find_or_add(s, le32_to_cpu(rsp.owner_id));
	if (IS_ERR(o))
		return o;
	old = xa_store(&s->vregions, vregion, o, GFP_NOIO);
	return xa_is_err(old) ? ERR_PTR(xa_err(old)) : o;
}

/**
 * pcomp_owner_of() - who owns a page
 * @s: the space
 * @index: the page
 * @make: ask the home if it is not known
 *
 * Context: any without @make, else process, may sleep, bounded.
 * Return: the owner, as long as the space lives; not known: NULL without @make,
 *	else ERR_PTR.
 */
struct pcomp_owner *pcomp_owner_of(struct pcomp_space *s, pgoff_t index,
				   bool make)
{
	unsigned long vregion = index >> s->vregion_shift;
	struct pcomp_owner *o = xa_load(&s->vregions, vregion);

	return o || !make ? o : ask(s, vregion);
}

/**
 * pcomp_owners_fork() - a child starts with its parent's owners
 * @parent: all its updates were flushed, and none can come (mmap_lock)
 * @child: nobody else knows it yet
 *
 * Return: 0 or -errno.
 */
int pcomp_owners_fork(struct pcomp_space *parent, struct pcomp_space *child)
{
	MA_STATE(mas, &parent->ranges, 0, 0);
	struct pcomp_owner *o, *c;
	unsigned int noio;
	unsigned long i;
	void *entry;
	int err = 0;

	/* the parent's write-backs take the lock, and reclaim may need these */
	noio = memalloc_noio_save();
	mutex_lock(&parent->log_lock);
	rcu_read_lock();
	mas_for_each(&mas, entry, ULONG_MAX) {
		unsigned long first = mas.index, last = mas.last;

		mas_pause(&mas);
		rcu_read_unlock();
		err = mtree_store_range(&child->ranges, first, last, entry,
					GFP_KERNEL);
		rcu_read_lock();
		if (err)
			break;
	}
	rcu_read_unlock();
	if (err)
		goto out_unlock;
	list_for_each_entry(o, &parent->owners, list) {
		struct lite_peer *peer;

		peer = lite_member_peer(child->pc->node, o->id);
		if (IS_ERR(peer)) {
			err = PTR_ERR(peer);
			goto out_unlock;
		}
		c = owner_alloc(child, o->id, peer);
		if (!c) {
			lite_peer_put(peer);
			err = -ENOMEM;
			goto out_unlock;
		}
		pcomp_places_fork(c, o);
		list_add_tail_rcu(&c->list, &child->owners);
	}
	xa_for_each(&parent->vregions, i, o) {
		err = xa_err(xa_store(&child->vregions, i,
				      find(child, o->id), GFP_KERNEL));
		if (err)
			break;
	}
out_unlock:
	mutex_unlock(&parent->log_lock);
	memalloc_noio_restore(noio);
	return err;
}

static struct mcomp_space_req destroy_req(const struct pcomp_space *s)
{
	return (struct mcomp_space_req){
		.space = cpu_to_le64(s->id),
		.pcomp_incarnation =
			cpu_to_le64(lite_node_incarnation(s->pc->node)),
		.vid = cpu_to_le32(s->vid),
		.pcomp_id = cpu_to_le32(lite_node_id(s->pc->node)),
	};
}

/**
 * pcomp_owners_abandon() - a space that perhaps came to be shall not be
 * @s: space, not published, with a home
 * @end: as of pcomp_again()
 *
 * Context: process, may sleep, bounded; killable.
 * Return: 0: its home has heard it, and will not make it later either.
 */
int pcomp_owners_abandon(struct pcomp_space *s, unsigned long end)
{
	struct mcomp_space_req req = destroy_req(s);
	int err;

	do {
		err = pcomp_ctl_call(s->home, MCOMP_SPACE_DESTROY, &req,
				     sizeof(req), NULL, 0);
	} while (pcomp_again(s, err, end, true));
	return err;
}

/* Is whoever was told last to be told once more? */
static bool bye_again(const struct pcomp_space *s)
{
	const struct pcomp_bye *bye = &s->bye;
	int err = bye->call.status;

	if ((err == -ECONNRESET || err == -ENOTCONN) && bye->tries < CTL_TRIES)
		return true;
	return pcomp_transient(err) && !READ_ONCE(s->broken) &&
	       time_before(jiffies, bye->end);
}

static void bye_done(struct lite_call *call)
{
	struct pcomp_space *s = call->priv;

	queue_delayed_work(s->pc->wq, &s->bye.work,
			   bye_again(s) ? BYE_DELAY : 0);
}

/*
 * No thread waits for the answer: there may be as many spaces at an mComponent
 * that is away as the queue has threads, and those at others end there, too.
 */
static void bye_send(struct pcomp_space *s)
{
	struct pcomp_bye *bye = &s->bye;

	bye->tries++;
	bye->call = (struct lite_call){
		.op = MCOMP_SPACE_DESTROY,
		.class = LITE_CLASS_CONTROL,
		.req = &bye->req,
		.req_len = sizeof(bye->req),
		.done = bye_done,
		.priv = s,
	};
	lite_call_queue(bye->to ? bye->to->peer : s->home, &bye->call);
}

/*
 * Who is told next? The home tells the others, of which it knows all. Only one
 * that does not answer cannot be relied on.
 */
static bool bye_next(struct pcomp_space *s)
{
	struct pcomp_bye *bye = &s->bye;
	struct pcomp_owner *o = bye->to;

	if (!o && !bye->call.status)
		return false;
	o = list_prepare_entry(o, &s->owners, list);
	list_for_each_entry_continue(o, &s->owners, list) {
		if (o->id == s->home_id)
			continue;
		bye->to = o;
		bye->tries = 0;
		return true;
	}
	return false;
}

static void bye_work(struct work_struct *work)
{
	struct pcomp_space *s = container_of(to_delayed_work(work),
					     struct pcomp_space, bye.work);
	struct pcomp_bye *bye = &s->bye;

	if (bye_again(s)) {
		bye_send(s);
		return;
	}
	if (bye->call.status)
		pr_warn_ratelimited("%s: could not give space %llx back to node %u: error %d\n",
				    s->pc->name, s->id,
				    bye->to ? bye->to->id : s->home_id,
				    bye->call.status);
	if (bye_next(s))
		bye_send(s);
	else
		pcomp_space_forget(s);
}

/**
 * pcomp_owners_leave() - tell the owners that the space has ended
 * @s: the space; nobody uses it any more. When they have heard it, or could not
 *	be told, pcomp_space_forget() is called
 *
 * Context: process; waits for no mComponent.
 */
void pcomp_owners_leave(struct pcomp_space *s)
{
	/* without an id (pcomp_space_renumber()) no home has it */
	if (!s->home || !s->id) {
		pcomp_space_forget(s);
		return;
	}
	INIT_DELAYED_WORK(&s->bye.work, bye_work);
	s->bye.req = destroy_req(s);
	s->bye.end = pcomp_again_deadline();
	bye_send(s);
}

/**
 * pcomp_owners_exit() - forget a space's owners
 * @s: the space, of which they have heard that it has ended
 *
 * Context: process, may sleep.
 */
void pcomp_owners_exit(struct pcomp_space *s)
{
	struct pcomp_owner *o, *tmp;

	if (s->home)
		lite_peer_put(s->home);
	list_for_each_entry_safe(o, tmp, &s->owners, list)
		owner_free(o);
	xa_destroy(&s->vregions);
	mtree_destroy(&s->ranges);
}
