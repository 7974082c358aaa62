/* SPDX-License-Identifier: Apache-2.0 */
/* What a switch between fibers must keep: every callee-saved register, the rounding mode, and the
 * stack; and what it must notice. Built once over the assembly and once over ucontext. */
#include <criterion/criterion.h>
#include <fenv.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/check.h"
#include "hal/support/prng.h"
#include "sim/sched/fiber.h"

#define STACK_BYTES 131072
#define FIBERS 5

static struct fiber host, fiber[FIBERS];
static void *stack[FIBERS];

static void start(int i, void (*entry)(void *), void *arg)
{
    stack[i] = aligned_alloc(64, STACK_BYTES);
    cr_assert_not_null(stack[i]);
    fiber_init(&fiber[i], stack[i], STACK_BYTES, entry, arg);
}

static void stop(int i)
{
    fiber_fini(&fiber[i]);
    free(stack[i]);
}

/* ---- order and arguments ---- */

static char order[32];
static size_t order_length;

static void ping(void *arg)
{
    int i = *(const int *)arg;

    order[order_length++] = (char)('a' + i);
    fiber_switch(&fiber[i], &host);
    order[order_length++] = (char)('A' + i);
    fiber_finish(&fiber[i], &host);
}

Test(fiber, runs_goes_on_and_ends)
{
    int id[2] = {0, 1};

    fiber_adopt(&host);
    start(0, ping, &id[0]);
    start(1, ping, &id[1]);
    fiber_switch(&host, &fiber[0]);
    fiber_switch(&host, &fiber[1]);
    order[order_length++] = '-';
    fiber_switch(&host, &fiber[1]);
    fiber_switch(&host, &fiber[0]);
    cr_assert_str_eq(order, "ab-BA");
    stop(0);
    stop(1);
}

static unsigned hops;

static void hop(void *arg)
{
    int i = *(const int *)arg, next = (i + 1) % FIBERS;

    for (;;) {
        if (++hops == 1000)
            fiber_switch(&fiber[i], &host);
        fiber_switch(&fiber[i], &fiber[next]);
    }
}

Test(fiber, switches_directly_from_one_to_another)
{
    int id[FIBERS];

    fiber_adopt(&host);
    for (int i = 0; i < FIBERS; i++) {
        id[i] = i;
        start(i, hop, &id[i]);
    }
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(hops, 1000);
    for (int i = 0; i < FIBERS; i++)
        stop(i);
}

/* ---- registers ---- */

#define INTEGERS 18 /* as many as Power keeps; other machines spill some, which is fine */
#define DOUBLES 18
#define VECTORS 12

typedef uint32_t vector __attribute__((vector_size(16)));

static uint64_t seen_wrong;

/* Keeps many values alive across a switch, so that the compiler holds them in every register that
 * a call preserves; then looks at them. noinline, so that every fiber has the same frame. */
#define LIVE(n) i##n = hal_prng_next(&r), d##n = (double)(hal_prng_next(&r) >> 12)
#define SAME(n)                                                                                    \
    wrong += i##n != hal_prng_next(&again), wrong += d##n != (double)(hal_prng_next(&again) >> 12)
#define EACH_18(X)                                                                                 \
    X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), \
        X(15), X(16), X(17)
#define DECLARE_I(n) i##n
#define DECLARE_D(n) d##n

static __attribute__((noinline)) void keep_scalars(int self, int to, uint64_t seed)
{
    uint64_t EACH_18(DECLARE_I), wrong = 0;
    double EACH_18(DECLARE_D);
    struct hal_prng r, again;

    hal_prng_seed(&r, seed, 1);
    hal_prng_seed(&again, seed, 1);
    EACH_18(LIVE);
    fiber_switch(&fiber[self], &fiber[to]);
    EACH_18(SAME);
    seen_wrong += wrong;
}

static vector any_vector(struct hal_prng *r)
{
    uint64_t a = hal_prng_next(r), b = hal_prng_next(r);

    return (vector){(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)};
}

static unsigned vectors_differ(vector a, vector b)
{
    return a[0] != b[0] || a[1] != b[1] || a[2] != b[2] || a[3] != b[3];
}

static __attribute__((noinline)) void keep_vectors(int self, int to, uint64_t seed)
{
    struct hal_prng r, again;
    vector v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11;

    hal_prng_seed(&r, seed, 2);
    hal_prng_seed(&again, seed, 2);
    v0 = any_vector(&r), v1 = any_vector(&r), v2 = any_vector(&r), v3 = any_vector(&r);
    v4 = any_vector(&r), v5 = any_vector(&r), v6 = any_vector(&r), v7 = any_vector(&r);
    v8 = any_vector(&r), v9 = any_vector(&r), v10 = any_vector(&r), v11 = any_vector(&r);
    /* The values must be in registers, not in memory that nobody else touches. */
    __asm__ volatile("" ::: "memory");
    fiber_switch(&fiber[self], &fiber[to]);
    seen_wrong += vectors_differ(v0, any_vector(&again)) + vectors_differ(v1, any_vector(&again));
    seen_wrong += vectors_differ(v2, any_vector(&again)) + vectors_differ(v3, any_vector(&again));
    seen_wrong += vectors_differ(v4, any_vector(&again)) + vectors_differ(v5, any_vector(&again));
    seen_wrong += vectors_differ(v6, any_vector(&again)) + vectors_differ(v7, any_vector(&again));
    seen_wrong += vectors_differ(v8, any_vector(&again)) + vectors_differ(v9, any_vector(&again));
    seen_wrong += vectors_differ(v10, any_vector(&again)) + vectors_differ(v11, any_vector(&again));
}

static void keep_much(void *arg)
{
    int self = *(const int *)arg, next = (self + 1) % FIBERS;

    for (uint64_t i = 0; i < 200; i++) {
        keep_scalars(self, next, i * FIBERS + (uint64_t)self);
        keep_vectors(self, next, i * FIBERS + (uint64_t)self);
    }
    if (self == 0)
        fiber_finish(&fiber[self], &host);
    fiber_finish(&fiber[self], &fiber[next]);
}

Test(fiber, keeps_every_register_that_a_call_keeps)
{
    int id[FIBERS];

    fiber_adopt(&host);
    for (int i = 0; i < FIBERS; i++) {
        id[i] = i;
        start(i, keep_much, &id[i]);
    }
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(seen_wrong, 0);
    for (int i = 0; i < FIBERS; i++)
        stop(i);
}

/* Floating point as the machine does it now: the C library's word and the register must agree. */
static double third(void)
{
    volatile double one = 1, three = 3;

    return one / three;
}

static int wrong_modes;

static void round_up(void *arg)
{
    (void)arg;
    wrong_modes += fegetround() != FE_TONEAREST; /* a new fiber begins with its creator's mode */
    fesetround(FE_UPWARD);
    fiber_switch(&fiber[0], &host);
    wrong_modes += fegetround() != FE_UPWARD;
    wrong_modes += third() * 3 < 1;
    fiber_finish(&fiber[0], &host);
}

Test(fiber, each_has_its_own_rounding_mode)
{
    double nearest = third(), up;

    fiber_adopt(&host);
    start(0, round_up, NULL);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(fegetround(), FE_TONEAREST);
    cr_assert_eq(third(), nearest);
    fesetround(FE_UPWARD);
    up = third();
    fesetround(FE_DOWNWARD);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(fegetround(), FE_DOWNWARD);
    cr_assert_lt(third(), up);
    cr_assert_eq(wrong_modes, 0);
    stop(0);
}

#if defined(__x86_64__)
/* Names the registers, which the compiler may choose to do without in keep_scalars. */
static __attribute__((noinline)) unsigned lost_registers(int self, uint64_t seed)
{
    register uint64_t b __asm__("rbx") = seed + 1;
    register uint64_t r12 __asm__("r12") = seed + 2;
    register uint64_t r13 __asm__("r13") = seed + 3;
    register uint64_t r14 __asm__("r14") = seed + 4;
    register uint64_t r15 __asm__("r15") = seed + 5;

    __asm__ volatile("" : "+r"(b), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15));
    if (self < 0)
        fiber_switch(&host, &fiber[0]);
    else
        fiber_switch(&fiber[self], &host);
    __asm__ volatile("" : "+r"(b), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15));
    return (b != seed + 1) + (r12 != seed + 2) + (r13 != seed + 3) + (r14 != seed + 4) +
           (r15 != seed + 5);
}

static void fill_registers(void *arg)
{
    *(unsigned *)arg += lost_registers(0, 1000);
    fiber_finish(&fiber[0], &host);
}

Test(fiber, keeps_each_integer_register)
{
    unsigned lost = 0;

    fiber_adopt(&host);
    start(0, fill_registers, &lost);
    cr_assert_eq(lost_registers(-1, 2000), 0);
    cr_assert_eq(lost_registers(-1, 3000), 0);
    cr_assert_eq(lost, 0);
    stop(0);
}

static uint16_t x87_control(void)
{
    uint16_t word;

    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static void x87_single_precision(void *arg)
{
    uint16_t word = x87_control() & (uint16_t)~0x300;

    (void)arg;
    __asm__ volatile("fldcw %0" : : "m"(word));
    fiber_switch(&fiber[0], &host);
    wrong_modes += x87_control() != word;
    fiber_finish(&fiber[0], &host);
}

Test(fiber, each_has_its_own_x87_control_word)
{
    uint16_t before = x87_control();

    fiber_adopt(&host);
    start(0, x87_single_precision, NULL);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(x87_control(), before);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(x87_control(), before);
    cr_assert_eq(wrong_modes, 0);
    stop(0);
}
#endif

#if defined(__powerpc64__)
/* Fields 2 to 4 of the condition register belong to the function that set them. */
static uint64_t condition_fields(void)
{
    uint64_t cr;

    __asm__ volatile("mfcr %0" : "=r"(cr));
    return cr & 0x00fff000;
}

static void set_conditions(void *arg)
{
    uint64_t mine = 0x00a5a000;

    (void)arg;
    __asm__ volatile("mtcrf 0x38, %0" : : "r"(mine) : "cr2", "cr3", "cr4");
    fiber_switch(&fiber[0], &host);
    wrong_modes += condition_fields() != mine;
    fiber_finish(&fiber[0], &host);
}

Test(fiber, each_has_its_own_condition_register)
{
    uint64_t mine = 0x005a5000;

    fiber_adopt(&host);
    start(0, set_conditions, NULL);
    __asm__ volatile("mtcrf 0x38, %0" : : "r"(mine) : "cr2", "cr3", "cr4");
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(condition_fields(), mine);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(wrong_modes, 0);
    stop(0);
}
#endif

/* ---- stacks ---- */

static void align_and_call(void *arg)
{
    char text[64];
    vector v = {1, 2, 3, 4};

    /* Vectors and printf both go wrong on a stack that is not aligned as the ABI has it. */
    *(int *)arg += (uintptr_t)&v % 16 != 0;
    *(int *)arg += snprintf(text, sizeof text, "%.3f %d", 1.5, 7) != 7;
    fiber_finish(&fiber[0], &host);
}

Test(fiber, stack_is_aligned)
{
    int wrong = 0;

    fiber_adopt(&host);
    start(0, align_and_call, &wrong);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(wrong, 0);
    stop(0);
}

static unsigned depth(volatile unsigned n) { return n == 0 ? 0 : 1 + depth(n - 1); }

static void recurse(void *arg)
{
    *(unsigned *)arg = depth(200);
    fiber_switch(&fiber[0], &host);
    *(unsigned *)arg += depth(300);
    fiber_finish(&fiber[0], &host);
}

Test(fiber, uses_its_stack_and_no_other)
{
    unsigned result = 0;

    fiber_adopt(&host);
    start(0, recurse, &result);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(result, 200);
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(result, 500);
    stop(0);
}

Test(fiber, dead_part_of_a_stack_can_be_overwritten)
{
    unsigned result = 0;
    void *dead;
    size_t size;

    fiber_adopt(&host);
    start(0, recurse, &result);
    fiber_switch(&host, &fiber[0]);
    size = fiber_dead_stack(&fiber[0], &dead);
    if (size == 0) {
        cr_log_info("this build does not know the dead part");
        return;
    }
    cr_assert_gt(size, STACK_BYTES / 2);
    cr_assert_lt(size, STACK_BYTES);
    /* Not under a sanitizer: depth() left its marks there. */
    if (!SIM_ASAN)
        memset(dead, 0xa5, size);
    cr_assert(fiber_stack_ok(&fiber[0]));
    fiber_switch(&host, &fiber[0]);
    cr_assert_eq(result, 500);
    stop(0);
}

#if defined(__x86_64__)
static void leave_address(void *arg)
{
    *(unsigned char **)arg = __builtin_frame_address(0);
    fiber_switch(&fiber[0], &host);
    fiber_finish(&fiber[0], &host);
}

/* A function may keep values in the 128 bytes below its stack pointer (System V ABI 3.2.2), and one
 * into which a switch is inlined may do so across it. */
Test(fiber, dead_part_of_a_stack_ends_below_the_red_zone)
{
    unsigned char *frame = NULL;
    void *dead;
    size_t size;

    fiber_adopt(&host);
    start(0, leave_address, &frame);
    fiber_switch(&host, &fiber[0]);
    size = fiber_dead_stack(&fiber[0], &dead);
    if (size)
        cr_assert_leq((uintptr_t)dead + size + 128, (uintptr_t)frame);
    fiber_switch(&host, &fiber[0]);
    stop(0);
}
#endif

static void overrun(void *arg)
{
    uint64_t *low = arg;

    low[0] = 0;
    fiber_switch(&fiber[0], &host);
    fiber_finish(&fiber[0], &host);
}

Test(fiber, overrun_is_noticed_at_the_next_switch, .signal = SIGABRT)
{
    fiber_adopt(&host);
    start(0, overrun, NULL);
    fiber[0].arg = stack[0];
    fiber_switch(&host, &fiber[0]);
}

static void return_at_once(void *arg) { (void)arg; }

Test(fiber, entry_must_not_return, .signal = SIGABRT)
{
    fiber_adopt(&host);
    start(0, return_at_once, NULL);
    fiber_switch(&host, &fiber[0]);
}

Test(fiber, stack_must_not_be_tiny, .signal = SIGABRT)
{
    static uint64_t tiny[128] __attribute__((aligned(16)));

    fiber_init(&fiber[0], tiny, sizeof tiny, return_at_once, NULL);
}
