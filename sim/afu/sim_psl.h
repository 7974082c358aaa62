/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the PSL that are no data (timing.md 2.4): what becomes of a bus command that was not
 * carried out, by response code and by what the AFU was doing (TM-11, TM-13, R-11, R-18).
 *
 *                IOARCB, IOASA, RRQ element      data                     RHT, LXT
 *   AERROR       event, PERM_ERR, dropped        event, dropped    event for the owner,
 * status PAGED        automatic retry, or             automatic retry, or      as data
 *                TEMP_ERR_PAGEIN, dropped        status with code 0x0A
 *   others       PERM_ERR, dropped               status with the code     as data
 *
 * After AERROR, DERROR and PAGED the PSL flushes what the context asks for until it gets a RESTART,
 * which is a bus command like any other (TM-11): the AFU sends it first. Commands of the context
 * that were under way have been translated already and are not held up. */
#ifndef SIM_AFU_SIM_PSL_H
#define SIM_AFU_SIM_PSL_H

#include "sim/afu/sim_afu.h"

enum sim_psl_access {
    SIM_PSL_IOARCB,
    SIM_PSL_RHT,
    SIM_PSL_LXT,
    SIM_PSL_DATA,
    SIM_PSL_IOASA,
    SIM_PSL_RRQ,
};

/** A bus command of c, for `access` at effective address `ea`, was answered with `code` (enum
 * afu_psl_code, not 0). The command ends, or tries again; its event must be idle. */
void sim_psl_refused(struct sim_cmd *c, enum sim_psl_access access, uint8_t code, uint64_t ea);

/** The code that a planned fault (effect x) gives to a bus command. */
static inline uint8_t sim_psl_planned(uint64_t arg, enum afu_psl_code otherwise)
{
    return arg & 0xFF ? (uint8_t)arg : (uint8_t)otherwise;
}

#endif
