/* SPDX-License-Identifier: Apache-2.0 */
/* Every binary request, byte by byte: what is read and written of the caller's buffer, what is
 * ignored in it, and what stays as it was when a request fails. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/context/adapter_file.h"
#include "core/cxlflash_ioctl.h"
#include "core/superpipe.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/rig_disks.h"

TestSuite(ioctl_bytes, .timeout = 60);

#define CHUNK UINT64_C(65536)
#define UNKNOWN_FLAGS UINT64_C(0x1FFFFFFFFFFFFFF0) /* no bit of any request (SP section 4) */
#define ANY_FLAGS UINT64_MAX                       /* of requests that have none */

enum { AROUND = 0x5A, TAIL = 0xA5, TAIL_BYTES = 64, LONGEST = 144 };

/* SP section 2, literally. */
static const struct {
    uint32_t code;
    size_t size;
} requests[] = {
    {0xC090CA80, 144}, {0xC070CA81, 112}, {0xC068CA82, 104}, {0xC060CA83, 96},  {0xC090CA84, 144},
    {0xC078CA85, 120}, {0xC068CA86, 104}, {0xC078CA87, 120}, {0xC078CA88, 120}, {0xC070CA89, 112},
};

enum { REQUESTS = sizeof requests / sizeof requests[0] };

/* ---- a buffer between what must not change and what cannot be touched ---- */

static unsigned char *start, *edge; /* a page, and the one behind it, which nobody may touch */

static void make_edge(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    start = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(start != MAP_FAILED);
    edge = start + page;
    cr_assert_eq(mprotect(edge, page, PROT_NONE), 0);
}

static void drop_edge(void) { cr_assert_eq(munmap(start, 2 * (size_t)(edge - start)), 0); }

static void expect_bytes(const unsigned char *from, const unsigned char *to, unsigned value)
{
    for (; from < to; from++)
        cr_assert_eq(*from, value, "%zu bytes before the edge", (size_t)(edge - from));
}

static struct spipe_client *app;
static uint32_t disk; /* LUN 0 behind port 1 */

/* The request, in a buffer that ends at the edge. */
static int ioctl_by(struct spipe_client *c, uint32_t request, void *arg, size_t size)
{
    unsigned char *buffer = edge - size;
    int rc;

    memset(start, AROUND, (size_t)(edge - start));
    memcpy(buffer, arg, size);
    rc = spipe_ioctl(c, disk, request, buffer);
    expect_bytes(start, buffer, AROUND);
    memcpy(arg, buffer, size);
    return rc;
}

/* The same with bits that are none of this request, and bytes behind its fields. */
static void odd_ioctl_by(struct spipe_client *c, uint32_t request, void *arg, size_t size,
                         uint64_t odd_flags)
{
    struct dk_cxlflash_hdr *hdr = arg;

    hdr->flags |= odd_flags;
    hdr->return_flags = 0;
    memset((char *)arg + size - TAIL_BYTES, TAIL, TAIL_BYTES);
    cr_assert_eq(ioctl_by(c, request, arg, size), 0, "request 0x%x", request);
    expect_bytes(edge - TAIL_BYTES, edge, TAIL);
}

#define ODD(code, arg, flags) odd_ioctl_by(app, code, &(arg), sizeof(arg), flags)

static void begin(void)
{
    rig_begin(HAL_ORDER_LITTLE, 16);
    cr_assert_eq(spipe_client_create(&rig.s, "app", &app), 0);
    disk = spipe_disk(0, 1);
    make_edge();
}

static void end(void)
{
    drop_edge();
    spipe_client_destroy(app);
    rig_check_books();
    rig_end();
}

/* ---- the ten requests, each with an effect (SP-22) ---- */

static uint64_t attached(void)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};

    ODD(0xC090CA80, a, UNKNOWN_FLAGS);
    cr_assert_eq(a.max_xfer, 4096);
    cr_assert_not_null(app->contexts);
    return a.context_id;
}

static void with_a_virtual_lun(uint64_t context)
{
    struct dk_cxlflash_uvirtual u = {.context_id = context, .lun_size = 1, .rsrc_handle = 7};
    struct dk_cxlflash_resize z = {.context_id = context, .req_size = CHUNK + 1};
    struct dk_cxlflash_verify v = {.context_id = context};

    ODD(0xC078CA87, u, UNKNOWN_FLAGS);
    cr_assert_eq(u.rsrc_handle, 0);
    cr_assert_eq(u.last_lba, CHUNK - 1);
    ODD(0xC078CA88, z, ANY_FLAGS);
    cr_assert_eq(z.last_lba, 2 * CHUNK - 1);
    memset(v.sense_data, 0xFF, sizeof v.sense_data);
    memset(v.pad, 0xFF, sizeof v.pad);
    ODD(0xC090CA84, v, ANY_FLAGS);
    cr_assert_eq(v.last_lba, 2 * CHUNK - 1);
}

static void cloned(uint64_t context)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};
    struct dk_cxlflash_clone c = {.context_id_src = context};
    struct spipe_client *child;

    cr_assert_eq(spipe_client_fork(app, "child", &child), 0);
    cr_assert_eq(ioctl_by(child, 0xC090CA80, &a, sizeof a), 0);
    c.context_id_dst = a.context_id;
    odd_ioctl_by(child, 0xC070CA89, &c, sizeof c, ANY_FLAGS);
    cr_assert_eq(rig_references(1), 2);
    spipe_client_destroy(child);
}

static void until_detached(uint64_t context)
{
    struct dk_cxlflash_recover_afu r = {.context_id = context, .adap_fd = 77};
    struct dk_cxlflash_release l = {.context_id = context};
    struct dk_cxlflash_udirect u = {.context_id = context};
    struct dk_cxlflash_detach d = {.context_id = context};

    ODD(0xC078CA85, r, ANY_FLAGS);
    cr_assert_eq(r.adap_fd, 77); /* SP-91 */
    ODD(0xC068CA82, l, ANY_FLAGS);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    ODD(0xC070CA81, u, ANY_FLAGS);
    cr_assert_eq(u.last_lba, 16 * CHUNK + 99);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_PHYSICAL);
    ODD(0xC060CA83, d, ANY_FLAGS);
    cr_assert_null(app->contexts);
}

static void managed(void)
{
    struct dk_cxlflash_manage_lun m = {.hdr.flags = DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE};

    disk = spipe_disk(1, 0);
    memcpy(m.wwid, rig.s.lun[1].global->wwid, sizeof m.wwid);
    ODD(0xC068CA86, m, UNKNOWN_FLAGS);
    cr_assert_eq(rig.s.lun[1].port_mask, 2);
}

Test(ioctl_bytes, no_more_than_its_size)
{
    uint64_t context;

    begin();
    context = attached();
    with_a_virtual_lun(context);
    cloned(context);
    until_detached(context);
    managed();
    PROVES(SP_7);
    PROVES(SP_10);
    PROVES(SP_22);
    end();
}

/* ---- return flags (SP section 4) ---- */

static void expect_flags(uint32_t code, void *arg, size_t size, uint64_t flags)
{
    const struct dk_cxlflash_hdr *hdr = arg;

    cr_assert_eq(ioctl_by(app, code, arg, size), 0, "0x%x", code);
    cr_assert_eq(hdr->return_flags, flags, "0x%x returned flags %#llx", code,
                 (unsigned long long)hdr->return_flags);
}

/* SP-49, SP-96: what tells how to send commands is told whenever there are new registers, and to
 * whoever takes a context over; what tells to close a file only with a file. */
static void attach_and_recover(bool sq)
{
    const uint64_t mode = sq ? 4 : 0;
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};
    struct dk_cxlflash_attach more = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT};
    struct dk_cxlflash_recover_afu r = {.reason = 0};

    begin();
    rig.s.sq = sq;
    expect_flags(0xC090CA80, &a, sizeof a, 2 | mode);
    more.context_id = r.context_id = a.context_id;
    disk = spipe_disk(1, 0);
    expect_flags(0xC090CA80, &more, sizeof more, mode);
    expect_flags(0xC078CA85, &r, sizeof r, 0); /* healthy */
    spipe__ctx_lose(app->contexts);
    expect_flags(0xC078CA85, &r, sizeof r, UINT64_C(0x8000000000000002) | mode);
    PROVES(SP_49);
    PROVES(SP_96);
    rig.s.sq = false;
    end();
}

Test(ioctl_bytes, flags_of_contexts)
{
    attach_and_recover(false);
    attach_and_recover(true);
}

static void open_on_ports(uint8_t ports, uint64_t flags)
{
    struct dk_cxlflash_uvirtual u = {.lun_size = 1};

    begin();
    rig.s.lun[0].port_mask = ports;
    u.context_id = attached();
    expect_flags(0xC078CA87, &u, sizeof u, flags);
    end();
}

/* SP-64: more than one port. */
Test(ioctl_bytes, flags_of_virtual_luns)
{
    open_on_ports(2, 0);
    open_on_ports(3, 1);
    PROVES(SP_64);
}

/* ---- failures ---- */

/* SP-23: nothing is written back. */
Test(ioctl_bytes, a_failure_leaves_the_buffer_alone)
{
    unsigned char arg[LONGEST], before[LONGEST];

    begin();
    for (unsigned i = 0; i < REQUESTS; i++) {
        memset(arg, 0x11, sizeof arg);
        memset(arg, 0, sizeof(struct dk_cxlflash_hdr));
        memcpy(before, arg, sizeof arg);
        cr_assert_eq(ioctl_by(app, requests[i].code, arg, requests[i].size), -EINVAL,
                     "request 0x%x", requests[i].code);
        cr_assert_arr_eq(arg, before, sizeof arg);
    }
    PROVES(SP_23);
    PROVES(SP_7);
    end();
}

/* SP-25: a reply that has no place to go is refused before anything happens, so that there is
 * nothing to undo. */
Test(ioctl_bytes, without_a_buffer_nothing_happens)
{
    uint64_t context;
    struct spipe_ctx *ctx;

    begin();
    cr_assert_eq(spipe_ioctl(app, disk, DK_CXLFLASH_ATTACH, NULL), -EFAULT);
    cr_assert_null(app->contexts);
    cr_assert_null(rig.s.files);
    context = attached();
    ctx = app->contexts;
    cr_assert_eq(ctx->cookie, context);
    spipe__ctx_lose(ctx);
    recording_hal_clear(&rig.hal);
    rig.hal.no_regs = false;
    cr_assert_eq(spipe_ioctl(app, disk, DK_CXLFLASH_RECOVER_AFU, NULL), -EFAULT);
    rig_expect("");
    cr_assert(ctx->errored);
    cr_assert_eq(ctx->cookie, context);
    PROVES(SP_25);
    rig.hal.no_regs = true;
    end();
}
