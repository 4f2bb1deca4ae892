// SPDX-License-Identifier: GPL-2.0
/*
 * The syscall shim, memory: what a vNode's process asks of its address space.
 * Each function stands in for a syscall (hook.c) and is only called for such a
 * process; what does not concern private memory goes to the original.
 *
 * What is captured: private mappings that are anonymous, whatever their
 * protection, or writable. A private mapping of a file that can't be written
 * has no private pages; it is captured when mprotect() makes it writable.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include "pcomp.h"

static struct pcomp_space *enter(void)
{
	struct pcomp_space *s = pcomp_space_get(current->mm);

	if (!s)
		return ERR_PTR(-EFAULT);
	if (mutex_lock_killable(&s->map_lock)) {
		pcomp_space_put(s);
		return ERR_PTR(-EINTR);
	}
	return s;
}

static void leave(struct pcomp_space *s)
{
	mutex_unlock(&s->map_lock);
	pcomp_space_put(s);
}

static bool is_dev_zero(struct file *file)
{
	return S_ISCHR(file_inode(file)->i_mode) &&
	       file_inode(file)->i_rdev == MKDEV(MEM_MAJOR, 5);
}

/* The file of a private writable mapping; NULL: treat it as anonymous. */
static struct file *private_file(int fd, bool *ours)
{
	struct file *file = fget(fd);

	*ours = true;
	if (!file)
		return ERR_PTR(-EBADF);
	if (is_dev_zero(file)) {
		fput(file);
		return NULL;
	}
	if (!S_ISREG(file_inode(file)->i_mode)) {
		/* a device's idea of a private mapping is its own */
		*ours = false;
		fput(file);
		return NULL;
	}
	if (!(file->f_mode & FMODE_READ)) {
		fput(file);
		return ERR_PTR(-EACCES);
	}
	return file;
}

static long do_map(struct pcomp_space *s, const struct pt_regs *regs)
{
	unsigned long addr = regs->di, len = regs->si, prot = regs->dx;
	unsigned long flags = regs->r10, off = regs->r9;
	bool ours = (flags & MAP_TYPE) == MAP_PRIVATE &&
		    ((flags & MAP_ANONYMOUS) || (prot & PROT_WRITE));
	struct file *file = NULL;
	long r;

	if (!len || offset_in_page(off) || len > TASK_SIZE)
		return pcomp_orig(PCOMP_HOOK_MMAP, regs);
	if (ours && (flags & MAP_HUGETLB))
		return -ENOMEM;
	if (ours && !(flags & MAP_ANONYMOUS)) {
		file = private_file(regs->r8, &ours);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	if ((flags & MAP_FIXED) && !offset_in_page(addr) &&
	    addr <= TASK_SIZE - len && (flags & MAP_TYPE)) {
		r = pcomp_unmap(s, addr, len);
		if (r)
			goto out_file;
	}
	if (ours)
		r = pcomp_map(s, addr, len, prot, flags, file,
			      off >> PAGE_SHIFT);
	else
		r = pcomp_orig(PCOMP_HOOK_MMAP, regs);
out_file:
	if (file)
		fput(file);
	return r;
}

/**
 * pcomp_sys_mmap() - mmap(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as mmap(2). Differences: MAP_HUGETLB is -ENOMEM, MAP_GROWSDOWN is
 * ignored for private memory.
 */
long pcomp_sys_mmap(const struct pt_regs *regs)
{
	struct pcomp_space *s = enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = do_map(s, regs);
	leave(s);
	return r;
}

/**
 * pcomp_sys_munmap() - munmap(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as munmap(2).
 */
long pcomp_sys_munmap(const struct pt_regs *regs)
{
	struct pcomp_space *s = enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = pcomp_unmap(s, regs->di, regs->si);
	leave(s);
	return r;
}

/*
 * Move what is in [from, from + len) of ours to a mapping of @to_len made for
 * it.
 */
static int move_lines(struct pcomp_space *s, unsigned long from,
		      unsigned long to, unsigned long len, unsigned long to_len)
{
	pgoff_t f = from >> PAGE_SHIFT, t = to >> PAGE_SHIFT;
	pgoff_t nr = len >> PAGE_SHIFT;
	unsigned long i;
	void *entry;
	int err;

	err = pcomp_backing_move(s, f, t, nr);
	if (!err && to_len > len)
		err = pcomp_backing_grow(s, f + nr - 1, t + nr,
					 t + (to_len >> PAGE_SHIFT) - 1);
	if (err)
		return err;
	xa_for_each_range(&s->pages, i, entry, f, f + nr - 1) {
		err = pcomp_line_move(s, i, i - f + t);
		if (err && err != -ENOENT)
			return err;
		cond_resched();
	}
	return 0;
}

/* What mprotect() last said of an address. */
static unsigned long prot_at(unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned long prot = 0;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	if (vma && vma->vm_start <= addr)
		prot = (vma->vm_flags & VM_READ ? PROT_READ : 0) |
		       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
		       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
	mmap_read_unlock(current->mm);
	return prot;
}

static long move(struct pcomp_space *s, unsigned long addr,
		 unsigned long old_len, unsigned long new_len,
		 unsigned long flags, unsigned long new_addr)
{
	unsigned long n = min(old_len, new_len);
	long r;

	if (flags & MREMAP_FIXED) {
		if (offset_in_page(new_addr) || new_len > TASK_SIZE ||
		    new_addr > TASK_SIZE - new_len)
			return -EINVAL;
		if (addr + old_len > new_addr && new_addr + new_len > addr)
			return -EINVAL;
		r = pcomp_unmap(s, new_addr, new_len);
		if (r)
			return r;
	}
	r = pcomp_map(s, flags & MREMAP_FIXED ? new_addr : 0, new_len,
		      prot_at(addr), flags & MREMAP_FIXED ? MAP_FIXED : 0,
		      NULL, 0);
	if (IS_ERR_VALUE(r))
		return r;
	new_addr = r;
	r = move_lines(s, addr, new_addr, n, new_len);
	if (r) {
		/* what has moved can't be lost: better both than neither */
		pcomp_kill_current("mremap lost its way between two addresses", r);
		return r;
	}
	r = pcomp_unmap(s, addr, old_len);
	return r ? r : new_addr;
}

static bool is_free(unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, start);
	mmap_read_unlock(current->mm);
	return !vma || vma->vm_start >= end;
}

/* The page offset grows with the address. -ENOMEM: there is no room. */
static long grow_in_place(struct pcomp_space *s, const struct pt_regs *regs,
			  unsigned long start, unsigned long end)
{
	pgoff_t first = start >> PAGE_SHIFT, last = (end >> PAGE_SHIFT) - 1;
	struct pt_regs in_place = *regs;
	long r;

	if (end < start || end > TASK_SIZE || !is_free(start, end))
		return -ENOMEM;
	/* as for a new mapping: map_at() */
	r = pcomp_lines_discard(s, first, last);
	if (r < 0)
		return r;
	pcomp_backing_del(s, first, last);
	r = pcomp_log(s, MCOMP_VMA_MAP, start, end - start,
		      prot_at(start - 1));
	if (!r)
		r = pcomp_backing_grow(s, first - 1, first, last);
	if (r)
		return r;
	in_place.r10 = 0;
	r = pcomp_orig(PCOMP_HOOK_MREMAP, &in_place);
	/* the log said too much; that is harmless but for what is there */
	if (IS_ERR_VALUE(r))
		pcomp_backing_del(s, first, last);
	return r;
}

static long remap(struct pcomp_space *s, const struct pt_regs *regs)
{
	unsigned long addr = regs->di, old_len = PAGE_ALIGN(regs->si);
	unsigned long new_len = PAGE_ALIGN(regs->dx), flags = regs->r10;
	long r;

	if (!pcomp_is_ours(current->mm, addr)) {
		if ((flags & MREMAP_FIXED) && !offset_in_page(regs->r8) &&
		    new_len && new_len <= TASK_SIZE &&
		    regs->r8 <= TASK_SIZE - new_len &&
		    (addr + old_len <= regs->r8 ||
		     regs->r8 + new_len <= addr)) {
			r = pcomp_unmap(s, regs->r8, new_len);
			if (r)
				return r;
		}
		return pcomp_orig(PCOMP_HOOK_MREMAP, regs);
	}
	if (!new_len || !old_len || offset_in_page(addr) ||
	    (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) ||
	    ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if (addr + old_len < addr)
		return -EFAULT;
	if (flags & MREMAP_FIXED)
		return move(s, addr, old_len, new_len, flags, regs->r8);
	if (new_len == old_len)
		return addr;
	if (new_len < old_len) {
		r = pcomp_unmap(s, addr + new_len, old_len - new_len);
		return r ? r : addr;
	}
	r = grow_in_place(s, regs, addr + old_len, addr + new_len);
	if (r != -ENOMEM || !(flags & MREMAP_MAYMOVE))
		return r;
	return move(s, addr, old_len, new_len, flags, 0);
}

/**
 * pcomp_sys_mremap() - mremap(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as mremap(2). Difference: MREMAP_DONTUNMAP is -EINVAL for private
 * memory.
 */
long pcomp_sys_mremap(const struct pt_regs *regs)
{
	struct pcomp_space *s = enter();
	long r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = remap(s, regs);
	leave(s);
	return r;
}

static unsigned long set_brk(struct mm_struct *mm, unsigned long brk)
{
	mmap_write_lock(mm);
	mm->brk = brk;
	mmap_write_unlock(mm);
	return brk;
}

static unsigned long do_brk_call(struct pcomp_space *s, unsigned long brk)
{
	struct mm_struct *mm = current->mm;
	unsigned long old = PAGE_ALIGN(mm->brk), new = PAGE_ALIGN(brk);

	if (brk < mm->start_brk || new < brk ||
	    check_data_rlimit(rlimit(RLIMIT_DATA), brk, mm->start_brk,
			      mm->end_data, mm->start_data))
		return mm->brk;
	if (new > old &&
	    IS_ERR_VALUE(pcomp_map(s, old, new - old, PROT_READ | PROT_WRITE,
				   MAP_FIXED_NOREPLACE, NULL, 0)))
		return mm->brk;
	if (new < old && pcomp_unmap(s, new, old - new))
		return mm->brk;
	return set_brk(mm, brk);
}

/**
 * pcomp_sys_brk() - brk(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as the syscall: the new break, or the old one.
 */
long pcomp_sys_brk(const struct pt_regs *regs)
{
	struct pcomp_space *s = enter();
	long r;

	if (IS_ERR(s))
		return current->mm->brk;
	r = do_brk_call(s, regs->di);
	leave(s);
	return r;
}

/* A private mapping that is not ours, in a range. */
struct foreign {
	unsigned long start;
	unsigned long end;
	unsigned long prot;
	struct file *file;
	pgoff_t pgoff;
};

static bool find_foreign(unsigned long at, unsigned long end,
			 struct foreign *f)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	VMA_ITERATOR(vmi, mm, at);
	for_each_vma_range(vmi, vma, end) {
		/* VM_IO and its like: vdso, devices */
		if (vma->vm_flags & (VM_MAYSHARE | VM_WRITE | VM_IO |
				     VM_PFNMAP | VM_MIXEDMAP | VM_DONTEXPAND))
			continue;
		if (vma->vm_file &&
		    !S_ISREG(file_inode(vma->vm_file)->i_mode))
			continue;
		f->start = max(at, vma->vm_start);
		f->end = min(end, vma->vm_end);
		f->prot = (vma->vm_flags & VM_READ ? PROT_READ : 0) |
			  (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
		f->file = vma->vm_file ? get_file(vma->vm_file) : NULL;
		f->pgoff = vma->vm_pgoff +
			   ((f->start - vma->vm_start) >> PAGE_SHIFT);
		found = true;
		break;
	}
	mmap_read_unlock(mm);
	return found;
}

/* Capture what is about to become private and writable. */
static long capture_range(struct pcomp_space *s, unsigned long at,
			  unsigned long end)
{
	struct foreign f;
	long r;

	while (at < end && find_foreign(at, end, &f)) {
		if (f.file) {
			r = pcomp_unmap(s, f.start, f.end - f.start);
			if (!r)
				r = pcomp_map(s, f.start, f.end - f.start,
					      f.prot, MAP_FIXED_NOREPLACE,
					      f.file, f.pgoff);
			fput(f.file);
		} else {
			r = pcomp_capture(s, f.start, f.end, f.start, f.prot);
		}
		if (IS_ERR_VALUE(r))
			return r;
		at = f.end;
	}
	return 0;
}

static long protect(const struct pt_regs *regs, enum pcomp_hook_id hook)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);
	unsigned long prot = regs->dx;
	struct pcomp_space *s;
	long r = 0;

	if (offset_in_page(start) || !len || start + len <= start)
		return pcomp_orig(hook, regs);
	s = enter();
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (prot & PROT_WRITE)
		r = capture_range(s, start, start + len);
	if (!r)
		r = pcomp_orig(hook, regs);
	if (!r)
		r = pcomp_log(s, MCOMP_VMA_PROTECT, start, len,
			      prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
	leave(s);
	return r;
}

/**
 * pcomp_sys_mprotect() - mprotect(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as mprotect(2).
 */
long pcomp_sys_mprotect(const struct pt_regs *regs)
{
	return protect(regs, PCOMP_HOOK_MPROTECT);
}

/**
 * pcomp_sys_pkey_mprotect() - pkey_mprotect(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as pkey_mprotect(2).
 */
long pcomp_sys_pkey_mprotect(const struct pt_regs *regs)
{
	return protect(regs, PCOMP_HOOK_PKEY_MPROTECT);
}

/* Contents of a range are given up, the mappings stay. */
static long discard(const struct pt_regs *regs, bool zap)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);
	struct pcomp_space *s = enter();
	long r = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (zap)
		r = pcomp_orig(PCOMP_HOOK_MADVISE, regs);
	/* -ENOMEM: there were holes, the rest was done */
	if ((!r || r == -ENOMEM) && len && !offset_in_page(start) &&
	    start + len > start) {
		pgoff_t first = start >> PAGE_SHIFT;

		if (pcomp_lines_discard(s, first,
					first + (len >> PAGE_SHIFT) - 1) > 0 &&
		    pcomp_log(s, MCOMP_VMA_DISCARD, start, len, 0))
			r = -ENOMEM;
	}
	leave(s);
	return r;
}

/**
 * pcomp_sys_madvise() - madvise(2) of a vNode's process
 * @regs: arguments
 *
 * Return: as madvise(2). Differences: MADV_FREE frees at once; MADV_WIPEONFORK
 * is -EINVAL.
 */
long pcomp_sys_madvise(const struct pt_regs *regs)
{
	switch (regs->dx) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return discard(regs, true);
	case MADV_FREE:
		if (pcomp_is_ours(current->mm, regs->di))
			return discard(regs, false);
		break;
	case MADV_REMOVE:
		if (pcomp_is_ours(current->mm, regs->di))
			return -EINVAL;
		break;
	}
	return pcomp_orig(PCOMP_HOOK_MADVISE, regs);
}
