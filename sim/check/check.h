/* SPDX-License-Identifier: Apache-2.0 */
/* What the checkers of the invariants (docs/spec/vlun.md section 16) have in common. Shared inside
 * sim/check and with its tests.
 *
 * A checker is a function that compares the picture of core's control state (hal/picture.h) with
 * the AFU view: what the model can reach and what it has cached. It is written against the
 * specification and knows nothing of core. INV-n is in check_inv_NN.c; a family has one file, named
 * after its first. */
#ifndef SIM_CHECK_CHECK_H
#define SIM_CHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_tables.h"
#include "hal/picture.h"
#include "sim/check/check_room.h"
#include "sim/sim_watch.h"

#define CHECK_CHUNK_BLOCKS UINT64_C(65536)

/* ---- the AFU view -------------------------------------------------------------------------- */

/** Where the model has something from. */
enum check_source { CHECK_MEMORY, CHECK_CACHE, CHECK_WALK };

/** A started context, as its registers say. */
struct check_ctx {
    uint64_t rht_start, rht_cnt_id, ctx_cap;
    uint16_t number;
    bool master;
};

/** An RHT entry that is not 16 zero bytes. */
struct check_entry {
    uint64_t start; /* address of the LXT, or LUN id */
    uint64_t room;  /* LXT entries from there to the end of the registered memory */
    uint32_t count; /* format 0 */
    uint16_t context, handle;
    uint8_t source;             /* enum check_source */
    uint8_t permissions, nmask; /* nmask or port mask: 0 = free */
    bool direct, valid;         /* format 1 */
};

/** An LXT word. */
struct check_word {
    uint64_t word;
    uint32_t index;
    uint16_t context, handle;
    uint8_t source;
};

/** What the AFU can reach from registered contexts, and what it has cached or works on. */
struct check_view {
    const struct check_ctx *ctx;
    const struct check_entry *entry;
    const struct check_word *word;
    uint32_t ctxs, entries, words;
    const uint64_t *lun_table[HAL_PICTURE_PORTS]; /* registers of the ports, by slot */
};

struct sim_afu;

/** RHT entries in memory that may be something else than zeros. */
struct check_slots {
    uint64_t rht; /* 0: it is not known which */
    uint64_t used[256 / 64];
};

/** Memory of a view. */
struct check_view_room {
    struct check_room ctx, entry, word;
    struct check_slots slots[512]; /* by context */
    bool untold;                   /* nobody tells of stores: every entry is read */
};

/** A part of a view is read where something was found before, or stored since: an RHT entry is
 * stored; a context begins, of which nothing is known. */
void check_view_stored(struct check_view_room *room, uint16_t context, uint16_t handle);
void check_view_forget(struct check_view_room *room, uint16_t context);

/** Looks at the model, as far as some contexts are concerned (a bit for each number; NULL: all).
 * False: no memory. */
HAL_MUST_CHECK bool check_view_take(struct sim_afu *a, const uint64_t *only,
                                    struct check_view_room *room, struct check_view *out);

/* ---- claims: who owns which chunk ---------------------------------------------------------- */

enum check_owner { CHECK_HANDLE, CHECK_HELD, CHECK_NAME };

/** One reference of a chunk, of R(c), Q(c) or a name. */
struct check_claim {
    uint64_t chunk;
    uint32_t lun;
    uint32_t owner; /* index of handle, held or name */
    uint32_t at;    /* position among its chunks */
    uint32_t kind;  /* enum check_owner */
};

/** All references of a picture, in order of LUN, chunk, kind, owner, position. */
struct check_claims {
    const struct check_claim *claim;
    uint32_t n;
};

HAL_MUST_CHECK bool check_claims_take(const struct hal_picture *p, struct check_room *room,
                                      struct check_claims *out);

/** The claims on a chunk of a LUN. */
struct check_claims check_claims_on(const struct check_claims *all, uint32_t lun, uint64_t chunk);

/* ---- looking things up --------------------------------------------------------------------- */

/** The run that has the chunk, or NULL: it is free, or there is none. */
const struct hal_picture_run *check_run(const struct hal_picture *p, uint32_t lun, uint64_t chunk);

/** The same, tried at *near first, the number of a run; it becomes that of the one found. */
const struct hal_picture_run *check_run_near(const struct hal_picture *p, uint32_t lun,
                                             uint64_t chunk, uint32_t *near);

/** The healthy context of a number, or NULL. */
const struct hal_picture_context *check_context(const struct hal_picture *p, uint16_t number);

/** The open handle, or NULL. */
const struct hal_picture_handle *check_handle(const struct hal_picture *p, uint16_t context,
                                              uint32_t handle);

/** What is quarantined for a handle: its first record from `from` on, or NULL. */
const struct hal_picture_held *check_held(const struct hal_picture *p, uint16_t context,
                                          uint32_t handle, uint32_t from);

/** The LUN of a handle, open or quarantined; HAL_PICTURE_NONE without either. */
uint32_t check_lun_of(const struct hal_picture *p, uint16_t context, uint32_t handle);

/** The LUN of a handle that was looked up last: words of a handle are neighbours. Zero at first. */
struct check_handle_lun {
    const struct hal_picture_handle *open; /* NULL: it is not */
    uint32_t lun;
    uint16_t context, handle;
    bool known;
};

/** Looks up the handle of an LXT word. */
void check_handle_lun_find(const struct hal_picture *p, const struct check_word *w,
                           struct check_handle_lun *last);

/** Whether an access to the medium is one to this LUN. */
bool check_is_lun(const struct hal_picture *p, uint32_t lun, const struct sim_watched *w);

/** The LUN with the slot and ports of an LXT word, or HAL_PICTURE_NONE. */
uint32_t check_lun_in_slot(const struct hal_picture *p, uint64_t word);

/** The LUN that an LXT word of the view is about: that of its handle, else the one with its slot.
 */
static inline uint32_t check_lun_of_word(const struct hal_picture *p, const struct check_word *w,
                                         struct check_handle_lun *last)
{
    if (!last->known || last->context != w->context || last->handle != w->handle)
        check_handle_lun_find(p, w, last);
    return last->lun != HAL_PICTURE_NONE ? last->lun : check_lun_in_slot(p, w->word);
}

/* ---- verdicts ------------------------------------------------------------------------------ */

enum { CHECK_TEXT = 240 };

/** The invariant that does not hold, and what is wrong, without a full stop. */
struct check_verdict {
    unsigned invariant;
    char text[CHECK_TEXT];
};

/** Fills a verdict. Returns false, so that checkers end with it. */
bool check_broken(struct check_verdict *v, unsigned invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

struct check_owned;

/** What a checker looks at: a picture, whole or a part, view and claims of the same contexts, and
 * what every context had when it was drawn last (sim/check/check_owned.h), for events. */
struct check_input {
    const struct hal_picture *picture;
    const struct check_view *view;
    const struct check_claims *claims;
    const struct check_owned *owned;
};

/** True: the invariant holds. Otherwise *v says what is wrong. */
typedef bool check_fn(const struct check_input *in, struct check_verdict *v);

check_fn check_inv_01, check_inv_02, check_inv_03, check_inv_04, check_inv_05, check_inv_06,
    check_inv_07, check_inv_08, check_inv_09, check_inv_10, check_inv_11, check_inv_12,
    check_inv_13, check_inv_18, check_inv_19, check_inv_20, check_inv_21, check_inv_22,
    check_inv_26;

/* Those about one event. */
bool check_inv_13_release(const struct check_view *view, uint64_t start, uint64_t bytes,
                          struct check_verdict *v);
bool check_inv_13_release_rest(const struct check_owned *owned, const uint64_t *but, uint64_t start,
                               uint64_t bytes, struct check_verdict *v);
bool check_inv_17(const struct check_input *in, const struct sim_watched *w, bool quiet,
                  struct check_verdict *v);
bool check_inv_23(const struct hal_picture *p, const struct sim_watched *w,
                  struct check_verdict *v);
bool check_inv_25(const struct check_input *in, const struct sim_watched *w, bool quiet,
                  struct check_verdict *v);
bool check_inv_27(const struct hal_picture *p, const struct sim_watched *w,
                  struct check_verdict *v);

#endif
