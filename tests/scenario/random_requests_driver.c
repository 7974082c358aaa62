/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests_driver.h"

#include <errno.h>
#include <string.h>

#include "hal/afu_regs.h"

void rr_afu_start(struct rr_afu *a, struct spipe_mapping *m, unsigned context, bool sq_mode)
{
    memset(a, 0, sizeof *a);
    a->toggle = 1;
    a->context = (uint16_t)context;
    a->sq_mode = sq_mode;
    spipe_adap_write64(m, AFU_HOST_ENDIAN_CTRL,
                       HAL_ORDER_HOST == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG
                                                       : AFU_ENDIAN_CTRL_LITTLE);
    spipe_adap_write64(m, AFU_HOST_RRQ_START, (uintptr_t)&a->rrq[0]);
    spipe_adap_write64(m, AFU_HOST_RRQ_END, (uintptr_t)&a->rrq[RR_ELEMENTS - 1]);
    if (sq_mode) {
        spipe_adap_write64(m, AFU_HOST_SQ_START, (uintptr_t)&a->sq[0]);
        spipe_adap_write64(m, AFU_HOST_SQ_END, (uintptr_t)&a->sq[RR_SLOTS - 1]);
    }
}

static void fill(struct rr_afu *a, const struct rr_command *command)
{
    struct afu_ioarcb *rcb = &a->command.ioarcb;

    memset(&a->command, 0, sizeof a->command);
    rcb->ctx_id = xe16_of(HAL_ORDER_HOST, a->context);
    rcb->req_flags = xe16_of(
        HAL_ORDER_HOST, (uint16_t)(AFU_REQ_RES_HNDL | (command->write ? AFU_REQ_HOST_WRITE : 0)));
    rcb->res_hndl = xe32_of(HAL_ORDER_HOST, command->handle);
    rcb->data_len = xe32_of(HAL_ORDER_HOST, command->bytes);
    rcb->data_ea = xe64_of(HAL_ORDER_HOST, (uintptr_t)command->buffer);
    rcb->ioasa = xe64_of(HAL_ORDER_HOST, (uintptr_t)&a->command.ioasa);
    rcb->cdb[0] = command->write ? 0x8A : 0x88; /* WRITE(16), READ(16) */
    hal_be64_put(rcb->cdb + 2, command->lba);
    hal_be32_put(rcb->cdb + 10, command->blocks);
}

void rr_afu_send(struct rr_afu *a, struct spipe_mapping *m, const struct rr_command *command)
{
    fill(a, command);
    if (!a->sq_mode) {
        spipe_adap_write64(m, AFU_HOST_IOARRIN, (uintptr_t)&a->command.ioarcb);
        return;
    }
    a->sq[a->slot] = a->command.ioarcb;
    a->slot = (a->slot + 1) % RR_SLOTS;
    spipe_adap_write64(m, AFU_HOST_SQ_TAIL, (uintptr_t)&a->sq[a->slot]);
}

enum { PATIENCE = 64 }; /* looks at the RRQ before one at a register */

static void next_element(struct rr_afu *a)
{
    if (++a->at == RR_ELEMENTS) {
        a->at = 0;
        a->toggle ^= 1;
    }
}

int rr_afu_io(struct rr_afu *a, struct spipe_mapping *m, const struct rr_command *command)
{
    unsigned looks = 0;

    rr_afu_send(a, m, command);
    while ((__atomic_load_n(&a->rrq[a->at], __ATOMIC_ACQUIRE) & 1) != a->toggle) {
        if (++looks % PATIENCE == 0 && spipe_adap_read64(m, AFU_HOST_ENDIAN_CTRL) == UINT64_MAX)
            return -EIO; /* lost (SP-145) */
        spipe_adap_progress(m);
    }
    next_element(a);
    return afu_rc_good(&a->command.ioasa.rc) ? 0 : -EIO;
}
