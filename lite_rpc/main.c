// SPDX-License-Identifier: GPL-2.0
/*
 * lite_rpc: messages between the components of a disaggregated system, after
 * LITE (SOSP'17) and LegoOS (OSDI'18). Only init and exit are here.
 */
#include <linux/module.h>

#include "lite_rpc.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct lite_queues lite_component_q;
struct lite_queues lite_program_q;
struct workqueue_struct *lite_kill_wq;

bool lite_loop_local = true;
module_param_named(loop_local, lite_loop_local, bool, 0644);
MODULE_PARM_DESC(loop_local,
		 "reach IP addresses of nodes in this kernel over loop (default Y; N is for tests of rdma in one machine)");

unsigned int lite_spin_us = 100;
module_param_named(spin_us, lite_spin_us, uint, 0644);
MODULE_PARM_DESC(spin_us,
		 "wait actively for replies where they lately took less than this, microseconds (default 100; 0: never)");

unsigned int lite_spin_demand_us = 1000;
module_param_named(spin_demand_us, lite_spin_demand_us, uint, 0644);
MODULE_PARM_DESC(spin_demand_us,
		 "the same for pages that a thread waits for (default 1000)");

static void queues_free(struct lite_queues *q)
{
	if (q->lock)
		destroy_workqueue(q->lock);
	if (q->connect)
		destroy_workqueue(q->connect);
	if (q->conn)
		destroy_workqueue(q->conn);
	if (q->timer)
		destroy_workqueue(q->timer);
}

/* @reclaim: those who free memory may wait for these works */
static int queues_alloc(struct lite_queues *q, const char *kind,
			unsigned int reclaim, int most)
{
	unsigned int flags = WQ_UNBOUND | reclaim;

	q->timer = alloc_workqueue("lite_%s_timer", flags, 0, kind);
	q->conn = alloc_workqueue("lite_%s_conn", flags, most, kind);
	q->connect = alloc_workqueue("lite_%s_connect", WQ_UNBOUND, most, kind);
	q->lock = alloc_workqueue("lite_%s_lock", flags, most, kind);
	if (q->timer && q->conn && q->connect && q->lock)
		return 0;
	queues_free(q);
	return -ENOMEM;
}

static int wqs_init(void)
{
	int err;

	lite_kill_wq = alloc_workqueue("lite_kill", WQ_UNBOUND | WQ_MEM_RECLAIM,
				       WQ_MAX_ACTIVE);
	if (!lite_kill_wq)
		return -ENOMEM;
	err = queues_alloc(&lite_component_q, "node", WQ_MEM_RECLAIM,
			   WQ_MAX_ACTIVE);
	if (err)
		goto err_destroy_kill;
	err = queues_alloc(&lite_program_q, "user", 0, 0);
	if (err)
		goto err_free_component;
	return 0;

err_free_component:
	queues_free(&lite_component_q);
err_destroy_kill:
	destroy_workqueue(lite_kill_wq);
	return err;
}

static void wqs_exit(void)
{
	queues_free(&lite_program_q);
	queues_free(&lite_component_q);
	destroy_workqueue(lite_kill_wq);
}

static int __init lite_rpc_init(void)
{
	int err;

	err = wqs_init();
	if (err)
		return err;
	err = lite_auth_init();
	if (err)
		goto err_exit_wqs;
	err = lite_roots_init();
	if (err)
		goto err_exit_auth;
	lite_qos_init();
	err = lite_workers_init();
	if (err)
		goto err_exit_qos;
	err = lite_show_init();
	if (err)
		goto err_exit_workers;
	err = lite_rdma_init();
	if (err)
		goto err_exit_show;
	err = lite_user_init();
	if (err)
		goto err_exit_rdma;
	return 0;

err_exit_rdma:
	lite_rdma_exit();
err_exit_show:
	lite_show_exit();
err_exit_workers:
	lite_workers_exit();
err_exit_qos:
	lite_qos_exit();
	lite_roots_exit();
err_exit_auth:
	lite_auth_exit();
err_exit_wqs:
	wqs_exit();
	return err;
}

static void __exit lite_rpc_exit(void)
{
	lite_user_exit();
	lite_rdma_exit();
	lite_show_exit();
	lite_workers_exit();
	lite_qos_exit();
	lite_roots_exit();
	lite_auth_exit();
	wqs_exit();
	lite_mr_exit();
	rcu_barrier(); /* regions are freed by RCU */
}

module_init(lite_rpc_init);
module_exit(lite_rpc_exit);
MODULE_DESCRIPTION("lego: RPC between components");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
