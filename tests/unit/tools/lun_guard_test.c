/* SPDX-License-Identifier: Apache-2.0 */
/* Which LUNs may be touched: every combination of names, options and contents. */
#include "tools/lun_guard.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096u
#define BLOCKS 1024u

#define NAME_A "60050768000000000000000000000001"
#define NAME_B "60050768000000000000000000000002"
#define NAME_C "6005076800000000000000000000000C"

/* Three LUNs: an empty one, one with ext4, one that cannot be read. */
static unsigned reads[3];

static int read_lun(void *arg, uint64_t lba, uint32_t blocks, void *buffer)
{
    unsigned i = (unsigned)(size_t)arg;

    reads[i]++;
    if (i == 2)
        return -EIO;
    memset(buffer, 0, (size_t)blocks * BLOCK);
    if (i == 1 && lba == 0)
        memcpy((char *)buffer + 1080, "\x53\xEF", 2);
    return 0;
}

static struct lun_guard_lun luns[3];
static struct lun_guard_options options;
static enum lun_guard_answer answer[3];
static char why[LUN_GUARD_WHY_BYTES];

static void make_luns(void)
{
    static const char *const names[] = {NAME_A, NAME_B, NAME_C};

    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(lun_guard_wwid(names[i], luns[i].wwid, why, sizeof why), 0);
        luns[i].reader = (struct lun_reader){read_lun, (void *)i, BLOCK, BLOCKS};
    }
}

TestSuite(lun_guard, .init = make_luns);

static int decide(bool hardware)
{
    memset(answer, 0x5A, sizeof answer);
    memset(reads, 0, sizeof reads);
    return lun_guard_decide(&options, hardware, luns, 3, answer, why, sizeof why);
}

static void name(const char *text)
{
    cr_assert_eq(lun_guard_add(&options, text, why, sizeof why), 0, "%s", why);
}

static void answers(enum lun_guard_answer a, enum lun_guard_answer b, enum lun_guard_answer c)
{
    cr_assert_eq(answer[0], a);
    cr_assert_eq(answer[1], b);
    cr_assert_eq(answer[2], c);
}

static void refused(int rc, int expected, const char *part)
{
    cr_assert_eq(rc, expected);
    cr_assert(strstr(why, part), "%s", why);
    answers(LUN_GUARD_HANDS_OFF, LUN_GUARD_HANDS_OFF, LUN_GUARD_HANDS_OFF);
}

Test(lun_guard, names)
{
    static const char *const good[] = {
        "60050768000000000000000000abcdef", "0x60050768000000000000000000ABCDEF",
        "naa.60050768000000000000000000AbCdEf", "360050768000000000000000000abcdef"};
    static const char *const bad[] = {"",
                                      "6005076800000000000000000000001",
                                      "60050768000000000000000000000000g",
                                      "6005076800000000000000000000000g",
                                      "460050768000000000000000000abcdef",
                                      "3360050768000000000000000000abcdef",
                                      " 60050768000000000000000000abcdef",
                                      "60050768000000000000000000abcdef ",
                                      "all"};
    static const uint8_t expected[16] = {0x60, 0x05, 0x07, 0x68, [13] = 0xab, 0xcd, 0xef};
    uint8_t wwid[16];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(lun_guard_wwid(good[i], wwid, why, sizeof why), 0, "%s", good[i]);
        cr_assert_eq(memcmp(wwid, expected, 16), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(lun_guard_wwid(bad[i], wwid, why, sizeof why), -EINVAL, "%s", bad[i]);
        cr_assert_str_eq(why, "must be the 32 hexadecimal digits that 'superpipe lun list' shows");
    }
    cr_assert_eq(lun_guard_wwid("00000000000000000000000000000000", wwid, why, sizeof why),
                 -EINVAL);
    cr_assert(strstr(why, "zeros"));
}

Test(lun_guard, many_names)
{
    char text[40];

    for (unsigned i = 0; i < LUN_GUARD_NAMES_MAX; i++) {
        snprintf(text, sizeof text, "%032x", i + 1);
        name(text);
        name(text); /* twice is once */
    }
    cr_assert_eq(options.wwids, LUN_GUARD_NAMES_MAX);
    cr_assert_eq(lun_guard_add(&options, NAME_A, why, sizeof why), -EINVAL);
    cr_assert(strstr(why, "64 times"));
}

Test(lun_guard, on_hardware_nothing_without_a_name)
{
    refused(decide(true), -EINVAL, "give --lun WWID; the adapter has: " NAME_A " " NAME_B);
    options.read_only = true;
    refused(decide(true), -EINVAL, "give --lun WWID");
    options = (struct lun_guard_options){.destroy = true};
    refused(decide(true), -EINVAL, "give --lun WWID");
    cr_assert_eq(reads[0] + reads[1] + reads[2], 0);
}

Test(lun_guard, only_what_is_named)
{
    name(NAME_A);
    cr_assert_eq(decide(true), 0);
    answers(LUN_GUARD_WRITE, LUN_GUARD_HANDS_OFF, LUN_GUARD_HANDS_OFF);
    cr_assert_gt(reads[0], 0);
    cr_assert_eq(reads[1] + reads[2], 0, "others are not even read");
    cr_assert_eq(decide(false), 0);
    answers(LUN_GUARD_WRITE, LUN_GUARD_HANDS_OFF, LUN_GUARD_HANDS_OFF);
}

Test(lun_guard, what_holds_something)
{
    name(NAME_A);
    name(NAME_B);
    refused(decide(true), -EPERM,
            "LUN 60050768000000000000000000000002 holds something: ext2, ext3 or ext4 file "
            "system, at byte 1080");
    options.destroy = true;
    cr_assert_eq(decide(true), 0);
    answers(LUN_GUARD_WRITE, LUN_GUARD_WRITE, LUN_GUARD_HANDS_OFF);
    options.destroy = false;
    options.read_only = true;
    cr_assert_eq(decide(true), 0);
    answers(LUN_GUARD_READ, LUN_GUARD_READ, LUN_GUARD_HANDS_OFF);
}

/* Decision 0017: what lies there was put there. */
Test(lun_guard, what_holds_names_of_ours)
{
    name(NAME_B);
    luns[1].carries_names = true;
    cr_assert_eq(decide(true), 0);
    answers(LUN_GUARD_HANDS_OFF, LUN_GUARD_WRITE, LUN_GUARD_HANDS_OFF);
    cr_assert_eq(reads[1], 0);
    options.wwids = 0;
    refused(decide(true), -EINVAL, "give --lun WWID");
    luns[1].carries_names = false;
}

Test(lun_guard, what_cannot_be_looked_at)
{
    name(NAME_C);
    refused(decide(true), -EIO, "nobody knows what it holds");
    options.read_only = true;
    cr_assert_eq(decide(true), 0);
    answers(LUN_GUARD_HANDS_OFF, LUN_GUARD_HANDS_OFF, LUN_GUARD_READ);
    cr_assert_eq(reads[2], 0);
}

Test(lun_guard, a_name_that_no_lun_has)
{
    name(NAME_A);
    name("60050768000000000000000000000009");
    refused(decide(true), -ENODEV,
            "has no LUN 60050768000000000000000000000009; it has: " NAME_A " " NAME_B);
    refused(decide(false), -ENODEV, "has no LUN");
    cr_assert_eq(reads[0], 0);
    cr_assert_eq(lun_guard_decide(&options, true, luns, 0, answer, why, sizeof why), -ENODEV);
    cr_assert(strstr(why, "it has: none"));
}

Test(lun_guard, options_that_exclude_each_other)
{
    name(NAME_A);
    options.read_only = options.destroy = true;
    refused(decide(true), -EINVAL, "--read-only or --destroy, not both");
    refused(decide(false), -EINVAL, "--read-only or --destroy, not both");
}

/* A simulated adapter has nothing of anybody. */
Test(lun_guard, in_the_simulator_everything)
{
    cr_assert_eq(decide(false), 0);
    answers(LUN_GUARD_WRITE, LUN_GUARD_WRITE, LUN_GUARD_WRITE);
    cr_assert_eq(reads[1] + reads[2], 0);
    options.read_only = true;
    cr_assert_eq(decide(false), 0);
    answers(LUN_GUARD_READ, LUN_GUARD_READ, LUN_GUARD_READ);
}
