/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_driver.h"

#include <stdio.h>
#include <string.h>

#include "backends/capi/capi_name.h"
#include "hal/cxl_kernel.h"

#define NAME_BYTES 256 /* of any file: one that did not fit would end a list too early */
#define PATH_BYTES 1024

/* Whether a path of two parts fits. */
static bool join(char path[PATH_BYTES], const char *directory, const char *name)
{
    return snprintf(path, PATH_BYTES, "%s/%s", directory, name) < PATH_BYTES;
}

static bool is_cxlflash(const struct cxl_kernel *kernel, const char *device)
{
    char path[PATH_BYTES], target[PATH_BYTES];
    const char *slash;
    ssize_t n;

    if (!join(path, device, "driver"))
        return false;
    n = kernel->link_read(path, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    slash = strrchr(target, '/');
    return strcmp(slash ? slash + 1 : target, "cxlflash") == 0;
}

static bool find_behind(const struct cxl_kernel *kernel, const char *bridge, char *function,
                        size_t size)
{
    char path[PATH_BYTES], name[NAME_BYTES];

    for (unsigned i = 0; !kernel->list(bridge, i, name, sizeof name); i++)
        if (capi_name_is_function(name) && join(path, bridge, name) && is_cxlflash(kernel, path)) {
            snprintf(function, size, "%s", name);
            return true;
        }
    return false;
}

bool capi_driver_find(const struct cxl_kernel *kernel, const char *pci, char *function, size_t size)
{
    char path[PATH_BYTES], name[NAME_BYTES];

    function[0] = '\0';
    for (unsigned i = 0; !kernel->list(pci, i, name, sizeof name); i++)
        if (strncmp(name, "pci", 3) == 0 && join(path, pci, name) &&
            find_behind(kernel, path, function, size))
            return true;
    return false;
}
