/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that may fault: exact counts at every boundary, in both directions. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/sim_copy.h"

#define PAGE 65536 /* a multiple of every host's page size */

static char *half_mapped(void)
{
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(p, MAP_FAILED);
    cr_assert_eq(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
    sim_copy_install();
    return p;
}

Test(sim_copy, copies_every_length)
{
    char from[700], to[700];

    sim_copy_install();
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)(i * 7);
    for (size_t n = 0; n < 650; n++) {
        memset(to, 0x55, sizeof to);
        cr_assert_eq(sim_copy(to + 3, from + 1, n), 0);
        cr_assert_arr_eq(to + 3, from + 1, n);
        cr_assert_eq(to[2], 0x55);
        cr_assert_eq(to[3 + n], 0x55);
    }
}

Test(sim_copy, stops_at_a_bad_source)
{
    char *p = half_mapped(), to[4096 + 1];

    for (size_t i = 0; i < PAGE; i++)
        p[i] = (char)(i * 7);
    for (size_t good = 1; good <= 600; good += 7) {
        memset(to, 0x55, good + 1);
        cr_assert_eq(sim_copy(to, p + PAGE - good, 4096), 4096 - good);
        cr_assert_arr_eq(to, p + PAGE - good, good);
        cr_assert_eq(to[good], 0x55);
    }
    for (size_t n = 1; n < 300; n++) /* every way through the copy, all but its last byte good */
        cr_assert_eq(sim_copy(to, p + PAGE - n + 1, n), 1);
    cr_assert_eq(sim_copy(to, p + PAGE, 64), 64);
    cr_assert_eq(sim_copy(to, NULL, 16), 16);
}

Test(sim_copy, stops_at_a_bad_target)
{
    char *p = half_mapped(), from[4096];

    memset(from, 0x55, sizeof from);
    cr_assert_eq(sim_copy(p + PAGE, from, 4096), 4096);
    for (size_t n = 1; n < 300; n++) {
        memset(p + PAGE - n, 0, n);
        cr_assert_eq(sim_copy(p + PAGE - n + 1, from, n), 1);
        cr_assert_arr_eq(p + PAGE - n + 1, from, n - 1);
    }
    cr_assert_eq(sim_copy(p + PAGE - 16, from, 64), 48);
}

/* By name: not optimised, sim_copy_known() knows no size. */
Test(sim_copy, words_and_entries)
{
    char *p = half_mapped(), from[17] = "0123456789abcdef", to[17] = "";

    cr_assert_eq(sim_copy_8(to, from), 0);
    cr_assert_str_eq(to, "01234567");
    cr_assert_eq(sim_copy_16(to, from), 0);
    cr_assert_str_eq(to, from);
    for (size_t bad = 1; bad <= 8; bad++) {
        memcpy(p + PAGE - 8, from, 8);
        memset(to, 0x55, sizeof to);
        cr_assert_eq(sim_copy_8(to, p + PAGE - 8 + bad), bad);
        cr_assert_arr_eq(to, from + bad, 8 - bad);
        cr_assert_eq(to[8 - bad], 0x55);
        cr_assert_eq(sim_copy_8(p + PAGE - 8 + bad, from), bad);
        cr_assert_arr_eq(p + PAGE - 8 + bad, from, 8 - bad);
    }
    for (size_t bad = 1; bad <= 16; bad++) {
        memcpy(p + PAGE - 16, from, 16);
        memset(to, 0x55, sizeof to);
        cr_assert_eq(sim_copy_16(to, p + PAGE - 16 + bad), bad);
        cr_assert_arr_eq(to, from + bad, 16 - bad);
        cr_assert_eq(to[16 - bad], 0x55);
        cr_assert_eq(sim_copy_16(p + PAGE - 16 + bad, from), bad);
        cr_assert_arr_eq(p + PAGE - 16 + bad, from, 16 - bad);
    }
    cr_assert_eq(sim_copy_8(to, NULL), 8);
    cr_assert_eq(sim_copy_16(to, NULL), 16);
}

static void other(int sig)
{
    (void)sig;
    _exit(7);
}

#include <unistd.h>

/* A fault outside the copy still reaches whoever handled it before. */
Test(sim_copy, chains_to_the_old_handler, .exit_code = 7)
{
    struct sigaction sa = {.sa_handler = other};
    volatile char *bad;

    sigaction(SIGSEGV, &sa, NULL);
    sim_copy_install();
    bad = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *bad = 1;
}
