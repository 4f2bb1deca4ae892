/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages as a peer could send them that does not keep to the protocol. For
 * test modules; of a namespace of its own.
 */
#ifndef _LEGO_RAW_H
#define _LEGO_RAW_H

#include <lego/lite.h>

/**
 * struct lite_raw - a message that need not be right
 * @msg: header and all that follows it, in no memory of the link's or request's
 * @len: its bytes, at most LITE_SLOT_SIZE
 * @imm: bits of the right immediate data that are flipped (the loop transport
 *	has none, but minds the slot in it, and the type of replies)
 * @off: added to where in the peer's ring it is written (not by loop)
 * @keep_xid: the header has its xid; else the right one is put there
 */
struct lite_raw {
	const void *msg;
	u32 len;
	u32 imm;
	u64 off;
	bool keep_xid;
};

/**
 * lite_raw_start() - send a request as it is, right or wrong
 * @peer: whom
 * @call: its class, time-out, room for the reply and @done count; ended as that
 *	of lite_call_start(). NULL: it says LITE_REQ_ONEWAY, in class control
 * @raw: the request
 *
 * Context, return: as lite_call_start(); -EINVAL if it is too long.
 */
int lite_raw_start(struct lite_peer *peer, struct lite_call *call,
		   const struct lite_raw *raw);

/**
 * lite_raw_reply() - answer as it is, right or wrong; @req is gone
 * @req: the request, without lite_req_push()
 * @raw: the reply; none is sent if it is too long
 *
 * Context: any but hard interrupt.
 */
void lite_raw_reply(struct lite_req *req, const struct lite_raw *raw);

/**
 * lite_raw_segment() - how memory is named in a message
 * @peer: to whom
 * @class: enum lite_class, of the link, which is up
 * @sge: the memory; of any node
 * @seg: filled in
 *
 * Context: any. Return: 0; -ENOTCONN, or the transport's, as -EIO.
 */
int lite_raw_segment(struct lite_peer *peer, u8 class,
		     const struct lite_sge *sge, struct lite_wire_seg *seg);

#endif /* _LEGO_RAW_H */
