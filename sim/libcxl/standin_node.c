/* SPDX-License-Identifier: Apache-2.0 */
/* Names of AFUs and their devices (CX-10, CX-17). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/libcxl/standin.h"

/* Reads digits; -1 if there are none, or far too many. */
static long digits(const char **at)
{
    long value = 0;
    const char *start = *at;

    while (isdigit((unsigned char)**at) && value < 100000)
        value = value * 10 + (*(*at)++ - '0');
    return *at == start ? -1 : value;
}

bool standin_node_parse(struct standin *s, const char *name, struct standin_node *out)
{
    long card;

    if (strncmp(name, "afu", 3))
        return false;
    name += 3;
    card = digits(&name);
    if (card < 0 || card >= (long)s->world.adapters || *name++ != '.' || digits(&name) != 0)
        return false;
    if (*name && (name[1] || !strchr("dms", *name)))
        return false;
    out->card = &s->card[card];
    out->letter = *name;
    return true;
}

bool standin_node_there(const struct standin_node *node)
{
    const struct standin_card *c = node->card;

    if (!c->probed)
        return false;
    if (!node->letter)
        return true;
    if (c->no_nodes || c->mode == STANDIN_MODE_NONE)
        return false;
    return (node->letter == 'd') == (c->mode == STANDIN_MODE_DEDICATED);
}
