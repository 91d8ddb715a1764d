#!/bin/sh
# check_size.sh STRIP LIBRARY LIMIT: without symbols, as packages have it, the library is smaller than LIMIT bytes.
# What takes them: nm --print-size --size-sort --demangle LIBRARY
set -eu
strip=$1 library=$2 limit=$3
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
"$strip" -o "$copy" "$library"
size=$(wc -c <"$copy")
echo "$library: $size bytes without symbols"
[ "$size" -lt "$limit" ] || { echo "that is not below $limit"; exit 1; }
