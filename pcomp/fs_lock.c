// SPDX-License-Identifier: GPL-2.0
/*
 * File locks. They are the kernel's own, kept at this pComponent, so only one
 * superblock of a vNode in the rack may grant any: the first one claims the
 * vNode's locks when it is mounted and has them till its end; programs of all
 * others get ENOLCK meanwhile. That is NLM's service without a lock server:
 * a lock that is granted excludes everybody, everywhere.
 *
 * No table says who has the locks of a vNode, which could be lost or wrong: who
 * wants them asks all other pComponents. Of two that ask each other at once the
 * one with the lower incarnation gets them.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "pcomp.h"
#include "fs.h"
#include "fs_priv.h"

#define PCOMP_FS_CLAIM_MS 1000 /* for an answer, and before the next try */
#define PCOMP_FS_CLAIM_MEMBERS 256 /* as many as gmgr takes */

/* Those whose pcomp_fs.claim is not PCOMP_FS_CLAIM_NONE. */
static LIST_HEAD(claims);
static DEFINE_MUTEX(claims_mutex);

/**
 * struct pcomp_fs_ask - another pComponent, and what it answers
 * @member: which
 * @peer: the same
 * @rsp: its answer
 */
struct pcomp_fs_ask {
	struct lite_member member;
	struct lite_peer *peer;
	struct pcomp_locks_rsp rsp;
};

/* The superblock of @pc's that claims the locks of vNode @vid, or NULL. */
static struct pcomp_fs *pcomp_fs_claim_find(const struct pcomp *pc, u32 vid)
{
	struct pcomp_fs *fs;

	lockdep_assert_held(&claims_mutex);
	list_for_each_entry(fs, &claims, claims)
		if (fs->pc == pc && fs->vid == vid)
			return fs;
	return NULL;
}

/**
 * pcomp_fs_locks_held() - does this pComponent have a vNode's locks?
 * @pc: the component
 * @vid: the vNode
 * @incarnation: of the pComponent that wants them
 *
 * If both want them at the same time, one gives up here.
 * Context: process.
 * Return: whether they are not to be had.
 */
bool pcomp_fs_locks_held(struct pcomp *pc, u32 vid, u64 incarnation)
{
	struct pcomp_fs *fs;
	bool held = false;

	mutex_lock(&claims_mutex);
	fs = pcomp_fs_claim_find(pc, vid);
	if (fs && fs->claim == PCOMP_FS_CLAIM_ASKED &&
	    incarnation < lite_node_incarnation(fs->node)) {
		list_del_init(&fs->claims);
		fs->claim = PCOMP_FS_CLAIM_NONE;
	} else if (fs) {
		held = true;
	}
	mutex_unlock(&claims_mutex);
	return held;
}

/*
 * The other pComponents: those that gmgr has declared dead, too, as they may
 * only have been cut off from it. Return: how many.
 */
static int pcomp_fs_ask_whom(struct pcomp_fs *fs, struct pcomp_fs_ask *ask)
{
	struct lite_member *m;
	unsigned int i, n;
	int nr = 0;

	m = kvcalloc(PCOMP_FS_CLAIM_MEMBERS, sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	n = lite_members(fs->node, m, PCOMP_FS_CLAIM_MEMBERS);
	for (i = 0; i < n; i++) {
		if (m[i].role != LITE_ROLE_PCOMP ||
		    m[i].state == GMGR_MEMBER_LEFT ||
		    m[i].incarnation == lite_node_incarnation(fs->node))
			continue;
		ask[nr].peer = lite_peer_get(fs->node, m[i].addr,
					     m[i].incarnation);
		if (IS_ERR(ask[nr].peer))
			continue;
		ask[nr++].member = m[i];
	}
	kvfree(m);
	return nr;
}

static int pcomp_fs_ask_all(struct pcomp_fs *fs, struct pcomp_fs_ask *ask,
			    int nr, struct lite_call *call)
{
	struct pcomp_locks_req req = {
		.incarnation = cpu_to_le64(lite_node_incarnation(fs->node)),
		.vid = cpu_to_le32(fs->vid),
	};
	struct lite_peer **peer;
	int i;

	peer = kcalloc(nr, sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		peer[i] = ask[i].peer;
		call[i] = (struct lite_call){
			.op = PCOMP_LOCKS,
			.class = LITE_CLASS_CONTROL,
			.req = &req,
			.req_len = sizeof(req),
			.rsp = &ask[i].rsp,
			.rsp_size = sizeof(ask[i].rsp),
			.timeout_ms = PCOMP_FS_CLAIM_MS,
		};
	}
	lite_call_many(peer, call, nr);
	kfree(peer);
	return 0;
}

/* Which member, if any, is why the claim fails? Sets *@err. */
static const char *pcomp_fs_ask_result(struct pcomp_fs_ask *ask, int nr,
				       const struct lite_call *call, int *err)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!call[i].status && call[i].rsp_len == sizeof(ask[i].rsp)) {
			*err = ask[i].rsp.held ? -EBUSY : 0;
		} else if (call[i].status == -ESTALE ||
			   ask[i].member.state != GMGR_MEMBER_UP) {
			*err = 0; /* dead, or another that has begun anew */
		} else {
			*err = -EHOSTUNREACH;
		}
		if (*err)
			return ask[i].member.name;
	}
	return NULL;
}

/* Tells once for each reason, not each time that a program tries. */
static void pcomp_fs_claim_tell(struct pcomp_fs *fs, const char *who, int err)
{
	if (fs->claim_told == err)
		return;
	fs->claim_told = err;
	switch (err) {
	case 0:
		pr_info("%s: vNode %s: file locks are granted here now\n",
			lite_node_name(fs->node), fs->vnode);
		break;
	case -EEXIST:
		pr_info("%s: vNode %s: file locks fail (ENOLCK) where it is mounted with these options, until it is not mounted with others any more\n",
			lite_node_name(fs->node), fs->vnode);
		break;
	case -EBUSY:
		pr_info("%s: vNode %s: file locks fail here (ENOLCK) while pComponent %s has the vNode mounted\n",
			lite_node_name(fs->node), fs->vnode, who);
		break;
	default:
		pr_info("%s: vNode %s: file locks fail here (ENOLCK) until pComponent %s answers or is dead (error %d)\n",
			lite_node_name(fs->node), fs->vnode,
			who ? who : "(any)", err);
	}
}

static int pcomp_fs_claim_ask(struct pcomp_fs *fs)
{
	struct lite_call *call = NULL;
	const char *who = NULL;
	struct pcomp_fs_ask *ask;
	int nr = 0, err = -ENOMEM;

	ask = kvcalloc(PCOMP_FS_CLAIM_MEMBERS, sizeof(*ask), GFP_KERNEL);
	if (!ask)
		return err;
	nr = pcomp_fs_ask_whom(fs, ask);
	if (nr <= 0) {
		err = nr;
		goto out_free;
	}
	call = kvcalloc(nr, sizeof(*call), GFP_KERNEL);
	if (!call)
		goto out_put;
	err = pcomp_fs_ask_all(fs, ask, nr, call);
	if (!err)
		who = pcomp_fs_ask_result(ask, nr, call, &err);
	if (err)
		pcomp_fs_claim_tell(fs, who, err);
	kvfree(call);
out_put:
	while (nr--)
		lite_peer_put(ask[nr].peer);
out_free:
	kvfree(ask);
	return err;
}

static int pcomp_fs_claim_begin(struct pcomp_fs *fs)
{
	int err = 0;

	mutex_lock(&claims_mutex);
	if (pcomp_fs_claim_find(fs->pc, fs->vid)) {
		err = -EEXIST;
	} else {
		fs->claim = PCOMP_FS_CLAIM_ASKED;
		list_add_tail(&fs->claims, &claims);
	}
	mutex_unlock(&claims_mutex);
	return err;
}

/* Return: 0, or an error: another pComponent was to have them. */
static int pcomp_fs_claim_end(struct pcomp_fs *fs, int err)
{
	mutex_lock(&claims_mutex);
	if (fs->claim != PCOMP_FS_CLAIM_ASKED) {
		err = err ? err : -EAGAIN;
	} else if (err) {
		list_del_init(&fs->claims);
		fs->claim = PCOMP_FS_CLAIM_NONE;
	} else {
		fs->claim = PCOMP_FS_CLAIM_HELD;
	}
	mutex_unlock(&claims_mutex);
	return err;
}

static int pcomp_fs_claim(struct pcomp_fs *fs)
{
	int err;

	lockdep_assert_held(&fs->claim_mutex);
	if (fs->claim == PCOMP_FS_CLAIM_HELD)
		return 0;
	if (time_before(jiffies, fs->claim_next))
		return -ENOLCK;
	err = pcomp_fs_claim_begin(fs);
	if (err) {
		pcomp_fs_claim_tell(fs, NULL, err);
	} else {
		err = pcomp_fs_claim_ask(fs);
		err = pcomp_fs_claim_end(fs, err);
	}
	if (!err) {
		pcomp_fs_claim_tell(fs, NULL, 0);
		return 0;
	}
	fs->claim_next = jiffies + msecs_to_jiffies(PCOMP_FS_CLAIM_MS);
	return err == -ENOMEM ? err : -ENOLCK;
}

/**
 * pcomp_fs_locks_claim() - may programs lock files of this superblock?
 * @fs: the superblock
 *
 * Context: process, sleeps, bounded (PCOMP_FS_CLAIM_MS) and killable.
 * Return: 0: yes, till pcomp_fs_locks_release(); -ENOLCK: no; -EINTR.
 */
int pcomp_fs_locks_claim(struct pcomp_fs *fs)
{
	int err;

	/* Once it is held it stays so. */
	if (READ_ONCE(fs->claim) == PCOMP_FS_CLAIM_HELD)
		return 0;
	err = mutex_lock_killable(&fs->claim_mutex);
	if (err)
		return err;
	err = pcomp_fs_claim(fs);
	mutex_unlock(&fs->claim_mutex);
	return err;
}

/**
 * pcomp_fs_locks_release() - the superblock's end: another may have its locks
 * @fs: the superblock; nobody has a file of it open
 */
void pcomp_fs_locks_release(struct pcomp_fs *fs)
{
	mutex_lock(&claims_mutex);
	list_del_init(&fs->claims);
	fs->claim = PCOMP_FS_CLAIM_NONE;
	mutex_unlock(&claims_mutex);
}

/**
 * pcomp_fs_lock() - fcntl() locks, of processes and of open files
 * @file: the file
 * @cmd: F_GETLK, F_SETLK, F_SETLKW
 * @fl: the lock
 *
 * Return: as file_operations.lock; -ENOLCK: see above.
 */
int pcomp_fs_lock(struct file *file, int cmd, struct file_lock *fl)
{
	if (!pcomp_lock_is_unlock(fl) || IS_GETLK(cmd)) {
		int err = pcomp_fs_locks_claim(PCOMP_FS(file_inode(file)->i_sb));

		if (err)
			return err;
	}
	if (!IS_GETLK(cmd))
		return posix_lock_file(file, fl, NULL);
	posix_test_lock(file, fl);
	return 0;
}

/**
 * pcomp_fs_flock() - flock()
 * @file: the file
 * @cmd: F_SETLK, F_SETLKW
 * @fl: the lock
 *
 * Return: as file_operations.flock; -ENOLCK: see above.
 */
int pcomp_fs_flock(struct file *file, int cmd, struct file_lock *fl)
{
	if (!pcomp_lock_is_unlock(fl)) {
		int err = pcomp_fs_locks_claim(PCOMP_FS(file_inode(file)->i_sb));

		if (err)
			return err;
	}
	return locks_lock_file_wait(file, fl);
}

/**
 * pcomp_fs_setlease() - fcntl(F_SETLEASE)
 * @file: the file
 * @arg: F_RDLCK, F_WRLCK, F_UNLCK
 * @lease: the lease
 * @priv: as generic_setlease()
 *
 * It is broken by who opens the file at this pComponent, not by others, which
 * install.md says.
 * Return: as file_operations.setlease; -ENOLCK: see above.
 */
int pcomp_fs_setlease(struct file *file, PCOMP_LEASE_ARG arg,
		      PCOMP_LEASE **lease, void **priv)
{
	if (arg != F_UNLCK) {
		int err = pcomp_fs_locks_claim(PCOMP_FS(file_inode(file)->i_sb));

		if (err)
			return err;
	}
	return generic_setlease(file, arg, lease, priv);
}
