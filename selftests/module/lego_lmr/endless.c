// SPDX-License-Identifier: GPL-2.0
/* A gmgr whose list of members has no end: who joins it does not read for ever. */
#include "test.h"

static void serve_join(struct lite_req *req)
{
	struct gmgr_join_rsp *rsp = lite_req_rsp(req);

	*rsp = (struct gmgr_join_rsp){
		.node_id = cpu_to_le32(1),
		.heartbeat_ms = cpu_to_le32(1000),
		.dead_ms = cpu_to_le32(3000),
		.epoch = cpu_to_le64(1),
		.life = cpu_to_le64(1),
	};
	lite_req_reply(req, 0, sizeof(*rsp));
}

static void serve_members(struct lite_req *req)
{
	struct gmgr_members_rsp *rsp = lite_req_rsp(req);

	rsp->epoch = cpu_to_le64(1);
	rsp->nr = cpu_to_le32(1);
	rsp->reserved = 0;
	rsp->member[0] = (struct gmgr_member){
		.node_id = cpu_to_le32(2),
		.role = cpu_to_le32(LITE_ROLE_MCOMP),
		.state = cpu_to_le32(GMGR_MEMBER_LEFT),
		.incarnation = cpu_to_le64(1),
		.name = "again",
		.addr = "loop:again",
	};
	lite_req_reply(req, 0, struct_size(rsp, member, 1));
}

static const struct lite_handler handlers[] = {
	[LITE_OP_NR(GMGR_JOIN)] = { .fn = serve_join },
	[LITE_OP_NR(GMGR_MEMBERS)] = { .fn = serve_members },
};

static void node_end(struct lite_node *node)
{
	if (IS_ERR_OR_NULL(node))
		return;
	lite_node_stop(node);
	lite_node_destroy(node);
}

void test_endless(struct seq_file *m)
{
	const struct lite_node_cfg gmgr_cfg = {
		.name = "endless",
		.role = LITE_ROLE_GMGR,
		.service = LITE_SVC_GMGR,
		.handlers = handlers,
		.nr_handlers = ARRAY_SIZE(handlers),
	};
	const struct lite_node_cfg cfg = {
		.name = "dave",
		.role = LITE_ROLE_PCOMP,
	};
	static const struct lite_member_ops ops;
	struct lite_node *gmgr = lite_node_create(&gmgr_cfg);
	struct lite_node *node = lite_node_create(&cfg);
	int err = PTR_ERR_OR_ZERO(gmgr) ?: PTR_ERR_OR_ZERO(node);

	if (!err)
		err = lite_join(node, "loop:endless", &ops);
	tap_err(m, err, -EPROTO,
		"a gmgr that always has another member is refused");
	node_end(node);
	node_end(gmgr);
}
