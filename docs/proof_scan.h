/* Finds PROVES(ID) in a C source, and functions that prove too much at once. */
#ifndef SPIPE_DOCS_PROOF_SCAN_H
#define SPIPE_DOCS_PROOF_SCAN_H
#include "docs/spec_ids.h"

enum { PROOFS_PER_FUNCTION = 5 };

struct proof_sink {
    void *arg;
    /* PROVES(id) outside of comments and strings; id is not yet checked. */
    void (*proof)(void *arg, unsigned line, const char *id, size_t length);
    /* The function that ends in this line names more than PROOFS_PER_FUNCTION different ids and
     * carries no comment "PROVES-MANY: reason" inside or just before it. */
    void (*too_many)(void *arg, unsigned line, unsigned ids);
};

void proof_scan(const char *text, const struct proof_sink *sink);

#endif
