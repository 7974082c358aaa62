/* SPDX-License-Identifier: Apache-2.0 */
/* Moves bytes between a file descriptor and a virtual LUN in large I/Os, several in flight. */
#ifndef TOOLS_TRANSFER_H
#define TOOLS_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"
#include "tools/session.h"
#include "tools/vlun_handle.h"

struct progress;

#define TRANSFER_BYTES 262144u /* of one I/O */
#define TRANSFER_DEPTH 16u

/** One I/O. */
struct transfer_slot {
    uint8_t *buffer;
    uint64_t number; /* of its piece of TRANSFER_BYTES, from 0 */
    uint32_t bytes;  /* that count in it */
    bool busy, done;
};

/** A virtual LUN on adapter 0, and buffers. */
struct transfer {
    struct session *session;
    struct progress *progress;
    struct vlun_handle vlun;
    uint32_t block_size; /* of its LUN */
    uint8_t *memory;
    bool registered;
    struct transfer_slot slot[TRANSFER_DEPTH];
    uint64_t bytes; /* moved */
    char *why;      /* receives sentences, why_size bytes */
    size_t why_size;
};

/** Attaches to a LUN. Returns 0, or a negative errno with a sentence in why, which must live as
 * long as the transfer. End it with transfer_end in both cases. */
HAL_MUST_CHECK int transfer_begin(struct transfer *t, struct session *s, struct progress *progress,
                                  unsigned lun, char *why, size_t size);

/** Opens a new virtual LUN of at least `bytes` bytes. */
HAL_MUST_CHECK int transfer_open_new(struct transfer *t, uint64_t bytes);

/** Opens the virtual LUN called `name`. */
HAL_MUST_CHECK int transfer_open_name(struct transfer *t, const char *name);

/** Grows or shrinks the virtual LUN to at least `bytes` bytes. */
HAL_MUST_CHECK int transfer_resize(struct transfer *t, uint64_t bytes);

/** Copies everything that fd gives into the virtual LUN, which grows when it is too small; the last
 * block is filled up with zeros. t->bytes is the number of bytes then. `from` is how messages call
 * fd. */
HAL_MUST_CHECK int transfer_in(struct transfer *t, int fd, const char *from);

/** Copies the first `bytes` bytes of the virtual LUN to fd, in order. `to` is how messages call fd.
 */
HAL_MUST_CHECK int transfer_out(struct transfer *t, int fd, uint64_t bytes, const char *to);

/** Releases the virtual LUN and everything else. Returns 0, or a negative errno with a sentence. */
HAL_MUST_CHECK int transfer_end(struct transfer *t);

#endif
