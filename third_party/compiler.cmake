# Language and warnings for every target: link to halfstep_flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

include(${CMAKE_CURRENT_LIST_DIR}/start_up_code.cmake)

add_library(halfstep_flags INTERFACE)
# Fast-math lets the compiler assume that infinities never occur, which erases the check for them, and reorders sums. It
# goes by many names: this takes back every one that came before it. It also resets what the next two say.
target_compile_options(halfstep_flags INTERFACE -fno-fast-math -ffp-contract=off -fno-math-errno)
# Missing fields: designated initialisers leave the rest at its default on purpose.
target_compile_options(halfstep_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers)
# GCC 12 sees overlapping copies in every `"text" + std::string` (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(halfstep_flags INTERFACE -Wno-restrict)
endif()
if(HALFSTEP_WERROR)
  target_compile_options(halfstep_flags INTERFACE -Werror)
endif()
if(HALFSTEP_SANITIZE)
  target_compile_options(halfstep_flags INTERFACE -fsanitize=${HALFSTEP_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
  target_link_options(halfstep_flags INTERFACE -fsanitize=${HALFSTEP_SANITIZE})
endif()

# halfstep_unity(<target> <files that stay by themselves>...): those have a name that another file of the folder has too.
function(halfstep_unity target)
  if(HALFSTEP_UNITY AND (NOT HALFSTEP_UNITY STREQUAL "tests" OR target STREQUAL "halfstep_tests"))
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
    foreach(file ${ARGN})
      set_source_files_properties(${file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endforeach()
  endif()
endfunction()

# halfstep_precompile(<target> <headers of its own>...): half of a build is reading the standard headers.
function(halfstep_precompile target)
  if(HALFSTEP_PRECOMPILE AND (NOT HALFSTEP_PRECOMPILE STREQUAL "tests" OR target STREQUAL "halfstep_tests"))
    target_precompile_headers(${target} PRIVATE <algorithm> <cmath> <filesystem> <functional> <memory> <span> <string> <vector>
                                                ${ARGN})
  endif()
endfunction()
