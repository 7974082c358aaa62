/* Runs a Criterion program the way Bazel expects: tests one by one, shards, --test_filter,
 * XML_OUTPUT_FILE. Exit codes: 0 all passed, 1 some failed, 2 unknown option, 3 nothing ran
 * (Criterion's own main would call the last two a success). */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/internal/ordered-set.h>
#include <criterion/options.h>
#include <criterion/output.h>
#include <criterion/stats.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t started, bad;

/* A test that skips itself has started; one that a filter or a shard left out has not. */
ReportHook(PRE_INIT)(struct criterion_test *t)
{
    if (!t->data->disabled)
        started++;
}

ReportHook(POST_ALL)(struct criterion_global_stats *s)
{
    bad = s->tests_failed + s->tests_crashed + s->errors;
}

static void apply_shard(struct criterion_test_set *set, unsigned long index, unsigned long total)
{
    unsigned long i = 0;

    for (struct criterion_ordered_set_node *n = set->suites->first; n; n = n->next) {
        struct criterion_suite_set *s = (void *)(n + 1);

        if (!s->tests)
            continue;
        for (struct criterion_ordered_set_node *m = s->tests->first; m; m = m->next) {
            struct criterion_test *t = (void *)(m + 1);

            if (i++ % total != index)
                t->data->disabled = true;
        }
    }
}

static unsigned long env_number(const char *name)
{
    const char *value = getenv(name);

    return value ? strtoul(value, NULL, 10) : 0;
}

static const char *env_text(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool asks_for_text_only(const char *arg)
{
    static const char *const text_only[] = {"--list", "-l", "--help", "-h", "--version", "-v"};

    for (size_t i = 0; i < sizeof text_only / sizeof *text_only; i++)
        if (!strcmp(arg, text_only[i]))
            return true;
    return false;
}

static int run(struct criterion_test_set *set, bool may_be_empty)
{
    int ok = criterion_run_all_tests(set);

    if (!ok || bad)
        return 1;
    if (!started && !may_be_empty) {
        fprintf(stderr, "no test ran\n");
        return 3;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *xml = env_text("XML_OUTPUT_FILE"), *only = env_text("TESTBRIDGE_TEST_ONLY");
    unsigned long total = env_number("TEST_TOTAL_SHARDS");
    struct criterion_test_set *set = criterion_initialize();
    int rc = 0;

    criterion_options.logging_threshold = CRITERION_INFO;
    criterion_options.jobs = 1; /* Bazel runs shards and targets in parallel */
    if (xml)
        criterion_add_output("xml", xml);
    if (only)
        criterion_options.pattern = only;
    if (total > 1) {
        const char *status = env_text("TEST_SHARD_STATUS_FILE");

        if (status)
            close(open(status, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        apply_shard(set, env_number("TEST_SHARD_INDEX"), total);
    }
    if (criterion_handle_args(argc, argv, true))
        rc = run(set, total > 1 || only);
    else if (argc > 1 && !asks_for_text_only(argv[1]))
        rc = 2;
    criterion_finalize(set);
    return rc;
}
