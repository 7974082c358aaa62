/* SPDX-License-Identifier: Apache-2.0 */
/* Fillers for slots of struct hal_ops that a back end does not have, because no slot may be NULL.
 *
 * Operations with a result give -ENOSYS. The others do what is right without a device: a register
 * read gives all ones and a register write is dropped, as on a dead card (SL 1); a table store is a
 * plain store and publish a barrier, as on every card; the rest does nothing. */
#ifndef HAL_HAL_NOSYS_H
#define HAL_HAL_NOSYS_H

#include "hal/hal.h"

/** Every slot filled: for a back end that was not built, and as a base for fakes in tests. */
extern const struct hal_ops hal_nosys_ops;

/* The fillers one by one, for initialisers. See the wrappers in hal.h for the parameters. */
void hal_nosys_close(struct hal_dev *dev);
int hal_nosys_afu_reset(struct hal_dev *dev);
int hal_nosys_reload_same_image(struct hal_dev *dev, bool same);
int hal_nosys_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length);
int hal_nosys_platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out);
void hal_nosys_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer);
int hal_nosys_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out);
int hal_nosys_ctx_start(struct hal_ctx *ctx, unsigned interrupts);
int hal_nosys_ctx_stop(struct hal_ctx *ctx);
void hal_nosys_ctx_lose(struct hal_ctx *ctx);
void hal_nosys_ctx_release(struct hal_ctx *ctx);
uint64_t hal_nosys_reg_read64(struct hal_ctx *ctx, uint64_t offset);
void hal_nosys_reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value);
int hal_nosys_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out);
void hal_nosys_progress(struct hal_ctx *ctx);
int hal_nosys_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name);
void hal_nosys_mem_release(struct hal_dev *dev, void *addr);
void hal_nosys_table_store(struct hal_dev *dev, void *addr, uint64_t value);
void hal_nosys_publish(struct hal_dev *dev);
void hal_nosys_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b);

#endif
