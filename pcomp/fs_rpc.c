// SPDX-License-Identifier: GPL-2.0
/*
 * Calls to the sComponent: names, rights, and patience while it restarts.
 */
#include <linux/bits.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include "fs_priv.h"

#define PCOMP_FS_TIMEOUT_MS 10000
/* All calls of the mount wait for a rename; to ask again does no harm. */
#define PCOMP_FS_LOCKED_MS 2000
#define PCOMP_FS_MEMBERS 256 /* as many as gmgr takes */

/* Finds the sComponent in the membership table by its name. */
static int pcomp_fs_find(struct pcomp_fs *fs, struct lite_member *found)
{
	struct lite_member *m;
	unsigned int n;
	int err = -EHOSTDOWN;

	m = kvcalloc(PCOMP_FS_MEMBERS, sizeof(*m), GFP_NOFS);
	if (!m)
		return -ENOMEM;
	n = lite_members(fs->node, m, PCOMP_FS_MEMBERS);
	while (n--) {
		if (m[n].role != LITE_ROLE_SCOMP ||
		    m[n].state != GMGR_MEMBER_UP ||
		    strcmp(m[n].name, fs->storage))
			continue;
		*found = m[n];
		err = 0;
		break;
	}
	kvfree(m);
	return err;
}

/**
 * pcomp_fs_peer() - the sComponent as the membership table has it now
 * @fs: the mount
 * @incarnation: set to its present one
 *
 * Context: process, sleeps.
 * Return: a reference, for lite_peer_put(), or ERR_PTR.
 */
struct lite_peer *pcomp_fs_peer(struct pcomp_fs *fs, u64 *incarnation)
{
	struct lite_peer *peer, *old = NULL;
	struct lite_member m;

	mutex_lock(&fs->peer_lock);
	if (lite_member_by_id(fs->node, fs->storage_id, &m) ||
	    m.state != GMGR_MEMBER_UP || strcmp(m.name, fs->storage)) {
		int err = pcomp_fs_find(fs, &m);

		if (err) {
			mutex_unlock(&fs->peer_lock);
			return ERR_PTR(err);
		}
		fs->storage_id = m.id;
	}
	*incarnation = m.incarnation;
	peer = lite_peer_get(fs->node, m.addr, m.incarnation);
	if (!IS_ERR(peer) && peer != fs->peer) {
		old = fs->peer;
		fs->peer = lite_peer_get(fs->node, m.addr, m.incarnation);
		if (IS_ERR(fs->peer))
			fs->peer = NULL;
	}
	mutex_unlock(&fs->peer_lock);
	if (old)
		lite_peer_put(old);
	return peer;
}

/**
 * pcomp_fs_connect() - find the sComponent
 * @fs: the mount
 *
 * Return: 0 or an error.
 */
int pcomp_fs_connect(struct pcomp_fs *fs)
{
	struct lite_peer *peer;
	u64 incarnation;

	peer = pcomp_fs_peer(fs, &incarnation);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	lite_peer_put(peer);
	return 0;
}

/**
 * pcomp_fs_disconnect() - forget it
 * @fs: the mount
 */
void pcomp_fs_disconnect(struct pcomp_fs *fs)
{
	if (fs->peer)
		lite_peer_put(fs->peer);
	fs->peer = NULL;
}

/* dentry_path_raw() fills the buffer from its end. */
static const char *pcomp_fs_dentry_path(struct dentry *dentry, char *buf,
					size_t room)
{
	struct pcomp_fs_silly *silly = dentry->d_fsdata;
	const char *path;

	if (silly)
		return silly->name;
	path = dentry_path_raw(dentry, buf, room);
	return IS_ERR(path) ? path : path + 1; /* after its '/' */
}

static const char *pcomp_fs_inode_path(struct inode *inode, char *buf,
				       size_t room)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);
	const char *path = ERR_PTR(-EIO);
	struct pcomp_fs_file *ff;

	spin_lock(&fi->lock);
	ff = list_first_entry_or_null(&fi->files, struct pcomp_fs_file, list);
	if (ff)
		path = pcomp_fs_dentry_path(ff->dentry, buf, room);
	/* A name of an unlinked file is freed soon after the last close. */
	if (ff && ff->dentry->d_fsdata)
		path = strscpy(buf, path, room) < 0 ? ERR_PTR(-ENAMETOOLONG) :
						      buf;
	spin_unlock(&fi->lock);
	return path;
}

/* Appends a path to the request. */
static int pcomp_fs_put_name(struct pcomp_fs *fs, struct pcomp_fs_name *name,
			     char *buf, size_t room, __le16 *len)
{
	const char *path = name->str;
	size_t n, root, sep;

	*len = 0;
	if (name->dentry)
		path = pcomp_fs_dentry_path(name->dentry, buf, room);
	else if (name->inode)
		path = pcomp_fs_inode_path(name->inode, buf, room);
	else if (!path)
		return 0;
	if (IS_ERR(path))
		return PTR_ERR(path);
	n = strlen(path);
	root = name->raw ? 0 : strlen(fs->root);
	sep = root && n;
	if (root + sep + n >= SCOMP_PATH_MAX || root + sep + n > room)
		return -ENAMETOOLONG;
	memmove(buf + root + sep, path, n);
	memcpy(buf, fs->root, root);
	if (sep)
		buf[root] = '/';
	n += root + sep;
	*len = cpu_to_le16(n);
	return n;
}

/* Whose request it is. Return: bytes of groups in @buf, or -ENAMETOOLONG. */
static int pcomp_fs_put_cred(struct scomp_hdr *hdr, const struct cred *cred,
			     __le32 *buf, size_t room)
{
	const struct group_info *info;
	u32 caps = 0;
	int i, nr;

	if (!cred) {
		hdr->caps = cpu_to_le32(~0U);
		return 0;
	}
	hdr->uid = cpu_to_le32(from_kuid(&init_user_ns, cred->fsuid));
	hdr->gid = cpu_to_le32(from_kgid(&init_user_ns, cred->fsgid));
	/* Those of other namespaces count here only. */
	for (i = 0; i < 32 && cred->user_ns == &init_user_ns; i++)
		if (cap_raised(cred->cap_effective, i))
			caps |= BIT(i);
	hdr->caps = cpu_to_le32(caps);
	info = cred->group_info;
	nr = min(info->ngroups, SCOMP_GROUPS_MAX);
	if (nr * sizeof(*buf) > room)
		return -ENAMETOOLONG;
	hdr->nr_groups = cpu_to_le16(nr);
	for (i = 0; i < nr; i++)
		buf[i] = cpu_to_le32(from_kgid(&init_user_ns, info->gid[i]));
	return nr * sizeof(*buf);
}

/* What follows the fixed part. Return: its bytes, or an error. */
static int pcomp_fs_put_rest(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			     struct scomp_hdr *hdr, void *buf, size_t room)
{
	size_t len;
	int n;

	n = pcomp_fs_put_cred(hdr, call->cred, buf, room);
	if (n < 0)
		return n;
	len = n;
	n = pcomp_fs_put_name(fs, &call->name, buf + len, room - len,
			      &hdr->path_len);
	if (n < 0)
		return n;
	len += n;
	n = pcomp_fs_put_name(fs, &call->name2, buf + len, room - len,
			      &hdr->path2_len);
	return n < 0 ? n : len + n;
}

/**
 * struct pcomp_fs_msg - a request as it is sent
 * @buf: LITE_REQ_MAX bytes: its fixed part, and what follows if there is room
 * @len: bytes in it
 * @rest: else that is there, in registered memory; or NULL
 * @in: what the sComponent may read
 * @nr_in: how many of them
 */
struct pcomp_fs_msg {
	void *buf;
	u32 len;
	struct pcomp_fs_buf *rest;
	struct lite_sge in[2];
	u8 nr_in;
};

static int pcomp_fs_build_rest(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			       struct pcomp_fs_msg *msg)
{
	int n;

	msg->rest = pcomp_fs_buf_get(fs->name_pool);
	if (!msg->rest)
		return -EINTR;
	n = pcomp_fs_put_rest(fs, call, msg->buf, msg->rest->va, SCOMP_IO_MAX);
	if (n < 0) {
		pcomp_fs_buf_put(fs->name_pool, msg->rest);
		return n;
	}
	msg->in[msg->nr_in++] = (struct lite_sge){ fs->name_pool->mr,
						   msg->rest->off, n };
	return 0;
}

/* Return: 0, or an error, and there is no @msg->rest to be given back then. */
static int pcomp_fs_build(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			  struct pcomp_fs_msg *msg)
{
	struct scomp_hdr *hdr = msg->buf;
	int n;

	memcpy(msg->buf, call->req, call->req_len);
	if (call->slot) {
		hdr->seq = cpu_to_le64(call->slot->seq);
		hdr->slot = cpu_to_le16(fs->slot_base +
					(call->slot - fs->slot));
	}
	hdr->vid = cpu_to_le32(fs->vid);
	msg->len = call->req_len;
	n = pcomp_fs_put_rest(fs, call, hdr, msg->buf + msg->len,
			      LITE_REQ_MAX - msg->len);
	if (n == -ENAMETOOLONG)
		n = pcomp_fs_build_rest(fs, call, msg);
	if (n < 0)
		return n;
	msg->len += n;
	if (call->in)
		msg->in[msg->nr_in++] = *call->in;
	return 0;
}

/**
 * pcomp_fs_is_away() - is the sComponent to be asked again?
 * @err: of a call
 *
 * It did not answer; or is another one now, or none (-EHOSTDOWN) in the
 * membership table; or it answered that it is busy: nfsd says so, too, of a lack
 * of memory (nfserr_jukebox).
 */
bool pcomp_fs_is_away(int err)
{
	return lite_no_answer(err) || err == -ESTALE || err == -EHOSTDOWN ||
	       err == -EAGAIN || err == -ENOMEM;
}

/* Before a try: nothing else may be executed after it, and it needs a slot. */
static int pcomp_fs_prepare(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			    struct lite_peer *peer, u64 incarnation)
{
	int err;

	/* Only the incarnation that may have executed it knows whether it did. */
	if (call->tried && call->tried != incarnation)
		call->maybe = true;
	if (call->maybe && call->unsure)
		return -EIO;
	if (call->open != incarnation)
		call->open = 0;
	err = pcomp_fs_settle(fs, peer, incarnation, false);
	if (err || lite_op_desc(call->op)->flags & LITE_OPF_IDEMPOTENT)
		return err;
	return pcomp_fs_slot_get(fs, call, peer, incarnation);
}

static int pcomp_fs_send(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			 struct lite_peer *peer, u64 incarnation, void *buf)
{
	struct pcomp_fs_msg msg = { .buf = buf };
	struct lite_call lc = {
		.op = call->op,
		.class = LITE_CLASS_CONTROL,
		.req = buf,
		.rsp = call->rsp,
		.rsp_size = call->rsp_size,
		.in = msg.in,
		.out = call->out,
		.nr_out = call->out ? 1 : 0,
		.timeout_ms = call->locked ? PCOMP_FS_LOCKED_MS :
					     PCOMP_FS_TIMEOUT_MS,
	};
	int err;

	err = pcomp_fs_build(fs, call, &msg);
	if (err)
		return err;
	lc.req_len = msg.len;
	lc.nr_in = msg.nr_in;
	err = lite_call(peer, &lc);
	if (msg.rest)
		pcomp_fs_buf_put(fs->name_pool, msg.rest);
	call->rsp_len = lc.rsp_len;
	if (err == -ETIMEDOUT || err == -ECONNRESET || err == -EINTR) {
		call->tried = incarnation;
		call->open = incarnation;
	} else if (!pcomp_fs_is_away(err)) {
		call->open = 0;
	}
	return err;
}

/* One try. Sets *@away if the sComponent did not answer. */
static int pcomp_fs_try(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			char *buf, bool *away)
{
	struct lite_peer *peer;
	u64 incarnation;
	int err;

	peer = pcomp_fs_peer(fs, &incarnation);
	if (IS_ERR(peer)) {
		*away = true;
		return PTR_ERR(peer);
	}
	err = pcomp_fs_prepare(fs, call, peer, incarnation);
	if (!err)
		err = pcomp_fs_send(fs, call, peer, incarnation, buf);
	lite_peer_put(peer);
	*away = pcomp_fs_is_away(err);
	return err;
}

static int pcomp_fs_try_locked(struct pcomp_fs *fs, struct pcomp_fs_call *call,
			       char *buf, bool *away)
{
	int err;

	if (call->locked)
		return pcomp_fs_try(fs, call, buf, away);
	*away = false;
	err = down_read_killable(&fs->path_sem);
	if (err)
		return err;
	err = pcomp_fs_try(fs, call, buf, away);
	up_read(&fs->path_sem);
	return err;
}

/* The sComponent has not answered for pcomp_fs.retry_s: is that an error? */
static bool pcomp_fs_gives_up(struct pcomp_fs *fs,
			      const struct pcomp_fs_call *call, int err,
			      bool *told)
{
	bool up = fs->soft || call->soft || READ_ONCE(fs->forced);

	if (up || !*told)
		pr_warn_ratelimited("%s: storage %s does not answer (error %d): %s %s for %s\n",
				    fs->vnode, fs->storage, err,
				    up ? "giving up" : "going on with",
				    lite_op_desc(call->op)->name,
				    current->comm);
	*told = true;
	return up;
}

/**
 * pcomp_fs_rpc() - ask the sComponent
 * @fs: the mount
 * @call: what
 *
 * Tries again when the sComponent is away or comes again as another
 * incarnation; names are looked at anew each time. After pcomp_fs.retry_s it
 * gives up on a soft mount, where all others then fail soon, until it answers
 * again; else it goes on.
 * What changes files has a slot, in which the sComponent executes it once; but
 * one that was started again does not know what it did before: then look at
 * @call->maybe.
 *
 * Context: process, no spinlock; allocates without recursing into the file
 *	system. A fatal signal ends the wait: what must not end runs in a kernel
 *	thread, which gets none.
 * Return: 0 or the sComponent's error; -EIO: it stayed away; -EINTR.
 */
int pcomp_fs_rpc(struct pcomp_fs *fs, struct pcomp_fs_call *call)
{
	unsigned long end = jiffies + HZ * (READ_ONCE(fs->gone) ?
					    min(fs->retry_s, 2U) : fs->retry_s);
	unsigned int nofs = memalloc_nofs_save();
	unsigned int wait = 20;
	bool away, told = false;
	char *buf;
	int err;

	call->maybe = false;
	call->slot = NULL;
	call->tried = 0;
	call->open = 0;
	buf = kmalloc(LITE_REQ_MAX, GFP_NOFS);
	if (!buf) {
		err = -ENOMEM;
		goto out;
	}
	for (;;) {
		err = pcomp_fs_try_locked(fs, call, buf, &away);
		if (!away) {
			if (READ_ONCE(fs->gone) && err != -EINTR) {
				WRITE_ONCE(fs->forced, false);
				WRITE_ONCE(fs->gone, false);
			}
			break;
		}
		if (call->once)
			break;
		if (time_after(jiffies, end) || READ_ONCE(fs->forced)) {
			WRITE_ONCE(fs->gone, true);
			if (pcomp_fs_gives_up(fs, call, err, &told)) {
				err = -EIO;
				break;
			}
		}
		if (!fatal_signal_pending(current))
			schedule_timeout_killable(msecs_to_jiffies(wait));
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		wait = min(wait * 2, 500U);
	}
	err = pcomp_fs_slot_put(fs, call, err);
	kfree(buf);
out:
	memalloc_nofs_restore(nofs);
	return err;
}

/**
 * pcomp_fs_rpc_getattr() - SCOMP_GETATTR
 * @fs: the mount
 * @cred: with whose rights
 * @name: which file
 * @locked: path_sem is held for writing
 * @attr: set
 *
 * Return: 0 or an error.
 */
int pcomp_fs_rpc_getattr(struct pcomp_fs *fs, const struct cred *cred,
			 struct pcomp_fs_name name, bool locked,
			 struct scomp_attr *attr)
{
	struct scomp_path_req req = {};
	struct pcomp_fs_call call = {
		.op = SCOMP_GETATTR,
		.cred = cred,
		.name = name,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = attr,
		.rsp_size = sizeof(*attr),
		.locked = locked,
	};
	int err = pcomp_fs_rpc(fs, &call);

	if (!err && call.rsp_len != sizeof(*attr))
		err = -EIO;
	return err;
}
