// SPDX-License-Identifier: GPL-2.0
/*
 * The rack's components, from the best place this machine has: gmgr's sysfs,
 * a pComponent's copy of the table, or the components of this kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lego/proto.h>

#include "lego.h"

static const char *const role_name[LITE_ROLE_NR] = {
	[LITE_ROLE_NONE] = "none",   [LITE_ROLE_GMGR] = "gmgr",
	[LITE_ROLE_PCOMP] = "pcomp", [LITE_ROLE_MCOMP] = "mcomp",
	[LITE_ROLE_SCOMP] = "scomp",
};

static const char *const state_name[] = {
	[0] = "unknown",
	[GMGR_MEMBER_UP] = "up",
	[GMGR_MEMBER_DEAD] = "dead",
	[GMGR_MEMBER_LEFT] = "left",
};

static struct member *add(struct rack *rack)
{
	struct member *member;

	member = reallocarray(rack->member, rack->nr + 1, sizeof(*member));
	if (!member)
		abort();
	rack->member = member;
	member += rack->nr++;
	memset(member, 0, sizeof(*member));
	member->age_ms = -1;
	return member;
}

/* Who it is: in gmgr's directory of a member, or lite_rpc's of a node. */
static void read_identity(struct member *m, const char *dir)
{
	sysfs_read(m->addr, sizeof(m->addr), "%s/addr", dir);
	m->id = (uint32_t)sysfs_read_u64(10, 0, "%s/id", dir);
	m->incarnation = sysfs_read_u64(16, 0, "%s/incarnation", dir);
}

/* What it has: in gmgr's directory of a member, or the component's own. */
static void read_usage(struct member *m, const char *dir)
{
	m->total = sysfs_read_u64(10, 0, "%s/total_bytes", dir);
	m->used = sysfs_read_u64(10, 0, "%s/used_bytes", dir);
	m->nr_spaces = (uint32_t)sysfs_read_u64(10, 0, "%s/nr_spaces", dir);
	if (!m->nr_spaces)
		m->nr_spaces = (uint32_t)sysfs_read_u64(10, 0, "%s/spaces", dir);
	m->age_ms = (int64_t)sysfs_read_u64(10, UINT64_MAX, "%s/age_ms", dir);
}

static int read_gmgr(struct rack *rack)
{
	char dir[512], path[1024];
	struct member *m;
	char **names;
	size_t nr;
	int err;

	rack->source = RACK_GMGR;
	rack->reach = GMGR_ANSWERS;
	sysfs_read(rack->gmgr_addr, sizeof(rack->gmgr_addr), "%s/nodes/%s/addr",
		   sysfs_root(), rack->gmgr);
	rack->isolated = sysfs_read_u64(10, 0, "%s/gmgr/%s/isolated",
					sysfs_root(), rack->gmgr) == 1;
	snprintf(dir, sizeof(dir), "%s/gmgr/%s/members", sysfs_root(),
		 rack->gmgr);
	err = sysfs_list(dir, &names, &nr);
	if (err) {
		lego_err("cannot read %s: %s", dir, strerror(-err));
		return err;
	}
	for (size_t i = 0; i < nr; i++) {
		m = add(rack);
		lego_copy(m->name, sizeof(m->name), names[i]);
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		sysfs_read(m->role, sizeof(m->role), "%s/role", path);
		sysfs_read(m->state, sizeof(m->state), "%s/state", path);
		read_identity(m, path);
		read_usage(m, path);
	}
	sysfs_list_free(names, nr);
	return 0;
}

static void from_ioctl(struct member *to, const struct lego_member *from)
{
	lego_copy(to->name, sizeof(to->name), from->name);
	lego_copy(to->addr, sizeof(to->addr), from->addr);
	lego_copy(to->role, sizeof(to->role),
		  role_name[from->role < LITE_ROLE_NR ? from->role : 0]);
	lego_copy(to->state, sizeof(to->state),
		  state_name[from->state < ARRAY_SIZE(state_name) ?
				     from->state :
				     0]);
	to->id = from->id;
	to->nr_spaces = from->nr_spaces;
	to->incarnation = from->incarnation;
	to->total = from->total;
	to->used = from->used;
}

static int read_pcomp(const char *pcomp, struct rack *rack)
{
	struct lego_members *page;
	char name[LEGO_NAME_LEN];
	uint32_t start = 0;
	int err = 0;
	int fd;

	rack->source = RACK_PCOMP;
	lego_copy(name, sizeof(name), pcomp);
	if (*name || sysfs_first("pcomp", name, sizeof(name)))
		sysfs_read(rack->gmgr_addr, sizeof(rack->gmgr_addr),
			   "%s/nodes/%s/gmgr", sysfs_root(), name);

	fd = dev_open();
	if (fd < 0)
		return -ENODEV;
	page = malloc(sizeof(*page));
	if (!page)
		abort();
	do {
		memset(page, 0, sizeof(*page));
		lego_copy(page->pcomp, sizeof(page->pcomp), pcomp);
		page->start = start;
		if (ioctl(fd, LEGO_IOC_MEMBERS, page)) {
			err = -errno;
			lego_err("cannot read the members: %s",
				 dev_explain(-err, pcomp));
			break;
		}
		if (!start || !page->gmgr_up)
			rack->reach = page->gmgr_up ? GMGR_ANSWERS :
						      GMGR_SILENT;
		if (page->nr > LEGO_MEMBERS_MAX)
			page->nr = LEGO_MEMBERS_MAX;
		for (uint32_t i = 0; i < page->nr; i++)
			from_ioctl(add(rack), &page->member[i]);
		start += page->nr;
	} while (page->nr);
	free(page);
	close(fd);
	return err;
}

static int read_local(struct rack *rack)
{
	static const char *const modules[] = { "mcomp", "scomp" };
	char dir[512], path[1024];
	struct member *m;
	char **names;
	size_t nr;

	rack->source = RACK_LOCAL;
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		snprintf(dir, sizeof(dir), "%s/%s", sysfs_root(), modules[i]);
		if (sysfs_list(dir, &names, &nr))
			continue;
		for (size_t j = 0; j < nr; j++) {
			m = add(rack);
			lego_copy(m->name, sizeof(m->name), names[j]);
			lego_copy(m->role, sizeof(m->role), modules[i]);
			snprintf(path, sizeof(path), "%s/%s", dir, names[j]);
			lego_copy(m->state, sizeof(m->state), "here");
			read_usage(m, path);
			snprintf(path, sizeof(path), "%s/nodes/%s",
				 sysfs_root(), names[j]);
			read_identity(m, path);
			if (!rack->gmgr_addr[0])
				sysfs_read(rack->gmgr_addr,
					   sizeof(rack->gmgr_addr), "%s/gmgr",
					   path);
		}
		sysfs_list_free(names, nr);
	}
	if (rack->nr)
		return 0;
	if (sysfs_is_dir("%s", sysfs_root()))
		lego_err("the modules are loaded but no component runs here: give pcomp, mcomp, scomp or gmgr its name= and addr=, or make one in %s",
			 configfs_root());
	else
		lego_err("no lego component runs here: modprobe pcomp, mcomp, scomp or gmgr with name= and addr= (see lego(8))");
	return -ENODEV;
}

/**
 * rack_read() - the components that this machine knows of
 * @pcomp: pComponent to ask through, "" for the only one; if it is named, it
 *	is asked even where gmgr runs
 * @rack: what was found; free with rack_free(), on errors, too
 *
 * Return: 0, or a negative errno after a message.
 */
int rack_read(const char *pcomp, struct rack *rack)
{
	memset(rack, 0, sizeof(*rack));
	if (!*pcomp && sysfs_first("gmgr", rack->gmgr, sizeof(rack->gmgr)))
		return read_gmgr(rack);
	if (*pcomp || dev_present())
		return read_pcomp(pcomp, rack);
	return read_local(rack);
}

/**
 * rack_has_scomp() - is there an sComponent of that name, up or not?
 *
 * Return: also true where that cannot be found out: then others shall say so.
 */
bool rack_has_scomp(const char *pcomp, const char *name)
{
	bool found = false;
	struct rack rack;

	if (rack_read(pcomp, &rack) || rack.reach != GMGR_ANSWERS)
		found = true;
	for (size_t i = 0; !found && i < rack.nr; i++)
		found = !strcmp(rack.member[i].role, "scomp") &&
			!strcmp(rack.member[i].name, name);
	rack_free(&rack);
	return found;
}

void rack_free(struct rack *rack)
{
	free(rack->member);
	memset(rack, 0, sizeof(*rack));
}
