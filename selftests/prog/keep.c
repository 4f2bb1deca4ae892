// SPDX-License-Identifier: GPL-2.0
/*
 * keep PAGES SEED FILE: has memory, and looks later whether it still is what it
 * was.
 *
 * Each page gets contents that PAGES, its number and SEED tell. "ready" when
 * all have been written and read twice; then it waits for FILE to exist, and
 * reads them once more. "right", or "wrong: page N" and exit status 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS (4096 / sizeof(unsigned long))

static unsigned long want(unsigned long page, unsigned long seed)
{
	return (page + 1) * 0x9e3779b97f4a7c15UL ^ seed << 56;
}

/* Says so at once: who has lost its memory is killed soon. */
static void check(const volatile unsigned long *p, unsigned long pages,
		  unsigned long seed)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		if (p[i * WORDS] == want(i, seed) &&
		    p[i * WORDS + WORDS - 1] == ~want(i, seed))
			continue;
		dprintf(STDOUT_FILENO, "wrong: page %lu\n", i);
		_exit(3);
	}
}

int main(int argc, char **argv)
{
	volatile unsigned long *p;
	unsigned long i, pages, seed;

	if (argc != 4)
		return 2;
	pages = strtoul(argv[1], NULL, 0);
	seed = strtoul(argv[2], NULL, 0);
	p = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	for (i = 0; i < pages; i++) {
		p[i * WORDS] = want(i, seed);
		p[i * WORDS + WORDS - 1] = ~want(i, seed);
	}
	check(p, pages, seed);
	check(p, pages, seed);
	puts("ready");
	fflush(stdout);
	while (access(argv[3], F_OK))
		usleep(100000);
	check(p, pages, seed);
	puts("right");
	return 0;
}
