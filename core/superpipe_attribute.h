/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an adapter and of its LUNs: the sysfs files of the original, with the same names
 * and the same text (AD-200..AD-207), for programs that know those.
 *
 * Part of core/superpipe.h, which includes it. */
#ifndef CORE_SUPERPIPE_ATTRIBUTE_H
#define CORE_SUPERPIPE_ATTRIBUTE_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spipe;

/** What an attribute is called, and what may be done with it. */
struct spipe_attribute {
    const char *name;
    bool writable;
    bool of_lun; /* each LUN has it; else the adapter has */
};

/** The index-th attribute. Returns 0, or -ENOENT past the last. Any thread, as all below. */
__attribute__((warn_unused_result)) int spipe_attribute_at(unsigned index,
                                                           struct spipe_attribute *out);

#define SPIPE_ATTRIBUTE_BYTES 4096u /* that a sysfs file shows at most: a page */

/** Reads an attribute as a string of whole lines; lines from the one that goes beyond
 * SPIPE_ATTRIBUTE_BYTES on are left out. `lun` is the number of a LUN; it does not matter for
 * attributes of the adapter. Returns 0; -ENOENT (no such attribute or LUN); -EINVAL (a port that
 * the card has not); -ENODEV (the adapter failed: registers cannot be read), -EINTR as all
 * requests. */
__attribute__((warn_unused_result)) int spipe_attribute_read(struct spipe *s, const char *name,
                                                             unsigned lun,
                                                             char buf[SPIPE_ATTRIBUTE_BYTES + 1]);

/** Writes an attribute; one line feed may end the text. Returns 0; -ENOENT (no such attribute);
 * -EACCES (it cannot be written); -EINVAL (the text or the value is not allowed); and what follows
 * from the value: spipe_internal_lun() for lun_mode, spipe_hwqs_set() for num_hwqs, whose -EIO is
 * no error here (AD-155, AD-203: the state tells). May be a reset of the adapter. */
__attribute__((warn_unused_result)) int spipe_attribute_write(struct spipe *s, const char *name,
                                                              const char *text);

#ifdef __cplusplus
}
#endif

#endif
