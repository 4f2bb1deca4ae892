// SPDX-License-Identifier: GPL-2.0
/*
 * doors WHAT: change memory by a way that programs seldom take, and say what is
 * there then. The same is printed in a vNode as on plain Linux, but for int80.
 * With core it dumps one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static void say(const char *what, long r)
{
	printf("%s: %s\n", what, r < 0 ? strerror(errno) : "done");
}

static char *map(int prot, int flags)
{
	char *p = mmap(NULL, 4 * PAGE, prot, MAP_ANONYMOUS | flags, -1, 0);
	int i;

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (i = 0; i < 4 && (prot & PROT_WRITE); i++)
		memset(p + i * PAGE, 'a' + i, PAGE);
	return p;
}

static void remap(void)
{
	char *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *s = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	unsigned long nr = (unsigned long)p / PAGE + 3;

	say("private", syscall(SYS_remap_file_pages, p, PAGE, 0, 3, 0));
	say("private, by its address",
	    syscall(SYS_remap_file_pages, p, PAGE, 0, nr, 0));
	say("shared", syscall(SYS_remap_file_pages, s, PAGE, 0, 3, 0));
	printf("%c%c %c%c\n", p[0], p[3 * PAGE], s[0], s[3 * PAGE]);
}

static void shm(void)
{
	char *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE), *q;
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);

	say("over private memory", (long)shmat(id, p, 0));
	q = shmat(id, NULL, 0);
	say("where it likes", (long)q);
	q[0] = 's';
	printf("%c %c\n", p[0], q[0]);
	shmctl(id, IPC_RMID, NULL);
}

/* io_uring without a library, for one request */
struct ring {
	int fd;
	struct io_uring_params par;
	struct io_uring_sqe *sqe;
	char *sq;
};

static void ring_open(struct ring *r)
{
	struct io_uring_params *par = &r->par;

	memset(r, 0, sizeof(*r));
	r->fd = syscall(SYS_io_uring_setup, 4, par);
	if (r->fd < 0) {
		perror("io_uring_setup");
		exit(1);
	}
	r->sq = mmap(NULL, par->sq_off.array + par->sq_entries * 4,
		     PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		     IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, par->sq_entries * sizeof(*r->sqe),
		      PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      IORING_OFF_SQES);
	if (r->sq == MAP_FAILED || r->sqe == MAP_FAILED) {
		perror("rings");
		exit(1);
	}
}

static long ring_run(struct ring *r)
{
	unsigned int *tail = (unsigned int *)(r->sq + r->par.sq_off.tail);

	((unsigned int *)(r->sq + r->par.sq_off.array))[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS,
		       NULL, 0);
}

static void uring(void)
{
	char *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct ring r;

	ring_open(&r);
	r.sqe->opcode = IORING_OP_MADVISE;
	r.sqe->fd = -1;
	r.sqe->addr = (unsigned long)p;
	r.sqe->len = 2 * PAGE;
	r.sqe->fadvise_advice = MADV_DONTNEED;
	say("io_uring_enter", ring_run(&r));
	printf("%d %d %c\n", p[0], p[PAGE], p[2 * PAGE]);
}

static void child_sees(const char *which, const char *p)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		printf("%s: %c%c\n", which, p[0], p[PAGE - 1]);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/*
 * A file is read into memory that the ring has pinned: no fault tells of it. The
 * children are forked beside much that has been written, or little. Exit status
 * 4: this kernel does not pin it.
 */
static void pinned(void)
{
	const size_t pages = 1500;
	char *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE), *much;
	struct iovec iov = { p, PAGE };
	int fd = memfd_create("new", 0);
	struct ring r;
	size_t i;

	much = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ring_open(&r);
	if (syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_BUFFERS, &iov,
		    1))
		exit(errno == EOPNOTSUPP ? 4 : 1);
	if (much == MAP_FAILED || pwrite(fd, p + PAGE, PAGE, 0) != PAGE)
		exit(1);
	for (i = 0; i < pages / 5; i++)
		much[i * PAGE] = 1;
	child_sees("before", p);
	r.sqe->opcode = IORING_OP_READ_FIXED;
	r.sqe->fd = fd;
	r.sqe->addr = (unsigned long)p;
	r.sqe->len = PAGE;
	say("io_uring_enter", ring_run(&r));
	child_sees("beside little", p);
	for (i = 0; i < pages / 5; i++)
		much[i * PAGE] = 2;
	child_sees("beside much", p);
	syscall(SYS_io_uring_register, r.fd, IORING_UNREGISTER_BUFFERS, NULL,
		0);
	for (i = 0; i < 2 * pages; i++)
		much[i % pages * PAGE] = 3;
	printf("at last: %c%c\n", p[0], p[PAGE - 1]);
}

static void poke_at(const char *what, pid_t pid, char *p)
{
	errno = 0;
	say(what, ptrace(PTRACE_POKEDATA, pid, p, 0x4141414141414141));
}

static void poke(void)
{
	char *rx = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *rw = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *none = map(PROT_NONE, MAP_PRIVATE);
	pid_t pid;

	mprotect(rx, 4 * PAGE, PROT_READ | PROT_EXEC);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGTRAP);
		printf("child %.4s %.12s %.4s\n", rx, rx + PAGE - 6, rw);
		mprotect(none, PAGE, PROT_READ);
		printf("child %.4s\n", none);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	poke_at("read and execute", pid, rx);
	poke_at("across two pages", pid, rx + PAGE - 4);
	poke_at("read and write", pid, rw);
	poke_at("none", pid, none);
	poke_at("unmapped", pid, (char *)PAGE);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, NULL, 0);
	printf("parent %.4s %.12s %.4s\n", rx, rx + PAGE - 6, rw);
}

static long int80(long nr, long a, long b, long c, long d, long e)
{
	long r;

	asm volatile("int $0x80" : "=a" (r)
		     : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static void old(void)
{
	char *lo = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long at = (long)lo;
	unsigned int *argv = (unsigned int *)(lo + PAGE);

	strcpy(lo, "/bin/true");
	argv[0] = at;
	printf("getpid %d\n", int80(20, 0, 0, 0, 0, 0) == getpid());
	printf("execve %ld\n", int80(11, at, at + PAGE, at + 2 * PAGE, 0, 0));
	printf("brk %ld\n", int80(45, 0, 0, 0, 0, 0));
	printf("munmap %ld\n", int80(91, at, PAGE, 0, 0, 0));
	printf("mprotect %ld\n", int80(125, at, PAGE, 1, 0, 0));
	printf("mremap %ld\n", int80(163, at, PAGE, 2 * PAGE, 1, 0));
	printf("mmap %ld\n", int80(192, 0, PAGE, 3, 0x22, -1));
	printf("madvise %ld\n", int80(219, at, PAGE, MADV_DONTNEED, 0, 0));
	printf("%d\n", lo[0]);
	errno = 0;
	say("x32 execve", syscall(0x40000000 + 520, lo, argv, argv + 1));
}

static int deep(int n)
{
	volatile char b[1 << 20];

	memset((char *)b, n, sizeof(b));
	return n ? deep(n - 1) + b[n] : 0;
}

/* Marks in all kinds of memory, and much that is never touched. */
static char data[2 * PAGE];

static void mark(char *p, const char *where)
{
	sprintf(p, "%sMARK-%d", where, 10000 + 2345);
}

static void core(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };
	char *big, stack[100];

	setrlimit(RLIMIT_CORE, &r);
	mark(stack, "STACK");
	mark(data, "DATA");
	mark(malloc(1000), "HEAP");
	big = mmap(NULL, 24UL << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mark(big + (12 << 20), "MMAP");
	asm volatile("" : : "r" (stack), "r" (data) : "memory");
	abort();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "remap"))
		remap();
	else if (!strcmp(what, "shm"))
		shm();
	else if (!strcmp(what, "uring"))
		uring();
	else if (!strcmp(what, "pinned"))
		pinned();
	else if (!strcmp(what, "poke"))
		poke();
	else if (!strcmp(what, "deep"))
		printf("%d\n", deep(24));
	else if (!strcmp(what, "core"))
		core();
	else if (!strcmp(what, "int80"))
		old();
	else
		return 2;
	return 0;
}
