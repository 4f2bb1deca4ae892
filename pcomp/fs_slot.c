// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that change files are executed once, and in order: each has a slot
 * at the sComponent, as NFSv4.1's have in a session (fs/nfs/nfs4session.c).
 *
 * A program that is killed does not wait for the answer to its last request,
 * which may still be on its way. Before the system call returns, the sComponent
 * is asked to cancel it, and answers whether it was executed. If the sComponent
 * does not answer, the slot is unsettled: no other request of the superblock is
 * sent before that is known. So nothing is executed later than what the
 * program's parent does next.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "fs_priv.h"

#define PCOMP_FS_CANCEL_MS 2000 /* for an answer */
/* How long a killed program waits for what is being executed, as for a disk. */
#define PCOMP_FS_BUSY_MS 30000

/* Which part of its component's slots a superblock has. */
static DEFINE_IDA(pcomp_fs_bases);
/* Numbers grow in all slots, whichever superblock had one before. */
static atomic64_t pcomp_fs_last_seq;

/**
 * pcomp_fs_slots_init() - get slots for a superblock
 * @fs: the superblock
 *
 * Context: process, sleeps.
 * Return: 0, -ENOSPC (too many superblocks), -ENOMEM.
 */
int pcomp_fs_slots_init(struct pcomp_fs *fs)
{
	int nr = ida_alloc_max(&pcomp_fs_bases,
			       SCOMP_SLOTS / PCOMP_FS_SLOTS - 1, GFP_KERNEL);

	if (nr < 0)
		return nr;
	fs->slot_base = nr * PCOMP_FS_SLOTS;
	return 0;
}

/* Slot 0 is for whoever holds path_sem, for which the others may wait. */
static struct pcomp_fs_slot *pcomp_fs_slot_take(struct pcomp_fs *fs,
						bool locked)
{
	unsigned int end = locked ? 1 : PCOMP_FS_SLOTS;
	struct pcomp_fs_slot *slot = NULL;
	unsigned int i;

	spin_lock(&fs->slot_lock);
	for (i = !locked; i < end && !slot; i++) {
		if (fs->slot[i].busy)
			continue;
		slot = &fs->slot[i];
		slot->busy = true;
		slot->seq = atomic64_inc_return(&pcomp_fs_last_seq);
	}
	spin_unlock(&fs->slot_lock);
	return slot;
}

static void pcomp_fs_slot_free(struct pcomp_fs *fs, struct pcomp_fs_slot *slot)
{
	spin_lock(&fs->slot_lock);
	if (slot->open) {
		atomic_dec(&fs->open_slots);
		if (slot->ordered)
			atomic_dec(&fs->unsettled);
	}
	slot->open = 0;
	slot->busy = false;
	spin_unlock(&fs->slot_lock);
	wake_up(&fs->slot_wait);
}

/* A request's answer, as CANCEL's reply has it. */
struct pcomp_fs_cancel_rsp {
	struct scomp_cancel_rsp hdr;
	u8 rsp[SCOMP_RSP_MAX];
};

/*
 * Return: rsp's bytes, in which hdr.ran says what became of the request; or an
 * error: that is not known.
 */
static int pcomp_fs_cancel(struct pcomp_fs *fs, struct lite_peer *peer,
			   const struct pcomp_fs_slot *slot,
			   struct pcomp_fs_cancel_rsp *rsp)
{
	struct scomp_path_req req = {
		.hdr = {
			.seq = cpu_to_le64(slot->seq),
			.vid = cpu_to_le32(fs->vid),
			.slot = cpu_to_le16(fs->slot_base +
					    (slot - fs->slot)),
		},
	};
	struct lite_call lc = {
		.op = SCOMP_CANCEL,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = rsp,
		.rsp_size = sizeof(*rsp),
		.timeout_ms = PCOMP_FS_CANCEL_MS,
		.nokill = true,
	};
	int err = lite_call(peer, &lc);

	if (!err)
		return lc.rsp_len >= sizeof(rsp->hdr) ?
		       lc.rsp_len - sizeof(rsp->hdr) : -EPROTO;
	if (err != -EINVAL)
		return err;
	/* The sComponent knows of a later one: this one is over. */
	rsp->hdr = (struct scomp_cancel_rsp){};
	return 0;
}

/**
 * pcomp_fs_settle() - before another request is sent
 * @fs: the superblock
 * @peer: the sComponent
 * @incarnation: its
 * @all: also those whose order does not matter, for their slots
 *
 * Context: process; sleeps, bounded: it ends with the first that is not
 *	answered.
 * Return: 0: no request whose caller has gone can be executed any more; or an
 *	error.
 */
int pcomp_fs_settle(struct pcomp_fs *fs, struct lite_peer *peer,
		    u64 incarnation, bool all)
{
	struct pcomp_fs_cancel_rsp rsp;
	struct pcomp_fs_slot *slot;
	int err = 0, ret;

	if (!atomic_read(all ? &fs->open_slots : &fs->unsettled))
		return 0;
	if (mutex_lock_killable(&fs->settle_mutex))
		return -EINTR;
	for (slot = fs->slot; slot < fs->slot + PCOMP_FS_SLOTS; slot++) {
		if (!READ_ONCE(slot->open) || (!all && !slot->ordered))
			continue;
		/* One that has ended executes nothing any more. */
		ret = slot->open == incarnation ?
		      pcomp_fs_cancel(fs, peer, slot, &rsp) : 0;
		if (ret >= 0)
			pcomp_fs_slot_free(fs, slot);
		else if (slot->ordered || ret != -EAGAIN)
			err = ret; /* nor will it answer for the others */
		if (err)
			break;
	}
	mutex_unlock(&fs->settle_mutex);
	return err;
}

/**
 * pcomp_fs_slot_get() - give a call a slot, and a number in it
 * @fs: the superblock
 * @call: the call
 * @peer: the sComponent
 * @incarnation: its
 *
 * Context: process; sleeps, bounded.
 * Return: 0, or -EAGAIN: there is none now.
 */
int pcomp_fs_slot_get(struct pcomp_fs *fs, struct pcomp_fs_call *call,
		      struct lite_peer *peer, u64 incarnation)
{
	struct pcomp_fs_slot *slot = NULL;

	if (call->slot)
		return 0;
	wait_event_timeout(fs->slot_wait,
			   (slot = pcomp_fs_slot_take(fs, call->locked)),
			   HZ / 10);
	call->slot = slot;
	if (slot)
		return 0;
	pcomp_fs_settle(fs, peer, incarnation, true);
	return -EAGAIN;
}

/* The call's request was executed: that is its answer. */
static int pcomp_fs_slot_answer(struct pcomp_fs_call *call,
				const struct pcomp_fs_cancel_rsp *rsp, u32 len)
{
	call->rsp_len = min3(len, call->rsp_size, (u32)sizeof(rsp->rsp));
	if (call->rsp_len)
		memcpy(call->rsp, rsp->rsp, call->rsp_len);
	return lite_status_to_errno(le32_to_cpu(rsp->hdr.status));
}

/* Cancels what the caller of @call has given up; clears call->open then. */
static int pcomp_fs_slot_cancel(struct pcomp_fs *fs, struct pcomp_fs_call *call,
				int err)
{
	unsigned long end = jiffies + msecs_to_jiffies(PCOMP_FS_BUSY_MS);
	struct pcomp_fs_cancel_rsp rsp;
	unsigned int wait = 10;
	struct lite_peer *peer;
	u64 incarnation;
	int ret;

	for (;;) {
		peer = pcomp_fs_peer(fs, &incarnation);
		if (IS_ERR(peer))
			return err;
		if (incarnation != call->open) {
			lite_peer_put(peer);
			call->open = 0;
			return err;
		}
		ret = pcomp_fs_cancel(fs, peer, call->slot, &rsp);
		lite_peer_put(peer);
		if (ret >= 0) {
			call->open = 0;
			return rsp.hdr.ran ?
			       pcomp_fs_slot_answer(call, &rsp, ret) : err;
		}
		if (ret != -EAGAIN || time_after(jiffies, end))
			return err;
		msleep(wait);
		wait = min(wait * 2, 200U);
	}
}

/**
 * pcomp_fs_slot_put() - a call is over
 * @fs: the superblock
 * @call: the call
 * @err: how it ended
 *
 * If that is not what the sComponent has answered, the request is cancelled. A
 * late fsync() does no harm, so nobody waits for that.
 *
 * Context: process; sleeps, 2 s if the sComponent does not answer, and while it
 *	executes the request PCOMP_FS_BUSY_MS.
 * Return: @err, or what the sComponent has answered.
 */
int pcomp_fs_slot_put(struct pcomp_fs *fs, struct pcomp_fs_call *call, int err)
{
	struct pcomp_fs_slot *slot = call->slot;
	bool ordered = call->op != SCOMP_FSYNC;

	if (!slot)
		return err;
	if (call->open && ordered && !READ_ONCE(fs->forced))
		err = pcomp_fs_slot_cancel(fs, call, err);
	if (!call->open) {
		pcomp_fs_slot_free(fs, slot);
		return err;
	}
	spin_lock(&fs->slot_lock);
	slot->ordered = ordered;
	slot->open = call->open;
	atomic_inc(&fs->open_slots);
	if (ordered)
		atomic_inc(&fs->unsettled);
	spin_unlock(&fs->slot_lock);
	return err;
}

/**
 * pcomp_fs_slots_exit() - give a superblock's slots back
 * @fs: the superblock; no call of it is out
 *
 * Context: process; sleeps, bounded.
 */
void pcomp_fs_slots_exit(struct pcomp_fs *fs)
{
	struct lite_peer *peer;
	u64 incarnation;

	if (fs->slot_base < 0)
		return;
	if (atomic_read(&fs->unsettled)) {
		peer = pcomp_fs_peer(fs, &incarnation);
		if (!IS_ERR(peer)) {
			pcomp_fs_settle(fs, peer, incarnation, false);
			lite_peer_put(peer);
		}
	}
	ida_free(&pcomp_fs_bases, fs->slot_base / PCOMP_FS_SLOTS);
}
