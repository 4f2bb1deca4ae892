// SPDX-License-Identifier: GPL-2.0
/* What a pComponent answers. */
#include <linux/kernel.h>
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

const struct lite_handler pcomp_handlers[] = {
	[LITE_OP_NR(PCOMP_PROCS)] = { .fn = serve_procs },
	[LITE_OP_NR(PCOMP_LOCKS)] = { .fn = serve_locks },
};

const unsigned int pcomp_nr_handlers = ARRAY_SIZE(pcomp_handlers);
