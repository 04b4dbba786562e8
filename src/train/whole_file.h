// Atomic file writes: to an unnamed file if the file system supports it, else to a temporary one in the same folder,
// flushed to disk and then renamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"

namespace byhand {

// Throws InputError: the path, and what is wrong.
[[noreturn]] void refuse(const std::string& path, const std::string& what);

// For a check before long computations: throws InputError if no file can be created or replaced there, as far as can be
// determined.
void check_place(const std::string& path);

// A new file beside the one to be written, which is discarded unless it replaces that one. If the path is a symbolic
// link, its target is replaced. A process that is killed leaves no file, or .byhand.PID.N.tmp, which the next file
// created in the folder removes. All functions throw InputError that begins with the path on an error of the system.
class WholeFile {
public:
    explicit WholeFile(const std::string& path);
    WholeFile(const WholeFile&) = delete;
    WholeFile(WholeFile&&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;
    WholeFile& operator=(WholeFile&&) = delete;
    ~WholeFile();

    void write(const void* data, std::uint64_t size);

    // Flushes the file, renames it, then flushes the folder; if only the last step fails, the error says that the new
    // file is in place.
    void put_in_place();

private:
    [[noreturn]] void fail() const;
    Descriptor create();
    Descriptor create_named();
    Descriptor prepared(Descriptor file) const;
    void give_name();
    // Calls `make` with temporary names until one is free, stores that in name_ and returns the result; -1, with errno,
    // on failure.
    int try_names(const std::function<int(const char* name)>& make);

    std::filesystem::path target_;
    std::string name_;  // of the temporary file; empty: it has none
    Descriptor descriptor_;
};

}  // namespace byhand
