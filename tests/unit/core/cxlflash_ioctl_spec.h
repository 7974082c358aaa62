/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of docs/spec/superpipe.md sections 2 to 4 and of docs/spec/adapter.md section 20 as
 * literal numbers, for the tests of core/cxlflash_ioctl.h in C and in C++. Every list takes a macro
 * that makes something of one row. */
#ifndef SPIPE_TESTS_UNIT_CORE_CXLFLASH_IOCTL_SPEC_H
#define SPIPE_TESTS_UNIT_CORE_CXLFLASH_IOCTL_SPEC_H

/* Structure, size: SP section 3, AD section 20. */
#define SPEC_STRUCTURES(S)                                                                         \
    S(dk_cxlflash_hdr, 24)                                                                         \
    S(dk_cxlflash_attach, 144)                                                                     \
    S(dk_cxlflash_detach, 96)                                                                      \
    S(dk_cxlflash_udirect, 112)                                                                    \
    S(dk_cxlflash_uvirtual, 120)                                                                   \
    S(dk_cxlflash_release, 104)                                                                    \
    S(dk_cxlflash_resize, 120)                                                                     \
    S(dk_cxlflash_clone, 112)                                                                      \
    S(dk_cxlflash_verify, 144)                                                                     \
    S(dk_cxlflash_recover_afu, 120)                                                                \
    S(dk_cxlflash_manage_lun, 104)                                                                 \
    S(ht_cxlflash_hdr, 24)                                                                         \
    S(ht_cxlflash_lun_provision, 160)                                                              \
    S(ht_cxlflash_afu_debug, 120)

/* Structure, field, offset, bytes: SP section 3. */
#define SPEC_DISK_FIELDS(F)                                                                        \
    F(dk_cxlflash_hdr, version, 0, 2)                                                              \
    F(dk_cxlflash_hdr, rsvd, 2, 6)                                                                 \
    F(dk_cxlflash_hdr, flags, 8, 8)                                                                \
    F(dk_cxlflash_hdr, return_flags, 16, 8)                                                        \
    F(dk_cxlflash_attach, hdr, 0, 24)                                                              \
    F(dk_cxlflash_attach, num_interrupts, 24, 8)                                                   \
    F(dk_cxlflash_attach, context_id, 32, 8)                                                       \
    F(dk_cxlflash_attach, mmio_size, 40, 8)                                                        \
    F(dk_cxlflash_attach, block_size, 48, 8)                                                       \
    F(dk_cxlflash_attach, adap_fd, 56, 8)                                                          \
    F(dk_cxlflash_attach, last_lba, 64, 8)                                                         \
    F(dk_cxlflash_attach, max_xfer, 72, 8)                                                         \
    F(dk_cxlflash_attach, reserved, 80, 64)                                                        \
    F(dk_cxlflash_detach, hdr, 0, 24)                                                              \
    F(dk_cxlflash_detach, context_id, 24, 8)                                                       \
    F(dk_cxlflash_detach, reserved, 32, 64)                                                        \
    F(dk_cxlflash_udirect, hdr, 0, 24)                                                             \
    F(dk_cxlflash_udirect, context_id, 24, 8)                                                      \
    F(dk_cxlflash_udirect, rsrc_handle, 32, 8)                                                     \
    F(dk_cxlflash_udirect, last_lba, 40, 8)                                                        \
    F(dk_cxlflash_udirect, reserved, 48, 64)                                                       \
    F(dk_cxlflash_uvirtual, hdr, 0, 24)                                                            \
    F(dk_cxlflash_uvirtual, context_id, 24, 8)                                                     \
    F(dk_cxlflash_uvirtual, lun_size, 32, 8)                                                       \
    F(dk_cxlflash_uvirtual, rsrc_handle, 40, 8)                                                    \
    F(dk_cxlflash_uvirtual, last_lba, 48, 8)                                                       \
    F(dk_cxlflash_uvirtual, reserved, 56, 64)                                                      \
    F(dk_cxlflash_release, hdr, 0, 24)                                                             \
    F(dk_cxlflash_release, context_id, 24, 8)                                                      \
    F(dk_cxlflash_release, rsrc_handle, 32, 8)                                                     \
    F(dk_cxlflash_release, reserved, 40, 64)                                                       \
    F(dk_cxlflash_resize, hdr, 0, 24)                                                              \
    F(dk_cxlflash_resize, context_id, 24, 8)                                                       \
    F(dk_cxlflash_resize, rsrc_handle, 32, 8)                                                      \
    F(dk_cxlflash_resize, req_size, 40, 8)                                                         \
    F(dk_cxlflash_resize, last_lba, 48, 8)                                                         \
    F(dk_cxlflash_resize, reserved, 56, 64)                                                        \
    F(dk_cxlflash_clone, hdr, 0, 24)                                                               \
    F(dk_cxlflash_clone, context_id_src, 24, 8)                                                    \
    F(dk_cxlflash_clone, context_id_dst, 32, 8)                                                    \
    F(dk_cxlflash_clone, adap_fd_src, 40, 8)                                                       \
    F(dk_cxlflash_clone, reserved, 48, 64)                                                         \
    F(dk_cxlflash_verify, hdr, 0, 24)                                                              \
    F(dk_cxlflash_verify, context_id, 24, 8)                                                       \
    F(dk_cxlflash_verify, rsrc_handle, 32, 8)                                                      \
    F(dk_cxlflash_verify, hint, 40, 8)                                                             \
    F(dk_cxlflash_verify, last_lba, 48, 8)                                                         \
    F(dk_cxlflash_verify, sense_data, 56, 18)                                                      \
    F(dk_cxlflash_verify, pad, 74, 6)                                                              \
    F(dk_cxlflash_verify, reserved, 80, 64)                                                        \
    F(dk_cxlflash_recover_afu, hdr, 0, 24)                                                         \
    F(dk_cxlflash_recover_afu, reason, 24, 8)                                                      \
    F(dk_cxlflash_recover_afu, context_id, 32, 8)                                                  \
    F(dk_cxlflash_recover_afu, mmio_size, 40, 8)                                                   \
    F(dk_cxlflash_recover_afu, adap_fd, 48, 8)                                                     \
    F(dk_cxlflash_recover_afu, reserved, 56, 64)                                                   \
    F(dk_cxlflash_manage_lun, hdr, 0, 24)                                                          \
    F(dk_cxlflash_manage_lun, wwid, 24, 16)                                                        \
    F(dk_cxlflash_manage_lun, reserved, 40, 64)
/* The same: AD section 20. */
#define SPEC_HOST_FIELDS(F)                                                                        \
    F(ht_cxlflash_hdr, version, 0, 2)                                                              \
    F(ht_cxlflash_hdr, subcmd, 2, 2)                                                               \
    F(ht_cxlflash_hdr, rsvd, 4, 4)                                                                 \
    F(ht_cxlflash_hdr, flags, 8, 8)                                                                \
    F(ht_cxlflash_hdr, return_flags, 16, 8)                                                        \
    F(ht_cxlflash_lun_provision, hdr, 0, 24)                                                       \
    F(ht_cxlflash_lun_provision, port, 24, 2)                                                      \
    F(ht_cxlflash_lun_provision, reserved16, 26, 6)                                                \
    F(ht_cxlflash_lun_provision, size, 32, 8)                                                      \
    F(ht_cxlflash_lun_provision, lun_id, 40, 8)                                                    \
    F(ht_cxlflash_lun_provision, wwid, 48, 16)                                                     \
    F(ht_cxlflash_lun_provision, max_num_luns, 64, 8)                                              \
    F(ht_cxlflash_lun_provision, cur_num_luns, 72, 8)                                              \
    F(ht_cxlflash_lun_provision, max_cap_port, 80, 8)                                              \
    F(ht_cxlflash_lun_provision, cur_cap_port, 88, 8)                                              \
    F(ht_cxlflash_lun_provision, reserved, 96, 64)                                                 \
    F(ht_cxlflash_afu_debug, hdr, 0, 24)                                                           \
    F(ht_cxlflash_afu_debug, reserved8, 24, 4)                                                     \
    F(ht_cxlflash_afu_debug, afu_subcmd, 28, 12)                                                   \
    F(ht_cxlflash_afu_debug, data_ea, 40, 8)                                                       \
    F(ht_cxlflash_afu_debug, data_len, 48, 4)                                                      \
    F(ht_cxlflash_afu_debug, reserved32, 52, 4)                                                    \
    F(ht_cxlflash_afu_debug, reserved, 56, 64)
/* Request, structure, number, size, code: SP section 2. */
#define SPEC_CODES(C)                                                                              \
    C(DK_CXLFLASH_ATTACH, dk_cxlflash_attach, 0x80, 144, 0xC090CA80)                               \
    C(DK_CXLFLASH_USER_DIRECT, dk_cxlflash_udirect, 0x81, 112, 0xC070CA81)                         \
    C(DK_CXLFLASH_RELEASE, dk_cxlflash_release, 0x82, 104, 0xC068CA82)                             \
    C(DK_CXLFLASH_DETACH, dk_cxlflash_detach, 0x83, 96, 0xC060CA83)                                \
    C(DK_CXLFLASH_VERIFY, dk_cxlflash_verify, 0x84, 144, 0xC090CA84)                               \
    C(DK_CXLFLASH_RECOVER_AFU, dk_cxlflash_recover_afu, 0x85, 120, 0xC078CA85)                     \
    C(DK_CXLFLASH_MANAGE_LUN, dk_cxlflash_manage_lun, 0x86, 104, 0xC068CA86)                       \
    C(DK_CXLFLASH_USER_VIRTUAL, dk_cxlflash_uvirtual, 0x87, 120, 0xC078CA87)                       \
    C(DK_CXLFLASH_VLUN_RESIZE, dk_cxlflash_resize, 0x88, 120, 0xC078CA88)                          \
    C(DK_CXLFLASH_VLUN_CLONE, dk_cxlflash_clone, 0x89, 112, 0xC070CA89)                            \
    C(HT_CXLFLASH_LUN_PROVISION, ht_cxlflash_lun_provision, 0xBF, 160, 0xC0A0CABF)                 \
    C(HT_CXLFLASH_AFU_DEBUG, ht_cxlflash_afu_debug, 0xBE, 120, 0xC078CABE)

/* Name, value: SP section 4, SP-20, SP-173..SP-175. */
#define SPEC_CONSTANTS(V)                                                                          \
    V(DK_CXLFLASH_VERSION, 0)                                                                      \
    V(HT_CXLFLASH_VERSION, 0)                                                                      \
    V(DK_CXLFLASH_ATTACH_REUSE_CONTEXT, 0x8000000000000000)                                        \
    V(DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME, 0x8000000000000000)                                    \
    V(DK_CXLFLASH_VERIFY_HINT_SENSE, 0x8000000000000000)                                           \
    V(DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE, 0x8000000000000000)                                 \
    V(DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE, 0x4000000000000000)                                \
    V(DK_CXLFLASH_MANAGE_LUN_ALL_PORTS_ACCESSIBLE, 0x2000000000000000)                             \
    V(DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET, 0x8000000000000000)                                   \
    V(DK_CXLFLASH_ALL_PORTS_ACTIVE, 0x1)                                                           \
    V(DK_CXLFLASH_APP_CLOSE_ADAP_FD, 0x2)                                                          \
    V(DK_CXLFLASH_CONTEXT_SQ_CMD_MODE, 0x4)                                                        \
    V(HT_CXLFLASH_HOST_WRITE, 0x1)                                                                 \
    V(HT_CXLFLASH_LUN_PROVISION_CREATE, 1)                                                         \
    V(HT_CXLFLASH_LUN_PROVISION_DELETE, 2)                                                         \
    V(HT_CXLFLASH_LUN_PROVISION_QUERY_PORT, 3)                                                     \
    V(HT_CXLFLASH_AFU_DEBUG_DATA_MAX, 262144)

#endif
