/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue over records with arbitrary contents: what a damaged, strange or hostile store
 * holds behind valid checksums. An input is a row of records, each behind its length in two bytes:
 *
 *   0    flags: bit 0 gives every record the format, a kind and the number that is due, so that the
 *        steps behind them are reached
 *   1..  length (big endian), bytes; length, bytes; ...
 *
 * Whatever the input: no crash, a refusal has a text, and what opens adds up: names in order, no
 * chunk twice in one, the same after a compaction, and after a change that is taken back. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/catalogue/catalogue.h"
#include "core/lun/chunk_set.h"
#include "hal/record_store.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "hal/support/hash.h"
#include "tests/testlib/fake_exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(ok) must_at((ok), __LINE__)
static void must_at(bool ok, int line)
{
    if (!ok)
        fprintf(stderr, "line %d\n", line), abort();
}

enum {
    RECORDS_MAX = 256,
    CHUNKS_MAX = 1 << 17, /* in all steps of an input; more of them are only slower */
    LUNS_MAX = 8,

    HEADER = 12, /* bytes in front of the steps */
    FORMAT = 2,
    CHANGE = 1,
    LAST = 3,
    STATE = 4,
};

/* ---- a store in memory ---- */

struct records {
    size_t count, length[RECORDS_MAX];
    uint8_t *bytes[RECORDS_MAX];
};

static struct {
    struct hal_record_store store;
    struct records records;
} mem;

static void forget(struct records *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->bytes[i]);
    r->count = 0;
}

static int add(void *arg, const void *record, size_t length)
{
    struct records *r = arg;
    uint8_t *bytes;

    if (r->count == RECORDS_MAX)
        return -ENOSPC;
    bytes = malloc(length);
    MUST(bytes != NULL);
    memcpy(bytes, record, length);
    r->bytes[r->count] = bytes;
    r->length[r->count++] = length;
    return 0;
}

static int mem_load(struct hal_record_store *s, hal_record_fn each, void *arg)
{
    int rc = 0;

    (void)s;
    for (size_t i = 0; i < mem.records.count && !rc; i++)
        rc = each(arg, mem.records.bytes[i], mem.records.length[i]);
    return rc;
}

static int mem_append(struct hal_record_store *s, const void *record, size_t length)
{
    (void)s;
    return add(&mem.records, record, length);
}

static int mem_compact(struct hal_record_store *s, hal_record_list_fn list, void *arg)
{
    struct records fresh = {.count = 0};
    int rc = list(arg, add, &fresh);

    (void)s;
    forget(rc ? &fresh : &mem.records);
    if (!rc)
        mem.records = fresh;
    return rc;
}

static const struct hal_record_store_ops mem_ops = {mem_load, mem_append, mem_compact};

/* ---- input ---- */

/* What it names. */
static struct {
    uint64_t chunks;
    unsigned luns;
    uint8_t lun[LUNS_MAX][SPIPE__CAT_WWID_LENGTH];
} input;

/* What follows the operation of a step (core/catalogue/catalogue_codec.h): name, LUN, bytes of
 * numbers. */
static const struct {
    bool name, lun;
    uint8_t numbers, count_at; /* where the count of a run stands among them; 0: there is none */
} layout[] = {{0},          {1, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 8, 4},
              {0, 0, 4, 0}, {0, 0, 8, 0}, {0, 0, 8, 0}, {0, 1, 8, 4}, {0, 1, 8, 4}};

static void remember_lun(const uint8_t *wwid)
{
    for (unsigned i = 0; i < input.luns; i++)
        if (memcmp(input.lun[i], wwid, SPIPE__CAT_WWID_LENGTH) == 0)
            return;
    if (input.luns < LUNS_MAX)
        memcpy(input.lun[input.luns++], wwid, SPIPE__CAT_WWID_LENGTH);
}

/* Counts chunks and remembers LUNs, as far as the steps of a record can be read. */
static void survey(const uint8_t *p, size_t length)
{
    const uint8_t *end = p + length;

    for (p += length < HEADER ? length : HEADER; p < end;) {
        uint8_t op = *p++;
        size_t name;

        if (op == 0 || op >= HAL_ARRAY_LENGTH(layout))
            return;
        name = layout[op].name && p < end ? (size_t)*p + 1 : 0;
        if ((size_t)(end - p) < name + layout[op].lun * 16u + layout[op].numbers)
            return;
        p += name;
        if (layout[op].lun)
            remember_lun(p);
        p += layout[op].lun * 16u;
        if (layout[op].count_at)
            input.chunks += hal_be32_at(p + layout[op].count_at);
        p += layout[op].numbers;
    }
}

/* The number that is due: a snapshot says which it is, a change is the one after it. */
static void fix(uint8_t *p, uint64_t *number)
{
    p[0] = FORMAT;
    p[1] = (uint8_t)(p[1] % 4 + CHANGE);
    hal_be64_put(p + 4, p[1] == STATE ? *number : *number + 1);
    *number += p[1] == CHANGE || p[1] == LAST;
}

/* Whether the input is one to try. */
static bool unpack(const uint8_t *data, size_t size)
{
    uint64_t number = 0;
    size_t at = 1;

    memset(&input, 0, sizeof input);
    while (at + 2 < size && mem.records.count < RECORDS_MAX) {
        size_t n = (size_t)hal_min64(hal_be16_at(data + at), size - at - 2);

        at += 2;
        if (n == 0)
            continue;
        MUST(add(&mem.records, data + at, n) == 0);
        if (data[0] & 1 && n >= HEADER)
            fix(mem.records.bytes[mem.records.count - 1], &number);
        survey(data + at, n);
        at += n;
    }
    return input.chunks <= CHUNKS_MAX;
}

/* ---- what must hold ---- */

static int hash_wipe(void *arg, uint32_t chunk)
{
    uint64_t *h = arg;

    *h = hal_hash_word(*h, chunk);
    return 0;
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = hal_hash_word(h, ((const uint8_t *)bytes)[i]);
    return hal_hash_word(h, n);
}

static void check_entry(struct exec *exec, const struct spipe__cat_entry *e)
{
    struct spipe__chunk_set seen;

    MUST(spipe__cat_check_name(e->name) == 0);
    MUST((e->chunks != NULL) == (e->chunk_count > 0));
    MUST(e->chunk_count <= SPIPE__CAT_CHUNKS_MAX);
    spipe__chunk_set_init(&seen, exec);
    for (uint32_t i = 0; i < e->chunk_count; i++) {
        MUST(!spipe__chunk_set_has(&seen, e->chunks[i]));
        MUST(spipe__chunk_set_prepare(&seen, e->chunks[i]) == 0);
        spipe__chunk_set_add(&seen, e->chunks[i]);
    }
    spipe__chunk_set_fini(&seen);
}

/* Checks everything, and makes a number of it. */
static uint64_t look(struct exec *exec, struct spipe__cat *cat)
{
    uint64_t h = hal_hash_word(HAL_HASH_START, spipe__cat_count(cat));

    for (size_t i = 0; i < spipe__cat_count(cat); i++) {
        const struct spipe__cat_entry *e = spipe__cat_at(cat, i);

        MUST(spipe__cat_find(cat, e->name) == e);
        MUST(i == 0 || strcmp(spipe__cat_at(cat, i - 1)->name, e->name) < 0);
        check_entry(exec, e);
        h = hash_bytes(hash_bytes(h, e->name, strlen(e->name)), e->wwid, sizeof e->wwid);
        h = hal_hash_word(hal_hash_word(h, e->byte_length), e->generation);
        for (uint32_t k = 0; k < e->chunk_count; k++)
            h = hal_hash_word(h, e->chunks[k]);
    }
    for (unsigned i = 0; i < input.luns; i++)
        MUST(spipe__cat_for_each_wipe(cat, input.lun[i], hash_wipe, &h) == 0);
    return h;
}

static struct spipe__cat *open_again(struct fake_exec *exec, struct spipe__cat *cat)
{
    struct spipe__cat_error error;

    spipe__cat_close(cat);
    MUST(exec->blocks == 0);
    MUST(spipe__cat_open(&exec->exec, &mem.store, &cat, &error) == 0);
    return cat;
}

/* It can be written as a snapshot, and changed; each time the next process finds the same. */
static void use(struct fake_exec *exec, struct spipe__cat *cat)
{
    static const char probe[] = "probe";
    uint64_t h = look(&exec->exec, cat);
    bool taken = spipe__cat_find(cat, probe) != NULL;

    MUST(spipe__cat_compact(cat) == 0);
    MUST(look(&exec->exec, cat) == h);
    cat = open_again(exec, cat);
    MUST(look(&exec->exec, cat) == h);
    if (!taken) {
        const uint32_t chunk = 3;

        MUST(spipe__cat_replace(cat, probe, (const uint8_t[16]){1}, &chunk, 1, 9, NULL, NULL) == 0);
        cat = open_again(exec, cat);
        MUST(spipe__cat_find(cat, probe)->chunks[0] == chunk);
        MUST(spipe__cat_remove(cat, probe, NULL, NULL) == 0);
        cat = open_again(exec, cat);
        MUST(look(&exec->exec, cat) == h);
    }
    spipe__cat_close(cat);
    MUST(exec->blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spipe__cat_error error = {""};
    struct fake_exec exec;
    struct spipe__cat *cat;
    int rc;

    if (size < 1)
        return 0;
    fake_exec_init(&exec, 1);
    mem.store.ops = &mem_ops;
    if (unpack(data, size)) {
        rc = spipe__cat_open(&exec.exec, &mem.store, &cat, &error);
        MUST(rc == 0 || rc == -EILSEQ || rc == -ENOTSUP || rc == -ENOMEM);
        MUST(rc == 0 || (error.text[0] && exec.blocks == 0));
        if (rc == 0)
            use(&exec, cat);
    }
    forget(&mem.records);
    return 0;
}
