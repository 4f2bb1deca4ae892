// SPDX-License-Identifier: GPL-2.0
/*
 * relatives CASE...: processes and their children. Each case prints its name and
 * "ok", or what was wrong.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

static char *map(long pages, int flags)
{
	char *p = mmap(NULL, pages * PAGE, RW, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static int reap(int nr)
{
	int status, bad = 0;

	while (nr--)
		if (wait(&status) < 0 || status)
			bad = 1;
	return bad;
}

/* Many at once write to their copies of a few pages, again and again. */
static const char *write_copies(int nr)
{
	const int pages = 8, rounds = 4;
	char *p = map(pages, MAP_PRIVATE);
	int made, r, k, go[2];

	memset(p, 1, pages * PAGE);
	if (pipe(go))
		return "no pipe";
	for (made = 0; made < nr; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid)
			continue;
		close(go[1]);
		if (read(go[0], &r, 1))
			_exit(1);
		for (r = 0; r < rounds; r++)
			for (k = 0; k < pages; k++)
				p[k * PAGE] += made;
		for (k = 0; k < pages; k++)
			if (p[k * PAGE] != (char)(1 + rounds * made))
				_exit(1);
		_exit(0);
	}
	close(go[1]);
	if (reap(made))
		return "some see wrong bytes, or were ended";
	return made < nr ? "some could not be made" : NULL;
}

static const char *few(void)
{
	return write_copies(100);
}

static const char *many(void)
{
	return write_copies(1000);
}

/*
 * Children get what their parent had when it forked them: while it has written
 * little since the one before, and then much; and they have it still when it has
 * written more than there is ExCache.
 */
static const char *kept(void)
{
	const int pages = 24, others = 1500, nr = 8;
	char *p = map(pages, MAP_PRIVATE), *much = map(others, MAP_PRIVATE);
	int i, k, go[2];

	if (pipe(go))
		return "no pipe";
	for (i = 1; i <= nr; i++) {
		for (k = 0; k < pages; k++)
			p[k * PAGE + i] = i;
		if (fork()) {
			for (k = 0; k < others && i > nr / 2; k++)
				much[k * PAGE] = i;
			continue;
		}
		close(go[1]);
		if (read(go[0], &k, 1))
			_exit(1);
		for (k = 0; k < pages; k++)
			if (p[k * PAGE + 1] != 1 || p[k * PAGE + i] != i ||
			    p[k * PAGE + i + 1])
				_exit(1);
		_exit(0);
	}
	close(go[1]);
	return reap(nr) ? "wrong bytes" : NULL;
}

static long faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_minflt + r.ru_majflt;
}

/* A child's pages stay mapped while its parent forks others. */
static const char *apart(void)
{
	const int pages = 200, forks = 5;
	char *p = map(pages, MAP_PRIVATE);
	volatile int *turn = (int *)map(1, MAP_SHARED);
	int i, status, bad = 0;
	pid_t pid;
	long n;

	memset(p, 1, pages * PAGE);
	pid = fork();
	if (!pid) {
		memset(p, 2, pages * PAGE);
		n = faults();
		*turn = 1;
		while (*turn == 1)
			usleep(10000);
		memset(p, 3, pages * PAGE);
		_exit(faults() - n > pages / 2);
	}
	while (!*turn)
		usleep(10000);
	for (i = 0; i < forks; i++) {
		pid_t other = fork();

		if (!other)
			_exit(p[0] != 1);
		bad |= waitpid(other, &status, 0) != other || status;
	}
	*turn = 2;
	if (reap(1))
		return "a child's pages are unmapped by its parent's forks";
	return bad ? "wrong bytes" : NULL;
}

static volatile char *at[2];
static volatile int ready, stop;

static void *mover(void *unused)
{
	int here = 0;

	(void)unused;
	while (!ready)
		usleep(1000);
	while (!stop) {
		if (mremap((void *)at[here], PAGE, PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)at[!here]) == MAP_FAILED)
			abort();
		here = !here;
	}
	return NULL;
}

static int is_mapped(volatile char *p)
{
	unsigned char vec;

	return !mincore((void *)p, PAGE, &vec);
}

/* A thread moves a block back and forth: children find it at one of two places. */
static const char *moved(void)
{
	const int forks = 20;
	int i, a, bad = 0;
	pthread_t thread;

	/* first, as its stack would take the address that is kept free */
	if (pthread_create(&thread, NULL, mover, NULL))
		return "no thread";
	at[0] = map(1, MAP_PRIVATE);
	at[1] = map(1, MAP_PRIVATE);
	munmap((void *)at[1], PAGE);
	*at[0] = 'x';
	ready = 1;
	for (i = 0; i < forks && !bad; i++) {
		pid_t pid = fork();

		if (!pid) {
			a = is_mapped(at[0]);
			_exit(a == is_mapped(at[1]) || *at[!a] != 'x');
		}
		bad = pid < 0 || reap(1);
	}
	stop = 1;
	pthread_join(thread, NULL);
	return bad ? "a child has not what another thread moved" : NULL;
}

/* What is MADV_DONTFORK is missing in the child, and nothing else. */
static const char *missing(void)
{
	char *p = map(1, MAP_PRIVATE), *q = map(1, MAP_PRIVATE);
	pid_t pid;

	madvise(p, PAGE, MADV_DONTFORK);
	*p = 'p';
	*q = 'q';
	pid = fork();
	if (!pid)
		_exit(is_mapped(p) || *q != 'q');
	return pid < 0 || reap(1) ? "it is not" : NULL;
}

static long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long r;

	asm volatile("syscall" : "=a" (r)
		     : "0" (nr), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8),
		       "r" (r9)
		     : "rcx", "r11", "memory");
	return r;
}

/* Has nothing but its text and what is shared: no libc. */
static int bare_child(void *arg)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	volatile char *volatile *word = arg;
	long r = raw(SYS_mmap, 0, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*(volatile char *)r = 'c';
	*word = (volatile char *)r;
	while (*word)
		raw(SYS_nanosleep, (long)&ms, 0, 0, 0, 0, 0);
	raw(SYS_exit_group, *(volatile char *)r != 'c', 0, 0, 0, 0, 0);
	return 1;
}

/* Give advice for all memory that is the vNode's; or look whether @p is. */
static int each_ours(pid_t pid, int advice, unsigned long p)
{
	unsigned long start, end;
	char name[40], line[512];
	int found = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[lego]") ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		found |= p >= start && p < end;
		if (!p)
			madvise((void *)start, end - start, advice);
	}
	if (f)
		fclose(f);
	return found;
}

/* A child that has got no memory of the vNode's gets it when it asks for some. */
static const char *bare(void)
{
	char *stack = map(4, MAP_SHARED);
	volatile char *volatile *word = (void *)map(1, MAP_SHARED);
	int ours;
	pid_t pid;

	/* the kernel would look for it in the child, and end that */
	syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
		32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	each_ours(getpid(), MADV_DONTFORK, 0);
	pid = clone(bare_child, stack + 4 * PAGE, SIGCHLD, (void *)word);
	each_ours(getpid(), MADV_DOFORK, 0);
	if (pid < 0)
		return "no child";
	while (!*word && !waitpid(pid, NULL, WNOHANG))
		usleep(10000);
	if (!*word)
		return "the child was ended";
	ours = each_ours(pid, 0, (unsigned long)*word);
	*word = NULL;
	if (reap(1))
		return "the child was ended";
	return ours ? NULL : "the child's memory is not the vNode's";
}

/* More than a pComponent's queue has threads: they wait till they are killed. */
static const char *crowd(void)
{
	const int nr = 280;
	int i;

	for (i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return "some could not be made";
		while (!pid)
			pause();
	}
	dprintf(STDOUT_FILENO, "ready\n");
	for (;;)
		pause();
}

static const struct {
	const char *name;
	const char *(*fn)(void);
} cases[] = {
	{ "few", few },
	{ "many", many },
	{ "kept", kept },
	{ "apart", apart },
	{ "moved", moved },
	{ "missing", missing },
	{ "bare", bare },
	{ "crowd", crowd },
};

int main(int argc, char **argv)
{
	const char *wrong;
	unsigned int i;

	while (*++argv)
		for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			if (strcmp(*argv, cases[i].name))
				continue;
			wrong = cases[i].fn();
			printf("%s: %s\n", *argv, wrong ? wrong : "ok");
			fflush(stdout);
		}
	return argc < 2;
}
