// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD for the tests of `lego`: a pComponent that is only its ioctls,
 * and a file system "lego" that is a bind mount of FAKE_ROOT. There is one
 * vNode, v1, and 30 members. FAKE_ERRNO makes every ioctl fail.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <lego/pcomp.h>
#include <lego/proto.h>

#define NR_MEMBERS 30

static int fake_members(struct lego_members *arg)
{
	arg->gmgr_up = !getenv("FAKE_GMGR_DOWN");
	arg->nr = 0;
	for (unsigned int i = arg->start;
	     i < NR_MEMBERS && arg->nr < LEGO_MEMBERS_MAX; i++) {
		struct lego_member *m = &arg->member[arg->nr++];

		memset(m, 0, sizeof(*m));
		m->id = i + 1;
		m->role = i < NR_MEMBERS - 1 ? LITE_ROLE_MCOMP :
					       LITE_ROLE_SCOMP;
		m->state = i ? GMGR_MEMBER_UP : 99;
		m->total = 1ULL << 30;
		m->used = 12345678;
		snprintf(m->name, sizeof(m->name), "m%u", i);
		snprintf(m->addr, sizeof(m->addr), "10.0.0.%u:7471", i);
	}
	return 0;
}

static int fake_vnode_list(struct lego_vnode *arg)
{
	if (arg->start)
		return ENOENT;
	arg->vid = 1;
	strcpy(arg->name, "v1");
	strcpy(arg->storage, "s0");
	strcpy(arg->root, "/");
	return 0;
}

static int fake_vnode_create(struct lego_vnode *arg)
{
	if (!strcmp(arg->name, "v1"))
		return EEXIST;
	arg->vid = 2;
	strcpy(arg->storage, "s0");
	return 0;
}

static int fake_ioctl(unsigned long request, void *arg)
{
	const struct lego_vnode *vnode = arg;
	const struct lego_enter *enter = arg;
	struct lego_reason *reason = arg;

	if (getenv("FAKE_ERRNO"))
		return atoi(getenv("FAKE_ERRNO"));
	switch (request) {
	case LEGO_IOC_ENTER:
		return strcmp(enter->vnode, "v1") ? ENOENT : 0;
	case LEGO_IOC_MEMBERS:
		return fake_members(arg);
	case LEGO_IOC_VNODE_LIST:
		return fake_vnode_list(arg);
	case LEGO_IOC_VNODE_CREATE:
		return fake_vnode_create(arg);
	case LEGO_IOC_VNODE_REMOVE:
		if (!strcmp(vnode->name, "busy"))
			return EBUSY;
		return strcmp(vnode->name, "v1") ? ENOENT : 0;
	case LEGO_IOC_REASON:
		if (getenv("FAKE_REASON"))
			snprintf(reason->reason, sizeof(reason->reason), "%s",
				 getenv("FAKE_REASON"));
		return 0;
	default:
		return ENOTTY;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int fd, unsigned long request, void *arg);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(request) == 'L') {
		errno = fake_ioctl(request, arg);
		return errno ? -1 : 0;
	}
	real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}

int mount(const char *source, const char *target, const char *type,
	  unsigned long flags, const void *data)
{
	int (*real)(const char *source, const char *target, const char *type,
		    unsigned long flags, const void *data);

	real = dlsym(RTLD_NEXT, "mount");
	if (!type || strcmp(type, "lego"))
		return real(source, target, type, flags, data);
	if (strcmp(source, "v1")) {
		errno = ENOENT;
		return -1;
	}
	return real(getenv("FAKE_ROOT"), target, NULL, MS_BIND | MS_REC, NULL);
}
