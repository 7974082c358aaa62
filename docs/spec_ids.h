/* Requirement ids and the tables of docs/spec that define them.
 *
 * A definition is the first cell of a table row in the home file of its prefix, exactly an id:
 * PREFIX-number[letter]; in block-library.md it is an id in bold (ruling R-5). The class is the
 * cell below the heading "Class", where a table has one.
 *
 * The tables of sislite.md have no ids, so its sections are the rows that are traced: the heading
 * "### 18.1 afu_rc" defines SL-18.1. A heading with nothing but subsections below defines none. */
#ifndef SPIPE_DOCS_SPEC_IDS_H
#define SPIPE_DOCS_SPEC_IDS_H
#include <stdbool.h>
#include <stddef.h>

enum { SPEC_PREFIX_MAX = 8, SPEC_ID_TEXT_MAX = 24, SPEC_CELLS_MAX = 32 };

struct spec_cell {
    const char *text; /* not terminated */
    size_t length;
};

struct spec_id {
    char prefix[SPEC_PREFIX_MAX];
    unsigned number, section; /* section: of "SL-18.1"; 0: none */
    char letter;              /* 0: none */
};

struct spec_range {
    struct spec_id first, last;
};

struct spec_row {
    struct spec_id id;
    const char *file; /* base name of the home file, a constant */
    unsigned line;
    char class; /* 0: the table has no classes */
    bool enforced, excused, in_sources, reported;
};

struct spec {
    struct spec_row *rows;
    size_t count, room;
    size_t duplicates; /* ids defined twice: always an error */
};

/* Reads an id of length characters; the separators are '-' and '.' or, as PROVES() spells both,
 * '_'. */
bool spec_id_parse(const char *text, size_t length, struct spec_id *id);
int spec_id_compare(const struct spec_id *a, const struct spec_id *b);
const char *spec_id_text(const struct spec_id *id, char buf[SPEC_ID_TEXT_MAX]);

/* Reads "AD-30" or "AD-30..AD-49j"; both ends have one prefix and are in order. */
bool spec_range_parse(const char *text, size_t length, struct spec_range *range);
bool spec_range_holds(const struct spec_range *range, const struct spec_id *id);

/* The file, by its base name, that defines the ids of a prefix; NULL when none does. */
const char *spec_home_file(const char *prefix);

void spec_init(struct spec *spec);
void spec_finish(struct spec *spec);
void spec_add_text(struct spec *spec, const char *base_name, const char *text);
struct spec_row *spec_find(struct spec *spec, const struct spec_id *id);

/* Cuts a table row into trimmed cells and returns how many; "\|" does not separate. */
size_t spec_split_row(const char *line, size_t length, struct spec_cell cells[SPEC_CELLS_MAX]);

/* Classes H, I and Q describe; every other row wants a proof. */
bool spec_row_wants_proof(const struct spec_row *row);

#endif
