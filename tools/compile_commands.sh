#!/bin/bash
# compile_commands.sh [TARGET...]: writes compile_commands.json from Bazel's own command lines.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options
[ $# -gt 0 ] || set -- //...
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${bazel[@]}" aquery --output=jsonproto "mnemonic(\"CppCompile\", deps(set($*)))" \
    >"$work/actions" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
python3 -c '
import json, os, sys
GCC_ONLY = ("-fno-canonical-system-headers", "-Wno-free-nonheap-object",
            "-Wunused-but-set-parameter", "-flto", "-ffat-lto-objects")
seen = {}
for action in json.load(sys.stdin).get("actions", []):
    args = [x for x in action["arguments"] if x not in GCC_ONLY]
    if "-c" not in args:
        continue
    src = args[args.index("-c") + 1]
    if not src.startswith("external/") and src.endswith(".c"):
        seen.setdefault(src, {"directory": os.getcwd(), "file": src, "arguments": args})
with open("compile_commands.json", "w") as out:
    json.dump(sorted(seen.values(), key=lambda e: e["file"]), out, indent=1)
print(len(seen), "files")' <"$work/actions"
