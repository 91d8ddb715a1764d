#!/bin/sh
# self_test.sh NM CXX CMAKE: every check must accept a good case and refuse each bad one.
set -eu
nm=$1 cxx=$2 cmake=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A tree of one file: tree PATH LINE
tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree/$(dirname "$1")"
  printf '%s\n' "$2" >"$work/tree/$1"
}
accepts() {
  tree "$1" "$2"
  sh "$here/check_tree.sh" "$work/tree" >"$work/log" 2>&1 || { echo "wrongly refused: $1: $2"; cat "$work/log"; failures=1; }
}
refuses() {
  tree "$1" "$2"
  if sh "$here/check_tree.sh" "$work/tree" >"$work/log" 2>&1; then echo "wrongly accepted: $1: $2"; failures=1; fi
}

accepts src/gemm/a.cpp '#include "kernels/table.hpp"'
accepts src/nn/a.cpp '#include "gemm/gemm.hpp"'
accepts src/cli/a.cpp '#include "halfstep/jobs.hpp"'
accepts src/parallel/a.cpp '#include <tbb/parallel_for.h>'
accepts src/kernels/simd/a.hpp '#include <xsimd/xsimd.hpp>'
accepts src/base/fp_env.hpp '#include <xmmintrin.h>'
accepts src/base/long.cpp "$(yes '//' | head -500)"
refuses src/gemm/a.cpp '#include "nn/network.hpp"'
refuses src/base/a.cpp '  #  include "kernels/table.hpp"'
refuses src/loss/a.cpp '#include "amp/scaler.hpp"'
refuses src/io/a.cpp '#include "parallel/executor.hpp"'
refuses src/cli/a.cpp '#include "train/trainer.hpp"'
refuses src/train/a.cpp '#include "run/machine.hpp"'
refuses src/train/a.cpp '#include "halfstep/options.hpp"'
refuses src/gemm/a.cpp '#include "sibling.hpp"'
refuses src/novelty/a.cpp '// nothing'
refuses include/halfstep/a.hpp '#include "base/rng.hpp"'
refuses src/gemm/a.cpp '#include <tbb/parallel_for.h>'
refuses tests/gemm/a.cpp '#include <oneapi/tbb.h>'
refuses src/kernels/body/a.hpp '#include <xsimd/xsimd.hpp>'
refuses src/gemm/a.cpp '#include <immintrin.h>'
refuses src/kernels/body/a.hpp '#include <arm_neon.h>'
refuses src/kernels/isa/a.cpp '#include <vector>'
refuses src/base/long.cpp "$(yes '//' | head -501)"
refuses docs/a.md 'a tree without sources'

# An object of one line: object SOURCE
object() {
  printf '%s\n' "$1" >"$work/unit.cpp"
  "$cxx" -std=c++20 -O0 -c "$work/unit.cpp" -o "$work/unit.o"
}
symbols() { sh "$here/check_symbols.sh" "$nm" wide "$work/unit.o" >"$work/log" 2>&1; }
object_accepts() {
  object "$1"
  symbols || { echo "wrongly refused: $1"; cat "$work/log"; failures=1; }
}
object_refuses() {
  object "$1"
  if symbols; then echo "wrongly accepted: $1"; failures=1; fi
}

object_accepts 'namespace isa_wide { inline int f() { return 1; } int g() { return f(); } }'
object_accepts 'namespace isa_wide { static int f() { return 1; } int g() { return f(); } }'
object_refuses 'inline int f() { return 1; } namespace isa_wide { int g() { return f(); } }'
object_refuses 'template <class T> T f(T x) { return x; } namespace isa_wide { int g() { return f(1); } }'
object_refuses 'namespace isa_wider { int g() { return 1; } }'
object_refuses 'int counter; namespace isa_wide { int g() { return counter; } }'
object_refuses 'template <class T> struct A { static inline T x = 1; }; namespace isa_wide { int g() { return A<int>::x; } }'
object_refuses 'static int g() { return 1; }'

if sh "$here/check_fast_math.sh" "$cxx" -ffp-contract=off >"$work/log" 2>&1; then
  echo "wrongly accepted: fast-math"
  failures=1
fi

# build_with FLAGS: whether third_party would build with them.
build_with() {
  "$cmake" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS="$1" \
    -P "$here/../../third_party/start_up_code.cmake" >"$work/log" 2>&1
}
for flags in "" "-O2 -ffinite-math-only" "-ffast-math -fno-fast-math"; do
  build_with "$flags" || { echo "wrongly refused: '$flags'"; cat "$work/log"; failures=1; }
done
for flags in "-O2 -ffast-math" "-Ofast"; do
  if build_with "$flags" || ! grep -q "built with '$flags':" "$work/log"; then
    echo "not refused: $flags"
    cat "$work/log"
    failures=1
  fi
done

# The reference of one header whose line is LINE: reference LINE
reference() {
  mkdir -p "$work/headers"
  printf '%s\n' '// A file.' '#pragma once' 'namespace halfstep {' '' "$@" '' '}' >"$work/headers/a.hpp"
  sh "$here/../../third_party/reference/make.sh" doxygen "$work/headers" "$work/reference" >"$work/log" 2>&1
}
if command -v doxygen >/dev/null; then
  for declaration in '// What it does with <b>, `x` @ \n and #.|int f();' '// A class.|class A {| public:|  A(A&&);|  ~A();|};' \
    'int f();  // behind it' '// Fields may do without.|struct S {|  int a;|};'; do
    reference "$(echo "$declaration" | tr '|' '\n')" || { echo "wrongly refused: $declaration"; cat "$work/log"; failures=1; }
  done
  for declaration in 'int f();' 'struct S {|  int a;|};' 'enum class E { a };' '// A class.|class A {| public:|  int f();|};' \
    '// Above an empty line.||int f();' '// ---- heading ----|int f();'; do
    if reference "$(echo "$declaration" | tr '|' '\n')"; then echo "wrongly accepted: $declaration"; failures=1; fi
  done
fi

# layout SED MESSAGE: the header of C, changed by SED, is refused with MESSAGE; without MESSAGE it is accepted.
layout() {
  sed "$1" "$here/../../include/halfstep/halfstep.h" >"$work/halfstep.h"
  if sh "$here/../consumers/check_layout.sh" cc "$work/halfstep.h" "$work/layout.abi" >"$work/log" 2>&1; then
    [ -z "$2" ] || { echo "wrongly accepted: $1"; failures=1; }
  else
    if [ -z "$2" ] || ! grep -q "$2" "$work/log"; then echo "not refused for that: $1"; cat "$work/log"; failures=1; fi
  fi
}
if command -v abidiff >/dev/null && command -v cc >/dev/null; then
  sh "$here/../consumers/check_layout.sh" cc "$here/../../include/halfstep/halfstep.h" "$work/layout.abi" renew
  layout 's/^/ /;s/^ //' ''
  layout 's/^HS_API uint32_t hs_abi_version(void);/&\nHS_API void hs_more(int32_t a);/' 'Functions were added'
  layout '/^HS_API uint32_t hs_abi_version(void);/d' 'breaks programs'
  layout 's/int32_t outcome;/int64_t outcome;/' 'breaks programs'
  layout 's/int64_t budget_ns/int32_t budget_ns/' 'breaks programs'
  layout 's/HS_STATUS_IO = 2/HS_STATUS_IO = 12/' 'breaks programs'
fi

[ "$failures" -eq 0 ] && echo "every check accepts the good and refuses the bad"
exit "$failures"
