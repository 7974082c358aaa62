/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every request before its handler runs: which codes exist, how long their
 * structures are, when they are let in, and what their header must say. Steps 2 to 9 of
 * docs/spec/superpipe.md section 5 as one table and two pure functions; copying and the gate belong
 * to the caller:
 *
 *   spipe__ioctl_admit -> spipe__gate_pass(rule->admission) -> copy rule->size bytes in, EFAULT
 *     -> spipe__ioctl_check_header -> handler
 *
 * That order is also the precedence of the errors. Shared inside core only. */
#ifndef CORE_IOCTL_CHECK_H
#define CORE_IOCTL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/adapter/gate.h"
#include "hal/support/must_check.h"

/** Where a request arrives; either place knows its own requests only. */
enum spipe__ioctl_face {
    SPIPE__IOCTL_DISK, /* a LUN: DK_CXLFLASH_ */
    SPIPE__IOCTL_HOST, /* the adapter's character device: HT_CXLFLASH_ (SP-173) */
};

/** What admission looks at. */
struct spipe__ioctl_site {
    enum spipe__ioctl_face face;
    bool internal_lun; /* lun_mode is not 0 (SP-14) */
    bool lun_enabled;  /* MANAGE_LUN has enabled the LUN (SP-16); not looked at for a host */
};

/** One request. */
struct spipe__ioctl_rule {
    uint32_t request;
    uint16_t size;                   /* bytes copied in and, on success, out (SP-7, SP-23) */
    bool not_on_internal_lun;        /* SP-14 */
    bool any_lun;                    /* need not be enabled (SP-16) */
    enum spipe__admission admission; /* SP-17, SP-18, SP-24 */
};

/**
 * Decides whether there is such a request here (SP-14..SP-16); whether it has to wait for the state
 * of the adapter comes after that (SP-17, R-37).
 *
 * @param site     where and when
 * @param request  code; a caller's wider integer is cut to 32 bits, as system calls do
 * @param rule     receives the request's row of the table if the result is 0, else untouched
 * @return         0; -EINVAL: unknown here, not on an internal LUN, LUN not enabled
 */
HAL_MUST_CHECK int spipe__ioctl_admit(const struct spipe__ioctl_site *site, uint32_t request,
                                      const struct spipe__ioctl_rule **rule);

/**
 * Checks the header of a request that was copied in (SP-20, SP-21, AD-211). Flags, a host's
 * sub-command and everything behind the header are the handler's.
 *
 * @param face  where it arrived
 * @param arg   the structure, at any alignment
 * @return      0; -EINVAL for another version than 0, or reserved words or return flags not 0
 */
HAL_MUST_CHECK int spipe__ioctl_check_header(enum spipe__ioctl_face face, const void *arg);

#endif
