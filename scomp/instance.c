// SPDX-License-Identifier: GPL-2.0
/*
 * A sComponent from its making to its end.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include "scomp.h"

/*
 * Handlers that a disk which hangs can hold. They wait for nothing but the file
 * system. As many requests as a caller can send at once.
 */
#define SCOMP_RUNNING LITE_SLOTS

static unsigned int buffers = 16;
module_param(buffers, uint, 0644);
MODULE_PARM_DESC(buffers, "buffers of 256 KiB for a new instance (2 to 1024)");

static void scomp_usage(void *priv, struct lite_usage *usage)
{
	struct scomp *sc = priv;
	struct kstatfs st;

	usage->total = 0;
	usage->used = 0;
	usage->nr_spaces = 0;
	if (vfs_statfs(&sc->root, &st))
		return;
	usage->total = st.f_blocks * st.f_bsize;
	usage->used = (st.f_blocks - st.f_bfree) * st.f_bsize;
}

static void scomp_member_changed(void *priv, const struct lite_member *old,
				 const struct lite_member *new)
{
	/* Who goes leaves nothing but answers, which are pushed out. */
}

static const struct lite_member_ops scomp_member_ops = {
	.usage = scomp_usage,
	.changed = scomp_member_changed,
};

static int scomp_check_cfg(const struct scomp_cfg *cfg)
{
	if (!*cfg->name || strlen(cfg->name) >= LITE_NAME_LEN ||
	    strchr(cfg->name, '/')) {
		pr_err("name=\"%s\" will not do: 1 to %d characters, no '/'\n",
		       cfg->name, LITE_NAME_LEN - 1);
		return -EINVAL;
	}
	if (!*cfg->gmgr) {
		pr_err("%s: gmgr= is empty: give the address of the rack's gmgr, e.g. gmgr=10.0.0.1\n",
		       cfg->name);
		return -EINVAL;
	}
	if (*cfg->dir != '/') {
		pr_err("%s: dir=\"%s\" will not do: give the absolute path of the directory to serve, e.g. dir=/srv/lego\n",
		       cfg->name, cfg->dir);
		return -EINVAL;
	}
	if (buffers < 2 || buffers > 1024) {
		pr_err("%s: buffers=%u will not do: 2 to 1024\n", cfg->name,
		       buffers);
		return -EINVAL;
	}
	return 0;
}

static int scomp_open_dir(struct scomp *sc)
{
	struct vfsmount *mnt;
	int err;

	err = kern_path(sc->dir_name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY,
			&sc->dir);
	if (err) {
		pr_err("%s: dir=%s cannot be served (error %d): make the directory first\n",
		       sc->name, sc->dir_name, err);
		return err;
	}
	if (!strcmp(sc->dir.dentry->d_sb->s_type->name, "lego")) {
		pr_err("%s: dir=%s is itself the files of a vNode: serve a local file system\n",
		       sc->name, sc->dir_name);
		err = -EINVAL;
		goto err_put;
	}
	/*
	 * A clone without the mounts below: what is mounted there later, or
	 * is already, can never be reached by a request.
	 */
	mnt = clone_private_mount(&sc->dir);
	if (IS_ERR(mnt)) {
		err = PTR_ERR(mnt);
		pr_err("%s: dir=%s: its mount cannot be cloned (error %d): it must not be unbindable\n",
		       sc->name, sc->dir_name, err);
		goto err_put;
	}
	sc->root.mnt = mnt;
	sc->root.dentry = dget(sc->dir.dentry);
	return 0;

err_put:
	path_put(&sc->dir);
	return err;
}

static void scomp_close_dir(struct scomp *sc)
{
	dput(sc->root.dentry);
	kern_unmount(sc->root.mnt);
	path_put(&sc->dir);
}

/**
 * scomp_create() - make a sComponent: open, listen, join
 * @cfg: from what
 *
 * Context: process, sleeps at most some 15 s, killable.
 * Return: the instance, for scomp_destroy(), or ERR_PTR; the reason is logged.
 */
struct scomp *scomp_create(const struct scomp_cfg *cfg)
{
	struct lite_node_cfg node_cfg = {
		.name = cfg->name,
		.addr = cfg->addr,
		.port = LITE_PORT_SCOMP,
		.role = LITE_ROLE_SCOMP,
		.service = LITE_SVC_SCOMP,
		.handlers = scomp_handlers,
		.nr_handlers = scomp_nr_handlers,
		.max_running = SCOMP_RUNNING,
	};
	struct scomp *sc;
	unsigned int i;
	int err;

	err = scomp_check_cfg(cfg);
	if (err)
		return ERR_PTR(err);

	sc = kzalloc(sizeof(*sc), GFP_KERNEL);
	if (!sc)
		return ERR_PTR(-ENOMEM);
	strscpy(sc->name, cfg->name, sizeof(sc->name));
	sc->verifier = scomp_boot_verifier();
	for (i = 0; i < ARRAY_SIZE(sc->change); i++)
		mutex_init(&sc->change[i]);
	err = -ENOMEM;
	sc->dir_name = kstrdup(cfg->dir, GFP_KERNEL);
	if (!sc->dir_name)
		goto err_free;
	sc->cred = prepare_kernel_cred(&init_task);
	if (!sc->cred)
		goto err_free_dir_name;
	sc->slots = scomp_slots_create();
	if (!sc->slots)
		goto err_put_cred;
	err = scomp_open_dir(sc);
	if (err)
		goto err_free_slots;

	node_cfg.priv = sc;
	sc->node = lite_node_create(&node_cfg);
	if (IS_ERR(sc->node)) {
		err = PTR_ERR(sc->node);
		pr_err("%s: cannot listen at addr=\"%s\" (error %d)\n",
		       sc->name, cfg->addr, err);
		goto err_close_dir;
	}
	sc->pool = scomp_pool_create(sc->node, buffers);
	if (IS_ERR(sc->pool)) {
		err = PTR_ERR(sc->pool);
		pr_err("%s: no memory for %u buffers (error %d)\n", sc->name,
		       buffers, err);
		goto err_stop;
	}
	err = scomp_sysfs_add(sc);
	if (err)
		goto err_stop_pool;
	scomp_debugfs_add(sc);

	/* Pairs with scomp_serve(): the node listens since long. */
	smp_store_release(&sc->ready, true);
	err = lite_join(sc->node, cfg->gmgr, &scomp_member_ops);
	if (err) {
		pr_err("%s: cannot join the rack of gmgr=%s (error %d): is gmgr running there?\n",
		       sc->name, cfg->gmgr, err);
		goto err_sysfs_del;
	}
	pr_info("%s: serves %s at %s\n", sc->name, sc->dir_name,
		lite_node_addr(sc->node));
	return sc;

err_sysfs_del:
	scomp_debugfs_del(sc);
	scomp_sysfs_del(sc);
err_stop_pool:
	lite_node_stop(sc->node);
	scomp_pool_destroy(sc->pool);
	goto err_destroy_node;
err_stop:
	lite_node_stop(sc->node);
err_destroy_node:
	lite_node_destroy(sc->node);
err_close_dir:
	scomp_close_dir(sc);
err_free_slots:
	scomp_slots_destroy(sc->slots);
err_put_cred:
	put_cred(sc->cred);
err_free_dir_name:
	kfree(sc->dir_name);
err_free:
	kfree(sc);
	return ERR_PTR(err);
}

/**
 * scomp_destroy() - leave the rack and end a sComponent
 * @sc: from scomp_create()
 *
 * Its clients wait from then on, until another comes with its name. What is
 * being executed is answered. Context: process, sleeps.
 */
void scomp_destroy(struct scomp *sc)
{
	/* Pairs with scomp_serve(): others are told that nothing was done. */
	smp_store_release(&sc->ready, false);
	lite_leave(sc->node);
	scomp_debugfs_del(sc);
	scomp_sysfs_del(sc);
	/* No handler runs and no buffer is out after this. */
	lite_node_stop(sc->node);
	scomp_pool_destroy(sc->pool);
	lite_node_destroy(sc->node);
	scomp_close_dir(sc);
	scomp_slots_destroy(sc->slots);
	put_cred(sc->cred);
	kfree(sc->dir_name);
	kfree(sc);
}
