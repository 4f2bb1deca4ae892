// SPDX-License-Identifier: GPL-2.0
/*
 * lego net - the connections of this machine's components.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lego.h"

#define NODES "/sys/kernel/debug/lego/nodes"

/* What a line that begins with "out" has, see docs/ABI/debugfs-lego. */
struct link {
	char node[64];
	char peer[80];
	char class[16];
	char transport[16];
	char state[16];
	uint64_t calls, errors, timeouts, outstanding, connects, resets;
	uint64_t average, p50, p99, p999;
	uint64_t one_sided, refused, lost, sent, received;
	uint64_t heartbeats, stalls, killed, credits, queued;
};

struct args {
	bool json;
	struct json_object *list;
	struct table table;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	args->json = true;
	return 0;
}

static const struct argp argp = {
	options,
	parse,
	NULL,
	"Show what this machine's components call others over, and how long it takes.",
	NULL,
	NULL,
	NULL,
};

static bool parse_link(struct link *l, const char *line)
{
	return sscanf(line,
		      "out %79s %15s %15s %15s %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %" SCNu64,
		      l->peer, l->class, l->transport, l->state, &l->calls,
		      &l->errors, &l->timeouts, &l->outstanding, &l->connects,
		      &l->resets, &l->average, &l->p50, &l->p99, &l->p999,
		      &l->one_sided, &l->refused, &l->lost, &l->sent,
		      &l->received, &l->heartbeats, &l->stalls, &l->killed,
		      &l->credits, &l->queued) == 24;
}

static void add_json(struct args *args, const struct link *l)
{
	struct json_object *obj = json_object_new_object();
	const struct {
		const char *key;
		uint64_t value;
	} number[] = {
		{ "calls", l->calls },
		{ "one_sided", l->one_sided },
		{ "errors", l->errors },
		{ "timeouts", l->timeouts },
		{ "refused", l->refused },
		{ "lost", l->lost },
		{ "killed", l->killed },
		{ "sent_bytes", l->sent },
		{ "received_bytes", l->received },
		{ "outstanding", l->outstanding },
		{ "credits", l->credits },
		{ "queued", l->queued },
		{ "connects", l->connects },
		{ "resets", l->resets },
		{ "average_ns", l->average },
		{ "heartbeats", l->heartbeats },
		{ "stalls", l->stalls },
		{ "p50_ns", l->p50 },
		{ "p99_ns", l->p99 },
		{ "p999_ns", l->p999 },
	};
	const char *const text[][2] = {
		{ "node", l->node },   { "peer", l->peer },
		{ "class", l->class }, { "transport", l->transport },
		{ "state", l->state },
	};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		json_object_object_add(obj, text[i][0],
				       json_object_new_string(text[i][1]));
	for (size_t i = 0; i < ARRAY_SIZE(number); i++)
		json_object_object_add(obj, number[i].key,
				       json_object_new_uint64(number[i].value));
	json_object_array_add(args->list, obj);
}

static void add_row(struct args *args, const struct link *l)
{
	char num[7][24], mb[2][24], us[3][24];
	const uint64_t n[] = {
		l->calls,    l->one_sided, l->outstanding + l->queued,
		l->credits,  l->errors,	   l->timeouts,
		l->resets,
	};
	const uint64_t bytes[] = { l->sent, l->received };
	const uint64_t ns[] = { l->p50, l->p99, l->p999 };
	const char *cells[] = { l->node,  l->peer, l->class, l->transport,
				l->state, num[0],  num[1],   num[2],
				num[3],	  num[4],  num[5],   num[6],
				mb[0],	  mb[1],   us[0],    us[1],
				us[2] };

	for (size_t i = 0; i < ARRAY_SIZE(n); i++)
		snprintf(num[i], sizeof(num[i]), "%" PRIu64, n[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		snprintf(mb[i], sizeof(mb[i]), "%.1f", bytes[i] / 1e6);
	for (size_t i = 0; i < ARRAY_SIZE(ns); i++)
		snprintf(us[i], sizeof(us[i]), "%.1f", ns[i] / 1000.0);
	table_add(&args->table, cells, ARRAY_SIZE(cells));
}

static void add_node(struct args *args, const char *name)
{
	struct link link;
	char path[512];
	char line[512];
	FILE *file;

	snprintf(path, sizeof(path), NODES "/%s/links", name);
	file = fopen(path, "re");
	if (!file)
		return; /* it has ended just now */
	while (fgets(line, sizeof(line), file)) {
		memset(&link, 0, sizeof(link));
		lego_copy(link.node, sizeof(link.node), name);
		if (!parse_link(&link, line))
			continue;
		if (args->json)
			add_json(args, &link);
		else
			add_row(args, &link);
	}
	fclose(file);
}

static int not_dot(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void print(struct args *args)
{
	const int flags = JSON_C_TO_STRING_PRETTY |
			  JSON_C_TO_STRING_NOSLASHESCAPE;

	if (args->json) {
		puts(json_object_to_json_string_ext(args->list, flags));
		json_object_put(args->list);
		return;
	}
	table_print(&args->table, stdout);
	table_free(&args->table);
}

int cmd_net(int argc, char **argv)
{
	static const char *const head[] = {
		"NODE",	   "PEER",    "CLASS",	 "VIA",
		"STATE",   "CALLS",   "1-SIDED", "UNDER WAY",
		"CREDITS", "ERRORS",  "TIMEOUTS", "RESETS",
		"MB SENT", "MB RECEIVED", "P50 us", "P99 us",
		"P99.9 us",
	};
	struct args args = { 0 };
	struct dirent **entry;
	int nr;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	nr = scandir(NODES, &entry, not_dot, alphasort);
	if (nr < 0) {
		if (errno == EACCES)
			lego_err("only root may see connections: use sudo");
		else if (sysfs_is_dir("/sys/kernel/lego"))
			lego_err("there is no " NODES
				 ": mount -t debugfs none /sys/kernel/debug");
		else
			lego_err("lite_rpc is not loaded on this machine");
		return EXIT_FAILURE;
	}
	if (args.json)
		args.list = json_object_new_array();
	else
		table_add(&args.table, head, ARRAY_SIZE(head));
	for (int i = 0; i < nr; i++) {
		add_node(&args, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	print(&args);
	return EXIT_SUCCESS;
}
