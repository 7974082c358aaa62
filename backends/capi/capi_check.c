/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before an AFU is opened; each check that fails has a sentence of its own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_driver.h"
#include "backends/capi/capi_errno.h"
#include "backends/capi/capi_internal.h"
#include "backends/capi/capi_name.h"
#include "hal/cxl_abi.h"

#define IRQS_NEEDED 3    /* sync error, RRQ, async error (CX-47) */
#define IRQS_MIN_LIMIT 4 /* CX-95 */

struct why {
    char *text;
    size_t size;
};

static int refuse(const struct why *why, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(const struct why *why, int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why->text, why->size, format, args);
    va_end(args);
    return rc;
}

/* ---- which one --------------------------------------------------------------------------------
 */

unsigned capi_cards(const struct cxl_kernel *kernel)
{
    char name[CAPI_NAME_BYTES];
    unsigned n = 0, card;

    for (unsigned i = 0; !kernel->list(CXL_SYSFS_CLASS, i, name, sizeof name); i++)
        n += capi_name_is_afu(name, &card);
    return n;
}

static int first_afu(const struct capi_dev *d, char *name, size_t size)
{
    unsigned card;
    int rc;

    for (unsigned i = 0; (rc = d->kernel->list(CXL_SYSFS_CLASS, i, name, size)) == 0; i++)
        if (capi_name_is_afu(name, &card))
            return 0;
    return rc;
}

void capi_function_of(const struct cxl_kernel *kernel, const char *card, char *out, size_t size)
{
    char path[CAPI_PATH_BYTES], target[CAPI_PATH_BYTES];
    const char *slash;
    ssize_t n;

    out[0] = '\0';
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s/device", card);
    n = kernel->link_read(path, target, sizeof target - 1);
    if (n <= 0)
        return;
    target[n] = '\0';
    slash = strrchr(target, '/');
    snprintf(out, size, "%s", slash ? slash + 1 : target);
}

/* Only a handle knows the directory, and the enumeration gives one without opening the node. */
static void find_pci(struct capi_dev *d)
{
    const struct capi_library *l = d->library;
    struct cxl_afu_h *afu = NULL;
    char *path = NULL;

    while ((afu = l->cxl_afu_next(afu)))
        if (strcmp(l->cxl_afu_dev_name(afu), d->names.afu) == 0)
            break;
    if (!afu)
        return;
    if (l->cxl_afu_sysfs_pci(afu, &path) == 0 && path) {
        snprintf(d->pci, sizeof d->pci, "%s", path);
        free(path);
    }
    l->cxl_afu_free(afu);
}

int capi_find(struct capi_dev *d, char *text, size_t size)
{
    const struct why why = {text, size};
    char path[CAPI_PATH_BYTES];
    unsigned number;

    if (d->config.afu)
        snprintf(d->names.afu, sizeof d->names.afu, "%s", d->config.afu);
    else if (first_afu(d, d->names.afu, sizeof d->names.afu))
        return refuse(&why, -ENODEV, "there is no CAPI accelerator: %s names none",
                      CXL_SYSFS_CLASS);
    if (!capi_name_is_afu(d->names.afu, &number))
        return refuse(&why, -EINVAL, "\"%s\" is not the name of an AFU, such as afu0.0",
                      d->names.afu);
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s", d->names.afu);
    if (!capi_is_directory(d->kernel, path))
        return refuse(&why, -ENODEV, "there is no %s in %s", d->names.afu, CXL_SYSFS_CLASS);
    snprintf(d->names.card, sizeof d->names.card, "card%u", number);
    return 0;
}

/* ---- attributes (CX-95) -----------------------------------------------------------------------
 */

static int unreadable(const struct capi_dev *d, const struct why *why, const char *view,
                      const char *name, int rc)
{
    if (rc == -EACCES || rc == -EPERM)
        return refuse(why, -EACCES, "no right to read the attribute %s of %s%s", name, d->names.afu,
                      view);
    return refuse(why, capi_errno(rc), "the attribute %s of %s%s cannot be read: %s", name,
                  d->names.afu, view, strerror(-rc));
}

static int number(const struct capi_dev *d, const struct why *why, const char *view,
                  const char *name, long *value)
{
    int rc = capi_attribute_number(d->kernel, value, "%s%s/%s", d->names.afu, view, name);

    return rc ? unreadable(d, why, view, name, rc) : 0;
}

static int check_level(const struct capi_dev *d, const struct why *why)
{
    long level = 0;
    int rc = number(d, why, "", "api_version_compatible", &level);

    if (!rc && level > CXL_API_VERSION)
        return refuse(why, -EPROTO,
                      "the cxl driver asks for level %ld of its interface; %d is what is known",
                      level, CXL_API_VERSION);
    return rc;
}

static int check_mode(const struct capi_dev *d, const struct why *why)
{
    char mode[64];
    int rc = capi_attribute_text(d->kernel, mode, sizeof mode, "%s/mode", d->names.afu);

    if (rc)
        return unreadable(d, why, "", "mode", rc);
    if (strcmp(mode, "afu_directed") != 0)
        return refuse(why, -EINVAL, "%s is in mode \"%s\"; it has to be in afu_directed",
                      d->names.afu, mode);
    return 0;
}

static int check_window(struct capi_dev *d, const struct why *why)
{
    long length = 0, offset = 0, size = 0;
    int rc = number(d, why, "m", "pp_mmio_len", &length);

    if (!rc)
        rc = number(d, why, "m", "pp_mmio_off", &offset);
    if (!rc)
        rc = number(d, why, "m", "mmio_size", &size);
    if (rc)
        return rc;
    if (length != (long)CXL_SLAVE_MAP_SIZE)
        return refuse(why, -EINVAL, "a context of %s has a window of %ld bytes, not of 65536",
                      d->names.afu, length);
    if (offset != 0)
        return refuse(why, -EINVAL, "the first window of %s is at %ld, not at 0", d->names.afu,
                      offset);
    if (size < (long)CXL_MASTER_MAP_MIN)
        return refuse(why, -EINVAL, "the registers of %s are 0x%lx bytes, 0x%lx are needed",
                      d->names.afu, (unsigned long)size, (unsigned long)CXL_MASTER_MAP_MIN);
    d->master_size = (uint64_t)size;
    return 0;
}

static int check_interrupts(struct capi_dev *d, const struct why *why)
{
    long min = 0, max = 0;
    int rc = number(d, why, "", "irqs_min", &min);

    if (!rc)
        rc = number(d, why, "", "irqs_max", &max);
    if (rc)
        return rc;
    if (min < 0 || min > IRQS_MIN_LIMIT)
        return refuse(why, -EINVAL, "%s takes %ld interrupts a context at least, more than %d",
                      d->names.afu, min, IRQS_MIN_LIMIT);
    if (max < IRQS_NEEDED)
        return refuse(why, -EINVAL, "%s gives a context %ld interrupts at most, %d are needed",
                      d->names.afu, max, IRQS_NEEDED);
    d->irqs_min = (unsigned)min;
    return 0;
}

static int check_image(const struct capi_dev *d, const struct why *why)
{
    char image[64];
    int rc = capi_attribute_text(d->kernel, image, sizeof image, "%s/image_loaded", d->names.card);

    if (rc)
        return refuse(why, rc == -EACCES ? -EACCES : capi_errno(rc),
                      "the attribute image_loaded of %s cannot be read: %s", d->names.card,
                      strerror(-rc));
    if (strcmp(image, "user") != 0)
        return refuse(why, -EINVAL, "%s runs its \"%s\" image; it has to run the user image",
                      d->names.card, image);
    return 0;
}

/* ---- the driver (CX-132) ----------------------------------------------------------------------
 */

static int check_driver(struct capi_dev *d, const struct why *why)
{
    char bound[CAPI_NAME_BYTES];

    find_pci(d);
    capi_function_of(d->kernel, d->names.card, d->function, sizeof d->function);
    if (d->pci[0] && capi_driver_find(d->kernel, d->pci, bound, sizeof bound))
        return refuse(
            why, -EBUSY,
            "the kernel's cxlflash driver has %s (%s) and is its master; unload or unbind "
            "it",
            d->names.afu, bound);
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

/* Opens the node once, so that it is known now whether that can be done. */
static int check_node(struct capi_dev *d, const struct why *why)
{
    enum hal_ctx_kind kind = d->config.users_only ? HAL_CTX_USER : HAL_CTX_MASTER;
    char view = d->config.users_only ? 's' : 'm';
    struct cxl_afu_h *afu;
    int rc = capi_node_open(d, kind, &afu);

    if (rc == -EACCES)
        return refuse(why, rc,
                      "no right to read and write %s/%s%c; become root, or a member of the group "
                      "that has it",
                      CXL_DEV_DIR, d->names.afu, view);
    if (rc == -ENOSPC)
        return refuse(why, rc, "all contexts of %s are in use", d->names.afu);
    if (rc)
        return refuse(why, rc, "%s/%s%c cannot be opened (error %d)", CXL_DEV_DIR, d->names.afu,
                      view, -rc);
    d->library->cxl_afu_free(afu);
    return 0;
}

int capi_check(struct capi_dev *d, char *text, size_t size)
{
    const struct why why = {text, size};
    long card = 0;
    int rc = check_level(d, &why);

    if (!rc)
        rc = check_mode(d, &why);
    if (!rc)
        rc = check_window(d, &why);
    if (!rc)
        rc = check_interrupts(d, &why);
    if (!rc)
        rc = check_image(d, &why);
    if (!rc)
        rc = check_driver(d, &why);
    if (!rc && !d->standin) /* which would note the context */
        rc = check_node(d, &why);
    if (!rc && capi_attribute_number(d->kernel, &card, "%s/cr0/device", d->names.afu) == 0)
        d->hal.card = (uint16_t)card;
    return rc;
}
