/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun/rht.h"

#include <errno.h>

#include "hal/afu_regs.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* The two stores that an entry is made of, in format 0 and 1. */
enum { WORD_POINTER, WORD_COUNT };
enum { WORD_LUN_ID, WORD_VALID };

static const size_t table_bytes = SPIPE__RHT_SIZE * sizeof(struct afu_rht_entry);

int spipe__rht_init(struct spipe__rht *rht, struct exec *exec, struct hal_dev *dev,
                    enum hal_order order)
{
    struct spipe__rht made = {.exec = exec, .dev = dev, .order = order};

    made.entries = exec_alloc(exec, table_bytes, SPIPE__RHT_ALIGN);
    if (!made.entries)
        return -ENOMEM;
    if (hal_mem_register(dev, made.entries, table_bytes, "rht")) {
        exec_free(exec, made.entries, table_bytes);
        return -ENOMEM;
    }
    *rht = made;
    return 0;
}

void spipe__rht_fini(struct spipe__rht *rht)
{
    hal_mem_release(rht->dev, rht->entries);
    exec_free(rht->exec, rht->entries, table_bytes);
    rht->entries = NULL;
}

uint32_t spipe__rht_free_handle(const struct spipe__rht *rht, uint32_t from)
{
    for (uint32_t w = from / 64; w < HAL_ARRAY_LENGTH(rht->used); w++) {
        uint64_t skip = w == from / 64 ? HAL_BIT(from % 64) - 1 : 0;
        uint64_t free_bits = ~(rht->used[w] | skip);

        if (free_bits)
            return w * 64 + hal_lowest_bit(free_bits);
    }
    return SPIPE__RHT_SIZE;
}

/* Stores one half of an entry and makes it visible. */
static void put_entry(struct spipe__rht *rht, uint32_t handle, unsigned word,
                      struct afu_rht_entry e)
{
    hal_table_store(rht->dev, &rht->entries[handle].word[word], e.word[word]);
    hal_publish(rht->dev);
}

static void put(struct spipe__rht *rht, uint32_t handle, unsigned word,
                const struct afu_rht_virtual *v)
{
    put_entry(rht, handle, word, afu_rht_pack_virtual(rht->order, v));
}

static void put_direct(struct spipe__rht *rht, uint32_t handle, unsigned word,
                       const struct afu_rht_direct *d)
{
    put_entry(rht, handle, word, afu_rht_pack_direct(rht->order, d));
}

static bool taken(const struct spipe__rht *rht, uint32_t handle)
{
    return handle < SPIPE__RHT_SIZE && (rht->used[handle / 64] & HAL_BIT(handle % 64));
}

static struct afu_rht_virtual entry_of(unsigned permissions, const uint64_t *lxt, uint32_t count)
{
    return (struct afu_rht_virtual){
        .lxt_start = (uint64_t)(uintptr_t)lxt,
        .lxt_cnt = count,
        .permissions = (uint8_t)permissions,
        .nmask = AFU_NMASK_MIN,
    };
}

static void take(struct spipe__rht *rht, uint32_t handle)
{
    CHECK(handle < SPIPE__RHT_SIZE && !taken(rht, handle));
    rht->used[handle / 64] |= HAL_BIT(handle % 64);
}

static void give_back(struct spipe__rht *rht, uint32_t handle)
{
    rht->used[handle / 64] &= ~HAL_BIT(handle % 64);
}

void spipe__rht_open(struct spipe__rht *rht, uint32_t handle, unsigned permissions)
{
    struct afu_rht_virtual v = entry_of(permissions, NULL, 0);

    take(rht, handle);
    put(rht, handle, WORD_COUNT, &v);
}

void spipe__rht_grow(struct spipe__rht *rht, uint32_t handle, unsigned permissions,
                     const uint64_t *lxt, uint32_t count)
{
    struct afu_rht_virtual v = entry_of(permissions, lxt, count);

    CHECK(taken(rht, handle) && lxt && count > 0);
    hal_publish(rht->dev); /* G5: the entries come first */
    put(rht, handle, WORD_POINTER, &v);
    put(rht, handle, WORD_COUNT, &v);
}

void spipe__rht_shrink(struct spipe__rht *rht, uint32_t handle, unsigned permissions,
                       const uint64_t *old_lxt, const uint64_t *lxt, uint32_t count)
{
    struct afu_rht_virtual fewer = entry_of(permissions, old_lxt, count);
    struct afu_rht_virtual moved = entry_of(permissions, lxt, count);

    CHECK(taken(rht, handle) && (lxt != NULL) == (count > 0));
    hal_publish(rht->dev); /* the copies in a new array come first */
    put(rht, handle, WORD_COUNT, &fewer);
    put(rht, handle, WORD_POINTER, &moved);
}

void spipe__rht_close(struct spipe__rht *rht, uint32_t handle)
{
    const struct afu_rht_entry none = {{0}};

    CHECK(taken(rht, handle));
    put_entry(rht, handle, WORD_COUNT, none);
    put_entry(rht, handle, WORD_POINTER, none);
    give_back(rht, handle);
}

/* ---- format 1: "valid" is the last thing set and the first thing cleared (VL-49) ---- */

void spipe__rht_open_direct(struct spipe__rht *rht, uint32_t handle, uint64_t lun_id,
                            unsigned permissions, unsigned port)
{
    const struct afu_rht_direct format_only = {0};
    const struct afu_rht_direct d = {.lun_id = lun_id,
                                     .valid = true,
                                     .permissions = (uint8_t)permissions,
                                     .port_sel = (uint8_t)AFU_PORT_BIT(port)};

    take(rht, handle);
    put_direct(rht, handle, WORD_VALID, &format_only); /* D1 */
    put_direct(rht, handle, WORD_LUN_ID, &d);          /* D2 */
    put_direct(rht, handle, WORD_VALID, &d);           /* D3 */
}

void spipe__rht_close_direct(struct spipe__rht *rht, uint32_t handle, unsigned permissions,
                             unsigned port)
{
    const struct afu_rht_entry none = {{0}};
    const struct afu_rht_direct invalid = {.permissions = (uint8_t)permissions,
                                           .port_sel = (uint8_t)AFU_PORT_BIT(port)};

    CHECK(taken(rht, handle));
    put_direct(rht, handle, WORD_VALID, &invalid); /* R1 */
    put_entry(rht, handle, WORD_LUN_ID, none);     /* R2 */
    put_entry(rht, handle, WORD_VALID, none);      /* R3 */
    give_back(rht, handle);
}
