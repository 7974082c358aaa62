#!/bin/bash
# coverage.sh [--min PERCENT] [--layer NAME:LINES:BRANCHES]... OUTDIR [TARGET...]: line and branch
# coverage as HTML in OUTDIR/html, files that no test runs included. With --min it fails when fewer
# lines of hal, core and sim together are covered, with --layer when less of that layer is (per
# cent). Ends with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options
limits=()
while [ $# -gt 1 ] && [[ $1 == --min || $1 == --layer ]]; do
    limits+=("$1" "$2")
    shift 2
done
[[ $# -gt 0 && $1 != -* ]] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
out=$1
shift
# Not run: what tests code outside of the four instrumented folders, and what only repeats in more
# time what unit tests of those folders run (docs/testing.md).
[ $# -gt 0 ] || set -- //... -//docs/... -//tools/... -//tests/bench/... -//tests/cli/... \
    -//tests/fidelity/... -//tests/mutants/... -//tests/unit/docs/... -//tests/unit/harness/... -//tests/unit/tools/...

passed=0 failed=0
verdict() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "coverage: $name failed" >&2
    fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/counts"

# All programs add to the same counters, one file an object, which libgcov locks; gcov then runs
# once an object. What bazel does by itself, gcov for every object of every test, takes ten times
# as long as the tests. The new folder's name also keeps old test results from being taken.
verdict "a test" "${bazel[@]}" coverage --keep_going \
    --run_under="/usr/bin/env GCOV_PREFIX=$work/counts" -- "$@"
root=$("${bazel[@]}" info execution_root 2>/dev/null)
bin=$("${bazel[@]}" info --config=cov bazel-bin 2>/dev/null)
scripts=$PWD/tools/build/rules/remote_coverage_tools
mkdir -p "$out"
out=$(cd "$out" && pwd)

count() { # NOTES: those of one object, beside its counters if there are any
    local at=$work/counts/${1#"$root"/}
    mkdir -p "${at%/*}" "$at.json"
    cp "$1" "$at"
    (cd "$at.json" && gcov -i -b "$at" >/dev/null 2>&1) || true
}
export -f count
export work root
find -L "$bin" -name '*.gcno' -path '*/_objs/*' -print0 |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'count "$0"'
"$scripts/lcov_merger.py" --coverage_dir="$work/counts" --output_file="$out/coverage.info" \
    --filter_sources='/.*|external/.*|tests/.*|tools/.*|docs/.*'
if command -v genhtml >/dev/null && [ -s "$out/coverage.info" ]; then
    verdict "genhtml" genhtml --quiet --branch-coverage --output-directory "$out/html" "$out/coverage.info"
    echo "coverage: report in $out/html/index.html"
fi
verdict "a limit (${limits[*]})" tools/coverage_table.py "${limits[@]}" "$out/coverage.info"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
