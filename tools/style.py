#!/usr/bin/env python3
"""Checks what no other tool checks; the rules stand in CONTRIBUTING.md.

  size       function <= 70 lines, file <= 800 lines; over all functions p95 <= 60, median <= 15
  marks      no unfinished-work marks
  sleep      no sleeping in tests
  blanks     no tabs (except where a format needs them), no trailing blanks, a newline at the end
  paths      no path of somebody's machine
  layers     includes follow the layers
  sources    every test package is listed in //tests:all_sources
"""
import os
import re
import subprocess
import sys

FUNCTION_MAX, FILE_MAX, P95_MAX, MEDIAN_MAX = 70, 800, 60, 15

# Written so that this file does not find itself.
MARKS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
SLEEP = re.compile(r"\b(?:sleep|usleep|nanosleep|clock_nanosleep)\s*\(")
PATHS = re.compile(r"(?<![A-Za-z0-9.$}])/(?:wor[k]|far[m]|share[d]|hom[e])/")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')

CODE = (".c", ".cc", ".h", ".S", ".def", ".inc", ".py", ".sh", ".bzl")
C_TEXT = (".c", ".cc", ".h", ".S", ".def", ".inc")
LONG_FILES_ALLOWED = ("LICENSE",)

# Stand-ins for headers that a distribution package installs include each other as those do.
STAND_INS = ("tools/build/criterion/mini/",)

# First matching folder of a file -> prefixes it may include. Tests may include everything.
CORE_PUBLIC = ("core/superpipe", "core/adapter/adapter_state.h", "core/cxlflash_ioctl.h",
               "core/adapter/picture.h", "core/cblk/")
LAYERS = (
    ("hal/", ("hal/",)),
    ("core/cblk/", ("core/cblk/", "core/superpipe", "core/cxlflash_ioctl.h", "hal/")),
    ("core/", ("core/", "hal/")),
    # Not sim_wait.h: the reference engine must not know how the event engine computes a time.
    ("sim/afu/sim_reference", ("sim/afu/sim_afu.h", "sim/afu/sim_psl_bus.h", "sim/afu/sim_reference",
                               "sim/sim_", "sim/world.h", "hal/")),
    ("sim/", ("sim/", "hal/")),
    ("backends/sim/", ("backends/", "sim/", "hal/")),
    ("backends/", ("backends/", "hal/")),
    ("tools/", ("tools/", "backends/", "sim/", "hal/") + CORE_PUBLIC),
    ("docs/examples/", ("docs/", "backends/", "hal/") + CORE_PUBLIC),
    ("docs/", ("docs/",)),
)


def all_files():
    """Every file that is tracked or will be; without git every file that is not hidden."""
    try:
        out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        names = out.stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(d, f)) for d, _, fs in os.walk(".") for f in fs
                 if "/." not in d and "bazel-" not in d]
    return sorted(n for n in names if n and os.path.isfile(n) and not os.path.islink(n))


def read_text(name):
    """The lines of a text file, None for a binary one."""
    with open(name, "rb") as f:
        raw = f.read()
    if b"\0" in raw:
        return None
    return raw.decode("utf-8", "replace").split("\n")


def functions(lines):
    """Yields (first line, length) of every function that begins and ends in the first column."""
    start = None
    for i, line in enumerate(lines):
        if line == "{" or re.match(r"^[A-Za-z_].*\)\s*\{$", line):
            start = i
        elif line == "}" and start is not None:
            yield start + 1, i - start
            start = None
        elif re.match(r"^[A-Za-z_].*\)\s*\{.*\}$", line):
            yield i + 1, 1


def check_sizes(name, lines, lengths):
    """Limits of one C file; adds its function lengths for the whole."""
    if name in LONG_FILES_ALLOWED or not name.endswith(C_TEXT):
        return
    if len(lines) - 1 > FILE_MAX:
        yield 1, "file has %d lines, the limit is %d" % (len(lines) - 1, FILE_MAX)
    for first, length in functions(lines):
        lengths.append(length)
        if length > FUNCTION_MAX:
            yield first, "function has %d lines, the limit is %d" % (length, FUNCTION_MAX)


def check_lines(name, lines):
    """What can be seen in one line."""
    code = name.endswith(CODE) or os.path.basename(name) == "BUILD"
    test = name.startswith("tests/")
    spec = name.startswith("docs/spec/")
    for n, line in enumerate(lines, 1):
        if code and MARKS.search(line):
            yield n, "unfinished-work mark"
        if test and code and SLEEP.search(line):
            yield n, "a test must not sleep"
        if PATHS.search(line):
            yield n, "path of a machine"
        if code and "\t" in line:
            yield n, "tab"
        if not spec and name != "LICENSE" and line != line.rstrip():
            yield n, "trailing blank"
    if lines and lines[-1] and name != "LICENSE":
        yield len(lines), "no newline at the end"


def check_layers(name, lines):
    """Includes against the layers."""
    allowed = next((a for folder, a in LAYERS if name.startswith(folder)), None)
    if allowed is None or not name.endswith(C_TEXT):
        return
    for n, line in enumerate(lines, 1):
        m = INCLUDE.match(line)
        if m and "/" in m.group(1) and not m.group(1).startswith(allowed):
            yield n, "%s must not include %s" % (name.rsplit("/", 1)[0], m.group(1))
        elif m and "/" not in m.group(1) and not name.startswith(STAND_INS):
            yield n, 'include "%s" by its path from the workspace root' % m.group(1)


def check_test_packages(files):
    """A package with PROVES() in it must be scanned by //docs:requirements."""
    if not os.path.exists("tests/BUILD"):
        return
    with open("tests/BUILD") as f:
        listed = f.read()
    for name in files:
        folder = os.path.dirname(name)
        if not name.startswith("tests/") or not name.endswith(".c") or folder == "tests/unit/harness":
            continue
        if '"//%s:sources"' % folder in listed or folder == "tests":
            continue
        with open(name) as f:
            if "PROVES(" in f.read():
                yield name, "its package is missing from //tests:all_sources"


def check_distribution(lengths):
    """Median and 95th percentile of all function lengths."""
    if not lengths:
        return
    lengths.sort()
    median, p95 = lengths[len(lengths) // 2], lengths[len(lengths) * 95 // 100]
    print("style: %d functions, median %d, p95 %d, longest %d lines"
          % (len(lengths), median, p95, lengths[-1]))
    if median > MEDIAN_MAX:
        yield "median function length is %d, the limit is %d" % (median, MEDIAN_MAX)
    if p95 > P95_MAX:
        yield "95th percentile of function lengths is %d, the limit is %d" % (p95, P95_MAX)


def main():
    """Entry point."""
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    problems, lengths, files = [], [], all_files()
    for name in files:
        lines = read_text(name)
        if lines is None:
            continue
        for check in (check_lines(name, lines), check_layers(name, lines),
                      check_sizes(name, lines, lengths)):
            problems += ["%s:%d: %s" % (name, n, text) for n, text in check]
    problems += ["%s: %s" % row for row in check_test_packages(files)]
    problems += list(check_distribution(lengths))
    for row in problems:
        print(row)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
