#!/bin/sh
# bazel run //tests/scenario:transcripts -- --update
# Writes what comes of each step of the transcripts into their files; without the flag, compares.
set -eu
case "${1:-}" in
--update)
    SPIPE_UPDATE_TRANSCRIPTS="$BUILD_WORKSPACE_DIRECTORY/tests/scenario/transcript"
    export SPIPE_UPDATE_TRANSCRIPTS
    ;;
"") ;;
*)
    echo "usage: bazel run //tests/scenario:transcripts [-- --update]" >&2
    exit 2
    ;;
esac
exec tests/scenario/transcripts_test
