// SPDX-License-Identifier: GPL-2.0
/*
 * lite_user SERVER CLIENT [NAME]: what liblite promises, between two nodes of
 * this program with those addresses ("loop:x" or "IP:port"). Prints "pass: NAME"
 * or "fail: NAME" for each behaviour.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <uapi/lego/lite.h>

#include "liblite.h"

enum { OP_ECHO = 1, OP_MOVE, OP_FAIL, OP_TWICE, OP_HOLD, OP_NOTE, OP_NAP, OP_SUM, OP_END };

#define MEM (1024 * 1024)

static struct lite *server, *client;
static struct lite_mem *smem, *cmem;
static int peer;
static atomic_ulong notes;
static atomic_int twice;
static int failed;

static void result(int good, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	printf("%s: ", good ? "pass" : "fail");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (!good)
		printf(" (%s)", strerror(err));
	printf("\n");
	fflush(stdout);
	failed |= !good;
}

/* The call failed, with this. */
static int fails(int ret, int err)
{
	return ret && errno == err;
}

/* A node of this process: two of them may run in one kernel. */
static struct lite *open_as(const char *what, const char *addr)
{
	char name[32];

	snprintf(name, sizeof(name), "lite-user-%s%d", what, getpid());
	return lite_open(name, addr);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What is in is pulled, each byte plus one, and pushed to out. */
static void move(struct lite *l, struct lite_request *r)
{
	struct lite_buf buf = { .mem = smem, .len = r->in_len };
	unsigned char *p = lite_mem_addr(smem);
	size_t i;

	if (r->in_len > MEM || r->out_len < r->in_len ||
	    lite_pull(l, r, 0, &buf, 1)) {
		lite_reply(l, r, EINVAL, NULL, 0);
		return;
	}
	for (i = 0; i < r->in_len; i++)
		p[i]++;
	lite_reply_push(l, r, "moved", 5, 0, &buf, 1);
}

/* The sum of the bytes of what is in. */
static void sum_up(struct lite *l, struct lite_request *r)
{
	struct lite_buf buf = { .mem = smem, .len = r->in_len };
	unsigned char *p = lite_mem_addr(smem);
	uint64_t sum = 0;
	size_t i;

	if (r->in_len > MEM || lite_pull(l, r, 0, &buf, 1)) {
		lite_reply(l, r, errno, NULL, 0);
		return;
	}
	for (i = 0; i < r->in_len; i++)
		sum += p[i];
	lite_reply(l, r, 0, &sum, sizeof(sum));
}

static void *serve(void *arg)
{
	struct lite_request r;
	struct lite *l = arg;

	for (;;) {
		if (lite_recv(l, &r, -1)) {
			if (errno == EINTR)
				continue;
			perror("lite_recv");
			_exit(1);
		}
		switch (r.op) {
		case OP_ECHO:
			lite_reply(l, &r, 0, r.msg, r.len);
			break;
		case OP_MOVE:
			move(l, &r);
			break;
		case OP_FAIL:
			lite_reply(l, &r, atoi(r.msg), NULL, 0);
			break;
		case OP_TWICE:
			lite_reply(l, &r, 0, NULL, 0);
			twice = lite_reply(l, &r, 0, NULL, 0) ? errno : 0;
			break;
		case OP_HOLD:
			break;
		case OP_NOTE:
			notes += r.id ? 1000000 : 1;
			break;
		case OP_SUM:
			sum_up(l, &r);
			break;
		case OP_NAP:
			sleep(7);
			break;
		case OP_END:
			lite_reply(l, &r, 0, NULL, 0);
			return NULL;
		}
	}
}

static void test_messages(void)
{
	char msg[LITE_MSG_MAX], back[LITE_MSG_MAX];
	struct lite_call c = {
		.peer = peer,
		.op = OP_ECHO,
		.req = msg,
		.rsp = back,
		.rsp_size = sizeof(back),
	};
	static const size_t len[] = { 0, 1, 64, LITE_MSG_MAX };
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(msg); i++)
		msg[i] = (char)(i * 7);
	for (i = 0; i < sizeof(len) / sizeof(*len); i++) {
		c.req_len = len[i];
		err = lite_call(client, &c);
		result(!err && c.rsp_len == len[i] && !memcmp(back, msg, len[i]),
		       "a message of %zu bytes comes back", len[i]);
	}
	c.rsp_size = 10;
	result(fails(lite_call(client, &c), EMSGSIZE),
	       "a reply that is too long is EMSGSIZE");
	c.req_len = LITE_MSG_MAX + 1;
	result(fails(lite_call(client, &c), EMSGSIZE),
	       "so is a request");
	c = (struct lite_call){ .peer = peer, .op = OP_FAIL };
	c.req = "2";
	c.req_len = 2;
	result(fails(lite_call(client, &c), ENOENT),
	       "the server's error arrives");
	c.op = OP_TWICE;
	err = lite_call(client, &c);
	for (i = 0; i < 100 && !twice; i++)
		usleep(10000);
	result(!err && twice == EBADF, "a request is answered once");
	for (i = 0; i < 10; i++)
		if (lite_send(client, peer, OP_NOTE, "x", 1))
			break;
	for (i = 0; i < 300 && notes < 10; i++)
		usleep(10000);
	result(notes == 10, "one-way messages arrive");
}

/* More messages than fit on the way, to a program that does not receive them. */
static void test_busy(void)
{
	enum { NR = 100 };
	unsigned long before = notes;
	unsigned int i, bad = 0;

	bad += !!lite_send(client, peer, OP_NAP, NULL, 0);
	for (i = 0; i < NR; i++)
		bad += !!lite_send(client, peer, OP_NOTE, "x", 1);
	for (i = 0; i < 1000 && notes < before + NR; i++)
		usleep(10000);
	result(!bad && notes == before + NR,
	       "messages to a program that is busy for long arrive, too");
}

static void test_memory(void)
{
	unsigned char *p = lite_mem_addr(cmem);
	struct lite_buf in = { .mem = cmem, .off = 100, .len = 70000 };
	struct lite_buf out = { .mem = cmem, .off = 100000, .len = 70000 };
	struct lite_mem *mem;
	char back[8] = "";
	struct lite_call c = {
		.peer = peer,
		.op = OP_MOVE,
		.rsp = back,
		.rsp_size = sizeof(back),
		.in = &in,
		.nr_in = 1,
		.out = &out,
		.nr_out = 1,
	};
	uint64_t sum = 0, got = 0;
	size_t i, bad = 0;
	int err;

	for (i = 0; i < 70000; i++)
		p[100 + i] = (unsigned char)(i * 3);
	err = lite_call(client, &c);
	for (i = 0; i < 70000; i++)
		bad += p[100000 + i] != (unsigned char)(i * 3 + 1);
	result(!err && !bad && !strcmp(back, "moved"),
	       "memory is read and written by the server");
	result(p[99] == 0 && p[100000 + 70000] == 0 && p[99999] == 0,
	       "and no more of it");
	c.op = OP_SUM;
	c.nr_out = 0;
	c.rsp = &got;
	c.rsp_size = sizeof(got);
	in = (struct lite_buf){ .mem = cmem, .len = MEM };
	for (i = 0; i < MEM; i++) {
		p[i] = (unsigned char)(i ^ i >> 9);
		sum += p[i];
	}
	err = lite_call(client, &c);
	result(!err && got == sum, "a MiB is read at once");
	memset(p, 0, MEM);
	c.op = OP_MOVE;
	c.nr_out = 1;
	c.rsp = back;
	c.rsp_size = sizeof(back);
	in = (struct lite_buf){ .mem = cmem, .off = 100, .len = MEM };
	result(fails(lite_call(client, &c), EINVAL),
	       "what is beyond its end is EINVAL");
	in.len = 10;
	mem = lite_mem_alloc(client, 4096, LITE_READ);
	out = (struct lite_buf){ .mem = mem, .len = 10 };
	result(mem && fails(lite_call(client, &c), EINVAL),
	       "what was not allocated to be written is EINVAL");
	result(!lite_mem_free(mem), "memory is freed");
	mem = lite_mem_alloc(client, 3 * 4096, 0);
	if (!fork()) {
		/* not inherited: a fault */
		signal(SIGSEGV, SIG_DFL);
		_exit(*(volatile char *)lite_mem_addr(mem));
	}
	wait(&err);
	result(WIFSIGNALED(err) && WTERMSIG(err) == SIGSEGV,
	       "a child does not have it");
	lite_mem_free(mem);
	mem = lite_mem_alloc(client, 1UL << 50, 0);
	result(!mem && errno == ENOMEM, "more than there is, is ENOMEM");
}

static void test_async(void)
{
	enum { NR = 1000 };
	static unsigned char seen[NR];
	uint64_t word;
	struct lite_call c = {
		.peer = peer,
		.op = OP_ECHO,
		.req = &word,
		.req_len = sizeof(word),
	};
	struct lite_end end;
	struct pollfd pfd = { .fd = lite_fd(client), .events = POLLPRI };
	unsigned int i, bad = 0;

	for (i = 0; i < NR; i++) {
		word = i;
		c.cookie = i;
		bad += !!lite_call_start(client, &c);
	}
	result(poll(&pfd, 1, 10000) == 1 && pfd.revents & POLLPRI,
	       "poll() tells of the end of a call");
	for (i = 0; i < NR; i++) {
		if (lite_done(client, &end, 20000)) {
			bad++;
			break;
		}
		memcpy(&word, end.rsp, sizeof(word));
		bad += end.error || end.rsp_len != sizeof(word) ||
		       word != end.cookie || word >= NR || seen[word]++;
	}
	result(!bad, "a thousand calls at once end once each");
	result(lite_done(client, &end, 0) && errno == ENODATA,
	       "then there is none to wait for");
}

static void test_errors(const char *addr)
{
	struct lite_call c = { .peer = 77, .op = OP_ECHO };
	struct lite *other;
	double start = now();
	int nobody, err;

	result(fails(lite_call(client, &c), EBADF),
	       "a peer that was not opened is EBADF");
	nobody = lite_peer(client, "loop:nobody", 0);
	c.peer = nobody;
	err = lite_call(client, &c) && errno != ETIMEDOUT;
	result(nobody > 0 && err && now() - start < 5,
	       "nobody at an address is told soon");
	result(!lite_peer_close(client, nobody), "and it is closed");
	result(lite_peer_close(client, nobody) && errno == EBADF,
	       "only once");
	other = open_as("s", "loop:other");
	result(!other && errno == EEXIST, "a name is taken once");
	other = open_as("x", addr);
	result(!other && errno == EADDRINUSE, "so is an address");
	other = lite_open("other", "127.0.0.1:7471");
	result(!other && errno == EACCES, "a component's port is EACCES");
	other = lite_open("m0", "loop:m0");
	result(!!other, "a component's name takes nothing from it");
	nobody = other ? lite_peer(other, "loop:m0", 0) : -1;
	c.peer = nobody;
	err = other ? lite_call(other, &c) : 0;
	/* where components have IP addresses it is one's own, which does not answer */
	result(!other || fails(err, ENOSYS) || fails(err, ECONNREFUSED) ||
	       (strchr(addr, '.') && fails(err, ETIMEDOUT)),
	       "who calls that address calls the component, if it has it");
	lite_close(other);
	other = lite_open("other", "nonsense");
	result(!other && errno == EINVAL, "a bad address is EINVAL");
	c = (struct lite_call){ .peer = peer, .op = OP_HOLD, .timeout_ms = 300 };
	start = now();
	err = lite_call(client, &c);
	result(fails(err, ETIMEDOUT) && now() - start < 3,
	       "a call without an answer is ETIMEDOUT in time");
}

/* More connections that cannot be made than a queue runs works at once. */
static void test_crowd(void)
{
	enum { NR = 280 };
	struct lite_call c = { .op = OP_ECHO, .timeout_ms = 20000 };
	const char *dot = strrchr(lite_addr(server), '.');
	int net = dot ? (int)(dot - lite_addr(server)) : 0;
	static int nobody[NR];
	struct lite_end end;
	unsigned int i, bad = 0, ended = 0;
	char addr[64];
	int err;

	for (i = 0; i < NR; i++) {
		/* over RDMA it takes seconds to see that nobody is there */
		if (net)
			snprintf(addr, sizeof(addr), "%.*s.250:%u", net,
				 lite_addr(server), 8000 + i);
		else
			snprintf(addr, sizeof(addr), "loop:nobody%u", i);
		nobody[i] = lite_peer(client, addr, 0);
		c.peer = nobody[i];
		bad += lite_call_start(client, &c);
	}
	c.peer = peer;
	c.class_ = LITE_BULK; /* of which there is no connection yet */
	err = lite_call(client, &c);
	while (!lite_done(client, &end, 0)) {
		ended++;
		bad += !end.error;
	}
	/* over RDMA, it did not wait for those to give up, queue by queue */
	result(!bad && !err && (!net || ended < NR / 2),
	       "who calls nobody, in many ways, keeps no connection from being made");
	for (i = ended; i < NR; i++)
		bad += lite_done(client, &end, 40000) || !end.error;
	printf("# %u of %u had ended when it was made (%d)\n", ended, NR, err);
	result(!bad, "each of those ends with an error");
	for (i = 0; i < NR; i++)
		lite_peer_close(client, nobody[i]);
}

/* how many have an LMR of the server's mapped, or -1 where that is not seen */
static int mapped_by(const char *name)
{
	char line[256], is[64];
	unsigned int nr;
	int found = -1;
	FILE *f;

	snprintf(line, sizeof(line),
		 "/sys/kernel/debug/lego/programs/lite-user-s%d/lmrs", getpid());
	f = fopen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*x %*u %u", is, &nr) == 2 &&
		    !strcmp(is, name))
			found = nr;
	if (f)
		fclose(f);
	return found;
}

static void test_lmr(void)
{
	unsigned char *p = lite_mem_addr(cmem);
	struct lite_buf buf[2] = {
		{ .mem = cmem, .len = 5000 },
		{ .mem = cmem, .off = 100000, .len = 95000 },
	};
	uint64_t size = 0, old = 1;
	size_t i, bad = 0;
	int lmr, again, err;

	result(!lite_lmr_alloc(client, peer, "user-test", 300000, 0),
	       "an LMR is made");
	err = lite_lmr_alloc(client, peer, "user-test", 10, 0);
	result(fails(err, EEXIST), "its name is taken once");
	lmr = lite_lmr_map(client, peer, "user-test", LITE_READ | LITE_WRITE,
			   &size);
	result(lmr > 0 && size >= 300000, "it is mapped");
	if (mapped_by("user-test") >= 0) {
		lite_lmr_unmap(client, lmr);
		result(!mapped_by("user-test"),
		       "who has unmapped it is not remembered");
		lmr = lite_lmr_map(client, peer, "user-test",
				   LITE_READ | LITE_WRITE, NULL);
	}
	for (i = 0; i < MEM; i++)
		p[i] = (unsigned char)(i * 5 >> 3);
	result(!lite_lmr_write(client, lmr, 77777, buf, 2), "and written");
	for (i = 0; i < 95000; i++)
		p[100000 + i] = 0;
	result(!lite_lmr_copy(client, lmr, 1, lmr, 77777, 100000), "and moved");
	result(!lite_lmr_read(client, lmr, 1, buf, 2), "and read");
	for (i = 0; i < 95000; i++)
		bad += p[100000 + i] !=
		       (unsigned char)((100000 + i) * 5 >> 3);
	result(!bad, "the bytes are right");
	err = lite_lmr_set(client, lmr, 0, 0, 64);
	err |= lite_lmr_add(client, lmr, 8, 5, &old) || old;
	err |= lite_lmr_cas(client, lmr, 8, 5, 9, &old) || old != 5;
	err |= lite_lmr_cas(client, lmr, 8, 5, 7, &old) || old != 9;
	result(!err, "words are added to and swapped");
	err = lite_lmr_read(client, lmr, size - 10, buf, 1);
	result(fails(err, EINVAL), "what is beyond its end is EINVAL");
	again = lite_lmr_map(server, lite_peer(server, lite_addr(server), 0),
			     "user-test", LITE_READ, NULL);
	result(again < 0 && errno == EACCES, "others may not");
	err = lite_lmr_grant(client, lmr, lite_incarnation(server), LITE_READ);
	result(!err, "unless they are granted it");
	again = lite_lmr_map(server, lite_peer(server, lite_addr(server), 0),
			     "user-test", LITE_READ, NULL);
	result(again > 0, "then they may");
	result(!lite_lmr_free(client, lmr), "it is freed");
	err = lite_lmr_read(client, lmr, 0, buf, 1);
	result(fails(err, ESTALE) || fails(err, ECONNRESET), "and is not there any more");
	result(!lite_lmr_unmap(client, lmr) && !lite_lmr_unmap(server, again),
	       "it is unmapped");
}

static void *come(void *arg)
{
	struct lite *l = arg;
	int p = lite_peer(l, lite_addr(server), 0);

	return lite_barrier(l, p, "meet", 2, 10000) ? arg : NULL;
}

static void test_locks(void)
{
	int self = lite_peer(server, lite_addr(server), 0);
	uint64_t token[2] = {};
	pthread_t thread;
	void *other;
	int lock, err;

	lock = lite_lock(client, peer, "door", 500, 0, &token[0]);
	result(lock > 0 && !lite_lock_check(client, lock), "a lock is held");
	err = lite_lock(server, self, "door", 500, 0, NULL) < 0;
	result(fails(err, EBUSY), "and by one only");
	usleep(1500000);
	result(!lite_lock_check(client, lock), "longer than its lease");
	result(!lite_unlock(client, lock), "it is released");
	result(lite_unlock(client, lock) && errno == EBADF, "once");
	lock = lite_lock(server, self, "door", 0, 5000, &token[1]);
	result(lock > 0 && token[1] > token[0],
	       "the next has it, and a greater token");
	result(!lite_unlock(server, lock), "it is released, too");
	err = pthread_create(&thread, NULL, come, server);
	err |= lite_barrier(client, peer, "meet", 2, 10000);
	err |= pthread_join(thread, &other);
	result(!err && !other, "two meet at a barrier");
	err = lite_barrier(client, peer, "meet", 2, 300);
	result(fails(err, ETIMEDOUT), "one alone does not pass");
	lite_peer_close(server, self);
}

/* A server that dies with a request. */
static void test_death(const char *dead)
{
	struct lite_call c = { .op = OP_HOLD, .timeout_ms = 20000 };
	struct lite_request r;
	struct lite_mem *mem;
	int fd[2], err;
	double start;
	char ch;
	pid_t pid;

	if (pipe(fd))
		return;
	pid = fork();
	if (!pid) {
		struct lite *l = open_as("d", dead);

		mem = l ? lite_mem_alloc(l, 65536, LITE_WRITE) : NULL;
		if (!mem || write(fd[1], "x", 1) != 1 ||
		    lite_recv(l, &r, 20000))
			_exit(1);
		raise(SIGKILL);
	}
	close(fd[1]);
	if (read(fd[0], &ch, 1) != 1)
		dead = "loop:none";
	c.peer = lite_peer(client, dead, 0);
	start = now();
	err = lite_call(client, &c);
	err = fails(err, EHOSTUNREACH) || fails(err, ECONNRESET);
	result(err && now() - start < 15, "the death of a server is told its callers");
	waitpid(pid, NULL, 0);
	close(fd[0]);
	lite_peer_close(client, c.peer);
}

/* An LMR here whose owner, a process of ours, was killed. */
static pid_t orphan(const char *owner)
{
	pid_t pid = fork();
	int p;

	if (pid)
		return pid;
	client = open_as("o", owner);
	p = client ? lite_peer(client, lite_addr(server), 0) : -1;
	if (p < 0 || lite_lmr_alloc(client, p, "left-behind", 4096, LITE_READ) ||
	    lite_lock(client, p, "left-lock", 600000, 0, NULL) < 0)
		_exit(1);
	raise(SIGKILL);
	_exit(1);
}

static void test_orphan(double since)
{
	int lmr;

	do {
		lmr = lite_lmr_map(client, peer, "left-behind", LITE_READ, NULL);
		if (lmr < 0)
			break;
		lite_lmr_unmap(client, lmr);
		usleep(500000);
	} while (now() - since < 40);
	result(lmr < 0 && errno == ENOENT,
	       "a killed program's LMR is freed in time");
}

/* Memory that was freed counts as long as it is mapped. Without CAP_IPC_LOCK. */
static int test_locked(void)
{
	enum { PART = 32 * 1024, NR = 64 };
	struct rlimit lim = { 4 * PART, 4 * PART };
	struct lite_u_node node = {};
	struct lite_u_mem a;
	void *map[NR];
	int fd = open(LITE_U_DEV, O_RDWR | O_CLOEXEC);
	unsigned int i, nr;

	snprintf(node.name, sizeof(node.name), "lite-locked%d", getpid());
	if (fd < 0 || setrlimit(RLIMIT_MEMLOCK, &lim) ||
	    ioctl(fd, LITE_IOC_NODE, &node)) {
		perror("lite_user");
		return 1;
	}
	for (nr = 0; nr < NR; nr++) {
		a = (struct lite_u_mem){ .size = PART };
		if (ioctl(fd, LITE_IOC_MEM_ALLOC, &a))
			break;
		map[nr] = mmap(NULL, PART, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, (off_t)a.offset);
		if (map[nr] == MAP_FAILED ||
		    ioctl(fd, LITE_IOC_MEM_FREE, &a.id))
			break;
		memset(map[nr], 1, PART);
	}
	result(nr == 4 && errno == ENOMEM,
	       "memory that was freed counts while it is mapped");
	munmap(map[0], PART / 2);
	a = (struct lite_u_mem){ .size = PART };
	result(ioctl(fd, LITE_IOC_MEM_ALLOC, &a) && errno == ENOMEM,
	       "and while a part of it is");
	for (i = 0; i < nr; i++)
		munmap(map[i], PART);
	for (i = 0; i < 4; i++) {
		a = (struct lite_u_mem){ .size = PART };
		if (ioctl(fd, LITE_IOC_MEM_ALLOC, &a))
			break;
	}
	result(i == 4, "and then no more");
	return failed;
}

int main(int argc, char **argv)
{
	struct lite_call end = { .op = OP_END };
	pthread_t thread;
	double since;
	int status, lock;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "locked"))
		return test_locked();
	if (argc != 5) {
		fprintf(stderr, "lite_user SERVER CLIENT DEAD OWNER\n");
		return 2;
	}
	server = open_as("s", argv[1]);
	client = open_as("c", argv[2]);
	if (!server || !client) {
		perror("lite_open");
		return 1;
	}
	smem = lite_mem_alloc(server, MEM, LITE_READ | LITE_WRITE);
	cmem = lite_mem_alloc(client, MEM, LITE_READ | LITE_WRITE);
	peer = lite_peer(client, lite_addr(server), lite_incarnation(server));
	if (!smem || !cmem || peer < 0 ||
	    pthread_create(&thread, NULL, serve, server)) {
		perror("lite_user");
		return 1;
	}
	pid = orphan(argv[4]);
	waitpid(pid, &status, 0);
	since = now();
	result(WIFSIGNALED(status),
	       "a program is killed that has an LMR and a lock");
	lock = lite_lock(client, peer, "left-lock", 0, 5000, NULL);
	result(lock > 0 && !lite_unlock(client, lock),
	       "its lock is released, long before the lease ends");
	test_messages();
	test_memory();
	test_async();
	test_errors(argv[1]);
	test_crowd();
	test_busy();
	test_lmr();
	test_locks();
	test_death(argv[3]);
	test_orphan(since);
	end.peer = peer;
	result(!lite_call(client, &end), "the server ends");
	pthread_join(thread, NULL);
	result(!lite_mem_free(cmem) && !lite_mem_free(smem),
	       "all memory is freed");
	lite_close(client);
	lite_close(server);
	return failed;
}
