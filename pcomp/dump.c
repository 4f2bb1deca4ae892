// SPDX-License-Identifier: GPL-2.0
/*
 * Core dumps of a vNode's process.
 */
#include <linux/coredump.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include "pcomp.h"

/* Pages from @index on, before @end, with or without contents. */
static pgoff_t run_end(struct pcomp_space *s, pgoff_t index, pgoff_t end,
		       bool contents)
{
	unsigned long at = index;

	if (!contents)
		return xa_find(&s->pages, &at, end - 1, XA_PRESENT) ? at : end;
	while (at < end && xa_load(&s->pages, at))
		at++;
	return at;
}

/**
 * pcomp_dump_range() - part of a mapping goes into a core dump
 * @cprm: the dump
 * @start: where
 * @len: bytes
 *
 * The kernel leaves out pages of anonymous memory that were never touched; in
 * a mapping of a file it would fault each of them in. What a privately mapped
 * file has is left to it.
 *
 * Return: 1, or 0 if the dump cannot go on.
 */
int pcomp_dump_range(struct coredump_params *cprm, unsigned long start,
		     unsigned long len)
{
	pgoff_t at = start >> PAGE_SHIFT, end = at + (len >> PAGE_SHIFT), next;
	struct pcomp_space *s = pcomp_space_get(current->mm);
	bool contents;
	int good = 1;

	if (!s)
		return 0;
	if (!pcomp_is_ours(current->mm, start) ||
	    pcomp_backing_in(s, at, end - 1)) {
		pcomp_space_put(s);
		return pcomp_orig_dump_range(cprm, start, len);
	}
	for (; at < end && good; at = next) {
		contents = xa_load(&s->pages, at);
		next = run_end(s, at, end, contents);
		if (contents)
			good = pcomp_orig_dump_range(cprm, at << PAGE_SHIFT,
						     (next - at) << PAGE_SHIFT);
		else
			dump_skip(cprm, (next - at) << PAGE_SHIFT);
		cond_resched();
	}
	pcomp_space_put(s);
	return good;
}
