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
 * (spipe_submit, spipe_poll, spipe_wait) belongs to one thread at a time. Calls on different
 * contexts do not wait for each other, whatever those do; a call on a context or client that
 * another call is ending at that moment is a programming error.
 * Resets: control calls wait while the adapter is being reset, and end with -EINTR if their thread
 * is interrupted meanwhile. An interruption that comes during a call is over with it, whether it
 * could end the call or not; one that comes between two calls is for the second. If the reset
 * failed, they end with -ENODEV, except for those that give something back.
 * Sizes of virtual LUNs are in 4096-byte blocks; I/O addresses are in device blocks of the LUN
 * (struct spipe_lun_info.block_size), as the AFU counts them. */
#ifndef CORE_SUPERPIPE_H
#define CORE_SUPERPIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/superpipe_attribute.h"
#include "core/superpipe_event.h"
#include "core/superpipe_port.h"

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
    unsigned rrq_elements;  /* of a hardware queue; 0 = 512 */
    unsigned hwqs;          /* hardware queues, at most 8; 0 = 1: spipe_hwqs_set() */
    unsigned cpus;          /* processors, for spipe_hwqs_set(); 0 = 1 */
    bool wipe_always;       /* every virtual LUN is opened with the option to wipe (VL-65) */
    bool wipe_nothing;  /* chunks that are to be wiped, by what an earlier life recorded too, are
                           not: nobody gets them, and the next adapter without this wipes them.
                           For LUNs that may hold what is no business of the opener's */
    bool luns_disabled; /* LUNs must be enabled before they can be used: spipe_lun_enable() */
    /* An adapter that is open, under the same exec: the two share their LUNs by WWID, with the
     * allocation of their blocks, and the names. `store` is NULL then, since the catalogue is the
     * one of the peer; it lasts until the last of them is closed, in whatever order. */
    struct spipe *peer;
    spipe_event_sink *event_sink; /* is told of events (core/superpipe_event.h); NULL: nobody is */
    void *event_arg;              /* passed to it */
    uint64_t heartbeat_ns; /* how often the heartbeat of the AFU is looked at (SL 20.1); 0 = never.
                              SPIPE_HEARTBEAT_NS is usual */
};

#define SPIPE_HEARTBEAT_NS UINT64_C(5000000000)

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

/** States of an adapter (AD section 14, SP section 10; docs/state-machine.md). Requests wait for
 * one that is being reset; one that failed lets handles and contexts be given back, and nothing
 * else. */
enum spipe_state {
    SPIPE_STATE_PROBING, /* spipe_open() is at work */
    SPIPE_STATE_PROBED,  /* its probe is over, but the adapter does not work: it failed, or the
                            platform recovers the adapter, which spipe_open() waits for */
    SPIPE_STATE_NORMAL,
    SPIPE_STATE_RESET,
    SPIPE_STATE_FAILED, /* for good: FAILTERM */
};

/** Resets the AFU and initialises it again, with contexts open (AD-132, SP-155): requests that run
 * are waited for, then every context is lost (spipe_recover()), while its handles, their sizes and
 * their blocks stay. If a reset is under way, waits for that one. Returns 0; -EIO if the adapter
 * has failed. Blocks; any thread. */
SPIPE_MUST_CHECK int spipe_reset(struct spipe *s);

/** Takes an adapter away from its clients, as before its card is pulled (SP-157): requests that run
 * are waited for, every context is lost, the AFU is taken down for good, and the state is FAILED.
 * Then waits until the last context and adapter file is gone, which is their owners' to do, up to
 * `deadline` on the clock of exec_now(), UINT64_MAX = none. Returns 0: spipe_close() may
 * follow when the clients have been destroyed; or -ETIMEDOUT: the adapter is away, and this may be
 * called again. Blocks; any thread. */
SPIPE_MUST_CHECK int spipe_remove(struct spipe *s, uint64_t deadline);

/** Chooses the disks that the AFU shows (SL 19; AD-201): 0 external LUNs, 1 to 4 memory of its own,
 * as one LUN of 64 KiB (1: blocks of 512 bytes, 2: of 4096) or two of 32 KiB (3, 4), for tests of a
 * card. That is a reset as by spipe_reset(), and a search for LUNs after it (SP-172); LUNs of
 * another mode are known on, and behind no port. While it is not 0, the binary requests RELEASE,
 * USER_VIRTUAL, VLUN_RESIZE and VLUN_CLONE give -EINVAL (SP-14). Returns 0, at once if that is the
 * mode already; -EINVAL; -EBUSY while handles, quarantined chunks or names need a LUN, and nothing
 * happens; -EIO if the adapter has failed, or its LUNs could not be read. Blocks; any thread. */
SPIPE_MUST_CHECK int spipe_internal_lun(struct spipe *s, unsigned mode);

/** Looks for LUNs again on every port, as after a login (AD-94): those that are new can be used
 * from then on, sizes become what the devices say, and what is known already stays, also if it does
 * not answer. Waits for a reset under way. Returns 0; -ENODEV if the adapter has failed or is gone;
 * -EIO if it gave a command up, -ETIMEDOUT if it answered none, -ENOMEM: then LUNs may be missing.
 * Blocks; any thread. */
SPIPE_MUST_CHECK int spipe_rescan(struct spipe *s);

/* ---- hardware queues ---- */

#define SPIPE_HWQS_MAX 8u

/** Sets how many hardware queues SCSI commands are spread over (AD-62, AD-203): n > 0 that many, 0
 * one for each processor, n < 0 one for each -n processors; at least 1, at most 8. That is a reset
 * as by spipe_reset(), after which there are so many. If a reset is under way, waits for it first.
 * Returns 0; -ENOMEM, and nothing happens; -EIO if the adapter has failed. Blocks; any thread. */
SPIPE_MUST_CHECK int spipe_hwqs_set(struct spipe *s, int n);

/** How many there are. Any thread. */
unsigned spipe_hwqs_get(struct spipe *s);

/** Which queue a SCSI command takes if there are several (AD-61). */
enum spipe_hwq_mode {
    SPIPE_HWQ_ROUND_ROBIN, /* one after the other */
    SPIPE_HWQ_TAG,         /* what the command says: struct spipe_scsi.queue */
    SPIPE_HWQ_CPU,         /* by the processor that it is sent from: struct spipe_scsi.cpu */
    SPIPE_HWQ_MODES
};

/** Chooses the mode, from the next command on (AD-62). Returns 0 or -EINVAL. Any thread. */
SPIPE_MUST_CHECK int spipe_hwq_mode_set(struct spipe *s, enum spipe_hwq_mode mode);

/** The mode of now. Any thread. */
enum spipe_hwq_mode spipe_hwq_mode_get(struct spipe *s);

#define SPIPE_IRQPOLL_WEIGHT_MAX 256u

/** Sets how many answers of a hardware queue are taken at a time, before others may use the queue
 * (AD-82..AD-84, AD-202): an interrupt begins a poll, which ends with fewer than that; 0 = all at
 * once, as it is at first. Returns 0; -EINVAL for more than 256, or the weight that it is. Any
 * thread. */
SPIPE_MUST_CHECK int spipe_irqpoll_weight_set(struct spipe *s, unsigned weight);

/** The weight of now. Any thread. */
unsigned spipe_irqpoll_weight_get(struct spipe *s);

/** What is known about an adapter. */
struct spipe_adapter_info {
    char afu_version[9];        /* text */
    uint64_t interface_version; /* register (SL 20.2) */
    unsigned ports;
    uint64_t wwpn[4];    /* 0 = none in VPD */
    bool port_online[4]; /* all false while the state is not NORMAL */
    enum spipe_state state;
    bool write_same_unmaps;
    unsigned luns;
    unsigned internal_lun; /* spipe_internal_lun() */
};

/** Reads state of the adapter; port_online is read from the ports now. */
void spipe_adapter_info(struct spipe *s, struct spipe_adapter_info *out);

/** What the AFU tells of a port by itself (SL 16), and what core does about it. */
enum spipe_port_event {
    SPIPE_PORT_LINK_UP,
    SPIPE_PORT_LINK_DOWN,
    SPIPE_PORT_LOGIN,        /* LUNs are looked for again */
    SPIPE_PORT_LOGIN_FAILED, /* its cause is taken note of, and cleared */
    SPIPE_PORT_LOGIN_RETRY,  /* no answer to a login: the link is reset */
    SPIPE_PORT_CRC,          /* too many damaged frames: the link is reset */
    SPIPE_PORT_LOGOUT,       /* by the target */
    SPIPE_PORT_ERROR,        /* any other: the link is reset, then the error is cleared */
    SPIPE_PORT_EVENTS
};

/** What a port has been through since the adapter was opened. */
struct spipe_port_info {
    uint64_t events[SPIPE_PORT_EVENTS];
    uint64_t resets, resets_failed; /* of the link */
    uint64_t fc_status;             /* register (SL 5.3) at the last event */
    uint64_t fc_error;              /* register when it was cleared for the last time */
};

/** Tells of port 0 .. ports - 1. Returns 0 or -EINVAL. Any thread, in every state. */
SPIPE_MUST_CHECK int spipe_port_info(struct spipe *s, unsigned port, struct spipe_port_info *out);

/** Resets the link of a port, as core does by itself when the AFU reports an error that needs it
 * (AD-93): no new command goes through the port, those on it end, it goes offline and online and
 * may be used again; its error registers are cleared. I/O that has another port goes on, other I/O
 * fails meanwhile. Returns 0; -EINVAL (no such port); -ETIMEDOUT: the link was not down, or not up
 * again, in ten seconds; -EIO or -ETIMEDOUT: an AFU sync failed; -ENODEV, -EINTR as all requests.
 * Whatever it is, the port may be used again afterwards. Blocks, at worst for a minute. */
SPIPE_MUST_CHECK int spipe_port_reset(struct spipe *s, unsigned port);

/** Takes a port offline by hand (AD-91, AD-92): no new command goes through it, those on it end,
 * then its link goes offline. I/O that has another port goes on, other I/O fails. It stays so until
 * spipe_port_online(), or until a reset of its link or of the adapter, which take it online.
 * Returns 0, at once if it is offline already; -EINVAL (no such port, or LUNs are internal ones,
 * which need no link); -ETIMEDOUT: it was not offline in ten seconds, and nothing goes through it
 * all the same; -EIO or -ETIMEDOUT: the AFU sync failed; -ENODEV, -EINTR as all requests. Blocks,
 * at worst for half a minute. */
SPIPE_MUST_CHECK int spipe_port_offline(struct spipe *s, unsigned port);

/** The opposite. LUNs are looked for again when the port has logged in. -ETIMEDOUT: it was not
 * online in ten seconds (no cable, most likely), and will be used when it is. Else as above. */
SPIPE_MUST_CHECK int spipe_port_online(struct spipe *s, unsigned port);

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

/** Adds LUN number `lun` to an attached context (reuse, SP-39). Returns 0, or -EINVAL: it is
 * attached already, the context is lost, or as spipe_attach(). */
SPIPE_MUST_CHECK int spipe_attach_lun(struct spipe_ctx *ctx, unsigned lun);

/** Finds out whether a context is lost, and if so gives it a new hardware context, with everything
 * else as it was: LUNs, handles, sizes, blocks, permissions (SP-89..SP-100). May be called at any
 * time, by the thread that does the I/O of the context: I/O that was in flight must have been
 * returned by spipe_poll() (with -EIO) before. The context handle may be another one afterwards.
 * *recovered tells whether there was something to recover. If the loss is seen by the AFU's silence
 * before the platform tells of it, waits a second and for the reset. Returns 0, -EBUSY (I/O is
 * still in flight), -EINVAL (the context has ended), -ENODEV (no context left, after two seconds of
 * trying, or the adapter failed), -EPERM, -EAGAIN, -EINTR, and what starting a context gives. After
 * an error the context is still lost; the call may be repeated. */
SPIPE_MUST_CHECK int spipe_recover(struct spipe_ctx *ctx, bool *recovered);

/** Whether a context is lost: I/O ends with -EIO, and of the requests on it only spipe_recover(),
 * spipe_resize(), spipe_release() and spipe_detach() do anything (SP-160). */
bool spipe_ctx_lost(struct spipe_ctx *ctx);

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

/** How a virtual LUN is opened. Zero, set size, then what differs. */
struct spipe_open_options {
    size_t size;
    bool wipe; /* its chunks are written with zeros before anybody else gets them (VL-56..VL-64),
                  in the background; until then the LUN has less space. Clones have it too */
};

/** spipe_open_virtual with options; NULL = the defaults. */
SPIPE_MUST_CHECK int spipe_open_virtual_with(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks,
                                             const struct spipe_open_options *options,
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
 * if a LUN was found that cannot keep the names it carries; -ENOMEM. */
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
 * -EINVAL (bad name, length or handle, lost context), -ENOENT (no catalogue), -ENOSPC, -EFBIG,
 * -ENOMEM, -EIO. */
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
    int32_t status;    /* 0 or negative errno (one table, core/context/io_status.c) */
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

/* ---- the adapter as a SCSI host ------------------------------------------------------------- */
/* What a disk driver does with an adapter: any command to any LUN by port and id. These calls are
 * the administrator's, as provisioning is: they know neither contexts nor handles, and whoever
 * writes to blocks that virtual LUNs have writes to their data. They do not keep a reset of the
 * adapter waiting; commands in flight end with SPIPE_DID_IMM_RETRY then. */

/** Host bytes of a SCSI result: what became of a command on its way (SL 18.4). */
enum spipe_host_byte {
    SPIPE_DID_OK = 0x00,         /* see the status byte */
    SPIPE_DID_NO_CONNECT = 0x01, /* no way to the LUN, or the adapter has failed: give up */
    SPIPE_DID_ERROR = 0x07,      /* repeat, some times */
    SPIPE_DID_IMM_RETRY = 0x0C,  /* aborted with others: repeat, without counting */
    SPIPE_DID_REQUEUE = 0x0D,    /* link lost: put it back, without counting */
};

#define SPIPE_RESULT_OF(host) ((uint32_t)(host) << 16)         /* result with this host byte */
#define SPIPE_RESULT_HOST(result) ((uint8_t)((result) >> 16))  /* enum spipe_host_byte */
#define SPIPE_RESULT_STATUS(result) ((uint8_t)((result)&0xFF)) /* SCSI status byte */

/** A host byte in words, for people; "unknown" for a value that is none. */
const char *spipe_host_byte_words(uint8_t host);

#define SPIPE_CDB_BYTES 16
#define SPIPE_SCSI_SENSE_BYTES 20
#define SPIPE_SCSI_DATA_MAX 16777216u /* bytes of one command (AD-11) */
#define SPIPE_SCSI_DEPTH_MAX 256u     /* commands in flight (AD-11) */

/** One SCSI command. Zero, set size, then what is needed. */
struct spipe_scsi {
    size_t size;
    unsigned lun;    /* number of the LUN, unless by_id */
    unsigned port;   /* SPIPE_PORT_ANY only with a number */
    bool by_id;      /* the LUN with `lun_id` at the port, known or not */
    uint64_t lun_id; /* 64-bit LUN id (SL 23.9) */
    uint8_t cdb[SPIPE_CDB_BYTES];
    bool write;          /* the data go to the device */
    void *data;          /* any memory */
    uint32_t length;     /* of the data, bytes; 0 = none */
    uint64_t timeout_ns; /* 0 = 30 s */
    unsigned queue, cpu; /* for SPIPE_HWQ_TAG and SPIPE_HWQ_CPU */

    /* the answer; set when spipe_scsi() or spipe_scsi_wait() returns 0 */
    uint32_t result;   /* status byte | host byte << 16; 0 = good (AD-100..AD-105) */
    uint32_t residual; /* bytes that were not moved, of an underrun (AD-101) */
    bool sense_valid;
    uint8_t sense[SPIPE_SCSI_SENSE_BYTES];
    uint8_t sense_key, asc, ascq;                     /* of them; 0 without sense data */
    uint8_t flags, afu_rc, scsi_rc, fc_rc, afu_extra; /* IOASA (SL 7, SL 18) */
};

/** Sends one command and waits for its end. Data go through memory of the library, which is made
 * for the call. A command that is not answered in time is aborted, by a context reset of its
 * hardware queue, and if that fails by a reset of the adapter as by spipe_reset() (AD-114, AD-132):
 * when this returns nothing is under way any more. Many threads may call at once.
 * Returns 0: it was answered or aborted with others, `result` tells; -EBUSY: not sent, the host is
 * busy (AD-65, AD-70), or the adapter does not answer and is to be recovered (AD-67): try again
 * later; -ETIMEDOUT: aborted; -EINVAL: port, LUN, size, or more than SPIPE_SCSI_DATA_MAX bytes;
 * -ENOENT: no such LUN; -EFAULT: data NULL; -ENOMEM. */
SPIPE_MUST_CHECK int spipe_scsi(struct spipe *s, struct spipe_scsi *command);

/** A command for spipe_scsi_submit(), in memory of the caller's. */
struct spipe_scsi_request {
    struct spipe_scsi command; /* what to do, and the answer */
    uint64_t opaque[96];       /* the library's while the command is under way */
};

/** Sends one command and does not wait for it. The request stays where it is until
 * spipe_scsi_wait() has returned something other than -EAGAIN, and so do the data, at any address,
 * which the AFU works on directly: nothing is copied, allocated or registered. Its time,
 * `timeout_ns`, begins now. Requests count as in flight, for spipe_scsi_depth_set(), until their
 * end was taken; spipe_close() follows when there are none. Many threads may call at once. Looks
 * for a port, at registers, only for SPIPE_PORT_ANY; waits at most until a reset has begun, never
 * for its end. Returns 0: spipe_scsi_wait() follows; else nothing was sent: -EBUSY, -EINVAL,
 * -ENOENT, -EFAULT as spipe_scsi(). */
SPIPE_MUST_CHECK int spipe_scsi_submit(struct spipe *s, struct spipe_scsi_request *request);

/** Takes the end of a command that spipe_scsi_submit() has sent; waits for it until `deadline` on
 * the clock of exec_now(), 0 = only looks. Each end is taken once, whatever brought it: an answer,
 * a reset of the LUN or of the adapter, or the end of its own time, which this aborts at as
 * spipe_scsi() does, a look too: that takes 2 ms, or a reset of the adapter. One thread at a time
 * for a request; any thread. A loop of looks passes time in every back end. Returns 0: it was
 * answered or aborted with others, `command.result` tells; -ETIMEDOUT: aborted; -EAGAIN: it is
 * still under way; -EINVAL: nothing is. */
SPIPE_MUST_CHECK int spipe_scsi_wait(struct spipe *s, struct spipe_scsi_request *request,
                                     uint64_t deadline);

/** Resets a LUN (AD-110..AD-113): commands in flight to it end, those of all contexts, and each
 * port reports a unit attention 29/00 once. `lun`, `port`, `by_id` and `lun_id` of `to` say
 * which. Meanwhile spipe_scsi() gives -EBUSY. Returns 0; -EINVAL, -ENOENT as spipe_scsi();
 * -ETIMEDOUT after 5 s; -EAGAIN or -EBUSY: the adapter is being reset; -EIO: refused, or it has
 * failed; -ENOBUFS, -ENODEV, -EINTR. Blocks; any thread. */
SPIPE_MUST_CHECK int spipe_scsi_reset_lun(struct spipe *s, const struct spipe_scsi *to);

/** Sets how many commands may be in flight, 1 to SPIPE_SCSI_DEPTH_MAX; what is outside of that is
 * brought to the nearest (AD-72). Returns what it is now. Any thread. */
unsigned spipe_scsi_depth_set(struct spipe *s, unsigned depth);

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

/* ---- requests of the administrator ---------------------------------------------------------- */
/* On an adapter, not by a client: the original takes them on a device node of the host that only a
 * system administrator may open (SP-173). There is no node here: who may call these is for whoever
 * hands the adapter out. They need an AFU that can (interface_version of spipe_adapter_info, SL
 * 20.2), pass the gate as every request does, and wait for AFU syncs, up to 20 s. */

/** What a port may have of provisioned LUNs, and has. */
struct spipe_provision_info {
    uint64_t luns_max, luns;
    uint64_t blocks_max, blocks; /* 4096-byte blocks */
};

/** A LUN that was made. */
struct spipe_provisioned_lun {
    uint64_t lun_id; /* at its port */
    uint8_t wwid[16];
};

/** Makes a LUN of `blocks` 4096-byte blocks behind `port` (SP-174, AD-212). It becomes known as
 * devices that appear do: other LUNs of the target report a unit attention 3F/0E, and
 * spipe_verify() with that, or the next spipe_open(), finds it. Returns 0, -EOPNOTSUPP (the AFU
 * cannot), -EINVAL (no such port), -EIO (the AFU or the device refuses), -ENOBUFS, -ETIMEDOUT
 * (asked twice without an answer, and a reset is under way), -ENODEV, -EINTR. If an answer got
 * lost, there may be a LUN more than were told of. */
SPIPE_MUST_CHECK int spipe_lun_provision_create(struct spipe *s, unsigned port, uint64_t blocks,
                                                struct spipe_provisioned_lun *out);

/** Ends a LUN that was made so, with its data (SP-174, AD-212). Returns as above; also -EBUSY while
 * anybody has it attached, or handles, quarantined chunks or names need it, as for
 * spipe_lun_disable(). Its number stays, enabled and found on no port. If an answer got lost, the
 * LUN may be gone although the result is an error. */
SPIPE_MUST_CHECK int spipe_lun_provision_delete(struct spipe *s, unsigned port, uint64_t lun_id);

/** Reads what `port` may have, and has. Returns 0, -EOPNOTSUPP, -EINVAL, -ENODEV, -EINTR. */
SPIPE_MUST_CHECK int spipe_lun_provision_query(struct spipe *s, unsigned port,
                                               struct spipe_provision_info *out);

#define SPIPE_DEBUG_BYTES 12 /* of a debug command; what they mean is the AFU's */
#define SPIPE_DEBUG_DATA_MAX 262144u

/** Sends an AFU debug command (SP-175, AD-213) with `length` bytes of data, to the AFU if `write`
 * is set, else from it; 0 = no data. The data are copied, so any memory will do; after an error
 * nothing was read. Returns 0, -EOPNOTSUPP (the AFU cannot), -EINVAL (more than
 * SPIPE_DEBUG_DATA_MAX), -EFAULT (data NULL), -ENOMEM, -EIO (the AFU refuses, or moved less),
 * -ENOBUFS, -ETIMEDOUT, -ENODEV, -EINTR. */
SPIPE_MUST_CHECK int spipe_afu_debug(struct spipe *s, const uint8_t subcommand[SPIPE_DEBUG_BYTES],
                                     bool write, void *data, uint32_t length);

/** Carries out one HT_CXLFLASH request of core/cxlflash_ioctl.h, as an ioctl on the adapter's
 * device node: same codes, structures, errors and order of checks (SP-173..SP-175, AD-210..AD-214).
 * `arg` is the structure; it is written only if the result is 0. Returns 0 or a negative errno: as
 * the functions above, but -HT_CXLFLASH_ENOTSUPP in place of -EOPNOTSUPP, -EINVAL also for an
 * unknown request or sub-command and a wrong header, and -EFAULT for arg NULL. */
SPIPE_MUST_CHECK int spipe_host_ioctl(struct spipe *s, uint32_t request, void *arg);

/* ---- adapter files: what adap_fd stands for ------------------------------------------------- */

struct spipe_mapping;

/** Maps `length` bytes of the user area of a context from `offset` on, both multiples of 8 (SP-139,
 * SP-140). Returns 0, -EBADF (no such file of this client), -EIO (the context is lost or has
 * ended, or the card does not answer), -EINVAL (beyond 64 KiB), -ENOMEM. */
SPIPE_MUST_CHECK int spipe_adap_map(struct spipe_client *c, uint64_t fd, uint64_t offset,
                                    uint64_t length, struct spipe_mapping **out);

/** Ends a mapping; NULL is ignored. With the last one of a closed file its context ends (SP-148).
 * One whose client is gone is ended by this, too, before the adapter is closed. */
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
