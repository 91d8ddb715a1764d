# `cmake --build ... --target reference`: the reference of the public headers, as HTML. Needs Doxygen, which is optional.
find_program(HALFSTEP_DOXYGEN doxygen)
if(HALFSTEP_DOXYGEN)
  add_custom_target(reference
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/reference/make.sh ${HALFSTEP_DOXYGEN} ${PROJECT_SOURCE_DIR}/include/halfstep
            ${PROJECT_BINARY_DIR}/reference
    COMMAND ${CMAKE_COMMAND} -E echo "halfstep: ${PROJECT_BINARY_DIR}/reference/html/index.html"
    VERBATIM)
endif()
