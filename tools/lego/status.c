// SPDX-License-Identifier: GPL-2.0
/*
 * lego status - the rack's components and whether gmgr answers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lego.h"

struct args {
	const char *pcomp;
	bool json;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ "pcomp", 'p', "NAME", 0,
	  "Ask through this pComponent of this machine", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

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
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	options, parse, NULL, "Show the rack's components.", NULL, NULL, NULL,
};

static const char *const source_name[] = {
	[RACK_GMGR] = "gmgr",
	[RACK_PCOMP] = "pcomp",
	[RACK_LOCAL] = "local",
};

static void add_string(struct json_object *to, const char *key,
		       const char *value)
{
	json_object_object_add(to, key, json_object_new_string(value));
}

static void add_number(struct json_object *to, const char *key, uint64_t value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

static struct json_object *member_json(const struct member *m)
{
	struct json_object *obj = json_object_new_object();

	add_string(obj, "name", m->name);
	add_string(obj, "role", m->role);
	add_string(obj, "state", m->state);
	add_number(obj, "id", m->id);
	add_string(obj, "addr", m->addr);
	add_number(obj, "incarnation", m->incarnation);
	add_number(obj, "total_bytes", m->total);
	add_number(obj, "used_bytes", m->used);
	add_number(obj, "nr_spaces", m->nr_spaces);
	if (m->age_ms >= 0)
		add_number(obj, "age_ms", (uint64_t)m->age_ms);
	return obj;
}

static void print_json(const struct rack *rack)
{
	struct json_object *top = json_object_new_object();
	struct json_object *gmgr = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *up = NULL;

	add_string(gmgr, "name", rack->gmgr);
	add_string(gmgr, "addr", rack->gmgr_addr);
	/* null: this machine has nobody who could tell */
	if (rack->reach != GMGR_UNKNOWN)
		up = json_object_new_boolean(rack->reach == GMGR_ANSWERS);
	json_object_object_add(gmgr, "reachable", up);
	if (rack->source == RACK_GMGR)
		json_object_object_add(gmgr, "isolated",
				       json_object_new_boolean(rack->isolated));
	for (size_t i = 0; i < rack->nr; i++)
		json_object_array_add(list, member_json(&rack->member[i]));

	add_string(top, "source", source_name[rack->source]);
	json_object_object_add(top, "gmgr", gmgr);
	json_object_object_add(top, "components", list);
	puts(json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
						 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(top);
}

static void print_gmgr(const struct rack *rack)
{
	const char *addr = rack->gmgr_addr;

	printf("gmgr%s%s%s%s: ", *rack->gmgr ? " " : "", rack->gmgr,
	       *addr ? " at " : "", addr);
	if (rack->isolated)
		puts("runs here; MOST MEMBERS FELL SILENT TOGETHER: "
		     "look at the network of this machine; "
		     "STATE is the last that was heard");
	else if (rack->source == RACK_GMGR)
		puts("runs here");
	else if (rack->reach == GMGR_ANSWERS)
		puts("answers");
	else if (rack->reach == GMGR_SILENT)
		puts("DOES NOT ANSWER; this is the last that was heard");
	else
		puts("ask on its machine or a pComponent's; these run here");
}

static void print_table(const struct rack *rack)
{
	static const char *const head[] = { "NAME", "ROLE",  "STATE",
					    "ID",   "USED",  "TOTAL",
					    "NR",   "HEARD", "ADDRESS" };
	char id[16], used[16], total[16], spaces[16], heard[32];
	struct table table = { 0 };

	print_gmgr(rack);
	table_add(&table, head, ARRAY_SIZE(head));
	for (size_t i = 0; i < rack->nr; i++) {
		const struct member *m = &rack->member[i];
		const char *cells[] = { m->name, m->role, m->state,
					id,	 used,	  total,
					spaces,	 heard,	  m->addr };

		snprintf(id, sizeof(id), "%" PRIu32, m->id);
		/* a component that offers nothing, or does not say */
		strcpy(used, "-");
		strcpy(total, "-");
		if (m->total) {
			lego_format_size(m->used, used, sizeof(used));
			lego_format_size(m->total, total, sizeof(total));
		}
		snprintf(spaces, sizeof(spaces), "%" PRIu32, m->nr_spaces);
		if (m->age_ms < 0)
			strcpy(heard, "-");
		else
			snprintf(heard, sizeof(heard), "%.1fs",
				 (double)m->age_ms / 1000);
		table_add(&table, cells, ARRAY_SIZE(cells));
	}
	table_print(&table, stdout);
	table_free(&table);
}

int cmd_status(int argc, char **argv)
{
	struct args args = { .pcomp = "" };
	struct rack rack;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	err = rack_read(args.pcomp, &rack);
	if (!err) {
		if (args.json)
			print_json(&rack);
		else
			print_table(&rack);
	}
	rack_free(&rack);
	return err ? EXIT_FAILED : 0;
}
