// SPDX-License-Identifier: GPL-2.0
/* Addresses: "IP[:port]", "[IP6]:port" and "loop:NAME". */
#include <linux/ctype.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "lite_rpc.h"

static int parse_loop(struct lite_addr *addr, const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= LITE_NAME_LEN)
		return -EINVAL;
	for (; *name; name++)
		if (!isgraph(*name) || *name == '/')
			return -EINVAL;
	addr->loop = true;
	return 0;
}

/* cut "host[:port]" in place; @port is left alone when there is none */
static int split_port(char *text, char **host, char **port)
{
	char *end;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end)
			return -EINVAL;
		*end++ = '\0';
		*host = text + 1;
		if (!*end)
			return 0;
		if (*end != ':')
			return -EINVAL;
		*port = end + 1;
		return 0;
	}
	*host = text;
	end = strchr(text, ':');
	if (!end || strchr(end + 1, ':')) /* none, or a bare IPv6 address */
		return 0;
	*end = '\0';
	*port = end + 1;
	return 0;
}

/**
 * lite_addr_parse() - read an address as people write it
 * @addr: result
 * @text: "IP[:port]", "[IP6]:port" or "loop:NAME"; a newline at the end is
 *	forgiven
 * @port: what to take when there is no port; 0: then it is an error
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int lite_addr_parse(struct lite_addr *addr, const char *text, u16 port)
{
	char buf[LITE_ADDR_LEN], dflt[8];
	char *host, *portstr = dflt;
	u16 nr;

	memset(addr, 0, sizeof(*addr));
	if (!text || strscpy(buf, text, sizeof(buf)) <= 0)
		return -EINVAL;
	text = strim(buf);
	if (!*text)
		return -EINVAL;
	if (!strncmp(text, "loop:", 5)) {
		strscpy(addr->text, text, sizeof(addr->text));
		return parse_loop(addr, text + 5);
	}
	snprintf(dflt, sizeof(dflt), "%u", port);
	if (split_port(strim(buf), &host, &portstr) ||
	    kstrtou16(portstr, 10, &nr) || !nr)
		return -EINVAL;
	if (inet_pton_with_scope(&init_net, AF_UNSPEC, host, portstr,
				 &addr->ss))
		return -EINVAL;
	snprintf(addr->text, sizeof(addr->text), "%pISpc", &addr->ss);
	return 0;
}
