/* SPDX-License-Identifier: Apache-2.0 */
/* Slots are handed out from both ends of the table of each port: LUNs with several ports get the
 * same slot on all of them, counting up; LUNs with one port count down. A slot that was given back
 * between the marks and the ends is in a set and is used again first; a mark moves back only when
 * the outermost slot of its range is free (R-35, INV-9). */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

enum { LAST_SLOT = AFU_LUN_TABLE_SLOTS - 1 };

/* ---- sets ---- */

static void set_add(struct spipe__slot_set *set, int slot)
{
    set->word[slot / 64] |= HAL_BIT(slot % 64);
}

static void set_remove(struct spipe__slot_set *set, int slot)
{
    set->word[slot / 64] &= ~HAL_BIT(slot % 64);
}

static bool set_has(const struct spipe__slot_set *set, int slot)
{
    return set->word[slot / 64] & HAL_BIT(slot % 64);
}

/* ---- ports ---- */

static bool is_multi(unsigned ports) { return ports & (ports - 1); }

/* Lowest of the single-port marks of some ports: slots up to it are free of single-port LUNs. */
static int single_limit(const struct spipe *s, unsigned ports)
{
    int limit = LAST_SLOT;

    for (unsigned p = 0; p < s->ports; p++)
        if ((ports & AFU_PORT_BIT(p)) && s->last_lun_index[p] < limit)
            limit = s->last_lun_index[p];
    return limit;
}

static void write_slot(struct spipe *s, const struct spipe__lun *lun)
{
    for (unsigned p = 0; p < s->ports; p++)
        if (lun->port_mask & AFU_PORT_BIT(p))
            spipe__write(s, AFU_LUN_TABLE_ENTRY(p, lun->table_index), lun->lun_id[p]);
}

/* Stores are posted: after a load behind them they have arrived. An entry with this slot may be
 * shown to the AFU then (INV-8). */
static void confirm_slot(struct spipe *s, const struct spipe__lun *lun)
{
    (void)spipe__read(s, AFU_LUN_TABLE_ENTRY(hal_lowest_bit(lun->port_mask), lun->table_index));
}

/* ---- choosing ---- */

/* A slot given back that no single-port LUN of the ports uses (SP-137), else the next one. */
static int choose_multi(struct spipe *s, unsigned ports)
{
    int limit =
        spipe__mutant(SPW_18) ? s->last_lun_index[hal_lowest_bit(ports)] : single_limit(s, ports);

    for (int slot = 0; slot < s->promote_lun_index && slot <= limit; slot++) {
        if (set_has(&s->multi_free, slot)) {
            set_remove(&s->multi_free, slot);
            return slot;
        }
    }
    return s->promote_lun_index < limit ? s->promote_lun_index++ : -ENOSPC;
}

static int choose_single(struct spipe *s, unsigned port)
{
    int *last = &s->last_lun_index[port];

    for (int slot = LAST_SLOT; slot > *last; slot--) {
        if (set_has(&s->single_free[port], slot)) {
            set_remove(&s->single_free[port], slot);
            return slot;
        }
    }
    return s->promote_lun_index < *last ? (*last)-- : -ENOSPC;
}

/* ---- what others call ---- */

void spipe__lun_table_init(struct spipe *s)
{
    s->promote_lun_index = 0;
    s->multi_free = (struct spipe__slot_set){0};
    for (unsigned p = 0; p < SPIPE__PORTS_MAX; p++) {
        s->last_lun_index[p] = LAST_SLOT;
        s->single_free[p] = (struct spipe__slot_set){0};
    }
}

int spipe__lun_table_assign(struct spipe *s, struct spipe__lun *lun)
{
    unsigned ports = lun->port_mask;
    int slot;

    if (lun->in_table)
        return 0;
    if (!ports || ports >> s->ports)
        return -EIO;
    slot = is_multi(ports) ? choose_multi(s, ports) : choose_single(s, hal_lowest_bit(ports));
    if (slot < 0)
        return slot;
    lun->table_index = (uint8_t)slot;
    lun->in_table = true;
    write_slot(s, lun);
    confirm_slot(s, lun);
    return 0;
}

static void release_multi(struct spipe *s, int slot)
{
    set_add(&s->multi_free, slot);
    while (s->promote_lun_index > 0 && set_has(&s->multi_free, s->promote_lun_index - 1))
        set_remove(&s->multi_free, --s->promote_lun_index);
}

static void release_single(struct spipe *s, unsigned port, int slot)
{
    int *last = &s->last_lun_index[port];

    set_add(&s->single_free[port], slot);
    while (*last < LAST_SLOT && set_has(&s->single_free[port], *last + 1))
        set_remove(&s->single_free[port], ++*last);
}

void spipe__lun_table_release(struct spipe *s, struct spipe__lun *lun)
{
    CHECK(lun->in_table);
    lun->in_table = false;
    if (is_multi(lun->port_mask))
        release_multi(s, lun->table_index);
    else
        release_single(s, hal_lowest_bit(lun->port_mask), lun->table_index);
}

void spipe__lun_table_restore(struct spipe *s)
{
    spipe__books_lock(s);
    for (unsigned i = 0; i < s->lun_count; i++)
        if (s->lun[i].in_table)
            write_slot(s, &s->lun[i]);
    spipe__books_unlock(s);
}
