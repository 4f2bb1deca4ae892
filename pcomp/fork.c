// SPDX-License-Identifier: GPL-2.0
/*
 * Fork. dup_mmap() copies the parent's VMAs with both mmap_locks held for
 * writing; ->open leaves those of ours without a file (fault.c), so they get no
 * PTE, and are not among the parent's, whose every eviction would have to walk
 * them. The last thing it does is hooked: there the child's space is made, also
 * if no VMA of ours was copied (MADV_DONTFORK). The owners let it share what they
 * have of the parent copy-on-write. What is only in the parent's cache is copied
 * there, if it is not much: that is the case where one child is forked after the
 * other, and these pages, such as the stack, are those that a child uses first.
 * Else it is written to the owners before. The child has a file of its own.
 *
 * No fault of the parent can come in between: mmap_lock is held, its PTEs are
 * gone, and ->fault never runs under a per-VMA lock (fault.c). Nobody else
 * looks at the child's VMAs: its mm has no task yet, and khugepaged or ksmd
 * need its mmap_lock.
 *
 * If this fails, or dup_mmap() before it, then fork does (ENOMEM). The child's mm
 * goes as it is, in exit_mmap(): its copies of our VMAs have neither a file nor
 * operations, and no PTE, so nothing of the parent's is touched.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "pcomp.h"

static inline unsigned long vma_first(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static inline unsigned long vma_last(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* The same as in mm/interval_tree.c, whose functions are not exported. */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, vma_first, vma_last, static inline,
		     i_mmap)

/*
 * A dirty line, locked, is to be written. One that somebody has pinned stays
 * dirty: he may write to it without a fault till he lets it go, and need not say
 * so, as memory that is private to a process is never clean to Linux meanwhile.
 */
static void clean_line(struct pcomp_line *line)
{
	/* the cache's reference and ours, as no PTE is left */
	if (page_count(line->page) == 2)
		folio_clear_dirty(page_folio(line->page));
	pcomp_queue_del(line->pc, line);
	set_bit(LINE_WB, &line->flags);
}

/* Write all dirty lines of the parent, sorted by index as the xarray is. */
static int clean_parent(struct pcomp_space *parent)
{
	struct pcomp *pc = parent->pc;
	struct pcomp_line **batch;
	struct pcomp_wb *wb;
	unsigned int n = 0;
	unsigned long i;
	void *entry;
	int err = 0;

	batch = kmalloc_array(PCOMP_BATCH, sizeof(*batch), GFP_KERNEL);
	wb = pcomp_wb_alloc(pc, PCOMP_BATCH, &pc->cache.wb_wait, true);
	if (!batch || !wb) {
		err = -ENOMEM;
		goto out_free;
	}
	xa_for_each(&parent->pages, i, entry) {
		struct pcomp_line *line = entry;

		if (xa_is_value(entry))
			continue;
		err = pcomp_line_lock(parent, i, line);
		if (err == -EAGAIN) {
			err = 0;
			continue;
		}
		if (err)
			break;
		if (unlikely(PageHWPoison(line->page)) &&
		    PageDirty(line->page)) {
			err = -EHWPOISON;
			pcomp_line_put(line);
			break;
		}
		if (PageDirty(line->page)) {
			clean_line(line);
			batch[n++] = line;
		}
		pcomp_line_put(line);
		cond_resched();
		if (n == PCOMP_BATCH) {
			err = pcomp_wb_run(wb, batch, n);
			n = 0;
			if (err)
				goto out_free;
		}
	}
	if (n)
		err = pcomp_wb_run(wb, batch, n) ?: err;
out_free:
	pcomp_wb_free(wb);
	kfree(batch);
	return err;
}

/**
 * struct fork_copies - pages that the child gets from the parent's cache
 * @nr: how many
 * @index: which
 * @line: copies, in frames of nobody: the child has no owners yet to which they
 *	could be written
 */
struct fork_copies {
	unsigned int nr;
	pgoff_t index[PCOMP_BATCH];
	struct pcomp_line *line[PCOMP_BATCH];
};

/* @line is locked. Return: 0; -E2BIG: there is no room for one more. */
static int copy_aside(struct fork_copies *c, pgoff_t index,
		      struct pcomp_line *line)
{
	struct pcomp_line *copy = NULL;

	if (c->nr < ARRAY_SIZE(c->line))
		copy = pcomp_frame_spare(line->pc);
	if (!copy)
		return -E2BIG;
	copy_highpage(copy->page, line->page);
	c->index[c->nr] = index;
	c->line[c->nr++] = copy;
	return 0;
}

static void drop_copies(struct fork_copies *c)
{
	while (c->nr) {
		struct pcomp_line *line = c->line[--c->nr];

		pcomp_frame_free(line->pc, line);
	}
}

static int install_copies(struct fork_copies *c, struct pcomp_space *child)
{
	int err = 0;

	while (c->nr && !err) {
		c->nr--;
		err = pcomp_line_install(child, c->index[c->nr],
					 c->line[c->nr]);
	}
	return err;
}

/* *@entry: what stands for the page in the child; NULL: nothing, or its copy */
static int copy_line(struct pcomp_space *parent, pgoff_t index,
		     struct pcomp_line *line, struct fork_copies *c,
		     void **entry)
{
	int err = pcomp_line_lock(parent, index, line);

	if (err == -EAGAIN) {
		/* evicted, and no fault can bring it back */
		*entry = xa_load(&parent->pages, index);
		return 0;
	}
	if (err)
		return err;
	*entry = NULL;
	if (test_bit(LINE_REMOTE, &line->flags))
		*entry = pcomp_place_entry(pcomp_line_settled(line));
	if (PageDirty(line->page) && unlikely(PageHWPoison(line->page))) {
		err = -EHWPOISON;
	} else if (PageDirty(line->page) && c) {
		*entry = NULL;
		err = copy_aside(c, index, line);
	}
	pcomp_line_put(line);
	return err;
}

/*
 * What the owners have of the parent, they have of the child, at the same places:
 * pages that only they have stay so till we are done, as nobody can fault, and
 * settled lines stay as they are. What is pinned may be written back before the
 * owners make the child, or after: its place is not known. Dirty lines are
 * copied; without @c they are those that were pinned when they were written, and
 * the child gets what was.
 *
 * Return: 0; -E2BIG: too much is dirty; or another error.
 */
static int copy_pages(struct pcomp_space *parent, struct pcomp_space *child,
		      struct fork_copies *c)
{
	void *entry, *copy;
	unsigned long i;
	int err;

	xa_for_each(&parent->pages, i, entry) {
		copy = entry;
		err = 0;
		if (!xa_is_value(entry))
			err = copy_line(parent, i, entry, c, &copy);
		if (!err && copy)
			err = xa_insert(&child->pages, i, copy, GFP_KERNEL);
		if (err && err != -EBUSY) /* it has it from the first try */
			return err;
		cond_resched();
	}
	return 0;
}

/* @c: gets copies of dirty lines, if they are few; else these are written */
static int share_pages(struct pcomp_space *parent, struct pcomp_space *child,
		       struct fork_copies *c)
{
	unsigned long end = pcomp_again_deadline();
	int err;

	/* dirty bits arrive with it */
	unmap_mapping_pages(parent->file->f_mapping, 0, 0, false);
	err = copy_pages(parent, child, c);
	if (err != -E2BIG)
		return err;
	drop_copies(c);
	do {
		err = clean_parent(parent); /* of what is still dirty */
	} while (pcomp_again(parent, err, end, true));
	return err ?: copy_pages(parent, child, NULL);
}

/*
 * Repeated only if that is asked for (-EBUSY): else it would find what the first
 * one made, or is just making.
 */
static int ask_home(struct pcomp_space *parent, struct pcomp_space *child)
{
	struct mcomp_fork_req req = {
		.parent = cpu_to_le64(parent->id),
		.child = cpu_to_le64(child->id),
	};
	struct lite_call call = {
		.op = MCOMP_SPACE_FORK,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
	};

	return lite_call(child->home, &call);
}

/*
 * The home makes the child, and its parts at the other owners, or none of it.
 * When it is not known whether it did, or it could not reach an owner, that
 * child is given up and another one asked for, by another id: what still
 * happens to the first one does not concern it.
 */
static int fork_at_home(struct pcomp_space *parent, struct pcomp_space *child)
{
	unsigned long end = pcomp_again_deadline();
	struct pcomp_owner *o;
	struct lite_peer *home;
	int err;

	list_for_each_entry(o, &parent->owners, list) {
		do {
			err = pcomp_owner_flush(o);
		} while (pcomp_again(parent, err, end, true));
		if (err && !pcomp_transient(err))
			pcomp_space_lost(parent, o->id, err);
		if (err)
			return err;
	}
	home = lite_member_peer(child->pc->node, parent->home_id);
	if (IS_ERR(home))
		return PTR_ERR(home);
	child->home = home;
	child->home_id = parent->home_id;
	child->vregion_shift = parent->vregion_shift;
	do {
		err = ask_home(parent, child);
		if (pcomp_verdict(err) == PCOMP_BUSY) {
			/* it has done a part, or has no memory: the same one */
			end = pcomp_again_deadline();
			continue;
		}
		/* the parent is not there: it has no memory itself any more */
		if (pcomp_verdict(err) == PCOMP_GONE)
			pcomp_space_lost(parent, parent->home_id, err);
		if (!pcomp_transient(err))
			return err;
		if (pcomp_owners_abandon(child, end))
			return err; /* its end tells the home again */
		if (pcomp_space_renumber(child))
			return -ENOMEM;
	} while (pcomp_again(parent, err, end, true));
	return err;
}

static int fork_space(struct pcomp_space *parent, struct pcomp_space *child)
{
	struct fork_copies *copies;
	int err;

	child->vid = parent->vid;
	child->leader = get_pid(parent->leader);
	strscpy(child->vnode, parent->vnode, sizeof(child->vnode));
	if (READ_ONCE(parent->broken))
		return -EIO;
	copies = kzalloc(sizeof(*copies), GFP_KERNEL);
	if (!copies)
		return -ENOMEM;
	err = share_pages(parent, child, copies);
	if (!err)
		err = fork_at_home(parent, child);
	if (!err)
		err = pcomp_owners_fork(parent, child);
	if (!err)
		err = install_copies(copies, child);
	if (!err)
		err = pcomp_backing_fork(parent, child);
	drop_copies(copies);
	kfree(copies);
	return err;
}

/* The child's copies of our VMAs map the child's file from now on. */
static void link_vmas(struct pcomp_space *parent, struct pcomp_space *child)
{
	struct address_space *mapping = child->file->f_mapping;
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, child->mm, 0);
	i_mmap_lock_write(mapping);
	for_each_vma(vmi, vma) {
		if (vma->vm_ops || vma->vm_private_data != parent)
			continue;
		vma->vm_ops = &pcomp_vm_ops;
		vma->vm_private_data = child;
		vma->vm_file = get_file(child->file);
		/* as dup_mmap() does it */
		if (vma_is_shared_maywrite(vma))
			mapping_allow_writable(mapping);
		i_mmap_insert(vma, &mapping->i_mmap);
	}
	i_mmap_unlock_write(mapping);
}

static int fork_locked(struct pcomp_space *parent, struct pcomp_space *child)
{
	/* lines that are on their way to another address belong to a VMA */
	int err = pcomp_change_wait(parent);

	if (err)
		return err;
	/* what owners copy is what it had when its places were */
	if (mutex_lock_killable(&parent->discard_lock))
		return -EINTR;
	err = fork_space(parent, child);
	mutex_unlock(&parent->discard_lock);
	/*
	 * What was lost on the way may be missing in what was copied. Pairs with
	 * the release in pcomp_space_kill().
	 */
	return err ?: smp_load_acquire(&parent->broken) ? -EIO : 0;
}

/**
 * pcomp_fork() - an mm of ours was copied: make the child's space
 * @oldmm: the parent's, current's
 * @mm: the child's
 *
 * Context: process, both mmap_locks held for writing; sleeps for as long as it
 *	takes to write the parent's dirty lines; killable.
 * Return: 0 or -errno, logged; fork then fails.
 */
int pcomp_fork(struct mm_struct *oldmm, struct mm_struct *mm)
{
	struct pcomp_space *parent = pcomp_space_get(oldmm), *child;
	int err;

	lockdep_assert_held_write(&oldmm->mmap_lock);
	lockdep_assert_held_write(&mm->mmap_lock);
	if (WARN_ON_ONCE(!parent))
		return -EINVAL;
	pcomp_stat_inc(parent->pc, PCOMP_STAT_FORK);
	child = pcomp_space_alloc(mm, parent->pc);
	err = PTR_ERR_OR_ZERO(child);
	if (err)
		goto out;
	err = fork_locked(parent, child);
	if (err) {
		pcomp_space_put(child);
		goto out;
	}
	link_vmas(parent, child);
	pcomp_space_publish(child);
out:
	if (err && !fatal_signal_pending(current))
		pr_err_ratelimited("%s: fork of %s[%d] failed, the child's memory could not be made: error %d\n",
				   parent->pc->name, current->comm,
				   current->tgid, err);
	pcomp_space_put(parent);
	return err;
}
