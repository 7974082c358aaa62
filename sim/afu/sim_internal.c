/* SPDX-License-Identifier: Apache-2.0 */
/* Internal LUN modes (SL 19, MD-16, R-25): memory of the FPGA as a disk of 64 KiB, behind port 0,
 * which then needs no link. The mode is what afu_ctrl[0] and FC_CONFIG2[33:32] of port 0 say when
 * the first command after an AFU reset is decoded, and stays until the next AFU reset (decision
 * 0004).
 *
 * While a mode is on, the target of the adapter is another one, with media of its own inside the
 * world; the external one waits as it was. */
#include "hal/support/check.h"
#include "sim/afu/sim_afu.h"

#define BYTES UINT64_C(65536)
/* State, tables, and for each LUN one piece with its bitmap page. */
#define ARENA_BYTES (UINT64_C(512) * 1024 + 2 * (SIM_MEDIA_PIECE_BYTES + 4096))
#define SERIAL UINT64_C(0x494E544C00000000) /* "INTL", then the number of the adapter */

struct sim_internal {
    struct sim_media *media; /* in the arena; NULL before the first use */
    void *arena;
    uint8_t mode;            /* of the media */
    struct sim_scsi outside; /* the external target meanwhile */
};

static uint8_t selected(const struct sim_afu *a)
{
    uint64_t field = a->port[0].reg[SIM_FC_CONFIG2] & AFU_FC_CONFIG2_LUN_MODE_MASK;

    if (!(a->afu_ctrl & AFU_INTERNAL_LUN))
        return 0;
    return (uint8_t)(1 + (field >> AFU_FC_CONFIG2_LUN_MODE_SHIFT));
}

/* Modes 1 and 2 have one LUN, 3 and 4 two; the odd ones have blocks of 512 bytes. */
static void make_media(struct sim_afu *a, struct sim_internal *in, uint8_t mode)
{
    struct sim_media_lun luns[2];
    struct sim_media_opts opts = {
        .luns = luns, .n_luns = mode > 2 ? 2 : 1, .arena_bytes = ARENA_BYTES, .arena = in->arena};

    for (unsigned i = 0; i < opts.n_luns; i++) {
        luns[i] = (struct sim_media_lun){.block_size = mode % 2 ? 512 : 4096, .port_mask = 1};
        luns[i].blocks = BYTES / opts.n_luns / luns[i].block_size;
        sim_media_make_wwid(SERIAL | a->number, i, luns[i].wwid);
    }
    CHECK(sim_media_create(&opts, &in->media, NULL, 0) == 0); /* there is room by construction */
    in->mode = mode;
}

/* Memory for the first mode of this adapter; false: the world is full. */
static bool have_room(struct sim_afu *a)
{
    struct sim_internal *in = a->inside;

    if (in)
        return true;
    in = sim_world_alloc(a->world, sizeof *in, 64);
    if (!in)
        return false;
    in->arena = sim_world_alloc(a->world, ARENA_BYTES, 4096);
    if (!in->arena) {
        sim_world_free(a->world, in, sizeof *in);
        return false;
    }
    a->inside = in;
    return true;
}

/* Nothing is in flight when the target changes. */
static void use_target(struct sim_afu *a, const struct sim_scsi *target)
{
    a->scsi = *target;
    for (unsigned lun = 0; lun < sim_media_n_luns(a->scsi.media); lun++)
        sim_media_stage_reset(a, lun);
}

static void enter(struct sim_afu *a, uint8_t mode)
{
    struct sim_internal *in;
    struct sim_scsi target;

    a->internal_mode = mode;
    sim_links_settle(a);
    if (!have_room(a))
        return; /* a disk that failed: no port takes a command */
    in = a->inside;
    if (!in->media || in->mode != mode)
        make_media(a, in, mode);
    in->outside = a->scsi;
    sim_scsi_init(&target, in->media);
    target.lbprz = in->outside.lbprz;
    use_target(a, &target);
}

void sim_internal_fix(struct sim_afu *a)
{
    uint8_t mode = selected(a);

    a->internal_fixed = true;
    if (mode)
        enter(a, mode);
}

void sim_internal_reset(struct sim_afu *a)
{
    if (a->internal_mode && a->inside)
        use_target(a, &a->inside->outside);
    a->internal_mode = 0;
    sim_links_settle(a);
    a->internal_fixed = false;
}

/* A change that the AFU will not see: it looks only after a reset. */
void sim_internal_selection_changed(struct sim_afu *a)
{
    if (a->internal_fixed && selected(a) != a->internal_mode)
        sim_violation(a, SIM_NOBODY, SIM_RULE_LUN_MODE, selected(a));
}

bool sim_internal_ready(const struct sim_afu *a) { return a->inside; }

void sim_internal_free(struct sim_afu *a)
{
    if (!a->inside)
        return;
    sim_world_free(a->world, a->inside->arena, ARENA_BYTES);
    sim_world_free(a->world, a->inside, sizeof *a->inside);
}
