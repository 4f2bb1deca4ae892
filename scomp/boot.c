// SPDX-License-Identifier: GPL-2.0
/*
 * Which boot of this server is it? What WRITE puts into the page cache is there
 * as long as that lasts, however often scomp is loaded.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/uuid.h>
#include "scomp.h"

#define SCOMP_BOOT_ID "/proc/sys/kernel/random/boot_id"

/**
 * scomp_boot_verifier() - a number of this boot of the server
 *
 * The kernel makes its boot id once, at random, and shows it here only. What is
 * exported to modules will not do: the time of boot changes when the clock is
 * set. Without /proc it is a number of this instance: then fsync() may fail
 * though nothing was lost, never the other way round.
 *
 * Context: process, sleeps.
 * Return: not 0.
 */
u32 scomp_boot_verifier(void)
{
	char text[UUID_STRING_LEN + 1] = "";
	struct file *file;
	loff_t pos = 0;
	uuid_t id;

	file = filp_open(SCOMP_BOOT_ID, O_RDONLY, 0);
	if (!IS_ERR(file)) {
		kernel_read(file, text, UUID_STRING_LEN, &pos);
		filp_close(file, NULL);
	}
	if (uuid_parse(text, &id)) {
		pr_warn("no boot id in %s: a restart of scomp will look like one of its server\n",
			SCOMP_BOOT_ID);
		generate_random_uuid(id.b);
	}
	return jhash(&id, sizeof(id), 0) ?: 1;
}
