/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers: several stacks on one operating-system thread, and the switch between them.
 *
 * The switch is symmetric (any fiber to any other), makes no system call, and keeps exactly what
 * the ABI makes a called function keep: callee-saved integer, floating-point and vector registers,
 * and the rounding and exception modes. It is hand-written for x86-64 and for 64-bit Power (ELFv2
 * and ELFv1); elsewhere, or with FIBER_USE_UCONTEXT defined, it is swapcontext.
 *
 * A fiber's whole state is its struct and its stack. Both may be copied away and back to the same
 * addresses while it does not run. */
#ifndef SIM_SCHED_FIBER_H
#define SIM_SCHED_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/check.h"
#include "sim/sanitizer.h"

#if !defined(FIBER_USE_UCONTEXT) && !defined(__x86_64__) && !defined(__powerpc64__)
#define FIBER_USE_UCONTEXT 1
#endif

/** Least stack size in bytes; real code wants a good deal more. */
#define FIBER_STACK_MIN 8192

/** Marks the low end of a stack; an overrun destroys it. */
#define FIBER_CANARY UINT64_C(0xCA9A17F1BE57ACC5)
#define FIBER_CANARY_WORDS 4

/** One fiber. All fields belong to fiber.c. */
struct fiber {
    void *sp;              /* while it does not run; on Power its registers are saved there */
    void *fp, *pc;         /* x86-64: frame pointer, and where it goes on */
    uint32_t mxcsr;        /* x86-64: its modes */
    uint16_t x87;          /* likewise */
    unsigned char *stack;  /* lowest byte, or NULL: the thread's own stack */
    size_t size;           /* of the stack, bytes */
    struct fiber *from;    /* who switched here last; only valid right after the switch */
    void (*entry)(void *); /* what it runs */
    void *arg;
    const void *asan_bottom; /* bounds of the stack for AddressSanitizer */
    size_t asan_size;
    void *asan_fake;
    void *tsan;
};

/** Prepares f to run entry(arg) on the given stack at the first switch to it. `stack` (aligned to
 * 16) stays the caller's and must outlive f. entry must never return: it ends in fiber_finish. */
void fiber_init(struct fiber *f, void *stack, size_t size, void (*entry)(void *), void *arg);

/** Makes f stand for the calling thread with its own stack. */
void fiber_adopt(struct fiber *f);

/** Frees what the sanitizers keep for a fiber that will not run again. */
void fiber_fini(struct fiber *f);

/** Leaves `from`, which must be the running fiber, for ever, and continues `to`. */
_Noreturn void fiber_finish(struct fiber *from, struct fiber *to);

/** Bytes at the low end of f's stack, above the canary, that hold nothing while f does not run:
 * *start is the first. 0 if unknown. */
size_t fiber_dead_stack(const struct fiber *f, void **start);

/** Whether the canary of f's stack is intact. */
static inline bool fiber_stack_ok(const struct fiber *f)
{
    const uint64_t *canary = (const uint64_t *)(const void *)f->stack;

    return !canary || (canary[0] == FIBER_CANARY && canary[FIBER_CANARY_WORDS - 1] == FIBER_CANARY);
}

#if defined(FIBER_USE_UCONTEXT)
/* swapcontext, in fiber.c */
#elif defined(__x86_64__)
#include "sim/sched/fiber_x86_64.h"
#else
/** Saves the registers at *save and continues what was saved at `load`. In fiber_ppc64.S. */
void fiber_switch_frames(void **save, void *load);

static inline void fiber_switch_registers(struct fiber *from, struct fiber *to)
{
    fiber_switch_frames(&from->sp, to->sp);
}
#endif

/** fiber_switch with everything that sanitizers or ucontext need. */
void fiber_switch_slow(struct fiber *from, struct fiber *to);

/** Leaves `from`, which must be the running fiber, and continues `to`; returns when somebody
 * switches back. The two must differ. A destroyed canary stops the program. */
static inline void fiber_switch(struct fiber *from, struct fiber *to)
{
    CHECK(fiber_stack_ok(from));
#if SIM_ASAN || SIM_TSAN || defined(FIBER_USE_UCONTEXT)
    fiber_switch_slow(from, to);
#else
    fiber_switch_registers(from, to);
#endif
}

#endif
