// SPDX-License-Identifier: GPL-2.0
/* The generator's own nodes, and memory of theirs. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "fuzz.h"

#define POISON 0xa5

/**
 * fuzz_node() - make a node
 * @name: its name
 * @ip: IP address; "": none, it is reached over loop
 * @port: there
 * @service: what it serves
 * @handlers: the same
 * @nr_handlers: how many
 * @priv: for lite_req_priv()
 *
 * Return: the node or ERR_PTR.
 */
struct lite_node *fuzz_node(const char *name, const char *ip, u16 port,
			    u32 service, const struct lite_handler *handlers,
			    unsigned int nr_handlers, void *priv)
{
	struct lite_node_cfg cfg = {
		.name = name,
		.addr = ip,
		.port = port,
		.role = LITE_ROLE_NONE,
		.service = service,
		.handlers = handlers,
		.nr_handlers = nr_handlers,
		.priv = priv,
	};

	return lite_node_create(&cfg);
}

/**
 * fuzz_memory_alloc() - pages that peers may read and write, poisoned
 * @mem: zeroed
 * @node: whose
 *
 * Return: 0 or a negative errno; fuzz_memory_free() either way.
 */
int fuzz_memory_alloc(struct fuzz_memory *mem, struct lite_node *node)
{
	struct lite_mr *mr;
	unsigned int i;

	for (i = 0; i < FUZZ_PAGES; i++) {
		mem->page[i] = alloc_page(GFP_KERNEL);
		if (!mem->page[i])
			return -ENOMEM;
		memset(page_address(mem->page[i]), POISON, PAGE_SIZE);
	}
	mr = lite_mr_create(node, mem->page, FUZZ_PAGES,
			    LITE_MR_READ | LITE_MR_WRITE);
	if (IS_ERR(mr))
		return PTR_ERR(mr);
	mem->mr = mr;
	return 0;
}

/**
 * fuzz_memory_free() - the reverse
 * @mem: memory
 */
void fuzz_memory_free(struct fuzz_memory *mem)
{
	unsigned int i;

	lite_mr_destroy(mem->mr);
	for (i = 0; i < FUZZ_PAGES && mem->page[i]; i++)
		__free_page(mem->page[i]);
}

/**
 * fuzz_memory_changed() - what is not as it was made
 * @mem: memory
 *
 * Return: bytes.
 */
u64 fuzz_memory_changed(const struct fuzz_memory *mem)
{
	unsigned int i, j;
	u64 bad = 0;

	for (i = 0; i < FUZZ_PAGES; i++) {
		const u8 *p = page_address(mem->page[i]);

		for (j = 0; j < PAGE_SIZE; j++)
			bad += p[j] != POISON;
	}
	return bad;
}
