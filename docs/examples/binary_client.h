/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCS_EXAMPLES_BINARY_CLIENT_H
#define DOCS_EXAMPLES_BINARY_CLIENT_H

#include "core/superpipe.h"

/** Writes and reads back `rounds` blocks (at most 255) of a virtual LUN on a disk, by binary
 * requests and commands of its own. Returns 0 or a negative errno; -EILSEQ if a block came back
 * wrong. One at a time. */
int binary_client(struct spipe_client *client, uint32_t disk, unsigned rounds);

#endif
