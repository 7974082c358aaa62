/* SPDX-License-Identifier: Apache-2.0 */
/* Which records of the trace a transcript tells, and how. */
#include <inttypes.h>
#include <string.h>

#include "backends/fault/fault_filter.h"
#include "core/adapter/adapter.h"
#include "core/adapter/adapter_state.h"
#include "core/port/link_reset.h"
#include "hal/afu_names.h"
#include "hal/hal.h"
#include "hal/support/bits.h"
#include "sim/sim_fault.h"
#include "tests/scenario/transcript_internal.h"
#include "tools/trace_words.h"

void transcript_flush(struct transcript *t)
{
    if (*t->last)
        fprintf(t->out, "  %s  %s", t->first_at, t->last);
    if (t->repeated > 1)
        fprintf(t->out, " (%u times)", t->repeated);
    if (*t->last)
        fputc('\n', t->out);
    *t->last = 0;
    t->repeated = 0;
}

/* Tells an event; one that repeats is told once. */
static void tell(struct transcript *t, uint64_t cycle, const char *what)
{
    uint64_t ms = cycle < t->began ? 0 : (cycle - t->began) / 250000;

    if (strcmp(t->last, what) != 0) {
        transcript_flush(t);
        snprintf(t->last, sizeof t->last, "%s", what);
        snprintf(t->first_at, sizeof t->first_at, "%2u.%03u", (unsigned)(ms / 1000),
                 (unsigned)(ms % 1000));
    }
    t->repeated++;
}

/* ---- what core announces ---- */

static bool state_words(const struct transcript *t, const struct sim_trace_record *r, char *words,
                        size_t size)
{
    unsigned steps, step = r->b & 0xFF;

    switch (r->a) {
    case SPIPE__MACHINE_ADAPTER:
        snprintf(words, size, "adapter: %s", spipe_state_name((enum spipe_state)r->b));
        return true;
    case SPIPE__MACHINE_LINK:
        snprintf(words, size, "link reset of port %u: %s", (unsigned)(r->b >> 8),
                 spipe__link_reset_steps(&steps)[step].name);
        return true;
    case SPIPE__MACHINE_BRING_UP:
        snprintf(words, size, "bring-up: %s", spipe__bring_up_steps(&steps)[step].name);
        return t->bring_up;
    case SPIPE__MACHINE_CONTEXT:
        snprintf(words, size, "context %" PRIu64 " %s", r->b & (SPIPE__CONTEXT_LOST - 1),
                 r->b & SPIPE__CONTEXT_LOST ? "is lost" : "is registered");
        return true;
    default:
        return false;
    }
}

/* ---- what the adapter does ---- */

static bool register_words(const struct transcript *t, const struct sim_trace_record *r,
                           char *words, size_t size)
{
    char reg[AFU_REG_NAME_MAX];

    afu_reg_name(r->a, reg, sizeof reg);
    for (unsigned i = 0; i < t->shown_count; i++)
        if (strstr(reg, t->shown[i])) {
            snprintf(words, size, "%s %s = 0x%" PRIx64,
                     r->kind == SIM_EVENT_MMIO_WRITE ? "write" : "read ", reg, r->b);
            return true;
        }
    return false;
}

/* AFU commands, and the answers to them: slots are no news. */
static bool command_words(struct transcript *t, const struct sim_trace_record *r, char *words,
                          size_t size)
{
    uint64_t *set = &t->commands[r->who / 64 % HAL_ARRAY_LENGTH(t->commands)];
    uint64_t slot = UINT64_C(1) << r->who % 64;

    if (r->kind == SIM_EVENT_AFU_CMD && r->b == 0xFF)
        snprintf(words, size, "task management 0x%" PRIx64, r->a);
    else if (r->kind == SIM_EVENT_AFU_CMD)
        snprintf(words, size, "AFU command %s %s", afu_cmd_name((uint8_t)r->a),
                 afu_sync_name((uint8_t)r->b));
    else if (*set & slot)
        snprintf(words, size, "it ends: %s",
                 r->a & 0xFFFFFF ? afu_rc_name((uint8_t)(r->a >> 16)) : "good");
    else
        return false;
    *set = r->kind == SIM_EVENT_AFU_CMD ? *set | slot : *set & ~slot;
    return true;
}

/* Without the number of the hit, so that faults of one kind are one line. */
static bool fault_words(const struct sim_trace_record *r, char *words, size_t size)
{
    const char *text = sim_site_text((enum sim_site)r->who), *arguments = strstr(text, " (");

    snprintf(words, size, "fault %s=%c, %.*s", sim_site_name((enum sim_site)r->who), (char)r->a,
             (int)(arguments ? arguments - text : (ptrdiff_t)strlen(text)), text);
    return true;
}

/* Words of a record that says all by itself, if it is worth a line. */
static bool event_words(const struct sim_trace_record *r, char *words, size_t size)
{
    const struct sim_event_info *info = &sim_event_table[r->kind];
    char fields[TRACE_WORDS_BYTES];

    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_CTX_START:
    case SIM_EVENT_CTX_END:
    case SIM_EVENT_CTX_RESET:
    case SIM_EVENT_AFU_RESET:
    case SIM_EVENT_LINK:
    case SIM_EVENT_AINTR_STATUS:
    case SIM_EVENT_INTR_STATUS:
    case SIM_EVENT_DATA_STORAGE:
    case SIM_EVENT_PLATFORM:
    case SIM_EVENT_VIOLATION:
        snprintf(words, size, "%s %s", info->name, trace_words(info, r, fields, sizeof fields));
        return true;
    default:
        return false;
    }
}

/* Whether a record is worth a line, and its words. */
static bool worth(struct transcript *t, const struct sim_trace_record *r, char *words, size_t size)
{
    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_NOTE:
        return r->who == HAL_NOTE_STATE && state_words(t, r, words, size);
    case SIM_EVENT_MMIO_READ:
    case SIM_EVENT_MMIO_WRITE:
        return register_words(t, r, words, size);
    case SIM_EVENT_AFU_CMD:
    case SIM_EVENT_IOASA:
        return command_words(t, r, words, size);
    case SIM_EVENT_FAULT:
        return fault_words(r, words, size);
    default:
        return event_words(r, words, size);
    }
}

/* An initialisation is told only if it is asked for, apart from what makes it another one. */
static bool skipped(struct transcript *t, const struct sim_trace_record *r)
{
    bool note = r->kind == SIM_EVENT_NOTE && r->who == HAL_NOTE_STATE;

    if (note && r->a == SPIPE__MACHINE_BRING_UP)
        t->initialising = true;
    if (note && r->a == SPIPE__MACHINE_ADAPTER)
        t->initialising = false;
    if (r->kind == SIM_EVENT_AFU_RESET)
        memset(t->commands, 0, sizeof t->commands); /* nothing survives it */
    return t->initialising && !t->bring_up && r->kind != SIM_EVENT_FAULT &&
           r->kind != SIM_EVENT_AFU_RESET && r->kind != SIM_EVENT_PLATFORM &&
           r->kind != SIM_EVENT_MMIO_WRITE;
}

void transcript_events(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct transcript *t = arg;
    char words[TRANSCRIPT_LINE];

    for (size_t i = 0; i < count; i++)
        if (!skipped(t, &records[i]) && worth(t, &records[i], words, sizeof words))
            tell(t, records[i].cycle, words);
}

/* ---- what the filters do: no record of the trace, since core stands above them ---- */

void transcript_filtered(struct transcript *t)
{
    const struct fault_plan *p = &t->s->filter->plan;
    uint64_t fired = 0;
    char resolved[TRANSCRIPT_LINE];

    for (unsigned i = 0; i < p->count; i++)
        fired += p->rule[i].fired;
    if (fired > t->filtered) {
        fault_plan_resolved(p, resolved, sizeof resolved);
        fprintf(t->out, "          filter: %s\n", resolved);
    }
    t->filtered = fired;
}
