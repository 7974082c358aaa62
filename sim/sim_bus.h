/* SPDX-License-Identifier: Apache-2.0 */
/* The face of the model that a driver can see: contexts, register accesses, events, VPD. One
 * caller at a time; nothing here blocks: what takes time returns the cycle at which it is over,
 * and the caller runs the engine (or sleeps) until then. */
#ifndef SIM_SIM_BUS_H
#define SIM_SIM_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

struct sim_afu;
struct sim_ctx;

enum sim_bus_event_kind {
    SIM_BUS_EVENT_NONE,
    SIM_BUS_EVENT_INTERRUPT,
    SIM_BUS_EVENT_DATA_STORAGE,
    SIM_BUS_EVENT_LOST,
};

struct sim_bus_event {
    enum sim_bus_event_kind kind;
    uint32_t number;
    uint64_t address, dsisr;
};

/** Creates a context with the lowest free handle. Returns 0, -ENODEV (none left), -ENOMEM. */
HAL_MUST_CHECK int sim_bus_ctx_create(struct sim_afu *a, bool master, struct sim_ctx **out);

/** Starts it with n interrupts. Returns 0, -EINVAL (outside irq.min..irq.max, masters excepted
 * from the minimum), -ENOSPC (budget used up), -EIO. */
HAL_MUST_CHECK int sim_bus_ctx_start(struct sim_ctx *ctx, unsigned interrupts);

/** Ends it: pending commands are aborted silently, registers cleared (MD-18). */
void sim_bus_ctx_stop(struct sim_ctx *ctx);

/** Frees it, stopping it first if need be. */
void sim_bus_ctx_release(struct sim_ctx *ctx);

uint16_t sim_bus_ctx_handle(const struct sim_ctx *ctx);

/** The key that the model wakes (struct sim_machine.wake) when something happened to ctx. */
uint64_t sim_bus_ctx_key(const struct sim_ctx *ctx);

/** Begins an AFU reset. Returns 0 with the cycle of its end in *done, or -EBUSY while a context
 * exists. */
HAL_MUST_CHECK int sim_bus_afu_reset(struct sim_afu *a, uint64_t *done);

/** Whether the last reset has ended well: 0, -EBUSY (still running), -EIO (it failed). */
HAL_MUST_CHECK int sim_bus_afu_reset_result(const struct sim_afu *a);

/** Posts a 64-bit store. Returns 0, or -EAGAIN when too many accesses are under way: try again at
 * cycle *when. Stores through a context that is not started are dropped. */
HAL_MUST_CHECK int sim_bus_store(struct sim_ctx *ctx, uint64_t offset, uint64_t value,
                                 uint64_t *when);

/** Issues a 64-bit load. *answer and *done must stay valid; *done becomes true when *answer is
 * there, at the cycle put into *when. Returns 0 or -EAGAIN as sim_bus_store. */
HAL_MUST_CHECK int sim_bus_load(struct sim_ctx *ctx, uint64_t offset, uint64_t *answer, bool *done,
                                uint64_t *when);

/** Takes the next event of a context; kind NONE if there is none. */
struct sim_bus_event sim_bus_event(struct sim_ctx *ctx);

/** Whether sim_bus_event() would find an event now; that a context is dead is none. */
bool sim_bus_event_pending(const struct sim_ctx *ctx);

/** Whether sim_bus_event() would give NONE now. */
bool sim_bus_event_none(const struct sim_ctx *ctx);

/** Whether the slot was cut off while the context existed. */
bool sim_bus_ctx_lost(const struct sim_ctx *ctx);

/** Copies the vital product data. Returns its length, at most size, or -EIO. */
HAL_MUST_CHECK int sim_bus_vpd(struct sim_afu *a, void *buf, size_t size);

/** What the platform tells the host about the slot (AD section 13). */
enum sim_bus_platform_event {
    SIM_BUS_PLATFORM_NONE,
    SIM_BUS_PLATFORM_FROZEN,
    SIM_BUS_PLATFORM_SLOT_RESET,
    SIM_BUS_PLATFORM_RESUMED,
    SIM_BUS_PLATFORM_PERMANENT_FAILURE,
    SIM_BUS_PLATFORM_REMOVED,
    SIM_BUS_PLATFORM_OTHER,
};

enum sim_bus_platform_answer {
    SIM_BUS_PLATFORM_NEED_RESET,
    SIM_BUS_PLATFORM_RECOVERED,
    SIM_BUS_PLATFORM_DISCONNECT,
};

/** Takes the next event of the platform; NONE if there is none. */
enum sim_bus_platform_event sim_bus_platform_event(struct sim_afu *a);

/** What sim_bus_platform_event() would give. */
enum sim_bus_platform_event sim_bus_platform_next(const struct sim_afu *a);

/** Whether no event will come before something happens to the slot, or the host answers. */
bool sim_bus_platform_calm(const struct sim_afu *a);

/** Answers the last event. */
void sim_bus_platform_answer(struct sim_afu *a, enum sim_bus_platform_answer answer);

/** The key that the model wakes when sim_bus_platform_event() or _calm() may say something else. */
uint64_t sim_bus_platform_key(const struct sim_afu *a);

/** PCI device number of the card (SL 0.3). */
uint16_t sim_bus_card(const struct sim_afu *a);

/** Names a region of client memory (sim_memory.h). */
HAL_MUST_CHECK int sim_bus_mem_add(struct sim_afu *a, void *addr, size_t size, const char *name);
void sim_bus_mem_remove(struct sim_afu *a, void *addr);

/** Records what a thread of the host is about to do to tables; that it has, though the AFU may not
 * see it yet; that it can see it; and the host's notes. */
void sim_bus_table_store(struct sim_afu *a, uint64_t thread, const void *addr, uint64_t value);
void sim_bus_table_stored(struct sim_afu *a);
void sim_bus_publish(struct sim_afu *a, uint64_t thread, uint64_t stores);
void sim_bus_note(struct sim_afu *a, uint64_t thread, uint32_t what, uint64_t v, uint64_t w);

/** Cycles now, and nanoseconds of virtual time. */
uint64_t sim_bus_now(const struct sim_afu *a);

#endif
