/* SPDX-License-Identifier: Apache-2.0 */
/* LUN provision: LUNs that the administrator makes and ends behind one port (AD-212), for both
 * faces: spipe_lun_provision_create and its neighbours of core/superpipe.h, and the binary request
 * (core/command/host_ioctl.c). Results are those of the public functions; the caller is inside the
 * gate, has seen the state NORMAL there, and holds no lock. Shared inside core only. */
#ifndef CORE_PROVISION_H
#define CORE_PROVISION_H

#include "core/adapter/adapter.h"

/** What is wrong with a request before its sub-command is looked at: the AFU cannot, or there is no
 * such port. 0, -EOPNOTSUPP or -EINVAL, in this order. */
HAL_MUST_CHECK int spipe__provision_check(struct spipe *s, unsigned port);

HAL_MUST_CHECK int spipe__provision_create(struct spipe *s, unsigned port, uint64_t blocks,
                                           struct spipe_provisioned_lun *out);
HAL_MUST_CHECK int spipe__provision_delete(struct spipe *s, unsigned port, uint64_t lun_id);
HAL_MUST_CHECK int spipe__provision_query(struct spipe *s, unsigned port,
                                          struct spipe_provision_info *out);

#endif
