#!/bin/bash
# demo.sh: builds superpipe and shows what it is for. A file system is stored in a named virtual LUN
# of a simulated CAPI Flash adapter, other clients load the same adapter, and another process reads
# the file system back. Everything is made in a temporary directory that is removed at the end.
set -Eeuo pipefail
trap 'echo "demo: the step above failed" >&2' ERR
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin
read -ra bazel <<<"${BAZEL:-bazel}" # BAZEL may hold start-up options

say() { printf '\n== %s\n' "$*"; }
run() {
    local shown=${*//$work\//}
    printf '   $ %s\n' "${shown//"$superpipe"/superpipe}"
    "$@" 2>&1 | sed "s#$work/##g; s/^/     /"
}

tools/setup.sh build run
say "Building superpipe"
"${bazel[@]}" build //tools:superpipe
superpipe=$("${bazel[@]}" info bazel-bin 2>/dev/null)/tools/superpipe

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
disk=$work/disk.spm image=$work/image.ext4 copy=$work/copy.ext4

say "A 64 MiB ext4 file system with some files of this repository"
mkdir "$work/files"
cp -r README.md LICENSE docs/spec "$work/files"
run mke2fs -q -t ext4 -b 4096 -d "$work/files" "$image" 64M

say "Storing it in a virtual LUN named \"backup\" (the adapter's flash lives in one file)"
run "$superpipe" put "$image" backup --media "$disk"

say "Other clients work on the same adapter for 0.2 s of device time"
run "$superpipe" run --media "$disk" --duration 0.2

say "Reading \"backup\" in a new process, after another bring-up of the adapter"
run "$superpipe" get backup "$copy" --media "$disk"

say "Is it the same, and is it a sound file system?"
run cmp "$image" "$copy"
run e2fsck -fn "$copy"
printf '\nDone: the file system came back byte for byte.\n'
