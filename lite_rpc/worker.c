// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: the threads of this kernel in which handlers run that may sleep.
 *
 * There are so many places for handlers (workers=), and who has a place runs on
 * the cores of cores=. A request that finds no place waits at its conn, and the
 * conns that have some take turns, one request each: a peer that fills all its
 * slots delays another one's request by a request, not by 64 (the fair queues
 * of networks; nfsd and ksmbd are first come, first served).
 *
 * Of classes, demand is first: a thread waits for a page. Control is next: a
 * program waits for a file or for its address space, and members for gmgr; it is
 * rare, but not always small. Then prefetch, which somebody may want soon, and
 * last write-back, which nobody waits for as long as there are free lines. None
 * starves, as they are weighted: when all have requests they get 8, 4, 2 and 1
 * of 15 places that get free. And a quarter of the places is demand's alone, so
 * that it is not behind as many slow handlers as there are places.
 *
 * Why this cannot deadlock, though there are few places, all components may be
 * in this kernel, and their handlers call each other's:
 *   - Who waits in lite_call() or lite_call_many() gives his place up meanwhile
 *     (lite_worker_aside()). He does not wait to have it back: he may hold what
 *     those who have places wait for. So for a moment more run than there are
 *     places, which then are not filled again.
 *   - That is not enough: one who calls may hold a mutex that all who have a
 *     place wait for (vregion_lock of mcomp), and the handler that he needs waits
 *     for a place. So when requests wait and none has begun for STALL, there is
 *     a place more, the next time two, then four; they go, one each STALL, when
 *     things move. Requests that wait are finitely many, as slots are: in the
 *     end each has begun, whatever the others wait for.
 * A component whose handlers wait for no other handler, but perhaps for a disk
 * that hangs, can have a bound of its own (lite_node_cfg.max_running): its
 * further requests do not count as waiting till one of its handlers has ended.
 * Else there would be as many threads as there are slots of its callers.
 *
 * So the bound is one of handlers that make progress, as it is in the kernel's
 * workqueues, which would be used if modules could pin them.
 *
 * There are as many threads as were needed at once. Those beyond the places end
 * when they are idle; the rest stay, and one is there from the beginning: where
 * no memory is left for a thread, requests are served one after the other.
 *
 * Locks: workers_mutex > pool.lock > wait queues'.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fs_struct.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/isolation.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "lite_rpc.h"

#define STALL (HZ / 20)
#define PER_CORE 4
#define MIN_PLACES 16
#define MAX_PLACES 1024

/**
 * struct lite_worker - a thread
 * @list: in all_workers
 * @task: it
 * @idle: has nothing to do; under pool.lock
 * @leaving: shall end, takes nothing any more; under pool.lock
 * @low: its handler's place is not one of demand's; its own
 * @aside: it has given up its place for now; its own
 */
struct lite_worker {
	struct list_head list;
	struct task_struct *task;
	bool idle;
	bool leaving;
	bool low;
	bool aside;
};

/* All there are, and where they may run. */
static DEFINE_MUTEX(workers_mutex);
static LIST_HEAD(all_workers);
static struct cpumask cores; /* empty: all */
static unsigned int next_nr;

static unsigned int nr_places; /* as it was asked for; 0: by cores */

static const u8 by_priority[LITE_CLASS_NR] = {
	LITE_CLASS_DEMAND,
	LITE_CLASS_CONTROL,
	LITE_CLASS_PREFETCH,
	LITE_CLASS_WRITEBACK,
};

static const u8 weight[LITE_CLASS_NR] = {
	[LITE_CLASS_DEMAND] = 8,
	[LITE_CLASS_CONTROL] = 4,
	[LITE_CLASS_PREFETCH] = 2,
	[LITE_CLASS_WRITEBACK] = 1,
};

/**
 * struct lite_turns - requests of a class
 * @conns: those that have some, in the order of their turns
 * @credit: how often it is still served ahead of lower classes
 * @waiting: requests that wait
 * @begun: that do not any more
 */
struct lite_turns {
	struct list_head conns;
	unsigned int credit;
	unsigned int waiting;
	u64 begun;
};

/**
 * struct lite_pool - who runs, who waits
 * @lock: protects all of this, lite_req.list, lite_conn.pending, .ready,
 *	.nr_pending and .held, lite_node.nr_running and .held; any context
 * @turns: of each class
 * @places: how many handlers may run
 * @threads: workers
 * @idle: of them, without a handler, and not about to end
 * @running: handlers that have a place
 * @low: of them, not demand
 * @aside: handlers that have given theirs up
 * @extra: places that there are only because nothing moved
 * @waiting: requests that wait, of all classes; not those of conns that are held
 * @begun: handlers that have begun
 * @last_begun: the same, when tick last looked
 * @stalls: how often nothing moved
 * @ticking: tick is queued
 * @closed: the module ends
 * @wait: idle workers
 * @tick: looks whether anything moves
 * @spawn: makes a thread
 */
struct lite_pool {
	spinlock_t lock;
	struct lite_turns turns[LITE_CLASS_NR];
	unsigned int places;
	unsigned int threads;
	unsigned int idle;
	unsigned int running;
	unsigned int low;
	unsigned int aside;
	unsigned int extra;
	unsigned int waiting;
	u64 begun;
	u64 last_begun;
	u64 stalls;
	bool ticking;
	bool closed;
	wait_queue_head_t wait;
	struct delayed_work tick;
	struct work_struct spawn;
};

static void tick_work(struct work_struct *work);
static void spawn_work(struct work_struct *work);

static struct lite_pool pool = {
	.lock = __SPIN_LOCK_UNLOCKED(pool.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(pool.wait),
	.tick = __DELAYED_WORK_INITIALIZER(pool.tick, tick_work, 0),
	.spawn = __WORK_INITIALIZER(pool.spawn, spawn_work),
};

/* ---- whose turn it is ---- */

static bool low_may_begin(void)
{
	return pool.low < pool.places - pool.places / 4 + pool.extra;
}

static bool is_ready(unsigned int class)
{
	return !list_empty(&pool.turns[class].conns) &&
	       (class == LITE_CLASS_DEMAND || low_may_begin());
}

static bool may_begin(void)
{
	unsigned int i;

	lockdep_assert_held(&pool.lock);
	if (!pool.waiting || pool.running >= pool.places + pool.extra)
		return false;
	for (i = 0; i < LITE_CLASS_NR; i++)
		if (is_ready(i))
			return true;
	return false;
}

/* the first that is ready and has credit; may_begin(): there is one */
static struct lite_turns *pick_class(void)
{
	unsigned int i;

	for (;;) {
		for (i = 0; i < LITE_CLASS_NR; i++) {
			struct lite_turns *t = &pool.turns[by_priority[i]];

			if (!is_ready(by_priority[i]) || !t->credit)
				continue;
			t->credit--;
			return t;
		}
		for (i = 0; i < LITE_CLASS_NR; i++)
			pool.turns[i].credit = weight[i];
	}
}

static bool is_full(const struct lite_node *node)
{
	return node->max_running && node->nr_running >= node->max_running;
}

/* As many handlers of @node run as may: it has no turns. */
static void hold_node(struct lite_node *node)
{
	struct lite_conn *conn, *next;
	struct lite_turns *t;
	unsigned int i;

	lockdep_assert_held(&pool.lock);
	for (i = 0; i < LITE_CLASS_NR; i++) {
		t = &pool.turns[i];
		list_for_each_entry_safe(conn, next, &t->conns, ready) {
			if (conn->node != node)
				continue;
			list_move_tail(&conn->ready, &node->held);
			conn->held = true;
			t->waiting -= conn->nr_pending;
			pool.waiting -= conn->nr_pending;
		}
	}
}

static void release_node(struct lite_node *node)
{
	struct lite_conn *conn, *next;
	struct lite_turns *t;

	lockdep_assert_held(&pool.lock);
	list_for_each_entry_safe(conn, next, &node->held, ready) {
		t = &pool.turns[conn->class];
		list_move_tail(&conn->ready, &t->conns);
		conn->held = false;
		t->waiting += conn->nr_pending;
		pool.waiting += conn->nr_pending;
	}
}

static struct lite_req *pick(void)
{
	struct lite_turns *t = pick_class();
	struct lite_conn *conn = list_first_entry(&t->conns, struct lite_conn,
						  ready);
	struct lite_req *req = list_first_entry(&conn->pending,
						struct lite_req, list);

	lockdep_assert_held(&pool.lock);
	list_del_init(&req->list);
	conn->nr_pending--;
	if (list_empty(&conn->pending))
		list_del_init(&conn->ready);
	else
		list_move_tail(&conn->ready, &t->conns);
	t->waiting--;
	t->begun++;
	pool.waiting--;
	pool.begun++;
	return req;
}

/* ---- threads ---- */

static void start_ticking(void)
{
	lockdep_assert_held(&pool.lock);
	if (pool.ticking || pool.closed)
		return;
	pool.ticking = true;
	pool.last_begun = pool.begun;
	queue_delayed_work(system_unbound_wq, &pool.tick, STALL);
}

/* whoever takes a request, or gives a place up, has the next one begin */
static void kick(void)
{
	unsigned long flags;
	bool wake, spawn;

	spin_lock_irqsave(&pool.lock, flags);
	wake = may_begin();
	spawn = wake && !pool.idle && !pool.closed;
	if (pool.waiting && (!wake || spawn))
		start_ticking();
	spin_unlock_irqrestore(&pool.lock, flags);
	if (spawn)
		queue_work(system_unbound_wq, &pool.spawn);
	else if (wake)
		wake_up(&pool.wait);
}

static struct lite_req *take(struct lite_worker *w)
{
	struct lite_req *req = NULL;

	spin_lock_irq(&pool.lock);
	if (!w->leaving && may_begin()) {
		req = pick();
		w->low = req->conn->class != LITE_CLASS_DEMAND;
		w->idle = false;
		pool.idle--;
		pool.running++;
		pool.low += w->low;
		req->conn->node->nr_running++;
		if (is_full(req->conn->node))
			hold_node(req->conn->node);
	}
	spin_unlock_irq(&pool.lock);
	return req;
}

/* the request is gone by now, and with it perhaps the conn */
static void over(struct lite_worker *w, struct lite_node *node)
{
	spin_lock_irq(&pool.lock);
	w->idle = true;
	pool.idle++;
	pool.running--;
	pool.low -= w->low;
	/* inside the lock: after it the node may be gone */
	if (!--node->nr_running && wq_has_sleeper(&node->conn_wait))
		wake_up_all(&node->conn_wait);
	release_node(node);
	if (pool.threads > pool.places)
		start_ticking();
	spin_unlock_irq(&pool.lock);
}

static int worker_thread(void *arg)
{
	struct lite_worker *w = arg;
	struct lite_node *node;
	struct lite_req *req;

	/* Handlers that make files have no umask of init's, as nfsd's. */
	while (unshare_fs_struct())
		schedule_timeout_idle(HZ / 10);
	current->fs->umask = 0;
	for (;;) {
		wait_event_idle_exclusive(pool.wait, (req = take(w)) ||
					  READ_ONCE(w->leaving));
		kick();
		if (!req)
			break;
		node = req->conn->node;
		lite_req_run(req);
		over(w, node);
		cond_resched();
	}
	/* for who waits for it */
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

static const struct cpumask *allowed(void)
{
	lockdep_assert_held(&workers_mutex);
	return cpumask_empty(&cores) ? housekeeping_cpumask(HK_TYPE_KTHREAD) :
				       &cores;
}

static int add_worker(void)
{
	struct lite_worker *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	w->task = kthread_create(worker_thread, w, "lite_worker/%u",
				 next_nr++);
	if (IS_ERR(w->task)) {
		err = PTR_ERR(w->task);
		kfree(w);
		return err;
	}
	mutex_lock(&workers_mutex);
	set_cpus_allowed_ptr(w->task, allowed());
	list_add(&w->list, &all_workers);
	mutex_unlock(&workers_mutex);
	spin_lock_irq(&pool.lock);
	w->idle = true;
	pool.idle++;
	pool.threads++;
	spin_unlock_irq(&pool.lock);
	wake_up_process(w->task);
	return 0;
}

/* it takes nothing any more */
static void end_worker(struct lite_worker *w)
{
	mutex_lock(&workers_mutex);
	list_del(&w->list);
	mutex_unlock(&workers_mutex);
	kthread_stop(w->task);
	kfree(w);
}

static void spawn_work(struct work_struct *work)
{
	bool need;

	do {
		spin_lock_irq(&pool.lock);
		need = may_begin() && !pool.idle && !pool.closed;
		spin_unlock_irq(&pool.lock);
	} while (need && !add_worker()); /* else tick tries again */
}

/* an idle one that is not needed, from now on leaving */
static struct lite_worker *surplus(void)
{
	struct lite_worker *w, *found = NULL;

	mutex_lock(&workers_mutex);
	spin_lock_irq(&pool.lock);
	list_for_each_entry(w, &all_workers, list) {
		if (pool.threads <= pool.places + pool.extra)
			break;
		if (!w->idle || w->leaving)
			continue;
		WRITE_ONCE(w->leaving, true);
		pool.idle--;
		pool.threads--;
		found = w;
		break;
	}
	spin_unlock_irq(&pool.lock);
	mutex_unlock(&workers_mutex);
	return found;
}

static void tick_work(struct work_struct *work)
{
	struct lite_worker *w;
	bool calm;

	spin_lock_irq(&pool.lock);
	pool.ticking = false;
	calm = !pool.waiting;
	if (calm && pool.running <= pool.places) {
		pool.extra = 0;
	} else if (calm || pool.begun != pool.last_begun) {
		pool.extra -= !!pool.extra;
	} else if (!may_begin()) { /* else it is a thread that is missing */
		pool.extra += max(pool.extra, 1U);
		pool.stalls++;
	}
	if (!calm || pool.extra)
		start_ticking();
	spin_unlock_irq(&pool.lock);
	kick();
	while (calm && (w = surplus()))
		end_worker(w);
}

/* ---- for the rest of lite_rpc ---- */

/**
 * lite_worker_add() - have a request's handler run, soon
 * @req: request; the conn lives till it is answered
 *
 * Context: any but hard interrupt.
 */
void lite_worker_add(struct lite_req *req)
{
	struct lite_conn *conn = req->conn;
	struct lite_turns *t = &pool.turns[conn->class];
	struct lite_node *node = conn->node;
	unsigned long flags;

	spin_lock_irqsave(&pool.lock, flags);
	list_add_tail(&req->list, &conn->pending);
	conn->nr_pending++;
	if (list_empty(&conn->ready)) {
		conn->held = is_full(node);
		list_add_tail(&conn->ready,
			      conn->held ? &node->held : &t->conns);
	}
	if (!conn->held) {
		t->waiting++;
		pool.waiting++;
	}
	spin_unlock_irqrestore(&pool.lock, flags);
	kick();
}

/**
 * lite_worker_withdraw() - a request's caller waits no longer: if no handler has
 *	begun with it, none shall
 * @req: request, of a conn whose slot gets no other one meanwhile
 *
 * Context: any but hard interrupt. Return: true: it is the caller's, to answer.
 */
bool lite_worker_withdraw(struct lite_req *req)
{
	struct lite_conn *conn = req->conn;
	struct lite_turns *t = &pool.turns[conn->class];
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&pool.lock, flags);
	found = !list_empty(&req->list);
	if (found) {
		list_del_init(&req->list);
		conn->nr_pending--;
		if (list_empty(&conn->pending))
			list_del_init(&conn->ready);
		if (!conn->held) {
			t->waiting--;
			pool.waiting--;
		}
	}
	spin_unlock_irqrestore(&pool.lock, flags);
	return found;
}

/**
 * lite_workers_flush() - wait for handlers that have replied to return
 * @node: node that has no conns any more
 *
 * Context: process, may sleep.
 */
void lite_workers_flush(struct lite_node *node)
{
	wait_event(node->conn_wait, !READ_ONCE(node->nr_running));
	/* who made it 0 is still in the lock */
	spin_lock_irq(&pool.lock);
	spin_unlock_irq(&pool.lock);
}

/**
 * lite_worker_aside() - the current thread is going to wait for another handler
 *
 * Context: process.
 * Return: for lite_worker_back(); NULL if it is no worker, or aside already.
 */
struct lite_worker *lite_worker_aside(void)
{
	struct lite_worker *w;

	if (kthread_func(current) != worker_thread)
		return NULL;
	w = kthread_data(current);
	if (w->aside)
		return NULL;
	w->aside = true;
	spin_lock_irq(&pool.lock);
	pool.running--;
	pool.low -= w->low;
	pool.aside++;
	spin_unlock_irq(&pool.lock);
	kick();
	return w;
}

/**
 * lite_worker_back() - it has waited
 * @w: from lite_worker_aside()
 *
 * Context: process.
 */
void lite_worker_back(struct lite_worker *w)
{
	if (!w)
		return;
	spin_lock_irq(&pool.lock);
	pool.running++;
	pool.low += w->low;
	pool.aside--;
	spin_unlock_irq(&pool.lock);
	w->aside = false;
}

/* ---- parameters ---- */

/* under workers_mutex, or before there are any */
static void set_places(void)
{
	unsigned int n = nr_places;

	if (!n)
		n = clamp(PER_CORE * cpumask_weight(allowed()), MIN_PLACES,
			  MAX_PLACES);
	spin_lock_irq(&pool.lock);
	pool.places = n;
	if (pool.threads > n)
		start_ticking();
	spin_unlock_irq(&pool.lock);
}

static int places_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n;

	if (kstrtouint(val, 0, &n) || n > MAX_PLACES) {
		pr_err("workers= is a number of at most %d; 0: by the number of cores\n",
		       MAX_PLACES);
		return -EINVAL;
	}
	mutex_lock(&workers_mutex);
	nr_places = n;
	set_places();
	mutex_unlock(&workers_mutex);
	kick();
	return 0;
}

static int places_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", nr_places);
}

static const struct kernel_param_ops places_ops = {
	.set = places_set,
	.get = places_get,
};

module_param_cb(workers, &places_ops, NULL, 0644);
MODULE_PARM_DESC(workers,
		 "how many handlers run at once (default 0: 4 for each core, at least 16)");

static int cores_parse(const char *val, struct cpumask *mask)
{
	if (!cpulist_parse(val, mask) && cpumask_subset(mask, cpu_online_mask))
		return 0;
	pr_err("cores=%s: give a list, as 0-3,6, of cores that are there (%*pbl), or nothing for all\n",
	       val, cpumask_pr_args(cpu_online_mask));
	return -EINVAL;
}

static int cores_set(const char *val, const struct kernel_param *kp)
{
	struct lite_worker *w;
	cpumask_var_t mask;
	char *text;
	int err = -ENOMEM;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	text = kstrdup(val, GFP_KERNEL);
	if (!text)
		goto out_free_mask;
	err = cores_parse(strim(text), mask);
	if (err)
		goto out_free_text;
	mutex_lock(&workers_mutex);
	cpumask_copy(&cores, mask);
	list_for_each_entry(w, &all_workers, list)
		set_cpus_allowed_ptr(w->task, allowed());
	set_places();
	mutex_unlock(&workers_mutex);
	kick();
out_free_text:
	kfree(text);
out_free_mask:
	free_cpumask_var(mask);
	return err;
}

static int cores_get(char *buf, const struct kernel_param *kp)
{
	int len;

	mutex_lock(&workers_mutex);
	len = sysfs_emit(buf, "%*pbl\n", cpumask_pr_args(&cores));
	mutex_unlock(&workers_mutex);
	return len;
}

static const struct kernel_param_ops cores_ops = {
	.set = cores_set,
	.get = cores_get,
};

module_param_cb(cores, &cores_ops, NULL, 0644);
MODULE_PARM_DESC(cores,
		 "cores that handlers run on, as 0-3,6 (default all)");

static int workers_show(struct seq_file *m, void *v)
{
	unsigned int i;

	spin_lock_irq(&pool.lock);
	seq_printf(m, "places %u\nextra %u\nthreads %u\nidle %u\n", pool.places,
		   pool.extra, pool.threads, pool.idle);
	seq_printf(m, "running %u\naside %u\nstalls %llu\n", pool.running,
		   pool.aside, pool.stalls);
	seq_puts(m, "# class waiting begun\n");
	for (i = 0; i < LITE_CLASS_NR; i++)
		seq_printf(m, "%s %u %llu\n", lite_class_name(i),
			   pool.turns[i].waiting, pool.turns[i].begun);
	spin_unlock_irq(&pool.lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(workers);

/**
 * lite_workers_init() - the first worker
 *
 * Context: process, after lite_roots_init(). Return: 0 or a negative errno.
 */
int lite_workers_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < LITE_CLASS_NR; i++) {
		INIT_LIST_HEAD(&pool.turns[i].conns);
		pool.turns[i].credit = weight[i];
	}
	mutex_lock(&workers_mutex);
	set_places();
	mutex_unlock(&workers_mutex);
	err = add_worker();
	if (!err)
		debugfs_create_file("workers", 0400, lite_debugfs(), NULL,
				    &workers_fops);
	return err;
}

/**
 * lite_workers_exit() - the reverse; there are no nodes any more
 *
 * Context: process.
 */
void lite_workers_exit(void)
{
	struct lite_worker *w, *next;

	debugfs_lookup_and_remove("workers", lite_debugfs());
	spin_lock_irq(&pool.lock);
	pool.closed = true;
	spin_unlock_irq(&pool.lock);
	cancel_delayed_work_sync(&pool.tick);
	cancel_work_sync(&pool.spawn);
	list_for_each_entry_safe(w, next, &all_workers, list) {
		WRITE_ONCE(w->leaving, true);
		end_worker(w);
	}
}
