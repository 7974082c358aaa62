/* SPDX-License-Identifier: Apache-2.0 */
/* Attribute files of the AFU, its card, and the card's PCI function (CX section 7). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_errno.h"
#include "backends/capi/capi_internal.h"

#define ERROR_BUFFER_BYTES 4096
#define LINE_BYTES 32

/* ---- reading ----------------------------------------------------------------------------------
 */

static int read_text(const struct cxl_kernel *kernel, char *text, size_t size, const char *format,
                     va_list args)
{
    char path[CAPI_PATH_BYTES] = CXL_SYSFS_CLASS "/";
    size_t prefix = strlen(path);
    ssize_t n;

    vsnprintf(path + prefix, sizeof path - prefix, format, args);
    n = kernel->attribute_read(path, text, size - 1);
    if (n < 0)
        return (int)n;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return 0;
}

int capi_attribute_text(const struct cxl_kernel *kernel, char *text, size_t size,
                        const char *format, ...)
{
    va_list args;
    int rc;

    va_start(args, format);
    rc = read_text(kernel, text, size, format, args);
    va_end(args);
    return rc;
}

int capi_attribute_number(const struct cxl_kernel *kernel, long *value, const char *format, ...)
{
    char text[64], *end;
    va_list args;
    int rc;

    va_start(args, format);
    rc = read_text(kernel, text, sizeof text, format, args);
    va_end(args);
    if (rc)
        return rc;
    errno = 0;
    *value = strtol(text, &end, 0);
    return errno || end == text || *end ? -EIO : 0;
}

bool capi_is_directory(const struct cxl_kernel *kernel, const char *path)
{
    char nothing[1];

    return kernel->attribute_read(path, nothing, 0) == -EISDIR;
}

/* ---- error buffer -----------------------------------------------------------------------------
 */

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void log_line(const struct capi_dev *d, size_t at, const uint8_t *bytes, size_t n)
{
    char text[2 * LINE_BYTES + 1];

    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    capi_log(d, "AFU error buffer %04zx: %s", at, text);
}

void capi_log_error_buffer(struct capi_dev *d)
{
    uint8_t bytes[ERROR_BUFFER_BYTES];
    char path[CAPI_PATH_BYTES];
    ssize_t n;

    if (!d->config.log)
        return;
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s/afu_err_buff", capi_names(d).afu);
    n = d->kernel->attribute_read(path, bytes, sizeof bytes);
    for (ssize_t at = 0; at < n; at += LINE_BYTES) {
        size_t length = (size_t)(n - at < LINE_BYTES ? n - at : LINE_BYTES);

        if (!is_zero(bytes + at, length))
            log_line(d, (size_t)at, bytes + at, length);
    }
}

/* ---- operations -------------------------------------------------------------------------------
 */

static int dead_errno(struct capi_dev *d)
{
    return __atomic_load_n(&d->phase, __ATOMIC_ACQUIRE) == CAPI_OVER ? -ENODEV : -EIO;
}

/* The kernel refuses as long as anybody has a context (CX-106), and we do not wait for others
 * (CX-107): nobody can be made to close theirs from here. */
int capi_afu_reset(struct hal_dev *dev)
{
    struct capi_dev *d = capi_dev_of(dev);
    struct capi_names names = capi_names(d);
    char path[CAPI_PATH_BYTES];
    int rc;

    if (!capi_usable(d))
        return dead_errno(d);
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s/reset", names.afu);
    rc = capi_errno(d->kernel->attribute_write(path, "1", 1));
    if (rc == -EBUSY)
        capi_log(d, "%s cannot be reset: another process has a context of it", names.afu);
    else if (rc == -EACCES)
        capi_log(d, "no right to write %s; a reset needs root", path);
    return rc;
}

/* A kernel without the attribute cannot be told, which is no reason to give the card up. */
int capi_reload_same_image(struct hal_dev *dev, bool same)
{
    struct capi_dev *d = capi_dev_of(dev);
    struct capi_names names = capi_names(d);
    char path[CAPI_PATH_BYTES];
    int rc;

    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s/perst_reloads_same_image", names.card);
    rc = d->kernel->attribute_write(path, same ? "1" : "0", 1);
    if (rc != -ENOENT)
        return capi_errno(rc);
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s", names.card);
    return capi_is_directory(d->kernel, path) ? -ENOSYS : -ENODEV;
}

int capi_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    struct capi_dev *d = capi_dev_of(dev);
    char path[CAPI_PATH_BYTES + sizeof "/vpd"];
    ssize_t n;

    if (!d->pci[0])
        return -ENODEV;
    snprintf(path, sizeof path, "%s/vpd", d->pci);
    n = d->kernel->attribute_read(path, buf, size);
    if (n == -EACCES || n == -EPERM)
        capi_log(d, "no right to read %s; the port names are in it", path);
    if (n < 0)
        return capi_errno((int)n);
    *length = (size_t)n;
    return 0;
}
