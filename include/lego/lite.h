/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lite_rpc's kernel API: nodes, registered memory, calls, services, and the
 * membership a node sees. After LITE (SOSP'17) and LegoOS's FIT; transports
 * after nvmet's and rtrs's.
 */
#ifndef _LEGO_LITE_H
#define _LEGO_LITE_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/types.h>
#include <lego/proto.h>

struct config_group;
struct dentry;
struct kobject;
struct page;

struct lite_node; /* one endpoint: a component's name, address, handlers */
struct lite_peer; /* another node as this one sees it, connected on demand */
struct lite_mr; /* memory mapped and registered once */
struct lite_req; /* a request being served */

/*
 * Memory
 */

/**
 * struct lite_sge - a piece of registered memory
 * @mr: the region
 * @off: byte offset in it
 * @len: bytes
 */
struct lite_sge {
	struct lite_mr *mr;
	u64 off;
	u32 len;
};

#define LITE_MR_LOCAL 0 /* only this node's own pull and push */
#define LITE_MR_READ 1 /* calls may let the peer read from it */
#define LITE_MR_WRITE 2 /* calls may let the peer write to it */

/**
 * lite_mr_create() - map and register pages, once, for many calls
 * @node: the node that will use them
 * @pages: the pages, each PAGE_SIZE; the array is copied
 * @nr: how many; no upper limit (one key each MiB or more inside: a struct
 *	lite_sge that crosses a MiB of the region may take two segments)
 * @access: LITE_MR_*
 *
 * Context: process, may sleep.
 * Return: the region or ERR_PTR. The pages stay the caller's.
 */
struct lite_mr *lite_mr_create(struct lite_node *node, struct page **pages,
			       unsigned int nr, unsigned int access);

/**
 * lite_mr_destroy() - the keys are dead and the pages unmapped on return
 * @mr: no call that names it may be outstanding; NULL and ERR_PTR are ignored
 *
 * Context: process, may sleep.
 */
void lite_mr_destroy(struct lite_mr *mr);

/**
 * lite_mr_revoke() - begin to destroy a region, one of many
 * @mr: as for lite_mr_destroy(); the next is synchronize_rcu(), once for all of
 *	them, after which the keys are dead; and the last lite_mr_free()
 *
 * Context: process, may sleep.
 */
void lite_mr_revoke(struct lite_mr *mr);

/**
 * lite_mr_free() - end what lite_mr_revoke() began
 * @mr: the region
 */
void lite_mr_free(struct lite_mr *mr);

/*
 * Calls
 */

/**
 * enum lite_class - traffic classes, each on a queue pair of its own
 * @LITE_CLASS_CONTROL: membership, files, address-space changes
 * @LITE_CLASS_DEMAND: a thread waits for a page
 * @LITE_CLASS_PREFETCH: pages that somebody may want: after what is wanted now,
 *	ahead of what nobody waits for
 * @LITE_CLASS_WRITEBACK: eviction
 *
 * A class that nobody uses has no connection, and costs a peer the bookkeeping
 * of a link (6.6 KiB), and no buffers.
 */
enum lite_class {
	LITE_CLASS_CONTROL,
	LITE_CLASS_DEMAND,
	LITE_CLASS_PREFETCH,
	LITE_CLASS_WRITEBACK,
	LITE_CLASS_NR
};

/**
 * struct lite_call - one call, all of it the caller's memory
 * @op: operation
 * @class: enum lite_class
 * @req: payload, copied before lite_call_start() returns
 * @req_len: its bytes
 * @rsp: where the reply's payload is copied, or NULL
 * @rsp_size: room there; a longer reply is -EMSGSIZE
 * @rsp_len: set to the reply's length
 * @in: what the server may read (LITE_MR_READ)
 * @nr_in: how many, at most LITE_MAX_SEGS
 * @out: where the server may write (LITE_MR_WRITE)
 * @nr_out: how many, at most LITE_MAX_SEGS
 * @timeout_ms: 0 for the default (LITE_TIMEOUT_MS)
 * @nokill: lite_call(): a fatal signal does not end the wait
 * @done: asynchronous calls: called exactly once, from any context including
 *	softirq, when the call is over and the peer can no longer touch any of
 *	its memory; may free the call. Must not sleep.
 * @priv: the caller's
 * @status: 0, or the handler's error, or -ETIMEDOUT (may have been executed),
 *	-ECONNRESET (the link died, may have been executed), -ENOTCONN (was not
 *	sent), -EHOSTUNREACH (was not sent: no answer, or gmgr says that the
 *	peer is dead), -ESTALE (was not sent: another incarnation is at its
 *	address), -EMSGSIZE, -ESHUTDOWN (node going away); or
 *	lite_peer_connect()'s, or -ENODEV (@in or @out is not yet registered at
 *	the node's new device). See lite_no_answer()
 * @list: lite_rpc's own
 * @deadline: lite_rpc's own
 *
 * @in, @out, @rsp must stay valid till the call is over.
 */
struct lite_call {
	u16 op;
	u8 class;
	const void *req;
	u32 req_len;
	void *rsp;
	u32 rsp_size;
	u32 rsp_len;
	const struct lite_sge *in;
	u8 nr_in;
	const struct lite_sge *out;
	u8 nr_out;
	u32 timeout_ms;
	bool nokill;
	void (*done)(struct lite_call *call);
	void *priv;
	int status;
	struct list_head list;
	unsigned long deadline;
};

#define LITE_TIMEOUT_MS 10000

/**
 * lite_call() - call and wait
 * @peer: whom
 * @call: what; @done is ignored
 *
 * Connects first where needed. Waits at most the time-out, and until the peer
 * can no longer touch @call's memory: of a call with @out alone the peer is told
 * to give it up, and has a second to say so; then, and for one with @in at once,
 * the link is reset, which ends all calls of it. Unless @call->nokill, a fatal
 * signal ends the wait early (-EINTR): at once for a call without @in and @out,
 * others as if their time were over in 2 s.
 *
 * Context: process, may sleep, no spinlock held. Safe in reclaim
 *	(memalloc_noio) once connected.
 * Return: @call->status.
 */
int lite_call(struct lite_peer *peer, struct lite_call *call);

/**
 * lite_no_answer() - does a call's error say that its peer did not answer?
 * @err: struct lite_call's status
 *
 * It may have been executed (-ETIMEDOUT, -ECONNRESET) or not. No handler answers
 * so, but with -EHOSTUNREACH if it is not ready. The one list of these errors: for
 * how long to try again, and whether that does harm, is the caller's to know.
 * Others that may not be for good are -EAGAIN, -ENOMEM (also handlers'), -EINTR,
 * and -ESTALE for those who can find the peer's next incarnation.
 *
 * Context: any. Return: whether it does.
 */
static inline bool lite_no_answer(int err)
{
	switch (err) {
	case -ETIMEDOUT:
	case -ECONNRESET:
	case -ENOTCONN:
	case -ECONNREFUSED:
	case -EHOSTUNREACH:
	case -ENETUNREACH: /* these three: it is our own network that is down */
	case -EADDRNOTAVAIL:
	case -ENODEV:
	case -ENOKEY: /* keys are being changed */
	case -EKEYREJECTED:
	case -EPROTONOSUPPORT: /* nothing of ours is there now */
		return true;
	default:
		return false;
	}
}

/**
 * lite_call_start() - call and be told by @call->done
 * @peer: whom
 * @call: what
 *
 * Context: any but hard interrupt; never sleeps.
 * Return: 0: @done will be (or has been) called. Else it will not: -ENOTCONN
 *	(use lite_peer_connect()), -EAGAIN (no credit: all slots are out; see
 *	lite_peer_wait_slot()).
 */
int lite_call_start(struct lite_peer *peer, struct lite_call *call);

/**
 * lite_call_queue() - call as soon as there is a slot and a connection
 * @peer: whom
 * @call: what; its time-out counts from here
 *
 * As lite_call_start(), but the call waits for what that would return, behind
 * those that wait already, and through reconnections: thousands may. It waits
 * three quarters of its time-out, then it is over (-ETIMEDOUT, not sent); to a
 * peer that is known to be dead or another one now it is over at once.
 * @call->done is called exactly once in any case, perhaps before this returns.
 * Context: any but hard interrupt; never sleeps.
 */
void lite_call_queue(struct lite_peer *peer, struct lite_call *call);

/**
 * lite_call_many() - call many peers at once and wait for all
 * @peer: whom, each
 * @call: what, each; @done and @priv are lite_rpc's, @status tells the outcome
 * @nr: how many
 *
 * Context: process, may sleep, bounded as lite_call() is; a fatal signal ends it
 *	as lite_call() with memory.
 * Return: 0, or the first error in order.
 */
int lite_call_many(struct lite_peer *const *peer, struct lite_call *call,
		   unsigned int nr);

/**
 * lite_read_start() - read a peer's memory without its processors' help
 * @peer: whose
 * @seg: of what lite_req_export() made there and a reply brought here; copied
 * @call: @call->out[0] says where to: as many bytes as @seg, at most
 *	LITE_MOVE_MAX; @class, @timeout_ms, @done and @priv as for a call,
 *	@nr_in is 0
 *
 * A dead key ends the connection, and with it all calls of the link:
 * -ECONNRESET, and what the memory then holds is undefined.
 * Context: as lite_call_start(). Return: as lite_call_start(), or -EINVAL.
 * What one-sided RDMA systems do: LITE (SOSP'17), Pilaf (ATC'13).
 */
int lite_read_start(struct lite_peer *peer, const struct lite_wire_seg *seg,
		    struct lite_call *call);

#define LITE_MOVE_MAX (64 * 1024)

/**
 * lite_write_start() - write a peer's memory without its processors' help
 * @peer: whose
 * @seg: as for lite_read_start(), of a region with LITE_MR_WRITE
 * @call: @call->in[0] says where from, and must not change till the end
 *
 * Context, return: as lite_read_start(). At the end it is there.
 */
int lite_write_start(struct lite_peer *peer, const struct lite_wire_seg *seg,
		     struct lite_call *call);

/**
 * lite_call_spin() - wait actively for a call's end, where that pays
 * @peer: whom
 * @class: the call's class
 * @over: tells that it is over; any context
 * @arg: its argument
 *
 * Over a fast network an interrupt, a softirq and a wake-up cost as much as the
 * call. So one whose CPU nobody else wants takes the replies off the queue
 * itself (also those of other callers). Returns at the call's end, or when
 * another task wants the CPU, or after twice what calls took lately; at once
 * where that is more than the parameter spin_us, or spin_demand_us for
 * LITE_CLASS_DEMAND. Then one sleeps.
 *
 * Context: process. What polling drivers and networks do: LITE (SOSP'17),
 *	drivers/vhost/net.c.
 */
void lite_call_spin(struct lite_peer *peer, u8 class, bool (*over)(void *arg),
		    void *arg);

/**
 * lite_notify() - one-way: no reply, at most once, the caller waits for nothing
 * @peer: whom
 * @class: enum lite_class
 * @op: operation
 * @req: payload
 * @len: its bytes
 *
 * Context: any but hard interrupt.
 * Return: 0 if it was handed to the link.
 */
int lite_notify(struct lite_peer *peer, u8 class, u16 op, const void *req,
		u32 len);

/**
 * lite_peer_get() - a peer by address
 * @node: this node
 * @addr: "IP:port", or "loop:NAME"; an address that a node of this very kernel
 *	listens on is reached over the loop transport
 * @incarnation: connect only to this incarnation (-ESTALE), 0 for any
 *
 * Does not connect. One object per node, address and incarnation.
 * Context: process.
 * Return: a reference, for lite_peer_put(), or ERR_PTR.
 */
struct lite_peer *lite_peer_get(struct lite_node *node, const char *addr,
				u64 incarnation);
void lite_peer_put(struct lite_peer *peer);

/**
 * lite_peer_connect() - make the link of a class ready for lite_call_start()
 * @peer: whom
 * @class: enum lite_class
 *
 * Context: process, may sleep, bounded (5 s) and killable.
 * Return: 0, -ECONNREFUSED, -EHOSTUNREACH (at once if gmgr says that this
 *	incarnation is dead), -ETIMEDOUT, -ESTALE (another incarnation; at once
 *	when that is known), -EPROTONOSUPPORT (another protocol version),
 *	-ENOKEY (no key that both sides have), -EKEYREJECTED (it was not
 *	proved), -EINTR, -ESHUTDOWN; -ENETUNREACH, -EADDRNOTAVAIL, -ENODEV
 *	(this node's own network or device is not there), -EAFNOSUPPORT,
 *	-ENOMEM.
 */
int lite_peer_connect(struct lite_peer *peer, u8 class);

/**
 * lite_peer_wait_slot() - wait until lite_call_start() may find a slot
 * @peer: whom
 * @class: enum lite_class
 *
 * Context: process, bounded (100 ms) and killable.
 */
int lite_peer_wait_slot(struct lite_peer *peer, u8 class);

/**
 * lite_peer_reset() - break all links to a peer, ending all calls
 * @peer: whom
 *
 * On return no call to it is outstanding; the next one connects anew. Of one
 * that gmgr declares dead it is done by lite_rpc, and none does. Context: process, may sleep.
 */
void lite_peer_reset(struct lite_peer *peer);

/*
 * LMRs: named memory at any node (LITE, SOSP'17)
 */

struct lite_lmr; /* an LMR that was mapped */

/**
 * lite_lmr_alloc() - have named memory made at a node
 * @peer: where
 * @name: unique there, 1 to LITE_NAME_LEN - 1 bytes
 * @size: bytes, rounded up to whole pages; zeroed
 * @others: LITE_LMR_*, what nodes may that were granted nothing else
 *
 * It is this node's: freed with lite_lmr_free(), or when this node ends; that
 * of one that has not joined a rack, 15 s after its last connection there.
 * Context: process, may sleep, bounded.
 * Return: 0; -EEXIST (the name is taken); -ENOMEM (more than there is, or than
 *	the parameter lmr_mb there); or lite_call()'s.
 */
int lite_lmr_alloc(struct lite_peer *peer, const char *name, u64 size,
		   u32 others);

/**
 * lite_lmr_map() - use one
 * @peer: where it is; held until lite_lmr_unmap()
 * @name: its name
 * @access: LITE_LMR_*, what for
 *
 * Context: process, may sleep, bounded.
 * Return: it, for lite_lmr_unmap(), or ERR_PTR: -ENOENT, -EACCES, ...
 */
struct lite_lmr *lite_lmr_map(struct lite_peer *peer, const char *name,
			      u32 access);

/**
 * lite_lmr_unmap() - use it no more
 * @lmr: from lite_lmr_map(), not in use; NULL and ERR_PTR are ignored
 *
 * With the last that this node has of it the keys are dead.
 * Context: process, may sleep, bounded.
 */
void lite_lmr_unmap(struct lite_lmr *lmr);

/**
 * lite_lmr_free() - free what lite_lmr_alloc() made
 * @lmr: mapped; still to be unmapped
 *
 * Nobody can use it on return.
 * Context: process, may sleep, bounded.
 * Return: 0; -EACCES: another node's; or lite_call()'s.
 */
int lite_lmr_free(struct lite_lmr *lmr);

/**
 * lite_lmr_grant() - let a node use one's LMR, or no more
 * @lmr: mapped, one's own
 * @incarnation: of the node
 * @access: LITE_LMR_*; 0: none. What it mapped for more it has lost on return
 *
 * It holds until that node has ended. One that is no member of the rack has if
 * it has been without a connection for 15 s; what it was denied stays so.
 * Context, return: as lite_lmr_free().
 */
int lite_lmr_grant(struct lite_lmr *lmr, u64 incarnation, u32 access);

u64 lite_lmr_size(const struct lite_lmr *lmr);

/**
 * lite_lmr_read() - read from an LMR, one-sided
 * @lmr: mapped with LITE_LMR_READ
 * @off: where in it
 * @sge: where to: registered memory of the node that mapped it
 * @nr: how many
 *
 * Context: process, may sleep, bounded (LITE_TIMEOUT_MS for each MiB).
 * Return: 0; -EINVAL (beyond its end), -EACCES, -ESTALE (it was freed),
 *	-ECONNRESET (the connection was lost, or what one may has changed: if
 *	one tries again it is known), or lite_call()'s. On an error nobody
 *	knows what was moved.
 */
int lite_lmr_read(struct lite_lmr *lmr, u64 off, const struct lite_sge *sge,
		  unsigned int nr);

/**
 * lite_lmr_write() - write to an LMR, one-sided; there on return
 * @lmr: mapped with LITE_LMR_WRITE
 * @off: where in it
 * @sge: from where
 * @nr: how many
 *
 * Context, return: as lite_lmr_read().
 */
int lite_lmr_write(struct lite_lmr *lmr, u64 off, const struct lite_sge *sge,
		   unsigned int nr);

/**
 * lite_lmr_set() - memset(), done at its node
 * @lmr: mapped with LITE_LMR_WRITE
 * @off: where in it
 * @byte: what with
 * @len: bytes
 *
 * Context: process, may sleep, bounded. Return: as lite_lmr_read().
 */
int lite_lmr_set(struct lite_lmr *lmr, u64 off, u8 byte, u64 len);

/**
 * lite_lmr_copy() - memmove() between LMRs
 * @to: mapped with LITE_LMR_WRITE
 * @to_off: where in it
 * @from: mapped with LITE_LMR_READ by the same node
 * @from_off: where in it
 * @len: bytes
 *
 * At one node it is done there; between two through this one.
 * Context: process, may sleep, bounded. Return: as lite_lmr_read().
 */
int lite_lmr_copy(struct lite_lmr *to, u64 to_off, struct lite_lmr *from,
		  u64 from_off, u64 len);

/**
 * lite_lmr_fetch_add() - add to a little-endian 64-bit word
 * @lmr: mapped with LITE_LMR_RW
 * @off: a multiple of 8
 * @value: what to add
 * @old: set to what it was
 *
 * Atomic against other such calls and lite_lmr_cmp_swap(), not against
 * one-sided writes. Not repeated: after -ETIMEDOUT and -ECONNRESET nobody knows
 * whether it was done.
 * Context: process, may sleep, bounded. Return: as lite_lmr_read().
 */
int lite_lmr_fetch_add(struct lite_lmr *lmr, u64 off, u64 value, u64 *old);

/**
 * lite_lmr_cmp_swap() - replace a word if it is what is expected
 * @lmr: as for lite_lmr_fetch_add()
 * @off: the same
 * @expect: what it must be
 * @value: what it shall be
 * @old: set to what it was; @expect: it was replaced
 *
 * Context, return: as lite_lmr_fetch_add().
 */
int lite_lmr_cmp_swap(struct lite_lmr *lmr, u64 off, u64 expect, u64 value,
		      u64 *old);

/*
 * Locks with leases, and barriers, kept at any node
 */

struct lite_lock; /* a lock that is held */

#define LITE_LEASE_MS 10000

/**
 * lite_lock() - lock what a name at a node stands for
 * @peer: the node that keeps it; held until lite_unlock()
 * @name: 1 to LITE_NAME_LEN - 1 bytes; no barrier's
 * @lease_ms: from LITE_LOCK_LEASE_MIN_MS to LITE_LOCK_LEASE_MAX_MS; 0:
 *	LITE_LEASE_MS
 * @wait_ms: how long to wait for those before us, first come first served; 0:
 *	not at all, -EBUSY
 *
 * It is renewed in the background until lite_unlock(). If @peer does not hear
 * of this node for @lease_ms, or gmgr tells it that this node is dead, the next
 * has it: what must not be done by two asks lite_lock_valid() before, or is
 * given lite_lock_token() and refuses one that is less than it has seen.
 *
 * Context: process, may sleep, bounded (10 s more if @peer is not reached) and
 *	killable.
 * Return: it, for lite_unlock(), or ERR_PTR: -ETIMEDOUT, -EBUSY, -EINTR,
 *	-EINVAL, -ENOSPC (LITE_LOCKS_MAX hold or wait there), or lite_call()'s.
 */
struct lite_lock *lite_lock(struct lite_peer *peer, const char *name,
			    u32 lease_ms, u32 wait_ms);

/**
 * lite_unlock() - the next may have it
 * @lock: from lite_lock(), gone on return; NULL and ERR_PTR are ignored
 *
 * Context: process, may sleep, bounded.
 * Return: 0; -ESTALE: it was perhaps not held any more, another may have had it.
 */
int lite_unlock(struct lite_lock *lock);

/**
 * lite_lock_valid() - is it held for certain?
 * @lock: from lite_lock()
 *
 * Until the lease's end as this node counts it, which is before the other
 * does, and while the connection is the one by which @peer said so: one that was
 * made anew knows of no lock, and drops its connections when it ends. False may
 * become true again, when @peer was asked, which is done at once then, or when a
 * renewal comes late but in time: then nobody has had it meanwhile.
 * Context: any but hard interrupt.
 */
bool lite_lock_valid(struct lite_lock *lock);

/**
 * lite_lock_token() - which hold this is
 * @lock: from lite_lock()
 *
 * What Chubby (OSDI'06) calls a sequencer.
 * Context: any.
 * Return: more than of any lock that this node gave before; a node that was
 *	made anew goes on from its wall clock.
 */
u64 lite_lock_token(const struct lite_lock *lock);

/**
 * lite_barrier() - wait for others at a name
 * @peer: the node that keeps it
 * @name: 1 to LITE_NAME_LEN - 1 bytes; no lock's
 * @nr: how many pass together, at most LITE_LOCKS_MAX
 * @timeout_ms: how long to wait for them
 *
 * All of a round pass, or none: one whose time is over, that is killed, or
 * whose node ends, dies or is silent for LITE_LOCK_SILENT_MS breaks it for all
 * that wait. The next to come begin a new one.
 *
 * Context: process, may sleep, bounded (10 s more if @peer is not reached) and
 *	killable.
 * Return: 0; -ETIMEDOUT; -ECONNABORTED (another broke it); -EINTR; -EINVAL
 *	(others wait for another number); -ENOSPC; or lite_call()'s. After
 *	-ETIMEDOUT the others have not passed, unless @peer was not reached.
 */
int lite_barrier(struct lite_peer *peer, const char *name, u32 nr,
		 u32 timeout_ms);

/*
 * Serving
 */

/**
 * struct lite_handler - how an operation is served
 * @fn: called once per request. Operations marked LITE_OPF_ATOMIC in the table:
 *	in softirq context (or with bottom halves off), must not sleep. Others:
 *	in a worker, may sleep. The length was checked against the table. Must
 *	lead to exactly one lite_req_reply(), then or later.
 */
struct lite_handler {
	void (*fn)(struct lite_req *req);
};

/* Of a request, valid until lite_req_reply(): */
const void *lite_req_msg(const struct lite_req *req);
u32 lite_req_len(const struct lite_req *req);
u16 lite_req_op(const struct lite_req *req);
u32 lite_req_in_len(const struct lite_req *req); /* bytes the caller offers */
u32 lite_req_out_len(const struct lite_req *req); /* bytes of room it has */
void *lite_req_priv(const struct lite_req *req); /* lite_node_cfg.priv */
struct lite_node *lite_req_node(const struct lite_req *req);
u32 lite_req_peer_id(const struct lite_req *req); /* 0: has not joined yet */
u64 lite_req_peer_incarnation(const struct lite_req *req);
/* room of LITE_RSP_MAX bytes for the reply's payload, not zeroed */
void *lite_req_rsp(struct lite_req *req);

/**
 * lite_req_export() - let the caller access memory by itself
 * @req: the request; its reply is to bring @seg to lite_read_start() or
 *	lite_write_start()
 * @sge: what, in one MiB of a region with LITE_MR_READ, LITE_MR_WRITE or both,
 *	which say what the caller may
 * @seg: filled in; for any part of it, over this class of link
 *
 * The caller may until the region is destroyed: that, and not the caller's good
 * manners, is what takes it back.
 * Context: any. Return: 0, -EINVAL, or -EIO (no key: not registered now).
 */
int lite_req_export(struct lite_req *req, const struct lite_sge *sge,
		    struct lite_wire_seg *seg);

/**
 * lite_req_pull() - read from the caller's in segments
 * @req: the request
 * @off: where in what they make together
 * @sge: where to, local memory
 * @nr: how many, at most LITE_MAX_SEGS
 *
 * Context: process, may sleep, bounded.
 * Return: 0; -EINVAL (past the end: nothing moved); -ECONNRESET (caller gone).
 */
int lite_req_pull(struct lite_req *req, u64 off, const struct lite_sge *sge,
		  unsigned int nr);

/**
 * lite_req_push() - write to the caller's out segments, ahead of the reply
 * @req: the request
 * @off: where in what they make together
 * @sge: from where, local memory; must not change till @release
 * @nr: how many, at most LITE_MAX_SEGS
 *
 * Queued, and sent in front of the reply: never waits. Nowhere if the caller
 * has given up waiting meanwhile. The local memory is given back by the release
 * function of lite_req_reply_release().
 * Context: any but hard interrupt.
 * Return: 0; -EINVAL (past the end); -ECONNRESET; -ENOSPC (queued too many).
 */
int lite_req_push(struct lite_req *req, u64 off, const struct lite_sge *sge,
		  unsigned int nr);

/**
 * lite_req_reply() - answer; @req is gone
 * @req: the request
 * @err: 0 or a negative errno, mapped to enum lite_status
 * @len: bytes of payload in lite_req_rsp()
 *
 * Context: any but hard interrupt.
 */
void lite_req_reply(struct lite_req *req, int err, u32 len);

/**
 * lite_req_reply_release() - answer, and be told when pushed memory is free
 * @req: the request
 * @err: as in lite_req_reply()
 * @len: as in lite_req_reply()
 * @release: called exactly once, any context, when the memory of all
 *	lite_req_push() is no longer read
 * @arg: its argument
 */
void lite_req_reply_release(struct lite_req *req, int err, u32 len,
			    void (*release)(void *arg), void *arg);

/*
 * Nodes
 */

#define LITE_SVC_OPS_MAX 32

/**
 * struct lite_node_cfg - what a node is made from
 * @name: component name, for logs, sysfs and gmgr
 * @addr: where it listens: "IP[:port]", "loop:NAME", or NULL/"" : "loop:" and
 *	its name
 * @port: default port
 * @role: enum lite_role
 * @service: enum lite_service_id it serves
 * @handlers: indexed by LITE_OP_NR(op)
 * @nr_handlers: entries
 * @max_running: how many handlers run at once, 0: any number. For a component
 *	whose handlers may hang, on a disk; they must not wait for handlers of
 *	any node, or they could wait for each other for ever
 * @priv: for lite_req_priv() and the member callbacks
 */
struct lite_node_cfg {
	const char *name;
	const char *addr;
	u16 port;
	u32 role;
	u32 service;
	const struct lite_handler *handlers;
	unsigned int nr_handlers;
	unsigned int max_running;
	void *priv;
};

/**
 * lite_node_create() - a node that listens
 * @cfg: copied, but for @handlers
 *
 * Context: process, may sleep.
 * Return: the node or ERR_PTR: -EINVAL (bad address), -EADDRINUSE, -ENODEV (no
 *	RDMA device has that address), ...; the reason is logged.
 */
struct lite_node *lite_node_create(const struct lite_node_cfg *cfg);

/**
 * lite_node_stop() - serve nobody any more
 * @node: the node
 *
 * Stops listening, ends all links and calls (-ESHUTDOWN), waits for running
 * handlers. After it only peers, regions and the node itself are left to give
 * back. Context: process, may sleep.
 */
void lite_node_stop(struct lite_node *node);

/**
 * lite_node_destroy() - after lite_node_stop(), lite_mr_destroy() of all
 * @node: the node
 */
void lite_node_destroy(struct lite_node *node);

const char *lite_node_name(const struct lite_node *node);
const char *lite_node_addr(const struct lite_node *node);
u32 lite_node_id(const struct lite_node *node); /* 0 before it joined */
u64 lite_node_incarnation(const struct lite_node *node);

/*
 * Membership as a node sees it (the other end is gmgr's)
 */

/**
 * struct lite_member - a component of the rack
 * @id: node id
 * @role: enum lite_role
 * @state: enum gmgr_member_state, as this node sees it
 * @nr_spaces: spaces or processes it holds
 * @incarnation: its incarnation
 * @total: bytes it offers
 * @used: bytes in use
 * @suspected: gmgr calls it dead; this node has not been without an answer from
 *	it for long enough to believe that: @state is UP, but it should be
 *	given nothing new
 * @name: component name
 * @addr: where it listens
 */
struct lite_member {
	u32 id;
	u32 role;
	u32 state;
	u32 nr_spaces;
	u64 incarnation;
	u64 total;
	u64 used;
	bool suspected;
	char name[LITE_NAME_LEN];
	char addr[LITE_ADDR_LEN];
};

/**
 * struct lite_usage - what a heartbeat says of this component
 * @total: bytes it offers
 * @used: bytes in use
 * @nr_spaces: spaces or processes it holds
 * @max_vid: the highest vid that was ever used here
 */
struct lite_usage {
	u64 total;
	u64 used;
	u32 nr_spaces;
	u32 max_vid;
};

/**
 * struct lite_member_ops - what a component wants to know and tell
 * @usage: fills in what the next heartbeat says; process context
 * @changed: a member came, died, left or came again with another incarnation;
 *	process context, one call at a time; @old is NULL for a new member. A
 *	death is told when gmgr says so and this node has asked the member
 *	itself without an answer
 */
struct lite_member_ops {
	void (*usage)(void *priv, struct lite_usage *usage);
	void (*changed)(void *priv, const struct lite_member *old,
			const struct lite_member *new);
};

/**
 * lite_join() - join the rack of a gmgr and go on sending heartbeats
 * @node: this node
 * @gmgr: gmgr's address, "IP[:port]" or "loop:NAME"
 * @ops: callbacks
 *
 * Waits for the first answer, at most 10 s, killable. Afterwards a gmgr that
 * dies or restarts is joined again in the background; nothing else changes.
 * Context: process, may sleep.
 * Return: 0; -EINVAL (no address), -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH
 *	(no gmgr there: logged), -EEXIST (the name is taken), -EINTR.
 */
int lite_join(struct lite_node *node, const char *gmgr,
	      const struct lite_member_ops *ops);

/**
 * lite_leave() - leave the rack; callbacks have ended on return
 * @node: the node; no harm if it has not joined
 */
void lite_leave(struct lite_node *node);

/**
 * lite_keep_vnodes() - keep the vNodes as gmgr has them now
 * @node: the node
 *
 * After a change that gmgr has acknowledged: if gmgr ends now, with no heartbeat
 * in between, this node tells its successor of it. Without an answer, a later
 * heartbeat does it.
 * Context: process, may sleep; killable.
 */
void lite_keep_vnodes(struct lite_node *node);

/**
 * lite_gmgr() - the link to gmgr
 * @node: the node
 *
 * Return: valid until lite_leave(), not counted; NULL if not joined.
 */
struct lite_peer *lite_gmgr(struct lite_node *node);

/**
 * lite_members_ask() - do these lives of components answer?
 * @node: who asks, over its own links
 * @m: where each listens, and which life is asked for
 * @answer: is set, of each: 0: it lives; -ESTALE: another life is at this
 *	address, so it is over; else it was silent, or could not be reached
 * @nr: how many
 *
 * Context: process, may sleep, about 2 s. Return: 0, -ENOMEM, or a bad address.
 */
int lite_members_ask(struct lite_node *node, const struct lite_member *m,
		     int *answer, unsigned int nr);

/**
 * lite_member_by_id() - look a member up in the copy of the table
 * Return: 0 or -ENOENT. Context: any.
 */
int lite_member_by_id(struct lite_node *node, u32 id, struct lite_member *m);

/**
 * lite_members() - copy the table, those that are up first
 *
 * gmgr has GMGR_MEMBERS_LIMIT at most that are up. The table may also have others
 * that gmgr has forgotten.
 * Return: how many were copied, at most @max. Context: any.
 */
unsigned int lite_members(struct lite_node *node, struct lite_member *m,
			  unsigned int max);

/**
 * lite_member_peer() - the peer object of a member that is up
 * Return: a reference for lite_peer_put(), ERR_PTR(-ENOENT) if it is not in
 *	the table, ERR_PTR(-EHOSTDOWN) if it is dead. Context: process.
 */
struct lite_peer *lite_member_peer(struct lite_node *node, u32 id);

/*
 * Odds and ends that every component shares
 */

/**
 * struct lite_op_desc - the table of operations
 * @name: as in proto.h
 * @req_min: least payload
 * @req_max: most payload
 * @rsp_max: most payload of a reply
 * @flags: LITE_OPF_*
 */
struct lite_op_desc {
	const char *name;
	u16 req_min;
	u16 req_max;
	u16 rsp_max;
	u16 flags;
};

#define LITE_OPF_ATOMIC 0x1 /* served in softirq */
#define LITE_OPF_IDEMPOTENT 0x2 /* may be sent again */
#define LITE_OPF_ONEWAY 0x4

const struct lite_op_desc *lite_op_desc(u16 op); /* NULL: no such */
int lite_status_to_errno(u32 status);
u32 lite_errno_to_status(int err);

struct kobject *lite_kobj(void); /* /sys/kernel/lego */
struct dentry *lite_debugfs(void); /* /sys/kernel/debug/lego */
struct config_group *lite_configfs(void); /* /sys/kernel/config/lego */

/**
 * lite_init_error() - what a module's init returns, so that modprobe tells it
 * @err: 0 or -errno; the kernel log has said why
 *
 * modprobe has explanations of its own for some errors: a directory that is
 * not there would be an "Unknown symbol in module", and a key that the rack
 * refuses would read like a module that the kernel wants signed.
 *
 * Context: any. Return: 0 or an -errno without another meaning there.
 */
static inline int lite_init_error(int err)
{
	switch (err) {
	case -ENOENT:
	case -ESRCH:
	case -ENOEXEC:
		return -ENXIO;
	case -ENOKEY:
	case -EKEYEXPIRED:
	case -EKEYREVOKED:
	case -EKEYREJECTED:
		return -EACCES;
	}
	return err;
}

#endif /* _LEGO_LITE_H */
