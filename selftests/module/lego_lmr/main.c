// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of LMRs from the kernel: two nodes, "alice" and "bob", use memory at
 * other nodes. Not installed. Reading /sys/kernel/debug/lego/lmr/run runs them
 * and gives TAP. Reading "bw" measures writing and gives KiB per second.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "test.h"

static char *ip = "";
module_param(ip, charp, 0444);
MODULE_PARM_DESC(ip, "address of its nodes, without port; empty: loop");

static char *gmgr = "";
module_param(gmgr, charp, 0444);
MODULE_PARM_DESC(gmgr, "address of gmgr");

static char *at = "";
module_param(at, charp, 0444);
MODULE_PARM_DESC(at, "address of the node where most memory is");

static uint max_vid;
module_param(max_vid, uint, 0444);
MODULE_PARM_DESC(max_vid, "the highest vid of which carol says that it knows it");

static unsigned long long version;
module_param(version, ullong, 0444);
MODULE_PARM_DESC(version, "of the table of vNodes that carol tells gmgr; 0: none");

static char *tells = "";
module_param(tells, charp, 0444);
MODULE_PARM_DESC(tells, "name of the vNode in it; empty: there is none");

static char *other = "";
module_param(other, charp, 0444);
MODULE_PARM_DESC(other, "address of another");

#define SIZE LMR_SIZE
#define ADDERS 4
#define ADDS 200

struct actor alice, bob;
static struct actor carol; /* of "own" */
static const struct lite_member_ops no_ops;
static struct dentry *dir;
static DEFINE_MUTEX(run_lock);
static unsigned int tap_nr;

void tap(struct seq_file *m, bool ok, const char *name, int err)
{
	seq_printf(m, "%sok %u - %s\n", ok ? "" : "not ", ++tap_nr, name);
	if (!ok)
		seq_printf(m, "# %d\n", err);
}

/* the outcome is that errno */
void tap_err(struct seq_file *m, int err, int want, const char *name)
{
	tap(m, err == want, name, err);
}

void tap_ok(struct seq_file *m, int err, const char *name)
{
	tap_err(m, err, 0, name);
}

static struct lite_sge piece(struct actor *a, u64 off, u32 len)
{
	return (struct lite_sge){ .mr = a->mr, .off = off, .len = len };
}

int get(struct actor *a, struct lite_lmr *lmr, u64 off, u32 len)
{
	struct lite_sge sge = piece(a, 0, len);

	memset(a->buf, 0x5a, len);
	return lite_lmr_read(lmr, off, &sge, 1);
}

void fill(struct actor *a, u64 off, u32 len, u8 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		a->buf[i] = seed + (off + i) * 31 + ((off + i) >> 12);
}

int put(struct actor *a, struct lite_lmr *lmr, u64 off, u32 len, u8 seed)
{
	struct lite_sge sge = piece(a, 0, len);

	fill(a, off, len, seed);
	return lite_lmr_write(lmr, off, &sge, 1);
}

/* does it hold what put() put? */
bool holds(struct actor *a, struct lite_lmr *lmr, u64 off, u32 len, u8 seed)
{
	u32 i;

	if (get(a, lmr, off, len))
		return false;
	for (i = 0; i < len; i++)
		if (a->buf[i] != (u8)(seed + (off + i) * 31 +
				      ((off + i) >> 12)))
			return false;
	return true;
}

static void test_alloc(struct seq_file *m)
{
	struct lite_lmr *lmr;
	int err;

	tap_ok(m, lite_lmr_alloc(alice.at, "lmr-a", SIZE, LITE_LMR_READ),
	       "memory is made at another node");
	tap_err(m, lite_lmr_alloc(bob.at, "lmr-a", 4096, 0), -EEXIST,
		"a name is taken once");
	tap_err(m, lite_lmr_alloc(bob.at, "lmr-b", 1ULL << 50, 0), -ENOMEM,
		"more than there is, is refused");
	tap_err(m, lite_lmr_alloc(bob.at, "", 4096, 0), -EINVAL,
		"no name is refused");
	tap_err(m, lite_lmr_alloc(bob.at, "lmr-b", 0, 0), -EINVAL,
		"no size is refused");
	lmr = lite_lmr_map(bob.at, "lmr-b", LITE_LMR_READ);
	tap_err(m, PTR_ERR_OR_ZERO(lmr), -ENOENT,
		"what is not there is not mapped");
	lite_lmr_unmap(lmr);
	lmr = lite_lmr_map(alice.at, "lmr-a", LITE_LMR_READ);
	err = PTR_ERR_OR_ZERO(lmr);
	if (!err)
		err = get(&alice, lmr, 0, SIZE);
	tap(m, !err && !memchr_inv(alice.buf, 0, SIZE), "it is zeroed", err);
	lite_lmr_unmap(lmr);
}

static void test_move(struct seq_file *m, struct lite_lmr *a)
{
	struct lite_sge sge[3] = {
		piece(&alice, 4096 * 3 + 17, 5000),
		piece(&alice, 8, 70000),
		piece(&alice, 1 << 20, 3),
	};
	int err;

	tap(m, lite_lmr_size(a) == SIZE, "its size is known", 0);
	tap_ok(m, put(&alice, a, 0, SIZE, 1), "all of it is written");
	tap(m, holds(&alice, a, 0, SIZE, 1), "and read again", 0);
	tap_ok(m, put(&alice, a, 1048570, 12, 7), "a write across two keys");
	tap(m, holds(&alice, a, 1048570, 12, 7) &&
	    holds(&alice, a, 0, 1048570, 1) &&
	    holds(&alice, a, 1048582, SIZE - 1048582, 1),
	    "changes these bytes and no other", 0);
	tap_err(m, get(&alice, a, SIZE - 4, 5), -EINVAL,
		"reading beyond its end is refused");
	tap_err(m, put(&alice, a, SIZE, 1, 1), -EINVAL,
		"and writing");
	/* 75003 bytes, scattered here, in order there */
	fill(&alice, 0, 1 << 21, 3);
	err = lite_lmr_write(a, 100001, sge, ARRAY_SIZE(sge));
	if (!err)
		err = get(&alice, a, 100001, 75003);
	fill(&bob, 0, 1 << 21, 3);
	tap(m, !err && !memcmp(alice.buf, bob.buf + 4096 * 3 + 17, 5000) &&
	    !memcmp(alice.buf + 5000, bob.buf + 8, 70000) &&
	    !memcmp(alice.buf + 75000, bob.buf + (1 << 20), 3),
	    "pieces of memory are gathered", err);
}

static void test_access(struct seq_file *m, struct lite_lmr *a)
{
	u64 who = lite_node_incarnation(bob.node);
	struct lite_lmr *b, *again;
	int err;

	b = lite_lmr_map(bob.at, "lmr-a", LITE_LMR_RW);
	tap_err(m, PTR_ERR_OR_ZERO(b), -EACCES, "another may not write");
	lite_lmr_unmap(b);
	put(&alice, a, 0, 70000, 9);
	b = lite_lmr_map(bob.at, "lmr-a", LITE_LMR_READ);
	tap_ok(m, PTR_ERR_OR_ZERO(b), "but map it to read");
	if (IS_ERR(b))
		return;
	tap(m, holds(&bob, b, 0, 70000, 9), "and read what was written", 0);
	tap_err(m, put(&bob, b, 0, 1, 1), -EACCES, "and not write then");
	tap_err(m, lite_lmr_set(b, 0, 1, 1), -EACCES, "nor have it set");
	tap_err(m, lite_lmr_free(b), -EACCES, "nor free it");
	tap_err(m, lite_lmr_grant(b, who, LITE_LMR_RW), -EACCES,
		"nor allow itself more");
	again = lite_lmr_map(bob.at, "lmr-a", LITE_LMR_READ);
	lite_lmr_unmap(b);
	tap(m, !IS_ERR(again) && holds(&bob, again, 0, 70000, 9),
	    "one of two mappings is as good without the other", 0);
	lite_lmr_unmap(again);

	tap_ok(m, lite_lmr_grant(a, who, LITE_LMR_RW), "the owner allows it");
	b = lite_lmr_map(bob.at, "lmr-a", LITE_LMR_RW);
	err = PTR_ERR_OR_ZERO(b);
	if (!err)
		err = put(&bob, b, 5, 70000, 11);
	tap(m, !err && holds(&alice, a, 5, 70000, 11), "then it may", err);
	tap_ok(m, lite_lmr_grant(a, who, 0), "and takes it back");
	/* the key is dead: the connection breaks, and then it is known why */
	err = put(&bob, b, 5, 70000, 12);
	tap(m, err == -ECONNRESET || err == -EACCES,
	    "its keys are dead from then on", err);
	tap_err(m, put(&bob, b, 5, 70000, 12), -EACCES, "and it is told so");
	tap(m, holds(&alice, a, 5, 70000, 11), "nothing was written", 0);
	tap_ok(m, lite_lmr_grant(a, who, LITE_LMR_READ), "it may read again");
	lite_lmr_unmap(b);
}

/* the same here and there, then compare */
static bool copies(struct lite_lmr *a, u64 to, u64 from, u32 len)
{
	if (put(&alice, a, 0, 1 << 18, 21) ||
	    lite_lmr_copy(a, to, a, from, len) || get(&alice, a, 0, 1 << 18))
		return false;
	fill(&bob, 0, 1 << 18, 21);
	memmove(bob.buf + to, bob.buf + from, len);
	return !memcmp(alice.buf, bob.buf, 1 << 18);
}

static void test_at_node(struct seq_file *m, struct lite_lmr *a)
{
	struct lite_lmr *o;
	int err;

	put(&alice, a, 0, 20000, 5);
	err = lite_lmr_set(a, 4000, 0xc3, 9000);
	if (!err)
		err = get(&alice, a, 4000, 9000);
	tap(m, !err && !memchr_inv(alice.buf, 0xc3, 9000) &&
	    holds(&alice, a, 0, 4000, 5) && holds(&alice, a, 13000, 7000, 5),
	    "memset sets these bytes and no other", err);
	tap_err(m, lite_lmr_set(a, SIZE - 1, 1, 2), -EINVAL,
		"memset beyond the end is refused");
	tap(m, copies(a, 100, 9000, 50000), "memmove downwards", 0);
	tap(m, copies(a, 9001, 100, 50000), "memmove upwards, overlapping", 0);
	tap(m, copies(a, 4096 * 4, 4096 * 3, 4096 * 9), "memmove of pages", 0);
	tap(m, copies(a, 77, 77, 5000), "memmove to the same place", 0);

	err = lite_lmr_alloc(alice.other, "lmr-o", 1 << 18, 0);
	o = err ? ERR_PTR(err) :
		  lite_lmr_map(alice.other, "lmr-o", LITE_LMR_RW);
	err = PTR_ERR_OR_ZERO(o);
	if (!err)
		err = put(&alice, a, 300, 200000, 33);
	if (!err)
		err = lite_lmr_copy(o, 300, a, 300, 200000);
	tap(m, !err && holds(&alice, o, 300, 200000, 33),
	    "memcpy from a node to another", err);
	if (!IS_ERR(o)) {
		tap_ok(m, lite_lmr_free(o), "that is freed");
		lite_lmr_unmap(o);
	}
}

struct adder {
	struct lite_lmr *lmr;
	struct completion done;
	int err;
};

static int adder_fn(void *arg)
{
	struct adder *adder = arg;
	unsigned int i;
	u64 old;

	for (i = 0; i < ADDS && !adder->err; i++)
		adder->err = lite_lmr_fetch_add(adder->lmr, 4096 - 8, 3, &old);
	complete(&adder->done);
	return 0;
}

static void test_atomic(struct seq_file *m, struct lite_lmr *a)
{
	struct adder adder[ADDERS] = {};
	struct task_struct *task;
	unsigned int i;
	int err = 0;
	u64 old = 0;

	lite_lmr_set(a, 0, 0, 8192);
	for (i = 0; i < ADDERS; i++) {
		adder[i].lmr = a;
		init_completion(&adder[i].done);
		task = kthread_run(adder_fn, &adder[i], "lmr-add/%u", i);
		if (IS_ERR(task)) {
			adder[i].err = PTR_ERR(task);
			complete(&adder[i].done);
		}
	}
	for (i = 0; i < ADDERS; i++) {
		wait_for_completion(&adder[i].done);
		err = err ?: adder[i].err;
	}
	if (!err)
		err = lite_lmr_fetch_add(a, 4096 - 8, 0, &old);
	tap(m, !err && old == ADDERS * ADDS * 3, "no addition is lost", err);
	err = lite_lmr_cmp_swap(a, 8, 1, 2, &old);
	tap(m, !err && !old, "a comparison that fails tells what is there", err);
	err = lite_lmr_cmp_swap(a, 8, 0, ~0ULL, &old);
	tap(m, !err && !old, "one that does not", err);
	err = lite_lmr_fetch_add(a, 8, 0, &old);
	tap(m, !err && old == ~0ULL, "swaps", err);
	tap_err(m, lite_lmr_fetch_add(a, 4, 1, &old), -EINVAL,
		"an odd place is refused");
	tap_err(m, lite_lmr_fetch_add(a, SIZE, 1, &old), -EINVAL,
		"and one beyond the end");
}

/* it takes as long as the news of its owner's end */
static void wait_dead(struct lite_lmr *lmr)
{
	unsigned int i;

	for (i = 0; i < 100 && !get(&alice, lmr, 0, 4096); i++)
		msleep(100);
}

/* bob becomes a member that has memory. Return: who is where most is */
static u64 join_bob(struct seq_file *m)
{
	struct lite_member *member;
	u64 incarnation = 0;
	unsigned int i, nr;
	int err;

	err = lite_lmr_alloc(bob.at, "lmr-b", SIZE, LITE_LMR_READ);
	if (!err)
		err = lite_join(bob.node, gmgr, &no_ops);
	tap_ok(m, err, "a node joins");
	member = kcalloc(64, sizeof(*member), GFP_KERNEL);
	nr = member ? lite_members(bob.node, member, 64) : 0;
	for (i = 0; i < nr; i++)
		if (!strcmp(member[i].addr, at))
			incarnation = member[i].incarnation;
	kfree(member);
	return incarnation;
}

static void test_end(struct seq_file *m, struct lite_lmr *a)
{
	struct lite_lmr *b = lite_lmr_map(bob.at, "lmr-a", LITE_LMR_READ);
	unsigned int i;
	int err;

	tap_ok(m, PTR_ERR_OR_ZERO(b) ?: get(&bob, b, 0, 4096),
	       "another reads it");
	tap_ok(m, lite_lmr_free(a), "the owner frees it");
	if (!IS_ERR(b)) {
		err = get(&bob, b, 0, 4096);
		tap(m, err && !memchr_inv(bob.buf, 0x5a, 4096),
		    "nobody reads it then", err);
		tap_err(m, get(&bob, b, 0, 4096), -ESTALE, "and is told so");
		lite_lmr_unmap(b);
	}
	tap_err(m, get(&alice, a, 0, 4096) == -ECONNRESET ?
		   get(&alice, a, 0, 4096) : -ESTALE, -ESTALE,
		"nor does who had it");

	b = lite_lmr_map(alice.at, "lmr-b", LITE_LMR_READ);
	tap_ok(m, PTR_ERR_OR_ZERO(b) ?: get(&alice, b, 0, 4096),
	       "one that is a member has memory");
	lite_leave(bob.node);
	if (!IS_ERR(b)) {
		wait_dead(b);
		err = get(&alice, b, 0, 4096);
		tap(m, err && !memchr_inv(alice.buf, 0x5a, 4096),
		    "when it leaves the keys of that are dead", err);
		lite_lmr_unmap(b);
	}
	for (i = 0; i < 100; i++) {
		b = lite_lmr_map(alice.at, "lmr-b", LITE_LMR_READ);
		lite_lmr_unmap(b);
		if (PTR_ERR_OR_ZERO(b) == -ENOENT)
			break;
		msleep(100);
	}
	tap_err(m, PTR_ERR_OR_ZERO(b), -ENOENT,
		"and it is freed");
}

static void actor_exit(struct actor *a)
{
	lite_peer_put(a->other);
	lite_peer_put(a->at);
	lite_mr_destroy(a->mr);
	vfree(a->buf);
	lite_node_destroy(a->node);
	memset(a, 0, sizeof(*a));
}

static int actor_init(struct actor *a, const char *name, unsigned int port)
{
	/* a role that nobody is given memory or files by */
	struct lite_node_cfg cfg = { .name = name, .role = LITE_ROLE_PCOMP };
	unsigned int i, nr = SIZE / PAGE_SIZE;
	struct page **pages;
	char addr[64];
	int err;

	if (*ip)
		snprintf(addr, sizeof(addr), "%s:%u", ip, port);
	cfg.addr = *ip ? addr : NULL;
	a->node = lite_node_create(&cfg);
	if (IS_ERR(a->node)) {
		err = PTR_ERR(a->node);
		a->node = NULL;
		return err;
	}
	a->buf = vzalloc(SIZE);
	pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL);
	if (!a->buf || !pages) {
		kvfree(pages);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++)
		pages[i] = vmalloc_to_page(a->buf + i * PAGE_SIZE);
	a->mr = lite_mr_create(a->node, pages, nr, LITE_MR_LOCAL);
	kvfree(pages);
	a->at = lite_peer_get(a->node, at, 0);
	a->other = lite_peer_get(a->node, other, 0);
	err = PTR_ERR_OR_ZERO(a->mr) ?: PTR_ERR_OR_ZERO(a->at) ?:
		PTR_ERR_OR_ZERO(a->other);
	return err;
}

static int run_show(struct seq_file *m, void *v)
{
	struct lite_lmr *a;
	int err;

	mutex_lock(&run_lock);
	tap_nr = 0;
	err = actor_init(&alice, "alice", 7491) ?:
		      actor_init(&bob, "bob", 7492);
	if (err)
		goto out_exit;
	if (!*ip) {
		test_endless(m);
		test_forget(m);
	}
	test_alloc(m);
	a = lite_lmr_map(alice.at, "lmr-a", LITE_LMR_RW);
	tap_ok(m, PTR_ERR_OR_ZERO(a), "its owner maps it");
	if (!IS_ERR(a)) {
		test_move(m, a);
		test_access(m, a);
		test_keys(m, a);
		test_at_node(m, a);
		test_atomic(m, a);
		if (!*ip)
			test_gone(m);
		test_many(m, *ip ? "10.255.255.1:7499" : "loop:nobody");
		test_objects(m, a, at, join_bob(m));
		test_end(m, a);
		lite_lmr_unmap(a);
	}
	seq_printf(m, "# %u\n", tap_nr);
out_exit:
	actor_exit(&bob);
	actor_exit(&alice);
	mutex_unlock(&run_lock);
	return err;
}

#define BW_SIZE (16 * 1024 * 1024)
#define BW_PIECE (1024 * 1024) /* of our memory, again and again */
#define BW_TIMES 2

/* one call that writes all, LITE_MOVE_MAX at a time as every call does */
static int bw_write(struct lite_lmr *lmr)
{
	struct lite_sge sge[BW_SIZE / BW_PIECE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sge); i++)
		sge[i] = piece(&alice, 0, BW_PIECE);
	return lite_lmr_write(lmr, 0, sge, ARRAY_SIZE(sge));
}

static int bw_measure(struct seq_file *m, struct lite_lmr *lmr)
{
	unsigned int i;
	ktime_t start;
	int err;

	err = bw_write(lmr); /* has the keys */
	start = ktime_get();
	for (i = 0; i < BW_TIMES && !err; i++)
		err = bw_write(lmr);
	if (!err)
		seq_printf(m, "%llu\n",
			   div64_u64((u64)BW_TIMES * BW_SIZE / 1024 *
				     NSEC_PER_SEC,
				     ktime_to_ns(ktime_sub(ktime_get(),
							   start))));
	return err;
}

static int bw_show(struct seq_file *m, void *v)
{
	struct lite_lmr *lmr;
	int err;

	mutex_lock(&run_lock);
	err = actor_init(&alice, "alice", 7491);
	if (!err)
		err = lite_lmr_alloc(alice.at, "lmr-bw", BW_SIZE, 0);
	if (err)
		goto out_exit;
	lmr = lite_lmr_map(alice.at, "lmr-bw", LITE_LMR_RW);
	err = PTR_ERR_OR_ZERO(lmr);
	if (!err) {
		err = bw_measure(m, lmr);
		lite_lmr_free(lmr);
	}
	lite_lmr_unmap(lmr);
out_exit:
	actor_exit(&alice);
	mutex_unlock(&run_lock);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(bw);

#define OWN_MAX 1000

static struct lite_lmr *owned[OWN_MAX];

/* one more, with its keys */
static int own_one(unsigned int nr)
{
	char name[LITE_NAME_LEN];
	int err;

	snprintf(name, sizeof(name), "carols-%u", nr);
	err = lite_lmr_alloc(carol.at, name, 4096, 0);
	if (err)
		return err;
	owned[nr] = lite_lmr_map(carol.at, name, LITE_LMR_RW);
	return PTR_ERR_OR_ZERO(owned[nr]) ?: get(&carol, owned[nr], 0, 4096);
}

static void carol_usage(void *priv, struct lite_usage *usage)
{
	usage->max_vid = max_vid;
}

static const struct lite_member_ops carol_ops = { .usage = carol_usage };

/* What vNodes there are, as carol says. */
static int tell_gmgr(void)
{
	u32 nr = *tells ? 1 : 0;
	struct gmgr_vnode_table *req;
	struct lite_call call = {
		.op = GMGR_TELL_VNODES,
		.req_len = struct_size(req, vnode, nr),
	};
	int err;

	req = kzalloc(struct_size(req, vnode, 1), GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	req->life = cpu_to_le64(1);
	req->epoch = cpu_to_le64(version);
	req->next_vid = cpu_to_le32(1);
	req->nr = cpu_to_le32(nr);
	req->vnode[0].vid = cpu_to_le32(1000);
	strscpy(req->vnode[0].name, tells, sizeof(req->vnode[0].name));
	strscpy(req->vnode[0].root, "/", sizeof(req->vnode[0].root));
	call.req = req;
	err = lite_call(lite_gmgr(carol.node), &call);
	kfree(req);
	return err;
}

/* Write a number: carol joins, has so many LMRs at the other node, and stays. */
static ssize_t own_write(struct file *file, const char __user *ubuf,
			 size_t count, loff_t *pos)
{
	unsigned int i, nr;
	int err;

	err = kstrtouint_from_user(ubuf, count, 0, &nr);
	if (err || nr > OWN_MAX)
		return err ?: -EINVAL;
	mutex_lock(&run_lock);
	err = carol.node ? -EBUSY : actor_init(&carol, "carol", 7493);
	if (!err)
		err = lite_join(carol.node, gmgr, &carol_ops);
	if (!err && version)
		err = tell_gmgr();
	for (i = 0; i < nr && !err; i++)
		err = own_one(i);
	mutex_unlock(&run_lock);
	return err ?: count;
}

/* without a word to the other node, nor to gmgr, if that is not there */
static void own_exit(void)
{
	unsigned int i;

	if (!carol.node)
		return;
	lite_leave(carol.node);
	lite_node_stop(carol.node);
	for (i = 0; i < OWN_MAX; i++)
		lite_lmr_unmap(owned[i]);
	actor_exit(&carol);
}

static const struct file_operations own_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = own_write,
	.llseek = noop_llseek,
};

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

static int __init lego_lmr_init(void)
{
	dir = debugfs_create_dir("lmr", lite_debugfs());
	debugfs_create_file("run", 0400, dir, NULL, &run_fops);
	debugfs_create_file("bw", 0400, dir, NULL, &bw_fops);
	debugfs_create_file("own", 0200, dir, NULL, &own_fops);
	return 0;
}

static void __exit lego_lmr_exit(void)
{
	debugfs_remove(dir);
	own_exit();
}

module_init(lego_lmr_init);
module_exit(lego_lmr_exit);
MODULE_DESCRIPTION("lego: tests of LMRs");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(LITE_RPC);
