// SPDX-License-Identifier: LGPL-2.1
/* liblite: see liblite.h. Each function is an ioctl of /dev/lite. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <uapi/lego/lite.h>

#include "liblite.h"

_Static_assert(LITE_MSG_MAX == LITE_U_MSG_MAX, "");
_Static_assert(LITE_BUFS_MAX == LITE_U_SGES_MAX, "");
_Static_assert(LITE_READ == LITE_U_READ && LITE_WRITE == LITE_U_WRITE, "");
_Static_assert(LITE_NORMAL == LITE_U_CLASS_NORMAL, "");
_Static_assert(LITE_URGENT == LITE_U_CLASS_URGENT, "");
_Static_assert(LITE_BULK == LITE_U_CLASS_BULK, "");

struct lite {
	int fd;
	struct lite_u_node node;
};

struct lite_mem {
	struct lite *l;
	void *addr;
	size_t size;
	uint32_t id;
};

static int set_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to, from, len);
	memset(to + len, 0, size - len);
	return 0;
}

static uint64_t to_u64(const void *p)
{
	return (uintptr_t)p;
}

static uint32_t to_ms(int timeout_ms)
{
	return timeout_ms < 0 ? LITE_U_FOREVER : (uint32_t)timeout_ms;
}

/* Pieces as the kernel wants them; -1: one does not fit. */
static int set_sges(struct lite_u_sge *sge, const struct lite_buf *buf,
		    unsigned int nr)
{
	unsigned int i;

	if (nr > LITE_U_SGES_MAX) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < nr; i++) {
		if (buf[i].len > UINT32_MAX) {
			errno = EINVAL;
			return -1;
		}
		sge[i] = (struct lite_u_sge){
			.mem = buf[i].mem->id,
			.off = buf[i].off,
			.len = (uint32_t)buf[i].len,
		};
	}
	return 0;
}

struct lite *lite_open(const char *name, const char *addr)
{
	struct lite *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return NULL;
	l->fd = open(LITE_U_DEV, O_RDWR | O_CLOEXEC);
	if (l->fd < 0)
		goto err_free;
	if (set_text(l->node.name, sizeof(l->node.name), name) ||
	    set_text(l->node.addr, sizeof(l->node.addr), addr ? addr : "") ||
	    ioctl(l->fd, LITE_IOC_NODE, &l->node))
		goto err_close;
	return l;

err_close:
	err = errno;
	close(l->fd);
	errno = err;
err_free:
	free(l);
	return NULL;
}

void lite_close(struct lite *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}

int lite_fd(const struct lite *l)
{
	return l->fd;
}

const char *lite_addr(const struct lite *l)
{
	return l->node.addr;
}

uint64_t lite_incarnation(const struct lite *l)
{
	return l->node.incarnation;
}

struct lite_mem *lite_mem_alloc(struct lite *l, size_t size, int access)
{
	struct lite_u_mem a = { .size = size, .access = (uint32_t)access };
	struct lite_mem *mem = calloc(1, sizeof(*mem));
	int err;

	if (!mem)
		return NULL;
	if (ioctl(l->fd, LITE_IOC_MEM_ALLOC, &a))
		goto err_free;
	mem->l = l;
	mem->id = a.id;
	mem->size = a.size;
	mem->addr = mmap(NULL, a.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 l->fd, (off_t)a.offset);
	if (mem->addr != MAP_FAILED)
		return mem;
	err = errno;
	ioctl(l->fd, LITE_IOC_MEM_FREE, &a.id);
	errno = err;
err_free:
	free(mem);
	return NULL;
}

void *lite_mem_addr(const struct lite_mem *mem)
{
	return mem->addr;
}

size_t lite_mem_size(const struct lite_mem *mem)
{
	return mem->size;
}

int lite_mem_free(struct lite_mem *mem)
{
	if (!mem)
		return 0;
	if (ioctl(mem->l->fd, LITE_IOC_MEM_FREE, &mem->id))
		return -1;
	munmap(mem->addr, mem->size);
	free(mem);
	return 0;
}

int lite_peer(struct lite *l, const char *addr, uint64_t incarnation)
{
	struct lite_u_peer a = { .incarnation = incarnation };

	if (set_text(a.addr, sizeof(a.addr), addr) ||
	    ioctl(l->fd, LITE_IOC_PEER_GET, &a))
		return -1;
	return (int)a.id;
}

int lite_peer_close(struct lite *l, int peer)
{
	uint32_t id = (uint32_t)peer;

	return ioctl(l->fd, LITE_IOC_PEER_PUT, &id);
}

static int do_call(struct lite *l, const struct lite_call *c, uint16_t flags,
		   size_t *rsp_len)
{
	struct lite_u_sge in[LITE_U_SGES_MAX], out[LITE_U_SGES_MAX];
	struct lite_u_call a = {
		.peer = (uint32_t)c->peer,
		.op = c->op,
		.req = to_u64(c->req),
		.req_len = (uint32_t)c->req_len,
		.rsp = to_u64(c->rsp),
		.rsp_size = c->rsp_size > LITE_U_MSG_MAX ?
				    LITE_U_MSG_MAX : (uint32_t)c->rsp_size,
		.in = to_u64(in),
		.out = to_u64(out),
		.nr_in = c->nr_in,
		.nr_out = c->nr_out,
		.timeout_ms = c->timeout_ms,
		.class = (uint16_t)c->class_,
		.flags = flags,
		.cookie = c->cookie,
	};

	if (c->req_len > LITE_U_MSG_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (set_sges(in, c->in, c->nr_in) || set_sges(out, c->out, c->nr_out) ||
	    ioctl(l->fd, LITE_IOC_CALL, &a))
		return -1;
	if (rsp_len)
		*rsp_len = a.rsp_len;
	return 0;
}

int lite_call(struct lite *l, struct lite_call *call)
{
	return do_call(l, call, 0, &call->rsp_len);
}

int lite_call_start(struct lite *l, const struct lite_call *call)
{
	return do_call(l, call, LITE_U_ASYNC, NULL);
}

int lite_done(struct lite *l, struct lite_end *end, int timeout_ms)
{
	struct lite_u_done a = {
		.rsp = to_u64(end->rsp),
		.rsp_size = sizeof(end->rsp),
		.timeout_ms = to_ms(timeout_ms),
	};

	if (ioctl(l->fd, LITE_IOC_DONE, &a))
		return -1;
	end->cookie = a.cookie;
	end->error = -a.status;
	end->rsp_len = a.rsp_len;
	return 0;
}

int lite_send(struct lite *l, int peer, uint32_t op, const void *msg,
	      size_t len)
{
	struct lite_call call = {
		.peer = peer,
		.op = op,
		.req = msg,
		.req_len = len,
	};

	return do_call(l, &call, LITE_U_ONEWAY, NULL);
}

int lite_recv(struct lite *l, struct lite_request *req, int timeout_ms)
{
	struct lite_u_recv a = {
		.buf = to_u64(req->msg),
		.size = sizeof(req->msg),
		.timeout_ms = to_ms(timeout_ms),
	};

	if (ioctl(l->fd, LITE_IOC_RECV, &a))
		return -1;
	req->id = a.id;
	req->peer = a.peer;
	req->op = a.op;
	req->in_len = a.in_len;
	req->out_len = a.out_len;
	req->len = a.len;
	return 0;
}

int lite_pull(struct lite *l, const struct lite_request *req, uint64_t off,
	      const struct lite_buf *buf, unsigned int nr)
{
	struct lite_u_sge sge[LITE_U_SGES_MAX];
	struct lite_u_pull a = {
		.id = req->id,
		.off = off,
		.sge = to_u64(sge),
		.nr = nr,
	};

	if (set_sges(sge, buf, nr))
		return -1;
	return ioctl(l->fd, LITE_IOC_PULL, &a);
}

static int do_reply(struct lite *l, const struct lite_request *req,
		    struct lite_u_reply *a)
{
	a->id = req->id;
	if (!a->id) /* one-way: it was answered when it was received */
		return 0;
	return ioctl(l->fd, LITE_IOC_REPLY, a);
}

int lite_reply(struct lite *l, const struct lite_request *req, int error,
	       const void *msg, size_t len)
{
	struct lite_u_reply a = {
		.rsp = to_u64(msg),
		.rsp_len = error ? 0 : (uint32_t)len,
		.error = (uint32_t)error,
	};

	return do_reply(l, req, &a);
}

int lite_reply_push(struct lite *l, const struct lite_request *req,
		    const void *msg, size_t len, uint64_t off,
		    const struct lite_buf *buf, unsigned int nr)
{
	struct lite_u_sge sge[LITE_U_SGES_MAX];
	struct lite_u_reply a = {
		.rsp = to_u64(msg),
		.rsp_len = (uint32_t)len,
		.off = off,
		.sge = to_u64(sge),
		.nr = nr,
	};

	if (set_sges(sge, buf, nr))
		return -1;
	return do_reply(l, req, &a);
}

int lite_lmr_alloc(struct lite *l, int peer, const char *name, uint64_t size,
		   int others)
{
	struct lite_u_lmr a = {
		.peer = (uint32_t)peer,
		.size = size,
		.access = (uint32_t)others,
	};

	if (set_text(a.name, sizeof(a.name), name))
		return -1;
	return ioctl(l->fd, LITE_IOC_LMR_ALLOC, &a);
}

int lite_lmr_map(struct lite *l, int peer, const char *name, int access,
		 uint64_t *size)
{
	struct lite_u_lmr a = {
		.peer = (uint32_t)peer,
		.access = (uint32_t)access,
	};

	if (set_text(a.name, sizeof(a.name), name) ||
	    ioctl(l->fd, LITE_IOC_LMR_MAP, &a))
		return -1;
	if (size)
		*size = a.size;
	return (int)a.id;
}

int lite_lmr_unmap(struct lite *l, int lmr)
{
	uint32_t id = (uint32_t)lmr;

	return ioctl(l->fd, LITE_IOC_LMR_UNMAP, &id);
}

int lite_lmr_free(struct lite *l, int lmr)
{
	uint32_t id = (uint32_t)lmr;

	return ioctl(l->fd, LITE_IOC_LMR_FREE, &id);
}

int lite_lmr_grant(struct lite *l, int lmr, uint64_t incarnation, int access)
{
	struct lite_u_grant a = {
		.id = (uint32_t)lmr,
		.incarnation = incarnation,
		.access = (uint32_t)access,
	};

	return ioctl(l->fd, LITE_IOC_LMR_GRANT, &a);
}

static int do_move(struct lite *l, unsigned long cmd, int lmr, uint64_t off,
		   const struct lite_buf *buf, unsigned int nr)
{
	struct lite_u_sge sge[LITE_U_SGES_MAX];
	struct lite_u_move a = {
		.id = (uint32_t)lmr,
		.off = off,
		.sge = to_u64(sge),
		.nr = nr,
	};

	if (set_sges(sge, buf, nr))
		return -1;
	return ioctl(l->fd, cmd, &a);
}

int lite_lmr_read(struct lite *l, int lmr, uint64_t off,
		  const struct lite_buf *buf, unsigned int nr)
{
	return do_move(l, LITE_IOC_LMR_READ, lmr, off, buf, nr);
}

int lite_lmr_write(struct lite *l, int lmr, uint64_t off,
		   const struct lite_buf *buf, unsigned int nr)
{
	return do_move(l, LITE_IOC_LMR_WRITE, lmr, off, buf, nr);
}

int lite_lmr_set(struct lite *l, int lmr, uint64_t off, uint8_t byte,
		 uint64_t len)
{
	struct lite_u_set a = {
		.id = (uint32_t)lmr,
		.off = off,
		.len = len,
		.byte = byte,
	};

	return ioctl(l->fd, LITE_IOC_LMR_SET, &a);
}

int lite_lmr_copy(struct lite *l, int to, uint64_t to_off, int from,
		  uint64_t from_off, uint64_t len)
{
	struct lite_u_copy a = {
		.to = (uint32_t)to,
		.to_off = to_off,
		.from = (uint32_t)from,
		.from_off = from_off,
		.len = len,
	};

	return ioctl(l->fd, LITE_IOC_LMR_COPY, &a);
}

static int do_atomic(struct lite *l, unsigned long cmd, int lmr,
		     struct lite_u_atomic *a, uint64_t *old)
{
	a->id = (uint32_t)lmr;
	if (ioctl(l->fd, cmd, a))
		return -1;
	if (old)
		*old = a->old;
	return 0;
}

int lite_lmr_add(struct lite *l, int lmr, uint64_t off, uint64_t value,
		 uint64_t *old)
{
	struct lite_u_atomic a = { .off = off, .value = value };

	return do_atomic(l, LITE_IOC_LMR_ADD, lmr, &a, old);
}

int lite_lmr_cas(struct lite *l, int lmr, uint64_t off, uint64_t expect,
		 uint64_t value, uint64_t *old)
{
	struct lite_u_atomic a = {
		.off = off,
		.value = value,
		.expect = expect,
	};

	return do_atomic(l, LITE_IOC_LMR_CAS, lmr, &a, old);
}

int lite_lock(struct lite *l, int peer, const char *name,
	      unsigned int lease_ms, unsigned int wait_ms, uint64_t *token)
{
	struct lite_u_lock a = {
		.peer = (uint32_t)peer,
		.lease_ms = lease_ms,
		.wait_ms = wait_ms,
	};

	if (set_text(a.name, sizeof(a.name), name) ||
	    ioctl(l->fd, LITE_IOC_LOCK, &a))
		return -1;
	if (token)
		*token = a.token;
	return (int)a.id;
}

int lite_unlock(struct lite *l, int lock)
{
	uint32_t id = (uint32_t)lock;

	return ioctl(l->fd, LITE_IOC_UNLOCK, &id);
}

int lite_lock_check(struct lite *l, int lock)
{
	uint32_t id = (uint32_t)lock;

	return ioctl(l->fd, LITE_IOC_LOCK_CHECK, &id);
}

int lite_barrier(struct lite *l, int peer, const char *name, unsigned int nr,
		 unsigned int timeout_ms)
{
	struct lite_u_lock a = {
		.peer = (uint32_t)peer,
		.nr = nr,
		.wait_ms = timeout_ms,
	};

	if (set_text(a.name, sizeof(a.name), name))
		return -1;
	return ioctl(l->fd, LITE_IOC_BARRIER, &a);
}
