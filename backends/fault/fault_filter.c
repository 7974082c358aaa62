/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/fault/fault_filter.h"

#include "hal/support/bits.h"

#define CYCLE_NS 4
#define DEFAULT_CYCLES 250000 /* as xlate.fault.major of the model */

static const struct fault_site sites[] = {
#define FAULT_SITE(enumerator, name, id, effects, text)                                            \
    [FAULT_SITE_##enumerator] = {name, id, effects, text},
#include "backends/fault/fault_sites.def"
#undef FAULT_SITE
};

_Static_assert(HAL_ARRAY_LENGTH(sites) <= FAULT_SITES_MAX, "counters for each");

const struct fault_registry fault_filter_registry = {sites, HAL_ARRAY_LENGTH(sites)};

/* Not a mutex of the execution contract: that is a scheduling point, and a filter without a plan
 * must not be seen. Held for some instructions. */
static void lock(struct fault_filter *f)
{
    while (__atomic_exchange_n(&f->lock, 1, __ATOMIC_ACQUIRE))
        ;
}

static void unlock(struct fault_filter *f) { __atomic_store_n(&f->lock, 0, __ATOMIC_RELEASE); }

void fault_filter_init(struct fault_filter *f, struct exec *exec)
{
    f->exec = exec;
    f->lock = 0;
    fault_plan_init(&f->plan, &fault_filter_registry);
}

enum fault_effect fault_filter_ask(struct fault_filter *f, enum fault_filter_site site,
                                   uint64_t *arg)
{
    char effect = FAULT_NONE;

    lock(f);
    if (fault_plan_count(&f->plan, site))
        effect = fault_plan_match(&f->plan, site, arg);
    unlock(f);
    return (enum fault_effect)effect;
}

void fault_filter_note(struct fault_filter *f, uint32_t note, uint64_t a, uint64_t b)
{
    lock(f);
    fault_plan_note(&f->plan, note, a, b);
    unlock(f);
}

uint64_t fault_filter_ns(uint64_t cycles) { return (cycles ? cycles : DEFAULT_CYCLES) * CYCLE_NS; }

void fault_filter_pause(struct fault_filter *f, uint64_t ns)
{
    uint64_t deadline = exec_now(f->exec) + ns;
    struct exec_mutex mutex;
    struct exec_cond never;

    exec_mutex_init(f->exec, &mutex, "planned delay");
    exec_cond_init(f->exec, &never, "planned delay");
    exec_mutex_lock(f->exec, &mutex);
    while (exec_cond_wait(f->exec, &never, &mutex, deadline, false) == 0)
        ;
    exec_mutex_unlock(f->exec, &mutex);
    exec_cond_fini(f->exec, &never);
    exec_mutex_fini(f->exec, &mutex);
}

uint64_t fault_filter_deadline(struct fault_filter *f, uint64_t deadline)
{
    uint64_t cycles = 0, ns;
    enum fault_effect effect;

    if (!deadline || deadline == EXEC_FOREVER)
        return deadline;
    effect = fault_filter_ask(f, FAULT_SITE_CLK, &cycles);
    ns = fault_filter_ns(cycles);
    if (effect == FAULT_LATE)
        return hal_min64(deadline, EXEC_FOREVER - 1 - ns) + ns;
    if (effect == FAULT_EARLY)
        return deadline > ns ? deadline - ns : 1;
    return deadline;
}
