#include "cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

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

std::string new_temporary_folder(const std::string& what) {
    std::error_code error;
    const std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
    if (error) {
        throw InputError("there is no folder for temporary files; set TMPDIR to one");
    }
    std::string pattern = (temporary / "byhand-").string() + std::string(6, 'X');  // mkdtemp's own
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw InputError("can't create a folder for " + what + " at " + pattern + ": " + reason());
    }
    return pattern;
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

}  // namespace byhand::cli
