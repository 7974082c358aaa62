/* SPDX-License-Identifier: Apache-2.0 */
/* Going through cards and AFUs (CX-16, CX-17). A handle is the position; behind the last name it is
 * freed. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/libcxl/libcxl.h"

static const char *skip_digits(const char *text)
{
    if (!isdigit((unsigned char)*text))
        return NULL;
    while (isdigit((unsigned char)*text))
        text++;
    return text;
}

bool libcxl_is_card(const char *name)
{
    const char *end = strncmp(name, "card", 4) ? NULL : skip_digits(name + 4);

    return end && !*end;
}

bool libcxl_is_afu(const char *name)
{
    const char *end = strncmp(name, "afu", 3) ? NULL : skip_digits(name + 3);

    end = end && *end == '.' ? skip_digits(end + 1) : NULL;
    return end && !*end;
}

/* AFUs of one card only: afuN. with the N of cardN. */
static bool belongs(const char *afu, const char *card)
{
    const char *number = card + 4;
    size_t n = strlen(number);

    return !strncmp(afu + 3, number, n) && afu[3 + n] == '.';
}

/* The next name from *place on; false with errno 0 at the end, ENODEV without a class. */
static bool next_name(unsigned *place, bool (*wanted)(const char *), const char *card,
                      char name[LIBCXL_NAME])
{
    if (standin_kernel.attribute_read(CXL_SYSFS_CLASS, NULL, 0) != -EISDIR) {
        errno = ENODEV;
        return false;
    }
    while (standin_kernel.list(CXL_SYSFS_CLASS, (*place)++, name, LIBCXL_NAME) == 0)
        if (wanted(name) && (!card || belongs(name, card)))
            return true;
    errno = 0;
    return false;
}

struct cxl_adapter_h *cxl_adapter_next(struct cxl_adapter_h *adapter)
{
    if (!adapter)
        adapter = calloc(1, sizeof *adapter);
    if (!adapter)
        return NULL;
    if (!next_name(&adapter->place, libcxl_is_card, NULL, adapter->name)) {
        int error = errno;

        free(adapter);
        errno = error;
        return NULL;
    }
    snprintf(adapter->path, sizeof adapter->path, CXL_SYSFS_CLASS "/%s", adapter->name);
    return adapter;
}

char *cxl_adapter_dev_name(struct cxl_adapter_h *adapter) { return adapter->name; }

void cxl_adapter_free(struct cxl_adapter_h *adapter) { free(adapter); }

static struct cxl_afu_h *afu_next(struct cxl_afu_h *afu, const char *card)
{
    if (!afu)
        afu = libcxl_afu_new();
    if (!afu)
        return NULL;
    if (!next_name(&afu->place, libcxl_is_afu, card, afu->name)) {
        int error = errno;

        cxl_afu_free(afu);
        errno = error;
        return NULL;
    }
    snprintf(afu->path, sizeof afu->path, CXL_SYSFS_CLASS "/%s", afu->name);
    return afu;
}

struct cxl_afu_h *cxl_afu_next(struct cxl_afu_h *afu) { return afu_next(afu, NULL); }

struct cxl_afu_h *cxl_adapter_afu_next(struct cxl_adapter_h *adapter, struct cxl_afu_h *afu)
{
    if (!adapter) {
        errno = EINVAL;
        return NULL;
    }
    return afu_next(afu, adapter->name);
}
