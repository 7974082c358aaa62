/* SPDX-License-Identifier: Apache-2.0 */
/* size_t sim_copy(void *to, const void *from, size_t n): see sim_copy.h. Every access that can
 * fault lies between sim_copy_first and sim_copy_fixup, and rcx holds what is left. A fault before
 * sim_copy_bytes leads there, which goes up to the very byte that cannot be reached; one behind it to
 * sim_copy_fixup.
 *
 * sim_copy_8 and sim_copy_16 are the same for so many bytes, in one access: what was stored in one
 * can be loaded as a whole at once, while the processor puts two stores together only later. */
#ifdef __x86_64__
    .section .text.hot, "ax", @progbits
    .globl sim_copy, sim_copy_8, sim_copy_16, sim_copy_first, sim_copy_bytes, sim_copy_fixup
    .type sim_copy, @function
    .type sim_copy_8, @function
    .type sim_copy_16, @function
sim_copy:
    .cfi_startproc
    mov %rdx, %rcx
sim_copy_first:
    cmp $64, %rcx
    jb 2f
1:  movdqu (%rsi), %xmm0 /* an IOARCB, or what tag media keep of a block */
    movdqu 16(%rsi), %xmm1
    movdqu 32(%rsi), %xmm2
    movdqu 48(%rsi), %xmm3
    movdqu %xmm0, (%rdi)
    movdqu %xmm1, 16(%rdi)
    movdqu %xmm2, 32(%rdi)
    movdqu %xmm3, 48(%rdi)
    sub $64, %rcx
    jz sim_copy_fixup
    add $64, %rsi
    add $64, %rdi
    cmp $256, %rcx
    jae sim_copy_bytes
    cmp $64, %rcx
    jae 1b
2:  cmp $8, %rcx
    jb 4f
3:  mov (%rsi), %rax
    mov %rax, (%rdi)
    sub $8, %rcx
    jz sim_copy_fixup
    add $8, %rsi
    add $8, %rdi
    cmp $8, %rcx
    jae 3b
4:  cmp $4, %rcx /* an IOASA has 12 bytes, and a string instruction costs much */
    jne sim_copy_bytes
    mov (%rsi), %eax
    mov %eax, (%rdi)
    xor %eax, %eax
    ret
sim_copy_8:
    mov $8, %ecx
    mov (%rsi), %rax
    mov %rax, (%rdi)
    xor %eax, %eax
    ret
sim_copy_16:
    mov $16, %ecx
    movdqu (%rsi), %xmm0
    movdqu %xmm0, (%rdi)
    xor %eax, %eax
    ret
sim_copy_bytes:
    rep movsb
sim_copy_fixup:
    mov %rcx, %rax
    ret
    .cfi_endproc
    .size sim_copy, . - sim_copy
#endif
    .section .note.GNU-stack, "", @progbits
