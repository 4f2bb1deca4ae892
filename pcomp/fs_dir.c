// SPDX-License-Identifier: GPL-2.0
/*
 * Names: looking up, making, removing, renaming.
 */
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/uidgid.h>
#include "fs_priv.h"

/* How long "there is no such file" is believed: others may make it. */
#define PCOMP_FS_NEG_TIMEO (HZ / 2)

/* d_time: when the name was last seen to lead where it leads; 0: never */
static void pcomp_fs_seen(struct dentry *dentry)
{
	dentry->d_time = jiffies ?: 1;
}

/*
 * A directory on the way to something else needs no call of its own: the call
 * for what comes after it names it, too, and the sComponent looks. Only its
 * mode may be old then, for six times as long.
 */
static bool pcomp_fs_name_fresh(struct dentry *dentry, struct inode *inode,
				unsigned int flags)
{
	unsigned long seen = READ_ONCE(dentry->d_time);
	unsigned long timeo;

	if (inode)
		timeo = READ_ONCE(PCOMP_FS_I(inode)->timeo) *
			(S_ISDIR(inode->i_mode) && (flags & LOOKUP_PARENT) ?
			 6 : 1);
	else
		timeo = min_t(unsigned long, PCOMP_FS_NEG_TIMEO,
			      msecs_to_jiffies(PCOMP_FS(dentry->d_sb)->attr_ms));
	return seen && time_before(jiffies, seen + timeo);
}

static bool pcomp_fs_is_hidden(struct dentry *parent, const struct qstr *name)
{
	return IS_ROOT(parent) && name->len == strlen(PCOMP_FS_SILLY_DIR) &&
	       !memcmp(name->name, PCOMP_FS_SILLY_DIR, name->len);
}

static int pcomp_fs_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct pcomp_fs_name name = { .dentry = dentry };
	struct inode *inode = d_inode_rcu(dentry);
	struct scomp_attr attr;
	u64 gen;
	int err;

	/* open() itself asks: see pcomp_fs_open() */
	if (!(flags & LOOKUP_REVAL) &&
	    pcomp_fs_name_fresh(dentry, inode, flags)) {
		if (inode && (flags & LOOKUP_OPEN))
			WRITE_ONCE(PCOMP_FS_I(inode)->opens, NULL);
		return 1;
	}
	if (flags & LOOKUP_RCU)
		return -ECHILD;
	inode = d_inode(dentry);
	if (!inode)
		return 0;
	if (dentry->d_fsdata)
		return 1;
	gen = pcomp_fs_gen(dentry->d_sb);
	err = pcomp_fs_rpc_getattr(PCOMP_FS(dentry->d_sb), NULL, name,
				   false, &attr);
	if (err == -ENOENT || err == -ENOTDIR || err == -ELOOP)
		return 0;
	if (err)
		return err;
	if (!pcomp_fs_same(inode, &attr, false))
		return 0;
	pcomp_fs_apply(inode, &attr, gen);
	pcomp_fs_seen(dentry);
	if (flags & LOOKUP_OPEN)
		WRITE_ONCE(PCOMP_FS_I(inode)->opens, current);
	return 1;
}

static void pcomp_fs_d_iput(struct dentry *dentry, struct inode *inode)
{
	struct pcomp_fs_silly *silly = dentry->d_fsdata;
	struct pcomp_fs_inode *fi = PCOMP_FS_I(inode);

	if (silly) {
		dentry->d_fsdata = NULL;
		spin_lock(&fi->lock);
		fi->silly--;
		spin_unlock(&fi->lock);
		pcomp_fs_silly_remove(silly);
	}
	iput(inode);
}

const struct dentry_operations pcomp_fs_dentry_ops = {
	.d_revalidate = pcomp_fs_d_revalidate,
	.d_iput = pcomp_fs_d_iput,
};

/*
 * What makes a name says whether it is there, so no lookup has to ask before.
 * But to who may not write here a name that is there is EEXIST, too, and that
 * Linux says by itself, after it has looked: mkdir() of each directory on a path,
 * as `mkdir -p` does it, relies on it.
 */
static bool pcomp_fs_create_looks(struct inode *dir, unsigned int flags)
{
	const unsigned int excl = LOOKUP_CREATE | LOOKUP_EXCL;

	return (flags & excl) == excl && !sb_rdonly(dir->i_sb) &&
	       !inode_permission(&nop_mnt_idmap, dir, MAY_WRITE | MAY_EXEC);
}

static struct dentry *pcomp_fs_lookup(struct inode *dir, struct dentry *dentry,
				      unsigned int flags)
{
	struct pcomp_fs_name name = { .dentry = dentry };
	struct inode *inode = NULL;
	struct scomp_attr attr;
	struct dentry *d;
	u64 gen;
	int err;

	if (dentry->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	dentry->d_time = 0;
	if (pcomp_fs_create_looks(dir, flags))
		goto out;
	if (pcomp_fs_is_hidden(dentry->d_parent, &dentry->d_name))
		goto out;
	gen = pcomp_fs_gen(dir->i_sb);
	err = pcomp_fs_rpc_getattr(PCOMP_FS(dir->i_sb), current_cred(),
				   name, false, &attr);
	/* What was a directory on the way is none: walk again, and look. */
	if ((err == -ENOTDIR || err == -ELOOP) && !(flags & LOOKUP_REVAL))
		err = -ESTALE;
	if (err && err != -ENOENT)
		return ERR_PTR(err);
	if (!err) {
		inode = pcomp_fs_iget(dir->i_sb, &attr, gen);
		if (IS_ERR(inode))
			return ERR_CAST(inode);
		if (flags & LOOKUP_OPEN)
			WRITE_ONCE(PCOMP_FS_I(inode)->opens, current);
	}
	pcomp_fs_seen(dentry);
out:
	d = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(d))
		pcomp_fs_seen(d);
	return d;
}

/* A new name was made: let the dentry lead to the file. */
static int pcomp_fs_instantiate(struct inode *dir, struct dentry *dentry,
				const struct scomp_attr *attr, u64 gen)
{
	struct inode *inode;
	struct dentry *d;

	pcomp_fs_changed(dir);
	inode = pcomp_fs_iget(dir->i_sb, attr, gen);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	d_drop(dentry);
	pcomp_fs_seen(dentry);
	d = d_splice_alias(inode, dentry);
	if (IS_ERR(d))
		return PTR_ERR(d);
	dput(d);
	return 0;
}

/* Tells what a request makes from what others make: see struct scomp_create_req. */
static __le32 pcomp_fs_mark(void)
{
	return cpu_to_le32(get_random_u32() % (NSEC_PER_SEC - 1) + 1);
}

/*
 * CREATE and SYMLINK: @excl is in @call->req. If the sComponent was started again
 * meanwhile, what is there may have been made by us.
 */
static int pcomp_fs_rpc_make(struct inode *dir, struct pcomp_fs_call *call,
			     __le32 *excl)
{
	int err;

	*excl = cpu_to_le32(SCOMP_EXCL);
	call->unsure = true;
	err = pcomp_fs_rpc(PCOMP_FS(dir->i_sb), call);
	if (err == -EIO && call->maybe) {
		*excl = cpu_to_le32(SCOMP_EXCL_AGAIN);
		call->unsure = false;
		err = pcomp_fs_rpc(PCOMP_FS(dir->i_sb), call);
	}
	if (!err && call->rsp_len != sizeof(struct scomp_attr))
		err = -EIO;
	return err;
}

static int pcomp_fs_make(struct inode *dir, struct dentry *dentry, umode_t mode,
			 dev_t rdev)
{
	struct scomp_create_req req = {
		.mode = cpu_to_le32(mode),
		.rdev = cpu_to_le32(new_encode_dev(rdev)),
		.mark = pcomp_fs_mark(),
	};
	struct scomp_attr attr;
	struct pcomp_fs_call call = {
		.op = SCOMP_CREATE,
		.cred = current_cred(),
		.name.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &attr,
		.rsp_size = sizeof(attr),
	};
	u64 gen = pcomp_fs_gen(dir->i_sb);
	int err;

	if (pcomp_fs_is_hidden(dentry->d_parent, &dentry->d_name))
		return -EACCES;
	err = pcomp_fs_rpc_make(dir, &call, &req.excl);
	if (err) {
		d_drop(dentry);
		return err;
	}
	return pcomp_fs_instantiate(dir, dentry, &attr, gen);
}

static int pcomp_fs_create(struct mnt_idmap *idmap, struct inode *dir,
			   struct dentry *dentry, umode_t mode, bool excl)
{
	int err = pcomp_fs_make(dir, dentry, mode | S_IFREG, 0);

	/*
	 * Somebody else has made it: not what we made, so its mode counts, and
	 * O_TRUNC. Let open() look again; the dentry is dropped.
	 */
	return err == -EEXIST && !excl ? -ESTALE : err;
}

static int pcomp_fs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
			  struct dentry *dentry, umode_t mode)
{
	return pcomp_fs_make(dir, dentry, mode | S_IFDIR, 0);
}

static int pcomp_fs_mknod(struct mnt_idmap *idmap, struct inode *dir,
			  struct dentry *dentry, umode_t mode, dev_t rdev)
{
	return pcomp_fs_make(dir, dentry, mode, rdev);
}

/*
 * LINK says that @dentry is there, and its first answer was lost: is it @old's
 * name, by us, or has another made it? Return: -EEXIST, or 0 and the attributes.
 */
static int pcomp_fs_linked(struct dentry *old, struct dentry *dentry,
			   struct scomp_attr *attr)
{
	struct pcomp_fs *fs = PCOMP_FS(dentry->d_sb);
	struct pcomp_fs_name name = { .dentry = dentry };
	struct pcomp_fs_name old_name = { .dentry = old };
	struct scomp_attr mine;
	int err;

	err = pcomp_fs_rpc_getattr(fs, NULL, old_name, false, &mine);
	if (!err)
		err = pcomp_fs_rpc_getattr(fs, NULL, name, false, attr);
	if (err)
		return err;
	return attr->ino == mine.ino && attr->generation == mine.generation &&
	       attr->mode == mine.mode ? 0 : -EEXIST;
}

static int pcomp_fs_symlink(struct mnt_idmap *idmap, struct inode *dir,
			    struct dentry *dentry, const char *target)
{
	struct scomp_symlink_req req = { .mark = pcomp_fs_mark() };
	struct scomp_attr attr;
	struct pcomp_fs_call call = {
		.op = SCOMP_SYMLINK,
		.cred = current_cred(),
		.name.dentry = dentry,
		.name2.str = target,
		.name2.raw = true,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &attr,
		.rsp_size = sizeof(attr),
	};
	u64 gen = pcomp_fs_gen(dir->i_sb);
	int err;

	if (pcomp_fs_is_hidden(dentry->d_parent, &dentry->d_name))
		return -EACCES;
	err = pcomp_fs_rpc_make(dir, &call, &req.excl);
	if (err) {
		d_drop(dentry);
		return err;
	}
	return pcomp_fs_instantiate(dir, dentry, &attr, gen);
}

static int pcomp_fs_link(struct dentry *old, struct inode *dir,
			 struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct scomp_path_req req = {};
	struct scomp_attr attr;
	struct pcomp_fs_call call = {
		.op = SCOMP_LINK,
		.cred = current_cred(),
		.name.dentry = old,
		.name2.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &attr,
		.rsp_size = sizeof(attr),
	};
	int err;

	if (pcomp_fs_is_hidden(dentry->d_parent, &dentry->d_name))
		return -EACCES;
	err = pcomp_fs_rpc(PCOMP_FS(dir->i_sb), &call);
	if (!err && call.rsp_len != sizeof(attr))
		err = -EIO;
	if (err == -EEXIST && call.maybe)
		err = pcomp_fs_linked(old, dentry, &attr);
	if (err) {
		d_drop(dentry);
		return err;
	}
	pcomp_fs_changed(dir);
	pcomp_fs_own_ctime(inode);
	if (!pcomp_fs_same(inode, &attr, false)) {
		d_drop(dentry);
		return 0;
	}
	/* A new name changes neither: what is new of these, others did. */
	pcomp_fs_apply_own(inode, &attr, &(struct scomp_before) {
				   .size = attr.size,
				   .mtime_sec = attr.mtime_sec,
				   .ctime_sec = attr.ctime_sec,
				   .mtime_nsec = attr.mtime_nsec,
				   .ctime_nsec = attr.ctime_nsec,
			   });
	ihold(inode);
	d_drop(dentry);
	pcomp_fs_seen(dentry);
	d_add(dentry, inode);
	return 0;
}

/*
 * Before a change of names is sent to an sComponent that was started again: where
 * do they lead now? Return: 0 and the attributes, -ESTALE (to no file), or an error.
 */
static int pcomp_fs_leads_to(struct inode *inode, struct pcomp_fs_name name,
			     bool locked, struct scomp_attr *attr)
{
	return pcomp_fs_stale(pcomp_fs_rpc_getattr(PCOMP_FS(inode->i_sb), NULL,
						   name, locked, attr));
}

/* Surely the same, while pcomp_fs_same() believes that numbers may change. */
static bool pcomp_fs_has_number(const struct inode *inode,
				const struct scomp_attr *attr)
{
	return !((inode->i_mode ^ le32_to_cpu(attr->mode)) & S_IFMT) &&
	       inode->i_ino == le64_to_cpu(attr->ino) &&
	       (S_ISDIR(inode->i_mode) ||
		inode->i_generation == le32_to_cpu(attr->generation));
}

static int pcomp_fs_rpc_remove(struct inode *dir, struct dentry *dentry,
			       bool is_dir)
{
	struct scomp_remove_req req = {
		.dir = cpu_to_le32(is_dir),
	};
	struct pcomp_fs_call call = {
		.op = SCOMP_REMOVE,
		.cred = current_cred(),
		.name.dentry = dentry,
		.req = &req,
		.req_len = sizeof(req),
		.unsure = true,
	};
	struct inode *inode = d_inode(dentry);
	struct scomp_attr attr;
	int err;

	do {
		err = pcomp_fs_rpc(PCOMP_FS(dir->i_sb), &call);
		if (err != -EIO || !call.maybe)
			return err;
		/* If it was removed, others may have made another since. */
		err = pcomp_fs_leads_to(inode, call.name, false, &attr);
	} while (!err && pcomp_fs_same(inode, &attr, false));
	return err == -ESTALE ? 0 : err;
}

/*
 * Nobody may open @dentry between the look at its users and the answer of the
 * sComponent: unhashed, it is looked up anew, and that waits for the
 * directory's lock. Return: true if somebody has it open.
 */
static bool pcomp_fs_block_opens(struct dentry *dentry, int users, bool *rehash)
{
	bool busy;

	spin_lock(&dentry->d_lock);
	busy = d_count(dentry) > users;
	*rehash = !busy && !d_unhashed(dentry);
	if (*rehash)
		__d_drop(dentry);
	spin_unlock(&dentry->d_lock);
	return busy;
}

static int pcomp_fs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	bool rehash = false;
	int err;

	if (pcomp_fs_block_opens(dentry, 1, &rehash) &&
	    S_ISREG(inode->i_mode))
		err = pcomp_fs_silly_move(dentry);
	else
		err = pcomp_fs_rpc_remove(dir, dentry, false);
	if (!err) {
		if (inode->i_nlink)
			drop_nlink(inode);
		pcomp_fs_own_ctime(inode);
		pcomp_fs_changed(inode);
		pcomp_fs_changed(dir);
		pcomp_fs_seen(dentry); /* not to be there */
	}
	/* What is not there is worth remembering, too; d_delete() does it. */
	if (rehash)
		d_rehash(dentry);
	return err;
}

static int pcomp_fs_rmdir(struct inode *dir, struct dentry *dentry)
{
	int err = pcomp_fs_rpc_remove(dir, dentry, true);

	if (err)
		return err;
	clear_nlink(d_inode(dentry));
	pcomp_fs_changed(dir);
	pcomp_fs_seen(dentry);
	return 0;
}

/*
 * d_exchange() is not for modules: by way of a third name, which nobody can
 * look up, since both directories are locked.
 */
static int pcomp_fs_d_exchange(struct dentry *a, struct dentry *b)
{
	struct qstr tmp = QSTR_INIT(PCOMP_FS_SILLY_DIR, strlen(PCOMP_FS_SILLY_DIR));
	struct dentry *at_a, *at_b, *at_tmp;
	int err = -ENOMEM;

	at_a = d_alloc(a->d_parent, &a->d_name);
	at_b = d_alloc(b->d_parent, &b->d_name);
	at_tmp = d_alloc(a->d_parent, &tmp);
	if (at_a && at_b && at_tmp) {
		d_move(a, at_tmp);
		d_move(b, at_a);
		d_move(a, at_b);
		err = 0;
	}
	dput(at_tmp);
	dput(at_b);
	dput(at_a);
	return err;
}

static int pcomp_fs_rpc_rename(struct pcomp_fs *fs, struct inode *old_dir,
			       struct dentry *old, struct dentry *new, u32 flags)
{
	struct inode *inode = d_inode(old);
	struct scomp_rename_req req = {
		.flags = cpu_to_le32(flags),
	};
	struct pcomp_fs_call call = {
		.op = SCOMP_RENAME,
		.cred = current_cred(),
		.name.dentry = old,
		.name2.dentry = new,
		.req = &req,
		.req_len = sizeof(req),
		.locked = true,
		.unsure = true,
	};
	struct scomp_attr attr, attr2;
	int err, err2;

	do {
		err = pcomp_fs_rpc(fs, &call);
		if (err != -EIO || !call.maybe)
			return err;
		/* If it was renamed, others may have made another since. */
		err2 = pcomp_fs_leads_to(inode, call.name2, true,
					 &attr2);
		if (!err2 && pcomp_fs_has_number(inode, &attr2))
			return 0;
		err = pcomp_fs_leads_to(inode, call.name, true,
					&attr);
	} while (!err && pcomp_fs_same(inode, &attr, false));
	if (err && err != -ESTALE)
		return err;
	if (!err2)
		return pcomp_fs_same(inode, &attr2, false) ? 0 : -ENOENT;
	return err2 == -ESTALE ? -ENOENT : err2;
}

/* path_sem is held for writing: no other call is out, none starts. */
static int pcomp_fs_rename_locked(struct inode *old_dir, struct dentry *old,
				  struct dentry *new, u32 flags, bool busy)
{
	struct pcomp_fs *fs = PCOMP_FS(old_dir->i_sb);
	struct pcomp_fs_silly *silly = NULL;
	bool moved = false;
	int err;

	if (busy) {
		silly = pcomp_fs_silly_link(new, &moved);
		if (IS_ERR(silly))
			return PTR_ERR(silly);
	}
	err = pcomp_fs_rpc_rename(fs, old_dir, old, new, flags);
	if (err) {
		if (silly)
			pcomp_fs_silly_undo(silly, new, moved);
		return err;
	}
	pcomp_fs_own_ctime(d_inode(old));
	if (d_inode(new))
		pcomp_fs_own_ctime(d_inode(new));
	if (silly)
		pcomp_fs_silly_attach(silly, new);
	if (flags & RENAME_EXCHANGE) {
		if (pcomp_fs_d_exchange(old, new)) {
			d_drop(old);
			d_drop(new);
		}
	} else {
		d_move(old, new);
	}
	pcomp_fs_seen(old);
	return 0;
}

static int pcomp_fs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
			   struct dentry *old, struct inode *new_dir,
			   struct dentry *new, unsigned int flags)
{
	struct pcomp_fs *fs = PCOMP_FS(old_dir->i_sb);
	struct inode *target = d_inode(new);
	bool busy = false, rehash = false;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (pcomp_fs_is_hidden(new->d_parent, &new->d_name))
		return -EACCES;
	/* vfs_rename() and its caller have a reference each. */
	if (target && S_ISREG(target->i_mode) && !(flags & RENAME_EXCHANGE))
		busy = pcomp_fs_block_opens(new, 2, &rehash);
	err = down_write_killable(&fs->path_sem);
	if (err)
		goto out_rehash;
	err = pcomp_fs_rename_locked(old_dir, old, new, flags, busy);
	up_write(&fs->path_sem);
out_rehash:
	if (err && rehash)
		d_rehash(new);
	if (err)
		return err;
	if (flags & RENAME_EXCHANGE) {
		pcomp_fs_changed(target);
	} else if (target) {
		if (S_ISDIR(target->i_mode))
			clear_nlink(target);
		else if (target->i_nlink)
			drop_nlink(target);
		pcomp_fs_changed(target);
	}
	pcomp_fs_changed(d_inode(old));
	pcomp_fs_changed(old_dir);
	if (new_dir != old_dir)
		pcomp_fs_changed(new_dir);
	return 0;
}

const struct inode_operations pcomp_fs_dir_inode_ops = {
	.lookup = pcomp_fs_lookup,
	.create = pcomp_fs_create,
	.link = pcomp_fs_link,
	.unlink = pcomp_fs_unlink,
	.symlink = pcomp_fs_symlink,
	.mkdir = pcomp_fs_mkdir,
	.rmdir = pcomp_fs_rmdir,
	.mknod = pcomp_fs_mknod,
	.rename = pcomp_fs_rename,
	.getattr = pcomp_fs_getattr,
	.setattr = pcomp_fs_setattr,
};
