# What all rooms are built with, and the one way to add a room.
include(CheckCXXCompilerFlag)

add_library(byhand_options INTERFACE)
target_compile_features(byhand_options INTERFACE cxx_std_20)
# One rounding an operation, on every CPU: a multiply and an add are never joined behind the author's back.
target_compile_options(byhand_options INTERFACE -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion $<$<BOOL:${BYHAND_WARNINGS_AS_ERRORS}>:-Werror>)
# g++ 12 sees overlapping copies in "W" + std::to_string(n), where there are none (GCC bug 105329).
target_compile_options(byhand_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(byhand_options INTERFACE "${PROJECT_SOURCE_DIR}/src")

# A release does not go on after a fault: indices are checked by the standard library, canaries stand on the stack, copies
# into arrays are counted, and what the loader has filled in can't be overwritten. (Addresses are drawn anew for each run
# where the compiler does so by default, as Debian's does.)
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

# A release compiles at -O3 where arithmetic takes the time, and at -O1 elsewhere, in two thirds of the time. No result
# depends on it: nothing here lets the compiler reorder or join operations.
set(byhand_quick_to_compile "$<$<CONFIG:Release>:-O1>")
# In the precompiled header, so all are compiled by its flags.
target_link_libraries(byhand_options INTERFACE fmt::fmt)

# byhand_room(NAME SOURCES … HOT … DEPENDS …): a static library byhand_NAME of the folder's sources that links DEPENDS
# privately. HOT are those where arithmetic takes the time. A room's headers name types of byhand_base, byhand_judge and
# byhand_steps at most, and those need nothing passed on.
function(byhand_room name)
  cmake_parse_arguments(room "" "" "SOURCES;HOT;DEPENDS" ${ARGN})
  add_library(byhand_${name} STATIC ${room_SOURCES} ${room_HOT})
  set_target_properties(byhand_${name} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(byhand_${name} PRIVATE byhand_options ${room_DEPENDS})
  set_source_files_properties(${room_SOURCES} PROPERTIES COMPILE_OPTIONS "${byhand_quick_to_compile}")
  # byhand_base has the precompiled header of all rooms. A release's HOT files are optimised otherwise than it is.
  if(NOT name STREQUAL base)
    target_precompile_headers(byhand_${name} REUSE_FROM byhand_base)
  endif()
  set_source_files_properties(${room_HOT} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
