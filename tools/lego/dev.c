// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lego: opening it, and its errors as sentences.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lego.h"

static const char *dev_path(void)
{
	const char *path = getenv("LEGO_DEVICE");

	return path && *path ? path : LEGO_DEV;
}

/**
 * dev_present() - does a pComponent's module run here?
 */
bool dev_present(void)
{
	return !access(dev_path(), F_OK);
}

/**
 * dev_open() - open /dev/lego, or say why not
 *
 * Return: a file descriptor, closed on exec, or -1 after a message.
 */
int dev_open(void)
{
	int fd = open(dev_path(), O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		lego_err("no pComponent runs here (there is no %s): modprobe pcomp name=p0 addr=IP gmgr=IP excache_mb=N",
			 dev_path());
	else if (errno == EACCES || errno == EPERM)
		lego_err("%s may be opened by root only: use sudo",
			 dev_path());
	else
		lego_err("cannot open %s: %s", dev_path(), strerror(errno));
	return -1;
}

/**
 * dev_explain() - a sentence for what every ioctl may return
 * @err: errno
 * @pcomp: the pComponent that was named, "" for the only one
 *
 * Return: the sentence, in a static buffer.
 */
const char *dev_explain(int err, const char *pcomp)
{
	static char text[256];

	switch (err) {
	case ENODEV:
		if (*pcomp)
			snprintf(text, sizeof(text),
				 "no pComponent '%s' in this kernel; ls %s/pcomp shows which there are",
				 pcomp, sysfs_root());
		else
			snprintf(text, sizeof(text),
				 "this kernel has no pComponent, or several (then name one with -p): ls %s/pcomp",
				 sysfs_root());
		break;
	case EHOSTUNREACH:
	case ENOTCONN:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTDOWN:
	case ETIMEDOUT:
		snprintf(text, sizeof(text),
			 "gmgr does not answer (%s); 'lego status' shows who is up",
			 strerror(err));
		break;
	case ENOTTY:
		snprintf(text, sizeof(text),
			 "the loaded pcomp module does not know this request: it and this lego are of different versions");
		break;
	default:
		snprintf(text, sizeof(text), "%s", strerror(err));
	}
	return text;
}
