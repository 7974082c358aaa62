#!/bin/bash
# fuzz.sh TARGET SECONDS [WORKDIR]: builds //tests/fuzz:TARGET with clang and fuzzes it, starting
# from the seeds in tests/fuzz/corpus/TARGET. New inputs and crashes go to WORKDIR.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options
[ $# -ge 2 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
target=$1 seconds=$2 work=${3:-$(mktemp -d)}
tools/setup.sh build lint
"${bazel[@]}" build --config=fuzz "//tests/fuzz:$target"
mkdir -p "$work/corpus"
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
exec "$("${bazel[@]}" info --config=fuzz bazel-bin 2>/dev/null)/tests/fuzz/$target" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$work/" "$work/corpus" "tests/fuzz/corpus/$target"
