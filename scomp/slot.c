// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that change files are executed once, in order: NFSv4.1's session
 * slots (fs/nfsd's nfsd4_sequence()). A slot keeps the number and the reply of
 * its last request. So a repeat is answered and not executed again, a request
 * that was late is not executed after the next one, and CANCEL settles what
 * becomes of a request whose caller does not wait any more.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include "scomp.h"

#define SCOMP_CLIENT_BITS 6
/* Twice as many as gmgr takes: those that ended are forgotten some time. */
#define SCOMP_CLIENTS_MAX 512

static_assert(sizeof(struct scomp_attr) <= SCOMP_RSP_MAX);
static_assert(sizeof(struct scomp_io_rsp) <= SCOMP_RSP_MAX);
static_assert(sizeof(struct scomp_setattr_rsp) <= SCOMP_RSP_MAX);
static_assert(sizeof(struct scomp_fsync_rsp) <= SCOMP_RSP_MAX);

/**
 * enum scomp_slot_state - of the request with the slot's number
 * @SCOMP_SLOT_FREE: it was not executed
 * @SCOMP_SLOT_BUSY: it is being executed
 * @SCOMP_SLOT_DONE: it was, and this is its reply
 * @SCOMP_SLOT_CANCELLED: it never will be
 */
enum scomp_slot_state {
	SCOMP_SLOT_FREE,
	SCOMP_SLOT_BUSY,
	SCOMP_SLOT_DONE,
	SCOMP_SLOT_CANCELLED,
};

/**
 * struct scomp_slot - a slot
 * @seq: the highest number that was seen
 * @state: of that one
 * @ret: what its operation returned
 * @rsp: its reply, as much as @ret says
 */
struct scomp_slot {
	u64 seq;
	enum scomp_slot_state state;
	int ret;
	u8 rsp[SCOMP_RSP_MAX];
};

/**
 * struct scomp_client - an incarnation of a pComponent
 * @node: in scomp_slots.hash
 * @lru: in scomp_slots.lru
 * @incarnation: which
 * @users: requests that use it just now
 * @slots: those it has used
 */
struct scomp_client {
	struct hlist_node node;
	struct list_head lru;
	u64 incarnation;
	unsigned int users;
	struct xarray slots;
};

/**
 * struct scomp_slots - all slots of a sComponent
 * @lock: protects what follows, and what is in the slots; only the slots'
 *	xa_lock is taken below it
 * @hash: clients by incarnation
 * @lru: the same, the one that asked last at the end
 * @nr: how many clients
 */
struct scomp_slots {
	spinlock_t lock; /* see above */
	struct hlist_head hash[1 << SCOMP_CLIENT_BITS];
	struct list_head lru;
	unsigned int nr;
};

/**
 * scomp_slots_create() - none yet
 *
 * Context: process, sleeps.
 * Return: for scomp_slots_destroy(), or NULL: no memory.
 */
struct scomp_slots *scomp_slots_create(void)
{
	struct scomp_slots *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	spin_lock_init(&t->lock);
	INIT_LIST_HEAD(&t->lru);
	return t;
}

static void scomp_client_free(struct scomp_client *client)
{
	struct scomp_slot *slot;
	unsigned long nr;

	xa_for_each(&client->slots, nr, slot)
		kfree(slot);
	xa_destroy(&client->slots);
	kfree(client);
}

/**
 * scomp_slots_destroy() - give them back
 * @t: no request is executed any more
 */
void scomp_slots_destroy(struct scomp_slots *t)
{
	struct scomp_client *client, *next;

	list_for_each_entry_safe(client, next, &t->lru, lru)
		scomp_client_free(client);
	kfree(t);
}

static struct scomp_client *scomp_client_find(struct scomp_slots *t,
					      u64 incarnation)
{
	struct scomp_client *client;

	lockdep_assert_held(&t->lock);
	hlist_for_each_entry(client,
			     &t->hash[hash_64(incarnation, SCOMP_CLIENT_BITS)],
			     node)
		if (client->incarnation == incarnation)
			return client;
	return NULL;
}

/* Takes out the client that has not asked for the longest time, if need be. */
static struct scomp_client *scomp_client_evict(struct scomp_slots *t)
{
	struct scomp_client *client;

	lockdep_assert_held(&t->lock);
	if (t->nr <= SCOMP_CLIENTS_MAX)
		return NULL;
	list_for_each_entry(client, &t->lru, lru) {
		if (client->users)
			continue;
		hlist_del(&client->node);
		list_del(&client->lru);
		t->nr--;
		return client;
	}
	return NULL;
}

static struct scomp_client *scomp_client_get(struct scomp_slots *t,
					     u64 incarnation)
{
	struct scomp_client *client, *new = NULL, *old = NULL;

	for (;;) {
		spin_lock(&t->lock);
		client = scomp_client_find(t, incarnation);
		if (!client && new) {
			client = new;
			new = NULL;
			hlist_add_head(&client->node,
				       &t->hash[hash_64(incarnation,
							SCOMP_CLIENT_BITS)]);
			list_add_tail(&client->lru, &t->lru);
			t->nr++;
		}
		if (client) {
			client->users++;
			list_move_tail(&client->lru, &t->lru);
			old = scomp_client_evict(t);
		}
		spin_unlock(&t->lock);
		if (client)
			break;
		new = kzalloc(sizeof(*new), GFP_KERNEL);
		if (!new)
			return NULL;
		new->incarnation = incarnation;
		xa_init(&new->slots);
	}
	kfree(new);
	if (old)
		scomp_client_free(old);
	return client;
}

static void scomp_client_put(struct scomp_slots *t, struct scomp_client *client)
{
	spin_lock(&t->lock);
	client->users--;
	spin_unlock(&t->lock);
}

static struct scomp_slot *scomp_slot_get(struct scomp_client *client,
					 unsigned int nr)
{
	struct scomp_slot *slot = xa_load(&client->slots, nr);
	struct scomp_slot *new;

	if (slot)
		return slot;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return NULL;
	slot = xa_cmpxchg(&client->slots, nr, NULL, new, GFP_KERNEL);
	if (!slot)
		return new;
	kfree(new);
	return xa_is_err(slot) ? NULL : slot;
}

/*
 * What becomes of the request @seq, which has just come. Return: true: it is to
 * be executed, and the slot is its own till that is over; else *@ret is set.
 */
static bool scomp_slot_begin(struct scomp_slots *t, struct scomp_slot *slot,
			     u64 seq, void *rsp, int *ret)
{
	lockdep_assert_held(&t->lock);
	*ret = -EINVAL;
	if (seq < slot->seq)
		return false;
	if (slot->state == SCOMP_SLOT_BUSY) {
		*ret = -EAGAIN;
		return false;
	}
	if (seq > slot->seq) {
		slot->seq = seq;
		slot->state = SCOMP_SLOT_FREE;
	}
	switch (slot->state) {
	case SCOMP_SLOT_FREE:
		slot->state = SCOMP_SLOT_BUSY;
		return true;
	case SCOMP_SLOT_DONE:
		*ret = slot->ret;
		if (slot->ret > 0)
			memcpy(rsp, slot->rsp, slot->ret);
		return false;
	default:
		return false;
	}
}

static void scomp_slot_end(struct scomp_slots *t, struct scomp_slot *slot,
			   const void *rsp, int ret)
{
	lockdep_assert_held(&t->lock);
	/* Nothing was done, and the caller will ask again. */
	if (ret == -EAGAIN || ret == -ENOMEM || ret == -ECONNRESET ||
	    WARN_ON_ONCE(ret > SCOMP_RSP_MAX)) {
		slot->state = SCOMP_SLOT_FREE;
		return;
	}
	slot->state = SCOMP_SLOT_DONE;
	slot->ret = ret;
	if (ret > 0)
		memcpy(slot->rsp, rsp, ret);
}

/**
 * scomp_once() - execute a request that changes files
 * @op: the request; its seq is not 0
 * @fn: executes it
 *
 * Return: as @fn does, or did; -EAGAIN: it, or the one before it in its slot, is
 *	being executed; -EINVAL: it comes too late.
 */
int scomp_once(struct scomp_op *op, int (*fn)(struct scomp_op *op))
{
	const struct scomp_hdr *hdr = op->msg;
	struct scomp_slots *t = op->sc->slots;
	void *rsp = lite_req_rsp(op->req);
	struct scomp_client *client;
	struct scomp_slot *slot;
	int ret = -EAGAIN;
	bool run;

	client = scomp_client_get(t, lite_req_peer_incarnation(op->req));
	if (!client)
		return ret;
	slot = scomp_slot_get(client, le16_to_cpu(hdr->slot));
	if (!slot)
		goto out_put;
	spin_lock(&t->lock);
	run = scomp_slot_begin(t, slot, le64_to_cpu(hdr->seq), rsp, &ret);
	spin_unlock(&t->lock);
	if (run) {
		ret = fn(op);
		spin_lock(&t->lock);
		scomp_slot_end(t, slot, rsp, ret);
		spin_unlock(&t->lock);
	}
out_put:
	scomp_client_put(t, client);
	return ret;
}

/* Return: the reply's length, or an error. */
static int scomp_slot_cancel(struct scomp_slots *t, struct scomp_slot *slot,
			     u64 seq, struct scomp_cancel_rsp *rsp)
{
	lockdep_assert_held(&t->lock);
	if (seq < slot->seq)
		return -EINVAL;
	if (slot->state == SCOMP_SLOT_BUSY)
		return -EAGAIN;
	rsp->ran = 0;
	rsp->status = 0;
	if (seq > slot->seq || slot->state != SCOMP_SLOT_DONE) {
		slot->seq = seq;
		slot->state = SCOMP_SLOT_CANCELLED;
		return sizeof(*rsp);
	}
	rsp->ran = cpu_to_le32(1);
	rsp->status = cpu_to_le32(lite_errno_to_status(min(slot->ret, 0)));
	if (slot->ret <= 0)
		return sizeof(*rsp);
	memcpy(rsp + 1, slot->rsp, slot->ret);
	return sizeof(*rsp) + slot->ret;
}

/**
 * scomp_op_cancel() - SCOMP_CANCEL
 * @op: the request; its slot and seq are those of the one that is meant
 *
 * Return: the reply's length; -EAGAIN: that one is being executed; -EINVAL: the
 *	slot has had a later one.
 */
int scomp_op_cancel(struct scomp_op *op)
{
	const struct scomp_hdr *hdr = op->msg;
	struct scomp_slots *t = op->sc->slots;
	struct scomp_client *client;
	struct scomp_slot *slot;
	int ret = -EAGAIN;

	client = scomp_client_get(t, lite_req_peer_incarnation(op->req));
	if (!client)
		return ret;
	slot = scomp_slot_get(client, le16_to_cpu(hdr->slot));
	if (slot) {
		spin_lock(&t->lock);
		ret = scomp_slot_cancel(t, slot, le64_to_cpu(hdr->seq),
					lite_req_rsp(op->req));
		spin_unlock(&t->lock);
	}
	scomp_client_put(t, client);
	return ret;
}
