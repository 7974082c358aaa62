/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/mortal_hal.h"

#include <errno.h>

#include "hal/hal_nosys.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

static struct mortal_hal *mortal_of(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct mortal_hal, hal);
}

static struct mortal_ctx *ctx_of(struct hal_ctx *ctx)
{
    return HAL_CONTAINER_OF(ctx, struct mortal_ctx, hal);
}

static bool is_dead(const struct hal_ctx *ctx) { return mortal_of(ctx->dev)->dead; }

static void die(struct mortal_hal *m)
{
    m->dead = true;
    for (unsigned i = 0; i < MORTAL_CONTEXTS; i++) {
        struct hal_ctx *below = m->ctx[i].below;

        if (below && below->started && !below->lost)
            hal_ctx_lose(below);
    }
    for (unsigned i = 0; i < MORTAL_REGIONS; i++)
        if (m->region[i])
            hal_mem_release(m->below, m->region[i]);
}

/* Before a store: whether it happens. */
static bool lives(struct mortal_hal *m)
{
    if (m->armed && !m->dead && m->remaining-- == 0)
        die(m);
    return !m->dead;
}

/* ---- contexts ---- */

static int create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct mortal_hal *m = mortal_of(dev);
    struct mortal_ctx *c = m->ctx;
    int rc;

    if (m->dead)
        return -ENODEV;
    while (c < m->ctx + MORTAL_CONTEXTS && c->below)
        c++;
    CHECK(c < m->ctx + MORTAL_CONTEXTS);
    rc = hal_ctx_create(m->below, kind, &c->below);
    if (rc)
        return rc;
    c->hal.handle = c->below->handle;
    *out = &c->hal;
    return 0;
}

static int start(struct hal_ctx *ctx, unsigned interrupts)
{
    return is_dead(ctx) ? -EIO : hal_ctx_start(ctx_of(ctx)->below, interrupts);
}

static int stop(struct hal_ctx *ctx)
{
    return is_dead(ctx) ? -EIO : hal_ctx_stop(ctx_of(ctx)->below);
}

static void lose(struct hal_ctx *ctx)
{
    if (!is_dead(ctx))
        hal_ctx_lose(ctx_of(ctx)->below);
}

static void release(struct hal_ctx *ctx)
{
    hal_ctx_release(ctx_of(ctx)->below);
    ctx_of(ctx)->below = NULL;
}

/* ---- registers and events ---- */

static uint64_t load(struct hal_ctx *ctx, uint64_t offset)
{
    return is_dead(ctx) ? HAL_ALL_ONES : hal_reg_read64(ctx_of(ctx)->below, offset);
}

static void store(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    if (lives(mortal_of(ctx->dev)))
        hal_reg_write64(ctx_of(ctx)->below, offset, value);
}

static int event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    return hal_event_wait(ctx_of(ctx)->below, deadline, out); /* a lost context's wait ends */
}

static void progress(struct hal_ctx *ctx) { hal_progress(ctx_of(ctx)->below); }

/* ---- memory ---- */

static void **region_at(struct mortal_hal *m, const void *addr)
{
    for (unsigned i = 0; i < MORTAL_REGIONS; i++)
        if (m->region[i] == addr)
            return &m->region[i];
    CHECK_UNREACHABLE();
}

static int mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    struct mortal_hal *m = mortal_of(dev);
    int rc = m->dead ? 0 : hal_mem_register(m->below, addr, size, name);

    if (!rc)
        *region_at(m, NULL) = addr;
    return rc;
}

static void mem_release(struct hal_dev *dev, void *addr)
{
    struct mortal_hal *m = mortal_of(dev);

    *region_at(m, addr) = NULL;
    if (!m->dead)
        hal_mem_release(m->below, addr);
}

static void table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    struct mortal_hal *m = mortal_of(dev);

    if (lives(m))
        hal_table_store(m->below, addr, value);
    else
        hal_nosys_table_store(dev, addr, value);
}

static void publish(struct hal_dev *dev)
{
    if (lives(mortal_of(dev)))
        hal_publish(mortal_of(dev)->below);
}

/* ---- the rest ---- */

static void close_device(struct hal_dev *dev) { (void)dev; }

static int afu_reset(struct hal_dev *dev)
{
    return mortal_of(dev)->dead ? -EIO : hal_afu_reset(mortal_of(dev)->below);
}

static int reload(struct hal_dev *dev, bool same)
{
    return mortal_of(dev)->dead ? -EIO : hal_reload_same_image(mortal_of(dev)->below, same);
}

static int vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    struct mortal_hal *m = mortal_of(dev);

    return m->dead ? -EIO : hal_vpd_read(m->below, buf, size, length);
}

static void note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    if (!mortal_of(dev)->dead)
        hal_note(mortal_of(dev)->below, what, a, b);
}

/* Without events of the platform: those are for the next process. */
static const struct hal_ops mortal_ops = {
    .name = "mortal",
    .close = close_device,
    .afu_reset = afu_reset,
    .reload_same_image = reload,
    .vpd_read = vpd_read,
    .platform_wait = hal_nosys_platform_wait,
    .platform_answer = hal_nosys_platform_answer,
    .ctx_create = create,
    .ctx_start = start,
    .ctx_stop = stop,
    .ctx_lose = lose,
    .ctx_release = release,
    .reg_read64 = load,
    .reg_write64 = store,
    .event_wait = event_wait,
    .progress = progress,
    .mem_register = mem_register,
    .mem_release = mem_release,
    .table_store = table_store,
    .publish = publish,
    .note = note,
};

/* ---- records ---- */

static struct mortal_hal *owner_of(struct hal_record_store *store)
{
    return HAL_CONTAINER_OF(store, struct mortal_hal, records);
}

static int load_records(struct hal_record_store *store, hal_record_fn each, void *arg)
{
    return hal_record_load(owner_of(store)->records_below, each, arg);
}

static int append(struct hal_record_store *store, const void *record, size_t length)
{
    struct mortal_hal *m = owner_of(store);

    return lives(m) ? hal_record_append(m->records_below, record, length) : -EIO;
}

static int compact(struct hal_record_store *store, hal_record_list_fn list, void *arg)
{
    struct mortal_hal *m = owner_of(store);

    return lives(m) ? hal_record_compact(m->records_below, list, arg) : -EIO;
}

static const struct hal_record_store_ops record_ops = {
    .load = load_records, .append = append, .compact = compact};

void mortal_hal_init(struct mortal_hal *m, struct hal_dev *below, struct hal_record_store *records)
{
    *m = (struct mortal_hal){
        .records = {.ops = &record_ops}, .below = below, .records_below = records};
    hal_dev_init(&m->hal, &mortal_ops);
    m->hal.card = below->card;
}

void mortal_hal_arm(struct mortal_hal *m, uint64_t n)
{
    m->remaining = n;
    m->armed = true;
}
