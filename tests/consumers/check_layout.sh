#!/bin/sh
# check_layout.sh CC HEADER LIST [renew]: functions, structs and enumerators of halfstep.h are for programs what LIST says
# that they were; `renew` writes LIST. Compares what abidw reads of the header: the library itself has no types in it, its
# sources are held to the header by the compiler, and check_exports.sh sees that it shows these functions.
set -eu
cc=$1 header=$2 list=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)

# A library that is nothing but the header: each function has a body, each enumeration a variable of its kind.
awk '
  /^HS_API/ { declares = 1 }
  /^enum \{/ { enumerates = 1; name = "" }
  enumerates && name == "" && match($0, /HS_[A-Z0-9_]+/) { name = substr($0, RSTART, RLENGTH) }
  declares && sub(/\);.*/, ") { __builtin_trap(); }") { declares = 0 }
  enumerates && sub(/};/, "} hs_enum_" name ";") { enumerates = 0 }
  { print }' "$header" >"$work/halfstep.c"
(cd "$work" && "$cc" -w -g -O0 -fPIC -shared halfstep.c -o halfstep.so)

if [ "${4:-}" = renew ]; then
  abidw --no-show-locs --no-comp-dir-path --no-corpus-path --no-elf-needed "$work/halfstep.so" >"$list"
  exit 0
fi
abidiff --no-show-locs "$list" "$work/halfstep.so" >"$work/report" && exit 0
cat "$work/report"
how="sh $here/check_layout.sh $cc $header $list renew"
if abidiff --no-added-syms "$list" "$work/halfstep.so" >"$work/report"; then
  echo "Functions were added, which breaks no program. Take them into the list: $how"
else
  echo "What changed breaks programs, unless it is a field at the end of a struct that has struct_size, or an enumerator"
  echo "with a number of its own. Then: $how"
fi
exit 1
