/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/sim/sim_record_store.h"

#include "backends/sim/sim_drive.h"
#include "hal/support/bits.h"
#include "sim/sim_media.h"

static struct sim_record_store *store(struct hal_record_area *area)
{
    return HAL_CONTAINER_OF(area, struct sim_record_store, area);
}

/* The model, which moves data of commands to the same media, stands still meanwhile. */
static void enter(struct sim_record_store *s)
{
    if (s->drive)
        s->drive->ops->enter(s->drive);
}

static void leave(struct sim_record_store *s)
{
    if (s->drive)
        s->drive->ops->leave(s->drive);
}

static int area_read(struct hal_record_area *area, uint64_t offset, void *buf, size_t n)
{
    struct sim_record_store *s = store(area);
    int rc;

    enter(s);
    rc = sim_media_store_read(s->media, offset, buf, n);
    leave(s);
    return rc;
}

static int area_write(struct hal_record_area *area, uint64_t offset, const void *buf, size_t n)
{
    struct sim_record_store *s = store(area);
    int rc;

    enter(s);
    rc = sim_media_store_write(s->media, offset, buf, n);
    leave(s);
    return rc;
}

static int area_sync(struct hal_record_area *area)
{
    struct sim_record_store *s = store(area);
    int rc;

    enter(s);
    rc = sim_media_store_sync(s->media);
    leave(s);
    return rc;
}

static const struct hal_record_area_ops ops = {area_read, area_write, area_sync};

int sim_record_store_init(struct sim_record_store *s, struct sim_media *m, struct sim_drive *drive)
{
    s->area.ops = &ops;
    s->area.size = sim_media_store_size(m);
    s->media = m;
    s->drive = drive;
    return hal_record_log_init(&s->log, &s->area);
}
