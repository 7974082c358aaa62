/* SPDX-License-Identifier: Apache-2.0 */
/* IBM's libcxl as a table of functions: from a library that is opened at run time, from any other
 * source of symbols, or from functions of our own over the kernel's interface. Nothing links
 * against a libcxl (CX-3), so whoever does not use the card does not need one. */
#ifndef BACKENDS_CAPI_CAPI_LIBRARY_H
#define BACKENDS_CAPI_CAPI_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "hal/cxl_abi.h"
#include "hal/support/must_check.h"

#define CAPI_LIBRARY_DEFAULT "libcxl.so.1"

struct cxl_afu_h;
struct cxl_adapter_h;
struct cxl_kernel;
struct cxl_standin;

/** The functions of CX 1.1 under their own names. Those that the back end uses are there; of the
 * others NULL stands for one that the library does not have. */
struct capi_library {
#define CXL_SYMBOL(node, result, name, arguments) result(*name) arguments;
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL
    const struct cxl_standin *standin; /* capi_library_standin() */
    bool direct;                       /* capi_library_direct() */
    void *object;                      /* of dlopen(), or NULL */
    const char *version;               /* "1.7": by its symbols, not by its name (CX-5) */
    char path[256];                    /* where it was found, for reports */
};

/** Opens a library and finds out what it is (CX-4 to CX-6).
 *
 * @param path  of the library; NULL: the soname libcxl.so.1, by the loader's search path
 * @param out   receives the table, owned by the caller until capi_library_close()
 * @param why   receives a sentence of at most `size` bytes when it fails; each reason has its own
 * @return      0; -ENXIO: there is no such library, or it is the Compute Express Link library, or
 *              an unknown one, or older than 1.2, or without a function that the back end needs;
 *              -ENOMEM */
HAL_MUST_CHECK int capi_library_load(const char *path, struct capi_library **out, char *why,
                                     size_t size);

/** The same from any source of symbols: lookup(arg, name) gives the address, or NULL. */
HAL_MUST_CHECK int capi_library_resolve(void *(*lookup)(void *arg, const char *name), void *arg,
                                        struct capi_library **out, char *why, size_t size);

/** The functions that the back end needs, without a library: over the kernel's interface alone
 * (CX-141). `kernel` must outlive it. The functions have no place for a kernel of their own, so all
 * such tables of a process stand on one. Returns 0, -ENOMEM, -EBUSY (another kernel is in use). */
HAL_MUST_CHECK int capi_library_direct(const struct cxl_kernel *kernel, struct capi_library **out);

/** Ends a table; no handle of it is open. NULL is ignored. */
void capi_library_close(struct capi_library *library);

/** The stand-in behind a library (hal/cxl_standin.h), or NULL: it is one for a card. */
const struct cxl_standin *capi_library_standin(const struct capi_library *library);

#endif
