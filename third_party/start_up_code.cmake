# Refuses flags with which the compiler links start-up code that flushes subnormals in the whole process. Which flags do
# differs from compiler to compiler: it is asked. Also a script: cmake -DCMAKE_CXX_COMPILER=... -DCMAKE_BUILD_TYPE=... -P
foreach(config IN LISTS CMAKE_BUILD_TYPE CMAKE_CONFIGURATION_TYPES)
  string(TOUPPER "${config}" config)
  set(given "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}} ${CMAKE_EXE_LINKER_FLAGS}")
  separate_arguments(flags NATIVE_COMMAND "${given}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} ${flags} "-###" -x c++ /dev/null OUTPUT_QUIET ERROR_VARIABLE commands)
  if(commands MATCHES "crtfastmath")
    string(STRIP "${given}" given)
    message(FATAL_ERROR "halfstep cannot be built with '${given}': whatever program loads it would compute without "
                        "subnormals. Remove what asks for fast-math, such as -ffast-math or -Ofast, from CMAKE_CXX_FLAGS "
                        "(CXXFLAGS) or CMAKE_EXE_LINKER_FLAGS (LDFLAGS).")
  endif()
endforeach()
