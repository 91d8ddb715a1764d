#!/usr/bin/env bash
# installed_test.sh CMAKE BUILD: installs what BUILD has made, moves it, and compiles a program against it as a stranger
# would: with CMake, with pkg-config, and out of the Debian packages. A program that takes in the source tree is only
# configured.
set -euo pipefail
cmake=$1 build=$2
consumer=$(cd "$(dirname "$0")" && pwd)/train_in_memory.cpp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() { echo "FAILED: $*" >&2; exit 1; }
step() { printf -- '-------- %s\n' "$*"; }
cached() { sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"; }  # cached NAME: what BUILD was configured with
source=$(cached CMAKE_HOME_DIRECTORY) cxx=$(cached CMAKE_CXX_COMPILER) cxx_flags=$(cached CMAKE_CXX_FLAGS)
version=$(cached CMAKE_PROJECT_VERSION)

# configure FOLDER ENTRY...: its CMakeLists.txt, with the tools of BUILD.
configure() {
  local folder=$1
  shift
  "$cmake" -S "$folder" -B "$folder/build" -G "$(cached CMAKE_GENERATOR)" \
    -DCMAKE_MAKE_PROGRAM="$(cached CMAKE_MAKE_PROGRAM)" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$cxx_flags" \
    -DTBB_DIR="$(cached TBB_DIR)" "$@"
}

step "installed and moved"
"$cmake" --install "$build" --prefix "$work/first" > log || { cat log; fail "cmake --install"; }
mv first prefix
prefix/bin/halfstep --version
diff <(cd "$source/include" && find . -type f | sort) <(cd prefix/include && find . -type f | sort) || fail "other headers"
pc=$(find prefix -name halfstep.pc) config=$(find prefix -name halfstepConfig.cmake)
[ -n "$pc" ] && [ -n "$config" ] || fail "no halfstep.pc or no halfstepConfig.cmake"
if grep -rF -e "$source" -e "$build" -e halfstep_flags "$(dirname "$pc")" "$(dirname "$config")"; then
  fail "the lines above name what only the build has"
fi

step "manual page and completion"
grep -qx '\.SH halfstep train' prefix/share/man/man1/halfstep.1 || fail "no train in the manual page"
grep -qx '\\fB\\-\\-threads N\\fR' prefix/share/man/man1/halfstep.1 || fail "no --threads in the manual page"
. prefix/share/bash-completion/completions/halfstep
completes() {  # completes WANTED WORD...: with the last word still being written
  local wanted=$1 COMPREPLY
  shift
  COMP_WORDS=(halfstep "$@") COMP_CWORD=$#
  _halfstep
  [ "${COMPREPLY[*]}" = "$wanted" ] || fail "halfstep $* is completed by: ${COMPREPLY[*]}"
}
completes "train" tr
completes "--threads" eval --thr
completes "cosine coslog" train --schedule cos
completes "scaling" demo sc
completes "" train da

# find_in PREFIX: a program of its own finds the library there.
find_in() {
  rm -rf found
  mkdir found
  cat > found/CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.25)
project(found LANGUAGES CXX)
find_package(halfstep $version CONFIG REQUIRED)
add_executable(consumer $consumer)
target_link_libraries(consumer PRIVATE halfstep::halfstep)
EOF
  configure found -DCMAKE_PREFIX_PATH="$1" -Dhalfstep_DIR=
  grep -F "halfstep_DIR:PATH=$1/" found/build/CMakeCache.txt || fail "halfstep was found elsewhere"
  "$cmake" --build found/build
  found/build/consumer found.safetensors
  "$1/bin/halfstep" inspect found.safetensors > log || { cat log; fail "inspect"; }
}
step "find_package"
find_in "$work/prefix"

step "add_subdirectory, configured only"
mkdir host
cat > host/CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.25)
project(host LANGUAGES CXX)
add_subdirectory($source halfstep)
add_executable(consumer $consumer)
target_link_libraries(consumer PRIVATE halfstep::halfstep)
EOF
configure host -DHALFSTEP_PARALLEL="$(cached HALFSTEP_PARALLEL)"
if grep -rl --include=cmake_install.cmake -F libhalfstep host/build; then fail "a host would install halfstep"; fi

skips=()
# Hosts with threads of their own, and one that loads what uses the shared library.
step "hosts"
here=$(dirname "$consumer")
mkdir hosts
cat > hosts/CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.25)
project(hosts LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(halfstep $version CONFIG REQUIRED)
add_library(plugin MODULE $here/plugin.cpp)
target_link_libraries(plugin PRIVATE halfstep::halfstep_c)
add_library(whole_plugin MODULE $here/plugin.cpp)
target_link_libraries(whole_plugin PRIVATE halfstep::halfstep)
add_executable(plugin_host $here/plugin_host.cpp)
target_link_libraries(plugin_host PRIVATE \${CMAKE_DL_LIBS})
find_package(OpenMP COMPONENTS CXX)
if(OpenMP_CXX_FOUND)
  add_executable(openmp_host $here/openmp_host.cpp)
  target_link_libraries(openmp_host PRIVATE halfstep::halfstep OpenMP::OpenMP_CXX)
endif()
if(TARGET TBB::tbb)
  add_executable(arena_host $here/arena_host.cpp)
  target_link_libraries(arena_host PRIVATE halfstep::halfstep TBB::tbb)
endif()
EOF
configure hosts -DCMAKE_PREFIX_PATH="$work/prefix" -Dhalfstep_DIR= -DCMAKE_BUILD_TYPE=Release
"$cmake" --build hosts/build
for plugin in plugin whole_plugin; do
  hosts/build/plugin_host "$(find "$work/hosts/build" -name "lib$plugin.*")"
done
if [ -x hosts/build/openmp_host ]; then
  hosts/build/openmp_host
elif [[ $cxx == *clang* ]]; then
  echo "openmp_host is not run: Clang's OpenMP is a package of its own"
else
  skips+=("no OpenMP")
fi
if [ -x hosts/build/arena_host ]; then hosts/build/arena_host; fi

step "pkg-config"
needed=$(sed -n 's/^Requires\.private: *//p' "$pc")
if ! command -v pkg-config > /dev/null; then
  skips+=("no pkg-config")
elif [ -n "$needed" ] && ! pkg-config --print-errors --exists "$needed"; then
  skips+=("pkg-config has not all of $needed")
else
  PKG_CONFIG_PATH=$(cd "$(dirname "$pc")" && pwd)
  export PKG_CONFIG_PATH
  flags=$(pkg-config --static --cflags --libs halfstep)
  echo "$flags"
  # shellcheck disable=SC2086  # flags are words
  $cxx $cxx_flags -std=c++20 "$consumer" -o consumer $flags
  ./consumer

  step "C, by pkg-config"
  flags=$(pkg-config --cflags --libs halfstep_c)
  echo "$flags"
  # shellcheck disable=SC2086
  cc -std=c89 -pedantic -Wall -Wextra -Werror "${consumer%.cpp}.c" -o consumer_c $flags
  LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH") ./consumer_c c.safetensors
fi

step "Debian packages"
if ! command -v dpkg-deb > /dev/null; then
  skips+=("no dpkg-deb")
else
  "$(cached CMAKE_CPACK_COMMAND)" --config "$build/CPackConfig.cmake" -G DEB -B "$work/packages"
  for name in halfstep libhalfstep1 libhalfstep-dev; do
    dpkg-deb -f packages/${name}_"$version"_*.deb Package Depends
    dpkg-deb -x packages/${name}_"$version"_*.deb root
  done
  diff <(cd prefix && find . -type f | sort) <(cd root/usr && find . -type f | sort) || fail "other files than installed"
  find_in "$work/root/usr"
fi

for skip in "${skips[@]}"; do echo "SKIPPED: $skip"; done
