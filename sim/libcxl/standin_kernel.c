/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in as the kernel interface of backends/capi. */
#include "sim/libcxl/standin.h"

const struct cxl_kernel standin_kernel = {
    .open = standin_open,
    .close = standin_close,
    .ioctl = standin_ioctl,
    .read = standin_read,
    .map = standin_map,
    .unmap = standin_unmap,
    .load = standin_load,
    .store = standin_store,
    .attribute_read = standin_attribute_read,
    .attribute_write = standin_attribute_write,
    .link_read = standin_link_read,
    .list = standin_list,
};
