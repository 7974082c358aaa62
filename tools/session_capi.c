/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/session_capi.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/capi/capi_backend.h"
#include "backends/capi/capi_kernel.h"
#include "backends/capi/capi_library.h"
#include "backends/sim/sim_standin.h"
#include "hal/cxl_standin.h"
#include "hal/support/bits.h"
#include "tools/session.h"

/* ---- which library ----------------------------------------------------------------------------
 */

/* Where the stand-in may be, from the folder of this program: installed, or built by Bazel. */
static const char *const places[] = {
    "../lib/superpipe/libcxl.so.1",
    "../sim/libcxl/libcxl.so.1",
    "superpipe.runfiles/superpipe/sim/libcxl/libcxl.so.1",
};

static int find_standin(char *path, size_t size, char *why, size_t why_size)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    if (strrchr(self, '/'))
        *strrchr(self, '/') = '\0';
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(places); i++)
        if ((size_t)snprintf(path, size, "%s/%s", self, places[i]) < size && !access(path, R_OK))
            return 0;
    snprintf(why, why_size,
             "the stand-in for libcxl is not beside this program (%s/%s): name it with --libcxl",
             self, places[0]);
    return -ENOENT;
}

static int load_standin(struct session *s, char *why, size_t size)
{
    char path[2 * PATH_MAX];
    int rc = find_standin(path, sizeof path, why, size);

    if (!rc)
        rc = capi_library_load(path, &s->library, why, size);
    if (!rc)
        fprintf(stderr, "This machine has no CAPI card: using the stand-in %s\n", path);
    return rc;
}

/* A card needs no library (CX-141). */
static int load_for_card(struct session *s, char *why, size_t size)
{
    int rc = capi_library_load(NULL, &s->library, why, size);

    if (rc != -ENXIO)
        return rc;
    fprintf(stderr, "%s: using the kernel's interface without a library\n", why);
    rc = capi_library_direct(&capi_kernel, &s->library);
    if (rc)
        snprintf(why, size, "the kernel's interface cannot be used (%s)", strerror(-rc));
    return rc;
}

static int load(struct session *s, char *why, size_t size)
{
    if (s->config.libcxl)
        return capi_library_load(s->config.libcxl, &s->library, why, size);
    if (capi_cards(&capi_kernel))
        return load_for_card(s, why, size);
    if (!s->config.require_card)
        return load_standin(s, why, size);
    snprintf(why, size,
             "this machine has no CAPI card, 'superpipe doctor' tells what is missing; without "
             "--require-card a simulated one is used");
    return -ENODEV;
}

int session_capi_choose(struct session *s, char *why, size_t size)
{
    int rc = load(s, why, size);

    if (rc)
        return rc;
    s->card = !capi_library_standin(s->library);
    if (s->card || !s->config.require_card)
        return 0;
    snprintf(why, size, "%s is the stand-in for libcxl, which is no card: leave --require-card out",
             s->library->path);
    return -ENODEV;
}

/* ---- devices ----------------------------------------------------------------------------------
 */

static int bind_world(struct session *s, char *why, size_t size)
{
    const struct cxl_standin *standin = capi_library_standin(s->library);
    struct cxl_standin_world world;
    int rc;

    sim_standin_world(s->host, &world);
    rc = standin->bind(&world);
    if (rc)
        snprintf(why, size, "%s takes no world of ours (%s)", s->library->path, strerror(-rc));
    else
        s->bound = true;
    return rc;
}

static void say(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "capi: %s\n", line);
}

static int open_device(struct session *s, unsigned adapter, char *why, size_t size)
{
    char afu[32];
    struct capi_config config = {.size = sizeof config,
                                 .exec = s->exec,
                                 .library = s->library,
                                 .afu = s->config.afu,
                                 .log = say};

    snprintf(afu, sizeof afu, "afu%u.0", adapter);
    if (!s->card)
        config.afu = afu;
    return capi_backend_open(&config, &s->device[adapter], why, size);
}

int session_capi_open(struct session *s, char *why, size_t size)
{
    int rc = s->card ? 0 : bind_world(s, why, size);

    for (unsigned i = 0; i < s->adapters; i++)
        s->device[i] = NULL;
    for (unsigned i = 0; !rc && i < s->adapters; i++)
        rc = open_device(s, i, why, size);
    return rc;
}

void session_capi_close(struct session *s)
{
    if (!s->library)
        return;
    for (unsigned i = 0; (s->card || s->bound) && i < s->adapters; i++)
        if (s->device[i])
            hal_close(s->device[i]);
    if (s->bound)
        capi_library_standin(s->library)->unbind();
    s->bound = false;
    capi_library_close(s->library);
    s->library = NULL;
}
