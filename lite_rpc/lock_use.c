// SPDX-License-Identifier: GPL-2.0
/*
 * Locks and barriers as those have them that use them. A question that is lost,
 * with its answer or its connection, is asked again with the same id until the
 * caller's time is over; one that gives up says so, and if that is lost too,
 * the lease or the other side's patience ends what it had.
 *
 * How long a lock is held for certain is counted from before the question that
 * the keeper answered, less 1/64 for clocks that do not run alike. A keeper that
 * was made anew knows of no lock, and loses its connections: on another one than
 * that of the answer nothing is certain before the keeper was asked again.
 */
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "lite_rpc.h"

#define ASK_MS 5000 /* one question: it is lost, ask again */
#define PAUSE_MS 20 /* after one that was lost */
#define HURRY_MS 200U /* the same, for one that somebody wants to know */

/**
 * struct lite_lock - a lock that is held, or a lock or barrier waited for
 * @peer: where
 * @ref: what it is called there
 * @token: of the lock
 * @lease_ms: of the lock
 * @until: boottime ns: held till then for certain
 * @connects: link->connects, by which the keeper was asked
 * @maybe: a question was lost: the keeper may know of us
 * @lost: not any more
 * @hurry: somebody wants to know: renew soon
 * @renew: the next renewal
 * @give_up: release it, whatever the caller does
 */
struct lite_lock {
	struct lite_peer *peer;
	struct lite_lock_id_req ref;
	u64 token;
	u32 lease_ms;
	u64 until;
	u64 connects;
	bool maybe;
	bool lost;
	bool hurry;
	struct delayed_work renew;
	struct work_struct give_up;
};

static u64 lease_ns(const struct lite_lock *lock)
{
	return (u64)lock->lease_ms * NSEC_PER_MSEC * 63 / 64;
}

static const struct lite_link *link_of(const struct lite_lock *lock)
{
	return &lock->peer->link[LITE_CLASS_CONTROL];
}

/* The connection by which a question will go, if nothing happens to it. */
static u64 connection(struct lite_lock *lock)
{
	lite_peer_connect(lock->peer, LITE_CLASS_CONTROL);
	return READ_ONCE(link_of(lock)->connects);
}

static int ask(struct lite_lock *lock, u16 op, const void *req, u32 len,
	       u32 timeout_ms, struct lite_lock_rsp *rsp)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = len,
		.rsp = rsp,
		.rsp_size = sizeof(*rsp),
		.timeout_ms = timeout_ms,
	};
	int err = lite_call(lock->peer, &call);

	return !err && call.rsp_len != sizeof(*rsp) ? -EPROTO : err;
}

static int release(struct lite_lock *lock, struct lite_lock_rsp *rsp)
{
	return ask(lock, LITE_LOCK_RELEASE, &lock->ref, sizeof(lock->ref),
		   ASK_MS, rsp);
}

static void free_lock(struct lite_lock *lock)
{
	struct lite_peer *peer = lock->peer;

	kfree(lock);
	lite_peer_put(peer);
}

static void give_up_work(struct work_struct *work)
{
	struct lite_lock *lock = container_of(work, struct lite_lock, give_up);
	struct lite_lock_rsp rsp;

	release(lock, &rsp);
	free_lock(lock);
}

/* Not by a caller that is being killed: it could not wait. */
static void give_up(struct lite_lock *lock)
{
	queue_work(lock->peer->node->q->lock, &lock->give_up);
}

static void renew_work(struct work_struct *work)
{
	struct lite_lock *lock =
		container_of(work, struct lite_lock, renew.work);
	u32 third = lock->lease_ms / 3;
	u64 connects = connection(lock);
	u64 sent = ktime_get_boottime_ns();
	struct lite_lock_rsp rsp;
	int err;

	/* not a third of a long lease: lite_unlock() waits for us */
	err = ask(lock, LITE_LOCK_RENEW, &lock->ref, sizeof(lock->ref),
		  min_t(u32, third, ASK_MS), &rsp);
	if (!err && le64_to_cpu(rsp.token) != lock->token)
		err = -ESTALE;
	if (err == -ESTALE) {
		WRITE_ONCE(lock->lost, true);
		return;
	}
	if (!err) {
		WRITE_ONCE(lock->until, sent + lease_ns(lock));
		WRITE_ONCE(lock->connects, connects);
		WRITE_ONCE(lock->hurry, false);
	} else {
		third = READ_ONCE(lock->hurry) ? min(third / 4, HURRY_MS) :
						 third / 4;
	}
	queue_delayed_work(lock->peer->node->q->lock, &lock->renew,
			   msecs_to_jiffies(third));
}

static struct lite_lock *lock_alloc(struct lite_peer *peer, const char *name)
{
	static atomic64_t last_id;
	struct lite_lock *lock = kzalloc(sizeof(*lock), GFP_KERNEL);

	if (!lock)
		return ERR_PTR(-ENOMEM);
	if (lite_name_set(lock->ref.name, name)) {
		kfree(lock);
		return ERR_PTR(-EINVAL);
	}
	lock->ref.id = cpu_to_le64(atomic64_inc_return(&last_id));
	INIT_DELAYED_WORK(&lock->renew, renew_work);
	INIT_WORK(&lock->give_up, give_up_work);
	kref_get(&peer->ref);
	lock->peer = peer;
	return lock;
}

/*
 * It, or its answer, may have been lost, or its keeper may be away for a moment:
 * asked again it does no harm. Not of one that is known to be no more.
 */
static bool may_ask_again(const struct lite_lock *lock, int err)
{
	return lite_no_answer(err) && !lite_link_gone_err(link_of(lock));
}

/*
 * Ask until the answer is another than to wait, for @wait_ms. @wait is where
 * the question says how long its answer may take, at most @most ms.
 * Return: enum lite_lock_state, or a negative errno.
 */
static int ask_until(struct lite_lock *lock, u16 op, const void *req, u32 len,
		     __le32 *wait, u32 wait_ms, u32 most)
{
	unsigned long end = jiffies + msecs_to_jiffies(wait_ms);
	struct lite_lock_rsp rsp;
	u32 pause, state;
	long left;
	int err;

	for (;;) {
		left = max(0L, (long)(end - jiffies));
		*wait = cpu_to_le32(min(jiffies_to_msecs(left), most));
		lock->connects = connection(lock);
		lock->until = ktime_get_boottime_ns() + lease_ns(lock);
		err = ask(lock, op, req, len, ASK_MS, &rsp);
		if (err && !may_ask_again(lock, err))
			return err;
		lock->maybe |= err || le32_to_cpu(rsp.state) == LITE_LOCK_WAITS;
		state = err ? LITE_LOCK_WAITS : le32_to_cpu(rsp.state);
		if (state > LITE_BARRIER_BROKEN)
			return -EPROTO;
		if (state != LITE_LOCK_WAITS) {
			lock->token = le64_to_cpu(rsp.token);
			return state;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!left)
			return err ?: -ETIMEDOUT;
		pause = err ? PAUSE_MS :
			      min_t(u32, le32_to_cpu(rsp.retry_ms),
				    LITE_LOCK_HOLD_MS);
		if (pause)
			schedule_timeout_killable(min_t(long, left,
							msecs_to_jiffies(pause)));
	}
}

/* It was refused: there is nothing to give up. */
static bool refused(const struct lite_lock *lock, int err)
{
	return !lock->maybe && (err == -EBUSY || err == -EINVAL ||
				err == -ENOSPC || err == -ENOMEM);
}

/* see include/lego/lite.h */
struct lite_lock *lite_lock(struct lite_peer *peer, const char *name,
			    u32 lease_ms, u32 wait_ms)
{
	struct lite_lock_req req = {};
	struct lite_lock *lock;
	int err;

	lock = lock_alloc(peer, name);
	if (IS_ERR(lock))
		return lock;
	lock->lease_ms = lease_ms ?: LITE_LEASE_MS;
	memcpy(req.name, lock->ref.name, sizeof(req.name));
	req.id = lock->ref.id;
	req.lease_ms = cpu_to_le32(lock->lease_ms);
	err = ask_until(lock, LITE_LOCK_ACQUIRE, &req, sizeof(req),
			&req.wait_ms, wait_ms,
			min_t(u32, LITE_LOCK_HOLD_MS, lock->lease_ms / 2));
	if (err == LITE_LOCK_HELD) {
		queue_delayed_work(peer->node->q->lock, &lock->renew,
				   msecs_to_jiffies(lock->lease_ms / 3));
		return lock;
	}
	if (refused(lock, err))
		free_lock(lock);
	else
		give_up(lock);
	return ERR_PTR(err < 0 ? err : -EPROTO);
}
EXPORT_SYMBOL_NS_GPL(lite_lock, LITE_RPC);

/* by the same connection as when the keeper said so */
static bool is_certain(const struct lite_lock *lock)
{
	const struct lite_link *link = link_of(lock);

	return !READ_ONCE(lock->lost) &&
	       ktime_get_boottime_ns() < READ_ONCE(lock->until) &&
	       lite_link_is_up(link) &&
	       READ_ONCE(link->connects) == READ_ONCE(lock->connects);
}

/* see include/lego/lite.h */
bool lite_lock_valid(struct lite_lock *lock)
{
	if (is_certain(lock))
		return true;
	if (!READ_ONCE(lock->lost) && !xchg(&lock->hurry, true))
		mod_delayed_work(lock->peer->node->q->lock, &lock->renew, 0);
	return false;
}
EXPORT_SYMBOL_NS_GPL(lite_lock_valid, LITE_RPC);

/* see include/lego/lite.h */
u64 lite_lock_token(const struct lite_lock *lock)
{
	return lock->token;
}
EXPORT_SYMBOL_NS_GPL(lite_lock_token, LITE_RPC);

/* see include/lego/lite.h */
int lite_unlock(struct lite_lock *lock)
{
	struct lite_lock_rsp rsp;
	bool held;
	int err;

	if (IS_ERR_OR_NULL(lock))
		return 0;
	cancel_delayed_work_sync(&lock->renew);
	held = is_certain(lock);
	err = release(lock, &rsp);
	held |= !err;
	if (err && err != -ESTALE)
		give_up(lock);
	else
		free_lock(lock);
	return held ? 0 : -ESTALE;
}
EXPORT_SYMBOL_NS_GPL(lite_unlock, LITE_RPC);

/* see include/lego/lite.h */
int lite_barrier(struct lite_peer *peer, const char *name, u32 nr,
		 u32 timeout_ms)
{
	struct lite_barrier_req req = { .nr = cpu_to_le32(nr) };
	struct lite_lock_rsp rsp;
	struct lite_lock *lock;
	int state, err;

	lock = lock_alloc(peer, name);
	if (IS_ERR(lock))
		return PTR_ERR(lock);
	memcpy(req.name, lock->ref.name, sizeof(req.name));
	req.id = lock->ref.id;
	state = ask_until(lock, LITE_BARRIER, &req, sizeof(req), &req.wait_ms,
			  timeout_ms, LITE_LOCK_HOLD_MS);
	err = state;
	if (lite_no_answer(state)) {
		/* or the others passed meanwhile */
		err = release(lock, &rsp);
		if (!err)
			state = le32_to_cpu(rsp.state);
	}
	if (err < 0 && !refused(lock, err) && err != -ESTALE)
		give_up(lock);
	else
		free_lock(lock);
	if (state == LITE_BARRIER_PASSED)
		return 0;
	if (state == LITE_BARRIER_BROKEN)
		return -ECONNABORTED;
	return state < 0 ? state : -ETIMEDOUT;
}
EXPORT_SYMBOL_NS_GPL(lite_barrier, LITE_RPC);
