/* SPDX-License-Identifier: Apache-2.0 */
/* What a subcommand works on: media, a simulated host, and the stack brought up on each of its
 * adapters. Opening and undoing it in one place. */
#ifndef TOOLS_SESSION_H
#define TOOLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/fault/fault_exec.h"
#include "backends/sim/sim_host.h"
#include "core/superpipe.h"
#include "hal/support/must_check.h"
#include "sim/check/sim_check.h"

struct capi_library;
struct posix_record_file;

#define SESSION_WHY_BYTES 1024
#define SESSION_BLOCK_BYTES 4096u
#define SESSION_CHUNK_BYTES ((uint64_t)SPIPE_CHUNK_BLOCKS * SESSION_BLOCK_BYTES)

/** How media come about. */
enum session_media {
    SESSION_MEDIA_MEMORY, /* new ones in memory */
    SESSION_MEDIA_TAG,    /* the same, but only the first bytes of each block are kept */
    SESSION_MEDIA_FILE,   /* existing files */
    SESSION_MEDIA_MAKE,   /* files, made when missing */
    SESSION_MEDIA_READ,   /* existing files, which stay as they are */
};

/** What core reaches an adapter through. */
enum session_backend {
    SESSION_SIM,  /* backends/sim */
    SESSION_CAPI, /* backends/capi: a card, or the stand-in for libcxl with the same simulated
                     adapters below it */
};

/** What to build. Zero everything, then set what differs. */
struct session_config {
    uint64_t seed;
    enum session_backend backend;
    const char *libcxl; /* path of a library for SESSION_CAPI; NULL: IBM's if there is a card, else
                           the stand-in */
    bool require_card;  /* SESSION_CAPI: nothing but a card will do */
    const char *afu;    /* of a card: "afu0.0"; NULL = the first */
    unsigned adapters;  /* 0 = 1 */
    enum session_media media;
    const char *path[SIM_HOST_ADAPTERS_MAX]; /* of files, one an adapter */
    const char *names; /* file that names of virtual LUNs are in, for one adapter; NULL: the media,
                          and with a card the machine's file */
    unsigned luns;     /* of new media */
    uint64_t lun_bytes;
    const struct sim_params *params; /* NULL = default */
    const char *faults;      /* plan for each adapter, of sites of the model and of the filters */
    bool faults_in_bring_up; /* in force from power-on, else from the end of bring-up on */
    enum spipe_order order;
    bool trace;            /* records and hash; a card has neither */
    bool trace_file;       /* somebody wants the records: refused with a card */
    bool check;            /* the invariants, at quiet points */
    bool threads;          /* POSIX threads in paced time instead of fibers in virtual time */
    unsigned pace;         /* per mille; 0 = 1000 */
    uint64_t data_bytes;   /* memory that the command itself will want */
    uint64_t heartbeat_ns; /* as in struct spipe_options */
    spipe_event_sink *event_sink; /* of each adapter, with an argument for each; or NULL */
    void *event_arg[SIM_HOST_ADAPTERS_MAX];
};

/** Filters between core and an adapter, for a session with faults. */
struct session_filter {
    struct fault_filter filter;
    struct fault_exec exec;
    struct hal_dev *dev; /* NULL: they are not there */
};

struct session {
    struct session_config config;
    struct sim_host *host;           /* NULL with a card, which has no media either */
    struct capi_library *library;    /* NULL but with SESSION_CAPI */
    struct posix_record_file *names; /* NULL: names are in the media */
    const char *names_path;          /* of that file */
    bool card;                       /* the devices are those of a card */
    bool bound;                      /* the host is below the stand-in */
    struct exec *exec;
    struct exec *threads; /* owned; NULL over fibers */
    struct sim_media *media[SIM_HOST_ADAPTERS_MAX];
    struct hal_dev *device[SIM_HOST_ADAPTERS_MAX];  /* below the filters */
    struct spipe *spipe[SIM_HOST_ADAPTERS_MAX];     /* while session_run runs the body */
    struct sim_check *check[SIM_HOST_ADAPTERS_MAX]; /* NULL: not asked for */
    struct session_filter filter[SIM_HOST_ADAPTERS_MAX];
    unsigned adapters;
    uint64_t start_ns;    /* of exec when the host was made */
    uint64_t bring_up_ns; /* device time that bring-up took */
};

/** Builds media and host. Returns 0, or a negative errno with a sentence in why. */
HAL_MUST_CHECK int session_open(const struct session_config *config, struct session *s, char *why,
                                size_t size);

/** What session_run runs. Returns 0, or a negative errno with a sentence in why. */
typedef int session_body(struct session *s, void *arg, char *why, size_t size);

/** Brings all adapters up, runs body, takes them down; all of it in the session's first thread.
 * Returns 0, or the first failure with a sentence in why. */
HAL_MUST_CHECK int session_run(struct session *s, session_body *body, void *arg, char *why,
                               size_t size);

#define SESSION_PLANS 2

/** The plans of an adapter: that of the model, and with faults that of its filters. Returns their
 * number. */
unsigned session_plans(struct session *s, unsigned adapter, struct fault_plan *plan[SESSION_PLANS]);

/** Undoes session_open. Safe for a session of zeros. */
void session_close(struct session *s);

/** The device's clock, ns: virtual time, or paced time over threads. */
uint64_t session_now(struct session *s);

/** Puts the media files, if there are any, on the disk. Data in them need tools/session_sync.h.
 * Returns 0, or a negative errno with a sentence in why. */
HAL_MUST_CHECK int session_sync_media(struct session *s, char *why, size_t size);

/** Whether a path leads to a file of the session's own, which nobody else may write to: "a media
 * file", "the file of names", or NULL if it does not. */
const char *session_file_kind(const struct session *s, const char *path);

/** Adds ": free some space" or the like to a sentence about a failed write if the disk below the
 * media file of an adapter is full, or this process may not make it larger. */
void session_explain_full(const struct session *s, unsigned adapter, char *why, size_t size);

/** The same for the file that names are in. */
void session_explain_names_full(const struct session *s, char *why, size_t size);

#endif
