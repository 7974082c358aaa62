/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching, and the description of work that it takes (CX section 4). */
#include <errno.h>
#include <stdlib.h>

#include "sim/libcxl/libcxl.h"

int cxl_afu_attach_work(struct cxl_afu_h *afu, struct cxl_ioctl_start_work *work)
{
    if (!afu || afu->fd < 0 || !work)
        return libcxl_fail(EINVAL); /* CX-40 */
    return libcxl_result(standin_kernel.ioctl(afu->fd, CXL_IOCTL_START_WORK, work));
}

int cxl_afu_attach(struct cxl_afu_h *afu, uint64_t wed)
{
    struct cxl_ioctl_start_work work = {.work_element_descriptor = wed};

    return cxl_afu_attach_work(afu, &work);
}

int cxl_afu_attach_full(struct cxl_afu_h *afu, uint64_t wed, uint16_t num_interrupts, uint64_t amr)
{
    struct cxl_ioctl_start_work work = {.flags = CXL_START_WORK_AMR | CXL_START_WORK_NUM_IRQS,
                                        .work_element_descriptor = wed,
                                        .amr = amr,
                                        .num_interrupts = (int16_t)num_interrupts};

    return cxl_afu_attach_work(afu, &work);
}

/* CX-39: asked once. */
int cxl_afu_get_process_element(struct cxl_afu_h *afu)
{
    uint32_t element;

    if (!afu || afu->fd < 0)
        return libcxl_fail(EINVAL);
    if (afu->element < 0) {
        int rc = standin_kernel.ioctl(afu->fd, CXL_IOCTL_GET_PROCESS_ELEMENT, &element);

        if (rc)
            return libcxl_fail(-rc);
        afu->element = element;
    }
    return (int)afu->element;
}

/* Waiting in the processor until the AFU wakes it came with POWER9. */
int cxl_afu_host_thread_wait(struct cxl_afu_h *afu, volatile uint64_t *word)
{
    (void)word;
    return libcxl_fail(afu ? ENODEV : EINVAL);
}

/* ---- work --------------------------------------------------------------------------------------
 */

struct cxl_ioctl_start_work *cxl_work_alloc(void)
{
    return calloc(1, sizeof(struct cxl_ioctl_start_work));
}

int cxl_work_free(struct cxl_ioctl_start_work *work)
{
    if (!work)
        return libcxl_fail(EINVAL);
    free(work);
    return 0;
}

int cxl_work_get_amr(struct cxl_ioctl_start_work *work, uint64_t *value)
{
    if (!work || !value)
        return libcxl_fail(EINVAL);
    *value = work->amr;
    return 0;
}

int cxl_work_get_num_irqs(struct cxl_ioctl_start_work *work, int16_t *value)
{
    if (!work || !value)
        return libcxl_fail(EINVAL);
    *value = work->num_interrupts;
    return 0;
}

int cxl_work_get_wed(struct cxl_ioctl_start_work *work, uint64_t *value)
{
    if (!work || !value)
        return libcxl_fail(EINVAL);
    *value = work->work_element_descriptor;
    return 0;
}

int cxl_work_get_tid(struct cxl_ioctl_start_work *work, uint16_t *value)
{
    if (!work || !value)
        return libcxl_fail(EINVAL);
    *value = work->tid;
    return 0;
}

static int set_flag(struct cxl_ioctl_start_work *work, uint64_t flag, bool on)
{
    work->flags = on ? work->flags | flag : work->flags & ~flag;
    return 0;
}

/* CX-41: 0 clears, and so does a negative number of interrupts. */
int cxl_work_set_amr(struct cxl_ioctl_start_work *work, uint64_t value)
{
    if (!work)
        return libcxl_fail(EINVAL);
    work->amr = value;
    return set_flag(work, CXL_START_WORK_AMR, value != 0);
}

int cxl_work_set_num_irqs(struct cxl_ioctl_start_work *work, int16_t value)
{
    if (!work)
        return libcxl_fail(EINVAL);
    work->num_interrupts = value;
    return set_flag(work, CXL_START_WORK_NUM_IRQS, value >= 0);
}

int cxl_work_set_wed(struct cxl_ioctl_start_work *work, uint64_t value)
{
    if (!work)
        return libcxl_fail(EINVAL);
    work->work_element_descriptor = value;
    return 0;
}

int cxl_work_enable_wait(struct cxl_ioctl_start_work *work)
{
    return work ? set_flag(work, CXL_START_WORK_TID, true) : libcxl_fail(EINVAL);
}

int cxl_work_disable_wait(struct cxl_ioctl_start_work *work)
{
    return work ? set_flag(work, CXL_START_WORK_TID, false) : libcxl_fail(EINVAL);
}
