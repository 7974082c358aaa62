/* SPDX-License-Identifier: Apache-2.0 */
/* Byte order as a type.
 *
 * Two families of integers that live in memory shared with the AFU:
 *   be16_t, be32_t, be64_t   always big endian (register images, CDB fields, sense data);
 *   xe16_t, xe32_t, xe64_t   in the order of a context or of the table owner, known at run time
 *                            (SL 15), so that one binary serves both orders.
 * They are distinct structs: assigning one without converting it does not compile. */
#ifndef HAL_SUPPORT_ENDIAN_H
#define HAL_SUPPORT_ENDIAN_H

#include <stdint.h>
#include <string.h>

/** The order of multi-byte fields in memory. */
enum hal_order { HAL_ORDER_LITTLE, HAL_ORDER_BIG };

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HAL_ORDER_HOST HAL_ORDER_BIG
#else
#define HAL_ORDER_HOST HAL_ORDER_LITTLE
#endif

typedef struct {
    uint16_t raw;
} be16_t;
typedef struct {
    uint32_t raw;
} be32_t;
typedef struct {
    uint64_t raw;
} be64_t;
typedef struct {
    uint16_t raw;
} xe16_t;
typedef struct {
    uint32_t raw;
} xe32_t;
typedef struct {
    uint64_t raw;
} xe64_t;

/* Swap v if `order` is not the host's. */
static inline uint16_t hal_swap16(enum hal_order order, uint16_t v)
{
    return order == HAL_ORDER_HOST ? v : __builtin_bswap16(v);
}

static inline uint32_t hal_swap32(enum hal_order order, uint32_t v)
{
    return order == HAL_ORDER_HOST ? v : __builtin_bswap32(v);
}

static inline uint64_t hal_swap64(enum hal_order order, uint64_t v)
{
    return order == HAL_ORDER_HOST ? v : __builtin_bswap64(v);
}

static inline uint16_t be16_get(be16_t v) { return hal_swap16(HAL_ORDER_BIG, v.raw); }
static inline uint32_t be32_get(be32_t v) { return hal_swap32(HAL_ORDER_BIG, v.raw); }
static inline uint64_t be64_get(be64_t v) { return hal_swap64(HAL_ORDER_BIG, v.raw); }
static inline be16_t be16_of(uint16_t v) { return (be16_t){hal_swap16(HAL_ORDER_BIG, v)}; }
static inline be32_t be32_of(uint32_t v) { return (be32_t){hal_swap32(HAL_ORDER_BIG, v)}; }
static inline be64_t be64_of(uint64_t v) { return (be64_t){hal_swap64(HAL_ORDER_BIG, v)}; }

static inline uint16_t xe16_get(enum hal_order o, xe16_t v) { return hal_swap16(o, v.raw); }
static inline uint32_t xe32_get(enum hal_order o, xe32_t v) { return hal_swap32(o, v.raw); }
static inline uint64_t xe64_get(enum hal_order o, xe64_t v) { return hal_swap64(o, v.raw); }
static inline xe16_t xe16_of(enum hal_order o, uint16_t v) { return (xe16_t){hal_swap16(o, v)}; }
static inline xe32_t xe32_of(enum hal_order o, uint32_t v) { return (xe32_t){hal_swap32(o, v)}; }
static inline xe64_t xe64_of(enum hal_order o, uint64_t v) { return (xe64_t){hal_swap64(o, v)}; }

/* Unaligned big-endian access, for CDBs, sense data and on-disk records. */
static inline uint16_t hal_be16_at(const void *p)
{
    be16_t v;
    memcpy(&v, p, sizeof v);
    return be16_get(v);
}

static inline uint32_t hal_be32_at(const void *p)
{
    be32_t v;
    memcpy(&v, p, sizeof v);
    return be32_get(v);
}

static inline uint64_t hal_be64_at(const void *p)
{
    be64_t v;
    memcpy(&v, p, sizeof v);
    return be64_get(v);
}

static inline void hal_be16_put(void *p, uint16_t v)
{
    be16_t b = be16_of(v);
    memcpy(p, &b, sizeof b);
}

static inline void hal_be32_put(void *p, uint32_t v)
{
    be32_t b = be32_of(v);
    memcpy(p, &b, sizeof b);
}

static inline void hal_be64_put(void *p, uint64_t v)
{
    be64_t b = be64_of(v);
    memcpy(p, &b, sizeof b);
}

#endif
