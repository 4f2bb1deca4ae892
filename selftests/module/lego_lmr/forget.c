// SPDX-License-Identifier: GPL-2.0
/*
 * A gmgr with as many members as it may have, which knows others each time: who
 * joins it finds those that are up among all of them, and forgets them as well.
 */
#include <linux/mm.h>

#include "test.h"

#define ROUNDS 3
#define ROOM ((ROUNDS + 1) * GMGR_MEMBERS_LIMIT)

static unsigned int round;

static void serve_join(struct lite_req *req)
{
	struct gmgr_join_rsp *rsp = lite_req_rsp(req);

	*rsp = (struct gmgr_join_rsp){
		.node_id = cpu_to_le32(1),
		.heartbeat_ms = cpu_to_le32(10000),
		.dead_ms = cpu_to_le32(30000),
		.epoch = cpu_to_le64(round),
		.life = cpu_to_le64(1),
	};
	lite_req_reply(req, 0, sizeof(*rsp));
}

static void serve_leave(struct lite_req *req)
{
	lite_req_reply(req, 0, 0);
}

/* Only the last one is up. */
static void fill_member(struct gmgr_member *m, u32 i)
{
	u32 id = 1000 * round + i;
	bool up = i == GMGR_MEMBERS_LIMIT - 1;

	*m = (struct gmgr_member){
		.node_id = cpu_to_le32(id),
		.role = cpu_to_le32(LITE_ROLE_MCOMP),
		.state = cpu_to_le32(up ? GMGR_MEMBER_UP : GMGR_MEMBER_LEFT),
		.incarnation = cpu_to_le64(id),
	};
	snprintf(m->name, sizeof(m->name), "gone%u", id);
	snprintf(m->addr, sizeof(m->addr), "loop:gone%u", id);
}

static void serve_members(struct lite_req *req)
{
	const struct gmgr_list_req *msg = lite_req_msg(req);
	struct gmgr_members_rsp *rsp = lite_req_rsp(req);
	u32 nr = 0, start = le32_to_cpu(msg->start);

	while (nr < GMGR_MEMBERS_MAX && start + nr < GMGR_MEMBERS_LIMIT) {
		fill_member(&rsp->member[nr], start + nr);
		nr++;
	}
	rsp->epoch = cpu_to_le64(round);
	rsp->nr = cpu_to_le32(nr);
	rsp->reserved = 0;
	lite_req_reply(req, 0, struct_size(rsp, member, nr));
}

static const struct lite_handler handlers[] = {
	[LITE_OP_NR(GMGR_JOIN)] = { .fn = serve_join },
	[LITE_OP_NR(GMGR_LEAVE)] = { .fn = serve_leave },
	[LITE_OP_NR(GMGR_MEMBERS)] = { .fn = serve_members },
};

static void test_table(struct seq_file *m, struct lite_node *node)
{
	static const struct lite_member_ops ops;
	struct lite_member *member;
	unsigned int i, nr, up;
	int err = 0;

	for (round = 1; round <= ROUNDS && !err; round++) {
		err = lite_join(node, "loop:forgets", &ops);
		lite_leave(node);
	}
	tap_ok(m, err, "a node joins again and again");
	member = kvcalloc(ROOM, sizeof(*member), GFP_KERNEL);
	if (!member)
		return;
	nr = lite_members(node, member, GMGR_MEMBERS_LIMIT);
	for (i = up = 0; i < nr; i++)
		up += member[i].state == GMGR_MEMBER_UP;
	tap_err(m, up, ROUNDS,
		"of more members than there is room for, it finds who is up");
	nr = lite_members(node, member, ROOM);
	tap_err(m, nr, GMGR_MEMBERS_LIMIT + ROUNDS - 1,
		"it forgets those that gmgr has forgotten, if they are gone");
	kvfree(member);
}

static void node_end(struct lite_node *node)
{
	if (IS_ERR_OR_NULL(node))
		return;
	lite_node_stop(node);
	lite_node_destroy(node);
}

void test_forget(struct seq_file *m)
{
	const struct lite_node_cfg gmgr_cfg = {
		.name = "forgets",
		.role = LITE_ROLE_GMGR,
		.service = LITE_SVC_GMGR,
		.handlers = handlers,
		.nr_handlers = ARRAY_SIZE(handlers),
	};
	const struct lite_node_cfg cfg = {
		.name = "erin",
		.role = LITE_ROLE_PCOMP,
	};
	struct lite_node *gmgr = lite_node_create(&gmgr_cfg);
	struct lite_node *node = lite_node_create(&cfg);

	if (!IS_ERR(gmgr) && !IS_ERR(node))
		test_table(m, node);
	node_end(node);
	node_end(gmgr);
}
