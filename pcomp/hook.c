// SPDX-License-Identifier: GPL-2.0
/*
 * The mechanism of the syscall shim: ftrace redirects a named function to one of
 * ours, as livepatch does, but only for processes of a vNode: the decision is
 * made in the callback, so nobody else ever runs, or sleeps, in this module.
 *
 * A task in one of our functions has a space, whose module reference keeps the
 * text, or (exec) was given a reference by the callback; the last instructions
 * after that reference is gone are covered by synchronize_rcu_tasks() in
 * pcomp_hooks_exit().
 *
 * The kernel's own functions are reached by static calls, which are direct call
 * instructions. An indirect call to an address that was looked up by name is a
 * kernel BUG on a CPU with IBT, as the kernel takes the ENDBR away from all
 * functions that it calls directly itself.
 *
 * Build with -fno-optimize-sibling-calls: a tail call to the original would have
 * its caller's return address and be redirected for ever.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <asm/ibt.h>
#include "compat.h"
#include "pcomp.h"

/* For whom a function is redirected; each kind is one ftrace_ops. */
enum hook_for {
	FOR_PROCESS, /* the current process is a vNode's */
	FOR_EXEC, /* the same, or it is about to enter one */
	FOR_MM, /* the mm that is the first argument is a vNode's process's */
	FOR_NR
};

/**
 * struct hook - a function that is stood in for
 * @name: the kernel's
 * @func: ours
 * @who: for whom
 * @key: of the static call to the kernel's, NULL if it is never called
 * @tramp: of that static call
 * @addr: where ftrace has it: the kernel's address after its ENDBR
 */
struct hook {
	const char *name;
	void *func;
	enum hook_for who;
	struct static_call_key *key;
	void *tramp;
	unsigned long addr;
};

static void hooked_exit_mmap(struct mm_struct *mm);
static int hooked_ldt_dup(struct mm_struct *oldmm, struct mm_struct *mm);

/* The prototypes of ours are the kernel's. */
DEFINE_STATIC_CALL_NULL(orig_mmap, pcomp_sys_mmap);
DEFINE_STATIC_CALL_NULL(orig_mremap, pcomp_sys_mremap);
DEFINE_STATIC_CALL_NULL(orig_mprotect, pcomp_sys_mprotect);
DEFINE_STATIC_CALL_NULL(orig_pkey_mprotect, pcomp_sys_pkey_mprotect);
DEFINE_STATIC_CALL_NULL(orig_remap_file_pages, pcomp_sys_remap_file_pages);
DEFINE_STATIC_CALL_NULL(orig_madvise, pcomp_do_madvise);
DEFINE_STATIC_CALL_NULL(orig_shmat, pcomp_do_shmat);
DEFINE_STATIC_CALL_NULL(orig_execve, pcomp_sys_execve);
DEFINE_STATIC_CALL_NULL(orig_execveat, pcomp_sys_execveat);
DEFINE_STATIC_CALL_NULL(orig_ldt_dup, hooked_ldt_dup);
DEFINE_STATIC_CALL_NULL(orig_exit_mmap, hooked_exit_mmap);
DEFINE_STATIC_CALL_NULL(orig_access_vm, pcomp_access_vm);
#ifdef CONFIG_COREDUMP
DEFINE_STATIC_CALL_NULL(orig_dump_range, pcomp_dump_range);
#endif

#define ORIG(_call)                           \
	.key = &STATIC_CALL_KEY(orig_##_call), \
	.tramp = STATIC_CALL_TRAMP_ADDR(orig_##_call)

/* A kernel that has no such function has no such system call. */
#define REFUSED(_name) { _name, pcomp_sys_refused, FOR_PROCESS }

static struct hook hooks[] = {
	{ "__x64_sys_mmap", pcomp_sys_mmap, FOR_PROCESS, ORIG(mmap) },
	{ "__x64_sys_munmap", pcomp_sys_munmap, FOR_PROCESS },
	{ "__x64_sys_mremap", pcomp_sys_mremap, FOR_PROCESS, ORIG(mremap) },
	{ "__x64_sys_brk", pcomp_sys_brk, FOR_PROCESS },
	{ "__x64_sys_mprotect", pcomp_sys_mprotect, FOR_PROCESS,
	  ORIG(mprotect) },
	{ "__x64_sys_pkey_mprotect", pcomp_sys_pkey_mprotect, FOR_PROCESS,
	  ORIG(pkey_mprotect) },
	{ "__x64_sys_remap_file_pages", pcomp_sys_remap_file_pages, FOR_PROCESS,
	  ORIG(remap_file_pages) },
	{ "do_madvise", pcomp_do_madvise, FOR_MM, ORIG(madvise) },
	{ "do_shmat", pcomp_do_shmat, FOR_PROCESS, ORIG(shmat) },
	{ "__x64_sys_execve", pcomp_sys_execve, FOR_EXEC, ORIG(execve) },
	{ "__x64_sys_execveat", pcomp_sys_execveat, FOR_EXEC, ORIG(execveat) },
	/* the last thing that dup_mmap() does, and may fail */
	{ "ldt_dup_context", hooked_ldt_dup, FOR_MM, ORIG(ldt_dup) },
	{ "exit_mmap", hooked_exit_mmap, FOR_MM, ORIG(exit_mmap) },
	{ PCOMP_ACCESS_VM, pcomp_access_vm, FOR_MM, ORIG(access_vm) },
#ifdef CONFIG_COREDUMP
	{ "dump_user_range", pcomp_dump_range, FOR_PROCESS, ORIG(dump_range) },
#endif
	REFUSED("__x64_sys_uselib"),
	REFUSED("__x64_compat_sys_execve"), /* x32 */
	REFUSED("__x64_compat_sys_execveat"),
	REFUSED("__ia32_compat_sys_execve"),
	REFUSED("__ia32_compat_sys_execveat"),
	REFUSED("__ia32_compat_sys_ia32_mmap"),
	REFUSED("__ia32_sys_mmap_pgoff"),
	REFUSED("__ia32_sys_munmap"),
	REFUSED("__ia32_sys_mremap"),
	REFUSED("__ia32_sys_brk"),
	REFUSED("__ia32_sys_mprotect"),
	REFUSED("__ia32_sys_pkey_mprotect"),
	REFUSED("__ia32_sys_remap_file_pages"),
	REFUSED("__ia32_sys_uselib"),
};

/* Context: preemption disabled, where tracing may not recurse. */
static void notrace redirect(unsigned long ip, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hooks[i].addr == ip) {
			regs->ip = (unsigned long)hooks[i].func;
			return;
		}
}

static void notrace for_process(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	if (pcomp_mm_known(current->mm) &&
	    !within_module(parent_ip, THIS_MODULE))
		redirect(ip, fregs);
}

static void notrace for_exec(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if ((pcomp_entering() || pcomp_mm_known(current->mm)) &&
	    !within_module(parent_ip, THIS_MODULE) &&
	    /* put by exec.c. Refused: the entry was closed just now */
	    try_module_get(THIS_MODULE))
		redirect(ip, fregs);
}

static void notrace for_mm(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);

	if (pcomp_mm_known((struct mm_struct *)regs->di) &&
	    !within_module(parent_ip, THIS_MODULE))
		redirect(ip, fregs);
}

/*
 * PERMANENT: while one of these is registered `sysctl kernel.ftrace_enabled=0`
 * is refused; without, it would take the hooks away from running processes.
 */
#define HOOK_FLAGS                                         \
	(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION | \
	 FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT)

static struct ftrace_ops hook_ops[FOR_NR] = {
	[FOR_PROCESS] = { .func = for_process, .flags = HOOK_FLAGS },
	[FOR_EXEC] = { .func = for_exec, .flags = HOOK_FLAGS },
	[FOR_MM] = { .func = for_mm, .flags = HOOK_FLAGS },
};

static unsigned int hook_ops_on;

/**
 * pcomp_orig() - the kernel's own syscall
 * @id: which
 * @regs: arguments
 *
 * Return: the syscall's.
 */
long pcomp_orig(enum pcomp_hook_id id, const struct pt_regs *regs)
{
	switch (id) {
	case PCOMP_HOOK_MMAP:
		return static_call(orig_mmap)(regs);
	case PCOMP_HOOK_MREMAP:
		return static_call(orig_mremap)(regs);
	case PCOMP_HOOK_MPROTECT:
		return static_call(orig_mprotect)(regs);
	case PCOMP_HOOK_PKEY_MPROTECT:
		return static_call(orig_pkey_mprotect)(regs);
	case PCOMP_HOOK_MADVISE:
		return pcomp_orig_madvise(current->mm, regs->di, regs->si,
					  regs->dx);
	case PCOMP_HOOK_REMAP_FILE_PAGES:
		return static_call(orig_remap_file_pages)(regs);
	case PCOMP_HOOK_EXECVE:
		return static_call(orig_execve)(regs);
	case PCOMP_HOOK_EXECVEAT:
		return static_call(orig_execveat)(regs);
	}
	WARN_ON_ONCE(1);
	return -ENOSYS;
}

/**
 * pcomp_orig_madvise() - the kernel's own madvise
 * @mm: whose memory
 * @start: where
 * @len: bytes
 * @behavior: MADV_*
 *
 * Return: as madvise(2).
 */
int pcomp_orig_madvise(struct mm_struct *mm, unsigned long start, size_t len,
		       int behavior)
{
	return static_call(orig_madvise)(mm, start, len, behavior);
}

/**
 * pcomp_orig_shmat() - the kernel's own shmat
 * @shmid: segment
 * @addr: where, or 0
 * @flags: SHM_*
 * @result: gets where it is
 * @align: of a rounded @addr
 *
 * Return: as shmat(2).
 */
long pcomp_orig_shmat(int shmid, char __user *addr, int flags,
		      unsigned long *result, unsigned long align)
{
	return static_call(orig_shmat)(shmid, addr, flags, result, align);
}

/* All VMAs of an mm have been copied by fork. */
static int hooked_ldt_dup(struct mm_struct *oldmm, struct mm_struct *mm)
{
	int err = static_call(orig_ldt_dup)(oldmm, mm);

	return err ? err : pcomp_fork(oldmm, mm);
}

/* All VMAs of an mm go; then its space can. */
static void hooked_exit_mmap(struct mm_struct *mm)
{
	static_call(orig_exit_mmap)(mm);
	pcomp_space_end(mm);
}

/**
 * pcomp_orig_access_vm() - the kernel's own access to another's memory
 * @mm: whose
 * @addr: where
 * @buf: the bytes
 * @len: how many
 * @gup_flags: FOLL_*
 *
 * Return: bytes that were read or written.
 */
int pcomp_orig_access_vm(struct mm_struct *mm, unsigned long addr, void *buf,
			 int len, unsigned int gup_flags)
{
	return static_call(orig_access_vm)(mm, addr, buf, len, gup_flags);
}

#ifdef CONFIG_COREDUMP
/**
 * pcomp_orig_dump_range() - the kernel's own dump of a part of a mapping
 * @cprm: the dump
 * @start: where
 * @len: bytes
 *
 * Return: 1, or 0 if the dump cannot go on.
 */
int pcomp_orig_dump_range(struct coredump_params *cprm, unsigned long start,
			  unsigned long len)
{
	return static_call(orig_dump_range)(cprm, start, len);
}
#endif

/*
 * kallsyms_lookup_name() is not exported; a kprobe finds names, too. It says
 * where ftrace has the function: after its ENDBR, if it has one.
 */
static int find_functions(void)
{
	struct kprobe *kp, *found[ARRAY_SIZE(hooks)];
	unsigned int i, n = 0;
	int err = 0;

	kp = kcalloc(ARRAY_SIZE(hooks), sizeof(*kp), GFP_KERNEL);
	if (!kp)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

		kp[i].symbol_name = h->name;
		kp[i].flags = KPROBE_FLAG_DISABLED;
		err = register_kprobe(&kp[i]);
		if (err == -ENOENT && h->func == pcomp_sys_refused) {
			err = 0;
			continue;
		}
		if (err) {
			pr_err("%s can not be hooked: %s (error %d)\n",
			       h->name, err == -ENOENT ?
			       "this kernel has no such function" :
			       "it can not be looked up by a kprobe", err);
			break;
		}
		h->addr = (unsigned long)kp[i].addr;
		found[n++] = &kp[i];
	}
	/* all at once: each time is an RCU grace period */
	unregister_kprobes(found, n);
	kfree(kp);
	return err;
}

/*
 * A static call has to go to the very beginning: what CPUs with a mitigation
 * by call depth tracking shall call instead is found from there.
 */
static void *function_of(const struct hook *h)
{
	unsigned long start = h->addr - ENDBR_INSN_SIZE;

	return (void *)(is_endbr(*(u32 *)start) ? start : h->addr);
}

static int hook_kind(enum hook_for who)
{
	unsigned long ips[ARRAY_SIZE(hooks)];
	struct ftrace_ops *ops = &hook_ops[who];
	unsigned int i, n = 0;
	int err;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

		if (h->who != who || !h->addr)
			continue;
		if (h->key)
			__static_call_update(h->key, h->tramp, function_of(h));
		ips[n++] = h->addr;
	}
	err = ftrace_set_filter_ips(ops, ips, n, 0, 1);
	if (!err)
		err = register_ftrace_function(ops);
	if (err)
		ftrace_free_filter(ops);
	return err;
}

/* Could ftrace redirect this function now, with these flags? */
static bool can_hook(const struct hook *h, unsigned long flags)
{
	static struct ftrace_ops ops;
	int err;

	/* a filter that was freed can not be set again */
	memset(&ops, 0, sizeof(ops));
	ops.func = for_process;
	ops.flags = flags | FTRACE_OPS_FL_RECURSION;
	err = ftrace_set_filter_ip(&ops, h->addr, 0, 0);
	if (!err)
		err = register_ftrace_function(&ops);
	if (!err)
		unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
	/* what failed was in the list for a moment */
	synchronize_rcu();
	return !err;
}

/* ftrace said that it is busy: which of its reasons is it? */
static void explain_busy(void)
{
	unsigned int i;

	if (!can_hook(&hooks[0], FTRACE_OPS_FL_PERMANENT)) {
		pr_err("system calls are hooked by ftrace, which is switched off: sysctl kernel.ftrace_enabled=1, then load pcomp again\n");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hooks[i].addr && !can_hook(&hooks[i], HOOK_FLAGS))
			pr_err("%s can not be hooked: a live patch or another module has it, see /sys/kernel/tracing/enabled_functions\n",
			       hooks[i].name);
}

/**
 * pcomp_hooks_exit() - take the hooks out
 *
 * On return no task is in this module's functions. Context: process.
 */
void pcomp_hooks_exit(void)
{
	while (hook_ops_on) {
		struct ftrace_ops *ops = &hook_ops[--hook_ops_on];

		unregister_ftrace_function(ops);
		ftrace_free_filter(ops);
	}
	synchronize_rcu_tasks();
}

/**
 * pcomp_hooks_init() - put the hooks in
 *
 * Return: 0 or -errno, logged; then none is in.
 */
int pcomp_hooks_init(void)
{
	int err = find_functions();

	if (err)
		return err;
	while (hook_ops_on < FOR_NR) {
		err = hook_kind(hook_ops_on);
		if (err) {
			pcomp_hooks_exit();
			if (err == -EBUSY)
				explain_busy();
			else
				pr_err("the kernel's functions can not be hooked: error %d\n",
				       err);
			return err;
		}
		hook_ops_on++;
	}
	return 0;
}
