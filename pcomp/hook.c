// SPDX-License-Identifier: GPL-2.0
/*
 * The mechanism of the syscall shim: ftrace redirects a named function to one of
 * ours, as livepatch does, but only for processes of a vNode: the decision is
 * made in the callback, so nobody else ever runs, or sleeps, in this module.
 *
 * A task in one of our functions has a space, whose module reference keeps the
 * text; the last instructions after that reference is gone are covered by
 * synchronize_rcu_tasks() in pcomp_hooks_exit().
 *
 * Build with -fno-optimize-sibling-calls: a tail call to the original would have
 * its caller's return address and be redirected for ever.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include "pcomp.h"

/**
 * struct hook - a function that is stood in for
 * @name: the kernel's
 * @func: ours
 * @want: is it for us? With preemption disabled, not traced
 * @addr: the kernel's
 * @ops: ftrace's
 * @on: registered
 */
struct hook {
	const char *name;
	void *func;
	bool (*want)(const struct pt_regs *regs);
	unsigned long addr;
	struct ftrace_ops ops;
	bool on;
};

static notrace bool want_ours(const struct pt_regs *regs)
{
	return pcomp_mm_known(current->mm);
}

static notrace bool want_exec(const struct pt_regs *regs)
{
	return pcomp_entering() || pcomp_mm_known(current->mm);
}

static notrace bool want_mm(const struct pt_regs *regs)
{
	return pcomp_mm_known((struct mm_struct *)regs->di);
}

static void hooked_exit_mmap(struct mm_struct *mm);
static int hooked_access_vm(struct mm_struct *mm, unsigned long addr, void *buf,
			    int len, unsigned int gup_flags);
static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs);

#define HOOK_FLAGS                                         \
	(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION | \
	 FTRACE_OPS_FL_IPMODIFY)
#define HOOK(_name, _func, _want)                                   \
	{                                                           \
		.name = _name, .func = _func, .want = _want,        \
		.ops = { .func = redirect, .flags = HOOK_FLAGS },   \
	}

static struct hook hooks[PCOMP_HOOK_NR] = {
	[PCOMP_HOOK_MMAP] = HOOK("__x64_sys_mmap", pcomp_sys_mmap, want_ours),
	[PCOMP_HOOK_MUNMAP] =
		HOOK("__x64_sys_munmap", pcomp_sys_munmap, want_ours),
	[PCOMP_HOOK_MREMAP] =
		HOOK("__x64_sys_mremap", pcomp_sys_mremap, want_ours),
	[PCOMP_HOOK_BRK] = HOOK("__x64_sys_brk", pcomp_sys_brk, want_ours),
	[PCOMP_HOOK_MPROTECT] =
		HOOK("__x64_sys_mprotect", pcomp_sys_mprotect, want_ours),
	[PCOMP_HOOK_PKEY_MPROTECT] = HOOK("__x64_sys_pkey_mprotect",
					  pcomp_sys_pkey_mprotect, want_ours),
	[PCOMP_HOOK_MADVISE] =
		HOOK("__x64_sys_madvise", pcomp_sys_madvise, want_ours),
	[PCOMP_HOOK_EXECVE] =
		HOOK("__x64_sys_execve", pcomp_sys_execve, want_exec),
	[PCOMP_HOOK_EXECVEAT] =
		HOOK("__x64_sys_execveat", pcomp_sys_execveat, want_exec),
	[PCOMP_HOOK_EXIT_MMAP] =
		HOOK("exit_mmap", hooked_exit_mmap, want_mm),
	[PCOMP_HOOK_ACCESS_VM] =
		HOOK("access_remote_vm", hooked_access_vm, want_mm),
};

static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct hook *h = container_of(ops, struct hook, ops);
	struct pt_regs *regs = ftrace_get_regs(fregs);

	if (!regs || within_module(parent_ip, THIS_MODULE))
		return;
	if (h->want(regs))
		regs->ip = (unsigned long)h->func;
}

/**
 * pcomp_orig() - the kernel's own syscall
 * @id: which
 * @regs: arguments
 *
 * Return: the syscall's.
 */
long pcomp_orig(enum pcomp_hook_id id, const struct pt_regs *regs)
{
	long (*fn)(const struct pt_regs *regs) = (void *)hooks[id].addr;

	return fn(regs);
}

/* All VMAs of an mm go; then its space can. */
static void hooked_exit_mmap(struct mm_struct *mm)
{
	void (*fn)(struct mm_struct *mm) =
		(void *)hooks[PCOMP_HOOK_EXIT_MMAP].addr;

	fn(mm);
	pcomp_space_end(mm);
}

/*
 * /proc/PID/cmdline and environ read only anonymous memory (FOLL_ANON), so that
 * nobody can make them wait for a device. A process's stack in ExCache is its
 * private memory as well, and the wait for it is bounded. The caller is any
 * task, but holds the mm, which keeps the space and so this module.
 */
static int hooked_access_vm(struct mm_struct *mm, unsigned long addr, void *buf,
			    int len, unsigned int gup_flags)
{
	int (*fn)(struct mm_struct *mm, unsigned long addr, void *buf, int len,
		  unsigned int gup_flags) =
		(void *)hooks[PCOMP_HOOK_ACCESS_VM].addr;
	int n;

	n = fn(mm, addr, buf, len, gup_flags & ~FOLL_ANON);
	/* not a tail call: see the head of this file */
	barrier();
	return n;
}

/* kallsyms_lookup_name() is not exported; a kprobe finds names, too. */
static unsigned long address_of(const char *name)
{
	struct kprobe kp = { .symbol_name = name };
	unsigned long addr;

	if (register_kprobe(&kp))
		return 0;
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	return addr;
}

static int hook_on(struct hook *h)
{
	int err;

	h->addr = address_of(h->name);
	if (!h->addr) {
		pr_err("this kernel has no function %s to hook\n", h->name);
		return -ENOENT;
	}
	err = ftrace_set_filter_ip(&h->ops, h->addr, 0, 0);
	if (!err)
		err = register_ftrace_function(&h->ops);
	if (err) {
		pr_err("%s can not be hooked: error %d%s\n", h->name, err,
		       err == -EBUSY ? " (a live patch has it?)" : "");
		ftrace_set_filter_ip(&h->ops, h->addr, 1, 0);
		return err;
	}
	h->on = true;
	return 0;
}

static void hook_off(struct hook *h)
{
	if (!h->on)
		return;
	unregister_ftrace_function(&h->ops);
	ftrace_set_filter_ip(&h->ops, h->addr, 1, 0);
	ftrace_free_filter(&h->ops);
	h->on = false;
}

/**
 * pcomp_hooks_exit() - take the hooks out
 *
 * On return no task is in this module's functions. Context: process.
 */
void pcomp_hooks_exit(void)
{
	int i;

	for (i = PCOMP_HOOK_NR - 1; i >= 0; i--)
		hook_off(&hooks[i]);
	synchronize_rcu_tasks();
}

/**
 * pcomp_hooks_init() - put the hooks in
 *
 * Return: 0 or -errno, logged; then none is in.
 */
int pcomp_hooks_init(void)
{
	int err, i;

	for (i = 0; i < PCOMP_HOOK_NR; i++) {
		err = hook_on(&hooks[i]);
		if (err) {
			pcomp_hooks_exit();
			return err;
		}
	}
	return 0;
}
