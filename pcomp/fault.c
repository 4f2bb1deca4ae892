// SPDX-License-Identifier: GPL-2.0
/*
 * The page-fault hook: a VMA that maps a file of a pseudo file system of our
 * own, whose ->fault returns lines of ExCache.
 *
 * A line's page has ->mapping and ->index set though it is in no page cache (as
 * fb_defio's pages do): that gives rmap through the file's i_mmap,
 * unmap_mapping_pages() for eviction, get_user_pages() and shared futexes.
 * There is no ->page_mkwrite: the PTE is writable from the start, and the
 * hardware's dirty bit reaches the page when it is unmapped. There is no
 * ->close either, because VMAs with one are never merged.
 *
 * memory_failure() knows no such pages: it marks a frame whose memory has failed
 * (PageHWPoison), and does no more. Who comes for its line finds the mark. What is
 * clean is had again in another frame; what was written is lost, and its process
 * is told as by Linux, by SIGBUS. The frame is never used again.
 *
 * ->map_pages is not set: that keeps ->fault under mmap_lock on kernels with
 * per-VMA locks, which fork.c relies on.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include "pcomp.h"

static vm_fault_t line_fault(struct vm_fault *vmf)
{
	struct pcomp_space *s = vmf->vma->vm_private_data;
	struct pcomp_line *line;

	if (unlikely(pcomp_change_fault(s, vmf->pgoff)))
		return VM_FAULT_SIGBUS;
	line = pcomp_line_get(s, vmf->pgoff);
	if (IS_ERR(line)) {
		if (line == ERR_PTR(-ENOMEM))
			return VM_FAULT_OOM;
		if (line == ERR_PTR(-EHWPOISON))
			return VM_FAULT_HWPOISON;
		/*
		 * Pages that are lost end the process. SIGBUS is for what has
		 * it on Linux, too: it is past the end of a file. To one that
		 * is being killed it does not matter what is returned. Pairs
		 * with the release in pcomp_space_kill().
		 */
		if (smp_load_acquire(&s->broken))
			pcomp_space_kill_current(s);
		return VM_FAULT_SIGBUS;
	}
	/* the reference becomes the PTE's, the lock is dropped by the caller */
	vmf->page = line->page;
	return VM_FAULT_LOCKED;
}

/*
 * VMAs are opened when they are split, moved, and copied by fork. Only the last
 * has another mm. What dup_mmap() finds without a file it links to no i_mmap, and
 * what has no operations needs nobody if the fork fails; if it does not,
 * pcomp_fork() gives it the child's. Until then a fault would be SIGBUS.
 */
static void line_open(struct vm_area_struct *vma)
{
	struct pcomp_space *s = vma->vm_private_data;

	if (vma->vm_mm != s->mm) {
		vma->vm_file = NULL; /* dup_mmap() has no reference yet */
		vma->vm_ops = NULL;
	} else if (vma->vm_pgoff != vma->vm_start >> PAGE_SHIFT) {
		pcomp_change_moved(s, vma);
	}
}

const struct vm_operations_struct pcomp_vm_ops = {
	.fault = line_fault,
	.open = line_open,
};

/*
 * Refused: who asks has found a page poisoned that ->fault had found good, and
 * would take it out of a page cache that it is not in (do_fault()).
 */
static bool line_release(struct folio *folio, gfp_t gfp)
{
	return false;
}

static const struct address_space_operations line_aops = {
	.dirty_folio = noop_dirty_folio,
	.release_folio = line_release,
};

/* Only for the mm whose file it is: sysmem.c made sure, /proc can not. */
static int line_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct pcomp_space *s = pcomp_space_get(vma->vm_mm);

	if (!s)
		return -EACCES;
	if (s->file != file || !(vma->vm_flags & VM_SHARED)) {
		pcomp_space_put(s);
		return -EACCES;
	}
	vma->vm_ops = &pcomp_vm_ops;
	/* not counted: the space outlives the mm */
	vma->vm_private_data = s;
	pcomp_space_put(s);
	return 0;
}

static const struct file_operations line_fops = {
	.owner = THIS_MODULE,
	.mmap = line_mmap,
	.get_unmapped_area = pcomp_change_area,
	.fsync = noop_fsync, /* msync(): there is nothing to be written */
};

static struct inode *inode_create(void)
{
	struct inode *inode = alloc_anon_inode(pcomp_mnt->mnt_sb);

	if (IS_ERR(inode))
		return inode;
	inode->i_mode = S_IFREG | 0600;
	inode->i_flags |= S_NOCMTIME | S_NOATIME;
	i_size_write(inode, MAX_LFS_FILESIZE);
	inode->i_mapping->a_ops = &line_aops;
	mapping_set_release_always(inode->i_mapping);
	return inode;
}

/**
 * pcomp_file_create() - a file that VMAs of ExCache map
 *
 * Return: the file, for fput(), or ERR_PTR.
 */
struct file *pcomp_file_create(void)
{
	struct inode *inode = inode_create();
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	/*
	 * Core dumps have shared mappings of such a file as anonymous memory,
	 * and no others.
	 */
	clear_nlink(inode);
	file = alloc_file_pseudo(inode, pcomp_mnt, "[lego]", O_RDWR,
				 &line_fops);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}
	/* fput() drops one; the space that the file is for has another */
	__module_get(THIS_MODULE);
	return file;
}
