// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/lego/scomp/NAME/ops: what was asked, and what failed.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "scomp.h"

static struct dentry *scomp_debugfs_dir;

static int scomp_ops_show(struct seq_file *m, void *v)
{
	struct scomp *sc = m->private;
	const struct lite_op_desc *desc;
	unsigned int i;

	for (i = 0; i < LITE_SVC_OPS_MAX; i++) {
		desc = lite_op_desc(LITE_OP(LITE_SVC_SCOMP, i));
		if (!desc)
			continue;
		seq_printf(m, "%-16s %lld %lld\n", desc->name,
			   atomic64_read(&sc->op_count[i]),
			   atomic64_read(&sc->op_errors[i]));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(scomp_ops);

/**
 * scomp_debugfs_add() - show an instance
 * @sc: the instance
 */
void scomp_debugfs_add(struct scomp *sc)
{
	sc->debugfs = debugfs_create_dir(sc->name, scomp_debugfs_dir);
	debugfs_create_file("ops", 0444, sc->debugfs, sc, &scomp_ops_fops);
}

/**
 * scomp_debugfs_del() - show it no more; no reader is left on return
 * @sc: the instance
 */
void scomp_debugfs_del(struct scomp *sc)
{
	debugfs_remove(sc->debugfs);
}

/**
 * scomp_debugfs_init() - make the directory of all instances
 */
void scomp_debugfs_init(void)
{
	scomp_debugfs_dir = debugfs_create_dir("scomp", lite_debugfs());
}

/**
 * scomp_debugfs_exit() - remove it
 */
void scomp_debugfs_exit(void)
{
	debugfs_remove(scomp_debugfs_dir);
}
