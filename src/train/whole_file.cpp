#include "train/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
    throw InputError(printable(path) + ": " + what);
}

// The file itself, where `path` is a symbolic link to one.
fs::path resolved(const std::string& path) {
    std::error_code error;
    if (!fs::is_symlink(fs::symlink_status(path, error))) {
        return path;
    }
    fs::path target = fs::canonical(path, error);
    if (error) {
        refuse(path, "is a symbolic link that can't be followed: " + error.message());
    }
    return target;
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

void check_place(const std::string& path) {
    if (path.empty()) {
        throw InputError("the file to write has no name; give it one");
    }
    const fs::path target = resolved(path);
    std::error_code error;
    const fs::file_status status = fs::status(target, error);
    const std::string why = error.message();
    if (target.filename().empty() || fs::is_directory(status)) {
        refuse(path, "is a folder; name a file");
    }
    const fs::path folder = folder_of(target);
    if (!fs::is_directory(folder, error)) {
        refuse(path, "can't be written: there is no folder " + printable(folder.string()) + "; make it first");
    }
    if (status.type() == fs::file_type::none) {  // not even that there is none
        refuse(path, "can't be written: " + why);
    }
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {  // it is read to be flushed
        refuse(path, "can't be written: folder " + printable(folder.string()) + ": " + reason());
    }
    if (status.type() != fs::file_type::not_found && ::access(target.c_str(), W_OK) != 0) {
        refuse(path, "can't be written: " + reason());  // it could be replaced, but somebody has protected it
    }
}

WholeFile::WholeFile(const std::string& path) : target_(resolved(path)), descriptor_(create()) {
    struct stat status = {};
    if (::stat(target_.c_str(), &status) == 0) {
        ::fchmod(descriptor_.number(), status.st_mode & 0777);  // who may read it stays as it was
    }
}

WholeFile::~WholeFile() {
    if (!name_.empty()) {
        ::unlink(name_.c_str());
    }
}

void WholeFile::write(const void* data, std::uint64_t size) {
    if (!write_all(descriptor_.number(), data, size)) {
        fail();
    }
}

void WholeFile::put_in_place() {
    const Descriptor folder = open_folder_of(target_.string());
    if (folder.number() < 0 || !flush_to_disk(descriptor_.number()) || ::rename(name_.c_str(), target_.c_str()) != 0) {
        fail();
    }
    name_.clear();
    if (!flush_to_disk(folder.number())) {
        refuse(target_.string(),
               "is written, but a power failure may undo it, for its folder can't be flushed: " + reason());
    }
}

void WholeFile::fail() const {
    refuse(target_.string(), "can't be written: " + reason());
}

Descriptor WholeFile::create() {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        // Short, for the longest name that a folder takes may be the target's own.
        const std::string name = ".byhand." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".tmp";
        name_ = (folder_of(target_) / name).string();
        const int number = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (number >= 0) {
            return Descriptor(number);
        }
        if (errno != EEXIST) {
            break;
        }
    }
    name_.clear();
    fail();
}

}  // namespace byhand
