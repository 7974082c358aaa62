/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that the AFU reaches: locked (CX-119), and written in the order in which it is published.
 * Over the stand-in it is the business of the device below. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/capi/capi_errno.h"
#include "backends/capi/capi_internal.h"
#include "hal/support/check.h"

static uintptr_t page_size(void) { return (uintptr_t)sysconf(_SC_PAGESIZE); }

static bool overlaps(const struct capi_dev *d, uintptr_t begin, uintptr_t end)
{
    for (const struct capi_region *r = d->regions; r; r = r->next)
        if (begin < r->end && r->begin < end)
            return true;
    return false;
}

/* The pages of a region that no other one has a part of: locks do not add up. Regions do not
 * overlap, so only the first page and the last one can be shared. */
static void unlock(const struct capi_dev *d, const struct capi_region *r)
{
    uintptr_t page = page_size(), begin = r->begin & ~(page - 1);
    uintptr_t end = (r->end + page - 1) & ~(page - 1);

    if (overlaps(d, begin, begin + page))
        begin += page;
    if (begin < end && overlaps(d, end - page, end))
        end -= page;
    if (begin < end)
        munlock((void *)begin, end - begin);
}

static bool add(struct capi_dev *d, struct capi_region *r)
{
    bool free = !overlaps(d, r->begin, r->end);

    if (free) {
        r->next = d->regions;
        d->regions = r;
    }
    return free;
}

static struct capi_region *take_out(struct capi_dev *d, uintptr_t begin)
{
    struct capi_region **at = &d->regions, *r;

    while (*at && (*at)->begin != begin)
        at = &(*at)->next;
    r = *at;
    if (r)
        *at = r->next;
    return r;
}

static int lock(struct capi_dev *d, struct capi_region *r)
{
    int rc = 0;

    pthread_mutex_lock(&d->books);
    if (!add(d, r))
        rc = -EINVAL;
    else if (mlock((void *)r->begin, r->end - r->begin)) {
        rc = errno == EINVAL ? -EINVAL : -ENOMEM; /* EPERM, EAGAIN: the limit */
        take_out(d, r->begin);
    }
    pthread_mutex_unlock(&d->books);
    return rc;
}

int capi_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    struct capi_dev *d = capi_dev_of(dev);
    struct capi_region *r;
    int rc;

    if (d->below)
        return hal_mem_register(d->below, addr, size, name);
    r = exec_alloc(d->exec, sizeof *r, _Alignof(struct capi_region));
    if (!r)
        return -ENOMEM;
    r->begin = (uintptr_t)addr;
    r->end = r->begin + size;
    rc = lock(d, r);
    if (rc == -ENOMEM)
        capi_log(d,
                 "%zu bytes for \"%s\" cannot be locked in memory; raise the limit of locked "
                 "memory (ulimit -l)",
                 size, name);
    if (rc)
        exec_free(d->exec, r, sizeof *r);
    return rc;
}

void capi_mem_release(struct hal_dev *dev, void *addr)
{
    struct capi_dev *d = capi_dev_of(dev);
    struct capi_region *r;

    if (d->below) {
        hal_mem_release(d->below, addr);
        return;
    }
    pthread_mutex_lock(&d->books);
    r = take_out(d, (uintptr_t)addr);
    CHECK(r);
    unlock(d, r);
    pthread_mutex_unlock(&d->books);
    exec_free(d->exec, r, sizeof *r);
}

void capi_table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    struct capi_dev *d = capi_dev_of(dev);

    if (d->below)
        hal_table_store(d->below, addr, value);
    else
        __atomic_store_n((uint64_t *)addr, value, __ATOMIC_RELAXED);
}

void capi_publish(struct hal_dev *dev)
{
    struct capi_dev *d = capi_dev_of(dev);

    if (d->below)
        hal_publish(d->below);
    else
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
