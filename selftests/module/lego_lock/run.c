// SPDX-License-Identifier: GPL-2.0
/* The tests themselves; see main.c. */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "lock.h"

#define WAIT_MS 30000 /* whoever waits so long for a lock waits in vain */
#define COUNTERS 4
#define COUNTS 15
#define CROWD 24 /* more than the questions that stay unanswered */
#define ROUNDS 5

static unsigned int tap_nr;

static void tap(struct seq_file *m, bool ok, const char *name, int err)
{
	seq_printf(m, "%sok %u - %s\n", ok ? "" : "not ", ++tap_nr, name);
	if (!ok)
		seq_printf(m, "# %d\n", err);
}

/* the outcome is that errno */
static void tap_err(struct seq_file *m, int err, int want, const char *name)
{
	tap(m, err == want, name, err);
}

/* One question as it goes over the wire; what it says in @rsp. */
static int ask(struct actor *a, u16 op, const void *req, u32 len,
	       struct lite_lock_rsp *rsp)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = len,
		.rsp = rsp,
		.rsp_size = sizeof(*rsp),
	};

	return lite_call(a->at, &call);
}

/* enum lite_lock_state, or a negative errno: who asks so never renews */
static int ask_lock(struct actor *a, const char *name, u64 id, u32 lease_ms,
		    u32 wait_ms, u64 *token)
{
	struct lite_lock_req req = {
		.id = cpu_to_le64(id),
		.lease_ms = cpu_to_le32(lease_ms),
		.wait_ms = cpu_to_le32(wait_ms),
	};
	struct lite_lock_rsp rsp;
	int err;

	strscpy_pad(req.name, name, sizeof(req.name));
	err = ask(a, LITE_LOCK_ACQUIRE, &req, sizeof(req), &rsp);
	if (!err && token)
		*token = le64_to_cpu(rsp.token);
	return err ?: le32_to_cpu(rsp.state);
}

static int ask_barrier(struct actor *a, const char *name, u64 id, u32 nr)
{
	struct lite_barrier_req req = {
		.id = cpu_to_le64(id),
		.nr = cpu_to_le32(nr),
		.wait_ms = cpu_to_le32(1),
	};
	struct lite_lock_rsp rsp;
	int err;

	strscpy_pad(req.name, name, sizeof(req.name));
	err = ask(a, LITE_BARRIER, &req, sizeof(req), &rsp);
	return err ?: le32_to_cpu(rsp.state);
}

static int ask_id(struct actor *a, u16 op, const char *name, u64 id)
{
	struct lite_lock_id_req req = { .id = cpu_to_le64(id) };
	struct lite_lock_rsp rsp;
	int err;

	strscpy_pad(req.name, name, sizeof(req.name));
	err = ask(a, op, &req, sizeof(req), &rsp);
	return err ?: le32_to_cpu(rsp.state);
}

/* raw ids, none of which lite_lock() chooses */
static u64 new_id(void)
{
	static u64 id = 1ULL << 32;

	return ++id;
}

/* A thread that does one of the things below; see go(), over(). */
struct worker {
	struct actor *a;
	struct lite_lmr *lmr;
	int (*fn)(struct worker *w);
	const char *name;
	u32 nr;
	u32 wait_ms;
	int err;
	unsigned int took_ms;
	struct completion done;
	struct task_struct *task;
};

static int worker_fn(void *arg)
{
	struct worker *w = arg;
	ktime_t start = ktime_get();

	allow_signal(SIGKILL);
	w->err = w->fn(w);
	w->took_ms = ktime_ms_delta(ktime_get(), start);
	complete(&w->done);
	return 0;
}

static void go(struct worker *w)
{
	init_completion(&w->done);
	w->task = kthread_create(worker_fn, w, "lego-lock");
	if (IS_ERR(w->task)) {
		w->err = PTR_ERR(w->task);
		w->task = NULL;
		complete(&w->done);
		return;
	}
	get_task_struct(w->task);
	wake_up_process(w->task);
}

static int over(struct worker *w)
{
	wait_for_completion(&w->done);
	if (w->task)
		put_task_struct(w->task);
	w->task = NULL;
	return w->err;
}

/* what comes of it; nothing is held afterwards, whatever that is */
static int try(struct actor *a, const char *name, u32 lease_ms, u32 wait_ms)
{
	struct lite_lock *l = lite_lock(a->at, name, lease_ms, wait_ms);

	return PTR_ERR_OR_ZERO(l) ?: lite_unlock(l);
}

static int lock_once(struct worker *w)
{
	return try(w->a, w->name, 60000, w->wait_ms);
}

static int pass(struct worker *w)
{
	return lite_barrier(w->a->at, w->name, w->nr, w->wait_ms);
}

/* what the lock guards: no atomic operation on it, and who had it last */
static u64 last_token;
static bool token_shrank;

static int count_one(struct worker *w, __le64 *word, struct lite_sge *sge)
{
	struct lite_lock *l = lite_lock(w->a->at, "counter", 0, WAIT_MS);
	int err;

	if (IS_ERR(l))
		return PTR_ERR(l);
	if (lite_lock_token(l) <= last_token)
		token_shrank = true;
	last_token = lite_lock_token(l);
	err = lite_lmr_read(w->lmr, 0, sge, 1);
	le64_add_cpu(word, 1);
	usleep_range(500, 1000); /* another could come in between */
	err = err ?: lite_lmr_write(w->lmr, 0, sge, 1);
	return lite_unlock(l) ?: err;
}

/* so often, or to look what it is in the end */
static int count_often(struct worker *w)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct lite_sge sge = { .len = 8 };
	unsigned int i;
	int err;

	if (!page)
		return -ENOMEM;
	sge.mr = lite_mr_create(w->a->node, &page, 1, LITE_MR_LOCAL);
	err = PTR_ERR_OR_ZERO(sge.mr);
	for (i = 0; i < w->nr && !err; i++)
		err = count_one(w, page_address(page), &sge);
	if (!w->nr && !err)
		err = lite_lmr_read(w->lmr, 0, &sge, 1);
	w->nr = le64_to_cpup(page_address(page));
	lite_mr_destroy(sge.mr);
	__free_page(page);
	return err;
}

static void test_exclusion(struct seq_file *m)
{
	struct worker w[COUNTERS + 1] = {};
	struct lite_lmr *lmr[2];
	unsigned int i;
	int err;

	err = lite_lmr_alloc(alice.at, "lock-sum", 4096, LITE_LMR_RW);
	lmr[0] = lite_lmr_map(alice.at, "lock-sum", LITE_LMR_RW);
	lmr[1] = lite_lmr_map(bob.at, "lock-sum", LITE_LMR_RW);
	err = err ?: PTR_ERR_OR_ZERO(lmr[0]) ?: PTR_ERR_OR_ZERO(lmr[1]);
	if (err)
		goto out_unmap;
	last_token = 0;
	token_shrank = false;
	for (i = 0; i < COUNTERS; i++) {
		w[i].a = i % 2 ? &bob : &alice;
		w[i].lmr = lmr[i % 2];
		w[i].fn = count_often;
		w[i].nr = COUNTS;
		go(&w[i]);
	}
	for (i = 0; i < COUNTERS; i++)
		err = over(&w[i]) ?: err;
	w[i].a = &alice;
	w[i].lmr = lmr[0];
	err = err ?: count_often(&w[i]);
	lite_lmr_free(lmr[0]);
out_unmap:
	tap(m, !err && w[COUNTERS].nr == COUNTERS * COUNTS,
	    "one at a time has a lock: no count of many is lost", err);
	tap(m, !err && !token_shrank, "and a greater token than the one before",
	    err);
	lite_lmr_unmap(lmr[1]);
	lite_lmr_unmap(lmr[0]);
}

static void test_crowd(struct seq_file *m)
{
	struct worker *w = kcalloc(CROWD, sizeof(*w), GFP_KERNEL);
	struct lite_lock *l = lite_lock(bob.at, "crowd", 0, 0);
	unsigned int i;
	int err = 0;

	if (!w) {
		lite_unlock(l);
		return;
	}
	for (i = 0; i < CROWD; i++) {
		w[i].a = &alice;
		w[i].fn = lock_once;
		w[i].name = "crowd";
		w[i].wait_ms = WAIT_MS;
		go(&w[i]);
	}
	msleep(200);
	tap_err(m, PTR_ERR_OR_ZERO(l) ?: lite_unlock(l), 0,
		"a lock that many wait for is unlocked");
	for (i = 0; i < CROWD; i++)
		err = over(&w[i]) ?: err;
	tap_err(m, err, 0, "and each of them has it in the end");
	kfree(w);
}

/* A question that may stay for 1 ms is answered by the next tick. */
static void test_order(struct seq_file *m)
{
	u64 id[3] = { new_id(), new_id(), new_id() }, token, again;
	struct lite_lock *l = lite_lock(alice.at, "order", 0, 0);
	unsigned int i;
	bool ok = !IS_ERR(l);

	for (i = 0; i < 3; i++)
		ok &= ask_lock(i % 2 ? &alice : &bob, "order", id[i], 60000, 1,
			       NULL) == LITE_LOCK_WAITS;
	tap(m, ok, "those that come while it is locked wait", 0);
	tap_err(m, ask_lock(&bob, "order", new_id(), 60000, 0, NULL), -EBUSY,
		"or are told, if they do not want to");
	lite_unlock(l);
	ok = ask_lock(&alice, "order", id[1], 60000, 1, NULL) ==
	     LITE_LOCK_WAITS;
	ok &= ask_lock(&bob, "order", id[0], 60000, 1, &token) ==
	      LITE_LOCK_HELD;
	tap(m, ok, "the first has it when it is unlocked", 0);
	ok = ask_lock(&bob, "order", id[0], 60000, 1, &again) ==
		     LITE_LOCK_HELD &&
	     token == again;
	tap(m, ok, "asking once more is no second hold", 0);
	ask_id(&alice, LITE_LOCK_RELEASE, "order", id[1]);
	ask_id(&bob, LITE_LOCK_RELEASE, "order", id[0]);
	ok = ask_lock(&bob, "order", id[2], 60000, 1, NULL) == LITE_LOCK_HELD;
	tap(m, ok, "one that gives up has left the queue", 0);
	tap_err(m, ask_id(&bob, LITE_LOCK_RELEASE, "order", id[2]),
		LITE_LOCK_HELD, "it is unlocked");
	tap_err(m, ask_id(&bob, LITE_LOCK_RELEASE, "order", id[2]), -ESTALE,
		"once");
}

static void test_lease(struct seq_file *m)
{
	struct worker w = { .a = &alice, .fn = lock_once, .name = "lease",
			    .wait_ms = WAIT_MS };
	struct lite_lock *l = lite_lock(bob.at, "lease", 600, 0);
	u64 id = new_id(), token = 0;
	int err = PTR_ERR_OR_ZERO(l);
	bool valid;

	msleep(1500);
	valid = !err && lite_lock_valid(l);
	err = try(&alice, "lease", 0, 0);
	tap(m, valid && err == -EBUSY,
	    "a lock is held as long as its lease is renewed", err);
	tap_err(m, try(&alice, "lease", 0, 300), -ETIMEDOUT,
		"who waits no longer than that is told");
	tap_err(m, lite_unlock(l), 0, "it was held till it is unlocked");

	/* by one that stops here */
	err = ask_lock(&bob, "lease", id, 1000, 400, &token);
	go(&w);
	over(&w);
	tap(m, err == LITE_LOCK_HELD && !w.err && w.took_ms > 500 &&
	    w.took_ms < 10000, "a lease that is not renewed ends",
	    w.err ?: w.took_ms);
	tap_err(m, ask_id(&bob, LITE_LOCK_RENEW, "lease", id), -ESTALE,
		"and is not renewed later");
	l = lite_lock(alice.at, "lease", 0, 1000);
	tap(m, !IS_ERR(l) && lite_lock_token(l) > token,
	    "the next has a greater token", 0);
	lite_unlock(l);
}

static void test_killed(struct seq_file *m)
{
	struct worker w = { .a = &bob, .fn = lock_once, .name = "killed",
			    .wait_ms = WAIT_MS };
	struct lite_lock *l = lite_lock(alice.at, "killed", 0, 0);
	int err;

	go(&w);
	msleep(300);
	if (w.task)
		send_sig(SIGKILL, w.task, 1);
	err = over(&w);
	tap(m, err == -EINTR && w.took_ms < 3000,
	    "one that is killed waits no more", err ?: w.took_ms);
	lite_unlock(l);
	/* its lease would have been a minute */
	l = lite_lock(alice.at, "killed", 0, 3000);
	tap_err(m, PTR_ERR_OR_ZERO(l), 0, "and is not given the lock");
	lite_unlock(l);
}

static atomic_t arrived;
static atomic_t early;

static int pass_often(struct worker *w)
{
	unsigned int i;
	int err = 0;

	for (i = 1; i <= ROUNDS && !err; i++) {
		atomic_inc(&arrived);
		err = pass(w);
		if (!err && atomic_read(&arrived) < i * w->nr)
			atomic_inc(&early);
	}
	return err;
}

static void test_barrier(struct seq_file *m)
{
	struct worker w[COUNTERS] = {};
	unsigned int i;
	int err = 0;

	atomic_set(&arrived, 0);
	atomic_set(&early, 0);
	for (i = 0; i < COUNTERS; i++) {
		w[i].a = i % 2 ? &bob : &alice;
		w[i].fn = pass_often;
		w[i].name = "barrier";
		w[i].nr = COUNTERS;
		w[i].wait_ms = WAIT_MS;
		go(&w[i]);
	}
	for (i = 0; i < COUNTERS; i++)
		err = over(&w[i]) ?: err;
	tap_err(m, err, 0, "a barrier lets all pass, again and again");
	tap(m, !atomic_read(&early), "and none before all are there",
	    atomic_read(&early));
	tap_err(m, lite_barrier(bob.at, "barrier", 1, 0), 0,
		"one of one waits for nobody");
}

static void test_broken(struct seq_file *m)
{
	struct worker w[2] = {};
	unsigned int i;
	u64 id;
	int err;

	for (i = 0; i < 2; i++)
		w[i] = (struct worker){ .a = i ? &bob : &alice, .fn = pass,
					.name = "broken", .nr = 3,
					.wait_ms = i ? 400 : WAIT_MS };
	go(&w[0]);
	go(&w[1]);
	tap_err(m, over(&w[1]), -ETIMEDOUT,
		"a barrier that not all come to is left in time");
	tap(m, over(&w[0]) == -ECONNABORTED && w[0].took_ms < 5000,
	    "that breaks it for the others", w[0].err ?: w[0].took_ms);

	w[1].wait_ms = WAIT_MS;
	go(&w[0]);
	go(&w[1]);
	msleep(300);
	if (w[1].task)
		send_sig(SIGKILL, w[1].task, 1);
	err = over(&w[1]);
	over(&w[0]);
	tap(m, err == -EINTR && w[0].err == -ECONNABORTED,
	    "so does one that is killed", err ?: w[0].err);
	tap(m, w[0].took_ms < 5000, "soon", w[0].took_ms);

	w[0].nr = 2;
	w[1].nr = 2;
	go(&w[0]);
	msleep(300);
	tap_err(m, lite_barrier(bob.at, "broken", 3, 1000), -EINVAL,
		"who counts otherwise is refused");
	id = new_id();
	tap_err(m, ask_lock(&bob, "broken", id, 1000, 0, NULL), -EINVAL,
		"a barrier is not locked");
	go(&w[1]);
	err = over(&w[1]);
	err = over(&w[0]) ?: err;
	tap_err(m, err, 0, "and the others pass");
}

static void test_refused(struct seq_file *m)
{
	static const char name32[] = "a-name-of-thirty-two-characters-";
	struct lite_lock_req req = {
		.id = cpu_to_le64(1),
		.lease_ms = cpu_to_le32(1000),
	};
	struct lite_lock_rsp rsp;
	struct lite_peer *at = alice.at;
	struct lite_lock *l;

	tap_err(m, try(&alice, "", 0, 0), -EINVAL, "no name is refused");
	tap_err(m, try(&alice, name32, 0, 0), -EINVAL,
		"a name that is too long");
	memcpy(req.name, name32, sizeof(req.name));
	tap_err(m, ask(&alice, LITE_LOCK_ACQUIRE, &req, sizeof(req), &rsp),
		-EINVAL, "one that does not end");
	tap_err(m, ask(&alice, LITE_LOCK_ACQUIRE, &req, sizeof(req) - 1, &rsp),
		-EMSGSIZE, "half a question");
	tap_err(m, ask_lock(&alice, "bad", 0, 1000, 0, NULL), -EINVAL,
		"id 0");
	tap_err(m, ask_lock(&alice, "bad", 1, LITE_LOCK_LEASE_MIN_MS - 1, 0,
			    NULL), -EINVAL, "a lease too short");
	tap_err(m, try(&alice, "bad", LITE_LOCK_LEASE_MAX_MS + 1, 0), -EINVAL,
		"or too long");
	tap_err(m, ask_barrier(&alice, "bad", 1, 0), -EINVAL,
		"a barrier of none");
	tap_err(m, ask_barrier(&alice, "bad", 1, LITE_LOCKS_MAX + 1), -EINVAL,
		"or too many");
	tap_err(m, ask_id(&alice, LITE_LOCK_RENEW, "bad", 1), -ESTALE,
		"a lease of nothing");
	l = lite_lock(at, "bad", 0, 0);
	tap_err(m, lite_barrier(at, "bad", 1, 0), -EINVAL,
		"a barrier of a lock's name");
	lite_unlock(l);
}

/* bob has as many as there may be; then three fewer, and what others want */
static int fill(struct seq_file *m)
{
	u64 first = new_id() + 1;
	char name[LITE_NAME_LEN];
	unsigned int i, n;
	int err = 0;

	for (n = 0; !err && n < 2 * LITE_LOCKS_MAX; n++) {
		snprintf(name, sizeof(name), "n%u", n);
		err = ask_lock(&bob, name, new_id(), 600000, 0, NULL);
		if (err == LITE_LOCK_HELD)
			err = 0;
	}
	/* but the last; others are what is left of barriers before */
	n--;
	tap(m, err == -ENOSPC && n <= LITE_LOCKS_MAX && n > LITE_LOCKS_MAX - 50,
	    "there may be so many and no more", n);
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		err = ask_id(&bob, LITE_LOCK_RELEASE, name, first + i);
		if (err != LITE_LOCK_HELD)
			return err < 0 ? err : -EIO;
	}
	if (ask_lock(&bob, "death", new_id(), 600000, 0, NULL) !=
		    LITE_LOCK_HELD ||
	    ask_barrier(&bob, "death-barrier", new_id(), 3) != LITE_LOCK_WAITS)
		return -EIO;
	return 0;
}

/* It ends: who waited for it does not any more. */
static void test_death(struct seq_file *m)
{
	struct worker w = { .a = &alice, .fn = lock_once, .name = "death",
			    .wait_ms = WAIT_MS };
	struct worker b = { .a = &alice, .fn = pass, .name = "death-barrier",
			    .nr = 3, .wait_ms = WAIT_MS };
	int err;

	err = actor_join(&bob) ?: fill(m);
	tap_err(m, err, 0, "what is released makes room for others");
	go(&w);
	go(&b);
	msleep(300);
	lite_leave(bob.node);
	over(&w);
	over(&b);
	tap(m, !w.err && w.took_ms < 15000,
	    "what a node held that has ended, others have",
	    w.err ?: w.took_ms);
	tap(m, b.err == -ECONNABORTED && b.took_ms < 15000,
	    "and a barrier that it waited at is broken", b.err ?: b.took_ms);
	err = ask_lock(&alice, "n4", new_id(), 1000, 0, NULL);
	tap_err(m, err, LITE_LOCK_HELD, "nothing of it is left");
}

/**
 * run_tests() - all tests but those with commands
 * @m: where the results go
 *
 * Context: process, alice and bob are there.
 */
void run_tests(struct seq_file *m)
{
	tap_nr = 0;
	test_exclusion(m);
	test_crowd(m);
	test_order(m);
	test_lease(m);
	test_killed(m);
	test_barrier(m);
	test_broken(m);
	test_refused(m);
	test_death(m);
	seq_printf(m, "# %u\n", tap_nr);
}
