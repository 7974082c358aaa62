/* SPDX-License-Identifier: Apache-2.0 */
/* A small adapter in which every invariant holds, as a picture and as the AFU sees it, written by
 * hand from docs/spec/vlun.md. Tests break it in one place at a time.
 *
 *   LUN 0   ports 0 and 1, virtual, slot 0, 10 chunks and 100 blocks
 *   LUN 1   ports 0 and 1, direct
 *   LUN 2   port 1 only, free, slot 255
 *   context 4, read and write, LUNs 0 and 1: handle 0 = chunks 0, 1, 2 of LUN 0; handle 1 = LUN 1
 *   context 5, read only, LUN 0: handle 0 = chunks 0, 1, by the name
 *   quarantined for context 5 handle 3: chunk 7, which is still cached
 *   a name: chunks 0, 1, 2 */
#ifndef SPIPE_TESTS_UNIT_SIM_CHECK_FIXTURE_H
#define SPIPE_TESTS_UNIT_SIM_CHECK_FIXTURE_H

#include "sim/check/check.h"
#include "sim/check/check_owned.h"

enum { FIX_MASTER = 2, FIX_RW = 4, FIX_RO = 5, FIX_GENERATION = 3 };

/* Indexes of what a test changes. */
enum { FIX_ENTRY_VIRTUAL, FIX_ENTRY_DIRECT, FIX_ENTRY_CLONE, FIX_ENTRY_CACHED, FIX_ENTRIES };
enum {
    FIX_WORD_0,
    FIX_WORD_1,
    FIX_WORD_2,
    FIX_WORD_CLONE_0,
    FIX_WORD_CLONE_1,
    FIX_WORD_CACHED,
    FIX_WORDS
};

#define FIX_RHT_RW UINT64_C(0x10000)
#define FIX_RHT_RO UINT64_C(0x20000)
#define FIX_LXT UINT64_C(0x30000)
#define FIX_LXT_CLONE UINT64_C(0x40000)
#define FIX_LXT_HELD UINT64_C(0x50000)
#define FIX_LUN_ID(lun, port) (UINT64_C(0x0001000000000000) * (10 * (port) + (lun)))

struct check_fixture {
    struct hal_picture *p;
    struct hal_picture_lun *lun;
    struct hal_picture_run *run;
    struct hal_picture_context *context;
    struct hal_picture_handle *handle; /* 0 virtual, 1 direct, 2 clone */
    struct hal_picture_held *held;
    struct hal_picture_array *array;
    struct hal_picture_name *name;
    uint64_t *chunk; /* 0..2 handle 0, 3..4 clone, 5 held, 6..8 name */
    uint32_t *attached;

    struct check_ctx ctx[3]; /* master, 4, 5 */
    struct check_entry entry[FIX_ENTRIES];
    struct check_word word[FIX_WORDS];
    uint64_t lun_table[2][256];
    struct check_view view;
};

extern struct check_fixture fix;

/** Makes it anew: everything holds. */
void check_fixture_make(void);

/** What checkers look at, with claims taken of the picture as it is. */
struct check_input check_fixture_input(void);

/** Expects that the invariant holds, in the fixture as it is; that it is broken, and that the
 * sentence says `about`. */
void check_fixture_holds(check_fn *fn);
void check_fixture_broken(check_fn *fn, unsigned invariant, const char *about);

#endif
