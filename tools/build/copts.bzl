"""Compiler flags of every target in the tree."""

SPIPE_COPTS = [
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wpointer-arith",
    "-Wwrite-strings",
    "-Wvla",
    "-Werror=implicit-function-declaration",
    "-Werror=incompatible-pointer-types",
    "-Werror=int-conversion",
]

# Optimisation across files, for programs: worth 10 % of the speed of the model (PB-3). Libraries hold
# both kinds of code (fat objects), so that tests, which link plainly, need not wait for it.
_ACROSS_FILES = "//tools/build:across_files"

SPIPE_FAST_COPTS = select({
    _ACROSS_FILES: [
        "-flto",
        "-ffat-lto-objects",
        "-fomit-frame-pointer",
    ],
    "//conditions:default": [],
})

SPIPE_PROGRAM_LINKOPTS = select({
    _ACROSS_FILES: [
        "-flto=2",
        "-O3",
    ],
    "//conditions:default": [],
})

SPIPE_TEST_LINKOPTS = select({
    _ACROSS_FILES: ["-fno-lto"],
    "//conditions:default": [],
})

# For tests that compile a public header as a C++ program would; the tree itself is C.
SPIPE_CXX_COPTS = [
    "-std=c++11",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wold-style-cast",
    "-pedantic",
    "-Werror",
]
