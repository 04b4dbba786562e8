# Options of all targets, and the function that adds a folder's library.
include(CheckCXXCompilerFlag)

add_library(byhand_options INTERFACE)
target_compile_features(byhand_options INTERFACE cxx_std_20)
# One rounding per operation, on every CPU: the compiler must not contract a multiply and an add into one.
target_compile_options(byhand_options INTERFACE -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion $<$<BOOL:${BYHAND_WARNINGS_AS_ERRORS}>:-Werror>)
# g++ 12 wrongly reports overlapping copies in "W" + std::to_string(n) (GCC bug 105329).
target_compile_options(byhand_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(byhand_options INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/modules"
  "${PROJECT_SOURCE_DIR}/include"
  "${PROJECT_BINARY_DIR}/include")

# A release stops at a memory fault: the standard library checks indices, the stack has canaries, copies into arrays are
# bounded, and the loader's tables are read-only. (Addresses are randomized if that is the compiler's default, as on
# Debian.)
set(byhand_hardening -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS)
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  string(MAKE_C_IDENTIFIER "byhand_has${flag}" known)
  check_cxx_compiler_flag("${flag}" ${known})
  if(${known})
    list(APPEND byhand_hardening ${flag})
  endif()
endforeach()
target_compile_options(byhand_options INTERFACE "$<$<CONFIG:Release>:${byhand_hardening}>")
target_link_options(byhand_options INTERFACE "$<$<CONFIG:Release>:LINKER:-z,relro,-z,now,-z,noexecstack>")

# A release compiles the arithmetic at -O3 and everything else at -O1, in two thirds of the time. Results do not depend on
# it: no option allows the compiler to reorder or contract operations.
set(byhand_quick_to_compile "$<$<CONFIG:Release>:-O1>")
# Their functions may be inlined although position-independent code could have them replaced by a library.
set(byhand_inlined -fno-semantic-interposition)
# In the precompiled header, so all targets need its flags.
target_link_libraries(byhand_options INTERFACE fmt::fmt)

# byhand_compile_options(TARGET): those options without linking byhand_options, so that what links TARGET does not have
# them.
function(byhand_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE "$<TARGET_PROPERTY:byhand_options,INTERFACE_COMPILE_OPTIONS>")
  target_include_directories(${target} PRIVATE "$<TARGET_PROPERTY:byhand_options,INTERFACE_INCLUDE_DIRECTORIES>")
endfunction()

# Finds LibTorch in the calling folder. (A macro: its targets and variables are the folder's.)
macro(byhand_find_torch)
  find_package(Torch QUIET)
  if(NOT Torch_FOUND)
    message(FATAL_ERROR "LibTorch was not found. Install it (Debian: libtorch-dev libopenblas0-pthread), or name your own "
      "with CMAKE_PREFIX_PATH=/where/libtorch/is, or build without the comparison: -DBYHAND_WITH_TORCH=OFF")
  endif()
endmacro()

# byhand_room(NAME SOURCES … HOT … DEPENDS …): a static library byhand_NAME of the folder's sources that links DEPENDS
# privately. HOT are the sources with most of the arithmetic. The headers of a folder include at most those of byhand_base,
# byhand_judge and byhand_steps, which need no transitive dependencies.
function(byhand_room name)
  cmake_parse_arguments(room "" "" "SOURCES;HOT;DEPENDS" ${ARGN})
  add_library(byhand_${name} STATIC ${room_SOURCES} ${room_HOT})
  set_target_properties(byhand_${name} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(byhand_${name} PRIVATE byhand_options ${room_DEPENDS})
  set_source_files_properties(${room_SOURCES} PROPERTIES COMPILE_OPTIONS "${byhand_quick_to_compile}")
  # byhand_base has the precompiled header of all folders. In a release, HOT files have other optimisation flags.
  if(NOT name STREQUAL base)
    target_precompile_headers(byhand_${name} REUSE_FROM byhand_base)
  endif()
  set_source_files_properties(${room_HOT} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${byhand_inlined}")
endfunction()

# Writes `output`: the list of the operations of that type, which these files define.
function(byhand_operations output type header list namespace)
  add_custom_command(OUTPUT "${output}" DEPENDS ${ARGN} "${PROJECT_SOURCE_DIR}/cmake/operations.awk"
    COMMAND awk -v type=${type} -v header=${header} -v "list=${list}" -v space=${namespace}
      -f "${PROJECT_SOURCE_DIR}/cmake/operations.awk" ${ARGN} > "${output}" VERBATIM)
endfunction()
