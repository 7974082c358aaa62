/* SPDX-License-Identifier: Apache-2.0 */
/* The register switch of fibers for 64-bit Power, ELFv2 (little endian) and ELFv1 (big endian).
 *
 * Callee-saved: r1, r2 (the TOC, which the caller of a function in another module saved before the
 * call but a local caller relies on), r14-r31, f14-f31, v20-v31, cr2-cr4, lr for the return, and
 * the control bits of FPSCR. r13 is the thread pointer and the same for all fibers.
 *
 * The frame, from r1 up (both ABIs; offsets also in fiber.c):
 *     0  back chain and linkage area      112  r14-r31   256  f14-f31
 *    96  r2                               104  FPSCR     400  v20-v31   592  to 640 unused
 * CR and LR are saved in the caller's linkage area, as the ABI has it. */
#if defined(__powerpc64__) && !defined(FIBER_USE_UCONTEXT)

#define FRAME 640
#define AT_TOC 96
#define AT_FPSCR 104
#define AT_GPRS 112
#define AT_FPRS 256
#define AT_VMXS 400

#if defined(_CALL_ELF) && _CALL_ELF == 2
        .abiversion 2
#define FUNCTION(name)                                                                             \
        .globl  name;                                                                              \
        .type   name, @function;                                                                   \
        .p2align 4;                                                                                \
name:   .localentry name, 0
#define FUNCTION_END(name) .size name, . - name
#else
#define FUNCTION(name)                                                                             \
        .globl  name;                                                                              \
        .section ".opd", "aw";                                                                     \
        .p2align 3;                                                                                \
name:   .quad   .L.name, .TOC.@tocbase, 0;                                                         \
        .type   name, @function;                                                                   \
        .text;                                                                                     \
        .p2align 4;                                                                                \
.L.name:
#define FUNCTION_END(name) .size name, . - .L.name
#endif

        .machine power8
        .text

/* void fiber_switch_frames(void **save (r3), void *load (r4)) */
FUNCTION(fiber_switch_frames)
        .cfi_startproc
        mflr    0
        mfcr    12
        std     0, 16(1)
        stw     12, 8(1)
        stdu    1, -FRAME(1)
        .cfi_def_cfa_offset FRAME
        .cfi_offset 65, 16
        std     2, AT_TOC(1)

        .set    reg, 14
        .rept   18
        std     reg, (AT_GPRS + (reg - 14) * 8)(1)
        .set    reg, reg + 1
        .endr
        .set    reg, 14
        .rept   18
        stfd    reg, (AT_FPRS + (reg - 14) * 8)(1)
        .set    reg, reg + 1
        .endr
        addi    5, 1, AT_VMXS
        .set    reg, 20
        .rept   12
        stvx    reg, 0, 5
        addi    5, 5, 16
        .set    reg, reg + 1
        .endr
        mffs    0
        stfd    0, AT_FPSCR(1)
        mfvsrd  6, 0                    /* modes of the fiber that leaves */

        std     1, 0(3)
        mr      1, 4                    /* from here on the other fiber's stack, laid out alike */

        ld      7, AT_FPSCR(1)
        xor     6, 6, 7
        andi.   6, 6, 0xff              /* control bits: VE OE UE ZE XE NI RN */
        beq     1f
        lfd     0, AT_FPSCR(1)
        mtfsf   0x03, 0                 /* those two fields only */
1:
        .set    reg, 14
        .rept   18
        ld      reg, (AT_GPRS + (reg - 14) * 8)(1)
        .set    reg, reg + 1
        .endr
        .set    reg, 14
        .rept   18
        lfd     reg, (AT_FPRS + (reg - 14) * 8)(1)
        .set    reg, reg + 1
        .endr
        addi    5, 1, AT_VMXS
        .set    reg, 20
        .rept   12
        lvx     reg, 0, 5
        addi    5, 5, 16
        .set    reg, reg + 1
        .endr

        ld      2, AT_TOC(1)
        addi    1, 1, FRAME
        .cfi_def_cfa_offset 0
        ld      0, 16(1)
        lwz     12, 8(1)
        mtlr    0
        mtcrf   0x38, 12                /* cr2, cr3, cr4 */
        blr
        .cfi_endproc
FUNCTION_END(fiber_switch_frames)

/* Where the first switch to a fiber returns to: calls r14(r15), r14 a function pointer as C has
 * it. Its caller's frame on the new stack has room for the linkage area. */
FUNCTION(fiber_begin)
        .cfi_startproc
        .cfi_undefined 65
        mr      3, 15
#if defined(_CALL_ELF) && _CALL_ELF == 2
        mr      12, 14                  /* the callee computes its TOC from r12 */
#else
        ld      12, 0(14)               /* descriptor: code, TOC, environment */
        ld      2, 8(14)
        ld      11, 16(14)
#endif
        mtctr   12
        bctrl
        trap
        .cfi_endproc
FUNCTION_END(fiber_begin)

#endif
        .section .note.GNU-stack, "", @progbits
