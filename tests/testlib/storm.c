/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/storm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/hash.h"
#include "hal/support/prng.h"
#include "sim/world.h"

#define USERS 5
#define RING 16 /* slots of a submission queue */
#define HANDLES 6
#define ANSWERS 64
#define GAP 700       /* cycles between two actions, at most */
#define SETTLE 120000 /* cycles behind the last action */
#define FAULTS 6      /* of a workload, at most */
#define LUNS 2

struct client {
    struct model_ctx ctx;
    struct afu_ioarcb *ring; /* of the submission queue; NULL: doorbells */
    unsigned ring_at;
};

struct storm {
    struct model *m;
    struct client user[USERS];
    uint64_t answer[ANSWERS]; /* of loads that nobody looks at */
    bool done[ANSWERS];
    struct hal_prng prng;
    unsigned actions;
    bool keeps_latencies;
    struct sim_snapshot *begin; /* the one pointer out of the world: never followed from inside */
};

static void ok(int rc) { cr_assert_eq(rc, 0, "unexpected result %d", rc); }

static uint64_t below(struct storm *s, uint64_t n) { return hal_prng_below(&s->prng, n); }

static bool one_in(struct storm *s, uint64_t n) { return below(s, n) == 0; }

/* ---- building ----------------------------------------------------------------------------------
 */

/* Handles: two virtual LUNs, one of one chunk, a direct one, a read-only one, an empty one. */
static void fill_tables(struct storm *s, struct model_ctx *c)
{
    static const uint64_t chunks[] = {2, 0, 3, 1};
    struct afu_rht_direct direct = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 3};

    model_virtual(s->m, c, 0, chunks, 4, 0, AFU_PERM_RW);
    c->rht[1] = c->rht[0];
    model_virtual(s->m, c, 2, chunks, 1, 1, AFU_PERM_RW);
    c->rht[3] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &direct);
    model_virtual(s->m, c, 4, chunks, 4, 0, AFU_PERM_READ);
}

static void add_ring(struct storm *s, struct client *u)
{
    size_t size = RING * sizeof *u->ring;

    u->ring = sim_world_alloc(s->m->world, size, 128);
    ok(sim_bus_mem_add(s->m->afu, u->ring, size, "ring"));
}

static void attach_media(struct storm *s)
{
    void *arena;
    size_t used;

    sim_media_arena(s->m->media, &arena, &used);
    ok(sim_world_attach_region(s->m->world, arena, used));
}

/* What takes longer than a storm does, otherwise. */
static void shorten(struct sim_params *p)
{
    uint64_t *const slow[] = {&p->login,     &p->login_timeout, &p->link_loss,
                              &p->shutdown,  &p->afu_reset,     &p->platform_detect,
                              &p->provision, &p->xlate_major,   &p->platform_slot_reset};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(slow); i++)
        *slow[i] /= 1000;
}

struct storm *storm_create(const struct storm_shape *shape)
{
    struct sim_params params;
    struct storm *s;
    struct model *m;

    ok(sim_params_profile(&params, shape->profile ? shape->profile : "flashsystem"));
    if (shape->profile)
        shorten(&params);
    params.interface_version = 0xC000000000010002 | AFU_IFV_LUN_PROVISION | AFU_IFV_AFU_DEBUG;
    params.cmd_slots = shape->cmd_slots;
    params.xlt_entries = shape->xlt_entries;
    params.ports = shape->ports;
    params.xlate_entries = shape->xlate_entries;
    m = model_create_bare(&params);
    model_bring_up(m);
    s = sim_world_alloc(m->world, sizeof *s, 64);
    s->m = m;
    s->actions = shape->actions;
    s->keeps_latencies = shape->profile != NULL;
    for (unsigned i = 0; i < USERS; i++) {
        model_ctx_start(m, &s->user[i].ctx, false, i % 2 ? HAL_ORDER_BIG : HAL_ORDER_LITTLE);
        fill_tables(s, &s->user[i].ctx);
        if (i >= USERS / 2)
            add_ring(s, &s->user[i]);
    }
    for (unsigned i = 0; i < 4; i++) /* chunks of both LUNs */
        m->lxt[i] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(3 - i, i % 2, AFU_PERM_RW, 3));
    model_run_dry(m);
    model_run(m, 1000); /* bus and stages are free again */
    attach_media(s);
    ok(sim_world_snapshot(m->world, &s->begin));
    return s;
}

/* The world ends with everything in it; nothing is worth an orderly retreat. */
void storm_destroy(struct storm *s)
{
    struct sim_media *media = s->m->media;
    struct sim_snapshot *begin = s->begin;
    struct sim_world *world = s->m->world;

    sim_trace_set_sink(&s->m->machine->trace, NULL, NULL);
    sim_world_destroy(world);
    sim_media_close(media);
    sim_snapshot_destroy(begin);
}

void storm_rewind(struct storm *s, bool reference)
{
    struct sim_snapshot *begin = s->begin;

    sim_world_restore(s->m->world, begin);
    s->begin = begin;
    if (reference)
        ok(sim_reference_start(s->m->machine));
}

struct model *storm_model(struct storm *s) { return s->m; }

/* ---- drawing -----------------------------------------------------------------------------------
 */

struct range {
    size_t offset;
    uint64_t min, span;
    unsigned zero_in; /* one in so many draws is 0; 0 = never */
};

#define RANGE(field, min, max, zero_in)                                                            \
    {                                                                                              \
        offsetof(struct sim_params, field), min, (max) - (min) + 1, zero_in                        \
    }

/* Latencies that may change while the adapter runs. */
static const struct range ranges[] = {
    RANGE(doorbell_to_fetch, 0, 20, 0),
    RANGE(cmd_decode, 0, 30, 0),
    RANGE(xlt_hit, 0, 10, 0),
    RANGE(to_port, 0, 40, 0),
    RANGE(status_build, 0, 30, 0),
    RANGE(sync_lw, 0, 200, 0),
    RANGE(sync_hw, 0, 200, 0),
    RANGE(ctx_reset, 0, 500, 0),
    RANGE(afu_reset, 0, 3000, 0),
    RANGE(provision, 0, 2000, 0),
    RANGE(debug, 0, 500, 0),
    RANGE(internal_access, 0, 500, 0),
    RANGE(flogi, 1, 2000, 2),
    RANGE(plogi, 1, 2000, 2),
    RANGE(login_timeout, 1, 20000, 0),
    RANGE(echo_interval, 1, 700, 0),
    RANGE(mmio_write_latency, 1, 120, 8),
    RANGE(mmio_read_latency, 1, 300, 8),
    RANGE(mmio_ack, 0, 6, 0),
    RANGE(credits, 4, 64, 0),
    RANGE(buffer_disorder, 0, 1, 0),
    RANGE(read_latency, 1, 300, 0),
    RANGE(write_latency, 1, 300, 8),
    RANGE(read_interval, 2, 20, 0),
    RANGE(write_interval, 2, 20, 0),
    RANGE(irq_delivery, 1, 2000, 8),
    RANGE(xlate_bad, 1, 3000, 8),
    RANGE(xlate_minor, 1, 3000, 8),
    RANGE(xlate_major, 1, 3000, 8),
    RANGE(data_buffers, 1, 40, 0),
    RANGE(shared_penalty, 1, 60, 2),
    RANGE(rht_fetch, 1, 2, 2),
    RANGE(ua_on_login, 0, 1, 0),
    RANGE(ctx_add, 0, 400, 0),
    RANGE(xlate_hit_time, 0, 3, 0),
    RANGE(xlate_miss, 0, 200, 0),
    RANGE(fc_cmd_overhead, 1, 300, 4),
    RANGE(fc_block_time, 1, 1500, 4),
    RANGE(media_read, 1, 6000, 8),
    RANGE(media_unwritten, 1, 6000, 8),
    RANGE(media_write, 1, 6000, 8),
    RANGE(media_parallel, 1, 6, 0),
    RANGE(media_lun_read_interval, 1, 900, 2),
    RANGE(media_lun_write_interval, 1, 900, 2),
    RANGE(card_interval, 1, 600, 2),
    RANGE(media_jitter, 1, 30, 2),
    RANGE(link_loss, 1, 3000, 8),
    RANGE(login, 1, 20000, 8),
    RANGE(shutdown, 1, 5000, 8),
    RANGE(port_choice_rr, 0, 1, 0),
    RANGE(bad_ea_status, 0, 1, 0),
    RANGE(platform_detect, 1, 3000, 8),
    RANGE(platform_slot_reset, 1, 10000, 0),
};

static void draw_latencies(struct storm *s)
{
    char *p = (char *)sim_afu_params_mutable(s->m->afu);

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(ranges); i++) {
        const struct range *r = &ranges[i];
        uint64_t value = r->min + below(s, r->span);

        if (r->zero_in && one_in(s, r->zero_in))
            value = 0;
        memcpy(p + r->offset, &value, sizeof value);
    }
    sim_afu_params_mutable(s->m->afu)->card = one_in(s, 2) ? 0x04F0 : 0x0600;
}

/* Small numbers: delays, status codes, PSL codes. A slot that stays frozen for ever would be the
 * end of the storm. */
static uint64_t draw_argument(struct storm *s, enum sim_site site)
{
    static const uint64_t codes[] = {0, 1, 3, 8, 10, 11, 0x52, 0x57, 0x5A};

    if (site == SIM_SITE_PERR)
        return 0;
    return one_in(s, 2) ? below(s, 2000) : codes[below(s, HAL_ARRAY_LENGTH(codes))];
}

static void draw_faults(struct storm *s)
{
    char plan[FAULTS * 64] = "", why[256];
    size_t used = 0;

    for (uint64_t i = 1 + below(s, FAULTS); i; i--) {
        enum sim_site site = (enum sim_site)below(s, SIM_SITE_COUNT);
        const char *effects = sim_site_effects(site);
        unsigned hit = 1 + (unsigned)below(s, one_in(s, 2) ? 4 : 60); /* some sites are rare */

        used += (size_t)snprintf(plan + used, sizeof plan - used, "%s%s#%u=%c(%u)", used ? "+" : "",
                                 sim_site_name(site), hit, effects[below(s, strlen(effects))],
                                 (unsigned)draw_argument(s, site));
    }
    cr_assert_eq(sim_faults_load(sim_afu_faults(s->m->afu), plan, why, sizeof why), 0, "%s: %s",
                 plan, why);
}

/* ---- actions -----------------------------------------------------------------------------------
 */

static void put(struct storm *s, struct model_ctx *c, uint64_t offset, uint64_t value)
{
    struct sim_engine *e = &s->m->machine->engine;
    uint64_t when = 0;

    if (c == &s->m->master && offset < AFU_CTRL_START)
        offset += AFU_HOST_BASE(c->handle);
    while (sim_bus_store(c->sim, offset, value, &when))
        sim_engine_run(e, when);
}

static void get(struct storm *s, struct model_ctx *c, uint64_t offset)
{
    unsigned i = (unsigned)below(s, ANSWERS);
    uint64_t when = 0;

    if (sim_bus_load(c->sim, offset, &s->answer[i], &s->done[i], &when) == -EAGAIN)
        sim_engine_run(&s->m->machine->engine, when);
}

/* Mostly the client's buffers, aligned; now and then odd, or nowhere. */
static uint64_t draw_buffer(struct storm *s)
{
    uint64_t at = (uintptr_t)s->m->buffer + below(s, 39) * 4096; /* 24 blocks fit, odd ones too */

    if (one_in(s, 6))
        at += below(s, 4096);
    return one_in(s, 40) ? 0x1234 : at;
}

static void draw_cdb(struct storm *s, struct afu_ioarcb *r, bool write, uint64_t blocks)
{
    uint64_t lba = below(s, 5) * 65536 + below(s, 64); /* a small part of each chunk */

    if (one_in(s, 8))
        lba = (lba | 0xFFFF) - below(s, 4); /* into the next chunk */
    r->cdb[0] = write ? (one_in(s, 6) ? 0x93 : 0x8A) : 0x88;
    hal_be64_put(r->cdb + 2, lba);
    hal_be32_put(r->cdb + 10, (uint32_t)blocks);
}

static void draw_command(struct storm *s, struct model_ctx *c, struct afu_ioarcb *r)
{
    static const uint16_t unit[] = {AFU_REQ_TIMEOUT_CYCLES, AFU_REQ_TIMEOUT_MICROSECONDS};
    static const uint8_t others[] = {0x00, 0x12, 0x25, 0x35, 0x9E, 0xA0, 0x93, 0xFA};
    bool write = one_in(s, 2), by_port = one_in(s, 10);
    uint64_t blocks = 1 + below(s, one_in(s, 10) ? 24 : 4);
    uint16_t flags =
        (uint16_t)((write ? AFU_REQ_HOST_WRITE : 0) | (by_port ? 0 : AFU_REQ_RES_HNDL));

    memset(r, 0, sizeof *r);
    draw_cdb(s, r, write, blocks);
    if (one_in(s, 12)) {
        memset(r->cdb, 0, sizeof r->cdb);
        r->cdb[0] = others[below(s, HAL_ARRAY_LENGTH(others))];
        r->cdb[4] = 96; /* allocation length of some */
    }
    if (one_in(s, 4)) {
        flags |= unit[below(s, 2)];
        r->timeout = xe16_of(c->order, (uint16_t)(1 + below(s, 9000)));
    }
    r->ctx_id = xe16_of(c->order, one_in(s, 50) ? 77 : c->handle);
    r->req_flags = xe16_of(c->order, flags);
    r->res_hndl = xe32_of(c->order, by_port ? 1 + (uint32_t)below(s, 3)
                                            : (uint32_t)below(s, one_in(s, 30) ? 300 : HANDLES));
    r->lun_id = xe64_of(c->order, by_port ? afu_lun_id((uint32_t)below(s, LUNS + 1)) : 0);
    r->data_len = xe32_of(c->order, (uint32_t)blocks * (one_in(s, 12) ? 2048 : 4096));
    r->data_ea = xe64_of(c->order, draw_buffer(s));
    r->msi = (uint8_t)(one_in(s, 3) ? 2 : 0);
}

static void ring_submit(struct storm *s, struct client *u, unsigned slot)
{
    struct model_ctx *c = &u->ctx;
    struct afu_ioarcb *r = &u->ring[u->ring_at];

    *r = c->pair[slot].ioarcb;
    r->ioasa = xe64_of(c->order, (uintptr_t)&c->pair[slot].ioasa);
    u->ring_at = (u->ring_at + 1) % RING;
    put(s, c, AFU_HOST_SQ_TAIL, (uintptr_t)&u->ring[u->ring_at]);
}

static void submit(struct storm *s, struct client *u)
{
    struct model_ctx *c = &u->ctx;

    for (uint64_t n = 1 + below(s, 12); n; n--) {
        unsigned slot = (unsigned)below(s, MODEL_SLOTS);

        draw_command(s, c, &c->pair[slot].ioarcb);
        if (u->ring && !one_in(s, 8))
            ring_submit(s, u, slot);
        else
            put(s, c, AFU_HOST_IOARRIN, (uintptr_t)&c->pair[slot] + (one_in(s, 60) ? 8 : 0));
    }
}

/* The master's commands: mostly syncs, sometimes a LUN reset or what does not exist. */
static void command_of_master(struct storm *s)
{
    struct model_ctx *c = &s->m->master;
    unsigned slot = (unsigned)below(s, MODEL_SLOTS);
    struct afu_ioarcb *r = model_ioarcb(c, slot);

    r->req_flags = xe16_of(c->order, AFU_REQ_AFU_CMD);
    r->msi = 2;
    r->timeout = xe16_of(c->order, AFU_CMD_TIMEOUT_S);
    afu_sync_cdb(r->cdb, (enum afu_sync_mode)below(s, 3), s->user[below(s, USERS)].ctx.handle,
                 (uint32_t)below(s, HANDLES));
    if (one_in(s, 6)) {
        r->req_flags = xe16_of(c->order, AFU_REQ_TMF_CMD | AFU_REQ_SUP_UNDERRUN);
        r->res_hndl = xe32_of(c->order, 1);
        r->lun_id = xe64_of(c->order, afu_lun_id((uint32_t)below(s, LUNS)));
        memset(r->cdb, 0, sizeof r->cdb);
        r->cdb[0] = 1; /* LUN reset, little endian */
    } else if (one_in(s, 10)) {
        r->cdb[0] = (uint8_t)(0xC0 + 0x10 * below(s, 4));
        r->req_flags = xe16_of(
            c->order, (uint16_t)(AFU_REQ_AFU_CMD | (one_in(s, 2) ? AFU_REQ_HOST_WRITE : 0)));
        r->data_len = xe32_of(c->order, (uint32_t)below(s, 9000));
        r->data_ea = xe64_of(c->order, draw_buffer(s));
    }
    put(s, c, AFU_HOST_IOARRIN, (uintptr_t)&c->pair[slot]);
}

static void reset_context(struct storm *s, struct client *u)
{
    put(s, &u->ctx, one_in(s, 2) ? AFU_HOST_IOARRIN : AFU_HOST_SQ_CTX_RESET, 1);
}

/* Host map of a user, or the master's view of adapter and ports. */
static void touch_registers(struct storm *s, struct client *u)
{
    static const uint64_t host[] = {AFU_HOST_INTR_STATUS, AFU_HOST_CMD_ROOM,  AFU_HOST_SQ_HEAD,
                                    AFU_HOST_IOARRIN,     AFU_HOST_RRQ_START, AFU_HOST_MBOX_W};
    static const uint64_t global[] = {AFU_GLOBAL_AINTR_STATUS, AFU_GLOBAL_AFU_HB,
                                      AFU_GLOBAL_AFU_PORT_SEL, AFU_GLOBAL_INTERFACE_VERSION};
    uint64_t port = AFU_PORT_REGS(below(s, 2));

    get(s, &u->ctx, host[below(s, HAL_ARRAY_LENGTH(host))]);
    get(s, &s->m->master, AFU_GLOBAL_BASE + global[below(s, HAL_ARRAY_LENGTH(global))]);
    get(s, &s->m->master, port + 8 * below(s, 224));
    if (one_in(s, 2))
        put(s, &s->m->master, port + 8 * below(s, 224), below(s, 4096));
    put(s, &u->ctx, AFU_HOST_INTR_MASK, one_in(s, 2) ? 0 : UINT64_MAX);
    put(s, &u->ctx, AFU_HOST_INTR_CLEAR, below(s, 32));
    put(s, &u->ctx, AFU_HOST_CTX_CTRL, below(s, 4));
}

static void touch_ports(struct storm *s)
{
    struct model_ctx *by = &s->m->master;
    uint64_t port = AFU_PORT_REGS(below(s, 2));

    switch (below(s, 6)) {
    case 0:
        put(s, by, port + AFU_FC_MTIP_CMDCONFIG, AFU_FC_CMDCONFIG_OFF_LINE);
        break;
    case 1:
    case 2:
        put(s, by, port + AFU_FC_MTIP_CMDCONFIG, AFU_FC_CMDCONFIG_ON_LINE);
        break;
    case 3:
        put(s, by, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1 + below(s, 3));
        break;
    case 4:
        put(s, by, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_MASK, one_in(s, 2) ? 0 : UINT64_MAX);
        put(s, by, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL, afu_ctrl(by->handle, 3, one_in(s, 3)));
        break;
    default:
        put(s, by, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR, UINT64_MAX);
        break;
    }
}

static void program(struct storm *s, struct client *u)
{
    struct model_ctx *c = &u->ctx, *by = &s->m->master;
    uint64_t ctrl = AFU_CTRL_BASE(c->handle);

    put(s, c, AFU_HOST_ENDIAN_CTRL, c->order == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : 0);
    put(s, c, AFU_HOST_RRQ_START, (uintptr_t)c->rrq);
    put(s, c, AFU_HOST_RRQ_END, (uintptr_t)(c->rrq + MODEL_RRQ - 1));
    put(s, c, AFU_HOST_INTR_MASK, 0);
    put(s, c, AFU_HOST_CTX_CTRL, 1);
    if (u->ring) {
        put(s, c, AFU_HOST_SQ_START, (uintptr_t)u->ring);
        put(s, c, AFU_HOST_SQ_END, (uintptr_t)(u->ring + RING - 1));
        u->ring_at = 0;
    }
    get(s, by, ctrl + AFU_CTRL_MBOX_R);
    put(s, by, ctrl + AFU_CTRL_CTX_CAP, AFU_CTX_CAP_USER | (one_in(s, 3) ? AFU_CTX_CAP_MASTER : 0));
    put(s, by, ctrl + AFU_CTRL_RHT_START, (uintptr_t)c->rht);
    put(s, by, ctrl + AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(256, by->handle));
}

/* Not while the slot keeps it dead. */
static void restart_context(struct storm *s, struct client *u)
{
    int rc;

    sim_bus_ctx_stop(u->ctx.sim);
    rc = sim_bus_ctx_start(u->ctx.sim, 3);
    if (rc == -EIO)
        return;
    ok(rc);
    program(s, u);
}

/* ---- the platform -------------------------------------------------------------------------------
 */

/* A planned fault may refuse it once or twice. */
static void open_context(struct storm *s, struct model_ctx *c, bool master)
{
    while (sim_bus_ctx_create(s->m->afu, master, &c->sim))
        ;
    c->handle = sim_bus_ctx_handle(c->sim);
}

/* What the master sets up: byte order of the tables, LUN tables. */
static void program_master(struct storm *s)
{
    struct model_ctx *by = &s->m->master;

    put(s, by, AFU_HOST_RRQ_START, (uintptr_t)by->rrq);
    put(s, by, AFU_HOST_RRQ_END, (uintptr_t)(by->rrq + MODEL_RRQ - 1));
    get(s, by, AFU_CTRL_BASE(by->handle) + AFU_CTRL_MBOX_R);
    put(s, by, AFU_CTRL_BASE(by->handle) + AFU_CTRL_CTX_CAP, AFU_CTX_CAP_MASTER);
    put(s, by, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG,
        AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE);
    for (unsigned i = 0; i < 4; i++)
        put(s, by, AFU_LUN_TABLE_ENTRY(i / 2, i % 2), afu_lun_id(i % 2));
}

static void close_all(struct storm *s)
{
    sim_bus_ctx_release(s->m->master.sim);
    for (unsigned i = 0; i < USERS; i++)
        sim_bus_ctx_release(s->user[i].ctx.sim);
}

/* All contexts anew, with the same numbers, on a slot that was reset. It may freeze again. */
static void open_all(struct storm *s)
{
    open_context(s, &s->m->master, true);
    for (unsigned i = 0; i < USERS; i++)
        open_context(s, &s->user[i].ctx, false);
    ok(sim_bus_ctx_start(s->m->master.sim, 3));
    program_master(s);
    for (unsigned i = 0; i < USERS; i++)
        restart_context(s, &s->user[i]);
}

static void serve_platform(struct storm *s)
{
    switch (sim_bus_platform_event(s->m->afu)) {
    case SIM_BUS_PLATFORM_FROZEN:
    case SIM_BUS_PLATFORM_OTHER:
        sim_bus_platform_answer(s->m->afu, SIM_BUS_PLATFORM_NEED_RESET);
        break;
    case SIM_BUS_PLATFORM_SLOT_RESET:
        close_all(s);
        open_all(s);
        sim_bus_platform_answer(s->m->afu, SIM_BUS_PLATFORM_RECOVERED);
        break;
    default: /* nothing, or nothing is to be done */
        break;
    }
}

/* Whatever is under way. Nobody waits for one that a fault lets never end. */
static void reset_afu(struct storm *s)
{
    uint64_t now = s->m->machine->engine.now, done = 0;

    if (sim_bus_ctx_lost(s->m->master.sim))
        return;
    close_all(s);
    ok(sim_bus_afu_reset(s->m->afu, &done));
    if (done - now < SETTLE)
        model_run(s->m, done - now);
    open_all(s);
}

/* The master takes blocks away, or gives them back: the tables change, no sync is asked for here.
 */
static void change_tables(struct storm *s, struct client *u)
{
    struct afu_rht_entry *entry = &u->ctx.rht[below(s, HANDLES)];
    struct afu_rht_entry keep = u->ctx.rht[0];

    *entry = one_in(s, 3) ? (struct afu_rht_entry){{0, 0}} : keep;
}

static void action(struct storm *s)
{
    struct client *u = &s->user[below(s, USERS)];
    uint64_t what = below(s, 100);

    if (what < 62)
        submit(s, u);
    else if (what < 74)
        command_of_master(s);
    else if (what < 80)
        reset_context(s, u);
    else if (what < 88)
        touch_registers(s, u);
    else if (what < 92)
        touch_ports(s);
    else if (what < 95)
        restart_context(s, u);
    else if (what < 99)
        change_tables(s, u);
    else
        reset_afu(s);
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, (const char *)data + i, sizeof word);
        hash = hal_hash_word(hash, word);
    }
    return hash;
}

static uint64_t memory_hash(const struct storm *s)
{
    uint64_t hash = hash_bytes(HAL_HASH_START, s->m->buffer, MODEL_BUFFER);

    for (unsigned i = 0; i < USERS; i++) {
        const struct model_ctx *c = &s->user[i].ctx;

        for (unsigned k = 0; k < MODEL_SLOTS; k++)
            hash = hash_bytes(hash, &c->pair[k].ioasa, sizeof c->pair[k].ioasa);
    }
    return hash;
}

uint64_t storm_run(struct storm *s, uint64_t seed)
{
    hal_prng_seed(&s->prng, seed, SIM_STREAM_WORKLOAD);
    if (!s->keeps_latencies)
        draw_latencies(s);
    draw_faults(s);
    for (unsigned i = 0; i < USERS; i++)
        program(s, &s->user[i]);
    for (unsigned i = 0; i < s->actions; i++) {
        serve_platform(s);
        action(s);
        model_run(s->m, one_in(s, 4) ? 0 : below(s, GAP));
    }
    model_run(s->m, SETTLE);
    sim_trace_flush(&s->m->machine->trace);
    return memory_hash(s);
}

uint64_t storm_faults(const struct storm *s)
{
    const struct fault_plan *f = sim_afu_faults(s->m->afu);
    uint64_t fired = 0;

    for (unsigned i = 0; i < f->count; i++)
        fired += f->rule[i].fired;
    return fired;
}
