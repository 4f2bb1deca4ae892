// SPDX-License-Identifier: GPL-2.0
/*
 * LOAD_WORK: a handler that takes its time, sleeping, and counts. It comes as
 * PCOMP_PROCS, which our nodes may serve as they like: the vid is what to do,
 * the reply says how many have begun, with this one. Where the caller has room
 * it is written to, at the end.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/smp.h>

#include "load.h"

#define NEST_SHIFT 24

struct load_served load_served;
static struct lite_peer *nested; /* the node "load", as "sink" sees it */
static DEFINE_MUTEX(wanted); /* inside it a call */
static struct page *pushed_page; /* what "sink" writes to its callers */
static struct lite_mr *pushed;

/**
 * load_work() - what LOAD_WORK shall do
 * @opts: of a run
 * @caller: which of its callers asks
 *
 * Context: any. Return: for the request.
 */
u32 load_work(const struct load_opts *opts, unsigned int caller)
{
	u32 us = opts->slow_us && !caller ? opts->slow_us : opts->work_us;

	return us | opts->nest << NEST_SHIFT;
}

static int call_nested(u32 us, bool locked)
{
	struct pcomp_procs_req req = { .vid = cpu_to_le32(us) };
	struct pcomp_procs_rsp rsp;
	struct lite_call call = {
		.op = PCOMP_PROCS,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
	};
	int err;

	if (!nested)
		return -EOPNOTSUPP;
	if (locked)
		mutex_lock(&wanted);
	err = lite_call(nested, &call);
	if (locked)
		mutex_unlock(&wanted);
	return err;
}

static void begin(void)
{
	unsigned int cpu = min(raw_smp_processor_id(), LOAD_CPUS - 1);
	int now = atomic_inc_return(&load_served.now);
	int most = atomic_read(&load_served.at_once);

	atomic_inc(&load_served.cpu[cpu]);
	while (now > most &&
	       !atomic_try_cmpxchg(&load_served.at_once, &most, now))
		;
}

static int push(struct lite_req *req)
{
	struct lite_sge sge = {
		.mr = pushed,
		.len = min_t(u32, lite_req_out_len(req), PAGE_SIZE),
	};

	return sge.len ? lite_req_push(req, 0, &sge, 1) : 0;
}

static void serve_work(struct lite_req *req)
{
	const struct pcomp_procs_req *msg = lite_req_msg(req);
	struct pcomp_procs_rsp *rsp = lite_req_rsp(req);
	u32 what = le32_to_cpu(msg->vid);
	u32 us = what & (BIT(NEST_SHIFT) - 1), nest = what >> NEST_SHIFT;
	int err = 0;

	rsp->nr = cpu_to_le32(atomic_inc_return(&load_served.begun));
	rsp->reserved = 0;
	begin();
	if (us)
		usleep_range(us, us + us / 4);
	if (nest)
		err = call_nested(us, nest == LOAD_NEST_LOCKED);
	if (!err)
		err = push(req);
	atomic_dec(&load_served.now);
	lite_req_reply(req, err, err ? 0 : sizeof(*rsp));
}

const struct lite_handler load_handlers[] = {
	[LITE_OP_NR(PCOMP_PROCS)] = { .fn = serve_work },
};

const unsigned int load_nr_handlers = ARRAY_SIZE(load_handlers);

/**
 * load_serve_init() - have somebody to call while serving
 * @caller: who serves
 * @callee: who is called
 *
 * Context: process. Return: 0 or a negative errno.
 */
int load_serve_init(struct lite_node *caller, struct lite_node *callee)
{
	struct lite_peer *peer;
	int err;

	pushed_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!pushed_page)
		return -ENOMEM;
	pushed = lite_mr_create(caller, &pushed_page, 1, LITE_MR_LOCAL);
	if (IS_ERR(pushed)) {
		err = PTR_ERR(pushed);
		goto err_free;
	}
	peer = lite_peer_get(caller, lite_node_addr(callee), 0);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto err_destroy;
	}
	nested = peer;
	return 0;

err_destroy:
	lite_mr_destroy(pushed);
err_free:
	pushed = NULL;
	__free_page(pushed_page);
	pushed_page = NULL;
	return err;
}

/**
 * load_serve_exit() - the reverse; the caller is stopped
 *
 * Context: process.
 */
void load_serve_exit(void)
{
	if (!nested)
		return;
	lite_peer_put(nested);
	lite_mr_destroy(pushed);
	__free_page(pushed_page);
}

/**
 * load_serve_forget() - begin to count anew
 *
 * Context: process.
 */
void load_serve_forget(void)
{
	unsigned int i;

	atomic_set(&load_served.at_once, 0);
	for (i = 0; i < LOAD_CPUS; i++)
		atomic_set(&load_served.cpu[i], 0);
}
