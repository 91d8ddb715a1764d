#!/usr/bin/env bash
# kernel_peers_test.sh PROGRAM: one tiny shape, and what is refused.
set -euo pipefail
program=$1
export OMP_NUM_THREADS=1
fail() { echo "FAILED: $*" >&2; exit 1; }

text=$("$program" --shapes 4x32 --kernels gelu,layer_norm --dtype fp32 --threads 1 --repetitions 1) || fail "4x32"
for row in "gelu +forward" "gelu +backward" "layer_norm +forward" "layer_norm +backward"; do
  grep -Eq "^$row +fp32 +4x32 +1 .*[0-9]\.[0-9]{3}$" <<<"$text" || fail "no row $row"$'\n'"$text"
done
code=0
"$program" --shapes 4x5 2>/dev/null >/dev/null || code=$?
[ "$code" = 2 ] || fail "4x5: exit code $code"
echo "ok"
