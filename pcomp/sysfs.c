// SPDX-License-Identifier: GPL-2.0
/*
 * What a pComponent shows: /sys/kernel/lego/pcomp/NAME/, one value a file, and
 * a table of spaces in debugfs. See docs/ABI/.
 */
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "pcomp.h"

struct pcomp_attr {
	struct attribute attr;
	u64 (*get)(struct pcomp *pc);
	enum pcomp_stat stat;
};

static struct pcomp *to_pcomp(struct kobject *kobj)
{
	return container_of(kobj, struct pcomp, kobj);
}

static ssize_t attr_show(struct kobject *kobj, struct attribute *attr,
			 char *buf)
{
	struct pcomp_attr *a = container_of(attr, struct pcomp_attr, attr);
	struct pcomp *pc = to_pcomp(kobj);

	return sysfs_emit(buf, "%llu\n",
			  a->get ? a->get(pc) :
				   (u64)atomic64_read(&pc->stat[a->stat]));
}

static u64 get_excache_bytes(struct pcomp *pc)
{
	return (u64)pc->cache.nr << PAGE_SHIFT;
}

static u64 get_free_frames(struct pcomp *pc)
{
	return READ_ONCE(pc->cache.nr_free);
}

static u64 get_processes(struct pcomp *pc)
{
	return atomic_read(&pc->nr_spaces);
}

#define ATTR_GET(_name)                                          \
	static struct pcomp_attr attr_##_name = {                \
		.attr = { .name = __stringify(_name), .mode = 0444 }, \
		.get = get_##_name,                              \
	}
#define ATTR_STAT(_name, _stat)                                  \
	static struct pcomp_attr attr_##_name = {                \
		.attr = { .name = __stringify(_name), .mode = 0444 }, \
		.stat = _stat,                                   \
	}

ATTR_GET(excache_bytes);
ATTR_GET(free_frames);
ATTR_GET(processes);
ATTR_STAT(misses, PCOMP_STAT_MISS);
ATTR_STAT(reads, PCOMP_STAT_READ);
ATTR_STAT(first_touches, PCOMP_STAT_FIRST);
ATTR_STAT(soft_faults, PCOMP_STAT_SOFT);
ATTR_STAT(file_reads, PCOMP_STAT_FILE);
ATTR_STAT(evictions, PCOMP_STAT_EVICT);
ATTR_STAT(writebacks, PCOMP_STAT_WRITEBACK);
ATTR_STAT(rescues, PCOMP_STAT_RESCUE);
ATTR_STAT(stalls, PCOMP_STAT_STALL);
ATTR_STAT(forks, PCOMP_STAT_FORK);
ATTR_STAT(execs, PCOMP_STAT_EXEC);
ATTR_STAT(errors, PCOMP_STAT_ERROR);

static struct attribute *pcomp_attrs[] = {
	&attr_excache_bytes.attr, &attr_free_frames.attr,
	&attr_processes.attr,	  &attr_misses.attr,
	&attr_first_touches.attr, &attr_soft_faults.attr,
	&attr_file_reads.attr,	  &attr_evictions.attr,
	&attr_writebacks.attr,	  &attr_rescues.attr,
	&attr_stalls.attr,	  &attr_forks.attr,
	&attr_execs.attr,	  &attr_errors.attr,
	&attr_reads.attr,	  NULL,
};
ATTRIBUTE_GROUPS(pcomp);

static const struct sysfs_ops pcomp_sysfs_ops = {
	.show = attr_show,
};

static void pcomp_release(struct kobject *kobj)
{
	kfree(to_pcomp(kobj));
}

const struct kobj_type pcomp_ktype = {
	.release = pcomp_release,
	.sysfs_ops = &pcomp_sysfs_ops,
	.default_groups = pcomp_groups,
};

static int spaces_show(struct seq_file *m, void *v)
{
	struct pcomp *pc = m->private;
	struct pcomp_space *s;
	unsigned long i;

	seq_puts(m, "# id vid leader home broken\n");
	/* its leader is its own till it is taken out */
	xa_lock(&pc->spaces);
	xa_for_each(&pc->spaces, i, s)
		seq_printf(m, "%llx %u %d %u %d\n", s->id, s->vid,
			   pid_nr(s->leader), s->home_id, READ_ONCE(s->broken));
	xa_unlock(&pc->spaces);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(spaces);

/**
 * pcomp_debugfs_create() - /sys/kernel/debug/lego/pcomp/NAME/spaces
 * @pc: component
 */
void pcomp_debugfs_create(struct pcomp *pc)
{
	pc->debugfs = debugfs_create_dir(pc->name, pcomp_debugfs);
	debugfs_create_file("spaces", 0400, pc->debugfs, pc, &spaces_fops);
}

/**
 * pcomp_debugfs_remove() - remove it
 * @pc: component
 */
void pcomp_debugfs_remove(struct pcomp *pc)
{
	debugfs_remove(pc->debugfs);
}
