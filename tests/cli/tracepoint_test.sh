#!/bin/bash
# The program has the USDT probe superpipe:event, if it could be built with it.
#
#   tracepoint_test.sh PROGRAM
set -uo pipefail

if ! echo '#include <sys/sdt.h>' | gcc -E - >/dev/null 2>&1; then
    echo "skipped: there is no sys/sdt.h here (package systemtap-sdt-dev)"
    exit 0
fi
readelf --notes --wide "$1" | grep -A3 'Provider: superpipe' | tee /dev/stderr | grep -q 'Name: event'
