/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command `lego`: what its files share.
 */
#ifndef _LEGO_CMD_H
#define _LEGO_CMD_H

#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lego/pcomp.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit status. `lego run` keeps 126 and 127 for what a shell means by them. */
enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_RUN = 125, /* lego run itself failed, not the program */
	EXIT_NOEXEC = 126,
	EXIT_NOTFOUND = 127,
};

/* Subcommands: one file each. argv[0] is "lego NAME". */
int cmd_status(int argc, char **argv);
int cmd_net(int argc, char **argv);
int cmd_vnode(int argc, char **argv);
int cmd_run(int argc, char **argv);

/* util.c */
void lego_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool lego_name_ok(const char *name);
int lego_parse_size(const char *text, uint64_t *size);
const char *lego_format_size(uint64_t size, char *buf, size_t len);
void lego_copy(char *dst, size_t size, const char *src);

/* sysfs.c */
const char *sysfs_root(void);
const char *configfs_root(void);
bool sysfs_is_dir(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int sysfs_read(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t sysfs_read_u64(int base, uint64_t missing, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int sysfs_write(const char *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int sysfs_list(const char *dir, char ***names, size_t *nr);
void sysfs_list_free(char **names, size_t nr);
bool sysfs_first(const char *module, char *name, size_t size);

/* dev.c */
int dev_open(void);
bool dev_present(void);
const char *dev_explain(int err, const char *pcomp);

/* table.c */
#define TABLE_COLUMNS 20

struct table {
	size_t nr_columns;
	size_t nr_rows;
	char *(*row)[TABLE_COLUMNS];
};

void table_add(struct table *table, const char *const *cells, size_t nr);
void table_print(const struct table *table, FILE *out);
void table_free(struct table *table);

/* members.c */
struct member {
	char name[LEGO_NAME_LEN];
	char role[16];
	char state[16];
	char addr[LEGO_ADDR_LEN];
	uint32_t id;
	uint32_t nr_spaces;
	uint64_t incarnation;
	uint64_t total;
	uint64_t used;
	int64_t age_ms; /* since its last heartbeat, -1 where not known */
};

enum rack_source {
	RACK_GMGR, /* gmgr runs in this kernel */
	RACK_PCOMP, /* as a pComponent of this kernel was told */
	RACK_LOCAL, /* only this kernel's own components */
};

enum gmgr_reach {
	GMGR_UNKNOWN,
	GMGR_ANSWERS,
	GMGR_SILENT,
};

struct rack {
	enum rack_source source;
	enum gmgr_reach reach;
	bool isolated; /* gmgr runs here, and suspects itself */
	char gmgr[LEGO_NAME_LEN]; /* its name, where known */
	char gmgr_addr[LEGO_ADDR_LEN]; /* its address, where known */
	size_t nr;
	struct member *member;
};

bool rack_has_scomp(const char *pcomp, const char *name);
int rack_read(const char *pcomp, struct rack *rack);
void rack_free(struct rack *rack);

/* vnodes.c */
#define PROCS_UNKNOWN UINT32_MAX

struct vnode {
	char name[LEGO_NAME_LEN];
	char storage[LEGO_NAME_LEN];
	char root[LEGO_ROOT_LEN];
	char vip[16];
	uint32_t vid;
	uint32_t nr_procs; /* PROCS_UNKNOWN: nobody here could tell */
	uint64_t quota;
};

int vnodes_create(const char *pcomp, struct vnode *vnode);
int vnodes_remove(const char *pcomp, const char *name);
int vnodes_list(const char *pcomp, struct vnode **list, size_t *nr);

/* run_child.c, run_wait.c */
#define RUN_OPTIONS_LEN 128

struct run {
	const char *pcomp; /* "" for the only one */
	const char *vnode;
	const char *options; /* for mount, at most RUN_OPTIONS_LEN; "" for none */
	char **argv;
	int dev; /* /dev/lego, close on exec */
	int report; /* pipe: struct run_failure, or end of file at exec */
};

struct run_failure {
	int code; /* exit status */
	char text[1020];
};

void run_child(struct run *run) __attribute__((noreturn));
void run_block_signals(sigset_t *old);
int run_wait(const struct run *run, int child);

#endif /* _LEGO_CMD_H */
