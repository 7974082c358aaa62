/* SPDX-License-Identifier: Apache-2.0 */
/* One command slot: its state from the fetch of its IOARCB to its RRQ element, and the steps that
 * take it there. Included through sim_afu.h. */
#ifndef SIM_AFU_SIM_CMD_H
#define SIM_AFU_SIM_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_cmd.h"
#include "hal/afu_tables.h"
#include "hal/support/bits.h"
#include "sim/sim_engine.h"
#include "sim/sim_scsi.h"

#define SIM_SLOTS_MAX 256
#define SIM_SEGMENTS_MAX 2 /* chunks that 16 MiB touch at most; more: sim_cmd.rest */

struct sim_afu;
struct sim_ctx;

enum sim_cmd_state {
    SIM_CMD_FREE,
    SIM_CMD_FETCH,
    SIM_CMD_WALK_RHT,
    SIM_CMD_WALK_LXT,
    SIM_CMD_BUFFER_QUEUE, /* waits for a data buffer */
    SIM_CMD_PORT,
    SIM_CMD_MEDIA_QUEUE,
    SIM_CMD_MEDIA,
    SIM_CMD_LOST, /* sent to the target, but a fault lets no answer come, or not yet */
    SIM_CMD_DATA,
    SIM_CMD_AFU,   /* internal command at work */
    SIM_CMD_DRAIN, /* heavy-weight sync waiting for commands */
    SIM_CMD_STATUS,
    SIM_CMD_STUCK, /* a fault holds it for ever */
};

/** A contiguous piece of a command on one LUN of one port. */
struct sim_segment {
    uint64_t lun_id, lba;
    uint32_t blocks;
    uint8_t lun_index; /* of an LXT word, until the port is chosen */
    bool whole;        /* the CDB goes to the LUN as it is: lun_id is set, lba and blocks are not */
};

/** Status of a command, before it becomes an IOASA. */
struct sim_status {
    uint32_t resid;
    struct afu_rc rc;
    uint8_t afu_extra;
    bool answer; /* resid and sense hold the answer of an AFU command, not sense data */
    uint8_t sense[SIM_SCSI_SENSE_BYTES];
};

/** What planned faults do to the data and the answer of one command. Zero it for none. */
struct sim_fault_plan {
    uint64_t value;    /* "changed byte" (sim_sites.def) of what a read is going to bring */
    uint32_t hole_at;  /* bytes of the segment from here on ... */
    uint32_t hole;     /* ... so many do not arrive */
    uint32_t lost;     /* bytes by which the data of the segment are short, or too long */
    uint32_t elements; /* RRQ elements of the context when its own was held back */
    uint8_t loss;      /* enum sim_loss */
    uint8_t damage;    /* enum sim_damage */
    bool wrong;        /* `value` applies */
    bool no_response;  /* the target carries it out and its answer is lost */
};

enum sim_loss {
    SIM_LOSS_NONE,
    SIM_LOSS_NOTICED,   /* port and target agree: RESID, underrun */
    SIM_LOSS_UNNOTICED, /* the target thinks that all arrived: RESIDERR */
    SIM_LOSS_TOO_MANY,  /* the target sent more: RESID, overrun */
    SIM_LOSS_DMA,       /* between card and host: underrun */
};

/** Lies of the medium that only contents tell (FK-48). */
enum sim_damage {
    SIM_DAMAGE_NONE,
    SIM_DAMAGE_BIT,         /* one bit is changed */
    SIM_DAMAGE_LOST_WRITE,  /* nothing is written */
    SIM_DAMAGE_WRONG_BLOCK, /* the neighbour is read or written */
    SIM_DAMAGE_TORN_WRITE,  /* the first half is written */
};

/** The bus command that the PSL did not carry out (sim_psl.h). */
struct sim_psl_fault {
    uint8_t code;   /* enum afu_psl_code; 0 = none */
    uint8_t access; /* enum sim_psl_access */
};

/** The time-out of a command, in a ring in order of expiry. */
struct sim_expiry {
    uint64_t cycle; /* 0 = none */
    struct sim_expiry *before, *after;
};

/** One command slot. */
struct sim_cmd {
    struct sim_event event; /* the next step */
    struct sim_afu *afu;
    struct sim_ctx *ctx;
    struct sim_expiry expiry;
    struct sim_cmd *next_waiting; /* for a data buffer, or a place on the medium */
    uint64_t bus_ea;      /* of the entry that a walk reads; in data: what could not be reached */
    uint64_t media_extra; /* cycles that a fault adds on the medium */
    uint16_t slot;
    uint8_t state;
    /* what is 0 when the slot is taken; goes on below */
    uint8_t port, ports; /* chosen, candidates */
    uint8_t bad_frames;  /* a fault damages so many data frames of this exchange */
    bool media_stuck;    /* a fault keeps it on the medium for ever */
    bool interrupted;    /* a fault has sent its interrupt before its element */
    bool has_buffer;     /* a data buffer of the card */
    bool translated;     /* holds a translation of (ctx, handle) */
    bool draining;       /* a heavy-weight sync waits for it */
    bool restart_walk;   /* a sync hit a table walk in progress */
    bool rht_half;       /* one word of the entry is here (rht.fetch) */
    bool entry_valid;    /* entry was read for this command */
    bool sq;             /* fetched from the SQ */
    uint8_t lxt_which;   /* LXT words read so far */
    uint8_t segments, segment;

    uint8_t msi;
    uint16_t ctx_id, flags, timeout_field;
    uint32_t walk_mixed; /* see below */

    /* IOARCB, decoded; from here on a free slot may hold anything (sim_holes.c) */
    uint64_t ea;       /* of the IOARCB */
    uint64_t ioasa_ea; /* behind the IOARCB, or where an SQ slot says */
    uint64_t lun_id, data_ea;
    uint32_t res_hndl; /* or port mask */
    uint32_t data_len;

    /* translation */
    uint64_t lxt[SIM_SEGMENTS_MAX], vlba;
    struct sim_segment part[SIM_SEGMENTS_MAX];
    uint64_t walk_tag; /* with walk_mixed: where in the cache it belongs */
    struct afu_rht_entry entry;

    struct sim_scsi_request rq;
    struct sim_scsi_result rs;

    /* what is 0 when the slot is taken, up to the sense data */
    uint64_t hold_until; /* cycle to which a fault keeps its RRQ element back at most */
    uint64_t late;       /* cycles by which a fault makes its IOASA late */
    struct sim_fault_plan plan;
    struct sim_psl_fault psl;
    uint32_t part_offset; /* bytes of earlier segments */
    uint32_t rest;        /* blocks behind its segments that a WRITE SAME has still to change */
    struct sim_status status;
};

static inline struct sim_cmd *sim_cmd_of(struct sim_event *ev)
{
    return HAL_CONTAINER_OF(ev, struct sim_cmd, event);
}

/** WRITE SAME(16) sends one block, whatever its range is: every segment has all of the data. */
static inline bool sim_cmd_is_same(const struct sim_cmd *c) { return c->rq.cdb[0] == 0x93; }

/** The command is somewhere between the queue of a port and its answer. */
static inline bool sim_cmd_at_port(const struct sim_cmd *c)
{
    return c->state >= SIM_CMD_PORT && c->state <= SIM_CMD_DATA;
}

/* sim_decode.c */
void sim_decode(struct sim_event *ev);

/* sim_timeout.c: time-outs that IOARCBs ask for */
void sim_timeout_init(struct sim_afu *a);
void sim_timeout_start(struct sim_cmd *c, uint64_t cycles);
void sim_timeout_stop(struct sim_cmd *c);
void sim_timeout_expired(struct sim_cmd *c);

/* sim_buffer.c: data buffers */
bool sim_buffer_take(struct sim_cmd *c);  /* false: it waits or has ended */
void sim_buffer_leave(struct sim_cmd *c); /* a command that ends while it waits */
void sim_buffer_free(struct sim_cmd *c);
bool sim_buffer_wanted(const struct sim_afu *a); /* somebody waits and may have one */
void sim_buffer_serve(struct sim_afu *a);

/* sim_target_fault.c: planned faults of exchanges and media */
bool sim_exchange_fault(struct sim_cmd *c, uint64_t arg); /* fc=s; true: it has ended */
void sim_segment_shorten(struct sim_cmd *c, enum sim_loss loss, uint64_t bytes);
void sim_media_plan(struct sim_cmd *c); /* before the data of a segment move */
void sim_loss_merge(struct sim_cmd *c);
int sim_target_finish(struct sim_cmd *c, sim_media_sink *sink, sim_media_source *source);

/* sim_data.c */
void sim_data_again(struct sim_cmd *c); /* the transfer of a segment from its beginning */
void sim_data_in(struct sim_cmd *c);    /* link has delivered: card to host */
void sim_data_out(struct sim_cmd *c);   /* host to card */
int sim_data_finish(struct sim_cmd *c); /* moves the bytes; -EFAULT with c->bus_ea */

/* sim_status.c */
void sim_ioasa_send(struct sim_cmd *c);
void sim_rrq_send(struct sim_cmd *c);
void sim_status(struct sim_cmd *c); /* c->status is set: IOASA, RRQ, interrupt, slot */
void sim_status_afu(struct sim_cmd *c, uint8_t afu_rc, uint8_t afu_extra);
void sim_segment_done(struct sim_cmd *c);     /* c->rs is final: next segment or status */
void sim_segment_done_now(struct sim_cmd *c); /* same, the time to build a status has passed */
void sim_cmd_drop(struct sim_cmd *c);         /* leaves its slot without posting */
void sim_cmd_abort(struct sim_cmd *c);
void sim_abort_context(struct sim_ctx *ctx);

/* sim_afu_command.c */
void sim_afu_command(struct sim_cmd *c);
void sim_task_management(struct sim_cmd *c);
void sim_afu_command_gone(struct sim_cmd *c); /* aborted while at work */
void sim_drain_check(struct sim_cmd *finished);
void sim_afu_command_done(struct sim_cmd *c);
void sim_afu_command_refuse(struct sim_cmd *c, uint8_t key, uint8_t asc, uint8_t ascq);
void sim_exchange_end(struct sim_cmd *c, uint8_t fc_rc); /* early; it is at a port */
void sim_lun_abort(struct sim_afu *a, unsigned lun);     /* ends its commands */
void sim_drain_over(struct sim_afu *a); /* nobody drains any more: the sync is done */

#endif
