// SPDX-License-Identifier: GPL-2.0
/*
 * full FILE: writes it till its file system is full, and says who is told of
 * that, "1 name" or "0 name".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void result(int good, const char *name)
{
	int err = errno;

	printf("%d %s\n", !!good, name);
	if (!good)
		printf("- %s\n", strerror(err));
	fflush(stdout);
	errno = 0;
}

int main(int argc, char **argv)
{
	static char buf[64 << 10];
	struct stat st;
	long sum = 0;
	ssize_t n;
	int fd;

	if (argc != 2)
		return 2;
	memset(buf, 'x', sizeof(buf));
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
	while ((n = write(fd, buf, sizeof(buf))) > 0)
		sum += n;
	result(n < 0 && errno == ENOSPC, "write() says that there is no room");
	result(!fstat(fd, &st) && st.st_size >= sum &&
	       st.st_size < sum + (long)sizeof(buf),
	       "the file is as long as there was room");
	result(pread(fd, buf, sizeof(buf), st.st_size) == 0,
	       "and nothing is read after that");
	result(!close(fd), "it is told once: close() succeeds");
	result(!unlink(argv[1]), "the file is removed");
	return 0;
}
