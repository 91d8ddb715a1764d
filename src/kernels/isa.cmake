# How one row of the ISA list becomes an object library.
include(CheckCXXCompilerFlag)

# Kernels are large once inlined, and GCC takes minutes for each with full instrumentation and variable tracking. Of the
# sanitizers they keep ASan's checks of heap and globals, as calls, which compile in two thirds of the time. Linked after
# halfstep_flags, so that these options win.
add_library(halfstep_isa_flags INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(halfstep_isa_flags INTERFACE $<$<CONFIG:Debug>:-g1> -fno-var-tracking)
  if(HALFSTEP_SANITIZE)
    target_compile_options(halfstep_isa_flags INTERFACE
      -fno-sanitize=undefined -fno-sanitize-address-use-after-scope
      "SHELL:--param asan-stack=0 --param asan-instrumentation-with-call-threshold=100")
  endif()
endif()

# halfstep_isa(<name> "<CPU bits>" "<flags>"): compiles isa/<name>.cpp with the flags and HS_ISA=<name>.
function(halfstep_isa name bits flags)
  if(HALFSTEP_ONLY_ISAS AND NOT name IN_LIST HALFSTEP_ONLY_ISAS)
    return()
  endif()
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/isa/${name}.cpp)
  if(NOT EXISTS ${source})
    message(WARNING "halfstep: ISA ${name} left out: ${source} is missing")
    return()
  endif()
  if(flags)
    check_cxx_compiler_flag("${flags}" HALFSTEP_COMPILER_KNOWS_${name})
    if(NOT HALFSTEP_COMPILER_KNOWS_${name})
      message(STATUS "halfstep: ISA ${name} left out: the compiler does not know ${flags}")
      return()
    endif()
  endif()

  set(target halfstep_isa_${name})
  separate_arguments(flags)
  add_library(${target} OBJECT ${source})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${target} PRIVATE HS_ISA=${name})
  target_link_libraries(${target} PRIVATE halfstep_flags xsimd halfstep_isa_flags)
  # Optimised in every build type: an inline function that is not inlined would be emitted as a weak symbol, and the
  # linker might keep the copy made of AVX-512 instructions for the whole program. No unwinding: kernels never throw.
  # GCC unrolls the scalar lanes for a minute under -O3, to no use.
  set(level -O3)
  if(name STREQUAL "scalar")
    set(level -O2)
  endif()
  if(HALFSTEP_SANITIZE MATCHES "thread")  # each access is a call there
    set(level -O1)
  endif()
  target_compile_options(${target} PRIVATE ${flags} ${level} -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables
                                           -fno-unwind-tables)
  # GCC's own intrinsics headers trip over it: an "undefined" register is a variable initialised with itself.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-uninitialized>)
  # Before registers are given out, GCC's scheduler moves loads up until tiles spill (AArch64; off by default on x86).
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-schedule-insns>)
  set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)

  set_property(GLOBAL APPEND PROPERTY HALFSTEP_ISAS ${name})
  set_property(GLOBAL APPEND PROPERTY HALFSTEP_OBJECTS $<TARGET_OBJECTS:${target}>)
  set_property(GLOBAL APPEND_STRING PROPERTY HALFSTEP_ISA_ROWS " \\\n  X(${name}, \"${bits}\")")
endfunction()

# Writes kernels/isa_list.hpp: HS_FOR_EACH_ISA(X) calls X(name, "CPU bits") for every row.
function(halfstep_isa_list)
  get_property(rows GLOBAL PROPERTY HALFSTEP_ISA_ROWS)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/generated/kernels/isa_list.hpp @ONLY CONTENT
"// Written by src/kernels/isa.cmake from the rows in src/kernels/CMakeLists.txt.
#pragma once
#define HS_FOR_EACH_ISA(X)@rows@
")
  get_property(names GLOBAL PROPERTY HALFSTEP_ISAS)
  list(JOIN names " " names)
  message(STATUS "halfstep: ISAs: ${names}")
endfunction()
