#include "cli/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "train/whole_file.h"

namespace byhand::cli {
namespace {

namespace fs = std::filesystem;

// Or a pipe. It is written to, while a file is replaced.
bool is_device(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

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

std::string shipped(const std::string& name) {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path installed = program.parent_path().parent_path() / "share" / "byhand" / name;
    if (!error && fs::exists(installed, error)) {
        return installed.string();
    }
    return std::string(BYHAND_SOURCE_DIR "/") + name;
}

std::vector<std::string> shipped_recipes() {
    std::vector<std::string> names;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(shipped("recipes"), error)) {
        if (entry.path().extension() == ".json") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

TemporaryFolder::TemporaryFolder(const std::string& what) {
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (error) {
        throw InputError("there is no folder for temporary files; set TMPDIR to one");
    }
    std::string pattern = (temporary / "byhand-").string() + std::string(6, 'X');  // mkdtemp's own
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw InputError("can't create a folder for " + what + " at " + pattern + ": " + reason());
    }
    path_ = pattern;
}

bool same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    const fs::path one = fs::weakly_canonical(fs::absolute(a, error), error),
                   other = fs::weakly_canonical(fs::absolute(b, error), error);
    return (!one.empty() && one == other) || fs::equivalent(a, b, error);
}

TextFile::TextFile(const OutputPath& path) : path_(path) {
    if (!is_device(path_)) {
        check_place(path_);
        return;
    }
    // O_NONBLOCK: otherwise open() would wait for a reader of a pipe.
    stream_.emplace(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (stream_->number() < 0 || ::fcntl(stream_->number(), F_SETFL, 0) != 0) {
        throw InputError(path_ + ": can't be written: " + reason());
    }
}

void TextFile::write(std::string_view text) const {
    if (!stream_) {
        WholeFile file(path_);
        file.write(text.data(), text.size());
        file.put_in_place();
    } else if (!write_all(stream_->number(), text.data(), text.size())) {
        throw InputError(path_ + ": can't be written: " + reason());
    }
}

std::optional<TextFile> text_file(const OutputPath& path) {
    return path.empty() ? std::nullopt : std::optional<TextFile>(path);
}

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
