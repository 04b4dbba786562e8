#include "cli/collisions.h"

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/files.h"

namespace byhand::cli {
namespace {

namespace fs = std::filesystem;

// A device can be written by several options, and the name of a shipped recipe is not a file.
bool is_file(const std::string& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

// The shipped files, which are read by default.
std::vector<std::string> files_that_come_along() {
    std::vector<std::string> paths = {shipped("data/names.txt"), shipped("exercise/backward.cpp")};
    for (const std::string& recipe : shipped_recipes()) {
        paths.push_back(shipped("recipes/" + recipe + ".json"));
    }
    return paths;
}

void refuse_streams_and_shipped(const NamedFile& written) {
    const auto& [option, path, use] = written;
    for (const auto& [stream, name] :
         {std::pair{"/proc/self/fd/1", "standard output"}, {"/proc/self/fd/2", "standard error"}}) {
        if (is_file(path) && same_file(path, stream)) {  // "> file" before the program began
            throw InputError(fmt::format("{}: {} would write the file that {} is redirected to; name another file",
                                         path, option, name));
        }
    }
    for (const std::string& shipped_one : files_that_come_along()) {
        if (same_file(path, shipped_one)) {
            throw InputError(
                fmt::format("{}: {} would overwrite a file shipped with byhand; name another file", path, option));
        }
    }
}

}  // namespace

void refuse_collisions(const std::vector<NamedFile>& files) {
    std::vector<NamedFile> written, read;
    for (const NamedFile& file : files) {
        (file.use == FileUse::writes ? written : read).push_back(file);
    }
    for (std::size_t i = 0; i < written.size(); ++i) {
        const auto& [option, path, use] = written[i];
        refuse_streams_and_shipped(written[i]);
        for (const NamedFile& other : read) {
            const bool goes_on = option == "--save" && other.option == "--resume";
            if (!goes_on && is_file(other.path) && same_file(path, other.path)) {
                throw InputError(fmt::format("{}: {} would overwrite the input of {}; name another file", path, option,
                                             other.option));
            }
        }
        for (std::size_t k = 0; k < i; ++k) {
            std::error_code error;
            const bool is_stream = fs::exists(path, error) && !is_file(path);
            if (!is_stream && same_file(path, written[k].path)) {
                throw InputError(
                    fmt::format("{}: {} and {} would both write it; name two files", path, written[k].option, option));
            }
        }
    }
}

}  // namespace byhand::cli
