#!/bin/sh
# check_symbols.sh NM ISA OBJECT...: every symbol that an ISA's object offers to the linker must carry the ISA's own
# namespace in its name. Anything else, such as an inline function of the standard library, could become the copy that
# the whole program uses, and stop it on a CPU without those instructions.
set -eu
nm=$1 isa=$2
shift 2

for object in "$@"; do
  [ -s "$object" ] || { echo "no object $object"; exit 1; }
  "$nm" "$object" | awk -v isa="$isa" -v object="$object" '
    # Names in mangled form: length, then identifier.
    BEGIN { own = "isa_" isa; own = length(own) own; shim = "hs_xsimd_" isa; shim = length(shim) shim }
    { name = $NF; kind = $(NF - 1) }
    kind !~ /^[A-TV-Zu]$/ { next }  # local, or not defined here
    { seen++ }
    index(name, own) || index(name, shim) { next }
    { print object ": " kind " " name; bad++ }
    END {
      if (!seen) { print object ": offers no symbol at all"; exit 1 }
      exit bad > 0
    }'
done
