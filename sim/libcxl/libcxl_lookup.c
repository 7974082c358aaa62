/* SPDX-License-Identifier: Apache-2.0 */
/* The table by which a program that is linked with the library finds its functions, as it would
 * find those of a shared one with dlsym(). */
#include "sim/libcxl/libcxl_lookup.h"

#include <string.h>

#include "sim/libcxl/libcxl.h"

const struct cxl_standin *cxl_standin(void);

typedef void function(void);

static const struct {
    const char *name;
    function *address;
} functions[] = {
#define CXL_SYMBOL(node, result, name, arguments) {#name, (function *)name},
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL
    {CXL_STANDIN_SYMBOL, (function *)cxl_standin},
};

void *cxl_standin_lookup(void *unused, const char *name)
{
    (void)unused;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].name, name)) {
            void *address;

            memcpy(&address, &functions[i].address, sizeof address); /* as dlsym() gives it */
            return address;
        }
    return NULL;
}
