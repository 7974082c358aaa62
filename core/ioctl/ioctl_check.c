/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ioctl/ioctl_check.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/cxlflash_ioctl.h"
#include "hal/support/bits.h"

#define REQUEST(code, structure) .request = (uint32_t)(code), .size = sizeof(structure)

static const struct spipe__ioctl_rule disk_rules[] = {
    {REQUEST(DK_CXLFLASH_ATTACH, struct dk_cxlflash_attach)},
    {REQUEST(DK_CXLFLASH_USER_DIRECT, struct dk_cxlflash_udirect)},
    {REQUEST(DK_CXLFLASH_RELEASE, struct dk_cxlflash_release), .not_on_internal_lun = true,
     .admission = SPIPE__ADMIT_CLEANUP},
    {REQUEST(DK_CXLFLASH_DETACH, struct dk_cxlflash_detach), .admission = SPIPE__ADMIT_CLEANUP},
    {REQUEST(DK_CXLFLASH_VERIFY, struct dk_cxlflash_verify)},
    {REQUEST(DK_CXLFLASH_RECOVER_AFU, struct dk_cxlflash_recover_afu)},
    {REQUEST(DK_CXLFLASH_MANAGE_LUN, struct dk_cxlflash_manage_lun), .any_lun = true,
     .admission = SPIPE__ADMIT_ALWAYS},
    {REQUEST(DK_CXLFLASH_USER_VIRTUAL, struct dk_cxlflash_uvirtual), .not_on_internal_lun = true},
    {REQUEST(DK_CXLFLASH_VLUN_RESIZE, struct dk_cxlflash_resize), .not_on_internal_lun = true,
     .admission = SPIPE__ADMIT_CLEANUP},
    {REQUEST(DK_CXLFLASH_VLUN_CLONE, struct dk_cxlflash_clone), .not_on_internal_lun = true},
};

static const struct spipe__ioctl_rule host_rules[] = {
    {REQUEST(HT_CXLFLASH_LUN_PROVISION, struct ht_cxlflash_lun_provision), .any_lun = true},
    {REQUEST(HT_CXLFLASH_AFU_DEBUG, struct ht_cxlflash_afu_debug), .any_lun = true},
};

static const struct spipe__ioctl_rule *find(const struct spipe__ioctl_rule *rules, size_t n,
                                            uint32_t request)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].request == request)
            return &rules[i];
    return NULL;
}

static const struct spipe__ioctl_rule *find_rule(enum spipe__ioctl_face face, uint32_t request)
{
    if (face == SPIPE__IOCTL_HOST)
        return find(host_rules, HAL_ARRAY_LENGTH(host_rules), request);
    return find(disk_rules, HAL_ARRAY_LENGTH(disk_rules), request);
}

int spipe__ioctl_admit(const struct spipe__ioctl_site *site, uint32_t request,
                       const struct spipe__ioctl_rule **rule)
{
    const struct spipe__ioctl_rule *found = find_rule(site->face, request);

    if (!found || (found->not_on_internal_lun && site->internal_lun) ||
        (!found->any_lun && !site->lun_enabled))
        return -EINVAL;
    *rule = found;
    return 0;
}

static int check_disk_header(const void *arg)
{
    struct dk_cxlflash_hdr h;

    memcpy(&h, arg, sizeof h);
    if (h.version != DK_CXLFLASH_VERSION || h.rsvd[0] || h.rsvd[1] || h.rsvd[2] || h.return_flags)
        return -EINVAL;
    return 0;
}

static int check_host_header(const void *arg)
{
    struct ht_cxlflash_hdr h;

    memcpy(&h, arg, sizeof h);
    if (h.version != HT_CXLFLASH_VERSION || h.rsvd[0] || h.rsvd[1] || h.return_flags)
        return -EINVAL;
    return 0;
}

int spipe__ioctl_check_header(enum spipe__ioctl_face face, const void *arg)
{
    return face == SPIPE__IOCTL_HOST ? check_host_header(arg) : check_disk_header(arg);
}
