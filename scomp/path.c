// SPDX-License-Identifier: GPL-2.0
/*
 * From a path of the wire to a struct path. Nothing outside the directory can
 * be named: the strings are checked, the walk is confined (openat2's flags),
 * and the mount is a private clone that has no other mount below it.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "scomp.h"

#define SCOMP_LOOKUP (LOOKUP_BENEATH | LOOKUP_NO_SYMLINKS | LOOKUP_NO_XDEV)

/**
 * scomp_path_check() - is this a path the protocol allows?
 * @path: NUL-terminated
 * @len: length it shall have
 *
 * Return: 0, -EINVAL (absolute, a NUL in it, an empty component, "." or
 *	".."), -ENAMETOOLONG.
 */
int scomp_path_check(const char *path, size_t len)
{
	const char *s = path;

	if (len >= SCOMP_PATH_MAX)
		return -ENAMETOOLONG;
	if (strlen(path) != len)
		return -EINVAL;
	if (!len)
		return 0;
	for (;;) {
		size_t n = strchrnul(s, '/') - s;

		if (!n || (n == 1 && s[0] == '.') ||
		    (n == 2 && s[0] == '.' && s[1] == '.'))
			return -EINVAL;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		s += n;
		if (!*s)
			return 0;
		s++;
	}
}

/* Walks as much of *@name as the kernel takes at once, if that is not all. */
static int scomp_walk_part(struct path *at, const char **name)
{
	struct path next;
	const char *end = *name + PATH_MAX - 1;
	char *part;
	int err;

	while (end > *name && *end != '/')
		end--;
	if (end == *name)
		return -ENAMETOOLONG;
	part = kstrndup(*name, end - *name, GFP_KERNEL);
	if (!part)
		return -ENOMEM;
	err = vfs_path_lookup(at->dentry, at->mnt, part,
			      SCOMP_LOOKUP | LOOKUP_DIRECTORY, &next);
	kfree(part);
	if (err)
		return err;
	path_put(at);
	*at = next;
	*name = end + 1;
	return 0;
}

/**
 * scomp_lookup() - resolve with the credentials in force
 * @sc: whose directory
 * @name: checked by scomp_path_check(); "" is the directory itself
 * @flags: LOOKUP_* to add
 * @path: set, for path_put()
 *
 * A symbolic link at the end is returned, not followed; one before is -ELOOP.
 * Return: 0 or an error.
 */
int scomp_lookup(struct scomp *sc, const char *name, unsigned int flags,
		 struct path *path)
{
	struct path at = sc->root;
	int err = 0;

	path_get(&at);
	if (!*name) {
		*path = at;
		return 0;
	}
	while (!err && strlen(name) >= PATH_MAX)
		err = scomp_walk_part(&at, &name);
	if (!err)
		err = vfs_path_lookup(at.dentry, at.mnt, name,
				      SCOMP_LOOKUP | flags, path);
	path_put(&at);
	return err;
}

/**
 * scomp_lookup_trusted() - resolve a file that a client has open
 * @sc: whose directory
 * @name: as for scomp_lookup()
 * @path: set, for path_put()
 *
 * With full rights: whoever has a file open may use it though a directory on
 * the way was closed to him since. The file's own mode is the caller's to
 * check.
 * Return: 0 or an error.
 */
int scomp_lookup_trusted(struct scomp *sc, const char *name, struct path *path)
{
	const struct cred *old = override_creds(sc->cred);
	int err = scomp_lookup(sc, name, 0, path);

	revert_creds(old);
	return err;
}

/**
 * scomp_lookup_parent() - resolve all but the last component
 * @sc: whose directory
 * @name: as for scomp_lookup()
 * @parent: set to the directory, for path_put()
 * @last: set to the last component, inside @name
 *
 * Return: 0, -EBUSY for the served directory itself, or another error.
 */
int scomp_lookup_parent(struct scomp *sc, const char *name,
			struct path *parent, const char **last)
{
	const char *slash = strrchr(name, '/');
	char *dir;
	int err;

	if (!*name)
		return -EBUSY;
	if (!slash) {
		*last = name;
		return scomp_lookup(sc, "", 0, parent);
	}
	*last = slash + 1;
	dir = kstrndup(name, slash - name, GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	err = scomp_lookup(sc, dir, LOOKUP_DIRECTORY, parent);
	kfree(dir);
	return err;
}
