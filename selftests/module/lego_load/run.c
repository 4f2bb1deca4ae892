// SPDX-License-Identifier: GPL-2.0
/*
 * A run: threads that call, and what they find.
 *
 * Each caller has a ring of buffers for bulk replies. When a call is over its
 * buffer is given back, that is poisoned; it is used again after those of the
 * other calls of the ring, and then the poison must still be there: whatever
 * else is in it, the peer wrote when it had no right to any more.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "load.h"

#define RING 8 /* buffers of a caller */
#define MAX_PAGES 8192 /* of all buffers */
#define MAX_SAMPLES (256 * 1024)
#define LOST_MS 30000 /* beyond the time-out; then the link is reset */
#define POISON 0xa5

/**
 * struct load_buf - a call and where its reply goes
 * @call: over
 * @ended: how often @done was called; 1 once it was used
 * @over: the same, to wait for
 * @sge: its part of the run's region
 * @page: the pages
 */
struct load_buf {
	struct lite_call call;
	atomic_t ended;
	struct completion over;
	struct lite_sge sge;
	struct page **page;
};

/**
 * struct load_caller - a thread
 * @run: its run
 * @task: with a reference
 * @id: which
 * @left: calls to make, with opts.calls
 * @seq: calls made
 * @started: when the call of now did; connecting counts for lite_call() only,
 *	which does it itself
 * @buf: ring
 * @stats: its own
 * @sample: nanoseconds of successful calls, at most run->max_samples
 * @req: what it sends
 * @rsp: what comes back
 */
struct load_caller {
	struct load_run *run;
	struct task_struct *task;
	unsigned int id;
	u32 left;
	u32 seq;
	u64 started;
	struct load_buf buf[RING];
	struct load_stats stats;
	u32 *sample;
	u8 req[LITE_PING_MAX];
	u8 rsp[LITE_PING_MAX];
};

/**
 * struct load_run - a run
 * @opts: what is asked for
 * @peer: who is called
 * @mr: all buffers
 * @pages: of @mr
 * @nr_pages: how many
 * @max_samples: of a caller
 * @end: jiffies, with opts.ms
 * @stop: callers end after the call they are in
 * @running: callers that have not
 * @over: none is running
 * @samples: of all callers
 * @caller: one for each
 */
struct load_run {
	const struct load_opts *opts;
	struct lite_peer *peer;
	struct lite_mr *mr;
	struct page **pages;
	unsigned int nr_pages;
	unsigned int max_samples;
	unsigned long end;
	bool stop;
	atomic_t running;
	struct completion over;
	u32 *samples;
	struct load_caller *caller;
};

/* ---- buffers ---- */

/* how many bytes of [@from, @to) of a buffer are not poison */
static u64 not_poison(const struct load_buf *b, u32 from, u32 to)
{
	u64 bad = 0;
	u32 i, n;

	for (; from < to; from += n) {
		const u8 *p = page_address(b->page[from >> PAGE_SHIFT]) +
			      offset_in_page(from);

		n = min_t(u32, to - from, PAGE_SIZE - offset_in_page(from));
		if (!memchr_inv(p, POISON, n))
			continue;
		for (i = 0; i < n; i++)
			bad += p[i] != POISON;
	}
	return bad;
}

/* how many of the first @len bytes are not what LITE_PING pushes */
static u64 not_pattern(const struct load_buf *b, u32 len)
{
	u64 bad = 0;
	__le32 want;
	u32 i, j, n;

	for (i = 0; i < len; i += n) {
		const u8 *p = page_address(b->page[i >> PAGE_SHIFT]) +
			      offset_in_page(i);

		n = min_t(u32, len - i, sizeof(want));
		want = cpu_to_le32(LITE_PING_WORD(offset_in_page(i) / 4));
		if (n == sizeof(want) && *(__le32 *)p == want)
			continue;
		for (j = 0; j < n; j++)
			bad += p[j] != ((u8 *)&want)[j];
	}
	return bad;
}

static u32 buf_size(const struct load_run *run)
{
	return PAGE_ALIGN(run->opts->out);
}

static void poison(const struct load_run *run, struct load_buf *b)
{
	u32 i;

	for (i = 0; i < buf_size(run); i += PAGE_SIZE)
		memset(page_address(b->page[i >> PAGE_SHIFT]), POISON,
		       PAGE_SIZE);
}

/* what came to a buffer since it was given back; then it is as new */
static void check_given_back(struct load_caller *c, struct load_buf *b)
{
	u64 stray = not_poison(b, 0, buf_size(c->run));

	if (stray) {
		c->stats.stray_bytes += stray;
		poison(c->run, b);
	}
	if (atomic_read(&b->ended) > 1)
		c->stats.twice++;
}

/* ---- calls ---- */

static void call_done(struct lite_call *call)
{
	struct load_buf *b = container_of(call, struct load_buf, call);

	atomic_inc(&b->ended);
	complete(&b->over);
}

/* till it starts or its time is over */
static int start(struct load_caller *c, struct load_buf *b,
		 unsigned long deadline)
{
	const struct load_opts *opts = c->run->opts;
	int err;

	for (;;) {
		if (opts->mode == LOAD_ONEWAY)
			err = lite_notify(c->run->peer, opts->class, LITE_PING,
					  c->req, opts->size);
		else
			err = lite_call_start(c->run->peer, &b->call);
		if (err != -ENOTCONN && err != -EAGAIN)
			return err;
		if (time_after_eq(jiffies, deadline))
			return -ETIMEDOUT;
		if (err == -EAGAIN) {
			lite_peer_wait_slot(c->run->peer, opts->class);
			continue;
		}
		err = lite_peer_connect(c->run->peer, opts->class);
		c->started = ktime_get_ns();
		if (err)
			return err;
	}
}

static int call_async(struct load_caller *c, struct load_buf *b)
{
	const struct load_opts *opts = c->run->opts;
	unsigned long ms = opts->timeout_ms;
	int err = 0;

	if (opts->mode == LOAD_QUEUE)
		lite_call_queue(c->run->peer, &b->call);
	else
		err = start(c, b, jiffies + msecs_to_jiffies(ms));
	if (err || opts->mode == LOAD_ONEWAY)
		return err;
	if (!wait_for_completion_timeout(&b->over,
					 msecs_to_jiffies(ms + LOST_MS))) {
		c->stats.lost++;
		lite_peer_reset(c->run->peer);
		wait_for_completion(&b->over);
	}
	return b->call.status;
}

static void count_end(struct load_caller *c, int err, u64 ns)
{
	const struct load_opts *opts = c->run->opts;
	u64 ms = div_u64(ns, NSEC_PER_MSEC);
	struct load_stats *s = &c->stats;

	s->calls++;
	if (ms > opts->timeout_ms) {
		s->over_ms = max(s->over_ms, ms - opts->timeout_ms);
		s->late += ms > opts->timeout_ms + opts->slack_ms;
	}
	if (err) {
		s->errors[min(-err, LOAD_ERRNO_MAX - 1)]++;
		return;
	}
	s->ok++;
	if (s->samples < c->run->max_samples)
		c->sample[s->samples++] = min_t(u64, ns, U32_MAX);
}

static void check_reply(struct load_caller *c, struct load_buf *b)
{
	const struct load_opts *opts = c->run->opts;
	u32 i;

	if (b->call.rsp_len != opts->size)
		c->stats.bad_bytes += opts->size ?: 1;
	for (i = 0; i < min(opts->size, b->call.rsp_len); i++)
		c->stats.bad_bytes += c->req[i] != c->rsp[i];
	c->stats.bad_bytes += not_pattern(b, opts->out);
	c->stats.stray_bytes += not_poison(b, opts->out, buf_size(c->run));
}

/* the reply says which one it was */
static void count_ahead(struct load_caller *c, u32 begun)
{
	const struct pcomp_procs_rsp *rsp = (const void *)c->rsp;

	c->stats.ahead = max(c->stats.ahead,
			     le32_to_cpu(rsp->nr) - begun - 1);
}

static void call_once(struct load_caller *c)
{
	const struct load_opts *opts = c->run->opts;
	struct load_buf *b = &c->buf[c->seq % RING];
	u32 stamp[2] = { c->id, c->seq++ };
	u32 begun;
	int err;

	check_given_back(c, b);
	/* each request another, so that a reply to another one is noticed */
	memcpy(c->req, stamp, min_t(u32, opts->size, sizeof(stamp)));
	if (opts->op == LOAD_WORK)
		*(struct pcomp_procs_req *)c->req = (struct pcomp_procs_req){
			.vid = cpu_to_le32(load_work(opts, c->id)),
		};
	begun = atomic_read(&load_served.begun);
	b->call = (struct lite_call){
		.op = opts->op == LOAD_WORK ? PCOMP_PROCS : LITE_PING,
		.class = opts->class,
		.req = c->req,
		.req_len = opts->size,
		.rsp = c->rsp,
		.rsp_size = opts->size,
		.out = &b->sge,
		.nr_out = opts->out ? 1 : 0,
		.timeout_ms = opts->timeout_ms,
		.nokill = opts->nokill,
		.done = call_done,
	};
	atomic_set(&b->ended, 0);
	reinit_completion(&b->over);
	c->started = ktime_get_ns();
	if (opts->mode == LOAD_SYNC)
		err = lite_call(c->run->peer, &b->call);
	else if (opts->mode == LOAD_MANY)
		err = lite_call_many(&c->run->peer, &b->call, 1);
	else
		err = call_async(c, b);
	count_end(c, err, ktime_get_ns() - c->started);
	if (!err && opts->op == LOAD_WORK)
		count_ahead(c, begun);
	else if (!err && opts->mode != LOAD_ONEWAY)
		check_reply(c, b);
	poison(c->run, b);
}

static int caller_thread(void *arg)
{
	struct load_caller *c = arg;
	struct load_run *run = c->run;

	allow_signal(SIGKILL); /* see do_run() */
	while (!READ_ONCE(run->stop) &&
	       (run->opts->calls ? c->left : time_before(jiffies, run->end))) {
		u64 bad = c->stats.calls - c->stats.ok;

		call_once(c);
		c->left--;
		/* a peer that is away refuses at once */
		if (c->stats.calls - c->stats.ok != bad)
			msleep(20);
		cond_resched();
	}
	if (atomic_dec_and_test(&run->running))
		complete(&run->over);
	return 0;
}

/* ---- a run ---- */

static int cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void add_stats(struct load_run *run, struct load_stats *sum,
		      const struct load_caller *c)
{
	const struct load_stats *s = &c->stats;
	unsigned int i;

	sum->calls += s->calls;
	sum->ok += s->ok;
	sum->twice += s->twice;
	sum->late += s->late;
	sum->lost += s->lost;
	sum->bad_bytes += s->bad_bytes;
	sum->stray_bytes += s->stray_bytes;
	sum->over_ms = max(sum->over_ms, s->over_ms);
	sum->ahead = max(sum->ahead, s->ahead);
	for (i = 0; i < LOAD_ERRNO_MAX; i++)
		sum->errors[i] += s->errors[i];
	memmove(run->samples + sum->samples, c->sample,
		s->samples * sizeof(*c->sample));
	sum->samples += s->samples;
}

static void set_quantiles(const struct load_run *run, struct load_stats *sum)
{
	u64 n = sum->samples;

	if (!n)
		return;
	sort(run->samples, n, sizeof(*run->samples), cmp_u32, NULL);
	sum->p50 = run->samples[div_u64((n - 1) * 500, 1000)];
	sum->p99 = run->samples[div_u64((n - 1) * 990, 1000)];
	sum->p999 = run->samples[div_u64((n - 1) * 999, 1000)];
	sum->max = run->samples[n - 1];
}

static void init_callers(struct load_run *run)
{
	const struct load_opts *opts = run->opts;
	unsigned int i, j, per = buf_size(run) >> PAGE_SHIFT;

	for (i = 0; i < opts->callers; i++) {
		struct load_caller *c = &run->caller[i];

		c->run = run;
		c->id = i;
		c->left = opts->calls / opts->callers +
			  (i < opts->calls % opts->callers);
		c->sample = run->samples + i * run->max_samples;
		for (j = 0; j < RING; j++) {
			struct load_buf *b = &c->buf[j];
			unsigned int first = (i * RING + j) * per;

			init_completion(&b->over);
			b->page = run->pages + first;
			b->sge.mr = run->mr;
			b->sge.off = (u64)first << PAGE_SHIFT;
			b->sge.len = opts->out;
			poison(run, b);
		}
	}
}

/* one thread each; how many there are */
static unsigned int start_callers(struct load_run *run)
{
	unsigned int i;

	atomic_set(&run->running, 1);
	for (i = 0; i < run->opts->callers; i++) {
		struct load_caller *c = &run->caller[i];
		struct task_struct *task;

		task = kthread_create(caller_thread, c, "lego_load/%u", i);
		if (IS_ERR(task))
			break;
		c->task = get_task_struct(task);
		atomic_inc(&run->running);
		wake_up_process(task);
	}
	if (atomic_dec_and_test(&run->running))
		complete(&run->over);
	return i;
}

static void do_run(struct load_run *run, struct load_stats *sum)
{
	u64 start = ktime_get_ns();
	unsigned int nr, i, j;

	init_callers(run);
	run->end = jiffies + msecs_to_jiffies(run->opts->ms);
	nr = start_callers(run);
	if (wait_for_completion_killable(&run->over)) {
		WRITE_ONCE(run->stop, true);
		/* who calls is killed with us */
		for (i = 0; i < nr; i++)
			send_sig(SIGKILL, run->caller[i].task, 1);
		wait_for_completion(&run->over); /* calls are bounded */
	}
	for (i = 0; i < nr; i++) {
		kthread_stop(run->caller[i].task);
		put_task_struct(run->caller[i].task);
	}
	sum->elapsed_ns = ktime_get_ns() - start;
	msleep(100); /* what may still come, comes now */
	for (i = 0; i < nr; i++) {
		for (j = 0; j < RING; j++)
			check_given_back(&run->caller[i],
					 &run->caller[i].buf[j]);
		add_stats(run, sum, &run->caller[i]);
	}
	set_quantiles(run, sum);
}

static void free_pages_of(struct load_run *run)
{
	while (run->nr_pages)
		__free_page(run->pages[--run->nr_pages]);
	kvfree(run->pages);
}

static int alloc_pages_of(struct load_run *run, unsigned int nr)
{
	run->pages = kvcalloc(nr, sizeof(*run->pages), GFP_KERNEL);
	if (!run->pages)
		return -ENOMEM;
	for (; run->nr_pages < nr; run->nr_pages++) {
		run->pages[run->nr_pages] = alloc_page(GFP_KERNEL);
		if (!run->pages[run->nr_pages]) {
			free_pages_of(run);
			return -ENOMEM;
		}
	}
	return 0;
}

static int alloc_mr(struct load_run *run, struct lite_node *node)
{
	unsigned int nr = run->opts->callers * RING *
			  (buf_size(run) >> PAGE_SHIFT);
	int err;

	if (!nr)
		return 0;
	if (nr > MAX_PAGES)
		return -ERANGE;
	err = alloc_pages_of(run, nr);
	if (err)
		return err;
	run->mr = lite_mr_create(node, run->pages, nr, LITE_MR_WRITE);
	if (IS_ERR(run->mr)) {
		free_pages_of(run);
		return PTR_ERR(run->mr);
	}
	return 0;
}

/**
 * load_run() - call, as often and as many at once as asked for
 * @node: from where
 * @opts: what
 * @stats: what came of it, zeroed
 *
 * Context: process; a fatal signal ends it early.
 * Return: 0, whatever came of the calls, or a negative errno.
 */
int load_run(struct lite_node *node, const struct load_opts *opts,
	     struct load_stats *stats)
{
	struct load_run run = { .opts = opts };
	int err = -ENOMEM;

	init_completion(&run.over);
	run.max_samples = MAX_SAMPLES / opts->callers;
	run.peer = lite_peer_get(node, opts->addr, 0);
	if (IS_ERR(run.peer))
		return PTR_ERR(run.peer);
	run.caller = kvcalloc(opts->callers, sizeof(*run.caller), GFP_KERNEL);
	run.samples = kvmalloc_array(MAX_SAMPLES, sizeof(*run.samples),
				     GFP_KERNEL);
	if (!run.caller || !run.samples)
		goto out_free;
	err = alloc_mr(&run, node);
	if (err)
		goto out_free;
	do_run(&run, stats);
	if (run.mr) {
		lite_mr_destroy(run.mr);
		free_pages_of(&run);
	}
out_free:
	kvfree(run.samples);
	kvfree(run.caller);
	lite_peer_put(run.peer);
	return err;
}
