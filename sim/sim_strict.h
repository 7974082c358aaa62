/* SPDX-License-Identifier: Apache-2.0 */
/* The strict checker (TM-21): a passive observer of one adapter. It is told what happened, keeps
 * books of its own and says which rule was broken; it knows neither the blocks of the model nor how
 * they compute their times.
 *
 * There are two verdicts, never mixed. A *model error* is an error of the model itself: it broke a
 * rule of its bus or of SISLite's order. A *host violation* is an access that a correct driver or
 * client never makes.
 *
 * Facts about the bus come in two forms: a transfer in closed form, from the event engine, or
 * single commands, halves and responses cycle by cycle, from the reference engine. Cycles of
 * one kind of fact never decrease. */
#ifndef SIM_SIM_STRICT_H
#define SIM_SIM_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hal/afu_cmd.h"
#include "hal/afu_tables.h"
#include "hal/support/endian.h"

enum sim_rule {
#define SIM_RULE(enumerator, name, verdict, source, text) SIM_RULE_##enumerator,
#include "sim/sim_rules.def"
#undef SIM_RULE
    SIM_RULE_COUNT
};

enum sim_verdict { SIM_VERDICT_MODEL, SIM_VERDICT_HOST, SIM_VERDICTS };

/** What the tables say about a rule. */
struct sim_rule_info {
    const char *name, *source, *text;
    enum sim_verdict verdict;
};

extern const struct sim_rule_info sim_rule_table[SIM_RULE_COUNT];

/** Name of a rule, as a trace record gives its number; "?" if there is none. */
const char *sim_rule_name(uint64_t rule);

/** A rule that was broken. */
struct sim_breach {
    uint64_t cycle, detail; /* detail: by rule; addresses in canonical form or their low bits */
    uint32_t context;
    uint16_t rule; /* enum sim_rule */
};

/** Is told of each breach; may be NULL. */
typedef void sim_strict_told(void *arg, const struct sim_breach *b);

/* Never on the way of a run that breaks no rule. */
#define SIM_STRICT_COLD __attribute__((cold, noinline))

#define SIM_STRICT_CONTEXTS 512
#define SIM_STRICT_SLOTS 256
#define SIM_STRICT_TAGS 256
#define SIM_STRICT_RUNS 16
/* Commands that may wait for the command interface: in each direction the last line of a transfer
 * and a single command behind it can become ready in one cycle, and one of the four goes (0003). */
#define SIM_STRICT_SKID 3

/** What a transfer is for, in the order in which a command does it. */
enum sim_strict_what {
    SIM_STRICT_IOARCB,
    SIM_STRICT_TABLE, /* RHT and LXT entries */
    SIM_STRICT_DATA,
    SIM_STRICT_IOASA,
    SIM_STRICT_ELEMENT, /* of the RRQ */
    SIM_STRICT_RESTART, /* of the context: a command without data */
};

/** One direction of the bus, from transfers in closed form. */
struct sim_strict_bus {
    uint64_t last;          /* cycle of its last command */
    uint64_t single;        /* first cycle of a single command; of a longer transfer a step later */
    uint64_t step, latency; /* the stream is at most this dense ... */
    uint32_t under_way;     /* ... so that not more than this are under way */
};

/** What the bus takes from a context. */
enum sim_strict_state { SIM_STRICT_NOT_ADDED, SIM_STRICT_ADDED, SIM_STRICT_FLUSHES };

struct sim_strict_ctx {
    uint64_t rrq_start, elements; /* 0 elements: no RRQ */
    uint64_t rht_start, rht_bytes;
};

struct sim_strict_tag {
    uint16_t context;
    uint8_t direction, wanted, delivered; /* bit a half */
    bool used;
};

/** A buffer read request whose data have not come. */
struct sim_strict_request {
    uint64_t cycle;
    uint8_t tag, half;
};

#define SIM_STRICT_REQUESTS 8

/** Table entries that were stored and not published: [start, end). */
struct sim_strict_run {
    uint64_t start, end;
};

struct sim_strict {
    /* closed form */
    struct sim_strict_bus bus[2];

    /* by command slot, which has one command at a time */
    uint64_t answered[SIM_STRICT_SLOTS]; /* cycle of the last response */
    uint64_t handle[SIM_STRICT_SLOTS];   /* sim_strict_handle of its translation, or 0 */
    uint8_t what[SIM_STRICT_SLOTS];      /* it did last */

    /* cycle by cycle; cycles are those of the next that is allowed */
    uint64_t command_next, response_next, write_next, read_next;
    uint32_t tags_used;
    struct sim_strict_tag tag[SIM_STRICT_TAGS];
    uint32_t requests; /* the oldest first */
    struct sim_strict_request request[SIM_STRICT_REQUESTS];

    uint64_t mmio_next;
    uint32_t credits, read_latency, ports;
    uint8_t state[SIM_STRICT_CONTEXTS]; /* enum sim_strict_state */
    uint32_t contexts;                  /* above all that were ever added */
    uint32_t runs;
    struct sim_strict_run run[SIM_STRICT_RUNS];
    struct sim_strict_ctx ctx[SIM_STRICT_CONTEXTS];

    uint64_t total[SIM_VERDICTS];
    uint64_t count[SIM_RULE_COUNT];
    struct sim_breach first[SIM_VERDICTS];
    sim_strict_told *told;
    void *told_arg;
};

/** Facts that do not change while the adapter runs. */
struct sim_strict_config {
    uint32_t credits;      /* commands under way, both directions together */
    uint32_t read_latency; /* cycles, declared for write data */
    uint32_t ports;
    sim_strict_told *told;
    void *told_arg;
};

/** Starts with empty books. s is plain data; nothing is allocated. */
void sim_strict_init(struct sim_strict *s, const struct sim_strict_config *config);

/** Says that a rule was broken. */
SIM_STRICT_COLD void sim_strict_breach(struct sim_strict *s, uint64_t now, enum sim_rule rule,
                                       uint32_t context, uint64_t detail);

/** Breaches of a verdict as text: each rule with its number, then the first of them in full. Empty
 * text without any. Returns text. */
const char *sim_strict_text(const struct sim_strict *s, enum sim_verdict verdict, char *text,
                            size_t size);

/* ---- the bus in closed form (event engine) ---------------------------------------------------
 */

/** A transfer: its commands become ready one by one, `step` cycles apart. */
struct sim_strict_transfer {
    uint64_t ea, bytes;
    uint64_t first, last;   /* cycles in which its first and its last command are ready */
    uint64_t step, latency; /* of the direction: cycles between commands, command to response */
    uint32_t commands;
    uint32_t credits; /* in force, both directions together */
    uint16_t context, slot;
    uint8_t direction; /* 0: host memory is read, 1: written */
    uint8_t what;      /* enum sim_strict_what */
};

/** Looks at a transfer that something is wrong with, or the pace of whose direction is new. */
SIM_STRICT_COLD void sim_strict_examine(struct sim_strict *s, const struct sim_strict_transfer *t);

/* As many commands as it has to have (TM-7), when it is an aligned power of two or whole lines:
 * nearly all there is. */
static inline bool sim_strict_plain(const struct sim_strict_transfer *t)
{
    if (t->commands == 1 && t->bytes <= 128 && !((t->bytes - 1) & (t->bytes | t->ea)))
        return true;
    return (t->ea | t->bytes) % 128 == 0 && t->bytes / 128 == t->commands;
}

/* Whether a slot may do that now, after what it did last. A fetch begins a new command. */
static inline bool sim_strict_in_order(const struct sim_strict *s, size_t slot, uint8_t what,
                                       uint64_t first)
{
    uint8_t last = s->what[slot];
    bool after = what == SIM_STRICT_ELEMENT ? last == SIM_STRICT_IOASA
                 : what == SIM_STRICT_IOASA ? last < what
                                            : last <= what;

    return what == SIM_STRICT_IOARCB || (after && first >= s->answered[slot]);
}

/** Whether the pace of its direction is new. */
static inline bool sim_strict_new_pace(const struct sim_strict *s,
                                       const struct sim_strict_transfer *t)
{
    const struct sim_strict_bus *b = &s->bus[t->direction];

    return t->step != b->step || t->latency != b->latency || t->credits != s->credits;
}

/** Whether something else is wrong with a transfer. */
static inline bool sim_strict_odd(const struct sim_strict *s, const struct sim_strict_transfer *t)
{
    uint64_t soonest = s->bus[t->direction].single + (t->commands > 1 ? t->step : 0);

    return t->first < soonest || s->state[t->context] != SIM_STRICT_ADDED || !sim_strict_plain(t) ||
           !sim_strict_in_order(s, t->slot, t->what, t->first);
}

/** A transfer goes that was looked at. */
static inline void sim_strict_note(struct sim_strict *s, const struct sim_strict_transfer *t)
{
    struct sim_strict_bus *b = &s->bus[t->direction];
    uint64_t *answered = &s->answered[t->slot];

    b->last = t->last;
    b->single = t->last + (t->commands > 1 ? 0 : t->step);
    *answered = t->last + t->latency;
    s->what[t->slot] = t->what;
}

/** A transfer is asked for. Whoever knows that it goes at the pace of the one before it, of which
 * this was told, may ask sim_strict_odd() instead and, if nothing is, call sim_strict_note(). */
static inline void sim_strict_transfer(struct sim_strict *s, const struct sim_strict_transfer *t)
{
    if (__builtin_expect(sim_strict_new_pace(s, t) || sim_strict_odd(s, t), 0)) {
        struct sim_strict_transfer copy = *t; /* t itself stays in registers */

        sim_strict_examine(s, &copy);
    }
    sim_strict_note(s, t);
}

/* ---- the bus cycle by cycle (reference engine) -----------------------------------------------
 */

/** A command leaves with a tag. */
struct sim_strict_command {
    uint64_t ea;
    uint32_t size;
    uint16_t context;
    uint8_t tag;
    uint8_t direction;
};

/** So many credits are in force. */
static inline void sim_strict_credits(struct sim_strict *s, uint32_t credits)
{
    s->credits = credits;
}

void sim_strict_command(struct sim_strict *s, uint64_t now, const struct sim_strict_command *c);

/** So many commands wait for the command interface at the end of a cycle. */
void sim_strict_skid(struct sim_strict *s, uint64_t now, uint32_t waiting);

/** A half of a line that is read from host memory is delivered. */
void sim_strict_buffer_write(struct sim_strict *s, uint64_t now, uint8_t tag, unsigned half);

/** A half of a line that is written is asked for; and supplied. */
void sim_strict_buffer_read(struct sim_strict *s, uint64_t now, uint8_t tag, unsigned half);
void sim_strict_buffer_data(struct sim_strict *s, uint64_t now, uint8_t tag, unsigned half);

/** A command is answered; its tag is free again and its credit back. */
void sim_strict_response(struct sim_strict *s, uint64_t now, uint8_t tag);

/** What a command slot does with a transfer that is asked for now; and that its last command was
 * answered. */
void sim_strict_begin(struct sim_strict *s, uint64_t now, uint16_t slot, uint16_t context,
                      uint8_t what);
void sim_strict_answered(struct sim_strict *s, uint64_t now, uint16_t slot);

/* ---- life of commands ------------------------------------------------------------------------
 */

/** Whether so many commands of a context under way are more than its RRQ has elements. */
static inline bool sim_strict_too_many(const struct sim_strict *s, uint16_t context,
                                       uint64_t under_way)
{
    return __builtin_expect(under_way > s->ctx[context].elements, 0);
}

/** Commands were submitted; with them so many of the context are under way. */
static inline void sim_strict_submitted(struct sim_strict *s, uint64_t now, uint16_t context,
                                        uint64_t under_way)
{
    if (sim_strict_too_many(s, context, under_way))
        sim_strict_breach(s, now, SIM_RULE_RRQ_SMALL, context, under_way);
}

/** What the slot had asked for is not waited for: a time-out or a reset ends the command early. */
void sim_strict_abandoned(struct sim_strict *s, uint16_t slot);

/** The RRQ element is in memory, the interrupt may go. */
SIM_STRICT_COLD void sim_strict_not_posted(struct sim_strict *s, uint64_t now, uint16_t slot,
                                           uint16_t context);
static inline void sim_strict_posted(struct sim_strict *s, uint64_t now, uint16_t slot,
                                     uint16_t context)
{
    if (__builtin_expect((now < s->answered[slot]) | (s->what[slot] != SIM_STRICT_ELEMENT), 0))
        sim_strict_not_posted(s, now, slot, context);
}

/** The slot holds a translation of (context, handle); and is free again. */
#define SIM_STRICT_TRANSLATED (UINT64_C(1) << 63)
#define SIM_STRICT_REVOKED (UINT64_C(1) << 62)

static inline uint64_t sim_strict_handle(uint16_t context, uint32_t handle)
{
    return SIM_STRICT_TRANSLATED | (uint64_t)context << 32 | handle;
}

static inline void sim_strict_translated(struct sim_strict *s, uint16_t slot, uint16_t context,
                                         uint32_t handle)
{
    s->handle[slot] = sim_strict_handle(context, handle);
}

static inline void sim_strict_free(struct sim_strict *s, uint16_t slot) { s->handle[slot] = 0; }

/** A heavy-weight sync of (context, handle) begins: what was translated until now is revoked; and
 * it ends, when nobody may use that any more. */
void sim_strict_revoke(struct sim_strict *s, uint16_t context, uint32_t handle);
void sim_strict_synced(struct sim_strict *s, uint64_t now, uint16_t context, uint32_t handle);

/* ---- contexts, registers, resets -------------------------------------------------------------
 */

/** A context is added; and terminated, when nothing of it is issued any more. */
void sim_strict_ctx_add(struct sim_strict *s, uint16_t context);
void sim_strict_ctx_terminate(struct sim_strict *s, uint16_t context);

/** The AFU takes a register access, and acknowledges it `ack` cycles later. */
static inline void sim_strict_mmio(struct sim_strict *s, uint64_t now, uint64_t ack)
{
    uint64_t soonest = s->mmio_next;

    s->mmio_next = now + ack;
    if (__builtin_expect(now < soonest, 0))
        sim_strict_breach(s, now, SIM_RULE_MMIO_ONE, 0, soonest);
}

/** A store to a register (an absolute offset, SL 1) takes effect, with so many commands of the
 * context that it belongs to under way. */
void sim_strict_register(struct sim_strict *s, uint64_t now, uint64_t offset, uint64_t value,
                         uint64_t under_way);

/** Another engine drives the bus from here, which was idle: what the first one did is forgotten. */
void sim_strict_forget(struct sim_strict *s);

/** An AFU reset begins, without a context: nothing is sent from now on, whatever was announced. */
void sim_strict_reset_begins(struct sim_strict *s, uint64_t now);

/** An AFU reset is over. */
void sim_strict_reset(struct sim_strict *s, uint64_t now);

/** A command of a context was answered with a code after which the context flushes (AERROR, DERROR,
 * PAGED); and its RESTART is issued. */
void sim_strict_error(struct sim_strict *s, uint16_t context);

/** Behind a RESTART the slot may do again what it did last (enum sim_strict_what); so may a command
 * that works in parts, from its tables on. */
void sim_strict_again(struct sim_strict *s, uint16_t slot, uint8_t what);
void sim_strict_restart(struct sim_strict *s, uint64_t now, uint16_t context);

/* ---- what the host wrote to memory -----------------------------------------------------------
 */

/** Looks at an IOARCB that something is wrong with. */
SIM_STRICT_COLD void sim_strict_ioarcb_examine(struct sim_strict *s, uint64_t now, uint16_t context,
                                               enum hal_order order, const struct afu_ioarcb *r,
                                               uint64_t ioasa_ea);

/** The AFU has read an IOARCB of a context of an order; in SQ mode ioasa_ea is what the slot says,
 * else 0. */
static inline void sim_strict_ioarcb(struct sim_strict *s, uint64_t now, uint16_t context,
                                     enum hal_order order, const struct afu_ioarcb *r,
                                     uint64_t ioasa_ea)
{
    unsigned flags = xe16_get(order, r->req_flags);
    uint32_t reserved;

    memcpy(&reserved, r->reserved, sizeof reserved);
    if (__builtin_expect(((flags & ~(unsigned)AFU_REQ_DEFINED) | !(flags & AFU_REQ_RES_HNDL) |
                          reserved | xe32_get(order, r->ioadl_len) | r->rrq |
                          ioasa_ea % AFU_BLOCK_ALIGN) != 0,
                         0))
        sim_strict_ioarcb_examine(s, now, context, order, r, ioasa_ea);
}

/** Looks at an RHT entry, and at an LXT entry, that something may be wrong with. */
SIM_STRICT_COLD void sim_strict_rht_examine(struct sim_strict *s, uint64_t now, uint16_t context,
                                            enum hal_order order, const struct afu_rht_entry *e);
SIM_STRICT_COLD void sim_strict_lxt_examine(struct sim_strict *s, uint64_t now, uint16_t context,
                                            uint64_t ea, uint64_t word);

/** The AFU has read an RHT entry. */
static inline void sim_strict_rht_read(struct sim_strict *s, uint64_t now, uint16_t context,
                                       enum hal_order order, const struct afu_rht_entry *e)
{
    bool virtual = afu_rht_entry_format(e) == AFU_RHT_FORMAT_VIRTUAL;

    if (__builtin_expect(
            !afu_rht_entry_reserved_clear(e) ||
                (virtual && afu_rht_unpack_virtual(order, e).lxt_start % AFU_LXT_ENTRY_SIZE),
            0))
        sim_strict_rht_examine(s, now, context, order, e);
}

/** The AFU has read an LXT entry at ea, whose word is a host number here. */
static inline void sim_strict_lxt_read(struct sim_strict *s, uint64_t now, uint16_t context,
                                       uint64_t ea, uint64_t word)
{
    if (__builtin_expect(((word & AFU_LXT_RESERVED) | s->runs) != 0, 0))
        sim_strict_lxt_examine(s, now, context, ea, word);
}

/** Whether ea lies in the RHT of a context, as its registers say. */
bool sim_strict_in_rht(const struct sim_strict *s, uint64_t ea, uint16_t *context);

/** The host stores a word of an RHT entry at ea, which makes the entry `with`. */
void sim_strict_rht_store(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t ea,
                          enum hal_order order, const struct afu_rht_entry *with);

/** The host stores a word of another table at ea. */
void sim_strict_lxt_store(struct sim_strict *s, uint64_t ea);

/** All stores so far can be seen by the AFU. */
void sim_strict_publish(struct sim_strict *s);

#endif
