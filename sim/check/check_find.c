/* SPDX-License-Identifier: Apache-2.0 */
/* What checkers share: words for a broken invariant, and finding parts of the picture. */
#include <stdarg.h>
#include <stdio.h>

#include "hal/support/bits.h"
#include "sim/check/check.h"

bool check_broken(struct check_verdict *v, unsigned invariant, const char *format, ...)
{
    va_list args;

    v->invariant = invariant;
    va_start(args, format);
    vsnprintf(v->text, sizeof v->text, format, args);
    va_end(args);
    return false;
}

static bool has(const struct hal_picture *p, uint32_t run, uint64_t chunk)
{
    return chunk - hal_picture_run(p, run)->first < hal_picture_run(p, run)->count;
}

const struct hal_picture_run *check_run_near(const struct hal_picture *p, uint32_t lun,
                                             uint64_t chunk, uint32_t *near)
{
    struct hal_picture_span runs = hal_picture_lun(p, lun)->runs;
    uint32_t low = runs.first, high = runs.first + runs.count;

    if (*near - low < runs.count && has(p, *near, chunk))
        return hal_picture_run(p, *near);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct hal_picture_run *r = hal_picture_run(p, middle);

        if (chunk < r->first) {
            high = middle;
        } else if (chunk >= r->first + r->count) {
            low = middle + 1;
        } else {
            *near = middle;
            return r;
        }
    }
    return NULL;
}

const struct hal_picture_run *check_run(const struct hal_picture *p, uint32_t lun, uint64_t chunk)
{
    uint32_t near = HAL_PICTURE_NONE;

    return check_run_near(p, lun, chunk, &near);
}

/* The first context whose slot is not below `number`: contexts are in order of slots. */
static uint32_t first_from(const struct hal_picture *p, uint16_t number)
{
    uint32_t low = 0, high = p->n.contexts;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (hal_picture_context(p, middle)->slot < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_healthy(const struct hal_picture *p, uint32_t i, uint16_t number)
{
    const struct hal_picture_context *c = hal_picture_context(p, i);

    return c->number == number && !c->errored;
}

const struct hal_picture_context *check_context(const struct hal_picture *p, uint16_t number)
{
    uint32_t likely = first_from(p, number);

    if (likely < p->n.contexts && is_healthy(p, likely, number))
        return hal_picture_context(p, likely);
    for (uint32_t i = 0; i < p->n.contexts; i++) /* in a wrong slot, or there is none (INV-20) */
        if (is_healthy(p, i, number))
            return hal_picture_context(p, i);
    return NULL;
}

const struct hal_picture_handle *check_handle(const struct hal_picture *p, uint16_t context,
                                              uint32_t handle)
{
    const struct hal_picture_context *c = check_context(p, context);
    uint32_t low = 0, high = c ? c->handles.count : 0;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct hal_picture_handle *h = hal_picture_handle(p, c->handles.first + middle);

        if (h->number == handle)
            return h;
        if (h->number < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct hal_picture_held *check_held(const struct hal_picture *p, uint16_t context,
                                          uint32_t handle, uint32_t from)
{
    for (uint32_t i = from; i < p->n.held; i++) {
        const struct hal_picture_held *h = hal_picture_held(p, i);

        if (h->context == context && h->handle == handle)
            return h;
    }
    return NULL;
}

static uint32_t lun_of(const struct hal_picture *p, const struct hal_picture_handle *h,
                       uint16_t context, uint32_t handle)
{
    const struct hal_picture_held *held = h ? NULL : check_held(p, context, handle, 0);

    return h ? h->lun : held ? held->lun : HAL_PICTURE_NONE;
}

uint32_t check_lun_of(const struct hal_picture *p, uint16_t context, uint32_t handle)
{
    return lun_of(p, check_handle(p, context, handle), context, handle);
}

void check_handle_lun_find(const struct hal_picture *p, const struct check_word *w,
                           struct check_handle_lun *last)
{
    const struct hal_picture_handle *h = check_handle(p, w->context, w->handle);

    *last = (struct check_handle_lun){h, lun_of(p, h, w->context, w->handle), w->context, w->handle,
                                      true};
}

bool check_is_lun(const struct hal_picture *p, uint32_t lun, const struct sim_watched *w)
{
    const struct hal_picture_lun *l = hal_picture_lun(p, lun);

    return w->port < HAL_PICTURE_PORTS && l->ports & 1u << w->port &&
           l->lun_id[w->port] == w->lun_id;
}

uint32_t check_lun_in_slot(const struct hal_picture *p, uint64_t word)
{
    for (uint32_t i = 0; i < p->n.luns; i++) {
        const struct hal_picture_lun *l = hal_picture_lun(p, i);

        if (l->in_table && l->slot == afu_lxt_lun_index(word) && (l->ports & afu_lxt_ports(word)))
            return i;
    }
    return HAL_PICTURE_NONE;
}
