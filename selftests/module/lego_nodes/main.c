// SPDX-License-Identifier: GPL-2.0
/*
 * lego_nodes: many nodes in one kernel that all call all, while some of them
 * come and go. For tests.
 *
 *	cd /sys/kernel/debug/lego/many
 *	echo nodes=32 stay=8 ms=10000 gap_ms=200 > run
 *	cat result
 *
 * The write returns when the run has ended. The words are those of the table
 * below; see struct nodes_opts, and docs/ABI/debugfs-lego.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "nodes.h"
#include "../words.h"

static char *ip = "";
module_param(ip, charp, 0444);
MODULE_PARM_DESC(ip, "address of the nodes, from port 7700 on; none: loop");

static struct dentry *dir;

/* one run at a time; protects the last one's options and statistics */
static DEFINE_MUTEX(run_lock);
static struct nodes_opts last_opts;
static struct nodes_stats last;

static const struct word words[] = {
	{ "seed", offsetof(struct nodes_opts, seed), 0, U32_MAX },
	{ "nodes", offsetof(struct nodes_opts, nodes), 2, NODES_MAX },
	{ "stay", offsetof(struct nodes_opts, stay), 0, NODES_MAX },
	{ "ms", offsetof(struct nodes_opts, ms), 0, 3600000 },
	{ "gap_ms", offsetof(struct nodes_opts, gap_ms), 1, 60000 },
	{ "timeout_ms", offsetof(struct nodes_opts, timeout_ms), 1, 60000 },
};

static int parse(char *text, struct nodes_opts *opts)
{
	int err;

	*opts = (struct nodes_opts){
		.seed = 1,
		.nodes = 32,
		.stay = 8,
		.ms = 1000,
		.gap_ms = 200,
		.timeout_ms = 10000,
	};
	err = words_parse(text, words, ARRAY_SIZE(words), opts, NULL);
	if (err)
		return err;
	return opts->stay <= opts->nodes ? 0 : -EINVAL;
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
	if (!err)
		err = nodes_run(&last_opts, ip, &last);
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

static int result_show(struct seq_file *m, void *v)
{
	mutex_lock(&run_lock);
	seq_printf(m, "{\"nodes\": %u, \"came\": %llu, \"went\": %llu, \"pairs\": %llu, \"elapsed_ms\": %llu,\n",
		   last_opts.nodes, last.came, last.went, last.pairs,
		   last.elapsed_ms);
	seq_printf(m, " \"calls\": %llu, \"ok\": %llu, \"excused\": %llu,\n",
		   last.calls, last.ok, last.excused);
	seq_printf(m, " \"errors\": %llu, \"last_err\": %d, \"bad_bytes\": %llu}\n",
		   last.errors, -last.last_err, last.bad_bytes);
	mutex_unlock(&run_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int __init lego_nodes_init(void)
{
	dir = debugfs_create_dir("many", lite_debugfs());
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}

static void __exit lego_nodes_exit(void)
{
	debugfs_remove(dir);
}

module_init(lego_nodes_init);
module_exit(lego_nodes_exit);
MODULE_DESCRIPTION("lego: many nodes that come and go, for tests");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
