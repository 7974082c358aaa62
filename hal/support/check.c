/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/support/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void hal_check_failed(const char *file, int line, const char *expression)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: internal error, please report it: %s does not hold\n", file, line,
            expression);
    abort();
}
