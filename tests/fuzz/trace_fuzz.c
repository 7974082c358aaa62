/* SPDX-License-Identifier: Apache-2.0 */
/* Binary trace files with arbitrary contents. The first byte of an input is no part of the file:
 * its bit 0 makes the checksum of the head right, its bit 1 the hashes of the records, so that what
 * lies behind them is reached.
 *
 * Whatever the input: no crash, every failure is a sentence, and every record has names. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "sim/sim_trace_format.h"
#include "sim/sim_trace_reader.h"

#define ORDER SIM_TRACE_FILE_ORDER
#define FILE_MAX 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(ok) must_at((ok), __LINE__)
static void must_at(bool ok, int line)
{
    if (!ok)
        fprintf(stderr, "line %d\n", line), abort();
}

static uint32_t head_bytes(const uint8_t *file, size_t size)
{
    struct sim_trace_file_head h;

    if (size < sizeof h)
        return UINT32_MAX;
    memcpy(&h, file, sizeof h);
    return xe32_get(ORDER, h.bytes);
}

static void fix_head(uint8_t *file, size_t size)
{
    uint32_t bytes = head_bytes(file, size);
    xe32_t crc;

    if (bytes < SIM_TRACE_FILE_CRC_FROM || bytes > size)
        return;
    crc = xe32_of(ORDER,
                  hal_crc32c(0, file + SIM_TRACE_FILE_CRC_FROM, bytes - SIM_TRACE_FILE_CRC_FROM));
    memcpy(file + offsetof(struct sim_trace_file_head, crc), &crc, sizeof crc);
}

static void fix_records(uint8_t *file, size_t size)
{
    uint64_t hash = HAL_HASH_START;
    struct sim_trace_file_record r;

    for (size_t at = head_bytes(file, size); at + sizeof r <= size; at += sizeof r) {
        memcpy(&r, file + at, sizeof r);
        if (xe16_get(ORDER, r.kind) == SIM_TRACE_FILE_END)
            return;
        hash = sim_trace_hash_add(hash, xe64_get(ORDER, r.cycle),
                                  sim_trace_id(xe16_get(ORDER, r.kind), xe16_get(ORDER, r.adapter),
                                               xe32_get(ORDER, r.who)),
                                  xe64_get(ORDER, r.a), xe64_get(ORDER, r.b));
        r.hash = xe64_of(ORDER, hash);
        memcpy(file + at, &r, sizeof r);
    }
}

/* The file of an input; its descriptor. */
static int unpack(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_MAX];
    int fd = memfd_create("trace", MFD_CLOEXEC);

    size = size - 1 < sizeof file ? size - 1 : sizeof file;
    memcpy(file, data + 1, size);
    if (data[0] & 1)
        fix_head(file, size);
    if (data[0] & 2)
        fix_records(file, size);
    MUST(fd >= 0 && pwrite(fd, file, size, 0) == (ssize_t)size);
    return fd;
}

static void read_all(struct sim_trace_reader *r, const char *path)
{
    struct sim_trace_record record;
    char why[256] = "";
    int rc;

    while ((rc = sim_trace_reader_next(r, &record)) == 1) {
        const struct sim_event_info *e = sim_trace_reader_kind(r, record.kind);

        MUST(strlen(e->name) + strlen(e->track) + strlen(e->who) + strlen(e->a) + strlen(e->b) <
             FILE_MAX);
        MUST(record.adapter < sim_trace_reader_head(r)->adapters);
    }
    MUST(!rc);
    MUST(!sim_trace_reader_end(r, why, sizeof why) || strstr(why, path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_trace_reader *r = NULL;
    char path[64], why[256] = "";
    int fd;

    if (!size)
        return 0;
    fd = unpack(data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sim_trace_reader_open(path, &r, why, sizeof why)) {
        MUST(strstr(why, path) != NULL);
    } else {
        read_all(r, path);
        sim_trace_reader_close(r);
    }
    close(fd);
    return 0;
}
