/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lun_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "hal/support/bits.h"
#include "tools/text.h"

const char *lun_text_wwid(char *buf, const uint8_t wwid[16])
{
    *buf = 0;
    for (int i = 0; i < 16; i++)
        text_append(buf, LUN_TEXT_BYTES, "%02x", wwid[i]);
    return buf;
}

const char *lun_text_ports(char *buf, unsigned mask)
{
    *buf = 0;
    for (unsigned p = 0; p < 4; p++)
        if (mask & HAL_BIT(p))
            text_append(buf, LUN_TEXT_BYTES, "%s%u", *buf ? "," : "", p);
    if (!*buf)
        text_append(buf, LUN_TEXT_BYTES, "none");
    return buf;
}

const char *lun_text_ids(char *buf, const struct spipe_lun_info *l)
{
    *buf = 0;
    for (unsigned p = 0; p < 4; p++)
        if (l->found_ports & HAL_BIT(p))
            text_append(buf, LUN_TEXT_BYTES, "%s%u:%" PRIx64, *buf ? "," : "", p, l->lun_id[p]);
    if (!*buf)
        text_append(buf, LUN_TEXT_BYTES, "none");
    return buf;
}

const char *lun_text_mode(const struct spipe_lun_info *l)
{
    switch (l->mode) {
    case SPIPE_LUN_VIRTUAL:
        return "virtual";
    case SPIPE_LUN_PHYSICAL:
        return "physical";
    default:
        return "none";
    }
}
