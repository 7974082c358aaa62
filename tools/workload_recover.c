/* SPDX-License-Identifier: Apache-2.0 */
/* A client whose context was lost gets it back, and goes on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/workload_client.h"

#define PAUSE_NS UINT64_C(100000000)

enum { TRIES = 50 };

bool workload_io_lost(const struct workload_client *c, const struct spipe_completion *done)
{
    return c->load->config->recover && done->status == -EIO && !done->afu_rc && !done->scsi_rc &&
           !done->fc_rc;
}

static int recover(struct workload_client *c)
{
    struct exec *e = c->load->session->exec;
    bool recovered = false;
    int rc = spipe_recover(c->ctx, &recovered);

    for (unsigned i = 0; rc && i < TRIES; i++) {
        if (exec_sleep_until(e, exec_now(e) + PAUSE_NS))
            break;
        rc = spipe_recover(c->ctx, &recovered);
    }
    c->result->recoveries += recovered;
    return rc;
}

void workload_client_recover(struct workload_client *c)
{
    int rc;

    if (!c->lost || c->in_flight || c->rc)
        return;
    rc = recover(c);
    c->lost = false;
    if (!rc)
        return;
    c->rc = rc;
    snprintf(c->why, sizeof c->why, "client %u: its context was lost, and cannot be recovered (%s)",
             c->number, strerror(-rc));
}
