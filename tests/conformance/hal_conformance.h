/* SPDX-License-Identifier: Apache-2.0 */
/* The suite that every HAL back end must pass, written against hal/hal.h and hal/exec.h alone.
 *
 * A back end's test program builds an environment (a device, an execution contract, a table of what
 * they offer) and runs every case over it, each as a test of its own:
 *
 *   #define CASE(name, needs)                                                                     \
 *       Test(hal_conformance_xyz, name) { over_xyz(hal_conformance_##name, needs); }
 *   HAL_CONFORMANCE_CASES(CASE)
 *
 * A case whose needs are not all offered is skipped there, with the reason that
 * hal_conformance_missing gives. The body runs as the first thread of the environment, on a device
 * without contexts, and leaves it so. Cases assert nothing about wall time; what never comes shows
 * after `patience`, or as a time-out of the test. */
#ifndef TESTS_CONFORMANCE_HAL_CONFORMANCE_H
#define TESTS_CONFORMANCE_HAL_CONFORMANCE_H

#include <stdint.h>

#include "hal/exec.h"
#include "hal/hal.h"

/** What an environment may offer. */
enum hal_offer {
    HAL_OFFER_NOTHING = 0,
    HAL_OFFER_EXCLUSIVE = 1, /* nobody else uses the adapter: handles and resets can be judged */
    HAL_OFFER_LIMITS = 2,    /* `limit` is known */
    HAL_OFFER_COMMANDS = 4,  /* the AFU takes commands in IOARRIN mode (SL 10.1) */
    HAL_OFFER_LUN = 8,       /* `lun` may be overwritten */
    HAL_OFFER_FREEZE = 16,   /* `freeze` stops the slot, and the platform tells of it */
    HAL_OFFER_REMOVE = 32,   /* `remove` pulls the card, and the platform tells of it */
};

/** One back end, ready to be tried. */
struct hal_conformance {
    struct hal_dev *dev;
    struct exec *exec;
    unsigned offers;
    struct {
        unsigned contexts, irqs_min, irqs_max, irqs_budget; /* */
    } limit;
    struct {
        uint64_t id; /* 64-bit SCSI LUN id, not 0 */
        uint32_t block_size;
        uint64_t blocks; /* from 0; at least HAL_CONFORMANCE_BLOCKS */
        uint8_t ports;
    } lun;
    /* Freezes the slot; `ctx` is a started master, which may be used for it. */
    void (*freeze)(struct hal_conformance *env, struct hal_ctx *ctx);
    /* Pulls the card, for ever; `ctx` as above. */
    void (*remove)(struct hal_conformance *env, struct hal_ctx *ctx);
    void *arg;         /* of the environment */
    uint64_t patience; /* ns of exec's clock: what takes longer never comes */
};

#define HAL_CONFORMANCE_BLOCKS 64

typedef void hal_conformance_case(struct hal_conformance *);

#define HAL_CONFORMANCE_COMMANDS HAL_OFFER_COMMANDS
#define HAL_CONFORMANCE_IO (HAL_OFFER_COMMANDS | HAL_OFFER_LUN)
#define HAL_CONFORMANCE_COUNTS (HAL_OFFER_EXCLUSIVE | HAL_OFFER_LIMITS)

/** Every case: CASE(name, needs). */
#define HAL_CONFORMANCE_CASES(CASE)                                                                \
    CASE(a_context_lives, HAL_OFFER_NOTHING)                                                       \
    CASE(a_handle_is_there_from_creation_on, HAL_OFFER_NOTHING)                                    \
    CASE(the_lowest_free_handle_comes_first, HAL_OFFER_EXCLUSIVE)                                  \
    CASE(start_checks_the_count, HAL_OFFER_LIMITS)                                                 \
    CASE(interrupts_run_out, HAL_CONFORMANCE_COUNTS)                                               \
    CASE(contexts_run_out, HAL_CONFORMANCE_COUNTS)                                                 \
    CASE(the_end_of_a_context_clears_it, HAL_OFFER_EXCLUSIVE)                                      \
    CASE(reset_needs_an_idle_adapter, HAL_OFFER_EXCLUSIVE)                                         \
    CASE(reset_restores_registers, HAL_OFFER_EXCLUSIVE)                                            \
    CASE(reset_keeps_an_interrupt, HAL_OFFER_EXCLUSIVE)                                            \
    CASE(vpd_is_cut_to_size, HAL_OFFER_NOTHING)                                                    \
    CASE(the_image_flag_is_taken, HAL_OFFER_NOTHING)                                               \
    CASE(notes_are_taken, HAL_OFFER_NOTHING)                                                       \
    CASE(a_master_reaches_the_map, HAL_OFFER_EXCLUSIVE)                                            \
    CASE(a_user_reaches_its_window, HAL_OFFER_NOTHING)                                             \
    CASE(a_stopped_context_reads_ones, HAL_OFFER_NOTHING)                                          \
    CASE(loads_follow_stores, HAL_OFFER_EXCLUSIVE)                                                 \
    CASE(the_version_is_text, HAL_OFFER_NOTHING)                                                   \
    CASE(regions_do_not_overlap, HAL_OFFER_NOTHING)                                                \
    CASE(a_word_keeps_its_last_store, HAL_OFFER_NOTHING)                                           \
    CASE(a_wait_ends_at_its_deadline, HAL_OFFER_NOTHING)                                           \
    CASE(a_wait_outlasts_what_others_do, HAL_CONFORMANCE_COMMANDS)                                 \
    CASE(a_look_does_not_wait, HAL_CONFORMANCE_COMMANDS)                                           \
    CASE(an_interrupt_ends_a_wait, HAL_OFFER_NOTHING)                                              \
    CASE(a_stopped_context_is_lost, HAL_OFFER_NOTHING)                                             \
    CASE(a_lost_context_is_dead, HAL_OFFER_EXCLUSIVE)                                              \
    CASE(losing_a_context_ends_its_wait, HAL_OFFER_NOTHING)                                        \
    CASE(stopping_a_context_ends_its_wait, HAL_OFFER_NOTHING)                                      \
    CASE(a_poll_lets_completions_arrive, HAL_CONFORMANCE_COMMANDS)                                 \
    CASE(an_event_arrives, HAL_CONFORMANCE_COMMANDS)                                               \
    CASE(a_sleeper_is_woken, HAL_CONFORMANCE_COMMANDS)                                             \
    CASE(events_and_interrupts_both_count, HAL_CONFORMANCE_COMMANDS)                               \
    CASE(a_bad_address_is_an_event, HAL_CONFORMANCE_IO)                                            \
    CASE(stop_silences_commands, HAL_CONFORMANCE_IO)                                               \
    CASE(stop_silences_events, HAL_CONFORMANCE_COMMANDS)                                           \
    CASE(a_doorbell_is_a_barrier, HAL_CONFORMANCE_IO)                                              \
    CASE(a_published_entry_counts_after_a_sync, HAL_CONFORMANCE_IO)                                \
    CASE(entries_change_under_io, HAL_CONFORMANCE_IO)                                              \
    CASE(two_threads_use_two_contexts, HAL_CONFORMANCE_IO)                                         \
    CASE(a_calm_platform_says_nothing, HAL_OFFER_NOTHING)                                          \
    CASE(an_interrupt_ends_a_platform_wait, HAL_OFFER_FREEZE)                                      \
    CASE(a_frozen_slot_recovers, HAL_OFFER_FREEZE)                                                 \
    CASE(a_slot_reset_revives_no_context, HAL_OFFER_FREEZE)                                        \
    CASE(what_is_given_up_stays_so, HAL_OFFER_FREEZE)                                              \
    CASE(a_freeze_ends_waits, HAL_OFFER_FREEZE)                                                    \
    CASE(a_removal_ends_waits, HAL_OFFER_REMOVE)

#define HAL_CONFORMANCE_DECLARE(name, needs) hal_conformance_case hal_conformance_##name;
HAL_CONFORMANCE_CASES(HAL_CONFORMANCE_DECLARE)
#undef HAL_CONFORMANCE_DECLARE

/** What of `needs` the environment does not offer, as words; NULL if it offers all of it. */
const char *hal_conformance_missing(const struct hal_conformance *env, unsigned needs);

#endif
