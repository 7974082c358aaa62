/* SPDX-License-Identifier: Apache-2.0 */
/* The library proper: IBM's 66 functions over a table of system calls (CX 2.7). What is between a
 * caller and them is the library's own behaviour: -1 and errno, buffering, byte order, SIGBUS. */
#ifndef SIM_LIBCXL_LIBCXL_H
#define SIM_LIBCXL_LIBCXL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "hal/cxl_abi.h"
#include "hal/cxl_kernel.h"
#include "sim/libcxl/standin.h"

struct cxl_afu_h;
struct cxl_adapter_h;

#define CXL_SYMBOL(node, result, name, arguments) result name arguments;
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL

#define LIBCXL_NAME 24
#define LIBCXL_PATH 128

/** A handle. Its fields have no lock (CX-24). */
struct cxl_afu_h {
    char name[LIBCXL_NAME]; /* afu0.0 of an enumeration, afu0.0m of an open device */
    char path[LIBCXL_PATH]; /* of its directory */
    unsigned place;         /* in the enumeration */
    int fd;                 /* -1: not open */
    long element;           /* -1: not asked yet */

    uint8_t *buffer; /* of events, CXL_READ_MIN_SIZE bytes; NULL: nothing was read yet */
    size_t first, end;

    void *map; /* NULL: not mapped */
    size_t map_size;
    uint32_t map_flags;
};

struct cxl_adapter_h {
    char name[LIBCXL_NAME];
    char path[LIBCXL_PATH];
    unsigned place;
};

/** Sets errno; returns -1. */
int libcxl_fail(int error);

/** A result of the kernel's: 0 and more as it is, else -1 with errno. */
int libcxl_result(int rc);

/** The path of an attribute in a directory or, by `device` links, one above it. Returns 0, or -1
 * with ENODEV (CX-90). */
int libcxl_find(const char *directory, const char *attribute, char path[LIBCXL_PATH]);

/** A handle that is not open. NULL: no memory. */
struct cxl_afu_h *libcxl_afu_new(void);

/** Whether a name is `prefix`, digits and, for AFUs, '.' and digits (CX-17). */
bool libcxl_is_card(const char *name);
bool libcxl_is_afu(const char *name);

/** Makes the thread end as a NULL that nobody checks does. */
void libcxl_dereference(const void *handle);

/** Whether the library's SIGBUS handler is in place. */
bool libcxl_sigbus_installed(void);

/** Marks the thread as inside an accessor; only a successful access takes the mark back (CX-61). */
void libcxl_sigbus_enter(void);
void libcxl_sigbus_leave(void);

/** Touches a dead mapping inside an accessor: returns when the library's handler has caught it. */
void libcxl_sigbus_touch(void *map, uint64_t offset);

#endif
