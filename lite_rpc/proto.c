// SPDX-License-Identifier: GPL-2.0
/*
 * The one table of operations, and the map between errno and status.
 *
 * sunrpc's struct svc_procedure is the model (net/sunrpc): the length of each
 * operation is data, and is checked in one place before any handler runs.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <lego/lite.h>

#include "lite_rpc.h"

/* the length of a request lies between @_min and @_max */
#define OP_VAR(_op, _min, _max, _rsp, _flags)   \
	[LITE_OP_NR(_op)] = {                   \
		.name = #_op,                   \
		.req_min = (_min),              \
		.req_max = (_max),              \
		.rsp_max = (_rsp),              \
		.flags = (_flags),              \
	}

/* always the same length, that of a type */
#define OP(_op, _req, _rsp, _flags)             \
	[LITE_OP_NR(_op)] = {                   \
		.name = #_op,                   \
		.req_min = sizeof(_req),        \
		.req_max = sizeof(_req),        \
		.rsp_max = (_rsp),              \
		.flags = (_flags),              \
	}

#define IDEM LITE_OPF_IDEMPOTENT

static const struct lite_op_desc ops_lite[] = {
	OP_VAR(LITE_PING, 0, LITE_PING_MAX, LITE_PING_MAX,
	       LITE_OPF_ATOMIC | LITE_OPF_ONEWAY | IDEM),
	OP(LITE_LMR_ALLOC, struct lite_lmr_alloc_req,
	   sizeof(struct lite_lmr_rsp), 0),
	OP(LITE_LMR_MAP, struct lite_lmr_map_req,
	   sizeof(struct lite_lmr_rsp), IDEM),
	OP(LITE_LMR_KEYS, struct lite_lmr_keys_req,
	   LITE_LMR_KEYS_MAX * sizeof(struct lite_wire_seg), IDEM),
	OP(LITE_LMR_UNMAP, struct lite_lmr_id_req, 0, IDEM),
	OP(LITE_LMR_FREE, struct lite_lmr_id_req, 0, IDEM),
	OP(LITE_LMR_GRANT, struct lite_lmr_grant_req, 0, IDEM),
	OP(LITE_LMR_SET, struct lite_lmr_set_req, 0, IDEM),
	OP(LITE_LMR_COPY, struct lite_lmr_copy_req, 0, 0),
	OP(LITE_LMR_ATOMIC, struct lite_lmr_atomic_req,
	   sizeof(struct lite_lmr_atomic_rsp), 0),
	OP(LITE_LOCK_ACQUIRE, struct lite_lock_req,
	   sizeof(struct lite_lock_rsp), IDEM),
	OP(LITE_LOCK_RENEW, struct lite_lock_id_req,
	   sizeof(struct lite_lock_rsp), IDEM),
	OP(LITE_LOCK_RELEASE, struct lite_lock_id_req,
	   sizeof(struct lite_lock_rsp), IDEM),
	OP(LITE_BARRIER, struct lite_barrier_req,
	   sizeof(struct lite_lock_rsp), IDEM),
};

static const struct lite_op_desc ops_gmgr[] = {
	OP(GMGR_JOIN, struct gmgr_join_req,
	   sizeof(struct gmgr_join_rsp), IDEM),
	OP(GMGR_LEAVE, struct gmgr_leave_req, 0, IDEM),
	OP(GMGR_HEARTBEAT, struct gmgr_heartbeat_req,
	   sizeof(struct gmgr_heartbeat_rsp), IDEM),
	OP(GMGR_MEMBERS, struct gmgr_list_req,
	   sizeof(struct gmgr_members_rsp) +
		   GMGR_MEMBERS_MAX * sizeof(struct gmgr_member),
	   IDEM),
	OP(GMGR_VNODE_CREATE, struct gmgr_vnode,
	   sizeof(struct gmgr_vnode), 0),
	OP(GMGR_VNODE_REMOVE, struct gmgr_vnode_name_req, 0, 0),
	OP(GMGR_VNODE_GET, struct gmgr_vnode_name_req,
	   sizeof(struct gmgr_vnode), IDEM),
	OP(GMGR_VNODE_LIST, struct gmgr_list_req,
	   sizeof(struct gmgr_vnodes_rsp) +
		   GMGR_VNODES_MAX * sizeof(struct gmgr_vnode),
	   IDEM),
	OP(GMGR_PLACE, struct gmgr_place_req,
	   sizeof(struct gmgr_place_rsp), IDEM),
	OP(GMGR_VNODE_TABLE, struct gmgr_list_req,
	   sizeof(struct gmgr_vnode_table) +
		   GMGR_VNODE_TABLE_MAX * sizeof(struct gmgr_vnode),
	   IDEM),
	OP_VAR(GMGR_TELL_MEMBERS, sizeof(struct gmgr_tell_members),
	       sizeof(struct gmgr_tell_members) +
		       GMGR_TELL_MEMBERS_MAX * sizeof(struct gmgr_member),
	       0, IDEM),
	OP_VAR(GMGR_TELL_VNODES, sizeof(struct gmgr_vnode_table),
	       sizeof(struct gmgr_vnode_table) +
		       GMGR_VNODE_TABLE_MAX * sizeof(struct gmgr_vnode),
	       0, IDEM),
};

static const struct lite_op_desc ops_mcomp[] = {
	OP(MCOMP_SPACE_CREATE, struct mcomp_space_req,
	   sizeof(struct mcomp_space_rsp), IDEM),
	OP(MCOMP_SPACE_DESTROY, struct mcomp_space_req, 0, IDEM),
	OP(MCOMP_SPACE_FORK, struct mcomp_fork_req, 0, IDEM),
	OP(MCOMP_VREGION_GET, struct mcomp_vregion_req,
	   sizeof(struct mcomp_vregion_rsp), IDEM),
	OP_VAR(MCOMP_VMA_UPDATE, sizeof(struct mcomp_vma_req),
	       sizeof(struct mcomp_vma_req) +
		       MCOMP_VMA_OPS_MAX * sizeof(struct mcomp_vma_op), 0,
	       IDEM),
	OP(MCOMP_FETCH, struct mcomp_fetch_req, 0,
	   LITE_OPF_ATOMIC | IDEM),
	OP_VAR(MCOMP_WRITEBACK, sizeof(struct mcomp_writeback_req),
	       sizeof(struct mcomp_writeback_req) +
		       MCOMP_WRITEBACK_MAX * sizeof(__le64),
	       sizeof(struct mcomp_writeback_rsp) +
		       MCOMP_WRITEBACK_MAX * sizeof(__le32), IDEM),
	OP(MCOMP_SHARD_CREATE, struct mcomp_space_req, 0, IDEM),
	OP(MCOMP_SHARD_DESTROY, struct mcomp_space_req, 0, IDEM),
	OP(MCOMP_SHARD_FORK, struct mcomp_fork_req, 0, IDEM),
	OP(MCOMP_EXPORT, struct mcomp_export_req,
	   sizeof(struct mcomp_export_rsp), IDEM),
};

/* as much of the groups and paths as fits: LITE_REQ_MAX */
#define OP_PATH(_op, _req, _rsp, _flags) \
	OP_VAR(_op, sizeof(_req), LITE_REQ_MAX, _rsp, _flags)

static const struct lite_op_desc ops_scomp[] = {
	OP_PATH(SCOMP_GETATTR, struct scomp_path_req,
		sizeof(struct scomp_attr), IDEM),
	OP_PATH(SCOMP_SETATTR, struct scomp_setattr_req,
		sizeof(struct scomp_setattr_rsp), 0),
	OP_PATH(SCOMP_READ, struct scomp_io_req,
		sizeof(struct scomp_io_rsp), IDEM),
	OP_PATH(SCOMP_WRITE, struct scomp_io_req,
		sizeof(struct scomp_io_rsp), 0),
	OP_PATH(SCOMP_READDIR, struct scomp_readdir_req,
		sizeof(struct scomp_readdir_rsp), IDEM),
	OP_PATH(SCOMP_READLINK, struct scomp_path_req, LITE_RSP_MAX, IDEM),
	OP_PATH(SCOMP_CREATE, struct scomp_create_req,
		sizeof(struct scomp_attr), 0),
	OP_PATH(SCOMP_REMOVE, struct scomp_remove_req, 0, 0),
	OP_PATH(SCOMP_RENAME, struct scomp_rename_req, 0, 0),
	OP_PATH(SCOMP_SYMLINK, struct scomp_symlink_req,
		sizeof(struct scomp_attr), 0),
	OP_PATH(SCOMP_LINK, struct scomp_path_req,
		sizeof(struct scomp_attr), 0),
	OP_PATH(SCOMP_FSYNC, struct scomp_path_req,
		sizeof(struct scomp_fsync_rsp), 0),
	OP_PATH(SCOMP_STATFS, struct scomp_path_req,
		sizeof(struct scomp_statfs_rsp), IDEM),
	OP(SCOMP_CANCEL, struct scomp_path_req,
	   sizeof(struct scomp_cancel_rsp) + SCOMP_RSP_MAX, IDEM),
};

static const struct lite_op_desc ops_pcomp[] = {
	OP(PCOMP_PROCS, struct pcomp_procs_req,
	   sizeof(struct pcomp_procs_rsp), IDEM),
	OP(PCOMP_LOCKS, struct pcomp_locks_req,
	   sizeof(struct pcomp_locks_rsp), IDEM),
	OP_VAR(PCOMP_LIVING, sizeof(struct pcomp_living_req),
	       sizeof(struct pcomp_living_req) +
		       PCOMP_LIVING_MAX * sizeof(__le64),
	       sizeof(struct pcomp_living_rsp), IDEM),
};

static const struct lite_op_desc ops_user[] = {
	OP_VAR(LITE_USER_CALL, sizeof(struct lite_user_req),
	       sizeof(struct lite_user_req) + LITE_USER_MSG_MAX,
	       LITE_USER_MSG_MAX, LITE_OPF_ATOMIC),
	OP_VAR(LITE_USER_SEND, sizeof(struct lite_user_req),
	       sizeof(struct lite_user_req) + LITE_USER_MSG_MAX, 0,
	       LITE_OPF_ATOMIC | LITE_OPF_ONEWAY),
};

static const struct {
	const struct lite_op_desc *ops;
	unsigned int nr;
} services[LITE_SVC_NR] = {
	[LITE_SVC_LITE] = { ops_lite, ARRAY_SIZE(ops_lite) },
	[LITE_SVC_GMGR] = { ops_gmgr, ARRAY_SIZE(ops_gmgr) },
	[LITE_SVC_MCOMP] = { ops_mcomp, ARRAY_SIZE(ops_mcomp) },
	[LITE_SVC_SCOMP] = { ops_scomp, ARRAY_SIZE(ops_scomp) },
	[LITE_SVC_PCOMP] = { ops_pcomp, ARRAY_SIZE(ops_pcomp) },
	[LITE_SVC_USER] = { ops_user, ARRAY_SIZE(ops_user) },
};

/**
 * lite_op_desc() - what the protocol says of an operation
 * @op: operation
 *
 * Context: any.
 * Return: its row of the table; NULL if there is no such operation.
 */
const struct lite_op_desc *lite_op_desc(u16 op)
{
	unsigned int svc = LITE_OP_SVC(op);
	unsigned int nr = LITE_OP_NR(op);

	if (svc >= LITE_SVC_NR || nr >= services[svc].nr ||
	    !services[svc].ops[nr].name)
		return NULL;
	return &services[svc].ops[nr];
}
EXPORT_SYMBOL_NS_GPL(lite_op_desc, LITE_RPC);

static const int status_errno[LITE_ST_NR] = {
	[LITE_ST_OK] = 0,
	[LITE_ST_PERM] = -EPERM,
	[LITE_ST_NOENT] = -ENOENT,
	[LITE_ST_IO] = -EIO,
	[LITE_ST_NOMEM] = -ENOMEM,
	[LITE_ST_ACCES] = -EACCES,
	[LITE_ST_EXIST] = -EEXIST,
	[LITE_ST_NOTDIR] = -ENOTDIR,
	[LITE_ST_ISDIR] = -EISDIR,
	[LITE_ST_INVAL] = -EINVAL,
	[LITE_ST_FBIG] = -EFBIG,
	[LITE_ST_NOSPC] = -ENOSPC,
	[LITE_ST_ROFS] = -EROFS,
	[LITE_ST_MLINK] = -EMLINK,
	[LITE_ST_NAMETOOLONG] = -ENAMETOOLONG,
	[LITE_ST_NOTEMPTY] = -ENOTEMPTY,
	[LITE_ST_LOOP] = -ELOOP,
	[LITE_ST_STALE] = -ESTALE,
	[LITE_ST_DQUOT] = -EDQUOT,
	[LITE_ST_OPNOTSUPP] = -EOPNOTSUPP,
	[LITE_ST_XDEV] = -EXDEV,
	[LITE_ST_BUSY] = -EBUSY,
	[LITE_ST_AGAIN] = -EAGAIN,
	[LITE_ST_NODATA] = -ENODATA,
	[LITE_ST_BADVERSION] = -EPROTONOSUPPORT,
	[LITE_ST_BADOP] = -ENOSYS,
	[LITE_ST_BADLEN] = -EMSGSIZE,
	[LITE_ST_NOTREADY] = -EHOSTUNREACH,
	[LITE_ST_NOKEY] = -ENOKEY,
	[LITE_ST_KEYREJECTED] = -EKEYREJECTED,
	[LITE_ST_HWPOISON] = -EHWPOISON,
};

/**
 * lite_status_to_errno() - what a status from the wire means here
 * @status: enum lite_status; not trusted
 *
 * Context: any.
 * Return: 0 or a negative errno; -EIO for a status that we do not know.
 */
int lite_status_to_errno(u32 status)
{
	return status < LITE_ST_NR ? status_errno[status] : -EIO;
}
EXPORT_SYMBOL_NS_GPL(lite_status_to_errno, LITE_RPC);

/**
 * lite_errno_to_status() - how the wire calls an error
 * @err: 0 or a negative errno
 *
 * Context: any.
 * Return: enum lite_status; LITE_ST_IO for an errno that has no status.
 */
u32 lite_errno_to_status(int err)
{
	u32 status;

	for (status = 0; status < LITE_ST_NR; status++)
		if (status_errno[status] == err)
			return status;
	return LITE_ST_IO;
}
EXPORT_SYMBOL_NS_GPL(lite_errno_to_status, LITE_RPC);
