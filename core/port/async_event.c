/* SPDX-License-Identifier: Apache-2.0 */
#include "core/port/async_event.h"

#include <errno.h>

#include "core/adapter/verb.h"
#include "core/lun/rescan.h"
#include "core/mutants.h"
#include "core/port/link_reset.h"
#include "hal/support/bits.h"

#define AINTR_STATUS (AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS)
#define AINTR_CLEAR (AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR)

/* SL 16, the column of the last driver; the same for each port. */
static const uint8_t actions[AFU_AINTR_EVENTS] = {
    [AFU_AINTR_LINK_UP] = SPIPE__ASYNC_LOG,
    [AFU_AINTR_LINK_DN] = SPIPE__ASYNC_LOG,
    [AFU_AINTR_LOGI_S] = SPIPE__ASYNC_SCAN,
    [AFU_AINTR_LOGI_F] = SPIPE__ASYNC_CLEAR,
    [AFU_AINTR_LOGI_R] = SPIPE__ASYNC_LINK_RESET,
    [AFU_AINTR_CRC_T] = SPIPE__ASYNC_LINK_RESET,
    [AFU_AINTR_LOGO] = SPIPE__ASYNC_LOG,
    [AFU_AINTR_OTHER] = SPIPE__ASYNC_LINK_RESET | SPIPE__ASYNC_CLEAR,
};

/* ---- what it means ---- */

static unsigned port_of(unsigned bit)
{
    unsigned port = 0;

    while (AFU_AINTR_SHIFT(port) != bit / 8 * 8)
        port++;
    return port;
}

static void add(struct spipe__async_wants *wants, unsigned port, unsigned action)
{
    if (action & SPIPE__ASYNC_LINK_RESET)
        wants->reset = (uint8_t)((spipe__mutant(D_7) ? 0 : wants->reset) | AFU_PORT_BIT(port));
    if (action & SPIPE__ASYNC_CLEAR)
        wants->clear |= (uint8_t)AFU_PORT_BIT(port);
    if (action & SPIPE__ASYNC_SCAN)
        wants->scan = true;
}

struct spipe__async_wants spipe__async_decode(uint64_t status, unsigned ports)
{
    struct spipe__async_wants wants = {0};

    if (spipe__mutant(D_5))
        status = ~status;
    for (uint64_t bits = status & AFU_AINTR_ALL; bits; bits &= bits - 1) {
        unsigned bit = hal_lowest_bit(bits), port = port_of(bit);

        if (port < ports)
            add(&wants, port, actions[bit % 8]);
        else
            wants.unknown |= HAL_BIT(bit);
    }
    return wants;
}

/* ---- the interrupt ---- */

static void count(struct spipe *s, unsigned port, unsigned event)
{
    struct spipe__port_log *log = &s->port_log[port];
    uint64_t status = spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_STATUS);

    exec_mutex_lock(s->exec, &s->gate.lock);
    log->events[event]++;
    log->fc_status = status;
    exec_mutex_unlock(s->exec, &s->gate.lock);
    spipe__event_raise(s, SPIPE_EVENT_PORT_LINK_UP + event, 1,
                       (const uint64_t[SPIPE_EVENT_FIELDS]){port, status});
}

/* One warning for all of them (AD-87). For the worker. */
static void warn(struct spipe *s, uint64_t unknown)
{
    if (unknown & ~s->unknown_seen)
        spipe__event(s, ASYNC_UNKNOWN, unknown);
    s->unknown_seen |= unknown;
}

/* AD-87: the status is cleared first, so that nothing is lost that comes meanwhile. */
static struct spipe__async_wants take(struct spipe *s)
{
    uint64_t status = spipe__read(s, AINTR_STATUS);
    struct spipe__async_wants wants = {0};

    if (status == HAL_ALL_ONES)
        return wants; /* whoever commands the master next finds out */
    status &= AFU_AINTR_ALL;
    if (!status) {
        spipe__event(s, ASYNC_SPURIOUS, 0);
        return wants;
    }
    spipe__write(s, AINTR_CLEAR, status);
    wants = spipe__async_decode(status, s->ports);
    warn(s, wants.unknown);
    for (uint64_t bits = status & ~wants.unknown; bits; bits &= bits - 1) {
        unsigned bit = hal_lowest_bit(bits);

        count(s, port_of(bit), bit % 8);
    }
    return wants;
}

/* ---- what is done about it ---- */

/* Nothing, when the AFU has been initialised since the events were read, or is about to be. */
static bool begin(struct spipe *s, enum spipe__verb verb, uint64_t generation)
{
    spipe__verb_begin_always(s, verb, SPIPE__NO_CONTEXT);
    if (spipe__gate_state(&s->gate) == SPIPE_STATE_NORMAL && spipe__generation(s) == generation)
        return true;
    (void)spipe__verb_end(s, verb, -EAGAIN);
    return false;
}

static void recover(struct spipe *s, unsigned port, const struct spipe__async_wants *wants,
                    uint64_t generation)
{
    bool clear = wants->clear & AFU_PORT_BIT(port);
    int rc = 0;

    if (!begin(s, SPIPE__VERB_PORT_RESET, generation))
        return;
    if (spipe__mutant(D_20) && clear)
        spipe__link_clear_errors(s, port);
    if (wants->reset & AFU_PORT_BIT(port))
        rc = spipe__link_reset(s, port, clear);
    else
        spipe__link_clear_errors(s, port);
    (void)spipe__verb_end(s, SPIPE__VERB_PORT_RESET, rc);
}

static void rescan(struct spipe *s, uint64_t generation)
{
    int rc = begin(s, SPIPE__VERB_RESCAN, generation) ? spipe__rescan(s) : 0;

    (void)rc; /* what fails is found by whoever uses the LUNs */
}

void spipe__async_run(struct spipe *s)
{
    uint64_t generation = spipe__generation(s);
    struct spipe__async_wants wants;

    if (!begin(s, SPIPE__VERB_PORT_EVENTS, generation))
        return;
    wants = take(s);
    (void)spipe__verb_end(s, SPIPE__VERB_PORT_EVENTS, 0);
    for (unsigned port = 0; port < s->ports; port++)
        if ((wants.reset | wants.clear) & AFU_PORT_BIT(port))
            recover(s, port, &wants, generation);
    if (wants.scan)
        rescan(s, generation);
}

/* ---- what can be asked ---- */

int spipe_port_info(struct spipe *s, unsigned port, struct spipe_port_info *out)
{
    const struct spipe__port_log *log;

    if (port >= s->ports)
        return -EINVAL;
    log = &s->port_log[port];
    exec_mutex_lock(s->exec, &s->gate.lock);
    *out = (struct spipe_port_info){
        .resets = log->resets,
        .resets_failed = log->resets_failed,
        .fc_status = log->fc_status,
        .fc_error = log->fc_error,
    };
    for (unsigned i = 0; i < SPIPE_PORT_EVENTS; i++)
        out->events[i] = log->events[i];
    exec_mutex_unlock(s->exec, &s->gate.lock);
    return 0;
}
