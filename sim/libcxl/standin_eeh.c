/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver does when the platform tells of a slot (CX section 8, AD section 13). There is no
 * thread for it: whoever calls next takes it up, and descriptors become readable so that somebody
 * does. */
#include "hal/support/check.h"
#include "sim/libcxl/standin.h"

void standin_news(void *card)
{
    struct standin_card *c = card;

    __atomic_store_n(&c->news, 1, __ATOMIC_RELEASE);
}

static void close_file(struct standin *s, struct standin_file *f)
{
    __atomic_store_n(&f->closed, true, __ATOMIC_RELEASE);
    standin_refresh(s, f);
}

static void detach(struct standin *s, struct standin_file *f)
{
    if (f->closed)
        return;
    if (f->attached)
        (void)standin_pull(s, f); /* what was pending can still be read (CX-85) */
    if (f->attached && hal_ctx_stop(f->ctx))
        CHECK(!"a context could not be stopped");
    close_file(s, f);
}

void standin_detach_all(struct standin *s, struct standin_card *card)
{
    for (unsigned i = 0; i < STANDIN_FILE_BUCKETS; i++)
        for (struct standin_file *f = s->file[i]; f; f = f->next)
            if (f->card == card)
                detach(s, f);
}

/* A thread may be using it: then the object stays. */
static void forget(struct standin *s, struct standin_file *f)
{
    if (f->attached && !f->closed) {
        (void)standin_pull(s, f);
        hal_ctx_lose(f->ctx);
    } else if (f->ctx) {
        s->world.watch_context(f->ctx, NULL, NULL);
        hal_ctx_release(f->ctx);
        f->ctx = NULL;
    }
    f->card->files -= f->holds_element;
    f->holds_element = false;
    close_file(s, f);
}

void standin_forget_all(struct standin *s, struct standin_card *card)
{
    for (unsigned i = 0; i < STANDIN_FILE_BUCKETS; i++)
        for (struct standin_file *f = s->file[i]; f; f = f->next)
            if (f->card == card && f->holds_element)
                forget(s, f);
}

/* CX-100: only who promises that the same image comes back keeps the card through a reset. Else
 * the driver is unbound and bound again: nothing of the card is there meanwhile. */
static bool in_place(const struct standin_card *card)
{
    return card->same_image || card->load_image == STANDIN_LOAD_NONE;
}

static void stopped(struct standin *s, struct standin_card *card)
{
    card->offline = true;
    standin_detach_all(s, card);
    card->no_nodes = true;
    if (!in_place(card))
        card->probed = false;
}

static void lost(struct standin *s, struct standin_card *card)
{
    stopped(s, card);
    card->probed = false;
    card->gone = true;
}

static void back(struct standin *s, struct standin_card *card)
{
    if (!card->probed)
        standin_card_defaults(s, card);
    card->offline = card->no_nodes = false;
}

static void handle(struct standin *s, struct standin_card *card, enum hal_platform_event event)
{
    switch (event) {
    case HAL_PLATFORM_FROZEN:
    case HAL_PLATFORM_OTHER:
        stopped(s, card);
        hal_platform_answer(card->dev, HAL_PLATFORM_NEED_RESET);
        break;
    case HAL_PLATFORM_SLOT_RESET:
        back(s, card);
        hal_platform_answer(card->dev, HAL_PLATFORM_RECOVERED);
        break;
    case HAL_PLATFORM_PERMANENT_FAILURE:
        lost(s, card);
        hal_platform_answer(card->dev, HAL_PLATFORM_DISCONNECT);
        break;
    case HAL_PLATFORM_REMOVED:
        lost(s, card);
        break;
    case HAL_PLATFORM_RESUMED:
    case HAL_PLATFORM_NONE:
        break;
    }
}

void standin_take_up(struct standin *s, struct standin_card *card)
{
    enum hal_platform_event event = HAL_PLATFORM_NONE;

    standin_lock(s);
    while (__atomic_exchange_n(&card->news, 0, __ATOMIC_ACQUIRE)) {
        do {
            if (hal_platform_wait(card->dev, 0, &event))
                break; /* a world without a platform */
            handle(s, card, event);
        } while (event != HAL_PLATFORM_NONE);
    }
    standin_unlock(s);
}
