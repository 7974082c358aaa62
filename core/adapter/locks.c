/* SPDX-License-Identifier: Apache-2.0 */
/* The locks and conditions of an adapter, made and ended together. */
#include "core/adapter/adapter.h"
#include "core/adapter/lock_rank.h"

void spipe__locks_init(struct spipe *s)
{
    spipe__gate_init(&s->gate, s->exec);
    exec_cond_init(s->exec, &s->worker.work, "adapter worker");
    exec_cond_init(s->exec, &s->recovery.free, "recovery");
    s->worker.tidy_at = s->worker.events_at = s->worker.heartbeat_at = EXEC_FOREVER;
    s->worker.wipe_at = EXEC_FOREVER;
    exec_mutex_init_ranked(s->exec, &s->discovery, "LUN discovery", SPIPE__RANK_DISCOVERY);
    exec_mutex_init_ranked(s->exec, &s->links, "port links", SPIPE__RANK_LINKS);
    exec_mutex_init_ranked(s->exec, &s->scsi, "master scratch", SPIPE__RANK_SCSI);
    exec_mutex_init_ranked(s->exec, &s->internal, "internal commands", SPIPE__RANK_INTERNAL);
    for (unsigned i = 0; i < SPIPE__HWQS_MAX; i++)
        spipe__hwq_prepare(&s->hwq[i], s, i);
    spipe__scsi_host_init(&s->host, s->exec);
    s->hwqs_wanted = 1;
}

void spipe__locks_fini(struct spipe *s)
{
    spipe__scsi_host_fini(&s->host, s->exec);
    for (unsigned i = 0; i < SPIPE__HWQS_MAX; i++)
        spipe__hwq_fini(&s->hwq[i]);
    exec_mutex_fini(s->exec, &s->internal);
    exec_mutex_fini(s->exec, &s->scsi);
    exec_mutex_fini(s->exec, &s->links);
    exec_mutex_fini(s->exec, &s->discovery);
    exec_cond_fini(s->exec, &s->recovery.free);
    exec_cond_fini(s->exec, &s->worker.work);
    spipe__gate_fini(&s->gate);
}
