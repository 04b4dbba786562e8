#include "train/whole_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand {
namespace {

namespace fs = std::filesystem;

// The target, if `path` is a symbolic link.
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

constexpr std::string_view kBegin = ".byhand.", kEnd = ".tmp";

// Short, because the target's own name may already have the maximum length.
std::string temporary_name(int attempt) {
    return std::string(kBegin) + std::to_string(::getpid()) + "." + std::to_string(attempt) + std::string(kEnd);
}

// The process id in the name of a temporary file; 0 for any other name.
pid_t owner_of(const std::string& name) {
    pid_t owner = 0;
    if (name.starts_with(kBegin) && name.ends_with(kEnd)) {
        const char* const end = name.data() + name.size();
        const auto [rest, error] = std::from_chars(name.data() + kBegin.size(), end, owner);
        return error == std::errc() && *rest == '.' ? owner : 0;
    }
    return owner;
}

// Removes the temporary files of processes that have ended. A process of another machine or container, whose id is
// meaningless here, holds a lock.
void remove_leftovers(const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const pid_t owner = owner_of(entry->path().filename().string());
        if (owner <= 0 || ::kill(owner, 0) == 0 || errno != ESRCH) {
            continue;
        }
        const Descriptor file(::open(entry->path().c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (file.number() >= 0 && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) {
            ::unlink(entry->path().c_str());
        }
    }
}

}  // namespace

void refuse(const std::string& path, const std::string& what) {
    throw InputError(printable(path) + ": " + what);
}

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
    if (folder.is_relative() && fs::current_path(error).empty()) {
        refuse(path, "can't be written: the working folder is gone; change to one that exists");
    }
    if (!fs::is_directory(folder, error)) {
        refuse(path, "can't be written: there is no folder " + printable(folder.string()) + "; make it first");
    }
    if (status.type() == fs::file_type::none) {  // not even file_type::not_found
        refuse(path, "can't be written: " + why);
    }
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {  // it is opened for reading to be flushed
        refuse(path, "can't be written: folder " + printable(folder.string()) + ": " + reason());
    }
    if (status.type() != fs::file_type::not_found && ::access(target.c_str(), W_OK) != 0) {
        refuse(path, "can't be written: " + reason());  // it could be replaced, but is write-protected
    }
}

WholeFile::WholeFile(const std::string& path) : target_(resolved(path)), descriptor_(create()) {}

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
    if (folder.number() < 0 || !flush_to_disk(descriptor_.number())) {
        fail();
    }
    if (name_.empty()) {
        give_name();
    }
    if (::rename(name_.c_str(), target_.c_str()) != 0) {
        fail();
    }
    name_.clear();
    if (!flush_to_disk(folder.number())) {
        refuse(target_.string(),
               "is written, but a power failure may undo it, because its folder can't be flushed: " + reason());
    }
}

void WholeFile::fail() const {
    refuse(target_.string(), "can't be written: " + reason());
}

Descriptor WholeFile::create() {
    const fs::path folder = folder_of(target_);
    remove_leftovers(folder);
    Descriptor unnamed(::open(folder.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0666));
    return prepared(unnamed.number() >= 0 ? std::move(unnamed) : create_named());
}

Descriptor WholeFile::create_named() {
    return Descriptor(
        try_names([](const char* name) { return ::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
}

Descriptor WholeFile::prepared(Descriptor file) const {
    if (file.number() < 0) {
        fail();
    }
    ::flock(file.number(), LOCK_EX | LOCK_NB);  // marks it as in use (see remove_leftovers)
    struct stat status = {};
    if (::stat(target_.c_str(), &status) == 0) {
        ::fchmod(file.number(), status.st_mode & 0777);  // keeps the permissions
    }
    return file;
}

void WholeFile::give_name() {
    const std::string file = "/proc/self/fd/" + std::to_string(descriptor_.number());
    const auto link = [&](const char* name) {
        return ::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW);
    };
    if (try_names(link) == 0) {
        return;
    }
    // The file system does not support links, or /proc is missing.
    const Descriptor named = prepared(create_named());
    std::vector<char> some(1U << 20U);
    ::lseek(descriptor_.number(), 0, SEEK_SET);
    while (const std::size_t got = read_some(descriptor_.number(), some.data(), some.size(), target_.string())) {
        if (!write_all(named.number(), some.data(), got)) {
            fail();
        }
    }
    if (!flush_to_disk(named.number())) {
        fail();
    }
}

int WholeFile::try_names(const std::function<int(const char* name)>& make) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        name_ = (folder_of(target_) / temporary_name(attempt)).string();
        const int made = make(name_.c_str());
        if (made >= 0) {
            return made;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    name_.clear();
    return -1;
}

}  // namespace byhand
