/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun/lxt.h"

#include <errno.h>

#include "hal/support/check.h"

static size_t bytes_of(uint32_t capacity) { return (size_t)capacity * AFU_LXT_ENTRY_SIZE; }

int spipe__lxt_create(const struct spipe__lxt_home *home, uint32_t count, struct spipe__lxt *lxt)
{
    struct spipe__lxt made = {.capacity = spipe__lxt_capacity(count)};

    if (count == 0) {
        *lxt = made;
        return 0;
    }
    if (made.capacity < count) /* the last seven counts of 32 bits: no group holds them */
        return -ENOMEM;
    made.entry = exec_alloc(home->exec, bytes_of(made.capacity), SPIPE__LXT_ALIGN);
    if (!made.entry)
        return -ENOMEM;
    if (hal_mem_register(home->dev, made.entry, bytes_of(made.capacity), "lxt")) {
        exec_free(home->exec, made.entry, bytes_of(made.capacity));
        return -ENOMEM;
    }
    *lxt = made;
    return 0;
}

void spipe__lxt_destroy(const struct spipe__lxt_home *home, struct spipe__lxt *lxt)
{
    if (!lxt->entry)
        return;
    hal_mem_release(home->dev, lxt->entry);
    exec_free(home->exec, lxt->entry, bytes_of(lxt->capacity));
    *lxt = (struct spipe__lxt){0};
}

void spipe__lxt_store(const struct spipe__lxt_home *home, struct spipe__lxt *lxt, uint32_t index,
                      uint64_t chunk, uint8_t lun_index, unsigned ports)
{
    CHECK(index < lxt->capacity);
    hal_table_store(home->dev, &lxt->entry[index],
                    hal_swap64(home->order, afu_lxt_word(chunk, lun_index, AFU_PERM_RW, ports)));
}

void spipe__lxt_copy(const struct spipe__lxt_home *home, struct spipe__lxt *to,
                     const struct spipe__lxt *from, uint32_t count)
{
    CHECK(count <= to->capacity && count <= from->capacity);
    for (uint32_t i = 0; i < count; i++)
        hal_table_store(home->dev, &to->entry[i], from->entry[i]);
}
