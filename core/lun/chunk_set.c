/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/chunk_set.h"

#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

enum { PAGE_BYTES = SPIPE__CHUNK_SET_PAGE_BITS / 8 };

static uint32_t page_of(uint32_t chunk) { return chunk / SPIPE__CHUNK_SET_PAGE_BITS; }

/* The word that holds the bit of a chunk, or NULL if its page does not exist. */
static uint64_t *word_of(const struct spipe__chunk_set *set, uint32_t chunk)
{
    uint32_t p = page_of(chunk);

    if (p >= set->pages || !set->page[p])
        return NULL;
    return &set->page[p][chunk % SPIPE__CHUNK_SET_PAGE_BITS / 64];
}

void spipe__chunk_set_init(struct spipe__chunk_set *set, struct exec *exec)
{
    *set = (struct spipe__chunk_set){.exec = exec};
}

void spipe__chunk_set_fini(struct spipe__chunk_set *set)
{
    for (uint32_t p = 0; p < set->pages; p++)
        exec_free(set->exec, set->page[p], PAGE_BYTES);
    exec_free(set->exec, set->page, set->pages * sizeof set->page[0]);
    spipe__chunk_set_init(set, set->exec);
}

/* Makes room for at least `pages` slots. */
static int grow(struct spipe__chunk_set *set, uint32_t pages)
{
    uint32_t wanted = (uint32_t)hal_max64(pages, (uint64_t)set->pages * 2);
    uint64_t **page = exec_alloc(set->exec, wanted * sizeof page[0], _Alignof(uint64_t *));

    if (!page)
        return -ENOMEM;
    if (set->pages)
        memcpy(page, set->page, set->pages * sizeof page[0]);
    exec_free(set->exec, set->page, set->pages * sizeof page[0]);
    set->page = page;
    set->pages = wanted;
    return 0;
}

int spipe__chunk_set_prepare(struct spipe__chunk_set *set, uint32_t chunk)
{
    uint32_t p = page_of(chunk);
    int rc = p < set->pages ? 0 : grow(set, p + 1);

    if (rc || set->page[p])
        return rc;
    set->page[p] = exec_alloc(set->exec, PAGE_BYTES, _Alignof(uint64_t));
    return set->page[p] ? 0 : -ENOMEM;
}

bool spipe__chunk_set_has(const struct spipe__chunk_set *set, uint32_t chunk)
{
    const uint64_t *word = word_of(set, chunk);

    return word && (*word & HAL_BIT(chunk % 64));
}

/* The lowest member of a page that is not below *chunk, which is in the page. */
static bool next_in_page(const uint64_t *page, uint64_t *chunk)
{
    uint64_t at = *chunk % SPIPE__CHUNK_SET_PAGE_BITS, base = *chunk - at;
    uint64_t skip = HAL_BIT(at % 64) - 1;

    for (uint64_t w = at / 64; w < SPIPE__CHUNK_SET_PAGE_BITS / 64; w++, skip = 0)
        if (page[w] & ~skip) {
            *chunk = base + w * 64 + hal_lowest_bit(page[w] & ~skip);
            return true;
        }
    return false;
}

bool spipe__chunk_set_next(const struct spipe__chunk_set *set, uint64_t *chunk)
{
    for (uint64_t p = *chunk / SPIPE__CHUNK_SET_PAGE_BITS; p < set->pages; p++) {
        if (set->page[p] && next_in_page(set->page[p], chunk))
            return true;
        *chunk = (p + 1) * SPIPE__CHUNK_SET_PAGE_BITS;
    }
    return false;
}

void spipe__chunk_set_add(struct spipe__chunk_set *set, uint32_t chunk)
{
    uint64_t *word = word_of(set, chunk);

    CHECK(word && !(*word & HAL_BIT(chunk % 64)));
    *word |= HAL_BIT(chunk % 64);
}

void spipe__chunk_set_remove(struct spipe__chunk_set *set, uint32_t chunk)
{
    uint64_t *word = word_of(set, chunk);

    CHECK(word && (*word & HAL_BIT(chunk % 64)));
    *word &= ~HAL_BIT(chunk % 64);
}
