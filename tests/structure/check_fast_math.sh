#!/bin/sh
# check_fast_math.sh CXX FLAG...: behind whatever asks for fast-math, these flags leave the code as it is without.
set -eu
cxx=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/a.cpp" <<'EOF'
bool infinite(float x) { return __builtin_isinf(x); }
bool nan(float x) { return x != x; }
float in_order(float a, float b) { return (a + b) - a; }
float divided(float x, float y, float z) { return x / z + y / z; }
float signed_zero(float x) { return x + 0.0f; }
EOF
code() {  # code FLAG...: the instructions, or nothing where the compiler does not know a flag
  "$cxx" -O2 -S -Werror -o - "$@" "$work/a.cpp" 2>/dev/null | grep -v '^[[:space:]]*\.' || true
}
code "$@" >"$work/without"
[ -s "$work/without" ] || { echo "does not compile: $*"; exit 1; }
# Names of GCC, of Clang and of both. What takes them back knows no names: one that is missing weakens only this test.
seen=0
for flag in -ffast-math -Ofast -ffp-model=fast -ffp-model=aggressive -ffinite-math-only -fno-honor-infinities \
  -fno-honor-nans -funsafe-math-optimizations -freciprocal-math -fno-signed-zeros; do
  code "$flag" >"$work/alone"
  code "$flag" "$@" >"$work/with"
  if [ ! -s "$work/with" ]; then continue; fi
  if cmp -s "$work/alone" "$work/without"; then continue; fi  # it changes none of this
  seen=$((seen + 1))
  cmp -s "$work/with" "$work/without" || { echo "$flag is not taken back by: $*"; exit 1; }
done
[ "$seen" -ge 5 ] || { echo "only $seen flags changed anything"; exit 1; }
