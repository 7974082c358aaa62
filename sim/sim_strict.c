/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that the model itself has to keep (TM-1..TM-11, R-46); sim_strict_host.c has those of the
 * host. */
#include "sim/sim_strict.h"

#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

#define LINE 128u
#define HALF 64u

const struct sim_rule_info sim_rule_table[SIM_RULE_COUNT] = {
#define SIM_RULE(enumerator, name, verdict, source, text)                                          \
    [SIM_RULE_##enumerator] = {name, source, text, SIM_VERDICT_##verdict},
#include "sim/sim_rules.def"
#undef SIM_RULE
};

const char *sim_rule_name(uint64_t rule)
{
    return rule < SIM_RULE_COUNT ? sim_rule_table[rule].name : "?";
}

void sim_strict_init(struct sim_strict *s, const struct sim_strict_config *config)
{
    memset(s, 0, sizeof *s);
    s->credits = config->credits;
    s->read_latency = config->read_latency;
    s->ports = config->ports;
    s->told = config->told;
    s->told_arg = config->told_arg;
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

void sim_strict_breach(struct sim_strict *s, uint64_t now, enum sim_rule rule, uint32_t context,
                       uint64_t detail)
{
    struct sim_breach b = {
        .cycle = now, .detail = detail, .context = (uint16_t)context, .rule = (uint16_t)rule};
    enum sim_verdict verdict = sim_rule_table[rule].verdict;

    if (!s->total[verdict]++)
        s->first[verdict] = b;
    s->count[rule]++;
    if (s->told)
        s->told(s->told_arg, &b);
}

static size_t append(char *text, size_t size, size_t at, const char *more)
{
    int n = at < size ? snprintf(text + at, size - at, "%s", more) : 0;

    return at + (size_t)n;
}

const char *sim_strict_text(const struct sim_strict *s, enum sim_verdict verdict, char *text,
                            size_t size)
{
    const struct sim_breach *b = &s->first[verdict];
    char part[128];
    size_t at = 0;

    CHECK(size);
    text[0] = 0;
    for (unsigned r = 0; r < SIM_RULE_COUNT; r++) {
        if (!s->count[r] || sim_rule_table[r].verdict != verdict)
            continue;
        snprintf(part, sizeof part, "%s%llu x %s (%s)", at ? ", " : "",
                 (unsigned long long)s->count[r], sim_rule_table[r].name, sim_rule_table[r].source);
        at = append(text, size, at, part);
    }
    if (!at)
        return text;
    snprintf(part, sizeof part, "; first: %s in cycle %llu, context %u, detail 0x%llx",
             sim_rule_table[b->rule].name, (unsigned long long)b->cycle, b->context,
             (unsigned long long)b->detail);
    append(text, size, at, part);
    return text;
}

/* ---- the bus in closed form -------------------------------------------------------------------
 */

/* Aligned powers of two that make up [at, end) within one line. */
static uint64_t pieces(uint64_t at, uint64_t end)
{
    uint64_t n = 0;

    for (; at < end; n++) {
        uint64_t size = LINE;

        while (size > 1 && (at % size || at + size > end))
            size /= 2;
        at += size;
    }
    return n;
}

/* Commands that a transfer has to have (TM-7): a read takes lines, a write nothing but its bytes.
 * Only the pieces in front of the first and behind the last whole line are looked at. */
static uint64_t commands_of(const struct sim_strict_transfer *t)
{
    uint64_t at = t->ea & (LINE - 1), end = at + t->bytes;

    if (!t->direction)
        return (end + LINE - 1) / LINE;
    if (end <= LINE)
        return pieces(at, end);
    return (at ? pieces(at, LINE) : 0) + pieces(0, end % LINE) + end / LINE - (at ? 1 : 0);
}

/* Cycle of the last response. */
static uint64_t answered(const struct sim_strict_bus *b) { return b->last + b->latency; }

/* The stream of a direction from now on: commands at least a step apart, but for a single one that
 * is ready together with the last of a transfer. */
static void stream(struct sim_strict *s, const struct sim_strict_transfer *t)
{
    struct sim_strict_bus *b = &s->bus[t->direction];
    const struct sim_strict_bus *other = &s->bus[!t->direction];
    uint64_t most = hal_div_up(t->latency, hal_max64(t->step, 1)) + 1;

    if (t->first < answered(b)) /* what was sent at the other pace is still there */
        most = hal_max64(most, b->under_way);
    b->under_way = (uint32_t)hal_min64(most, UINT32_MAX);
    b->step = t->step;
    b->latency = t->latency;
    if (most + (t->first < answered(other) ? other->under_way : 0) > s->credits)
        sim_strict_breach(s, t->first, SIM_RULE_BUS_CREDIT, t->context, most);
}

static void check_context(struct sim_strict *s, uint64_t now, uint16_t context)
{
    if (s->state[context] == SIM_STRICT_FLUSHES)
        sim_strict_breach(s, now, SIM_RULE_RESTART, context, 0);
    else if (s->state[context] != SIM_STRICT_ADDED)
        sim_strict_breach(s, now, SIM_RULE_CTX_STATE, context, 0);
}

static void check_order(struct sim_strict *s, uint64_t now, uint16_t slot, uint16_t context,
                        uint8_t what)
{
    if (!sim_strict_in_order(s, slot, what, now))
        sim_strict_breach(s, now, SIM_RULE_BUS_ORDER, context, what);
}

void sim_strict_examine(struct sim_strict *s, const struct sim_strict_transfer *t)
{
    const struct sim_strict_bus *b = &s->bus[t->direction];
    uint64_t soonest = b->single + (t->commands > 1 ? t->step : 0);

    check_context(s, t->first, t->context);
    if (t->first < soonest || t->step < 2)
        sim_strict_breach(s, t->first, SIM_RULE_BUS_COMMAND, t->context, soonest);
    if (!sim_strict_plain(t) && commands_of(t) != t->commands)
        sim_strict_breach(s, t->first, SIM_RULE_BUS_SIZE, t->context, t->commands);
    if (sim_strict_new_pace(s, t)) {
        s->credits = t->credits;
        stream(s, t);
    }
    check_order(s, t->first, t->slot, t->context, t->what);
}

/* ---- the bus cycle by cycle -------------------------------------------------------------------
 */

/* An interface that takes one a cycle. */
static void once_a_cycle(struct sim_strict *s, uint64_t now, uint64_t *next, enum sim_rule rule,
                         uint32_t context)
{
    if (now < *next)
        sim_strict_breach(s, now, rule, context, now);
    *next = now + 1;
}

void sim_strict_command(struct sim_strict *s, uint64_t now, const struct sim_strict_command *c)
{
    struct sim_strict_tag *tag = &s->tag[c->tag];

    once_a_cycle(s, now, &s->command_next, SIM_RULE_BUS_COMMAND, c->context);
    check_context(s, now, c->context);
    if (!hal_is_power_of_2(c->size) || c->size > LINE || c->ea % c->size)
        sim_strict_breach(s, now, SIM_RULE_BUS_SIZE, c->context, c->size);
    if (tag->used)
        sim_strict_breach(s, now, SIM_RULE_BUS_TAG, c->context, c->tag);
    else if (++s->tags_used > s->credits)
        sim_strict_breach(s, now, SIM_RULE_BUS_CREDIT, c->context, s->tags_used);
    *tag = (struct sim_strict_tag){.used = true,
                                   .context = c->context,
                                   .direction = c->direction,
                                   .wanted = c->size > HALF ? 3 : 1 << (c->ea / HALF % 2)};
}

void sim_strict_skid(struct sim_strict *s, uint64_t now, uint32_t waiting)
{
    if (waiting > SIM_STRICT_SKID)
        sim_strict_breach(s, now, SIM_RULE_BUS_SKID, 0, waiting);
}

/* The command that a buffer transfer belongs to; a transfer for nobody uses no tag well. */
static struct sim_strict_tag *buffer(struct sim_strict *s, uint64_t now, uint8_t number,
                                     uint8_t direction)
{
    struct sim_strict_tag *tag = &s->tag[number];

    if (!tag->used || tag->direction != direction)
        sim_strict_breach(s, now, SIM_RULE_BUS_TAG, tag->context, number);
    return tag;
}

void sim_strict_buffer_write(struct sim_strict *s, uint64_t now, uint8_t number, unsigned half)
{
    struct sim_strict_tag *tag = buffer(s, now, number, 0);

    once_a_cycle(s, now, &s->write_next, SIM_RULE_BUS_BUFFER, tag->context);
    tag->delivered |= (uint8_t)(1u << half);
}

void sim_strict_buffer_read(struct sim_strict *s, uint64_t now, uint8_t number, unsigned half)
{
    struct sim_strict_tag *tag = buffer(s, now, number, 1);

    once_a_cycle(s, now, &s->read_next, SIM_RULE_BUS_BUFFER, tag->context);
    if (s->requests == SIM_STRICT_REQUESTS)
        sim_strict_breach(s, now, SIM_RULE_BUS_READ_LATENCY, tag->context, number);
    else
        s->request[s->requests++] = (struct sim_strict_request){now, number, (uint8_t)half};
}

/* Data come in the order of their requests; the AFU sees a request in the cycle after it appears.
 */
void sim_strict_buffer_data(struct sim_strict *s, uint64_t now, uint8_t number, unsigned half)
{
    struct sim_strict_tag *tag = buffer(s, now, number, 1);
    struct sim_strict_request r = s->request[0];

    if (!s->requests || r.tag != number || r.half != half || now != r.cycle + 1 + s->read_latency)
        sim_strict_breach(s, now, SIM_RULE_BUS_READ_LATENCY, tag->context, now - r.cycle);
    if (s->requests)
        memmove(s->request, s->request + 1, --s->requests * sizeof r);
    tag->delivered |= (uint8_t)(1u << half);
}

void sim_strict_response(struct sim_strict *s, uint64_t now, uint8_t number)
{
    struct sim_strict_tag *tag = &s->tag[number];

    once_a_cycle(s, now, &s->response_next, SIM_RULE_BUS_RESPONSE, tag->context);
    if (!tag->used) {
        sim_strict_breach(s, now, SIM_RULE_BUS_TAG, tag->context, number);
        return;
    }
    if ((tag->delivered & tag->wanted) != tag->wanted)
        sim_strict_breach(s, now, SIM_RULE_BUS_HALVES, tag->context, tag->delivered);
    tag->used = false;
    s->tags_used--;
}

/* ---- life of commands -------------------------------------------------------------------------
 */

void sim_strict_abandoned(struct sim_strict *s, uint16_t slot) { s->answered[slot] = 0; }

void sim_strict_begin(struct sim_strict *s, uint64_t now, uint16_t slot, uint16_t context,
                      uint8_t what)
{
    check_order(s, now, slot, context, what);
    s->what[slot] = what;
    s->answered[slot] = UINT64_MAX;
}

void sim_strict_answered(struct sim_strict *s, uint64_t now, uint16_t slot)
{
    s->answered[slot] = now;
}

void sim_strict_not_posted(struct sim_strict *s, uint64_t now, uint16_t slot, uint16_t context)
{
    sim_strict_breach(s, now, SIM_RULE_BUS_ORDER, context, s->what[slot]);
}

void sim_strict_revoke(struct sim_strict *s, uint16_t context, uint32_t handle)
{
    for (unsigned i = 0; i < SIM_STRICT_SLOTS; i++)
        if (s->handle[i] == sim_strict_handle(context, handle))
            s->handle[i] |= SIM_STRICT_REVOKED;
}

void sim_strict_synced(struct sim_strict *s, uint64_t now, uint16_t context, uint32_t handle)
{
    uint64_t revoked = sim_strict_handle(context, handle) | SIM_STRICT_REVOKED;

    for (unsigned i = 0; i < SIM_STRICT_SLOTS; i++)
        if (s->handle[i] == revoked)
            sim_strict_breach(s, now, SIM_RULE_XLT_STALE, context, handle);
}

/* ---- contexts, resets -------------------------------------------------------------------------
 */

void sim_strict_ctx_add(struct sim_strict *s, uint16_t context)
{
    s->ctx[context] = (struct sim_strict_ctx){0};
    s->state[context] = SIM_STRICT_ADDED;
    s->contexts = (uint32_t)hal_max64(s->contexts, context + 1u);
}

void sim_strict_ctx_terminate(struct sim_strict *s, uint16_t context)
{
    s->ctx[context] = (struct sim_strict_ctx){0};
    s->state[context] = SIM_STRICT_NOT_ADDED;
}

void sim_strict_forget(struct sim_strict *s)
{
    memset(s->bus, 0, sizeof s->bus);
    memset(s->tag, 0, sizeof s->tag);
    s->tags_used = s->requests = 0;
}

void sim_strict_reset_begins(struct sim_strict *s, uint64_t now)
{
    for (uint32_t i = 0; i < s->contexts; i++)
        if (s->state[i] != SIM_STRICT_NOT_ADDED)
            sim_strict_breach(s, now, SIM_RULE_RESET_IDLE, i, s->state[i]);
    for (unsigned d = 0; d < 2; d++) {
        s->bus[d].last = hal_min64(s->bus[d].last, now);
        s->bus[d].single = hal_min64(s->bus[d].single, now);
    }
}

void sim_strict_reset(struct sim_strict *s, uint64_t now)
{
    if (s->tags_used || answered(&s->bus[0]) > now || answered(&s->bus[1]) > now)
        sim_strict_breach(s, now, SIM_RULE_RESET_IDLE, 0, s->tags_used);
    sim_strict_forget(s);
}

void sim_strict_error(struct sim_strict *s, uint16_t context)
{
    s->state[context] = SIM_STRICT_FLUSHES;
}

void sim_strict_restart(struct sim_strict *s, uint64_t now, uint16_t context)
{
    if (s->state[context] != SIM_STRICT_FLUSHES)
        sim_strict_breach(s, now, SIM_RULE_RESTART, context, 1);
    s->state[context] = SIM_STRICT_ADDED;
}

/* As if it had come no further than to what must precede it. */
void sim_strict_again(struct sim_strict *s, uint16_t slot, uint8_t what)
{
    bool follows = what == SIM_STRICT_IOASA || what == SIM_STRICT_ELEMENT;

    s->what[slot] = (uint8_t)(follows ? what - 1 : what);
}
