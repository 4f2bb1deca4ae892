// SPDX-License-Identifier: GPL-2.0
/*
 * What a key opens, if who has it does not ask lite_rpc first; LMRs by several
 * objects of the same node; calls to several nodes.
 */
#include <linux/completion.h>
#include <linux/slab.h>

#include "test.h"

/* as lite_rpc's users would, had they no lite_lmr_map() */
static int get_key(struct actor *a, const char *name, u32 access, u32 piece,
		   struct lite_wire_seg *seg)
{
	struct lite_lmr_map_req map = { .access = cpu_to_le32(access) };
	struct lite_lmr_keys_req keys = {
		.first = cpu_to_le32(piece),
		.nr = cpu_to_le32(1),
	};
	struct lite_lmr_rsp rsp;
	struct lite_call call = {
		.op = LITE_LMR_MAP,
		.req = &map,
		.req_len = sizeof(map),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
	};
	int err;

	strscpy(map.name, name, sizeof(map.name));
	err = lite_call(a->at, &call);
	if (err)
		return err;
	keys.id = rsp.id;
	call = (struct lite_call){
		.op = LITE_LMR_KEYS,
		.req = &keys,
		.req_len = sizeof(keys),
		.rsp = seg,
		.rsp_size = sizeof(*seg),
	};
	return lite_call(a->at, &call);
}

static void move_done(struct lite_call *call)
{
	complete(call->priv);
}

/* [0, 4096) of the actor's buffer to or from what @seg says */
static int move(struct actor *a, struct lite_peer *peer,
		struct lite_wire_seg seg, bool write)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct lite_sge sge = { .mr = a->mr, .len = 4096 };
	struct lite_call call = { .done = move_done, .priv = &done };
	int err;

	seg.len = cpu_to_le32(sge.len);
	if (write) {
		call.in = &sge;
		call.nr_in = 1;
	} else {
		call.out = &sge;
		call.nr_out = 1;
		memset(a->buf, 0x5a, sge.len);
	}
	do {
		err = lite_peer_connect(peer, call.class);
		if (err)
			return err;
		err = write ? lite_write_start(peer, &seg, &call) :
			      lite_read_start(peer, &seg, &call);
	} while (err == -ENOTCONN || err == -EAGAIN);
	if (err)
		return err;
	wait_for_completion(&done);
	return call.status;
}

static bool untouched(struct actor *a)
{
	return !memchr_inv(a->buf, 0x5a, 4096);
}

/*
 * A key that is used wrongly costs its user the connection, and nobody else
 * anything.
 */
void test_keys(struct seq_file *m, struct lite_lmr *a)
{
	struct lite_wire_seg seg, beyond, below;
	int err;

	put(&alice, a, 0, 70000, 13);
	err = get_key(&bob, "lmr-a", LITE_LMR_READ, 0, &seg);
	if (!err)
		err = get_key(&bob, "lmr-a", LITE_LMR_READ,
			      LMR_SIZE / LITE_LMR_PIECE, &beyond);
	tap_ok(m, err, "a key is told to who may read");
	if (err)
		return;
	tap_ok(m, move(&bob, bob.at, seg, false), "by which it reads");
	fill(&bob, 0, 4096, 77);
	tap_err(m, move(&bob, bob.at, seg, true), -ECONNRESET,
		"it does not open that for writing");
	tap(m, holds(&alice, a, 0, 70000, 13), "and nothing was written", 0);
	le64_add_cpu(&beyond.addr, le32_to_cpu(beyond.len) - 2048);
	tap_err(m, move(&bob, bob.at, beyond, false), -ECONNRESET,
		"nor what is behind the LMR's end");
	tap(m, untouched(&bob), "and nothing of that came", 0);
	below = seg;
	le64_add_cpu(&below.addr, -2048);
	tap_err(m, move(&bob, bob.at, below, false), -ECONNRESET,
		"nor what is before its beginning");
	tap(m, untouched(&bob), "and nothing of that came, either", 0);
	err = move(&bob, bob.other, seg, false);
	tap(m, err == -ECONNRESET && untouched(&bob),
	    "nor anything at another node", err);
	tap_ok(m, move(&bob, bob.at, seg, false),
	       "it still opens what it is for");
}

/* One node, by its address and by its address and incarnation. */
void test_objects(struct seq_file *m, struct lite_lmr *a, const char *at,
		  u64 incarnation)
{
	const u32 to = 9001, from = 100, len = 150000, all = 1 << 18;
	struct lite_peer *peer;
	struct lite_lmr *again;
	int err;

	peer = lite_peer_get(alice.node, at, incarnation);
	err = PTR_ERR_OR_ZERO(peer);
	tap(m, !err && incarnation && peer != alice.at,
	    "a life of the node is another object", err);
	if (err)
		return;
	again = lite_lmr_map(peer, "lmr-a", LITE_LMR_RW);
	err = PTR_ERR_OR_ZERO(again);
	if (!err)
		err = put(&alice, a, 0, all, 21);
	if (!err)
		err = lite_lmr_copy(again, to, a, from, len);
	if (!err)
		err = get(&alice, a, 0, all);
	fill(&bob, 0, all, 21);
	memmove(bob.buf + to, bob.buf + from, len);
	tap(m, !err && !memcmp(alice.buf, bob.buf, all),
	    "memmove upwards, overlapping, by two objects of a node", err);
	lite_lmr_unmap(again);
	lite_peer_put(peer);
}

/* Two that answer, and an address where nobody is. */
void test_many(struct seq_file *m, const char *nobody)
{
	char req[3][8] = { "first", "second", "third" }, rsp[3][8] = {};
	struct lite_peer *peer[3] = { alice.at, NULL, alice.other };
	struct lite_call call[3];
	unsigned int i;
	int err;

	peer[1] = lite_peer_get(alice.node, nobody, 0);
	if (IS_ERR(peer[1])) {
		tap_ok(m, PTR_ERR(peer[1]), "calls to many");
		return;
	}
	for (i = 0; i < 3; i++)
		call[i] = (struct lite_call){
			.op = LITE_PING,
			.req = req[i],
			.req_len = sizeof(req[i]),
			.rsp = rsp[i],
			.rsp_size = sizeof(rsp[i]),
			.timeout_ms = 2000,
		};
	err = lite_call_many(peer, call, 3);
	tap(m, err && err == call[1].status,
	    "calls to many end with the error of one", err);
	tap(m, !call[0].status && !call[2].status &&
	    !strcmp(rsp[0], "first") && !strcmp(rsp[2], "third"),
	    "and each of the others with its own reply",
	    call[0].status ?: call[2].status);
	lite_peer_put(peer[1]);
}
