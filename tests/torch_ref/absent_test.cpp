// The errors of load() for a missing module and one that can't be loaded. This program has no module of the build
// beside it.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "torch_ref/load.h"

namespace fs = std::filesystem;

namespace {

std::string refusal() {
    try {
        byhand::torch_ref::load();
    } catch (const byhand::InputError& error) {
        return error.what();
    }
    return "";
}

bool one_line_with(const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find('\n') == std::string::npos);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("load: a missing or broken module is an error of one line with a remedy") {
    const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path() / "lib" / "byhand";
    const fs::path module = folder / "byhand_torch_ref.so";
    fs::remove(module);
    const std::string absent = refusal();
    CHECK(one_line_with(absent, "-DBYHAND_WITH_TORCH=ON"));
    CHECK(one_line_with(absent, module.string()));

    fs::create_directories(folder);
    std::ofstream(module) << "no library";
    const std::string broken = refusal();
    fs::remove_all(folder.parent_path());
    CHECK(one_line_with(broken, module.string()));
    CHECK(one_line_with(broken, "build byhand again"));
}
