/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afu/sim_psl.h"

#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"

/* What the AFU does about each kind of access. */
static const struct access {
    uint64_t retry;     /* bit of afu_config that lets it wait for a page */
    uint64_t permanent; /* bit of intr_status, where the IOASA cannot tell */
    uint8_t afu_rc;     /* status, where it can */
    bool store;
    uint8_t what; /* enum sim_strict_what */
    void (*again)(struct sim_cmd *c);
} accesses[] = {
    [SIM_PSL_IOARCB] = {.what = SIM_STRICT_IOARCB,
                        .retry = AFU_CONFIG_AR_IOARCB,
                        .permanent = AFU_INTR_PERM_ERR_RCB_READ,
                        .again = sim_fetch_ioarcb},
    [SIM_PSL_RHT] = {.what = SIM_STRICT_TABLE,
                     .retry = AFU_CONFIG_AR_RHT,
                     .afu_rc = AFU_RC_RHT_DMA_ERR,
                     .again = sim_translate_again},
    [SIM_PSL_LXT] = {.what = SIM_STRICT_TABLE,
                     .retry = AFU_CONFIG_AR_LXT,
                     .afu_rc = AFU_RC_LXT_DMA_ERR,
                     .again = sim_translate_again},
    [SIM_PSL_DATA] = {.what = SIM_STRICT_DATA,
                      .retry = AFU_CONFIG_AR_DATA,
                      .afu_rc = AFU_RC_DATA_DMA_ERR,
                      .again = sim_data_again},
    [SIM_PSL_IOASA] = {.what = SIM_STRICT_IOASA,
                       .retry = AFU_CONFIG_AR_IOASA,
                       .permanent = AFU_INTR_PERM_ERR_SA_WRITE,
                       .store = true,
                       .again = sim_ioasa_send},
    [SIM_PSL_RRQ] = {.what = SIM_STRICT_ELEMENT,
                     .retry = AFU_CONFIG_AR_RRQ,
                     .permanent = AFU_INTR_PERM_ERR_RRQ_WRITE,
                     .store = true,
                     .again = sim_rrq_send},
};

static const struct access *access_of(const struct sim_cmd *c) { return &accesses[c->psl.access]; }

static void page_is_there(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    access_of(c)->again(c);
}

/* IOARCB, IOASA, RRQ: the host is told that something was lost, not what. */
static void lost(struct sim_cmd *c, uint64_t bits)
{
    sim_intr_status(c->ctx, bits);
    sim_cmd_drop(c);
}

static void paged(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    const struct access *access = access_of(c);

    if (a->config & access->retry)
        sim_wait(c, a->params.xlate_minor, SIM_RANK_DECODE, page_is_there);
    else if (access->permanent)
        lost(c, AFU_INTR_TEMP_ERR_PAGEIN);
    else
        sim_status_afu(c, access->afu_rc, AFU_PSL_PAGED);
}

static void outcome(struct sim_cmd *c)
{
    const struct access *access = access_of(c);
    uint8_t code = c->psl.code;

    c->psl.code = 0;
    if (code == AFU_PSL_PAGED)
        paged(c);
    else if (access->permanent)
        lost(c, access->permanent);
    else if (code == AFU_PSL_AERROR && c->psl.access == SIM_PSL_DATA)
        sim_cmd_drop(c);
    else
        sim_status_afu(c, access->afu_rc, code);
}

static void restarted(struct sim_event *ev) { outcome(sim_cmd_of(ev)); }

/* Whose address it is: tables are in the address space of their owner. Without a command's IOARCB
 * nothing is known but who rang. */
static struct sim_ctx *address_space(const struct sim_cmd *c)
{
    const struct sim_ctx *owner;
    struct sim_ctx *host;

    if (c->psl.access != SIM_PSL_RHT && c->psl.access != SIM_PSL_LXT)
        return c->ctx;
    owner = sim_cmd_owner(c);
    host = owner ? sim_table_host(owner) : NULL;
    return host && host->started ? host : NULL;
}

static void address_error(const struct sim_cmd *c, uint64_t ea)
{
    struct sim_ctx *ctx = address_space(c);
    bool store =
        access_of(c)->store || (c->psl.access == SIM_PSL_DATA && c->rs.kind == SIM_SCSI_DATA_IN);

    if (ctx)
        sim_storage_fault(ctx, ea, store);
}

/* A command like any other, with a tag and a credit, and nothing else of the context goes before it
 * (TM-11). */
static void restart(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    sim_record(a, SIM_EVENT_PSL_RESTART, c->ctx->handle, c->psl.code, c->slot);
    sim_strict_restart(&a->strict, a->engine->now, c->ctx->handle);
    sim_wait_bus(c, SIM_BUS_READ, SIM_STRICT_RESTART, 0, SIM_LINE, 0, SIM_RANK_DECODE, restarted);
    sim_strict_again(&a->strict, c->slot, access_of(c)->what);
}

static bool flushes(uint8_t code)
{
    return code == AFU_PSL_AERROR || code == AFU_PSL_DERROR || code == AFU_PSL_PAGED;
}

void sim_psl_refused(struct sim_cmd *c, enum sim_psl_access access, uint8_t code, uint64_t ea)
{
    struct sim_afu *a = c->afu;

    CHECK(code && !sim_event_pending(&c->event));
    if (code == AFU_PSL_AERROR && access == SIM_PSL_DATA && a->params.bad_ea_status)
        code = AFU_PSL_CONTEXT; /* */
    c->psl = (struct sim_psl_fault){.code = code, .access = (uint8_t)access};
    if (code == AFU_PSL_AERROR)
        address_error(c, ea);
    if (!flushes(code)) {
        outcome(c);
        return;
    }
    sim_strict_error(&a->strict, c->ctx->handle);
    restart(c);
}
