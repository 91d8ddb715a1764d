#!/usr/bin/env bash
# The metrics that the program prints against those that awk makes of its predictions: values_test.sh PROGRAM. Stops at
# the first failure.
source "$(dirname "$0")/support.sh"

# metric NAME: a number of the JSON in `out`; where there are several sets, of the last.
metric() { sed -n "s/.*\"$1\":\([-+0-9.e]*\).*/\1/p" out; }

# near NAME VALUE: the metric in `out` is VALUE, but for the last digits of fp32.
near() {
  local found
  found=$(metric "$1")
  awk -v a="$found" -v b="$2" \
    'BEGIN { d = a - b; m = b < 0 ? -b : b; exit !(a != "" && (d < 0 ? -d : d) <= 2e-6 * (m + 0.01)) }' ||
    fail "$last: $1 is '$found', its predictions say $2"
}

# The truth is the third column; predictions stand beside it, from the fourth.
awk 'BEGIN { print "a,b,kind"; for (i = 0; i < 90; ++i) print i * 37 % 101 / 4 "," i * 53 % 89 "," (i * 37 % 101 + i * 53 % 89 > 95 ? (i % 11 ? "big" : "odd") : "small") }' >kinds.csv
expect 0 train kinds.csv --hidden 8 --steps 60 --lr 0.05 --test kinds.csv --json --out k.safetensors
cp out trained.json
expect 0 predict k.safetensors kinds.csv --out k.csv
[ "$(head -n 1 k.csv)" = row,class,p_big,p_odd,p_small ] || fail "$last: another header"
read -r accuracy loss < <(paste -d, kinds.csv k.csv | awk -F, 'NR > 1 {
  right += $3 == $5
  p = $3 == "big" ? $6 : $3 == "odd" ? $7 : $8
  loss -= log(p)
} END { printf "%.12g %.12g\n", right / (NR - 1), loss / (NR - 1) }')
expect 0 eval k.safetensors kinds.csv --json
near accuracy "$accuracy"; near loss "$loss"; in_out '"rows":90'
cp trained.json out; last="halfstep train kinds.csv"
near accuracy "$accuracy"; near loss "$loss"

awk 'BEGIN { print "a,b,y"; for (i = 0; i < 90; ++i) print i * 37 % 101 / 4 "," i * 53 % 89 "," 500 + i * 37 % 101 - i * 53 % 89 / 4 + i % 7 }' >sums.csv
expect 0 train sums.csv --task regress --hidden 8 --steps 60 --lr 0.05 --test sums.csv --json --out s.safetensors
cp out trained.json
expect 0 predict s.safetensors sums.csv --out s.csv
read -r rmse r2 loss < <(paste -d, sums.csv s.csv | awk -F, 'NR > 1 {
  n += 1; y[n] = $3; e = $5 - $3; squares += e * e; mean += $3
} END {
  mean /= n
  for (i = 1; i <= n; ++i) spread += (y[i] - mean) ^ 2
  printf "%.12g %.12g %.12g\n", sqrt(squares / n), 1 - squares / spread, squares / spread
}')
expect 0 eval s.safetensors sums.csv --json
near rmse "$rmse"; near r2 "$r2"; near loss "$loss"  # of values standardised by the same rows
cp trained.json out; last="halfstep train sums.csv"
near rmse "$rmse"; near r2 "$r2"; near loss "$loss"

echo "values_test: all passed"
