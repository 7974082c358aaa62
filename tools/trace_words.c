/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/afu_cmd.h"
#include "hal/afu_names.h"
#include "hal/afu_regs.h"
#include "hal/support/bits.h"
#include "sim/sim_fault.h"
#include "tools/text.h"

/* A text that grows. */
struct words {
    char *buf;
    size_t size;
};

#define PUT(w, ...) text_append((w)->buf, (w)->size, __VA_ARGS__)

/* ---- single fields ---- */

const char *trace_opcode_name(uint8_t opcode)
{
    static const struct {
        uint8_t opcode;
        const char *name;
    } names[] = {
        {0x00, "TEST UNIT READY"},
        {0x03, "REQUEST SENSE"},
        {0x08, "READ(6)"},
        {0x0A, "WRITE(6)"},
        {0x12, "INQUIRY"},
        {0x1A, "MODE SENSE(6)"},
        {0x1B, "START STOP UNIT"},
        {0x25, "READ CAPACITY(10)"},
        {0x28, "READ(10)"},
        {0x2A, "WRITE(10)"},
        {0x35, "SYNCHRONIZE CACHE(10)"},
        {0x42, "UNMAP"},
        {0x5A, "MODE SENSE(10)"},
        {0x88, "READ(16)"},
        {0x8A, "WRITE(16)"},
        {0x91, "SYNCHRONIZE CACHE(16)"},
        {0x93, "WRITE SAME(16)"},
        {0x9E, "SERVICE ACTION IN(16)"},
        {0xA0, "REPORT LUNS"},
        {0xA8, "READ(12)"},
        {0xAA, "WRITE(12)"},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(names); i++)
        if (names[i].opcode == opcode)
            return names[i].name;
    return AFU_NAME_UNKNOWN;
}

static void put_address(struct words *w, uint64_t canonical)
{
    uint64_t region = canonical >> SIM_TRACE_OFFSET_BITS;
    uint64_t offset = canonical & (HAL_BIT(SIM_TRACE_OFFSET_BITS) - 1);

    if (region == SIM_TRACE_REGION_UNKNOWN)
        PUT(w, "outside of all regions (%" PRIu64 ")", offset);
    else
        PUT(w, "region %" PRIu64 " + 0x%" PRIx64, region, offset);
}

static bool is_hex(const char *field)
{
    static const char *const list[] = {"bits",   "dsisr",   "element", "ioasc", "offset", "opcode",
                                       "status", "request", "value",   "word0", "word1"};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(list); i++)
        if (!strcmp(field, list[i]))
            return true;
    return false;
}

/* A field by its name alone. */
static void put_field(struct words *w, const char *field, uint64_t value)
{
    if (!strcmp(field, "none"))
        return;
    PUT(w, "%s%s ", *w->buf ? ", " : "", field);
    if (!strcmp(field, "address"))
        put_address(w, value);
    else if (is_hex(field))
        PUT(w, "0x%" PRIx64, value);
    else
        PUT(w, "%" PRIu64, value);
}

/* Registers that hold addresses, which are canonical in a trace. */
static bool holds_address(const char *reg)
{
    static const char *const list[] = {"].rrq_start", "].rrq_end", "].sq_start", "].sq_end",
                                       "].rht_start"};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(list); i++)
        if (strstr(reg, list[i]))
            return true;
    return false;
}

static void put_register(struct words *w, const struct sim_trace_record *r)
{
    char reg[AFU_REG_NAME_MAX];

    PUT(w, ", %s = ", afu_reg_name(r->a, reg, sizeof reg));
    if (r->kind == SIM_EVENT_MMIO_WRITE && holds_address(reg))
        put_address(w, r->b);
    else
        PUT(w, "0x%" PRIx64, r->b);
}

/* ---- commands ---- */

static void put_request(struct words *w, const struct sim_trace_record *r)
{
    uint64_t flags = r->a >> 32, target = r->a & UINT32_MAX;

    if (flags & AFU_REQ_AFU_CMD)
        PUT(w, ", AFU command");
    else if (flags & AFU_REQ_TMF_CMD)
        PUT(w, ", task management");
    else if (flags & AFU_REQ_HOST_WRITE)
        PUT(w, ", to the device");
    else
        PUT(w, ", from the device or no data");
    if (flags & AFU_REQ_RES_HNDL)
        PUT(w, ", handle %" PRIu64, target);
    else
        PUT(w, ", ports 0x%" PRIx64, target);
    if (flags & AFU_REQ_SUP_UNDERRUN)
        PUT(w, ", underrun allowed");
    if (flags & (AFU_REQ_AFU_CMD | AFU_REQ_TMF_CMD))
        PUT(w, ", cdb[2..9] 0x%" PRIx64, r->b);
    else
        PUT(w, ", lba %" PRIu64, r->b);
}

/* The four status bytes, those that are not good by name. */
static void put_ioasc(struct words *w, const struct sim_trace_record *r)
{
    uint8_t flags = (uint8_t)(r->a >> 24), afu = (uint8_t)(r->a >> 16);
    uint8_t scsi = (uint8_t)(r->a >> 8), fc = (uint8_t)r->a;

    PUT(w, ", ioasc 0x%08" PRIx64, r->a);
    if (!afu && !scsi && !fc)
        PUT(w, " good");
    if (afu)
        PUT(w, " afu_rc %s", afu_rc_name(afu));
    if (scsi)
        PUT(w, " scsi_rc %s", afu_scsi_rc_name(scsi));
    if (fc)
        PUT(w, " fc_rc %s", afu_fc_rc_name(fc));
    if (flags & AFU_RC_FLAG_SENSE_VALID)
        PUT(w, ", sense data");
    if (flags & AFU_RC_FLAG_FCP_RSP_CODE_VALID)
        PUT(w, ", FCP response code");
    if (flags & AFU_RC_FLAG_OVERRUN)
        PUT(w, ", overrun");
    if (flags & AFU_RC_FLAG_UNDERRUN)
        PUT(w, ", underrun");
    PUT(w, ", resid %" PRIu64, r->b);
}

static void put_miss(struct words *w, const struct sim_trace_record *r)
{
    PUT(w, ", handle %" PRIu64, r->a);
    if (r->b == UINT64_MAX)
        PUT(w, ", RHT entry");
    else
        PUT(w, ", LXT entry %" PRIu64, r->b);
}

static void put_afu_command(struct words *w, const struct sim_trace_record *r)
{
    if (r->b == 0xFF)
        PUT(w, ", task management 0x%" PRIx64 "%s", r->a,
            r->a == AFU_TMF_LUN_RESET   ? " LUN reset"
            : r->a == AFU_TMF_CLEAR_ACA ? " clear ACA"
                                        : "");
    else
        PUT(w, ", 0x%" PRIx64 " %s, mode %" PRIu64 " %s", r->a, afu_cmd_name((uint8_t)r->a), r->b,
            afu_sync_name((uint8_t)r->b));
}

/* ---- interrupts ---- */

static void put_interrupt(struct words *w, const struct sim_trace_record *r)
{
    static const char *const names[] = {"", " synchronous error", " RRQ", " asynchronous event"};

    PUT(w, ", lisn %" PRIu64 "%s, pending 0x%" PRIx64, r->a,
        r->a < HAL_ARRAY_LENGTH(names) ? names[r->a] : "", r->b);
}

static void put_intr_status(struct words *w, const struct sim_trace_record *r)
{
    static const char *const names[] = {
        "TEMP_ERR_PAGEIN",       "PERM_ERR_RRQ_WRITE",    "PERM_ERR_SA_WRITE",
        "PERM_ERR_RCB_READ",     "PERM_ERR_CMDROOM",      "PERM_ERR_LISN_1_PASID",
        "PERM_ERR_LISN_2_PASID", "PERM_ERR_LISN_3_PASID", "PERM_ERR_LISN_1_EA",
        "PERM_ERR_LISN_2_EA",    "PERM_ERR_LISN_3_EA",
    };

    PUT(w, ", bits 0x%" PRIx64, r->a);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(names); i++)
        if (r->a & HAL_BIT(i))
            PUT(w, " %s", names[i]);
    PUT(w, ", status 0x%" PRIx64, r->b);
}

static void put_aintr_status(struct words *w, const struct sim_trace_record *r)
{
    PUT(w, "bits 0x%" PRIx64, r->a);
    for (unsigned port = 0; port < 4; port++)
        for (unsigned e = 0; e < AFU_AINTR_EVENTS; e++)
            if (r->a & AFU_AINTR(port, e))
                PUT(w, " port %u %s", port, afu_aintr_name(e));
    PUT(w, ", status 0x%" PRIx64, r->b);
}

/* ---- the rest ---- */

static void put_link(struct words *w, const struct sim_trace_record *r)
{
    static const char *const names[] = {"online",    "going down",           "offline",
                                        "going up",  "waits for the fabric", "waits for the target",
                                        "logged out"};

    if (r->a < HAL_ARRAY_LENGTH(names))
        PUT(w, ", %s", names[r->a]);
    else
        PUT(w, ", state %" PRIu64, r->a);
}

/* The text of a site without its end in brackets, which is about arguments of a plan. */
static void put_place(struct words *w, const char *text)
{
    size_t n = strcspn(text, "(");

    PUT(w, ", %.*s", (int)(text[n] && n ? n - 1 : n), text);
}

/* As in a plan: "rrq#17=d". */
static void put_fault(struct words *w, const struct sim_trace_record *r)
{
    bool known = r->who < SIM_SITE_COUNT;

    PUT(w, "%s#%" PRIu64 "=%c", known ? sim_site_name((enum sim_site)r->who) : "?", r->b,
        r->a > ' ' && r->a <= '~' ? (int)r->a : '?');
    if (known)
        put_place(w, sim_site_text((enum sim_site)r->who));
}

static void put_xlt_drop(struct words *w, const struct sim_trace_record *r)
{
    if (r->who >= 0xFFFF)
        PUT(w, "all contexts");
    else
        PUT(w, "context %" PRIu32, r->who);
    if (r->a <= UINT16_MAX)
        PUT(w, ", handle %" PRIu64, r->a);
    else
        PUT(w, ", all handles");
    PUT(w, ", entries %" PRIu64, r->b);
}

/* Puts what comes after `who`; false = by the names of the fields. */
static bool put_rest(struct words *w, const struct sim_trace_record *r)
{
    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_MMIO_WRITE:
    case SIM_EVENT_MMIO_READ:
        put_register(w, r);
        return true;
    case SIM_EVENT_DECODE:
        put_request(w, r);
        return true;
    case SIM_EVENT_XLT_MISS:
        put_miss(w, r);
        return true;
    case SIM_EVENT_PORT_START:
        PUT(w, ", port %" PRIu64 ", opcode 0x%02" PRIx64 " %s", r->a, r->b,
            trace_opcode_name((uint8_t)r->b));
        return true;
    case SIM_EVENT_MEDIA_DONE:
        PUT(w, ", lun %" PRIu64 ", status 0x%02" PRIx64 " %s", r->a, r->b,
            afu_scsi_rc_name((uint8_t)r->b));
        return true;
    case SIM_EVENT_IOASA:
        put_ioasc(w, r);
        return true;
    case SIM_EVENT_RRQ:
        PUT(w, ", context %" PRIu64 ", element ", r->a);
        put_address(w, r->b & ~UINT64_C(1));
        PUT(w, ", toggle %u", (unsigned)(r->b & 1));
        return true;
    case SIM_EVENT_INTERRUPT:
        put_interrupt(w, r);
        return true;
    case SIM_EVENT_INTR_STATUS:
        put_intr_status(w, r);
        return true;
    case SIM_EVENT_AFU_CMD:
        put_afu_command(w, r);
        return true;
    case SIM_EVENT_CTX_START:
        PUT(w, ", %s, interrupts %" PRIu64, r->a ? "master" : "user", r->b);
        return true;
    case SIM_EVENT_CTX_RESET:
        PUT(w, r->a ? ", begins" : ", is over");
        if (!r->a)
            PUT(w, ", aborted %" PRIu64, r->b);
        return true;
    case SIM_EVENT_LINK:
        put_link(w, r);
        return true;
    default:
        return false;
    }
}

static void put_platform(struct words *w, const struct sim_trace_record *r)
{
    static const char *const what[SIM_PLATFORM_WHATS] = {
        [SIM_PLATFORM_FREEZE] = "slot freezes",
        [SIM_PLATFORM_SLOT_RESETS] = "slot reset begins",
        [SIM_PLATFORM_SLOT_RESET] = "slot reset is over",
        [SIM_PLATFORM_RECOVERED] = "host has recovered",
        [SIM_PLATFORM_DISCONNECT] = "host gives up",
        [SIM_PLATFORM_PERMANENT] = "permanent failure",
        [SIM_PLATFORM_REMOVE] = "card is pulled",
        [SIM_PLATFORM_OTHER] = "other error",
    };
    static const char *const slot[] = {
        [SIM_SLOT_UP] = "up", [SIM_SLOT_FROZEN] = "frozen", [SIM_SLOT_DEAD] = "dead"};

    if (r->a < HAL_ARRAY_LENGTH(what) && r->b < HAL_ARRAY_LENGTH(slot))
        PUT(w, "%s, slot %s", what[r->a], slot[r->b]);
    else
        PUT(w, "%" PRIu64 ", slot %" PRIu64, r->a, r->b);
}

/* Kinds whose `who` is said in another way. */
static bool put_whole(struct words *w, const struct sim_trace_record *r)
{
    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_FAULT:
        put_fault(w, r);
        return true;
    case SIM_EVENT_AINTR_STATUS:
        put_aintr_status(w, r);
        return true;
    case SIM_EVENT_AFU_RESET:
        PUT(w, r->a ? "begins" : "is over");
        return true;
    case SIM_EVENT_XLT_DROP:
        put_xlt_drop(w, r);
        return true;
    case SIM_EVENT_PLATFORM:
        put_platform(w, r);
        return true;
    default:
        return false;
    }
}

const char *trace_words(const struct sim_event_info *info, const struct sim_trace_record *r,
                        char *buf, size_t size)
{
    struct words w = {buf, size};
    bool known = r->kind < SIM_EVENT_COUNT;

    *buf = 0;
    if (known && put_whole(&w, r))
        return buf;
    put_field(&w, info->who, r->who);
    if (known && put_rest(&w, r))
        return buf;
    put_field(&w, info->a, r->a);
    put_field(&w, info->b, r->b);
    return buf;
}
