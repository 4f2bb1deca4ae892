// SPDX-License-Identifier: LGPL-2.1
/*
 * lite-pingpong: how long a call takes between two programs; an example of
 * liblite. One end serves, the other calls and prints the times.
 */
#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "liblite.h"

enum { OP_ECHO = 1, OP_FETCH = 2, OP_QUIT = 3 };

#define FETCH_MAX (64 * 1024)

struct options {
	const char *name;
	const char *addr;
	const char *peer; /* NULL: serve */
	unsigned long count;
	unsigned long size;
	unsigned long fetch;
	int quit;
};

static void die(const char *what)
{
	fprintf(stderr, "lite-pingpong: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int serve(struct lite *l)
{
	struct lite_mem *mem = lite_mem_alloc(l, FETCH_MAX, 0);
	struct lite_request req;
	struct lite_buf buf = { .mem = mem };
	int err;

	if (!mem)
		die("cannot register memory");
	printf("%s\n", lite_addr(l));
	fflush(stdout);
	do {
		if (lite_recv(l, &req, -1)) {
			if (errno == EINTR)
				continue;
			die("cannot receive");
		}
		buf.len = req.out_len;
		if (req.op == OP_FETCH && buf.len && buf.len <= FETCH_MAX)
			err = lite_reply_push(l, &req, NULL, 0, 0, &buf, 1);
		else
			err = lite_reply(l, &req,
					 req.op == OP_FETCH ? EINVAL : 0,
					 req.msg, req.len);
		/* EBADF: who asked is gone */
		if (err && errno != EBADF)
			die("cannot reply");
	} while (req.op != OP_QUIT);
	lite_mem_free(mem);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_times(const struct options *o, uint64_t *ns)
{
	size_t n = o->count;

	qsort(ns, n, sizeof(*ns), by_value);
	printf("%s of %lu bytes, %lu times: min %.1f us, median %.1f us, "
	       "p99 %.1f us, max %.1f us\n",
	       o->fetch ? "fetch" : "echo", o->fetch ? o->fetch : o->size, n,
	       (double)ns[0] / 1e3, (double)ns[n / 2] / 1e3,
	       (double)ns[n * 99 / 100] / 1e3, (double)ns[n - 1] / 1e3);
}

static int ping(struct lite *l, const struct options *o)
{
	char msg[LITE_MSG_MAX], back[LITE_MSG_MAX];
	struct lite_call call = {
		.op = o->fetch ? OP_FETCH : OP_ECHO,
		.req = msg,
		.req_len = o->fetch ? 0 : o->size,
		.rsp = back,
		.rsp_size = sizeof(back),
		.class_ = LITE_URGENT,
	};
	struct lite_buf out = { .len = o->fetch };
	uint64_t *ns, start;
	unsigned long i;

	memset(msg, 'p', sizeof(msg));
	ns = calloc(o->count, sizeof(*ns));
	call.peer = lite_peer(l, o->peer, 0);
	if (!ns || call.peer < 0)
		die(o->peer);
	if (o->fetch) {
		out.mem = lite_mem_alloc(l, o->fetch, LITE_WRITE);
		if (!out.mem)
			die("cannot register memory");
		call.out = &out;
		call.nr_out = 1;
	}
	for (i = 0; i < o->count; i++) {
		start = now_ns();
		if (lite_call(l, &call))
			die(o->peer);
		ns[i] = now_ns() - start;
		if (call.rsp_len != call.req_len ||
		    memcmp(back, msg, call.rsp_len)) {
			fprintf(stderr, "lite-pingpong: another reply\n");
			return 1;
		}
	}
	print_times(o, ns);
	if (o->quit) {
		call.op = OP_QUIT;
		call.nr_out = 0;
		if (lite_call(l, &call))
			die(o->peer);
	}
	lite_mem_free(out.mem);
	free(ns);
	return 0;
}

static const struct argp_option argp_options[] = {
	{ "addr", 'a', "ADDR", 0,
	  "own address, \"IP:port\" (default: \"loop:\" and the name, this kernel only)",
	  0 },
	{ "name", 'n', "NAME", 0, "own name (default pong, or ping)", 0 },
	{ "count", 'c', "N", 0, "how many calls (1000)", 0 },
	{ "size", 's', "BYTES", 0, "of each message there and back (64)", 0 },
	{ "fetch", 'f', "BYTES", 0,
	  "have so much written into registered memory instead", 0 },
	{ "quit", 'q', NULL, 0, "end the other side afterwards", 0 },
	{ 0 },
};

static unsigned long to_number(const char *arg, unsigned long min,
			       unsigned long max, struct argp_state *state)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 0);
	if (errno || *end || end == arg || *arg == '-' || n < min || n > max)
		argp_error(state, "%s: use a number from %lu to %lu", arg, min,
			   max);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'a':
		o->addr = arg;
		return 0;
	case 'n':
		o->name = arg;
		return 0;
	case 'c':
		o->count = to_number(arg, 1, 100000000, state);
		return 0;
	case 's':
		o->size = to_number(arg, 0, LITE_MSG_MAX, state);
		return 0;
	case 'f':
		o->fetch = to_number(arg, 1, FETCH_MAX, state);
		return 0;
	case 'q':
		o->quit = 1;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			return ARGP_ERR_UNKNOWN;
		o->peer = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "[PEER]",
	.doc = "Serves, and prints where; or calls PEER and prints how long it took.",
};

int main(int argc, char **argv)
{
	struct options o = { .count = 1000, .size = 64 };
	struct lite *l;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.name)
		o.name = o.peer ? "ping" : "pong";
	l = lite_open(o.name, o.addr);
	if (!l)
		die("cannot make a node (is lite_rpc loaded, and may you open /dev/lite?)");
	status = o.peer ? ping(l, &o) : serve(l);
	lite_close(l);
	return status;
}
