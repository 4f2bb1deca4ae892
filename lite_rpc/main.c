// SPDX-License-Identifier: GPL-2.0
/*
 * lite_rpc: messages between the components of a disaggregated system, after
 * LITE (SOSP'17) and LegoOS (OSDI'18). Only init and exit are here.
 */
#include <linux/module.h>

#include "lite_rpc.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* resets, time-outs, closing: whatever must not wait for a handler */
struct workqueue_struct *lite_wq;

/*
 * Connecting, and the end of peers, which waits for it. Not for reclaim: it
 * waits for works of rdma_cm's, which are not either.
 */
struct workqueue_struct *lite_connect_wq;

/* Renewing leases and giving up locks: these wait for handlers. */
struct workqueue_struct *lite_lock_wq;

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

static int __init lite_rpc_init(void)
{
	int err;

	lite_wq = alloc_workqueue("lite_rpc", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!lite_wq)
		return -ENOMEM;
	err = -ENOMEM;
	lite_connect_wq = alloc_workqueue("lite_connect", WQ_UNBOUND, 0);
	if (!lite_connect_wq)
		goto err_destroy_wq;
	/* for reclaim: its works are waited for by who unlocks there */
	lite_lock_wq = alloc_workqueue("lite_lock",
				       WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!lite_lock_wq)
		goto err_destroy_connect_wq;
	err = lite_auth_init();
	if (err)
		goto err_destroy_lock_wq;
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
err_destroy_lock_wq:
	destroy_workqueue(lite_lock_wq);
err_destroy_connect_wq:
	destroy_workqueue(lite_connect_wq);
err_destroy_wq:
	destroy_workqueue(lite_wq);
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
	destroy_workqueue(lite_lock_wq);
	destroy_workqueue(lite_connect_wq);
	destroy_workqueue(lite_wq);
	lite_mr_exit();
	rcu_barrier(); /* regions are freed by RCU */
}

module_init(lite_rpc_init);
module_exit(lite_rpc_exit);
MODULE_DESCRIPTION("lego: RPC between components");
MODULE_AUTHOR("lego developers");
MODULE_LICENSE("GPL");
