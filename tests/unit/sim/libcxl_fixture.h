/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for libcxl over a simulated host, as a program meets it: by the 66 functions, and by
 * the system calls below them. */
#ifndef TESTS_UNIT_SIM_LIBCXL_FIXTURE_H
#define TESTS_UNIT_SIM_LIBCXL_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <sys/types.h>

#include "hal/cxl_abi.h"
#include "hal/cxl_standin.h"
#include "tests/conformance/hal_conformance_sim.h"

#define CXL_SYMBOL(node, result, name, arguments) result name arguments;
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL

const struct cxl_standin *cxl_standin(void);

#define CXL_AFU "/sys/class/cxl/afu0.0"
#define CXL_CARD "/sys/class/cxl/card0"
#define CXL_PCI "/sys/devices/pci0000:00/0000:00:00.0"
#define CXL_MASTER_NODE "/dev/cxl/afu0.0m"
#define CXL_SLAVE_NODE "/dev/cxl/afu0.0s"

/** A host over fibers with `adapters` cards (0: one), bound; the end of both. */
void libcxl_up(unsigned adapters);
void libcxl_down(void);

struct conf_sim *libcxl_sim(void);

/** Runs body(NULL) as the first fiber. */
void libcxl_run(void (*body)(void *));

const struct cxl_kernel *libcxl_kernel(void);

/** A control word that must be taken. */
void libcxl_say(const char *words);

/** Opens a node, and attaches with 4 interrupts and ERR_FF if wanted; asserts that it works. */
struct cxl_afu_h *libcxl_open(const char *node);
struct cxl_afu_h *libcxl_attached(const char *node, bool err_ff);

/** The same, mapped big-endian. */
struct cxl_afu_h *libcxl_mapped(const char *node, bool err_ff);

/** Attribute files: the text that is there; what writing gives. */
const char *libcxl_text(const char *path);
int libcxl_write(const char *path, const char *text);

/** Whether a call fails with this errno, and not with one that was left from before. */
#define LIBCXL_FAILS(call, error) (errno = 0, (call) == -1 && errno == (error))

/** Runs body in a child process without its messages; returns the signal that ended it, or the
 * negative of its exit status. */
int libcxl_death(void (*body)(void));

#endif
