/* SPDX-License-Identifier: Apache-2.0 */
/* The device contract of hal/hal.h over a CAPI Flash card, through IBM's libcxl or the kernel's
 * interface below it. docs/hal.md tells what each operation is there. */
#ifndef BACKENDS_CAPI_CAPI_BACKEND_H
#define BACKENDS_CAPI_CAPI_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct capi_library;
struct cxl_kernel;
struct cxl_standin;
struct exec;

/** What to open. Zero everything, then set `size`, `exec`, `library` and what differs. */
struct capi_config {
    size_t size; /* of this struct */
    struct exec *exec;
    struct capi_library *library;      /* lent until hal_close() */
    const struct cxl_kernel *kernel;   /* NULL: the stand-in's, or else this machine's */
    const struct cxl_standin *standin; /* NULL: the library's, if it is one */
    const char *afu;                   /* "afu0.0"; NULL: the first one */
    uint64_t node_wait_ns; /* how long the platform may take to bring a card back; 0 = 120 s */
    const char *lock_dir;  /* of the lock against a second master; NULL: /run/lock */
    bool users_only;       /* a client of another process's master: no lock, no master contexts */
    void (*log)(void *arg, const char *line); /* one sentence; any thread; NULL: nobody hears */
    void *log_arg;
};

/** Opens an AFU after the checks of CX-95: mode, windows, sizes, interrupts, image, level of the
 * interface (CX-19), no bound cxlflash driver (CX-132), no other master (CX-133).
 *
 * @param why  receives a sentence when it fails
 * @return     0, and a device for hal_close(); -EINVAL (config, or the AFU is set up differently),
 *             -ENODEV (there is none), -EPROTO (level), -EBUSY (driver, other master), -EACCES,
 *             -ENXIO, -EIO, -ENOMEM */
HAL_MUST_CHECK int capi_backend_open(const struct capi_config *config, struct hal_dev **out,
                                     char *why, size_t size);

/** How many AFUs a kernel knows; 0 without a cxl driver. */
unsigned capi_cards(const struct cxl_kernel *kernel);

#endif
