// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lego: what user space asks of a pComponent's node. See
 * include/uapi/lego/pcomp.h.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/lego/pcomp.h>
#include "pcomp.h"

#define CTL_MS 5000

/**
 * struct ctl - private_data of an open file
 * @lock: protects all others
 * @entry: what LEGO_IOC_ENTER made, or NULL
 * @page: of gmgr's list of vNodes, the last that was asked for, or NULL
 * @page_start: index of its first
 * @page_pcomp: by which pComponent
 */
struct ctl {
	struct mutex lock; /* see above */
	struct pcomp_entry *entry;
	struct gmgr_vnodes_rsp *page;
	u32 page_start;
	char page_pcomp[LITE_NAME_LEN];
};

static int gmgr_call(struct pcomp *pc, u16 op, const void *req, u32 len,
		     void *rsp, u32 size, u32 *rsp_len)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = len,
		.rsp = rsp,
		.rsp_size = size,
		.timeout_ms = CTL_MS,
	};
	struct lite_peer *gmgr = lite_gmgr(pc->node);
	int err;

	if (!gmgr)
		return -EHOSTUNREACH;
	err = lite_call(gmgr, &call);
	if (rsp_len)
		*rsp_len = call.rsp_len;
	return lite_no_answer(err) ? -EHOSTUNREACH : err;
}

static long ioc_enter(struct ctl *c, void __user *arg)
{
	struct lego_enter a;
	struct pcomp_entry *e;
	struct pcomp *pc;
	long r = 0;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	a.pcomp[sizeof(a.pcomp) - 1] = 0;
	a.vnode[sizeof(a.vnode) - 1] = 0;
	pc = pcomp_get_by_name(a.pcomp);
	if (IS_ERR(pc))
		return PTR_ERR(pc);
	mutex_lock(&c->lock);
	if (c->entry) {
		r = -EBUSY;
		goto out_unlock;
	}
	e = pcomp_enter(pc, a.vnode);
	if (IS_ERR(e))
		r = PTR_ERR(e);
	else
		c->entry = e;
out_unlock:
	mutex_unlock(&c->lock);
	pcomp_put(pc);
	return r;
}

static void member_out(struct lego_member *o, const struct lite_member *m)
{
	o->id = m->id;
	o->role = m->role;
	o->state = m->state;
	o->nr_spaces = m->nr_spaces;
	o->incarnation = m->incarnation;
	o->total = m->total;
	o->used = m->used;
	memcpy(o->name, m->name, sizeof(o->name));
	memcpy(o->addr, m->addr, sizeof(o->addr));
}

/* From gmgr itself, as used figures change without an epoch. */
static int members_fresh(struct pcomp *pc, struct lego_members *a)
{
	struct gmgr_list_req req = { .start = cpu_to_le32(a->start) };
	struct gmgr_members_rsp *rsp;
	u32 len, i, nr;
	int err;

	rsp = kzalloc(LITE_RSP_MAX, GFP_KERNEL);
	if (!rsp)
		return -ENOMEM;
	err = gmgr_call(pc, GMGR_MEMBERS, &req, sizeof(req), rsp, LITE_RSP_MAX,
			&len);
	if (err)
		goto out_free;
	nr = le32_to_cpu(rsp->nr);
	/* who asks page by page is to come to an end */
	if (nr > LEGO_MEMBERS_MAX || len != struct_size(rsp, member, nr) ||
	    (nr && a->start >= GMGR_MEMBERS_LIMIT)) {
		err = -EPROTO;
		goto out_free;
	}
	for (i = 0; i < nr; i++) {
		struct gmgr_member *m = &rsp->member[i];
		struct lite_member l = {
			.id = le32_to_cpu(m->node_id),
			.role = le32_to_cpu(m->role),
			.state = le32_to_cpu(m->state),
			.nr_spaces = le32_to_cpu(m->nr_spaces),
			.incarnation = le64_to_cpu(m->incarnation),
			.total = le64_to_cpu(m->total),
			.used = le64_to_cpu(m->used),
		};

		memcpy(l.name, m->name, sizeof(l.name));
		memcpy(l.addr, m->addr, sizeof(l.addr));
		member_out(&a->member[i], &l);
	}
	a->nr = nr;
	a->gmgr_up = 1;
out_free:
	kfree(rsp);
	return err;
}

static int members_known(struct pcomp *pc, struct lego_members *a)
{
	struct lite_member *m;
	unsigned int n, i;

	m = kvcalloc(1024, sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	n = lite_members(pc->node, m, 1024);
	for (i = a->start; i < n && a->nr < LEGO_MEMBERS_MAX; i++)
		member_out(&a->member[a->nr++], &m[i]);
	kvfree(m);
	return 0;
}

static long ioc_members(void __user *arg)
{
	struct lego_members *a = memdup_user(arg, sizeof(*a));
	struct pcomp *pc;
	long r;

	if (IS_ERR(a))
		return PTR_ERR(a);
	a->pcomp[sizeof(a->pcomp) - 1] = 0;
	a->nr = 0;
	a->gmgr_up = 0;
	pc = pcomp_get_by_name(a->pcomp);
	if (IS_ERR(pc)) {
		r = PTR_ERR(pc);
		goto out_free;
	}
	r = members_fresh(pc, a);
	if (r == -EHOSTUNREACH)
		r = members_known(pc, a);
	if (!r && copy_to_user(arg, a, sizeof(*a)))
		r = -EFAULT;
	pcomp_put(pc);
out_free:
	kfree(a);
	return r;
}

static void vnode_out(struct lego_vnode *a, const struct gmgr_vnode *v)
{
	a->vid = le32_to_cpu(v->vid);
	a->vip = (__force u32)v->vip;
	a->nr_procs = le32_to_cpu(v->nr_procs);
	a->quota = le64_to_cpu(v->quota);
	memcpy(a->name, v->name, sizeof(a->name));
	memcpy(a->storage, v->storage, sizeof(a->storage));
	memcpy(a->root, v->root, sizeof(a->root));
}

static int vnode_create(struct ctl *c, struct pcomp *pc, struct lego_vnode *a)
{
	struct gmgr_vnode v = {
		.vip = (__force __be32)a->vip,
		.quota = cpu_to_le64(a->quota),
	}, out;
	u32 len;
	int err;

	strscpy_pad(v.name, a->name, sizeof(v.name));
	strscpy_pad(v.storage, a->storage, sizeof(v.storage));
	strscpy_pad(v.root, a->root, sizeof(v.root));
	err = gmgr_call(pc, GMGR_VNODE_CREATE, &v, sizeof(v), &out, sizeof(out),
			&len);
	if (err)
		return err;
	lite_keep_vnodes(pc->node);
	if (len == sizeof(out))
		vnode_out(a, &out);
	return 0;
}

static int vnode_remove(struct ctl *c, struct pcomp *pc, struct lego_vnode *a)
{
	struct gmgr_vnode_name_req req;
	int err;

	strscpy_pad(req.name, a->name, sizeof(req.name));
	err = gmgr_call(pc, GMGR_VNODE_REMOVE, &req, sizeof(req), NULL, 0,
			NULL);
	if (!err)
		lite_keep_vnodes(pc->node);
	return err;
}

/* A page of gmgr's list from @start on. gmgr asks all pComponents for each. */
static int page_read(struct ctl *c, struct pcomp *pc, u32 start)
{
	struct gmgr_list_req req = { .start = cpu_to_le32(start) };
	u32 len;
	int err;

	lockdep_assert_held(&c->lock);
	if (!c->page)
		c->page = kmalloc(LITE_RSP_MAX, GFP_KERNEL);
	if (!c->page)
		return -ENOMEM;
	c->page->nr = 0;
	c->page_start = start;
	strscpy(c->page_pcomp, pc->name, sizeof(c->page_pcomp));
	/* or the list of a gmgr that always has another would have no end */
	if (start >= GMGR_VNODES_LIMIT)
		return 0;
	err = gmgr_call(pc, GMGR_VNODE_LIST, &req, sizeof(req), c->page,
			LITE_RSP_MAX, &len);
	if (!err && (len < sizeof(*c->page) ||
		     le32_to_cpu(c->page->nr) > GMGR_VNODES_MAX ||
		     len != struct_size(c->page, vnode,
					le32_to_cpu(c->page->nr))))
		err = -EPROTO;
	if (err)
		c->page->nr = 0;
	return err;
}

/* Who lists them one by one has a page read for the first of each page only. */
static int vnode_list(struct ctl *c, struct pcomp *pc, struct lego_vnode *a)
{
	int err = 0;
	u32 i;

	mutex_lock(&c->lock);
	i = a->start - c->page_start;
	if (!c->page || !i || i >= le32_to_cpu(c->page->nr) ||
	    strcmp(c->page_pcomp, pc->name)) {
		err = page_read(c, pc, a->start);
		i = 0;
	}
	if (!err && i >= le32_to_cpu(c->page->nr))
		err = -ENOENT;
	if (!err)
		vnode_out(a, &c->page->vnode[i]);
	mutex_unlock(&c->lock);
	return err;
}

static long ioc_vnode(struct ctl *c, void __user *arg,
		      int (*fn)(struct ctl *c, struct pcomp *pc,
				struct lego_vnode *a))
{
	struct lego_vnode *a = memdup_user(arg, sizeof(*a));
	struct pcomp *pc;
	long r;

	if (IS_ERR(a))
		return PTR_ERR(a);
	a->pcomp[sizeof(a->pcomp) - 1] = 0;
	pc = pcomp_get_by_name(a->pcomp);
	if (IS_ERR(pc)) {
		r = PTR_ERR(pc);
		goto out_free;
	}
	r = fn(c, pc, a);
	if (!r && fn != vnode_remove && copy_to_user(arg, a, sizeof(*a)))
		r = -EFAULT;
	pcomp_put(pc);
out_free:
	kfree(a);
	return r;
}

static long ioc_reason(void __user *arg)
{
	struct lego_reason a;
	struct pid *pid;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	memset(a.reason, 0, sizeof(a.reason));
	/* the process that has this number now, as the caller sees it */
	pid = find_get_pid(a.pid);
	if (pid)
		pcomp_reason(pid, a.reason, sizeof(a.reason));
	put_pid(pid);
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long ctl_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ctl *c = file->private_data;
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case LEGO_IOC_ENTER:
		return ioc_enter(c, p);
	case LEGO_IOC_MEMBERS:
		return ioc_members(p);
	case LEGO_IOC_VNODE_CREATE:
		return capable(CAP_SYS_ADMIN) ? ioc_vnode(c, p, vnode_create) :
						-EPERM;
	case LEGO_IOC_VNODE_REMOVE:
		return capable(CAP_SYS_ADMIN) ? ioc_vnode(c, p, vnode_remove) :
						-EPERM;
	case LEGO_IOC_VNODE_LIST:
		return ioc_vnode(c, p, vnode_list);
	case LEGO_IOC_REASON:
		return ioc_reason(p);
	}
	return -ENOTTY;
}

static int ctl_open(struct inode *inode, struct file *file)
{
	struct ctl *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	mutex_init(&c->lock);
	file->private_data = c;
	return 0;
}

static int ctl_release(struct inode *inode, struct file *file)
{
	struct ctl *c = file->private_data;

	if (c->entry)
		pcomp_entry_close(c->entry);
	kfree(c->page);
	kfree(c);
	return 0;
}

static const struct file_operations ctl_fops = {
	.owner = THIS_MODULE,
	.open = ctl_open,
	.release = ctl_release,
	.unlocked_ioctl = ctl_ioctl,
};

static struct miscdevice ctl_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lego",
	.fops = &ctl_fops,
	.mode = 0600,
};

/**
 * pcomp_ctl_init() - make /dev/lego
 */
int pcomp_ctl_init(void)
{
	return misc_register(&ctl_dev);
}

/**
 * pcomp_ctl_exit() - remove /dev/lego
 */
void pcomp_ctl_exit(void)
{
	misc_deregister(&ctl_dev);
}
