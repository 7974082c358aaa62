/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes as a table: name, how to read, how to write (AD section 19). */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/verb.h"
#include "core/port/port_link.h"
#include "hal/support/bits.h"

/* ---- text ---- */

/* What is read so far. */
struct text {
    char *at;
    size_t left; /* without the final 0 */
    bool full;   /* a line did not fit: nothing follows it */
};

static void add_line(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_line(struct text *t, const char *format, ...)
{
    char line[64];
    va_list args;
    size_t n;

    va_start(args, format);
    n = (size_t)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    t->full = t->full || n > t->left;
    if (t->full)
        return;
    memcpy(t->at, line, n + 1);
    t->at += n;
    t->left -= n;
}

/* A decimal number as sysfs takes it. */
static int parse(const char *text, int *out)
{
    bool negative = *text == '-';
    int64_t value = 0;

    text += *text == '-' || *text == '+';
    if (*text < '0' || *text > '9')
        return -EINVAL;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = 10 * value + (*text - '0');
        if (value > INT_MAX)
            return -EINVAL;
    }
    if (strcmp(text, "") && strcmp(text, "\n"))
        return -EINVAL;
    *out = (int)(negative ? -value : value);
    return 0;
}

static int parse_unsigned(const char *text, unsigned *out)
{
    int value;

    if (parse(text, &value) || value < 0)
        return -EINVAL;
    *out = (unsigned)value;
    return 0;
}

/* ---- ports: registers, so the state is looked at first (D-11) ---- */

static int with_port(struct spipe *s, unsigned port, struct text *t,
                     void (*tell)(struct spipe *s, unsigned port, struct text *t))
{
    int rc;

    if (port >= s->ports)
        return -EINVAL;
    rc = spipe__verb_begin(s, SPIPE__VERB_ATTRIBUTE, SPIPE__ADMIT_NORMAL);
    if (rc)
        return rc;
    tell(s, port, t);
    return spipe__verb_end(s, SPIPE__VERB_ATTRIBUTE, 0);
}

static void tell_link(struct spipe *s, unsigned port, struct text *t)
{
    static const char *const words[] = {
        [SPIPE__LINK_UNKNOWN] = "unknown",
        [SPIPE__LINK_OFFLINE] = "offline",
        [SPIPE__LINK_ONLINE] = "online",
    };

    add_line(t, "%s\n", words[spipe__link_state(s, port)]);
}

/* The registers of lines that do not fit are left alone. */
static void tell_lun_table(struct spipe *s, unsigned port, struct text *t)
{
    for (unsigned i = 0; i < AFU_FC_PAGE_SIZE / 8 && !t->full; i++)
        add_line(t, "%03u: %016" PRIx64 "\n", i,
                 spipe__read(s, AFU_LUN_TABLE(port) + UINT64_C(8) * i));
}

static int read_port(struct spipe *s, unsigned port, struct text *t)
{
    return with_port(s, port, t, tell_link);
}

static int read_lun_table(struct spipe *s, unsigned port, struct text *t)
{
    return with_port(s, port, t, tell_lun_table);
}

/* ---- the adapter ---- */

static int read_lun_mode(struct spipe *s, unsigned unused, struct text *t)
{
    (void)unused;
    spipe__books_lock(s);
    add_line(t, "%u\n", s->internal_lun);
    spipe__books_unlock(s);
    return 0;
}

/* D-13: a reset like every other, and what went wrong is told. */
static int write_lun_mode(struct spipe *s, const char *text)
{
    unsigned mode;
    int rc = parse_unsigned(text, &mode);

    return rc ? rc : spipe_internal_lun(s, mode);
}

static int read_poll_weight(struct spipe *s, unsigned unused, struct text *t)
{
    (void)unused;
    add_line(t, "%u\n", spipe_irqpoll_weight_get(s));
    return 0;
}

static int write_poll_weight(struct spipe *s, const char *text)
{
    unsigned weight;
    int rc = parse_unsigned(text, &weight);

    return rc ? rc : spipe_irqpoll_weight_set(s, weight);
}

static int read_hwqs(struct spipe *s, unsigned unused, struct text *t)
{
    (void)unused;
    add_line(t, "%u\n", spipe_hwqs_get(s));
    return 0;
}

static int write_hwqs(struct spipe *s, const char *text)
{
    int n, rc = parse(text, &n);

    if (!rc)
        rc = spipe_hwqs_set(s, n);
    return rc == -EIO ? 0 : rc;
}

static const char *const hwq_modes[SPIPE_HWQ_MODES] = {
    [SPIPE_HWQ_ROUND_ROBIN] = "rr",
    [SPIPE_HWQ_TAG] = "tag",
    [SPIPE_HWQ_CPU] = "cpu",
};

static int read_hwq_mode(struct spipe *s, unsigned unused, struct text *t)
{
    (void)unused;
    add_line(t, "%s\n", hwq_modes[spipe_hwq_mode_get(s)]);
    return 0;
}

/* AD-204: whatever follows the name. */
static int write_hwq_mode(struct spipe *s, const char *text)
{
    for (unsigned i = 0; i < SPIPE_HWQ_MODES; i++)
        if (!strncmp(text, hwq_modes[i], strlen(hwq_modes[i])))
            return spipe_hwq_mode_set(s, (enum spipe_hwq_mode)i);
    return -EINVAL;
}

static int read_ioctl_version(struct spipe *s, unsigned unused, struct text *t)
{
    (void)s, (void)unused;
    add_line(t, "disk: %d\n", 0);
    add_line(t, "host: %d\n", 0);
    return 0;
}

/* ---- LUNs ---- */

/* Under driver management is a LUN that requests may use somewhere (SP-118). */
static int read_mode(struct spipe *s, unsigned lun, struct text *t)
{
    struct spipe_lun_info info;
    int rc = spipe_lun_info(s, lun, &info);

    if (!rc)
        add_line(t, "%s\n", info.port_mask ? "superpipe" : "legacy");
    return rc;
}

/* ---- the table ---- */

struct attribute {
    const char *name;
    unsigned port;
    int (*read)(struct spipe *s, unsigned which, struct text *t); /* which port, or which LUN */
    int (*write)(struct spipe *s, const char *text);              /* NULL: it cannot be written */
    bool of_lun;
};

static const struct attribute table[] = {
    {"port0", 0, read_port, NULL, false},
    {"port1", 1, read_port, NULL, false},
    {"port2", 2, read_port, NULL, false},
    {"port3", 3, read_port, NULL, false},
    {"lun_mode", 0, read_lun_mode, write_lun_mode, false},
    {"irqpoll_weight", 0, read_poll_weight, write_poll_weight, false},
    {"num_hwqs", 0, read_hwqs, write_hwqs, false},
    {"hwq_mode", 0, read_hwq_mode, write_hwq_mode, false},
    {"ioctl_version", 0, read_ioctl_version, NULL, false},
    {"port0_lun_table", 0, read_lun_table, NULL, false},
    {"port1_lun_table", 1, read_lun_table, NULL, false},
    {"port2_lun_table", 2, read_lun_table, NULL, false},
    {"port3_lun_table", 3, read_lun_table, NULL, false},
    {"mode", 0, read_mode, NULL, true},
};

static const struct attribute *find(const char *name)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(table); i++)
        if (!strcmp(table[i].name, name))
            return &table[i];
    return NULL;
}

int spipe_attribute_at(unsigned index, struct spipe_attribute *out)
{
    if (index >= HAL_ARRAY_LENGTH(table))
        return -ENOENT;
    *out = (struct spipe_attribute){
        .name = table[index].name,
        .writable = table[index].write != NULL,
        .of_lun = table[index].of_lun,
    };
    return 0;
}

int spipe_attribute_read(struct spipe *s, const char *name, unsigned lun,
                         char buf[SPIPE_ATTRIBUTE_BYTES + 1])
{
    const struct attribute *a = find(name);
    struct text t = {buf, SPIPE_ATTRIBUTE_BYTES, false};

    buf[0] = '\0';
    return a ? a->read(s, a->of_lun ? lun : a->port, &t) : -ENOENT;
}

int spipe_attribute_write(struct spipe *s, const char *name, const char *text)
{
    const struct attribute *a = find(name);

    if (!a)
        return -ENOENT;
    return a->write ? a->write(s, text) : -EACCES;
}
