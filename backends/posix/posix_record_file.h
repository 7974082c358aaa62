/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's record store in a plain file: where names of virtual LUNs on a card live
 * (docs/decisions/0015-names-on-a-card.md). The file is a record log from its first byte to its
 * last (hal/support/record_log.h), sparse at first. */
#ifndef BACKENDS_POSIX_POSIX_RECORD_FILE_H
#define BACKENDS_POSIX_POSIX_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "hal/record_store.h"
#include "hal/support/must_check.h"
#include "hal/support/record_log.h"

/** Where a machine keeps the names of its LUNs. */
#define POSIX_RECORD_FILE_PATH "/var/lib/superpipe/names"

/** Bytes of a new file: two halves, each large enough for twice the longest list of a usual machine
 * (docs/decisions/0002-record-store.md). */
#define POSIX_RECORD_FILE_BYTES (UINT64_C(16) << 20)

/** An open file of records, in memory of the caller's. `area` and `log` point into it, so it stays
 * where it is. Hand out &f->log.store; everything else is private. */
struct posix_record_file {
    struct hal_record_area area;
    int fd; /* holds the lock too */
    struct hal_record_log log;
};

/**
 * Opens a file of records, and keeps others out: one group of adapters at a time has it, by an
 * exclusive flock(2), which ends with posix_record_file_close(), or with the process and those that
 * it has forked meanwhile.
 *
 * A file that is missing, or empty, is made with `new_bytes` bytes and mode 0600, and is durable
 * with its name when this returns. So is the directory that it lies in, with mode 0700, if only
 * that is missing. Any other file keeps its size and is not written to: what is in it shows in
 * hal_record_load(), as for every record log. A symbolic link is not followed.
 *
 * A write that finds no room, on the file system, in the user's quota or below the process's limit
 * of file sizes (SIGXFSZ must be ignored then), is -ENOSPC to the log, every other failure -EIO.
 * The log's own results are those of hal/record_store.h: -ENOSPC where nothing of the record is
 * left, and -EIO where there was no room to take it back either.
 *
 * @param f          memory for it, up to posix_record_file_close()
 * @param path       of the file; need not outlive the call
 * @param new_bytes  size of a new file, HAL_RECORD_LOG_AREA_MIN at least; 0 =
 *                   POSIX_RECORD_FILE_BYTES
 * @param why        receives a sentence on failure, with the path
 * @param size       bytes of why
 * @return           0; -EBUSY (somebody else has it), -EACCES or -EPERM (no right to read and
 *                   write it, or to make it), -EROFS, -ELOOP (a symbolic link), -ENOENT or -ENOTDIR
 *                   (more than one directory is missing), -EISDIR, -EINVAL (no plain file, or a
 *                   size that no record log has), -ENAMETOOLONG, -ENOSPC, -EFBIG, -EIO or another
 *                   of open(2); f is as closed then
 *
 * Thread rules: as for every record store, one call at a time; any thread. Calls block on the disk.
 */
HAL_MUST_CHECK int posix_record_file_open(struct posix_record_file *f, const char *path,
                                          uint64_t new_bytes, char *why, size_t size);

/** Ends it, and the lock. Nothing is left to be written. Not twice. */
void posix_record_file_close(struct posix_record_file *f);

#endif
