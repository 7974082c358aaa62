/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/world.h"

#define WORLD_BYTES ((size_t)256 << 20)
#define CHUNK 65536

static void ok(int rc) { CHECK(rc == 0); }

struct model *model_create_media(const struct sim_params *params, const struct sim_media_opts *opts)
{
    struct sim_world *world;
    struct model *m;
    char why[256];

    ok(sim_world_create(WORLD_BYTES, &world));
    m = sim_world_alloc(world, sizeof *m, 64);
    m->world = world;
    ok(sim_media_create(opts, &m->media, why, sizeof why));
    ok(sim_machine_create(world, 1, true, &m->machine));
    ok(sim_afu_create(m->machine, params, m->media, &m->afu, why, sizeof why));
    m->buffer = sim_world_alloc(world, MODEL_BUFFER, 4096);
    m->lxt = sim_world_alloc(world, 64 * 8, 128);
    ok(sim_bus_mem_add(m->afu, m->buffer, MODEL_BUFFER, "buffer"));
    ok(sim_bus_mem_add(m->afu, m->lxt, 64 * 8, "lxt"));
    return m;
}

struct model *model_create_bare(const struct sim_params *params)
{
    struct sim_media_lun luns[2] = {
        {.blocks = 4 * CHUNK + 100, .block_size = 4096, .port_mask = 3},
        {.blocks = 4 * CHUNK + 100, .block_size = 512, .port_mask = 3},
    };
    struct sim_media_opts opts = {.luns = luns, .n_luns = 2};

    sim_media_make_wwid(1, 0, luns[0].wwid);
    sim_media_make_wwid(1, 1, luns[1].wwid);
    return model_create_media(params, &opts);
}

void model_bring_up(struct model *m)
{
    const struct sim_params *p = sim_afu_params(m->afu);

    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG,
                AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE);
    for (unsigned port = 0; port < p->ports; port++)
        for (unsigned i = 0; i < sim_media_n_luns(m->media); i++)
            model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(port, i), afu_lun_id(i));
}

struct model *model_create(const char *profile)
{
    struct sim_params params;
    struct model *m;

    ok(sim_params_profile(&params, profile));
    m = model_create_bare(&params);
    model_bring_up(m);
    return m;
}

/* The strict checker has found something else than the test expects. */
static void found(const struct sim_strict *s, enum sim_verdict verdict)
{
    char text[512];

    fprintf(stderr, "strict checker: %s\n", sim_strict_text(s, verdict, text, sizeof text));
    abort();
}

void model_expect_violations(struct model *m, enum sim_rule rule, uint64_t n)
{
    const struct sim_strict *s = sim_afu_strict(m->afu);

    if (s->count[rule] - m->expected[rule] != n)
        found(s, sim_rule_table[rule].verdict);
    m->expected[rule] += n;
}

void model_expect_any_violations(struct model *m)
{
    const struct sim_strict *s = sim_afu_strict(m->afu);

    for (unsigned r = 0; r < SIM_RULE_COUNT; r++)
        if (sim_rule_table[r].verdict == SIM_VERDICT_HOST)
            m->expected[r] = s->count[r];
}

static void check_strict(const struct model *m)
{
    const struct sim_strict *s = sim_afu_strict(m->afu);

    for (unsigned r = 0; r < SIM_RULE_COUNT; r++)
        if (s->count[r] != m->expected[r])
            found(s, sim_rule_table[r].verdict);
}

void model_destroy(struct model *m)
{
    struct sim_media *media = m->media;
    struct sim_world *world = m->world;

    if (m->master.sim)
        model_ctx_end(m, &m->master);
    check_strict(m);
    sim_machine_destroy(m->machine);
    sim_media_close(media);
    sim_world_destroy(world);
}

void model_run(struct model *m, uint64_t cycles)
{
    uint64_t until = m->machine->engine.now + cycles;

    while (sim_engine_run(&m->machine->engine, until))
        ;
}

void model_run_dry(struct model *m)
{
    while (sim_engine_next(&m->machine->engine) != SIM_NEVER)
        sim_engine_run(&m->machine->engine, sim_engine_next(&m->machine->engine));
}

void model_store(struct model *m, struct model_ctx *c, uint64_t offset, uint64_t value)
{
    uint64_t when = 0;

    ok(sim_bus_store(c->sim, offset, value, &when));
    model_run(m, hal_max64(sim_afu_params(m->afu)->mmio_write_latency, 1));
}

uint64_t model_load(struct model *m, struct model_ctx *c, uint64_t offset)
{
    uint64_t answer = 0, when = 0;
    bool done = false;

    ok(sim_bus_load(c->sim, offset, &answer, &done, &when));
    model_run(m, when - m->machine->engine.now);
    CHECK(done);
    return answer;
}

static void program_queue(struct model *m, struct model_ctx *c, uint64_t host)
{
    model_store(m, c, host + AFU_HOST_ENDIAN_CTRL,
                c->order == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE);
    model_store(m, c, host + AFU_HOST_RRQ_START, (uintptr_t)c->rrq);
    model_store(m, c, host + AFU_HOST_RRQ_END, (uintptr_t)(c->rrq + MODEL_RRQ - 1));
    c->rrq_at = 0;
    c->toggle = true;
}

static void *client_memory(struct model *m, size_t size, size_t align, const char *name)
{
    void *p = sim_world_alloc(m->world, size, align);

    ok(sim_bus_mem_add(m->afu, p, size, name));
    return p;
}

static void grant(struct model *m, struct model_ctx *c, bool master)
{
    struct model_ctx *by = &m->master;
    uint64_t ctrl = AFU_CTRL_BASE(c->handle);

    model_load(m, by, ctrl + AFU_CTRL_MBOX_R);
    model_store(m, by, ctrl + AFU_CTRL_CTX_CAP, master ? AFU_CTX_CAP_MASTER : AFU_CTX_CAP_USER);
    model_store(m, by, ctrl + AFU_CTRL_RHT_START, (uintptr_t)c->rht);
    model_store(m, by, ctrl + AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(256, by->handle));
}

void model_ctx_start(struct model *m, struct model_ctx *c, bool master, enum hal_order order)
{
    ok(sim_bus_ctx_create(m->afu, master, &c->sim));
    ok(sim_bus_ctx_start(c->sim, 3));
    c->handle = sim_bus_ctx_handle(c->sim);
    c->order = order;
    c->pair = client_memory(m, MODEL_SLOTS * sizeof *c->pair, 128, "commands");
    c->rrq = client_memory(m, MODEL_RRQ * sizeof *c->rrq, 128, "rrq");
    c->rht = client_memory(m, 256 * sizeof *c->rht, 4096, "rht");
    program_queue(m, c, master ? AFU_HOST_BASE(c->handle) : 0);
    grant(m, c, master);
}

void model_ctx_end(struct model *m, struct model_ctx *c)
{
    sim_bus_ctx_stop(c->sim);
    sim_bus_ctx_release(c->sim);
    c->sim = NULL;
    sim_bus_mem_remove(m->afu, c->pair);
    sim_bus_mem_remove(m->afu, c->rrq);
    sim_bus_mem_remove(m->afu, c->rht);
    sim_world_free(m->world, c->pair, MODEL_SLOTS * sizeof *c->pair);
    sim_world_free(m->world, c->rrq, MODEL_RRQ * sizeof *c->rrq);
    sim_world_free(m->world, c->rht, 256 * sizeof *c->rht);
}

struct afu_ioarcb *model_ioarcb(struct model_ctx *c, unsigned slot)
{
    struct afu_ioarcb *r = &c->pair[slot].ioarcb;

    memset(&c->pair[slot], 0, sizeof c->pair[slot]);
    r->ctx_id = xe16_of(c->order, c->handle);
    return r;
}

void model_rw(struct model *m, struct model_ctx *c, unsigned slot, bool write, uint32_t handle,
              uint64_t lba, uint32_t blocks, void *buffer)
{
    struct afu_ioarcb *r = model_ioarcb(c, slot);

    (void)m;
    r->req_flags =
        xe16_of(c->order, (uint16_t)(AFU_REQ_RES_HNDL | (write ? AFU_REQ_HOST_WRITE : 0)));
    r->res_hndl = xe32_of(c->order, handle);
    r->data_len = xe32_of(c->order, blocks * 4096);
    r->data_ea = xe64_of(c->order, (uintptr_t)buffer);
    r->cdb[0] = write ? 0x8A : 0x88;
    hal_be64_put(r->cdb + 2, lba);
    hal_be32_put(r->cdb + 10, blocks);
}

void model_doorbell(struct model *m, struct model_ctx *c, unsigned slot)
{
    uint64_t when = 0, host = c == &m->master ? AFU_HOST_BASE(c->handle) : 0;

    ok(sim_bus_store(c->sim, host + AFU_HOST_IOARRIN, (uintptr_t)&c->pair[slot], &when));
}

int model_harvest(struct model_ctx *c)
{
    uint64_t element = hal_swap64(c->order, c->rrq[c->rrq_at]), slot;

    if (afu_rrq_toggle(element) != c->toggle)
        return -1;
    if (++c->rrq_at == MODEL_RRQ) {
        c->rrq_at = 0;
        c->toggle = !c->toggle;
    }
    slot = (afu_rrq_ea(element) - (uintptr_t)c->pair) / sizeof *c->pair;
    CHECK(slot < MODEL_SLOTS); /* else the element names no command */
    return (int)slot;
}

bool model_issue(struct model *m, struct model_ctx *c, unsigned slot, uint64_t limit)
{
    struct sim_engine *e = &m->machine->engine;
    uint64_t until = e->now + limit;
    int found;

    model_doorbell(m, c, slot);
    while ((found = model_harvest(c)) < 0 && e->now < until) {
        uint64_t next = sim_engine_next(e);

        if (next > until)
            break;
        sim_engine_run(e, next);
    }
    if (found >= 0 && found != (int)slot)
        fprintf(stderr, "slot %d ended instead of %u\n", found, slot);
    CHECK(found < 0 || found == (int)slot);
    return found >= 0;
}

uint8_t model_sync(struct model *m, uint8_t mode, uint16_t context, uint32_t handle)
{
    const unsigned slot = MODEL_SLOTS - 1;
    struct afu_ioarcb *r = model_ioarcb(&m->master, slot);

    r->req_flags = xe16_of(m->master.order, AFU_REQ_AFU_CMD);
    r->timeout = xe16_of(m->master.order, AFU_CMD_TIMEOUT_S);
    afu_sync_cdb(r->cdb, (enum afu_sync_mode)mode, context, handle);
    CHECK(model_issue(m, &m->master, slot, UINT64_C(3000000000)));
    return m->master.pair[slot].ioasa.rc.afu_rc;
}

void model_virtual(struct model *m, struct model_ctx *c, uint32_t handle, const uint64_t *chunks,
                   unsigned n, uint8_t lun_index, unsigned permissions)
{
    struct afu_rht_virtual v = {.lxt_start = (uintptr_t)m->lxt,
                                .lxt_cnt = n,
                                .permissions = (uint8_t)permissions,
                                .nmask = 16};

    for (unsigned i = 0; i < n; i++)
        m->lxt[i] =
            hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(chunks[i], lun_index, AFU_PERM_RW, 3));
    c->rht[handle] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
}

uint32_t model_ioasc(const struct model_ctx *c, unsigned slot)
{
    return afu_ioasc(&c->pair[slot].ioasa.rc);
}
