/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is told while an adapter is opened, over an AFU that does what the test says. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"
#include "tests/testlib/fake_luns.h"
#include "tests/testlib/proves.h"

static struct fake_exec exec;
static struct fake_afu afu;
static struct fake_luns luns;
static char told[8192];

static void sink(void *arg, const struct spipe_event *event)
{
    char line[SPIPE_EVENT_TEXT_BYTES];
    const char *fields;

    (void)arg;
    spipe_event_format(event, line, sizeof line);
    fields = strrchr(line, '(');
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s%s%s\n",
             spipe_event_name(event->id), fields ? " " : "", fields ? fields : "");
}

static void set_up(void)
{
    fake_exec_init(&exec, 1);
    fake_luns_init(&luns);
    fake_afu_init(&afu, &exec, fake_luns_answer, &luns);
    for (unsigned port = 0; port < 2; port++)
        (void)fake_luns_add(&luns, port, 0, 1);
}

static void tear_down(void) { fake_afu_fini(&afu); }

TestSuite(event_open, .init = set_up, .fini = tear_down, .timeout = 60);

/* Opens, and closes again if that works. */
static int open_and_close(void)
{
    struct spipe_options o = {.size = sizeof o, .event_sink = sink};
    struct spipe *s;
    int rc = spipe_open(&exec.exec, &afu.dev, NULL, &o, &s, NULL, 0);

    if (!rc)
        spipe_close(s);
    return rc;
}

static void expect(const char *text) { cr_assert_str_eq(told, text, "told\n%s", told); }

#define NAMELESS "wwpn_missing (port 0)\nwwpn_missing (port 1)\n"
#define READY "afu_ready (generation 1)\nstate (state NORMAL)\n"
#define FOUND                                                                                      \
    "lun_found (lun 0, port 0, lun_id 0x0)\n"                                                      \
    "lun_found (lun 0, port 1, lun_id 0x0)\n"

Test(event_open, all_is_well)
{
    cr_assert_eq(open_and_close(), 0);
    expect(NAMELESS READY FOUND "closed\n");
    PROVES(AD_45);
}

/* AD-45: which ports have no name. */
Test(event_open, one_port_has_a_name)
{
    static const uint8_t vpd[] = {0x90, 19,  0,   'V', '5', 16,  '5', '0', '0', '5', '0', '7',
                                  '6',  '8', '0', '2', '0', '0', '0', '0', '0', '1', 0x78};

    afu.vpd = vpd;
    afu.vpd_length = sizeof vpd;
    cr_assert_eq(open_and_close(), 0);
    expect("wwpn_missing (port 1)\n" READY FOUND "closed\n");
    PROVES(AD_45);
}

Test(event_open, dead)
{
    afu.dead = true;
    cr_assert_eq(open_and_close(), -ENODEV);
    expect("bring_up_failed (step read versions, requirement AD-35, result -ENODEV)\n"
           "state (state PROBED)\n"
           "open_failed (result -ENODEV)\n");
}

Test(event_open, back_level)
{
    *fake_afu_register(&afu, 0x2010808) = UINT64_MAX;
    cr_assert_eq(open_and_close(), -EINVAL);
    expect("bring_up_failed (step read versions, requirement AD-35, result -EINVAL)\n"
           "state (state PROBED)\n"
           "open_failed (result -EINVAL)\n");
}

/* A command that is not answered is given up by a context reset, and sent again (SP-101). */
Test(event_open, a_lost_command)
{
    fake_luns_fail(&luns, 0, &(struct fake_answer){.lost = true});
    cr_assert_eq(open_and_close(), 0);
    expect(NAMELESS READY "context_reset (queue 0, result 0)\n"
                          "scsi_failed (port 0, opcode 0xa0, result -ETIMEDOUT)\n" FOUND
                          "closed\n");
}

Test(event_open, a_queue_that_is_stuck)
{
    fake_luns_fail(&luns, 0, &(struct fake_answer){.lost = true});
    afu.reset_reads = 12;
    cr_assert_eq(open_and_close(), -EIO);
    expect(NAMELESS READY "context_reset (queue 0, result -ETIMEDOUT)\n"
                          "reset_wanted\n"
                          "scsi_failed (port 0, opcode 0xa0, result -EIO)\n"
                          "port_silent (port 0, result -EIO)\n"
                          "open_failed (result -EIO)\n");
}

/* SP-126: no name, no LUN. */
Test(event_open, luns_that_cannot_be_used)
{
    struct fake_lun *lun = fake_luns_add(&luns, 0, UINT64_C(1) << 48, 2);

    memset(lun->wwid, 0, sizeof lun->wwid);
    luns.ports_up = 1;
    cr_assert_eq(open_and_close(), 0);
    expect(NAMELESS READY "lun_found (lun 0, port 0, lun_id 0x0)\n"
                          "lun_skipped (port 0, lun_id 0x1000000000000, result -ENXIO)\n"
                          "port_silent (port 1, result -ENETDOWN)\n"
                          "closed\n");
}
