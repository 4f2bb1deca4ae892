// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lite: memory that both the program and the device reach. It is the
 * kernel's, mapped into the program, rather than the program's, pinned: a
 * program in a vNode has no memory that stays where it is.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

/* file offset of a region: its id, and room for any size */
#define OFFSET_SHIFT 44

static struct user_mem *to_mem(struct user_handle *h)
{
	return container_of(h, struct user_mem, h);
}

static void free_mem(struct lite_user *u, struct user_mem *m)
{
	unsigned long i;

	lite_mr_destroy(m->mr);
	for (i = 0; i < m->nr && m->pages[i]; i++) {
		put_page(m->pages[i]); /* may be mapped still */
		cond_resched();
	}
	kvfree(m->pages);
	account_locked_vm(u->mm, m->nr, false);
	kfree(m);
}

static int fill(struct user_mem *m)
{
	unsigned long i;

	for (i = 0; i < m->nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		m->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					 __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
		if (!m->pages[i])
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static struct user_mem *make_mem(struct lite_user *u, unsigned long nr,
				 u32 access)
{
	struct user_mem *m;
	int err;

	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->nr = nr;
	err = account_locked_vm(u->mm, nr, true);
	if (err)
		goto err_free;
	m->pages = kvcalloc(nr, sizeof(*m->pages), GFP_KERNEL_ACCOUNT);
	if (!m->pages) {
		account_locked_vm(u->mm, nr, false);
		err = -ENOMEM;
		goto err_free;
	}
	err = fill(m);
	if (!err)
		m->mr = lite_mr_create(u->node, m->pages, nr, access);
	if (!err && IS_ERR(m->mr)) {
		err = PTR_ERR(m->mr);
		m->mr = NULL;
	}
	if (!err)
		return m;
	free_mem(u, m);
	return ERR_PTR(err);

err_free:
	kfree(m);
	return ERR_PTR(err);
}

/**
 * user_mem_alloc() - LITE_IOC_MEM_ALLOC
 * @u: file
 * @arg: struct lite_u_mem
 *
 * Context: process, may sleep. Return: 0 or a negative errno.
 */
long user_mem_alloc(struct lite_user *u, void __user *arg)
{
	struct lite_u_mem a;
	struct user_mem *m;
	int err;

	BUILD_BUG_ON(LITE_U_READ != LITE_MR_READ);
	BUILD_BUG_ON(LITE_U_WRITE != LITE_MR_WRITE);
	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (!a.size || a.access & ~(LITE_U_READ | LITE_U_WRITE))
		return -EINVAL;
	if (DIV_ROUND_UP_ULL(a.size, PAGE_SIZE) > totalram_pages())
		return -ENOMEM;
	m = make_mem(u, DIV_ROUND_UP_ULL(a.size, PAGE_SIZE), a.access);
	if (IS_ERR(m))
		return PTR_ERR(m);
	a.size = (u64)m->nr << PAGE_SHIFT;
	err = user_handle_add(u, &u->mems, &m->h, &a.id);
	if (err) {
		free_mem(u, m);
		return err;
	}
	/* from here on another thread may free it */
	a.offset = (u64)a.id << OFFSET_SHIFT;
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

/**
 * user_mem_free() - LITE_IOC_MEM_FREE
 * @u: file
 * @arg: id
 *
 * What is mapped stays, as memory.
 * Context: process, may sleep, bounded. Return: 0, -EBADF, -EBUSY, -EINTR.
 */
long user_mem_free(struct lite_user *u, void __user *arg)
{
	struct user_handle *h;
	u32 id;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	h = user_handle_take(u, &u->mems, id);
	if (IS_ERR(h))
		return PTR_ERR(h);
	free_mem(u, to_mem(h));
	return 0;
}

/**
 * user_mem_map() - mmap() of a region
 * @u: file
 * @vma: where; not inherited, so that the node ends with its program
 *
 * Context: process, mmap_lock held for writing.
 * Return: 0, -EINVAL, -EBADF (no such region), -ENXIO (longer than it).
 */
int user_mem_map(struct lite_user *u, struct vm_area_struct *vma)
{
	u64 off = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 at = off & ((1ULL << OFFSET_SHIFT) - 1);
	struct user_handle *h;
	int err;

	if (!(vma->vm_flags & VM_SHARED) || at)
		return -EINVAL;
	h = user_handle_get(u, &u->mems, off >> OFFSET_SHIFT);
	if (!h)
		return -EBADF;
	lite_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND);
	err = vm_map_pages_zero(vma, to_mem(h)->pages, to_mem(h)->nr);
	user_handle_put(h);
	return err;
}

/**
 * user_mem_exit() - free all regions
 * @u: file, whose calls are over and whose node is stopped
 *
 * Waits for what was pushed from them, which ends with the connections.
 * Context: process, may sleep.
 */
void user_mem_exit(struct lite_user *u)
{
	struct user_handle *h;
	unsigned long id;

	xa_for_each(&u->mems, id, h) {
		wait_event(u->wait, !atomic_read(&h->users));
		xa_erase(&u->mems, id);
		free_mem(u, to_mem(h));
	}
}

/**
 * user_sges_get() - pieces of memory that a program names
 * @u: file
 * @s: filled in; nothing in it on an error
 * @from: struct lite_u_sge of the program
 * @nr: how many
 *
 * Context: process, may sleep. Return: 0, -EINVAL, -EFAULT, -EBADF.
 */
int user_sges_get(struct lite_user *u, struct user_sges *s, u64 from, u32 nr)
{
	struct lite_u_sge sge[LITE_U_SGES_MAX];
	struct user_mem *m;
	int err = 0;
	u32 i;

	BUILD_BUG_ON(LITE_U_SGES_MAX > LITE_MAX_SEGS);
	s->nr = 0;
	if (nr > LITE_U_SGES_MAX)
		return -EINVAL;
	if (copy_from_user(sge, u64_to_user_ptr(from), nr * sizeof(*sge)))
		return -EFAULT;
	for (i = 0; i < nr && !err; i++) {
		s->mem[i] = user_handle_get(u, &u->mems, sge[i].mem);
		if (!s->mem[i]) {
			err = -EBADF;
			break;
		}
		s->nr++;
		m = to_mem(s->mem[i]);
		s->sge[i] = (struct lite_sge){
			.mr = m->mr,
			.off = sge[i].off,
			.len = sge[i].len,
		};
		if (!sge[i].len || sge[i].off > (u64)m->nr << PAGE_SHIFT ||
		    sge[i].len > ((u64)m->nr << PAGE_SHIFT) - sge[i].off)
			err = -EINVAL;
	}
	if (err)
		user_sges_put(s);
	return err;
}

/**
 * user_sges_put() - the pieces are used no more
 * @s: from user_sges_get(); putting them again is no harm
 *
 * Context: any.
 */
void user_sges_put(struct user_sges *s)
{
	while (s->nr)
		user_handle_put(s->mem[--s->nr]);
}
