/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/event_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/text.h"

#define NS_A_SECOND UINT64_C(1000000000)

/* ---- writing ---- */

static void add_fields(cJSON *root, const struct spipe_event *event)
{
    const struct spipe_event_info *info = spipe_event_info(event->id);
    cJSON *fields = cJSON_AddObjectToObject(root, "fields");
    char value[SPIPE_EVENT_VALUE_BYTES];

    for (unsigned i = 0; spipe_event_value(event, i, value); i++)
        if (info->field[i].kind == SPIPE_FIELD_NUMBER)
            json_u64(fields, info->field[i].name, event->field[i]);
        else
            cJSON_AddStringToObject(fields, info->field[i].name, value);
}

static char *with_line_feed(char *text)
{
    size_t length = text ? strlen(text) : 0;
    char *longer = text ? realloc(text, length + 2) : NULL;

    if (!longer) {
        free(text);
        return NULL;
    }
    memcpy(longer + length, "\n", 2);
    return longer;
}

char *event_line_write(const struct spipe_event *event, unsigned adapter)
{
    const struct spipe_event_info *info = spipe_event_info(event->id);
    cJSON *root = cJSON_CreateObject();
    char *text;

    json_u64(root, "time_ns", event->time_ns);
    json_u64(root, "seq", event->sequence);
    json_u64(root, "adapter", adapter);
    cJSON_AddStringToObject(root, "severity", spipe_severity_name(info->severity));
    cJSON_AddStringToObject(root, "event", info->name);
    json_u64(root, "times", event->times);
    add_fields(root, event);
    text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return with_line_feed(text);
}

/* ---- reading ---- */

/* A whole number that a double holds, or came from one that held it nearly. */
static bool read_number(const cJSON *root, const char *name, uint64_t max, uint64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, name);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble >= (double)max)
        return false;
    *out = (uint64_t)item->valuedouble;
    return true;
}

static bool read_severity(const cJSON *root, unsigned *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, "severity");

    if (!cJSON_IsString(item))
        return false;
    for (*out = 0; *out < SPIPE_SEVERITIES; ++*out)
        if (!strcmp(spipe_severity_name(*out), item->valuestring))
            return true;
    return false;
}

static bool read_fields(const cJSON *root, struct event_line *out)
{
    const cJSON *field;

    out->fields = cJSON_GetObjectItemCaseSensitive(root, "fields");
    if (!cJSON_IsObject(out->fields))
        return false;
    cJSON_ArrayForEach(field, out->fields) if (!cJSON_IsNumber(field) &&
                                               !cJSON_IsString(field)) return false;
    return true;
}

static bool read_all(const cJSON *root, struct event_line *out)
{
    const cJSON *event = cJSON_GetObjectItemCaseSensitive(root, "event");
    uint64_t adapter;

    if (!cJSON_IsString(event) || !read_number(root, "time_ns", UINT64_MAX, &out->time_ns) ||
        !read_number(root, "seq", UINT64_MAX, &out->sequence) ||
        !read_number(root, "adapter", UINT32_MAX, &adapter) ||
        !read_number(root, "times", UINT64_MAX, &out->times) ||
        !read_severity(root, &out->severity) || !read_fields(root, out))
        return false;
    out->adapter = (unsigned)adapter;
    out->event = event->valuestring;
    return true;
}

int event_line_read(const char *text, struct event_line *out)
{
    cJSON *root = cJSON_Parse(text);
    struct event_line line = {.root = root};

    if (!root || !read_all(root, &line)) {
        cJSON_Delete(root);
        return -EINVAL;
    }
    *out = line;
    return 0;
}

void event_line_free(struct event_line *line)
{
    cJSON_Delete(line->root);
    line->root = NULL;
}

/* ---- for people ---- */

/* What the event means, if this program knows it. */
static const char *meaning(const char *event)
{
    for (unsigned i = 0; i < SPIPE_EVENTS; i++)
        if (!strcmp(spipe_event_name(i), event))
            return spipe_event_info(i)->text;
    return "";
}

static void append_fields(char *buf, const cJSON *fields)
{
    const char *before = " (";
    const cJSON *field;

    cJSON_ArrayForEach(field, fields)
    {
        text_append(buf, EVENT_LINE_TEXT_BYTES, "%s%s ", before, field->string);
        if (cJSON_IsString(field))
            text_append(buf, EVENT_LINE_TEXT_BYTES, "%s", field->valuestring);
        else
            text_append(buf, EVENT_LINE_TEXT_BYTES, "%.0f", field->valuedouble);
        before = ", ";
    }
    if (fields->child)
        text_append(buf, EVENT_LINE_TEXT_BYTES, ")");
}

const char *event_line_text(const struct event_line *line, char buf[EVENT_LINE_TEXT_BYTES])
{
    const char *text = meaning(line->event);

    snprintf(buf, EVENT_LINE_TEXT_BYTES, "%6" PRIu64 ".%09" PRIu64 "  %u  %-7s  %s%s%s",
             line->time_ns / NS_A_SECOND, line->time_ns % NS_A_SECOND, line->adapter,
             spipe_severity_name(line->severity), line->event, *text ? ": " : "", text);
    append_fields(buf, line->fields);
    if (line->times > 1)
        text_append(buf, EVENT_LINE_TEXT_BYTES, ", %" PRIu64 " times", line->times);
    return buf;
}
