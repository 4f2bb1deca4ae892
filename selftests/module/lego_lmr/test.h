/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LEGO_LMR_TEST_H
#define _LEGO_LMR_TEST_H

#include <linux/mm.h>
#include <linux/seq_file.h>
#include <lego/lite.h>

#define LMR_SIZE (3 * 1024 * 1024 + 5 * PAGE_SIZE) /* not whole pieces */

/**
 * struct actor - a node that uses memory at two others
 * @node: it
 * @at: where most memory is
 * @other: another one
 * @buf: LMR_SIZE bytes
 * @mr: @buf
 */
struct actor {
	struct lite_node *node;
	struct lite_peer *at;
	struct lite_peer *other;
	u8 *buf;
	struct lite_mr *mr;
};

extern struct actor alice, bob;

/* main.c: results */
void tap(struct seq_file *m, bool ok, const char *name, int err);
void tap_err(struct seq_file *m, int err, int want, const char *name);
void tap_ok(struct seq_file *m, int err, const char *name);

/* main.c: [0, @len) of the actor's buffer and [@off, @off + @len) of an LMR */
int get(struct actor *a, struct lite_lmr *lmr, u64 off, u32 len);
void fill(struct actor *a, u64 off, u32 len, u8 seed);
int put(struct actor *a, struct lite_lmr *lmr, u64 off, u32 len, u8 seed);
bool holds(struct actor *a, struct lite_lmr *lmr, u64 off, u32 len, u8 seed);

/* keys.c: of "lmr-a", which alice has as @a and bob may read */
void test_keys(struct seq_file *m, struct lite_lmr *a);
void test_objects(struct seq_file *m, struct lite_lmr *a, const char *at,
		  u64 incarnation);
void test_many(struct seq_file *m, const char *nobody);

/* gone.c: who makes memory at a node of this kernel goes meanwhile */
void test_gone(struct seq_file *m);

/* endless.c: a gmgr, by loop, whose table has no end */
void test_endless(struct seq_file *m);

/* forget.c: a gmgr, by loop, whose members come and go by the hundred */
void test_forget(struct seq_file *m);

#endif /* _LEGO_LMR_TEST_H */
