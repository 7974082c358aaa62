/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hal/support/bits.h"
#include "hal/support/number.h"

const struct sim_param_info sim_param_table[] = {
#define SIM_PARAM(f, n, u, d, g, lo, hi, c, s, t)                                                  \
    {.name = n,                                                                                    \
     .unit = u,                                                                                    \
     .source = s,                                                                                  \
     .text = t,                                                                                    \
     .dflt = d,                                                                                    \
     .flashgt = g,                                                                                 \
     .min = lo,                                                                                    \
     .max = hi,                                                                                    \
     .confidence = c,                                                                              \
     .offset = offsetof(struct sim_params, f)},
#include "sim/sim_params.def"
#undef SIM_PARAM
};

const size_t sim_param_count = HAL_ARRAY_LENGTH(sim_param_table);

const struct sim_decision sim_decision_table[] = {
#define SIM_DECISION(n, v, u, s, t) {.name = n, .value = v, .unit = u, .source = s, .text = t},
#include "sim/sim_decisions.def"
#undef SIM_DECISION
};

const size_t sim_decision_count = HAL_ARRAY_LENGTH(sim_decision_table);

/* Longest name that gets a suggestion, and a bit more than the longest of the table. */
#define NAME_MAX_LENGTH 40

static uint64_t *value_of(struct sim_params *p, const struct sim_param_info *info)
{
    return (uint64_t *)(void *)((char *)p + info->offset);
}

uint64_t sim_params_get(const struct sim_params *p, const struct sim_param_info *info)
{
    return *(const uint64_t *)(const void *)((const char *)p + info->offset);
}

/* ---- profiles ---- */

static uint64_t value_default(const struct sim_param_info *info) { return info->dflt; }

static uint64_t value_flashgt(const struct sim_param_info *info) { return info->flashgt; }

/* What nobody knows takes no time; what is known stays (rulings.md: every D value 0). */
static uint64_t value_zero(const struct sim_param_info *info)
{
    return info->confidence == 'D' && !strcmp(info->unit, "cycles") ? info->min : info->dflt;
}

static const struct {
    const char *name;
    uint64_t (*value)(const struct sim_param_info *);
} profile_table[] = {
    {"flashsystem", value_default},
    {"flashgt", value_flashgt},
    {"zero", value_zero},
};

int sim_params_profile(struct sim_params *p, const char *profile)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(profile_table); i++) {
        if (strcasecmp(profile, profile_table[i].name))
            continue;
        for (size_t k = 0; k < sim_param_count; k++)
            *value_of(p, &sim_param_table[k]) = profile_table[i].value(&sim_param_table[k]);
        return 0;
    }
    return -EINVAL;
}

void sim_params_default(struct sim_params *p)
{
    for (size_t k = 0; k < sim_param_count; k++)
        *value_of(p, &sim_param_table[k]) = value_default(&sim_param_table[k]);
}

/* ---- sentences ---- */

/* Writes a sentence and hands `rc` on. */
static __attribute__((format(printf, 4, 5))) int fail(int rc, char *why, size_t size,
                                                      const char *format, ...)
{
    va_list args;

    if (why && size) {
        va_start(args, format);
        vsnprintf(why, size, format, args);
        va_end(args);
    }
    return rc;
}

/* Text of a user, short and printable, for a sentence. */
struct shown {
    char text[NAME_MAX_LENGTH + 4];
};

static struct shown show(const char *text)
{
    struct shown s = {{0}};
    size_t n = 0;

    for (; n < NAME_MAX_LENGTH && text[n]; n++)
        s.text[n] = hal_number_shown(text[n]);
    snprintf(s.text + n, sizeof s.text - n, "%s", text[n] ? "..." : "");
    return s;
}

void sim_params_format(const struct sim_param_info *info, uint64_t value, char *text)
{
    bool hex = !strcmp(info->unit, "register") || !strcmp(info->unit, "8 bytes") ||
               !strcmp(info->unit, "PCI device");

    snprintf(text, SIM_PARAMS_VALUE_BYTES, hex ? "0x%04" PRIX64 : "%" PRIu64, value);
}

static struct shown show_value(const struct sim_param_info *info, uint64_t value)
{
    struct shown s = {{0}};

    sim_params_format(info, value, s.text);
    return s;
}

/* ---- names ---- */

static const struct sim_param_info *find(const char *name)
{
    for (size_t k = 0; k < sim_param_count; k++)
        if (!strcmp(name, sim_param_table[k].name))
            return &sim_param_table[k];
    return NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edits (insert, delete, replace one character) from a to b, both at most NAME_MAX_LENGTH long. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LENGTH + 1];
    size_t n = strlen(b);

    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < n; j++) {
            unsigned replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = min3(row[j] + 1, row[j + 1] + 1, replaced);
        }
    }
    return row[n];
}

/* The name that was probably meant: a few edits away, or one that contains the text ("cmd_room"
 * for "afu.cmd_room"); NULL if none is near. */
static const char *nearest(const char *name)
{
    size_t length = strlen(name);
    unsigned best = (unsigned)length / 3 + 1;
    const char *found = NULL;

    if (length < 2 || length > NAME_MAX_LENGTH)
        return NULL;
    for (size_t k = 0; k < sim_param_count; k++) {
        unsigned d = distance(name, sim_param_table[k].name);
        if (d < best || (d == best && !found)) {
            best = d;
            found = sim_param_table[k].name;
        }
    }
    for (size_t k = 0; k < sim_param_count && !found; k++)
        found = strstr(sim_param_table[k].name, name) ? sim_param_table[k].name : NULL;
    return found;
}

/* No parameter has this name. */
static int fail_name(const char *name, char *why, size_t size)
{
    const char *near = nearest(name);

    for (size_t k = 0; k < sim_decision_count; k++)
        if (!strcmp(name, sim_decision_table[k].name))
            return fail(-ERANGE, why, size, "%s is fixed at %s (%s)", name,
                        sim_decision_table[k].value, sim_decision_table[k].unit);
    return fail(-ENOENT, why, size, "there is no parameter '%s'%s%s%s", show(name).text,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* ---- one value ---- */

static int check_range(const struct sim_param_info *info, uint64_t value, char *why, size_t size)
{
    if (value >= info->min && value <= info->max)
        return 0;
    if (info->min == info->max)
        return fail(-ERANGE, why, size, "%s = %s is not possible, it is fixed at %s (%s)",
                    info->name, show_value(info, value).text, show_value(info, info->min).text,
                    info->unit);
    return fail(-ERANGE, why, size, "%s = %s is out of its range, %s to %s (%s)", info->name,
                show_value(info, value).text, show_value(info, info->min).text,
                show_value(info, info->max).text, info->unit);
}

int sim_params_set(struct sim_params *p, const char *name, const char *value, char *why,
                   size_t size)
{
    const struct sim_param_info *info = find(name);
    const char *rest = value;
    uint64_t v = 0;
    int rc;

    if (!info)
        return fail_name(name, why, size);
    rc = hal_number_take(&rest, &v);
    if (rc == -EINVAL || *rest)
        return fail(-EINVAL, why, size,
                    "'%s' is not a number: write 75, 0x4F0, 10k or 2M for %s (%s)",
                    show(value).text, info->name, info->unit);
    if (rc)
        return fail(-ERANGE, why, size, "%s = %s does not fit in 64 bits", info->name,
                    show(value).text);
    rc = check_range(info, v, why, size);
    if (!rc)
        *value_of(p, info) = v;
    return rc;
}

/* ---- rules between parameters ---- */

int sim_params_validate(const struct sim_params *p, char *why, size_t size)
{
    for (size_t k = 0; k < sim_param_count; k++)
        if (check_range(&sim_param_table[k], sim_params_get(p, &sim_param_table[k]), why, size))
            return -EINVAL;
    if (p->card != 0x04F0 && p->card != 0x0600 && p->card != 0x0624)
        return fail(-EINVAL, why, size, "card = 0x%04" PRIX64 " is none of 0x04F0, 0x0600, 0x0624",
                    p->card);
    if (p->ctx_first >= p->contexts)
        return fail(-EINVAL, why, size,
                    "ctx.first = %" PRIu64 " leaves no handle below contexts = %" PRIu64,
                    p->ctx_first, p->contexts);
    if (p->port_sel_reset_zero && p->ports < 2)
        return fail(-EINVAL, why, size,
                    "port_sel.reads_zero = 1 stands for two ports, but ports = %" PRIu64, p->ports);
    if (p->buffer_latency == 2)
        return fail(-EINVAL, why, size, "psl.buffer_read_latency = 2 is neither 1 nor 3");
    if (p->block_bytes != 512 && p->block_bytes != 4096)
        return fail(-EINVAL, why, size, "media.block_size = %" PRIu64 " is neither 512 nor 4096",
                    p->block_bytes);
    if (p->irqs_min > p->irqs_max)
        return fail(-EINVAL, why, size, "irq.min = %" PRIu64 " is more than irq.max = %" PRIu64,
                    p->irqs_min, p->irqs_max);
    if (p->xlt_entries && !hal_is_power_of_2(p->xlt_entries))
        return fail(-EINVAL, why, size,
                    "afu.xlt.entries = %" PRIu64 " is neither 0 nor a power of two",
                    p->xlt_entries);
    return 0;
}

/* ---- files ---- */

/* Longest line without its comment. */
#define LINE_LENGTH 200

/* A file being read, and the line it stands at. */
struct reader {
    FILE *in;
    const char *path;
    char *why;
    size_t size;
    unsigned line;
    char text[LINE_LENGTH + 1];
    struct sim_params values;
    unsigned set_in[HAL_ARRAY_LENGTH(sim_param_table)]; /* line that set a row; 0 = none */
    unsigned settings;                                  /* lines that set something */
};

/* "file:line:column: sentence"; column counts bytes from 1. */
static __attribute__((format(printf, 3, 4))) int fail_at(struct reader *r, size_t column,
                                                         const char *format, ...)
{
    char sentence[256];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return fail(-EINVAL, r->why, r->size, "%s:%u:%zu: %s", r->path, r->line, column, sentence);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Reads one line into r->text, without its comment. Returns 1, 0 at the end of the file, or
 * -EINVAL with a sentence; a line is never stored beyond its limit, however long. */
static int read_line(struct reader *r)
{
    bool comment = false;
    size_t column = 0, n = 0;
    int c = getc(r->in);

    if (c == EOF)
        return 0;
    r->line++;
    for (; c != EOF && c != '\n'; c = getc(r->in)) {
        column++;
        if (!c)
            return fail_at(r, column, "a byte of value 0; this is not a text file");
        comment |= c == '#';
        if (comment)
            continue;
        if (n == LINE_LENGTH)
            return fail_at(r, column, "the line has more than %d characters", LINE_LENGTH);
        r->text[n++] = (char)c;
    }
    while (n && is_blank(r->text[n - 1]))
        n--;
    r->text[n] = 0;
    return 1;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* Cuts "name = value" in r->text into its parts, terminated in place; a line of blanks only gives
 * an empty name. */
static int split(struct reader *r, char **name, char **value)
{
    char *s = r->text, *end;

    while (is_blank(*s))
        s++;
    *name = *value = s;
    if (!*s)
        return 0;
    for (end = s; is_name(*end); end++)
        continue;
    for (s = end; is_blank(*s); s++)
        continue;
    if (*s != '=' && s == *name)
        return fail_at(r, (size_t)(s - r->text) + 1, "a line begins with a name or with '#'");
    if (*s != '=')
        return fail_at(r, (size_t)(s - r->text) + 1, "'=' must follow the name");
    if (end == *name)
        return fail_at(r, (size_t)(s - r->text) + 1, "the name in front of '=' is missing");
    for (s++; is_blank(*s); s++)
        continue;
    *end = 0;
    *value = s;
    return *s ? 0 : fail_at(r, (size_t)(s - r->text) + 1, "the value is missing");
}

static int apply_profile(struct reader *r, const char *value)
{
    size_t column = (size_t)(value - r->text) + 1;

    if (r->settings)
        return fail_at(r, column,
                       "the profile must come first, because it would undo the lines above");
    if (sim_params_profile(&r->values, value))
        return fail_at(r, column,
                       "there is no profile '%s'; there are flashsystem, flashgt and zero",
                       show(value).text);
    return 0;
}

static int apply_value(struct reader *r, const char *name, const char *value)
{
    const struct sim_param_info *info = find(name);
    char sentence[192];
    unsigned *set_in;
    int rc;

    rc = sim_params_set(&r->values, name, value, sentence, sizeof sentence);
    if (rc)
        return fail_at(r, (size_t)((rc == -ENOENT ? name : value) - r->text) + 1, "%s", sentence);
    set_in = &r->set_in[info - sim_param_table];
    if (*set_in)
        return fail_at(r, (size_t)(name - r->text) + 1, "%s was already set in line %u", name,
                       *set_in);
    *set_in = r->line;
    return 0;
}

static int read_all(struct reader *r)
{
    char *name, *value;
    int rc;

    while ((rc = read_line(r)) > 0) {
        rc = split(r, &name, &value);
        if (rc)
            return rc;
        if (!*name)
            continue;
        rc = !strcmp(name, "profile") ? apply_profile(r, value) : apply_value(r, name, value);
        if (rc)
            return rc;
        r->settings++;
    }
    return rc;
}

int sim_params_load(struct sim_params *p, const char *path, char *why, size_t size)
{
    struct reader r = {.path = path, .why = why, .size = size, .values = *p};
    int rc;

    r.in = fopen(path, "re");
    if (!r.in) {
        rc = -errno;
        return fail(rc, why, size, "%s: %s", path, strerror(-rc));
    }
    errno = 0;
    rc = read_all(&r);
    /* A directory opens like a file; only reading it fails. */
    if (ferror(r.in)) {
        rc = errno ? -errno : -EIO;
        fail(rc, why, size, "%s: %s", path, strerror(-rc));
    }
    fclose(r.in);
    if (!rc)
        *p = r.values;
    return rc;
}
