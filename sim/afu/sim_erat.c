/* SPDX-License-Identifier: Apache-2.0 */
/* The PSL's own translation of effective addresses (timing.md 4): it remembers pages of 64 KiB, one
 * place for each number of pages apart. A page that it does not know costs a walk of the page
 * table. Nothing public says how far it reaches, so it is off by default (xlate.entries = 0: every
 * page is known); faults are another matter (sim_psl.c). */
#include "sim/afu/sim_wait.h"

#define PAGE_BITS 16

/* The page in canonical form, so that hits do not depend on where memory lies; 0: nobody named it,
 * and it is looked up each time. */
static uint64_t page_tag(const struct sim_ctx *ctx, uint64_t ea)
{
    uint64_t canonical;

    if (!sim_memory_known(&ctx->afu->memory, ea, &canonical))
        return 0;
    return ((canonical >> PAGE_BITS) << 10 | ctx->handle) + 1;
}

/* Pages of a region lie side by side, regions and contexts somewhere else. */
static uint64_t place_of(uint64_t tag, uint64_t entries)
{
    uint64_t page = (tag - 1) >> 10, region = page >> (SIM_EA_OFFSET_BITS - PAGE_BITS);

    return (page + region * 37 + (tag & 1023) * 5) % entries;
}

static bool known(struct sim_afu *a, uint64_t tag)
{
    uint64_t *place = &a->erat[place_of(tag, a->params.xlate_entries)];

    if (tag && *place == tag)
        return true;
    if (tag)
        *place = tag;
    return false;
}

uint64_t sim_erat_cycles(struct sim_ctx *ctx, uint64_t ea, uint64_t bytes)
{
    struct sim_afu *a = ctx->afu;
    uint64_t cycles = 0, last = (ea + bytes - 1) >> PAGE_BITS;

    for (uint64_t page = ea >> PAGE_BITS; page <= last; page++) {
        uint64_t at = hal_max64(page << PAGE_BITS, ea);

        cycles += known(a, page_tag(ctx, at)) ? a->params.xlate_hit_time : a->params.xlate_miss;
    }
    return cycles;
}

void sim_erat_forget(const struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;

    for (uint64_t i = 0; i < a->params.xlate_entries; i++)
        if (a->erat[i] && ((a->erat[i] - 1) & 1023) == ctx->handle)
            a->erat[i] = 0;
}
