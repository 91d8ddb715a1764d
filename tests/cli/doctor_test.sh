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

# Layers are stored in a wider type where that is what mends the step; the command that is named does the same.
awk 'BEGIN { print "a,b,c,y"; for (i = 0; i < 240; i++) { a = sin(i * 12.9898); b = cos(i * 4.1414); c = sin(i * 7.77)
  printf "%.4f,%.4f,%.4f,%s\n", 900 * a, 900 * b, 900 * c, (a + b * c > 0 ? "yes" : "no") } }' > large.csv
gated=(train large.csv --layer gated --hidden 16,16 --precision fp16 --standardize none --steps 40 --batch 32 --lr 0.001 --threads 1)
expect 0 "${gated[@]}" --on-nonfinite rollback --report l.html --metrics l.jsonl
in_err "raised the precision of layers, as --layer-precision 0=bf16"; in_out "recovery"
grep -q "fp16 but 0=bf16" l.html || fail "$last: the report does not name the layers"
grep -q '"event":"recovery"' l.jsonl || fail "$last: the metrics do not tell of it"
expect 0 inspect model.safetensors; in_out "0=bf16"
expect 0 "${gated[@]}" --on-nonfinite rollback --json; one_line; in_out '"layer_precision":"0=bf16'; in_out '"recoveries":["step 1: raised'
expect 0 doctor l.jsonl
expect 0 "${gated[@]}" --layer-precision 0=bf16,1=bf16,2=bf16 --on-nonfinite stop

# A rate that is too high: smaller ones and a clip are tried on the steps that led there.
expect 5 train prices.csv --precision fp32 --drop area --optimizer sgd --lr 100 --steps 40 --batch 16 --threads 1
in_err "tried "; in_err "made again: --lr "; in_err "--clip-norm "
expect 0 doctor model.capsule.safetensors --threads 1; in_out "made again: --lr "
expect 0 doctor model.capsule.safetensors --threads 1 --json; in_out '"tried":"the '

echo "doctor_test: all passed"
