/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What randmem does with its memory: operations on pages @at to @at + @n of zone
 * @z, each of which says what must be there afterwards.
 */
#ifndef _RANDMEM_OPS_H
#define _RANDMEM_OPS_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "randmem.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define RW (PROT_READ | PROT_WRITE)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { RUN_FD = 100, FILE_FD, DIRECT_FD, SCRATCH_FD };

static char *common, *fixed; /* the same in all processes */
static __thread sigjmp_buf jump;
static __thread volatile sig_atomic_t jumps;
static __thread int pipe_fd[2];

static void note_result(long r)
{
	me->past[me->ops % PAST].result = r < 0 ? -errno : r;
}

static void must(int good, const char *what, long r)
{
	int err = errno;

	note_result(r);
	if (!good)
		wrong("%s gave %ld (%s)\n", what, r,
		      r == -1 ? strerror(err) : "no error");
}

/* Mappings */

static int random_prot(void)
{
	static const int prot[] = { RW, RW, RW, RW, RW, PROT_READ, PROT_NONE };

	return prot[rnd(me, ARRAY_SIZE(prot))];
}

static int nr_mapped(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int i, mapped = 0;

	for (i = at; i < at + n; i++)
		mapped += page_of(z, i)->kind != NONE;
	return mapped;
}

static void set_pages(struct zone *z, unsigned int at, unsigned int n,
		      enum kind kind, int prot, unsigned int fpage)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		set_page(&z->page[at + i], kind, prot,
			 kind == FILEMAP ? fpage + i : 0);
}

static void look(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int i;

	for (i = at; i < at + n; i++)
		look_at_page(addr(z, i), page_of(z, i));
}

static void map(struct zone *z, unsigned int at, unsigned int n)
{
	static const enum kind kinds[] = { ANON, ANON, FILEMAP, SHARED };
	enum kind kind = kinds[rnd(me, ARRAY_SIZE(kinds))];
	unsigned int fpage = rnd(me, FILE_PAGES + 4), how = rnd(me, 5);
	int prot = random_prot(), mapped = nr_mapped(z, at, n);
	int flags = kind == SHARED ? MAP_SHARED : MAP_PRIVATE;
	char *p;

	flags |= kind == FILEMAP ? 0 : MAP_ANONYMOUS;
	flags |= rnd(me, 4) ? 0 : MAP_POPULATE;
	flags |= rnd(me, 4) ? 0 : MAP_NORESERVE;
	flags |= how < 3 ? MAP_FIXED : how == 3 ? MAP_FIXED_NOREPLACE : 0;
	p = mmap(addr(z, at), n * PAGE, prot, flags,
		 kind == FILEMAP ? FILE_FD : -1,
		 kind == FILEMAP ? fpage * PAGE : 0);
	if (how == 3 && mapped) {
		must(p == MAP_FAILED && errno == EEXIST,
		     "mmap(MAP_FIXED_NOREPLACE) over something", (long)p);
		return;
	}
	must(p != MAP_FAILED, "mmap()", (long)p);
	if (how != 4 || !mapped) {
		must(p == addr(z, at), "mmap() of a free address", (long)p);
		set_pages(z, at, n, kind, prot, fpage);
		look(z, at, n);
	} else {
		struct page page;
		unsigned int i;

		for (i = 0; i < n; i++) {
			set_page(&page, kind, prot, fpage + i);
			look_at_page(p + i * PAGE, &page);
		}
		must(!munmap(p, n * PAGE), "munmap()", 0);
	}
}

static void unmap(struct zone *z, unsigned int at, unsigned int n)
{
	long r = munmap(addr(z, at), n * PAGE);

	must(!r, "munmap()", r);
	set_pages(z, at, n, NONE, 0, 0);
}

static void protect(struct zone *z, unsigned int at, unsigned int n)
{
	int prot = random_prot();
	long r = mprotect(addr(z, at), n * PAGE, prot);
	unsigned int i;

	for (i = at; i < at + n && page_of(z, i)->kind; i++) {
		z->page[i].prot = prot;
		sign(&z->page[i]);
	}
	must(i == at + n ? !r : r == -1 && errno == ENOMEM, "mprotect()", r);
}

static void sync_with_mincore(struct zone *z, unsigned int at, unsigned int n,
			      int may_differ)
{
	unsigned char vec;
	unsigned int i;

	for (i = at; i < at + n; i++) {
		long r = mincore(addr(z, i), PAGE, &vec);

		must(!r || errno == ENOMEM, "mincore()", r);
		if (!r == !!page_of(z, i)->kind)
			continue;
		if (r && may_differ)
			set_page(&z->page[i], NONE, 0, 0);
		else
			wrong("page %u of zone %d is %smapped\n", i,
			      (int)(z - self->zone), r ? "not " : "");
	}
}

static void audit(struct zone *z, unsigned int at, unsigned int n)
{
	sync_with_mincore(z, at, n, 0);
	note_result(0);
}

/* mremap() */

/* What comes when @from grows by @n pages. */
static void set_grown(const struct page *from, struct page *to, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		set_page(&to[i], from->kind, from->prot, from->fpage + 1 + i);
		to[i].flags = from->flags & DONTFORK;
		if (from->kind != FILEMAP)
			to[i].fpage = 0;
		sign(&to[i]);
	}
}

static void resize(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int grow = rnd(me, 8), shrunk = 1 + rnd(me, n);
	int free_behind;
	char *p;

	if (!grow) {
		p = mremap(addr(z, at), n * PAGE, shrunk * PAGE, 0);
		if (page_of(z, at)->kind) {
			must(p == addr(z, at), "mremap(), shorter", (long)p);
			set_pages(z, at + shrunk, n - shrunk, NONE, 0, 0);
		} else {
			must(p == MAP_FAILED && errno == EFAULT,
			     "mremap() of nothing", (long)p);
		}
		return;
	}
	/* shared memory has an end, as a file does */
	if (at + n + grow > PAGES || page_of(z, at + n - 1)->kind == SHARED)
		return;
	free_behind = !nr_mapped(z, at + n, grow);
	p = mremap(addr(z, at), n * PAGE, (n + grow) * PAGE, 0);
	note_result((long)p);
	if (p == MAP_FAILED) {
		must(errno == EFAULT || (errno == ENOMEM && !free_behind),
		     "mremap(), longer", (long)p);
		/* one page is one mapping, surely */
		must(n > 1 || !free_behind || !page_of(z, at)->kind,
		     "mremap(), longer, of one page", (long)p);
		return;
	}
	must(p == addr(z, at) && free_behind && nr_mapped(z, at, n) == (int)n,
	     "mremap(), longer, with something behind it", (long)p);
	set_grown(page_of(z, at + n - 1), &z->page[at + n], grow);
	look(z, at + n, grow);
}

/* To another place of the zone. */
static void shift(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int to = rnd(me, PAGES), len = 1 + rnd(me, n + 2);
	unsigned int grow = len > n ? len - n : 0, keep = len - grow;
	struct page old[PAGES];
	char *p;

	/* since 6.17 several mappings, with holes, can move at once */
	if (to + len > PAGES || nr_mapped(z, at, n) != (int)n ||
	    (grow && page_of(z, at + n - 1)->kind == SHARED))
		return;
	memcpy(old, z->page, sizeof(old));
	p = mremap(addr(z, at), n * PAGE, len * PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, addr(z, to));
	note_result((long)p);
	if (to < at + n && at < to + len) {
		must(p == MAP_FAILED && errno == EINVAL,
		     "mremap() onto itself", (long)p);
		return;
	}
	if (p == MAP_FAILED) {
		must(errno == EFAULT && n > 1,
		     "mremap(MREMAP_FIXED)", (long)p);
		/* the kernel may have made room before it refused */
		sync_with_mincore(z, to, len, 1);
		sync_with_mincore(z, at + keep, n - keep, 1);
		sync_with_mincore(z, at, keep, 0);
		return;
	}
	must(p == addr(z, to), "mremap(MREMAP_FIXED)", (long)p);
	set_pages(z, at, n, NONE, 0, 0);
	memcpy(&z->page[to], &old[at], keep * sizeof(*old));
	set_grown(&old[at + n - 1], &z->page[to + keep], grow);
	look(z, to, len);
}

/* Anywhere, and back. */
static void away(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int grow = 1 + rnd(me, 8), len = n + grow, i;
	int stays = !rnd(me, 4);
	struct page old[PAGES];
	char *p, *back;

	if (stays)
		len = n;
	if (at + len > PAGES || page_of(z, at + n - 1)->kind == SHARED)
		return;
	for (i = at; stays && i < at + n; i++)
		if (page_of(z, i)->kind != ANON)
			return;
	memcpy(old, z->page, sizeof(old));
	set_grown(&old[at + n - 1], &old[at + n], len - n);
	p = mremap(addr(z, at), n * PAGE, len * PAGE, MREMAP_MAYMOVE |
		   (stays ? MREMAP_DONTUNMAP : 0));
	if (p == MAP_FAILED) {
		/* EINVAL: vNodes do not have MREMAP_DONTUNMAP */
		must((stays && errno == EINVAL) ||
		     (errno == EFAULT && (n > 1 || !old[at].kind)),
		     "mremap(MREMAP_MAYMOVE)", (long)p);
		return;
	}
	must(nr_mapped(z, at, n) == (int)n, "mremap() of a hole", (long)p);
	for (i = 0; i < len; i++)
		look_at_page(p + i * PAGE, &old[at + i]);
	if (p == addr(z, at)) {
		memcpy(&z->page[at], &old[at], len * sizeof(*old));
		return;
	}
	for (i = at; i < at + n; i++) {
		struct page *page = &z->page[i];
		int flags = page->flags & DONTFORK;

		set_page(page, stays ? ANON : NONE, stays ? page->prot : 0, 0);
		page->flags = stays ? flags : 0;
		sign(page);
	}
	if (stays) {
		look(z, at, n);
		must(!munmap(p, n * PAGE), "munmap()", 0);
		return;
	}
	sync_with_mincore(z, at, n, 0);
	back = mremap(p, len * PAGE, len * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      addr(z, at));
	must(back == addr(z, at), "mremap() back", (long)back);
	memcpy(&z->page[at], &old[at], len * sizeof(*old));
	look(z, at, len);
}

/* Advice */

static void discard(struct zone *z, unsigned int at, unsigned int n)
{
	int mapped = nr_mapped(z, at, n);
	long r = madvise(addr(z, at), n * PAGE, MADV_DONTNEED);
	unsigned int i;

	must(mapped == (int)n ? !r : r == -1 && errno == ENOMEM,
	     "madvise(MADV_DONTNEED)", r);
	for (i = at; i < at + n; i++) {
		struct page *p = &z->page[i];
		int flags = p->flags & ~MAYBE;

		if (!p->kind || p->kind == SHARED)
			continue;
		set_page(p, p->kind, p->prot, p->fpage);
		p->flags = flags;
		sign(p);
	}
	look(z, at, n);
}

static void free_lazily(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int i, anon = 0;
	long r;

	for (i = at; i < at + n; i++)
		anon += page_of(z, i)->kind == ANON;
	if (anon && anon < n)
		return;
	r = madvise(addr(z, at), n * PAGE, MADV_FREE);
	if (anon == n)
		must(!r, "madvise(MADV_FREE)", r);
	else
		must(r == -1, "madvise(MADV_FREE) of no private memory", r);
	for (i = at; anon == n && i < at + n; i++) {
		z->page[i].flags |= MAYBE;
		sign(&z->page[i]);
	}
	look(z, at, rnd(me, n + 1));
}

/* What has no consequence. */
static void advise(struct zone *z, unsigned int at, unsigned int n)
{
	static const int advice[] = {
		MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_PAGEOUT,
		MADV_POPULATE_READ, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_SEQUENTIAL, MADV_RANDOM, MADV_NORMAL, MADV_DONTDUMP,
		MADV_DODUMP, MADV_NOHUGEPAGE, MADV_HUGEPAGE,
	};

	note_result(madvise(addr(z, at), n * PAGE,
			    advice[rnd(me, ARRAY_SIZE(advice))]));
	look(z, at, n);
}

static void not_for_children(struct zone *z, unsigned int at, unsigned int n)
{
	int dont = rnd(me, 2), mapped = nr_mapped(z, at, n);
	long r = madvise(addr(z, at), n * PAGE,
			 dont ? MADV_DONTFORK : MADV_DOFORK);
	unsigned int i;

	must(mapped == (int)n ? !r : r == -1 && errno == ENOMEM,
	     "madvise(MADV_DONTFORK)", r);
	for (i = at; i < at + n; i++) {
		if (!z->page[i].kind)
			continue;
		z->page[i].flags &= ~DONTFORK;
		z->page[i].flags |= dont ? DONTFORK : 0;
		sign(&z->page[i]);
	}
}

static void lock(struct zone *z, unsigned int at, unsigned int n)
{
	int on_fault = rnd(me, 2);

	note_result(syscall(SYS_mlock2, addr(z, at), n * PAGE, on_fault));
	look(z, at, n);
	/* page by page: holes do not end it */
	for (; n; at++, n--)
		munlock(addr(z, at), PAGE);
}

/* Contents */

static void check(struct zone *z, unsigned int at, unsigned int n)
{
	look(z, at, n);
	note_result(0);
}

static void store(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int i, b;

	for (i = at; i < at + n; i++) {
		struct page *p = page_of(z, i);
		unsigned int first = rnd(me, BLOCKS);
		unsigned int last = first + rnd(me, BLOCKS - first);

		if (!is_writable(p))
			continue;
		if (p->flags & MAYBE) {
			look_at_page(addr(z, i), p);
			first = 0;
			last = BLOCKS - 1;
		}
		p->flags &= ~MAYBE;
		for (b = first; b <= last; b++) {
			p->tag[b] = new_tag(me);
			fill_block(addr(z, i), b, p->tag[b]);
		}
		sign(p);
	}
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (jumps)
		siglongjmp(jump, sig << 8 | (info->si_code & 0xff));
	wrong("signal %d, code %d at address %p\n", sig, info->si_code,
	      info->si_addr);
}

/* What is not allowed: the signal has to tell why, a system call EFAULT. */
static void trespass(struct zone *z, unsigned int at, unsigned int n)
{
	struct page *p = page_of(z, at);
	int store = rnd(me, 2), got, want;
	volatile char *at_byte = addr(z, at) + rnd(me, PAGE);
	int prot = store ? PROT_WRITE : PROT_READ;

	(void)n;
	if (store ? is_writable(p) : is_readable(p))
		return;
	want = !p->kind ? SIGSEGV << 8 | SEGV_MAPERR :
	       !(p->prot & prot) ? SIGSEGV << 8 | SEGV_ACCERR :
				   SIGBUS << 8 | BUS_ADRERR;
	got = sigsetjmp(jump, 1);
	if (!got) {
		jumps = 1;
		if (store)
			*at_byte = 1;
		else
			(void)*at_byte;
	}
	jumps = 0;
	if (got != want)
		wrong("page %u: signal %d code %d, not %d code %d\n", at,
		      got >> 8, got & 0xff, want >> 8, want & 0xff);
	if (store) {
		must(write(pipe_fd[1], "x", 1) == 1, "write() to a pipe", 0);
		got = read(pipe_fd[0], (void *)at_byte, 1);
		must(got == -1 && errno == EFAULT, "read() to where it can't",
		     got);
		got = read(pipe_fd[0], &want, 1);
		/* the byte may be lost to who failed to read it */
		must(got == 1 || errno == EAGAIN, "read() from a pipe", got);
	} else {
		got = write(pipe_fd[1], (void *)at_byte, 1);
		must(got == -1 && errno == EFAULT, "write() of what it can't",
		     got);
	}
}

static long through_pipe(char *from, char *to, size_t len)
{
	long r = write(pipe_fd[1], from, len);

	return r == (long)len ? read(pipe_fd[0], to, len) : -1;
}

static long through_file(int fd, char *from, char *to, size_t len)
{
	off_t at = (me - self->zone) * PAGES * PAGE;
	long r = pwrite(fd, from, len, at);

	return r == (long)len ? pread(fd, to, len, at) : -1;
}

static long through_vm(char *from, char *to, size_t len, int reads)
{
	struct iovec a = { from, len }, b = { to, len };

	return reads ? process_vm_readv(getpid(), &b, 1, &a, 1, 0) :
		       process_vm_writev(getpid(), &a, 1, &b, 1, 0);
}

/* The kernel holds pages while they are taken away from us. */
static long through_splice(struct zone *z, unsigned int at, unsigned int n,
			   char *to)
{
	struct iovec a = { addr(z, at), n * PAGE };
	long r = vmsplice(pipe_fd[1], &a, 1, 0);

	if (r < 0)
		return r;
	switch (rnd(me, 4)) {
	case 0:
		discard(z, at, n);
		break;
	case 1:
		if (z != &self->zone[HEAP])
			unmap(z, at, n);
		break;
	case 2:
		madvise(z->base, PAGES * PAGE, MADV_PAGEOUT);
	}
	return read(pipe_fd[0], to, n * PAGE);
}

static void copy(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int to = rnd(me, PAGES), i;
	struct page old[8];
	long r = -1;

	n = n > 8 ? 8 : n;
	if (to + n > PAGES || (to < at + n && at < to + n))
		return;
	for (i = 0; i < n; i++)
		if (!is_readable(page_of(z, at + i)) ||
		    (z->page[at + i].flags & MAYBE) ||
		    !is_writable(page_of(z, to + i)))
			return;
	memcpy(old, &z->page[at], n * sizeof(*old));
	switch (rnd(me, 8)) {
	case 0:
	case 1:
		r = through_pipe(addr(z, at), addr(z, to), n * PAGE);
		break;
	case 2:
		r = through_file(SCRATCH_FD, addr(z, at), addr(z, to), n * PAGE);
		break;
	case 3:
		r = through_file(DIRECT_FD, addr(z, at), addr(z, to), n * PAGE);
		break;
	case 4:
	case 5:
		r = through_vm(addr(z, at), addr(z, to), n * PAGE, rnd(me, 2));
		break;
	default:
		r = through_splice(z, at, n, addr(z, to));
	}
	must(r == (long)(n * PAGE), "a copy by system calls", r);
	for (i = 0; i < n; i++) {
		memcpy(z->page[to + i].tag, old[i].tag, sizeof(old[i].tag));
		z->page[to + i].flags &= ~MAYBE;
		sign(&z->page[to + i]);
	}
	look(z, to, n);
}

/* Pages that all threads write, each its own blocks; and that nobody does. */
static void use_common(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int b = me - self->zone, i;

	(void)z;
	for (i = 0; i < n; i++) {
		unsigned int page = (at + i) % COMMON;
		uint64_t *tag = &self->common[page][b];

		look_at_block(common + page * PAGE, b, *tag, 0);
		*tag = new_tag(me);
		fill_block(common + page * PAGE, b, *tag);
		page %= FIXED;
		look_at_block(fixed + page * PAGE, b,
			      make_tag(self->fixed_number, page), 0);
	}
}

static void move_break(struct zone *z, unsigned int at, unsigned int n)
{
	unsigned int from = nr_mapped(z, 0, PAGES);
	unsigned int to = rnd(me, 2) ? PAGES : at;

	(void)n;
	must(!brk(addr(z, to)), "brk()", -1);
	if (to > from)
		set_pages(z, from, to - from, ANON, RW, 0);
	else
		set_pages(z, to, from - to, NONE, 0, 0);
	look(z, 0, PAGES);
}

#endif /* _RANDMEM_OPS_H */
