/* SPDX-License-Identifier: Apache-2.0 */
/* A shared library with the functions that capi_library.c looks for; none of them does anything. */
#define FUNCTION(name, result)                                                                     \
    __attribute__((visibility("default"))) int name(void);                                         \
    int name(void) { return result; }

FUNCTION(cxl_afu_next, 0)
FUNCTION(cxl_afu_dev_name, 0)
FUNCTION(cxl_afu_open_dev, 0)
FUNCTION(cxl_afu_free, 0)
FUNCTION(cxl_afu_fd, 77)
FUNCTION(cxl_afu_attach_work, 0)
FUNCTION(cxl_afu_get_process_element, 0)
FUNCTION(cxl_afu_sysfs_pci, 0)
FUNCTION(cxl_work_alloc, 0)
FUNCTION(cxl_work_free, 0)
FUNCTION(cxl_work_set_num_irqs, 0)
FUNCTION(cxl_work_set_wed, 0)
FUNCTION(cxl_event_pending, 0)
FUNCTION(cxl_read_event, 0)
FUNCTION(cxl_mmio_map, 0)
FUNCTION(cxl_mmio_unmap, 0)
FUNCTION(cxl_mmio_ptr, 0)
FUNCTION(cxl_mmio_read64, 0)
FUNCTION(cxl_mmio_write64, 0)
FUNCTION(cxl_mmio_install_sigbus_handler, 0)
