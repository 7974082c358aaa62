/* SPDX-License-Identifier: Apache-2.0 */
/* Admission and header check of requests, exhaustively, against docs/spec/superpipe.md section 5.
 * Codes are the literal numbers of section 2. */
#include "core/ioctl/ioctl_check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"

TestSuite(ioctl_check, .timeout = 60);

enum { DISK = SPIPE__IOCTL_DISK, HOST = SPIPE__IOCTL_HOST };

static const uint32_t attach = 0xC090CA80, release = 0xC068CA82, detach = 0xC060CA83,
                      manage_lun = 0xC068CA86, user_virtual = 0xC078CA87, vlun_resize = 0xC078CA88,
                      vlun_clone = 0xC070CA89;

struct known {
    int face;
    uint32_t request;
    uint16_t size;
};

static const struct known all[] = {
    {DISK, 0xC090CA80, 144}, {DISK, 0xC070CA81, 112}, {DISK, 0xC068CA82, 104},
    {DISK, 0xC060CA83, 96},  {DISK, 0xC090CA84, 144}, {DISK, 0xC078CA85, 120},
    {DISK, 0xC068CA86, 104}, {DISK, 0xC078CA87, 120}, {DISK, 0xC078CA88, 120},
    {DISK, 0xC070CA89, 112}, {HOST, 0xC0A0CABF, 160}, {HOST, 0xC078CABE, 120},
};

static const struct known *look_up(int face, uint32_t request)
{
    for (const struct known *k = all; k < all + HAL_ARRAY_LENGTH(all); k++)
        if (k->face == face && k->request == request)
            return k;
    return NULL;
}

/* Where the request has the best chances. */
static struct spipe__ioctl_site good_site(int face)
{
    return (struct spipe__ioctl_site){.face = (enum spipe__ioctl_face)face, .lun_enabled = true};
}

static int admit(struct spipe__ioctl_site site, uint32_t request)
{
    const struct spipe__ioctl_rule *rule = NULL;
    int result = spipe__ioctl_admit(&site, request, &rule);

    cr_assert_eq(rule != NULL, result == 0, "a rule comes with success only");
    cr_assert(!rule || rule->request == request);
    return result;
}

Test(ioctl_check, every_request_is_known_at_its_own_face_with_its_size)
{
    const struct spipe__ioctl_rule *rule = NULL;
    struct spipe__ioctl_site site;

    for (const struct known *k = all; k < all + HAL_ARRAY_LENGTH(all); k++) {
        site = good_site(k->face);
        cr_assert_eq(spipe__ioctl_admit(&site, k->request, &rule), 0, "0x%x", k->request);
        cr_assert_eq(rule->size, k->size, "0x%x: %u bytes", k->request, rule->size);
        cr_assert_eq(admit(good_site(k->face == DISK ? HOST : DISK), k->request), -EINVAL);
    }
    cr_assert_eq(admit(good_site(HOST), 0xC0A0CABF), 0);
    cr_assert_eq(admit(good_site(HOST), 0xC078CABE), 0);
}

static void assert_known_or_refused(int face, uint32_t request)
{
    cr_assert_eq(admit(good_site(face), request), look_up(face, request) ? 0 : -EINVAL, "0x%x",
                 request);
}

/* Every number with every size up to 255, and every single bit wrong. */
Test(ioctl_check, nothing_else_is_known)
{
    for (int face = DISK; face <= HOST; face++) {
        for (uint32_t number = 0; number < 256; number++)
            for (uint32_t size = 0; size < 256; size++)
                assert_known_or_refused(face, 0xC000CA00 | size << 16 | number);
        for (size_t i = 0; i < HAL_ARRAY_LENGTH(all); i++)
            for (unsigned bit = 0; bit < 32; bit++)
                assert_known_or_refused(face, all[i].request ^ UINT32_C(1) << bit);
    }
    cr_assert_eq(admit(good_site(DISK), 0xC060CA8A), -EINVAL);
    PROVES(SP_15);
    cr_assert_eq(admit(good_site(HOST), 0xC078CABD), -EINVAL);
    PROVES(AD_210);
}

/* A negative int, as some C libraries declare the argument, is the same request. */
Test(ioctl_check, the_code_is_cut_to_32_bits)
{
    long request = (int)0xC068CA86u;

    cr_assert_lt(request, 0);
    cr_assert_eq(admit(good_site(DISK), (uint32_t)request), 0);
}

/* SP-14, SP-16 in their order. */
static int expected(const struct known *k, const struct spipe__ioctl_site *s)
{
    uint32_t r = k->request;

    if (s->internal_lun &&
        (r == release || r == user_virtual || r == vlun_resize || r == vlun_clone))
        return -EINVAL;
    if (r == manage_lun)
        return 0;
    return k->face == DISK && !s->lun_enabled ? -EINVAL : 0;
}

Test(ioctl_check, every_request_in_every_situation)
{
    struct spipe__ioctl_site s;
    int want;

    for (const struct known *k = all; k < all + HAL_ARRAY_LENGTH(all); k++)
        for (int situation = 0; situation < 4; situation++) {
            s = good_site(k->face);
            s.internal_lun = situation & 1;
            s.lun_enabled = situation & 2;
            want = expected(k, &s);
            cr_assert_eq(admit(s, k->request), want, "0x%x, internal %d, enabled %d", k->request,
                         s.internal_lun, s.lun_enabled);
        }
}

/* The rows of the specification one by one, so that the table above cannot be wrong alone. */
Test(ioctl_check, an_internal_lun_has_no_virtual_ones)
{
    struct spipe__ioctl_site s = good_site(DISK);

    s.internal_lun = true;
    cr_assert_eq(admit(s, release), -EINVAL);
    cr_assert_eq(admit(s, user_virtual), -EINVAL);
    cr_assert_eq(admit(s, vlun_resize), -EINVAL);
    cr_assert_eq(admit(s, vlun_clone), -EINVAL);
    cr_assert_eq(admit(s, attach), 0);
    cr_assert_eq(admit(s, detach), 0);
    PROVES(SP_14);
}

Test(ioctl_check, a_lun_must_be_enabled_first)
{
    struct spipe__ioctl_site s = good_site(DISK);

    s.lun_enabled = false;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(all); i++)
        if (all[i].face == DISK)
            cr_assert_eq(admit(s, all[i].request), all[i].request == manage_lun ? 0 : -EINVAL);
    PROVES(SP_16);
}

/* SP-17, SP-18, SP-24; R-37 for the host. */
static enum spipe__admission admission(int face, uint32_t request)
{
    const struct spipe__ioctl_rule *rule = NULL;
    struct spipe__ioctl_site site = good_site(face);

    cr_assert_eq(spipe__ioctl_admit(&site, request, &rule), 0);
    return rule->admission;
}

Test(ioctl_check, the_state_matters_as_the_request_says)
{
    for (const struct known *k = all; k < all + HAL_ARRAY_LENGTH(all); k++) {
        uint32_t r = k->request;
        enum spipe__admission want = SPIPE__ADMIT_NORMAL;

        if (r == vlun_resize || r == release || r == detach)
            want = SPIPE__ADMIT_CLEANUP;
        if (r == manage_lun)
            want = SPIPE__ADMIT_ALWAYS;
        cr_assert_eq(admission(k->face, r), want, "0x%x", r);
    }
    PROVES(SP_18);
    PROVES(SP_24);
}

Test(ioctl_check, a_host_has_no_lun_but_a_state)
{
    struct spipe__ioctl_site s = {.face = SPIPE__IOCTL_HOST, .internal_lun = true};

    cr_assert_eq(admit(s, 0xC0A0CABF), 0);
    cr_assert_eq(admission(HOST, 0xC0A0CABF), SPIPE__ADMIT_NORMAL);
    cr_assert_eq(admission(HOST, 0xC078CABE), SPIPE__ADMIT_NORMAL);
}

/* ---- header ---- */

/* Checks a request of 160 bytes that is all zero but for one byte, 8-byte aligned or not. */
static int check_byte(int face, size_t at, uint8_t value, size_t misaligned)
{
    uint64_t room[21] = {0};
    uint8_t *request = (uint8_t *)room + misaligned;

    request[at] = value;
    return spipe__ioctl_check_header((enum spipe__ioctl_face)face, request);
}

/* Every single bit of a request, and nothing set. */
static void check_bits(int face, int (*want)(size_t at))
{
    for (size_t at = 0; at < 160; at++)
        for (unsigned value = 0; value < 256; value = value ? value * 2 : 1)
            cr_assert_eq(check_byte(face, at, (uint8_t)value, at % 8), value ? want(at) : 0,
                         "byte %zu = 0x%02x", at, value);
}

static int want_disk(size_t at) { return at < 8 || (at >= 16 && at < 24) ? -EINVAL : 0; }

static int want_host(size_t at)
{
    return at < 2 || (at >= 4 && at < 8) || (at >= 16 && at < 24) ? -EINVAL : 0;
}

Test(ioctl_check, a_disk_header_must_be_zero_but_for_flags)
{
    check_bits(DISK, want_disk);
    cr_assert_eq(check_byte(DISK, 0, 1, 0), -EINVAL);
    cr_assert_eq(check_byte(DISK, 1, 1, 0), -EINVAL);
    PROVES(SP_20);
    for (size_t at = 2; at < 8; at++)
        cr_assert_eq(check_byte(DISK, at, 0xFF, 0), -EINVAL);
    for (size_t at = 16; at < 24; at++)
        cr_assert_eq(check_byte(DISK, at, 0xFF, 0), -EINVAL);
    PROVES(SP_21);
}

Test(ioctl_check, a_host_header_has_a_sub_command_too)
{
    check_bits(HOST, want_host);
    cr_assert_eq(check_byte(HOST, 2, 3, 0), 0);
    cr_assert_eq(check_byte(HOST, 3, 3, 0), 0);
}

/* SP-10 leaves flags and tail alone; here nothing behind the header is looked at. */
Test(ioctl_check, all_flags_and_a_full_tail_pass)
{
    uint8_t request[160];

    memset(request, 0xFF, sizeof request);
    memset(request, 0, 8);
    memset(request + 16, 0, 8);
    cr_assert_eq(spipe__ioctl_check_header(SPIPE__IOCTL_DISK, request), 0);
    cr_assert_eq(spipe__ioctl_check_header(SPIPE__IOCTL_HOST, request), 0);
}
