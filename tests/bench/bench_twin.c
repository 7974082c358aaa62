/* SPDX-License-Identifier: Apache-2.0 */
/* Prints ns a read. Built with and without fault sites, see pb7() in bench.c. */
#include <stdio.h>

#include "tests/bench/bench_stack.h"

int main(void)
{
    static const struct bench_stack_config c = {
        .clients = 1, .handles = 4, .depth = 32, .reads = 100000};
    struct bench_stack_result r;

    if (bench_stack_run(&c, &r))
        return 1;
    printf("%f\n", r.cpu_ns / (double)c.reads);
    return 0;
}
