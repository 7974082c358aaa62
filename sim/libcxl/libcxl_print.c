/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libcxl that print an event. */
#include <errno.h>
#include <inttypes.h>

#include "sim/libcxl/libcxl.h"

int cxl_fprint_unknown_event(FILE *stream, struct cxl_event *event)
{
    if (!stream || !event)
        return libcxl_fail(EINVAL);
    return fprintf(stream, "CXL event of unknown type %u, process element %u, %u bytes\n",
                   event->header.type, event->header.process_element, event->header.size);
}

int cxl_fprint_event(FILE *stream, struct cxl_event *event)
{
    if (!stream || !event)
        return libcxl_fail(EINVAL);
    switch (event->header.type) {
    case CXL_EVENT_AFU_INTERRUPT:
        return fprintf(stream, "AFU interrupt %u, process element %u\n", event->irq.irq,
                       event->header.process_element);
    case CXL_EVENT_DATA_STORAGE:
        return fprintf(stream,
                       "Data storage fault at 0x%" PRIx64 ", dsisr 0x%" PRIx64
                       ", process element %u\n",
                       event->fault.addr, event->fault.dsisr, event->header.process_element);
    case CXL_EVENT_AFU_ERROR:
        return fprintf(stream, "AFU error 0x%" PRIx64 ", process element %u\n",
                       event->afu_error.error, event->header.process_element);
    case CXL_EVENT_READ_FAIL:
        return fprintf(stream, "An event could not be read\n");
    default:
        return cxl_fprint_unknown_event(stream, event);
    }
}
