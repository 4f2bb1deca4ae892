/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints from call to reply, in /sys/kernel/tracing/events/lite_rpc. An
 * xid and the two names tell which events of two machines belong together.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lite_rpc

#if !defined(_LITE_RPC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _LITE_RPC_TRACE_H

#include <linux/tracepoint.h>

#include "lite_rpc.h"

DECLARE_EVENT_CLASS(lite_slot,
	TP_PROTO(const struct lite_slot *slot, int status),
	TP_ARGS(slot, status),
	TP_STRUCT__entry(
		__string(node, slot->link->peer->node->name)
		__string(peer, slot->link->peer->addr.text)
		__field(u8, class)
		__field(u8, slot)
		__field(u16, op)
		__field(u32, xid)
		__field(u32, tx)
		__field(u32, rx)
		__field(int, status)
	),
	TP_fast_assign(
		lite_assign_str(node, slot->link->peer->node->name);
		lite_assign_str(peer, slot->link->peer->addr.text);
		__entry->class = slot->link->class;
		__entry->slot = slot - slot->link->slot;
		__entry->op = slot->op;
		__entry->xid = slot->xid;
		__entry->tx = slot->tx;
		__entry->rx = slot->rx;
		__entry->status = status;
	),
	TP_printk("%s -> %s class %u slot %u xid %u op 0x%04x tx %u rx %u status %d",
		  __get_str(node), __get_str(peer), __entry->class,
		  __entry->slot, __entry->xid, __entry->op, __entry->tx,
		  __entry->rx, __entry->status)
);

/* a call, a one-way request or a read is about to be sent */
DEFINE_EVENT(lite_slot, lite_call,
	TP_PROTO(const struct lite_slot *slot, int status),
	TP_ARGS(slot, status)
);

/* a call is over; the caller is told next */
DEFINE_EVENT(lite_slot, lite_call_end,
	TP_PROTO(const struct lite_slot *slot, int status),
	TP_ARGS(slot, status)
);

DECLARE_EVENT_CLASS(lite_request,
	TP_PROTO(const struct lite_req *req, u32 len, int status),
	TP_ARGS(req, len, status),
	TP_STRUCT__entry(
		__string(node, req->conn->node->name)
		__string(peer, req->conn->peer_name)
		__field(u8, class)
		__field(u8, slot)
		__field(u16, op)
		__field(u32, xid)
		__field(u32, len)
		__field(int, status)
	),
	TP_fast_assign(
		lite_assign_str(node, req->conn->node->name);
		lite_assign_str(peer, req->conn->peer_name);
		__entry->class = req->conn->class;
		__entry->slot = req->slot;
		__entry->op = req->op;
		__entry->xid = req->xid;
		__entry->len = len;
		__entry->status = status;
	),
	TP_printk("%s <- %s class %u slot %u xid %u op 0x%04x len %u status %d",
		  __get_str(node), __get_str(peer), __entry->class,
		  __entry->slot, __entry->xid, __entry->op, __entry->len,
		  __entry->status)
);

/* a request has come, was checked, and will be handled or refused */
DEFINE_EVENT(lite_request, lite_request,
	TP_PROTO(const struct lite_req *req, u32 len, int status),
	TP_ARGS(req, len, status)
);

/* its reply is about to be sent */
DEFINE_EVENT(lite_request, lite_reply,
	TP_PROTO(const struct lite_req *req, u32 len, int status),
	TP_ARGS(req, len, status)
);

TRACE_DEFINE_ENUM(LITE_LINK_DOWN);
TRACE_DEFINE_ENUM(LITE_LINK_CONNECTING);
TRACE_DEFINE_ENUM(LITE_LINK_UP);
TRACE_DEFINE_ENUM(LITE_LINK_STALLED);
TRACE_DEFINE_ENUM(LITE_LINK_RECONNECTING);
TRACE_DEFINE_ENUM(LITE_LINK_GONE);

#define lite_print_state(state)                                             \
	__print_symbolic(state, { LITE_LINK_DOWN, "down" },                \
			 { LITE_LINK_CONNECTING, "connecting" },           \
			 { LITE_LINK_UP, "up" },                           \
			 { LITE_LINK_STALLED, "stalled" },                 \
			 { LITE_LINK_RECONNECTING, "reconnecting" },       \
			 { LITE_LINK_GONE, "gone" })

/* a link has another state */
TRACE_EVENT(lite_link_state,
	TP_PROTO(const struct lite_link *link, u8 old, u8 new),
	TP_ARGS(link, old, new),
	TP_STRUCT__entry(
		__string(node, link->peer->node->name)
		__string(peer, link->peer->addr.text)
		__field(u8, class)
		__field(u8, old)
		__field(u8, new)
	),
	TP_fast_assign(
		lite_assign_str(node, link->peer->node->name);
		lite_assign_str(peer, link->peer->addr.text);
		__entry->class = link->class;
		__entry->old = old;
		__entry->new = new;
	),
	TP_printk("%s -> %s class %u: %s to %s", __get_str(node),
		  __get_str(peer), __entry->class,
		  lite_print_state(__entry->old), lite_print_state(__entry->new))
);

#endif /* _LITE_RPC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
