// SPDX-License-Identifier: GPL-2.0
/* What a pComponent answers. */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/xarray.h>
#include "pcomp.h"
#include "fs.h"

/* Processes are counted when asked for: a count that is kept can be wrong. */
static u32 count_procs(struct pcomp *pc, u32 vid)
{
	struct pcomp_space *s;
	unsigned long i;
	u32 nr = 0;

	rcu_read_lock();
	xa_for_each(&pc->spaces, i, s)
		nr += s->vid == vid;
	rcu_read_unlock();
	return nr;
}

static void serve_procs(struct lite_req *req)
{
	const struct pcomp_procs_req *msg = lite_req_msg(req);
	struct pcomp_procs_rsp *rsp = lite_req_rsp(req);

	if (msg->reserved)
		return lite_req_reply(req, -EINVAL, 0);
	rsp->nr = cpu_to_le32(count_procs(lite_req_priv(req),
					  le32_to_cpu(msg->vid)));
	rsp->reserved = 0;
	lite_req_reply(req, 0, sizeof(*rsp));
}

static void serve_locks(struct lite_req *req)
{
	const struct pcomp_locks_req *msg = lite_req_msg(req);
	struct pcomp_locks_rsp *rsp = lite_req_rsp(req);
	u64 incarnation = le64_to_cpu(msg->incarnation);
	u64 peer = lite_req_peer_incarnation(req);

	if (msg->reserved)
		return lite_req_reply(req, -EINVAL, 0);
	if (peer && peer != incarnation)
		return lite_req_reply(req, -EPERM, 0);
	rsp->held = cpu_to_le32(pcomp_fs_locks_held(lite_req_priv(req),
						    le32_to_cpu(msg->vid),
						    incarnation));
	rsp->reserved = 0;
	lite_req_reply(req, 0, sizeof(*rsp));
}

/*
 * An id is in the table from before the first message with it (fork and exec
 * make the space then) till after the last one (pcomp_space_forget()), so what
 * is not there has ended for good.
 */
static bool space_is_in_table(struct pcomp *pc, u64 id)
{
	struct pcomp_space *s;
	bool found;

	rcu_read_lock();
	s = xa_load(&pc->spaces, (u32)id);
	found = s && READ_ONCE(s->id) == id;
	rcu_read_unlock();
	return found;
}

static void serve_living(struct lite_req *req)
{
	const struct pcomp_living_req *msg = lite_req_msg(req);
	struct pcomp_living_rsp *rsp = lite_req_rsp(req);
	u64 bits[PCOMP_LIVING_MAX / 64] = {};
	struct pcomp *pc = lite_req_priv(req);
	u32 i, nr = le32_to_cpu(msg->nr);

	if (!nr || nr > PCOMP_LIVING_MAX || msg->reserved)
		return lite_req_reply(req, -EINVAL, 0);
	if (lite_req_len(req) != struct_size(msg, space, nr))
		return lite_req_reply(req, -EMSGSIZE, 0);
	if (le64_to_cpu(msg->incarnation) != lite_node_incarnation(pc->node))
		return lite_req_reply(req, -ESTALE, 0);
	for (i = 0; i < nr; i++)
		if (space_is_in_table(pc, le64_to_cpu(msg->space[i])))
			bits[i / 64] |= BIT_ULL(i % 64);
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		rsp->bits[i] = cpu_to_le64(bits[i]);
	lite_req_reply(req, 0, sizeof(*rsp));
}

const struct lite_handler pcomp_handlers[] = {
	[LITE_OP_NR(PCOMP_PROCS)] = { .fn = serve_procs },
	[LITE_OP_NR(PCOMP_LOCKS)] = { .fn = serve_locks },
	[LITE_OP_NR(PCOMP_LIVING)] = { .fn = serve_living },
};

const unsigned int pcomp_nr_handlers = ARRAY_SIZE(pcomp_handlers);
