/* SPDX-License-Identifier: Apache-2.0 */
/* Superpipe: the CAPI Flash stack in user space. This is the public interface.
 *
 * Life cycle: open an adapter over a HAL device, create a client (it stands for a process), attach
 * a context to a LUN, open virtual LUNs, submit and poll I/O, release, detach, destroy, close.
 *
 *   spipe_open -> spipe_client_create -> spipe_attach -> spipe_open_virtual
 *     -> spipe_submit / spipe_poll ... -> spipe_release -> spipe_detach
 *     -> spipe_client_destroy -> spipe_close
 *
 * Errors: 0 or a negative errno; out parameters are untouched on failure. Status of the hardware
 * is kept apart in struct spipe_completion.
 * Threads: control calls may come from any thread and block; the data path of one context
 * (spipe_submit, spipe_poll, spipe_wait) belongs to one thread at a time.
 * Sizes of virtual LUNs are in 4096-byte blocks; I/O addresses are in device blocks of the LUN
 * (struct spipe_lun_info.block_size), as the AFU counts them. */
#ifndef CORE_SUPERPIPE_H
#define CORE_SUPERPIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPIPE_MUST_CHECK __attribute__((warn_unused_result))

#define SPIPE_VERSION "0.1.0"
#define SPIPE_API_BLOCK 4096u     /* unit of virtual LUN sizes, bytes */
#define SPIPE_CHUNK_BLOCKS 65536u /* device blocks of one allocation unit (VL-6) */
#define SPIPE_NAME_MAX 63         /* bytes of a catalogue name, without the final 0 */
#define SPIPE_NO_BLOCK UINT64_MAX /* last_lba of an empty virtual LUN (VL-32) */

struct exec;
struct hal_dev;
struct hal_record_store;
struct spipe;
struct spipe_client;
struct spipe_ctx;

/** Byte order of structures shared with the AFU. */
enum spipe_order { SPIPE_ORDER_HOST, SPIPE_ORDER_LITTLE, SPIPE_ORDER_BIG };

/** How an adapter is opened. Zero every field, set size, then what differs from the default. */
struct spipe_options {
    size_t size;            /* sizeof(struct spipe_options) */
    enum spipe_order order; /* default: the host's */
    unsigned rrq_elements;  /* of the master's queue; 0 = 512 */
    bool luns_disabled;     /* LUNs must be enabled before they can be used: spipe_lun_enable() */
};

/** Brings up an adapter (AD-30..AD-49j), finds its LUNs and opens the catalogue.
 * `exec` and `dev` stay owned by the caller and must outlive the adapter; `store` holds the
 * catalogue of named virtual LUNs, NULL = no names. `why` (may be NULL) receives a sentence on
 * failure. Returns 0, -ENODEV, -EIO, -ENOMEM, -EINVAL (back-level AFU), -EILSEQ (damaged
 * catalogue), -ETIMEDOUT. */
SPIPE_MUST_CHECK int spipe_open(struct exec *exec, struct hal_dev *dev,
                                struct hal_record_store *store, const struct spipe_options *options,
                                struct spipe **out, char *why, size_t why_size);

/** Closes an adapter. All clients must have been destroyed. Does not close dev. */
void spipe_close(struct spipe *s);

/** What is known about an adapter. */
struct spipe_adapter_info {
    char afu_version[9];        /* text */
    uint64_t interface_version; /* register (SL 20.2) */
    unsigned ports;
    uint64_t wwpn[4]; /* 0 = none in VPD */
    bool port_online[4];
    bool write_same_unmaps;
    unsigned luns;
};

/** Reads state of the adapter; port_online is read from the ports now. */
void spipe_adapter_info(struct spipe *s, struct spipe_adapter_info *out);

/** One LUN, unified over its ports by WWID (SP-124). */
struct spipe_lun_info {
    uint8_t wwid[16];
    uint64_t lun_id[4];   /* on each port of found_ports */
    unsigned found_ports; /* ports behind which it is */
    unsigned port_mask;   /* those on which it is enabled */
    uint64_t last_lba;    /* of the device, device blocks */
    uint32_t block_size;  /* bytes */
    uint64_t chunks, free_chunks;
    unsigned users; /* open handles (SP-1) */
    enum { SPIPE_LUN_NONE, SPIPE_LUN_VIRTUAL, SPIPE_LUN_PHYSICAL } mode;
};

/** Describes LUN number `index` (0 .. luns-1). Returns 0 or -ENOENT. */
SPIPE_MUST_CHECK int spipe_lun_info(struct spipe *s, unsigned index, struct spipe_lun_info *out);

/** Lets requests use LUN number `lun` through `port`, as MANAGE_LUN does (SP-117..SP-128). LUNs are
 * enabled wherever they are found unless the adapter was opened with luns_disabled. Returns 0,
 * -ENOENT (no such LUN), -EINVAL (it is not behind that port), -EBUSY (virtual LUNs exist that
 * could not be reached through that port). */
SPIPE_MUST_CHECK int spipe_lun_enable(struct spipe *s, unsigned lun, unsigned port);

/** The opposite. Returns 0, -ENOENT, -EINVAL, -EBUSY while anybody has the LUN attached, or
 * handles, quarantined chunks or names need it. */
SPIPE_MUST_CHECK int spipe_lun_disable(struct spipe *s, unsigned lun, unsigned port);

/** Creates the object that stands for one process: what it owns, nobody else can touch (SP-178).
 * `name` is copied. Returns 0 or -ENOMEM. */
SPIPE_MUST_CHECK int spipe_client_create(struct spipe *s, const char *name,
                                         struct spipe_client **out);

/** The same for a process that another one forks: the child may clone contexts of its parent for as
 * long as that lives (SP-107, R-48). Returns 0 or -ENOMEM. */
SPIPE_MUST_CHECK int spipe_client_fork(struct spipe_client *parent, const char *name,
                                       struct spipe_client **out);

/** Ends a client as the death of a process would: everything it still has is released. */
void spipe_client_destroy(struct spipe_client *c);

/** How a context is attached. Zero, set size, then what differs. */
struct spipe_attach_options {
    size_t size;
    bool no_read, no_write; /* permissions of the context; both false = read and write */
    unsigned depth;         /* most I/O in flight; 0 = 64; at most 4096 */
    bool interrupts;        /* completions raise interrupts, so that spipe_wait can sleep */
    uint64_t io_timeout_ns; /* an I/O unanswered for so long fails with -ETIMEDOUT; 0 = 30 s */
};

/** Attaches a new context to LUN number `lun` (SP-37..SP-51). options NULL = the defaults.
 * Returns 0, -EINVAL (no such LUN, one that is enabled on no port, a wrong options.size),
 * -ENODEV (no context left or adapter failed), -EPERM, -EAGAIN (SP-44, SP-46), -ENOMEM, and what
 * starting a context gives: -ENOSPC (no interrupts left), -EIO, -EBUSY. */
SPIPE_MUST_CHECK int spipe_attach(struct spipe_client *c, unsigned lun,
                                  const struct spipe_attach_options *options,
                                  struct spipe_ctx **out);

/** Adds LUN number `lun` to an attached context (reuse, SP-39). Returns 0, -EINVAL if it is
 * attached already, -ENOMEM. */
SPIPE_MUST_CHECK int spipe_attach_lun(struct spipe_ctx *ctx, unsigned lun);

/** Detaches one LUN: releases its handles; the context ends, and is freed, with its last LUN
 * (SP-74..SP-81). Returns 0 or -EINVAL if the LUN is not attached. */
SPIPE_MUST_CHECK int spipe_detach(struct spipe_ctx *ctx, unsigned lun);

/** The context handle (process element) the AFU knows this context by. */
uint16_t spipe_ctx_handle(const struct spipe_ctx *ctx);

/** Opens a new virtual LUN of `blocks` 4096-byte blocks on LUN number `lun` (SP-59..SP-65).
 * A smaller grant is success; *last_lba (4096-byte blocks) tells, SPIPE_NO_BLOCK for size 0.
 * Returns 0, -EINVAL, -EMFILE (no handle left), -ENOMEM, -ENOSPC, -EIO, -EAGAIN (AFU sync). */
SPIPE_MUST_CHECK int spipe_open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks,
                                        uint32_t *handle, uint64_t *last_lba);

/** For spipe_open_direct: the lowest port of the LUN that is online, else its lowest port. */
#define SPIPE_PORT_ANY UINT32_MAX

/** Opens the whole of LUN number `lun`, as it is, through one `port` (SP-53..SP-57, VL-50). Not
 * while anybody has virtual LUNs there, and the other way round (SP-2). *last_lba is in device
 * blocks. Data stay when the handle is released (SP-3). Returns 0, -EINVAL (mode of the LUN, not
 * attached, a port that the LUN is not on), -EMFILE, -ENOMEM; -EIO, -ENOBUFS or -ETIMEDOUT from
 * the AFU sync. */
SPIPE_MUST_CHECK int spipe_open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port,
                                       uint32_t *handle, uint64_t *last_lba);

/** Grows or shrinks a virtual LUN to `blocks` 4096-byte blocks (SP-66..SP-69, VL-29..VL-35).
 * Returns 0, -EINVAL, -ENOMEM, -ENOSPC, -EAGAIN (sync failed, call again). A handle with a
 * catalogue name changes its durable record too: -EIO, -ENOSPC or -EFBIG if that cannot be
 * written, -ESTALE if the name was changed through another handle since. Shrinking below the byte
 * length of the name cuts the length. */
SPIPE_MUST_CHECK int spipe_resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks,
                                  uint64_t *last_lba);

/** Releases a handle (SP-70..SP-72). The chunks of an unnamed virtual LUN become free; those of a
 * named one stay. Returns 0, -EINVAL, and for virtual LUNs -EAGAIN (AFU sync): the handle stays
 * open then. What the AFU may still reach of a direct handle is kept from others (SP-73). */
SPIPE_MUST_CHECK int spipe_release(struct spipe_ctx *ctx, uint32_t handle);

#define SPIPE_SENSE_BYTES 18 /* of sense data that spipe_verify() looks at (SP-84) */

/** Tells how large a handle is, *last_lba as when it was opened (SP-82..SP-88). `sense` is NULL,
 * and the device is left alone, or SPIPE_SENSE_BYTES bytes of sense data that an I/O ended with,
 * fixed or descriptor format ({0x72, sense_key, asc, ascq} of a completion will do): after a unit
 * attention 29 or 2A the device is asked for its size, after 3F all LUNs of the adapter are looked
 * for again. A device that has another size now changes *last_lba of direct handles and last_lba of
 * spipe_lun_info at once. Virtual LUNs keep theirs: I/O to blocks that the device lost fails with
 * -EIO, and chunks that it has no more are not handed out until it has them again.
 * Returns 0; -EINVAL (handle, lost context, bytes that are no sense data); -ENODEV (the device does
 * not answer, or counts in other blocks now); -EIO for sense data that tell of anything else, and
 * if a LUN was found that cannot keep the names it carries. */
SPIPE_MUST_CHECK int spipe_verify(struct spipe_ctx *ctx, uint32_t handle, const uint8_t *sense,
                                  uint64_t *last_lba);

/** Gives `ctx`, which has no handle open, every handle of `parent`, a context of the parent of its
 * client: same numbers, same chunks in the same order, permissions of both together (SP-106..116).
 * LUNs that ctx lacks are attached. Afterwards both address the same blocks; a later resize of one
 * does not change the other. Returns 0, -EINVAL (the same context, not the parent's, a handle is
 * open, one of them is lost), -ENOMEM, -EIO (a chunk with 256 owners), -EAGAIN (AFU sync). On
 * failure ctx is as before. */
SPIPE_MUST_CHECK int spipe_clone(struct spipe_ctx *ctx, struct spipe_ctx *parent);

/* ---- named virtual LUNs -------------------------------------------------------------------- */

/** One name of the catalogue. */
struct spipe_name_info {
    char name[SPIPE_NAME_MAX + 1];
    uint8_t wwid[16];
    uint64_t blocks;      /* size, 4096-byte blocks */
    uint64_t byte_length; /* what the owner said it holds */
};

/** Gives the virtual LUN behind `handle` a name, durably and atomically: when this returns 0 the
 * name means these chunks, after a crash it means either them or what it meant before. What an
 * existing name meant before is freed (when no handle uses it any more). byte_length must fit the
 * size. Handles of the old meaning go on with chunks of their own that no name keeps. Returns 0,
 * -EINVAL (bad name, length or handle), -ENOENT (no catalogue), -EBUSY (a chunk has another name),
 * -ENOSPC, -EFBIG, -ENOMEM, -EIO. */
SPIPE_MUST_CHECK int spipe_name_set(struct spipe_ctx *ctx, uint32_t handle, const char *name,
                                    uint64_t byte_length);

/** Opens a named virtual LUN: its chunks gain a reference as by CLONE. The LUN it lives on must be
 * attached to ctx. Returns 0, -ENOENT, and as spipe_open_virtual. */
SPIPE_MUST_CHECK int spipe_name_open(struct spipe_ctx *ctx, const char *name, uint32_t *handle,
                                     uint64_t *last_lba);

/** Looks a name up; *lun is the number of the LUN it lives on. Returns 0 or -ENOENT. */
SPIPE_MUST_CHECK int spipe_name_stat(struct spipe *s, const char *name, struct spipe_name_info *out,
                                     unsigned *lun);

/** The index-th name in alphabetical order. Returns 0 or -ENOENT past the last. */
SPIPE_MUST_CHECK int spipe_name_at(struct spipe *s, unsigned index, struct spipe_name_info *out);

/** Removes a name; its chunks become free when no handle uses them. Returns 0, -ENOENT, -EIO. */
SPIPE_MUST_CHECK int spipe_name_remove(struct spipe *s, const char *name);

/* ---- data path ------------------------------------------------------------------------------ */

enum spipe_op { SPIPE_READ, SPIPE_WRITE };

/** One I/O to submit. The buffer must stay valid until its completion; any address works, 128-byte
 * alignment is fastest. */
struct spipe_io {
    uint64_t tag;    /* returned in the completion */
    uint64_t lba;    /* virtual, device blocks */
    void *buffer;    /* blocks x block size bytes */
    uint32_t blocks; /* device blocks; at most 16 MiB in all */
    uint32_t handle;
    enum spipe_op op;
};

/** One finished I/O. */
struct spipe_completion {
    uint64_t tag;
    int32_t status;    /* 0 or negative errno (one table, core/io_status.c) */
    uint32_t residual; /* bytes not moved */
    uint8_t flags, afu_rc, scsi_rc, fc_rc, afu_extra; /* IOASA (SL 7, SL 18) */
    uint8_t sense_key, asc, ascq;                     /* 0 without sense data */
};

/** Submits up to n I/Os in order. Never blocks, allocates, locks or enters the kernel. Returns how
 * many were taken (0 = the queue is full or the AFU has no room: poll first). Only if none was:
 * -EINVAL if the first one is invalid (unknown handle, too long, 0 blocks), -ENODEV. */
int spipe_submit(struct spipe_ctx *ctx, const struct spipe_io *ios, unsigned n);

/** Harvests up to max completions; an empty poll lets a simulated device advance. Returns their
 * number. I/Os that exceed the time-out appear here with -ETIMEDOUT; their slot stays unused
 * until the context ends, since the AFU may still write to it. */
unsigned spipe_poll(struct spipe_ctx *ctx, struct spipe_completion *out, unsigned max);

/** Sleeps until spipe_poll may find something or until `deadline` (ns of the exec clock). Needs
 * the option `interrupts`. Returns 0, -ETIMEDOUT, -EINTR, -EINVAL (no interrupts), -EIO (the
 * context is lost). An I/O whose
 * buffer the AFU could not reach ends with status -EIO in the next spipe_poll. */
SPIPE_MUST_CHECK int spipe_wait(struct spipe_ctx *ctx, uint64_t deadline);

/** I/Os submitted and not yet returned by spipe_poll. */
unsigned spipe_in_flight(const struct spipe_ctx *ctx);

/* ---- binary requests ------------------------------------------------------------------------ */

/** A device node: LUN number `lun` behind one port, as a disk of the operating system is. */
static inline uint32_t spipe_disk(unsigned lun, unsigned port) { return lun << 2 | (port & 3); }

/** Carries out one DK_CXLFLASH request of core/cxlflash_ioctl.h, as an ioctl on a device node by
 * the process that `c` stands for: same codes, structures, errors and order of checks
 * (docs/spec/superpipe.md). `arg` is the structure; it is written only if the result is 0. The
 * adap_fd that requests return is a file of this library: spipe_adap_map() and its neighbours.
 * Returns 0 or a negative errno: those of the specification, and -ENXIO for a disk that does not
 * exist. */
SPIPE_MUST_CHECK int spipe_ioctl(struct spipe_client *c, uint32_t disk, uint32_t request,
                                 void *arg);

/* ---- adapter files: what adap_fd stands for ------------------------------------------------- */

struct spipe_mapping;

/** Maps `length` bytes of the user area of a context from `offset` on, both multiples of 8 (SP-139,
 * SP-140). Returns 0, -EBADF (no such file of this client), -EIO (the context is lost or has
 * ended), -EINVAL (beyond 64 KiB), -ENOMEM. */
SPIPE_MUST_CHECK int spipe_adap_map(struct spipe_client *c, uint64_t fd, uint64_t offset,
                                    uint64_t length, struct spipe_mapping **out);

/** Ends a mapping; NULL is ignored. With the last one of a closed file its context ends (SP-148).
 */
void spipe_adap_unmap(struct spipe_mapping *m);

/** Loads a register. Offsets count from the beginning of the mapping. All ones when the context is
 * lost (SP-142, SP-145), or for an offset that is none. One thread a context at a time. */
uint64_t spipe_adap_read64(const struct spipe_mapping *m, uint64_t offset);

/** Stores a register; memory written before is visible to the AFU first. Lost when the context is
 * lost (SP-147). */
void spipe_adap_write64(const struct spipe_mapping *m, uint64_t offset, uint64_t value);

/** To be called by whoever polls memory and finds nothing: lets a simulated device advance. */
void spipe_adap_progress(const struct spipe_mapping *m);

enum { SPIPE_ADAP_NOTHING, SPIPE_ADAP_INTERRUPT, SPIPE_ADAP_DATA_STORAGE, SPIPE_ADAP_LOST };

/** What reading an adapter file gives. */
struct spipe_adap_event {
    uint8_t kind;       /* SPIPE_ADAP_ */
    uint32_t interrupt; /* its number */
    uint64_t address;   /* of a data-storage event */
    uint64_t dsisr;     /* likewise */
};

/** Waits for the next event until `deadline` (ns of the exec clock; 0 = only look). Returns 0 with
 * kind NOTHING when the deadline has passed, -EBADF, -EIO (kind LOST), -EINTR. */
SPIPE_MUST_CHECK int spipe_adap_event(struct spipe_client *c, uint64_t fd, uint64_t deadline,
                                      struct spipe_adap_event *out);

/** Closes an adapter file. With its last mapping everything that is left of the context is released
 * (SP-148, SP-150). Returns 0 or -EBADF. */
SPIPE_MUST_CHECK int spipe_adap_close(struct spipe_client *c, uint64_t fd);

#ifdef __cplusplus
}
#endif

#endif
