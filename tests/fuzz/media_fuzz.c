/* SPDX-License-Identifier: Apache-2.0 */
/* Media files with arbitrary headers and extent tables. An input is packed, because the interesting
 * bytes of a media file lie far apart:
 *
 *   0        flags: bit 0 makes all checksums right, so that the contents behind them are reached
 *   1        slots the file has
 *   2..257   header, copy 0;   258..513  header, copy 1;   514..  extent table
 *
 * Whatever the input: no crash, and a file that opens goes on working: what is written to it is
 * there after opening it again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "sim/sim_media.h"
#include "sim/sim_media_file.h"

#define HEADER_BYTES 256u
#define SLOTS_MAX 40u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(ok) must_at((ok), __LINE__)
static void must_at(int ok, int line)
{
    if (!ok)
        fprintf(stderr, "line %d\n", line), abort();
}

static void fix_header(uint8_t *h)
{
    uint32_t n = hal_be32_at(h + 16);

    hal_be32_put(h + 12, hal_crc32c(0, h, 12));
    if (n > 24 && n <= HEADER_BYTES)
        hal_be32_put(h + 20, hal_crc32c(0, h + 24, n - 24));
}

static void fix_table(uint8_t *table)
{
    for (uint32_t slot = 0; slot < MEDIA_FILE_GROUP_SLOTS; slot++) {
        uint8_t *r = table + slot * MEDIA_FILE_RECORD_BYTES, number[4];
        hal_be32_put(number, slot);
        if (r[0])
            hal_be32_put(r + 28, hal_crc32c(hal_crc32c(0, number, 4), r, 28));
    }
}

/* Unpacks an input into a file; its descriptor. */
static int unpack(const uint8_t *data, size_t size)
{
    uint8_t headers[2 * HEADER_BYTES] = {0}, table[MEDIA_FILE_TABLE_BYTES] = {0};
    size_t n = size - 2 < sizeof headers ? size - 2 : sizeof headers;
    size_t rest = size - 2 - n < sizeof table ? size - 2 - n : sizeof table;
    uint32_t slots = data[1] % SLOTS_MAX;
    int fd = memfd_create("media", MFD_CLOEXEC);

    MUST(fd >= 0);
    memcpy(headers, data + 2, n);
    memcpy(table, data + 2 + n, rest);
    if (data[0] & 1) {
        fix_header(headers);
        fix_header(headers + HEADER_BYTES);
        fix_table(table);
    }
    MUST(pwrite(fd, headers, HEADER_BYTES, 0) == HEADER_BYTES);
    MUST(pwrite(fd, headers + HEADER_BYTES, HEADER_BYTES, MEDIA_FILE_HEADER_ROOM) == HEADER_BYTES);
    MUST(pwrite(fd, table, sizeof table, MEDIA_FILE_GROUPS_AT) == sizeof table);
    MUST(!ftruncate(fd, (off_t)media_file_size(slots)));
    return fd;
}

static int sink(void *arg, uint64_t offset, const void *block, size_t n)
{
    memcpy((uint8_t *)arg + offset, block, n);
    return 0;
}

static int source(void *arg, uint64_t offset, void *block, size_t n)
{
    memcpy(block, (const uint8_t *)arg + offset, n);
    return 0;
}

/* The first LUN that there is: numbers may be free. */
static unsigned first_lun(struct sim_media *m)
{
    unsigned lun = 0;

    while (!sim_media_lun(m, lun))
        lun++;
    return lun;
}

static void change(struct sim_media *m, unsigned lun, uint64_t lba[2])
{
    uint8_t block[4096];

    memset(block, 0xC3, sizeof block);
    lba[0] = 0;
    lba[1] = sim_media_lun(m, lun)->blocks - 1;
    MUST(!sim_media_read(m, lun, lba[1], 1, sink, block));
    memset(block, 0xC3, sizeof block);
    for (unsigned i = 0; i < 2; i++)
        MUST(!sim_media_write(m, lun, lba[i], 1, source, block));
    MUST(!sim_media_store_write(m, 5, block, 100));
    MUST(!sim_media_sync(m));
}

static void check(struct sim_media *m, unsigned lun, const uint64_t lba[2])
{
    uint32_t size = sim_media_lun(m, lun)->block_size;
    uint8_t block[4096], want[4096];

    memset(want, 0xC3, sizeof want);
    for (unsigned i = 0; i < 2; i++) {
        MUST(!sim_media_read(m, lun, lba[i], 1, sink, block));
        MUST(!memcmp(block, want, size));
    }
    MUST(!sim_media_store_read(m, 5, block, 100) && !memcmp(block, want, 100));
    MUST(!sim_media_unmap(
        m, lun, 0, sim_media_lun(m, lun)->blocks < 4096 ? sim_media_lun(m, lun)->blocks : 4096));
    MUST(!sim_media_read(m, lun, 0, 1, sink, block) && !block[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sim_media_opts opts = {.arena_bytes = 8 << 20};
    char path[64], why[SIM_MEDIA_WHY_BYTES] = "";
    struct sim_media *m = NULL;
    uint64_t lba[2];
    unsigned lun;
    int fd;

    if (size < 2)
        return 0;
    fd = unpack(data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sim_media_open(path, &opts, &m, why, sizeof why)) {
        MUST(strstr(why, path) != NULL);
    } else if (sim_media_n_luns(m)) {
        lun = first_lun(m);
        change(m, lun, lba);
        sim_media_close(m);
        MUST(!sim_media_open(path, &opts, &m, why, sizeof why));
        MUST(first_lun(m) == lun);
        check(m, lun, lba);
    }
    sim_media_close(m);
    close(fd);
    return 0;
}
