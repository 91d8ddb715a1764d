#!/usr/bin/env bash
# Reports from outside: report_test.sh PROGRAM. Stops at the first failure.
source "$(dirname "$0")/support.sh"

awk 'BEGIN { print "a,b,y"; for (i = 0; i < 90; ++i) print i * 37 % 101 / 4 "," i * 53 % 89 "," (i * 37 % 101 + i * 53 % 89 > 95) }' >d.csv
short="--hidden 4 --epochs 3"

# in_page FILE TEXT
in_page() { grep -qF -e "$2" "$1" || fail "$last: $1 lacks: $2"; }

expect 0 train d.csv $short --out m --report r.html --json; one_line; in_out '"report":"r.html"'
digest=$(sed -n 's/.*"weights_digest":"\([0-9a-f]*\)".*/\1/p' out)
accuracy=$(sed -n 's/.*"accuracy":\([0-9.e-]*\).*/\1/p' out)
[ -n "$accuracy" ] || fail "$last: no accuracy"
in_page r.html "$digest"; in_page r.html ">$accuracy<"
in_page r.html "halfstep train --hidden 4 --epochs 3 --out m --report r.html d.csv"
expect 0 train d.csv $short --out m --json; in_out "\"weights_digest\":\"$digest\""; in_out '"report":""'
if command -v python3 >/dev/null && python3 -c 'import xml.dom.minidom' 2>/dev/null; then
  python3 -c 'import xml.dom.minidom; xml.dom.minidom.parseString(open("r.html", "rb").read().split(b"\n", 1)[1])' ||
    fail "r.html is not well-formed"
fi

# of several networks too
expect 0 train d.csv $short --bag 3 --out b --report b.html --json; one_line; in_out '"report":"b.html"'
in_page b.html "3 networks that answer together"; in_page b.html "Rows it gets most wrong"
if command -v python3 >/dev/null && python3 -c 'import xml.dom.minidom' 2>/dev/null; then
  python3 -c 'import xml.dom.minidom; xml.dom.minidom.parseString(open("b.html", "rb").read().split(b"\n", 1)[1])' ||
    fail "b.html is not well-formed"
fi
expect 5 train d.csv $short --bag 3 --lr 1e30 --out n --report n.html; in_page n.html "diverged: there is no model"; absent n

# the readings that a report takes are its own: the summary shows those that were asked for
expect 0 train d.csv $short --out m --report r.html; in_out "report     r.html"
grep -q "^meter" out && fail "$last: meters that nobody asked for"
expect 0 train d.csv $short --out m --report r.html --meter-every 2; grep -q "^meter" out || fail "$last: no meters"

# never over what is read or written
for path in d.csv m j; do
  expect 2 train d.csv $short --out m --metrics j --report $path; in_err "--report"
done
head -n 1 d.csv | grep -q '^a,b,y$' || fail "the data is gone"
expect 4 train d.csv $short --out m2 --report nowhere/r.html; absent m2

# several runs on one page
expect 0 train d.csv $short --out m --metrics '<b>1.jsonl'; expect 0 train d.csv $short --lr 0.1 --out m --metrics 2.jsonl
expect 0 report '<b>1.jsonl' 2.jsonl --out c.html; in_out "run        <b>1.jsonl  epochs 3"; in_out "report     c.html"
in_page c.html "&lt;b&gt;1.jsonl"; grep -q "<b>1" c.html && fail "$last: a name is HTML"
expect 0 report 2.jsonl --json; one_line; in_out '"command":"report"'; in_out '"best_epoch":'; [ -f report.html ] || fail "$last: no page"
expect 2 report 2.jsonl --out 2.jsonl; in_page 2.jsonl '"epoch":3'
expect 2 report; expect 4 report none.jsonl; expect 3 report d.csv; in_err "line 1"
expect 4 report 2.jsonl --out nowhere/c.html
expect 0 help; in_out "halfstep report"; expect 0 train --help; in_out "--report"

echo "report_test: all passed"
