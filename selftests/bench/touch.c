// SPDX-License-Identifier: GPL-2.0
/*
 * touch MODE PAGES ROUNDS: how long one access to a page takes.
 *
 *	first	each page of a fresh mapping is written once
 *	miss	all pages are written, then read in an order of which no cache
 *		smaller than the mapping keeps much; the first reading round,
 *		whose victims are dirty, is not counted
 *
 * Prints: median p90 p99 (ns) of all counted accesses. Each access is timed by
 * itself, so the figures include one clock_gettime().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096UL

static unsigned long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static volatile unsigned char *map(unsigned long pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	/* huge pages would be another measurement */
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

/* A fixed order without locality that visits each page once. */
static unsigned long *order(unsigned long pages)
{
	unsigned long *o = malloc(pages * sizeof(*o)), i, j, t;
	unsigned int seed = 1;

	for (i = 0; i < pages; i++)
		o[i] = i;
	for (i = pages - 1; i; i--) {
		seed = seed * 1103515245 + 12345;
		j = (seed >> 8) % (i + 1);
		t = o[i];
		o[i] = o[j];
		o[j] = t;
	}
	return o;
}

int main(int argc, char **argv)
{
	unsigned long pages, rounds, think, i, r, n = 0, *ns, *o, t;
	volatile unsigned char *p;
	unsigned char sum = 0;

	if (argc != 4 && argc != 5) {
		fprintf(stderr,
			"usage: touch first|miss PAGES ROUNDS [THINK_US]\n");
		return 2;
	}
	pages = strtoul(argv[2], NULL, 0);
	rounds = strtoul(argv[3], NULL, 0);
	if (!pages || !rounds)
		return 2;
	think = argc == 5 ? strtoul(argv[4], NULL, 0) * 1000 : 0;
	ns = calloc(pages * rounds, sizeof(*ns));
	o = order(pages);
	memset(ns, 1, pages * rounds * sizeof(*ns));
	if (!strcmp(argv[1], "first")) {
		for (r = 0; r < rounds; r++) {
			p = map(pages);
			for (i = 0; i < pages; i++) {
				t = now();
				p[i * PAGE] = 1;
				ns[n++] = now() - t;
			}
			munmap((void *)p, pages * PAGE);
		}
	} else {
		p = map(pages);
		for (i = 0; i < pages; i++)
			p[i * PAGE] = i;
		for (r = 0; r <= rounds; r++) {
			for (i = 0; i < pages; i++) {
				t = now();
				sum += p[o[i] * PAGE];
				t = now() - t;
				if (!r)
					continue;
				ns[n++] = t;
				for (t = now(); now() - t < think;)
					;
			}
		}
	}
	qsort(ns, n, sizeof(*ns), by_value);
	printf("%lu %lu %lu\n", ns[n / 2], ns[n * 9 / 10], ns[n * 99 / 100]);
	fprintf(stderr, "%d\n", sum);
	return 0;
}
