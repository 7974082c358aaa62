/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/libcxl/standin_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME 32 /* bytes, of one component */
#define BRIDGE_DOMAIN 0x8000u

static bool exists(struct standin *s, const struct standin_object *o)
{
    switch (o->kind) {
    case STANDIN_CLASS:
    case STANDIN_DEV:
        return !s->no_class;
    case STANDIN_MASTER:
        return standin_node_there(&(struct standin_node){o->card, 'm'});
    case STANDIN_SLAVE:
        return standin_node_there(&(struct standin_node){o->card, 's'});
    case STANDIN_DEDICATED:
        return standin_node_there(&(struct standin_node){o->card, 'd'});
    case STANDIN_PCI:
        return !o->card->gone;
    default:
        return o->card->probed;
    }
}

static struct standin_card *card_named(struct standin *s, const char *name, const char *format)
{
    for (unsigned i = 0; i < s->world.adapters; i++) {
        char wanted[NAME];

        snprintf(wanted, sizeof wanted, format, i);
        if (!strcmp(wanted, name))
            return &s->card[i];
    }
    return NULL;
}

static enum standin_kind kind_of_letter(char letter)
{
    switch (letter) {
    case 'm':
        return STANDIN_MASTER;
    case 's':
        return STANDIN_SLAVE;
    case 'd':
        return STANDIN_DEDICATED;
    default:
        return STANDIN_AFU;
    }
}

/* A name in the class. */
static bool enter_class(struct standin *s, const char *name, struct standin_object *o)
{
    struct standin_node node;

    o->kind = STANDIN_CARD;
    o->card = card_named(s, name, "card%u");
    if (o->card)
        return true;
    if (!standin_node_parse(s, name, &node))
        return false;
    o->kind = kind_of_letter(node.letter);
    o->card = node.card;
    return true;
}

/* Where the `device` link of a directory leads. */
static bool enter_parent(struct standin_object *o)
{
    switch (o->kind) {
    case STANDIN_MASTER:
    case STANDIN_SLAVE:
    case STANDIN_DEDICATED:
        o->kind = STANDIN_AFU;
        return true;
    case STANDIN_AFU:
        o->kind = STANDIN_CARD;
        return true;
    case STANDIN_CARD:
        o->kind = STANDIN_PCI;
        return true;
    default:
        return false;
    }
}

static void bridge_name(const struct standin_card *card, char *name)
{
    snprintf(name, NAME, "pci%04x:00", BRIDGE_DOMAIN + card->number);
}

static void flash_name(const struct standin_card *card, char *name)
{
    snprintf(name, NAME, "%04x:00:00.0", BRIDGE_DOMAIN + card->number);
}

/* One component deeper; false: it is no directory. */
static bool enter(struct standin *s, const char *name, struct standin_object *o)
{
    char child[NAME];

    if (o->kind == STANDIN_CLASS)
        return enter_class(s, name, o);
    if (!strcmp(name, "device") && enter_parent(o))
        return true;
    if (o->kind == STANDIN_AFU && !strcmp(name, "cr0")) {
        o->kind = STANDIN_RECORD;
        return true;
    }
    if (o->kind == STANDIN_PCI) {
        bridge_name(o->card, child);
        o->kind = STANDIN_BRIDGE;
    } else if (o->kind == STANDIN_BRIDGE) {
        flash_name(o->card, child);
        o->kind = STANDIN_FLASH;
    } else {
        return false;
    }
    return !strcmp(child, name);
}

static bool begins(const char **path, const char *with)
{
    size_t n = strlen(with);

    if (strncmp(*path, with, n) || ((*path)[n] && (*path)[n] != '/'))
        return false;
    *path += n;
    return true;
}

static void pci_path(const struct standin_card *card, char *path, size_t size)
{
    snprintf(path, size, "/sys/devices/pci%04x:00/%04x:00:00.0", card->number, card->number);
}

static bool start(struct standin *s, const char **path, struct standin_object *o)
{
    o->card = NULL;
    o->kind = STANDIN_CLASS;
    if (begins(path, CXL_SYSFS_CLASS))
        return true;
    o->kind = STANDIN_DEV;
    if (begins(path, CXL_DEV_DIR))
        return true;
    o->kind = STANDIN_PCI;
    for (unsigned i = 0; i < s->world.adapters; i++) {
        char pci[64];

        o->card = &s->card[i];
        pci_path(o->card, pci, sizeof pci);
        if (begins(path, pci))
            return true;
    }
    return false;
}

bool standin_resolve(struct standin *s, const char *path, struct standin_object *out,
                     const char **rest)
{
    if (!start(s, &path, out) || !exists(s, out))
        return false;
    for (;;) {
        struct standin_object next = *out;
        char name[NAME];
        size_t n;

        while (*path == '/')
            path++;
        n = strcspn(path, "/");
        *rest = path;
        if (n == 0 || n >= sizeof name)
            return true;
        memcpy(name, path, n);
        name[n] = '\0';
        if (!enter(s, name, &next))
            return true;
        if (!exists(s, &next))
            return false;
        *out = next;
        path += n;
    }
}

/* ---- links ------------------------------------------------------------------------------------
 */

static int link_target(const struct standin_object *o, const char *name, char *target, size_t size)
{
    struct standin_object parent = *o;

    if (!strcmp(name, "driver") && o->kind == STANDIN_FLASH && o->card->driver_bound)
        return snprintf(target, size, "/sys/bus/pci/drivers/cxlflash");
    if (!strcmp(name, "driver") && o->kind == STANDIN_PCI && o->card->probed)
        return snprintf(target, size, "/sys/bus/pci/drivers/cxl-pci");
    if (!strcmp(name, "subsystem")) {
        bool pci = o->kind == STANDIN_PCI || o->kind == STANDIN_FLASH;

        return snprintf(target, size, pci ? "/sys/bus/pci" : CXL_SYSFS_CLASS);
    }
    if (strcmp(name, "device") || !enter_parent(&parent))
        return -ENOENT;
    if (parent.kind == STANDIN_AFU)
        return snprintf(target, size, CXL_SYSFS_CLASS "/afu%u.0", o->card->number);
    if (parent.kind == STANDIN_CARD)
        return snprintf(target, size, CXL_SYSFS_CLASS "/card%u", o->card->number);
    pci_path(o->card, target, size);
    return (int)strlen(target);
}

/* The `device` component of a link is a directory for whoever follows it, and a name for whoever
 * reads it. */
static bool resolve_link(struct standin *s, const char *path, struct standin_object *o,
                         const char **name)
{
    static const char link[] = "/device";
    size_t n = strlen(path), tail = sizeof link - 1;
    char directory[256];

    if (n <= tail || n >= sizeof directory || strcmp(path + n - tail, link))
        return standin_resolve(s, path, o, name);
    memcpy(directory, path, n - tail);
    directory[n - tail] = '\0';
    if (!standin_resolve(s, directory, o, name) || **name)
        return false;
    *name = "device";
    return true;
}

ssize_t standin_link_read(const char *path, char *target, size_t size)
{
    struct standin *s = standin_enter();
    struct standin_object o;
    const char *name;
    char text[128];
    ssize_t n = -ENOENT;

    if (!s)
        return -ENOENT;
    standin_lock(s);
    if (resolve_link(s, path, &o, &name))
        n = link_target(&o, name, text, sizeof text);
    standin_unlock(s);
    if (n < 0)
        return n;
    n = n < (ssize_t)size ? n : (ssize_t)size; /* as readlink() */
    memcpy(target, text, (size_t)n);
    return n;
}

/* ---- listings ----------------------------------------------------------------------------------
 */

static const struct {
    enum standin_kind kind;
    const char *format;
    bool in_class, in_dev;
} listed[] = {
    {STANDIN_CARD, "card%u", true, false},       {STANDIN_AFU, "afu%u.0", true, false},
    {STANDIN_DEDICATED, "afu%u.0d", true, true}, {STANDIN_MASTER, "afu%u.0m", true, true},
    {STANDIN_SLAVE, "afu%u.0s", true, true},
};

static int list_devices(struct standin *s, bool dev, unsigned wanted, char *name, size_t size)
{
    for (unsigned c = 0; c < s->world.adapters; c++)
        for (unsigned k = 0; k < sizeof listed / sizeof *listed; k++) {
            struct standin_object o = {listed[k].kind, &s->card[c]};

            if (!(dev ? listed[k].in_dev : listed[k].in_class) || !exists(s, &o) || wanted-- > 0)
                continue;
            snprintf(name, size, listed[k].format, c);
            return 0;
        }
    return -ENOENT;
}

static int list_object(struct standin *s, const struct standin_object *o, unsigned i, char *name,
                       size_t size)
{
    char child[NAME];

    if (o->kind == STANDIN_CLASS || o->kind == STANDIN_DEV)
        return list_devices(s, o->kind == STANDIN_DEV, i, name, size);
    if (i > 0)
        return -ENOENT;
    if (o->kind == STANDIN_AFU)
        snprintf(child, sizeof child, "cr0");
    else if (o->kind == STANDIN_PCI && o->card->probed)
        bridge_name(o->card, child);
    else if (o->kind == STANDIN_BRIDGE)
        flash_name(o->card, child);
    else
        return -ENOENT;
    snprintf(name, size, "%s", child);
    return 0;
}

int standin_list(const char *directory, unsigned i, char *name, size_t size)
{
    struct standin *s = standin_enter();
    struct standin_object o;
    const char *rest;
    int rc = -ENOENT;

    if (!s)
        return -ENOENT;
    standin_lock(s);
    if (standin_resolve(s, directory, &o, &rest) && !*rest)
        rc = list_object(s, &o, i, name, size);
    standin_unlock(s);
    return rc;
}
