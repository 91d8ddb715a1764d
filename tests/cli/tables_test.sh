#!/usr/bin/env bash
# Tables as they come, from train to predict: tables_test.sh PROGRAM. Stops at the first failure.
source "$(dirname "$0")/support.sh"

not_in_err() { ! grep -qF -e "$1" err || fail "$last: stderr has: $1"; }
rows_out() { [ "$(wc -l <out)" -eq $(($1 + 1)) ] || fail "$last: expected $1 rows"; }
short=(--epochs 2 --hidden 4 --out m.safetensors)

# table SEPARATOR HEADER CELL: 60 rows, a cell that awk makes of i, a number, a class.
table() { awk -v FS=, -v s="$1" -v h="$2" 'BEGIN { if (h != "") print h; for (i = 0; i < 60; ++i) print '"$3"' s i / 4 s i % 2 }'; }

# How it is read is said where it could be otherwise.
table , a,b,y 'i * 7 % 31 + 0.5' >plain.csv
expect 0 train plain.csv "${short[@]}"
in_err "plain.csv: 60 rows, 2 features"; in_err "the target is the last column, 'y'"
expect 0 train plain.csv --target y "${short[@]}"; not_in_err note
for separator in ';' '|' $'\t' ' '; do
  table "$separator" "a${separator}b${separator}y" 'i * 7 % 31 + 0.5' >other.data
  expect 0 train other.data "${short[@]}"; in_err "60 rows, 2 features"
done
table , a,b,y '"$" (i + 1) * 10 ".50"' >money.csv
expect 0 train money.csv "${short[@]}"; in_err "2 features"; in_err "'\$10.50' is read as 10.5"
table ';' 'a;b;y' '(i + 1) ",5"' >comma.csv
expect 0 train comma.csv "${short[@]}"; in_err "2 features"; in_err "'1,5' is read as 1.5"
expect 0 inspect m.safetensors; in_out "separator semicolon, decimal commas"
table , a,b,y '(i % 10 == 3 ? "not measured" : i * 7 % 31 + 0.5)' >words.csv
expect 0 train words.csv "${short[@]}"; in_err "'not measured' (6) taken as missing; --categorical a"
expect 0 train words.csv --categorical a "${short[@]}"; in_err "features"
table , 0,1,2 'i * 7 % 31 + 0.5' >numbered.csv
expect 0 train numbered.csv "${short[@]}"; in_err "60 rows"; in_err "--header no takes it as a row"
table , a,a,y 'i * 7 % 31 + 0.5' >twice.csv
expect 0 train twice.csv "${short[@]}"; in_err "is called 'a.1'"
expect 0 train plain.csv --missing -999 "${short[@]}"; in_err "the token '-999' of --missing does not occur"
expect 0 train plain.csv --target y --json "${short[@]}"; in_out '"notes":[]'
expect 2 train plain.csv --separator dots "${short[@]}"; in_err "tab, semicolon, pipe, comma, blanks"
expect 2 train plain.csv --numeric a --categorical a "${short[@]}"; in_err "both numeric and categorical"

# Times: a column of them, the same on the disk as in memory, known again by predict and explain; what is none is said.
times() { awk -v first="$1" -v rows="$2" 'BEGIN { print "when,x,y"; for (i = first; i < first + rows; ++i) { t = 1293840000 + i * 7013
  print strftime("%Y-%m-%d %H:%M:%S", t, 1) "," i % 5 "," (strftime("%H", t, 1) < 12 ? 3 : 8) + i % 5 / 10 } }'; }
times 0 400 >times.csv; times 400 50 >later.csv
expect 0 train times.csv --quality good --epochs 3 --ensemble 2 --out m.safetensors
in_err "'when' is read as times, and learned from by their year, month, day, weekday, hour; --categorical when takes"
in_err "if the model is for times to come, sort the file by when and --split ordered"; grep digest out >digest.memory
expect 0 train times.csv --quality good --epochs 3 --ensemble 2 --out m.safetensors --cache .; grep digest out | cmp - digest.memory
expect 0 train times.csv --quality good --epochs 3 --ensemble 2 --out m.safetensors --split ordered; not_in_err "to come"
expect 0 explain m.safetensors times.csv; in_out "when (hour)"; in_out "when (weekday)"
expect 0 predict m.safetensors later.csv; rows_out 50; in_err "'when (year)' 50 rows, up to 2011"
sed 's/^2011-0[1-9]-[0-9]* .*/soon,1,3/' later.csv >soon.csv
expect 0 predict m.safetensors soon.csv; in_err "no times as those of training, taken as missing: 'when'"; in_err "('soon')"
cat times.csv <(echo soon,1,3) >odd.csv
expect 0 train odd.csv --quality good --epochs 1 --ensemble 2 --out m.safetensors; in_err "'soon' is none"; in_err "--missing soon"
expect 0 train odd.csv --quality good --epochs 1 --ensemble 2 --out m.safetensors --missing soon; in_err "year, month"
for advice in --categorical=when --drop=when; do
  expect 0 train times.csv --quality good --epochs 1 --ensemble 2 --out m.safetensors "$advice"; not_in_err "read as times"
done

# A table that is worth several threads: the same on any number of them, and how fast it was is said.
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 250000; ++i) print i * 7 % 3100 / 8 "," i % 70 ".25," i % 2 }' >large.csv
for threads in 1 2 3; do
  expect 0 train large.csv --steps 20 --threads $threads -v "${short[@]:2}"
  grep -Eq "^read +large.csv: [0-9.]+ MB in [0-9.e-]+ s, [0-9.]+ MB/s, $threads thread" err || fail "$last: no speed"
  grep digest out >digest.$threads; cmp digest.1 digest.$threads || fail "$last: other weights"
done
expect 0 eval m.safetensors large.csv -v; in_err "MB/s, "
expect 0 predict m.safetensors large.csv -v --out predicted.csv; in_err "MB/s, "
expect 0 eval m.safetensors large.csv; not_in_err "MB/s"
echo 1,2 >>large.csv
expect 3 train large.csv --threads 2 "${short[@]}"; in_err "line 250002"; in_err "expected 3 fields as in the header, found 2"

# Errors whose advice works.
{ cat plain.csv; echo 1,2; } >short.csv
expect 3 train short.csv "${short[@]}"; in_err "line 62"; in_err "1 more of the separator (comma)"
sed -i '$s/$/,/' short.csv
expect 0 train short.csv "${short[@]}"; in_err "1 row without a target in 'y' (column 2) left out"
table , a,b,y 'i + 0.5' | cat - <(echo 1.2.3,2,1) >typo.csv
expect 3 train typo.csv "${short[@]}"; in_err "line 62, column 0 'a'"; in_err "--numeric a"
for advice in --missing=1.2.3 --numeric=a --categorical=a --drop=a; do expect 0 train typo.csv "$advice" "${short[@]}"; done
: >a.npz; expect 3 train a.npz "${short[@]}"; in_err "damaged ZIP archive"
: >a.npy; expect 3 train a.npy "${short[@]}"; in_err "damaged NPY file"
expect 0 help; in_out ".csv .tsv .txt"; in_out ".libsvm .svm"; in_out ".npy"; in_out ".npz"

# LIBSVM, by name, by content and as asked for; the model knows its features.
awk 'BEGIN { for (i = 0; i < 60; ++i) print (i % 2 ? "+1" : "-1"), i % 5 + 1 ":1", i % 2 + 20 ":0.5 # row" }' >x.svm
cp x.svm x.train
expect 0 train x.svm "${short[@]}"; in_err "60 rows, 21 features"; not_in_err "--format"
expect 0 train x.train "${short[@]}"; in_err "60 rows, 21 features"; in_err "read as LIBSVM"; in_err "--format"
expect 0 inspect m.safetensors; in_out "LIBSVM, features 1 to 21"
expect 0 train x.svm --report r.html "${short[@]}"; grep -q "feature 20" r.html || fail "$last: the report lacks feature 20"
printf '+1 3:1 30:2\n-1\n7:1\n' >new.dat
expect 0 predict m.safetensors new.dat; rows_out 3; in_err "features beyond 21, the last of training, left aside in 1 row: 30"
expect 0 eval m.safetensors x.svm --json; in_out '"rows":60'
expect 0 train x.train --format libsvm --test x.svm --task regress "${short[@]}"; in_err "60 to test from x.svm"; in_err regression
expect 2 train x.train --format csv "${short[@]}"; in_err "column 4"
printf '1,2 1:1\n3 2:1\n' >many.svm; expect 7 train many.svm "${short[@]}"; in_err "line 1"; in_err "several labels"
printf '1 1:1\n0 2:1 2:1\n' >twice.svm; expect 3 train twice.svm "${short[@]}"; in_err "line 2"; in_err "index 2 twice"
expect 2 train x.svm --target 3 "${short[@]}"; in_err "no columns to name"
printf '1 10:30 11:45\n2 10:15 12:00\n' >times.txt; expect 3 train times.txt "${short[@]}"; in_err "--format libsvm or --format csv"

# Standard input, packed or not, of several members; and UTF-16.
from_input() { "$program" train - "${short[@]}" "${@:2}" <"$1" >out 2>err || fail "train - <$1"; last="train - <$1"; }
from_input x.svm; in_err "60 rows, 21 features"; in_err "read as LIBSVM"
from_input x.svm --format libsvm; not_in_err "read as"
from_input plain.csv; in_err "60 rows, 2 features"
if command -v gzip >gzip.path; then
  { head -n 30 x.svm | gzip; tail -n 30 x.svm | gzip; head -c 100 /dev/zero; } >x.gz
  from_input x.gz; in_err "60 rows, 21 features"
  expect 0 train x.gz "${short[@]}"; in_err "60 rows, 21 features"
fi
if command -v iconv >iconv.path; then
  { printf '\xff\xfe'; iconv -f UTF-8 -t UTF-16LE plain.csv; } >wide.csv
  expect 0 train wide.csv "${short[@]}"; in_err "60 rows, 2 features"; in_err "UTF-16"
  { cat wide.csv; printf '\x00\xd8'; } >half.csv
  expect 3 train half.csv "${short[@]}"; in_err "half.csv, line 62"; in_err "as UTF-8"
fi

# The model knows its table.
awk 'BEGIN { print "age,job,t"; for (i = 0; i < 60; ++i) print (i % 9 ? 20 + i : -999) "," (i % 3 ? "cook" : "smith") "," (i % 2 ? "yes" : "no") }' >jobs.csv
expect 0 train jobs.csv --missing -999 "${short[@]}"
printf 'age,job\n30,cook\n-999,smith\n' >new.csv
expect 0 predict m.safetensors new.csv; rows_out 2; empty err
printf '30,cook\n-999,smith\n' >new.csv
expect 0 predict m.safetensors new.csv; rows_out 2; in_err "no line of names"
printf 'job;age\nCook;300\n;30\n' >new.csv
expect 0 predict m.safetensors new.csv; rows_out 2
in_err "another order"; in_err "'job' 1 row ('Cook')"; in_err "'age' 1 row, up to 300"; in_err "'job' 1 row"
expect 0 predict m.safetensors new.csv --quiet; empty err
printf 'age,jobs\n30,cook\n' >new.csv
expect 3 predict m.safetensors new.csv; in_err "missing: 'job'; not in the training data: 'jobs'"
expect 0 eval m.safetensors jobs.csv --json; in_out '"rows":60'; in_out '"notes":['
expect 0 train jobs.csv --missing -999 --test jobs.csv "${short[@]}"; in_err "60 to test from jobs.csv"
tail -n +2 jobs.csv | cut -d, -f2- >bare.csv
expect 0 train bare.csv --task classify "${short[@]}"; in_err "60 rows"
printf 'cook\nsmith\n' >new.csv
expect 0 predict m.safetensors new.csv; rows_out 2

# A good file trains at every seed, whatever is rare in it.
{ cat jobs.csv; echo 30,cook,rare; echo 31,cook,?; } >rare.csv
for seed in 1 2 3 4 5 6 7 8 9; do expect 0 train rare.csv --seed $seed "${short[@]}"; in_err "'rare'"; in_err "'?' (1)"; done

# None is a class; a text among the numbers of a regression is an error and no crash, wherever the split puts it.
sed 's/,yes$/,None/' jobs.csv >none.csv
expect 0 train none.csv "${short[@]}"; in_err "2 classes"; in_err "60 rows"
for line in 3 17 40; do
  awk -v at=$line 'BEGIN { print "x,rating"; for (i = 2; i < 62; ++i) print i "," (i == at ? "unrated" : i % 10) }' >rating.csv
  expect 3 train rating.csv --task regress "${short[@]}"; in_err "line $line, column 1 'rating'): 'unrated'"
  expect 0 train rating.csv --task regress --missing unrated "${short[@]}"
done

# Quality: a table chooses its network; given flags count; texts by the thousand are no reason to refuse it.
awk 'BEGIN { print "a,b,kind,y"; for (i = 0; i < 400; ++i) print i % 37 "," (i % 9 ? i % 23 : "") ",k" i % 5 "," (i * 7) % 37 / 3 + i % 5 }' >best.csv
for quality in quick good; do
  expect 0 train best.csv --quality $quality --epochs 3 --out q.safetensors
  in_err "quality $quality: "; in_err "for 400 rows of 3 columns"; in_err "at most 3 epochs"
  expect 0 predict q.safetensors best.csv; rows_out 400
  expect 0 inspect q.safetensors; in_out "columns embedded in 8"
done
expect 0 train best.csv --quality good --ensemble 2 --hidden 16 --steps 5 --out q.safetensors; in_err "2 networks in one, of 16"
# It is good unless flags say what the network is.
expect 0 train best.csv --epochs 2 --batch 64; in_err "quality good: 8 networks in one"; in_err "of batch 64"
in_err "400 rows, 3 features"
expect 0 train best.csv --hidden 16 --epochs 2; ! grep -q "quality" err || fail "$last: it chose a quality"
expect 0 train best.csv --quality plain --epochs 2; ! grep -q "quality" err || fail "$last: it chose a quality"
expect 0 train best.csv --quality best --epochs 2 --out bag.safetensors; in_err "quality best: "; in_err "tried "
[ "$(grep -c "^taken " err)" = 1 ] || fail "$last: not one of the settings was taken"
grep -q "^bag  *8 networks" out || fail "$last: no bag in the summary"
digest=$(sed -n 's/^weights  *digest //p' out)
expect 0 train best.csv --quality best --epochs 2 --out bag2.safetensors --threads 1 --json; in_out "\"weights_digest\":\"$digest\""
[ "$(grep -o '"taken":[a-z]*' out | sort | uniq -c | tr -s ' \n' ' ')" = ' 4 "taken":false 1 "taken":true ' ] || fail "$last: $(cat out)"
[ "$(grep -o '"best_epoch":[0-9]*,"held_out_rows":50' out | wc -l)" = 8 ] || fail "$last: not eight networks"
expect 0 predict bag.safetensors best.csv
expect 0 train best.csv --quality best --epochs 2 --metrics m.jsonl --out q.safetensors; in_err "one network, as good is, with --metrics"
expect 0 train best.csv --quality best --epochs 2 --checkpoint-dir c --out q.safetensors --json; in_out "\"weights_digest\":\"$digest\""
[ "$(ls c | grep -c '^network-[1-5]-[1-8].safetensors$')" = 16 ] || fail "$last: not all networks are saved: $(ls c)"
expect 0 train best.csv --quality best --epochs 2 --checkpoint-dir c --resume auto --out q.safetensors --json; in_out "\"weights_digest\":\"$digest\""
in_err "16 of 16 networks were there already"; in_out '"go_on":""'
expect 0 train best.csv --quality best --epochs 2 --checkpoint-dir d --checkpoint-minutes 5 --out q.safetensors; in_err "one network, as good is, with --checkpoint-minutes"
expect 2 train best.csv --bag 3 --checkpoint-dir e --checkpoint-keep 5; in_err "--bag, --checkpoint-keep"
# periodic functions are tried where a number has values enough for them
for values in 5 50; do
  awk -v n=$values 'BEGIN { print "a,b,y"; for (i = 0; i < 120; ++i) print i % n "," i * 7 % 4 "," i % 5 * 1.5 + i % 3 / 7 }' >few.csv
  expect 0 train few.csv --quality best --epochs 1 --out f.safetensors
  [ "$(grep -cE '^(tried|taken) ' err)" = $((values > 24 ? 5 : 4)) ] || fail "$last: $values values: $(grep -E '^(tried|taken) ' err)"
done
expect 2 train best.csv --bag 3 --metrics m.jsonl; in_err "--bag, --metrics"
expect 0 cv best.csv --folds 2 --quality best --epochs 2
expect 2 cv best.csv --folds 2 --bag 3; in_err "--bag"
expect 2 lr best.csv --bag 3; in_err "--bag"
expect 0 cv best.csv --folds 2 --quality quick --epochs 2; in_err "quality quick: "
expect 0 train x.svm --quality good "${short[@]}"; in_err "is for tables, and this is none"
expect 2 train best.csv --ensemble 4 --hidden 16; in_err "--embedding 16"
expect 2 train x.svm --embedding 4 "${short[@]}"; in_err "only the columns of a table"
awk 'BEGIN { print "tail,y"; for (i = 0; i < 9000; ++i) print "N" i % 3000 "," i % 11 / 2 }' >tails.csv
expect 6 train tails.csv --task regress "${short[@]}"; in_err "distinct texts, the most is 1000"; in_err "--embedding 8"
expect 0 train tails.csv --task regress --embedding 8 "${short[@]}"
printf 'tail\nN17\nnever\n\n' >new.csv
expect 0 predict m.safetensors new.csv; in_err "'never'"

echo "tables_test: all passed"
