/* SPDX-License-Identifier: Apache-2.0 */
/* The language of fault plans. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/check.h"
#include "hal/support/fault_plan.h"
#include "hal/support/number.h"

/* Where the parser stands, and what it says when it gives up. */
struct parser {
    struct fault_plan *const *plans;
    unsigned n;
    const char *at;   /* next character */
    const char *term; /* first character of the rule it is in */
    unsigned number;  /* of that rule, from 1 */
    char *why;
    size_t size;
};

/* Writes "fault 2, 'rrq#0=d': <sentence>" and returns -EINVAL. */
static __attribute__((format(printf, 2, 3))) int refuse(struct parser *p, const char *format, ...)
{
    char term[48];
    size_t n = 0;
    int used;
    va_list args;

    if (!p->why || !p->size)
        return -EINVAL;
    for (; p->term[n] && p->term[n] != '+' && n < sizeof term - 1; n++)
        term[n] = hal_number_shown(p->term[n]);
    term[n] = 0;
    used = snprintf(p->why, p->size, "fault %u, '%s': ", p->number, term);
    if (used < 0 || (size_t)used >= p->size)
        return -EINVAL;
    va_start(args, format);
    vsnprintf(p->why + used, p->size - (size_t)used, format, args);
    va_end(args);
    return -EINVAL;
}

static bool take(struct parser *p, char c)
{
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

/* Takes a number that says `what`. */
static int take_number(struct parser *p, const char *what, uint64_t *value)
{
    int rc = hal_number_take(&p->at, value);

    if (rc == -ERANGE)
        return refuse(p, "the %s does not fit in 64 bits", what);
    return rc ? refuse(p, "the %s is missing or not a number", what) : 0;
}

/* The number of a site, or -1. */
static int find(const struct fault_registry *registry, const char *name, size_t n)
{
    for (unsigned s = 0; s < registry->count; s++)
        if (strlen(registry->site[s].name) == n && !memcmp(registry->site[s].name, name, n))
            return (int)s;
    return -1;
}

static int take_site(struct parser *p, struct fault_plan **plan, struct fault_rule *r)
{
    size_t n = strcspn(p->at, "@#%=+*()");

    for (unsigned i = 0; i < p->n; i++) {
        int site = find(p->plans[i]->registry, p->at, n);

        if (site < 0)
            continue;
        *plan = p->plans[i];
        r->site = (uint32_t)site;
        p->at += n;
        return 0;
    }
    return n ? refuse(p, "there is no such site") : refuse(p, "the name of a site is missing");
}

/* Nothing, or "@RESET". */
static int take_state(struct parser *p, struct fault_rule *r)
{
    size_t n;

    r->state = -1;
    if (!take(p, '@'))
        return 0;
    n = strspn(p->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    r->state = (int8_t)fault_state_number(p->at, n);
    p->at += n;
    return r->state < 0 ? refuse(p, "there is no such state of an adapter") : 0;
}

/* Nothing, or "x3". */
static int take_times(struct parser *p, struct fault_rule *r)
{
    int rc = 0;

    if (take(p, 'x'))
        rc = take_number(p, "number of times", &r->times);
    if (!rc && !r->times)
        rc = refuse(p, "a fault that happens 0 times");
    return rc;
}

/* Behind ".." */
static int take_last(struct parser *p, struct fault_rule *r)
{
    uint64_t last = 0;
    int rc = take_number(p, "last hit", &last);

    if (!rc && last < r->first)
        rc = refuse(p, "the last hit lies before the first one");
    if (!rc)
        r->times = last - r->first + 1;
    return rc;
}

/* Behind '#': "17", "17*", "17x3" or "17..19". */
static int take_hits(struct parser *p, struct fault_rule *r)
{
    int rc = take_number(p, "hit", &r->first);

    r->step = r->times = 1;
    if (!rc && !r->first)
        rc = refuse(p, "hits count from 1");
    if (rc)
        return rc;
    if (take(p, '*')) {
        r->times = UINT64_MAX;
        return 0;
    }
    if (p->at[0] == '.' && p->at[1] == '.') {
        p->at += 2;
        return take_last(p, r);
    }
    return take_times(p, r);
}

/* Behind '%': "100" or "100x3". */
static int take_distance(struct parser *p, struct fault_rule *r)
{
    int rc = take_number(p, "distance", &r->step);

    r->first = r->step;
    r->times = UINT64_MAX;
    if (!rc && !r->step)
        rc = refuse(p, "a distance of 0 hits");
    return rc ? rc : take_times(p, r);
}

static int take_when(struct parser *p, struct fault_rule *r)
{
    if (take(p, '#'))
        return take_hits(p, r);
    if (take(p, '%'))
        return take_distance(p, r);
    return refuse(p, "'#' and the number of a hit, or '%%' and a distance, must follow the site");
}

/* The word of an effect that the site offers, as a whole. */
static bool take_word(struct parser *p, const char *offered, struct fault_rule *r)
{
    size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz");

    for (; *offered; offered++) {
        const char *word = fault_effect_word(*offered);

        if (!word || strlen(word) != n || memcmp(word, p->at, n))
            continue;
        r->effect = *offered;
        p->at += n;
        return true;
    }
    return false;
}

static int take_effect(struct parser *p, const char *offered, struct fault_rule *r)
{
    if (!take(p, '='))
        return refuse(p, "'=' and an effect must follow the hit");
    if (!*p->at || *p->at == '+')
        return refuse(p, "the effect is missing (the site offers: %s)", offered);
    if (take_word(p, offered, r))
        return 0;
    if (!strchr(offered, *p->at))
        return refuse(p, "the site does not offer this effect (it offers: %s)", offered);
    r->effect = *p->at++;
    return 0;
}

/* Nothing, or "(250)". */
static int take_argument(struct parser *p, struct fault_rule *r)
{
    int rc;

    if (!take(p, '('))
        return 0;
    rc = take_number(p, "argument", &r->arg);
    if (!rc && !take(p, ')'))
        rc = refuse(p, "')' must follow the argument");
    return rc;
}

static int take_rule(struct parser *p, struct fault_plan **plan, struct fault_rule *r)
{
    int rc;

    p->term = p->at;
    p->number++;
    *r = (struct fault_rule){0};
    rc = take_site(p, plan, r);
    CHECK(rc || *plan);
    if (!rc)
        rc = take_state(p, r);
    if (!rc)
        rc = take_when(p, r);
    if (!rc)
        rc = take_effect(p, (*plan)->registry->site[r->site].effects, r);
    if (!rc)
        rc = take_argument(p, r);
    if (!rc && *p->at && *p->at != '+')
        rc = refuse(p, "'+' or the end must follow the effect");
    if (!rc && p->number > FAULT_RULES_MAX)
        rc = refuse(p, "a plan has at most %d faults", FAULT_RULES_MAX);
    return rc;
}

/* Goes through all rules; `keep` adds them to their plans. */
static int take_all(struct parser p, bool keep)
{
    struct fault_plan *plan = NULL;
    struct fault_rule rule;
    int rc;

    do {
        rc = take_rule(&p, &plan, &rule);
        if (!rc && keep)
            fault_plan_add(plan, &rule);
    } while (!rc && take(&p, '+'));
    return rc;
}

int fault_plans_load(struct fault_plan *const *plans, unsigned n, const char *text, char *why,
                     size_t size)
{
    struct parser p = {.plans = plans, .n = n, .at = text, .why = why, .size = size};
    int rc = *text ? take_all(p, false) : 0;

    if (rc)
        return rc;
    for (unsigned i = 0; i < n; i++)
        fault_plan_clear(plans[i], *text != 0);
    return *text ? take_all(p, true) : 0;
}
