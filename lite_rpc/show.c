// SPDX-License-Identifier: GPL-2.0
/*
 * What a node shows: values in /sys/kernel/lego/nodes/NAME, tables in
 * /sys/kernel/debug/lego/nodes/NAME.
 */
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include <lego/raw.h>

#include "lite_rpc.h"

static struct kobject *nodes_kobj, *programs_kobj;
static struct dentry *nodes_dentry, *programs_dentry;

/**
 * struct node_kobj - the directory
 * @kobj: lives as long as somebody has a file of it open
 * @node: valid till kobject_del(), which waits for readers
 */
struct node_kobj {
	struct kobject kobj;
	struct lite_node *node;
};

static struct lite_node *kobj_node(struct kobject *kobj)
{
	return container_of(kobj, struct node_kobj, kobj)->node;
}

static ssize_t addr_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", kobj_node(kobj)->addr.text);
}

static ssize_t id_show(struct kobject *kobj, struct kobj_attribute *attr,
		       char *buf)
{
	return sysfs_emit(buf, "%u\n", lite_node_id(kobj_node(kobj)));
}

static ssize_t incarnation_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%016llx\n", kobj_node(kobj)->incarnation);
}

static ssize_t transport_show(struct kobject *kobj,
			      struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  kobj_node(kobj)->addr.loop ? "loop" : "rdma");
}

static ssize_t gmgr_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	char gmgr[LITE_ADDR_LEN];

	return sysfs_emit(buf, "%s\n",
			  lite_member_gmgr_text(kobj_node(kobj), gmgr,
						sizeof(gmgr)));
}

static ssize_t served_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&kobj_node(kobj)->served));
}

static ssize_t refused_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&kobj_node(kobj)->refused));
}

static ssize_t violations_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&kobj_node(kobj)->violations));
}

static ssize_t auth_failures_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&kobj_node(kobj)->auth_failures));
}

static struct kobj_attribute served_attr = __ATTR_RO(served);
static struct kobj_attribute refused_attr = __ATTR_RO(refused);
static struct kobj_attribute violations_attr = __ATTR_RO(violations);
static struct kobj_attribute auth_failures_attr = __ATTR_RO(auth_failures);
static struct kobj_attribute addr_attr = __ATTR_RO(addr);
static struct kobj_attribute id_attr = __ATTR_RO(id);
static struct kobj_attribute incarnation_attr = __ATTR_RO(incarnation);
static struct kobj_attribute transport_attr = __ATTR_RO(transport);
static struct kobj_attribute gmgr_attr = __ATTR_RO(gmgr);

static struct attribute *node_attrs[] = {
	&addr_attr.attr,
	&id_attr.attr,
	&incarnation_attr.attr,
	&transport_attr.attr,
	&gmgr_attr.attr,
	&served_attr.attr,
	&refused_attr.attr,
	&violations_attr.attr,
	&auth_failures_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(node);

static void node_kobj_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct node_kobj, kobj));
}

static const struct kobj_type node_ktype = {
	.release = node_kobj_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = node_groups,
};

static unsigned int link_outstanding(struct lite_link *link)
{
	return LITE_SLOTS - bitmap_weight(link->free, LITE_SLOTS);
}

/* calls that wait for a slot or a connection */
static unsigned int link_queued(struct lite_link *link)
{
	struct list_head *p;
	unsigned int nr = 0;

	spin_lock(&link->lock);
	list_for_each(p, &link->queue)
		nr++;
	spin_unlock(&link->lock);
	return nr;
}

/* how many calls could be sent now */
static unsigned int link_credits(struct lite_link *link, unsigned int out)
{
	unsigned int limit = lite_qos_limit(link->class);

	return lite_link_is_up(link) && out < limit ? limit - out : 0;
}

static int links_show(struct seq_file *m, void *v)
{
	struct lite_node *node = m->private;
	struct lite_peer *peer;
	struct lite_conn *conn;
	struct lite_link *link;
	unsigned int i, out;

	seq_puts(m, "# out: peer class transport state calls errors timeouts outstanding connects resets latency_ns p50 p99 p99.9 moves refused lost tx_bytes rx_bytes beats stalls killed credits queued\n");
	spin_lock_irq(&node->lock);
	list_for_each_entry(peer, &node->peers, list) {
		for (i = 0; i < LITE_CLASS_NR; i++) {
			link = &peer->link[i];
			if (!link->tries)
				continue;
			out = link_outstanding(link);
			seq_printf(m, "out %s %s %s %s %llu %llu %llu %u %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %u %u\n",
				   peer->addr.text, lite_class_name(i),
				   link->ops ? link->ops->name : "-",
				   lite_link_state_name(READ_ONCE(link->state)),
				   link->calls, link->errors, link->timeouts,
				   out, link->connects,
				   link->resets, link->ewma_ns,
				   lite_hist_quantile(&link->hist, 500),
				   lite_hist_quantile(&link->hist, 990),
				   lite_hist_quantile(&link->hist, 999),
				   link->moves, link->refused, link->lost,
				   link->tx_bytes, link->rx_bytes, link->beats,
				   link->stalls, link->killed,
				   link_credits(link, out), link_queued(link));
		}
	}
	seq_puts(m, "# in: peer id class transport state requests refused active\n");
	list_for_each_entry(conn, &node->conns, list)
		seq_printf(m, "in %s %u %s %s %s %llu %llu %d\n",
			   conn->peer_name, conn->peer_id,
			   lite_class_name(conn->class), conn->ops->name,
			   conn->dead ? "dead" :
			   conn->admitted ? "up" : "unproved",
			   conn->requests,
			   conn->refused,
			   atomic_read(&conn->active) - !conn->dead);
	spin_unlock_irq(&node->lock);
	seq_printf(m, "served %lld\nrefused %lld\nviolations %lld\n",
		   atomic64_read(&node->served), atomic64_read(&node->refused),
		   atomic64_read(&node->violations));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(links);

static int mrs_show(struct seq_file *m, void *v)
{
	struct lite_node *node = m->private;
	struct lite_mr *mr;

	seq_puts(m, "# pages access loop_key\n");
	mutex_lock(&node->mr_lock);
	list_for_each_entry(mr, &node->mrs, list)
		seq_printf(m, "%u %s%s%s 0x%x\n", mr->nr,
			   mr->access & LITE_MR_READ ? "r" : "",
			   mr->access & LITE_MR_WRITE ? "w" : "",
			   mr->access ? "" : "local", mr->loop_key);
	mutex_unlock(&node->mr_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mrs);

static const char *const forges[] = {
	[LITE_FORGE_NONE] = "",
	[LITE_FORGE_RECORD] = "right",
	[LITE_FORGE_VERSION] = "version",
	[LITE_FORGE_REPLAY] = "replay",
	[LITE_FORGE_GARBAGE] = "garbage",
	[LITE_FORGE_SHORT] = "short",
	[LITE_FORGE_EARLY] = "early",
	[LITE_FORGE_WRITE] = "write",
	[LITE_FORGE_SILENT] = "silent",
	[LITE_FORGE_CROWD] = "crowd",
};

/*
 * "ADDR [incarnation=N] [op=N] [len=N] [version=N] [nr_in=N] [nr_out=N]
 * [send=N]" or "ADDR [incarnation=N] connect=HOW"
 */
static int parse_raw(char *text, char **addr, u64 *incarnation,
		     struct lite_req_hdr *hdr, struct lite_raw *raw,
		     int *connect)
{
	char *word, *val;
	bool sized = false;
	u32 nr;

	*addr = NULL;
	*incarnation = 0;
	*connect = -1;
	hdr->version = cpu_to_le16(LITE_VERSION);
	hdr->op = cpu_to_le16(LITE_PING);
	while ((word = strsep(&text, "\n "))) {
		if (!*word)
			continue;
		val = strchr(word, '=');
		if (!val) {
			*addr = word;
			continue;
		}
		*val++ = '\0';
		if (!strcmp(word, "connect")) {
			*connect = match_string(forges, ARRAY_SIZE(forges),
						val);
			if (*connect < 0)
				return *connect;
			continue;
		}
		if (!strcmp(word, "incarnation")) {
			if (kstrtou64(val, 16, incarnation))
				return -EINVAL;
			continue;
		}
		if (kstrtou32(val, 0, &nr))
			return -EINVAL;
		if (!strcmp(word, "op")) {
			hdr->op = cpu_to_le16(nr);
		} else if (!strcmp(word, "len")) {
			hdr->len = cpu_to_le32(nr);
		} else if (!strcmp(word, "version")) {
			hdr->version = cpu_to_le16(nr);
		} else if (!strcmp(word, "nr_in")) {
			hdr->nr_in = nr;
		} else if (!strcmp(word, "nr_out")) {
			hdr->nr_out = nr;
		} else if (!strcmp(word, "send")) {
			raw->len = nr;
			sized = true;
		} else {
			return -EINVAL;
		}
	}
	if (!sized)
		raw->len = min_t(u32, LITE_SLOT_SIZE,
				 sizeof(*hdr) + le32_to_cpu(hdr->len));
	return *addr ? 0 : -EINVAL;
}

static ssize_t inject_write(struct file *file, const char __user *ubuf,
			    size_t count, loff_t *ppos)
{
	struct lite_node *node = file->private_data;
	struct lite_raw raw = {};
	struct lite_peer *peer;
	char *buf, *addr;
	u64 incarnation;
	int err, connect;
	void *msg;

	if (count > 256)
		return -EINVAL;
	buf = memdup_user_nul(ubuf, count);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = -ENOMEM;
	msg = kzalloc(LITE_SLOT_SIZE, GFP_KERNEL);
	if (!msg)
		goto out_free;
	raw.msg = msg;
	err = parse_raw(buf, &addr, &incarnation, msg, &raw, &connect);
	if (err)
		goto out_free;
	peer = lite_peer_get(node, addr, incarnation);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out_free;
	}
	if (connect < 0)
		err = lite_raw_call(peer, &raw);
	else
		err = lite_link_forge(&peer->link[LITE_CLASS_CONTROL],
				      connect);
	lite_peer_put(peer);
out_free:
	kfree(msg);
	kfree(buf);
	return err ?: count;
}

static const struct file_operations inject_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = inject_write,
	.llseek = noop_llseek,
};

/**
 * lite_node_show_add() - make a node visible
 * @node: node
 *
 * Context: process. Return: 0 or a negative errno.
 */
int lite_node_show_add(struct lite_node *node)
{
	struct node_kobj *nk = kzalloc(sizeof(*nk), GFP_KERNEL);
	int err;

	if (!nk)
		return -ENOMEM;
	nk->node = node;
	err = kobject_init_and_add(&nk->kobj, &node_ktype,
				   node->program ? programs_kobj : nodes_kobj,
				   "%s", node->name);
	if (err) {
		kobject_put(&nk->kobj);
		return err;
	}
	node->kobj = &nk->kobj;
	node->dentry = debugfs_create_dir(node->name, node->program ?
					  programs_dentry : nodes_dentry);
	debugfs_create_file("links", 0400, node->dentry, node, &links_fops);
	debugfs_create_file("mrs", 0400, node->dentry, node, &mrs_fops);
	debugfs_create_file("locks", 0400, node->dentry, node,
			    &lite_locks_fops);
	debugfs_create_file("lmrs", 0400, node->dentry, node, &lite_lmrs_fops);
	debugfs_create_file("inject", 0200, node->dentry, node, &inject_fops);
	lite_fault_show_add(node);
	return 0;
}

/**
 * lite_node_show_del() - the reverse; readers have ended on return
 * @node: node
 *
 * Context: process, may sleep.
 */
void lite_node_show_del(struct lite_node *node)
{
	debugfs_remove(node->dentry);
	lite_fault_show_del(node);
	kobject_del(node->kobj);
	kobject_put(node->kobj);
}

/**
 * lite_show_init() - the directories nodes are shown in
 *
 * Context: process, after lite_roots_init(). Return: 0 or -ENOMEM.
 */
int lite_show_init(void)
{
	nodes_kobj = kobject_create_and_add("nodes", lite_kobj());
	if (!nodes_kobj)
		return -ENOMEM;
	programs_kobj = kobject_create_and_add("programs", lite_kobj());
	if (!programs_kobj) {
		kobject_put(nodes_kobj);
		return -ENOMEM;
	}
	nodes_dentry = debugfs_create_dir("nodes", lite_debugfs());
	programs_dentry = debugfs_create_dir("programs", lite_debugfs());
	return 0;
}

/**
 * lite_show_exit() - the reverse of lite_show_init()
 *
 * Context: process.
 */
void lite_show_exit(void)
{
	debugfs_remove(programs_dentry);
	debugfs_remove(nodes_dentry);
	kobject_put(programs_kobj);
	kobject_put(nodes_kobj);
}
