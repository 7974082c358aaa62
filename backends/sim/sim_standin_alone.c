/* SPDX-License-Identifier: Apache-2.0 */
/* The world of a program that knows nothing of the simulator: real threads, real time, one adapter
 * with two LUNs in memory, unless the environment says otherwise (docs/simulator.md). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/posix/posix_exec.h"
#include "backends/sim/sim_host.h"
#include "backends/sim/sim_standin.h"
#include "hal/cxl_standin.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"

#define MEDIA "SUPERPIPE_LIBCXL_MEDIA"
#define ADAPTERS "SUPERPIPE_LIBCXL_ADAPTERS"
#define FAULTS "SUPERPIPE_LIBCXL_FAULTS"

#define LUNS 2
#define LUN_BLOCKS                                                                                 \
    (UINT64_C(1) << 22) /* of 4 KiB: 16 GiB, of which nothing is there unless written */
#define BLOCK 4096u
#define BOTH_PORTS 3

struct cxl_standin_alone {
    struct exec *exec;
    struct sim_media *media; /* of all adapters */
    struct sim_host *host;
};

static int open_media(struct sim_media **out, char *why, size_t size)
{
    const char *path = getenv(MEDIA);
    struct sim_media_lun luns[LUNS];
    struct sim_media_opts opts = {.luns = luns, .n_luns = LUNS, .create_if_missing = true};

    for (unsigned i = 0; i < LUNS; i++) {
        luns[i] = (struct sim_media_lun){
            .blocks = LUN_BLOCKS, .block_size = BLOCK, .port_mask = BOTH_PORTS};
        sim_media_make_wwid(1, i, luns[i].wwid);
    }
    return path ? sim_media_open(path, &opts, out, why, size)
                : sim_media_create(&opts, out, why, size);
}

static int count_adapters(unsigned *out, char *why, size_t size)
{
    const char *text = getenv(ADAPTERS);
    char *end;
    unsigned long n;

    *out = 1;
    if (!text)
        return 0;
    n = strtoul(text, &end, 10);
    if (end == text || *end || n < 1 || n > SIM_HOST_ADAPTERS_MAX) {
        snprintf(why, size, ADAPTERS " is a number from 1 to %d", SIM_HOST_ADAPTERS_MAX);
        return -EINVAL;
    }
    *out = (unsigned)n;
    return 0;
}

static int load_faults(struct sim_host *h, char *why, size_t size)
{
    const char *plan = getenv(FAULTS);
    int rc = 0;

    for (unsigned i = 0; plan && !rc && i < sim_host_adapters(h); i++)
        rc = sim_faults_load(sim_afu_faults(sim_host_afu(h, i)), plan, why, size);
    return rc;
}

static int build(struct cxl_standin_alone *a, char *why, size_t size)
{
    struct sim_host_config config = {.seed = 1};
    int rc = posix_exec_create(&a->exec);

    snprintf(why, size, "not enough memory");
    if (!rc)
        rc = count_adapters(&config.adapters, why, size);
    if (!rc)
        rc = open_media(&a->media, why, size);
    if (rc)
        return rc;
    config.threads = a->exec;
    for (unsigned i = 0; i < config.adapters; i++)
        config.media[i] = a->media;
    rc = sim_host_create(&config, &a->host, why, size);
    return rc ? rc : load_faults(a->host, why, size);
}

int cxl_standin_alone_create(struct cxl_standin_alone **out, struct cxl_standin_world *world)
{
    struct cxl_standin_alone *a = calloc(1, sizeof *a);
    char why[SIM_MEDIA_WHY_BYTES];
    int rc;

    if (!a)
        return -ENOMEM;
    rc = build(a, why, sizeof why);
    if (rc) {
        fprintf(stderr, "libcxl of the simulator: %s\n", why);
        cxl_standin_alone_destroy(a);
        return rc;
    }
    sim_standin_world(a->host, world);
    *out = a;
    return 0;
}

void cxl_standin_alone_destroy(struct cxl_standin_alone *a)
{
    if (a->host)
        (void)sim_host_destroy(a->host);
    sim_media_close(a->media);
    posix_exec_destroy(a->exec);
    free(a);
}
