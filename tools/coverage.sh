#!/bin/bash
# coverage.sh [--min PERCENT] OUTDIR [TARGET...]: line and branch coverage as HTML in OUTDIR/html,
# files that no test runs included. With --min it fails when fewer lines of hal, core and sim
# together are covered. Ends with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options
min=0
if [ "${1:-}" = --min ]; then
    min=$2
    shift 2
fi
[ $# -gt 0 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
out=$1
shift
[ $# -gt 0 ] || set -- //...

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

verdict "a test" "${bazel[@]}" coverage --keep_going "$@"
root=$("${bazel[@]}" info execution_root 2>/dev/null)
bin=$("${bazel[@]}" info --config=cov bazel-bin 2>/dev/null)
scripts=$PWD/tools/build/rules/remote_coverage_tools
mkdir -p "$out"
out=$(cd "$out" && pwd)
base=$(mktemp -d)
trap 'rm -rf "$base"' EXIT

find -L "$bin" -name '*.gcno' -path '*/_objs/*' | LC_ALL=C sort >"$base/list"
n=0
while read -r note; do # every object once, as if it had never run
    n=$((n + 1))
    (cd "$root" && gcov -i -b -t "$note" 2>/dev/null | gzip >"$base/$n.gcov.json.gz") || true
done <"$base/list"
"$scripts/lcov_merger.py" --coverage_dir="$base" --output_file="$base/base.dat" \
    --filter_sources='/.*|external/.*|tests/.*|tools/.*|docs/.*'
printf '%s\n' "$base/base.dat" "$root/bazel-out/_coverage/_coverage_report.dat" >"$base/reports"
"$scripts/coverage_report.py" --reports_file="$base/reports" --output_file="$out/coverage.info"
if command -v genhtml >/dev/null && [ -s "$out/coverage.info" ]; then
    verdict "genhtml" genhtml --quiet --branch-coverage --output-directory "$out/html" "$out/coverage.info"
    echo "coverage: report in $out/html/index.html"
fi
verdict "the limit of $min % of lines" tools/coverage_table.py --min "$min" "$out/coverage.info"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
