/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the superpipe requests, reduced to how it fills them: by the public names only, in
 * the common language of C and C++. Values are arbitrary, and different within a request;
 * cxlflash_ioctl_test.c knows the bytes that they must give. */
#ifndef SPIPE_TESTS_UNIT_CORE_CXLFLASH_IOCTL_PROGRAM_H
#define SPIPE_TESTS_UNIT_CORE_CXLFLASH_IOCTL_PROGRAM_H

#include "core/cxlflash_ioctl.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

/** Room for any request. */
union program_request {
    struct dk_cxlflash_attach attach;
    struct dk_cxlflash_detach detach;
    struct dk_cxlflash_udirect udirect;
    struct dk_cxlflash_uvirtual uvirtual;
    struct dk_cxlflash_release release;
    struct dk_cxlflash_resize resize;
    struct dk_cxlflash_clone clone;
    struct dk_cxlflash_verify verify;
    struct dk_cxlflash_recover_afu recover_afu;
    struct dk_cxlflash_manage_lun manage_lun;
    struct ht_cxlflash_lun_provision lun_provision;
    struct ht_cxlflash_afu_debug afu_debug;
    unsigned char bytes[160];
};

static inline void program_count_up(uint8_t *bytes, size_t n, uint8_t first)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = first++;
}

static inline void program_fill_attach(struct dk_cxlflash_attach *r)
{
    r->hdr.version = DK_CXLFLASH_VERSION;
    r->hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT | O_RDWR;
    r->hdr.return_flags = DK_CXLFLASH_APP_CLOSE_ADAP_FD | DK_CXLFLASH_CONTEXT_SQ_CMD_MODE;
    r->num_interrupts = 4;
    r->context_id = UINT64_C(0x1234567800000007);
    r->mmio_size = 65536;
    r->block_size = 4096;
    r->adap_fd = ~UINT64_C(0);
    r->last_lba = UINT64_C(0x0102030405060708);
    r->max_xfer = UINT64_C(0x1112131415161718);
}

static inline void program_fill_detach(struct dk_cxlflash_detach *r)
{
    r->context_id = UINT64_C(0x2122232425262728);
}

static inline void program_fill_udirect(struct dk_cxlflash_udirect *r)
{
    r->context_id = UINT64_C(0x2122232425262728);
    r->rsrc_handle = UINT64_C(0x3132333435363738);
    r->last_lba = UINT64_C(0x4142434445464748);
}

static inline void program_fill_uvirtual(struct dk_cxlflash_uvirtual *r)
{
    r->hdr.flags = DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME;
    r->hdr.return_flags = DK_CXLFLASH_ALL_PORTS_ACTIVE;
    r->context_id = UINT64_C(0x2122232425262728);
    r->lun_size = UINT64_C(0x5152535455565758);
    r->rsrc_handle = UINT64_C(0x3132333435363738);
    r->last_lba = UINT64_C(0x4142434445464748);
}

static inline void program_fill_release(struct dk_cxlflash_release *r)
{
    r->context_id = UINT64_C(0x2122232425262728);
    r->rsrc_handle = UINT64_C(0x3132333435363738);
}

static inline void program_fill_resize(struct dk_cxlflash_resize *r)
{
    r->context_id = UINT64_C(0x2122232425262728);
    r->rsrc_handle = UINT64_C(0x3132333435363738);
    r->req_size = UINT64_C(0x5152535455565758);
    r->last_lba = UINT64_C(0x4142434445464748);
}

static inline void program_fill_clone(struct dk_cxlflash_clone *r)
{
    r->context_id_src = UINT64_C(0x2122232425262728);
    r->context_id_dst = UINT64_C(0x6162636465666768);
    r->adap_fd_src = UINT64_C(0x7172737475767778);
}

static inline void program_fill_verify(struct dk_cxlflash_verify *r)
{
    r->context_id = UINT64_C(0x2122232425262728);
    r->rsrc_handle = UINT64_C(0x3132333435363738);
    r->hint = DK_CXLFLASH_VERIFY_HINT_SENSE;
    r->last_lba = UINT64_C(0x4142434445464748);
    program_count_up(r->sense_data, sizeof r->sense_data, 0xA0);
    program_count_up(r->pad, sizeof r->pad, 0xC0);
}

static inline void program_fill_recover_afu(struct dk_cxlflash_recover_afu *r)
{
    r->hdr.return_flags = DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET;
    r->reason = UINT64_C(0x8182838485868788);
    r->context_id = UINT64_C(0x2122232425262728);
    r->mmio_size = 65536;
    r->adap_fd = UINT64_C(0x7172737475767778);
}

static inline void program_fill_manage_lun(struct dk_cxlflash_manage_lun *r)
{
    r->hdr.version = 0x0102;
    r->hdr.rsvd[0] = 0x0304;
    r->hdr.rsvd[1] = 0x0506;
    r->hdr.rsvd[2] = 0x0708;
    r->hdr.flags = DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE |
                   DK_CXLFLASH_MANAGE_LUN_ALL_PORTS_ACCESSIBLE |
                   DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE;
    program_count_up(r->wwid, sizeof r->wwid, 0x60);
    for (unsigned i = 0; i < 8; i++)
        r->reserved[i] = i + 1;
}

static inline void program_fill_lun_provision(struct ht_cxlflash_lun_provision *r)
{
    r->hdr.version = HT_CXLFLASH_VERSION;
    r->hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_QUERY_PORT;
    r->hdr.rsvd[0] = 0x0506;
    r->hdr.rsvd[1] = 0x0708;
    r->hdr.flags = HT_CXLFLASH_LUN_PROVISION_CREATE;
    r->hdr.return_flags = HT_CXLFLASH_LUN_PROVISION_DELETE;
    r->port = 0x090A;
    r->reserved16[2] = 0x0B0C;
    r->size = UINT64_C(0x2122232425262728);
    r->lun_id = UINT64_C(0x3132333435363738);
    program_count_up(r->wwid, sizeof r->wwid, 0x60);
    r->max_num_luns = UINT64_C(0x4142434445464748);
    r->cur_num_luns = UINT64_C(0x5152535455565758);
    r->max_cap_port = UINT64_C(0x6162636465666768);
    r->cur_cap_port = UINT64_C(0x7172737475767778);
}

static inline void program_fill_afu_debug(struct ht_cxlflash_afu_debug *r)
{
    r->hdr.flags = HT_CXLFLASH_HOST_WRITE;
    program_count_up(r->reserved8, sizeof r->reserved8, 0xC0);
    program_count_up(r->afu_subcmd, sizeof r->afu_subcmd, 0xA0);
    r->data_ea = UINT64_C(0x2122232425262728);
    r->data_len = HT_CXLFLASH_AFU_DEBUG_DATA_MAX;
    r->reserved32 = UINT32_C(0x31323334);
    r->reserved[7] = UINT64_C(0x4142434445464748);
}

static inline void program_fill_rest(unsigned long request, union program_request *r)
{
    switch (request) {
    case DK_CXLFLASH_USER_VIRTUAL:
        program_fill_uvirtual(&r->uvirtual);
        break;
    case DK_CXLFLASH_VLUN_RESIZE:
        program_fill_resize(&r->resize);
        break;
    case DK_CXLFLASH_VLUN_CLONE:
        program_fill_clone(&r->clone);
        break;
    case HT_CXLFLASH_LUN_PROVISION:
        program_fill_lun_provision(&r->lun_provision);
        break;
    case HT_CXLFLASH_AFU_DEBUG:
        program_fill_afu_debug(&r->afu_debug);
        break;
    default:
        break;
    }
}

/** Fills one request; an unknown one is left all zero. */
static inline void program_fill(unsigned long request, union program_request *r)
{
    memset(r, 0, sizeof *r);
    switch (request) {
    case DK_CXLFLASH_ATTACH:
        program_fill_attach(&r->attach);
        break;
    case DK_CXLFLASH_USER_DIRECT:
        program_fill_udirect(&r->udirect);
        break;
    case DK_CXLFLASH_RELEASE:
        program_fill_release(&r->release);
        break;
    case DK_CXLFLASH_DETACH:
        program_fill_detach(&r->detach);
        break;
    case DK_CXLFLASH_VERIFY:
        program_fill_verify(&r->verify);
        break;
    case DK_CXLFLASH_RECOVER_AFU:
        program_fill_recover_afu(&r->recover_afu);
        break;
    case DK_CXLFLASH_MANAGE_LUN:
        program_fill_manage_lun(&r->manage_lun);
        break;
    default:
        program_fill_rest(request, r);
        break;
    }
}

#endif
