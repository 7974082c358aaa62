/* A small stand-in for the part of Criterion's C interface that the tests use, for targets and
 * sanitizers where the library itself cannot run. Differences a test author meets: no theories,
 * none of the newer cr_assert(eq(int, a, b)) forms, no stdout/stderr redirection. */
#ifndef MINI_CRITERION_H
#define MINI_CRITERION_H
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct criterion_test {
    const char *name;
    const char *category; /* the suite */
};

struct criterion_test_params {
    size_t size;
    void *params;
    size_t length;
    void (*cleanup)(struct criterion_test_params *);
};

/* Field names are those that tests write in Test(suite, name, .timeout = 1). */
struct mini_opts {
    int sentinel_;
    void (*init)(void);
    void (*fini)(void);
    int signal, exit_code;
    bool disabled;
    const char *description;
    double timeout;
};

struct mini_test {
    struct criterion_test id;
    void (*fn)(void);
    void (*pfn)(void *);
    struct criterion_test_params (*params)(void);
    struct mini_opts opts;
    struct mini_test *next;
};

struct mini_suite {
    const char *name;
    struct mini_opts opts;
    struct mini_suite *next;
};

/* The test whose body runs now, NULL outside of one. */
extern const struct criterion_test *criterion_current_test;

void mini_add_test(struct mini_test *t);
void mini_add_suite(struct mini_suite *s);
void mini_fail(bool fatal, const char *file, int line, const char *expr, ...);
void mini_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void mini_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *cr_malloc(size_t n);
void *cr_calloc(size_t n, size_t m);
void cr_free(void *p);

#define TestSuite(Name, ...)                                                                       \
    static struct mini_suite mini_s_##Name = {#Name, {.sentinel_ = 0, __VA_ARGS__}, NULL};         \
    __attribute__((constructor)) static void mini_sr_##Name(void)                                  \
    {                                                                                              \
        mini_add_suite(&mini_s_##Name);                                                            \
    }                                                                                              \
    struct mini_suite

#define MINI_REGISTER_(Suite, Name, Fn, Pfn, Params, ...)                                          \
    static struct mini_test mini_t_##Suite##_##Name = {                                            \
        .id = {#Name, #Suite},                                                                     \
        .fn = (Fn),                                                                                \
        .pfn = (Pfn),                                                                              \
        .params = (Params),                                                                        \
        .opts = {__VA_ARGS__},                                                                     \
    };                                                                                             \
    __attribute__((constructor)) static void mini_r_##Suite##_##Name(void)                         \
    {                                                                                              \
        mini_add_test(&mini_t_##Suite##_##Name);                                                   \
    }

#define MINI_TEST_(Suite, Name, ...)                                                               \
    static void Suite##_##Name##_impl(void);                                                       \
    MINI_REGISTER_(Suite, Name, Suite##_##Name##_impl, NULL, NULL, __VA_ARGS__)                    \
    static void Suite##_##Name##_impl(void)
#define MINI_TEST_X_(Suite, Name, ...) MINI_TEST_(Suite, Name, __VA_ARGS__)
#define Test(...) MINI_TEST_X_(__VA_ARGS__, .sentinel_ = 0)

/* A message may follow every condition: cr_assert(ok, "at %d", i). */
#define MINI_CHECK_(Fatal, Cond, Expr, ...)                                                        \
    do {                                                                                           \
        if (!(Cond))                                                                               \
            mini_fail(Fatal, __FILE__, __LINE__, Expr, ##__VA_ARGS__, (char *)0);                  \
    } while (0)
#define MINI_OP_(F, A, Op, B, ...) MINI_CHECK_(F, (A)Op(B), #A " " #Op " " #B, ##__VA_ARGS__)
#define MINI_STR_(F, A, Op, B, ...)                                                                \
    MINI_CHECK_(F, strcmp((A), (B)) Op 0, "strings: " #A " " #Op " " #B, ##__VA_ARGS__)
#define MINI_ARR_(F, A, Op, B, N, ...)                                                             \
    MINI_CHECK_(F, memcmp((A), (B), (N)) Op 0, "bytes: " #A " " #Op " " #B, ##__VA_ARGS__)
#define MINI_NULL_(F, A, Op, ...)                                                                  \
    MINI_CHECK_(F, (const void *)(A)Op NULL, #A " " #Op " NULL", ##__VA_ARGS__)

#define cr_assert(C, ...) MINI_CHECK_(true, (C), #C, ##__VA_ARGS__)
#define cr_assert_not(C, ...) MINI_CHECK_(true, !(C), "!(" #C ")", ##__VA_ARGS__)
#define cr_assert_eq(A, B, ...) MINI_OP_(true, A, ==, B, ##__VA_ARGS__)
#define cr_assert_neq(A, B, ...) MINI_OP_(true, A, !=, B, ##__VA_ARGS__)
#define cr_assert_lt(A, B, ...) MINI_OP_(true, A, <, B, ##__VA_ARGS__)
#define cr_assert_leq(A, B, ...) MINI_OP_(true, A, <=, B, ##__VA_ARGS__)
#define cr_assert_gt(A, B, ...) MINI_OP_(true, A, >, B, ##__VA_ARGS__)
#define cr_assert_geq(A, B, ...) MINI_OP_(true, A, >=, B, ##__VA_ARGS__)
#define cr_assert_null(A, ...) MINI_NULL_(true, A, ==, ##__VA_ARGS__)
#define cr_assert_not_null(A, ...) MINI_NULL_(true, A, !=, ##__VA_ARGS__)
#define cr_assert_str_eq(A, B, ...) MINI_STR_(true, A, ==, B, ##__VA_ARGS__)
#define cr_assert_str_neq(A, B, ...) MINI_STR_(true, A, !=, B, ##__VA_ARGS__)
#define cr_assert_arr_eq(A, B, N, ...) MINI_ARR_(true, A, ==, B, N, ##__VA_ARGS__)
#define cr_assert_arr_neq(A, B, N, ...) MINI_ARR_(true, A, !=, B, N, ##__VA_ARGS__)
#define cr_assert_fail(...) MINI_CHECK_(true, false, "fail", ##__VA_ARGS__)

#define cr_expect(C, ...) MINI_CHECK_(false, (C), #C, ##__VA_ARGS__)
#define cr_expect_not(C, ...) MINI_CHECK_(false, !(C), "!(" #C ")", ##__VA_ARGS__)
#define cr_expect_eq(A, B, ...) MINI_OP_(false, A, ==, B, ##__VA_ARGS__)
#define cr_expect_neq(A, B, ...) MINI_OP_(false, A, !=, B, ##__VA_ARGS__)
#define cr_expect_lt(A, B, ...) MINI_OP_(false, A, <, B, ##__VA_ARGS__)
#define cr_expect_leq(A, B, ...) MINI_OP_(false, A, <=, B, ##__VA_ARGS__)
#define cr_expect_gt(A, B, ...) MINI_OP_(false, A, >, B, ##__VA_ARGS__)
#define cr_expect_geq(A, B, ...) MINI_OP_(false, A, >=, B, ##__VA_ARGS__)
#define cr_expect_null(A, ...) MINI_NULL_(false, A, ==, ##__VA_ARGS__)
#define cr_expect_not_null(A, ...) MINI_NULL_(false, A, !=, ##__VA_ARGS__)
#define cr_expect_str_eq(A, B, ...) MINI_STR_(false, A, ==, B, ##__VA_ARGS__)
#define cr_expect_str_neq(A, B, ...) MINI_STR_(false, A, !=, B, ##__VA_ARGS__)
#define cr_expect_arr_eq(A, B, N, ...) MINI_ARR_(false, A, ==, B, N, ##__VA_ARGS__)
#define cr_expect_arr_neq(A, B, N, ...) MINI_ARR_(false, A, !=, B, N, ##__VA_ARGS__)
#define cr_expect_fail(...) MINI_CHECK_(false, false, "fail", ##__VA_ARGS__)

#define cr_skip_test(...) mini_skip("" __VA_ARGS__)
#define cr_skip(...) mini_skip("" __VA_ARGS__)
#define cr_log_info(...) mini_log(__VA_ARGS__)
#define cr_log_warn(...) mini_log(__VA_ARGS__)
#define cr_log_error(...) mini_log(__VA_ARGS__)
#endif
