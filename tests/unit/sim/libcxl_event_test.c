/* SPDX-License-Identifier: Apache-2.0 */
/* Events as a program reads them (CX section 6). */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(1); }

TestSuite(libcxl_event, .init = up, .fini = libcxl_down, .timeout = 30);

static int readable(struct cxl_afu_h *afu)
{
    struct pollfd p = {.fd = cxl_afu_fd(afu), .events = POLLIN};

    return poll(&p, 1, 0);
}

static void nonblocking(struct cxl_afu_h *afu)
{
    cr_assert_eq(fcntl(cxl_afu_fd(afu), F_SETFL, O_NONBLOCK), 0);
}

static void next(struct cxl_afu_h *afu, struct cxl_event *ev)
{
    cr_assert_eq(cxl_read_event(afu, ev), 0, "errno %d", errno);
}

/* ---- from the model ----------------------------------------------------------------------------
 */

/* A doorbell with an address that is not there (CX-122): the AFU tells of it by LISN 1, the kernel
 * by a data storage event. */
static void provoke(struct cxl_afu_h *afu)
{
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_START, 0x20000), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_RRQ_END, 0x20000 + 8 * 63), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_CTX_CTRL, 1), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_INTR_MASK, 0), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_IOARRIN, 0x1000), 0);
}

static void from_the_model(void *arg)
{
    struct cxl_afu_h *other = libcxl_attached(CXL_MASTER_NODE, true);
    struct cxl_afu_h *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
    bool interrupt = false, storage = false;

    (void)arg;
    cr_assert_eq(readable(afu), 0);
    provoke(afu);
    while (!interrupt || !storage) {
        struct cxl_event ev;

        next(afu, &ev); /* waits, while the model goes on */
        cr_assert_eq(ev.header.process_element, 1);
        PROVES(CX_77);
        if (ev.header.type == 1) {
            cr_assert(ev.header.size == 16 && ev.irq.irq == 1);
            interrupt = true;
        } else {
            cr_assert(ev.header.type == 2 && ev.header.size == 40);
            cr_assert_eq(ev.fault.addr, 0x1000);
            cr_assert_eq(ev.fault.dsisr, 0x40000000);
            storage = true;
        }
    }
    PROVES(CX_75); /* the AFU has seen its command fail, and the program both */
    cr_assert_eq(readable(afu), 0);
    cr_assert_eq(readable(other), 0);
    cxl_afu_free(afu);
    cxl_afu_free(other);
}

Test(libcxl_event, events_of_the_model_arrive) { libcxl_run(from_the_model); }

/* ---- what a read gives -------------------------------------------------------------------------
 */

static ssize_t raw_read(struct cxl_afu_h *afu, size_t size)
{
    static uint8_t buffer[4096];

    return libcxl_kernel()->read(cxl_afu_fd(afu), buffer, size);
}

static void reads(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);

    (void)arg;
    nonblocking(afu);
    cr_assert_eq(raw_read(afu, 4095), -EINVAL);
    cr_assert_eq(raw_read(afu, 4096), -EAGAIN);
    libcxl_say("event afu0.0 0 interrupt 2");
    cr_assert_eq(raw_read(afu, 4095), -EINVAL);
    cr_assert_eq(raw_read(afu, 4096), 16);
    cr_assert_eq(raw_read(afu, 4096), -EAGAIN);
    libcxl_say("freeze afu0.0");
    cr_assert_eq(raw_read(afu, 100), -EIO, "the channel comes before the size");
    PROVES(CX_70);
    cxl_afu_free(afu);
}

Test(libcxl_event, a_read_has_rules) { libcxl_run(reads); }

static void choice(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    nonblocking(afu);
    libcxl_say("event afu0.0 0 error 0x77");
    libcxl_say("event afu0.0 0 error 0x88");
    libcxl_say("event afu0.0 0 storage 0x1000 0x40000000");
    libcxl_say("event afu0.0 0 interrupt 3");
    libcxl_say("event afu0.0 0 interrupt 1");
    libcxl_say("event afu0.0 0 interrupt 3");
    libcxl_say("event afu0.0 0 storage 0x2000 0x42000000");
    next(afu, &ev);
    cr_assert(ev.header.type == 1 && ev.irq.irq == 1, "lowest number first");
    next(afu, &ev);
    cr_assert(ev.header.type == 1 && ev.irq.irq == 3);
    next(afu, &ev);
    cr_assert_eq(ev.header.type, 2, "the second of the same number was one with the first");
    PROVES(CX_72);
    cr_assert(ev.fault.addr == 0x2000 && ev.fault.dsisr == 0x42000000, "the newest");
    next(afu, &ev);
    cr_assert(ev.header.type == 3 && ev.header.size == 24 && ev.afu_error.error == 0x77,
              "the first");
    PROVES(CX_73);
    cr_assert_eq(raw_read(afu, 4096), -EAGAIN);
    libcxl_say("event afu0.0 0 interrupt 4");
    libcxl_say("detach afu0.0");
    cr_assert_eq(raw_read(afu, 4096), 16);
    cr_assert_eq(raw_read(afu, 4096), -EIO);
    PROVES(CX_71);
    cxl_afu_free(afu);
}

Test(libcxl_event, one_event_a_read_in_the_order_of_the_kernel) { libcxl_run(choice); }

static void polls(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    cr_assert_eq(readable(afu), 0);
    libcxl_say("event afu0.0 0 interrupt 1");
    libcxl_say("event afu0.0 0 interrupt 2");
    cr_assert_eq(readable(afu), 1);
    next(afu, &ev);
    cr_assert_eq(readable(afu), 1);
    next(afu, &ev);
    cr_assert_eq(readable(afu), 0);
    libcxl_say("detach afu0.0");
    cr_assert_eq(readable(afu), 1, "closed, and nothing is pending: poll must not wait");
    cr_assert_eq(raw_read(afu, 4096), -EIO);
    cr_assert_eq(readable(afu), 1);
    PROVES(CX_74);
    cxl_afu_free(afu);
}

Test(libcxl_event, a_descriptor_is_readable_when_something_is_there) { libcxl_run(polls); }

/* ---- the buffer of the library -----------------------------------------------------------------
 */

static void poisoned(const struct cxl_event *ev)
{
    const uint8_t *bytes = (const uint8_t *)ev;

    cr_assert_eq(ev->header.type, 0xFFFF);
    cr_assert_eq(ev->header.size, 0);
    cr_assert_neq(ev->header.process_element, 0x1111);
    for (size_t i = 5; i < sizeof *ev; i++)
        cr_assert_eq(bytes[i], bytes[4]);
}

static void buffered(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    nonblocking(afu);
    memset(&ev, 0x11, sizeof ev);
    errno = 0;
    cr_assert_eq(cxl_read_event(afu, &ev), -1);
    cr_assert_eq(errno, EAGAIN);
    poisoned(&ev);
    cr_assert(LIBCXL_FAILS(cxl_read_event(NULL, &ev), EINVAL));
    libcxl_say("batch afu0.0 3");
    libcxl_say("event afu0.0 0 interrupt 1");
    libcxl_say("event afu0.0 0 storage 0x3000 0x40000000");
    cr_assert_eq(cxl_event_pending(afu), 1, "by poll");
    next(afu, &ev);
    cr_assert_eq(readable(afu), 0);
    cr_assert_eq(cxl_event_pending(afu), 1, "it is in the buffer, which poll does not know");
    PROVES(CX_81);
    next(afu, &ev);
    cr_assert(ev.header.type == 2 && ev.fault.addr == 0x3000);
    cr_assert_eq(cxl_event_pending(afu), 0);
    libcxl_say("detach afu0.0");
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EIO));
    poisoned(&ev);
    PROVES(CX_78);
    cxl_afu_free(afu);
}

Test(libcxl_event, the_library_buffers_and_poisons) { libcxl_run(buffered); }

static void ask_nobody(void) { cxl_event_pending(NULL); }

static void not_open(void *arg)
{
    struct cxl_afu_h *afu = cxl_afu_next(NULL);
    struct cxl_event ev;

    (void)arg;
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EINVAL));
    cr_assert_eq(cxl_event_pending(afu), -1);
    cxl_afu_free(afu);
}

Test(libcxl_event, handles_that_are_not_open)
{
    libcxl_run(not_open);
    cr_assert_eq(libcxl_death(ask_nobody), SIGSEGV);
    PROVES(CX_80);
}

static void expected(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    nonblocking(afu);
    libcxl_say("event afu0.0 0 interrupt 1");
    libcxl_say("event afu0.0 0 interrupt 2");
    libcxl_say("event afu0.0 0 interrupt 3");
    cr_assert_eq(cxl_read_expected_event(afu, &ev, CXL_EVENT_AFU_INTERRUPT, 0), 0);
    cr_assert_eq(ev.irq.irq, 1, "0 takes any number");
    cr_assert_eq(cxl_read_expected_event(afu, &ev, CXL_EVENT_DATA_STORAGE, 0), -1);
    cr_assert_eq(ev.irq.irq, 2, "it is consumed all the same");
    cr_assert_eq(cxl_read_expected_event(afu, &ev, CXL_EVENT_AFU_INTERRUPT, 2), -1);
    cr_assert_eq(cxl_read_expected_event(afu, &ev, CXL_EVENT_AFU_INTERRUPT, 3), -1);
    cr_assert_eq(errno, EAGAIN, "-1 for a failed read, too");
    PROVES(CX_79);
    libcxl_say("event afu0.0 0 interrupt 3");
    cr_assert_eq(cxl_read_expected_event(afu, &ev, CXL_EVENT_AFU_INTERRUPT, 3), 0);
    cxl_afu_free(afu);
}

Test(libcxl_event, an_expected_event_is_consumed_or_lost) { libcxl_run(expected); }

/* ---- readers that wait -------------------------------------------------------------------------
 */

struct reader {
    struct cxl_afu_h *afu;
    struct cxl_event ev;
    int rc, error;
    bool done;
};

static void wait_for_event(void *arg)
{
    struct reader *r = arg;

    r->rc = cxl_read_event(r->afu, &r->ev);
    r->error = errno;
    r->done = true;
}

static struct exec_thread *start(struct reader *r)
{
    struct exec_thread *t;

    cr_assert_eq(exec_thread_create(libcxl_sim()->env.exec, "reader", wait_for_event, r, &t), 0);
    return t;
}

static void pass_ms(unsigned ms)
{
    struct exec *e = libcxl_sim()->env.exec;

    cr_assert_eq(exec_sleep_until(e, exec_now(e) + ms * UINT64_C(1000000)), 0);
}

static void woken(void *arg)
{
    struct reader attached = {.afu = libcxl_attached(CXL_SLAVE_NODE, true)};
    struct reader idle = {.afu = libcxl_open(CXL_SLAVE_NODE)};
    struct exec_thread *a = start(&attached), *b = start(&idle);

    (void)arg;
    pass_ms(1);
    libcxl_say("freeze afu0.0");
    pass_ms(1);
    cr_assert_not(attached.done, "not when the channel goes offline");
    libcxl_say("detach afu0.0");
    exec_thread_join(libcxl_sim()->env.exec, a);
    cr_assert(attached.rc == -1 && attached.error == EIO);
    pass_ms(1);
    cr_assert_not(idle.done, "never attached: closed without being woken");
    PROVES(CX_85);
    exec_thread_interrupt(libcxl_sim()->env.exec, b);
    exec_thread_join(libcxl_sim()->env.exec, b);
    cr_assert(idle.rc == -1 && idle.error == EINTR);
    libcxl_say("thaw afu0.0");
    cr_assert(raw_read(idle.afu, 4096) == -EIO, "a new read finds it closed");
    cxl_afu_free(attached.afu);
    cxl_afu_free(idle.afu);
}

Test(libcxl_event, a_reader_is_woken_by_the_end_of_its_context) { libcxl_run(woken); }

/* What the model had for the context when it was closed is read first. */
static void delivered_first(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    provoke(afu);
    pass_ms(1);
    libcxl_say("detach afu0.0");
    next(afu, &ev);
    cr_assert_eq(ev.header.type, CXL_EVENT_AFU_INTERRUPT);
    next(afu, &ev);
    cr_assert_eq(ev.header.type, CXL_EVENT_DATA_STORAGE);
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EIO));
    PROVES(CX_85);
    cxl_afu_free(afu);
}

Test(libcxl_event, events_are_delivered_before_the_end) { libcxl_run(delivered_first); }

static void ordered(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    libcxl_say("order afu0.0 arrival");
    libcxl_say("event afu0.0 0 error 0x77");
    libcxl_say("event afu0.0 0 interrupt 3");
    libcxl_say("event afu0.0 0 interrupt 1");
    next(afu, &ev);
    cr_assert_eq(ev.header.type, 3);
    next(afu, &ev);
    cr_assert_eq(ev.irq.irq, 3);
    next(afu, &ev);
    cr_assert_eq(ev.irq.irq, 1);
    cxl_afu_free(afu);
}

Test(libcxl_event, a_test_may_choose_the_order) { libcxl_run(ordered); }

Test(libcxl_event, events_are_printed)
{
    struct cxl_event ev = {.header = {.type = CXL_EVENT_DATA_STORAGE, .process_element = 5}};
    char text[200] = "";
    FILE *f = fmemopen(text, sizeof text, "w");

    cr_assert_not_null(f);
    ev.fault.addr = 0x12340;
    cr_assert_gt(cxl_fprint_event(f, &ev), 0);
    ev.header.type = 99;
    cr_assert_gt(cxl_fprint_event(f, &ev), 0);
    cr_assert_eq(cxl_fprint_event(f, NULL), -1);
    cr_assert_eq(cxl_fprint_unknown_event(NULL, &ev), -1);
    fclose(f);
    cr_assert_not_null(strstr(text, "0x12340"));
    cr_assert_not_null(strstr(text, "99"));
}
