/* SPDX-License-Identifier: Apache-2.0 */
/* Prints ns a read; the argument is the number of reads, for who counts instructions. Built with
 * and without fault sites, see pb7() in bench.c. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench_placement.h"
#include "tests/bench/bench_stack.h"

int main(int argc, char **argv)
{
    struct bench_stack_config c = {.clients = 1, .handles = 4, .depth = 32, .reads = 100000};
    struct bench_stack_result r;

    if (argc > 1)
        c.reads = strtoull(argv[1], NULL, 10);
    else
        bench_move_code();
    if (bench_stack_run(&c, &r))
        return 1;
    printf("%f\n", r.cpu_ns / (double)c.reads);
    return 0;
}
