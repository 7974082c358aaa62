/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the model's blocks share: a model, and one user in little-endian order whose
 * handle 0 is a virtual LUN of one chunk, the first of LUN 0. */
#ifndef TESTS_UNIT_SIM_AFU_FIXTURE_H
#define TESTS_UNIT_SIM_AFU_FIXTURE_H

#include <string.h>

#include "tests/testlib/model.h"

static struct model *m;
static struct model_ctx user;
static const uint64_t chunk0[] = {0};

static inline void up(const char *profile)
{
    m = model_create(profile);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
}

static inline void up_flashsystem(void) { up("flashsystem"); }

static inline void up_zero(void) { up("zero"); }

/* A test may have ended the user itself. */
static inline void down(void)
{
    if (user.sim)
        model_ctx_end(m, &user);
    model_destroy(m);
}

#endif
