/* SPDX-License-Identifier: Apache-2.0 */
/* The ABI of the cxl driver and of libcxl, by the literal numbers of CX sections 1.1 and 2: our
 * library, our driver and our back end share one header, so that an error in it would cancel out.
 */
#include "hal/cxl_abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

Test(cxl_abi, constants)
{
    cr_assert_str_eq(CXL_SYSFS_CLASS, "/sys/class/cxl");
    cr_assert_str_eq(CXL_DEV_DIR, "/dev/cxl");
    cr_assert_eq(CXL_API_VERSION, 1);
    cr_assert(CXL_VIEW_DEDICATED == 0 && CXL_VIEW_MASTER == 1 && CXL_VIEW_SLAVE == 2);
    cr_assert(CXL_MODE_DEDICATED == 1 && CXL_MODE_DIRECTED == 2 && CXL_MODE_TIME_SLICED == 4);
    cr_assert(CXL_PREFAULT_NONE == 0 && CXL_PREFAULT_WED == 1 && CXL_PREFAULT_ALL == 2);
    cr_assert(CXL_IMAGE_FACTORY == 0 && CXL_IMAGE_USER == 1);
    cr_assert(CXL_MMIO_BIG_ENDIAN == 1 && CXL_MMIO_LITTLE_ENDIAN == 2);
    cr_assert(CXL_MMIO_HOST_ENDIAN == 3 && CXL_MMIO_ENDIAN_MASK == 3);
    cr_assert(CXL_EVENT_RESERVED == 0 && CXL_EVENT_AFU_INTERRUPT == 1);
    cr_assert(CXL_EVENT_DATA_STORAGE == 2 && CXL_EVENT_AFU_ERROR == 3);
    cr_assert(CXL_EVENT_AFU_DRIVER == 4 && CXL_EVENT_READ_FAIL == 0xFFFF);
    cr_assert_eq(CXL_READ_MIN_SIZE, 0x1000);
    cr_assert(CXL_START_WORK_AMR == 1 && CXL_START_WORK_NUM_IRQS == 2);
    cr_assert(CXL_START_WORK_ERR_FF == 4 && CXL_START_WORK_TID == 8);
    cr_assert(CXL_START_WORK_ALL == 0xF && CXL_AFU_ID_SLAVE == 1);
    cr_assert(CXL_MASTER_MAP_MIN == 0x2020000 && CXL_SLAVE_MAP_SIZE == 65536);
}

Test(cxl_abi, requests)
{
#ifdef __powerpc__
    cr_assert_eq(CXL_IOCTL_START_WORK, 0x8040CA00);
    cr_assert_eq(CXL_IOCTL_GET_PROCESS_ELEMENT, 0x4004CA01);
    cr_assert_eq(CXL_IOCTL_GET_AFU_ID, 0x4040CA02);
#else
    cr_assert_eq(CXL_IOCTL_START_WORK, 0x4040CA00);
    cr_assert_eq(CXL_IOCTL_GET_PROCESS_ELEMENT, 0x8004CA01);
    cr_assert_eq(CXL_IOCTL_GET_AFU_ID, 0x8040CA02);
#endif
}

/* `size` bytes at `offset` of an object hold the number, and no other byte is set. */
static void holds(const void *object, size_t all, size_t offset, size_t size, uint64_t number)
{
    uint8_t expected[64] = {0};
    uint16_t half = (uint16_t)number;
    uint32_t word = (uint32_t)number;

    memcpy(expected + offset,
           size == 2   ? (const void *)&half
           : size == 4 ? (const void *)&word
                       : (const void *)&number,
           size);
    cr_assert_arr_eq(object, expected, all, "%zu bytes at %zu", size, offset);
}

#define FIELD(type, field, offset, size)                                                           \
    do {                                                                                           \
        type object;                                                                               \
                                                                                                   \
        memset(&object, 0, sizeof object);                                                         \
        object.field = 0x5A;                                                                       \
        holds(&object, sizeof object, offset, size, 0x5A);                                         \
    } while (0)

Test(cxl_abi, work)
{
    cr_assert_eq(sizeof(struct cxl_ioctl_start_work), 64);
    FIELD(struct cxl_ioctl_start_work, flags, 0, 8);
    FIELD(struct cxl_ioctl_start_work, work_element_descriptor, 8, 8);
    FIELD(struct cxl_ioctl_start_work, amr, 16, 8);
    FIELD(struct cxl_ioctl_start_work, num_interrupts, 24, 2);
    FIELD(struct cxl_ioctl_start_work, tid, 26, 2);
    FIELD(struct cxl_ioctl_start_work, reserved1, 28, 4);
    FIELD(struct cxl_ioctl_start_work, reserved2, 32, 8);
    FIELD(struct cxl_ioctl_start_work, reserved3, 40, 8);
    FIELD(struct cxl_ioctl_start_work, reserved4, 48, 8);
    FIELD(struct cxl_ioctl_start_work, reserved5, 56, 8);
    cr_assert((int16_t)-1 == ((struct cxl_ioctl_start_work){.num_interrupts = -1}).num_interrupts);
}

Test(cxl_abi, afu_id)
{
    cr_assert_eq(sizeof(struct cxl_afu_id), 64);
    FIELD(struct cxl_afu_id, flags, 0, 8);
    FIELD(struct cxl_afu_id, card_id, 8, 4);
    FIELD(struct cxl_afu_id, afu_offset, 12, 4);
    FIELD(struct cxl_afu_id, afu_mode, 16, 4);
    FIELD(struct cxl_afu_id, reserved1, 20, 4);
    FIELD(struct cxl_afu_id, reserved[0], 24, 8);
    FIELD(struct cxl_afu_id, reserved[4], 56, 8);
}

Test(cxl_abi, events)
{
    cr_assert(sizeof(struct cxl_event_header) == 8 && sizeof(struct cxl_event) == 40);
    FIELD(struct cxl_event, header.type, 0, 2);
    FIELD(struct cxl_event, header.size, 2, 2);
    FIELD(struct cxl_event, header.process_element, 4, 2);
    FIELD(struct cxl_event, header.reserved1, 6, 2);
    FIELD(struct cxl_event, irq.flags, 8, 2);
    FIELD(struct cxl_event, irq.irq, 10, 2);
    FIELD(struct cxl_event, irq.reserved1, 12, 4);
    FIELD(struct cxl_event, fault.flags, 8, 2);
    FIELD(struct cxl_event, fault.reserved1, 10, 2);
    FIELD(struct cxl_event, fault.reserved2, 12, 4);
    FIELD(struct cxl_event, fault.addr, 16, 8);
    FIELD(struct cxl_event, fault.dsisr, 24, 8);
    FIELD(struct cxl_event, fault.reserved3, 32, 8);
    FIELD(struct cxl_event, afu_error.flags, 8, 2);
    FIELD(struct cxl_event, afu_error.reserved1, 10, 2);
    FIELD(struct cxl_event, afu_error.reserved2, 12, 4);
    FIELD(struct cxl_event, afu_error.error, 16, 8);
    cr_assert(CXL_EVENT_AFU_INTERRUPT_SIZE == 16 && CXL_EVENT_DATA_STORAGE_SIZE == 40);
    cr_assert_eq(CXL_EVENT_AFU_ERROR_SIZE, 24);
}

Test(cxl_abi, dsisr)
{
    cr_assert_eq(CXL_DSISR_NO_SEGMENT, UINT64_C(0x8000000000000000));
    cr_assert_eq(CXL_DSISR_NO_PAGE, UINT64_C(0x4000000000000000));
    cr_assert_eq(CXL_DSISR_SEGMENT_TABLE, UINT64_C(0x2000000000000000));
    cr_assert_eq(CXL_DSISR_UTILISATION, UINT64_C(0x1000000000000000));
    cr_assert_eq(CXL_DSISR_PSL_ERROR, UINT64_C(0x0800000000000000));
    cr_assert_eq(CXL_DSISR_AFU_ERROR, UINT64_C(0x0400000000000000));
    cr_assert_eq(CXL_DSISR_OS_WARNING, UINT64_C(0x0200000000000000));
    cr_assert(CXL_DSISR_NO_TRANSLATION == 0x40000000 && CXL_DSISR_PROTECTION == 0x08000000);
    cr_assert(CXL_DSISR_LOCK == 0x04000000 && CXL_DSISR_STORE == 0x02000000);
    cr_assert_eq(CXL_DSISR_KEY, 0x00200000);
}

/* CX 1.1: names of each version node. */
static const struct symbol {
    const char *node, *name;
} symbols[] = {
#define CXL_SYMBOL(node, result, name, arguments) {#node, #name},
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL
};

static unsigned in_node(const char *node)
{
    unsigned n = 0;

    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        n += !strcmp(symbols[i].node, node);
    return n;
}

static const char *node_of(const char *name)
{
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (!strcmp(symbols[i].name, name))
            return symbols[i].node;
    return "none";
}

Test(cxl_abi, symbols_and_their_versions)
{
    cr_assert_eq(sizeof symbols / sizeof *symbols, 66);
    cr_assert_eq(in_node("LIBCXL_1"), 47);
    cr_assert_eq(in_node("LIBCXL_1_1"), 3);
    cr_assert_eq(in_node("LIBCXL_1_2"), 10);
    cr_assert_eq(in_node("LIBCXL_1_4"), 1);
    cr_assert_eq(in_node("LIBCXL_1_6"), 4);
    cr_assert_eq(in_node("LIBCXL_1_7"), 1);
    cr_assert_str_eq(node_of("cxl_mmio_install_sigbus_handler"), "LIBCXL_1");
    cr_assert_str_eq(node_of("cxl_get_cr_vendor"), "LIBCXL_1_1");
    cr_assert_str_eq(node_of("cxl_event_pending"), "LIBCXL_1_2");
    cr_assert_str_eq(node_of("cxl_get_psl_timebase_synced"), "LIBCXL_1_4");
    cr_assert_str_eq(node_of("cxl_work_get_tid"), "LIBCXL_1_6");
    cr_assert_str_eq(node_of("cxl_get_tunneled_ops_supported"), "LIBCXL_1_7");
}
