// The error for a .npz file without the module that reads it. This program has no module of the build beside it.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "checks/files/external_file.h"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

TEST_CASE("npz: a missing module is an error that says where it belongs and which package has it") {
    const temporary::Folder folder;
    folder.write("a.npz", "PK\x03\x04");
    CHECK_THROWS_MATCHES(byhand::read_external(folder.file("a.npz"), {}), byhand::InputError,
                         MessageMatches(ContainsSubstring("lib/byhand/byhand_npz.so: install the package byhand,")));
}
