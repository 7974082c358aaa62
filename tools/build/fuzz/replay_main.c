/* Feeds every file named on the command line to a fuzz target, so that the seeds run in every
 * ordinary configuration, without libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    uint8_t *exact;
    size_t n;

    if (!f) {
        perror(path);
        return 2;
    }
    n = fread(input, 1, sizeof input, f);
    fclose(f);
    exact = malloc(n + !n); /* of the input's own size, so that AddressSanitizer sees overruns */
    if (!exact)
        return 2;
    memcpy(exact, input, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int rc = replay(argv[i]);

        if (rc)
            return rc;
    }
    printf("%d inputs replayed\n", argc - 1);
    return argc > 1 ? 0 : 3;
}
