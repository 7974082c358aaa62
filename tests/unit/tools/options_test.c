/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: values, tables, messages. */
#include "tools/options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/option_values.h"
#include "tools/text.h"

/* ---- values ---- */

struct value {
    const char *text;
    int rc;
    uint64_t value;
};

static void check_values(int (*read)(const char *, uint64_t *), const struct value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t out = 77;

        cr_assert_eq(read(v[i].text, &out), v[i].rc, "'%s'", v[i].text);
        cr_assert_eq(out, v[i].rc ? 77 : v[i].value, "'%s' gives %llu", v[i].text,
                     (unsigned long long)out);
    }
}

Test(option_values, sizes)
{
    static const struct value v[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"512B", 0, 512},
        {"4k", 0, 4096},
        {"4K", 0, 4096},
        {"64KiB", 0, 65536},
        {"64kib", 0, 65536},
        {"10kB", 0, 10000},
        {"1.5GiB", 0, UINT64_C(1610612736)},
        {"0.5k", 0, 512},
        {"2 MiB", 0, 2 << 20},
        {"1MB", 0, 1000000},
        {"64T", 0, UINT64_C(64) << 40},
        {"16383P", 0, UINT64_C(16383) << 50},
        {"16384P", -ERANGE, 0},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"0.00000000000000000001k", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"4kk", -EINVAL, 0},
        {"4x", -EINVAL, 0},
        {"4.", -EINVAL, 0},
        {".5k", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
    };

    check_values(option_value_size, v, HAL_ARRAY_LENGTH(v));
}

Test(option_values, durations)
{
    static const struct value v[] = {
        {"0.2", 0, 200000000},
        {"200ms", 0, 200000000},
        {"5s", 0, UINT64_C(5000000000)},
        {"15us", 0, 15000},
        {"400ns", 0, 400},
        {"1.5ms", 0, 1500000},
        {"2m", 0, UINT64_C(120000000000)},
        {"2min", 0, UINT64_C(120000000000)},
        {"1 s", 0, 1000000000},
        {"1h", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"ms", -EINVAL, 0},
        {"20000000000", -ERANGE, 0},
    };

    check_values(option_value_duration, v, HAL_ARRAY_LENGTH(v));
}

Test(option_values, counts_percentages_and_factors)
{
    static const struct value count[] = {
        {"0", 0, 0}, {"42", 0, 42}, {"42k", -EINVAL, 0}, {"", -EINVAL, 0}, {" 4", -EINVAL, 0}};
    static const struct value percent[] = {
        {"0", 0, 0},         {"70", 0, 70},        {"70%", 0, 70},   {"100", 0, 100},
        {"101", -ERANGE, 0}, {"70%%", -EINVAL, 0}, {"%", -EINVAL, 0}};
    static const struct value factor[] = {
        {"1", 0, 1000}, {"0.25", 0, 250}, {"1000", 0, 1000000}, {"1x", -EINVAL, 0}};

    check_values(option_value_count, count, HAL_ARRAY_LENGTH(count));
    check_values(option_value_percent, percent, HAL_ARRAY_LENGTH(percent));
    check_values(option_value_factor, factor, HAL_ARRAY_LENGTH(factor));
}

Test(option_values, seeds)
{
    static const struct value v[] = {
        {"1", 0, 1},
        {"0x2a", 0, 42},
        {"0X2A", 0, 42},
        {"0xFFFFFFFFFFFFFFFF", 0, UINT64_MAX},
        {"0x10000000000000000", -ERANGE, 0},
        {"0x", -EINVAL, 0},
        {"0xg", -EINVAL, 0},
        {"Random", -EINVAL, 0},
    };
    uint64_t a = 0, b = 0;

    check_values(option_value_seed, v, HAL_ARRAY_LENGTH(v));
    cr_assert_eq(option_value_seed("random", &a), 0);
    cr_assert_eq(option_value_seed("random", &b), 0);
    cr_assert_neq(a, b);
    cr_assert_lt(a, HAL_BIT(53), "every reader of JSON must get it exactly");
}

Test(option_values, block_mixes)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "100",
                                      "4k:0",
                                      "32M",
                                      "4k,",
                                      "4k:-1",
                                      "4k:80:2",
                                      ":80",
                                      "4k:",
                                      "4k 64k",
                                      "17M",
                                      "4k,4k,4k,4k,4k,4k,4k,4k,4k"};
    struct block_mix mix = {0};
    char text[128];

    cr_assert_eq(option_value_mix("4k", &mix), 0);
    cr_assert_eq(mix.count, 1);
    cr_assert_eq(mix.part[0].bytes, 4096);
    block_mix_text(&mix, text, sizeof text);
    cr_assert_str_eq(text, "4 KiB");

    cr_assert_eq(option_value_mix("4k:80,64k:20,1M", &mix), 0);
    cr_assert_eq(mix.count, 3);
    cr_assert_eq(mix.weight_total, 101);
    cr_assert_eq(block_mix_largest(&mix), 1 << 20);
    block_mix_text(&mix, text, sizeof text);
    cr_assert_str_eq(text, "4 KiB (79.2 %), 64 KiB (19.8 %), 1 MiB (1 %)");

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++)
        cr_assert_neq(option_value_mix(bad[i], &mix), 0, "'%s'", bad[i]);
    cr_assert_eq(mix.count, 3, "a failure leaves it alone");
}

/* ---- words ---- */

Test(text, sizes_counts_and_times)
{
    char b[TEXT_BYTES];

    cr_assert_str_eq(text_size(b, 0), "0 B");
    cr_assert_str_eq(text_size(b, 1023), "1023 B");
    cr_assert_str_eq(text_size(b, 4096), "4 KiB");
    cr_assert_str_eq(text_size(b, 1536), "1.5 KiB");
    cr_assert_str_eq(text_size(b, (UINT64_C(16) << 30) + 409600), "16.0 GiB");
    cr_assert_str_eq(text_size(b, UINT64_MAX), "15.9 EiB");
    cr_assert_str_eq(text_count(b, 0), "0");
    cr_assert_str_eq(text_count(b, 999), "999");
    cr_assert_str_eq(text_count(b, 1000), "1,000");
    cr_assert_str_eq(text_count(b, UINT64_MAX), "18,446,744,073,709,551,615");
    cr_assert_str_eq(text_ns(b, 0), "0 ns");
    cr_assert_str_eq(text_ns(b, 999), "999 ns");
    cr_assert_str_eq(text_ns(b, 1240), "1.24 us");
    cr_assert_str_eq(text_ns(b, 14250), "14.2 us");
    cr_assert_str_eq(text_ns(b, 142500), "142 us");
    cr_assert_str_eq(text_ns(b, 20000000), "20 ms");
    cr_assert_str_eq(text_ns(b, 2500000000), "2.50 s");
    cr_assert_str_eq(text_ns(b, UINT64_MAX), "18446744073 s");
    cr_assert_eq(text_percent(1, 3), 33);
    cr_assert_eq(text_percent(0, 0), 0);
    cr_assert_eq(text_percent(UINT64_MAX, UINT64_MAX), 100);
}

Test(text, words_for_a_shell)
{
    char b[64] = "x";

    text_append_word(b, sizeof b, "4k:80,64k:20");
    text_append_word(b, sizeof b, "");
    text_append_word(b, sizeof b, "a b");
    text_append_word(b, sizeof b, "it's");
    text_append_word(b, sizeof b, "rrq#17=d");
    text_append_word(b, sizeof b, "a*b");
    cr_assert_str_eq(b, "x 4k:80,64k:20 '' 'a b' 'it'\\''s' rrq#17=d 'a*b'");
    for (int i = 0; i < 30; i++)
        text_append_word(b, sizeof b, "too long by far");
    cr_assert_eq(strlen(b), sizeof b - 1, "cut, not overrun");
}

Test(text, distances)
{
    cr_assert_eq(text_distance("", ""), 0);
    cr_assert_eq(text_distance("depth", "depth"), 0);
    cr_assert_eq(text_distance("dpeth", "depth"), 1, "neighbours swapped");
    cr_assert_eq(text_distance("durtion", "duration"), 1);
    cr_assert_eq(text_distance("run", "put"), 2);
    cr_assert_eq(text_distance("abc", ""), 3);
}

/* ---- tables ---- */

struct target {
    bool flag;
    uint64_t count, bytes, ns;
    const char *path;
    unsigned order;
    int custom;
};

static int set_custom(void *member, const char *text, char *why, size_t size)
{
    if (!strcmp(text, "bad")) {
        snprintf(why, size, "must be better");
        return -EINVAL;
    }
    *(int *)member = (int)strlen(text);
    return 0;
}

static const struct option_spec specs[] = {
    {.name = "flag", .kind = OPTION_FLAG, .offset = offsetof(struct target, flag), .help = "f"},
    {.name = "depth",
     .value = "COUNT",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct target, count),
     .min = 1,
     .max = 4096,
     .help = "d"},
    {.name = "size",
     .value = "SIZE",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct target, bytes),
     .min = 4096,
     .max = 1 << 20,
     .help = "s"},
    {.name = "duration",
     .value = "TIME",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct target, ns),
     .help = "t",
     .not_replayed = true},
    {.name = "media",
     .value = "PATH",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct target, path),
     .help = "m"},
    {.name = "order",
     .value = "ORDER",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct target, order),
     .choices = "host|little|big",
     .help = "o"},
    {.name = "custom",
     .value = "WORD",
     .kind = OPTION_CUSTOM,
     .offset = offsetof(struct target, custom),
     .custom = set_custom,
     .help = "c"},
};

static const struct option_set set = {
    .command = "test",
    .operands = "FILE NAME",
    .operand_count = 2,
    .required = "media",
    .summary = "Tests.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static struct target target;
static struct option_rest rest;
static char why[OPTIONS_WHY_BYTES];

/* Parses words that are separated by '|'. */
static int parse_as(const struct option_set *as, const char *line)
{
    static char copy[256];
    char *argv[16] = {copy, NULL}, *at = copy;
    int argc = 1;

    snprintf(copy, sizeof copy, "test|%s", line);
    strsep(&at, "|");
    while (at && argc < 15)
        argv[argc++] = strsep(&at, "|");
    target = (struct target){.count = 16, .bytes = 8192, .order = 1};
    why[0] = 0;
    return options_parse(as, argc, argv, &target, &rest, why, sizeof why);
}

static int parse(const char *line) { return parse_as(&set, line); }

Test(options, everything_at_once)
{
    cr_assert_eq(parse("a|--flag|--depth|4|--size=64k|-|--media|m x|--order|big|--custom=xyz|"
                       "--duration|20ms"),
                 0, "%s", why);
    cr_assert(target.flag);
    cr_assert_eq(target.count, 4);
    cr_assert_eq(target.bytes, 65536);
    cr_assert_eq(target.ns, 20000000);
    cr_assert_eq(target.order, 2);
    cr_assert_eq(target.custom, 3);
    cr_assert_str_eq(target.path, "m x");
    cr_assert_eq(rest.operands, 2);
    cr_assert_str_eq(rest.operand[0], "a");
    cr_assert_str_eq(rest.operand[1], "-");
    cr_assert(options_given(&set, &rest, "depth"));
    cr_assert_str_eq(rest.replay, " --flag --depth 4 --size 64k --media 'm x' --order big "
                                  "--custom xyz");
}

Test(options, defaults_stay_and_a_dash_dash_ends_options)
{
    cr_assert_eq(parse("--media=p|--|--flag|-x"), 0, "%s", why);
    cr_assert_not(target.flag);
    cr_assert_eq(target.count, 16);
    cr_assert_eq(target.order, 1);
    cr_assert_str_eq(rest.operand[0], "--flag");
    cr_assert_str_eq(rest.operand[1], "-x");
    cr_assert_not(options_given(&set, &rest, "depth"));
}

Test(options, help_and_version_come_before_complaints)
{
    cr_assert_eq(parse("--help"), 0);
    cr_assert(rest.help);
    cr_assert_eq(parse("-h|--nonsense"), 0);
    cr_assert(rest.help);
    cr_assert_eq(parse("--version"), 0);
    cr_assert(rest.version);
}

Test(options, messages_name_option_value_and_what_is_allowed)
{
    static const struct {
        const char *line, *message;
    } c[] = {
        {"--dpeth|4", "there is no option --dpeth, did you mean --depth?"},
        {"--depht=4", "there is no option --depht, did you mean --depth?"},
        {"--dur|4", "there is no option --dur, did you mean --duration?"},
        {"--hlep", "there is no option --hlep, did you mean --help?"},
        {"--frobnicate", "there is no option --frobnicate: 'superpipe test --help' lists all"},
        {"-q", "there is no option -q: 'superpipe test --help' lists all"},
        {"--depth", "--depth needs a value: --depth COUNT"},
        {"--depth|0", "--depth 0: the value must be a number from 1 to 4096"},
        {"--depth|4k", "--depth 4k: the value must be a number from 1 to 4096"},
        {"--size|1", "--size 1: the value must be a size like 4096, 64M or 1.5GiB from 4 KiB to "
                     "1 MiB"},
        {"--duration|x", "--duration x: the value must be a duration like 0.2s, 20ms or 15us"},
        {"--flag=1", "--flag takes no value: leave '=1' out"},
        {"--media|", "--media '': the value must not be empty"},
        {"--order|middle", "--order middle: the value must be one of host, little, big"},
        {"--order|bi", "--order bi: the value must be one of host, little, big"},
        {"--custom|bad", "--custom bad: the value must be better"},
        {"a|b|c", "'c' is too much: the operands are FILE NAME"},
        {"a|--media|m", "an operand is missing: superpipe test FILE NAME --media PATH"},
        {"a|b", "--media is missing: superpipe test FILE NAME --media PATH"},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(c); i++) {
        cr_assert_eq(parse(c[i].line), -EINVAL, "%s", c[i].line);
        cr_assert_str_eq(why, c[i].message, "%s", why);
    }
}

/* ---- tables of other shapes ---- */

/* A table with two required options and one operand, which may be left out or not. */
static int parse_shape(bool optional, const char *line)
{
    struct option_set shape = set;

    shape.command = "test shape";
    shape.operands = "N";
    shape.operand_count = 1;
    shape.operands_optional = optional;
    shape.required = "size media";
    return parse_as(&shape, line);
}

Test(options, several_options_may_be_required)
{
    cr_assert_eq(parse_shape(false, "7|--size|8k|--media|m"), 0, "%s", why);
    cr_assert_eq(target.bytes, 8192);
    cr_assert_eq(parse_shape(false, "7|--size|8k"), -EINVAL);
    cr_assert_str_eq(why, "--media is missing: superpipe test shape N --size SIZE --media PATH");
    cr_assert_eq(parse_shape(false, "7|--media|m"), -EINVAL);
    cr_assert_str_eq(why, "--size is missing: superpipe test shape N --size SIZE --media PATH");
}

static int parse_alternatives(const char *line)
{
    struct option_set shape = set;

    shape.command = "test shape";
    shape.operands = "";
    shape.operand_count = 0;
    shape.required = "size media|depth";
    return parse_as(&shape, line);
}

Test(options, one_of_several_options_will_do)
{
    cr_assert_eq(parse_alternatives("--size|8k|--media|m"), 0, "%s", why);
    cr_assert_eq(parse_alternatives("--depth|4|--size|8k"), 0, "%s", why);
    cr_assert_eq(parse_alternatives("--depth|4|--size|8k|--media|m"), 0, "%s", why);
    cr_assert_eq(parse_alternatives("--size|8k"), -EINVAL);
    cr_assert_str_eq(
        why, "--media is missing: superpipe test shape --size SIZE --media PATH|--depth COUNT");
    cr_assert_eq(parse_alternatives("--depth|4"), -EINVAL);
    cr_assert(strstr(why, "--size is missing: "), "%s", why);
}

Test(options, operands_may_be_optional)
{
    cr_assert_eq(parse_shape(false, "--size|8k|--media|m"), -EINVAL);
    cr_assert_eq(parse_shape(true, "--size|8k|--media|m"), 0, "%s", why);
    cr_assert_eq(rest.operands, 0);
    cr_assert_eq(parse_shape(true, "--size|8k|--media|m|7"), 0, "%s", why);
    cr_assert_str_eq(rest.operand[0], "7");
    cr_assert_eq(parse_shape(true, "--size|8k|--media|m|7|8"), -EINVAL);
}
