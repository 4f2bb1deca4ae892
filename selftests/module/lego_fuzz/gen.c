// SPDX-License-Identifier: GPL-2.0
/*
 * The generator: messages that are random, or right but for something. Most
 * keep the connection, as their headers are good enough for an answer.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "fuzz.h"

/* what makes a cancel of a request's immediate data */
#define CANCEL (LITE_IMM_REQUEST ^ LITE_IMM_CANCEL)

/* at the edges of what types, pages, slots and tables hold */
static const u64 edges[] = {
	0,
	1,
	2,
	7,
	8,
	15,
	16,
	31,
	32,
	63,
	64,
	65,
	127,
	128,
	255,
	256,
	0xfff,
	0x1000,
	0x1001,
	0x7fff,
	0x8000,
	0xffff,
	0x10000,
	0xfffff,
	0x100000,
	0x7fffffff,
	0x80000000,
	0xfffff000,
	0xffffffff,
	0x100000000,
	0x7ffffffff000,
	0x800000000000,
	0xffff888000000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffffffff000,
	0xffffffffffffffff,
};

/**
 * fuzz_below() - a random number
 * @g: source
 * @n: not 0
 *
 * Return: less than @n.
 */
u32 fuzz_below(struct fuzz_gen *g, u32 n)
{
	return prandom_u32_state(&g->rnd) % n;
}

/**
 * fuzz_one_in() - chance
 * @g: source
 * @n: how rare; not 0
 *
 * Return: true once in so many times.
 */
bool fuzz_one_in(struct fuzz_gen *g, u32 n)
{
	return !fuzz_below(g, n);
}

static u64 edge(struct fuzz_gen *g)
{
	return edges[fuzz_below(g, ARRAY_SIZE(edges))] +
	       (fuzz_one_in(g, 4) ? fuzz_below(g, 3) - 1 : 0);
}

/**
 * fuzz_mutate() - change something
 * @g: source
 * @buf: what
 * @len: its bytes
 */
void fuzz_mutate(struct fuzz_gen *g, void *buf, u32 len)
{
	u32 nr = 1 + fuzz_below(g, 3), at, size;
	__le64 le;

	for (; nr && len; nr--) {
		at = fuzz_below(g, len);
		switch (fuzz_below(g, 4)) {
		case 0:
			((u8 *)buf)[at] ^= 1 << fuzz_below(g, 8);
			break;
		case 1:
			((u8 *)buf)[at] = prandom_u32_state(&g->rnd);
			break;
		default: /* a number, where one may be */
			size = 1 << fuzz_below(g, 4);
			at = round_down(at, size);
			le = cpu_to_le64(edge(g));
			memcpy(buf + at, &le, min(size, len - at));
		}
	}
}

static u16 pick_op(struct fuzz_gen *g)
{
	u32 service = g->service;

	if (fuzz_one_in(g, 64))
		return prandom_u32_state(&g->rnd);
	if (fuzz_one_in(g, 6))
		service = LITE_SVC_LITE;
	else if (fuzz_one_in(g, 16))
		service = fuzz_below(g, LITE_SVC_NR + 1);
	if (fuzz_one_in(g, 32))
		return LITE_OP(service, fuzz_below(g, 16));
	return fuzz_pick(g, service);
}

static void segment(struct fuzz_gen *g, struct lite_wire_seg *seg)
{
	u32 off = fuzz_below(g, FUZZ_PAGES) * PAGE_SIZE;

	*seg = g->seg;
	if (!fuzz_one_in(g, 4)) {
		le64_add_cpu(&seg->addr, off);
		seg->len = cpu_to_le32(PAGE_SIZE);
	}
	if (fuzz_one_in(g, 8))
		fuzz_mutate(g, seg, sizeof(*seg));
	else if (g->other.len && fuzz_one_in(g, 64))
		*seg = g->other;
}

/* the payload behind @hdr and its segments; where it ends */
static u32 payload(struct fuzz_gen *g, void *buf, u16 op, u32 at)
{
	const struct lite_op_desc *desc = lite_op_desc(op);
	u32 room = LITE_SLOT_SIZE - at, len;

	if (room >= LITE_REQ_MAX && !fuzz_one_in(g, 8)) {
		len = fuzz_payload(g, op, buf + at);
		if (fuzz_one_in(g, 3))
			fuzz_mutate(g, buf + at, len);
		return at + len;
	}
	if (desc && !fuzz_one_in(g, 4))
		len = desc->req_min +
		      fuzz_below(g, desc->req_max - desc->req_min + 1);
	else
		len = fuzz_below(g, LITE_SLOT_SIZE);
	len = min(len, room);
	prandom_bytes_state(&g->rnd, buf + at, len);
	return at + len;
}

/* of what the peer cannot even answer */
static void breaking(struct fuzz_gen *g, struct fuzz_msg *msg)
{
	struct lite_raw *raw = &msg->raw;

	switch (fuzz_below(g, 7)) {
	case 0:
		raw->len = fuzz_below(g, sizeof(struct lite_req_hdr));
		break;
	case 1:
		raw->keep_xid = true;
		break;
	case 2: /* type, slot, xid */
		raw->imm = 1 << fuzz_below(g, 32);
		break;
	case 3:
		raw->imm = prandom_u32_state(&g->rnd);
		break;
	case 4:
		raw->off =
			fuzz_one_in(g, 2) ?
				edge(g) :
				fuzz_below(g, 2 * LITE_SLOTS * LITE_SLOT_SIZE);
		break;
	case 5: /* of a request that was not sent, or another's */
		raw->imm = LITE_IMM(CANCEL, fuzz_below(g, LITE_SLOTS),
				    fuzz_below(g, LITE_SLOTS));
		break;
	default:
		prandom_bytes_state(&g->rnd, msg->buf, LITE_SLOT_SIZE);
		raw->len = fuzz_below(g, LITE_SLOT_SIZE + 1);
		raw->keep_xid = true;
	}
}

/* a header's member, wrong but to be answered */
static void wrong_header(struct fuzz_gen *g, struct lite_req_hdr *hdr)
{
	switch (fuzz_below(g, 5)) {
	case 0:
		hdr->version = cpu_to_le16(edge(g));
		break;
	case 1:
		hdr->len = cpu_to_le32(edge(g));
		break;
	case 2:
		hdr->nr_in = edge(g);
		break;
	case 3:
		hdr->nr_out = edge(g);
		break;
	default:
		hdr->flags = cpu_to_le16(fuzz_one_in(g, 4) ? edge(g) :
							     LITE_REQ_ONEWAY);
	}
}

/**
 * fuzz_request() - the next request
 * @g: source
 * @msg: filled in; its buffer is given
 */
void fuzz_request(struct fuzz_gen *g, struct fuzz_msg *msg)
{
	struct lite_req_hdr *hdr = msg->buf;
	struct lite_wire_seg *seg = msg->buf + sizeof(*hdr);
	unsigned int nr_in, nr_out, i;
	u16 op = pick_op(g);
	u32 end;

	memset(msg->buf, 0, LITE_SLOT_SIZE);
	fuzz_segments(op, &nr_in, &nr_out);
	if (fuzz_one_in(g, 16)) {
		nr_in = fuzz_below(g, LITE_MAX_SEGS + 1);
		nr_out = fuzz_below(g, LITE_MAX_SEGS + 1);
	}
	for (i = 0; i < nr_in + nr_out; i++)
		segment(g, &seg[i]);
	end = payload(g, msg->buf, op,
		      sizeof(*hdr) + (nr_in + nr_out) * sizeof(*seg));
	hdr->version = cpu_to_le16(LITE_VERSION);
	hdr->op = cpu_to_le16(op);
	hdr->len = cpu_to_le32(end - sizeof(*hdr) -
			       (nr_in + nr_out) * sizeof(*seg));
	hdr->nr_in = nr_in;
	hdr->nr_out = nr_out;
	if (fuzz_one_in(g, 16))
		wrong_header(g, hdr);
	msg->raw = (struct lite_raw){ .msg = msg->buf, .len = end };
	if (fuzz_one_in(g, 32)) /* cut off, or more than there should be */
		msg->raw.len = sizeof(*hdr) +
			       fuzz_below(g, LITE_SLOT_SIZE - sizeof(*hdr) + 1);
	if (g->breaks && fuzz_one_in(g, g->breaks))
		breaking(g, msg);
	/* a cancel that comes for nothing has no answer */
	msg->oneway = LITE_IMM_TYPE(msg->raw.imm) == CANCEL ||
		      (msg->raw.len >= sizeof(*hdr) &&
		       le16_to_cpu(hdr->flags) & LITE_REQ_ONEWAY);
}

/* a reply's member, wrong: mostly the connection breaks */
static void wrong_reply(struct fuzz_gen *g, struct fuzz_msg *msg)
{
	static const u8 types[] = { LITE_IMM_DONE, LITE_IMM_CREDIT,
				    LITE_IMM_CANCEL };
	struct lite_rsp_hdr *hdr = msg->buf;
	struct lite_raw *raw = &msg->raw;

	switch (fuzz_below(g, 8)) {
	case 0:
		hdr->version = cpu_to_le16(edge(g));
		break;
	case 1:
		hdr->len = cpu_to_le32(edge(g));
		break;
	case 2:
		raw->keep_xid = true;
		hdr->xid = cpu_to_le32(edge(g));
		break;
	case 3:
		raw->len = fuzz_below(g, LITE_SLOT_SIZE + 1);
		break;
	case 4:
		raw->imm = 1 << fuzz_below(g, 32);
		break;
	case 5: /* another kind of answer */
		raw->imm = types[fuzz_below(g, ARRAY_SIZE(types))];
		raw->imm = LITE_IMM(LITE_IMM_REPLY ^ raw->imm, 0, 0);
		break;
	case 6:
		raw->off =
			fuzz_one_in(g, 2) ?
				edge(g) :
				fuzz_below(g, 2 * LITE_SLOTS * LITE_SLOT_SIZE);
		break;
	default:
		raw->imm = prandom_u32_state(&g->rnd);
	}
}

/**
 * fuzz_reply() - a reply
 * @g: source
 * @msg: filled in; its buffer is given
 * @op: the request's
 */
void fuzz_reply(struct fuzz_gen *g, struct fuzz_msg *msg, u16 op)
{
	struct lite_rsp_hdr *hdr = msg->buf;
	u32 len = fuzz_one_in(g, 2) ? fuzz_below(g, 128) :
				      fuzz_below(g, LITE_RSP_MAX + 1);

	hdr->version = cpu_to_le16(LITE_VERSION);
	hdr->op = cpu_to_le16(fuzz_one_in(g, 4) ? edge(g) : op);
	hdr->xid = 0;
	hdr->len = cpu_to_le32(len);
	hdr->status =
		fuzz_one_in(g, 2) ?
			0 :
			cpu_to_le32(fuzz_one_in(g, 4) ?
					    edge(g) :
					    fuzz_below(g, LITE_ST_NR + 2));
	prandom_bytes_state(&g->rnd, hdr + 1, len);
	msg->raw =
		(struct lite_raw){ .msg = msg->buf, .len = sizeof(*hdr) + len };
	msg->oneway = false;
	if (g->breaks && fuzz_one_in(g, g->breaks))
		wrong_reply(g, msg);
}
