#!/bin/bash
# test.sh [BAZEL OPTION...] [TARGET...]: installs what is missing, builds, runs the tests.
#
# Without a target all tests run; without a --config too, the table of proved requirements comes
# before the closing line "N passed, N failed". Examples:
#   tools/test.sh --config=asan
#   tools/test.sh //tests/unit/hal:all
set -uo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options

full=true targets=false
for arg in "$@"; do
    case $arg in
    --config=*) full=false ;;
    -*) ;;
    *) targets=true full=false ;;
    esac
done
$targets || set -- "$@" //...

tools/setup.sh build run </dev/null || { echo "0 passed, 1 failed"; exit 1; }
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
