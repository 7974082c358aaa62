/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing trace files, and what the heads of all formats list. */
#include "sim/sim_trace_output.h"

#include <errno.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_trace_output_fixture.h"

struct writer {
    struct sim_trace_output output;
    unsigned number[100];
};

static const struct sim_trace_info one = {.adapters = 1};
static struct sim_trace_output *output;
static char why[400];

static int open_at(const char *name, unsigned adapters)
{
    struct sim_trace_info info = {.adapters = adapters};

    why[0] = 0;
    return sim_trace_output_open(name, &info, sizeof(struct writer), &output, why, sizeof why);
}

TestSuite(sim_trace_output, .init = make_path, .fini = remove_path);

Test(sim_trace_output, what_is_written_is_there_after_closing)
{
    char *text;

    cr_assert_eq(open_at(path, 1), 0, "%s", why);
    for (unsigned i = 0; i < 100; i++)
        cr_assert_eq(((struct writer *)output)->number[i], 0);
    fputs("waves", output->file);
    cr_assert_eq(sim_trace_output_check(output), 0);
    cr_assert_eq(sim_trace_output_close(output, why, sizeof why), 0, "%s", why);
    text = contents(NULL);
    cr_assert_str_eq(text, "waves");
    free(text);
}

Test(sim_trace_output, an_older_file_is_emptied)
{
    char *text;

    cr_assert_eq(open_at(path, 1), 0);
    fputs("older", output->file);
    cr_assert_eq(sim_trace_output_close(output, NULL, 0), 0);
    cr_assert_eq(open_at(path, SIM_TRACE_ADAPTERS_MAX), 0);
    cr_assert_eq(sim_trace_output_close(output, NULL, 0), 0);
    text = contents(NULL);
    cr_assert_str_eq(text, "");
    free(text);
}

Test(sim_trace_output, open_fails_with_a_sentence)
{
    cr_assert_eq(open_at("/nowhere/x", 1), -ENOENT);
    cr_assert_str_eq(why, "/nowhere/x: No such file or directory");
    cr_assert_eq(open_at("/", 1), -EISDIR);
    cr_assert_eq(sim_trace_output_open("/", &one, sizeof *output, &output, NULL, 0), -EISDIR);
    cr_assert_eq(open_at("x", 0), -EINVAL);
    cr_assert_eq(open_at("x", SIM_TRACE_ADAPTERS_MAX + 1), -EINVAL);
    cr_assert_str_eq(why, "x: the number of adapters must be 1 to 64");
    cr_assert_neq(access("x", F_OK), 0);
}

Test(sim_trace_output, the_first_error_stays)
{
    if (access("/dev/full", W_OK))
        cr_skip_test("no /dev/full");
    cr_assert_eq(open_at("/dev/full", 1), 0);
    errno = 0;
    fputs("waves", output->file);
    fflush(output->file);
    cr_assert_eq(sim_trace_output_check(output), -ENOSPC);
    errno = EDOM;
    cr_assert_eq(sim_trace_output_check(output), -ENOSPC);
    cr_assert_eq(sim_trace_output_close(output, why, sizeof why), -ENOSPC);
    cr_assert_str_eq(why, "/dev/full: No space left on device");
}

Test(sim_trace_output, an_error_of_closing_counts)
{
    if (access("/dev/full", W_OK))
        cr_skip_test("no /dev/full");
    cr_assert_eq(open_at("/dev/full", 1), 0);
    fputs("waves", output->file);
    cr_assert_eq(sim_trace_output_check(output), 0, "still in the buffer");
    cr_assert_eq(sim_trace_output_close(output, NULL, 0), -ENOSPC);
}

Test(sim_trace_output, parameters_that_differ)
{
    struct sim_params p[2];
    const struct sim_params *params[] = {&p[0], &p[1]};
    struct sim_trace_info info = {.adapters = 2, .params = params};
    size_t row, count = 0;

    sim_params_default(&p[0]);
    sim_params_default(&p[1]);
    p[1].card = 0x0600;
    p[1].shutdown = 1;
    PROVES(TM_20);
    cr_assert_eq(sim_trace_next_difference(&info, 0, 0), sim_param_count);
    row = sim_trace_next_difference(&info, 1, 0);
    cr_assert_str_eq(sim_param_table[row].name, "card");
    row = sim_trace_next_difference(&info, 1, row + 1);
    cr_assert_str_eq(sim_param_table[row].name, "fc.shutdown");
    cr_assert_eq(sim_trace_next_difference(&info, 1, row + 1), sim_param_count);
    memset(&p[0], 0x55, sizeof p[0]); /* no default is this */
    for (row = 0; (row = sim_trace_next_difference(&info, 0, row)) < sim_param_count; row++)
        count++;
    cr_assert_eq(count, sim_param_count);
    cr_assert_eq(sim_trace_next_difference(&one, 0, 0), sim_param_count, "all default");
}
