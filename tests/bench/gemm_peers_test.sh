#!/usr/bin/env bash
# gemm_peers_test.sh PROGRAM: one tiny shape in each layout and dtype, and what is refused.
set -euo pipefail
program=$1
export OMP_NUM_THREADS=1  # what a oneDNN needs whose threads the program cannot set
fail() { echo "FAILED: $*" >&2; exit 1; }

text=$("$program" --shapes 5x19x7 --dtype all --threads 1 --repetitions 1) || fail "a tiny shape"
for layout in forward dgrad wgrad; do
  for dtype in bf16 fp16 fp32; do
    grep -Eq "^$dtype +$layout +5x19x7 +1 .* [0-9]+\.[0-9]+ +[0-9]+\.[0-9]{3}( |$)" <<<"$text" ||
      fail "no row with a peer's speed and ratio for $dtype $layout"$'\n'"$text"
  done
done
grep -Eq '^fp32 +1 threads over .* [0-9]+\.[0-9]{3} at 5x19x7 (forward|dgrad|wgrad)$' <<<"$text" ||
  fail "no summary"$'\n'"$text"

lines=$("$program" --shapes=2x3x4 --layout wgrad --threads 1 --repetitions 1 --json 2>/dev/null) || fail "--json"
grep -q '^{"bench":"gemm_peers","dtype":"bf16","layout":"wgrad","batch":2,"in":3,"out":4,' <<<"$lines" ||
  fail "no JSON line of the shape"$'\n'"$lines"
grep -q '^{"bench":"gemm_peers_summary".*"worst_shape":"2x3x4 wgrad"}$' <<<"$lines" ||
  fail "no JSON line of the summary"$'\n'"$lines"

refused() {  # refused PATTERN ARGUMENT...: exit code 2 and one line on stderr
  local pattern=$1 message code=0
  shift
  message=$("$program" "$@" 2>&1 >/dev/null) || code=$?
  [ "$code" = 2 ] || fail "$*: exit code $code"
  grep -q -- "$pattern" <<<"$message" || fail "$*: $message"
  [ "$(wc -l <<<"$message")" = 1 ] || fail "$*: more than one line: $message"
}
refused "'5x4' is not BATCHxINxOUT" --shapes 5x4
refused "'0' is not a whole number" --shapes 0x4x4
refused "unknown name 'sideways'" --layout sideways
refused "'mkl' is unknown or was not found" --peers mkl
refused "a value is missing" --threads
refused "unknown argument (--shape)" --shape 2x2x2
echo "ok"
