/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/attribute_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hal/support/bits.h"

/* Where sentences go. */
struct tree {
    struct spipe *s;
    unsigned adapter;
    const char *dir;
    char *why;
    size_t size;
};

uint64_t attribute_tree_lun_number(uint64_t lun_id)
{
    uint64_t number = 0;

    for (unsigned level = 0; level < 4; level++)
        number |= (lun_id >> (48 - 16 * level) & 0xFFFF) << (16 * level);
    return number;
}

static int failed(struct tree *t, const char *path)
{
    int rc = -errno;

    snprintf(t->why, t->size, "%s: %s", path, strerror(-rc));
    return rc;
}

/* Makes a directory and those above it. */
static int make_directories(struct tree *t, const char *path)
{
    char part[PATH_MAX];
    size_t n = 0;

    do {
        n += strcspn(path + n + 1, "/") + 1;
        snprintf(part, sizeof part, "%.*s", (int)n, path);
        if (mkdir(part, 0777) && errno != EEXIST)
            return failed(t, part);
    } while (path[n]);
    return 0;
}

static int write_file(struct tree *t, const char *path, const char *text)
{
    FILE *f;
    bool bad;

    if (remove(path) && errno != ENOENT)
        return failed(t, path);
    f = fopen(path, "w");
    if (!f)
        return failed(t, path);
    bad = fputs(text, f) == EOF;
    bad = fclose(f) || bad;
    return bad ? failed(t, path) : 0;
}

/* Only what can be written there may be written here. */
static int write_attribute(struct tree *t, const struct spipe_attribute *a, unsigned lun,
                           const char *dir)
{
    char path[PATH_MAX], text[SPIPE_ATTRIBUTE_BYTES + 1];
    int rc;

    if (spipe_attribute_read(t->s, a->name, lun, text))
        return 0;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, a->name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return failed(t, t->dir);
    }
    rc = write_file(t, path, text);
    if (!rc && chmod(path, a->writable ? 0644 : 0444))
        rc = failed(t, path);
    return rc;
}

/* All of one thing, in a directory of its own. */
static int write_all(struct tree *t, bool of_lun, unsigned lun, const char *dir)
{
    struct spipe_attribute a;
    int rc = make_directories(t, dir);

    for (unsigned i = 0; !rc && !spipe_attribute_at(i, &a); i++)
        if (a.of_lun == of_lun)
            rc = write_attribute(t, &a, lun, dir);
    return rc;
}

static int write_lun(struct tree *t, unsigned lun, const struct spipe_lun_info *info)
{
    char dir[PATH_MAX];
    int rc = 0;

    for (unsigned port = 0; port < HAL_ARRAY_LENGTH(info->lun_id) && !rc; port++) {
        if (!(info->found_ports & HAL_BIT(port)))
            continue;
        snprintf(dir, sizeof dir, "%s/class/scsi_device/%u:%u:0:%" PRIu64 "/device", t->dir,
                 t->adapter, port, attribute_tree_lun_number(info->lun_id[port]));
        rc = write_all(t, true, lun, dir);
    }
    return rc;
}

int attribute_tree_write(struct spipe *s, unsigned adapter, const char *dir, char *why, size_t size)
{
    struct tree t = {s, adapter, dir, why, size};
    struct spipe_lun_info info;
    char host[PATH_MAX];
    int rc;

    if (!*dir || strlen(dir) > PATH_MAX / 2) {
        errno = *dir ? ENAMETOOLONG : ENOENT;
        return failed(&t, dir);
    }
    snprintf(host, sizeof host, "%s/class/scsi_host/host%u", dir, adapter);
    rc = write_all(&t, false, 0, host);
    for (unsigned i = 0; !rc && !spipe_lun_info(s, i, &info); i++)
        rc = write_lun(&t, i, &info);
    return rc;
}
