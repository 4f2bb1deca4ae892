// SPDX-License-Identifier: GPL-2.0
/*
 * Payloads that are right, or nearly: of each operation, what kind of value its
 * members have. Values are few, so that requests meet what others made.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/stat.h>
#include <linux/string.h>

#include "fuzz.h"

/**
 * enum fuzz_kind - what is in a member
 * @FUZZ_END: ends a list
 * @FUZZ_SMALL: up to 7
 * @FUZZ_ID: of a node or a vNode
 * @FUZZ_LMR: id of an LMR
 * @FUZZ_SPACE: id of a space
 * @FUZZ_PAGE: index of a page
 * @FUZZ_VA: address of one
 * @FUZZ_LEN: length in bytes, of some pages
 * @FUZZ_COUNT: bytes, at most some pages
 * @FUZZ_OFF: offset in a file
 * @FUZZ_NAME: of a component, an LMR or a lock
 * @FUZZ_ADDR: address of a component
 * @FUZZ_ROOT: a directory
 * @FUZZ_SELF: incarnation of who sends
 * @FUZZ_SEQ: grows
 * @FUZZ_MODE: of a file
 * @FUZZ_WHAT: 1 to 4
 * @FUZZ_ROLE: of a component; few are pComponents, which gmgr has to ask
 * @FUZZ_BYTE: any
 */
enum fuzz_kind {
	FUZZ_END,
	FUZZ_SMALL,
	FUZZ_ID,
	FUZZ_LMR,
	FUZZ_SPACE,
	FUZZ_PAGE,
	FUZZ_VA,
	FUZZ_LEN,
	FUZZ_COUNT,
	FUZZ_OFF,
	FUZZ_NAME,
	FUZZ_ADDR,
	FUZZ_ROOT,
	FUZZ_SELF,
	FUZZ_SEQ,
	FUZZ_MODE,
	FUZZ_WHAT,
	FUZZ_ROLE,
	FUZZ_BYTE,
};

#define FIELDS_MAX 8
#define NAMES 8
#define FIRST_PAGE 0x7f000

/**
 * struct fuzz_op - an operation's payload
 * @op: operation
 * @size: bytes of its fixed part
 * @nr_in: segments that it brings when it is right
 * @nr_out: the same
 * @tail: bytes of each of what may follow the fixed part, 0 for nothing
 * @nr_at: where the number of those is, __le32
 * @paths: paths that follow it (SCOMP)
 * @field: members that are not 0
 */
struct fuzz_op {
	u16 op;
	u16 size;
	u8 nr_in;
	u8 nr_out;
	u16 tail;
	u8 nr_at;
	u8 paths;
	struct {
		u16 at;
		u16 size;
		u8 kind;
	} field[FIELDS_MAX];
};

#define F(_type, _member, _kind) \
	{ offsetof(struct _type, _member), \
	  sizeof_field(struct _type, _member), FUZZ_##_kind }
#define SCOMP_PATH(_op) \
	{ .op = _op, .size = sizeof(struct scomp_path_req), .paths = 1 }
#define SCOMP_PATHS(_op, _nr) \
	{ .op = _op, .size = sizeof(struct scomp_path_req), .paths = _nr, \
	  .field = { F(scomp_hdr, seq, SEQ), \
		     F(scomp_hdr, slot, SMALL) } }
#define LMR_ID(_op) \
	{ .op = _op, .size = sizeof(struct lite_lmr_id_req), \
	  .field = { F(lite_lmr_id_req, id, LMR) } }
#define LOCK_ID(_op) \
	{ .op = _op, .size = sizeof(struct lite_lock_id_req), \
	  .field = { F(lite_lock_id_req, name, NAME), \
		     F(lite_lock_id_req, id, SMALL) } }
#define MCOMP_SPACE(_op) \
	{ .op = _op, .size = sizeof(struct mcomp_space_req), \
	  .field = { F(mcomp_space_req, space, SPACE), \
		     F(mcomp_space_req, pcomp_incarnation, SELF), \
		     F(mcomp_space_req, vid, ID), \
		     F(mcomp_space_req, pcomp_id, ID) } }
#define MCOMP_FORK(_op) \
	{ .op = _op, .size = sizeof(struct mcomp_fork_req), \
	  .field = { F(mcomp_fork_req, parent, SPACE), \
		     F(mcomp_fork_req, child, SPACE) } }
#define VNODE_NAME(_op) \
	{ .op = _op, .size = sizeof(struct gmgr_vnode_name_req), \
	  .field = { F(gmgr_vnode_name_req, name, NAME) } }
#define GMGR_LIST(_op) \
	{ .op = _op, .size = sizeof(struct gmgr_list_req), \
	  .field = { F(gmgr_list_req, start, SMALL) } }

static const struct fuzz_op ops[] = {
	{ .op = LITE_PING, .nr_out = 1 },
	{ .op = LITE_LMR_ALLOC, .size = sizeof(struct lite_lmr_alloc_req),
	  .field = { F(lite_lmr_alloc_req, name, NAME),
		     F(lite_lmr_alloc_req, size, LEN),
		     F(lite_lmr_alloc_req, others, SMALL) } },
	{ .op = LITE_LMR_MAP, .size = sizeof(struct lite_lmr_map_req),
	  .field = { F(lite_lmr_map_req, name, NAME),
		     F(lite_lmr_map_req, access, WHAT) } },
	{ .op = LITE_LMR_KEYS, .size = sizeof(struct lite_lmr_keys_req),
	  .field = { F(lite_lmr_keys_req, id, LMR),
		     F(lite_lmr_keys_req, nr, SMALL) } },
	LMR_ID(LITE_LMR_UNMAP),
	LMR_ID(LITE_LMR_FREE),
	{ .op = LITE_LMR_GRANT, .size = sizeof(struct lite_lmr_grant_req),
	  .field = { F(lite_lmr_grant_req, id, LMR),
		     F(lite_lmr_grant_req, incarnation, SELF),
		     F(lite_lmr_grant_req, access, SMALL) } },
	{ .op = LITE_LMR_SET, .size = sizeof(struct lite_lmr_set_req),
	  .field = { F(lite_lmr_set_req, id, LMR),
		     F(lite_lmr_set_req, off, COUNT),
		     F(lite_lmr_set_req, len, COUNT),
		     F(lite_lmr_set_req, byte, SMALL) } },
	{ .op = LITE_LMR_COPY, .size = sizeof(struct lite_lmr_copy_req),
	  .field = { F(lite_lmr_copy_req, to, LMR),
		     F(lite_lmr_copy_req, to_off, COUNT),
		     F(lite_lmr_copy_req, from, LMR),
		     F(lite_lmr_copy_req, from_off, COUNT),
		     F(lite_lmr_copy_req, len, COUNT) } },
	{ .op = LITE_LMR_ATOMIC, .size = sizeof(struct lite_lmr_atomic_req),
	  .field = { F(lite_lmr_atomic_req, id, LMR),
		     F(lite_lmr_atomic_req, off, COUNT),
		     F(lite_lmr_atomic_req, value, SMALL),
		     F(lite_lmr_atomic_req, expect, SMALL),
		     F(lite_lmr_atomic_req, what, WHAT) } },
	{ .op = LITE_LOCK_ACQUIRE, .size = sizeof(struct lite_lock_req),
	  .field = { F(lite_lock_req, name, NAME),
		     F(lite_lock_req, id, SMALL),
		     F(lite_lock_req, lease_ms, COUNT),
		     F(lite_lock_req, wait_ms, SMALL) } },
	LOCK_ID(LITE_LOCK_RENEW),
	LOCK_ID(LITE_LOCK_RELEASE),
	{ .op = LITE_BARRIER, .size = sizeof(struct lite_barrier_req),
	  .field = { F(lite_barrier_req, name, NAME),
		     F(lite_barrier_req, id, SMALL),
		     F(lite_barrier_req, nr, SMALL),
		     F(lite_barrier_req, wait_ms, SMALL) } },

	{ .op = GMGR_JOIN, .size = sizeof(struct gmgr_join_req),
	  .field = { F(gmgr_join_req, name, NAME),
		     F(gmgr_join_req, addr, ADDR),
		     F(gmgr_join_req, incarnation, SELF),
		     F(gmgr_join_req, total, LEN),
		     F(gmgr_join_req, role, ROLE),
		     F(gmgr_join_req, want_id, ID) } },
	{ .op = GMGR_LEAVE, .size = sizeof(struct gmgr_leave_req),
	  .field = { F(gmgr_leave_req, node_id, ID),
		     F(gmgr_leave_req, incarnation, SELF) } },
	{ .op = GMGR_HEARTBEAT, .size = sizeof(struct gmgr_heartbeat_req),
	  .field = { F(gmgr_heartbeat_req, node_id, ID),
		     F(gmgr_heartbeat_req, incarnation, SELF),
		     F(gmgr_heartbeat_req, total, LEN) } },
	GMGR_LIST(GMGR_MEMBERS),
	{ .op = GMGR_VNODE_CREATE, .size = sizeof(struct gmgr_vnode),
	  .field = { F(gmgr_vnode, quota, LEN),
		     F(gmgr_vnode, name, NAME),
		     F(gmgr_vnode, storage, NAME),
		     F(gmgr_vnode, root, ROOT) } },
	VNODE_NAME(GMGR_VNODE_REMOVE),
	VNODE_NAME(GMGR_VNODE_GET),
	GMGR_LIST(GMGR_VNODE_LIST),
	{ .op = GMGR_PLACE, .size = sizeof(struct gmgr_place_req),
	  .field = { F(gmgr_place_req, vid, ID),
		     F(gmgr_place_req, pcomp_id, ID) } },
	GMGR_LIST(GMGR_VNODE_TABLE),
	{ .op = GMGR_TELL_MEMBERS, .size = sizeof(struct gmgr_tell_members),
	  .tail = sizeof(struct gmgr_member),
	  .nr_at = offsetof(struct gmgr_tell_members, nr),
	  .field = { F(gmgr_tell_members, epoch, SEQ) } },
	{ .op = GMGR_TELL_VNODES, .size = sizeof(struct gmgr_vnode_table),
	  .tail = sizeof(struct gmgr_vnode),
	  .nr_at = offsetof(struct gmgr_vnode_table, nr),
	  .field = { F(gmgr_vnode_table, life, SELF),
		     F(gmgr_vnode_table, epoch, SEQ) } },

	MCOMP_SPACE(MCOMP_SPACE_CREATE),
	MCOMP_SPACE(MCOMP_SPACE_DESTROY),
	MCOMP_FORK(MCOMP_SPACE_FORK),
	{ .op = MCOMP_VREGION_GET, .size = sizeof(struct mcomp_vregion_req),
	  .field = { F(mcomp_vregion_req, space, SPACE),
		     F(mcomp_vregion_req, vregion, SMALL) } },
	{ .op = MCOMP_VMA_UPDATE, .size = sizeof(struct mcomp_vma_req),
	  .tail = sizeof(struct mcomp_vma_op),
	  .nr_at = offsetof(struct mcomp_vma_req, nr),
	  .field = { F(mcomp_vma_req, space, SPACE),
		     F(mcomp_vma_req, seq, SEQ) } },
	{ .op = MCOMP_FETCH, .size = sizeof(struct mcomp_fetch_req),
	  .nr_out = 1,
	  .field = { F(mcomp_fetch_req, space, SPACE),
		     F(mcomp_fetch_req, index, PAGE) } },
	{ .op = MCOMP_WRITEBACK, .size = sizeof(struct mcomp_writeback_req),
	  .nr_in = 1, .tail = sizeof(__le64),
	  .nr_at = offsetof(struct mcomp_writeback_req, nr),
	  .field = { F(mcomp_writeback_req, space, SPACE) } },
	MCOMP_SPACE(MCOMP_SHARD_CREATE),
	MCOMP_SPACE(MCOMP_SHARD_DESTROY),
	MCOMP_FORK(MCOMP_SHARD_FORK),
	{ .op = MCOMP_EXPORT, .size = sizeof(struct mcomp_export_req),
	  .field = { F(mcomp_export_req, space, SPACE),
		     F(mcomp_export_req, piece, SMALL) } },

	SCOMP_PATH(SCOMP_GETATTR),
	{ .op = SCOMP_SETATTR, .size = sizeof(struct scomp_setattr_req),
	  .paths = 1,
	  .field = { F(scomp_hdr, seq, SEQ),
		     F(scomp_hdr, slot, SMALL),
		     F(scomp_setattr_req, valid, BYTE),
		     F(scomp_setattr_req, mode, MODE),
		     F(scomp_setattr_req, uid, SMALL),
		     F(scomp_setattr_req, gid, SMALL),
		     F(scomp_setattr_req, size, OFF),
		     F(scomp_setattr_req, mtime_sec, BYTE) } },
	{ .op = SCOMP_READ, .size = sizeof(struct scomp_io_req), .paths = 1,
	  .nr_out = 1,
	  .field = { F(scomp_io_req, offset, OFF),
		     F(scomp_io_req, count, COUNT) } },
	{ .op = SCOMP_WRITE, .size = sizeof(struct scomp_io_req), .paths = 1,
	  .nr_in = 1,
	  .field = { F(scomp_hdr, seq, SEQ),
		     F(scomp_hdr, slot, SMALL),
		     F(scomp_io_req, offset, OFF),
		     F(scomp_io_req, count, COUNT) } },
	{ .op = SCOMP_READDIR, .size = sizeof(struct scomp_readdir_req),
	  .paths = 1, .nr_out = 1,
	  .field = { F(scomp_readdir_req, cookie, SMALL),
		     F(scomp_readdir_req, count, COUNT) } },
	SCOMP_PATH(SCOMP_READLINK),
	{ .op = SCOMP_CREATE, .size = sizeof(struct scomp_create_req),
	  .paths = 1,
	  .field = { F(scomp_hdr, seq, SEQ),
		     F(scomp_hdr, slot, SMALL),
		     F(scomp_create_req, mode, MODE),
		     F(scomp_create_req, excl, SMALL) } },
	{ .op = SCOMP_REMOVE, .size = sizeof(struct scomp_remove_req),
	  .paths = 1,
	  .field = { F(scomp_hdr, seq, SEQ),
		     F(scomp_hdr, slot, SMALL),
		     F(scomp_remove_req, dir, SMALL) } },
	{ .op = SCOMP_RENAME, .size = sizeof(struct scomp_rename_req),
	  .paths = 2,
	  .field = { F(scomp_hdr, seq, SEQ),
		     F(scomp_hdr, slot, SMALL),
		     F(scomp_rename_req, flags, SMALL) } },
	{ .op = SCOMP_SYMLINK, .size = sizeof(struct scomp_symlink_req),
	  .paths = 2,
	  .field = { F(scomp_hdr, seq, SEQ),
		     F(scomp_hdr, slot, SMALL),
		     F(scomp_symlink_req, excl, SMALL) } },
	SCOMP_PATHS(SCOMP_LINK, 2),
	SCOMP_PATHS(SCOMP_FSYNC, 1),
	SCOMP_PATHS(SCOMP_CANCEL, 0),
	SCOMP_PATH(SCOMP_STATFS),

	{ .op = PCOMP_PROCS, .size = sizeof(struct pcomp_procs_req),
	  .field = { F(pcomp_procs_req, vid, ID) } },
	{ .op = PCOMP_LOCKS, .size = sizeof(struct pcomp_locks_req),
	  .field = { F(pcomp_locks_req, vid, ID) } },
};

static const struct fuzz_op *find(u16 op)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (ops[i].op == op)
			return &ops[i];
	return NULL;
}

static u64 mode(struct fuzz_gen *g)
{
	static const u32 types[] = { S_IFREG, S_IFREG, S_IFDIR, S_IFDIR,
				     S_IFIFO, S_IFSOCK, S_IFCHR, 0 };

	return types[fuzz_below(g, ARRAY_SIZE(types))] |
	       (fuzz_one_in(g, 4) ? fuzz_below(g, 07777) : 0755);
}

static u64 value(struct fuzz_gen *g, unsigned int kind)
{
	switch (kind) {
	case FUZZ_SMALL:
		return fuzz_one_in(g, 2) ? 0 : fuzz_below(g, 8);
	case FUZZ_ID:
		return 1 + fuzz_below(g, 2);
	case FUZZ_LMR:
		return g->lmr;
	case FUZZ_SPACE:
		return (u64)(1 + fuzz_below(g, 2)) << 32 |
		       (1 + fuzz_below(g, 4));
	case FUZZ_PAGE:
		return FIRST_PAGE + fuzz_below(g, 32);
	case FUZZ_VA:
		return (u64)(FIRST_PAGE + fuzz_below(g, 32)) << PAGE_SHIFT;
	case FUZZ_LEN:
		return (u64)(1 + fuzz_below(g, 32)) << PAGE_SHIFT;
	case FUZZ_COUNT:
		return 8 * fuzz_below(g, 2 * PAGE_SIZE / 8);
	case FUZZ_OFF:
		return fuzz_below(g, 4 * PAGE_SIZE);
	case FUZZ_SELF:
		return g->incarnation;
	case FUZZ_SEQ:
		return ++g->seq;
	case FUZZ_MODE:
		return mode(g);
	case FUZZ_WHAT:
		return 1 + fuzz_below(g, 4);
	case FUZZ_ROLE:
		return fuzz_one_in(g, 32) ? LITE_ROLE_PCOMP :
		       fuzz_one_in(g, 2) ? LITE_ROLE_MCOMP : LITE_ROLE_SCOMP;
	case FUZZ_BYTE:
		return fuzz_below(g, 256);
	}
	return 0;
}

static void set_le(void *at, unsigned int size, u64 val)
{
	__le64 le = cpu_to_le64(val);

	memcpy(at, &le, min_t(unsigned int, size, sizeof(le)));
}

static void set(struct fuzz_gen *g, void *at, unsigned int size,
		unsigned int kind)
{
	unsigned int nr;

	switch (kind) {
	case FUZZ_NAME:
	case FUZZ_ADDR:
	case FUZZ_ROOT:
		nr = fuzz_below(g, NAMES);
		snprintf(at, size, "%sfuzz%u", kind == FUZZ_NAME ? "" :
			 kind == FUZZ_ADDR ? "loop:" : "/", nr);
		break;
	default:
		set_le(at, size, value(g, kind));
	}
}

static u32 add_path(struct fuzz_gen *g, void *buf)
{
	if (fuzz_one_in(g, 32))
		return 0;
	if (fuzz_one_in(g, 2))
		return sprintf(buf, "fuzz%u", fuzz_below(g, NAMES));
	return sprintf(buf, "fuzz%u/%u", fuzz_below(g, NAMES),
		       fuzz_below(g, NAMES));
}

static u32 add_paths(struct fuzz_gen *g, const struct fuzz_op *o, void *buf)
{
	struct scomp_hdr *hdr = buf;
	u32 len = o->size, path;

	hdr->uid = cpu_to_le32(fuzz_one_in(g, 4) ? fuzz_below(g, 3) : 0);
	hdr->gid = cpu_to_le32(fuzz_one_in(g, 4) ? fuzz_below(g, 3) : 0);
	hdr->caps = cpu_to_le32(hdr->uid ? 0 : ~0U);
	hdr->vid = cpu_to_le32(value(g, FUZZ_ID));
	path = add_path(g, buf + len);
	hdr->path_len = cpu_to_le16(path);
	len += path;
	if (o->paths == 1)
		return len;
	path = add_path(g, buf + len);
	hdr->path2_len = cpu_to_le16(path);
	return len + path;
}

static u32 add_tail(struct fuzz_gen *g, const struct fuzz_op *o, void *buf)
{
	u32 nr = fuzz_one_in(g, 8) ? fuzz_below(g, 64) : 1, len = o->size, i;
	struct mcomp_vma_op *vma;

	nr = min_t(u32, nr, (LITE_REQ_MAX - len) / o->tail);
	set_le(buf + o->nr_at, sizeof(__le32), nr);
	for (i = 0; i < nr; i++, len += o->tail) {
		if (o->tail == sizeof(__le64)) {
			set_le(buf + len, o->tail, value(g, FUZZ_PAGE));
			continue;
		}
		vma = buf + len;
		vma->start = cpu_to_le64(value(g, FUZZ_VA));
		vma->len = cpu_to_le64(value(g, FUZZ_LEN));
		vma->kind = cpu_to_le32(value(g, FUZZ_WHAT));
		vma->prot = cpu_to_le32(value(g, FUZZ_SMALL));
	}
	return len;
}

/**
 * fuzz_payload() - a payload as it should be
 * @g: source
 * @op: operation
 * @buf: for it, zeroed, LITE_REQ_MAX
 *
 * Return: its bytes; 0 of an operation that is not known.
 */
u32 fuzz_payload(struct fuzz_gen *g, u16 op, void *buf)
{
	const struct fuzz_op *o = find(op);
	unsigned int i;

	if (!o)
		return 0;
	for (i = 0; i < FIELDS_MAX && o->field[i].kind; i++)
		set(g, buf + o->field[i].at, o->field[i].size,
		    o->field[i].kind);
	if (o->paths)
		return add_paths(g, o, buf);
	if (o->tail)
		return add_tail(g, o, buf);
	return o->size ?: fuzz_below(g, LITE_PING_MAX);
}

/**
 * fuzz_pick() - one of the operations that there are
 * @g: source
 * @service: of this service, if it has any
 *
 * Return: operation.
 */
u16 fuzz_pick(struct fuzz_gen *g, u32 service)
{
	unsigned int nr = 0, i;
	u16 op = 0;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (LITE_OP_SVC(ops[i].op) == service && fuzz_one_in(g, ++nr))
			op = ops[i].op;
	return nr ? op : ops[fuzz_below(g, ARRAY_SIZE(ops))].op;
}

/**
 * fuzz_segments() - how many an operation brings when it is right
 * @op: operation
 * @nr_in: set to how many are to be read
 * @nr_out: set to how many are to be written
 */
void fuzz_segments(u16 op, unsigned int *nr_in, unsigned int *nr_out)
{
	const struct fuzz_op *o = find(op);

	*nr_in = o ? o->nr_in : 0;
	*nr_out = o ? o->nr_out : 0;
}
