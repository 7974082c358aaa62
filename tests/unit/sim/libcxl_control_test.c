/* SPDX-License-Identifier: Apache-2.0 */
/* The control face, the one symbol more, and how a world gets below the library. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "backends/sim/sim_standin.h"
#include "hal/afu_regs.h"
#include "sim/libcxl/libcxl_lookup.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(1); }

TestSuite(libcxl_control, .init = up, .fini = libcxl_down, .timeout = 60);

static ssize_t raw_read(struct cxl_afu_h *afu)
{
    static uint8_t buffer[4096];

    return libcxl_kernel()->read(cxl_afu_fd(afu), buffer, sizeof buffer);
}

/* ---- words -------------------------------------------------------------------------------------
 */

static void steps(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    struct exec *e = libcxl_sim()->env.exec;
    uint64_t begin;
    void *map;

    (void)arg;
    cr_assert_eq(libcxl_kernel()->map(cxl_afu_fd(afu), 4096, &map), 0);
    libcxl_say("freeze afu0.0");
    cr_assert_eq(libcxl_kernel()->load(map, AFU_HOST_CTX_CTRL), UINT64_MAX);
    libcxl_say("thaw afu0.0");
    cr_assert_neq(libcxl_kernel()->load(map, AFU_HOST_CTX_CTRL), UINT64_MAX);
    libcxl_say("batch afu0.0 2");
    libcxl_say("order afu0.0 arrival");
    libcxl_say("event afu0.0 0 storage 0x1000 0x40000000");
    libcxl_say("event afu0.0 0 interrupt 1");
    libcxl_say("event afu0.0 0 interrupt 1");
    cr_assert_eq(raw_read(afu), 40 + 16, "two of them, as they came");
    libcxl_say("order afu0.0 kernel");
    cr_assert_eq(raw_read(afu), 16);
    libcxl_say("detach afu0.0");
    cr_assert_eq(raw_read(afu), -EIO);
    libcxl_say("remove afu0.0");
    cr_assert_eq(libcxl_kernel()->open(CXL_SLAVE_NODE), -ENOENT);
    libcxl_say("create afu0.0");
    cxl_afu_free(afu);
    libcxl_say("delay afu0.0 5000000");
    begin = exec_now(e);
    afu = libcxl_open(CXL_SLAVE_NODE);
    cr_assert_geq(exec_now(e) - begin, 5000000);
    libcxl_say("refuse afu0.0 ENOMEM");
    begin = exec_now(e);
    cr_assert(LIBCXL_FAILS(cxl_afu_attach(afu, 0), ENOMEM));
    cr_assert_geq(exec_now(e) - begin, 5000000);
    PROVES(CX_152);
    cxl_afu_free(afu);
}

Test(libcxl_control, every_step_of_a_failure) { libcxl_run(steps); }

/* What libcxl_attach_test, libcxl_handle_test and libcxl_sysfs_test do not switch. */
static void exhaustion(void *arg)
{
    static int fd[510];
    struct cxl_ioctl_start_work work = {.flags = CXL_START_WORK_NUM_IRQS, .num_interrupts = 4};
    unsigned n = 0;
    int rc;

    (void)arg;
    do {
        fd[n] = libcxl_kernel()->open(CXL_SLAVE_NODE);
        rc = libcxl_kernel()->ioctl(fd[n++], CXL_IOCTL_START_WORK, &work);
    } while (!rc && n < 510);
    cr_assert_eq(n, 510);
    cr_assert_eq(rc, -ENOSPC, "2037 interrupts are enough for 509 contexts with 4");
    while (n > 0)
        cr_assert_eq(libcxl_kernel()->close(fd[--n]), 0);
    libcxl_say("irqs afu0.0 2 3");
    fd[0] = libcxl_kernel()->open(CXL_SLAVE_NODE);
    cr_assert_eq(libcxl_kernel()->ioctl(fd[0], CXL_IOCTL_START_WORK, &work), -EINVAL);
    PROVES(CX_151);
    cr_assert_eq(libcxl_kernel()->close(fd[0]), 0);
}

Test(libcxl_control, interrupts_run_out) { libcxl_run(exhaustion); }

static void refused(const char *words)
{
    char why[200] = "";

    cr_assert_eq(cxl_standin()->control(words, why, sizeof why), -EINVAL, "%s", words);
    cr_assert(!strncmp(why, words, strlen(words)) && strlen(why) > strlen(words) + 5, "%s", why);
}

Test(libcxl_control, words_that_are_not_taken)
{
    refused("");
    refused("explode afu0.0");
    refused("freeze");
    refused("freeze afu7.0");
    refused("freeze afu0.0 now");
    refused("refuse afu0.0");
    refused("refuse afu0.0 EPERM");
    refused("batch afu0.0 0");
    refused("order afu0.0 backwards");
    refused("access afu0.0 perhaps");
    refused("irqs afu0.0 5 4");
    refused("irqs afu0.0 5");
    refused("event afu0.0 0 interrupt 1"); /* nobody is attached */
    refused("event afu0.0 0 smoke 1");
    refused("class maybe");
}

/* ---- the symbol --------------------------------------------------------------------------------
 */

static void reached(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_MASTER_NODE, true);
    const struct cxl_standin *s = cxl_standin();

    (void)arg;
    cr_assert_eq(s->version, CXL_STANDIN_VERSION);
    cr_assert_eq(s->device("afu0.0"), libcxl_sim()->env.dev);
    cr_assert_null(s->device("afu1.0"));
    cr_assert_eq(s->context(afu)->handle, 0);
    cr_assert_eq(s->context_of(cxl_afu_fd(afu)), s->context(afu));
    cr_assert_null(s->context_of(0));
    cxl_afu_free(afu);
}

Test(libcxl_control, the_device_below_is_reached) { libcxl_run(reached); }

Test(libcxl_control, one_world_at_a_time)
{
    struct cxl_standin_world world;

    sim_standin_world(libcxl_sim()->host, &world);
    cr_assert_eq(cxl_standin()->bind(&world), -EBUSY);
    cxl_standin()->unbind();
    world.size--;
    cr_assert_eq(cxl_standin()->bind(&world), -EINVAL);
    world.size++;
    world.adapters = CXL_STANDIN_ADAPTERS_MAX + 1;
    cr_assert_eq(cxl_standin()->bind(&world), -EINVAL);
    world.adapters = 1;
    cr_assert_eq(cxl_standin()->bind(&world), 0);
}

static void left_open(void *arg)
{
    struct cxl_afu_h **afu = arg;

    *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
}

Test(libcxl_control, unbinding_closes_what_is_open)
{
    struct cxl_standin_world world;
    struct cxl_afu_h *afu;

    sim_standin_world(libcxl_sim()->host, &world);
    conf_sim_run(libcxl_sim(), left_open, &afu);
    cxl_standin()->unbind();
    cr_assert_eq(libcxl_sim()->env.dev->open_contexts, 0);
    cr_assert_eq(cxl_standin()->bind(&world), 0);
    cxl_afu_free(afu); /* of a descriptor that is no more */
}

Test(libcxl_control, functions_by_name)
{
    cr_assert_eq(cxl_standin_lookup(NULL, "cxl_afu_open_dev"), (void *)(uintptr_t)cxl_afu_open_dev);
    cr_assert_eq(cxl_standin_lookup(NULL, "cxl_standin"), (void *)(uintptr_t)cxl_standin);
    cr_assert_null(cxl_standin_lookup(NULL, "cxl_new"));
#define CXL_SYMBOL(node, result, name, arguments) cr_assert(cxl_standin_lookup(NULL, #name), #name);
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL
}

/* ---- nothing of it costs those who do not watch ------------------------------------------------
 */

static void idle(void *arg)
{
    struct hal_ctx *ctx = conf_context(&libcxl_sim()->env, HAL_CTX_MASTER, 3);

    (void)arg;
    for (unsigned i = 0; i < 20; i++)
        hal_reg_write64(ctx, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD, i);
    hal_ctx_release(ctx);
}

static uint64_t trace(void)
{
    libcxl_run(idle);
    return sim_host_machine(libcxl_sim()->host)->trace.hash;
}

Test(libcxl_control, a_watch_changes_no_trace)
{
    uint64_t watched = trace();

    libcxl_down();
    libcxl_up(1);
    cxl_standin()->unbind();
    cr_assert_eq(trace(), watched);
}
