#!/usr/bin/env bash
# installed_test.sh CMAKE BUILD: installs what BUILD has made, moves it, and compiles a program against it as a stranger
# would: with CMake, and with pkg-config. A program that takes in the source tree is only configured.
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

step "find_package"
mkdir found
cat > found/CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.25)
project(found LANGUAGES CXX)
find_package(halfstep $version CONFIG REQUIRED)
add_executable(consumer $consumer)
target_link_libraries(consumer PRIVATE halfstep::halfstep)
EOF
configure found -DCMAKE_PREFIX_PATH="$work/prefix"
"$cmake" --build found/build
found/build/consumer found.safetensors
prefix/bin/halfstep inspect found.safetensors > log || { cat log; fail "inspect"; }

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

step "pkg-config"
command -v pkg-config > /dev/null || { echo "SKIPPED: no pkg-config"; exit 0; }
needed=$(sed -n 's/^Requires\.private: *//p' "$pc")
[ -z "$needed" ] || pkg-config --print-errors --exists "$needed" || { echo "SKIPPED: pkg-config has not all of $needed"; exit 0; }
PKG_CONFIG_PATH=$(cd "$(dirname "$pc")" && pwd)
export PKG_CONFIG_PATH
flags=$(pkg-config --static --cflags --libs halfstep)
echo "$flags"
# shellcheck disable=SC2086  # flags are words
$cxx $cxx_flags -std=c++20 "$consumer" -o consumer $flags
./consumer
