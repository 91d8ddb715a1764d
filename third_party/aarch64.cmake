# Cross build for AArch64 Linux on Debian or Ubuntu; the tests run under QEMU.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -cpu max,pauth-impdef=on -L /usr/aarch64-linux-gnu)
# Never pick up the build machine's own packages.
set(CMAKE_IGNORE_PREFIX_PATH /usr/local)
foreach(host_architecture x86_64-linux-gnu i386-linux-gnu)
  list(APPEND CMAKE_IGNORE_PATH /usr/lib/${host_architecture} /lib/${host_architecture}
       /usr/lib/${host_architecture}/cmake/TBB /usr/lib/${host_architecture}/cmake/xsimd)
endforeach()
# Static: under QEMU 7.2 a dynamically linked program spins for ever as soon as it starts a second thread.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(ZLIB_USE_STATIC_LIBS ON)
