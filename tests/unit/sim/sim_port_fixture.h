/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of ports share, beside sim_afu_fixture.h: registers of a port through the master,
 * and the events that came. */
#ifndef TESTS_UNIT_SIM_PORT_FIXTURE_H
#define TESTS_UNIT_SIM_PORT_FIXTURE_H

#include "tests/unit/sim/sim_afu_fixture.h"

static inline uint64_t port_reg(unsigned port, uint64_t reg)
{
    return model_load(m, &m->master, AFU_PORT_REGS(port) + reg);
}

static inline void set_port_reg(unsigned port, uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_PORT_REGS(port) + reg, value);
}

static inline uint64_t global_reg(uint64_t reg)
{
    return model_load(m, &m->master, AFU_GLOBAL_BASE + reg);
}

/* aintr_status, which is cleared. */
static inline uint64_t take_events(void)
{
    uint64_t status = global_reg(AFU_GLOBAL_AINTR_STATUS);

    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR, status);
    return status;
}

static inline void plan(const char *text)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), text, why, sizeof why), 0, "%s", why);
}

static inline uint64_t violations(void)
{
    struct sim_afu_stats stats;

    sim_afu_stats(m->afu, &stats);
    return stats.violations;
}

/* A transfer of whole blocks by resource handle 0; returns fc_rc, afu_rc << 8, scsi_rc << 16. */
static inline uint32_t transfer(unsigned slot, bool write, uint64_t lba, uint32_t blocks)
{
    const struct afu_rc *rc = &user.pair[slot].ioasa.rc;

    model_rw(m, &user, slot, write, 0, lba, blocks, m->buffer);
    cr_assert(model_issue(m, &user, slot, 10000000), "the command never ended");
    return rc->fc_rc | (uint32_t)rc->afu_rc << 8 | (uint32_t)rc->scsi_rc << 16;
}

/* A model with another set of parameters and no user. */
static inline void up_with(const struct sim_params *params)
{
    m = model_create_bare(params);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
}

#endif
