#!/usr/bin/env bash
# What the program writes, where, and what it says when it cannot: outputs_test.sh PROGRAM.
. "$(dirname "$0")/support.sh"

table() { # table NAME: 60 rows of two numbers and a class
  echo "a,b,y" >"$1"
  for i in $(seq 1 60); do echo "$i,$((i * 7 % 11)),$((i % 2))"; done >>"$1"
}
short="--epochs 1 --hidden 4"

# no output over an input, whatever it is called
table d.csv; cp d.csv kept.csv
ln -s d.csv link.csv; ln d.csv hard.csv; mkdir sub
printf 'epochs = 1\n' >run.conf
untouched() { cmp -s d.csv kept.csv || fail "$last: the data changed"; }
for name in d.csv ./d.csv "$PWD/d.csv" sub/../d.csv link.csv hard.csv; do
  expect 2 train d.csv $short --out "$name"; in_err "--out $name"; in_err "the data, d.csv"; untouched
  expect 2 train d.csv $short --metrics "$name"; in_err "--metrics $name"; untouched
done
expect 2 train kept.csv --test d.csv $short --out link.csv; in_err "--test, d.csv"; untouched
expect 2 train d.csv --config run.conf --hidden 4 --out run.conf; in_err "--config, run.conf"
expect 2 train d.csv --config run.conf --hidden 4 --metrics ./run.conf; in_err "--config, run.conf"
grep -q '^epochs = 1$' run.conf || fail "the config file changed"
cp d.csv m.last-good.csv
expect 2 train m.last-good.csv $short --out m.csv; in_err "last good weights of --out m.last-good.csv"
expect 2 train d.csv $short --out new --metrics sub/../new; in_err "same file as --out"
"$program" train - $short --out d.csv <d.csv >out 2>err
[ $? -eq 2 ] || fail "train - with --out on standard input: expected exit code 2"
last="train -"; in_err "standard input"; untouched
absent model.safetensors; absent new; absent m.csv
[ -z "$(ls -A sub)" ] || fail "something was left in sub"

expect 0 train d.csv $short --out m
expect 0 train d.csv $short --out m # its own old model is no input
cp m kept
for name in m ./m d.csv link.csv; do
  expect 2 predict m d.csv --out "$name"; in_err "--out $name"; untouched
  cmp -s m kept || fail "$last: the model changed"
done


# a damaged model: no hint at a file that nobody wrote
cp m damaged; printf X | dd of=damaged bs=1 seek=$(($(wc -c <m) - 9)) conv=notrunc 2>/dev/null
expect 3 eval damaged d.csv; in_err "digest"; in_err "train again"
grep -qF .prev err && fail "$last: a hint at a .prev file"

# a metrics file that is lost does not cost the model
if [ -w /dev/full ]; then
  expect 8 train d.csv --epochs 3 --hidden 4 --quiet --metrics /dev/full --out lost
  in_err "warning: cannot write the metrics file (/dev/full): No space left on device; kept: "
  [ "$(wc -l <err)" -eq 1 ] || fail "$last: one warning, once"
  in_out "lost"; expect 0 inspect lost
  expect 8 train d.csv $short --metrics /dev/full --out lost --json; one_line
  in_out '"warnings":["cannot write the metrics file (/dev/full)'
fi
expect 4 train d.csv $short --metrics missing/l --out never; absent never
expect 0 train d.csv $short --json --out m; in_out '"warnings":[]'

# results that nobody can read: a full device is an error, a reader that is gone ends the program quietly, and of
# predictions it is said that some are lost
ends() { [ "$2" -eq "$3" ] || fail "$1: exit code $2, expected $3"; }
for command in "eval m d.csv" "predict m d.csv" "inspect m" params info help "train --help"; do
  partial=0; [ "${command%% *}" = predict ] && partial=8
  if [ -w /dev/full ]; then
    "$program" $command >/dev/full 2>err; ends "$command to a full device" $? 4
    last="$command to a full device"; in_err "(standard output): No space left on device"
  fi
  "$program" $command >&- 2>err; ends "$command without stdout" $? $partial
  last="$command without stdout"; empty err
  { sleep 0.2; "$program" $command 2>err; echo $? >code; } | :
  ends "$command to a reader that is gone" "$(cat code)" $partial
done
"$program" train d.csv $short --quiet --out closed >&- 2>err; ends "train without stdout" $? 0
last="train without stdout"; empty err; expect 0 inspect closed
if [ -w /dev/full ]; then
  "$program" train d.csv $short --quiet --out full.model >/dev/full 2>err; ends "train to a full device" $? 4
  last="train to a full device"; in_err "kept: the trained model, in full.model"; expect 0 inspect full.model
  "$program" train d.csv $short --quiet --metrics /dev/full --out closed >&- 2>err
  ends "train without stdout and metrics" $? 8
fi

# names that hold commands for a terminal: shown as what they are, in JSON as \u, in CSV for a file as they are
escape=$'\x1b]0;owned\a' next=$'\xc2\x9b2J' raw=$'\xff'
name="x$escape$next"
echo "a,b,y" >"$name.csv"
for i in $(seq 1 60); do echo "$i,$((i * 7 % 11)),k$((i % 2))$escape$next"; done >>"$name.csv"
tame() {
  LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' "$1" && fail "$last: a control character in $1"
  LC_ALL=C grep -q $'\xc2[\x80-\x9f]' "$1" && fail "$last: a C1 control character in $1"
  LC_ALL=C grep -q $'\xff' "$1" && fail "$last: a byte that is no UTF-8 in $1"
  true
}
expect 0 train "$name.csv" $short --out "$name.model"; tame out; tame err
in_err 'x\x1b]0;owned\x07\u009b2J.csv'; in_out 'x\x1b]0;owned\x07\u009b2J.model'
repeat=$(sed -n 's/^repeat *halfstep //p' out)
rm "$name.model"; eval "'$program' $repeat" >out 2>err; last="halfstep $repeat"
[ -f "$name.model" ] || fail "$last: the command that repeats the run does not"
expect 0 train "$name.csv" $short --out "$name.model" --json; one_line; tame out; in_out '\u001b]0;owned\u0007\u009b2J'
expect 0 inspect "$name.model"; tame out; in_out 'classes         k0\x1b]0;owned\x07\u009b2J, k1'
expect 0 inspect "$name.model" --json; tame out
expect 0 eval "$name.model" "$name.csv" --json; tame out
expect 0 predict "$name.model" "$name.csv" --json; tame out
expect 0 predict "$name.model" "$name.csv"; in_out "k1$escape$next"
expect 0 predict "$name.model" "$name.csv" --out "p$raw.csv"; tame err; in_err 'p\xff.csv'
expect 4 train "missing$name$raw.csv"; tame err
expect 4 train "missing$name$raw.csv" --json; tame out; tame err
expect 2 train "--$name$raw"; tame err
expect 2 train "$name.csv" $short --target "$escape"; tame err
printf 'epochs = 1\n%s = 2\n' "$name$raw" >"bad$name.conf"
expect 2 train --config "bad$name.conf"; tame err

# a row without a finite output has no class, no predicted value, and is not right
expect 0 train d.csv $short --precision fp16 --standardize none --out half
printf 'a,b,y\n1,2,0\n1e6,1,1\n1e6,1,0\n' >far.csv
expect 8 predict half far.csv; in_out "2,,nan,nan"; in_out "3,,nan,nan"
in_err "warning: 2 of 3 rows have no finite output (rows 2, 3): fp16 holds up to 65504"; in_err "--standardize auto"
grep -q -e -nan out && fail "$last: NaN has no sign"
expect 8 predict half far.csv --quiet --json; in_out '{"row":2,"class":null,"probabilities":{"0":"nan","1":"nan"}}'
[ "$(wc -l <err)" -eq 1 ] || fail "$last: a warning and nothing else"
expect 8 predict half far.csv --out far.out; [ "$(wc -l <far.out)" -eq 4 ] || fail "$last: a line for each row"
expect 8 eval half far.csv; in_out "3 rows  loss nan  accuracy "; in_out "without a finite output 2"; in_err "2 of 3 rows"
expect 8 eval half far.csv --json; one_line; in_out '"loss":"nan"'; in_out '"non_finite":2'; in_out '"warnings":["2 of 3 rows'
expect 0 eval m d.csv --json; in_out '"non_finite":0'; in_out '"warnings":[]'

# numbers beyond what fp32 holds or tells apart
for unit in 1 1700000000 1e300; do
  awk -v unit=$unit 'BEGIN { print "a,y"; for (i = 0; i < 60; ++i)
    printf unit == "1e300" ? "%d,%d.5e300\n" : "%d,%.1f\n", i % 20, unit == "1e300" ? i % 20 + 1 : unit + i % 20 + 0.5 }' >big.csv
  expect 0 train big.csv --task regress --epochs 200 --hidden 8 --precision fp32 --quiet --out big
  expect 0 predict big big.csv; cp out big.out
  grep -q -e inf -e nan big.out && fail "$last: a value is not finite"
  [ "$(cut -d, -f2 big.out | sort -u | wc -l)" -gt 15 ] || fail "$last: values are rounded to one another"
  awk -F, 'NR > 1 { print $2 }' big.out >text; expect 0 predict big big.csv --json
  sed 's/.*"value":\([^}]*\)}/\1/' out | cmp -s - text || fail "$last: JSON and CSV differ"
done
printf 'a,y\n1,5e300\n2,5e300\n' >same.csv
expect 0 eval big same.csv; in_out "r2 nan"
expect 0 eval big same.csv --json; in_out '"r2":"nan"'

echo "outputs_test: all passed"
