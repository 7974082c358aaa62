/* SPDX-License-Identifier: Apache-2.0 */
/* size_t sim_copy(void *to, const void *from, size_t n): see sim_copy.h. Every access that can
 * fault lies between sim_copy_first and sim_copy_fixup, and rcx always holds what is left. */
#ifdef __x86_64__
    .text
    .globl sim_copy, sim_copy_first, sim_copy_fixup
    .type sim_copy, @function
sim_copy:
    .cfi_startproc
    mov %rdx, %rcx
    cmp $256, %rcx
    jae 2f
sim_copy_first:
1:  cmp $8, %rcx
    jb 2f
    mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %rcx
    jmp 1b
2:  test %rcx, %rcx /* a string instruction costs much even when there is nothing to do */
    jz sim_copy_fixup
    rep movsb
sim_copy_fixup:
    mov %rcx, %rax
    ret
    .cfi_endproc
    .size sim_copy, . - sim_copy
#endif
    .section .note.GNU-stack, "", @progbits
