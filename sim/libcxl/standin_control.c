/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/libcxl/standin_control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/libcxl/standin.h"

#define ARGUMENTS 4

/** Words after the verb, as far as they are there. */
struct command {
    struct standin *s;
    struct standin_card *card;
    const char *word[ARGUMENTS];
    uint64_t number[ARGUMENTS]; /* of words that are numbers, else 0 */
    int count;
};

/* Returns NULL, or what is wrong. */
typedef const char *verb_fn(const struct command *c);

static bool on(const struct command *c) { return !strcmp(c->word[0], "on"); }

static const char *set_switch(const struct command *c, bool *what, bool value)
{
    if (!on(c) && strcmp(c->word[0], "off"))
        return "say on or off";
    *what = value;
    return NULL;
}

/* ---- steps of a failure ------------------------------------------------------------------------
 */

static const char *freeze(const struct command *c)
{
    __atomic_store_n(&c->card->frozen, true, __ATOMIC_RELAXED);
    return NULL;
}

static const char *thaw(const struct command *c)
{
    __atomic_store_n(&c->card->frozen, false, __ATOMIC_RELAXED);
    return NULL;
}

static const char *detach(const struct command *c)
{
    standin_detach_all(c->s, c->card);
    return NULL;
}

static const char *remove_nodes(const struct command *c)
{
    c->card->no_nodes = true;
    return NULL;
}

static const char *create_nodes(const struct command *c)
{
    c->card->no_nodes = false;
    return thaw(c);
}

/* ---- how the driver answers --------------------------------------------------------------------
 */

static const struct {
    const char *name;
    int number;
} errors[] = {{"EBUSY", EBUSY},   {"EIO", EIO},       {"EINVAL", EINVAL}, {"ENOSPC", ENOSPC},
              {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EFAULT", EFAULT}, {"none", 0}};

static const char *refuse(const struct command *c)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(c->word[0], errors[i].name)) {
            c->card->refuse_attach = errors[i].number;
            return NULL;
        }
    return "this is no errno of an attach";
}

static const char *delay(const struct command *c)
{
    c->card->delay = c->number[0];
    return NULL;
}

static const char *irqs(const struct command *c)
{
    if (c->count < 2 || c->number[0] > c->number[1] || c->number[1] >= STANDIN_IRQS)
        return "give the least and the largest number of interrupts";
    c->card->irqs_min = (unsigned)c->number[0];
    c->card->irqs_max = c->card->irqs_limit = (unsigned)c->number[1];
    return NULL;
}

static const char *uamor(const struct command *c)
{
    c->card->uamor = c->number[0];
    return NULL;
}

static const char *api(const struct command *c)
{
    c->card->api_version = (unsigned)c->number[0];
    c->card->api_compatible = (unsigned)c->number[1];
    return NULL;
}

static const char *err_ff(const struct command *c)
{
    return set_switch(c, &c->card->no_err_ff, !on(c));
}

static const char *afu_id(const struct command *c)
{
    return set_switch(c, &c->card->no_afu_id, !on(c));
}

static const char *error_buffer(const struct command *c)
{
    return set_switch(c, &c->card->no_error_buffer, !on(c));
}

static const char *access_granted(const struct command *c)
{
    return set_switch(c, &c->card->denied, !on(c));
}

static const char *driver_bound(const struct command *c)
{
    return set_switch(c, &c->card->driver_bound, on(c));
}

static const char *class_there(const struct command *c)
{
    return set_switch(c, &c->s->no_class, !on(c));
}

static const char *double_free(const struct command *c)
{
    return set_switch(c, &c->s->double_free, on(c));
}

/* A kernel that says something else than this driver. */
static const char *attribute(const struct command *c)
{
    bool none = !strcmp(c->word[1], "none");

    snprintf(c->card->other_name, sizeof c->card->other_name, "%s", none ? "" : c->word[0]);
    snprintf(c->card->other_text, sizeof c->card->other_text, "%s", c->word[1]);
    return NULL;
}

/* A context of another process: it takes a process element, and keeps the AFU from being reset. */
static const char *foreign(const struct command *c)
{
    bool wanted = false;
    const char *wrong = set_switch(c, &wanted, on(c));

    if (wrong || wanted == (c->card->foreign != NULL))
        return wrong;
    if (wanted)
        return hal_ctx_create(c->card->dev, HAL_CTX_USER, &c->card->foreign)
                   ? "there is no process element left"
                   : NULL;
    hal_ctx_release(c->card->foreign);
    c->card->foreign = NULL;
    return NULL;
}

/* ---- events ------------------------------------------------------------------------------------
 */

static const char *batch(const struct command *c)
{
    if (c->number[0] < 1 || c->number[0] > CXL_READ_MIN_SIZE / sizeof(struct cxl_event))
        return "a read gives at least one event and at most what 4096 bytes hold";
    c->card->batch = (unsigned)c->number[0];
    return NULL;
}

static const char *order(const struct command *c)
{
    bool arrival = !strcmp(c->word[0], "arrival");

    if (!arrival && strcmp(c->word[0], "kernel"))
        return "say arrival or kernel";
    c->card->arrival_order = arrival;
    return NULL;
}

static struct standin_file *file_of_element(const struct command *c)
{
    for (unsigned i = 0; i < STANDIN_FILE_BUCKETS; i++)
        for (struct standin_file *f = c->s->file[i]; f; f = f->next)
            if (f->card == c->card && f->element == c->number[0])
                return f;
    return NULL;
}

static bool describe(const struct command *c, struct cxl_event *ev)
{
    const char *kind = c->word[1];

    if (!strcmp(kind, "interrupt")) {
        ev->header.type = CXL_EVENT_AFU_INTERRUPT;
        ev->header.size = CXL_EVENT_AFU_INTERRUPT_SIZE;
        ev->irq.irq = (uint16_t)c->number[2];
    } else if (!strcmp(kind, "storage")) {
        ev->header.type = CXL_EVENT_DATA_STORAGE;
        ev->header.size = CXL_EVENT_DATA_STORAGE_SIZE;
        ev->fault.addr = c->number[2];
        ev->fault.dsisr = c->number[3];
    } else if (!strcmp(kind, "error")) {
        ev->header.type = CXL_EVENT_AFU_ERROR;
        ev->header.size = CXL_EVENT_AFU_ERROR_SIZE;
        ev->afu_error.error = c->number[2];
    } else {
        return false;
    }
    return true;
}

static const char *event(const struct command *c)
{
    struct standin_file *f = file_of_element(c);
    struct cxl_event ev;

    memset(&ev, 0, sizeof ev);
    if (c->count < 3 || !describe(c, &ev))
        return "say event, the process element, then interrupt N, storage ADDRESS DSISR or error "
               "CODE";
    if (!f || !f->attached || f->closed)
        return "no context with that process element is attached";
    ev.header.process_element = f->element;
    standin_event_add(f, &ev);
    standin_refresh(c->s, f);
    return NULL;
}

/* ---- the words ---------------------------------------------------------------------------------
 */

static const struct verb {
    const char *name;
    verb_fn *does;
    int least, most; /* arguments, behind the AFU */
    bool global;     /* no AFU */
} verbs[] = {
    {"freeze", freeze, 0, 0, false},
    {"thaw", thaw, 0, 0, false},
    {"detach", detach, 0, 0, false},
    {"remove", remove_nodes, 0, 0, false},
    {"create", create_nodes, 0, 0, false},
    {"refuse", refuse, 1, 1, false},
    {"delay", delay, 1, 1, false},
    {"irqs", irqs, 2, 2, false},
    {"uamor", uamor, 1, 1, false},
    {"api", api, 2, 2, false},
    {"err_ff", err_ff, 1, 1, false},
    {"afu_id", afu_id, 1, 1, false},
    {"error_buffer", error_buffer, 1, 1, false},
    {"access", access_granted, 1, 1, false},
    {"cxlflash", driver_bound, 1, 1, false},
    {"foreign", foreign, 1, 1, false},
    {"attribute", attribute, 2, 2, false},
    {"batch", batch, 1, 1, false},
    {"order", order, 1, 1, false},
    {"event", event, 3, 4, false},
    {"class", class_there, 1, 1, true},
    {"double_free", double_free, 1, 1, true},
};

static const struct verb *verb_named(const char *name)
{
    for (size_t i = 0; name && i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static const char *carry_out(const struct verb *verb, struct command *c, char **rest)
{
    struct standin_node node;
    const char *word;

    if (!verb)
        return "there is no such word";
    if (!verb->global) {
        word = strsep(rest, " ");
        if (!word || !standin_node_parse(c->s, word, &node))
            return "name an AFU, like afu0.0";
        c->card = node.card;
    }
    while (c->count < ARGUMENTS && (word = strsep(rest, " "))) {
        c->word[c->count] = word;
        c->number[c->count++] = strtoull(word, NULL, 0);
    }
    if (c->count < verb->least || c->count > verb->most || *rest)
        return "too few or too many words";
    return verb->does(c);
}

int standin_control(const char *words, char *why, size_t size)
{
    struct command c = {.s = standin_enter()};
    char text[128], *rest = text;
    const char *wrong = "there is no world";

    snprintf(text, sizeof text, "%s", words);
    if (c.s) {
        const struct verb *verb = verb_named(strsep(&rest, " "));

        standin_lock(c.s);
        wrong = carry_out(verb, &c, &rest);
        standin_unlock(c.s);
    }
    if (!wrong)
        return 0;
    snprintf(why, size, "%s: %s", words, wrong);
    return -EINVAL;
}

int standin_work(int fd, struct cxl_ioctl_start_work *out)
{
    struct standin *s = standin_enter();
    const struct standin_file *f;
    int rc = -EBADF;

    if (!s)
        return -EBADF;
    standin_lock(s);
    f = standin_file(s, fd);
    if (f)
        rc = f->attached ? 0 : -EINVAL;
    if (!rc)
        *out = f->work;
    standin_unlock(s);
    return rc;
}
