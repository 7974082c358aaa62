#!/bin/bash
# test.sh [BAZEL OPTION...] [TARGET...]: installs what is missing, builds, runs the tests.
#
# Without a target all tests run that have something to find in a configuration: under
# ThreadSanitizer those with threads, on Power those that emulation can run. Without a --config too,
# the table of proved requirements comes before the closing line "N passed, N failed". Examples:
#   tools/test.sh --config=asan
#   tools/test.sh //tests/unit/hal:all
set -uo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options

full=true targets=false config=
for arg in "$@"; do
    case $arg in
    --config=*) full=false config=${arg#*=} ;;
    -*) ;;
    *) targets=true full=false ;;
    esac
done

# Whatever makes threads stands on one of these.
with_threads="rdeps(//tests/..., //backends/capi/... + //backends/posix/... + //sim/libcxl/...)"

chosen() { # the targets of a configuration
    case $config in
    tsan)
        "${bazel[@]}" query --noshow_progress \
            "kind('cc_test', $with_threads) except attr(tags, 'manual', //tests/...)" 2>/dev/null
        ;;
    ppc*) printf '//tests/%s/...\n' unit conformance fidelity scenario ;;
    *) echo //... ;;
    esac
}

tools/setup.sh build run </dev/null || { echo "0 passed, 1 failed"; exit 1; }
if ! $targets; then
    mapfile -t all < <(chosen)
    [ ${#all[@]} -gt 0 ] || { echo "0 passed, 1 failed"; exit 1; }
    set -- "$@" "${all[@]}"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${bazel[@]}" test --keep_going --build_event_json_file="$work/events" "$@" </dev/null
code=$?
summary=(--bazel-exit "$code")
if $full; then
    bin=$("${bazel[@]}" info bazel-bin 2>/dev/null </dev/null)
    summary+=(--requirements "$bin/docs/requirements")
fi
python3 tools/test_summary.py "${summary[@]}" "$work/events"
