#!/usr/bin/env bash
# A table of four million rows, through 300 MB of memory: large_test.sh PROGRAM PEAK_MEMORY. Stops at the first failure.
peak_memory=$(readlink -f "${2:?usage: $0 PROGRAM PEAK_MEMORY}")
source "$(dirname "$0")/support.sh"
rows=4000000 limit=300

# Ten columns of numbers; no two rows are alike.
awk -v rows=$rows 'BEGIN {
  for (i = 0; i < 1000; ++i) { r[i] = sprintf("%.5f", sin(i * i)); s[i] = sprintf("%.4f", 50 * cos(3 * i)) }
  print "a,b,c,d,e,f,g,h,i,y"
  for (i = 0; i < rows; ++i) {
    x = i * 7919 % 1000; y = i * 7 % 997; z = i * 31 % 991; u = (x + y) % 1000; v = (y + z) % 1000
    print r[x] "," r[y] "," s[z] "," r[u] "," x "," s[v] "," i "," r[z] "," s[u] "," s[x]
  }
}' >large.csv || fail "no room for the table"
train() { # MORE FLAGS
  timeout 300 "$peak_memory" peak "$program" train large.csv --steps 300 --seed 1 -v --out m.safetensors "$@" >out 2>err </dev/null
  got=$? last="train $*"
  [ "$got" -eq 0 ] || fail "$last: exit code $got"
}
held() { echo $(($(cat peak) * 1024 / 1000000)); } # MB

train --cache .
in_err "4000000 rows, 9 features"
[ "$(held)" -le $limit ] || fail "$last: held $(held) MB"
[ -z "$(find . -name '.*cache*')" ] || fail "$last: left its cache behind"
grep digest out >by_disk
echo "by way of the disk: $(held) MB, $(grep -o '[0-9.]* MB/s' err)"
train --cache none
[ "$(held)" -gt $limit ] || fail "$last: held $(held) MB: this table is no test"
grep digest out | cmp - by_disk || fail "$last: other weights"
echo "in memory: $(held) MB, $(grep -o '[0-9.]* MB/s' err)"

# Where memory does not do, it is done of itself, and said.
(ulimit -v 640000 && train) || exit 1
in_err "address space limit, ulimit -v): it goes by way of"; in_err "--cache none keeps all in memory"
grep digest out | cmp - by_disk || fail "$last: other weights"

# A disk that is full.
(ulimit -f 100000 && timeout 300 "$program" train large.csv --cache . --out m2.safetensors >out 2>err </dev/null); got=$?
[ "$got" -eq 4 ] || fail "full disk: exit code $got"
in_err "cannot write the cache"; in_err "--cache"
absent m2.safetensors
echo "large_test: all passed"
