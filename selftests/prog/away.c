// SPDX-License-Identifier: GPL-2.0
/*
 * What programs have written whose sComponent goes away. Each says a word when
 * it is ready, and goes on when it reads a line; the sComponent is away then.
 *
 * away late FILE: writes to FILE and to FILE.1 to FILE.19, and ends.
 *
 * away killed FILE FILE2: writes to both. A child that has FILE open, too, and
 * has written to its second page, calls fsync(), another one truncate() of
 * FILE2. With the next line both are killed, and with the one after that it says
 * what its own fsync() of both files says.
 *
 * away append FILE: two processes append to FILE, the second while the first
 * does. It says when that is dead, which it kills first.
 *
 * away mapped FILE: maps FILE, and reads its last page.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 20

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static int write_to(const char *name, const char *text, off_t off)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, text, strlen(text), off) !=
	    (ssize_t)strlen(text)) {
		perror(name);
		exit(1);
	}
	return fd;
}

static int late(const char *name)
{
	char other[4096];
	int i;

	write_to(name, "late", 0);
	for (i = 1; i < FILES; i++) {
		snprintf(other, sizeof(other), "%s.%d", name, i);
		write_to(other, "late", 0);
	}
	say("written");
	getchar();
	return 0;
}

/* Return: the child's id; it begins with @sync when *@go ends. */
static pid_t child(int *go, const char *name, int sync)
{
	int fd = sync ? write_to(name, "child", 4096) : -1;
	pid_t pid = fork();
	char c;

	if (pid) {
		close(fd);
		return pid;
	}
	close(go[1]);
	if (read(go[0], &c, 1))
		_exit(1);
	_exit(sync ? fsync(fd) : truncate(name, 1));
}

static int killed(const char *name, const char *name2)
{
	int fd = write_to(name, "parent", 0);
	int fd2 = write_to(name2, "parent", 0);
	pid_t pid[2];
	int go[2], i;

	if (pipe(go))
		return 1;
	pid[0] = child(go, name, 1);
	pid[1] = child(go, name2, 0);
	printf("written %d %d\n", pid[0], pid[1]);
	fflush(stdout);
	getchar();
	close(go[0]);
	close(go[1]);
	getchar();
	for (i = 0; i < 2; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < 2; i++)
		waitpid(pid[i], NULL, 0);
	say("dead");
	getchar();
	errno = 0;
	fsync(fd);
	printf("%s", strerror(errno));
	errno = 0;
	fsync(fd2);
	printf(", %s\n", strerror(errno));
	return 0;
}

static pid_t appender(int fd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(write(fd, "a", 1) != 1);
	sleep(1); /* it comes to wait before the next one does */
	return pid;
}

static int append(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int fd2 = open(name, O_WRONLY | O_APPEND); /* no common position */
	pid_t first, second;

	say("ready");
	getchar();
	first = appender(fd);
	second = appender(fd2);
	kill(second, SIGKILL);
	waitpid(second, NULL, 0);
	say("dead");
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	return 0;
}

static int mapped(const char *name)
{
	int fd = open(name, O_RDONLY);
	struct stat st;
	const char *p;

	if (fd < 0 || fstat(fd, &st))
		return 1;
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	madvise((void *)p, st.st_size, MADV_RANDOM);
	say("mapped");
	getchar();
	return p[st.st_size - 1];
}

int main(int argc, char **argv)
{
	/* Its own text is there as well, when the sComponent is not. */
	if (mlockall(MCL_CURRENT)) {
		perror("mlockall");
		return 1;
	}
	if (argc == 3 && !strcmp(argv[1], "late"))
		return late(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "killed"))
		return killed(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "append"))
		return append(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "mapped"))
		return mapped(argv[2]);
	return 2;
}
