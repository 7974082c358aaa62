/* SPDX-License-Identifier: Apache-2.0 */
/* Headers and records of media files, to and from bytes. No input or output here; everything that
 * comes from a file is checked before it is believed. */
#include <string.h>

#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "sim/sim_media_file.h"

#define RECORD_TAG 0x45585431u /* "EXT1" */

static const uint8_t magic[8] = "SPIPEMED";

static uint32_t record_crc(const uint8_t *record, uint32_t slot)
{
    uint8_t number[4];

    hal_be32_put(number, slot); /* so that a record counts in its own place only */
    return hal_crc32c(hal_crc32c(0, number, 4), record, MEDIA_FILE_RECORD_BYTES - 4);
}

void media_record_encode(uint8_t out[MEDIA_FILE_RECORD_BYTES], uint32_t slot,
                         const struct media_record *r)
{
    memset(out, 0, MEDIA_FILE_RECORD_BYTES);
    if (!r)
        return;
    hal_be32_put(out, RECORD_TAG);
    hal_be16_put(out + 4, r->space);
    hal_be64_put(out + 8, r->piece);
    hal_be64_put(out + 16, r->sequence);
    hal_be32_put(out + 28, record_crc(out, slot));
}

enum media_record_state media_record_decode(const uint8_t in[MEDIA_FILE_RECORD_BYTES],
                                            uint32_t slot, struct media_record *r)
{
    static const uint8_t zeros[MEDIA_FILE_RECORD_BYTES];

    if (!memcmp(in, zeros, sizeof zeros))
        return MEDIA_RECORD_FREE;
    if (hal_be32_at(in) != RECORD_TAG || hal_be32_at(in + 28) != record_crc(in, slot))
        return MEDIA_RECORD_DAMAGED;
    *r = (struct media_record){.space = hal_be16_at(in + 4),
                               .piece = hal_be64_at(in + 8),
                               .sequence = hal_be64_at(in + 16)};
    return MEDIA_RECORD_USED;
}

static void encode_lun(uint8_t *out, const struct sim_media_lun *l)
{
    hal_be64_put(out, l->blocks);
    hal_be32_put(out + 8, l->block_size);
    out[12] = l->port_mask;
    out[13] = l->added;
    memcpy(out + 16, l->wwid, sizeof l->wwid);
}

static void decode_lun(const uint8_t *in, struct sim_media_lun *l)
{
    *l = (struct sim_media_lun){.blocks = hal_be64_at(in),
                                .block_size = hal_be32_at(in + 8),
                                .port_mask = in[12],
                                .added = in[13] & 1};
    memcpy(l->wwid, in + 16, sizeof l->wwid);
}

/* No LUN has the number: the last one was removed. */
static bool is_free(const uint8_t *in)
{
    static const uint8_t zeros[MEDIA_FILE_HEADER_LUN_BYTES];

    return !memcmp(in, zeros, sizeof zeros);
}

static uint32_t header_bytes(unsigned n_luns)
{
    return MEDIA_FILE_HEADER_FIXED_BYTES + n_luns * MEDIA_FILE_HEADER_LUN_BYTES;
}

size_t media_header_encode(uint8_t out[MEDIA_FILE_HEADER_MAX], uint64_t generation,
                           uint64_t n_slots, const struct sim_media_lun *luns, unsigned n_luns)
{
    uint32_t n = header_bytes(n_luns);

    memset(out, 0, n);
    memcpy(out, magic, sizeof magic);
    hal_be32_put(out + 8, MEDIA_FILE_VERSION);
    hal_be32_put(out + 12, hal_crc32c(0, out, 12));
    hal_be32_put(out + 16, n);
    hal_be64_put(out + 24, generation);
    hal_be64_put(out + 32, n_slots);
    hal_be32_put(out + 40, (uint32_t)MEDIA_FILE_SLOT_BYTES);
    hal_be32_put(out + 44, (uint32_t)MEDIA_FILE_GROUP_SLOTS);
    hal_be64_put(out + 48, SIM_MEDIA_STORE_BYTES);
    hal_be32_put(out + 56, n_luns);
    for (unsigned i = 0; i < n_luns; i++)
        encode_lun(out + header_bytes(i), &luns[i]);
    hal_be32_put(out + 20, hal_crc32c(0, out + 24, n - 24));
    return n;
}

/* The parts of a header that format 1 leaves no choice about. */
static bool fixed_parts_fit(const uint8_t *in)
{
    return hal_be32_at(in + 40) == MEDIA_FILE_SLOT_BYTES &&
           hal_be32_at(in + 44) == MEDIA_FILE_GROUP_SLOTS &&
           hal_be64_at(in + 48) == SIM_MEDIA_STORE_BYTES && hal_be64_at(in + 32) < UINT32_MAX &&
           hal_be32_at(in + 56) <= SIM_MEDIA_LUNS_MAX;
}

enum media_header_state media_header_decode(const uint8_t in[MEDIA_FILE_HEADER_MAX],
                                            struct media_header *h)
{
    uint32_t n = hal_be32_at(in + 16);

    if (memcmp(in, magic, sizeof magic) != 0 || hal_be32_at(in + 12) != hal_crc32c(0, in, 12))
        return MEDIA_HEADER_BAD;
    h->version = hal_be32_at(in + 8);
    if (h->version > MEDIA_FILE_VERSION)
        return MEDIA_HEADER_NEWER;
    if (n < MEDIA_FILE_HEADER_FIXED_BYTES || n > MEDIA_FILE_HEADER_MAX ||
        hal_be32_at(in + 20) != hal_crc32c(0, in + 24, n - 24) || !fixed_parts_fit(in))
        return MEDIA_HEADER_BAD;
    h->generation = hal_be64_at(in + 24);
    h->n_slots = hal_be64_at(in + 32);
    h->n_luns = hal_be32_at(in + 56);
    if (h->version != MEDIA_FILE_VERSION || n != header_bytes(h->n_luns))
        return MEDIA_HEADER_BAD;
    for (unsigned i = 0; i < h->n_luns; i++)
        decode_lun(in + header_bytes(i), &h->luns[i]);
    for (unsigned i = 0; i < h->n_luns; i++)
        if (!is_free(in + header_bytes(i)) && sim_media_check_luns(&h->luns[i], 1, NULL, 0))
            return MEDIA_HEADER_BAD;
    return MEDIA_HEADER_GOOD;
}
