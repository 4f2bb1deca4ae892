// SPDX-License-Identifier: GPL-2.0
/*
 * lego - look at a rack, make vNodes, run programs in them.
 *
 * Only the table of subcommands is here; each is a file of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lego.h"

struct subcommand {
	const char *name;
	int (*function)(int argc, char **argv);
	const char *args;
	const char *description;
};

static const struct subcommand subcommands[] = {
	{ "status", cmd_status, "[--json]", "show the rack's components" },
	{ "vnode", cmd_vnode, "create|list|rm ...",
	  "create, list and remove vNodes" },
	{ "net", cmd_net, "[--json]",
	  "show this machine's connections and how fast they are" },
	{ "run", cmd_run, "-n VNODE [--] program args...",
	  "run a program in a vNode" },
};

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

static void usage(FILE *out)
{
	fputs("Usage: lego COMMAND ...\n\nCommands:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(out, "  %-7s %-31s %s\n", subcommands[i].name,
			subcommands[i].args, subcommands[i].description);
	fprintf(out, "  %-7s %-31s %s\n", "help", "[COMMAND]",
		"show this, or a command's options");
	fputs("\nlego --version prints the version. See also lego(8).\n", out);
}

static int show_help(const char *name)
{
	const struct subcommand *sub;
	char title[64];
	char option[] = "--help";
	char *argv[] = { title, option, NULL };

	if (!name) {
		usage(stdout);
		return 0;
	}
	sub = find(name);
	if (!sub) {
		lego_err("no command '%s'; 'lego help' lists them", name);
		return EXIT_USAGE;
	}
	snprintf(title, sizeof(title), "lego %s", sub->name);
	return sub->function(2, argv);
}

/*
 * A full disk or a closed pipe shows when the buffer is written, at the latest
 * here: what was printed is not there then. By atexit(), as argp's --help
 * exits by itself.
 */
static void close_stdout(void)
{
	int failed = ferror(stdout);

	if (fflush(stdout) || failed) {
		fprintf(stderr, "lego: cannot write the output: %s\n",
			strerror(errno));
		_exit(EXIT_FAILED);
	}
}

int main(int argc, char **argv)
{
	const struct subcommand *sub;
	char title[64];

	atexit(close_stdout);
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("lego " LEGO_VERSION);
		return 0;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return show_help(argv[2]);

	sub = find(argv[1]);
	if (!sub) {
		lego_err("no command '%s'; 'lego help' lists them", argv[1]);
		return EXIT_USAGE;
	}
	snprintf(title, sizeof(title), "lego %s", sub->name);
	argv[1] = title;
	return sub->function(argc - 1, argv + 1);
}
