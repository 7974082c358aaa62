/* SPDX-License-Identifier: Apache-2.0 */
/* The library in a program that knows nothing of the simulator: a world of its own, real threads.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal/afu_regs.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void down(void) { cxl_standin()->unbind(); }

TestSuite(libcxl_alone, .fini = down, .timeout = 60);

#define SCRATCH (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD)

static void provoke(struct cxl_afu_h *afu)
{
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_START, 0x20000), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_END, 0x20000 + 8 * 63), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_CTX_CTRL, 1), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_INTR_MASK, 0), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_IOARRIN, 0x1000), 0);
}

/* Nobody is in the library while poll() waits: the model runs by itself. */
Test(libcxl_alone, poll_wakes_a_program)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);
    struct pollfd p = {.fd = cxl_afu_fd(afu), .events = POLLIN};
    struct cxl_event ev;

    provoke(afu);
    cr_assert_eq(poll(&p, 1, 50000), 1);
    cr_assert_eq(cxl_read_event(afu, &ev), 0);
    cr_assert(ev.header.type == CXL_EVENT_AFU_INTERRUPT ||
              ev.header.type == CXL_EVENT_DATA_STORAGE);
    cr_assert_eq(cxl_read_event(afu, &ev), 0, "the other one, waited for in read");
    cxl_afu_free(afu);
}

static void *use(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
    struct cxl_event ev;
    uint64_t value = 0;

    (void)arg;
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_START, 0x4560), 0);
    for (unsigned i = 0; i < 20; i++)
        cr_assert(cxl_mmio_read64(afu, AFU_HOST_RRQ_START, &value) == 0 && value == 0x4560);
    provoke(afu);
    cr_assert_eq(cxl_read_event(afu, &ev), 0);
    cxl_afu_free(afu);
    return NULL;
}

/* The first call of several threads at once makes one world. */
Test(libcxl_alone, threads_open_and_close)
{
    pthread_t t[4];

    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&t[i], NULL, use, NULL), 0);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(pthread_join(t[i], NULL), 0);
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), 0, "all of it is closed");
}

static void *shared_read(void *arg)
{
    uint64_t value;

    for (unsigned i = 0; i < 50; i++)
        cr_assert(cxl_mmio_read64(arg, SCRATCH, &value) == 0 && value == 77);
    return NULL;
}

Test(libcxl_alone, accessors_of_one_handle_run_in_parallel)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);
    pthread_t t[3];

    cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, 77), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&t[i], NULL, shared_read, afu), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(pthread_join(t[i], NULL), 0);
    PROVES(CX_24);
    cxl_afu_free(afu);
}

static void *block(void *arg)
{
    struct cxl_event ev;

    return LIBCXL_FAILS(cxl_read_event(arg, &ev), EIO) ? arg : NULL;
}

Test(libcxl_alone, a_frozen_slot_wakes_readers)
{
    struct cxl_afu_h *afu;
    void *found = NULL;
    pthread_t t;

    setenv("SUPERPIPE_LIBCXL_FAULTS", "perr#3=freeze", 1);
    afu = libcxl_mapped(CXL_MASTER_NODE, true);
    cr_assert_eq(pthread_create(&t, NULL, block, afu), 0);
    for (unsigned i = 0; i < 4; i++)
        (void)hal_reg_read64(cxl_standin()->context(afu), SCRATCH);
    cr_assert_eq(pthread_join(t, &found), 0);
    cr_assert_eq(found, afu);
    cxl_afu_free(afu);
}

static void *load_a_lot(void *map)
{
    for (unsigned i = 0; i < 200; i++)
        (void)libcxl_kernel()->load(map, SCRATCH);
    return NULL;
}

/* Whoever takes the contexts away does not wait for those who use them. */
Test(libcxl_alone, contexts_end_under_their_users)
{
    static const char *const ends[] = {"detach afu0.0", "freeze afu0.0"};

    for (unsigned i = 0; i < 3; i++) {
        struct cxl_afu_h *afu = libcxl_attached(CXL_MASTER_NODE, true);
        pthread_t t;
        void *map;

        cr_assert_eq(libcxl_kernel()->map(cxl_afu_fd(afu), 0x2100000, &map), 0);
        cr_assert_eq(pthread_create(&t, NULL, load_a_lot, map), 0);
        if (i < 2)
            libcxl_say(ends[i]);
        else
            cr_assert_eq(libcxl_write(CXL_CARD "/reset", "-1"), 0);
        cr_assert_eq(pthread_join(t, NULL), 0);
        cr_assert_eq(libcxl_kernel()->load(map, SCRATCH), UINT64_MAX);
        libcxl_say("thaw afu0.0");
        cr_assert_eq(libcxl_kernel()->unmap(map, 0x2100000), 0);
        cxl_afu_free(afu);
    }
}

/* ---- the environment ---------------------------------------------------------------------------
 */

static unsigned count_cards(void)
{
    struct cxl_adapter_h *card = NULL;
    unsigned n = 0;

    while ((card = cxl_adapter_next(card)))
        n++;
    return n;
}

Test(libcxl_alone, adapters)
{
    setenv("SUPERPIPE_LIBCXL_ADAPTERS", "3", 1);
    cr_assert_eq(count_cards(), 3);
    cr_assert_eq(cxl_standin()->bind(&(struct cxl_standin_world){.size = 1}), -EBUSY);
}

Test(libcxl_alone, media_in_a_file)
{
    char name[] = "/tmp/libcxl_media_XXXXXX";
    int fd = mkstemp(name);

    cr_assert(fd >= 0);
    close(fd);
    unlink(name);
    setenv("SUPERPIPE_LIBCXL_MEDIA", name, 1);
    cr_assert_eq(count_cards(), 1);
    cr_assert_eq(access(name, F_OK), 0);
    unlink(name);
}

static void without_a_world(void)
{
    char path[] = CXL_MASTER_NODE, why[100];

    if (cxl_adapter_next(NULL) || errno != ENODEV || cxl_afu_open_dev(path) || errno != ENOENT)
        _exit(1);
    if (cxl_standin()->control("freeze afu0.0", why, sizeof why) != -EINVAL ||
        cxl_standin()->device("afu0.0"))
        _exit(2);
    _exit(42);
}

/* There is no card then, and a sentence on the standard error stream. */
Test(libcxl_alone, what_cannot_be_built)
{
    setenv("SUPERPIPE_LIBCXL_ADAPTERS", "many", 1);
    cr_assert_eq(libcxl_death(without_a_world), -42);
    setenv("SUPERPIPE_LIBCXL_ADAPTERS", "1", 1);
    setenv("SUPERPIPE_LIBCXL_MEDIA", "/nowhere/at/all", 1);
    cr_assert_eq(libcxl_death(without_a_world), -42);
    unsetenv("SUPERPIPE_LIBCXL_MEDIA");
    setenv("SUPERPIPE_LIBCXL_FAULTS", "nonsense", 1);
    cr_assert_eq(libcxl_death(without_a_world), -42);
}
