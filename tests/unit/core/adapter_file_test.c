/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter files: their numbers, with as many of them as an adapter can have and more. */
#include "core/context/adapter_file.h"

#include <criterion/criterion.h>

#include "core/cxlflash_ioctl.h"
#include "core/superpipe.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(adapter_file, .timeout = 60);

enum { MANY = 500, FILES = 2000 };

static struct spipe_client *app;

static void begin(void)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    rig.hal.silent = true;
    cr_assert_eq(spipe_client_create(&rig.s, "app", &app), 0);
}

static void end(void)
{
    spipe_client_destroy(app);
    rig_end();
}

static struct dk_cxlflash_attach attach(void)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};

    cr_assert_eq(spipe_ioctl(app, spipe_disk(0, 0), DK_CXLFLASH_ATTACH, &a), 0);
    return a;
}

static void close_file(uint64_t number) { cr_assert_eq(spipe_adap_close(app, number), 0); }

/* The lowest number that is free, as descriptors are given out; never one that is in use. */
Test(adapter_file, numbers)
{
    static const uint64_t closed[] = {0, 63, 64, 255, 499};

    begin();
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq(attach().adap_fd, i);
    for (unsigned i = 0; i < 5; i++)
        close_file(closed[4 - i]);
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(attach().adap_fd, closed[i]);
    cr_assert_eq(attach().adap_fd, MANY);
    end();
}

/* SP-95: files of lost contexts stay until they are closed, so numbers go on beyond those of
 * contexts. Here they are of somebody else, and have no hardware. */
Test(adapter_file, more_than_contexts)
{
    static const uint64_t free[] = {511, 512, 999, FILES, FILES + 1};
    static struct spipe__file file[FILES];
    static struct spipe_client other;

    begin();
    for (uint64_t i = 0; i < FILES; i++) {
        if (i == free[0] || i == free[1] || i == free[2])
            continue;
        file[i] =
            (struct spipe__file){.client = &other, .number = i, .open = true, .next = rig.s.files};
        rig.s.files = &file[i];
    }
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(attach().adap_fd, free[i]);
    PROVES(SP_95);
    for (unsigned i = 0; i < 5; i++)
        close_file(free[i]);
    rig.s.files = NULL;
    end();
}
