#!/bin/bash
# Runs every test of the table that finds a mutant, without mutants, where it must pass, and with the
# mutant, where it must fail: a failed or crashed test, or no end. Prints a table of what happened.
#
#   mutants_test.sh TABLE MUTANTS_DEF
#
# Programs are found below tests/ of the current directory, as NAME_mutants.
set -uo pipefail

table=$1 definitions=$2
patience=20 # seconds that a program may take
at_once=2
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/mutants.XXXXXX")
trap 'rm -rf "$work"' EXIT
# The programs are not Bazel's tests here, and prove nothing.
unset XML_OUTPUT_FILE TESTBRIDGE_TEST_ONLY TEST_TOTAL_SHARDS TEST_SHARD_INDEX TEST_SHARD_STATUS_FILE
export SPIPE_PROVES_FILE=/dev/null

declare -a ids programs filters words errors=()
declare -A row_of wanted

read_table() {
    local id program filter text
    while read -r id program filter text; do
        [[ -n $id && $id != \#* ]] || continue
        [ -z "${row_of[$id]-}" ] || errors+=("$id: two rows")
        row_of[$id]=1
        ids+=("$id") programs+=("$program") filters+=("$filter") words+=("$text")
        wanted[$program]+=${wanted[$program]+|}$filter
    done <"$table"
}

# An unknown name makes a program stop, which would look like a mutant that is found.
compare_ids() {
    local id defined
    defined=$(sed -n 's/^MUTANT(\([A-Z0-9_]*\),.*/\1/p' "$definitions")
    [ -n "$defined" ] || errors+=("$definitions: no mutants")
    for id in $defined; do
        [ -n "${row_of[$id]-}" ] || errors+=("$id: no row in $table")
    done
    for id in "${ids[@]}"; do
        grep -qx "$id" <<<"$defined" || errors+=("$id: not in $definitions")
    done
}

run() { # LOG MUTANT PROGRAM FILTER; leaves the exit code in LOG.rc
    local mutant=()
    [ -z "$2" ] || mutant=("SPIPE_MUTANT=$2")
    env -u SPIPE_MUTANT "${mutant[@]}" \
        timeout "$patience" "tests/$3_mutants" --filter "$4" >"$1" 2>&1
    echo $? >"$1.rc"
}

start() {
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
        wait -n
    done
    run "$@" &
}

run_all() {
    local i program
    for program in "${!wanted[@]}"; do # all tests of a program at once
        start "$work/${program//\//.}" "" "$program" "@(${wanted[$program]})"
    done
    for i in "${!ids[@]}"; do
        start "$work/${ids[$i]}" "${ids[$i]}" "${programs[$i]}" "${filters[$i]}"
    done
    wait
}

passed_without() { # PROGRAM FILTER
    local log=$work/${1//\//.}
    [ "$(<"$log.rc")" = 0 ] && grep -q "\[PASS\] ${2/\//::}: " "$log"
}

outcome() { # LOG
    local rc
    rc=$(<"$1.rc")
    if [ "$rc" = 124 ]; then
        echo "no end"
    elif [ "$rc" = 0 ]; then
        echo "SURVIVED"
    elif grep -q 'Tested: 1 .*Crashing: 1' "$1"; then
        echo "stopped"
    elif grep -q 'Tested: 1 .*Failing: 1' "$1"; then
        echo "failed"
    else
        echo "NOT RUN"
    fi
}

judge() {
    local i what log killed=0
    for i in "${!ids[@]}"; do
        log=$work/${ids[$i]} what=$(outcome "$work/${ids[$i]}")
        passed_without "${programs[$i]}" "${filters[$i]}" || what="FAILS WITHOUT"
        printf '%-7s %-13s %-48s %s\n' "${ids[$i]}" "$what" "${filters[$i]}" "${words[$i]}"
        if [[ $what =~ ^[A-Z] ]]; then
            errors+=("${ids[$i]}: $what")
            tail -n 20 "$log"
        else
            killed=$((killed + 1))
        fi
    done
    printf '%s\n' ${errors[@]+"${errors[@]}"}
    echo "$killed of ${#ids[@]} mutants found, ${#errors[@]} errors"
}

read_table
compare_ids
run_all
judge
[ ${#errors[@]} = 0 ] && [ ${#ids[@]} -gt 0 ]
