// SPDX-License-Identifier: GPL-2.0
/*
 * lego_fuzz: sends malformed messages to components, or answers with such, over
 * lite_rpc's transports. For tests.
 *
 *	cd /sys/kernel/debug/lego/fuzz
 *	echo seed=1 count=100000 loop:g0 loop:m0 loop:s0 loop:p0 > run
 *	cat result
 *
 * The write returns when the run has ended. The words are those of the table
 * below; see struct fuzz_opts, and docs/ABI/debugfs-lego. The first target is
 * sent a gmgr's operations most, the second a mComponent's, then a
 * sComponent's, then a pComponent's, and so on.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "fuzz.h"
#include "../words.h"

static char *ip = "";
module_param(ip, charp, 0444);
MODULE_PARM_DESC(ip, "address of the nodes that send, from port 7600 on; none: loop");

static struct dentry *dir;

/* one run at a time; protects the last one's options and statistics */
static DEFINE_MUTEX(run_lock);
static struct fuzz_opts last_opts;
static struct fuzz_stats last;

static const struct word words[] = {
	{ "seed", offsetof(struct fuzz_opts, seed), 0, U32_MAX },
	{ "count", offsetof(struct fuzz_opts, count), 0, U32_MAX },
	{ "threads", offsetof(struct fuzz_opts, threads), 1, 8 },
	{ "window", offsetof(struct fuzz_opts, window), 1, LITE_SLOTS },
	{ "breaks", offsetof(struct fuzz_opts, breaks), 0, U32_MAX },
	{ "lies", offsetof(struct fuzz_opts, lies), 0, 1 },
};

static int take_addr(void *opts, const char *word)
{
	struct fuzz_opts *o = opts;

	if (o->nr == FUZZ_TARGETS ||
	    strscpy(o->addr[o->nr++], word, LITE_ADDR_LEN) < 0)
		return -EINVAL;
	return 0;
}

static int parse(char *text, struct fuzz_opts *opts)
{
	int err;

	*opts = (struct fuzz_opts){
		.seed = 1,
		.count = 1000,
		.threads = 1,
		.window = 16,
		.breaks = 1000,
	};
	err = words_parse(text, words, ARRAY_SIZE(words), opts, take_addr);
	if (err)
		return err;
	if (opts->lies && !opts->nr)
		opts->nr = 1; /* the liar */
	return opts->nr ? 0 : -EINVAL;
}

static ssize_t run_write(struct file *file, const char __user *ubuf,
			 size_t count, loff_t *ppos)
{
	char *buf;
	int err;

	if (count > 1024)
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
		err = fuzz_run(&last_opts, ip, &last);
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
	for (i = 1; i < FUZZ_ERRNO_MAX; i++) {
		if (!last.errors[i])
			continue;
		seq_printf(m, "%s\"%u\": %llu", comma, i, last.errors[i]);
		comma = ", ";
	}
	seq_puts(m, "},\n");
}

static int result_show(struct seq_file *m, void *v)
{
	u64 us;

	mutex_lock(&run_lock);
	us = div_u64(last.elapsed_ns, NSEC_PER_USEC) ?: 1;
	seq_printf(m, "{\"seed\": %u, \"sent\": %llu, \"elapsed_us\": %llu, \"per_s\": %llu,\n",
		   last_opts.seed, last.sent, us,
		   div64_u64(last.sent * USEC_PER_SEC, us));
	seq_printf(m, " \"answered\": %llu, \"ok\": %llu, \"oneway\": %llu, \"connects\": %llu,\n",
		   last.answered, last.ok, last.oneway, last.connects);
	show_errors(m);
	seq_printf(m, " \"lost\": %llu, \"twice\": %llu, \"stray_bytes\": %llu}\n",
		   last.lost, last.twice, last.stray_bytes);
	mutex_unlock(&run_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int __init lego_fuzz_init(void)
{
	dir = debugfs_create_dir("fuzz", lite_debugfs());
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}

static void __exit lego_fuzz_exit(void)
{
	debugfs_remove(dir);
}

module_init(lego_fuzz_init);
module_exit(lego_fuzz_exit);
MODULE_DESCRIPTION("lego: malformed messages, for tests");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
MODULE_IMPORT_NS(LITE_RPC_TEST);
