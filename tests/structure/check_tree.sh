#!/bin/sh
# check_tree.sh ROOT: which folder may include what, and how long a file may be. Prints every breach; fails on any.
set -eu
root=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$root"

files() {
  for folder in include src tests bench; do
    [ -d "$folder" ] && find "$folder" -type f \( -name '*.cpp' -o -name '*.hpp' -o -name '*.h' \)
  done | sort
}

list=$(files)
[ -n "$list" ] || { echo "no source files under $root"; exit 1; }
echo "$list" | tr '\n' '\0' | xargs -0 awk -f "$here/check_tree.awk"
echo "checked $(echo "$list" | wc -l) files"
