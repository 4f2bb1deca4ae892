// SPDX-License-Identifier: GPL-2.0
/*
 * From a request to its operation and back: lengths, paths and credentials
 * are checked here once for all.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include "scomp.h"

/**
 * struct scomp_op_desc - an operation
 * @fixed: bytes of the request before its paths
 * @paths: how many paths it must have
 * @fn: does it; returns the reply's length or a negative error
 */
struct scomp_op_desc {
	u16 fixed;
	u8 paths;
	int (*fn)(struct scomp_op *op);
};

#define SCOMP_OP(nr, type, n, func)              \
	[LITE_OP_NR(nr)] = {                     \
		.fixed = sizeof(struct type),    \
		.paths = (n),                    \
		.fn = (func),                    \
	}

static const struct scomp_op_desc scomp_ops[] = {
	SCOMP_OP(SCOMP_GETATTR, scomp_path_req, 1, scomp_op_getattr),
	SCOMP_OP(SCOMP_SETATTR, scomp_setattr_req, 1, scomp_op_setattr),
	SCOMP_OP(SCOMP_READ, scomp_io_req, 1, scomp_op_read),
	SCOMP_OP(SCOMP_WRITE, scomp_io_req, 1, scomp_op_write),
	SCOMP_OP(SCOMP_READDIR, scomp_readdir_req, 1, scomp_op_readdir),
	SCOMP_OP(SCOMP_READLINK, scomp_path_req, 1, scomp_op_readlink),
	SCOMP_OP(SCOMP_CREATE, scomp_create_req, 1, scomp_op_create),
	SCOMP_OP(SCOMP_REMOVE, scomp_remove_req, 1, scomp_op_remove),
	SCOMP_OP(SCOMP_RENAME, scomp_rename_req, 2, scomp_op_rename),
	SCOMP_OP(SCOMP_SYMLINK, scomp_symlink_req, 2, scomp_op_symlink),
	SCOMP_OP(SCOMP_LINK, scomp_path_req, 2, scomp_op_link),
	SCOMP_OP(SCOMP_FSYNC, scomp_path_req, 1, scomp_op_fsync),
	SCOMP_OP(SCOMP_STATFS, scomp_path_req, 1, scomp_op_statfs),
	SCOMP_OP(SCOMP_CANCEL, scomp_path_req, 0, scomp_op_cancel),
};

/* What the caller left where the sComponent can read it, as it was too long. */
static int scomp_pull_rest(struct scomp_op *op, void *to, u32 len)
{
	struct scomp_buf *buf = scomp_buf_get(op->sc->pool);
	struct lite_sge sge = {
		.mr = op->sc->pool->mr,
		.len = len,
	};
	int err;

	if (!buf)
		return -EAGAIN;
	sge.off = buf->off;
	err = lite_req_pull(op->req, 0, &sge, 1);
	if (!err)
		memcpy(to, buf->va, len);
	scomp_buf_put(buf);
	op->pulled = len;
	return err;
}

/*
 * Copies groups and paths out of the request, each path with a NUL. The second
 * one of SYMLINK is a link's contents, any string will do there.
 */
static int scomp_get_rest(struct scomp_op *op, const struct scomp_hdr *hdr,
			  const struct scomp_op_desc *desc, void **mem)
{
	size_t groups = le16_to_cpu(hdr->nr_groups) * sizeof(*op->groups);
	size_t len = le16_to_cpu(hdr->path_len);
	size_t len2 = le16_to_cpu(hdr->path2_len);
	size_t given = lite_req_len(op->req) - desc->fixed;
	size_t rest = groups + len + len2;
	char *s;
	int err = 0;

	if (given && given != rest)
		return -EMSGSIZE;
	if (le16_to_cpu(hdr->nr_groups) > SCOMP_GROUPS_MAX ||
	    (desc->paths == 2 ? !len2 : len2) || (!desc->paths && rest))
		return -EINVAL;
	if (len >= SCOMP_PATH_MAX || len2 >= SCOMP_PATH_MAX)
		return -ENAMETOOLONG;
	s = kmalloc(rest + 2, GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	*mem = s;
	if (given)
		memcpy(s, op->msg + desc->fixed, rest);
	else if (rest)
		err = scomp_pull_rest(op, s, rest);
	if (err)
		return err;
	op->groups = (__le32 *)s;
	s += groups;
	memmove(s + len + 1, s + len, len2);
	s[len] = '\0';
	s[len + 1 + len2] = '\0';
	op->path = s;
	op->path2 = s + len + 1;
	err = scomp_path_check(op->path, len);
	if (err || desc->paths < 2)
		return err;
	if (desc->fn != scomp_op_symlink)
		return scomp_path_check(op->path2, len2);
	if (strlen(op->path2) != len2)
		return -EINVAL;
	return len2 < SCOMP_TARGET_MAX ? 0 : -ENAMETOOLONG;
}

/* What changes files, and what cancels that, has a slot; nothing else does. */
static int scomp_check_slot(const struct scomp_hdr *hdr, bool has_slot)
{
	if (!has_slot)
		return hdr->seq || hdr->slot ? -EINVAL : 0;
	return hdr->seq && le16_to_cpu(hdr->slot) < SCOMP_SLOTS ? 0 : -EINVAL;
}

static int scomp_do(struct scomp_op *op)
{
	const struct scomp_op_desc *desc;
	unsigned int nr = LITE_OP_NR(lite_req_op(op->req));
	const struct scomp_hdr *hdr = op->msg;
	const struct cred *cred, *old;
	void *mem = NULL;
	bool once;
	int ret;

	if (nr >= ARRAY_SIZE(scomp_ops) || !scomp_ops[nr].fn)
		return -EOPNOTSUPP;
	desc = &scomp_ops[nr];
	if (lite_req_len(op->req) < desc->fixed)
		return -EMSGSIZE;
	op->uid = make_kuid(&init_user_ns, le32_to_cpu(hdr->uid));
	if (!uid_valid(op->uid))
		return -EINVAL;
	once = !(lite_op_desc(lite_req_op(op->req))->flags &
		 LITE_OPF_IDEMPOTENT);
	ret = scomp_check_slot(hdr, once || desc->fn == scomp_op_cancel);
	if (ret)
		return ret;
	ret = scomp_get_rest(op, hdr, desc, &mem);
	if (ret)
		goto out_free;
	cred = scomp_cred_make(hdr, op->groups);
	if (IS_ERR(cred)) {
		ret = PTR_ERR(cred);
		goto out_free;
	}
	old = override_creds(cred);
	ret = once ? scomp_once(op, desc->fn) : desc->fn(op);
	revert_creds(old);
	put_cred(cred);
out_free:
	kfree(mem);
	return ret;
}

static void scomp_serve(struct lite_req *req)
{
	struct scomp_op op = {
		.sc = lite_req_priv(req),
		.req = req,
		.msg = lite_req_msg(req),
	};
	unsigned int nr = LITE_OP_NR(lite_req_op(req)) % LITE_SVC_OPS_MAX;
	int ret;

	/* Pairs with scomp_create(). */
	if (!smp_load_acquire(&op.sc->ready)) {
		lite_req_reply(req, -EHOSTUNREACH, 0);
		return;
	}
	atomic64_inc(&op.sc->requests);
	atomic64_inc(&op.sc->op_count[nr]);
	ret = scomp_do(&op);
	if (ret < 0)
		atomic64_inc(&op.sc->op_errors[nr]);
	/* To a client that is this server's restart, not a file's state. */
	if (ret == -ESTALE)
		ret = -EIO;
	if (op.buf)
		lite_req_reply_release(req, min(ret, 0), max(ret, 0),
				       scomp_buf_put, op.buf);
	else
		lite_req_reply(req, min(ret, 0), max(ret, 0));
}

const struct lite_handler scomp_handlers[] = {
	[LITE_OP_NR(SCOMP_GETATTR)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_SETATTR)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_READ)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_WRITE)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_READDIR)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_READLINK)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_CREATE)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_REMOVE)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_RENAME)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_SYMLINK)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_LINK)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_FSYNC)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_STATFS)] = { .fn = scomp_serve },
	[LITE_OP_NR(SCOMP_CANCEL)] = { .fn = scomp_serve },
};

const unsigned int scomp_nr_handlers = ARRAY_SIZE(scomp_handlers);
