// SPDX-License-Identifier: GPL-2.0
/*
 * lost PAGES FILE: has memory, and uses it in every way when it is gone.
 *
 * Six children share it. "ready" when all are there; when FILE exists, one
 * reads its pages, one has read(2) write to them, one forks, one unmaps them
 * and waits, one writes others till these have to be evicted, and one reads them
 * by a thread when its first one has ended. Who finds that all is well exits
 * with 3; who ends otherwise than by SIGKILL is told of.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define WAYS 6

static unsigned long pages;
static const char *go;
static volatile char *memory;

static volatile char *map(void)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	return p;
}

static void touch(volatile char *p)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		(void)p[i * PAGE];
}

static void dirty(volatile char *p)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		p[i * PAGE] = i;
}

/* What comes of it is told by a signal. */
static void read_into(volatile char *p)
{
	int fd = open("/dev/zero", O_RDONLY);
	unsigned long i;

	for (i = 0; i < pages; i++)
		if (read(fd, (void *)(p + i * PAGE), PAGE) != PAGE)
			return;
}

static void use(int way)
{
	int i;

	switch (way) {
	case 0:
		touch(memory);
		break;
	case 1:
		read_into(memory);
		break;
	case 2:
		if (!fork())
			_exit(3);
		break;
	case 3:
		munmap((void *)memory, pages * PAGE);
		break;
	case 4:
		for (i = 0; i < 8; i++)
			dirty(map());
		break;
	case 5:
		touch(memory);
		break;
	}
	/* owners may hear of it later: of what was unmapped, say */
	sleep(20);
}

static void *child(void *way)
{
	while (access(go, F_OK))
		usleep(500000);
	use((long)way);
	_exit(3);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int status;
	long way;

	if (argc != 3)
		return 2;
	pages = strtoul(argv[1], NULL, 0);
	go = argv[2];
	memory = map();
	dirty(memory);
	for (way = 0; way < WAYS; way++) {
		if (fork())
			continue;
		if (way == 5 &&
		    !pthread_create(&thread, NULL, child, (void *)way))
			syscall(SYS_exit, 0);
		child((void *)way);
	}
	puts("ready");
	fflush(stdout);
	for (way = 0; way < WAYS; way++)
		if (wait(&status) > 0 && (!WIFSIGNALED(status) ||
					  WTERMSIG(status) != SIGKILL))
			printf("a child is not killed: status %x\n", status);
	fflush(stdout);
	touch(memory);
	return 3;
}
