// SPDX-License-Identifier: GPL-2.0
/*
 * mount -t lego [-o pcomp=NAME] VNODE DIRECTORY
 *
 * A vNode is one superblock at a pComponent, however often it is mounted there,
 * as each `lego run` does: locks, FIFOs, sockets, shared mappings and the page
 * cache are the superblock's. Other options make another superblock.
 */
#include <linux/backing-dev.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "pcomp.h"
#include "fs.h"
#include "fs_priv.h"

#define PCOMP_FS_READ_BUFS 16
#define PCOMP_FS_WRITE_BUFS 8
#define PCOMP_FS_NAME_BUFS 2

enum pcomp_fs_param {
	PCOMP_FS_OPT_PCOMP,
	PCOMP_FS_OPT_ATTR_MS,
	PCOMP_FS_OPT_RETRY_S,
	PCOMP_FS_OPT_SOFT,
};

static const struct fs_parameter_spec pcomp_fs_params[] = {
	fsparam_string("pcomp", PCOMP_FS_OPT_PCOMP),
	fsparam_u32("attr_ms", PCOMP_FS_OPT_ATTR_MS),
	fsparam_u32("retry_s", PCOMP_FS_OPT_RETRY_S),
	fsparam_flag("soft", PCOMP_FS_OPT_SOFT),
	{}
};

static int pcomp_fs_parse_param(struct fs_context *fc,
				struct fs_parameter *param)
{
	struct pcomp_fs *fs = fc->s_fs_info;
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, pcomp_fs_params, param, &result);
	if (opt < 0)
		return opt;
	/* A remount has no mount of its own to change. */
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return 0;
	switch (opt) {
	case PCOMP_FS_OPT_PCOMP:
		if (strscpy(fs->pcomp, param->string, sizeof(fs->pcomp)) < 0)
			return invalf(fc, "lego: pcomp= is too long");
		break;
	case PCOMP_FS_OPT_ATTR_MS:
		if (result.uint_32 > 3600 * MSEC_PER_SEC)
			return invalf(fc, "lego: attr_ms= is over an hour");
		fs->attr_ms = result.uint_32;
		break;
	case PCOMP_FS_OPT_RETRY_S:
		if (result.uint_32 > 3600)
			return invalf(fc, "lego: retry_s= is over an hour");
		fs->retry_s = result.uint_32;
		break;
	case PCOMP_FS_OPT_SOFT:
		fs->soft = true;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/* Asks gmgr where the vNode's files are. */
static int pcomp_fs_find_vnode(struct fs_context *fc, struct pcomp_fs *fs)
{
	struct gmgr_vnode_name_req req = {};
	struct lite_peer *gmgr;
	struct gmgr_vnode vn;
	struct lite_call call = {
		.op = GMGR_VNODE_GET,
		.class = LITE_CLASS_CONTROL,
		.req = &req,
		.req_len = sizeof(req),
		.rsp = &vn,
		.rsp_size = sizeof(vn),
	};
	char *root;
	int err;

	if (!fc->source || !*fc->source)
		return invalf(fc, "lego: give the name of a vNode to mount");
	if (strscpy(req.name, fc->source, sizeof(req.name)) < 0)
		return invalf(fc, "lego: no vNode has so long a name");
	strscpy(fs->vnode, fc->source, sizeof(fs->vnode));
	gmgr = lite_gmgr(fs->node);
	if (!gmgr)
		return -EHOSTUNREACH;
	err = lite_call(gmgr, &call);
	if (err == -ENOENT) {
		errorf(fc, "lego: there is no vNode %s", fs->vnode);
		return err;
	}
	if (err) {
		errorf(fc, "lego: gmgr does not answer (error %d)", err);
		return -EHOSTUNREACH;
	}
	if (call.rsp_len != sizeof(vn))
		return -EIO;
	fs->vid = le32_to_cpu(vn.vid);
	fs->storage_id = le32_to_cpu(vn.storage_id);
	vn.storage[sizeof(vn.storage) - 1] = '\0';
	strscpy(fs->storage, vn.storage, sizeof(fs->storage));
	vn.root[sizeof(vn.root) - 1] = '\0';
	root = vn.root;
	while (*root == '/')
		root++;
	strscpy(fs->root, root, sizeof(fs->root));
	root = fs->root + strlen(fs->root);
	while (root > fs->root && root[-1] == '/')
		*--root = '\0';
	return 0;
}

/* What must be known before a superblock is looked for. */
static int pcomp_fs_identify(struct fs_context *fc, struct pcomp_fs *fs)
{
	fs->pc = pcomp_get_by_name(fs->pcomp);
	if (IS_ERR(fs->pc)) {
		int err = PTR_ERR(fs->pc);

		fs->pc = NULL;
		errorf(fc, "lego: no pComponent %s here (error %d)",
		       *fs->pcomp ? fs->pcomp : "(or more than one: pcomp=)",
		       err);
		return err;
	}
	fs->node = pcomp_node(fs->pc);
	return pcomp_fs_find_vnode(fc, fs);
}

/*
 * The name and the place count as well as the id: a gmgr that has forgotten its
 * vNodes may give an id again.
 */
static int pcomp_fs_test_super(struct super_block *sb, struct fs_context *fc)
{
	const struct pcomp_fs *have = PCOMP_FS(sb);
	const struct pcomp_fs *want = fc->s_fs_info;

	return have->pc == want->pc && have->vid == want->vid &&
	       !strcmp(have->vnode, want->vnode) &&
	       !strcmp(have->storage, want->storage) &&
	       !strcmp(have->root, want->root) &&
	       have->attr_ms == want->attr_ms &&
	       have->retry_s == want->retry_s && have->soft == want->soft &&
	       !((sb->s_flags ^ fc->sb_flags) & (SB_RDONLY | SB_SYNCHRONOUS));
}

static int pcomp_fs_make_pools(struct pcomp_fs *fs)
{
	int err = pcomp_fs_slots_init(fs);

	if (err)
		return err;
	fs->wq = alloc_workqueue("pcomp_fs", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!fs->wq)
		return -ENOMEM;
	fs->read_pool = pcomp_fs_pool_create(fs->node, PCOMP_FS_READ_BUFS,
					     LITE_MR_WRITE);
	if (IS_ERR(fs->read_pool))
		return PTR_ERR(fs->read_pool);
	fs->write_pool = pcomp_fs_pool_create(fs->node, PCOMP_FS_WRITE_BUFS,
					      LITE_MR_READ);
	if (IS_ERR(fs->write_pool))
		return PTR_ERR(fs->write_pool);
	fs->name_pool = pcomp_fs_pool_create(fs->node, PCOMP_FS_NAME_BUFS,
					     LITE_MR_READ);
	return PTR_ERR_OR_ZERO(fs->name_pool);
}

static int pcomp_fs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct pcomp_fs *fs = sb->s_fs_info;
	struct pcomp_fs_name name = { .str = "" };
	struct scomp_attr attr;
	struct inode *root;
	u64 gen;
	int err;

	err = pcomp_fs_make_pools(fs);
	if (err)
		return err;
	sb->s_magic = PCOMP_FS_MAGIC;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	sb->s_op = &pcomp_fs_super_ops;
	sb->s_d_op = &pcomp_fs_dentry_ops;
	sb->s_flags |= SB_NOATIME;
	err = super_setup_bdi(sb);
	if (err)
		return err;
	sb->s_bdi->ra_pages = PCOMP_FS_PAGES;
	sb->s_bdi->io_pages = PCOMP_FS_PAGES;

	gen = pcomp_fs_gen(sb);
	err = pcomp_fs_rpc_getattr(fs, NULL, name, false, &attr);
	if (!err && !S_ISDIR(le32_to_cpu(attr.mode)))
		err = -ENOTDIR;
	if (err) {
		errorf(fc, "lego: root /%s of vNode %s at storage %s: error %d",
		       fs->root, fs->vnode, fs->storage, err);
		return err;
	}
	root = pcomp_fs_iget(sb, &attr, gen);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	queue_work(fs->wq, &fs->sweep);
	pcomp_fs_locks_claim(fs);
	return 0;
}

static void pcomp_fs_free(struct pcomp_fs *fs)
{
	pcomp_fs_locks_release(fs);
	if (fs->wq)
		destroy_workqueue(fs->wq);
	pcomp_fs_pool_destroy(fs->name_pool);
	pcomp_fs_pool_destroy(fs->write_pool);
	pcomp_fs_pool_destroy(fs->read_pool);
	pcomp_fs_slots_exit(fs);
	pcomp_fs_disconnect(fs);
	if (fs->pc)
		pcomp_put(fs->pc);
	mutex_destroy(&fs->claim_mutex);
	mutex_destroy(&fs->settle_mutex);
	mutex_destroy(&fs->peer_lock);
	kfree(fs);
}

static int pcomp_fs_get_tree(struct fs_context *fc)
{
	struct super_block *sb;
	int err;

	err = pcomp_fs_identify(fc, fc->s_fs_info);
	if (err)
		return err;
	sb = sget_fc(fc, pcomp_fs_test_super, set_anon_super_fc);
	if (IS_ERR(sb))
		return PTR_ERR(sb);
	if (!sb->s_root) {
		err = pcomp_fs_fill_super(sb, fc);
		if (err) {
			deactivate_locked_super(sb);
			return err;
		}
		sb->s_flags |= SB_ACTIVE;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

static void pcomp_fs_free_fc(struct fs_context *fc)
{
	if (fc->s_fs_info)
		pcomp_fs_free(fc->s_fs_info);
}

static const struct fs_context_operations pcomp_fs_context_ops = {
	.parse_param = pcomp_fs_parse_param,
	.get_tree = pcomp_fs_get_tree,
	.free = pcomp_fs_free_fc,
};

static int pcomp_fs_init_context(struct fs_context *fc)
{
	struct pcomp_fs *fs;

	fc->ops = &pcomp_fs_context_ops;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return 0;
	fs = kzalloc(sizeof(*fs), GFP_KERNEL);
	if (!fs)
		return -ENOMEM;
	mutex_init(&fs->peer_lock);
	mutex_init(&fs->claim_mutex);
	INIT_LIST_HEAD(&fs->claims);
	spin_lock_init(&fs->slot_lock);
	init_waitqueue_head(&fs->slot_wait);
	mutex_init(&fs->settle_mutex);
	fs->slot_base = -1;
	init_rwsem(&fs->path_sem);
	atomic64_set(&fs->gen, 1);
	fs->silly_tag = get_random_u32();
	INIT_WORK(&fs->sweep, pcomp_fs_silly_sweep);
	fs->space_next = jiffies;
	fs->attr_ms = 1000;
	fs->retry_s = 30;
	fc->s_fs_info = fs;
	return 0;
}

static void pcomp_fs_kill_sb(struct super_block *sb)
{
	struct pcomp_fs *fs = sb->s_fs_info;

	kill_anon_super(sb);
	if (fs)
		pcomp_fs_free(fs);
}

static struct file_system_type pcomp_fs_type = {
	.owner = THIS_MODULE,
	.name = "lego",
	.init_fs_context = pcomp_fs_init_context,
	.parameters = pcomp_fs_params,
	.kill_sb = pcomp_fs_kill_sb,
	.fs_flags = FS_RENAME_DOES_D_MOVE,
};

/**
 * pcomp_fs_init() - make "lego" known as a file system
 *
 * Return: 0 or an error.
 */
int pcomp_fs_init(void)
{
	int err;

	err = pcomp_fs_inode_init();
	if (err)
		return err;
	err = register_filesystem(&pcomp_fs_type);
	if (err)
		pcomp_fs_inode_exit();
	return err;
}

/**
 * pcomp_fs_exit() - and unknown; no mount is left, each holds the module
 */
void pcomp_fs_exit(void)
{
	unregister_filesystem(&pcomp_fs_type);
	pcomp_fs_inode_exit();
}
