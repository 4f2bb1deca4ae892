// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of locks and barriers from the kernel: two nodes, "alice" and "bob",
 * ask another. Not installed. Reading /sys/kernel/debug/lego/lock/run runs them
 * and gives TAP. For what needs more than this kernel, scripts write to "cmd":
 * "hold LEASE_MS": bob joins gmgr and locks "cmd"; "get WAIT_MS": alice locks
 * and unlocks it; "put": bob unlocks it; "end": both nodes go. They read from
 * it what came of the last.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "lock.h"

static char *ip = "";
module_param(ip, charp, 0444);
MODULE_PARM_DESC(ip, "address of its nodes, without port; empty: loop");

static char *gmgr = "";
module_param(gmgr, charp, 0444);
MODULE_PARM_DESC(gmgr, "address of gmgr");

static char *at = "";
module_param(at, charp, 0444);
MODULE_PARM_DESC(at, "address of the node that keeps the locks");

struct actor alice, bob;
static struct dentry *dir;
static struct lite_lock *held;
static u64 held_token, got_token;
static bool got_valid;
static unsigned int waited_ms;
static DEFINE_MUTEX(lock); /* one at a time; protects all above */

/**
 * actor_init() - a node and its way to the keeper; no harm if it is there
 * @a: filled in
 * @name: its name
 * @port: of its address
 *
 * Context: process. Return: 0 or a negative errno; then actor_exit(), too.
 */
int actor_init(struct actor *a, const char *name, unsigned int port)
{
	/* a role that nobody is given memory or files by */
	struct lite_node_cfg cfg = { .name = name, .role = LITE_ROLE_PCOMP };
	char addr[64];
	int err;

	if (a->node)
		return 0;
	if (*ip)
		snprintf(addr, sizeof(addr), "%s:%u", ip, port);
	cfg.addr = *ip ? addr : NULL;
	a->node = lite_node_create(&cfg);
	err = PTR_ERR_OR_ZERO(a->node);
	if (err) {
		a->node = NULL;
		return err;
	}
	a->at = lite_peer_get(a->node, at, 0);
	return PTR_ERR_OR_ZERO(a->at);
}

/**
 * actor_join() - join gmgr
 * @a: its node
 *
 * Context: process. Return: as lite_join().
 */
int actor_join(struct actor *a)
{
	static const struct lite_member_ops ops;

	return lite_join(a->node, gmgr, &ops);
}

/**
 * actor_exit() - the reverse of actor_init()
 * @a: perhaps never begun
 *
 * Context: process.
 */
void actor_exit(struct actor *a)
{
	lite_peer_put(a->at);
	lite_node_destroy(a->node);
	memset(a, 0, sizeof(*a));
}

static int cmd_hold(u32 lease_ms)
{
	int err;

	if (held)
		return -EBUSY;
	err = actor_init(&bob, "bob", 7492);
	if (!err)
		err = actor_join(&bob);
	if (err && err != -EBUSY)
		return err;
	held = lite_lock(bob.at, "cmd", lease_ms, 10000);
	err = PTR_ERR_OR_ZERO(held);
	if (err)
		held = NULL;
	else
		held_token = lite_lock_token(held);
	return err;
}

static int cmd_get(u32 wait_ms)
{
	struct lite_lock *got;
	ktime_t start;
	int err;

	err = actor_init(&alice, "alice", 7491);
	if (err)
		return err;
	start = ktime_get();
	got = lite_lock(alice.at, "cmd", 5000, wait_ms);
	err = PTR_ERR_OR_ZERO(got);
	got_valid = held && lite_lock_valid(held);
	waited_ms = ktime_ms_delta(ktime_get(), start);
	got_token = err ? 0 : lite_lock_token(got);
	return err ?: lite_unlock(got);
}

static int cmd_put(void)
{
	int err = lite_unlock(held);

	held = NULL;
	return err;
}

static ssize_t cmd_write(struct file *file, const char __user *ubuf,
			 size_t count, loff_t *ppos)
{
	char buf[32] = {};
	unsigned int ms;
	int err = -EINVAL;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	mutex_lock(&lock);
	if (sscanf(buf, "hold %u", &ms) == 1) {
		err = cmd_hold(ms);
	} else if (sscanf(buf, "get %u", &ms) == 1) {
		err = cmd_get(ms);
	} else if (sysfs_streq(buf, "put")) {
		err = cmd_put();
	} else if (sysfs_streq(buf, "end")) {
		err = cmd_put();
		actor_exit(&bob);
		actor_exit(&alice);
	}
	mutex_unlock(&lock);
	return err ?: count;
}

static int cmd_show(struct seq_file *m, void *v)
{
	mutex_lock(&lock);
	seq_printf(m, "waited_ms %u\n", waited_ms);
	seq_printf(m, "valid_then %d\nvalid_now %d\n", got_valid,
		   held && lite_lock_valid(held));
	seq_printf(m, "grows %d\n", got_token > held_token);
	mutex_unlock(&lock);
	return 0;
}

static int cmd_open(struct inode *inode, struct file *file)
{
	return single_open(file, cmd_show, NULL);
}

static const struct file_operations cmd_fops = {
	.owner = THIS_MODULE,
	.open = cmd_open,
	.read = seq_read,
	.write = cmd_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int run_show(struct seq_file *m, void *v)
{
	int err;

	mutex_lock(&lock);
	err = actor_init(&alice, "alice", 7491) ?:
		      actor_init(&bob, "bob", 7492);
	if (!err)
		run_tests(m);
	actor_exit(&bob);
	actor_exit(&alice);
	mutex_unlock(&lock);
	return err;
}

static int run_open(struct inode *inode, struct file *file)
{
	/* room for all at once, or it would be run again */
	return single_open_size(file, run_show, NULL, 4 * PAGE_SIZE);
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = run_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init lego_lock_init(void)
{
	dir = debugfs_create_dir("lock", lite_debugfs());
	debugfs_create_file("run", 0400, dir, NULL, &run_fops);
	debugfs_create_file("cmd", 0600, dir, NULL, &cmd_fops);
	return 0;
}

static void __exit lego_lock_exit(void)
{
	debugfs_remove(dir);
	cmd_put();
	actor_exit(&bob);
	actor_exit(&alice);
}

module_init(lego_lock_init);
module_exit(lego_lock_exit);
MODULE_DESCRIPTION("lego: tests of locks and barriers");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
