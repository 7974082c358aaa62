/* SPDX-License-Identifier: Apache-2.0 */
/* Binary requests with arbitrary contents, by a process and its child, on the whole stack. An input
 * is a row of steps: what to do, by whom, on which disk, then the bytes of the structure. So that
 * requests get further than the look-up, context ids can be those that ATTACH gave out.
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
#include "sim/sim_media.h"

#define CLIENTS 2u
#define KNOWN 16u /* context ids that were given out */
#define STEPS_MAX 64u
#define ARG_MAX 144u  /* the longest structure */
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
    uint8_t arg[ARG_MAX] = {0}, before[ARG_MAX], length = next(r) % (ARG_MAX + 1);
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
        unsigned which = next(r) % (sizeof requests / sizeof *requests + 1);

        if (which < sizeof requests / sizeof *requests)
            request(r, which);
        else
            use_file(r);
    }
    spipe_client_destroy(r->client[0]);
    spipe_client_destroy(r->client[1]);
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
    struct sim_host_config config = {.seed = 1};
    char why[256];

    config.media[0] = make_media();
    MUST(sim_host_create(&config, &r.host, why, sizeof why) == 0);
    MUST(sim_host_run(r.host, body, &r) == 0);
    sim_host_destroy(r.host);
    sim_media_close(config.media[0]);
    return 0;
}
