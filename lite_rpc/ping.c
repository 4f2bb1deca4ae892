// SPDX-License-Identifier: GPL-2.0
/*
 * LITE_PING: the payload comes back, and a known pattern goes to the caller's
 * out segments. What every node answers, to measure and to test by.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "lite_rpc.h"

/**
 * lite_ping() - the handler of LITE_PING
 * @req: request
 *
 * Context: bottom halves off.
 */
void lite_ping(struct lite_req *req)
{
	/* pairs with lite_ping_init(); before that it is refused */
	struct lite_mr *mr = smp_load_acquire(&lite_req_node(req)->ping_mr);
	u32 left = lite_req_out_len(req), len = lite_req_len(req);
	struct lite_sge sge[LITE_PING_OUT_MAX / LITE_SLOT_SIZE];
	unsigned int nr;
	int err = 0;

	BUILD_BUG_ON(ARRAY_SIZE(sge) > LITE_MAX_SEGS);
	BUILD_BUG_ON(LITE_SLOT_SIZE != PAGE_SIZE);
	if (left > LITE_PING_OUT_MAX) {
		lite_req_reply(req, -EMSGSIZE, 0);
		return;
	}
	for (nr = 0; left; nr++) {
		sge[nr] = (struct lite_sge){
			.mr = mr,
			.len = min_t(u32, left, PAGE_SIZE),
		};
		left -= sge[nr].len;
	}
	if (nr)
		err = lite_req_push(req, 0, sge, nr);
	if (!err)
		memcpy(lite_req_rsp(req), lite_req_msg(req), len);
	lite_req_reply(req, err, err ? 0 : len);
}

/**
 * lite_ping_init() - the pattern of a node
 * @node: node that is on its device, if it will ever be
 *
 * Context: process. Return: 0 or a negative errno.
 */
int lite_ping_init(struct lite_node *node)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct lite_mr *mr;
	__le32 *word;
	unsigned int i;

	if (!page)
		return -ENOMEM;
	word = page_address(page);
	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = cpu_to_le32(LITE_PING_WORD(i));
	mr = lite_mr_create(node, &page, 1, LITE_MR_LOCAL);
	if (IS_ERR(mr)) {
		__free_page(page);
		return PTR_ERR(mr);
	}
	node->ping_page = page;
	/* pairs with lite_ping() */
	smp_store_release(&node->ping_mr, mr);
	return 0;
}

/**
 * lite_ping_exit() - the reverse
 * @node: stopped node
 *
 * Context: process.
 */
void lite_ping_exit(struct lite_node *node)
{
	if (!node->ping_mr)
		return;
	lite_mr_destroy(node->ping_mr);
	__free_page(node->ping_page);
}
