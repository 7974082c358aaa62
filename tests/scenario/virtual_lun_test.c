/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual LUNs through the whole stack: contents, isolation, resizing under I/O, names. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/context/client.h"
#include "core/cxlflash_ioctl.h"
#include "hal/exec.h"
#include "hal/support/prng.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

static uint8_t page[4][STACK_BLOCK] __attribute__((aligned(4096)));

static void fill(uint8_t *p, unsigned value) { memset(p, (int)value, STACK_BLOCK); }

static void expect(const uint8_t *p, unsigned value)
{
    for (unsigned i = 0; i < STACK_BLOCK; i++)
        cr_assert_eq(p[i], value, "byte %u is 0x%02x", i, p[i]);
}

static void round_trip(struct stack *s, void *arg)
{
    struct stack_client a, b;
    uint32_t ha, hb;

    (void)arg;
    stack_client(s, &a, 0, 16, false);
    stack_client(s, &b, 0, 16, false);
    ha = stack_open(&a, 0, 2);
    hb = stack_open(&b, 0, 2);
    fill(page[0], 0xA5);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, ha, 70000, 1, page[0]), 0);
    cr_assert_eq(stack_io(&b, SPIPE_READ, hb, 70000, 1, page[1]), 0);
    expect(page[1], 0); /* the same virtual block of another client is another block */
    cr_assert_eq(stack_io(&a, SPIPE_READ, ha, 70000, 1, page[1]), 0);
    expect(page[1], 0xA5);
    cr_assert_eq(stack_io(&a, SPIPE_READ, ha, 2 * 65536, 1, page[1]), -EIO); /* beyond the end */
    cr_assert_eq(stack_io(&a, SPIPE_READ, ha + 1, 0, 1, page[1]), -EINVAL);  /* not open */
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(virtual_lun, round_trip_and_isolation)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, round_trip, NULL);
    sim_media_close(media);
}

/* Grow keeps what is there, shrink gives chunks back, nothing is left behind. */
static void resizing(struct stack *s, void *arg)
{
    struct spipe_lun_info info;
    struct stack_client a;
    uint64_t last;
    uint32_t h;

    (void)arg;
    stack_client(s, &a, 0, 16, true);
    h = stack_open(&a, 0, 1);
    fill(page[0], 0x3C);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, h, 5, 1, page[0]), 0);
    cr_assert_eq(spipe_resize(a.ctx, h, 7 * 65536, &last), 0);
    cr_assert_eq(last, 7 * 65536 - 1);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, h, 6 * 65536 + 9, 1, page[0]), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 5, 1, page[1]), 0);
    expect(page[1], 0x3C);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.free_chunks, 1);
    cr_assert_eq(spipe_resize(a.ctx, h, 20 * 65536, &last), 0); /* partial grant */
    cr_assert_eq(last, 8 * 65536 - 1);
    cr_assert_eq(spipe_resize(a.ctx, h, 9 * 65536, &last), -ENOSPC);
    cr_assert_eq(spipe_resize(a.ctx, h, 65536, &last), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 6 * 65536 + 9, 1, page[1]), -EIO);
    cr_assert_eq(spipe_resize(a.ctx, h, 0, &last), 0);
    cr_assert_eq(last, SPIPE_NO_BLOCK);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 0, 1, page[1]), -EIO);
    cr_assert_eq(spipe_release(a.ctx, h), 0);
    cr_assert_eq(spipe_release(a.ctx, h), -EINVAL);
    spipe_client_destroy(a.client);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.users, 0);
}

Test(virtual_lun, resize)
{
    struct sim_media *media = stack_media(8);

    for (uint64_t seed = 1; seed <= 20; seed++)
        stack_run(&(struct stack_setup){.seed = seed, .media = media}, resizing, NULL);
    sim_media_close(media);
}

/* ---- names ------------------------------------------------------------------------------------
 */

static void store_name(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t h;

    fill(page[0], *(unsigned *)arg);
    stack_client(s, &a, 1, 16, false);
    h = stack_open(&a, 1, 3);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, h, 2 * 65536, 1, page[0]), 0);
    cr_assert_eq(spipe_name_set(a.ctx, h, "backup", 12345), 0);
    spipe_client_destroy(a.client);
}

static void load_name(struct stack *s, void *arg)
{
    struct spipe_name_info name;
    struct spipe_lun_info info;
    struct stack_client a;
    uint64_t last;
    unsigned lun;
    uint32_t h, other;

    cr_assert_eq(spipe_name_stat(s->adapter, "backup", &name, &lun), 0);
    cr_assert_eq(name.byte_length, 12345);
    cr_assert_eq(name.blocks, 3 * 65536);
    cr_assert_eq(lun, 1);
    stack_client(s, &a, 1, 16, false);
    other = stack_open(&a, 1, 5); /* all that is left: named chunks stay */
    fill(page[1], 0xFF);
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(stack_io(&a, SPIPE_WRITE, other, i * 65536, 1, page[1]), 0);
    cr_assert_eq(spipe_name_open(a.ctx, "backup", &h, &last), 0);
    cr_assert_eq(last, 3 * 65536 - 1);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 2 * 65536, 1, page[2]), 0);
    expect(page[2], *(unsigned *)arg);
    cr_assert_eq(spipe_name_open(a.ctx, "nothing", &h, &last), -ENOENT);
    spipe_client_destroy(a.client);
    cr_assert_eq(spipe_lun_info(s->adapter, 1, &info), 0);
    cr_assert_eq(info.users, 0);
}

static void remove_name(struct stack *s, void *arg)
{
    struct spipe_name_info name;
    struct stack_client a;

    (void)arg;
    cr_assert_eq(spipe_name_remove(s->adapter, "backup"), 0);
    cr_assert_eq(spipe_name_remove(s->adapter, "backup"), -ENOENT);
    cr_assert_eq(spipe_name_at(s->adapter, 0, &name), -ENOENT);
    stack_client(s, &a, 1, 16, false);
    stack_open(&a, 1, 8);
    spipe_client_destroy(a.client);
}

/* Three lives of the adapter over the same media. */
Test(virtual_lun, names_survive_a_restart)
{
    struct sim_media *media = stack_media(8);
    unsigned value = 0x5A;

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, store_name, &value);
    stack_run(&(struct stack_setup){.seed = 2, .media = media}, load_name, &value);
    value = 0x17;
    stack_run(&(struct stack_setup){.seed = 3, .media = media}, store_name,
              &value); /* the same name again: its new meaning */
    stack_run(&(struct stack_setup){.seed = 4, .media = media}, load_name, &value);
    stack_run(&(struct stack_setup){.seed = 5, .media = media}, remove_name, NULL);
    sim_media_close(media);
}

/* ---- errors -----------------------------------------------------------------------------------
 */

static void lost_and_bad(struct stack *s, void *arg)
{
    struct fault_plan *faults = sim_afu_faults(sim_host_afu(s->host, 0));
    uint64_t before = exec_now(s->exec);
    struct stack_client a;
    char why[64];
    uint32_t h;

    (void)arg;
    stack_client(s, &a, 0, 4, false);
    h = stack_open(&a, 0, 1);
    cr_assert_eq(sim_faults_load(faults, "rrq#1=d", why, sizeof why), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 0, 1, page[0]), -ETIMEDOUT);
    cr_assert_geq(exec_now(s->exec) - before, UINT64_C(30000000000));
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 0, 1, page[0]), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 0, 1, (void *)0x1234), -EIO); /* */
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 0, 1, page[0]), 0);
    cr_assert_eq(sim_faults_load(faults, "media#1=x", why, sizeof why), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 0, 1, page[0]), -EIO);
    spipe_client_destroy(a.client);
}

Test(virtual_lun, lost_answers_and_bad_buffers)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, lost_and_bad, NULL);
    sim_media_close(media);
}

/* A forked client reads what its parent wrote, may not write where it only reads, and keeps its
 * chunks when the parent lets go. */
static void cloning(struct stack *s, void *arg)
{
    struct spipe_attach_options reads = {.size = sizeof reads, .no_write = true};
    struct spipe_lun_info info;
    struct stack_client parent, child;
    uint32_t h;

    (void)arg;
    stack_client(s, &parent, 0, 16, false);
    h = stack_open(&parent, 0, 2);
    fill(page[0], 0x66);
    cr_assert_eq(stack_io(&parent, SPIPE_WRITE, h, 65540, 1, page[0]), 0);
    cr_assert_eq(spipe_client_fork(parent.client, "child", &child.client), 0);
    cr_assert_eq(spipe_attach(child.client, 0, &reads, &child.ctx), 0);
    cr_assert_eq(spipe_clone(child.ctx, parent.ctx), 0);
    cr_assert_eq(stack_io(&child, SPIPE_READ, h, 65540, 1, page[1]), 0);
    expect(page[1], 0x66);
    cr_assert_eq(stack_io(&child, SPIPE_WRITE, h, 65540, 1, page[1]), -EIO);
    spipe_client_destroy(parent.client);
    cr_assert_eq(stack_io(&child, SPIPE_READ, h, 65540, 1, page[2]), 0);
    expect(page[2], 0x66);
    spipe_client_destroy(child.client);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.mode, SPIPE_LUN_NONE);
}

Test(virtual_lun, cloning)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 4, .media = media}, cloning, NULL);
    sim_media_close(media);
}

/* ---- a parent that ends while its child clones ---- */

#define FAMILIES 3000
#define CYCLE_NS 4

struct family {
    struct exec *exec;
    struct spipe_client *parent, *child;
    void *heir; /* of the parent's memory: zeros, where nobody may look any more */
    bool ended;
};

static void end_parent(void *family)
{
    struct family *f = family;

    spipe_client_destroy(f->parent);
    f->heir = exec_alloc(f->exec, sizeof(struct spipe_client), _Alignof(struct spipe_client));
    f->ended = true;
}

static uint64_t attach_to(struct spipe_client *c, uint64_t access)
{
    struct dk_cxlflash_attach a = {.hdr.flags = access, .num_interrupts = 4};

    cr_assert_eq(spipe_ioctl(c, 0, DK_CXLFLASH_ATTACH, &a), 0);
    return a.context_id;
}

/* The child asks until its parent is gone. Its first request waits for the context that is about to
 * end, so the next ones fall into the moment in which its parent goes. */
static void clone_from_who_ends(struct stack *s)
{
    struct dk_cxlflash_uvirtual u = {.lun_size = SPIPE_CHUNK_BLOCKS};
    struct dk_cxlflash_clone c = {0};
    struct exec_thread *thread;
    struct family f = {.exec = s->exec};
    int rc = -EINVAL;

    cr_assert_eq(spipe_client_create(s->adapter, "parent", &f.parent), 0);
    u.context_id = c.context_id_src = attach_to(f.parent, O_RDWR);
    cr_assert_eq(spipe_ioctl(f.parent, 0, DK_CXLFLASH_USER_VIRTUAL, &u), 0);
    cr_assert_eq(spipe_client_fork(f.parent, "child", &f.child), 0);
    c.context_id_dst = attach_to(f.child, O_RDONLY);
    cr_assert_eq(exec_thread_create(s->exec, "parent", end_parent, &f, &thread), 0);
    stack_sleep(s, CYCLE_NS);
    while (!f.ended && rc == -EINVAL)
        rc = spipe_ioctl(f.child, 0, DK_CXLFLASH_VLUN_CLONE, &c);
    cr_assert(rc == 0 || rc == -EINVAL, "%d", rc);
    exec_thread_join(s->exec, thread);
    exec_free(s->exec, f.heir, sizeof(struct spipe_client));
    spipe_client_destroy(f.child);
}

static void families(struct stack *s, void *arg)
{
    struct stack_client neighbour; /* keeps the LUN a virtual one */

    (void)arg;
    stack_client(s, &neighbour, 0, 16, false);
    stack_open(&neighbour, 0, 1);
    for (unsigned i = 0; i < FAMILIES; i++)
        clone_from_who_ends(s);
    spipe_client_destroy(neighbour.client);
}

/* SP-178. The random requests met a parent that had been freed between the look for it and the look
 * for its context (nightly, seed 200044). */
Test(virtual_lun, parent_ends_while_its_child_clones)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, families, NULL);
    sim_media_close(media);
}

/* The whole LUN, its tail included, through either port; virtual LUNs only when it is given back.
 */
static void direct(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t one, two, h;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 16, false);
    cr_assert_eq(spipe_open_direct(a.ctx, 0, SPIPE_PORT_ANY, &one, &last), 0);
    cr_assert_eq(spipe_open_direct(a.ctx, 0, 1, &two, &last), 0);
    fill(page[0], 0x71);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, one, last, 1, page[0]), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, two, last, 1, page[1]), 0);
    expect(page[1], 0x71);
    cr_assert_eq(stack_io(&a, SPIPE_READ, one, last + 1, 1, page[1]), -EIO);
    cr_assert_eq(spipe_open_virtual(a.ctx, 0, 1, &h, &last), -EINVAL);
    cr_assert_eq(spipe_release(a.ctx, one), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, one, 0, 1, page[1]), -EINVAL);
    cr_assert_eq(spipe_release(a.ctx, two), 0);
    cr_assert_eq(spipe_open_virtual(a.ctx, 0, 1, &h, &last), 0);
    spipe_client_destroy(a.client);
}

Test(virtual_lun, direct_handles)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 5, .media = media}, direct, NULL);
    sim_media_close(media);
}

/* SP-3: what a virtual LUN held is gone with it; a whole LUN keeps what was written to it. */
static void persistence(struct stack *s, void *arg)
{
    struct spipe_open_options wiped = {.size = sizeof wiped, .wipe = true};
    struct stack_client a;
    uint64_t last;
    uint32_t h;

    (void)arg;
    stack_client(s, &a, 0, 16, false);
    cr_assert_eq(spipe_open_virtual_with(a.ctx, 0, 2 * 65536, &wiped, &h, &last), 0);
    fill(page[0], 0x77);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, h, 2 * 65536 - 9, 1, page[0]), 0);
    spipe_client_destroy(a.client);
    stack_client(s, &a, 0, 16, false);
    h = stack_open(&a, 0, 2);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 2 * 65536 - 9, 1, page[1]), 0);
    expect(page[1], 0);
    cr_assert_eq(spipe_release(a.ctx, h), 0);
    cr_assert_eq(spipe_open_direct(a.ctx, 0, 0, &h, &last), 0);
    cr_assert_eq(stack_io(&a, SPIPE_WRITE, h, 65536 + 9, 1, page[0]), 0);
    spipe_client_destroy(a.client);
    stack_client(s, &a, 0, 16, false);
    cr_assert_eq(spipe_open_direct(a.ctx, 0, 1, &h, &last), 0);
    cr_assert_eq(stack_io(&a, SPIPE_READ, h, 65536 + 9, 1, page[1]), 0);
    expect(page[1], 0x77);
    PROVES(SP_3);
    spipe_client_destroy(a.client);
}

Test(virtual_lun, persistence)
{
    struct sim_media *media = stack_media(2);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, persistence, NULL);
    sim_media_close(media);
}
