// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes that all call all, while some of them come and go.
 *
 * A node's life is odd while it is there. Who calls it takes note of that
 * number, and of the incarnation to call, as a component would of the table of
 * members; an error is one only if the number is still the same afterwards.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "nodes.h"

#define SIZE 256 /* of a call's payload */
#define MIN_CHANGES 16

/**
 * struct nodes_peer - a node as another one knows it
 * @life: which of its lives
 * @peer: to call it
 */
struct nodes_peer {
	u32 life;
	struct lite_peer *peer;
};

/**
 * struct nodes_node - one that comes and goes
 * @run: its run
 * @id: which
 * @life: odd: it is there
 * @incarnation: of this life
 * @node: the node
 * @task: calls the others; with a reference
 * @stats: its own, of all lives
 * @called: whom it has called
 * @known: the others
 * @req: what it sends
 * @rsp: what comes back
 */
struct nodes_node {
	struct nodes_run *run;
	unsigned int id;
	u32 life;
	u64 incarnation;
	struct lite_node *node;
	struct task_struct *task;
	struct nodes_stats stats;
	DECLARE_BITMAP(called, NODES_MAX);
	struct nodes_peer known[NODES_MAX];
	u8 req[SIZE];
	u8 rsp[SIZE];
};

/**
 * struct nodes_run - a run
 * @opts: what is asked for
 * @ip: address of the nodes, or ""
 * @rnd: who comes and goes when
 * @over: nobody calls any more
 * @node: opts.nodes of them
 */
struct nodes_run {
	const struct nodes_opts *opts;
	const char *ip;
	struct rnd_state rnd;
	bool over;
	struct nodes_node *node;
};

static void address(const struct nodes_run *run, unsigned int id, char *buf,
		    size_t size)
{
	if (*run->ip)
		snprintf(buf, size, "%s:%u", run->ip, NODES_PORT + id);
	else
		snprintf(buf, size, "loop:n%u", id);
}

/* the peer object of a life of @other, as @n knows it; NULL: none */
static struct lite_peer *know(struct nodes_node *n, struct nodes_node *other,
			      u32 life)
{
	struct nodes_peer *known = &n->known[other->id];
	struct lite_peer *peer;
	char addr[LITE_ADDR_LEN];

	if (known->peer && known->life == life)
		return known->peer;
	if (known->peer)
		lite_peer_put(known->peer);
	known->peer = NULL;
	address(n->run, other->id, addr, sizeof(addr));
	peer = lite_peer_get(n->node, addr, READ_ONCE(other->incarnation));
	if (IS_ERR(peer))
		return NULL;
	known->life = life;
	known->peer = peer;
	return peer;
}

static void forget_all(struct nodes_node *n)
{
	unsigned int i;

	for (i = 0; i < NODES_MAX; i++) {
		if (n->known[i].peer)
			lite_peer_put(n->known[i].peer);
		n->known[i].peer = NULL;
	}
}

static void count_error(struct nodes_node *n, struct nodes_node *other,
			u32 life, u32 own, int err)
{
	if (READ_ONCE(other->life) != life || READ_ONCE(n->life) != own) {
		n->stats.excused++;
		return;
	}
	n->stats.errors++;
	n->stats.last_err = err;
	pr_warn_ratelimited("n%u: n%u is there, but: %d\n", n->id, other->id,
			    err);
}

static void call(struct nodes_node *n, struct nodes_node *other, u32 own)
{
	/* pairs with come() */
	u32 life = smp_load_acquire(&other->life);
	struct lite_call call = {
		.op = LITE_PING,
		/* one each: three would be three times the memory */
		.class = (n->id + other->id) % LITE_CLASS_NR,
		.req = n->req,
		.req_len = SIZE,
		.rsp = n->rsp,
		.rsp_size = SIZE,
		.timeout_ms = n->run->opts->timeout_ms,
	};
	struct lite_peer *peer;
	unsigned int i;
	int err;

	if (!(life & 1))
		return;
	peer = know(n, other, life);
	memset(n->req, n->stats.calls ^ n->id, SIZE);
	err = peer ? lite_call(peer, &call) : -ENOMEM;
	n->stats.calls++;
	if (err) {
		count_error(n, other, life, own, err);
		msleep(20);
		return;
	}
	n->stats.ok++;
	__set_bit(other->id, n->called);
	if (call.rsp_len != SIZE)
		n->stats.bad_bytes += SIZE;
	for (i = 0; memcmp(n->req, n->rsp, SIZE) && i < SIZE; i++)
		n->stats.bad_bytes += n->req[i] != n->rsp[i];
}

static int node_thread(void *arg)
{
	struct nodes_node *n = arg;
	u32 own = READ_ONCE(n->life);
	unsigned int i = n->id;

	while (!kthread_should_stop()) {
		i = (i + 1) % n->run->opts->nodes;
		if (i != n->id && !READ_ONCE(n->run->over))
			call(n, &n->run->node[i], own);
		usleep_range(500, 1000); /* so that others get their turn */
	}
	return 0;
}

static int come(struct nodes_node *n)
{
	char name[LITE_NAME_LEN], addr[LITE_ADDR_LEN];
	struct lite_node_cfg cfg = {
		.name = name,
		.addr = addr,
		.role = LITE_ROLE_NONE,
		.service = LITE_SVC_LITE,
	};
	struct lite_node *node;
	struct task_struct *task;

	snprintf(name, sizeof(name), "n%u", n->id);
	address(n->run, n->id, addr, sizeof(addr));
	node = lite_node_create(&cfg);
	if (IS_ERR(node))
		return PTR_ERR(node);
	n->node = node;
	WRITE_ONCE(n->incarnation, lite_node_incarnation(node));
	/* pairs with call() */
	smp_store_release(&n->life, n->life + 1);
	n->stats.came++;
	task = kthread_run(node_thread, n, "lego_nodes/%u", n->id);
	if (IS_ERR(task))
		return PTR_ERR(task);
	n->task = get_task_struct(task);
	return 0;
}

static void go(struct nodes_node *n)
{
	if (IS_ERR_OR_NULL(n->node))
		return;
	WRITE_ONCE(n->life, n->life + 1);
	smp_mb(); /* who sees an error sees that it went */
	/* its own calls end with it: half of the times they do not wait */
	if (n->stats.went++ % 2)
		lite_node_stop(n->node);
	if (n->task) {
		kthread_stop(n->task);
		put_task_struct(n->task);
		n->task = NULL;
	}
	forget_all(n);
	lite_node_destroy(n->node);
	n->node = NULL;
}

/* one comes, or goes */
static int change(struct nodes_run *run)
{
	const struct nodes_opts *opts = run->opts;
	struct nodes_node *n;

	n = &run->node[opts->stay + prandom_u32_state(&run->rnd) %
					    (opts->nodes - opts->stay)];
	if (!n->node)
		return come(n);
	go(n);
	return 0;
}

static int churn(struct nodes_run *run)
{
	const struct nodes_opts *opts = run->opts;
	unsigned long end = jiffies + msecs_to_jiffies(opts->ms);
	unsigned int nr = 0;
	int err = 0;

	/* on a slow machine it takes longer: some have to come again */
	while (!err && (time_before(jiffies, end) || nr < MIN_CHANGES) &&
	       !fatal_signal_pending(current)) {
		msleep(1 + prandom_u32_state(&run->rnd) % (2 * opts->gap_ms));
		if (opts->stay < opts->nodes)
			err = change(run);
		nr++;
	}
	return err;
}

static void add_stats(struct nodes_stats *sum, const struct nodes_node *n)
{
	sum->calls += n->stats.calls;
	sum->ok += n->stats.ok;
	sum->excused += n->stats.excused;
	sum->errors += n->stats.errors;
	sum->last_err = n->stats.last_err ?: sum->last_err;
	sum->bad_bytes += n->stats.bad_bytes;
	sum->pairs += bitmap_weight(n->called, NODES_MAX);
	sum->came += n->stats.came;
	sum->went += n->stats.went;
}

/**
 * nodes_run() - make nodes, and let them call each other, come and go
 * @opts: how many, how long
 * @ip: their address, or "": loop
 * @stats: what came of it, zeroed
 *
 * Context: process; a fatal signal ends it early.
 * Return: 0, whatever came of the calls, or a negative errno.
 */
int nodes_run(const struct nodes_opts *opts, const char *ip,
	      struct nodes_stats *stats)
{
	struct nodes_run run = { .opts = opts, .ip = ip };
	unsigned long start = jiffies;
	unsigned int i;
	int err = 0;

	prandom_seed_state(&run.rnd, opts->seed);
	run.node = kvcalloc(opts->nodes, sizeof(*run.node), GFP_KERNEL);
	if (!run.node)
		return -ENOMEM;
	for (i = 0; i < opts->nodes; i++) {
		run.node[i].run = &run;
		run.node[i].id = i;
	}
	for (i = 0; !err && i < opts->nodes; i++)
		err = come(&run.node[i]);
	if (!err)
		err = churn(&run);
	stats->elapsed_ms = jiffies_to_msecs(jiffies - start);
	WRITE_ONCE(run.over, true);
	for (i = 0; i < opts->nodes; i++) {
		go(&run.node[i]);
		add_stats(stats, &run.node[i]);
	}
	kvfree(run.node);
	return err;
}
