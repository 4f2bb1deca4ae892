// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/lego/mcomp/<name>/spaces: what is held, for whom.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "mcomp.h"

static void space_show_vregions(struct seq_file *f, struct mcomp_space *s)
{
	unsigned long index;
	void *entry;

	mutex_lock(&s->owners_lock);
	xa_for_each(&s->vregions, index, entry)
		seq_printf(f, " %lx:%lu", index, xa_to_value(entry));
	mutex_unlock(&s->owners_lock);
}

static int spaces_show(struct seq_file *f, void *unused)
{
	struct mcomp *m = f->private;
	struct mcomp_space *s;
	unsigned long index = 0;

	seq_puts(f, "space vid pcomp role pages vmas seq vregion:owner...\n");
	while (xa_find(&m->spaces, &index, ULONG_MAX, XA_PRESENT)) {
		s = mcomp_space_get(m, index);
		if (s) {
			seq_printf(f, "%llx %u %u %s %lld %u %llu", s->id,
				   s->vid, s->client->pcomp_id,
				   s->home ? "home" : "shard",
				   atomic64_read(&s->map.nr),
				   mcomp_vma_count(s), READ_ONCE(s->seq));
			space_show_vregions(f, s);
			seq_putc(f, '\n');
			mcomp_space_put(s);
		}
		if (index++ == ULONG_MAX)
			break;
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(spaces);

/**
 * mcomp_debugfs_init() - make the directory
 * @m: memory component
 */
void mcomp_debugfs_init(struct mcomp *m)
{
	m->debugfs = debugfs_create_dir(m->name, mcomp_module_debugfs());
	debugfs_create_file("spaces", 0400, m->debugfs, m, &spaces_fops);
}

/**
 * mcomp_debugfs_exit() - remove it; nobody looks any more on return
 * @m: memory component
 */
void mcomp_debugfs_exit(struct mcomp *m)
{
	debugfs_remove(m->debugfs);
}
