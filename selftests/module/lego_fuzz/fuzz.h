/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the files of the generator of malformed messages. */
#ifndef _LEGO_FUZZ_H
#define _LEGO_FUZZ_H

#include <linux/prandom.h>
#include <linux/types.h>
#include <lego/lite.h>
#include <lego/raw.h>

#define FUZZ_ERRNO_MAX 140 /* those that are told apart */
#define FUZZ_PORT 7600 /* the first that is used */
#define FUZZ_PAGES 16 /* of memory that peers may read and write */
#define FUZZ_TARGETS 8

/**
 * struct fuzz_opts - what a run is asked for
 * @seed: two runs with the same send the same, but for what only the rack
 *	knows: incarnations, keys of memory, ids of LMRs, xids
 * @count: messages in all
 * @threads: callers of each target, each with a node and connections of its own
 * @window: calls that each has under way
 * @breaks: one message in so many is of those that break the connection
 * @lies: 1: answer wrongly, to callers that ask rightly, instead
 * @nr: targets
 * @addr: of each
 */
struct fuzz_opts {
	u32 seed;
	u32 count;
	u32 threads;
	u32 window;
	u32 breaks;
	u32 lies;
	u32 nr;
	char addr[FUZZ_TARGETS][LITE_ADDR_LEN];
};

/**
 * struct fuzz_stats - what came of it
 * @sent: messages
 * @answered: calls that were answered, with an error or without
 * @ok: of them, without
 * @errors: calls by how they ended
 * @oneway: of the messages, those that want no answer
 * @connects: how often a caller had to connect
 * @twice: calls that have ended more than once
 * @lost: calls that did not end
 * @stray_bytes: bytes that came to memory which was lent to nobody
 * @elapsed_ns: of the run
 */
struct fuzz_stats {
	u64 sent;
	u64 answered;
	u64 ok;
	u64 errors[FUZZ_ERRNO_MAX];
	u64 oneway;
	u64 connects;
	u64 twice;
	u64 lost;
	u64 stray_bytes;
	u64 elapsed_ns;
};

/**
 * struct fuzz_gen - a source of messages
 * @rnd: all that is random comes from here
 * @breaks: see struct fuzz_opts
 * @service: of the target, as the first of its operations that was not unknown;
 *	its operations are the most frequent
 * @incarnation: of the node that sends
 * @lmr: id of an LMR that the target has, as far as known
 * @seg: memory that the target may use
 * @other: memory that is none of ours, to be named now and then; len 0: none
 * @seq: grows
 */
struct fuzz_gen {
	struct rnd_state rnd;
	u32 breaks;
	u32 service;
	u64 incarnation;
	u64 lmr;
	struct lite_wire_seg seg;
	struct lite_wire_seg other;
	u64 seq;
};

/**
 * struct fuzz_msg - a message
 * @buf: LITE_SLOT_SIZE
 * @raw: how it is sent; raw.msg is @buf
 * @oneway: it wants no answer
 */
struct fuzz_msg {
	void *buf;
	struct lite_raw raw;
	bool oneway;
};

/**
 * struct fuzz_memory - registered pages
 * @mr: they
 * @page: each
 */
struct fuzz_memory {
	struct lite_mr *mr;
	struct page *page[FUZZ_PAGES];
};

/* gen.c */
u32 fuzz_below(struct fuzz_gen *g, u32 n);
bool fuzz_one_in(struct fuzz_gen *g, u32 n);
void fuzz_mutate(struct fuzz_gen *g, void *buf, u32 len);
void fuzz_request(struct fuzz_gen *g, struct fuzz_msg *msg);
void fuzz_reply(struct fuzz_gen *g, struct fuzz_msg *msg, u16 op);

/* payload.c */
u16 fuzz_pick(struct fuzz_gen *g, u32 service);
u32 fuzz_payload(struct fuzz_gen *g, u16 op, void *buf);
void fuzz_segments(u16 op, unsigned int *nr_in, unsigned int *nr_out);

/* node.c */
struct lite_node *fuzz_node(const char *name, const char *ip, u16 port,
			    u32 service, const struct lite_handler *handlers,
			    unsigned int nr_handlers, void *priv);
int fuzz_memory_alloc(struct fuzz_memory *mem, struct lite_node *node);
void fuzz_memory_free(struct fuzz_memory *mem);
u64 fuzz_memory_changed(const struct fuzz_memory *mem);

/* run.c */
int fuzz_run(const struct fuzz_opts *opts, const char *ip,
	     struct fuzz_stats *stats);

/* liar.c */
struct lite_node *fuzz_liar_create(const struct fuzz_opts *opts,
				   const char *ip);

#endif /* _LEGO_FUZZ_H */
