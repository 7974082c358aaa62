/* SPDX-License-Identifier: Apache-2.0 */
/* What a port is and does: registers of the AFU (SL 5.3), read when they are asked for. What core
 * has done about the port is in spipe_port_info().
 *
 * Part of core/superpipe.h, which includes it. */
#ifndef CORE_SUPERPIPE_PORT_H
#define CORE_SUPERPIPE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spipe;

enum spipe_port_statistic {
#define SPIPE_PORT_STATISTIC(id, name, reg) SPIPE_PORT_##id,
#include "core/port/port_statistics.def"
#undef SPIPE_PORT_STATISTIC
    SPIPE_PORT_STATISTICS
};

struct spipe_port_statistics {
    bool online, offline; /* neither: on its way, or nobody knows */
    bool selected;        /* commands may use it: not while its link is reset, or offline by hand */
    uint64_t wwpn;        /* as the port has it (FC_PNAME); 0 = none */
    uint64_t port_id;     /* of its login */
    uint64_t fc_status, fc_error; /* registers */
    uint64_t value[SPIPE_PORT_STATISTICS];
};

/** The name of a statistic, NULL past the last. */
const char *spipe_port_statistic_name(unsigned statistic);

/** Reads them, of port 0 .. ports - 1. Nothing is cleared by that. Returns 0; -EINVAL (no such
 * port); -ENODEV (the adapter failed, or answers nothing); -EINTR as all requests. Any thread. */
__attribute__((warn_unused_result)) int spipe_port_statistics(struct spipe *s, unsigned port,
                                                              struct spipe_port_statistics *out);

#ifdef __cplusplus
}
#endif

#endif
