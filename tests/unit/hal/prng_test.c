/* The generator against published first numbers and against a second computation of both
 * algorithms, which uses no shift of a 64-bit word: rotation and xorshift work on bits here. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "hal/support/prng.h"

/* ---- splitmix64 and xoshiro256** once more, bit by bit ---- */

static unsigned bit_of(uint64_t v, unsigned n) { return (unsigned)(v / (UINT64_C(1) << n) % 2); }

/* The word whose bit (i + by) mod 64 is bit i of v; without `wrap`, bits pushed out are lost. */
static uint64_t moved(uint64_t v, int by, int wrap)
{
    uint64_t r = 0;

    for (int i = 0; i < 64; i++) {
        int to = i + by;

        if (wrap)
            to = (to + 64) % 64;
        if (to >= 0 && to < 64 && bit_of(v, (unsigned)i))
            r += UINT64_C(1) << to;
    }
    return r;
}

static uint64_t mixed(uint64_t z, int by, uint64_t factor)
{
    return (z ^ moved(z, -by, 0)) * factor;
}

/* Number n (from 1) of the splitmix64 sequence that starts at `seed`. */
static uint64_t splitmix_nth(uint64_t seed, unsigned n)
{
    uint64_t z = seed + n * UINT64_C(0x9E3779B97F4A7C15);

    z = mixed(z, 30, UINT64_C(0xBF58476D1CE4E5B9));
    z = mixed(z, 27, UINT64_C(0x94D049BB133111EB));
    return mixed(z, 31, 1);
}

struct reference {
    uint64_t a, b, c, d;
};

/* Output first, then the new state written as a function of the old one. */
static uint64_t reference_next(struct reference *r)
{
    const struct reference old = *r;
    uint64_t out = moved(old.b * 5, 7, 1) * 9;

    r->a = old.a ^ old.d ^ old.b;
    r->b = old.b ^ old.c ^ old.a;
    r->c = old.c ^ old.a ^ moved(old.b, 17, 0);
    r->d = moved(old.d ^ old.b, 45, 1);
    return out;
}

static struct reference reference_seed(uint64_t seed, uint64_t stream)
{
    uint64_t x = seed ^ (stream * UINT64_C(0xD1342543DE82EF95));
    struct reference r = {splitmix_nth(x, 1), splitmix_nth(x, 2), splitmix_nth(x, 3),
                          splitmix_nth(x, 4)};

    return r;
}

/* ---- tests ---- */

/* First numbers from seed 1234567, as published with the algorithm's ports. */
Test(prng, splitmix_numbers)
{
    uint64_t state = 1234567;

    cr_assert_eq(hal_splitmix64(&state), UINT64_C(6457827717110365317));
    cr_assert_eq(hal_splitmix64(&state), UINT64_C(3203168211198807973));
    cr_assert_eq(hal_splitmix64(&state), UINT64_C(9817491932198370423));
}

/* First numbers from the state {1, 2, 3, 4}, as published with the algorithm's ports. */
Test(prng, xoshiro_numbers)
{
    static const uint64_t want[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct hal_prng p = {{1, 2, 3, 4}};

    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        cr_assert_eq(hal_prng_next(&p), want[i], "number %zu", i);
}

Test(prng, same_as_the_reference)
{
    static const uint64_t seeds[] = {0, 1, 42, UINT64_C(0x8000000000000000), UINT64_MAX};

    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++)
        for (uint64_t stream = 0; stream < 4; stream++) {
            struct reference r = reference_seed(seeds[s], stream);
            struct hal_prng p;

            hal_prng_seed(&p, seeds[s], stream);
            for (int i = 0; i < 200; i++)
                cr_assert_eq(hal_prng_next(&p), reference_next(&r),
                             "seed %" PRIu64 " stream %" PRIu64 " number %d", seeds[s], stream, i);
        }
}

/* Replays depend on it: these three numbers may never change. */
Test(prng, numbers_of_a_seeded_stream)
{
    struct hal_prng p;

    hal_prng_seed(&p, 42, 7);
    cr_assert_eq(hal_prng_next(&p), UINT64_C(0x36566FDE73B53910));
    cr_assert_eq(hal_prng_next(&p), UINT64_C(0x17390AE20168C451));
    cr_assert_eq(hal_prng_next(&p), UINT64_C(0x235A55AAAE6C8BC6));
}

/* Drawing from one stream never moves another one. */
Test(prng, streams_do_not_move_each_other)
{
    struct hal_prng alone, beside, other;

    hal_prng_seed(&alone, 9, 1);
    hal_prng_seed(&beside, 9, 1);
    hal_prng_seed(&other, 9, 2);
    for (int i = 0; i < 1000; i++) {
        for (int j = 0; j < i % 5; j++)
            (void)hal_prng_next(&other);
        cr_assert_eq(hal_prng_next(&alone), hal_prng_next(&beside));
    }
}

/* Streams of one seed share no number, at any distance, among the first thousand. */
Test(prng, streams_differ)
{
    enum { N = 1000 };
    static uint64_t a[N], b[N];
    struct hal_prng p, q;

    hal_prng_seed(&p, 9, 1);
    hal_prng_seed(&q, 9, 2);
    for (int i = 0; i < N; i++) {
        a[i] = hal_prng_next(&p);
        b[i] = hal_prng_next(&q);
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            cr_assert_neq(a[i], b[j], "%d %d", i, j);
}

Test(prng, copy_forks_the_stream)
{
    struct hal_prng p, q;

    hal_prng_seed(&p, 3, 0);
    (void)hal_prng_next(&p);
    q = p;
    cr_assert_eq(hal_prng_next(&p), hal_prng_next(&q));
    cr_assert_eq(hal_prng_next(&p), hal_prng_next(&q));
}

Test(prng, below_stays_below_and_reaches_everything)
{
    struct hal_prng p;
    unsigned seen[7] = {0};

    hal_prng_seed(&p, 1, 0);
    for (int i = 0; i < 7000; i++) {
        uint64_t v = hal_prng_below(&p, 7);

        cr_assert_lt(v, 7);
        seen[v]++;
    }
    for (int i = 0; i < 7; i++)
        cr_assert(seen[i] > 800 && seen[i] < 1200, "%d came %u times", i, seen[i]);
}

Test(prng, below_at_its_ends)
{
    struct hal_prng p, q;

    hal_prng_seed(&p, 1, 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(hal_prng_below(&p, 1), 0);
    q = p;
    for (int i = 0; i < 100; i++) {
        uint64_t v = hal_prng_next(&q);

        cr_assert_eq(hal_prng_below(&p, UINT64_C(1) << 63), v >> 1, "the top bits decide");
    }
}
