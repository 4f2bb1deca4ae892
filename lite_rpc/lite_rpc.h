/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lite_rpc's own: what crosses between its files.
 *
 * Two halves that meet in a transport:
 *   caller:  lite_peer -> lite_link (one per class) -> slots with calls
 *   server:  lite_node -> lite_conn (one per link that peers made to it)
 *	      -> requests, one per slot
 * A link and its conn are the two ends of one connection; calls go one way
 * only. Two nodes that call each other have a connection each way, so neither
 * has to agree with the other about who connects.
 *
 * A slot is the credit: a caller that has a free slot may send, and the server
 * has a request structure and a reply buffer of that number waiting for it.
 */
#ifndef _LITE_RPC_H
#define _LITE_RPC_H

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <lego/lite.h>

#include "compat.h"
#include "fault.h"
#include "hist.h"

#define LITE_CONNECT_MS 5000
#define LITE_TICK (HZ / 10) /* how exactly time-outs are kept */

struct lite_conn;
struct lite_link;
struct lite_locks;
struct lite_membership;
struct lite_mr;
struct lite_raw;
struct lite_rdma_node;
struct lite_worker;
struct seq_file;

/* ---- addresses (addr.c) ---- */

/**
 * struct lite_addr - a parsed address
 * @text: normal form, compared as text: "loop:NAME", "IP:port", "[IP6]:port"
 * @loop: no socket address
 * @ss: the socket address
 */
struct lite_addr {
	char text[LITE_ADDR_LEN];
	bool loop;
	struct sockaddr_storage ss;
};

int lite_addr_parse(struct lite_addr *addr, const char *text, u16 port);

/* ---- transports ---- */

/**
 * struct lite_transport - how messages get from a link to its conn and back
 * @name: for people
 * @connect: make the connection of @link; set link->tp. Called with
 *	link->mutex held, may sleep, bounded by LITE_CONNECT_MS
 * @disconnect: undo it. On return nothing of this connection arrives any more
 *	and the peer can touch no memory of ours. Called with link->mutex held
 *	and nobody inside @send; may sleep
 * @send: the message of @len bytes in the slot's buffer goes out. Called in an
 *	RCU read-side section while the link is up; any context but hard
 *	interrupt. An error means that nothing was sent
 * @raw: as @send, but what is around the message is as struct lite_raw says
 * @move: move a segment of the peer's into local memory of the same length, or
 *	the reverse; ends in lite_link_move_done(), or with the connection.
 *	Called like @send
 * @encode: put the keys of @sge into @seg, at most @room of them
 * @pull: lite_req_pull(), checked against the segments' length already
 * @push: lite_req_push(), the same
 * @beat: ask the peer's software for lite_link_beat_rx(). Called like @send;
 *	what is not sent is not answered
 * @cancel: tell the server that a call is waited for no longer, if
 *	lite_link_cancels() it; ends in lite_link_cancelled(), or not at all.
 *	Called like @send
 * @poll: take what has come from the peer, in the caller's context. Called like
 *	@send, not in interrupts; NULL: nothing waits to be taken
 * @reply: send @len bytes at req->rsp, or with @len 0, or where it was
 *	cancelled, only give back the slot;
 *	clears the slot's bit in conn->busy just before; then req is the next
 *	request's. Calls req->release in the end
 * @raw_reply: as @reply to a request without pushes and release, but what is
 *	around the message is as struct lite_raw says
 * @drop: as @reply, but nothing is sent
 * @resume: lite_conn_has_elder() has said that there is one: look again.
 *	Called with node->lock held; NULL: who looked waits for node->conn_wait
 * @close: break a conn from the server's side; asynchronous
 * @free: the last of a conn; process context
 */
struct lite_transport {
	const char *name;
	int (*connect)(struct lite_link *link);
	void (*disconnect)(struct lite_link *link);
	int (*send)(struct lite_link *link, unsigned int slot, u32 len);
	int (*raw)(struct lite_link *link, unsigned int slot,
		   const struct lite_raw *raw);
	int (*move)(struct lite_link *link, unsigned int slot,
		    const struct lite_wire_seg *seg,
		    const struct lite_sge *sge, bool write);
	int (*encode)(const struct lite_sge *sge, unsigned int nr,
		      unsigned int access, struct lite_wire_seg *seg,
		      unsigned int room);
	int (*pull)(struct lite_req *req, u64 off, const struct lite_sge *sge,
		    unsigned int nr, u64 len);
	int (*push)(struct lite_req *req, u64 off, const struct lite_sge *sge,
		    unsigned int nr, u64 len);
	void (*beat)(struct lite_link *link, u16 nr);
	void (*cancel)(struct lite_link *link, unsigned int slot, u32 xid);
	void (*poll)(struct lite_link *link);
	void (*reply)(struct lite_req *req, u32 len);
	void (*raw_reply)(struct lite_req *req, const struct lite_raw *raw);
	void (*drop)(struct lite_req *req);
	void (*resume)(struct lite_conn *conn);
	void (*close)(struct lite_conn *conn);
	void (*free)(struct lite_conn *conn);
};

extern const struct lite_transport lite_loop;
extern const struct lite_transport lite_rdma;

/* the RDMA side of nodes (rdma_dev.c) and regions (rdma_mr.c) */
int lite_rdma_init(void);
void lite_rdma_exit(void);
bool lite_cm_uses(struct lite_node *node, const void *dev);
int lite_cm_listen(struct lite_node *node);
void lite_cm_unlisten(struct lite_node *node);
void lite_cm_exit(struct lite_node *node);
void lite_cm_reopen(struct work_struct *work);
void lite_cm_look(struct lite_node *node);
int lite_rdma_mr_add(struct lite_mr *mr);
void lite_rdma_mr_register(struct lite_mr *mr);
void lite_rdma_mr_wait(struct lite_mr *mr);
void lite_rdma_mr_del(struct lite_mr *mr);

/* ---- keys (auth.c) ---- */

int lite_auth_init(void);
void lite_auth_exit(void);
bool lite_auth_key(char name[LITE_KEY_LEN]);
bool lite_auth_demanded(void);
void lite_auth_notice(void);
int lite_auth_mac(const char *name, const struct lite_auth_text *text,
		  const char *label, u8 mac[LITE_MAC_LEN]);
int lite_auth_verify(const char *name, const struct lite_auth_text *text,
		     const char *label, const u8 mac[LITE_MAC_LEN]);

/* ---- names on the wire: 1 to LITE_NAME_LEN - 1 bytes, then zeroes ---- */

static inline bool lite_name_ok(const char *name)
{
	return *name && strnlen(name, LITE_NAME_LEN) < LITE_NAME_LEN;
}

static inline int lite_name_set(char *to, const char *name)
{
	return *name && strscpy_pad(to, name, LITE_NAME_LEN) > 0 ? 0 : -EINVAL;
}

/* ---- nodes (node.c) ---- */

/**
 * struct lite_hello - what a caller said to connect, to be repeated by tests
 * @req: connect request
 * @proof: of its key
 */
struct lite_hello {
	struct lite_connect_req req;
	struct lite_auth_proof proof;
};

/**
 * struct lite_node - an endpoint
 * @ref: the owner, peers, conns and regions; @released when it is 0
 * @list: in the registry, under its mutex
 * @program: it is an open /dev/lite's, not a component's
 * @q: where its works run
 * @lock: protects @peers, @conns; inside it nothing but wait queue locks, and
 *	those of workqueues
 * @peers: peer objects
 * @conns: served connections
 * @conn_wait: a conn has left @conns, or is dead
 * @mr_lock: protects @mrs, and who registers them (rdma_mr.c); outside of @lock;
 *	not held while a peer or its device is waited for
 * @nr_running: handlers that run in workers; under their lock (worker.c)
 * @max_running: as in struct lite_node_cfg
 * @held: conns with requests that wait till there are fewer; see worker.c
 * @ping_page: what LITE_PING pushes
 * @ping_mr: the same
 * @lmr_use: for reading: a request's part of work on an LMR; see lmr.c
 * @memcg: the program's, to which what others have here is charged
 * @lmr_lock: protects @lmrs, @lmr_next_id; see lmr.c
 * @lmrs: LMRs that lie here
 * @lmr_next_id: id of the last one
 * @lmr_reap: looks for owners and mappers that are no more
 * @locks: locks and barriers that are kept here
 * @no_rdma: its device has been taken away
 * @reopen: looks for another one with its address
 * @reopen_tries: how often it still does
 * @said: see LITE_FORGE_RECORD; under @lock
 * @refusals: how often callers that were refused are logged
 * @rejections: how often it is that others refuse us
 */
struct lite_node {
	struct kref ref;
	struct completion released;
	struct list_head list;
	char name[LITE_NAME_LEN];
	struct lite_addr addr;
	u32 role;
	u32 service;
	u32 id;
	u64 incarnation;
	const struct lite_handler *handlers;
	unsigned int nr_handlers;
	void *priv;
	bool program;
	const struct lite_queues *q;
	bool stopping;

	spinlock_t lock;
	struct list_head peers;
	struct list_head conns;
	wait_queue_head_t conn_wait;

	struct mutex mr_lock;
	struct list_head mrs;

	unsigned int nr_running;
	unsigned int max_running;
	struct list_head held;

	struct page *ping_page;
	struct lite_mr *ping_mr;
	struct rw_semaphore lmr_use; /* see lmr.c */
	struct mem_cgroup *memcg;
	struct mutex lmr_lock;
	struct list_head lmrs;
	u64 lmr_next_id;
	struct delayed_work lmr_reap;
	struct lite_locks *locks;

	struct lite_membership *members;
	struct lite_rdma_node *rdma; /* under mr_lock; valid while a QP is */
	bool no_rdma;
	struct delayed_work reopen;
	unsigned int reopen_tries;

	struct kobject *kobj;
	struct dentry *dentry;
	atomic64_t served;
	atomic64_t refused;
	atomic64_t violations;
	struct lite_faults fault;

	struct lite_hello said;
	struct ratelimit_state refusals;
	struct ratelimit_state rejections;
	atomic64_t auth_failures;
};

void lite_node_get(struct lite_node *node);
void lite_node_put(struct lite_node *node);
struct lite_node *lite_node_find(const char *addr,
				 const struct lite_node *caller);
struct lite_node *lite_node_find_on(const void *dev);
bool lite_node_keeps(const struct lite_node *node);
void lite_nodes_each(void (*fn)(struct lite_node *node));

/* ---- calling: peers, links, slots (peer.c, link.c, state.c, beat.c,
 * call.c, cancel.c, queue.c) ----
 */

/**
 * enum lite_link_state - see state.c
 * @LITE_LINK_DOWN: it has never been up
 * @LITE_LINK_CONNECTING: nor yet
 * @LITE_LINK_UP: calls can be sent
 * @LITE_LINK_STALLED: the same, but the peer is silent
 * @LITE_LINK_RECONNECTING: it was up; comes up again when it is wanted
 * @LITE_LINK_GONE: there is nobody to connect to
 */
enum lite_link_state {
	LITE_LINK_DOWN,
	LITE_LINK_CONNECTING,
	LITE_LINK_UP,
	LITE_LINK_STALLED,
	LITE_LINK_RECONNECTING,
	LITE_LINK_GONE,
};

/**
 * enum lite_slot_state - who may touch a slot
 * @LITE_SLOT_FREE: nobody; its bit in link->free is set
 * @LITE_SLOT_BUILD: the thread in lite_call_start()
 * @LITE_SLOT_BUSY: waits for the reply; the call is the slot's
 * @LITE_SLOT_ORPHAN: the call is over, the reply is not here yet: nothing is
 *	copied from it when it comes, it only makes the slot free. Also
 *	one-way requests, which were orphans from the beginning
 */
enum lite_slot_state {
	LITE_SLOT_FREE,
	LITE_SLOT_BUILD,
	LITE_SLOT_BUSY,
	LITE_SLOT_ORPHAN,
};

struct lite_slot {
	struct lite_link *link;
	void *tp; /* the transport's, of a move */
	enum lite_slot_state state;
	u32 xid;
	struct lite_call *call;
	struct completion *waiter; /* lite_call()'s, else call->done */
	/* jiffies; an orphan's: then it is lost; a cancel's: then it is reset */
	unsigned long deadline;
	u64 start; /* local_clock() */
	bool expired;
	bool cancel; /* the peer was asked to write nothing more */
	bool credit; /* it has no more to say than that it does not */
	bool move; /* no message: the peer has nothing to reply to */
	u16 op; /* 0 of a move */
	u32 tx; /* bytes of the message, what the peer may pull, a write */
	u32 rx; /* bytes of room for the bulk reply, a read */
	void *buf; /* LITE_SLOT_SIZE, the request is built here */
};

/**
 * enum lite_forge - how not to connect
 * @LITE_FORGE_NONE: do as one should
 * @LITE_FORGE_RECORD: the same, and remember what was said
 * @LITE_FORGE_VERSION: another version
 * @LITE_FORGE_REPLAY: say what was remembered
 * @LITE_FORGE_GARBAGE: prove nothing
 * @LITE_FORGE_SHORT: half a proof
 * @LITE_FORGE_EARLY: a request instead of a proof
 * @LITE_FORGE_WRITE: a write of nothing before the proof
 * @LITE_FORGE_SILENT: say nothing
 * @LITE_FORGE_CROWD: the same, many at once
 */
enum lite_forge {
	LITE_FORGE_NONE,
	LITE_FORGE_RECORD,
	LITE_FORGE_VERSION,
	LITE_FORGE_REPLAY,
	LITE_FORGE_GARBAGE,
	LITE_FORGE_SHORT,
	LITE_FORGE_EARLY,
	LITE_FORGE_WRITE,
	LITE_FORGE_SILENT,
	LITE_FORGE_CROWD,
};

/**
 * struct lite_link - the way to a peer for one class
 * @peer: whose it is; a link lives as long as its peer
 * @mutex: serialises connect and reset; outside of @lock
 * @lock: protects @state, @slot, @free, @orphans, statistics; a leaf
 * @tp: the transport's: there is a connection; under @mutex
 * @broken_err: what calls end with that were sent
 * @gone_err: what others do, when it is GONE
 * @doomed: it broke before it was UP
 * @heard: when something came from the peer, or it owed us nothing; jiffies
 * @answered: when something came from the peer; jiffies, 0: never
 * @asked: the last heartbeat; jiffies
 * @missed: heartbeats since @heard
 * @beat_sent: number of the last one
 * @beat_answered: of the last one that was answered
 * @beats: heartbeats sent, ever
 * @stalls: how often it was STALLED
 * @connect_queued: connect_work will look
 * @tries: how many connects have ended, to share the outcome (@last_err)
 * @queue: calls that wait for a slot or a connection (queue.c); under @lock
 * @flushing: somebody sends what is in @queue; under @lock
 * @queue_closed: the node or the peer ends: nothing waits; under @lock
 * @queue_work: has @connect_work connect for @queue
 * @forge: what to do wrong when it connects, for tests
 */
struct lite_link {
	struct lite_peer *peer;
	u8 class;
	struct mutex mutex;
	const struct lite_transport *ops;
	void *tp;
	bool connect_queued;
	unsigned int tries;
	int last_err;
	enum lite_forge forge;

	spinlock_t lock;
	enum lite_link_state state;
	int broken_err;
	int gone_err;
	bool doomed;
	bool timer_on;
	unsigned long heard;
	unsigned long answered;
	unsigned long asked;
	unsigned int missed;
	u16 beat_sent;
	u16 beat_answered;
	u32 next_xid;
	unsigned int orphans;
	DECLARE_BITMAP(free, LITE_SLOTS);
	struct lite_slot slot[LITE_SLOTS];
	wait_queue_head_t slot_wait;
	struct delayed_work timer;
	struct work_struct reset_work;
	struct work_struct connect_work;
	struct list_head queue;
	bool flushing;
	bool queue_closed;
	struct delayed_work queue_work;

	u64 ewma_ns; /* of recent calls' time */
	struct lite_hist hist;
	u64 calls;
	u64 moves; /* of them: one-sided */
	u64 errors; /* all: */
	u64 timeouts;
	u64 refused; /* the peer answered with one */
	u64 lost; /* with the connection */
	u64 killed; /* who waited was */
	u64 tx_bytes;
	u64 rx_bytes;
	u64 connects;
	u64 resets;
	u64 beats;
	u64 stalls;
};

/**
 * struct lite_peer - another node, as one of ours sees it
 * @ref: users
 * @list: in node->peers
 */
struct lite_peer {
	struct kref ref;
	struct list_head list;
	struct lite_node *node;
	struct lite_addr addr;
	u64 incarnation;
	struct work_struct free_work;
	struct lite_link link[LITE_CLASS_NR];
};

/**
 * lite_link_is_up() - is there a connection to send over
 * @link: link
 *
 * Context: any; who sends over it is in an RCU read-side section.
 * Return: true if so.
 */
static inline bool lite_link_is_up(const struct lite_link *link)
{
	/* what is read of it was written before: pairs with lite_link_set_state() */
	enum lite_link_state state = smp_load_acquire(&link->state);

	return state == LITE_LINK_UP || state == LITE_LINK_STALLED;
}

const char *lite_link_state_name(enum lite_link_state state);
void lite_link_set_state(struct lite_link *link, enum lite_link_state new);
void lite_link_gone(struct lite_link *link, int err);
int lite_link_gone_err(const struct lite_link *link);
void lite_link_back(struct lite_link *link);
void lite_link_heard(struct lite_link *link);
void lite_link_moved(struct lite_link *link);
bool lite_peer_heard(struct lite_peer *peer, unsigned long since);
bool lite_link_waits(const struct lite_link *link);
void lite_link_beat(struct lite_link *link);
void lite_link_beat_rx(struct lite_link *link, u16 nr);
int lite_peer_transport(struct lite_link *link);
int lite_link_init(struct lite_link *link, struct lite_peer *peer, u8 class);
void lite_link_exit(struct lite_link *link);
int lite_link_connect(struct lite_link *link, unsigned long deadline);
void lite_link_want(struct lite_link *link);
void lite_link_start_timer(struct lite_link *link);
void lite_link_queue_reset(struct lite_link *link);
void lite_link_break(struct lite_link *link, int err);
void lite_link_reset(struct lite_link *link, int err);
int lite_link_forge(struct lite_link *link, enum lite_forge how);
void lite_link_rx(struct lite_link *link, unsigned int slot, const void *buf,
		  u32 len);
void lite_link_rx_done(struct lite_link *link, unsigned int slot, u16 xid);
void lite_link_credit(struct lite_link *link, unsigned int slot, u16 xid);
void lite_link_move_done(struct lite_link *link, unsigned int slot);
void lite_link_cancelled(struct lite_link *link, unsigned int slot, u16 xid);
bool lite_link_cancel_begin(struct lite_link *link, unsigned int slot);
void lite_link_cancel(struct lite_link *link, unsigned int slot, u32 xid);
bool lite_link_cancels(struct lite_link *link, unsigned int slot, u32 xid);
bool lite_link_abandon(struct lite_link *link, struct lite_call *call);
int lite_link_get_slot(struct lite_link *link);
bool lite_link_has_slot(struct lite_link *link);
void lite_link_put_slot(struct lite_link *link, unsigned int slot);
void lite_link_arm(struct lite_link *link, unsigned int slot);
bool lite_link_unarm(struct lite_link *link, unsigned int slot, u32 xid);
int lite_call_send(struct lite_peer *peer, struct lite_call *call,
		   unsigned long deadline);
void lite_calls_wait(struct lite_peer *const *peer, struct lite_call *call,
		     unsigned int nr, struct completion *done);
void lite_queue_init(struct lite_link *link);
void lite_queue_exit(struct lite_link *link);
void lite_queue_flush(struct lite_link *link);
bool lite_queue_expire(struct lite_link *link);
void lite_queue_end(struct lite_link *link, int err);
void lite_queue_reconnect(struct lite_link *link);
void lite_queue_tried(struct lite_link *link, int err);
const char *lite_class_name(unsigned int class);
void lite_peer_gone(struct lite_node *node, const char *addr, u64 incarnation,
		    int err);
void lite_peer_back(struct lite_node *node, const char *addr, u64 incarnation);
void lite_peers_reset(struct lite_node *node,
		      const struct lite_transport *ops, int err);

int lite_raw_call(struct lite_peer *peer, const struct lite_raw *raw);

/* ---- serving: conns, requests (conn.c, request.c) ---- */

/**
 * struct lite_req - a request being served; one per slot of a conn
 * @list: in conn->pending, or empty
 * @msg: the whole message, copied out of the ring so that the peer cannot
 *	change it after it was checked
 * @rsp: reply header and payload, LITE_SLOT_SIZE
 * @tp: transport's
 * @cancelled: nothing is written for it any more, its reply is a credit; under
 *	the transport's lock
 * @lock: the loop transport's; outside of link->lock
 */
struct lite_req {
	struct list_head list;
	struct lite_conn *conn;
	u16 slot;
	u16 op;
	u16 flags;
	u8 nr_in;
	u8 nr_out;
	u32 xid;
	u32 len;
	u32 in_len;
	u32 out_len;
	const struct lite_wire_seg *seg; /* in, then out */
	const void *payload;
	const struct lite_op_desc *desc;
	void (*fn)(struct lite_req *req);
	void *msg;
	void *rsp;
	void *tp;
	bool cancelled;
	spinlock_t lock;
	void (*release)(void *arg);
	void *release_arg;
};

/**
 * struct lite_conn - a served connection
 * @ref: node->conns, and the transport's
 * @list: in node->conns, till it is dead and no handler of it runs
 * @active: requests between arrival and reply; 1 more till it is dead (conn.c)
 * @admitted: its peer is who it says, as far as we ask; under node->lock
 * @dead: no new requests
 * @held_back: it is not served before its elders are gone; under node->lock
 * @abandoned: the caller has made a new one, nobody waits for replies of this
 * @busy: slots whose request is not answered yet
 * @pending: requests that wait for a worker; under its lock (worker.c)
 * @ready: in the list of those whose turn comes, or in node->held
 * @nr_pending: how many are in @pending
 * @held: it is in node->held
 * @close_work: when it is dead and no handler of it runs
 * @free_work: frees it
 * @heard: when its peer last sent a request or a heartbeat; jiffies
 */
struct lite_conn {
	struct kref ref;
	struct list_head list;
	struct lite_node *node;
	const struct lite_transport *ops;
	void *tp;
	u8 class;
	u32 peer_id;
	u64 peer_incarnation;
	u64 want;
	char peer_name[LITE_ADDR_LEN];
	atomic_t active;
	bool admitted;
	bool held_back;
	bool dead;
	bool abandoned;
	DECLARE_BITMAP(busy, LITE_SLOTS);
	struct list_head pending;
	struct list_head ready;
	unsigned int nr_pending;
	bool held;
	struct lite_req *req;
	struct work_struct close_work;
	struct work_struct free_work;
	unsigned long heard;
	u64 requests;
	u64 refused;
};

struct lite_conn *lite_conn_create(struct lite_node *node,
				   const struct lite_transport *ops, u8 class,
				   u32 peer_id, u64 peer_incarnation, u64 want,
				   const char *peer_name);
int lite_conn_publish(struct lite_conn *conn, bool admit_it);
void lite_conn_admit(struct lite_conn *conn);
bool lite_conn_has_elder(struct lite_conn *conn);
bool lite_conn_from(struct lite_node *node, u64 incarnation);
bool lite_conn_heard(struct lite_node *node, u64 incarnation,
		     unsigned long since);
void lite_conn_get(struct lite_conn *conn);
void lite_conn_put(struct lite_conn *conn);
void lite_conn_close(struct lite_conn *conn);
int lite_conn_rx(struct lite_conn *conn, unsigned int slot, const void *buf,
		 u32 len, bool defer);
bool lite_conn_beat(struct lite_conn *conn);
int lite_conn_cancel(struct lite_conn *conn, unsigned int slot, u16 xid);
void lite_req_withdraw(struct lite_req *req);
void lite_conns_close(struct lite_node *node,
		      const struct lite_transport *ops);
void lite_conn_replied(struct lite_conn *conn);
void lite_req_run(struct lite_req *req);
void lite_req_send(struct lite_req *req);
void lite_ping(struct lite_req *req);
int lite_ping_init(struct lite_node *node);
void lite_ping_exit(struct lite_node *node);
const struct lite_handler *lite_own_handler(u16 op);
void lmr_init(struct lite_node *node);
void lmr_exit(struct lite_node *node);
void lmr_owner_gone(struct lite_node *node, u64 incarnation);

/* ---- handlers that may sleep (worker.c) ---- */

int lite_workers_init(void);
void lite_workers_exit(void);
void lite_workers_flush(struct lite_node *node);
void lite_worker_add(struct lite_req *req);
bool lite_worker_withdraw(struct lite_req *req);
struct lite_worker *lite_worker_aside(void);
void lite_worker_back(struct lite_worker *w);

/* ---- classes against each other (qos.c) ---- */

void lite_qos_init(void);
void lite_qos_exit(void);
unsigned int lite_qos_limit(unsigned int class);
void lite_qos_begin(unsigned int class);
void lite_qos_end(unsigned int class, u64 ns);
void lite_qos_held(unsigned int class);
int lite_qos_tos(unsigned int class);

/* ---- locks and barriers that a node keeps (lock.c) ---- */

extern const struct file_operations lite_locks_fops;
extern const struct file_operations lite_lmrs_fops;

int lite_locks_init(struct lite_node *node);
void lite_locks_stop(struct lite_node *node);
void lite_locks_exit(struct lite_node *node);
void lite_locks_gone(struct lite_node *node, u64 incarnation);
void lite_lock_acquire(struct lite_req *req);
void lite_lock_renew(struct lite_req *req);
void lite_lock_release(struct lite_req *req);
void lite_lock_barrier(struct lite_req *req);

/* ---- memory (mr.c) ---- */

/**
 * struct lite_mr - pages that were mapped and registered once
 * @list: in node->mrs
 * @loop_key: names it in segments of the loop transport
 * @tp: the rdma transport's
 */
struct lite_mr {
	struct list_head list;
	struct rcu_head rcu;
	struct lite_node *node;
	unsigned int nr;
	unsigned int access;
	u32 loop_key;
	void *tp;
	struct page **pages;
};

/*
 * An array with an element for each page of a region, for kvfree(). Of a
 * terabyte it has 2 GiB, which is more than kvmalloc() gives.
 */
static inline void *lite_page_array(unsigned int nr, size_t size)
{
	if (array_size(nr, size) <= INT_MAX)
		return kvmalloc_array(nr, size, GFP_KERNEL);
	return vmalloc_array(nr, size);
}

struct lite_mr *lite_mr_by_key(u32 key);
int lite_sge_check(const struct lite_node *node, const struct lite_sge *sge,
		   unsigned int nr, unsigned int access, u64 *len);
void lite_mr_exit(void);

/* ---- membership (member.c) ---- */

int lite_members_init(struct lite_node *node);
void lite_members_exit(struct lite_node *node);
u32 lite_member_id_of(struct lite_node *node, u64 incarnation);
bool lite_member_lives(struct lite_node *node, u64 incarnation);
const char *lite_member_gmgr_text(struct lite_node *node, char *buf,
				  size_t size);

/* ---- /dev/lite (user.c) ---- */

int lite_user_init(void);
void lite_user_exit(void);

/* ---- sysfs, debugfs, configfs (roots.c, show.c) ---- */

int lite_roots_init(void);
void lite_roots_exit(void);
int lite_node_show_add(struct lite_node *node);
void lite_node_show_del(struct lite_node *node);
int lite_show_init(void);
void lite_show_exit(void);

/* ---- workqueues (main.c) ---- */

/**
 * struct lite_queues - the workqueues of one kind of node
 * @timer: time-outs and ticks: works that wait for nothing
 * @conn: the ends of connections and what begins them at the server: works that
 *	wait for the device, a peer's device or a mutex, bounded
 * @connect: connecting, and the end of peers, which waits for that. Not for
 *	reclaim: it waits for works of rdma_cm's, which are not either
 * @lock: renewing leases and giving up locks: works that wait for handlers
 *
 * A work never waits for another that has yet to begin on the same queue, as
 * so many of them would wait for each other. Those of /dev/lite have queues of
 * their own: whatever programs wait for, components do not.
 */
struct lite_queues {
	struct workqueue_struct *timer;
	struct workqueue_struct *conn;
	struct workqueue_struct *connect;
	struct workqueue_struct *lock;
};

extern struct lite_queues lite_component_q;
extern struct lite_queues lite_program_q;
/* queue pairs that have broken: all other works may wait for these */
extern struct workqueue_struct *lite_kill_wq;
extern bool lite_loop_local;
extern unsigned int lite_spin_us;
extern unsigned int lite_spin_demand_us;

#endif /* _LITE_RPC_H */
