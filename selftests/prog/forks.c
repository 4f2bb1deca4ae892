// SPDX-License-Identifier: GPL-2.0
/*
 * forks PAGES NR: writes so many pages, says "ready", and forks so many children,
 * one after the other, that look whether they have them, too. Exit status 3 if
 * not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long i, pages, nr;
	int status;
	char *p;
	pid_t pid;

	if (argc != 3)
		return 2;
	pages = strtoul(argv[1], NULL, 0);
	nr = strtoul(argv[2], NULL, 0);
	p = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	for (i = 0; i < pages; i++)
		p[i * 4096] = 1;
	dprintf(STDOUT_FILENO, "ready\n");
	while (nr--) {
		pid = fork();
		if (!pid) {
			for (i = 0; i < pages && p[i * 4096] == 1; i += 16)
				;
			_exit(i >= pages ? 7 : 8);
		}
		if (pid < 0)
			return 1;
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			return 3;
	}
	return 0;
}
