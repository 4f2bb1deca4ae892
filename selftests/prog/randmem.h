/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What randmem knows of memory, and how it sees whether that is so.
 *
 * A page is eight blocks of 512 bytes. Each block is zero or was filled with one
 * tag; a word is its block's tag and its own place in the page, so that a word
 * alone says which run, which process and which write it is of:
 *
 *	stamp (12 bits) | process (12) | write (31) | word of the page (9)
 *
 * The stamp is the run's: two runs at once know each other's words. All that is
 * known, the model, is in memory that processes share, which is never in
 * ExCache; its entries have sums all the same.
 */
#ifndef _RANDMEM_H
#define _RANDMEM_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define GIB (1024UL * 1024 * 1024)
#define BLOCK 512UL
#define WORDS (BLOCK / 8)

enum {
	BLOCKS = 8,
	THREADS = 3, /* of a process, each with a zone of its own */
	HEAP = THREADS, /* number of the zone that brk() makes */
	PAGES = 128, /* of a zone */
	COMMON = 64, /* pages of which each thread has a block */
	FIXED = 32, /* pages that never change */
	FILE_PAGES = 96, /* of the file that is mapped privately */
	SLOTS = 6, /* processes at a time */
	PAST = 16, /* operations that are told when something is wrong */
};

enum kind { NONE, ANON, FILEMAP, SHARED };

#define MAYBE 1 /* MADV_FREE: as it was, or zero, until it is written */
#define DONTFORK 2

/**
 * struct page - what is known of a page
 * @tag: of each block, 0 if that is zero
 * @fpage: page of the file, if it has one
 * @kind: what is mapped there
 * @prot: PROT_*
 * @flags: MAYBE, DONTFORK
 * @sum: of all that
 */
struct page {
	uint64_t tag[BLOCKS];
	uint32_t fpage;
	uint8_t kind;
	uint8_t prot;
	uint8_t flags;
	uint64_t sum;
};

/* An operation, as it is told. */
struct past {
	char op[16];
	unsigned int zone;
	unsigned int at;
	unsigned int nr;
	long result;
};

/* A thread's pages, and what it did. */
struct zone {
	_Atomic time_t since; /* when its operation began, 0: it does none */
	char *base;
	uint64_t random;
	uint64_t ops;
	uint64_t writes;
	struct past past[PAST];
	struct page page[PAGES];
};

/**
 * struct slot - a process, and all that is known of it
 * @pid: 0 if the slot is free
 * @killed: its parent has killed it
 * @taker: process that has reserved it; @pid is then the negative @number
 * @number: of the process, counts up
 * @execs: how often it has executed itself
 * @fixed_number: of the one that wrote the pages that never change
 * @ready: it waits for its parent to look at its memory
 * @go: the parent has done so
 * @zone: each thread's, and the heap
 * @common: tags of the pages that all threads write
 */
struct slot {
	_Atomic pid_t pid;
	atomic_bool killed;
	pid_t taker;
	unsigned int number;
	unsigned int execs;
	unsigned int fixed_number;
	atomic_bool ready;
	atomic_bool go;
	struct zone zone[THREADS + 1];
	uint64_t common[COMMON][BLOCKS];
};

/* What all processes of a run share. */
struct run {
	uint64_t seed;
	uint64_t stamp;
	time_t end;
	atomic_bool stop;
	atomic_uint wrong;
	atomic_uint processes;
	atomic_ulong ops;
	char dir[128];
	struct slot slot[SLOTS];
};

static struct run *run;
static struct slot *self;
static __thread struct zone *me; /* whose operation is under way */

static void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void wrong(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* One write each, as processes write at once; and no malloc(). */
static void vprint(const char *fmt, va_list args)
{
	char line[300];
	int n = vsnprintf(line, sizeof(line), fmt, args);

	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	if (write(STDOUT_FILENO, line, n) < 0)
		_exit(4);
}

static void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
}

/* Only the first that finds something tells it; the others end. */
static void wrong(const char *fmt, ...)
{
	va_list args;
	uint64_t i;

	if (atomic_fetch_add(&run->wrong, 1)) {
		run->stop = true;
		for (;;)
			_exit(3);
	}
	print("WRONG: seed %lu, process %u (pid %d), thread %ld, operation %lu:\n",
	      run->seed, self ? self->number : 0, getpid(),
	      me ? (long)(me - self->zone) : -1L, me ? me->ops : 0);
	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
	for (i = me && me->ops > PAST ? me->ops - PAST + 1 : 1;
	     me && i <= me->ops; i++) {
		struct past *p = &me->past[i % PAST];

		print("  %lu: %.16s zone %u pages %u+%u: %ld\n", i, p->op,
		      p->zone, p->at, p->nr, p->result);
	}
	run->stop = true;
	_exit(3);
}

static inline uint64_t rnd(struct zone *z, uint64_t below)
{
	z->random ^= z->random << 13;
	z->random ^= z->random >> 7;
	z->random ^= z->random << 17;
	return (z->random >> 11) % below;
}

static inline char *addr(const struct zone *z, unsigned int page)
{
	return z->base + page * PAGE;
}

static inline uint64_t make_tag(unsigned int number, uint64_t write)
{
	return run->stamp << 52 | (uint64_t)(number & 0xfff) << 40 |
	       (write & 0x7fffffff) << 9;
}

/* A write that no other thread's is taken for. */
static inline uint64_t new_tag(struct zone *z)
{
	uint64_t thread = z - self->zone;

	return make_tag(self->number,
			thread << 28 | (++z->writes & 0xfffffff));
}

/* Contents of the file; no process has the number 0. */
static inline uint64_t file_tag(unsigned int fpage, unsigned int block)
{
	return make_tag(0, fpage * BLOCKS + block + 1);
}

static inline void explain_word(const char *what, uint64_t v)
{
	if (!v)
		print("  %s zero\n", what);
	else
		print("  %s %016lx: stamp %lx%s, process %lu, write %lx, word %lu\n",
		      what, v, v >> 52, v >> 52 == run->stamp ? "" :
		      " (ANOTHER RUN'S)", v >> 40 & 0xfff, v >> 9 & 0x7fffffff,
		      v & 511);
}

static inline void fill_block(char *page, unsigned int block, uint64_t tag)
{
	volatile uint64_t *w = (uint64_t *)(page + block * BLOCK);
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		w[i] = tag ? tag | (block * WORDS + i) : 0;
}

static inline void look_at_block(const char *page, unsigned int block,
				 uint64_t tag, int or_zero)
{
	const volatile uint64_t *w = (uint64_t *)(page + block * BLOCK);
	unsigned int i;

	if (or_zero && !w[0])
		tag = 0;
	for (i = 0; i < WORDS; i++) {
		uint64_t want = tag ? tag | (block * WORDS + i) : 0;
		uint64_t got = w[i];

		if (got == want)
			continue;
		print("page %p, block %u, word %u (seed %lu):\n", page, block,
		      i, run->seed);
		explain_word("expected", want);
		explain_word("found   ", got);
		explain_word("again   ", w[i]);
		wrong("memory has other contents than were written\n");
	}
}

static inline uint64_t sum_of(const struct page *p)
{
	uint64_t sum = (uint64_t)p->fpage << 32 | p->kind << 16 |
		       p->prot << 8 | p->flags;
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		sum = sum * 31 + p->tag[i];
	return ~sum;
}

/* After each change of an entry. */
static inline void sign(struct page *p)
{
	p->sum = sum_of(p);
}

static inline struct page *page_of(struct zone *z, unsigned int i)
{
	struct page *p = &z->page[i];

	if (p->sum != sum_of(p))
		wrong("the model's own entry of page %u was overwritten\n", i);
	return p;
}

/* @fpage: of the file, for FILEMAP */
static inline void set_page(struct page *p, enum kind is, int prot,
			    unsigned int fpage)
{
	unsigned int b;

	p->kind = is;
	p->prot = prot;
	p->fpage = fpage;
	p->flags = 0;
	for (b = 0; b < BLOCKS; b++)
		p->tag[b] = is == FILEMAP ? file_tag(fpage, b) : 0;
	sign(p);
}

static inline int is_behind_eof(const struct page *p)
{
	return p->kind == FILEMAP && p->fpage >= FILE_PAGES;
}

static inline int is_readable(const struct page *p)
{
	return p->kind && (p->prot & PROT_READ) && !is_behind_eof(p);
}

static inline int is_writable(const struct page *p)
{
	return is_readable(p) && (p->prot & PROT_WRITE);
}

/* @at: where that page is now */
static inline void look_at_page(const char *at, const struct page *p)
{
	unsigned int b;

	if (!is_readable(p))
		return;
	for (b = 0; b < BLOCKS; b++)
		look_at_block(at, b, p->tag[b], p->flags & MAYBE);
}

#endif /* _RANDMEM_H */
