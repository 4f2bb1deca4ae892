// SPDX-License-Identifier: GPL-2.0
/*
 * refill PAGES SECONDS [alone]: writes so many pages, says "ready", and for so
 * long writes all of them again and again, forks children that look at some, and
 * checks what it wrote. Exit status 3 if anything is wrong. Alone: without
 * children; each page is checked just before it is written again, so that
 * whatever ExCache sends away is dirty, at any time. SIGTERM ends it sooner.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long *words;
static unsigned long pages;
static volatile sig_atomic_t enough;

static void stop(int sig)
{
	enough = sig;
}

static void fill(unsigned long round)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		words[i * 512] = round << 32 | i;
}

static int right(unsigned long round, unsigned long step)
{
	unsigned long i;

	for (i = 0; i < pages; i += step)
		if (words[i * 512] != (round << 32 | i))
			return 0;
	return 1;
}

static int refill(unsigned long round)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		if (words[i * 512] != ((round - 1) << 32 | i))
			return 0;
		words[i * 512] = round << 32 | i;
	}
	return 1;
}

static int child_sees(unsigned long round)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(right(round, 64) ? 7 : 8);
	return pid > 0 && waitpid(pid, &status, 0) == pid &&
	       WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

int main(int argc, char **argv)
{
	unsigned long round = 0;
	time_t end;

	if (argc < 3 || argc > 4)
		return 2;
	pages = strtoul(argv[1], NULL, 0);
	words = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED)
		return 1;
	signal(SIGTERM, stop);
	fill(round);
	dprintf(STDOUT_FILENO, "ready\n");
	end = time(NULL) + atol(argv[2]);
	do {
		if (argc == 3) {
			if (!child_sees(round))
				return 3;
			fill(++round);
		} else if (!refill(++round)) {
			return 3;
		}
	} while (!enough && time(NULL) < end);
	if (!right(round, 1))
		return 3;
	dprintf(STDOUT_FILENO, "%lu rounds\n", round);
	return 0;
}
