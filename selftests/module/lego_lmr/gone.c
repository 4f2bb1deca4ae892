// SPDX-License-Identifier: GPL-2.0
/*
 * Who asks for much memory goes before it is there: nobody waits for it.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task.h>

#include "test.h"

#define TRIES 5

static int make(void *arg)
{
	u64 *size = arg;

	return lite_lmr_alloc(alice.at, "lmr-gone", *size, 0);
}

static unsigned long pages_free(void)
{
	struct sysinfo si;

	si_meminfo(&si);
	return si.freeram;
}

/* Make it, break the connection when a part is there. Return: what came of it. */
static int make_and_go(u64 size)
{
	unsigned long before = pages_free(), part = (size >> PAGE_SHIFT) / 16;
	unsigned long end = jiffies + 10 * HZ;
	struct task_struct *t = kthread_create(make, &size, "lego_lmr_make");
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	get_task_struct(t);
	wake_up_process(t);
	while (pages_free() + part > before && time_before(jiffies, end))
		usleep_range(500, 1000);
	lite_peer_reset(alice.at);
	err = kthread_stop(t); /* waits for it */
	put_task_struct(t);
	return err;
}

void test_gone(struct seq_file *m)
{
	u64 size = (u64)(totalram_pages() / 10) << PAGE_SHIFT;
	struct lite_lmr *lmr;
	unsigned int i;
	int err = 0;

	/* made before the connection breaks, or not even begun: again */
	for (i = 0; i < TRIES && (!err || err == -EINTR); i++) {
		err = make_and_go(size);
		lmr = lite_lmr_map(alice.at, "lmr-gone", LITE_LMR_RW);
		if (!err && !IS_ERR(lmr))
			lite_lmr_free(lmr);
		lite_lmr_unmap(lmr);
	}
	tap_err(m, err, -ECONNRESET, "who makes memory loses its connection");
	tap_err(m, PTR_ERR_OR_ZERO(lmr), -ENOENT, "then it is not made");
}
