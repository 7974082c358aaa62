#!/bin/bash
# fuzz.sh TARGET|all SECONDS [WORKDIR]: builds //tests/fuzz:TARGET with clang and fuzzes it, starting
# from the seeds in tests/fuzz/corpus/TARGET. New inputs and crashes go to WORKDIR/TARGET. With `all`
# every target has its turn of SECONDS, as many at a time as there are processors, and the last line
# is "N passed, N failed" (targets).
set -uo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
target=$1 seconds=$2 work=${3:-$(mktemp -d)}
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

targets=("$target")
[ "$target" != all ] || mapfile -t targets < <(cd tests/fuzz/corpus && ls)

fuzz() { # BIN TARGET
    mkdir -p "$work/$2/corpus"
    "$1/tests/fuzz/$2" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$work/$2/" "$work/$2/corpus" "tests/fuzz/corpus/$2"
}

fuzz_quietly() { # BIN TARGET; its output only if it fails
    mkdir -p "$work/$2"
    if fuzz "$1" "$2" >"$work/$2/log" 2>&1; then
        echo "fuzz: $2 ok, $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$2/log") runs"
    else
        tail -n 60 "$work/$2/log"
        echo "fuzz: $2 FAILED"
    fi
}

tools/setup.sh build lint || exit 1
"${bazel[@]}" build --config=fuzz "${targets[@]/#///tests/fuzz:}" || { echo "0 passed, ${#targets[@]} failed"; exit 1; }
bin=$("${bazel[@]}" info --config=fuzz bazel-bin 2>/dev/null)
if [ "$target" != all ]; then
    fuzz "$bin" "$target"
    exit
fi
export -f fuzz fuzz_quietly
export work seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_quietly "$0" "$1"' "$bin" {} |
    tee "$work/summary"
passed=$(grep -c '^fuzz: .* ok,' "$work/summary")
echo "$passed passed, $((${#targets[@]} - passed)) failed"
[ "$passed" = "${#targets[@]}" ]
