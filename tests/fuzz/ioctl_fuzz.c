/* SPDX-License-Identifier: Apache-2.0 */
/* Binary requests with arbitrary contents, by a process and its child and by the administrator, on
 * the whole stack. An input is a row of steps: what to do, by whom, on which disk, then the bytes
 * of the structure. So that requests get further than the look-up, context ids can be those that
 * ATTACH gave out, and LUN ids those of LUN_PROVISION.
 *
 * Whatever the input: no crash, no positive result, a failure leaves the structure alone (SP-23),
 * and when the clients are gone nothing is used any more (INV-26). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/sim/sim_host.h"
#include "core/cxlflash_ioctl.h"
#include "core/superpipe.h"
#include "hal/exec.h"
#include "sim/sim_media.h"

#define CLIENTS 2u
#define KNOWN 16u /* context ids that were given out */
#define STEPS_MAX 64u
#define ARG_MAX 160u      /* the longest structure */
#define DISK_ARG_MAX 144u /* of those for disks */
#define ID_OFFSET 24u /* of the first context id in every structure but ATTACH and RECOVER_AFU */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(ok) must_at((ok), __LINE__)
static void must_at(bool ok, int line)
{
    if (!ok)
        fprintf(stderr, "line %d\n", line), abort();
}

struct run {
    struct sim_host *host;
    const uint8_t *at, *end;
    struct spipe *adapter;
    struct spipe_client *client[CLIENTS];
    uint64_t known[KNOWN], file[KNOWN];
    unsigned count;
    uint64_t made; /* id of the last LUN that the administrator made */
};

static uint8_t next(struct run *r) { return r->at < r->end ? *r->at++ : 0; }

/* Up to `n` bytes; the rest stays as it is. */
static void take(struct run *r, uint8_t *to, size_t n)
{
    size_t left = (size_t)(r->end - r->at);

    n = n < left ? n : left;
    memcpy(to, r->at, n);
    r->at += n;
}

static const struct {
    uint32_t code;
    uint8_t id_offset, second_offset; /* of context ids; 0 = none */
} requests[] = {
    {DK_CXLFLASH_ATTACH, 32, 0},
    {DK_CXLFLASH_USER_DIRECT, ID_OFFSET, 0},
    {DK_CXLFLASH_RELEASE, ID_OFFSET, 0},
    {DK_CXLFLASH_DETACH, ID_OFFSET, 0},
    {DK_CXLFLASH_VERIFY, ID_OFFSET, 0},
    {DK_CXLFLASH_RECOVER_AFU, 32, 0},
    {DK_CXLFLASH_MANAGE_LUN, 0, 0},
    {DK_CXLFLASH_USER_VIRTUAL, ID_OFFSET, 0},
    {DK_CXLFLASH_VLUN_RESIZE, ID_OFFSET, 0},
    {DK_CXLFLASH_VLUN_CLONE, ID_OFFSET, 32},
    {0xC090CA8A, ID_OFFSET, 0}, /* no request */
};

enum { REQUESTS = sizeof requests / sizeof *requests };

/* An id that exists, most of the time. */
static void put_id(struct run *r, uint8_t *arg, unsigned offset, uint8_t choice)
{
    if (offset && r->count && choice < 240)
        memcpy(arg + offset, &r->known[choice % r->count], 8);
}

static void remember(struct run *r, const uint8_t *arg)
{
    struct dk_cxlflash_attach a;
    unsigned i = r->count < KNOWN ? r->count++ : 0;

    memcpy(&a, arg, sizeof a);
    r->known[i] = a.context_id;
    r->file[i] = a.adap_fd;
}

static void request(struct run *r, unsigned which)
{
    struct spipe_client *c = r->client[next(r) % CLIENTS];
    uint32_t disk = next(r) % 12;
    uint8_t arg[ARG_MAX] = {0}, before[ARG_MAX], length = next(r) % (DISK_ARG_MAX + 1);
    int rc;

    take(r, arg, length);
    if (length % 2)
        memset(arg, 0, 8), memset(arg + 16, 0, 8); /* a good header */
    put_id(r, arg, requests[which].id_offset, next(r));
    put_id(r, arg, requests[which].second_offset, next(r));
    memcpy(before, arg, sizeof arg);
    rc = spipe_ioctl(c, disk, requests[which].code, arg);
    MUST(rc <= 0);
    MUST(rc == 0 || memcmp(arg, before, sizeof arg) == 0);
    if (rc == 0 && requests[which].code == DK_CXLFLASH_ATTACH)
        remember(r, arg);
}

/* ---- requests of the administrator ---- */

static uint8_t debug_data[HT_CXLFLASH_AFU_DEBUG_DATA_MAX + 1];

/* Fields without which nothing would get far: a good header, a place for data, a LUN that exists.
 */
static void improve(const struct run *r, uint32_t code, uint8_t *arg, uint8_t choice)
{
    uint64_t data = choice & 2 ? 0 : (uint64_t)(uintptr_t)debug_data;

    if (choice & 1)
        memset(arg, 0, 2), memset(arg + 4, 0, 4), memset(arg + 16, 0, 8);
    if (code == HT_CXLFLASH_AFU_DEBUG)
        memcpy(arg + 40, &data, 8);
    else if (choice & 4)
        memcpy(arg + 40, &r->made, 8);
}

static void host_request(struct run *r)
{
    static const uint32_t codes[] = {HT_CXLFLASH_LUN_PROVISION, HT_CXLFLASH_AFU_DEBUG, 0xC0A0CABD};
    uint32_t code = codes[next(r) % 3];
    uint8_t arg[ARG_MAX] = {0}, before[ARG_MAX], choice = next(r);
    struct ht_cxlflash_lun_provision p;
    int rc;

    take(r, arg, next(r) % (ARG_MAX + 1));
    improve(r, code, arg, choice);
    memcpy(before, arg, sizeof arg);
    rc = spipe_host_ioctl(r->adapter, code, arg);
    MUST(rc <= 0);
    MUST(rc == 0 || memcmp(arg, before, sizeof arg) == 0);
    MUST(debug_data[HT_CXLFLASH_AFU_DEBUG_DATA_MAX] == 0);
    memcpy(&p, arg, sizeof p);
    if (rc == 0 && code == HT_CXLFLASH_LUN_PROVISION &&
        p.hdr.subcmd == HT_CXLFLASH_LUN_PROVISION_CREATE)
        r->made = p.lun_id;
}

/* ---- files ---- */

static void use_file(struct run *r)
{
    uint64_t fd = r->count ? r->file[next(r) % r->count] : next(r);
    struct spipe_client *c = r->client[next(r) % CLIENTS];
    struct spipe_mapping *m;

    if (next(r) % 2) {
        int rc = spipe_adap_close(c, fd);

        MUST(rc == 0 || rc < 0);
        return;
    }
    if (spipe_adap_map(c, fd, (uint64_t)next(r) * 1024, (uint64_t)next(r) * 1024, &m))
        return;
    (void)spipe_adap_read64(m, (uint64_t)next(r) * 4);
    spipe_adap_write64(m, (uint64_t)next(r) * 8, next(r));
    if (next(r) % 4)
        spipe_adap_unmap(m);
    else
        r->at = r->end; /* it dies with its mapping */
}

/* Chunks of handles that were opened with NEED_WRITE_SAME are wiped in the background. */
static bool in_use(struct spipe *s)
{
    struct spipe_lun_info info;

    for (unsigned i = 0; spipe_lun_info(s, i, &info) == 0; i++)
        if (info.mode != SPIPE_LUN_NONE)
            return true;
    return false;
}

static void await_wipes(struct run *r)
{
    struct exec *e = sim_host_exec(r->host);

    for (unsigned i = 0; i < 1000 && in_use(r->adapter); i++)
        MUST(exec_sleep_until(e, exec_now(e) + 10000000) == 0);
}

static void check_unused(struct spipe *s)
{
    struct spipe_lun_info info;

    for (unsigned i = 0; spipe_lun_info(s, i, &info) == 0; i++) {
        MUST(info.users == 0);
        MUST(info.mode == SPIPE_LUN_NONE);
        MUST(info.free_chunks == info.chunks);
    }
}

static void body(void *arg)
{
    struct run *r = arg;
    char why[256];

    MUST(spipe_open(sim_host_exec(r->host), sim_host_device(r->host, 0), NULL, NULL, &r->adapter,
                    why, sizeof why) == 0);
    MUST(spipe_client_create(r->adapter, "parent", &r->client[0]) == 0);
    MUST(spipe_client_fork(r->client[0], "child", &r->client[1]) == 0);
    for (unsigned step = 0; step < STEPS_MAX && r->at < r->end; step++) {
        unsigned which = next(r) % (REQUESTS + 2);

        if (which < REQUESTS)
            request(r, which);
        else if (which == REQUESTS)
            use_file(r);
        else
            host_request(r);
    }
    spipe_client_destroy(r->client[0]);
    spipe_client_destroy(r->client[1]);
    await_wipes(r);
    check_unused(r->adapter);
    spipe_close(r->adapter);
}

static struct sim_media *make_media(void)
{
    struct sim_media_lun luns[2] = {
        {.blocks = 6 * 65536 + 7, .block_size = 4096, .port_mask = 3},
        {.blocks = 3 * 65536, .block_size = 512, .port_mask = 2},
    };
    struct sim_media_opts opts = {.luns = luns, .n_luns = 2, .kind = SIM_MEDIA_TAG};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    sim_media_make_wwid(1, 0, luns[0].wwid);
    sim_media_make_wwid(1, 1, luns[1].wwid);
    MUST(sim_media_create(&opts, &media, why, sizeof why) == 0);
    return media;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.at = data, .end = data + size};
    struct sim_params params;
    struct sim_host_config config = {.seed = 1, .params = &params};
    char why[256];

    sim_params_default(&params);
    params.interface_version |= UINT64_C(3) << 58; /* LUN provision and AFU debug (SL 20.2) */
    params.provision_blocks = 4 * 65536;
    config.media[0] = make_media();
    MUST(sim_host_create(&config, &r.host, why, sizeof why) == 0);
    MUST(sim_host_run(r.host, body, &r) == 0);
    sim_host_destroy(r.host);
    sim_media_close(config.media[0]);
    return 0;
}
