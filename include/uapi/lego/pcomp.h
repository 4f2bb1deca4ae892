/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/lego: how a pComponent's node is asked things from user space. One
 * device per kernel; a request names the pComponent, "" being the only one.
 */
#ifndef _UAPI_LEGO_PCOMP_H
#define _UAPI_LEGO_PCOMP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LEGO_DEV "/dev/lego"
#define LEGO_NAME_LEN 32
#define LEGO_ADDR_LEN 64
#define LEGO_ROOT_LEN 256
#define LEGO_REASON_LEN 128

/**
 * struct lego_enter - the caller's next successful execve() starts a process
 *	of a vNode; its children are in it, too
 * @pcomp: name of the pComponent, "" for the only one
 * @vnode: name of the vNode
 *
 * Errors: ENOENT (no such vNode), ENODEV (no such pComponent), EHOSTUNREACH
 * (gmgr does not answer, or no mComponent is up), EBUSY (already in one).
 */
struct lego_enter {
	char pcomp[LEGO_NAME_LEN];
	char vnode[LEGO_NAME_LEN];
};

/**
 * struct lego_member - one component, as gmgr knows it
 */
struct lego_member {
	__u32 id;
	__u32 role; /* enum lite_role */
	__u32 state; /* enum gmgr_member_state */
	__u32 nr_spaces;
	__u64 incarnation;
	__u64 total;
	__u64 used;
	char name[LEGO_NAME_LEN];
	char addr[LEGO_ADDR_LEN];
};

#define LEGO_MEMBERS_MAX 24

/**
 * struct lego_members - a page of the membership table
 * @pcomp: name of the pComponent, "" for the only one
 * @start: in: index of the first wanted
 * @nr: out: how many follow; 0 at the end
 * @gmgr_up: out: 1 if the table comes from gmgr just now, 0 if gmgr does not
 *	answer and this is the last that was heard
 * @member: out
 */
struct lego_members {
	char pcomp[LEGO_NAME_LEN];
	__u32 start;
	__u32 nr;
	__u32 gmgr_up;
	__u32 reserved;
	struct lego_member member[LEGO_MEMBERS_MAX];
};

/**
 * struct lego_vnode - a vNode
 * @pcomp: name of the pComponent to ask through, "" for the only one
 * @start: for LEGO_IOC_VNODE_LIST: index wanted; ENOENT past the last
 * @vid: out
 * @vip: IPv4 address in network order, 0 for none
 * @nr_procs: out: processes in it
 * @quota: bytes of memory, 0 for no limit
 * @name: its name
 * @storage: sComponent's name; "" in a create: gmgr picks one
 * @root: root directory below the sComponent's
 */
struct lego_vnode {
	char pcomp[LEGO_NAME_LEN];
	__u32 start;
	__u32 vid;
	__u32 vip;
	__u32 nr_procs;
	__u64 quota;
	char name[LEGO_NAME_LEN];
	char storage[LEGO_NAME_LEN];
	char root[LEGO_ROOT_LEN];
};

/**
 * struct lego_reason - why a process was ended by its pComponent
 * @pid: in: as the caller sees it
 * @reserved: 0
 * @reason: out: a sentence, "" if it was not ended by the pComponent
 */
struct lego_reason {
	__s32 pid;
	__u32 reserved;
	char reason[LEGO_REASON_LEN];
};

#define LEGO_IOC_ENTER _IOW('L', 0x60, struct lego_enter)
#define LEGO_IOC_MEMBERS _IOWR('L', 0x61, struct lego_members)
#define LEGO_IOC_VNODE_CREATE _IOWR('L', 0x62, struct lego_vnode)
#define LEGO_IOC_VNODE_REMOVE _IOW('L', 0x63, struct lego_vnode)
#define LEGO_IOC_VNODE_LIST _IOWR('L', 0x64, struct lego_vnode)
#define LEGO_IOC_REASON _IOWR('L', 0x65, struct lego_reason)

#endif /* _UAPI_LEGO_PCOMP_H */
