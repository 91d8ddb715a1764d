#!/usr/bin/env bash
# What a model says about itself: intervals, calibration, explain: explain_test.sh PROGRAM. Stops at the first failure.
source "$(dirname "$0")/support.sh"

# of KEY [PATTERN [N]]: what stands under a key of out; in the Nth place that matches.
of() { grep -o -e "${2:-.*}" out | sed -n "${3:-1}p" | grep -o "\"$1\":[^,}]*" | head -1 | cut -d: -f2- | tr -d '"[]'; }
column='{"name":[^}]*}' point='{"value":[^}]*}' test='"test":{[^}]*}'
holds() { awk "BEGIN { exit !($1) }" || fail "$last: not so: $1"; }

# y follows a, b is noise, and so is a part of y. Of the classes one in five is drawn.
rows() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed); print "a,b,kind,y,z,class"
    for (i = 0; i < n; ++i) {
      a = rand(); noise = rand() + rand() + rand() - 1.5; label = a > 0.5; if (rand() < 0.2) label = rand() < 0.5
      print a "," rand() "," (i % 3 ? "red" : "blue") "," 3 * a + noise "," a - noise / 2 + (i % 3 ? 5 : 0) "," (label ? "yes" : "no")
    }
  }'
}
rows 2000 1 >train.csv; rows 1000 2 >test.csv
value=(--drop class,z --target y); class=(--drop y,z --target class)
short=(--epochs 12 --threads 1 --out m.safetensors --lr 0.01)
model=(--quality good "${short[@]}")
plain=(--quality plain "${short[@]}")

# Intervals: each row has a value between two ends, which cover the rows of another file about as often as asked.
expect 0 train train.csv "${value[@]}" "${model[@]}"; grep -q "^intervals  *by 200 rows held out" out || fail "$last: no intervals"
cp m.safetensors y.safetensors
expect 0 inspect m.safetensors; in_out "by 200 rows held out"
for level in 0.5 0.9; do
  expect 0 predict m.safetensors test.csv --intervals $level --out p.csv
  head -1 p.csv | grep -qx "row,value,lower,upper" || fail "$last: header"
  paste -d, p.csv <(cut -d, -f4 test.csv) | awk -F, -v level=$level 'NR > 1 { if (!($3 < $2 && $2 < $4)) exit 1; in_it += $3 <= $5 && $5 <= $4 }
    END { share = in_it / (NR - 1); exit !(share > level - 0.1 && share < level + 0.1) }' || fail "$last: they do not cover $level"
done
expect 0 predict m.safetensors test.csv; head -1 out | grep -qx "row,value" || fail "$last: header"
expect 0 predict m.safetensors test.csv --intervals 0.9 --json
head -1 out | grep -Eqx '\{"row":1,"value":[-0-9.e]+,"lower":[-0-9.e]+,"upper":[-0-9.e]+\}' || fail "$last: no ends"
expect 0 train train.csv --drop class --target y,z "${model[@]}"
expect 0 predict m.safetensors test.csv --intervals 0.9
head -1 out | grep -qx "row,value_y,lower_y,upper_y,value_z,lower_z,upper_z" || fail "$last: header"
awk -F, 'NR > 1 && !($3 < $2 && $2 < $4 && $6 < $5 && $5 < $7) { exit 1 }' out || fail "$last: ends"
expect 0 predict m.safetensors test.csv --intervals 0.9 --json
head -1 out | grep -Eqx '\{"row":1,"values":\{"y":[^}]*,"z":[^}]*\},"lower":\{"y":[^}]*,"z":[^}]*\},"upper":\{"y":[^}]*\}\}' || fail "$last: no ends"
# What cannot be told is refused.
expect 7 predict m.safetensors test.csv --intervals 0.9999; in_err "200 rows held out"; in_err "--intervals 0.99 or less"
expect 2 predict m.safetensors test.csv --intervals 1; in_err "less than 1"
expect 2 predict m.safetensors test.csv --intervals much; in_err "--intervals"
expect 0 train train.csv --test test.csv "${value[@]}" "${plain[@]}"
expect 7 predict m.safetensors test.csv --intervals 0.9; in_err "no rows were held out"; in_err "--validation 0.1"; [ "$(wc -l <err)" -eq 1 ] || fail "$last: more than a line"

# Calibration: what is trained is what eval, predict and inspect say; classes stay, probabilities change.
expect 0 train train.csv --test test.csv "${class[@]}" "${model[@]}" --json
temperature=$(of temperature); trained=$(of log_loss "$test"); digest=$(of weights_digest); accuracy=$(of accuracy "$test")
holds "$temperature > 0.3 && $temperature < 3 && $temperature != 1"
in_out "logits divided by $temperature"
expect 0 eval m.safetensors test.csv --json
[ "$(of log_loss)" = "$trained" ] || fail "$last: loss $(of log_loss), train said $trained"
holds "$(of calibration_error) < 0.08"
expect 0 inspect m.safetensors --json; [ "$(of temperature)" = "$temperature" ] || fail "$last: another temperature"
expect 0 predict m.safetensors test.csv --out with.csv
expect 0 train train.csv --test test.csv "${class[@]}" "${model[@]}" --calibrate none --json
[ "$(of weights_digest)" = "$digest" ] || fail "$last: other weights"
[ "$(of temperature)" = 1.0 ] || fail "$last: a temperature"
[ "$(of accuracy "$test")" = "$accuracy" ] || fail "$last: another accuracy"
[ "$(of log_loss "$test")" != "$trained" ] || fail "$last: the same loss"
expect 0 predict m.safetensors test.csv --out without.csv
cmp -s with.csv without.csv && fail "$last: the same probabilities"
cmp <(cut -d, -f1,2 with.csv) <(cut -d, -f1,2 without.csv) || fail "$last: other classes"
# A probability of p becomes that of logit(p) / T.
paste -d, without.csv with.csv | awk -F, -v t="$temperature" 'function logit(p) { return log(p / (1 - p)) }
  NR > 1 { d = logit($4) / t - logit($8); if (d > 1e-3 || d < -1e-3) exit 1 }' || fail "probabilities are not those of logits / T"
expect 7 predict m.safetensors test.csv --intervals 0.9; in_err "it is a classifier"
# Left alone a plain run is not calibrated; asked for it is, where rows are held out.
expect 0 train train.csv "${class[@]}" "${plain[@]}" --json; [ "$(of temperature)" = 1.0 ] || fail "$last: a temperature"
expect 0 train train.csv "${class[@]}" "${plain[@]}" --calibrate temperature; grep -q ^calibrated out || fail "$last: not calibrated"
expect 2 train train.csv --test test.csv "${class[@]}" "${plain[@]}" --calibrate temperature; in_err "no rows are held out"
expect 2 train train.csv "${value[@]}" "${plain[@]}" --calibrate temperature; in_err "the targets are values"
expect 2 lr train.csv --calibrate none; in_err "--calibrate"
expect 2 cv train.csv "${class[@]}" --quality plain --folds 2 --calibrate temperature; in_err "--early-stop"

# Explain: a comes first, the noise moves nothing; y rises with a as fast as it was made to.
expect 0 explain y.safetensors test.csv --json; one_line
[ "$(of name "$column")" = a ] || fail "$last: a is not the first"
holds "$(of increase "$column") > 20 * $(of increase "$column" 2)"
holds "$(of deviation "$column") < $(of increase "$column") / 5"
[ "$(of rows_used)" = 1000 ] || fail "$last: not all rows"
slope="($(of means "$point" 10) - $(of means "$point" 3)) / ($(of value "$point" 10) - $(of value "$point" 3))"
holds "$slope > 2.6 && $slope < 3.4"
cp out before; expect 0 explain y.safetensors test.csv --json --threads 2; cmp before out || fail "$last: other numbers"
expect 0 explain y.safetensors test.csv --json --seed 5; cmp -s before out && fail "$last: a seed that does nothing"
expect 0 explain y.safetensors test.csv; in_out "loss rises by"; grep -Eq "^kind +y$" out || fail "$last: no categories"
grep -Eq "^blue " out && grep -Eq "^red " out || fail "$last: no categories"
in_err "1000, with a loss of"
expect 0 explain y.safetensors test.csv --columns 0; [ "$(wc -l <out)" -eq 4 ] || fail "$last: more than the columns"
expect 0 explain m.safetensors test.csv --columns 1
expect 0 train train.csv "${class[@]}" "${plain[@]}"
expect 0 explain m.safetensors test.csv --columns 1 --json; in_out '"outputs":["yes"]' || fail "$last: not the second class"
holds "$(of means "$point" 12) > 0.7 && $(of means "$point") < 0.3"
expect 2 explain y.safetensors test.csv --columns many; in_err "--columns"
expect 2 explain y.safetensors; in_err "usage: halfstep explain"
expect 2 explain y.safetensors test.csv --epochs 3; in_err "--epochs"
cut -d, -f1-3 test.csv >unlabelled.csv
expect 3 explain y.safetensors unlabelled.csv; in_err "'y'"
expect 0 train builtin:digits --epochs 1 --hidden 8 --out m.safetensors
expect 7 explain m.safetensors builtin:digits; in_err "no columns to explain"; in_err "train --report"
echo "explain: all good"
