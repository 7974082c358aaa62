/* SPDX-License-Identifier: Apache-2.0 */
/* size_t sim_copy(void *to, const void *from, size_t n): see sim_copy.h. r5 holds what is left.
 * A fault among the doublewords leads to sim_copy_bytes, which goes up to the very byte that cannot
 * be reached; one there to sim_copy_fixup. */
#ifdef __powerpc64__
#if _CALL_ELF == 2
    .abiversion 2
    .text
    .globl sim_copy, sim_copy_first, sim_copy_bytes, sim_copy_fixup
    .type sim_copy, @function
sim_copy:
#else
    .globl sim_copy, sim_copy_first, sim_copy_bytes, sim_copy_fixup
    .section ".opd", "aw"
    .align 3
sim_copy:
    .quad .L.sim_copy, .TOC.@tocbase, 0
    .type sim_copy, @function
    .text
.L.sim_copy:
#endif
sim_copy_first:
1:  cmpldi 5, 8
    blt sim_copy_bytes
    ld 6, 0(4)
    std 6, 0(3)
    addi 4, 4, 8
    addi 3, 3, 8
    addi 5, 5, -8
    b 1b
sim_copy_bytes:
    cmpldi 5, 0
    beq sim_copy_fixup
    lbz 6, 0(4)
    stb 6, 0(3)
    addi 4, 4, 1
    addi 3, 3, 1
    addi 5, 5, -1
    b sim_copy_bytes
sim_copy_fixup:
    mr 3, 5
    blr
#endif
    .section .note.GNU-stack, "", @progbits
