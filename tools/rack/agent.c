// SPDX-License-Identifier: GPL-2.0
/*
 * The rack's agent: process 1 of each node. Runs commands for the host, many at
 * once, one per TCP connection, over a network that carries nothing else.
 *
 * A message is a type byte, a big-endian 32-bit length and that many bytes:
 *   to the agent:   C environment (NAME=VALUE...), command and arguments, each
 *                     ended by NUL (first and once)
 *                   I standard input, E end of it
 *   from the agent: O standard output, R standard error
 *                   X exit status, one byte, as a shell gives it (the last)
 * A connection that ends early ends its command.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536
#define MAX_ARGS 4096
#define MAX_CMD (1024 * 1024)

static int read_all(int fd, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static int send_msg(int sock, char type, const void *buf, uint32_t len)
{
	char hdr[5] = { type };
	uint32_t be = htonl(len);

	memcpy(hdr + 1, &be, 4);
	if (write_all(sock, hdr, 5))
		return -1;
	return write_all(sock, buf, len);
}

static int recv_hdr(int sock, char *type, uint32_t *len)
{
	char hdr[5];

	if (read_all(sock, hdr, 5))
		return -1;
	*type = hdr[0];
	memcpy(len, hdr + 1, 4);
	*len = ntohl(*len);
	return 0;
}

/* The command, in a session of its own; does not return. */
static void run(char **argv, int in, int out, int err)
{
	sigset_t none;
	FILE *f;

	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	close_range(3, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	f = fopen("/proc/self/oom_score_adj", "w");
	if (f) {
		fputs("0", f);
		fclose(f);
	}
	if (chdir("/root"))
		perror("/root");
	for (; *argv && strchr(*argv, '='); argv++)
		putenv(*argv);
	if (!*argv)
		_exit(0);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* One read's worth of a stream to the host. Return: 0 when it has ended. */
static int forward(int sock, char type, int fd)
{
	static char buf[CHUNK];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	if (n <= 0)
		return 0;
	if (send_msg(sock, type, buf, n))
		exit(1);
	return 1;
}

/* Standard input the program has not taken yet. */
static char pending[CHUNK];
static size_t pending_off, pending_len;

/* What the program has written before its end is not lost, and what it left
 * running in the background keeps nobody waiting.
 */
static void finish(int sock, int out, int err, int status)
{
	unsigned char code = WIFEXITED(status) ? WEXITSTATUS(status) :
						 128 + WTERMSIG(status);

	while (out >= 0 && forward(sock, 'O', out) > 0)
		;
	while (err >= 0 && forward(sock, 'R', err) > 0)
		;
	send_msg(sock, 'X', &code, 1);
	/* Closed with input unread, a connection loses what was sent last. */
	shutdown(sock, SHUT_WR);
	while (read(sock, pending, sizeof(pending)) > 0)
		;
	exit(0);
}

static void hang_up(pid_t pid)
{
	kill(-pid, SIGTERM);
	usleep(500000);
	kill(-pid, SIGKILL);
	exit(1);
}

static void relay(int sock, pid_t pid, int in, int out, int err, int sigfd)
{
	uint32_t left = 0; /* of the I message being received */
	int status;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = pending_len ? -1 : sock, .events = POLLIN },
			{ .fd = out, .events = POLLIN },
			{ .fd = err, .events = POLLIN },
			{ .fd = sigfd, .events = POLLIN },
			{ .fd = pending_len ? in : -1, .events = POLLOUT },
			{ .fd = sock, .events = POLLRDHUP },
		};
		char type;

		if (poll(p, 6, -1) < 0)
			continue;
		if (p[1].revents && !forward(sock, 'O', out))
			out = -1;
		if (p[2].revents && !forward(sock, 'R', err))
			err = -1;
		if (p[4].revents) {
			ssize_t n = write(in, pending + pending_off,
					  pending_len);

			if (n < 0 && errno == EAGAIN)
				n = 0;
			if (n < 0) { /* it reads no more: swallow the rest */
				close(in);
				in = -1;
				n = pending_len;
			}
			pending_off += n;
			pending_len -= n;
		}
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			if (!left) {
				if (recv_hdr(sock, &type, &left))
					hang_up(pid);
				if (type == 'E' && in >= 0) {
					close(in);
					in = -1;
				}
			}
			if (left) {
				size_t n = left < CHUNK ? left : CHUNK;

				if (read_all(sock, pending, n))
					hang_up(pid);
				left -= n;
				pending_off = 0;
				pending_len = in >= 0 ? n : 0;
			}
		}
		if (p[5].revents & (POLLRDHUP | POLLHUP | POLLERR))
			hang_up(pid);
		if (p[3].revents) {
			struct signalfd_siginfo si;

			if (read(sigfd, &si, sizeof(si)) < 0)
				continue;
			if (waitpid(pid, &status, WNOHANG) == pid)
				finish(sock, out, err, status);
		}
	}
}

static void serve(int sock)
{
	int in[2], out[2], err[2], sigfd;
	char *argv[MAX_ARGS], *cmd, *p;
	unsigned int argc = 0;
	sigset_t chld;
	uint32_t len;
	pid_t pid;
	char type;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC);

	if (recv_hdr(sock, &type, &len) || type != 'C' || !len || len > MAX_CMD)
		exit(1);
	cmd = malloc(len + 1);
	if (!cmd || read_all(sock, cmd, len))
		exit(1);
	cmd[len] = 0;
	for (p = cmd; p < cmd + len && argc < MAX_ARGS - 1; p += strlen(p) + 1)
		argv[argc++] = p;
	argv[argc] = NULL;

	if (pipe(in) || pipe(out) || pipe(err))
		exit(1);
	pid = fork();
	if (pid < 0)
		exit(1);
	if (!pid)
		run(argv, in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	relay(sock, pid, in[1], out[0], err[0], sigfd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(77),
	};
	int listener, sock, one = 1;
	FILE *f;

	if (argc != 2 || !inet_aton(argv[1], &sin.sin_addr)) {
		fprintf(stderr, "usage: agent ADDRESS\n");
		return 2;
	}
	f = fopen("/proc/self/oom_score_adj", "w");
	if (f) {
		fputs("-1000", f);
		fclose(f);
	}
	signal(SIGCHLD, SIG_IGN); /* reaps orphans too */
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(listener, 64)) {
		perror("agent");
		return 1;
	}
	for (;;) {
		sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (sock < 0)
			continue;
		setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!fork()) {
			close(listener);
			serve(sock);
			exit(0);
		}
		close(sock);
	}
}
