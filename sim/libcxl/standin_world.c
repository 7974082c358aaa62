/* SPDX-License-Identifier: Apache-2.0 */
/* Which world is below the library, and the one symbol that it has beyond the original's. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/support/check.h"
#include "sim/libcxl/standin.h"
#include "sim/libcxl/standin_control.h"

const struct cxl_standin *cxl_standin(void);

/* The only thing here that is written to and belongs to nobody. */
static struct standin the_standin = {.binding = PTHREAD_MUTEX_INITIALIZER};

struct standin *standin_self(void) { return &the_standin; }

void standin_lock(struct standin *s)
{
    if (s->world.enter)
        s->world.enter(s->world.model);
    else
        while (__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE))
            exec_yield(s->world.exec);
}

void standin_unlock(struct standin *s)
{
    if (s->world.leave)
        s->world.leave(s->world.model);
    else
        CHECK(__atomic_exchange_n(&s->lock, 0, __ATOMIC_RELEASE));
}

void standin_card_defaults(struct standin *s, struct standin_card *card)
{
    card->probed = true;
    card->offline = card->no_nodes = false;
    card->mode = STANDIN_MODE_DIRECTED;
    card->prefault = CXL_PREFAULT_NONE;
    card->load_image = STANDIN_LOAD_USER;
    card->same_image = false;
    card->irqs_min = s->world.irqs_min;
    card->irqs_limit = card->irqs_max = s->world.irqs_max;
}

static void new_card(struct standin *s, unsigned i)
{
    struct standin_card *card = &s->card[i];

    memset(card, 0, sizeof *card);
    card->number = i;
    card->dev = s->world.device[i];
    card->api_version = 3;
    card->api_compatible = 1;
    card->batch = 1;
    card->uamor = UINT64_MAX; /* nobody restricts them */
    standin_card_defaults(s, card);
    __atomic_store_n(&card->news, 1, __ATOMIC_RELAXED); /* perhaps something is waiting already */
    s->world.watch_platform(card->dev, standin_news, card);
}

/* Under `binding`. */
static int bind_world(struct standin *s, const struct cxl_standin_world *world)
{
    if (world->size != sizeof *world || world->adapters > CXL_STANDIN_ADAPTERS_MAX)
        return -EINVAL;
    s->dead = memfd_create("dead pages of libcxl", MFD_CLOEXEC);
    if (s->dead < 0)
        return -errno;
    s->world = *world;
    s->no_class = false;
    s->double_free = true;
    s->lock = 0;
    for (unsigned i = 0; i < s->world.adapters; i++)
        new_card(s, i);
    __atomic_store_n(&s->bound, true, __ATOMIC_RELEASE);
    return 0;
}

int standin_bind(const struct cxl_standin_world *world)
{
    struct standin *s = &the_standin;
    int rc;

    pthread_mutex_lock(&s->binding);
    rc = s->bound ? -EBUSY : bind_world(s, world);
    pthread_mutex_unlock(&s->binding);
    return rc;
}

static void end_files(struct standin *s)
{
    for (unsigned i = 0; i < STANDIN_FILE_BUCKETS; i++)
        while (s->file[i])
            standin_file_end(s, s->file[i]);
}

static void unbind_world(struct standin *s)
{
    end_files(s);
    for (unsigned i = 0; i < s->world.adapters; i++) {
        s->world.watch_platform(s->card[i].dev, NULL, NULL);
        hal_ctx_release(s->card[i].foreign);
    }
    close(s->dead);
    __atomic_store_n(&s->bound, false, __ATOMIC_RELEASE);
    if (s->alone)
        cxl_standin_alone_destroy(s->alone);
    s->alone = NULL;
}

void standin_unbind(void)
{
    struct standin *s = &the_standin;

    pthread_mutex_lock(&s->binding);
    if (s->bound)
        unbind_world(s);
    pthread_mutex_unlock(&s->binding);
}

/* Nobody has bound a world: here is one. */
static bool bind_own(struct standin *s)
{
    struct cxl_standin_world world;
    bool bound;

    pthread_mutex_lock(&s->binding);
    if (!s->bound && !cxl_standin_alone_create(&s->alone, &world) && bind_world(s, &world)) {
        cxl_standin_alone_destroy(s->alone);
        s->alone = NULL;
    }
    bound = s->bound;
    pthread_mutex_unlock(&s->binding);
    return bound;
}

struct standin *standin_enter(void)
{
    struct standin *s = &the_standin;

    if (!__atomic_load_n(&s->bound, __ATOMIC_ACQUIRE) && !bind_own(s))
        return NULL;
    for (unsigned i = 0; i < s->world.adapters; i++)
        if (__atomic_load_n(&s->card[i].news, __ATOMIC_RELAXED))
            standin_take_up(s, &s->card[i]);
    return s;
}

/* ---- the one symbol ----------------------------------------------------------------------------
 */

static struct hal_dev *device_of(const char *afu)
{
    struct standin *s = standin_enter();
    struct standin_node node;

    return s && standin_node_parse(s, afu, &node) ? node.card->dev : NULL;
}

static struct hal_ctx *context_of(int fd)
{
    struct standin *s = standin_enter();
    struct standin_file *f;
    struct hal_ctx *ctx;

    if (!s)
        return NULL;
    standin_lock(s);
    f = standin_file(s, fd);
    ctx = f ? f->ctx : NULL;
    standin_unlock(s);
    return ctx;
}

int cxl_afu_fd(struct cxl_afu_h *afu); /* of the library proper */

static struct hal_ctx *context(struct cxl_afu_h *afu) { return context_of(cxl_afu_fd(afu)); }

const struct cxl_standin *cxl_standin(void)
{
    static const struct cxl_standin face = {
        .version = CXL_STANDIN_VERSION,
        .bind = standin_bind,
        .unbind = standin_unbind,
        .device = device_of,
        .context = context,
        .kernel = &standin_kernel,
        .context_of = context_of,
        .control = standin_control,
    };

    return &face;
}
