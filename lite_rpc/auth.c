// SPDX-License-Identifier: GPL-2.0
/*
 * Keys that the nodes of a rack share, and MACs by them.
 *
 * They are in a keyring of ours, .lego, where root puts them:
 *	keyctl padd logon lego:NAME %:.lego
 * A kernel with a key there serves only callers that have one of its keys. The
 * parameter key= says which one those of this kernel prove when they call, and
 * then they talk only to servers that have it, too. How it is proved is in
 * rdma_auth.c.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <keys/user-type.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>

#include "lite_rpc.h"

#define PREFIX "lego:"
#define MIN_SECRET 16 /* bytes; what can be guessed proves nothing */

static struct key *ring;
static const struct cred *ring_cred; /* whose rights do not depend on callers */

/* holds one key at a time; inside key->sem, nothing inside of it */
static struct crypto_shash *hmac;
static DEFINE_MUTEX(hmac_mutex);

static char key_name[LITE_KEY_LEN]; /* under kernel_param_lock() */

static int key_name_set(const char *val, const struct kernel_param *kp)
{
	char name[LITE_KEY_LEN] = {};
	size_t len = strcspn(val, "\n"); /* as echo writes it */

	if (len >= sizeof(name)) {
		pr_err("key= is a name of at most %zu characters\n",
		       sizeof(name) - 1);
		return -EINVAL;
	}
	memcpy(name, val, len);
	memcpy(key_name, name, sizeof(name));
	return 0;
}

static int key_name_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", key_name);
}

static const struct kernel_param_ops key_name_ops = {
	.set = key_name_set,
	.get = key_name_get,
};

module_param_cb(key, &key_name_ops, NULL, 0644);
MODULE_PARM_DESC(key,
		 "name of the key in keyring .lego that components of this kernel prove to those they call (default none)");

/**
 * lite_auth_key() - the key of this kernel's callers
 * @name: where its name is copied to, padded with NULs
 *
 * Context: process. Return: whether there is one.
 */
bool lite_auth_key(char name[LITE_KEY_LEN])
{
	kernel_param_lock(THIS_MODULE);
	memcpy(name, key_name, LITE_KEY_LEN);
	kernel_param_unlock(THIS_MODULE);
	return *name;
}

/**
 * lite_auth_demanded() - must callers prove a key
 *
 * Whatever is in the keyring, of use or not, is there to keep others out.
 * Context: any. Return: true if so.
 */
bool lite_auth_demanded(void)
{
	/* as fs/verity looks at its keyring */
	return READ_ONCE(ring->keys.nr_leaves_on_tree);
}

/**
 * lite_auth_notice() - say it, once, where anybody will be served
 *
 * Context: process.
 */
void lite_auth_notice(void)
{
	char name[LITE_KEY_LEN];

	if (!lite_auth_demanded() && !lite_auth_key(name))
		pr_notice_once("no keys: whoever reaches the RDMA network is trusted\n");
}

static struct key *find(const char *name)
{
	char description[sizeof(PREFIX) + LITE_KEY_LEN];
	const struct cred *cred;
	key_ref_t ref;

	snprintf(description, sizeof(description), PREFIX "%s", name);
	cred = override_creds(ring_cred);
	ref = keyring_search(make_key_ref(ring, true), &key_type_logon,
			     description, false);
	revert_creds(cred);
	return IS_ERR(ref) ? ERR_PTR(-ENOKEY) : key_ref_to_ptr(ref);
}

static int digest(const struct user_key_payload *secret,
		  const struct lite_auth_text *text, u8 mac[LITE_MAC_LEN])
{
	int err;

	if (!secret || secret->datalen < MIN_SECRET)
		return -ENOKEY;
	mutex_lock(&hmac_mutex);
	err = crypto_shash_setkey(hmac, secret->data, secret->datalen);
	if (!err)
		err = crypto_shash_tfm_digest(hmac, (const u8 *)text,
					      sizeof(*text), mac);
	mutex_unlock(&hmac_mutex);
	return err;
}

/**
 * lite_auth_mac() - what proves that one has a key
 * @name: the key's; ends with a NUL
 * @text: to be proved with; but for its label
 * @label: LITE_AUTH_CALLER or LITE_AUTH_SERVER: who proves it
 * @mac: result
 *
 * Context: process, may sleep.
 * Return: 0; -ENOKEY: no such key, or one of less than 16 bytes.
 */
int lite_auth_mac(const char *name, const struct lite_auth_text *text,
		  const char *label, u8 mac[LITE_MAC_LEN])
{
	struct lite_auth_text copy = *text;
	struct key *key = find(name);
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	strscpy_pad(copy.label, label, sizeof(copy.label));
	down_read(&key->sem); /* keyctl update */
	err = digest(user_key_payload_locked(key), &copy, mac);
	up_read(&key->sem);
	key_put(key);
	return err;
}

/**
 * lite_auth_verify() - has the other one the key
 * @name: the key's; ends with a NUL
 * @text: as for lite_auth_mac()
 * @label: the same
 * @mac: what the other one has sent
 *
 * Context: process, may sleep.
 * Return: 0; -ENOKEY: we have not; -EKEYREJECTED: it has not.
 */
int lite_auth_verify(const char *name, const struct lite_auth_text *text,
		     const char *label, const u8 mac[LITE_MAC_LEN])
{
	u8 good[LITE_MAC_LEN];
	int err = lite_auth_mac(name, text, label, good);

	if (err)
		return err;
	return crypto_memneq(good, mac, LITE_MAC_LEN) ? -EKEYREJECTED : 0;
}

/**
 * lite_auth_init() - an empty keyring
 *
 * Context: process. Return: 0 or a negative errno; logged.
 */
int lite_auth_init(void)
{
	int err;

	hmac = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(hmac)) {
		pr_err("no hmac(sha256) in this kernel\n");
		return PTR_ERR(hmac);
	}
	ring_cred = prepare_kernel_cred(&init_task);
	if (!ring_cred) {
		err = -ENOMEM;
		goto err_free_hmac;
	}
	/* that of drivers/nvme/common/keyring.c */
	ring = keyring_alloc(".lego", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID,
			     ring_cred,
			     (KEY_POS_ALL & ~KEY_POS_SETATTR) |
			     (KEY_USR_ALL & ~KEY_USR_SETATTR),
			     KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	if (IS_ERR(ring)) {
		err = PTR_ERR(ring);
		pr_err("cannot make keyring .lego (%d)\n", err);
		goto err_put_cred;
	}
	return 0;

err_put_cred:
	put_cred(ring_cred);
err_free_hmac:
	crypto_free_shash(hmac);
	return err;
}

/**
 * lite_auth_exit() - the keyring goes, and its keys with it
 *
 * Context: process.
 */
void lite_auth_exit(void)
{
	key_revoke(ring);
	key_put(ring);
	put_cred(ring_cred);
	crypto_free_shash(hmac);
}
