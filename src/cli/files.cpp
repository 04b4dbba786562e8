#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace byhand::cli {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) {
    return std::strerror(error);
}  // NOLINT(concurrency-mt-unsafe): one thread

// A file descriptor that closes itself.
struct Descriptor {
    int fd;
    explicit Descriptor(int opened) : fd(opened) {}
    ~Descriptor() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

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

std::string read_text(const std::string& path, std::size_t limit) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status = {};
    if (file.fd < 0 || ::fstat(file.fd, &status) != 0) {
        throw InputError(path + ": " + reason(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        throw InputError(path + ": not a regular file");
    }
    std::string text;
    char buffer[65536];
    while (true) {
        const ssize_t got = ::read(file.fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw InputError(path + ": " + reason(errno));
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > limit) {
            throw InputError(path + ": larger than the " + std::to_string(limit) + " bytes that are read here");
        }
    }
}

void check_text_can_be_written(const std::string& path) {
    std::error_code ignored;
    const fs::path target = fs::weakly_canonical(path, ignored);
    if (fs::is_directory(target, ignored)) {
        throw InputError(path + " is a folder; name a file");
    }
    const fs::path folder = fs::absolute(target, ignored).parent_path();
    // A device or a pipe is written to, a file is replaced.
    const bool replace = !fs::exists(target, ignored) || fs::is_regular_file(target, ignored);
    if (::access((replace ? folder : target).c_str(), W_OK) != 0) {
        throw InputError(path + " can't be written: " + reason(errno));
    }
}

void write_text(const std::string& path, std::string_view text) {
    std::error_code ignored;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, ignored));
    const fs::path target = is_link ? fs::weakly_canonical(path, ignored) : fs::path(path);
    // A device or a pipe is written to; a file is replaced, whole or not at all.
    const bool replace = !fs::exists(target, ignored) || fs::is_regular_file(target, ignored);
    const std::string into = replace ? target.string() + "." + std::to_string(::getpid()) + ".tmp" : target.string();
    errno = 0;
    std::ofstream out(into, std::ios::binary);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out || (replace && std::rename(into.c_str(), target.c_str()) != 0)) {
        const int error = errno;
        if (replace) {
            ::unlink(into.c_str());
        }
        throw InputError(path + " could not be written: " + reason(error));
    }
}

}  // namespace byhand::cli
