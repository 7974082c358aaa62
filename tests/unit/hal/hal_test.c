/* The checked wrappers: what they pass on, what they keep, and that every breach of the contract,
 * by the caller or by the back end, ends the program. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/hal.h"
#include "hal/support/bits.h"
#include "tests/testlib/proves.h"

/* ---- a back end whose answers are scripted ---- */

static struct {
    struct hal_dev dev;
    struct hal_ctx ctx[4];
    unsigned created;         /* of ctx[] */
    int rc;                   /* answer of every operation */
    size_t vpd_length;        /* answer of vpd_read */
    enum hal_event_kind kind; /* answer of event_wait */
    char last[100];           /* last operation that was called, and its arguments */
} fake;

static void said(const char *text) { snprintf(fake.last, sizeof fake.last, "%s", text); }

static void fake_close(struct hal_dev *dev)
{
    cr_assert_eq(dev, &fake.dev);
    said("close");
}

static int fake_afu_reset(struct hal_dev *dev)
{
    cr_assert_eq(dev, &fake.dev);
    said("afu_reset");
    return fake.rc;
}

static int fake_reload(struct hal_dev *dev, bool same)
{
    cr_assert_eq(dev, &fake.dev);
    said(same ? "reload same" : "reload other");
    return fake.rc;
}

static int fake_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    cr_assert_eq(dev, &fake.dev);
    said("vpd_read");
    memset(buf, 0x82, size);
    *length = fake.vpd_length;
    return fake.rc;
}

static int fake_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct hal_ctx *ctx = &fake.ctx[fake.created % 4];

    cr_assert_eq(dev, &fake.dev);
    said(kind == HAL_CTX_MASTER ? "create master" : "create user");
    if (fake.rc)
        return fake.rc;
    memset(ctx, 0xEE, sizeof *ctx); /* the wrapper fills the rest of the base */
    ctx->handle = 77;
    fake.created++;
    *out = ctx;
    return 0;
}

static int fake_ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    snprintf(fake.last, sizeof fake.last, "start %u", interrupts);
    (void)ctx;
    return fake.rc;
}

static int fake_ctx_stop(struct hal_ctx *ctx)
{
    (void)ctx;
    said("stop");
    return fake.rc;
}

static void fake_ctx_lose(struct hal_ctx *ctx)
{
    (void)ctx;
    said("lose");
}

static void fake_ctx_release(struct hal_ctx *ctx)
{
    said(ctx->started ? "release started" : "release stopped");
}

static uint64_t fake_read(struct hal_ctx *ctx, uint64_t offset)
{
    snprintf(fake.last, sizeof fake.last, "read %u 0x%llx", (unsigned)(ctx - fake.ctx),
             (unsigned long long)offset);
    return ~offset;
}

static void fake_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    snprintf(fake.last, sizeof fake.last, "write %u 0x%llx 0x%llx", (unsigned)(ctx - fake.ctx),
             (unsigned long long)offset, (unsigned long long)value);
}

static int fake_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    (void)ctx;
    cr_assert_eq(out->kind, HAL_EVENT_NONE, "the wrapper clears it");
    snprintf(fake.last, sizeof fake.last, "event_wait %llu", (unsigned long long)deadline);
    out->kind = fake.kind;
    return fake.rc;
}

static void fake_progress(struct hal_ctx *ctx)
{
    (void)ctx;
    said("progress");
}

static int fake_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    (void)dev, (void)addr;
    snprintf(fake.last, sizeof fake.last, "register %zu %s", size, name);
    return fake.rc;
}

static void fake_mem_release(struct hal_dev *dev, void *addr)
{
    (void)dev, (void)addr;
    said("mem_release");
}

static void fake_table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    (void)dev;
    said("table_store");
    *(uint64_t *)addr = value;
}

static void fake_publish(struct hal_dev *dev)
{
    (void)dev;
    said("publish");
}

static void fake_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    (void)dev;
    snprintf(fake.last, sizeof fake.last, "note %d %d %d", (int)what, (int)a, (int)b);
}

static enum hal_platform_event platform_event;

static int fake_platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    (void)dev, (void)deadline;
    *out = platform_event;
    return fake.rc;
}

static void fake_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    (void)dev;
    snprintf(fake.last, sizeof fake.last, "answer %d", (int)answer);
}

static const struct hal_ops fake_ops = {
    .name = "fake",
    .close = fake_close,
    .afu_reset = fake_afu_reset,
    .reload_same_image = fake_reload,
    .vpd_read = fake_vpd_read,
    .platform_wait = fake_platform_wait,
    .platform_answer = fake_platform_answer,
    .ctx_create = fake_ctx_create,
    .ctx_start = fake_ctx_start,
    .ctx_stop = fake_ctx_stop,
    .ctx_lose = fake_ctx_lose,
    .ctx_release = fake_ctx_release,
    .reg_read64 = fake_read,
    .reg_write64 = fake_write,
    .event_wait = fake_event_wait,
    .progress = fake_progress,
    .mem_register = fake_mem_register,
    .mem_release = fake_mem_release,
    .table_store = fake_table_store,
    .publish = fake_publish,
    .note = fake_note,
};

static void set_up(void)
{
    memset(&fake, 0, sizeof fake);
    hal_dev_init(&fake.dev, &fake_ops);
}

TestSuite(hal, .init = set_up);

static struct hal_ctx *create(enum hal_ctx_kind kind)
{
    struct hal_ctx *ctx = NULL;

    cr_assert_eq(hal_ctx_create(&fake.dev, kind, &ctx), 0);
    return ctx;
}

static struct hal_ctx *start(enum hal_ctx_kind kind)
{
    struct hal_ctx *ctx = create(kind);

    cr_assert_eq(hal_ctx_start(ctx, 3), 0);
    return ctx;
}

/* True if `breach` ends its process through a failed check. */
static bool aborts(void (*breach)(void))
{
    char text[300] = "";
    int ends[2], status = 0;
    size_t used = 0;
    ssize_t n;
    pid_t child;

    cr_assert_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        breach();
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)n;
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, "internal error");
}

/* One way to break the contract. */
struct breach {
    const char *what;
    void (*run)(void);
};

static void assert_all_abort(const struct breach *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(aborts(rows[i].run), "not noticed: %s", rows[i].what);
}

/* ---- passing on ---- */

Test(hal, device_operations_reach_the_back_end)
{
    char vpd[8];
    size_t length = 0;

    cr_assert_eq(hal_reload_same_image(&fake.dev, true), 0);
    cr_assert_str_eq(fake.last, "reload same");
    cr_assert_eq(hal_reload_same_image(&fake.dev, false), 0);
    cr_assert_str_eq(fake.last, "reload other");
    fake.vpd_length = sizeof vpd;
    cr_assert_eq(hal_vpd_read(&fake.dev, vpd, sizeof vpd, &length), 0);
    cr_assert_eq(length, sizeof vpd);
    hal_note(&fake.dev, HAL_NOTE_STATE, 8, 9);
    cr_assert_str_eq(fake.last, "note 2 8 9");
    hal_close(&fake.dev);
    cr_assert_str_eq(fake.last, "close");
}

Test(hal, memory_operations_reach_the_back_end)
{
    static _Alignas(128) uint64_t table[16];

    cr_assert_eq(hal_mem_register(&fake.dev, table, sizeof table, "rht"), 0);
    cr_assert_str_eq(fake.last, "register 128 rht");
    hal_table_store(&fake.dev, &table[5], 99);
    cr_assert_eq(table[5], 99);
    hal_publish(&fake.dev);
    cr_assert_str_eq(fake.last, "publish");
    hal_mem_release(&fake.dev, table);
    cr_assert_str_eq(fake.last, "mem_release");
}

Test(hal, registers_reach_the_back_end)
{
    struct hal_ctx *master = start(HAL_CTX_MASTER), *user = start(HAL_CTX_USER);

    cr_assert_eq(hal_reg_read64(master, 0x2017FF8), ~UINT64_C(0x2017FF8));
    cr_assert_str_eq(fake.last, "read 0 0x2017ff8");
    hal_reg_write64(user, 0xFFF8, 5);
    cr_assert_str_eq(fake.last, "write 1 0xfff8 0x5", "%s", fake.last);
    hal_progress(user);
    cr_assert_str_eq(fake.last, "progress");
}

/* The whole map of SL 1, debug windows of a four-port card included. */
Test(hal, master_reaches_the_whole_map)
{
    struct hal_ctx *master = start(HAL_CTX_MASTER);

    (void)hal_reg_read64(master, 0x20DFFF8);
    cr_assert_str_eq(fake.last, "read 0 0x20dfff8");
}

Test(hal, events)
{
    struct hal_ctx *ctx = start(HAL_CTX_MASTER);
    struct hal_event event = {.kind = HAL_EVENT_DATA_STORAGE};

    cr_assert_eq(hal_event_wait(ctx, 12, &event), 0);
    cr_assert_str_eq(fake.last, "event_wait 12");
    cr_assert_eq(event.kind, HAL_EVENT_NONE);
    fake.kind = HAL_EVENT_AFU_INTERRUPT;
    cr_assert_eq(hal_event_wait(ctx, 0, &event), 0);
    cr_assert_eq(event.kind, HAL_EVENT_AFU_INTERRUPT);
    fake.kind = HAL_EVENT_NONE;
    fake.rc = -EINTR;
    cr_assert_eq(hal_event_wait(ctx, 0, &event), -EINTR);
    fake.kind = HAL_EVENT_DEVICE_LOST;
    fake.rc = -EIO;
    cr_assert_eq(hal_event_wait(ctx, 0, &event), -EIO);
    cr_assert_eq(event.kind, HAL_EVENT_DEVICE_LOST);
}

/* ---- contexts ---- */

Test(hal, life_of_a_context)
{
    struct hal_ctx *ctx = create(HAL_CTX_USER);

    cr_assert_str_eq(fake.last, "create user");
    cr_assert_eq(ctx->ops, &fake_ops);
    cr_assert_eq(ctx->dev, &fake.dev);
    cr_assert_eq(ctx->kind, HAL_CTX_USER);
    cr_assert_not(ctx->started);
    cr_assert_eq(ctx->handle, 77, "the wrapper did not keep it");
    cr_assert_eq(hal_ctx_start(ctx, 4), 0);
    cr_assert_str_eq(fake.last, "start 4");
    cr_assert(ctx->started);
    cr_assert_eq(ctx->handle, 77);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    cr_assert_not(ctx->started);
    hal_ctx_release(ctx);
    cr_assert_str_eq(fake.last, "release stopped");
}

Test(hal, open_contexts_are_counted)
{
    struct hal_ctx *a = create(HAL_CTX_MASTER), *b = start(HAL_CTX_USER), *none = a;

    cr_assert_eq(fake.dev.open_contexts, 2);
    fake.rc = -ENOSPC;
    cr_assert_eq(hal_ctx_create(&fake.dev, HAL_CTX_USER, &none), -ENOSPC);
    cr_assert_eq(fake.dev.open_contexts, 2, "a failed creation opens nothing");
    cr_assert_eq(none, a, "and gives nothing");
    hal_ctx_release(NULL);
    cr_assert_eq(fake.dev.open_contexts, 2);
    hal_ctx_release(b);
    cr_assert_str_eq(fake.last, "release started", "the back end stops it");
    hal_ctx_release(a);
    cr_assert_eq(fake.dev.open_contexts, 0);
    hal_close(&fake.dev);
}

Test(hal, a_lost_context_is_not_open_any_more)
{
    struct hal_ctx *ctx = start(HAL_CTX_USER);

    cr_assert_eq(hal_afu_reset(&fake.dev), -EBUSY);
    hal_ctx_lose(ctx);
    cr_assert_str_eq(fake.last, "lose");
    cr_assert_eq(fake.dev.open_contexts, 0);
    cr_assert_eq(hal_afu_reset(&fake.dev), 0, "R-31");
    hal_ctx_release(ctx);
    cr_assert_eq(fake.dev.open_contexts, 0);
    hal_close(&fake.dev);
}

Test(hal, a_context_is_lost_once, .signal = SIGABRT)
{
    struct hal_ctx *ctx = start(HAL_CTX_USER);

    hal_ctx_lose(ctx);
    hal_ctx_lose(ctx);
}

Test(hal, failed_start_and_stop)
{
    struct hal_ctx *ctx = create(HAL_CTX_USER);

    fake.rc = -ENOSPC;
    cr_assert_eq(hal_ctx_start(ctx, 4), -ENOSPC);
    cr_assert_not(ctx->started);
    fake.rc = 0;
    cr_assert_eq(hal_ctx_start(ctx, 3), 0, "it may be tried again");
    fake.rc = -EIO;
    cr_assert_eq(hal_ctx_stop(ctx), -EIO);
    cr_assert_not(ctx->started, "there is no second stop");
}

/* a reset is legal only with no context open; the back end is not even asked. */
Test(hal, afu_reset_needs_every_context_closed)
{
    struct hal_ctx *ctx = create(HAL_CTX_USER);

    cr_assert_eq(hal_afu_reset(&fake.dev), -EBUSY);
    cr_assert_str_eq(fake.last, "create user");
    cr_assert_eq(hal_ctx_start(ctx, 3), 0);
    cr_assert_eq(hal_afu_reset(&fake.dev), -EBUSY);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    cr_assert_eq(hal_afu_reset(&fake.dev), -EBUSY, "stopped is not closed");
    hal_ctx_release(ctx);
    cr_assert_eq(hal_afu_reset(&fake.dev), 0);
    cr_assert_str_eq(fake.last, "afu_reset");
    PROVES(R_31);
}

/* ---- errno, R-43 ---- */

static int ask_reset(void) { return hal_afu_reset(&fake.dev); }

static int ask_reload(void) { return hal_reload_same_image(&fake.dev, true); }

static int ask_vpd(void)
{
    char buf[4];
    size_t length;

    return hal_vpd_read(&fake.dev, buf, sizeof buf, &length);
}

static int ask_create(void)
{
    struct hal_ctx *ctx;

    return hal_ctx_create(&fake.dev, HAL_CTX_USER, &ctx);
}

static struct hal_ctx ready = {.ops = &fake_ops, .dev = &fake.dev, .kind = HAL_CTX_MASTER};

static int ask_start(void)
{
    ready.started = false;
    return hal_ctx_start(&ready, 1);
}

static int ask_stop(void)
{
    ready.started = true;
    return hal_ctx_stop(&ready);
}

static int ask_event(void)
{
    struct hal_event event;

    fake.kind = fake.rc == -EIO ? HAL_EVENT_DEVICE_LOST : HAL_EVENT_NONE;
    return hal_event_wait(&ready, 0, &event);
}

static _Alignas(128) char memory[256];

static int ask_memory(void) { return hal_mem_register(&fake.dev, memory, 128, "memory"); }

static int (*const ask[])(void) = {ask_reset, ask_reload, ask_vpd,   ask_create,
                                   ask_start, ask_stop,   ask_event, ask_memory};
static unsigned asked; /* index for ask_one */

static void ask_one(void) { (void)ask[asked](); }

Test(hal, errno_set_is_closed)
{
    static const int allowed[] = {EINVAL, ENOMEM, EACCES, EBUSY,     EIO,  ENODEV,
                                  ENOSPC, ENXIO,  ENOSYS, ETIMEDOUT, EINTR};
    static const int refused[] = {-ENOENT, -EPROTO, -EAGAIN, -EPERM, -1000, EINVAL, 1};

    for (asked = 0; asked < HAL_ARRAY_LENGTH(ask); asked++) {
        for (size_t i = 0; i < HAL_ARRAY_LENGTH(allowed); i++) {
            fake.rc = -allowed[i];
            cr_assert_eq(ask[asked](), -allowed[i], "operation %u, errno %d", asked, allowed[i]);
        }
        for (size_t i = 0; i < HAL_ARRAY_LENGTH(refused); i++) {
            fake.rc = refused[i];
            cr_assert(aborts(ask_one), "operation %u may return %d", asked, refused[i]);
        }
    }
    PROVES(R_43);
    PROVES(D_12); /* 1 is no success either: there is one convention */
}

/* ---- breaches by the caller ---- */

static int result; /* what nobody gets to see */

static void close_with_context(void)
{
    create(HAL_CTX_USER);
    hal_close(&fake.dev);
}

static void start_twice(void) { result = hal_ctx_start(start(HAL_CTX_USER), 3); }

static void stop_not_started(void) { result = hal_ctx_stop(create(HAL_CTX_USER)); }

static void release_twice(void)
{
    struct hal_ctx *ctx = create(HAL_CTX_USER);

    hal_ctx_release(ctx);
    hal_ctx_release(ctx);
}

static void read_unaligned(void) { (void)hal_reg_read64(start(HAL_CTX_MASTER), 0x2010004); }

static void write_unaligned(void) { hal_reg_write64(start(HAL_CTX_USER), 0x21, 0); }

static void user_reads_beyond(void) { (void)hal_reg_read64(start(HAL_CTX_USER), 0x10000); }

static void user_writes_beyond(void) { hal_reg_write64(start(HAL_CTX_USER), 0x2010000, 0); }

static void master_reads_beyond(void) { (void)hal_reg_read64(start(HAL_CTX_MASTER), 0x2100000); }

static void master_writes_beyond(void)
{
    hal_reg_write64(start(HAL_CTX_MASTER), UINT64_MAX - 7, 0);
}

static void register_unaligned(void)
{
    result = hal_mem_register(&fake.dev, memory + 64, 128, "memory");
}

static void register_nothing(void) { result = hal_mem_register(&fake.dev, memory, 0, "memory"); }

static void register_without_name(void) { result = hal_mem_register(&fake.dev, memory, 128, NULL); }

static void store_unaligned(void)
{
    uintptr_t addr = (uintptr_t)memory + 4;

    hal_table_store(&fake.dev, (uint64_t *)addr, 0);
}

Test(hal, breaches_by_the_caller)
{
    static const struct breach rows[] = {
        {"close with an open context", close_with_context},
        {"start of a started context", start_twice},
        {"stop of a context not started", stop_not_started},
        {"second release", release_twice},
        {"read of an unaligned register", read_unaligned},
        {"write of an unaligned register", write_unaligned},
        {"user reads beyond its window", user_reads_beyond},
        {"user writes beyond its window", user_writes_beyond},
        {"master reads beyond the map", master_reads_beyond},
        {"master writes beyond the map", master_writes_beyond},
        {"unaligned memory", register_unaligned},
        {"no memory", register_nothing},
        {"memory without a name", register_without_name},
        {"unaligned table store", store_unaligned},
    };
    assert_all_abort(rows, HAL_ARRAY_LENGTH(rows));
}

/* ---- breaches by the back end ---- */

static void vpd_too_long(void)
{
    fake.vpd_length = 5;
    (void)ask_vpd();
}

static void wait_answer(int rc, enum hal_event_kind kind)
{
    struct hal_event event;

    fake.rc = rc;
    fake.kind = kind;
    result = hal_event_wait(&ready, 0, &event);
}

static void lost_without_error(void) { wait_answer(0, HAL_EVENT_DEVICE_LOST); }

static void lost_with_another_error(void) { wait_answer(-EINTR, HAL_EVENT_DEVICE_LOST); }

static void error_without_lost(void) { wait_answer(-EIO, HAL_EVENT_NONE); }

Test(hal, breaches_by_the_back_end)
{
    static const struct breach rows[] = {
        {"VPD longer than the buffer", vpd_too_long},
        {"lost device without EIO", lost_without_error},
        {"lost device with another error", lost_with_another_error},
        {"EIO without a lost device", error_without_lost},
    };
    assert_all_abort(rows, HAL_ARRAY_LENGTH(rows));
}

static struct hal_ops incomplete;

static void init_incomplete(void)
{
    struct hal_dev dev;

    hal_dev_init(&dev, &incomplete);
}

/* struct hal_ops is pointers only, so clearing one after the other clears each slot. */
Test(hal, no_slot_may_be_empty)
{
    for (size_t at = 0; at < sizeof incomplete; at += sizeof(void *)) {
        incomplete = fake_ops;
        memset((char *)&incomplete + at, 0, sizeof(void *));
        cr_assert(aborts(init_incomplete), "slot %zu may be empty", at / sizeof(void *));
    }
}

/* design 3: at most 25 operations. */
/* ---- the platform ---- */

static void platform_asks(enum hal_platform_event event)
{
    enum hal_platform_event got;

    platform_event = event;
    cr_assert_eq(hal_platform_wait(&fake.dev, 0, &got), 0);
    cr_assert_eq(got, event);
}

/* What each event may be answered with. */
static const bool allowed[][3] = {
    [HAL_PLATFORM_NONE] = {false, false, false},
    [HAL_PLATFORM_FROZEN] = {true, false, true},
    [HAL_PLATFORM_SLOT_RESET] = {false, true, true},
    [HAL_PLATFORM_RESUMED] = {false, false, false},
    [HAL_PLATFORM_PERMANENT_FAILURE] = {false, false, true},
    [HAL_PLATFORM_REMOVED] = {false, false, false},
    [HAL_PLATFORM_OTHER] = {true, false, true},
};

Test(hal, platform_answers)
{
    char text[16];

    for (unsigned e = 0; e < HAL_ARRAY_LENGTH(allowed); e++)
        for (unsigned a = 0; a < 3; a++) {
            if (!allowed[e][a])
                continue;
            platform_asks((enum hal_platform_event)e);
            hal_platform_answer(&fake.dev, (enum hal_platform_answer)a);
            snprintf(text, sizeof text, "answer %u", a);
            cr_assert_str_eq(fake.last, text);
        }
}

/* What wants no answer can be followed by the next event at once. */
Test(hal, platform_wants_no_answer)
{
    platform_asks(HAL_PLATFORM_NONE);
    platform_asks(HAL_PLATFORM_RESUMED);
    platform_asks(HAL_PLATFORM_REMOVED);
    platform_asks(HAL_PLATFORM_FROZEN);
}

Test(hal, platform_event_that_is_not_answered, .signal = SIGABRT)
{
    platform_asks(HAL_PLATFORM_FROZEN);
    platform_asks(HAL_PLATFORM_SLOT_RESET);
}

Test(hal, platform_answer_to_no_question, .signal = SIGABRT)
{
    hal_platform_answer(&fake.dev, HAL_PLATFORM_NEED_RESET);
}

Test(hal, platform_answer_twice, .signal = SIGABRT)
{
    platform_asks(HAL_PLATFORM_FROZEN);
    hal_platform_answer(&fake.dev, HAL_PLATFORM_NEED_RESET);
    hal_platform_answer(&fake.dev, HAL_PLATFORM_NEED_RESET);
}

Test(hal, platform_answer_that_does_not_fit, .signal = SIGABRT)
{
    platform_asks(HAL_PLATFORM_FROZEN);
    hal_platform_answer(&fake.dev, HAL_PLATFORM_RECOVERED);
}

Test(hal, platform_event_with_an_error, .signal = SIGABRT)
{
    enum hal_platform_event got;

    platform_event = HAL_PLATFORM_FROZEN;
    fake.rc = -EINTR;
    (void)!hal_platform_wait(&fake.dev, 0, &got);
}

Test(hal, contract_stays_small) { cr_assert_leq(sizeof(struct hal_ops) / sizeof(void *) - 1, 25); }
