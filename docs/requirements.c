/* Requirements are traced (docs/spec/README.md).
 *
 *   requirements FILE...                 the test: every PROVES() names a requirement that exists,
 *                                        every enforced one has a PROVES() or a reason
 *   requirements --table IDS FILE...     the table: IDS holds one id a line, as reported by tests
 *                                        that ran and passed; exits 1 when an enforced one is open
 *
 * The files: docs/spec/ *.md, docs/spec/enforced.txt, and the C sources of the tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docs/proof_scan.h"
#include "docs/spec_ids.h"
#include "docs/spec_lists.h"

struct check {
    struct spec spec;
    const char *path; /* of the source being scanned */
    size_t errors, sources;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long size = -1;

    if (f && !fseek(f, 0, SEEK_END))
        size = ftell(f);
    if (size >= 0 && !fseek(f, 0, SEEK_SET))
        text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        exit(2);
    }
    fclose(f);
    text[size] = '\0';
    return text;
}

static void on_proof(void *arg, unsigned line, const char *id, size_t length)
{
    struct check *c = arg;
    struct spec_row *row = NULL;
    struct spec_id parsed;

    if (spec_id_parse(id, length, &parsed))
        row = spec_find(&c->spec, &parsed);
    if (row) {
        row->in_sources = true;
        return;
    }
    fprintf(stderr, "%s:%u: PROVES(%.*s): no such requirement\n", c->path, line, (int)length, id);
    c->errors++;
}

static void on_too_many(void *arg, unsigned line, unsigned ids)
{
    struct check *c = arg;

    fprintf(stderr,
            "%s:%u: the function that ends here proves %u requirements; %d need no reason, "
            "more want a comment \"PROVES-MANY: reason\"\n",
            c->path, line, ids, PROOFS_PER_FUNCTION);
    c->errors++;
}

static void add_definitions(struct check *c, const char *path)
{
    if (ends_with(path, ".md")) {
        char *text = read_all(path);

        spec_add_text(&c->spec, base_name(path), text);
        free(text);
    }
}

static void add_other(struct check *c, const char *path)
{
    struct proof_sink sink = {c, on_proof, on_too_many};
    char *text;

    if (ends_with(path, ".md") && strcmp(base_name(path), "not-applicable.md"))
        return;
    text = read_all(path);
    if (ends_with(path, ".md")) {
        c->errors += spec_apply_excuses(&c->spec, path, text);
    } else if (!strcmp(base_name(path), "enforced.txt")) {
        c->errors += spec_apply_enforced(&c->spec, path, text);
    } else {
        c->path = path;
        c->sources++;
        proof_scan(text, &sink);
    }
    free(text);
}

static void load(struct check *c, char **paths, int n)
{
    spec_init(&c->spec);
    for (int i = 0; i < n; i++)
        add_definitions(c, paths[i]);
    for (int i = 0; i < n; i++)
        add_other(c, paths[i]);
    c->errors += c->spec.duplicates;
    if (!c->spec.count) {
        fprintf(stderr, "no requirement found: are the files of docs/spec given?\n");
        c->errors++;
    }
}

/* 1 and a line on stderr when the row breaks a rule. */
static size_t check_row(const struct spec_row *row, size_t *enforced)
{
    char id[SPEC_ID_TEXT_MAX];

    spec_id_text(&row->id, id);
    if (row->excused && row->in_sources) {
        fprintf(stderr, "%s (%s:%u) is proved by a test and listed in not-applicable.md\n", id,
                row->file, row->line);
        return 1;
    }
    if (!row->enforced || !spec_row_wants_proof(row))
        return 0;
    ++*enforced;
    if (row->excused || row->in_sources)
        return 0;
    fprintf(stderr, "%s (%s:%u) has neither a PROVES() nor a line in not-applicable.md\n", id,
            row->file, row->line);
    return 1;
}

static int check_sources(char **paths, int n)
{
    struct check c = {0};
    size_t enforced = 0, open = 0;

    load(&c, paths, n);
    for (size_t i = 0; i < c.spec.count; i++)
        open += check_row(&c.spec.rows[i], &enforced);
    printf("%zu requirements, %zu enforced, %zu sources, %zu errors\n", c.spec.count, enforced,
           c.sources, c.errors + open);
    spec_finish(&c.spec);
    return c.errors + open ? 1 : 0;
}

static void mark_reported(struct spec *spec, char *ids)
{
    for (char *id = strtok(ids, " \n"); id; id = strtok(NULL, " \n")) {
        struct spec_id parsed;
        struct spec_row *row = NULL;

        if (spec_id_parse(id, strlen(id), &parsed))
            row = spec_find(spec, &parsed);
        if (row)
            row->reported = true;
    }
}

struct tally {
    unsigned defined, wanted, enforced, proved, excused, open;
};

static struct tally tally_of(const struct spec *spec, const char *file)
{
    struct tally t = {0};

    for (size_t i = 0; i < spec->count; i++) {
        const struct spec_row *row = &spec->rows[i];

        if (file && strcmp(row->file, file))
            continue;
        t.defined++;
        t.proved += row->reported;
        t.excused += row->excused;
        if (!spec_row_wants_proof(row))
            continue;
        t.wanted++;
        t.enforced += row->enforced;
        t.open += row->enforced && !row->reported && !row->excused;
    }
    return t;
}

static void print_tally(const char *name, const struct tally *t)
{
    printf("%-18s %8u %11u %9u %7u %8u %5u\n", name, t->defined, t->wanted, t->enforced, t->proved,
           t->excused, t->open);
}

static void print_open(const struct spec *spec)
{
    char id[SPEC_ID_TEXT_MAX];

    printf("enforced, but no test that passed proves it:");
    for (size_t i = 0; i < spec->count; i++) {
        const struct spec_row *row = &spec->rows[i];

        if (row->enforced && spec_row_wants_proof(row) && !row->reported && !row->excused)
            printf(" %s", spec_id_text(&row->id, id));
    }
    printf("\n");
}

static int print_table(const char *ids_path, char **paths, int n)
{
    struct check c = {0};
    struct tally t;
    char *ids = read_all(ids_path);
    const char *last = "";

    load(&c, paths, n);
    mark_reported(&c.spec, ids);
    printf("Requirements proved by tests that ran and passed\n");
    printf("%-18s %8s %11s %9s %7s %8s %5s\n", "docs/spec/", "defined", "want proof", "enforced",
           "proved", "excused", "open");
    for (size_t i = 0; i < c.spec.count; i++) {
        if (!strcmp(c.spec.rows[i].file, last))
            continue;
        last = c.spec.rows[i].file;
        t = tally_of(&c.spec, last);
        print_tally(last, &t);
    }
    t = tally_of(&c.spec, NULL);
    print_tally("all", &t);
    if (t.open)
        print_open(&c.spec);
    spec_finish(&c.spec);
    free(ids);
    return t.open ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc > 3 && !strcmp(argv[1], "--table"))
        return print_table(argv[2], argv + 3, argc - 3);
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: requirements [--table IDS] FILE...\n");
        return 2;
    }
    return check_sources(argv + 1, argc - 1);
}
