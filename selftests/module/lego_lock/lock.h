/* SPDX-License-Identifier: GPL-2.0 */
/* What crosses between the files of the tests of locks and barriers. */
#ifndef _LEGO_LOCK_H
#define _LEGO_LOCK_H

#include <lego/lite.h>

struct seq_file;

/**
 * struct actor - a node of ours
 * @node: the node
 * @at: the node that keeps the locks
 */
struct actor {
	struct lite_node *node;
	struct lite_peer *at;
};

extern struct actor alice, bob;

int actor_init(struct actor *a, const char *name, unsigned int port);
int actor_join(struct actor *a);
void actor_exit(struct actor *a);
void run_tests(struct seq_file *m);

#endif /* _LEGO_LOCK_H */
