// SPDX-License-Identifier: GPL-2.0
/*
 * lego run - run a program in a vNode, as if it ran here.
 *
 * The parent stays outside and stands for the program: it waits, hands
 * signals on, and ends as the program ended. The child makes the vNode's
 * files its root, tells the pComponent which vNode it enters, and execs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lego.h"

static const struct argp_option options[] = {
	{ "vnode", 'n', "VNODE", 0, "Run in this vNode (required)", 0 },
	{ "pcomp", 'p', "PCOMP", 0,
	  "Run on this pComponent of this machine (default: the only one)", 0 },
	{ "options", 'o', "OPTIONS", 0,
	  "How the files are mounted: soft, not to wait longer than retry_s=SECONDS (default 30) for an sComponent that is away",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case 'n':
		if (!lego_name_ok(arg))
			argp_error(state, "'%s' is no name of a vNode", arg);
		run->vnode = arg;
		return 0;
	case 'p':
		if (!lego_name_ok(arg))
			argp_error(state, "'%s' is no name of a pComponent",
				   arg);
		run->pcomp = arg;
		return 0;
	case 'o':
		if (strlen(arg) > RUN_OPTIONS_LEN)
			argp_error(state, "'%s' is too long", arg);
		run->options = arg;
		return 0;
	case ARGP_KEY_ARG:
		/* it and all that follow are the program's */
		run->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!run->vnode)
			argp_error(state, "in which vNode? Give -n VNODE");
		if (!run->argv)
			argp_error(state, "which program?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	options, parse, "[--] program args...",
	"Run a program in a vNode.\v"
	"The program is looked for in the vNode's files, along PATH.\n"
	"Exit status: the program's; 125 if lego run fails, 126 if the\n"
	"program cannot be executed, 127 if there is none; if a signal ends\n"
	"the program, the same signal ends lego run.",
	NULL, NULL, NULL,
};

/* The caller may have left us signals ignored; the program inherits that. */
static int start(struct run *run, int pipefd[2], const sigset_t *mask)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child)
		return child;
	close(pipefd[0]);
	run->report = pipefd[1];
	/* SIGKILL of lego run must not leave the program behind */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_RUN);
	sigprocmask(SIG_SETMASK, mask, NULL);
	run_child(run);
}

int cmd_run(int argc, char **argv)
{
	struct run run = { .pcomp = "", .options = "" };
	sigset_t mask;
	int pipefd[2];
	int child;

	argp_err_exit_status = EXIT_RUN;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run);

	run.dev = dev_open();
	if (run.dev < 0)
		return EXIT_RUN;
	if (pipe2(pipefd, O_CLOEXEC)) {
		lego_err("pipe: %s", strerror(errno));
		return EXIT_RUN;
	}
	run_block_signals(&mask);
	child = start(&run, pipefd, &mask);
	if (child < 0) {
		lego_err("fork: %s", strerror(errno));
		return EXIT_RUN;
	}
	close(pipefd[1]);
	run.report = pipefd[0];
	return run_wait(&run, child);
}
