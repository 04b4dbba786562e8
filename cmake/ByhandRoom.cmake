# What all rooms are built with, and the one way to add a room.

add_library(byhand_options INTERFACE)
target_compile_features(byhand_options INTERFACE cxx_std_20)
# One rounding an operation, on every CPU: a multiply and an add are never joined behind the author's back.
target_compile_options(byhand_options INTERFACE -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion $<$<BOOL:${BYHAND_WARNINGS_AS_ERRORS}>:-Werror>)
# g++ 12 sees overlapping copies in "W" + std::to_string(n), where there are none (GCC bug 105329).
target_compile_options(byhand_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(byhand_options INTERFACE "${PROJECT_SOURCE_DIR}/src")

# byhand_room(NAME SOURCES … KNOWS …): a static library byhand_NAME of the folder's sources that links KNOWS privately.
# A room's headers name types of byhand_base and byhand_steps at most, and those need nothing passed on.
function(byhand_room name)
  cmake_parse_arguments(room "" "" "SOURCES;KNOWS" ${ARGN})
  add_library(byhand_${name} STATIC ${room_SOURCES})
  set_target_properties(byhand_${name} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(byhand_${name} PRIVATE byhand_options ${room_KNOWS})
endfunction()
