// SPDX-License-Identifier: GPL-2.0
/*
 * lego_load: calls another component as hard as it is told to, over lite_rpc's
 * kernel API, and looks at what comes back. For tests and benchmarks.
 *
 *	cd /sys/kernel/debug/lego/load
 *	echo 10.0.0.2:7471 callers=64 ms=5000 out=4096 > run
 *	cat result
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

static char *name = "load";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the node that calls");

static char *addr = "";
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "its address: IP:port or loop:NAME");

static char *sink = "";
module_param(sink, charp, 0444);
MODULE_PARM_DESC(sink, "address of a second node, \"sink\", to be called; none: make none");

static struct lite_node *node;
static struct lite_node *sink_node;
static struct dentry *dir;

/* one run at a time; protects the last one's options and statistics */
static DEFINE_MUTEX(run_lock);
static struct load_opts last_opts;
static struct load_stats last;

/* kept, to see what they cost; under run_lock */
static struct lite_peer *held[16];
static unsigned int nr_held;

static const struct {
	const char *name;
	size_t offset;
	u32 max;
} words[] = {
	{ "callers", offsetof(struct load_opts, callers), 2048 },
	{ "ms", offsetof(struct load_opts, ms), 300000 },
	{ "calls", offsetof(struct load_opts, calls), U32_MAX },
	{ "size", offsetof(struct load_opts, size), LITE_PING_MAX },
	{ "out", offsetof(struct load_opts, out), LITE_PING_OUT_MAX },
	{ "class", offsetof(struct load_opts, class), LITE_CLASS_NR - 1 },
	{ "mode", offsetof(struct load_opts, mode), LOAD_QUEUE },
	{ "timeout_ms", offsetof(struct load_opts, timeout_ms), 300000 },
	{ "slack_ms", offsetof(struct load_opts, slack_ms), 60000 },
	{ "hold", offsetof(struct load_opts, hold), 1 },
};

static int set_word(struct load_opts *opts, const char *word, const char *val)
{
	unsigned int i;
	u32 nr;

	if (kstrtou32(val, 0, &nr))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i].name))
			continue;
		if (nr > words[i].max)
			return -ERANGE;
		*(u32 *)((void *)opts + words[i].offset) = nr;
		return 0;
	}
	return -EINVAL;
}

static int parse(char *text, struct load_opts *opts)
{
	char *word, *val;
	int err;

	*opts = (struct load_opts){
		.callers = 1,
		.ms = 1000,
		.size = 64,
		.class = LITE_CLASS_DEMAND,
		.timeout_ms = 2000,
		.slack_ms = 1000,
	};
	while ((word = strsep(&text, "\n "))) {
		if (!*word)
			continue;
		val = strchr(word, '=');
		if (!val) {
			if (strscpy(opts->addr, word, sizeof(opts->addr)) < 0)
				return -EINVAL;
			continue;
		}
		*val++ = '\0';
		err = set_word(opts, word, val);
		if (err)
			return err;
	}
	return *opts->addr && opts->callers && opts->timeout_ms ? 0 : -EINVAL;
}

static void put_held(void)
{
	while (nr_held)
		lite_peer_put(held[--nr_held]);
}

static int hold(const char *peer_addr)
{
	struct lite_peer *peer;

	if (nr_held == ARRAY_SIZE(held))
		return -ENOSPC;
	peer = lite_peer_get(node, peer_addr, 0);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	held[nr_held++] = peer;
	return 0;
}

static ssize_t run_write(struct file *file, const char __user *ubuf,
			 size_t count, loff_t *ppos)
{
	char *buf;
	int err;

	if (count > 256)
		return -EINVAL;
	buf = memdup_user_nul(ubuf, count);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = mutex_lock_killable(&run_lock);
	if (err)
		goto out_free;
	memset(&last, 0, sizeof(last));
	err = parse(buf, &last_opts);
	if (!err && last_opts.hold)
		err = hold(last_opts.addr);
	else if (!err)
		put_held();
	if (!err)
		err = load_run(node, &last_opts, &last);
	mutex_unlock(&run_lock);
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

static void show_errors(struct seq_file *m)
{
	const char *comma = "";
	unsigned int i;

	seq_puts(m, " \"errors\": {");
	for (i = 0; i < LOAD_ERRNO_MAX; i++) {
		if (!last.errors[i])
			continue;
		seq_printf(m, "%s\"%u\": %llu", comma, i, last.errors[i]);
		comma = ", ";
	}
	seq_puts(m, "},\n");
}

static int result_show(struct seq_file *m, void *v)
{
	u64 us = div_u64(last.elapsed_ns, NSEC_PER_USEC) ?: 1;

	mutex_lock(&run_lock);
	seq_printf(m, "{\"peer\": \"%s\", \"callers\": %u, \"size\": %u, \"out\": %u,\n",
		   last_opts.addr, last_opts.callers, last_opts.size,
		   last_opts.out);
	seq_printf(m, " \"timeout_ms\": %u, \"slack_ms\": %u, \"elapsed_us\": %llu,\n",
		   last_opts.timeout_ms, last_opts.slack_ms, us);
	seq_printf(m, " \"calls\": %llu, \"ok\": %llu, \"calls_per_s\": %llu,\n",
		   last.calls, last.ok, div64_u64(last.ok * USEC_PER_SEC, us));
	seq_printf(m, " \"samples\": %llu, \"p50_ns\": %llu, \"p99_ns\": %llu, \"p999_ns\": %llu, \"max_ns\": %llu,\n",
		   last.samples, last.p50, last.p99, last.p999, last.max);
	show_errors(m);
	seq_printf(m, " \"late\": %llu, \"over_ms\": %llu, \"lost\": %llu, \"twice\": %llu,\n",
		   last.late, last.over_ms, last.lost, last.twice);
	seq_printf(m, " \"bad_bytes\": %llu, \"stray_bytes\": %llu}\n",
		   last.bad_bytes, last.stray_bytes);
	mutex_unlock(&run_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static struct lite_node *make_node(const char *called, const char *at)
{
	struct lite_node_cfg cfg = {
		.name = called,
		.addr = at,
		.role = LITE_ROLE_NONE,
		.service = LITE_SVC_LITE,
	};

	return lite_node_create(&cfg);
}

static int __init lego_load_init(void)
{
	node = make_node(name, addr);
	if (IS_ERR(node))
		return PTR_ERR(node);
	if (*sink)
		sink_node = make_node("sink", sink);
	if (IS_ERR(sink_node)) {
		lite_node_destroy(node);
		return PTR_ERR(sink_node);
	}
	dir = debugfs_create_dir("load", lite_debugfs());
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}

static void __exit lego_load_exit(void)
{
	debugfs_remove(dir);
	put_held();
	lite_node_destroy(sink_node);
	lite_node_destroy(node);
}

module_init(lego_load_init);
module_exit(lego_load_exit);
MODULE_DESCRIPTION("lego: load generator, for tests");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
