// SPDX-License-Identifier: GPL-2.0
/*
 * poison PAGES: memory whose hardware fails, which root may pretend. What is not
 * written to its owner is lost, and told by SIGBUS; the rest is there as before;
 * and of so many further pages none is in a frame that failed. Prints what is
 * wrong, exit status 1 then.
 *
 * poison owner PAGES FILE: writes to so many pages, and has all at their owner.
 * When FILE is there, it reads them: one whose frame there failed ends it.
 *
 * poison frames PAGES: of the first so many of these the memory fails, wherever
 * in this machine they are. Prints in how many frames.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define INJECT "/sys/devices/system/memory/hard_offline_page"
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

static sigjmp_buf jump;
static volatile int code;
static int bad;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	code = info->si_code;
	siglongjmp(jump, 1);
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s\n", what);
	bad = 1;
}

/* What is there, -1: nothing more */
static int look(volatile char *p)
{
	code = 0;
	return sigsetjmp(jump, 1) ? -1 : *p;
}

static uint64_t frame(volatile char *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	(void)*p;
	if (pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return entry & ((1ULL << 55) - 1);
}

static void fail(uint64_t frame)
{
	FILE *f = fopen(INJECT, "w");

	if (!f)
		exit(4);
	fprintf(f, "0x%llx", (unsigned long long)frame * PAGE);
	fclose(f);
}

/*
 * All that was written goes to its owner, as it is more than a child gets in
 * ExCache, and no page stays mapped.
 */
static int forks(void)
{
	static char much[200 * PAGE];
	int status = 0;
	pid_t pid;

	memset(much, 1, sizeof(much));
	pid = fork();
	if (!pid)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

struct mark {
	uint64_t magic[3];
	uint64_t page;
};

/* Not as it stands in this program's file */
static void mark_make(struct mark *m, uint64_t page)
{
	volatile uint64_t part = 0x706f69736f6e2121;
	int i;

	for (i = 0; i < 3; i++)
		m->magic[i] = part * (2 * i + 3);
	m->page = page;
}

static void owner(long nr, const char *file)
{
	struct mark *m;
	char *p = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long i;

	for (i = 0; i < nr; i++)
		mark_make((struct mark *)(p + i * PAGE), i);
	forks();
	puts("ready");
	fflush(stdout);
	while (access(file, F_OK))
		usleep(100000);
	for (i = 0; i < nr; i++) {
		m = (struct mark *)(p + i * PAGE);
		if (*(volatile uint64_t *)&m->page != (uint64_t)i)
			printf("page %ld is wrong\n", i);
	}
}

/* Read physical memory, as far as the kernel has it mapped. */
static long phys_read(int core, const Elf64_Phdr *ph, int nr, uint64_t at,
		      void *buf, size_t len)
{
	for (; nr--; ph++)
		if (ph->p_type == PT_LOAD && at >= ph->p_paddr &&
		    at - ph->p_paddr < ph->p_memsz)
			return pread(core, buf, len,
				     ph->p_offset + at - ph->p_paddr);
	return -1;
}

static int frames(uint64_t pages)
{
	/* slab, LRU, free, mapped, anonymous, failed, none, page table */
	const uint64_t other = 1 << 7 | 1 << 5 | 1 << 10 | 1 << 11 | 1 << 12 |
			       1 << 19 | 1 << 20 | 1 << 26;
	int flags = open("/proc/kpageflags", O_RDONLY);
	int core = open("/proc/kcore", O_RDONLY);
	struct mark want, m;
	uint64_t pfn = 0, flag[512];
	static Elf64_Phdr ph[64];
	Elf64_Ehdr eh;
	int i, n, found = 0;

	if (flags < 0 || pread(core, &eh, sizeof(eh), 0) != sizeof(eh) ||
	    eh.e_phnum > 64 ||
	    pread(core, ph, eh.e_phnum * sizeof(*ph), eh.e_phoff) < 0)
		return 4;
	while ((n = read(flags, flag, sizeof(flag)) / 8) > 0)
		for (i = 0; i < n; i++, pfn++) {
			if (flag[i] & other ||
			    phys_read(core, ph, eh.e_phnum, pfn * PAGE, &m,
				      sizeof(m)) != sizeof(m))
				continue;
			mark_make(&want, m.page);
			if (m.page >= pages || memcmp(&m, &want, sizeof(m)))
				continue;
			fail(pfn);
			found++;
		}
	printf("%d\n", found);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};
	long i, nr = argc > 1 ? atol(argv[1]) : 1;
	uint64_t failed[2], now;
	char *p, *q;

	if (argc == 3)
		return frames(atol(argv[2]));
	if (argc == 4) {
		owner(atol(argv[2]), argv[3]);
		return 0;
	}
	sigaction(SIGBUS, &sa, NULL);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	q = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 4; i++)
		p[i * PAGE] = 'a' + i;
	check(forks(), "no fork");

	failed[0] = frame(p);
	fail(failed[0]);
	check(forks(), "no fork after a clean page's frame failed");
	check(look(p) == 'a', "a clean page is not there any more");
	check(frame(p) != failed[0], "a page stays in a frame that failed");

	p[PAGE] = 'w';
	failed[1] = frame(p + PAGE);
	fail(failed[1]);
	check(!forks() && errno == ENOMEM, "a lost page is forked");
	check(look(p + PAGE) == -1, "a lost page can be read");
	check(code == BUS_MCEERR_AR, "SIGBUS does not say why");
	check(look(p + PAGE) == -1, "a lost page can be read the next time");
	madvise(p + PAGE, PAGE, MADV_DONTNEED);
	check(look(p + PAGE) == 0, "nothing new in a lost page's place");
	check(forks(), "no fork after a lost page was given up");

	madvise(p + 2 * PAGE, PAGE, MADV_SOFT_OFFLINE);
	check(look(p + 2 * PAGE) == 'c', "soft offline");
	madvise(p + 3 * PAGE, PAGE, MADV_HWPOISON);

	for (i = 0; i < nr; i++) {
		q[i * PAGE] = 1;
		now = frame(q + i * PAGE);
		if (now == failed[0] || now == failed[1])
			check(0, "a frame that failed is used again");
	}
	return bad;
}
