#!/bin/bash
# lint.sh: every static check in one command. Ends with "N passed, N failed" (checks).
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh build lint </dev/null || { echo "0 passed, 1 failed"; exit 1; }

passed=0 failed=0
step() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "lint: $name ok, $((SECONDS - start)) s"
    else
        failed=$((failed + 1))
        echo "lint: $name FAILED, $((SECONDS - start)) s"
    fi
}

tidy() { printf '%s\0' "${sources[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p . 2>/dev/null; }

# git names what is tracked and what will be; a source archive has no git.
mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.cc' 2>/dev/null |
    while read -r f; do [ -e "$f" ] && echo "$f"; done)
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(find hal core backends sim tests tools docs -name '*.[ch]' -o -name '*.cc')
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.c$')

step style tools/style.py
step clang-format clang-format --dry-run --Werror "${files[@]}"
step compile_commands tools/compile_commands.sh
step clang-tidy tidy
step cppcheck cppcheck --quiet -j "$(nproc)" --project=compile_commands.json \
    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress='unknownMacro:tests/*' --suppress='syntaxError:tests/*'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
