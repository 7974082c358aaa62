/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the slot, derived from what a program sees of them (CX section 8): nobody announces a
 * failure to user space. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "backends/capi/capi_errno.h"
#include "backends/capi/capi_internal.h"
#include "backends/capi/capi_lock.h"
#include "backends/capi/capi_name.h"
#include "hal/afu_regs.h"
#include "hal/support/check.h"

#define POLL_NS UINT64_C(100000000)

static enum capi_phase phase_of(struct capi_dev *d)
{
    return __atomic_load_n(&d->phase, __ATOMIC_ACQUIRE);
}

static void set_phase(struct capi_dev *d, enum capi_phase phase)
{
    __atomic_store_n(&d->phase, phase, __ATOMIC_RELEASE);
}

static bool is_lost(struct capi_dev *d) { return __atomic_load_n(&d->lost, __ATOMIC_ACQUIRE); }

bool capi_usable(struct capi_dev *d)
{
    enum capi_phase phase = phase_of(d);

    return !is_lost(d) &&
           (phase == CAPI_CALM || phase == CAPI_SLOT_RESET || phase == CAPI_RESUMING);
}

/* ---- loss -------------------------------------------------------------------------------------
 */

/* CX-104: wakes all who wait for events. Their descriptors stay open until they are released. */
static void kill_contexts(struct capi_dev *d)
{
    pthread_mutex_lock(&d->books);
    for (struct capi_ctx *c = d->contexts; c; c = c->next) {
        __atomic_store_n(&c->dead, true, __ATOMIC_RELEASE);
        CHECK(eventfd_write(c->wake, 1) == 0);
    }
    pthread_mutex_unlock(&d->books);
}

void capi_lost(struct capi_dev *d)
{
    bool before = __atomic_exchange_n(&d->lost, true, __ATOMIC_SEQ_CST);

    kill_contexts(d);
    if (before)
        return;
    exec_mutex_lock(d->exec, &d->lock);
    exec_cond_broadcast(d->exec, &d->news);
    exec_mutex_unlock(d->exec, &d->lock);
}

/* ---- is it back? ------------------------------------------------------------------------------
 */

/* A node that opens proves little: before the kernel has noticed anything it opens too. So a
 * context is attached, and the register of R-30 read. */
static bool answers(struct capi_dev *d)
{
    enum hal_ctx_kind kind = d->config.users_only ? HAL_CTX_USER : HAL_CTX_MASTER;
    enum capi_load load = CAPI_LOAD_FAILED;
    struct cxl_afu_h *afu;
    struct capi_map map;
    uint64_t value;
    int element;

    if (capi_node_open(d, kind, &afu))
        return false;
    element = d->library->cxl_afu_get_process_element(afu);
    if (element >= 0 && !capi_attach(d, afu, d->irqs_min) &&
        !capi_mmio_open(&map, d->library, afu, capi_map_size(d, kind))) {
        load = capi_mmio_load(&map, capi_own_page(kind, (unsigned)element) + AFU_HOST_ENDIAN_CTRL,
                              &value);
        capi_mmio_close(&map);
    }
    d->library->cxl_afu_free(afu);
    return load == CAPI_LOAD_VALUE;
}

/* The lock against other masters goes by the name of the AFU (CX-133). Who has that of the new name
 * will let go of it, or the card counts as one that did not come back. */
static bool follow_lock(struct capi_dev *d, const char *afu)
{
    char why[256];
    int fd;

    if (d->lock_fd < 0) /* a client, or a stand-in */
        return true;
    if (capi_lock_take(d->config.lock_dir, afu, &fd, why, sizeof why))
        return false;
    capi_lock_release(d->lock_fd);
    d->lock_fd = fd;
    return true;
}

/* CX-100: names may change. The card is known by its PCI function. */
static void follow_names(struct capi_dev *d)
{
    struct capi_names before = capi_names(d), now;
    const char *slice = strchr(before.afu, '.');
    char function[CAPI_NAME_BYTES];
    unsigned number;

    for (unsigned i = 0; !d->kernel->list(CXL_SYSFS_CLASS, i, now.afu, sizeof now.afu); i++) {
        if (!capi_name_is_afu(now.afu, &number) || strcmp(strchr(now.afu, '.'), slice) != 0)
            continue;
        snprintf(now.card, sizeof now.card, "card%u", number);
        capi_function_of(d->kernel, now.card, function, sizeof function);
        if (strcmp(function, d->function) != 0)
            continue;
        if (!follow_lock(d, now.afu))
            return;
        capi_log(d, "%s is %s now", before.afu, now.afu);
        capi_rename(d, &now);
        return;
    }
}

/* The old name may be another card's by now. */
static bool is_ours(struct capi_dev *d)
{
    char function[CAPI_NAME_BYTES];

    if (!d->function[0])
        return true;
    capi_function_of(d->kernel, capi_names(d).card, function, sizeof function);
    return strcmp(function, d->function) == 0;
}

static bool is_back(struct capi_dev *d)
{
    if (!is_ours(d))
        follow_names(d);
    return is_ours(d) && answers(d);
}

/* The PCI function stays when the driver only lets go of the card to take it again (CX-100), and
 * goes with the card. Where nobody knows the function, the card's own directory has to do. */
static bool card_is_gone(struct capi_dev *d)
{
    char path[CAPI_PATH_BYTES];

    if (d->pci[0])
        return !capi_is_directory(d->kernel, d->pci);
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s", capi_names(d).card);
    return !capi_is_directory(d->kernel, path);
}

/* ---- events -----------------------------------------------------------------------------------
 */

/* Who reads ones is often sooner than the kernel, and a card that was pulled looks like a frozen
 * one until then. */
static enum hal_platform_event found_lost(struct capi_dev *d)
{
    if (exec_now(d->exec) < d->until)
        return HAL_PLATFORM_NONE;
    if (card_is_gone(d)) {
        set_phase(d, CAPI_OVER);
        return HAL_PLATFORM_REMOVED;
    }
    capi_log(d, "%s does not answer any more", capi_names(d).afu);
    capi_log_error_buffer(d);
    set_phase(d, CAPI_FROZEN);
    return HAL_PLATFORM_FROZEN;
}

static enum hal_platform_event found_reset(struct capi_dev *d)
{
    if (is_back(d)) {
        __atomic_store_n(&d->lost, false, __ATOMIC_SEQ_CST);
        set_phase(d, CAPI_SLOT_RESET);
        return HAL_PLATFORM_SLOT_RESET;
    }
    if (exec_now(d->exec) < d->until)
        return HAL_PLATFORM_NONE;
    capi_log(d, "%s did not come back", capi_names(d).afu);
    set_phase(d, CAPI_OVER);
    return HAL_PLATFORM_PERMANENT_FAILURE;
}

static enum hal_platform_event next_event(struct capi_dev *d)
{
    switch (phase_of(d)) {
    case CAPI_CALM:
        if (!is_lost(d))
            break;
        d->until = exec_now(d->exec) + POLL_NS;
        set_phase(d, CAPI_LOSING);
        break;
    case CAPI_LOSING:
        return found_lost(d);
    case CAPI_RESETTING:
        return found_reset(d);
    case CAPI_RESUMING:
        set_phase(d, CAPI_CALM);
        return HAL_PLATFORM_RESUMED;
    case CAPI_FAILING:
        set_phase(d, CAPI_OVER);
        return HAL_PLATFORM_PERMANENT_FAILURE;
    case CAPI_FROZEN:
    case CAPI_SLOT_RESET:
    case CAPI_OVER:
        break;
    }
    return HAL_PLATFORM_NONE;
}

/* When to look again though nobody says anything. */
static uint64_t next_look(struct capi_dev *d)
{
    switch (phase_of(d)) {
    case CAPI_LOSING:
        return d->until;
    case CAPI_RESETTING:
        return hal_min64(exec_now(d->exec) + POLL_NS, d->until);
    default:
        return EXEC_FOREVER;
    }
}

static int wait_for_news(struct capi_dev *d, uint64_t deadline)
{
    int rc = 0;

    deadline = hal_min64(deadline, next_look(d));
    exec_mutex_lock(d->exec, &d->lock);
    if (phase_of(d) != CAPI_CALM || !is_lost(d))
        rc = exec_cond_wait(d->exec, &d->news, &d->lock, deadline, true);
    exec_mutex_unlock(d->exec, &d->lock);
    return rc;
}

int capi_platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    struct capi_dev *d = capi_dev_of(dev);
    int rc = 0;

    while ((*out = next_event(d)) == HAL_PLATFORM_NONE) {
        if (!deadline || (rc == -ETIMEDOUT && exec_now(d->exec) >= deadline))
            return 0;
        rc = wait_for_news(d, deadline);
        if (rc == -EINTR)
            return rc;
    }
    return 0;
}

/* PERMANENT_FAILURE was the last word, whatever is answered. */
void capi_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    struct capi_dev *d = capi_dev_of(dev);

    if (phase_of(d) == CAPI_OVER)
        return;
    switch (answer) {
    case HAL_PLATFORM_NEED_RESET:
        d->until = exec_now(d->exec) + d->config.node_wait_ns;
        set_phase(d, CAPI_RESETTING);
        break;
    case HAL_PLATFORM_RECOVERED:
        set_phase(d, CAPI_RESUMING);
        break;
    case HAL_PLATFORM_DISCONNECT:
        __atomic_store_n(&d->lost, true, __ATOMIC_SEQ_CST);
        set_phase(d, CAPI_FAILING);
        kill_contexts(d);
        break;
    }
}
