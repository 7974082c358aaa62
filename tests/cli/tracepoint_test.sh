#!/bin/bash
# The program has the USDT probe superpipe:event. It is built without where there is no sys/sdt.h;
# tools/setup.sh installs it, so here that is a failure.
#
#   tracepoint_test.sh PROGRAM
set -uo pipefail

if ! echo '#include <sys/sdt.h>' | gcc -E - >/dev/null 2>&1; then
    echo "there is no sys/sdt.h here: install systemtap-sdt-dev (tools/setup.sh build)"
    exit 1
fi
readelf --notes --wide "$1" | grep -A3 'Provider: superpipe' | tee /dev/stderr | grep -q 'Name: event'
