// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces: which mm is a vNode's process, and what it holds elsewhere.
 *
 * A space is found by its mm, in any context (the syscall hooks ask for each
 * call of each process). It is made by exec and fork, leaves the table when the
 * mm ends (exit_mmap is hooked), and is then given back by a worker: lines
 * first, then what mComponents hold of it.
 */
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <lego/ranges.h>
#include "pcomp.h"

/*
 * Registry of all components' spaces. Lock: spaces_lock, a leaf; lookups under
 * RCU.
 */
static DEFINE_HASHTABLE(spaces_by_mm, 8);
static DEFINE_SPINLOCK(spaces_lock);

#define REASONS 64

/*
 * Why processes were ended, for `lego run`. Not by their numbers, which are used
 * again. Protected by spaces_lock.
 */
static struct reason {
	struct pid *pid;
	struct pid *leader;
	char text[PCOMP_WHY_LEN];
} reasons[REASONS];

static unsigned int next_reason;

/* Each process of a lost space is told once. A leaf, but for spaces_lock. */
static DEFINE_MUTEX(kill_lock);

static struct pcomp_space *find(struct mm_struct *mm)
{
	struct pcomp_space *s;

	hash_for_each_possible_rcu(spaces_by_mm, s, mm_node, (unsigned long)mm)
		if (s->mm == mm)
			return s;
	return NULL;
}

/**
 * pcomp_mm_known() - is this mm a space of ours?
 * @mm: may be NULL
 *
 * Context: any, also where tracing may not recurse.
 */
notrace bool pcomp_mm_known(struct mm_struct *mm)
{
	struct pcomp_space *s;
	bool known = false;

	if (!mm)
		return false;
	rcu_read_lock_sched_notrace();
	hash_for_each_possible_rcu_notrace(spaces_by_mm, s, mm_node,
					   (unsigned long)mm)
		if (s->mm == mm)
			known = true;
	rcu_read_unlock_sched_notrace();
	return known;
}

/**
 * pcomp_space_get() - the space of an mm
 * @mm: may be NULL
 *
 * Context: any.
 * Return: a reference for pcomp_space_put(), or NULL.
 */
struct pcomp_space *pcomp_space_get(struct mm_struct *mm)
{
	struct pcomp_space *s;

	if (!mm)
		return NULL;
	rcu_read_lock();
	s = find(mm);
	if (s && !refcount_inc_not_zero(&s->refs))
		s = NULL;
	rcu_read_unlock();
	return s;
}

/* Lines first: no RPC may touch frames of a space that owners forgot. */
static void end_work(struct work_struct *work)
{
	struct pcomp_space *s = container_of(work, struct pcomp_space,
					     end_work);

	pcomp_lines_exit(s);
	pcomp_backing_del(s, 0, ULONG_MAX);
	mtree_destroy(&s->files);
	xa_destroy(&s->pages);
	if (s->file)
		fput(s->file);
	pcomp_owners_leave(s);
}

/**
 * pcomp_space_forget() - no mComponent is going to hear of the space any more
 * @s: the space; is freed, and its id may be another's
 *
 * Context: process, on pcomp.wq.
 */
void pcomp_space_forget(struct pcomp_space *s)
{
	struct pcomp *pc = s->pc;

	pcomp_owners_exit(s);
	if (s->id)
		xa_erase(&pc->spaces, (u32)s->id);
	mmdrop(s->mm);
	put_pid(s->leader);
	kfree_rcu(s, rcu);
	atomic_dec(&pc->nr_spaces);
	pcomp_put(pc);
	/*
	 * The queue this runs on is destroyed, and so waited for, before the
	 * module's text goes.
	 */
	module_put(THIS_MODULE);
}

/**
 * pcomp_space_put() - drop a reference; the last one ends the space
 * @s: the space
 *
 * Context: any.
 */
void pcomp_space_put(struct pcomp_space *s)
{
	if (refcount_dec_and_test(&s->refs))
		queue_work(s->pc->wq, &s->end_work);
}

/*
 * Give it a number that no living one has. Those of the dead come again after
 * four billion others, when all mComponents have long forgotten them.
 */
static int take_id(struct pcomp_space *s)
{
	struct pcomp *pc = s->pc;
	u32 nr;
	int err;

	err = xa_alloc_cyclic(&pc->spaces, &nr, s, xa_limit_32b,
			      &pc->next_space, GFP_KERNEL);
	if (err < 0)
		return err;
	/* no mComponent can ask for it yet (PCOMP_LIVING) */
	WRITE_ONCE(s->id, (u64)lite_node_id(pc->node) << 32 | nr);
	return 0;
}

/**
 * pcomp_space_renumber() - give it another id
 * @s: space, not published; no mComponent has it under the one before
 *
 * Context: process, may sleep. Return: 0 or -errno; then it has none.
 */
int pcomp_space_renumber(struct pcomp_space *s)
{
	xa_erase(&s->pc->spaces, (u32)s->id);
	s->id = 0;
	return take_id(s);
}

/**
 * pcomp_space_alloc() - a space that nobody knows yet
 * @mm: its mm
 * @pc: component
 *
 * Context: process.
 * Return: one reference, the mm's, or ERR_PTR.
 */
struct pcomp_space *pcomp_space_alloc(struct mm_struct *mm, struct pcomp *pc)
{
	struct pcomp_space *s;
	int err;

	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s) {
		module_put(THIS_MODULE);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&s->refs, 1);
	mmgrab(mm);
	s->mm = mm;
	pcomp_get(pc);
	s->pc = pc;
	xa_init(&s->pages);
	xa_init(&s->vregions);
	mutex_init(&s->map_lock);
	mutex_init(&s->discard_lock);
	mutex_init(&s->log_lock);
	init_waitqueue_head(&s->change.wait);
	INIT_WORK(&s->change.work, pcomp_change_work);
	mt_init_flags(&s->ranges, LEGO_RANGES_FLAGS_RCU);
	mt_init_flags(&s->files, LEGO_RANGES_FLAGS_RCU);
	INIT_LIST_HEAD(&s->owners);
	INIT_DELAYED_WORK(&s->flush_work, pcomp_owners_flush_work);
	INIT_WORK(&s->end_work, end_work);
	atomic_inc(&pc->nr_spaces);
	s->file = pcomp_file_create();
	if (IS_ERR(s->file)) {
		err = PTR_ERR(s->file);
		s->file = NULL;
		goto err_put;
	}
	err = take_id(s);
	if (err)
		goto err_put;
	return s;

err_put:
	pcomp_space_put(s);
	return ERR_PTR(err);
}

/**
 * pcomp_space_publish() - the space can be found by its mm
 * @s: complete
 */
void pcomp_space_publish(struct pcomp_space *s)
{
	spin_lock(&spaces_lock);
	hash_add_rcu(spaces_by_mm, &s->mm_node, (unsigned long)s->mm);
	spin_unlock(&spaces_lock);
}

#define MEMBERS_MAX 256

/*
 * The one with the most free memory, of those that are up; one that gmgr calls
 * dead only if there is no other. @some is whether the rack has any, also one
 * that is dead: it may join again.
 */
static u32 pick_home(struct pcomp *pc, bool *some)
{
	const struct lite_member *best = NULL;
	struct lite_member *m;
	unsigned int i, n;
	u32 id;

	*some = false;
	m = kvmalloc_array(MEMBERS_MAX, sizeof(*m), GFP_KERNEL);
	if (!m)
		return 0;
	n = lite_members(pc->node, m, MEMBERS_MAX);
	for (i = 0; i < n; i++) {
		if (m[i].role != LITE_ROLE_MCOMP)
			continue;
		*some = true;
		if (m[i].state != GMGR_MEMBER_UP)
			continue;
		if (!best || best->suspected > m[i].suspected ||
		    (best->suspected == m[i].suspected &&
		     m[i].total - m[i].used > best->total - best->used))
			best = &m[i];
	}
	id = best ? best->id : 0;
	kvfree(m);
	return id;
}

/*
 * gmgr says where a new process lives. With gmgr away that must not hold up a
 * running vNode's forks and execs: then choose from the last table heard, and
 * do not ask again for some seconds.
 */
static u32 place_home(struct pcomp *pc, u32 vid, bool *some)
{
	struct gmgr_place_req req = {
		.vid = cpu_to_le32(vid),
		.pcomp_id = cpu_to_le32(lite_node_id(pc->node)),
	};
	struct gmgr_place_rsp rsp;
	struct lite_call call = {
		.op = GMGR_PLACE,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.timeout_ms = 1000,
	};
	unsigned long silent = READ_ONCE(pc->gmgr_silent);
	struct lite_peer *gmgr = lite_gmgr(pc->node);
	int err;

	if (!gmgr || (silent && time_before(jiffies, silent)))
		return pick_home(pc, some);
	err = lite_call(gmgr, &call);
	if (!err && call.rsp_len == sizeof(rsp))
		return le32_to_cpu(rsp.home_id);
	/* removed, or forgotten by a gmgr that was restarted: they run on */
	if (err == -ENOENT)
		return pick_home(pc, some);
	WRITE_ONCE(pc->gmgr_silent, (jiffies + 10 * HZ) | 1);
	return pick_home(pc, some);
}

/*
 * Where all are called dead the fault may be gmgr's, and soon over. One that
 * gmgr knows and we do not has just joined.
 */
static int find_home(struct pcomp_space *s, unsigned long end)
{
	struct lite_peer *home;
	bool some = false;

	do {
		s->home_id = place_home(s->pc, s->vid, &some);
		home = s->home_id ? pcomp_mcomp_peer(s->pc, s->home_id) :
				    ERR_PTR(-EHOSTUNREACH);
	} while (home == ERR_PTR(-EHOSTUNREACH) && (s->home_id || some) &&
		 pcomp_again(s, -EHOSTUNREACH, end, true));
	if (IS_ERR(home))
		return PTR_ERR(home);
	s->home = home;
	return 0;
}

static int create_at_home(struct pcomp_space *s)
{
	struct mcomp_space_req req = {
		.space = cpu_to_le64(s->id),
		.pcomp_incarnation =
			cpu_to_le64(lite_node_incarnation(s->pc->node)),
		.vid = cpu_to_le32(s->vid),
		.pcomp_id = cpu_to_le32(lite_node_id(s->pc->node)),
	};
	unsigned long end = pcomp_again_deadline();
	struct mcomp_space_rsp rsp;
	int err;

	err = find_home(s, end);
	if (err)
		return err;
	do {
		err = pcomp_ctl_call(s->home, MCOMP_SPACE_CREATE, &req,
				     sizeof(req), &rsp, sizeof(rsp));
	} while (pcomp_again(s, err, end, true));
	/* a repeated one finds what the first one made */
	if (err)
		return err;
	s->vregion_shift = le32_to_cpu(rsp.vregion_shift) - PAGE_SHIFT;
	return s->vregion_shift < 40 ? 0 : -EPROTO;
}

/**
 * pcomp_space_create() - a space for a fresh process image (exec)
 * @mm: its mm
 * @place: vNode and component
 *
 * Context: process, may sleep, bounded.
 * Return: the space, published; its reference is the mm's; or ERR_PTR.
 */
struct pcomp_space *pcomp_space_create(struct mm_struct *mm,
				       const struct pcomp_place *place)
{
	struct pcomp_space *s = pcomp_space_alloc(mm, place->pc);
	int err;

	if (IS_ERR(s))
		return s;
	s->vid = place->vid;
	s->leader = get_pid(place->leader);
	strscpy(s->vnode, place->vnode, sizeof(s->vnode));
	err = create_at_home(s);
	if (err)
		goto err_put;
	pcomp_space_publish(s);
	return s;

err_put:
	pcomp_space_put(s);
	return ERR_PTR(err);
}

/**
 * pcomp_space_end() - an mm has ended: no VMA is left
 * @mm: the mm
 */
void pcomp_space_end(struct mm_struct *mm)
{
	struct pcomp_space *s;

	spin_lock(&spaces_lock);
	s = find(mm);
	if (s)
		hash_del_rcu(&s->mm_node);
	spin_unlock(&spaces_lock);
	if (!s)
		return;
	pcomp_flush_cancel(s);
	pcomp_space_put(s);
}

static void keep_reason(struct pid *pid, struct pid *leader, const char *text)
{
	struct reason *r;

	spin_lock(&spaces_lock);
	r = &reasons[next_reason++ % REASONS];
	put_pid(r->pid);
	put_pid(r->leader);
	r->pid = get_pid(pid);
	r->leader = get_pid(leader);
	strscpy(r->text, text, sizeof(r->text));
	spin_unlock(&spaces_lock);
}

/**
 * pcomp_reason() - why a process was ended by its pComponent
 * @pid: the process, or the one that entered the vNode
 * @buf: gets a sentence
 * @len: room
 *
 * Return: true if there is one.
 */
bool pcomp_reason(struct pid *pid, char *buf, size_t len)
{
	bool found = false;
	unsigned int i;

	spin_lock(&spaces_lock);
	for (i = 0; i < REASONS && !found; i++) {
		struct reason *r = &reasons[(next_reason - 1 - i) % REASONS];

		if (r->text[0] && (r->pid == pid || r->leader == pid)) {
			strscpy(buf, r->text, len);
			found = true;
		}
	}
	spin_unlock(&spaces_lock);
	return found;
}

/* It may end by itself, or be killed by somebody else, at the same moment. */
static bool is_ending(struct task_struct *p)
{
	return READ_ONCE(p->signal->flags) & SIGNAL_GROUP_EXIT;
}

/* End a process, of which @p is the first thread, with the space's reason. */
static void process_kill(struct pcomp_space *s, struct task_struct *p)
{
	lockdep_assert_held(&kill_lock);
	pr_err("%s: %s[%d] of vNode %s is ended: %s\n", s->pc->name, p->comm,
	       p->pid, s->vnode, s->why);
	keep_reason(task_tgid(p), s->leader, s->why);
	/* the process: its first thread may have ended, and takes no signal */
	kill_pid(task_pid(p), SIGKILL, 1);
}

/**
 * pcomp_space_kill() - end the processes of a space, and say why
 * @s: the space
 * @fmt: the reason, a sentence without a newline
 *
 * Only the first reason of a space counts. A process that is just being forked
 * is told when it first touches its memory (pcomp_space_kill_current()).
 * Context: process, may sleep.
 */
void pcomp_space_kill(struct pcomp_space *s, const char *fmt, ...)
{
	struct task_struct *p, *t;
	va_list args;

	mutex_lock(&kill_lock);
	if (s->broken)
		goto out_unlock;
	va_start(args, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, args);
	va_end(args);
	/* pairs with the acquire in pcomp_space_kill_current() */
	smp_store_release(&s->broken, true);
	rcu_read_lock();
	for_each_process(p) {
		bool ours = false;

		for_each_thread(p, t)
			if (READ_ONCE(t->mm) == s->mm)
				ours = true;
		if (ours && !(p->flags & PF_KTHREAD) && !is_ending(p))
			process_kill(s, p);
	}
	rcu_read_unlock();
out_unlock:
	mutex_unlock(&kill_lock);
}

/**
 * pcomp_space_lost() - a call about a space's memory failed for good: end it
 * @s: the space
 * @id: node id of the mComponent that was asked
 * @err: what came of it
 *
 * Whoever notices first calls this: a fetch, a write-back, a VMA update, a
 * fork. What these are to the program makes no difference to what it is told.
 * Context: process, may sleep.
 */
void pcomp_space_lost(struct pcomp_space *s, u32 id, int err)
{
	struct lite_member m;

	if (lite_member_by_id(s->pc->node, id, &m))
		snprintf(m.name, sizeof(m.name), "of node %u", id);
	switch (pcomp_verdict(err)) {
	case PCOMP_LOST:
		pcomp_space_kill(s,
				 "the memory of mComponent %s that had a page of it has failed",
				 m.name);
		break;
	case PCOMP_AWAY:
	case PCOMP_BUSY:
		pcomp_space_kill(s,
				 "mComponent %s has part of its memory and could not be asked for it for %d s (error %d)",
				 m.name, PCOMP_AGAIN_SECONDS, err);
		break;
	case PCOMP_FULL:
		pcomp_space_kill(s,
				 "out of memory at mComponent %s: load it with a larger mem_mb=, or add an mComponent",
				 m.name);
		break;
	default:
		pcomp_space_kill(s,
				 "mComponent %s does not know its memory any more (error %d): was it restarted?",
				 m.name, err);
	}
}

/**
 * pcomp_space_kill_current() - the current task has used a space that is lost
 * @s: the space, broken
 *
 * Ends its process, if that has not been done. Who uses another's memory, as a
 * debugger does, only gets an error.
 * Context: process, may sleep; no page lock held.
 */
void pcomp_space_kill_current(struct pcomp_space *s)
{
	if (current->mm != s->mm || current->flags & PF_KTHREAD)
		return;
	/* behind whoever is just telling all processes of the space */
	mutex_lock(&kill_lock);
	if (!is_ending(current) && !(current->flags & PF_EXITING))
		process_kill(s, current->group_leader);
	mutex_unlock(&kill_lock);
}

/**
 * pcomp_kill_current() - the current process can not go on
 * @leader: the process that entered the vNode
 * @why: a sentence
 * @err: the error behind it
 */
void pcomp_kill_current(struct pid *leader, const char *why, int err)
{
	char text[PCOMP_WHY_LEN];

	snprintf(text, sizeof(text), "%s (error %d)", why, err);
	pr_err("%s[%d] is ended: %s\n", current->comm, current->tgid, text);
	keep_reason(task_tgid(current), leader, text);
	send_sig(SIGKILL, current, 1);
}

/**
 * pcomp_member_gone() - an mComponent died: end what it had part of
 * @pc: component
 * @m: the member as it was
 *
 * There is no second copy yet. Context: process.
 */
void pcomp_member_gone(struct pcomp *pc, const struct lite_member *m)
{
	struct pcomp_space *s;
	unsigned long i;

	rcu_read_lock();
	xa_for_each(&pc->spaces, i, s) {
		struct pcomp_owner *o;
		bool lost = s->home_id == m->id;

		if (!refcount_inc_not_zero(&s->refs))
			continue;
		rcu_read_unlock();
		list_for_each_entry(o, &s->owners, list)
			if (o->id == m->id)
				lost = true;
		if (lost)
			pcomp_space_kill(s, "mComponent %s died and had part of its memory",
					 m->name);
		pcomp_space_put(s);
		rcu_read_lock();
	}
	rcu_read_unlock();
}

/**
 * pcomp_spaces_exit() - no space is left in the table, and nobody asks why
 */
void pcomp_spaces_exit(void)
{
	unsigned int i;

	for (i = 0; i < REASONS; i++) {
		put_pid(reasons[i].pid);
		put_pid(reasons[i].leader);
	}
	WARN_ON_ONCE(!hash_empty(spaces_by_mm));
}
