/* SPDX-License-Identifier: Apache-2.0 */
/* What the world and its fibers must tell AddressSanitizer and ThreadSanitizer. In an ordinary
 * build everything here compiles to nothing. */
#ifndef SIM_SANITIZER_H
#define SIM_SANITIZER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif
#ifndef SIM_ASAN
#define SIM_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define SIM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIM_TSAN 1
#endif
#endif
#ifndef SIM_TSAN
#define SIM_TSAN 0
#endif

/* Bytes behind each block of the world that nobody may touch, so that an overrun is seen. */
#define SIM_ASAN_REDZONE (SIM_ASAN ? 16u : 0u)

#if SIM_ASAN
/* Declared here, not included: sanitizer headers are no part of a compiler without its runtime. */
void __asan_poison_memory_region(const volatile void *p, size_t size);
void __asan_unpoison_memory_region(const volatile void *p, size_t size);
int __asan_address_is_poisoned(const volatile void *p);
void __asan_get_shadow_mapping(size_t *scale, size_t *offset);
void *__asan_get_current_fake_stack(void);
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old,
                                     size_t *size_old);
#endif

#if SIM_TSAN
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void *__tsan_get_current_fiber(void);
#endif

/** Forbids access to memory that belongs to nobody. */
static inline void sim_asan_poison(const void *p, size_t size)
{
#if SIM_ASAN
    __asan_poison_memory_region(p, size);
#else
    (void)p;
    (void)size;
#endif
}

/** Allows access again. */
static inline void sim_asan_unpoison(const void *p, size_t size)
{
#if SIM_ASAN
    __asan_unpoison_memory_region(p, size);
#else
    (void)p;
    (void)size;
#endif
}

#endif
