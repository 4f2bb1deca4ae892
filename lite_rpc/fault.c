// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on purpose: switches in /sys/kernel/debug/lego/nodes/NAME/fault.
 *
 * As the kernel's fault-inject.c, which stock kernels are built without. Each
 * switch hits one in so many times, by counting: so a test knows that it did.
 */
#include <linux/debugfs.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "lite_rpc.h"

#define DELAY_MAX_MS 60000

DEFINE_STATIC_KEY_FALSE(lite_faults_on);

/* the key counts switches that are on: serialises changing both */
static DEFINE_MUTEX(switch_lock);

static const char *const names[LITE_FAULT_NR] = {
	[LITE_FAULT_DROP] = "drop",
	[LITE_FAULT_DUPLICATE] = "duplicate",
	[LITE_FAULT_CORRUPT] = "corrupt",
	[LITE_FAULT_QP] = "fail_qp",
	[LITE_FAULT_ALLOC] = "fail_alloc",
	[LITE_FAULT_POST] = "fail_post",
	[LITE_FAULT_DELAY] = "delay_ms",
};

/**
 * lite_fault_hit() - the slow half of lite_fault()
 * @node: whose switches
 * @what: what
 *
 * Context: any. Return: true once in so many times.
 */
bool lite_fault_hit(struct lite_node *node, enum lite_fault what)
{
	u32 every = READ_ONCE(node->fault.every[what]);

	return every && !((u32)atomic_inc_return(&node->fault.count[what]) %
			  every);
}

/**
 * lite_fault_corrupt() - change a byte
 * @hdr: header of a message
 * @len: its bytes
 *
 * Context: any.
 */
void lite_fault_corrupt(void *hdr, u32 len)
{
	u32 rnd = get_random_u32();

	/* never by 0 */
	((u8 *)hdr)[rnd % len] ^= (rnd >> 24) | 1;
}

/**
 * struct late_reply - one that waits
 * @work: sends it
 * @req: the request
 */
struct late_reply {
	struct delayed_work work;
	struct lite_req *req;
};

static void send_late(struct work_struct *work)
{
	struct late_reply *late =
		container_of(work, struct late_reply, work.work);

	lite_req_send(late->req);
	kfree(late);
}

/**
 * lite_fault_delay_reply() - the slow half of lite_fault_delay()
 * @req: answered
 *
 * For up to the switch's time, another for each, so that replies overtake each
 * other. The request counts as being served meanwhile.
 * Context: any but hard interrupt. Return: false: send it now.
 */
bool lite_fault_delay_reply(struct lite_req *req)
{
	u32 ms = READ_ONCE(lite_req_node(req)->fault.every[LITE_FAULT_DELAY]);
	struct late_reply *late;

	if (!ms)
		return false;
	late = kmalloc(sizeof(*late), GFP_ATOMIC | __GFP_NOWARN);
	if (!late)
		return false;
	late->req = req;
	INIT_DELAYED_WORK(&late->work, send_late);
	queue_delayed_work(lite_req_node(req)->q->timer, &late->work,
			   msecs_to_jiffies(get_random_u32() % ms + 1));
	return true;
}

static void set_switch(u32 *every, u32 val)
{
	mutex_lock(&switch_lock);
	if (!*every && val)
		static_branch_inc(&lite_faults_on);
	else if (*every && !val)
		static_branch_dec(&lite_faults_on);
	WRITE_ONCE(*every, val);
	mutex_unlock(&switch_lock);
}

static int switch_get(void *data, u64 *val)
{
	*val = READ_ONCE(*(u32 *)data);
	return 0;
}

static int switch_set(void *data, u64 val)
{
	if (val > U32_MAX)
		return -EINVAL;
	set_switch(data, val);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(switch_fops, switch_get, switch_set, "%llu\n");

static int delay_set(void *data, u64 val)
{
	if (val > DELAY_MAX_MS)
		return -EINVAL;
	set_switch(data, val);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(delay_fops, switch_get, delay_set, "%llu\n");

/**
 * lite_fault_show_add() - make a node's switches
 * @node: its directory is there
 *
 * Context: process.
 */
void lite_fault_show_add(struct lite_node *node)
{
	struct dentry *dir = debugfs_create_dir("fault", node->dentry);
	unsigned int i;

	for (i = 0; i < LITE_FAULT_NR; i++)
		debugfs_create_file(names[i], 0600, dir, &node->fault.every[i],
				    i == LITE_FAULT_DELAY ? &delay_fops :
							    &switch_fops);
}

/**
 * lite_fault_show_del() - all off, for good
 * @node: its directory is gone
 *
 * Context: process.
 */
void lite_fault_show_del(struct lite_node *node)
{
	unsigned int i;

	for (i = 0; i < LITE_FAULT_NR; i++)
		set_switch(&node->fault.every[i], 0);
}
