# What other projects and packages need: headers, CMake's package, pkg-config's files, and Debian packages by cpack.
include(CMakePackageConfigHelpers)

set(places ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
set(config ${CMAKE_INSTALL_LIBDIR}/cmake/byhand)
install(DIRECTORY include/byhand "${PROJECT_BINARY_DIR}/include/byhand" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development FILES_MATCHING PATTERN "*.h")

# byhand_export(NAME TARGET…): installs the libraries, and what CMake knows of them as byhandNAMETargets.cmake.
function(byhand_export name)
  install(TARGETS ${ARGN} EXPORT byhand${name} ${places})
  install(EXPORT byhand${name} FILE byhand${name}Targets.cmake NAMESPACE byhand:: DESTINATION ${config}
    COMPONENT development)
endfunction()
# byhand_pkg_config(NAME LIBS REQUIRES): NAME.pc.
function(byhand_pkg_config name libs requires)
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  configure_file(cmake/byhand.pc.in ${name}.pc @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()

byhand_export("" byhand_static byhand_shared)
byhand_pkg_config(byhand "-l:libbyhand.a" "fmt")  # -lbyhand is the shared library, which has the C interface only
byhand_pkg_config(byhand-c "-lbyhand" "")
if(BYHAND_WITH_TORCH)
  byhand_export(Torch byhand_torch)
  byhand_pkg_config(byhand-torch "-lbyhand_torch -ltorch -ltorch_cpu -lc10" "byhand")
endif()
configure_package_config_file(cmake/byhandConfig.cmake.in byhandConfig.cmake INSTALL_DESTINATION ${config}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(byhandConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/byhandConfig.cmake" "${PROJECT_BINARY_DIR}/byhandConfigVersion.cmake"
  DESTINATION ${config} COMPONENT development)

# cpack -G DEB: byhand (the program), byhand-torch (its comparison with LibTorch) and libbyhand-dev.
if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_PACKAGE_CONTACT "byhand maintainers <maintainers@byhand.invalid>")
  set(CPACK_PACKAGE_VENDOR byhand)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_COMPONENTS_ALL program development)
  set(CPACK_DEB_COMPONENT_INSTALL ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME byhand)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "byhand-torch, gnuplot-nox")
  set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "A small neural network whose forward and backward passes are written by hand,
 a harness that compares every value and gradient with LibTorch's and names the
 step that is wrong, and a trainer on names.")
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbyhand-dev)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libfmt-dev")
  # libbyhand.so is in this package as well: it is for tests, and no other package depends on it.
  file(WRITE "${PROJECT_BINARY_DIR}/triggers" "activate-noawait ldconfig\n")
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/triggers")
  install(FILES cmake/lintian-overrides DESTINATION share/lintian/overrides COMPONENT development RENAME libbyhand-dev)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libtorch-dev, libcatch2-dev, libgtest-dev")
  set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "A C++ library that compares kernels with functions on LibTorch's tensors, or
 gradients with finite differences, under limits derived from rounding.")
  if(BYHAND_WITH_TORCH)
    list(APPEND CPACK_COMPONENTS_ALL torch)
    set(CPACK_DEBIAN_TORCH_PACKAGE_NAME byhand-torch)
    set(CPACK_DEBIAN_TORCH_PACKAGE_SECTION science)
    set(CPACK_DEBIAN_TORCH_PACKAGE_DEPENDS "byhand (= ${PROJECT_VERSION})")
    set(CPACK_DEBIAN_TORCH_PACKAGE_RECOMMENDS libopenblas0-pthread)
    set(CPACK_DEBIAN_TORCH_DESCRIPTION "The module with which byhand runs the same network in LibTorch.")
  endif()
  # Debian requires both in every package.
  configure_file(cmake/changelog.in changelog @ONLY)
  execute_process(COMMAND gzip -9nkf changelog WORKING_DIRECTORY "${PROJECT_BINARY_DIR}" COMMAND_ERROR_IS_FATAL ANY)
  foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} key)
    set(documents share/doc/${CPACK_DEBIAN_${key}_PACKAGE_NAME})
    install(FILES LICENSE DESTINATION ${documents} COMPONENT ${component} RENAME copyright)
    install(FILES "${PROJECT_BINARY_DIR}/changelog.gz" DESTINATION ${documents} COMPONENT ${component})
  endforeach()
  install(DIRECTORY examples/python DESTINATION share/doc/libbyhand-dev/examples COMPONENT development
    PATTERN "__pycache__" EXCLUDE)
  include(CPack)
endif()
