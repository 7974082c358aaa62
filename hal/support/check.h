/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions for programming errors. They stay in every build, NDEBUG or not: a broken invariant
 * in a storage stack must stop the program before it reaches a medium. */
#ifndef HAL_SUPPORT_CHECK_H
#define HAL_SUPPORT_CHECK_H

/** Prints where and what failed to stderr and aborts. Never returns. */
_Noreturn void hal_check_failed(const char *file, int line, const char *expression);

/** Aborts the program unless `cond` holds. `cond` is always evaluated exactly once. */
#define CHECK(cond)                                                                                \
    (__builtin_expect(!!(cond), 1) ? (void)0 : hal_check_failed(__FILE__, __LINE__, #cond))

/** Marks a point that only a programming error can reach. */
#define CHECK_UNREACHABLE() hal_check_failed(__FILE__, __LINE__, "unreachable")

#endif
