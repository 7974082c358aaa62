/* SPDX-License-Identifier: Apache-2.0 */
/* A libcxl and a cxl driver without a device, scripted by a test of backends/capi: attribute files
 * are texts, the registers are memory, events are a queue. It does what it is told to, and writes
 * down what it was asked for.
 *
 * libcxl's functions have no place for an object of the caller's, so there is one of it, fake_cxl.
 * Calls may come from any thread; the test changes it while nobody calls. */
#ifndef SPIPE_TESTS_TESTLIB_FAKE_CXL_H
#define SPIPE_TESTS_TESTLIB_FAKE_CXL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/capi/capi_library.h"
#include "hal/cxl_abi.h"
#include "hal/cxl_kernel.h"

#define FAKE_CXL_EVENTS 16
#define FAKE_CXL_LOG 4096

struct fake_cxl {
    /* How calls end; 0 = well. */
    int open_errno, attach_errno, map_errno, element_errno, node_errno;
    bool old_kernel; /* ERR_FF is EINVAL */
    bool raw;        /* cxl_mmio_ptr() works; else accessors */
    bool frozen;     /* loads give all ones (accessors) */
    bool closed;     /* reading events gives EIO */
    int element;     /* of the next context; -1 = the lowest free one */
    uint16_t irqs;   /* of the last attach */
    uint64_t flags, wed;

    unsigned handles, contexts; /* open ones: of any kind, with a node */
    unsigned opened, loads, stores, sigbus_installed;
    char
        log[FAKE_CXL_LOG]; /* "open afu0.0m", "attach", "map", "unmap", "free", "write PATH=TEXT" */
};

extern struct fake_cxl fake_cxl;

/** A card with one AFU that passes all checks: afu0.0 in /sys/class/cxl, card0, its PCI function
 * 0006:00:00.0; zero registers; nothing written down. */
void fake_cxl_init(void);

/** Ends it; asserts that every handle was freed. */
void fake_cxl_fini(void);

/** Its library. `without`: names that it does not have, NULL-terminated, or NULL. To be closed. */
struct capi_library *fake_cxl_library(const char *const *without);

/** Address of one of its functions; for capi_library_resolve(). arg: `without`. */
void *fake_cxl_lookup(void *arg, const char *name);

/** Its driver: device nodes by accessors, attribute files, links. */
extern const struct cxl_kernel fake_cxl_kernel;

/** An attribute below /sys/class/cxl, or elsewhere if it begins with '/'; NULL takes it away. */
void fake_cxl_attribute(const char *path, const char *text);

/** From now on reading and writing it fails so; 0 ends that. */
void fake_cxl_refuse(const char *path, int error);

/** A symbolic link. */
void fake_cxl_link(const char *path, const char *target);

/** Takes away everything below a path. */
void fake_cxl_remove(const char *path);

/** The registers: 0x2020000 bytes, big-endian; a user of element n has its 64 KiB at n * 64 KiB. */
uint64_t fake_cxl_register(uint64_t offset);
void fake_cxl_set_register(uint64_t offset, uint64_t value);

/** The card stops: every load gives ones, with accessors or without. */
void fake_cxl_freeze(void);
void fake_cxl_thaw(void);

/** Takes the pages of the registers away: SIGBUS for who uses a pointer. */
void fake_cxl_cut_off(void);

/** Puts an event into the queue of the context that was opened last, and makes it readable. */
void fake_cxl_event(const struct cxl_event *event);

/** Makes its descriptor readable without an event. */
void fake_cxl_wake(void);

#endif
