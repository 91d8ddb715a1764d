# Language and warnings for every target: link to halfstep_flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Fast-math lets the compiler assume that infinities never occur, which erases the inf check, and reorders sums.
get_directory_property(given_options COMPILE_OPTIONS)
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(fast_math -ffast-math -Ofast -ffp-model=fast -ffp-model=aggressive -ffinite-math-only -fno-honor-infinities
              -fno-honor-nans -funsafe-math-optimizations -fassociative-math -freciprocal-math -fno-signed-zeros)
list(JOIN fast_math "|" fast_math)
foreach(given IN ITEMS "${CMAKE_CXX_FLAGS}" "${CMAKE_CXX_FLAGS_${build_type}}" "${given_options}")
  if(given MATCHES "${fast_math}")
    message(FATAL_ERROR "halfstep cannot be built with ${CMAKE_MATCH_0}: it would erase the inf check or change what "
                        "sums come to. Remove it from the compiler flags.")
  endif()
endforeach()

add_library(halfstep_flags INTERFACE)
# Missing fields: designated initialisers leave the rest at its default on purpose.
target_compile_options(halfstep_flags INTERFACE -ffp-contract=off -fno-math-errno -Wall -Wextra
                                                -Wno-missing-field-initializers)
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
