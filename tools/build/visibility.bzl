"""Who may depend on what: the fences between the layers (docs: CONTRIBUTING.md, "Layers").

A package is private unless its BUILD file opens it to one of these lists.
"""

_TESTS = ["//tests:__subpackages__"]

_TOOLS = ["//tools:__subpackages__"]

# hal: the contracts, layouts and leaf helpers.
VISIBLE_TO_ALL_LAYERS = [
    "//backends:__subpackages__",
    "//core:__subpackages__",
    "//docs/examples:__pkg__",
    "//hal:__subpackages__",
    "//sim:__subpackages__",
] + _TESTS + _TOOLS

# core: public headers and the library behind them.
VISIBLE_CORE_PUBLIC = [
    "//core:__subpackages__",
    "//docs:__subpackages__",
] + _TESTS + _TOOLS

# core: everything else.
VISIBLE_CORE_INTERNAL = ["//core:__subpackages__"] + _TESTS

# backends: the registry, which tools and tests open a backend by.
VISIBLE_BACKENDS_REGISTRY = [
    "//backends:__subpackages__",
    "//docs:__subpackages__",
] + _TESTS + _TOOLS

# backends: what the stand-in for libcxl makes a world of (docs/decisions/0014), beside those.
VISIBLE_BACKENDS_SIM = VISIBLE_BACKENDS_REGISTRY + ["//sim/libcxl:__pkg__"]

# backends: one backend.
VISIBLE_BACKENDS_INTERNAL = ["//backends:__subpackages__"] + _TESTS

# sim: the bus face (what a driver can see).
VISIBLE_SIM_BUS = [
    "//backends/sim:__subpackages__",
    "//sim:__subpackages__",
] + _TESTS

# sim: the control face (what a test or a tool may set and read).
VISIBLE_SIM_CONTROL = [
    "//backends/sim:__subpackages__",
    "//sim:__subpackages__",
] + _TESTS + _TOOLS

# sim: everything else.
VISIBLE_SIM_INTERNAL = ["//sim:__subpackages__"] + _TESTS

# sim: the stand-in for libcxl, and the C face of its control words.
VISIBLE_SIM_LIBCXL = _TESTS + _TOOLS

# Test fixtures and sources that only tests use.
VISIBLE_TO_TESTS = _TESTS

# `sources` filegroups of test packages, read by //docs:requirements.
VISIBLE_TEST_SOURCES = [
    "//docs:__pkg__",
    "//tests:__pkg__",
]
