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

echo "outputs_test: all passed"
