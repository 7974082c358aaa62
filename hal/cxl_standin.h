/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol that the stand-in for IBM's libcxl (sim/libcxl) has beyond the 66 of the original:
 *
 *     const struct cxl_standin *cxl_standin(void);
 *
 * By it a program that has a simulated world of its own puts that world below the library; without
 * it the library makes one at the first call. A program that knows the simulator also reaches the
 * device below a handle, so that time can pass while it polls memory, and regions have names. */
#ifndef HAL_CXL_STANDIN_H
#define HAL_CXL_STANDIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/cxl_kernel.h"
#include "hal/exec.h"
#include "hal/hal.h"

#define CXL_STANDIN_SYMBOL "cxl_standin"
#define CXL_STANDIN_VERSION 1u
#define CXL_STANDIN_ADAPTERS_MAX 8

struct cxl_afu_h;

/** A simulated world, as the library needs it. Zero everything, then fill; backends/sim does it
 * (sim_standin_world). Card N of the library is adapter N of the world: afuN.0. */
struct cxl_standin_world {
    uint32_t size; /* of this struct */
    struct exec *exec;
    unsigned adapters;
    struct hal_dev *device[CXL_STANDIN_ADAPTERS_MAX];

    /* A critical section of a world whose threads are fibers of one thread, with `model`: nobody
     * else goes on between the two, and calls that do not wait are no scheduling points. NULL for
     * a world of threads, where the library has a lock of its own. */
    void (*enter)(void *model);
    void (*leave)(void *model);
    void *model;

    /* What the descriptor of every AFU says: contexts, interrupts of one (CX section 7). */
    unsigned process_elements, irqs_min, irqs_max;

    /* Whether an event of a context could be read at once; that it is lost is no event. */
    bool (*event_pending)(struct hal_ctx *ctx);
    /* Calls event(arg) whenever an event of ctx has become readable, and when the platform has told
     * of an error that ends it, from within the model: it may do no more than wake somebody by a
     * descriptor. NULL ends it. */
    void (*watch_context)(struct hal_ctx *ctx, void (*event)(void *arg), void *arg);
    /* The same for platform events of a device. */
    void (*watch_platform)(struct hal_dev *dev, void (*event)(void *arg), void *arg);
};

struct cxl_standin {
    uint32_t version; /* CXL_STANDIN_VERSION */

    /* Puts a world below the library; nothing of it may be in use. `world` is copied; what it
     * names must last until unbind. Returns 0, -EBUSY (handles are open, or a world is bound),
     * -EINVAL (size or number of adapters). */
    int (*bind)(const struct cxl_standin_world *world);
    /* Ends that; all handles are closed. */
    void (*unbind)(void);

    /* The device of a card by the name of its AFU ("afu0.0"), or NULL; the context of an open
     * handle, or NULL. Memory, table stores, publishes, notes and progress go to those. */
    struct hal_dev *(*device)(const char *afu);
    struct hal_ctx *(*context)(struct cxl_afu_h *afu);

    /* The driver below the library, for programs that do without the library. */
    const struct cxl_kernel *kernel;
    /* The context of a descriptor of that driver. */
    struct hal_ctx *(*context_of)(int fd);

    /* Makes something happen (docs/simulator.md lists the words), e.g. "freeze afu0.0". Returns 0
     * or -EINVAL with a sentence in why. */
    int (*control)(const char *words, char *why, size_t size);
};

/** A world of the library's own, for a program that binds none. backends/sim makes it, which the
 * library itself does not know. */
struct cxl_standin_alone;

/** Makes one, as the environment says (docs/simulator.md), and describes it in *world; what is
 * wrong goes to the standard error stream. Returns 0 or a negative errno. */
__attribute__((warn_unused_result)) int cxl_standin_alone_create(struct cxl_standin_alone **out,
                                                                 struct cxl_standin_world *world);

/** Ends it; nothing of it is in use. */
void cxl_standin_alone_destroy(struct cxl_standin_alone *alone);

#endif
