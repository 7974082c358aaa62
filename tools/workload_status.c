/* SPDX-License-Identifier: Apache-2.0 */
/* How the commands of a workload ended. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hal/afu_names.h"
#include "tools/text.h"
#include "tools/workload.h"

static bool same_kind(const struct workload_status *a, const struct workload_status *b)
{
    return a->status == b->status && a->afu_rc == b->afu_rc && a->scsi_rc == b->scsi_rc &&
           a->fc_rc == b->fc_rc && a->sense_key == b->sense_key && a->asc == b->asc &&
           a->ascq == b->ascq;
}

void workload_count_status(struct workload_result *r, const struct workload_status *status,
                           uint64_t commands)
{
    unsigned i = 0;

    while (i < r->status_count && !same_kind(&r->status[i], status))
        i++;
    if (i == WORKLOAD_STATUS_MAX) {
        i--;
    } else if (i == r->status_count) {
        r->status[i] = *status;
        r->status[i].commands = 0;
        r->status_count++;
    }
    r->status[i].commands += commands;
}

const char *workload_status_text(const struct workload_status *s, char *buf, size_t size)
{
    const char *name = strerrorname_np(-s->status);

    if (!s->status) {
        snprintf(buf, size, "good");
        return buf;
    }
    snprintf(buf, size, "%s", name ? name : "unknown error");
    if (s->afu_rc)
        text_append(buf, size, ", AFU code 0x%02x %s", s->afu_rc, afu_rc_name(s->afu_rc));
    if (s->fc_rc)
        text_append(buf, size, ", FC code 0x%02x %s", s->fc_rc, afu_fc_rc_name(s->fc_rc));
    if (s->scsi_rc)
        text_append(buf, size, ", SCSI status 0x%02x %s", s->scsi_rc, afu_scsi_rc_name(s->scsi_rc));
    if (s->sense_key)
        text_append(buf, size, ", sense %x/%02x/%02x", s->sense_key, s->asc, s->ascq);
    return buf;
}
