/* SPDX-License-Identifier: Apache-2.0 */
/* The registers, by part of the map. Offsets count from the start of the part. For the files
 * sim_register*.c only. */
#ifndef SIM_AFU_SIM_REGISTER_H
#define SIM_AFU_SIM_REGISTER_H

#include "sim/afu/sim_afu.h"

/** Host transport map of a context (SL 2). `described`: a source says what the offset is. */
bool sim_host_described(uint64_t offset);
void sim_host_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value);
uint64_t sim_host_read(struct sim_ctx *ctx, uint64_t offset);

/** Control map of a context (SL 3). */
bool sim_ctrl_described(uint64_t offset);
bool sim_ctrl_is_address(uint64_t offset); /* of host memory: traces show it in canonical form */
void sim_ctrl_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value);
uint64_t sim_ctrl_read(struct sim_ctx *ctx, uint64_t offset);

/** Global registers (SL 4). */
bool sim_global_described(uint64_t offset);
void sim_global_write(struct sim_afu *a, uint64_t offset, uint64_t value);
uint64_t sim_global_read(struct sim_afu *a, uint64_t offset);

/** Registers of a port (SL 5.3). Only described ones are read and written. */
bool sim_port_described(uint64_t offset);
void sim_port_write(struct sim_port *p, uint64_t offset, uint64_t value);
uint64_t sim_port_read(struct sim_port *p, uint64_t offset);

#endif
