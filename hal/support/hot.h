/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HAL_SUPPORT_HOT_H
#define HAL_SUPPORT_HOT_H

/** On the way of every command, and not in line. Such functions lie together in the program: spread
 * over it, they push each other out of the processor's cache of instructions, by chance, at each
 * build anew. */
#define HAL_HOT __attribute__((hot))

#endif
