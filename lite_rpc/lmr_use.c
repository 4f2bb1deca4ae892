// SPDX-License-Identifier: GPL-2.0
/*
 * LMRs as those have them that use them: asked for by calls, read and written
 * one-sided with keys that come when they are first needed. A connection that
 * breaks may be a key's end: they are fetched anew, and then it is known.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "lite_rpc.h"

#define WINDOW 16 /* moves under way at a time */
#define SIZE_MOST BIT_ULL(44) /* its keys are 256 MiB here, of memory as asked */

/**
 * struct lite_lmr - an LMR that was mapped
 * @peer: where it is
 * @id: what it is called there
 * @size: bytes
 * @access: LITE_LMR_*
 * @lock: protects @seg; outside of calls
 * @seg: keys, one for each LITE_LMR_PIECE; NULL: not here, or not good
 */
struct lite_lmr {
	struct lite_peer *peer;
	u64 id;
	u64 size;
	u32 access;
	struct mutex lock; /* see above */
	struct lite_wire_seg *seg;
};

static int ask(struct lite_peer *peer, u16 op, const void *req, u32 len,
	       void *rsp, u32 rsp_len)
{
	struct lite_call call = {
		.op = op,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = len,
		.rsp = rsp,
		.rsp_size = rsp_len,
	};
	int err = lite_call(peer, &call);

	return !err && call.rsp_len != rsp_len ? -EPROTO : err;
}

/* see include/lego/lite.h */
int lite_lmr_alloc(struct lite_peer *peer, const char *name, u64 size,
		   u32 others)
{
	struct lite_lmr_alloc_req req = {
		.size = cpu_to_le64(size),
		.others = cpu_to_le32(others),
	};
	struct lite_lmr_rsp rsp;

	if (lite_name_set(req.name, name))
		return -EINVAL;
	return ask(peer, LITE_LMR_ALLOC, &req, sizeof(req), &rsp, sizeof(rsp));
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_alloc, LITE_RPC);

/* see include/lego/lite.h */
struct lite_lmr *lite_lmr_map(struct lite_peer *peer, const char *name,
			      u32 access)
{
	struct lite_lmr_map_req req = { .access = cpu_to_le32(access) };
	struct lite_lmr_rsp rsp;
	struct lite_lmr *lmr;
	int err;

	if (lite_name_set(req.name, name))
		return ERR_PTR(-EINVAL);
	lmr = kzalloc(sizeof(*lmr), GFP_KERNEL);
	if (!lmr)
		return ERR_PTR(-ENOMEM);
	err = ask(peer, LITE_LMR_MAP, &req, sizeof(req), &rsp, sizeof(rsp));
	if (!err && (!rsp.size || le64_to_cpu(rsp.size) > SIZE_MOST))
		err = -EPROTO;
	if (err) {
		kfree(lmr);
		return ERR_PTR(err);
	}
	mutex_init(&lmr->lock);
	kref_get(&peer->ref);
	lmr->peer = peer;
	lmr->id = le64_to_cpu(rsp.id);
	lmr->size = le64_to_cpu(rsp.size);
	lmr->access = access;
	return lmr;
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_map, LITE_RPC);

/* see include/lego/lite.h */
void lite_lmr_unmap(struct lite_lmr *lmr)
{
	struct lite_lmr_id_req req;

	if (IS_ERR_OR_NULL(lmr))
		return;
	req.id = cpu_to_le64(lmr->id);
	/* if nobody answers its keys end with the connection, or us */
	ask(lmr->peer, LITE_LMR_UNMAP, &req, sizeof(req), NULL, 0);
	lite_peer_put(lmr->peer);
	kvfree(lmr->seg);
	mutex_destroy(&lmr->lock);
	kfree(lmr);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_unmap, LITE_RPC);

/* see include/lego/lite.h */
int lite_lmr_free(struct lite_lmr *lmr)
{
	struct lite_lmr_id_req req = { .id = cpu_to_le64(lmr->id) };

	return ask(lmr->peer, LITE_LMR_FREE, &req, sizeof(req), NULL, 0);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_free, LITE_RPC);

/* see include/lego/lite.h */
int lite_lmr_grant(struct lite_lmr *lmr, u64 incarnation, u32 access)
{
	struct lite_lmr_grant_req req = {
		.id = cpu_to_le64(lmr->id),
		.incarnation = cpu_to_le64(incarnation),
		.access = cpu_to_le32(access),
	};

	return ask(lmr->peer, LITE_LMR_GRANT, &req, sizeof(req), NULL, 0);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_grant, LITE_RPC);

/**
 * lite_lmr_size() - bytes of an LMR
 * @lmr: mapped
 *
 * Context: any. Return: bytes, whole pages.
 */
u64 lite_lmr_size(const struct lite_lmr *lmr)
{
	return lmr->size;
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_size, LITE_RPC);

/* Have all keys. */
static int fetch_keys(struct lite_lmr *lmr)
{
	u64 nr = DIV_ROUND_UP_ULL(lmr->size, LITE_LMR_PIECE), i, n;
	struct lite_lmr_keys_req req = { .id = cpu_to_le64(lmr->id) };
	struct lite_wire_seg *seg;
	int err = 0;

	lockdep_assert_held(&lmr->lock);
	seg = kvcalloc(nr, sizeof(*seg), GFP_KERNEL | __GFP_NOWARN);
	if (!seg)
		return -ENOMEM;
	for (i = 0; i < nr && !err; i += n) {
		n = min_t(u64, nr - i, LITE_LMR_KEYS_MAX);
		req.first = cpu_to_le32(i);
		req.nr = cpu_to_le32(n);
		err = ask(lmr->peer, LITE_LMR_KEYS, &req, sizeof(req), &seg[i],
			  n * sizeof(*seg));
	}
	if (err) {
		kvfree(seg);
		return err;
	}
	lmr->seg = seg;
	return 0;
}

/* The key of [off, off + len), which is in one piece. */
static int get_key(struct lite_lmr *lmr, u64 off, u32 len,
		   struct lite_wire_seg *seg)
{
	u32 at;
	u64 i = div_u64_rem(off, LITE_LMR_PIECE, &at);
	int err = 0;

	mutex_lock(&lmr->lock);
	if (!lmr->seg)
		err = fetch_keys(lmr);
	if (!err) {
		*seg = lmr->seg[i];
		if (at + len > le32_to_cpu(seg->len))
			err = -EPROTO;
	}
	mutex_unlock(&lmr->lock);
	le64_add_cpu(&seg->addr, at);
	seg->len = cpu_to_le32(len);
	return err;
}

static void forget_keys(struct lite_lmr *lmr)
{
	mutex_lock(&lmr->lock);
	kvfree(lmr->seg);
	lmr->seg = NULL;
	mutex_unlock(&lmr->lock);
}

/**
 * struct move - a part of a read or write
 * @call: its end
 * @sge: local memory
 * @over: it has ended
 * @started: it will end
 */
struct move {
	struct lite_call call;
	struct lite_sge sge;
	struct completion over;
	bool started;
};

static void move_over(struct lite_call *call)
{
	struct move *m = call->priv;

	complete(&m->over);
}

/* How it ended; it has its time-out. */
static int move_wait(struct move *m)
{
	if (!m->started)
		return 0;
	wait_for_completion(&m->over);
	m->started = false;
	return m->call.status;
}

/* Start one, connecting and waiting for a slot as long as it takes, bounded. */
static int move_start(struct lite_lmr *lmr, struct move *m,
		      const struct lite_wire_seg *seg, bool write)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(LITE_TIMEOUT_MS);
	int err;

	for (;;) {
		err = write ? lite_write_start(lmr->peer, seg, &m->call) :
			      lite_read_start(lmr->peer, seg, &m->call);
		if (err != -EAGAIN && err != -ENOTCONN)
			return err;
		if (time_after(jiffies, deadline))
			return -ETIMEDOUT;
		if (err == -EAGAIN)
			err = lite_peer_wait_slot(lmr->peer, m->call.class);
		else
			err = lite_peer_connect(lmr->peer, m->call.class);
		if (err && err != -ETIMEDOUT)
			return err;
	}
}

static void move_init(struct move *m, const struct lite_sge *sge, u64 done,
		      u32 len, bool write)
{
	init_completion(&m->over);
	m->sge = (struct lite_sge){
		.mr = sge->mr,
		.off = sge->off + done,
		.len = len,
	};
	m->call = (struct lite_call){
		.class = LITE_CLASS_CONTROL,
		.in = &m->sge,
		.nr_in = write,
		.out = &m->sge,
		.nr_out = !write,
		.done = move_over,
		.priv = m,
	};
}

/**
 * struct cursor - how far a read or write has come
 * @off: in the LMR
 * @sge: local memory
 * @nr: of @sge, this one included
 * @done: bytes of it
 */
struct cursor {
	u64 off;
	const struct lite_sge *sge;
	unsigned int nr;
	u64 done;
};

/* The next; the cursor moves on. */
static int move_next(struct lite_lmr *lmr, struct cursor *c, struct move *m,
		     bool write)
{
	struct lite_wire_seg seg;
	u32 len, at;
	int err;

	div_u64_rem(c->off, LITE_LMR_PIECE, &at);
	len = min3((u64)LITE_MOVE_MAX, (u64)LITE_LMR_PIECE - at,
		   c->sge->len - c->done);
	err = get_key(lmr, c->off, len, &seg);
	if (err)
		return err;
	move_init(m, c->sge, c->done, len, write);
	err = move_start(lmr, m, &seg, write);
	if (err)
		return err;
	m->started = true;
	c->off += len;
	c->done += len;
	if (c->done == c->sge->len) {
		c->sge++;
		c->nr--;
		c->done = 0;
	}
	return 0;
}

static int move_all(struct lite_lmr *lmr, u64 off, const struct lite_sge *sge,
		    unsigned int nr, bool write)
{
	struct cursor c = { .off = off, .sge = sge, .nr = nr };
	struct move *window;
	unsigned int i;
	u64 len = 0;
	int err = 0, end;

	might_sleep();
	if (!(lmr->access & (write ? LITE_LMR_WRITE : LITE_LMR_READ)))
		return -EACCES;
	for (i = 0; i < nr; i++) {
		if (!sge[i].len)
			return -EINVAL;
		len += sge[i].len;
	}
	if (off > lmr->size || len > lmr->size - off)
		return -EINVAL;
	window = kcalloc(WINDOW, sizeof(*window), GFP_KERNEL);
	if (!window)
		return -ENOMEM;
	/* they end in order, so who waits for the oldest keeps the rest going */
	for (i = 0; c.nr && !err; i++) {
		err = fatal_signal_pending(current) ? -EINTR : 0;
		if (!err)
			err = move_wait(&window[i % WINDOW]);
		if (!err)
			err = move_next(lmr, &c, &window[i % WINDOW], write);
	}
	for (i = 0; i < WINDOW; i++) {
		end = move_wait(&window[i]);
		err = err ?: end;
	}
	kfree(window);
	if (err)
		forget_keys(lmr);
	return err;
}

/* see include/lego/lite.h */
int lite_lmr_read(struct lite_lmr *lmr, u64 off, const struct lite_sge *sge,
		  unsigned int nr)
{
	return move_all(lmr, off, sge, nr, false);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_read, LITE_RPC);

/* see include/lego/lite.h */
int lite_lmr_write(struct lite_lmr *lmr, u64 off, const struct lite_sge *sge,
		   unsigned int nr)
{
	return move_all(lmr, off, sge, nr, true);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_write, LITE_RPC);

/* see include/lego/lite.h */
int lite_lmr_set(struct lite_lmr *lmr, u64 off, u8 byte, u64 len)
{
	struct lite_lmr_set_req req = {
		.id = cpu_to_le64(lmr->id),
		.off = cpu_to_le64(off),
		.len = cpu_to_le64(len),
		.byte = cpu_to_le32(byte),
	};

	return ask(lmr->peer, LITE_LMR_SET, &req, sizeof(req), NULL, 0);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_set, LITE_RPC);

/* From one node to another, by way of a buffer here. */
static int copy_through(struct lite_lmr *to, u64 to_off, struct lite_lmr *from,
			u64 from_off, u64 len)
{
	struct page *page[LITE_MOVE_MAX / PAGE_SIZE] = {};
	struct lite_sge sge = {};
	unsigned int i;
	int err = -ENOMEM;

	/* or it would be found in the middle */
	if (to_off > to->size || len > to->size - to_off ||
	    from_off > from->size || len > from->size - from_off)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = alloc_page(GFP_KERNEL);
		if (!page[i])
			goto out_free;
	}
	sge.mr = lite_mr_create(to->peer->node, page, ARRAY_SIZE(page),
				LITE_MR_LOCAL);
	err = PTR_ERR_OR_ZERO(sge.mr);
	if (err)
		goto out_free;
	while (len && !err) {
		sge.len = min_t(u64, len, LITE_MOVE_MAX);
		err = lite_lmr_read(from, from_off, &sge, 1);
		if (!err)
			err = lite_lmr_write(to, to_off, &sge, 1);
		from_off += sge.len;
		to_off += sge.len;
		len -= sge.len;
	}
	lite_mr_destroy(sge.mr);
out_free:
	for (i = 0; i < ARRAY_SIZE(page); i++)
		if (page[i])
			__free_page(page[i]);
	return err;
}

/* see include/lego/lite.h */
int lite_lmr_copy(struct lite_lmr *to, u64 to_off, struct lite_lmr *from,
		  u64 from_off, u64 len)
{
	struct lite_lmr_copy_req req = {
		.to = cpu_to_le64(to->id),
		.to_off = cpu_to_le64(to_off),
		.from = cpu_to_le64(from->id),
		.from_off = cpu_to_le64(from_off),
		.len = cpu_to_le64(len),
	};

	if (to->peer->node != from->peer->node)
		return -EINVAL;
	/* two objects may be one node, one of them named with its incarnation */
	if (strcmp(to->peer->addr.text, from->peer->addr.text))
		return copy_through(to, to_off, from, from_off, len);
	return ask(to->peer, LITE_LMR_COPY, &req, sizeof(req), NULL, 0);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_copy, LITE_RPC);

static int atomic(struct lite_lmr *lmr, u64 off, u32 what, u64 value,
		  u64 expect, u64 *old)
{
	struct lite_lmr_atomic_req req = {
		.id = cpu_to_le64(lmr->id),
		.off = cpu_to_le64(off),
		.value = cpu_to_le64(value),
		.expect = cpu_to_le64(expect),
		.what = cpu_to_le32(what),
	};
	struct lite_lmr_atomic_rsp rsp;
	int err;

	err = ask(lmr->peer, LITE_LMR_ATOMIC, &req, sizeof(req), &rsp,
		  sizeof(rsp));
	if (!err)
		*old = le64_to_cpu(rsp.old);
	return err;
}

/* see include/lego/lite.h */
int lite_lmr_fetch_add(struct lite_lmr *lmr, u64 off, u64 value, u64 *old)
{
	return atomic(lmr, off, LITE_LMR_ADD, value, 0, old);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_fetch_add, LITE_RPC);

/* see include/lego/lite.h */
int lite_lmr_cmp_swap(struct lite_lmr *lmr, u64 off, u64 expect, u64 value,
		      u64 *old)
{
	return atomic(lmr, off, LITE_LMR_CAS, value, expect, old);
}
EXPORT_SYMBOL_NS_GPL(lite_lmr_cmp_swap, LITE_RPC);
