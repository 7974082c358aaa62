/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/timing_model.h"

#include "hal/support/bits.h"

#define LINE 128u

/* Credits of the writes (docs/decisions/0003): what keeps up their rate and one more, at most
 * half. */
static uint64_t write_credits(const struct sim_params *p)
{
    return hal_min64(hal_div_up(p->write_latency, p->write_interval) + 1, p->credits / 2);
}

/* From one line to the next: the interval of the link, or what the credits allow (TM-2). */
static uint64_t line_step(const struct sim_params *p, bool from_host)
{
    uint64_t writes = write_credits(p);

    if (from_host)
        return hal_max64(p->read_interval, hal_div_up(p->read_latency, p->credits - writes - 1));
    return hal_max64(p->write_interval, hal_div_up(p->write_latency, writes - 1));
}

uint64_t timing_model_block(const struct sim_params *p, bool write)
{
    return p->fc_block_time + TIMING_MODEL_BLOCK / LINE * line_step(p, write);
}

uint64_t timing_model_command(const struct sim_params *p, bool write, uint32_t bytes)
{
    uint64_t begin = p->mmio_write_latency + p->doorbell_to_fetch + p->read_latency + p->cmd_decode;
    uint64_t port = p->xlt_hit + p->to_port + p->fc_cmd_overhead;
    uint64_t medium = write ? p->media_write : p->media_read;
    uint64_t data = bytes / TIMING_MODEL_BLOCK * timing_model_block(p, write) +
                    (write ? p->read_latency : p->write_latency);
    uint64_t element = hal_max64(p->write_latency, line_step(p, false));

    return begin + port + medium + data + p->status_build + p->write_latency + element;
}
