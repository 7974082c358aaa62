#include "docs/spec_lists.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static size_t mark_enforced(struct spec *spec, const struct spec_range *range)
{
    size_t n = 0;

    for (size_t i = 0; i < spec->count; i++)
        if (spec_range_holds(range, &spec->rows[i].id)) {
            spec->rows[i].enforced = true;
            n++;
        }
    return n;
}

static size_t mark_excused(struct spec *spec, const struct spec_range *range)
{
    size_t n = 0;

    for (size_t i = 0; i < spec->count; i++)
        if (spec_range_holds(range, &spec->rows[i].id)) {
            spec->rows[i].excused = true;
            n++;
        }
    return n;
}

static size_t complain(const char *path, unsigned line, const struct spec_cell *c, const char *what)
{
    fprintf(stderr, "%s:%u: %.*s: %s\n", path, line, (int)c->length, c->text, what);
    return 1;
}

static struct spec_cell without_comment(const char *line, size_t length)
{
    const char *hash = memchr(line, '#', length);

    if (hash)
        length = (size_t)(hash - line);
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    while (length && isspace((unsigned char)*line)) {
        line++;
        length--;
    }
    return (struct spec_cell){line, length};
}

size_t spec_apply_enforced(struct spec *spec, const char *path, const char *text)
{
    struct spec_range range;
    unsigned number = 1;
    size_t wrong = 0;

    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n");
        struct spec_cell c = without_comment(line, length);

        if (c.length && !spec_range_parse(c.text, c.length, &range))
            wrong += complain(path, number, &c, "not an id or range");
        else if (c.length && !mark_enforced(spec, &range))
            wrong += complain(path, number, &c, "names no requirement");
        line += length + (line[length] == '\n');
    }
    return wrong;
}

static size_t apply_excuse_row(struct spec *spec, const char *path, unsigned line,
                               const struct spec_cell *cells, size_t n)
{
    struct spec_range range;

    if (!n || !spec_range_parse(cells[0].text, cells[0].length, &range))
        return 0;
    if (n < 2 || cells[1].length < SPEC_REASON_MIN)
        return complain(path, line, &cells[0], "needs a reason in the second cell");
    if (!mark_excused(spec, &range))
        return complain(path, line, &cells[0], "names no requirement");
    return 0;
}

size_t spec_apply_excuses(struct spec *spec, const char *path, const char *text)
{
    struct spec_cell cells[SPEC_CELLS_MAX];
    unsigned number = 1;
    size_t wrong = 0;

    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n");

        if (*line == '|') {
            size_t n = spec_split_row(line, length, cells);

            wrong += apply_excuse_row(spec, path, number, cells, n);
        }
        line += length + (line[length] == '\n');
    }
    return wrong;
}
