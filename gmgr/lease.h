/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Leases of members: who is to be declared dead, and when gmgr has to suspect
 * itself. Compiled in user space, too, for tests.
 */
#ifndef _GMGR_LEASE_H
#define _GMGR_LEASE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/**
 * struct gmgr_lease - one of a member that is up
 * @heard: when it was last heard, ms
 * @until: it is not declared dead before, whatever its silence, ms
 * @remote: it is heard over a network
 * @excused: its silence is gmgr's own fault, perhaps; till it is heard
 * @told: others told of it, it was not heard since gmgr was started
 * @replaced: its next life wants to join: its silence is nobody's fault
 * @expired: it is to be declared dead; set by gmgr_leases_check()
 */
struct gmgr_lease {
	unsigned long long heard;
	unsigned long long until;
	bool remote;
	bool excused;
	bool told;
	bool replaced;
	bool expired;
};

void gmgr_lease_heard(struct gmgr_lease *l, unsigned long long now);
void gmgr_lease_told(struct gmgr_lease *l, unsigned int dead_ms,
		     unsigned long long now);
void gmgr_lease_replaced(struct gmgr_lease *l);
bool gmgr_leases_check(struct gmgr_lease *const *lease, unsigned int nr,
		       unsigned int dead_ms, unsigned long long now);

#endif /* _GMGR_LEASE_H */
