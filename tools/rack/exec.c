// SPDX-License-Identifier: GPL-2.0
/*
 * /run/lego-rack/RACK/exec [-n] [-t SECONDS] NODE COMMAND...: run a command
 * in a node of that rack, with its streams and its exit status; -n: without
 * standard input. 255: it did not run to its end.
 *
 * Tests do this some thousand times, and it takes a thirtieth of what a Python
 * takes that starts. What is said to a node: see agent.c. machines.py writes what
 * "nodes" beside this program has: the namespace, PATH there, then each node's name
 * and address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AGENT_PORT 77
#define CHUNK 65536
#define FAILED 255
/* A machine whose host is busy elsewhere may stand still for many seconds. */
#define ANSWER_S 30
#define LOOK_MS 500 /* how often to look whether the VM is alive */

static const char *rack, *node;
static char space[300], path[4096], mgmt[64];

/* In a rack that is one VM, each node's name is that VM. */
static void find_node(void)
{
	char name[64], addr[64], names[1024] = "", file[4096];
	FILE *f;

	snprintf(file, sizeof(file), "%s/nodes", rack);
	f = fopen(file, "r");
	if (!f || fscanf(f, "%299s %4095[^\n]", space, path) != 2)
		errx(FAILED, "rack: no rack is up at %s", rack);
	while (fscanf(f, "%63s %63s", name, addr) == 2) {
		if (!strcmp(name, node) ||
		    (!strcmp(name, "one") && *node &&
		     strchr("gpms", *node) && isdigit(node[1]))) {
			strcpy(mgmt, addr);
			node = strdup(name);
		}
		strcat(strcat(names, names[0] ? " " : ""), name);
		if (strlen(names) > sizeof(names) - 2 * sizeof(name))
			break;
	}
	fclose(f);
	if (!mgmt[0])
		errx(FAILED, "rack: no node %s (there are %s)", node, names);
}

/* Whether the VM's process is the one that was started: see machines.py. */
static int node_lives(void)
{
	char file[4096], stat[1024] = "", *p;
	unsigned long long start;
	int pid, i;
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s.pid", rack, node);
	f = fopen(file, "r");
	if (!f)
		return 0;
	i = fscanf(f, "%d %llu", &pid, &start);
	fclose(f);
	snprintf(file, sizeof(file), "/proc/%d/stat", pid);
	f = i == 2 ? fopen(file, "r") : NULL;
	if (!f)
		return 0;
	p = fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
	fclose(f);
	if (!p || p[2] == 'Z')
		return 0;
	for (i = 2; i < 22 && p; i++) /* proc(5): field 22 */
		p = strchr(p + 1, ' ');
	return p && strtoull(p, NULL, 10) == start;
}

static int connect_node(int seconds)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(AGENT_PORT),
	};
	struct timeval tv = {
		.tv_sec = seconds > 0 && seconds < ANSWER_S ? seconds : ANSWER_S,
	}, none = {};
	char file[400];
	int fd, one = 1;

	snprintf(file, sizeof(file), "/run/netns/%s", space);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(FAILED, "rack: %s", file);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || !inet_aton(mgmt, &sin.sin_addr))
		err(FAILED, "rack: %s", mgmt);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		err(FAILED, "rack: %s: no answer", node);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			exit(141); /* as if SIGPIPE had ended it */
		p += n;
		len -= n;
	}
}

static void header(char *to, char type, size_t len)
{
	uint32_t be = htonl(len);

	*to = type;
	memcpy(to + 1, &be, sizeof(be));
}

static void send_command(int sock, char **argv)
{
	size_t len = strlen("PATH=") + strlen(path) + 1;
	char *msg, *p, **arg;

	for (arg = argv; *arg; arg++)
		len += strlen(*arg) + 1;
	msg = malloc(5 + len);
	if (!msg)
		errx(FAILED, "rack: no memory");
	header(msg, 'C', len);
	p = msg + 5 + sprintf(msg + 5, "PATH=%s", path) + 1;
	for (arg = argv; *arg; arg++)
		p = stpcpy(p, *arg) + 1;
	write_all(sock, msg, 5 + len);
	free(msg);
}

/* What came: to its stream; the exit status ends us. */
static void take(int sock)
{
	static char buf[5 + CHUNK];
	static size_t have;
	uint32_t len;
	ssize_t n;

	n = read(sock, buf + have, sizeof(buf) - have);
	if (n <= 0) {
		if (n < 0 && errno == EINTR)
			return;
		errx(FAILED, "rack: %s: the node died", node);
	}
	have += n;
	while (have >= 5) {
		memcpy(&len, buf + 1, sizeof(len));
		len = ntohl(len);
		if (len > CHUNK)
			errx(FAILED, "rack: %s: what it says has no sense",
			     node);
		if (have < 5 + len)
			return;
		if (buf[0] == 'X')
			exit((unsigned char)buf[5]);
		write_all(buf[0] == 'O' ? 1 : 2, buf + 5, len);
		have -= 5 + len;
		memmove(buf, buf + 5 + len, have);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Never waits to send: the agent may be waiting to send to us. */
static void relay(int sock, int in, double seconds, const char *command)
{
	static char unsent[5 + CHUNK];
	size_t off = 0, left = 0;
	double end = now() + seconds;

	if (in < 0) {
		header(unsent, 'E', 0);
		left = 5;
	}
	for (;;) {
		struct pollfd p[] = {
			{ .fd = sock, .events = POLLIN | (left ? POLLOUT : 0) },
			{ .fd = left ? -1 : in, .events = POLLIN },
		};
		int nr = poll(p, 2, LOOK_MS);
		ssize_t n;

		if (seconds && now() > end)
			errx(FAILED,
			     "rack: %s: %s: still running after %g s, ended",
			     node, command, seconds);
		if (!nr && !node_lives())
			errx(FAILED, "rack: %s: the node died", node);
		if (nr <= 0)
			continue;
		if (left && p[0].revents & POLLOUT) {
			n = send(sock, unsent + off, left,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				n = left; /* take() sees why */
			off += n > 0 ? n : 0;
			left -= n > 0 ? n : 0;
		}
		if (p[1].revents) {
			n = read(in, unsent + 5, CHUNK);
			header(unsent, n > 0 ? 'I' : 'E', n > 0 ? n : 0);
			left = 5 + (n > 0 ? n : 0);
			off = 0;
			if (n <= 0)
				in = -1;
		}
		if (p[0].revents & ~POLLOUT)
			take(sock);
	}
}

int main(int argc, char **argv)
{
	double seconds = 0;
	int in = 0, opt, sock;

	rack = dirname(strdup(argv[0]));
	while ((opt = getopt(argc, argv, "+nt:")) > 0)
		switch (opt) {
		case 'n':
			in = -1;
			break;
		case 't':
			seconds = atof(optarg);
			break;
		default:
			return FAILED;
		}
	if (optind + 2 > argc)
		errx(FAILED, "usage: %s [-n] [-t SECONDS] NODE COMMAND...",
		     argv[0]);
	node = argv[optind++];
	if (fcntl(in, F_GETFD) < 0)
		in = -1; /* it is closed */
	find_node();
	sock = connect_node(seconds);
	send_command(sock, argv + optind);
	relay(sock, in, seconds, argv[optind]);
}
