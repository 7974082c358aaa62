/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fidelity/load.h"

#include <string.h>

#include "hal/support/check.h"
#include "sim/sim_media.h"
#include "sim/world.h"

#define CHUNK 65536
#define BLOCK 4096
#define RING_SLOTS 32 /* of a submission queue: more than a context ever has in flight */
#define RING_BYTES (RING_SLOTS * sizeof(struct afu_ioarcb))
#define PATIENCE UINT64_C(4000000000)

static void ok(int rc) { CHECK(rc == 0); }

/* ---- adapter ----------------------------------------------------------------------------------
 */

static struct model *adapter(struct sim_params params, const struct load_plan *plan)
{
    unsigned luns = plan->luns;
    struct sim_media_lun lun[SIM_MEDIA_LUNS_MAX];
    struct sim_media_opts opts = {.luns = lun, .n_luns = luns, .kind = SIM_MEDIA_TAG};
    struct model *m;

    for (unsigned i = 0; i < luns; i++) {
        lun[i] = (struct sim_media_lun){.blocks = 4 * CHUNK, .block_size = BLOCK, .port_mask = 3};
        sim_media_make_wwid(1, i, lun[i].wwid);
    }
    if (plan->sq)
        params.interface_version |= AFU_IFV_SQ;
    m = model_create_media(&params, &opts);
    model_bring_up(m);
    return m;
}

/* Handle i is LUN i, whole or its second chunk. */
static void open_handles(struct load *l, struct model_ctx *c)
{
    for (unsigned i = 0; i < l->plan.luns; i++) {
        struct afu_rht_direct whole = {
            .lun_id = afu_lun_id(i), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 3};
        struct afu_rht_virtual part = {.lxt_start = (uintptr_t)(l->m->lxt + i % LOAD_VIRTUAL_LUNS),
                                       .lxt_cnt = 1,
                                       .permissions = AFU_PERM_RW,
                                       .nmask = 16};

        c->rht[i] = l->plan.way == LOAD_VIRTUAL ? afu_rht_pack_virtual(c->order, &part)
                                                : afu_rht_pack_direct(c->order, &whole);
    }
}

static void open_ring(struct load *l, unsigned context)
{
    struct model_ctx *c = &l->ctx[context];
    uint64_t host = l->plan.way == LOAD_PORT ? AFU_HOST_BASE(c->handle) : 0;
    uint64_t start = (uintptr_t)l->ring + context * RING_BYTES;

    model_store(l->m, c, host + AFU_HOST_SQ_START, start);
    model_store(l->m, c, host + AFU_HOST_SQ_END, start + RING_BYTES - sizeof(struct afu_ioarcb));
}

static void *client_memory(struct load *l, size_t size, const char *name)
{
    void *p = sim_world_alloc(l->m->world, size, BLOCK);

    ok(sim_bus_mem_add(l->m->afu, p, size, name));
    return p;
}

static void write_first_blocks(struct load *l)
{
    bool write = l->plan.write;

    l->plan.write = true;
    for (unsigned i = 0; i < l->plan.luns; i++)
        load_one(l, 0);
    l->plan.write = write;
}

void load_begin(struct load *l, const struct sim_params *params, const struct load_plan *plan)
{
    *l = (struct load){.plan = *plan};
    l->plan.contexts += !plan->contexts;
    l->plan.luns += !plan->luns;
    l->plan.blocks += !plan->blocks;
    CHECK(l->plan.contexts <= LOAD_CONTEXTS_MAX && l->plan.luns <= SIM_MEDIA_LUNS_MAX);
    CHECK(l->plan.way != LOAD_VIRTUAL || l->plan.luns <= LOAD_VIRTUAL_LUNS);
    l->m = adapter(*params, &l->plan);
    for (unsigned i = 0; i < LOAD_VIRTUAL_LUNS; i++)
        l->m->lxt[i] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(1, (uint8_t)i, AFU_PERM_RW, 3));
    l->ctx = sim_world_alloc(l->m->world, l->plan.contexts * sizeof *l->ctx, 64);
    l->tail = sim_world_alloc(l->m->world, l->plan.contexts * sizeof *l->tail, 64);
    l->data = client_memory(l, l->plan.blocks * BLOCK, "data");
    if (l->plan.sq)
        l->ring = client_memory(l, l->plan.contexts * RING_BYTES, "sq");
    for (unsigned i = 0; i < l->plan.contexts; i++) {
        model_ctx_start(l->m, &l->ctx[i], l->plan.way == LOAD_PORT, HAL_ORDER_LITTLE);
        open_handles(l, &l->ctx[i]);
        if (l->plan.sq)
            open_ring(l, i);
    }
    model_run_dry(l->m); /* stores that queue up behind each other */
    model_run(l->m, params->mmio_ack);
    if (l->plan.written)
        write_first_blocks(l);
}

void load_end(struct load *l)
{
    for (unsigned i = 0; i < l->plan.contexts; i++)
        model_ctx_end(l->m, &l->ctx[i]);
    model_destroy(l->m);
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static void prepare(struct load *l, struct model_ctx *c, unsigned slot)
{
    unsigned lun = (unsigned)(l->turn++ % l->plan.luns);
    struct afu_ioarcb *r = &c->pair[slot].ioarcb;

    model_rw(l->m, c, slot, l->plan.write, lun, 0, l->plan.blocks, l->data);
    r->ioasa = xe64_of(c->order, l->plan.sq ? (uintptr_t)&c->pair[slot].ioasa : 0);
    if (l->plan.way != LOAD_PORT)
        return;
    r->req_flags = xe16_of(c->order, l->plan.write ? AFU_REQ_HOST_WRITE : 0);
    r->port_sel = xe32_of(c->order, 3);
    r->lun_id = xe64_of(c->order, afu_lun_id(lun));
}

/* Rings a doorbell, or moves the tail of the queue. */
static void submit(struct load *l, unsigned context, unsigned slot)
{
    struct model_ctx *c = &l->ctx[context];
    uint64_t offset = AFU_HOST_IOARRIN, value = (uintptr_t)&c->pair[slot], when = 0;

    if (l->plan.sq) {
        uint8_t *ring = l->ring + context * RING_BYTES;

        memcpy(ring + l->tail[context] * sizeof(struct afu_ioarcb), &c->pair[slot].ioarcb,
               sizeof(struct afu_ioarcb));
        l->tail[context] = (l->tail[context] + 1) % RING_SLOTS;
        value = (uintptr_t)ring + l->tail[context] * sizeof(struct afu_ioarcb);
        offset = AFU_HOST_SQ_TAIL;
    }
    if (l->plan.way == LOAD_PORT)
        offset += AFU_HOST_BASE(c->handle);
    ok(sim_bus_store(c->sim, offset, value, &when));
}

/* Lets the next cycle happen in which something does. */
static void next_cycle(struct load *l)
{
    struct sim_engine *e = &l->m->machine->engine;

    CHECK(sim_engine_next(e) != SIM_NEVER);
    sim_engine_run(e, sim_engine_next(e));
}

uint64_t load_one(struct load *l, unsigned context)
{
    struct sim_engine *e = &l->m->machine->engine;
    struct model_ctx *c = &l->ctx[context];
    uint64_t begin = e->now;
    int slot;

    prepare(l, c, 0);
    submit(l, context, 0);
    while ((slot = model_harvest(c)) < 0) {
        CHECK(e->now - begin < PATIENCE);
        next_cycle(l);
    }
    CHECK(slot == 0 && model_ioasc(c, 0) == 0);
    return e->now - begin;
}

/* ---- closed loops -----------------------------------------------------------------------------
 */

static void woken(void *arg, uint64_t key)
{
    (void)key;
    *(bool *)arg = true;
}

/* One command after the other, a cycle apart: the register interface takes no more. */
static void fill(struct load *l, unsigned depth)
{
    CHECK(depth <= l->plan.contexts * LOAD_PER_CONTEXT);
    for (unsigned i = 0; i < depth; i++) {
        unsigned context = i % l->plan.contexts;

        prepare(l, &l->ctx[context], i / l->plan.contexts);
        submit(l, context, i / l->plan.contexts);
        model_run(l->m, 1);
    }
}

/* Returns how many have completed by now. */
static unsigned replace_finished(struct load *l, unsigned done, unsigned n, uint64_t *at)
{
    int slot;

    for (unsigned i = 0; i < l->plan.contexts; i++)
        while ((slot = model_harvest(&l->ctx[i])) >= 0) {
            CHECK(model_ioasc(&l->ctx[i], (unsigned)slot) == 0);
            if (done < n)
                at[done++] = l->m->machine->engine.now;
            prepare(l, &l->ctx[i], (unsigned)slot);
            submit(l, i, (unsigned)slot);
        }
    return done;
}

void load_closed(struct load *l, unsigned depth, unsigned n, uint64_t *at)
{
    struct sim_machine *machine = l->m->machine;
    void (*wake)(void *arg, uint64_t key) = machine->wake;
    void *wake_arg = machine->wake_arg;
    unsigned done = 0;
    bool look = true;

    machine->wake = woken;
    machine->wake_arg = &look;
    fill(l, depth);
    while (done < n) {
        next_cycle(l);
        if (look)
            done = replace_finished(l, done, n, at);
        look = false;
    }
    machine->wake = wake;
    machine->wake_arg = wake_arg;
}
