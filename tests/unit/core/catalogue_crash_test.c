/* SPDX-License-Identifier: Apache-2.0 */
/* Lives of a catalogue that end with every crash that is possible: kill -9 at any byte of any
 * write, and power failures that lose, keep or tear whatever was not synced
 * (tests/testlib/crash.h). What is found is what was acknowledged, with the change that was under
 * way wholly there or not at all, and no chunk can be used again whose record, or wipe, was not
 * durable. One of those media is where the next life begins, so that what one crash left meets the
 * next.
 *
 * A failure prints its seed; SPIPE_TEST_SEED=<number> in the environment runs that one, and
 * SPIPE_CRASH_LIVES=<number> so many lives; catalogue_crash_nightly has more of them. */
#include "core/catalogue/catalogue.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/catalogue_fixture.h"
#include "tests/testlib/crash.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"
#include "tests/unit/core/catalogue_life.h"

TestSuite(catalogue_crash, .timeout = 3000);

enum { AREA = 4096, STEPS = 16, PROBE_EVERY = 16 };

static struct hal_prng prng;

/* Where the crash being looked at happened, and what the next life begins with. */
static struct {
    size_t events;
    uint64_t seen;
    unsigned char next[AREA];
    uint32_t secret[LIFE_LUNS];
} at;

/* ---- what is found ---- */

/* What nobody owns and nothing is to be done with is given to whoever asks next. */
static void check_reusable(const struct life_state *found)
{
    for (unsigned lun = 0; lun < LIFE_LUNS; lun++) {
        uint32_t kept = 0;

        for (unsigned i = 0; i < LIFE_NAMES; i++)
            for (unsigned k = 0; k < found->name[i].count && found->name[i].lun == lun; k++)
                kept |= (uint32_t)HAL_BIT(found->name[i].chunk[k]);
        for (unsigned c = 0; c < LIFE_CHUNKS; c++)
            kept |= found->wipe[lun][c] ? (uint32_t)HAL_BIT(c) : 0;
        if (life_secret(lun, at.events) & ~kept)
            cr_assert_fail("VL-63: not wiped, and free");
    }
}

/* The process that finds it can go on, and the one after it finds both. */
static void check_probe(const struct life_state *found)
{
    struct life_state again;

    cr_assert_eq(spipe__cat_replace(fx.cat, "probe", lun_b, &(uint32_t){99}, 1, 7, NULL, NULL), 0);
    cat_reopen();
    cr_assert_not_null(spipe__cat_find(fx.cat, "probe"));
    cr_assert_eq(spipe__cat_remove(fx.cat, "probe", NULL, NULL), 0);
    cat_reopen();
    life_read(&again);
    /* life_read() begins with zeros. */
    cr_assert(!memcmp(found, &again, sizeof again)); /* NOLINT(bugprone-*,cert-*) */
}

/* Every medium is as likely as any other to be the next one. */
static void choose_next(const unsigned char *image)
{
    if (hal_prng_below(&prng, ++at.seen))
        return;
    memcpy(at.next, image, sizeof at.next);
    for (unsigned lun = 0; lun < LIFE_LUNS; lun++)
        at.secret[lun] = life_secret(lun, at.events);
}

static void judge(void *arg, const unsigned char *image)
{
    struct life_state found;

    (void)arg;
    memcpy(fx.area.bytes, image, AREA);
    cr_assert_eq(cat_open(), 0, "after %zu events: %s", at.events, fx.error.text);
    life_read(&found);
    if (!life_legal(&found, at.events))
        cr_assert_fail("after %zu events: neither what was acknowledged nor what was asked for",
                       at.events);
    check_reusable(&found);
    choose_next(image);
    if (at.seen % PROBE_EVERY == 0)
        check_probe(&found);
    cat_close();
}

/* ---- crashes ---- */

/* Power fails just before a sync ends, and at the end: what could be lost at other times is some of
 * that. */
static uint64_t crash_everywhere(const struct fake_area *journal, bool patient,
                                 const struct crash_effort *effort)
{
    struct crash c;
    uint64_t images;

    crash_init(&c, journal->start, journal->area.size);
    c.patient = patient;
    at.seen = 0;
    for (at.events = 0; at.events < journal->events; at.events++) {
        const struct fake_area_event *e = &journal->event[at.events];

        if (e->n)
            crash_each_kill(&c, e, effort, judge, NULL);
        else
            crash_each_loss(&c, effort, judge, NULL);
        crash_event(&c, e);
    }
    crash_each_loss(&c, effort, judge, NULL);
    images = c.images;
    crash_fini(&c);
    return images;
}

/* One life on the area as it is, every end of it, and the beginning of the next. */
static uint64_t live_and_die(const struct crash_effort *effort)
{
    bool patient = hal_prng_below(&prng, 2);
    struct fake_area journal;
    uint64_t images;

    fake_area_journal(&fx.area);
    cr_assert_eq(cat_open(), 0);
    life_begin(at.secret, patient);
    for (unsigned i = 0; i < STEPS; i++)
        life_step();
    cat_close();
    journal = fx.area;
    fake_area_init(&fx.area, AREA);
    images = crash_everywhere(&journal, patient, effort);
    fake_area_fini(&journal);
    fake_area_set(&fx.area, at.next);
    return images;
}

static void check_counts(void)
{
    for (unsigned i = 0; i < LIFE_KINDS; i++)
        cr_assert_gt(life_counts.done[i], 0, "nothing of kind %u was done", i);
    cr_assert_gt(life_counts.failed, 0);
    cr_assert_gt(life_counts.quarantined, 0);
    cr_assert_gt(life_counts.reused, 0);
    cr_assert_gt(fx.store.compactions, life_counts.done[LIFE_COMPACT], "the store was full");
}

Test(catalogue_crash, nothing_acknowledged_is_lost_and_nothing_else_is_found)
{
    const char *text = getenv("SPIPE_CRASH_LIVES");
    unsigned long lives = text ? strtoul(text, NULL, 0) : 150;
    uint64_t images = 0;

    hal_prng_seed(&prng, test_seed(20261129), 1);
    life_reset(&prng);
    memset(&at, 0, sizeof at);
    cat_begin(AREA);
    cat_close();
    for (unsigned long i = 0; i < lives; i++)
        images += live_and_die(&(struct crash_effort){
            .exhaustive = 6, .samples = 100, .step = i % 16 ? 13 : 1, .prng = &prng});
    fprintf(stderr, "%lu lives, %llu media\n", lives, (unsigned long long)images);
    check_counts();
    PROVES(VL_63);
    fake_area_fini(&fx.area);
}
