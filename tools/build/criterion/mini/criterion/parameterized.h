/* Parameterised tests of the stand-in: one process for each parameter, as Criterion does it. */
#ifndef MINI_PARAMETERIZED_H
#define MINI_PARAMETERIZED_H
#include "criterion.h"

#define cr_make_param_array(Type, Array, Len, ...)                                                 \
    ((struct criterion_test_params){sizeof(Type), (void *)(Array), (Len), NULL})

#define ParameterizedTestParameters(Suite, Name)                                                   \
    static struct criterion_test_params Suite##_##Name##_param(void)

#define MINI_PTEST_X_(Param, Suite, Name, ...)                                                     \
    static void Suite##_##Name##_impl(Param);                                                      \
    static void Suite##_##Name##_call(void *p) { Suite##_##Name##_impl(p); }                       \
    MINI_REGISTER_(Suite, Name, NULL, Suite##_##Name##_call, Suite##_##Name##_param, __VA_ARGS__)  \
    static void Suite##_##Name##_impl(Param)
#define ParameterizedTest(...) MINI_PTEST_X_(__VA_ARGS__, .sentinel_ = 0)
#endif
