/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/adapter_options.h"

#include <errno.h>
#include <stdio.h>

int adapter_options_check(const struct adapter_options *o, char *why, size_t size)
{
    if (o->backend == SESSION_CAPI || !(o->libcxl || o->afu || o->require_card))
        return 0;
    snprintf(why, size, "--libcxl, --afu and --require-card are for --backend capi");
    return -EINVAL;
}

void adapter_options_apply(const struct adapter_options *o, struct session_config *config)
{
    config->backend = (enum session_backend)o->backend;
    config->libcxl = o->libcxl;
    config->afu = o->afu;
    config->require_card = o->require_card;
    config->names = o->names;
}
