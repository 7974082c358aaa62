/* SPDX-License-Identifier: Apache-2.0 */
/* One call for both faces. What holds for every result is judged here: outputs are untouched on
 * failure (SP-23), and on success those that do not depend on the request are as specified. Results
 * are those of the request; each call is noted and counted. */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_FACE_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_FACE_H

#include "core/cxlflash_ioctl.h"
#include "tests/scenario/random_requests_worker.h"

/** A disk of a LUN: any of its ports. */
uint32_t rr_disk(struct rr_worker *w, unsigned lun);

/** A binary request, whose structure is as long as its code says. */
int rr_ioctl(struct rr_worker *w, struct rr_context *c, uint32_t disk, uint32_t code, void *arg,
             const char *what);

/** ATTACH of a new context: fills in what identifies *c. */
int rr_attach(struct rr_worker *w, struct rr_context *c, unsigned lun, unsigned permissions);

/** ATTACH with reuse. */
int rr_attach_more(struct rr_worker *w, struct rr_context *c, unsigned lun);

int rr_detach(struct rr_worker *w, struct rr_context *c, unsigned lun);

/** `wipe`: with the wish for it (SP-63). */
int rr_open_virtual(struct rr_worker *w, struct rr_context *c, unsigned lun, uint64_t blocks,
                    bool wipe, uint32_t *handle, uint64_t *last);

/** `port` is where it goes through. */
int rr_open_direct(struct rr_worker *w, struct rr_context *c, unsigned lun, unsigned port,
                   uint32_t *handle, uint64_t *last);

int rr_resize(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle,
              uint64_t blocks, uint64_t *last);

int rr_release(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle);

/** sense: NULL or 18 bytes. */
int rr_verify(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle,
              const uint8_t *sense, uint64_t *last);

/** `lun`: of the disk that a binary client asks on. */
int rr_clone(struct rr_worker *w, struct rr_context *to, struct rr_context *from, unsigned lun);

#endif
