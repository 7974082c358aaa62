#include "docs/spec_ids.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *prefix, *file;
} homes[] = {
    {"AD", "adapter.md"}, {"D", "adapter.md"},      {"BL", "block-library.md"},
    {"CX", "libcxl.md"},  {"R", "rulings.md"},      {"MD", "sislite.md"},
    {"SL", "sislite.md"}, {"SP", "superpipe.md"},   {"SPW", "superpipe.md"},
    {"TM", "timing.md"},  {"VL", "vlun.md"},        {"VLW", "vlun.md"},
    {"INV", "vlun.md"},   {"PB", "performance.md"},
};

const char *spec_home_file(const char *prefix)
{
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++)
        if (!strcmp(homes[i].prefix, prefix))
            return homes[i].file;
    return NULL;
}

/* Reads up to six digits at *i; none is no number. */
static bool take_number(const char *text, size_t length, size_t *i, unsigned *number)
{
    size_t start = *i;

    while (*i < length && *i < start + 6 && isdigit((unsigned char)text[*i]))
        *number = *number * 10 + (unsigned)(text[(*i)++] - '0');
    return *i > start;
}

bool spec_id_parse(const char *text, size_t length, struct spec_id *id)
{
    size_t i = 0;

    memset(id, 0, sizeof *id);
    while (i < length && i < SPEC_PREFIX_MAX - 1 && isupper((unsigned char)text[i])) {
        id->prefix[i] = text[i];
        i++;
    }
    if (i == 0 || i == length || (text[i] != '-' && text[i] != '_'))
        return false;
    i++;
    if (!take_number(text, length, &i, &id->number))
        return false;
    if (i < length && (text[i] == '.' || text[i] == '_')) {
        i++;
        if (!take_number(text, length, &i, &id->section))
            return false;
    }
    if (i < length && islower((unsigned char)text[i]))
        id->letter = text[i++];
    return i == length;
}

int spec_id_compare(const struct spec_id *a, const struct spec_id *b)
{
    int order = strcmp(a->prefix, b->prefix);

    if (order)
        return order;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->section != b->section)
        return a->section < b->section ? -1 : 1;
    return a->letter - b->letter;
}

const char *spec_id_text(const struct spec_id *id, char buf[SPEC_ID_TEXT_MAX])
{
    char letter[2] = {id->letter, '\0'}, section[12] = "";

    if (id->section)
        snprintf(section, sizeof section, ".%u", id->section);
    snprintf(buf, SPEC_ID_TEXT_MAX, "%s-%u%s%s", id->prefix, id->number, section, letter);
    return buf;
}

bool spec_range_parse(const char *text, size_t length, struct spec_range *range)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] != '.' || text[i + 1] != '.')
            continue;
        return spec_id_parse(text, i, &range->first) &&
               spec_id_parse(text + i + 2, length - i - 2, &range->last) &&
               !strcmp(range->first.prefix, range->last.prefix) &&
               spec_id_compare(&range->first, &range->last) <= 0;
    }
    if (!spec_id_parse(text, length, &range->first))
        return false;
    range->last = range->first;
    return true;
}

bool spec_range_holds(const struct spec_range *range, const struct spec_id *id)
{
    return !strcmp(range->first.prefix, id->prefix) && spec_id_compare(&range->first, id) <= 0 &&
           spec_id_compare(id, &range->last) <= 0;
}

void spec_init(struct spec *spec) { memset(spec, 0, sizeof *spec); }

void spec_finish(struct spec *spec)
{
    free(spec->rows);
    spec_init(spec);
}

struct spec_row *spec_find(struct spec *spec, const struct spec_id *id)
{
    for (size_t i = 0; i < spec->count; i++)
        if (!spec_id_compare(&spec->rows[i].id, id))
            return &spec->rows[i];
    return NULL;
}

bool spec_row_wants_proof(const struct spec_row *row)
{
    return row->class != 'H' && row->class != 'I' && row->class != 'Q';
}

static void add_row(struct spec *spec, const struct spec_row *row)
{
    char text[SPEC_ID_TEXT_MAX];
    struct spec_row *old = spec_find(spec, &row->id);

    if (old) {
        fprintf(stderr, "%s:%u: %s is already defined in line %u\n", row->file, row->line,
                spec_id_text(&row->id, text), old->line);
        spec->duplicates++;
        return;
    }
    if (!spec->rows || spec->count == spec->room) {
        size_t room = spec->room ? 2 * spec->room : 256;
        struct spec_row *rows = realloc(spec->rows, room * sizeof *rows);

        if (!rows) {
            perror("requirements");
            exit(2);
        }
        spec->rows = rows;
        spec->room = room;
    }
    spec->rows[spec->count++] = *row;
}

/* Adds the id when this file is the home of its prefix. */
static void define(struct spec *spec, const char *base_name, const struct spec_cell *c,
                   unsigned line, char class)
{
    struct spec_row row = {.line = line, .class = class};

    if (!spec_id_parse(c->text, c->length, &row.id) || memchr(c->text, '_', c->length))
        return;
    row.file = spec_home_file(row.id.prefix);
    if (row.file && !strcmp(row.file, base_name))
        add_row(spec, &row);
}

static struct spec_cell trim(const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return (struct spec_cell){from, (size_t)(to - from)};
}

size_t spec_split_row(const char *line, size_t length, struct spec_cell cells[SPEC_CELLS_MAX])
{
    const char *end = line + length, *from = line + 1;
    size_t n = 0;

    for (const char *p = from; p < end && n < SPEC_CELLS_MAX; p++)
        if (*p == '|' && p[-1] != '\\') {
            cells[n++] = trim(from, p);
            from = p + 1;
        }
    if (n < SPEC_CELLS_MAX && trim(from, end).length)
        cells[n++] = trim(from, end);
    return n;
}

static bool is_rule(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr("|-: \t\r", line[i]))
            return false;
    return true;
}

static size_t class_column(const struct spec_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cells[i].length == 5 && !memcmp(cells[i].text, "Class", 5))
            return i;
    return SPEC_CELLS_MAX;
}

/* "C", or the first class of "C, F for 0". */
static char class_of(const struct spec_cell *cells, size_t n, size_t column)
{
    const struct spec_cell *c = &cells[column];

    if (column >= n || !c->length || !isupper((unsigned char)c->text[0]))
        return 0;
    if (c->length > 1 && isalnum((unsigned char)c->text[1]))
        return 0;
    return c->text[0];
}

static void add_bold_ids(struct spec *spec, const char *base_name, const char *text, size_t length,
                         unsigned line)
{
    const char *end = text + length, *p = text;

    while (p + 2 < end) {
        const char *close = p + 2;

        if (p[0] != '*' || p[1] != '*') {
            p++;
            continue;
        }
        while (close + 1 < end && (close[0] != '*' || close[1] != '*'))
            close++;
        if (close + 1 >= end)
            return;
        define(spec, base_name, &(struct spec_cell){p + 2, (size_t)(close - p) - 2}, line, 0);
        p = close + 2;
    }
}

/* "## 9. RRQ" and "### 18.1 afu_rc": the number of a section. */
static bool section_of(const char *line, size_t length, struct spec_id *id)
{
    size_t i = 0;

    while (i < length && line[i] == '#')
        i++;
    if (i < 2 || i + 1 >= length || line[i++] != ' ')
        return false;
    *id = (struct spec_id){.prefix = "SL"};
    if (!take_number(line, length, &i, &id->number) || i == length || line[i++] != '.')
        return false;
    return take_number(line, length, &i, &id->section) || (i < length && line[i] == ' ');
}

/* Every section that says something itself is a row. */
static void add_sections(struct spec *spec, const char *text)
{
    struct spec_row row = {.file = spec_home_file("SL")};
    bool silent = false; /* behind a heading with a number, nothing has been said yet */
    unsigned number = 1;

    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n");

        if (*line == '#') {
            silent = section_of(line, length, &row.id);
            row.line = number;
        } else if (silent && !is_rule(line, length)) {
            add_row(spec, &row);
            silent = false;
        }
        line += length + (line[length] == '\n');
    }
}

void spec_add_text(struct spec *spec, const char *base_name, const char *text)
{
    bool bold = !strcmp(base_name, "block-library.md");
    struct spec_cell cells[SPEC_CELLS_MAX], above[SPEC_CELLS_MAX];
    size_t n_above = 0, column = SPEC_CELLS_MAX;
    unsigned number = 1;

    if (!strcmp(base_name, spec_home_file("SL")))
        add_sections(spec, text);
    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n");

        if (bold) {
            add_bold_ids(spec, base_name, line, length, number);
        } else if (*line != '|') {
            n_above = 0;
            column = SPEC_CELLS_MAX;
        } else if (is_rule(line, length)) {
            column = class_column(above, n_above);
        } else {
            size_t n = spec_split_row(line, length, cells);

            if (n)
                define(spec, base_name, &cells[0], number, class_of(cells, n, column));
            memcpy(above, cells, n * sizeof *cells);
            n_above = n;
        }
        line += length + (line[length] == '\n');
    }
}
