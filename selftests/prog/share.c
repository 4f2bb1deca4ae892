// SPDX-License-Identifier: GPL-2.0
/*
 * share hold|look DIR: two of these, one of each, say what programs of one
 * machine have in common by its files: locks, FIFOs, sockets... Each result is a
 * line, "1 name" or "0 name".
 *
 * share lock DIR: says whether locks are granted on the file "two" there.
 *
 * share append DIR: waits for the file "go" there and appends to the file "both".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RECORDS 200
#define WAIT_MS 60000

static int result(int good, const char *name)
{
	int err = errno;

	printf("%d %s\n", !!good, name);
	if (!good)
		printf("- %s\n", strerror(err));
	fflush(stdout);
	errno = 0;
	return good;
}

static int make(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (write(fd, text, strlen(text)) < 0)
		return -1;
	return fd;
}

static int wait_for(const char *name)
{
	int ms;

	for (ms = 0; ms < WAIT_MS; ms += 50) {
		if (!access(name, F_OK))
			return 1;
		usleep(50000);
	}
	return 0;
}

static struct flock whole(int type)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET };

	return fl;
}

/* both at the same time */
static void append(const char *name, const char *who)
{
	int i, fd = open(name, O_WRONLY | O_APPEND | O_CREAT, 0644);

	for (i = 0; i < RECORDS; i++) {
		if (write(fd, who, 8) != 8)
			result(0, "a record is appended");
		usleep(1000); /* so that the other does at the same time */
	}
	close(fd);
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };

	return un;
}

static void hold_results(char *map, int fifo, int sock, int notify, int gone,
			 int moved)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	char buf[4096];
	int fd;

	fcntl(fifo, F_SETFL, O_NONBLOCK);
	result(read(fifo, buf, 8) == 8, "what one writes into a FIFO the other reads");
	result(poll(&pfd, 1, 0) == 1 && (fd = accept(sock, NULL, NULL)) >= 0 &&
	       read(fd, buf, 8) == 8,
	       "one connects to the other's socket");
	result(map[0] == 'b', "what one stores in a shared mapping the other loads");
	fcntl(notify, F_SETFL, O_NONBLOCK);
	result(read(notify, buf, sizeof(buf)) > 0,
	       "inotify tells of the other's changes");
	result(pread(gone, buf, 4, 0) == 4 && !memcmp(buf, "kept", 4) &&
	       pwrite(gone, "more", 4, 4) == 4 && !fsync(gone),
	       "a file that the other removes is the holder's till close()");
	result(pwrite(moved, "more", 4, 4) == 4 && !fsync(moved) &&
	       (fd = open("moved", O_RDONLY)) >= 0 && read(fd, buf, 8) == 8 &&
	       !memcmp(buf, "keptmore", 8),
	       "one that the other renames is written to by its new name");
}

/* A sum of this program, as its file has it now. */
static unsigned long own_sum(void)
{
	static unsigned char buf[65536];
	int fd = open("/proc/self/exe", O_RDONLY);
	unsigned long sum = 0;
	ssize_t n, i;

	/* not from the page cache, as far as it is not mapped */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			sum = sum * 31 + buf[i];
	close(fd);
	return sum;
}

static int hold(void)
{
	unsigned long sum = own_sum();
	int lock = make("flock", ""), plock = make("fcntl", "");
	struct flock fl = whole(F_WRLCK);
	struct sockaddr_un un = address();
	int fifo, sock, notify, gone, moved;
	char *map;

	mkfifo("fifo", 0600);
	fifo = open("fifo", O_RDWR);
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(sock, (struct sockaddr *)&un, sizeof(un)) || listen(sock, 1))
		return 1;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		   make("map", "a"), 0);
	notify = inotify_init();
	if (map == MAP_FAILED || inotify_add_watch(notify, ".", IN_CREATE) < 0)
		return 1;
	gone = make("gone", "kept");
	moved = make("move", "kept");
	result(!flock(lock, LOCK_EX), "flock() is granted");
	result(!fcntl(plock, F_SETLK, &fl), "and a lock by fcntl()");
	close(make("ready", ""));
	append("log", "holder.\n");
	result(wait_for("done"), "both are there");
	result(sum && own_sum() == sum,
	       "a program that was replaced runs on from its old file");
	hold_results(map, fifo, sock, notify, gone, moved);
	/* its locks end with it */
	return 0;
}

static int look(void)
{
	struct sockaddr_un un = address();
	struct flock fl = whole(F_WRLCK);
	struct stat st;
	char *map;
	int fd;

	if (!wait_for("ready"))
		return 1;
	append("log", "looker.\n");
	fd = open("flock", O_RDWR);
	result(flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK,
	       "flock() that the other has is not granted");
	fd = open("fcntl", O_RDWR);
	result(fcntl(fd, F_SETLK, &fl) && errno == EAGAIN,
	       "nor a lock by fcntl()");
	result(!fcntl(fd, F_GETLK, &fl) && fl.l_type == F_WRLCK,
	       "which F_GETLK shows");
	result(open("prog", O_WRONLY) < 0 && errno == ETXTBSY,
	       "a program that the other runs is not written to");
	fd = open("fifo", O_WRONLY | O_NONBLOCK);
	result(write(fd, "message.", 8) == 8, "a FIFO that the other reads is open");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	result(!connect(fd, (struct sockaddr *)&un, sizeof(un)) &&
	       write(fd, "message.", 8) == 8, "and its socket");
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		   open("map", O_RDWR), 0);
	result(map != MAP_FAILED && map[0] == 'a', "its mapping is mapped");
	if (map != MAP_FAILED)
		map[0] = 'b';
	result(!unlink("gone"), "a file that it has open is removed");
	result(!rename("move", "moved"), "and one renamed");
	/* the program that runs is replaced as packages are */
	close(make("prog.new", "new"));
	result(!rename("prog.new", "prog"), "and its program replaced");
	result(!stat("prog", &st) && st.st_size == 3, "by the new one");
	close(make("done", ""));
	return 0;
}

static int lock(void)
{
	struct flock fl = whole(F_WRLCK);
	int fd = make("two", "");

	printf("%s", flock(fd, LOCK_EX | LOCK_NB) ? strerrorname_np(errno) :
						    "granted");
	printf(" %s\n", fcntl(fd, F_SETLK, &fl) ? strerrorname_np(errno) :
						  "granted");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3 || chdir(argv[2]))
		return 2;
	if (!strcmp(argv[1], "lock"))
		return lock();
	if (!strcmp(argv[1], "append")) {
		puts("waits");
		fflush(stdout);
		if (wait_for("go"))
			append("both", "a line.\n");
		return 0;
	}
	return strcmp(argv[1], "hold") ? look() : hold();
}
