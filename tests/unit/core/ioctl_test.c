/* SPDX-License-Identifier: Apache-2.0 */
/* The binary requests: outputs, errors and their order, ownership, and the life of adapter files.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/context/adapter_file.h"
#include "core/cxlflash_ioctl.h"
#include "core/superpipe.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/rig_disks.h"

TestSuite(ioctl, .timeout = 60);

static struct spipe_client *app;
static uint32_t disk; /* LUN 0 behind port 1 */

static void begin(void)
{
    rig_begin(HAL_ORDER_LITTLE, 16);
    cr_assert_eq(spipe_client_create(&rig.s, "app", &app), 0);
    disk = spipe_disk(0, 1);
}

static void end(void)
{
    spipe_client_destroy(app);
    rig_check_books();
    rig_end();
}

static int ioctl(uint32_t request, void *arg) { return spipe_ioctl(app, disk, request, arg); }

static struct dk_cxlflash_attach attach(uint64_t access)
{
    struct dk_cxlflash_attach a = {.hdr.flags = access, .num_interrupts = 4};

    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), 0);
    return a;
}

static struct dk_cxlflash_uvirtual open_virtual(uint64_t context, uint64_t blocks)
{
    struct dk_cxlflash_uvirtual u = {.context_id = context, .lun_size = blocks};

    cr_assert_eq(ioctl(DK_CXLFLASH_USER_VIRTUAL, &u), 0);
    return u;
}

/* ---- ATTACH ---- */

Test(ioctl, attach_outputs)
{
    struct dk_cxlflash_attach a, b;

    begin();
    a = attach(2);
    cr_assert_eq(a.context_id & UINT32_MAX, RIG_FIRST + 1);
    cr_assert_eq(a.hdr.return_flags, DK_CXLFLASH_APP_CLOSE_ADAP_FD);
    cr_assert_eq(a.mmio_size, 65536);
    cr_assert_eq(a.block_size, 4096);
    cr_assert_eq(a.last_lba, 16 * 65536 + 99);
    cr_assert_eq(a.max_xfer, 4096);
    cr_assert_neq(a.adap_fd, UINT64_MAX);
    PROVES(SP_49);
    PROVES(SP_27);
    b = attach(2); /* SP-5: one process may own several */
    cr_assert_neq(a.context_id >> 32, b.context_id >> 32);
    PROVES(SP_29);
    end();
}

/* Section 4: (flags + 1) & 3. */
Test(ioctl, access_modes)
{
    static const uint8_t permissions[] = {AFU_PERM_READ, AFU_PERM_WRITE, AFU_PERM_RW, 0};

    begin();
    for (unsigned mode = 0; mode < 4; mode++) {
        struct dk_cxlflash_attach a = attach(mode);
        struct spipe_ctx *ctx = rig.s.contexts[a.context_id & UINT32_MAX];

        cr_assert_eq(ctx->permissions, permissions[mode]);
    }
    end();
}

Test(ioctl, attach_errors)
{
    struct dk_cxlflash_attach a = {.num_interrupts = 5};

    begin();
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -EINVAL); /* SP-37 */
    a.num_interrupts = UINT64_C(0x100000003);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -EINVAL);
    PROVES(SP_37);
    a.num_interrupts = 4;
    rig.hal.fail_create = -ENOSPC;
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -ENODEV);
    rig.hal.fail_create = 0;
    rig.hal.fail_start = -ENOSPC;
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -ENOSPC);
    rig.hal.fail_start = 0;
    PROVES(SP_43);
    rig.hal.wrong_capability = true;
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -EAGAIN);
    rig.hal.wrong_capability = false;
    cr_assert_null(app->contexts);
    cr_assert_null(rig.s.files);
    PROVES(SP_51);
    cr_assert_eq(rig.s.lun[0].attached, 1); /* by the context of the rig */
    PROVES(SP_40);
    end();
}

/* SP-48: whatever fails, nobody finds a context or a file; nothing fails once they can be found. */
Test(ioctl, attach_fails_at_every_allocation)
{
    struct dk_cxlflash_attach a = {.num_interrupts = 4};
    struct spipe_mapping *m;
    size_t blocks;
    int64_t n = 0;

    begin();
    blocks = rig.exec.blocks;
    for (rig.exec.fail_after = 0; ioctl(DK_CXLFLASH_ATTACH, &a) != 0; rig.exec.fail_after = ++n) {
        cr_assert_lt(n, 100);
        cr_assert_null(app->contexts);
        cr_assert_null(rig.s.files);
        cr_assert_null(rig.s.contexts[RIG_FIRST + 1]);
        cr_assert_eq(rig.exec.blocks, blocks);
        cr_assert_eq(rig.s.lun[0].attached, 1);
    }
    cr_assert_gt(n, 2);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    cr_assert_eq(rig.s.contexts[RIG_FIRST + 1], app->contexts);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, a.mmio_size, &m), 0);
    PROVES(SP_48);
    spipe_adap_unmap(m);
    end();
}

/* SP-42; without an adapter file it is SP-45, which core reserves first, since nothing may fail
 * when the context is there. */
Test(ioctl, attach_without_memory)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};

    begin();
    for (unsigned n = 0; n < 3; n++) { /* the file, the context, its table */
        rig.exec.fail_after = n;
        cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), n == 0 ? -ENODEV : -ENOMEM);
        rig.exec.fail_after = FAKE_EXEC_NEVER;
        cr_assert_null(app->contexts);
        cr_assert_null(rig.s.files);
    }
    PROVES(SP_42);
    PROVES(SP_45);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), 0);
    end();
}

/* SP-39, SP-50, SP-52: one more LUN for a context, and no other file. */
Test(ioctl, reuse)
{
    struct dk_cxlflash_attach a, more = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT | 2};

    begin();
    a = attach(2);
    more.context_id = a.context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &more), -EINVAL); /* attached already */
    disk = spipe_disk(1, 0);
    more.context_id = a.context_id ^ HAL_BIT(40);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &more), -EINVAL);
    PROVES(SP_39);
    more.context_id = a.context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &more), 0);
    cr_assert_eq(more.adap_fd, UINT64_MAX);
    cr_assert_eq(more.context_id, a.context_id);
    cr_assert_eq(more.hdr.return_flags, 0);
    cr_assert_eq(more.block_size, 512);
    cr_assert_eq(more.max_xfer, 32768);
    PROVES(SP_50);
    end();
}

/* SP-52: the context that a reuse did not get is as it was, to the byte. */
Test(ioctl, a_failing_reuse_leaves_the_context_alone)
{
    struct dk_cxlflash_attach a, more = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT | 2};
    struct dk_cxlflash_resize z = {.req_size = 2 * 65536};
    unsigned char before[sizeof(struct spipe_ctx)];

    begin();
    a = attach(2);
    more.context_id = z.context_id = a.context_id;
    open_virtual(a.context_id, 1);
    memcpy(before, app->contexts, sizeof before);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &more), -EINVAL); /* attached already */
    disk = spipe_disk(1, 0);
    rig.s.lun[1].global->block_size = 520; /* cannot be used */
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &more), -EINVAL);
    cr_assert_arr_eq(app->contexts, before, sizeof before);
    cr_assert_eq(rig.s.lun[1].attached, 0);
    rig.s.lun[1].global->block_size = 512;
    disk = spipe_disk(0, 1);
    cr_assert_eq(ioctl(DK_CXLFLASH_VLUN_RESIZE, &z), 0);
    PROVES(SP_52);
    end();
}

/* ---- handles ---- */

Test(ioctl, virtual_handles)
{
    struct dk_cxlflash_attach a;
    struct dk_cxlflash_uvirtual u;
    struct dk_cxlflash_resize z = {0};
    struct dk_cxlflash_release l = {0};

    begin();
    a = attach(2);
    u = open_virtual(a.context_id, 65537);
    cr_assert_eq(u.rsrc_handle, 0);
    cr_assert_eq(u.last_lba, 2 * 65536 - 1);
    cr_assert_eq(u.hdr.return_flags, DK_CXLFLASH_ALL_PORTS_ACTIVE);
    PROVES(SP_64);
    z.context_id = l.context_id = a.context_id;
    z.req_size = UINT64_MAX;
    cr_assert_eq(ioctl(DK_CXLFLASH_VLUN_RESIZE, &z), 0);
    cr_assert_eq(z.last_lba, 16 * 65536 - 1);
    PROVES(SP_69);
    z.req_size = 0;
    cr_assert_eq(ioctl(DK_CXLFLASH_VLUN_RESIZE, &z), 0);
    cr_assert_eq(z.last_lba, UINT64_MAX);
    PROVES(SP_68);
    z.rsrc_handle = l.rsrc_handle = HAL_BIT(32); /* SP-9 */
    cr_assert_eq(ioctl(DK_CXLFLASH_VLUN_RESIZE, &z), -EINVAL);
    cr_assert_eq(ioctl(DK_CXLFLASH_RELEASE, &l), -EINVAL);
    PROVES(SP_9);
    l.rsrc_handle = 0;
    cr_assert_eq(ioctl(DK_CXLFLASH_RELEASE, &l), 0);
    cr_assert_eq(ioctl(DK_CXLFLASH_RELEASE, &l), -EINVAL);
    PROVES(SP_70);
    end();
}

Test(ioctl, direct_handles)
{
    struct dk_cxlflash_attach a;
    struct dk_cxlflash_udirect u = {0};
    struct dk_cxlflash_resize z = {0};

    begin();
    a = attach(2);
    u.context_id = z.context_id = a.context_id;
    recording_hal_clear(&rig.hal);
    cr_assert_eq(ioctl(DK_CXLFLASH_USER_DIRECT, &u), 0);
    rig_expect("rht2[0].direct=invalid ports 0 permissions 0\npublish\nrht2[0].start=0\npublish\n"
               "rht2[0].direct=valid ports 2 permissions 3\npublish\nsync LW 5.0\n");
    cr_assert_eq(u.last_lba, 16 * 65536 + 99);
    PROVES(SP_57);
    PROVES(VL_50);
    z.rsrc_handle = u.rsrc_handle;
    cr_assert_eq(ioctl(DK_CXLFLASH_VLUN_RESIZE, &z), -EINVAL); /* not virtual */
    PROVES(SP_66);
    end();
}

/* SP-34: a handle is one of the disk's LUN; SP-31: and so is the context. */
Test(ioctl, handles_of_another_lun)
{
    struct dk_cxlflash_attach a, more = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT | 2};
    struct dk_cxlflash_release l = {0};
    struct dk_cxlflash_uvirtual u = {.lun_size = 1};

    begin();
    a = attach(2);
    open_virtual(a.context_id, 1);
    disk = spipe_disk(1, 0);
    u.context_id = l.context_id = more.context_id = a.context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_USER_VIRTUAL, &u), -EINVAL); /* not attached */
    cr_assert_eq(ioctl(DK_CXLFLASH_RELEASE, &l), -EINVAL);
    PROVES(SP_31);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &more), 0);
    cr_assert_eq(ioctl(DK_CXLFLASH_RELEASE, &l), -EINVAL); /* handle 0 is of LUN 0 */
    PROVES(SP_34);
    end();
}

/* ---- VERIFY ---- */

/* SP-82, SP-83: the hint decides whether there are sense data. */
Test(ioctl, verify)
{
    struct dk_cxlflash_verify v = {.sense_data = {0x70, 0, 6, [7] = 10, [12] = 0x2A, 9}};
    struct dk_cxlflash_udirect u = {0};

    begin();
    rig_disks_begin();
    rig_disks_resize(0, 1000, 4096);
    u.context_id = v.context_id = attach(2).context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_USER_DIRECT, &u), 0);
    v.rsrc_handle = u.rsrc_handle;
    recording_hal_clear(&rig.hal);
    v.hint = ~DK_CXLFLASH_VERIFY_HINT_SENSE;
    cr_assert_eq(ioctl(DK_CXLFLASH_VERIFY, &v), 0);
    rig_expect("");
    cr_assert_eq(v.last_lba, 16 * 65536 + 99);
    PROVES(SP_83);
    v.hint = DK_CXLFLASH_VERIFY_HINT_SENSE;
    cr_assert_eq(ioctl(DK_CXLFLASH_VERIFY, &v), 0);
    rig_expect("scsi 9e ports 2 lun 0\n");
    cr_assert_eq(v.last_lba, 999);
    cr_assert_eq(v.hdr.return_flags, 0);
    PROVES(SP_87);
    v.sense_data[0] = 0;
    cr_assert_eq(ioctl(DK_CXLFLASH_VERIFY, &v), -EINVAL);
    v.rsrc_handle = HAL_BIT(32);
    v.hint = 0;
    cr_assert_eq(ioctl(DK_CXLFLASH_VERIFY, &v), -EINVAL); /* SP-9 */
    v.rsrc_handle = u.rsrc_handle;
    disk = spipe_disk(1, 1);
    cr_assert_eq(ioctl(DK_CXLFLASH_VERIFY, &v), -EINVAL); /* SP-31 */
    v.context_id++;
    disk = spipe_disk(0, 1);
    cr_assert_eq(ioctl(DK_CXLFLASH_VERIFY, &v), -EINVAL);
    PROVES(SP_82);
    end();
}

/* ---- errors ---- */

/* Section 5: the order of the checks, and that a failure leaves the buffer alone (SP-23). */
Test(ioctl, order_of_checks)
{
    struct dk_cxlflash_attach a = {.hdr.version = 1, .num_interrupts = 99}, before = a;

    begin();
    cr_assert_eq(spipe_ioctl(app, spipe_disk(7, 0), DK_CXLFLASH_ATTACH, NULL), -ENXIO);
    rig.s.lun[0].found_ports = 1; /* a node that there is not */
    cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, NULL), -ENXIO);
    rig.s.lun[0].found_ports = 3;
    cr_assert_eq(ioctl(0xC090CA99, NULL), -EINVAL); /* SP-15 before SP-19 */
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, NULL), -EFAULT);
    PROVES(SP_19);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -EINVAL);
    cr_assert_arr_eq(&a, &before, sizeof a);
    PROVES(SP_23);
    rig.s.lun[0].port_mask = 1;                             /* not on this disk's port */
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, NULL), -EINVAL); /* SP-16 before SP-19 */
    rig.s.lun[0].port_mask = 3;
    end();
}

/* Every request in the order of dispatch, by its number (SP section 2). */
static const uint32_t every[] = {0xC090CA80, 0xC070CA81, 0xC068CA82, 0xC060CA83, 0xC090CA84,
                                 0xC078CA85, 0xC068CA86, 0xC078CA87, 0xC078CA88, 0xC070CA89};

/* Each of them, with nothing to read: what comes before SP-19 is what the caller hears of. */
static void expect_each(const int want[HAL_ARRAY_LENGTH(every)], const char *when)
{
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(every); i++)
        cr_assert_eq(ioctl(every[i], NULL), want[i], "0x%x %s", every[i], when);
}

/* SP-14 before SP-17 before SP-19, and what comes through all the same (SP-18, SP-24). */
Test(ioctl, order_of_checks_of_every_request)
{
    enum { INVAL = -EINVAL, FAULT = -EFAULT, NODEV = -ENODEV };
    static const int normal[] = {FAULT, FAULT, FAULT, FAULT, FAULT,
                                 FAULT, FAULT, FAULT, FAULT, FAULT};
    static const int failed[] = {NODEV, NODEV, FAULT, FAULT, NODEV,
                                 NODEV, FAULT, NODEV, FAULT, NODEV};
    static const int internal[] = {FAULT, FAULT, INVAL, FAULT, FAULT,
                                   FAULT, FAULT, INVAL, INVAL, INVAL};
    static const int failed_internal[] = {NODEV, NODEV, INVAL, FAULT, NODEV,
                                          NODEV, FAULT, INVAL, INVAL, INVAL};
    static const int disabled[] = {INVAL, INVAL, INVAL, INVAL, INVAL,
                                   INVAL, FAULT, INVAL, INVAL, INVAL};

    begin();
    expect_each(normal, "of an adapter that works");
    rig.s.internal_lun = 2;
    expect_each(internal, "with internal LUNs");
    gate_force(&rig.s.gate, SPIPE_STATE_FAILED);
    expect_each(failed_internal, "with internal LUNs of an adapter that failed");
    rig.s.internal_lun = 0;
    expect_each(failed, "of an adapter that failed");
    rig.s.lun[0].port_mask = 1; /* not this disk's port */
    expect_each(disabled, "of a LUN that is not enabled");
    PROVES(SP_14);
    PROVES(SP_16);
    PROVES(SP_18);
    PROVES(SP_24);
    rig.s.lun[0].port_mask = 3;
    gate_force(&rig.s.gate, SPIPE_STATE_NORMAL);
    end();
}

/* SP-14: what USER_DIRECT has opened there ends with DETACH, not with RELEASE. */
Test(ioctl, internal_luns)
{
    struct dk_cxlflash_uvirtual v = {.lun_size = 1};
    struct dk_cxlflash_udirect u = {0};
    struct dk_cxlflash_release l = {0};
    struct dk_cxlflash_detach d = {0};

    begin();
    rig.s.internal_lun = 2;
    u.context_id = v.context_id = l.context_id = d.context_id = attach(2).context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_USER_VIRTUAL, &v), -EINVAL);
    cr_assert_eq(ioctl(DK_CXLFLASH_USER_DIRECT, &u), 0);
    l.rsrc_handle = u.rsrc_handle;
    cr_assert_eq(ioctl(DK_CXLFLASH_RELEASE, &l), -EINVAL);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    cr_assert_eq(ioctl(DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    PROVES(SP_14);
    rig.s.internal_lun = 0;
    end();
}

/* SP-4: nobody else's contexts, whatever the request. */
Test(ioctl, contexts_of_others)
{
    struct dk_cxlflash_attach mine, reuse = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT};
    struct dk_cxlflash_udirect ud = {0};
    struct dk_cxlflash_uvirtual uv = {0};
    struct dk_cxlflash_resize z = {0};
    struct dk_cxlflash_release l = {0};
    struct dk_cxlflash_detach d = {0};
    struct dk_cxlflash_recover_afu v = {0};
    struct dk_cxlflash_verify w = {0};
    struct spipe_client *thief;
    struct spipe_mapping *m;

    begin();
    mine = attach(2);
    open_virtual(mine.context_id, 1);
    cr_assert_eq(spipe_client_create(&rig.s, "thief", &thief), 0);
    reuse.context_id = ud.context_id = uv.context_id = z.context_id = mine.context_id;
    l.context_id = d.context_id = v.context_id = w.context_id = mine.context_id;
    cr_assert_eq(spipe_ioctl(thief, spipe_disk(1, 0), DK_CXLFLASH_ATTACH, &reuse), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_USER_DIRECT, &ud), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_USER_VIRTUAL, &uv), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_VLUN_RESIZE, &z), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_RELEASE, &l), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_VERIFY, &w), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_DETACH, &d), -EINVAL);
    cr_assert_eq(spipe_ioctl(thief, disk, DK_CXLFLASH_RECOVER_AFU, &v), -EINVAL);
    cr_assert_eq(spipe_adap_map(thief, mine.adap_fd, 0, 4096, &m), -EBADF);
    cr_assert_eq(spipe_adap_close(thief, mine.adap_fd), -EBADF);
    PROVES(SP_4);
    spipe_client_destroy(thief);
    cr_assert_eq(ioctl(DK_CXLFLASH_RECOVER_AFU, &v), 0); /* it is there */
    end();
}

/* SP-30: all 64 bits count. */
Test(ioctl, cookies)
{
    struct dk_cxlflash_attach a;

    begin();
    a = attach(2);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct dk_cxlflash_detach d = {.context_id = a.context_id ^ HAL_BIT(bit)};

        cr_assert_eq(ioctl(DK_CXLFLASH_DETACH, &d), -EINVAL);
    }
    PROVES(SP_30);
    end();
}

/* ---- MANAGE_LUN ---- */

Test(ioctl, manage_lun)
{
    struct dk_cxlflash_manage_lun m = {.hdr.flags = DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE};
    struct dk_cxlflash_attach a = {.num_interrupts = 4};

    begin();
    disk = spipe_disk(1, 0);
    cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, &m), -EINVAL); /* SP-126: all zero */
    memcpy(m.wwid, rig.s.lun[0].global->wwid, sizeof m.wwid);
    cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, &m), -EINVAL); /* another LUN's */
    memcpy(m.wwid, rig.s.lun[1].global->wwid, sizeof m.wwid);
    for (unsigned i = 0; i < sizeof m.wwid; i++) {
        m.wwid[i] ^= 0x10;
        cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, &m), -EINVAL, "byte %u", i);
        m.wwid[i] ^= 0x10;
    }
    PROVES(SP_126);
    cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, &m), 0);
    cr_assert_eq(rig.s.lun[1].port_mask, 2);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), -EINVAL);
    m.hdr.flags = 0;
    cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, &m), 0);
    cr_assert_eq(rig.s.lun[1].port_mask, 2);
    m.hdr.flags =
        DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE | DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE;
    cr_assert_eq(ioctl(DK_CXLFLASH_MANAGE_LUN, &m), 0);
    cr_assert_eq(rig.s.lun[1].port_mask, 3);
    PROVES(SP_121);
    cr_assert_eq(ioctl(DK_CXLFLASH_ATTACH, &a), 0);
    end();
}

/* ---- VLUN_CLONE ---- */

/* SP-107: whatever the LUN's mode (SP-106), both contexts must have the LUN of the disk. */
static void expect_no_clone_on_lun_1(struct spipe_client *child, struct dk_cxlflash_clone *c)
{
    struct dk_cxlflash_attach from = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT,
                                      .context_id = c->context_id_src};
    struct dk_cxlflash_attach to = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT,
                                    .context_id = c->context_id_dst};
    struct dk_cxlflash_detach d = {.context_id = c->context_id_src};
    const uint32_t lun1 = spipe_disk(1, 0);

    rig.s.lun[1].global->mode = SPIPE_LUN_VIRTUAL;
    cr_assert_eq(spipe_ioctl(child, lun1, DK_CXLFLASH_VLUN_CLONE, c), -EINVAL);
    cr_assert_eq(spipe_ioctl(app, lun1, DK_CXLFLASH_ATTACH, &from), 0);
    cr_assert_eq(spipe_ioctl(child, lun1, DK_CXLFLASH_VLUN_CLONE, c), -EINVAL, "the source only");
    cr_assert_eq(spipe_ioctl(app, lun1, DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_eq(spipe_ioctl(child, lun1, DK_CXLFLASH_ATTACH, &to), 0);
    cr_assert_eq(spipe_ioctl(child, lun1, DK_CXLFLASH_VLUN_CLONE, c), -EINVAL, "the clone only");
    PROVES(SP_107);
    from.hdr.return_flags = 0;
    cr_assert_eq(spipe_ioctl(app, lun1, DK_CXLFLASH_ATTACH, &from), 0);
    rig.s.lun[1].global->mode = SPIPE_LUN_NONE;
    cr_assert_eq(spipe_ioctl(child, lun1, DK_CXLFLASH_VLUN_CLONE, c), -EINVAL, "not virtual");
    PROVES(SP_106);
}

Test(ioctl, clone)
{
    struct dk_cxlflash_clone c = {.adap_fd_src = 12345}; /* ignored (SP-108) */
    struct dk_cxlflash_attach from, to = {.hdr.flags = 2, .num_interrupts = 4};
    struct spipe_client *child;

    begin();
    from = attach(2);
    open_virtual(from.context_id, 3 * 65536);
    cr_assert_eq(spipe_client_fork(app, "child", &child), 0);
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_ATTACH, &to), 0);
    c.context_id_src = c.context_id_dst = to.context_id;
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_VLUN_CLONE, &c), -EINVAL); /* SP-106 */
    c.context_id_src = from.context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_VLUN_CLONE, &c), -EINVAL); /* not by the parent */
    expect_no_clone_on_lun_1(child, &c);
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_VLUN_CLONE, &c), 0);
    PROVES(SP_106);
    cr_assert_not_null(app->contexts->file);
    cr_assert_eq(app->contexts->file->number, from.adap_fd); /* and it is not closed */
    PROVES(SP_108);
    cr_assert_eq(rig_references(2), 2);
    spipe_client_destroy(child);
    cr_assert_eq(rig_references(2), 1);
    end();
}

/* ---- RECOVER_AFU ---- */

/* SP-91: healthy, and nothing but that has changed. */
Test(ioctl, recover_of_a_healthy_context)
{
    struct dk_cxlflash_recover_afu v = {.reason = 7, .mmio_size = 1, .adap_fd = 2}, before;

    begin();
    v.context_id = attach(2).context_id;
    before = v;
    cr_assert_eq(ioctl(DK_CXLFLASH_RECOVER_AFU, &v), 0);
    cr_assert_arr_eq(&v, &before, sizeof v);
    PROVES(SP_91);
    v.context_id++;
    cr_assert_eq(ioctl(DK_CXLFLASH_RECOVER_AFU, &v), -EINVAL);
    PROVES(SP_90);
    v.context_id--; /* SP section 6: on the disk of a LUN that it has attached */
    cr_assert_eq(spipe_ioctl(app, spipe_disk(1, 0), DK_CXLFLASH_RECOVER_AFU, &v), -EINVAL);
    end();
}

/* ---- adapter files ---- */

/* SP-78: the number stays in use until the file is closed; SP-150: then only the hardware goes. */
Test(ioctl, detach_then_close)
{
    struct dk_cxlflash_attach a, b;
    struct dk_cxlflash_detach d = {0};
    struct spipe_mapping *m;

    begin();
    a = attach(2);
    d.context_id = a.context_id;
    cr_assert_eq(ioctl(DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_eq(ioctl(DK_CXLFLASH_DETACH, &d), -EINVAL);
    b = attach(2);
    cr_assert_neq(b.context_id & UINT32_MAX, a.context_id & UINT32_MAX);
    PROVES(SP_78);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 65536, &m), -EIO);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 65544, &m), -EIO); /* SP-140: before EINVAL */
    cr_assert_eq(spipe_adap_close(app, a.adap_fd), 0);
    cr_assert_eq(spipe_adap_close(app, a.adap_fd), -EBADF);
    PROVES(SP_150);
    PROVES(SP_33); /* EINVAL for requests, EIO for mappings, silence for the close */
    b = attach(2);
    cr_assert_eq(b.context_id & UINT32_MAX, a.context_id & UINT32_MAX); /* free again */
    cr_assert_neq(b.context_id, a.context_id);
    end();
}

/* SP-148: the last close, mappings included, detaches everything. */
Test(ioctl, close_ends_the_context)
{
    struct dk_cxlflash_attach a;
    struct dk_cxlflash_detach d = {0};
    struct spipe_mapping *m, *other;

    begin();
    a = attach(2);
    d.context_id = a.context_id;
    open_virtual(a.context_id, 1);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 4096, &m), 0);
    cr_assert_eq(spipe_adap_close(app, a.adap_fd), 0);
    cr_assert_eq(rig.s.lun[0].global->users, 1);            /* the mapping holds it */
    cr_assert_eq(spipe_adap_close(app, a.adap_fd), -EBADF); /* but nobody finds it */
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 4096, &other), -EBADF);
    cr_assert_eq(spipe_adap_read64(m, AFU_HOST_CMD_ROOM), 16);
    PROVES(SP_141);
    spipe_adap_unmap(m);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    cr_assert_eq(ioctl(DK_CXLFLASH_DETACH, &d), -EINVAL); /* the tokens are void */
    PROVES(SP_148);
    end();
}

/* SP-140, INV-27: limits of mappings; outside them nothing is reached. */
Test(ioctl, mappings)
{
    struct dk_cxlflash_attach a;
    struct spipe_mapping *m;

    begin();
    a = attach(2);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 65544, &m), -EINVAL);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 65536, 8, &m), -EINVAL);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, UINT64_MAX - 7, 16, &m), -EINVAL);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 0, &m), -EINVAL);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd + 1, 0, 8, &m), -EBADF);
    PROVES(SP_140);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, AFU_HOST_CMD_ROOM, 8, &m), 0);
    cr_assert_eq(spipe_adap_read64(m, 0), 16);
    cr_assert_eq(spipe_adap_read64(m, 8), UINT64_MAX);
    cr_assert_eq(spipe_adap_read64(m, 4), UINT64_MAX);
    cr_assert_eq(spipe_adap_read64(m, UINT64_MAX - 7), UINT64_MAX);
    spipe_adap_write64(m, 8, 1);
    spipe_adap_unmap(m);
    end();
}

/* SP-139: the user area, events, close. */
Test(ioctl, events)
{
    struct dk_cxlflash_attach a;
    struct spipe_adap_event ev;
    struct spipe_mapping *m;

    begin();
    a = attach(2);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 65536, &m), 0);
    spipe_adap_write64(m, AFU_HOST_RRQ_START, 0x1000);
    cr_assert_eq(rig.hal.ctx[RIG_FIRST + 1].host[AFU_HOST_RRQ_START / 8], 0x1000);
    cr_assert_eq(spipe_adap_event(app, a.adap_fd, 0, &ev), 0);
    cr_assert_eq(ev.kind, SPIPE_ADAP_NOTHING);
    rig.hal.ctx[RIG_FIRST + 1].pending_interrupt = 2;
    cr_assert_eq(spipe_adap_event(app, a.adap_fd, 0, &ev), 0);
    cr_assert_eq(ev.kind, SPIPE_ADAP_INTERRUPT);
    cr_assert_eq(ev.interrupt, 2);
    rig.hal.ctx[RIG_FIRST + 1].event =
        (struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = 0x2000, .dsisr = 3};
    cr_assert_eq(spipe_adap_event(app, a.adap_fd, 0, &ev), 0);
    cr_assert_eq(ev.kind, SPIPE_ADAP_DATA_STORAGE);
    cr_assert(ev.address == 0x2000 && ev.dsisr == 3);
    spipe_adap_unmap(m);
    cr_assert_eq(spipe_adap_close(app, a.adap_fd), 0);
    PROVES(SP_139);
    end();
}

/* ---- forked children ---- */

/* What a child can do with its parent's context: nothing. */
static void expect_strange_to(struct spipe_client *child, const struct dk_cxlflash_attach *parents)
{
    struct dk_cxlflash_uvirtual u = {.context_id = parents->context_id};
    struct dk_cxlflash_detach d = {.context_id = parents->context_id};
    struct spipe_mapping *m;

    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_USER_VIRTUAL, &u), -EINVAL);
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_DETACH, &d), -EINVAL);
    cr_assert_eq(spipe_adap_map(child, parents->adap_fd, 0, 4096, &m), -EBADF);
}

/* SP-151, SP-153, SP-154: a child has neither the contexts, nor the files, nor the mappings of its
 * parent, and neither a close nor its end takes any of them away. */
Test(ioctl, a_child_has_nothing_of_its_parent)
{
    struct dk_cxlflash_attach from, to = {.hdr.flags = 2, .num_interrupts = 4};
    struct spipe_client *child;
    struct spipe_mapping *m;

    begin();
    from = attach(2);
    open_virtual(from.context_id, 1);
    cr_assert_eq(spipe_adap_map(app, from.adap_fd, 0, 4096, &m), 0);
    cr_assert_eq(spipe_client_fork(app, "child", &child), 0);
    cr_assert_null(child->mappings);
    PROVES(SP_154);
    expect_strange_to(child, &from);
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_ATTACH, &to), 0);
    cr_assert_neq(to.adap_fd, from.adap_fd);
    PROVES(SP_153);
    cr_assert_eq(spipe_adap_close(child, from.adap_fd), -EBADF);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    spipe_client_destroy(child);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    cr_assert_eq(spipe_adap_read64(m, AFU_HOST_CMD_ROOM), 16);
    PROVES(SP_151);
    spipe_adap_unmap(m);
    end();
}

/* SP-178: who an owner or a parent is, is the connection, not a name or an address. */
Test(ioctl, nobody_takes_the_place_of_a_dead_owner)
{
    struct dk_cxlflash_attach from, to = {.hdr.flags = 2, .num_interrupts = 4};
    struct dk_cxlflash_clone c = {0};
    struct spipe_client *child;

    begin();
    from = attach(2);
    open_virtual(from.context_id, 1);
    cr_assert_eq(spipe_client_fork(app, "child", &child), 0);
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_ATTACH, &to), 0);
    spipe_client_destroy(app);
    cr_assert_null(child->parent); /* whose memory the next client may get */
    cr_assert_eq(spipe_client_create(&rig.s, "app", &app), 0);
    expect_strange_to(app, &from);
    expect_strange_to(app, &to);
    from = attach(2);
    open_virtual(from.context_id, 1);
    c.context_id_src = from.context_id;
    c.context_id_dst = to.context_id;
    cr_assert_eq(spipe_ioctl(child, disk, DK_CXLFLASH_VLUN_CLONE, &c), -EINVAL);
    PROVES(SP_178);
    spipe_client_destroy(child);
    end();
}

/* A client that dies with everything open leaves nothing behind; its mappings read all ones. */
Test(ioctl, death)
{
    struct spipe_mapping *m;
    struct dk_cxlflash_attach a;

    begin();
    a = attach(2);
    open_virtual(a.context_id, 1);
    attach(2);
    cr_assert_eq(spipe_adap_map(app, a.adap_fd, 0, 4096, &m), 0);
    spipe_client_destroy(app);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(spipe_adap_read64(m, AFU_HOST_CMD_ROOM), UINT64_MAX);
    spipe_adap_write64(m, AFU_HOST_IOARRIN, 1);
    spipe_adap_unmap(m);
    PROVES(SP_179);
    cr_assert_eq(spipe_client_create(&rig.s, "app", &app), 0);
    end();
}
