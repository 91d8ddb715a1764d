# What the tests of the program share; sourced with the program as $1. Works in a folder of its own, which goes away, and
# stops at the first failure.
set -u
program=$(readlink -f "${1:?usage: $0 PROGRAM}")
unset HALFSTEP_ISA
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() {
  echo "FAILED: $*" >&2
  echo "--- stdout" >&2; head -c 2000 out >&2
  echo "--- stderr" >&2; head -c 2000 err >&2
  exit 1
}

# expect CODE ARGS...: runs the program; leaves out and err.
expect() {
  local code=$1 got
  shift
  timeout 120 "$program" "$@" >out 2>err </dev/null
  got=$?
  last="halfstep $*"
  [ "$got" -eq "$code" ] || fail "$last: exit code $got, expected $code"
}
in_out() { grep -qF -e "$1" out || fail "$last: stdout lacks: $1"; }
in_err() { grep -qF -e "$1" err || fail "$last: stderr lacks: $1"; }
empty() { [ ! -s "$1" ] || fail "$last: $1 should be empty"; }
absent() { [ ! -e "$1" ] || fail "$last: left $1 behind"; }
one_line() { [ "$(wc -l <out)" -eq 1 ] || fail "$last: stdout should be one line"; }
field() { in_out "\"$1\":"; }
