/* SPDX-License-Identifier: Apache-2.0 */
/* An adapter that is up over fake_afu and fake_luns, without spipe_open(): for tests of one part of
 * the control path. */
#ifndef SPIPE_TESTS_TESTLIB_ADAPTER_FIXTURE_H
#define SPIPE_TESTS_TESTLIB_ADAPTER_FIXTURE_H

#include "core/adapter/adapter.h"
#include "tests/testlib/fake_luns.h"

enum { FIXTURE_MASTER = 3 };

struct adapter_fixture {
    struct fake_exec exec;
    struct fake_afu afu;
    struct fake_luns luns;
    struct spipe s;
};

/** Brings an adapter up; the clock is 0 afterwards. */
void adapter_fixture_init(struct adapter_fixture *f, enum hal_order order);

/** The same with an AFU that takes commands in SQ mode. */
void adapter_fixture_init_sq(struct adapter_fixture *f, enum hal_order order);

/** The same with `hwqs` hardware queues, whose masters are FIXTURE_MASTER and the next ones. */
void adapter_fixture_init_hwqs(struct adapter_fixture *f, unsigned hwqs);

/** Takes it down and checks that nothing is left. */
void adapter_fixture_fini(struct adapter_fixture *f);

/** One more LUN, with a WWID of its own and all else as given. */
void adapter_fixture_add_lun(struct adapter_fixture *f, struct spipe__lun like);

/** Back to no LUNs at all, global ones neither. */
void adapter_fixture_forget_luns(struct adapter_fixture *f);

#endif
