// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lite: memory that both the program and the device reach. It is the
 * kernel's, mapped into the program, rather than the program's, pinned: a
 * program in a vNode has no memory that stays where it is.
 */
#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user.h"

/* file offset of a region: its id, and room for any size */
#define OFFSET_SHIFT 44

static struct user_mem *to_mem(struct user_handle *h)
{
	return container_of(h, struct user_mem, h);
}

/* ---- the memory: counted until the last has let go of it ---- */

/* A limit for each user, whatever he opens: as io_uring's. */
static int charge(struct user_struct *user, unsigned long nr)
{
	unsigned long most = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	long has = atomic_long_read(&user->locked_vm);

	do {
		if (nr > most || has > most - nr)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &has, has + nr));
	return 0;
}

static void pages_release(struct kref *ref)
{
	struct user_pages *p = container_of(ref, struct user_pages, ref);
	unsigned long i;

	for (i = 0; i < p->nr && p->pages[i]; i++) {
		put_page(p->pages[i]);
		cond_resched();
	}
	kvfree(p->pages);
	if (p->user) {
		atomic_long_sub(p->nr, &p->user->locked_vm);
		free_uid(p->user);
	}
	kfree(p);
}

static void pages_put(struct user_pages *p)
{
	kref_put(&p->ref, pages_release);
}

static int pages_fill(struct user_pages *p)
{
	unsigned long i;

	for (i = 0; i < p->nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		p->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					 __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
		if (!p->pages[i])
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static struct user_pages *pages_alloc(unsigned long nr)
{
	struct user_pages *p;
	int err;

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOMEM);
	kref_init(&p->ref);
	p->nr = nr;
	if (!capable(CAP_IPC_LOCK)) {
		err = charge(current_user(), nr);
		if (err)
			goto err_free;
		p->user = get_uid(current_user());
	}
	err = -ENOMEM;
	p->pages = kvcalloc(nr, sizeof(*p->pages), GFP_KERNEL_ACCOUNT);
	if (p->pages)
		err = pages_fill(p);
	else
		p->nr = 0;
	if (!err)
		return p;
	if (!p->pages && p->user)
		atomic_long_sub(nr, &p->user->locked_vm);
	pages_put(p);
	return ERR_PTR(err);

err_free:
	kfree(p);
	return ERR_PTR(err);
}

static void mapping_open(struct vm_area_struct *vma)
{
	struct user_pages *p = vma->vm_private_data;

	kref_get(&p->ref);
}

static void mapping_close(struct vm_area_struct *vma)
{
	pages_put(vma->vm_private_data);
}

static const struct vm_operations_struct mapping_ops = {
	.open = mapping_open,
	.close = mapping_close,
};

/* ---- regions ---- */

static void free_mem(struct user_mem *m)
{
	lite_mr_destroy(m->mr);
	pages_put(m->p);
	kfree(m);
}

static struct user_mem *make_mem(struct lite_user *u, unsigned long nr,
				 u32 access)
{
	struct user_mem *m;
	int err;

	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->p = pages_alloc(nr);
	err = PTR_ERR_OR_ZERO(m->p);
	if (err)
		goto err_free;
	m->mr = lite_mr_create(u->node, m->p->pages, nr, access);
	err = PTR_ERR_OR_ZERO(m->mr);
	if (err)
		goto err_put;
	return m;

err_put:
	pages_put(m->p);
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
	a.size = (u64)m->p->nr << PAGE_SHIFT;
	err = user_handle_add(u, &u->mems, &m->h, &a.id);
	if (err) {
		free_mem(m);
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
 * What is mapped stays, as memory that still counts.
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
	free_mem(to_mem(h));
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
	struct user_pages *p;
	int err;

	if (!(vma->vm_flags & VM_SHARED) || at)
		return -EINVAL;
	h = user_handle_get(u, &u->mems, off >> OFFSET_SHIFT);
	if (!h)
		return -EBADF;
	p = to_mem(h)->p;
	lite_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND);
	err = vm_map_pages_zero(vma, p->pages, p->nr);
	if (!err) {
		kref_get(&p->ref);
		vma->vm_private_data = p;
		vma->vm_ops = &mapping_ops;
	}
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
		lite_mr_revoke(to_mem(h)->mr);
	}
	synchronize_rcu(); /* once for all, as lite_mr_revoke() demands */
	xa_for_each(&u->mems, id, h) {
		xa_erase(&u->mems, id);
		lite_mr_free(to_mem(h)->mr);
		pages_put(to_mem(h)->p);
		kfree(to_mem(h));
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
		if (!sge[i].len || sge[i].off > (u64)m->p->nr << PAGE_SHIFT ||
		    sge[i].len > ((u64)m->p->nr << PAGE_SHIFT) - sge[i].off)
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
