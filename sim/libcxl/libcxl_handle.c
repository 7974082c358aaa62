/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: opening and adopting devices, what is known of them, their end (CX section 3). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/libcxl/libcxl.h"

int libcxl_fail(int error)
{
    errno = error;
    return -1;
}

int libcxl_result(int rc) { return rc < 0 ? libcxl_fail(-rc) : rc; }

void libcxl_dereference(const void *handle)
{
    if (handle)
        return;
    raise(SIGSEGV);
    abort(); /* nobody could go on */
}

struct cxl_afu_h *libcxl_afu_new(void)
{
    struct cxl_afu_h *afu = calloc(1, sizeof *afu);

    if (!afu)
        return NULL;
    afu->fd = -1;
    afu->element = -1;
    return afu;
}

static struct cxl_afu_h *fail_null(int error)
{
    errno = error;
    return NULL;
}

static void set_name(struct cxl_afu_h *afu, const char *name)
{
    snprintf(afu->name, sizeof afu->name, "%s", name);
    snprintf(afu->path, sizeof afu->path, CXL_SYSFS_CLASS "/%s", afu->name);
}

/* ---- what a descriptor is of -------------------------------------------------------------------
 */

/* Before GET_AFU_ID there was only the number of the device (CX-22). */
static bool name_by_number(int fd, char name[LIBCXL_NAME])
{
    struct standin *s = standin_enter();
    const struct standin_file *f;

    if (!s)
        return false;
    standin_lock(s);
    f = standin_file(s, fd);
    if (f)
        snprintf(name, LIBCXL_NAME, "afu%u.0%c", f->card->number,
                 f->view == CXL_VIEW_SLAVE    ? 's'
                 : f->view == CXL_VIEW_MASTER ? 'm'
                                              : 'd');
    standin_unlock(s);
    return f != NULL;
}

static bool name_of(int fd, char name[LIBCXL_NAME])
{
    struct cxl_afu_id id;
    int rc = standin_kernel.ioctl(fd, CXL_IOCTL_GET_AFU_ID, &id);

    if (rc == -EINVAL)
        return name_by_number(fd, name);
    if (rc)
        return false;
    snprintf(name, LIBCXL_NAME, "afu%u.%u%c", id.card_id, id.afu_offset,
             id.afu_mode == CXL_MODE_DEDICATED ? 'd'
             : id.flags & CXL_AFU_ID_SLAVE     ? 's'
                                               : 'm');
    return true;
}

/* CX-19: the original frees the name twice on this path, and the C library ends the process. */
static int incompatible(int error)
{
    if (standin_self()->double_free) {
        fputs("free(): double free of a device name (CX-19)\n", stderr);
        abort();
    }
    return error;
}

/* 0, or the errno that a handle for an open descriptor fails with. */
static int check_device(struct cxl_afu_h *afu)
{
    long compatible = 0;

    if (standin_kernel.attribute_read(afu->path, NULL, 0) != -EISDIR)
        return ENODEV;
    if (cxl_get_api_version_compatible(afu, &compatible))
        return incompatible(errno);
    return compatible > CXL_API_VERSION ? incompatible(EPROTO) : 0;
}

struct cxl_afu_h *cxl_afu_fd_to_h(int fd)
{
    struct cxl_afu_h *afu;
    char name[LIBCXL_NAME];
    int error;

    if (!name_of(fd, name))
        return fail_null(ENODEV);
    afu = libcxl_afu_new();
    if (!afu)
        return NULL;
    set_name(afu, name);
    error = check_device(afu);
    if (error) {
        free(afu);
        return fail_null(error);
    }
    afu->fd = fd;
    return afu;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

/* Something else than a device of ours: there, or not. */
static int error_of_other(const char *path)
{
    static const char directory[] = CXL_DEV_DIR "/";

    if (!strncmp(path, directory, sizeof directory - 1))
        return 0;
    return access(path, R_OK | W_OK) ? errno : ENODEV;
}

struct cxl_afu_h *cxl_afu_open_dev(char *path)
{
    struct cxl_afu_h *afu;
    int error = error_of_other(path), fd;

    if (error)
        return fail_null(error);
    fd = standin_kernel.open(path);
    if (fd < 0)
        return fail_null(-fd);
    afu = cxl_afu_fd_to_h(fd);
    if (!afu) {
        error = errno;
        (void)standin_kernel.close(fd);
        errno = error;
    }
    return afu;
}

/* The device of a view: the name with its letter replaced, or with one more (CX-20). */
static bool name_of_view(const char *name, enum cxl_views view, char out[LIBCXL_NAME])
{
    static const char letters[] = {'d', 'm', 's'};
    size_t n = strlen(name);

    if ((unsigned)view > CXL_VIEW_SLAVE || n == 0 || n + 2 > LIBCXL_NAME)
        return false;
    memcpy(out, name, n + 1);
    if (strchr("dms", out[n - 1]))
        n--;
    out[n] = letters[view];
    out[n + 1] = '\0';
    return true;
}

struct cxl_afu_h *cxl_afu_open_h(struct cxl_afu_h *afu, enum cxl_views view)
{
    char name[LIBCXL_NAME], path[LIBCXL_PATH], number[LIBCXL_NAME];

    if (!afu || !name_of_view(afu->name, view, name))
        return fail_null(EINVAL);
    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%s/dev", name);
    if (standin_kernel.attribute_read(path, number, sizeof number) < 0)
        return fail_null(ENODEV);
    snprintf(path, sizeof path, CXL_DEV_DIR "/%s", name);
    return cxl_afu_open_dev(path);
}

void cxl_afu_free(struct cxl_afu_h *afu)
{
    if (!afu)
        return;
    if (afu->map)
        (void)cxl_mmio_unmap(afu);
    if (afu->fd >= 0)
        (void)standin_kernel.close(afu->fd);
    free(afu->buffer);
    free(afu);
}

/* ---- what is known of a handle -----------------------------------------------------------------
 */

char *cxl_afu_dev_name(struct cxl_afu_h *afu) { return afu->name; }

int cxl_afu_fd(struct cxl_afu_h *afu) { return afu ? afu->fd : libcxl_fail(EINVAL); }

int cxl_afu_opened(struct cxl_afu_h *afu)
{
    if (!afu)
        return libcxl_fail(EINVAL);
    return afu->fd >= 0;
}

/* CX-93: the first directory above that belongs to PCI. */
int cxl_afu_sysfs_pci(struct cxl_afu_h *afu, char **path)
{
    static const char pci[] = "/sys/bus/pci";
    char at[LIBCXL_PATH], name[LIBCXL_PATH + 16], target[LIBCXL_PATH];
    ssize_t n;

    if (!afu || !path)
        return libcxl_fail(EINVAL);
    snprintf(at, sizeof at, "%s", afu->path);
    for (;;) {
        snprintf(name, sizeof name, "%s/subsystem", at);
        n = standin_kernel.link_read(name, target, sizeof target);
        if (n == sizeof pci - 1 && !memcmp(target, pci, sizeof pci - 1))
            break;
        snprintf(name, sizeof name, "%s/device", at);
        n = standin_kernel.link_read(name, at, sizeof at - 1);
        if (n < 0)
            return libcxl_fail(ENODEV);
        at[n] = '\0';
    }
    *path = strdup(at);
    return *path ? 0 : -1;
}
