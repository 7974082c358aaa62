/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/session_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/posix/posix_record_file.h"
#include "tools/session.h"
#include "tools/text.h"

/* ---- the file ---------------------------------------------------------------------------------
 */

/* Several adapters that are not peers would each write to it as if it were alone. */
static int check(const struct session *s, const char *path, char *why, size_t size)
{
    if (s->adapters > 1)
        snprintf(why, size,
                 "'%s' can have the names of one adapter, not of %u: run them one by one", path,
                 s->adapters);
    else if (session_file_kind(s, path))
        snprintf(why, size, "'%s' is %s: name another file for the names", path,
                 session_file_kind(s, path));
    else
        return 0;
    return -EINVAL;
}

static int ignore(void *arg, const void *record, size_t length)
{
    (void)arg;
    (void)record;
    (void)length;
    return 0;
}

/* Core would refuse the same, but cannot say which file it is. */
static int look(struct session *s, char *why, size_t size)
{
    int rc = hal_record_load(&s->names->log.store, ignore, NULL);

    if (rc == -EILSEQ)
        snprintf(why, size, "'%s' is damaged, or no file of names", s->names_path);
    else if (rc == -ENOTSUP)
        snprintf(why, size, "'%s' was written by a newer version of this software", s->names_path);
    else if (rc == -EINVAL)
        snprintf(why, size, "'%s' does not have the size any more that it was made with",
                 s->names_path);
    else if (rc)
        snprintf(why, size, "'%s' cannot be read (%s)", s->names_path, strerror(-rc));
    return rc;
}

int session_names_open(struct session *s, char *why, size_t size)
{
    const char *path = s->config.names;
    int rc;

    if (!path && s->card)
        path = POSIX_RECORD_FILE_PATH;
    if (!path)
        return 0;
    rc = check(s, path, why, size);
    if (rc)
        return rc;
    s->names = calloc(1, sizeof *s->names);
    if (!s->names)
        return -ENOMEM;
    rc = posix_record_file_open(s->names, path, 0, why, size);
    if (rc) {
        free(s->names);
        s->names = NULL;
        if (!s->config.names)
            text_append(why, size,
                        ", which knows what blocks have names: run with more rights, or give "
                        "--names FILE if no LUN has a name here");
        return rc;
    }
    s->names_path = path;
    return look(s, why, size);
}

void session_names_close(struct session *s)
{
    if (s->names)
        posix_record_file_close(s->names);
    free(s->names);
    s->names = NULL;
    s->names_path = NULL;
}

/* ---- beside media -----------------------------------------------------------------------------
 */

static int see(void *arg, const void *record, size_t length)
{
    (void)record;
    (void)length;
    *(bool *)arg = true;
    return 0;
}

/* New media have none; looking would take time there. */
static int check_media(struct session *s, struct hal_record_store *store, char *why, size_t size)
{
    const char *media = s->config.path[0];
    bool any = false;
    int rc;

    if (s->card || !media)
        return 0;
    if (!store)
        return -ENOMEM;
    rc = hal_record_load(store, see, &any);
    if (rc)
        snprintf(why, size, "the names in media file '%s' cannot be read (%s)", media,
                 strerror(-rc));
    if (rc || !any)
        return rc;
    snprintf(why, size,
             "media file '%s' has names of its own, which are not in '%s': leave --names out",
             media, s->names_path);
    return -EINVAL;
}

int session_names_store(struct session *s, unsigned adapter, struct hal_record_store **out,
                        char *why, size_t size)
{
    struct hal_record_store *media = s->host ? sim_host_store(s->host, adapter) : NULL;

    *out = s->names ? &s->names->log.store : media;
    return s->names ? check_media(s, media, why, size) : 0;
}

/* ---- in sentences -----------------------------------------------------------------------------
 */

const char *session_names_where(const struct session *s)
{
    if (s->names_path)
        return s->names_path;
    return s->config.path[0] ? s->config.path[0] : "memory";
}

static void append(char *buf, const char *option, const char *value)
{
    if (!value)
        return;
    text_append(buf, SESSION_REPEAT_BYTES, " --%s", option);
    text_append_word(buf, SESSION_REPEAT_BYTES, value);
}

const char *session_repeat(const struct session *s, char buf[SESSION_REPEAT_BYTES])
{
    *buf = '\0';
    append(buf, "backend", s->config.backend == SESSION_CAPI ? "capi" : NULL);
    append(buf, "libcxl", s->config.libcxl);
    append(buf, "afu", s->config.afu);
    append(buf, "media", s->config.path[0]);
    append(buf, "names", s->config.names);
    return buf;
}
