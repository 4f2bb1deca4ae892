/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/lite: messages, registered memory and LMRs (named memory at any node)
 * for programs. An open file is a node of its own; liblite (tools/lite) wraps
 * the ioctls. docs/ABI/dev-lite tells their errors.
 */
#ifndef _UAPI_LEGO_LITE_H
#define _UAPI_LEGO_LITE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LITE_U_DEV "/dev/lite"
#define LITE_U_NAME_LEN 32
#define LITE_U_ADDR_LEN 64
#define LITE_U_SGES_MAX 16 /* pieces in one direction of a call */
#define LITE_U_MSG_MAX 3072 /* bytes of a request's or reply's message */
#define LITE_U_ASYNC_MAX 4096 /* asynchronous calls under way, a file */
#define LITE_U_HANDLES_MAX 4096 /* regions, peers, LMRs: each, a file */

/**
 * struct lite_u_node - LITE_IOC_NODE: make the file's node, once
 * @name: unique in this kernel
 * @addr: where it listens: "IP:port", or "" for "loop:" and its name, which
 *	only this kernel's nodes reach; out: in normal form
 * @incarnation: out: tells it from all other nodes there ever were
 */
struct lite_u_node {
	char name[LITE_U_NAME_LEN];
	char addr[LITE_U_ADDR_LEN];
	__u64 incarnation;
};

#define LITE_U_READ 0x1
#define LITE_U_WRITE 0x2

/**
 * struct lite_u_mem - LITE_IOC_MEM_ALLOC: memory that can be moved uncopied
 * @size: bytes, rounded up to whole pages; counted against RLIMIT_MEMLOCK
 * @access: LITE_U_*: calls may let the peer do this
 * @id: out: for struct lite_u_sge and LITE_IOC_MEM_FREE
 * @offset: out: for mmap()
 */
struct lite_u_mem {
	__u64 size;
	__u32 access;
	__u32 id;
	__u64 offset;
};

/**
 * struct lite_u_sge - a piece of such memory
 * @mem: id
 * @len: bytes, not 0
 * @off: where
 */
struct lite_u_sge {
	__u32 mem;
	__u32 len;
	__u64 off;
};

/**
 * struct lite_u_peer - LITE_IOC_PEER_GET: another node; does not connect
 * @addr: where it listens
 * @incarnation: only this one, 0: any
 * @id: out: for calls, LITE_IOC_PEER_PUT
 * @reserved: 0
 */
struct lite_u_peer {
	char addr[LITE_U_ADDR_LEN];
	__u64 incarnation;
	__u32 id;
	__u32 reserved;
};

#define LITE_U_ASYNC 0x1 /* LITE_IOC_DONE tells the end */
#define LITE_U_ONEWAY 0x2 /* no reply, and none knows whether it came */

/* traffic classes, each on a queue pair of its own */
#define LITE_U_CLASS_NORMAL 0
#define LITE_U_CLASS_URGENT 1
#define LITE_U_CLASS_BULK 2

/**
 * struct lite_u_call - LITE_IOC_CALL
 * @peer: whom
 * @op: what is asked, a number that means something to the two programs
 * @req: message, copied
 * @req_len: its bytes, at most LITE_U_MSG_MAX
 * @rsp_size: room at @rsp; a longer reply is EMSGSIZE
 * @rsp: where the reply's message goes; not for LITE_U_ASYNC
 * @in: struct lite_u_sge: what the peer may read (LITE_U_READ)
 * @out: the same, what it may write (LITE_U_WRITE)
 * @nr_in: of @in
 * @nr_out: of @out
 * @timeout_ms: 0: 10 seconds
 * @class: LITE_U_CLASS_*
 * @flags: LITE_U_ASYNC, LITE_U_ONEWAY
 * @rsp_len: out: bytes of the reply's message
 * @cookie: comes back in struct lite_u_done
 *
 * The memory of @in and @out is the call's till its end.
 */
struct lite_u_call {
	__u32 peer;
	__u32 op;
	__u64 req;
	__u32 req_len;
	__u32 rsp_size;
	__u64 rsp;
	__u64 in;
	__u64 out;
	__u32 nr_in;
	__u32 nr_out;
	__u32 timeout_ms;
	__u16 class;
	__u16 flags;
	__u32 rsp_len;
	__u32 reserved;
	__u64 cookie;
};

#define LITE_U_FOREVER (~0U)

/**
 * struct lite_u_done - LITE_IOC_DONE: the end of an asynchronous call
 * @cookie: out: the call's
 * @rsp: where the reply's message goes
 * @rsp_size: room there
 * @rsp_len: out: its bytes, also where there was less room
 * @status: out: 0 or a negative errno
 * @timeout_ms: how long to wait for one, LITE_U_FOREVER, or 0 not to
 */
struct lite_u_done {
	__u64 cookie;
	__u64 rsp;
	__u32 rsp_size;
	__u32 rsp_len;
	__s32 status;
	__u32 timeout_ms;
};

/**
 * struct lite_u_recv - LITE_IOC_RECV: take the next request
 * @id: out: for LITE_IOC_PULL, LITE_IOC_REPLY; 0: one-way, no reply
 * @peer: out: incarnation of who asks
 * @buf: where the message goes
 * @size: room there, at least LITE_U_MSG_MAX
 * @op: out
 * @len: out: bytes of the message
 * @in_len: out: bytes it offers for LITE_IOC_PULL
 * @out_len: out: bytes of room it has for LITE_IOC_REPLY
 * @timeout_ms: how long to wait for one, LITE_U_FOREVER, or 0 not to
 */
struct lite_u_recv {
	__u64 id;
	__u64 peer;
	__u64 buf;
	__u32 size;
	__u32 op;
	__u32 len;
	__u32 in_len;
	__u32 out_len;
	__u32 timeout_ms;
};

/* A request that is not answered for so long is, with EBUSY. */
#define LITE_U_HOLD_MS 60000

/**
 * struct lite_u_pull - LITE_IOC_PULL: read what the caller offers
 * @id: of the request
 * @off: where in it
 * @sge: struct lite_u_sge: where to
 * @nr: of @sge
 * @reserved: 0
 */
struct lite_u_pull {
	__u64 id;
	__u64 off;
	__u64 sge;
	__u32 nr;
	__u32 reserved;
};

/**
 * struct lite_u_reply - LITE_IOC_REPLY: answer; the request is gone
 * @id: of the request
 * @rsp: message
 * @rsp_len: its bytes, at most LITE_U_MSG_MAX
 * @error: an errno the caller gets, 0 for none; EIO for one of those that the
 *	wire has no word for
 * @off: where in the caller's out segments
 * @sge: struct lite_u_sge: what is written there, not copied: the ioctl returns
 *	when it is sent
 * @nr: of @sge
 * @reserved: 0
 */
struct lite_u_reply {
	__u64 id;
	__u64 rsp;
	__u32 rsp_len;
	__u32 error;
	__u64 off;
	__u64 sge;
	__u32 nr;
	__u32 reserved;
};

/**
 * struct lite_u_lmr - LITE_IOC_LMR_ALLOC, LITE_IOC_LMR_MAP
 * @name: unique at its node
 * @peer: where
 * @access: LITE_U_*: what others may (ALLOC), what for (MAP)
 * @size: bytes (ALLOC); out: bytes, whole pages (MAP)
 * @id: out (MAP): for all the others
 * @reserved: 0
 */
struct lite_u_lmr {
	char name[LITE_U_NAME_LEN];
	__u32 peer;
	__u32 access;
	__u64 size;
	__u32 id;
	__u32 reserved;
};

/**
 * struct lite_u_grant - LITE_IOC_LMR_GRANT: what a node may with one's own
 * @incarnation: of the node
 * @id: LMR
 * @access: LITE_U_*, or 0
 */
struct lite_u_grant {
	__u64 incarnation;
	__u32 id;
	__u32 access;
};

/**
 * struct lite_u_move - LITE_IOC_LMR_READ, LITE_IOC_LMR_WRITE: one-sided
 * @off: where in the LMR
 * @sge: struct lite_u_sge: where to, where from
 * @id: LMR
 * @nr: of @sge
 */
struct lite_u_move {
	__u64 off;
	__u64 sge;
	__u32 id;
	__u32 nr;
};

/**
 * struct lite_u_set - LITE_IOC_LMR_SET
 * @off: where
 * @len: bytes
 * @id: LMR
 * @byte: what with
 */
struct lite_u_set {
	__u64 off;
	__u64 len;
	__u32 id;
	__u32 byte;
};

/**
 * struct lite_u_copy - LITE_IOC_LMR_COPY, as memmove()
 * @to_off: where in @to
 * @from_off: where in @from
 * @len: bytes
 * @to: LMR
 * @from: LMR
 */
struct lite_u_copy {
	__u64 to_off;
	__u64 from_off;
	__u64 len;
	__u32 to;
	__u32 from;
};

/**
 * struct lite_u_atomic - LITE_IOC_LMR_ADD, LITE_IOC_LMR_CAS
 * @off: a multiple of 8; the word is little endian
 * @value: to add; what it shall be
 * @expect: what it must be (CAS)
 * @old: out: what it was
 * @id: LMR
 * @reserved: 0
 */
struct lite_u_atomic {
	__u64 off;
	__u64 value;
	__u64 expect;
	__u64 old;
	__u32 id;
	__u32 reserved;
};

/**
 * struct lite_u_lock - LITE_IOC_LOCK, LITE_IOC_BARRIER
 * @name: of the lock or barrier, at its node
 * @peer: the node that keeps it
 * @wait_ms: how long to wait, at most an hour; 0: not at all, EBUSY (LOCK)
 * @lease_ms: it is held so long without a word of this node, 200 to 600000; 0:
 *	10 seconds; renewed in the background (LOCK)
 * @nr: how many pass together (BARRIER)
 * @id: out: for LITE_IOC_UNLOCK, LITE_IOC_LOCK_CHECK (LOCK)
 * @reserved: 0
 * @token: out: grows with each hold of any lock of that node (LOCK)
 */
struct lite_u_lock {
	char name[LITE_U_NAME_LEN];
	__u32 peer;
	__u32 wait_ms;
	__u32 lease_ms;
	__u32 nr;
	__u32 id;
	__u32 reserved;
	__u64 token;
};

#define LITE_IOC_NODE _IOWR('l', 0x40, struct lite_u_node)
#define LITE_IOC_MEM_ALLOC _IOWR('l', 0x41, struct lite_u_mem)
#define LITE_IOC_MEM_FREE _IOW('l', 0x42, __u32)
#define LITE_IOC_PEER_GET _IOWR('l', 0x43, struct lite_u_peer)
#define LITE_IOC_PEER_PUT _IOW('l', 0x44, __u32)
#define LITE_IOC_CALL _IOWR('l', 0x45, struct lite_u_call)
#define LITE_IOC_DONE _IOWR('l', 0x46, struct lite_u_done)
#define LITE_IOC_RECV _IOWR('l', 0x47, struct lite_u_recv)
#define LITE_IOC_PULL _IOW('l', 0x48, struct lite_u_pull)
#define LITE_IOC_REPLY _IOW('l', 0x49, struct lite_u_reply)
#define LITE_IOC_LMR_ALLOC _IOW('l', 0x4a, struct lite_u_lmr)
#define LITE_IOC_LMR_MAP _IOWR('l', 0x4b, struct lite_u_lmr)
#define LITE_IOC_LMR_UNMAP _IOW('l', 0x4c, __u32)
#define LITE_IOC_LMR_FREE _IOW('l', 0x4d, __u32)
#define LITE_IOC_LMR_GRANT _IOW('l', 0x4e, struct lite_u_grant)
#define LITE_IOC_LMR_READ _IOW('l', 0x4f, struct lite_u_move)
#define LITE_IOC_LMR_WRITE _IOW('l', 0x50, struct lite_u_move)
#define LITE_IOC_LMR_SET _IOW('l', 0x51, struct lite_u_set)
#define LITE_IOC_LMR_COPY _IOW('l', 0x52, struct lite_u_copy)
#define LITE_IOC_LMR_ADD _IOWR('l', 0x53, struct lite_u_atomic)
#define LITE_IOC_LMR_CAS _IOWR('l', 0x54, struct lite_u_atomic)
#define LITE_IOC_LOCK _IOWR('l', 0x55, struct lite_u_lock)
#define LITE_IOC_UNLOCK _IOW('l', 0x56, __u32)
#define LITE_IOC_LOCK_CHECK _IOW('l', 0x57, __u32)
#define LITE_IOC_BARRIER _IOW('l', 0x58, struct lite_u_lock)

#endif /* _UAPI_LEGO_LITE_H */
