// SPDX-License-Identifier: GPL-2.0
/*
 * gmgr's leases, compiled from the module's source: who is dead, and when gmgr
 * suspects itself. Prints TAP.
 */
#include "../../gmgr/lease.h"
#include "tap.h"

#define DEAD_MS 3000u
#define NR 4
#define TICK 250

static struct gmgr_lease member[NR];
static unsigned long long now;
static bool isolated;

static void begin(void)
{
	int i;

	now += 1000000;
	isolated = false;
	for (i = 0; i < NR; i++) {
		member[i] = (struct gmgr_lease){ .remote = true };
		gmgr_lease_heard(&member[i], now);
	}
}

/* Bits of members that are dead; they are no longer asked about. */
static unsigned int dead;

/* Time goes by, while the members in @heard send heartbeats. */
static void run(unsigned int ms, unsigned int heard)
{
	unsigned long long end = now + ms;
	struct gmgr_lease *up[NR];
	unsigned int i, n;

	for (; now < end; now += TICK) {
		for (i = 0, n = 0; i < NR; i++) {
			if (heard & (1 << i))
				gmgr_lease_heard(&member[i], now);
			if (!(dead & (1 << i)))
				up[n++] = &member[i];
		}
		isolated = gmgr_leases_check(up, n, DEAD_MS, now);
		for (i = 0; i < NR; i++)
			if (!(dead & (1 << i)) && member[i].expired)
				dead |= 1 << i;
	}
}

static void test_one(void)
{
	begin();
	dead = 0;
	run(2500, 0xe);
	is(dead, 0, "one that is silent for less than dead_ms lives");
	run(1500, 0xe);
	is(dead, 1, "for longer it is dead");
	is(isolated, 0, "and gmgr does not suspect itself");
	begin();
	dead = 0;
	run(4000, 0xc);
	is(dead, 3, "so are two of four");
}

static void test_cut(void)
{
	begin();
	dead = 0;
	run(60000, 0);
	is(dead, 0, "when all fall silent none is dead, for however long");
	is(isolated, 1, "gmgr suspects itself");
	run(DEAD_MS, 1);
	is(dead, 0, "when the first is heard again the others have time");
	is(isolated, 1, "gmgr suspects itself till they are heard");
	run(1000, 0xf);
	is(dead, 0, "they are heard");
	is(isolated, 0, "gmgr does not suspect itself any more");
	run(4000, 0xe);
	is(dead, 1, "one that dies afterwards is found");
}

static void test_most_die(void)
{
	begin();
	dead = 0;
	run(5000, 8);
	is(dead, 0, "when three of four fall silent they have time");
	is(isolated, 1, "as gmgr suspects itself");
	run(6000, 8);
	is(dead, 7, "but as the fourth is heard they are dead in the end");
	is(isolated, 0, "and gmgr is not to blame");
}

static void test_few(void)
{
	begin();
	dead = 0xe;
	run(4000, 0);
	is(dead, 0xf, "the only member of a rack can die");
	begin();
	dead = 0;
	member[0].remote = false;
	run(4000, 0xd);
	is(dead, 2, "a member of gmgr's own server says nothing of the network");
	begin();
	dead = 0;
	member[0].remote = false;
	run(60000, 1);
	is(dead, 0, "nor does its voice blame the others");
	begin();
	dead = 0;
	member[1].until = now + 10000;
	run(9000, 0xd);
	is(dead, 0, "a lease that was made longer holds");
	run(2000, 0xd);
	is(dead, 2, "but not for ever");
}

static void test_local(void)
{
	int i;

	begin();
	dead = 0;
	for (i = 0; i < NR; i++)
		member[i].remote = false;
	run(10000, 0);
	is(dead, 0, "in gmgr's own kernel not all die together, either");
	is(isolated, 1, "gmgr suspects that kernel");
	run(1000, 0xf);
	is(dead | isolated, 0, "till they are heard");
	run(6000, 0xe);
	is(dead, 1, "one of them can die");
	begin();
	dead = 0;
	member[0].remote = false;
	member[1].remote = false;
	run(10000, 0xc);
	is(dead, 0, "who is heard over the network does not blame them");
	is(isolated, 1, "as that says nothing of gmgr's kernel");
}

static void test_told(void)
{
	begin();
	dead = 0;
	gmgr_lease_told(&member[0], DEAD_MS, now);
	gmgr_lease_told(&member[1], DEAD_MS, now);
	run(5500, 0xc);
	is(dead, 0, "those of which a restarted gmgr is told have twice dead_ms");
	is(isolated, 0, "gmgr does not suspect itself for them");
	run(1000, 0xe);
	is(dead, 1, "one that does not join by then is dead");
	begin();
	dead = 8; /* who told is on gmgr's own server */
	gmgr_lease_told(&member[0], DEAD_MS, now);
	gmgr_lease_told(&member[1], DEAD_MS, now);
	gmgr_lease_told(&member[2], DEAD_MS, now);
	run(60000, 0);
	is(dead, 8, "where none is heard over the network all live");
	is(isolated, 1, "and gmgr suspects itself");
	run(5500, 1);
	is(dead, 8, "when the first is heard the others have time");
	run(1000, 1);
	is(dead, 0xe, "but not for ever");
}

static void test_told_local(void)
{
	begin();
	dead = 0;
	member[0].remote = false;
	member[1].remote = false;
	gmgr_lease_told(&member[0], DEAD_MS, now);
	gmgr_lease_told(&member[1], DEAD_MS, now);
	run(5500, 0xc);
	is(dead, 0, "told of in its own kernel they have as long");
	run(7000, 0xc);
	is(dead, 3, "and are dead if they do not join, though none there is heard");
	is(isolated, 0, "as gmgr's kernel may have been started again");
}

static void test_replaced(void)
{
	begin();
	dead = 0;
	run(10000, 0);
	is(dead, 0, "none of those that fell silent together is dead");
	gmgr_lease_replaced(&member[0]);
	gmgr_lease_replaced(&member[1]);
	run(500, 0);
	is(dead, 3, "but those are whose next lives want to join");
	is(isolated, 1, "gmgr suspects itself for the others");
	dead = 2; /* one of them joins */
	run(5500, 1);
	is(dead, 2, "as that one is heard the others have time");
	run(1000, 1);
	is(dead, 0xe, "but not for ever");
	begin();
	dead = 0;
	gmgr_lease_replaced(&member[0]);
	gmgr_lease_replaced(&member[1]);
	run(4000, 8);
	is(dead, 7, "their silence says nothing of gmgr");
	begin();
	dead = 0;
	gmgr_lease_replaced(&member[0]);
	run(4000, 8);
	is(dead, 1, "nor is that of others an excuse for them");
	begin();
	dead = 0;
	gmgr_lease_replaced(&member[0]);
	run(2500, 0xe);
	is(dead, 0, "one that is to be replaced has its dead_ms");
	run(10000, 0xf);
	is(dead, 0, "and lives if it is heard");
	run(10000, 0);
	is(dead, 0, "as any other");
}

int main(void)
{
	test_one();
	test_cut();
	test_most_die();
	test_few();
	test_local();
	test_told();
	test_told_local();
	test_replaced();
	return tap_end();
}
