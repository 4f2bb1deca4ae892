/* SPDX-License-Identifier: GPL-2.0 */
/* TAP for the unit tests: results, and the plan at the end. */
#ifndef _UNIT_TAP_H
#define _UNIT_TAP_H

#include <stdio.h>

static unsigned int tap_nr, tap_failed;

static inline void ok(int good, const char *name)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++tap_nr, name);
	tap_failed += !good;
}

static inline void is(long got, long want, const char *name)
{
	ok(got == want, name);
	if (got != want)
		printf("# got %ld, wanted %ld\n", got, want);
}

/* main()'s last: its exit status */
static inline int tap_end(void)
{
	printf("1..%u\n", tap_nr);
	return !!tap_failed;
}

#endif /* _UNIT_TAP_H */
