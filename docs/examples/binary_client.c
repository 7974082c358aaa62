/* SPDX-License-Identifier: Apache-2.0 */
/* A program that uses the binary requests and drives the AFU itself, as one written for the
 * original driver does: attach, open a virtual LUN, write a block, read it back, and recover when
 * the adapter is reset meanwhile. docs/api.md explains it step by step;
 * //tests/scenario:binary_client_test compiles and runs it. */
#include "docs/examples/binary_client.h"

#include <errno.h>
#include <string.h>

#include "core/cxlflash_ioctl.h"
#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/support/endian.h"

#define BLOCK 4096u
#define ELEMENTS 16u /* of the RRQ: more than commands that can be in flight */
#define SLOTS 2u     /* of the SQ: one is always free */

/* What the AFU reads and writes. Real programs keep such memory locked. */
struct shared {
    struct afu_cmd_pair command;
    struct afu_ioarcb sq[SLOTS] __attribute__((aligned(128)));
    uint64_t rrq[ELEMENTS] __attribute__((aligned(128)));
    uint8_t data[BLOCK] __attribute__((aligned(128)));
};

struct program {
    struct spipe_client *client;
    uint32_t disk;
    uint64_t context_id, adap_fd, handle;
    bool sq;
    struct spipe_mapping *mmio;
    struct shared *shared;
    unsigned at;     /* next element of the RRQ */
    uint64_t toggle; /* that it will have */
    unsigned slot;   /* of the SQ, that comes next */
};

/* ---- 1. a context and its registers ---- */

static int map(struct program *p, uint64_t adap_fd, uint64_t mmio_size, uint64_t return_flags)
{
    p->adap_fd = adap_fd;
    p->sq = return_flags & DK_CXLFLASH_CONTEXT_SQ_CMD_MODE;
    return spipe_adap_map(p->client, adap_fd, 0, mmio_size, &p->mmio);
}

/* Unmaps and closes: the hardware context is free then (SP-78). */
static int unmap(struct program *p)
{
    spipe_adap_unmap(p->mmio);
    p->mmio = NULL;
    return spipe_adap_close(p->client, p->adap_fd);
}

static int attach(struct program *p)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2 /* O_RDWR */, .num_interrupts = 4};
    int rc = spipe_ioctl(p->client, p->disk, DK_CXLFLASH_ATTACH, &a);

    if (rc)
        return rc;
    p->context_id = a.context_id;
    return map(p, a.adap_fd, a.mmio_size, a.hdr.return_flags);
}

/* The byte order of what is shared, the RRQ, and in SQ mode the ring of commands. */
static void set_up(struct program *p)
{
    struct shared *m = p->shared;

    memset(m->rrq, 0, sizeof m->rrq);
    p->at = p->slot = 0;
    p->toggle = 1;
    spipe_adap_write64(p->mmio, AFU_HOST_ENDIAN_CTRL,
                       HAL_ORDER_HOST == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG
                                                       : AFU_ENDIAN_CTRL_LITTLE);
    spipe_adap_write64(p->mmio, AFU_HOST_RRQ_START, (uintptr_t)&m->rrq[0]);
    spipe_adap_write64(p->mmio, AFU_HOST_RRQ_END, (uintptr_t)&m->rrq[ELEMENTS - 1]);
    if (!p->sq)
        return;
    spipe_adap_write64(p->mmio, AFU_HOST_SQ_START, (uintptr_t)&m->sq[0]);
    spipe_adap_write64(p->mmio, AFU_HOST_SQ_END, (uintptr_t)&m->sq[SLOTS - 1]);
}

/* ---- 2. a virtual LUN ---- */

static int open_virtual(struct program *p, uint64_t blocks)
{
    struct dk_cxlflash_uvirtual u = {.context_id = p->context_id, .lun_size = blocks};
    int rc = spipe_ioctl(p->client, p->disk, DK_CXLFLASH_USER_VIRTUAL, &u);

    p->handle = u.rsrc_handle;
    return rc;
}

/* ---- 3. recovery ---- */

/* A register has read all ones. 0: the context is as it was, and what was sent is on its way.
 * -EAGAIN: it is a new one, or may be tried again; what was in flight has to be sent again. The
 * handle and its blocks are the old ones. */
static int recover(struct program *p)
{
    struct dk_cxlflash_recover_afu r = {.context_id = p->context_id};
    int rc = spipe_ioctl(p->client, p->disk, DK_CXLFLASH_RECOVER_AFU, &r);

    if (rc || !(r.hdr.return_flags & DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET))
        return rc;
    p->context_id = r.context_id;
    rc = unmap(p); /* the old ones read all ones for ever */
    if (!rc)
        rc = map(p, r.adap_fd, r.mmio_size, r.hdr.return_flags);
    if (rc)
        return rc;
    set_up(p);
    return -EAGAIN;
}

/* ---- 4. commands ---- */

/* READ(16) or WRITE(16) of one block. */
static void fill(struct program *p, bool write, uint64_t lba)
{
    struct afu_ioarcb *rcb = &p->shared->command.ioarcb;
    const enum hal_order o = HAL_ORDER_HOST;

    memset(&p->shared->command, 0, sizeof p->shared->command);
    rcb->ctx_id = xe16_of(o, (uint16_t)p->context_id); /* its low half is the context number */
    rcb->req_flags = xe16_of(o, AFU_REQ_RES_HNDL | (write ? AFU_REQ_HOST_WRITE : 0));
    rcb->res_hndl = xe32_of(o, (uint32_t)p->handle);
    rcb->data_len = xe32_of(o, BLOCK);
    rcb->data_ea = xe64_of(o, (uintptr_t)p->shared->data);
    rcb->cdb[0] = write ? 0x8A : 0x88;
    hal_be64_put(rcb->cdb + 2, lba);
    hal_be32_put(rcb->cdb + 10, 1);
    rcb->ioasa = xe64_of(o, (uintptr_t)&p->shared->command.ioasa); /* SQ mode */
}

static void submit(struct program *p)
{
    struct shared *m = p->shared;

    if (!p->sq) { /* one command at a time: there is always room for it */
        spipe_adap_write64(p->mmio, AFU_HOST_IOARRIN, (uintptr_t)&m->command.ioarcb);
        return;
    }
    m->sq[p->slot] = m->command.ioarcb;
    p->slot = (p->slot + 1) % SLOTS;
    spipe_adap_write64(p->mmio, AFU_HOST_SQ_TAIL, (uintptr_t)&m->sq[p->slot]);
}

/* The next element of the RRQ is there when its lowest bit is the expected one, which changes each
 * time round. */
static bool is_there(const struct program *p)
{
    return (__atomic_load_n(&p->shared->rrq[p->at], __ATOMIC_ACQUIRE) & 1) == p->toggle;
}

/* All ones in a register that never has them mean that the context is lost. */
static int complete(struct program *p)
{
    while (!is_there(p)) {
        bool lost = spipe_adap_read64(p->mmio, AFU_HOST_ENDIAN_CTRL) == UINT64_MAX;
        int rc = lost ? recover(p) : 0;

        if (rc)
            return rc;
        spipe_adap_progress(p->mmio);
    }
    if (++p->at == ELEMENTS) {
        p->at = 0;
        p->toggle ^= 1;
    }
    return afu_rc_good(&p->shared->command.ioasa.rc) ? 0 : -EIO;
}

static int io(struct program *p, bool write, uint64_t lba)
{
    int rc;

    do {
        fill(p, write, lba);
        submit(p);
        rc = complete(p);
    } while (rc == -EAGAIN);
    return rc;
}

/* ---- 5. the end ---- */

static int detach(struct program *p)
{
    struct dk_cxlflash_detach d = {.context_id = p->context_id};
    int rc = spipe_ioctl(p->client, p->disk, DK_CXLFLASH_DETACH, &d);
    int closed = unmap(p);

    return rc ? rc : closed;
}

/* ---- all of it ---- */

static int use(struct program *p, unsigned rounds)
{
    int rc = open_virtual(p, 65536);

    for (unsigned i = 0; i < rounds && !rc; i++) {
        memset(p->shared->data, (int)(i + 1), BLOCK);
        rc = io(p, true, i);
        memset(p->shared->data, 0, BLOCK);
        if (!rc)
            rc = io(p, false, i);
        if (!rc && (p->shared->data[0] != i + 1 || p->shared->data[BLOCK - 1] != i + 1))
            rc = -EILSEQ;
    }
    return rc;
}

int binary_client(struct spipe_client *client, uint32_t disk, unsigned rounds)
{
    static struct shared shared;
    struct program p = {.client = client, .disk = disk, .shared = &shared};
    int rc = attach(&p), end;

    if (rc)
        return rc;
    set_up(&p);
    rc = use(&p, rounds);
    end = detach(&p);
    return rc ? rc : end;
}
