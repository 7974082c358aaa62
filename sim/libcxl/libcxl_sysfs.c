/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of AFUs and cards (CX-90, CX-91), and the error buffer (CX-92). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "sim/libcxl/libcxl.h"

#define TEXT 128 /* bytes: no attribute is longer */

/* ---- finding -----------------------------------------------------------------------------------
 */

int libcxl_find(const char *directory, const char *attribute, char path[LIBCXL_PATH])
{
    char at[LIBCXL_PATH];
    int n = snprintf(at, sizeof at, "%s", directory);

    while (n > 0 && (size_t)n < sizeof at &&
           standin_kernel.attribute_read(at, NULL, 0) == -EISDIR) {
        char byte;
        ssize_t there;

        if ((size_t)snprintf(path, LIBCXL_PATH, "%s/%s", at, attribute) >= LIBCXL_PATH)
            break;
        there = standin_kernel.attribute_read(path, &byte, 1);
        if (there != -ENOENT)
            return 0;
        n += snprintf(at + n, sizeof at - (size_t)n, "/device");
    }
    return libcxl_fail(ENODEV);
}

/* The text of an attribute, without its end of line. */
static int read_text(const char *directory, const char *attribute, char text[TEXT])
{
    char path[LIBCXL_PATH];
    ssize_t n;

    if (libcxl_find(directory, attribute, path))
        return -1;
    n = standin_kernel.attribute_read(path, text, TEXT - 1);
    if (n < 0)
        return libcxl_fail((int)-n);
    while (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    return 0;
}

static int write_text(const char *directory, const char *attribute, const char *text)
{
    char path[LIBCXL_PATH];

    if (libcxl_find(directory, attribute, path))
        return -1;
    return libcxl_result(standin_kernel.attribute_write(path, text, strlen(text)));
}

/* What does not parse fails without an errno (CX-90). */
static int parse(const char *text, long *value)
{
    int before = errno;
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 0);
    if (errno || end == text || *end) {
        errno = before;
        return -1;
    }
    *value = n;
    return 0;
}

static int read_number(const char *directory, const char *attribute, long *value)
{
    char text[TEXT];

    if (!directory || !*directory || !value)
        return libcxl_fail(EINVAL);
    return read_text(directory, attribute, text) ? -1 : parse(text, value);
}

static const char *afu_path(const struct cxl_afu_h *afu) { return afu ? afu->path : NULL; }

static const char *card_path(const struct cxl_adapter_h *card) { return card ? card->path : NULL; }

/* Which of the names a text is; -1: none. */
static int choice(const char *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(text, names[i]))
            return i;
    return -1;
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

#define AFU_NUMBER(name)                                                                           \
    int cxl_get_##name(struct cxl_afu_h *afu, long *value)                                         \
    {                                                                                              \
        return read_number(afu_path(afu), #name, value);                                           \
    }

#define CARD_NUMBER(name)                                                                          \
    int cxl_get_##name(struct cxl_adapter_h *adapter, long *value)                                 \
    {                                                                                              \
        return read_number(card_path(adapter), #name, value);                                      \
    }

#define RECORD_NUMBER(name)                                                                        \
    int cxl_get_cr_##name(struct cxl_afu_h *afu, long record, long *value)                         \
    {                                                                                              \
        char attribute[40];                                                                        \
                                                                                                   \
        snprintf(attribute, sizeof attribute, "cr%ld/" #name, record);                             \
        return read_number(afu_path(afu), attribute, value);                                       \
    }

AFU_NUMBER(api_version)
AFU_NUMBER(api_version_compatible)
AFU_NUMBER(irqs_max)
AFU_NUMBER(irqs_min)
AFU_NUMBER(mmio_size)
AFU_NUMBER(pp_mmio_len)
AFU_NUMBER(pp_mmio_off)
CARD_NUMBER(base_image)
CARD_NUMBER(psl_revision)
CARD_NUMBER(psl_timebase_synced)
CARD_NUMBER(tunneled_ops_supported)
RECORD_NUMBER(class)
RECORD_NUMBER(device)
RECORD_NUMBER(vendor)

int cxl_set_irqs_max(struct cxl_afu_h *afu, long value)
{
    char text[24];

    if (!afu || !*afu->path)
        return libcxl_fail(EINVAL);
    snprintf(text, sizeof text, "%ld", value);
    return write_text(afu->path, "irqs_max", text);
}

/* ---- words -------------------------------------------------------------------------------------
 */

static const char *const modes[] = {"dedicated_process", "afu_directed", "time_sliced"};
static const char *const prefaults[] = {"none", "work_element_descriptor", "all"};
static const char *const images[] = {"factory", "user"};

/* Modes are bits in the order of their names; "none" is no bit. */
static int mode_of(const char *text, long *mode)
{
    int i = choice(text, modes, 3);

    if (i < 0 && strcmp(text, "none"))
        return -1;
    *mode = i < 0 ? 0 : 1L << i;
    return 0;
}

int cxl_get_mode(struct cxl_afu_h *afu, long *value)
{
    char text[TEXT];

    if (!afu || !*afu->path || !value)
        return libcxl_fail(EINVAL);
    return read_text(afu->path, "mode", text) ? -1 : mode_of(text, value);
}

int cxl_get_modes_supported(struct cxl_afu_h *afu, long *value)
{
    char text[TEXT], *rest = text, *line;
    long all = 0, mode;

    if (!afu || !*afu->path || !value)
        return libcxl_fail(EINVAL);
    if (read_text(afu->path, "modes_supported", text))
        return -1;
    while ((line = strsep(&rest, "\n"))) {
        if (mode_of(line, &mode))
            return -1;
        all |= mode;
    }
    *value = all;
    return 0;
}

int cxl_set_mode(struct cxl_afu_h *afu, long value)
{
    if (!afu || !*afu->path || (value != CXL_MODE_DEDICATED && value != CXL_MODE_DIRECTED))
        return libcxl_fail(EINVAL);
    return write_text(afu->path, "mode", modes[value == CXL_MODE_DIRECTED]);
}

int cxl_get_prefault_mode(struct cxl_afu_h *afu, enum cxl_prefault_mode *value)
{
    char text[TEXT];
    int i;

    if (!afu || !*afu->path || !value)
        return libcxl_fail(EINVAL);
    if (read_text(afu->path, "prefault_mode", text))
        return -1;
    i = choice(text, prefaults, 3);
    if (i < 0)
        return -1;
    *value = (enum cxl_prefault_mode)i;
    return 0;
}

int cxl_set_prefault_mode(struct cxl_afu_h *afu, enum cxl_prefault_mode value)
{
    if (!afu || !*afu->path || (unsigned)value > CXL_PREFAULT_ALL)
        return libcxl_fail(EINVAL);
    return write_text(afu->path, "prefault_mode", prefaults[value]);
}

int cxl_get_image_loaded(struct cxl_adapter_h *adapter, enum cxl_image *value)
{
    char text[TEXT];
    int i;

    if (!adapter || !value)
        return libcxl_fail(EINVAL);
    if (read_text(adapter->path, "image_loaded", text))
        return -1;
    i = choice(text, images, 2);
    if (i < 0)
        return -1;
    *value = (enum cxl_image)i;
    return 0;
}

int cxl_get_caia_version(struct cxl_adapter_h *adapter, long *major, long *minor)
{
    char text[TEXT], *dot;
    long a, b;

    if (!adapter || !major || !minor)
        return libcxl_fail(EINVAL);
    if (read_text(adapter->path, "caia_version", text))
        return -1;
    dot = strchr(text, '.');
    if (!dot)
        return -1;
    *dot = '\0';
    if (parse(text, &a) || parse(dot + 1, &b))
        return -1;
    *major = a;
    *minor = b;
    return 0;
}

/* ---- error buffer: handles are not looked at ---------------------------------------------------
 */

/* The whole buffer; its size, or -1 with errno. */
static ssize_t read_buffer(const struct cxl_afu_h *afu, uint8_t *buffer)
{
    char path[LIBCXL_PATH];
    ssize_t n;

    libcxl_dereference(afu);
    if (libcxl_find(afu->path, "afu_err_buff", path))
        return -1;
    n = standin_kernel.attribute_read(path, buffer, STANDIN_ERROR_BUFFER);
    return n < 0 ? libcxl_fail((int)-n) : n;
}

int cxl_errinfo_size(struct cxl_afu_h *afu, size_t *size)
{
    uint8_t buffer[STANDIN_ERROR_BUFFER];
    ssize_t n = read_buffer(afu, buffer);

    if (n < 0)
        return -1;
    *size = (size_t)n;
    return 0;
}

ssize_t cxl_errinfo_read(struct cxl_afu_h *afu, void *to, off_t offset, size_t size)
{
    uint8_t buffer[STANDIN_ERROR_BUFFER];
    ssize_t n = read_buffer(afu, buffer);
    size_t left;

    if (n < 0)
        return -1;
    if (offset < 0)
        return libcxl_fail(EINVAL);
    left = offset < n ? (size_t)(n - offset) : 0;
    size = size < left ? size : left;
    if (size > 0)
        memcpy(to, buffer + offset, size);
    return (ssize_t)size;
}
