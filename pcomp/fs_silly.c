// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are open when they lose their name. A stateless server cannot
 * know of them, so they get another name until the last close: the idea of
 * fs/nfs/unlink.c. Here the name is in a directory of its own, and the dentry
 * keeps it in d_fsdata, where all calls for the file look first.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "fs_priv.h"

static int pcomp_fs_silly_rpc_dir(struct pcomp_fs *fs)
{
	struct scomp_create_req req = {
		.mode = cpu_to_le32(S_IFDIR | 0700),
	};
	struct scomp_attr attr;
	struct pcomp_fs_call call = {
		.op = SCOMP_CREATE,
		.name.str = PCOMP_FS_SILLY_DIR,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &attr,
		.rsp_size = sizeof(attr),
		.locked = true,
	};

	return pcomp_fs_rpc(fs, &call);
}

/* Is there a file of that name? path_sem is held. */
static bool pcomp_fs_silly_is_there(struct pcomp_fs *fs,
				    struct pcomp_fs_name name)
{
	struct scomp_attr attr;

	return !pcomp_fs_rpc_getattr(fs, NULL, name, true,
				     &attr);
}

/*
 * Gives a file another name: SCOMP_RENAME or SCOMP_LINK. path_sem is held. Who takes
 * it away from where it is must be allowed to, which the sComponent knows best.
 */
static int pcomp_fs_silly_rpc(struct pcomp_fs *fs, u16 op,
			      struct pcomp_fs_name from,
			      struct pcomp_fs_name to)
{
	bool away = op == SCOMP_RENAME && to.str;
	struct scomp_rename_req req = {
		.flags = cpu_to_le32(away ? SCOMP_RENAME_AWAY : 0),
	};
	struct scomp_attr attr;
	struct pcomp_fs_call call = {
		.op = op,
		.cred = away ? current_cred() : NULL,
		.name = from,
		.name2 = to,
		.req = &req,
		.req_len = op == SCOMP_RENAME ? sizeof(req) :
						sizeof(struct scomp_path_req),
		.rsp = &attr,
		.rsp_size = sizeof(attr),
		.locked = true,
		.unsure = to.str,
	};
	int err;

	for (;;) {
		err = pcomp_fs_rpc(fs, &call);
		if (err != -EIO || !call.maybe || !to.str)
			return err;
		/* Done, and the answer lost? Nobody else makes such a name. */
		if (pcomp_fs_silly_is_there(fs, to))
			return 0;
	}
}

static int pcomp_fs_silly_give(struct pcomp_fs *fs, u16 op,
			       struct dentry *dentry,
			       struct pcomp_fs_silly *silly)
{
	struct pcomp_fs_name from = { .dentry = dentry };
	struct pcomp_fs_name to = { .str = silly->name };
	int err;

	err = pcomp_fs_silly_rpc(fs, op, from, to);
	if (err != -ENOENT)
		return err;
	/* The first one makes the directory. */
	err = pcomp_fs_silly_rpc_dir(fs);
	return err ? err : pcomp_fs_silly_rpc(fs, op, from, to);
}

static void pcomp_fs_silly_rpc_remove(struct pcomp_fs *fs, const char *name)
{
	struct scomp_remove_req req = {};
	struct pcomp_fs_call call = {
		.op = SCOMP_REMOVE,
		.name.str = name,
		.req = &req,
		.req_len = sizeof(req),
		.soft = true,
	};

	/* If it fails, the next incarnation sweeps. */
	pcomp_fs_rpc(fs, &call);
}

static void pcomp_fs_silly_work(struct work_struct *work)
{
	struct pcomp_fs_silly *silly =
		container_of(work, struct pcomp_fs_silly, work);

	pcomp_fs_silly_rpc_remove(silly->fs, silly->name);
	kfree(silly);
}

/*
 * The name says whose it is, so that what a crash leaves behind can be told
 * from what is in use: component, its incarnation, mount, number.
 */
static struct pcomp_fs_silly *pcomp_fs_silly_alloc(struct pcomp_fs *fs)
{
	struct pcomp_fs_silly *silly = kzalloc(sizeof(*silly), GFP_NOFS);

	if (!silly)
		return NULL;
	INIT_WORK(&silly->work, pcomp_fs_silly_work);
	silly->fs = fs;
	snprintf(silly->name, sizeof(silly->name), "%s/%s.%016llx.%08x.%x",
		 PCOMP_FS_SILLY_DIR, lite_node_name(fs->node),
		 lite_node_incarnation(fs->node), fs->silly_tag,
		 (unsigned int)atomic_inc_return(&fs->silly_nr));
	return silly;
}

/**
 * pcomp_fs_silly_attach() - from now on that is the file's name
 * @silly: the name
 * @dentry: the dentry that loses its own; path_sem is held for writing
 */
void pcomp_fs_silly_attach(struct pcomp_fs_silly *silly, struct dentry *dentry)
{
	struct pcomp_fs_inode *fi = PCOMP_FS_I(d_inode(dentry));

	spin_lock(&fi->lock);
	fi->silly++;
	spin_unlock(&fi->lock);
	pcomp_fs_own_ctime(d_inode(dentry));
	dentry->d_fsdata = silly;
}

/**
 * pcomp_fs_silly_move() - instead of an unlink
 * @dentry: an open file's; its directory is locked
 *
 * Return: 0: it is not there any more, to anybody else; or an error.
 */
int pcomp_fs_silly_move(struct dentry *dentry)
{
	struct pcomp_fs *fs = PCOMP_FS(dentry->d_sb);
	struct pcomp_fs_silly *silly = pcomp_fs_silly_alloc(fs);
	int err;

	if (!silly)
		return -ENOMEM;
	err = down_write_killable(&fs->path_sem);
	if (err)
		goto err_free;
	err = pcomp_fs_silly_give(fs, SCOMP_RENAME, dentry, silly);
	if (!err)
		pcomp_fs_silly_attach(silly, dentry);
	up_write(&fs->path_sem);
	if (err)
		goto err_free;
	return 0;

err_free:
	kfree(silly);
	return err;
}

/**
 * pcomp_fs_silly_link() - before a rename over an open file
 * @dentry: that file's; path_sem is held for writing
 * @moved: set if it lost its own name already: where links are not known
 *
 * A second link, so that the rename stays atomic.
 * Return: the other name, for pcomp_fs_silly_attach() or
 *	pcomp_fs_silly_undo(), or ERR_PTR.
 */
struct pcomp_fs_silly *pcomp_fs_silly_link(struct dentry *dentry, bool *moved)
{
	struct pcomp_fs *fs = PCOMP_FS(dentry->d_sb);
	struct pcomp_fs_silly *silly = pcomp_fs_silly_alloc(fs);
	int err;

	*moved = false;
	if (!silly)
		return ERR_PTR(-ENOMEM);
	err = pcomp_fs_silly_give(fs, SCOMP_LINK, dentry, silly);
	if (err == -EPERM || err == -EOPNOTSUPP || err == -EMLINK) {
		err = pcomp_fs_silly_give(fs, SCOMP_RENAME, dentry, silly);
		*moved = !err;
	}
	if (!err)
		return silly;
	kfree(silly);
	return ERR_PTR(err);
}

/**
 * pcomp_fs_silly_undo() - the rename failed
 * @silly: from pcomp_fs_silly_link(); freed
 * @dentry: the file; path_sem is held for writing
 * @moved: as that one said
 */
void pcomp_fs_silly_undo(struct pcomp_fs_silly *silly, struct dentry *dentry,
			 bool moved)
{
	struct pcomp_fs_name from = { .str = silly->name };
	struct pcomp_fs_name to = { .dentry = dentry };

	if (!moved) {
		queue_work(silly->fs->wq, &silly->work);
		return;
	}
	pcomp_fs_silly_rpc(silly->fs, SCOMP_RENAME, from, to);
	kfree(silly);
}

/**
 * pcomp_fs_silly_remove() - the last user is gone
 * @silly: the name; freed later
 *
 * Context: any that may not sleep, even.
 */
void pcomp_fs_silly_remove(struct pcomp_fs_silly *silly)
{
	queue_work(silly->fs->wq, &silly->work);
}

/* Is it ours, and of an earlier incarnation? */
static bool pcomp_fs_silly_is_old(struct pcomp_fs *fs, const char *name)
{
	const char *me = lite_node_name(fs->node);
	size_t len = strlen(me);
	char now[32];

	if (strncmp(name, me, len) || name[len] != '.')
		return false;
	snprintf(now, sizeof(now), "%016llx.",
		 lite_node_incarnation(fs->node));
	return strncmp(name + len + 1, now, strlen(now)) &&
	       strchr(name + len + 1, '.') == name + len + 1 + 16;
}

static void pcomp_fs_silly_sweep_page(struct pcomp_fs *fs, const void *page,
				      u32 len)
{
	const struct scomp_dirent *de;
	char path[sizeof(PCOMP_FS_SILLY_DIR) + 1 + NAME_MAX];
	char name[NAME_MAX + 1];
	u32 off = 0, n;

	while (off + SCOMP_DIRENT_HDR <= len) {
		de = page + off;
		n = le16_to_cpu(de->name_len);
		if (!n || n > NAME_MAX || off + SCOMP_DIRENT_HDR + n > len)
			return;
		memcpy(name, de->name, n);
		name[n] = '\0';
		if (pcomp_fs_silly_is_old(fs, name)) {
			snprintf(path, sizeof(path), "%s/%s",
				 PCOMP_FS_SILLY_DIR, name);
			pcomp_fs_silly_rpc_remove(fs, path);
		}
		off += ALIGN(SCOMP_DIRENT_HDR + n, 8);
	}
}

/**
 * pcomp_fs_silly_sweep() - remove what an earlier incarnation left behind
 * @work: pcomp_fs.sweep
 *
 * One page of the listing: what is more than that, the next mount finds.
 */
void pcomp_fs_silly_sweep(struct work_struct *work)
{
	struct pcomp_fs *fs = container_of(work, struct pcomp_fs, sweep);
	struct pcomp_fs_buf *buf = pcomp_fs_buf_get(fs->read_pool);
	struct scomp_readdir_req req = {
		.count = cpu_to_le32(SCOMP_IO_MAX),
	};
	struct lite_sge sge = {
		.mr = fs->read_pool->mr,
		.off = buf->off,
		.len = SCOMP_IO_MAX,
	};
	struct scomp_readdir_rsp rsp;
	struct pcomp_fs_call call = {
		.op = SCOMP_READDIR,
		.name.str = PCOMP_FS_SILLY_DIR,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &rsp,
		.rsp_size = sizeof(rsp),
		.out = &sge,
		.once = true,
	};

	if (!pcomp_fs_rpc(fs, &call) && call.rsp_len == sizeof(rsp))
		pcomp_fs_silly_sweep_page(fs, buf->va,
					  min_t(u32, le32_to_cpu(rsp.count),
						SCOMP_IO_MAX));
	pcomp_fs_buf_put(fs->read_pool, buf);
}
