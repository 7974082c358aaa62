/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of transcripts. Words in capitals are numbers; chunks are 256 MiB; X is a client, a to
 * d:
 *
 *     param NAME=VALUE            of the model; before the adapter
 *     adapter                     opens it, or again after it was closed or could not be opened
 *     show NAME ...               accesses to registers with this in their name are told, from now
 *                                 on; "bring-up": the steps of an initialisation, and what the
 *                                 adapter tells meanwhile
 *     hide                        the opposite, for all of them
 *     fault RULE                  loads a plan, in place of the last one; none without a rule
 *     wait N                      milliseconds
 *     link P down|up              the cable of a port
 *     reset, port-reset P, close  of the adapter
 *     state, port P, lun L        what is known
 *
 *     X attach L [interrupts] [timeout MS]
 *     X open L CHUNKS, X resize H CHUNKS, X release H, X detach L, X recover, X end
 *     X write H LBA BYTE, X read H LBA        one block, waited for by polling
 *     X reads H LBA N                         the same N times: how many of them failed
 *     X start H LBA, X sleep MS, X poll       a read, without waiting; up to MS for an interrupt */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/adapter/adapter_state.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/bits.h"
#include "sim/sim_control.h"
#include "tests/scenario/transcript_internal.h"

#define CHUNK UINT64_C(65536)
#define MS UINT64_C(1000000)

static bool is(const struct transcript *t, unsigned i, const char *word)
{
    return i < t->words && !strcmp(t->word[i], word);
}

static struct sim_afu *afu(struct transcript *t) { return sim_host_afu(t->s->host, 0); }

static void say_result(struct transcript *t, int rc)
{
    transcript_say(t, "%s", transcript_errno(rc));
}

/* ---- the adapter ---- */

static void adapter(struct transcript *t)
{
    char why[256] = "";
    int rc = stack_bring_up(t->s, why, sizeof why);

    sim_trace_flush(&sim_host_machine(t->s->host)->trace);
    t->initialising = false;
    transcript_say(t, "%s%s%s", transcript_errno(rc), rc ? ": " : "", rc ? why : "");
}

static void show(struct transcript *t)
{
    for (unsigned i = 1; i < t->words; i++) {
        cr_assert_lt(t->shown_count, TRANSCRIPT_SHOWN);
        if (is(t, i, "bring-up"))
            t->bring_up = true;
        else
            snprintf(t->shown[t->shown_count++], sizeof t->shown[0], "%s", t->word[i]);
    }
}

static void hide(struct transcript *t)
{
    t->shown_count = 0;
    t->bring_up = false;
}

static void fault(struct transcript *t)
{
    stack_plan(t->s, t->words > 1 ? t->word[1] : "");
    t->filtered = 0;
}

static void wait(struct transcript *t)
{
    uint64_t until = exec_now(t->s->exec) + transcript_number(t, 1) * MS;

    cr_assert_eq(exec_sleep_until(t->s->exec, until), 0);
}

static void cable(struct transcript *t)
{
    unsigned port = (unsigned)transcript_number(t, 1);

    if (is(t, 2, "down"))
        sim_afu_link_down(afu(t), port);
    else
        sim_afu_link_up(afu(t), port);
}

static void reset(struct transcript *t) { say_result(t, spipe_reset(t->s->adapter)); }

static void port_reset(struct transcript *t)
{
    say_result(t, spipe_port_reset(t->s->adapter, (unsigned)transcript_number(t, 1)));
}

static void close_adapter(struct transcript *t) { stack_close(t->s); }

static void state(struct transcript *t)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(t->s->adapter, &info);
    transcript_say(t, "%s, port 0 %s, port 1 %s", spipe_state_name(info.state),
                   info.port_online[0] ? "online" : "offline",
                   info.port_online[1] ? "online" : "offline");
}

static void port(struct transcript *t)
{
    static const char *const name[SPIPE_PORT_EVENTS] = {
        "link up", "link down", "login", "login failed", "login retry", "CRC", "logout", "error"};
    struct spipe_port_info info;

    cr_assert_eq(spipe_port_info(t->s->adapter, (unsigned)transcript_number(t, 1), &info), 0);
    for (unsigned i = 0; i < SPIPE_PORT_EVENTS; i++)
        if (info.events[i])
            transcript_say(t, "%s: %" PRIu64, name[i], info.events[i]);
    transcript_say(t, "link resets: %" PRIu64 ", of them failed: %" PRIu64, info.resets,
                   info.resets_failed);
}

static void lun(struct transcript *t)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(t->s->adapter, (unsigned)transcript_number(t, 1), &info), 0);
    transcript_say(t, "%" PRIu64 " of %" PRIu64 " chunks free, %u users", info.free_chunks,
                   info.chunks, info.users);
}

/* ---- clients ---- */

static struct transcript_client *client(struct transcript *t)
{
    return &t->client[t->word[0][0] - 'a'];
}

static void make_client(struct transcript *t, struct transcript_client *c)
{
    cr_assert_eq(spipe_client_create(t->s->adapter, t->word[0], &c->c.client), 0);
    c->page = exec_alloc(t->s->exec, STACK_BLOCK, STACK_BLOCK);
    cr_assert_not_null(c->page);
    cr_assert_eq(hal_mem_register(sim_host_device(t->s->host, 0), c->page, STACK_BLOCK, "page"), 0);
}

static void attach(struct transcript *t)
{
    struct transcript_client *c = client(t);
    struct spipe_attach_options options = {.size = sizeof options, .depth = 8};
    int rc;

    for (unsigned i = 3; i < t->words; i++) {
        options.interrupts |= is(t, i, "interrupts");
        if (is(t, i, "timeout"))
            options.io_timeout_ns = transcript_number(t, i + 1) * MS;
    }
    if (!c->c.client)
        make_client(t, c);
    rc = spipe_attach(c->c.client, (unsigned)transcript_number(t, 2), &options, &c->c.ctx);
    if (rc)
        say_result(t, rc);
    else
        transcript_say(t, "context %u", spipe_ctx_handle(c->c.ctx));
}

static void say_size(struct transcript *t, int rc, const char *before, uint64_t last)
{
    if (rc)
        say_result(t, rc);
    else
        transcript_say(t, "%s%" PRIu64 " chunks", before,
                       last == SPIPE_NO_BLOCK ? 0 : hal_div_up(last + 1, CHUNK));
}

static void open_virtual(struct transcript *t)
{
    char before[24];
    uint32_t handle = 0;
    uint64_t last = 0;
    int rc = spipe_open_virtual(client(t)->c.ctx, (unsigned)transcript_number(t, 2),
                                transcript_number(t, 3) * CHUNK, &handle, &last);

    snprintf(before, sizeof before, "handle %u of ", handle);
    say_size(t, rc, before, last);
}

static void resize(struct transcript *t)
{
    uint64_t last = 0;
    int rc = spipe_resize(client(t)->c.ctx, (uint32_t)transcript_number(t, 2),
                          transcript_number(t, 3) * CHUNK, &last);

    say_size(t, rc, "", last);
}

static void release(struct transcript *t)
{
    say_result(t, spipe_release(client(t)->c.ctx, (uint32_t)transcript_number(t, 2)));
}

static void detach(struct transcript *t)
{
    say_result(t, spipe_detach(client(t)->c.ctx, (unsigned)transcript_number(t, 2)));
}

static void recover(struct transcript *t)
{
    struct spipe_ctx *ctx = client(t)->c.ctx;
    bool recovered = false;
    int rc = spipe_recover(ctx, &recovered);

    if (rc)
        say_result(t, rc);
    else if (recovered)
        transcript_say(t, "recovered, context %u", spipe_ctx_handle(ctx));
    else
        transcript_say(t, "there is nothing to recover");
}

static void end(struct transcript *t)
{
    struct transcript_client *c = client(t);

    spipe_client_destroy(c->c.client);
    hal_mem_release(sim_host_device(t->s->host, 0), c->page);
    exec_free(t->s->exec, c->page, STACK_BLOCK);
    *c = (struct transcript_client){0};
}

static int io(struct transcript *t, enum spipe_op op)
{
    struct transcript_client *c = client(t);

    return stack_io(&c->c, op, (uint32_t)transcript_number(t, 2), transcript_number(t, 3), 1,
                    c->page);
}

static void write_block(struct transcript *t)
{
    memset(client(t)->page, (int)transcript_number(t, 4), STACK_BLOCK);
    say_result(t, io(t, SPIPE_WRITE));
}

static void read_block(struct transcript *t)
{
    uint8_t *page = client(t)->page;
    int rc;

    memset(page, 0xEE, STACK_BLOCK);
    rc = io(t, SPIPE_READ);
    if (rc)
        say_result(t, rc);
    else
        transcript_say(t, "%u", page[0] == page[STACK_BLOCK - 1] ? page[0] : 0xBAD);
}

static void read_often(struct transcript *t)
{
    uint64_t n = transcript_number(t, 4), failed = 0;

    for (uint64_t i = 0; i < n; i++)
        failed += io(t, SPIPE_READ) != 0;
    transcript_say(t, "%" PRIu64 " of %" PRIu64 " failed", failed, n);
}

static void start_read(struct transcript *t)
{
    struct transcript_client *c = client(t);
    struct spipe_io one = {.buffer = c->page,
                           .blocks = 1,
                           .handle = (uint32_t)transcript_number(t, 2),
                           .lba = transcript_number(t, 3)};
    int n = spipe_submit(c->c.ctx, &one, 1);

    if (n < 0)
        say_result(t, n);
}

static void sleep_for_completion(struct transcript *t)
{
    uint64_t until = exec_now(t->s->exec) + transcript_number(t, 2) * MS;

    say_result(t, spipe_wait(client(t)->c.ctx, until));
}

static void poll(struct transcript *t)
{
    struct spipe_completion done;

    if (spipe_poll(client(t)->c.ctx, &done, 1))
        transcript_say(t, "completion: %s", transcript_errno(done.status));
    else
        transcript_say(t, "nothing");
}

/* ---- all of them ---- */

static const struct step {
    const char *name;
    unsigned words; /* at least, with the name */
    void (*run)(struct transcript *t);
} of_adapter[] =
    {
        {"adapter", 1, adapter},
        {"show", 2, show},
        {"fault", 1, fault},
        {"wait", 2, wait},
        {"link", 3, cable},
        {"reset", 1, reset},
        {"close", 1, close_adapter},
        {"port-reset", 2, port_reset},
        {"state", 1, state},
        {"port", 2, port},
        {"lun", 2, lun},
        {"hide", 1, hide},
},
  of_client[] = {
      {"attach", 3, attach},
      {"open", 4, open_virtual},
      {"resize", 4, resize},
      {"release", 3, release},
      {"detach", 3, detach},
      {"recover", 2, recover},
      {"end", 2, end},
      {"write", 5, write_block},
      {"read", 4, read_block},
      {"start", 4, start_read},
      {"sleep", 3, sleep_for_completion},
      {"poll", 2, poll},
      {"reads", 5, read_often},
};

static const struct step *find(const struct transcript *t, const struct step *table, size_t count,
                               const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(table[i].name, name) && t->words >= table[i].words)
            return &table[i];
    return NULL;
}

void transcript_step(struct transcript *t)
{
    const char *who = t->words ? t->word[0] : "";
    const struct step *step = NULL;

    if (*who >= 'a' && *who < 'a' + TRANSCRIPT_CLIENTS && !who[1] && t->words > 1)
        step = find(t, of_client, HAL_ARRAY_LENGTH(of_client), t->word[1]);
    else if (*who)
        step = find(t, of_adapter, HAL_ARRAY_LENGTH(of_adapter), who);
    cr_assert_not_null(step, "line %u is no step", t->line);
    step->run(t);
}
