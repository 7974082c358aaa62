#include "docs/proof_scan.h"

#include <ctype.h>
#include <string.h>

enum { IDS_MAX = 64 };

struct scan {
    const struct proof_sink *sink;
    const char *p;
    unsigned line;
    unsigned depth;
    bool line_start, has_reason;
    struct spec_id ids[IDS_MAX]; /* different ones of the function so far */
    unsigned n_ids;
};

/* Steps over one character and keeps the line number. */
static void step(struct scan *s)
{
    s->line_start = *s->p == '\n';
    s->line += s->line_start;
    s->p++;
}

static void note_reason(struct scan *s, const char *comment, const char *end)
{
    static const char word[] = "PROVES-MANY:";

    for (; comment + sizeof word - 1 < end; comment++)
        if (!memcmp(comment, word, sizeof word - 1)) {
            comment += sizeof word - 1;
            while (comment < end && !isalpha((unsigned char)*comment))
                comment++;
            s->has_reason |= comment < end;
            return;
        }
}

static void skip_comment(struct scan *s)
{
    const char *start = s->p;
    bool block = s->p[1] == '*';

    step(s);
    step(s);
    while (*s->p && (block ? s->p[0] != '*' || s->p[1] != '/' : *s->p != '\n'))
        step(s);
    note_reason(s, start, s->p);
    if (block && *s->p) {
        step(s);
        step(s);
    }
}

static void skip_quoted(struct scan *s)
{
    char quote = *s->p;

    step(s);
    while (*s->p && *s->p != quote) {
        if (*s->p == '\\' && s->p[1])
            step(s);
        step(s);
    }
    if (*s->p)
        step(s);
}

static void end_function(struct scan *s)
{
    if (s->n_ids > PROOFS_PER_FUNCTION && !s->has_reason)
        s->sink->too_many(s->sink->arg, s->line, s->n_ids);
    s->n_ids = 0;
    s->has_reason = false;
}

static void count_id(struct scan *s, const char *text, size_t length)
{
    struct spec_id id;

    if (!spec_id_parse(text, length, &id))
        return;
    for (unsigned i = 0; i < s->n_ids; i++)
        if (!spec_id_compare(&s->ids[i], &id))
            return;
    if (s->n_ids < IDS_MAX)
        s->ids[s->n_ids++] = id;
}

/* At an identifier: reports PROVES(argument), steps over anything else. */
static void take_word(struct scan *s)
{
    static const char word[] = "PROVES";
    const char *start = s->p, *arg, *end;

    while (isalnum((unsigned char)*s->p) || *s->p == '_')
        step(s);
    if ((size_t)(s->p - start) != sizeof word - 1 || memcmp(start, word, sizeof word - 1))
        return;
    while (isspace((unsigned char)*s->p))
        step(s);
    if (*s->p != '(')
        return;
    arg = s->p + 1;
    while (isspace((unsigned char)*arg))
        arg++;
    for (end = arg; *end && *end != ')' && !isspace((unsigned char)*end);)
        end++;
    s->sink->proof(s->sink->arg, s->line, arg, (size_t)(end - arg));
    count_id(s, arg, (size_t)(end - arg));
}

/* A brace in the first column always begins or ends a function: that keeps the count right after
 * text that the preprocessor would have dropped. */
static void take_brace(struct scan *s)
{
    bool open = *s->p == '{';

    if (s->line_start)
        s->depth = open ? 0 : 1;
    if (open)
        s->depth++;
    else if (s->depth && --s->depth == 0)
        end_function(s);
    step(s);
}

static void skip_directive(struct scan *s)
{
    while (*s->p && *s->p != '\n') {
        if (*s->p == '\\' && s->p[1] == '\n')
            step(s);
        step(s);
    }
}

void proof_scan(const char *text, const struct proof_sink *sink)
{
    struct scan s = {.sink = sink, .p = text, .line = 1, .line_start = true};

    while (*s.p) {
        if (s.p[0] == '/' && (s.p[1] == '*' || s.p[1] == '/'))
            skip_comment(&s);
        else if (*s.p == '"' || *s.p == '\'')
            skip_quoted(&s);
        else if (*s.p == '#' && s.line_start)
            skip_directive(&s);
        else if (*s.p == '{' || *s.p == '}')
            take_brace(&s);
        else if (isalpha((unsigned char)*s.p) || *s.p == '_')
            take_word(&s);
        else if (isdigit((unsigned char)*s.p))
            while (isalnum((unsigned char)*s.p) || *s.p == '_')
                step(&s);
        else
            step(&s);
    }
    end_function(&s);
}
