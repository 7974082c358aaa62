/* SPDX-License-Identifier: Apache-2.0 */
/* The first stack frame of a fiber, what sanitizers must hear, and the ucontext fallback. */
#include "sim/sched/fiber.h"

#include <string.h>

#include "hal/support/bits.h"

#ifdef FIBER_USE_UCONTEXT
#include <ucontext.h>
#endif

/* Runs on the new stack; the first switch to the fiber calls it with the fiber as argument. */
_Noreturn void fiber_main(struct fiber *f);

static void arrived(struct fiber *self)
{
#if SIM_ASAN
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(self->asan_fake, &bottom, &size);
    /* The only way to learn the bounds of a stack that somebody else made. */
    if (!self->from->stack) {
        self->from->asan_bottom = bottom;
        self->from->asan_size = size;
    }
#else
    (void)self;
#endif
}

_Noreturn void fiber_main(struct fiber *f)
{
    arrived(f);
    f->entry(f->arg);
    CHECK_UNREACHABLE();
}

#ifdef FIBER_USE_UCONTEXT

/* ucontext passes int arguments only, so the pointer travels in two halves. */
static void ucontext_main(unsigned high, unsigned low)
{
    fiber_main((struct fiber *)(uintptr_t)((uint64_t)high << 32 | low));
}

static ucontext_t *ucontext_of(struct fiber *f) { return f->sp; }

/* The saved registers stand at the high end of the stack. */
static void first_frame(struct fiber *f)
{
    unsigned char *top = f->stack + f->size - hal_align_up(sizeof(ucontext_t), 64);
    ucontext_t *u = (ucontext_t *)(void *)(top - (uintptr_t)top % 64);
    size_t below = FIBER_CANARY_WORDS * sizeof(uint64_t);

    f->sp = u;
    CHECK(getcontext(u) == 0);
    u->uc_stack.ss_sp = f->stack + below;
    u->uc_stack.ss_size = (size_t)((unsigned char *)u - f->stack) - below;
    u->uc_link = NULL;
    makecontext(u, (void (*)(void))ucontext_main, 2, (unsigned)((uintptr_t)f >> 32),
                (unsigned)(uintptr_t)f);
}

static void switch_registers(struct fiber *from, struct fiber *to)
{
    ucontext_t here;

    /* The thread's own stack has no room set aside: its registers stay in this frame, which is
     * there until somebody switches back. */
    if (!from->stack)
        from->sp = &here; /* cppcheck-suppress autoVariables */
    CHECK(swapcontext(ucontext_of(from), ucontext_of(to)) == 0);
}

size_t fiber_dead_stack(const struct fiber *f, void **start)
{
    (void)f;
    (void)start;
    return 0;
}

#else

/* Bytes below its stack pointer that a function of x86-64 may use. Power's switch is a call. */
#if defined(__x86_64__)
#define RED_ZONE 128
#else
#define RED_ZONE 0
#endif

#if SIM_ASAN || SIM_TSAN
static void switch_registers(struct fiber *from, struct fiber *to)
{
    fiber_switch_registers(from, to);
}
#endif

/* The high end of the stack, aligned as both ABIs have it. */
static unsigned char *stack_top(const struct fiber *f)
{
    unsigned char *end = f->stack + f->size;

    return end - (uintptr_t)end % 16;
}

size_t fiber_dead_stack(const struct fiber *f, void **start)
{
    unsigned char *low = f->stack + FIBER_CANARY_WORDS * sizeof(uint64_t);
    unsigned char *live = (unsigned char *)((uintptr_t)f->sp & ~(uintptr_t)15) - RED_ZONE;

    CHECK(live > low && live < f->stack + f->size);
    *start = low;
    return (size_t)(live - low);
}

#if defined(__x86_64__)

/* As if fiber_main had been called: below an address to return to, which is 0: nothing lies above
 * this frame. */
static void first_frame(struct fiber *f)
{
    uint64_t *frame = (uint64_t *)(void *)stack_top(f) - 1;

    *frame = 0;
    f->sp = frame;
    f->pc = (void *)(uintptr_t)fiber_main;
    __asm__("stmxcsr %0\n\tfnstcw %1" : "=m"(f->mxcsr), "=m"(f->x87));
}

#elif defined(__powerpc64__)

/* Offsets in the frame that fiber_ppc64.S makes. */
enum {
    FRAME_SIZE = 640,
    FRAME_FPSCR = 104,
    FRAME_R14 = 112,
    CALLER_LR = 16,
    CALLER_FRAME = 160, /* linkage and parameter areas of the first function, either ABI */
};

static void put(unsigned char *frame, size_t offset, uint64_t value)
{
    memcpy(frame + offset, &value, sizeof value);
}

/* ELFv1 function pointers lead to a descriptor whose first word is the address of the code. */
static uint64_t code_address(void (*fn)(void))
{
#if defined(_CALL_ELF) && _CALL_ELF == 2
    return (uintptr_t)fn;
#else
    uint64_t code;

    memcpy(&code, (const void *)fn, sizeof code);
    return code;
#endif
}

/* The frame that fiber_switch_frames expects. */
static void first_frame(struct fiber *f)
{
    extern void fiber_begin(void);
    unsigned char *caller = stack_top(f) - CALLER_FRAME, *frame = caller - FRAME_SIZE;
    double fpscr;

    __asm__ volatile("mffs %0" : "=d"(fpscr));
    memset(frame, 0, FRAME_SIZE + CALLER_FRAME);
    put(frame, 0, (uintptr_t)caller); /* back chain; the caller's stays 0: the end */
    memcpy(frame + FRAME_FPSCR, &fpscr, sizeof fpscr);
    put(frame, FRAME_R14, (uintptr_t)fiber_main);
    put(frame, FRAME_R14 + 8, (uintptr_t)f);
    put(caller, CALLER_LR, code_address(fiber_begin));
    f->sp = frame;
}

#endif
#endif

void fiber_init(struct fiber *f, void *stack, size_t size, void (*entry)(void *), void *arg)
{
    uint64_t *canary = stack;

    CHECK(stack && ((uintptr_t)stack & 15) == 0 && size >= FIBER_STACK_MIN && entry);
    memset(f, 0, sizeof *f);
    f->stack = stack;
    f->size = size;
    f->entry = entry;
    f->arg = arg;
    f->asan_bottom = stack;
    f->asan_size = size;
    for (int i = 0; i < FIBER_CANARY_WORDS; i++)
        canary[i] = FIBER_CANARY;
    first_frame(f);
#if SIM_TSAN
    f->tsan = __tsan_create_fiber(0);
#endif
}

void fiber_adopt(struct fiber *f)
{
    memset(f, 0, sizeof *f);
#if SIM_TSAN
    f->tsan = __tsan_get_current_fiber();
#endif
}

void fiber_fini(struct fiber *f)
{
#if SIM_TSAN
    if (f->stack && f->tsan)
        __tsan_destroy_fiber(f->tsan);
#endif
    f->tsan = NULL;
}

#if SIM_ASAN || SIM_TSAN || defined(FIBER_USE_UCONTEXT)
static void announce_and_switch(struct fiber *from, struct fiber *to, void **asan_fake)
{
    to->from = from;
#if SIM_ASAN
    __sanitizer_start_switch_fiber(asan_fake, to->asan_bottom, to->asan_size);
#else
    (void)asan_fake;
#endif
#if SIM_TSAN
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
    switch_registers(from, to);
}

void fiber_switch_slow(struct fiber *from, struct fiber *to)
{
    announce_and_switch(from, to, &from->asan_fake);
    arrived(from);
}

_Noreturn void fiber_finish(struct fiber *from, struct fiber *to)
{
    CHECK(fiber_stack_ok(from));
    /* No place for the fake stack: AddressSanitizer frees it. */
    announce_and_switch(from, to, NULL);
    CHECK_UNREACHABLE();
}
#else
_Noreturn void fiber_finish(struct fiber *from, struct fiber *to)
{
    fiber_switch(from, to);
    CHECK_UNREACHABLE();
}
#endif
