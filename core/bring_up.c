/* SPDX-License-Identifier: Apache-2.0 */
/* Section 2 of docs/spec/adapter.md as a table of steps. The order of register accesses is
 * normative: tests compare it with the golden trace of that section. */
#include <errno.h>

#include "core/adapter.h"
#include "core/pause.h"
#include "core/port_link.h"
#include "core/vpd.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define PORT_PAUSE (100 * SPIPE__MILLISECOND) /* AD-46 */
#define LEGACY_PORTS 2                        /* AD-40 */
#define CRC_THRESHOLD 100                     /* AD-46 */

enum { MASTER_INTERRUPTS = 3 }; /* AD-32 */

/* ---- places in the map ---- */

static uint64_t global_reg(uint64_t reg) { return AFU_GLOBAL_BASE + reg; }

static uint64_t host_reg(const struct spipe *s, uint64_t reg)
{
    return AFU_HOST_BASE(s->master->handle) + reg;
}

static uint64_t ctrl_reg(const struct spipe *s, uint64_t reg)
{
    return AFU_CTRL_BASE(s->master->handle) + reg;
}

static uint64_t port_reg(unsigned port, uint64_t reg) { return AFU_PORT_REGS(port) + reg; }

/* ---- steps ---- */

/* A platform that cannot be told does what it does; only a dead one is an error. */
static int tell_reload(struct spipe *s, struct spipe__why why)
{
    int rc = hal_reload_same_image(s->dev, true);

    s->notes = (struct spipe__bring_up_notes){.reload_refused = rc != 0};
    if (rc == -ENODEV)
        return spipe__why(why, rc, "the adapter is not there");
    return 0;
}

static int reset_afu(struct spipe *s, struct spipe__why why)
{
    int rc = hal_afu_reset(s->dev);

    if (rc == -EBUSY)
        return spipe__why(why, rc, "the AFU cannot be reset while a context of it is open");
    if (rc)
        return spipe__why(why, rc, "the AFU reset failed (error %d)", -rc);
    return 0;
}

static int create_master(struct spipe *s, struct spipe__why why)
{
    struct hal_ctx *ctx;
    int rc = hal_ctx_create(s->dev, HAL_CTX_MASTER, &ctx);

    if (rc)
        return spipe__why(why, rc, "no master context could be created (error %d)", -rc);
    s->master = ctx;
    return 0;
}

static void release_master(struct spipe *s)
{
    hal_ctx_release(s->master);
    s->master = NULL;
}

static int start_master(struct spipe *s, struct spipe__why why)
{
    int rc = hal_ctx_start(s->master, MASTER_INTERRUPTS);

    if (rc)
        return spipe__why(why, rc, "the master context could not be started (error %d)", -rc);
    CHECK(s->master->handle < SPIPE__CONTEXTS);
    return 0;
}

/* Whatever goes wrong in a stop, release ends the context. */
static void stop_master(struct spipe *s)
{
    if (hal_ctx_stop(s->master))
        s->reset_wanted = true;
}

/* AD-35. All ones in interface_version is an old AFU, or no AFU at all; a second register that is
 * never all ones tells which. */
static int read_versions(struct spipe *s, struct spipe__why why)
{
    /* A number on the bus whose bytes are text: most significant first. */
    hal_be64_put(s->afu_version, spipe__read(s, global_reg(AFU_GLOBAL_AFU_VERSION)));
    s->afu_version[8] = '\0';
    s->interface_version = spipe__read(s, global_reg(AFU_GLOBAL_INTERFACE_VERSION));
    if (s->interface_version != AFU_IFV_TOO_OLD)
        return 0;
    if (spipe__read(s, global_reg(AFU_GLOBAL_AFU_PORT_SEL)) == HAL_ALL_ONES)
        return spipe__why(why, -ENODEV, "the adapter answers no register access");
    return spipe__why(why, -EINVAL, "the AFU is too old: it has no interface version");
}

/* AD-36 */
static int choose_submission(struct spipe *s, struct spipe__why why)
{
    (void)why;
    s->sq = s->interface_version & AFU_IFV_SQ;
    spipe__queue_set_sq(&s->queue, s->sq);
    return 0;
}

/* AD-40. Right after the AFU reset: later writes change the register. */
static int count_ports(struct spipe *s, struct spipe__why why)
{
    uint64_t mask = spipe__read(s, global_reg(AFU_GLOBAL_AFU_PORT_SEL));

    if (mask == HAL_ALL_ONES)
        return spipe__why(why, -ENODEV, "the adapter answers no register access");
    s->ports = LEGACY_PORTS;
    if (mask)
        s->ports = (unsigned)hal_min64(hal_highest_bit(mask) + 1, SPIPE__PORTS_MAX);
    return 0;
}

/* AD-41 */
static int clear_contexts(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned i = 0; i < SPIPE__CONTEXTS; i++) {
        spipe__write(s, AFU_CTRL_BASE(i) + AFU_CTRL_RHT_START, 0);
        spipe__write(s, AFU_CTRL_BASE(i) + AFU_CTRL_RHT_CNT_ID, 0);
        spipe__write(s, AFU_CTRL_BASE(i) + AFU_CTRL_CTX_CAP, 0);
    }
    return 0;
}

/* AD-42 */
static int set_byte_order(struct spipe *s, struct spipe__why why)
{
    (void)why;
    spipe__write(s, host_reg(s, AFU_HOST_ENDIAN_CTRL),
                 s->order == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE);
    return 0;
}

/* AD-44 */
static int start_queue(struct spipe *s, struct spipe__why why)
{
    (void)why;
    spipe__queue_bind(&s->queue, s->master);
    s->master_stuck = false;
    s->reset_wanted = false;
    return 0;
}

/* AD-45 */
static int read_vpd(struct spipe *s, struct spipe__why why)
{
    uint8_t vpd[SPIPE__VPD_SIZE];
    size_t length = 0;
    int rc = hal_vpd_read(s->dev, vpd, sizeof vpd, &length);

    if (rc || length == 0)
        return spipe__why(why, rc ? rc : -ENODEV, "the adapter has no vital product data");
    for (unsigned port = 0; port < s->ports; port++) {
        rc = spipe__vpd_wwpn(vpd, length, port, &s->wwpn[port]);
        if (rc)
            return spipe__why(why, rc,
                              "the name of port %u in the vital product data is not 16 "
                              "hexadecimal digits",
                              port);
        if (!s->wwpn[port])
            s->notes.wwpn_missing |= AFU_PORT_BIT(port);
    }
    return 0;
}

/* AD-46a */
static int program_rings(struct spipe *s, struct spipe__why why)
{
    (void)why;
    spipe__write(s, host_reg(s, AFU_HOST_RRQ_START), spipe__queue_rrq_start(&s->queue));
    spipe__write(s, host_reg(s, AFU_HOST_RRQ_END), spipe__queue_rrq_end(&s->queue));
    if (s->sq) {
        spipe__write(s, host_reg(s, AFU_HOST_SQ_START), spipe__queue_sq_start(&s->queue));
        spipe__write(s, host_reg(s, AFU_HOST_SQ_END), spipe__queue_sq_end(&s->queue));
    }
    return 0;
}

/* AD-46b */
static int configure_afu(struct spipe *s, struct spipe__why why)
{
    uint64_t reg = global_reg(AFU_GLOBAL_AFU_CONFIG);
    uint64_t set = AFU_CONFIG_AR_ALL | (s->order == HAL_ORDER_BIG ? 0 : AFU_CONFIG_ENDIAN_LITTLE);

    (void)why;
    spipe__write(s, reg, spipe__read(s, reg) | set);
    return 0;
}

/* AD-46c */
static int select_ports(struct spipe *s, struct spipe__why why)
{
    (void)why;
    spipe__write(s, global_reg(AFU_GLOBAL_AFU_PORT_SEL), AFU_PORT_BIT(s->ports) - 1);
    return 0;
}

/* AD-46. The pause keeps two ports from disturbing each other (SL 17.1). */
static int set_up_ports(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned port = 0; port < s->ports; port++) {
        spipe__write(s, port_reg(port, AFU_FC_ERRMSK), 0);
        (void)spipe__read(s, port_reg(port, AFU_FC_CNT_CRCERR)); /* reading clears it */
        spipe__write(s, port_reg(port, AFU_FC_CRC_THRESH), CRC_THRESHOLD);
        if (s->wwpn[port])
            spipe__link_set_wwpn(s, port, s->wwpn[port]);
        spipe__pause(s->exec, PORT_PAUSE);
    }
    return 0;
}

/* AD-48. A CAPI back end has no trigger addresses: they are 0 (AD-228). */
static int program_lisns(struct spipe *s, struct spipe__why why)
{
    uint16_t handle = s->master->handle;

    (void)why;
    if (!(s->interface_version & AFU_IFV_OCXL_LISN))
        return 0;
    for (unsigned i = 0; i < MASTER_INTERRUPTS; i++)
        spipe__write(s, ctrl_reg(s, AFU_CTRL_LISN_EA(i)), 0);
    spipe__write(s, ctrl_reg(s, AFU_CTRL_LISN_PASID(0)), afu_lisn_pasid(handle, handle));
    spipe__write(s, ctrl_reg(s, AFU_CTRL_LISN_PASID(1)), afu_lisn_pasid(0, handle));
    return 0;
}

/* AD-49a. The read unlocks the write. */
static int take_capabilities(struct spipe *s, struct spipe__why why)
{
    (void)why;
    (void)spipe__read(s, ctrl_reg(s, AFU_CTRL_MBOX_R));
    spipe__write(s, ctrl_reg(s, AFU_CTRL_CTX_CAP), AFU_CTX_CAP_MASTER);
    return 0;
}

/* AD-49b. Never reset to false: all AFUs of one adapter are the same. */
static int read_unmap(struct spipe *s, struct spipe__why why)
{
    (void)why;
    if (spipe__read(s, host_reg(s, AFU_HOST_CTX_CTRL)) & AFU_CTX_CTRL_UNMAP)
        s->ws_unmap = true;
    return 0;
}

/* AD-49c */
static int read_heartbeat(struct spipe *s, struct spipe__why why)
{
    (void)why;
    s->heartbeat = spipe__read(s, global_reg(AFU_GLOBAL_AFU_HB));
    return 0;
}

/* AD-49d. Cleared twice: what latched before the mask opened must not be lost nor be old. */
static int route_async_interrupts(struct spipe *s, struct spipe__why why)
{
    (void)why;
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_MASK), UINT64_MAX);
    spipe__write(s, global_reg(AFU_GLOBAL_AFU_CTRL),
                 afu_ctrl(s->master->handle, AFU_LISN_ASYNC, false));
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_CLEAR), UINT64_MAX);
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_MASK), AFU_AINTR_MASK_NONE);
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_CLEAR), UINT64_MAX);
    return 0;
}

/* AD-49e: no internal LUN. */
static int clear_lun_mode(struct spipe *s, struct spipe__why why)
{
    uint64_t reg = port_reg(0, AFU_FC_CONFIG2);

    (void)why;
    spipe__write(s, reg, spipe__read(s, reg) & ~AFU_FC_CONFIG2_LUN_MODE_MASK);
    return 0;
}

/* AD-49f */
static int clear_port_errors(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned port = 0; port < s->ports; port++) {
        spipe__write(s, port_reg(port, AFU_FC_ERROR), AFU_FC_ERROR_CLEAR_ALL);
        spipe__write(s, port_reg(port, AFU_FC_ERRCAP), 0);
    }
    return 0;
}

/* AD-49g */
static int route_sync_interrupts(struct spipe *s, struct spipe__why why)
{
    uint64_t reg = host_reg(s, AFU_HOST_CTX_CTRL), value = spipe__read(s, reg);

    (void)why;
    s->notes.lisn_was_set = value & AFU_CTX_CTRL_LISN_MASK;
    spipe__write(s, reg, value | AFU_LISN_SYNC_ERROR);
    spipe__write(s, host_reg(s, AFU_HOST_INTR_MASK), AFU_INTR_MASK_NONE);
    return 0;
}

/* AD-49h. An adapter that died on the way shows here at the latest. */
static int read_credits(struct spipe *s, struct spipe__why why)
{
    (void)spipe__queue_refill(&s->queue);
    if (s->queue.gone)
        return spipe__why(why, -ENODEV, "the adapter stopped answering during its initialisation");
    return 0;
}

/* AD-49i */
static int restore_lun_table(struct spipe *s, struct spipe__why why)
{
    (void)why;
    spipe__lun_table_restore(s);
    return 0;
}

/* ---- the machine ---- */

static const struct spipe__bring_up_step steps[] = {
    {"tell reload", "AD-30", tell_reload, NULL},
    {"reset AFU", "AD-31", reset_afu, NULL},
    {"create master", "AD-31", create_master, release_master},
    {"start master", "AD-33", start_master, stop_master},
    {"read versions", "AD-35", read_versions, NULL},
    {"choose submission", "AD-36", choose_submission, NULL},
    {"count ports", "AD-40", count_ports, NULL},
    {"clear contexts", "AD-41", clear_contexts, NULL},
    {"set byte order", "AD-42", set_byte_order, NULL},
    {"start queue", "AD-44", start_queue, NULL},
    {"read VPD", "AD-45", read_vpd, NULL},
    {"program rings", "AD-46a", program_rings, NULL},
    {"configure AFU", "AD-46b", configure_afu, NULL},
    {"select ports", "AD-46c", select_ports, NULL},
    {"set up ports", "AD-46", set_up_ports, NULL},
    {"program LISNs", "AD-48", program_lisns, NULL},
    {"take capabilities", "AD-49a", take_capabilities, NULL},
    {"read unmap", "AD-49b", read_unmap, NULL},
    {"read heartbeat", "AD-49c", read_heartbeat, NULL},
    {"route async interrupts", "AD-49d", route_async_interrupts, NULL},
    {"clear LUN mode", "AD-49e", clear_lun_mode, NULL},
    {"clear port errors", "AD-49f", clear_port_errors, NULL},
    {"route sync interrupts", "AD-49g", route_sync_interrupts, NULL},
    {"read credits", "AD-49h", read_credits, NULL},
    {"restore LUN table", "AD-49i", restore_lun_table, NULL},
};

enum { STEPS = HAL_ARRAY_LENGTH(steps) };

const struct spipe__bring_up_step *spipe__bring_up_steps(unsigned *count)
{
    *count = STEPS;
    return steps;
}

/* Undoes the first `n` steps, the last one first (AD-49j, D-9). */
static void undo(struct spipe *s, unsigned n)
{
    while (n-- > 0)
        if (steps[n].undo)
            steps[n].undo(s);
}

int spipe__bring_up(struct spipe *s, struct spipe__why why)
{
    for (unsigned i = 0; i < STEPS; i++) {
        int rc;

        hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_BRING_UP, i);
        rc = steps[i].run(s, why);
        if (rc) {
            undo(s, i);
            return rc;
        }
    }
    s->generation++;
    return 0;
}

void spipe__take_down(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->internal); /* AD-52: no command of the master is running */
    if (s->master)
        undo(s, STEPS);
    exec_mutex_unlock(s->exec, &s->internal);
}
