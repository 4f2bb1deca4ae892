// SPDX-License-Identifier: GPL-2.0
/*
 * Quality of service between the classes of this kernel's calls, at the sender.
 *
 * A class may use so many of a link's slots as the policy says (qos=,
 * qos_policy.c); who has none waits, as for any slot, and is never failed for
 * it. Policies that watch are asked again after each window of time: what they
 * judge by is counted for each CPU, and added up by whoever is the first to
 * look for a slot after its end. There is no timer: who is held back has calls
 * under way (a limit is never 0), and looks when they end.
 *
 * All of it is for a kernel, not for a component or peer: what they share is
 * the device.
 *
 * Locks: link->lock > qos_lock (only tried) > nothing.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "lite_rpc.h"
#include "qos.h"

#define WINDOW_NS (20 * NSEC_PER_MSEC)
#define FLOOR_SHIFT 10 /* it doubles in 14 s */
#define CATCH_UP 32 /* more windows of one kind change nothing any more */

static const u8 rank[LITE_CLASS_NR] = {
	[LITE_CLASS_CONTROL] = 0,
	[LITE_CLASS_DEMAND] = 0,
	[LITE_CLASS_PREFETCH] = 1,
	[LITE_CLASS_WRITEBACK] = 2,
};

/* class selectors: 3, 4, 2 and 1 */
static u8 tos[LITE_CLASS_NR] = { 0x60, 0x80, 0x40, 0x20 };
static u8 share[LITE_CLASS_NR] = { LITE_SLOTS, LITE_SLOTS, 16, 16 };

static const struct lite_qos_ops *qos; /* never NULL after the init */

/**
 * struct lite_qos_seen - what a class did since watching began
 * @begun: calls
 * @ended: of them, answered
 * @ns: how long these took in all
 */
struct lite_qos_seen {
	u64 begun;
	u64 ended;
	u64 ns;
};

static DEFINE_PER_CPU(struct lite_qos_seen [LITE_CLASS_NR], seen);

/* qos_lock protects window, last, floor_ns, and the writing of limit */
static DEFINE_SPINLOCK(qos_lock);
static u64 window; /* when it began */
static struct lite_qos_seen last[LITE_CLASS_NR];
static u64 floor_ns;
static unsigned int limit[LITE_CLASS_NR];
static atomic64_t held[LITE_CLASS_NR];

/* since we last asked */
static struct lite_qos_seen new_of(unsigned int class)
{
	struct lite_qos_seen sum = {}, new;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct lite_qos_seen *s = &per_cpu(seen, cpu)[class];

		sum.begun += READ_ONCE(s->begun);
		sum.ended += READ_ONCE(s->ended);
		sum.ns += READ_ONCE(s->ns);
	}
	new.begun = sum.begun - last[class].begun;
	new.ended = sum.ended - last[class].ended;
	new.ns = sum.ns - last[class].ns;
	last[class] = sum;
	return new;
}

/* @calls: by rank */
static void ask(const struct lite_qos_ops *ops, const u64 *calls, u64 mean_ns)
{
	struct lite_qos_view view;
	unsigned int i, j;

	lockdep_assert_held(&qos_lock);
	for (i = 0; i < LITE_CLASS_NR; i++) {
		view = (struct lite_qos_view){
			.slots = LITE_SLOTS,
			.share = READ_ONCE(share[i]),
			.limit = limit[i],
			.rank = rank[i],
			.mean_ns = mean_ns,
			.floor_ns = floor_ns,
		};
		for (j = 0; j < rank[i]; j++)
			view.calls += calls[j];
		WRITE_ONCE(limit[i], ops->limit(&view));
	}
}

/* perhaps several windows, in which nobody looked: they were alike */
static void end_window(const struct lite_qos_ops *ops, u64 now)
{
	struct lite_qos_seen new;
	u64 calls[LITE_CLASS_NR] = {};
	u64 mean = 0, nr = div_u64(now - window, WINDOW_NS);
	unsigned int i;

	for (i = 0; i < LITE_CLASS_NR; i++) {
		new = new_of(i);
		calls[rank[i]] += div64_u64(new.begun, nr);
		if (i == LITE_CLASS_DEMAND && new.ended)
			mean = div64_u64(new.ns, new.ended);
	}
	/* not as it ever was, but as it was lately */
	floor_ns += floor_ns >> FLOOR_SHIFT;
	if (mean && (!floor_ns || mean < floor_ns))
		floor_ns = mean;
	for (i = 0; i < min_t(u64, nr, CATCH_UP); i++)
		ask(ops, calls, mean);
	WRITE_ONCE(window, now);
}

/**
 * lite_qos_limit() - how many slots of a link a class may use now
 * @class: enum lite_class
 *
 * Context: any; inside of locks. Return: 1 to LITE_SLOTS.
 */
unsigned int lite_qos_limit(unsigned int class)
{
	u64 now;

	if (!READ_ONCE(qos)->watch)
		goto out;
	now = local_clock();
	/* signed: CPUs' clocks differ by a little */
	if ((s64)(now - READ_ONCE(window)) < (s64)WINDOW_NS)
		goto out;
	if (!spin_trylock(&qos_lock))
		goto out;
	if (qos->watch && (s64)(now - window) >= (s64)WINDOW_NS)
		end_window(qos, now);
	spin_unlock(&qos_lock);
out:
	return READ_ONCE(limit[class]);
}

/**
 * lite_qos_begin() - a call of a class begins
 * @class: enum lite_class
 *
 * Context: any.
 */
void lite_qos_begin(unsigned int class)
{
	if (READ_ONCE(qos)->watch)
		this_cpu_inc(seen[class].begun);
}

/**
 * lite_qos_end() - it was answered
 * @class: enum lite_class
 * @ns: how long it took
 *
 * Context: any.
 */
void lite_qos_end(unsigned int class, u64 ns)
{
	if (!READ_ONCE(qos)->watch)
		return;
	this_cpu_inc(seen[class].ended);
	this_cpu_add(seen[class].ns, ns);
}

/**
 * lite_qos_held() - a call did not get a slot that is there, and will wait
 * @class: enum lite_class
 *
 * Context: any.
 */
void lite_qos_held(unsigned int class)
{
	atomic64_inc(&held[class]);
}

/**
 * lite_qos_tos() - type of service of a new connection
 * @class: enum lite_class
 *
 * Context: any. Return: 0 to 255, or -1: the device's default.
 */
int lite_qos_tos(unsigned int class)
{
	return READ_ONCE(qos)->tos ? READ_ONCE(tos[class]) : -1;
}

/* what a policy begins with; a share has changed */
static void begin_policy(const struct lite_qos_ops *ops)
{
	static const u64 nothing[LITE_CLASS_NR];
	unsigned int i;

	spin_lock_bh(&qos_lock);
	WRITE_ONCE(qos, ops);
	for (i = 0; i < LITE_CLASS_NR; i++) {
		WRITE_ONCE(limit[i], LITE_SLOTS);
		new_of(i);
	}
	floor_ns = 0;
	window = local_clock();
	ask(ops, nothing, 0);
	spin_unlock_bh(&qos_lock);
}

static int qos_set(const char *val, const struct kernel_param *kp)
{
	unsigned int i;

	for (i = 0; i < LITE_QOS_NR; i++) {
		if (!sysfs_streq(val, lite_qos_policies[i]->name))
			continue;
		begin_policy(lite_qos_policies[i]);
		return 0;
	}
	pr_err("qos=%.*s: use none, hw or sw\n", (int)strcspn(val, "\n"), val);
	return -EINVAL;
}

static int qos_get(char *buf, const struct kernel_param *kp)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < LITE_QOS_NR; i++)
		n += sysfs_emit_at(buf, n,
				   lite_qos_policies[i] == qos ? "[%s] " :
								 "%s ",
				   lite_qos_policies[i]->name);
	buf[n - 1] = '\n';
	return n;
}

static const struct kernel_param_ops qos_param_ops = {
	.set = qos_set,
	.get = qos_get,
};

module_param_cb(qos, &qos_param_ops, NULL, 0644);
MODULE_PARM_DESC(qos,
		 "how classes of traffic are kept apart: none (default), hw or sw");

/**
 * struct per_class - a parameter with a number for each class
 * @value: the numbers
 * @min: least
 * @max: most
 */
struct per_class {
	u8 *value;
	u8 min;
	u8 max;
};

static int per_class_set(const char *val, const struct kernel_param *kp)
{
	const struct per_class *p = kp->arg;
	u8 value[LITE_CLASS_NR];
	char *text, *at, *word;
	unsigned int nr = 0;
	int err = 0;

	text = kstrdup(val, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	at = strim(text);
	while (!err && (word = strsep(&at, ","))) {
		if (nr == LITE_CLASS_NR || kstrtou8(word, 0, &value[nr]) ||
		    value[nr] < p->min || value[nr] > p->max)
			err = -EINVAL;
		nr++;
	}
	kfree(text);
	if (err || nr != LITE_CLASS_NR) {
		pr_err("%s= is %d numbers from %u to %u, with commas: control, demand, prefetch, write-back\n",
		       kp->name, LITE_CLASS_NR, p->min, p->max);
		return -EINVAL;
	}
	for (nr = 0; nr < LITE_CLASS_NR; nr++)
		WRITE_ONCE(p->value[nr], value[nr]);
	if (qos)
		begin_policy(qos);
	return 0;
}

static int per_class_get(char *buf, const struct kernel_param *kp)
{
	const u8 *v = ((const struct per_class *)kp->arg)->value;

	BUILD_BUG_ON(LITE_CLASS_NR != 4);
	return sysfs_emit(buf, "%u,%u,%u,%u\n", v[0], v[1], v[2], v[3]);
}

static const struct kernel_param_ops per_class_ops = {
	.set = per_class_set,
	.get = per_class_get,
};

static struct per_class tos_param = { tos, 0, U8_MAX };
static struct per_class share_param = { share, 1, LITE_SLOTS };

module_param_cb(qos_tos, &per_class_ops, &tos_param, 0644);
MODULE_PARM_DESC(qos_tos,
		 "qos=hw: type of service of control, demand, prefetch, write-back (default 96,128,64,32)");
module_param_cb(qos_slots, &per_class_ops, &share_param, 0644);
MODULE_PARM_DESC(qos_slots,
		 "qos=hw: calls of each class that a peer may have at once (default 64,64,16,16)");

static int qos_show(struct seq_file *m, void *v)
{
	unsigned int i;

	spin_lock_bh(&qos_lock);
	seq_printf(m, "policy %s\nfloor_ns %llu\n", qos->name, floor_ns);
	spin_unlock_bh(&qos_lock);
	seq_puts(m, "# class limit held tos\n");
	for (i = 0; i < LITE_CLASS_NR; i++)
		seq_printf(m, "%s %u %lld %d\n", lite_class_name(i),
			   lite_qos_limit(i), atomic64_read(&held[i]),
			   lite_qos_tos(i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(qos);

/**
 * lite_qos_init() - before any call
 *
 * Context: process, after lite_roots_init().
 */
void lite_qos_init(void)
{
	if (!qos)
		begin_policy(lite_qos_policies[0]);
	debugfs_create_file("qos", 0400, lite_debugfs(), NULL, &qos_fops);
}

/**
 * lite_qos_exit() - the reverse
 *
 * Context: process.
 */
void lite_qos_exit(void)
{
	debugfs_lookup_and_remove("qos", lite_debugfs());
}
