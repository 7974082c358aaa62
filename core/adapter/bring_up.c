/* SPDX-License-Identifier: Apache-2.0 */
/* Section 2 of docs/spec/adapter.md as a table of steps. The order of register accesses is
 * normative: tests compare it with the golden trace of that section. */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "core/adapter/vpd.h"
#include "core/mutants.h"
#include "core/port/port_link.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define PORT_PAUSE (100 * SPIPE__MILLISECOND) /* AD-46 */
#define LEGACY_PORTS 2                        /* AD-40 */
#define CRC_THRESHOLD 100                     /* AD-46 */

/* AD-32: the primary has asynchronous events besides. */
enum { PRIMARY_INTERRUPTS = 3, OTHER_INTERRUPTS = 2 };

/* ---- places in the map ---- */

static uint64_t global_reg(uint64_t reg) { return AFU_GLOBAL_BASE + reg; }

static uint64_t host_reg(const struct spipe__hwq *h, uint64_t reg)
{
    return AFU_HOST_BASE(h->ctx->handle) + reg;
}

static uint64_t ctrl_reg(const struct spipe__hwq *h, uint64_t reg)
{
    return AFU_CTRL_BASE(h->ctx->handle) + reg;
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

/* Releases the masters of the first `n` queues, the last one first. */
static void release_some(struct spipe *s, unsigned n)
{
    s->master = NULL;
    while (n-- > 0) {
        CHECK(!s->hwq[n].listening);
        hal_ctx_release(s->hwq[n].ctx);
        s->hwq[n].ctx = NULL;
    }
}

static void release_masters(struct spipe *s) { release_some(s, s->hwqs); }

/* The number of queues is settled here (AD-30, AD-62). */
static int create_masters(struct spipe *s, struct spipe__why why)
{
    __atomic_store_n(&s->hwqs, s->hwqs_wanted, __ATOMIC_RELAXED); /* anybody may ask */
    for (unsigned i = 0; i < s->hwqs; i++) {
        struct hal_ctx *ctx;
        int rc = hal_ctx_create(s->dev, HAL_CTX_MASTER, &ctx);

        if (rc) {
            release_some(s, i);
            return spipe__why(why, rc, "no master context could be created (error %d)", -rc);
        }
        s->hwq[i].ctx = ctx;
    }
    s->master = spipe__primary(s)->ctx;
    return 0;
}

/* Stops the first `n` queues, the last one first. Whatever goes wrong in it, release ends the
 * context. */
static void stop_some(struct spipe *s, unsigned n)
{
    bool failed = false;

    spipe__worker_look(s); /* it may be listening */
    while (n-- > 0)
        failed |= spipe__hwq_stop(&s->hwq[n]) != 0;
    if (failed)
        spipe__worker_want_reset(s);
}

static void stop_masters(struct spipe *s) { stop_some(s, s->hwqs); }

static unsigned interrupts_of(const struct spipe__hwq *h)
{
    return h->number == SPIPE__HWQ_PRIMARY ? PRIMARY_INTERRUPTS : OTHER_INTERRUPTS;
}

static int start_masters(struct spipe *s, struct spipe__why why)
{
    for (unsigned i = 0; i < s->hwqs; i++) {
        struct spipe__hwq *h = &s->hwq[i];
        int rc = hal_ctx_start(h->ctx, interrupts_of(h));

        if (rc) {
            stop_some(s, i);
            return spipe__why(why, rc, "the master context could not be started (error %d)", -rc);
        }
        CHECK(h->ctx->handle < SPIPE__CONTEXTS);
    }
    return 0;
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
    for (unsigned i = 0; i < s->hwqs; i++)
        spipe__queue_set_sq(&s->hwq[i].queue, s->sq);
    return 0;
}

/* AD-40. Right after the AFU reset: later writes change the register. */
static int count_ports(struct spipe *s, struct spipe__why why)
{
    uint64_t mask = spipe__read(s, global_reg(AFU_GLOBAL_AFU_PORT_SEL));
    unsigned ports = LEGACY_PORTS;

    if (mask == HAL_ALL_ONES)
        return spipe__why(why, -ENODEV, "the adapter answers no register access");
    if (mask)
        ports = (unsigned)hal_min64(hal_highest_bit(mask) + 1, SPIPE__PORTS_MAX);
    if (s->ports && ports != s->ports) /* requests rely on it, in a reset too */
        return spipe__why(why, -EIO, "the AFU had %u ports and has %u now", s->ports, ports);
    if (!s->ports)
        s->ports = ports;
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
    for (unsigned i = 0; i < s->hwqs; i++)
        spipe__write(s, host_reg(&s->hwq[i], AFU_HOST_ENDIAN_CTRL),
                     s->order == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE);
    return 0;
}

/* AD-44 */
static int start_queues(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned i = 0; i < s->hwqs; i++)
        spipe__hwq_bind(&s->hwq[i]);
    spipe__worker_forget_reset(s);
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

static void program_ring(struct spipe *s, struct spipe__hwq *h)
{
    spipe__write(s, host_reg(h, AFU_HOST_RRQ_START), spipe__queue_rrq_start(&h->queue));
    spipe__write(s, host_reg(h, AFU_HOST_RRQ_END), spipe__queue_rrq_end(&h->queue));
    if (s->sq) {
        spipe__write(s, host_reg(h, AFU_HOST_SQ_START), spipe__queue_sq_start(&h->queue));
        spipe__write(s, host_reg(h, AFU_HOST_SQ_END), spipe__queue_sq_end(&h->queue));
    }
}

/* AD-46a */
static int program_rings(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned i = 0; i < s->hwqs; i++)
        program_ring(s, &s->hwq[i]);
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
    spipe__write(s, global_reg(AFU_GLOBAL_AFU_PORT_SEL), AFU_PORT_BIT(spipe__lun_ports(s)) - 1);
    return 0;
}

/* AD-46: not with disks in the AFU, which need no link. The pause keeps two ports from disturbing
 * each other (SL 17.1). */
static int set_up_ports(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned port = 0; !s->internal_lun && port < s->ports; port++) {
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
    (void)why;
    if (!(s->interface_version & AFU_IFV_OCXL_LISN))
        return 0;
    for (unsigned i = 0; i < s->hwqs; i++) {
        const struct spipe__hwq *h = &s->hwq[i];
        uint16_t handle = h->ctx->handle;

        for (unsigned k = 0; k < interrupts_of(h); k++)
            spipe__write(s, ctrl_reg(h, AFU_CTRL_LISN_EA(k)), 0);
        spipe__write(s, ctrl_reg(h, AFU_CTRL_LISN_PASID(0)), afu_lisn_pasid(handle, handle));
        spipe__write(s, ctrl_reg(h, AFU_CTRL_LISN_PASID(1)), afu_lisn_pasid(0, handle));
    }
    return 0;
}

/* AD-49a. The read unlocks the write. */
static int take_capabilities(struct spipe *s, struct spipe__why why)
{
    (void)why;
    for (unsigned i = 0; i < s->hwqs; i++) {
        (void)spipe__read(s, ctrl_reg(&s->hwq[i], AFU_CTRL_MBOX_R));
        spipe__write(s, ctrl_reg(&s->hwq[i], AFU_CTRL_CTX_CAP), AFU_CTX_CAP_MASTER);
    }
    return 0;
}

/* AD-49b. Never reset to false: all AFUs of one adapter are the same. */
static int read_unmap(struct spipe *s, struct spipe__why why)
{
    (void)why;
    if (spipe__read(s, host_reg(spipe__primary(s), AFU_HOST_CTX_CTRL)) & AFU_CTX_CTRL_UNMAP)
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
                 afu_ctrl(s->master->handle, AFU_LISN_ASYNC, s->internal_lun));
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_CLEAR), UINT64_MAX);
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_MASK), AFU_AINTR_MASK_NONE);
    spipe__write(s, global_reg(AFU_GLOBAL_AINTR_CLEAR), UINT64_MAX);
    return 0;
}

/* AD-49e */
static int set_lun_mode(struct spipe *s, struct spipe__why why)
{
    uint64_t reg = port_reg(0, AFU_FC_CONFIG2);
    uint64_t rest = spipe__read(s, reg) & ~AFU_FC_CONFIG2_LUN_MODE_MASK;

    (void)why;
    spipe__write(s, reg, rest | afu_fc_config2_lun_mode(s->internal_lun));
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
    (void)why;
    for (unsigned i = 0; i < s->hwqs; i++) {
        uint64_t reg = host_reg(&s->hwq[i], AFU_HOST_CTX_CTRL), value = spipe__read(s, reg);

        s->notes.lisn_was_set |= (value & AFU_CTX_CTRL_LISN_MASK) != 0;
        spipe__write(s, reg, value | AFU_LISN_SYNC_ERROR);
        spipe__write(s, host_reg(&s->hwq[i], AFU_HOST_INTR_MASK), AFU_INTR_MASK_NONE);
    }
    return 0;
}

/* AD-49h. An adapter that died on the way shows here at the latest. Only now may there be commands:
 * whoever was about to send one when the reset began finds an AFU that knows the queue, or none. */
static int read_credits(struct spipe *s, struct spipe__why why)
{
    for (unsigned i = 0; i < s->hwqs; i++)
        if (!spipe__hwq_read_credits(&s->hwq[i]))
            return spipe__why(why, -ENODEV,
                              "the adapter stopped answering during its initialisation");
    for (unsigned i = 0; i < s->hwqs; i++)
        spipe__hwq_go_online(&s->hwq[i]);
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
    {"create master", "AD-31", create_masters, release_masters},
    {"start master", "AD-33", start_masters, stop_masters},
    {"read versions", "AD-35", read_versions, NULL},
    {"choose submission", "AD-36", choose_submission, NULL},
    {"count ports", "AD-40", count_ports, NULL},
    {"clear contexts", "AD-41", clear_contexts, NULL},
    {"set byte order", "AD-42", set_byte_order, NULL},
    {"start queue", "AD-44", start_queues, NULL},
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
    {"clear LUN mode", "AD-49e", set_lun_mode, NULL},
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

/* What it met that changes nothing else. Time-outs of ports were told when they happened. */
static void report(struct spipe *s)
{
    const struct spipe__bring_up_notes *notes = &s->notes;

    if (notes->reload_refused)
        spipe__event(s, RELOAD_REFUSED, 0);
    for (unsigned port = 0; port < s->ports; port++)
        if (notes->wwpn_missing & AFU_PORT_BIT(port))
            spipe__event(s, WWPN_MISSING, port);
    if (notes->lisn_was_set)
        spipe__event(s, LISN_SET, 0);
    spipe__event(s, AFU_READY, s->generation);
}

int spipe__bring_up(struct spipe *s, struct spipe__why why)
{
    for (unsigned i = 0; i < STEPS; i++) {
        int rc;

        hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_BRING_UP, i);
        rc = steps[i].run(s, why);
        if (rc) {
            spipe__event(s, BRING_UP_FAILED, spipe__text(steps[i].name),
                         spipe__text(steps[i].requirement), spipe__result(rc));
            undo(s, spipe__mutant(D_9) ? 0 : i);
            return rc;
        }
    }
    __atomic_store_n(&s->generation, s->generation + 1, __ATOMIC_RELEASE);
    report(s);
    return 0;
}

void spipe__take_down(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->internal); /* AD-52: no internal command is running */
    if (s->master)
        undo(s, STEPS);
    exec_mutex_unlock(s->exec, &s->internal);
}
