/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching, and what a context is then (CX section 4). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "sim/libcxl/standin_control.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(1); }

TestSuite(libcxl_attach, .init = up, .fini = libcxl_down, .timeout = 60);

static int start(int fd, struct cxl_ioctl_start_work work)
{
    return libcxl_kernel()->ioctl(fd, CXL_IOCTL_START_WORK, &work);
}

static int start_with(int fd, int interrupts)
{
    return start(fd, (struct cxl_ioctl_start_work){.flags = CXL_START_WORK_NUM_IRQS,
                                                   .num_interrupts = (int16_t)interrupts});
}

static void once(void *arg)
{
    int fd = libcxl_kernel()->open(CXL_SLAVE_NODE);

    (void)arg;
    cr_assert_eq(start_with(fd, 4), 0);
    cr_assert_eq(start_with(fd, 4), -EIO);
    libcxl_say("detach afu0.0");
    cr_assert_eq(start_with(fd, 4), -EIO);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
    fd = libcxl_kernel()->open(CXL_SLAVE_NODE);
    libcxl_say("detach afu0.0");
    cr_assert_eq(start_with(fd, 4), -EIO, "closed before it was attached");
    PROVES(CX_30);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
    fd = libcxl_kernel()->open(CXL_SLAVE_NODE);
    libcxl_say("freeze afu0.0");
    cr_assert_eq(start_with(fd, 4), -EIO);
    PROVES(CX_31);
    libcxl_say("thaw afu0.0");
    cr_assert_eq(start_with(fd, 4), 0);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
}

Test(libcxl_attach, once_a_file) { libcxl_run(once); }

static void reserved(void *arg)
{
    int fd = libcxl_kernel()->open(CXL_SLAVE_NODE);

    (void)arg;
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.reserved1 = 1}), -EINVAL);
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.reserved2 = 1}), -EINVAL);
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.reserved3 = 1}), -EINVAL);
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.reserved4 = 1}), -EINVAL);
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.reserved5 = 1}), -EINVAL);
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.flags = 0x10}), -EINVAL);
    libcxl_say("err_ff afu0.0 off");
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.flags = 4}), -EINVAL, "an old kernel");
    libcxl_say("err_ff afu0.0 on");
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.flags = 4}), 0);
    PROVES(CX_32);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
}

Test(libcxl_attach, reserved_fields_and_flags) { libcxl_run(reserved); }

static void interrupts(void *arg)
{
    struct cxl_ioctl_start_work work;
    int fd = libcxl_kernel()->open(CXL_MASTER_NODE);

    (void)arg;
    libcxl_say("irqs afu0.0 4 100");
    cr_assert_eq(start_with(fd, 3), -EINVAL);
    cr_assert_eq(start_with(fd, 101), -EINVAL);
    cr_assert_eq(start_with(fd, -1), -EINVAL);
    cr_assert_eq(start(fd, (struct cxl_ioctl_start_work){.num_interrupts = 50}), 0);
    cr_assert_eq(standin_work(fd, &work), 0);
    cr_assert_eq(work.num_interrupts, 4, "without the flag: irqs_min");
    PROVES(CX_33);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
}

Test(libcxl_attach, number_of_interrupts) { libcxl_run(interrupts); }

static void refusals(void *arg)
{
    int a = libcxl_kernel()->open(CXL_SLAVE_NODE), b = libcxl_kernel()->open(CXL_SLAVE_NODE);

    (void)arg;
    cr_assert_eq(start_with(a, 2000), 0);
    cr_assert_eq(start_with(b, 38), -ENOSPC, "2037 of a card");
    cr_assert_eq(libcxl_kernel()->ioctl(b, CXL_IOCTL_START_WORK, NULL), -EFAULT);
    libcxl_say("refuse afu0.0 ENOMEM");
    cr_assert_eq(start_with(b, 4), -ENOMEM);
    libcxl_say("refuse afu0.0 EBUSY");
    cr_assert_eq(start_with(b, 4), -EBUSY);
    libcxl_say("refuse afu0.0 none");
    cr_assert_eq(start_with(b, 37), 0);
    PROVES(CX_34);
    cr_assert_eq(libcxl_kernel()->close(a), 0);
    cr_assert_eq(libcxl_kernel()->close(b), 0);
}

Test(libcxl_attach, refusals) { libcxl_run(refusals); }

static void attach_here(void *arg) { cr_assert_eq(start_with(*(int *)arg, 4), 0); }

/* There is one process here: what of CX-35 can be seen is that the context does not belong to the
 * thread. */
static void other_thread(void *arg)
{
    struct exec *e = libcxl_sim()->env.exec;
    int fd = libcxl_kernel()->open(CXL_SLAVE_NODE);
    struct exec_thread *t;
    void *map;

    (void)arg;
    cr_assert_eq(exec_thread_create(e, "attacher", attach_here, &fd, &t), 0);
    exec_thread_join(e, t);
    cr_assert_eq(libcxl_kernel()->map(fd, 65536, &map), 0);
    libcxl_kernel()->store(map, AFU_HOST_CTX_CTRL, 3);
    cr_assert_eq(libcxl_kernel()->load(map, AFU_HOST_CTX_CTRL) & 0xFF, 3);
    PROVES(CX_35);
    cr_assert_eq(libcxl_kernel()->unmap(map, 65536), 0);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
}

Test(libcxl_attach, the_attaching_thread_may_end) { libcxl_run(other_thread); }

static void authority(void *arg)
{
    struct cxl_afu_h *a = libcxl_open(CXL_SLAVE_NODE), *b = libcxl_open(CXL_SLAVE_NODE);
    struct cxl_ioctl_start_work work = {.amr = 0xF0, .work_element_descriptor = 0x1230}, taken;

    (void)arg;
    cr_assert_eq(cxl_afu_attach_work(a, &work), 0);
    cr_assert_eq(standin_work(cxl_afu_fd(a), &taken), 0);
    cr_assert_eq(taken.amr, 0, "without the flag");
    work.flags = CXL_START_WORK_AMR;
    libcxl_say("uamor afu0.0 0x3C");
    cr_assert_eq(cxl_afu_attach_work(b, &work), 0);
    cr_assert_eq(standin_work(cxl_afu_fd(b), &taken), 0);
    cr_assert_eq(taken.amr, 0x30, "what the thread may set of it");
    PROVES(CX_36);
    cr_assert_eq(taken.work_element_descriptor, 0x1230, "passed, and nothing else happens");
    PROVES(CX_38);
    cxl_afu_free(a);
    cxl_afu_free(b);
}

Test(libcxl_attach, amr_and_wed) { libcxl_run(authority); }

/* ---- the AFU meanwhile -------------------------------------------------------------------------
 */

#define SCRATCH (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD)

static void enabled(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);
    uint64_t value;

    (void)arg;
    cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, 0x123), 0);
    cr_assert_eq(cxl_mmio_read64(afu, SCRATCH, &value), 0);
    cxl_afu_free(afu);
    afu = libcxl_mapped(CXL_MASTER_NODE, true);
    cr_assert_eq(cxl_mmio_read64(afu, SCRATCH, &value), 0);
    cr_assert_eq(value, 0x123, "it was not disabled: it would have been reset");
    PROVES(CX_37);
    cxl_afu_free(afu);
}

Test(libcxl_attach, the_afu_stays_enabled) { libcxl_run(enabled); }

static void ended(void *arg)
{
    struct cxl_afu_h *master = libcxl_mapped(CXL_MASTER_NODE, true);
    struct cxl_afu_h *slave = libcxl_mapped(CXL_SLAVE_NODE, true);
    uint64_t ctrl = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL, value;

    (void)arg;
    cr_assert_eq(cxl_mmio_write64(master, ctrl, ((UINT64_C(1) << 8) + 3) << 40), 0);
    cr_assert_eq(cxl_mmio_read64(master, ctrl, &value), 0);
    cr_assert_eq(value, UINT64_C(0x103) << 40);
    cxl_afu_free(slave); /* process element 1, which the register names */
    cr_assert_eq(cxl_mmio_read64(master, ctrl, &value), 0);
    cr_assert_eq(value, 0);
    slave = libcxl_open(CXL_SLAVE_NODE);
    cr_assert_eq(cxl_afu_get_process_element(slave), 1);
    cr_assert_eq(start_with(cxl_afu_fd(slave), 2033), 0, "its interrupts are free");
    PROVES(CX_45);
    cxl_afu_free(slave);
    cxl_afu_free(master);
}

Test(libcxl_attach, close_takes_the_context_out_of_the_afu) { libcxl_run(ended); }

/* ---- requests ----------------------------------------------------------------------------------
 */

static void closed(void *arg)
{
    int fd = libcxl_kernel()->open(CXL_SLAVE_NODE);
    uint32_t element = 99;

    (void)arg;
    cr_assert_eq(libcxl_kernel()->ioctl(fd, 0xCA77, NULL), -EINVAL, "there is no such request");
    cr_assert_eq(libcxl_kernel()->ioctl(fd, CXL_IOCTL_GET_PROCESS_ELEMENT, &element), 0);
    cr_assert_eq(element, 0);
    libcxl_say("freeze afu0.0");
    cr_assert_eq(libcxl_kernel()->ioctl(fd, 0xCA77, NULL), -EIO, "before all else");
    libcxl_say("thaw afu0.0");
    libcxl_say("detach afu0.0");
    cr_assert_eq(libcxl_kernel()->ioctl(fd, 0xCA77, NULL), -EIO);
    cr_assert_eq(libcxl_kernel()->ioctl(fd, CXL_IOCTL_GET_PROCESS_ELEMENT, &element), -EIO);
    PROVES(CX_43);
    cr_assert_eq(libcxl_kernel()->close(fd), 0);
    cr_assert_eq(libcxl_kernel()->ioctl(fd, 0xCA77, NULL), -EBADF);
}

Test(libcxl_attach, closed_contexts_take_no_request) { libcxl_run(closed); }

static void library(void *arg)
{
    struct cxl_afu_h *afu = cxl_afu_next(NULL);
    struct cxl_ioctl_start_work work = {.flags = 0x80};

    (void)arg;
    cr_assert(LIBCXL_FAILS(cxl_afu_attach(NULL, 0), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_afu_attach_full(NULL, 0, 4, 0), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_afu_attach_work(afu, &work), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_afu_get_process_element(afu), EINVAL));
    cxl_afu_free(afu);
    afu = libcxl_open(CXL_SLAVE_NODE);
    cr_assert(LIBCXL_FAILS(cxl_afu_attach_work(afu, NULL), EINVAL));
    libcxl_say("refuse afu0.0 ENOSPC");
    cr_assert(LIBCXL_FAILS(cxl_afu_attach(afu, 0), ENOSPC), "as the kernel says");
    libcxl_say("refuse afu0.0 none");
    cr_assert_eq(cxl_afu_attach_full(afu, 0, 4, 0), 0);
    PROVES(CX_40);
    cr_assert_eq(cxl_afu_get_process_element(afu), 0);
    libcxl_say("detach afu0.0");
    cr_assert_eq(cxl_afu_get_process_element(afu), 0, "asked once, and kept");
    PROVES(CX_39);
    cxl_afu_free(afu);
}

Test(libcxl_attach, functions_of_the_library) { libcxl_run(library); }

Test(libcxl_attach, work)
{
    struct cxl_ioctl_start_work *work = cxl_work_alloc();
    uint64_t value = 1;
    int16_t n = 1;
    uint16_t tid = 1;

    cr_assert_eq(work->flags, 0);
    cr_assert_eq(cxl_work_set_num_irqs(work, 4), 0);
    cr_assert_eq(work->flags, 2);
    cr_assert(cxl_work_get_num_irqs(work, &n) == 0 && n == 4);
    cr_assert_eq(cxl_work_set_amr(work, 0x55), 0);
    cr_assert_eq(work->flags, 3);
    cr_assert(cxl_work_get_amr(work, &value) == 0 && value == 0x55);
    cr_assert_eq(cxl_work_set_num_irqs(work, -1), 0);
    cr_assert_eq(cxl_work_set_amr(work, 0), 0);
    cr_assert_eq(work->flags, 0);
    PROVES(CX_41);
    cr_assert_eq(cxl_work_enable_wait(work), 0);
    cr_assert_eq(work->flags, 8);
    cr_assert_eq(cxl_work_disable_wait(work), 0);
    cr_assert_eq(work->flags, 0);
    cr_assert(cxl_work_get_tid(work, &tid) == 0 && tid == 0);
    cr_assert_eq(cxl_work_set_wed(work, 7), 0);
    cr_assert(cxl_work_get_wed(work, &value) == 0 && value == 7);
    cr_assert_eq(cxl_work_free(work), 0);
    cr_assert(LIBCXL_FAILS(cxl_work_free(NULL), EINVAL));
    cr_assert_eq(cxl_work_set_wed(NULL, 0), -1);
    cr_assert_eq(cxl_afu_host_thread_wait(NULL, NULL), -1);
}

/* ---- what the AFU may do with it ---------------------------------------------------------------
 */

#define SLOTS 16

struct queue {
    struct afu_cmd_pair *pair;
    uint64_t *rrq;
};

static void *memory(size_t size, const char *name)
{
    void *p = exec_alloc(libcxl_sim()->env.exec, size, 128);

    cr_assert_not_null(p);
    cr_assert_eq(hal_mem_register(cxl_standin()->device("afu0.0"), p, size, name), 0);
    return p;
}

/* A master's queue, as a program would set it up. */
static struct queue set_up(struct cxl_afu_h *afu)
{
    struct queue q = {memory(SLOTS * sizeof(struct afu_cmd_pair), "commands"),
                      memory(SLOTS * sizeof(uint64_t), "rrq")};
    uint64_t order = HAL_ORDER_HOST == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE;
    uint64_t config = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, value;

    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_ENDIAN_CTRL, order), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_START, (uintptr_t)q.rrq), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_END, (uintptr_t)(q.rrq + SLOTS - 1)), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_INTR_MASK, ~UINT64_C(0x1F)), 0);
    cr_assert_eq(cxl_mmio_read64(afu, config, &value), 0);
    cr_assert_eq(cxl_mmio_write64(afu, config, value | AFU_CONFIG_AR_ALL), 0);
    return q;
}

static void tear_down(struct queue *q)
{
    hal_mem_release(cxl_standin()->device("afu0.0"), q->pair);
    hal_mem_release(cxl_standin()->device("afu0.0"), q->rrq);
    exec_free(libcxl_sim()->env.exec, q->pair, SLOTS * sizeof(struct afu_cmd_pair));
    exec_free(libcxl_sim()->env.exec, q->rrq, SLOTS * sizeof(uint64_t));
}

/* Rings for an empty command, and waits for its end; virtual ns that it took. */
static uint64_t command(struct cxl_afu_h *afu, struct queue *q, unsigned slot, uint16_t interrupt)
{
    struct afu_ioarcb *rcb = &q->pair[slot].ioarcb;
    struct cxl_event ev;
    uint64_t begin = exec_now(libcxl_sim()->env.exec);

    rcb->msi = (uint8_t)interrupt;
    rcb->rrq = 0;
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_IOARRIN, (uintptr_t)rcb), 0);
    cr_assert_eq(cxl_read_event(afu, &ev), 0);
    cr_assert_eq(ev.header.type, CXL_EVENT_AFU_INTERRUPT, "type %u", ev.header.type);
    cr_assert_eq(ev.irq.irq, interrupt);
    cr_assert_neq(q->rrq[slot], 0);
    return exec_now(libcxl_sim()->env.exec) - begin;
}

static void faults(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);
    struct queue q = set_up(afu);
    char why[100];
    uint64_t fast, slow;

    (void)arg;
    fast = command(afu, &q, 0, 2);
    cr_assert_eq(sim_faults_load(sim_afu_faults(sim_host_afu(libcxl_sim()->host, 0)),
                                 "fetch#1=x(0x0A)", why, sizeof why),
                 0, "%s", why);
    slow = command(afu, &q, 1, 2); /* and no data storage event before its interrupt */
    cr_assert_gt(slow, fast + 10000, "%lu after %lu", (unsigned long)slow, (unsigned long)fast);
    PROVES(CX_76);
    (void)command(afu, &q, 2, 3); /* the third of four; numbers are those of the AFU, from 1 */
    PROVES(CX_44);
    cxl_afu_free(afu);
    tear_down(&q);
}

Test(libcxl_attach, faults_that_the_kernel_resolves_are_not_seen) { libcxl_run(faults); }
