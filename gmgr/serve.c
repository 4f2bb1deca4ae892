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

/**
 * struct vnode_job - a request that goes through configfs, on vnode_wq
 * @work: in the queue
 * @req: request, answered there
 */
struct vnode_job {
	struct work_struct work;
	struct lite_req *req;
};

static void serve_vnode_work(struct work_struct *work)
{
	struct vnode_job *job = container_of(work, struct vnode_job, work);
	struct lite_req *req = job->req;
	struct gmgr *g = lite_req_priv(req);
	const char *name;
	int err;

	kfree(job);
	if (lite_req_op(req) == GMGR_VNODE_CREATE) {
		err = gmgr_vnode_create(g, lite_req_msg(req),
					lite_req_rsp(req));
		return serve_end(req, err, sizeof(struct gmgr_vnode));
	}
	name = serve_name(lite_req_msg(req));
	serve_end(req, name ? gmgr_vnode_remove(g, name) : -EINVAL, 0);
}

static void serve_vnode_later(struct lite_req *req, u32 len)
{
	struct gmgr *g = serve_begin(req, len);
	struct vnode_job *job;

	if (!g)
		return;
	job = kmalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return serve_end(req, -ENOMEM, 0);
	INIT_WORK(&job->work, serve_vnode_work);
	job->req = req;
	queue_work(g->vnode_wq, &job->work);
}

static void serve_vnode_create(struct lite_req *req)
{
	serve_vnode_later(req, sizeof(struct gmgr_vnode));
}

static void serve_vnode_remove(struct lite_req *req)
{
	serve_vnode_later(req, sizeof(struct gmgr_vnode_name_req));
}

static void serve_vnode_get(struct lite_req *req)
{
	const struct gmgr_vnode_name_req *msg = lite_req_msg(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));

	if (!g)
		return;
	if (!serve_name(msg))
		return serve_end(req, -EINVAL, 0);
	serve_end(req, gmgr_vnode_get(g, serve_name(msg), lite_req_rsp(req)),
		  sizeof(struct gmgr_vnode));
}

static void serve_vnode_list(struct lite_req *req)
{
	const struct gmgr_list_req *msg = lite_req_msg(req);
	struct gmgr_vnodes_rsp *rsp = lite_req_rsp(req);
	struct gmgr *g = serve_begin(req, sizeof(*msg));
	u32 i, len, nr;

	if (!g)
		return;
	len = gmgr_vnode_list(g, le32_to_cpu(msg->start), rsp);
	for (i = 0; i < le32_to_cpu(rsp->nr); i++) {
		/* who does not answer is not counted */
		gmgr_procs(g, le32_to_cpu(rsp->vnode[i].vid), &nr);
		rsp->vnode[i].nr_procs = cpu_to_le32(nr);
	}
	serve_end(req, 0, len);
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
};

const unsigned int gmgr_nr_handlers = ARRAY_SIZE(gmgr_handlers);
