// SPDX-License-Identifier: GPL-2.0
/*
 * discard SECONDS [SEED]: two threads write tags and look at them while a third
 * one discards the same memory in each way there is. A word of a page holds
 * what was written there last, or 0 if that was discarded; anything else is
 * another page's. Halfway the program executes itself.
 *
 * Prints its seed, and each wrong word of the first ten. Exit status 3 if there
 * were any.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define WORDS 4 /* of a page: at its start, end, and in between */

enum {
	RACED = 3072, /* pages discarded while others write them */
	TAKEN = 512, /* unmapped while nobody uses them */
	KEPT = 512, /* never discarded */
	BROKEN = 256, /* pages of the heap */
};

static char *raced, *taken, *kept, *away, *heap;
static pthread_rwlock_t taken_lock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned long tag;
static atomic_ulong wrong, writes;
static atomic_bool stop;

static unsigned long *word(char *page, unsigned int i)
{
	return (unsigned long *)(page + i * (PAGE - 8) / (WORDS - 1) / 8 * 8);
}

static unsigned long value(unsigned int area, unsigned long nr, unsigned int i)
{
	return tag << 32 | area << 24 | nr << 8 | i << 1 | 1;
}

static void look(const char *what, char *base, unsigned int area,
		 unsigned long nr, int may_be_zero, int may_be_set)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		unsigned long v = __atomic_load_n(word(base + nr * PAGE, i),
						  __ATOMIC_RELAXED);

		if ((may_be_zero && !v) ||
		    (may_be_set && v == value(area, nr, i)))
			continue;
		if (atomic_fetch_add(&wrong, 1) < 10)
			printf("%s: word %u of page %lu is %lx, not %lx\n",
			       what, i, nr, v, value(area, nr, i));
	}
}

static void fill(char *base, unsigned int area, unsigned long nr)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		__atomic_store_n(word(base + nr * PAGE, i), value(area, nr, i),
				 __ATOMIC_RELAXED);
	atomic_fetch_add(&writes, 1);
}

static unsigned long rnd(unsigned long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

static void *writer(void *arg)
{
	unsigned long state = tag * 2 + (uintptr_t)arg * 0x9e3779b97f4a7c15 + 1;

	while (!stop) {
		unsigned long at = rnd(&state) % RACED, i, n;

		/* runs, so that write-backs carry several pages */
		for (i = at; i < RACED && i < at + 16; i++) {
			look("raced", raced, 1, i, 1, 1);
			fill(raced, 1, i);
		}
		n = rnd(&state) % KEPT;
		look("kept", kept, 2, n, 0, 1);
		n = rnd(&state) % TAKEN;
		pthread_rwlock_rdlock(&taken_lock);
		look("taken", taken, 3, n, 1, 1);
		fill(taken, 3, n);
		pthread_rwlock_unlock(&taken_lock);
	}
	return NULL;
}

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

static void *map(void *at, unsigned long nr, int flags)
{
	char *p = mmap(at, nr * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		fatal("mmap");
	return p;
}

/* Unmap pages, by @how, and have others there again. Only we use them. */
static void take(unsigned long at, unsigned long nr, unsigned int how)
{
	char *p = taken + at * PAGE;
	unsigned long i;

	switch (how) {
	case 0:
		if (munmap(p, nr * PAGE))
			fatal("munmap");
		map(p, nr, MAP_FIXED);
		break;
	case 1: /* away, and what was not there comes */
		if (mremap(p, nr * PAGE, nr * PAGE, MREMAP_MAYMOVE |
			   MREMAP_FIXED, away) == MAP_FAILED)
			fatal("mremap");
		for (i = 0; i < nr; i += 5)
			if (*word(away + i * PAGE, 1) &&
			    *word(away + i * PAGE, 1) != value(3, at + i, 1))
				atomic_fetch_add(&wrong, 1);
		map(p, nr, MAP_FIXED);
		break;
	case 2: /* over what was there */
		map(p, nr, MAP_FIXED);
		break;
	case 3: /* to one page, and longer again */
		nr = TAKEN - at;
		if (mremap(p, nr * PAGE, PAGE, 0) == MAP_FAILED)
			fatal("mremap");
		if (mremap(p, PAGE, nr * PAGE, 0) == MAP_FAILED)
			fatal("mremap");
		at++;
		nr--;
		break;
	}
	for (i = at; i < at + nr; i++)
		look("taken away", taken, 3, i, 1, 0);
}

static void brk_down_and_up(void)
{
	unsigned long i;

	for (i = 0; i < BROKEN; i++)
		look("heap", heap, 4, i, 0, 1);
	if (brk(heap) || brk(heap + BROKEN * PAGE))
		fatal("brk");
	for (i = 0; i < BROKEN; i++) {
		look("new heap", heap, 4, i, 1, 0);
		fill(heap, 4, i);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void discard(double end, unsigned long state)
{
	unsigned long at, nr, how;

	while (now() < end) {
		how = rnd(&state) % 16;
		at = rnd(&state) % RACED;
		nr = rnd(&state) % 64 + 1;
		/* all of it, mostly: that takes long enough to be raced with */
		if (how < 7) {
			at = 0;
			nr = RACED;
		}
		if (nr > RACED - at)
			nr = RACED - at;
		if (how < 10) {
			if (madvise(raced + at * PAGE, nr * PAGE,
				    how & 1 ? MADV_FREE : MADV_DONTNEED))
				fatal("madvise");
		} else if (how < 15) {
			at %= TAKEN - 64;
			nr = rnd(&state) % 64 + 1;
			pthread_rwlock_wrlock(&taken_lock);
			take(at, nr, rnd(&state) % 4);
			pthread_rwlock_unlock(&taken_lock);
		} else {
			brk_down_and_up();
		}
	}
}

int main(int argc, char **argv)
{
	double begin = now(), seconds;
	pthread_t thread[2];
	unsigned long i;
	char text[2][32];

	if (argc < 2)
		return 2;
	seconds = atof(argv[1]);
	tag = argc > 2 ? strtoul(argv[2], NULL, 0) : (unsigned long)getpid();
	tag = (tag & 0x7fffffff) | 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %lu\n", tag);
	raced = map(NULL, RACED, 0);
	taken = map(NULL, TAKEN, 0);
	away = map(NULL, TAKEN, 0);
	kept = map(NULL, KEPT, 0);
	heap = (char *)(((uintptr_t)sbrk(0) + PAGE - 1) / PAGE * PAGE);
	if (brk(heap + BROKEN * PAGE))
		fatal("brk");
	for (i = 0; i < KEPT; i++)
		fill(kept, 2, i);
	for (i = 0; i < BROKEN; i++)
		fill(heap, 4, i);
	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, writer, (void *)(i + 1)))
			fatal("pthread_create");
	discard(begin + seconds / 2, tag * 0x9e3779b97f4a7c15);
	stop = 1;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	printf("%lu writes, %lu wrong words\n", atomic_load(&writes),
	       atomic_load(&wrong));
	if (wrong)
		return 3;
	if (argc > 3)
		return 0;
	snprintf(text[0], sizeof(text[0]), "%f", seconds);
	snprintf(text[1], sizeof(text[1]), "%lu", tag + 2);
	execl("/proc/self/exe", argv[0], text[0], text[1], "again", NULL);
	fatal("exec");
}
