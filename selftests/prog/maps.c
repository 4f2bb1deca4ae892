// SPDX-License-Identifier: GPL-2.0
/*
 * maps: system calls that change an address space, and what is there
 * afterwards. Each line of output begins with the name of its case; run on
 * plain Linux it says what is right.
 *
 * maps hog MIB: writes to so much memory till it is killed, says "ready" when
 * it has done so once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PG 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *name;
static sigjmp_buf jump;
static int file;

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

static char load(const char *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void peek(const char *what, const char *p)
{
	int sig = sigsetjmp(jump, 1);

	if (sig)
		printf("%s: %s: signal %d\n", name, what, sig);
	else
		printf("%s: %s: %d\n", name, what, load(p));
}

static long say(const char *what, long r)
{
	printf("%s: %s: %s\n", name, what, r == -1 ? strerror(errno) : "ok");
	return r;
}

static long say_p(const char *what, void *p)
{
	return say(what, (long)p);
}

static char *pages(unsigned long nr, int c)
{
	char *p = mmap(NULL, nr * PG, RW, ANON, -1, 0);

	memset(p, c, nr * PG);
	return p;
}

/* A range that stays free around what is mapped into it. */
static char *room(unsigned long nr)
{
	return mmap(NULL, nr * PG, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static char *file_map(int prot)
{
	char buf[PG];

	memset(buf, 'f', PG);
	if (ftruncate(file, 0) || write(file, buf, PG) != PG ||
	    pwrite(file, buf, PG, PG) != PG)
		exit(1);
	lseek(file, 0, SEEK_SET);
	return mmap(NULL, 4 * PG, prot, MAP_PRIVATE, file, 0);
}

static void noreplace(void)
{
	char *p = pages(4, 'p'), *q = file_map(RW), *end;

	say_p("anonymous", mmap(p, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	peek("anonymous", p);
	say_p("file", mmap(q, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	peek("file", q);
	end = (char *)(((uintptr_t)sbrk(0) + PG - 1) & ~(PG - 1));
	p = mmap(end + 4 * PG, PG, RW, ANON | MAP_FIXED, -1, 0);
	p[0] = 'b';
	say_p("brk", sbrk(0x100000));
	peek("brk", p);
	say_p("brk up to it", sbrk(end + 4 * PG - (char *)sbrk(0)));
	munmap(p, PG);
}

static void refused(void)
{
	static const struct {
		const char *what;
		unsigned long len;
		int prot, flags, fd;
		unsigned long off;
	} t[] = {
		{ "shared without file", PG, PROT_READ, MAP_SHARED, -1, 0 },
		{ "private without file", PG, RW, MAP_PRIVATE, 999, 0 },
		{ "unknown flag", PG, PROT_READ,
		  MAP_SHARED_VALIDATE | 0x40000000, -2, 0 },
		{ "directory", PG, RW, MAP_PRIVATE, -3, 0 },
		{ "offset beyond files", PG, RW, MAP_PRIVATE, -2,
		  0x7ffffffffffff000 },
		{ "too long", 1UL << 60, RW, ANON, -1, 0 },
		{ "no length", 0, RW, ANON, -1, 0 },
	};
	int dir = open("/tmp", O_RDONLY);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		char *p = pages(4, 'k');
		int fd = t[i].fd == -2 ? file : t[i].fd == -3 ? dir : t[i].fd;

		say_p(t[i].what, mmap(p, t[i].len, t[i].prot,
				      t[i].flags | MAP_FIXED, fd, t[i].off));
		peek(t[i].what, p);
	}
	close(dir);
}

static char *shared;
static int stop;
static long signals;
static __thread sigjmp_buf thread_jump;
static __thread int in_thread;

static void on_thread_signal(int sig)
{
	if (!in_thread)
		on_signal(sig);
	__sync_fetch_and_add(&signals, 1);
	siglongjmp(thread_jump, 1);
}

static void *reader(void *arg)
{
	in_thread = 1;
	sigsetjmp(thread_jump, 1);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		load(shared);
		load(shared + 7 * PG);
	}
	return arg;
}

/* @replace is done over and over while another thread reads @shared */
static void beside_reader(const char *what, long (*replace)(int), int times)
{
	pthread_t t;
	long bad = 0;
	int i;

	signal(SIGSEGV, on_thread_signal);
	signal(SIGBUS, on_thread_signal);
	stop = 0;
	signals = 0;
	pthread_create(&t, NULL, reader, NULL);
	for (i = 0; i < times; i++)
		bad += replace(i);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	printf("%s: %s: %ld signals, %ld wrong\n", name, what, signals, bad);
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
}

static long by_mmap(int i)
{
	long bad = mmap(shared, 8 * PG, RW, ANON | MAP_FIXED, -1, 0) != shared;

	bad += load(shared) || load(shared + 7 * PG);
	memset(shared, i | 1, 8 * PG);
	return bad;
}

static long by_mremap(int i)
{
	char *p = pages(8, i | 1);
	long bad = mremap(p, 8 * PG, 8 * PG, MREMAP_MAYMOVE | MREMAP_FIXED,
			  shared) != shared;

	return bad + (shared[0] != (char)(i | 1) ||
		      shared[7 * PG] != (char)(i | 1));
}

static long by_mprotect(int i)
{
	static char *next;
	long bad;

	if (!next)
		next = shared;
	bad = mprotect(next, PG, RW);
	next[0] = i;
	next += PG;
	return bad;
}

static void atomic(void)
{
	char *p;

	shared = pages(8, 1);
	beside_reader("mmap", by_mmap, 100);
	beside_reader("mremap", by_mremap, 100);
	p = file_map(PROT_READ);
	if (ftruncate(file, 8 * PG))
		exit(1);
	munmap(p, 4 * PG);
	shared = mmap(NULL, 8 * PG, PROT_READ, MAP_PRIVATE, file, 0);
	beside_reader("mprotect", by_mprotect, 8);
}

static void two_vmas(void)
{
	int k;

	for (k = 0; k < 4; k++) {
		static const char * const what[] = {
			"shared", "hole", "read-only", "read-only, grown" };
		char *p = pages(4, 'p'), *to = room(8), *r;

		if (k == 0) {
			r = mmap(p + PG, PG, RW, MAP_SHARED | MAP_ANONYMOUS |
				 MAP_FIXED, -1, 0);
			r[0] = 's';
		} else if (k == 1) {
			munmap(p + PG, PG);
		} else {
			mprotect(p + PG, PG, PROT_READ);
		}
		r = k == 3 ? mremap(p, 2 * PG, 8 * PG, MREMAP_MAYMOVE) :
			     mremap(p, 2 * PG, 2 * PG,
				    MREMAP_MAYMOVE | MREMAP_FIXED, to);
		say_p(what[k], r);
		peek(what[k], p);
		peek(what[k], p + PG);
	}
}

static void flags_of(const char *what, void *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long a, b;
	char line[512];
	int in = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			in = a <= (uintptr_t)p && (uintptr_t)p < b;
		else if (in && !strncmp(line, "VmFlags", 7))
			printf("%s: %s:%s%s%s\n", name, what,
			       strstr(line, " dc") ? " dontfork" : "",
			       strstr(line, " dd") ? " dontdump" : "",
			       strstr(line, " lo") ? " locked" : "");
	}
	if (f)
		fclose(f);
}

static void flags(void)
{
	static const struct { const char *what; int advice; } t[] = {
		{ "dontfork", MADV_DONTFORK }, { "dontdump", MADV_DONTDUMP },
		{ "mlock", 0 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		char *p = mmap(room(20), 16 * PG, RW, ANON | MAP_FIXED, -1, 0);

		memset(p, 'p', 16 * PG);
		say(t[i].what, t[i].advice ? madvise(p, 16 * PG, t[i].advice) :
					     mlock(p, 16 * PG));
		p = mremap(p, 16 * PG, 1024 * PG, MREMAP_MAYMOVE);
		peek(t[i].what, p + 15 * PG);
		peek(t[i].what, p + 1023 * PG);
		flags_of(t[i].what, p);
	}
}

static void move(void)
{
	char *p = pages(4, 'p'), *q, *to = room(8);
	int status, i;

	q = mremap(p, 4 * PG, 4 * PG, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	say_p("dontunmap", q);
	if (q != MAP_FAILED) {
		peek("dontunmap", q + 3 * PG);
		peek("dontunmap", p + 3 * PG);
		p = q;
	}
	for (i = 0; i < 4; i++)
		p[i * PG] = 'a' + i;
	q = mremap(p, 4 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	say_p("shrinks", q);
	peek("shrinks", q + PG);
	peek("shrinks", p);
	peek("shrinks", p + 2 * PG);
	q = mremap(q, 2 * PG, 6 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	say_p("grows", q);
	peek("grows", q + PG);
	peek("grows", q + 2 * PG);
	peek("grows", to + PG);
	if (!fork())
		_exit(q[PG]);
	wait(&status);
	printf("%s: in a child: %d\n", name, WEXITSTATUS(status));
	say_p("no length", mremap(q, 0, PG, MREMAP_MAYMOVE));
	say_p("over itself", mremap(q, 4 * PG, 4 * PG, MREMAP_MAYMOVE |
				    MREMAP_FIXED, q + PG));
	say_p("huge", mremap(q, PG, 1UL << 60, MREMAP_MAYMOVE));
	peek("huge", q);
	q = file_map(RW);
	q[0] = 'w';
	q = mremap(q, PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	peek("file", q);
	peek("file", q + PG);
}

static void debugger(void)
{
	char *p = file_map(PROT_READ | PROT_EXEC);
	int mem = open("/proc/self/mem", O_RDWR);

	say("poke", pwrite(mem, "B", 1, (off_t)(uintptr_t)p));
	peek("poke", p);
	say("mprotect", mprotect(p, 2 * PG, RW | PROT_EXEC));
	peek("its page", p);
	peek("other page", p + PG);
	close(mem);
}

static char *place[2];

/* A debugger that does not stop the program */
static void *poker(void *arg)
{
	int mem = open("/proc/self/mem", O_RDWR);
	unsigned int i;

	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++)
		if (pwrite(mem, "B", 1, (off_t)(uintptr_t)place[i & 1] +
			   (i / 2 % 64) * PG + 1) < 0)
			errno = 0;
	close(mem);
	return arg;
}

static void poked(void)
{
	unsigned int i, turn;
	pthread_t t;
	long bad = 0;
	char *p;

	place[0] = pages(64, 0);
	place[1] = room(64);
	for (i = 0; i < 64; i++)
		place[0][i * PG] = i;
	mprotect(place[0], 64 * PG, PROT_READ);
	stop = 0;
	pthread_create(&t, NULL, poker, NULL);
	for (turn = 1; turn <= 100; turn++) {
		p = mremap(place[~turn & 1], 64 * PG, 64 * PG,
			   MREMAP_MAYMOVE | MREMAP_FIXED, place[turn & 1]);
		for (i = 0; p != MAP_FAILED && i < 64; i++)
			bad += p[i * PG] != (char)i;
		bad += p != place[turn & 1];
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	printf("%s: %ld wrong\n", name, bad);
}

static void changing_file(void)
{
	char *p = file_map(RW);

	if (pwrite(file, "n", 1, 0) != 1)
		exit(1);
	peek("written before it is touched", p);
	peek("past the end", p + 2 * PG);
	if (ftruncate(file, PG))
		exit(1);
	peek("cut off before it is touched", p + PG);
	if (ftruncate(file, 2 * PG))
		exit(1);
	peek("grown again", p + PG);
}

static void limits(void)
{
	struct rlimit rl = { 64 << 20, RLIM_INFINITY };
	char *p = pages(4, 'p'), *q;

	say("munmap of too much", munmap(p, 1UL << 60));
	say("munmap that wraps", munmap(p, -PG));
	say("munmap of nothing", munmap(p, 0));
	say("munmap of half a page", munmap(p + 1, PG));
	say("mprotect that wraps", mprotect(p, -PG, RW));
	say("mprotect with unknown bits", mprotect(p, PG, 0x1000));
	say("mprotect of a hole", mprotect((void *)0x10000, PG, RW));
	say("pkey_mprotect without key",
	    syscall(SYS_pkey_mprotect, p, PG, RW, 15));
	q = file_map(PROT_READ);
	say("file with a bad key", syscall(SYS_pkey_mprotect, q, PG, RW, 15));
	peek("file with a bad key", q);
	say("madvise of nothing", madvise(p, 0, MADV_DONTNEED));
	say("madvise of half a page", madvise(p + 1, PG, MADV_DONTNEED));
	say("madvise that wraps", madvise(p, -PG, MADV_DONTNEED));
	say("free of half a page", madvise(p + 1, PG, MADV_FREE));
	say("free that wraps", madvise(p, -PG, MADV_FREE));
	say("free of a file", madvise(q, PG, MADV_FREE));
	peek("all that", p);
	q = mmap(NULL, 1UL << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	say_p("a terabyte", q);
	say("some of it", mprotect(q + (1UL << 39), 2 * PG, RW));
	q[1UL << 39] = 't';
	peek("some of it", q + (1UL << 39));
	say("a terabyte goes", munmap(q, 1UL << 40));
	q = mmap(NULL, 4 * PG, RW, ANON | MAP_POPULATE | MAP_32BIT, -1, 0);
	say_p("populated, low", q);
	printf("%s: low: %d\n", name, (uintptr_t)q < 1UL << 31);
	setrlimit(RLIMIT_AS, &rl);
	say_p("beyond RLIMIT_AS", mmap(NULL, 1UL << 30, RW, ANON, -1, 0));
	say_p("fixed beyond it", mmap(p, 1UL << 30, RW, ANON | MAP_FIXED, -1,
				      0));
	peek("fixed beyond it", p);
	say_p("grown beyond it", mremap(p, PG, 1UL << 30, MREMAP_MAYMOVE));
	peek("grown beyond it", p);
}

#define CASE(f) { #f, f }

static void hog(size_t size)
{
	char *p = mmap(NULL, size, RW, ANON, -1, 0);
	size_t at;
	int c;

	for (c = 1;; c++) {
		for (at = 0; at < size; at += PG)
			__atomic_store_n(p + at, c, __ATOMIC_RELAXED);
		if (c == 1)
			printf("ready\n");
	}
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } t[] = {
		CASE(noreplace), CASE(refused), CASE(atomic), CASE(two_vmas),
		CASE(flags), CASE(move), CASE(debugger), CASE(poked),
		CASE(changing_file), CASE(limits),
	};
	char path[] = "/tmp/maps.XXXXXX";
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3)
		hog(strtoul(argv[2], NULL, 0) << 20);
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	file = mkstemp(path);
	unlink(path);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		name = t[i].name;
		t[i].run();
	}
	printf("end: reached\n");
	return 0;
}
