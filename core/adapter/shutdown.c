/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/shutdown.h"

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "hal/support/bits.h"

#define PAUSE_STEP (100 * SPIPE__MILLISECOND) /* AD-172: 100, 200, 300, 400 ms */

enum { LOOKS = 5 }; /* AD-172 */

/* SL 0.3. */
static bool wants_notification(uint16_t card)
{
    static const uint16_t flagged[] = {0x0600 /* FlashGT */, 0x0624 /* Briard */};

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(flagged); i++)
        if (flagged[i] == card)
            return true;
    return false;
}

static void tell(struct spipe *s, unsigned port)
{
    uint64_t reg = AFU_PORT_REGS(port) + AFU_FC_CONFIG2;

    spipe__write(s, reg, spipe__read(s, reg) | AFU_FC_CONFIG2_SHUTDOWN_NORMAL);
}

static bool has_finished(struct spipe *s, unsigned port)
{
    return spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_STATUS) & AFU_FC_STATUS_SHUTDOWN_COMPLETE;
}

/* AD-172. */
static bool finishes(struct spipe *s, unsigned port)
{
    for (unsigned i = 1; !has_finished(s, port); i++) {
        if (i == LOOKS)
            return false;
        spipe__pause(s->exec, i * PAUSE_STEP);
    }
    return true;
}

unsigned spipe__shutdown_notify(struct spipe *s)
{
    unsigned late = 0;

    if (!wants_notification(s->dev->card) || !s->master)
        return 0;
    for (unsigned p = 0; p < s->ports; p++) /* AD-171 */
        tell(s, p);
    for (unsigned p = 0; p < s->ports; p++)
        if (!finishes(s, p))
            late |= AFU_PORT_BIT(p);
    return late;
}
