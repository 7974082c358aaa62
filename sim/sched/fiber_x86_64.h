/* SPDX-License-Identifier: Apache-2.0 */
/* The register switch of fibers for x86-64, System V ABI. Included by fiber.h only.
 *
 * Inline, with neither a call nor a return: the processor predicts a return by the calls that came
 * before it, which are those of the other fiber, but a jump by where it went from here before. Each
 * return that was predicted wrong costs more than all the rest. And calls stay in step with
 * returns, so that those of the code around it are predicted as well as they can be.
 *
 * What a call may change (the list of the compiler) is not saved here: the compiler keeps what it
 * needs of it on the stack. What is left are the stack and frame pointers, where to go on, and the
 * control parts of mxcsr and of the x87 control word. Loading these two is slow and they are nearly
 * always equal: they are compared first. */
#ifndef SIM_SCHED_FIBER_X86_64_H
#define SIM_SCHED_FIBER_X86_64_H

/* Registers that only some builds use. */
#ifdef __AVX512F__
#define FIBER_CLOBBERS_AVX512                                                                      \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",    \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5",  \
        "k6", "k7"
#else
#define FIBER_CLOBBERS_AVX512
#endif

/** Saves where `from` is and goes on where `to` was left. A fiber that begins finds itself as first
 * argument, in rdi. */
static inline __attribute__((always_inline)) void fiber_switch_registers(struct fiber *from,
                                                                         struct fiber *to)
{
    __asm__ volatile(
        "leaq   1f(%%rip), %%rax\n\t"
        "movq   %%rax, %c[pc](%[from])\n\t"
        "movq   %%rbp, %c[fp](%[from])\n\t"
        "movq   %%rsp, %c[sp](%[from])\n\t"
        "stmxcsr %c[mxcsr](%[from])\n\t"
        "fnstcw %c[x87](%[from])\n\t"
        "movl   %c[mxcsr](%[from]), %%eax\n\t"
        "xorl   %c[mxcsr](%[to]), %%eax\n\t"
        "testl  $0xffc0, %%eax\n\t" /* control bits only; the low six are sticky flags */
        "je     2f\n\t"
        "ldmxcsr %c[mxcsr](%[to])\n"
        "2:\tmovzwl %c[x87](%[from]), %%eax\n\t"
        "cmpw   %c[x87](%[to]), %%ax\n\t"
        "je     3f\n\t"
        "fldcw  %c[x87](%[to])\n"
        "3:\tmovq   %c[sp](%[to]), %%rsp\n\t"
        "movq   %c[fp](%[to]), %%rbp\n\t"
        "jmpq   *%c[pc](%[to])\n"
        "1:"
        : [from] "+S"(from), [to] "+D"(to)
        : [sp] "i"(offsetof(struct fiber, sp)), [fp] "i"(offsetof(struct fiber, fp)),
          [pc] "i"(offsetof(struct fiber, pc)), [mxcsr] "i"(offsetof(struct fiber, mxcsr)),
          [x87] "i"(offsetof(struct fiber, x87))
        : "memory", "cc", "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
          "r15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0",
          "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12", "xmm13", "xmm14", "xmm15" FIBER_CLOBBERS_AVX512);
}

#undef FIBER_CLOBBERS_AVX512

#endif
