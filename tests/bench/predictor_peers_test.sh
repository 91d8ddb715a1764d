#!/usr/bin/env bash
# predictor_peers_test.sh PROGRAM: one tiny network without a peer, and what is refused.
set -euo pipefail
program=$1
fail() { echo "FAILED: $*" >&2; exit 1; }

text=$("$program" --networks 5-7-3 --rows 1,3 --repetitions 1) || fail "5-7-3"
grep -q "without ONNX Runtime" <<<"$text" || fail "it does not say that nobody is beside it"$'\n'"$text"
for rows in 1 3; do
  for precision in fp32 bf16 fp16; do
    grep -Eq "^5-7-3 +$rows +[0-9]+\.[0-9]{2} +[0-9]+\.[0-9]{2}  halfstep $precision$" <<<"$text" ||
      fail "no row of $precision with $rows rows"$'\n'"$text"
  done
done
line=$("$program" --networks 5-7-3 --rows 1 --repetitions 1 --precision fp32 --json 2>/dev/null) || fail "--json"
grep -Eq '^\{"bench":"predictor_peers","network":"5-7-3","rows":1,"contender":"halfstep fp32","median_us":' <<<"$line" ||
  fail "no JSON line"$'\n'"$line"

refused() {  # refused CODE PATTERN ARGUMENT...: one line on stderr
  local wanted=$1 pattern=$2 message code=0
  shift 2
  message=$("$program" "$@" 2>&1 >/dev/null) || code=$?
  [ "$code" = "$wanted" ] || fail "$*: exit code $code"
  grep -q -- "$pattern" <<<"$message" || fail "$*: $message"
}
refused 2 "two outputs" --networks 5-7-1
refused 2 "whole number" --rows 0
refused 1 "cannot be loaded" --onnxruntime /nonexistent/libonnxruntime.so
echo "ok"
