/* SPDX-License-Identifier: Apache-2.0 */
/* Events as a program reads them (CX section 6). */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(1); }

TestSuite(libcxl_event, .init = up, .fini = libcxl_down, .timeout = 30);

static int readable(const struct cxl_afu_h *afu)
{
    struct pollfd p = {.fd = cxl_afu_fd((struct cxl_afu_h *)afu), .events = POLLIN};

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

/* A response queue that is not there: the AFU tells of the error by LISN 1. */
static void provoke(struct cxl_afu_h *afu)
{
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_CTX_CTRL, 1), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_INTR_MASK, 0), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_IOARRIN, 0x10), 0);
}

static void from_the_model(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
    struct cxl_event ev;

    (void)arg;
    cr_assert_eq(readable(afu), 0);
    provoke(afu);
    next(afu, &ev); /* waits, while the model goes on */
    cr_assert_eq(ev.header.type, CXL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(ev.header.size, 16);
    cr_assert_eq(ev.irq.irq, 1);
    cxl_afu_free(afu);
}

Test(libcxl_event, events_of_the_model_arrive) { libcxl_run(from_the_model); }
