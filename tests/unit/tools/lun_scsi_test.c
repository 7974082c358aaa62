/* SPDX-License-Identifier: Apache-2.0 */
/* LUNs of an adapter, looked at by SCSI commands: what lies on them decides. */
#include "tools/lun_scsi.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tools/session_fixture.h"

#define BLOCK 4096u

static struct lun_scsi list;
static struct lun_guard_options options;
static enum lun_guard_answer answer[LUN_SCSI_MAX];
static char why[LUN_GUARD_WHY_BYTES];

/* Writes a block of a LUN that has some bytes at a place, and zeros else. */
static void put(struct spipe *s, unsigned lun, uint64_t lba, unsigned at, const char *bytes,
                size_t n)
{
    uint8_t block[BLOCK] = {0};
    struct spipe_scsi c = {.size = sizeof c,
                           .lun = lun,
                           .port = SPIPE_PORT_ANY,
                           .cdb = {0x8A, [13] = 1},
                           .write = true,
                           .data = block,
                           .length = BLOCK};

    memcpy(block + at, bytes, n);
    for (unsigned i = 0; i < 8; i++)
        c.cdb[2 + i] = (uint8_t)(lba >> (56 - 8 * i));
    cr_assert_eq(spipe_scsi(s, &c), 0);
    cr_assert_eq(c.result, 0);
}

static int decide(void)
{
    return lun_guard_decide(&options, true, list.lun, list.luns, answer, why, sizeof why);
}

static void contents(struct session *session)
{
    struct spipe *s = session->spipe[0];
    struct spipe_lun_info info;

    lun_scsi_list(s, &list);
    cr_assert_eq(list.luns, 2);
    cr_assert_eq(spipe_lun_info(s, 1, &info), 0);
    cr_assert_eq(memcmp(list.lun[1].wwid, info.wwid, 16), 0);
    memcpy(options.wwid[0], info.wwid, 16);
    options.wwids = 1;
    cr_assert_eq(decide(), 0, "%s", why);
    cr_assert_eq(answer[0], LUN_GUARD_HANDS_OFF);
    cr_assert_eq(answer[1], LUN_GUARD_WRITE);

    put(s, 0, 0, 1080, "\x53\xEF", 2);
    cr_assert_eq(decide(), 0, "the other LUN is nobody's business");
    put(s, 1, info.last_lba, 0, "EFI PART", 8);
    cr_assert_eq(decide(), -EPERM);
    cr_assert(strstr(why, "backup of a GPT"), "%s", why);
    put(s, 1, 0, 1080, "\x53\xEF", 2);
    put(s, 1, info.last_lba, 0, "", 0);
    cr_assert_eq(decide(), -EPERM);
    cr_assert(strstr(why, "ext2, ext3 or ext4 file system, at byte 1080"), "%s", why);
}

Test(lun_scsi, contents) { with_session(NULL, contents); }

/* The medium of the first block cannot be read. */
static void unreadable(struct session *session)
{
    lun_scsi_list(session->spipe[0], &list);
    memcpy(options.wwid[0], list.lun[0].wwid, 16);
    options.wwids = 1;
    cr_assert_eq(decide(), -EIO);
    cr_assert(strstr(why, "cannot be looked at"), "%s", why);
    cr_assert_eq(answer[0], LUN_GUARD_HANDS_OFF);
}

Test(lun_scsi, unreadable) { with_session("media#1*=x(0x02031100)", unreadable); }

/* What goes wrong once is tried again. */
static void once(struct session *session)
{
    lun_scsi_list(session->spipe[0], &list);
    memcpy(options.wwid[0], list.lun[0].wwid, 16);
    options.wwids = 1;
    cr_assert_eq(decide(), 0, "%s", why);
}

Test(lun_scsi, once) { with_session("media#1=x(0x02031100)", once); }
