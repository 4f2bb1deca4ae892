// SPDX-License-Identifier: GPL-2.0
/* A node that answers wrongly: which way is in the request. */
#include <linux/slab.h>

#include "fuzz.h"

/* both operations' requests begin with two numbers, which are the seed */
static void lie(struct lite_req *req)
{
	const struct fuzz_opts *opts = lite_req_priv(req);
	const struct mcomp_fetch_req *msg = lite_req_msg(req);
	struct fuzz_gen g = { .breaks = opts->breaks };
	struct fuzz_msg rsp = {};

	rsp.buf = kzalloc(LITE_SLOT_SIZE, GFP_ATOMIC);
	if (!rsp.buf) {
		lite_req_reply(req, -ENOMEM, 0);
		return;
	}
	prandom_seed_state(&g.rnd,
			   le64_to_cpu(msg->space) ^ le64_to_cpu(msg->index));
	fuzz_reply(&g, &rsp, lite_req_op(req));
	lite_raw_reply(req, &rsp.raw);
	kfree(rsp.buf);
}

/* one answers at once, the other from a worker */
static const struct lite_handler handlers[] = {
	[LITE_OP_NR(MCOMP_SPACE_FORK)] = { .fn = lie },
	[LITE_OP_NR(MCOMP_FETCH)] = { .fn = lie },
};

/**
 * fuzz_liar_create() - make it
 * @opts: stay as long as it
 * @ip: address, or ""
 *
 * Return: a node that is not asked for anything yet, or ERR_PTR.
 */
struct lite_node *fuzz_liar_create(const struct fuzz_opts *opts, const char *ip)
{
	return fuzz_node("fuzzliar", ip, FUZZ_PORT, LITE_SVC_MCOMP, handlers,
			 ARRAY_SIZE(handlers), (void *)opts);
}
