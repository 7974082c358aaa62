/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/sim/sim_backend.h"

#include <errno.h>

#include "backends/sim/sim_drive.h"
#include "hal/exec.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/hot.h"
#include "sim/sim_bus.h"

/* Who waits in a system call for news of a context or of the slot. */
struct watcher {
    struct sim_drive_watch base;
    void (*event)(void *arg); /* NULL: nobody */
    void *arg;
};

struct device {
    struct hal_dev hal;
    struct sim_drive *drive;
    struct sim_afu *afu;
    struct watcher watcher;
};

struct context {
    struct hal_ctx hal;
    struct device *dev;
    struct sim_ctx *sim; /* NULL: lost */
    uint64_t key;
    bool started;
    struct watcher watcher;
};

static struct device *device(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct device, hal);
}

static struct context *context(struct hal_ctx *ctx)
{
    return HAL_CONTAINER_OF(ctx, struct context, hal);
}

static void enter(struct device *d) { d->drive->ops->enter(d->drive); }

static void leave(struct device *d) { d->drive->ops->leave(d->drive); }

/* ---- adapter ----------------------------------------------------------------------------------
 */

static void close_device(struct hal_dev *dev)
{
    struct device *d = device(dev);

    exec_free(d->drive->exec, d, sizeof *d);
}

static int afu_reset(struct hal_dev *dev)
{
    struct device *d = device(dev);
    uint64_t done = 0;
    int rc;

    enter(d);
    rc = sim_bus_afu_reset(d->afu, &done);
    leave(d);
    if (rc)
        return rc;
    d->drive->ops->until(d->drive, done);
    enter(d);
    rc = sim_bus_afu_reset_result(d->afu);
    leave(d);
    return rc;
}

static int reload_same_image(struct hal_dev *dev, bool same)
{
    (void)dev;
    (void)same; /* the model has one image */
    return 0;
}

static int vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    struct device *d = device(dev);
    int rc;

    enter(d);
    rc = sim_bus_vpd(d->afu, buf, size);
    leave(d);
    if (rc < 0)
        return rc;
    *length = (size_t)rc;
    return 0;
}

/* ---- the platform -----------------------------------------------------------------------------
 */

static enum hal_platform_event event_of(enum sim_bus_platform_event event)
{
    static const enum hal_platform_event events[] = {
        [SIM_BUS_PLATFORM_NONE] = HAL_PLATFORM_NONE,
        [SIM_BUS_PLATFORM_FROZEN] = HAL_PLATFORM_FROZEN,
        [SIM_BUS_PLATFORM_SLOT_RESET] = HAL_PLATFORM_SLOT_RESET,
        [SIM_BUS_PLATFORM_RESUMED] = HAL_PLATFORM_RESUMED,
        [SIM_BUS_PLATFORM_PERMANENT_FAILURE] = HAL_PLATFORM_PERMANENT_FAILURE,
        [SIM_BUS_PLATFORM_REMOVED] = HAL_PLATFORM_REMOVED,
        [SIM_BUS_PLATFORM_OTHER] = HAL_PLATFORM_OTHER,
    };

    return events[event];
}

/* As in event_wait() below an interrupt ends the wait even if an event has come too. */
static int platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    struct device *d = device(dev);
    const struct sim_drive_ops *ops = d->drive->ops;
    uint64_t key = sim_bus_platform_key(d->afu);
    enum sim_bus_platform_event event;
    int rc = deadline ? 0 : -ETIMEDOUT;

    enter(d);
    while ((event = sim_bus_platform_event(d->afu)) == SIM_BUS_PLATFORM_NONE && !rc)
        rc = (sim_bus_platform_calm(d->afu) ? ops->park : ops->wait)(d->drive, key, deadline);
    leave(d);
    *out = event_of(event);
    return rc == -EINTR && event == SIM_BUS_PLATFORM_NONE ? -EINTR : 0;
}

static void platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    static const enum sim_bus_platform_answer answers[] = {
        [HAL_PLATFORM_NEED_RESET] = SIM_BUS_PLATFORM_NEED_RESET,
        [HAL_PLATFORM_RECOVERED] = SIM_BUS_PLATFORM_RECOVERED,
        [HAL_PLATFORM_DISCONNECT] = SIM_BUS_PLATFORM_DISCONNECT,
    };
    struct device *d = device(dev);

    enter(d);
    sim_bus_platform_answer(d->afu, answers[answer]);
    leave(d);
}

/* ---- contexts ---------------------------------------------------------------------------------
 */

static int ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct device *d = device(dev);
    struct context *c = exec_alloc(d->drive->exec, sizeof *c, 64);
    int rc;

    if (!c)
        return -ENOMEM;
    enter(d);
    rc = sim_bus_ctx_create(d->afu, kind == HAL_CTX_MASTER, &c->sim);
    leave(d);
    if (rc) {
        exec_free(d->drive->exec, c, sizeof *c);
        return rc;
    }
    c->dev = d;
    c->key = sim_bus_ctx_key(c->sim);
    c->hal.handle = sim_bus_ctx_handle(c->sim);
    *out = &c->hal;
    return 0;
}

static int ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    struct context *c = context(ctx);
    int rc;

    enter(c->dev);
    rc = sim_bus_ctx_start(c->sim, interrupts);
    c->started |= rc == 0;
    leave(c->dev);
    return rc;
}

static int ctx_stop(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    enter(c->dev);
    sim_bus_ctx_stop(c->sim);
    leave(c->dev);
    return 0;
}

static void forget(struct context *c)
{
    enter(c->dev);
    if (c->sim)
        sim_bus_ctx_release(c->sim);
    c->sim = NULL;
    leave(c->dev);
}

static void ctx_lose(struct hal_ctx *ctx) { forget(context(ctx)); }

static void ctx_release(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    if (c->watcher.event)
        sim_backend_watch_context(ctx, NULL, NULL);
    forget(c);
    exec_free(c->dev->drive->exec, c, sizeof *c);
}

/* ---- registers and events ---------------------------------------------------------------------
 */

HAL_HOT static uint64_t reg_read64(struct hal_ctx *ctx, uint64_t offset)
{
    struct context *c = context(ctx);
    struct sim_drive *drive = c->dev->drive;
    uint64_t answer = HAL_ALL_ONES, when = 0;
    bool done = false, lost;
    int rc = 0;

    do {
        enter(c->dev);
        lost = !c->sim;
        if (!lost)
            rc = sim_bus_load(c->sim, offset, &answer, &done, &when);
        leave(c->dev);
        drive->ops->until(drive, when);
    } while (rc && !lost);
    CHECK(done || lost);
    return answer;
}

/* The bus has no room before `when`. */
static __attribute__((noinline)) void store_later(struct context *c, uint64_t offset,
                                                  uint64_t value, uint64_t when)
{
    struct sim_drive *drive = c->dev->drive;
    int rc;

    do {
        drive->ops->until(drive, when);
        enter(c->dev);
        rc = c->sim ? sim_bus_store(c->sim, offset, value, &when) : 0;
        leave(c->dev);
    } while (rc);
}

/* Flat: the store of the bus has another caller, for which it would stay a call. */
HAL_HOT __attribute__((flatten)) static void reg_write64(struct hal_ctx *ctx, uint64_t offset,
                                                         uint64_t value)
{
    struct context *c = context(ctx);
    struct sim_drive *drive = c->dev->drive;
    uint64_t when = 0;
    int rc;

    drive->ops->enter_to_store(drive);
    rc = c->sim ? sim_bus_store(c->sim, offset, value, &when) : 0;
    drive->ops->leave(drive);
    if (__builtin_expect(rc != 0, 0))
        store_later(c, offset, value, when);
}

/* The next event; it is the loss once there is nothing that could send another. */
static struct sim_bus_event next_event(const struct context *c)
{
    return c->sim ? sim_bus_event(c->sim) : (struct sim_bus_event){SIM_BUS_EVENT_LOST, 0, 0, 0};
}

static void translate_event(const struct sim_bus_event *from, struct hal_event *to)
{
    static const enum hal_event_kind kind[] = {
        [SIM_BUS_EVENT_NONE] = HAL_EVENT_NONE,
        [SIM_BUS_EVENT_INTERRUPT] = HAL_EVENT_AFU_INTERRUPT,
        [SIM_BUS_EVENT_DATA_STORAGE] = HAL_EVENT_DATA_STORAGE,
        [SIM_BUS_EVENT_LOST] = HAL_EVENT_DEVICE_LOST,
    };

    *to = (struct hal_event){kind[from->kind], from->number, from->address, from->dsisr};
}

/* An interrupt ends the wait even if an event has come too: the event is still there for the next
 * call, the interrupt would be lost. */
static __attribute__((noinline)) int event_take(struct context *c, uint64_t deadline,
                                                struct hal_event *out)
{
    struct sim_drive *drive = c->dev->drive;
    struct sim_bus_event ev;
    int rc = deadline ? 0 : -ETIMEDOUT;

    while ((ev = next_event(c)).kind == SIM_BUS_EVENT_NONE && !rc) {
        rc = drive->ops->wait(drive, c->key, deadline);
        if (rc == -EINTR)
            break;
    }
    translate_event(&ev, out);
    if (ev.kind == SIM_BUS_EVENT_LOST)
        return -EIO;
    return rc == -EINTR ? -EINTR : 0;
}

/* Nearly always nobody wants to wait, and nothing is there: pollers look now and then. */
HAL_HOT static int event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct context *c = context(ctx);
    struct sim_drive *drive = c->dev->drive;
    int rc = 0;

    drive->ops->point(drive);
    drive->ops->enter(drive);
    if (!deadline && c->sim && sim_bus_event_none(c->sim))
        *out = (struct hal_event){HAL_EVENT_NONE, 0, 0, 0};
    else
        rc = event_take(c, deadline, out);
    drive->ops->leave(drive);
    return rc;
}

HAL_HOT static void progress(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    c->dev->drive->ops->poll(c->dev->drive, c->key);
}

/* ---- watchers: nothing of this is done when there are none -------------------------------------
 */

static void set_watcher(struct sim_drive *drive, struct watcher *w, const struct watcher *wanted)
{
    drive->ops->enter(drive);
    if (w->event)
        sim_drive_watch_remove(drive, &w->base);
    *w = *wanted;
    if (w->event)
        sim_drive_watch_add(drive, &w->base);
    drive->ops->leave(drive);
}

static bool event_there(struct sim_drive_watch *base)
{
    struct watcher *w = HAL_CONTAINER_OF(base, struct watcher, base);
    const struct context *c = HAL_CONTAINER_OF(w, struct context, watcher);

    if (!c->sim || !sim_bus_event_pending(c->sim))
        return false;
    w->event(w->arg);
    return true;
}

/* The host learns of a loss when the platform tells it, not before (CX-85); an error that did not
 * stop the slot ends all contexts, too. */
static void tell_losses(const struct device *d, bool all)
{
    for (unsigned i = 0; i < SIM_DRIVE_WATCH_BUCKETS; i++)
        for (struct sim_drive_watch *b = d->drive->watch[i]; b; b = b->next) {
            struct watcher *w = HAL_CONTAINER_OF(b, struct watcher, base);
            const struct context *c = HAL_CONTAINER_OF(w, struct context, watcher);

            if (b->woken == event_there && c->dev == d && c->started && c->sim &&
                (all || sim_bus_ctx_lost(c->sim)))
                w->event(w->arg);
        }
}

static bool platform_event_there(struct sim_drive_watch *base)
{
    struct watcher *w = HAL_CONTAINER_OF(base, struct watcher, base);
    const struct device *d = HAL_CONTAINER_OF(w, struct device, watcher);

    enum sim_bus_platform_event event = sim_bus_platform_next(d->afu);

    if (event == SIM_BUS_PLATFORM_NONE)
        return false;
    w->event(w->arg);
    tell_losses(d, event == SIM_BUS_PLATFORM_OTHER);
    return true;
}

void sim_backend_watch_context(struct hal_ctx *ctx, void (*event)(void *arg), void *arg)
{
    struct context *c = context(ctx);

    set_watcher(c->dev->drive, &c->watcher,
                &(struct watcher){{NULL, c->key, event_there}, event, arg});
}

void sim_backend_watch_platform(struct hal_dev *dev, void (*event)(void *arg), void *arg)
{
    struct device *d = device(dev);

    set_watcher(
        d->drive, &d->watcher,
        &(struct watcher){{NULL, sim_bus_platform_key(d->afu), platform_event_there}, event, arg});
}

bool sim_backend_event_pending(struct hal_ctx *ctx)
{
    const struct context *c = context(ctx);
    bool pending;

    enter(c->dev);
    pending = c->sim && sim_bus_event_pending(c->sim);
    leave(c->dev);
    return pending;
}

/* ---- memory -----------------------------------------------------------------------------------
 */

static int mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    struct device *d = device(dev);
    int rc;

    enter(d);
    rc = sim_bus_mem_add(d->afu, addr, size, name);
    leave(d);
    return rc;
}

static void mem_release(struct hal_dev *dev, void *addr)
{
    struct device *d = device(dev);

    /* It may be freed next: nothing must be stored to it later. */
    d->drive->ops->publish(d->drive);
    enter(d);
    sim_bus_mem_remove(d->afu, addr);
    leave(d);
}

static void table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    struct device *d = device(dev);

    enter(d);
    sim_bus_table_store(d->afu, d->drive->ops->thread(d->drive), addr, value);
    leave(d);
    d->drive->ops->store(d->drive, addr, value);
    enter(d);
    sim_bus_table_stored(d->afu);
    leave(d);
}

static void publish(struct hal_dev *dev)
{
    struct device *d = device(dev);
    uint64_t stores = d->drive->ops->publish(d->drive);

    enter(d);
    sim_bus_publish(d->afu, d->drive->ops->thread(d->drive), stores);
    leave(d);
}

static void note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    struct device *d = device(dev);

    enter(d);
    sim_bus_note(d->afu, d->drive->ops->thread(d->drive), what, a, b);
    leave(d);
}

static const struct hal_ops sim_ops = {
    .name = "sim",
    .close = close_device,
    .afu_reset = afu_reset,
    .reload_same_image = reload_same_image,
    .vpd_read = vpd_read,
    .platform_wait = platform_wait,
    .platform_answer = platform_answer,
    .ctx_create = ctx_create,
    .ctx_start = ctx_start,
    .ctx_stop = ctx_stop,
    .ctx_lose = ctx_lose,
    .ctx_release = ctx_release,
    .reg_read64 = reg_read64,
    .reg_write64 = reg_write64,
    .event_wait = event_wait,
    .progress = progress,
    .mem_register = mem_register,
    .mem_release = mem_release,
    .table_store = table_store,
    .publish = publish,
    .note = note,
};

int sim_backend_open(struct sim_drive *drive, struct sim_afu *afu, struct hal_dev **out)
{
    struct device *d = exec_alloc(drive->exec, sizeof *d, 64);

    if (!d)
        return -ENOMEM;
    hal_dev_init(&d->hal, &sim_ops);
    d->hal.card = sim_bus_card(afu);
    d->drive = drive;
    d->afu = afu;
    *out = &d->hal;
    return 0;
}
