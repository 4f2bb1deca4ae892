// SPDX-License-Identifier: LGPL-2.1
/*
 * lite-kv: a key-value server over liblite, and its client; an example.
 *
 * Values lie in registered memory, in slots of one size: what is put is pulled
 * from the client straight to where it stays, what is got is written from there
 * into the client's memory. Keys are in messages. Any number of threads serve.
 */
#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liblite.h"

/* Each message is a key. The reply of OP_GET and OP_COUNT is a number. */
enum { OP_PUT = 1, OP_GET, OP_DEL, OP_COUNT, OP_QUIT };

#define THREADS_MAX 64

struct options {
	const char *name;
	const char *addr;
	const char *args[3];
	unsigned int nr_args;
	unsigned long slots;
	unsigned long size;
	unsigned long threads;
};

static void die(const char *what)
{
	fprintf(stderr, "lite-kv: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * The store.
 */

struct item {
	char *key;
	size_t off; /* of the slot */
	size_t len; /* of the value */
	unsigned int readers; /* being sent */
	int removed; /* not in the tree: the last reader frees it */
};

static struct store {
	pthread_mutex_t lock; /* all but what is in slots */
	void *tree;
	struct lite_mem *mem;
	size_t size;
	size_t *free; /* offsets */
	size_t nr_free;
	size_t nr;
} store = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->key,
		      ((const struct item *)b)->key);
}

static struct item *find(const char *key)
{
	struct item want = { .key = (char *)key };
	void *node = tfind(&want, &store.tree, by_key);

	return node ? *(struct item **)node : NULL;
}

static void free_entry(struct item *e)
{
	store.free[store.nr_free++] = e->off;
	free(e->key);
	free(e);
}

/* lock held */
static void remove_entry(struct item *e)
{
	tdelete(e, &store.tree, by_key);
	store.nr--;
	e->removed = 1;
	if (!e->readers)
		free_entry(e);
}

static struct item *new_entry(const char *key, size_t len)
{
	struct item *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = strdup(key);
	pthread_mutex_lock(&store.lock);
	if (!e->key || !store.nr_free) {
		pthread_mutex_unlock(&store.lock);
		free(e->key);
		free(e);
		return NULL;
	}
	e->off = store.free[--store.nr_free];
	pthread_mutex_unlock(&store.lock);
	e->len = len;
	return e;
}

static int put(struct lite *l, const struct lite_request *req, const char *key)
{
	struct lite_buf buf = { .mem = store.mem, .len = req->in_len };
	struct item *e, *old;
	void *node = NULL;

	if (req->in_len > store.size)
		return EFBIG;
	e = new_entry(key, req->in_len);
	if (!e)
		return ENOSPC;
	buf.off = e->off;
	if (buf.len && lite_pull(l, req, 0, &buf, 1)) {
		pthread_mutex_lock(&store.lock);
		free_entry(e);
		pthread_mutex_unlock(&store.lock);
		return EIO;
	}
	pthread_mutex_lock(&store.lock);
	old = find(key);
	if (old)
		remove_entry(old);
	node = tsearch(e, &store.tree, by_key);
	if (node)
		store.nr++;
	else
		free_entry(e);
	pthread_mutex_unlock(&store.lock);
	return node ? 0 : ENOMEM;
}

/* Replies itself. */
static void get(struct lite *l, const struct lite_request *req,
		const char *key)
{
	struct lite_buf buf = { .mem = store.mem };
	struct item *e;
	uint64_t len;

	pthread_mutex_lock(&store.lock);
	e = find(key);
	if (e)
		e->readers++;
	pthread_mutex_unlock(&store.lock);
	if (!e) {
		lite_reply(l, req, ENOENT, NULL, 0);
		return;
	}
	len = e->len;
	buf.off = e->off;
	buf.len = e->len;
	if (len > req->out_len)
		lite_reply(l, req, EFBIG, NULL, 0);
	else
		lite_reply_push(l, req, &len, sizeof(len), 0, &buf, len != 0);
	/* it is sent */
	pthread_mutex_lock(&store.lock);
	if (!--e->readers && e->removed)
		free_entry(e);
	pthread_mutex_unlock(&store.lock);
}

static int del(const char *key)
{
	struct item *e;

	pthread_mutex_lock(&store.lock);
	e = find(key);
	if (e)
		remove_entry(e);
	pthread_mutex_unlock(&store.lock);
	return e ? 0 : ENOENT;
}

static void count(struct lite *l, const struct lite_request *req)
{
	uint64_t nr;

	pthread_mutex_lock(&store.lock);
	nr = store.nr;
	pthread_mutex_unlock(&store.lock);
	lite_reply(l, req, 0, &nr, sizeof(nr));
}

static void answer(struct lite *l, const struct lite_request *req)
{
	char key[LITE_MSG_MAX + 1];

	memcpy(key, req->msg, req->len);
	key[req->len] = 0;
	switch (req->op) {
	case OP_PUT:
		lite_reply(l, req, put(l, req, key), NULL, 0);
		return;
	case OP_GET:
		get(l, req, key);
		return;
	case OP_DEL:
		lite_reply(l, req, del(key), NULL, 0);
		return;
	case OP_COUNT:
		count(l, req);
		return;
	case OP_QUIT:
		lite_reply(l, req, 0, NULL, 0);
		exit(0);
	}
	lite_reply(l, req, EOPNOTSUPP, NULL, 0);
}

static void *serve_loop(void *arg)
{
	struct lite_request *req = malloc(sizeof(*req));
	struct lite *l = arg;

	if (!req)
		die("no memory");
	for (;;) {
		if (!lite_recv(l, req, -1))
			answer(l, req);
		else if (errno != EINTR)
			die("cannot receive");
	}
	return NULL;
}

static int serve(struct lite *l, const struct options *o)
{
	pthread_t thread;
	unsigned long i;
	int err;

	store.size = o->size;
	store.mem = lite_mem_alloc(l, o->slots * o->size, 0);
	store.free = calloc(o->slots, sizeof(*store.free));
	if (!store.mem || !store.free)
		die("no memory for the values (see -m, -s, and ulimit -l)");
	for (i = o->slots; i; i--)
		store.free[store.nr_free++] = (i - 1) * o->size;
	printf("%s\n", lite_addr(l));
	fflush(stdout);
	for (i = 1; i < o->threads; i++) {
		err = pthread_create(&thread, NULL, serve_loop, l);
		if (err) {
			errno = err;
			die("no thread");
		}
	}
	serve_loop(l);
	return 0;
}

/*
 * The client.
 */

static size_t read_all(char *to, size_t size)
{
	size_t n = fread(to, 1, size, stdin);

	if (ferror(stdin))
		die("cannot read");
	if (n == size && getchar() != EOF) {
		errno = EFBIG;
		die("the value");
	}
	return n;
}

static int ask(struct lite *l, const struct options *o)
{
	static const struct {
		const char *word;
		uint32_t op;
		unsigned int nr_args;
	} words[] = {
		{ "put", OP_PUT, 3 }, { "get", OP_GET, 3 },
		{ "del", OP_DEL, 3 }, { "count", OP_COUNT, 2 },
		{ "quit", OP_QUIT, 2 },
	};
	const char *key = o->nr_args == 3 ? o->args[2] : "";
	struct lite_buf buf = { .len = o->size };
	uint64_t nr = 0;
	struct lite_call call = {
		.req = key,
		.req_len = strlen(key),
		.rsp = &nr,
		.rsp_size = sizeof(nr),
	};
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(o->args[0], words[i].word) &&
		    o->nr_args == words[i].nr_args)
			call.op = words[i].op;
	if (!call.op) {
		fprintf(stderr, "lite-kv: see lite-kv --help\n");
		return 64;
	}
	call.peer = lite_peer(l, o->args[1], 0);
	if (call.peer < 0)
		die(o->args[1]);
	buf.mem = lite_mem_alloc(l, o->size, LITE_READ | LITE_WRITE);
	if (!buf.mem)
		die("no memory for the value (see -s, and ulimit -l)");
	if (call.op == OP_PUT) {
		buf.len = read_all(lite_mem_addr(buf.mem), o->size);
		call.in = &buf;
		call.nr_in = buf.len != 0;
	} else if (call.op == OP_GET) {
		call.out = &buf;
		call.nr_out = 1;
	}
	if (lite_call(l, &call))
		die(*key ? key : o->args[1]);
	if (call.op == OP_GET)
		fwrite(lite_mem_addr(buf.mem), 1, nr, stdout);
	else if (call.op == OP_COUNT)
		printf("%llu\n", (unsigned long long)nr);
	if (fflush(stdout))
		die("cannot write");
	return 0;
}

static const struct argp_option argp_options[] = {
	{ "addr", 'a', "ADDR", 0,
	  "own address, \"IP:port\" (default: \"loop:\" and the name, this kernel only)",
	  0 },
	{ "name", 'n', "NAME", 0, "own name (default kv, or kv- and the pid)", 0 },
	{ "slots", 'm', "N", 0, "serve: how many values (1024)", 0 },
	{ "size", 's', "BYTES", 0, "of the largest value (4096)", 0 },
	{ "threads", 't', "N", 0, "serve: threads (4)", 0 },
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
	case 'm':
		o->slots = to_number(arg, 1, 1 << 24, state);
		return 0;
	case 's':
		o->size = to_number(arg, 1, 1 << 30, state);
		return 0;
	case 't':
		o->threads = to_number(arg, 1, THREADS_MAX, state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= 3)
			return ARGP_ERR_UNKNOWN;
		o->args[o->nr_args++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "serve\nput SERVER KEY\nget SERVER KEY\ndel SERVER KEY\n"
		    "count SERVER\nquit SERVER",
	.doc = "A key-value server, which prints its address, and its client: "
	       "put reads the value from its standard input, get writes it to "
	       "its standard output.",
};

int main(int argc, char **argv)
{
	struct options o = { .slots = 1024, .size = 4096, .threads = 4 };
	char name[32];
	struct lite *l;
	int server, status;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	server = !strcmp(o.args[0], "serve") && o.nr_args == 1;
	snprintf(name, sizeof(name), "kv-%ld", (long)getpid());
	if (!o.name)
		o.name = server ? "kv" : name;
	l = lite_open(o.name, o.addr);
	if (!l)
		die("cannot make a node (is lite_rpc loaded, and may you open /dev/lite?)");
	status = server ? serve(l, &o) : ask(l, &o);
	lite_close(l);
	return status;
}
