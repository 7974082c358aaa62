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
]

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
