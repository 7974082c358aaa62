/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/why.h"

#include <stdarg.h>
#include <stdio.h>

int spipe__why(struct spipe__why why, int error, const char *format, ...)
{
    va_list args;

    if (why.text && why.size) {
        va_start(args, format);
        vsnprintf(why.text, why.size, format, args);
        va_end(args);
    }
    return error;
}
