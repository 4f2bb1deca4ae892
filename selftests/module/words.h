/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How test modules are told what to do: a line of words, most of them
 * NAME=NUMBER, written to a file in debugfs.
 */
#ifndef _LEGO_TEST_WORDS_H
#define _LEGO_TEST_WORDS_H

#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/types.h>

/**
 * struct word - an option
 * @name: before the '='
 * @offset: of its u32 in the options
 * @min: what it may be
 * @max: at most
 */
struct word {
	const char *name;
	size_t offset;
	u32 min;
	u32 max;
};

static inline int word_set(const struct word *words, unsigned int nr,
			   const char *name, const char *val, void *opts)
{
	u32 n;

	if (kstrtou32(val, 0, &n))
		return -EINVAL;
	for (; nr; nr--, words++) {
		if (strcmp(name, words->name))
			continue;
		if (n < words->min || n > words->max)
			return -ERANGE;
		*(u32 *)(opts + words->offset) = n;
		return 0;
	}
	return -EINVAL;
}

/**
 * words_parse() - take a line to pieces
 * @text: the line; is changed
 * @words: options that it may have
 * @nr: of @words
 * @opts: where they go
 * @plain: called for a word without '='; NULL: there is none
 *
 * Return: 0, -EINVAL, -ERANGE, or what @plain returned.
 */
static inline int words_parse(char *text, const struct word *words,
			      unsigned int nr, void *opts,
			      int (*plain)(void *opts, const char *word))
{
	char *name, *val;
	int err;

	while ((name = strsep(&text, "\n "))) {
		if (!*name)
			continue;
		val = strchr(name, '=');
		if (val)
			*val++ = '\0';
		if (val)
			err = word_set(words, nr, name, val, opts);
		else
			err = plain ? plain(opts, name) : -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

#endif /* _LEGO_TEST_WORDS_H */
