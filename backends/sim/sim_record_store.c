/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/sim/sim_record_store.h"

#include "hal/support/bits.h"
#include "sim/sim_media.h"

static struct sim_media *media(struct hal_record_area *area)
{
    return HAL_CONTAINER_OF(area, struct sim_record_store, area)->media;
}

static int area_read(struct hal_record_area *area, uint64_t offset, void *buf, size_t n)
{
    return sim_media_store_read(media(area), offset, buf, n);
}

static int area_write(struct hal_record_area *area, uint64_t offset, const void *buf, size_t n)
{
    return sim_media_store_write(media(area), offset, buf, n);
}

static int area_sync(struct hal_record_area *area) { return sim_media_store_sync(media(area)); }

static const struct hal_record_area_ops ops = {area_read, area_write, area_sync};

int sim_record_store_init(struct sim_record_store *s, struct sim_media *m)
{
    s->area.ops = &ops;
    s->area.size = sim_media_store_size(m);
    s->media = m;
    return hal_record_log_init(&s->log, &s->area);
}
