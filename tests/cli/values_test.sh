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

# Two targets: each has its metrics in its units, and all have the mean over them.
awk 'BEGIN { print "a,b,u,v"; for (i = 0; i < 90; ++i) print i * 37 % 101 / 4 "," i * 53 % 89 "," 500 + i * 37 % 101 - i * 53 % 89 / 4 + i % 7 "," i * 53 % 89 / 1000 + i % 5 / 100 }' >two.csv
expect 0 train two.csv --target u,v --hidden 8 --steps 60 --lr 0.05 --test two.csv --json --out t.safetensors
cp out trained.json
in_err "target     'u' (column 2), 'v' (column 3): regression, 2 targets"
expect 0 predict t.safetensors two.csv --out t.csv
[ "$(head -n 1 t.csv)" = row,value_u,value_v ] || fail "$last: another header"
[ "$(wc -l <t.csv)" -eq 91 ] || fail "$last: a row for each row"
read -r rmse_u rmse_v r2_u r2_v loss < <(paste -d, two.csv t.csv | awk -F, 'NR > 1 {
  n += 1
  for (t = 0; t < 2; ++t) { y[t, n] = $(3 + t); e = $(6 + t) - $(3 + t); squares[t] += e * e; mean[t] += $(3 + t) }
} END {
  for (t = 0; t < 2; ++t) for (i = 1; i <= n; ++i) spread[t] += (y[t, i] - mean[t] / n) ^ 2
  for (t = 0; t < 2; ++t) printf "%.12g ", sqrt(squares[t] / n)
  for (t = 0; t < 2; ++t) printf "%.12g ", 1 - squares[t] / spread[t]
  printf "%.12g\n", (squares[0] / spread[0] + squares[1] / spread[1]) / 2
}')
half() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.12g", (a + b) / 2 }'; }
check_two() {
  cp out whole
  sed 's/"targets":.*//' whole >out; near rmse "$(half "$rmse_u" "$rmse_v")"; near r2 "$(half "$r2_u" "$r2_v")"; near loss "$loss"
  sed 's/.*"targets":\[{"name":"u",\([^}]*\)}.*/\1/' whole >out; near rmse "$rmse_u"; near r2 "$r2_u"
  sed 's/.*,{"name":"v",\([^}]*\)}\].*/\1/' whole >out; near rmse "$rmse_v"; near r2 "$r2_v"
  mv whole out
}
expect 0 eval t.safetensors two.csv --json; check_two
cp trained.json out; last="halfstep train two.csv"; check_two
expect 0 eval t.safetensors two.csv; in_out "median error"; grep -q '^u  ' out || fail "$last: no line for u"
expect 0 predict t.safetensors two.csv --json; grep -q '^{"row":90,"values":{"u":[0-9.]*,"v":[-0-9.e]*}}$' out || fail "$last: another line"
expect 0 inspect t.safetensors; in_out "targets         u, v"
expect 0 inspect t.safetensors --json; in_out '"targets":["u","v"]'
expect 0 cv two.csv --target u,v --folds 3 --steps 20 --hidden 4 --json; in_out '"targets":[{"name":"u","mean":{"rmse":'
expect 0 cv two.csv --target u,v --folds 3 --steps 20 --hidden 4; in_out "u                  rmse "
cut -d, -f2,4 two.csv | paste -d, - <(cut -d, -f1 two.csv) >inputs.csv  # b, v, a
expect 0 predict t.safetensors inputs.csv; cmp -s out t.csv || fail "$last: other values"
expect 2 train two.csv --target u,v --task classify; in_err "several targets are values, not classes"
expect 2 train two.csv --target u,v,u; in_err "named twice"
printf '1,2 1:1\n3,4 2:1\n' >many.svm; expect 7 train many.svm; in_err "several labels"

echo "values_test: all passed"
