// SPDX-License-Identifier: GPL-2.0
/*
 * A run: threads that send what the generator makes, and what becomes of it.
 *
 * Each is a node of its own with a connection of its own, so that a message
 * which breaks it costs the others nothing.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "fuzz.h"

#define RSP_SIZE 64
#define POISON 0xa5
#define CALL_MS 10000
#define LOST_MS 60000 /* no call takes that long */

struct fuzz_caller;

/**
 * struct fuzz_call - a call under way
 * @call: for lite_rpc
 * @list: in caller->free, when it is not
 * @caller: whose
 * @op: operation
 * @out: of its own memory, with lies
 * @req: the request, with lies
 * @rsp: room for the reply, and what must stay as it is
 */
struct fuzz_call {
	struct lite_call call;
	struct list_head list;
	struct fuzz_caller *caller;
	u16 op;
	struct lite_sge out;
	struct mcomp_fetch_req req;
	u8 rsp[RSP_SIZE + 16];
};

/**
 * struct fuzz_caller - a thread
 * @run: its run
 * @task: with a reference
 * @id: which
 * @left: messages to send
 * @node: its own
 * @peer: the target
 * @mem: lent to it
 * @gen: where messages come from
 * @msg: the one of now
 * @lock: protects @free, @stats
 * @free: calls that are not under way
 * @wait: for one of them
 * @stats: its own
 * @call: opts.window of them
 */
struct fuzz_caller {
	struct fuzz_run *run;
	struct task_struct *task;
	unsigned int id;
	u32 left;
	struct lite_node *node;
	struct lite_peer *peer;
	struct fuzz_memory mem;
	struct fuzz_gen gen;
	struct fuzz_msg msg;
	spinlock_t lock;
	struct list_head free;
	wait_queue_head_t wait;
	struct fuzz_stats stats;
	struct fuzz_call *call;
};

/**
 * struct fuzz_run - a run
 * @opts: what is asked for
 * @ip: address of the nodes
 * @liar: who answers wrongly, or NULL
 * @bystander: whose memory is nobody's business
 * @mem: that memory
 * @stop: callers end
 * @running: callers that have not
 * @over: none is running
 * @nr: callers
 * @caller: each
 */
struct fuzz_run {
	const struct fuzz_opts *opts;
	const char *ip;
	struct lite_node *liar;
	struct lite_node *bystander;
	struct fuzz_memory mem;
	bool stop;
	atomic_t running;
	struct completion over;
	unsigned int nr;
	struct fuzz_caller *caller;
};

/* ---- calls ---- */

static void count_end(struct fuzz_stats *s, int err)
{
	s->errors[min(-err, FUZZ_ERRNO_MAX - 1)]++;
	s->ok += !err;
	s->answered += err != -ECONNRESET && err != -ETIMEDOUT &&
		       err != -ESHUTDOWN;
}

static void learn(struct fuzz_call *fc)
{
	const struct lite_lmr_rsp *rsp = (const void *)fc->rsp;

	if ((fc->op == LITE_LMR_ALLOC || fc->op == LITE_LMR_MAP) &&
	    !fc->call.status && fc->call.rsp_len == sizeof(*rsp))
		WRITE_ONCE(fc->caller->gen.lmr, le64_to_cpu(rsp->id));
}

static void put_call(struct fuzz_call *fc)
{
	struct fuzz_caller *c = fc->caller;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	list_add(&fc->list, &c->free);
	/* under the lock: the caller's thread may be waiting for the last one */
	wake_up(&c->wait);
	spin_unlock_irqrestore(&c->lock, flags);
}

static void call_done(struct lite_call *call)
{
	struct fuzz_call *fc = container_of(call, struct fuzz_call, call);
	struct fuzz_caller *c = fc->caller;
	unsigned long flags;
	bool twice;

	learn(fc);
	spin_lock_irqsave(&c->lock, flags);
	twice = !list_empty(&fc->list);
	c->stats.twice += twice;
	count_end(&c->stats, call->status);
	if (memchr_inv(fc->rsp + RSP_SIZE, POISON, sizeof(fc->rsp) - RSP_SIZE))
		c->stats.stray_bytes++;
	spin_unlock_irqrestore(&c->lock, flags);
	if (!twice)
		put_call(fc);
}

static bool has_free(struct fuzz_caller *c)
{
	return !list_empty_careful(&c->free);
}

static struct fuzz_call *get_call(struct fuzz_caller *c)
{
	struct fuzz_call *fc;

	if (!wait_event_timeout(c->wait, has_free(c),
				msecs_to_jiffies(LOST_MS)))
		return NULL;
	spin_lock_irq(&c->lock);
	fc = list_first_entry(&c->free, struct fuzz_call, list);
	list_del_init(&fc->list);
	spin_unlock_irq(&c->lock);
	fc->call = (struct lite_call){
		.class = LITE_CLASS_CONTROL,
		.rsp = fc->rsp,
		.rsp_size = RSP_SIZE,
		.timeout_ms = CALL_MS,
		.done = call_done,
	};
	memset(fc->rsp, POISON, sizeof(fc->rsp));
	return fc;
}

/* how memory is called on this connection */
static void name_memory(struct fuzz_caller *c)
{
	struct lite_sge sge = { .mr = c->mem.mr,
				.len = FUZZ_PAGES * PAGE_SIZE };

	lite_raw_segment(c->peer, LITE_CLASS_CONTROL, &sge, &c->gen.seg);
	sge.mr = c->run->mem.mr;
	if (lite_raw_segment(c->peer, LITE_CLASS_CONTROL, &sge, &c->gen.other))
		c->gen.other.len = 0;
}

static int connect(struct fuzz_caller *c)
{
	unsigned long end = jiffies + msecs_to_jiffies(LOST_MS);
	int err;

	do {
		err = lite_peer_connect(c->peer, LITE_CLASS_CONTROL);
		if (!err) {
			c->stats.connects++;
			name_memory(c);
			return 0;
		}
		msleep(20);
	} while (time_before(jiffies, end) && !READ_ONCE(c->run->stop));
	return err;
}

static int start(struct fuzz_caller *c, struct fuzz_call *fc)
{
	struct lite_call *call = c->msg.oneway ? NULL : &fc->call;

	if (!c->run->liar)
		return lite_raw_start(c->peer, call, &c->msg.raw);
	fc->call.req = &fc->req;
	fc->call.req_len = sizeof(fc->req);
	fc->call.op = fc->op;
	fc->call.out = &fc->out;
	fc->call.nr_out = 1;
	return lite_call_start(c->peer, &fc->call);
}

/* what a caller asks rightly: the seed of what it is answered */
static void ask(struct fuzz_caller *c, struct fuzz_call *fc)
{
	fc->op = fuzz_one_in(&c->gen, 4) ? MCOMP_SPACE_FORK : MCOMP_FETCH;
	fc->req.space = cpu_to_le64((u64)prandom_u32_state(&c->gen.rnd) << 32 |
				    c->run->opts->seed);
	fc->req.index = cpu_to_le64(prandom_u32_state(&c->gen.rnd));
	fc->out.mr = c->mem.mr;
	fc->out.off = fuzz_below(&c->gen, FUZZ_PAGES) * PAGE_SIZE;
	fc->out.len = PAGE_SIZE;
}

static int send_one(struct fuzz_caller *c)
{
	struct fuzz_call *fc = get_call(c);
	const struct lite_req_hdr *hdr = c->msg.buf;
	int err;

	if (!fc)
		return -ETIMEDOUT;
	if (c->run->liar) {
		ask(c, fc);
	} else {
		fuzz_request(&c->gen, &c->msg);
		fc->op = le16_to_cpu(hdr->op);
	}
	while ((err = start(c, fc))) {
		if (err == -EAGAIN)
			lite_peer_wait_slot(c->peer, LITE_CLASS_CONTROL);
		else if (err != -ENOTCONN || connect(c))
			break;
		if (READ_ONCE(c->run->stop))
			break;
	}
	c->stats.sent += !err;
	if (err || c->msg.oneway) {
		c->stats.oneway += !err;
		put_call(fc);
	}
	return err;
}

static bool all_free(struct fuzz_caller *c)
{
	unsigned int nr = 0;
	struct list_head *p;

	spin_lock_irq(&c->lock);
	list_for_each(p, &c->free)
		nr++;
	spin_unlock_irq(&c->lock);
	return nr == c->run->opts->window;
}

static int caller_thread(void *arg)
{
	struct fuzz_caller *c = arg;
	struct fuzz_run *run = c->run;
	int err = 0;

	while (c->left && !err && !READ_ONCE(run->stop)) {
		err = send_one(c);
		c->left--;
		cond_resched();
	}
	if (err)
		pr_warn("%s: gives up: %d\n", lite_node_name(c->node), err);
	if (!wait_event_timeout(c->wait, all_free(c),
				msecs_to_jiffies(LOST_MS))) {
		c->stats.lost++;
		lite_peer_reset(c->peer);
		wait_event(c->wait, all_free(c));
	}
	if (atomic_dec_and_test(&run->running))
		complete(&run->over);
	return 0;
}

/* ---- callers ---- */

static void exit_caller(struct fuzz_caller *c)
{
	if (!IS_ERR_OR_NULL(c->peer))
		lite_peer_put(c->peer);
	if (!IS_ERR_OR_NULL(c->node))
		lite_node_stop(c->node);
	fuzz_memory_free(&c->mem);
	if (!IS_ERR_OR_NULL(c->node))
		lite_node_destroy(c->node);
	kvfree(c->call);
	kfree(c->msg.buf);
}

static int init_caller(struct fuzz_run *run, unsigned int id)
{
	const struct fuzz_opts *opts = run->opts;
	struct fuzz_caller *c = &run->caller[id];
	const char *addr = opts->addr[id % opts->nr];
	char name[LITE_NAME_LEN];
	unsigned int i;
	int err;

	c->run = run;
	c->id = id;
	c->left = opts->count / run->nr + (id < opts->count % run->nr);
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->free);
	init_waitqueue_head(&c->wait);
	prandom_seed_state(&c->gen.rnd, (u64)opts->seed << 32 | id);
	c->gen.breaks = opts->breaks;
	c->gen.service = id % opts->nr % (LITE_SVC_NR - 1) + 1;
	c->msg.buf = kzalloc(LITE_SLOT_SIZE, GFP_KERNEL);
	c->call = kvcalloc(opts->window, sizeof(*c->call), GFP_KERNEL);
	if (!c->msg.buf || !c->call)
		return -ENOMEM;
	for (i = 0; i < opts->window; i++) {
		c->call[i].caller = c;
		list_add(&c->call[i].list, &c->free);
	}
	snprintf(name, sizeof(name), "fuzz%u", id);
	c->node = fuzz_node(name, run->ip, FUZZ_PORT + 2 + id, LITE_SVC_LITE,
			    NULL, 0, NULL);
	if (IS_ERR(c->node))
		return PTR_ERR(c->node);
	err = fuzz_memory_alloc(&c->mem, c->node);
	if (err)
		return err;
	c->gen.incarnation = lite_node_incarnation(c->node);
	if (run->liar)
		addr = lite_node_addr(run->liar);
	c->peer = lite_peer_get(c->node, addr, 0);
	return PTR_ERR_OR_ZERO(c->peer);
}

static void add_stats(struct fuzz_stats *sum, const struct fuzz_stats *s)
{
	unsigned int i;

	sum->sent += s->sent;
	sum->answered += s->answered;
	sum->ok += s->ok;
	for (i = 0; i < FUZZ_ERRNO_MAX; i++)
		sum->errors[i] += s->errors[i];
	sum->oneway += s->oneway;
	sum->connects += s->connects;
	sum->twice += s->twice;
	sum->lost += s->lost;
	sum->stray_bytes += s->stray_bytes;
}

static void run_callers(struct fuzz_run *run, struct fuzz_stats *stats)
{
	u64 begin = ktime_get_ns();
	struct task_struct *task;
	unsigned int i;

	atomic_set(&run->running, 1);
	for (i = 0; i < run->nr; i++) {
		task = kthread_create(caller_thread, &run->caller[i],
				      "lego_fuzz/%u", i);
		if (IS_ERR(task))
			break;
		run->caller[i].task = get_task_struct(task);
		atomic_inc(&run->running);
		wake_up_process(task);
	}
	if (atomic_dec_and_test(&run->running))
		complete(&run->over);
	if (wait_for_completion_killable(&run->over)) {
		WRITE_ONCE(run->stop, true);
		wait_for_completion(&run->over); /* calls are bounded */
	}
	while (i--) {
		kthread_stop(run->caller[i].task);
		put_task_struct(run->caller[i].task);
	}
	stats->elapsed_ns = ktime_get_ns() - begin;
}

static int init_run(struct fuzz_run *run)
{
	struct lite_node *node;
	unsigned int i;
	int err;

	init_completion(&run->over);
	run->nr = run->opts->nr * run->opts->threads;
	run->caller = kvcalloc(run->nr, sizeof(*run->caller), GFP_KERNEL);
	if (!run->caller)
		return -ENOMEM;
	node = fuzz_node("fuzzby", run->ip, FUZZ_PORT + 1, LITE_SVC_LITE, NULL,
			 0, NULL);
	if (IS_ERR(node))
		return PTR_ERR(node);
	run->bystander = node;
	err = fuzz_memory_alloc(&run->mem, node);
	if (err)
		return err;
	if (run->opts->lies) {
		node = fuzz_liar_create(run->opts, run->ip);
		if (IS_ERR(node))
			return PTR_ERR(node);
		run->liar = node;
	}
	for (i = 0; !err && i < run->nr; i++)
		err = init_caller(run, i);
	return err;
}

static void exit_run(struct fuzz_run *run)
{
	unsigned int i;

	for (i = 0; run->caller && i < run->nr; i++)
		exit_caller(&run->caller[i]);
	kvfree(run->caller);
	lite_node_destroy(run->liar);
	fuzz_memory_free(&run->mem);
	lite_node_destroy(run->bystander);
}

/**
 * fuzz_run() - send messages, as many and as wrong as asked for
 * @opts: what
 * @ip: address of the nodes that send, or ""
 * @stats: what came of it, zeroed
 *
 * Context: process; a fatal signal ends it early.
 * Return: 0, whatever came of the messages, or a negative errno.
 */
int fuzz_run(const struct fuzz_opts *opts, const char *ip,
	     struct fuzz_stats *stats)
{
	struct fuzz_run run = { .opts = opts, .ip = ip };
	unsigned int i;
	int err;

	err = init_run(&run);
	if (!err) {
		run_callers(&run, stats);
		for (i = 0; i < run.nr; i++)
			add_stats(stats, &run.caller[i].stats);
		stats->stray_bytes += fuzz_memory_changed(&run.mem);
	}
	exit_run(&run);
	return err;
}
