/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual LUNs whose size is recorded under a name of the catalogue. Shared inside core only.
 *
 * A name is one more owner of its chunks: it has one reference of each in the allocator. A handle
 * that was named, or opened by its name, is *bound*: what a resize does to it, it does to the name.
 *
 * Order of the steps, so that at no moment a crash, or a failure, leaves a chunk with two owners or
 * a name with chunks that somebody else may get:
 *
 *   shrink   record, then drop the name's references, then withdraw from the AFU, sync, free.
 *            Before the record nothing has changed; after it the name means the shorter LUN, and
 *            the chunks cut off are still allocated, because the handle has a reference until its
 *            HW sync: so a chunk becomes free only after its record is durable.
 *   grow     allocate, show to the AFU, sync, then add the name's references and record. If the
 *            record fails, those are dropped and the handle shrinks back. A crash before the record
 * leaves chunks that no name has: they are free in the next start. That is why the record comes
 * last; if it came first, a sync that fails would leave the name longer than anybody was told.
 *   name     add references, record, then drop those of the old meaning.
 *   remove   record, then drop references.
 *
 * A grow whose sync fails returns -EAGAIN and is not recorded; the caller's retry records it. If
 * nobody retries, the name stays as it was.
 *
 * One name may be open more than once, as after a CLONE. The first handle that changes the name
 * leaves the others with what it meant when they were opened; a resize of one of those is refused
 * with -ESTALE, because neither its own chunks nor those of the name would be what its caller
 * expects. (Shrinking to a common beginning is possible.)
 *
 * Thread rules: the catalogue belongs to whoever holds `names`; which handle is bound to what is
 * guarded by the books. A resize holds `names` for its two halves, not for what it does to the AFU
 * in between; if the name was changed by another handle meanwhile, the second half says -ESTALE. */
#ifndef CORE_NAME_BINDING_H
#define CORE_NAME_BINDING_H

#include "core/vlun/vlun.h"

/** Binds `v` to a name, which exists and has the chunks of `v`. The caller holds `names`. */
void spipe__name_bind(struct spipe *s, struct spipe__resource *v, const char *name);

/** Unbinds one handle: its name keeps its chunks. */
void spipe__name_unbind(struct spipe *s, struct spipe__resource *v);

/** Unbinds every handle of the adapter that is bound to `name`. */
void spipe__name_unbind_all(struct spipe *s, const char *name);

/** A resize between its two halves. */
struct spipe__name_change {
    bool bound;
    uint64_t generation; /* of the entry */
    uint32_t size;       /* of the handle, before */
};

/**
 * First half of a resize, before anything else happens: refuses it, or records a shrink.
 *
 * @param s       adapter
 * @param v       virtual LUN, bound or not
 * @param wanted  chunks asked for
 * @param change  receives what the second half needs to know
 * @return        0; -ESTALE if the name means something else by now; -ENOSPC, -EIO if the record
 *                cannot be written. Nothing is changed on failure
 */
HAL_MUST_CHECK int spipe__name_before_resize(struct spipe *s, struct spipe__resource *v,
                                             uint64_t wanted, struct spipe__name_change *change);

/**
 * Second half, after a resize that returned 0: records the chunks that the name does not have yet.
 * If that fails, the handle shrinks back to what it had, or to what the name has.
 *
 * @param ctx     context of v, entered
 * @param v       virtual LUN, bound or not
 * @param change  from the first half
 * @return        0; -ESTALE if the name was changed meanwhile; -ENOMEM, -ENOSPC, -EIO if the record
 *                cannot be written, -EIO also if a chunk has 256 owners; -EFBIG beyond what a name
 *                can have
 */
HAL_MUST_CHECK int spipe__name_after_resize(struct spipe_ctx *ctx, struct spipe__resource *v,
                                            const struct spipe__name_change *change);

/** Adds one reference of each of `n` chunks, for a name. 0, or -EIO if one has 256 owners (or
 * none): then nothing has changed. */
HAL_MUST_CHECK int spipe__name_add_references(struct spipe *s, struct spipe__global_lun *lun,
                                              const uint32_t *chunks, uint32_t n);

/** Takes back what spipe__name_add_references() added; every chunk still has another owner. */
void spipe__name_take_back(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                           uint32_t n);

/** Drops the name's reference of one chunk. Fits spipe__cat_freed_fn, arg = adapter. Does nothing
 * if the LUN is not here, or has no allocator yet. Settle the LUN afterwards. Takes the books. */
void spipe__name_drop_reference(void *arg, const uint8_t *wwid, uint32_t chunk);

/**
 * Copies the chunk numbers of a virtual LUN in virtual order.
 *
 * @param s      adapter
 * @param v      virtual LUN
 * @param first  from this entry on
 * @param out    receives memory of v->size - first numbers, to be freed by exec_free(); NULL if
 *               that is 0
 * @return       0, -ENOMEM, -EFBIG if a chunk number does not fit the catalogue
 */
HAL_MUST_CHECK int spipe__name_chunks_of(struct spipe *s, const struct spipe__resource *v,
                                         uint32_t first, uint32_t **out);

#endif
