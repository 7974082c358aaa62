/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/sim_number.h"

static const struct site_info {
    const char *name, *id, *effects, *text;
} site_table[SIM_SITE_COUNT] = {
#define SIM_SITE(enumerator, name, id, effects, text)                                              \
    [SIM_SITE_##enumerator] = {name, id, effects, text},
#include "sim/sim_sites.def"
#undef SIM_SITE
};

const char *sim_site_name(enum sim_site site) { return site_table[site].name; }

const char *sim_site_id(enum sim_site site) { return site_table[site].id; }

const char *sim_site_effects(enum sim_site site) { return site_table[site].effects; }

const char *sim_site_text(enum sim_site site) { return site_table[site].text; }

const char *sim_effect_word(enum sim_effect effect)
{
    static const char *const word[128] = {
        [SIM_EFFECT_DROP] = "drop",
        [SIM_EFFECT_TWICE] = "twice",
        [SIM_EFFECT_LATE] = "late",
        [SIM_EFFECT_EARLY] = "early",
        [SIM_EFFECT_VALUE] = "value",
        [SIM_EFFECT_ERROR] = "error",
        [SIM_EFFECT_NEVER] = "never",
        [SIM_EFFECT_SHORT] = "short",
        [SIM_EFFECT_ONES] = "ones",
        [SIM_EFFECT_REFUSE] = "refuse",
        [SIM_EFFECT_FLAP] = "flap",
        [SIM_EFFECT_STALE] = "stale",
        [SIM_EFFECT_CRC] = "crc",
        [SIM_EFFECT_LOGOUT] = "logout",
        [SIM_EFFECT_PORT_ERROR] = "porterror",
    };

    return (unsigned)effect < 128 ? word[effect] : NULL;
}

/* The first hit behind `hit` that a fault wants; UINT64_MAX if none does. */
static uint64_t next_wanted(const struct sim_faults *f, enum sim_site site, uint64_t hit)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < f->count; i++) {
        const struct sim_fault *fault = &f->fault[i];
        uint64_t at = hit + 1 < fault->first ? fault->first : hit + 1;

        if (fault->site == site && at - fault->first < fault->times && at < next)
            next = at;
    }
    return next;
}

/* Counts on from `hit`. */
static void arm(struct sim_faults *f, enum sim_site site, uint64_t hit)
{
    f->next[site] = next_wanted(f, site, hit);
    f->left[site] = f->next[site] - hit;
}

enum sim_effect sim_fault_match(struct sim_faults *f, enum sim_site site, uint64_t *arg)
{
    uint64_t hit = sim_fault_hits(f, site);

    arm(f, site, hit);
    for (uint32_t i = 0; i < f->count; i++) {
        struct sim_fault *fault = &f->fault[i];
        /* The subtraction cannot wrap as first + times could. */
        if (fault->site != site || hit < fault->first || hit - fault->first >= fault->times)
            continue;
        fault->fired++;
        if (arg)
            *arg = fault->arg;
        return fault->effect;
    }
    return SIM_EFFECT_NONE;
}

void sim_faults_init(struct sim_faults *f)
{
    memset(f, 0, sizeof *f);
    for (int s = 0; s < SIM_SITE_COUNT; s++)
        arm(f, (enum sim_site)s, 0);
}

/* ---- parser ---- */

/* Where the parser stands, and what it says when it gives up. */
struct parser {
    const char *at;   /* next character */
    const char *term; /* first character of the term it is in */
    unsigned number;  /* of that term, from 1 */
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
        term[n] = sim_number_shown(p->term[n]);
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
    int rc = sim_number_take(&p->at, value);

    if (rc == -ERANGE)
        return refuse(p, "the %s does not fit in 64 bits", what);
    return rc ? refuse(p, "the %s is missing or not a number", what) : 0;
}

static int take_site(struct parser *p, struct sim_fault *fault)
{
    size_t n = strcspn(p->at, "#=+*()");

    for (unsigned s = 0; s < SIM_SITE_COUNT; s++) {
        if (strlen(site_table[s].name) != n || memcmp(site_table[s].name, p->at, n))
            continue;
        fault->site = (enum sim_site)s;
        p->at += n;
        return take(p, '#') ? 0 : refuse(p, "'#' and the number of a hit must follow the site");
    }
    return n ? refuse(p, "there is no such site") : refuse(p, "the name of a site is missing");
}

/* "17", "17*" or "17x3". */
static int take_hits(struct parser *p, struct sim_fault *fault)
{
    int rc = take_number(p, "hit", &fault->first);

    fault->times = 1;
    if (!rc && !fault->first)
        rc = refuse(p, "hits count from 1");
    if (!rc && take(p, '*'))
        fault->times = UINT64_MAX;
    else if (!rc && take(p, 'x'))
        rc = take_number(p, "number of times", &fault->times);
    if (!rc && !fault->times)
        rc = refuse(p, "a fault that happens 0 times");
    return rc;
}

/* The word of an effect that the site offers, as a whole. */
static bool take_word(struct parser *p, const char *offered, struct sim_fault *fault)
{
    size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz");

    for (; *offered; offered++) {
        const char *word = sim_effect_word((enum sim_effect) * offered);

        if (!word || strlen(word) != n || memcmp(word, p->at, n))
            continue;
        fault->effect = (enum sim_effect) * offered;
        p->at += n;
        return true;
    }
    return false;
}

static int take_effect(struct parser *p, struct sim_fault *fault)
{
    const char *offered = site_table[fault->site].effects;

    if (!take(p, '='))
        return refuse(p, "'=' and an effect must follow the hit");
    if (!*p->at || *p->at == '+')
        return refuse(p, "the effect is missing (the site offers: %s)", offered);
    if (take_word(p, offered, fault))
        return 0;
    if (!strchr(offered, *p->at))
        return refuse(p, "the site does not offer this effect (it offers: %s)", offered);
    fault->effect = (enum sim_effect) * p->at++;
    return 0;
}

/* Nothing, or "(250)". */
static int take_argument(struct parser *p, struct sim_fault *fault)
{
    int rc;

    if (!take(p, '('))
        return 0;
    rc = take_number(p, "argument", &fault->arg);
    if (!rc && !take(p, ')'))
        rc = refuse(p, "')' must follow the argument");
    return rc;
}

static int take_term(struct parser *p, struct sim_fault *fault)
{
    int rc;

    p->term = p->at;
    p->number++;
    *fault = (struct sim_fault){0};
    rc = take_site(p, fault);
    if (!rc)
        rc = take_hits(p, fault);
    if (!rc)
        rc = take_effect(p, fault);
    if (!rc)
        rc = take_argument(p, fault);
    if (!rc && *p->at && *p->at != '+')
        rc = refuse(p, "'+' or the end must follow the effect");
    return rc;
}

int sim_faults_load(struct sim_faults *f, const char *plan, char *why, size_t size)
{
    struct sim_fault fault[SIM_FAULTS_MAX];
    struct parser p = {.at = plan, .why = why, .size = size};
    uint32_t count = 0;
    int rc = 0;

    if (!*plan) {
        f->armed = false;
        f->count = 0;
        for (int s = 0; s < SIM_SITE_COUNT; s++)
            arm(f, (enum sim_site)s, sim_fault_hits(f, (enum sim_site)s));
        return 0;
    }
    do {
        struct sim_fault one;
        rc = take_term(&p, &one);
        if (!rc && count == SIM_FAULTS_MAX)
            rc = refuse(&p, "a plan has at most %d faults", SIM_FAULTS_MAX);
        if (!rc)
            fault[count++] = one;
    } while (!rc && take(&p, '+'));
    if (rc)
        return rc;
    sim_faults_init(f);
    memcpy(f->fault, fault, count * sizeof fault[0]);
    f->count = count;
    f->armed = true;
    for (int s = 0; s < SIM_SITE_COUNT; s++)
        arm(f, (enum sim_site)s, 0);
    return 0;
}

/* ---- back to text ---- */

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

size_t sim_faults_format(const struct sim_faults *f, char *text, size_t size)
{
    struct output o = {.text = text, .size = size};

    if (size)
        text[0] = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        const struct sim_fault *fault = &f->fault[i];
        put(&o, "%s%s#%" PRIu64, i ? "+" : "", site_table[fault->site].name, fault->first);
        if (fault->times == UINT64_MAX)
            put(&o, "*");
        else if (fault->times != 1)
            put(&o, "x%" PRIu64, fault->times);
        put(&o, "=%c", (char)fault->effect);
        if (fault->arg)
            put(&o, "(%" PRIu64 ")", fault->arg);
    }
    return o.used;
}
