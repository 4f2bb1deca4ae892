// SPDX-License-Identifier: GPL-2.0
/*
 * The policies of traffic classes, compiled from the very source of lite_rpc.
 * Prints TAP.
 */
#include <string.h>

#include "../../lite_rpc/qos.h"
#include "tap.h"

static const struct lite_qos_ops *policy(const char *name)
{
	unsigned int i;

	for (i = 0; i < LITE_QOS_NR; i++)
		if (!strcmp(lite_qos_policies[i]->name, name))
			return lite_qos_policies[i];
	return NULL;
}

/* the limit after so many windows */
static unsigned int after(struct lite_qos_view view, unsigned int windows)
{
	while (windows--)
		view.limit = policy("sw")->limit(&view);
	return view.limit;
}

static void test_sw(void)
{
	struct lite_qos_view view = { .slots = 64, .share = 16, .limit = 64 };

	view.calls = 1000;
	is(after(view, 10), 64, "sw: who waits for each call yields to nobody");
	view.rank = 1;
	is(after(view, 1), 32, "sw: load of others halves what one may");
	is(after(view, 10), 2, "sw: down to two");
	view.calls = 1;
	is(after(view, 10), 64, "sw: a heartbeat is no load");
	view.limit = 2;
	is(after(view, 1), 6, "sw: without load it grows by steps");
	is(after(view, 100), 64, "sw: to all slots");
	view.limit = 64;
	view.floor_ns = 1000;
	view.mean_ns = 2000;
	is(after(view, 1), 64, "sw: twice the time that calls need is well");
	view.mean_ns = 2001;
	is(after(view, 1), 32, "sw: more is not, and halves it, too");
	view.floor_ns = 0;
	is(after(view, 1), 64, "sw: one that is not known says nothing");
}

int main(void)
{
	struct lite_qos_view view = {
		.slots = 64, .share = 16, .limit = 7, .rank = 2, .calls = 9,
	};

	is(policy("none")->limit(&view), 64, "none: all slots for all");
	is(policy("hw")->limit(&view), 16, "hw: what one is given");
	test_sw();
	return tap_end();
}
