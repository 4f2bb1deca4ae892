// SPDX-License-Identifier: GPL-2.0
/*
 * How classes share a link's slots, and with them what is behind: the network
 * and the peer. After LITE (SOSP'17, 5.3): hw is its HW-Sep, sw its SW-Pri.
 */
#include "qos.h"

#define LIGHT 1 /* so few calls in a window are no load: heartbeats */
#define SLOWER 2 /* times as long as they need: something is in their way */
#define LEAST 2 /* one on its way while the other is served */
#define STEP 4

static __u32 none_limit(const struct lite_qos_view *view)
{
	return view->slots;
}

/* The device keeps them apart; few calls of a class never are many. */
static __u32 hw_limit(const struct lite_qos_view *view)
{
	return view->share;
}

/*
 * Halved by each window with load of those that it yields to, or when demand
 * takes longer than it must; a step more by each without: what TCP does.
 */
static __u32 sw_limit(const struct lite_qos_view *view)
{
	__u32 limit;

	if (!view->rank)
		return view->slots;
	if (view->calls > LIGHT ||
	    (view->floor_ns && view->mean_ns > SLOWER * view->floor_ns)) {
		limit = view->limit / 2;
		return limit < LEAST ? LEAST : limit;
	}
	limit = view->limit + STEP;
	return limit > view->slots ? view->slots : limit;
}

static const struct lite_qos_ops none = {
	.name = "none",
	.limit = none_limit,
};

static const struct lite_qos_ops hw = {
	.name = "hw",
	.tos = 1,
	.limit = hw_limit,
};

static const struct lite_qos_ops sw = {
	.name = "sw",
	.watch = 1,
	.limit = sw_limit,
};

const struct lite_qos_ops *const lite_qos_policies[LITE_QOS_NR] = {
	&none,
	&hw,
	&sw,
};
