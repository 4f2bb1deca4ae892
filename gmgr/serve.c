// SPDX-License-Identifier: GPL-2.0
/*
 * What gmgr answers. lite_rpc has checked each length against the table; here
 * the exact ones are checked, and what the messages say.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "gmgr.h"

static_assert(struct_size_t(struct gmgr_members_rsp, member,
			    GMGR_MEMBERS_MAX) <= LITE_RSP_MAX);
static_assert(struct_size_t(struct gmgr_vnode_table, vnode,
			    GMGR_VNODE_TABLE_MAX) <= LITE_REQ_MAX);
static_assert(struct_size_t(struct gmgr_tell_members, member,
			    GMGR_TELL_MEMBERS_MAX) <= LITE_REQ_MAX);
static_assert(struct_size_t(struct gmgr_vnodes_rsp, vnode, GMGR_VNODES_MAX) <=
	      LITE_RSP_MAX);

/* The manager, or NULL: @req is answered (not ready, or a wrong length). */
static struct gmgr *serve_begin(struct lite_req *req, u32 len)
{
	struct gmgr *g = lite_req_priv(req);

	/* Pairs with the release in gmgr_create(). */
	if (!smp_load_acquire(&g->ready)) {
		lite_req_reply(req, -EAGAIN, 0);
		return NULL;
	}
	if (lite_req_len(req) != len) {
		lite_req_reply(req, -EMSGSIZE, 0);
		return NULL;
	}
	return g;
}

static void serve_end(struct lite_req *req, int err, u32 len)
{
	lite_req_reply(req, err, err ? 0 : len);
}

/* A peer speaks for itself only; 0 is a peer that has not said who it is. */
static bool serve_is_self(struct lite_req *req, __le64 incarnation)
{
	u64 peer = lite_req_peer_incarnation(req);

	return !peer || peer == le64_to_cpu(incarnation);
}

static void serve_join(struct lite_req *req)
{
	const struct gmgr_join_req *msg = lite_req_msg(req);
	struct gmgr_join_rsp *rsp = lite_req_rsp(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));

	if (!g)
		return;
	if (!serve_is_self(req, msg->incarnation))
		return serve_end(req, -EPERM, 0);
	serve_end(req, gmgr_member_join(g, msg, rsp), sizeof(*rsp));
}

static void serve_leave(struct lite_req *req)
{
	const struct gmgr_leave_req *msg = lite_req_msg(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));

	if (!g)
		return;
	if (!serve_is_self(req, msg->incarnation))
		return serve_end(req, -EPERM, 0);
	serve_end(req, gmgr_member_leave(g, msg), 0);
}

static void serve_heartbeat(struct lite_req *req)
{
	const struct gmgr_heartbeat_req *msg = lite_req_msg(req);
	struct gmgr_heartbeat_rsp *rsp = lite_req_rsp(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));

	if (!g)
		return;
	if (!serve_is_self(req, msg->incarnation))
		return serve_end(req, -EPERM, 0);
	serve_end(req, gmgr_member_heartbeat(g, msg, rsp), sizeof(*rsp));
}

static void serve_members(struct lite_req *req)
{
	const struct gmgr_list_req *msg = lite_req_msg(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));

	if (!g)
		return;
	serve_end(req, 0, gmgr_member_list(g, le32_to_cpu(msg->start),
					   lite_req_rsp(req)));
}

/* The name in @msg, or NULL. */
static const char *serve_name(const struct gmgr_vnode_name_req *msg)
{
	return gmgr_check_name(msg->name, sizeof(msg->name)) ? NULL : msg->name;
}

static void serve_vnode_remove_now(struct gmgr *g, struct lite_req *req)
{
	const char *name = serve_name(lite_req_msg(req));

	serve_end(req, name ? gmgr_vnode_remove(g, name) : -EINVAL, 0);
}

static void serve_vnode_get_now(struct gmgr *g, struct lite_req *req)
{
	const char *name = serve_name(lite_req_msg(req));

	serve_end(req,
		  name ? gmgr_vnode_get(g, name, lite_req_rsp(req)) : -EINVAL,
		  sizeof(struct gmgr_vnode));
}

static void serve_vnode_list_now(struct gmgr *g, struct lite_req *req)
{
	const struct gmgr_list_req *msg = lite_req_msg(req);
	struct gmgr_vnodes_rsp *rsp = lite_req_rsp(req);
	u32 vid[GMGR_VNODES_MAX], nr[GMGR_VNODES_MAX];
	u32 i, len, count;

	len = gmgr_vnode_list(g, le32_to_cpu(msg->start), rsp);
	count = le32_to_cpu(rsp->nr);
	for (i = 0; i < count; i++)
		vid[i] = le32_to_cpu(rsp->vnode[i].vid);
	/* who does not answer is not counted */
	gmgr_procs(g, vid, nr, count);
	for (i = 0; i < count; i++)
		rsp->vnode[i].nr_procs = cpu_to_le32(nr[i]);
	serve_end(req, 0, len);
}

static void serve_vnode_work(struct work_struct *work)
{
	struct gmgr_vnode_job *job =
		container_of(work, struct gmgr_vnode_job, work);
	struct lite_req *req = job->req;
	struct gmgr *g = lite_req_priv(req);
	int err;

	kfree(job);
	switch (lite_req_op(req)) {
	case GMGR_VNODE_CREATE:
		err = gmgr_vnode_create(g, lite_req_msg(req),
					lite_req_rsp(req));
		return serve_end(req, err, sizeof(struct gmgr_vnode));
	case GMGR_VNODE_REMOVE:
		return serve_vnode_remove_now(g, req);
	case GMGR_VNODE_GET:
		return serve_vnode_get_now(g, req);
	case GMGR_VNODE_LIST:
		return serve_vnode_list_now(g, req);
	default:
		err = gmgr_learn_vnodes(g, lite_req_peer_incarnation(req),
					lite_req_msg(req));
		serve_end(req, err, 0);
	}
}

/*
 * On vnode_wq: at once, or when gmgr is settled (@wait), as before that what it
 * has is not all there is.
 */
static void serve_vnode_queue(struct gmgr *g, struct lite_req *req, bool wait)
{
	struct gmgr_vnode_job *job;

	job = kmalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return serve_end(req, -ENOMEM, 0);
	INIT_WORK(&job->work, serve_vnode_work);
	job->req = req;
	mutex_lock(&g->lock);
	if (wait && !g->settled)
		list_add_tail(&job->list, &g->waiting);
	else
		queue_work(g->vnode_wq, &job->work);
	mutex_unlock(&g->lock);
}

static void serve_vnode_create(struct lite_req *req)
{
	struct gmgr *g = serve_begin(req, sizeof(struct gmgr_vnode));

	if (g)
		serve_vnode_queue(g, req, true);
}

static void serve_vnode_remove(struct lite_req *req)
{
	struct gmgr *g = serve_begin(req, sizeof(struct gmgr_vnode_name_req));

	if (g)
		serve_vnode_queue(g, req, true);
}

/* What changes nothing waits behind nothing else. */
static void serve_vnode_read(struct lite_req *req, u32 len,
			     void (*now)(struct gmgr *g, struct lite_req *req))
{
	struct gmgr *g = serve_begin(req, len);

	if (!g)
		return;
	if (READ_ONCE(g->settled))
		return now(g, req);
	serve_vnode_queue(g, req, true);
}

static void serve_vnode_get(struct lite_req *req)
{
	serve_vnode_read(req, sizeof(struct gmgr_vnode_name_req),
			 serve_vnode_get_now);
}

static void serve_vnode_list(struct lite_req *req)
{
	serve_vnode_read(req, sizeof(struct gmgr_list_req),
			 serve_vnode_list_now);
}

static void serve_vnode_table(struct lite_req *req)
{
	const struct gmgr_list_req *msg = lite_req_msg(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));
	u32 len;

	if (!g)
		return;
	len = gmgr_vnode_table(g, le32_to_cpu(msg->start), lite_req_rsp(req));
	serve_end(req, len ? 0 : -EAGAIN, len);
}

/* As serve_begin(), of a page with @nr entries that a member tells. */
static struct gmgr *serve_begin_tell(struct lite_req *req, u32 len, u32 nr,
				     u32 max)
{
	struct gmgr *g;

	if (nr > max) {
		serve_end(req, -EINVAL, 0);
		return NULL;
	}
	g = serve_begin(req, len);
	if (g && !gmgr_member_is_in(g, lite_req_peer_incarnation(req))) {
		serve_end(req, -ESTALE, 0);
		return NULL;
	}
	return g;
}

static void serve_tell_vnodes(struct lite_req *req)
{
	const struct gmgr_vnode_table *msg = lite_req_msg(req);
	u32 nr = le32_to_cpu(msg->nr);
	struct gmgr *g;

	g = serve_begin_tell(req, struct_size(msg, vnode, nr), nr,
			     GMGR_VNODE_TABLE_MAX);
	if (g)
		serve_vnode_queue(g, req, false);
}

static void serve_tell_members(struct lite_req *req)
{
	const struct gmgr_tell_members *msg = lite_req_msg(req);
	u32 nr = le32_to_cpu(msg->nr);
	struct gmgr *g;

	g = serve_begin_tell(req, struct_size(msg, member, nr), nr,
			     GMGR_TELL_MEMBERS_MAX);
	if (!g)
		return;
	gmgr_learn_members(g, msg);
	serve_end(req, 0, 0);
}

static void serve_place(struct lite_req *req)
{
	const struct gmgr_place_req *msg = lite_req_msg(req);
	struct gmgr_place_rsp *rsp = lite_req_rsp(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));
	u32 home = 0;
	int err;

	if (!g)
		return;
	err = gmgr_place(g, le32_to_cpu(msg->vid), &home);
	rsp->home_id = cpu_to_le32(home);
	rsp->reserved = 0;
	serve_end(req, err, sizeof(*rsp));
}

const struct lite_handler gmgr_handlers[] = {
	[LITE_OP_NR(GMGR_JOIN)] = { .fn = serve_join },
	[LITE_OP_NR(GMGR_LEAVE)] = { .fn = serve_leave },
	[LITE_OP_NR(GMGR_HEARTBEAT)] = { .fn = serve_heartbeat },
	[LITE_OP_NR(GMGR_MEMBERS)] = { .fn = serve_members },
	[LITE_OP_NR(GMGR_VNODE_CREATE)] = { .fn = serve_vnode_create },
	[LITE_OP_NR(GMGR_VNODE_REMOVE)] = { .fn = serve_vnode_remove },
	[LITE_OP_NR(GMGR_VNODE_GET)] = { .fn = serve_vnode_get },
	[LITE_OP_NR(GMGR_VNODE_LIST)] = { .fn = serve_vnode_list },
	[LITE_OP_NR(GMGR_PLACE)] = { .fn = serve_place },
	[LITE_OP_NR(GMGR_VNODE_TABLE)] = { .fn = serve_vnode_table },
	[LITE_OP_NR(GMGR_TELL_MEMBERS)] = { .fn = serve_tell_members },
	[LITE_OP_NR(GMGR_TELL_VNODES)] = { .fn = serve_tell_vnodes },
};

const unsigned int gmgr_nr_handlers = ARRAY_SIZE(gmgr_handlers);
