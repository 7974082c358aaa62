/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to a LUN, as people read it. */
#ifndef TOOLS_LUN_TEXT_H
#define TOOLS_LUN_TEXT_H

#include <stdint.h>

#include "core/superpipe.h"

/** Bytes that every function below with a `buf` needs at most. */
#define LUN_TEXT_BYTES 128

/** "6ffffff0000000000000000000000001". Returns buf. */
const char *lun_text_wwid(char *buf, const uint8_t wwid[16]);

/** The ports of a mask: "0,1", or "none". Returns buf. */
const char *lun_text_ports(char *buf, unsigned mask);

/** The LUN id on each port behind which the LUN was found: "0:1000000000000,1:1000000000000",
 * or "none". Returns buf. */
const char *lun_text_ids(char *buf, const struct spipe_lun_info *l);

/** The mode of a LUN: "none", "virtual", "physical". */
const char *lun_text_mode(const struct spipe_lun_info *l);

#endif
