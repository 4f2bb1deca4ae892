// SPDX-License-Identifier: GPL-2.0
/*
 * killed DIR: changes files there, in a process for each change, and kills
 * these when it reads a line: they are waiting for the file system then. It says
 * "dead" when they are, and does the same with the next ones when it reads
 * another line.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void create(void)
{
	close(open("1/new", O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static void make_dir(void)
{
	mkdir("2/dir", 0700);
}

static void remove_file(void)
{
	unlink("3/a");
}

static void cut(void)
{
	if (truncate("4/a", 0))
		exit(1);
}

static void make_link(void)
{
	if (link("5/a", "5/b"))
		exit(1);
}

static void make_symlink(void)
{
	if (symlink("there", "6/link"))
		exit(1);
}

static void change_mode(void)
{
	chmod("7/a", 0640);
}

static void move(void)
{
	rename("8/a", "8/b");
}

static void move_over(void)
{
	rename("9/a", "9/b");
}

/* A rename is alone: while it is under way no other request is sent. */
static void (*const change[])(void) = {
	create, make_dir, remove_file, cut, make_link, make_symlink,
	change_mode, NULL, move, NULL, move_over, NULL
};

#define NR ((int)(sizeof(change) / sizeof(*change)))

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static void make_files(void)
{
	char name[16];
	int i, fd;

	for (i = 1; i <= 9; i++) {
		snprintf(name, sizeof(name), "%d", i);
		mkdir(name, 0700);
		snprintf(name, sizeof(name), "%d/a", i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (write(fd, "text", 4) != 4)
			exit(1);
		close(fd);
	}
	close(open("9/b", O_WRONLY | O_CREAT, 0600));
}

int main(int argc, char **argv)
{
	pid_t child[NR];
	int i, n = 0;

	if (argc != 2 || chdir(argv[1]))
		return 2;
	make_files();
	say("ready");
	getchar();
	for (i = 0; i < NR; i++) {
		if (change[i]) {
			child[n] = fork();
			if (!child[n]) {
				change[i]();
				_exit(0);
			}
			n++;
			continue;
		}
		say("begun");
		getchar();
		while (n) {
			kill(child[--n], SIGKILL);
			waitpid(child[n], NULL, 0);
		}
		say("dead");
		getchar();
	}
	return 0;
}
