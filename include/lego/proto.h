/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The wire protocol of lego: every message that crosses between components.
 *
 * An operation belongs to the service that answers it, never to a pair of
 * peers (sunrpc's way). All integers are little endian, every structure is
 * naturally aligned, reserved members are sent as 0 and checked to be 0.
 * Numbers are never reused. The descriptor table in lite_rpc/proto.c (name,
 * lengths, flags of each operation) is the only other place that knows them.
 *
 * Version negotiation: there is none; LITE_VERSION is in the connect data and
 * in each header, and a mismatch refuses the link or the message.
 *
 * Changelog
 *   1  first version
 *   2  MCOMP_WRITEBACK's reply says where the pages are, MCOMP_EXPORT lets a
 *	pComponent read them there; mcomp_space_req.flags; LITE_PING writes
 *	out segments; LMRs; keys: the flags of lite_connect_req, the nonce of
 *	lite_connect_rsp, LITE_IMM_AUTH; the service of programs; class 2 is
 *	prefetch, write-back is 3; heartbeats, LITE_IMM_BEAT; locks and
 *	barriers; the verifier of SCOMP_WRITE and SCOMP_FSYNC, which replies
 *   3  what an mComponent answers says what the caller can do: full, busy, not
 *	there any more and a bad request are different statuses; PCOMP_LIVING;
 *	what members keep for a gmgr that is restarted: GMGR_VNODE_TABLE,
 *	GMGR_TELL_MEMBERS, GMGR_TELL_VNODES, and what GMGR_JOIN and
 *	GMGR_HEARTBEAT say of it;
 *	slots of requests to SCOMP that change files, SCOMP_CANCEL; groups and
 *	capabilities of their callers, paths longer than a message;
 *	LITE_IMM_CANCEL
 */
#ifndef _LEGO_PROTO_H
#define _LEGO_PROTO_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <linux/types.h>
#endif

#define LITE_MAGIC 0x4f47454cu /* "LEGO" */
#define LITE_VERSION 3

/* Limits that both ends rely on. */
#define LITE_SLOT_SIZE 4096 /* one request or reply, its header included */
#define LITE_MAX_SEGS 16 /* bulk segments in one direction of a call */
#define LITE_NAME_LEN 32 /* component and vNode names, NUL included */
#define LITE_ADDR_LEN 64 /* "10.0.0.1:7471" or "loop:m0", NUL included */
#define LITE_KEY_LEN 32 /* names of keys, NUL included */

#define LITE_PORT_GMGR 7470
#define LITE_PORT_MCOMP 7471
#define LITE_PORT_SCOMP 7472
#define LITE_PORT_PCOMP 7473
#define LITE_PORT_USER 7474

/**
 * enum lite_role - what a component is
 */
enum lite_role {
	LITE_ROLE_NONE = 0,
	LITE_ROLE_GMGR = 1,
	LITE_ROLE_PCOMP = 2,
	LITE_ROLE_MCOMP = 3,
	LITE_ROLE_SCOMP = 4,
	LITE_ROLE_NR
};

/**
 * struct lite_wire_seg - a piece of the caller's registered memory
 * @addr: its address, in the terms of the key (RDMA iova)
 * @key: key that opens it; only the region meant
 * @len: bytes
 */
struct lite_wire_seg {
	__le64 addr;
	__le32 key;
	__le32 len;
};

static_assert(sizeof(struct lite_wire_seg) == 16);

/**
 * struct lite_req_hdr - begins each request, in the peer's ring
 * @version: LITE_VERSION
 * @op: service in the high byte, number in the low one
 * @xid: chosen by the caller, comes back in the reply; not 0, and not that of
 *	the slot's last request
 * @len: bytes of payload, which follows the segments
 * @nr_in: segments the server may read (what the caller sends in bulk)
 * @nr_out: segments the server may write (where bulk replies go)
 * @flags: LITE_REQ_*
 *
 * Followed by nr_in + nr_out struct lite_wire_seg, then the payload.
 */
struct lite_req_hdr {
	__le16 version;
	__le16 op;
	__le32 xid;
	__le32 len;
	__u8 nr_in;
	__u8 nr_out;
	__le16 flags;
};

static_assert(sizeof(struct lite_req_hdr) == 16);

#define LITE_REQ_ONEWAY 0x1 /* no reply, only the slot is given back */

/**
 * struct lite_rsp_hdr - begins each reply, in the caller's ring
 *	(LITE_IMM_DONE says "no error, no payload" without one)
 * @version: LITE_VERSION
 * @op: the request's
 * @xid: the request's
 * @len: bytes of payload that follow
 * @status: enum lite_status
 */
struct lite_rsp_hdr {
	__le16 version;
	__le16 op;
	__le32 xid;
	__le32 len;
	__le32 status;
};

static_assert(sizeof(struct lite_rsp_hdr) == 16);

#define LITE_REQ_MAX                              \
	(LITE_SLOT_SIZE - sizeof(struct lite_req_hdr) - \
	 2 * LITE_MAX_SEGS * sizeof(struct lite_wire_seg))
#define LITE_RSP_MAX (LITE_SLOT_SIZE - sizeof(struct lite_rsp_hdr))

/**
 * enum lite_status - outcome on the wire; lite_status_to_errno() maps it
 */
enum lite_status {
	LITE_ST_OK = 0,
	LITE_ST_PERM = 1,
	LITE_ST_NOENT = 2,
	LITE_ST_IO = 3,
	LITE_ST_NOMEM = 4,
	LITE_ST_ACCES = 5,
	LITE_ST_EXIST = 6,
	LITE_ST_NOTDIR = 7,
	LITE_ST_ISDIR = 8,
	LITE_ST_INVAL = 9,
	LITE_ST_FBIG = 10,
	LITE_ST_NOSPC = 11,
	LITE_ST_ROFS = 12,
	LITE_ST_MLINK = 13,
	LITE_ST_NAMETOOLONG = 14,
	LITE_ST_NOTEMPTY = 15,
	LITE_ST_LOOP = 16,
	LITE_ST_STALE = 17,
	LITE_ST_DQUOT = 18,
	LITE_ST_OPNOTSUPP = 19,
	LITE_ST_XDEV = 20,
	LITE_ST_BUSY = 21,
	LITE_ST_AGAIN = 22,
	LITE_ST_NODATA = 23,
	LITE_ST_BADVERSION = 24, /* -EPROTONOSUPPORT */
	LITE_ST_BADOP = 25, /* -ENOSYS: no such operation here */
	LITE_ST_BADLEN = 26, /* -EMSGSIZE: length outside the table's limits */
	LITE_ST_NOTREADY = 27, /* -EHOSTUNREACH: a component it needs is away */
	LITE_ST_NOKEY = 28, /* -ENOKEY: no key named, or one we do not have */
	LITE_ST_KEYREJECTED = 29, /* -EKEYREJECTED: not proved */
	LITE_ST_HWPOISON = 30, /* -EHWPOISON: the memory that had it has failed */
	LITE_ST_NR
};

#define LITE_OP(svc, nr) (((svc) << 8) | (nr))
#define LITE_OP_SVC(op) ((op) >> 8)
#define LITE_OP_NR(op) ((op) & 0xff)

enum lite_service_id {
	LITE_SVC_LITE = 0, /* answered by every node, by lite_rpc itself */
	LITE_SVC_GMGR = 1,
	LITE_SVC_MCOMP = 2,
	LITE_SVC_SCOMP = 3,
	LITE_SVC_PCOMP = 4,
	LITE_SVC_USER = 5, /* programs, by /dev/lite */
	LITE_SVC_NR
};

/* ---- Connecting: private data of rdma_cm, immediate data of messages ---- */

#define LITE_SLOTS 64 /* requests under way on one connection */

/**
 * struct lite_connect_req - the caller's, in the connect request
 * @magic: LITE_MAGIC
 * @version: LITE_VERSION; others are rejected with LITE_ST_BADVERSION
 * @class: enum lite_class of this connection
 * @nr_slots: LITE_SLOTS
 * @node_id: the caller's, 0 if it has not joined yet
 * @ring_key: opens the caller's reply ring of nr_slots * LITE_SLOT_SIZE bytes
 * @incarnation: the caller's
 * @want: incarnation it wants to talk to, 0 for any; LITE_ST_STALE otherwise
 * @ring_addr: of the reply ring
 * @flags: LITE_CONNECT_*; others are rejected with LITE_ST_INVAL
 * @name: the beginning of the caller's name, for logs; not NUL terminated
 *
 * 56 bytes are all that rdma_cm has room for.
 */
struct lite_connect_req {
	__le32 magic;
	__le16 version;
	__u8 class;
	__u8 nr_slots;
	__le32 node_id;
	__le32 ring_key;
	__le64 incarnation;
	__le64 want;
	__le64 ring_addr;
	__u8 flags;
	char name[15];
};

static_assert(sizeof(struct lite_connect_req) == 56);

#define LITE_CONNECT_AUTH 0x1 /* both shall prove that they have a key */

#define LITE_NONCE_LEN 16
#define LITE_MAC_LEN 32 /* HMAC-SHA256 */

/**
 * struct lite_connect_rsp - the server's, when it accepts
 * @magic: LITE_MAGIC
 * @version: LITE_VERSION
 * @nr_slots: LITE_SLOTS
 * @reserved: 0
 * @ring_key: opens the server's request ring, but not before LITE_IMM_HELLO
 * @reserved2: 0
 * @incarnation: the server's
 * @ring_addr: of the request ring
 * @nonce: random, with LITE_CONNECT_AUTH; else 0
 */
struct lite_connect_rsp {
	__le32 magic;
	__le16 version;
	__u8 nr_slots;
	__u8 reserved;
	__le32 ring_key;
	__le32 reserved2;
	__le64 incarnation;
	__le64 ring_addr;
	__u8 nonce[LITE_NONCE_LEN];
};

static_assert(sizeof(struct lite_connect_rsp) == 48);

/* The server's, when it rejects; @status is enum lite_status. */
struct lite_connect_rej {
	__le32 magic;
	__le16 version;
	__le16 status;
};

static_assert(sizeof(struct lite_connect_rej) == 8);

/**
 * struct lite_auth_proof - the caller's LITE_IMM_AUTH: I have that key
 * @nonce: random
 * @key: the key's name, padded with NULs, at least one
 * @mac: of lite_auth_text, by the key
 */
struct lite_auth_proof {
	__u8 nonce[LITE_NONCE_LEN];
	char key[LITE_KEY_LEN];
	__u8 mac[LITE_MAC_LEN];
};

static_assert(sizeof(struct lite_auth_proof) == 80);

/**
 * struct lite_auth_result - the server's LITE_IMM_AUTH: so have I
 * @status: enum lite_status
 * @reserved: 0
 * @mac: of lite_auth_text, by the same key; 0 unless LITE_ST_OK
 */
struct lite_auth_result {
	__le32 status;
	__le32 reserved;
	__u8 mac[LITE_MAC_LEN];
};

static_assert(sizeof(struct lite_auth_result) == 40);

/**
 * struct lite_auth_text - of what a MAC is made; it is not sent
 * @label: LITE_AUTH_CALLER or LITE_AUTH_SERVER, who makes it
 * @req: as it was sent
 * @rsp: as it was sent, with the server's nonce
 * @nonce: the caller's
 */
struct lite_auth_text {
	char label[16];
	struct lite_connect_req req;
	struct lite_connect_rsp rsp;
	__u8 nonce[LITE_NONCE_LEN];
};

static_assert(sizeof(struct lite_auth_text) == 136);

#define LITE_AUTH_CALLER "lego caller" /* padded with NULs */
#define LITE_AUTH_SERVER "lego server"

/*
 * Messages are RDMA writes with immediate data; slot N of a ring is at
 * N * LITE_SLOT_SIZE. Only LITE_IMM_AUTH and LITE_IMM_HELLO are sends, as
 * nothing may be written yet, and LITE_IMM_BEAT and LITE_IMM_CANCEL, which
 * bring nothing.
 * Immediate data: type << 28 | slot << 16 | low half of the request's xid.
 */
enum lite_imm_type {
	LITE_IMM_HELLO = 1, /* server: requests may come; no data */
	LITE_IMM_REQUEST = 2, /* caller: a request is in the slot */
	LITE_IMM_REPLY = 3, /* server: its reply is in the slot */
	/* server: a one-way request is done, or one that was cancelled */
	LITE_IMM_CREDIT = 4,
	/*
	 * Server: LITE_ST_OK without payload. Nothing is in the slot; what was
	 * written with it is the end of the bulk reply.
	 */
	LITE_IMM_DONE = 5,
	LITE_IMM_AUTH = 6, /* lite_auth_proof, then lite_auth_result */
	/* caller: do you live? server: the same back. xid: any number */
	LITE_IMM_BEAT = 7,
	/*
	 * Caller: the request in the slot, without in segments, is waited for no
	 * longer. Server: the same back; for it, only the credit comes now.
	 */
	LITE_IMM_CANCEL = 8,
};

#define LITE_IMM(type, slot, xid) \
	((__u32)(type) << 28 | (slot) << 16 | ((xid) & 0xffff))
#define LITE_IMM_TYPE(imm) ((imm) >> 28)
#define LITE_IMM_SLOT(imm) (((imm) >> 16) & 0xfff)
#define LITE_IMM_XID(imm) ((imm) & 0xffff)

/* ---- LITE: every node ---- */

enum lite_op_lite {
	LITE_PING = LITE_OP(LITE_SVC_LITE, 1), /* payload comes back */
	/* named memory, LMRs: all at the node that has it */
	LITE_LMR_ALLOC = LITE_OP(LITE_SVC_LITE, 2),
	LITE_LMR_MAP = LITE_OP(LITE_SVC_LITE, 3),
	LITE_LMR_KEYS = LITE_OP(LITE_SVC_LITE, 4),
	LITE_LMR_UNMAP = LITE_OP(LITE_SVC_LITE, 5),
	LITE_LMR_FREE = LITE_OP(LITE_SVC_LITE, 6),
	LITE_LMR_GRANT = LITE_OP(LITE_SVC_LITE, 7),
	LITE_LMR_SET = LITE_OP(LITE_SVC_LITE, 8),
	LITE_LMR_COPY = LITE_OP(LITE_SVC_LITE, 9),
	LITE_LMR_ATOMIC = LITE_OP(LITE_SVC_LITE, 10),
	/* locks with leases, barriers: at the node that keeps them */
	LITE_LOCK_ACQUIRE = LITE_OP(LITE_SVC_LITE, 11),
	LITE_LOCK_RENEW = LITE_OP(LITE_SVC_LITE, 12),
	LITE_LOCK_RELEASE = LITE_OP(LITE_SVC_LITE, 13),
	LITE_BARRIER = LITE_OP(LITE_SVC_LITE, 14),
};

#define LITE_PING_MAX 1024

/*
 * All out segments of a LITE_PING are written, with le32 words: the word at
 * byte 4 * I of each 4096 is LITE_PING_WORD(I). Where they are more than
 * LITE_PING_OUT_MAX bytes together it is refused.
 */
#define LITE_PING_OUT_MAX 65536
#define LITE_PING_WORD(i) (LITE_MAGIC + (__u32)(i) * 0x9e3779b1u)

/*
 * An LMR is named by its name when it is made and mapped, which is unique at
 * its node, and by an id afterwards. It belongs to the incarnation of the node
 * that had it made, which may do all with it; others what they were granted.
 * When its owner dies, says so, or its own node ends, it is freed, and the keys
 * that open it are worthless. LITE_ST_STALE: it is not there any more.
 */
#define LITE_LMR_READ 0x1
#define LITE_LMR_WRITE 0x2
#define LITE_LMR_RW (LITE_LMR_READ | LITE_LMR_WRITE)

/**
 * struct lite_lmr_alloc_req - LMR_ALLOC, zeroed memory
 * @name: unique at the node, NUL terminated
 * @size: bytes, rounded up to whole pages
 * @others: LITE_LMR_*, what any node may do that was granted nothing else
 * @reserved: 0
 *
 * LITE_ST_EXIST: the name is taken; LITE_ST_NOMEM: more than the node gives.
 */
struct lite_lmr_alloc_req {
	char name[LITE_NAME_LEN];
	__le64 size;
	__le32 others;
	__le32 reserved;
};

static_assert(sizeof(struct lite_lmr_alloc_req) == 48);

/* LMR_ALLOC's and LMR_MAP's reply */
struct lite_lmr_rsp {
	__le64 id;
	__le64 size;
};

static_assert(sizeof(struct lite_lmr_rsp) == 16);

/* LMR_MAP: LITE_ST_NOENT: no such name; LITE_ST_ACCES: not that much. */
struct lite_lmr_map_req {
	char name[LITE_NAME_LEN];
	__le32 access; /* LITE_LMR_* */
	__le32 reserved;
};

static_assert(sizeof(struct lite_lmr_map_req) == 40);

#define LITE_LMR_PIECE (1024 * 1024)
#define LITE_LMR_KEYS_MAX 128

/**
 * struct lite_lmr_keys_req - LMR_KEYS: for one-sided access, by who mapped it
 * @id: LMR
 * @first: piece of LITE_LMR_PIECE bytes
 * @nr: how many, at most LITE_LMR_KEYS_MAX
 *
 * Reply: a struct lite_wire_seg for each, the last perhaps shorter.
 */
struct lite_lmr_keys_req {
	__le64 id;
	__le32 first;
	__le32 nr;
};

static_assert(sizeof(struct lite_lmr_keys_req) == 16);

/* LMR_UNMAP, LMR_FREE (the owner) */
struct lite_lmr_id_req {
	__le64 id;
};

static_assert(sizeof(struct lite_lmr_id_req) == 8);

/* LMR_GRANT (the owner): what the node of an incarnation may do from now on */
struct lite_lmr_grant_req {
	__le64 id;
	__le64 incarnation;
	__le32 access;
	__le32 reserved;
};

static_assert(sizeof(struct lite_lmr_grant_req) == 24);

struct lite_lmr_set_req {
	__le64 id;
	__le64 off;
	__le64 len;
	__le32 byte;
	__le32 reserved;
};

static_assert(sizeof(struct lite_lmr_set_req) == 32);

/* LMR_COPY: both at this node; they may overlap, as for memmove() */
struct lite_lmr_copy_req {
	__le64 to;
	__le64 to_off;
	__le64 from;
	__le64 from_off;
	__le64 len;
};

static_assert(sizeof(struct lite_lmr_copy_req) == 40);

enum lite_lmr_atomic {
	LITE_LMR_ADD = 1, /* @value is added */
	LITE_LMR_CAS = 2, /* @value replaces @expect */
};

/* LMR_ATOMIC: on a little-endian 64-bit word, atomic among these requests */
struct lite_lmr_atomic_req {
	__le64 id;
	__le64 off; /* a multiple of 8 */
	__le64 value;
	__le64 expect;
	__le32 what; /* enum lite_lmr_atomic */
	__le32 reserved;
};

static_assert(sizeof(struct lite_lmr_atomic_req) == 40);

struct lite_lmr_atomic_rsp {
	__le64 old;
};

static_assert(sizeof(struct lite_lmr_atomic_rsp) == 8);

/*
 * A lock, or a barrier, is a name at a node, there as long as somebody holds it
 * or waits. Who asks for one chooses an id, never used again by its
 * incarnation, and asks with the same id until it is told an end: a question or
 * an answer that is lost changes nothing. One that waits keeps its place in the
 * queue between its questions, if they are less than LITE_LOCK_SILENT_MS apart.
 */
#define LITE_LOCK_HOLD_MS 500 /* a question waits so long for its answer */
#define LITE_LOCK_SILENT_MS 10000
#define LITE_LOCK_LEASE_MIN_MS 200
#define LITE_LOCK_LEASE_MAX_MS 600000
#define LITE_LOCKS_MAX 2048 /* that hold or wait at a node */

enum lite_lock_state {
	LITE_LOCK_WAITS = 1, /* ask again */
	LITE_LOCK_HELD = 2,
	LITE_BARRIER_PASSED = 3,
	LITE_BARRIER_BROKEN = 4, /* a member of the round has left or died */
};

/**
 * struct lite_lock_req - LOCK_ACQUIRE
 * @name: of the lock, NUL terminated
 * @id: chosen by who asks, not 0
 * @lease_ms: it is held so long from each answer that says so on; from
 *	LITE_LOCK_LEASE_MIN_MS to LITE_LOCK_LEASE_MAX_MS
 * @wait_ms: how long the answer may take, at most LITE_LOCK_HOLD_MS is taken;
 *	0: do not wait in the queue either, LITE_ST_BUSY
 *
 * LITE_ST_INVAL: the name is a barrier's; LITE_ST_NOSPC: LITE_LOCKS_MAX.
 */
struct lite_lock_req {
	char name[LITE_NAME_LEN];
	__le64 id;
	__le32 lease_ms;
	__le32 wait_ms;
};

static_assert(sizeof(struct lite_lock_req) == 48);

/**
 * struct lite_lock_rsp - the reply of all four
 * @token: of the lock that is held: more than any that the node gave before
 * @state: enum lite_lock_state; LOCK_RELEASE's: what it was
 * @retry_ms: LITE_LOCK_WAITS: when to ask again
 */
struct lite_lock_rsp {
	__le64 token;
	__le32 state;
	__le32 retry_ms;
};

static_assert(sizeof(struct lite_lock_rsp) == 16);

/*
 * LOCK_RENEW: the lease begins anew. LOCK_RELEASE: also of one that waits, at a
 * lock or a barrier. LITE_ST_STALE: not held, or not there.
 */
struct lite_lock_id_req {
	char name[LITE_NAME_LEN];
	__le64 id;
};

static_assert(sizeof(struct lite_lock_id_req) == 40);

/**
 * struct lite_barrier_req - BARRIER
 * @name: of the barrier, NUL terminated
 * @id: chosen by who asks, not 0
 * @nr: how many pass together
 * @wait_ms: how long the answer may take, at most LITE_LOCK_HOLD_MS is taken
 *
 * LITE_ST_INVAL: others wait there for another number, or the name is a lock's.
 */
struct lite_barrier_req {
	char name[LITE_NAME_LEN];
	__le64 id;
	__le32 nr;
	__le32 wait_ms;
};

static_assert(sizeof(struct lite_barrier_req) == 48);

/* ---- GMGR ---- */

enum lite_op_gmgr {
	GMGR_JOIN = LITE_OP(LITE_SVC_GMGR, 1),
	GMGR_LEAVE = LITE_OP(LITE_SVC_GMGR, 2),
	GMGR_HEARTBEAT = LITE_OP(LITE_SVC_GMGR, 3),
	GMGR_MEMBERS = LITE_OP(LITE_SVC_GMGR, 4),
	GMGR_VNODE_CREATE = LITE_OP(LITE_SVC_GMGR, 5),
	GMGR_VNODE_REMOVE = LITE_OP(LITE_SVC_GMGR, 6),
	GMGR_VNODE_GET = LITE_OP(LITE_SVC_GMGR, 7),
	GMGR_VNODE_LIST = LITE_OP(LITE_SVC_GMGR, 8),
	GMGR_PLACE = LITE_OP(LITE_SVC_GMGR, 9),
	/* what members keep for a gmgr that is restarted */
	GMGR_VNODE_TABLE = LITE_OP(LITE_SVC_GMGR, 10),
	GMGR_TELL_MEMBERS = LITE_OP(LITE_SVC_GMGR, 11),
	GMGR_TELL_VNODES = LITE_OP(LITE_SVC_GMGR, 12),
};

/**
 * struct gmgr_join_req - a component comes
 * @name: unique in the rack; -EEXIST while a live member with another
 *	incarnation has it
 * @addr: where it listens
 * @incarnation: random, new each time the component is made
 * @total: bytes of memory or storage it offers
 * @role: enum lite_role
 * @want_id: id it had before gmgr was restarted, 0 for none
 * @vnode_life: gmgr_vnode_table.life of the copy that it keeps, 0: it has none
 * @max_vid: the highest vid that it knows of, that of programs included
 * @reserved: 0
 */
struct gmgr_join_req {
	char name[LITE_NAME_LEN];
	char addr[LITE_ADDR_LEN];
	__le64 incarnation;
	__le64 total;
	__le32 role;
	__le32 want_id;
	__le64 vnode_life;
	__le32 max_vid;
	__le32 reserved;
};

static_assert(sizeof(struct gmgr_join_req) == 136);

/* The highest vid. A member that says it knows a higher one is not believed. */
#define GMGR_TOLD_VID_MAX 0x7fffffff

/**
 * struct gmgr_join_rsp - welcome
 * @node_id: the member's id, never 0
 * @heartbeat_ms: how often to send GMGR_HEARTBEAT
 * @dead_ms: silence after which it is declared dead
 * @flags: GMGR_JOIN_TELL
 * @epoch: of the membership table
 * @life: incarnation of this gmgr
 */
struct gmgr_join_rsp {
	__le32 node_id;
	__le32 heartbeat_ms;
	__le32 dead_ms;
	__le32 flags;
	__le64 epoch;
	__le64 life;
};

static_assert(sizeof(struct gmgr_join_rsp) == 32);

#define GMGR_JOIN_TELL 0x1 /* GMGR_TELL_MEMBERS and _VNODES are wanted */

struct gmgr_leave_req {
	__le32 node_id;
	__le32 reserved;
	__le64 incarnation;
};

static_assert(sizeof(struct gmgr_leave_req) == 16);

/**
 * struct gmgr_heartbeat_req - I live; LITE_ST_STALE means: join again
 * @node_id: from gmgr_join_rsp
 * @nr_spaces: spaces (mComponent) or processes (pComponent) it holds
 * @incarnation: as in the join
 * @total: bytes it offers
 * @used: bytes in use
 */
struct gmgr_heartbeat_req {
	__le32 node_id;
	__le32 nr_spaces;
	__le64 incarnation;
	__le64 total;
	__le64 used;
	__le64 vnode_epoch; /* version of the vNodes that it keeps, 0: none */
};

static_assert(sizeof(struct gmgr_heartbeat_req) == 40);

/* an epoch changed: fetch GMGR_MEMBERS, or GMGR_VNODE_TABLE, again */
struct gmgr_heartbeat_rsp {
	__le64 epoch;
	__le64 vnode_epoch;
};

static_assert(sizeof(struct gmgr_heartbeat_rsp) == 16);

enum gmgr_member_state {
	GMGR_MEMBER_UP = 1,
	GMGR_MEMBER_DEAD = 2, /* silent for dead_ms */
	GMGR_MEMBER_LEFT = 3,
};

struct gmgr_member {
	__le32 node_id;
	__le32 role;
	__le32 state;
	__le32 nr_spaces;
	__le64 incarnation;
	__le64 total;
	__le64 used;
	char name[LITE_NAME_LEN];
	char addr[LITE_ADDR_LEN];
};

static_assert(sizeof(struct gmgr_member) == 136);

/*
 * A peer makes members and vNodes, so there is an end to them, on which those
 * rely that read the lists.
 */
#define GMGR_MEMBERS_LIMIT 256
#define GMGR_VNODES_LIMIT 4096

/* Lists are paged: ask from index @start until @nr entries are 0. */
struct gmgr_list_req {
	__le32 start;
	__le32 reserved;
};

static_assert(sizeof(struct gmgr_list_req) == 8);

#define GMGR_MEMBERS_MAX 24

struct gmgr_members_rsp {
	__le64 epoch;
	__le32 nr;
	__le32 reserved;
	struct gmgr_member member[];
};

static_assert(sizeof(struct gmgr_members_rsp) == 16);

#define GMGR_TELL_MEMBERS_MAX 24

/**
 * struct gmgr_tell_members - GMGR_TELL_MEMBERS, what a member's copy says
 * @epoch: of the copy
 * @nr: how many follow
 * @reserved: 0
 * @member: gmgr takes those that it does not know
 */
struct gmgr_tell_members {
	__le64 epoch;
	__le32 nr;
	__le32 reserved;
	struct gmgr_member member[];
};

static_assert(sizeof(struct gmgr_tell_members) == 16);

#define GMGR_ROOT_LEN 256

/**
 * struct gmgr_vnode - a vNode, in requests and replies
 * @vid: id, 1 to GMGR_TOLD_VID_MAX, given to no other while a vNode or a
 *	program has it; 0 in GMGR_VNODE_CREATE
 * @storage_id: node id of the sComponent that has its files, 0 if away
 * @vip: its address, IPv4 in network order, 0 for none
 * @nr_procs: processes that run in it, at the pComponents that answer; only
 *	in GMGR_VNODE_LIST's reply, else 0
 * @quota: bytes of memory it may hold, 0 for no limit
 * @name: unique
 * @storage: name of the sComponent; empty in a create: gmgr picks one
 * @root: its root, a directory below the sComponent's; "/" for the whole
 */
struct gmgr_vnode {
	__le32 vid;
	__le32 storage_id;
	__be32 vip;
	__le32 nr_procs;
	__le64 quota;
	char name[LITE_NAME_LEN];
	char storage[LITE_NAME_LEN];
	char root[GMGR_ROOT_LEN];
};

static_assert(sizeof(struct gmgr_vnode) == 344);

struct gmgr_vnode_name_req {
	char name[LITE_NAME_LEN];
};

static_assert(sizeof(struct gmgr_vnode_name_req) == 32);

#define GMGR_VNODES_MAX 11

struct gmgr_vnodes_rsp {
	__le32 nr;
	__le32 reserved;
	struct gmgr_vnode vnode[];
};

static_assert(sizeof(struct gmgr_vnodes_rsp) == 8);

#define GMGR_VNODE_TABLE_MAX 10

/**
 * struct gmgr_vnode_table - GMGR_VNODE_TABLE's reply, GMGR_TELL_VNODES' request
 * @life: incarnation of the gmgr that made this version
 * @epoch: of this version, more than of any that came before
 * @next_vid: the next vid is this one or a later one; behind
 *	GMGR_TOLD_VID_MAX they begin at 1 again
 * @nr: how many follow
 * @start: index of the first in the table
 * @left: how many come after them in the table
 * @vnode: a page of the table
 */
struct gmgr_vnode_table {
	__le64 life;
	__le64 epoch;
	__le32 next_vid;
	__le32 nr;
	__le32 start;
	__le32 left;
	struct gmgr_vnode vnode[];
};

static_assert(sizeof(struct gmgr_vnode_table) == 32);

/* Which mComponent shall be the home of a new process of vNode @vid? */
struct gmgr_place_req {
	__le32 vid;
	__le32 pcomp_id;
};

static_assert(sizeof(struct gmgr_place_req) == 8);

struct gmgr_place_rsp {
	__le32 home_id;
	__le32 reserved;
};

static_assert(sizeof(struct gmgr_place_rsp) == 8);

/* ---- MCOMP ---- */

/*
 * A space is named by a 64-bit id that its pComponent makes: the pComponent's
 * node id in the high 32 bits, a number it never reuses in the low ones. A
 * page is named by its index: virtual address >> 12. A space's pages may be
 * spread: @vregion_shift (of the home) cuts the address range.
 *
 * Statuses of these operations:
 *   LITE_ST_NOSPC	full: there is no room for more pages
 *   LITE_ST_BUSY	nothing is wrong, nothing was lost: try again soon. So is
 *			LITE_ST_NOMEM, a lack of kernel memory
 *   LITE_ST_STALE	what is asked for is not here any more: look again where
 *			it is. Never a page of zeroes
 *   LITE_ST_NOENT	FETCH: the page was never written. Never a page of zeroes
 *			either, where the caller knows that it was
 *   LITE_ST_HWPOISON	FETCH: the page is lost, the memory that had it has failed
 *   LITE_ST_EXIST	it is there already
 *   others		bad request: the same one gets the same answer
 */
enum lite_op_mcomp {
	MCOMP_SPACE_CREATE = LITE_OP(LITE_SVC_MCOMP, 1), /* at the home */
	MCOMP_SPACE_DESTROY = LITE_OP(LITE_SVC_MCOMP, 2), /* at the home */
	MCOMP_SPACE_FORK = LITE_OP(LITE_SVC_MCOMP, 3), /* at the home */
	MCOMP_VREGION_GET = LITE_OP(LITE_SVC_MCOMP, 4), /* at the home */
	MCOMP_VMA_UPDATE = LITE_OP(LITE_SVC_MCOMP, 5), /* at each owner */
	MCOMP_FETCH = LITE_OP(LITE_SVC_MCOMP, 6), /* at the owner */
	MCOMP_WRITEBACK = LITE_OP(LITE_SVC_MCOMP, 7), /* at the owner */
	/* between mComponents, the home asks */
	MCOMP_SHARD_CREATE = LITE_OP(LITE_SVC_MCOMP, 8),
	MCOMP_SHARD_DESTROY = LITE_OP(LITE_SVC_MCOMP, 9),
	MCOMP_SHARD_FORK = LITE_OP(LITE_SVC_MCOMP, 10),
	MCOMP_EXPORT = LITE_OP(LITE_SVC_MCOMP, 11), /* at the owner */
};

/*
 * The pComponent has ended the space: it reads no page of it any more. Else an
 * mComponent must take away what it may read before frames are used again.
 */
#define MCOMP_SPACE_UNUSED 0x1

/**
 * struct mcomp_space_req - SPACE_CREATE, SPACE_DESTROY, SHARD_CREATE,
 *	SHARD_DESTROY
 * @space: the space
 * @pcomp_incarnation: whose death frees it
 * @vid: vNode
 * @pcomp_id: node id of the pComponent
 * @flags: MCOMP_SPACE_UNUSED, of SHARD_DESTROY; else 0
 * @reserved: 0
 */
struct mcomp_space_req {
	__le64 space;
	__le64 pcomp_incarnation;
	__le32 vid;
	__le32 pcomp_id;
	__le32 flags;
	__le32 reserved;
};

static_assert(sizeof(struct mcomp_space_req) == 32);

/* SPACE_CREATE's reply: how this home cuts the address range. */
struct mcomp_space_rsp {
	__le32 vregion_shift;
	__le32 reserved;
};

static_assert(sizeof(struct mcomp_space_rsp) == 8);

/*
 * SPACE_FORK, SHARD_FORK: @child becomes a copy-on-write copy of @parent.
 * Idempotent: a repeated one for a child that exists answers LITE_ST_EXIST.
 */
struct mcomp_fork_req {
	__le64 parent;
	__le64 child;
};

static_assert(sizeof(struct mcomp_fork_req) == 16);

struct mcomp_vregion_req {
	__le64 space;
	__le64 vregion; /* address >> vregion_shift */
};

static_assert(sizeof(struct mcomp_vregion_req) == 16);

struct mcomp_vregion_rsp {
	__le32 owner_id;
	__le32 reserved;
};

static_assert(sizeof(struct mcomp_vregion_rsp) == 8);

enum mcomp_vma_kind {
	MCOMP_VMA_MAP = 1, /* [start, start + len) exists with @prot */
	MCOMP_VMA_UNMAP = 2, /* and no more: frames are freed */
	MCOMP_VMA_PROTECT = 3,
	MCOMP_VMA_DISCARD = 4, /* MADV_DONTNEED: frames freed, VMA stays */
};

struct mcomp_vma_op {
	__le64 start;
	__le64 len;
	__le32 kind;
	__le32 prot; /* PROT_* of mmap */
};

static_assert(sizeof(struct mcomp_vma_op) == 24);

#define MCOMP_VMA_OPS_MAX 64

/**
 * struct mcomp_vma_req - changes of a space's address range, in order
 * @space: the space
 * @seq: 1 for the first of this space at this owner, then one more each; a
 *	repeated one is answered and not done again
 * @nr: how many
 * @reserved: 0
 * @op: the changes
 */
struct mcomp_vma_req {
	__le64 space;
	__le64 seq;
	__le32 nr;
	__le32 reserved;
	struct mcomp_vma_op op[];
};

static_assert(sizeof(struct mcomp_vma_req) == 24);

/*
 * FETCH: out segment 0, one page, gets the contents. NOENT: never written. STALE:
 * no such space here, which is never to be taken for a page of zeroes. HWPOISON:
 * it is lost.
 */
struct mcomp_fetch_req {
	__le64 space;
	__le64 index;
};

static_assert(sizeof(struct mcomp_fetch_req) == 16);

#define MCOMP_WRITEBACK_MAX LITE_MAX_SEGS

/**
 * struct mcomp_writeback_req - dirty pages come home
 * @space: the space
 * @nr: pages; in segment i is the page @index[i]
 * @reserved: 0
 * @index: page indices
 *
 * All or nothing in what the caller must believe: on an error any of them may
 * be old or new, and the caller still has them.
 */
struct mcomp_writeback_req {
	__le64 space;
	__le32 nr;
	__le32 reserved;
	__le64 index[];
};

static_assert(sizeof(struct mcomp_writeback_req) == 16);

/**
 * struct mcomp_writeback_rsp - where the pages are now
 * @export: names what this pComponent may read here: MCOMP_EXPORT's @piece is
 *	of it. The same for all spaces that say the same
 * @frame: of each page of the request; one piece is MCOMP_PIECE_FRAMES of them
 *
 * A page's frame stays its own, and is not changed, until the pComponent writes
 * the page back again, unmaps or discards it, or ends the space: until then it
 * may read it there. Where the mComponent frees frames on its own account, it
 * first makes the keys of the whole export worthless.
 */
struct mcomp_writeback_rsp {
	__le64 export;
	__le32 frame[];
};

static_assert(sizeof(struct mcomp_writeback_rsp) == 8);

#define MCOMP_PIECE_FRAMES 256

/**
 * struct mcomp_export_req - EXPORT: let me read pages here by myself
 * @space: any that lives and has the export
 * @piece: frame / MCOMP_PIECE_FRAMES
 * @reserved: 0
 */
struct mcomp_export_req {
	__le64 space;
	__le32 piece;
	__le32 reserved;
};

static_assert(sizeof(struct mcomp_export_req) == 16);

/* The piece; a frame's page is at its number in it. For the same class. */
struct mcomp_export_rsp {
	struct lite_wire_seg seg;
};

static_assert(sizeof(struct mcomp_export_rsp) == 16);

/* ---- SCOMP ---- */

/*
 * Stateless: a request names its file by a path relative to the sComponent's
 * directory, "" being the directory itself. Components are separated by one
 * '/'; "." and ".." and empty ones are refused (LITE_ST_INVAL); a symbolic
 * link is never followed (LITE_ST_LOOP), the pComponent's VFS does that.
 * Each begins with struct scomp_hdr. Groups and paths follow the fixed part, with
 * no NUL. If a message has the fixed part only, then what should follow it is
 * at the beginning of the in segments: it may be longer than a message.
 *
 * What changes files is executed once, and never later than the caller's next
 * request: CREATE, REMOVE, RENAME, SYMLINK, LINK, SETATTR, WRITE and FSYNC. Each
 * has a slot and a number there, as NFSv4.1's requests have in a session. A
 * pComponent has one request under way in a slot, and the next one has a higher
 * number. The sComponent keeps a slot's last number and reply, until it ends:
 *
 *   - the same number: the request was repeated, and is answered with that
 *     reply, or LITE_ST_AGAIN while it is being executed
 *   - a lower one: the request was on its way for too long, and is not executed
 *     (LITE_ST_INVAL; nobody waits for that)
 *   - a higher one is executed, unless the one before still is: LITE_ST_AGAIN
 *
 * A caller that does not wait for the answer any more sends CANCEL with the slot
 * and number. If the request was not executed then it will not be.
 */
enum lite_op_scomp {
	SCOMP_GETATTR = LITE_OP(LITE_SVC_SCOMP, 1),
	SCOMP_SETATTR = LITE_OP(LITE_SVC_SCOMP, 2),
	SCOMP_READ = LITE_OP(LITE_SVC_SCOMP, 3),
	SCOMP_WRITE = LITE_OP(LITE_SVC_SCOMP, 4),
	SCOMP_READDIR = LITE_OP(LITE_SVC_SCOMP, 5),
	SCOMP_READLINK = LITE_OP(LITE_SVC_SCOMP, 6),
	SCOMP_CREATE = LITE_OP(LITE_SVC_SCOMP, 7), /* by type in mode */
	SCOMP_REMOVE = LITE_OP(LITE_SVC_SCOMP, 8), /* unlink, rmdir */
	SCOMP_RENAME = LITE_OP(LITE_SVC_SCOMP, 9),
	SCOMP_SYMLINK = LITE_OP(LITE_SVC_SCOMP, 10),
	SCOMP_LINK = LITE_OP(LITE_SVC_SCOMP, 11),
	SCOMP_FSYNC = LITE_OP(LITE_SVC_SCOMP, 12),
	SCOMP_STATFS = LITE_OP(LITE_SVC_SCOMP, 13),
	SCOMP_CANCEL = LITE_OP(LITE_SVC_SCOMP, 14),
};

#define SCOMP_SLOTS 16384 /* of a pComponent */
#define SCOMP_GROUPS_MAX 1024 /* supplementary ones */
#define SCOMP_PATH_MAX 16384 /* bytes of a path, and a NUL */
#define SCOMP_TARGET_MAX 4096 /* bytes of what a symbolic link says, and a NUL */
#define SCOMP_RSP_MAX 128 /* bytes of a reply that a slot keeps */

/**
 * struct scomp_hdr - begins each request to a sComponent
 * @seq: the request's number in @slot, see above; 0 of those that have none
 * @uid: caller's fsuid
 * @gid: caller's fsgid
 * @vid: vNode
 * @caps: the caller's effective capabilities, of those below 32: bit 1 is
 *	CAP_DAC_OVERRIDE
 * @path_len: bytes of the first path, after the groups
 * @path2_len: bytes of the second, after the first; 0 if there is none
 * @nr_groups: supplementary groups of the caller, le32 each, after the fixed part
 * @slot: less than SCOMP_SLOTS; 0 of those that have none
 */
struct scomp_hdr {
	__le64 seq;
	__le32 uid;
	__le32 gid;
	__le32 vid;
	__le32 caps;
	__le16 path_len;
	__le16 path2_len;
	__le16 nr_groups;
	__le16 slot;
};

static_assert(sizeof(struct scomp_hdr) == 32);

struct scomp_attr {
	__le64 ino;
	__le64 size;
	__le64 blocks; /* of 512 bytes */
	__le64 atime_sec;
	__le64 mtime_sec;
	__le64 ctime_sec;
	__le32 atime_nsec;
	__le32 mtime_nsec;
	__le32 ctime_nsec;
	__le32 mode;
	__le32 nlink;
	__le32 uid;
	__le32 gid;
	__le32 rdev; /* new_encode_dev() */
	__le32 blksize;
	__le32 generation; /* of the inode number, 0 if not known */
};

static_assert(sizeof(struct scomp_attr) == 88);

/*
 * Which file a change is for: if its path leads to another one now, that is
 * left alone (LITE_ST_EXIST). @ino 0: whatever is there.
 */
struct scomp_file {
	__le64 ino;
	__le32 generation;
	__le32 reserved;
};

static_assert(sizeof(struct scomp_file) == 16);

/*
 * What a file was before a change: whoever remembers another one knows that
 * others changed it, too. No other change of this sComponent's comes between.
 */
struct scomp_before {
	__le64 size;
	__le64 mtime_sec;
	__le64 ctime_sec;
	__le32 mtime_nsec;
	__le32 ctime_nsec;
};

static_assert(sizeof(struct scomp_before) == 32);

/*
 * GETATTR, READLINK, FSYNC, STATFS; CANCEL (no path). LINK: path exists, path2 is
 * the new name; replies with struct scomp_attr.
 */
struct scomp_path_req {
	struct scomp_hdr hdr;
};

static_assert(sizeof(struct scomp_path_req) == 32);

/**
 * struct scomp_cancel_rsp - CANCEL's reply; LITE_ST_AGAIN: it is being executed
 * @ran: 1: the request was executed: its reply follows; 0: it will not be
 * @status: the reply's
 */
struct scomp_cancel_rsp {
	__le32 ran;
	__le32 status;
};

static_assert(sizeof(struct scomp_cancel_rsp) == 8);

/*
 * READLINK's reply: the target follows; or, if @len is more than fits, it is in
 * the out segments. LITE_ST_BADLEN: there is no room there either.
 */
struct scomp_readlink_rsp {
	__le32 len;
	__le32 reserved;
};

static_assert(sizeof(struct scomp_readlink_rsp) == 8);

#define SCOMP_SET_MODE 0x1
#define SCOMP_SET_UID 0x2
#define SCOMP_SET_GID 0x4
#define SCOMP_SET_SIZE 0x8
#define SCOMP_SET_ATIME 0x10 /* to the value given */
#define SCOMP_SET_MTIME 0x20
#define SCOMP_SET_ATIME_NOW 0x40 /* to the sComponent's clock */
#define SCOMP_SET_MTIME_NOW 0x80
/*
 * The set-user-ID and the set-group-ID bit are taken away, and the file's
 * capabilities, as when others write to it; not together with SCOMP_SET_MODE.
 * Alone, or with a size, nobody's rights are needed.
 */
#define SCOMP_KILL_SUID 0x100
#define SCOMP_KILL_SGID 0x200
#define SCOMP_SET_ALL 0x3ff

struct scomp_setattr_req {
	struct scomp_hdr hdr;
	__le32 valid; /* SCOMP_SET_* */
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le64 size;
	__le64 atime_sec;
	__le64 mtime_sec;
	__le32 atime_nsec;
	__le32 mtime_nsec;
	struct scomp_file file;
};

static_assert(sizeof(struct scomp_setattr_req) == 96);

struct scomp_setattr_rsp {
	struct scomp_attr attr;
	struct scomp_before before;
};

static_assert(sizeof(struct scomp_setattr_rsp) == 120);

#define SCOMP_IO_MAX (256 * 1024)

/*
 * READ: data by RDMA into the out segments, reply says how much and the
 * attributes after. WRITE: data from the in segments, @count bytes at @offset,
 * stable after an FSYNC that replies with the same verifier. With
 * SCOMP_IO_APPEND it is at the end, @offset is 0, and the reply's attr.size says
 * where that is after it.
 */
#define SCOMP_IO_APPEND 0x1

struct scomp_io_req {
	struct scomp_hdr hdr;
	__le64 offset;
	__le32 count;
	__le32 flags; /* of WRITE: SCOMP_IO_APPEND or 0 */
	struct scomp_file file;
};

static_assert(sizeof(struct scomp_io_req) == 64);

/**
 * struct scomp_io_rsp - READ's and WRITE's reply
 * @count: bytes
 * @verifier: of WRITE: another one than before: the sComponent's server was
 *	started again since then, and what was written may be lost. Not 0. 0 of
 *	READ
 * @attr: attributes after it
 * @before: of WRITE: what others may have changed before it; 0 of READ
 */
struct scomp_io_rsp {
	__le32 count;
	__le32 verifier;
	struct scomp_attr attr;
	struct scomp_before before;
};

static_assert(sizeof(struct scomp_io_rsp) == 128);

struct scomp_fsync_rsp {
	__le32 verifier; /* as WRITE's */
	__le32 reserved;
};

static_assert(sizeof(struct scomp_fsync_rsp) == 8);

/*
 * READDIR: entries by RDMA into the out segments, from @cookie (0 at first);
 * reply: bytes written, the cookie to go on from, and whether that is all.
 */
struct scomp_readdir_req {
	struct scomp_hdr hdr;
	__le64 cookie;
	__le32 count;
	__le32 reserved;
};

static_assert(sizeof(struct scomp_readdir_req) == 48);

struct scomp_readdir_rsp {
	__le64 cookie;
	__le32 count;
	__le32 eof; /* 1: nothing follows */
};

static_assert(sizeof(struct scomp_readdir_rsp) == 16);

/* Each entry is padded to 8 bytes; @cookie is that of the entry after it. */
struct scomp_dirent {
	__le64 ino;
	__le64 cookie;
	__le16 name_len;
	__u8 type; /* DT_* */
	__u8 reserved;
	char name[];
};

#define SCOMP_DIRENT_HDR 20

/* What to do if the name is there: */
#define SCOMP_OPEN 0 /* nothing, that is what is wanted */
#define SCOMP_EXCL 1 /* LITE_ST_EXIST */
#define SCOMP_EXCL_AGAIN 2 /* the same, unless it has this request's mark */

/**
 * struct scomp_create_req - CREATE: a file, directory, fifo, socket or device
 * @hdr: header
 * @mode: its S_IFMT says which
 * @rdev: of a device
 * @excl: SCOMP_OPEN, SCOMP_EXCL or SCOMP_EXCL_AGAIN
 * @mark: random number, 1 to 999999999, which tells what this request has made from
 *	what others did, also after a restart of the sComponent: the nanoseconds
 *	of its access time, where the file system keeps them; 0: none. An idea of
 *	NFSv3's (RFC 1813, CREATE with EXCLUSIVE)
 */
struct scomp_create_req {
	struct scomp_hdr hdr;
	__le32 mode;
	__le32 rdev;
	__le32 excl;
	__le32 mark;
};

static_assert(sizeof(struct scomp_create_req) == 48);

/* SYMLINK: path is the new link, path2 what it says; replies as CREATE. */
struct scomp_symlink_req {
	struct scomp_hdr hdr;
	__le32 excl; /* SCOMP_EXCL or SCOMP_EXCL_AGAIN */
	__le32 mark;
};

static_assert(sizeof(struct scomp_symlink_req) == 40);

struct scomp_remove_req {
	struct scomp_hdr hdr;
	__le32 dir; /* 1: rmdir, 0: unlink */
	__le32 reserved;
};

static_assert(sizeof(struct scomp_remove_req) == 40);

/*
 * Not Linux's: the caller's rights count where the file is, as if it removed it
 * there. The other name is the pComponent's own.
 */
#define SCOMP_RENAME_AWAY 0x8

struct scomp_rename_req {
	struct scomp_hdr hdr; /* path: from, path2: to */
	__le32 flags; /* RENAME_NOREPLACE, RENAME_EXCHANGE, or _AWAY alone */
	__le32 reserved;
};

static_assert(sizeof(struct scomp_rename_req) == 40);

struct scomp_statfs_rsp {
	__le64 blocks;
	__le64 bfree;
	__le64 bavail;
	__le64 files;
	__le64 ffree;
	__le32 bsize;
	__le32 namelen;
};

static_assert(sizeof(struct scomp_statfs_rsp) == 48);

/* ---- PCOMP ---- */

enum lite_op_pcomp {
	PCOMP_PROCS = LITE_OP(LITE_SVC_PCOMP, 1),
	PCOMP_LOCKS = LITE_OP(LITE_SVC_PCOMP, 2),
	PCOMP_LIVING = LITE_OP(LITE_SVC_PCOMP, 3),
};

/* How many processes run here in vNode @vid? */
struct pcomp_procs_req {
	__le32 vid;
	__le32 reserved;
};

static_assert(sizeof(struct pcomp_procs_req) == 8);

struct pcomp_procs_rsp {
	__le32 nr;
	__le32 reserved;
};

static_assert(sizeof(struct pcomp_procs_rsp) == 8);

/*
 * Does a program here have a lock on a file of vNode @vid, or may it get one? A
 * pComponent asks all others before it grants one itself.
 */
struct pcomp_locks_req {
	__le64 incarnation; /* of who asks */
	__le32 vid;
	__le32 reserved;
};

static_assert(sizeof(struct pcomp_locks_req) == 16);

struct pcomp_locks_rsp {
	__le32 held; /* 1: yes */
	__le32 reserved;
};

static_assert(sizeof(struct pcomp_locks_rsp) == 8);

#define PCOMP_LIVING_MAX 256

/**
 * struct pcomp_living_req - which of these spaces have you?
 * @incarnation: the pComponent's; LITE_ST_STALE if it is another one
 * @nr: how many, at most PCOMP_LIVING_MAX
 * @reserved: 0
 * @space: ids, made by that incarnation
 */
struct pcomp_living_req {
	__le64 incarnation;
	__le32 nr;
	__le32 reserved;
	__le64 space[];
};

static_assert(sizeof(struct pcomp_living_req) == 16);

/**
 * struct pcomp_living_rsp - these
 * @bits: bit i % 64 of word i / 64 is of the request's space i. 1: it lives, or
 *	is being made, or mComponents are still being told of its end. 0: it has
 *	ended, and no message about it will be sent any more
 */
struct pcomp_living_rsp {
	__le64 bits[4];
};

static_assert(sizeof(struct pcomp_living_rsp) == PCOMP_LIVING_MAX / 8);

/* ---- USER: programs that use /dev/lite ---- */

enum lite_op_user {
	LITE_USER_CALL = LITE_OP(LITE_SVC_USER, 1), /* reply: a message */
	LITE_USER_SEND = LITE_OP(LITE_SVC_USER, 2), /* one-way */
};

#define LITE_USER_MSG_MAX 3072

/**
 * struct lite_user_req - USER_CALL, USER_SEND: from a program to a program
 * @op: what is asked, a number that only the two know
 * @reserved: 0
 *
 * Followed by at most LITE_USER_MSG_MAX bytes of message. The reply is a
 * message, too.
 */
struct lite_user_req {
	__le32 op;
	__le32 reserved;
};

static_assert(sizeof(struct lite_user_req) == 8);

#endif /* _LEGO_PROTO_H */
