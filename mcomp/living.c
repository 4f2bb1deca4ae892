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

#define LIVING_TOGETHER 32 /* questions: those who are away cost one time-out */

/**
 * struct living_batch - spaces of one client, and the question
 * @client: whose they are
 * @space: with a reference each
 * @call: the question's, NULL: it could not be asked
 * @rsp: the answer
 * @req: the question, a struct pcomp_living_req with room for its ids
 */
struct living_batch {
	struct mcomp_client *client;
	struct mcomp_space *space[PCOMP_LIVING_MAX];
	struct lite_call *call;
	struct pcomp_living_rsp rsp;
	__le64 req[sizeof(struct pcomp_living_req) / sizeof(__le64) +
		   PCOMP_LIVING_MAX];
};

/**
 * struct living - what is asked at once
 * @batch: spaces
 * @peer: who is asked
 * @call: questions
 * @nr: how many of these two
 */
struct living {
	struct living_batch batch[LIVING_TOGETHER];
	struct lite_peer *peer[LIVING_TOGETHER];
	struct lite_call call[LIVING_TOGETHER];
	unsigned int nr;
};

static struct pcomp_living_req *batch_req(struct living_batch *b)
{
	BUILD_BUG_ON(sizeof(struct pcomp_living_req) % sizeof(b->req[0]));
	return (void *)b->req;
}

static unsigned int batch_nr(struct living_batch *b)
{
	return le32_to_cpu(batch_req(b)->nr);
}

/*
 * Collect spaces of one client from *@index on, which has not been found away in
 * this round. False: none is left.
 */
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
		++*index;
		cond_resched();
		if (s->client->away_round == m->living_round) {
			mcomp_space_put(s);
			continue;
		}
		b->client = s->client;
		batch_req(b)->space[n] = cpu_to_le64(s->id);
		b->space[n++] = s;
	}
	batch_req(b)->nr = cpu_to_le32(n);
	return n;
}

static void batch_prepare(struct mcomp *m, struct living *l,
			  struct living_batch *b)
{
	struct pcomp_living_req *req = batch_req(b);
	struct lite_peer *peer;

	b->call = NULL;
	peer = lite_member_peer(m->node, b->client->pcomp_id);
	if (IS_ERR(peer))
		return;
	req->incarnation = cpu_to_le64(b->client->incarnation);
	req->reserved = 0;
	l->peer[l->nr] = peer;
	b->call = &l->call[l->nr++];
	*b->call = (struct lite_call){
		.op = PCOMP_LIVING,
		.class = LITE_CLASS_CONTROL,
		.req = req,
		.req_len = struct_size(req, space, batch_nr(b)),
		.rsp = &b->rsp,
		.rsp_size = sizeof(b->rsp),
		.timeout_ms = MCOMP_CALL_MS,
	};
}

static void living_ask(struct mcomp *m, struct living *l, unsigned int nr)
{
	unsigned int i;

	l->nr = 0;
	for (i = 0; i < nr; i++)
		batch_prepare(m, l, &l->batch[i]);
	if (l->nr)
		lite_call_many(l->peer, l->call, l->nr);
	for (i = 0; i < l->nr; i++)
		lite_peer_put(l->peer[i]);
}

/*
 * End those that their pComponent has not got, drop all references. Return: how
 * many were ended.
 */
static unsigned int batch_end(struct mcomp *m, struct living_batch *b)
{
	bool heard = b->call && !b->call->status &&
		     b->call->rsp_len == sizeof(b->rsp);
	unsigned int i, ended = 0;

	if (!heard)
		b->client->away_round = m->living_round;
	for (i = 0; i < batch_nr(b); i++) {
		struct mcomp_space *s = b->space[i];

		if (heard && !(le64_to_cpu(b->rsp.bits[i / 64]) &
			       BIT_ULL(i % 64))) {
			mcomp_space_kill(s, true);
			ended++;
		}
		mcomp_space_put(s);
		cond_resched();
	}
	return ended;
}

static void living_compare(struct mcomp *m, struct living *l)
{
	unsigned int i, nr, ended = 0;
	unsigned long index = 0;

	m->living_round++;
	do {
		nr = 0;
		while (nr < LIVING_TOGETHER &&
		       batch_fill(m, &l->batch[nr], &index))
			nr++;
		living_ask(m, l, nr);
		for (i = 0; i < nr; i++)
			ended += batch_end(m, &l->batch[i]);
	} while (nr == LIVING_TOGETHER && !READ_ONCE(m->stopping));
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
	struct living *l;

	l = kvmalloc(sizeof(*l), GFP_KERNEL);
	if (l)
		living_compare(m, l);
	kvfree(l);
	if (!READ_ONCE(m->stopping))
		queue_delayed_work(m->wq, &m->living_work, LIVING_PERIOD);
}
