/* SPDX-License-Identifier: Apache-2.0 */
/* Disks for fake_afu: answers REPORT LUNS, INQUIRY page 0x83 and READ CAPACITY(16) from a table,
 * and AFU commands with "good". Single commands can be made to fail by their number. */
#ifndef SPIPE_TESTS_TESTLIB_FAKE_LUNS_H
#define SPIPE_TESTS_TESTLIB_FAKE_LUNS_H

#include "tests/testlib/fake_afu.h"

enum { FAKE_LUNS_MAX = 16, FAKE_LUNS_FAULTS = 16, FAKE_LUNS_LOG = 256 };

/** One LUN at one port. */
struct fake_lun {
    unsigned port;
    uint64_t id;
    uint8_t wwid[16]; /* all zero: the device has no name */
    uint64_t last_lba;
    uint32_t block_size;
    bool lbprz;
    uint8_t device_type;
};

struct fake_luns {
    struct fake_lun lun[FAKE_LUNS_MAX];
    unsigned count;
    struct {
        uint64_t nth; /* command number, from 0 */
        struct fake_answer answer;
    } fault[FAKE_LUNS_FAULTS]; /* instead of the disk's answer */
    unsigned faults;
    unsigned ports_up; /* mask; commands to others end with NO_CHANNELS */
    uint64_t commands;
    struct fake_command log[FAKE_LUNS_LOG]; /* the first ones */
};

/** No LUNs, both ports of the card up. */
void fake_luns_init(struct fake_luns *luns);

/** Adds a LUN of 64 chunks and 100 blocks of 4096 bytes, whose NAA-6 name ends in `name`. */
struct fake_lun *fake_luns_add(struct fake_luns *luns, unsigned port, uint64_t id, uint8_t name);

/** Makes command number `nth` end with `answer`. */
void fake_luns_fail(struct fake_luns *luns, uint64_t nth, const struct fake_answer *answer);

/** The function for fake_afu_init(); arg is the struct fake_luns. */
struct fake_answer fake_luns_answer(void *arg, const struct fake_command *command);

/** A check condition with these sense data. */
struct fake_answer fake_check_condition(uint8_t key, uint8_t asc, uint8_t ascq);

#endif
