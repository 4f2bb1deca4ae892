// SPDX-License-Identifier: GPL-2.0
/*
 * The syscall shim, exec: a process enters a vNode, or is in one, and gets a
 * new image. The kernel's own exec does the loading. When it has succeeded, and
 * before the program's first instruction, each private writable mapping (data,
 * bss, stack) is replaced by one of ExCache; ld.so, malloc and the rest then
 * come through mmap and brk.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/rculist.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/thread_info.h>
#include "pcomp.h"

/**
 * struct pcomp_entry - a task whose next exec enters a vNode
 * @node: in entries
 * @task: the task, referenced: another can not get its address
 * @place: where to
 * @rcu: readers are in pcomp_entering()
 */
struct pcomp_entry {
	struct hlist_node node;
	struct task_struct *task;
	struct pcomp_place place;
	struct rcu_head rcu;
};

/* Tasks between LEGO_IOC_ENTER and exec. A leaf lock; read under RCU. */
static HLIST_HEAD(entries);
static DEFINE_SPINLOCK(entries_lock);

#define STACK_MAX ((unsigned long)SZ_1G)
#define ENTER_MS 5000

/**
 * pcomp_entering() - has the current task been told to enter a vNode?
 *
 * Context: any with preemption disabled, also where tracing may not recurse.
 */
notrace bool pcomp_entering(void)
{
	struct pcomp_entry *e;
	bool found = false;

	rcu_read_lock_sched_notrace();
	hlist_for_each_entry_rcu_notrace(e, &entries, node)
		if (e->task == current)
			found = true;
	rcu_read_unlock_sched_notrace();
	return found;
}

static void entry_place(struct pcomp_place *place)
{
	struct pcomp_entry *e;

	spin_lock(&entries_lock);
	hlist_for_each_entry(e, &entries, node)
		if (e->task == current) {
			*place = e->place;
			pcomp_get(place->pc);
			get_pid(place->leader);
			break;
		}
	spin_unlock(&entries_lock);
}

/**
 * pcomp_enter() - the current task's next exec enters a vNode
 * @pc: component
 * @vnode: name of the vNode
 *
 * Context: process, may sleep, bounded.
 * Return: for pcomp_entry_close() when the task has exec'ed, or changed its
 *	mind; or ERR_PTR: -ENOENT (no such vNode), -EHOSTUNREACH (gmgr does not
 *	answer), -EBUSY (is in one).
 */
struct pcomp_entry *pcomp_enter(struct pcomp *pc, const char *vnode)
{
	struct gmgr_vnode_name_req req = {};
	struct gmgr_vnode rsp;
	struct lite_call call = {
		.op = GMGR_VNODE_GET,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.timeout_ms = ENTER_MS,
	};
	struct lite_peer *gmgr = lite_gmgr(pc->node);
	struct pcomp_entry *e;
	int err;

	if (pcomp_mm_known(current->mm))
		return ERR_PTR(-EBUSY);
	if (!gmgr)
		return ERR_PTR(-EHOSTUNREACH);
	strscpy(req.name, vnode, sizeof(req.name));
	err = lite_call(gmgr, &call);
	if (err == -ENOENT || err == -EINTR)
		return ERR_PTR(err);
	if (err || call.rsp_len != sizeof(rsp))
		return ERR_PTR(-EHOSTUNREACH);
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return ERR_PTR(-ENOMEM);
	e->task = get_task_struct(current);
	pcomp_get(pc);
	e->place.pc = pc;
	e->place.vid = le32_to_cpu(rsp.vid);
	pcomp_vid_used(pc, e->place.vid);
	e->place.leader = get_pid(task_tgid(current));
	strscpy(e->place.vnode, vnode, sizeof(e->place.vnode));
	spin_lock(&entries_lock);
	hlist_add_head_rcu(&e->node, &entries);
	spin_unlock(&entries_lock);
	return e;
}

/**
 * pcomp_entry_close() - forget pcomp_enter()
 * @e: its result
 */
void pcomp_entry_close(struct pcomp_entry *e)
{
	spin_lock(&entries_lock);
	hlist_del_rcu(&e->node);
	spin_unlock(&entries_lock);
	pcomp_put(e->place.pc);
	put_pid(e->place.leader);
	put_task_struct(e->task);
	kfree_rcu(e, rcu);
}

struct image_vma {
	unsigned long start;
	unsigned long end;
	unsigned long prot;
	bool stack;
};

/* The next private writable mapping of the new image. */
static bool next_vma(struct image_vma *v)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	VMA_ITERATOR(vmi, mm, v->end);
	for_each_vma(vmi, vma) {
		if ((vma->vm_flags & (VM_WRITE | VM_MAYSHARE | VM_IO |
				      VM_PFNMAP)) != VM_WRITE)
			continue;
		v->start = vma->vm_start;
		v->end = vma->vm_end;
		v->stack = vma->vm_flags & VM_GROWSDOWN;
		v->prot = PROT_WRITE |
			  (vma->vm_flags & VM_READ ? PROT_READ : 0) |
			  (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
		found = true;
		break;
	}
	mmap_read_unlock(mm);
	return found;
}

/*
 * A mapping of a file does not grow: the stack gets its full size at once,
 * which costs nothing, as far as nothing else is there.
 */
static unsigned long stack_low(const struct image_vma *v)
{
	unsigned long size = PAGE_ALIGN(min(rlimit(RLIMIT_STACK), STACK_MAX));
	unsigned long low;
	struct vm_area_struct *vma;

	if (size <= v->end - v->start || size >= v->end)
		return v->start;
	low = v->end - size;
	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, low);
	if (vma && vma->vm_start < v->start)
		low = v->start;
	mmap_read_unlock(current->mm);
	return low;
}

static int capture_image(struct pcomp_space *s)
{
	struct image_vma v = {};
	int err = 0;

	mutex_lock(&s->map_lock);
	while (!err && next_vma(&v))
		err = pcomp_capture(s, v.start, v.end,
				    v.stack ? stack_low(&v) : v.start, v.prot);
	mutex_unlock(&s->map_lock);
	return err;
}

/* The new image is in place: make it a vNode's process, or end it. */
static void adopt(const struct pcomp_place *place)
{
	struct pcomp_space *s;
	int err;

	pcomp_stat_inc(place->pc, PCOMP_STAT_EXEC);
	if (test_thread_flag(TIF_ADDR32)) {
		pcomp_kill_current(place->leader,
				   "32-bit programs do not run in a vNode",
				   -ENOEXEC);
		return;
	}
	s = pcomp_space_create(current->mm, place);
	/* stopped by the user while it was being started: no fault to report */
	if (IS_ERR(s) && fatal_signal_pending(current))
		return;
	if (IS_ERR(s)) {
		pcomp_kill_current(place->leader,
				   "no mComponent took its memory: see `lego status`",
				   PTR_ERR(s));
		return;
	}
	err = capture_image(s);
	if (err && !fatal_signal_pending(current))
		pcomp_kill_current(place->leader,
				   "its memory could not be moved to ExCache",
				   err);
}

/*
 * The hook's callback took a reference of the module (hook.c): the task's entry
 * may be closed and its old space may end while it is here.
 */
static long do_exec(enum pcomp_hook_id hook, const struct pt_regs *regs)
{
	struct pcomp_space *s = pcomp_space_get(current->mm);
	struct pcomp_place place = {};
	long r;

	if (s) {
		place.pc = s->pc;
		pcomp_get(place.pc);
		place.vid = s->vid;
		place.leader = get_pid(s->leader);
		strscpy(place.vnode, s->vnode, sizeof(place.vnode));
		pcomp_space_put(s);
	} else {
		/* none: closed by another thread, which takes it back */
		entry_place(&place);
	}
	r = pcomp_orig(hook, regs);
	if (!r && place.pc)
		adopt(&place);
	if (place.pc) {
		pcomp_put(place.pc);
		put_pid(place.leader);
	}
	module_put(THIS_MODULE);
	return r;
}

/**
 * pcomp_sys_execve() - execve(2) into, or in, a vNode
 * @regs: arguments
 *
 * Return: as execve(2).
 */
long pcomp_sys_execve(const struct pt_regs *regs)
{
	return do_exec(PCOMP_HOOK_EXECVE, regs);
}

/**
 * pcomp_sys_execveat() - execveat(2) into, or in, a vNode
 * @regs: arguments
 *
 * Return: as execveat(2).
 */
long pcomp_sys_execveat(const struct pt_regs *regs)
{
	return do_exec(PCOMP_HOOK_EXECVEAT, regs);
}
