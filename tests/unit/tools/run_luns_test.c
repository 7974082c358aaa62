/* SPDX-License-Identifier: Apache-2.0 */
/* Which LUNs a run may use: a simulated adapter that is treated as a card, whose LUNs are read. */
#include "tools/run_luns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/superpipe.h"
#include "hal/support/endian.h"
#include "tools/session.h"

#define FIRST "6ffffff0000000000000000000000001"
#define BLOCK SESSION_BLOCK_BYTES

static struct run_luns chosen;
static char why[LUN_GUARD_WHY_BYTES];
static uint8_t block[BLOCK];

/* Runs body on an adapter with two empty LUNs. */
static void with_adapter(session_body *body)
{
    struct session_config config = {.seed = 1, .luns = 2, .lun_bytes = SESSION_CHUNK_BYTES};
    static struct session s;

    cr_assert_eq(session_open(&config, &s, why, sizeof why), 0, "%s", why);
    cr_assert_eq(session_run(&s, body, NULL, why, sizeof why), 0, "%s", why);
    session_close(&s);
}

static int choose(struct session *s, bool card, const char *name, bool destroy)
{
    struct lun_guard_options options = {.destroy = destroy};
    int rc;

    if (name)
        cr_assert_eq(lun_guard_add(&options, name, why, sizeof why), 0);
    s->card = card;
    rc = run_luns_choose(s, 0, &options, &chosen, why, sizeof why);
    s->card = false;
    return rc;
}

/* WRITE(16) of `block`. */
static void write_block(struct session *s, uint64_t lba)
{
    struct spipe_scsi c = {.size = sizeof c,
                           .port = SPIPE_PORT_ANY,
                           .cdb = {[0] = 0x8A},
                           .write = true,
                           .data = block,
                           .length = sizeof block};

    hal_be64_put(c.cdb + 2, lba);
    hal_be32_put(c.cdb + 10, 1);
    cr_assert_eq(spipe_scsi(s->spipe[0], &c), 0);
    if (c.sense_key == 6) /* a unit attention comes first */
        cr_assert_eq(spipe_scsi(s->spipe[0], &c), 0);
    cr_assert_eq(c.result, 0);
}

static int all_of_a_model(struct session *s, void *arg, char *unused, size_t size)
{
    (void)arg, (void)unused, (void)size;
    cr_assert_eq(choose(s, false, NULL, false), 0, "%s", why);
    cr_assert_eq(chosen.count, 2);
    cr_assert_eq(chosen.lun[1], 1);
    cr_assert_eq(choose(s, false, FIRST, false), 0, "%s", why);
    cr_assert_eq(chosen.count, 1);
    cr_assert_eq(chosen.lun[0], 0);
    return 0;
}

Test(run_luns, all_of_a_model) { with_adapter(all_of_a_model); }

static int named_on_a_card(struct session *s, void *arg, char *unused, size_t size)
{
    (void)arg, (void)unused, (void)size;
    cr_assert_eq(choose(s, true, NULL, false), -EINVAL);
    cr_assert_not_null(strstr(why, FIRST), "%s", why); /* those that there are */
    cr_assert_eq(choose(s, true, FIRST, false), 0, "%s", why);
    cr_assert_eq(chosen.count, 1);
    return 0;
}

Test(run_luns, named_on_a_card) { with_adapter(named_on_a_card); }

/* A GUID partition table lies in the second block (UEFI), and its copy in the last one. */
static int what_holds_something(struct session *s, void *arg, char *unused, size_t size)
{
    struct spipe_lun_info info;

    (void)arg, (void)unused, (void)size;
    cr_assert_eq(spipe_lun_info(s->spipe[0], 0, &info), 0);
    memcpy(block, "EFI PART", 8);
    write_block(s, info.last_lba);
    cr_assert_eq(choose(s, true, FIRST, false), -EPERM);
    cr_assert_not_null(strstr(why, "--destroy"), "%s", why);
    cr_assert_eq(choose(s, true, FIRST, true), 0, "%s", why);
    memset(block, 0, sizeof block);
    write_block(s, info.last_lba);
    cr_assert_eq(choose(s, true, FIRST, false), 0, "%s", why);
    return 0;
}

Test(run_luns, what_holds_something) { with_adapter(what_holds_something); }
