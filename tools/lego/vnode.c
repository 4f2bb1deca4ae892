// SPDX-License-Identifier: GPL-2.0
/*
 * lego vnode create|list|rm - vNodes, what a user is given of a rack.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lego.h"

struct args {
	const char *pcomp;
	bool json;
	bool named;
	struct vnode vnode;
};

static void set_name(struct args *args, const char *arg,
		     struct argp_state *state)
{
	if (args->named)
		argp_error(state, "only one NAME: what is '%s'?", arg);
	if (!lego_name_ok(arg))
		argp_error(state,
			   "'%s' is no name for a vNode: 1 to %d letters, digits and ._-, a letter or digit in front",
			   arg, LEGO_NAME_LEN - 1);
	lego_copy(args->vnode.name, sizeof(args->vnode.name), arg);
	args->named = true;
}

static void set_root(struct args *args, const char *arg,
		     struct argp_state *state)
{
	if (arg[0] != '/')
		argp_error(state,
			   "--root '%s': give a path from the sComponent's directory, beginning with /",
			   arg);
	if (strlen(arg) >= sizeof(args->vnode.root))
		argp_error(state, "--root: at most %d bytes",
			   LEGO_ROOT_LEN - 1);
	lego_copy(args->vnode.root, sizeof(args->vnode.root), arg);
}

static void set_quota(struct args *args, const char *arg,
		      struct argp_state *state)
{
	int err = lego_parse_size(arg, &args->vnode.quota);

	if (err == -ERANGE)
		argp_error(state, "--quota '%s': too large", arg);
	else if (err)
		argp_error(state,
			   "--quota '%s': give a size such as 512M or 4G; 0 for no limit",
			   arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;
	struct in_addr vip;

	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case 'p':
		if (!lego_name_ok(arg))
			argp_error(state, "'%s' is no name of a component",
				   arg);
		args->pcomp = arg;
		return 0;
	case 'r':
		set_root(args, arg, state);
		return 0;
	case 's':
		if (!lego_name_ok(arg))
			argp_error(state, "'%s' is no name of an sComponent",
				   arg);
		lego_copy(args->vnode.storage, sizeof(args->vnode.storage),
			  arg);
		return 0;
	case 'q':
		set_quota(args, arg, state);
		return 0;
	case 'a':
		if (inet_pton(AF_INET, arg, &vip) != 1)
			argp_error(state,
				   "--vip '%s': give an IPv4 address such as 10.1.0.1",
				   arg);
		lego_copy(args->vnode.vip, sizeof(args->vnode.vip), arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_named(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		set_name(args, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (!args->named)
			argp_error(state, "which vNode? Give a NAME");
		return 0;
	default:
		return parse(key, arg, state);
	}
}

#define OPTION_PCOMP                                            \
	{                                                       \
		"pcomp", 'p', "PCOMP", 0,                       \
		"Ask through this pComponent of this machine", 9 \
	}

static const struct argp_option create_options[] = {
	{ "root", 'r', "DIR", 0,
	  "Its root, from the sComponent's directory (default: /)", 0 },
	{ "storage", 's', "NAME", 0,
	  "The sComponent that holds its files (default: gmgr picks one)", 0 },
	{ "quota", 'q', "SIZE", 0,
	  "Memory it may hold, such as 512M (default: no limit)", 0 },
	{ "vip", 'a', "A.B.C.D", 0, "Its IPv4 address (default: none)", 0 },
	OPTION_PCOMP,
	{ 0 },
};

static const struct argp_option list_options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	OPTION_PCOMP,
	{ 0 },
};

static const struct argp_option rm_options[] = {
	OPTION_PCOMP,
	{ 0 },
};

static const struct argp create_argp = {
	create_options, parse_named, "NAME", "Create a vNode.",
	NULL,		NULL,	     NULL,
};

static const struct argp list_argp = {
	list_options, parse, NULL, "List the vNodes.", NULL, NULL, NULL,
};

static const struct argp rm_argp = {
	rm_options, parse_named, "NAME",
	"Remove a vNode. Its files stay, and what runs in it runs on.",
	NULL,	    NULL,	 NULL,
};

static int create(int argc, char **argv)
{
	struct args args = { .pcomp = "", .vnode.root = "/" };
	const struct vnode *vnode = &args.vnode;

	argp_parse(&create_argp, argc, argv, 0, NULL, &args);
	if (vnodes_create(args.pcomp, &args.vnode))
		return EXIT_FAILED;
	printf("vNode %s: vid %" PRIu32 ", root %s of sComponent %s\n",
	       vnode->name, vnode->vid, vnode->root,
	       vnode->storage[0] ? vnode->storage : "(none is up yet)");
	return 0;
}

static void print_json(const struct vnode *list, size_t nr)
{
	struct json_object *top = json_object_new_array();

	for (size_t i = 0; i < nr; i++) {
		const struct vnode *v = &list[i];
		struct json_object *obj = json_object_new_object();

		json_object_object_add(obj, "name",
				       json_object_new_string(v->name));
		json_object_object_add(obj, "vid",
				       json_object_new_uint64(v->vid));
		json_object_object_add(obj, "vip",
				       json_object_new_string(v->vip));
		json_object_object_add(obj, "quota_bytes",
				       json_object_new_uint64(v->quota));
		json_object_object_add(obj, "storage",
				       json_object_new_string(v->storage));
		json_object_object_add(obj, "root",
				       json_object_new_string(v->root));
		if (v->nr_procs != PROCS_UNKNOWN)
			json_object_object_add(obj, "nr_procs",
					       json_object_new_uint64(v->nr_procs));
		json_object_array_add(top, obj);
	}
	puts(json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
						 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(top);
}

static void print_table(const struct vnode *list, size_t nr)
{
	static const char *const head[] = { "NAME",    "VID",  "VIP", "QUOTA",
					    "STORAGE", "ROOT", "PROCS" };
	char vid[16], quota[16], procs[16];
	struct table table = { 0 };

	table_add(&table, head, ARRAY_SIZE(head));
	for (size_t i = 0; i < nr; i++) {
		const struct vnode *v = &list[i];
		const char *cells[] = { v->name,
					vid,
					v->vip[0] ? v->vip : "-",
					quota,
					v->storage[0] ? v->storage : "-",
					v->root,
					procs };

		snprintf(vid, sizeof(vid), "%" PRIu32, v->vid);
		if (v->nr_procs != PROCS_UNKNOWN)
			snprintf(procs, sizeof(procs), "%" PRIu32, v->nr_procs);
		else
			strcpy(procs, "-");
		if (v->quota)
			lego_format_size(v->quota, quota, sizeof(quota));
		else
			strcpy(quota, "none");
		table_add(&table, cells, ARRAY_SIZE(cells));
	}
	table_print(&table, stdout);
	table_free(&table);
}

static int list(int argc, char **argv)
{
	struct args args = { .pcomp = "" };
	struct vnode *vnodes;
	size_t nr;
	int err;

	argp_parse(&list_argp, argc, argv, 0, NULL, &args);
	err = vnodes_list(args.pcomp, &vnodes, &nr);
	if (!err) {
		if (args.json)
			print_json(vnodes, nr);
		else
			print_table(vnodes, nr);
	}
	free(vnodes);
	return err ? EXIT_FAILED : 0;
}

static int rm(int argc, char **argv)
{
	struct args args = { .pcomp = "" };

	argp_parse(&rm_argp, argc, argv, 0, NULL, &args);
	return vnodes_remove(args.pcomp, args.vnode.name) ? EXIT_FAILED : 0;
}

static const struct {
	const char *name;
	int (*function)(int argc, char **argv);
	const char *args;
} actions[] = {
	{ "create", create,
	  "NAME [--root DIR] [--storage NAME] [--quota SIZE] [--vip A.B.C.D]" },
	{ "list", list, "[--json]" },
	{ "rm", rm, "NAME" },
};

static void usage(FILE *out)
{
	fputs("Usage:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		fprintf(out, "  lego vnode %s %s\n", actions[i].name,
			actions[i].args);
	fputs("\nlego vnode COMMAND --help explains the options.\n", out);
}

int cmd_vnode(int argc, char **argv)
{
	char title[64];

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") ||
	    !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, argv[1]))
			continue;
		snprintf(title, sizeof(title), "lego vnode %s",
			 actions[i].name);
		argv[1] = title;
		return actions[i].function(argc - 1, argv + 1);
	}
	lego_err("no command 'vnode %s': there are create, list and rm",
		 argv[1]);
	return EXIT_USAGE;
}
