/* SPDX-License-Identifier: Apache-2.0 */
/* The register switch of fibers for x86-64, System V ABI.
 *
 * Callee-saved: rbx, rbp, r12-r15, rsp, and the control parts of mxcsr and of the x87 control word.
 * All are pushed, so that one pointer, the stack pointer, stands for the whole state. Loading the
 * modes is slow and they are nearly always equal: they are compared first. */
#if defined(__x86_64__) && !defined(FIBER_USE_UCONTEXT)

        .text

/* void fiber_switch_registers(void **save (rdi), void *load (rsi)) */
        .globl  fiber_switch_registers
        .type   fiber_switch_registers, @function
        .p2align 4
fiber_switch_registers:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax            /* modes of the fiber that leaves */
        movzwl  4(%rsp), %ecx
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp              /* from here on the other fiber's stack, laid out alike */
        xorl    (%rsp), %eax
        testl   $0xffc0, %eax           /* control bits only; the low six are sticky flags */
        jne     2f
1:      cmpw    4(%rsp), %cx
        jne     3f
4:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_adjust_cfa_offset 56
        .cfi_rel_offset %rbp, 48
        .cfi_rel_offset %rbx, 40
        .cfi_rel_offset %r12, 32
        .cfi_rel_offset %r13, 24
        .cfi_rel_offset %r14, 16
        .cfi_rel_offset %r15, 8
2:      ldmxcsr (%rsp)
        jmp     1b
3:      fldcw   4(%rsp)
        jmp     4b
        .cfi_endproc
        .size   fiber_switch_registers, . - fiber_switch_registers

/* Where the first switch to a fiber returns to: calls r13(r12). Nothing lies above this frame. */
        .globl  fiber_begin
        .type   fiber_begin, @function
        .p2align 4
fiber_begin:
        .cfi_startproc
        .cfi_undefined %rip
        movq    %r12, %rdi
        call    *%r13
        ud2
        .cfi_endproc
        .size   fiber_begin, . - fiber_begin

#endif
        .section .note.GNU-stack, "", @progbits
