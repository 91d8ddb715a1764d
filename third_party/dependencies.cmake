# Finds what halfstep is built on. third_party/bootstrap.sh installs it on Debian and Ubuntu.
find_package(Threads REQUIRED)

if(HALFSTEP_PARALLEL STREQUAL "tbb")
  find_package(TBB 2021.5 CONFIG REQUIRED)
elseif(NOT HALFSTEP_PARALLEL MATCHES "^(threads|serial)$")
  message(FATAL_ERROR "HALFSTEP_PARALLEL is '${HALFSTEP_PARALLEL}': use tbb, threads or serial.")
endif()

# xsimd is headers only. Its package file accepts one major version and sits in the folder of the host's
# architecture, so that newer versions and cross builds need the look at the headers.
find_package(xsimd CONFIG QUIET)
if(NOT TARGET xsimd)
  find_path(HALFSTEP_XSIMD_INCLUDE xsimd/xsimd.hpp)
  if(NOT HALFSTEP_XSIMD_INCLUDE)
    message(FATAL_ERROR "xsimd 8.1 or newer is missing: run third_party/bootstrap.sh or install libxsimd-dev.")
  endif()
  file(STRINGS ${HALFSTEP_XSIMD_INCLUDE}/xsimd/config/xsimd_config.hpp xsimd_lines
       REGEX "define XSIMD_VERSION_(MAJOR|MINOR|PATCH)")
  string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" xsimd_VERSION "${xsimd_lines}")
  add_library(xsimd INTERFACE IMPORTED)
  target_include_directories(xsimd INTERFACE ${HALFSTEP_XSIMD_INCLUDE})
endif()
if(xsimd_VERSION VERSION_LESS 8.1)
  message(FATAL_ERROR "xsimd ${xsimd_VERSION} is too old: 8.1 or newer is needed.")
endif()

find_package(ZLIB)
if(ZLIB_FOUND)
  set(HS_HAVE_ZLIB 1)
else()
  set(HS_HAVE_ZLIB 0)
  message(STATUS "halfstep: zlib not found, .gz files will be refused")
endif()

if(HALFSTEP_BUILD_TESTS)
  find_package(doctest 2.4 CONFIG REQUIRED)
endif()
message(STATUS "halfstep: parallel ${HALFSTEP_PARALLEL} ${TBB_VERSION}, xsimd ${xsimd_VERSION}, zlib ${ZLIB_VERSION_STRING}")
