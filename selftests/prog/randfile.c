// SPDX-License-Identifier: GPL-2.0
/*
 * randfile SECONDS SEED DIRECTORY COMMAND... [/ COMMAND...]
 *
 * Random operations on files, each done twice: by a worker that a COMMAND has
 * begun, and by its twin in a DIRECTORY of a local file system. Both have to
 * say the same: the same error, the same contents. A COMMAND ends in "randfile
 * worker DIRECTORY" and is for the shell; those on one side of a slash have one
 * mount, or one kernel, in common.
 *
 * Each worker has a directory of its own, where all work at once. In the one
 * that is common, one side works at a time, one operation after the other; it
 * closes all its files before the other side opens any, and what names there
 * are the other one may believe for NAMES_MS longer.
 *
 * Prints its seed, and the first difference with what came before. Exit status
 * 0: no difference; 3: one; 4: a worker stands still, or has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096L
#define NAMES_MS 1100 /* more than attr_ms */
#define STANDS_STILL 150 /* seconds */

enum {
	FDS = 4, /* of a worker: half for its own files, half for common ones */
	MAPS = 2,
	MAX = 65536, /* bytes of one operation */
	SIZE = 200000, /* of a file, about */
	WORKERS = 8,
	LINE = 8192,
	PAST = 48, /* operations that are told */
};

/* The worker */

static int fds[FDS] = { -1, -1, -1, -1 };
static struct {
	char *at;
	long off;
	long len;
	int fd;
} maps[MAPS];
static unsigned char buf[MAX];
static char reply[LINE];
static sigjmp_buf jump;

/*
 * A byte tells by which write it came and, by 512, where it belongs: read back,
 * what one write wrote is a run of one number. Holes are zero.
 */
static unsigned char byte_of(unsigned int tag, long off)
{
	return 1 + (tag + (off >> 9) * 31) % 255;
}

static void fill(unsigned char *p, long off, long len, unsigned int tag)
{
	long i;

	for (i = 0; i < len; i++)
		p[i] = byte_of(tag, off + i);
}

/* "tag*length" for each run, "0*length" for a hole. Tags begin with 1. */
static void describe(const unsigned char *p, long off, long len)
{
	size_t at = snprintf(reply, LINE, "%ld bytes:", len);
	int run = -1, is = 0;
	long i, since = 0;

	for (i = 0; i <= len; i++) {
		if (i < len)
			is = p[i] ? (p[i] + 254 - ((off + i) >> 9) * 31 % 255) %
				    255 + 1 : 0;
		if (i == len || is != run) {
			if (i > since && at < LINE - 30)
				at += snprintf(reply + at, LINE - at,
					       " %d*%ld", run, i - since);
			run = is;
			since = i;
		}
	}
}

static void say(long r)
{
	if (r < 0)
		snprintf(reply, LINE, "%s", strerrorname_np(errno));
	else
		snprintf(reply, LINE, "%ld", r);
}

static void say_stat(long r, const struct stat *st)
{
	if (r < 0)
		say(r);
	else if (S_ISDIR(st->st_mode))
		snprintf(reply, LINE, "directory %o", st->st_mode);
	else
		snprintf(reply, LINE, "mode %o links %d size %ld",
			 st->st_mode, (int)st->st_nlink, (long)st->st_size);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

static void list(const char *path)
{
	DIR *dir = opendir(path);
	char *name[100];
	size_t n = 0, i, at = 0;
	struct dirent *d;

	if (!dir) {
		say(-1);
		return;
	}
	while ((d = readdir(dir)) && n < ARRAY_SIZE(name))
		name[n++] = strdup(d->d_name);
	closedir(dir);
	qsort(name, n, sizeof(*name), by_name);
	for (i = 0; i < n; i++) {
		at += snprintf(reply + at, LINE - at, "%s ", name[i]);
		free(name[i]);
	}
}

static void on_fault(int sig)
{
	siglongjmp(jump, sig);
}

static void use_pages(int m, int writes, long off, long len, unsigned int tag)
{
	unsigned char *p = (unsigned char *)maps[m].at + off;

	int sig = sigsetjmp(jump, 1);

	if (sig) {
		sprintf(reply, "signal %d", sig);
	} else if (writes) {
		fill(p, maps[m].off + off, len, tag);
		say(len);
	} else {
		describe(p, maps[m].off + off, len);
	}
}

/* In a mapping, within the file, or beyond its last page. */
static void use_map(int m, int writes, long off, long len, unsigned int tag)
{
	struct stat st;
	long left;

	if (!maps[m].at || fstat(maps[m].fd, &st)) {
		strcpy(reply, "no mapping");
		return;
	}
	off %= maps[m].len;
	if (len > maps[m].len - off)
		len = maps[m].len - off;
	left = st.st_size - maps[m].off - off;
	if (left <= 0 && -left <= (PAGE - st.st_size % PAGE) % PAGE)
		left = 0;
	if (left >= 0 && len > left)
		len = left;
	use_pages(m, writes, off, len, tag);
}

static void unmap(int m)
{
	say(maps[m].at ? munmap(maps[m].at, maps[m].len) : 0);
	if (maps[m].at)
		close(maps[m].fd);
	maps[m].at = NULL;
}

static void map(int f, int m, long off, long len)
{
	int flags = fcntl(fds[f], F_GETFL);
	int prot = (flags & O_ACCMODE) == O_RDONLY ? PROT_READ :
						    PROT_READ | PROT_WRITE;
	char *p;

	if (maps[m].at) {
		strcpy(reply, "mapped");
		return;
	}
	p = mmap(NULL, len, prot, MAP_SHARED, fds[f], off);
	say(p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	maps[m].at = p;
	maps[m].off = off;
	maps[m].len = len;
	maps[m].fd = dup(fds[f]);
}

/* One's own copy of a file, written to and looked at. */
static void map_privately(int f, long off, long len, unsigned int tag)
{
	struct stat st;
	char *p;

	if (fstat(fds[f], &st) || st.st_size <= off) {
		strcpy(reply, "nothing there");
		return;
	}
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[f], off);
	if (p == MAP_FAILED) {
		say(-1);
		return;
	}
	if (len > st.st_size - off)
		len = st.st_size - off;
	fill((unsigned char *)p + len / 3, off + len / 3, len / 3, tag);
	describe((unsigned char *)p, off, len);
	munmap(p, len);
}

static void write_at(int f, long off, long len, unsigned int tag)
{
	long at = off;
	struct stat st;

	if (off < 0) {
		at = lseek(fds[f], 0, SEEK_CUR);
		if ((fcntl(fds[f], F_GETFL) & O_APPEND) && !fstat(fds[f], &st))
			at = st.st_size;
	}
	fill(buf, at, len, tag);
	say(off < 0 ? write(fds[f], buf, len) : pwrite(fds[f], buf, len, off));
}

static void read_at(int f, long off, long len)
{
	long at = off < 0 ? lseek(fds[f], 0, SEEK_CUR) : off;
	long r = off < 0 ? read(fds[f], buf, len) :
			   pread(fds[f], buf, len, off);

	if (r < 0)
		say(r);
	else
		describe(buf, at, r);
}

static void lock(int f, long type, long off, long len, int get)
{
	struct flock l = {
		.l_type = type, .l_whence = SEEK_SET,
		.l_start = off, .l_len = len,
	};
	long r = fcntl(fds[f], get ? F_GETLK : F_SETLK, &l);

	say(r < 0 ? r : l.l_type);
}

/* A command is a letter, two paths ("-" if none), and four numbers. */
static void obey(char op, const char *p, const char *q, const long *n)
{
	struct stat st;
	long r;

	switch (op) {
	case 'o':
		r = open(p, n[1], n[2]);
		say(r < 0 ? r : 0);
		if (r >= 0 && fds[n[0]] >= 0)
			close(fds[n[0]]);
		if (r >= 0)
			fds[n[0]] = r;
		break;
	case 'c':
		say(close(fds[n[0]]));
		fds[n[0]] = -1;
		break;
	case 'r':
		read_at(n[0], n[1], n[2]);
		break;
	case 'w':
		write_at(n[0], n[1], n[2], n[3]);
		break;
	case 's':
		say(lseek(fds[n[0]], n[1], n[2]));
		break;
	case 't':
		say(ftruncate(fds[n[0]], n[1]));
		break;
	case 'T':
		say(truncate(p, n[1]));
		break;
	case 'y':
		say(n[1] ? fsync(fds[n[0]]) : fdatasync(fds[n[0]]));
		break;
	case 'f':
		r = fstat(fds[n[0]], &st);
		say_stat(r, &st);
		break;
	case 'S':
		r = n[1] ? stat(p, &st) : lstat(p, &st);
		say_stat(r, &st);
		break;
	case 'm':
		map(n[0], n[1], n[2], n[3]);
		break;
	case 'M':
		use_map(n[0], n[3] != 0, n[1], n[2], n[3]);
		break;
	case 'e':
		say(maps[n[0]].at ? msync(maps[n[0]].at, maps[n[0]].len,
					  MS_SYNC) : 0);
		break;
	case 'U':
		unmap(n[0]);
		break;
	case 'p':
		map_privately(n[0], n[1], n[2], n[3]);
		break;
	case 'n':
		say(renameat2(AT_FDCWD, p, AT_FDCWD, q, n[0]));
		break;
	case 'l':
		say(link(p, q));
		break;
	case 'u':
		say(unlink(p));
		break;
	case 'k':
		say(mkdir(p, n[0]));
		break;
	case 'K':
		say(rmdir(p));
		break;
	case 'i':
		say(symlink(q, p));
		break;
	case 'I':
		r = readlink(p, reply, LINE - 1);
		if (r < 0)
			say(r);
		else
			reply[r] = 0;
		break;
	case 'D':
		list(p);
		break;
	case 'h':
		say(chmod(p, n[0]));
		break;
	case 'x':
		lock(n[0], n[1], n[2], n[3], 0);
		break;
	case 'g':
		lock(n[0], n[1], n[2], n[3], 1);
		break;
	case 'X':
		say(flock(fds[n[0]], n[1] | LOCK_NB));
	}
}

static int work(const char *dir)
{
	char line[500], p[100], q[100], op;
	long n[4];

	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	umask(022);
	if (chdir(dir))
		printf("%s: %s\n", dir, strerror(errno));
	else
		printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%c %99s %99s %ld %ld %ld %ld", &op, p, q,
			   &n[0], &n[1], &n[2], &n[3]) != 7)
			return 2;
		reply[0] = 0;
		obey(op, p, q, n);
		printf("%s\n", reply);
		fflush(stdout);
	}
	return 0;
}

/* The coordinator */

static struct worker {
	const char *command;
	int side;
	struct end { /* 0: the worker, 1: its twin */
		pid_t pid;
		int to;
		int from;
		char text[2 * LINE];
		size_t have;
	} end[2];
} workers[WORKERS];

static struct past {
	int worker;
	char command[200];
	char said[200];
} past[PAST];

static int nr_workers, nr_sides = 1;
static char twin[300];
static uint64_t seed, state;
static unsigned long ops, tags;
static int names_changed;

static unsigned long rnd(unsigned long below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static void give_up(int status)
{
	unsigned long i;

	for (i = ops > PAST ? ops - PAST : 0; i < ops; i++)
		printf("  %lu: worker %d: %s -> %s\n", i,
		       past[i % PAST].worker, past[i % PAST].command,
		       past[i % PAST].said);
	fflush(stdout);
	for (i = 0; (int)i < nr_workers; i++) {
		kill(workers[i].end[0].pid, SIGTERM);
		kill(workers[i].end[1].pid, SIGTERM);
	}
	exit(status);
}

static void start_end(struct end *e, const char *command)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		exit(1);
	e->have = 0;
	e->pid = fork();
	if (!e->pid) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	e->to = to[1];
	e->from = from[0];
}

static void stop_end(struct end *e)
{
	int status;

	close(e->to);
	if (waitpid(e->pid, &status, 0) != e->pid || status) {
		printf("WRONG: seed %lu: a worker ended with status %#x\n",
		       seed, status);
		give_up(3);
	}
	close(e->from);
}

/* The next line that it says. Return: in @line, without its end. */
static void hear(struct worker *w, int which, char *line)
{
	struct end *e = &w->end[which];
	struct pollfd p = { .fd = e->from, .events = POLLIN };
	char *nl;
	ssize_t n;

	while (!(nl = memchr(e->text, '\n', e->have))) {
		n = poll(&p, 1, STANDS_STILL * 1000);
		if (n > 0)
			n = read(e->from, e->text + e->have,
				 sizeof(e->text) - e->have);
		if (n > 0) {
			e->have += n;
			continue;
		}
		printf("seed %lu: worker %d%s %s\n", seed,
		       (int)(w - workers), which ? "'s twin" : "",
		       n ? "STANDS STILL" : "has ended");
		give_up(4);
	}
	n = nl - e->text;
	memcpy(line, e->text, n);
	line[n] = 0;
	e->have -= n + 1;
	memmove(e->text, nl + 1, e->have);
}

static void tell(struct worker *w, const char *command)
{
	int i;

	for (i = 0; i < 2; i++)
		if (dprintf(w->end[i].to, "%s\n", command) < 0) {
			printf("seed %lu: worker %d%s has ended\n", seed,
			       (int)(w - workers), i ? "'s twin" : "");
			give_up(4);
		}
}

/* What both said of the next command that they were told. */
static void compare(struct worker *w, const char *command)
{
	static char got[2][2 * LINE];
	struct past *p = &past[ops++ % PAST];
	int i;

	p->worker = w - workers;
	snprintf(p->command, sizeof(p->command), "%s", command);
	p->said[0] = 0;
	for (i = 1; i >= 0; i--) {
		hear(w, i, got[i]);
		if (i)
			snprintf(p->said, sizeof(p->said), "%.190s", got[1]);
	}
	if (!strcmp(got[0], got[1]))
		return;
	/* Linux looks at the directory first, if the new name is not known yet */
	if (*command == 'l' && !strcmp(got[0], "EPERM") &&
	    !strcmp(got[1], "EEXIST"))
		return;
	printf("WRONG: seed %lu: worker %d: %s\n  got:    %s\n  wanted: %s\n",
	       seed, p->worker, command, got[0], got[1]);
	give_up(3);
}

static void both(struct worker *w, const char *command)
{
	tell(w, command);
	compare(w, command);
}

static void start(struct worker *w)
{
	start_end(&w->end[0], w->command);
	start_end(&w->end[1], twin);
	compare(w, "start");
}

static void stop(struct worker *w)
{
	stop_end(&w->end[0]);
	stop_end(&w->end[1]);
}

/* A name in the worker's own directory, or in the one that is common. */
static void random_path(char *path, int worker, int own)
{
	static const char * const name[] = {
		"a", "b", "c", "e", "d0", "d0/a", "d0/b", "d1", "d1/a", "d0/d2",
		"d0/d2/a", "l", "d1/l",
	};
	const char *n = name[rnd(ARRAY_SIZE(name))];

	if (own)
		sprintf(path, "w%d/%s", worker, n);
	else
		sprintf(path, "common/%s", n);
}

static long random_flags(void)
{
	static const int mode[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR };
	long flags = mode[rnd(ARRAY_SIZE(mode))];

	flags |= rnd(3) ? O_CREAT : 0;
	flags |= rnd(10) ? 0 : O_TRUNC;
	flags |= rnd(10) ? 0 : O_EXCL & -!!(flags & O_CREAT);
	flags |= rnd(6) ? 0 : O_APPEND;
	flags |= rnd(20) ? 0 : O_NOFOLLOW;
	flags |= rnd(20) ? 0 : O_SYNC;
	return flags;
}

static long random_offset(void)
{
	long off = rnd(1 + (SIZE >> rnd(8)));

	return rnd(3) ? off : off / PAGE * PAGE;
}

static long random_length(void)
{
	switch (rnd(4)) {
	case 0:
		return PAGE * (1 + rnd(8));
	case 1:
		return 1 + rnd(MAX - 1);
	default:
		return 1 + rnd(5000);
	}
}

/* Operations on names are half of them; those of locks are for @locks. */
static void random_command(char *line, int worker, int own, int locks)
{
	static const long mode[] = { 0644, 0600, 0444, 0755, 0777, 04755 };
	static const long lock_type[] = { F_RDLCK, F_WRLCK, F_UNLCK };
	static const long flock_op[] = { LOCK_SH, LOCK_EX, LOCK_UN };
	long f = rnd(FDS / 2) + (own ? 0 : FDS / 2), m = own ? 0 : 1;
	long off = random_offset(), len = random_length(), tag = 1 + tags++ % 255;
	static const char ops_of[] =
		"oooooooooorrrrrrrrrrwwwwwwwwwwwwssttTyyfffSSSSmmMMMMMeUppnnnlluuukkKiIDDhxxxxgXXc";
	char op, p[100], q[100];
	long n[4] = { f, off, len, tag };

	do {
		op = ops_of[rnd(sizeof(ops_of) - 1)];
	} while (!locks && strchr("xgX", op));
	random_path(p, worker, own);
	random_path(q, worker, own);
	if (strchr("onlukKih", op))
		names_changed |= !own;
	switch (op) {
	case 'o':
		n[1] = random_flags();
		n[2] = mode[rnd(3)];
		break;
	case 'r':
	case 'w':
		if (!rnd(3))
			n[1] = -1;
		break;
	case 's':
		n[2] = rnd(3);
		if (n[2])
			n[1] = (long)rnd(20000) - 10000;
		break;
	case 'S':
		n[1] = rnd(2);
		break;
	case 'y':
		n[1] = rnd(2);
		break;
	case 'm':
		n[1] = m;
		n[2] = off / PAGE * PAGE;
		n[3] = len;
		break;
	case 'M':
		n[0] = m;
		n[1] = rnd(MAX >> rnd(6));
		n[3] = rnd(2) ? tag : 0;
		break;
	case 'e':
	case 'U':
		n[0] = m;
		break;
	case 'p':
		n[1] = off / PAGE * PAGE;
		break;
	case 'n':
		n[0] = rnd(4) ? 0 : 1 + rnd(2); /* NOREPLACE, EXCHANGE */
		break;
	case 'k':
	case 'h':
		n[0] = mode[op == 'k' ? 3 : rnd(ARRAY_SIZE(mode))];
		break;
	case 'i':
		strcpy(q, rnd(2) ? "a" : "d0/b");
		break;
	case 'x':
	case 'g':
		n[1] = op == 'g' ? F_WRLCK : lock_type[rnd(3)];
		n[2] = rnd(50);
		n[3] = rnd(50);
		break;
	case 'X':
		n[1] = flock_op[rnd(3)];
	}
	sprintf(line, "%c %s %s %ld %ld %ld %ld", op, p, q, n[0], n[1], n[2],
		n[3]);
}

/* All at once, each in its own directory. */
static void work_apart(void)
{
	static char line[WORKERS][16][200];
	int i, k, n = 1 + rnd(16);

	for (i = 0; i < nr_workers; i++)
		for (k = 0; k < n; k++) {
			random_command(line[i][k], i, 1, !workers[i].side);
			tell(&workers[i], line[i][k]);
		}
	for (i = 0; i < nr_workers; i++)
		for (k = 0; k < n; k++)
			compare(&workers[i], line[i][k]);
}

static void close_common(struct worker *w)
{
	char line[100];
	int i;

	both(w, "U - - 1 0 0 0");
	for (i = FDS / 2; i < FDS; i++) {
		sprintf(line, "c - - %d 0 0 0", i);
		both(w, line);
	}
}

/* One after the other, in the common directory. */
static void work_together(void)
{
	static int last;
	int side = rnd(nr_sides), n = 1 + rnd(24), i;
	char line[200];

	for (i = 0; side != last && i < nr_workers; i++)
		if (workers[i].side == last)
			close_common(&workers[i]);
	if (side != last && names_changed) {
		usleep(NAMES_MS * 1000);
		names_changed = 0;
	}
	last = side;
	while (n) {
		i = rnd(nr_workers);
		if (workers[i].side != side)
			continue;
		random_command(line, i, 0, !side);
		both(&workers[i], line);
		n--;
	}
}

/* Nobody has the files meanwhile; what was written has to be there. */
static void restart(int all)
{
	int i, one = rnd(nr_workers);

	for (i = 0; i < nr_workers; i++)
		if (all || i == one)
			stop(&workers[i]);
	for (i = 0; i < nr_workers; i++)
		if (all || i == one)
			start(&workers[i]);
}

static void look_at_all(void)
{
	static const char * const dirs[] = { ".", "d0", "d1", "d0/d2" };
	static const char * const names[] = { "a", "b", "c", "e", "l" };
	unsigned int i, k;
	char dir[100], line[200];
	int w;

	for (w = 0; w <= nr_workers; w++)
		for (i = 0; i < ARRAY_SIZE(dirs); i++) {
			if (w < nr_workers)
				sprintf(dir, "w%d/%s", w, dirs[i]);
			else
				sprintf(dir, "common/%s", dirs[i]);
			sprintf(line, "D %s - 0 0 0 0", dir);
			both(&workers[0], line);
			for (k = 0; k < ARRAY_SIZE(names); k++) {
				sprintf(line, "S %s/%s - 0 0 0 0", dir,
					names[k]);
				both(&workers[0], line);
				sprintf(line, "o %s/%s - 0 0 0 0", dir,
					names[k]);
				both(&workers[0], line);
				both(&workers[0], "r - - 0 0 65535 0");
				both(&workers[0], "r - - 0 65535 65535 0");
				both(&workers[0], "r - - 0 131070 65535 0");
				both(&workers[0], "r - - 0 196605 65535 0");
			}
		}
}

static int coordinate(int argc, char **argv)
{
	time_t end = time(NULL) + atol(argv[1]);
	char line[100];
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	seed = strtoul(argv[2], NULL, 0);
	state = (seed + 1) * 0x9e3779b97f4a7c15;
	snprintf(twin, sizeof(twin), "exec %s worker %s", argv[0], argv[3]);
	printf("seed %lu\n", seed);
	for (i = 4; i < argc && nr_workers < WORKERS; i++)
		if (!strcmp(argv[i], "/"))
			nr_sides++;
		else
			workers[nr_workers++] = (struct worker) {
				.command = argv[i], .side = nr_sides - 1,
			};
	for (i = 0; i < nr_workers; i++)
		start(&workers[i]);
	both(&workers[0], "k common - 493 0 0 0");
	for (i = 0; i < nr_workers; i++) {
		sprintf(line, "k w%d - 493 0 0 0", i);
		both(&workers[i], line);
	}
	while (time(NULL) < end) {
		if (rnd(2))
			work_apart();
		else
			work_together();
		/* the side that was first grants locks as long as it stays */
		if (!rnd(100))
			restart(nr_sides == 1 && rnd(2));
	}
	restart(1);
	look_at_all();
	for (i = 0; i < nr_workers; i++)
		stop(&workers[i]);
	printf("seed %lu: %lu operations, right\n", seed, ops);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "worker"))
		return work(argv[2]);
	if (argc < 5)
		return 2;
	return coordinate(argc, argv);
}
