/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HAL_SUPPORT_MUST_CHECK_H
#define HAL_SUPPORT_MUST_CHECK_H

/** A caller that drops the result of such a function gets a compiler warning. */
#define HAL_MUST_CHECK __attribute__((warn_unused_result))

#endif
