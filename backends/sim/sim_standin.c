/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/sim/sim_standin.h"

#include "backends/sim/sim_backend.h"
#include "backends/sim/sim_host.h"
#include "hal/support/check.h"
#include "sim/sched/sched.h"

static void enter(void *sched) { sched_stay_begin(sched); }

static void leave(void *sched) { sched_stay_end(sched); }

void sim_standin_world(struct sim_host *h, struct cxl_standin_world *out)
{
    const struct sim_params *p = sim_afu_params(sim_host_afu(h, 0));

    *out = (struct cxl_standin_world){
        .size = sizeof *out,
        .exec = sim_host_exec(h),
        .event_pending = sim_backend_event_pending,
        .watch_context = sim_backend_watch_context,
        .watch_platform = sim_backend_watch_platform,
        .process_elements = (unsigned)(p->contexts - p->ctx_first),
        .irqs_min = (unsigned)p->irqs_min,
        .irqs_max = (unsigned)p->irqs_max,
    };
    if (sim_host_sched(h)) {
        out->enter = enter;
        out->leave = leave;
        out->model = sim_host_sched(h);
    }
    while (out->adapters < sim_host_adapters(h)) {
        out->device[out->adapters] = sim_host_device(h, out->adapters);
        out->adapters++;
    }
    CHECK(sim_host_attend(h) == 0);
}
