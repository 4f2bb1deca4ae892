/* SPDX-License-Identifier: LGPL-2.1 */
/*
 * liblite: messages, registered memory, LMRs (named memory at any node of the
 * rack), locks and barriers for programs, by /dev/lite. liblite(3) describes
 * it.
 *
 * All functions that return int give 0 or more, or -1 and errno. All may be
 * called from any thread.
 */
#ifndef _LIBLITE_H
#define _LIBLITE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LITE_MSG_MAX 3072 /* bytes of a message */
#define LITE_BUFS_MAX 16 /* pieces of memory in one direction of a call */
#define LITE_READ 1
#define LITE_WRITE 2

enum lite_class { LITE_NORMAL, LITE_URGENT, LITE_BULK };

struct lite; /* a node */
struct lite_mem; /* memory that can be moved without being copied */

/**
 * struct lite_buf - a piece of registered memory
 * @mem: which
 * @off: where in it
 * @len: bytes
 */
struct lite_buf {
	struct lite_mem *mem;
	size_t off;
	size_t len;
};

struct lite *lite_open(const char *name, const char *addr);
void lite_close(struct lite *l);
int lite_fd(const struct lite *l);
const char *lite_addr(const struct lite *l);
uint64_t lite_incarnation(const struct lite *l);

struct lite_mem *lite_mem_alloc(struct lite *l, size_t size, int access);
void *lite_mem_addr(const struct lite_mem *mem);
size_t lite_mem_size(const struct lite_mem *mem);
int lite_mem_free(struct lite_mem *mem);

int lite_peer(struct lite *l, const char *addr, uint64_t incarnation);
int lite_peer_close(struct lite *l, int peer);

/**
 * struct lite_call - a call
 * @peer: whom
 * @op: what is asked: a number that means something to the two programs
 * @req: message
 * @req_len: its bytes
 * @rsp: where the reply's message goes, may be NULL (lite_call())
 * @rsp_size: room there
 * @rsp_len: set to its bytes
 * @in: what the peer may read, allocated with LITE_READ
 * @nr_in: how many
 * @out: where it may write, allocated with LITE_WRITE
 * @nr_out: how many
 * @timeout_ms: 0: 10 seconds
 * @class_: enum lite_class (the name is a keyword of C++)
 * @cookie: for lite_done() (lite_call_start())
 */
struct lite_call {
	int peer;
	uint32_t op;
	const void *req;
	size_t req_len;
	void *rsp;
	size_t rsp_size;
	size_t rsp_len;
	const struct lite_buf *in;
	unsigned int nr_in;
	const struct lite_buf *out;
	unsigned int nr_out;
	unsigned int timeout_ms;
	enum lite_class class_;
	uint64_t cookie;
};

/**
 * struct lite_end - how an asynchronous call ended
 * @cookie: the call's
 * @error: 0 or an errno
 * @rsp_len: bytes of the reply's message
 * @rsp: it
 */
struct lite_end {
	uint64_t cookie;
	int error;
	size_t rsp_len;
	char rsp[LITE_MSG_MAX];
};

int lite_call(struct lite *l, struct lite_call *call);
int lite_call_start(struct lite *l, const struct lite_call *call);
int lite_done(struct lite *l, struct lite_end *end, int timeout_ms);
int lite_send(struct lite *l, int peer, uint32_t op, const void *msg,
	      size_t len);

/**
 * struct lite_request - a request
 * @id: for lite_pull(), lite_reply(); 0: one-way
 * @peer: incarnation of who asks
 * @op: what
 * @in_len: bytes it offers for lite_pull()
 * @out_len: bytes of room it has for lite_reply()
 * @len: bytes of message
 * @msg: it
 */
struct lite_request {
	uint64_t id;
	uint64_t peer;
	uint32_t op;
	size_t in_len;
	size_t out_len;
	size_t len;
	char msg[LITE_MSG_MAX];
};

int lite_recv(struct lite *l, struct lite_request *req, int timeout_ms);
int lite_pull(struct lite *l, const struct lite_request *req, uint64_t off,
	      const struct lite_buf *buf, unsigned int nr);
int lite_reply(struct lite *l, const struct lite_request *req, int error,
	       const void *msg, size_t len);
int lite_reply_push(struct lite *l, const struct lite_request *req,
		    const void *msg, size_t len, uint64_t off,
		    const struct lite_buf *buf, unsigned int nr);

int lite_lmr_alloc(struct lite *l, int peer, const char *name, uint64_t size,
		   int others);
int lite_lmr_map(struct lite *l, int peer, const char *name, int access,
		 uint64_t *size);
int lite_lmr_unmap(struct lite *l, int lmr);
int lite_lmr_free(struct lite *l, int lmr);
int lite_lmr_grant(struct lite *l, int lmr, uint64_t incarnation, int access);
int lite_lmr_read(struct lite *l, int lmr, uint64_t off,
		  const struct lite_buf *buf, unsigned int nr);
int lite_lmr_write(struct lite *l, int lmr, uint64_t off,
		   const struct lite_buf *buf, unsigned int nr);
int lite_lmr_set(struct lite *l, int lmr, uint64_t off, uint8_t byte,
		 uint64_t len);
int lite_lmr_copy(struct lite *l, int to, uint64_t to_off, int from,
		  uint64_t from_off, uint64_t len);
int lite_lmr_add(struct lite *l, int lmr, uint64_t off, uint64_t value,
		 uint64_t *old);
int lite_lmr_cas(struct lite *l, int lmr, uint64_t off, uint64_t expect,
		 uint64_t value, uint64_t *old);

int lite_lock(struct lite *l, int peer, const char *name,
	      unsigned int lease_ms, unsigned int wait_ms, uint64_t *token);
int lite_unlock(struct lite *l, int lock);
int lite_lock_check(struct lite *l, int lock);
int lite_barrier(struct lite *l, int peer, const char *name, unsigned int nr,
		 unsigned int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* _LIBLITE_H */
