/* SPDX-License-Identifier: Apache-2.0 */
/* The binary face of the host: HT_CXLFLASH requests on the adapter itself, over the same functions
 * as the verbs. What holds for every request is in core/ioctl/ioctl_check.c. */
#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"
#include "core/command/afu_debug.h"
#include "core/command/provision.h"
#include "core/cxlflash_ioctl.h"
#include "core/ioctl/ioctl_check.h"
#include "core/superpipe.h"
#include "hal/support/check.h"

union request {
    struct ht_cxlflash_hdr hdr;
    struct ht_cxlflash_lun_provision provision;
    struct ht_cxlflash_afu_debug debug;
};

/* ---- LUN_PROVISION ---- */

static int create(struct spipe *s, struct ht_cxlflash_lun_provision *r)
{
    struct spipe_provisioned_lun lun;
    int rc = spipe__provision_create(s, r->port, r->size, &lun);

    if (rc)
        return rc;
    r->lun_id = lun.lun_id;
    memcpy(r->wwid, lun.wwid, sizeof r->wwid);
    return 0;
}

static int query_port(struct spipe *s, struct ht_cxlflash_lun_provision *r)
{
    struct spipe_provision_info info;
    int rc = spipe__provision_query(s, r->port, &info);

    if (rc)
        return rc;
    r->max_num_luns = info.luns_max;
    r->cur_num_luns = info.luns;
    r->max_cap_port = info.blocks_max;
    r->cur_cap_port = info.blocks;
    return 0;
}

static int lun_provision(struct spipe *s, struct ht_cxlflash_lun_provision *r)
{
    switch (r->hdr.subcmd) {
    case HT_CXLFLASH_LUN_PROVISION_CREATE:
        return create(s, r);
    case HT_CXLFLASH_LUN_PROVISION_DELETE:
        return spipe__provision_delete(s, r->port, r->lun_id);
    case HT_CXLFLASH_LUN_PROVISION_QUERY_PORT:
        return query_port(s, r);
    default: /* without the capability no sub-command is known at all */
        return spipe__provision_check(s, r->port) == -EOPNOTSUPP ? -EOPNOTSUPP : -EINVAL;
    }
}

/* ---- AFU_DEBUG ---- */

static int afu_debug(struct spipe *s, const struct ht_cxlflash_afu_debug *r)
{
    return spipe__afu_debug(s, r->afu_subcmd, r->hdr.flags & HT_CXLFLASH_HOST_WRITE,
                            (void *)(uintptr_t)r->data_ea, r->data_len);
}

/* ---- every request ---- */

/* what the AFU cannot do has a number of its own here. */
static int run(struct spipe *s, union request *r, uint32_t code)
{
    int rc = code == HT_CXLFLASH_LUN_PROVISION ? lun_provision(s, &r->provision)
                                               : afu_debug(s, &r->debug);

    return rc == -EOPNOTSUPP ? -HT_CXLFLASH_ENOTSUPP : rc;
}

/* In the order of AD-211; the state as for requests on a disk (R-37, SP-17). */
static int dispatch(struct spipe *s, uint32_t code, void *arg)
{
    static const struct spipe__ioctl_site site = {.face = SPIPE__IOCTL_HOST};
    const struct spipe__ioctl_rule *rule;
    union request r;
    int rc = spipe__ioctl_admit(&site, code, &rule);

    if (!rc)
        rc = spipe__gate_pass(&s->gate, rule->admission);
    if (rc)
        return rc;
    if (!arg)
        return -EFAULT;
    CHECK(rule->size <= sizeof r);
    memcpy(&r, arg, rule->size);
    rc = spipe__ioctl_check_header(SPIPE__IOCTL_HOST, &r);
    if (!rc)
        rc = run(s, &r, code);
    if (!rc)
        memcpy(arg, &r, rule->size);
    return rc;
}

int spipe_host_ioctl(struct spipe *s, uint32_t request, void *arg)
{
    enum spipe__verb verb = (enum spipe__verb)(request & 0xFF);

    spipe__verb_begin_always(s, verb, SPIPE__NO_CONTEXT);
    return spipe__verb_end(s, verb, dispatch(s, request, arg));
}
