/* SPDX-License-Identifier: Apache-2.0 */
/* Which hits go wrong, and plans as text. */
#include "hal/support/fault_plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

/* As core announces it; tests/unit/core/adapter_test.c compares. */
#define NOTE_STATE 2
#define MACHINE_ADAPTER 2

static const char *const state_name[] = {"PROBING", "PROBED", "NORMAL", "RESET", "FAILED"};

enum { STATE_NORMAL = 2 };

const char *fault_effect_word(char effect)
{
    static const char *const word[128] = {
#define FAULT_EFFECT(enumerator, letter, word) [letter] = word,
#include "hal/support/fault_effects.def"
#undef FAULT_EFFECT
    };

    return (unsigned char)effect < 128 ? word[(unsigned char)effect] : NULL;
}

int fault_state_number(const char *name, size_t n)
{
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(state_name); i++)
        if (strlen(state_name[i]) == n && !memcmp(state_name[i], name, n))
            return (int)i;
    return -1;
}

/* ---- hits ---- */

/* What a hit's number has to be reduced by to be the number that the rule counts. */
static uint64_t uncounted(const struct fault_plan *p, const struct fault_rule *r)
{
    return r->state < 0 ? 0 : p->entered[r->site] - r->before;
}

static bool counts(const struct fault_plan *p, const struct fault_rule *r, unsigned site)
{
    return r->site == site && (r->state < 0 || r->state == p->state);
}

static bool covers(const struct fault_rule *r, uint64_t hit)
{
    return hit >= r->first && (hit - r->first) % r->step == 0 &&
           (hit - r->first) / r->step < r->times;
}

/* The first number from `hit` on that a rule covers; UINT64_MAX if there is none. */
static uint64_t next_covered(const struct fault_rule *r, uint64_t hit)
{
    uint64_t n, at;

    if (hit <= r->first)
        return r->first;
    n = hal_div_up(hit - r->first, r->step);
    if (n >= r->times || __builtin_mul_overflow(n, r->step, &at) ||
        __builtin_add_overflow(at, r->first, &at))
        return UINT64_MAX;
    return at;
}

/* Counts on from `hit` to the next one that a rule wants. */
static void arm(struct fault_plan *p, unsigned site, uint64_t hit)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct fault_rule *r = &p->rule[i];
        uint64_t base, at;

        if (!counts(p, r, site))
            continue;
        base = uncounted(p, r);
        if (!__builtin_add_overflow(next_covered(r, hit + 1 - base), base, &at) && at < next)
            next = at;
    }
    p->next[site] = next;
    p->left[site] = next - hit;
}

static void arm_all(struct fault_plan *p)
{
    for (unsigned s = 0; s < p->registry->count; s++)
        arm(p, s, fault_plan_hits(p, s));
}

void fault_plan_init(struct fault_plan *p, const struct fault_registry *registry)
{
    CHECK(registry->count <= FAULT_SITES_MAX);
    memset(p, 0, sizeof *p);
    p->registry = registry;
    p->state = STATE_NORMAL;
    arm_all(p);
}

void fault_plan_clear(struct fault_plan *p, bool counters)
{
    p->count = p->runs = 0;
    p->unlisted = 0;
    for (unsigned s = 0; s < p->registry->count; s++) {
        if (counters)
            p->entered[s] = 0;
        arm(p, s, counters ? 0 : fault_plan_hits(p, s));
    }
}

void fault_plan_add(struct fault_plan *p, const struct fault_rule *rule)
{
    CHECK(p->count < FAULT_RULES_MAX);
    p->rule[p->count] = *rule;
    p->rule[p->count].before = p->rule[p->count].fired = 0;
    p->count++;
    arm(p, rule->site, fault_plan_hits(p, rule->site));
}

static void list(struct fault_plan *p, uint32_t rule, uint64_t hit)
{
    struct fault_run *run = &p->run[p->runs];

    if (p->runs && run[-1].rule == rule && run[-1].last + 1 == hit)
        run[-1].last = hit;
    else if (p->runs < FAULT_RUNS_MAX)
        p->run[p->runs++] = (struct fault_run){rule, hit, hit};
    else
        p->unlisted++;
}

char fault_plan_match(struct fault_plan *p, unsigned site, uint64_t *arg)
{
    uint64_t hit = fault_plan_hits(p, site);

    arm(p, site, hit);
    for (uint32_t i = 0; i < p->count; i++) {
        struct fault_rule *r = &p->rule[i];

        if (!counts(p, r, site) || !covers(r, hit - uncounted(p, r)))
            continue;
        r->fired++;
        list(p, i, hit);
        if (arg)
            *arg = r->arg;
        return r->effect;
    }
    return 0;
}

void fault_plan_note(struct fault_plan *p, uint32_t note, uint64_t a, uint64_t b)
{
    if (note != NOTE_STATE || a != MACHINE_ADAPTER || b > INT8_MAX)
        return;
    for (uint32_t i = 0; i < p->count; i++) {
        struct fault_rule *r = &p->rule[i];

        if (r->state == p->state)
            r->before += fault_plan_hits(p, r->site) - p->entered[r->site];
    }
    p->state = (int8_t)b;
    for (unsigned s = 0; s < p->registry->count; s++)
        p->entered[s] = fault_plan_hits(p, s);
    arm_all(p);
}

/* ---- as text ---- */

/* A cursor into a buffer that may be too small; `used` goes on counting. */
struct output {
    char *text;
    size_t size, used;
};

static __attribute__((format(printf, 2, 3))) void put(struct output *o, const char *format, ...)
{
    bool room = o->used < o->size;
    va_list args;

    va_start(args, format);
    o->used += (size_t)vsnprintf(room ? o->text + o->used : NULL, room ? o->size - o->used : 0,
                                 format, args);
    va_end(args);
}

static struct output output(char *text, size_t size)
{
    if (size)
        text[0] = 0;
    return (struct output){.text = text, .size = size};
}

static void put_effect(struct output *o, const struct fault_rule *r)
{
    put(o, "=%c", r->effect);
    if (r->arg)
        put(o, "(%" PRIu64 ")", r->arg);
}

static void put_rule(struct output *o, const struct fault_plan *p, const struct fault_rule *r)
{
    put(o, "%s", p->registry->site[r->site].name);
    if (r->state >= 0)
        put(o, "@%s", state_name[r->state]);
    if (r->step > 1)
        put(o, "%%%" PRIu64, r->step);
    else
        put(o, "#%" PRIu64, r->first);
    if (r->times == UINT64_MAX)
        put(o, "%s", r->step > 1 ? "" : "*");
    else if (r->times != 1 || r->step > 1)
        put(o, "x%" PRIu64, r->times);
    put_effect(o, r);
}

size_t fault_rule_format(const struct fault_plan *p, unsigned rule, char *text, size_t size)
{
    struct output o = output(text, size);

    put_rule(&o, p, &p->rule[rule]);
    return o.used;
}

size_t fault_plan_format(const struct fault_plan *p, char *text, size_t size)
{
    struct output o = output(text, size);

    for (uint32_t i = 0; i < p->count; i++) {
        put(&o, "%s", i ? "+" : "");
        put_rule(&o, p, &p->rule[i]);
    }
    return o.used;
}

size_t fault_plan_resolved(const struct fault_plan *p, char *text, size_t size)
{
    struct output o = output(text, size);

    for (uint32_t i = 0; i < p->runs; i++) {
        const struct fault_run *run = &p->run[i];
        const struct fault_rule *r = &p->rule[run->rule];

        put(&o, "%s%s#%" PRIu64, i ? "+" : "", p->registry->site[r->site].name, run->first);
        if (run->last != run->first)
            put(&o, "..%" PRIu64, run->last);
        put_effect(&o, r);
    }
    return o.used;
}
