/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/port_spy.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"

static struct port_spy *the_spy;

/* ---- the record ---- */

static void flush(struct port_spy *spy)
{
    size_t used = strlen(spy->text);
    int n = 0;

    if (spy->repeated == 1)
        n = snprintf(spy->text + used, sizeof spy->text - used, "%s\n", spy->last);
    else if (spy->repeated > 1)
        n = snprintf(spy->text + used, sizeof spy->text - used, "%s x%u\n", spy->last,
                     spy->repeated);
    cr_assert_lt(used + (size_t)n, sizeof spy->text);
    spy->repeated = 0;
}

__attribute__((format(printf, 2, 3))) static void line(struct port_spy *spy, const char *format,
                                                       ...)
{
    char text[sizeof spy->last];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (strcmp(text, spy->last) != 0)
        flush(spy);
    memcpy(spy->last, text, sizeof text);
    spy->repeated++;
}

const char *port_spy_take(struct port_spy *spy)
{
    static char taken[sizeof spy->text];

    flush(spy);
    memcpy(taken, spy->text, sizeof taken);
    spy->text[0] = spy->last[0] = 0;
    return taken;
}

/* ---- the device ---- */

static uint64_t spy_read(struct hal_ctx *ctx, uint64_t offset)
{
    if (offset >= AFU_CTRL_START)
        line(the_spy, "r %" PRIx64, offset);
    return the_spy->under->reg_read64(ctx, offset);
}

static unsigned port_of(uint64_t offset)
{
    unsigned port = 0;

    while (offset - AFU_PORT_REGS(port) >= AFU_FC_PAGE_SIZE)
        port++;
    return port;
}

static bool is_cmdconfig(uint64_t offset)
{
    return offset >= AFU_FC_BANK_START && offset % AFU_FC_PAGE_SIZE == AFU_FC_MTIP_CMDCONFIG;
}

static void to_global(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct fake_afu *afu = &the_spy->f->afu;
    uint64_t status = offset - AFU_FC_MTIP_CMDCONFIG + AFU_FC_MTIP_STATUS, before = 0;
    bool stuck = is_cmdconfig(offset) && the_spy->stuck & AFU_PORT_BIT(port_of(offset));

    line(the_spy, "w %" PRIx64 " %" PRIx64, offset, value);
    if (stuck)
        before = *fake_afu_register(afu, status);
    the_spy->under->reg_write64(ctx, offset, value);
    if (stuck)
        *fake_afu_register(afu, status) = before;
    if (offset == AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR)
        *fake_afu_register(afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS) &= ~value;
}

static void to_host(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    bool doorbell = offset % AFU_HOST_SIZE == AFU_HOST_IOARRIN && value != AFU_CTX_RESET;
    const struct afu_ioarcb *rcb = (const struct afu_ioarcb *)(uintptr_t)value;

    if (doorbell && rcb->cdb[0] == AFU_CMD_SYNC)
        line(the_spy, "sync %u %u.%" PRIu32, afu_sync_cdb_mode(rcb->cdb),
             afu_sync_cdb_ctx(rcb->cdb), afu_sync_cdb_handle(rcb->cdb));
    the_spy->under->reg_write64(ctx, offset, value);
}

static void spy_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    if (offset >= AFU_CTRL_START)
        to_global(ctx, offset, value);
    else
        to_host(ctx, offset, value);
    if (the_spy->after_write)
        the_spy->after_write(the_spy, offset);
}

void port_spy_init(struct port_spy *spy, struct adapter_fixture *f)
{
    *spy = (struct port_spy){.f = f, .under = f->s.master->ops};
    spy->ops = *spy->under;
    spy->ops.reg_read64 = spy_read;
    spy->ops.reg_write64 = spy_write;
    f->s.master->ops = &spy->ops;
    the_spy = spy;
}
