// SPDX-License-Identifier: GPL-2.0
/*
 * Files of one value each, in sysfs and configfs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lego.h"

#define PATH_LEN 512

/* The tests put a tree of their own there. */
const char *sysfs_root(void)
{
	const char *root = getenv("LEGO_SYSFS");

	return root && *root ? root : "/sys/kernel/lego";
}

const char *configfs_root(void)
{
	const char *root = getenv("LEGO_CONFIGFS");

	return root && *root ? root : "/sys/kernel/config/lego";
}

/**
 * sysfs_is_dir() - is there a directory of that name?
 */
bool sysfs_is_dir(const char *fmt, ...)
{
	char path[PATH_LEN];
	struct stat st;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int read_value(char *buf, size_t size, const char *path)
{
	ssize_t len;
	int fd;

	buf[0] = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0) {
		len = -errno;
		close(fd);
		return (int)len;
	}
	close(fd);
	while (len && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		len--;
	buf[len] = 0;
	return 0;
}

/**
 * sysfs_read() - a value, without the newline
 *
 * Return: 0 or a negative errno; @buf is "" then.
 */
int sysfs_read(char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return read_value(buf, size, path);
}

/**
 * sysfs_read_u64() - a number in base @base; @missing if there is none
 */
uint64_t sysfs_read_u64(int base, uint64_t missing, const char *fmt, ...)
{
	unsigned long long n;
	char path[PATH_LEN];
	char buf[64];
	va_list ap;
	char *end;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (read_value(buf, sizeof(buf), path) || !buf[0])
		return missing;
	errno = 0;
	n = strtoull(buf, &end, base);
	return errno || *end ? missing : n;
}

/**
 * sysfs_write() - set a value
 *
 * Return: 0 or a negative errno.
 */
int sysfs_write(const char *value, const char *fmt, ...)
{
	char path[PATH_LEN];
	int err = 0;
	va_list ap;
	int fd;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int wanted(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

/**
 * sysfs_list() - the directories in a directory, sorted
 *
 * Return: 0 or a negative errno; free with sysfs_list_free().
 */
int sysfs_list(const char *dir, char ***names, size_t *nr)
{
	struct dirent **entry;
	int n;

	*names = NULL;
	*nr = 0;
	n = scandir(dir, &entry, wanted, versionsort);
	if (n < 0)
		return -errno;
	*names = calloc((size_t)n + 1, sizeof(**names));
	for (int i = 0; i < n; i++) {
		if (*names)
			(*names)[*nr] = strdup(entry[i]->d_name);
		if (*names && (*names)[*nr])
			(*nr)++;
		free(entry[i]);
	}
	free(entry);
	return *names ? 0 : -ENOMEM;
}

void sysfs_list_free(char **names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

/**
 * sysfs_first() - name of the first component of a module in this kernel
 *
 * Return: whether there is one.
 */
bool sysfs_first(const char *module, char *name, size_t size)
{
	char dir[PATH_LEN];
	char **names;
	size_t nr;

	snprintf(dir, sizeof(dir), "%s/%s", sysfs_root(), module);
	if (sysfs_list(dir, &names, &nr))
		return false;
	if (nr)
		lego_copy(name, size, names[0]);
	sysfs_list_free(names, nr);
	return nr > 0;
}
