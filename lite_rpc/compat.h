/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources are written to Linux 6.12; what 6.1 calls otherwise is mapped
 * here. No other file of lite_rpc looks at the kernel's version.
 */
#ifndef _LITE_RPC_COMPAT_H
#define _LITE_RPC_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "lego needs Linux 6.1 or later"
#endif

/* 6.10: __assign_str() knows the source */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define lite_assign_str(dst, src) __assign_str(dst, src)
#else
#define lite_assign_str(dst, src) __assign_str(dst)
#endif

/* 6.3: vm_flags is const */
#include <linux/mm.h>
static inline void lite_vm_flags_set(struct vm_area_struct *vma,
				     vm_flags_t flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/*
 * 6.4: until then rxe looks at a queue pair once more when it has queued a
 * packet, though whoever takes the packet drops the reference: the queue pair
 * may be freed by then. In the error state it queues none, and who queues one
 * is in a read-side section. Later ones must not be in that state while the
 * peer sends (rdma_qp.c).
 */
#include <linux/rcupdate.h>
#include <rdma/ib_verbs.h>
static inline void lite_quiesce_qp(struct ib_qp *qp)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	struct ib_qp_attr attr = { .qp_state = IB_QPS_ERR };

	if (!ib_modify_qp(qp, &attr, IB_QP_STATE))
		synchronize_rcu();
#endif
}

#endif /* _LITE_RPC_COMPAT_H */
