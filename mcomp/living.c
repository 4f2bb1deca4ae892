// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces that ended while their pComponent could not reach us: its network, or
 * ours, was away, or we were declared dead meanwhile. Nobody tells us of them
 * again, so we ask each pComponent, now and then and when it joins, which of
 * the spaces that we hold for it are not over, and end the others. A shard is
 * compared like a home, without asking the home, which may be gone.
 *
 * Why no space that lives can end by this: a pComponent enters an id into its
 * table before it sends the first message with it, and takes it out after the
 * last. We look for ids first and ask afterwards; so an id that is not in the
 * table has left it, and ids are not given twice while a space has one. We end
 * the very space that we asked for, not one that has its id by then. A request
 * that waited for a thread all the time may still make a space when its
 * pComponent has given up: the next question finds it.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mcomp.h"

/* Memory of the dead shall be back after 20 s: this, a time-out, and the end */
#define LIVING_PERIOD (8 * HZ)

/**
 * struct living_batch - spaces of one client, and the question
 * @client: whose they are
 * @space: with a reference each
 * @req: the question, with room for its ids
 * @id: that room
 */
struct living_batch {
	struct mcomp_client *client;
	struct mcomp_space *space[PCOMP_LIVING_MAX];
	struct pcomp_living_req req;
	__le64 id[PCOMP_LIVING_MAX];
};

static unsigned int batch_nr(const struct living_batch *b)
{
	return le32_to_cpu(b->req.nr);
}

/* Collect spaces of one client from *@index on. False: none is left. */
static bool batch_fill(struct mcomp *m, struct living_batch *b,
		       unsigned long *index)
{
	struct mcomp_space *s;
	unsigned int n = 0;

	while (n < PCOMP_LIVING_MAX && (s = mcomp_space_next(m, index))) {
		if (n && s->client != b->client) {
			mcomp_space_put(s);
			break;
		}
		b->client = s->client;
		b->id[n] = cpu_to_le64(s->id);
		b->space[n++] = s;
		++*index;
		cond_resched();
	}
	b->req.nr = cpu_to_le32(n);
	return n;
}

static int batch_ask(struct mcomp *m, struct living_batch *b,
		     struct pcomp_living_rsp *rsp)
{
	struct lite_call call = {
		.op = PCOMP_LIVING,
		.class = LITE_CLASS_CONTROL,
		.req = &b->req,
		.req_len = struct_size(&b->req, space, batch_nr(b)),
		.rsp = rsp,
		.rsp_size = sizeof(*rsp),
		.timeout_ms = MCOMP_CALL_MS,
	};
	struct lite_peer *peer;
	int err;

	BUILD_BUG_ON(offsetof(struct living_batch, id) !=
		     offsetof(struct living_batch, req.space));
	b->req.incarnation = cpu_to_le64(b->client->incarnation);
	b->req.reserved = 0;
	peer = lite_member_peer(m->node, b->client->pcomp_id);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	err = lite_call(peer, &call);
	lite_peer_put(peer);
	return !err && call.rsp_len != sizeof(*rsp) ? -EPROTO : err;
}

/* End those that their pComponent has not got, drop all references. */
static unsigned int batch_end(struct living_batch *b,
			      const struct pcomp_living_rsp *rsp)
{
	unsigned int i, ended = 0;

	for (i = 0; i < batch_nr(b); i++) {
		struct mcomp_space *s = b->space[i];

		if (rsp && !(le64_to_cpu(rsp->bits[i / 64]) & BIT_ULL(i % 64))) {
			mcomp_space_kill(s, true);
			ended++;
		}
		mcomp_space_put(s);
		cond_resched();
	}
	return ended;
}

static void living_compare(struct mcomp *m, struct living_batch *b)
{
	struct mcomp_client *away = NULL;
	struct pcomp_living_rsp rsp;
	unsigned int ended = 0;
	unsigned long index = 0;

	while (!READ_ONCE(m->stopping) && batch_fill(m, b, &index)) {
		/* Compared only: it may be no more. */
		if (b->client == away || batch_ask(m, b, &rsp)) {
			away = b->client;
			batch_end(b, NULL);
			continue;
		}
		ended += batch_end(b, &rsp);
	}
	if (ended)
		pr_info("%s: freed %u spaces whose processes ended while we could not be told\n",
			m->name, ended);
}

/**
 * mcomp_living_work() - compare what we hold with what pComponents have
 * @work: mcomp.living_work
 */
void mcomp_living_work(struct work_struct *work)
{
	struct mcomp *m = container_of(work, struct mcomp, living_work.work);
	struct living_batch *b;

	b = kvmalloc(sizeof(*b), GFP_KERNEL);
	if (b)
		living_compare(m, b);
	kvfree(b);
	if (!READ_ONCE(m->stopping))
		queue_delayed_work(m->wq, &m->living_work, LIVING_PERIOD);
}
