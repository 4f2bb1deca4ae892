// SPDX-License-Identifier: GPL-2.0
/*
 * lego run, the child: the vNode's files become its root, in a mount
 * namespace of its own that ends with the last of the vNode's processes it
 * started; then it enters the vNode with its next exec.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lego.h"

#define RUN_DIR "/run/lego"

/* The parent prints it, so that messages never mix with the program's. */
static void __attribute__((noreturn, format(printf, 3, 4)))
fail(const struct run *run, int code, const char *fmt, ...)
{
	struct run_failure failure = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(failure.text, sizeof(failure.text), fmt, ap);
	va_end(ap);
	if (write(run->report, &failure, sizeof(failure)) < 0)
		_exit(EXIT_RUN);
	_exit(code);
}

/*
 * ENOENT of a mount or an enter is the vNode or its root directory: ask which.
 * Returns false if the vNode is known, with its particulars.
 */
static bool vnode_unknown(const struct run *run, struct lego_vnode *arg)
{
	for (uint32_t i = 0;; i++) {
		memset(arg, 0, sizeof(*arg));
		lego_copy(arg->pcomp, sizeof(arg->pcomp), run->pcomp);
		arg->start = i;
		if (ioctl(run->dev, LEGO_IOC_VNODE_LIST, arg))
			return true;
		if (!strncmp(arg->name, run->vnode, sizeof(arg->name)))
			return false;
	}
}

static void __attribute__((noreturn))
fail_vnode(const struct run *run, int err, const char *what)
{
	struct lego_vnode vnode;

	switch (err) {
	case ENOENT:
		if (vnode_unknown(run, &vnode))
			fail(run, EXIT_RUN,
			     "there is no vNode '%s': 'lego vnode list' shows those there are, 'lego vnode create %s' makes it",
			     run->vnode, run->vnode);
		fail(run, EXIT_RUN,
		     "the root of vNode '%s', %.200s on sComponent %.31s, does not exist: create that directory below the sComponent's",
		     run->vnode, vnode.root, vnode.storage);
	case EHOSTUNREACH:
	case EHOSTDOWN:
		fail(run, EXIT_RUN,
		     "%s: gmgr does not answer, or no mComponent or sComponent is up for vNode '%s'; 'lego status' shows who is",
		     what, run->vnode);
	case EBUSY:
		fail(run, EXIT_RUN,
		     "%s: this process is in a vNode already; run lego outside",
		     what);
	case ENOTDIR:
		fail(run, EXIT_RUN,
		     "the root of vNode '%s' is not a directory on its sComponent",
		     run->vnode);
	default:
		fail(run, EXIT_RUN, "%s vNode '%s': %s", what, run->vnode,
		     dev_explain(err, run->pcomp));
	}
}

static bool filesystem_known(void)
{
	char line[128];
	bool found = false;
	FILE *file;

	file = fopen("/proc/filesystems", "re");
	if (!file)
		return true; /* cannot tell */
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, "\tlego\n");
	fclose(file);
	return found;
}

static void own_namespace(const struct run *run)
{
	if (unshare(CLONE_NEWNS)) {
		if (errno == EPERM)
			fail(run, EXIT_RUN,
			     "only root may mount a vNode's files: use sudo");
		fail(run, EXIT_RUN, "unshare: %s", strerror(errno));
	}
	/* EINVAL: the root is no mount point, as in a chroot */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    errno != EINVAL)
		fail(run, EXIT_RUN, "cannot make the mounts private: %s",
		     strerror(errno));
}

static void mount_vnode(const struct run *run, const char *dir)
{
	char data[LEGO_NAME_LEN + RUN_OPTIONS_LEN + 8];

	if ((mkdir(RUN_DIR, 0755) && errno != EEXIST) ||
	    (mkdir(dir, 0755) && errno != EEXIST))
		fail(run, EXIT_RUN, "cannot create %s: %s", dir,
		     strerror(errno));
	snprintf(data, sizeof(data), "%s%s%s%s", *run->pcomp ? "pcomp=" : "",
		 run->pcomp, *run->pcomp && *run->options ? "," : "",
		 run->options);
	if (!mount(run->vnode, dir, "lego", MS_NODEV, *data ? data : NULL))
		return;
	if (errno == EINVAL && *run->options)
		fail(run, EXIT_RUN,
		     "mount options '%s' are refused: there are soft, and retry_s=SECONDS and attr_ms=MILLISECONDS, at most an hour",
		     run->options);
	if (errno == ENODEV && !filesystem_known())
		fail(run, EXIT_RUN,
		     "this kernel has no file system 'lego': modprobe pcomp");
	fail_vnode(run, errno, "cannot mount the files of");
}

/* Devices and kernel files are the pComponent's: there is no other place. */
static void bind(const struct run *run, const char *from, const char *dir)
{
	char to[PATH_MAX];
	struct stat st;

	snprintf(to, sizeof(to), "%s%s", dir, from);
	if (lstat(to, &st) || !S_ISDIR(st.st_mode) || access(from, F_OK))
		return; /* the vNode's root has no place for it */
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL))
		fail(run, EXIT_RUN, "cannot mount %s in vNode '%s': %s", from,
		     run->vnode, strerror(errno));
}

/*
 * pivot_root and not only chroot: what is unmounted cannot be reached, not
 * even by root. An initramfs cannot be pivoted away from (EINVAL).
 */
static void enter_root(const struct run *run, const char *dir)
{
	if (chdir(dir))
		fail(run, EXIT_RUN, "cannot enter %s: %s", dir,
		     strerror(errno));
	if (!syscall(SYS_pivot_root, ".", ".")) {
		if (umount2(".", MNT_DETACH))
			fail(run, EXIT_RUN, "cannot leave the old root: %s",
			     strerror(errno));
	} else if (errno != EINVAL) {
		fail(run, EXIT_RUN, "pivot_root: %s", strerror(errno));
	}
	if (chroot(".") || chdir("/"))
		fail(run, EXIT_RUN, "chroot: %s", strerror(errno));
}

/* Is there such a program where execvp() has looked? */
static bool program_there(const char *program)
{
	char path[PATH_MAX];
	const char *dir = getenv("PATH");

	if (strchr(program, '/'))
		return !access(program, F_OK);
	while (dir) {
		const char *end = strchrnul(dir, ':');

		snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dir), dir,
			 program);
		if (!access(path, X_OK))
			return true;
		dir = *end ? end + 1 : NULL;
	}
	return false;
}

static void __attribute__((noreturn)) fail_exec(const struct run *run)
{
	const char *program = run->argv[0];
	int err = errno;

	switch (err) {
	case ENOENT:
	case ENOTDIR:
		if (program_there(program))
			fail(run, EXIT_NOTFOUND,
			     "%s: its interpreter (#! or ld.so) is not among the files of vNode '%s'",
			     program, run->vnode);
		fail(run, EXIT_NOTFOUND,
		     "%s: there is no such program in vNode '%s'", program,
		     run->vnode);
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENODEV:
	case ETIMEDOUT:
	case ECONNRESET:
	case ENOTCONN:
		fail_vnode(run, err, "cannot start a program in");
	default:
		fail(run, EXIT_NOEXEC, "%s: cannot be executed: %s", program,
		     strerror(err));
	}
}

/**
 * run_child() - become the program
 * @run: what to run, with the write end of the pipe
 *
 * Entering lasts as long as the open file does: it gets one of its own, which
 * the exec closes, and not the parent's.
 */
void run_child(struct run *run)
{
	struct lego_enter enter = { 0 };
	char dir[sizeof(RUN_DIR) + LEGO_NAME_LEN + 1];
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
		strcpy(cwd, "/");
	snprintf(dir, sizeof(dir), RUN_DIR "/%s", run->vnode);

	run->dev = dev_open();
	if (run->dev < 0)
		_exit(EXIT_RUN);
	own_namespace(run);
	mount_vnode(run, dir);
	bind(run, "/proc", dir);
	bind(run, "/dev", dir);
	bind(run, "/sys", dir);
	enter_root(run, dir);
	if (chdir(cwd) && chdir("/"))
		fail(run, EXIT_RUN, "chdir: %s", strerror(errno));

	lego_copy(enter.pcomp, sizeof(enter.pcomp), run->pcomp);
	lego_copy(enter.vnode, sizeof(enter.vnode), run->vnode);
	if (ioctl(run->dev, LEGO_IOC_ENTER, &enter))
		fail_vnode(run, errno, "cannot enter");

	execvp(run->argv[0], run->argv);
	fail_exec(run);
}
