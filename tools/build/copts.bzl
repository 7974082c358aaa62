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
