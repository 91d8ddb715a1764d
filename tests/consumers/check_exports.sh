#!/bin/sh
# check_exports.sh NM LIBRARY LIST: the library shows the symbols of the list, all of version HALFSTEP_1, and no other.
# A line that goes from the list breaks programs: that asks for another SOVERSION.
set -eu
nm=$1 library=$2 list=$3
found=$("$nm" -D --defined-only "$library" | awk '
  $(NF - 1) == "A" && $NF == "HALFSTEP_1" { next }  # the version itself
  { if (!sub(/@@HALFSTEP_1$/, "", $NF)) $NF = $NF " is not of HALFSTEP_1"; print $NF }' | LC_ALL=C sort)
[ "$found" = "$(cat "$list")" ] && exit 0
echo "$library does not show what $list says:"
echo "$found" | diff "$list" - || exit 1
