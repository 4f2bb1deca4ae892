// SPDX-License-Identifier: GPL-2.0
/*
 * rights DIR: whose rights count for what, set-id bits, and long names: prints
 * what it got, a line each. On the same file system a vNode and plain Linux
 * print the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 1000
#define GROUPS 60
#define DEPTH 60 /* of directories with names of 100 bytes */

static void say(const char *what, long r)
{
	printf("%s: %s\n", what, r < 0 ? strerrorname_np(errno) : "done");
	fflush(stdout);
}

static void say_mode(const char *what, const char *name)
{
	struct stat st;

	if (lstat(name, &st))
		memset(&st, 0, sizeof(st));
	printf("%s: %o %u:%u", what, st.st_mode, st.st_uid, st.st_gid);
	printf(S_ISDIR(st.st_mode) ? "\n" : ", %ld bytes\n",
	       (long)st.st_size);
	fflush(stdout);
}

static int make(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, "text", 4) != 4 || fchown(fd, uid, gid) ||
	    fchmod(fd, mode))
		say(name, -1);
	close(fd);
	return 0;
}

static void make_dir(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	if (mkdir(name, 0700) || chown(name, uid, gid) || chmod(name, mode))
		say(name, -1);
}

/* Effective capabilities: those of @keep, or all but those of @drop. */
static void set_caps(unsigned long long keep, unsigned long long drop)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	int i;

	syscall(SYS_capget, &hdr, data);
	for (i = 0; i < 2; i++) {
		data[i].effective = (keep ? keep >> 32 * i :
				     data[i].permitted) & ~(drop >> 32 * i);
		data[i].permitted = data[i].effective;
	}
	if (syscall(SYS_capset, &hdr, data))
		say("capset", -1);
}

/* A process of another user with the first @groups of 5001... */
static pid_t other_user(int groups)
{
	gid_t gid[GROUPS];
	pid_t pid;
	int i;

	fflush(stdout);
	pid = fork();
	if (pid) {
		waitpid(pid, NULL, 0);
		return pid;
	}
	for (i = 0; i < groups; i++)
		gid[i] = 5001 + i;
	if (setgroups(groups, gid) || setgid(USER) || setuid(USER))
		say("setuid", -1);
	return 0;
}

static long write_to(const char *name, int flags)
{
	int fd = open(name, O_WRONLY | flags);
	long n = fd < 0 ? -1 : 0;

	if (fd >= 0 && !(flags & O_TRUNC))
		n = write(fd, "x", 1);
	if (fd >= 0 && fsync(fd))
		n = -1;
	close(fd);
	return n;
}

static void change_set_id(const char *who, const char *prefix)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s-write", prefix);
	printf("%s ", who);
	say("writes", write_to(name, 0));
	snprintf(name, sizeof(name), "%s-append", prefix);
	say("appends", write_to(name, O_APPEND));
	snprintf(name, sizeof(name), "%s-trunc", prefix);
	say("opens O_TRUNC", write_to(name, O_TRUNC));
	snprintf(name, sizeof(name), "%s-cut", prefix);
	say("truncates", truncate(name, 2));
	snprintf(name, sizeof(name), "%s-fcut", prefix);
	fd = open(name, O_WRONLY);
	say("ftruncates", ftruncate(fd, 6));
	close(fd);
	snprintf(name, sizeof(name), "%s-chown", prefix);
	say("chowns", chown(name, -1, USER));
}

static void set_id(void)
{
	static const char *const how[] = { "write", "append", "trunc", "cut",
					   "fcut", "chown" };
	static const char *const prefix[] = { "other", "owner", "root",
					      "mark" };
	char name[64];
	unsigned int i, j;

	for (i = 0; i < 4; i++) {
		for (j = 0; j < 6; j++) {
			snprintf(name, sizeof(name), "%s-%s", prefix[i],
				 how[j]);
			make(name, i == 3 ? 02666 : 06777,
			     i == 1 ? USER : 0, i == 1 ? USER : 0);
		}
	}
	/* root reads them, with root's rights the page cache is written back */
	for (j = 0; j < 6; j++) {
		snprintf(name, sizeof(name), "other-%s", how[j]);
		if (open(name, O_RDWR) < 0)
			say(name, -1);
	}
	if (!other_user(0)) {
		change_set_id("another user", "other");
		change_set_id("the owner", "owner");
		change_set_id("where group may not execute", "mark");
		_exit(0);
	}
	change_set_id("root", "root");
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 6; j++) {
			snprintf(name, sizeof(name), "%s-%s", prefix[i],
				 how[j]);
			say_mode(name, name);
		}
	}
}

static void groups(void)
{
	make_dir("g1", 0710, 0, 5001);
	make_dir("g1/g2", 0770, 0, 5002);
	make("g1/g2/f", 0660, 0, 5060);
	make_dir("g1/gs", 02775, 0, 5003);
	make("g1/mine", 0600, USER, 5001);
	if (!other_user(GROUPS)) {
		umask(0);
		say("two groups on the way, the file's is a third one",
		    open("g1/g2/f", O_RDWR));
		say("it is written to", write_to("g1/g2/f", 0));
		say("a file is made there", open("g1/g2/new", O_CREAT, 06770));
		say("a directory", mkdir("g1/g2/dir", 0777));
		say("a link to the file", link("g1/g2/f", "g1/g2/link"));
		say("one is renamed", rename("g1/g2/new", "g1/gs/new"));
		say("in a set-gid directory",
		    open("g1/gs/new2", O_CREAT, 02775));
		say("a directory there", mkdir("g1/gs/dir", 0755));
		say("chgrp to a group of one's own",
		    chown("g1/mine", -1, 5040));
		say("to another's", chown("g1/mine", -1, 6000));
		_exit(0);
	}
	if (!other_user(1)) {
		say("one group of them", open("g1/g2/f", O_RDWR));
		_exit(0);
	}
	if (!other_user(2)) {
		umask(0);
		say("without the file's group", open("g1/g2/f", O_RDWR));
		say("without the directory's",
		    open("g1/gs/new3", O_CREAT, 02775));
		_exit(0);
	}
	say_mode("made", "g1/gs/new");
	say_mode("made", "g1/gs/new2");
	say_mode("made", "g1/gs/dir");
	say_mode("made", "g1/g2/dir");
	say_mode("changed", "g1/mine");
}

static void capabilities(void)
{
	make_dir("closed", 0700, 0, 0);
	make("closed/f", 0600, 0, 0);
	make_dir("theirs", 0700, USER, USER);
	make("theirs/f", 0600, USER, USER);
	fflush(stdout);
	if (!fork()) {
		prctl(PR_SET_KEEPCAPS, 1);
		if (setgroups(0, NULL) || setgid(USER) || setuid(USER))
			say("setuid", -1);
		set_caps(1ULL << CAP_DAC_OVERRIDE, 0);
		say("CAP_DAC_OVERRIDE opens", open("closed/f", O_RDWR));
		say("and makes", open("closed/new", O_CREAT, 0600));
		say("but does not chmod", chmod("closed/f", 0640));
		_exit(0);
	}
	wait(NULL);
	if (!fork()) {
		set_caps(0, 1ULL << CAP_DAC_OVERRIDE |
			    1ULL << CAP_DAC_READ_SEARCH |
			    1ULL << CAP_FOWNER | 1ULL << CAP_CHOWN);
		say("root without capabilities opens",
		    open("theirs/f", O_RDONLY));
		say("makes", open("theirs/new", O_CREAT, 0600));
		say("chmods", chmod("theirs", 0755));
		say("chowns", chown("closed/f", USER, USER));
		_exit(0);
	}
	wait(NULL);
	make_dir("sticky", 01777, 0, 0);
	make("sticky/f", 0666, 0, 0);
	if (!other_user(0)) {
		say("another's file in a sticky directory",
		    unlink("sticky/f"));
		say("is not renamed either",
		    rename("sticky/f", "sticky/g"));
		_exit(0);
	}
}

static void long_names(void)
{
	static char name[5000], got[5000];
	char *text;
	int i, fd;

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	say("a name of 256 bytes", open(name, O_CREAT, 0600));
	name[255] = '\0';
	say("one of 255", open(name, O_CREAT, 0600));
	say("is removed", unlink(name));

	memset(name, 't', sizeof(name));
	name[4095] = '\0';
	say("a symbolic link to 4095 bytes", symlink(name, "target"));
	printf("it says %ld\n", (long)readlink("target", got, sizeof(got)));
	printf("the same: %d\n", !memcmp(name, got, 4095));
	say_mode("it is", "target");
	name[4095] = 't';
	name[4096] = '\0';
	say("to 4096", symlink(name, "target2"));

	/* a path of 4095 bytes, and much deeper ones */
	for (i = 0; i < 4095; i++)
		name[i] = i % 101 == 100 ? '/' : 'p';
	name[4095] = '\0';
	for (text = name; (text = strchr(text, '/')); text++) {
		*text = '\0';
		if (mkdir(name, 0700))
			say("mkdir", -1);
		*text = '/';
	}
	fd = open(name, O_RDWR | O_CREAT, 0600);
	say("a path of 4095 bytes is made", fd);
	say("written to", write(fd, "text", 4));
	say("and closed", close(fd));
	say_mode("it is", name);
	strcpy(got, name);
	got[4094] = 'q';
	say("two such in a rename", rename(name, got));
	say("in a link", link(got, name));
	say("one is cut", truncate(got, 2));
	fd = open(name, O_RDONLY);
	printf("read: %ld\n", (long)read(fd, got, 10));
	close(fd);

	name[100] = '\0';
	for (i = 0; i < DEPTH; i++)
		if ((mkdir(name, 0700) && errno != EEXIST) || chdir(name))
			break;
	printf("directories in each other: %d\n", i);
	fd = open("file", O_RDWR | O_CREAT, 0600);
	say("a file in the last", fd);
	say("written to", write(fd, "text", 4));
	say("synced", fsync(fd));
	say("unlinked while it is open", unlink("file"));
	printf("read: %ld\n", (long)pread(fd, got, 10, 0));
	close(fd);
	while (i--)
		if (chdir("..") || (rmdir(name) && errno != ENOTEMPTY))
			say("rmdir", -1);
}

static void scripts(void)
{
	char *argv[] = { "script", NULL };
	int fd = open("script", O_WRONLY | O_CREAT, 0755);

	if (write(fd, "#!/no/such\n", 11) != 11)
		say("script", -1);
	close(fd);
	say("a script whose interpreter is missing", execv("./script", argv));
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]))
		return 2;
	umask(0);
	puts("= the set-id bits of files that are written to");
	set_id();
	puts("= the rights of several groups");
	groups();
	puts("= the rights of capabilities");
	capabilities();
	puts("= long names and paths");
	long_names();
	puts("= the errors of scripts");
	scripts();
	return 0;
}
