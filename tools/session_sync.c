/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/session_sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/session.h"
#include "tools/text.h"

#define TRIES 6
#define PAUSE_NS UINT64_C(100000000)
#define TIMEOUT_NS UINT64_C(120000000000) /* a large cache takes longer than any other command */

/* Without blocks in the CDB both mean all, from block 0 to the end. */
#define SYNCHRONIZE_CACHE_16 0x91
#define SYNCHRONIZE_CACHE_10 0x35

enum { KEY_ILLEGAL_REQUEST = 5, KEY_UNIT_ATTENTION = 6, KEY_ABORTED = 11 };
enum { ASC_INVALID_OPCODE = 0x20, ASC_RESET = 0x29 };
enum { STATUS_BUSY = 0x08, STATUS_TASK_SET_FULL = 0x28 };

/* ---- judging ----------------------------------------------------------------------------------
 */

static enum session_sync_verdict judge_sense(const struct spipe_scsi *a)
{
    switch (a->sense_key) {
    case KEY_ILLEGAL_REQUEST:
        return a->asc == ASC_INVALID_OPCODE ? SESSION_SYNC_UNKNOWN : SESSION_SYNC_FAILED;
    case KEY_UNIT_ATTENTION:
        return a->asc == ASC_RESET ? SESSION_SYNC_LOST : SESSION_SYNC_AGAIN;
    case KEY_ABORTED:
        return SESSION_SYNC_AGAIN;
    default:
        return SESSION_SYNC_FAILED;
    }
}

enum session_sync_verdict session_sync_judge(int rc, const struct spipe_scsi *answer)
{
    uint8_t host, status;

    if (rc)
        return rc == -EBUSY ? SESSION_SYNC_AGAIN : SESSION_SYNC_FAILED;
    if (!answer->result)
        return SESSION_SYNC_DURABLE;
    if (answer->sense_valid)
        return judge_sense(answer);
    host = SPIPE_RESULT_HOST(answer->result);
    status = SPIPE_RESULT_STATUS(answer->result);
    if (host == SPIPE_DID_NO_CONNECT)
        return SESSION_SYNC_FAILED;
    return host || status == STATUS_BUSY || status == STATUS_TASK_SET_FULL ? SESSION_SYNC_AGAIN
                                                                           : SESSION_SYNC_FAILED;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

/* One form of the command, until the device has something to say about it. *rc is that of the last
 * try. */
static enum session_sync_verdict send(struct session *s, struct spipe *adapter, uint8_t opcode,
                                      struct spipe_scsi *c, int *rc)
{
    enum session_sync_verdict verdict = SESSION_SYNC_AGAIN;

    for (unsigned i = 0; verdict == SESSION_SYNC_AGAIN && i < TRIES; i++) {
        if (i && exec_sleep_until(s->exec, exec_now(s->exec) + PAUSE_NS))
            break;
        *c = (struct spipe_scsi){.size = sizeof *c,
                                 .lun = c->lun,
                                 .port = SPIPE_PORT_ANY,
                                 .timeout_ns = TIMEOUT_NS,
                                 .cdb = {opcode}};
        *rc = spipe_scsi(adapter, c);
        verdict = session_sync_judge(*rc, c);
    }
    return verdict;
}

static int refuse(enum session_sync_verdict verdict, int rc, const struct spipe_scsi *c, char *why,
                  size_t size)
{
    snprintf(why, size, "LUN %u does not confirm that its data are on the medium: ", c->lun);
    if (verdict == SESSION_SYNC_LOST)
        text_append(why, size, "it was reset, so what its cache held may be lost, try again");
    else if (rc)
        text_append(why, size, "%s", strerror(-rc));
    else if (c->sense_valid)
        text_append(why, size, "sense %x/%02x/%02x", c->sense_key, c->asc, c->ascq);
    else
        text_append(why, size, "status %02x, %s", SPIPE_RESULT_STATUS(c->result),
                    spipe_host_byte_words(SPIPE_RESULT_HOST(c->result)));
    return rc ? rc : -EIO;
}

static int sync_device(struct session *s, struct spipe *adapter, unsigned lun, char *why,
                       size_t size)
{
    struct spipe_scsi c = {.lun = lun};
    int rc = 0;
    enum session_sync_verdict verdict = send(s, adapter, SYNCHRONIZE_CACHE_16, &c, &rc);

    if (verdict == SESSION_SYNC_UNKNOWN)
        verdict = send(s, adapter, SYNCHRONIZE_CACHE_10, &c, &rc);
    if (verdict == SESSION_SYNC_DURABLE || verdict == SESSION_SYNC_UNKNOWN)
        return 0;
    return refuse(verdict, rc, &c, why, size);
}

int session_sync(struct session *s, unsigned adapter, unsigned lun, char *why, size_t size)
{
    int rc = sync_device(s, s->spipe[adapter], lun, why, size);

    return rc ? rc : session_sync_media(s, why, size);
}
