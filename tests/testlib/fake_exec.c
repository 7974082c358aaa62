/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/fake_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

static struct fake_exec *fake_of(struct exec *e)
{
    return HAL_CONTAINER_OF(e, struct fake_exec, exec);
}

/* ---- memory ---- */

#define BLOCK_MAGIC UINT64_C(0x66616B652D657865)

/* Stands in front of what exec_alloc() gave, and of the space that its alignment needed. */
struct block {
    uint64_t magic;
    size_t size;
    void *start; /* what malloc gave */
};

static void *fake_alloc(struct exec *e, size_t size, size_t align)
{
    struct fake_exec *fake = fake_of(e);
    size_t room = align < sizeof(struct block) ? sizeof(struct block) : align;
    struct block *b;
    char *start, *p;

    fake->allocations++;
    if (fake->fail_after == 0)
        return NULL;
    if (fake->fail_after > 0)
        fake->fail_after--;
    start = calloc(1, size + sizeof *b + room);
    CHECK(start);
    p = (char *)hal_align_up((uintptr_t)start + sizeof *b,
                             hal_max64(align, _Alignof(struct block)));
    b = (struct block *)p - 1;
    *b = (struct block){.magic = BLOCK_MAGIC, .size = size, .start = start};
    fake->bytes += size;
    fake->blocks++;
    return p;
}

static void fake_free(struct exec *e, void *p, size_t size)
{
    struct fake_exec *fake = fake_of(e);
    struct block *b = (struct block *)p - 1;

    CHECK(b->magic == BLOCK_MAGIC && b->size == size && fake->blocks > 0);
    fake->bytes -= size;
    fake->blocks--;
    b->magic = 0;
    free(b->start);
}

/* ---- time ---- */

static uint64_t fake_now(struct exec *e) { return fake_of(e)->now; }

static int fake_sleep_until(struct exec *e, uint64_t deadline)
{
    CHECK(deadline != EXEC_FOREVER);
    fake_of(e)->now = hal_max64(fake_of(e)->now, deadline);
    return 0;
}

/* ---- threads: none of them runs ---- */

static int fake_thread_create(struct exec *e, const char *name, void (*body)(void *), void *arg,
                              struct exec_thread **out)
{
    (void)name, (void)body, (void)arg;
    fake_of(e)->threads++;
    *out = (struct exec_thread *)(void *)e;
    return 0;
}

static void fake_thread_join(struct exec *e, struct exec_thread *t)
{
    CHECK((void *)t == (void *)e && fake_of(e)->threads > 0);
    fake_of(e)->threads--;
}

static void fake_thread_interrupt(struct exec *e, struct exec_thread *t)
{
    (void)e, (void)t;
    CHECK_UNREACHABLE();
}

static void fake_thread_forget_interrupt(struct exec *e) { (void)e; }

static void fake_thread_yield(struct exec *e) { (void)e; }

static uint64_t *fake_thread_ranks(struct exec *e) { return &fake_of(e)->ranks; }

/* ---- locks: opaque[0] says what the object is, opaque[1] whether it is locked ---- */

enum { MUTEX = 0x6d75, COND = 0x636f };

static void fake_mutex_init(struct exec *e, struct exec_mutex *m, const char *name)
{
    (void)e, (void)name;
    *m = (struct exec_mutex){.opaque = {MUTEX, false}};
}

static void fake_mutex_fini(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    CHECK(m->opaque[0] == MUTEX && !m->opaque[1]);
    m->opaque[0] = 0;
}

static void fake_mutex_lock(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    CHECK(m->opaque[0] == MUTEX && !m->opaque[1]);
    m->opaque[1] = true;
}

static void fake_mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    CHECK(m->opaque[0] == MUTEX && m->opaque[1]);
    m->opaque[1] = false;
}

static void fake_cond_init(struct exec *e, struct exec_cond *c, const char *name)
{
    (void)e, (void)name;
    *c = (struct exec_cond){{COND}};
}

static void fake_cond_fini(struct exec *e, struct exec_cond *c)
{
    (void)e;
    CHECK(c->opaque[0] == COND);
    c->opaque[0] = 0;
}

static int fake_cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m,
                          uint64_t deadline, bool interruptible)
{
    (void)interruptible;
    CHECK(c->opaque[0] == COND && m->opaque[0] == MUTEX && m->opaque[1]);
    CHECK(deadline != EXEC_FOREVER);
    fake_of(e)->now = hal_max64(fake_of(e)->now, deadline);
    return -ETIMEDOUT;
}

static void fake_cond_signal(struct exec *e, struct exec_cond *c, bool all)
{
    (void)e, (void)all;
    CHECK(c->opaque[0] == COND);
}

static int fake_fd_wait(struct exec *e, int fd, uint64_t deadline)
{
    (void)e, (void)fd, (void)deadline;
    CHECK_UNREACHABLE();
}

/* ---- atomics and entropy ---- */

static uint64_t fake_atomic_load(struct exec *e, struct exec_atomic *a)
{
    (void)e;
    return a->value;
}

static void fake_atomic_store(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    (void)e;
    a->value = value;
}

static uint64_t fake_atomic_add(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    uint64_t before = a->value;

    (void)e;
    a->value += value;
    return before;
}

static bool fake_atomic_swap_if(struct exec *e, struct exec_atomic *a, uint64_t *expected,
                                uint64_t wanted)
{
    (void)e;
    if (a->value != *expected) {
        *expected = a->value;
        return false;
    }
    a->value = wanted;
    return true;
}

static uint64_t fake_entropy(struct exec *e) { return hal_prng_next(&fake_of(e)->random); }

static const struct exec_ops fake_ops = {
    .name = "fake",
    .now = fake_now,
    .sleep_until = fake_sleep_until,
    .thread_create = fake_thread_create,
    .thread_join = fake_thread_join,
    .thread_interrupt = fake_thread_interrupt,
    .thread_forget_interrupt = fake_thread_forget_interrupt,
    .thread_yield = fake_thread_yield,
    .thread_ranks = fake_thread_ranks,
    .mutex_init = fake_mutex_init,
    .mutex_fini = fake_mutex_fini,
    .mutex_lock = fake_mutex_lock,
    .mutex_lock_behind = fake_mutex_lock,
    .mutex_unlock = fake_mutex_unlock,
    .cond_init = fake_cond_init,
    .cond_fini = fake_cond_fini,
    .cond_wait = fake_cond_wait,
    .cond_signal = fake_cond_signal,
    .fd_wait = fake_fd_wait,
    .mem_alloc = fake_alloc,
    .mem_free = fake_free,
    .atomic_load = fake_atomic_load,
    .atomic_store = fake_atomic_store,
    .atomic_add = fake_atomic_add,
    .atomic_swap_if = fake_atomic_swap_if,
    .entropy = fake_entropy,
};

void fake_exec_init(struct fake_exec *fake, uint64_t seed)
{
    *fake = (struct fake_exec){.fail_after = FAKE_EXEC_NEVER};
    exec_init(&fake->exec, &fake_ops);
    hal_prng_seed(&fake->random, seed, 0);
}
