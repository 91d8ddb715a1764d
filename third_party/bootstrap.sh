#!/bin/sh
# bootstrap.sh [--ci] [--bochs]: installs what building halfstep needs and is not there yet (Debian, Ubuntu). Does
# nothing, and asks nobody, when all is there. --ci adds Clang, ccache, pkg-config, Doxygen, abidiff, the AArch64 cross
# compiler and QEMU; --bochs an emulator of CPUs with AVX-512, and what booting a kernel there takes.
set -eu

ci=no bochs=no
for option; do
  case "$option" in
    --ci) ci=yes ;;
    --bochs) bochs=yes ;;
    *) echo "usage: $0 [--ci] [--bochs]" >&2; exit 2 ;;
  esac
done

missing=""
need_command() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }

if ! command -v dpkg >/dev/null 2>&1; then
  # Elsewhere the package names differ: say what is needed, and stop only if a tool is certainly absent.
  for tool in cmake ninja; do need_command "$tool" "$tool"; done
  echo "bootstrap: this is not Debian or Ubuntu. halfstep needs a C++20 compiler (GCC 12, Clang 14), CMake 3.25, Ninja," >&2
  echo "bootstrap: oneTBB 2021.5, xsimd 8.1, doctest 2.4 for the tests, and zlib for .gz files." >&2
  [ -z "$missing" ] || { echo "bootstrap: not found:$missing" >&2; exit 1; }
  exit 0
fi

native=$(dpkg --print-architecture)
need_library() {  # name architecture
  dpkg-query -W -f '${Architecture} ${Status}\n' "$1" 2>/dev/null | grep -Eq "^($2|all) install ok installed" ||
    missing="$missing $1$([ "$2" = "$native" ] || echo ":$2")"
}
cmake_is_new_enough() {
  command -v cmake >/dev/null 2>&1 || return 1
  version=$(cmake --version | sed -n 's/^cmake version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  # shellcheck disable=SC2086
  set -- $version
  [ "${1:-0}" -gt 3 ] || { [ "${1:-0}" -eq 3 ] && [ "${2:-0}" -ge 25 ]; }
}

need_command g++ g++
need_command ninja ninja-build
cmake_is_new_enough || missing="$missing cmake"
for library in libtbb-dev libxsimd-dev doctest-dev zlib1g-dev; do need_library "$library" "$native"; done

if [ "$ci" = yes ]; then
  need_command clang++ clang
  need_command git git
  need_command ccache ccache
  need_command pkg-config pkg-config
  need_command doxygen doxygen
  need_command abidiff abigail-tools
  # What the benchmarks are compared with, so that those are compiled too.
  for library in libdnnl-dev libopenblas-dev libeigen3-dev; do need_library "$library" "$native"; done
  if [ "$native" = amd64 ]; then
    need_command aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    need_command qemu-aarch64-static qemu-user-static
    for library in libtbb-dev zlib1g-dev; do need_library "$library" arm64; done
  fi
fi

if [ "$bochs" = yes ]; then
  for package in bochs bochs-term bochsbios vgabios busybox-static isolinux syslinux-common xorriso cpio bsdutils; do
    need_library "$package" "$native"
  done
fi

as_root=""
install() {  # install PACKAGE...
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "bootstrap: run as root, or install: $*" >&2; exit 1; }
    as_root=sudo
  fi
  echo "bootstrap: installing $*" >&2
  case "$*" in *:arm64*) [ "$native" = arm64 ] || $as_root dpkg --add-architecture arm64 ;; esac
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2
  hash -r
}
# shellcheck disable=SC2086
[ -z "$missing" ] || install $missing

cmake_is_new_enough || { echo "bootstrap: $(cmake --version | head -1) is too old, 3.25 is needed: pip install cmake" >&2; exit 1; }

# The run-time library of the sanitizers and of libFuzzer is a package of its own, named after the compiler's version.
clang_sanitizes() { echo 'int main() {}' | clang++ -x c++ -fsanitize=address - -o /dev/null 2>/dev/null; }
[ "$ci" = no ] || clang_sanitizes || install "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
