/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/param_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/check.h"
#include "tools/command.h"
#include "tools/text.h"

static const char *parameter_name(const void *arg, size_t i)
{
    (void)arg;
    return i < sim_param_count ? sim_param_table[i].name : NULL;
}

/* Sets one "name=value" in *params. The sentence fits behind a colon. */
static int set_one(struct sim_params *params, const char *text, char *why, size_t size)
{
    const char *equals = strchr(text, '='), *like;
    char name[64];
    int rc;

    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name) {
        snprintf(why, size, "must be NAME=VALUE, see 'superpipe info --parameters'");
        return -EINVAL;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    rc = sim_params_set(params, name, equals + 1, why, size);
    if (rc == -ENOENT) {
        like = options_suggest(name, parameter_name, NULL);
        snprintf(why, size,
                 "must name a parameter, there is no '%s'%s%s%s: "
                 "see 'superpipe info --parameters'",
                 name, like ? ", did you mean '" : "", like ? like : "", like ? "'" : "");
    }
    return rc;
}

int param_options_set(void *member, const char *text, char *why, size_t size)
{
    struct param_settings *s = member;
    struct sim_params scratch;
    char sentence[256];

    sim_params_default(&scratch);
    if (set_one(&scratch, text, sentence, sizeof sentence)) {
        if (!strncmp(sentence, "must ", 5))
            snprintf(why, size, "%s", sentence);
        else
            snprintf(why, size, "is not possible: %s", sentence);
        return -EINVAL;
    }
    if (s->count == PARAM_OPTIONS_MAX) {
        snprintf(why, size, "is one too many: put parameters into a file and use --params");
        return -EINVAL;
    }
    s->text[s->count++] = text;
    return 0;
}

static void apply_profile(unsigned number, struct sim_params *params)
{
    const char *name = PARAM_PROFILES;
    char profile[32];
    int rc;

    for (unsigned i = 0; i < number; i++)
        name += strcspn(name, "|") + 1;
    snprintf(profile, sizeof profile, "%.*s", (int)strcspn(name, "|"), name);
    rc = sim_params_profile(params, profile);
    CHECK(!rc);
}

static int apply_file(const char *file, struct sim_params *params, char *why, size_t size)
{
    char sentence[384];
    int rc = sim_params_load(params, file, sentence, sizeof sentence);

    if (rc)
        snprintf(why, size, "parameter file %s", sentence);
    return rc;
}

/* A setting may mend what the file or an earlier one broke: what counts is how all of them end. The
 * one that broke it last is told; none means the file. */
static int apply_settings(const struct param_options *o, struct sim_params *params, char *why,
                          size_t size)
{
    const char *setting = NULL;
    char sentence[256];
    int bad = sim_params_validate(params, sentence, sizeof sentence);

    for (unsigned i = 0; i < o->settings.count; i++) {
        bool good = !bad;

        if (set_one(params, o->settings.text[i], why, size))
            return COMMAND_USAGE;
        bad = sim_params_validate(params, sentence, sizeof sentence);
        if (good)
            setting = o->settings.text[i];
    }
    if (!bad)
        return COMMAND_GOOD;
    if (setting)
        snprintf(why, size, "--param %s: the value is not possible: %s", setting, sentence);
    else
        snprintf(why, size, "parameter file %s: %s", o->file, sentence);
    return setting ? COMMAND_USAGE : COMMAND_FAILED;
}

int param_options_apply(const struct param_options *o, struct sim_params *params, char *why,
                        size_t size)
{
    apply_profile(o->profile, params);
    if (o->file && apply_file(o->file, params, why, size))
        return COMMAND_FAILED;
    return apply_settings(o, params, why, size);
}
