// SPDX-License-Identifier: GPL-2.0
/*
 * lego run, the parent: hand signals on, stop and continue with the program,
 * end as it ended.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lego.h"

static const int forwarded[] = {
	SIGTERM, SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,
	SIGUSR2, SIGCONT, SIGTSTP, SIGALRM, SIGWINCH,
	SIGTTIN, SIGTTOU,
};

static void wanted_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(set, forwarded[i]);
}

/**
 * run_block_signals() - before the fork, so that none is lost
 * @old: mask for the child to restore
 *
 * They are taken with sigwaitinfo(). A blocked signal is queued even if it is
 * ignored, so a caller's nohup does no harm: the child ignores it, too.
 */
void run_block_signals(sigset_t *old)
{
	sigset_t set;

	wanted_signals(&set);
	sigprocmask(SIG_BLOCK, &set, old);
	/* an ignored SIGCHLD would take the exit status away */
	signal(SIGCHLD, SIG_DFL);
}

/*
 * The child is in our process group. What the kernel sends, it sends to the
 * group: keys at the terminal, a window that changes; the child has it already.
 * Two exceptions are ours only: the alarm of a timer that was set before an
 * exec of us, and the hangup of a terminal whose session we lead.
 */
static bool sent_to_group(const siginfo_t *info)
{
	if (info->si_code != SI_KERNEL)
		return false;
	switch (info->si_signo) {
	case SIGALRM:
		return false;
	case SIGHUP:
	case SIGCONT:
		return getsid(0) != getpid();
	default:
		return true;
	}
}

static void forward(const siginfo_t *info, int child)
{
	if (sent_to_group(info))
		return;
	if (info->si_code <= 0 && info->si_pid == child)
		return; /* it meant its group, and has it */
	kill(child, info->si_signo);
}

/*
 * Sent while it is still blocked: a stop key of the terminal may have left the
 * same signal pending, and the two are then one. Sent after unblocking, the
 * second would stop us again as soon as a shell's fg has continued us.
 */
static void default_signal(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	kill(getpid(), sig);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/*
 * Job control: the shell that waits for us must see us stopped. Not for
 * SIGSTOP, which a debugger may send and undo behind our back. All three
 * signals are blocked otherwise, so that this is the only place where they stop
 * us, and the program's stop is the only cause.
 */
static void stop_too(int sig)
{
	sigset_t set;

	if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return;
	default_signal(sig);
	/* continued */
	wanted_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void say_reason(const struct run *run, int child)
{
	struct lego_reason arg = { .pid = child };

	if (ioctl(run->dev, LEGO_IOC_REASON, &arg))
		return;
	arg.reason[sizeof(arg.reason) - 1] = 0;
	if (arg.reason[0])
		lego_err("%s: %s", run->argv[0], arg.reason);
}

static int die_of(int sig)
{
	const struct rlimit no_core = { 0, 0 };

	/* the program's core is dumped already, ours says nothing */
	setrlimit(RLIMIT_CORE, &no_core);
	default_signal(sig);
	return 128 + sig; /* not reached for what ends a process */
}

/* The child is a zombie still: its pid is nobody else's. */
static int finish(const struct run *run, int child)
{
	struct run_failure failure;
	siginfo_t info;
	int status;

	if (read(run->report, &failure, sizeof(failure)) == sizeof(failure)) {
		waitpid(child, &status, 0);
		failure.text[sizeof(failure.text) - 1] = 0;
		lego_err("%s", failure.text);
		return failure.code;
	}
	info.si_pid = 0;
	if (!waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) &&
	    (info.si_code != CLD_EXITED || info.si_status))
		say_reason(run, child);
	if (waitpid(child, &status, 0) != child)
		return EXIT_RUN;
	if (WIFSIGNALED(status))
		return die_of(WTERMSIG(status));
	return WEXITSTATUS(status);
}

/**
 * run_wait() - stand for the program until it ends
 * @run: what runs
 * @child: its process
 *
 * Return: the exit status to end with; does not return if a signal ended the
 * program.
 */
int run_wait(const struct run *run, int child)
{
	siginfo_t info;
	sigset_t set;

	wanted_signals(&set);
	for (;;) {
		if (sigwaitinfo(&set, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			forward(&info, child);
			continue;
		}
		/* one SIGCHLD may stand for several changes */
		info.si_pid = 0;
		if (!waitid(P_PID, child, &info, WSTOPPED | WNOHANG) &&
		    info.si_pid)
			stop_too(info.si_status);
		info.si_pid = 0;
		if (!waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) &&
		    info.si_pid)
			return finish(run, child);
	}
}
