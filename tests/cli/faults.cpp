// Preloaded into the program under test: makes one of its system calls fail.
//   BYHAND_FAULT=CALL:N:ERROR   the N-th call (from 1) of open, read, write, fsync, linkat, rename or close fails with
//                               errno ERROR, a number; "short": it reads or writes half of what was asked for; "end":
//                               it reads nothing, as at the end of a file that has shrunk
//   BYHAND_FAULT_FILE=END       counted are calls that have to do with files whose paths end so [.tmp, or without a
//                               name: a file that is written beside its place], or with folders
//   BYHAND_FAULT_LACKS=WHAT     the file system has no files without a name (O_TMPFILE), or no links (linkat)
// What was done is told in the file that BYHAND_FAULT_DONE names.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

template <class Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

int calls = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): it lives in another program

constexpr int kShort = -1, kEnd = -2;

// The error that this call is to fail with; 0: none.
int fault(const char* call) {
    const char* const wanted = std::getenv("BYHAND_FAULT");
    const std::string text = wanted != nullptr ? wanted : "";
    const std::size_t name = text.find(':'), number = text.rfind(':');
    if (name == std::string::npos || text.substr(0, name) != call ||
        ++calls != std::stoi(text.substr(name + 1, number - name - 1))) {
        return 0;
    }
    if (const char* done = std::getenv("BYHAND_FAULT_DONE")) {
        if (std::FILE* file = std::fopen(done, "w")) {
            std::fputs("done", file);
            std::fclose(file);
        }
    }
    const std::string error = text.substr(number + 1);
    return error == "short" ? kShort : error == "end" ? kEnd : std::stoi(error);
}

bool counts(const std::string& path) {
    const char* const end = std::getenv("BYHAND_FAULT_FILE");
    const bool unnamed = path.find("/#") != std::string::npos && path.ends_with(" (deleted)");
    return end != nullptr ? path.ends_with(end) : path.ends_with(".tmp") || unnamed;
}

bool lacks(const std::string& what) {
    const char* const lacking = std::getenv("BYHAND_FAULT_LACKS");
    return lacking != nullptr && what == lacking;
}

// Such a file, or a folder.
bool counts(int file) {
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    char path[4096];
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    return size > 0 &&
           (counts(std::string(path, static_cast<std::size_t>(size))) || (::fcntl(file, F_GETFL) & O_DIRECTORY) != 0);
}

bool failed(int error) {
    errno = error;
    return error > 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    std::va_list rest;
    va_start(rest, flags);
    const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
    const mode_t mode = (flags & O_CREAT) != 0 || unnamed ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (unnamed && lacks("O_TMPFILE")) {
        failed(EOPNOTSUPP);
        return -1;
    }
    if ((unnamed || counts(std::string(path))) && failed(fault("open"))) {
        return -1;
    }
    return real<int (*)(const char*, int, mode_t)>("open")(path, flags, mode);
}

ssize_t write(int file, const void* data, std::size_t size) {
    const int error = counts(file) ? fault("write") : 0;
    if (failed(error)) {
        return -1;
    }
    return real<ssize_t (*)(int, const void*, std::size_t)>("write")(file, data,
                                                                     error == kShort ? (size + 1) / 2 : size);
}

ssize_t read(int file, void* data, std::size_t size) {
    const int error = counts(file) ? fault("read") : 0;
    if (failed(error)) {
        return -1;
    }
    return error == kEnd ? 0
                         : real<ssize_t (*)(int, void*, std::size_t)>("read")(file, data,
                                                                              error == kShort ? (size + 1) / 2 : size);
}

ssize_t pread(int file, void* data, std::size_t size, off_t offset) {
    const int error = counts(file) ? fault("read") : 0;
    if (failed(error)) {
        return -1;
    }
    return error == kEnd ? 0
                         : real<ssize_t (*)(int, void*, std::size_t, off_t)>("pread")(
                               file, data, error == kShort ? (size + 1) / 2 : size, offset);
}

int fsync(int file) {
    if (counts(file) && failed(fault("fsync"))) {
        return -1;
    }
    return real<int (*)(int)>("fsync")(file);
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
    if (counts(std::string(to)) && failed(lacks("linkat") ? EPERM : fault("linkat"))) {
        return -1;
    }
    return real<int (*)(int, const char*, int, const char*, int)>("linkat")(from_folder, from, to_folder, to, flags);
}

int rename(const char* from, const char* to) {
    if (counts(std::string(from)) && failed(fault("rename"))) {
        return -1;
    }
    return real<int (*)(const char*, const char*)>("rename")(from, to);
}

int close(int file) {
    if (counts(file) && failed(fault("close"))) {
        real<int (*)(int)>("close")(file);
        return -1;
    }
    return real<int (*)(int)>("close")(file);
}

}  // extern "C"
