/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a port: which register each is (SL 5.3; those of port 1 are at 2013000), and that
 * only those of an adapter that is up are read. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/port_spy.h"
#include "tests/testlib/proves.h"

static struct adapter_fixture f;
static struct port_spy spy;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    port_spy_init(&spy, &f);
}

static void tear_down(void) { adapter_fixture_fini(&f); }

TestSuite(port_statistics, .init = set_up, .fini = tear_down, .timeout = 30);

static const struct {
    enum spipe_port_statistic id;
    const char *name;
    uint64_t offset;
} table[] = {
    {SPIPE_PORT_TX_FRAMES, "tx_frames", 0x200},
    {SPIPE_PORT_TX_CRC_ERRORS, "tx_crc_errors", 0x208},
    {SPIPE_PORT_RX_FRAMES, "rx_frames", 0x210},
    {SPIPE_PORT_RX_CRC_ERRORS, "rx_crc_errors", 0x218},
    {SPIPE_PORT_RX_LENGTH_ERRORS, "rx_length_errors", 0x220},
    {SPIPE_PORT_FRAMES_DISCARDED, "frames_discarded", 0x228},
    {SPIPE_PORT_TX_READS_WRITES, "tx_reads_writes", 0x518},
    {SPIPE_PORT_TX_LOGINS, "tx_logins", 0x520},
    {SPIPE_PORT_TX_DATA, "tx_data", 0x528},
    {SPIPE_PORT_LINK_ERRORS, "link_errors", 0x530},
    {SPIPE_PORT_CRC_ERRORS, "crc_errors", 0x540},
    {SPIPE_PORT_CRC_ERRORS_TOTAL, "crc_errors_total", 0x610},
    {SPIPE_PORT_OTHER_ERRORS, "other_errors", 0x548},
    {SPIPE_PORT_TIMEOUTS, "timeouts", 0x550},
    {SPIPE_PORT_AFU_READS, "afu_reads", 0x618},
    {SPIPE_PORT_AFU_WRITES, "afu_writes", 0x620},
    {SPIPE_PORT_AFU_ABORTS, "afu_aborts", 0x628},
    {SPIPE_PORT_RESPONSE_OVERRUNS, "response_overruns", 0x630},
    {SPIPE_PORT_ABORTS_1, "aborts_1", 0x638},
    {SPIPE_PORT_ABORTS_2, "aborts_2", 0x640},
    {SPIPE_PORT_ABORTS_3, "aborts_3", 0x648},
    {SPIPE_PORT_ABORTS_4, "aborts_4", 0x650},
    {SPIPE_PORT_WRITE_BUFFERS_RELEASED, "write_buffers_released", 0x658},
    {SPIPE_PORT_RX_RESPONSES, "rx_responses", 0x660},
};

Test(port_statistics, registers)
{
    struct spipe_port_statistics st;

    cr_assert_eq(HAL_ARRAY_LENGTH(table), (size_t)SPIPE_PORT_STATISTICS);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(table); i++)
        *fake_afu_register(&f.afu, 0x2013000 + table[i].offset) = 1000 + i;
    *fake_afu_register(&f.afu, 0x2013018) = 0x10;
    *fake_afu_register(&f.afu, 0x2013300) = 0x5005076802000001;
    *fake_afu_register(&f.afu, 0x2013310) = 0x10200;
    *fake_afu_register(&f.afu, 0x2013330) = 0xC0;
    *fake_afu_register(&f.afu, 0x2013380) = 0x6;
    *fake_afu_register(&f.afu, 0x2010030) = 1;
    cr_assert_eq(spipe_port_statistics(&f.s, 1, &st), 0);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(table); i++) {
        cr_assert_eq(st.value[table[i].id], 1000 + i, "%s", table[i].name);
        cr_assert_str_eq(spipe_port_statistic_name(table[i].id), table[i].name);
    }
    cr_assert_null(spipe_port_statistic_name(SPIPE_PORT_STATISTICS));
    cr_assert(st.offline && !st.online && !st.selected);
    cr_assert_eq(st.wwpn, 0x5005076802000001);
    cr_assert_eq(st.port_id, 0x10200);
    cr_assert_eq(st.fc_status, 0xC0);
    cr_assert_eq(st.fc_error, 0x6);
    cr_assert_null(strstr(port_spy_take(&spy), "2013538"), "reading that one clears it");
    cr_assert_eq(spipe_port_statistics(&f.s, 0, &st), 0);
    cr_assert(st.selected);
    cr_assert_eq(st.value[SPIPE_PORT_TX_FRAMES], 0);
}

Test(port_statistics, of_what_there_is)
{
    struct spipe_port_statistics st = {.wwpn = 7};

    cr_assert_eq(spipe_port_statistics(&f.s, 2, &st), -EINVAL);
    *fake_afu_register(&f.afu, 0x2010030) = UINT64_MAX;
    cr_assert_eq(spipe_port_statistics(&f.s, 0, &st), -ENODEV);
    (void)port_spy_take(&spy);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_port_statistics(&f.s, 0, &st), -ENODEV);
    cr_assert_str_eq(port_spy_take(&spy), "");
    cr_assert_eq(st.wwpn, 7, "untouched");
    PROVES(D_11);
}
