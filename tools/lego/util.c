// SPDX-License-Identifier: GPL-2.0
/*
 * Messages, names and sizes.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lego.h"

/**
 * lego_err() - one line on stderr, "lego: " in front and a newline after
 */
void lego_err(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("lego: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/**
 * lego_name_ok() - is that a name of a component or vNode?
 *
 * The name becomes a directory in sysfs, configfs and /run: letters, digits,
 * and "._-" but not in front.
 */
bool lego_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= LEGO_NAME_LEN || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    !strchr("._-", name[i]))
			return false;
	return true;
}

/**
 * lego_parse_size() - "512M" to bytes; K, M, G and T are powers of 1024
 *
 * Return: 0, or -EINVAL (not a size), or -ERANGE (does not fit 64 bits).
 */
int lego_parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned long long n;
	char *end;
	int shift = 0;

	/* strtoull() takes "-1" for a large number */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -errno;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit)
			return -EINVAL;
		shift = 10 * (int)(unit - units + 1);
		end++;
		if (!strcmp(end, "iB") || !strcmp(end, "B"))
			end += strlen(end);
		if (*end)
			return -EINVAL;
	}
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*size = (uint64_t)n << shift;
	return 0;
}

/**
 * lego_format_size() - bytes as a person reads them: "12.5M"
 *
 * Return: @buf.
 */
const char *lego_format_size(uint64_t size, char *buf, size_t len)
{
	static const char units[] = "BKMGTPE";
	double n = (double)size;
	size_t unit = 0;

	while (n >= 1024 && unit + 2 < sizeof(units)) {
		n /= 1024;
		unit++;
	}
	if (!unit)
		snprintf(buf, len, "%llu", (unsigned long long)size);
	else
		snprintf(buf, len, "%.1f%c", n, units[unit]);
	return buf;
}

/**
 * lego_copy() - copy a string, cutting it where there is no room
 */
void lego_copy(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size - 1);

	memcpy(dst, src, len);
	memset(dst + len, 0, size - len);
}
