// SPDX-License-Identifier: GPL-2.0
/*
 * lego_load: calls another component as hard as it is told to, over lite_rpc's
 * kernel API, and looks at what comes back. For tests and benchmarks.
 *
 *	cd /sys/kernel/debug/lego/load
 *	echo 10.0.0.2:7471 callers=64 ms=5000 out=4096 > run
 *	cat result
 *
 * What is written to sink_run, the node "sink" calls, at the same time.
 *
 * The write returns when the run has ended. The words are those of the table
 * below; see struct load_opts, and docs/ABI/debugfs-lego.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "load.h"
#include "../words.h"

static char *name = "load";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the node that calls");

static char *addr = "";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "its address: IP:port or loop:NAME");

static char *sink = "";
module_param(sink, charp, 0444);
MODULE_PARM_DESC(sink, "address of a second node, \"sink\", to be called; none: make none");

static unsigned int handlers;
module_param(handlers, uint, 0444);
MODULE_PARM_DESC(handlers, "how many handlers of a node run at once (default 0: any number)");

static struct lite_node *node;
static struct lite_node *sink_node;
static struct dentry *dir;

/**
 * struct generator - a node that calls
 * @node: where it is
 * @lock: one run at a time; protects all else
 * @opts: of the last run
 * @stats: the same
 * @held: peers that are kept, to see what they cost
 * @nr_held: how many
 */
struct generator {
	struct lite_node **node;
	struct mutex lock;
	struct load_opts opts;
	struct load_stats stats;
	struct lite_peer *held[16];
	unsigned int nr_held;
};

static struct generator load_gen = { .node = &node };
static struct generator sink_gen = { .node = &sink_node };

static const struct word words[] = {
	{ "callers", offsetof(struct load_opts, callers), 0, 2048 },
	{ "ms", offsetof(struct load_opts, ms), 0, 300000 },
	{ "calls", offsetof(struct load_opts, calls), 0, U32_MAX },
	{ "size", offsetof(struct load_opts, size), 0, LITE_PING_MAX },
	{ "out", offsetof(struct load_opts, out), 0, LITE_PING_OUT_MAX },
	{ "class", offsetof(struct load_opts, class), 0, LITE_CLASS_NR - 1 },
	{ "mode", offsetof(struct load_opts, mode), 0, LOAD_MANY },
	{ "timeout_ms", offsetof(struct load_opts, timeout_ms), 0, 300000 },
	{ "slack_ms", offsetof(struct load_opts, slack_ms), 0, 60000 },
	{ "hold", offsetof(struct load_opts, hold), 0, 1 },
	{ "op", offsetof(struct load_opts, op), 0, LOAD_WORK },
	{ "work_us", offsetof(struct load_opts, work_us), 0, 16000000 },
	{ "nest", offsetof(struct load_opts, nest), 0, LOAD_NEST_LOCKED },
	{ "nokill", offsetof(struct load_opts, nokill), 0, 1 },
	{ "slow_us", offsetof(struct load_opts, slow_us), 0, 16000000 },
};

static int take_addr(void *opts, const char *word)
{
	struct load_opts *o = opts;

	return strscpy(o->addr, word, sizeof(o->addr)) < 0 ? -EINVAL : 0;
}

static int parse(char *text, struct load_opts *opts)
{
	int err;

	*opts = (struct load_opts){
		.callers = 1,
		.ms = 1000,
		.size = 64,
		.class = LITE_CLASS_DEMAND,
		.timeout_ms = 2000,
		.slack_ms = 1000,
	};
	err = words_parse(text, words, ARRAY_SIZE(words), opts, take_addr);
	if (err)
		return err;
	if (opts->op == LOAD_WORK)
		opts->size = sizeof(struct pcomp_procs_req);
	return *opts->addr && opts->callers && opts->timeout_ms ? 0 : -EINVAL;
}

static void put_held(struct generator *gen)
{
	while (gen->nr_held)
		lite_peer_put(gen->held[--gen->nr_held]);
}

static int hold(struct generator *gen)
{
	struct lite_peer *peer;

	if (gen->nr_held == ARRAY_SIZE(gen->held))
		return -ENOSPC;
	peer = lite_peer_get(*gen->node, gen->opts.addr, 0);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	gen->held[gen->nr_held++] = peer;
	return 0;
}

static ssize_t run_write(struct file *file, const char __user *ubuf,
			 size_t count, loff_t *ppos)
{
	struct generator *gen = file->private_data;
	char *buf;
	int err;

	if (count > 256)
		return -EINVAL;
	buf = memdup_user_nul(ubuf, count);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = mutex_lock_killable(&gen->lock);
	if (err)
		goto out_free;
	memset(&gen->stats, 0, sizeof(gen->stats));
	err = parse(buf, &gen->opts);
	if (!err && gen->opts.hold)
		err = hold(gen);
	else if (!err)
		put_held(gen);
	if (gen == &load_gen)
		load_serve_forget();
	if (!err)
		err = load_run(*gen->node, &gen->opts, &gen->stats);
	mutex_unlock(&gen->lock);
out_free:
	kfree(buf);
	return err ?: count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
	.llseek = noop_llseek,
};

static void show_errors(struct seq_file *m, const struct load_stats *stats)
{
	const char *comma = "";
	unsigned int i;

	seq_puts(m, " \"errors\": {");
	for (i = 0; i < LOAD_ERRNO_MAX; i++) {
		if (!stats->errors[i])
			continue;
		seq_printf(m, "%s\"%u\": %llu", comma, i, stats->errors[i]);
		comma = ", ";
	}
	seq_puts(m, "},\n");
}

static void show_served(struct seq_file *m)
{
	const char *comma = "";
	unsigned int i;

	seq_printf(m, " \"at_once\": %d, \"cpus\": {",
		   atomic_read(&load_served.at_once));
	for (i = 0; i < LOAD_CPUS; i++) {
		int nr = atomic_read(&load_served.cpu[i]);

		if (!nr)
			continue;
		seq_printf(m, "%s\"%u\": %d", comma, i, nr);
		comma = ", ";
	}
	seq_puts(m, "},\n");
}

static int result_show(struct seq_file *m, void *v)
{
	struct generator *gen = m->private;
	const struct load_opts *opts = &gen->opts;
	const struct load_stats *stats = &gen->stats;
	u64 us;

	mutex_lock(&gen->lock);
	us = div_u64(stats->elapsed_ns, NSEC_PER_USEC) ?: 1;
	seq_printf(m, "{\"peer\": \"%s\", \"callers\": %u, \"size\": %u, \"out\": %u,\n",
		   opts->addr, opts->callers, opts->size, opts->out);
	seq_printf(m, " \"timeout_ms\": %u, \"slack_ms\": %u, \"elapsed_us\": %llu,\n",
		   opts->timeout_ms, opts->slack_ms, us);
	seq_printf(m, " \"calls\": %llu, \"ok\": %llu, \"calls_per_s\": %llu,\n",
		   stats->calls, stats->ok,
		   div64_u64(stats->ok * USEC_PER_SEC, us));
	seq_printf(m, " \"samples\": %llu, \"p50_ns\": %llu, \"p99_ns\": %llu, \"p999_ns\": %llu, \"max_ns\": %llu,\n",
		   stats->samples, stats->p50, stats->p99, stats->p999,
		   stats->max);
	show_errors(m, stats);
	show_served(m);
	seq_printf(m, " \"late\": %llu, \"over_ms\": %llu, \"lost\": %llu, \"twice\": %llu,\n",
		   stats->late, stats->over_ms, stats->lost, stats->twice);
	seq_printf(m, " \"bad_bytes\": %llu, \"stray_bytes\": %llu, \"ahead\": %u}\n",
		   stats->bad_bytes, stats->stray_bytes, stats->ahead);
	mutex_unlock(&gen->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static struct lite_node *make_node(const char *called, const char *at)
{
	struct lite_node_cfg cfg = {
		.name = called,
		.addr = at,
		.role = LITE_ROLE_NONE,
		.service = LITE_SVC_PCOMP,
		.handlers = load_handlers,
		.nr_handlers = load_nr_handlers,
		.max_running = handlers,
	};

	return lite_node_create(&cfg);
}

static int __init lego_load_init(void)
{
	int err;

	mutex_init(&load_gen.lock);
	mutex_init(&sink_gen.lock);
	node = make_node(name, addr);
	if (IS_ERR(node))
		return PTR_ERR(node);
	if (*sink)
		sink_node = make_node("sink", sink);
	if (IS_ERR(sink_node)) {
		lite_node_destroy(node);
		return PTR_ERR(sink_node);
	}
	err = sink_node ? load_serve_init(sink_node, node) : 0;
	if (err) {
		lite_node_destroy(sink_node);
		lite_node_destroy(node);
		return err;
	}
	dir = debugfs_create_dir("load", lite_debugfs());
	debugfs_create_file("run", 0200, dir, &load_gen, &run_fops);
	debugfs_create_file("result", 0400, dir, &load_gen, &result_fops);
	if (!sink_node)
		return 0;
	debugfs_create_file("sink_run", 0200, dir, &sink_gen, &run_fops);
	debugfs_create_file("sink_result", 0400, dir, &sink_gen, &result_fops);
	return 0;
}

static void __exit lego_load_exit(void)
{
	debugfs_remove(dir);
	put_held(&load_gen);
	put_held(&sink_gen);
	if (sink_node)
		lite_node_stop(sink_node);
	load_serve_exit();
	lite_node_destroy(sink_node);
	lite_node_destroy(node);
}

module_init(lego_load_init);
module_exit(lego_load_exit);
MODULE_DESCRIPTION("lego: load generator, for tests");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
