/* SPDX-License-Identifier: Apache-2.0 */
/* Write caches of devices: what their answers mean, and what is sent to them. */
#include "tools/session_sync.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sim/sim_control.h"
#include "tests/unit/tools/session_fixture.h"

/* ---- answers (SPC-4, SBC-3, SAM-5) ---- */

#define CHECK_CONDITION 0x02

static enum session_sync_verdict sense(uint8_t key, uint8_t asc)
{
    struct spipe_scsi a = {
        .result = CHECK_CONDITION, .sense_valid = true, .sense_key = key, .asc = asc};

    return session_sync_judge(0, &a);
}

static enum session_sync_verdict result(uint32_t value)
{
    struct spipe_scsi a = {.result = value};

    return session_sync_judge(0, &a);
}

Test(session_sync, what_sense_data_mean)
{
    cr_assert_eq(sense(5, 0x20), SESSION_SYNC_UNKNOWN, "invalid command operation code");
    cr_assert_eq(sense(5, 0x24), SESSION_SYNC_FAILED, "invalid field: it was not done");
    cr_assert_eq(sense(6, 0x29), SESSION_SYNC_LOST, "power on, reset");
    cr_assert_eq(sense(6, 0x2A), SESSION_SYNC_AGAIN, "parameters changed");
    cr_assert_eq(sense(6, 0x3F), SESSION_SYNC_AGAIN, "LUNs changed");
    cr_assert_eq(sense(0xB, 0x47), SESSION_SYNC_AGAIN, "aborted");
    cr_assert_eq(sense(3, 0x0C), SESSION_SYNC_FAILED, "write error");
    cr_assert_eq(sense(4, 0x44), SESSION_SYNC_FAILED, "hardware error");
    cr_assert_eq(sense(2, 0x04), SESSION_SYNC_FAILED, "not ready");
    cr_assert_eq(sense(1, 0x0C), SESSION_SYNC_FAILED, "recovered is not confirmed");
}

Test(session_sync, what_other_results_mean)
{
    cr_assert_eq(result(0), SESSION_SYNC_DURABLE);
    cr_assert_eq(result(0x08), SESSION_SYNC_AGAIN, "busy");
    cr_assert_eq(result(0x28), SESSION_SYNC_AGAIN, "task set full");
    cr_assert_eq(result(0x18), SESSION_SYNC_FAILED, "reservation conflict");
    cr_assert_eq(result(CHECK_CONDITION), SESSION_SYNC_FAILED, "without sense data");
    cr_assert_eq(result(SPIPE_RESULT_OF(SPIPE_DID_IMM_RETRY)), SESSION_SYNC_AGAIN);
    cr_assert_eq(result(SPIPE_RESULT_OF(SPIPE_DID_REQUEUE)), SESSION_SYNC_AGAIN);
    cr_assert_eq(result(SPIPE_RESULT_OF(SPIPE_DID_ERROR)), SESSION_SYNC_AGAIN);
    cr_assert_eq(result(SPIPE_RESULT_OF(SPIPE_DID_NO_CONNECT)), SESSION_SYNC_FAILED);
}

Test(session_sync, what_is_not_answered)
{
    struct spipe_scsi good = {0};

    cr_assert_eq(session_sync_judge(-EBUSY, &good), SESSION_SYNC_AGAIN);
    cr_assert_eq(session_sync_judge(-ETIMEDOUT, &good), SESSION_SYNC_FAILED);
    cr_assert_eq(session_sync_judge(-ENOENT, &good), SESSION_SYNC_FAILED);
}

/* ---- sending ---- */

static unsigned syncs;

/* SBC-3: SYNCHRONIZE CACHE(16) is 91h. */
static void count(void *arg, const struct sim_trace_record *records, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        syncs += records[i].kind == SIM_EVENT_PORT_START && records[i].b == 0x91;
}

/* Syncs LUN 1, and counts the commands that reach a port. */
static int sync_lun(struct session *s, char *why, size_t size)
{
    struct sim_trace *t = &sim_host_machine(s->host)->trace;
    int rc;

    sim_trace_set_sink(t, count, NULL);
    sim_trace_flush(t);
    syncs = 0;
    rc = session_sync(s, 0, 1, why, size);
    sim_trace_set_sink(t, NULL, NULL);
    return rc;
}

static char why[SESSION_WHY_BYTES];

static void good_body(struct session *s)
{
    cr_assert_eq(sync_lun(s, why, sizeof why), 0, "%s", why);
}

Test(session_sync, the_device_is_told)
{
    with_session(NULL, good_body);
    cr_assert_eq(syncs, 1);
}

/* 5Ch: the target has aborted the exchange (SL 18.2). */
Test(session_sync, what_failed_on_its_way_is_sent_again)
{
    with_session("fc#1=x(0x5C)", good_body);
    cr_assert_eq(syncs, 2);
}

static void failing_body(struct session *s)
{
    cr_assert_eq(sync_lun(s, why, sizeof why), -EIO);
    cr_assert(strstr(why, "LUN 1 does not confirm that its data are on the medium"), "%s", why);
}

Test(session_sync, what_fails_again_and_again)
{
    with_session("fc#1*=x(0x5C)", failing_body);
    cr_assert_eq(syncs, 6);
}

static void no_lun_body(struct session *s)
{
    cr_assert_eq(session_sync(s, 0, 7, why, sizeof why), -ENOENT);
    cr_assert(strstr(why, "LUN 7 does not confirm"), "%s", why);
}

Test(session_sync, no_such_lun) { with_session(NULL, no_lun_body); }

/* each port reports a unit attention 29/00 once. */
static void reset_body(struct session *s)
{
    struct spipe_scsi lun = {.size = sizeof lun, .lun = 1, .port = SPIPE_PORT_ANY};

    cr_assert_eq(spipe_scsi_reset_lun(s->spipe[0], &lun), 0);
    cr_assert_eq(sync_lun(s, why, sizeof why), -EIO);
    cr_assert(strstr(why, "it was reset, so what its cache held may be lost"), "%s", why);
    cr_assert_eq(syncs, 1);
    cr_assert_eq(sync_lun(s, why, sizeof why), 0, "it tells of that once for each port");
}

Test(session_sync, a_device_that_was_reset) { with_session(NULL, reset_body); }
