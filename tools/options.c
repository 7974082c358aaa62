/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "tools/option_values.h"
#include "tools/text.h"

#define HELP_COLUMN 26

/* One command line being read. */
struct parser {
    const struct option_set *set;
    struct option_rest *rest;
    void *target;
    int argc, at; /* at: the next word */
    char **argv;
    char *why;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static int fail(struct parser *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->why, p->size, format, args);
    va_end(args);
    return -EINVAL;
}

/* ---- suggestions ------------------------------------------------------------------------------
 */

const char *options_suggest(const char *word, const char *(*next)(const void *arg, size_t i),
                            const void *arg)
{
    unsigned best = strlen(word) > 4 ? 3 : 2; /* one less than this at most */
    const char *found = NULL, *name;

    for (size_t i = 0; (name = next(arg, i)); i++) {
        unsigned distance = text_distance(word, name);

        if (strlen(word) >= 3 && strstr(name, word))
            distance = strncmp(word, name, strlen(word)) ? 1 : 0;
        if (distance < best) {
            best = distance;
            found = name;
        }
    }
    return found;
}

static const char *option_name(const void *arg, size_t i)
{
    const struct option_set *set = arg;

    if (i < set->count)
        return set->specs[i].name;
    return i == set->count ? "help" : i == set->count + 1 ? "version" : NULL;
}

static int unknown(struct parser *p, const char *word, size_t length)
{
    char name[64];
    const char *like;

    snprintf(name, sizeof name, "%.*s", (int)length, word);
    like = options_suggest(name + strspn(name, "-"), option_name, p->set);
    if (like)
        return fail(p, "there is no option %s, did you mean --%s?", name, like);
    return fail(p, "there is no option %s: 'superpipe %s --help' lists all", name, p->set->command);
}

/* ---- values -----------------------------------------------------------------------------------
 */

/* "must be ..." for a number of this kind. */
static void say_range(const struct option_spec *spec, char *buf, size_t size)
{
    static const char *const form[] = {
        [OPTION_COUNT] = "a number",
        [OPTION_SIZE] = "a size like 4096, 64M or 1.5GiB",
        [OPTION_DURATION] = "a duration like 0.2s, 20ms or 15us",
        [OPTION_PERCENT] = "a percentage",
        [OPTION_FACTOR] = "a factor like 1 or 0.25",
        [OPTION_SEED] = "a number, decimal or 0x hexadecimal, below 2^64, or 'random'",
    };
    char low[TEXT_BYTES], high[TEXT_BYTES];

    snprintf(buf, size, "must be %s", form[spec->kind]);
    if (!spec->max)
        return;
    if (spec->kind == OPTION_SIZE)
        text_append(buf, size, " from %s to %s", text_size(low, spec->min),
                    text_size(high, spec->max));
    else if (spec->kind == OPTION_DURATION)
        text_append(buf, size, " from %s to %s", text_ns(low, spec->min), text_ns(high, spec->max));
    else if (spec->kind == OPTION_FACTOR)
        text_append(buf, size, " from %g to %g", (double)spec->min / 1000,
                    (double)spec->max / 1000);
    else
        text_append(buf, size, " from %llu to %llu", (unsigned long long)spec->min,
                    (unsigned long long)spec->max);
}

static int set_number(const struct option_spec *spec, uint64_t *member, const char *text, char *why,
                      size_t size)
{
    static int (*const read[])(const char *, uint64_t *) = {
        [OPTION_COUNT] = option_value_count,       [OPTION_SIZE] = option_value_size,
        [OPTION_DURATION] = option_value_duration, [OPTION_PERCENT] = option_value_percent,
        [OPTION_FACTOR] = option_value_factor,     [OPTION_SEED] = option_value_seed,
    };
    uint64_t value = 0;

    if (read[spec->kind](text, &value) || (spec->max && (value < spec->min || value > spec->max))) {
        say_range(spec, why, size);
        return -EINVAL;
    }
    *member = value;
    return 0;
}

static int set_choice(const struct option_spec *spec, unsigned *member, const char *text, char *why,
                      size_t size)
{
    const char *at = spec->choices;

    for (unsigned i = 0;; i++) {
        size_t length = strcspn(at, "|");

        if (strlen(text) == length && !strncasecmp(at, text, length)) {
            *member = i;
            return 0;
        }
        if (!at[length])
            break;
        at += length + 1;
    }
    snprintf(why, size, "must be one of ");
    for (at = spec->choices; *at; at++)
        text_append(why, size, *at == '|' ? ", " : "%c", *at);
    return -EINVAL;
}

static int set_member(const struct option_spec *spec, void *member, const char *text, char *why,
                      size_t size)
{
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return 0;
    case OPTION_TEXT:
        if (!*text) {
            snprintf(why, size, "must not be empty");
            return -EINVAL;
        }
        *(const char **)member = text;
        return 0;
    case OPTION_CHOICE:
        return set_choice(spec, member, text, why, size);
    case OPTION_CUSTOM:
        return spec->custom(member, text, why, size);
    default:
        return set_number(spec, member, text, why, size);
    }
}

/* ---- words ------------------------------------------------------------------------------------
 */

static const struct option_spec *find(const struct option_set *set, const char *name, size_t length)
{
    for (size_t i = 0; i < set->count; i++)
        if (strlen(set->specs[i].name) == length && !strncmp(set->specs[i].name, name, length))
            return &set->specs[i];
    return NULL;
}

static void remember(struct parser *p, const struct option_spec *spec, const char *text)
{
    char *replay = p->rest->replay;
    size_t size = sizeof p->rest->replay;

    p->rest->given |= HAL_BIT(spec - p->set->specs);
    if (spec->not_replayed)
        return;
    text_append(replay, size, " --%s", spec->name);
    if (spec->value)
        text_append_word(replay, size, text);
}

/* An option that stands in the table; text is its value behind '=', or NULL. */
static int take_known(struct parser *p, const struct option_spec *spec, const char *text)
{
    char sentence[256];

    if (!spec->value && text)
        return fail(p, "--%s takes no value: leave '=%s' out", spec->name, text);
    if (spec->value && !text && p->at == p->argc)
        return fail(p, "--%s needs a value: --%s %s", spec->name, spec->name, spec->value);
    if (!text)
        text = spec->value ? p->argv[p->at++] : "";
    if (set_member(spec, (char *)p->target + spec->offset, text, sentence, sizeof sentence))
        return fail(p, "--%s %s: the value %s", spec->name, *text ? text : "''", sentence);
    remember(p, spec, text);
    return 0;
}

static int take_option(struct parser *p, const char *word)
{
    const char *name = word + 2, *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_spec *spec;

    if (!strcmp(word, "-h") || !strcmp(word, "--help")) {
        p->rest->help = true;
        return 0;
    }
    if (!strcmp(word, "-V") || !strcmp(word, "--version")) {
        p->rest->version = true;
        return 0;
    }
    spec = word[1] == '-' ? find(p->set, name, length) : NULL;
    if (!spec)
        return unknown(p, word, equals ? (size_t)(equals - word) : strlen(word));
    return take_known(p, spec, equals ? equals + 1 : NULL);
}

static int take_operand(struct parser *p, const char *word)
{
    if (p->rest->operands == p->set->operand_count) {
        if (!p->set->operand_count)
            return fail(p, "'%s' is too much: this command takes options only", word);
        return fail(p, "'%s' is too much: the operands are %s", word, p->set->operands);
    }
    p->rest->operand[p->rest->operands++] = word;
    return 0;
}

/* What must be given: each call takes one word of *list, alternatives joined by '|'. Returns it,
 * and where it ends; NULL after the last. */
static const char *next_demand(const char **list, const char **end)
{
    const char *word = *list;

    if (!word || !*word)
        return NULL;
    *end = word + strcspn(word, " ");
    *list = *end + (**end == ' ');
    return word;
}

/* The alternatives of one: each call takes one from *at, which ends at `end`. */
static const struct option_spec *next_alternative(const struct option_set *set, const char **at,
                                                  const char *end)
{
    const struct option_spec *spec;
    size_t length = strcspn(*at, "| ");

    if (*at >= end)
        return NULL;
    spec = find(set, *at, length);
    CHECK(spec);
    *at += length + ((*at)[length] == '|');
    return spec;
}

/* "superpipe put FILE NAME --media PATH|--backend KIND" */
static const char *usage(const struct option_set *set, char *buf, size_t size)
{
    const struct option_spec *spec;
    const char *list = set->required, *at, *end;

    snprintf(buf, size, "superpipe %s%s%s", set->command, *set->operands ? " " : "", set->operands);
    while ((at = next_demand(&list, &end)))
        for (const char *between = " "; (spec = next_alternative(set, &at, end)); between = "|")
            text_append(buf, size, "%s--%s %s", between, spec->name, spec->value);
    return buf;
}

/* NULL if one of the alternatives was given, else the first of them. */
static const struct option_spec *missing(const struct parser *p, const char *at, const char *end)
{
    const struct option_spec *spec, *first = NULL;

    while ((spec = next_alternative(p->set, &at, end))) {
        if (options_given(p->set, p->rest, spec->name))
            return NULL;
        if (!first)
            first = spec;
    }
    return first;
}

static int check_complete(struct parser *p)
{
    const struct option_set *set = p->set;
    const struct option_spec *spec;
    const char *list = set->required, *at, *end;
    char line[160];

    if (p->rest->operands < set->operand_count && !set->operands_optional)
        return fail(p, "an operand is missing: %s", usage(set, line, sizeof line));
    while ((at = next_demand(&list, &end))) {
        spec = missing(p, at, end);
        if (spec)
            return fail(p, "--%s is missing: %s", spec->name, usage(set, line, sizeof line));
    }
    return 0;
}

int options_parse(const struct option_set *set, int argc, char **argv, void *target,
                  struct option_rest *rest, char *why, size_t size)
{
    struct parser p = {set, rest, target, argc, 1, argv, why, size};
    bool options = true;
    int rc = 0;

    CHECK(set->count <= 64 && set->operand_count <= OPTIONS_OPERANDS_MAX);
    memset(rest, 0, sizeof *rest);
    while (!rc && p.at < argc && !rest->help && !rest->version) {
        const char *word = argv[p.at++];

        if (options && !strcmp(word, "--"))
            options = false;
        else if (options && word[0] == '-' && word[1])
            rc = take_option(&p, word);
        else
            rc = take_operand(&p, word);
    }
    if (rc || rest->help || rest->version)
        return rc;
    return check_complete(&p);
}

bool options_given(const struct option_set *set, const struct option_rest *rest, const char *name)
{
    const struct option_spec *spec = find(set, name, strlen(name));

    CHECK(spec);
    return rest->given & HAL_BIT(spec - set->specs);
}

/* ---- help -------------------------------------------------------------------------------------
 */

static void help_row(const char *name, const char *value, const char *help)
{
    char left[64];
    const char *end;

    snprintf(left, sizeof left, "  --%s%s%s", name, value ? " " : "", value ? value : "");
    printf("%-*s", HELP_COLUMN, left);
    if (strlen(left) >= HELP_COLUMN)
        printf("\n%*s", HELP_COLUMN, "");
    for (; (end = strchr(help, '\n')); help = end + 1)
        printf("%.*s\n%*s", (int)(end - help), help, HELP_COLUMN, "");
    printf("%s\n", help);
}

void options_help(const struct option_set *set)
{
    char line[160];

    printf("Usage: %s [OPTION]...\n%s\n\n", usage(set, line, sizeof line), set->summary);
    for (size_t i = 0; i < set->count; i++)
        help_row(set->specs[i].name, set->specs[i].value, set->specs[i].help);
    help_row("help", NULL, "show this help");
    help_row("version", NULL, "show the version");
    if (set->notes)
        printf("\n%s\n", set->notes);
    printf("\nExit status: 0 success, 1 failure, 2 wrong usage. See superpipe-%.*s(1).\n",
           (int)strcspn(set->command, " "), set->command);
}
