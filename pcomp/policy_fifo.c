// SPDX-License-Identifier: GPL-2.0
/*
 * First in, first out. The second chance is the mechanism's: a victim that was
 * used since it was last looked at is added again instead of written (evict.c).
 * LegoOS and MAGE both found sharded FIFO to beat exact LRU under load.
 */
#include "pcomp.h"

static void fifo_add(struct list_head *queue, struct pcomp_line *line)
{
	list_add_tail(&line->queue, queue);
}

static struct pcomp_line *fifo_pick(struct list_head *queue)
{
	struct pcomp_line *line;

	line = list_first_entry_or_null(queue, struct pcomp_line, queue);
	if (line)
		list_del_init(&line->queue);
	return line;
}

const struct pcomp_policy pcomp_policy_fifo = {
	.name = "fifo",
	.add = fifo_add,
	.pick = fifo_pick,
};
