// SPDX-License-Identifier: GPL-2.0
/*
 * vNodes: in gmgr's configfs where gmgr runs, else through /dev/lego.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lego.h"

/**
 * struct vnode_ops - a place that knows the vNodes
 *
 * All return 0, or a negative errno after a message.
 */
struct vnode_ops {
	int (*create)(const char *pcomp, struct vnode *vnode);
	int (*remove)(const char *pcomp, const char *name);
	int (*list)(const char *pcomp, struct vnode **list, size_t *nr);
};

static struct vnode *add(struct vnode **list, size_t *nr)
{
	struct vnode *vnode;

	vnode = reallocarray(*list, *nr + 1, sizeof(*vnode));
	if (!vnode)
		abort();
	*list = vnode;
	vnode += (*nr)++;
	memset(vnode, 0, sizeof(*vnode));
	return vnode;
}

static void say_exists(const char *name)
{
	lego_err("there is a vNode '%s' already: 'lego vnode rm %s' removes it",
		 name, name);
}

static void say_unknown(const char *name)
{
	lego_err("there is no vNode '%s': 'lego vnode list' shows those there are",
		 name);
}

static void say_busy(const char *name)
{
	lego_err("processes still run in vNode '%s': end them first", name);
}

static void say_storage(const char *storage)
{
	lego_err("there is no sComponent '%s' in this rack: 'lego status' shows which there are",
		 storage);
}

/* configfs */

static const char *vnodes_dir(void)
{
	static char dir[512];

	snprintf(dir, sizeof(dir), "%s/gmgr/vnodes", configfs_root());
	return dir;
}

static bool configfs_ready(void)
{
	if (sysfs_is_dir("%s", vnodes_dir()))
		return true;
	lego_err("gmgr runs here, but there is no %s: mount -t configfs none /sys/kernel/config",
		 vnodes_dir());
	return false;
}

static void read_vnode(struct vnode *vnode, const char *name)
{
	const char *dir = vnodes_dir();

	lego_copy(vnode->name, sizeof(vnode->name), name);
	sysfs_read(vnode->root, sizeof(vnode->root), "%s/%s/root", dir, name);
	sysfs_read(vnode->storage, sizeof(vnode->storage), "%s/%s/storage", dir,
		   name);
	sysfs_read(vnode->vip, sizeof(vnode->vip), "%s/%s/vip", dir, name);
	if (!strcmp(vnode->vip, "0.0.0.0"))
		vnode->vip[0] = 0;
	vnode->vid = (uint32_t)sysfs_read_u64(10, 0, "%s/%s/vid", dir, name);
	vnode->quota = sysfs_read_u64(10, 0, "%s/%s/quota", dir, name);
	vnode->nr_procs = (uint32_t)sysfs_read_u64(10, PROCS_UNKNOWN,
						   "%s/%s/processes", dir,
						   name);
}

static int set(const struct vnode *vnode, const char *attr, const char *value)
{
	int err;

	err = sysfs_write(value, "%s/%s/%s", vnodes_dir(), vnode->name, attr);
	if (!err)
		return 0;
	lego_err("vNode '%s': gmgr refuses %s '%s': %s (its kernel log may say more)",
		 vnode->name, attr, value, strerror(-err));
	return err;
}

/* A gmgr that was just started gives no vids yet: for some 10 s at most. */
static void wait_vid(const char *name)
{
	for (int i = 0; i < 120; i++) {
		if (sysfs_read_u64(10, 1, "%s/%s/vid", vnodes_dir(), name))
			return;
		usleep(100 * 1000);
	}
}

static int configfs_create(const char *pcomp, struct vnode *vnode)
{
	char path[1024], quota[32];
	int err;

	(void)pcomp;
	if (!configfs_ready())
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s", vnodes_dir(), vnode->name);
	if (mkdir(path, 0755)) {
		err = -errno;
		if (err == -EEXIST)
			say_exists(vnode->name);
		else if (err == -EACCES || err == -EPERM)
			lego_err("only root may create vNodes: use sudo");
		else
			lego_err("cannot create vNode '%s': %s (the kernel log may say more)",
				 vnode->name, strerror(-err));
		return err;
	}
	snprintf(quota, sizeof(quota), "%" PRIu64, vnode->quota);
	err = set(vnode, "root", vnode->root);
	if (!err && vnode->storage[0])
		err = set(vnode, "storage", vnode->storage);
	if (!err && vnode->quota)
		err = set(vnode, "quota", quota);
	if (!err && vnode->vip[0])
		err = set(vnode, "vip", vnode->vip);
	if (err) {
		rmdir(path);
		return err;
	}
	wait_vid(vnode->name);
	read_vnode(vnode, vnode->name);
	return 0;
}

static int configfs_remove(const char *pcomp, const char *name)
{
	char path[1024], procs[32];
	int err;

	(void)pcomp;
	if (!configfs_ready())
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s", vnodes_dir(), name);
	/* rmdir itself does not ask */
	err = sysfs_read(procs, sizeof(procs), "%s/processes", path);
	if (err == -EHOSTUNREACH) {
		lego_err("cannot remove vNode '%s': a pComponent does not answer, and processes may run there; 'lego status' shows when it is dead or back",
			 name);
		return err;
	}
	if (!err && strcmp(procs, "0")) {
		say_busy(name);
		return -EBUSY;
	}
	if (!rmdir(path))
		return 0;
	err = -errno;
	if (err == -ENOENT)
		say_unknown(name);
	else if (err == -EBUSY)
		say_busy(name);
	else if (err == -EACCES || err == -EPERM)
		lego_err("only root may remove vNodes: use sudo");
	else
		lego_err("cannot remove vNode '%s': %s", name, strerror(-err));
	return err;
}

static int configfs_list(const char *pcomp, struct vnode **list, size_t *nr)
{
	char **names;
	size_t n;
	int err;

	(void)pcomp;
	if (!configfs_ready())
		return -ENOENT;
	err = sysfs_list(vnodes_dir(), &names, &n);
	if (err) {
		lego_err("cannot read %s: %s", vnodes_dir(), strerror(-err));
		return err;
	}
	for (size_t i = 0; i < n; i++)
		read_vnode(add(list, nr), names[i]);
	sysfs_list_free(names, n);
	return 0;
}

static const struct vnode_ops configfs_ops = {
	.create = configfs_create,
	.remove = configfs_remove,
	.list = configfs_list,
};

/* /dev/lego */

static void to_ioctl(struct lego_vnode *to, const char *pcomp,
		     const struct vnode *from)
{
	struct in_addr vip = { 0 };

	memset(to, 0, sizeof(*to));
	lego_copy(to->pcomp, sizeof(to->pcomp), pcomp);
	lego_copy(to->name, sizeof(to->name), from->name);
	lego_copy(to->storage, sizeof(to->storage), from->storage);
	lego_copy(to->root, sizeof(to->root), from->root);
	to->quota = from->quota;
	if (from->vip[0])
		inet_pton(AF_INET, from->vip, &vip);
	to->vip = vip.s_addr;
}

static void from_ioctl(struct vnode *to, const struct lego_vnode *from)
{
	struct in_addr vip = { .s_addr = from->vip };

	lego_copy(to->name, sizeof(to->name), from->name);
	lego_copy(to->storage, sizeof(to->storage), from->storage);
	lego_copy(to->root, sizeof(to->root), from->root);
	to->vip[0] = 0;
	if (from->vip)
		inet_ntop(AF_INET, &vip, to->vip, sizeof(to->vip));
	to->vid = from->vid;
	to->nr_procs = from->nr_procs;
	to->quota = from->quota;
}

static int dev_create(const char *pcomp, struct vnode *vnode)
{
	struct lego_vnode arg;
	int err = 0;
	int fd;

	fd = dev_open();
	if (fd < 0)
		return -ENODEV;
	to_ioctl(&arg, pcomp, vnode);
	if (ioctl(fd, LEGO_IOC_VNODE_CREATE, &arg)) {
		err = -errno;
		if (err == -EEXIST)
			say_exists(vnode->name);
		else if (err == -EINVAL)
			lego_err("gmgr refuses vNode '%s': its root must be an absolute path without . and .., its name letters, digits and ._-",
				 vnode->name);
		else
			lego_err("cannot create vNode '%s': %s", vnode->name,
				 dev_explain(-err, pcomp));
	} else {
		from_ioctl(vnode, &arg);
	}
	close(fd);
	return err;
}

static int dev_remove(const char *pcomp, const char *name)
{
	struct vnode vnode = { 0 };
	struct lego_vnode arg;
	int err = 0;
	int fd;

	fd = dev_open();
	if (fd < 0)
		return -ENODEV;
	lego_copy(vnode.name, sizeof(vnode.name), name);
	to_ioctl(&arg, pcomp, &vnode);
	if (ioctl(fd, LEGO_IOC_VNODE_REMOVE, &arg)) {
		err = -errno;
		if (err == -ENOENT)
			say_unknown(name);
		else if (err == -EBUSY)
			say_busy(name);
		else
			lego_err("cannot remove vNode '%s': %s", name,
				 dev_explain(-err, pcomp));
	}
	close(fd);
	return err;
}

static int dev_list(const char *pcomp, struct vnode **list, size_t *nr)
{
	struct lego_vnode arg;
	int err = 0;
	int fd;

	fd = dev_open();
	if (fd < 0)
		return -ENODEV;
	for (uint32_t i = 0;; i++) {
		memset(&arg, 0, sizeof(arg));
		lego_copy(arg.pcomp, sizeof(arg.pcomp), pcomp);
		arg.start = i;
		if (ioctl(fd, LEGO_IOC_VNODE_LIST, &arg)) {
			err = -errno;
			break;
		}
		from_ioctl(add(list, nr), &arg);
	}
	close(fd);
	if (err == -ENOENT) /* past the last */
		return 0;
	lego_err("cannot list the vNodes: %s", dev_explain(-err, pcomp));
	return err;
}

static const struct vnode_ops dev_ops = {
	.create = dev_create,
	.remove = dev_remove,
	.list = dev_list,
};

/* Who names a pComponent wants that one to be asked, even where gmgr runs. */
static const struct vnode_ops *vnode_ops(const char *pcomp)
{
	char name[LEGO_NAME_LEN];

	if (!*pcomp && sysfs_first("gmgr", name, sizeof(name)))
		return &configfs_ops;
	if (*pcomp || dev_present())
		return &dev_ops;
	lego_err("neither gmgr nor a pComponent runs here, so nobody knows the vNodes: run this on one of their machines, or modprobe gmgr or pcomp");
	return NULL;
}

/**
 * vnodes_create() - make a vNode
 * @pcomp: pComponent to ask through, "" for the only one
 * @vnode: in: what is wanted, out: what it became
 *
 * Return: 0, or a negative errno after a message.
 */
int vnodes_create(const char *pcomp, struct vnode *vnode)
{
	const struct vnode_ops *ops = vnode_ops(pcomp);

	if (!ops)
		return -ENODEV;
	if (vnode->storage[0] && !rack_has_scomp(pcomp, vnode->storage)) {
		say_storage(vnode->storage);
		return -ENOENT;
	}
	return ops->create(pcomp, vnode);
}

/**
 * vnodes_remove() - remove a vNode in which nothing runs
 *
 * Return: 0, or a negative errno after a message.
 */
int vnodes_remove(const char *pcomp, const char *name)
{
	const struct vnode_ops *ops = vnode_ops(pcomp);

	return ops ? ops->remove(pcomp, name) : -ENODEV;
}

/**
 * vnodes_list() - all vNodes
 * @pcomp: pComponent to ask through, "" for the only one
 * @list: to be freed by the caller, on errors, too
 * @nr: how many
 *
 * Return: 0, or a negative errno after a message.
 */
int vnodes_list(const char *pcomp, struct vnode **list, size_t *nr)
{
	const struct vnode_ops *ops = vnode_ops(pcomp);

	*list = NULL;
	*nr = 0;
	return ops ? ops->list(pcomp, list, nr) : -ENODEV;
}
