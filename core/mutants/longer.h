/* SPDX-License-Identifier: Apache-2.0 */
/* Mutants that are more than an expression (core/mutants.h). Declared always, defined only in
 * //core:superpipe_mutants. Shared inside core only. */
#ifndef CORE_MUTANTS_LONGER_H
#define CORE_MUTANTS_LONGER_H

#include <stdint.h>

struct spipe;
struct spipe__lun;
struct spipe__resource;
struct spipe_ctx;

/** VLW-9: closes a virtual handle as RELEASE does, whether it works or not. The caller has entered
 * the context. */
void spipe__mutant_release(struct spipe_ctx *ctx, struct spipe__resource *r);

/** VLW-10, SPW-5: the LUN that a request on a context came in on, for want of a disk the lowest one
 * that is attached. The caller has entered the context. */
struct spipe__lun *spipe__mutant_lun_of_request(const struct spipe_ctx *ctx);

/** SPW-26: claims a LUN for a handle that there is no number for. Returns -EMFILE. */
int spipe__mutant_claim(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind);

/** D-13: initialises the AFU with another mode of internal LUNs, whatever goes on and whatever
 * comes of it. Returns 0. */
int spipe__mutant_internal_lun(struct spipe *s, unsigned mode);

#endif
