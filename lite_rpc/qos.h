/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a policy of traffic classes is told, and says. No kernel types:
 * selftests/unit compiles the policies, too.
 */
#ifndef _LITE_RPC_QOS_H
#define _LITE_RPC_QOS_H

#include <linux/types.h>

/**
 * struct lite_qos_view - a class, when a window of time has ended
 * @slots: what a link has
 * @share: what qos_slots= gives this class
 * @limit: what it could use till now
 * @rank: 0: somebody waits for each of its calls; others yield to lower ones
 * @calls: calls of lower ranks that began in the window
 * @mean_ns: how long those of demand took that ended in it; 0: none did
 * @floor_ns: how long they take when nothing is in their way; 0: not known
 */
struct lite_qos_view {
	__u32 slots;
	__u32 share;
	__u32 limit;
	__u32 rank;
	__u32 calls;
	__u64 mean_ns;
	__u64 floor_ns;
};

/**
 * struct lite_qos_ops - a policy
 * @name: in qos=
 * @tos: each class's connections have a type of service of their own, qos_tos=
 * @watch: @limit is asked after each window, and not only in the beginning
 * @limit: how many slots of each link the class may use from now on, 1 to
 *	@slots; pure
 */
struct lite_qos_ops {
	const char *name;
	__u32 tos;
	__u32 watch;
	__u32 (*limit)(const struct lite_qos_view *view);
};

#define LITE_QOS_NR 3
extern const struct lite_qos_ops *const lite_qos_policies[LITE_QOS_NR];

#endif /* _LITE_RPC_QOS_H */
