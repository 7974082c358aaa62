/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/doctor_vpd.h"

#include <ctype.h>
#include <string.h>

#define TAG_NAME 0x82u
#define TAG_READ_ONLY 0x90u
#define TAG_WRITABLE 0x91u
#define TAG_HEADER 3u   /* tag, length in two bytes, low first */
#define FIELD_HEADER 3u /* keyword, length */
#define NAME_LENGTH 16u

/* Goes into the next section. Returns its tag, 0 at the end. */
static unsigned enter(const uint8_t *vpd, size_t size, struct doctor_vpd_walk *w)
{
    size_t length;
    unsigned tag;

    if (size - w->at < TAG_HEADER)
        return 0;
    tag = vpd[w->at];
    length = vpd[w->at + 1] | (size_t)vpd[w->at + 2] << 8;
    w->at += TAG_HEADER;
    if (length > size - w->at)
        return 0;
    w->end = w->at + length;
    return tag;
}

static bool field(const uint8_t *vpd, struct doctor_vpd_walk *w, struct doctor_vpd_field *out)
{
    if (w->end - w->at < FIELD_HEADER || vpd[w->at + 2] > w->end - w->at - FIELD_HEADER)
        return false;
    out->keyword[0] = (char)vpd[w->at];
    out->keyword[1] = (char)vpd[w->at + 1];
    out->keyword[2] = 0;
    out->length = vpd[w->at + 2];
    out->data = vpd + w->at + FIELD_HEADER;
    w->at += FIELD_HEADER + out->length;
    return true;
}

bool doctor_vpd_next(const uint8_t *vpd, size_t size, struct doctor_vpd_walk *w,
                     struct doctor_vpd_field *out)
{
    while (w->at == w->end) {
        switch (enter(vpd, size, w)) {
        case TAG_NAME:
            *out = (struct doctor_vpd_field){"ID", vpd + w->at, w->end - w->at};
            w->at = w->end;
            return true;
        case TAG_READ_ONLY:
        case TAG_WRITABLE:
            break;
        default:
            return false;
        }
    }
    return field(vpd, w, out);
}

bool doctor_vpd_has_port(const uint8_t *vpd, size_t size, unsigned port)
{
    const char keyword[3] = {'V', (char)('5' + port), 0};
    struct doctor_vpd_walk w = {0};
    struct doctor_vpd_field f;

    while (doctor_vpd_next(vpd, size, &w, &f)) {
        size_t i = 0;

        if (strcmp(f.keyword, keyword) != 0 || f.length != NAME_LENGTH)
            continue;
        while (i < f.length && isxdigit(f.data[i]))
            i++;
        return i == f.length;
    }
    return false;
}
