/* SPDX-License-Identifier: Apache-2.0 */
/* The LUN that a new virtual LUN is cut from: a simulated adapter, also treated as a card. */
#include "tools/lun_choice.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/endian.h"
#include "tests/unit/tools/session_fixture.h"
#include "tools/vlun_handle.h"

#define FIRST "6ffffff0000000000000000000000001"
#define SECOND "6ffffff0000000010000000000000001"
#define CHUNK SESSION_CHUNK_API_BLOCKS
#define CHUNK_BYTES (UINT64_C(256) << 20)

static char why[SESSION_WHY_BYTES];
static unsigned lun;
static uint64_t room;

/* ---- words ---- */

static int set(struct lun_choice *c, const char *text)
{
    return lun_choice_set(c, text, why, sizeof why);
}

Test(lun_choice, numbers_and_names)
{
    struct lun_choice c = {0};

    cr_assert_eq(set(&c, "7"), 0);
    cr_assert(c.by_number);
    cr_assert_eq(c.number, 7);
    cr_assert_eq(set(&c, "254"), 0);
    cr_assert_eq(c.number, 254);
    cr_assert_eq(set(&c, "0x" FIRST), 0);
    cr_assert_not(c.by_number, "the last one counts");
    cr_assert_eq(c.guard.wwids, 1);
    cr_assert_eq(set(&c, "60000000000000000000000000000001"), 0, "digits only, and no number");
    cr_assert_not(c.by_number);
    cr_assert_eq(c.guard.wwids, 2);
}

Test(lun_choice, other_words)
{
    static const char *const words[] = {"255", "x",        "",
                                        "-1",  "6ffffff0", "00000000000000000000000000000000"};
    struct lun_choice c = {0};

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        cr_assert_eq(set(&c, words[i]), -EINVAL, "%s", words[i]);
        cr_assert(strstr(why, "must be a number from 0 to 254, or the 32 hexadecimal digits"), "%s",
                  why);
    }
}

/* ---- choices ---- */

/* What comes of --lun `text`, or of none, with the adapter treated as a card or not. */
static int choose(struct session *s, bool card, const char *text, bool destroy)
{
    struct lun_choice c = {.guard.destroy = destroy};
    int rc;

    if (text)
        cr_assert_eq(set(&c, text), 0);
    lun = UINT32_MAX;
    s->card = card;
    rc = lun_choice_make(s, &c, &lun, &room, why, sizeof why);
    s->card = false;
    return rc;
}

static void roomiest_body(struct session *s)
{
    struct vlun_handle v = {0};

    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 0, 0), 0);
    cr_assert_eq(choose(s, false, NULL, false), 0);
    cr_assert_eq(lun, 0, "the first of equal ones");
    cr_assert_eq(vlun_handle_create(&v, CHUNK), 0);
    cr_assert_eq(choose(s, false, NULL, false), 0);
    cr_assert_eq(lun, 1);
    cr_assert_eq(room, 4 * CHUNK_BYTES);
    cr_assert_eq(choose(s, false, FIRST, false), 0);
    cr_assert_eq(lun, 0);
    cr_assert_eq(room, 3 * CHUNK_BYTES);
    cr_assert_eq(choose(s, false, "0", false), 0);
    cr_assert_eq(lun, 0);
    cr_assert_eq(room, 3 * CHUNK_BYTES);
    cr_assert_eq(choose(s, false, "2", false), -ENOENT);
    cr_assert(strstr(why, "there is no LUN 2 in"), "%s", why);
    cr_assert_eq(vlun_handle_resize(&v, 4 * CHUNK), 0);
    cr_assert_eq(choose(s, false, FIRST, false), 0);
    cr_assert_eq(lun, 0);
    cr_assert_eq(room, 0, "full");
    cr_assert_eq(vlun_handle_end(&v), 0);
}

Test(lun_choice, the_one_with_most_room) { with_session(NULL, roomiest_body); }

static void card_body(struct session *s)
{
    cr_assert_eq(choose(s, true, NULL, false), -EINVAL);
    cr_assert(strstr(why, "touched only by their names: give --lun WWID") && strstr(why, SECOND),
              "%s", why);
    cr_assert_eq(choose(s, true, "1", false), -EINVAL);
    cr_assert(strstr(why, "touched only by their names, not by numbers"), "%s", why);
    cr_assert_eq(lun, 1, "whatever it is, it is not used");
    cr_assert_eq(choose(s, true, SECOND, false), 0, "%s", why);
    cr_assert_eq(lun, 1);
}

Test(lun_choice, a_card_wants_a_name) { with_session(NULL, card_body); }

/* ---- what holds something ---- */

/* WRITE(16) of block 1 of LUN 1: there a GUID partition table begins (UEFI). */
static void partition(struct session *s)
{
    static uint8_t block[SESSION_BLOCK_BYTES] = "EFI PART";
    struct spipe_scsi c = {.size = sizeof c,
                           .lun = 1,
                           .port = SPIPE_PORT_ANY,
                           .cdb = {[0] = 0x8A},
                           .write = true,
                           .data = block,
                           .length = sizeof block};

    hal_be64_put(c.cdb + 2, 1);
    hal_be32_put(c.cdb + 10, 1);
    cr_assert_eq(spipe_scsi(s->spipe[0], &c), 0);
    cr_assert_eq(c.result, 0);
}

static void give_name(struct session *s, uint64_t blocks)
{
    struct vlun_handle v = {0};

    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 1, 0), 0);
    cr_assert_eq(vlun_handle_create(&v, blocks), 0);
    cr_assert_eq(spipe_name_set(v.ctx, v.handle, "disk", 0), 0);
    cr_assert_eq(vlun_handle_end(&v), 0);
}

static void contents_body(struct session *s)
{
    partition(s);
    cr_assert_eq(choose(s, true, SECOND, false), -EPERM);
    cr_assert(strstr(why, "--destroy if it may be lost"), "%s", why);
    cr_assert_eq(choose(s, true, SECOND, true), 0, "%s", why);
    cr_assert_eq(choose(s, true, FIRST, false), 0, "%s", why);
    give_name(s, 0);
    cr_assert_eq(choose(s, true, SECOND, false), -EPERM, "a name without a block says nothing");
    give_name(s, CHUNK);
    cr_assert_eq(choose(s, true, SECOND, false), 0, "it is in the first block of a name: %s", why);
    cr_assert_eq(spipe_name_remove(s->spipe[0], "disk"), 0);
    cr_assert_eq(choose(s, true, SECOND, false), -EPERM, "whose it is nobody knows any more");
}

Test(lun_choice, contents_without_a_name_are_somebody_elses) { with_session(NULL, contents_body); }
