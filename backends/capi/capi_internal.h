/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the back end share. */
#ifndef BACKENDS_CAPI_CAPI_INTERNAL_H
#define BACKENDS_CAPI_CAPI_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/capi/capi_backend.h"
#include "backends/capi/capi_library.h"
#include "backends/capi/capi_mmio.h"
#include "hal/cxl_kernel.h"
#include "hal/cxl_standin.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/bits.h"
#include "hal/support/must_check.h"

#define CAPI_NAME_BYTES 32
#define CAPI_PATH_BYTES 320

/* Where the recovery of the card stands. The thread that waits for events of the platform changes
 * it; others look. */
enum capi_phase {
    CAPI_CALM,       /* it works, as far as anybody knows */
    CAPI_LOSING,     /* it does not; the kernel gets time to notice what has happened */
    CAPI_FROZEN,     /* said so; an answer is due */
    CAPI_RESETTING,  /* waiting for nodes that can be opened */
    CAPI_SLOT_RESET, /* said so; an answer is due */
    CAPI_RESUMING,   /* RESUMED is to be said */
    CAPI_FAILING,    /* PERMANENT_FAILURE is to be said */
    CAPI_OVER,       /* it, or REMOVED, was said */
};

/* What a card is called in the class cxl. */
struct capi_names {
    char afu[CAPI_NAME_BYTES];  /* "afu0.0" */
    char card[CAPI_NAME_BYTES]; /* "card0" */
};

struct capi_ctx;

/* A region that is locked in memory. */
struct capi_region {
    struct capi_region *next;
    uintptr_t begin, end;
};

struct capi_dev {
    struct hal_dev hal;
    struct capi_config config;
    struct exec *exec;
    const struct capi_library *library;
    const struct cxl_kernel *kernel;
    const struct cxl_standin *standin; /* NULL: a card */
    struct hal_dev *below;             /* of the stand-in */
    struct capi_names names; /* others after a recovery, perhaps: once open, by capi_names() */
    char function[CAPI_NAME_BYTES]; /* its PCI function, "0006:00:00.0", or "" */
    char pci[CAPI_PATH_BYTES];      /* directory of that, or "" */
    uint64_t master_size;           /* of the map of a master */
    unsigned irqs_min;
    int lock_fd;

    /* Recovery. */
    enum capi_phase phase; /* atomic */
    bool lost;             /* atomic: the card is dead, and not back */
    uint64_t until;        /* of CAPI_LOSING and CAPI_RESETTING, ns */
    struct exec_mutex lock;
    struct exec_cond news;  /* `lost` was set */
    struct exec_cond quiet; /* the last user of a context that is being closed has left */

    /* Never held over a call of exec: it must be no scheduling point. */
    pthread_mutex_t books;
    struct capi_ctx *contexts;
    struct capi_region *regions;
};

struct capi_ctx {
    struct hal_ctx hal;
    struct capi_dev *dev;
    struct capi_ctx *next; /* of the device */
    struct cxl_afu_h *afu; /* NULL: closed */
    struct hal_ctx *below; /* of the stand-in; goes with afu */
    struct capi_map map;
    bool attached, mapped;
    int epoll, wake; /* the handle's descriptor or `wake` is readable; eventfd */
    uint32_t users;  /* atomic: threads within the library for this context */
    bool closing;    /* atomic: no thread enters any more */
    bool dead;       /* atomic: lost with the card; it is open until it is released */
    uint64_t skipped_events;
};

static inline struct capi_dev *capi_dev_of(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct capi_dev, hal);
}

static inline struct capi_ctx *capi_ctx_of(struct hal_ctx *ctx)
{
    return HAL_CONTAINER_OF(ctx, struct capi_ctx, hal);
}

/* ---- capi_backend.c ---- */

/** Tells the user of the device something in a sentence. */
void capi_log(const struct capi_dev *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A copy of the names that count now. Any thread. */
struct capi_names capi_names(struct capi_dev *d);

/** The names are others from now on (CX-100). */
void capi_rename(struct capi_dev *d, const struct capi_names *names);

/* ---- capi_context.c ---- */

/** Opens the node of a view after looking at the level of its interface, because libcxl 1.7 ends
 * the program when that does not fit (CX-19). Returns 0, -EPROTO, or another of hal.h. */
HAL_MUST_CHECK int capi_node_open(struct capi_dev *d, enum hal_ctx_kind kind,
                                  struct cxl_afu_h **out);

/** Attaches an open handle with so many interrupts, ERR_FF if the kernel knows it (CX-48). */
HAL_MUST_CHECK int capi_attach(struct capi_dev *d, struct cxl_afu_h *afu, unsigned interrupts);

/** Size of the area that a context of the kind maps. */
uint64_t capi_map_size(const struct capi_dev *d, enum hal_ctx_kind kind);

/** Where the own host page of a context is in its map. */
uint64_t capi_own_page(enum hal_ctx_kind kind, unsigned handle);

/** Enters the library for a context, unless that is closed or being closed. */
bool capi_enter(struct capi_ctx *c);
void capi_leave(struct capi_ctx *c);

int capi_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out);
int capi_ctx_start(struct hal_ctx *ctx, unsigned interrupts);
int capi_ctx_stop(struct hal_ctx *ctx);
void capi_ctx_lose(struct hal_ctx *ctx);
void capi_ctx_release(struct hal_ctx *ctx);

/* ---- capi_register.c ---- */

uint64_t capi_reg_read64(struct hal_ctx *ctx, uint64_t offset);
void capi_reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value);

/** Confirms that the card is dead or not, by a register that cannot be all ones, and says so
 * to everybody if it is. The caller has entered. Returns whether the context is dead. */
bool capi_suspect(struct capi_ctx *c);

/* ---- capi_event.c ---- */

int capi_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out);

/* ---- capi_platform.c ---- */

/** The card was found dead: ends all waits, and tells the platform's thread. Any thread. */
void capi_lost(struct capi_dev *d);

/** Whether contexts can be had at the moment. */
bool capi_usable(struct capi_dev *d);

int capi_platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out);
void capi_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer);

/* ---- capi_attribute.c ---- */

/** Text of an attribute without the end of its line; PATH below /sys/class/cxl. Returns 0 or a
 * negative errno of the kernel. */
HAL_MUST_CHECK int capi_attribute_text(const struct cxl_kernel *kernel, char *text, size_t size,
                                       const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The same as a number, decimal or with 0x. */
HAL_MUST_CHECK int capi_attribute_number(const struct cxl_kernel *kernel, long *value,
                                         const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Whether a directory is there. */
bool capi_is_directory(const struct cxl_kernel *kernel, const char *path);

/** Writes what the AFU left in its error buffer into the log (CX-97). */
void capi_log_error_buffer(struct capi_dev *d);

int capi_afu_reset(struct hal_dev *dev);
int capi_reload_same_image(struct hal_dev *dev, bool same);
int capi_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length);

/* ---- capi_check.c ---- */

/** Finds the AFU of the configuration and fills in what names it. */
HAL_MUST_CHECK int capi_find(struct capi_dev *d, char *why, size_t size);

/** The checks of CX-95, CX-132; fills in limits. */
HAL_MUST_CHECK int capi_check(struct capi_dev *d, char *why, size_t size);

/** PCI function of a card, "0006:00:00.0"; "" if the kernel does not tell. */
void capi_function_of(const struct cxl_kernel *kernel, const char *card, char *out, size_t size);

/* ---- capi_memory.c ---- */

int capi_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name);
void capi_mem_release(struct hal_dev *dev, void *addr);
void capi_table_store(struct hal_dev *dev, void *addr, uint64_t value);
void capi_publish(struct hal_dev *dev);

#endif
