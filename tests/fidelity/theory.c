/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fidelity/theory.h"

#include "hal/support/bits.h"

#define BLOCK 4096u
#define LINE 128u
#define STATUS_LINES 2u /* IOASA and RRQ element */

static uint64_t blocks(const struct load_plan *plan) { return plan->blocks ? plan->blocks : 1; }

static uint64_t luns(const struct load_plan *plan) { return plan->luns ? plan->luns : 1; }

static uint64_t data_lines(const struct load_plan *plan) { return blocks(plan) * BLOCK / LINE; }

/* ---- the bus (timing.md 3, 4, 8) --------------------------------------------------------------
 */

/* Credits of the writes: what keeps up their rate and one for a single command that goes together
 * with a last line, at most half (decision 0003). */
static uint64_t write_credits(const struct sim_params *p)
{
    return hal_min64(hal_div_up(p->write_latency, p->write_interval) + 1, p->credits / 2);
}

/* From one line to the next: the link's interval, or what the credits allow (TM-2). */
static uint64_t read_step(const struct sim_params *p)
{
    return hal_max64(p->read_interval,
                     hal_div_up(p->read_latency, p->credits - write_credits(p) - 1));
}

static uint64_t write_step(const struct sim_params *p)
{
    uint64_t others = write_credits(p) - 1; /* none only without a latency */

    return hal_max64(p->write_interval, others ? hal_div_up(p->write_latency, others) : 0);
}

/* A line that follows another one waits for the response of that one (TM-4) and for the link. */
static uint64_t following_write(const struct sim_params *p)
{
    return hal_max64(p->write_latency, write_step(p));
}

/* ---- one command ------------------------------------------------------------------------------
 */

static uint64_t link_time(const struct sim_params *p, const struct load_plan *plan)
{
    return blocks(plan) * p->fc_block_time;
}

static uint64_t media_time(const struct sim_params *p, const struct load_plan *plan)
{
    if (plan->write)
        return p->media_write;
    return plan->written ? p->media_read : p->media_unwritten;
}

static uint64_t lun_interval(const struct sim_params *p, const struct load_plan *plan)
{
    return plan->write ? p->media_lun_write_interval : p->media_lun_read_interval;
}

/* RHT entry and LXT word, one bus read each. */
static uint64_t table_reads(const struct load_plan *plan)
{
    switch (plan->way) {
    case LOAD_VIRTUAL:
        return 2;
    case LOAD_DIRECT:
        return 1;
    default:
        return 0;
    }
}

uint64_t theory_latency(const struct sim_params *p, const struct load_plan *plan, bool cold)
{
    uint64_t begin = p->mmio_write_latency + p->doorbell_to_fetch + p->read_latency + p->cmd_decode;
    uint64_t tables = cold ? table_reads(plan) * hal_max64(p->read_latency, read_step(p)) : 0;
    uint64_t port = p->xlt_hit + p->to_port + p->fc_cmd_overhead;
    uint64_t data = plan->write ? data_lines(plan) * read_step(p) + p->read_latency
                                : data_lines(plan) * write_step(p) + p->write_latency;
    uint64_t end = p->status_build + p->write_latency + following_write(p);

    return begin + tables + port + media_time(p, plan) + link_time(p, plan) + data + end;
}

/* ---- many of them -----------------------------------------------------------------------------
 */

static uint64_t read_lines(const struct load_plan *plan)
{
    return 1 + (plan->write ? data_lines(plan) : 0);
}

static uint64_t write_lines(const struct load_plan *plan)
{
    return STATUS_LINES + (plan->write ? 0 : data_lines(plan));
}

void theory_stages(const struct sim_params *p, const struct load_plan *plan,
                   struct theory_stage *stages)
{
    uint64_t ports = p->port_choice_rr ? p->ports : 1;
    /* A slot is held from the fetch to the RRQ element, and looks for the next doorbell anew. */
    uint64_t slot = theory_latency(p, plan, false) - p->mmio_write_latency;
    const struct theory_stage all[THEORY_STAGES] = {
        {"register interface", p->mmio_ack, 1, true},
        {"bus, host to card", read_lines(plan) * read_step(p), 1, true},
        {"bus, card to host", write_lines(plan) * write_step(p), 1, true},
        {"command frame", p->fc_cmd_overhead, ports, true},
        {"FC link", link_time(p, plan), ports, true},
        {"LUN", lun_interval(p, plan), luns(plan), true},
        {"card", p->card_interval, 1, true},
        {"places on the medium", media_time(p, plan), p->media_parallel * luns(plan), false},
        {"command slots", slot, p->cmd_slots, false},
    };

    for (unsigned i = 0; i < THEORY_STAGES; i++)
        stages[i] = all[i];
}

struct theory_stage theory_slowest(const struct sim_params *p, const struct load_plan *plan)
{
    struct theory_stage stages[THEORY_STAGES], slowest;

    theory_stages(p, plan, stages);
    slowest = stages[0];
    for (unsigned i = 1; i < THEORY_STAGES; i++)
        if (stages[i].cycles * slowest.per > slowest.cycles * stages[i].per)
            slowest = stages[i];
    return slowest;
}

uint64_t theory_round(const struct sim_params *p, const struct load_plan *plan, unsigned depth)
{
    struct theory_stage s = theory_slowest(p, plan);

    return hal_max64(theory_latency(p, plan, false), hal_div_up(depth * s.cycles, s.per));
}

uint64_t theory_worst_round(const struct sim_params *p, const struct load_plan *plan,
                            unsigned depth)
{
    struct theory_stage stages[THEORY_STAGES];
    uint64_t served = 0; /* of one command, by all serial stages */

    theory_stages(p, plan, stages);
    for (unsigned i = 0; i < THEORY_STAGES; i++)
        if (stages[i].serial)
            served += stages[i].cycles;
    return theory_latency(p, plan, false) + (depth - 1) * served;
}
