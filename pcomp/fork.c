// SPDX-License-Identifier: GPL-2.0
/*
 * Fork: dup_mmap() opens the child's copy of each of our VMAs, with both
 * mmap_locks held for writing. At the first one the child's space is made: all
 * that the parent has is brought to its owners, who then let the child share it
 * copy-on-write; the child starts with nothing cached.
 *
 * No fault of the parent can come in between: mmap_lock is held, its PTEs are
 * gone, and ->fault never runs under a per-VMA lock (fault.c).
 *
 * ->open can not fail. A child whose space could not be made has a broken one:
 * it is killed before it can use a page, and the log says why.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "pcomp.h"

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
	wb = pcomp_wb_alloc();
	if (!batch || !wb) {
		err = -ENOMEM;
		goto out_free;
	}
	unmap_mapping_pages(parent->file->f_mapping, 0, 0, false);
	xa_for_each(&parent->pages, i, entry) {
		struct pcomp_line *line = entry;

		if (xa_is_value(entry))
			continue;
		err = pcomp_line_lock(parent, i, line);
		if (err == -EAGAIN)
			continue;
		if (err)
			break;
		if (folio_test_clear_dirty(page_folio(line->page))) {
			pcomp_queue_del(pc, line);
			set_bit(LINE_WB, &line->flags);
			batch[n++] = line;
		}
		pcomp_line_put(line);
		if (n == PCOMP_BATCH) {
			err = pcomp_wb_run(pc, wb, batch, n, true);
			n = 0;
			if (err)
				goto out_free;
		}
	}
	if (n)
		err = pcomp_wb_run(pc, wb, batch, n, true) ?: err;
out_free:
	pcomp_wb_free(wb);
	kfree(batch);
	return err;
}

/*
 * Pages that only the owners have stay so till we are done, as nobody can
 * fault: their places will be the child's, too.
 */
static int copy_places(struct pcomp_space *parent, struct pcomp_space *child)
{
	unsigned long i;
	void *entry;
	int err;

	xa_for_each(&parent->pages, i, entry) {
		if (!xa_is_value(entry))
			continue;
		err = xa_err(xa_store(&child->pages, i, entry, GFP_KERNEL));
		if (err)
			return err;
	}
	return 0;
}

/*
 * What the owners have of the parent, they have of the child. Cached lines were
 * pinned perhaps, and may have been written back since the fork: where the
 * child's version of these is we do not know.
 */
static int copy_index(struct pcomp_space *parent, struct pcomp_space *child)
{
	unsigned long i;
	void *entry;
	int err;

	xa_for_each(&parent->pages, i, entry) {
		struct pcomp_line *line = entry;

		if (!xa_is_value(entry) &&
		    !test_bit(LINE_REMOTE, &line->flags))
			continue;
		err = xa_insert(&child->pages, i, pcomp_place_entry(0),
				GFP_KERNEL);
		if (err && err != -EBUSY) /* copy_places() did it */
			return err;
	}
	return 0;
}

/* Not repeated: that would find what the first one made, or is just making. */
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
	unsigned long end = pcomp_again_deadline();
	int err;

	child->vid = parent->vid;
	child->leader = parent->leader;
	strscpy(child->vnode, parent->vnode, sizeof(child->vnode));
	child->file = get_file(parent->file);
	if (READ_ONCE(parent->broken))
		return -EIO;
	do {
		err = clean_parent(parent); /* of what is still dirty */
	} while (pcomp_again(parent, err, end, true));
	if (!err)
		err = copy_places(parent, child);
	if (!err)
		err = fork_at_home(parent, child);
	if (!err)
		err = pcomp_owners_fork(parent, child);
	if (!err)
		err = copy_index(parent, child);
	if (!err)
		err = pcomp_backing_fork(parent, child);
	return err;
}

static vm_fault_t dead_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

/* For a child that has not even a space: whatever it touches ends it. */
static const struct vm_operations_struct dead_ops = {
	.fault = dead_fault,
};

/**
 * pcomp_fork() - a VMA of ours was copied into another mm
 * @parent: whose it was
 * @vma: the copy; gets its own space
 *
 * Context: process, both mmap_locks held for writing; sleeps for as long as it
 *	takes to write the parent's dirty lines.
 */
void pcomp_fork(struct pcomp_space *parent, struct vm_area_struct *vma)
{
	struct pcomp_space *child = pcomp_space_get(vma->vm_mm);
	int err;

	if (child) {
		vma->vm_private_data = child;
		pcomp_space_put(child);
		return;
	}
	child = pcomp_space_alloc(vma->vm_mm, parent->pc);
	if (IS_ERR(child)) {
		pr_err("%s: fork of %s[%d] failed: error %ld\n",
		       parent->pc->name, current->comm, current->tgid,
		       PTR_ERR(child));
		vma->vm_ops = &dead_ops;
		return;
	}
	pcomp_stat_inc(parent->pc, PCOMP_STAT_FORK);
	/* lines that are on their way to another address belong to a VMA */
	err = pcomp_change_wait(parent);
	if (!err) {
		/* what owners copy is what it had when its places were */
		mutex_lock(&parent->discard_lock);
		err = fork_space(parent, child);
		mutex_unlock(&parent->discard_lock);
	}
	if (err) {
		pr_err("%s: fork of %s[%d] failed, the child is ended: error %d\n",
		       parent->pc->name, current->comm, current->tgid, err);
		WRITE_ONCE(child->broken, true);
	}
	vma->vm_private_data = child;
	pcomp_space_publish(child);
}
