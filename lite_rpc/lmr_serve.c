// SPDX-License-Identifier: GPL-2.0
/*
 * What a node answers to requests about its LMRs. Lengths were checked against
 * the table of operations; names, ids, offsets and who asks are checked here.
 */
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "lmr.h"

#define PART (1024 * 1024) /* done at a time */

static void serve_alloc(struct lite_req *req)
{
	const struct lite_lmr_alloc_req *msg = lite_req_msg(req);
	struct lite_lmr_rsp *rsp = lite_req_rsp(req);
	u32 others = le32_to_cpu(msg->others);
	int err = -EINVAL;

	if (!lite_node_keeps(lite_req_node(req)))
		err = -EPERM;
	else if (lite_name_ok(msg->name) && msg->size &&
		 !(others & ~LITE_LMR_RW) && !msg->reserved)
		err = lmr_create(lite_req_node(req), req, msg->name,
				 le64_to_cpu(msg->size), others, rsp);
	lite_req_reply(req, err, err ? 0 : sizeof(*rsp));
}

static void serve_map(struct lite_req *req)
{
	const struct lite_lmr_map_req *msg = lite_req_msg(req);
	struct lite_lmr_rsp *rsp = lite_req_rsp(req);
	u32 access = le32_to_cpu(msg->access);
	struct lmr *lmr;
	int err = -EINVAL;

	if (!lite_name_ok(msg->name) || !access || access & ~LITE_LMR_RW ||
	    msg->reserved)
		goto out_reply;
	err = -ENOENT;
	lmr = lmr_get_name(lite_req_node(req), msg->name);
	if (!lmr)
		goto out_reply;
	err = lmr_map(lmr, lite_req_peer_incarnation(req), access);
	rsp->id = cpu_to_le64(lmr->id);
	rsp->size = cpu_to_le64((u64)lmr->nr << PAGE_SHIFT);
	lmr_put(lmr);
out_reply:
	lite_req_reply(req, err, err ? 0 : sizeof(*rsp));
}

/* The LMR of a request, or NULL: it is answered. */
static struct lmr *begin(struct lite_req *req, __le64 id)
{
	struct lmr *lmr = lmr_get(lite_req_node(req), le64_to_cpu(id));

	if (!lmr)
		lite_req_reply(req, -ESTALE, 0);
	return lmr;
}

static void end(struct lite_req *req, struct lmr *lmr, int err, u32 len)
{
	lmr_put(lmr);
	lite_req_reply(req, err, err ? 0 : len);
}

static void serve_keys(struct lite_req *req)
{
	const struct lite_lmr_keys_req *msg = lite_req_msg(req);
	struct lite_wire_seg *seg = lite_req_rsp(req);
	struct lmr *lmr = begin(req, msg->id);
	u32 nr = le32_to_cpu(msg->nr);
	int err;

	if (!lmr)
		return;
	err = lmr_keys(lmr, req, le32_to_cpu(msg->first), nr, seg);
	end(req, lmr, err, nr * sizeof(*seg));
}

static void serve_unmap(struct lite_req *req)
{
	const struct lite_lmr_id_req *msg = lite_req_msg(req);
	struct lmr *lmr = begin(req, msg->id);

	if (!lmr)
		return;
	lmr_unmap(lmr, lite_req_peer_incarnation(req));
	lmr_wait_parts(lite_req_node(req));
	end(req, lmr, 0, 0);
}

static bool is_owner(struct lite_req *req, const struct lmr *lmr)
{
	return lite_req_peer_incarnation(req) == lmr->owner;
}

static void serve_free(struct lite_req *req)
{
	const struct lite_lmr_id_req *msg = lite_req_msg(req);
	struct lmr *lmr = begin(req, msg->id);
	int err = -EACCES;

	if (!lmr)
		return;
	if (is_owner(req, lmr)) {
		lmr_kill(lite_req_node(req), lmr);
		err = 0;
	}
	end(req, lmr, err, 0);
}

static void serve_grant(struct lite_req *req)
{
	const struct lite_lmr_grant_req *msg = lite_req_msg(req);
	struct lmr *lmr = begin(req, msg->id);
	u32 access = le32_to_cpu(msg->access);
	int err = -EACCES;

	if (!lmr)
		return;
	if (access & ~LITE_LMR_RW || msg->reserved || !msg->incarnation)
		err = -EINVAL;
	else if (is_owner(req, lmr))
		err = lmr_grant(lmr, le64_to_cpu(msg->incarnation), access);
	if (!err)
		lmr_wait_parts(lite_req_node(req));
	end(req, lmr, err, 0);
}

/* Is there [off, off + len), and may who asks do that with it? */
static int check_range(struct lite_req *req, struct lmr *lmr, u64 off, u64 len,
		       u32 access)
{
	u64 size = (u64)lmr->nr << PAGE_SHIFT;

	if (off > size || len > size - off)
		return -EINVAL;
	return lmr_may(lmr, lite_req_peer_incarnation(req), access);
}

/*
 * Of what is long only so much is done at a time. Who takes a right away, or
 * the memory, waits for such a part (lmr_wait_parts()), not for all of it.
 */
static int begin_part(struct lite_req *req, struct lmr *to, u32 access,
		      struct lmr *from)
{
	struct lite_node *node = lite_req_node(req);
	u64 who = lite_req_peer_incarnation(req);
	int err;

	if (lmr_in_vain(req))
		return -ECONNRESET;
	down_read(&node->lmr_use);
	err = lmr_may(to, who, access);
	if (!err && from)
		err = lmr_may(from, who, LITE_LMR_READ);
	if (err)
		up_read(&node->lmr_use);
	return err;
}

static void end_part(struct lite_req *req)
{
	up_read(&lite_req_node(req)->lmr_use);
	cond_resched();
}

static void set_part(struct lmr *lmr, u64 off, u8 byte, u64 len)
{
	while (len) {
		size_t at = offset_in_page(off);
		size_t n = min_t(u64, len, PAGE_SIZE - at);
		void *p = kmap_local_page(lmr->pages[off >> PAGE_SHIFT]);

		memset(p + at, byte, n);
		kunmap_local(p);
		off += n;
		len -= n;
		cond_resched();
	}
}

static void serve_set(struct lite_req *req)
{
	const struct lite_lmr_set_req *msg = lite_req_msg(req);
	u64 off = le64_to_cpu(msg->off), len = le64_to_cpu(msg->len), n;
	struct lmr *lmr = begin(req, msg->id);
	u32 byte = le32_to_cpu(msg->byte);
	int err = -EINVAL;

	if (!lmr)
		return;
	if (byte <= 0xff && !msg->reserved)
		err = check_range(req, lmr, off, len, LITE_LMR_WRITE);
	for (; !err && len; off += n, len -= n) {
		n = min_t(u64, len, PART);
		err = begin_part(req, lmr, LITE_LMR_WRITE, NULL);
		if (err)
			break;
		set_part(lmr, off, byte, n);
		end_part(req);
	}
	end(req, lmr, err, 0);
}

static void copy_part(struct lmr *to, u64 t, struct lmr *from, u64 f, size_t n)
{
	void *d = kmap_local_page(to->pages[t >> PAGE_SHIFT]);
	void *s = kmap_local_page(from->pages[f >> PAGE_SHIFT]);

	memmove(d + offset_in_page(t), s + offset_in_page(f), n);
	kunmap_local(s);
	kunmap_local(d);
	cond_resched();
}

/* As memmove(): what overlaps is read before it is written. */
static void copy_forward(struct lmr *to, u64 t, struct lmr *from, u64 f,
			 u64 len)
{
	while (len) {
		size_t n = PAGE_SIZE - max(offset_in_page(t),
					   offset_in_page(f));

		n = min_t(u64, n, len);
		copy_part(to, t, from, f, n);
		t += n;
		f += n;
		len -= n;
	}
}

static void copy_backward(struct lmr *to, u64 t, struct lmr *from, u64 f,
			  u64 len)
{
	while (len) {
		size_t n = min(offset_in_page(t + len - 1),
			       offset_in_page(f + len - 1)) + 1;

		n = min_t(u64, n, len);
		len -= n;
		copy_part(to, t + len, from, f + len, n);
	}
}

/* as memmove(), in parts */
static int copy(struct lite_req *req, struct lmr *to, u64 t, struct lmr *from,
		u64 f, u64 len)
{
	bool backward = to == from && t > f;
	u64 done = 0, at, n;
	int err;

	for (; done < len; done += n) {
		n = min_t(u64, len - done, PART);
		at = backward ? len - done - n : done;
		err = begin_part(req, to, LITE_LMR_WRITE, from);
		if (err)
			return err;
		if (backward)
			copy_backward(to, t + at, from, f + at, n);
		else
			copy_forward(to, t + at, from, f + at, n);
		end_part(req);
	}
	return 0;
}

static void serve_copy(struct lite_req *req)
{
	const struct lite_lmr_copy_req *msg = lite_req_msg(req);
	u64 t = le64_to_cpu(msg->to_off), f = le64_to_cpu(msg->from_off);
	struct lmr *to = begin(req, msg->to), *from;
	u64 len = le64_to_cpu(msg->len);
	int err;

	if (!to)
		return;
	from = lmr_get(lite_req_node(req), le64_to_cpu(msg->from));
	err = from ? check_range(req, to, t, len, LITE_LMR_WRITE) : -ESTALE;
	if (!err)
		err = check_range(req, from, f, len, LITE_LMR_READ);
	if (!err)
		err = copy(req, to, t, from, f, len);
	if (from)
		lmr_put(from);
	end(req, to, err, 0);
}

static void serve_atomic(struct lite_req *req)
{
	const struct lite_lmr_atomic_req *msg = lite_req_msg(req);
	struct lite_lmr_atomic_rsp *rsp = lite_req_rsp(req);
	u64 value = le64_to_cpu(msg->value), off = le64_to_cpu(msg->off);
	struct lmr *lmr = begin(req, msg->id);
	u32 what = le32_to_cpu(msg->what);
	__le64 *p, old, new;
	int err = -EINVAL;
	void *page;

	if (!lmr)
		return;
	if ((what == LITE_LMR_ADD || what == LITE_LMR_CAS) && !(off % 8) &&
	    !msg->reserved)
		err = check_range(req, lmr, off, 8, LITE_LMR_RW);
	if (!err)
		err = begin_part(req, lmr, LITE_LMR_RW, NULL);
	if (err)
		goto out_end;
	page = kmap_local_page(lmr->pages[off >> PAGE_SHIFT]);
	p = page + offset_in_page(off);
	do {
		old = READ_ONCE(*p);
		if (what == LITE_LMR_CAS && old != msg->expect)
			break;
		new = what == LITE_LMR_CAS ?
			      msg->value :
			      cpu_to_le64(le64_to_cpu(old) + value);
	} while (cmpxchg64(p, old, new) != old);
	kunmap_local(page);
	end_part(req);
	rsp->old = old;
out_end:
	end(req, lmr, err, sizeof(*rsp));
}

static int lite_lmrs_show(struct seq_file *m, void *v)
{
	struct lite_node *node = m->private;
	struct lmr *lmr;

	seq_puts(m, "# name owner bytes mapped_by\n");
	mutex_lock(&node->lmr_lock);
	list_for_each_entry(lmr, &node->lmrs, list) {
		seq_escape(m, lmr->name, " \t\n\\");
		mutex_lock(&lmr->lock);
		seq_printf(m, " %016llx %llu %u\n", lmr->owner,
			   (u64)lmr->nr << PAGE_SHIFT, lmr->nr_maps);
		mutex_unlock(&lmr->lock);
	}
	mutex_unlock(&node->lmr_lock);
	return 0;
}

static int lite_lmrs_open(struct inode *inode, struct file *file)
{
	return single_open(file, lite_lmrs_show, inode->i_private);
}

/* /sys/kernel/debug/lego/nodes/NAME/lmrs */
const struct file_operations lite_lmrs_fops = {
	.owner = THIS_MODULE,
	.open = lite_lmrs_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static const struct lite_handler handlers[] = {
	[LITE_OP_NR(LITE_PING)] = { .fn = lite_ping },
	[LITE_OP_NR(LITE_LMR_ALLOC)] = { .fn = serve_alloc },
	[LITE_OP_NR(LITE_LMR_MAP)] = { .fn = serve_map },
	[LITE_OP_NR(LITE_LMR_KEYS)] = { .fn = serve_keys },
	[LITE_OP_NR(LITE_LMR_UNMAP)] = { .fn = serve_unmap },
	[LITE_OP_NR(LITE_LMR_FREE)] = { .fn = serve_free },
	[LITE_OP_NR(LITE_LMR_GRANT)] = { .fn = serve_grant },
	[LITE_OP_NR(LITE_LMR_SET)] = { .fn = serve_set },
	[LITE_OP_NR(LITE_LMR_COPY)] = { .fn = serve_copy },
	[LITE_OP_NR(LITE_LMR_ATOMIC)] = { .fn = serve_atomic },
	[LITE_OP_NR(LITE_LOCK_ACQUIRE)] = { .fn = lite_lock_acquire },
	[LITE_OP_NR(LITE_LOCK_RENEW)] = { .fn = lite_lock_renew },
	[LITE_OP_NR(LITE_LOCK_RELEASE)] = { .fn = lite_lock_release },
	[LITE_OP_NR(LITE_BARRIER)] = { .fn = lite_lock_barrier },
};

/**
 * lite_own_handler() - how every node serves LITE_SVC_LITE
 * @op: operation
 *
 * Context: any. Return: the handler, or NULL.
 */
const struct lite_handler *lite_own_handler(u16 op)
{
	if (LITE_OP_SVC(op) != LITE_SVC_LITE ||
	    LITE_OP_NR(op) >= ARRAY_SIZE(handlers))
		return NULL;
	return &handlers[LITE_OP_NR(op)];
}
