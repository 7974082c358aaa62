/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/record_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/endian.h"
#include "hal/support/prng.h"

struct rec_fixture rx;

/* ---- lists of records ---- */

int rec_add(void *arg, const void *record, size_t length)
{
    struct rec_list *l = arg;

    cr_assert(length > 0 && length <= HAL_RECORD_MAX && l->used + 4 + length <= REC_LIST_BYTES);
    hal_be32_put(l->bytes + l->used, (uint32_t)length);
    memcpy(l->bytes + l->used + 4, record, length);
    l->used += 4 + length;
    l->count++;
    return 0;
}

bool rec_same(const struct rec_list *a, const struct rec_list *b)
{
    return a->count == b->count && a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
}

void rec_copy(struct rec_list *to, const struct rec_list *from)
{
    to->count = from->count;
    to->used = from->used;
    memcpy(to->bytes, from->bytes, from->used);
}

void rec_copy_first(struct rec_list *to, const struct rec_list *from, size_t count)
{
    to->count = to->used = 0;
    for (size_t at = 0; to->count < count; at += 4 + hal_be32_at(from->bytes + at))
        rec_add(to, from->bytes + at + 4, hal_be32_at(from->bytes + at));
}

int rec_produce(void *arg, hal_record_fn emit, void *sink)
{
    const struct rec_list *l = arg;
    int rc = 0;

    for (size_t at = 0; at < l->used && !rc; at += 4 + hal_be32_at(l->bytes + at))
        rc = emit(sink, l->bytes + at + 4, hal_be32_at(l->bytes + at));
    return rc;
}

const void *rec_bytes(uint64_t id, size_t length)
{
    static unsigned char bytes[HAL_RECORD_MAX];
    struct hal_prng p;

    hal_prng_seed(&p, id, 7);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)hal_prng_next(&p);
    return bytes;
}

void rec_list_add(struct rec_list *l, uint64_t id, size_t length)
{
    rec_add(l, rec_bytes(id, length), length);
}

/* ---- an area and its log ---- */

int rec_reload(void)
{
    rx.got.count = rx.got.used = 0;
    return hal_record_load(&rx.log.store, rec_add, &rx.got);
}

int rec_reopen(void)
{
    cr_assert_eq(hal_record_log_init(&rx.log, &rx.area.area), 0);
    return rec_reload();
}

void rec_begin(uint64_t size)
{
    rx.want.count = rx.want.used = rx.other.count = rx.other.used = 0;
    fake_area_init(&rx.area, size);
    cr_assert_eq(rec_reopen(), 0);
    cr_assert_eq(rx.got.count, 0);
}

void rec_end(void) { fake_area_fini(&rx.area); }

void rec_append(uint64_t id, size_t length)
{
    cr_assert_eq(hal_record_append(&rx.log.store, rec_bytes(id, length), length), 0);
    rec_list_add(&rx.want, id, length);
}

void rec_compact_to(const struct rec_list *l)
{
    rec_copy(&rx.want, l);
    cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.want), 0);
}

void rec_expect(const struct rec_list *l, const char *what)
{
    cr_assert_eq(rec_reopen(), 0, "%s", what);
    cr_assert(rec_same(&rx.got, l), "%s: %zu records", what, rx.got.count);
}
