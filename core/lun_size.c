/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun_size.h"

#include "hal/support/check.h"

void spipe__lun_free_chunk(struct spipe__lun *lun, uint64_t chunk)
{
    int rc = spipe__ba_free(lun->ba, chunk);

    CHECK(rc == 0);
}
