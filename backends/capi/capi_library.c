/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_direct.h"
#include "hal/cxl_standin.h"
#include "hal/support/bits.h"

/* Where a symbol goes. Function pointers are as wide as data pointers wherever dlsym() works. */
struct symbol {
    const char *name;
    size_t offset;
};

static const struct symbol symbols[] = {
#define CXL_SYMBOL(node, result, name, arguments) {#name, offsetof(struct capi_library, name)},
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL
};

/* What capi_*.c calls. */
static const char *const needed[] = {
    "cxl_afu_next",
    "cxl_afu_dev_name",
    "cxl_afu_open_dev",
    "cxl_afu_free",
    "cxl_afu_fd",
    "cxl_afu_attach_work",
    "cxl_afu_get_process_element",
    "cxl_afu_sysfs_pci",
    "cxl_work_alloc",
    "cxl_work_free",
    "cxl_work_set_num_irqs",
    "cxl_work_set_wed",
    "cxl_event_pending",
    "cxl_read_event",
    "cxl_mmio_map",
    "cxl_mmio_unmap",
    "cxl_mmio_ptr",
    "cxl_mmio_read64",
    "cxl_mmio_write64",
    "cxl_mmio_install_sigbus_handler",
};

typedef void *lookup_fn(void *arg, const char *name);

/* CX-4: which of the two libraries of one name it is, or neither. */
static int identify(lookup_fn *lookup, void *arg, const char *path, char *why, size_t size)
{
    if (lookup(arg, "cxl_afu_open_dev") && lookup(arg, "cxl_mmio_map"))
        return 0;
    if (lookup(arg, "cxl_new") || lookup(arg, "cxl_memdev_get_first"))
        snprintf(why, size,
                 "%s is the Compute Express Link library of ndctl, not IBM's libcxl for CAPI; "
                 "name the path of IBM's",
                 path);
    else
        snprintf(why, size, "%s is an unknown library: it has no functions of IBM's libcxl", path);
    return -ENXIO;
}

/* CX-5: by the newest symbol that is there. */
static const char *version_of(const struct capi_library *l)
{
    if (!l->cxl_afu_attach_work)
        return NULL;
    if (l->cxl_get_tunneled_ops_supported)
        return "1.7";
    if (l->cxl_work_enable_wait)
        return "1.6";
    return l->cxl_get_psl_timebase_synced ? "1.4" : "1.2";
}

static void fill(struct capi_library *l, lookup_fn *lookup, void *arg)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(symbols); i++) {
        void *address = lookup(arg, symbols[i].name);

        memcpy((char *)l + symbols[i].offset, &address, sizeof address);
    }
}

static int check_needed(lookup_fn *lookup, void *arg, const char *path, char *why, size_t size)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(needed); i++)
        if (!lookup(arg, needed[i])) {
            snprintf(why, size, "%s has no %s(), which the back end needs", path, needed[i]);
            return -ENXIO;
        }
    return 0;
}

static const struct cxl_standin *ask_standin(void *address)
{
    const struct cxl_standin *(*ask)(void);
    const struct cxl_standin *s = NULL;

    if (address) {
        memcpy(&ask, &address, sizeof ask);
        s = ask();
    }
    return s && s->version == CXL_STANDIN_VERSION ? s : NULL;
}

/* Everything but where the library comes from. */
static int build(lookup_fn *lookup, void *arg, const char *path, struct capi_library **out,
                 char *why, size_t size)
{
    struct capi_library *l;
    int rc = identify(lookup, arg, path, why, size);

    if (rc)
        return rc;
    l = calloc(1, sizeof *l);
    if (!l) {
        snprintf(why, size, "not enough memory for the table of %s", path);
        return -ENOMEM;
    }
    fill(l, lookup, arg);
    snprintf(l->path, sizeof l->path, "%s", path);
    l->version = version_of(l);
    if (!l->version) {
        snprintf(why, size, "%s is older than libcxl 1.2, which is the oldest that will do", path);
        rc = -ENXIO;
    } else {
        rc = check_needed(lookup, arg, path, why, size);
    }
    if (rc) {
        free(l);
        return rc;
    }
    l->standin = ask_standin(lookup(arg, CXL_STANDIN_SYMBOL));
    *out = l;
    return 0;
}

static void *lookup_object(void *object, const char *name) { return dlsym(object, name); }

/* The file that the loader chose, which a soname does not tell. */
static void note_path(struct capi_library *l)
{
    void *address;
    Dl_info info;

    memcpy(&address, &l->cxl_afu_open_dev, sizeof address);
    if (dladdr(address, &info) && info.dli_fname)
        snprintf(l->path, sizeof l->path, "%s", info.dli_fname);
}

int capi_library_load(const char *path, struct capi_library **out, char *why, size_t size)
{
    const char *name = path ? path : CAPI_LIBRARY_DEFAULT;
    void *object = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    int rc;

    if (!object) {
        const char *reason = dlerror();

        snprintf(why, size, "IBM's libcxl cannot be loaded: %s", reason ? reason : name);
        return -ENXIO;
    }
    rc = build(lookup_object, object, name, out, why, size);
    if (rc) {
        dlclose(object);
        return rc;
    }
    (*out)->object = object;
    note_path(*out);
    return 0;
}

int capi_library_resolve(void *(*lookup)(void *arg, const char *name), void *arg,
                         struct capi_library **out, char *why, size_t size)
{
    return build(lookup, arg, "the program", out, why, size);
}

int capi_library_direct(const struct cxl_kernel *kernel, struct capi_library **out)
{
    struct capi_library *l = calloc(1, sizeof *l);
    int rc = l ? capi_direct_use(kernel) : -ENOMEM;

    if (rc) {
        free(l);
        return rc;
    }
    capi_direct_fill(l);
    l->direct = true;
    l->version = "1.2"; /* that is what it can do */
    snprintf(l->path, sizeof l->path, "the kernel's interface, without a library");
    *out = l;
    return 0;
}

void capi_library_close(struct capi_library *library)
{
    if (!library)
        return;
    if (library->direct)
        capi_direct_unuse();
    if (library->object)
        dlclose(library->object);
    free(library);
}

const struct cxl_standin *capi_library_standin(const struct capi_library *library)
{
    return library->standin;
}
