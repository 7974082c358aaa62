/* SPDX-License-Identifier: Apache-2.0 */
/* What a program meets between itself and the cxl driver of POWER8: structures, numbers and
 * constants of the kernel's interface and of IBM's libcxl (CX = docs/spec/libcxl.md). The project
 * carries its own declarations, because neither header can be counted on (CX-7): the kernel's
 * disappears with the driver, and the distribution's libcxl is another library.
 *
 * All structures are in the byte order of the host. */
#ifndef HAL_CXL_ABI_H
#define HAL_CXL_ABI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* ---- constants, CX 2.1 ---- */

#define CXL_SYSFS_CLASS "/sys/class/cxl" /* CX 2.1 */
#define CXL_DEV_DIR "/dev/cxl"           /* CX 2.1 */
#define CXL_API_VERSION 1                /* CX 2.1: what the library knows */

enum cxl_views { CXL_VIEW_DEDICATED, CXL_VIEW_MASTER, CXL_VIEW_SLAVE };

#define CXL_MODE_DEDICATED 1u
#define CXL_MODE_DIRECTED 2u
#define CXL_MODE_TIME_SLICED 4u

enum cxl_prefault_mode { CXL_PREFAULT_NONE, CXL_PREFAULT_WED, CXL_PREFAULT_ALL };
enum cxl_image { CXL_IMAGE_FACTORY, CXL_IMAGE_USER };

#define CXL_MMIO_BIG_ENDIAN 1u
#define CXL_MMIO_LITTLE_ENDIAN 2u
#define CXL_MMIO_HOST_ENDIAN 3u
#define CXL_MMIO_ENDIAN_MASK 3u

enum cxl_event_type {
    CXL_EVENT_RESERVED,
    CXL_EVENT_AFU_INTERRUPT,
    CXL_EVENT_DATA_STORAGE,
    CXL_EVENT_AFU_ERROR,
    CXL_EVENT_AFU_DRIVER,
    CXL_EVENT_READ_FAIL = 0xFFFF, /* of the library only */
};

#define CXL_READ_MIN_SIZE 0x1000u /* CX-70: of a read of events */

#define CXL_START_WORK_AMR UINT64_C(1)
#define CXL_START_WORK_NUM_IRQS UINT64_C(2)
#define CXL_START_WORK_ERR_FF UINT64_C(4)
#define CXL_START_WORK_TID UINT64_C(8)
#define CXL_START_WORK_ALL UINT64_C(15)

#define CXL_AFU_ID_SLAVE UINT64_C(1)

/* ---- ioctl numbers, CX 2.2: powerpc has its own encoding ---- */

#if defined(__powerpc__)
#define CXL_IOCTL_START_WORK 0x8040CA00u
#define CXL_IOCTL_GET_PROCESS_ELEMENT 0x4004CA01u
#define CXL_IOCTL_GET_AFU_ID 0x4040CA02u
#else
#define CXL_IOCTL_START_WORK 0x4040CA00u
#define CXL_IOCTL_GET_PROCESS_ELEMENT 0x8004CA01u
#define CXL_IOCTL_GET_AFU_ID 0x8040CA02u
#endif

/* ---- requests, CX 2.3 and 2.4 ---- */

/** Argument of START_WORK. */
struct cxl_ioctl_start_work {
    uint64_t flags; /* CXL_START_WORK_ */
    uint64_t work_element_descriptor;
    uint64_t amr;
    int16_t num_interrupts;
    uint16_t tid; /* out, POWER9 */
    int32_t reserved1;
    uint64_t reserved2;
    uint64_t reserved3;
    uint64_t reserved4;
    uint64_t reserved5;
};

static_assert(sizeof(struct cxl_ioctl_start_work) == 64, "CX 2.3");
static_assert(offsetof(struct cxl_ioctl_start_work, work_element_descriptor) == 8, "CX 2.3");
static_assert(offsetof(struct cxl_ioctl_start_work, amr) == 16, "CX 2.3");
static_assert(offsetof(struct cxl_ioctl_start_work, num_interrupts) == 24, "CX 2.3");
static_assert(offsetof(struct cxl_ioctl_start_work, tid) == 26, "CX 2.3");
static_assert(offsetof(struct cxl_ioctl_start_work, reserved1) == 28, "CX 2.3");
static_assert(offsetof(struct cxl_ioctl_start_work, reserved2) == 32, "CX 2.3");

/** Answer of GET_AFU_ID. */
struct cxl_afu_id {
    uint64_t flags; /* CXL_AFU_ID_SLAVE */
    uint32_t card_id;
    uint32_t afu_offset;
    uint32_t afu_mode; /* CXL_MODE_ */
    uint32_t reserved1;
    uint64_t reserved[5];
};

static_assert(sizeof(struct cxl_afu_id) == 64, "CX 2.4");
static_assert(offsetof(struct cxl_afu_id, card_id) == 8, "CX 2.4");
static_assert(offsetof(struct cxl_afu_id, afu_offset) == 12, "CX 2.4");
static_assert(offsetof(struct cxl_afu_id, afu_mode) == 16, "CX 2.4");

/* ---- events, CX 2.5 ---- */

struct cxl_event_header {
    uint16_t type; /* enum cxl_event_type */
    uint16_t size; /* bytes, header included */
    uint16_t process_element;
    uint16_t reserved1;
};

struct cxl_event_afu_interrupt {
    uint16_t flags;
    uint16_t irq; /* LISN, from 1 */
    uint32_t reserved1;
};

struct cxl_event_data_storage {
    uint16_t flags;
    uint16_t reserved1;
    uint32_t reserved2;
    uint64_t addr;
    uint64_t dsisr; /* CX 2.6 */
    uint64_t reserved3;
};

struct cxl_event_afu_error {
    uint16_t flags;
    uint16_t reserved1;
    uint32_t reserved2;
    uint64_t error;
};

/** What one read gives. AFU driver events have their payload behind the header. */
struct cxl_event {
    struct cxl_event_header header;
    union {
        struct cxl_event_afu_interrupt irq;
        struct cxl_event_data_storage fault;
        struct cxl_event_afu_error afu_error;
    };
};

#define CXL_EVENT_AFU_INTERRUPT_SIZE 16u
#define CXL_EVENT_DATA_STORAGE_SIZE 40u
#define CXL_EVENT_AFU_ERROR_SIZE 24u

static_assert(sizeof(struct cxl_event_header) == 8, "CX 2.5");
static_assert(sizeof(struct cxl_event) == 40, "CX 2.5");
static_assert(offsetof(struct cxl_event, irq.irq) == 10, "CX 2.5");
static_assert(offsetof(struct cxl_event, fault.addr) == 16, "CX 2.5");
static_assert(offsetof(struct cxl_event, fault.dsisr) == 24, "CX 2.5");
static_assert(offsetof(struct cxl_event, afu_error.error) == 16, "CX 2.5");

/* ---- DSISR of a data storage event, CX 2.6 ---- */

#define CXL_DSISR_NO_SEGMENT (UINT64_C(1) << 63)
#define CXL_DSISR_NO_PAGE (UINT64_C(1) << 62)
#define CXL_DSISR_SEGMENT_TABLE (UINT64_C(1) << 61)
#define CXL_DSISR_UTILISATION (UINT64_C(1) << 60)
#define CXL_DSISR_PSL_ERROR (UINT64_C(1) << 59)
#define CXL_DSISR_AFU_ERROR (UINT64_C(1) << 58)
#define CXL_DSISR_OS_WARNING (UINT64_C(1) << 57)
#define CXL_DSISR_NO_TRANSLATION UINT64_C(0x40000000)
#define CXL_DSISR_PROTECTION UINT64_C(0x08000000)
#define CXL_DSISR_LOCK UINT64_C(0x04000000)
#define CXL_DSISR_STORE UINT64_C(0x02000000)
#define CXL_DSISR_KEY UINT64_C(0x00200000)

/* ---- what the library must be able to map of the flash AFU, CX-66 ---- */

#define CXL_MASTER_MAP_MIN UINT64_C(0x2020000)
#define CXL_SLAVE_MAP_SIZE UINT64_C(0x10000)

#endif
