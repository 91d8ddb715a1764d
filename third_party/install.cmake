# What `cmake --install` copies, by component: halfstep_dev is for those who compile against the library, halfstep_shared is
# what programs in C need when they run, halfstep_program is for those who run the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/halfstep)
install(TARGETS halfstep EXPORT halfstepTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT halfstep_dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS halfstep_c EXPORT halfstepTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT halfstep_shared NAMELINK_COMPONENT halfstep_dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/halfstep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT halfstep_dev)
install(EXPORT halfstepTargets NAMESPACE halfstep:: DESTINATION ${package_dir} COMPONENT halfstep_dev)

set(generated ${PROJECT_BINARY_DIR}/installed)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/halfstepConfig.cmake.in ${generated}/halfstepConfig.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Until 1.0 a minor version may break what the last one promised.
write_basic_package_version_file(${generated}/halfstepConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/halfstepConfig.cmake ${generated}/halfstepConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT halfstep_dev)

# The prefix is found from where the file lies; folders that were given as absolute stay so.
set(pkgconfig_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pkgconfig_dir} OUTPUT_VARIABLE from_pkgconfig)
cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
set(pc_requires "")
if(HALFSTEP_PARALLEL STREQUAL "tbb")
  list(APPEND pc_requires "tbb >= 2021.5")
endif()
if(HS_HAVE_ZLIB)
  list(APPEND pc_requires zlib)
endif()
list(JOIN pc_requires ", " pc_requires)
foreach(name halfstep halfstep_c)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${generated}/${name}.pc @ONLY)
endforeach()
install(FILES ${generated}/halfstep.pc ${generated}/halfstep_c.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT halfstep_dev)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libhalfstep-dev RENAME copyright
        COMPONENT halfstep_dev)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libhalfstep1 RENAME copyright
        COMPONENT halfstep_shared)

# Not in the export: with the program's package missing, the library's would not be found either.
if(TARGET halfstep_cli)
  install(TARGETS halfstep_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT halfstep_program)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/halfstep RENAME copyright
          COMPONENT halfstep_program)
  # The program says what is in them, so that it must run.
  if(CMAKE_HOST_UNIX AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
    file(MAKE_DIRECTORY ${generated})
    foreach(kind man completion)
      install(CODE "execute_process(
        COMMAND sh [[${PROJECT_SOURCE_DIR}/src/cli/manual.sh]] ${kind}
                ${CMAKE_CROSSCOMPILING_EMULATOR} [[$<TARGET_FILE:halfstep_cli>]]
        OUTPUT_FILE [[${generated}/${kind}]] COMMAND_ERROR_IS_FATAL ANY)" COMPONENT halfstep_program)
    endforeach()
    install(FILES ${generated}/man DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME halfstep.1 COMPONENT halfstep_program)
    install(FILES ${generated}/completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME halfstep
            COMPONENT halfstep_program)
  endif()
endif()

# `cpack` in the build folder: Debian packages, one for each component.
if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_CONTACT "halfstep authors")
  set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_COMPONENTS_ALL halfstep_dev halfstep_shared)
  if(TARGET halfstep_cli)
    list(APPEND CPACK_COMPONENTS_ALL halfstep_program)
  endif()
  set(CPACK_DEB_COMPONENT_INSTALL ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_HALFSTEP_DEV_PACKAGE_NAME libhalfstep-dev)
  set(CPACK_DEBIAN_HALFSTEP_DEV_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_HALFSTEP_SHARED_PACKAGE_NAME libhalfstep1)
  set(CPACK_DEBIAN_HALFSTEP_SHARED_PACKAGE_SECTION libs)
  set(CPACK_DEBIAN_HALFSTEP_SHARED_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_HALFSTEP_SHARED_DESCRIPTION "${PROJECT_DESCRIPTION}: shared library, for programs in C")
  set(depends "libhalfstep1 (= ${PROJECT_VERSION})")
  if(HALFSTEP_PARALLEL STREQUAL "tbb")
    list(APPEND depends "libtbb-dev (>= 2021.5)")
  endif()
  if(HS_HAVE_ZLIB)
    list(APPEND depends zlib1g-dev)
  endif()
  list(JOIN depends ", " CPACK_DEBIAN_HALFSTEP_DEV_PACKAGE_DEPENDS)
  set(CPACK_COMPONENT_HALFSTEP_DEV_DESCRIPTION "${PROJECT_DESCRIPTION}: static library and headers")
  set(CPACK_DEBIAN_HALFSTEP_PROGRAM_PACKAGE_NAME halfstep)
  set(CPACK_DEBIAN_HALFSTEP_PROGRAM_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_HALFSTEP_PROGRAM_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_HALFSTEP_PROGRAM_DESCRIPTION "${PROJECT_DESCRIPTION}: program")
  include(CPack)
endif()
