// SPDX-License-Identifier: GPL-2.0
/*
 * The choice of a mapping scheme.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "pagemap.h"

static const struct mcomp_pagemap_ops *const schemes[] = {
	&mcomp_pagemap_radix,
	&mcomp_pagemap_hash,
};

/**
 * mcomp_pagemap_find() - a scheme by name
 * @name: "radix" or "hash"; a newline at its end does no harm
 *
 * Return: the scheme or NULL.
 */
const struct mcomp_pagemap_ops *mcomp_pagemap_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(schemes); i++)
		if (sysfs_streq(name, schemes[i]->name))
			return schemes[i];
	return NULL;
}

/**
 * mcomp_pagemap_init() - make an empty map
 * @map: memory for it
 * @ops: scheme
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM.
 */
int mcomp_pagemap_init(struct mcomp_pagemap *map,
		       const struct mcomp_pagemap_ops *ops)
{
	map->ops = ops;
	atomic64_set(&map->nr, 0);
	return ops->init(map);
}
