"""Rules of this tree: C libraries, programs, tests and fuzz targets with the project's flags."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load(
    "//tools/build:copts.bzl",
    "SPIPE_COPTS",
    "SPIPE_FAST_COPTS",
    "SPIPE_PROGRAM_LINKOPTS",
    "SPIPE_TEST_LINKOPTS",
)

def spipe_library(name, srcs = [], hdrs = [], deps = [], visibility = None, copts = [], **kwargs):
    """A cc_library with the project's compiler flags.

    Args:
      name: of the target; one library per source file or small concept
      srcs: C sources and headers that only they include
      hdrs: headers that dependents include, by their path from the workspace root
      deps: libraries
      visibility: one of the lists of visibility.bzl; private when not given
      copts: flags beside the project's
      **kwargs: anything else that cc_library takes
    """
    cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = SPIPE_COPTS + SPIPE_FAST_COPTS + copts,
        linkstatic = True,  # nothing links shared ones: they would double the build
        visibility = visibility,
        deps = deps,
        **kwargs
    )

def spipe_binary(
        name,
        srcs = [],
        deps = [],
        visibility = None,
        copts = [],
        linkopts = [],
        **kwargs):
    """A cc_binary with the project's compiler flags, linked statically against the tree's libraries.

    Args:
      name: of the program
      srcs: C sources
      deps: libraries
      visibility: private when not given
      copts: flags beside the project's
      linkopts: likewise, of the linker
      **kwargs: anything else that cc_binary takes
    """
    cc_binary(
        name = name,
        srcs = srcs,
        copts = SPIPE_COPTS + SPIPE_FAST_COPTS + copts,
        linkopts = SPIPE_PROGRAM_LINKOPTS + linkopts,
        linkstatic = True,
        visibility = visibility,
        deps = deps,
        **kwargs
    )

def spipe_test(
        name,
        srcs,
        deps = [],
        size = "small",
        copts = [],
        linkopts = [],
        mutants = False,
        capi = False,
        tags = [],
        **kwargs):
    """A test program written with Criterion's classic macros.

    Linked with Criterion, or with the stand-in under --define=test_framework=mini. PROVES() of
    tests/testlib/proves.h is there without naming it. Tags: no-asan, no-tsan, no-ppc, no-cov leave
    the target out of that configuration; manual leaves it out of //....

    Args:
      name: <library>_test
      srcs: the tests; keep them here, not in a library, or the linker drops them
      deps: libraries under test and fixtures
      size: small (60 s), medium (300 s), large (900 s)
      copts: flags beside the project's
      linkopts: likewise, of the linker
      mutants: also make NAME_mutants, the same over a core with mutants, for //tests/mutants
      capi: also make NAME_capi, the same through backends/capi and the stand-in for libcxl: True, or
        a list of "suite/test" that are left out there, with the reason in a comment. In the plain
        configuration only: conformance and unit tests of capi run in all
      tags: as above
      **kwargs: anything else that cc_test takes, e.g. shard_count, data
    """
    variants = [(name, [], tags, [])]
    if mutants:  # their core goes first: instead of //core's
        variants.append((name + "_mutants", ["//core:superpipe_mutants"], tags + ["manual"], []))
    if capi:  # its device goes first, likewise
        plain_only = ["no-asan", "no-cov", "no-ppc", "no-tsan"]
        left_out = [] if capi == True else ["'--filter=!(%s)'" % "|".join(capi)]
        variants.append((name + "_capi", ["//tests/testlib:device_capi"], tags + plain_only, left_out))
    for variant, first, variant_tags, args in variants:
        cc_test(
            name = variant,
            size = size,
            srcs = srcs,
            args = args,
            copts = SPIPE_COPTS + copts,
            linkopts = SPIPE_TEST_LINKOPTS + linkopts,
            linkstatic = True,
            tags = variant_tags,
            visibility = ["//tests:__subpackages__"],
            deps = first + deps + [
                "//tests/testlib:proves",
                "//tools/build/criterion",
            ],
            **kwargs
        )

def spipe_fuzz(name, srcs, deps, corpus):
    """A libFuzzer program NAME (--config=fuzz, see tools/fuzz.sh) and the test NAME_replay.

    The test feeds every seed to the same function without libFuzzer, in every configuration.

    Args:
      name: of the libFuzzer program
      srcs: with LLVMFuzzerTestOneInput
      deps: libraries under test
      corpus: label of a filegroup of seed inputs
    """
    spipe_library(
        name = name + "_body",
        testonly = True,
        srcs = srcs,
        deps = deps,
        alwayslink = True,
    )
    spipe_binary(
        name = name,
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name + "_body"],
    )
    cc_test(
        name = name + "_replay",
        size = "small",
        srcs = ["//tools/build/fuzz:replay_main.c"],
        args = ["$(locations %s)" % corpus],
        copts = SPIPE_COPTS,
        data = [corpus],
        linkopts = SPIPE_TEST_LINKOPTS,
        linkstatic = True,
        deps = [":" + name + "_body"],
    )
