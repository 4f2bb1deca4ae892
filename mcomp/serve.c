// SPDX-License-Identifier: GPL-2.0
/*
 * What a mComponent answers, but for the data path (data.c). lite_rpc has
 * checked each length against the table; here the exact ones are checked, and
 * who asks.
 *
 * The evictors of a pComponent on this very kernel wait for who owns a vRegion,
 * for VMA updates, for keys, and for the locks that forks hold: all these
 * allocate memalloc_noio.
 */
#include <linux/kernel.h>
#include <linux/sched/mm.h>

#include "mcomp.h"

/* The component, or NULL: @req is answered (not ready, or a wrong length). */
static struct mcomp *serve_begin(struct lite_req *req, size_t len)
{
	struct mcomp *m = lite_req_priv(req);

	/* Pairs with the release in mcomp_create(). */
	if (!smp_load_acquire(&m->ready)) {
		lite_req_reply(req, -EBUSY, 0);
		return NULL;
	}
	if (lite_req_len(req) != len) {
		lite_req_reply(req, -EMSGSIZE, 0);
		return NULL;
	}
	return m;
}

/**
 * mcomp_serve_is_owner() - may who asks use a space?
 * @req: request
 * @s: space
 *
 * Context: any.
 * Return: whether it is the incarnation of the pComponent that made it.
 */
bool mcomp_serve_is_owner(struct lite_req *req, const struct mcomp_space *s)
{
	return lite_req_peer_incarnation(req) == s->client->incarnation;
}

/* Only mComponents ask for shards; a table that is behind is no reason. */
static bool serve_is_mcomp(struct mcomp *m, struct lite_req *req)
{
	struct lite_member member;

	if (lite_member_by_id(m->node, lite_req_peer_id(req), &member))
		return true;
	return member.role == LITE_ROLE_MCOMP;
}

/* Which space does the pComponent ask for? NULL: @req is answered. */
static struct mcomp_space *serve_space(struct mcomp *m, struct lite_req *req,
				       __le64 id)
{
	struct mcomp_space *s = mcomp_space_get(m, le64_to_cpu(id));

	if (!s) {
		/* Not -ENOENT, which says that a page was never written. */
		lite_req_reply(req, -ESTALE, 0);
		return NULL;
	}
	if (!mcomp_serve_is_owner(req, s)) {
		mcomp_space_put(s);
		lite_req_reply(req, -EACCES, 0);
		return NULL;
	}
	return s;
}

static int serve_check_space_req(struct mcomp *m, struct lite_req *req,
				 const struct mcomp_space_req *msg)
{
	u32 peer = lite_req_peer_id(req);

	if (le64_to_cpu(msg->space) >> 32 != le32_to_cpu(msg->pcomp_id) ||
	    !msg->pcomp_id || msg->pcomp_id == cpu_to_le32(U32_MAX) ||
	    !msg->pcomp_incarnation || msg->flags || msg->reserved)
		return -EINVAL;
	if (LITE_OP_NR(lite_req_op(req)) == LITE_OP_NR(MCOMP_SHARD_CREATE))
		return serve_is_mcomp(m, req) ? 0 : -EACCES;
	/* 0: it had not joined when the link was made. */
	if (peer && peer != le32_to_cpu(msg->pcomp_id))
		return -EACCES;
	if (lite_req_peer_incarnation(req) !=
	    le64_to_cpu(msg->pcomp_incarnation))
		return -EACCES;
	return 0;
}

static void serve_space_create(struct lite_req *req)
{
	const struct mcomp_space_req *msg = lite_req_msg(req);
	struct mcomp_space_rsp *rsp = lite_req_rsp(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	unsigned int noio;
	int err;

	if (!m)
		return;
	noio = memalloc_noio_save();
	err = serve_check_space_req(m, req, msg);
	if (!err)
		err = mcomp_space_create(m, msg, true);
	memalloc_noio_restore(noio);
	rsp->vregion_shift = cpu_to_le32(m->vregion_shift);
	rsp->reserved = 0;
	lite_req_reply(req, err, err ? 0 : sizeof(*rsp));
}

static void serve_shard_create(struct lite_req *req)
{
	const struct mcomp_space_req *msg = lite_req_msg(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	unsigned int noio;
	int err;

	if (!m)
		return;
	noio = memalloc_noio_save();
	err = serve_check_space_req(m, req, msg);
	if (!err)
		err = mcomp_space_create(m, msg, false);
	memalloc_noio_restore(noio);
	lite_req_reply(req, err, 0);
}

/*
 * The pComponent at the home; or at any owner, for it cannot rely on a home
 * that died. What is not there is destroyed already.
 */
static void serve_space_destroy(struct lite_req *req)
{
	const struct mcomp_space_req *msg = lite_req_msg(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	struct mcomp_space *s;
	int err = 0;

	if (!m)
		return;
	err = serve_check_space_req(m, req, msg);
	s = err ? NULL : mcomp_space_get_last(m, msg);
	if (s) {
		if (mcomp_serve_is_owner(req, s))
			mcomp_space_kill(s, true);
		else
			err = -EACCES;
		mcomp_space_put(s);
	}
	lite_req_reply(req, err, 0);
}

/*
 * A home is taken away, or takes a pComponent for dead. Neither is a reason to
 * take memory from a program that may live: what of it is over its pComponent
 * says itself, and whether that has died is found out here as for any other.
 */
static void serve_shard_abandoned(struct mcomp *m, struct mcomp_space *s)
{
	if (mcomp_client_fate(s->client) == MCOMP_FATE_LEFT) {
		mcomp_space_kill(s, false);
		return;
	}
	mod_delayed_work(m->wq, &m->gc_work, 0);
	mod_delayed_work(m->wq, &m->living_work, 0);
}

static void serve_shard_destroy(struct lite_req *req)
{
	const struct mcomp_space_req *msg = lite_req_msg(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	u32 flags = le32_to_cpu(msg->flags);
	struct mcomp_space *s;
	int err = 0;

	if (!m)
		return;
	if (flags & ~MCOMP_SPACE_UNUSED || msg->reserved) {
		lite_req_reply(req, -EINVAL, 0);
		return;
	}
	if (serve_is_mcomp(m, req))
		s = mcomp_space_get_last(m, msg);
	else
		s = mcomp_space_get(m, le64_to_cpu(msg->space));
	if (s) {
		if (s->home || !serve_is_mcomp(m, req) ||
		    s->client->incarnation !=
			    le64_to_cpu(msg->pcomp_incarnation))
			err = -EACCES;
		else if (flags & MCOMP_SPACE_UNUSED)
			mcomp_space_kill(s, true);
		else
			serve_shard_abandoned(m, s);
		mcomp_space_put(s);
	}
	lite_req_reply(req, err, 0);
}

static void serve_vregion_get(struct lite_req *req)
{
	const struct mcomp_vregion_req *msg = lite_req_msg(req);
	struct mcomp_vregion_rsp *rsp = lite_req_rsp(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	struct mcomp_space *s;
	unsigned int noio;
	u32 owner = 0;
	int err;

	if (!m)
		return;
	s = serve_space(m, req, msg->space);
	if (!s)
		return;
	noio = memalloc_noio_save();
	err = mcomp_vregion_get(s, le64_to_cpu(msg->vregion), &owner);
	memalloc_noio_restore(noio);
	mcomp_space_put(s);
	rsp->owner_id = cpu_to_le32(owner);
	rsp->reserved = 0;
	lite_req_reply(req, err, err ? 0 : sizeof(*rsp));
}

static void serve_vma_update(struct lite_req *req)
{
	const struct mcomp_vma_req *msg = lite_req_msg(req);
	u32 nr = lite_req_len(req) < sizeof(*msg) ? 0 : le32_to_cpu(msg->nr);
	struct mcomp_space *s;
	unsigned int noio;
	struct mcomp *m;
	int err;

	nr = min_t(u32, nr, MCOMP_VMA_OPS_MAX + 1);
	m = serve_begin(req, struct_size(msg, op, nr));
	if (!m)
		return;
	if (nr > MCOMP_VMA_OPS_MAX || msg->reserved) {
		lite_req_reply(req, -EINVAL, 0);
		return;
	}
	s = serve_space(m, req, msg->space);
	if (!s)
		return;
	noio = memalloc_noio_save();
	err = mcomp_vma_update(s, msg);
	memalloc_noio_restore(noio);
	mcomp_space_put(s);
	lite_req_reply(req, err, 0);
}

/* May the child's id be given by whoever the parent belongs to? */
static bool serve_child_ok(const struct mcomp_space *parent, u64 child)
{
	return child >> 32 == parent->client->pcomp_id && child != parent->id;
}

static void serve_space_fork(struct lite_req *req)
{
	const struct mcomp_fork_req *msg = lite_req_msg(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	u64 child = le64_to_cpu(msg->child);
	struct mcomp_space *s;
	unsigned int noio;
	int err;

	if (!m)
		return;
	s = serve_space(m, req, msg->parent);
	if (!s)
		return;
	noio = memalloc_noio_save();
	if (s->home && serve_child_ok(s, child))
		err = mcomp_fork_home(s, child);
	else
		err = -EINVAL;
	memalloc_noio_restore(noio);
	mcomp_space_put(s);
	lite_req_reply(req, err, 0);
}

static void serve_shard_fork(struct lite_req *req)
{
	const struct mcomp_fork_req *msg = lite_req_msg(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	u64 child = le64_to_cpu(msg->child);
	struct mcomp_space *s;
	unsigned int noio;
	int err = -ESTALE;

	if (!m)
		return;
	noio = memalloc_noio_save();
	s = mcomp_space_get(m, le64_to_cpu(msg->parent));
	if (s) {
		if (!serve_is_mcomp(m, req))
			err = -EACCES;
		else if (s->home || !serve_child_ok(s, child))
			err = -EINVAL;
		else
			err = mcomp_fork_shard(s, child);
		mcomp_space_put(s);
	}
	memalloc_noio_restore(noio);
	lite_req_reply(req, err, 0);
}

static void serve_export(struct lite_req *req)
{
	const struct mcomp_export_req *msg = lite_req_msg(req);
	struct mcomp_export_rsp *rsp = lite_req_rsp(req);
	struct mcomp *m = serve_begin(req, sizeof(*msg));
	struct mcomp_space *s;
	unsigned int noio;
	int err;

	if (!m)
		return;
	if (msg->reserved) {
		lite_req_reply(req, -EINVAL, 0);
		return;
	}
	s = serve_space(m, req, msg->space);
	if (!s)
		return;
	noio = memalloc_noio_save();
	err = mcomp_client_export(s->client, req, le32_to_cpu(msg->piece),
				  &rsp->seg);
	memalloc_noio_restore(noio);
	mcomp_space_put(s);
	lite_req_reply(req, err, err ? 0 : sizeof(*rsp));
}

const struct lite_handler mcomp_handlers[] = {
	[LITE_OP_NR(MCOMP_SPACE_CREATE)] = { .fn = serve_space_create },
	[LITE_OP_NR(MCOMP_SPACE_DESTROY)] = { .fn = serve_space_destroy },
	[LITE_OP_NR(MCOMP_SPACE_FORK)] = { .fn = serve_space_fork },
	[LITE_OP_NR(MCOMP_VREGION_GET)] = { .fn = serve_vregion_get },
	[LITE_OP_NR(MCOMP_VMA_UPDATE)] = { .fn = serve_vma_update },
	[LITE_OP_NR(MCOMP_FETCH)] = { .fn = mcomp_serve_fetch },
	[LITE_OP_NR(MCOMP_WRITEBACK)] = { .fn = mcomp_serve_writeback },
	[LITE_OP_NR(MCOMP_SHARD_CREATE)] = { .fn = serve_shard_create },
	[LITE_OP_NR(MCOMP_SHARD_DESTROY)] = { .fn = serve_shard_destroy },
	[LITE_OP_NR(MCOMP_SHARD_FORK)] = { .fn = serve_shard_fork },
	[LITE_OP_NR(MCOMP_EXPORT)] = { .fn = serve_export },
};

const unsigned int mcomp_nr_handlers = ARRAY_SIZE(mcomp_handlers);
