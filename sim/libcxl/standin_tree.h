/* SPDX-License-Identifier: Apache-2.0 */
/* The directories below /sys and /dev in which the driver shows its cards (CX section 7). */
#ifndef SIM_LIBCXL_STANDIN_TREE_H
#define SIM_LIBCXL_STANDIN_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/libcxl/standin.h"

enum standin_kind {
    STANDIN_CLASS,     /* the class cxl */
    STANDIN_DEV,       /* /dev/cxl */
    STANDIN_CARD,      /* cardN */
    STANDIN_AFU,       /* afuN.0 */
    STANDIN_MASTER,    /* afuN.0m */
    STANDIN_SLAVE,     /* afuN.0s */
    STANDIN_DEDICATED, /* afuN.0d */
    STANDIN_RECORD,    /* afuN.0/cr0 */
    STANDIN_PCI,       /* the PCI function of the card */
    STANDIN_BRIDGE,    /* virtual host bridge below it */
    STANDIN_FLASH,     /* the PCI device below that, which a flash driver would bind to */
};

struct standin_object {
    enum standin_kind kind;
    struct standin_card *card; /* NULL for CLASS and DEV */
};

/** Follows a path to a directory, through `device` links; what is behind the last directory (an
 * attribute, a link) is left in *rest, "" if nothing is. Under the lock. Returns false if the path
 * leads nowhere. */
bool standin_resolve(struct standin *s, const char *path, struct standin_object *out,
                     const char **rest);

#endif
