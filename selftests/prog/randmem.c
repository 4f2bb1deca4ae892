// SPDX-License-Identifier: GPL-2.0
/*
 * randmem SECONDS [SEED [DIRECTORY]]: for so long, or till SIGTERM, processes
 * and threads that use memory in every way there is, at random, and look
 * whether it has the contents and the system calls have the results that it
 * must have (randmem.h). Clean on plain Linux; what is found elsewhere is that
 * system's fault.
 *
 * Prints its seed, and at the first wrong word or result what it is and the
 * last operations of that thread. Exit status 0: nothing was wrong; 3:
 * something was; 4: something stands still.
 *
 * Each thread has pages of its own, so what must be in them is known exactly,
 * a block of pages that all write, and some that never change. Threads of
 * other processes may kill what runs, fork, exec and end in between.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "randmem_ops.h"

#define STANDS_STILL 150 /* seconds that no operation may take */
#define BASE 0x100000000000UL /* far from where mmap() finds a place */

static pthread_rwlock_t quiet; /* writers: nobody else's memory changes */
static __thread struct slot *child[4];

static void run_process(void) __attribute__((noreturn));

static int is_over(void)
{
	return run->stop || time(NULL) >= run->end;
}

/* Processes */

/* A slot is its taker's, then its process's, till that one is waited for. */
static struct slot *slot_take(void)
{
	unsigned int i, number;

	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &run->slot[i];
		pid_t none = 0;

		if (s->pid)
			continue;
		number = atomic_fetch_add(&run->processes, 1) + 1;
		if (!atomic_compare_exchange_strong(&s->pid, &none, -number))
			continue;
		s->number = number;
		s->taker = getpid();
		s->killed = 0;
		s->ready = 0;
		s->go = 0;
		for (i = 0; i <= THREADS; i++)
			s->zone[i].since = 0;
		return s;
	}
	return NULL;
}

static void slot_set_pid(struct slot *s, unsigned int number, pid_t pid)
{
	pid_t none = -number;

	atomic_compare_exchange_strong(&s->pid, &none, pid);
}

static void slot_free(pid_t pid, int status)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &run->slot[i];
		pid_t taken = s->pid;

		/* killed before it forked; a child that it had ends, then */
		if (taken < 0 && s->taker == pid)
			atomic_compare_exchange_strong(&s->pid, &taken, 0);
		if (taken != pid)
			continue;
		if (status && !run->stop &&
		    !(s->killed && WIFSIGNALED(status) &&
		      WTERMSIG(status) == SIGKILL))
			wrong("process %u (pid %d) ended with status %#x\n",
			      s->number, pid, status);
		s->pid = 0;
	}
}

static void reap(int flags)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, flags)) > 0)
		slot_free(pid, status);
}

/* A process that executes this program. */
static struct slot *spawn(void)
{
	static char *env[] = { NULL };
	struct slot *s = slot_take();
	char arg[2][16], *argv[] = { "randmem", arg[0], arg[1], NULL };
	unsigned int number;
	pid_t pid;
	int err;

	if (!s)
		return NULL;
	number = s->number;
	snprintf(arg[0], sizeof(arg[0]), "@%d", (int)(s - run->slot));
	snprintf(arg[1], sizeof(arg[1]), "%u", number);
	err = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, env);
	if (err)
		wrong("posix_spawn(): %s\n", strerror(err));
	slot_set_pid(s, number, pid);
	return s;
}

static struct slot **child_room(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(child); i++)
		if (!child[i])
			return &child[i];
	return NULL;
}

static void spawn_child(struct zone *z, unsigned int at, unsigned int n)
{
	struct slot **room = child_room();

	(void)z, (void)at, (void)n;
	if (room)
		*room = spawn();
	note_result(room && *room ? (*room)->pid : 0);
}

static void kill_child(struct zone *z, unsigned int at, unsigned int n)
{
	struct slot **c = &child[rnd(me, ARRAY_SIZE(child))];

	(void)z, (void)at, (void)n;
	note_result(*c ? (*c)->pid : 0);
	if (!*c || (*c)->pid <= 0)
		return;
	(*c)->killed = true;
	kill((*c)->pid, SIGKILL);
	*c = NULL;
}

/* All threads but this one end; the children stay. */
static void exec_self(struct zone *z, unsigned int at, unsigned int n)
{
	char arg[2][16];

	(void)z, (void)at, (void)n;
	snprintf(arg[0], sizeof(arg[0]), "@%d", (int)(self - run->slot));
	snprintf(arg[1], sizeof(arg[1]), "%u", self->number);
	pthread_rwlock_wrlock(&quiet);
	signal(SIGALRM, SIG_IGN);
	execl("/proc/self/exe", "randmem", arg[0], arg[1], NULL);
	must(0, "exec()", -1);
}

/* The child writes our memory, as it is its own, too. */
static void vfork_child(struct zone *z, unsigned int at, unsigned int n)
{
	int status = -1;
	pid_t pid = vfork();

	if (!pid) {
		store(z, at, n);
		_exit(0);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && !status,
	     "vfork()", status);
	look(z, at, n);
}

/* Zones of threads that were in the middle of something are not known. */
static void forget_zone(struct zone *z)
{
	if (z == &self->zone[HEAP])
		must(!brk(z->base), "brk()", -1);
	/* of the heap, what fork() copied after it had copied the break */
	must(!munmap(z->base, PAGES * PAGE), "munmap()", -1);
	set_pages(z, 0, PAGES, NONE, 0, 0);
}

/* What a child does not get, or shares with its parent. */
static void forget_uninherited(struct zone *z)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		struct page *p = page_of(z, i);

		if (p->kind == SHARED)
			must(!munmap(addr(z, i), PAGE), "munmap()", -1);
		if (p->kind == SHARED || (p->flags & DONTFORK))
			set_page(p, NONE, 0, 0);
	}
}

static void look_at_all(void)
{
	unsigned int i, b;

	for (i = 0; i <= THREADS; i++) {
		sync_with_mincore(&self->zone[i], 0, PAGES, 0);
		look(&self->zone[i], 0, PAGES);
	}
	for (i = 0; i < COMMON * BLOCKS; i++) {
		b = i % BLOCKS;
		look_at_block(common + i / BLOCKS * PAGE, b,
			      self->common[i / BLOCKS][b], 0);
		if (i / BLOCKS < FIXED)
			look_at_block(fixed + i / BLOCKS * PAGE, b,
				      make_tag(self->fixed_number, i / BLOCKS),
				      0);
	}
}

/* The parent reads and writes our memory meanwhile. */
static void be_examined(pid_t parent)
{
	unsigned int i;

	self->ready = true;
	while (!self->go && !run->stop && getppid() == parent)
		usleep(2000);
	if (!self->go)
		for (i = 0; i <= THREADS; i++)
			forget_zone(&self->zone[i]);
}

static void examine_page(struct slot *s, struct zone *z, unsigned int i)
{
	char buf[PAGE];
	struct iovec here = { buf, PAGE }, there = { addr(z, i), PAGE };
	struct page *p = page_of(z, i);
	unsigned int b = rnd(me, BLOCKS);
	long r;

	if (!is_readable(p))
		return;
	r = process_vm_readv(s->pid, &here, 1, &there, 1, 0);
	must(r == PAGE, "process_vm_readv() of a child", r);
	look_at_page(buf, p);
	if (!is_writable(p) || (p->flags & MAYBE) || rnd(me, 4))
		return;
	p->tag[b] = new_tag(me);
	sign(p);
	fill_block(buf, b, p->tag[b]);
	here.iov_base = buf + b * BLOCK;
	there.iov_base = addr(z, i) + b * BLOCK;
	here.iov_len = BLOCK;
	there.iov_len = BLOCK;
	r = process_vm_writev(s->pid, &here, 1, &there, 1, 0);
	must(r == BLOCK, "process_vm_writev() to a child", r);
}

static void examine(struct slot *s)
{
	unsigned int i, k;

	while (!s->ready && !run->stop) {
		siginfo_t info = { 0 };

		/* it is waited for later, which tells why it ended */
		if (!waitid(P_PID, s->pid, &info,
			    WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
			return;
		usleep(1000);
	}
	for (i = 0; i <= THREADS && !run->stop; i++)
		for (k = 0; k < PAGES; k++)
			examine_page(s, &s->zone[i], k);
	s->go = true;
}

static void become_child(struct slot *s, int thread, int alone)
{
	unsigned int i;

	slot_set_pid(s, s->number, getpid());
	if (s->pid != getpid())
		_exit(0);
	self = s;
	memset(child, 0, sizeof(child));
	for (i = 0; i <= THREADS; i++) {
		struct zone *z = &self->zone[i];

		z->random ^= make_tag(s->number, 0) + 1;
		z->ops = 0;
		z->since = 0;
		if (alone || i == (unsigned int)thread ||
		    (i == HEAP && !thread))
			forget_uninherited(z);
		else
			forget_zone(z);
	}
	me = &self->zone[thread];
	if (!alone) {
		madvise(common, COMMON * PAGE, MADV_DONTNEED);
		memset(self->common, 0, sizeof(self->common));
	}
}

static void fork_child(struct zone *z, unsigned int at, unsigned int n)
{
	int alone = !rnd(me, 3), examined = !rnd(me, 3);
	struct slot **room = child_room(), *s;
	pid_t parent = getpid(), pid;

	(void)z, (void)at, (void)n;
	s = room ? slot_take() : NULL;
	if (!s)
		return;
	if (alone)
		pthread_rwlock_wrlock(&quiet);
	else
		pthread_rwlock_rdlock(&quiet);
	memcpy(s->zone, self->zone, sizeof(s->zone));
	memcpy(s->common, self->common, sizeof(s->common));
	s->fixed_number = self->fixed_number;
	pid = fork();
	if (!pid) {
		become_child(s, me - self->zone, alone);
		if (examined)
			be_examined(parent);
		look_at_all();
		run_process();
	}
	must(pid > 0, "fork()", pid);
	slot_set_pid(s, s->number, pid);
	/* no exec() meanwhile */
	if (examined)
		examine(s);
	pthread_rwlock_unlock(&quiet);
	*room = s;
}

/* The life of a process */

static const struct operation {
	const char *name;
	void (*func)(struct zone *z, unsigned int at, unsigned int n);
	unsigned int weight;
	int heap; /* also for what brk() made */
	int locks; /* takes @quiet itself */
} operations[] = {
	{ "check", check, 20, 1, 0 },
	{ "store", store, 30, 1, 0 },
	{ "copy", copy, 15, 1, 0 },
	{ "common", use_common, 10, 0, 0 },
	{ "map", map, 14, 0, 0 },
	{ "unmap", unmap, 5, 0, 0 },
	{ "protect", protect, 8, 0, 0 },
	{ "resize", resize, 6, 0, 0 },
	{ "shift", shift, 8, 0, 0 },
	{ "away", away, 6, 0, 0 },
	{ "discard", discard, 10, 1, 0 },
	{ "free", free_lazily, 6, 1, 0 },
	{ "advise", advise, 8, 1, 0 },
	{ "dontfork", not_for_children, 3, 0, 0 },
	{ "lock", lock, 2, 0, 0 },
	{ "audit", audit, 3, 1, 0 },
	{ "trespass", trespass, 5, 0, 0 },
	{ "vfork", vfork_child, 1, 1, 0 },
	{ "fork", fork_child, 2, 0, 1 },
	{ "spawn", spawn_child, 1, 0, 0 },
	{ "kill", kill_child, 2, 0, 0 },
};

static const struct operation *random_operation(void)
{
	unsigned int i, sum = 0, at;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		sum += operations[i].weight;
	at = rnd(me, sum);
	for (i = 0; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	return &operations[i];
}

static void operate(const struct operation *op, struct zone *z)
{
	static const unsigned int length[] = { 1, 4, 16, 48 };
	unsigned int n = 1 + rnd(me, length[rnd(me, ARRAY_SIZE(length))]);
	unsigned int at = rnd(me, PAGES - n + 1);
	struct past *p = &me->past[++me->ops % PAST];

	snprintf(p->op, sizeof(p->op), "%s", op->name);
	p->zone = z - self->zone;
	p->at = at;
	p->nr = n;
	p->result = 0;
	me->since = time(NULL);
	if (!op->locks)
		pthread_rwlock_rdlock(&quiet);
	op->func(z, at, n);
	if (!op->locks)
		pthread_rwlock_unlock(&quiet);
	me->since = 0;
	atomic_fetch_add(&run->ops, 1);
}

static void *run_thread(void *arg)
{
	static const struct operation move = { "brk", move_break, 0, 0, 0 };
	static const struct operation exec = { "exec", exec_self, 0, 0, 1 };
	struct zone *heap = &self->zone[HEAP];
	unsigned int nr;

	me = arg;
	memset(child, 0, sizeof(child));
	if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK))
		must(0, "pipe2()", -1);
	for (nr = 50 + rnd(me, 400); nr && !is_over(); nr--) {
		const struct operation *op = random_operation();

		if (!rnd(me, 1500))
			operate(&exec, me);
		if (me == self->zone && !rnd(me, 20))
			operate(&move, heap);
		operate(op, me == self->zone && op->heap && !rnd(me, 6) ?
				    heap : me);
	}
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return NULL;
}

/* On whichever stack is in use: its pages come and go as well. */
static void on_alarm(int sig)
{
	volatile unsigned long words[600];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = (uintptr_t)words + i * sig;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i] != (uintptr_t)words + i * sig)
			wrong("the stack of a signal has other contents\n");
}

static void open_scratch(void)
{
	char name[200];
	int fd;

	close_range(SCRATCH_FD + 1, ~0U, 0);
	snprintf(name, sizeof(name), "%s/randmem.%lx.%d", run->dir, run->stamp,
		 (int)(self - run->slot));
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0 && dup3(fd, SCRATCH_FD, O_CLOEXEC) >= 0, "open()", fd);
	close(fd);
	fd = open(name, O_RDWR | O_DIRECT | O_CLOEXEC);
	must(dup3(fd < 0 ? SCRATCH_FD : fd, DIRECT_FD, O_CLOEXEC) >= 0,
	     "dup3()", fd);
	if (fd >= 0)
		close(fd);
}

static void prepare(void)
{
	struct sigaction fault = { .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction alarm = { .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 7000 }, { 0, 7000 } };
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&quiet, &attr);
	open_scratch();
	fault.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	alarm.sa_handler = on_alarm;
	sigaction(SIGALRM, &alarm, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void run_process(void)
{
	pthread_t thread[THREADS];
	unsigned int i, rounds;

	me = self->zone;
	prepare();
	for (rounds = 1 + rnd(me, 4); rounds && !is_over(); rounds--) {
		for (i = 0; i < THREADS; i++)
			must(!pthread_create(&thread[i], NULL, run_thread,
					     &self->zone[i]),
			     "pthread_create()", i);
		for (i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
		reap(WNOHANG);
	}
	look_at_all();
	/* or others wait for the children */
	if (rnd(me, 2))
		reap(0);
	_exit(run->stop ? 3 : 0);
}

static void start_fresh(void)
{
	unsigned int i, b;

	mallopt(M_MMAP_THRESHOLD, 1); /* the heap is ours */
	self->fixed_number = self->number;
	memset(self->common, 0, sizeof(self->common));
	for (i = 0; i <= THREADS; i++) {
		struct zone *z = &self->zone[i];

		z->random = (run->seed + 1) * 0x9e3779b97f4a7c15 +
			    self->number * 64 + self->execs * 8 + i;
		z->ops = 0;
		z->since = 0;
		/* half of it in each of two vRegions */
		z->base = (char *)BASE + i * GIB - PAGES / 2 * PAGE;
		if (i == HEAP)
			z->base = (char *)(((uintptr_t)sbrk(0) + PAGE - 1) &
					   ~(PAGE - 1));
		for (b = 0; b < 8; b++)
			rnd(z, 2);
		set_pages(z, 0, PAGES, NONE, 0, 0);
	}
	self->execs++;
	me = self->zone;
	if (mmap(common, COMMON * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_FIXED, -1, 0) != common ||
	    mmap(fixed, FIXED * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_FIXED, -1, 0) != fixed)
		must(0, "mmap()", -1);
	for (i = 0; i < FIXED * BLOCKS; i++)
		fill_block(fixed + i / BLOCKS * PAGE, i % BLOCKS,
			   make_tag(self->number, i / BLOCKS));
	mprotect(fixed, FIXED * PAGE, PROT_READ);
	look_at_all();
	run_process();
}

/* The supervisor */

static void look_for_standstill(void)
{
	time_t now = time(NULL);
	unsigned int i, k;

	for (i = 0; i < SLOTS; i++)
		for (k = 0; k < THREADS; k++) {
			struct slot *s = &run->slot[i];
			struct zone *z = &s->zone[k];
			struct past *p = &z->past[z->ops % PAST];

			if (s->pid <= 0 || !z->since ||
			    now - z->since < STANDS_STILL)
				continue;
			print("STANDS STILL: seed %lu, process %u (pid %d), ",
			      run->seed, s->number, s->pid);
			print("thread %u: %.16s zone %u pages %u+%u\n", k,
			      p->op, p->zone, p->at, p->nr);
			exit(4);
		}
}

static int is_busy(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (run->slot[i].pid)
			return 1;
	return 0;
}

static void on_term(int sig)
{
	(void)sig;
	run->end = 0;
}

static void supervise(void)
{
	time_t ended = 0;

	signal(SIGTERM, on_term);
	while (!is_over() || is_busy()) {
		if (!is_over() && !is_busy())
			spawn();
		reap(WNOHANG);
		look_for_standstill();
		if (is_over() && !ended)
			ended = time(NULL);
		if (ended && time(NULL) > ended + STANDS_STILL) {
			print("STANDS STILL: seed %lu: not all processes end\n",
			      run->seed);
			exit(4);
		}
		usleep(20000);
	}
}

static void make_file(const char *name)
{
	char buf[PAGE];
	unsigned int i, b;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (i = 0; i < FILE_PAGES; i++) {
		for (b = 0; b < BLOCKS; b++)
			fill_block(buf, b, file_tag(i, b));
		if (write(fd, buf, PAGE) != PAGE)
			wrong("write() to %s: %s\n", name, strerror(errno));
	}
	if (dup2(fd, FILE_FD) < 0 || close(fd))
		wrong("%s: %s\n", name, strerror(errno));
}

static void begin(int argc, char **argv)
{
	char name[200];
	unsigned int i;

	run->seed = argc > 2 ? strtoul(argv[2], NULL, 0) :
			       (unsigned long)time(NULL) ^ getpid() << 16;
	run->stamp = run->seed % 0xfff + 1;
	run->end = time(NULL) + atol(argv[1]);
	snprintf(run->dir, sizeof(run->dir), "%s", argc > 3 ? argv[3] : "/tmp");
	print("seed %lu, stamp %lx\n", run->seed, run->stamp);
	snprintf(name, sizeof(name), "%s/randmem.%lx.file", run->dir,
		 run->stamp);
	make_file(name);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	supervise();
	unlink(name);
	for (i = 0; i < SLOTS; i++) {
		snprintf(name, sizeof(name), "%s/randmem.%lx.%u", run->dir,
			 run->stamp, i);
		unlink(name);
	}
	print("seed %lu: %lu operations of %u processes, %s\n", run->seed,
	      run->ops, run->processes, run->wrong ? "WRONG" : "right");
}

int main(int argc, char **argv)
{
	int is_child = argc == 3 && argv[1][0] == '@', fd;

	if (argc < 2)
		return 2;
	if (!is_child) {
		fd = memfd_create("randmem", 0);
		if (fd < 0 || dup2(fd, RUN_FD) < 0 ||
		    ftruncate(RUN_FD, sizeof(*run)))
			return 1;
	}
	run = mmap(NULL, sizeof(*run), RW, MAP_SHARED, RUN_FD, 0);
	if (run == MAP_FAILED)
		return 1;
	common = (char *)BASE - GIB;
	fixed = common - GIB;
	if (!is_child) {
		begin(argc, argv);
		return run->wrong ? 3 : 0;
	}
	self = &run->slot[atoi(argv[1] + 1)];
	slot_set_pid(self, atoi(argv[2]), getpid());
	if (self->pid != getpid())
		return 0;
	start_fresh();
}
