#!/bin/bash
# setup.sh [PART...]: installs what is missing from the packages of Debian 12, Debian 13 or Ubuntu.
#
#   build     compile and test                  (default)
#   run       what the demonstration needs      (default)
#   lint      static checks, clang, libFuzzer
#   coverage  coverage reports
#   cross     64-bit Power compilers and emulator
#
# As root it installs; otherwise it names what is missing and the command to install it, and exits
# with 1. Quick and silent about the network when nothing is missing.
set -uo pipefail

# One word a package: alternative names after '|', and after '@' a command that does as well.
declare -A packages=(
    [build]="bazel-bootstrap@bazel gcc@gcc g++@g++ libc6-dev libcriterion-dev libcjson-dev python3@python3 git@git procps@ps zip@zip file@file systemtap-sdt-dev"
    [run]="e2fsprogs@mke2fs"
    [lint]="clang@clang libclang-rt-dev|libclang-rt-14-dev|libclang-common-14-dev clang-format@clang-format clang-tidy@clang-tidy cppcheck@cppcheck"
    [coverage]="lcov@lcov"
    [cross]="gcc-powerpc64le-linux-gnu gcc-powerpc64-linux-gnu libc6-dev-ppc64el-cross libc6-dev-ppc64-cross qemu-user-static|qemu-user"
)
export PATH=$PATH:/usr/sbin:/sbin DEBIAN_FRONTEND=noninteractive

usage() {
    echo "usage: tools/setup.sh [build] [run] [lint] [coverage] [cross]" >&2
    exit 2
}

installed() { # any of the alternative names in $1, or the command behind '@'
    local names=${1%@*} command=${1#*@} status
    if [ "$command" != "$1" ] && command -v "$command" >/dev/null; then
        return 0
    fi
    # shellcheck disable=SC2086,SC2016
    status=$(dpkg-query -W -f '${db:Status-Status}\n' ${names//|/ } 2>/dev/null)
    grep -qx installed <<<"$status"
}

name_to_install() { # the first alternative that the package lists know
    local name
    for name in ${1//|/ }; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "${1%%|*}"
}

[ $# -gt 0 ] || set -- build run
missing=()
for part in "$@"; do
    [ -n "${packages[$part]:-}" ] || usage
    for word in ${packages[$part]}; do
        installed "$word" || missing+=("${word%@*}")
    done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: this system has no apt-get; install the equivalent of: ${missing[*]}" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    names=$(for word in "${missing[@]}"; do name_to_install "$word"; done | tr '\n' ' ')
    echo "setup: missing packages: ${names% }" >&2
    echo "setup: install them with: sudo apt-get install -y --no-install-recommends ${names% }" >&2
    exit 1
fi

apt-get -qq update </dev/null || echo "setup: the package lists could not be refreshed" >&2
names=()
for word in "${missing[@]}"; do
    names+=("$(name_to_install "$word")")
done
echo "setup: installing ${names[*]}"
if ! apt-get -qq install -y --no-install-recommends "${names[@]}" </dev/null >/dev/null; then
    echo "setup: could not install: ${names[*]}" >&2
    exit 1
fi
