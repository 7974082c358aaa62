/* SPDX-License-Identifier: Apache-2.0 */
/* Events as people read them. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/superpipe_event.h"
#include "hal/support/bits.h"

/* ---- the table ---- */

#define NUMBER(name)                                                                               \
    {                                                                                              \
#name, SPIPE_FIELD_NUMBER                                                                  \
    }
#define HEX(name)                                                                                  \
    {                                                                                              \
#name, SPIPE_FIELD_HEX                                                                     \
    }
#define RESULT(name)                                                                               \
    {                                                                                              \
#name, SPIPE_FIELD_RESULT                                                                  \
    }
#define TEXT(name)                                                                                 \
    {                                                                                              \
#name, SPIPE_FIELD_TEXT                                                                    \
    }
#define NO_FIELDS                                                                                  \
    {                                                                                              \
        NULL, SPIPE_FIELD_NONE                                                                     \
    }
#define SPIPE_EVENT(id, severity, name, text, ...)                                                 \
    [SPIPE_EVENT_##id] = {name, text, SPIPE_SEVERITY_##severity, {__VA_ARGS__}},

static const struct spipe_event_info infos[SPIPE_EVENTS] = {
#include "core/adapter/events.def"
};

const struct spipe_event_info *spipe_event_info(unsigned id)
{
    return id < SPIPE_EVENTS ? &infos[id] : NULL;
}

const char *spipe_event_name(unsigned id) { return id < SPIPE_EVENTS ? infos[id].name : NULL; }

const char *spipe_severity_name(unsigned severity)
{
    static const char *const names[SPIPE_SEVERITIES] = {
        [SPIPE_SEVERITY_INFO] = "info",
        [SPIPE_SEVERITY_NOTICE] = "notice",
        [SPIPE_SEVERITY_WARNING] = "warning",
        [SPIPE_SEVERITY_ERROR] = "error",
    };

    return severity < SPIPE_SEVERITIES ? names[severity] : NULL;
}

/* ---- fields ---- */

/* What core and the back ends return. */
static const char *errno_name(int error)
{
#define NAME(number) [number] = #number
    static const char *const names[] = {
        NAME(EPERM),  NAME(ENOENT),     NAME(EINTR),    NAME(EIO),       NAME(ENXIO),
        NAME(EBADF),  NAME(EAGAIN),     NAME(ENOMEM),   NAME(EFAULT),    NAME(EBUSY),
        NAME(ENODEV), NAME(EINVAL),     NAME(EMFILE),   NAME(EFBIG),     NAME(ENOSPC),
        NAME(EILSEQ), NAME(EOPNOTSUPP), NAME(ENETDOWN), NAME(ETIMEDOUT), NAME(ENOBUFS),
        NAME(ESTALE), NAME(ERANGE),
    };
#undef NAME

    return error >= 0 && (size_t)error < HAL_ARRAY_LENGTH(names) ? names[error] : NULL;
}

static void result_text(int64_t result, char *buf)
{
    const char *name = result < 0 && result > INT16_MIN ? errno_name((int)-result) : NULL;

    if (name)
        snprintf(buf, SPIPE_EVENT_VALUE_BYTES, "-%s", name);
    else
        snprintf(buf, SPIPE_EVENT_VALUE_BYTES, "%" PRId64, result);
}

const char *spipe_event_value(const struct spipe_event *event, unsigned field,
                              char buf[SPIPE_EVENT_VALUE_BYTES])
{
    const struct spipe_event_info *info = spipe_event_info(event->id);
    uint64_t value;

    if (!info || field >= SPIPE_EVENT_FIELDS)
        return NULL;
    value = event->field[field];
    switch (info->field[field].kind) {
    case SPIPE_FIELD_NUMBER:
        snprintf(buf, SPIPE_EVENT_VALUE_BYTES, "%" PRIu64, value);
        return buf;
    case SPIPE_FIELD_HEX:
        snprintf(buf, SPIPE_EVENT_VALUE_BYTES, "0x%" PRIx64, value);
        return buf;
    case SPIPE_FIELD_RESULT:
        result_text((int64_t)value, buf);
        return buf;
    case SPIPE_FIELD_TEXT:
        snprintf(buf, SPIPE_EVENT_VALUE_BYTES, "%s", (const char *)(uintptr_t)value);
        return buf;
    case SPIPE_FIELD_NONE:
        break;
    }
    return NULL;
}

/* ---- the line ---- */

/* A buffer that text is added to; what does not fit is cut. */
struct line {
    char *at;
    size_t left;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    va_list args;
    int n;
    size_t used;

    va_start(args, format);
    n = vsnprintf(line->at, line->left, format, args);
    va_end(args);
    used = n < 0 ? 0 : hal_min64((uint64_t)n, line->left ? line->left - 1 : 0);
    line->at += used;
    line->left -= used;
}

const char *spipe_event_format(const struct spipe_event *event, char *buf, size_t size)
{
    const struct spipe_event_info *info = spipe_event_info(event->id);
    struct line line = {buf, size};
    char value[SPIPE_EVENT_VALUE_BYTES];

    if (!info) {
        add(&line, "unknown event %u", (unsigned)event->id);
        return buf;
    }
    add(&line, "%s: %s", info->name, info->text);
    for (unsigned i = 0; spipe_event_value(event, i, value); i++)
        add(&line, "%s%s %s", i ? ", " : " (", info->field[i].name, value);
    if (info->field[0].kind != SPIPE_FIELD_NONE)
        add(&line, ")");
    if (event->times > 1)
        add(&line, ", %" PRIu64 " times", event->times);
    return buf;
}
