#!/usr/bin/env bash
# A run that goes non-finite, what it says, and what the doctor makes of what it leaves: doctor_test.sh PROGRAM.
. "$(dirname "$0")/support.sh"

awk 'BEGIN { print "area,rooms,price"; for (i = 1; i <= 400; i++) printf "%s,%d,%d\n", 40.5 + i % 97, 1 + i % 5, 80 + 2 * (i % 97) + 9 * (i % 5) }' \
  | sed '50s/^[^,]*/7e30/' > prices.csv
raw=(train prices.csv --precision fp16 --standardize none --epochs 2 --batch 16 --threads 1)

# What is to blame is named as it happens, at the end, in JSON and in the report.
expect 8 "${raw[@]}" --report r.html
in_err "input is not finite"; in_err "line 50"; in_err "column 'area', is 7e+30"; in_err "doctor replay model.capsule.safetensors"
in_out "because"; in_out "line 50"
grep -q "line 50" r.html || fail "$last: the report does not name the line"
[ "$(grep -c "input is not finite" err)" -eq 1 ] || fail "$last: the same row is told once"
expect 8 "${raw[@]}" --json; one_line
in_out '"reason":"bad_input"'; in_out '"place":"line 50"'; in_out '"name":"area"'; in_out '"capsule":"model.capsule.safetensors"'

# The capsule is looked at on any ISA.
expect 0 doctor model.capsule.safetensors --threads 1; empty err
in_out "the bits of the run"; in_out "bisect"; in_out "gradient of single rows"; in_out "line 50"; in_out "exponents"
expect 0 doctor model.capsule.safetensors --threads 2 --isa scalar --json; one_line
in_out '"kind":"capsule"'; in_out '"same_bits":true'; in_out '"healthy":false'
for name in incident replay bisection rows meters findings; do field "$name"; done
expect 0 doctor replay model.capsule.safetensors --isa scalar; in_out "on scalar"; in_out "the bits of the run"
expect 0 doctor replay model.capsule.safetensors --json; one_line; in_out '"examination":"replay"'; field first_different
expect 3 doctor replay prices.csv; empty out
expect 3 doctor prices.csv; empty out
expect 2 doctor replay; in_err "an argument is missing"

# Advice that was given works.
expect 8 "${raw[@]}" --on-nonfinite rollback; in_err "left out line 50"; in_out "recovery"
in_out "1 step skipped"
sed 50d prices.csv > mended.csv
expect 0 train mended.csv --precision fp16 --epochs 4 --capsule none --metrics m.jsonl --meter-every 10
expect 0 doctor m.jsonl; in_out "finding"
expect 0 doctor model.safetensors; in_out "nothing is wrong"
expect 5 "${raw[@]}" --on-nonfinite stop; in_err "line 50"
rm -f model.capsule.safetensors
expect 8 "${raw[@]}" --capsule none
[ ! -e model.capsule.safetensors ] || fail "$last: a capsule was written"
expect 2 "${raw[@]}" --capsule prices.csv

echo "doctor_test: all passed"
