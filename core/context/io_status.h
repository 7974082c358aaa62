/* SPDX-License-Identifier: Apache-2.0 */
/* The one table from hardware status to errno for I/O of users: the "block library" columns of
 * SL 18, with the specific errno (R-41, BL-68). Pure and total. Shared inside core only. */
#ifndef CORE_IO_STATUS_H
#define CORE_IO_STATUS_H

#include "core/command/error_decode.h"

/** What is worth trying after a failure. The stack itself does not repeat the I/O of users. */
enum spipe__retry {
    SPIPE__RETRY_NO,         /* fatal */
    SPIPE__RETRY_NOW,        /* at once */
    SPIPE__RETRY_LATER,      /* after a pause */
    SPIPE__RETRY_OTHER_PATH, /* at once, through another port if the LUN has one */
    SPIPE__RETRY_OTHER_PATH_LATER,
};

/** Verdict on one finished I/O. */
struct spipe__io_status {
    int status; /* 0, -EIO, -EBUSY, -ENETDOWN or -ETIMEDOUT */
    enum spipe__retry retry;
};

/**
 * Judges in the order SCSI, FC, AFU, a later part over an earlier one (BL 11.2). Good are: nothing
 * set; only underrun (the residual tells how much is missing); sense key 0 or 1. Codes that nobody
 * knows are -EIO (BL-67).
 */
struct spipe__io_status spipe__io_status(const struct spipe__scsi_result *r);

#endif
