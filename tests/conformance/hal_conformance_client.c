/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/hal_conformance_client.h"

#include <criterion/criterion.h>
#include <string.h>

#define MASTER_INTERRUPTS 3u /* */

static const struct {
    size_t size, align;
    const char *name;
} piece[] = {
    {CONF_SLOTS * sizeof(struct afu_cmd_pair), 128, "commands"},
    {CONF_SLOTS * sizeof(uint64_t), 128, "rrq"},
    {CONF_HANDLES * sizeof(struct afu_rht_entry), 4096, "rht"},
};

static void *take(struct hal_conformance *env, size_t size, size_t align, const char *name)
{
    void *p = exec_alloc(env->exec, size, align);

    cr_assert_not_null(p);
    cr_assert_eq(hal_mem_register(env->dev, p, size, name), 0, "cannot register %s", name);
    return p;
}

static void give_back(struct hal_conformance *env, void *p, size_t size)
{
    hal_mem_release(env->dev, p);
    exec_free(env->exec, p, size);
}

static size_t data_size(const struct conf_client *c)
{
    size_t block = c->env->offers & HAL_OFFER_LUN ? c->env->lun.block_size : 512;

    return CONF_SLOTS * block;
}

struct hal_ctx *conf_context(struct hal_conformance *env, enum hal_ctx_kind kind,
                             unsigned interrupts)
{
    struct hal_ctx *ctx;

    cr_assert_eq(hal_ctx_create(env->dev, kind, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, interrupts), 0);
    return ctx;
}

uint64_t conf_read(struct conf_client *c, uint64_t offset)
{
    return hal_reg_read64(c->ctx, c->page + offset);
}

void conf_write(struct conf_client *c, uint64_t offset, uint64_t value)
{
    hal_reg_write64(c->ctx, c->page + offset, value);
}

/* A new life: zeroed elements, toggle 1 (SL 9). */
static void program_queue(struct conf_client *c)
{
    conf_write(c, AFU_HOST_ENDIAN_CTRL,
               HAL_ORDER_HOST == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE);
    conf_write(c, AFU_HOST_RRQ_START, (uintptr_t)c->rrq);
    conf_write(c, AFU_HOST_RRQ_END, (uintptr_t)(c->rrq + CONF_SLOTS - 1));
    c->rrq_at = 0;
    c->toggle = true;
}

/* What only a master may write: capabilities, and the tables of a user (SL 13.2). */
static void program_control(struct conf_client *c)
{
    struct hal_ctx *by = c->master ? c->master->ctx : c->ctx;
    uint64_t control = AFU_CTRL_BASE(c->ctx->handle);
    uint64_t capabilities = c->master ? AFU_CTX_CAP_USER : AFU_CTX_CAP_MASTER;

    (void)hal_reg_read64(by, control + AFU_CTRL_MBOX_R);
    hal_reg_write64(by, control + AFU_CTRL_CTX_CAP, capabilities);
    hal_reg_write64(by, control + AFU_CTRL_RHT_START, (uintptr_t)c->rht);
    hal_reg_write64(by, control + AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(CONF_HANDLES, by->handle));
    cr_assert_eq(hal_reg_read64(by, control + AFU_CTRL_CTX_CAP), capabilities);
}

static void program_config(struct conf_client *master)
{
    uint64_t config = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG;
    uint64_t order = HAL_ORDER_HOST == HAL_ORDER_BIG ? 0 : AFU_CONFIG_ENDIAN_LITTLE;

    hal_reg_write64(master->ctx, config,
                    hal_reg_read64(master->ctx, config) | AFU_CONFIG_AR_ALL | order);
}

void conf_client_up(struct conf_client *c, struct hal_conformance *env, struct conf_client *master)
{
    memset(c, 0, sizeof *c);
    c->env = env;
    c->master = master;
    c->ctx = master ? conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS)
                    : conf_context(env, HAL_CTX_MASTER, MASTER_INTERRUPTS);
    c->page = master ? 0 : AFU_HOST_BASE(c->ctx->handle);
    c->pair = take(env, piece[0].size, piece[0].align, piece[0].name);
    c->rrq = take(env, piece[1].size, piece[1].align, piece[1].name);
    c->rht = take(env, piece[2].size, piece[2].align, piece[2].name);
    c->data = take(env, data_size(c), 4096, "data");
    program_queue(c);
    program_control(c);
    if (!master)
        program_config(c);
}

void conf_client_stop(struct conf_client *c)
{
    cr_assert_eq(hal_ctx_stop(c->ctx), 0);
    hal_ctx_release(c->ctx);
    c->ctx = NULL;
}

void conf_client_free(struct conf_client *c)
{
    give_back(c->env, c->pair, piece[0].size);
    give_back(c->env, c->rrq, piece[1].size);
    give_back(c->env, c->rht, piece[2].size);
    give_back(c->env, c->data, data_size(c));
}

void conf_client_down(struct conf_client *c)
{
    conf_client_stop(c);
    conf_client_free(c);
}

/* ---- commands ---------------------------------------------------------------------------------
 */

uint8_t *conf_data(struct conf_client *c, unsigned slot)
{
    return c->data + (size_t)slot * c->env->lun.block_size;
}

struct afu_ioarcb *conf_command(struct conf_client *c, unsigned slot)
{
    memset(&c->pair[slot], 0, sizeof c->pair[slot]);
    c->pair[slot].ioarcb.ctx_id = xe16_of(HAL_ORDER_HOST, c->ctx->handle);
    return &c->pair[slot].ioarcb;
}

void conf_rw(struct conf_client *c, unsigned slot, bool write, uint32_t handle, uint64_t lba)
{
    struct afu_ioarcb *r = conf_command(c, slot);
    unsigned direction = write ? AFU_REQ_HOST_WRITE : AFU_REQ_HOST_READ;

    r->req_flags = xe16_of(HAL_ORDER_HOST, (uint16_t)(AFU_REQ_RES_HNDL | direction));
    r->res_hndl = xe32_of(HAL_ORDER_HOST, handle);
    r->data_len = xe32_of(HAL_ORDER_HOST, c->env->lun.block_size);
    r->data_ea = xe64_of(HAL_ORDER_HOST, (uintptr_t)conf_data(c, slot));
    r->cdb[0] = write ? 0x8A : 0x88; /* WRITE(16), READ(16) */
    hal_be64_put(r->cdb + 2, lba);
    hal_be32_put(r->cdb + 10, 1);
}

void conf_sync(struct conf_client *c, unsigned slot, enum afu_sync_mode mode,
               const struct conf_client *of, uint32_t handle)
{
    struct afu_ioarcb *r = conf_command(c, slot);

    r->req_flags = xe16_of(HAL_ORDER_HOST, AFU_REQ_AFU_CMD);
    r->timeout = xe16_of(HAL_ORDER_HOST, AFU_CMD_TIMEOUT_S);
    afu_sync_cdb(r->cdb, mode, of->ctx->handle, handle);
}

void conf_ring(struct conf_client *c, unsigned slot)
{
    conf_write(c, AFU_HOST_IOARRIN, (uintptr_t)&c->pair[slot]);
}

int conf_harvest(struct conf_client *c)
{
    /* The AFU is another writer: what it wrote before the element is read after it. */
    uint64_t element = __atomic_load_n(&c->rrq[c->rrq_at], __ATOMIC_ACQUIRE), slot;

    if (afu_rrq_toggle(element) != c->toggle)
        return -1;
    if (++c->rrq_at == CONF_SLOTS) {
        c->rrq_at = 0;
        c->toggle = !c->toggle;
    }
    slot = (afu_rrq_ea(element) - (uintptr_t)c->pair) / sizeof *c->pair;
    return slot < CONF_SLOTS ? (int)slot : (int)CONF_SLOTS;
}

uint32_t conf_poll(struct conf_client *c, unsigned slot)
{
    uint64_t deadline = exec_now(c->env->exec) + c->env->patience;
    int found;

    while ((found = conf_harvest(c)) < 0) {
        if (exec_now(c->env->exec) > deadline)
            return CONF_LOST;
        hal_progress(c->ctx);
    }
    return found == (int)slot ? afu_ioasc(&c->pair[slot].ioasa.rc) : CONF_LOST;
}

uint32_t conf_do(struct conf_client *c, unsigned slot)
{
    conf_ring(c, slot);
    return conf_poll(c, slot);
}

uint32_t conf_do_sync(struct conf_client *c, enum afu_sync_mode mode, uint32_t handle)
{
    conf_sync(c->master, CONF_SLOTS - 1, mode, c, handle);
    return conf_do(c->master, CONF_SLOTS - 1);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

struct afu_rht_entry conf_entry(const struct hal_conformance *env, unsigned permissions)
{
    struct afu_rht_direct d = {.lun_id = env->lun.id,
                               .valid = true,
                               .permissions = (uint8_t)permissions,
                               .port_sel = env->lun.ports};

    return afu_rht_pack_direct(HAL_ORDER_HOST, &d);
}

static void put(struct conf_client *c, uint32_t handle, unsigned word, uint64_t value)
{
    hal_table_store(c->env->dev, &c->rht[handle].word[word], value);
    hal_publish(c->env->dev);
}

void conf_open(struct conf_client *c, uint32_t handle, unsigned permissions)
{
    struct afu_rht_direct blank = {.valid = false};
    struct afu_rht_entry closed = afu_rht_pack_direct(HAL_ORDER_HOST, &blank);
    struct afu_rht_entry e = conf_entry(c->env, permissions);

    put(c, handle, 0, 0);
    put(c, handle, 1, 0);
    put(c, handle, 1, closed.word[1]);
    put(c, handle, 0, e.word[0]);
    put(c, handle, 1, e.word[1]);
}

void conf_close(struct conf_client *c, uint32_t handle)
{
    struct afu_rht_direct blank = {.valid = false};
    struct afu_rht_entry closed = afu_rht_pack_direct(HAL_ORDER_HOST, &blank);

    put(c, handle, 1, closed.word[1]);
    put(c, handle, 0, 0);
    put(c, handle, 1, 0);
}
