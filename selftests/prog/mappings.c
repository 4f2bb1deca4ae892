// SPDX-License-Identifier: GPL-2.0
/*
 * mappings: processes end that have some hundred separate mappings, one more
 * each (one of these numbers fills an inner node of a maple tree), and one whose
 * heap grew and shrank by pages. Then its own heap grows page by page, it says
 * "ready", and lives till its input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L

static int scattered(int nr, int unused)
{
	char *p = mmap(NULL, (2 * nr + 1) * PAGE, PROT_NONE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	(void)unused;
	if (p == MAP_FAILED)
		return 1;
	for (i = 0; i < nr; i++)
		if (mmap(p + (2 * i + 1) * PAGE, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			return 1;
	return 0;
}

static int heap(int nr, int shrink)
{
	char *p;
	int i;

	for (i = 1; i <= nr; i++) {
		p = sbrk(PAGE);
		if (p == (void *)-1)
			return 1;
		*p = 1;
		if (shrink && !(i % shrink) &&
		    sbrk(-PAGE * (shrink / 2)) == (void *)-1)
			return 1;
	}
	return 0;
}

static int in_child(int (*fn)(int, int), int a, int b)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(a, b));
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

int main(void)
{
	int i, bad = 0;

	for (i = 98; i <= 130; i++)
		bad |= in_child(scattered, i, 0);
	bad |= in_child(heap, 3000, 8);
	bad |= heap(2000, 0);
	if (bad)
		return 1;
	puts("ready");
	fflush(stdout);
	getchar();
	return 0;
}
