/* SPDX-License-Identifier: Apache-2.0 */
/* Problem-state areas, accessors, SIGBUS (CX section 5). */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/afu_regs.h"
#include "hal/support/endian.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(1); }

TestSuite(libcxl_mmio, .init = up, .fini = libcxl_down, .timeout = 30);

#define SCRATCH (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD)
#define AREA 0x2100000
#define TABLE 16

/* ---- mappings ----------------------------------------------------------------------------------
 */

static void maps(void *arg)
{
    const struct cxl_kernel *os = libcxl_kernel();
    struct cxl_afu_h *slave = libcxl_open(CXL_SLAVE_NODE), *master = libcxl_open(CXL_MASTER_NODE);
    void *map;

    (void)arg;
    cr_assert_eq(os->map(cxl_afu_fd(slave), 4096, &map), -EIO, "not attached");
    cr_assert_eq(cxl_afu_attach(slave, 0), 0);
    cr_assert_eq(cxl_afu_attach(master, 0), 0);
    cr_assert_eq(os->map(cxl_afu_fd(slave), 0x10001, &map), -EINVAL);
    cr_assert_eq(os->map(cxl_afu_fd(slave), 0x10000, &map), 0);
    cr_assert_eq(os->unmap(map, 0x10000), 0);
    cr_assert_eq(os->map(cxl_afu_fd(master), AREA + 1, &map), -EINVAL);
    cr_assert_eq(os->map(cxl_afu_fd(master), AREA, &map), 0);
    cr_assert_eq(os->unmap(map, AREA), 0);
    libcxl_say("detach afu0.0");
    cr_assert_eq(os->map(cxl_afu_fd(slave), 4096, &map), -EIO);
    PROVES(CX_50);
    cxl_afu_free(slave);
    cxl_afu_free(master);
}

Test(libcxl_mmio, mapping_needs_an_attached_context) { libcxl_run(maps); }

static void library_maps(void *arg)
{
    struct cxl_afu_h *slave = libcxl_open(CXL_SLAVE_NODE), *closed = cxl_afu_next(NULL);
    struct cxl_afu_h *master = libcxl_attached(CXL_MASTER_NODE, true);
    uint64_t value;
    void *p;

    (void)arg;
    cr_assert(LIBCXL_FAILS(cxl_mmio_map(NULL, 1), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_mmio_map(slave, 4), ENODEV), "unknown bits");
    cr_assert(LIBCXL_FAILS(cxl_mmio_map(closed, 1), ENODEV), "not open");
    cr_assert(LIBCXL_FAILS(cxl_mmio_map(slave, 1), EIO), "as mmap");
    cr_assert_eq(cxl_afu_attach(slave, 0), 0);
    cr_assert_eq(cxl_mmio_map(slave, 0), 0, "no flag is accepted");
    cr_assert_eq(cxl_mmio_map(master, 1), 0);
    cr_assert_eq(cxl_mmio_read64(slave, 0xFFF8, &value), 0);
    cr_assert(LIBCXL_FAILS(cxl_mmio_read64(slave, 0x10000, &value), EINVAL));
    cr_assert_eq(cxl_mmio_read64(master, 0x2020000 - 8, &value), 0, "the whole area");
    PROVES(CX_51);
    cr_assert(LIBCXL_FAILS(cxl_mmio_ptr(master, &p), ENOSYS));
    PROVES(CX_153);
    cr_assert_eq(cxl_mmio_unmap(master), 0);
    cr_assert(LIBCXL_FAILS(cxl_mmio_unmap(master), EINVAL));
    cxl_afu_free(slave);
    cxl_afu_free(master);
    cxl_afu_free(closed);
}

Test(libcxl_mmio, the_library_maps_as_much_as_there_is) { libcxl_run(library_maps); }

/* The second mapping takes the place of the first, which stays: its pages are still reserved. */
static void mapped_twice(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
    uint64_t value;

    (void)arg;
    cr_assert_eq(cxl_mmio_map(afu, CXL_MMIO_LITTLE_ENDIAN), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_START, UINT64_C(0x8000000000000000)), 0);
    cr_assert_eq(hal_reg_read64(cxl_standin()->context(afu), AFU_HOST_RRQ_START), 0x80,
                 "by the flags of the second");
    cr_assert_eq(cxl_mmio_read64(afu, AFU_HOST_RRQ_START, &value), 0);
    cr_assert_eq(value, UINT64_C(0x8000000000000000));
    cr_assert_eq(cxl_mmio_unmap(afu), 0);
    cr_assert(LIBCXL_FAILS(cxl_mmio_unmap(afu), EINVAL), "nothing is left of the first");
    PROVES(CX_52);
    cxl_afu_free(afu);
}

Test(libcxl_mmio, a_second_mapping_forgets_the_first) { libcxl_run(mapped_twice); }

/* ---- accessors ---------------------------------------------------------------------------------
 */

static void refused(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    uint64_t value = 5;
    uint32_t half = 5;

    (void)arg;
    cr_assert(LIBCXL_FAILS(cxl_mmio_read64(NULL, 0, &value), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_mmio_write64(afu, 0, 0), EINVAL), "not mapped");
    cr_assert_eq(cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0);
    cr_assert(LIBCXL_FAILS(cxl_mmio_read64(afu, 4, &value), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_mmio_read32(afu, 2, &half), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_mmio_write32(afu, 0x10000, 0), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_mmio_write64(afu, 0x10000, 0), EINVAL));
    cr_assert(value == 5 && half == 5);
    PROVES(CX_53);
    cxl_afu_free(afu);
}

Test(libcxl_mmio, accesses_that_are_not_made) { libcxl_run(refused); }

/* A register of the AFU is a number; byte 0 of the area is its most significant one. */
static void order(void *arg)
{
    static const struct {
        uint32_t flags;
        uint64_t number; /* in the register, for a store of 0x0102030405060708 */
    } cases[] = {
        {CXL_MMIO_BIG_ENDIAN, UINT64_C(0x0102030405060708)},
        {CXL_MMIO_LITTLE_ENDIAN, UINT64_C(0x0807060504030201)},
        {CXL_MMIO_HOST_ENDIAN, 0},
        {0, 0},
    };
    struct cxl_afu_h *afu = libcxl_attached(CXL_MASTER_NODE, true);
    uint64_t stored = UINT64_C(0x0102030405060708), value, bytes;
    uint32_t half;

    (void)arg;
    memcpy(&bytes, &stored, 8); /* as the host has them in memory */
    for (size_t i = 0; i < 4; i++) {
        uint64_t number = cases[i].number ? cases[i].number : hal_swap64(HAL_ORDER_BIG, bytes);

        cr_assert_eq(cxl_mmio_map(afu, cases[i].flags), 0);
        cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, stored), 0);
        cr_assert_eq(hal_reg_read64(cxl_standin()->context(afu), SCRATCH), number, "case %zu", i);
        cr_assert_eq(cxl_mmio_read64(afu, SCRATCH, &value), 0);
        cr_assert_eq(value, stored);
        cr_assert_eq(cxl_mmio_write32(afu, SCRATCH + 4, 0x0A0B0C0D), 0);
        cr_assert_eq(cxl_mmio_read32(afu, SCRATCH + 4, &half), 0);
        cr_assert_eq(half, 0x0A0B0C0D);
        cr_assert_eq(cxl_mmio_unmap(afu), 0);
    }
    PROVES(CX_54);
    cr_assert_eq(cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0);
    cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, UINT64_C(0x1122334455667788)), 0);
    cr_assert(cxl_mmio_read32(afu, SCRATCH, &half) == 0 && half == 0x11223344);
    cr_assert(cxl_mmio_read32(afu, SCRATCH + 4, &half) == 0 && half == 0x55667788);
    cxl_afu_free(afu);
}

Test(libcxl_mmio, byte_order) { libcxl_run(order); }

/* Stores to tables that no barrier stands behind may become visible later, in any order. */
static unsigned store_table(uint64_t *table, uint64_t round)
{
    unsigned late = 0;

    for (unsigned i = 0; i < TABLE; i++)
        hal_table_store(cxl_standin()->device("afu0.0"), &table[i], round);
    for (unsigned i = 0; i < TABLE; i++)
        late += table[i] != round;
    return late;
}

/* Before each store there is one: what was in memory before it is there for who learns of it. */
static void barriers(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);
    struct hal_dev *dev = cxl_standin()->device("afu0.0");
    struct exec *e = libcxl_sim()->env.exec;
    uint64_t *table = exec_alloc(e, TABLE * sizeof *table, 128);
    unsigned late = 0;

    (void)arg;
    cr_assert_eq(hal_mem_register(dev, table, TABLE * sizeof *table, "table"), 0);
    for (uint64_t round = 1; round < 20; round++) {
        late += store_table(table, round);
        if (round % 2)
            cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, round), 0);
        else
            cr_assert_eq(cxl_mmio_write32(afu, SCRATCH, (uint32_t)round), 0);
        for (unsigned i = 0; i < TABLE; i++)
            cr_assert_eq(table[i], round);
    }
    cr_assert_gt(late, 0, "nothing was ever late, so nothing is shown");
    PROVES(CX_55);
    hal_mem_release(dev, table);
    exec_free(e, table, TABLE * sizeof *table);
    cxl_afu_free(afu);
}

Test(libcxl_mmio, accesses_keep_their_order) { libcxl_run(barriers); }

/* ---- cards that are dead -----------------------------------------------------------------------
 */

/* The handler is the process's: so is everything that follows, in a process of its own. */
static void expect(bool that)
{
    if (!that)
        _exit(1);
}

static struct cxl_afu_h *prepare(bool err_ff)
{
    char path[] = CXL_MASTER_NODE;
    struct cxl_afu_h *afu = cxl_afu_open_dev(path);
    struct cxl_ioctl_start_work work = {.flags = err_ff ? CXL_START_WORK_ERR_FF : 0};

    expect(afu && cxl_afu_attach_work(afu, &work) == 0);
    expect(cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN) == 0);
    return afu;
}

static void ones_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(true);
    uint64_t value = 5;
    uint32_t half = 5;

    (void)arg;
    expect(cxl_mmio_install_sigbus_handler() == 0);
    expect(cxl_mmio_write64(afu, SCRATCH, UINT64_C(0xFFFFFFFF)) == 0);
    expect(cxl_mmio_read64(afu, SCRATCH, &value) == 0 && value == UINT64_C(0xFFFFFFFF));
    expect(LIBCXL_FAILS(cxl_mmio_read32(afu, SCRATCH + 4, &half), EIO) && half == UINT32_MAX);
    expect(cxl_mmio_write64(afu, SCRATCH, UINT64_MAX) == 0);
    value = 0;
    expect(LIBCXL_FAILS(cxl_mmio_read64(afu, SCRATCH, &value), EIO) && value == UINT64_MAX);
    libcxl_say("freeze afu0.0");
    expect(cxl_mmio_write64(afu, SCRATCH, 1) == 0);
    expect(LIBCXL_FAILS(cxl_mmio_read64(afu, SCRATCH, &value), EIO));
    libcxl_say("thaw afu0.0");
    expect(hal_reg_read64(cxl_standin()->context(afu), SCRATCH) == UINT64_MAX);
    _exit(42);
}

static void ones(void) { libcxl_run(ones_body); }

static void ones_without_handler_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(true);
    uint64_t value;

    (void)arg;
    libcxl_say("freeze afu0.0");
    (void)cxl_mmio_read64(afu, SCRATCH, &value);
    _exit(1);
}

static void ones_without_handler(void) { libcxl_run(ones_without_handler_body); }

Test(libcxl_mmio, all_ones_are_a_failure)
{
    cr_assert_eq(libcxl_death(ones), -42);
    cr_assert_eq(libcxl_death(ones_without_handler), SIGBUS);
    PROVES(CX_56);
    PROVES(CX_57); /* the register held all ones, and nothing was wrong with it */
    PROVES(CX_58); /* the store to the frozen card */
}

static void page_of_ones_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(true);
    const struct cxl_kernel *os = libcxl_kernel();
    void *map;

    (void)arg;
    expect(os->map(cxl_afu_fd(afu), AREA, &map) == 0);
    libcxl_say("detach afu0.0");
    expect(os->load(map, SCRATCH) == UINT64_MAX);
    os->store(map, SCRATCH, 1);
    expect(libcxl_kernel()->unmap(map, AREA) == 0);
    _exit(42);
}

static void page_of_ones(void) { libcxl_run(page_of_ones_body); }

static void dead_page_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(false);
    void *map;

    (void)arg;
    expect(libcxl_kernel()->map(cxl_afu_fd(afu), AREA, &map) == 0);
    libcxl_say("detach afu0.0");
    (void)libcxl_kernel()->load(map, SCRATCH);
    _exit(1);
}

static void dead_page(void) { libcxl_run(dead_page_body); }

Test(libcxl_mmio, err_ff_is_a_page_of_ones_instead_of_sigbus)
{
    cr_assert_eq(libcxl_death(page_of_ones), -42);
    cr_assert_eq(libcxl_death(dead_page), SIGBUS);
    PROVES(CX_42);
}

static char *area; /* of the mapping that is about to be touched */

/* The emulation of a big-endian Power mixes up the halves of the address. */
static bool right_address(const siginfo_t *info)
{
#if defined(__powerpc__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return info->si_addr != NULL;
#else
    return (char *)info->si_addr == area + SCRATCH;
#endif
}

static void judge_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    _exit(info->si_code == BUS_ADRERR && right_address(info) ? 42 : 1);
}

static void address_body(void *arg)
{
    struct sigaction action = {.sa_sigaction = judge_signal, .sa_flags = SA_SIGINFO};
    struct cxl_afu_h *afu = prepare(false);
    void *map;

    (void)arg;
    expect(libcxl_kernel()->map(cxl_afu_fd(afu), AREA, &map) == 0);
    area = map;
    libcxl_say("detach afu0.0");
    sigaction(SIGBUS, &action, NULL);
    libcxl_kernel()->store(map, SCRATCH, 1);
    _exit(2);
}

static void address(void) { libcxl_run(address_body); }

static void caught_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(false);
    uint64_t value = 5;

    (void)arg;
    expect(cxl_mmio_install_sigbus_handler() == 0);
    libcxl_say("detach afu0.0");
    expect(LIBCXL_FAILS(cxl_mmio_read64(afu, SCRATCH, &value), EIO));
    expect(LIBCXL_FAILS(cxl_mmio_write64(afu, SCRATCH, 1), EIO));
    expect(LIBCXL_FAILS(cxl_mmio_read64(afu, SCRATCH, &value), EIO));
    _exit(42);
}

static void caught(void) { libcxl_run(caught_body); }

Test(libcxl_mmio, dead_mappings_give_sigbus_at_their_address)
{
    cr_assert_eq(libcxl_death(address), -42);
    cr_assert_eq(libcxl_death(caught), -42);
    PROVES(CX_59);
}

/* ---- the handler -------------------------------------------------------------------------------
 */

static void touch_somewhere_else(void)
{
    char name[] = "/tmp/libcxl_XXXXXX";
    int fd = mkstemp(name);
    volatile char *page;

    unlink(name);
    page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    expect(page != MAP_FAILED);
    (void)*page;
}

static void mine(int number)
{
    (void)number;
    _exit(42);
}

static void previous_function(void)
{
    signal(SIGBUS, mine);
    expect(cxl_mmio_install_sigbus_handler() == 0);
    expect(cxl_mmio_install_sigbus_handler() == 0); /* must not take itself for the previous one */
    touch_somewhere_else();
}

static void previous_default(void)
{
    expect(cxl_mmio_install_sigbus_handler() == 0);
    touch_somewhere_else();
    _exit(1);
}

static void previous_ignored(void)
{
    signal(SIGBUS, SIG_IGN);
    expect(cxl_mmio_install_sigbus_handler() == 0);
    raise(SIGBUS);
    _exit(42);
}

Test(libcxl_mmio, the_handler_passes_on_what_is_not_its)
{
    cr_assert_eq(libcxl_death(previous_function), -42);
    cr_assert_eq(libcxl_death(previous_default), SIGBUS);
    cr_assert_eq(libcxl_death(previous_ignored), -42);
    PROVES(CX_60);
}

static void stale_mark_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(false);
    uint64_t value;

    (void)arg;
    signal(SIGBUS, mine);
    expect(cxl_mmio_install_sigbus_handler() == 0);
    libcxl_say("detach afu0.0");
    (void)cxl_mmio_read64(afu, SCRATCH, &value);
    touch_somewhere_else(); /* not this library's */
    _exit(1);
}

static void stale_mark(void) { libcxl_run(stale_mark_body); }

/* Only faults of addresses are caught: this one was sent. */
static void sent_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(false);
    uint64_t value;

    (void)arg;
    signal(SIGBUS, mine);
    expect(cxl_mmio_install_sigbus_handler() == 0);
    libcxl_say("detach afu0.0");
    (void)cxl_mmio_read64(afu, SCRATCH, &value);
    raise(SIGBUS);
    _exit(1);
}

static void sent(void) { libcxl_run(sent_body); }

static void cleared_mark_body(void *arg)
{
    struct cxl_afu_h *afu = prepare(false);
    uint64_t value;

    (void)arg;
    signal(SIGBUS, mine);
    expect(cxl_mmio_install_sigbus_handler() == 0);
    expect(cxl_mmio_read64(afu, SCRATCH, &value) == 0);
    touch_somewhere_else();
    _exit(1);
}

static void cleared_mark(void) { libcxl_run(cleared_mark_body); }

Test(libcxl_mmio, a_failed_access_leaves_its_mark)
{
    cr_assert_eq(libcxl_death(stale_mark), SIGABRT, "into a frame that is gone");
    cr_assert_eq(libcxl_death(cleared_mark), -42, "to the previous handler");
    cr_assert_eq(libcxl_death(sent), -42, "to the previous handler");
    PROVES(CX_61);
}
