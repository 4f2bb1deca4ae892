// SPDX-License-Identifier: GPL-2.0
/*
 * Locks with leases, and barriers, as the node has them that keeps them. LITE
 * (SOSP'17) locked with atomic words that who died left locked; here a lock is
 * held as long as its holder says that it lives, and each hold has a token that
 * only grows, by which what the lock guards can tell who is late (Chubby,
 * OSDI'06).
 *
 * Both are a name and a queue of claims, one for each that asks. The first of a
 * lock's queue holds it. A question that finds its claim waiting stays here,
 * unanswered, for LITE_LOCK_HOLD_MS at most, so that no connection's end waits
 * longer for its requests; between questions the claim keeps its place. Only so
 * many questions of a connection stay, or none of its slots were left to
 * release with; others are told when to come again.
 *
 * Time is counted in ticks of this node alone, from when a question came: who
 * holds counts from before it asked, and so never believes that longer.
 *
 * Locks: lite_locks.mutex > what lite_req_reply() takes.
 */
#include <linux/debugfs.h>
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "lite_rpc.h"

#define KEPT_MAX 16 /* questions of a connection that stay unanswered */
#define RETRY_MS 50 /* when others come again */
#define ENDED_MAX 64

/**
 * struct ended - what was given up before it was asked for
 * @who: incarnation
 * @id: what it calls it
 */
struct ended {
	u64 who;
	u64 id;
};

/**
 * struct lite_locks - a node's
 * @node: whose
 * @mutex: protects all else; see above
 * @names: of struct lock, by name
 * @kept: claims with a question that is unanswered
 * @nr: claims
 * @token: the last that was given
 * @stopped: the node ends: nothing is kept any more
 * @tick: ends what is over, while there are names
 * @ended: the last of these; a question that was overtaken is not far behind
 * @next_ended: where the next goes
 */
struct lite_locks {
	struct lite_node *node;
	struct mutex mutex; /* see above */
	DECLARE_HASHTABLE(names, 8);
	struct list_head kept;
	unsigned int nr;
	u64 token;
	bool stopped;
	struct delayed_work tick;
	struct ended ended[ENDED_MAX];
	unsigned int next_ended;
};

/**
 * struct lock - a lock or a barrier
 * @hash: in lite_locks.names
 * @name: its name
 * @nr: of a barrier: how many pass; 0: a lock
 * @claims: in the order they came; never empty between operations
 */
struct lock {
	struct hlist_node hash;
	char name[LITE_NAME_LEN];
	u32 nr;
	struct list_head claims;
};

/**
 * struct claim - who holds or waits
 * @list: in lock.claims
 * @kept: in lite_locks.kept, while there is @req
 * @who: incarnation
 * @whose: for people
 * @id: what the holder calls it
 * @state: enum lite_lock_state
 * @told: of a barrier's end
 * @token: of a lock that is held
 * @lease: jiffies
 * @end: jiffies: of the lease, or of our patience with one that does not ask
 * @req: its question, unanswered
 * @answer_by: jiffies, for @req
 */
struct claim {
	struct list_head list;
	struct list_head kept;
	u64 who;
	char whose[LITE_ADDR_LEN];
	u64 id;
	u32 state;
	bool told;
	u64 token;
	unsigned long lease;
	unsigned long end;
	struct lite_req *req;
	unsigned long answer_by;
};

static unsigned long patience(void)
{
	return jiffies + msecs_to_jiffies(LITE_LOCK_SILENT_MS);
}

static struct lock *find_lock(struct lite_locks *ls, const char *name)
{
	u32 key = jhash(name, strlen(name), 0);
	struct lock *lock;

	lockdep_assert_held(&ls->mutex);
	hash_for_each_possible(ls->names, lock, hash, key)
		if (!strcmp(lock->name, name))
			return lock;
	return NULL;
}

static struct claim *find_claim(struct lock *lock, struct lite_req *req,
				__le64 id)
{
	struct claim *c;

	list_for_each_entry(c, &lock->claims, list)
		if (c->who == lite_req_peer_incarnation(req) &&
		    c->id == le64_to_cpu(id))
			return c;
	return NULL;
}

/* Handlers run side by side: what gives up may overtake what it gives up. */
static void add_ended(struct lite_locks *ls, struct lite_req *req, __le64 id)
{
	ls->ended[ls->next_ended++ % ENDED_MAX] = (struct ended){
		.who = lite_req_peer_incarnation(req),
		.id = le64_to_cpu(id),
	};
}

static bool has_ended(struct lite_locks *ls, struct lite_req *req, __le64 id)
{
	unsigned int i;

	for (i = 0; i < ENDED_MAX; i++)
		if (ls->ended[i].who == lite_req_peer_incarnation(req) &&
		    ls->ended[i].id == le64_to_cpu(id))
			return true;
	return false;
}

/* The last in the queue, of a new name if @lock is NULL. */
static struct claim *add_claim(struct lite_locks *ls, struct lock *lock,
			       const char *name, struct lite_req *req,
			       __le64 id)
{
	struct claim *c;

	lockdep_assert_held(&ls->mutex);
	if (ls->nr >= LITE_LOCKS_MAX)
		return ERR_PTR(-ENOSPC);
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return ERR_PTR(-ENOMEM);
	if (!lock) {
		lock = kzalloc(sizeof(*lock), GFP_KERNEL);
		if (!lock) {
			kfree(c);
			return ERR_PTR(-ENOMEM);
		}
		INIT_LIST_HEAD(&lock->claims);
		strscpy(lock->name, name, sizeof(lock->name));
		hash_add(ls->names, &lock->hash, jhash(name, strlen(name), 0));
	}
	c->who = lite_req_peer_incarnation(req);
	strscpy(c->whose, req->conn->peer_name, sizeof(c->whose));
	c->id = le64_to_cpu(id);
	c->state = LITE_LOCK_WAITS;
	c->end = patience();
	INIT_LIST_HEAD(&c->kept);
	list_add_tail(&c->list, &lock->claims);
	ls->nr++;
	queue_delayed_work(ls->node->q->timer, &ls->tick, LITE_TICK);
	return c;
}

/* What is so now; @retry_ms: when to come again if that is to wait. */
static void answer(struct claim *c, struct lite_req *req, u32 retry_ms)
{
	struct lite_lock_rsp *rsp = lite_req_rsp(req);

	*rsp = (struct lite_lock_rsp){
		.token = cpu_to_le64(c->token),
		.state = cpu_to_le32(c->state),
	};
	if (c->state == LITE_LOCK_WAITS) {
		rsp->retry_ms = cpu_to_le32(retry_ms);
		c->end = patience();
	}
	c->told = c->state != LITE_LOCK_WAITS;
	lite_req_reply(req, 0, sizeof(*rsp));
}

/* The question that stayed has an answer. */
static void answer_kept(struct claim *c)
{
	struct lite_req *req = c->req;

	if (!req)
		return;
	c->req = NULL;
	list_del_init(&c->kept);
	answer(c, req, 0);
}

static void free_claim(struct lite_locks *ls, struct claim *c)
{
	answer_kept(c);
	list_del(&c->list);
	kfree(c);
	ls->nr--;
}

static unsigned int nr_kept(struct lite_locks *ls, struct lite_conn *conn)
{
	struct claim *c;
	unsigned int nr = 0;

	list_for_each_entry(c, &ls->kept, kept)
		nr += c->req->conn == conn;
	return nr;
}

/* The answer to a question, now if there is one. */
static void answer_or_keep(struct lite_locks *ls, struct claim *c,
			   struct lite_req *req, u32 wait_ms)
{
	answer_kept(c); /* who asks again has given that one up */
	if (c->state != LITE_LOCK_WAITS || !wait_ms) {
		answer(c, req, 0);
	} else if (nr_kept(ls, req->conn) >= KEPT_MAX) {
		answer(c, req, RETRY_MS);
	} else {
		wait_ms = min_t(u32, wait_ms, LITE_LOCK_HOLD_MS);
		c->answer_by = jiffies + msecs_to_jiffies(wait_ms);
		c->req = req;
		list_add_tail(&c->kept, &ls->kept);
	}
}

static void grant(struct lite_locks *ls, struct claim *c)
{
	c->state = LITE_LOCK_HELD;
	c->token = ++ls->token;
	c->end = jiffies + c->lease;
	answer_kept(c);
}

static unsigned int nr_waiting(struct lock *lock)
{
	struct claim *c;
	unsigned int nr = 0;

	list_for_each_entry(c, &lock->claims, list)
		nr += c->state == LITE_LOCK_WAITS;
	return nr;
}

/*
 * A round of a barrier is over. Its claims stay for a while: an answer may be
 * lost, and the question come again.
 */
static void end_round(struct lock *lock, u32 state)
{
	struct claim *c;

	list_for_each_entry(c, &lock->claims, list) {
		if (c->state != LITE_LOCK_WAITS)
			continue;
		c->state = state;
		c->end = patience();
		answer_kept(c);
	}
}

/*
 * But rounds in quick succession would be many: when the next is complete its
 * members have got the answer of the one before.
 */
static void forget_told(struct lite_locks *ls, struct lock *lock)
{
	struct claim *c, *next;

	list_for_each_entry_safe(c, next, &lock->claims, list)
		if (c->told)
			free_claim(ls, c);
}

/* A claim has gone, or the first in the queue is new. */
static void settle(struct lite_locks *ls, struct lock *lock)
{
	struct claim *first;

	if (list_empty(&lock->claims)) {
		hash_del(&lock->hash);
		kfree(lock);
		return;
	}
	first = list_first_entry(&lock->claims, struct claim, list);
	if (!lock->nr && first->state == LITE_LOCK_WAITS)
		grant(ls, first);
}

/* It leaves, dies or is silent. Others in the round of a barrier are told. */
static void leave(struct lite_locks *ls, struct lock *lock, struct claim *c)
{
	bool breaks = lock->nr && c->state == LITE_LOCK_WAITS;

	free_claim(ls, c);
	if (breaks)
		end_round(lock, LITE_BARRIER_BROKEN);
}

static void tick_claim(struct lite_locks *ls, struct lock *lock,
		       struct claim *c)
{
	if (c->req) {
		/* a dead connection waits for its requests to be answered */
		if (READ_ONCE(c->req->conn->dead) ||
		    time_after_eq(jiffies, c->answer_by))
			answer_kept(c);
	} else if (time_after_eq(jiffies, c->end)) {
		if (c->state == LITE_LOCK_HELD)
			pr_info_ratelimited("%s: %s has not renewed its lease of lock %*pE\n",
					    ls->node->name, c->whose,
					    (int)strlen(lock->name),
					    lock->name);
		leave(ls, lock, c);
	}
}

static void tick_work(struct work_struct *work)
{
	struct lite_locks *ls =
		container_of(work, struct lite_locks, tick.work);
	struct hlist_node *tmp;
	struct claim *c, *next;
	struct lock *lock;
	unsigned int i;

	mutex_lock(&ls->mutex);
	hash_for_each_safe(ls->names, i, tmp, lock, hash) {
		list_for_each_entry_safe(c, next, &lock->claims, list)
			tick_claim(ls, lock, c);
		settle(ls, lock);
	}
	if (ls->nr && !ls->stopped)
		queue_delayed_work(ls->node->q->timer, &ls->tick, LITE_TICK);
	mutex_unlock(&ls->mutex);
}

/**
 * lite_lock_acquire() - the handler of LITE_LOCK_ACQUIRE
 * @req: request
 *
 * Context: process.
 */
void lite_lock_acquire(struct lite_req *req)
{
	const struct lite_lock_req *msg = lite_req_msg(req);
	struct lite_locks *ls = lite_req_node(req)->locks;
	u32 lease_ms = le32_to_cpu(msg->lease_ms);
	u32 wait_ms = le32_to_cpu(msg->wait_ms);
	struct claim *c = NULL;
	struct lock *lock;
	int err = -EINVAL;

	mutex_lock(&ls->mutex);
	lock = lite_name_ok(msg->name) ? find_lock(ls, msg->name) : NULL;
	if (!lite_name_ok(msg->name) || !msg->id || (lock && lock->nr) ||
	    lease_ms < LITE_LOCK_LEASE_MIN_MS ||
	    lease_ms > LITE_LOCK_LEASE_MAX_MS)
		goto out_refuse;
	err = -EPERM;
	if (!lite_node_keeps(lite_req_node(req)))
		goto out_refuse;
	err = -EHOSTUNREACH;
	if (ls->stopped)
		goto out_refuse;
	if (lock)
		c = find_claim(lock, req, msg->id);
	err = -ESTALE;
	if (!c && has_ended(ls, req, msg->id))
		goto out_refuse;
	err = -EBUSY;
	if (!c && lock && !wait_ms)
		goto out_refuse;
	if (!c)
		c = add_claim(ls, lock, msg->name, req, msg->id);
	err = PTR_ERR_OR_ZERO(c);
	if (err)
		goto out_refuse;
	c->lease = msecs_to_jiffies(lease_ms) + 1; /* this one has begun */
	if (!lock)
		grant(ls, c);
	else if (c->state == LITE_LOCK_HELD)
		c->end = jiffies + c->lease;
	answer_or_keep(ls, c, req, wait_ms);
	mutex_unlock(&ls->mutex);
	return;

out_refuse:
	mutex_unlock(&ls->mutex);
	lite_req_reply(req, err, 0);
}

/* The claim of a request, or NULL. */
static struct claim *claim_of(struct lite_locks *ls, struct lite_req *req,
			      struct lock **lock)
{
	const struct lite_lock_id_req *msg = lite_req_msg(req);

	*lock = lite_name_ok(msg->name) ? find_lock(ls, msg->name) : NULL;
	return *lock ? find_claim(*lock, req, msg->id) : NULL;
}

/**
 * lite_lock_renew() - the handler of LITE_LOCK_RENEW
 * @req: request
 *
 * One whose time is over, but that nobody else was given, begins anew.
 * Context: process.
 */
void lite_lock_renew(struct lite_req *req)
{
	struct lite_locks *ls = lite_req_node(req)->locks;
	struct lock *lock;
	struct claim *c;

	mutex_lock(&ls->mutex);
	c = claim_of(ls, req, &lock);
	if (c && c->state == LITE_LOCK_HELD) {
		c->end = jiffies + c->lease;
		answer(c, req, 0);
	} else {
		lite_req_reply(req, -ESTALE, 0);
	}
	mutex_unlock(&ls->mutex);
}

/**
 * lite_lock_release() - the handler of LITE_LOCK_RELEASE
 * @req: request
 *
 * Context: process.
 */
void lite_lock_release(struct lite_req *req)
{
	const struct lite_lock_id_req *msg = lite_req_msg(req);
	struct lite_locks *ls = lite_req_node(req)->locks;
	struct lock *lock;
	struct claim *c;

	mutex_lock(&ls->mutex);
	c = claim_of(ls, req, &lock);
	if (c) {
		answer(c, req, 0);
		leave(ls, lock, c);
		settle(ls, lock);
	} else {
		add_ended(ls, req, msg->id);
		lite_req_reply(req, -ESTALE, 0);
	}
	mutex_unlock(&ls->mutex);
}

/**
 * lite_lock_barrier() - the handler of LITE_BARRIER
 * @req: request
 *
 * Context: process.
 */
void lite_lock_barrier(struct lite_req *req)
{
	const struct lite_barrier_req *msg = lite_req_msg(req);
	struct lite_locks *ls = lite_req_node(req)->locks;
	u32 nr = le32_to_cpu(msg->nr), waiting;
	struct claim *c;
	struct lock *lock;
	int err = -EINVAL;

	mutex_lock(&ls->mutex);
	lock = lite_name_ok(msg->name) ? find_lock(ls, msg->name) : NULL;
	if (!lite_name_ok(msg->name) || !msg->id || !nr ||
	    nr > LITE_LOCKS_MAX || (lock && !lock->nr))
		goto out_refuse;
	c = lock ? find_claim(lock, req, msg->id) : NULL;
	waiting = lock ? nr_waiting(lock) : 0;
	if (!c && waiting && lock->nr != nr)
		goto out_refuse;
	err = -EPERM;
	if (!lite_node_keeps(lite_req_node(req)))
		goto out_refuse;
	err = -EHOSTUNREACH;
	if (ls->stopped)
		goto out_refuse;
	err = -ESTALE;
	if (!c && has_ended(ls, req, msg->id))
		goto out_refuse;
	if (!c) {
		c = add_claim(ls, lock, msg->name, req, msg->id);
		err = PTR_ERR_OR_ZERO(c);
		if (err)
			goto out_refuse;
		lock = find_lock(ls, msg->name);
		lock->nr = nr;
		if (++waiting == nr) {
			forget_told(ls, lock);
			end_round(lock, LITE_BARRIER_PASSED);
		}
	}
	answer_or_keep(ls, c, req, le32_to_cpu(msg->wait_ms));
	mutex_unlock(&ls->mutex);
	return;

out_refuse:
	mutex_unlock(&ls->mutex);
	lite_req_reply(req, err, 0);
}

/**
 * lite_locks_gone() - a node has ended: so has what it held and waited for
 * @node: where
 * @incarnation: whose
 *
 * Context: process, may sleep.
 */
void lite_locks_gone(struct lite_node *node, u64 incarnation)
{
	struct lite_locks *ls = node->locks;
	struct hlist_node *tmp;
	struct claim *c, *next;
	struct lock *lock;
	unsigned int i;

	mutex_lock(&ls->mutex);
	hash_for_each_safe(ls->names, i, tmp, lock, hash) {
		list_for_each_entry_safe(c, next, &lock->claims, list)
			if (c->who == incarnation)
				leave(ls, lock, c);
		settle(ls, lock);
	}
	mutex_unlock(&ls->mutex);
}

static int lite_locks_show(struct seq_file *m, void *v)
{
	struct lite_node *node = m->private;
	struct lite_locks *ls = node->locks;
	struct claim *first;
	struct lock *lock;
	unsigned int i;
	long left;

	seq_puts(m, "# name kind holder token lease_left_ms waiting\n");
	mutex_lock(&ls->mutex);
	hash_for_each(ls->names, i, lock, hash) {
		first = list_first_entry(&lock->claims, struct claim, list);
		left = max(0L, (long)(first->end - jiffies));
		seq_escape(m, lock->name, " \t\n\\");
		if (lock->nr)
			seq_printf(m, " barrier/%u - - - %u\n", lock->nr,
				   nr_waiting(lock));
		else
			seq_printf(m, " lock %s %llu %u %u\n", first->whose,
				   first->token, jiffies_to_msecs(left),
				   nr_waiting(lock));
	}
	mutex_unlock(&ls->mutex);
	return 0;
}

static int lite_locks_open(struct inode *inode, struct file *file)
{
	return single_open(file, lite_locks_show, inode->i_private);
}

/* /sys/kernel/debug/lego/nodes/NAME/locks */
const struct file_operations lite_locks_fops = {
	.owner = THIS_MODULE,
	.open = lite_locks_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * lite_locks_init() - a node will keep locks
 * @node: node
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int lite_locks_init(struct lite_node *node)
{
	struct lite_locks *ls = kzalloc(sizeof(*ls), GFP_KERNEL);

	if (!ls)
		return -ENOMEM;
	ls->node = node;
	mutex_init(&ls->mutex);
	hash_init(ls->names);
	INIT_LIST_HEAD(&ls->kept);
	/* more than in a former life, as far as the clock knows */
	ls->token = ktime_get_real_ns();
	INIT_DELAYED_WORK(&ls->tick, tick_work);
	node->locks = ls;
	return 0;
}

/**
 * lite_locks_stop() - answer all questions, keep no more
 * @node: node that stops
 *
 * Context: process, may sleep.
 */
void lite_locks_stop(struct lite_node *node)
{
	struct lite_locks *ls = node->locks;
	struct claim *c, *next;

	mutex_lock(&ls->mutex);
	ls->stopped = true;
	list_for_each_entry_safe(c, next, &ls->kept, kept)
		answer_kept(c);
	mutex_unlock(&ls->mutex);
	cancel_delayed_work_sync(&ls->tick);
}

/**
 * lite_locks_exit() - nobody asks any more
 * @node: node; it has stopped, or never begun
 *
 * Context: process, may sleep.
 */
void lite_locks_exit(struct lite_node *node)
{
	struct lite_locks *ls = node->locks;
	struct hlist_node *tmp;
	struct claim *c, *next;
	struct lock *lock;
	unsigned int i;

	mutex_lock(&ls->mutex);
	hash_for_each_safe(ls->names, i, tmp, lock, hash) {
		list_for_each_entry_safe(c, next, &lock->claims, list)
			free_claim(ls, c);
		hash_del(&lock->hash);
		kfree(lock);
	}
	mutex_unlock(&ls->mutex);
	mutex_destroy(&ls->mutex);
	kfree(ls);
}
